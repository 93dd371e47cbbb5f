//! Pieces that were merged before, and their ids.
//!
//! Bounded, and owned by whoever encodes: no lock, no growth beyond its limit. The entries stand one behind the other in a
//! log, each as long as it needs, the oldest are written over; an index of buckets leads to them.
#![allow(clippy::indexing_slicing)] // buckets are cut to the index, positions come from it and are those of entries

use prefetch_index::prefetch_index;

use super::BLOCK_IDS;
use crate::token_id::TokenId;
use crate::vocab::tables::{hash, slots};

/// The longest piece that is remembered, in bytes. No piece has more ids.
pub(crate) const MAX_PIECE: usize = 32;

/// The bits of the number of ids, and of the number of bytes above it; what is left is for the vocabulary's serial number.
const LEN_BITS: u32 = 6;

/// What a piece is looked up by: its bytes with 0xFF behind them, a hash of them, and the head of its entry.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    halves: [u128; 2],
    hash: u32,
    /// The serial number and the number of bytes, above the bits of the number of ids.
    head: u32,
}

impl Key {
    /// The key of a piece that is not remembered.
    pub(crate) const NONE: Self = Self {
        halves: [0; 2],
        hash: 0,
        head: 0,
    };

    /// From the key of a piece of `len` bytes, at most 16, and the upper half of its hash.
    #[inline(always)]
    pub(crate) fn short(key: u128, hash: u32, len: usize, serial: u32) -> Self {
        Self::of([key, !0], hash, len, serial)
    }

    /// From the bytes of a longer piece.
    pub(crate) fn long(piece: &[u8], serial: u32) -> Self {
        let mut bytes = [0xFF; MAX_PIECE];
        let Some(places) = bytes.get_mut(..piece.len()) else {
            return Self::NONE;
        };
        places.copy_from_slice(piece);
        let half = |i: usize| u128::from_le_bytes(std::array::from_fn(|at| bytes[16 * i + at]));
        let halves = [half(0), half(1)];
        let hash = hash(halves[0]) ^ hash(halves[1]).rotate_left(23);
        Self::of(halves, slots::half(hash), piece.len(), serial)
    }

    #[inline(always)]
    fn of(halves: [u128; 2], hash: u32, len: usize, serial: u32) -> Self {
        if serial >= 1 << (32 - 2 * LEN_BITS) {
            return Self::NONE;
        }
        Self {
            halves,
            hash: key_hash(hash, serial),
            head: (serial << LEN_BITS | len as u32) << LEN_BITS,
        }
    }

    /// See [`key_hash`]. Entries are found by its upper bits.
    #[inline(always)]
    pub(crate) fn hash(&self) -> u32 {
        self.hash
    }

    /// Whether both are the keys of one piece, and it is remembered.
    #[inline(always)]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (self.halves == other.halves) & (self.head == other.head) & (self.head != 0)
    }

    fn len(&self) -> usize {
        len_of(self.head)
    }

    /// Some bits that tell the entries of a bucket apart, never all zero.
    #[inline(always)]
    fn tag(&self) -> u32 {
        (self.hash.wrapping_mul(0x85EB_CA6B) >> PLACE_BITS).max(1) << PLACE_BITS
    }
}

/// What a piece of a vocabulary is found by, from the upper half of the hash of its key.
#[inline(always)]
pub(crate) fn key_hash(hash: u32, serial: u32) -> u32 {
    hash ^ serial.wrapping_mul(0x9E37_79B9)
}

/// The number of bytes that the head of an entry tells.
#[inline(always)]
fn len_of(head: u32) -> usize {
    (head >> LEN_BITS & ((1 << LEN_BITS) - 1)) as usize
}

/// The bits for so many bytes at the low end of the two halves of a key.
const MASKS: [[u128; 2]; MAX_PIECE + 1] = {
    let mut masks = [[0; 2]; MAX_PIECE + 1];
    let mut len = 1;
    while len <= MAX_PIECE {
        masks[len] = masks[len - 1];
        masks[len][(len - 1) / 16] |= 0xFF << (8 * ((len - 1) % 16));
        len += 1;
    }
    masks
};

/// The words of the longest key.
const KEY: usize = MAX_PIECE / 4;
/// What can be read behind an entry: a block of ids, and a key where a shorter one stands.
const PADDING: usize = KEY + BLOCK_IDS;

/// The bits of a place: a position in the log, and above it whether this is an odd lap.
const PLACE_BITS: u32 = 22;
const LAP: u32 = 1 << (PLACE_BITS - 1);

/// Tags and places; zero is none.
#[derive(Clone, Copy)]
#[repr(align(32))]
struct Bucket([u32; 8]);

impl Bucket {
    const EMPTY: Self = Self([0; 8]);
}

/// The words of the smallest cache, and of the largest.
const MIN_WORDS: usize = 1 << 12;
const MAX_WORDS: usize = LAP as usize;

pub(crate) struct Cache {
    index: Vec<Bucket>,
    /// Entries: a head, the bytes of the piece, its ids.
    log: Vec<u32>,
    /// Where the next entry goes, and in which lap.
    end: usize,
    lap: u32,
    max_words: usize,
}

impl Cache {
    /// A cache of at most `bytes` bytes, which starts without any.
    pub(crate) fn new(bytes: usize) -> Self {
        let words = (bytes / 4).min(MAX_WORDS);
        Self {
            index: Vec::new(),
            log: Vec::new(),
            end: 0,
            lap: 0,
            max_words: if words < MIN_WORDS {
                0
            } else {
                1 << words.ilog2()
            },
        }
    }

    #[inline(always)]
    fn bucket_of(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.index.len() as u64) >> 32) as usize
    }

    /// Fetches ahead what [`place`](Self::place) will look at for the piece with this [`key_hash`].
    #[inline(always)]
    pub(crate) fn prefetch(&self, hash: u32) {
        prefetch_index(&self.index, self.bucket_of(hash));
    }

    /// Where the entry of a piece may be, the only place; fetched ahead for [`is_at`](Self::is_at). Zero is none.
    #[inline(always)]
    pub(crate) fn place(&self, key: &Key) -> u32 {
        let Some(Bucket(slots)) = self.index.get(self.bucket_of(key.hash)) else {
            return 0;
        };
        let tag = key.tag();
        // a slot with another tag leaves more than any place
        let place = slots.iter().fold(!0, |found, slot| (slot ^ tag).min(found));
        let (at, end) = (place & (LAP - 1), self.end as u32);
        // entries are written with what makes their last block, over what is left of the lap before
        let is_kept = if place & LAP == self.lap {
            at < end
        } else {
            at >= end + PADDING as u32
        };
        let at = if (place < 2 * LAP) & is_kept { at } else { 0 };
        prefetch_index(&self.log, at as usize);
        prefetch_index(&self.log, at as usize + 16);
        at
    }

    /// Whether the entry of a piece is at a place.
    #[inline(always)]
    pub(crate) fn is_at(&self, key: &Key, place: u32) -> bool {
        let Some(entry) = self.log.get(place as usize..) else {
            return false;
        };
        let Some([head, words @ ..]) = entry.first_chunk::<{ 1 + KEY }>() else {
            return false;
        };
        let half = |i: usize| {
            (0..4).fold(0, |half, at| {
                half | u128::from(words[4 * i + at]) << (32 * at)
            })
        };
        let [first, second] = MASKS[key.len()];
        (head >> LEN_BITS == key.head >> LEN_BITS)
            & (half(0) | !first == key.halves[0])
            & (half(1) | !second == key.halves[1])
    }

    /// The ids of the entry at a place, and behind them what makes a block, and their number.
    #[inline(always)]
    pub(crate) fn ids(&self, place: u32) -> (&[TokenId], usize) {
        let head = self.log[place as usize];
        let start = place as usize + 1 + len_of(head).div_ceil(4);
        (&self.log[start..], (head & ((1 << LEN_BITS) - 1)) as usize)
    }

    /// Remembers the first `len` of `ids`, of which [`BLOCK_IDS`] are readable.
    #[inline(always)]
    pub(crate) fn put(&mut self, key: &Key, ids: &[TokenId], len: usize) {
        if key.head == 0 || self.max_words == 0 {
            return;
        }
        let words = key.len().div_ceil(4);
        let size = 1 + words + len;
        if self.end + size + PADDING > self.log.len() {
            self.make_room();
        }
        let at = self.end;
        let entry = &mut self.log[at..at + size + PADDING];
        entry[0] = key.head | len as u32;
        for i in 0..KEY {
            entry[1 + i] = (key.halves[i / 4] >> (32 * (i % 4))) as u32;
        }
        entry[1 + words..][..BLOCK_IDS].copy_from_slice(&ids[..BLOCK_IDS]);
        if len > BLOCK_IDS {
            entry[1 + words..][BLOCK_IDS..len].copy_from_slice(&ids[BLOCK_IDS..len]);
        }
        self.end += size;
        self.lead(key, at as u32);
    }

    /// Lets the index lead to a new entry, instead of one with the same tag, of nothing, or of the oldest.
    #[inline(always)]
    fn lead(&mut self, key: &Key, at: u32) {
        let (tag, lap, bucket) = (key.tag(), self.lap, self.bucket_of(key.hash));
        let Bucket(slots) = &mut self.index[bucket];
        let mut oldest = 0;
        for (i, slot) in (0..).zip(slots.iter()) {
            // what is before this place in this lap is younger than what is behind it, of the lap before
            let age = at.wrapping_sub(*slot) & (LAP - 1) | (slot ^ lap) & LAP;
            let is_free = u32::from(*slot == 0) * 2 * LAP;
            let is_same = u32::from(slot ^ tag < 2 * LAP) * 4 * LAP;
            oldest = oldest.max((age | is_free | is_same) << 3 | i);
        }
        let oldest = oldest as usize & (slots.len() - 1);
        slots[oldest] = tag | lap | at;
    }

    /// Makes room for an entry: the log becomes longer, or begins again.
    #[cold]
    fn make_room(&mut self) {
        let most = self.max_words / 4 * 3;
        if self.index.is_empty() {
            self.index = vec![Bucket::EMPTY; self.max_words / 4 / Bucket::EMPTY.0.len()];
        }
        if self.log.len() < most {
            let words = (2 * self.log.len()).clamp(MIN_WORDS / 4 * 3, most);
            self.log.resize(words, 0);
        } else {
            self.lap ^= LAP;
            self.end = 0;
            // entries of the lap before the last are written over, and would pass for entries of this one
            for slot in self.index.iter_mut().flat_map(|Bucket(slots)| slots) {
                if *slot & LAP == self.lap {
                    *slot = 0;
                }
            }
        }
        // no entry is at zero
        self.end = self.end.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::tables::key_of;
    use std::collections::HashMap;

    fn key(piece: &[u8], serial: u32) -> Key {
        if piece.len() > 16 {
            return Key::long(piece, serial);
        }
        let key = key_of(piece);
        Key::short(key, slots::half(hash(key)), piece.len(), serial)
    }

    fn get(cache: &Cache, key: &Key) -> Option<Vec<TokenId>> {
        let place = cache.place(key);
        cache.is_at(key, place).then(|| {
            let (ids, len) = cache.ids(place);
            ids[..len].to_vec()
        })
    }

    /// The `i`th of many pieces, of all lengths, and ids that no other piece has.
    fn entry(i: u32) -> (Vec<u8>, Vec<TokenId>) {
        let number = i.wrapping_mul(0x9E37_79B9).to_le_bytes();
        let len = 1 + i as usize % 40;
        let piece: Vec<u8> = (0..len).map(|at| number[at % 4]).collect();
        let ids = (0..len.min(1 + i as usize % 7) as u32).map(|at| i * 8 + at);
        (piece, ids.collect())
    }

    /// What is found is what was put there last, in a cache of any size, for each vocabulary by itself.
    #[test]
    fn what_is_found_was_put() {
        for bytes in [0, 1000, 1 << 14, 1 << 15, 100_000, 1 << 18] {
            let mut cache = Cache::new(bytes);
            let mut put = HashMap::new();
            for i in 0..60_000 {
                let (piece, mut ids) = entry(i % 20_000);
                let serial = 1 + i / 7 % 2;
                let key = key(&piece, serial);
                let found = get(&cache, &key);
                if found.is_some() {
                    assert_eq!(
                        found.as_ref(),
                        put.get(&(piece.clone(), serial)),
                        "{piece:?}"
                    );
                }
                let len = ids.len();
                ids.resize(len + BLOCK_IDS, 0);
                cache.put(&key, &ids, len);
                ids.truncate(len);
                let is_kept = bytes >= 1 << 14 && piece.len() <= MAX_PIECE;
                assert_eq!(get(&cache, &key), is_kept.then(|| ids.clone()));
                put.insert((piece, serial), ids);
            }
            let words = cache.log.len() + 8 * cache.index.len();
            assert!(4 * words <= bytes, "{words} words in {bytes} bytes");
        }
    }

    /// As long as the log has room, next to nothing is lost.
    #[test]
    fn the_log_is_used_up() {
        let mut cache = Cache::new(2 << 20);
        let piece = |i: u32| format!("piece{i}");
        for i in 0..40_000 {
            cache.put(&key(piece(i).as_bytes(), 1), &[i; 2 + BLOCK_IDS], 2);
        }
        let kept = |i: &u32| get(&cache, &key(piece(*i).as_bytes(), 1)) == Some(vec![*i; 2]);
        let kept = (0..40_000).filter(kept).count();
        assert!(kept > 39_600, "{kept} of 40,000");
    }

    /// What stands behind the ids of one piece never passes for the entry of another.
    #[test]
    fn what_is_written_over_is_gone() {
        let mut cache = Cache::new(1 << 14);
        let piece = |i: u32| format!("{i:04}");
        let put = |cache: &mut Cache, i: u32, ids: &[u32; BLOCK_IDS]| {
            cache.put(&key(piece(i).as_bytes(), 1), ids, 2);
        };
        let mut i = 0;
        while cache.lap == 0 {
            put(&mut cache, i, &[i; BLOCK_IDS]);
            i += 1;
        }
        // one after the other is written over; what follows each pretends to be the entry of the next
        for old in 1..i - 2 {
            let key = key(piece(old + 1).as_bytes(), 1);
            let mut ids = [7; BLOCK_IDS];
            ids[2..5].copy_from_slice(&[key.head | 1, key.halves[0] as u32, 999]);
            put(&mut cache, i + old, &ids);
            let found = get(&cache, &key);
            assert!(
                found.is_none() || found == Some(vec![old + 1; 2]),
                "{found:?}"
            );
        }
    }
}
