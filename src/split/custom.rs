//! Patterns of one's own.
//!
//! One that is known gets the splitter made for it. Any other is run by an automaton that reads each piece once, if that
//! finds what a backtracking engine would; what is left needs such an engine, and has to be asked for.

use std::fmt;
use std::ops::Range;

use super::Splitter;
use super::linear::Linear;
use crate::error::{Error, ErrorKind};

/// What becomes of text that a pattern does not match.
///
/// ```
/// # #[cfg(feature = "cl100k_base")] {
/// use tiktally::{Encoding, Gaps};
///
/// let ranks: Vec<_> = (0..=255).map(|byte| (vec![byte], u32::from(byte))).collect();
/// let words = || Encoding::builder("words").pattern(r"\w+").ranks(ranks.clone());
/// assert_eq!(words().build()?.encode_ordinary("a b"), [97, 32, 98]);
/// assert_eq!(words().gaps(Gaps::Drop).build()?.encode_ordinary("a b"), [97, 98]);
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Gaps {
    /// It is a piece as well: nothing is lost.
    #[default]
    Keep,
    /// It gives no tokens, as with tiktoken.
    Drop,
}

/// A pattern that no splitter is made for.
pub(crate) struct Custom {
    pattern: String,
    engine: Engine,
    gaps: Gaps,
}

enum Engine {
    Linear(Box<Linear>),
    Backtracking(fancy_regex::Regex),
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Custom").field(&self.pattern).finish()
    }
}

/// Texts of a pattern that has a splitter of its own, beside the ones that the splitters themselves give.
const OLDER: [(&str, Splitter); 3] = [
    (
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        Splitter::Gpt2,
    ),
    (
        r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        Splitter::Gpt2,
    ),
    (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
        Splitter::Llama3,
    ),
];

/// The splitter that is made for a pattern.
pub(crate) fn known(pattern: &str) -> Option<Splitter> {
    let made = [
        Splitter::Gpt2,
        Splitter::Cl100k,
        Splitter::O200k,
        Splitter::Llama3,
        Splitter::Qwen,
    ];
    let older = OLDER.into_iter().find(|(text, _)| *text == pattern);
    let mut made = made.into_iter();
    made.find(|splitter| splitter.pattern() == pattern)
        .or(older.map(|(_, splitter)| splitter))
}

impl Custom {
    /// A pattern that reads each piece once.
    pub(crate) fn linear(pattern: &str, gaps: Gaps) -> Result<Self, Error> {
        let engine = Linear::new(pattern).map_err(|problem| ErrorKind::InvalidPattern {
            pattern: pattern.to_owned(),
            problem: format!("{problem}; `backtracking_pattern` takes more, at a price"),
        })?;
        Ok(Self {
            pattern: pattern.to_owned(),
            engine: Engine::Linear(Box::new(engine)),
            gaps,
        })
    }

    /// A pattern with anything that a backtracking engine knows.
    pub(crate) fn backtracking(pattern: &str, gaps: Gaps) -> Result<Self, Error> {
        let engine =
            fancy_regex::Regex::new(pattern).map_err(|error| ErrorKind::InvalidPattern {
                pattern: pattern.to_owned(),
                problem: error.to_string(),
            })?;
        Ok(Self {
            pattern: pattern.to_owned(),
            engine: Engine::Backtracking(engine),
            gaps,
        })
    }

    /// The same pattern on the same engine.
    pub(crate) fn with_gaps(&self, gaps: Gaps) -> Result<Self, Error> {
        match self.engine {
            Engine::Linear(_) => Self::linear(&self.pattern, gaps),
            Engine::Backtracking(_) => Self::backtracking(&self.pattern, gaps),
        }
    }

    pub(crate) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Whether a text has to be cut as a whole: a backtracking engine says nothing about an end that is open, and pieces
    /// with gaps between them are no parts of a text.
    pub(crate) fn needs_whole_text(&self) -> bool {
        self.gaps == Gaps::Drop || self.can_fail()
    }

    /// Whether the engine may give up on a text.
    pub(crate) fn can_fail(&self) -> bool {
        matches!(self.engine, Engine::Backtracking(_))
    }

    /// The end of the piece that begins at `start`, see [`Scan::end`](super::Scan::end).
    pub(crate) fn end(&self, text: &[u8], start: usize, complete: bool) -> Option<usize> {
        let mut ends = [0];
        // what is before a piece does not matter, and ends are offsets of 32 bits
        let found = self.ends(text.get(start..)?, 0, complete, &mut ends);
        (found == 1).then_some(start + ends[0] as usize)
    }

    /// The ends of the next pieces from `start` on; how many were found.
    pub(crate) fn ends(
        &self,
        text: &[u8],
        start: usize,
        complete: bool,
        ends: &mut [u32],
    ) -> usize {
        match &self.engine {
            Engine::Linear(linear) => linear.ends(text, start, complete, ends),
            Engine::Backtracking(_) => 0,
        }
    }

    /// The next match at or behind `from` that is not empty.
    ///
    /// # Errors
    /// [`ErrorKind::PatternLimit`]: the engine gave up.
    pub(crate) fn find(&self, text: &str, from: usize) -> Result<Option<Range<usize>>, Error> {
        match &self.engine {
            Engine::Linear(linear) => Ok(linear.find(text, from)),
            Engine::Backtracking(regex) => {
                let mut from = from;
                while let Some(found) =
                    regex
                        .find_from_pos(text, from)
                        .map_err(|error| ErrorKind::PatternLimit {
                            problem: error.to_string(),
                        })?
                {
                    if found.end() > found.start() {
                        return Ok(Some(found.range()));
                    }
                    let Some(next) = text.get(found.end()..).and_then(|rest| rest.chars().next())
                    else {
                        break;
                    };
                    from = found.end() + next.len_utf8();
                }
                Ok(None)
            }
        }
    }

    pub(crate) fn gaps(&self) -> Gaps {
        self.gaps
    }
}
