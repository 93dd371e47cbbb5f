//! The lookup tables of a vocabulary. Shared with the build script, so nothing here depends on the rest of the crate.
//!
//! Everything follows from the *parts* of the tokens: each token of two bytes or more is made by exactly one last merge
//! of two tokens with smaller ids. From them come the bytes of each token (a [`Row`] each), the table that finds a token
//! by its bytes ([`slots`]) and the one that finds it by its parts ([`pairs`]).
//!
//! Both tables are buckets of four entries that sit in one cache line, filled in the order of the ids: what is common is
//! found with one access, and what no longer fits (the rare end) goes on in the next bucket, which a flag announces.
#![allow(clippy::indexing_slicing)] // ids are below the number of rows, bucket numbers are cut to the table's size

mod buckets;
pub(crate) mod common;
pub(crate) mod keyless;
pub(crate) mod pairs;
pub(crate) mod slots;
pub(crate) mod table;

use table::{Table, array};

/// The first 16 bytes of a token; behind a shorter one 0xFF, a byte that UTF-8 never has.
pub(crate) type Row = [u8; ROW];
const ROW: usize = 16;

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

/// The parts of all tokens by id, six bytes each: the left and the right token as little-endian 24-bit numbers.
///
/// A token of one byte has that byte and [`BYTE`]; an id that no token has is all ones.
#[derive(Clone, Copy)]
pub(crate) struct Halves<'a>(pub(crate) &'a [[u8; 6]]);

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

impl Halves<'_> {
    #[inline(always)]
    pub(crate) fn get(self, id: u32) -> (u32, u32) {
        let [a, b, c, d, e, f] = self.0[id as usize];
        let both = u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
        (both as u32 & 0xFF_FFFF, (both >> 24) as u32)
    }

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
    /// The two numbers that stand for it.
    pub(crate) fn numbers(self) -> (u32, u32) {
        match self {
            Self::Gap => (GAP, GAP),
            Self::Byte(byte) => (byte.into(), BYTE),
            Self::Merge(left, right) => (left, right),
        }
    }

    #[allow(dead_code)] // built-in vocabularies come with their parts
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

/// All that is needed for most texts.
#[derive(PartialEq)]
pub(crate) struct Tables {
    /// The first 16 bytes of each token, and [`NO_ROW`] behind the last one.
    pub(crate) rows: Table<[Row]>,
    /// The length of each token in bytes, 0 for an id that no token has.
    pub(crate) lengths: Table<[u8]>,
    /// In which merges each token takes part: [`LEFT`], [`RIGHT`].
    pub(crate) sides: Table<[u8]>,
    pub(crate) common: Table<[u64; common::LEN]>,
    pub(crate) slots: Table<[slots::Bucket]>,
    pub(crate) pairs: Table<[pairs::Bucket]>,
    /// What two tokens merge to whose ids are below 256, mostly bytes; [`NONE`] where they do not.
    pub(crate) grid: Table<Grid>,
    /// The symbols of the bytes.
    pub(crate) bytes: Table<[Symbol; 256]>,
}

/// A token that is no merge: its id and its bytes.
pub(crate) type Unmergeable = (u32, Box<[u8]>);

pub(crate) type Grid = [[Symbol; 256]; 256];

impl Tables {
    /// Each pass over the tokens fills few tables, which stay in the processor's cache meanwhile.
    ///
    /// `whole` are tokens that stand as gaps among the parts: no merge gives them, only a whole piece can be one.
    pub(crate) fn build(halves: Halves<'_>, unmergeable: &[Unmergeable]) -> Self {
        let Spelled {
            rows,
            lengths,
            sides,
        } = Spelled::new(halves, unmergeable);
        let (common, slots) = by_bytes(&rows, &lengths);
        let (pairs, grid, bytes) = by_parts(halves, &sides);
        Self {
            rows: rows.into(),
            lengths: lengths.into(),
            sides: sides.into(),
            common: array(common),
            slots: slots.into(),
            pairs: pairs.into(),
            grid: array(grid),
            bytes: array(bytes),
        }
    }

    #[inline(always)]
    pub(crate) fn symbol(&self, id: u32) -> Symbol {
        id << SIDES | u32::from(self.sides[id as usize])
    }
}

/// The bytes of the tokens, and in which merges they take part.
struct Spelled {
    rows: Vec<Row>,
    lengths: Vec<u8>,
    sides: Vec<u8>,
}

impl Spelled {
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
            let first = &token[..token.len().min(ROW)];
            spelled.rows[id] = key_of(first).to_le_bytes();
            spelled.lengths[id] = token.len() as u8;
        }
        spelled
    }

    /// Adds a token behind others that come after it, if its parts are there.
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

    /// Adds a token that comes after its parts.
    #[inline(always)]
    fn join(&mut self, id: usize, left: usize, right: usize) {
        self.sides[left] |= LEFT;
        self.sides[right] |= RIGHT;
        let (row, rest, len) = (self.rows[left], self.rows[right], self.lengths[left]);
        self.lengths[id] = len + self.lengths[right];
        self.rows[id] = row;
        // what goes on behind the row is overwritten by that of the next token
        let at = id * ROW + usize::from(len).min(ROW);
        self.rows.as_flattened_mut()[at..at + ROW].copy_from_slice(&rest);
    }
}

/// The tables that find a token by its bytes.
fn by_bytes(rows: &[Row], lengths: &[u8]) -> (Vec<u64>, Vec<slots::Bucket>) {
    let (mut common, mut slots) = (common::empty(), slots::empty(lengths.len()));
    for (id, (row, &len)) in (0..).zip(rows.iter().zip(lengths)) {
        if has_key(row, len) {
            let key = u128::from_le_bytes(*row);
            common::insert(&mut common, key, id);
            slots::insert(&mut slots, key, id);
        }
    }
    (common, slots.buckets)
}

type ByParts = (Vec<pairs::Bucket>, Vec<[Symbol; 256]>, Vec<Symbol>);

/// The tables that find a token by its parts: pairs, grid and bytes.
fn by_parts(halves: Halves<'_>, sides: &[u8]) -> ByParts {
    let mut pairs = pairs::empty(sides.len());
    let (mut grid, mut bytes) = (vec![[NONE; 256]; 256], vec![NONE; 256]);
    for (id, sides) in (0..).zip(sides) {
        let merged = id << SIDES | u32::from(*sides);
        match halves.made(id) {
            Made::Gap => {}
            Made::Byte(byte) => bytes[usize::from(byte)] = merged,
            Made::Merge(left, right) => {
                pairs::insert(&mut pairs, left, right, merged);
                if let (0..256, 0..256) = (left, right) {
                    grid[left as usize][right as usize] = merged;
                }
            }
        }
    }
    (pairs.buckets, grid, bytes)
}

/// How many ids the tables can tell apart.
#[allow(dead_code)] // the built-in vocabularies have fewer
pub(crate) const MAX_IDS: usize = slots::ID_MASK as usize - 1;

/// Whether so many tokens want the same places that looking for them would take long. It does not happen by chance.
#[allow(dead_code)] // the built-in vocabularies are known
pub(crate) fn are_crowded(tokens: &[&[u8]], halves: Halves<'_>) -> bool {
    let (short, keyless): (Vec<&[u8]>, Vec<&[u8]>) = tokens
        .iter()
        .partition(|token| token.len() <= ROW && !token.ends_with(&[0xFF]));
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

/// Whether a token has a key: it fits its row, and does not end with a byte that looks like the filling behind it.
#[inline(always)]
fn has_key(row: &Row, len: u8) -> bool {
    let last = usize::from(len).wrapping_sub(1);
    row.get(last).is_some_and(|byte| *byte != 0xFF)
}
