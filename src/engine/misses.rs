//! Finds the ids of the misses of a batch: in the cache, by cutting, or by merging.

#![allow(clippy::indexing_slicing)] // indices of misses are below the size of a batch

use fearless_simd::{Simd, dispatch};

use super::lookup::LONG_KEY;
use super::{EQUAL_PLACES, Engine};
use crate::merge::{cache, cutter};
use crate::vocab::Regular;

/// Where the ids of a miss are.
#[derive(Clone, Copy)]
pub(super) enum MissIds {
    /// At this position in the cache.
    Cached(u32),
    /// With this piece of the scratch memory.
    Scratch(u16),
    /// With this piece of the cutter.
    Cut(u16),
}

/// Batches with no more Chinese or Japanese misses than this ask the cache for them first: they may be of a short text that
/// comes again. Without the cache, Chinese of 100 bytes that came again took a quarter more time.
///
/// Long texts do not ask it: that costs 8 to 10 % (both on an Intel Xeon with AVX-512, November 2026).
const MAX_CACHED_CUTS: usize = 24;

/// Up to this many misses are looked at one by one without reading the text first. Short texts have no more: those of 13
/// bytes take 3 % less time so. With 24, texts of 1,000 bytes in Arabic and Hindi took 5 % more (AMD EPYC with AVX2,
/// November 2026).
const FEW_MISSES: usize = 8;

/// The most ids of a cached piece, beyond [`cache::KEY_BYTES`].
const MORE_IDS: usize = cache::MAX_PIECE_BYTES - cache::KEY_BYTES;

impl Engine {
    /// Finds the ids of the misses. Returns how many pieces were merged, except those that were cut.
    pub(super) fn resolve(&mut self, buffer: &[u8], misses: usize, vocab: &Regular) -> usize {
        self.cutter.clear();
        self.cut_misses = 0;
        self.more_ids = 0;
        if misses == 0 {
            return 0;
        }
        let cuts = self.count_worth_cutting(buffer, misses);
        if cuts == 0 || !cutter::can_cut(vocab) {
            self.resolve_others::<false, false>(buffer, misses, vocab)
        } else if cuts <= MAX_CACHED_CUTS {
            self.resolve_others::<false, true>(buffer, misses, vocab)
        } else {
            let others = self.cut(buffer, misses, vocab);
            self.resolve_others::<true, false>(buffer, others, vocab)
        }
    }

    /// Returns how many misses begin like those that are worth cutting.
    ///
    /// Most texts have no byte that begins a Chinese or Japanese character. Many misses are not looked at one by one then.
    fn count_worth_cutting(&self, buffer: &[u8], misses: usize) -> usize {
        let misses = &self.lookup.misses[..misses];
        if misses.len() > FEW_MISSES && !self.have_east_asian(buffer, misses) {
            return 0;
        }
        let is_worth_it = |(miss, key): &(&u16, &u128)| {
            if **key != LONG_KEY {
                // a key begins with the bytes of its piece
                return cutter::begins_east_asian(**key as u32);
            }
            let (start, _) = self.lookup.range((**miss).into());
            let first = buffer.get(start..start + 4).and_then(<[u8]>::first_chunk);
            first.is_some_and(|first| cutter::begins_east_asian(u32::from_le_bytes(*first)))
        };
        let keys = self.lookup.keys.iter();
        misses.iter().zip(keys).filter(is_worth_it).count()
    }

    /// Returns whether the text from the first of these misses to the last has a byte that begins a Chinese or Japanese
    /// character.
    fn have_east_asian(&self, buffer: &[u8], misses: &[u16]) -> bool {
        let (Some(first), Some(last)) = (misses.first(), misses.last()) else {
            return false;
        };
        let [(start, _), (_, end)] = [first, last].map(|at| self.lookup.range((*at).into()));
        let text = &buffer[start..end];
        dispatch!(self.level, simd => cutter::has_east_asian(simd, text))
    }

    /// Cuts the misses that are worth it. Lists the others, and returns their number.
    fn cut(&mut self, buffer: &[u8], misses: usize, vocab: &Regular) -> usize {
        let mut others = 0;
        for miss in 0..misses {
            if !self.cut_one(buffer, miss, vocab) {
                self.others[others] = miss as u16;
                others += 1;
            }
        }
        self.cutter.finish(buffer, vocab, &mut self.scratch);
        others
    }

    /// Gives a miss to the cutter, if it is worth it.
    #[inline(always)]
    fn cut_one(&mut self, buffer: &[u8], miss: usize, vocab: &Regular) -> bool {
        let (start, end) = self.lookup.range(self.lookup.misses[miss].into());
        let is_worth_it = cutter::is_worth_cutting(&buffer[start..end]);
        if is_worth_it {
            if !self.cutter.has_room(start) {
                self.cutter.finish(buffer, vocab, &mut self.scratch);
            }
            self.miss_ids[miss] = MissIds::Cut(self.cutter.add((start, end)) as u16);
        }
        is_worth_it
    }

    /// Finds the ids of the misses that were not cut, in the cache or by merging. They are [`others`](Self::others) if
    /// `LISTED`, else the first ones. Cuts those that are worth it and that the cache does not have if `CUT_FRESH`.
    ///
    /// Text without Chinese and Japanese has code of its own, in which neither is asked.
    #[inline(never)]
    fn resolve_others<const LISTED: bool, const CUT_FRESH: bool>(
        &mut self,
        buffer: &[u8],
        others: usize,
        vocab: &Regular,
    ) -> usize {
        let serial = vocab.serial();
        self.make_long_keys::<LISTED>(buffer, others, serial);
        dispatch!(self.level, simd => self.find_positions::<_, LISTED>(simd, others, serial));
        let (mut merged, mut cut) = (0, 0);
        for i in 0..others {
            let miss = self.other::<LISTED>(i);
            let position = self.cache_positions[miss];
            if self.is_cached(miss, position, serial) {
                self.miss_ids[miss] = MissIds::Cached(position);
                continue;
            }
            if CUT_FRESH && self.cut_one(buffer, miss, vocab) {
                // the others before this one were read already
                self.others[cut] = miss as u16;
                cut += 1;
                continue;
            }
            merged += usize::from(self.list_fresh(miss, merged));
        }
        if CUT_FRESH {
            self.cut_misses = cut;
            self.cutter.finish(buffer, vocab, &mut self.scratch);
        }
        if merged > 0 {
            self.merge(buffer, merged, vocab);
        }
        merged
    }

    /// Lists a miss to be merged, after `merged` others. Returns false if one of them is the same piece: it has its ids.
    #[inline(always)]
    fn list_fresh(&mut self, miss: usize, merged: usize) -> bool {
        let place = self.lookup.hashes[miss] as usize % EQUAL_PLACES;
        let piece = self.equal_pieces[place];
        // an entry may be left from an earlier batch, so the keys are compared
        let candidate = self.merged_misses[..merged].get(usize::from(piece));
        if candidate.is_some_and(|&other| self.are_same(miss, other.into())) {
            self.miss_ids[miss] = MissIds::Scratch(piece);
            return false;
        }
        self.equal_pieces[place] = merged as u16;
        self.miss_ids[miss] = MissIds::Scratch(merged as u16);
        self.merged_misses[merged] = miss as u16;
        true
    }

    /// Returns the index of a miss that was not cut.
    #[inline(always)]
    fn other<const LISTED: bool>(&self, i: usize) -> usize {
        if LISTED { self.others[i].into() } else { i }
    }

    /// Makes the keys in the cache of the misses of more than 16 bytes, and prefetches their buckets. Those of the others
    /// were prefetched with the buckets of the vocabulary.
    fn make_long_keys<const LISTED: bool>(&mut self, buffer: &[u8], others: usize, serial: u32) {
        for i in 0..others {
            let miss = self.other::<LISTED>(i);
            if self.lookup.keys[miss] == LONG_KEY {
                let (start, end) = self.lookup.range(self.lookup.misses[miss].into());
                let key = cache::Key::long(&buffer[start..end], serial);
                self.cache.prefetch(key.hash());
                self.more_ids += usize::from(end - start > cache::KEY_BYTES) * MORE_IDS;
                self.lookup.hashes[miss] = cache::key_hash(key.hash(), serial);
                self.long_keys[miss] = key;
            }
        }
    }

    /// Looks up the positions in the cache of the misses that were not cut.
    #[inline(always)]
    fn find_positions<S: Simd, const LISTED: bool>(&mut self, _: S, others: usize, serial: u32) {
        for i in 0..others {
            let miss = self.other::<LISTED>(i);
            let hash = cache::key_hash(self.lookup.hashes[miss], serial);
            self.cache_positions[miss] = self.cache.position(hash);
        }
    }

    /// Returns whether the entry of a miss is at this position in the cache.
    #[inline(always)]
    fn is_cached(&self, miss: usize, position: u32, serial: u32) -> bool {
        let key = self.lookup.keys[miss];
        if key == LONG_KEY {
            return self.cache.is_at(&self.long_keys[miss], position);
        }
        let (start, end) = self.lookup.range(self.lookup.misses[miss].into());
        self.cache.is_short_at(key, end - start, serial, position)
    }

    /// Returns whether two misses are the same piece.
    #[inline(always)]
    fn are_same(&self, miss: usize, other: usize) -> bool {
        let key = self.lookup.keys[miss];
        key == self.lookup.keys[other]
            && (key != LONG_KEY || self.long_keys[miss].is_same(&self.long_keys[other]))
    }

    /// Merges the misses that are listed to be merged.
    fn merge(&mut self, buffer: &[u8], merged: usize, vocab: &Regular) {
        self.scratch.clear();
        for i in 0..merged {
            let miss = self.merged_misses[i].into();
            if let Some(id) = self.lookup.late_id(buffer, miss, vocab) {
                self.scratch.add_id(id);
            } else {
                let (start, end) = self.lookup.range(self.lookup.misses[miss].into());
                self.scratch.add(buffer, start, end, vocab);
            }
        }
        self.scratch.merge(vocab);
    }

    /// Adds to the cache the pieces that were merged, and those that were cut because it did not have them.
    pub(super) fn remember(&mut self, merged: usize, serial: u32) {
        if merged > 0 {
            dispatch!(self.level, simd => self.remember_merged(simd, merged, serial));
        }
        for i in 0..self.cut_misses {
            let miss = self.others[i].into();
            if let MissIds::Cut(piece) = self.miss_ids[miss] {
                let key = self.cache_key(miss, serial);
                let (ids, len) = self.cutter.ids(piece.into());
                // an equal piece of the batch may be there already
                if !self.cache.is_at(&key, self.cache.position(key.hash())) {
                    self.cache.put(&key, ids, len);
                }
            }
        }
    }

    /// Adds the merged pieces to the cache.
    #[inline(always)]
    fn remember_merged<S: Simd>(&mut self, _: S, merged: usize, serial: u32) {
        for (piece, &miss) in self.merged_misses[..merged].iter().enumerate() {
            let key = self.cache_key(miss.into(), serial);
            let (ids, len) = self.scratch.ids(piece);
            self.cache.put(&key, ids, len);
        }
    }

    /// Returns the key of a miss in the cache.
    #[inline(always)]
    fn cache_key(&self, miss: usize, serial: u32) -> cache::Key {
        let key = self.lookup.keys[miss];
        if key == LONG_KEY {
            return self.long_keys[miss];
        }
        let (start, end) = self.lookup.range(self.lookup.misses[miss].into());
        cache::Key::short(key, self.lookup.hashes[miss], end - start, serial)
    }
}
