//! The one error type.

use std::fmt;
use std::panic::AssertUnwindSafe;

use crate::token_id::TokenId;

/// What went wrong, in one word-sized value.
///
/// `Display` says what failed, where, and what to do about it. The predicates (`is_…`) tell the kinds apart and the
/// accessors give the details; both stay as the crate grows, so matching on the message is never needed.
///
/// ```
/// let error = tiktally::get_encoding("cl200k").unwrap_err();
/// assert!(error.is_unknown_encoding());
/// assert!(error.to_string().contains("cl200k"));
/// ```
#[derive(Debug)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug)]
#[cfg_attr(not(feature = "custom"), allow(dead_code))] // some are of encodings of one's own
pub(crate) enum ErrorKind {
    UnknownEncoding {
        name: String,
        known: &'static [&'static str],
    },
    #[allow(dead_code)] // constructed only where a vocabulary is compiled out
    MissingFeature {
        encoding: &'static str,
        feature: &'static str,
    },
    UnknownModel {
        model: String,
    },
    DisallowedSpecial {
        token: String,
        position: usize,
    },
    EmptySpecial,
    NoSuchSpecial {
        token: String,
        encoding: String,
    },
    UnknownToken {
        token: TokenId,
        index: usize,
        encoding: String,
    },
    /// `shown` are the first of the bytes.
    UnknownTokenBytes {
        shown: Vec<u8>,
        len: usize,
        encoding: String,
    },
    InvalidUtf8 {
        position: usize,
    },
    UnstableTooLong {
        len: usize,
        limit: usize,
    },
    /// `path` is where in the request, such as `messages[2].content`.
    InvalidChat {
        path: String,
        problem: String,
    },
    /// `what` names the content, and what can be done instead.
    UnsupportedContent {
        path: String,
        what: String,
    },
    EstimateOnly {
        reason: String,
    },
    /// The limit leaves no room for every character. `least` is the smallest limit for this overlap, if there is one.
    ChunkTooSmall {
        max_tokens: usize,
        overlap: usize,
        least: Option<usize>,
    },
    /// A fault of a rank file, or of ranks that came otherwise, which have no lines.
    InvalidRanks {
        line: Option<usize>,
        problem: String,
    },
    HashMismatch {
        expected: String,
        found: String,
    },
    Io {
        doing: &'static str,
        source: AssertUnwindSafe<std::io::Error>,
    },
    InvalidPattern {
        pattern: String,
        problem: String,
    },
    PatternLimit {
        problem: String,
    },
    /// A special token that an encoding of one's own cannot have.
    UnfitSpecial {
        token: String,
        problem: String,
    },
    /// What the messages that must stay cost, and what they may.
    BudgetTooSmall {
        needed: usize,
        budget: usize,
    },
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

#[cfg(feature = "custom")]
impl ErrorKind {
    /// What failed while the caller's reader or writer was used.
    pub(crate) fn io(doing: &'static str, source: std::io::Error) -> Self {
        Self::Io {
            doing,
            source: AssertUnwindSafe(source),
        }
    }
}

impl Error {
    /// No encoding has this name.
    ///
    /// ```
    /// assert!(tiktally::get_encoding("cl200k").unwrap_err().is_unknown_encoding());
    /// ```
    pub fn is_unknown_encoding(&self) -> bool {
        matches!(*self.0, ErrorKind::UnknownEncoding { .. })
    }

    /// The encoding exists, but its vocabulary was not compiled in; [`feature`](Self::feature) names what to turn on.
    ///
    /// ```
    /// if let Err(error) = tiktally::get_encoding("p50k_edit") {
    ///     assert!(error.is_missing_feature());
    /// }
    /// ```
    pub fn is_missing_feature(&self) -> bool {
        matches!(*self.0, ErrorKind::MissingFeature { .. })
    }

    /// The cargo feature that is missing.
    ///
    /// ```
    /// if let Err(error) = tiktally::get_encoding("p50k_edit") {
    ///     assert_eq!(error.feature(), Some("p50k_base"));
    /// }
    /// ```
    pub fn feature(&self) -> Option<&str> {
        match *self.0 {
            ErrorKind::MissingFeature { feature, .. } => Some(feature),
            _ => None,
        }
    }

    /// tiktoken's tables know no encoding for this model.
    ///
    /// ```
    /// assert!(tiktally::encoding_for_model("gpt-6").unwrap_err().is_unknown_model());
    /// ```
    pub fn is_unknown_model(&self) -> bool {
        matches!(*self.0, ErrorKind::UnknownModel { .. })
    }

    /// The text spells a special token that the call does not allow.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let error = tiktally::cl100k_base().encode("<|endoftext|>", tiktally::Special::REJECT).unwrap_err();
    /// assert!(error.is_disallowed_special());
    /// # }
    /// ```
    pub fn is_disallowed_special(&self) -> bool {
        matches!(*self.0, ErrorKind::DisallowedSpecial { .. })
    }

    /// The special token that was found but not allowed.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let error = tiktally::cl100k_base().encode("Hi<|endoftext|>", tiktally::Special::REJECT).unwrap_err();
    /// assert_eq!(error.special_token(), Some("<|endoftext|>"));
    /// # }
    /// ```
    pub fn special_token(&self) -> Option<&str> {
        match &*self.0 {
            ErrorKind::DisallowedSpecial { token, .. } => Some(token),
            _ => None,
        }
    }

    /// The byte position in the text (disallowed special) or in the decoded bytes (invalid UTF-8).
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// let error = encoding.encode("你<|endoftext|>", tiktally::Special::REJECT).unwrap_err();
    /// assert_eq!(error.position(), Some(3));
    /// assert_eq!(encoding.decode(&[15339, 8687]).unwrap_err().position(), Some(5));
    /// # }
    /// ```
    pub fn position(&self) -> Option<usize> {
        match *self.0 {
            ErrorKind::DisallowedSpecial { position, .. } | ErrorKind::InvalidUtf8 { position } => {
                Some(position)
            }
            _ => None,
        }
    }

    /// A list of special tokens holds an empty string, or allows one that the encoding does not have; or an encoding of
    /// one's own cannot have it.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let special = tiktally::Special::allow(&["<|turn|>"]);
    /// assert!(tiktally::cl100k_base().encode("Hi", special).unwrap_err().is_invalid_special());
    /// # }
    /// ```
    pub fn is_invalid_special(&self) -> bool {
        matches!(
            *self.0,
            ErrorKind::EmptySpecial
                | ErrorKind::NoSuchSpecial { .. }
                | ErrorKind::UnfitSpecial { .. }
        )
    }

    /// A rank file, or ranks that came otherwise, are no vocabulary; [`line`](Self::line) tells where.
    ///
    /// ```
    /// # #[cfg(feature = "custom")] {
    /// let error = tiktally::Encoding::builder("b").ranks_from_tiktoken(&b"AA== 0\nAQ==\n"[..]).unwrap_err();
    /// assert!(error.is_invalid_ranks());
    /// # }
    /// ```
    pub fn is_invalid_ranks(&self) -> bool {
        matches!(*self.0, ErrorKind::InvalidRanks { .. })
    }

    /// The line of a rank file, from 1 on; `None` where the fault is none of a line.
    ///
    /// ```
    /// # #[cfg(feature = "custom")] {
    /// let error = tiktally::Encoding::builder("b").ranks_from_tiktoken(&b"AA== 0\nAQ==\n"[..]).unwrap_err();
    /// assert_eq!(error.line(), Some(2));
    /// # }
    /// ```
    pub fn line(&self) -> Option<usize> {
        match *self.0 {
            ErrorKind::InvalidRanks { line, .. } => line,
            _ => None,
        }
    }

    /// A rank file is not the one that was expected.
    ///
    /// ```
    /// # #[cfg(feature = "custom")] {
    /// let ranks = tiktally::Encoding::builder("b").ranks_from_tiktoken_checked(&b"AA== 0\n"[..], "00");
    /// assert!(ranks.unwrap_err().is_hash_mismatch());
    /// # }
    /// ```
    pub fn is_hash_mismatch(&self) -> bool {
        matches!(*self.0, ErrorKind::HashMismatch { .. })
    }

    /// Reading or writing failed; the [source](std::error::Error::source) says why.
    ///
    /// ```
    /// # #[cfg(all(feature = "custom", feature = "cl100k_base"))] {
    /// use std::error::Error as _;
    ///
    /// let mut full = [0; 8];
    /// let error = tiktally::write_tiktoken(tiktally::cl100k_base(), &mut full[..]).unwrap_err();
    /// assert!(error.is_io() && error.source().is_some());
    /// # }
    /// ```
    pub fn is_io(&self) -> bool {
        matches!(*self.0, ErrorKind::Io { .. })
    }

    /// A split pattern cannot be used, or not by this call.
    ///
    /// ```
    /// # #[cfg(feature = "custom")] {
    /// assert!(tiktally::Encoding::builder("b").pattern("(a").build().unwrap_err().is_invalid_pattern());
    /// # }
    /// ```
    pub fn is_invalid_pattern(&self) -> bool {
        matches!(*self.0, ErrorKind::InvalidPattern { .. })
    }

    /// A pattern that backtracks gave up on a text.
    ///
    /// ```
    /// # #[cfg(feature = "custom")] {
    /// let bytes = (0..=255).map(|byte| ([byte], u32::from(byte)));
    /// let slow = tiktally::Encoding::builder("slow").backtracking_pattern(r"(?:a|a|(?=b))*\1?c()|.").ranks(bytes).build()?;
    /// assert!(slow.try_count(&"a".repeat(200)).unwrap_err().is_pattern_limit());
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub fn is_pattern_limit(&self) -> bool {
        matches!(*self.0, ErrorKind::PatternLimit { .. })
    }

    /// No token of the encoding has this id.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// assert!(tiktally::cl100k_base().decode(&[100256]).unwrap_err().is_unknown_token());
    /// # }
    /// ```
    pub fn is_unknown_token(&self) -> bool {
        matches!(*self.0, ErrorKind::UnknownToken { .. })
    }

    /// The id that no token has.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// assert_eq!(tiktally::cl100k_base().decode(&[15339, 100256]).unwrap_err().token(), Some(100256));
    /// # }
    /// ```
    pub fn token(&self) -> Option<TokenId> {
        match *self.0 {
            ErrorKind::UnknownToken { token, .. } => Some(token),
            _ => None,
        }
    }

    /// Where in the list of ids the unknown one stands.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// assert_eq!(tiktally::cl100k_base().decode(&[15339, 100256]).unwrap_err().index(), Some(1));
    /// # }
    /// ```
    pub fn index(&self) -> Option<usize> {
        match *self.0 {
            ErrorKind::UnknownToken { index, .. } => Some(index),
            _ => None,
        }
    }

    /// These bytes are no single token of the encoding.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let error = tiktally::cl100k_base().encode_single_token("two words").unwrap_err();
    /// assert!(error.is_unknown_token_bytes());
    /// # }
    /// ```
    pub fn is_unknown_token_bytes(&self) -> bool {
        matches!(*self.0, ErrorKind::UnknownTokenBytes { .. })
    }

    /// The decoded bytes are not UTF-8; [`position`](Self::position) is the first byte that is wrong.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// assert!(tiktally::cl100k_base().decode(&[8687]).unwrap_err().is_invalid_utf8());
    /// # }
    /// ```
    pub fn is_invalid_utf8(&self) -> bool {
        matches!(*self.0, ErrorKind::InvalidUtf8 { .. })
    }

    /// The unstable tail of the text is too long for all its completions to be listed.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let error = tiktally::cl100k_base().encode_with_unstable(&"x".repeat(129), tiktally::Special::REJECT);
    /// assert!(error.unwrap_err().is_unstable_too_long());
    /// # }
    /// ```
    pub fn is_unstable_too_long(&self) -> bool {
        matches!(*self.0, ErrorKind::UnstableTooLong { .. })
    }

    /// A chat request is not what the API takes; [`path`](Self::path) tells where.
    ///
    /// ```
    /// # #[cfg(feature = "o200k_base")] {
    /// use tiktally::chat::{Counter, Message, Request};
    ///
    /// let request = Request::new([Message::tool("call_1", "3")]);
    /// assert!(Counter::for_model("gpt-4o")?.count(&request).unwrap_err().is_invalid_chat());
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub fn is_invalid_chat(&self) -> bool {
        matches!(*self.0, ErrorKind::InvalidChat { .. })
    }

    /// A chat request has content whose tokens only the service knows; [`path`](Self::path) tells where.
    ///
    /// ```
    /// # #[cfg(feature = "o200k_base")] {
    /// use tiktally::chat::{Counter, Message, Request};
    ///
    /// let request = Request::new([Message::user("Hello!")]);
    /// assert!(Counter::for_model("gpt-4o-audio-preview")?.count(&request).unwrap_err().is_unsupported_content());
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub fn is_unsupported_content(&self) -> bool {
        matches!(*self.0, ErrorKind::UnsupportedContent { .. })
    }

    /// Where in a chat request, such as `messages[2].tool_calls[0]`; empty for the request as a whole.
    ///
    /// ```
    /// # #[cfg(feature = "o200k_base")] {
    /// use tiktally::chat::{Counter, Message, Request};
    ///
    /// let request = Request::new([Message::user("Hello!"), Message::tool("call_1", "3")]);
    /// let error = Counter::for_model("gpt-4o")?.count(&request).unwrap_err();
    /// assert_eq!(error.path(), Some("messages[1].tool_call_id"));
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub fn path(&self) -> Option<&str> {
        match &*self.0 {
            ErrorKind::InvalidChat { path, .. } | ErrorKind::UnsupportedContent { path, .. } => {
                Some(path)
            }
            _ => None,
        }
    }

    /// The same fault of a chat request, at this place.
    #[cfg(feature = "json")]
    pub(crate) fn at(mut self, place: String) -> Self {
        if let ErrorKind::InvalidChat { path, .. } | ErrorKind::UnsupportedContent { path, .. } =
            &mut *self.0
        {
            *path = place;
        }
        self
    }

    /// Not even what must stay is within the limit.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Policy};
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let messages = [Message::user("Hello!")];
    /// let error = Counter::for_model("gpt-4o")?.fit(messages, 5, Policy::default()).unwrap_err();
    /// assert!(error.is_limit_too_small());
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub fn is_limit_too_small(&self) -> bool {
        matches!(
            *self.0,
            ErrorKind::BudgetTooSmall { .. } | ErrorKind::ChunkTooSmall { .. }
        )
    }

    /// The tokens of a chat request can only be estimated, which has calls of its own.
    ///
    /// ```
    /// # #[cfg(feature = "o200k_base")] {
    /// use tiktally::chat::{Counter, Message, Request, Tool};
    ///
    /// let request = Request::new([Message::user("Hello!")]).tools([Tool::function("ping")]);
    /// assert!(Counter::for_model("gpt-5")?.count(&request).unwrap_err().is_estimate_only());
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub fn is_estimate_only(&self) -> bool {
        matches!(*self.0, ErrorKind::EstimateOnly { .. })
    }
}

impl fmt::Display for Error {
    #[allow(clippy::too_many_lines)] // a sentence for each kind
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            ErrorKind::UnknownEncoding { name, known } => write!(
                f,
                "there is no encoding {name:?}; the known ones are {}",
                known.join(", ")
            ),
            ErrorKind::MissingFeature { encoding, feature } => {
                write!(
                    f,
                    "the encoding {encoding} is not compiled in; turn on the feature `{feature}` of tiktally"
                )
            }
            ErrorKind::UnknownModel { model } => {
                write!(
                    f,
                    "no encoding is known for the model {model:?}; choose the encoding by its own name instead"
                )
            }
            ErrorKind::DisallowedSpecial { token, position } => write!(
                f,
                "the text spells the special token {token:?} at byte {position}, which this call does not allow; \
                 allow it with `Special::allow`, or take it as plain text with `Special::AS_TEXT`"
            ),
            ErrorKind::EmptySpecial => f.write_str(
                "a list of special tokens holds an empty string; every special token has a text",
            ),
            ErrorKind::NoSuchSpecial { token, encoding } => {
                write!(
                    f,
                    "{token:?} is allowed as a special token, but {encoding} has no such token"
                )
            }
            ErrorKind::UnknownToken {
                token,
                index,
                encoding,
            } => {
                write!(
                    f,
                    "no token of {encoding} has the id {token} (index {index} of the list)"
                )
            }
            ErrorKind::UnknownTokenBytes {
                shown,
                len,
                encoding,
            } => write!(
                f,
                "the {len} bytes \"{}{}\" are no single token of {encoding}; `encode_ordinary` gives the tokens of any text",
                shown.escape_ascii(),
                if shown.len() < *len { "…" } else { "" },
            ),
            ErrorKind::InvalidUtf8 { position } => write!(
                f,
                "the decoded bytes are not UTF-8 from byte {position} on; use `decode_lossy` or `decode_bytes`"
            ),
            ErrorKind::UnstableTooLong { len, limit } => write!(
                f,
                "the last {len} bytes of the text are unstable, more than the {limit} whose completions are listed"
            ),
            ErrorKind::InvalidChat { path, problem } => {
                write!(f, "{}: {problem}", place(path))
            }
            ErrorKind::UnsupportedContent { path, what } => {
                write!(f, "{}: {what}", place(path))
            }
            ErrorKind::ChunkTooSmall {
                max_tokens,
                overlap,
                least,
            } => {
                write!(
                    f,
                    "chunks of at most {max_tokens} tokens with an overlap of {overlap} may have no room for a character; "
                )?;
                match least {
                    Some(least) => write!(f, "allow at least {least}"),
                    None => f.write_str("make the overlap smaller"),
                }
            }
            ErrorKind::BudgetTooSmall { needed, budget } => write!(
                f,
                "the messages that must stay cost {needed} tokens, more than the budget of {budget}; shorten them or raise it"
            ),
            ErrorKind::EstimateOnly { reason } => write!(
                f,
                "the tokens of this request can only be estimated, with `estimate`: {reason}"
            ),
            ErrorKind::InvalidRanks { line, problem } => match line {
                Some(line) => write!(f, "line {line} of the ranks: {problem}"),
                None => write!(f, "the ranks: {problem}"),
            },
            ErrorKind::HashMismatch { expected, found } => write!(
                f,
                "the ranks have the SHA-256 {found}, not {expected}: they are another file, or were changed"
            ),
            ErrorKind::Io { doing, .. } => write!(f, "{doing} failed"),
            ErrorKind::InvalidPattern { pattern, problem } => {
                write!(f, "the split pattern {pattern:?} cannot be used: {problem}")
            }
            ErrorKind::PatternLimit { problem } => write!(
                f,
                "the split pattern gave up on the text ({problem}); a pattern that does not backtrack would not"
            ),
            ErrorKind::UnfitSpecial { token, problem } => {
                write!(f, "the special token {token:?}: {problem}")
            }
        }
    }
}

/// A path in a chat request, as a message begins with it.
fn place(path: &str) -> &str {
    if path.is_empty() {
        "the chat request"
    } else {
        path
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            ErrorKind::Io { source, .. } => Some(&source.0),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_small_and_shareable() {
        fn check<T: Send + Sync + std::error::Error + std::panic::UnwindSafe + 'static>() {}
        check::<Error>();
        assert!(size_of::<Error>() <= 16);
    }
}
