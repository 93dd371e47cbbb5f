//! Tools, the choice among them and their calls, with the older form `functions`.

use std::borrow::Cow;

use crate::chat::path::Path;
use crate::chat::request::{Tool, ToolCall, ToolChoice};
use crate::chat::value::{Held, Value};
use crate::error::Error;

/// Reads a call of a tool.
pub(super) fn call<'v>(path: &Path<'_>, value: Value<'v>) -> Result<ToolCall<'v>, Error> {
    let id = path.text_of(value, "id")?;
    if !is_function(path, value)? {
        return Ok(ToolCall {
            id,
            name: "".into(),
            arguments: "".into(),
            has_item_id: false,
            is_missing: true,
        });
    }
    path.only(value, &["id", "type", "function", "index"])?;
    let (path, function) = path.must(value, "function")?;
    function_call(&path, function, id)
}

/// Reads a call of a function, with the id that its tool call has.
pub(super) fn function_call<'v>(
    path: &Path<'_>,
    value: Value<'v>,
    id: Cow<'v, str>,
) -> Result<ToolCall<'v>, Error> {
    path.only(value, &["name", "arguments"])?;
    Ok(ToolCall {
        id,
        name: name_of(path, value)?,
        arguments: path.text_of(value, "arguments")?,
        has_item_id: false,
        is_missing: false,
    })
}

/// Returns the name of a called function, or an error if the service refuses it.
pub(super) fn name_of<'v>(path: &Path<'_>, value: Value<'v>) -> Result<Cow<'v, str>, Error> {
    let name = path.text_of(value, "name")?;
    path.key("name").check_name(&name)?;
    Ok(name)
}

/// Returns whether a tool or a call is a function; all other types are noted.
fn is_function(path: &Path<'_>, value: Value<'_>) -> Result<bool, Error> {
    let kind = path.maybe_text(value, "type")?;
    match kind.as_deref() {
        None | Some("function") => Ok(true),
        Some(kind) => {
            path.missing(format!(
                "only the service knows the prompt text of a tool of type {kind:?}"
            ))?;
            Ok(false)
        }
    }
}

/// The functions among the tools of a body, and their places.
#[derive(Default)]
pub(super) struct Tools<'v> {
    pub(super) functions: Vec<Tool<'v>>,
    /// The places of the functions in the list of all tools, if some tools are not functions.
    pub(super) places: Vec<usize>,
    /// Whether some tools are not functions; they are noted already.
    has_others: bool,
    /// Whether the tools came in the older field `functions`.
    pub(super) are_functions: bool,
}

impl<'v> Tools<'v> {
    /// Collects the functions of a list; tools that are not functions are `None` in it.
    fn among(tools: Vec<Option<Tool<'v>>>) -> Self {
        let has_others = tools.iter().any(Option::is_none);
        let places = tools.iter().enumerate().filter(|(_, tool)| tool.is_some());
        Self {
            places: places.filter(|_| has_others).map(|(i, _)| i).collect(),
            functions: tools.into_iter().flatten().collect(),
            has_others,
            are_functions: false,
        }
    }

    /// Returns whether the body has no tools at all.
    fn is_empty(&self) -> bool {
        self.functions.is_empty() && !self.has_others
    }
}

/// Reads the tools of chat completions.
pub(super) fn tools<'v>(root: &Path<'_>, body: Value<'v>) -> Result<Tools<'v>, Error> {
    let tools = match root.get(body, "tools")? {
        Some((path, list)) => Tools::among(path.each(list, tool)?),
        None => Tools::default(),
    };
    let functions = match root.get(body, "functions")? {
        Some((path, list)) => path.each(list, function)?,
        None => Vec::new(),
    };
    match (tools.is_empty(), functions.is_empty()) {
        (_, true) => Ok(tools),
        (true, false) => Ok(Tools {
            functions,
            are_functions: true,
            ..Tools::default()
        }),
        (false, false) => Err(root
            .key("functions")
            .invalid("the body also has `tools`; use only one of the two")),
    }
}

/// Reads a tool, or notes it and returns `None` if it is not a function.
fn tool<'v>(path: &Path<'_>, value: Value<'v>) -> Result<Option<Tool<'v>>, Error> {
    if !is_function(path, value)? {
        return Ok(None);
    }
    path.only(value, &["type", "function"])?;
    let (path, value) = path.must(value, "function")?;
    function(&path, value).map(Some)
}

/// Keys of a function. The first one is for the Responses API only. The last two come from a library and cost nothing.
const FUNCTION: &[&str] = &[
    "type",
    "name",
    "description",
    "parameters",
    "strict",
    "requires_confirmation",
    "external_execution",
];

/// Reads the definition of a function.
fn function<'v>(path: &Path<'_>, value: Value<'v>) -> Result<Tool<'v>, Error> {
    path.only(value, FUNCTION)?;
    let keys = ["name", "description", "parameters"];
    let [name, description, parameters] = path.fields(value, keys)?;
    let parameters = parameters.get();
    if let Some((path, schema)) = &parameters {
        path.object(*schema)?;
    }
    Ok(Tool {
        name: name.text()?,
        description: description.maybe_text()?,
        parameters: parameters.map(|(_, schema)| Held::Part(schema)),
    })
}

/// Reads the choice among these tools in chat completions.
pub(super) fn choice<'v>(
    root: &Path<'_>,
    body: Value<'v>,
    tools: &Tools<'_>,
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
        None if is_older => {
            let name = name(&path, choice, &["name"], tools)?;
            Ok(ToolChoice::FunctionCall(name))
        }
        None => chosen(&path, choice, tools),
    }
}

/// Reads the choice of one tool, or among some of them.
fn chosen<'v>(
    path: &Path<'_>,
    choice: Value<'v>,
    tools: &Tools<'_>,
) -> Result<ToolChoice<'v>, Error> {
    if choice.get("type").and_then(Value::as_text) == Some("allowed_tools") {
        path.only(choice, &["type", "allowed_tools"])?;
        let (path, some) = path.must(choice, "allowed_tools")?;
        path.only(some, &["mode", "tools"])?;
        return allowed(&path, some);
    }
    if !is_function(path, choice)? {
        return Ok(ToolChoice::Auto);
    }
    path.only(choice, &["type", "function"])?;
    let (path, function) = path.must(choice, "function")?;
    let name = name(&path, function, &["name"], tools)?;
    Ok(ToolChoice::Function(name))
}

/// Returns the name in a choice, which must be the name of one of the tools.
fn name<'v>(
    path: &Path<'_>,
    value: Value<'v>,
    known: &[&str],
    tools: &Tools<'_>,
) -> Result<Cow<'v, str>, Error> {
    path.only(value, known)?;
    let (path, name) = path.must(value, "name")?;
    let name = path.text(name)?;
    if tools.functions.iter().any(|tool| tool.name == name) {
        return Ok(name.into());
    }
    Err(path.invalid(format!("no tool has the name {name:?}")))
}

/// Reads the tools of the Responses API, where the keys are beside the type.
pub(super) fn responses_tools<'v>(root: &Path<'_>, body: Value<'v>) -> Result<Tools<'v>, Error> {
    let Some((path, list)) = root.get(body, "tools")? else {
        return Ok(Tools::default());
    };
    let tools = path.each(list, |path, value| {
        if is_function(path, value)? {
            return function(path, value).map(Some);
        }
        Ok(None)
    })?;
    Ok(Tools::among(tools))
}

/// Reads the choice among these tools in the Responses API.
pub(super) fn responses_choice<'v>(
    root: &Path<'_>,
    body: Value<'v>,
    tools: &Tools<'_>,
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
        kind => {
            path.missing(format!(
                "only the service knows the cost of the choice {kind:?}"
            ))?;
            Ok(ToolChoice::Auto)
        }
    }
}

/// Reads a choice that is a word.
fn word_of<'v>(
    path: &Path<'_>,
    word: &str,
    tools: &Tools<'_>,
    known: &[&str],
) -> Result<ToolChoice<'v>, Error> {
    match word {
        "auto" => Ok(ToolChoice::Auto),
        // without tools nothing can be called anyway
        "none" if tools.is_empty() => Ok(ToolChoice::Auto),
        _ if tools.is_empty() => Err(path.invalid("the body has no tools to choose from")),
        // without functions, all tools that can be called have no known price
        "none" if tools.functions.is_empty() => Ok(ToolChoice::Auto),
        "none" => Ok(ToolChoice::None),
        "required" if known.contains(&word) => Ok(if tools.functions.is_empty() {
            ToolChoice::Auto
        } else {
            ToolChoice::Required
        }),
        _ => Err(path.invalid_among(&format!("unknown choice {word:?}"), known)),
    }
}

/// Checks a choice among some of the tools; its mode and its list do not change the count.
fn allowed<'v>(path: &Path<'_>, value: Value<'_>) -> Result<ToolChoice<'v>, Error> {
    let (at, mode) = path.must(value, "mode")?;
    let modes = ["auto", "required"];
    if !mode.as_text().is_some_and(|mode| modes.contains(&mode)) {
        return Err(at.invalid_among("unknown mode", &modes));
    }
    let (at, tools) = path.must(value, "tools")?;
    at.list(tools)?;
    Ok(ToolChoice::Allowed)
}
