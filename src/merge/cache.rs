//! Pieces that were merged before, and their ids.
//!
//! Bounded, and owned by whoever encodes: no lock, no growth beyond its limit. Pieces of more bytes or more ids than fit
//! an entry are merged again each time.
#![allow(clippy::indexing_slicing)] // set numbers are cut to the table's size, lengths are bounded when stored

use prefetch_index::prefetch_index;

use crate::TokenId;
use crate::vocab::tables::{hash, slots};

/// The longest piece that is remembered, in bytes.
const MAX_PIECE: usize = 32;
/// The most ids that fit the cache line of their key.
pub(crate) const FEW: usize = 7;
/// How many more there can be on a second line, in place of a key.
pub(crate) const MORE: usize = 8;
/// The most ids that are remembered of a piece.
pub(crate) const MAX_IDS: usize = FEW + MORE + FEW;

/// What a piece is looked up by: the keys of its first 16 bytes and of the next 16, and a hash of them.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    halves: [u128; 2],
    hash: u32,
}

impl Key {
    /// The key of a piece that is not remembered.
    pub(crate) const NONE: Self = Self {
        halves: [0; 2],
        hash: 0,
    };

    /// From the key of a piece of at most 16 bytes, and the upper half of its hash.
    #[inline(always)]
    pub(crate) fn short(key: u128, hash: u32) -> Self {
        Self {
            halves: [key, !0],
            hash,
        }
    }

    /// From the bytes of a longer piece.
    pub(crate) fn long(piece: &[u8]) -> Self {
        if piece.len() > MAX_PIECE {
            return Self::NONE;
        }
        let mut bytes = [0xFF; MAX_PIECE];
        bytes[..piece.len()].copy_from_slice(piece);
        let half = |i: usize| u128::from_le_bytes(std::array::from_fn(|at| bytes[16 * i + at]));
        Self::of([half(0), half(1)])
    }

    fn of(halves: [u128; 2]) -> Self {
        let [first, rest] = halves.map(hash);
        let hash = if halves[1] == !0 {
            first
        } else {
            first ^ rest.rotate_left(23)
        };
        Self {
            halves,
            hash: slots::half(hash),
        }
    }
}

/// A cache line: an entry, or the ids of the entry before it that it has no place for.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line {
    halves: [u128; 2],
    /// The vocabulary's serial number above five bits with the number of ids; zero if this is no entry.
    owner: u32,
    ids: [TokenId; FEW],
}

const EMPTY: Line = Line {
    halves: [0; 2],
    owner: 0,
    ids: [0; FEW],
};

impl Line {
    #[inline(always)]
    fn len(&self) -> usize {
        (self.owner & 31) as usize
    }

    /// A line that has some more ids in place of a key and behind it.
    fn of_more(ids: &[TokenId]) -> Self {
        let mut words = [0; MORE + FEW];
        words[..ids.len()].copy_from_slice(ids);
        let half = |i: usize| {
            (0..4).fold(0, |half, at| {
                half | u128::from(words[4 * i + at]) << (32 * at)
            })
        };
        let mut line = Self {
            halves: [half(0), half(1)],
            ..EMPTY
        };
        line.ids.copy_from_slice(&words[MORE..]);
        line
    }

    /// The ids that it holds in place of a key.
    #[inline(always)]
    fn more(&self) -> [TokenId; MORE] {
        std::array::from_fn(|i| (self.halves[i / 4] >> (32 * (i % 4))) as TokenId)
    }

    #[inline(always)]
    fn is(&self, key: &Key, serial: u32) -> bool {
        (self.owner >> 5 == serial) & (self.halves == key.halves)
    }
}

/// Two entries of one line each, or one that takes both. A new entry takes the first line and moves the old one on.
type Set = [Line; 2];

pub(crate) struct Cache {
    sets: Vec<Set>,
    max_sets: usize,
    stored: usize,
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
    fn set_of(&self, key: &Key, serial: u32) -> usize {
        // the upper bits of the hash are the best; a shift by 32 has none left
        let hash = key.hash ^ serial.wrapping_mul(0x9E37_79B9);
        ((u64::from(hash) * self.sets.len() as u64) >> 32) as usize
    }

    /// Fetches ahead what [`find`](Self::find) will look at.
    #[inline(always)]
    pub(crate) fn prefetch(&self, key: &Key, serial: u32) {
        if let Some(set) = self.sets.get(self.set_of(key, serial)) {
            prefetch_index(set, 0);
            prefetch_index(set, 1);
        }
    }

    /// Where the ids of a piece are, if the vocabulary with this serial number merged it before.
    ///
    /// Both lines are looked at whatever the first one is: a branch would be mispredicted every other time.
    #[inline(always)]
    pub(crate) fn find(&self, key: &Key, serial: u32) -> Option<u32> {
        let at = self.set_of(key, serial);
        let [first, second] = self.sets.get(at)?;
        let (is_first, is_second) = (first.is(key, serial), second.is(key, serial));
        (is_first | is_second).then_some(2 * at as u32 + u32::from(!is_first))
    }

    /// The number of the ids of what was [found](Self::find), and the first of them.
    #[inline(always)]
    pub(crate) fn few(&self, line: u32) -> (usize, &[TokenId; FEW]) {
        let line = &self.sets[line as usize / 2][line as usize % 2];
        (line.len(), &line.ids)
    }

    /// The further ids, where there are more than [`FEW`].
    #[inline(always)]
    pub(crate) fn more(&self, line: u32) -> ([TokenId; MORE], &[TokenId; FEW]) {
        let [_, second] = &self.sets[line as usize / 2];
        (second.more(), &second.ids)
    }

    /// Remembers the first `len` of `ids`, if they fit; at least [`FEW`] can be read.
    #[inline(always)]
    pub(crate) fn put(&mut self, key: &Key, serial: u32, ids: &[TokenId], len: usize) {
        let no_key = key.halves == Key::NONE.halves;
        if no_key || serial >= 1 << 27 || self.max_sets == 0 || len > MAX_IDS {
            return;
        }
        if self.stored >= self.sets.len() && self.sets.len() < self.max_sets {
            self.grow();
        }
        self.stored += 1;
        let (now, more) = ids.split_at(FEW);
        let mut line = Line {
            halves: key.halves,
            owner: serial << 5 | len as u32,
            ids: [0; FEW],
        };
        line.ids.copy_from_slice(now);
        let at = self.set_of(key, serial);
        let [first, second] = &mut self.sets[at];
        *second = if len > FEW {
            Line::of_more(&more[..len - FEW])
        } else if first.len() > FEW {
            EMPTY
        } else {
            *first
        };
        *first = line;
    }

    /// Twice the sets, with the same entries.
    #[cold]
    fn grow(&mut self) {
        let sets = (self.sets.len() * 2).max(512).min(self.max_sets);
        let old = std::mem::replace(&mut self.sets, vec![[EMPTY; 2]; sets]);
        self.stored = 0;
        for [first, second] in &old {
            // a second line without an owner holds the rest of the first one's ids
            for line in [second, first].into_iter().filter(|line| line.owner != 0) {
                let mut ids = [0; MAX_IDS];
                ids[..FEW].copy_from_slice(&line.ids);
                ids[FEW..FEW + MORE].copy_from_slice(&second.more());
                ids[FEW + MORE..].copy_from_slice(&second.ids);
                self.put(&Key::of(line.halves), line.owner >> 5, &ids, line.len());
            }
        }
    }
}
