//! Encodes a text while it arrives.

use std::fmt;

use super::tail::OpenTail;
use crate::encoding::Encoding;
use crate::engine::sink::Append;
use crate::merge;
use crate::token_id::TokenId;

/// Encodes a text that arrives in parts.
///
/// Created by [`Encoding::stream_encoder`]. Each [`push`](Self::push) appends the ids that are final;
/// [`finish`](Self::finish) appends the rest.
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
    /// Creates an encoder for text that arrives in parts.
    ///
    /// Special tokens in the text are encoded as plain text. For bytes that may not be valid UTF-8, see
    /// [`encode_bytes`](Self::encode_bytes).
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let mut ids = Vec::new();
    /// let mut encoder = tiktally::cl100k_base().stream_encoder();
    /// encoder.push("hello world", &mut ids);
    /// encoder.finish(&mut ids);
    /// assert_eq!(ids, [15339, 1917]);
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
    /// Adds text, and appends the ids that no later text can change to `ids`.
    ///
    /// These are the ids of all pieces that have ended. Of a long open piece, they are the ids that stay whatever
    /// follows. A custom pattern without a splitter of its own may find the end of a piece of more than 1 KiB later: when
    /// the text has grown by a 64th of that piece. Text between matches may be held until [`finish`](Self::finish) if it
    /// almost matches in most places.
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
    /// Amortized O(n) in the bytes of `text`, however long the open piece is. The encoder usually holds less than 8 kB
    /// of it. It holds all of a run that later text may still divide: white space after a newline, capitals after a
    /// caseless letter. Where [`TokenCounter::total`](crate::TokenCounter::total) counts all text anew, it holds all text until
    /// [`finish`](Self::finish).
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

    /// Ends the text, and appends the remaining ids to `ids`. All appended ids together equal
    /// [`encode_ordinary`](Encoding::encode_ordinary) of the whole text.
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
    /// # Panics
    /// As [`Encoding::encode_ordinary`].
    ///
    /// # Complexity
    /// O(n) in the bytes that are held.
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
