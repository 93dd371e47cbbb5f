//! The lookup tables of a vocabulary. Shared with the build script, so nothing here depends on the rest of the crate.
//!
//! Everything follows from the *parts* of the tokens: each token of two bytes or more is made by exactly one last merge
//! of two tokens with smaller ids. From them come the bytes of each token (a [`Row`] each), the table that finds a token
//! by its bytes ([`Slots`]) and the one that finds it by its parts ([`Pairs`]).
//!
//! Both tables are buckets of four entries that sit in one cache line, filled in the order of the ids: what is common is
//! found with one access, and what no longer fits (the rare end) goes on in the next bucket, which a flag announces.
#![allow(clippy::indexing_slicing)] // ids are below the number of rows, bucket numbers are cut to the table's size

/// The first 16 bytes of a token; behind a shorter one 0xFF, a byte that UTF-8 never has.
pub(crate) type Row = [u8; 16];

/// In place of an id: there is none.
pub(crate) const NONE: u32 = u32::MAX;

/// The bits of a 16-byte key that belong to no byte of a piece of that length. Longer pieces have none that match.
pub(crate) const FILL: [u128; 18] = {
    let mut fill = [0; 18];
    let mut len = 0;
    while len < 16 {
        fill[len] = !0 << (8 * len);
        len += 1;
    }
    fill[17] = !0;
    fill
};

/// Spreads a key over 64 bits; the upper ones are the best.
#[inline(always)]
pub(crate) fn hash(key: u128) -> u64 {
    let (low, high) = (key as u64, (key >> 64) as u64);
    low.wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ high.wrapping_mul(0xD6E8_FEB8_6659_FD93).rotate_left(29)
}

/// The key of a token or piece of at most 16 bytes.
pub(crate) fn key_of(bytes: &[u8]) -> u128 {
    let mut row = [0xFF; 16];
    row[..bytes.len()].copy_from_slice(bytes);
    u128::from_le_bytes(row)
}

/// Token bytes to ids: an entry is a flag, some bits of the hash, and the id, whose row tells whether it is the one.
pub(crate) mod slots {
    use super::{NONE, hash};

    pub(crate) type Bucket = [u32; 4];

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

    /// The id in the bucket that may be the one; `ID_MASK` if none may.
    #[inline(always)]
    pub(crate) fn candidate(bucket: &Bucket, hash: u32, bits: u32) -> u32 {
        let tag = tag_of(hash, bits);
        // an entry with another tag leaves more than any id
        bucket
            .iter()
            .fold(ID_MASK, |found, entry| found.min((entry & !SPILLED) ^ tag))
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
            if bucket[3] & SPILLED == 0 {
                return NONE;
            }
            at = (at + 1) & (buckets.len() - 1);
        }
    }

    /// An empty table for so many tokens.
    pub(crate) fn empty(tokens: usize) -> Vec<Bucket> {
        vec![[EMPTY; 4]; (tokens / 3).next_power_of_two().max(2)]
    }

    /// Adds a token with this key.
    #[inline]
    pub(crate) fn insert(buckets: &mut [Bucket], key: u128, id: u32) {
        let bits = buckets.len().trailing_zeros();
        let hash = half(hash(key));
        let mut at = bucket_of(hash, bits);
        loop {
            let bucket = &mut buckets[at];
            if let Some(free) = bucket.iter_mut().find(|entry| **entry & EMPTY == EMPTY) {
                *free = *free & SPILLED | tag_of(hash, bits) | id;
                return;
            }
            bucket[3] |= SPILLED;
            at = (at + 1) & (buckets.len() - 1);
        }
    }
}

/// Two neighbouring tokens to the id of their merge.
///
/// Most questions are about tokens that do not merge, and most of the others about two bytes. So there is a filter of
/// one bit a hash in front of the buckets, and a table of its own for bytes, where common pairs lie side by side: the
/// fewer cache lines a merge touches, the faster it is.
pub(crate) mod pairs {
    use super::NONE;

    /// `left << 43 | right << 22 | merged << 1`, and in the lowest bit of the last entry: some went on to the next bucket.
    pub(crate) type Bucket = [u64; 4];

    const EMPTY: u64 = !1;
    const SPILLED: u64 = 1;

    #[inline(always)]
    fn key_of(left: u32, right: u32) -> u64 {
        u64::from(left) << 43 | u64::from(right) << 22
    }

    #[inline(always)]
    fn hash(key: u64) -> u64 {
        (key >> 22).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    #[inline(always)]
    fn bucket_of(hash: u64, buckets: usize) -> usize {
        (hash >> 40) as usize & (buckets - 1)
    }

    /// The word of the filter and the bit in it, counted from the top.
    #[inline(always)]
    fn bit_of(hash: u64, words: usize) -> (usize, u32) {
        let bit = hash >> 30;
        (
            ((bit >> 6) as usize ^ (hash >> 18) as usize) & (words - 1),
            (bit & 63) as u32,
        )
    }

    /// The token that these two merge to, or [`NONE`].
    #[inline(always)]
    pub(crate) fn find(filter: &[u64], buckets: &[Bucket], left: u32, right: u32) -> u32 {
        let key = key_of(left, right);
        let hash = hash(key);
        let (word, bit) = bit_of(hash, filter.len());
        if filter[word] >> bit & 1 == 0 {
            return NONE;
        }
        let mut at = bucket_of(hash, buckets.len());
        loop {
            let bucket = &buckets[at];
            let mut found = u64::MAX;
            for entry in bucket {
                let rest = entry ^ key;
                found = if rest < 1 << 22 { rest } else { found };
            }
            if found != u64::MAX {
                return (found >> 1) as u32;
            }
            if bucket[3] & SPILLED == 0 {
                return NONE;
            }
            at = (at + 1) & (buckets.len() - 1);
        }
    }

    /// An empty filter and empty buckets for so many merges.
    pub(crate) fn empty(merges: usize) -> (Vec<u64>, Vec<Bucket>) {
        let words = (merges / 8).next_power_of_two().max(2);
        let buckets = (merges / 3).next_power_of_two().max(2);
        (vec![0; words], vec![[EMPTY; 4]; buckets])
    }

    /// Adds a merge.
    #[inline]
    pub(crate) fn insert(
        filter: &mut [u64],
        buckets: &mut [Bucket],
        left: u32,
        right: u32,
        merged: u32,
    ) {
        let key = key_of(left, right);
        let hash = hash(key);
        let (word, bit) = bit_of(hash, filter.len());
        filter[word] |= 1 << bit;
        let mut at = bucket_of(hash, buckets.len());
        loop {
            let bucket = &mut buckets[at];
            if let Some(free) = bucket.iter_mut().find(|entry| **entry & EMPTY == EMPTY) {
                *free = *free & SPILLED | key | u64::from(merged) << 1;
                return;
            }
            bucket[3] |= SPILLED;
            at = (at + 1) & (buckets.len() - 1);
        }
    }
}

/// The parts of all tokens by id, six bytes each: the left and the right token as little-endian 24-bit numbers.
///
/// A token of one byte has that byte and [`BYTE`]; an id that no token has is all ones.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a>(pub(crate) &'a [[u8; 6]]);

/// In place of the right part: the left one is a byte.
pub(crate) const BYTE: u32 = 0xFF_FFFE;
/// In place of the left part: no token has this id.
const GAP: u32 = 0xFF_FFFF;

/// What a token is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    Gap,
    Byte(u8),
    Merge(u32, u32),
}

impl Parts<'_> {
    #[inline(always)]
    pub(crate) fn get(self, id: u32) -> (u32, u32) {
        let [a, b, c, d, e, f] = self.0[id as usize];
        (
            u32::from_le_bytes([a, b, c, 0]),
            u32::from_le_bytes([d, e, f, 0]),
        )
    }

    pub(crate) fn made(self, id: u32) -> Made {
        match self.get(id) {
            (GAP, _) => Made::Gap,
            (byte, BYTE) => Made::Byte(byte as u8),
            (left, right) => Made::Merge(left, right),
        }
    }
}

impl Made {
    /// The two numbers that stand for it.
    pub(crate) fn numbers(self) -> (u32, u32) {
        match self {
            Self::Gap => (GAP, GAP),
            Self::Byte(byte) => (byte.into(), BYTE),
            Self::Merge(left, right) => (left, right),
        }
    }

    #[allow(dead_code)] // only the build script writes parts down
    pub(crate) fn to_bytes(self) -> [u8; 6] {
        let (left, right) = self.numbers();
        let ([a, b, c, _], [d, e, f, _]) = (left.to_le_bytes(), right.to_le_bytes());
        [a, b, c, d, e, f]
    }
}

/// Whether merging the bytes of two tokens together gives just these two again.
///
/// Their merges are undone one by one, the latest first. If at any point the two tokens that touch each other at the
/// border merge to one of a lower rank than the merge undone last, that merge would have come before it. On equal rank
/// the left one comes first.
#[inline(always)]
pub(crate) fn stay_apart(
    mut left: u32,
    mut right: u32,
    merged: impl Fn(u32, u32) -> u32,
    parts: impl Fn(u32) -> (u32, u32),
) -> bool {
    let mut limit = NONE;
    loop {
        if merged(left, right) < limit {
            return false;
        }
        let ((_, left_inner), (right_inner, right_rest)) = (parts(left), parts(right));
        if left_inner != BYTE && (left > right || right_rest == BYTE) {
            (limit, left) = (left, left_inner);
        } else if right_rest != BYTE {
            (limit, right) = (right + 1, right_inner);
        } else {
            return true;
        }
    }
}

/// All tables in memory of their own.
pub(crate) struct Tables {
    pub(crate) rows: Vec<Row>,
    /// The length of each token in bytes, 0 for an id that no token has.
    pub(crate) lengths: Vec<u8>,
    pub(crate) slots: Vec<slots::Bucket>,
    pub(crate) filter: Vec<u64>,
    pub(crate) pairs: Vec<pairs::Bucket>,
    /// What two tokens merge to whose ids are below 256, mostly bytes; [`NONE`] where they do not.
    pub(crate) grid: Vec<[u32; 256]>,
    /// The ids of the bytes.
    pub(crate) bytes: [u32; 256],
}

impl Tables {
    /// One pass over the tokens, each of which comes after its parts.
    pub(crate) fn build(parts: Parts<'_>) -> Self {
        let n = parts.0.len();
        let (filter, pairs) = pairs::empty(n);
        let mut tables = Self {
            rows: Vec::with_capacity(n),
            lengths: Vec::with_capacity(n),
            slots: slots::empty(n),
            filter,
            pairs,
            grid: vec![[NONE; 256]; 256],
            bytes: [NONE; 256],
        };
        for id in 0..n as u32 {
            let made = parts.made(id);
            let (key, len) = tables.spell(made);
            tables.rows.push(key.to_le_bytes());
            tables.lengths.push(len);
            if is_in_slots(key, len) {
                slots::insert(&mut tables.slots, key, id);
            }
            match made {
                Made::Gap => {}
                Made::Byte(byte) => tables.bytes[usize::from(byte)] = id,
                Made::Merge(left, right) => {
                    pairs::insert(&mut tables.filter, &mut tables.pairs, left, right, id);
                    if let (0..256, 0..256) = (left, right) {
                        tables.grid[left as usize][right as usize] = id;
                    }
                }
            }
        }
        tables
    }

    /// The row of a token as a key, and its length.
    #[inline]
    fn spell(&self, made: Made) -> (u128, u8) {
        match made {
            Made::Gap => (!0, 0),
            Made::Byte(byte) => (u128::from(byte) | FILL[1], 1),
            Made::Merge(left, right) => {
                let (left, right) = (left as usize, right as usize);
                let (first, len) = (u128::from_le_bytes(self.rows[left]), self.lengths[left]);
                let second = u128::from_le_bytes(self.rows[right]);
                let fits = len < 16;
                let key = if fits {
                    first & !FILL[usize::from(len)] | second << (8 * len)
                } else {
                    first
                };
                (key, len + self.lengths[right])
            }
        }
    }
}

/// Whether a token is found by its key: it fits its row, and no byte of it looks like the filling behind it.
#[inline]
pub(crate) fn is_in_slots(key: u128, len: u8) -> bool {
    const ONES: u128 = u128::MAX / 0xFF;
    if !(1..=16).contains(&len) {
        return false;
    }
    // a byte of `zeros` is zero where the token has 0xFF
    let zeros = !key | FILL[usize::from(len)];
    zeros.wrapping_sub(ONES) & !zeros & (ONES << 7) == 0
}
