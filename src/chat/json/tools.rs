//! Tools, the choice among them, and their calls, with the functions that there were before them.

use std::borrow::Cow;

use crate::chat::path::Path;
use crate::chat::request::{Tool, ToolCall, ToolChoice};
use crate::chat::value::{Held, Value};
use crate::error::Error;

/// A call of a tool.
pub(super) fn call<'v>(path: &Path<'_>, value: &'v Value<'_>) -> Result<ToolCall<'v>, Error> {
    of_function(path, value)?;
    path.only(value, &["id", "type", "function", "index"])?;
    let id = path.text_of(value, "id")?;
    let (path, function) = path.must(value, "function")?;
    function_call(&path, function, id)
}

/// A call of a function, which has no id of its own.
pub(super) fn function_call<'v>(
    path: &Path<'_>,
    value: &'v Value<'_>,
    id: Cow<'v, str>,
) -> Result<ToolCall<'v>, Error> {
    path.only(value, &["name", "arguments"])?;
    Ok(ToolCall {
        id,
        name: path.text_of(value, "name")?,
        arguments: path.text_of(value, "arguments")?,
    })
}

/// Refuses all tools and calls but functions.
fn of_function(path: &Path<'_>, value: &Value<'_>) -> Result<(), Error> {
    let kind = path.maybe_text(value, "type")?;
    match kind.as_deref() {
        None | Some("function") => Ok(()),
        Some(kind) => Err(path.unsupported(format!(
            "only the service knows the prompt text of a tool of type {kind:?}"
        ))),
    }
}

/// The tools, and whether they are called functions.
pub(super) fn tools<'v>(body: &'v Value<'_>) -> Result<(Vec<Tool<'v>>, bool), Error> {
    let read = |key, each: fn(&Path<'_>, &'v Value<'_>) -> Result<Tool<'v>, Error>| {
        let found = Path::Root.get(body, key)?;
        let tools = found.map(|(path, list)| path.each(list, each));
        tools.transpose().map(Option::unwrap_or_default)
    };
    let (tools, functions) = (read("tools", tool)?, read("functions", function)?);
    match (tools.is_empty(), functions.is_empty()) {
        (_, true) => Ok((tools, false)),
        (true, false) => Ok((functions, true)),
        (false, false) => Err(Path::Root
            .key("functions")
            .invalid("the body also has `tools`; use only one of the two")),
    }
}

fn tool<'v>(path: &Path<'_>, value: &'v Value<'_>) -> Result<Tool<'v>, Error> {
    of_function(path, value)?;
    path.only(value, &["type", "function"])?;
    let (path, value) = path.must(value, "function")?;
    function(&path, value)
}

/// Keys of a function; the last two are a library's own, and cost nothing.
const FUNCTION: &[&str] = &[
    "name",
    "description",
    "parameters",
    "strict",
    "requires_confirmation",
    "external_execution",
];

fn function<'v>(path: &Path<'_>, value: &'v Value<'_>) -> Result<Tool<'v>, Error> {
    path.only(value, FUNCTION)?;
    let parameters = path.get(value, "parameters")?;
    if let Some((path, schema)) = &parameters {
        path.object(schema)?;
    }
    Ok(Tool {
        name: path.text_of(value, "name")?,
        description: path.maybe_text(value, "description")?,
        parameters: parameters.map(|(_, schema)| Held::Part(schema)),
    })
}

/// The choice among these tools.
pub(super) fn choice<'v>(body: &'v Value<'_>, tools: &[Tool<'_>]) -> Result<ToolChoice<'v>, Error> {
    let newer = Path::Root.get(body, "tool_choice")?;
    let older = Path::Root.get(body, "function_call")?;
    let is_older = newer.is_none();
    let (path, choice) = match (newer, older) {
        (None, None) => return Ok(ToolChoice::Auto),
        (Some(_), Some((path, _))) => {
            return Err(path.invalid("the body also has `tool_choice`; use only one of the two"));
        }
        (Some(choice), None) | (None, Some(choice)) => choice,
    };
    match choice.as_text() {
        Some("auto") => Ok(ToolChoice::Auto),
        _ if tools.is_empty() => Err(path.invalid("the body has no tools to choose from")),
        Some("none") => Ok(ToolChoice::None),
        Some("required") if !is_older => Ok(ToolChoice::Required),
        Some(word) => {
            let known = ["auto", "none", "required"];
            let known = if is_older { &known[..2] } else { &known };
            Err(path.invalid_among(&format!("unknown choice {word:?}"), known))
        }
        None if is_older => Ok(ToolChoice::FunctionCall(name(&path, choice, tools)?)),
        None => {
            of_function(&path, choice)?;
            path.only(choice, &["type", "function"])?;
            let (path, function) = path.must(choice, "function")?;
            Ok(ToolChoice::Function(name(&path, function, tools)?))
        }
    }
}

/// The name of one of the tools.
fn name<'v>(
    path: &Path<'_>,
    value: &'v Value<'_>,
    tools: &[Tool<'_>],
) -> Result<Cow<'v, str>, Error> {
    path.only(value, &["name"])?;
    let (path, name) = path.must(value, "name")?;
    let name = path.text(name)?;
    if tools.iter().any(|tool| tool.name == name) {
        return Ok(name.into());
    }
    Err(path.invalid(format!("no tool has the name {name:?}")))
}
