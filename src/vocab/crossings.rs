//! Places in a piece that no token can cross: the parts between them are merged on their own.
//!
//! In Chinese or Japanese most neighbouring characters are never in one token, so a long run falls apart into parts of a
//! character or two, most of which are tokens.
#![allow(clippy::indexing_slicing)] // the bitmap has a bit for each value of its hash

use super::Vocabulary;

/// The bits of the hashes; false alarms only cost a merge.
const BITS: u32 = 19;

/// Which characters may be neighbours in one token.
pub(crate) struct Crossings {
    bits: Box<[u64]>,
}

impl Crossings {
    /// From all tokens of a vocabulary that have more than one character, or part of one.
    pub(crate) fn new(vocab: &Vocabulary) -> Self {
        let mut crossings = Self {
            bits: vec![0; 1 << (BITS - 6)].into(),
        };
        for (_, token) in vocab
            .tokens()
            .filter(|(_, token)| token.len() > 1 && !token.is_ascii())
        {
            crossings.add(token);
        }
        crossings
    }

    /// A token crosses between two characters if it holds both; or the first, and some of the second; or some of the
    /// first, and at least the lead byte of the second.
    fn add(&mut self, token: &[u8]) {
        let mut before: Option<u32> = None;
        let begins_inside = token
            .iter()
            .take_while(|byte| is_continuation(**byte))
            .count();
        if let (Some(last), Some(lead)) = (token[..begins_inside].last(), token.get(begins_inside))
        {
            self.set(part_hash(*last, *lead));
        }
        let mut at = begins_inside;
        while let Some(&lead) = token.get(at) {
            let len = char_len(lead);
            match token.get(at..at + len) {
                Some(char) => {
                    let char = word(char);
                    if let Some(before) = before {
                        self.set(whole_hash(before, char));
                    }
                    before = Some(char);
                }
                None => {
                    if let Some(before) = before {
                        self.set(begun_hash(before, lead));
                    }
                }
            }
            at += len;
        }
    }

    fn set(&mut self, hash: u32) {
        self.bits[hash as usize >> 6] |= 1 << (hash & 63);
    }

    #[inline(always)]
    fn has(&self, hash: u32) -> bool {
        self.bits[hash as usize >> 6] >> (hash & 63) & 1 != 0
    }

    /// Whether a token may cross between these two characters.
    #[inline(always)]
    fn may_cross(&self, before: u32, last: u8, after: u32, lead: u8) -> bool {
        self.has(whole_hash(before, after))
            | self.has(begun_hash(before, lead))
            | self.has(part_hash(last, lead))
    }

    /// Where the part that starts at `start` ends.
    #[inline]
    pub(crate) fn part_end(&self, piece: &[u8], start: usize) -> usize {
        let mut at = start;
        let mut before: Option<(u32, u8)> = None;
        while let Some(&lead) = piece.get(at) {
            let end = (at + char_len(lead)).min(piece.len());
            let char = word(&piece[at..end]);
            if let Some((before, last)) = before
                && (last | lead) >= 0x80
                && !self.may_cross(before, last, char, lead)
            {
                return at;
            }
            before = Some((char, piece[end - 1]));
            at = end;
        }
        piece.len()
    }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

#[inline(always)]
fn char_len(lead: u8) -> usize {
    match lead {
        ..0xC0 => 1,
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        _ => 4,
    }
}

/// The bytes of a character in a word.
#[inline(always)]
fn word(char: &[u8]) -> u32 {
    char.iter()
        .fold(0, |word, byte| word << 8 | u32::from(*byte))
}

#[inline(always)]
fn mix(low: u64) -> u32 {
    (low.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - BITS)) as u32
}

#[inline(always)]
fn whole_hash(before: u32, after: u32) -> u32 {
    mix(u64::from(before) << 32 | u64::from(after))
}

#[inline(always)]
fn begun_hash(before: u32, lead: u8) -> u32 {
    mix(u64::from(before) << 32 | 1 << 30 | u64::from(lead))
}

#[inline(always)]
fn part_hash(last: u8, lead: u8) -> u32 {
    mix(3 << 60 | u64::from(last) << 8 | u64::from(lead))
}
