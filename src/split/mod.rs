//! Splits text into pieces. Nothing here knows tokens.

mod borders;
pub(crate) mod classes;
#[cfg(feature = "custom")]
pub(crate) mod custom;
#[cfg(feature = "tokenizer-json")]
pub(crate) mod deepseek;
#[cfg(feature = "custom")]
mod linear;
mod pieces;
mod scalar;
#[cfg(feature = "tokenizer-json")]
pub(crate) mod stages;
pub(crate) mod window;
mod window_classes;

#[cfg(feature = "custom")]
use std::sync::Arc;

pub(crate) use borders::start_before;
#[cfg(feature = "custom")]
use custom::{Custom, Gaps};
#[cfg(feature = "tokenizer-json")]
use deepseek::DeepSeek;
use fearless_simd::{Level, Simd, dispatch};
pub use pieces::Pieces;
pub(crate) use pieces::give_up;
pub(crate) use scalar::Scan;
use scalar::{Cl100k, Gpt2, O200k, Rules};
#[cfg(feature = "custom")]
use scalar::{Llama3, Qwen, Tekken};
use window::{ENDS, Scanned};

/// A pattern that splits text into pieces.
#[derive(Clone, Debug)]
pub(crate) enum Splitter {
    Gpt2,
    Cl100k,
    O200k,
    #[cfg(feature = "custom")]
    Llama3,
    #[cfg(feature = "custom")]
    Qwen,
    #[cfg(feature = "custom")]
    Tekken,
    #[cfg(feature = "tokenizer-json")]
    DeepSeek,
    #[cfg(feature = "custom")]
    Custom(Arc<Custom>),
}

/// Evaluates `$call` with `$rules` as the type of the splitter's [`Rules`], so that the scanners are compiled for each
/// pattern. A custom pattern has no such type: `$other` is evaluated for it, with the bindings of `$custom`.
///
/// ```text
/// with_rules!(splitter, R => scan.end::<R>(text, true), Splitter::Custom(custom) => custom.end(scan, text, true))
/// ```
macro_rules! with_rules {
    ($splitter:expr, $rules:ident => $call:expr, $custom:pat => $other:expr) => {
        match $splitter {
            Splitter::Gpt2 => {
                type $rules = Gpt2;
                $call
            }
            Splitter::Cl100k => {
                type $rules = Cl100k;
                $call
            }
            Splitter::O200k => {
                type $rules = O200k;
                $call
            }
            #[cfg(feature = "custom")]
            Splitter::Llama3 => {
                type $rules = Llama3;
                $call
            }
            #[cfg(feature = "custom")]
            Splitter::Qwen => {
                type $rules = Qwen;
                $call
            }
            #[cfg(feature = "custom")]
            Splitter::Tekken => {
                type $rules = Tekken;
                $call
            }
            #[cfg(feature = "tokenizer-json")]
            Splitter::DeepSeek => {
                type $rules = DeepSeek;
                $call
            }
            #[cfg(feature = "custom")]
            $custom => $other,
        }
    };
}

impl Splitter {
    /// Returns the pattern as tiktoken writes it.
    pub(crate) fn pattern(&self) -> &str {
        with_rules!(self, R => R::PATTERN, Self::Custom(custom) => custom.pattern())
    }

    /// Returns whether a text has to be split as a whole, see [`Custom::needs_whole_text`].
    pub(crate) fn needs_whole_text(&self) -> bool {
        match self {
            #[cfg(feature = "custom")]
            Self::Custom(custom) => custom.needs_whole_text(),
            _ => false,
        }
    }

    /// Returns whether the pattern may give up on a text.
    pub(crate) fn can_fail(&self) -> bool {
        match self {
            #[cfg(feature = "custom")]
            Self::Custom(custom) => custom.can_fail(),
            _ => false,
        }
    }

    /// Returns how text that the pattern does not match is treated.
    #[cfg(feature = "custom")]
    pub(crate) fn gaps(&self) -> Gaps {
        match self {
            Self::Custom(custom) => custom.gaps(),
            _ => Gaps::Keep,
        }
    }

    /// Returns the end of the open piece, see [`Scan::end`].
    #[inline]
    pub(crate) fn end(&self, scan: &mut Scan, text: &[u8], complete: bool) -> Option<usize> {
        #[cfg(test)]
        let known = scan.known();
        let end = with_rules!(self,
            R => scan.end::<R>(text, complete),
            Self::Custom(custom) => custom.end(scan, text, complete)
        );
        #[cfg(test)]
        scanned::add(scan.known() - known);
        end
    }

    /// Writes the ends of the next pieces to `ends`, see [`window::scan`].
    pub(crate) fn scan(
        &self,
        level: Level,
        buffer: &[u8],
        len: usize,
        complete: bool,
        ends: &mut [u32; ENDS],
    ) -> Scanned {
        let scanned = dispatch!(level, simd => self.scan_with(simd, buffer, len, complete, ends));
        #[cfg(test)]
        scanned::add(if scanned.count == 0 {
            len
        } else {
            scanned.next
        });
        scanned
    }

    /// Scans with the instructions of one level: [`Self::scan`] picks it.
    #[inline(always)]
    fn scan_with<S: Simd>(
        &self,
        simd: S,
        buffer: &[u8],
        len: usize,
        complete: bool,
        ends: &mut [u32; ENDS],
    ) -> Scanned {
        with_rules!(self,
            R => window::scan::<S, R, ENDS>(simd, buffer, 0, len, complete, ends),
            Self::Custom(custom) => {
                let count = custom.ends(buffer.get(..len).unwrap_or(buffer), complete, ends);
                let last = count.checked_sub(1).and_then(|last| ends.get(last));
                Scanned { count, next: last.map_or(0, |end| *end as usize) }
            }
        )
    }
}

/// Counts the bytes that the splitter reads in this thread: for tests that no byte is read again and again.
#[cfg(test)]
pub(crate) mod scanned {
    use std::cell::Cell;

    thread_local! {
        static BYTES: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn add(bytes: usize) {
        BYTES.set(BYTES.get() + bytes);
    }

    /// Returns how many bytes the splitter reads during a call.
    pub(crate) fn during(call: impl FnOnce()) -> usize {
        let before = BYTES.get();
        call();
        BYTES.get() - before
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::texts::Random;

    pub(crate) const ALL: &[Splitter] = &[
        Splitter::Gpt2,
        Splitter::Cl100k,
        Splitter::O200k,
        #[cfg(feature = "custom")]
        Splitter::Llama3,
        #[cfg(feature = "custom")]
        Splitter::Qwen,
        #[cfg(feature = "custom")]
        Splitter::Tekken,
        #[cfg(feature = "tokenizer-json")]
        Splitter::DeepSeek,
    ];

    /// Creates a text of `len` characters of an alphabet.
    pub(super) fn text(random: &mut Random, alphabet: &[char], len: usize) -> String {
        let char = |_| alphabet[random.below(alphabet.len())];
        (0..len).map(char).collect()
    }

    /// Creates a text of `len` characters of some of an alphabet, so that neighbours are often equal.
    #[cfg(feature = "custom")]
    pub(super) fn text_of_few(random: &mut Random, alphabet: &[char], len: usize) -> String {
        let few = 2 + random.below(alphabet.len() - 1);
        let chars: Vec<char> = (0..few)
            .map(|_| alphabet[random.below(alphabet.len())])
            .collect();
        text(random, &chars, len)
    }

    /// Returns the ends of the pieces that a level's window scanner finds in a text.
    #[cfg(feature = "custom")]
    pub(super) fn ends(splitter: &Splitter, level: Level, text: &str) -> Vec<usize> {
        let mut ends = [0; ENDS];
        let scanned = splitter.scan(level, text.as_bytes(), text.len(), true, &mut ends);
        let ends = ends[..scanned.count].iter();
        ends.map(|end| *end as usize).collect()
    }

    /// Returns where each piece ends in the text of all.
    #[cfg(feature = "custom")]
    pub(super) fn ends_of(pieces: &[&str]) -> Vec<usize> {
        let mut at = 0;
        let ends = pieces.iter().map(|piece| {
            at += piece.len();
            at
        });
        ends.collect()
    }

    /// Returns the pieces found when the text arrives a few characters at a time and every scan is resumed.
    fn resumed<'t>(splitter: &Splitter, text: &'t str, step: usize) -> Vec<&'t str> {
        let mut ends: Vec<usize> = text.char_indices().map(|(i, _)| i).step_by(step).collect();
        ends.push(text.len());
        let mut pieces = Vec::new();
        let mut start = 0;
        let mut scan = Scan::new(0);
        for (i, &known) in ends.iter().enumerate() {
            let complete = i + 1 == ends.len();
            while let Some(end) = splitter.end(&mut scan, &text.as_bytes()[..known], complete) {
                pieces.push(&text[start..end]);
                start = end;
                scan = Scan::new(end);
            }
        }
        pieces
    }

    #[test]
    fn resumed_scans_find_the_same_pieces() {
        let alphabet: Vec<char> = "aZ最\u{301}ʰǅ1٣ \t\u{a0}\u{3000}\r\n'sStdmlLvVrReEſ/!🙂\u{200d}"
            .chars()
            .collect();
        let mut random = Random::new(1);
        for round in 0..30_000 {
            let text = text(&mut random, &alphabet, round % 40);
            for splitter in ALL {
                let whole: Vec<&str> = splitter.pieces(&text).collect();
                assert_eq!(whole.concat(), text);
                for step in 1..4 {
                    assert_eq!(
                        resumed(splitter, &text, step),
                        whole,
                        "{splitter:?} {text:?} in steps of {step}"
                    );
                }
            }
        }
    }

    /// The rules of each pattern find the pieces that the pattern itself finds, on the automaton.
    #[cfg(feature = "custom")]
    #[test]
    fn pieces_are_those_of_the_pattern() {
        let alphabet: Vec<char> = "aZéДб최中\u{301}ʰǅ1٣²Ⅷ \t\u{a0}\u{3000}\u{85}\r\n\n''sStTlLvVrReEdDmMſ\u{212a}/!.、(🙂\u{200d}\0\u{ad}\u{378}"
            .chars()
            .collect();
        for splitter in ALL {
            // DeepSeek's patterns run in turn: its own tests compare them
            #[cfg(feature = "tokenizer-json")]
            if matches!(splitter, Splitter::DeepSeek) {
                continue;
            }
            let automaton = Custom::linear(splitter.pattern(), Gaps::Keep).unwrap();
            let automaton = Splitter::Custom(Arc::new(automaton));
            let mut random = Random::new(1);
            for round in 0..60_000 {
                let text = text_of_few(&mut random, &alphabet, round % 150);
                let expected: Vec<&str> = automaton.pieces(&text).collect();
                let found: Vec<&str> = splitter.pieces(&text).collect();
                assert_eq!(found, expected, "{splitter:?} {text:?}");
                let found = ends(splitter, Level::new(), &text);
                assert_eq!(found, ends_of(&expected), "{splitter:?} {text:?}");
            }
        }
    }
}
