//! Limits that keep grapheme clusters whole.
//!
//! A cluster is what a reader sees as one character: a letter with its accents, a flag, a family of emoji.

use std::ops::Range;

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation as _};

use super::Encoding;
use super::truncate::Prefix;

/// The clusters of a text that is cut into chunks.
#[derive(Debug, Clone, Default)]
pub(super) struct Clusters {
    /// The last cluster that had to be measured. A chunk may begin inside it, because it was too long for one.
    long: Range<usize>,
}

impl Clusters {
    /// Returns whether a cluster begins or ends at this byte. `known` is the start of a cluster before it.
    pub(super) fn is_boundary(text: &str, known: usize, at: usize) -> bool {
        let text = text.get(known..).unwrap_or_default();
        at >= known && is_boundary(text, at - known)
    }

    /// Returns the start of the cluster in which a chunk begins.
    pub(super) fn start_at(&self, start: usize) -> usize {
        if self.long.contains(&start) {
            self.long.start
        } else {
            start
        }
    }

    /// Returns the length of the chunk that begins at `start`, and its number of tokens.
    pub(super) fn prefix(
        &mut self,
        encoding: &Encoding,
        text: &str,
        start: usize,
        max_tokens: usize,
    ) -> Prefix {
        let known = self.start_at(start);
        let rest = text.get(start..).unwrap_or_default();
        let may_end = |at: usize| Self::is_boundary(text, known, start + at);
        let fitting = encoding.prefix_to(rest, max_tokens, may_end);
        if fitting.end > 0 {
            return fitting;
        }
        if !self.long.contains(&start) {
            let first = rest.graphemes(true).next().unwrap_or_default();
            self.long = start..start + first.len();
        }
        let cluster = text.get(start..self.long.end).unwrap_or_default();
        // before other text, it may have more tokens than alone
        match encoding.count_up_to(cluster, max_tokens) {
            Some(tokens) => Prefix {
                end: cluster.len(),
                tokens,
            },
            None => encoding.prefix(rest, max_tokens),
        }
    }
}

/// Returns whether a cluster begins or ends at this byte of a text that begins with a cluster.
fn is_boundary(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    if let (Some(before), Some(after)) = (
        at.checked_sub(1).and_then(|at| bytes.get(at)),
        bytes.get(at),
    ) {
        // a shortcut for most places: ASCII characters are never joined, except the two of a CRLF
        if before.is_ascii() && after.is_ascii() {
            return (*before, *after) != (b'\r', b'\n');
        }
    }
    // it fails only for a part of a text, or inside a character
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    text.is_char_boundary(at) && cursor.is_boundary(text, 0).unwrap_or(false)
}

impl Encoding {
    /// Returns the beginning of a text that has at most `max_tokens` tokens, cut between two grapheme clusters.
    ///
    /// A grapheme cluster is what a reader sees as one character, such as a letter with its accents, a flag or a family
    /// of emoji, by the rules of Unicode for extended clusters. The result is that of [`truncate`](Self::truncate)
    /// without the part of a cluster at its end.
    ///
    /// If the first cluster alone has more than `max_tokens` tokens, it is cut between two characters, as by `truncate`.
    /// So a limit of at least four always returns some text.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// let text = "hello \u{1f469}\u{200d}\u{1f467} world"; // a mother and her daughter
    /// assert_eq!(encoding.count("\u{1f469}\u{200d}\u{1f467}"), 8);
    /// assert_eq!(encoding.truncate(text, 5), "hello \u{1f469}\u{200d}");
    /// assert_eq!(encoding.truncate_graphemes(text, 5), "hello ");
    /// # }
    /// ```
    ///
    /// # Panics
    /// As [`encode_ordinary`](Self::encode_ordinary).
    ///
    /// # Complexity
    /// As [`truncate`](Self::truncate), plus O(n) in the bytes of the first cluster.
    #[cfg_attr(docsrs, doc(cfg(feature = "graphemes")))]
    pub fn truncate_graphemes<'t>(&self, text: &'t str, max_tokens: usize) -> &'t str {
        // each token has at least one byte
        if text.len() <= max_tokens {
            return text;
        }
        let end = Clusters::default().prefix(self, text, 0, max_tokens).end;
        text.get(..end).unwrap_or_default()
    }

    /// Returns the end of a text that has at most `max_tokens` tokens, cut between two grapheme clusters.
    ///
    /// If the last cluster alone has more than `max_tokens` tokens, it is cut between two characters, as by
    /// [`truncate_start`](Self::truncate_start). [`truncate_graphemes`](Self::truncate_graphemes) says what a cluster is.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// assert_eq!(encoding.truncate_start("sure\u{301}, e\u{301}te\u{301}", 1), "\u{301}");
    /// assert_eq!(encoding.truncate_start_graphemes("sure\u{301}, e\u{301}te\u{301}", 2), "te\u{301}");
    /// # }
    /// ```
    ///
    /// # Panics
    /// As [`encode_ordinary`](Self::encode_ordinary).
    ///
    /// # Complexity
    /// As [`truncate_start`](Self::truncate_start); with flags at the cut, O(n) in the bytes of the text.
    #[cfg_attr(docsrs, doc(cfg(feature = "graphemes")))]
    pub fn truncate_start_graphemes<'t>(&self, text: &'t str, max_tokens: usize) -> &'t str {
        let start = self.suffix_start_at(text, max_tokens, |at| is_boundary(text, at));
        let kept = text.get(start..).unwrap_or_default();
        if !kept.is_empty() {
            return kept;
        }
        // in another context, the last cluster may have more tokens than alone
        let last = text.graphemes(true).next_back().unwrap_or_default();
        if self.count_up_to(last, max_tokens).is_some() {
            return last;
        }
        self.truncate_start(text, max_tokens)
    }
}
