//! Looks up pieces in the tables of the vocabulary, a batch at a time.
#![allow(clippy::indexing_slicing)] // positions in a batch are below its size, ids below the number of rows

use fearless_simd::{Level, Simd, dispatch};
use prefetch_index::prefetch_index;

use super::recent::{self, Recent};
use super::sink::BATCH_BUFFER_IDS;
use crate::merge::cache::{self, Cache};
use crate::split::window;
use crate::token_id::TokenId;
use crate::vocab::Regular;
use crate::vocab::regular::{low_window_at, piece_key, window_at};
use crate::vocab::tables::{hash, slots};

/// A value for each piece of a batch.
pub(super) type Batch<T> = Box<[T; window::ENDS]>;

/// Returns a batch that is filled with `value`.
#[allow(clippy::unnecessary_box_returns)] // by value, a batch of keys would pass through a small stack
pub(super) fn batch<T: Copy>(value: T) -> Batch<T> {
    let values: Result<Batch<T>, _> = vec![value; window::ENDS].into_boxed_slice().try_into();
    values.unwrap_or_else(|_| unreachable!("the length is that of the array"))
}

/// The key of all pieces of more than 16 bytes. No shorter piece has it, because no text ends with 0xFF.
pub(super) const LONG_KEY: u128 = !0;

/// The pieces of a batch on their way through the tables of the vocabulary.
///
/// Each step is a counted loop over the pieces that are left, and prefetches for the next one. The steps are: find recent
/// tokens; hash the other pieces; take a candidate id from the bucket of each; compare with the row of the candidate. The
/// pieces that are not found stay on the list of misses.
pub(super) struct Lookup {
    /// A zero, and the end of each piece in the buffer: the piece at an index begins at the value with that index.
    bounds: Box<[u32; window::ENDS + 1]>,
    /// The id of each piece that was found.
    pub(super) ids: Box<[TokenId; BATCH_BUFFER_IDS]>,
    /// The list of misses: their indices in the batch. The fields below are by index in this list.
    pub(super) misses: Batch<u16>,
    /// The keys of the pieces, see [`piece_key`].
    pub(super) keys: Batch<u128>,
    /// The upper halves of the hashes of the keys.
    pub(super) hashes: Batch<u32>,
    /// The id that may be that of each piece, from its bucket.
    candidates: Batch<TokenId>,
    recent: Recent,
}

impl Lookup {
    /// Creates the memory for a batch.
    pub(super) fn new() -> Self {
        Self {
            bounds: Box::new([0; window::ENDS + 1]),
            ids: Box::new([0; BATCH_BUFFER_IDS]),
            misses: batch(0),
            keys: batch(0),
            hashes: batch(0),
            candidates: batch(0),
            recent: Recent::new(),
        }
    }

    /// Returns the end of each piece in the buffer.
    #[inline(always)]
    pub(super) fn ends(&self) -> &[u32; window::ENDS] {
        let [_, ends @ ..] = &*self.bounds;
        ends
    }

    /// Returns the ends, to be written.
    #[inline(always)]
    pub(super) fn ends_mut(&mut self) -> &mut [u32; window::ENDS] {
        let [_, ends @ ..] = &mut *self.bounds;
        ends
    }

    /// Returns the start and the end in the buffer of the piece at an index of the batch.
    #[inline(always)]
    pub(super) fn range(&self, at: usize) -> (usize, usize) {
        (self.bounds[at] as usize, self.bounds[at + 1] as usize)
    }

    /// Returns the id of a miss that is a token after all: one in a later bucket, or one longer than a row.
    #[inline(always)]
    pub(super) fn late_id(&self, buffer: &[u8], miss: usize, vocab: &Regular) -> Option<TokenId> {
        if self.keys[miss] == LONG_KEY {
            let (start, end) = self.range(self.misses[miss].into());
            return vocab.id(&buffer[start..end]);
        }
        vocab.id_of_key(self.keys[miss])
    }

    /// Looks up the ids of the first `count` pieces. Returns the number of misses, which are listed.
    ///
    /// Without `IDS`, it finds only which pieces are misses. This and one sum for a batch make counting 3 to 8 % faster (AMD
    /// EPYC with AVX2, November 2026).
    pub(super) fn look_up<const IDS: bool>(
        &mut self,
        level: Level,
        buffer: &[u8],
        count: usize,
        vocab: &Regular,
        cache: &Cache,
    ) -> usize {
        self.recent.select(vocab.serial());
        dispatch!(level, simd => self.look_up_with::<_, IDS>(simd, buffer, count, vocab, cache))
    }

    /// Does the work of [`look_up`](Self::look_up), compiled for a SIMD level.
    #[inline(always)]
    fn look_up_with<S: Simd, const IDS: bool>(
        &mut self,
        _: S,
        buffer: &[u8],
        count: usize,
        vocab: &Regular,
        cache: &Cache,
    ) -> usize {
        let rest = self.find_recent::<IDS>(buffer, count);
        if rest == 0 {
            return 0;
        }
        self.make_keys(buffer, rest, vocab, cache);
        self.find_candidates(rest, vocab);
        self.compare::<IDS>(rest, vocab)
    }

    /// Finds the ids of recent tokens. Lists the other pieces and returns their number.
    #[inline(always)]
    fn find_recent<const IDS: bool>(&mut self, buffer: &[u8], count: usize) -> usize {
        // local references: the loop would load the pointers again after each write
        let (ids, misses) = (&mut *self.ids, &mut *self.misses);
        let entries = self.recent.entries();
        let mut start = 0;
        let mut rest = 0;
        let ends = self.bounds[1..=count].iter().zip(ids.iter_mut());
        for (i, (end, place)) in ends.enumerate() {
            let end = *end as usize;
            let (id, is_known) = recent::find(entries, low_window_at(buffer, start), end - start);
            if IDS {
                *place = id;
            }
            misses[rest] = i as u16;
            rest += usize::from(!is_known);
            start = end;
        }
        rest
    }

    /// Makes the keys and hashes of the listed pieces.
    ///
    /// Prefetches their buckets, in the table and in the cache. Those of the cache are needed only for the misses, but the
    /// loop over the misses is often too short to prefetch in.
    #[inline(always)]
    fn make_keys(&mut self, buffer: &[u8], rest: usize, vocab: &Regular, cache: &Cache) {
        let bounds = &*self.bounds;
        let buckets = vocab.slots();
        let bits = buckets.len().trailing_zeros();
        let serial = vocab.serial();
        let places = self.keys.iter_mut().zip(self.hashes.iter_mut());
        for (at, (key, hashed)) in self.misses[..rest].iter().zip(places) {
            let at = usize::from(*at);
            let (start, end) = (bounds[at] as usize, bounds[at + 1] as usize);
            *key = piece_key(window_at(buffer, start), end - start);
            *hashed = slots::half(hash(*key));
            prefetch_index(buckets, slots::bucket_of(*hashed, bits));
            cache.prefetch(cache::key_hash(*hashed, serial));
        }
    }

    /// Takes a candidate id for each listed piece, and prefetches its row.
    #[inline(always)]
    fn find_candidates(&mut self, rest: usize, vocab: &Regular) {
        let buckets = vocab.slots();
        let bits = buckets.len().trailing_zeros();
        let (rows, none) = (vocab.rows(), vocab.no_row());
        let hashes = self.hashes[..rest].iter();
        for (hash, candidate) in hashes.zip(self.candidates.iter_mut()) {
            let bucket = &buckets[slots::bucket_of(*hash, bits)];
            *candidate = slots::candidate(bucket, *hash, bits, none);
            prefetch_index(rows, *candidate as usize);
        }
    }

    /// Compares the listed pieces with the rows of their candidates, and keeps the tokens among the recent ones. The pieces
    /// that differ stay on the list; returns their number.
    #[inline(always)]
    fn compare<const IDS: bool>(&mut self, rest: usize, vocab: &Regular) -> usize {
        let rows = vocab.rows();
        let (keys, hashes, list) = (&mut *self.keys, &mut *self.hashes, &mut *self.misses);
        let (ids, candidates) = (&mut *self.ids, &*self.candidates);
        let entries = self.recent.entries();
        let mut misses = 0;
        for i in 0..rest.min(window::ENDS) {
            let (id, key, at) = (candidates[i], keys[i], list[i]);
            let is_token = u128::from_le_bytes(rows[id as usize]) == key;
            if IDS {
                ids[usize::from(at)] = id;
            }
            recent::keep(entries, key, id, is_token);
            keys[misses] = key;
            hashes[misses] = hashes[i];
            list[misses] = at;
            misses += usize::from(!is_token);
        }
        misses
    }
}
