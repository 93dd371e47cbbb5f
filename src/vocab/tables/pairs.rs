//! Two neighbouring tokens to the symbol of their merge.

use super::buckets::{self, Filling};
use super::{LEFT, NONE, RIGHT, SIDES, Symbol};

/// `left id << 43 | right id << 22 | symbol << 1`, and in the lowest bit of the last entry: some went on to the next
/// bucket.
pub(crate) type Bucket = [u64; buckets::LEN];

const EMPTY: u64 = !1;
const SPILLED: u64 = 1;

#[inline(always)]
fn key_of(left: u32, right: u32) -> u64 {
    u64::from(left) << 43 | u64::from(right) << 22
}

/// The bucket of a key in a table of so many; the last one is kept empty.
#[inline(always)]
fn bucket_of(key: u64, buckets: usize) -> usize {
    let hash = (key >> 22).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (hash >> 40) as usize & (buckets - 2)
}

/// A question to the table, which is asked in two steps, so that others can be asked while memory answers.
#[derive(Clone, Copy, Default)]
pub(crate) struct Question {
    key: u64,
    pub(crate) bucket: u32,
}

/// Asks what two symbols merge to.
#[inline(always)]
pub(crate) fn ask(buckets: &[Bucket], left: Symbol, right: Symbol) -> Question {
    let key = key_of(left >> SIDES, right >> SIDES);
    // without a branch: it would be mispredicted
    let may_merge = left & u32::from(LEFT) & (right >> (RIGHT / LEFT).ilog2());
    let void = buckets.len() - 1;
    let bucket =
        void ^ ((void ^ bucket_of(key, buckets.len())) & 0_usize.wrapping_sub(may_merge as usize));
    Question {
        key,
        bucket: bucket as u32,
    }
}

/// The symbol that the two merge to, or [`NONE`].
#[inline(always)]
pub(crate) fn answer(buckets: &[Bucket], question: Question) -> Symbol {
    let mut at = question.bucket as usize;
    loop {
        let bucket = &buckets[at];
        let rest = bucket
            .iter()
            .fold(u64::MAX, |rest, entry| rest.min(entry ^ question.key));
        let found = rest < 1 << 22;
        if found | (bucket[3] & SPILLED == 0) {
            return if found { (rest >> 1) as Symbol } else { NONE };
        }
        at = (at + 1) & (buckets.len() - 2);
    }
}

/// An empty table for so many merges.
pub(super) fn empty(merges: usize) -> Filling<u64> {
    Filling::new(buckets::count(merges), 1, EMPTY, SPILLED)
}

/// Adds a merge of two ids.
#[inline(always)]
pub(super) fn insert(pairs: &mut Filling<u64>, left: u32, right: u32, merged: Symbol) {
    let key = key_of(left, right);
    let at = bucket_of(key, pairs.buckets.len());
    pairs.insert(at, key | u64::from(merged) << 1);
}

/// See [`buckets::is_crowded`].
#[allow(dead_code)] // the built-in vocabularies are known
pub(super) fn is_crowded(merges: impl Iterator<Item = (u32, u32)>, tokens: usize) -> bool {
    let mut wanted = vec![0; buckets::count(tokens)];
    let buckets = wanted.len() + 1;
    merges.for_each(|(left, right)| wanted[bucket_of(key_of(left, right), buckets)] += 1);
    buckets::is_crowded(&wanted)
}
