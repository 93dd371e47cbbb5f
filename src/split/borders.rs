//! Places at which a text can be cut before it is split.
//!
//! There are two kinds, for two tasks. [`Splitter::border_from`] looks *forward* for the beginning of a line that parts a
//! text for one pattern: both sides are then split on their own, on several threads. [`start_before`] looks *back* from a
//! position for a place where a piece begins whatever the pattern is and whatever stands further away: the end of a text
//! is then encoded without its beginning. The second is found within a few words, the first only at lines.

use super::Splitter;
use super::classes;

impl Splitter {
    /// Whether a text can be cut where [`start_before`] and [`border_from`](Self::border_from) say.
    pub(crate) fn has_borders(&self) -> bool {
        match self {
            #[cfg(feature = "custom")]
            Self::Custom(_) => false,
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
}
