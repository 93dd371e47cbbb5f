//! Special tokens: the user's choice of how a text that contains one is encoded.

mod matcher;
mod set;

#[cfg(doc)]
use crate::error::Error;
pub(crate) use matcher::{SpecialTokens, Stretch};
pub use set::SpecialSet;

/// Selects how text that contains a special token is encoded: as the token, as plain text, or with an error.
///
/// It stands for tiktoken's `allowed_special` and `disallowed_special`:
///
/// | `Special` | tiktoken | special tokens in the text |
/// |---|---|---|
/// | [`REJECT`](Self::REJECT), the default | `encode(text)` | an error |
/// | [`ALLOW_ALL`](Self::ALLOW_ALL) | `allowed_special="all"` | become tokens |
/// | [`AS_TEXT`](Self::AS_TEXT) | `disallowed_special=()` | are plain text |
/// | [`allow`](Self::allow) | `allowed_special={…}` | these become tokens, the others are an error |
/// | [`allow`](Self::allow)`(…)`[`.others_as_text`](Self::others_as_text)`()` | `allowed_special={…}, disallowed_special=()` | these become tokens, the others are plain text |
/// | [`reject`](Self::reject) | `disallowed_special={…}` | these are an error, the others are plain text |
/// | [`ALLOW_ALL`](Self::ALLOW_ALL)`.`[`rejecting`](Self::rejecting)`(…)` | `allowed_special="all", disallowed_special={…}` | these are an error, the others become tokens |
/// | [`allow`](Self::allow)`(…).`[`rejecting`](Self::rejecting)`(…)` | `allowed_special={…}, disallowed_special={…}` | the second ones are an error, even if they are allowed; the first ones become tokens, the rest is plain text |
///
/// tiktoken ignores names in `allowed_special` that the encoding does not have; [`ignoring_unknown`](Self::ignoring_unknown)
/// does so too. For a choice that many calls use, [`SpecialSet`] looks the names up once.
///
/// For text from users, choose [`AS_TEXT`](Self::AS_TEXT), as [`encode_ordinary`](crate::Encoding::encode_ordinary)
/// does, or reject special tokens. Allow them only in text that your program wrote.
///
/// ```
/// # #[cfg(feature = "cl100k_base")] {
/// use tiktally::{Special, cl100k_base};
///
/// let encoding = cl100k_base();
/// let text = "Hi<|endoftext|>";
/// assert_eq!(encoding.encode(text, Special::ALLOW_ALL)?, [13347, 100257]);
/// assert_eq!(encoding.encode(text, Special::AS_TEXT)?, [13347, 27, 91, 8862, 728, 428, 91, 29]);
/// assert!(encoding.encode(text, Special::REJECT).unwrap_err().is_disallowed_special());
/// assert!(encoding.encode(text, Special::allow(&["<|endofprompt|>"])).is_err());
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Special<'a> {
    allowed: Allowed<'a>,
    rejected: Rejected<'a>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Allowed<'a> {
    #[default]
    None,
    All,
    These {
        texts: &'a [&'a str],
        unknown: Unknown,
    },
    Set(&'a SpecialSet),
}

/// How an allowed text that is not a special token is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unknown {
    Error,
    Ignore,
}

#[derive(Clone, Copy, Debug, Default)]
enum Rejected<'a> {
    None,
    /// Every special token that is not allowed.
    #[default]
    Others,
    These(&'a [&'a str]),
    Set(&'a SpecialSet),
}

impl<'a> Special<'a> {
    /// Any special token in the text is an error. The whole text is checked before anything is encoded. This is the
    /// default, as in tiktoken.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::{Special, cl100k_base};
    ///
    /// let error = cl100k_base().encode("Hi<|endoftext|>", Special::REJECT).unwrap_err();
    /// assert_eq!(error.position(), Some(2));
    /// # }
    /// ```
    pub const REJECT: Special<'static> = Special {
        allowed: Allowed::None,
        rejected: Rejected::Others,
    };
    /// Every special token in the text is encoded as that token.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::{Special, cl100k_base};
    ///
    /// assert_eq!(cl100k_base().encode("Hi<|endoftext|>", Special::ALLOW_ALL)?, [13347, 100257]);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub const ALLOW_ALL: Special<'static> = Special {
        allowed: Allowed::All,
        rejected: Rejected::None,
    };
    /// Special tokens in the text are encoded as plain text.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::{Special, cl100k_base};
    ///
    /// assert_eq!(cl100k_base().count_with("Hi<|endoftext|>", Special::AS_TEXT)?, 8);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub const AS_TEXT: Special<'static> = Special {
        allowed: Allowed::None,
        rejected: Rejected::None,
    };

    /// Allows these special tokens: they are encoded as tokens, and any other special token in the text is an error.
    ///
    /// A string that is empty, or that is not a special token of the encoding, makes the encoding call fail with
    /// [`is_invalid_special`](Error::is_invalid_special).
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::{Special, cl100k_base};
    ///
    /// let special = Special::allow(&["<|endoftext|>"]);
    /// assert_eq!(cl100k_base().encode("Hi<|endoftext|>", special)?, [13347, 100257]);
    /// assert!(cl100k_base().encode("Hi<|endofprompt|>", special).unwrap_err().is_disallowed_special());
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[must_use]
    pub const fn allow(tokens: &'a [&'a str]) -> Self {
        Self {
            allowed: Allowed::These {
                texts: tokens,
                unknown: Unknown::Error,
            },
            rejected: Rejected::Others,
        }
    }

    /// Ignores allowed strings that are not special tokens of the encoding, as tiktoken does. Without it, they are an error.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::{Special, cl100k_base};
    ///
    /// let special = Special::allow(&["<|endoftext|>", "<|im_start|>"]);
    /// assert!(cl100k_base().encode("Hi<|endoftext|>", special).unwrap_err().is_invalid_special());
    /// assert_eq!(cl100k_base().encode("Hi<|endoftext|>", special.ignoring_unknown())?, [13347, 100257]);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[must_use]
    pub const fn ignoring_unknown(mut self) -> Self {
        if let Allowed::These { texts, .. } = self.allowed {
            let unknown = Unknown::Ignore;
            self.allowed = Allowed::These { texts, unknown };
        }
        self
    }

    /// Rejects these strings wherever they occur, even if they are allowed. Special tokens that are neither allowed nor
    /// among these strings become plain text.
    ///
    /// It stands for tiktoken's `allowed_special` with a set of `disallowed_special`.
    ///
    /// An empty string makes the encoding call fail with [`is_invalid_special`](Error::is_invalid_special).
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::{Special, cl100k_base};
    ///
    /// let special = Special::ALLOW_ALL.rejecting(&["<|endofprompt|>"]);
    /// assert_eq!(cl100k_base().encode("Hi<|endoftext|>", special)?, [13347, 100257]);
    /// assert!(cl100k_base().encode("Hi<|endofprompt|>", special).unwrap_err().is_disallowed_special());
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[must_use]
    pub const fn rejecting(mut self, strings: &'a [&'a str]) -> Self {
        self.rejected = Rejected::These(strings);
        self
    }

    /// Uses a choice that was prepared with [`special_set`](crate::Encoding::special_set).
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::{Special, cl100k_base};
    ///
    /// let set = cl100k_base().special_set(Special::allow(&["<|endoftext|>"]))?;
    /// assert_eq!(cl100k_base().encode("Hi<|endoftext|>", Special::set(&set))?, [13347, 100257]);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[must_use]
    pub const fn set(set: &'a SpecialSet) -> Self {
        Self {
            allowed: Allowed::Set(set),
            rejected: Rejected::Set(set),
        }
    }

    /// Makes the special tokens that are not allowed plain text instead of an error.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::{Special, cl100k_base};
    ///
    /// let special = Special::allow(&["<|endoftext|>"]).others_as_text();
    /// assert_eq!(cl100k_base().count_with("<|endoftext|><|endofprompt|>", special)?, 8);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[must_use]
    pub const fn others_as_text(mut self) -> Self {
        self.rejected = Rejected::None;
        self
    }

    /// Rejects these strings wherever they occur, whether they are special tokens or not. Everything else is plain
    /// text.
    ///
    /// An empty string makes the encoding call fail with [`is_invalid_special`](Error::is_invalid_special).
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::{Special, cl100k_base};
    ///
    /// let special = Special::reject(&["secret"]);
    /// assert_eq!(cl100k_base().encode("a secret", special).unwrap_err().position(), Some(2));
    /// assert_eq!(cl100k_base().count_with("Hi<|endoftext|>", special)?, 8);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[must_use]
    pub const fn reject(strings: &'a [&'a str]) -> Self {
        Self::AS_TEXT.rejecting(strings)
    }
}
