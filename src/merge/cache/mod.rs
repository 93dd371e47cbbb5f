//! Pieces that were merged before, and their ids.
//!
//! The cache is bounded and has one owner: there is no lock, and it never grows beyond its limit. Entries of variable
//! length follow one another in a *log* of words, and new ones overwrite the oldest. An *index* of buckets leads to them.
//! The cache begins with up to 2 MiB, and doubles only while pieces come back that were overwritten (see [`returns`]).
//! At its limit, it then takes one new piece in four, so that the others stay until they come back.
//!
//! An entry is a head, the bytes of the piece and its ids. Of a longer piece, it has the first 32 bytes (see [`key`]). The
//! head:
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
//!  31          23  22  21                                      0
//! +--------------+---+------------------------------------------+
//! |     tag      | L |           position in the log            |
//! +--------------+---+------------------------------------------+
//! ```
//!
//! A *lap* is one pass of writing over the whole log; `L` is set in odd ones. The position with `L` is a *place*.
#![allow(clippy::indexing_slicing)] // bucket numbers are below the index's length, positions are those of entries

mod key;
mod returns;

use std::sync::atomic::{AtomicUsize, Ordering};

use prefetch_index::prefetch_index;

use super::BLOCK_IDS;
use crate::token_id::TokenId;
use crate::vocab::tables::FILL;
pub(crate) use key::{KEY_BYTES, Key, MAX_PIECE_BYTES, key_hash};
use key::{LEN_BITS, LEN_MASK, MASKS, SERIAL_BITS, len_of, words_of};
use returns::Returns;

/// Returns the tag of a [`key_hash`], at its bits of a slot. It is never zero, so no slot in use is zero.
#[inline(always)]
fn tag_of(hash: u32) -> u32 {
    (hash.wrapping_mul(0x85EB_CA6B) >> TAG_SHIFT).max(1) << TAG_SHIFT
}

/// The words of the longest key.
const KEY_WORDS: usize = KEY_BYTES / 4;
/// How many words of the log reading or writing an entry may touch after its end: a block of ids, and the rest of the
/// longest key.
const OVERHANG_WORDS: usize = KEY_WORDS + BLOCK_IDS;

/// Where the tag begins in a slot.
const TAG_SHIFT: u32 = 23;
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

/// The words of a cache that did not grow on evidence. It holds the missed pieces of megabytes of one language: some
/// 60,000. The limit is of November 2026; no measurement of speed is recorded.
const FIRST_WORDS: usize = (2 << 20) / 4;

/// The most words by which the log is extended at once.
///
/// The first write to new memory took 0.7 ns a byte on a virtual machine. A log that doubled made one short text wait for
/// 1 to 2 ms (AMD EPYC with AVX2, November 2026). The allocation still doubles: its capacity stays a power of two times
/// that of the smallest log, so it never exceeds the limit.
const STEP_WORDS: usize = (256 << 10) / 4;

/// The limit of each cache that has none of its own, in bytes.
static PROCESS_LIMIT: AtomicUsize = AtomicUsize::new(4 * MAX_WORDS);

/// Sets the limit of all caches that have none of their own.
pub(crate) fn set_process_limit(bytes: usize) {
    PROCESS_LIMIT.store(bytes, Ordering::Relaxed);
}

/// The limit of a cache.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    /// That of [`set_process_limit`], whenever the cache is about to take more memory.
    Process,
    /// This many bytes.
    Bytes(usize),
}

impl Limit {
    /// Returns the words of the largest cache within the limit, a power of two, or 0.
    fn words(self) -> usize {
        let bytes = match self {
            Self::Process => PROCESS_LIMIT.load(Ordering::Relaxed),
            Self::Bytes(bytes) => bytes,
        };
        match (bytes / 4).min(MAX_WORDS) {
            0..MIN_WORDS => 0,
            words => 1 << words.ilog2(),
        }
    }
}

/// Which pieces are added.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Admission {
    All,
    /// One in four.
    ///
    /// *First in, first out* loses each piece just before it comes back, if a little more goes round than the cache
    /// holds. With a limit of 2 MiB, text of twenty languages that comes again is encoded at 70 instead of 50 MB/s;
    /// with 1 MiB, at 54 (AMD EPYC with AVX2, November 2026).
    Few,
    /// None: the cache has no words yet, or its limit is too low for any.
    None,
}

/// The limit from which a cache is watched. A smaller one would take much more memory with the bitmaps of 16 KiB.
const WATCHED_WORDS: usize = (1 << 20) / 4;

/// How far ahead entries are prefetched when the cache doubles. Without this, each entry took about 120 ns: 8 ms from 2 to
/// 4 MiB (busy AMD EPYC with AVX2, November 2026).
const BUCKETS_AHEAD: usize = 4;

/// Pieces with lower tags are sampled, one in 64.
const SAMPLED_TAGS: u32 = 1 << (u32::BITS - 6);

/// A cache of merged pieces. A fourth of its words is the index, the rest is the log.
pub(crate) struct Cache {
    index: Vec<IndexBucket>,
    log: Vec<u32>,
    /// The position of the next entry.
    end: usize,
    /// [`LAP`] in odd laps, 0 in even ones.
    lap: u32,
    /// The words of the cache when its log has its full length: a power of two, or 0.
    words: usize,
    limit: Limit,
    admission: Admission,
    /// The state of the random numbers that choose the pieces to admit.
    random: u32,
    /// Which sampled pieces were added, since the log was full for the first time.
    returns: Option<Box<Returns>>,
    /// Whether entries were overwritten since the log has its length.
    overwrites: bool,
}

impl Cache {
    /// Creates a cache, which allocates nothing yet.
    pub(crate) fn new(limit: Limit) -> Self {
        Self {
            index: Vec::new(),
            log: Vec::new(),
            end: 0,
            lap: 0,
            words: 0,
            limit,
            admission: Admission::None,
            random: 0,
            returns: None,
            overwrites: false,
        }
    }

    /// Returns the bucket of a hash.
    #[inline(always)]
    fn bucket_of(&self, hash: u32) -> usize {
        bucket_of(hash, self.index.len())
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
        let is_kept = (place < PLACE_END) & self.is_kept(place);
        let at = if is_kept {
            place & LOG_POSITION_MASK
        } else {
            0
        };
        prefetch_index(&self.log, at as usize);
        prefetch_index(&self.log, at as usize + WORDS_PER_LINE);
        at
    }

    /// Returns whether the entry at a place was not overwritten.
    #[inline(always)]
    fn is_kept(&self, place: u32) -> bool {
        let (at, end) = (place & LOG_POSITION_MASK, self.end as u32);
        // writing an entry overwrites some words after its end too, which are those of the previous lap
        if place & LAP == self.lap {
            at < end
        } else {
            at >= end + OVERHANG_WORDS as u32
        }
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
        let [first, second] = halves(words, key.len());
        (head >> LEN_BITS == key.head >> LEN_BITS)
            & (first == key.halves[0])
            & (second == key.halves[1])
    }

    /// Returns the key of the entry at a position.
    fn key_at(&self, position: u32) -> Key {
        let entry = &self.log[position as usize..];
        let Some([head, words @ ..]) = entry.first_chunk::<{ 1 + KEY_WORDS }>() else {
            return Key::NOT_CACHED;
        };
        let len = len_of(*head);
        Key::from_halves(halves(words, len), len, head >> (2 * LEN_BITS))
    }

    /// Returns whether the entry at a position is that of a piece of up to 16 bytes with this key. `key` is that of the
    /// vocabulary, `len` the bytes of the piece.
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
        let start = position as usize + 1 + words_of(len_of(head));
        (&self.log[start..], (head & LEN_MASK) as usize)
    }

    /// Adds an entry with the first `len` of `ids`, of which at least [`BLOCK_IDS`] are readable, for a piece that was not
    /// found. Positions that were found before are no longer valid.
    #[inline(always)]
    pub(crate) fn put(&mut self, key: &Key, ids: &[TokenId], len: usize) {
        if key.head == 0 {
            return;
        }
        if tag_of(key.hash) < SAMPLED_TAGS {
            self.sample(key.hash);
        }
        if self.admission != Admission::All && !self.admits() {
            return;
        }
        let words = words_of(key.len());
        let size = 1 + words + len;
        if self.end + size + OVERHANG_WORDS > self.log.len() && !self.make_room() {
            return;
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

    /// Returns whether the next piece is added, if not all are.
    #[cold]
    fn admits(&mut self) -> bool {
        if self.admission == Admission::Few {
            self.random = self
                .random
                .wrapping_mul(0x0019_660D)
                .wrapping_add(0x3C6E_F35F);
            return self.random >> 30 == 0;
        }
        self.words = self.limit.words().min(FIRST_WORDS);
        if self.words == 0 {
            return false;
        }
        self.admission = Admission::All;
        true
    }

    /// Makes room for an entry: extends the log, or begins a new lap. Returns whether there is any now.
    #[cold]
    fn make_room(&mut self) -> bool {
        self.keep_limit();
        if self.words == 0 && !self.admits() {
            return false;
        }
        let most = self.words / 4 * 3;
        if self.index.is_empty() {
            self.index = vec![IndexBucket::EMPTY; self.words / 4 / SLOTS];
        }
        if self.log.len() < most {
            let len = self.log.len();
            let words = (2 * len).min(len + STEP_WORDS);
            let words = words.clamp(MIN_WORDS / 4 * 3, most);
            self.log.resize(words, 0);
        } else {
            self.begin_lap();
        }
        // position 0 stands for no entry
        self.end = self.end.max(1);
        true
    }

    /// Begins to overwrite the oldest entries.
    fn begin_lap(&mut self) {
        self.overwrites = true;
        if self.returns.is_none() && self.limit.words() >= WATCHED_WORDS {
            self.returns = Some(self.sampled());
        }
        self.lap ^= LAP;
        self.end = 0;
        // entries of the lap before the last are overwritten, but their places look like those of this lap
        for slot in self.index.iter_mut().flat_map(|IndexBucket(slots)| slots) {
            if *slot & LAP == self.lap {
                *slot = 0;
            }
        }
    }

    /// Returns the sampled pieces of all entries.
    fn sampled(&self) -> Box<Returns> {
        let mut returns = Box::new(Returns::new());
        for slot in self.index.iter().flat_map(|IndexBucket(slots)| slots) {
            if *slot < SAMPLED_TAGS && self.is_entry(*slot) {
                returns.note(self.key_at(slot & LOG_POSITION_MASK).hash);
            }
        }
        returns.forget_share();
        returns
    }

    /// Returns whether a slot leads to an entry.
    fn is_entry(&self, slot: u32) -> bool {
        slot != 0 && self.is_kept(slot)
    }

    /// Notes a sampled piece that is about to be added. From time to time, decides whether the cache grows, and which
    /// pieces are added.
    #[cold]
    fn sample(&mut self, hash: u32) {
        let Some(share) = self.returns.as_mut().and_then(|returns| returns.note(hash)) else {
            return;
        };
        self.keep_limit();
        if !self.overwrites {
            return;
        }
        if share.is_worth_growing() && 2 * self.words <= self.limit.words() {
            return self.grow();
        }
        self.admission = if share.is_worth_choosing() {
            Admission::Few
        } else {
            Admission::All
        };
    }

    /// Doubles the cache, which keeps all entries.
    fn grow(&mut self) {
        let mut grown = Self {
            index: vec![IndexBucket::EMPTY; 2 * self.index.len()],
            log: Vec::new(),
            end: self.log.len(),
            words: 2 * self.words,
            returns: None,
            ..*self
        };
        let pairs = grown.index.as_chunks_mut().0.iter_mut();
        for (i, (bucket, pair)) in self.index.iter().zip(pairs).enumerate() {
            if let Some(IndexBucket(later)) = self.index.get(i + BUCKETS_AHEAD) {
                for slot in later {
                    prefetch_index(&self.log, (slot & LOG_POSITION_MASK) as usize);
                }
            }
            self.split_bucket(bucket, pair);
        }
        grown.log = std::mem::take(&mut self.log);
        grown.returns = self.returns.take();
        grown.admission = Admission::All;
        grown.overwrites = false;
        *self = grown;
    }

    /// Copies the slots of a bucket to the two buckets that take its place when the index doubles.
    #[inline(always)]
    fn split_bucket(&self, IndexBucket(slots): &IndexBucket, pair: &mut [IndexBucket; 2]) {
        let mut lens = [0; 2];
        for slot in slots.iter().filter(|slot| self.is_entry(**slot)) {
            let hash = self.key_at(slot & LOG_POSITION_MASK).hash;
            let half = bucket_of(hash, 2 * self.index.len()) & 1;
            // the next entry goes to the new half of the log, so all others belong to this lap
            pair[half].0[lens[half] & (SLOTS - 1)] = slot & !LAP | self.lap;
            lens[half] += 1;
        }
    }

    /// Frees everything, if the limit is lower than the size now.
    fn keep_limit(&mut self) {
        if self.words > self.limit.words() {
            *self = Self::new(self.limit);
        }
    }
}

#[cfg(test)]
impl Cache {
    /// Checks that each slot is in the bucket of its entry, with its tag. Returns the number of entries.
    pub(crate) fn check_index(&self) -> usize {
        let mut entries = 0;
        for (bucket, IndexBucket(slots)) in self.index.iter().enumerate() {
            for slot in slots.iter().filter(|slot| self.is_entry(**slot)) {
                let key = self.key_at(slot & LOG_POSITION_MASK);
                assert_eq!(self.bucket_of(key.hash), bucket);
                assert_eq!(slot & !(PLACE_END - 1), tag_of(key.hash));
                entries += 1;
            }
        }
        entries
    }
}

/// Returns the bucket of a hash in an index of `len` buckets. In an index of twice the length, it is one of the two that
/// take the place of this one.
#[inline(always)]
fn bucket_of(hash: u32, len: usize) -> usize {
    ((u64::from(hash) * len as u64) >> 32) as usize
}

/// Returns the halves of a key from the words of an entry.
#[inline(always)]
fn halves(words: &[u32; KEY_WORDS], len: usize) -> [u128; 2] {
    let half = |i: usize| {
        (0..4).fold(0, |half, at| {
            half | u128::from(words[4 * i + at]) << (32 * at)
        })
    };
    let [first, second] = MASKS[len];
    [half(0) | !first, half(1) | !second]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::tables::{hash, key_of, slots};
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

    /// Returns a piece of up to 13 bytes that no other number has.
    fn short_piece(i: u32) -> Vec<u8> {
        format!("{:x}é{i}", i % 7).into_bytes()
    }

    fn put(cache: &mut Cache, key: &Key, ids: &[TokenId]) {
        let mut padded = ids.to_vec();
        padded.resize(ids.len() + BLOCK_IDS, 0);
        cache.put(key, &padded, ids.len());
    }

    /// Puts a piece if it is not found, as the engine does. Returns whether it was found.
    fn ask(cache: &mut Cache, piece: &[u8], ids: &[TokenId]) -> bool {
        let key = key(piece, 1);
        let found = get(cache, &key);
        match &found {
            Some(found) => assert_eq!(found, ids, "{piece:?}"),
            None => put(cache, &key, ids),
        }
        found.is_some()
    }

    /// Returns the bytes that the cache takes, after a check that they keep a limit.
    fn bytes_within(cache: &Cache, limit: usize) -> usize {
        let bytes = 4 * (cache.log.capacity() + SLOTS * cache.index.capacity());
        assert!(bytes <= limit, "{bytes} bytes within {limit}");
        bytes
    }

    /// Checks that the cache finds the ids that were put last, at any size and for each vocabulary separately.
    #[test]
    fn found_ids_are_those_put_last() {
        for bytes in [0, 1000, 1 << 14, 1 << 15, 100_000, 1 << 18] {
            check_puts(bytes, 60_000, 20_000);
        }
        // these grow
        check_puts(1 << 22, 400_000, 90_000);
        check_puts(usize::MAX, 500_000, 150_000);
    }

    /// Puts pieces by turns and by chance.
    fn check_puts(bytes: usize, puts: u32, pieces: u32) {
        let mut cache = Cache::new(Limit::Bytes(bytes));
        let mut last = HashMap::new();
        let mut random = 1_u32;
        for i in 0..puts {
            random = random.wrapping_mul(0x0019_660D).wrapping_add(0x3C6E_F35F);
            let i = if random < 1 << 31 { i } else { random >> 8 };
            let (piece, ids) = entry(i % pieces);
            let serial = 1 + i / 7 % 2;
            let key = key(&piece, serial);
            let piece = (piece, serial);
            if let Some(found) = get(&cache, &key) {
                assert_eq!(Some(&found), last.get(&piece), "{piece:?}");
            }
            put(&mut cache, &key, &ids);
            let found = get(&cache, &key);
            if found.as_ref() == Some(&ids) {
                last.insert(piece, ids);
            } else {
                // not admitted
                assert!(cache.admission != Admission::All || key.head == 0);
                assert!(found.is_none() || found.as_ref() == last.get(&piece));
            }
        }
        bytes_within(&cache, bytes);
        cache.check_index();
        assert_eq!(bytes < 1 << 14, last.is_empty());
    }

    /// Checks that pieces longer than a key are found only by their own length. The last byte of the key must be repeated up
    /// to their end.
    #[test]
    fn long_repeats_are_cached() {
        let mut cache = Cache::new(Limit::Bytes(1 << 18));
        let repeat = |len: usize| format!("\n{}", " ".repeat(len - 1)).into_bytes();
        let ids = |len: usize| vec![len as u32; len];
        for len in 17..=70 {
            put(&mut cache, &key(&repeat(len), 1), &ids(len));
        }
        for len in 17..=70 {
            let found = get(&cache, &key(&repeat(len), 1));
            let expected = (len <= MAX_PIECE_BYTES).then(|| ids(len));
            assert_eq!(found, expected, "{len} bytes");
            for at in KEY_BYTES - 1..len {
                let mut other = repeat(len);
                other[at] = b'x';
                assert_eq!(get(&cache, &key(&other, 1)), None, "{len} bytes, {at}");
            }
        }
        cache.check_index();
    }

    /// Checks that neither new pieces nor pieces that fit make the cache grow.
    #[test]
    fn without_returns_the_cache_stays_small() {
        let mut cache = Cache::new(Limit::Bytes(usize::MAX));
        for i in 0..400_000 {
            ask(&mut cache, &short_piece(i), &[i; 3]);
            assert!(cache.admission == Admission::All);
        }
        assert_eq!(bytes_within(&cache, 2 << 20), 2 << 20);
        assert!(cache.returns.is_some());

        let mut cache = Cache::new(Limit::Bytes(usize::MAX));
        for i in 0..200_000 {
            ask(&mut cache, &short_piece(i % 50_000), &[i % 50_000; 3]);
        }
        bytes_within(&cache, 2 << 20);
    }

    /// Checks that the cache grows until it holds what comes back, and no more.
    #[test]
    fn returns_make_the_cache_grow() {
        for (pieces, mib) in [(80_000, 4), (300_000, 16)] {
            let mut cache = Cache::new(Limit::Bytes(usize::MAX));
            let mut found = 0;
            for i in 0..8 * pieces {
                if i % pieces == 0 {
                    found = 0;
                }
                let i = i % pieces;
                found += u32::from(ask(&mut cache, &short_piece(i), &[i; 3]));
            }
            assert_eq!(
                bytes_within(&cache, mib << 20),
                mib << 20,
                "{pieces} pieces"
            );
            assert!(found > pieces / 100 * 97, "{found} of {pieces}");
        }
    }

    /// Checks that a cache at its limit keeps some of the pieces that come back, and takes all again afterwards.
    #[test]
    fn a_full_cache_chooses() {
        for limit in [1 << 20, 2 << 20, 4 << 20] {
            let mut cache = Cache::new(Limit::Bytes(limit));
            let pieces = (limit / 21) as u32;
            let mut found = 0;
            for i in 0..12 * pieces {
                found += u32::from(ask(&mut cache, &short_piece(i % pieces), &[i % pieces; 3]));
                if i == 6 * pieces {
                    found = 0;
                }
            }
            assert!(cache.admission == Admission::Few);
            assert!(found > pieces, "{found} of {}", 6 * pieces);
            bytes_within(&cache, limit);
            for i in pieces..pieces + 20_000 {
                ask(&mut cache, &short_piece(i), &[i; 3]);
            }
            assert!(cache.admission == Admission::All);
        }
    }

    /// Checks that a cache which doubles at any time keeps all its entries, and that the entries of later laps are found.
    #[test]
    fn growth_keeps_the_entries() {
        let entry = |i: u32| {
            let piece = format!("{i:x}é").repeat(1 + i as usize % 4);
            (piece.into_bytes(), vec![i; 1 + i as usize % 9])
        };
        for puts in [100, 20_000, 32_000, 45_000, 75_000] {
            let mut cache = Cache::new(Limit::Bytes(1 << 20));
            let mut i = 0;
            while cache.words < 1 << 20 {
                for _ in 0..puts {
                    ask(&mut cache, &entry(i).0, &entry(i).1);
                    i += 1;
                }
                let kept = |cache: &Cache| -> Vec<u32> {
                    let found = |i: &u32| get(cache, &key(&entry(*i).0, 1)).is_some();
                    (0..i).filter(found).collect()
                };
                let (before, entries) = (kept(&cache), cache.check_index());
                assert!(before.len() <= entries);
                cache.grow();
                assert_eq!(cache.check_index(), entries);
                assert_eq!(kept(&cache), before);
                bytes_within(&cache, 4 * cache.words);
                cache.limit = Limit::Bytes(4 * cache.words);
            }
        }
    }

    /// Checks that the limit of the process holds for a cache that exists, whether it is lower or higher than before.
    #[test]
    fn a_lower_limit_holds_for_existing_caches() {
        let mut cache = Cache::new(Limit::Bytes(usize::MAX));
        let mut first = 0;
        let mut limit_to = |limit: usize, least: usize| {
            cache.limit = Limit::Bytes(limit);
            // pieces that the cache does not have yet
            first += 200_000;
            for i in 0..600_000 {
                let i = first + i % 150_000;
                ask(&mut cache, &short_piece(i), &[i; 3]);
            }
            assert!(bytes_within(&cache, limit) >= least);
        };
        limit_to(usize::MAX, 8 << 20);
        limit_to(3 << 20, 2 << 20);
        limit_to(1 << 15, 1 << 15);
        limit_to(0, 0);
        limit_to(usize::MAX, 8 << 20);
    }

    /// Checks that next to nothing is lost while the log has room.
    #[test]
    fn the_log_is_used_up() {
        let mut cache = Cache::new(Limit::Bytes(2 << 20));
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
        let mut cache = Cache::new(Limit::Bytes(1 << 14));
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
