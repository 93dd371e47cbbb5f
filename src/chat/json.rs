//! Raw request bodies, as they are sent to `/v1/chat/completions`, `/v1/responses`, `/v1/completions` and
//! `/v1/embeddings`.

use std::borrow::Cow;

use super::families;
use super::images::{Detail, Image};
use super::path::Path;
use super::request::{
    JsonSchema, Message, Part, Request, ResponseFormat, Role, Tool, ToolCall, ToolChoice,
};
use super::value::{Held, Object, Value};
use super::{ChatTokens, Counter, unsupported};
use crate::TokenId;
use crate::error::Error;

/// The tokens of a raw request body, which names its model: see [`Counter::count_json`].
///
/// ```
/// # #[cfg(feature = "o200k_base")] {
/// let body = r#"{"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello!"}]}"#;
/// assert_eq!(tiktally::chat::count_json(body)?.total, 9);
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
///
/// # Errors
/// As [`Counter::count_json`] and [`Counter::for_model`].
///
/// # Complexity
/// That of reading the body and counting its texts.
pub fn count_json(body: &str) -> Result<ChatTokens, Error> {
    estimate_json(body)?.exact()
}

/// The same, also where the number is not sure: see [`Counter::estimate_json`].
///
/// ```
/// # #[cfg(feature = "o200k_base")] {
/// let body = r#"{"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello!"}], "new_key": 1}"#;
/// assert!(tiktally::chat::count_json(body).unwrap_err().is_estimate_only());
/// assert_eq!(tiktally::chat::estimate_json(body)?.total, 9);
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
///
/// # Errors
/// As [`count_json`], but for estimates.
///
/// # Complexity
/// As [`count_json`].
pub fn estimate_json(body: &str) -> Result<ChatTokens, Error> {
    let body = parse(body)?;
    let model = Path::Root.get(&body, "model")?;
    let Some((path, model)) = model else {
        return Err(
            Path::Root.invalid("the body names no model; a `Counter` can be told which one it is")
        );
    };
    Counter::for_model(path.text(model)?)?.estimate_body(&body)
}

impl Counter {
    /// The tokens of a raw request body: a JSON object with `messages`, with `input` in the form of the Responses API
    /// or of embeddings, or with a `prompt`. A model that it names does not matter; this counter has its own.
    ///
    /// ```
    /// use tiktally::chat::Counter;
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let counter = Counter::for_model("gpt-4o")?;
    /// let body = r#"{"messages": [{"role": "user", "content": "Hello!"}]}"#;
    /// assert_eq!(counter.count_json(body)?.total, 9);
    /// let body = r#"{"instructions": "Be brief.", "input": "Hello!"}"#;
    /// assert_eq!(counter.count_json(body)?.total, 16);
    ///
    /// let broken = r#"{"messages": [{"role": "nobody", "content": "Hello!"}]}"#;
    /// assert_eq!(counter.count_json(broken).unwrap_err().path(), Some("messages[0].role"));
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`count`](Self::count); [`is_invalid_chat`](Error::is_invalid_chat) also for what is no JSON, or not as the API
    /// takes it, and for unknown keys of messages, their parts, calls and tools.
    ///
    /// # Complexity
    /// That of reading the body and counting its texts.
    pub fn count_json(&self, body: &str) -> Result<ChatTokens, Error> {
        self.estimate_json(body)?.exact()
    }

    /// The same, also where the number is not sure. An unknown key of the body itself makes it an estimate.
    ///
    /// ```
    /// use tiktally::chat::Counter;
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let body = r#"{"messages": [{"role": "user", "content": "Hello!"}], "new_key": 1}"#;
    /// assert_eq!(Counter::for_model("gpt-4o")?.estimate_json(body)?.total, 9);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`count_json`](Self::count_json), but for estimates.
    ///
    /// # Complexity
    /// As [`count_json`](Self::count_json).
    pub fn estimate_json(&self, body: &str) -> Result<ChatTokens, Error> {
        self.estimate_body(&parse(body)?)
    }

    fn estimate_body(&self, body: &Value<'_>) -> Result<ChatTokens, Error> {
        let object = Path::Root.object(body)?;
        let has = |key| object.get(key).is_some_and(|value| *value != Value::Null);
        if has("messages") {
            self.estimate(&chat(body, object)?)
        } else if has("prompt") {
            self.prompts(body, object, "prompt")
        } else if has("input") && self.family == Err(families::NO_CHAT) {
            self.prompts(body, object, "input")
        } else if has("input") {
            self.estimate(&responses(body, object)?)
        } else {
            Err(Path::Root.invalid("the body has neither `messages` nor `input` nor a `prompt`"))
        }
    }

    /// Prompts have no frame: their texts are what is billed (section 2 of the rules).
    fn prompts(
        &self,
        body: &Value<'_>,
        object: &Object<'_>,
        key: &'static str,
    ) -> Result<ChatTokens, Error> {
        let known = [key, "best_of", "dimensions", "echo", "encoding_format"];
        let doubts = other_keys(object, &known)?;
        let (path, prompts) = Path::Root.must(body, key)?;
        if let Err(why) = self.family
            && why != families::NO_CHAT
        {
            return Err(unsupported("model", why));
        }
        let messages = match prompts {
            Value::Object(_) => {
                return Err(path.unsupported("what this stands for only the service knows"));
            }
            Value::List(list) if list.is_empty() => {
                return Err(path.invalid("this is empty; there must be one prompt at least"));
            }
            Value::List(list) if list.iter().all(is_id) => vec![list.len()],
            Value::List(list) => each(list, |i, prompt| self.prompt(&path.at(i), prompt))?,
            prompt => vec![self.prompt(&path, prompt)?],
        };
        Ok(ChatTokens::of_messages(messages, 0, 0, &doubts))
    }

    /// A text, or ids.
    fn prompt(&self, path: &Path<'_>, prompt: &Value<'_>) -> Result<usize, Error> {
        match prompt {
            Value::Text(text) => Ok(self.encoding.count(text)),
            Value::List(ids) if ids.iter().all(is_id) => Ok(ids.len()),
            _ => Err(path.invalid("a prompt must be a string or an array of ids")),
        }
    }
}

fn is_id(value: &Value<'_>) -> bool {
    matches!(value, Value::Integer(id) if TokenId::try_from(*id).is_ok())
}

fn parse(body: &str) -> Result<Value<'_>, Error> {
    Value::parse(body).map_err(|error| Path::Root.invalid(format!("this is no JSON text: {error}")))
}

/// The value of a JSON text that must be an object, or what is wrong with it.
pub(super) fn object_of(text: &str) -> Result<Value<'_>, String> {
    let value = Value::parse(text).map_err(|error| format!("this is no JSON text: {error}"))?;
    match value {
        Value::Object(_) => Ok(value),
        other => Err(format!(
            "this must be the text of a JSON object, not of {}",
            other.kind()
        )),
    }
}

/// Keys of a body that say nothing to the model.
const FREE: &[&str] = &[
    "model",
    "background",
    "frequency_penalty",
    "include",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_output_tokens",
    "max_tokens",
    "max_tool_calls",
    "metadata",
    "n",
    "parallel_tool_calls",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "reasoning_effort",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
    "verbosity",
];

/// Keys of a body that bring in what only the service knows.
const SERVED: &[&str] = &[
    "audio",
    "conversation",
    "data_sources",
    "prediction",
    "previous_response_id",
    "web_search_options",
];

/// Refuses what only the service can count, and notes what nobody knows.
fn other_keys(object: &Object<'_>, known: &[&str]) -> Result<Vec<String>, Error> {
    let mut doubts = Vec::new();
    for (key, value) in object.iter().filter(|(_, value)| **value != Value::Null) {
        if SERVED.contains(&key) {
            let path = Path::Root.key(key);
            return Err(path.unsupported("what this adds to the prompt only the service knows"));
        }
        let is_text = key == "modalities" && value.as_list() == Some(&[Value::Text("text".into())]);
        if !is_text && !FREE.contains(&key) && !known.contains(&key) {
            doubts.push(format!(
                "the key {key:?} of the body is not known, nor is what it costs"
            ));
        }
    }
    Ok(doubts)
}

/// The body of `/v1/chat/completions`.
fn chat<'v>(body: &'v Value<'_>, object: &Object<'_>) -> Result<Request<'v>, Error> {
    let known = [
        "messages",
        "tools",
        "functions",
        "tool_choice",
        "function_call",
        "response_format",
    ];
    let doubts = other_keys(object, &known)?;
    let (path, list) = Path::Root.must(body, "messages")?;
    let list = path.list(list)?;
    if list.is_empty() {
        return Err(path.invalid("this is empty; a request has one message at least"));
    }
    let messages = each(list, |i, value| message(&path.at(i), value))?;
    let (tools, are_functions) = tools(body)?;
    Ok(Request {
        messages,
        tool_choice: tool_choice(body, &tools)?,
        tools,
        are_functions,
        response_format: response_format(body)?,
        doubts,
    })
}

fn each<'v, 'a, T>(
    list: &'v [Value<'a>],
    read: impl Fn(usize, &'v Value<'a>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    list.iter()
        .enumerate()
        .map(|(i, value)| read(i, value))
        .collect()
}

fn role(path: &Path<'_>, value: &Value<'_>) -> Result<Role, Error> {
    let (path, value) = path.must(value, "role")?;
    let name = path.text(value)?;
    let role = Role::ALL.into_iter().find(|role| role.name() == name);
    role.ok_or_else(|| {
        let known = Role::ALL.map(Role::name).join(", ");
        path.invalid(format!(
            "no role is called {name:?}; the known ones are {known}"
        ))
    })
}

fn message<'v>(path: &Path<'_>, value: &'v Value<'_>) -> Result<Message<'v>, Error> {
    let mut message = Message::of(role(path, value)?);
    let mut known = vec!["role", "content", "name"];
    match message.role {
        // annotations are what a reply came with; the prompt has nothing of them
        Role::Assistant => known.extend([
            "tool_calls",
            "function_call",
            "refusal",
            "audio",
            "annotations",
        ]),
        Role::Tool => known.push("tool_call_id"),
        _ => {}
    }
    path.only(value, &known)?;
    for key in ["refusal", "audio"] {
        if let Some((path, _)) = path.get(value, key)? {
            return Err(path.unsupported("what this costs was never seen; only the service knows"));
        }
    }
    message.name = path.maybe_text(value, "name")?;
    if let Some((path, calls)) = path.get(value, "tool_calls")? {
        message.tool_calls = each(path.list(calls)?, |i, call| tool_call(&path.at(i), call))?;
    }
    if let Some((path, call)) = path.get(value, "function_call")? {
        path.only(call, &["name", "arguments"])?;
        message.function_call = Some(function_call(&path, call, "".into())?);
    }
    match message.role {
        Role::Tool => message.tool_call_id = Some(path.text_of(value, "tool_call_id")?),
        Role::Function if message.name.is_none() => {
            return Err(path.invalid("`name` is missing: the function that answers"));
        }
        _ => {}
    }
    message.content = match path.get(value, "content")? {
        Some((path, content)) => parts(&path, content, CHAT_PARTS)?,
        None if message.has_call() || message.role == Role::Function => Vec::new(),
        None => return Err(path.invalid("`content` is missing")),
    };
    Ok(message)
}

/// The parts of a content, or the text that it is.
fn parts<'v>(
    path: &Path<'_>,
    content: &'v Value<'_>,
    known: &[&str],
) -> Result<Vec<Part<'v>>, Error> {
    match content {
        Value::Text(text) => Ok(vec![Part::text(text.as_ref())]),
        Value::List(list) => each(list, |i, value| part(&path.at(i), value, known)),
        other => Err(path.invalid(format!(
            "this must be a string or an array of parts, not {}",
            other.kind()
        ))),
    }
}

/// What parts of messages may be, in either API.
const CHAT_PARTS: &[&str] = &["text", "image_url"];
const RESPONSES_PARTS: &[&str] = &["input_text", "output_text"];

fn part<'v>(path: &Path<'_>, value: &'v Value<'_>, known: &[&str]) -> Result<Part<'v>, Error> {
    let kind = path.text_of(value, "type")?;
    match kind.as_ref() {
        "input_audio" | "file" | "refusal" | "input_image" | "input_file" => Err(path.unsupported(
            format!("what a part of the type {kind:?} costs only the service knows"),
        )),
        _ if !known.contains(&kind.as_ref()) => {
            let known = known.join(", ");
            let problem = format!("no part has the type {kind:?} here; the known ones are {known}");
            Err(path.key("type").invalid(problem))
        }
        "text" | "input_text" | "output_text" => {
            path.only(
                value,
                &[
                    "type",
                    "text",
                    "annotations",
                    "logprobs",
                    "prompt_cache_breakpoint",
                ],
            )?;
            Ok(Part::Text(path.text_of(value, "text")?))
        }
        _ => {
            path.only(value, &["type", "image_url"])?;
            let (path, image) = path.must(value, "image_url")?;
            if let Some(url) = image.as_text() {
                return Ok(Part::Image(inline(&path, url, Detail::Auto)?));
            }
            path.only(image, &["url", "detail"])?;
            Ok(Part::Image(self::image(&path, image)?))
        }
    }
}

fn image(path: &Path<'_>, value: &Value<'_>) -> Result<Image, Error> {
    let detail = match path.maybe_text(value, "detail")?.as_deref() {
        None | Some("auto") => Detail::Auto,
        Some("low") => Detail::Low,
        Some("high") => Detail::High,
        Some("original") => Detail::Original,
        Some(other) => {
            return Err(path
                .key("detail")
                .invalid(format!("no detail is called {other:?}")));
        }
    };
    let (path, url) = path.must(value, "url")?;
    inline(&path, path.text(url)?, detail)
}

/// An image that is there as data.
fn inline(path: &Path<'_>, url: &str, detail: Detail) -> Result<Image, Error> {
    let is_link = url
        .split_once(':')
        .is_some_and(|(scheme, _)| !scheme.eq_ignore_ascii_case("data"));
    if is_link && detail == Detail::Low {
        // some models bill it whatever its size
        return Ok(Image::link(detail));
    }
    Image::from_data_url(url, detail).map_err(|error| error.at(path.to_string()))
}

fn tool_call<'v>(path: &Path<'_>, value: &'v Value<'_>) -> Result<ToolCall<'v>, Error> {
    of_function(path, value)?;
    path.only(value, &["id", "type", "function", "index"])?;
    let id = path.text_of(value, "id")?;
    let (path, function) = path.must(value, "function")?;
    path.only(function, &["name", "arguments"])?;
    function_call(&path, function, id)
}

fn function_call<'v>(
    path: &Path<'_>,
    value: &'v Value<'_>,
    id: Cow<'v, str>,
) -> Result<ToolCall<'v>, Error> {
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
            "how the prompt shows a tool of the type {kind:?} only the service knows"
        ))),
    }
}

/// The tools, and whether they are called functions.
fn tools<'v>(body: &'v Value<'_>) -> Result<(Vec<Tool<'v>>, bool), Error> {
    let list = |key| match Path::Root.get(body, key)? {
        Some((path, list)) => Ok::<_, Error>(path.list(list)?),
        None => Ok(&[][..]),
    };
    let (tools, functions) = (list("tools")?, list("functions")?);
    let path = Path::Root;
    if functions.is_empty() {
        let path = path.key("tools");
        let tools = each(tools, |i, value| {
            let path = path.at(i);
            of_function(&path, value)?;
            path.only(value, &["type", "function"])?;
            let (path, function) = path.must(value, "function")?;
            tool(&path, function)
        })?;
        return Ok((tools, false));
    }
    let path = path.key("functions");
    if !tools.is_empty() {
        return Err(path.invalid("there are `tools` already; the API takes one of both"));
    }
    let functions = each(functions, |i, value| tool(&path.at(i), value))?;
    Ok((functions, true))
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

fn tool<'v>(path: &Path<'_>, value: &'v Value<'_>) -> Result<Tool<'v>, Error> {
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

fn tool_choice<'v>(body: &'v Value<'_>, tools: &[Tool<'_>]) -> Result<ToolChoice<'v>, Error> {
    let newer = Path::Root.get(body, "tool_choice")?;
    let older = Path::Root.get(body, "function_call")?;
    let is_older = newer.is_none();
    let (path, choice) = match (newer, older) {
        (None, None) => return Ok(ToolChoice::Auto),
        (Some(_), Some((path, _))) => {
            return Err(path.invalid("there is a `tool_choice` already; the API takes one of both"));
        }
        (Some(choice), None) | (None, Some(choice)) => choice,
    };
    if choice.as_text() == Some("auto") {
        return Ok(ToolChoice::Auto);
    }
    if tools.is_empty() {
        return Err(path.invalid("there are no tools to choose from"));
    }
    match choice.as_text() {
        Some("none") => return Ok(ToolChoice::None),
        Some("required") if !is_older => return Ok(ToolChoice::Required),
        Some(word) => return Err(path.invalid(format!("no choice is called {word:?}"))),
        None => {}
    }
    if is_older {
        path.only(choice, &["name"])?;
        return Ok(ToolChoice::FunctionCall(tool_name(&path, choice, tools)?));
    }
    of_function(&path, choice)?;
    path.only(choice, &["type", "function"])?;
    let (path, function) = path.must(choice, "function")?;
    path.only(function, &["name"])?;
    Ok(ToolChoice::Function(tool_name(&path, function, tools)?))
}

/// The name of one of the tools.
fn tool_name<'v>(
    path: &Path<'_>,
    value: &'v Value<'_>,
    tools: &[Tool<'_>],
) -> Result<Cow<'v, str>, Error> {
    let (path, name) = path.must(value, "name")?;
    let name = path.text(name)?;
    if tools.iter().any(|tool| tool.name == name) {
        return Ok(name.into());
    }
    Err(path.invalid(format!("no tool is called {name:?}")))
}

fn response_format<'v>(body: &'v Value<'_>) -> Result<ResponseFormat<'v>, Error> {
    let Some((path, format)) = Path::Root.get(body, "response_format")? else {
        return Ok(ResponseFormat::TEXT);
    };
    match path.text_of(format, "type")?.as_ref() {
        "text" | "json_object" => {
            path.only(format, &["type"])?;
            Ok(ResponseFormat::TEXT)
        }
        "json_schema" => {
            path.only(format, &["type", "json_schema"])?;
            let (path, format) = path.must(format, "json_schema")?;
            path.only(format, &["name", "description", "schema", "strict"])?;
            let name = path.text_of(format, "name")?;
            let description = path.maybe_text(format, "description")?;
            let (path, schema) = path.must(format, "schema")?;
            path.object(schema)?;
            let schema = Held::Part(schema);
            Ok(ResponseFormat(Some(JsonSchema {
                name,
                description,
                schema,
            })))
        }
        other => Err(path
            .key("type")
            .invalid(format!("no format has the type {other:?}"))),
    }
}

/// The body of `/v1/responses`, with text alone.
fn responses<'v>(body: &'v Value<'_>, object: &Object<'_>) -> Result<Request<'v>, Error> {
    let mut doubts = other_keys(
        object,
        &["input", "instructions", "tools", "tool_choice", "text"],
    )?;
    if let Some((path, tools)) = Path::Root.get(body, "tools")?
        && !path.list(tools)?.is_empty()
    {
        return Err(path.unsupported("what tools cost here was never seen; only the service knows"));
    }
    if let Some((path, choice)) = Path::Root.get(body, "tool_choice")?
        && !matches!(choice.as_text(), Some("auto" | "none"))
    {
        return Err(path.unsupported("what tools cost here was never seen; only the service knows"));
    }
    if let Some((path, text)) = Path::Root.get(body, "text")? {
        path.only(text, &["format", "verbosity"])?;
        if let Some((path, format)) = path.get(text, "format")?
            && path.text_of(format, "type")? != "text"
        {
            doubts.push("schemas of answers were only seen with chat completions".to_owned());
        }
    }
    let mut messages = Vec::new();
    if let Some(text) = Path::Root.maybe_text(body, "instructions")? {
        messages.push(Message::system(text));
    }
    let (path, input) = Path::Root.must(body, "input")?;
    match input {
        Value::Text(text) => messages.push(Message::user(text.as_ref())),
        Value::List(list) if list.is_empty() => {
            return Err(path.invalid("this is empty; a request has one message at least"));
        }
        _ => messages.extend(each(path.list(input)?, |i, value| {
            item(&path.at(i), value)
        })?),
    }
    Ok(Request {
        doubts,
        ..Request::new(messages)
    })
}

/// A message of the Responses API.
fn item<'v>(path: &Path<'_>, value: &'v Value<'_>) -> Result<Message<'v>, Error> {
    if let Some(kind) = path.maybe_text(value, "type")?
        && kind != "message"
    {
        return Err(path.unsupported(format!(
            "what an item of the type {kind:?} costs only the service knows"
        )));
    }
    path.only(value, &["type", "role", "content", "id", "status", "phase"])?;
    let (at, content) = path.must(value, "content")?;
    let role = role(path, value)?;
    if matches!(role, Role::Tool | Role::Function) {
        let problem = format!("no message has the role {:?} here", role.name());
        return Err(path.key("role").invalid(problem));
    }
    Ok(Message {
        content: parts(&at, content, RESPONSES_PARTS)?,
        ..Message::of(role)
    })
}
