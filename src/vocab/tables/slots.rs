//! Token bytes to ids.
//!
//! A bucket has four entries of 32 bits:
//!
//! ```text
//!  31  30            18 17               0
//! +---+----------------+------------------+
//! | S |      tag       |  inverted bits   |
//! |   |                |    of the id     |
//! +---+----------------+------------------+
//! ```
//!
//! No id has ones in all bits, so an entry with zeros there is empty. Memory from the allocator is an empty table, and
//! nothing fills it.
//!
//! The tag is the bits of the hash that follow those of the bucket. Only entries with the right tag can be the token, and
//! the bytes of the token, in its row, decide. `S`, in the last entry of a bucket, says that some entries went on to the next bucket.

use super::buckets::{self, BUCKET_LEN, Filling, LAST};
use super::{ID_BITS, NONE, hash};

pub(crate) type Bucket = [u32; BUCKET_LEN];

/// The bits of an id. No token has ones in all of them.
pub(crate) const ID_MASK: u32 = (1 << ID_BITS) - 1;

const SPILLED: u32 = 1 << SPILLED_SHIFT;
const SPILLED_SHIFT: u32 = 31;

/// Returns the bucket of a hash in a table of `1 << bits` buckets.
#[inline(always)]
pub(crate) fn bucket_of(hash: u32, bits: u32) -> usize {
    (hash >> (u32::BITS - bits)) as usize
}

/// Returns the tag of a hash, at its place in an entry, and ones in the bits of the id. XOR with an entry of this tag leaves
/// its id; with an empty entry, no less than [`ID_MASK`].
#[inline(always)]
fn tag_of(hash: u32, bits: u32) -> u32 {
    (hash << bits >> (u32::BITS - SPILLED_SHIFT)) | ID_MASK
}

/// Returns the upper half of a hash, the part that the table uses.
#[inline(always)]
pub(crate) fn half(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// Returns the lowest id in the bucket whose entry has the tag of this hash, or `none`, which must be no less than any id.
#[inline(always)]
pub(crate) fn candidate(bucket: &Bucket, hash: u32, bits: u32, none: u32) -> u32 {
    let tag = tag_of(hash, bits);
    // an entry with another tag leaves more than any id
    bucket
        .iter()
        .fold(none, |found, entry| found.min((entry & !SPILLED) ^ tag))
}

/// Returns whether some entries went on to the next bucket.
#[inline(always)]
pub(crate) fn goes_on(bucket: &Bucket) -> bool {
    bucket[LAST] & SPILLED != 0
}

/// Returns the id that `is_it` confirms, or [`NONE`]. Searches all buckets that may hold it.
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

/// Creates an empty table for this many tokens.
pub(super) fn empty(tokens: usize) -> Filling<u32> {
    let count = buckets::count(tokens);
    Filling::new(vec![[0; BUCKET_LEN]; count], count, SPILLED)
}

/// Adds a token with this key.
#[inline(always)]
pub(super) fn insert(slots: &mut Filling<u32>, key: u128, id: u32) {
    let bits = slots.buckets.len().trailing_zeros();
    let hash = half(hash(key));
    slots.insert(bucket_of(hash, bits), tag_of(hash, bits) ^ id);
}

/// Returns whether these keys crowd the table, see [`buckets::is_crowded`].
pub(super) fn is_crowded(keys: impl Iterator<Item = u128>, tokens: usize) -> bool {
    let mut wanted = vec![0; buckets::count(tokens)];
    let bits = wanted.len().trailing_zeros();
    keys.for_each(|key| wanted[bucket_of(half(hash(key)), bits)] += 1);
    buckets::is_crowded(&wanted)
}
