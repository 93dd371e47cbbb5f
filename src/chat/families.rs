//! The families of models, which frame their messages in different ways (section 1 of page.md).

use std::borrow::Cow;

use crate::builtin::models::{context_window_names, fine_tuned_base};

/// How a model frames messages and sees tools.
///
/// [`Counter::for_model`](super::Counter::for_model) finds it by the model's name. For an alias that moved to another
/// model, set it with [`Counter::with_family`](super::Counter::with_family); for a deployment with a name of its own,
/// with [`Counter::new`](super::Counter::new).
///
/// ```
/// use tiktally::chat::{Counter, Family, Message, Request};
///
/// # #[cfg(feature = "o200k_base")] {
/// let request = Request::new([Message::user("Hello!")]);
/// let count = |family| Ok::<_, tiktally::Error>(Counter::new(family, tiktally::o200k_base()).count(&request)?.total);
/// assert_eq!((count(Family::Modern)?, count(Family::Reasoning)?), (9, 8));
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    /// gpt-3.5-turbo-0301.
    Legacy0301,
    /// gpt-3.5-turbo-0613, gpt-4-0314, gpt-4-0613 and their larger siblings.
    Legacy0613,
    /// Models from November 2023 on: gpt-3.5-turbo-1106 and -0125, gpt-4-turbo, gpt-4o, gpt-4.1, gpt-4.5.
    Modern,
    /// o1, o3, o4-mini, gpt-5 and its successors.
    Reasoning,
}

/// The family of a model, and how sure it is.
pub(crate) struct Known {
    pub(crate) family: Family,
    /// The reason why its counts are estimates.
    pub(crate) doubt: Option<&'static str>,
}

/// Returns the group of models whose recordings also hold for this model: all of them see a request in the same way.
pub(crate) fn group(family: Family, base: &str, encoding: &str) -> &'static str {
    match family {
        Family::Legacy0301 if encoding == "cl100k_base" => "gpt-3.5-turbo-0301",
        Family::Legacy0613 if encoding == "cl100k_base" => "gpt-4-0613",
        Family::Modern if encoding == "cl100k_base" => "gpt-3.5-turbo-0125",
        Family::Modern if encoding == "o200k_base" => "gpt-4o",
        Family::Reasoning if encoding != "o200k_base" => OTHER,
        Family::Reasoning if base.starts_with("o3-mini") => "o3-mini",
        Family::Reasoning if base.starts_with("o4-mini") => "o4-mini",
        Family::Reasoning if base.starts_with("o1") => "o1",
        Family::Reasoning if base.starts_with("o3") => "o3",
        Family::Reasoning => "gpt-5",
        _ => OTHER,
    }
}

/// The group of counters with an encoding that no model of the family has.
const OTHER: &str = "another encoding";

/// Returns whether this is the name of a reasoning model, or begins as one.
pub(crate) fn is_reasoning(base: &str) -> bool {
    let found = FAMILIES.iter().find(|(name, ..)| base.starts_with(name));
    found.is_some_and(|(_, family, _)| *family == Family::Reasoning)
}

/// The reason why a model's requests cannot be counted.
pub(crate) const NO_CHAT: &str = "this model does not support chat messages";
/// The reason why a model's tools and their calls cannot be counted.
pub(crate) const NO_TOOLS: &str = "this model does not support tools";
/// The reason for models whose usage is not the tokens of the prompt.
const PARTLY: &str = "this model's reported usage differs from the tokens of its prompt, or includes audio; only the service can count it";
/// The reason for models that others host, in frames of their own.
const HOSTED: &str =
    "the prompt of gpt-oss depends on its host; render it and count it with `o200k_harmony`";
/// The reason for models that hide tokens from the client.
const HIDDEN: &str =
    "this model adds hidden tokens that were never measured; only the service can count them";

/// Parts of the names of models that only the service can count, each with the reason.
const UNCOUNTABLE: &[(&str, &str)] = &[
    ("-search", PARTLY),
    ("-audio", PARTLY),
    ("-realtime", PARTLY),
    ("-transcribe", PARTLY),
    ("-tts", PARTLY),
    ("-image", PARTLY),
    ("-instruct", NO_CHAT),
    ("-deep-research", HIDDEN),
    ("gpt-oss", HOSTED),
    ("o1-mini", HIDDEN),
    ("o1-preview", HIDDEN),
];

/// The reason for a name that no recorded request has.
pub(crate) const UNRECORDED: &str =
    "no recorded request names this model; it is counted like the models that its name begins with";

/// The reason for a known family without recordings.
const NO_RECORDING: &str = "no recorded request to this model is known";
/// The reason for a name that is not in the list of models.
pub(crate) const UNLISTED: &str =
    "no model with this name is known; it is counted like the models that its name begins with";

/// Beginnings of the names of models that only embed texts.
const EMBEDDERS: &[&str] = &[
    "text-embedding-",
    "text-search-",
    "text-similarity-",
    "code-search-",
];

/// Beginnings of names, with the family; the first match decides. The last field is the reason for an estimate.
const FAMILIES: &[(&str, Family, Option<&str>)] = &[
    ("gpt-3.5-turbo-0301", Family::Legacy0301, None),
    ("gpt-3.5-turbo-0613", Family::Legacy0613, None),
    ("gpt-3.5-turbo-16k", Family::Legacy0613, None),
    ("gpt-3.5", Family::Modern, None),
    ("gpt-4-0314", Family::Legacy0613, None),
    ("gpt-4-0613", Family::Legacy0613, None),
    ("gpt-4-32k", Family::Legacy0613, None),
    ("gpt-4-", Family::Modern, None),
    ("gpt-4o", Family::Modern, None),
    ("gpt-4.", Family::Modern, None),
    ("chatgpt-4o", Family::Modern, None),
    // the alias stayed with the model of June 2023
    ("gpt-4", Family::Legacy0613, None),
    ("o1", Family::Reasoning, Some(NO_RECORDING)),
    ("o3", Family::Reasoning, None),
    ("o4-mini", Family::Reasoning, None),
    ("gpt-5", Family::Reasoning, None),
];

/// Returns the name of the model that a [fine-tuned](fine_tuned_base) model was made of, or the name itself. Replaces
/// `gpt-35` by `gpt-3.5`, because Azure writes it so.
pub(crate) fn base(model: &str) -> Cow<'_, str> {
    let base = fine_tuned_base(model).unwrap_or(model);
    match base.strip_prefix("gpt-35-") {
        Some(rest) => format!("gpt-3.5-{rest}").into(),
        None => base.into(),
    }
}

/// Returns whether a model has this name or is a dated version of it, such as gpt-4o-2024-08-06 of gpt-4o.
pub(crate) fn is_version(model: &str, name: &str) -> bool {
    let rest = model.strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || is_date(rest))
}

/// Returns whether this is the end of a dated name, such as `-2024-08-06`.
fn is_date(end: &str) -> bool {
    const PATTERN: &[u8] = b"-0000-00-00";
    end.len() == PATTERN.len()
        && end.bytes().zip(PATTERN).all(|(byte, like)| match like {
            b'0' => byte.is_ascii_digit(),
            _ => byte == *like,
        })
}

/// Returns whether the list of context windows has this model.
fn is_listed(model: &str) -> bool {
    context_window_names().any(|name| is_version(model, name))
}

/// Returns the family of a model by its [`base`] name, or the reason why it has none.
pub(crate) fn of(model: &str) -> Result<Known, &'static str> {
    if EMBEDDERS.iter().any(|name| model.starts_with(name)) {
        return Err(NO_CHAT);
    }
    let refusal = UNCOUNTABLE.iter().find(|(part, _)| model.contains(part));
    if let Some((_, why)) = refusal {
        return Err(why);
    }
    let found = FAMILIES.iter().find(|(name, ..)| model.starts_with(name));
    let (_, family, doubt) = *found.ok_or(NO_CHAT)?;
    // a chat variant may not reason, and may then have another frame
    let is_chat = family == Family::Reasoning && model.contains("-chat");
    let doubt = doubt
        .or(is_chat.then_some(NO_RECORDING))
        .or((!is_listed(model)).then_some(UNLISTED));
    Ok(Known { family, doubt })
}
