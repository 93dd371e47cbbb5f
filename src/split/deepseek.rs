//! Splits text as DeepSeek's tokenizer files do: by three patterns in turn.
//!
//! Each pattern splits the parts that the one before it left, and sees nothing outside its part:
//!
//! 1. Numbers, up to three digits each.
//! 2. Runs of Chinese characters and kana: the *block*.
//! 3. The rest of the rules. An ASCII sign and the ASCII letters after it. A word, with one white space or *gap* character
//!    before it. Signs, with a blank before and newlines after them. White space.
//!
//! So a border between block and other text ends every piece, and white space before a number or the block ends its part.
//! A gap is a character that no pattern matches, such as a control character: a run of them is a piece.
//!
//! Where a piece ends depends on nothing before it, as in [`scalar`](super::scalar) and [`window`](super::window); here are
//! both scanners for these rules.

// Indices are below the width of the window.
#![allow(clippy::indexing_slicing)]
// A function that is not inlined is not compiled for the instructions of its caller.
#![allow(clippy::inline_always)]

use std::sync::LazyLock;

use fearless_simd::{Simd, prelude::*, u8x64};
use regex_syntax::hir::{Class, HirKind};

use super::classes::{LETTER, MARK, NEWLINE, NUMBER, SPACE, class_of};
use super::scalar::{Contractions, Progress, Rules, Scan, Step};
use super::window::{fill, number_starts, white_at_end, white_starts};
use super::window_classes::{Masks, WIDTH, each, low};
use crate::utf8;

/// The pattern of numbers.
macro_rules! numbers {
    () => {
        r"\p{N}{1,3}"
    };
}

/// The pattern of the block.
macro_rules! block {
    () => {
        "[一-龥぀-ゟ゠-ヿ]+"
    };
}

/// The pattern of all other text; the newlines in it stand for themselves.
macro_rules! rest {
    () => {
        concat!(
            r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|"##,
            "[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+",
            r"|\s+(?!\S)|\s+",
        )
    };
}

/// The patterns in turn.
pub(crate) const STAGES: [&str; 3] = [numbers!(), block!(), rest!()];

/// DeepSeek V2.5, V3 and R1.
#[derive(Debug)]
pub(crate) struct DeepSeek;

impl Rules for DeepSeek {
    /// Shows the three patterns, one on each line. Nothing compiles it as a pattern.
    const PATTERN: &'static str = concat!(numbers!(), "\n", block!(), "\n", rest!());
    const WORD: u8 = LETTER | MARK;
    const ANY_PREFIX: bool = true;
    const BLANK_BEFORE_NUMBER: bool = false;
    const MAX_DIGITS: usize = 3;
    fn follows_punctuation(byte: u8) -> bool {
        matches!(byte, b'\r' | b'\n')
    }
    const CUT_AFTER_NEWLINE: bool = true;
    const WHOLE_AT_END: bool = false;
    /// The masks of marks are needed, which come with the case of letters.
    const CASED: bool = true;
    const CONTRACTIONS: Contractions = Contractions::None;

    fn end(scan: &mut Scan, text: &[u8], complete: bool) -> Option<usize> {
        end(scan, text, complete)
    }

    #[inline(always)]
    fn starts<S: Simd>(simd: S, bytes: &[u8; WIDTH], masks: &Masks, ends_text: bool) -> u64 {
        starts(simd, bytes, masks, ends_text)
    }

    #[inline(always)]
    fn long_piece<S: Simd>(simd: S, text: &[u8], start: usize, complete: bool) -> Option<usize> {
        let at = end_of_word_windows(simd, text, start);
        let mut scan = Scan::new(start);
        if at > start {
            (scan.at, scan.state) = (at, Progress::Letters);
        }
        end(&mut scan, text, complete)
    }
}

/// The kind of a character.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Space,
    Newline,
    Number,
    /// Letters and marks.
    Word,
    /// Punctuation and symbols.
    Sign,
    Gap,
}

/// A character: its kind, whether it is of the block, and its length in bytes.
#[derive(Clone, Copy)]
struct Char {
    kind: Kind,
    is_block: bool,
    len: usize,
}

/// Returns the character at `at`, or `None` at the end of the text.
fn char_at(text: &[u8], at: usize) -> Option<Char> {
    let (code, len) = utf8::decode(text.get(at..).filter(|rest| !rest.is_empty())?);
    let kind = match class_of(code) {
        SPACE => Kind::Space,
        NEWLINE => Kind::Newline,
        NUMBER => Kind::Number,
        class if class & (LETTER | MARK) != 0 => Kind::Word,
        _ if is_sign(code) => Kind::Sign,
        _ => Kind::Gap,
    };
    let is_block = matches!(code, 0x3040..=0x30FF | 0x4E00..=0x9FA5);
    Some(Char {
        kind,
        is_block,
        len,
    })
}

/// Returns whether a character that is neither white space nor part of a word or number is punctuation or a symbol.
#[inline]
fn is_sign(code: u32) -> bool {
    if code < 0x80 {
        return matches!(code, 0x21..0x7F);
    }
    let word = SIGNS.get(code as usize / 64);
    word.is_some_and(|word| word >> (code % 64) & 1 != 0)
}

/// A bit for each code point: whether it is in P or S.
static SIGNS: LazyLock<Box<[u64]>> = LazyLock::new(|| {
    let mut bits = vec![0; 0x11_0000 / 64].into_boxed_slice();
    let class = regex_syntax::parse(r"[\p{P}\p{S}]").map(regex_syntax::hir::Hir::into_kind);
    if let Ok(HirKind::Class(Class::Unicode(class))) = class {
        for range in class.ranges() {
            for code in u32::from(range.start())..=u32::from(range.end()) {
                bits[code as usize / 64] |= 1 << (code % 64);
            }
        }
    }
    bits
});

/// Returns the end of the open piece, see [`Scan::end`].
fn end(scan: &mut Scan, text: &[u8], complete: bool) -> Option<usize> {
    let is_block = char_at(text, scan.start)?.is_block;
    let mut reader = Reader {
        scan,
        text,
        complete,
        is_block,
    };
    loop {
        match reader.step() {
            Step::To(state) => reader.scan.state = state,
            Step::End(end) => return Some(end),
            Step::Wait => return None,
        }
    }
}

/// Reads a piece one character at a time.
struct Reader<'s> {
    scan: &'s mut Scan,
    text: &'s [u8],
    complete: bool,
    /// Whether the piece is in the block.
    is_block: bool,
}

impl Reader<'_> {
    fn step(&mut self) -> Step {
        match self.scan.state {
            Progress::Start => self.first(),
            Progress::Apostrophe => self.ascii_sign(),
            Progress::AsciiLetters => self.ascii_letters(),
            Progress::Opener { blank, white } => self.opener(blank, white),
            Progress::Gap { last } => self.gap(last),
            Progress::Numbers { digits } => self.numbers(digits),
            Progress::Punctuation => {
                self.skip(Kind::Sign);
                if self.is_open() {
                    return Step::Wait;
                }
                Step::To(Progress::PunctuationTail)
            }
            Progress::PunctuationTail => {
                let is_newline = |byte: &u8| matches!(byte, b'\r' | b'\n');
                while !self.is_block && self.text.get(self.scan.at).is_some_and(is_newline) {
                    self.scan.at += 1;
                }
                self.end_if_known()
            }
            Progress::White { last, newline_end } => self.white(last, newline_end),
            Progress::Letters
            | Progress::Capitals { .. }
            | Progress::Smalls
            | Progress::WordEnd
            | Progress::Unmatched(_) => {
                self.skip(Kind::Word);
                self.end_if_known()
            }
        }
    }

    /// Returns the next character if it is in the part of the piece.
    fn next(&self) -> Option<Char> {
        self.any().filter(|next| next.is_block == self.is_block)
    }

    /// Returns the next character.
    fn any(&self) -> Option<Char> {
        char_at(self.text, self.scan.at)
    }

    /// Returns whether more text may follow at this place.
    fn is_open(&self) -> bool {
        !self.complete && self.scan.at >= self.text.len()
    }

    /// Ends the piece here, unless more text may follow.
    fn end_if_known(&self) -> Step {
        if self.is_open() {
            Step::Wait
        } else {
            Step::End(self.scan.at)
        }
    }

    fn first(&mut self) -> Step {
        let Some(first) = self.any() else {
            return Step::Wait;
        };
        let begin = self.scan.at;
        let byte = self.text.get(begin);
        self.scan.at += first.len;
        Step::To(match first.kind {
            Kind::Word => Progress::Letters,
            Kind::Number => Progress::Numbers { digits: 1 },
            Kind::Sign if byte.is_some_and(u8::is_ascii) => Progress::Apostrophe,
            Kind::Sign => Progress::Punctuation,
            Kind::Gap => Progress::Opener {
                blank: false,
                white: false,
            },
            Kind::Space => Progress::Opener {
                blank: byte == Some(&b' '),
                white: true,
            },
            Kind::Newline => Progress::White {
                last: begin,
                newline_end: Some(self.scan.at),
            },
        })
    }

    /// Continues after an ASCII sign that is the first character.
    fn ascii_sign(&self) -> Step {
        match self.text.get(self.scan.at) {
            None if !self.complete => Step::Wait,
            Some(byte) if byte.is_ascii_alphabetic() => Step::To(Progress::AsciiLetters),
            _ => Step::To(Progress::Punctuation),
        }
    }

    fn ascii_letters(&mut self) -> Step {
        let rest = self.text.get(self.scan.at..).unwrap_or_default();
        let letters = rest.iter().take_while(|byte| byte.is_ascii_alphabetic());
        self.scan.at += letters.count();
        self.end_if_known()
    }

    /// Continues after a first character that may open a word: white space, or else a gap.
    fn opener(&mut self, blank: bool, white: bool) -> Step {
        let next = self.next();
        if let Some(next) = next
            && next.kind == Kind::Word
        {
            self.scan.at += next.len;
            return Step::To(Progress::Letters);
        }
        if self.is_open() {
            return Step::Wait;
        }
        let last = self.scan.start;
        Step::To(match next {
            _ if !white => Progress::Gap { last },
            Some(next) if blank && next.kind == Kind::Sign => Progress::Punctuation,
            _ => Progress::White {
                last,
                newline_end: None,
            },
        })
    }

    /// Skips gap characters. The last one opens the word after them.
    fn gap(&mut self, mut last: usize) -> Step {
        while let Some(next) = self.next() {
            match next.kind {
                Kind::Gap => {
                    last = self.scan.at;
                    self.scan.at += next.len;
                }
                Kind::Word => return Step::End(last),
                _ => return Step::End(self.scan.at),
            }
        }
        self.scan.state = Progress::Gap { last };
        self.end_if_known()
    }

    /// Skips characters of a kind in the part of the piece.
    fn skip(&mut self, kind: Kind) {
        while let Some(next) = self.next()
            && next.kind == kind
        {
            self.scan.at += next.len;
        }
    }

    fn numbers(&mut self, mut digits: usize) -> Step {
        while digits < DeepSeek::MAX_DIGITS {
            match self.any() {
                Some(next) if next.kind == Kind::Number => self.scan.at += next.len,
                None if !self.complete => {
                    self.scan.state = Progress::Numbers { digits };
                    return Step::Wait;
                }
                _ => break,
            }
            digits += 1;
        }
        Step::End(self.scan.at)
    }

    /// Skips white space, and ends it after its last newline, or before its last character if a word, a sign or a gap
    /// follows.
    fn white(&mut self, mut last: usize, mut newline_end: Option<usize>) -> Step {
        while let Some(next) = self.any() {
            if !matches!(next.kind, Kind::Space | Kind::Newline) {
                let is_end_of_part = next.kind == Kind::Number || next.is_block;
                let before_last = (!is_end_of_part && last > self.scan.start).then_some(last);
                return Step::End(newline_end.or(before_last).unwrap_or(self.scan.at));
            }
            last = self.scan.at;
            self.scan.at += next.len;
            if next.kind == Kind::Newline {
                newline_end = Some(self.scan.at);
            }
        }
        if !self.complete {
            self.scan.state = Progress::White { last, newline_end };
            return Step::Wait;
        }
        Step::End(newline_end.unwrap_or(self.scan.at))
    }
}

/// The masks that only these rules need.
struct Extra {
    /// The block.
    block: u64,
    /// Characters that no pattern matches.
    gaps: u64,
    /// Bytes that are not ASCII.
    high: u64,
}

impl Extra {
    #[inline(always)]
    fn new<S: Simd>(simd: S, bytes: &[u8; WIDTH], m: &Masks) -> Self {
        let v = u8x64::from_slice(simd, bytes);
        let between = |first: u8, last: u8| {
            (v - u8x64::splat(simd, first))
                .simd_le(u8x64::splat(simd, last - first))
                .to_bitmask()
        };
        let text = low(m.known);
        let high = between(0x80, 0xFF) & text;
        // white space is in another class, so the others in ASCII are control characters
        let mut extra = Self {
            block: 0,
            gaps: m.others & !high & !between(0x21, 0x7E),
            high,
        };
        if high == 0 {
            return extra;
        }
        let second = |first, last| between(first, last) >> 1;
        let third = |first, last| between(first, last) >> 2;
        let is = |byte| between(byte, byte);
        let [two, three] = m.leads;
        if three != 0 {
            // U+3040 to U+30FF, U+4E00 to U+9FFF
            let mut block = three
                & (is(0xE3) & second(0x81, 0x83)
                    | is(0xE4) & second(0xB8, 0xBF)
                    | between(0xE5, 0xE9));
            // U+9F80 and later: the block ends after U+9FA5
            let last = block & is(0xE9) & second(0xBE, 0xBF);
            if last != 0 {
                block &= !(last & !(second(0xBE, 0xBE) & third(0x80, 0xA5)));
            }
            extra.block = block | block << 1 | block << 2;
        }
        // all characters of these ranges that are in no other class are signs
        let mut unknown = m.others & high & !m.inner;
        if unknown & two != 0 {
            let signs = is(0xC2) & second(0xA0, 0xBF) & !second(0xAD, 0xAD) | is(0xC3);
            unknown &= !(two & signs);
        }
        if unknown & three != 0 {
            let signs = is(0xE2) & (second(0x80, 0x80) & third(0x90, 0xA7) | second(0x94, 0x9F))
                | is(0xE3) & second(0x80, 0x80) & third(0x81, 0xA0)
                | is(0xEF) & second(0xBC, 0xBC) & third(0x81, 0xBF);
            unknown &= !(three & signs);
        }
        let mut gaps = 0;
        each(unknown, |i| {
            let is_gap = !is_sign(utf8::decode(&bytes[i..]).0);
            gaps |= u64::from(is_gap) << i;
        });
        if gaps != 0 {
            extra.gaps |= m.spread(gaps);
        }
        extra
    }
}

/// Returns the end of the letters and marks from `start` on that are all of the block or all outside of it, as far as
/// whole windows tell; `start` if the first window has other characters.
#[inline(always)]
fn end_of_word_windows<S: Simd>(simd: S, text: &[u8], start: usize) -> usize {
    let (mut at, mut is_block) = (start, 0);
    while let Some(bytes) = text[at..].first_chunk() {
        let m = Masks::new(simd, bytes, WIDTH, true);
        let block = Extra::new(simd, bytes, &m).block;
        if at == start {
            is_block = u64::from(block & 1 != 0).wrapping_neg();
        }
        let others = low(m.known) & !((m.letters | m.marks) & !(block ^ is_block));
        if others != 0 {
            return if at == start {
                start
            } else {
                at + others.trailing_zeros() as usize
            };
        }
        at += m.known;
    }
    at
}

/// Returns the certain piece starts after the first byte of a window, see [`window`](super::window).
#[inline(always)]
fn starts<S: Simd>(simd: S, bytes: &[u8; WIDTH], m: &Masks, ends_text: bool) -> u64 {
    let Extra { block, gaps, high } = Extra::new(simd, bytes, m);
    // the first byte of the character that follows a character whose first byte is in `leads`
    let after = |leads: u64| (leads << 1).wrapping_add(m.inner) & !m.inner;
    // where a part begins or ends at the block; what is before such a place joins nothing after it
    let borders = block ^ block << 1;
    let first = |mask: u64| mask & (!(mask << 1) | borders);

    let (words, signs) = (m.letters | m.marks, m.others & !gaps);
    let newlines = m.newlines & !fill(m.newlines, m.newlines & (signs << 1) & !borders);
    let white = m.spaces | newlines;
    let visible = low(m.known) & !white & !m.numbers & !block;
    let opened = (m.spaces << 1) & !borders;
    let sign_starts = first(signs) & !(m.blanks << 1 & !borders);
    let mut starts = sign_starts
        | first(words) & !opened
        | number_starts::<DeepSeek>(m, after)
        | white_starts::<DeepSeek>(m, white, newlines, visible);
    if gaps != 0 {
        starts |= first(gaps);
        // the last gap character opens the word after it
        each(after(gaps & !m.inner) & words & !borders, |i| {
            let before = !m.inner & low(i.max(1));
            starts = starts & !(1 << i) | 1 << before.ilog2();
        });
    }

    // an ASCII sign takes the ASCII letters after it
    let letters = m.letters & !high;
    let taken = fill(letters, letters & (sign_starts & !high) << 1);
    starts = starts & !taken | (taken << 1) & !taken & words;

    let mut certain = u64::MAX;
    if ends_text {
        starts |= 1 << m.known;
    } else {
        // of white space and gaps, only the beginning is certain
        let uncertain = white_at_end(m, m.spaces | m.newlines).max(3);
        certain = low(m.known.saturating_sub(uncertain) + 1);
    }
    starts & certain & !1
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use fearless_simd::Level;

    use super::super::Splitter;
    use super::super::custom::{Custom, Gaps};
    use super::super::stages::Stage;
    use super::super::tests::{ends, ends_of, text_of_few};
    use super::*;
    use crate::texts::Random;

    /// Returns the patterns as automata that run one after another.
    fn stages() -> Splitter {
        let stage = |pattern| Stage {
            pattern: Custom::linear(pattern, Gaps::Keep).unwrap(),
            keeps_matches: true,
            keeps_gaps: true,
        };
        Splitter::Custom(Arc::new(Custom::stages(STAGES.map(stage).into())))
    }

    #[test]
    fn pieces_are_those_of_the_stages() {
        let stages = stages();
        let alphabet: Vec<char> = "aZé\u{301}ʰ1٣² \t\u{a0}\u{3000}\u{85}\r\n\n'.$/・゠゛\u{3099}\u{3040}カ最一龥龦㐀、。«\0\u{7f}\u{ad}\u{200b}\u{feff}\u{378}🙂\u{e000}"
            .chars()
            .collect();
        let mut random = Random::new(1);
        for round in 0..60_000 {
            let text = text_of_few(&mut random, &alphabet, round % 150);
            let expected: Vec<&str> = stages.pieces(&text).collect();
            let found: Vec<&str> = Splitter::DeepSeek.pieces(&text).collect();
            assert_eq!(found, expected, "{text:?}");
            for level in [Level::new(), Level::baseline()] {
                assert_eq!(
                    ends(&Splitter::DeepSeek, level, &text),
                    ends_of(&expected),
                    "{text:?}"
                );
            }
        }
    }

    /// Checks every character beside others of each kind.
    #[test]
    fn all_characters() {
        let stages = stages();
        for c in '\0'..=char::MAX {
            let text = format!("{c}a{c}{c}カ{c}.{c} {c}1{c}\u{1}{c}");
            let expected: Vec<&str> = stages.pieces(&text).collect();
            assert_eq!(
                ends(&Splitter::DeepSeek, Level::new(), &text),
                ends_of(&expected),
                "{text:?}"
            );
        }
    }
}
