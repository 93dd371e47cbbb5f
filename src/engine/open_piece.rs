//! Pieces whose end is far off or not there yet: what is certain of their tokens is encoded before it is known.
#![allow(clippy::indexing_slicing)] // cut where the scan or the tokens of the text itself say

use super::engine::State;
use super::prefixes;
use super::sink::{Append, Sink};
use crate::TokenId;
use crate::split::unicode::whole_chars;
use crate::split::{Scan, Splitter};
use crate::vocab::Vocabulary;

/// So many bytes before the last token of a piece that goes on, its other tokens seldom depend on it.
const MARGIN: usize = 32;

impl State {
    /// Encodes the first piece of a text, or as much of it as the sink wants, without looking for its end; how many bytes
    /// that has.
    pub(super) fn long_piece(
        &mut self,
        text: &[u8],
        splitter: &Splitter,
        vocab: &Vocabulary,
        sink: &mut impl Sink,
    ) -> usize {
        let mut scan = Scan::new(0);
        let mut margin = MARGIN;
        loop {
            let reach = sink.reach().saturating_add(vocab.max_token_len());
            let len = whole_chars(text, reach.saturating_mul(margin / MARGIN));
            if let Some(end) = splitter.end(&mut scan, &text[..len], len == text.len()) {
                self.piece(&text[..end], vocab, sink);
                return end;
            }
            let beginning = &text[..scan.least_end()];
            if let Some(bytes) = self.beginning(beginning, margin, vocab, sink) {
                return bytes;
            }
            margin *= 2;
        }
    }

    /// Encodes as much as the sink wants of a piece that goes on behind these bytes, if that is certain; how many bytes it
    /// has.
    fn beginning(
        &mut self,
        bytes: &[u8],
        margin: usize,
        vocab: &Vocabulary,
        sink: &mut impl Sink,
    ) -> Option<usize> {
        let wanted = sink.room();
        let (ids, _) = self
            .certain(bytes, margin, vocab)
            .filter(|(_, certain)| *certain >= wanted)?;
        sink.begin(wanted);
        sink.many(&ids, wanted);
        Some(vocab.total_len(&ids[..wanted]))
    }

    /// Encodes as much as is certain, and of whole characters, of a piece that goes on behind these bytes; how many bytes it
    /// has. The rest of the piece is merged as if it were alone.
    pub(super) fn encode_begun(
        &mut self,
        bytes: &[u8],
        vocab: &Vocabulary,
        sink: &mut impl Sink,
    ) -> usize {
        let Some((ids, mut certain)) = self.certain(bytes, MARGIN, vocab) else {
            return 0;
        };
        let mut len = vocab.total_len(&ids[..certain]);
        while len != whole_chars(bytes, len) {
            certain -= 1;
            len -= vocab.len(ids[certain]);
        }
        sink.begin(certain);
        sink.many(&ids, certain);
        len
    }

    /// The first tokens of a piece that goes on behind these bytes, of which so many are certain. The last `margin` bytes
    /// before those that a token of what follows may reach are not looked at.
    ///
    /// Whatever the piece is, one of its tokens ends among the last bytes, and what is before that is merged as if it were
    /// alone. So what all beginnings that end there have in common, the piece has too.
    fn certain(
        &mut self,
        bytes: &[u8],
        margin: usize,
        vocab: &Vocabulary,
    ) -> Option<(Vec<TokenId>, usize)> {
        let open = bytes.len().checked_sub(vocab.max_token_len())?;
        let mut ids = Vec::new();
        let mut merged = Append::new(&mut ids, 0);
        self.piece(bytes, vocab, &mut merged);
        let count = merged.len();
        let (mut certain, mut seam) = (0, 0);
        for id in &ids[..count] {
            let end = seam + vocab.len(*id);
            if end + margin > open {
                break;
            }
            (certain, seam) = (certain + 1, end);
        }
        let left = *ids[..certain].last()?;
        prefixes::stay_behind(left, &bytes[seam..], vocab).then_some((ids, certain))
    }
}
