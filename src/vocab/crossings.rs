//! Places in a piece that no token can cross: the parts between them are merged on their own.
//!
//! In Chinese or Japanese most neighbouring characters are never in one token, so a long run falls apart into parts of a
//! character or two, most of which are tokens.
#![allow(clippy::indexing_slicing)] // the tables have an entry for each value of their hash, byte or bits

use super::tables::NONE;
use crate::token_id::TokenId;
use crate::utf8::{char_len, decode, is_continuation};

/// Characters from here on are rare: they count as ones that tokens may cross at.
const END: u32 = 0x2_0000;

/// The bits of the hashes; false alarms only cost a merge.
const BITS: u32 = 19;
const BEGUN_BITS: u32 = 12;

/// Of a character: a token holds it and some character after it.
pub(crate) const BEFORE: u8 = 1;
/// Of a character: a token holds it and some character before it.
pub(crate) const AFTER: u8 = 2;
/// Of a character: a token holds it and then ends inside the next one.
pub(crate) const BEGINS: u8 = 4;

/// Which characters may be neighbours in one token.
pub(crate) struct Crossings {
    /// A bit for the hash of each pair of characters in one token.
    pairs: Box<[u64]>,
    /// By the hash of a character and a lead byte, the lowest rank of a token that holds both and ends inside the second.
    begun: Box<[TokenId]>,
    /// By the last byte of a character and a lead byte, the lowest rank of a token that begins inside the first and holds
    /// the second.
    inside: Box<[[TokenId; 256]]>,
    /// What is true of each character below [`END`].
    flags: Box<[u8]>,
}

/// A character in a piece, as far as crossings are concerned.
#[derive(Clone, Copy)]
pub(crate) struct Side {
    pub(crate) code_point: u32,
    pub(crate) flags: u8,
    pub(crate) lead: u8,
    pub(crate) last: u8,
}

impl Crossings {
    pub(super) fn empty() -> Self {
        Self {
            pairs: vec![0; 1 << (BITS - 6)].into(),
            begun: vec![NONE; 1 << BEGUN_BITS].into(),
            inside: vec![[NONE; 256]; 64].into(),
            flags: vec![0; END as usize].into(),
        }
    }

    /// Adds a token that is not all ASCII, after its parts. Where these hold whole characters at the seam between them,
    /// it adds no more than that these two are neighbours.
    pub(super) fn add(&mut self, id: TokenId, (left, right): (&[u8], &[u8]), token: &[u8]) {
        match (last_char(left), first_char(right)) {
            (Some(before), Some(after)) => self.add_pair(before, after),
            _ => self.add_all(id, token),
        }
    }

    /// A token crosses between two characters if it holds both; or the first, and some of the second; or some of the
    /// first, and at least the lead byte of the second.
    fn add_all(&mut self, id: TokenId, token: &[u8]) {
        let mut at = token
            .iter()
            .take_while(|byte| is_continuation(**byte))
            .count();
        if let (Some(last), Some(lead)) = (token[..at].last(), token.get(at)) {
            let lowest = &mut self.inside[usize::from(last & 63)][usize::from(*lead)];
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

    fn add_pair(&mut self, before: u32, after: u32) {
        self.flag(before, BEFORE);
        self.flag(after, AFTER);
        let hash = whole_hash(before, after);
        self.pairs[hash >> 6] |= 1 << (hash & 63);
    }

    fn flag(&mut self, char: u32, flag: u8) {
        if let Some(flags) = self.flags.get_mut(char as usize) {
            *flags |= flag;
        }
    }

    /// The flags of a character; all of them where they are not known.
    pub(crate) fn flags(&self, char: u32) -> u8 {
        self.flags
            .get(char as usize)
            .copied()
            .unwrap_or(BEFORE | AFTER | BEGINS)
    }

    /// Whether a token may hold both of these two characters.
    #[inline(always)]
    pub(crate) fn whole(&self, before: Side, after: Side) -> bool {
        before.flags & BEFORE != 0 && after.flags & AFTER != 0 && {
            let hash = whole_hash(before.code_point, after.code_point);
            self.pairs[hash >> 6] >> (hash & 63) & 1 != 0
        }
    }

    /// No more than the lowest rank of a token that begins or ends inside one of these two characters and holds some of
    /// the other; [`NONE`] if there is none.
    #[inline(always)]
    pub(crate) fn partial(&self, before: Side, after: Side) -> TokenId {
        let mut lowest = NONE;
        if before.last >= 0x80 {
            lowest = self.inside[usize::from(before.last & 63)][usize::from(after.lead)];
        }
        if before.flags & BEGINS != 0 {
            lowest = lowest.min(self.begun[begun_hash(before.code_point, after.lead)]);
        }
        lowest
    }
}

/// The character that `bytes` begin with, if they hold all of it.
fn first_char(bytes: &[u8]) -> Option<u32> {
    let (char, len) = decode(bytes);
    let lead = *bytes.first()?;
    (!is_continuation(lead) && len == char_len(lead)).then_some(char)
}

/// The character that `bytes` end with, if they hold all of it.
fn last_char(bytes: &[u8]) -> Option<u32> {
    let lead = bytes.iter().rposition(|byte| !is_continuation(*byte))?;
    let last = &bytes[lead..];
    first_char(last).filter(|_| char_len(last[0]) == last.len())
}

#[inline(always)]
fn mix(low: u64, bits: u32) -> usize {
    (low.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - bits)) as usize
}

#[inline(always)]
fn whole_hash(before: u32, after: u32) -> usize {
    mix(u64::from(before) << 32 | u64::from(after), BITS)
}

#[inline(always)]
fn begun_hash(before: u32, lead: u8) -> usize {
    mix(u64::from(before) << 32 | u64::from(lead), BEGUN_BITS)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::builtin::vocabularies;
    use crate::vocab::Vocabulary;

    fn all() -> Vec<Arc<Vocabulary>> {
        vec![
            #[cfg(feature = "r50k_base")]
            vocabularies::r50k_base(),
            #[cfg(feature = "p50k_base")]
            vocabularies::p50k_base(),
            #[cfg(feature = "cl100k_base")]
            vocabularies::cl100k_base(),
            #[cfg(feature = "o200k_base")]
            vocabularies::o200k_base(),
        ]
    }

    fn side(crossings: &Crossings, char: char) -> Side {
        let mut buffer = [0; 4];
        let bytes = char.encode_utf8(&mut buffer).as_bytes();
        Side {
            code_point: char.into(),
            flags: crossings.flags(char.into()),
            lead: bytes[0],
            last: bytes[bytes.len() - 1],
        }
    }

    /// No token holds two neighbours that are said to be in no token.
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

    /// No token that begins or ends inside a character has a lower rank than is said.
    #[test]
    fn fragments_cross_to_their_neighbours() {
        for vocab in all() {
            let crossings = &vocab.as_regular().unwrap().chars().crossings;
            for (id, token) in vocab.tokens().filter(|(_, token)| token.len() > 1) {
                let inside = token.iter().take_while(|byte| is_continuation(**byte));
                let inside = inside.count();
                if inside > 0 && inside < token.len() {
                    let before = Side {
                        code_point: 0,
                        flags: 0,
                        lead: 0,
                        last: token[inside - 1],
                    };
                    let after = Side {
                        lead: token[inside],
                        ..before
                    };
                    assert!(crossings.partial(before, after) <= id, "token {id}");
                }
                let lead = token.iter().rposition(|byte| !is_continuation(*byte));
                let (whole, rest) = token.split_at(lead.unwrap_or(0));
                if let Some(before) = std::str::from_utf8(whole)
                    .ok()
                    .and_then(|s| s.chars().last())
                    && rest.len() < char_len(rest[0])
                {
                    let before = side(crossings, before);
                    let after = Side {
                        lead: rest[0],
                        ..before
                    };
                    assert!(crossings.partial(before, after) <= id, "token {id}");
                }
            }
        }
    }
}
