//! Encodes a text as it arrives.

use std::fmt;

use super::tail::OpenTail;
use crate::encoding::Encoding;
use crate::engine::sink::Append;
use crate::merge;
use crate::token_id::TokenId;

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
    tail: OpenTail,
}

impl fmt::Debug for StreamEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamEncoder")
            .field("encoding", &self.encoding)
            .field("open", &self.tail.open().len())
            .finish_non_exhaustive()
    }
}

impl Encoding {
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
            tail: OpenTail::new(),
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
        self.tail.text.push_str(text);
        let Some((splitter, vocab)) = self.encoding.incremental() else {
            return;
        };
        let len = ids.len();
        let mut sink = Append::new(ids, len);
        self.tail.close(splitter, vocab, &mut sink);
        self.tail.close_beginning(splitter, vocab, &mut sink);
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
        let mut rest = self.tail.open();
        if self.tail.is_inside {
            let piece;
            (piece, rest) = self.tail.first_piece(self.encoding.splitter());
            merge::merge_piece(piece.as_bytes(), self.encoding.vocab(), ids);
        }
        self.encoding.encode_ordinary_into(rest, ids);
    }
}
