//! The iterator over the pieces of a text.

use std::ops::Range;

#[cfg(feature = "custom")]
use super::custom::Gaps;
#[cfg(feature = "tokenizer-json")]
use super::stages::StagesProgress;
use super::{Scan, Splitter};
use crate::error::Error;

impl Splitter {
    /// Returns the pieces of a text.
    #[inline]
    pub(crate) fn pieces<'t>(&self, text: &'t str) -> Pieces<'t> {
        Pieces {
            ranges: self.pieces_of_whole_text(text),
        }
    }

    /// Returns the ranges of the pieces of a text that is split as a whole; there may be gaps between them.
    pub(crate) fn pieces_of_whole_text<'t>(&self, text: &'t str) -> Ranges<'t> {
        Ranges {
            splitter: self.clone(),
            text,
            at: 0,
            #[cfg(feature = "tokenizer-json")]
            progress: StagesProgress::default(),
        }
    }
}

/// An iterator over the ranges of the pieces of a text that is split as a whole.
#[derive(Clone, Debug)]
pub(crate) struct Ranges<'t> {
    splitter: Splitter,
    text: &'t str,
    /// The end of the last piece.
    at: usize,
    #[cfg(feature = "tokenizer-json")]
    progress: StagesProgress,
}

impl Ranges<'_> {
    /// Returns the first piece at or after the end of the last one.
    #[cfg_attr(not(feature = "custom"), allow(clippy::unnecessary_wraps))] // only custom patterns fail
    fn find(&mut self) -> Result<Option<Range<usize>>, Error> {
        let (text, at) = (self.text, self.at);
        #[cfg(feature = "custom")]
        if let Splitter::Custom(custom) = &self.splitter {
            #[cfg(feature = "tokenizer-json")]
            if let Some(stages) = custom.as_stages() {
                return stages.next(text, at, &mut self.progress);
            }
            let found = custom.find(text, at)?;
            return Ok(match (custom.gaps(), found) {
                (Gaps::Keep, Some(found)) if found.start > at => Some(at..found.start),
                (Gaps::Keep, None) if at < text.len() => Some(at..text.len()),
                (_, found) => found,
            });
        }
        let end = self.splitter.end(&mut Scan::new(at), text.as_bytes(), true);
        Ok(end.map(|end| at..end))
    }
}

impl Iterator for Ranges<'_> {
    type Item = Result<Range<usize>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let piece = self.find().transpose()?;
        if let Ok(piece) = &piece {
            self.at = piece.end;
        }
        Some(piece)
    }
}

/// Panics with an error that the call cannot return.
#[cold]
#[allow(clippy::panic)] // documented: only backtracking patterns can fail, and `try_` calls return it
pub(crate) fn give_up(error: &Error) -> ! {
    panic!("{error}")
}

/// An iterator over the pieces of a text in order. Joined, they are the text, unless a custom pattern drops its gaps.
///
/// Created by [`Encoding::pieces`](crate::Encoding::pieces).
///
/// ```
/// # #[cfg(feature = "cl100k_base")] {
/// let mut pieces = tiktally::cl100k_base().pieces("hello world");
/// assert_eq!((pieces.next(), pieces.next(), pieces.next()), (Some("hello"), Some(" world"), None));
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Pieces<'t> {
    ranges: Ranges<'t>,
}

impl<'t> Iterator for Pieces<'t> {
    type Item = &'t str;

    #[inline]
    fn next(&mut self) -> Option<&'t str> {
        let Ranges {
            splitter, text, at, ..
        } = &mut self.ranges;
        if splitter.needs_whole_text() {
            let text = *text;
            let piece = self.ranges.next()?;
            return text.get(piece.unwrap_or_else(|error| give_up(&error)));
        }
        let end = splitter.end(&mut Scan::new(*at), text.as_bytes(), true)?;
        let piece = text.get(*at..end);
        *at = end;
        piece
    }
}

impl std::iter::FusedIterator for Pieces<'_> {}
