//! Text to pieces. Knows no tokens.

#[cfg(feature = "custom")]
mod linear;
#[cfg(feature = "custom")]
pub(crate) mod own;
#[cfg(feature = "custom")]
pub(crate) mod regex;
mod scalar;
pub(crate) mod unicode;
pub(crate) mod window;
mod window_unicode;

#[cfg(feature = "custom")]
use std::ops::Range;
#[cfg(feature = "custom")]
use std::sync::Arc;

use fearless_simd::{Level, Simd, dispatch};
#[cfg(feature = "custom")]
use own::{Gaps, Own};
pub(crate) use scalar::Scan;
use scalar::{Cl100k, Gpt2, O200k, Rules};
#[cfg(feature = "custom")]
use scalar::{Llama3, Qwen};
use window::{ENDS, Scanned};

use crate::error::Error;

/// Which pattern cuts the text.
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
    Own(Arc<Own>),
}

/// Calls `$call` with the rules of a splitter that has such.
macro_rules! with_rules {
    ($splitter:expr, $rules:ident => $call:expr, $own:pat => $other:expr) => {
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
            $own => $other,
        }
    };
}

impl Splitter {
    /// The pattern as tiktoken writes it.
    pub(crate) fn pattern(&self) -> &str {
        with_rules!(self, R => R::PATTERN, Self::Own(own) => own.pattern())
    }

    /// Whether a text has to be cut as a whole, piece by piece: see [`Own::is_whole`].
    pub(crate) fn is_whole(&self) -> bool {
        match self {
            #[cfg(feature = "custom")]
            Self::Own(own) => own.is_whole(),
            _ => false,
        }
    }

    /// Whether the pattern may give up on a text.
    #[cfg(feature = "custom")]
    pub(crate) fn can_fail(&self) -> bool {
        matches!(self, Self::Own(own) if own.can_fail())
    }

    /// What becomes of text that the pattern does not match.
    #[cfg(feature = "custom")]
    pub(crate) fn gaps(&self) -> Gaps {
        match self {
            Self::Own(own) => own.gaps(),
            _ => Gaps::Keep,
        }
    }

    /// The end of the open piece, see [`Scan::end`].
    #[inline]
    pub(crate) fn end(&self, scan: &mut Scan, text: &[u8], complete: bool) -> Option<usize> {
        #[cfg(test)]
        let known = scan.known();
        let end = with_rules!(self,
            R => scan.end::<R>(text, complete),
            Self::Own(own) => own.end(text, scan.start(), complete)
        );
        #[cfg(test)]
        scanned::add(scan.known() - known);
        end
    }

    /// The ends of the next pieces, see [`window::scan`].
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
            Self::Own(own) => {
                let count = own.ends(buffer.get(..len).unwrap_or(buffer), 0, complete, ends);
                let last = count.checked_sub(1).and_then(|last| ends.get(last));
                Scanned { count, next: last.map_or(0, |end| *end as usize) }
            }
        )
    }

    /// Whether a text can be cut where [`start_before`] and [`border_from`](Self::border_from) say.
    pub(crate) fn has_borders(&self) -> bool {
        match self {
            #[cfg(feature = "custom")]
            Self::Own(_) => false,
            _ => true,
        }
    }

    /// The first border at or after `from` at which a text can be cut in two that are split each on its own: where a line
    /// begins with a letter.
    pub(crate) fn border_from(&self, text: &str, from: usize) -> Option<usize> {
        if !self.has_borders() {
            return None;
        }
        let newlines = memchr::memchr_iter(b'\n', text.as_bytes().get(from..)?);
        newlines
            .map(|at| from + at + 1)
            .find(|at| self.is_border(text, *at))
    }

    /// Whether a text can be cut at the beginning of this line.
    ///
    /// A newline never opens a word, and what ends with it is the same piece at the end of a text; but for GPT-2's
    /// pattern only if it is all the white space there is.
    fn is_border(&self, text: &str, line: usize) -> bool {
        let class = |c: Option<char>| c.map_or(unicode::WHITE, |c| unicode::class_of(c.into()));
        let Some((before, after)) = text.split_at_checked(line) else {
            return false;
        };
        let before = before
            .strip_suffix('\n')
            .and_then(|before| before.chars().next_back());
        class(after.chars().next()) & unicode::LETTER != 0
            && (class(before) & unicode::WHITE == 0 || !matches!(self, Self::Gpt2))
    }

    /// The pieces of a text.
    #[inline]
    pub(crate) fn pieces<'t>(&self, text: &'t str) -> Pieces<'t> {
        Pieces {
            splitter: self.clone(),
            text,
            start: 0,
        }
    }

    /// Where the pieces of a text are that is cut as a whole: there may be gaps.
    #[cfg(feature = "custom")]
    pub(crate) fn whole_pieces(
        &self,
        text: &str,
    ) -> impl Iterator<Item = Result<Range<usize>, Error>> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let piece = self.next_whole(text, at).transpose()?;
            if let Ok(piece) = &piece {
                at = piece.end;
            }
            Some(piece)
        })
    }

    /// The piece at `start` or behind it, of a text that is cut as a whole.
    #[cfg(feature = "custom")]
    fn next_whole(&self, text: &str, start: usize) -> Result<Option<Range<usize>>, Error> {
        let Self::Own(own) = self else {
            let end = self.end(&mut Scan::new(start), text.as_bytes(), true);
            return Ok(end.map(|end| start..end));
        };
        let found = own.find(text, start)?;
        Ok(match (own.gaps(), found) {
            (Gaps::Keep, Some(found)) if found.start > start => Some(start..found.start),
            (Gaps::Keep, None) if start < text.len() => Some(start..text.len()),
            (_, found) => found,
        })
    }
}

/// What becomes of a fault where a call has no way to tell it.
#[cold]
#[allow(clippy::panic)] // documented: only patterns that were asked for by name can fail, and they have other calls
pub(crate) fn give_up(error: &Error) -> ! {
    panic!("{error}")
}

/// The last place at or before `to` where a piece begins by any pattern, whatever is before the characters beside it.
pub(crate) fn start_before(text: &str, to: usize) -> Option<usize> {
    let (before, behind) = text.split_at_checked(to)?;
    let mut next = behind.chars().next();
    for (at, c) in before.char_indices().rev() {
        if next.is_some_and(|next| are_parted(c, next)) {
            return Some(at + c.len_utf8());
        }
        next = Some(c);
    }
    None
}

/// Whether a piece begins between two neighbours: no piece but of white space alone has white space behind its first
/// character, only newlines behind punctuation; and behind a letter there is nothing else, but marks and contractions.
fn are_parted(before: char, after: char) -> bool {
    let [before, class] = [before, after].map(|c| unicode::class_of(c.into()));
    match class {
        unicode::SPACE => before & unicode::WHITE == 0,
        unicode::NEWLINE => before & (unicode::LETTER | unicode::NUMBER) != 0,
        unicode::NUMBER | unicode::OTHER => before & unicode::LETTER != 0 && after != '\'',
        _ => false,
    }
}

/// The pieces of a text in order, made by [`Encoding::pieces`](crate::Encoding::pieces): joined they are the text.
///
/// ```
/// # #[cfg(feature = "cl100k_base")] {
/// let mut pieces = tiktally::cl100k_base().pieces("hello world");
/// assert_eq!((pieces.next(), pieces.next(), pieces.next()), (Some("hello"), Some(" world"), None));
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Pieces<'t> {
    splitter: Splitter,
    text: &'t str,
    start: usize,
}

impl<'t> Iterator for Pieces<'t> {
    type Item = &'t str;

    #[inline]
    fn next(&mut self) -> Option<&'t str> {
        #[cfg(feature = "custom")]
        if self.splitter.is_whole() {
            let piece = self.splitter.next_whole(self.text, self.start);
            let piece = piece.unwrap_or_else(|error| give_up(&error))?;
            self.start = piece.end;
            return self.text.get(piece);
        }
        let end = self
            .splitter
            .end(&mut Scan::new(self.start), self.text.as_bytes(), true)?;
        let piece = self.text.get(self.start..end);
        self.start = end;
        piece
    }
}

impl std::iter::FusedIterator for Pieces<'_> {}

/// How many bytes the splitter looked at in this thread: for tests that no byte is looked at again and again.
#[cfg(test)]
pub(crate) mod scanned {
    use std::cell::Cell;

    thread_local! {
        static BYTES: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn add(bytes: usize) {
        BYTES.set(BYTES.get() + bytes);
    }

    /// How many more during a call.
    pub(crate) fn during(call: impl FnOnce()) -> usize {
        let before = BYTES.get();
        call();
        BYTES.get() - before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Random;

    const ALL: &[Splitter] = &[
        Splitter::Gpt2,
        Splitter::Cl100k,
        Splitter::O200k,
        #[cfg(feature = "custom")]
        Splitter::Llama3,
        #[cfg(feature = "custom")]
        Splitter::Qwen,
    ];

    /// So many characters of an alphabet.
    fn text(random: &mut Random, alphabet: &[char], len: usize) -> String {
        let char = |_| alphabet[random.below(alphabet.len())];
        (0..len).map(char).collect()
    }

    /// The pieces found when the text comes a few characters at a time and every scan is resumed.
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
    fn pieces_begin_where_neighbours_are_parted() {
        let alphabet: Vec<char> = "aZ最\u{301}ʰǅ1٣ \t\u{a0}\u{2028}\u{85}\r\n\n'sSlLreſ/!.🙂"
            .chars()
            .collect();
        let mut random = Random::new(1);
        let mut found = 0;
        for round in 0..50_000 {
            let text = text(&mut random, &alphabet, round % 12);
            let starts = (0..=text.len()).filter(|to| text.is_char_boundary(*to));
            let starts: Vec<usize> = starts.filter_map(|to| start_before(&text, to)).collect();
            found += starts.len();
            for splitter in ALL {
                let pieces = splitter.pieces(&text);
                let ends: Vec<usize> = pieces
                    .scan(0, |at, piece| {
                        *at += piece.len();
                        Some(*at)
                    })
                    .collect();
                for start in &starts {
                    assert!(ends.contains(start), "{splitter:?} {text:?} {start}");
                }
            }
        }
        assert!(found > 100_000, "{found}");
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
}
