//! The characters of several pieces, one after another.
#![allow(clippy::indexing_slicing)] // positions are below the number of characters

use fearless_simd::{Simd, prelude::*, u8x64};

use super::{MAX_PIECE_BYTES, grow};
use crate::split::window;
use crate::utf8::{char_len, padded};
use crate::vocab::Regular;
use crate::vocab::chars::Char;

/// On the start of a character: it is the first one of a piece.
pub(super) const FIRST: u32 = 1 << 31;

/// On a copy of the flags of a character: a token may begin inside the one before and hold its first byte. No character
/// has this flag, since what it says depends on both.
pub(super) const CROSSED: u8 = 1 << 7;

/// The bytes that are looked at in one step.
const WIDTH: usize = 64;

/// The bytes from the first piece of a run to the start of its last one. The characters in between stay in the
/// second-level cache with their words. The 8 KB are of November 2026; no measurement is recorded.
const MAX_SPAN_BYTES: usize = 1 << 13;

/// The characters of several pieces.
#[derive(Default)]
pub(super) struct Run {
    pub(super) count: usize,
    pub(super) pieces: usize,
    /// The range of the buffer from the first piece to the end of the last one.
    span: std::ops::Range<usize>,
    /// A bit for each byte of the span: it is of a piece, and it is the first one of a piece.
    bytes: Vec<u64>,
    first_bytes: Vec<u64>,
    /// Whether some character has four bytes.
    pub(super) has_long_chars: bool,
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
        let groups = self.span.len().div_ceil(WIDTH);
        self.bytes[..groups].fill(0);
        self.first_bytes[..groups].fill(0);
        self.firsts.fill(0);
        self.count = 0;
        self.pieces = 0;
        self.has_long_chars = false;
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

    /// Returns whether a piece with this start may still be added.
    #[inline(always)]
    pub(super) fn has_room(&self, start: usize) -> bool {
        self.pieces == 0 || start - self.span.start <= MAX_SPAN_BYTES
    }

    /// Adds a piece, given by its range in the buffer. Pieces come in the order of the text.
    #[inline(always)]
    pub(super) fn add(&mut self, (start, end): (usize, usize)) {
        if self.pieces == 0 {
            self.span = start..start;
            let groups = (MAX_SPAN_BYTES + MAX_PIECE_BYTES) / WIDTH + 2;
            grow(&mut self.bytes, groups);
            grow(&mut self.first_bytes, groups);
        }
        self.span.end = end;
        self.pieces += 1;
        let at = start - self.span.start;
        let (mut group, bit) = (at / WIDTH, at % WIDTH);
        self.first_bytes[group] |= 1 << bit;
        let mut len = end - start;
        while len > WIDTH {
            self.bytes[group] |= u64::MAX << bit;
            self.bytes[group + 1] |= u64::MAX >> 1 >> (WIDTH - 1 - bit);
            group += 1;
            len -= WIDTH;
        }
        let bytes = u64::MAX >> (WIDTH - len);
        self.bytes[group] |= bytes << bit;
        self.bytes[group + 1] |= bytes >> 1 >> (WIDTH - 1 - bit);
    }

    /// Lists where the characters of the pieces begin.
    #[inline(always)]
    pub(super) fn list_chars<S: Simd>(&mut self, simd: S, buffer: &[u8]) {
        let starts = grow(&mut self.starts, self.span.len() + WIDTH);
        let firsts = grow(&mut self.firsts, self.span.len() / 64 + 2);
        let (mut count, mut long_chars) = (0, 0);
        for (group, at) in self.span.clone().step_by(WIDTH).enumerate() {
            let wanted = self.bytes[group];
            if wanted == 0 {
                continue;
            }
            let copy;
            let bytes = if let Some(bytes) = buffer[at..].first_chunk() {
                bytes
            } else {
                copy = padded(&buffer[at..]);
                &copy
            };
            let (begin, long) = char_starts(simd, bytes);
            let begin = begin & wanted;
            long_chars |= long & wanted;
            let Some(places) = starts[count..].first_chunk_mut::<WIDTH>() else {
                return;
            };
            window::write(simd, begin, at as u32, places, 0);
            let mut first_bytes = self.first_bytes[group];
            while first_bytes != 0 {
                let before = begin & first_bytes.wrapping_sub(1) & !first_bytes;
                let index = before.count_ones() as usize;
                places[index % WIDTH] |= FIRST;
                firsts[(count + index) / 64] |= 1 << ((count + index) % 64);
                first_bytes &= first_bytes - 1;
            }
            count += begin.count_ones() as usize;
        }
        self.count = count;
        self.has_long_chars = long_chars != 0;
    }

    /// Looks up the words of all characters. Each loop does only one thing, so that many of its steps overlap.
    #[inline(always)]
    pub(super) fn decode(&mut self, buffer: &[u8], vocab: &Regular) {
        let n = self.count;
        let code_points = grow(&mut self.code_points, n);
        let leads = grow(&mut self.leads, n);
        for (start, bytes) in self.starts[..n].iter().zip(code_points.iter_mut()) {
            let at = (start & !FIRST) as usize;
            *bytes = match buffer.get(at..at + 4) {
                Some(bytes) => u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
                None => last_bytes(&buffer[at..]),
            };
        }
        for (code_point, lead) in code_points.iter_mut().zip(leads.iter_mut()) {
            *lead = (*code_point >> 24) as u8;
            *code_point = code_point_of(*code_point);
        }
        let chars = vocab.chars();
        let words = grow(&mut self.words, n + 1);
        for (code_point, word) in code_points.iter().zip(words.iter_mut()) {
            *word = chars.get(*code_point, vocab);
        }
        let flags = grow(&mut self.flags, n + 64);
        let mut before = 0;
        let list = code_points.iter().zip(leads.iter()).zip(words.iter());
        for (((code_point, lead), word), flag) in list.zip(flags.iter_mut()) {
            let crossed = chars.crossings.may_begin_inside(before, *lead);
            *flag = word.flags() | (crossed as u8) << CROSSED.ilog2();
            before = *code_point;
        }
    }
}

/// Returns a bit for each byte that begins a character, and for each that begins one of four bytes.
#[inline(always)]
fn char_starts<S: Simd>(simd: S, bytes: &[u8; WIDTH]) -> (u64, u64) {
    let v = u8x64::from_slice(simd, bytes);
    let inner = (v & u8x64::splat(simd, 0xC0)).simd_eq(u8x64::splat(simd, 0x80));
    let long = v.simd_ge(u8x64::splat(simd, 0xF0));
    (!inner.to_bitmask(), long.to_bitmask())
}

/// Returns the code point of a character, from its bytes and those after it; the first byte is the highest.
#[inline(always)]
fn code_point_of(bytes: u32) -> u32 {
    let one = bytes >> 24;
    let two = bytes >> 18 & 0x7C0 | bytes >> 16 & 0x3F;
    let three = bytes >> 12 & 0xF000 | bytes >> 10 & 0xFC0 | bytes >> 8 & 0x3F;
    let four = bytes >> 6 & 0x1C_0000 | bytes >> 4 & 0x3_F000 | bytes >> 2 & 0xFC0 | bytes & 0x3F;
    let short = if one >= 0x80 { two } else { one };
    let long = if one >= 0xF0 { four } else { three };
    if one >= 0xE0 { long } else { short }
}

/// Returns whether a bit is set.
#[inline(always)]
pub(super) fn bit_at(mask: &[u64], at: usize) -> bool {
    mask[at / 64] >> (at % 64) & 1 != 0
}

/// Returns the last bytes of a buffer, the first one highest, followed by zeros.
#[cold]
fn last_bytes(rest: &[u8]) -> u32 {
    u32::from_be_bytes(padded(rest))
}
