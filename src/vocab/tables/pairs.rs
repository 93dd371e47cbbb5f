//! Pairs of neighbouring tokens to the symbol of their merge.
//!
//! A bucket has four entries of 64 bits. The key of an entry is the pair of ids:
//!
//! ```text
//!  63             43 42             22 21                1   0
//! +-----------------+-----------------+-------------------+---+
//! |     left id     |  right id + 1   |      symbol       | S |
//! +-----------------+-----------------+-------------------+---+
//! ```
//!
//! No key is zero, so zero is an empty entry: memory from the allocator is an empty table, and nothing fills it.
//!
//! `S`, in the last entry of a bucket, says that some entries went on to the next bucket. The last bucket of the table
//! stays empty: pairs that cannot merge are looked up there.

use std::hint::select_unpredictable;

use super::buckets::{self, BUCKET_LEN, Filling, LAST};
use super::{LEFT, NONE, RIGHT, SIDES, Symbol};

pub(crate) type Bucket = [u64; BUCKET_LEN];

const SPILLED: u64 = 1;
const SYMBOL_SHIFT: u32 = 1;
const RIGHT_SHIFT: u32 = 22;
const LEFT_SHIFT: u32 = 43;

/// The bits of a symbol.
const SYMBOL_MASK: u32 = (1 << (RIGHT_SHIFT - SYMBOL_SHIFT)) - 1;

/// A bit above the symbol, for what is left of an entry: then it is not zero.
const FOUND: u64 = 1 << RIGHT_SHIFT;

/// Leaves the top 24 bits of a hash: in a product, all bits of the key reach only the top ones.
const HASH_SHIFT: u32 = 40;

/// How far the bit [`RIGHT`] stands above the bit [`LEFT`].
const RIGHT_ABOVE_LEFT: u32 = RIGHT.ilog2() - LEFT.ilog2();

/// Returns the key of a pair of ids, at its bits of an entry.
#[inline(always)]
fn key_of(left: u32, right: u32) -> u64 {
    // a sum, since one instruction adds all three
    (u64::from(left) << LEFT_SHIFT) + (u64::from(right) << RIGHT_SHIFT) + (1 << RIGHT_SHIFT)
}

/// Returns the mask of the buckets in a table of `len` buckets: a power of two of them, and the empty one after those.
#[inline(always)]
fn mask_of(len: usize) -> usize {
    len - 2
}

/// Returns the bucket of a key in a table of `len` buckets.
#[inline(always)]
fn bucket_of(key: u64, len: usize) -> usize {
    let hash = (key >> RIGHT_SHIFT).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (hash >> HASH_SHIFT) as usize & mask_of(len)
}

/// A look-up that has begun: [`ask`] finds the bucket and [`answer`] reads it. In between, the caller prefetches the
/// bucket and begins other look-ups. The default must not be answered: its key is that of empty entries.
#[derive(Clone, Copy, Default)]
pub(crate) struct Question {
    key: u64,
    pub(crate) bucket: u32,
}

/// Starts the look-up of the merge of two symbols.
#[inline(always)]
pub(crate) fn ask(buckets: &[Bucket], left: Symbol, right: Symbol) -> Question {
    let key = key_of(left >> SIDES, right >> SIDES);
    let may_merge = left & right >> RIGHT_ABOVE_LEFT & u32::from(LEFT) != 0;
    let always_empty = buckets.len() - 1;
    // four tokens in five are no half of any token, in no predictable order: a branch would be mispredicted
    let bucket = select_unpredictable(may_merge, bucket_of(key, buckets.len()), always_empty);
    Question {
        key,
        bucket: bucket as u32,
    }
}

/// Returns the symbol that the two symbols merge to, or [`NONE`].
#[inline(always)]
pub(crate) fn answer(buckets: &[Bucket], question: Question) -> Symbol {
    let mut at = question.bucket as usize;
    loop {
        let bucket = &buckets[at];
        // XOR leaves only the symbol of the entry with this key, and more than a symbol of every other entry
        let rest = bucket.iter().fold(0, |found, entry| {
            let rest = entry ^ question.key;
            found
                | if rest >> RIGHT_SHIFT == 0 {
                    rest | FOUND
                } else {
                    0
                }
        });
        if (rest != 0) | (bucket[LAST] & SPILLED == 0) {
            return if rest != 0 {
                (rest >> SYMBOL_SHIFT) as Symbol & SYMBOL_MASK
            } else {
                NONE
            };
        }
        at = (at + 1) & mask_of(buckets.len());
    }
}

/// Creates an empty table for this many merges.
pub(super) fn empty(merges: usize) -> Filling<u64> {
    let count = buckets::count(merges);
    Filling::new(vec![[0; BUCKET_LEN]; count + 1], count, SPILLED)
}

/// Adds a merge of two ids.
#[inline(always)]
pub(super) fn insert(pairs: &mut Filling<u64>, left: u32, right: u32, merged: Symbol) {
    let key = key_of(left, right);
    let at = bucket_of(key, pairs.buckets.len());
    pairs.insert(at, key | u64::from(merged) << SYMBOL_SHIFT);
}

/// Returns whether these merges crowd the table, see [`buckets::is_crowded`].
pub(super) fn is_crowded(merges: impl Iterator<Item = (u32, u32)>, tokens: usize) -> bool {
    let mut wanted = vec![0; buckets::count(tokens)];
    let len = wanted.len() + 1;
    merges.for_each(|(left, right)| wanted[bucket_of(key_of(left, right), len)] += 1);
    buckets::is_crowded(&wanted)
}
