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

/// The row of no token, and no key of a piece: those have nothing but 0xFF behind their first 0xFF.
pub(crate) const NO_ROW: Row = {
    let mut row = [0; 16];
    row[0] = 0xFF;
    row
};

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

/// The commonest tokens of at most seven bytes, each at the one place where it can be: most pieces are found with one look.
///
/// Seven bytes times an odd number are seven bytes again, and no two the same. So the place is the upper bits of the
/// product, and an entry needs no more than the rest of it: `rest << 22 | id`.
pub(crate) mod common {
    /// How many places there are.
    pub(crate) const LEN: usize = 1 << BITS;
    const BITS: u32 = 15;

    const ID_BITS: u32 = 18;
    /// The rest of its product is zero, as that of seven zeros is; but its id is none.
    const EMPTY: u64 = (1 << ID_BITS) - 1;

    /// The product of the first seven bytes of a key, above eight zeros.
    #[inline(always)]
    fn product(low: u64) -> u64 {
        (low << 8).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    /// The id of the token with this key, and whether there is one.
    #[inline(always)]
    pub(crate) fn find(entries: &[u64; LEN], key: u128) -> (u32, bool) {
        let low = key as u64;
        let product = product(low);
        let rest = entries[(product >> (64 - BITS)) as usize] ^ product << BITS;
        (rest as u32, (rest < EMPTY) & (low >> 56 == 0xFF))
    }

    pub(crate) fn empty() -> Box<[u64; LEN]> {
        let entries = vec![EMPTY; LEN].into_boxed_slice();
        entries
            .try_into()
            .unwrap_or_else(|_| unreachable!("the length is that of the array"))
    }

    /// Adds a token, if it is short and no token with a smaller id has its place.
    #[inline]
    pub(crate) fn insert(entries: &mut [u64; LEN], key: u128, id: u32) {
        let low = key as u64;
        let product = product(low);
        let entry = &mut entries[(product >> (64 - BITS)) as usize];
        if low >> 56 == 0xFF && *entry == EMPTY && u64::from(id) < EMPTY {
            *entry = product << BITS | u64::from(id);
        }
    }
}

/// A token as merges see it: its id, and in the bits below whether it is the left part of any token, or the right one.
///
/// Four tokens in five are neither, and two neighbours of which one cannot merge need no look-up.
pub(crate) type Symbol = u32;

/// The bit of a symbol that some token begins with as its left part.
pub(crate) const LEFT: u8 = 1;
/// The bit of a symbol that some token ends with as its right part.
pub(crate) const RIGHT: u8 = 2;
/// The bits of a symbol below its id.
pub(crate) const SIDES: u32 = 2;

/// Two neighbouring tokens to the symbol of their merge.
pub(crate) mod pairs {
    use super::{LEFT, NONE, RIGHT, SIDES, Symbol};

    /// `left id << 43 | right id << 22 | symbol << 1`, and in the lowest bit of the last entry: some went on to the next
    /// bucket.
    pub(crate) type Bucket = [u64; 4];

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
        let bucket = void
            ^ ((void ^ bucket_of(key, buckets.len())) & 0_usize.wrapping_sub(may_merge as usize));
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
    pub(crate) fn empty(merges: usize) -> Vec<Bucket> {
        vec![[EMPTY; 4]; (merges / 3).next_power_of_two().max(2) + 1]
    }

    /// Adds a merge of two ids.
    #[inline]
    pub(crate) fn insert(buckets: &mut [Bucket], left: u32, right: u32, merged: Symbol) {
        let key = key_of(left, right);
        let mut at = bucket_of(key, buckets.len());
        loop {
            let bucket = &mut buckets[at];
            if let Some(free) = bucket.iter_mut().find(|entry| **entry & EMPTY == EMPTY) {
                *free = *free & SPILLED | key | u64::from(merged) << 1;
                return;
            }
            bucket[3] |= SPILLED;
            at = (at + 1) & (buckets.len() - 2);
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

    /// In which merges each token takes part.
    fn sides(self) -> Vec<u8> {
        let mut sides = vec![0; self.0.len()];
        for id in 0..self.0.len() as u32 {
            if let Made::Merge(left, right) = self.made(id) {
                sides[left as usize] |= LEFT;
                sides[right as usize] |= RIGHT;
            }
        }
        sides
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
    /// The first 16 bytes of each token, and [`NO_ROW`] behind the last one.
    pub(crate) rows: Vec<Row>,
    /// The length of each token in bytes, 0 for an id that no token has.
    pub(crate) lengths: Vec<u8>,
    /// In which merges each token takes part: [`LEFT`], [`RIGHT`].
    pub(crate) sides: Vec<u8>,
    pub(crate) common: Box<[u64; common::LEN]>,
    pub(crate) slots: Vec<slots::Bucket>,
    pub(crate) pairs: Vec<pairs::Bucket>,
    /// What two tokens merge to whose ids are below 256, mostly bytes; [`NONE`] where they do not.
    pub(crate) grid: Vec<[Symbol; 256]>,
    /// The symbols of the bytes.
    pub(crate) bytes: [Symbol; 256],
}

impl Tables {
    /// One pass over the tokens, each of which comes after its parts.
    pub(crate) fn build(parts: Parts<'_>) -> Self {
        let n = parts.0.len();
        let mut tables = Self {
            rows: Vec::with_capacity(n + 1),
            lengths: Vec::with_capacity(n),
            sides: parts.sides(),
            common: common::empty(),
            slots: slots::empty(n),
            pairs: pairs::empty(n),
            grid: vec![[NONE; 256]; 256],
            bytes: [NONE; 256],
        };
        for id in 0..n as u32 {
            let made = parts.made(id);
            let (key, len) = tables.spell(made);
            tables.rows.push(key.to_le_bytes());
            tables.lengths.push(len);
            if is_in_slots(key, len) {
                common::insert(&mut tables.common, key, id);
                slots::insert(&mut tables.slots, key, id);
            }
            match made {
                Made::Gap => {}
                Made::Byte(byte) => tables.bytes[usize::from(byte)] = tables.symbol(id),
                Made::Merge(left, right) => {
                    let merged = tables.symbol(id);
                    pairs::insert(&mut tables.pairs, left, right, merged);
                    if let (0..256, 0..256) = (left, right) {
                        tables.grid[left as usize][right as usize] = merged;
                    }
                }
            }
        }
        tables.rows.push(NO_ROW);
        tables
    }

    #[inline(always)]
    pub(crate) fn symbol(&self, id: u32) -> Symbol {
        id << SIDES | u32::from(self.sides[id as usize])
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
