//! Pieces that were merged before, and their ids.
//!
//! Bounded, and owned by whoever encodes: no lock, no growth beyond its limit. Pieces of more bytes or more ids than fit
//! an entry are merged again each time.
#![allow(clippy::indexing_slicing)] // set numbers are cut to the table's size, lengths are bounded when stored

use prefetch_index::prefetch_index;

use crate::TokenId;

/// The longest piece that is remembered, in bytes.
pub(crate) const MAX_PIECE: usize = 32;
/// The ids that lie in the cache line of their key.
const FIRST_IDS: usize = LINE - IDS;
/// The most ids that are remembered of a piece.
const MAX_IDS: usize = 2 * LINE - IDS;

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

    /// Takes a new entry: in the first line, or in both.
    #[inline(always)]
    fn put(&mut self, key: &Key, owner: u32, ids: &[TokenId], len: usize) {
        if len <= FIRST_IDS && self.first_len() <= FIRST_IDS {
            self.0.copy_within(..LINE, LINE);
            self.0[IDS..LINE].copy_from_slice(&ids[..FIRST_IDS]);
        } else {
            *self = EMPTY;
            self.0[IDS..IDS + len].copy_from_slice(&ids[..len]);
        }
        self.0[..8].copy_from_slice(&key.0);
        self.0[OWNER] = owner;
    }

    /// The entries, the older one first; each from its key on.
    fn entries(&self) -> impl Iterator<Item = &[u32]> {
        let second = (self.first_len() <= FIRST_IDS).then_some(&self.0[LINE..]);
        second.into_iter().chain([&self.0[..]])
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
            (is_at(1) && self.first_len() <= FIRST_IDS).then_some(1)
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

    #[inline(always)]
    fn index_of(&self, key: &Key, serial: u32) -> usize {
        ((key.hash() >> 24) as usize + serial as usize) & self.sets.len().wrapping_sub(1)
    }

    /// The number of the set that a piece of the vocabulary with this serial number is in, if any. It is fetched ahead.
    #[inline(always)]
    pub(crate) fn set_of(&self, key: &Key, serial: u32) -> usize {
        let set = self.index_of(key, serial);
        if let Some(Set(words)) = self.sets.get(set) {
            prefetch_index(words, 0);
            prefetch_index(words, LINE);
        }
        set
    }

    /// The ids of the piece if it was merged before, and their number; more than that can be read.
    #[inline(always)]
    pub(crate) fn find(&self, set: usize, key: &Key, serial: u32) -> Option<(&[TokenId], usize)> {
        let set = self.sets.get(set)?;
        let entry = &set.0[set.find(key, serial)? * LINE..];
        Some((&entry[IDS..], (entry[OWNER] & 31) as usize))
    }

    /// Remembers the `len` ids of a piece, if they fit; more than that can be read.
    #[inline(always)]
    pub(crate) fn put(&mut self, key: &Key, serial: u32, ids: &[TokenId], len: usize) {
        if key.0 == Key::NONE.0 || serial >= 1 << 27 || self.max_sets == 0 || len > MAX_IDS {
            return;
        }
        if self.stored >= self.sets.len() && self.sets.len() < self.max_sets {
            self.grow();
        }
        self.stored += 1;
        let at = self.index_of(key, serial);
        self.sets[at].put(key, serial << 5 | len as u32, ids, len);
    }

    /// Twice the sets, with the same entries.
    #[cold]
    fn grow(&mut self) {
        let sets = (self.sets.len() * 2).max(512).min(self.max_sets);
        let old = std::mem::replace(&mut self.sets, vec![EMPTY; sets]);
        for set in &old {
            for entry in set.entries().filter(|entry| entry[OWNER] != 0) {
                let key = Key(std::array::from_fn(|i| entry[i]));
                let (owner, len) = (entry[OWNER], (entry[OWNER] & 31) as usize);
                let at = self.index_of(&key, owner >> 5);
                self.sets[at].put(&key, owner, &entry[IDS..], len);
            }
        }
    }
}
