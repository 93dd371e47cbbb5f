//! The body of `/v1/responses`, with text alone.

use super::{content, other_keys};
use crate::chat::path::Path;
use crate::chat::request::{Message, Request, Role};
use crate::chat::value::Value;
use crate::error::Error;

const KEYS: &[&str] = &["input", "instructions", "tools", "tool_choice", "text"];

pub(super) fn request<'v>(body: &'v Value<'_>) -> Result<Request<'v>, Error> {
    let mut doubts = other_keys(body, KEYS)?;
    refuse_tools(body)?;
    if has_schema(body)? {
        doubts.push("answer schemas were recorded only for chat completions".to_owned());
    }
    let instructions = Path::Root.maybe_text(body, "instructions")?;
    let mut messages: Vec<_> = instructions.map(Message::system).into_iter().collect();
    let (path, input) = Path::Root.must(body, "input")?;
    match input {
        Value::Text(text) => messages.push(Message::user(text.as_ref())),
        Value::List(list) if list.is_empty() => {
            return Err(path.invalid("this is empty; a request needs at least one message"));
        }
        _ => messages.extend(path.each(input, item)?),
    }
    Ok(Request {
        doubts,
        ..Request::new(messages)
    })
}

/// Refuses tools, and what only requests with tools can ask for.
fn refuse_tools(body: &Value<'_>) -> Result<(), Error> {
    let mut place = None;
    if let Some((path, tools)) = Path::Root.get(body, "tools")?
        && !path.list(tools)?.is_empty()
    {
        place = Some(path);
    } else if let Some((path, choice)) = Path::Root.get(body, "tool_choice")?
        && !matches!(choice.as_text(), Some("auto" | "none"))
    {
        place = Some(path);
    }
    place.map_or(Ok(()), |path| {
        Err(path.unsupported(
            "the cost of tools in this API is unknown; only the service can count them",
        ))
    })
}

/// Whether the answer is to be something else than text.
fn has_schema(body: &Value<'_>) -> Result<bool, Error> {
    let Some((path, text)) = Path::Root.get(body, "text")? else {
        return Ok(false);
    };
    path.only(text, &["format", "verbosity"])?;
    let format = path.get(text, "format")?;
    format.map_or(Ok(false), |(path, format)| {
        Ok(path.text_of(format, "type")? != "text")
    })
}

/// A message of the Responses API.
fn item<'v>(path: &Path<'_>, value: &'v Value<'_>) -> Result<Message<'v>, Error> {
    if let Some(kind) = path.maybe_text(value, "type")?
        && kind != "message"
    {
        return Err(path.unsupported(format!(
            "the cost of an item of type {kind:?} is unknown; only the service can count it"
        )));
    }
    path.only(value, &["type", "role", "content", "id", "status", "phase"])?;
    let (at, content) = path.must(value, "content")?;
    let role = content::role(path, value)?;
    if matches!(role, Role::Tool | Role::Function) {
        let problem = format!("the role {:?} is not possible in `input`", role.name());
        return Err(path.key("role").invalid(problem));
    }
    let content = content::content(&at, content, &["input_text", "output_text"])?;
    Ok(Message::new(role, content))
}
