//! How all beginnings of a piece are merged.
//!
//! The merge of a beginning is the merge of a shorter one and one token more, its last: so the last token of each tells
//! all. Which it is follows from the last tokens of the shorter ones, for two lists of ids, each the merge of its own
//! bytes, are the merge of both if the two tokens at the seam stay apart.

use crate::token_id::TokenId;
use crate::vocab::Regular;

/// The beginning of a piece: how many tokens it has, and the last.
#[derive(Debug, Clone, Copy)]
struct Beginning {
    tokens: u32,
    last: TokenId,
}

/// The beginnings of a piece that grows, by their bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Prefixes {
    start: usize,
    beginnings: Vec<Beginning>,
}

impl Prefixes {
    /// Where in the text the piece starts.
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// Begins a piece there.
    pub(crate) fn clear(&mut self, start: usize) {
        self.start = start;
        // a stretch that took much memory may have been the only one
        if self.beginnings.capacity() > 1 << 12 {
            self.beginnings = Vec::new();
        }
        self.beginnings.clear();
    }

    /// Goes on to the end of the text.
    pub(crate) fn extend(&mut self, text: &[u8], vocab: &Regular) {
        let piece = text.get(self.start..).unwrap_or_default();
        for len in self.beginnings.len() + 1..=piece.len() {
            let piece = piece.get(..len).unwrap_or_default();
            let beginning = self.with_last(piece, vocab);
            self.beginnings.push(beginning);
        }
    }

    /// The number of tokens of what is between the start and `end`.
    pub(crate) fn tokens(&self, end: usize) -> usize {
        let len = end.saturating_sub(self.start);
        let found = len.checked_sub(1).and_then(|at| self.beginnings.get(at));
        found.map_or(0, |beginning| beginning.tokens as usize)
    }

    /// The merge of a piece whose shorter beginnings are known.
    fn with_last(&self, piece: &[u8], vocab: &Regular) -> Beginning {
        let ending = |len: usize| {
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
        // often the last token has become longer
        let longer = self.beginnings.last();
        let longer = longer.map(|beginning| vocab.len(beginning.last) + 1);
        let long = vocab
            .long_endings(piece)
            .iter()
            .map(|len| usize::from(*len));
        let found = longer
            .into_iter()
            .chain(long)
            .chain((1..=16).rev())
            .find_map(ending);
        // each byte is a token, so there always is one
        found.unwrap_or(Beginning {
            tokens: u32::MAX,
            last: 0,
        })
    }
}

/// Whether some bytes behind the token `left` are merged as if they were alone, wherever in reach of a token before their
/// end they end.
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

    /// Any bytes, runs, and what tokens are made of.
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
    fn beginnings_are_merged_as_alone() {
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
