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
//!
//! The tag has the bits of the hash after those of the bucket. When the index doubles, its lowest bits tell which of two
//! buckets a slot moves to, so that the log is not read.
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

/// Returns the tag of a [`key_hash`] as a slot has it. It is never zero, so it is not that of an empty slot.
#[inline(always)]
fn tag_of(hash: u32) -> u32 {
    let tag = mix(hash) & !(PLACE_END - 1);
    tag | u32::from(tag == 0) << (u32::BITS - 1)
}

/// Mixes the bits of a [`key_hash`]: the upper ones are the tag, the next ones choose the bucket. The best bits of the hash
/// are its upper ones. Rotated down, they change all bits of the product.
#[inline(always)]
fn mix(hash: u32) -> u32 {
    hash.rotate_left(16).wrapping_mul(0x85EB_CA6B)
}

/// The words of the longest key.
const KEY_WORDS: usize = KEY_BYTES / 4;
/// How many words of the log reading or writing an entry may touch after its end: a block of ids, and the rest of the
/// longest key.
const OVERHANG_WORDS: usize = KEY_WORDS + BLOCK_IDS;

/// Where the tag begins in a slot.
const TAG_SHIFT: u32 = 23;
/// Where the bits of the bucket begin in a mixed hash. Those of a cache that did not grow end where the tag begins. The
/// largest cache takes three more, which are bits of the tag. Fewer are left to tell its slots apart, so 2 % of its pieces
/// are lost. With entries of an even number of words, the tag had one bit more. That lost fewer, but the log held 8 % less
/// (November 2026).
const BUCKET_SHIFT: u32 = TAG_SHIFT - index_len(FIRST_WORDS).ilog2();
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

/// The words by which the log is extended at once, within memory that is reserved.
///
/// The first write to new memory took 0.7 ns a byte on a virtual machine. A log that doubled made one short text wait for
/// 1 to 2 ms, and one that grew by 256 KiB for 0.17 ms (AMD EPYC with AVX2, November 2026).
const STEP_WORDS: usize = (4 << 10) / 4;
/// The buckets by which the index of a cache that doubled is extended in each step. It has its full length when a fifth of
/// the new log is used. When it took all of it, 1 % more pieces were lost from the buckets that waited.
const BUCKETS_PER_STEP: usize = 5 * STEP_WORDS / (3 * SLOTS);

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

/// Pieces with lower tags are sampled, one in 64.
const SAMPLED_TAGS: u32 = 1 << (u32::BITS - 6);

/// Returns the bits of a mixed hash in which sampled pieces differ, as the upper ones.
fn unsampled_bits(mixed: u32) -> u32 {
    mixed << (SAMPLED_TAGS.leading_zeros() + 1)
}

/// A cache of merged pieces. A fourth of its words is the index, the rest is the log.
pub(crate) struct Cache {
    /// The buckets. After the cache doubled, some are added whenever the log is extended: see
    /// [`split_next`](Self::split_next).
    index: Vec<IndexBucket>,
    /// The bits of a hash that choose its bucket, once the index has its full length.
    mask: usize,
    log: Vec<u32>,
    /// The position of the next entry.
    end: usize,
    /// [`LAP`] in odd laps, 0 in even ones.
    lap: u32,
    /// Where this lap stops to overwrite entries of the previous one: never, or where it was when the cache doubled.
    overwrites_to: usize,
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
            mask: 0,
            log: Vec::new(),
            end: 0,
            lap: 0,
            overwrites_to: usize::MAX,
            words: 0,
            limit,
            admission: Admission::None,
            random: 0,
            returns: None,
            overwrites: false,
        }
    }

    /// Returns the bucket of a hash. Buckets that are still to come have their entries in the lower half.
    #[inline(always)]
    fn bucket_of(&self, hash: u32) -> usize {
        let bucket = self.full_bucket_of(hash);
        if bucket < self.index.len() {
            bucket
        } else {
            bucket & (self.mask >> 1)
        }
    }

    /// Returns the bucket of a hash in an index that has its full length.
    #[inline(always)]
    fn full_bucket_of(&self, hash: u32) -> usize {
        (mix(hash) >> BUCKET_SHIFT) as usize & self.mask
    }

    /// Prefetches the bucket of the piece with this [`key_hash`], for [`position`](Self::position). Does nothing for a
    /// bucket that is still to come.
    #[inline(always)]
    pub(crate) fn prefetch(&self, hash: u32) {
        prefetch_index(&self.index, self.full_bucket_of(hash));
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
        let at = place & LOG_POSITION_MASK;
        if place & LAP == self.lap {
            at < self.end as u32
        } else {
            at >= self.oldest()
        }
    }

    /// Returns the first position of entries that this lap did not overwrite yet.
    #[inline(always)]
    fn oldest(&self) -> u32 {
        // writing an entry overwrites some words after its end too
        (self.end.min(self.overwrites_to) + OVERHANG_WORDS) as u32
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
            self.sample(unsampled_bits(mix(key.hash)));
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
        if self.index.is_empty() {
            self.reserve(self.words);
            self.index.resize(index_len(self.words), IndexBucket::EMPTY);
            self.mask = self.index.len() - 1;
        }
        let most = log_len(self.words);
        if self.log.len() < most {
            self.log.resize(most.min(self.log.len() + STEP_WORDS), 0);
            self.grow_index();
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
        // slots of the previous lap would look like those of the next one: what is left of them joins this lap
        let (lap, oldest) = (self.lap, self.oldest());
        for slot in self.index.iter_mut().flat_map(|IndexBucket(slots)| slots) {
            if *slot & LAP != lap {
                let is_kept = *slot & LOG_POSITION_MASK >= oldest;
                *slot = if is_kept { *slot ^ LAP } else { 0 };
            }
        }
        self.lap ^= LAP;
        self.end = 0;
        self.overwrites_to = usize::MAX;
    }

    /// Returns the sampled pieces of all entries. A cache of less than [`FIRST_WORDS`] lacks some bits of their hashes, so
    /// only some of its pieces are noted as themselves.
    fn sampled(&self) -> Box<Returns> {
        let mut returns = Box::new(Returns::new());
        for (bucket, IndexBucket(slots)) in (0..).zip(&self.index) {
            for slot in slots {
                if *slot < SAMPLED_TAGS && self.is_entry(*slot) {
                    let hash = slot & !(PLACE_END - 1) | bucket << BUCKET_SHIFT;
                    returns.note(unsampled_bits(hash));
                }
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

    /// Reserves memory for a cache of this many words. What is not used yet is not touched.
    fn reserve(&mut self, words: usize) {
        let more = |words: usize, len: usize| words.saturating_sub(len);
        self.index
            .reserve_exact(more(index_len(words), self.index.len()));
        self.log.reserve_exact(more(log_len(words), self.log.len()));
    }

    /// Doubles the cache, which keeps all entries. The lap goes on in the new half of the log; the index follows in steps.
    ///
    /// When all buckets were split at once, from the entries of the log, one text waited for 3.4 ms at 8 MiB: as long as 600
    /// texts of 1,000 bytes take (AMD EPYC with AVX2, November 2026). Memory is reserved for the whole limit, so that entries
    /// are copied only the first time.
    fn grow(&mut self) {
        debug_assert!(
            self.overwrites,
            "the log and the index have their full lengths"
        );
        if self.words < FIRST_WORDS {
            // only after a lower limit: some bits of its buckets are not in the tags
            *self = Self::new(self.limit);
            return;
        }
        self.reserve(self.limit.words());
        self.overwrites_to = self.end;
        self.end = self.log.len();
        self.words *= 2;
        self.mask = 2 * self.mask + 1;
        self.admission = Admission::All;
        self.overwrites = false;
    }

    /// Adds some of the buckets that the index of a cache that doubled does not have yet.
    fn grow_index(&mut self) {
        for _ in 0..BUCKETS_PER_STEP.min(self.mask + 1 - self.index.len()) {
            self.split_next();
        }
    }

    /// Adds a bucket to an index that grows, and moves to it its entries: they are in the bucket at the same place of the
    /// lower half. This is linear hashing (Litwin, 1980).
    ///
    /// ```text
    /// before   a0 a1 a2 a3 | b0           the bits of a hash lead to a1 or b1; b1 is not there yet, so both are in a1
    /// after    a0 a1 a2 a3 | b0 b1
    /// ```
    fn split_next(&mut self) {
        let lower = (self.mask >> 1) + 1;
        let from = self.index.len() - lower;
        // the bit of the hash that is new in the mask, which is one of the tag
        let upper_bit = (lower << BUCKET_SHIFT) as u32;
        let mut pair = [IndexBucket::EMPTY; 2];
        let mut lens = [0; 2];
        let IndexBucket(slots) = &self.index[from];
        for slot in slots {
            let half = usize::from(slot & upper_bit != 0);
            pair[half].0[lens[half] % SLOTS] = *slot;
            lens[half] += usize::from(*slot != 0);
        }
        self.index[from] = pair[0];
        self.index.push(pair[1]);
    }

    /// Frees everything, if the limit is lower than the size now.
    fn keep_limit(&mut self) {
        if self.words > self.limit.words() {
            *self = Self::new(self.limit);
        }
    }
}

/// Returns the buckets of the index of a cache of this many words.
const fn index_len(words: usize) -> usize {
    words / 4 / SLOTS
}

/// Returns the words of the log of a cache of this many words.
const fn log_len(words: usize) -> usize {
    words / 4 * 3
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

    /// Returns the bytes of the cache, after a check that what it reserved keeps a limit.
    fn bytes_within(cache: &Cache, limit: usize) -> usize {
        let bytes = |log: usize, index: usize| 4 * (log + SLOTS * index);
        let reserved = bytes(cache.log.capacity(), cache.index.capacity());
        assert!(reserved <= limit, "{reserved} bytes within {limit}");
        assert!(bytes(cache.log.len(), cache.index.len()) <= 4 * cache.words);
        4 * cache.words
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
    }

    /// Checks that neither new pieces nor pieces that fit make the cache grow.
    #[test]
    fn without_returns_the_cache_stays_small() {
        let mut cache = Cache::new(Limit::Bytes(usize::MAX));
        for i in 0..400_000 {
            ask(&mut cache, &short_piece(i), &[i; 3]);
            assert!(cache.admission == Admission::All);
        }
        assert_eq!(bytes_within(&cache, 16 << 20), 2 << 20);
        assert!(cache.returns.is_some());

        let mut cache = Cache::new(Limit::Bytes(usize::MAX));
        for i in 0..200_000 {
            ask(&mut cache, &short_piece(i % 50_000), &[i % 50_000; 3]);
        }
        assert_eq!(bytes_within(&cache, 16 << 20), 2 << 20);
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
            assert_eq!(bytes_within(&cache, 16 << 20), mib << 20, "{pieces} pieces");
            assert!(found > pieces / 100 * 96, "{found} of {pieces}");
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

    /// Checks that a cache which doubles at any time after its first lap keeps all its entries, and that the entries of
    /// later laps are found.
    #[test]
    fn growth_keeps_the_entries() {
        let entry = |i: u32| {
            let piece = format!("{i:x}é").repeat(1 + i as usize % 4);
            (piece.into_bytes(), vec![i; 1 + i as usize % 9])
        };
        for puts in [100, 20_000, 32_000, 45_000, 75_000] {
            let mut cache = Cache::new(Limit::Bytes(2 << 20));
            let mut i = 0;
            while cache.words < MAX_WORDS {
                let mut more: u32 = puts;
                while !cache.overwrites || more > 0 {
                    ask(&mut cache, &entry(i).0, &entry(i).1);
                    i += 1;
                    more = more.saturating_sub(u32::from(cache.overwrites));
                }
                let kept = |cache: &Cache| -> Vec<u32> {
                    let found = |i: &u32| get(cache, &key(&entry(*i).0, 1)).is_some();
                    (0..i).filter(found).collect()
                };
                let before = kept(&cache);
                cache.limit = Limit::Bytes(8 * cache.words);
                cache.grow();
                assert_eq!(kept(&cache), before);
                while cache.index.len() <= cache.mask {
                    cache.grow_index();
                    assert_eq!(
                        get(&cache, &key(&entry(before[0]).0, 1)),
                        Some(entry(before[0]).1)
                    );
                }
                assert_eq!(kept(&cache), before);
                bytes_within(&cache, 4 * cache.words);
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

    /// Checks that laps, growth and limits that change, in any order, never lead to a wrong id.
    #[test]
    fn growth_laps_and_limits_by_chance() {
        for seed in 1..4 {
            check_by_chance(seed, 400_000);
        }
    }

    /// Returns ids that look like an entry of a piece with other ids.
    fn forged(piece: &[u8], mark: u32) -> [TokenId; 12] {
        let key = key(piece, 1);
        let mut ids = [mark; 12];
        ids[0] = key.head | 2;
        for i in 0..words_of(key.len()) {
            ids[1 + i] = (key.halves[i / 4] >> (32 * (i % 4))) as u32;
        }
        ids
    }

    /// Puts pieces by chance, while the limit changes and the cache grows. The ids look like entries of other pieces.
    fn check_by_chance(seed: u64, puts: usize) {
        let mut random = crate::texts::Random::new(seed);
        let mut cache = Cache::new(Limit::Bytes(usize::MAX));
        let mut last: HashMap<Vec<u8>, Vec<TokenId>> = HashMap::new();
        let piece = |i: usize| format!("{:x}", i * 7).repeat(1 + i % 5).into_bytes();
        let (mut pieces, mut left) = (1, 0);
        let mut most_bytes = 0;
        for mark in 0..puts {
            if left == 0 {
                left = 1 + random.below(60_000);
                pieces = 1 + random.below(300_000);
                let bytes = [0, 1 << 14, 1 << 16, 1 << 20, 3 << 20, 6 << 20, 8 << 20];
                let bytes = bytes.get(random.below(2 * bytes.len()));
                let bytes = bytes.copied().unwrap_or(usize::MAX);
                cache.limit = Limit::Bytes(bytes);
                most_bytes = 4 * cache.words.max(cache.limit.words());
                check_entries(&cache, &last);
            }
            left -= 1;
            let can_grow = cache.overwrites && 2 * cache.words <= cache.limit.words();
            if can_grow && random.below(20_000) == 0 {
                cache.grow();
                check_entries(&cache, &last);
            }
            let this = piece(random.below(pieces));
            let key = key(&this, 1);
            let found = get(&cache, &key);
            assert!(found.is_none() || found.as_ref() == last.get(&this));
            if found.is_some() && random.below(4) > 0 {
                continue;
            }
            // ids of any number, and more of them after their end
            let other = forged(&piece(random.below(pieces)), mark as u32);
            let ids: Vec<TokenId> = other.into_iter().cycle().take(40 + BLOCK_IDS).collect();
            let len = 1 + random.below(40);
            cache.put(&key, &ids, len);
            let found = get(&cache, &key);
            if found.as_deref() == Some(&ids[..len]) {
                last.insert(this, ids[..len].to_vec());
            } else {
                // not admitted
                assert!(cache.admission != Admission::All);
                assert!(found.is_none() || found.as_ref() == last.get(&this));
            }
            assert!(4 * (cache.log.len() + SLOTS * cache.index.len()) <= most_bytes);
        }
        check_entries(&cache, &last);
    }

    /// Checks that each slot that is kept leads to a whole entry, and that a look-up finds it.
    fn check_entries(cache: &Cache, last: &HashMap<Vec<u8>, Vec<TokenId>>) {
        for (bucket, IndexBucket(slots)) in cache.index.iter().enumerate() {
            for slot in slots.iter().filter(|slot| cache.is_entry(**slot)) {
                let position = slot & LOG_POSITION_MASK;
                let entry = &cache.log[position as usize..];
                let len = len_of(entry[0]);
                let bytes = entry[1..].iter().flat_map(|word| word.to_le_bytes());
                let piece: Vec<u8> = bytes.take(len).collect();
                let key = key(&piece, 1);
                assert_eq!(
                    (cache.bucket_of(key.hash), tag_of(key.hash)),
                    (bucket, slot & !(PLACE_END - 1))
                );
                assert_eq!(cache.position(key.hash), position);
                assert_eq!(get(cache, &key).as_ref(), last.get(&piece));
            }
        }
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
