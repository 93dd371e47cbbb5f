//! Raw request bodies, as they are sent to `/v1/chat/completions`, `/v1/responses`, `/v1/completions` and
//! `/v1/embeddings`.

mod at_least;
mod chat;
mod content;
mod fit;
mod prompts;
mod responses;
mod tools;

use super::at_least::{AtLeast, Unpriced};
use super::families;
use super::path::{Notes, Path};
use super::request::Request;
use super::value::{Json, Value};
use super::{ChatTokens, Counter};
use crate::error::Error;
pub use at_least::at_least_json;
pub use fit::FittedJson;

/// Counts the tokens of a raw request body, with the counter of the model that it names.
///
/// See [`Counter::count_json`] for the bodies that it accepts.
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
/// As reading the body once and [`Encoding::count`](crate::Encoding::count) of its texts.
pub fn count_json(body: &str) -> Result<ChatTokens, Error> {
    estimate_json(body)?.exact()
}

/// Counts like [`count_json`], but also returns estimates. The result is an estimate if the body has a key that no
/// recording shows, at any depth except inside settings such as `metadata`.
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
/// As [`count_json`], except `is_estimate_only`.
///
/// # Complexity
/// As [`count_json`].
pub fn estimate_json(body: &str) -> Result<ChatTokens, Error> {
    let body = parse(body)?;
    counter_of(body.value())?.estimate_body(body.value())
}

/// Creates the counter of the model that a body names.
fn counter_of(body: Value<'_>) -> Result<Counter, Error> {
    let model = Path::Root.get(body, "model")?;
    let Some((path, model)) = model else {
        return Err(Path::Root.invalid(
            "`model` is missing; add it, or use `count_json` of a `Counter` for the model",
        ));
    };
    Counter::for_model(path.text(model)?)
}

impl Counter {
    /// Counts the tokens of a raw request body, a JSON object in the form of one of these APIs:
    /// - chat completions, with `messages`;
    /// - responses, with `input`;
    /// - completions, with `prompt`, and embeddings, with `input`.
    ///
    /// This counter's model is used, even if the body names another one.
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
    /// As [`count`](Self::count); [`is_invalid_chat`](Error::is_invalid_chat) also if the body is not valid JSON or not
    /// in the form of an API.
    ///
    /// # Complexity
    /// As reading the body once and [`count`](Self::count).
    pub fn count_json(&self, body: &str) -> Result<ChatTokens, Error> {
        self.estimate_json(body)?.exact()
    }

    /// Counts like [`count_json`](Self::count_json), but also returns estimates. The result is an estimate if the body
    /// has a key that no recording shows, at any depth except inside settings such as `metadata`.
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
    /// As [`count_json`](Self::count_json), except `is_estimate_only`.
    ///
    /// # Complexity
    /// As [`count_json`](Self::count_json).
    pub fn estimate_json(&self, body: &str) -> Result<ChatTokens, Error> {
        self.estimate_body(parse(body)?.value())
    }

    /// Counts the tokens of a body; content without a known price is an error.
    fn estimate_body(&self, body: Value<'_>) -> Result<ChatTokens, Error> {
        Ok(self.price_body(body, Unpriced::default())?.tokens)
    }

    /// Counts the tokens of a body; `unpriced` decides whether content without a known price is an error.
    fn price_body(&self, body: Value<'_>, unpriced: Unpriced) -> Result<AtLeast, Error> {
        let notes = Notes::new(unpriced, self.sizes.clone());
        let (tokens, unpriced) = match self.read(&Path::Body(&notes), body)? {
            Body::Chat(request) => self.price(&request, notes.take_unpriced())?,
            Body::Prompts(tokens) => (tokens, notes.take_unpriced()),
        };
        Ok(AtLeast::new(tokens, unpriced))
    }

    /// Reads a body of any of the APIs; prompts are counted at once.
    fn read<'v>(&self, root: &Path<'_>, body: Value<'v>) -> Result<Body<'v>, Error> {
        let object = root.object(body)?;
        let has = |key| object.get(key).is_some_and(|value| !value.is_null());
        let is_embedder = self.family == Err(families::NO_CHAT);
        if has("messages") {
            Ok(Body::Chat(chat::request(root, body)?))
        } else if has("prompt") {
            let prompt = object.get("prompt").and_then(Value::as_object);
            if prompt.is_none() || !has("input") || is_embedder {
                return Ok(Body::Prompts(self.prompts(root, body, "prompt")?));
            }
            // a stored prompt precedes the input
            root.key("prompt").missing(prompts::STORED)?;
            Ok(Body::Chat(responses::request(root, body)?))
        } else if has("input") && is_embedder {
            Ok(Body::Prompts(self.prompts(root, body, "input")?))
        } else if has("input") {
            Ok(Body::Chat(responses::request(root, body)?))
        } else {
            Err(root
                .invalid("the body has none of `messages`, `input` and `prompt`; add one of them"))
        }
    }
}

/// A body that was read.
enum Body<'v> {
    Chat(Request<'v>),
    Prompts(ChatTokens),
}

/// Parses a body; skips a byte order mark before it.
fn parse(body: &str) -> Result<Json<'_>, Error> {
    let body = body.strip_prefix('\u{feff}').unwrap_or(body);
    let body = Json::parse(body).map_err(|problem| Path::Root.invalid(problem))?;
    match body.value() {
        Value::List(_) => Err(Path::Root.invalid(
            "the body is an array; expected one request object: a file of many requests has one a line",
        )),
        _ => Ok(body),
    }
}

/// Keys of a body that cost nothing in any API.
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

/// Keys of a body that add content that only the service knows.
const SERVED: &[&str] = &[
    "audio",
    "conversation",
    "data_sources",
    "prediction",
    "previous_response_id",
    "web_search_options",
];

/// Notes keys that add content that only the service knows, and unknown keys.
fn other_keys(root: &Path<'_>, body: Value<'_>, known: &[&str]) -> Result<(), Error> {
    let entries = root.object(body)?.iter();
    for (key, value) in entries.filter(|(_, value)| !value.is_null()) {
        if SERVED.contains(&key) {
            let path = root.key(key);
            path.missing("only the service knows how many tokens this adds to the prompt")?;
            continue;
        }
        let is_text = key == "modalities" && is_text_alone(value);
        if !is_text && !FREE.contains(&key) && !known.contains(&key) {
            root.doubt_key(key, "this is an unknown key, which may cost tokens");
        }
    }
    Ok(())
}

/// Returns whether the value of `modalities` asks for nothing but text.
fn is_text_alone(modalities: Value<'_>) -> bool {
    let list = modalities.as_list();
    list.is_some_and(|list| list.iter().eq([Value::Text("text")]))
}
