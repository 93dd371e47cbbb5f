//! Finds the character classes of 64 bytes at once, as bit masks.

// Indices are masked to the length of the array, or bounded by the window.
#![allow(clippy::indexing_slicing)]
// A function that is not inlined is not compiled for the instructions of its caller.
#![allow(clippy::inline_always)]

use fearless_simd::{Simd, prelude::*, u8x64};

use super::classes::{CASELESS, LETTER, MARK, NUMBER, SPACE, UPPER, class_of};

/// The number of bytes in a window: one bit of a `u64` for each.
pub(super) const WIDTH: usize = 64;

/// The classes of the bytes of a window: bit i stands for byte i, and a character sets the bits of all its bytes.
///
/// ```text
/// bytes    a  C3 A9  20  31    ("aé 1", bit 0 at the left)
/// letters  1  1  1   0   0
/// inner    0  0  1   0   0
/// spaces   0  0  0   1   0
/// numbers  0  0  0   0   1
/// ```
///
/// No bit is set after `known` bytes. A character that the window's end cuts off is in no class, and neither are bytes
/// after the end of the text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Masks {
    /// L.
    pub(super) letters: u64,
    /// Lu and Lt, found only where `cased`.
    pub(super) upper: u64,
    /// Lm and Lo, found only where `cased`.
    pub(super) caseless: u64,
    /// M, found only where `cased`; otherwise they are among `others`.
    pub(super) marks: u64,
    /// N.
    pub(super) numbers: u64,
    /// White space except CR and LF.
    pub(super) spaces: u64,
    /// U+0020.
    pub(super) blanks: u64,
    /// CR and LF.
    pub(super) newlines: u64,
    /// All other characters.
    pub(super) others: u64,
    pub(super) apostrophes: u64,
    pub(super) slashes: u64,
    /// All bytes of characters except the first.
    pub(super) inner: u64,
    /// The first bytes of characters of two and of three bytes.
    pub(super) leads: [u64; 2],
    /// How many bytes of the window hold whole characters of the text, at least 1.
    pub(super) known: usize,
}

/// Returns a mask of the lowest `n` bits; `n` is 1 to 64.
#[inline(always)]
pub(super) fn low(n: usize) -> u64 {
    u64::MAX >> (64 - n)
}

/// 64 bytes of ones, then 64 of zeros: the 64 bytes from 64 - n on keep the first n bytes of a window.
static ONES_AND_ZEROS: [u8; 2 * WIDTH] = {
    let mut bytes = [0; 2 * WIDTH];
    let mut i = 0;
    while i < WIDTH {
        bytes[i] = 0xFF;
        i += 1;
    }
    bytes
};

impl Masks {
    /// Creates the masks of `bytes`, of which `len` (1 to 64) belong to the text. The first one begins a character.
    #[inline(always)]
    pub(super) fn new<S: Simd>(simd: S, bytes: &[u8; WIDTH], len: usize, cased: bool) -> Self {
        let mut v = u8x64::from_slice(simd, bytes);
        if len < WIDTH {
            // U+0000 is in no class but `others`
            v &= u8x64::from_slice(simd, &ONES_AND_ZEROS[WIDTH - len..][..WIDTH]);
        }
        let is = |byte: u8| v.simd_eq(u8x64::splat(simd, byte)).to_bitmask();
        let between = |v, first, last| between(simd, v, first, last);
        let newlines = is(b'\n') | is(b'\r');
        let blanks = is(b' ');
        let folded = v | u8x64::splat(simd, 0x20);
        let mut masks = Self {
            letters: between(folded, b'a', b'z'),
            upper: if cased { between(v, b'A', b'Z') } else { 0 },
            numbers: between(v, b'0', b'9'),
            spaces: (between(v, b'\t', b'\r') | blanks) & !newlines,
            blanks,
            newlines,
            apostrophes: is(b'\''),
            slashes: is(b'/'),
            known: len,
            ..Self::default()
        };
        let high = v.simd_ge(u8x64::splat(simd, 0x80)).to_bitmask();
        if high != 0 {
            if cased && !has_mask_registers(simd) {
                // Inlined, this makes the compiler take the vectors of all windows apart: out of line is twice as fast.
                let ascii = masks;
                masks = simd.vectorize(
                    #[inline(always)]
                    || {
                        let mut masks = ascii;
                        let v = u8x64::from_slice(simd, bytes);
                        masks.add_unicode(simd, bytes, v, high, cased);
                        masks
                    },
                );
            } else {
                masks.add_unicode(simd, bytes, v, high, cased);
            }
        }
        masks.others = low(masks.known)
            & !(masks.letters | masks.marks | masks.numbers | masks.spaces | masks.newlines);
        masks
    }

    /// Adds the characters of more than one byte, whose bytes are `high`.
    #[inline(always)]
    fn add_unicode<S: Simd>(
        &mut self,
        simd: S,
        bytes: &[u8; WIDTH],
        v: u8x64<S>,
        high: u64,
        cased: bool,
    ) {
        let is = |byte: u8| v.simd_eq(u8x64::splat(simd, byte)).to_bitmask();
        let from = |byte: u8| v.simd_ge(u8x64::splat(simd, byte)).to_bitmask() & high;
        let (two, three, four) = (from(0xC0), from(0xE0), from(0xF0));
        self.inner = high & !two;
        let (two, three) = (two & !three, three & !four);
        // a character that does not end in the window is unknown; only the last one can be cut off
        let cut = two & (1 << 63) | three & (3 << 62) | four & (7 << 61);
        self.known = self.known.min(cut.trailing_zeros() as usize);
        let text = low(self.known);
        self.inner &= text;
        self.leads = [two & text, three & text];

        let mut rest = self.add_alphabets(simd, v, two & text, cased) | four & text;
        if three & text != 0 {
            rest |= self.add_east_asian(simd, v, three & text);
            let devanagari = rest & is(0xE0);
            if devanagari != 0 {
                rest &= !self.add_devanagari(simd, v, devanagari, cased);
            }
        }
        if rest != 0 {
            self.add_by_table(simd, bytes, rest, cased);
        }
    }

    /// Adds the characters of two bytes whose classes a few comparisons find, and returns the first bytes of the
    /// others.
    #[inline(always)]
    fn add_alphabets<S: Simd>(&mut self, simd: S, v: u8x64<S>, mut leads: u64, cased: bool) -> u64 {
        let is = |byte: u8| v.simd_eq(u8x64::splat(simd, byte)).to_bitmask();
        // the first bytes of characters whose second byte is in the range
        let second = |first: u8, last: u8| between(simd, v, first, last) >> 1;
        let latin = is(0xC3) & leads;
        if latin != 0 {
            // U+00C0 to U+00FF, except the signs of multiplication and division
            let signs = latin & (is(0x97) | is(0xB7)) >> 1;
            let upper = if cased { second(0x80, 0x9E) } else { 0 };
            self.add_letters(latin & !signs, latin & upper & !signs, 0);
            leads &= !latin;
        }
        let signs = is(0xC2) & leads;
        if signs != 0 {
            // U+00A0 is white space; the others up to U+00BF are signs, except digits, fractions, and ª µ º
            self.spaces |= self.spread(signs & second(0xA0, 0xA0));
            leads &= !(signs
                & (second(0xA0, 0xA9)
                    | second(0xAB, 0xB1)
                    | second(0xB6, 0xB8)
                    | second(0xBB, 0xBB)));
        }
        let cyrillic = between(simd, v, 0xD0, 0xD1) & leads;
        if cyrillic != 0 {
            // U+0400 to U+042F are capitals, up to U+045F they are small
            let capital = is(0xD0) & second(0x80, 0xAF);
            let known = cyrillic
                & if cased {
                    is(0xD0) | second(0x80, 0x9F)
                } else {
                    u64::MAX
                };
            self.add_letters(known, cyrillic & capital, 0);
            leads &= !known;
        }
        let greek = between(simd, v, 0xCE, 0xCF) & leads;
        if greek != 0 {
            // U+0391 to U+03AB are capitals except U+03A2, up to U+03CE they are small
            let capital = is(0xCE) & second(0x91, 0xAB) & !second(0xA2, 0xA2);
            let known =
                greek & (capital | is(0xCE) & second(0xAC, 0xBF) | is(0xCF) & second(0x80, 0x8E));
            self.add_letters(known, greek & capital, 0);
            leads &= !known;
        }
        let arabic = between(simd, v, 0xD8, 0xDA) & leads;
        if arabic != 0 {
            // U+0620 to U+064A are letters, up to U+065F marks; U+0680 to U+06BF are letters
            let letters = is(0xD8) & second(0xA0, 0xBF) | is(0xD9) & second(0x80, 0x8A) | is(0xDA);
            let marks = is(0xD9) & second(0x8B, 0x9F);
            self.add_letters(arabic & letters, 0, arabic & letters);
            if cased {
                self.marks |= self.spread(arabic & marks);
            }
            leads &= !(arabic & (letters | marks));
        }
        leads
    }

    /// Adds the characters of three bytes whose classes a few comparisons find, and returns the first bytes of the
    /// others.
    #[inline(always)]
    fn add_east_asian<S: Simd>(&mut self, simd: S, v: u8x64<S>, leads: u64) -> u64 {
        let is = |byte: u8| v.simd_eq(u8x64::splat(simd, byte)).to_bitmask();
        let second = |first: u8, last: u8| between(simd, v, first, last) >> 1;
        let third = |first: u8, last: u8| between(simd, v, first, last) >> 2;
        // All of U+5000 to U+9FFF and U+B000 to U+CFFF; those from U+4E00 on; the Hangul in U+A000 to U+AFFF and in
        // U+D000 to U+D77F; U+3041 to U+3096; U+30A1 to U+30FF except U+30FB. No branches: such text mixes them.
        let kana = is(0xE3);
        let letters = leads
            & (between(simd, v, 0xE5, 0xE9)
                | between(simd, v, 0xEB, 0xEC)
                | is(0xE4) & second(0xB8, 0xBF)
                | is(0xEA) & second(0xB0, 0xBF)
                | is(0xED) & second(0x80, 0x9D)
                | kana
                    & (second(0x81, 0x81) & !third(0x80, 0x80)
                        | second(0x82, 0x82) & !third(0x97, 0xA0)
                        | second(0x83, 0x83) & !third(0xBB, 0xBB)));
        // U+2010 to U+2027; U+3001 to U+3003 and U+3008 to U+301F; U+FF01 to U+FF0F and U+FF1A to U+FF20
        let punctuation = leads
            & (is(0xE2) & second(0x80, 0x80) & third(0x90, 0xA7)
                | kana & second(0x80, 0x80) & (third(0x81, 0x83) | third(0x88, 0x9F))
                | is(0xEF) & second(0xBC, 0xBC) & (third(0x81, 0x8F) | third(0x9A, 0xA0)));
        self.add_letters(letters, 0, letters);
        leads & !letters & !punctuation
    }

    /// Adds the Devanagari among the characters whose first bytes are `leads`, all E0, and returns their first bytes.
    #[inline(always)]
    fn add_devanagari<S: Simd>(&mut self, simd: S, v: u8x64<S>, leads: u64, cased: bool) -> u64 {
        let second = |byte: u8| between(simd, v, byte, byte) >> 1 & leads;
        let third = |first: u8, last: u8| between(simd, v, first, last) >> 2;
        // U+0904 to U+0939, U+093D, U+0958 to U+0961 are letters; the others up to U+0963 are marks, except U+0950
        let (low, high) = (
            second(0xA4),
            second(0xA5) & !third(0x90, 0x90) & third(0x80, 0xA3),
        );
        let letters = low & (third(0x84, 0xB9) | third(0xBD, 0xBD)) | high & third(0x98, 0xA1);
        let marks = (low | high) & !letters;
        self.add_letters(letters, 0, letters);
        if cased {
            self.marks |= self.spread(marks);
        }
        low | high
    }

    /// Adds any characters, one after the other, by the table.
    #[inline(always)]
    fn add_by_table<S: Simd>(&mut self, simd: S, bytes: &[u8; WIDTH], leads: u64, cased: bool) {
        let [two, three] = self.leads;
        let mut classes = [0; WIDTH];
        each(leads & two, |i| {
            classes[i] = class_of(u32::from(bytes[i] & 0x1F) << 6 | tail(bytes, i + 1));
        });
        each(leads & three, |i| {
            let first = u32::from(bytes[i] & 0x0F) << 12;
            classes[i] = class_of(first | tail(bytes, i + 1) << 6 | tail(bytes, i + 2));
        });
        each(leads & !two & !three, |i| {
            let first = u32::from(bytes[i] & 0x07) << 18 | tail(bytes, i + 1) << 12;
            classes[i] = class_of(first | tail(bytes, i + 2) << 6 | tail(bytes, i + 3));
        });
        let classes = u8x64::from_slice(simd, &classes);
        let zero = u8x64::splat(simd, 0);
        let of = |set: u8| {
            (classes & u8x64::splat(simd, set))
                .simd_gt(zero)
                .to_bitmask()
        };
        let (upper, caseless) = if cased {
            (of(UPPER), of(CASELESS))
        } else {
            (0, 0)
        };
        self.add_letters(of(LETTER), upper, caseless);
        self.numbers |= self.spread(of(NUMBER));
        self.spaces |= self.spread(of(SPACE));
        if cased {
            self.marks |= self.spread(of(MARK));
        }
    }

    /// Adds letters by their first bytes.
    #[inline(always)]
    fn add_letters(&mut self, letters: u64, upper: u64, caseless: u64) {
        self.letters |= self.spread(letters);
        self.upper |= self.spread(upper);
        self.caseless |= self.spread(caseless);
    }

    /// Returns all bytes of the characters whose first bytes are `leads`.
    #[inline(always)]
    pub(super) fn spread(&self, leads: u64) -> u64 {
        // a carry runs from the second byte to the end of the character and clears its bits
        let inner = leads << 1 & self.inner;
        leads | self.inner & !self.inner.wrapping_add(inner)
    }
}

/// Returns the bytes in a range, as a mask.
#[inline(always)]
fn between<S: Simd>(simd: S, v: u8x64<S>, first: u8, last: u8) -> u64 {
    (v - u8x64::splat(simd, first))
        .simd_le(u8x64::splat(simd, last - first))
        .to_bitmask()
}

/// Returns whether comparing vectors yields bit masks at no cost.
#[inline(always)]
fn has_mask_registers<S: Simd>(simd: S) -> bool {
    #[cfg(target_arch = "x86_64")]
    return simd.level().as_avx512().is_some();
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = simd;
        false
    }
}

/// Calls `f` with the index of each bit.
#[inline(always)]
pub(super) fn each(mut bits: u64, mut f: impl FnMut(usize)) {
    while bits != 0 {
        f(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

/// Returns the six bits that the continuation byte at `i` adds to a code point.
#[inline(always)]
fn tail(bytes: &[u8; WIDTH], i: usize) -> u32 {
    u32::from(bytes[i % WIDTH] & 0x3F)
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::super::classes::{CASELESS, LOWER, NEWLINE, OTHER, class_at};
    use super::*;

    /// Compares the masks of all windows of a text with the table.
    fn check<S: Simd>(simd: S, text: &[u8], cased: bool) {
        let mut at = 0;
        while at < text.len() {
            let mut bytes = [b'x'; WIDTH];
            let len = (text.len() - at).min(WIDTH);
            bytes[..len].copy_from_slice(&text[at..at + len]);
            let m = simd.vectorize(
                #[inline(always)]
                || Masks::new(simd, &bytes, len, cased),
            );
            assert!(m.known + 4 > len, "a whole character is missing");
            let mut i = 0;
            while i < m.known {
                let (class, len) = class_at(text, at + i).unwrap();
                let bits = low(len) << i;
                let has = |mask: u64| match mask & bits {
                    0 => false,
                    some => {
                        assert_eq!(some, bits, "a part of a character");
                        true
                    }
                };
                let shown = String::from_utf8_lossy(&text[at + i..at + i + len]);
                let found = [
                    (LETTER, has(m.letters)),
                    (NUMBER, has(m.numbers)),
                    (SPACE, has(m.spaces)),
                    (NEWLINE, has(m.newlines)),
                    (if cased { OTHER } else { OTHER | MARK }, has(m.others)),
                ];
                for (set, found) in found {
                    assert_eq!(class & set != 0, found, "{shown:?} {set:#b} {cased}");
                }
                if cased {
                    let small = has(m.letters) && !has(m.upper) && !has(m.caseless);
                    let found = [
                        (UPPER, has(m.upper)),
                        (CASELESS, has(m.caseless)),
                        (LOWER, small),
                        (MARK, has(m.marks)),
                    ];
                    for (set, found) in found {
                        assert_eq!(class & set != 0, found, "{shown:?} {set:#b}");
                    }
                }
                i += len;
            }
            assert_eq!(i, m.known);
            at += m.known;
        }
    }

    /// All characters, in order and mixed: their classes are those of the table.
    #[test]
    fn masks_agree_with_the_table() {
        let all: Vec<char> = ('\0'..=char::MAX).collect();
        let few = all.iter().filter(|c| u32::from(**c) < 0x1_0000);
        let few: Vec<char> = few.copied().collect();
        for level in [
            Level::new(),
            Level::baseline(),
            #[cfg(portable)]
            Level::fallback(),
        ] {
            for (chars, step) in [(&all, 1), (&few, 7_919), (&few, 64), (&few, 1_025)] {
                let n = chars.len();
                let text: String = (0..n).map(|i| chars[i * step % n]).collect();
                for cased in [false, true] {
                    dispatch!(level, simd => check(simd, text.as_bytes(), cased));
                }
            }
        }
    }
}
