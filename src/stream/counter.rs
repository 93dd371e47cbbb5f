//! Counts the tokens of a text as it arrives.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use super::tail::{LAZY_BYTES, OpenTail, SHORT_TAIL_BYTES, encode_closed_piece};
use crate::encoding::Encoding;
use crate::engine::prefixes::Prefixes;
use crate::engine::sink::Count;
use crate::split::Splitter;
use crate::vocab::Regular;

/// The tokens of a piece that ends there: one if it is a token, though merging may not give that.
fn merged_to(prefixes: &Prefixes, piece: &str, end: usize, vocab: &Regular) -> usize {
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
    tail: OpenTail,
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
        // what is mostly new is counted as one text when the total is asked for
        let open = self.tail.open().len();
        let is_grown = open > SHORT_TAIL_BYTES && open > 2 * text.len();
        self.open = if is_grown { self.count_long() } else { None };
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
        let Some((splitter, vocab)) = self.encoding.incremental() else {
            return self.encoding.count(self.tail.open());
        };
        self.asked.store(true, Ordering::Relaxed);
        self.closed
            + self
                .open
                .unwrap_or_else(|| self.count_short(splitter, vocab))
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

    /// Counts the tokens of a short tail, as if no text followed.
    fn count_short(&self, splitter: &Splitter, vocab: &Regular) -> usize {
        let (piece, rest) = self.tail.first_piece(splitter);
        let mut sink = Count::new(usize::MAX);
        if !piece.is_empty() {
            encode_closed_piece(piece.as_bytes(), vocab, &mut sink);
        }
        sink.tokens + self.count_rest(rest)
    }

    /// Counts the tokens of a long tail, as if no text followed; all its prefixes are known.
    fn count_long(&mut self) -> Option<usize> {
        let (splitter, vocab) = self.encoding.incremental()?;
        let open = self.tail.open().as_bytes();
        let (piece, rest) = self.tail.first_piece(splitter);
        self.first.extend(open, vocab);
        let first = merged_to(&self.first, piece, piece.len(), vocab);
        // by a pattern that is not known, the rest may be any number of pieces
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
