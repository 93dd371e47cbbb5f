//! Texts within a number of tokens: the beginning, the end, or all of it in chunks.

use std::fmt;
use std::ops::Range;

use super::Encoding;
use super::engine::State;
use super::sink::Until;
use crate::TokenId;
use crate::error::{Error, ErrorKind};
use crate::split;
use crate::split::unicode::{is_visible, whole_chars};

/// The least limit of a chunk: a character has four bytes at most, and each byte is a token.
///
/// ```
/// # #[cfg(feature = "cl100k_base")]
/// assert!(tiktally::cl100k_base().chunks("Hi.", tiktally::MIN_CHUNK_TOKENS).is_ok());
/// ```
pub const MIN_CHUNK_TOKENS: usize = 4;

/// More bytes than most tokens have: to guess how much text some tokens are at most.
const MUCH: usize = 8;

/// The beginning of a text.
#[derive(Clone, Copy)]
struct Prefix {
    end: usize,
    tokens: usize,
}

impl Encoding {
    /// The beginning of a text that has at most `max_tokens` tokens, cut between two characters.
    ///
    /// Of the borders between characters that are not behind the first `max_tokens` tokens of the text, it is the last one
    /// up to which the text, encoded on its own, has no more tokens. So a text within the limit comes back whole, and with
    /// a limit of four at least, something of every text does. A longer beginning may fit too: a text that goes on can
    /// have fewer tokens.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// assert_eq!(encoding.truncate("tiktoken is great!", 4), "tiktoken is");
    /// assert_eq!(encoding.truncate("tiktoken is great!", 6), "tiktoken is great!");
    /// // a character that is more than one token is not cut apart
    /// assert_eq!(encoding.truncate("tea \u{1f375}", 3), "tea ");
    /// # }
    /// ```
    ///
    /// # Complexity
    /// O(n) in the bytes that are kept, and of a run of white space or capitals that goes on behind them.
    pub fn truncate<'t>(&self, text: &'t str, max_tokens: usize) -> &'t str {
        // each token has a byte at least
        if text.len() <= max_tokens {
            return text;
        }
        let end = self.prefix(text, max_tokens).end;
        text.get(..end).unwrap_or_default()
    }

    /// The end of a text that has at most `max_tokens` tokens, cut between two characters: for logs and conversations.
    ///
    /// Of the borders between characters that are not before the last `max_tokens` tokens of the text, it is the first one
    /// from which the text, encoded on its own, has no more tokens.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// assert_eq!(encoding.truncate_start("tiktoken is great!", 3), " is great!");
    /// assert_eq!(encoding.truncate_start("tiktoken is great!", 9), "tiktoken is great!");
    /// # }
    /// ```
    ///
    /// # Complexity
    /// O(n) in the bytes that are kept and those of the longest run before them without an end of a word; with a pattern of
    /// one's own that has no splitter made for it, in those of the text.
    pub fn truncate_start<'t>(&self, text: &'t str, max_tokens: usize) -> &'t str {
        let start = self.suffix(text, max_tokens);
        text.get(start..).unwrap_or_default()
    }

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

    /// See [`truncate`](Self::truncate).
    fn prefix(&self, text: &str, max_tokens: usize) -> Prefix {
        if max_tokens == 0 {
            return Prefix { end: 0, tokens: 0 };
        }
        let splitter = &self.0.splitter;
        let mut ids = Vec::new();
        let mut until = Until::new(&mut ids, max_tokens);
        State::with(|state| state.encode(text, splitter, self.vocab(), &mut until));
        let tokens = until.ids.len();
        if tokens <= max_tokens {
            let end = text.len();
            return Prefix { end, tokens };
        }
        let end = until.end(self.vocab());
        // where there are gaps, tokens do not tell how much text they are of
        let start = if splitter.is_whole() {
            0
        } else {
            until.start_before(text, end)
        };
        // the tokens before the pieces that the cut may change
        let before = max_tokens - self.tokens_of(until.ids.get(..max_tokens), end - start);
        let borders = (0..=end).rev().filter(|at| text.is_char_boundary(*at));
        for end in borders {
            let tokens = match text.get(start..end) {
                Some(rest) => before + self.count(rest),
                None => self.count(text.get(..end).unwrap_or_default()),
            };
            if tokens <= max_tokens {
                return Prefix { end, tokens };
            }
        }
        Prefix { end: 0, tokens: 0 }
    }

    /// See [`truncate_start`](Self::truncate_start): where it begins.
    fn suffix(&self, text: &str, max_tokens: usize) -> usize {
        if max_tokens == 0 {
            return text.len();
        }
        let Some(start) = self.start_of_last(text, max_tokens) else {
            return 0;
        };
        let mut borders = (start..text.len()).filter(|at| text.is_char_boundary(*at));
        let fits = |at: &usize| {
            let rest = text.get(*at..).unwrap_or_default();
            self.count_up_to(rest, max_tokens).is_some()
        };
        borders.find(fits).unwrap_or(text.len())
    }

    /// Where the last so many tokens of a text begin, if there are more.
    fn start_of_last(&self, text: &str, max_tokens: usize) -> Option<usize> {
        #[cfg(feature = "custom")]
        if self.0.splitter.is_whole() {
            let starts = self.token_starts(text);
            let more = starts
                .len()
                .checked_sub(max_tokens)
                .filter(|more| *more > 0)?;
            return starts.get(more).copied();
        }
        let mut wanted = max_tokens.saturating_mul(MUCH);
        let ids = loop {
            let to = text.len().saturating_sub(wanted);
            let to = whole_chars(text.as_bytes(), to);
            let has_borders = self.0.splitter.has_borders();
            let border = || split::start_before(text, to);
            let from = has_borders.then(border).flatten().unwrap_or(0);
            let ids = self.encode_ordinary(text.get(from..).unwrap_or_default());
            if from == 0 || ids.len() > max_tokens {
                break ids;
            }
            wanted = (text.len() - from).saturating_mul(2);
        };
        let first = ids.len().checked_sub(max_tokens)?;
        let last = ids.get(first..).unwrap_or_default();
        Some(text.len() - self.vocab().total_len(last))
    }

    /// Where each token of a text begins that is cut as a whole: there may be gaps.
    #[cfg(feature = "custom")]
    fn token_starts(&self, text: &str) -> Vec<usize> {
        let (mut starts, mut ids) = (Vec::new(), Vec::new());
        let pieces = self.0.splitter.whole_pieces(text);
        for piece in pieces.map_while(Result::ok) {
            ids.clear();
            let mut start = piece.start;
            self.encode_piece(text.get(piece).unwrap_or_default().as_bytes(), &mut ids);
            for id in &ids {
                starts.push(start);
                start += self.vocab().len(*id);
            }
        }
        starts
    }

    /// How many of the last tokens have so many bytes.
    fn tokens_of(&self, ids: Option<&[TokenId]>, bytes: usize) -> usize {
        let mut left = bytes;
        let last = ids.unwrap_or_default().iter().rev();
        last.take_while(|id| {
            let is_more = left > 0;
            left = left.saturating_sub(self.vocab().len(**id));
            is_more
        })
        .count()
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

#[cfg(all(test, feature = "cl100k_base"))]
mod tests {
    use crate::split::scanned;

    /// One piece of which each part is another.
    fn letters(len: usize) -> String {
        let cube = |n: usize| n * n % 1009 * n % 1013;
        (0..len)
            .map(|n| char::from(b"etaoinshrdlu"[cube(n) % 12]))
            .collect()
    }

    /// No call looks at a byte more than a few times, or far beyond what it keeps.
    #[test]
    fn each_byte_is_looked_at_a_few_times() {
        let encoding = crate::cl100k_base();
        let lines = [
            "Some words of a text, and 1234 numbers.\n",
            "你好，世界！再见。\n",
            "x = [1, 2];\n\t ",
        ];
        let lines = lines.map(|line| line.repeat(400_000 / line.len()));
        for text in lines.into_iter().chain([letters(400_000)]) {
            let is_one_piece = text.starts_with(char::is_lowercase);
            let kept = encoding.truncate(&text, 1000).len();
            let looked = scanned::during(|| {
                encoding.truncate(&text, 1000);
            });
            assert!(looked >= kept, "truncate: {looked} for {kept}");
            assert!(looked < 3 * kept + 5_000, "truncate: {looked} for {kept}");
            let looked = scanned::during(|| {
                encoding.truncate_start(&text, 1000);
            });
            assert!(
                looked < 12 * kept + 5_000 || is_one_piece,
                "truncate_start: {looked} for {kept}"
            );
            let looked = scanned::during(|| {
                assert!(encoding.count_up_to(&text, 1000).is_none());
            });
            assert!(
                looked < 2 * kept + 50_000,
                "count_up_to: {looked} for {kept}"
            );
            for (overlap, times) in [(0, 3), (100, 6)] {
                // how long the chunk is shows only when its tokens are there
                let times = times + 2 * usize::from(is_one_piece);
                let chunks = encoding.chunks_overlapping(&text, 512, overlap).unwrap();
                let looked = scanned::during(|| assert!(chunks.count() > 100));
                assert!(
                    looked < times * text.len(),
                    "chunks: {looked} of {}",
                    text.len()
                );
            }
            let looked = scanned::during(|| {
                let mut counter = encoding.token_counter();
                for (at, c) in text.char_indices() {
                    counter.push(text.get(at..at + c.len_utf8()).unwrap_or_default());
                    counter.total();
                }
            });
            assert!(
                looked < 4 * text.len(),
                "counter: {looked} of {}",
                text.len()
            );
        }
    }
}
