//! Encoding and counting whole texts.

use super::Encoding;
use crate::engine::Engine;
use crate::engine::sink::Count;
use crate::error::{Error, ErrorKind};
use crate::special::{Special, Stretch};
use crate::split::Pieces;
use crate::token_id::TokenId;

impl Encoding {
    /// The ids of a text in which special strings are plain text. Never fails.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// assert_eq!(encoding.encode_ordinary("你好"), [57668, 53901]);
    /// assert_eq!(encoding.encode_ordinary("<|endoftext|>"), [27, 91, 8862, 728, 428, 91, 29]);
    /// # }
    /// ```
    ///
    /// # Panics
    /// Only where a pattern of one's own that backtracks gives up on the text; `try_encode_ordinary` returns an error there.
    ///
    /// # Complexity
    /// Linear in the bytes of the text; O(n log n) in those of a piece that is made against the merge.
    pub fn encode_ordinary(&self, text: &str) -> Vec<TokenId> {
        let mut ids = Vec::new();
        self.encode_ordinary_into(text, &mut ids);
        ids
    }

    /// Appends the ids of a text to a buffer of the caller's: [`encode_ordinary`](Self::encode_ordinary) without a new
    /// `Vec` a call.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let mut ids = Vec::new();
    /// for line in ["hello", " world"] {
    ///     tiktally::cl100k_base().encode_ordinary_into(line, &mut ids);
    /// }
    /// assert_eq!(ids, [15339, 1917]);
    /// # }
    /// ```
    ///
    /// # Complexity
    /// As [`encode_ordinary`](Self::encode_ordinary).
    pub fn encode_ordinary_into(&self, text: &str, ids: &mut Vec<TokenId>) {
        Engine::with(|engine| engine.append(text, self.splitter(), self.vocab(), ids));
    }

    /// Fails if the pattern gives up on the text.
    pub(super) fn check_pattern(&self, text: &str) -> Result<(), Error> {
        if self.splitter().can_fail() {
            let mut pieces = self.splitter().pieces_of_whole_text(text);
            return pieces.try_for_each(|piece| piece.map(drop));
        }
        Ok(())
    }

    /// The ids of a text; `special` says what special strings in it become. Between special tokens each stretch is
    /// encoded on its own, as if it were a whole text.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::Special;
    ///
    /// let encoding = tiktally::cl100k_base();
    /// assert_eq!(encoding.encode("hello <|endoftext|>", Special::ALLOW_ALL)?, [15339, 220, 100257]);
    ///
    /// let error = encoding.encode("hello <|endoftext|>", Special::REJECT).unwrap_err();
    /// assert_eq!((error.special_token(), error.position()), (Some("<|endoftext|>"), Some(6)));
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_disallowed_special`](Error::is_disallowed_special): the text holds a special string that `special` rejects.
    /// [`is_invalid_special`](Error::is_invalid_special): a list in `special` makes no sense for this encoding.
    ///
    /// # Complexity
    /// As [`encode_ordinary`](Self::encode_ordinary), and one or two searches for special tokens.
    pub fn encode(&self, text: &str, special: Special<'_>) -> Result<Vec<TokenId>, Error> {
        let mut ids = Vec::new();
        for stretch in self.0.special.stretches(text, special, self.name())? {
            match stretch {
                Stretch::Text(text) => {
                    self.check_pattern(text)?;
                    self.encode_ordinary_into(text, &mut ids);
                }
                Stretch::Special(id) => ids.push(id),
            }
        }
        Ok(ids)
    }

    /// The id of the one token that has exactly these bytes: an ordinary token, or else a special one.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// assert_eq!(encoding.encode_single_token(" world")?, 1917);
    /// assert_eq!(encoding.encode_single_token("<|endoftext|>")?, 100257);
    /// assert_eq!(encoding.encode_single_token(b"\xe4\xbd")?, 8687);
    /// assert!(encoding.encode_single_token("two words").unwrap_err().is_unknown_token_bytes());
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_unknown_token_bytes`](Error::is_unknown_token_bytes): no token has these bytes.
    ///
    /// # Complexity
    /// O(n) in the bytes.
    pub fn encode_single_token(&self, token: impl AsRef<[u8]>) -> Result<TokenId, Error> {
        let bytes = token.as_ref();
        self.vocab()
            .id(bytes)
            .or_else(|| self.0.special.id(bytes))
            .ok_or_else(|| {
                let shown = bytes.iter().copied().take(64).collect();
                ErrorKind::UnknownTokenBytes {
                    shown,
                    len: bytes.len(),
                    encoding: self.name().to_owned(),
                }
                .into()
            })
    }

    /// The pieces that the split pattern yields, each of which is encoded on its own. Joined they are the text.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let pieces: Vec<&str> = tiktally::cl100k_base().pieces("It's 2024 already").collect();
    /// assert_eq!(pieces, ["It", "'s", " ", "202", "4", " already"]);
    /// # }
    /// ```
    ///
    /// # Panics
    /// As [`encode_ordinary`](Self::encode_ordinary).
    ///
    /// # Complexity
    /// O(n) in the bytes.
    pub fn pieces<'t>(&self, text: &'t str) -> Pieces<'t> {
        self.splitter().pieces(text)
    }

    /// The number of tokens of a text in which special strings are plain text: the length of
    /// [`encode_ordinary`](Self::encode_ordinary). Never fails.
    ///
    /// ```
    /// # #[cfg(feature = "o200k_base")]
    /// assert_eq!(tiktally::o200k_base().count("How many tokens is this?"), 6);
    /// ```
    ///
    /// # Panics
    /// As [`encode_ordinary`](Self::encode_ordinary); `try_count` returns an error there.
    ///
    /// # Complexity
    /// As [`encode_ordinary`](Self::encode_ordinary), in memory that does not grow with the number of tokens.
    pub fn count(&self, text: &str) -> usize {
        self.count_beyond(text, usize::MAX)
    }

    /// The number of tokens of a text, or any number beyond the limit if it has more.
    fn count_beyond(&self, text: &str, limit: usize) -> usize {
        let mut sink = Count::new(limit);
        Engine::with(|engine| engine.encode(text, self.splitter(), self.vocab(), &mut sink));
        sink.tokens
    }

    /// The number of tokens that [`encode`](Self::encode) would give.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::Special;
    ///
    /// let encoding = tiktally::cl100k_base();
    /// assert_eq!(encoding.count_with("hello <|endoftext|>", Special::ALLOW_ALL)?, 3);
    /// assert!(encoding.count_with("hello <|endoftext|>", Special::REJECT).is_err());
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    ///
    /// # Complexity
    /// As [`encode`](Self::encode).
    pub fn count_with(&self, text: &str, special: Special<'_>) -> Result<usize, Error> {
        let mut count = 0;
        for stretch in self.0.special.stretches(text, special, self.name())? {
            count += match stretch {
                Stretch::Text(text) => {
                    self.check_pattern(text)?;
                    self.count(text)
                }
                Stretch::Special(_) => 1,
            };
        }
        Ok(count)
    }

    /// The number of tokens of a text if it is at most `limit`, `None` as soon as it is over.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// assert_eq!(encoding.count_up_to("tiktoken is great!", 6), Some(6));
    /// assert_eq!(encoding.count_up_to("tiktoken is great!", 5), None);
    /// # }
    /// ```
    ///
    /// # Complexity
    /// That of counting the text up to the limit, and some 500 pieces more; a text of more bytes than `limit` of the longest
    /// tokens have is over without being looked at.
    pub fn count_up_to(&self, text: &str, limit: usize) -> Option<usize> {
        let most = limit.saturating_mul(self.vocab().max_token_len());
        if text.len() > most && !self.splitter().needs_whole_text() {
            return None;
        }
        Some(self.count_beyond(text, limit)).filter(|count| *count <= limit)
    }
}
