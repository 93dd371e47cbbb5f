#![doc = include_str!("page.md")]

#[cfg(feature = "json")]
mod calls;
mod families;
mod fit;
mod images;
#[cfg(feature = "json")]
mod json;
mod messages;
mod numbers;
mod path;
mod request;
mod response_format;
mod tally;
mod tools;
mod value;

use std::collections::HashSet;

use crate::Encoding;
use crate::error::{Error, ErrorKind};
pub use families::Family;
pub use fit::{Fitted, Policy};
pub use images::{Detail, Image};
#[cfg(feature = "json")]
pub use json::{count_json, estimate_json};
use numbers::{NUMBERS, Numbers};
pub use request::{Message, Part, Request, ResponseFormat, Tool, ToolCall, ToolChoice};
use value::put;

/// Counts the tokens of requests to one model.
///
/// ```
/// use tiktally::chat::{Counter, Message, Request};
///
/// # #[cfg(feature = "o200k_base")] {
/// let counter = Counter::for_model("gpt-4o")?;
/// let tokens = counter.count(&Request::new([Message::user("Hello!")]))?;
/// assert_eq!(tokens.total, 9);
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Counter {
    encoding: Encoding,
    /// The name it was made for, which images and windows go by.
    model: Option<String>,
    /// Or why there is none.
    family: Result<Family, &'static str>,
    /// Why its counts are estimates, whatever the request.
    doubt: Option<&'static str>,
    numbers: &'static Numbers,
}

/// What a request costs, and for what; all numbers are tokens, and the parts sum to the total.
///
/// ```
/// use tiktally::chat::{Counter, Exactness, Message, Request};
///
/// # #[cfg(feature = "o200k_base")] {
/// let request = Request::new([Message::user("Hello!"), Message::assistant("Hi.")]);
/// let tokens = Counter::for_model("gpt-4o")?.count(&request)?;
/// assert_eq!((tokens.messages.as_slice(), tokens.priming), (&[6, 6][..], 3));
/// assert_eq!((tokens.total, tokens.exactness), (15, Exactness::Exact));
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChatTokens {
    /// What the prompt costs as a whole.
    pub total: usize,
    /// Whether this is what the API bills.
    pub exactness: Exactness,
    /// Each message with its frame, in order. A message with several calls, or with one call to a model of June 2023,
    /// carries the results too, and the messages of the results cost nothing.
    pub messages: Vec<usize>,
    /// The definitions of the tools, and what they change at the first system message.
    pub tools: usize,
    /// The choice among the tools.
    pub tool_choice: usize,
    /// The schema of the answer.
    pub response_format: usize,
    /// The images of all messages.
    pub images: usize,
    /// What the answer begins with.
    pub priming: usize,
}

/// How sure a count is.
///
/// ```
/// use tiktally::chat::{Counter, Exactness, Message, Request, Tool};
///
/// # #[cfg(feature = "o200k_base")] {
/// let request = Request::new([Message::user("Hello!")]).tools([Tool::function("ping")]);
/// let tokens = Counter::for_model("gpt-5")?.estimate(&request)?;
/// let Exactness::Estimate { reason } = tokens.exactness else { panic!() };
/// assert!(reason.contains("reasoning models"));
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exactness {
    /// Every rule that was used gave what the API billed wherever it was compared.
    Exact,
    /// It may be some tokens off.
    Estimate {
        /// Why.
        reason: String,
    },
}

impl Counter {
    /// A counter for the model of this name: its encoding, and how it frames messages.
    ///
    /// ```
    /// use tiktally::chat::Counter;
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// assert!(Counter::for_model("gpt-4o").is_ok());
    /// assert!(Counter::for_model("llama").unwrap_err().is_unknown_model());
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_unknown_model`](Error::is_unknown_model) for a name that tiktoken does not know;
    /// [`is_missing_feature`](Error::is_missing_feature) if its encoding is not compiled in. That a model takes no messages
    /// is said when they are counted.
    ///
    /// # Complexity
    /// As [`encoding_for_model`](crate::encoding_for_model).
    pub fn for_model(model: &str) -> Result<Self, Error> {
        let base = families::base(model);
        // tiktoken takes all fine-tuned models of gpt-4.1 for gpt-4
        let encoding = crate::encoding_for_model(&base)?;
        let known = families::of(&base);
        Ok(Self {
            encoding: encoding.clone(),
            model: Some(model.to_owned()),
            doubt: known.as_ref().ok().and_then(|known| known.doubt),
            family: known.map(|known| known.family),
            numbers: &NUMBERS,
        })
    }

    /// A counter for a deployment whose name says nothing. It knows no images: what they cost goes by the model.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Family, Message, Request};
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let counter = Counter::new(Family::Modern, tiktally::o200k_base());
    /// assert_eq!(counter.count(&Request::new([Message::user("Hello!")]))?.total, 9);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub fn new(family: Family, encoding: &Encoding) -> Self {
        Self {
            encoding: encoding.clone(),
            model: None,
            family: Ok(family),
            doubt: None,
            numbers: &NUMBERS,
        }
    }

    /// The same with another family: for names that stand for another model than they say.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Family, Message, Request};
    ///
    /// # #[cfg(feature = "cl100k_base")] {
    /// let request = Request::new([Message::user("Hello!")]);
    /// let counter = Counter::for_model("gpt-4")?;
    /// assert_eq!(counter.count(&request)?.total, 9);
    /// assert_eq!(counter.with_family(Family::Legacy0301).count(&request)?.total, 10);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[must_use]
    pub fn with_family(mut self, family: Family) -> Self {
        // what a model adds of its own does not go away with another frame
        let refused = self.family.err().filter(|why| *why != families::NO_CHAT);
        let doubt = self.doubt.filter(|why| *why != families::UNLISTED);
        self.doubt = refused.or(doubt);
        self.family = Ok(family);
        self
    }

    /// The tokens of a request, as the API bills them.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Request, Tool};
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let counter = Counter::for_model("gpt-5")?;
    /// let request = Request::new([Message::user("Hello!")]);
    /// assert_eq!(counter.count(&request)?.total, 8);
    ///
    /// let unsure = request.tools([Tool::function("ping")]);
    /// assert!(counter.count(&unsure).unwrap_err().is_estimate_only());
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_estimate_only`](Error::is_estimate_only) where [`estimate`](Self::estimate) has to be asked;
    /// [`is_unsupported_content`](Error::is_unsupported_content) for what only the service can count;
    /// [`is_invalid_chat`](Error::is_invalid_chat) for what the API would refuse.
    ///
    /// # Complexity
    /// That of counting its texts.
    pub fn count(&self, request: &Request<'_>) -> Result<ChatTokens, Error> {
        let tokens = self.estimate(request)?;
        tokens.exact()
    }

    /// The tokens of a request, also where they are not sure; [`ChatTokens::exactness`] says so.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Request, Tool};
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let request = Request::new([Message::user("Hello!")]).tools([Tool::function("ping")]);
    /// assert_eq!(Counter::for_model("gpt-5")?.estimate(&request)?.total, 112);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`count`](Self::count), but for estimates.
    ///
    /// # Complexity
    /// That of counting its texts.
    pub fn estimate(&self, request: &Request<'_>) -> Result<ChatTokens, Error> {
        let mut tally = self.tally(request.doubts.clone())?;
        let messages = tally.messages(&request.messages)?;
        tally.doubt_images_beside_calls(tally.images, &request.messages);
        let tools = tally.tools(request)?;
        let tool_choice = tally.tool_choice(&request.tool_choice);
        let response_format = tally.response_format(request);
        let alone = ChatTokens::of_messages(messages, tally.images, tally.priming(), &tally.doubts);
        Ok(ChatTokens {
            total: alone.total + tools + tool_choice + response_format,
            tools,
            tool_choice,
            response_format,
            ..alone
        })
    }
}

impl ChatTokens {
    /// What messages cost that come alone, or texts without a frame.
    fn of_messages(messages: Vec<usize>, images: usize, priming: usize, doubts: &[String]) -> Self {
        Self {
            total: messages.iter().sum::<usize>() + images + priming,
            exactness: Exactness::of(doubts),
            messages,
            tools: 0,
            tool_choice: 0,
            response_format: 0,
            images,
            priming,
        }
    }

    /// Itself, if it is exact.
    fn exact(self) -> Result<Self, Error> {
        match self.exactness {
            Exactness::Exact => Ok(self),
            Exactness::Estimate { reason } => Err(ErrorKind::EstimateOnly { reason }.into()),
        }
    }
}

/// How many reasons an estimate names.
const REASONS: usize = 3;

impl Exactness {
    fn of(doubts: &[String]) -> Self {
        let mut seen = HashSet::new();
        let mut reasons: Vec<&str> = doubts.iter().map(String::as_str).collect();
        reasons.retain(|reason| seen.insert(*reason));
        let more = reasons.len().saturating_sub(REASONS);
        reasons.truncate(REASONS);
        let mut reason = reasons.join("; ");
        if more > 0 {
            put(&mut reason, format_args!("; and {more} more"));
        }
        match reasons.as_slice() {
            [] => Self::Exact,
            _ => Self::Estimate { reason },
        }
    }
}

/// What only the service can count.
fn unsupported(path: impl Into<String>, what: impl Into<String>) -> Error {
    let (path, what) = (path.into(), what.into());
    ErrorKind::UnsupportedContent { path, what }.into()
}

/// What the API would not take.
fn invalid(path: impl Into<String>, problem: impl Into<String>) -> Error {
    let (path, problem) = (path.into(), problem.into());
    ErrorKind::InvalidChat { path, problem }.into()
}
