//! Pieces that were merged before, and their ids.
//!
//! Bounded, and owned by whoever encodes: no lock, no growth beyond its limit. Pieces of more bytes or more ids than fit
//! an entry are merged again each time.
#![allow(clippy::indexing_slicing)] // set numbers are cut to the table's size, lengths are bounded when stored

use crate::TokenId;

/// The longest piece that is remembered, in bytes.
pub(crate) const MAX_PIECE: usize = 32;
/// The most ids that are remembered of a piece. The first seven lie in the cache line of the key.
const MAX_IDS: usize = 3 * BLOCK;
/// How many ids are copied at a time.
pub(crate) const BLOCK: usize = 7;

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Entry {
    key: [u128; 2],
    /// The vocabulary's serial number above five bits with the number of ids; zero in an empty entry.
    owner: u32,
    ids: [TokenId; MAX_IDS],
}

const EMPTY: Entry = Entry {
    key: [0; 2],
    owner: 0,
    ids: [0; MAX_IDS],
};

/// Two entries a set; a new one takes the first place and moves the old one to the second.
pub(crate) struct Cache {
    sets: Vec<[Entry; 2]>,
    max_sets: usize,
    stored: usize,
}

/// What a piece is looked up by.
#[derive(Clone, Copy)]
pub(crate) struct Key([u128; 2]);

impl Key {
    /// The key of a piece that is not remembered.
    pub(crate) const NONE: Self = Self([0, 0]);

    /// The key of a piece of at most [`MAX_PIECE`] bytes, from the keys of its first 16 bytes and of the rest.
    #[inline]
    pub(crate) fn new(first: u128, rest: u128) -> Self {
        Self([first, rest])
    }

    #[inline]
    fn hash(&self) -> u64 {
        let fold =
            |key: u128| (key as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (key >> 64) as u64;
        (fold(self.0[0]) ^ fold(self.0[1]).rotate_left(23)).wrapping_mul(0xD6E8_FEB8_6659_FD93)
    }
}

impl Cache {
    /// A cache of at most `bytes` bytes, which starts small.
    pub(crate) fn new(bytes: usize) -> Self {
        let sets = bytes / size_of::<[Entry; 2]>();
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

    /// Fetches ahead what [`get`](Self::get) will look at.
    #[inline]
    pub(crate) fn prefetch(&self, key: &Key, serial: u32) {
        let set = self.set_of(key, serial);
        prefetch_index::prefetch_index(self.sets.as_flattened(), 2 * set);
        prefetch_index::prefetch_index(self.sets.as_flattened(), 2 * set + 1);
    }

    /// Where the piece is, if the vocabulary with this serial number merged it before.
    #[inline]
    pub(crate) fn find(&self, key: &Key, serial: u32) -> Option<u32> {
        let at = self.set_of(key, serial);
        let set = self.sets.get(at)?;
        let way = set
            .iter()
            .position(|entry| entry.key == key.0 && entry.owner >> 5 == serial)?;
        Some((2 * at + way) as u32)
    }

    /// The ids of a piece that was [found](Self::find), in whole blocks, and their number.
    #[inline]
    pub(crate) fn ids(&self, at: u32) -> (&[TokenId], usize) {
        let entry = &self.sets[at as usize / 2][at as usize % 2];
        (&entry.ids, (entry.owner & 31) as usize)
    }

    /// Remembers the ids of a piece, given in parts, if they fit.
    pub(crate) fn put<'i>(
        &mut self,
        key: &Key,
        serial: u32,
        parts: impl Iterator<Item = &'i [TokenId]>,
    ) {
        if key.0 == Key::NONE.0 || serial >= 1 << 27 || self.max_sets == 0 {
            return;
        }
        let mut entry = EMPTY;
        let mut len = 0;
        for id in parts.flatten() {
            let Some(place) = entry.ids.get_mut(len) else {
                return;
            };
            *place = *id;
            len += 1;
        }
        if self.stored >= self.sets.len() && self.sets.len() < self.max_sets {
            self.grow();
        }
        entry.key = key.0;
        entry.owner = serial << 5 | len as u32;
        let set = self.set_of(key, serial);
        let set = &mut self.sets[set];
        set[1] = set[0];
        set[0] = entry;
        self.stored += 1;
    }

    /// Four times the sets, empty: what is common comes back soon.
    fn grow(&mut self) {
        let sets = (self.sets.len() * 4).max(256).min(self.max_sets);
        self.sets = vec![[EMPTY; 2]; sets];
        self.stored = 0;
    }
}
