//! Requests as plain types that borrow their texts.

use std::borrow::Cow;

use super::images::Image;
#[cfg(feature = "json")]
use super::value::Value;
use super::value::{Held, Object};

/// What is sent to the chat completions API, as far as it costs tokens.
///
/// ```
/// use tiktally::chat::{Message, Request};
///
/// let request = Request::new([Message::system("Be brief."), Message::user("Hello!")]);
/// # #[cfg(feature = "o200k_base")]
/// assert_eq!(tiktally::chat::Counter::for_model("gpt-4o")?.count(&request)?.total, 16);
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Request<'a> {
    pub(crate) messages: Vec<Message<'a>>,
    pub(crate) tools: Vec<Tool<'a>>,
    /// Whether the tools were called functions, as they were first.
    pub(crate) are_functions: bool,
    pub(crate) tool_choice: ToolChoice<'a>,
    pub(crate) response_format: ResponseFormat<'a>,
    /// What in the request it was read from may cost tokens in a way that nobody knows.
    pub(crate) doubts: Vec<String>,
}

impl<'a> Request<'a> {
    /// A request of these messages, in order.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Request};
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let request = Request::new([Message::user("Hello!")]);
    /// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 9);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub fn new(messages: impl IntoIterator<Item = Message<'a>>) -> Self {
        Self {
            messages: messages.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The tools that the model may call, in order.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Request, Tool};
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let request = Request::new([Message::user("Hello!")]).tools([Tool::function("ping")]);
    /// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 32);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[must_use]
    pub fn tools(mut self, tools: impl IntoIterator<Item = Tool<'a>>) -> Self {
        self.tools = tools.into_iter().collect();
        self
    }

    /// Which tool the model is to call.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Request, Tool, ToolChoice};
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let request = Request::new([Message::user("Hello!")])
    ///     .tools([Tool::function("ping")])
    ///     .tool_choice(ToolChoice::None);
    /// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 33);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[must_use]
    pub fn tool_choice(mut self, choice: ToolChoice<'a>) -> Self {
        self.tool_choice = choice;
        self
    }

    /// What form the answer is to have.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Request, ResponseFormat};
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let request = Request::new([Message::user("Hello!")]).response_format(ResponseFormat::JSON_OBJECT);
    /// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 9);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[must_use]
    pub fn response_format(mut self, format: ResponseFormat<'a>) -> Self {
        self.response_format = format;
        self
    }
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    System,
    Developer,
    User,
    Assistant,
    Tool,
    Function,
}

impl Role {
    pub(crate) const ALL: [Self; 6] = [
        Self::System,
        Self::Developer,
        Self::User,
        Self::Assistant,
        Self::Tool,
        Self::Function,
    ];

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

    /// Whether it instructs the model.
    pub(crate) fn is_system(self) -> bool {
        matches!(self, Self::System | Self::Developer)
    }
}

/// One message of a conversation.
///
/// ```
/// use tiktally::chat::{Counter, Message, Request};
///
/// # #[cfg(feature = "o200k_base")] {
/// let request = Request::new([Message::system("Be brief."), Message::user("Hello!")]);
/// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 16);
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Message<'a> {
    pub(crate) role: Role,
    pub(crate) name: Option<Cow<'a, str>>,
    pub(crate) content: Vec<Part<'a>>,
    pub(crate) tool_calls: Vec<ToolCall<'a>>,
    /// The older form, one call.
    pub(crate) function_call: Option<ToolCall<'a>>,
    /// The call that a tool's message answers.
    pub(crate) tool_call_id: Option<Cow<'a, str>>,
}

impl<'a> Message<'a> {
    pub(crate) fn of(role: Role) -> Self {
        Self {
            role,
            name: None,
            content: Vec::new(),
            tool_calls: Vec::new(),
            function_call: None,
            tool_call_id: None,
        }
    }

    fn with_text(role: Role, text: impl Into<Cow<'a, str>>) -> Self {
        Self {
            content: vec![Part::text(text)],
            ..Self::of(role)
        }
    }

    /// Instructions from whoever runs the conversation.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Request};
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let request = Request::new([Message::system("Be brief.")]);
    /// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 10);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub fn system(text: impl Into<Cow<'a, str>>) -> Self {
        Self::with_text(Role::System, text)
    }

    /// The same under the name that newer models have for it; it costs the same.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Request};
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let request = Request::new([Message::developer("Be brief.")]);
    /// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 10);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub fn developer(text: impl Into<Cow<'a, str>>) -> Self {
        Self::with_text(Role::Developer, text)
    }

    /// What the user says. See [`parts`](Self::parts) for images.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Request};
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let request = Request::new([Message::user("Hello!")]);
    /// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 9);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub fn user(text: impl Into<Cow<'a, str>>) -> Self {
        Self::with_text(Role::User, text)
    }

    /// What the model answered. An empty text beside tool calls costs nothing.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Request};
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let request = Request::new([Message::assistant("Hello!")]);
    /// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 9);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub fn assistant(text: impl Into<Cow<'a, str>>) -> Self {
        Self::with_text(Role::Assistant, text)
    }

    /// What a tool answered to the call with this id.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Request, ToolCall};
    ///
    /// # #[cfg(all(feature = "json", feature = "o200k_base"))] {
    /// let call = ToolCall::new("call_1", "sum", "{\"of\": [1, 2]}");
    /// let request = Request::new([Message::assistant("").tool_calls([call]), Message::tool("call_1", "3")]);
    /// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 26);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub fn tool(tool_call_id: impl Into<Cow<'a, str>>, text: impl Into<Cow<'a, str>>) -> Self {
        Self {
            tool_call_id: Some(tool_call_id.into()),
            ..Self::with_text(Role::Tool, text)
        }
    }

    /// What a function of this name answered, in the form that was there before tools.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Request};
    ///
    /// # #[cfg(feature = "cl100k_base")] {
    /// let request = Request::new([Message::function("sum", "3")]);
    /// assert_eq!(Counter::for_model("gpt-4-0613")?.count(&request)?.total, 8);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub fn function(name: impl Into<Cow<'a, str>>, text: impl Into<Cow<'a, str>>) -> Self {
        Self::with_text(Role::Function, text).name(name)
    }

    /// The name of whoever speaks.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Request};
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let request = Request::new([Message::user("Hello!").name("Ann")]);
    /// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 11);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[must_use]
    pub fn name(mut self, name: impl Into<Cow<'a, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Parts of text and images, in place of the text.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Detail, Image, Message, Part, Request};
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let image = Image::new(512, 512, Detail::Low);
    /// let request = Request::new([Message::user("").parts([Part::text("Hello!"), Part::from(image)])]);
    /// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 94);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[must_use]
    pub fn parts(mut self, parts: impl IntoIterator<Item = Part<'a>>) -> Self {
        self.content = parts.into_iter().collect();
        self
    }

    /// The tools that the assistant called in this message.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Request, ToolCall};
    ///
    /// # #[cfg(all(feature = "json", feature = "o200k_base"))] {
    /// let call = ToolCall::new("call_1", "sum", "{\"of\": [1, 2]}");
    /// let request = Request::new([Message::assistant("").tool_calls([call]), Message::tool("call_1", "3")]);
    /// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 26);
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

    /// The function that the assistant called in this message, in the form that was there before tools; the id of the
    /// call does not matter.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Request, ToolCall};
    ///
    /// # #[cfg(all(feature = "json", feature = "cl100k_base"))] {
    /// let call = ToolCall::new("", "sum", "{\"of\": [1, 2]}");
    /// let request = Request::new([Message::assistant("").function_call(call), Message::function("sum", "3")]);
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

    pub(crate) fn has_call(&self) -> bool {
        !self.tool_calls.is_empty() || self.function_call.is_some()
    }

    /// The texts of the content.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.content.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_ref()),
            Part::Image(_) => None,
        })
    }
}

/// A part of a message.
///
/// ```
/// use tiktally::chat::{Counter, Message, Part, Request};
///
/// # #[cfg(feature = "o200k_base")] {
/// let request = Request::new([Message::user("").parts([Part::text("Hel"), Part::text("lo!")])]);
/// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 10);
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Part<'a> {
    /// A text. The texts of a message are encoded one by one.
    Text(Cow<'a, str>),
    /// An image of a known size.
    Image(Image),
}

impl<'a> Part<'a> {
    /// A part of text.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Part, Request};
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let request = Request::new([Message::user("").parts([Part::text("Hello!")])]);
    /// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 9);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }
}

impl From<Image> for Part<'_> {
    fn from(image: Image) -> Self {
        Self::Image(image)
    }
}

/// A call of a function tool.
///
/// ```
/// use tiktally::chat::{Counter, Message, Request, ToolCall};
///
/// # #[cfg(all(feature = "json", feature = "o200k_base"))] {
/// let call = ToolCall::new("call_1", "sum", "{\"of\": [1, 2]}");
/// let request = Request::new([Message::assistant("").tool_calls([call]), Message::tool("call_1", "3")]);
/// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 26);
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone)]
#[cfg_attr(not(feature = "json"), allow(dead_code))] // calls are JSON
pub struct ToolCall<'a> {
    pub(crate) id: Cow<'a, str>,
    pub(crate) name: Cow<'a, str>,
    pub(crate) arguments: Cow<'a, str>,
}

#[cfg(feature = "json")]
#[cfg_attr(docsrs, doc(cfg(feature = "json")))]
impl<'a> ToolCall<'a> {
    /// A call with this id, of the function of this name; the arguments are a JSON object, as text.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Request, ToolCall};
    ///
    /// # #[cfg(all(feature = "json", feature = "o200k_base"))] {
    /// let call = ToolCall::new("call_1", "sum", "{\"of\": [1, 2]}");
    /// let request = Request::new([Message::assistant("").tool_calls([call]), Message::tool("call_1", "3")]);
    /// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 26);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub fn new(
        id: impl Into<Cow<'a, str>>,
        name: impl Into<Cow<'a, str>>,
        arguments: impl Into<Cow<'a, str>>,
    ) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            arguments: arguments.into(),
        }
    }
}

/// A function that the model may call.
///
/// ```
/// use tiktally::chat::{Counter, Message, Request, Tool};
///
/// # #[cfg(feature = "o200k_base")] {
/// let request = Request::new([Message::user("Hello!")]).tools([Tool::function("ping").description("Answers")]);
/// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 34);
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
    /// A function without description and parameters.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Request, Tool};
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let request = Request::new([Message::user("Hello!")]).tools([Tool::function("ping")]);
    /// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 32);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub fn function(name: impl Into<Cow<'a, str>>) -> Self {
        Self {
            name: name.into(),
            description: None,
            parameters: None,
        }
    }

    /// What it does.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Request, Tool};
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let request = Request::new([Message::user("Hello!")]).tools([Tool::function("ping").description("Answers")]);
    /// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 34);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[must_use]
    pub fn description(mut self, description: impl Into<Cow<'a, str>>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Whether it has neither a description nor parameters.
    pub(crate) fn is_bare(&self) -> bool {
        let description = self.description.as_deref().unwrap_or_default();
        let properties = self
            .parameters
            .as_ref()
            .and_then(|schema| schema.get("properties")?.as_object());
        description.trim().is_empty() && properties.is_none_or(Object::is_empty)
    }

    /// The JSON schema of its parameters, an object. The order of the keys changes the count.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Request, Tool};
    ///
    /// # #[cfg(all(feature = "json", feature = "o200k_base"))] {
    /// let schema = r#"{"type": "object", "properties": {"host": {"type": "string"}}}"#;
    /// let tool = Tool::function("ping").parameters_json(schema)?;
    /// let request = Request::new([Message::user("Hello!")]).tools([tool]);
    /// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 38);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_invalid_chat`](crate::Error::is_invalid_chat) if it is not the JSON text of an object.
    ///
    /// # Complexity
    /// O(n) in the bytes of the text.
    #[cfg(feature = "json")]
    #[cfg_attr(docsrs, doc(cfg(feature = "json")))]
    pub fn parameters_json(mut self, schema: &'a str) -> Result<Self, crate::Error> {
        self.parameters = Some(Held::Own(own_schema(schema, "parameters")?));
        Ok(self)
    }
}

/// Which tool the model is to call.
///
/// ```
/// use tiktally::chat::{Counter, Message, Request, Tool, ToolChoice};
///
/// # #[cfg(feature = "o200k_base")] {
/// let request = Request::new([Message::user("Hello!")])
///     .tools([Tool::function("ping")])
///     .tool_choice(ToolChoice::Function("ping".into()));
/// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 40);
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum ToolChoice<'a> {
    /// Whether, and which, is the model's choice.
    #[default]
    Auto,
    /// None.
    None,
    /// Any, but one at least.
    Required,
    /// The function of this name.
    Function(Cow<'a, str>),
    /// The function of this name, said in the field `function_call` that was there before tools.
    FunctionCall(Cow<'a, str>),
}

/// What form the answer is to have.
///
/// ```
/// use tiktally::chat::{Counter, Message, Request, ResponseFormat};
///
/// # #[cfg(all(feature = "json", feature = "o200k_base"))] {
/// let format = ResponseFormat::json_schema("answer", r#"{"type": "object"}"#)?;
/// let request = Request::new([Message::user("Hello!")]).response_format(format);
/// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 28);
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct ResponseFormat<'a>(pub(crate) Option<JsonSchema<'a>>);

#[derive(Debug, Clone)]
pub(crate) struct JsonSchema<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) description: Option<Cow<'a, str>>,
    pub(crate) schema: Held<'a>,
}

impl ResponseFormat<'_> {
    /// Any text; it costs nothing.
    ///
    /// ```
    /// # #[cfg(feature = "o200k_base")] {
    /// use tiktally::chat::{Counter, Message, Request, ResponseFormat};
    ///
    /// let request = Request::new([Message::user("Hello!")]).response_format(ResponseFormat::TEXT);
    /// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.response_format, 0);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub const TEXT: Self = Self(None);
    /// Any JSON object; it costs nothing.
    ///
    /// ```
    /// # #[cfg(feature = "o200k_base")] {
    /// use tiktally::chat::{Counter, Message, Request, ResponseFormat};
    ///
    /// let request = Request::new([Message::user("Hello!")]).response_format(ResponseFormat::JSON_OBJECT);
    /// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.response_format, 0);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub const JSON_OBJECT: Self = Self(None);
}

#[cfg(feature = "json")]
#[cfg_attr(docsrs, doc(cfg(feature = "json")))]
impl<'a> ResponseFormat<'a> {
    /// JSON of this schema, whose text is a part of the prompt.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Request, ResponseFormat};
    ///
    /// # #[cfg(all(feature = "json", feature = "o200k_base"))] {
    /// let format = ResponseFormat::json_schema("answer", r#"{"type": "object"}"#)?;
    /// let request = Request::new([Message::user("Hello!")]).response_format(format);
    /// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 28);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_invalid_chat`](crate::Error::is_invalid_chat) if the schema is not the JSON text of an object.
    ///
    /// # Complexity
    /// As [`Tool::parameters_json`].
    pub fn json_schema(
        name: impl Into<Cow<'a, str>>,
        schema: &'a str,
    ) -> Result<Self, crate::Error> {
        Ok(Self(Some(JsonSchema {
            name: name.into(),
            description: None,
            schema: Held::Own(own_schema(schema, "schema")?),
        })))
    }

    /// What the answer is for, beside the schema.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Request, ResponseFormat};
    ///
    /// # #[cfg(all(feature = "json", feature = "o200k_base"))] {
    /// let format = ResponseFormat::json_schema("answer", r#"{"type": "object"}"#)?.description("What it is");
    /// let request = Request::new([Message::user("Hello!")]).response_format(format);
    /// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 33);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[must_use]
    pub fn description(mut self, description: impl Into<Cow<'a, str>>) -> Self {
        if let Some(schema) = &mut self.0 {
            schema.description = Some(description.into());
        }
        self
    }
}

#[cfg(feature = "json")]
fn own_schema<'a>(text: &'a str, path: &str) -> Result<Value<'a>, crate::Error> {
    Value::parse_object(text).map_err(|problem| super::invalid(path, problem))
}
