//! The one error type.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::OnceLock;

use crate::builtin::near;
use crate::token_id::TokenId;

/// The error of all calls in this crate, the size of a pointer.
///
/// `Display` says what failed, where, and what to do about it. The predicates (`is_…`) tell the kinds apart, and the
/// accessors return the details. Both stay as the crate grows, so there is no need to match on messages.
///
/// | calls | predicates | details |
/// |---|---|---|
/// | find an encoding | [`is_unknown_encoding`](Self::is_unknown_encoding), [`is_unknown_model`](Self::is_unknown_model), [`is_missing_feature`](Self::is_missing_feature) | [`suggestion`](Self::suggestion), [`feature`](Self::feature) |
/// | encode, count or decode a batch | those of the single calls | [`batch_index`](Self::batch_index) |
/// | encode and count with a [`Special`](crate::Special) | [`is_disallowed_special`](Self::is_disallowed_special), [`is_invalid_special`](Self::is_invalid_special) | [`special_token`](Self::special_token), [`position`](Self::position) |
/// | encode one token, or text with a vocabulary that lacks bytes | [`is_unknown_token_bytes`](Self::is_unknown_token_bytes) | |
/// | encode with an unstable end | [`is_unstable_too_long`](Self::is_unstable_too_long) | |
/// | decode | [`is_unknown_token`](Self::is_unknown_token), [`is_invalid_utf8`](Self::is_invalid_utf8) | [`token`](Self::token), [`index`](Self::index), [`position`](Self::position) |
/// | split into chunks, shorten a conversation | [`is_limit_too_small`](Self::is_limit_too_small) | |
/// | build or write an encoding | [`is_invalid_ranks`](Self::is_invalid_ranks), [`is_hash_mismatch`](Self::is_hash_mismatch), [`is_io`](Self::is_io), [`is_invalid_pattern`](Self::is_invalid_pattern), [`is_invalid_special`](Self::is_invalid_special) | [`line`](Self::line) |
/// | load a file of another tokenizer | [`is_invalid_tokenizer`](Self::is_invalid_tokenizer), [`is_unsupported_tokenizer`](Self::is_unsupported_tokenizer), [`is_io`](Self::is_io) | [`path`](Self::path) |
/// | use a pattern that backtracks | [`is_pattern_limit`](Self::is_pattern_limit) | |
/// | count a chat request | [`is_invalid_chat`](Self::is_invalid_chat), [`is_unsupported_content`](Self::is_unsupported_content), [`is_estimate_only`](Self::is_estimate_only) | [`path`](Self::path) |
///
/// ```
/// # #[cfg(feature = "cl100k_base")] {
/// let error = tiktally::get_encoding("cl200k").unwrap_err();
/// assert!(error.is_unknown_encoding() && error.to_string().contains("cl200k"));
///
/// let encoding = tiktally::cl100k_base();
/// let error = encoding.encode("你<|endoftext|>", tiktally::Special::REJECT).unwrap_err();
/// assert!(error.is_disallowed_special());
/// assert_eq!((error.special_token(), error.position()), (Some("<|endoftext|>"), Some(3)));
///
/// let error = encoding.decode(&[15339, 100256]).unwrap_err();
/// assert!(error.is_unknown_token());
/// assert_eq!((error.token(), error.index()), (Some(100256), Some(1)));
/// # }
/// ```
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    /// The index of the text or the list in a batch.
    batch_index: Option<usize>,
}

#[derive(Debug)]
#[cfg_attr(not(feature = "custom"), allow(dead_code))] // some are errors of custom encodings
pub(crate) enum ErrorKind {
    /// `known` are the names of all encodings, those that are not compiled in included.
    UnknownEncoding {
        name: String,
        known: &'static [&'static str],
        near: Near,
    },
    #[allow(dead_code)] // constructed only where a vocabulary is compiled out
    MissingFeature {
        encoding: &'static str,
        feature: &'static str,
    },
    UnknownModel {
        model: String,
        near: Near,
    },
    /// `position` is the byte in the text at which the special token begins.
    DisallowedSpecial {
        token: String,
        position: usize,
    },
    EmptySpecial,
    NoSuchSpecial {
        token: String,
        encoding: String,
    },
    /// A prepared set of special tokens is used with another encoding than its own, `of`.
    OtherSpecialSet {
        of: String,
        encoding: String,
    },
    /// `index` is the place of the id in the list.
    UnknownToken {
        token: TokenId,
        index: usize,
        encoding: String,
    },
    /// `shown` are the first of the `len` bytes.
    UnknownTokenBytes {
        shown: Vec<u8>,
        len: usize,
        encoding: String,
    },
    /// A byte of the text has no token, in a vocabulary that may lack bytes.
    MissingByte {
        byte: u8,
        encoding: String,
    },
    /// `position` is the first byte that is not valid UTF-8.
    InvalidUtf8 {
        position: usize,
    },
    /// Both numbers are bytes.
    UnstableTooLong {
        len: usize,
        limit: usize,
    },
    /// `path` is the place in the request, such as `messages[2].content`.
    InvalidChat {
        path: String,
        problem: String,
    },
    /// `what` names the content, and an alternative if there is one.
    UnsupportedContent {
        path: String,
        what: String,
    },
    EstimateOnly {
        reason: String,
    },
    /// The limit leaves no room for any character. `least` is the smallest limit for this overlap, if there is one.
    ChunkTooSmall {
        max_tokens: usize,
        overlap: usize,
        least: Option<usize>,
    },
    /// A fault in a rank file, or in ranks given directly, which have no lines.
    InvalidRanks {
        line: Option<usize>,
        problem: String,
    },
    /// A fault in a file of another tokenizer, or a part of it that cannot be followed exactly. `place` is the place in
    /// the file, such as `model.merges[3]`.
    #[cfg_attr(not(feature = "tokenizer-json"), allow(dead_code))]
    Tokenizer {
        is_unsupported: bool,
        place: String,
        problem: String,
    },
    HashMismatch {
        expected: String,
        found: String,
    },
    Io {
        action: &'static str,
        source: AssertUnwindSafe<std::io::Error>,
    },
    InvalidPattern {
        pattern: String,
        problem: String,
    },
    PatternLimit {
        problem: String,
    },
    /// A special token that a custom encoding cannot have.
    UnfitSpecial {
        token: String,
        problem: String,
    },
    /// The tokens of the messages that must stay, and the tokens they may have.
    BudgetTooSmall {
        needed: usize,
        budget: usize,
    },
}

/// A near name. It is looked for only when it is asked for, because callers may try many unknown names.
pub(crate) type Near = OnceLock<Option<String>>;

impl ErrorKind {
    /// Creates the error for a name that no encoding has; `known` as in the variant.
    pub(crate) fn unknown_encoding(name: &str, known: &'static [&'static str]) -> Self {
        let (name, near) = (name.to_owned(), Near::new());
        Self::UnknownEncoding { name, known, near }
    }

    /// Creates the error for a model without an entry in the tables.
    pub(crate) fn unknown_model(model: &str) -> Self {
        let (model, near) = (model.to_owned(), Near::new());
        Self::UnknownModel { model, near }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            batch_index: None,
        }))
    }
}

#[cfg(feature = "custom")]
impl ErrorKind {
    /// Creates the error of a reader or writer of the caller's; `action` names the failed step, such as "reading the
    /// ranks".
    pub(crate) fn io(action: &'static str, source: std::io::Error) -> Self {
        Self::Io {
            action,
            source: AssertUnwindSafe(source),
        }
    }
}

impl Error {
    /// Returns true if no encoding has the given name.
    pub fn is_unknown_encoding(&self) -> bool {
        matches!(self.0.kind, ErrorKind::UnknownEncoding { .. })
    }

    /// Returns true if the encoding exists but its vocabulary was not compiled in.
    ///
    /// [`feature`](Self::feature) names the feature to turn on.
    ///
    /// ```
    /// if let Err(error) = tiktally::get_encoding("p50k_edit") {
    ///     assert!(error.is_missing_feature());
    ///     assert_eq!(error.feature(), Some("p50k_base"));
    /// }
    /// ```
    pub fn is_missing_feature(&self) -> bool {
        matches!(self.0.kind, ErrorKind::MissingFeature { .. })
    }

    /// Returns the cargo feature that is missing.
    pub fn feature(&self) -> Option<&str> {
        match self.0.kind {
            ErrorKind::MissingFeature { feature, .. } => Some(feature),
            _ => None,
        }
    }

    /// Returns true if tiktoken's tables have no encoding for the given model.
    ///
    /// ```
    /// assert!(tiktally::encoding_for_model("gpt-6").unwrap_err().is_unknown_model());
    /// ```
    pub fn is_unknown_model(&self) -> bool {
        matches!(self.0.kind, ErrorKind::UnknownModel { .. })
    }

    /// Returns the known name that is nearest to the unknown name of a model or an encoding, or `None` if no name is near.
    ///
    /// It differs from the unknown name in case, marks or a few letters, never in a digit except 0, which may stand for o.
    /// The unknown name may be cut off (`cl100k`), or have a provider or a variant (`openai/gpt-4o:free`). Looking up the
    /// suggestion finds an encoding. It is meant for people: a name can be near by chance.
    ///
    /// ```
    /// let near = |name| tiktally::encoding_for_model(name).unwrap_err().suggestion().map(str::to_owned);
    /// assert_eq!(near("gpt4o").as_deref(), Some("gpt-4o"));
    /// assert_eq!(near("openai/gpt-4o").as_deref(), Some("gpt-4o"));
    /// assert_eq!(near("gpt-6"), None);
    /// assert_eq!(tiktally::get_encoding("cl100k").unwrap_err().suggestion(), Some("cl100k_base"));
    /// ```
    ///
    /// # Complexity
    /// On the first call, up to three comparisons with each known name; names of more than 64 bytes are not compared.
    pub fn suggestion(&self) -> Option<&str> {
        match &self.0.kind {
            ErrorKind::UnknownModel { model, near } => near.get_or_init(|| near::model(model)),
            ErrorKind::UnknownEncoding { name, known, near } => {
                near.get_or_init(|| near::encoding(name, known))
            }
            _ => return None,
        }
        .as_deref()
    }

    /// Returns true if the text contains a special token that the call does not allow.
    pub fn is_disallowed_special(&self) -> bool {
        matches!(self.0.kind, ErrorKind::DisallowedSpecial { .. })
    }

    /// Returns the special token that was found but not allowed.
    pub fn special_token(&self) -> Option<&str> {
        match &self.0.kind {
            ErrorKind::DisallowedSpecial { token, .. } => Some(token),
            _ => None,
        }
    }

    /// Returns the position of the fault, in bytes.
    ///
    /// For a disallowed special token it is where that begins in the text. For invalid UTF-8 it is the first wrong byte
    /// of the decoded bytes.
    pub fn position(&self) -> Option<usize> {
        match self.0.kind {
            ErrorKind::DisallowedSpecial { position, .. } | ErrorKind::InvalidUtf8 { position } => {
                Some(position)
            }
            _ => None,
        }
    }

    /// Returns true if a special token is invalid: in a list given to [`Special`](crate::Special), or in a custom
    /// encoding.
    ///
    /// A list must not contain an empty string, or allow a token that the encoding does not have. In a custom encoding,
    /// a special token must not be empty, have two ids, or have the id of an ordinary token.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let special = tiktally::Special::allow(&["<|turn|>"]);
    /// assert!(tiktally::cl100k_base().encode("Hi", special).unwrap_err().is_invalid_special());
    /// # }
    /// ```
    pub fn is_invalid_special(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::EmptySpecial
                | ErrorKind::NoSuchSpecial { .. }
                | ErrorKind::OtherSpecialSet { .. }
                | ErrorKind::UnfitSpecial { .. }
        )
    }

    /// Returns true if ranks, from a file or given directly, do not form a valid vocabulary.
    ///
    /// [`line`](Self::line) returns the line of a file.
    ///
    /// ```
    /// # #[cfg(feature = "custom")] {
    /// let error = tiktally::Encoding::builder("b").ranks_from_tiktoken(&b"AA== 0\nAQ==\n"[..]).unwrap_err();
    /// assert!(error.is_invalid_ranks());
    /// assert_eq!(error.line(), Some(2));
    /// # }
    /// ```
    pub fn is_invalid_ranks(&self) -> bool {
        matches!(self.0.kind, ErrorKind::InvalidRanks { .. })
    }

    /// Returns the line of the rank file that has the fault, counted from 1, or `None` if the fault is not in one line.
    pub fn line(&self) -> Option<usize> {
        match self.0.kind {
            ErrorKind::InvalidRanks { line, .. } => line,
            _ => None,
        }
    }

    /// Returns true if a file of another tokenizer is broken: not JSON, cut off, too large, or in conflict with itself.
    ///
    /// [`path`](Self::path) returns the place of the fault.
    ///
    /// ```
    /// # #[cfg(feature = "tokenizer-json")] {
    /// let error = tiktally::Encoding::from_tokenizer_json("page", &b"<!DOCTYPE html>"[..]).unwrap_err();
    /// assert!(error.is_invalid_tokenizer());
    /// # }
    /// ```
    pub fn is_invalid_tokenizer(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Tokenizer {
                is_unsupported: false,
                ..
            }
        )
    }

    /// Returns true if a file of another tokenizer is valid, but has a part that this crate cannot follow exactly.
    ///
    /// [`path`](Self::path) returns the place of that part.
    ///
    /// ```
    /// # #[cfg(feature = "tokenizer-json")] {
    /// let file = br#"{"model": {"type": "Unigram", "vocab": [["<unk>", 0.0]]}}"#;
    /// let error = tiktally::Encoding::from_tokenizer_json("t5", &file[..]).unwrap_err();
    /// assert!(error.is_unsupported_tokenizer());
    /// assert_eq!(error.path(), Some("model.type"));
    /// # }
    /// ```
    pub fn is_unsupported_tokenizer(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Tokenizer {
                is_unsupported: true,
                ..
            }
        )
    }

    /// Returns true if a rank file does not have the expected SHA-256.
    pub fn is_hash_mismatch(&self) -> bool {
        matches!(self.0.kind, ErrorKind::HashMismatch { .. })
    }

    /// Returns true if reading or writing failed; the [source](std::error::Error::source) says why.
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
        matches!(self.0.kind, ErrorKind::Io { .. })
    }

    /// Returns true if a split pattern is missing, is invalid, or cannot be used with the call that was given it.
    pub fn is_invalid_pattern(&self) -> bool {
        matches!(self.0.kind, ErrorKind::InvalidPattern { .. })
    }

    /// Returns true if a custom pattern that backtracks gave up on a text.
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
        matches!(self.0.kind, ErrorKind::PatternLimit { .. })
    }

    /// Returns true if no token of the encoding has the given id.
    pub fn is_unknown_token(&self) -> bool {
        matches!(self.0.kind, ErrorKind::UnknownToken { .. })
    }

    /// Returns the id that no token has.
    pub fn token(&self) -> Option<TokenId> {
        match self.0.kind {
            ErrorKind::UnknownToken { token, .. } => Some(token),
            _ => None,
        }
    }

    /// Returns the index of the unknown id in the list, counted from 0.
    pub fn index(&self) -> Option<usize> {
        match self.0.kind {
            ErrorKind::UnknownToken { index, .. } => Some(index),
            _ => None,
        }
    }

    /// Returns the index in the batch of the text or the list of ids that the error is about, counted from 0. Returns
    /// `None` for errors of calls that take one text or list.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::Special;
    ///
    /// let texts = ["a", "<|endoftext|>"];
    /// let error = tiktally::cl100k_base().encode_batch_flat(&texts, Special::REJECT, 1).unwrap_err();
    /// assert_eq!((error.batch_index(), error.position()), (Some(1), Some(0)));
    /// # }
    /// ```
    pub fn batch_index(&self) -> Option<usize> {
        self.0.batch_index
    }

    /// Returns the error with the index of its text or list in a batch.
    pub(crate) fn in_batch(mut self, index: usize) -> Self {
        self.0.batch_index = Some(index);
        self
    }

    /// Returns true if the given bytes are not a single token of the encoding, or if a byte of a text has no token, which
    /// [`allow_missing_bytes`](crate::Builder::allow_missing_bytes) allows.
    pub fn is_unknown_token_bytes(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::UnknownTokenBytes { .. } | ErrorKind::MissingByte { .. }
        )
    }

    /// Returns true if the decoded bytes are not valid UTF-8; [`position`](Self::position) returns the first wrong
    /// byte.
    pub fn is_invalid_utf8(&self) -> bool {
        matches!(self.0.kind, ErrorKind::InvalidUtf8 { .. })
    }

    /// Returns true if the unstable end of a text is too long to list all its completions.
    pub fn is_unstable_too_long(&self) -> bool {
        matches!(self.0.kind, ErrorKind::UnstableTooLong { .. })
    }

    /// Returns true if a chat request is not valid for the API; [`path`](Self::path) returns the place of the fault.
    ///
    /// ```
    /// # #[cfg(feature = "o200k_base")] {
    /// use tiktally::chat::{Counter, Message, Request};
    ///
    /// let request = Request::new([Message::user("Hello!"), Message::tool("call_1", "3")]);
    /// let error = Counter::for_model("gpt-4o")?.count(&request).unwrap_err();
    /// assert!(error.is_invalid_chat());
    /// assert_eq!(error.path(), Some("messages[1].tool_call_id"));
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub fn is_invalid_chat(&self) -> bool {
        matches!(self.0.kind, ErrorKind::InvalidChat { .. })
    }

    /// Returns true if a chat request has content whose tokens only the service knows.
    ///
    /// [`path`](Self::path) returns the place of the content.
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
        matches!(self.0.kind, ErrorKind::UnsupportedContent { .. })
    }

    /// Returns the place of a fault in a chat request or a tokenizer file, such as `messages[2].tool_calls[0]` or
    /// `model.merges[3]`; empty for the whole of it.
    pub fn path(&self) -> Option<&str> {
        match &self.0.kind {
            ErrorKind::InvalidChat { path, .. }
            | ErrorKind::UnsupportedContent { path, .. }
            | ErrorKind::Tokenizer { place: path, .. } => Some(path),
            _ => None,
        }
    }

    /// Returns this error of a chat request with another path.
    #[cfg(feature = "json")]
    pub(crate) fn at(mut self, place: String) -> Self {
        if let ErrorKind::InvalidChat { path, .. } | ErrorKind::UnsupportedContent { path, .. } =
            &mut self.0.kind
        {
            *path = place;
        }
        self
    }

    /// Returns true if even the content that must stay exceeds the limit.
    ///
    /// That is a budget smaller than the messages that cannot be dropped, or a chunk size without room for new text.
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
            self.0.kind,
            ErrorKind::BudgetTooSmall { .. } | ErrorKind::ChunkTooSmall { .. }
        )
    }

    /// Returns true if the tokens of a chat request can only be estimated, which separate calls do.
    ///
    /// ```
    /// # #[cfg(feature = "o200k_base")] {
    /// use tiktally::chat::{Counter, Message, Request};
    ///
    /// // no recording shows the bill of this model
    /// let counter = Counter::for_model("gpt-4o-2031-01-01")?;
    /// assert!(counter.count(&Request::new([Message::user("Hello!")])).unwrap_err().is_estimate_only());
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub fn is_estimate_only(&self) -> bool {
        matches!(self.0.kind, ErrorKind::EstimateOnly { .. })
    }
}

impl fmt::Display for Error {
    #[allow(clippy::too_many_lines)] // one sentence for each kind
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(index) = self.0.batch_index {
            write!(f, "in item {index} of the batch, counted from 0: ")?;
        }
        match &self.0.kind {
            ErrorKind::UnknownEncoding { name, known, .. } => {
                write!(f, "there is no encoding named {name:?}; ")?;
                if let Some(near) = self.suggestion() {
                    write!(f, "did you mean {near:?}? Otherwise ")?;
                }
                write!(f, "use one of {}", known.join(", "))
            }
            ErrorKind::MissingFeature { encoding, feature } => {
                write!(
                    f,
                    "the encoding {encoding} is not compiled in; enable the feature `{feature}` of tiktally"
                )
            }
            ErrorKind::UnknownModel { model, .. } => {
                write!(f, "no encoding is known for the model {model:?}; ")?;
                match self.suggestion() {
                    Some(near) => write!(
                        f,
                        "did you mean {near:?}? Otherwise choose an encoding by name"
                    ),
                    None => f.write_str("choose an encoding by name instead"),
                }
            }
            ErrorKind::DisallowedSpecial { token, position } => write!(
                f,
                "the text contains the special token {token:?} at byte {position}, which this call does not allow; \
                 allow it with `Special::allow`, or treat it as plain text with `Special::AS_TEXT`"
            ),
            ErrorKind::EmptySpecial => {
                f.write_str("a list of special tokens contains an empty string; remove it")
            }
            ErrorKind::NoSuchSpecial { token, encoding } => {
                write!(
                    f,
                    "the special token {token:?} cannot be allowed, because {encoding} does not have it; see `special_tokens`"
                )
            }
            ErrorKind::OtherSpecialSet { of, encoding } => write!(
                f,
                "the prepared set of special tokens is of {of}, not of {encoding}; prepare one with `special_set` of {encoding}"
            ),
            ErrorKind::UnknownToken {
                token,
                index,
                encoding,
            } => {
                write!(
                    f,
                    "no token of {encoding} has the id {token} at index {index} of the list; decode with the encoding that made the ids"
                )
            }
            ErrorKind::UnknownTokenBytes {
                shown,
                len,
                encoding,
            } => write!(
                f,
                "the {len} bytes \"{}{}\" are not a single token of {encoding}; use `encode_ordinary` to get the tokens of any text",
                shown.escape_ascii(),
                if shown.len() < *len { "…" } else { "" },
            ),
            ErrorKind::MissingByte { byte, encoding } => write!(
                f,
                "no token of {encoding} covers the byte 0x{byte:02X} of the text; add a token for it to the ranks"
            ),
            ErrorKind::InvalidUtf8 { position } => write!(
                f,
                "the decoded bytes are not valid UTF-8 at byte {position}; use `decode_lossy` or `decode_bytes`"
            ),
            ErrorKind::UnstableTooLong { len, limit } => write!(
                f,
                "the last {len} bytes of the text are unstable, but completions are listed for at most {limit}; use `encode` instead"
            ),
            ErrorKind::InvalidChat { path, problem } => {
                write!(f, "{}: {problem}", message_start(path))
            }
            ErrorKind::UnsupportedContent { path, what } => {
                write!(f, "{}: {what}", message_start(path))
            }
            ErrorKind::ChunkTooSmall {
                max_tokens,
                overlap,
                least,
            } => {
                write!(
                    f,
                    "chunks of {max_tokens} tokens with an overlap of {overlap} may have no room for another character; "
                )?;
                match least {
                    Some(least) => write!(f, "use chunks of at least {least} tokens"),
                    None => f.write_str("use a smaller overlap"),
                }
            }
            ErrorKind::BudgetTooSmall { needed, budget } => write!(
                f,
                "what must stay costs {needed} tokens, but the budget is {budget}; shorten them or raise the budget"
            ),
            ErrorKind::EstimateOnly { reason } => write!(
                f,
                "the tokens of this request can only be estimated, so use `estimate`: {reason}"
            ),
            ErrorKind::InvalidRanks { line, problem } => match line {
                Some(line) => write!(f, "invalid ranks, line {line}: {problem}"),
                None => write!(f, "invalid ranks: {problem}"),
            },
            ErrorKind::Tokenizer { place, problem, .. } if place.is_empty() => {
                write!(f, "the tokenizer file cannot be loaded: {problem}")
            }
            ErrorKind::Tokenizer { place, problem, .. } => {
                write!(f, "the tokenizer file cannot be loaded, {place}: {problem}")
            }
            ErrorKind::HashMismatch { expected, found } => write!(
                f,
                "the rank file has the SHA-256 {found}, but {expected} was expected; check that it is the right file and unchanged"
            ),
            ErrorKind::Io { action, .. } => write!(f, "{action} failed"),
            ErrorKind::InvalidPattern { pattern, problem } => {
                write!(f, "the split pattern {pattern:?} cannot be used: {problem}")
            }
            ErrorKind::PatternLimit { problem } => write!(
                f,
                "the split pattern gave up on the text ({problem}); use a pattern that does not need to backtrack"
            ),
            ErrorKind::UnfitSpecial { token, problem } => {
                write!(f, "the special token {token:?} cannot be added: {problem}")
            }
        }
    }
}

/// Returns the beginning of a message about this place in a chat request.
fn message_start(path: &str) -> &str {
    if path.is_empty() {
        "the chat request"
    } else {
        path
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
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
