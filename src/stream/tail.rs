//! Text as it arrives: counted so far at every moment, or encoded as far as it is certain.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Encoding;
use super::engine::{State, merged};
use super::prefixes::Prefixes;
use super::sink::{Append, Count, Sink};
use crate::TokenId;
use crate::merge;
use crate::split::unicode::whole_chars;
use crate::split::{Scan, Splitter};
use crate::vocab::Vocabulary;

/// Text of more bytes than this goes through the engine as a whole, not piece by piece.
const BULK: usize = 256;

/// As long as nobody asks for the total, so much text is looked at together.
const LAZY: usize = 1 << 10;

/// What goes through the engine at once: no piece is longer than what it scans.
const MOST: usize = 1 << 30;

/// An open stretch of up to this many bytes is merged anew whenever the total is asked for: that is faster than to remember
/// how each of its beginnings is merged.
const SHORT: usize = 64;

/// So much text that is certain is kept at most, so that what is open is not moved with each push.
const KEPT: usize = 1 << 12;

/// An open piece of this many bytes is encoded as far as it is certain: one that never ends would take all memory.
const LONG: usize = 1 << 12;

/// The end of a text, of which later text decides where its pieces end.
#[derive(Debug, Clone)]
struct Stretch {
    /// Some text that is certain, and what is open.
    text: String,
    /// Where that begins.
    start: usize,
    scan: Scan,
    /// Whether it begins inside a piece, whose tokens up to there are certain.
    is_inside: bool,
    /// How long the open piece is to be before some of it may be certain.
    long: usize,
}

impl Stretch {
    fn new() -> Self {
        Self {
            text: String::new(),
            start: 0,
            scan: Scan::new(0),
            is_inside: false,
            long: LONG,
        }
    }

    /// Gives the ids of all pieces that are certain now to `sink`; whether there were any.
    #[inline]
    fn close(&mut self, encoding: &Encoding, sink: &mut impl Sink) -> bool {
        let (splitter, vocab) = (&encoding.0.splitter, encoding.vocab());
        let (text, before) = (self.text.as_bytes(), self.start);
        while let Some(end) = splitter.end(&mut self.scan, text, false) {
            let piece = text.get(self.start..end).unwrap_or_default();
            if std::mem::take(&mut self.is_inside) {
                merged(piece, vocab, sink);
            } else {
                closed(piece, vocab, sink);
            }
            (self.start, self.long) = (end, LONG);
            if text.len() - end > BULK {
                self.start += bulk(&self.text, end, splitter, vocab, sink);
            }
            self.scan = Scan::new(self.start);
        }
        let is_any = self.start > before;
        if self.start > KEPT {
            self.forget();
        }
        is_any
    }

    /// Gives the ids of the open piece that are certain, if it is a long one.
    #[inline]
    fn close_beginning(&mut self, encoding: &Encoding, sink: &mut impl Sink) {
        let end = self.scan.least_end();
        if end.saturating_sub(self.start) >= self.long && encoding.0.splitter.has_borders() {
            self.close_to(end, encoding.vocab(), sink);
        }
    }

    #[cold]
    fn close_to(&mut self, end: usize, vocab: &Vocabulary, sink: &mut impl Sink) {
        let bytes = self.text.as_bytes().get(self.start..end);
        let bytes = bytes.unwrap_or_default();
        let len = State::with(|state| state.encode_begun(bytes, vocab, sink));
        if len == 0 {
            // each byte is looked at a few times at most
            self.long = 2 * bytes.len();
            return;
        }
        self.long = LONG;
        self.is_inside = true;
        self.start += len;
        self.scan.go_on_from(self.start);
        self.forget();
    }

    /// Forgets the text that is certain.
    #[cold]
    fn forget(&mut self) {
        self.text.drain(..self.start);
        self.scan.shift(self.start);
        self.start = 0;
        self.text.shrink_to(2 * KEPT);
    }

    fn open(&self) -> &str {
        self.text.get(self.start..).unwrap_or_default()
    }

    /// Its first piece if no text follows, and what is behind.
    fn parted(&self, splitter: &Splitter) -> (&str, &str) {
        let end = splitter.end(&mut self.scan.clone(), self.text.as_bytes(), true);
        let len = end.map_or(0, |end| end - self.start);
        self.open().split_at_checked(len).unwrap_or_default()
    }
}

/// Gives the ids of a piece.
#[inline]
fn closed(piece: &[u8], vocab: &Vocabulary, sink: &mut impl Sink) {
    match vocab.likely_id(piece) {
        Some(id) => sink.one(id),
        None => State::with(|state| state.piece(piece, vocab, sink)),
    }
}

/// Gives the ids of the pieces of a long text that are certain; how many bytes they have.
fn bulk(
    text: &str,
    start: usize,
    splitter: &Splitter,
    vocab: &Vocabulary,
    sink: &mut impl Sink,
) -> usize {
    let text = text.get(start..).unwrap_or_default();
    let most = whole_chars(text.as_bytes(), MOST);
    let text = text.get(..most).unwrap_or_default();
    State::with(|state| state.encode_certain(text, splitter, vocab, sink))
}

/// The tokens of a piece that ends there: one if it is a token, though merging may not give that.
fn merged_to(prefixes: &Prefixes, piece: &str, end: usize, vocab: &Vocabulary) -> usize {
    match vocab.id(piece.as_bytes()) {
        Some(_) => 1,
        None => prefixes.tokens(end),
    }
}

/// Counts the tokens of a text that arrives in parts: made by [`Encoding::token_counter`].
///
/// ```
/// # #[cfg(feature = "cl100k_base")] {
/// let mut counter = tiktally::cl100k_base().token_counter();
/// counter.push("tiktok");
/// assert_eq!(counter.total(), 3);
/// counter.push("en is great!");
/// assert_eq!(counter.total(), 6);
/// # }
/// ```
pub struct TokenCounter {
    encoding: Encoding,
    stretch: Stretch,
    /// The tokens of what is certain.
    closed: usize,
    /// The tokens of the stretch, if no text follows and its beginnings are known: it is a long one that has grown.
    open: Option<usize>,
    /// How the beginnings of the stretch's first piece are merged, and of what would be a piece behind it.
    first: Prefixes,
    second: Prefixes,
    /// Whether the total was asked for since the last push.
    asked: AtomicBool,
}

impl Clone for TokenCounter {
    fn clone(&self) -> Self {
        Self {
            encoding: self.encoding.clone(),
            stretch: self.stretch.clone(),
            closed: self.closed,
            open: self.open,
            first: self.first.clone(),
            second: self.second.clone(),
            asked: AtomicBool::new(self.asked.load(Ordering::Relaxed)),
        }
    }
}

impl fmt::Debug for TokenCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCounter")
            .field("encoding", &self.encoding)
            .field("open", &self.stretch.open().len())
            .finish_non_exhaustive()
    }
}

/// Encodes a text that arrives in parts: made by [`Encoding::stream_encoder`].
///
/// ```
/// # #[cfg(feature = "cl100k_base")] {
/// let mut encoder = tiktally::cl100k_base().stream_encoder();
/// let mut ids = Vec::new();
/// encoder.push("hello wor", &mut ids);
/// assert_eq!(ids, [15339]);
/// encoder.push("ld", &mut ids);
/// encoder.finish(&mut ids);
/// assert_eq!(ids, [15339, 1917]);
/// # }
/// ```
#[derive(Clone)]
pub struct StreamEncoder {
    encoding: Encoding,
    stretch: Stretch,
}

impl fmt::Debug for StreamEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamEncoder")
            .field("encoding", &self.encoding)
            .field("open", &self.stretch.open().len())
            .finish_non_exhaustive()
    }
}

impl Encoding {
    /// A counter for text that arrives in parts, such as a streamed answer. Special strings in it are plain text. Bytes that
    /// may not be UTF-8 are no text; they have [`encode_bytes`](Self::encode_bytes).
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().token_counter().total(), 0);
    /// ```
    pub fn token_counter(&self) -> TokenCounter {
        TokenCounter {
            encoding: self.clone(),
            stretch: Stretch::new(),
            closed: 0,
            open: None,
            first: Prefixes::default(),
            second: Prefixes::default(),
            asked: AtomicBool::new(false),
        }
    }

    /// An encoder for text that arrives in parts. Special strings in it are plain text. Bytes that may not be UTF-8 are no
    /// text; they have [`encode_bytes`](Self::encode_bytes).
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let mut ids = Vec::new();
    /// tiktally::cl100k_base().stream_encoder().finish(&mut ids);
    /// assert!(ids.is_empty());
    /// # }
    /// ```
    pub fn stream_encoder(&self) -> StreamEncoder {
        StreamEncoder {
            encoding: self.clone(),
            stretch: Stretch::new(),
        }
    }
}

impl TokenCounter {
    /// Adds text.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let mut counter = tiktally::cl100k_base().token_counter();
    /// for part in ["12", "3", "4"] {
    ///     counter.push(part);
    /// }
    /// assert_eq!(counter.total(), tiktally::cl100k_base().count("1234"));
    /// # }
    /// ```
    ///
    /// # Complexity
    /// O(n) in the bytes that are added, on average, however long the open piece is. With a pattern of one's own that no
    /// splitter is made for, in those of the open piece too.
    pub fn push(&mut self, text: &str) {
        self.stretch.text.push_str(text);
        if self.encoding.is_whole() {
            return;
        }
        let was_asked = std::mem::take(self.asked.get_mut());
        if self.stretch.open().len() < LAZY && self.open.is_none() && !was_asked {
            return;
        }
        let mut sink = Count::new(usize::MAX);
        if self.stretch.close(&self.encoding, &mut sink) {
            self.closed += sink.tokens;
            self.first.clear(0);
            self.second.clear(0);
        }
        // what is mostly new is counted as one text when the total is asked for
        let open = self.stretch.open().len();
        let is_grown = open > SHORT && open > 2 * text.len();
        self.open = is_grown.then(|| self.count_long());
    }

    /// The number of tokens of all text so far: [`Encoding::count`] of it.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let mut counter = tiktally::cl100k_base().token_counter();
    /// counter.push("hello wor");
    /// // would this still fit?
    /// let mut longer = counter.clone();
    /// longer.push("ld of tokens");
    /// assert_eq!((counter.total(), longer.total()), (2, 4));
    /// # }
    /// ```
    ///
    /// # Complexity
    /// O(1): no more is looked at than about a thousand bytes, or what was pushed last. With a pattern of one's own that
    /// backtracks or drops gaps, or a vocabulary that does not follow from merging, all text is held, and counted here.
    pub fn total(&self) -> usize {
        if self.encoding.is_whole() {
            return self.encoding.count(self.stretch.open());
        }
        self.asked.store(true, Ordering::Relaxed);
        self.closed + self.open.unwrap_or_else(|| self.count_short())
    }

    /// Forgets all text.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let mut counter = tiktally::cl100k_base().token_counter();
    /// counter.push("hello");
    /// counter.clear();
    /// assert_eq!(counter.total(), 0);
    /// # }
    /// ```
    ///
    /// # Complexity
    /// O(1).
    pub fn clear(&mut self) {
        *self = self.encoding.token_counter();
    }

    /// The tokens of a short stretch, if no text follows.
    fn count_short(&self) -> usize {
        let (piece, rest) = self.stretch.parted(&self.encoding.0.splitter);
        let mut sink = Count::new(usize::MAX);
        if !piece.is_empty() {
            closed(piece.as_bytes(), self.encoding.vocab(), &mut sink);
        }
        sink.tokens + self.count_rest(rest)
    }

    /// The same of a long one, of which all beginnings are known.
    fn count_long(&mut self) -> usize {
        let (vocab, open) = (self.encoding.vocab(), self.stretch.open().as_bytes());
        let splitter = &self.encoding.0.splitter;
        let (piece, rest) = self.stretch.parted(splitter);
        self.first.extend(open, vocab);
        let first = merged_to(&self.first, piece, piece.len(), vocab);
        // by a pattern that is not known, the rest may be any number of pieces
        if rest.len() <= SHORT || !splitter.has_borders() {
            return first + self.count_rest(rest);
        }
        if self.second.start() != piece.len() {
            self.second.clear(piece.len());
        }
        self.second.extend(open, vocab);
        first + merged_to(&self.second, rest, open.len(), vocab)
    }

    fn count_rest(&self, rest: &str) -> usize {
        if rest.is_empty() {
            0
        } else {
            self.encoding.count(rest)
        }
    }
}

impl StreamEncoder {
    /// Adds text, and appends the ids that are certain now: those of all pieces that have ended, and of a long open one those
    /// that no end of it can change.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let mut encoder = tiktally::cl100k_base().stream_encoder();
    /// let mut ids = Vec::new();
    /// encoder.push("12", &mut ids);
    /// assert!(ids.is_empty());
    /// encoder.push("34", &mut ids);
    /// assert_eq!(ids, [4513]);
    /// # }
    /// ```
    ///
    /// # Complexity
    /// O(n) in the bytes that are added, on average, however long the open piece is. What is held of it is mostly less than
    /// 8 kB; of a run whose beginning later text may part from it, all: white space behind a newline, capitals behind a
    /// caseless letter. Where [`TokenCounter::total`] counts all text anew, all is held until [`finish`](Self::finish).
    pub fn push(&mut self, text: &str, ids: &mut Vec<TokenId>) {
        self.stretch.text.push_str(text);
        if self.encoding.is_whole() {
            return;
        }
        let len = ids.len();
        let mut sink = Append::new(ids, len);
        self.stretch.close(&self.encoding, &mut sink);
        self.stretch.close_beginning(&self.encoding, &mut sink);
        let len = sink.len();
        ids.truncate(len);
    }

    /// Ends the text, and appends the ids that are left. All that were appended are
    /// [`encode_ordinary`](Encoding::encode_ordinary) of all the text.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let mut encoder = tiktally::cl100k_base().stream_encoder();
    /// let mut ids = Vec::new();
    /// encoder.push("hello", &mut ids);
    /// encoder.finish(&mut ids);
    /// assert_eq!(ids, [15339]);
    /// # }
    /// ```
    ///
    /// # Complexity
    /// O(n) in the bytes of the open piece.
    pub fn finish(self, ids: &mut Vec<TokenId>) {
        let mut rest = self.stretch.open();
        if self.stretch.is_inside {
            let piece;
            (piece, rest) = self.stretch.parted(&self.encoding.0.splitter);
            merge::merge(piece.as_bytes(), self.encoding.vocab(), ids);
        }
        self.encoding.encode_ordinary_into(rest, ids);
    }
}
