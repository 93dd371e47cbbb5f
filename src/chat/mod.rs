#![doc = include_str!("page.md")]

mod api;
mod at_least;
#[cfg(feature = "json")]
mod calls;
mod content;
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
mod rules;
mod tally;
mod tools;
mod value;

use std::borrow::Cow;
use std::collections::HashSet;

use crate::builtin;
use crate::encoding::Encoding;
use crate::error::{Error, ErrorKind};
pub use api::Api;
use api::Day;
use at_least::Unpriced;
pub use at_least::{AtLeast, Missing};
pub use content::{Content, Part};
pub use families::Family;
pub use fit::{Fitted, Policy};
#[cfg(feature = "json")]
use images::ImageSizes;
pub use images::{Detail, Image};
#[cfg(feature = "json")]
pub use json::{FittedJson, at_least_json, count_json, estimate_json};
use numbers::{NUMBERS, Numbers};
pub use request::{Message, Request, ResponseFormat, Tool, ToolCall, ToolChoice};
use rules::Rule;
pub use rules::RuleUse;
use value::put;

/// Counts the tokens of requests to one model.
///
/// [`count`](Self::count) and [`count_json`](Self::count_json) return only counts that are sure.
/// [`estimate`](Self::estimate) and [`estimate_json`](Self::estimate_json) also return counts that are not.
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
    /// The model's name as given; it decides the prices of images and the window.
    model: Option<String>,
    /// The family, or the reason why requests to this model cannot be counted.
    family: Result<Family, &'static str>,
    /// The reason why all counts of this counter are estimates.
    doubt: Option<&'static str>,
    /// The day whose rules count; `None` for the newest rules.
    day: Option<Day>,
    /// The sizes of images that a body links to.
    #[cfg(feature = "json")]
    sizes: Option<ImageSizes>,
    numbers: &'static Numbers,
}

/// The cost of a request and its parts, in tokens; the parts sum to the total.
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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ChatTokens {
    /// The cost of the whole prompt.
    pub total: usize,
    /// Whether the API bills exactly this.
    pub exactness: Exactness,
    /// The cost of each message with its frame, in order. The results of several calls are part of the message with the
    /// calls; with models of June 2023, so is a single result. The messages of these results then cost 0.
    pub messages: Vec<usize>,
    /// The definitions of the tools, with their effect on the cost of the first system message.
    pub tools: usize,
    /// The choice among the tools.
    pub tool_choice: usize,
    /// The schema of the answer.
    pub response_format: usize,
    /// The images of all messages.
    pub images: usize,
    /// The tokens that open the answer.
    pub priming: usize,
    /// The rules that the count used, with the number of recorded requests that show each. A count is exact if each
    /// rule has at least three, and if recordings show everything in the request. Empty for prompts, which have no
    /// frame.
    pub rules: Vec<RuleUse>,
}

/// How sure a count is. More variants may follow, so a `match` needs a wildcard.
///
/// ```
/// use tiktally::chat::{Counter, Exactness, Message, Request};
///
/// # #[cfg(feature = "o200k_base")] {
/// let request = Request::new([Message::user("Hello!")]);
/// let tokens = Counter::for_model("gpt-4o-2031-01-01")?.estimate(&request)?;
/// match tokens.exactness {
///     Exactness::Estimate { reason } => assert!(reason.starts_with("no recorded request names this model")),
///     other => panic!("{other:?}"),
/// }
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exactness {
    /// Every rule that was used [is sure](RuleUse::is_sure), and nothing in the request is unknown.
    Exact,
    /// The count may be some tokens off.
    Estimate {
        /// Why the count is not sure.
        reason: String,
    },
}

impl Counter {
    /// Creates a counter for the model with this name, which decides the encoding and the family.
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
    /// - [`is_unknown_model`](Error::is_unknown_model): tiktoken does not know the name.
    /// - [`is_missing_feature`](Error::is_missing_feature): the encoding is not compiled in.
    ///
    /// For a model without a chat API, the error is returned when a request is counted.
    ///
    /// # Complexity
    /// As [`encoding_for_model`](builtin::encoding_for_model).
    pub fn for_model(model: &str) -> Result<Self, Error> {
        let base = families::base(model);
        // tiktoken takes all fine-tuned models of gpt-4.1 for gpt-4
        let encoding = builtin::encoding_for_model(&base)?;
        let mut known = families::of(&base);
        if let Ok(known) = &mut known
            && !rules::is_recorded(model)
        {
            known.doubt = known.doubt.or(Some(families::UNRECORDED));
        }
        Ok(Self {
            encoding: encoding.clone(),
            model: Some(model.to_owned()),
            doubt: known.as_ref().ok().and_then(|known| known.doubt),
            family: known.map(|known| known.family),
            day: None,
            #[cfg(feature = "json")]
            sizes: None,
            numbers: &NUMBERS,
        })
    }

    /// Creates a counter for a deployment whose name does not tell the model. It refuses images, because their cost
    /// depends on the model. Among reasoning models the cost of answers in the history, tools and calls differs too: these
    /// counts are estimates.
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
            day: None,
            #[cfg(feature = "json")]
            sizes: None,
            numbers: &NUMBERS,
        }
    }

    /// Returns this counter with another family, for aliases that point to a different model than their name suggests.
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
        // a refusal stays: the tokens that a model adds do not go away with another frame
        let refused = self.family.err().filter(|why| *why != families::NO_CHAT);
        let is_of_name = |why: &&str| [families::UNLISTED, families::UNRECORDED].contains(why);
        let doubt = self.doubt.filter(|why| !is_of_name(why));
        self.doubt = refused.or(doubt);
        self.family = Ok(family);
        self
    }

    /// Returns this counter as of an ISO date: it counts as the service did on that day, for audits of old logs.
    ///
    /// Without a date, the newest rules count. The [page](super::chat) lists the days on which rules changed.
    ///
    /// ```
    /// use tiktally::chat::Counter;
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let counter = Counter::for_model("gpt-4.1-nano")?;
    /// assert!(counter.as_of("2026-03-03").is_ok());
    /// assert_eq!(counter.as_of("March 3").unwrap_err().path(), Some("as_of"));
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_invalid_chat`](Error::is_invalid_chat) for anything that is not a date in the form `2026-03-03`.
    pub fn as_of(&self, date: &str) -> Result<Self, Error> {
        Ok(Self {
            day: Some(Day::parse(date)?),
            ..self.clone()
        })
    }

    /// Counts the tokens of a request, as the API bills them.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Request};
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let counter = Counter::for_model("gpt-5")?;
    /// let request = Request::new([Message::user("Hello!")]);
    /// assert_eq!(counter.count(&request)?.total, 8);
    ///
    /// let unsure = Counter::for_model("gpt-5-2031-01-01")?;
    /// assert!(unsure.count(&request).unwrap_err().is_estimate_only());
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`path`](Error::path) tells the place in the request.
    /// - [`is_estimate_only`](Error::is_estimate_only): the count is not sure; only [`estimate`](Self::estimate)
    ///   returns it.
    /// - [`is_unsupported_content`](Error::is_unsupported_content): only the service can count the content.
    /// - [`is_invalid_chat`](Error::is_invalid_chat): the API would refuse the request.
    ///
    /// # Complexity
    /// As [`Encoding::count`] of all texts of the request.
    pub fn count(&self, request: &Request<'_>) -> Result<ChatTokens, Error> {
        let tokens = self.estimate(request)?;
        tokens.exact()
    }

    /// Counts the tokens of a request, even if the count is not sure; [`ChatTokens::exactness`] says whether it is.
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
    /// As [`count`](Self::count), except `is_estimate_only`.
    ///
    /// # Complexity
    /// As [`count`](Self::count).
    pub fn estimate(&self, request: &Request<'_>) -> Result<ChatTokens, Error> {
        let (tokens, _) = self.price(request, Unpriced::default())?;
        Ok(tokens)
    }

    /// Counts the tokens of a request; `unpriced` decides whether content without a known price is an error.
    fn price(
        &self,
        request: &Request<'_>,
        unpriced: Unpriced,
    ) -> Result<(ChatTokens, Unpriced), Error> {
        let mut tally = self.tally(request.api, request.doubts.clone())?;
        tally.unpriced = unpriced;
        tally.rules.extend(request.rules);
        tally.has_instructions = request.has_instructions;
        tally.items.clone_from(&request.items);
        tally.has_calls = request.messages.iter().any(Message::has_call);
        let messages = tally.messages(&request.messages)?;
        if tally.images > 0 && tally.has_calls {
            tally.uses(Rule::ImageCall);
        }
        let tools = tally.tools(request)?;
        let tool_choice = tally.tool_choice(request);
        let response_format = tally.response_format(request);
        let priming = tally.priming_of(request);
        let used = tally.used();
        let reasons = tally.reasons(&used);
        let alone = ChatTokens::of_messages(messages, tally.images, priming, &reasons);
        let tokens = ChatTokens {
            total: alone.total + tools + tool_choice + response_format,
            tools,
            tool_choice,
            response_format,
            rules: used,
            ..alone
        };
        Ok((tokens, tally.unpriced))
    }

    /// Returns the model's name without a tuner's additions; nothing for a counter without a model.
    fn base(&self) -> Cow<'_, str> {
        families::base(self.model.as_deref().unwrap_or_default())
    }
}

impl ChatTokens {
    /// Returns the cost of messages without tools or a schema, or of prompts without a frame.
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
            rules: Vec::new(),
        }
    }

    /// Returns the count if it is exact, and otherwise an error with the reason.
    fn exact(self) -> Result<Self, Error> {
        match self.exactness {
            Exactness::Exact => Ok(self),
            Exactness::Estimate { reason } => Err(ErrorKind::EstimateOnly { reason }.into()),
        }
    }
}

/// The largest number of reasons that an estimate names, so that its text stays short.
const REASONS: usize = 3;

impl Exactness {
    /// Returns `Exact` if there are no doubts, and otherwise an estimate with the first reasons.
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

/// Returns the error for content that only the service can count.
fn unsupported(path: impl Into<String>, what: impl Into<String>) -> Error {
    let (path, what) = (path.into(), what.into());
    ErrorKind::UnsupportedContent { path, what }.into()
}

/// Returns the error for a request that the API would refuse.
fn invalid(path: impl Into<String>, problem: impl Into<String>) -> Error {
    let (path, problem) = (path.into(), problem.into());
    ErrorKind::InvalidChat { path, problem }.into()
}
