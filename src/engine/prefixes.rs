//! Merges all beginnings of a piece.
//!
//! The merge of a beginning is the merge of a shorter one and one more token. So the last token of each beginning is
//! enough to know. It follows from the last tokens of the shorter beginnings. Take two lists of ids, each the merge of its
//! own bytes. Together they are the merge of all the bytes if the two tokens at the seam stay apart.

use crate::token_id::TokenId;
use crate::vocab::Regular;
use crate::vocab::tables::ROW_BYTES;

/// The number of tokens of a beginning, and the last one.
#[derive(Debug, Clone, Copy)]
struct Beginning {
    tokens: u32,
    last: TokenId,
}

/// The beginnings of a piece that grows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Prefixes {
    /// The start of the piece in the text.
    start: usize,
    /// The beginning of each length in bytes; the first one has one byte.
    beginnings: Vec<Beginning>,
}

/// The most beginnings whose memory is kept for the next piece.
const MAX_BEGINNINGS_KEPT: usize = 1 << 12;

impl Prefixes {
    /// Returns the start of the piece in the text.
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// Begins a new piece at `start`.
    pub(crate) fn clear(&mut self, start: usize) {
        self.start = start;
        // a piece that took much memory may have been the only long one
        if self.beginnings.capacity() > MAX_BEGINNINGS_KEPT {
            self.beginnings = Vec::new();
        }
        self.beginnings.clear();
    }

    /// Adds the beginnings up to the end of the text.
    pub(crate) fn extend(&mut self, text: &[u8], vocab: &Regular) {
        let piece = text.get(self.start..).unwrap_or_default();
        for len in self.beginnings.len() + 1..=piece.len() {
            let piece = piece.get(..len).unwrap_or_default();
            let beginning = self.with_last(piece, vocab);
            self.beginnings.push(beginning);
        }
    }

    /// Returns the number of tokens from the start of the piece to `end`, a position in the text.
    pub(crate) fn tokens(&self, end: usize) -> usize {
        let len = end.saturating_sub(self.start);
        let found = len.checked_sub(1).and_then(|at| self.beginnings.get(at));
        found.map_or(0, |beginning| beginning.tokens as usize)
    }

    /// Merges a beginning whose shorter beginnings are known.
    fn with_last(&self, piece: &[u8], vocab: &Regular) -> Beginning {
        let with_last_of = |len: usize| {
            let start = piece.len().checked_sub(len)?;
            let last = vocab.merged_id(piece.get(start..)?)?;
            let Some(before) = start.checked_sub(1) else {
                return Some(Beginning { tokens: 1, last });
            };
            let Beginning { tokens, last: left } = *self.beginnings.get(before)?;
            let tokens = tokens + 1;
            vocab
                .stay_apart(left, last)
                .then_some(Beginning { tokens, last })
        };
        // often the last token has become a byte longer
        let longer = self.beginnings.last();
        let longer = longer.map(|beginning| vocab.len(beginning.last) + 1);
        let long = vocab
            .long_endings(piece)
            .iter()
            .map(|len| usize::from(*len));
        let found = longer
            .into_iter()
            .chain(long)
            .chain((1..=ROW_BYTES).rev())
            .find_map(with_last_of);
        // each byte is a token, so there always is one
        found.unwrap_or(Beginning {
            tokens: u32::MAX,
            last: 0,
        })
    }
}

/// Returns whether `bytes`, after the token `left`, merge independently of it wherever they are cut within a token's length
/// of their end.
pub(crate) fn stay_apart_whatever_follows(left: TokenId, bytes: &[u8], vocab: &Regular) -> bool {
    let mut prefixes = Prefixes::default();
    prefixes.extend(bytes, vocab);
    let mut firsts: Vec<TokenId> = Vec::with_capacity(bytes.len());
    for (at, beginning) in prefixes.beginnings.iter().enumerate() {
        let before = (at + 1).checked_sub(vocab.len(beginning.last));
        let first = before.and_then(|len| firsts.get(len.checked_sub(1)?));
        firsts.push(first.copied().unwrap_or(beginning.last));
    }
    let mut firsts = firsts.split_off(bytes.len().saturating_sub(vocab.max_token_len()));
    firsts.dedup();
    firsts.iter().all(|first| vocab.stay_apart(left, *first))
}

#[cfg(all(test, feature = "cl100k_base", feature = "o200k_base"))]
mod tests {
    use super::*;
    use crate::merge::plain;
    use crate::texts::Random;

    /// Returns random bytes, runs, or characters that tokens consist of.
    fn piece(seed: u64) -> Vec<u8> {
        let mut random = Random::new(seed);
        let alphabets: [&[u8]; 4] = [
            b"ab",
            b" \n=-*",
            b"etaoinsh rdlu",
            "é你好🙂\u{301}".as_bytes(),
        ];
        let alphabet = alphabets[random.below(4)];
        let len = 1 + random.below(150);
        (0..len)
            .map(|_| match random.below(40) {
                0 => random.below(256) as u8,
                _ => alphabet[random.below(alphabet.len())],
            })
            .collect()
    }

    #[test]
    fn beginnings_merge_as_if_alone() {
        for encoding in [crate::cl100k_base(), crate::o200k_base()] {
            let vocab = encoding.vocab().as_regular().unwrap();
            for seed in 0..300 {
                let piece = piece(seed);
                let mut prefixes = Prefixes::default();
                prefixes.extend(&piece, vocab);
                for end in 1..=piece.len() {
                    let mut ids = Vec::new();
                    plain::merge_plain(&piece[..end], encoding.vocab(), &mut ids);
                    assert_eq!(prefixes.tokens(end), ids.len(), "{:?}", &piece[..end]);
                }
            }
        }
    }
}
