//! A text in chunks within a number of tokens.

use std::fmt;
use std::ops::Range;

use super::Encoding;
use super::truncate::Prefix;
use crate::error::{Error, ErrorKind};
use crate::split::classes::is_visible;

/// The least limit of a chunk: a character has four bytes at most, and each byte is a token.
///
/// ```
/// # #[cfg(feature = "cl100k_base")]
/// assert!(tiktally::cl100k_base().chunks("Hi.", tiktally::MIN_CHUNK_TOKENS).is_ok());
/// ```
pub const MIN_CHUNK_TOKENS: usize = 4;

impl Encoding {
    /// The text in parts of at most `max_tokens` tokens each, cut between characters. Joined they are the text. Each is
    /// what [`truncate`](Self::truncate) gives of what is left.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let chunks = tiktally::cl100k_base().chunks("one two three four five six", 4)?;
    /// assert_eq!(chunks.collect::<Vec<_>>(), ["one two three four", " five six"]);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_limit_too_small`](Error::is_limit_too_small) if the limit is below [`MIN_CHUNK_TOKENS`], whatever the text.
    ///
    /// # Complexity
    /// O(n) in the bytes of the text for all chunks together.
    pub fn chunks<'t>(&self, text: &'t str, max_tokens: usize) -> Result<Chunks<'t>, Error> {
        self.chunks_overlapping(text, max_tokens, 0)
    }

    /// The same, but each chunk begins with the end of the one before, of at most `overlap` tokens.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let chunks = tiktally::cl100k_base().chunks_overlapping("one two three four five six", 5, 1)?;
    /// assert_eq!(chunks.collect::<Vec<_>>(), ["one two three four five", " five six"]);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_limit_too_small`](Error::is_limit_too_small) if the limit is below the overlap plus [`MIN_CHUNK_TOKENS`]: a chunk
    /// might not get any further.
    ///
    /// # Complexity
    /// As [`chunks`](Self::chunks), with the overlaps.
    pub fn chunks_overlapping<'t>(
        &self,
        text: &'t str,
        max_tokens: usize,
        overlap: usize,
    ) -> Result<Chunks<'t>, Error> {
        let room = max_tokens.checked_sub(overlap);
        if room.is_none_or(|room| room < MIN_CHUNK_TOKENS) {
            return Err(ErrorKind::ChunkTooSmall {
                max_tokens,
                overlap,
                least: overlap.checked_add(MIN_CHUNK_TOKENS),
            }
            .into());
        }
        Ok(Chunks {
            spans: Spans {
                encoding: self.clone(),
                text,
                max_tokens,
                overlap,
                cut: None,
                done: 0..0,
            },
        })
    }
}

/// Where chunks are best cut, if such a place is in the last quarter of what fits.
///
/// ```
/// # #[cfg(feature = "cl100k_base")] {
/// use tiktally::Cut;
///
/// let text = "One thing is here, as they say. It goes on.";
/// let chunks = tiktally::cl100k_base().chunks(text, 10)?.prefer(Cut::Sentence);
/// assert_eq!(chunks.collect::<Vec<_>>(), ["One thing is here, as they say.", " It goes on."]);
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cut {
    /// Behind a newline.
    Line,
    /// Between the end of a sentence and the white space behind it, or behind a full-width full stop.
    Sentence,
    /// Between a word and the white space behind it.
    Word,
}

impl Cut {
    /// The last such place between `from` and `end`.
    fn last(self, text: &str, from: usize, end: usize) -> Option<usize> {
        let (before, behind) = text.split_at_checked(end)?;
        let mut after = behind.chars().next();
        for (at, c) in before.char_indices().rev() {
            let is_space = after.is_some_and(|c| !is_visible(c));
            let is_cut = match self {
                Self::Line => c == '\n',
                Self::Sentence => {
                    matches!(c, '.' | '!' | '?') && is_space || matches!(c, '。' | '！' | '？')
                }
                Self::Word => is_visible(c) && is_space,
            };
            if at < from || is_cut {
                return is_cut.then_some(at + c.len_utf8());
            }
            after = Some(c);
        }
        None
    }
}

/// The parts of a text, made by [`Encoding::chunks`] and [`Encoding::chunks_overlapping`].
///
/// ```
/// # #[cfg(feature = "cl100k_base")] {
/// let mut chunks = tiktally::cl100k_base().chunks("one two three four five six", 4)?;
/// assert_eq!(chunks.next(), Some("one two three four"));
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Chunks<'t> {
    spans: Spans<'t>,
}

impl<'t> Chunks<'t> {
    /// Cuts there, where such a place is in the last quarter of what fits.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let chunks = tiktally::cl100k_base().chunks("one two three four\nfive six", 6)?;
    /// assert_eq!(chunks.prefer(tiktally::Cut::Line).collect::<Vec<_>>(), ["one two three four\n", "five six"]);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[must_use]
    pub fn prefer(mut self, cut: Cut) -> Self {
        self.spans.cut = Some(cut);
        self
    }

    /// Where the chunks are, and how many tokens they have.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let mut spans = tiktally::cl100k_base().chunks("one two three four five six", 4)?.spans();
    /// let last = spans.nth(1).unwrap();
    /// assert_eq!((last.range, last.tokens), (18..27, 2));
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub fn spans(self) -> Spans<'t> {
        self.spans
    }
}

impl<'t> Iterator for Chunks<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let span = self.spans.next()?;
        self.spans.text.get(span.range)
    }
}

impl std::iter::FusedIterator for Chunks<'_> {}

/// A chunk of a text.
///
/// ```
/// # #[cfg(feature = "cl100k_base")] {
/// let span = tiktally::cl100k_base().chunks("one two", 4)?.spans().next().unwrap();
/// assert_eq!((span.range, span.tokens), (0..7, 2));
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChunkSpan {
    /// Which bytes of the text it is.
    pub range: Range<usize>,
    /// How many tokens it has.
    pub tokens: usize,
}

/// The places of chunks in a text, made by [`Chunks::spans`].
///
/// ```
/// # #[cfg(feature = "cl100k_base")] {
/// let spans = tiktally::cl100k_base().chunks("one two three four five six", 4)?.spans();
/// assert_eq!(spans.map(|span| span.tokens).collect::<Vec<_>>(), [4, 2]);
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Clone)]
pub struct Spans<'t> {
    encoding: Encoding,
    text: &'t str,
    max_tokens: usize,
    overlap: usize,
    cut: Option<Cut>,
    /// The last chunk.
    done: Range<usize>,
}

impl fmt::Debug for Spans<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spans")
            .field("encoding", &self.encoding)
            .field("max_tokens", &self.max_tokens)
            .field("overlap", &self.overlap)
            .field("cut", &self.cut)
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}

impl Iterator for Spans<'_> {
    type Item = ChunkSpan;

    fn next(&mut self) -> Option<ChunkSpan> {
        let last = self.done.clone();
        if last.end == self.text.len() {
            return None;
        }
        let mut start = last.end;
        if self.overlap > 0 {
            let text = self.text.get(last)?;
            start -= text.len() - self.encoding.suffix(text, self.overlap);
        }
        let mut span = self.from(start);
        // an overlap that leaves no room for more is made smaller
        while span.range.end <= self.done.end {
            start = (start + 1..self.done.end)
                .find(|at| self.is_overlap(*at))
                .unwrap_or(self.done.end);
            span = self.from(start);
        }
        self.done = span.range.clone();
        Some(span)
    }
}

impl std::iter::FusedIterator for Spans<'_> {}

impl Spans<'_> {
    /// Whether what the last chunk has from there on is an overlap: a smaller part of it may have more tokens.
    fn is_overlap(&self, start: usize) -> bool {
        let rest = self.text.get(start..self.done.end);
        rest.is_some_and(|rest| self.encoding.count_up_to(rest, self.overlap).is_some())
    }

    /// The chunk that begins at `start`.
    fn from(&self, start: usize) -> ChunkSpan {
        let rest = self.text.get(start..).unwrap_or_default();
        let Prefix { end, tokens } = self.encoding.prefix(rest, self.max_tokens);
        let preferred = self.cut.filter(|_| end < rest.len()).and_then(|cut| {
            let end = cut
                .last(rest, end - end / 4, end)
                .filter(|cut| *cut < end)?;
            let chunk = rest.get(..end).unwrap_or_default();
            let tokens = self.encoding.count_up_to(chunk, self.max_tokens)?;
            // the next chunk shall begin behind where this one does
            let is_more = start + end > self.done.end && tokens > self.overlap;
            is_more.then_some(Prefix { end, tokens })
        });
        let Prefix { end, tokens } = preferred.unwrap_or(Prefix { end, tokens });
        let range = start..start + end;
        ChunkSpan { range, tokens }
    }
}
