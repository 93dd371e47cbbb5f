//! Requests as plain types that borrow their texts.

use std::borrow::Cow;

use super::api::Api;
use super::content::{Content, Part};
use super::rules::RuleSet;
use super::value::Held;
#[cfg(feature = "json")]
use super::value::Json;
#[cfg(feature = "json")]
use crate::error::Error;

/// A request to the chat completions API or, with [`api`](Self::api), to the Responses API, as far as it costs tokens.
///
/// ```
/// use tiktally::chat::{Counter, Message, Request, Tool, ToolChoice};
///
/// # #[cfg(feature = "o200k_base")] {
/// let counter = Counter::for_model("gpt-4o")?;
/// let request = Request::new([Message::system("Be brief."), Message::user("Hello!")]);
/// assert_eq!(counter.count(&request)?.total, 16);
///
/// let request = request.tools([Tool::function("ping")]).tool_choice(ToolChoice::None);
/// assert_eq!(counter.estimate(&request)?.total, 36);
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Request<'a> {
    pub(crate) messages: Vec<Message<'a>>,
    pub(crate) tools: Vec<Tool<'a>>,
    /// Whether the tools came in the older field `functions`.
    pub(crate) are_functions: bool,
    /// The places of the functions in the list of all tools, if some tools are not functions.
    pub(crate) tool_places: Vec<usize>,
    pub(crate) tool_choice: ToolChoice<'a>,
    pub(crate) response_format: ResponseFormat<'a>,
    pub(crate) api: Api,
    /// Whether the first message came as `instructions`, which is not in the list of the others.
    pub(crate) has_instructions: bool,
    /// The places of the other messages in their list, if some of its items are not messages.
    pub(crate) items: Vec<usize>,
    /// The reasons for an estimate that were found while the body was read.
    pub(crate) doubts: Vec<String>,
    /// The rules that were used while the body was read.
    pub(crate) rules: RuleSet,
}

impl<'a> Request<'a> {
    /// Creates a request of these messages, in order.
    pub fn new(messages: impl IntoIterator<Item = Message<'a>>) -> Self {
        Self {
            messages: messages.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Sets the tools that the model may call, in order.
    #[must_use]
    pub fn tools(mut self, tools: impl IntoIterator<Item = Tool<'a>>) -> Self {
        self.tools = tools.into_iter().collect();
        self
    }

    /// Sets which tool the model has to call; the default is [`ToolChoice::Auto`].
    #[must_use]
    pub fn tool_choice(mut self, choice: ToolChoice<'a>) -> Self {
        self.tool_choice = choice;
        self
    }

    /// Sets the API that the request is sent to; the default is [`Api::ChatCompletions`].
    #[must_use]
    pub fn api(mut self, api: Api) -> Self {
        self.api = api;
        self
    }

    /// Sets the form of the answer; the default is [`ResponseFormat::TEXT`].
    #[must_use]
    pub fn response_format(mut self, format: ResponseFormat<'a>) -> Self {
        self.response_format = format;
        self
    }
}

/// The speaker of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    System,
    Developer,
    User,
    Assistant,
    Tool,
    Function,
}

impl Role {
    /// All roles, in the order of their numbers as `usize`.
    pub(crate) const ALL: [Self; 6] = [
        Self::System,
        Self::Developer,
        Self::User,
        Self::Assistant,
        Self::Tool,
        Self::Function,
    ];

    /// Returns the name of the role in a request body.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
            Self::Function => "function",
        }
    }

    /// Returns whether messages of this role instruct the model.
    pub(crate) fn is_system(self) -> bool {
        matches!(self, Self::System | Self::Developer)
    }
}

/// One message of a conversation.
///
/// The constructors take the content: a text, or parts of text and images (see [`Content`]).
///
/// ```
/// use tiktally::chat::{Counter, Detail, Image, Message, Part, Request};
///
/// # #[cfg(feature = "o200k_base")] {
/// let photo = Image::new(2560, 1669, Detail::High);
/// let request = Request::new([
///     Message::system("Be brief."),
///     Message::user([Part::text("What is this?"), photo.into()]).name("Ann"),
/// ]);
/// let tokens = Counter::for_model("gpt-4o")?.count(&request)?;
/// assert_eq!((tokens.messages.as_slice(), tokens.images), (&[7, 10][..], 1105));
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Message<'a> {
    pub(crate) role: Role,
    pub(crate) name: Option<Cow<'a, str>>,
    pub(crate) content: Vec<Part<'a>>,
    pub(crate) tool_calls: Vec<ToolCall<'a>>,
    /// The call in the older form: a message has one at most.
    pub(crate) function_call: Option<ToolCall<'a>>,
    /// The call that a tool's message answers.
    pub(crate) tool_call_id: Option<Cow<'a, str>>,
}

impl<'a> Message<'a> {
    /// Creates a message with this role and content, and nothing else.
    pub(crate) fn new(role: Role, content: impl Into<Content<'a>>) -> Self {
        Self {
            role,
            name: None,
            content: content.into().0,
            tool_calls: Vec::new(),
            function_call: None,
            tool_call_id: None,
        }
    }

    /// Creates a system message: instructions for the model.
    pub fn system(content: impl Into<Content<'a>>) -> Self {
        Self::new(Role::System, content)
    }

    /// Creates a developer message, the name of newer models for a system message; both cost the same.
    pub fn developer(content: impl Into<Content<'a>>) -> Self {
        Self::new(Role::Developer, content)
    }

    /// Creates a message of the user. Only these messages may have images.
    pub fn user(content: impl Into<Content<'a>>) -> Self {
        Self::new(Role::User, content)
    }

    /// Creates a message of the model. If it has only calls, its content is [`Content::none`].
    pub fn assistant(content: impl Into<Content<'a>>) -> Self {
        Self::new(Role::Assistant, content)
    }

    /// Creates the result of the tool call with this id. It follows the message with the call; see
    /// [`tool_calls`](Self::tool_calls).
    pub fn tool(tool_call_id: impl Into<Cow<'a, str>>, content: impl Into<Content<'a>>) -> Self {
        Self {
            tool_call_id: Some(tool_call_id.into()),
            ..Self::new(Role::Tool, content)
        }
    }

    /// Creates the result of a function with this name, in the form that preceded tools; see
    /// [`function_call`](Self::function_call).
    pub fn function(name: impl Into<Cow<'a, str>>, content: impl Into<Content<'a>>) -> Self {
        Self::new(Role::Function, content).name(name)
    }

    /// Sets the name of the speaker, which costs tokens. The name of a tool message costs nothing.
    #[must_use]
    pub fn name(mut self, name: impl Into<Cow<'a, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the tool calls of an assistant message. Their results follow as [`tool`](Self::tool) messages.
    ///
    /// A text beside the calls costs as much as a message of its own; an empty one costs nothing.
    ///
    /// ```
    /// use tiktally::chat::{Content, Counter, Message, Request, ToolCall};
    ///
    /// # #[cfg(all(feature = "json", feature = "o200k_base"))] {
    /// let counter = Counter::for_model("gpt-4o")?;
    /// let count = |asked: Message<'_>| {
    ///     let call = ToolCall::new("call_1", "sum", r#"{"of": [1, 2]}"#);
    ///     let request = Request::new([asked.tool_calls([call]), Message::tool("call_1", "3")]);
    ///     counter.estimate(&request).map(|tokens| tokens.total)
    /// };
    /// assert_eq!(count(Message::assistant(Content::none()))?, 26);
    /// assert_eq!(count(Message::assistant("Hello!"))?, 26 + 6);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[cfg(feature = "json")]
    #[cfg_attr(docsrs, doc(cfg(feature = "json")))]
    #[must_use]
    pub fn tool_calls(mut self, calls: impl IntoIterator<Item = ToolCall<'a>>) -> Self {
        self.tool_calls = calls.into_iter().collect();
        self
    }

    /// Sets the function call of an assistant message, in the form that preceded tools. The id of the call does not
    /// matter.
    ///
    /// ```
    /// use tiktally::chat::{Content, Counter, Message, Request, ToolCall};
    ///
    /// # #[cfg(all(feature = "json", feature = "cl100k_base"))] {
    /// let call = ToolCall::new("", "sum", r#"{"of": [1, 2]}"#);
    /// let asked = Message::assistant(Content::none()).function_call(call);
    /// let request = Request::new([asked, Message::function("sum", "3")]);
    /// assert_eq!(Counter::for_model("gpt-4-0613")?.count(&request)?.total, 25);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[cfg(feature = "json")]
    #[cfg_attr(docsrs, doc(cfg(feature = "json")))]
    #[must_use]
    pub fn function_call(mut self, call: ToolCall<'a>) -> Self {
        self.function_call = Some(call);
        self
    }

    /// Returns whether the message has a call, in either form.
    pub(crate) fn has_call(&self) -> bool {
        !self.tool_calls.is_empty() || self.function_call.is_some()
    }

    /// Returns the text of the message: its text parts, joined.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        let mut texts = self.texts();
        match (texts.next(), texts.next()) {
            (None, _) => "".into(),
            (Some(only), None) => only.into(),
            (Some(first), Some(second)) => {
                let mut text = [first, second].concat();
                text.extend(texts);
                text.into()
            }
        }
    }

    /// Returns the text parts of the content, in order.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.content.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_ref()),
            Part::Image(_) => None,
        })
    }
}

/// A call of a function by the model; see [`Message::tool_calls`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(not(feature = "json"), allow(dead_code))] // calls are JSON
pub struct ToolCall<'a> {
    pub(crate) id: Cow<'a, str>,
    pub(crate) name: Cow<'a, str>,
    pub(crate) arguments: Cow<'a, str>,
    /// Whether the item of the call had an `id` beside its `call_id` (Responses API only).
    pub(crate) has_item_id: bool,
    /// Whether this is not a call of a function. Its price is then unknown, which is noted already.
    pub(crate) is_missing: bool,
}

#[cfg(feature = "json")]
#[cfg_attr(docsrs, doc(cfg(feature = "json")))]
impl<'a> ToolCall<'a> {
    /// Creates a call with this id, of the function with this name. The arguments are the text of a JSON object.
    pub fn new(
        id: impl Into<Cow<'a, str>>,
        name: impl Into<Cow<'a, str>>,
        arguments: impl Into<Cow<'a, str>>,
    ) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            arguments: arguments.into(),
            has_item_id: false,
            is_missing: false,
        }
    }

    /// Marks a call that a client sends back with the `id` of its item, which the Responses API bills.
    #[must_use]
    pub fn with_item_id(mut self) -> Self {
        self.has_item_id = true;
        self
    }
}

/// A function that the model may call.
///
/// ```
/// use tiktally::chat::{Counter, Message, Request, Tool};
///
/// # #[cfg(all(feature = "json", feature = "o200k_base"))] {
/// let counter = Counter::for_model("gpt-4o")?;
/// let count = |tool| counter.count(&Request::new([Message::user("Hello!")]).tools([tool])).map(|tokens| tokens.tools);
/// assert_eq!(count(Tool::function("ping"))?, 23);
/// assert_eq!(count(Tool::function("ping").description("Answers"))?, 25);
///
/// let schema = r#"{"type": "object", "properties": {"host": {"type": "string"}}}"#;
/// assert_eq!(count(Tool::function("ping").parameters_json(schema)?)?, 29);
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Tool<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) description: Option<Cow<'a, str>>,
    pub(crate) parameters: Option<Held<'a>>,
}

impl<'a> Tool<'a> {
    /// Creates a function without a description and parameters.
    pub fn function(name: impl Into<Cow<'a, str>>) -> Self {
        Self {
            name: name.into(),
            description: None,
            parameters: None,
        }
    }

    /// Sets the description that the model sees.
    #[must_use]
    pub fn description(mut self, description: impl Into<Cow<'a, str>>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Returns whether the tool has a description.
    pub(crate) fn has_description(&self) -> bool {
        let description = self.description.as_deref().unwrap_or_default();
        !description.trim().is_empty()
    }

    /// Sets the parameters to this JSON schema of an object. The order of its keys changes the count.
    ///
    /// # Errors
    /// [`is_invalid_chat`](crate::Error::is_invalid_chat) if it is not the JSON text of an object.
    ///
    /// # Complexity
    /// O(n) in the bytes of the schema.
    #[cfg(feature = "json")]
    #[cfg_attr(docsrs, doc(cfg(feature = "json")))]
    pub fn parameters_json(mut self, schema: &'a str) -> Result<Self, Error> {
        self.parameters = Some(Held::Own(own_schema(schema, "parameters")?));
        Ok(self)
    }
}

/// Which tool the model has to call.
///
/// ```
/// use tiktally::chat::{Counter, Message, Request, Tool, ToolChoice};
///
/// # #[cfg(feature = "o200k_base")] {
/// let request = Request::new([Message::user("Hello!")])
///     .tools([Tool::function("ping")])
///     .tool_choice(ToolChoice::Function("ping".into()));
/// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.tool_choice, 9);
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ToolChoice<'a> {
    /// The model decides whether to call tools, and which. The default.
    #[default]
    Auto,
    /// No tool.
    None,
    /// At least one tool, whichever the model chooses.
    Required,
    /// The function with this name.
    Function(Cow<'a, str>),
    /// The function with this name, given in the field `function_call` that preceded tools.
    FunctionCall(Cow<'a, str>),
    /// Some of the tools, of which the model may or must call one: `allowed_tools`.
    Allowed,
}

/// The form of the answer.
///
/// ```
/// use tiktally::chat::{Counter, Message, Request, ResponseFormat};
///
/// # #[cfg(all(feature = "json", feature = "o200k_base"))] {
/// let counter = Counter::for_model("gpt-4o")?;
/// let count = |format| {
///     let request = Request::new([Message::user("Hello!")]).response_format(format);
///     counter.count(&request).map(|tokens| tokens.response_format)
/// };
/// let schema = ResponseFormat::json_schema("answer", r#"{"type": "object"}"#)?;
/// assert_eq!(count(schema.clone())?, 19);
/// assert_eq!(count(schema.description("What it is"))?, 24);
/// assert_eq!(count(ResponseFormat::JSON_OBJECT)?, 0);
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct ResponseFormat<'a>(pub(crate) Option<JsonSchema<'a>>);

#[derive(Debug, Clone)]
/// The name, the description and the schema of a formatted answer.
pub(crate) struct JsonSchema<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) description: Option<Cow<'a, str>>,
    pub(crate) schema: Held<'a>,
}

impl ResponseFormat<'_> {
    /// Any text; it costs nothing.
    pub const TEXT: Self = Self(None);
    /// Any JSON object; it costs nothing.
    pub const JSON_OBJECT: Self = Self(None);
}

#[cfg(feature = "json")]
#[cfg_attr(docsrs, doc(cfg(feature = "json")))]
impl<'a> ResponseFormat<'a> {
    /// Creates a format with this name and JSON schema, whose text is a part of the prompt.
    ///
    /// # Errors
    /// [`is_invalid_chat`](crate::Error::is_invalid_chat) if the schema is not the JSON text of an object.
    ///
    /// # Complexity
    /// O(n) in the bytes of the schema.
    pub fn json_schema(name: impl Into<Cow<'a, str>>, schema: &'a str) -> Result<Self, Error> {
        Ok(Self(Some(JsonSchema {
            name: name.into(),
            description: None,
            schema: Held::Own(own_schema(schema, "schema")?),
        })))
    }

    /// Sets the description of the answer, which is a part of the prompt. Formats without a schema ignore it.
    #[must_use]
    pub fn description(mut self, description: impl Into<Cow<'a, str>>) -> Self {
        if let Some(schema) = &mut self.0 {
            schema.description = Some(description.into());
        }
        self
    }
}

#[cfg(feature = "json")]
/// Reads the JSON text of an object; an error gets this path.
fn own_schema<'a>(text: &'a str, path: &str) -> Result<Json<'a>, Error> {
    Json::parse_object(text).map_err(|problem| super::invalid(path, problem))
}
