//! The tail of a text that is still arriving: the part whose piece boundaries depend on text to come.

use crate::engine::sink::Sink;
use crate::engine::{Engine, merge_rest, open_piece};
use crate::split::{Scan, Splitter};
use crate::utf8::whole_chars;
use crate::vocab::Regular;

/// Text of more bytes than this goes through the engine as a whole, not piece by piece.
const BULK_BYTES: usize = 256;

/// As long as nobody asks for the total, so much text is looked at together.
pub(super) const LAZY_BYTES: usize = 1 << 10;

/// What goes through the engine at once: no piece is longer than what it scans.
const MAX_SCAN_BYTES: usize = 1 << 30;

/// An open stretch of up to this many bytes is merged anew whenever the total is asked for: that is faster than to remember
/// how each of its beginnings is merged.
pub(super) const SHORT_TAIL_BYTES: usize = 64;

/// So much text that is certain is kept at most, so that what is open is not moved with each push.
const MAX_KEPT_BYTES: usize = 1 << 12;

/// An open piece of this many bytes is encoded as far as it is certain: one that never ends would take all memory.
const LONG_PIECE_BYTES: usize = 1 << 12;

/// The end of a text, of which later text decides where its pieces end.
#[derive(Debug, Clone)]
pub(super) struct OpenTail {
    /// Some text that is certain, and what is open.
    pub(super) text: String,
    /// Where that begins.
    start: usize,
    scan: Scan,
    /// Whether it begins inside a piece, whose tokens up to there are certain.
    pub(super) is_inside: bool,
    /// How long the open piece is to be before some of it may be certain.
    long: usize,
}

impl OpenTail {
    pub(super) fn new() -> Self {
        Self {
            text: String::new(),
            start: 0,
            scan: Scan::new(0),
            is_inside: false,
            long: LONG_PIECE_BYTES,
        }
    }

    /// Gives the ids of all pieces that are certain now to `sink`; whether there were any.
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
            (self.start, self.long) = (end, LONG_PIECE_BYTES);
            if text.len() - end > BULK_BYTES {
                self.start += encode_bulk(&self.text, end, splitter, vocab, sink);
            }
            self.scan = Scan::new(self.start);
        }
        let is_any = self.start > before;
        if self.start > MAX_KEPT_BYTES {
            self.forget();
        }
        is_any
    }

    /// Gives the ids of the open piece that are certain, if it is a long one.
    #[inline]
    pub(super) fn close_beginning(
        &mut self,
        splitter: &Splitter,
        vocab: &Regular,
        sink: &mut impl Sink,
    ) {
        let end = self.scan.least_end();
        if end.saturating_sub(self.start) >= self.long && splitter.has_borders() {
            self.close_to(end, vocab, sink);
        }
    }

    #[cold]
    fn close_to(&mut self, end: usize, vocab: &Regular, sink: &mut impl Sink) {
        let bytes = self.text.as_bytes().get(self.start..end);
        let bytes = bytes.unwrap_or_default();
        let len = Engine::with(|engine| open_piece::encode_open_piece(engine, bytes, vocab, sink));
        if len == 0 {
            // each byte is looked at a few times at most
            self.long = 2 * bytes.len();
            return;
        }
        self.long = LONG_PIECE_BYTES;
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
        self.text.shrink_to(2 * MAX_KEPT_BYTES);
    }

    pub(super) fn open(&self) -> &str {
        self.text.get(self.start..).unwrap_or_default()
    }

    /// Its first piece if no text follows, and what is behind.
    pub(super) fn first_piece(&self, splitter: &Splitter) -> (&str, &str) {
        let end = splitter.end(&mut self.scan.clone(), self.text.as_bytes(), true);
        let len = end.map_or(0, |end| end - self.start);
        self.open().split_at_checked(len).unwrap_or_default()
    }
}

/// Gives the ids of a piece.
#[inline]
pub(super) fn encode_closed_piece(piece: &[u8], vocab: &Regular, sink: &mut impl Sink) {
    match vocab.likely_id(piece) {
        Some(id) => sink.push(id),
        None => Engine::with(|engine| engine.encode_regular_piece(piece, vocab, sink)),
    }
}

/// Gives the ids of the pieces of a long text that are certain; how many bytes they have.
fn encode_bulk(
    text: &str,
    start: usize,
    splitter: &Splitter,
    vocab: &Regular,
    sink: &mut impl Sink,
) -> usize {
    let text = text.get(start..).unwrap_or_default();
    let most = whole_chars(text.as_bytes(), MAX_SCAN_BYTES);
    let text = text.get(..most).unwrap_or_default();
    Engine::with(|engine| engine.encode_final_pieces(text, splitter, vocab, sink))
}
