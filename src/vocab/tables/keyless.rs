//! The tokens without a key: those that are longer than a row, and those that end with the byte 0xFF.

use super::table::Table;
use super::{Halves, Made, NONE, ROW_BYTES, Row, Unmergeable, has_key, hash, key_of, slots};

/// The keyless tokens, by id and by bytes. There are few of them, and few texts have any.
#[derive(PartialEq)]
pub(crate) struct Keyless {
    /// The ids, smallest first.
    pub(crate) ids: Table<[u32]>,
    /// The bytes of all of them, one after another.
    pub(crate) bytes: Table<[u8]>,
    /// Where the bytes of each end.
    pub(crate) ends: Table<[u32]>,
    /// Leads from their bytes to their indices in `ids`.
    pub(crate) slots: Table<[slots::Bucket]>,
}

impl Keyless {
    /// Builds the tables from the halves and the rows of all tokens.
    pub(crate) fn build(
        halves: Halves<'_>,
        unmergeable: &[Unmergeable],
        rows: &[Row],
        lengths: &[u8],
    ) -> Self {
        let (mut ids, mut bytes, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for (id, (row, &len)) in (0..).zip(rows.iter().zip(lengths)) {
            if len > 1 && !has_key(row, len) {
                match unmergeable.binary_search_by_key(&id, |(id, _)| *id) {
                    Ok(at) => bytes.extend_from_slice(&unmergeable[at].1),
                    Err(_) => spell(id, halves, rows, lengths, &mut bytes),
                }
                ids.push(id);
                ends.push(bytes.len() as u32);
            }
        }
        let mut slots = slots::empty(ids.len());
        for index in 0..ids.len() {
            let token = nth(&bytes, &ends, index).unwrap_or_default();
            slots::insert(&mut slots, key(token), index as u32);
        }
        Self {
            ids: ids.into(),
            bytes: bytes.into(),
            ends: ends.into(),
            slots: slots.buckets.into(),
        }
    }

    /// Returns the bytes of a keyless token.
    pub(crate) fn token(&self, id: u32) -> Option<&[u8]> {
        nth(&self.bytes, &self.ends, self.ids.binary_search(&id).ok()?)
    }

    /// Returns the id of the keyless token with these bytes.
    pub(crate) fn id(&self, token: &[u8]) -> Option<u32> {
        let is_it = |index: u32| nth(&self.bytes, &self.ends, index as usize) == Some(token);
        match slots::find(&self.slots, slots::half(hash(key(token))), is_it) {
            NONE => None,
            index => self.ids.get(index as usize).copied(),
        }
    }
}

/// Appends the bytes of a token, those of its halves.
fn spell(id: u32, halves: Halves<'_>, rows: &[Row], lengths: &[u8], bytes: &mut Vec<u8>) {
    let (row, len) = (&rows[id as usize], usize::from(lengths[id as usize]));
    if let Some(token) = row.get(..len) {
        bytes.extend_from_slice(token);
    } else if let Made::Merge(left, right) = halves.made(id) {
        spell(left, halves, rows, lengths, bytes);
        spell(right, halves, rows, lengths, bytes);
    }
}

/// Returns the bytes of the token at `index`.
fn nth<'b>(bytes: &'b [u8], ends: &[u32], index: usize) -> Option<&'b [u8]> {
    let start = index
        .checked_sub(1)
        .map_or(Some(&0), |before| ends.get(before))?;
    bytes.get(*start as usize..*ends.get(index)? as usize)
}

/// Returns a key made of the first bytes, the last bytes and the length: most runs of one character differ only in that.
pub(super) fn key(token: &[u8]) -> u128 {
    let first = &token[..token.len().min(ROW_BYTES)];
    let last = &token[token.len().saturating_sub(ROW_BYTES)..];
    key_of(first)
        ^ key_of(last)
            .rotate_left(29)
            .wrapping_mul(2 * token.len() as u128 + 1)
}
