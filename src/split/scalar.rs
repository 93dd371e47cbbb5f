//! Splits text by the built-in patterns, one character at a time: the readable definition of where pieces end.
//!
//! Each pattern is a set of [`Rules`] for one machine. The machine can stop at the end of the text and continue when
//! more arrives, without reading a byte of the open piece again. Nothing in it backtracks, so its time is linear.

use fearless_simd::Simd;

use super::classes::{
    CASELESS, Classes, LETTER, LOWER, MARK, NEWLINE, NUMBER, OTHER, SPACE, UPPER, WHITE, class_at,
};
#[cfg(feature = "custom")]
use super::linear::Budget;
use super::window;
use super::window_classes::{Masks, WIDTH};

/// The differences between the patterns. All of them yield, in this order of preference: contractions, words, numbers,
/// punctuation, white space.
pub(super) trait Rules: Sized {
    /// The pattern that the rules stand for, as tiktoken writes it.
    const PATTERN: &'static str;
    /// The classes of the characters in words.
    const WORD: Classes;
    /// Whether any one character except letters, numbers and newlines may open a word; if not, only U+0020 may.
    const ANY_PREFIX: bool;
    /// Whether U+0020 may open a number.
    const BLANK_BEFORE_NUMBER: bool;
    /// The largest number of digits in a number.
    const MAX_DIGITS: usize;
    /// Returns whether a byte belongs to the punctuation before it.
    fn follows_punctuation(byte: u8) -> bool;
    /// Whether white space is cut after its last newline.
    const CUT_AFTER_NEWLINE: bool;
    /// Whether white space that ends the text is one piece (`\s++$`).
    const WHOLE_AT_END: bool;
    /// Whether a word ends where a capital follows a lower-case letter, and takes a contraction with it.
    const CASED: bool;
    /// The contractions that are recognized.
    const CONTRACTIONS: Contractions;

    /// Returns the end of the open piece, see [`Scan::end`].
    #[inline(always)]
    fn end(scan: &mut Scan, text: &[u8], complete: bool) -> Option<usize> {
        scan.end_by_rules::<Self>(text, complete)
    }

    /// Returns the certain piece starts of a window, see [`window::starts`].
    #[inline(always)]
    fn starts<S: Simd>(_: S, bytes: &[u8; WIDTH], masks: &Masks, ends_text: bool) -> u64 {
        window::starts::<Self>(bytes, masks, ends_text)
    }

    /// Returns the end of a piece that fills a window, see [`window::long_piece`].
    #[inline(always)]
    fn long_piece<S: Simd>(simd: S, text: &[u8], start: usize, complete: bool) -> Option<usize> {
        window::long_piece::<S, Self>(simd, text, start, complete)
    }
}

/// The contractions that a pattern recognizes: `'s 'd 'm 't 'll 've 're`, or none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contractions {
    #[cfg(feature = "custom")]
    None,
    Lower,
    AnyCase,
}

/// gpt2, r50k_base, p50k_base, p50k_edit.
#[derive(Debug)]
pub(crate) struct Gpt2;

impl Rules for Gpt2 {
    const PATTERN: &'static str =
        r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s";
    const WORD: Classes = LETTER;
    const ANY_PREFIX: bool = false;
    const BLANK_BEFORE_NUMBER: bool = true;
    const MAX_DIGITS: usize = usize::MAX;
    fn follows_punctuation(_: u8) -> bool {
        false
    }
    const CUT_AFTER_NEWLINE: bool = false;
    const WHOLE_AT_END: bool = true;
    const CASED: bool = false;
    const CONTRACTIONS: Contractions = Contractions::Lower;
}

/// cl100k_base.
#[derive(Debug)]
pub(crate) struct Cl100k;

impl Rules for Cl100k {
    const PATTERN: &'static str = concat!(
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+",
        r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    );
    const WORD: Classes = LETTER;
    const ANY_PREFIX: bool = true;
    const BLANK_BEFORE_NUMBER: bool = false;
    const MAX_DIGITS: usize = 3;
    fn follows_punctuation(byte: u8) -> bool {
        matches!(byte, b'\r' | b'\n')
    }
    const CUT_AFTER_NEWLINE: bool = true;
    const WHOLE_AT_END: bool = true;
    const CASED: bool = false;
    const CONTRACTIONS: Contractions = Contractions::AnyCase;
}

/// cl100k_base as it was first published: white space that ends the text is cut after its last newline. Other vendors
/// use it with their own number of digits in a piece.
#[cfg(feature = "custom")]
#[derive(Debug)]
pub(crate) struct FirstCl100k<const DIGITS: usize>;

/// Llama 3.
#[cfg(feature = "custom")]
pub(crate) type Llama3 = FirstCl100k<3>;

/// Qwen: each digit is a piece.
#[cfg(feature = "custom")]
pub(crate) type Qwen = FirstCl100k<1>;

#[cfg(feature = "custom")]
impl<const DIGITS: usize> Rules for FirstCl100k<DIGITS> {
    const PATTERN: &'static str = match DIGITS {
        1 => concat!(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}",
            r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ),
        _ => concat!(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}",
            r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ),
    };
    const WORD: Classes = Cl100k::WORD;
    const ANY_PREFIX: bool = Cl100k::ANY_PREFIX;
    const BLANK_BEFORE_NUMBER: bool = Cl100k::BLANK_BEFORE_NUMBER;
    const MAX_DIGITS: usize = DIGITS;
    fn follows_punctuation(byte: u8) -> bool {
        Cl100k::follows_punctuation(byte)
    }
    const CUT_AFTER_NEWLINE: bool = Cl100k::CUT_AFTER_NEWLINE;
    const WHOLE_AT_END: bool = false;
    const CASED: bool = Cl100k::CASED;
    const CONTRACTIONS: Contractions = Cl100k::CONTRACTIONS;
}

/// o200k_base, o200k_harmony.
#[derive(Debug)]
pub(crate) struct O200k;

impl Rules for O200k {
    const PATTERN: &'static str = concat!(
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    );
    const WORD: Classes = LETTER | MARK;
    const ANY_PREFIX: bool = true;
    const BLANK_BEFORE_NUMBER: bool = false;
    const MAX_DIGITS: usize = 3;
    fn follows_punctuation(byte: u8) -> bool {
        matches!(byte, b'\r' | b'\n' | b'/')
    }
    const CUT_AFTER_NEWLINE: bool = true;
    const WHOLE_AT_END: bool = false;
    const CASED: bool = true;
    const CONTRACTIONS: Contractions = Contractions::AnyCase;
}

/// Mistral's Tekken: o200k_base without contractions, and each digit is a piece.
#[cfg(feature = "custom")]
#[derive(Debug)]
pub(crate) struct Tekken;

#[cfg(feature = "custom")]
impl Rules for Tekken {
    const PATTERN: &'static str = concat!(
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*",
        r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    );
    const WORD: Classes = O200k::WORD;
    const ANY_PREFIX: bool = O200k::ANY_PREFIX;
    const BLANK_BEFORE_NUMBER: bool = O200k::BLANK_BEFORE_NUMBER;
    const MAX_DIGITS: usize = 1;
    fn follows_punctuation(byte: u8) -> bool {
        O200k::follows_punctuation(byte)
    }
    const CUT_AFTER_NEWLINE: bool = O200k::CUT_AFTER_NEWLINE;
    const WHOLE_AT_END: bool = O200k::WHOLE_AT_END;
    const CASED: bool = O200k::CASED;
    const CONTRACTIONS: Contractions = Contractions::None;
}

/// The possible continuations of the open piece after the characters read so far.
#[derive(Clone, Copy, Debug)]
pub(super) enum Progress {
    /// No character was read.
    Start,
    /// An apostrophe that may begin a contraction.
    Apostrophe,
    /// One character that may open a word: `blank` if it is U+0020, `white` if it is white space.
    Opener {
        blank: bool,
        white: bool,
    },
    /// Letters whose case does not matter.
    Letters,
    /// Capitals, caseless letters and marks; `caseless_end` is the end of the last one that is not a capital.
    Capitals {
        caseless_end: Option<usize>,
    },
    /// After the first small letter: small and caseless letters and marks.
    Smalls,
    /// After a word that may include a contraction.
    WordEnd,
    Numbers {
        digits: usize,
    },
    Punctuation,
    PunctuationTail,
    /// ASCII letters after an ASCII sign.
    #[cfg(feature = "tokenizer-json")]
    AsciiLetters,
    /// Characters that no pattern matches: the start of the last one.
    #[cfg(feature = "tokenizer-json")]
    Gap {
        last: usize,
    },
    /// No match of a custom pattern begins before the position up to which the text was read.
    #[cfg(feature = "custom")]
    Unmatched(Budget),
    /// White space: the start of its last character, and the end of its last newline.
    White {
        last: usize,
        newline_end: Option<usize>,
    },
}

/// How far the open piece was read, and how it can continue.
///
/// ```text
/// text:    | earlier pieces | read part of the open piece | not read yet |
/// offset:                   start                         at
/// ```
#[derive(Clone, Debug)]
pub(crate) struct Scan {
    pub(super) start: usize,
    pub(super) at: usize,
    pub(super) state: Progress,
}

impl Scan {
    /// Creates the scan of a piece that begins at `start`.
    #[inline]
    pub(crate) fn new(start: usize) -> Self {
        Self {
            start,
            at: start,
            state: Progress::Start,
        }
    }

    /// Creates the scan of a piece that begins at `start`, was read up to `at` by other means, and has many characters
    /// of `class` there:
    /// - `LETTER`, `NUMBER` (where there may be many), `OTHER`: it has nothing else after the first character.
    /// - `LOWER`: a small letter, then only small and caseless letters and marks.
    /// - `CASELESS`: no small letter, and after the first character only caseless letters and marks.
    /// - `WHITE`: only white space of one byte each, whose last newline ends at `newline_end`.
    #[inline]
    pub(crate) fn inside(
        start: usize,
        at: usize,
        class: Classes,
        newline_end: Option<usize>,
    ) -> Self {
        let state = match class {
            LETTER => Progress::Letters,
            LOWER => Progress::Smalls,
            CASELESS => Progress::Capitals {
                caseless_end: Some(at),
            },
            NUMBER => Progress::Numbers { digits: 1 },
            WHITE => Progress::White {
                last: at - 1,
                newline_end,
            },
            _ => Progress::Punctuation,
        };
        Self { start, at, state }
    }

    /// Adjusts the positions after the first `bytes` of the text were removed, which are before the piece.
    pub(crate) fn shift(&mut self, bytes: usize) {
        self.start -= bytes;
        self.at -= bytes;
        match &mut self.state {
            Progress::Capitals { caseless_end } => {
                *caseless_end = caseless_end.map(|end| end - bytes);
            }
            Progress::White { last, newline_end } => {
                *last -= bytes;
                *newline_end = newline_end.map(|end| end - bytes);
            }
            #[cfg(feature = "tokenizer-json")]
            Progress::Gap { last } => *last -= bytes,
            #[cfg(feature = "custom")]
            Progress::Unmatched(budget) => budget.paid -= bytes,
            _ => {}
        }
    }

    /// Continues a piece without its beginning: it now begins at `start`, which is before
    /// [`least_end`](Self::least_end).
    pub(crate) fn go_on_from(&mut self, start: usize) {
        self.start = start;
    }

    /// Returns the smallest position at which the open piece can end, whatever text follows.
    pub(crate) fn least_end(&self) -> usize {
        match self.state {
            Progress::Start | Progress::Apostrophe | Progress::Opener { .. } => self.start,
            Progress::Capitals { caseless_end } => caseless_end.unwrap_or(self.at),
            Progress::White { last, newline_end } => newline_end.map_or(last, |end| end.min(last)),
            #[cfg(feature = "tokenizer-json")]
            Progress::Gap { last } => last,
            _ => self.at,
        }
    }

    /// Returns how far the text was read.
    #[cfg(test)]
    pub(crate) fn known(&self) -> usize {
        self.at
    }

    /// Returns the end of the piece, or `None` if more text could move it.
    ///
    /// `text` is the text of the last call, or a longer one. `complete` means that no more text will come: then the
    /// result is `None` only for an empty piece.
    #[inline]
    pub(super) fn end<R: Rules>(&mut self, text: &[u8], complete: bool) -> Option<usize> {
        R::end(self, text, complete)
    }

    /// Does the work of [`end`](Self::end) by the constants of the rules.
    #[inline]
    fn end_by_rules<R: Rules>(&mut self, text: &[u8], complete: bool) -> Option<usize> {
        loop {
            match self.step::<R>(text, complete) {
                Step::To(state) => self.state = state,
                Step::End(end) => return Some(end),
                Step::Wait => return None,
            }
        }
    }

    /// Continues from the current state.
    #[inline]
    fn step<R: Rules>(&mut self, text: &[u8], complete: bool) -> Step {
        match self.state {
            Progress::Start => self.first::<R>(text),
            Progress::Apostrophe => self.apostrophe::<R>(text, complete),
            Progress::Opener { blank, white } => self.opener::<R>(text, complete, blank, white),
            Progress::Letters => self.run(text, complete, LETTER, Step::End),
            Progress::Capitals { caseless_end } => self.capitals(text, complete, caseless_end),
            Progress::Smalls => self.run(text, complete, LOWER | CASELESS | MARK, |_| {
                Step::To(Progress::WordEnd)
            }),
            Progress::WordEnd => self.word_end::<R>(text, complete),
            Progress::Numbers { digits } => self.numbers::<R>(text, complete, digits),
            Progress::Punctuation => self.run(text, complete, OTHER | MARK, |_| {
                Step::To(Progress::PunctuationTail)
            }),
            Progress::PunctuationTail => self.punctuation_tail::<R>(text, complete),
            Progress::White { last, newline_end } => {
                self.white::<R>(text, complete, last, newline_end)
            }
            #[cfg(feature = "tokenizer-json")]
            Progress::AsciiLetters | Progress::Gap { .. } => Step::Wait,
            // only custom patterns have this one
            #[cfg(feature = "custom")]
            Progress::Unmatched(_) => Step::Wait,
        }
    }

    /// Reads the first character of the piece.
    fn first<R: Rules>(&mut self, text: &[u8]) -> Step {
        let Some((class, len)) = class_at(text, self.at) else {
            return Step::Wait;
        };
        let byte = text.get(self.at);
        let begin = self.at;
        self.at += len;
        Step::To(match class {
            _ if class & R::WORD != 0 => return self.word::<R>(class),
            NUMBER => Progress::Numbers { digits: 1 },
            NEWLINE => Progress::White {
                last: begin,
                newline_end: Some(self.at),
            },
            SPACE if byte == Some(&b' ') => Progress::Opener {
                blank: true,
                white: true,
            },
            SPACE if R::ANY_PREFIX => Progress::Opener {
                blank: false,
                white: true,
            },
            SPACE => Progress::White {
                last: begin,
                newline_end: None,
            },
            _ if byte == Some(&b'\'') && !R::CASED => Progress::Apostrophe,
            _ if R::ANY_PREFIX => Progress::Opener {
                blank: false,
                white: false,
            },
            _ => Progress::Punctuation,
        })
    }

    /// Returns the state after the first character of a word, which is of `class`.
    fn word<R: Rules>(&self, class: Classes) -> Step {
        Step::To(match class {
            _ if !R::CASED => Progress::Letters,
            LOWER => Progress::Smalls,
            UPPER => Progress::Capitals { caseless_end: None },
            _ => Progress::Capitals {
                caseless_end: Some(self.at),
            },
        })
    }

    /// Continues after an apostrophe that is the first character.
    fn apostrophe<R: Rules>(&mut self, text: &[u8], complete: bool) -> Step {
        match contraction::<R>(text, self.start, complete) {
            Contraction::Open => Step::Wait,
            Contraction::Ends(end) => Step::End(end),
            Contraction::No if R::ANY_PREFIX => Step::To(Progress::Opener {
                blank: false,
                white: false,
            }),
            Contraction::No => Step::To(Progress::Punctuation),
        }
    }

    /// Continues after a first character that may open a word.
    fn opener<R: Rules>(&mut self, text: &[u8], complete: bool, blank: bool, white: bool) -> Step {
        let class = match class_at(text, self.at) {
            Some((class, len)) if class & R::WORD != 0 => {
                self.at += len;
                return self.word::<R>(class);
            }
            Some((class, _)) => class,
            None if complete => 0,
            None => return Step::Wait,
        };
        Step::To(match class {
            NUMBER if blank && R::BLANK_BEFORE_NUMBER => Progress::Numbers { digits: 0 },
            _ if !white || (blank && class & (OTHER | MARK) != 0) => Progress::Punctuation,
            _ => Progress::White {
                last: self.start,
                newline_end: None,
            },
        })
    }

    /// Skips characters of `classes`; `then` decides the next step at the first other one, or at the end of the text.
    #[inline]
    fn run(
        &mut self,
        text: &[u8],
        complete: bool,
        classes: Classes,
        then: impl Fn(usize) -> Step,
    ) -> Step {
        while let Some((class, len)) = class_at(text, self.at) {
            if class & classes == 0 {
                return then(self.at);
            }
            self.at += len;
        }
        if complete { then(self.at) } else { Step::Wait }
    }

    /// Skips capitals, caseless letters and marks, until a small letter or another class.
    fn capitals(&mut self, text: &[u8], complete: bool, mut caseless_end: Option<usize>) -> Step {
        while let Some((class, len)) = class_at(text, self.at) {
            match class {
                LOWER => return Step::To(Progress::Smalls),
                UPPER => self.at += len,
                CASELESS | MARK => {
                    self.at += len;
                    caseless_end = Some(self.at);
                }
                _ => return self.capitals_end(caseless_end),
            }
        }
        if complete {
            return self.capitals_end(caseless_end);
        }
        self.state = Progress::Capitals { caseless_end };
        Step::Wait
    }

    /// Ends a word without small letters. The first alternative needs a small or caseless letter or a mark at its end:
    /// it gives capitals back until it has one. Only if there is none, the second alternative takes all of them.
    fn capitals_end(&self, caseless_end: Option<usize>) -> Step {
        match caseless_end {
            Some(end) if end < self.at => Step::End(end),
            _ => Step::To(Progress::WordEnd),
        }
    }

    /// Takes the contraction after a word, if there is one.
    fn word_end<R: Rules>(&mut self, text: &[u8], complete: bool) -> Step {
        #[cfg(feature = "custom")]
        if matches!(R::CONTRACTIONS, Contractions::None) {
            return Step::End(self.at);
        }
        match contraction::<R>(text, self.at, complete) {
            Contraction::Open => Step::Wait,
            Contraction::Ends(end) => Step::End(end),
            Contraction::No => Step::End(self.at),
        }
    }

    /// Skips digits up to the largest number of them.
    fn numbers<R: Rules>(&mut self, text: &[u8], complete: bool, mut digits: usize) -> Step {
        while digits < R::MAX_DIGITS {
            match class_at(text, self.at) {
                Some((NUMBER, len)) => self.at += len,
                None if !complete => {
                    self.state = Progress::Numbers { digits };
                    return Step::Wait;
                }
                _ => break,
            }
            digits += 1;
        }
        Step::End(self.at)
    }

    /// Skips the newlines and slashes that belong to the punctuation before them.
    fn punctuation_tail<R: Rules>(&mut self, text: &[u8], complete: bool) -> Step {
        while let Some(&byte) = text.get(self.at) {
            if !R::follows_punctuation(byte) {
                return Step::End(self.at);
            }
            self.at += 1;
        }
        if complete {
            Step::End(self.at)
        } else {
            Step::Wait
        }
    }

    /// Skips white space, and ends it where the pattern cuts it.
    fn white<R: Rules>(
        &mut self,
        text: &[u8],
        complete: bool,
        mut last: usize,
        mut newline_end: Option<usize>,
    ) -> Step {
        while let Some((class, len)) = class_at(text, self.at) {
            if class & WHITE == 0 {
                return Step::End(match newline_end {
                    Some(end) if R::CUT_AFTER_NEWLINE => end,
                    // the last character is left to the piece that follows, unless it is the only one
                    _ if last > self.start => last,
                    _ => self.at,
                });
            }
            last = self.at;
            self.at += len;
            if class == NEWLINE {
                newline_end = Some(self.at);
            }
        }
        if !complete {
            self.state = Progress::White { last, newline_end };
            return Step::Wait;
        }
        Step::End(match newline_end {
            Some(end) if R::CUT_AFTER_NEWLINE && !R::WHOLE_AT_END => end,
            _ => self.at,
        })
    }
}

/// The outcome of one step of the machine.
pub(super) enum Step {
    /// Continue in this state.
    To(Progress),
    /// The piece ends here.
    End(usize),
    /// More text could move the end.
    Wait,
}

/// The outcome of a search for a contraction.
enum Contraction {
    Ends(usize),
    No,
    /// The text ends in characters that may become a contraction.
    Open,
}

/// Returns whether `text` has one of `'s 'd 'm 't 'll 've 're` at `at`.
///
/// Case is folded by Unicode's rules, as `(?i:…)` does: they add U+017F, the long s, and nothing else.
fn contraction<R: Rules>(text: &[u8], at: usize, complete: bool) -> Contraction {
    let letter = |i: usize| {
        text.get(at + i).map(|byte| {
            if matches!(R::CONTRACTIONS, Contractions::AnyCase) {
                byte.to_ascii_lowercase()
            } else {
                *byte
            }
        })
    };
    let open = || {
        if complete {
            Contraction::No
        } else {
            Contraction::Open
        }
    };
    match letter(0) {
        Some(b'\'') => {}
        Some(_) => return Contraction::No,
        None => return open(),
    }
    let second = match letter(1) {
        Some(b's' | b'd' | b'm' | b't') => return Contraction::Ends(at + 2),
        Some(b'l') => b'l',
        Some(b'v' | b'r') => b'e',
        // text comes in whole characters, so the second byte of a long s is there when its first is
        Some(0xC5)
            if matches!(R::CONTRACTIONS, Contractions::AnyCase)
                && text.get(at + 2) == Some(&0xBF) =>
        {
            return Contraction::Ends(at + 3);
        }
        Some(_) => return Contraction::No,
        None => return open(),
    };
    match letter(2) {
        Some(byte) if byte == second => Contraction::Ends(at + 3),
        Some(_) => Contraction::No,
        None => open(),
    }
}
