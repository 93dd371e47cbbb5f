//! The characters of several pieces, one after another.
#![allow(clippy::indexing_slicing)] // positions are below the number of characters

use std::hint::select_unpredictable;

use fearless_simd::{Simd, prelude::*, u8x64};

use super::grow;
#[cfg(target_arch = "x86_64")]
use crate::split::window;
use crate::utf8::char_len;
use crate::vocab::Regular;
use crate::vocab::chars::Char;

/// On the start of a character: it is the first one of a piece.
pub(super) const FIRST: u32 = 1 << 31;

/// On a copy of the flags of a character: a token may begin inside the one before and hold its first byte. No character
/// has this flag, since what it says depends on both.
pub(super) const CROSSED: u8 = 1 << 7;

/// The bytes that are looked at in one step.
const WIDTH: usize = 64;

/// The characters of several pieces.
#[derive(Default)]
pub(super) struct Run {
    pub(super) count: usize,
    pub(super) pieces: usize,
    /// Where each character begins in the buffer, and [`FIRST`].
    pub(super) starts: Vec<u32>,
    /// A bit for each character: it is the first one of a piece.
    pub(super) firsts: Vec<u64>,
    pub(super) code_points: Vec<u32>,
    /// The first byte of each.
    pub(super) leads: Vec<u8>,
    pub(super) words: Vec<Char>,
    /// The flags of each, and [`CROSSED`].
    pub(super) flags: Vec<u8>,
}

impl Run {
    /// Forgets all pieces.
    pub(super) fn clear(&mut self) {
        self.firsts.fill(0);
        self.count = 0;
        self.pieces = 0;
    }

    /// Returns how many groups of 64 characters there are.
    #[inline(always)]
    pub(super) fn groups(&self) -> usize {
        self.count.div_ceil(64)
    }

    /// Returns the start of a character in the buffer.
    #[inline(always)]
    pub(super) fn start(&self, at: usize) -> usize {
        (self.starts[at] & !FIRST) as usize
    }

    /// Returns the end of a character in the buffer.
    #[inline(always)]
    pub(super) fn end(&self, at: usize) -> usize {
        self.start(at) + char_len(self.leads[at])
    }

    /// Adds the piece `buffer[start..end]`. Returns false, and adds nothing, if one of its characters has four bytes.
    #[inline(always)]
    pub(super) fn add<S: Simd>(
        &mut self,
        simd: S,
        buffer: &[u8],
        start: usize,
        end: usize,
    ) -> bool {
        let first = self.count;
        let mut count = first;
        let starts = grow(&mut self.starts, first + (end - start) + WIDTH);
        for at in (start..end).step_by(WIDTH) {
            let copy;
            let bytes = match buffer[at..].first_chunk() {
                Some(bytes) => bytes,
                None => {
                    copy = padded(&buffer[at..]);
                    &copy
                }
            };
            let Some(places) = starts[count..].first_chunk_mut::<WIDTH>() else {
                return false;
            };
            let Some(bits) = char_starts(simd, bytes, end - at) else {
                return false;
            };
            write_starts(simd, bits, at as u32, places);
            count += bits.count_ones() as usize;
        }
        starts[first] |= FIRST;
        grow(&mut self.firsts, count / 64 + 2)[first / 64] |= 1 << (first % 64);
        self.count = count;
        self.pieces += 1;
        true
    }

    /// Looks up the words of all characters. The code points come first, so that the look-ups need not wait for them.
    #[inline(always)]
    pub(super) fn decode(&mut self, buffer: &[u8], vocab: &Regular) {
        let n = self.count;
        let code_points = grow(&mut self.code_points, n);
        let leads = grow(&mut self.leads, n);
        let places = code_points.iter_mut().zip(leads.iter_mut());
        for (start, (code_point, lead)) in self.starts[..n].iter().zip(places) {
            let at = (start & !FIRST) as usize;
            let bytes = match buffer[at..].first_chunk() {
                Some(bytes) => *bytes,
                None => last_bytes(&buffer[at..]),
            };
            (*code_point, *lead) = (code_point_of(bytes), bytes[0]);
        }
        let chars = vocab.chars();
        let words = grow(&mut self.words, n + 1);
        let flags = grow(&mut self.flags, n + 64);
        let mut before = 0;
        let places = words.iter_mut().zip(flags.iter_mut());
        let list = code_points.iter().zip(leads.iter());
        for ((code_point, lead), (word, flag)) in list.zip(places) {
            *word = chars.get(*code_point, vocab);
            let crossed = chars.crossings.may_begin_inside(before, *lead);
            *flag = word.flags() | (crossed as u8) << CROSSED.ilog2();
            before = *code_point;
        }
    }
}

/// Returns a bit for each of the first `len` bytes that begins a character, if none of these has four bytes.
#[inline(always)]
fn char_starts<S: Simd>(simd: S, bytes: &[u8; WIDTH], len: usize) -> Option<u64> {
    let v = u8x64::from_slice(simd, bytes);
    let inner = (v & u8x64::splat(simd, 0xC0)).simd_eq(u8x64::splat(simd, 0x80));
    let four = v.simd_ge(u8x64::splat(simd, 0xF0)).to_bitmask();
    let known = u64::MAX >> (WIDTH - len.min(WIDTH));
    (four & known == 0).then(|| !inner.to_bitmask() & known)
}

/// Writes the indices of the bits plus `base`. The places after them may be overwritten too.
///
/// Most pieces have up to 16 characters, in no predictable number. So 16 are written before the first branch.
#[inline(always)]
fn write_starts<S: Simd>(simd: S, mut bits: u64, base: u32, starts: &mut [u32; WIDTH]) {
    #[cfg(target_arch = "x86_64")]
    if simd.level().as_avx512().is_some() {
        return window::write(simd, bits, base, starts, 0);
    }
    let _ = simd;
    for group in starts.as_chunks_mut::<16>().0 {
        for start in group {
            *start = base + bits.trailing_zeros();
            bits &= bits.wrapping_sub(1);
        }
        if bits == 0 {
            break;
        }
    }
}

/// Returns the code point of a character of up to three bytes.
#[inline(always)]
fn code_point_of(bytes: [u8; 4]) -> u32 {
    let word = u32::from_be_bytes(bytes);
    let one = word >> 24;
    let two = word >> 18 & 0x7C0 | word >> 16 & 0x3F;
    let three = word >> 12 & 0xF000 | word >> 10 & 0xFC0 | word >> 8 & 0x3F;
    select_unpredictable(
        one >= 0xE0,
        three,
        select_unpredictable(one >= 0x80, two, one),
    )
}

/// Returns whether a bit is set.
#[inline(always)]
pub(super) fn bit_at(mask: &[u64], at: usize) -> bool {
    mask[at / 64] >> (at % 64) & 1 != 0
}

/// Returns the last bytes of a buffer, followed by zeros.
#[cold]
fn padded(rest: &[u8]) -> [u8; WIDTH] {
    let mut bytes = [0; WIDTH];
    bytes[..rest.len()].copy_from_slice(rest);
    bytes
}

/// Returns the last bytes of a buffer, followed by zeros.
#[cold]
fn last_bytes(rest: &[u8]) -> [u8; 4] {
    std::array::from_fn(|at| rest.get(at).copied().unwrap_or(0))
}
