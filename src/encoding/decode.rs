//! Decoding ids to bytes and text.

use std::ops::Range;

use prefetch_index::prefetch_index;

use super::Encoding;
use crate::error::{Error, ErrorKind};
use crate::token_id::TokenId;
use crate::utf8::{is_continuation, without_cut_char};
use crate::vocab::Vocabulary;
use crate::vocab::tables::Row;

/// How many ids are decoded in one batch, while the rows of the next batch are prefetched.
///
/// After other work the rows are far away in memory. Three changes together made decoding with cold tables 1.6 to 1.8
/// times as fast: this prefetch, [`BUFFER_BYTES`] and [`SAMPLE_IDS`]. (21 Nov 2026, Xeon with AVX-512, 2 cores.)
const BATCH_IDS: usize = 32;

/// How many ids of a list are decoded with that prefetch. By then the rows of the common tokens are near.
///
/// With prefetches for all ids, decoding with near tables took 12 % more time. Other trials lost more: without a branch
/// for each id 25 %, with lengths from the rows 60 %, and with the check of UTF-8 in the buffer 23 % (AMD EPYC with AVX2,
/// November 2026).
const PREFETCHED_IDS: usize = 1 << 12;

/// How many bytes are collected in the buffer before they are appended; a last row may go past it.
///
/// A few hundred tokens fit, and the buffer stays in the nearest cache. So the output is not cleared before it is
/// written. A long or special token is copied alone, and does not send its whole batch down the slow path.
const BUFFER_BYTES: usize = 1024;

/// With more bytes than this, the buffer has no room for a batch in which every token fills its row.
const MAX_BYTES_BEFORE_BATCH: usize = BUFFER_BYTES - BATCH_IDS * ROW_BYTES;

/// About how many ids are sampled to estimate the length of all, so that the output buffer is seldom reallocated.
const SAMPLE_IDS: usize = 64;

/// How many ids are decoded before their bytes are checked as UTF-8, while these are still in the nearest cache.
///
/// Checked so, with `simdutf8`, `decode` went from 0.47 to 2.0 GB/s on Russian, and from 0.6 to 1.7 on Chinese. The
/// check of the standard library alone took four times as long as decoding (21 Nov 2026, Xeon with AVX-512, 2 cores).
const TEXT_BATCH_IDS: usize = 2048;

/// How many bytes of a token are copied at once: a whole row of the table.
const ROW_BYTES: usize = size_of::<Row>();

impl Encoding {
    /// Returns the bytes of a token, ordinary or special.
    pub(crate) fn token_bytes(&self, id: TokenId) -> Option<&[u8]> {
        self.vocab()
            .token(id)
            .or_else(|| self.0.special.text(id).map(str::as_bytes))
    }

    /// Returns an iterator over the bytes of each token, with an error for each id that belongs to none.
    fn tokens_bytes<'e>(
        &'e self,
        ids: &[TokenId],
    ) -> impl Iterator<Item = Result<&'e [u8], Error>> {
        ids.iter()
            .enumerate()
            .map(|(index, &id)| self.known_bytes(id, index))
    }

    /// Returns the bytes of the token with the id at this index of a list, or an error if it belongs to none.
    pub(crate) fn known_bytes(&self, id: TokenId, index: usize) -> Result<&[u8], Error> {
        self.token_bytes(id).ok_or_else(|| {
            let kind = ErrorKind::UnknownToken {
                token: id,
                index,
                encoding: self.name().to_owned(),
            };
            kind.into()
        })
    }

    /// Decodes a list of ids to text.
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
    /// - [`is_unknown_token`](Error::is_unknown_token): an id belongs to no token.
    /// - [`is_invalid_utf8`](Error::is_invalid_utf8): the bytes of the tokens are not valid UTF-8; see
    ///   [`decode_lossy`](Self::decode_lossy) and [`decode_bytes`](Self::decode_bytes).
    ///
    /// # Complexity
    /// O(n) in the bytes of the result.
    pub fn decode(&self, ids: &[TokenId]) -> Result<String, Error> {
        if let Some(text) = self.decode_valid(ids) {
            return Ok(text);
        }
        // decode once more, slowly, to find the fault and its place
        String::from_utf8(self.decode_bytes(ids)?).map_err(|error| {
            ErrorKind::InvalidUtf8 {
                position: error.utf8_error().valid_up_to(),
            }
            .into()
        })
    }

    /// Decodes a list of ids to text, with U+FFFD for bytes that are not valid UTF-8, as tiktoken's `errors="replace"`.
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
        match self.decode_valid(ids) {
            Some(text) => Ok(text),
            None => Ok(String::from_utf8_lossy(&self.decode_bytes(ids)?).into_owned()),
        }
    }

    /// Decodes a list of ids to text, or returns `None` if an id is unknown or the bytes are not valid UTF-8.
    ///
    /// Each batch is checked while it is in the nearest cache, and each byte once. A character cut off by the end of a
    /// batch waits for the next one.
    fn decode_valid(&self, ids: &[TokenId]) -> Option<String> {
        let mut text = String::with_capacity(self.estimate_len(ids));
        let mut bytes = Vec::new();
        for (i, batch) in ids.chunks(TEXT_BATCH_IDS).enumerate() {
            let before = i * TEXT_BATCH_IDS;
            self.for_each_run(batch, before, |run| bytes.extend_from_slice(run))
                .ok()?;
            let whole_chars = without_cut_char(&bytes);
            text.push_str(simdutf8::basic::from_utf8(bytes.get(..whole_chars)?).ok()?);
            bytes.drain(..whole_chars);
        }
        bytes.is_empty().then_some(text)
    }

    /// Decodes a list of ids to bytes, which need not be valid UTF-8.
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

    /// Returns how many bytes [`decode_bytes`](Self::decode_bytes) returns, without them.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// assert_eq!(tiktally::cl100k_base().decoded_len(&[15339, 1917])?, "hello world".len());
    /// assert!(tiktally::cl100k_base().decoded_len(&[u32::MAX]).unwrap_err().is_unknown_token());
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_unknown_token`](Error::is_unknown_token): an id belongs to no token.
    ///
    /// # Complexity
    /// O(n) in the ids.
    pub fn decoded_len(&self, ids: &[TokenId]) -> Result<usize, Error> {
        self.tokens_bytes(ids).map(|token| Ok(token?.len())).sum()
    }

    /// Appends the bytes of a list of ids to `bytes`: all of them, or nothing if there is an error.
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
        bytes.reserve(self.estimate_len(ids));
        let done = self.for_each_run(ids, 0, |run| bytes.extend_from_slice(run));
        if done.is_err() {
            bytes.truncate(before);
        }
        done
    }

    /// Calls `take` with the bytes of a list of ids, a run of tokens at a time. `before` is how many ids of the caller's list
    /// were decoded before.
    fn for_each_run(
        &self,
        ids: &[TokenId],
        before: usize,
        mut take: impl FnMut(&[u8]),
    ) -> Result<(), Error> {
        let mut buffer = [0; BUFFER_BYTES + ROW_BYTES];
        let mut done = 0;
        while let rest @ [_, ..] = ids.get(done..).unwrap_or_default() {
            let (count, bytes) = if before + done < PREFETCHED_IDS {
                copy_rows::<true>(&mut buffer, rest, self.vocab())
            } else {
                copy_rows::<false>(&mut buffer, rest, self.vocab())
            };
            take(bytes);
            done += count;
            // with room left in the buffer, the next token stopped the run: it is longer than a row, special, or
            // unknown
            if let (Some(&id), ..=MAX_BYTES_BEFORE_BATCH) = (rest.get(count), bytes.len()) {
                take(self.known_bytes(id, before + done)?);
                done += 1;
            }
        }
        Ok(())
    }

    /// Estimates how many bytes the ids have. A long list is sampled, and a quarter is added to stay above the real
    /// length.
    fn estimate_len(&self, ids: &[TokenId]) -> usize {
        let lengths = self.vocab().lengths();
        let len = |&id: &TokenId| lengths.get(id as usize).map_or(0, |&len| usize::from(len));
        let step = ids.len() / SAMPLE_IDS + 1;
        let sampled: usize = ids.iter().step_by(step).map(len).sum();
        let all = sampled * step;
        if step == 1 { all } else { all + all / 4 }
    }

    /// Returns the bytes of one token, which need not be valid UTF-8.
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
    /// O(1); O(log n) in the tokens for special tokens, and for a custom vocabulary that merging alone cannot produce.
    pub fn decode_single_token_bytes(&self, id: TokenId) -> Result<&[u8], Error> {
        self.known_bytes(id, 0)
    }

    /// Returns the bytes of each token of a list.
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
        self.tokens_bytes(ids).collect()
    }

    /// Decodes a list of ids to text, and returns for each token the offset at which it starts, in chars.
    ///
    /// A token that starts inside a character has the offset of that character, as in tiktoken.
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
            let starts_inside = token.first().is_some_and(|byte| is_continuation(*byte));
            offsets.push(chars.saturating_sub(usize::from(starts_inside)));
            chars += token.iter().filter(|byte| !is_continuation(**byte)).count();
        }
        Ok((text, offsets))
    }

    /// Returns the byte range of each token in the result of [`decode_bytes`](Self::decode_bytes) for the list.
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

/// Copies the bytes of tokens into the buffer until it is full, or up to a token that does not fit in a row. Returns
/// the number of tokens and their bytes.
///
/// A token is copied as a whole row, whatever its length: the next token overwrites the excess. `PREFETCH` says that rows
/// are prefetched.
#[allow(clippy::indexing_slicing)] // an id with a length has a row; a batch begins only if the buffer has room for it
fn copy_rows<'b, const PREFETCH: bool>(
    buffer: &'b mut [u8; BUFFER_BYTES + ROW_BYTES],
    ids: &[TokenId],
    vocab: &Vocabulary,
) -> (usize, &'b [u8]) {
    let lengths = vocab.lengths();
    let rows = &vocab.rows()[..lengths.len()];
    let (mut count, mut end) = (0, 0);
    for batch in ids.chunks(BATCH_IDS) {
        if PREFETCH {
            prefetch_rows(rows, &ids[count + batch.len()..]);
        }
        for &id in batch {
            let id = id as usize;
            let len = lengths.get(id).map_or(0, |&len| usize::from(len));
            if !(1..=ROW_BYTES).contains(&len) {
                return (count, &buffer[..end]);
            }
            // `end` is below `BUFFER_BYTES`: the remainder only spares the bounds check
            buffer[end % BUFFER_BYTES..][..ROW_BYTES].copy_from_slice(&rows[id]);
            end += len;
            count += 1;
        }
        if end > MAX_BYTES_BEFORE_BATCH {
            break;
        }
    }
    (count, &buffer[..end])
}

/// Prefetches the rows of the next batch, if there is a whole one.
#[inline(always)]
fn prefetch_rows(rows: &[Row], ids: &[TokenId]) {
    // a fixed number of ids: the end of a loop over any number would be mispredicted
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

    /// Returns random ids: of any tokens, then also of long ones, of special ones and of none, the higher `kinds` is.
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
            let len = if round % 200 == 0 {
                2 * PREFETCHED_IDS
            } else {
                round % 500
            };
            let ids = some_ids(len, round as u64 % 4, round as u64);
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

    /// Characters are cut by tokens, and by the batches that are checked as UTF-8.
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
            // no text contains this sequence of bytes
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
