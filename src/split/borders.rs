//! Finds places at which a text can be cut before it is split into pieces.
//!
//! There are two kinds of such places, for two tasks:
//!
//! - [`Splitter::border_from`] searches *forward* for a *border*: the beginning of a line that divides a text for one
//!   pattern. Both sides give the same pieces alone as together, so several threads can split them.
//! - [`start_before`] searches *back* from a position for a place where a piece begins with every built-in pattern,
//!   whatever stands further away in the text. So the end of a text can be encoded without its beginning, and a block of
//!   a stream without the text that follows.
//!
//! The second kind is found within a few words, the first only at the beginnings of lines.

use super::Splitter;
use super::classes;

impl Splitter {
    /// Returns whether [`start_before`] and [`border_from`](Self::border_from) hold for the pattern. A custom one may
    /// look at anything.
    pub(crate) fn has_borders(&self) -> bool {
        match self {
            #[cfg(feature = "custom")]
            Self::Custom(_) => false,
            _ => true,
        }
    }

    /// Returns the first border after `from`: a line that begins with a letter, where a text can be cut into two that
    /// are split independently.
    pub(crate) fn border_from(&self, text: &str, from: usize) -> Option<usize> {
        if !self.has_borders() {
            return None;
        }
        let newlines = memchr::memchr_iter(b'\n', text.as_bytes().get(from..)?);
        newlines
            .map(|at| from + at + 1)
            .find(|at| self.is_border(text, *at))
    }

    /// Returns whether a text can be cut at the beginning of this line.
    ///
    /// No word starts with a newline, and a piece that ends with one is the same piece at the end of a text. With
    /// GPT-2's pattern, that holds only if the newline is the whole run of white space.
    fn is_border(&self, text: &str, line: usize) -> bool {
        let class = |c: Option<char>| c.map_or(classes::WHITE, |c| classes::class_of(c.into()));
        let Some((before, after)) = text.split_at_checked(line) else {
            return false;
        };
        let before = before
            .strip_suffix('\n')
            .and_then(|before| before.chars().next_back());
        class(after.chars().next()) & classes::LETTER != 0
            && (class(before) & classes::WHITE == 0 || !matches!(self, Self::Gpt2))
    }
}

/// Returns the last place at or before `to` where a piece begins with every built-in pattern. The two characters beside
/// the place decide that alone.
pub(crate) fn start_before(text: &str, to: usize) -> Option<usize> {
    let (before, after) = text.split_at_checked(to)?;
    let mut next = after.chars().next();
    for (at, c) in before.char_indices().rev() {
        if next.is_some_and(|next| are_parted(c, next)) {
            return Some(at + c.len_utf8());
        }
        next = Some(c);
    }
    None
}

/// Returns whether a piece begins between two neighbours, with every pattern.
///
/// White space after the first character is found only in pieces of white space, and as newlines after punctuation. In
/// a piece, only letters, marks and contractions follow a letter.
fn are_parted(before: char, after: char) -> bool {
    let [before, class] = [before, after].map(|c| classes::class_of(c.into()));
    match class {
        classes::SPACE => before & classes::WHITE == 0,
        classes::NEWLINE => before & (classes::LETTER | classes::NUMBER) != 0,
        classes::NUMBER | classes::OTHER => before & classes::LETTER != 0 && after != '\'',
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ALL, text};
    use super::*;
    use crate::texts::Random;

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
                let pieces: Vec<&str> = splitter.pieces(&text).collect();
                let ends: Vec<usize> = pieces
                    .iter()
                    .scan(0, |at, piece| {
                        *at += piece.len();
                        Some(*at)
                    })
                    .collect();
                for start in &starts {
                    assert!(ends.contains(start), "{splitter:?} {text:?} {start}");
                    // so both sides can be split alone
                    let (before, after) = text.split_at(*start);
                    let alone: Vec<&str> = splitter
                        .pieces(before)
                        .chain(splitter.pieces(after))
                        .collect();
                    assert!(alone == pieces, "{splitter:?} {text:?} {start}");
                }
            }
        }
        assert!(found > 100_000, "{found}");
    }
}
