//! A text in chunks within a number of tokens.

use std::fmt;
use std::ops::Range;

use super::Encoding;
use super::graphemes::Clusters;
use super::truncate::Prefix;
use crate::error::{Error, ErrorKind};
use crate::split::classes::is_visible;

/// The smallest limit of a chunk, in tokens.
///
/// A character has at most four bytes, and each byte is a token at worst. So four tokens hold any character.
///
/// ```
/// # #[cfg(feature = "cl100k_base")]
/// assert!(tiktally::cl100k_base().chunks("Hi.", tiktally::MIN_CHUNK_TOKENS).is_ok());
/// ```
pub const MIN_CHUNK_TOKENS: usize = 4;

impl Encoding {
    /// Splits a text into chunks of at most `max_tokens` tokens each, cut between two characters.
    ///
    /// Joined, the chunks are the text. Each one is the result of [`truncate`](Self::truncate) on the rest of the text.
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
    /// [`is_limit_too_small`](Error::is_limit_too_small): the limit is below [`MIN_CHUNK_TOKENS`], for any text.
    ///
    /// # Panics
    /// The iterator panics as [`encode_ordinary`](Self::encode_ordinary) does.
    ///
    /// # Complexity
    /// O(n) in the bytes of the text, for all chunks together.
    pub fn chunks<'t>(&self, text: &'t str, max_tokens: usize) -> Result<Chunks<'t>, Error> {
        self.chunks_overlapping(text, max_tokens, 0)
    }

    /// Splits a text into chunks, each of which begins with the last `overlap` tokens, or fewer, of the one before.
    ///
    /// Each chunk has at most `max_tokens` tokens, the overlap included, and is cut between two characters.
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
    /// [`is_limit_too_small`](Error::is_limit_too_small): the limit is below the overlap plus [`MIN_CHUNK_TOKENS`], so
    /// a chunk might have no room for new text.
    ///
    /// # Panics
    /// The iterator panics as that of [`chunks`](Self::chunks) does.
    ///
    /// # Complexity
    /// As [`chunks`](Self::chunks), the overlaps included.
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
                clusters: None,
                previous: 0..0,
            },
        })
    }
}

/// A preferred place to end a chunk, used if there is one in the last quarter of the text that fits.
///
/// `Grapheme`, of the feature `graphemes`, is not a place near the end but a rule for all places.
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
    /// After a newline.
    Line,
    /// Between the end of a sentence and the white space after it, or after a full-width full stop.
    Sentence,
    /// Between a word and the white space after it.
    Word,
    /// Only between two grapheme clusters, which [`Encoding::truncate_graphemes`] explains.
    ///
    /// It can be set in addition to one of the others. It holds for the start of an overlap too, which may be shorter
    /// for it. Only a cluster that alone has more tokens than a chunk may have is cut, between two of its characters.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::Cut;
    ///
    /// let text = "hello \u{1f469}\u{200d}\u{1f467} world"; // a mother and her daughter
    /// let chunks = tiktally::cl100k_base().chunks(text, 8)?.prefer(Cut::Grapheme);
    /// assert_eq!(chunks.collect::<Vec<_>>(), ["hello \u{1f469}\u{200d}\u{1f467}", " world"]);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[cfg(feature = "graphemes")]
    #[cfg_attr(docsrs, doc(cfg(feature = "graphemes")))]
    Grapheme,
}

impl Cut {
    /// Returns the last place of this kind between `from` and `end`.
    fn last_in(self, text: &str, from: usize, end: usize) -> Option<usize> {
        let (before, rest) = text.split_at_checked(end)?;
        let mut next = rest.chars().next();
        for (at, c) in before.char_indices().rev() {
            let is_space_next = next.is_some_and(|c| !is_visible(c));
            let is_cut = match self {
                Self::Line => c == '\n',
                Self::Sentence => {
                    matches!(c, '.' | '!' | '?') && is_space_next || matches!(c, '。' | '！' | '？')
                }
                Self::Word => is_visible(c) && is_space_next,
                // all ends of chunks keep to it already
                #[cfg(feature = "graphemes")]
                Self::Grapheme => false,
            };
            if at < from || is_cut {
                return is_cut.then_some(at + c.len_utf8());
            }
            next = Some(c);
        }
        None
    }
}

/// An iterator over the chunks of a text, made by [`Encoding::chunks`] and [`Encoding::chunks_overlapping`].
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
    /// Sets the preferred place to end a chunk, used if there is one in the last quarter of the text that fits.
    ///
    /// The last call decides, except that `Cut::Grapheme` adds to the others.
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
        match cut {
            #[cfg(feature = "graphemes")]
            Cut::Grapheme => self.spans.clusters = Some(Clusters::default()),
            cut => self.spans.cut = Some(cut),
        }
        self
    }

    /// Returns an iterator over the byte ranges of the chunks and their numbers of tokens.
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

/// The place of a chunk in its text, and its size: an item of [`Spans`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChunkSpan {
    /// The range of the chunk in the text, in bytes.
    pub range: Range<usize>,
    /// The number of tokens of the chunk.
    pub tokens: usize,
}

/// An iterator over the places of chunks in a text, made by [`Chunks::spans`].
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
    /// Set if clusters stay whole.
    clusters: Option<Clusters>,
    /// The range of the previous chunk; `0..0` before the first one.
    previous: Range<usize>,
}

impl fmt::Debug for Spans<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spans")
            .field("encoding", &self.encoding)
            .field("max_tokens", &self.max_tokens)
            .field("overlap", &self.overlap)
            .field("cut", &self.cut)
            .field("clusters", &self.clusters)
            .field("previous", &self.previous)
            .finish_non_exhaustive()
    }
}

impl Iterator for Spans<'_> {
    type Item = ChunkSpan;

    fn next(&mut self) -> Option<ChunkSpan> {
        let previous = self.previous.clone();
        if previous.end == self.text.len() {
            return None;
        }
        let mut start = previous.end;
        let known = self.cluster_start(previous.start);
        if self.overlap > 0 {
            let text = self.text.get(previous.clone())?;
            let may_start = |at: usize| self.may_cut(known, previous.start + at);
            let overlap = self.encoding.suffix_start_at(text, self.overlap, may_start);
            start -= text.len() - overlap;
        }
        let mut span = self.chunk_at(start);
        // an overlap that leaves no room for new text is made smaller
        while span.range.end <= self.previous.end {
            let from = match self.clusters {
                // a cluster may need much room, so that a smaller step would need many
                Some(_) => start + (previous.end - start).div_ceil(2),
                None => start + 1,
            };
            start = (from..previous.end)
                .find(|at| self.may_cut(known, *at) && self.fits_overlap(*at))
                .unwrap_or(previous.end);
            span = self.chunk_at(start);
        }
        self.previous = span.range.clone();
        Some(span)
    }
}

impl std::iter::FusedIterator for Spans<'_> {}

impl Spans<'_> {
    /// Returns whether the previous chunk can overlap the next one from `start` on. It must be counted: a smaller part
    /// of an overlap can have more tokens, such as white space that is one token as a whole.
    fn fits_overlap(&self, start: usize) -> bool {
        let rest = self.text.get(start..self.previous.end);
        rest.is_some_and(|rest| self.encoding.count_up_to(rest, self.overlap).is_some())
    }

    /// Returns the start of the cluster in which a chunk begins; of no use if clusters need not stay whole.
    fn cluster_start(&self, start: usize) -> usize {
        let clusters = self.clusters.as_ref();
        clusters.map_or(start, |clusters| clusters.start_at(start))
    }

    /// Returns whether a chunk may begin or end at this byte, if that is between two characters. `known` is the start of
    /// a cluster before it.
    fn may_cut(&self, known: usize, at: usize) -> bool {
        self.clusters.is_none() || Clusters::is_boundary(self.text, known, at)
    }

    /// Returns the chunk that begins at `start`.
    fn chunk_at(&mut self, start: usize) -> ChunkSpan {
        let rest = self.text.get(start..).unwrap_or_default();
        let Prefix { end, tokens } = match &mut self.clusters {
            Some(clusters) => clusters.prefix(&self.encoding, self.text, start, self.max_tokens),
            None => self.encoding.prefix(rest, self.max_tokens),
        };
        let known = self.cluster_start(start);
        let preferred = self.cut.filter(|_| end < rest.len()).and_then(|cut| {
            // the last quarter: no chunk loses more to a preferred cut
            let end = cut
                .last_in(rest, end - end / 4, end)
                .filter(|cut| *cut < end && self.may_cut(known, start + cut))?;
            let chunk = rest.get(..end).unwrap_or_default();
            let tokens = self.encoding.count_up_to(chunk, self.max_tokens)?;
            // the next chunk must begin after the start of this one
            let is_progress = start + end > self.previous.end && tokens > self.overlap;
            is_progress.then_some(Prefix { end, tokens })
        });
        let Prefix { end, tokens } = preferred.unwrap_or(Prefix { end, tokens });
        let range = start..start + end;
        ChunkSpan { range, tokens }
    }
}
