//! The tail of a text that is still arriving: the part whose piece boundaries depend on text to come.
//!
//! ```text
//! text:    | final, not yet dropped | open tail            |
//! offset:  0                        start                  text.len()
//! ```
//!
//! "Final" text is encoded or counted already, and no text to come can change its tokens.

use crate::engine::sink::Sink;
use crate::engine::{Engine, merge_rest, open_piece};
use crate::split::{Scan, Splitter};
use crate::utf8::whole_chars;
use crate::vocab::Regular;

/// If more bytes than this follow the piece that just ended, they go through the engine as a whole, not piece by piece.
/// It was 512 before counters collected up to [`LAZY_BYTES`] (21 November 2026); no measurement is recorded.
const BULK_BYTES: usize = 256;

/// A counter leaves up to this many bytes unread until its total is asked for. When each push was read at once, one of
/// four characters cost six times its share of a single count. Most of that was for handling each piece alone (21
/// November 2026, Xeon with AVX-512, 2 cores).
pub(super) const LAZY_BYTES: usize = 1 << 10;

/// At most this many bytes go through the engine at once. The engine's scan buffer is larger, so no piece is longer than
/// the buffer.
const MAX_SCAN_BYTES: usize = 1 << 30;

/// An open tail of up to this many bytes is merged anew whenever the total is asked for. That is faster than keeping
/// how each of its prefixes merges (21 November 2026); longer ones are kept, so that no push reads a byte again.
pub(super) const SHORT_TAIL_BYTES: usize = 64;

/// Final text is dropped only once there is more of it than this: dropping moves the open tail, too costly for each
/// push. No measurement of the value is recorded.
const MAX_KEPT_BYTES: usize = 1 << 12;

/// From this many bytes on, the final tokens of an open piece are encoded before it ends. A piece that never ends would
/// take all memory: half a gigabyte of one letter took one gigabyte (21 November 2026). No measurement of the value is
/// recorded.
const LONG_PIECE_BYTES: usize = 1 << 12;

/// The tail of a text, whose piece boundaries depend on text still to come.
#[derive(Debug, Clone)]
pub(super) struct OpenTail {
    /// Some final text, then the open tail.
    pub(super) text: String,
    /// Where the open tail begins.
    start: usize,
    /// How far the first open piece was scanned.
    scan: Scan,
    /// Whether the tail begins inside a piece, whose tokens up to there are final.
    pub(super) is_inside: bool,
    /// From how many bytes on to look for final tokens in the open piece.
    next_attempt: usize,
}

impl OpenTail {
    pub(super) fn new() -> Self {
        Self {
            text: String::new(),
            start: 0,
            scan: Scan::new(0),
            is_inside: false,
            next_attempt: LONG_PIECE_BYTES,
        }
    }

    /// Encodes all pieces that are final now to `sink`, and returns whether there were any.
    #[inline]
    pub(super) fn close(
        &mut self,
        splitter: &Splitter,
        vocab: &Regular,
        sink: &mut impl Sink,
    ) -> bool {
        let (text, before) = (self.text.as_bytes(), self.start);
        while let Some(end) = splitter.end(&mut self.scan, text, false) {
            let piece = text.get(self.start..end).unwrap_or_default();
            if std::mem::take(&mut self.is_inside) {
                merge_rest(piece, vocab, sink);
            } else {
                encode_closed_piece(piece, vocab, sink);
            }
            (self.start, self.next_attempt) = (end, LONG_PIECE_BYTES);
            if text.len() - end > BULK_BYTES {
                self.start += encode_bulk(&self.text, end, splitter, vocab, sink);
            }
            self.scan = Scan::new(self.start);
        }
        let has_closed = self.start > before;
        if self.start > MAX_KEPT_BYTES {
            self.drop_final_text();
        }
        has_closed
    }

    /// Encodes the tokens of the open piece that are final, if it is a long one.
    #[inline]
    pub(super) fn close_beginning(
        &mut self,
        splitter: &Splitter,
        vocab: &Regular,
        sink: &mut impl Sink,
    ) {
        let end = self.scan.least_end();
        if end.saturating_sub(self.start) >= self.next_attempt && splitter.has_borders() {
            self.close_to(end, vocab, sink);
        }
    }

    /// Encodes the final tokens of the open piece, which ends at `end` or later.
    #[cold]
    fn close_to(&mut self, end: usize, vocab: &Regular, sink: &mut impl Sink) {
        let bytes = self.text.as_bytes().get(self.start..end);
        let bytes = bytes.unwrap_or_default();
        let len = Engine::with(|engine| open_piece::encode_open_piece(engine, bytes, vocab, sink));
        if len == 0 {
            // doubling the length before the next attempt keeps the work linear in the text
            self.next_attempt = 2 * bytes.len();
            return;
        }
        self.next_attempt = LONG_PIECE_BYTES;
        self.is_inside = true;
        self.start += len;
        self.scan.go_on_from(self.start);
        self.drop_final_text();
    }

    /// Drops the text before the open tail.
    #[cold]
    fn drop_final_text(&mut self) {
        self.text.drain(..self.start);
        self.scan.shift(self.start);
        self.start = 0;
        self.text.shrink_to(2 * MAX_KEPT_BYTES);
    }

    /// Returns the open tail.
    pub(super) fn open(&self) -> &str {
        self.text.get(self.start..).unwrap_or_default()
    }

    /// Returns the first piece of the tail, as if no text followed, and the rest of the tail.
    pub(super) fn first_piece(&self, splitter: &Splitter) -> (&str, &str) {
        let end = splitter.end(&mut self.scan.clone(), self.text.as_bytes(), true);
        let len = end.map_or(0, |end| end - self.start);
        self.open().split_at_checked(len).unwrap_or_default()
    }
}

/// Encodes a whole piece to `sink`.
#[inline]
pub(super) fn encode_closed_piece(piece: &[u8], vocab: &Regular, sink: &mut impl Sink) {
    match vocab.id(piece) {
        Some(id) => sink.push(id),
        None => Engine::with(|engine| engine.encode_regular_piece(piece, vocab, sink)),
    }
}

/// Encodes the pieces of `text` from `start` on that are final to `sink`, and returns how many bytes they have.
fn encode_bulk(
    text: &str,
    start: usize,
    splitter: &Splitter,
    vocab: &Regular,
    sink: &mut impl Sink,
) -> usize {
    let text = text.get(start..).unwrap_or_default();
    let len = whole_chars(text.as_bytes(), MAX_SCAN_BYTES);
    let text = text.get(..len).unwrap_or_default();
    Engine::with(|engine| engine.encode_final_pieces(text, splitter, vocab, sink))
}
