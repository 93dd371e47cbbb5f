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
        name: name_of(path, value)?,
        arguments: path.text_of(value, "arguments")?,
        has_item_id: false,
    })
}

/// Returns the name of a function that is called.
pub(super) fn name_of<'v>(path: &Path<'_>, value: &'v Value<'_>) -> Result<Cow<'v, str>, Error> {
    let name = path.text_of(value, "name")?;
    path.key("name").check_name(&name)?;
    Ok(name)
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
pub(super) fn tools<'v>(
    root: &Path<'_>,
    body: &'v Value<'_>,
) -> Result<(Vec<Tool<'v>>, bool), Error> {
    let read = |key, each: fn(&Path<'_>, &'v Value<'_>) -> Result<Tool<'v>, Error>| {
        let found = root.get(body, key)?;
        let tools = found.map(|(path, list)| path.each(list, each));
        tools.transpose().map(Option::unwrap_or_default)
    };
    let (tools, functions) = (read("tools", tool)?, read("functions", function)?);
    match (tools.is_empty(), functions.is_empty()) {
        (_, true) => Ok((tools, false)),
        (true, false) => Ok((functions, true)),
        (false, false) => Err(root
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

/// Keys of a function; the first is that of the Responses API, and the last two are a library's own, and cost nothing.
const FUNCTION: &[&str] = &[
    "type",
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
pub(super) fn choice<'v>(
    root: &Path<'_>,
    body: &'v Value<'_>,
    tools: &[Tool<'_>],
) -> Result<ToolChoice<'v>, Error> {
    let newer = root.get(body, "tool_choice")?;
    let older = root.get(body, "function_call")?;
    let is_older = newer.is_none();
    let (path, choice) = match (newer, older) {
        (None, None) => return Ok(ToolChoice::Auto),
        (Some(_), Some((path, _))) => {
            return Err(path.invalid("the body also has `tool_choice`; use only one of the two"));
        }
        (Some(choice), None) | (None, Some(choice)) => choice,
    };
    let known = ["auto", "none", "required"];
    let known = if is_older { &known[..2] } else { &known };
    match choice.as_text() {
        Some(word) => word_of(&path, word, tools, known),
        None if tools.is_empty() => Err(path.invalid("the body has no tools to choose from")),
        None if is_older => Ok(ToolChoice::FunctionCall(name(
            &path,
            choice,
            &["name"],
            tools,
        )?)),
        None if choice.get("type").and_then(Value::as_text) == Some("allowed_tools") => {
            path.only(choice, &["type", "allowed_tools"])?;
            let (path, tools) = path.must(choice, "allowed_tools")?;
            path.only(tools, &["mode", "tools"])?;
            allowed(&path, tools)
        }
        None => {
            of_function(&path, choice)?;
            path.only(choice, &["type", "function"])?;
            let (path, function) = path.must(choice, "function")?;
            Ok(ToolChoice::Function(name(
                &path,
                function,
                &["name"],
                tools,
            )?))
        }
    }
}

/// The name of one of the tools.
fn name<'v>(
    path: &Path<'_>,
    value: &'v Value<'_>,
    known: &[&str],
    tools: &[Tool<'_>],
) -> Result<Cow<'v, str>, Error> {
    path.only(value, known)?;
    let (path, name) = path.must(value, "name")?;
    let name = path.text(name)?;
    if tools.iter().any(|tool| tool.name == name) {
        return Ok(name.into());
    }
    Err(path.invalid(format!("no tool has the name {name:?}")))
}

/// Reads the tools of the Responses API, whose keys stand beside their type.
pub(super) fn responses_tools<'v>(
    root: &Path<'_>,
    body: &'v Value<'_>,
) -> Result<Vec<Tool<'v>>, Error> {
    let Some((path, list)) = root.get(body, "tools")? else {
        return Ok(Vec::new());
    };
    path.each(list, |path, value| {
        of_function(path, value)?;
        function(path, value)
    })
}

/// Reads the choice among these tools in the Responses API.
pub(super) fn responses_choice<'v>(
    root: &Path<'_>,
    body: &'v Value<'_>,
    tools: &[Tool<'_>],
) -> Result<ToolChoice<'v>, Error> {
    let Some((path, choice)) = root.get(body, "tool_choice")? else {
        return Ok(ToolChoice::Auto);
    };
    if let Some(word) = choice.as_text() {
        return word_of(&path, word, tools, &["auto", "none", "required"]);
    }
    match path.text_of(choice, "type")?.as_ref() {
        "function" => Ok(ToolChoice::Function(name(
            &path,
            choice,
            &["type", "name"],
            tools,
        )?)),
        "allowed_tools" => {
            path.only(choice, &["type", "mode", "tools"])?;
            allowed(&path, choice)
        }
        kind => Err(path.unsupported(format!(
            "only the service knows the cost of the choice {kind:?}"
        ))),
    }
}

/// Reads a choice that is a word.
fn word_of<'v>(
    path: &Path<'_>,
    word: &str,
    tools: &[Tool<'_>],
    known: &[&str],
) -> Result<ToolChoice<'v>, Error> {
    match word {
        "auto" => Ok(ToolChoice::Auto),
        // without tools nothing can be called anyway
        "none" if tools.is_empty() => Ok(ToolChoice::Auto),
        _ if tools.is_empty() => Err(path.invalid("the body has no tools to choose from")),
        "none" => Ok(ToolChoice::None),
        "required" if known.contains(&word) => Ok(ToolChoice::Required),
        _ => Err(path.invalid_among(&format!("unknown choice {word:?}"), known)),
    }
}

/// Checks a choice among some of the tools.
fn allowed<'v>(path: &Path<'_>, value: &Value<'_>) -> Result<ToolChoice<'v>, Error> {
    let (at, mode) = path.must(value, "mode")?;
    let modes = ["auto", "required"];
    if !mode.as_text().is_some_and(|mode| modes.contains(&mode)) {
        return Err(at.invalid_among("unknown mode", &modes));
    }
    let (at, tools) = path.must(value, "tools")?;
    at.list(tools)?;
    Ok(ToolChoice::Allowed)
}
