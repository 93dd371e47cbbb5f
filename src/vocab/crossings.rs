//! Boundaries between characters that no token can cross: the parts of a piece between them are merged separately.
//!
//! In Chinese or Japanese most neighbouring characters are never in one token. So a long run falls apart into parts of
//! one or two characters, most of which are tokens.
#![allow(clippy::indexing_slicing)] // the tables have an entry for each value of their hash, byte or bits

use super::tables::NONE;
use crate::token_id::TokenId;
use crate::utf8::{char_len, decode, is_continuation};

/// The first code point without flags of its own. These characters are rare: tokens may cross at all of them.
const FLAGS_END: u32 = 0x2_0000;

/// The bits of the hash of two characters. A collision can only keep a cut from being made.
const PAIR_HASH_BITS: u32 = 19;
/// The bits of the hash of a character and a lead byte. A collision can only make a rank seem lower than it is.
const BEGUN_HASH_BITS: u32 = 12;

/// Leads from a hash of two characters to a word of 64 bits in [`Crossings::pairs`], and to a bit of it.
const WORD_SHIFT: u32 = u64::BITS.ilog2();
const BIT_MASK: usize = u64::BITS as usize - 1;

/// The bits of a continuation byte that are its own, below `0b10`.
const CONTINUATION_MASK: u8 = 0b11_1111;
/// How many continuation bytes there are.
const CONTINUATIONS: usize = CONTINUATION_MASK as usize + 1;

/// Flag of a character: it is ASCII.
pub(crate) const ASCII: u8 = 1 << 2;
/// Flag of a character: a token holds it and the character after it.
pub(crate) const BEFORE: u8 = 1 << 3;
/// Flag of a character: a token holds it and the character before it.
pub(crate) const AFTER: u8 = 1 << 4;
/// Flag of a character: a token holds it and then ends inside the next one.
pub(crate) const BEGINS: u8 = 1 << 5;
/// Flag of a character that was merged already.
pub(crate) const MADE: u8 = 1 << 6;

/// The pairs of characters that may be neighbours in one token.
pub(crate) struct Crossings {
    /// A bit for the hash of each pair of characters in one token.
    pairs: Box<[u64]>,
    /// By the hash of a character and a lead byte, the lowest rank of a token that holds both and ends inside the second.
    begun: Box<[TokenId]>,
    /// By the last byte of a character and a lead byte, the lowest rank of a token that begins inside the character and
    /// holds that lead byte.
    inside: Box<[[TokenId; 256]]>,
    /// By the low bits of the last byte of a character: the lead bytes with a rank in `inside`, one bit each. It tells
    /// with one look that most neighbours have none.
    inside_leads: Box<[u64; CONTINUATIONS]>,
    /// The flags of each character below [`FLAGS_END`]: [`BEFORE`], [`AFTER`], [`BEGINS`].
    flags: Box<[u8]>,
}

/// The properties of a character in a piece that decide on crossings.
#[derive(Clone, Copy)]
pub(crate) struct Side {
    pub(crate) code_point: u32,
    pub(crate) flags: u8,
}

impl Crossings {
    /// Creates the crossings of a vocabulary without tokens.
    pub(super) fn empty() -> Self {
        Self {
            pairs: vec![0; 1 << (PAIR_HASH_BITS - WORD_SHIFT)].into(),
            begun: vec![NONE; 1 << BEGUN_HASH_BITS].into(),
            inside: vec![[NONE; 256]; CONTINUATIONS].into(),
            inside_leads: Box::new([0; CONTINUATIONS]),
            flags: vec![0; FLAGS_END as usize].into(),
        }
    }

    /// Adds a token that is not all ASCII, after its halves. If these hold whole characters at the seam between them, the
    /// token adds only that these two may be neighbours.
    pub(super) fn add(&mut self, id: TokenId, (left, right): (&[u8], &[u8]), token: &[u8]) {
        match (last_char(left), first_char(right)) {
            (Some(before), Some(after)) => self.add_pair(before, after),
            _ => self.add_all(id, token),
        }
    }

    /// Adds all crossings of a token.
    ///
    /// It crosses between two characters in three cases: it holds both; or the first and some bytes of the second; or some
    /// bytes of the first and at least the lead byte of the second.
    fn add_all(&mut self, id: TokenId, token: &[u8]) {
        let mut at = token
            .iter()
            .take_while(|byte| is_continuation(**byte))
            .count();
        if let (Some(last), Some(lead)) = (token[..at].last(), token.get(at)) {
            let last = usize::from(last & CONTINUATION_MASK);
            self.inside_leads[last] |= 1 << (lead & CONTINUATION_MASK);
            let lowest = &mut self.inside[last][usize::from(*lead)];
            *lowest = id.min(*lowest);
        }
        let mut before: Option<u32> = None;
        while let Some(&lead) = token.get(at) {
            let char = first_char(&token[at..]);
            match (before, char) {
                (Some(before), Some(char)) => self.add_pair(before, char),
                (Some(before), None) => {
                    self.flag(before, BEGINS);
                    let lowest = &mut self.begun[begun_hash(before, lead)];
                    *lowest = id.min(*lowest);
                }
                (None, _) => {}
            }
            before = char;
            at += char_len(lead);
        }
    }

    /// Notes that two characters may be neighbours in a token.
    fn add_pair(&mut self, before: u32, after: u32) {
        self.flag(before, BEFORE);
        self.flag(after, AFTER);
        let hash = pair_hash(before, after);
        self.pairs[hash >> WORD_SHIFT] |= 1 << (hash & BIT_MASK);
    }

    /// Sets a flag of a character.
    fn flag(&mut self, char: u32, flag: u8) {
        if let Some(flags) = self.flags.get_mut(char as usize) {
            *flags |= flag;
        }
    }

    /// Returns the flags of a character: all of them if it is beyond [`FLAGS_END`].
    pub(crate) fn flags(&self, char: u32) -> u8 {
        self.flags
            .get(char as usize)
            .copied()
            .unwrap_or(BEFORE | AFTER | BEGINS)
    }

    /// Returns whether a token may hold both of these two characters.
    #[inline(always)]
    pub(crate) fn whole(&self, before: Side, after: Side) -> bool {
        before.flags & BEFORE != 0
            && after.flags & AFTER != 0
            && self.pair(before.code_point, after.code_point) != 0
    }

    /// Returns 1 if a token may hold both of two characters whose flags [`BEFORE`] and [`AFTER`] allow it, else 0.
    #[inline(always)]
    pub(crate) fn pair(&self, before: u32, after: u32) -> u64 {
        let hash = pair_hash(before, after);
        self.pairs[hash >> WORD_SHIFT] >> (hash & BIT_MASK) & 1
    }

    /// Returns 1 if a token may begin inside the character `before` and hold the lead byte of the next one, else 0.
    #[inline(always)]
    pub(crate) fn may_begin_inside(&self, before: u32, lead: u8) -> u64 {
        let leads = self.inside_leads[before as usize % CONTINUATIONS];
        leads >> (lead & CONTINUATION_MASK) & 1
    }

    /// Returns whether [`partial`](Self::partial) may find a rank.
    #[inline(always)]
    pub(crate) fn may_cross_partly(&self, before: Side, lead: u8) -> bool {
        self.may_begin_inside(before.code_point, lead) != 0 || before.flags & BEGINS != 0
    }

    /// Returns a lower bound of the ranks of tokens that cross here from or into the inside of a character: they begin or
    /// end inside one of these two and have bytes of the other. [`NONE`] if there are none.
    #[inline(always)]
    pub(crate) fn partial(&self, before: Side, lead: u8) -> TokenId {
        let mut lowest = NONE;
        if before.code_point >= 0x80 {
            lowest = self.inside[before.code_point as usize % CONTINUATIONS][usize::from(lead)];
        }
        if before.flags & BEGINS != 0 {
            lowest = lowest.min(self.begun[begun_hash(before.code_point, lead)]);
        }
        lowest
    }
}

/// Returns the character that `bytes` begin with, if they hold all of it.
fn first_char(bytes: &[u8]) -> Option<u32> {
    let (char, len) = decode(bytes);
    let lead = *bytes.first()?;
    (!is_continuation(lead) && len == char_len(lead)).then_some(char)
}

/// Returns the character that `bytes` end with, if they hold all of it.
fn last_char(bytes: &[u8]) -> Option<u32> {
    let lead = bytes.iter().rposition(|byte| !is_continuation(*byte))?;
    let last = &bytes[lead..];
    first_char(last).filter(|_| char_len(last[0]) == last.len())
}

/// Hashes a number to this many bits.
#[inline(always)]
fn mix(number: u64, bits: u32) -> usize {
    (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - bits)) as usize
}

/// Hashes a pair of characters.
#[inline(always)]
fn pair_hash(before: u32, after: u32) -> usize {
    mix(u64::from(before) << 21 | u64::from(after), PAIR_HASH_BITS)
}

/// Hashes a character and the lead byte of the next one.
#[inline(always)]
fn begun_hash(before: u32, lead: u8) -> usize {
    mix(u64::from(before) << 32 | u64::from(lead), BEGUN_HASH_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::vocabularies::all;

    fn side(crossings: &Crossings, char: char) -> Side {
        Side {
            code_point: char.into(),
            flags: crossings.flags(char.into()),
        }
    }

    /// Checks that no token holds two neighbours that are said to be in no token.
    #[test]
    fn tokens_cross_between_their_characters() {
        for vocab in all() {
            let crossings = &vocab.as_regular().unwrap().chars().crossings;
            for (id, token) in vocab.tokens() {
                let Ok(text) = std::str::from_utf8(token) else {
                    continue;
                };
                for (before, after) in text.chars().zip(text.chars().skip(1)) {
                    let sides = [before, after].map(|char| side(crossings, char));
                    let is_ascii = before.is_ascii() && after.is_ascii();
                    assert!(
                        is_ascii || crossings.whole(sides[0], sides[1]),
                        "token {id}"
                    );
                }
            }
        }
    }

    /// Checks that no token that begins or ends inside a character has a lower rank than the bound.
    #[test]
    fn fragments_cross_to_their_neighbours() {
        for vocab in all() {
            let crossings = &vocab.as_regular().unwrap().chars().crossings;
            for (id, token) in vocab.tokens().filter(|(_, token)| token.len() > 1) {
                let inside = token.iter().take_while(|byte| is_continuation(**byte));
                let inside = inside.count();
                if inside > 0 && inside < token.len() {
                    let before = Side {
                        code_point: token[inside - 1].into(),
                        flags: 0,
                    };
                    let lead = token[inside];
                    assert!(crossings.partial(before, lead) <= id, "token {id}");
                    let may = crossings.may_begin_inside(before.code_point, lead);
                    assert_eq!(may, 1, "token {id}");
                }
                let lead = token.iter().rposition(|byte| !is_continuation(*byte));
                let (whole, rest) = token.split_at(lead.unwrap_or(0));
                if let Some(before) = std::str::from_utf8(whole)
                    .ok()
                    .and_then(|s| s.chars().last())
                    && rest.len() < char_len(rest[0])
                {
                    let before = side(crossings, before);
                    assert!(crossings.partial(before, rest[0]) <= id, "token {id}");
                }
            }
        }
    }
}
