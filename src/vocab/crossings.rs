//! Places in a piece that no token can cross: the parts between them are merged on their own.
//!
//! In Chinese or Japanese most neighbouring characters are never in one token, so a long run falls apart into parts of a
//! character or two, most of which are tokens.
#![allow(clippy::indexing_slicing)] // the tables have an entry for each value of their hash, byte or bits

use super::Vocabulary;
use super::chars::{char_len, decode, is_continuation};
use super::tables::NONE;
use crate::TokenId;

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
    /// From all tokens of a vocabulary that have more than one character, or part of one.
    pub(crate) fn new(vocab: &Vocabulary) -> Self {
        let mut crossings = Self {
            pairs: vec![0; 1 << (BITS - 6)].into(),
            begun: vec![NONE; 1 << BEGUN_BITS].into(),
            inside: vec![[NONE; 256]; 64].into(),
            flags: vec![0; END as usize].into(),
        };
        for (id, token) in vocab
            .tokens()
            .filter(|(_, token)| token.len() > 1 && !token.is_ascii())
        {
            crossings.add(id, token);
        }
        crossings
    }

    /// A token crosses between two characters if it holds both; or the first, and some of the second; or some of the
    /// first, and at least the lead byte of the second.
    fn add(&mut self, id: TokenId, token: &[u8]) {
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
            let len = char_len(lead);
            if at + len > token.len() {
                if let Some(before) = before {
                    self.flag(before, BEGINS);
                    let lowest = &mut self.begun[begun_hash(before, lead)];
                    *lowest = id.min(*lowest);
                }
                return;
            }
            let (char, _) = decode(&token[at..]);
            if let Some(before) = before {
                self.flag(before, BEFORE);
                self.flag(char, AFTER);
                let hash = whole_hash(before, char);
                self.pairs[hash >> 6] |= 1 << (hash & 63);
            }
            before = Some(char);
            at += len;
        }
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
