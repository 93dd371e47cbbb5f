//! Special tokens: what a text that spells one becomes.

mod matcher;

#[cfg(doc)]
use crate::error::Error;
pub(crate) use matcher::{SpecialTokens, Stretch};

/// What text that spells a special token becomes: the token, plain text, or an error.
///
/// tiktoken's `allowed_special` and `disallowed_special`:
///
/// | `Special` | tiktoken | special strings in the text |
/// |---|---|---|
/// | [`REJECT`](Self::REJECT), the default | `encode(text)` | an error |
/// | [`ALLOW_ALL`](Self::ALLOW_ALL) | `allowed_special="all"` | become tokens |
/// | [`AS_TEXT`](Self::AS_TEXT) | `disallowed_special=()` | are plain text |
/// | [`allow`](Self::allow) | `allowed_special={…}` | these become tokens, the others are an error |
/// | [`allow`](Self::allow)`(…)`[`.others_as_text`](Self::others_as_text)`()` | `allowed_special={…}, disallowed_special=()` | these become tokens, the others are plain text |
/// | [`reject`](Self::reject) | `disallowed_special={…}` | these are an error, the others are plain text |
///
/// Text that a user typed is best taken with [`AS_TEXT`](Self::AS_TEXT), as
/// [`encode_ordinary`](crate::Encoding::encode_ordinary) does, or rejected; allow only what the program itself wrote.
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
    These(&'a [&'a str]),
}

#[derive(Clone, Copy, Debug, Default)]
enum Rejected<'a> {
    None,
    /// Every special token that is not allowed.
    #[default]
    Others,
    These(&'a [&'a str]),
}

impl<'a> Special<'a> {
    /// Any special token in the text is an error; the whole text is checked first. tiktoken's default.
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
    /// Every special token in the text becomes that token.
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
    /// Special strings are plain text.
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

    /// These special strings become tokens, all others are an error.
    ///
    /// A string that the encoding does not have as a special token, or an empty one, makes the call fail with
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
            allowed: Allowed::These(tokens),
            rejected: Rejected::Others,
        }
    }

    /// What is not allowed is plain text instead of an error.
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
    pub const fn others_as_text(self) -> Self {
        Self {
            allowed: self.allowed,
            rejected: Rejected::None,
        }
    }

    /// These strings are an error wherever they occur, even ones that are no special token; everything else is text.
    ///
    /// An empty string makes the call fail with [`is_invalid_special`](Error::is_invalid_special).
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
        Self {
            allowed: Allowed::None,
            rejected: Rejected::These(strings),
        }
    }
}
