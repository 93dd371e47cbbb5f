//! Pieces that were merged before, and their ids.
//!
//! The cache is bounded and has one owner: there is no lock, and it never grows beyond its limit. Entries of variable
//! length follow one another in a *log* of words, and new ones overwrite the oldest. An *index* of buckets leads to them.
//!
//! An entry is a head, the bytes of the piece and its ids. The head:
//!
//! ```text
//!  31                        12 11             6 5             0
//! +----------------------------+----------------+---------------+
//! | serial number (vocabulary) | length (bytes) | number of ids |
//! +----------------------------+----------------+---------------+
//! ```
//!
//! A slot of the index:
//!
//! ```text
//!  31            22  21  20                                    0
//! +----------------+---+----------------------------------------+
//! |      tag       | L |          position in the log           |
//! +----------------+---+----------------------------------------+
//! ```
//!
//! A *lap* is one pass of writing over the whole log; `L` is set in odd ones. The position with `L` is a *place*.
#![allow(clippy::indexing_slicing)] // bucket numbers are below the index's length, positions are those of entries

use prefetch_index::prefetch_index;

use super::BLOCK_IDS;
use crate::token_id::TokenId;
use crate::vocab::tables::{FILL, hash, slots};

/// The longest piece that is cached: its key is two halves of 16 bytes. No piece has more ids than bytes.
pub(crate) const MAX_PIECE_BYTES: usize = 32;

/// The bits of each length in a head.
const LEN_BITS: u32 = 6;
const LEN_MASK: u32 = (1 << LEN_BITS) - 1;
/// The bits that are left for the serial number. Vocabularies with a higher one are not cached.
const SERIAL_BITS: u32 = u32::BITS - 2 * LEN_BITS;

/// The key of a piece: its bytes, a hash of them, and the head of its entry.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    /// The bytes, filled up with 0xFF.
    halves: [u128; 2],
    hash: u32,
    /// The head of the entry, with zero for the number of ids; all zero if the piece is not cached.
    head: u32,
}

impl Key {
    /// The key of every piece that is not cached.
    pub(crate) const NOT_CACHED: Self = Self {
        halves: [0; 2],
        hash: 0,
        head: 0,
    };

    /// Creates the key of a piece of `len` bytes, up to 16, from its key for the vocabulary and the upper half of its hash.
    #[inline(always)]
    pub(crate) fn short(key: u128, hash: u32, len: usize, serial: u32) -> Self {
        Self::of([key, !0], hash, len, serial)
    }

    /// Creates the key of a longer piece from its bytes.
    pub(crate) fn long(piece: &[u8], serial: u32) -> Self {
        let mut bytes = [0xFF; MAX_PIECE_BYTES];
        let Some(places) = bytes.get_mut(..piece.len()) else {
            return Self::NOT_CACHED;
        };
        places.copy_from_slice(piece);
        let half = |i: usize| u128::from_le_bytes(std::array::from_fn(|at| bytes[16 * i + at]));
        let halves = [half(0), half(1)];
        let hash = hash(halves[0]) ^ hash(halves[1]).rotate_left(23);
        Self::of(halves, slots::half(hash), piece.len(), serial)
    }

    /// Creates a key from the bytes and the upper half of their hash.
    #[inline(always)]
    fn of(halves: [u128; 2], hash: u32, len: usize, serial: u32) -> Self {
        if serial >= 1 << SERIAL_BITS {
            return Self::NOT_CACHED;
        }
        Self {
            halves,
            hash: key_hash(hash, serial),
            head: (serial << LEN_BITS | len as u32) << LEN_BITS,
        }
    }

    /// Returns the [`key_hash`], whose upper bits lead to the bucket.
    #[inline(always)]
    pub(crate) fn hash(&self) -> u32 {
        self.hash
    }

    /// Returns whether both are keys of the same piece, and it is cached.
    #[inline(always)]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (self.halves == other.halves) & (self.head == other.head) & (self.head != 0)
    }

    /// Returns the length of the piece in bytes.
    fn len(&self) -> usize {
        len_of(self.head)
    }
}

/// Returns the tag of a [`key_hash`], at its bits of a slot. It is never zero, so no slot in use is zero.
#[inline(always)]
fn tag_of(hash: u32) -> u32 {
    (hash.wrapping_mul(0x85EB_CA6B) >> TAG_SHIFT).max(1) << TAG_SHIFT
}

/// Returns the hash by which a piece of a vocabulary is found, from the upper half of the hash of its bytes.
#[inline(always)]
pub(crate) fn key_hash(hash: u32, serial: u32) -> u32 {
    hash ^ serial.wrapping_mul(0x9E37_79B9)
}

/// Returns the number of bytes of the piece whose entry has this head.
#[inline(always)]
fn len_of(head: u32) -> usize {
    (head >> LEN_BITS & LEN_MASK) as usize
}

/// By the length of a piece, the bits of its bytes in the two halves of its key.
const MASKS: [[u128; 2]; MAX_PIECE_BYTES + 1] = {
    let mut masks = [[0; 2]; MAX_PIECE_BYTES + 1];
    let mut len = 1;
    while len <= MAX_PIECE_BYTES {
        masks[len] = masks[len - 1];
        masks[len][(len - 1) / 16] |= 0xFF << (8 * ((len - 1) % 16));
        len += 1;
    }
    masks
};

/// The words of the longest key.
const KEY_WORDS: usize = MAX_PIECE_BYTES / 4;
/// How many words of the log reading or writing an entry may touch after its end: a block of ids, and the rest of the
/// longest key.
const OVERHANG_WORDS: usize = KEY_WORDS + BLOCK_IDS;

/// Where the tag begins in a slot.
const TAG_SHIFT: u32 = 22;
/// The bit of a place in an odd lap.
const LAP: u32 = 1 << (TAG_SHIFT - 1);
const LOG_POSITION_MASK: u32 = LAP - 1;
/// More than every place.
const PLACE_END: u32 = 1 << TAG_SHIFT;

/// The slots of a bucket, and the bits of an index of one.
const SLOTS: usize = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 3;

/// The flags above an age, see [`Cache::point_index_at`].
const IS_FREE: u32 = PLACE_END;
const IS_SAME: u32 = 2 * PLACE_END;

/// The words of a cache line.
const WORDS_PER_LINE: usize = 16;

/// Eight slots of the index; zero is an empty one. A bucket is half a cache line.
#[derive(Clone, Copy)]
#[repr(align(32))]
struct IndexBucket([u32; SLOTS]);

impl IndexBucket {
    const EMPTY: Self = Self([0; SLOTS]);
}

/// The words of the smallest cache, and of the largest one: as many as positions can tell apart.
const MIN_WORDS: usize = 1 << 12;
const MAX_WORDS: usize = LAP as usize;

/// A cache of merged pieces. A fourth of its words is the index, the rest is the log.
pub(crate) struct Cache {
    index: Vec<IndexBucket>,
    log: Vec<u32>,
    /// The position of the next entry.
    end: usize,
    /// [`LAP`] in odd laps, 0 in even ones.
    lap: u32,
    /// The words of the full-grown cache, a power of two, or 0.
    max_words: usize,
}

impl Cache {
    /// Creates a cache of up to `bytes` bytes, which allocates nothing yet.
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

    /// Returns the bucket of a hash.
    #[inline(always)]
    fn bucket_of(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.index.len() as u64) >> 32) as usize
    }

    /// Prefetches the bucket of the piece with this [`key_hash`], for [`position`](Self::position).
    #[inline(always)]
    pub(crate) fn prefetch(&self, hash: u32) {
        prefetch_index(&self.index, self.bucket_of(hash));
    }

    /// Returns the only position where the entry of the piece with this [`key_hash`] may be, 0 if there is none. Prefetches
    /// the entry.
    #[inline(always)]
    pub(crate) fn position(&self, hash: u32) -> u32 {
        let Some(IndexBucket(slots)) = self.index.get(self.bucket_of(hash)) else {
            return 0;
        };
        let tag = tag_of(hash);
        // a slot with another tag leaves more than any place
        let place = slots.iter().fold(!0, |found, slot| (slot ^ tag).min(found));
        let (at, end) = (place & LOG_POSITION_MASK, self.end as u32);
        // writing an entry overwrites some words after its end too, which are those of the previous lap
        let is_kept = if place & LAP == self.lap {
            at < end
        } else {
            at >= end + OVERHANG_WORDS as u32
        };
        let at = if (place < PLACE_END) & is_kept { at } else { 0 };
        prefetch_index(&self.log, at as usize);
        prefetch_index(&self.log, at as usize + WORDS_PER_LINE);
        at
    }

    /// Returns whether the entry at a position is that of a piece.
    #[inline(always)]
    pub(crate) fn is_at(&self, key: &Key, position: u32) -> bool {
        let Some(entry) = self.log.get(position as usize..) else {
            return false;
        };
        let Some([head, words @ ..]) = entry.first_chunk::<{ 1 + KEY_WORDS }>() else {
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

    /// Like [`is_at`](Self::is_at), for a piece of `len` bytes, up to 16, with this key in the vocabulary.
    #[inline(always)]
    pub(crate) fn is_short_at(&self, key: u128, len: usize, serial: u32, position: u32) -> bool {
        let entry = self.log.get(position as usize..);
        let Some([head, words @ ..]) = entry.and_then(|entry| entry.first_chunk::<5>()) else {
            return false;
        };
        let half = (0..4).fold(0, |half, at| half | u128::from(words[at]) << (32 * at));
        (head >> LEN_BITS == serial << LEN_BITS | len as u32)
            & ((half | FILL[len.min(17)]) == key)
            & (serial < 1 << SERIAL_BITS)
    }

    /// Returns the ids of the entry at a position, which are followed by at least a block of words, and their number.
    #[inline(always)]
    pub(crate) fn ids(&self, position: u32) -> (&[TokenId], usize) {
        let head = self.log[position as usize];
        let start = position as usize + 1 + len_of(head).div_ceil(4);
        (&self.log[start..], (head & LEN_MASK) as usize)
    }

    /// Adds an entry with the first `len` of `ids`, of which at least [`BLOCK_IDS`] are readable.
    #[inline(always)]
    pub(crate) fn put(&mut self, key: &Key, ids: &[TokenId], len: usize) {
        if key.head == 0 || self.max_words == 0 {
            return;
        }
        let words = key.len().div_ceil(4);
        let size = 1 + words + len;
        if self.end + size + OVERHANG_WORDS > self.log.len() {
            self.make_room();
        }
        let at = self.end;
        let entry = &mut self.log[at..at + size + OVERHANG_WORDS];
        entry[0] = key.head | len as u32;
        for i in 0..KEY_WORDS {
            entry[1 + i] = (key.halves[i / 4] >> (32 * (i % 4))) as u32;
        }
        entry[1 + words..][..BLOCK_IDS].copy_from_slice(&ids[..BLOCK_IDS]);
        if len > BLOCK_IDS {
            entry[1 + words..][BLOCK_IDS..len].copy_from_slice(&ids[BLOCK_IDS..len]);
        }
        self.end += size;
        self.point_index_at(key, at as u32);
    }

    /// Points the index at a new entry: it replaces an entry with the same tag, else an empty slot, else the oldest.
    ///
    /// Each slot gets a word with its index in the lowest bits, and above them its age and two flags. The slot of the
    /// largest word is replaced.
    #[inline(always)]
    fn point_index_at(&mut self, key: &Key, at: u32) {
        let (tag, lap, bucket) = (tag_of(key.hash), self.lap, self.bucket_of(key.hash));
        let IndexBucket(slots) = &mut self.index[bucket];
        let mut most = 0;
        for (i, slot) in (0..).zip(slots.iter()) {
            // entries of this lap are younger than those of the previous one
            let age = at.wrapping_sub(*slot) & LOG_POSITION_MASK | (slot ^ lap) & LAP;
            let is_free = u32::from(*slot == 0) * IS_FREE;
            let is_same = u32::from(slot ^ tag < PLACE_END) * IS_SAME;
            most = most.max((age | is_free | is_same) << SLOT_BITS | i);
        }
        slots[most as usize & (slots.len() - 1)] = tag | lap | at;
    }

    /// Makes room for an entry: extends the log, or begins a new lap.
    #[cold]
    fn make_room(&mut self) {
        let most = self.max_words / 4 * 3;
        if self.index.is_empty() {
            let buckets = self.max_words / 4 / SLOTS;
            self.index = vec![IndexBucket::EMPTY; buckets];
        }
        if self.log.len() < most {
            let words = (2 * self.log.len()).clamp(MIN_WORDS / 4 * 3, most);
            self.log.resize(words, 0);
        } else {
            self.lap ^= LAP;
            self.end = 0;
            // entries of the lap before the last are overwritten, but their places look like those of this lap
            for slot in self.index.iter_mut().flat_map(|IndexBucket(slots)| slots) {
                if *slot & LAP == self.lap {
                    *slot = 0;
                }
            }
        }
        // position 0 stands for no entry
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
        let place = cache.position(key.hash());
        cache.is_at(key, place).then(|| {
            let (ids, len) = cache.ids(place);
            ids[..len].to_vec()
        })
    }

    /// Returns the `i`th of many pieces, of all lengths, and ids that no other piece has.
    fn entry(i: u32) -> (Vec<u8>, Vec<TokenId>) {
        let number = i.wrapping_mul(0x9E37_79B9).to_le_bytes();
        let len = 1 + i as usize % 40;
        let piece: Vec<u8> = (0..len).map(|at| number[at % 4]).collect();
        let ids = (0..len.min(1 + i as usize % 7) as u32).map(|at| i * 8 + at);
        (piece, ids.collect())
    }

    /// Checks that the cache finds the ids that were put last, at any size and for each vocabulary separately.
    #[test]
    fn found_ids_are_those_put_last() {
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
                let is_kept = bytes >= 1 << 14 && piece.len() <= MAX_PIECE_BYTES;
                assert_eq!(get(&cache, &key), is_kept.then(|| ids.clone()));
                put.insert((piece, serial), ids);
            }
            let words = cache.log.len() + 8 * cache.index.len();
            assert!(4 * words <= bytes, "{words} words in {bytes} bytes");
        }
    }

    /// Checks that next to nothing is lost while the log has room.
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

    /// Checks that words after the ids of one piece are never taken for the entry of another.
    #[test]
    fn overwritten_entries_are_gone() {
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
        // one entry after another is overwritten, by ids that are followed by a forged entry of the next piece
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
