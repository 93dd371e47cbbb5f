//! The merge of a short text without lookup tables: one pass over the halves of all tokens, in the order of their ranks.
//!
//! Merging joins the pair of the lowest rank first. In a vocabulary in order, every token has a higher rank than its halves.
//! So a new token takes part only in joins of higher ranks than its own, and the ranks of the joins never fall. One walk
//! from the lowest rank to the highest does them all. At each token, it joins all neighbours that are its halves, from left
//! to right. All pieces of a text are merged in the same walk. A piece that is a token becomes that token, since merging
//! gives every token.
//!
//! Nearly all tokens have no place in the text, so each costs one look at a [`Filter`]. A pass takes 1.6 ns a token for a
//! text of 36 bytes (AMD EPYC with AVX2, November 2026).
#![allow(clippy::indexing_slicing)] // words of the filter are below its size, places below the length

use crate::token_id::TokenId;
use crate::vocab::tables::{BYTE, Halves, Made};

/// Stands between two pieces: no token has it as a half.
const SEPARATOR: u32 = BYTE - 1;

/// The tokens of one byte have the lowest ids.
const BYTES: usize = 256;

/// Tokens are looked up in groups of this many, which take three words of 64 bits.
const GROUP: usize = 4;

/// The bits of both halves of a token.
const PAIR_MASK: u64 = (1 << 48) - 1;

/// Appends the ids of the pieces of a text. The bytes are the first 256 tokens; all others are merges of tokens before them.
///
/// # Complexity
/// O(n²) in the bytes of the text, plus the number of tokens.
pub(crate) fn merge<'t>(
    pieces: impl Iterator<Item = &'t [u8]>,
    halves: &[[u8; 6]],
    ids: &mut Vec<TokenId>,
) {
    let mut bytes = [0; BYTES];
    for id in 0..BYTES.min(halves.len()) as u32 {
        if let Made::Byte(byte) = Halves(halves).made(id) {
            bytes[usize::from(byte)] = id;
        }
    }
    let mut symbols = vec![SEPARATOR];
    for piece in pieces {
        symbols.extend(piece.iter().map(|byte| bytes[usize::from(*byte)]));
        symbols.push(SEPARATOR);
    }
    let mut filter = Filter::new();
    symbols
        .windows(2)
        .for_each(|pair| filter.add(pair[0], pair[1]));
    let (groups, rest) = halves.get(BYTES..).unwrap_or_default().as_chunks();
    let mut first = BYTES as u32;
    for group in groups {
        if packed(group).map(|pair| filter.may_have(pair)) != [false; GROUP] {
            // a join may add the pair of the next token, so each is looked up again
            (first..)
                .zip(group)
                .for_each(|(id, halves)| join(&mut symbols, *halves, id, &mut filter));
        }
        first += GROUP as u32;
    }
    (first..)
        .zip(rest)
        .for_each(|(id, halves)| join(&mut symbols, *halves, id, &mut filter));
    ids.extend(symbols.into_iter().filter(|symbol| *symbol != SEPARATOR));
}

/// Joins all neighbours that are these halves of a token, from left to right.
fn join(symbols: &mut Vec<u32>, halves: [u8; 6], merged: u32, filter: &mut Filter) {
    let (left, right) = Halves(&[halves]).get(0);
    if !filter.may_have(pair_of(left, right)) {
        return;
    }
    let is_pair = |pair: &[u32]| pair[0] == left && pair[1] == right;
    let Some(first) = symbols.windows(2).position(is_pair) else {
        return;
    };
    let (mut from, mut to) = (first, first);
    while from < symbols.len() {
        if symbols.get(from..from + 2).is_some_and(is_pair) {
            // a separator comes before each piece, and one after it; a pair with the token after this one comes with that
            symbols[to] = merged;
            filter.add(symbols[to - 1], merged);
            from += 2;
            filter.add(merged, symbols[from]);
        } else {
            symbols[to] = symbols[from];
            from += 1;
        }
        to += 1;
    }
    symbols.truncate(to);
}

/// Returns the two halves of each token of a group in one number.
#[inline(always)]
fn packed(group: &[[u8; 6]; GROUP]) -> [u64; GROUP] {
    let (words, _) = group.as_flattened().as_chunks::<8>();
    let [a, b, c] = [0, 1, 2].map(|at| u64::from_le_bytes(words[at]));
    [a, a >> 48 | b << 16, b >> 32 | c << 32, c >> 16].map(|pair| pair & PAIR_MASK)
}

/// Packs two ids as [`Halves`] do.
#[inline(always)]
fn pair_of(left: u32, right: u32) -> u64 {
    u64::from(left) | u64::from(right) << 24
}

/// The pairs of neighbours that a text has, or had: a Bloom filter in which both bits of a pair are in the same word.
///
/// It has 8 KB, which stay in the first-level cache.
struct Filter([u64; 1 << WORDS_BITS]);

const WORDS_BITS: u32 = 10;

impl Filter {
    fn new() -> Self {
        Self([0; 1 << WORDS_BITS])
    }

    /// Returns the word of a pair and the places of its two bits.
    #[inline(always)]
    fn places(pair: u64) -> (usize, [u64; 2]) {
        let hash = pair.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let word = hash >> (u64::BITS - WORDS_BITS);
        (word as usize, [hash >> 48 & 63, hash >> 42 & 63])
    }

    /// Adds a pair of neighbours.
    fn add(&mut self, left: u32, right: u32) {
        let (word, [one, other]) = Self::places(pair_of(left, right));
        self.0[word] |= 1 << one | 1 << other;
    }

    /// Returns whether a pair may have been added.
    #[inline(always)]
    fn may_have(&self, pair: u64) -> bool {
        let (word, [one, other]) = Self::places(pair);
        (self.0[word] >> one) & (self.0[word] >> other) & 1 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::vocabularies::all;
    use crate::merge::plain::merge_plain;
    use crate::texts::{KINDS, Random};
    use crate::vocab::Vocabulary;

    /// Checks the ids of some pieces by the definition of the merge.
    fn check(pieces: &[&[u8]], vocab: &Vocabulary) {
        let (mut ids, mut expected) = (Vec::new(), Vec::new());
        let halves = vocab.as_regular().unwrap().all_halves();
        merge(pieces.iter().copied(), halves, &mut ids);
        for piece in pieces {
            merge_plain(piece, vocab, &mut expected);
        }
        assert_eq!(ids, expected, "{pieces:?}");
    }

    /// Takes groups of neighbouring ids all over each vocabulary, its ends too: each token is a piece.
    #[test]
    fn tokens_become_themselves() {
        for vocab in all() {
            let last = vocab.max_id();
            let firsts = (0..=last).step_by(last as usize / 40).chain([last - 100]);
            for first in firsts {
                let ids = first..=last.min(first + 100);
                let pieces: Vec<&[u8]> = ids.filter_map(|id| vocab.token(id)).collect();
                check(&pieces, &vocab);
            }
        }
    }

    #[test]
    fn pieces_become_their_merge() {
        let mut random = Random::new(20);
        for vocab in all() {
            check(&[], &vocab);
            check(&[b"", b"a", b""], &vocab);
            check(&[&[0xFF, 0x80, 0xE4, 0xFF], b"\xF0\x9F"], &vocab);
            for len in 1..40 {
                let repeated =
                    ["a", " ", "ab", "\u{e9}", "\n\n", "aab"].map(|part| part.repeat(len));
                check(&repeated.each_ref().map(String::as_bytes), &vocab);
            }
            for kind in &KINDS {
                let text = kind.text(&mut random, 500);
                let pieces: Vec<&[u8]> = text.as_bytes().chunks(37).collect();
                check(&pieces, &vocab);
                check(&[text.as_bytes()], &vocab);
            }
        }
    }
}
