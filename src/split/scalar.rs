//! The three built-in patterns, one character at a time: the readable definition of where pieces end.
//!
//! Each pattern is a set of [`Rules`] for one machine. The machine can stop at the end of the text it has and go on when
//! there is more, without looking at a byte of the open piece again; nothing in it backtracks, so its time is linear.

use super::classes::{
    CASELESS, Classes, LETTER, LOWER, MARK, NEWLINE, NUMBER, OTHER, SPACE, UPPER, WHITE, class_at,
};

/// What distinguishes the patterns. All of them yield, in this order of preference: contractions, words, numbers,
/// punctuation, white space.
pub(crate) trait Rules {
    /// The pattern that the rules stand for, as tiktoken writes it.
    const PATTERN: &'static str;
    /// The classes that words are made of.
    const WORD: Classes;
    /// Whether any one character but letters, numbers and newlines may open a word; if not, only U+0020 may.
    const ANY_PREFIX: bool;
    /// Whether U+0020 may open a number.
    const BLANK_BEFORE_NUMBER: bool;
    /// How many digits a number has at most.
    const MAX_DIGITS: usize;
    /// Whether a byte is swallowed by the punctuation before it.
    fn follows_punctuation(byte: u8) -> bool;
    /// Whether white space is cut after its last newline.
    const CUT_AFTER_NEWLINE: bool;
    /// Whether white space that ends the text is one piece (`\s++$`).
    const WHOLE_AT_END: bool;
    /// Whether a word ends where a capital follows a lower-case letter, and takes a contraction with it.
    const CASED: bool;
    /// Whether contractions are known in upper case too.
    const FOLD_CONTRACTIONS: bool;
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
    const FOLD_CONTRACTIONS: bool = false;
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
    const FOLD_CONTRACTIONS: bool = true;
}

/// cl100k_base as it was first published: white space that ends the text is cut behind its last newline. Others have it
/// with as many digits in a piece as they like.
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
    const FOLD_CONTRACTIONS: bool = Cl100k::FOLD_CONTRACTIONS;
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
    const FOLD_CONTRACTIONS: bool = true;
}

/// What the characters of the open piece so far can become.
#[derive(Clone, Copy, Debug)]
enum Progress {
    /// Nothing was looked at.
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
    /// Capitals, caseless letters and marks; `caseless_end` is behind the last one that is no capital.
    Capitals {
        caseless_end: Option<usize>,
    },
    /// Behind the first small letter: small and caseless letters and marks.
    Smalls,
    /// Behind a word that may take a contraction with it.
    WordEnd,
    Numbers {
        digits: usize,
    },
    Punctuation,
    PunctuationTail,
    /// White space: where its last character begins, and where its last newline ends.
    White {
        last: usize,
        newline_end: Option<usize>,
    },
}

/// How far the open piece was looked at, and what it can become.
#[derive(Clone, Debug)]
pub(crate) struct Scan {
    start: usize,
    at: usize,
    state: Progress,
}

impl Scan {
    /// A piece begins at `start`.
    #[inline]
    pub(crate) fn new(start: usize) -> Self {
        Self {
            start,
            at: start,
            state: Progress::Start,
        }
    }

    /// The piece that begins at `start` is known up to `at`, and has many characters of `class` there:
    /// - `LETTER`, `NUMBER` (where there may be many), `OTHER`: behind the first character it has nothing else.
    /// - `LOWER`: a small letter, and behind it only such and caseless letters and marks.
    /// - `CASELESS`: no small letter, and behind the first character only caseless letters and marks.
    /// - `WHITE`: nothing but white space of one byte each, whose last newline ends at `newline_end`.
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

    /// The same when the first `bytes` of the text are gone, which are before the piece.
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
            _ => {}
        }
    }

    /// The same when its beginning is gone, up to `start`, which is before [`least_end`](Self::least_end).
    pub(crate) fn go_on_from(&mut self, start: usize) {
        self.start = start;
    }

    /// Where the piece ends at least, whatever text follows, if its end is open.
    pub(crate) fn least_end(&self) -> usize {
        match self.state {
            Progress::Start | Progress::Apostrophe | Progress::Opener { .. } => self.start,
            Progress::Capitals { caseless_end } => caseless_end.unwrap_or(self.at),
            Progress::White { last, newline_end } => newline_end.map_or(last, |end| end.min(last)),
            _ => self.at,
        }
    }

    /// Where the piece begins.
    #[cfg(feature = "custom")]
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// How far the text was looked at.
    #[cfg(test)]
    pub(crate) fn known(&self) -> usize {
        self.at
    }

    /// The end of the piece, or `None` if more text could move it.
    ///
    /// `text` is the text of the last call, or a longer one. With `complete` no more text will come: then the answer is
    /// `None` only for an empty piece.
    #[inline]
    pub(crate) fn end<R: Rules>(&mut self, text: &[u8], complete: bool) -> Option<usize> {
        loop {
            match self.step::<R>(text, complete) {
                Step::To(state) => self.state = state,
                Step::End(end) => return Some(end),
                Step::Wait => return None,
            }
        }
    }

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
        }
    }

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

    /// Behind the first character of a word, which is of `class`.
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

    /// Goes over characters of `classes`; `then` says what follows at the first other one, or at the end of the text.
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

    /// No small letter came. The first alternative wants one, or a caseless letter or mark, at its end: it gives capitals
    /// back until it has one. Only where there is none does the second alternative take them all.
    fn capitals_end(&self, caseless_end: Option<usize>) -> Step {
        match caseless_end {
            Some(end) if end < self.at => Step::End(end),
            _ => Step::To(Progress::WordEnd),
        }
    }

    fn word_end<R: Rules>(&mut self, text: &[u8], complete: bool) -> Step {
        match contraction::<R>(text, self.at, complete) {
            Contraction::Open => Step::Wait,
            Contraction::Ends(end) => Step::End(end),
            Contraction::No => Step::End(self.at),
        }
    }

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

enum Step {
    To(Progress),
    End(usize),
    Wait,
}

enum Contraction {
    Ends(usize),
    No,
    /// The text ends inside what may become a contraction.
    Open,
}

/// Whether `text` has one of `'s 'd 'm 't 'll 've 're` at `at`.
///
/// Case is folded by Unicode's rules, as `(?i:…)` does: they add U+017F, the long s, and nothing else.
fn contraction<R: Rules>(text: &[u8], at: usize, complete: bool) -> Contraction {
    let letter = |i: usize| {
        text.get(at + i).map(|byte| {
            if R::FOLD_CONTRACTIONS {
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
        Some(0xC5) if R::FOLD_CONTRACTIONS && text.get(at + 2) == Some(&0xBF) => {
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
