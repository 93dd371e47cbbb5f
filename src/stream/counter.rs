//! Counts the tokens of a text while it arrives.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use super::tail::{LAZY_BYTES, OpenTail, SHORT_TAIL_BYTES, encode_closed_piece};
use crate::encoding::Encoding;
use crate::engine::prefixes::Prefixes;
use crate::engine::sink::Count;
use crate::split::Splitter;
use crate::vocab::Regular;

/// Returns the number of tokens of `piece`, whose merge `prefixes` knows and which ends at `end`. A piece that is a
/// token is one, even if merging its bytes gives more.
fn merged_to(prefixes: &Prefixes, piece: &str, end: usize, vocab: &Regular) -> usize {
    match vocab.id(piece.as_bytes()) {
        Some(_) => 1,
        None => prefixes.tokens(end),
    }
}

/// Counts the tokens of a text that arrives in parts, such as a streamed answer.
///
/// Created by [`Encoding::token_counter`]. Ask for the [`total`](Self::total) at any time; clone the counter to try out
/// a continuation.
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
    tail: OpenTail,
    /// The tokens of the text before the tail: no text to come can change them.
    closed: usize,
    /// The tokens of the tail if no text follows; `Some` only for a long tail that grew bit by bit, whose prefixes are
    /// known.
    open: Option<usize>,
    /// How the prefixes of the tail's first piece merge.
    first: Prefixes,
    /// How the prefixes of the rest merge, which is one piece if no text follows.
    second: Prefixes,
    /// Whether `total` was called since the last push: then the caller follows the count, and pushes stop being lazy.
    asked: AtomicBool,
}

impl Clone for TokenCounter {
    fn clone(&self) -> Self {
        Self {
            encoding: self.encoding.clone(),
            tail: self.tail.clone(),
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
            .field("open", &self.tail.open().len())
            .finish_non_exhaustive()
    }
}

impl Encoding {
    /// Creates a counter for text that arrives in parts, such as a streamed answer.
    ///
    /// Special tokens in the text count as plain text. For bytes that may not be valid UTF-8, see
    /// [`encode_bytes`](Self::encode_bytes).
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let mut counter = tiktally::cl100k_base().token_counter();
    /// counter.push("hello world");
    /// assert_eq!(counter.total(), 2);
    /// # }
    /// ```
    pub fn token_counter(&self) -> TokenCounter {
        TokenCounter {
            encoding: self.clone(),
            tail: OpenTail::new(),
            closed: 0,
            open: None,
            first: Prefixes::default(),
            second: Prefixes::default(),
            asked: AtomicBool::new(false),
        }
    }
}

impl TokenCounter {
    /// Appends text. Parts may end anywhere: the count is that of the joined text.
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
    /// Amortized O(n) in the bytes of `text`, however long the open piece is. With a custom pattern that has no
    /// built-in splitter, O(n) in the bytes of the open piece too.
    pub fn push(&mut self, text: &str) {
        self.tail.text.push_str(text);
        let Some((splitter, vocab)) = self.encoding.incremental() else {
            return;
        };
        let was_asked = std::mem::take(self.asked.get_mut());
        if self.tail.open().len() < LAZY_BYTES && self.open.is_none() && !was_asked {
            return;
        }
        let mut sink = Count::new(usize::MAX);
        if self.tail.close(splitter, vocab, &mut sink) {
            self.closed += sink.tokens;
            self.first.clear(0);
            self.second.clear(0);
        }
        // a tail that is mostly new is cheaper to count as one text, when the total is asked for
        let open = self.tail.open().len();
        let is_grown = open > SHORT_TAIL_BYTES && open > 2 * text.len();
        self.open = if is_grown { self.count_long() } else { None };
    }

    /// Returns the number of tokens of all text so far, equal to [`Encoding::count`] of that text.
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
    /// # Panics
    /// As [`Encoding::encode_ordinary`].
    ///
    /// # Complexity
    /// O(1): reads about a thousand bytes at most, or the text that was pushed last. With a custom pattern that
    /// backtracks or drops gaps, or with an irregular vocabulary, all text is held and counted anew: O(n) in its bytes.
    pub fn total(&self) -> usize {
        let Some((splitter, vocab)) = self.encoding.incremental() else {
            return self.encoding.count(self.tail.open());
        };
        self.asked.store(true, Ordering::Relaxed);
        self.closed
            + self
                .open
                .unwrap_or_else(|| self.count_short(splitter, vocab))
    }

    /// Discards all text, so that the total is zero.
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

    /// Counts the tokens of a short tail as if no text followed.
    fn count_short(&self, splitter: &Splitter, vocab: &Regular) -> usize {
        let (piece, rest) = self.tail.first_piece(splitter);
        let mut sink = Count::new(usize::MAX);
        if !piece.is_empty() {
            encode_closed_piece(piece.as_bytes(), vocab, &mut sink);
        }
        sink.tokens + self.count_rest(rest)
    }

    /// Counts the tokens of a long tail as if no text followed. Keeps how each of its prefixes merges, so that the next
    /// push reads only new bytes.
    fn count_long(&mut self) -> Option<usize> {
        let (splitter, vocab) = self.encoding.incremental()?;
        let open = self.tail.open().as_bytes();
        let (piece, rest) = self.tail.first_piece(splitter);
        self.first.extend(open, vocab);
        let first = merged_to(&self.first, piece, piece.len(), vocab);
        // a short rest is faster to count anew, and a custom pattern may split the rest into any number of pieces
        if rest.len() <= SHORT_TAIL_BYTES || !splitter.has_borders() {
            return Some(first + self.count_rest(rest));
        }
        if self.second.start() != piece.len() {
            self.second.clear(piece.len());
        }
        self.second.extend(open, vocab);
        Some(first + merged_to(&self.second, rest, open.len(), vocab))
    }

    fn count_rest(&self, rest: &str) -> usize {
        if rest.is_empty() {
            0
        } else {
            self.encoding.count(rest)
        }
    }
}
