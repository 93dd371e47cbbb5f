//! Pieces to ids by the tables of the vocabulary, a batch at a time.
#![allow(clippy::indexing_slicing)] // positions in a batch are below its size, ids below the rows'

use fearless_simd::{Level, Simd, dispatch};
use prefetch_index::prefetch_index;

use super::sink::BATCH_IDS;
use crate::merge::cache::{self, Cache};
use crate::split::window;
use crate::token_id::TokenId;
use crate::vocab::Regular;
use crate::vocab::regular::piece_key;
use crate::vocab::tables::{common, hash, slots};

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
/// Each step is a counted loop over the pieces that are left, which fetches what the next step reads: the ids of common
/// tokens; the bucket of each other piece; the row of the token that the bucket names; the comparison with it. Pieces that
/// are no token stay on the list of misses.
pub(super) struct Lookup {
    /// Where the pieces end in the buffer.
    pub(super) ends: Batch<u32>,
    /// The id of each piece that is a token.
    pub(super) ids: Box<[TokenId; BATCH_IDS]>,
    /// Which pieces are on the list; all that follows is by the place in it.
    pub(super) misses: Batch<u16>,
    /// The bytes of the pieces, see [`piece_key`].
    keys: Batch<u128>,
    /// The upper halves of the hashes of the keys.
    hashes: Batch<u32>,
    /// The id that each piece may have.
    candidates: Batch<TokenId>,
    /// Whether a piece may be a token that stands in a later bucket of the table.
    undecided: Batch<bool>,
}

impl Lookup {
    pub(super) fn new() -> Self {
        Self {
            ends: batch(0),
            ids: Box::new([0; BATCH_IDS]),
            misses: batch(0),
            keys: batch(0),
            hashes: batch(0),
            candidates: batch(0),
            undecided: batch(false),
        }
    }

    /// Returns the key by which a miss is looked for in the cache.
    ///
    /// The cache's bucket of a short piece was fetched together with the table's; that of a long one is fetched here.
    #[inline(always)]
    pub(super) fn cache_key(
        &self,
        buffer: &[u8],
        miss: usize,
        vocab: &Regular,
        cache: &Cache,
    ) -> cache::Key {
        let (start, end) = self.range(self.misses[miss].into());
        if end - start <= 16 {
            let (key, hash) = (self.keys[miss], self.hashes[miss]);
            return cache::Key::short(key, hash, end - start, vocab.serial());
        }
        let key = cache::Key::long(&buffer[start..end], vocab.serial());
        cache.prefetch(key.hash());
        key
    }

    /// Returns the id of a miss that is a token after all: one in a later bucket, or one that is longer than a row.
    #[inline(always)]
    pub(super) fn late_id(&self, buffer: &[u8], miss: usize, vocab: &Regular) -> Option<TokenId> {
        let (start, end) = self.range(self.misses[miss].into());
        if end - start > 16 {
            return vocab.id(&buffer[start..end]);
        }
        if self.undecided[miss] {
            return vocab.id_of_key(self.keys[miss]);
        }
        None
    }

    /// The range of a piece of the chunk.
    #[inline(always)]
    pub(super) fn range(&self, at: usize) -> (usize, usize) {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        (start as usize, self.ends[at] as usize)
    }

    /// The ids of the pieces that are tokens, and the list of those that may not be.
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

    /// The ids of the pieces that are common tokens; the others are listed with their keys, and their buckets fetched: that
    /// of the table, and that of the cache, for which a few misses would have to wait later.
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

    /// The ids that the listed pieces may have, if they are tokens; their rows are fetched.
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

    /// The ids of the listed pieces that are tokens; the others stay on the list.
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
