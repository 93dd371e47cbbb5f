//! Looks up pieces in the tables of the vocabulary, a batch at a time.
#![allow(clippy::indexing_slicing)] // positions in a batch are below its size, ids below the number of rows

use fearless_simd::{Level, Simd, dispatch};
use prefetch_index::prefetch_index;

use super::sink::BATCH_BUFFER_IDS;
use crate::merge::cache::{self, Cache};
use crate::split::window;
use crate::token_id::TokenId;
use crate::vocab::Regular;
use crate::vocab::regular::piece_key;
use crate::vocab::tables::{ROW_BYTES, common, hash, slots};

/// A value for each piece of a batch.
pub(super) type Batch<T> = Box<[T; window::ENDS]>;

/// Returns a batch that is filled with `value`.
#[allow(clippy::unnecessary_box_returns)] // by value, a batch of keys would pass through a small stack
pub(super) fn batch<T: Copy>(value: T) -> Batch<T> {
    let values: Result<Batch<T>, _> = vec![value; window::ENDS].into_boxed_slice().try_into();
    values.unwrap_or_else(|_| unreachable!("the length is that of the array"))
}

/// The pieces of a batch on their way through the tables of the vocabulary.
///
/// Each step is a counted loop over the pieces that are left, and prefetches for the next one. The steps are: find common
/// tokens; hash the other pieces; take a candidate id from the bucket of each; compare with the row of the candidate. The
/// pieces that are not tokens stay on the list of misses.
pub(super) struct Lookup {
    /// The end of each piece in the buffer.
    pub(super) ends: Batch<u32>,
    /// The id of each piece that is a token.
    pub(super) ids: Box<[TokenId; BATCH_BUFFER_IDS]>,
    /// The list of misses: their indices in the batch. The fields below are by index in this list.
    pub(super) misses: Batch<u16>,
    /// The keys of the pieces, see [`piece_key`].
    keys: Batch<u128>,
    /// The upper halves of the hashes of the keys.
    hashes: Batch<u32>,
    /// The id that may be that of each piece, from its bucket.
    candidates: Batch<TokenId>,
    /// Whether a piece may be a token of a later bucket of the table.
    undecided: Batch<bool>,
}

impl Lookup {
    /// Creates the memory for a batch.
    pub(super) fn new() -> Self {
        Self {
            ends: batch(0),
            ids: Box::new([0; BATCH_BUFFER_IDS]),
            misses: batch(0),
            keys: batch(0),
            hashes: batch(0),
            candidates: batch(0),
            undecided: batch(false),
        }
    }

    /// Returns the key of a miss in the cache.
    ///
    /// Prefetches the cache's bucket of a long piece; that of a short one was prefetched in `find_common`.
    #[inline(always)]
    pub(super) fn cache_key(
        &self,
        buffer: &[u8],
        miss: usize,
        vocab: &Regular,
        cache: &Cache,
    ) -> cache::Key {
        let (start, end) = self.range(self.misses[miss].into());
        if end - start <= ROW_BYTES {
            let (key, hash) = (self.keys[miss], self.hashes[miss]);
            return cache::Key::short(key, hash, end - start, vocab.serial());
        }
        let key = cache::Key::long(&buffer[start..end], vocab.serial());
        cache.prefetch(key.hash());
        key
    }

    /// Returns the id of a miss that is a token after all: one in a later bucket, or one longer than a row.
    #[inline(always)]
    pub(super) fn late_id(&self, buffer: &[u8], miss: usize, vocab: &Regular) -> Option<TokenId> {
        let (start, end) = self.range(self.misses[miss].into());
        if end - start > ROW_BYTES {
            return vocab.id(&buffer[start..end]);
        }
        if self.undecided[miss] {
            return vocab.id_of_key(self.keys[miss]);
        }
        None
    }

    /// Returns the start and the end in the buffer of the piece at an index of the batch.
    #[inline(always)]
    pub(super) fn range(&self, at: usize) -> (usize, usize) {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        (start as usize, self.ends[at] as usize)
    }

    /// Finds the ids of the first `count` pieces that are tokens. Returns the number of misses, which are listed.
    pub(super) fn look_up(
        &mut self,
        level: Level,
        buffer: &[u8],
        count: usize,
        vocab: &Regular,
        cache: &Cache,
    ) -> usize {
        dispatch!(level, simd => self.look_up_with(simd, buffer, count, vocab, cache))
    }

    /// Like [`look_up`](Self::look_up), compiled for a SIMD level.
    #[inline(always)]
    fn look_up_with<S: Simd>(
        &mut self,
        _: S,
        buffer: &[u8],
        count: usize,
        vocab: &Regular,
        cache: &Cache,
    ) -> usize {
        let rest = self.find_common(buffer, count, vocab, cache);
        self.find_candidates(rest, vocab);
        self.compare(rest, vocab)
    }

    /// Finds the ids of common tokens. Lists the other pieces with their keys and hashes, and returns their number.
    ///
    /// Prefetches their buckets, in the table and in the cache. Those of the cache are needed only for the misses, but the
    /// loop over the misses is often too short to prefetch in.
    #[inline(always)]
    fn find_common(
        &mut self,
        buffer: &[u8],
        count: usize,
        vocab: &Regular,
        cache: &Cache,
    ) -> usize {
        let common = vocab.common();
        let mut start = 0;
        let mut rest = 0;
        for i in 0..count {
            let end = self.ends[i] as usize;
            let key = piece_key(buffer, start, end - start);
            let (id, known) = common::find(common, key);
            self.ids[i] = id;
            self.keys[rest] = key;
            self.misses[rest] = i as u16;
            rest += usize::from(!known);
            start = end;
        }
        let buckets = vocab.slots();
        let bits = buckets.len().trailing_zeros();
        let serial = vocab.serial();
        for (key, hashed) in self.keys[..rest].iter().zip(self.hashes.iter_mut()) {
            *hashed = slots::half(hash(*key));
            prefetch_index(buckets, slots::bucket_of(*hashed, bits));
            cache.prefetch(cache::key_hash(*hashed, serial));
        }
        rest
    }

    /// Takes a candidate id for each listed piece, and prefetches its row.
    #[inline(always)]
    fn find_candidates(&mut self, rest: usize, vocab: &Regular) {
        let buckets = vocab.slots();
        let bits = buckets.len().trailing_zeros();
        let (rows, none) = (vocab.rows(), vocab.no_row());
        for i in 0..rest {
            let hash = self.hashes[i];
            let bucket = &buckets[slots::bucket_of(hash, bits)];
            let id = slots::candidate(bucket, hash, bits, none);
            self.candidates[i] = id;
            self.undecided[i] = slots::goes_on(bucket) | (id != none);
            prefetch_index(rows, id as usize);
        }
    }

    /// Compares the listed pieces with the rows of their candidates. The ones that differ stay on the list; returns their
    /// number.
    #[inline(always)]
    fn compare(&mut self, rest: usize, vocab: &Regular) -> usize {
        let rows = vocab.rows();
        let mut misses = 0;
        for i in 0..rest {
            let (id, key, at) = (self.candidates[i], self.keys[i], self.misses[i]);
            let row = u128::from_le_bytes(rows[id as usize]);
            self.ids[usize::from(at)] = id;
            self.keys[misses] = key;
            self.hashes[misses] = self.hashes[i];
            self.misses[misses] = at;
            self.undecided[misses] = self.undecided[i];
            misses += usize::from(row != key);
        }
        misses
    }
}
