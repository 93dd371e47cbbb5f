//! Texts whose end may still change: tiktoken's `encode_with_unstable` and `_encode_bytes`.

use super::Encoding;
use crate::error::{Error, ErrorKind};
use crate::merge;
use crate::special::{Special, Stretch};
use crate::split::give_up;
use crate::token_id::TokenId;

/// The longest unstable tail, in bytes, whose completions are listed: as long as the longest token.
const MAX_UNSTABLE: usize = 128;

/// The ids of a text whose end is open.
struct Open {
    ids: Vec<TokenId>,
    /// How many of the last ids may change when text is added.
    unstable: usize,
}

impl Encoding {
    /// The ids that no continuation of the text can change, and every way in which the rest may go on.
    ///
    /// The second list holds the completions of the unstable tail, sorted: each is the shortest list of ids that covers
    /// the tail and begins a continuation of it. They are tiktoken's, its rules for white space included.
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
    /// As [`encode`](Self::encode), and [`is_unstable_too_long`](Error::is_unstable_too_long) for an unstable tail of
    /// more than 128 bytes.
    ///
    /// # Complexity
    /// That of [`encode`](Self::encode), and of encoding every token that goes on where the tail may end: up to 106,529
    /// completions for a single space in o200k_base.
    #[allow(clippy::type_complexity)] // the signature of the public contract
    pub fn encode_with_unstable(
        &self,
        text: &str,
        special: Special<'_>,
    ) -> Result<(Vec<TokenId>, Vec<Vec<TokenId>>), Error> {
        let Open { mut ids, unstable } = self.encode_open(text, special)?;
        let stable = ids.len() - unstable;
        let tail = self.decode_bytes(ids.get(stable..).unwrap_or_default())?;
        if tail.len() > MAX_UNSTABLE {
            return Err(ErrorKind::UnstableTooLong {
                len: tail.len(),
                limit: MAX_UNSTABLE,
            }
            .into());
        }
        ids.truncate(stable);
        Ok((ids, self.completions(&tail)?))
    }

    /// The ids of bytes that need not be UTF-8: tiktoken's `_encode_bytes`.
    ///
    /// The valid beginning is encoded as text but for its last piece, which is merged as one with all that follows.
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
        let open = self.encode_open(valid, Special::AS_TEXT);
        let Open { mut ids, unstable } = open.unwrap_or_else(|error| give_up(&error));
        let stable = ids.len() - unstable;
        let mut tail = Vec::new();
        for &id in ids.get(stable..).unwrap_or_default() {
            tail.extend_from_slice(self.vocab().token(id).unwrap_or_default());
        }
        tail.extend_from_slice(rest);
        ids.truncate(stable);
        merge::encode_piece(&tail, self.vocab(), &mut ids);
        ids
    }

    /// The ids of a text, and how many of them belong to the last piece or to the white space that it may join.
    fn encode_open(&self, text: &str, special: Special<'_>) -> Result<Open, Error> {
        let (mut ids, mut unstable) = (Vec::new(), 0);
        for stretch in self.0.special.stretches(text, special, self.name())? {
            match stretch {
                Stretch::Special(id) => {
                    ids.push(id);
                    unstable = 0;
                }
                Stretch::Text(text) => {
                    self.check_pattern(text)?;
                    for piece in self.pieces(text) {
                        let before = ids.len();
                        merge::encode_piece(piece.as_bytes(), self.vocab(), &mut ids);
                        unstable = ids.len() - before;
                    }
                }
            }
        }
        let unstable = self.widen_over_space(&ids, unstable);
        Ok(Open { ids, unstable })
    }

    /// A new newline can glue white-space pieces together that stood apart (`\s*[\r\n]+`), so tokens of nothing but
    /// `' '`, `'\n'` and `'\t'` before an unstable token of the same kind are unstable too.
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

    /// What the unstable tail can become, sorted.
    fn completions(&self, tail: &[u8]) -> Result<Vec<Vec<TokenId>>, Error> {
        if tail.is_empty() {
            return Ok(Vec::new());
        }
        let mut completions: Vec<Vec<TokenId>> =
            self.vocab().with_prefix(tail).map(|id| vec![id]).collect();
        for at in 1..tail.len() {
            let (before, straddled) = tail.split_at(at);
            for id in self.vocab().with_prefix(straddled) {
                let token = self.vocab().token(id).unwrap_or_default();
                completions.push(self.covering(&[before, token].concat(), tail.len())?);
            }
        }
        completions.extend(self.split_before_last_space(tail));
        completions.sort_unstable();
        completions.dedup();
        Ok(completions)
    }

    /// The first ids of a continuation, until they cover `len` bytes.
    fn covering(&self, continuation: &[u8], len: usize) -> Result<Vec<TokenId>, Error> {
        let mut ids = Vec::new();
        match std::str::from_utf8(continuation) {
            Ok(text) => ids = self.encode(text, Special::AS_TEXT)?,
            // tiktoken merges what is no text as one piece
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

    /// A visible character after the tail takes its last white-space character away (`\s+(?!\S)`): the one continuation
    /// that makes a cut appear inside it.
    fn split_before_last_space(&self, tail: &[u8]) -> Option<Vec<TokenId>> {
        let last = tail
            .utf8_chunks()
            .last()
            .filter(|chunk| chunk.invalid().is_empty())?
            .valid()
            .chars()
            .next_back()?;
        let (before, space) = tail.split_at(tail.len() - last.len_utf8());
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
