//! The keys of cached pieces, and the heads of their entries.
#![allow(clippy::indexing_slicing)] // the bytes of a key are [`KEY_BYTES`]

use crate::vocab::tables::{hash, slots};

/// The bytes of a key: two halves of 16 bytes. All pieces of up to this length are cached.
///
/// Longer pieces are cached only if the last of these bytes is repeated up to their end: then these bytes and the length
/// say which piece it is. Such are indentation and lines of one character.
pub(crate) const KEY_BYTES: usize = 32;

/// The longest piece that is cached. No piece has more ids than bytes, and a head has room for these lengths.
pub(crate) const MAX_PIECE_BYTES: usize = LEN_MASK as usize;

/// The bits of each length in a head.
pub(super) const LEN_BITS: u32 = 6;
pub(super) const LEN_MASK: u32 = (1 << LEN_BITS) - 1;
/// The bits that are left for the serial number. Vocabularies with a higher one are not cached.
pub(super) const SERIAL_BITS: u32 = u32::BITS - 2 * LEN_BITS;

/// The key of a piece: its bytes, a hash of them, and the head of its entry.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    /// The bytes, filled up with 0xFF.
    pub(super) halves: [u128; 2],
    pub(super) hash: u32,
    /// The head of the entry, with zero for the number of ids; all zero if the piece is not cached.
    pub(super) head: u32,
}

impl Key {
    /// The key of every piece that is not cached.
    pub(crate) const NOT_CACHED: Self = Self {
        halves: [0; 2],
        hash: 0,
        head: 0,
    };

    /// Creates the key of a piece of `len` bytes, up to 16, from its key for the vocabulary and the upper half of its hash.
    #[inline(always)]
    pub(crate) fn short(key: u128, hash: u32, len: usize, serial: u32) -> Self {
        Self::of([key, !0], hash, len, serial)
    }

    /// Creates the key of a longer piece from its bytes.
    pub(crate) fn long(piece: &[u8], serial: u32) -> Self {
        let mut bytes = [0xFF; KEY_BYTES];
        if let Some(places) = bytes.get_mut(..piece.len()) {
            places.copy_from_slice(piece);
        } else if ends_with_repeats(piece) {
            bytes.copy_from_slice(&piece[..KEY_BYTES]);
        } else {
            return Self::NOT_CACHED;
        }
        let half = |i: usize| u128::from_le_bytes(std::array::from_fn(|at| bytes[16 * i + at]));
        let halves = [half(0), half(1)];
        Self::of(halves, long_hash(halves, piece.len()), piece.len(), serial)
    }

    /// Creates a key from the bytes and the upper half of their hash.
    #[inline(always)]
    fn of(halves: [u128; 2], hash: u32, len: usize, serial: u32) -> Self {
        if serial >= 1 << SERIAL_BITS {
            return Self::NOT_CACHED;
        }
        Self {
            halves,
            hash: key_hash(hash, serial),
            head: (serial << LEN_BITS | len as u32) << LEN_BITS,
        }
    }

    /// Returns the [`key_hash`], which leads to the bucket.
    #[inline(always)]
    pub(crate) fn hash(&self) -> u32 {
        self.hash
    }

    /// Returns whether both are keys of the same piece, and it is cached.
    #[inline(always)]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (self.halves == other.halves) & (self.head == other.head) & (self.head != 0)
    }

    /// Returns the length of the piece in bytes.
    pub(super) fn len(&self) -> usize {
        len_of(self.head)
    }
}

/// Returns whether a piece of more than [`KEY_BYTES`] can be cached: it repeats the last byte of its key up to its end.
fn ends_with_repeats(piece: &[u8]) -> bool {
    let tail = &piece[KEY_BYTES - 1..];
    piece.len() <= MAX_PIECE_BYTES && tail.iter().all(|byte| *byte == tail[0])
}

/// Returns the upper half of the hash of a piece of more than 16 bytes. Its length is part of the hash, because pieces of
/// more than [`KEY_BYTES`] may differ in nothing else.
#[inline(always)]
fn long_hash(halves: [u128; 2], len: usize) -> u32 {
    slots::half(hash(halves[0]) ^ hash(halves[1]).rotate_left(23))
        ^ (len as u32).wrapping_mul(0x9E37_79B9)
}

/// Returns the hash by which a piece of a vocabulary is found, from the upper half of the hash of its bytes.
#[inline(always)]
pub(crate) fn key_hash(hash: u32, serial: u32) -> u32 {
    hash ^ serial.wrapping_mul(0x9E37_79B9)
}

/// Returns how many words of an entry have the bytes of its piece of this length.
#[inline(always)]
pub(super) fn words_of(len: usize) -> usize {
    len.min(KEY_BYTES).div_ceil(4)
}

/// Returns the number of bytes of the piece whose entry has this head.
#[inline(always)]
pub(super) fn len_of(head: u32) -> usize {
    (head >> LEN_BITS & LEN_MASK) as usize
}

/// By the length of a piece, the bits of its bytes in the two halves of its key: all of them for a piece that is longer.
pub(super) const MASKS: [[u128; 2]; MAX_PIECE_BYTES + 1] = {
    let mut masks = [[0; 2]; MAX_PIECE_BYTES + 1];
    let mut len = 1;
    while len <= MAX_PIECE_BYTES {
        masks[len] = masks[len - 1];
        if len <= KEY_BYTES {
            masks[len][(len - 1) / 16] |= 0xFF << (8 * ((len - 1) % 16));
        }
        len += 1;
    }
    masks
};
