//! Bodies of the chat completions API as typed requests, built with the public API.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tiktally::chat::{
    Content, Detail, Image, Message, Part, Request, ResponseFormat, Tool, ToolCall, ToolChoice,
};

#[derive(Deserialize)]
struct Body<'a> {
    messages: Vec<Said>,
    #[serde(borrow, default)]
    tools: Vec<Wrapped<'a>>,
    #[serde(borrow, default)]
    functions: Vec<Function<'a>>,
    tool_choice: Option<Value>,
    function_call: Option<Value>,
    #[serde(borrow)]
    response_format: Option<Format<'a>>,
}

#[derive(Deserialize)]
struct Said {
    role: String,
    name: Option<String>,
    content: Option<Value>,
    tool_calls: Option<Vec<Called>>,
    function_call: Option<Call>,
    tool_call_id: Option<String>,
}

#[derive(Deserialize)]
struct Called {
    id: String,
    function: Call,
}

#[derive(Deserialize)]
struct Call {
    name: String,
    arguments: String,
}

#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow)]
    function: Function<'a>,
}

#[derive(Deserialize)]
struct Function<'a> {
    name: String,
    description: Option<String>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Format<'a> {
    #[serde(borrow)]
    json_schema: Option<Named<'a>>,
}

#[derive(Deserialize)]
struct Named<'a> {
    name: String,
    description: Option<String>,
    #[serde(borrow)]
    schema: &'a RawValue,
}

/// Returns the request of a body whose images have these sizes, in order; `None` for another kind of body.
pub(crate) fn request<'a>(
    body: &'a str,
    sizes: impl IntoIterator<Item = (u32, u32)>,
) -> Option<Request<'a>> {
    let body: Body<'a> = serde_json::from_str(body).ok()?;
    let mut sizes = sizes.into_iter();
    let messages = body
        .messages
        .into_iter()
        .map(|said| message(said, &mut sizes));
    let mut request = Request::new(messages.collect::<Option<Vec<_>>>()?);
    let wrapped = body.tools.into_iter().map(|tool| tool.function);
    let functions = wrapped.chain(body.functions).map(|function| {
        let mut tool = Tool::function(function.name);
        if let Some(description) = function.description {
            tool = tool.description(description);
        }
        match function.parameters {
            Some(schema) => tool.parameters_json(schema.get()).unwrap(),
            None => tool,
        }
    });
    request = request.tools(functions);
    if let Some(choice) = body.tool_choice {
        request = request.tool_choice(match choice.as_str() {
            Some("auto") => ToolChoice::Auto,
            Some("none") => ToolChoice::None,
            Some("required") => ToolChoice::Required,
            None if choice["type"] == "allowed_tools" => ToolChoice::Allowed,
            _ => ToolChoice::Function(name(&choice["function"])),
        });
    } else if let Some(choice) = body.function_call {
        request = request.tool_choice(match choice.as_str() {
            Some("auto") => ToolChoice::Auto,
            Some("none") => ToolChoice::None,
            _ => ToolChoice::FunctionCall(name(&choice)),
        });
    }
    if let Some(schema) = body.response_format.and_then(|format| format.json_schema) {
        let mut format = ResponseFormat::json_schema(schema.name, schema.schema.get()).unwrap();
        if let Some(description) = schema.description {
            format = format.description(description);
        }
        request = request.response_format(format);
    }
    Some(request)
}

fn name(value: &Value) -> Cow<'static, str> {
    value["name"].as_str().unwrap().to_owned().into()
}

fn message(said: Said, sizes: &mut impl Iterator<Item = (u32, u32)>) -> Option<Message<'static>> {
    let content: Content<'_> = match said.content {
        None | Some(Value::Null) => Content::none(),
        Some(Value::String(text)) => text.into(),
        Some(Value::Array(parts)) => {
            let parts = parts.iter().map(|part| self::part(part, sizes));
            parts.collect::<Option<_>>()?
        }
        Some(_) => return None,
    };
    let mut message = match said.role.as_str() {
        "system" => Message::system(content),
        "developer" => Message::developer(content),
        "user" => Message::user(content),
        "assistant" => Message::assistant(content),
        "tool" => Message::tool(said.tool_call_id?, content),
        "function" => Message::function(said.name.clone()?, content),
        _ => return None,
    };
    if let Some(name) = said.name {
        message = message.name(name);
    }
    if let Some(calls) = said.tool_calls {
        let calls = calls
            .into_iter()
            .map(|Called { id, function }| ToolCall::new(id, function.name, function.arguments));
        message = message.tool_calls(calls);
    }
    if let Some(call) = said.function_call {
        message = message.function_call(ToolCall::new("", call.name, call.arguments));
    }
    Some(message)
}

fn part(part: &Value, sizes: &mut impl Iterator<Item = (u32, u32)>) -> Option<Part<'static>> {
    if let Some(text) = part["text"].as_str() {
        return Some(Part::text(text.to_owned()));
    }
    let (width, height) = sizes.next()?;
    let detail = match part["image_url"]["detail"].as_str() {
        Some("low") => Detail::Low,
        Some("high") => Detail::High,
        _ => Detail::Auto,
    };
    Some(Image::new(width, height, detail).into())
}
