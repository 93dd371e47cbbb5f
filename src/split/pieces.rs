//! The iterator over the pieces of a text.

use std::ops::Range;

#[cfg(feature = "custom")]
use super::custom::{Gaps, Progress};
use super::{Scan, Splitter};
use crate::error::Error;

impl Splitter {
    /// Returns the pieces of a text.
    #[inline]
    pub(crate) fn pieces<'t>(&self, text: &'t str) -> Pieces<'t> {
        Pieces {
            splitter: self.clone(),
            text,
            start: 0,
            #[cfg(feature = "custom")]
            progress: Progress::default(),
        }
    }

    /// Returns the ranges of the pieces of a text that is split as a whole; there may be gaps between them.
    pub(crate) fn pieces_of_whole_text(
        &self,
        text: &str,
    ) -> impl Iterator<Item = Result<Range<usize>, Error>> {
        let mut at = 0;
        #[cfg(feature = "custom")]
        let mut progress = Progress::default();
        std::iter::from_fn(move || {
            let piece = self.next_of_whole_text(
                text,
                at,
                #[cfg(feature = "custom")]
                &mut progress,
            );
            let piece = piece.transpose()?;
            if let Ok(piece) = &piece {
                at = piece.end;
            }
            Some(piece)
        })
    }

    /// Returns the first piece at or after `start`, in a text that is split as a whole.
    #[cfg_attr(not(feature = "custom"), allow(clippy::unnecessary_wraps))] // only custom patterns fail
    fn next_of_whole_text(
        &self,
        text: &str,
        start: usize,
        #[cfg(feature = "custom")] progress: &mut Progress,
    ) -> Result<Option<Range<usize>>, Error> {
        #[cfg(feature = "custom")]
        if let Self::Custom(custom) = self {
            #[cfg(feature = "tokenizer-json")]
            if let Some(piece) = custom.next_of_stages(text, start, progress) {
                return piece;
            }
            #[cfg(not(feature = "tokenizer-json"))]
            let _ = progress;
            let found = custom.find(text, start)?;
            return Ok(match (custom.gaps(), found) {
                (Gaps::Keep, Some(found)) if found.start > start => Some(start..found.start),
                (Gaps::Keep, None) if start < text.len() => Some(start..text.len()),
                (_, found) => found,
            });
        }
        let end = self.end(&mut Scan::new(start), text.as_bytes(), true);
        Ok(end.map(|end| start..end))
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
    splitter: Splitter,
    text: &'t str,
    start: usize,
    #[cfg(feature = "custom")]
    progress: Progress,
}

impl<'t> Iterator for Pieces<'t> {
    type Item = &'t str;

    #[inline]
    fn next(&mut self) -> Option<&'t str> {
        if self.splitter.needs_whole_text() {
            let piece = self.splitter.next_of_whole_text(
                self.text,
                self.start,
                #[cfg(feature = "custom")]
                &mut self.progress,
            );
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
