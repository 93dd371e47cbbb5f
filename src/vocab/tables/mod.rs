//! The lookup tables of a vocabulary. Shared with the build script, so nothing here depends on the rest of the crate.
//!
//! Everything follows from the *halves* of the tokens: exactly one last merge, of two other tokens, makes each token of
//! two bytes or more. From them come the bytes of each token, as a [`Row`]. [`slots`] finds a token by its bytes, [`pairs`]
//! by its halves.
//!
//! Both tables have buckets of four entries that share one cache line, and are filled in the order of the ids. So common
//! tokens are found with one access, and the rare ones, which no longer fit, spill into the next bucket.
#![allow(clippy::indexing_slicing)] // ids are below the number of rows, bucket numbers are cut to the table's size

mod buckets;
pub(crate) mod keyless;
pub(crate) mod pairs;
pub(crate) mod slots;
pub(crate) mod sure;
pub(crate) mod table;

use table::{Table, array};

/// The first 16 bytes of a token; a shorter one is filled up with 0xFF, a byte that UTF-8 never has.
pub(crate) type Row = [u8; ROW_BYTES];
pub(crate) const ROW_BYTES: usize = 16;

/// A row that equals no key of a piece: keys have only 0xFF after their first 0xFF.
pub(crate) const NO_ROW: Row = {
    let mut row = [0; ROW_BYTES];
    row[0] = 0xFF;
    row
};

/// Stands for no token in place of an id, and for no merge in place of a symbol.
pub(crate) const NONE: u32 = u32::MAX;

/// The bits of an id in the entries of the tables.
pub(crate) const ID_BITS: u32 = 18;

/// By the length of a piece, the bits of its 16-byte key that belong to none of its bytes. The last entry is for longer
/// pieces: with all bits set, their key is no token's.
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

/// Hashes a key to 64 bits, of which the upper ones are the best.
#[inline(always)]
pub(crate) fn hash(key: u128) -> u64 {
    let (low, high) = (key as u64, (key >> 64) as u64);
    low.wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ high.wrapping_mul(0xD6E8_FEB8_6659_FD93).rotate_left(29)
}

/// Returns the key of a token or piece of up to 16 bytes.
pub(crate) fn key_of(bytes: &[u8]) -> u128 {
    let mut row = [0xFF; ROW_BYTES];
    row[..bytes.len()].copy_from_slice(bytes);
    u128::from_le_bytes(row)
}

/// A token as merges see it: its id, and below it the bits [`LEFT`] and [`RIGHT`].
///
/// ```text
///  31       20 19                    2   1   0
/// +-----------+-----------------------+---+---+
/// |   zero    |          id           | R | L |
/// +-----------+-----------------------+---+---+
/// ```
///
/// Four tokens in five have neither bit, and a pair needs no look-up if one of the two cannot merge on that side.
pub(crate) type Symbol = u32;

/// The bit of a symbol that is the left half of some token.
pub(crate) const LEFT: u8 = 1;
/// The bit of a symbol that is the right half of some token.
pub(crate) const RIGHT: u8 = 2;
/// How many bits of a symbol are below its id.
pub(crate) const SIDES: u32 = 2;

/// The halves of all tokens by id, six bytes each: the left and the right token as little-endian 24-bit numbers.
///
/// A token of one byte has that byte and [`BYTE`]; an id that no token has is all ones.
#[derive(Clone, Copy)]
pub(crate) struct Halves<'a>(pub(crate) &'a [[u8; 6]]);

/// Stands for the right half of a token of one byte: its left half is that byte.
pub(crate) const BYTE: u32 = 0xFF_FFFE;
/// Stands for both halves of an id that no token has.
const GAP: u32 = 0xFF_FFFF;

/// The bits of a half.
const HALF_BITS: u32 = 24;
const HALF_MASK: u32 = (1 << HALF_BITS) - 1;

/// How a token is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// No merge gives this id: no token has it, or it is unmergeable.
    Gap,
    Byte(u8),
    /// From the left half and the right one.
    Merge(u32, u32),
}

impl Halves<'_> {
    /// Returns the two numbers that stand for a token.
    #[inline(always)]
    pub(crate) fn get(self, id: u32) -> (u32, u32) {
        let [a, b, c, d, e, f] = self.0[id as usize];
        let low = u32::from_le_bytes([a, b, c, d]);
        let high = u32::from(u16::from_le_bytes([e, f]));
        (low & HALF_MASK, low >> HALF_BITS | high << (32 - HALF_BITS))
    }

    /// Returns how a token is made.
    #[inline(always)]
    pub(crate) fn made(self, id: u32) -> Made {
        match self.get(id) {
            (left, right) if right < BYTE => Made::Merge(left, right),
            (byte, BYTE) => Made::Byte(byte as u8),
            _ => Made::Gap,
        }
    }
}

impl Made {
    /// Returns the two numbers that stand for it.
    pub(crate) fn numbers(self) -> (u32, u32) {
        match self {
            Self::Gap => (GAP, GAP),
            Self::Byte(byte) => (byte.into(), BYTE),
            Self::Merge(left, right) => (left, right),
        }
    }

    /// Returns the six bytes that stand for it in [`Halves`].
    pub(crate) fn to_bytes(self) -> [u8; 6] {
        let (left, right) = self.numbers();
        let ([a, b, c, _], [d, e, f, _]) = (left.to_le_bytes(), right.to_le_bytes());
        [a, b, c, d, e, f]
    }
}

/// Returns whether merging the bytes of two tokens together gives just these two again.
///
/// Their merges are undone one by one, the latest first. Take the two tokens that touch at the seam at any point. If they
/// merge to a token of a lower rank than the merge undone last, that merge would have come first. On equal rank the left
/// one comes first.
#[inline(always)]
pub(crate) fn stay_apart(
    mut left: u32,
    mut right: u32,
    merged: impl Fn(u32, u32) -> u32,
    halves: impl Fn(u32) -> (u32, u32),
) -> bool {
    let mut limit = NONE;
    loop {
        if merged(left, right) < limit {
            return false;
        }
        let ((_, left_inner), (right_inner, right_rest)) = (halves(left), halves(right));
        if left_inner != BYTE && (left > right || right_rest == BYTE) {
            (limit, left) = (left, left_inner);
        } else if right_rest != BYTE {
            (limit, right) = (right + 1, right_inner);
        } else {
            return true;
        }
    }
}

/// The tables that most texts need.
#[derive(PartialEq)]
pub(crate) struct Tables {
    /// The first 16 bytes of each token, and then [`NO_ROW`].
    pub(crate) rows: Table<[Row]>,
    /// The length of each token in bytes, 0 for an id that no token has.
    pub(crate) lengths: Table<[u8]>,
    /// Which sides of a merge each token can be: [`LEFT`], [`RIGHT`].
    pub(crate) sides: Table<[u8]>,
    pub(crate) slots: Table<[slots::Bucket]>,
    pub(crate) pairs: Table<[pairs::Bucket]>,
    /// The merges of two tokens with ids below 256, which are mostly bytes; [`NONE`] where there is none.
    pub(crate) grid: Table<Grid>,
    /// The symbols of the bytes.
    pub(crate) bytes: Table<[Symbol; 256]>,
}

/// A token that no merge gives: its id and its bytes.
pub(crate) type Unmergeable = (u32, Box<[u8]>);

/// The ids below this have their merges in the [`Grid`]. Mostly these are the bytes.
pub(crate) const GRID_IDS: u32 = 256;

pub(crate) type Grid = [[Symbol; GRID_IDS as usize]; GRID_IDS as usize];

impl Tables {
    /// Builds all tables. Each pass over the tokens fills few of them, so that they stay in the processor's cache.
    ///
    /// More than half of the time goes to the kernel, which hands out the memory page by page: 1,500 page faults take
    /// 3.5 ms with cl100k_base, and 2,750 take 6.8 ms with o200k_base (AMD EPYC with AVX2, November 2026).
    ///
    /// `unmergeable` are tokens that are gaps in `halves`: no merge gives them, only a whole piece can be one.
    pub(crate) fn build(halves: Halves<'_>, unmergeable: &[Unmergeable]) -> Self {
        let Spelled {
            rows,
            lengths,
            sides,
        } = Spelled::new(halves, unmergeable);
        let slots = by_bytes(&rows, &lengths);
        let (pairs, grid, bytes) = by_halves(halves, &sides);
        Self {
            rows: rows.into(),
            lengths: lengths.into(),
            sides: sides.into(),
            slots: slots.into(),
            pairs: pairs.into(),
            grid: array(grid),
            bytes: array(bytes),
        }
    }

    /// Returns the symbol of a token.
    #[inline(always)]
    pub(crate) fn symbol(&self, id: u32) -> Symbol {
        id << SIDES | u32::from(self.sides[id as usize])
    }
}

/// The bytes of the tokens, and which sides of a merge each can be.
struct Spelled {
    rows: Vec<Row>,
    lengths: Vec<u8>,
    sides: Vec<u8>,
}

impl Spelled {
    /// Spells all tokens out from their halves.
    fn new(halves: Halves<'_>, unmergeable: &[Unmergeable]) -> Self {
        let n = halves.0.len();
        let mut spelled = Self {
            rows: vec![Row::default(); n + 1],
            lengths: vec![0; n],
            sides: vec![0; n],
        };
        let mut postponed = Vec::new();
        for id in 0..n {
            match halves.made(id as u32) {
                Made::Gap => spelled.rows[id] = NO_ROW,
                Made::Byte(byte) => {
                    spelled.rows[id] = key_of(&[byte]).to_le_bytes();
                    spelled.lengths[id] = 1;
                }
                Made::Merge(left, right) if left.max(right) < id as u32 && postponed.is_empty() => {
                    spelled.join(id, left as usize, right as usize);
                }
                Made::Merge(..) => postponed.push(id),
            }
        }
        let mut before = usize::MAX;
        while postponed.len() < before {
            before = postponed.len();
            postponed.retain(|id| !spelled.join_postponed(*id, halves));
        }
        spelled.rows[n] = NO_ROW;
        for (id, token) in unmergeable {
            let id = *id as usize;
            let first = &token[..token.len().min(ROW_BYTES)];
            spelled.rows[id] = key_of(first).to_le_bytes();
            spelled.lengths[id] = token.len() as u8;
        }
        spelled
    }

    /// Adds a token out of the order of the ids, and returns whether its halves are there already.
    #[cold]
    fn join_postponed(&mut self, id: usize, halves: Halves<'_>) -> bool {
        let (left, right) = halves.get(id as u32);
        let (left, right) = (left as usize, right as usize);
        if self.lengths[left].min(self.lengths[right]) == 0 {
            return false;
        }
        let next = self.rows[id + 1];
        self.join(id, left, right);
        self.rows[id + 1] = next;
        true
    }

    /// Adds a token whose halves are there.
    #[inline(always)]
    fn join(&mut self, id: usize, left: usize, right: usize) {
        self.sides[left] |= LEFT;
        self.sides[right] |= RIGHT;
        let (row, rest, len) = (self.rows[left], self.rows[right], self.lengths[left]);
        self.lengths[id] = len + self.lengths[right];
        self.rows[id] = row;
        // a constant length is copied fastest; the row of the next token overwrites the excess
        let at = id * ROW_BYTES + usize::from(len).min(ROW_BYTES);
        self.rows.as_flattened_mut()[at..at + ROW_BYTES].copy_from_slice(&rest);
    }
}

/// Builds the table that finds a token by its bytes.
fn by_bytes(rows: &[Row], lengths: &[u8]) -> Vec<slots::Bucket> {
    let mut slots = slots::empty(lengths.len());
    for (id, (row, &len)) in (0..).zip(rows.iter().zip(lengths)) {
        if has_key(row, len) {
            slots::insert(&mut slots, u128::from_le_bytes(*row), id);
        }
    }
    slots.buckets
}

type ByHalves = (Vec<pairs::Bucket>, Vec<[Symbol; 256]>, Vec<Symbol>);

/// Builds the tables that find a token by its halves: pairs, grid and bytes.
fn by_halves(halves: Halves<'_>, sides: &[u8]) -> ByHalves {
    let mut pairs = pairs::empty(sides.len());
    let (mut grid, mut bytes) = (vec![[NONE; 256]; 256], vec![NONE; 256]);
    for (id, sides) in (0..).zip(sides) {
        let merged = id << SIDES | u32::from(*sides);
        match halves.made(id) {
            Made::Gap => {}
            Made::Byte(byte) => bytes[usize::from(byte)] = merged,
            Made::Merge(left, right) => {
                pairs::insert(&mut pairs, left, right, merged);
                if left.max(right) < GRID_IDS {
                    grid[left as usize][right as usize] = merged;
                }
            }
        }
    }
    (pairs.buckets, grid, bytes)
}

/// How many ids the tables can tell apart.
pub(crate) const MAX_IDS: usize = slots::ID_MASK as usize - 1;

/// Returns whether many tokens hash to the same buckets, which would make look-ups slow. Only crafted vocabularies do.
pub(crate) fn are_crowded(tokens: &[&[u8]], halves: Halves<'_>) -> bool {
    // an id that no token has is in no table; Mistral's files have 1,000 of them in a row
    let (short, keyless): (Vec<&[u8]>, Vec<&[u8]>) = tokens
        .iter()
        .filter(|token| !token.is_empty())
        .partition(|token| token.len() <= ROW_BYTES && !token.ends_with(&[0xFF]));
    let merges = (0..halves.0.len() as u32).filter_map(|id| match halves.made(id) {
        Made::Merge(left, right) => Some((left, right)),
        _ => None,
    });
    slots::is_crowded(short.iter().map(|token| key_of(token)), tokens.len())
        || slots::is_crowded(
            keyless.iter().map(|token| keyless::key(token)),
            keyless.len(),
        )
        || pairs::is_crowded(merges, tokens.len())
}

/// Returns whether a token has a key: it fits its row, and does not end with the byte that rows are filled up with.
#[inline(always)]
fn has_key(row: &Row, len: u8) -> bool {
    let last = usize::from(len).wrapping_sub(1);
    row.get(last).is_some_and(|byte| *byte != 0xFF)
}
