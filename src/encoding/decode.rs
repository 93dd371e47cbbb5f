//! Ids to bytes and text.

use std::ops::Range;

use super::Encoding;
use crate::TokenId;
use crate::error::{Error, ErrorKind};

/// How many ids are decoded at a time.
const CHUNK: usize = 1024;

/// About how many bytes a token has in most texts.
const USUAL: usize = 4;

/// The bytes of a token that are copied at once.
const ROW: usize = size_of::<crate::vocab::tables::Row>();

impl Encoding {
    /// The bytes of a token, ordinary or special.
    fn token_bytes(&self, id: TokenId) -> Option<&[u8]> {
        self.vocab()
            .token(id)
            .or_else(|| self.0.special.text(id).map(str::as_bytes))
    }

    /// The bytes of each token in turn.
    fn tokens_bytes<'a>(
        &'a self,
        ids: &'a [TokenId],
    ) -> impl Iterator<Item = Result<&'a [u8], Error>> + 'a {
        ids.iter()
            .enumerate()
            .map(|(index, &id)| self.token_bytes(id).ok_or_else(|| self.unknown(id, index)))
    }

    fn unknown(&self, token: TokenId, index: usize) -> Error {
        ErrorKind::UnknownToken {
            token,
            index,
            encoding: self.name().to_owned(),
        }
        .into()
    }

    /// The text of a list of ids.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// assert_eq!(encoding.decode(&[15339, 1917])?, "hello world");
    /// assert_eq!(encoding.decode(&[15339, 8687]).unwrap_err().position(), Some(5));
    /// assert_eq!(encoding.decode(&[15339, 100256]).unwrap_err().index(), Some(1));
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_unknown_token`](Error::is_unknown_token): an id belongs to no token.
    /// [`is_invalid_utf8`](Error::is_invalid_utf8): the bytes of the tokens are no text; see
    /// [`decode_lossy`](Self::decode_lossy) and [`decode_bytes`](Self::decode_bytes).
    ///
    /// # Complexity
    /// O(n) in the bytes of the result.
    pub fn decode(&self, ids: &[TokenId]) -> Result<String, Error> {
        String::from_utf8(self.decode_bytes(ids)?).map_err(|error| {
            ErrorKind::InvalidUtf8 {
                position: error.utf8_error().valid_up_to(),
            }
            .into()
        })
    }

    /// The text of a list of ids, with U+FFFD for what is not UTF-8, as tiktoken's `errors="replace"`.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().decode_lossy(&[15339, 8687])?, "hello\u{fffd}");
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_unknown_token`](Error::is_unknown_token): an id belongs to no token.
    ///
    /// # Complexity
    /// O(n) in the bytes of the result.
    pub fn decode_lossy(&self, ids: &[TokenId]) -> Result<String, Error> {
        let text = String::from_utf8(self.decode_bytes(ids)?);
        Ok(text.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// The bytes of a list of ids.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().decode_bytes(&[15339, 8687])?, b"hello\xe4\xbd");
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_unknown_token`](Error::is_unknown_token): an id belongs to no token.
    ///
    /// # Complexity
    /// O(n) in the bytes of the result.
    pub fn decode_bytes(&self, ids: &[TokenId]) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.decode_into(ids, &mut bytes)?;
        Ok(bytes)
    }

    /// Appends the bytes of a list of ids to a buffer of the caller's: all of them, or nothing if there is an error.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let mut bytes = b"> ".to_vec();
    /// tiktally::cl100k_base().decode_into(&[15339, 1917], &mut bytes)?;
    /// assert_eq!(bytes, b"> hello world");
    /// assert!(tiktally::cl100k_base().decode_into(&[15339, u32::MAX], &mut bytes).is_err());
    /// assert_eq!(bytes, b"> hello world");
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_unknown_token`](Error::is_unknown_token): an id belongs to no token.
    ///
    /// # Complexity
    /// O(n) in the bytes appended.
    pub fn decode_into(&self, ids: &[TokenId], bytes: &mut Vec<u8>) -> Result<(), Error> {
        let before = bytes.len();
        bytes.reserve(ids.len().saturating_mul(USUAL) + ROW);
        for (chunk, index) in ids.chunks(CHUNK).zip((0..).step_by(CHUNK)) {
            if !self.decode_mergeable(chunk, bytes) {
                for (i, &id) in chunk.iter().enumerate() {
                    let Some(token) = self.token_bytes(id) else {
                        bytes.truncate(before);
                        return Err(self.unknown(id, index + i));
                    };
                    bytes.extend_from_slice(token);
                }
            }
        }
        Ok(())
    }

    /// Appends the bytes of ids that are all mergeable tokens; otherwise appends nothing and says so.
    ///
    /// The first 16 bytes of a token are copied whatever its length is: the next token is written over what is too much.
    #[allow(clippy::indexing_slicing)] // the ids have lengths, so rows too, and the buffer has room for all of them
    fn decode_mergeable(&self, ids: &[TokenId], bytes: &mut Vec<u8>) -> bool {
        let (rows, lengths) = (self.vocab().rows(), self.vocab().lengths());
        let len = |id: TokenId| usize::from(lengths.get(id as usize).copied().unwrap_or(0));
        let (total, known) = ids.iter().fold((0, true), |(total, known), &id| {
            (total + len(id), known & (len(id) != 0))
        });
        if !known {
            return false;
        }
        let mut at = bytes.len();
        bytes.resize(at + total + ROW, 0);
        for &id in ids {
            bytes[at..at + ROW].copy_from_slice(&rows[id as usize]);
            let len = len(id);
            if len > ROW {
                let token = self.vocab().token(id).unwrap_or_default();
                bytes[at..at + len].copy_from_slice(token);
            }
            at += len;
        }
        bytes.truncate(at);
        true
    }

    /// The bytes of one token, which need not be UTF-8.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// assert_eq!(encoding.decode_single_token_bytes(1917)?, b" world");
    /// assert!(encoding.decode_single_token_bytes(100256).unwrap_err().is_unknown_token());
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_unknown_token`](Error::is_unknown_token): the id belongs to no token.
    ///
    /// # Complexity
    /// O(1).
    pub fn decode_single_token_bytes(&self, id: TokenId) -> Result<&[u8], Error> {
        self.token_bytes(id).ok_or_else(|| self.unknown(id, 0))
    }

    /// The bytes of each token of a list.
    ///
    /// ```
    /// # #[cfg(feature = "p50k_base")] {
    /// let encoding = tiktally::p50k_base();
    /// let bytes = encoding.decode_tokens_bytes(&encoding.encode_ordinary("你好"))?;
    /// assert_eq!(bytes, [&b"\xe4\xbd"[..], b"\xa0", b"\xe5\xa5", b"\xbd"]);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_unknown_token`](Error::is_unknown_token): an id belongs to no token.
    ///
    /// # Complexity
    /// O(n) in the ids.
    pub fn decode_tokens_bytes(&self, ids: &[TokenId]) -> Result<Vec<&[u8]>, Error> {
        let mut tokens = Vec::with_capacity(ids.len());
        for (index, &id) in ids.iter().enumerate() {
            tokens.push(
                self.token_bytes(id)
                    .ok_or_else(|| self.unknown(id, index))?,
            );
        }
        Ok(tokens)
    }

    /// The text of a list of ids, and for each token the character that it starts at, counted in characters.
    ///
    /// A token that starts inside a character has the offset of that character: tiktoken's rule.
    ///
    /// ```
    /// # #[cfg(feature = "p50k_base")] {
    /// let encoding = tiktally::p50k_base();
    /// let (text, offsets) = encoding.decode_with_offsets(&encoding.encode_ordinary("你好!"))?;
    /// assert_eq!(text, "你好!");
    /// assert_eq!(offsets, [0, 0, 1, 1, 2]);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    ///
    /// # Complexity
    /// O(n) in the bytes of the text.
    pub fn decode_with_offsets(&self, ids: &[TokenId]) -> Result<(String, Vec<usize>), Error> {
        let text = self.decode(ids)?;
        let is_continuation = |byte: &u8| byte & 0xC0 == 0x80;
        let mut chars: usize = 0;
        let mut offsets = Vec::with_capacity(ids.len());
        for token in self.tokens_bytes(ids) {
            let token = token?;
            let inside = token.first().is_some_and(is_continuation);
            offsets.push(chars.saturating_sub(usize::from(inside)));
            chars += token.iter().filter(|byte| !is_continuation(byte)).count();
        }
        Ok((text, offsets))
    }

    /// The range of bytes that each token has in [`decode_bytes`](Self::decode_bytes) of the list.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().token_ranges(&[15339, 1917])?, [0..5, 5..11]);
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_unknown_token`](Error::is_unknown_token): an id belongs to no token.
    ///
    /// # Complexity
    /// O(n) in the ids.
    pub fn token_ranges(&self, ids: &[TokenId]) -> Result<Vec<Range<usize>>, Error> {
        let mut end = 0;
        self.tokens_bytes(ids)
            .map(|token| {
                let start = end;
                end += token?.len();
                Ok(start..end)
            })
            .collect()
    }
}
