//! The body of `/v1/responses` (section 3.9 of page.md).

use std::borrow::Cow;

use super::chat::{answer_format, json_schema};
use super::{content, other_keys, tools};
use crate::chat::api::Api;
use crate::chat::content::Content;
use crate::chat::path::Path;
use crate::chat::request::{Message, Request, ResponseFormat, Role, ToolCall};
use crate::chat::rules::Rule;
use crate::chat::value::Value;
use crate::error::Error;

/// The keys that are read here. A stored `prompt` is noted before. Recordings show that the last two cost nothing.
const KEYS: &[&str] = &[
    "input",
    "instructions",
    "tools",
    "tool_choice",
    "text",
    "prompt",
    "moderation",
    "prompt_cache_options",
];

/// Reads a body as a request.
pub(super) fn request<'v>(root: &Path<'_>, body: Value<'v>) -> Result<Request<'v>, Error> {
    other_keys(root, body, KEYS)?;
    check_reasoning(root, body)?;
    let instructions = root.maybe_text(body, "instructions")?;
    // five recordings have empty instructions, which cost nothing
    let instructions = instructions.filter(|text| !text.is_empty());
    let mut request = Request {
        api: Api::Responses,
        has_instructions: instructions.is_some(),
        ..Request::default()
    };
    request.messages.extend(instructions.map(Message::system));
    let (path, input) = root.must(body, "input")?;
    match input {
        Value::Text(text) => request.messages.push(Message::user(text)),
        Value::List(list) if list.is_empty() => {
            return Err(path.invalid("this is empty; a request needs at least one message"));
        }
        _ => items(&path, input, &mut request)?,
    }
    let tools = tools::responses_tools(root, body)?;
    request.tool_choice = tools::responses_choice(root, body, &tools)?;
    request.tools = tools.functions;
    request.tool_places = tools.places;
    request.response_format = format(root, body)?;
    doubt_serial_calls(root, body, &request)?;
    request.doubts = root.take_reasons();
    Ok(request)
}

/// Notes unknown keys and modes of reasoning. In the mode `pro`, the service adds some 1,500 tokens that are never shown.
fn check_reasoning(root: &Path<'_>, body: Value<'_>) -> Result<(), Error> {
    let Some((path, reasoning)) = root.get(body, "reasoning")? else {
        return Ok(());
    };
    path.only(reasoning, &["context", "effort", "mode", "summary"])?;
    let Some((path, mode)) = path.get(reasoning, "mode")? else {
        return Ok(());
    };
    match mode.as_text() {
        Some("standard") => {}
        Some("pro") => path.missing("only the service knows how many tokens this mode adds")?,
        _ => path.doubt("no recording shows this mode, which may cost tokens"),
    }
    Ok(())
}

/// Notes a doubt if tools may not be called in parallel: two such recordings of gpt-5-nano were billed 78 tokens more.
fn doubt_serial_calls(
    root: &Path<'_>,
    body: Value<'_>,
    request: &Request<'_>,
) -> Result<(), Error> {
    if let Some((path, Value::Bool(false))) = root.get(body, "parallel_tool_calls")?
        && !request.tools.is_empty()
    {
        path.doubt("the cost of `false` beside tools is unknown in the responses API");
    }
    Ok(())
}

/// Reads the items of a conversation: messages, calls, results and reasoning.
fn items<'v>(path: &Path<'_>, input: Value<'v>, request: &mut Request<'v>) -> Result<(), Error> {
    let mut items = path.list(input)?.iter().enumerate();
    // the end of a run of reasoning and the item after it, which are looked for once
    let (mut end, mut after) = (0, None);
    while let Some((i, value)) = items.next() {
        let at = path.at(i);
        let kind = at.maybe_text(value, "type")?;
        let item = match kind.as_deref() {
            None | Some("message") => message(&at, value)?,
            Some("function_call") => function_call(&at, value)?,
            Some("function_call_output") => function_call_output(&at, value)?,
            Some("reasoning") => {
                if end <= i {
                    let next = items.clone().find(|(_, item)| !is_reasoning(*item));
                    (end, after) = next.map_or((usize::MAX, None), |(i, item)| (i, Some(item)));
                }
                if reasoning(&at, value, after)? {
                    request.rules.insert(Rule::ReasoningItem);
                }
                continue;
            }
            Some(kind) => {
                at.missing(format!(
                    "the cost of an item of type {kind:?} is unknown; only the service can count it"
                ))?;
                continue;
            }
        };
        request.items.push(i);
        request.messages.push(item);
    }
    Ok(())
}

/// Returns whether an item is reasoning.
fn is_reasoning(item: Value<'_>) -> bool {
    item.get("type").and_then(Value::as_text) == Some("reasoning")
}

/// Returns whether reasoning precedes a plain answer, so that the prompt does not have it. Reasoning before a call is
/// noted, because its cost is unknown.
fn reasoning(path: &Path<'_>, value: Value<'_>, next: Option<Value<'_>>) -> Result<bool, Error> {
    let known = [
        "type",
        "id",
        "summary",
        "content",
        "encrypted_content",
        "status",
    ];
    path.only(value, &known)?;
    let role = next.and_then(|next| next.get("role")?.as_text());
    if role == Some("assistant") {
        return Ok(true);
    }
    path.missing(
        "the reasoning before a call stays in the prompt, and only the service knows its tokens",
    )?;
    Ok(false)
}

/// Reads a message of the conversation.
fn message<'v>(path: &Path<'_>, value: Value<'v>) -> Result<Message<'v>, Error> {
    path.only(value, &["type", "role", "content", "id", "status", "phase"])?;
    let [role, content] = path.fields(value, ["role", "content"])?;
    let (at, content) = content.must()?;
    let role = content::role(role)?;
    if matches!(role, Role::Tool | Role::Function) {
        let problem = format!("the role {:?} is not possible in `input`", role.name());
        return Err(path.key("role").invalid(problem));
    }
    let content = content::content(&at, content, &["input_text", "output_text", "input_image"])?;
    Ok(Message::new(role, content))
}

/// Reads a call, which is an item here.
fn function_call<'v>(path: &Path<'_>, value: Value<'v>) -> Result<Message<'v>, Error> {
    path.only(
        value,
        &["type", "id", "call_id", "name", "arguments", "status"],
    )?;
    let call = ToolCall {
        id: path.text_of(value, "call_id")?,
        name: tools::name_of(path, value)?,
        arguments: path.text_of(value, "arguments")?,
        has_item_id: path.maybe_text(value, "id")?.is_some(),
        is_missing: false,
    };
    let mut message = Message::new(Role::Assistant, Content::none());
    message.tool_calls.push(call);
    Ok(message)
}

/// Reads the result of a call.
fn function_call_output<'v>(path: &Path<'_>, value: Value<'v>) -> Result<Message<'v>, Error> {
    path.only(value, &["type", "id", "call_id", "output", "status"])?;
    let id: Cow<'_, str> = path.text_of(value, "call_id")?;
    let (at, output) = path.must(value, "output")?;
    let content = content::content(&at, output, &["input_text", "output_text", "input_image"])?;
    Ok(Message::tool(id, content))
}

/// Reads the form of the answer.
fn format<'v>(root: &Path<'_>, body: Value<'v>) -> Result<ResponseFormat<'v>, Error> {
    let Some((path, text)) = root.get(body, "text")? else {
        return Ok(ResponseFormat::TEXT);
    };
    path.only(text, &["format", "verbosity"])?;
    let Some((path, format)) = path.get(text, "format")? else {
        return Ok(ResponseFormat::TEXT);
    };
    answer_format(&path, format, json_schema)
}
