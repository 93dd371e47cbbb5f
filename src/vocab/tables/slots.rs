//! Token bytes to ids: an entry is a flag, some bits of the hash, and the id, whose row tells whether it is the one.

use super::buckets::{self, Filling};
use super::{NONE, hash};

pub(crate) type Bucket = [u32; buckets::LEN];

/// The bits of an id; with this the rest of an entry follows.
pub(crate) const ID_BITS: u32 = 18;
pub(crate) const ID_MASK: u32 = (1 << ID_BITS) - 1;
const TAG_MASK: u32 = (1 << (31 - ID_BITS)) - 1;
/// On the last entry of a bucket: some went on to the next bucket.
const SPILLED: u32 = 1 << 31;
const EMPTY: u32 = !SPILLED;

/// The bucket of a hash in a table of `1 << bits` buckets.
#[inline(always)]
pub(crate) fn bucket_of(hash: u32, bits: u32) -> usize {
    (hash >> (32 - bits)) as usize
}

/// What an entry of this hash shows in place of the id's bits being zero.
#[inline(always)]
fn tag_of(hash: u32, bits: u32) -> u32 {
    ((hash << bits >> (32 - (31 - ID_BITS))) & TAG_MASK) << ID_BITS
}

/// The upper half of the hash, all that the table looks at.
#[inline(always)]
pub(crate) fn half(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// The id in the bucket that may be the one; `none`, which is no less than any id, if none may.
#[inline(always)]
pub(crate) fn candidate(bucket: &Bucket, hash: u32, bits: u32, none: u32) -> u32 {
    let tag = tag_of(hash, bits);
    // an entry with another tag leaves more than any id
    bucket
        .iter()
        .fold(none, |found, entry| found.min((entry & !SPILLED) ^ tag))
}

/// Whether some went on to the next bucket.
#[inline(always)]
pub(crate) fn goes_on(bucket: &Bucket) -> bool {
    bucket[3] & SPILLED != 0
}

/// The id whose row `is_it` confirms, looked for in all buckets that it may be in.
#[inline]
pub(crate) fn find(buckets: &[Bucket], hash: u32, is_it: impl Fn(u32) -> bool) -> u32 {
    let bits = buckets.len().trailing_zeros();
    let tag = tag_of(hash, bits);
    let mut at = bucket_of(hash, bits);
    loop {
        let bucket = buckets[at];
        for entry in bucket {
            let rest = (entry & !SPILLED) ^ tag;
            if rest < ID_MASK && is_it(rest) {
                return rest;
            }
        }
        if !goes_on(&bucket) {
            return NONE;
        }
        at = (at + 1) & (buckets.len() - 1);
    }
}

/// An empty table for so many tokens.
pub(super) fn empty(tokens: usize) -> Filling<u32> {
    Filling::new(buckets::count(tokens), 0, EMPTY, SPILLED)
}

/// Adds a token with this key.
#[inline(always)]
pub(super) fn insert(slots: &mut Filling<u32>, key: u128, id: u32) {
    let bits = slots.buckets.len().trailing_zeros();
    let hash = half(hash(key));
    slots.insert(bucket_of(hash, bits), tag_of(hash, bits) | id);
}

/// See [`buckets::is_crowded`].
#[allow(dead_code)] // the built-in vocabularies are known
pub(super) fn is_crowded(keys: impl Iterator<Item = u128>, tokens: usize) -> bool {
    let mut wanted = vec![0; buckets::count(tokens)];
    let bits = wanted.len().trailing_zeros();
    keys.for_each(|key| wanted[bucket_of(half(hash(key)), bits)] += 1);
    buckets::is_crowded(&wanted)
}
