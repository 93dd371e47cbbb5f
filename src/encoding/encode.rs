//! Encoding and counting whole texts.

use super::Encoding;
use crate::engine::Engine;
use crate::engine::first::append_first;
use crate::engine::sink::Count;
use crate::error::{Error, ErrorKind};
use crate::merge;
use crate::special::{Special, Stretch};
use crate::split::Pieces;
use crate::token_id::TokenId;

/// How many bytes of an unknown token an error keeps to show them.
const SHOWN_BYTES: usize = 64;

impl Encoding {
    /// Encodes a text and returns its ids. Special tokens in it are read as plain text.
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
    /// Panics only if a custom pattern that backtracks gives up on the text; `try_encode_ordinary` returns an error
    /// instead.
    ///
    /// # Complexity
    /// O(n) in the bytes of the text; O(n log n) in the bytes of a single piece that is crafted to defeat the linear
    /// merge.
    pub fn encode_ordinary(&self, text: &str) -> Vec<TokenId> {
        let mut ids = Vec::new();
        self.encode_ordinary_into(text, &mut ids);
        ids
    }

    /// Appends the ids of a text to `ids`. Like [`encode_ordinary`](Self::encode_ordinary), but reuses the caller's
    /// buffer.
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
    /// # Panics
    /// As [`encode_ordinary`](Self::encode_ordinary).
    ///
    /// # Complexity
    /// As [`encode_ordinary`](Self::encode_ordinary).
    pub fn encode_ordinary_into(&self, text: &str, ids: &mut Vec<TokenId>) {
        if !append_first(text, self.splitter(), self.vocab(), ids) {
            Engine::with(|engine| engine.append(text, self.splitter(), self.vocab(), ids));
        }
    }

    /// Fails if the pattern gives up on the text, or if a byte of it has no token. The text is split here once more,
    /// because the engine cannot return an error.
    pub(super) fn check_text(&self, text: &str) -> Result<(), Error> {
        self.check_split(text)?;
        if self.vocab().lacks_bytes() {
            self.pieces(text)
                .try_for_each(|piece| self.check_bytes(piece))?;
        }
        Ok(())
    }

    /// Fails if the pattern gives up on the text, which only patterns that backtrack can.
    pub(super) fn check_split(&self, text: &str) -> Result<(), Error> {
        if self.splitter().can_fail() {
            let mut pieces = self.splitter().pieces_of_whole_text(text);
            return pieces.try_for_each(|piece| piece.map(drop));
        }
        Ok(())
    }

    /// Fails if a byte of a piece has no token.
    fn check_bytes(&self, piece: &str) -> Result<(), Error> {
        let mut rest = piece.as_bytes();
        for id in self.encode_piece(rest) {
            let token = self.vocab().token(id).unwrap_or_default();
            match rest.strip_prefix(token) {
                Some(after) => rest = after,
                None => break,
            }
        }
        match rest.first() {
            None => Ok(()),
            Some(byte) => {
                let (byte, encoding) = (*byte, self.name().to_owned());
                Err(ErrorKind::MissingByte { byte, encoding }.into())
            }
        }
    }

    /// Encodes a text and returns its ids; the [`Special`] decides whether special tokens become ids, text or an
    /// error.
    ///
    /// The text between two special tokens is encoded by itself, like a whole text.
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
    /// - [`is_disallowed_special`](Error::is_disallowed_special): the text contains a string that `special` rejects.
    /// - [`is_invalid_special`](Error::is_invalid_special): a list in `special` contains an empty string, or allows a
    ///   token that this encoding does not have.
    /// - [`is_pattern_limit`](Error::is_pattern_limit): a custom pattern that backtracks gave up on the text.
    /// - [`is_unknown_token_bytes`](Error::is_unknown_token_bytes): a byte of the text has no token, in a custom
    ///   vocabulary that lacks bytes.
    ///
    /// # Complexity
    /// As [`encode_ordinary`](Self::encode_ordinary), plus one or two searches for special tokens. If the pattern can give
    /// up or a byte has no token, the text is split twice.
    pub fn encode(&self, text: &str, special: Special<'_>) -> Result<Vec<TokenId>, Error> {
        let mut ids = Vec::new();
        self.encode_into(text, special, &mut ids)?;
        Ok(ids)
    }

    /// Appends the ids that [`encode`](Self::encode) returns to `ids`: all of them, or nothing if there is an error.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::{Special, cl100k_base};
    ///
    /// let mut ids = vec![1];
    /// cl100k_base().encode_into("hello <|endoftext|>", Special::ALLOW_ALL, &mut ids)?;
    /// assert_eq!(ids, [1, 15339, 220, 100257]);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    ///
    /// # Complexity
    /// As [`encode`](Self::encode).
    pub fn encode_into(
        &self,
        text: &str,
        special: Special<'_>,
        ids: &mut Vec<TokenId>,
    ) -> Result<(), Error> {
        self.encode_stretches(text, special, ids, |text, ids| {
            self.encode_ordinary_into(text, ids);
        })
    }

    /// Appends the ids of all stretches of a text: those of special tokens, and those that `append` adds for other text.
    /// Appends nothing if there is an error.
    pub(super) fn encode_stretches(
        &self,
        text: &str,
        special: Special<'_>,
        ids: &mut Vec<TokenId>,
        mut append: impl FnMut(&str, &mut Vec<TokenId>),
    ) -> Result<(), Error> {
        let before = ids.len();
        let done = self.for_each_stretch(text, special, |stretch| match stretch {
            Stretch::Text(text) => append(text, ids),
            Stretch::Special(id) => ids.push(id),
        });
        if done.is_err() {
            ids.truncate(before);
        }
        done
    }

    /// Calls `take` with each stretch of a text that can be encoded. Fails at the first one that cannot.
    fn for_each_stretch<'t>(
        &'t self,
        text: &'t str,
        special: Special<'t>,
        mut take: impl FnMut(Stretch<'t>),
    ) -> Result<(), Error> {
        for stretch in self.special().stretches(text, special, self.name())? {
            if let Stretch::Text(text) = stretch {
                self.check_text(text)?;
            }
            take(stretch);
        }
        Ok(())
    }

    /// Merges bytes that are one piece, and need not be UTF-8. The pattern does not split them.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// assert_eq!(encoding.encode_piece(b" world"), [1917]);
    /// assert_eq!(encoding.encode_piece(b"hello world\xff"), [15339, 1917, 187]);
    /// # }
    /// ```
    ///
    /// # Complexity
    /// O(n log n) in the bytes.
    #[doc(alias = "encode_single_piece")]
    pub fn encode_piece(&self, piece: &[u8]) -> Vec<TokenId> {
        let mut ids = Vec::new();
        merge::encode_piece(piece, self.vocab(), &mut ids);
        ids
    }

    /// Returns the id of the token that has exactly these bytes: of an ordinary token, or else of a special one.
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
                let shown = bytes.iter().copied().take(SHOWN_BYTES).collect();
                ErrorKind::UnknownTokenBytes {
                    shown,
                    len: bytes.len(),
                    encoding: self.name().to_owned(),
                }
                .into()
            })
    }

    /// Splits a text by the pattern and returns an iterator over its pieces. Each piece is encoded by itself.
    ///
    /// Joined, the pieces are the text again, except with a custom pattern that drops text it does not match.
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

    /// Counts the tokens of a text. Special tokens in it are read as plain text.
    ///
    /// The count is the length of [`encode_ordinary`](Self::encode_ordinary), without building the ids.
    ///
    /// ```
    /// # #[cfg(feature = "o200k_base")]
    /// assert_eq!(tiktally::o200k_base().count("How many tokens is this?"), 6);
    /// ```
    ///
    /// # Panics
    /// As [`encode_ordinary`](Self::encode_ordinary); `try_count` returns an error instead.
    ///
    /// # Complexity
    /// As [`encode_ordinary`](Self::encode_ordinary), in memory that does not grow with the number of tokens.
    pub fn count(&self, text: &str) -> usize {
        self.count_until(text, usize::MAX)
    }

    /// Counts the tokens of a text, but stops after the limit. If there are more tokens, the result is some number above
    /// it.
    fn count_until(&self, text: &str, limit: usize) -> usize {
        let mut ids = Vec::new();
        if append_first(text, self.splitter(), self.vocab(), &mut ids) {
            return ids.len();
        }
        let mut sink = Count::new(limit);
        Engine::with(|engine| engine.encode(text, self.splitter(), self.vocab(), &mut sink));
        sink.tokens
    }

    /// Counts the ids that [`encode`](Self::encode) returns; takes a [`Special`] for the special tokens in the text.
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
        self.count_stretches(text, special, |text| self.count(text))
    }

    /// Returns the number of ids of all stretches of a text: one for each special token, and those that `count` finds in
    /// other text.
    pub(super) fn count_stretches(
        &self,
        text: &str,
        special: Special<'_>,
        mut count: impl FnMut(&str) -> usize,
    ) -> Result<usize, Error> {
        let mut tokens = 0;
        self.for_each_stretch(text, special, |stretch| {
            tokens += match stretch {
                Stretch::Text(text) => count(text),
                Stretch::Special(_) => 1,
            };
        })?;
        Ok(tokens)
    }

    /// Counts the tokens of a text up to `limit`, and returns `None` as soon as there are more.
    ///
    /// Special tokens are plain text, as in [`count`](Self::count).
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// assert_eq!(encoding.count_up_to("tiktoken is great!", 6), Some(6));
    /// assert_eq!(encoding.count_up_to("tiktoken is great!", 5), None);
    /// # }
    /// ```
    ///
    /// # Panics
    /// As [`encode_ordinary`](Self::encode_ordinary).
    ///
    /// # Complexity
    /// As counting the text up to the limit, and some 512 pieces more. A text longer than `limit` times the longest token
    /// is rejected without being read. Encodings that drop text, backtrack or lack bytes read it.
    pub fn count_up_to(&self, text: &str, limit: usize) -> Option<usize> {
        let is_too_long = || text.len() > limit.saturating_mul(self.vocab().max_token_len());
        // the longest token is known from the tables, which a short text does not need
        if text.len() > limit && self.covers_text() && is_too_long() {
            return None;
        }
        Some(self.count_until(text, limit)).filter(|count| *count <= limit)
    }
}
