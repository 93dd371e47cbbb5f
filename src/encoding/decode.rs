//! Ids to bytes and text.

use std::ops::Range;

use prefetch_index::prefetch_index;

use super::Encoding;
use crate::error::{Error, ErrorKind};
use crate::token_id::TokenId;
use crate::utf8::{is_continuation, without_cut_char};
use crate::vocab::Vocabulary;
use crate::vocab::tables::Row;

/// How many ids are decoded at a time, while memory brings the rows of as many more.
const BATCH_IDS: usize = 32;

/// How many bytes are put together at a time, or a row more.
const STAGE_BYTES: usize = 1024;

/// With more bytes than this the stage has no room for a chunk that is all rows.
const FULL_STAGE_BYTES: usize = STAGE_BYTES - BATCH_IDS * ROW_BYTES;

/// Of about how many ids the lengths are looked at to guess those of all.
const SAMPLE_IDS: usize = 64;

/// How many ids become text at a time.
const TEXT_BATCH_IDS: usize = 2048;

/// The bytes of a token that are copied at once.
const ROW_BYTES: usize = size_of::<Row>();

impl Encoding {
    /// The bytes of a token, ordinary or special.
    pub(crate) fn token_bytes(&self, id: TokenId) -> Option<&[u8]> {
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

    pub(crate) fn unknown(&self, token: TokenId, index: usize) -> Error {
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
        if let Some(text) = self.text(ids) {
            return Ok(text);
        }
        // once more, for what is wrong and where
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
        match self.text(ids) {
            Some(text) => Ok(text),
            None => Ok(String::from_utf8_lossy(&self.decode_bytes(ids)?).into_owned()),
        }
    }

    /// The text of a list of ids, if they are all tokens and it is one.
    ///
    /// Checked part by part while that is in the nearest cache, so that the check costs next to nothing.
    fn text(&self, ids: &[TokenId]) -> Option<String> {
        let mut text = String::with_capacity(self.about(ids));
        let mut bytes = Vec::new();
        for part in ids.chunks(TEXT_BATCH_IDS) {
            self.decode_into(part, &mut bytes).ok()?;
            let whole = without_cut_char(&bytes);
            text.push_str(simdutf8::basic::from_utf8(bytes.get(..whole)?).ok()?);
            bytes.drain(..whole);
        }
        bytes.is_empty().then_some(text)
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
        bytes.reserve(self.about(ids));
        let done = self.each_stage(ids, |part| bytes.extend_from_slice(part));
        if done.is_err() {
            bytes.truncate(before);
        }
        done
    }

    /// Hands out the bytes of a list of ids, some tokens at a time.
    fn each_stage(&self, ids: &[TokenId], mut take: impl FnMut(&[u8])) -> Result<(), Error> {
        let mut stage = [0; STAGE_BYTES + ROW_BYTES];
        let mut done = 0;
        while let rest @ [_, ..] = ids.get(done..).unwrap_or_default() {
            let (count, bytes) = fill(&mut stage, rest, self.vocab());
            take(bytes);
            done += count;
            if let (Some(&id), ..=FULL_STAGE_BYTES) = (rest.get(count), bytes.len()) {
                let token = self.token_bytes(id);
                take(token.ok_or_else(|| self.unknown(id, done))?);
                done += 1;
            }
        }
        Ok(())
    }

    /// About how many bytes the ids have, rather more than less: guessed from some of them if they are many.
    fn about(&self, ids: &[TokenId]) -> usize {
        let lengths = self.vocab().lengths();
        let len = |&id: &TokenId| lengths.get(id as usize).map_or(0, |&len| usize::from(len));
        let step = ids.len() / SAMPLE_IDS + 1;
        let some: usize = ids.iter().step_by(step).map(len).sum();
        let all = some * step;
        if step == 1 { all } else { all + all / 4 }
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
    /// O(1); O(log n) in the tokens for special ones, and in a vocabulary of one's own that does not follow from merging.
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
        let mut chars: usize = 0;
        let mut offsets = Vec::with_capacity(ids.len());
        for token in self.tokens_bytes(ids) {
            let token = token?;
            let inside = token.first().is_some_and(|byte| is_continuation(*byte));
            offsets.push(chars.saturating_sub(usize::from(inside)));
            chars += token.iter().filter(|byte| !is_continuation(**byte)).count();
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

/// Puts the bytes of tokens together, up to one that has no row to itself: how many tokens, and their bytes.
///
/// A token is copied as a whole row, whatever its length is: the next one is written over what is too much.
#[allow(clippy::indexing_slicing)] // what has a length has a row; a chunk begins where the stage has room for it
fn fill<'s>(
    stage: &'s mut [u8; STAGE_BYTES + ROW_BYTES],
    ids: &[TokenId],
    vocab: &Vocabulary,
) -> (usize, &'s [u8]) {
    let lengths = vocab.lengths();
    let rows = &vocab.rows()[..lengths.len()];
    let (mut count, mut end) = (0, 0);
    for chunk in ids.chunks(BATCH_IDS) {
        fetch(rows, &ids[count + chunk.len()..]);
        for &id in chunk {
            let id = id as usize;
            let len = lengths.get(id).map_or(0, |&len| usize::from(len));
            if !(1..=ROW_BYTES).contains(&len) {
                return (count, &stage[..end]);
            }
            stage[end % STAGE_BYTES..][..ROW_BYTES].copy_from_slice(&rows[id]);
            end += len;
            count += 1;
        }
        if end > FULL_STAGE_BYTES {
            break;
        }
    }
    (count, &stage[..end])
}

/// Fetches the rows of the next chunk.
#[inline(always)]
fn fetch(rows: &[Row], ids: &[TokenId]) {
    // a fixed number of them, without the loop whose end would be mispredicted
    if let Some(ids) = ids.first_chunk::<BATCH_IDS>() {
        for &id in ids {
            prefetch_index(rows, id as usize);
        }
    }
}

#[cfg(all(test, feature = "cl100k_base"))]
mod tests {
    use super::*;
    use crate::texts::Random;

    /// Ids of any tokens, of long ones, of special ones and of none.
    fn some_ids(len: usize, kinds: u64, seed: u64) -> Vec<TokenId> {
        let encoding = crate::cl100k_base();
        let long: Vec<TokenId> = (0..encoding.max_token_value())
            .filter(|&id| {
                encoding
                    .token_bytes(id)
                    .is_some_and(|token| token.len() > ROW_BYTES)
            })
            .collect();
        let mut random = Random::new(seed);
        let mut id = |_| match random.below(16) {
            0 if kinds > 0 => long[random.below(long.len())],
            1 if kinds > 1 => 100_257 + random.below(4) as TokenId,
            2 if kinds > 2 => [100_256, 100_261, TokenId::MAX][random.below(3)],
            _ => random.below(100_256) as TokenId,
        };
        (0..len).map(&mut id).collect()
    }

    #[test]
    fn lists_are_decoded_as_their_tokens() {
        let encoding = crate::cl100k_base();
        for round in 0..2_000 {
            let ids = some_ids(round % 500, round as u64 % 4, round as u64);
            let mut bytes = b"before".to_vec();
            let done = encoding.decode_into(&ids, &mut bytes);
            match ids
                .iter()
                .position(|&id| encoding.token_bytes(id).is_none())
            {
                Some(index) => {
                    assert_eq!(done.unwrap_err().index(), Some(index));
                    assert_eq!(bytes, b"before");
                }
                None => assert_eq!(
                    &bytes[6..],
                    encoding.decode_tokens_bytes(&ids).unwrap().concat()
                ),
            }
        }
    }

    /// Characters are cut by tokens, and by the parts that become text at a time.
    #[test]
    fn text_is_what_the_bytes_are() {
        let encoding = crate::cl100k_base();
        let id = |byte: u8| encoding.encode_single_token([byte]).unwrap();
        for round in 0..500 {
            let kind = ["a", "é", "漢", "🙂", "a漢🙂é"][round % 5];
            let text = "x".repeat(round % 4) + &kind.repeat(round * 20);
            let mut ids: Vec<TokenId> = text.bytes().map(id).collect();
            assert_eq!(encoding.decode(&ids).unwrap(), text);
            assert_eq!(encoding.decode_lossy(&ids).unwrap(), text);
            // no text has these bytes one after the other
            let at = ids.len() * round / 500;
            ids.splice(
                at..at,
                [0x80, 0xC3, 0xE6, 0xF0][round % 4..]
                    .iter()
                    .map(|&byte| id(byte)),
            );
            let bytes = encoding.decode_bytes(&ids).unwrap();
            let position = str::from_utf8(&bytes).unwrap_err().valid_up_to();
            assert_eq!(
                encoding.decode(&ids).unwrap_err().position(),
                Some(position)
            );
            assert_eq!(
                encoding.decode_lossy(&ids).unwrap(),
                String::from_utf8_lossy(&bytes)
            );
        }
    }
}
