//! Custom patterns.
//!
//! A known pattern gets the splitter that is written for it. Any other runs on an automaton that reads each piece once,
//! if that finds the same pieces as a backtracking engine. The remaining patterns need such an engine. The user has to
//! ask for it, because it can take long and can give up on a text.

use std::fmt;
use std::ops::Range;

use super::linear::{Budget, Linear};
#[cfg(feature = "tokenizer-json")]
use super::stages::{Stage, Stages, StagesProgress};
use super::{Scan, Splitter, scalar};
use crate::error::{Error, ErrorKind};

/// Selects how text that a custom pattern does not match is treated.
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
    /// The text is a piece too, so decoding gives back the whole text.
    #[default]
    Keep,
    /// The text gives no tokens, as in tiktoken.
    Drop,
}

/// A pattern without a built-in splitter.
pub(crate) struct Custom {
    pattern: String,
    engine: Engine,
    gaps: Gaps,
}

enum Engine {
    Linear(Box<Linear>),
    Backtracking(fancy_regex::Regex),
    /// Several patterns, each of which splits the pieces of the one before it.
    #[cfg(feature = "tokenizer-json")]
    Stages(Stages),
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Custom").field(&self.pattern).finish()
    }
}

/// Other spellings of patterns that have a built-in splitter: published files contain them.
const OTHER_SPELLINGS: [(&str, Splitter); 3] = [
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

/// Returns the built-in splitter for a pattern.
pub(crate) fn known(pattern: &str) -> Option<Splitter> {
    let built_in = [
        Splitter::Gpt2,
        Splitter::Cl100k,
        Splitter::O200k,
        Splitter::Llama3,
        Splitter::Qwen,
        Splitter::Tekken,
    ];
    let respelled = OTHER_SPELLINGS
        .into_iter()
        .find(|(text, _)| *text == pattern);
    let mut built_in = built_in.into_iter();
    built_in
        .find(|splitter| splitter.pattern() == pattern)
        .or(respelled.map(|(_, splitter)| splitter))
}

impl Custom {
    /// Compiles a pattern that reads each piece once.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidPattern`]: the pattern is invalid, or the automaton cannot represent it.
    pub(crate) fn linear(pattern: &str, gaps: Gaps) -> Result<Self, Error> {
        let engine = Linear::new(pattern).map_err(|problem| ErrorKind::InvalidPattern {
            pattern: pattern.to_owned(),
            problem: format!(
                "{problem}; `backtracking_pattern` accepts more, but can be slow or give up"
            ),
        })?;
        Ok(Self {
            pattern: pattern.to_owned(),
            engine: Engine::Linear(Box::new(engine)),
            gaps,
        })
    }

    /// Compiles a pattern as the tiktoken library runs it: text that it does not match is dropped.
    #[cfg(feature = "tokenizer-json")]
    pub(crate) fn of_tiktoken(pattern: &str) -> Result<Self, Error> {
        // without gaps there is nothing to drop, and then a text need not be split as a whole
        let gaps = if Linear::leaves_no_gaps(pattern) {
            Gaps::Keep
        } else {
            Gaps::Drop
        };
        Self::any(pattern, gaps)
    }

    /// Compiles a pattern to an automaton, or for the backtracking engine if no automaton can represent it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidPattern`]: no engine accepts the pattern.
    pub(crate) fn any(pattern: &str, gaps: Gaps) -> Result<Self, Error> {
        Self::linear(pattern, gaps).or_else(|_| Self::backtracking(pattern, gaps))
    }

    /// Compiles a pattern with any feature of the backtracking engine.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidPattern`]: the engine does not accept the pattern.
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

    /// Returns this pattern with another treatment of gaps, on the engine that it has.
    pub(crate) fn with_gaps(&self, gaps: Gaps) -> Result<Self, Error> {
        match self.engine {
            Engine::Linear(_) => Self::linear(&self.pattern, gaps),
            Engine::Backtracking(_) => Self::backtracking(&self.pattern, gaps),
            #[cfg(feature = "tokenizer-json")]
            Engine::Stages(_) => Err(gaps_are_set(&self.pattern)),
        }
    }

    /// Creates a pattern of several stages.
    #[cfg(feature = "tokenizer-json")]
    pub(crate) fn stages(stages: Vec<Stage>) -> Self {
        let patterns: Vec<&str> = stages.iter().map(|stage| stage.pattern.pattern()).collect();
        Self {
            pattern: patterns.join("\n"),
            engine: Engine::Stages(Stages(stages)),
            gaps: Gaps::Keep,
        }
    }

    /// Returns the stages, if there are several patterns.
    #[cfg(feature = "tokenizer-json")]
    pub(super) fn as_stages(&self) -> Option<&Stages> {
        match &self.engine {
            Engine::Stages(stages) => Some(stages),
            _ => None,
        }
    }

    pub(crate) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Returns whether a text has to be split as a whole. A backtracking engine cannot tell whether more text would
    /// move the end of a match. Pieces with gaps between them do not join to the text.
    pub(crate) fn needs_whole_text(&self) -> bool {
        #[cfg(feature = "tokenizer-json")]
        if let Engine::Stages(_) = self.engine {
            return true;
        }
        self.gaps == Gaps::Drop || self.can_fail()
    }

    /// Returns whether the engine may give up on a text.
    pub(crate) fn can_fail(&self) -> bool {
        match &self.engine {
            Engine::Linear(_) => false,
            Engine::Backtracking(_) => true,
            #[cfg(feature = "tokenizer-json")]
            Engine::Stages(stages) => stages.can_fail(),
        }
    }

    /// Returns the end of the open piece, see [`Scan::end`].
    pub(crate) fn end(&self, scan: &mut Scan, text: &[u8], complete: bool) -> Option<usize> {
        let Engine::Linear(linear) = &self.engine else {
            return None;
        };
        let mut budget = match scan.state {
            scalar::Progress::Unmatched(budget) => budget,
            _ => Budget::new(text),
        };
        budget.add(text);
        let end = linear.end(text, scan.start, &mut scan.at, complete, &mut budget);
        scan.state = scalar::Progress::Unmatched(budget);
        end
    }

    /// Writes the ends of the first pieces of a text to `ends`, and returns how many it found.
    pub(crate) fn ends(&self, text: &[u8], complete: bool, ends: &mut [u32]) -> usize {
        match &self.engine {
            Engine::Linear(linear) => linear.ends(text, complete, ends),
            Engine::Backtracking(_) => 0,
            #[cfg(feature = "tokenizer-json")]
            Engine::Stages(_) => 0,
        }
    }

    /// Returns the next match at or after `from` that is not empty.
    ///
    /// # Errors
    /// [`ErrorKind::PatternLimit`]: the engine gave up.
    pub(crate) fn find(&self, text: &str, from: usize) -> Result<Option<Range<usize>>, Error> {
        match &self.engine {
            #[cfg(feature = "tokenizer-json")]
            Engine::Stages(stages) => stages.next(text, from, &mut StagesProgress::default()),
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

/// Creates the error for other gaps of a pattern in stages.
#[cfg(feature = "tokenizer-json")]
pub(crate) fn gaps_are_set(pattern: &str) -> Error {
    let problem = "it is a sequence of patterns, each of which sets whether gaps are kept";
    let kind = ErrorKind::InvalidPattern {
        pattern: pattern.to_owned(),
        problem: problem.into(),
    };
    kind.into()
}
