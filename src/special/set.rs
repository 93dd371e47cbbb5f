//! A choice of special tokens that is prepared for one encoding.

use std::ptr;

use super::Special;
use super::matcher::{Rejects, SpecialTokens, Wanted};
use crate::encoding::Encoding;
use crate::error::{Error, ErrorKind};

/// A [`Special`] whose names were looked up in an encoding. It owns all that it needs.
///
/// A `Special` borrows its names, and each call looks them up again. With the 1,091 special tokens of `o200k_harmony`, that
/// takes longer than encoding a short text.
///
/// [`Encoding::special_set`] makes one, and [`Special::set`] uses it. With another encoding, even an equal one that was built
/// a second time, it is an error ([`is_invalid_special`](Error::is_invalid_special)). Clones of an encoding share it.
///
/// ```
/// # #[cfg(all(feature = "cl100k_base", feature = "o200k_base"))] {
/// use tiktally::{Special, cl100k_base, o200k_base};
///
/// let set = cl100k_base().special_set(Special::allow(&["<|endoftext|>"]).others_as_text())?;
/// assert_eq!(cl100k_base().count_with("a<|endoftext|>", Special::set(&set))?, 2);
/// assert_eq!(cl100k_base().clone().count_with("a<|endofprompt|>", Special::set(&set))?, 8);
/// assert!(o200k_base().encode("a", Special::set(&set)).unwrap_err().is_invalid_special());
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SpecialSet {
    encoding: Encoding,
    allowed: Wanted,
    rejected: Rejects,
}

impl SpecialSet {
    /// Returns the allowed tokens, if `tokens` are those of the set's encoding.
    pub(super) fn allowed(&self, tokens: &SpecialTokens, name: &str) -> Result<&Wanted, Error> {
        self.check(tokens, name)?;
        Ok(&self.allowed)
    }

    /// Returns the rejected tokens and strings, if `tokens` are those of the set's encoding.
    pub(super) fn rejected(&self, tokens: &SpecialTokens, name: &str) -> Result<&Rejects, Error> {
        self.check(tokens, name)?;
        Ok(&self.rejected)
    }

    /// Fails if `tokens`, of the encoding with this name, are not those of the set's encoding.
    fn check(&self, tokens: &SpecialTokens, name: &str) -> Result<(), Error> {
        if ptr::eq(self.encoding.special(), tokens) {
            return Ok(());
        }
        Err(ErrorKind::OtherSpecialSet {
            of: self.encoding.name().to_owned(),
            encoding: name.to_owned(),
        }
        .into())
    }
}

impl Encoding {
    /// Prepares a choice of special tokens for many calls: looks its names up and copies them.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::{Special, cl100k_base};
    ///
    /// let names = vec![String::from("<|endoftext|>")];
    /// let names: Vec<&str> = names.iter().map(String::as_str).collect();
    /// let set = cl100k_base().special_set(Special::allow(&names))?;
    /// drop(names);
    /// assert_eq!(cl100k_base().encode("<|endoftext|>", Special::set(&set))?, [100257]);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_invalid_special`](Error::is_invalid_special): a list contains an empty string, or allows a token that this
    /// encoding does not have, or `special` is a set of another encoding.
    ///
    /// # Complexity
    /// O(n log m) in the n names and the m special tokens of the encoding.
    pub fn special_set(&self, special: Special<'_>) -> Result<SpecialSet, Error> {
        let (tokens, name) = (self.special(), self.name());
        Ok(SpecialSet {
            encoding: self.clone(),
            allowed: tokens.allowed(special, name)?.into_owned(),
            rejected: tokens.rejected(special, name)?.into_owned(),
        })
    }
}
