//! The body of `/v1/chat/completions` (sections 1 and 3 of page.md).

use std::borrow::Cow;

use super::{content, other_keys, tools};
use crate::chat::calls::NOT_AN_OBJECT;
use crate::chat::content::Content;
use crate::chat::path::{Field, Path};
use crate::chat::request::{JsonSchema, Message, Request, ResponseFormat, Role, ToolCall};
use crate::chat::value::{Held, Json, Value};
use crate::error::Error;

/// The keys of a body that cost tokens or change the count.
const KEYS: &[&str] = &[
    "messages",
    "tools",
    "functions",
    "tool_choice",
    "function_call",
    "response_format",
];

/// Reads a body as a request.
pub(super) fn request<'v>(root: &Path<'_>, body: Value<'v>) -> Result<Request<'v>, Error> {
    other_keys(root, body, KEYS)?;
    let (path, list) = root.must(body, "messages")?;
    if path.list(list)?.is_empty() {
        return Err(path.invalid("this is empty; a request needs at least one message"));
    }
    let messages = path.each(list, message)?;
    let tools = tools::tools(root, body)?;
    let tool_choice = tools::choice(root, body, &tools)?;
    let response_format = response_format(root, body)?;
    Ok(Request {
        messages,
        tool_choice,
        tools: tools.functions,
        tool_places: tools.places,
        are_functions: tools.are_functions,
        response_format,
        doubts: root.take_reasons(),
        ..Request::default()
    })
}

/// Returns the keys that a message of this role may have.
fn keys(role: Role) -> &'static [&'static str] {
    match role {
        // annotations come with an answer and are not part of the prompt
        Role::Assistant => &[
            "role",
            "content",
            "name",
            "tool_calls",
            "function_call",
            "refusal",
            "audio",
            "annotations",
            "weight",
        ],
        Role::Tool => &["role", "content", "name", "tool_call_id"],
        _ => &["role", "content", "name"],
    }
}

/// The keys of a message that change the count.
const FIELDS: [&str; 8] = [
    "role",
    "content",
    "name",
    "tool_calls",
    "function_call",
    "tool_call_id",
    "refusal",
    "audio",
];

/// Reads a message.
fn message<'v>(path: &Path<'_>, value: Value<'v>) -> Result<Message<'v>, Error> {
    let [
        role,
        content,
        name,
        tool_calls,
        function_call,
        tool_call_id,
        refusal,
        audio,
    ] = path.fields(value, FIELDS)?;
    let mut message = Message::new(content::role(role)?, Content::none());
    path.only(value, keys(message.role))?;
    let is_missing = is_missing(refusal)? | is_missing(audio)?;
    message.name = speaker(message.role, name)?;
    if let Some((path, calls)) = tool_calls.get() {
        message.tool_calls = path.each(calls, tools::call)?;
    }
    message.function_call = old_call(function_call)?;
    match message.role {
        Role::Tool => message.tool_call_id = Some(tool_call_id.text()?),
        Role::Function if message.name.is_none() => {
            return Err(path.invalid("`name` is missing; it must name the function that answers"));
        }
        _ => {}
    }
    match content.get() {
        Some((path, content)) => {
            message.content = content::content(&path, content, &["text", "image_url"])?.0;
        }
        None if message.has_call() || message.role == Role::Function || is_missing => {}
        None => {
            return Err(
                path.invalid("`content` is missing; only messages with calls can do without")
            );
        }
    }
    Ok(message)
}

/// Returns whether a message has a field of unknown cost, which is noted.
fn is_missing(unknown: Field<'_, '_>) -> Result<bool, Error> {
    let Some((path, _)) = unknown.get() else {
        return Ok(false);
    };
    path.missing("the cost of this is unknown; only the service can count it")?;
    Ok(true)
}

/// Reads the name in a message of this role.
fn speaker<'v>(role: Role, name: Field<'_, 'v>) -> Result<Option<Cow<'v, str>>, Error> {
    let Some((path, value)) = name.get() else {
        return Ok(None);
    };
    let name = path.text(value)?;
    match role {
        // the name of a tool message costs nothing
        Role::Tool => {}
        Role::Function => path.check_name(name)?,
        _ => path.check_speaker(name)?,
    }
    Ok(Some(name.into()))
}

/// Reads a call in the form that preceded tools.
fn old_call<'v>(call: Field<'_, 'v>) -> Result<Option<ToolCall<'v>>, Error> {
    let Some((path, call)) = call.get() else {
        return Ok(None);
    };
    let call = tools::function_call(&path, call, "".into())?;
    if Json::parse_object(&call.arguments).is_err() {
        path.key("arguments").doubt(NOT_AN_OBJECT);
    }
    Ok(Some(call))
}

/// Reads the form of the answer.
fn response_format<'v>(root: &Path<'_>, body: Value<'v>) -> Result<ResponseFormat<'v>, Error> {
    let Some((path, format)) = root.get(body, "response_format")? else {
        return Ok(ResponseFormat::TEXT);
    };
    answer_format(&path, format, |path, format| {
        path.only(format, &["type", "json_schema"])?;
        let (path, schema) = path.must(format, "json_schema")?;
        json_schema(&path, schema)
    })
}

/// Reads the form of the answer from its type. A schema is read by `schema`, because its place depends on the API.
pub(super) fn answer_format<'v>(
    path: &Path<'_>,
    format: Value<'v>,
    schema: impl FnOnce(&Path<'_>, Value<'v>) -> Result<JsonSchema<'v>, Error>,
) -> Result<ResponseFormat<'v>, Error> {
    match path.text_of(format, "type")?.as_ref() {
        "text" | "json_object" => {
            path.only(format, &["type"])?;
            Ok(ResponseFormat::TEXT)
        }
        "json_schema" => Ok(ResponseFormat(Some(schema(path, format)?))),
        other => Err(path.key("type").invalid_among(
            &format!("unknown type {other:?}"),
            &["text", "json_object", "json_schema"],
        )),
    }
}

/// Reads a schema of the answer. In the Responses API, the keys are beside the type.
pub(super) fn json_schema<'v>(path: &Path<'_>, value: Value<'v>) -> Result<JsonSchema<'v>, Error> {
    path.only(value, &["type", "name", "description", "schema", "strict"])?;
    let name = path.text_of(value, "name")?;
    path.key("name").check_name(&name)?;
    let description = path.maybe_text(value, "description")?;
    let (path, schema) = path.must(value, "schema")?;
    path.object(schema)?;
    Ok(JsonSchema {
        name,
        description,
        schema: Held::Part(schema),
    })
}
