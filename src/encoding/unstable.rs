//! Texts whose end may still change: tiktoken's `encode_with_unstable` and `_encode_bytes`.

use super::Encoding;
use crate::error::{Error, ErrorKind};
use crate::merge;
use crate::special::{Special, Stretch};
use crate::split::give_up;
use crate::token_id::TokenId;

/// The longest unstable end of a text, in bytes, for which completions are listed.
///
/// It is the length of the longest built-in token. Each byte of the end adds a search, and an encoding for each token
/// found.
const MAX_UNSTABLE_BYTES: usize = 128;

/// The ids of a text to which more text may be added.
struct OpenText {
    ids: Vec<TokenId>,
    /// How many of the last ids may change when text is added.
    unstable: usize,
}

impl Encoding {
    /// Encodes a text and returns the ids that no further text can change, and all completions of the rest.
    ///
    /// The rest is the unstable end of the text. Each completion is the shortest list of ids that covers this end and
    /// begins a continuation of it. Completions are sorted. They are those of tiktoken, including its rules for white
    /// space.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::Special;
    ///
    /// let encoding = tiktally::cl100k_base();
    /// let (stable, completions) = encoding.encode_with_unstable("hello fanta", Special::REJECT)?;
    /// assert_eq!(encoding.decode(&stable)?, "hello");
    /// assert!(completions.contains(&encoding.encode_ordinary(" fantastic")));
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`encode`](Self::encode), and [`is_unstable_too_long`](Error::is_unstable_too_long): the unstable end of the
    /// text is longer than 128 bytes.
    ///
    /// # Complexity
    /// As [`encode`](Self::encode), plus encoding every token that may continue the unstable end: up to 106,529
    /// completions, for a single space in o200k_base.
    #[allow(clippy::type_complexity)] // the signature of the public contract
    pub fn encode_with_unstable(
        &self,
        text: &str,
        special: Special<'_>,
    ) -> Result<(Vec<TokenId>, Vec<Vec<TokenId>>), Error> {
        let OpenText { mut ids, unstable } =
            self.encode_open(text, special, |text| self.check_text(text))?;
        let stable = ids.len() - unstable;
        let unstable_end = self.decode_bytes(ids.get(stable..).unwrap_or_default())?;
        if unstable_end.len() > MAX_UNSTABLE_BYTES {
            return Err(ErrorKind::UnstableTooLong {
                len: unstable_end.len(),
                limit: MAX_UNSTABLE_BYTES,
            }
            .into());
        }
        ids.truncate(stable);
        Ok((ids, self.completions(&unstable_end)?))
    }

    /// Encodes bytes that need not be valid UTF-8, as tiktoken's `_encode_bytes` does.
    ///
    /// The valid beginning is encoded as text, except its last piece, which is merged as one with all bytes after it.
    /// Bytes that are valid UTF-8 give the ids of [`encode_ordinary`](Self::encode_ordinary).
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// let ids = encoding.encode_bytes(b"hello \xe4\xbd");
    /// assert_eq!(ids, [15339, 220, 8687]);
    /// assert_eq!(encoding.decode_bytes(&ids)?, b"hello \xe4\xbd");
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`encode_ordinary`](Self::encode_ordinary).
    ///
    /// # Complexity
    /// O(n log n) in the bytes.
    #[doc(alias = "_encode_bytes")]
    pub fn encode_bytes(&self, bytes: &[u8]) -> Vec<TokenId> {
        let chunk = bytes.utf8_chunks().next();
        let (valid, rest) = bytes.split_at(chunk.map_or(0, |chunk| chunk.valid().len()));
        let valid = std::str::from_utf8(valid).unwrap_or_default();
        if rest.is_empty() {
            return self.encode_ordinary(valid);
        }
        // bytes without a token are left out
        let open = self.encode_open(valid, Special::AS_TEXT, |text| self.check_split(text));
        let OpenText { mut ids, unstable } = open.unwrap_or_else(|error| give_up(&error));
        let stable = ids.len() - unstable;
        let mut last_piece = Vec::new();
        for &id in ids.get(stable..).unwrap_or_default() {
            last_piece.extend_from_slice(self.vocab().token(id).unwrap_or_default());
        }
        last_piece.extend_from_slice(rest);
        ids.truncate(stable);
        merge::encode_piece(&last_piece, self.vocab(), &mut ids);
        ids
    }

    /// Encodes a text, and counts the ids of its last piece and of the white space that may join it.
    /// Fails if `check` fails for a stretch of it.
    fn encode_open(
        &self,
        text: &str,
        special: Special<'_>,
        check: impl Fn(&str) -> Result<(), Error>,
    ) -> Result<OpenText, Error> {
        let (mut ids, mut unstable) = (Vec::new(), 0);
        for stretch in self.0.special.stretches(text, special, self.name())? {
            match stretch {
                Stretch::Special(id) => {
                    ids.push(id);
                    unstable = 0;
                }
                Stretch::Text(text) => {
                    check(text)?;
                    for piece in self.pieces(text) {
                        let before = ids.len();
                        merge::encode_piece(piece.as_bytes(), self.vocab(), &mut ids);
                        unstable = ids.len() - before;
                    }
                }
            }
        }
        let unstable = self.widen_over_space(&ids, unstable);
        Ok(OpenText { ids, unstable })
    }

    /// Returns the number of unstable ids, white space before them included.
    ///
    /// An added newline can join white-space pieces that were separate (`\s*[\r\n]+`). So before an unstable token of
    /// only `' '`, `'\n'` and `'\t'`, other tokens of this kind are unstable too.
    fn widen_over_space(&self, ids: &[TokenId], mut unstable: usize) -> usize {
        let is_space = |from_end: usize| {
            let id = ids.len().checked_sub(from_end).and_then(|i| ids.get(i));
            let token = id.and_then(|&id| self.decode_single_token_bytes(id).ok());
            token.is_some_and(|token| {
                token
                    .iter()
                    .all(|byte| matches!(byte, b' ' | b'\n' | b'\t'))
            })
        };
        if unstable > 0 && is_space(unstable) {
            while unstable < ids.len() && is_space(unstable + 1) {
                unstable += 1;
            }
        }
        unstable
    }

    /// Returns all completions of the unstable end of a text, sorted.
    fn completions(&self, unstable_end: &[u8]) -> Result<Vec<Vec<TokenId>>, Error> {
        if unstable_end.is_empty() {
            return Ok(Vec::new());
        }
        let mut completions: Vec<Vec<TokenId>> = self
            .vocab()
            .with_prefix(unstable_end)
            .map(|id| vec![id])
            .collect();
        for at in 1..unstable_end.len() {
            let (before, straddled) = unstable_end.split_at(at);
            for id in self.vocab().with_prefix(straddled) {
                let token = self.vocab().token(id).unwrap_or_default();
                completions.push(self.covering(&[before, token].concat(), unstable_end.len())?);
            }
        }
        completions.extend(self.split_before_last_space(unstable_end));
        completions.sort_unstable();
        completions.dedup();
        Ok(completions)
    }

    /// Encodes a continuation, and returns its first ids until they cover `len` bytes.
    fn covering(&self, continuation: &[u8], len: usize) -> Result<Vec<TokenId>, Error> {
        let mut ids = Vec::new();
        match std::str::from_utf8(continuation) {
            Ok(text) => ids = self.encode(text, Special::AS_TEXT)?,
            // tiktoken merges bytes that are not valid UTF-8 as one piece
            Err(_) => merge::merge_piece(continuation, self.vocab(), &mut ids),
        }
        let mut covered = 0;
        let enough = ids.iter().position(|&id| {
            covered += self.vocab().token(id).map_or(0, <[u8]>::len);
            covered >= len
        });
        ids.truncate(enough.map_or(ids.len(), |index| index + 1));
        Ok(ids)
    }

    /// Encodes the unstable end with a cut before its last character, if that is white space.
    ///
    /// A visible character after the end takes this character into its piece (`\s+(?!\S)`). No other continuation makes
    /// a new cut inside the end.
    fn split_before_last_space(&self, unstable_end: &[u8]) -> Option<Vec<TokenId>> {
        let last = unstable_end
            .utf8_chunks()
            .last()
            .filter(|chunk| chunk.invalid().is_empty())?
            .valid()
            .chars()
            .next_back()?;
        let (before, space) = unstable_end.split_at(unstable_end.len() - last.len_utf8());
        if before.is_empty()
            || crate::split::classes::class_of(last.into()) & crate::split::classes::WHITE == 0
        {
            return None;
        }
        let mut ids = Vec::new();
        merge::merge_piece(before, self.vocab(), &mut ids);
        merge::merge_piece(space, self.vocab(), &mut ids);
        Some(ids)
    }
}
