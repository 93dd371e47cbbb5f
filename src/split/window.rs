//! Splits text by the built-in patterns, 64 bytes at a time.
//!
//! The patterns never look back, so text before the start of a piece does not matter. A *window* is the 64 bytes from a
//! piece's start on. It becomes one bit mask for each character class, and arithmetic on the masks yields a mask of all
//! piece starts. A start is *certain* if no byte after the window can move it. The certain ones are written down, and
//! the next window begins at the last of them, so no state goes from window to window. If the text ends inside the
//! window, all starts are certain.
//!
//! Bit i of a mask stands for byte i of the window, so a shift to the left goes to later bytes:
//!
//! ```text
//! bytes               t h e   c a t   s a t .     (drawn with bit 0 at the left)
//! letters             1 1 1 0 1 1 1 0 1 1 1 0
//! blanks              0 0 0 1 0 0 0 1 0 0 0 0
//! starts after bit 0  0 0 0 1 0 0 0 1 0 0 0 1
//! ```
//!
//! [`super::scalar`] explains the rules; that scanner also takes the pieces that are longer than a window.

// Indices are masked to the length of the array, or bounded by the window.
#![allow(clippy::indexing_slicing)]
// A function that is not inlined is not compiled for the instructions of its caller.
#![allow(clippy::inline_always)]

use fearless_simd::Simd;
#[cfg(target_arch = "x86_64")]
use fearless_simd::{prelude::*, u8x64, u32x16};

use super::classes::{CASELESS, Classes, LETTER, LOWER, NUMBER, OTHER, WHITE};
use super::scalar::{Contractions, Rules, Scan};
use super::window_classes::{Masks, WIDTH, low};
use crate::repetition::{MAX_PERIOD_BYTES, agreement, period_at};
use crate::utf8::{padded, whole_chars};

/// How many bytes a buffer needs after the part of the text that is scanned, so that no window has to be copied.
pub(crate) const PADDING: usize = WIDTH;

/// The length of the array of ends: a batch of 512 pieces, and the pieces that one window may add to them. A
/// batch of 1,024 pieces is as fast (1.004 times on cl100k_base, 0.999 on o200k_base; AMD EPYC with AVX2, November 2026).
pub(crate) const ENDS: usize = 512 + WIDTH;

/// The result of [`scan`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scanned {
    /// How many ends were written.
    pub(crate) count: usize,
    /// Where the next piece begins: the last end, or `start` if none was written.
    pub(crate) next: usize,
}

/// Writes the ends of the pieces from `start` on to `ends`, where `start` is the start of a piece. Stops if the pieces
/// of another window may not fit, or if all pieces that begin before `len` are found.
///
/// - `complete`: the text is `buffer[..len]`, and the bytes after it do not matter. A window is copied if fewer than
///   [`PADDING`] bytes follow it.
/// - not `complete`: the text is `buffer` and may continue after it. Ends after `len` are possible. The scan stops
///   early, with no end written, at a piece that reaches the end of the buffer.
///
/// Offsets are `u32`: a buffer is shorter than 4 GiB.
///
/// A window waits for the one before it. Two chains of windows in turn were tried. The second began at a blank between
/// two letters, half a kilobyte ahead. This took 2 % longer on cl100k_base and 4 % on o200k_base (AMD EPYC with AVX2,
/// November 2026).
#[inline(always)]
pub(super) fn scan<S: Simd, R: Rules, const N: usize>(
    simd: S,
    buffer: &[u8],
    start: usize,
    len: usize,
    complete: bool,
    ends: &mut [u32; N],
) -> Scanned {
    const { assert!(N > WIDTH) };
    let text = if complete { &buffer[..len] } else { buffer };
    let (mut count, mut next) = (0, start);
    while next < len && count < N - WIDTH {
        let left = (text.len() - next).min(WIDTH);
        let copy;
        let bytes = if let Some(bytes) = buffer[next..].first_chunk() {
            bytes
        } else {
            copy = padded(&buffer[next..]);
            &copy
        };
        let masks = Masks::new(simd, bytes, left, R::CASED);
        // a window that is exactly full is treated as if the text continued after it
        let ends_text = complete && left < WIDTH;
        let starts = R::starts(simd, bytes, &masks, ends_text);
        if starts == 0 {
            // out of line, and without the masks: that keeps them in registers
            let end = simd.vectorize(
                #[inline(always)]
                || R::long_piece(simd, text, next, complete),
            );
            let Some(end) = end else {
                break;
            };
            ends[count] = end as u32;
            count += 1;
            next = end;
        } else {
            write(simd, starts, next as u32, ends, count);
            count += starts.count_ones() as usize;
            next += 63 - starts.leading_zeros() as usize;
        }
    }
    Scanned { count, next }
}

/// Returns the bits of `mask` in unbroken runs from the `seeds` up; the seeds are bits of `mask`.
///
/// ```text
/// mask   1 1 1 0 1 1 1 0     (bit 0 at the left)
/// seeds  0 1 0 0 1 0 0 0
/// fill   0 1 1 0 1 1 1 0
/// ```
#[inline(always)]
pub(super) fn fill(mask: u64, seeds: u64) -> u64 {
    // A carry runs from a seed to the end of its run and clears its bits. A second seed in the run stays set.
    ((mask.wrapping_add(seeds) ^ mask) | seeds) & mask
}

/// Returns the certain piece starts after the first byte of a window whose first byte starts a piece. The end of the
/// text counts as a start.
#[inline(always)]
pub(super) fn starts<R: Rules>(bytes: &[u8; WIDTH], m: &Masks, ends_text: bool) -> u64 {
    // the first byte of the character that follows a character whose first byte is in `leads`
    let after = |leads: u64| (leads << 1).wrapping_add(m.inner) & !m.inner;

    let Punctuation {
        others,
        marks,
        tails,
    } = punctuation::<R>(m, after);
    let words = m.letters | marks;
    let newlines = m.newlines & !tails;
    let white = m.spaces | newlines;

    // A punctuation character opens a word if it starts a piece itself: it is not one of several, and has no blank
    // before.
    let punctuation = others & !(others << 1) & !(m.blanks << 1);
    let opened = if R::ANY_PREFIX {
        m.spaces << 1 | after(punctuation)
    } else {
        m.blanks << 1
    };
    let mut starts = punctuation
        | words & !(words << 1) & !opened
        | number_starts::<R>(m, after)
        | white_starts::<R>(m, white, newlines, low(m.known) & !white);

    let mut certain = u64::MAX;
    if ends_text {
        if R::WHOLE_AT_END {
            starts &= low(m.known + 1 - white_at_end(m, white));
        }
        starts |= 1 << m.known;
    } else {
        // Of white space, only the beginning is certain; a contraction needs two bytes after its apostrophe. Newlines
        // that belong to punctuation count as white space here, so that this need not wait for them to be known.
        let uncertain = white_at_end(m, m.spaces | m.newlines).max(3);
        certain = low(m.known.saturating_sub(uncertain) + 1);
    }
    if R::CASED {
        starts |= cased_starts(m, words, marks, ends_text, &mut certain);
    }

    #[cfg(feature = "custom")]
    if matches!(R::CONTRACTIONS, Contractions::None) {
        return starts & certain & !1;
    }
    let apostrophes = m.apostrophes & if R::CASED { words << 1 } else { punctuation };
    contractions::<R>(bytes, m, apostrophes, words, &mut starts, &mut certain);
    starts & certain & !1
}

/// Moves the starts around the apostrophes that open a contraction.
#[inline(always)]
fn contractions<R: Rules>(
    bytes: &[u8; WIDTH],
    m: &Masks,
    mut apostrophes: u64,
    words: u64,
    starts: &mut u64,
    certain: &mut u64,
) {
    let mut last_end = 0;
    while apostrophes != 0 {
        let i = apostrophes.trailing_zeros() as usize;
        apostrophes &= apostrophes - 1;
        let end = i + contraction::<R>(bytes, i);
        // a word takes one contraction only
        if end == i || end > m.known || (R::CASED && i == last_end) {
            continue;
        }
        last_end = end;
        let next = 2 << (end - 1);
        let inside = low(end)
            & !(if R::CASED {
                low(i + 1) >> 1
            } else {
                low(i + 1)
            });
        *starts = *starts & !inside | next;
        if R::CASED && words & next != 0 {
            // `cased_starts` took the letters that follow as a part of the same word
            *certain &= low(end) | next;
        }
    }
}

/// Returns how many bytes of `white` are at the end of the window.
#[inline(always)]
pub(super) fn white_at_end(m: &Masks, white: u64) -> usize {
    (white << (64 - m.known)).leading_ones() as usize
}

/// Punctuation, and the bytes that belong to it.
struct Punctuation {
    others: u64,
    /// The marks that are not punctuation.
    marks: u64,
    /// Newlines and slashes after punctuation.
    tails: u64,
}

/// Returns the punctuation of a window. Marks belong to words. But they are punctuation after punctuation that cannot
/// open a word, because it follows a blank or other punctuation.
#[inline(always)]
fn punctuation<R: Rules>(m: &Masks, after: impl Fn(u64) -> u64) -> Punctuation {
    let (mut others, mut marks) = (m.others, m.marks);
    loop {
        let mut tails = 0;
        if R::follows_punctuation(b'\n') {
            let mut tail = m.newlines;
            if R::follows_punctuation(b'/') {
                tail |= m.slashes;
            }
            tails = fill(tail, m.newlines & (others << 1));
        }
        let rest = others & !tails;
        let swallowed = marks & (rest << 1);
        if R::CASED && swallowed != 0 {
            let opener = rest & !(rest << 1) & !(m.blanks << 1);
            let swallowed = swallowed & !after(opener);
            if swallowed != 0 {
                // one run at a time, from the first on: each decides how later ones are read
                let run = fill(marks, swallowed & swallowed.wrapping_neg());
                others |= run;
                marks &= !run;
                continue;
            }
        }
        return Punctuation {
            others: rest,
            marks,
            tails,
        };
    }
}

/// Returns the starts of numbers: the beginning of a run of digits, and every `MAX_DIGITS` digits in it.
#[inline(always)]
pub(super) fn number_starts<R: Rules>(m: &Masks, after: impl Fn(u64) -> u64) -> u64 {
    let mut first = m.numbers & !(m.numbers << 1);
    if R::BLANK_BEFORE_NUMBER {
        first &= !(m.blanks << 1);
    }
    let mut starts = first;
    if R::MAX_DIGITS < WIDTH && m.numbers & (m.numbers << R::MAX_DIGITS) != 0 {
        if m.numbers & m.inner == 0 {
            for shift in 0..R::MAX_DIGITS {
                let places = every(R::MAX_DIGITS) << shift;
                starts |= fill(m.numbers, first & places) & places;
            }
            return starts;
        }
        while first != 0 {
            for _ in 0..R::MAX_DIGITS {
                first = after(first) & m.numbers;
            }
            starts |= first;
        }
    }
    starts
}

/// Returns every `n`th bit from the first on.
const fn every(n: usize) -> u64 {
    let (mut bits, mut bit) = (0, 0);
    while bit < WIDTH {
        bits |= 1 << bit;
        bit += n;
    }
    bits
}

/// Returns the starts in white space: its first character, its last one if `visible` text follows, and the character
/// after its last newline.
#[inline(always)]
pub(super) fn white_starts<R: Rules>(m: &Masks, white: u64, newlines: u64, visible: u64) -> u64 {
    let [two, three] = m.leads;
    let single = white & !m.inner & !two & !three;
    let mut last =
        single & (visible >> 1) | white & (two & (visible >> 2) | three & (visible >> 3));
    let mut starts = white & !(white << 1);
    if R::CUT_AFTER_NEWLINE {
        last &= !newlines;
        // spaces after a newline, except those that another newline follows
        let mut spaces = m.spaces & (newlines << 1);
        let mut not_last = m.spaces.wrapping_add(spaces) & !m.spaces & newlines;
        while not_last != 0 {
            let before = spaces & (not_last & not_last.wrapping_neg()).wrapping_sub(1);
            spaces &= !(1 << before.ilog2());
            not_last &= not_last - 1;
        }
        starts |= spaces;
    }
    starts | last
}

/// Returns the starts inside words. They are at a capital after a small letter. In a word without small letters, they
/// are also at the capitals that end it, if a caseless letter or mark is before them. Removes from `certain` the starts
/// that text after the window may change.
#[inline(always)]
fn cased_starts(m: &Masks, words: u64, marks: u64, ends_text: bool, certain: &mut u64) -> u64 {
    let caseless = m.caseless | marks;
    let mut small = words & !m.upper & !caseless;
    if caseless == 0 {
        return m.upper & (small << 1);
    }
    // caseless letters after a small one belong to it
    small |= fill(caseless, caseless & (small << 1));
    let mut starts = m.upper & (small << 1);
    let mut capitals = m.upper & (caseless << 1) & !starts;
    while capitals != 0 {
        let first = capitals & capitals.wrapping_neg();
        capitals ^= first;
        let end = m.upper.wrapping_add(first) & !m.upper;
        if !ends_text && end & low(m.known) == 0 {
            *certain &= first - 1;
        } else if end & words == 0 {
            starts |= first;
        }
    }
    starts
}

/// Returns the length of the contraction whose apostrophe is at `i`, or 0 if there is none.
#[inline(always)]
fn contraction<R: Rules>(bytes: &[u8; WIDTH], i: usize) -> usize {
    let byte = |k: usize| bytes[(i + k) % WIDTH];
    let folds = matches!(R::CONTRACTIONS, Contractions::AnyCase);
    let letter = |k| {
        if folds {
            byte(k).to_ascii_lowercase()
        } else {
            byte(k)
        }
    };
    match letter(1) {
        b's' | b'd' | b'm' | b't' => 2,
        b'l' if letter(2) == b'l' => 3,
        b'v' | b'r' if letter(2) == b'e' => 3,
        // the long s
        0xC5 if folds && byte(2) == 0xBF => 3,
        _ => 0,
    }
}

/// Returns the end of the piece at `start`, which fills a window, if it ends.
///
/// Skips further characters of the same class window by window. At the first other one the scalar scanner continues,
/// unless its result is clear.
#[inline(always)]
pub(super) fn long_piece<S: Simd, R: Rules>(
    simd: S,
    text: &[u8],
    start: usize,
    complete: bool,
) -> Option<usize> {
    let window = text[start..].first_chunk();
    let masks = window.map(|bytes| Masks::new(simd, bytes, WIDTH, R::CASED));
    let Some((class, mut m)) = masks.and_then(|m| Some((filler::<R>(&m)?, m))) else {
        return Scan::new(start).end::<R>(text, complete);
    };
    let mut newline_end = end_after_last(start, m.newlines);
    let mut at = start + m.known;
    let mut windows = 0;
    while let Some(bytes) = text[at..].first_chunk() {
        m = Masks::new(simd, bytes, WIDTH, R::CASED);
        let others = low(m.known) & !members::<R>(&m, class);
        let first = others & others.wrapping_neg();
        newline_end = end_after_last(at, m.newlines & first.wrapping_sub(1)).or(newline_end);
        if others == 0 {
            at += m.known;
            windows += 1;
            if windows % REPEAT_WINDOWS == 0 {
                let end = end_of_repeats(text, at);
                let last = &text[at.max(end.saturating_sub(MAX_PERIOD_BYTES))..end];
                let newline = last.iter().rposition(|byte| matches!(byte, b'\r' | b'\n'));
                newline_end = newline.map(|i| end - last.len() + i + 1).or(newline_end);
                at = end;
            }
            continue;
        }
        at += first.trailing_zeros() as usize;
        let unclear = match class {
            LETTER => 0,
            LOWER => m.apostrophes,
            CASELESS => m.apostrophes | m.letters,
            _ => u64::MAX,
        };
        if first & unclear == 0 {
            return Some(at);
        }
        break;
    }
    Scan::inside(start, at, class, newline_end).end::<R>(text, complete)
}

/// After how many windows [`long_piece`] looks each time whether the last characters repeat. Few pieces are this long.
/// The 8 are of November 2026; no measurement is recorded.
const REPEAT_WINDOWS: usize = 8;

/// Returns the end of the characters from `at` on that repeat those of the last windows, so they have the same classes.
fn end_of_repeats(text: &[u8], at: usize) -> usize {
    let repeated = period_at(text, at).map_or(0, |period| agreement(text, at, period));
    whole_chars(text, at + repeated)
}

/// Returns the position after the last of `bytes` of the window at `at`.
#[inline(always)]
fn end_after_last(at: usize, bytes: u64) -> Option<usize> {
    (bytes != 0).then(|| at + WIDTH - bytes.leading_zeros() as usize)
}

/// Returns the class of all characters of a window except the first, if a piece of that class may begin with the first.
#[inline(always)]
fn filler<R: Rules>(m: &Masks) -> Option<Classes> {
    let first = low((m.inner + 2).trailing_zeros() as usize);
    let rest = low(m.known) & !first;
    let all = |class| rest & !members::<R>(m, class) == 0;
    let same = |class| all(class) && first & members::<R>(m, class) != 0;
    let opened = |class| same(class) || all(class) && first & m.blanks != 0;
    if !R::CASED && all(LETTER) {
        Some(LETTER)
    } else if R::CASED && all(CASELESS) && first & (m.letters & !m.upper & !m.caseless) == 0 {
        Some(CASELESS)
    } else if R::CASED && all(LOWER) {
        Some(LOWER)
    } else if opened(OTHER) {
        Some(OTHER)
    } else if opened(NUMBER) {
        Some(NUMBER)
    } else if same(WHITE) {
        Some(WHITE)
    } else {
        None
    }
}

/// Returns the characters that continue a piece with many characters of `class`.
#[inline(always)]
fn members<R: Rules>(m: &Masks, class: Classes) -> u64 {
    match class {
        LETTER => m.letters,
        CASELESS => m.caseless | m.marks,
        LOWER => (m.letters | m.marks) & !m.upper,
        NUMBER if R::MAX_DIGITS > WIDTH => m.numbers,
        OTHER => m.others,
        // one byte each, so that it is known where the last one begins
        WHITE => (m.spaces | m.newlines) & !m.inner & !m.leads[0] & !m.leads[1],
        _ => 0,
    }
}

/// Writes the indices of the bits plus `base` to `ends` from `at` on. The entries after them may be overwritten too.
#[inline(always)]
pub(crate) fn write<S: Simd, const N: usize>(
    simd: S,
    mut bits: u64,
    base: u32,
    ends: &mut [u32; N],
    at: usize,
) {
    let Some(ends) = ends[at..].first_chunk_mut::<WIDTH>() else {
        return;
    };
    #[cfg(target_arch = "x86_64")]
    if let Some(avx512) = simd.level().as_avx512() {
        return compress(avx512, bits, base, ends);
    }
    let _ = simd;
    // a window of English has about 12 pieces: with groups of 8, whether one is enough is hard to predict, and strings of
    // 100 bytes took 3 % more time (AMD EPYC with AVX2, November 2026)
    for group in ends.as_chunks_mut::<16>().0 {
        for end in group {
            *end = base + bits.trailing_zeros();
            bits &= bits.wrapping_sub(1);
        }
        if bits == 0 {
            break;
        }
    }
}

#[cfg(target_arch = "x86_64")]
fearless_simd::kernel!(
    /// Does the work of [`write`] with one compress instruction for all bits.
    #[inline]
    fn compress(avx512: Avx512, bits: u64, base: u32, ends: &mut [u32; WIDTH]) {
        use std::arch::x86_64::{
            __m512i, _mm512_add_epi32, _mm512_castsi512_si128, _mm512_cvtepu8_epi32,
            _mm512_extracti32x4_epi32, _mm512_maskz_compress_epi8, _mm512_set1_epi32,
        };
        let all: __m512i = u8x64::from_slice(avx512, &INDICES).into();
        let base = _mm512_set1_epi32(base.cast_signed());
        let indices = _mm512_maskz_compress_epi8(bits, all);
        let quarters = [
            _mm512_castsi512_si128(indices),
            _mm512_extracti32x4_epi32::<1>(indices),
            _mm512_extracti32x4_epi32::<2>(indices),
            _mm512_extracti32x4_epi32::<3>(indices),
        ];
        let mut count = bits.count_ones();
        for (quarter, ends) in quarters.into_iter().zip(ends.as_chunks_mut::<16>().0) {
            let wide = _mm512_add_epi32(_mm512_cvtepu8_epi32(quarter), base);
            let wide: u32x16<_> = wide.simd_into(avx512);
            wide.store_slice(ends);
            if count <= 16 {
                break;
            }
            count -= 16;
        }
    }
);

/// The numbers 0 to 63.
#[cfg(target_arch = "x86_64")]
static INDICES: [u8; WIDTH] = {
    let mut indices = [0; WIDTH];
    let mut i = 0;
    while i < WIDTH {
        indices[i] = i as u8;
        i += 1;
    }
    indices
};

#[cfg(test)]
pub(crate) mod tests {
    use fearless_simd::{Level, dispatch};

    #[cfg(feature = "tokenizer-json")]
    use super::super::deepseek::DeepSeek;
    use super::super::scalar::{Cl100k, Gpt2, O200k};
    #[cfg(feature = "custom")]
    use super::super::scalar::{Llama3, Qwen, Tekken};
    use super::*;
    use crate::texts::Random;

    /// Characters of each class and length, and all that a rule names.
    const ALPHABET: [&str; 24] = [
        "abcxyzé\u{e9}дяσ𐐨",
        "ABXYZÉДΣǅ𐐀",
        "最あ한אعन𠀀ʰªー・゠\u{3040}\u{3099}",
        "\u{301}\u{64b}\u{93f}\u{fe0f}\u{e0100}",
        "0123456789",
        "٣²Ⅷ𝟘〇",
        " ",
        " \t\u{b}\u{c}",
        "\u{a0}\u{3000}\u{85}\u{2028}\u{1680}",
        "\r\n",
        "\n",
        "'",
        "sSdDmMtTlLvVrReE",
        "\u{17f}\u{212a}",
        "/",
        "!.,(\"-_",
        "·“、🙂\u{200d}❤÷×",
        "\0\u{7f}\u{10ffff}\u{1c}\u{ad}\u{378}",
        "abcdefgh",
        "ABCDEFGH",
        "привет",
        "ПРИВЕТ",
        "漢字仮名",
        "नमस्ते مرحبًا",
    ];

    fn pick<'a, T>(random: &mut Random, items: &'a [T]) -> &'a T {
        &items[random.below(items.len())]
    }

    /// Creates a text of about `len` bytes: runs of at most `run` characters, from `sets` of the alphabet.
    fn text(random: &mut Random, len: usize, run: usize, sets: usize) -> String {
        let sets: Vec<Vec<char>> = (0..sets)
            .map(|_| pick(random, &ALPHABET).chars().collect())
            .collect();
        let mut text = String::new();
        while text.len() < len {
            let set = pick(random, &sets);
            for _ in 0..=random.below(run) {
                text.push(*pick(random, set));
            }
        }
        while text.len() > len {
            text.pop();
        }
        text
    }

    /// Returns the ends found in `text` if up to N - 64 are asked for at once: in the bulk, then in the padded tail.
    fn windowed<S: Simd, R: Rules, const N: usize>(simd: S, text: &str, bulk: bool) -> Vec<usize> {
        let mut found = Vec::new();
        let mut ends = [0; N];
        let mut run = |buffer: &[u8], start: usize, len: usize, complete: bool, base: usize| {
            let mut next = start;
            loop {
                let scanned = simd.vectorize(
                    #[inline(always)]
                    || scan::<S, R, N>(simd, buffer, next, len, complete, &mut ends),
                );
                let part = &ends[..scanned.count];
                found.extend(part.iter().map(|end| *end as usize + base));
                assert_eq!(part.last().map_or(next, |end| *end as usize), scanned.next);
                next = scanned.next;
                if scanned.count == 0 {
                    return next;
                }
            }
        };
        let mut at = 0;
        if bulk && text.len() > PADDING {
            at = run(text.as_bytes(), 0, text.len() - PADDING, false, 0);
        }
        // any bytes may be there, and any number of them
        let mut tail = text.as_bytes()[at..].to_vec();
        let len = tail.len();
        if bulk {
            tail.extend("\n's8漢".bytes().cycle().take(PADDING));
        }
        assert_eq!(run(&tail, 0, len, true, at), len);
        found
    }

    fn check<R: Rules>(level: Level, text: &str) {
        let mut expected = Vec::new();
        let mut start = 0;
        while let Some(end) = Scan::new(start).end::<R>(text.as_bytes(), true) {
            expected.push(end);
            start = end;
        }
        for bulk in [false, true] {
            let (few, many) = dispatch!(level, simd => (
                windowed::<_, R, { WIDTH + 1 }>(simd, text, bulk),
                windowed::<_, R, ENDS>(simd, text, bulk),
            ));
            let pattern = R::PATTERN;
            assert_eq!(few, expected, "{level:?} {pattern} {text:?} bulk: {bulk}");
            assert_eq!(many, expected, "{level:?} {pattern} {text:?} bulk: {bulk}");
        }
    }

    fn check_all(level: Level, text: &str) {
        check::<Gpt2>(level, text);
        check::<Cl100k>(level, text);
        check::<O200k>(level, text);
        #[cfg(feature = "custom")]
        {
            check::<Llama3>(level, text);
            check::<Qwen>(level, text);
            check::<Tekken>(level, text);
        }
        #[cfg(feature = "tokenizer-json")]
        check::<DeepSeek>(level, text);
    }

    /// Returns all levels that the processor has, the best one first.
    pub(crate) fn levels() -> Vec<Level> {
        let best = Level::new();
        let mut levels = vec![best];
        #[cfg(target_arch = "x86_64")]
        levels.extend(
            [
                best.as_avx2().map(Level::Avx2),
                best.as_sse4_2().map(Level::Sse4_2),
                best.as_sse2().map(Level::Sse2),
            ]
            .into_iter()
            .flatten(),
        );
        #[cfg(portable)]
        levels.push(Level::fallback());
        levels
    }

    fn random_texts(rounds: usize, seed: u64) {
        let levels = levels();
        let mut random = Random::new(seed);
        for round in 0..rounds {
            let run = *pick(&mut random, &[1, 1, 2, 3, 6, 20, 90]);
            let sets = 1 + random.below(ALPHABET.len());
            let len = random.below(201);
            let text = text(&mut random, len, run, sets);
            // the best level always, the others in turn
            check_all(levels[0], &text);
            check_all(levels[round % levels.len()], &text);
        }
    }

    #[test]
    fn random_texts_are_cut_as_by_the_scalar_scanner() {
        random_texts(20_000, 0x9E37_79B9_7F4A_7C15);
    }

    /// Checks far more random texts, by hand: `ROUNDS=1000000 cargo test -- --ignored`.
    #[test]
    #[ignore = "takes minutes"]
    fn many_random_texts_are_cut_as_by_the_scalar_scanner() {
        let rounds = std::env::var("ROUNDS").map_or(1_000_000, |rounds| rounds.parse().unwrap());
        let seed = std::env::var("SEED").map_or(1, |seed| seed.parse().unwrap());
        random_texts(rounds, seed);
    }

    /// Rules that look at neighbours give the same pieces at every place in a window and at the end of a text.
    #[test]
    fn special_cases_are_cut_alike_at_every_place() {
        const CASES: [&str; 22] = [
            "it's's's",
            "IT'Sa 'S漢 a'sAb",
            "don'T we'Ll they'rE 'llama",
            "it'\u{17f}a 's",
            "漢AB漢CD. 漢AB漢CDe",
            "A\u{301}B!\u{301}a",
            "!!\u{301}!a \u{301}b",
            "!\n//\u{301}a",
            "!!\u{301}\n//\u{301}a",
            "((a (b \t(c",
            "!\n/\n/!a/\n\r\nb",
            " \n \n  x",
            "\n\n  \n",
            " \u{3000} x\u{3000}",
            "12345 67890123",
            "٣٣٣٣٣a1",
            "a\r\n\r\n  b",
            "❤\u{fe0f}\u{200d}🔥!",
            "'' '\n's",
            "ǅa ʰA aʰA",
            "\u{a0}a\u{a0}1 \u{a0}",
            "x \n y\t",
        ];
        for level in levels() {
            for case in CASES {
                for filler in ["a", "A", "漢", " ", "1", "!", "\n"] {
                    for before in 0..70 {
                        let text = filler.repeat(before) + case;
                        check_all(level, &text);
                        if before % 8 == 0 {
                            check_all(level, &(text + &filler.repeat(70)));
                        }
                    }
                }
            }
        }
    }

    /// Long pieces that repeat with a period are cut where they break, and after their last newline.
    #[test]
    fn long_repeats_end_where_they_break() {
        let mut random = Random::new(4);
        for (round, level) in levels().into_iter().cycle().take(3000).enumerate() {
            let sets: &[&str] = match round % 6 {
                0 => &[" \t\n\r"],
                1 => &["ab", "é中"],
                2 => &["AB", "中ʰ\u{301}"],
                3 => &["ab", "中ʰ\u{301}"],
                4 => &["!.、🙂", "\u{301}"],
                _ => &["12٣"],
            };
            let part = |random: &mut Random, len: usize| -> String {
                let set = |random: &mut Random| pick(random, sets).chars().collect::<Vec<char>>();
                let char = |random: &mut Random, set: &[char]| *pick(random, set);
                (0..len)
                    .map(|_| {
                        let set = set(random);
                        char(random, &set)
                    })
                    .collect()
            };
            let len = 1 + random.below(70);
            let unit = part(&mut random, len);
            let mut text = String::new();
            for _ in 0..=random.below(3) {
                let len = random.below(3);
                text += &part(&mut random, len);
                text += &unit.repeat((500 + random.below(1500)) / unit.len() + 1);
                (0..random.below(len + 1)).for_each(|_| {
                    text.pop();
                });
                text += random.pick(&["", "", "x", "X", " ", "\n", "'s", "/", "\u{a0}"]);
            }
            check_all(level, &text);
        }
    }

    /// Pieces longer than a window, of every class.
    #[test]
    fn long_runs_are_one_piece() {
        for level in levels() {
            for run in [
                "a",
                "A",
                "漢",
                "д",
                "\u{301}",
                "1",
                "٣",
                " ",
                "\t",
                "\u{3000}",
                "\n",
                "\r\n",
                "!",
                "/",
                "·",
                "aé",
                " \n",
                "\n \t",
                "\n\u{3000}",
            ] {
                for opener in ["", " ", "!", "\n", "A", "x", "'"] {
                    for closer in ["", "a", "B", "'s", " ", "\n", "1", "!", "漢"] {
                        check_all(level, &(opener.to_owned() + &run.repeat(150) + closer));
                    }
                }
            }
        }
    }
}
