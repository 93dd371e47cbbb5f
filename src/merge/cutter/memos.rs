//! Answers that are kept for the next time: merges of parts, and whether two tokens stay apart.
#![allow(clippy::indexing_slicing)] // a hash is cut to the bits of its table

use super::grow;
use crate::token_id::TokenId;
use crate::vocab::Regular;
use crate::vocab::chars::Char;
use crate::vocab::tables::ID_BITS;

/// 2,048 merges of parts, 64 KB. The number is of November 2026; no measurement is recorded.
const PART_BITS: u32 = 11;
/// 4,096 seams, 32 KB. The number is of November 2026; no measurement is recorded.
const SEAM_BITS: u32 = 12;

/// The first serial number that a seam has no room for.
pub(super) const MAX_SERIAL: u32 = 1 << SERIAL_BITS;
const SERIAL_BITS: u32 = RIGHT_SHIFT - 1;
const RIGHT_SHIFT: u32 = LEFT_SHIFT - ID_BITS;
const LEFT_SHIFT: u32 = u64::BITS - ID_BITS;

/// The merge of a part of up to 16 bytes that is not a token.
#[derive(Clone, Copy, Default)]
#[repr(align(32))]
struct MergedPart {
    key: u128,
    word: Char,
    /// The serial number of the vocabulary, which is never zero.
    serial: u32,
}

/// Tables in which a new answer replaces an older one of the same hash.
#[derive(Default)]
pub(super) struct Memos {
    parts: Vec<MergedPart>,
    /// Whether two tokens stay apart. Zero is an empty place, since no serial number is zero.
    ///
    /// ```text
    ///  63      46 45       28 27              1   0
    /// +----------+-----------+-----------------+---+
    /// | left id  | right id  |     serial      | A |    A: they stay apart
    /// +----------+-----------+-----------------+---+
    /// ```
    seams: Vec<u64>,
}

impl Memos {
    /// Returns the ids of a part with this key, if they are known. `hash` is the upper half of the hash of the key. Longer
    /// parts than 16 bytes all have the same key, which is never put.
    #[inline(always)]
    pub(super) fn part(&mut self, key: u128, hash: u32, serial: u32) -> Option<Char> {
        let parts = grow(&mut self.parts, 1 << PART_BITS);
        let part = &parts[(hash >> (u32::BITS - PART_BITS)) as usize];
        ((part.key == key) & (part.serial == serial)).then_some(part.word)
    }

    /// Keeps the ids of a part of up to 16 bytes, if they fit into a word.
    pub(super) fn put(&mut self, key: u128, hash: u32, serial: u32, ids: &[TokenId]) {
        if ids.len() <= 3 {
            let parts = grow(&mut self.parts, 1 << PART_BITS);
            parts[(hash >> (u32::BITS - PART_BITS)) as usize] = MergedPart {
                key,
                word: Char::of_ids(ids),
                serial,
            };
        }
    }

    /// Returns whether characters that are merged alone stay as they are when they are merged together: if all neighbours
    /// among them do. This is not known of a character without ids.
    #[inline(always)]
    pub(super) fn stay_apart(&mut self, words: &[Char], vocab: &Regular) -> bool {
        let seams = grow(&mut self.seams, 1 << SEAM_BITS);
        words.windows(2).all(|pair| {
            let [left, right] = [pair[0].last_id(), pair[1].ids()[0]];
            pair[0].number() != 0
                && pair[1].number() != 0
                && two_stay_apart(seams, left, right, vocab)
        })
    }
}

/// Returns whether two tokens stay apart.
#[inline(always)]
fn two_stay_apart(seams: &mut [u64], left: TokenId, right: TokenId, vocab: &Regular) -> bool {
    let ids = u64::from(left) << LEFT_SHIFT | u64::from(right) << RIGHT_SHIFT;
    let key = ids | u64::from(vocab.serial()) << 1;
    let hash = (ids >> RIGHT_SHIFT).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let seam = &mut seams[(hash >> (u64::BITS - SEAM_BITS)) as usize];
    if *seam & !1 != key {
        *seam = key | u64::from(vocab.stay_apart(left, right));
    }
    *seam & 1 != 0
}
