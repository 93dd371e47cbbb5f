//! Pieces that were merged before, and their ids.
//!
//! Bounded, and owned by whoever encodes: no lock, no growth beyond its limit. Pieces of more bytes or more ids than fit
//! an entry are merged again each time.
#![allow(clippy::indexing_slicing)] // set numbers are cut to the table's size, lengths are bounded when stored

use crate::TokenId;

/// The longest piece that is remembered, in bytes.
pub(crate) const MAX_PIECE: usize = 32;
/// How many ids are copied at a time, and lie in the cache line of their key.
pub(crate) const BLOCK: usize = 7;
/// The most ids that are remembered of a piece.
const MAX_IDS: usize = 3 * BLOCK;

/// The words of a cache line, which hold one entry: the key, the owner and a block of ids.
const LINE: usize = 16;
/// The owner: the vocabulary's serial number above five bits with the number of ids; zero in an empty entry.
const OWNER: usize = 8;
const IDS: usize = OWNER + 1;

/// Two entries of one line each, or one whose ids go on to the end of the set.
///
/// A new entry takes the first line and moves the old one to the second.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Set([u32; 2 * LINE]);

const EMPTY: Set = Set([0; 2 * LINE]);

impl Set {
    /// The number of ids of the first entry.
    #[inline(always)]
    fn first_len(&self) -> usize {
        (self.0[OWNER] & 31) as usize
    }

    /// In which line the entry of a piece begins.
    #[inline(always)]
    fn find(&self, key: &Key, serial: u32) -> Option<usize> {
        let is_at = |line: usize| {
            self.0[line * LINE + OWNER] >> 5 == serial && self.0[line * LINE..][..8] == key.0
        };
        if is_at(0) {
            Some(0)
        } else {
            (is_at(1) && self.first_len() <= BLOCK).then_some(1)
        }
    }
}

pub(crate) struct Cache {
    sets: Vec<Set>,
    max_sets: usize,
    stored: usize,
}

/// What a piece is looked up by.
#[derive(Clone, Copy)]
pub(crate) struct Key([u32; 8]);

impl Key {
    /// The key of a piece that is not remembered.
    pub(crate) const NONE: Self = Self([0; 8]);

    /// The key of a piece of at most [`MAX_PIECE`] bytes, from the keys of its first 16 bytes and of the rest.
    #[inline(always)]
    pub(crate) fn new(first: u128, rest: u128) -> Self {
        let word = |key: u128, i: u32| (key >> (32 * i)) as u32;
        Self(std::array::from_fn(|i| {
            word(if i < 4 { first } else { rest }, i as u32 % 4)
        }))
    }

    #[inline(always)]
    fn hash(&self) -> u64 {
        let half = |i: usize| u64::from(self.0[i]) | u64::from(self.0[i + 1]) << 32;
        let fold = |i: usize| half(i).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ half(i + 2);
        (fold(0) ^ fold(4).rotate_left(23)).wrapping_mul(0xD6E8_FEB8_6659_FD93)
    }
}

impl Cache {
    /// A cache of at most `bytes` bytes, which starts small.
    pub(crate) fn new(bytes: usize) -> Self {
        let sets = bytes / size_of::<Set>();
        let max_sets = if sets == 0 { 0 } else { 1 << sets.ilog2() };
        Self {
            sets: Vec::new(),
            max_sets,
            stored: 0,
        }
    }

    #[inline]
    fn set_of(&self, key: &Key, serial: u32) -> usize {
        ((key.hash() >> 24) as usize + serial as usize) & self.sets.len().wrapping_sub(1)
    }

    /// Fetches ahead what [`find`](Self::find) will look at.
    #[inline]
    pub(crate) fn prefetch(&self, key: &Key, serial: u32) {
        let set = self.set_of(key, serial);
        prefetch_index::prefetch_index(&self.sets, set);
    }

    /// Where the piece is, if the vocabulary with this serial number merged it before.
    #[inline(always)]
    pub(crate) fn find(&self, key: &Key, serial: u32) -> Option<u32> {
        let at = self.set_of(key, serial);
        let line = self.sets.get(at)?.find(key, serial)?;
        Some((2 * at + line) as u32)
    }

    /// The ids of a piece that was [found](Self::find), in whole blocks, and their number.
    #[inline(always)]
    pub(crate) fn ids(&self, at: u32) -> (&[TokenId], usize) {
        let entry = &self.sets[at as usize / 2].0[at as usize % 2 * LINE..];
        (&entry[IDS..], (entry[OWNER] & 31) as usize)
    }

    /// Remembers the ids of a piece, if they fit.
    pub(crate) fn put<'i>(
        &mut self,
        key: &Key,
        serial: u32,
        ids: impl Iterator<Item = &'i TokenId>,
    ) {
        if key.0 == Key::NONE.0 || serial >= 1 << 27 || self.max_sets == 0 {
            return;
        }
        let mut new = EMPTY;
        let mut len = 0;
        for id in ids {
            if len == MAX_IDS {
                return;
            }
            new.0[IDS + len] = *id;
            len += 1;
        }
        if self.stored >= 2 * self.sets.len() && self.sets.len() < self.max_sets {
            self.grow();
        }
        new.0[..8].copy_from_slice(&key.0);
        new.0[OWNER] = serial << 5 | len as u32;
        let set = self.set_of(key, serial);
        let set = &mut self.sets[set];
        if len <= BLOCK && set.first_len() <= BLOCK {
            set.0.copy_within(..LINE, LINE);
            set.0[..LINE].copy_from_slice(&new.0[..LINE]);
        } else {
            *set = new;
        }
        self.stored += 1;
    }

    /// Four times the sets, empty: what is common comes back soon.
    fn grow(&mut self) {
        let sets = (self.sets.len() * 4).max(256).min(self.max_sets);
        self.sets = vec![EMPTY; sets];
        self.stored = 0;
    }
}
