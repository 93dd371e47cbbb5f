//! Pieces whose end is far off or not there yet: what is certain of their tokens is encoded before it is known.
#![allow(clippy::indexing_slicing)] // cut where the scan or the tokens of the text itself say

use super::sink::{Append, Sink};
use super::{Engine, prefixes};
use crate::split::{Scan, Splitter};
use crate::token_id::TokenId;
use crate::utf8::whole_chars;
use crate::vocab::Regular;

/// So many bytes before the last token of a piece that goes on, its other tokens seldom depend on it.
const MARGIN_BYTES: usize = 32;

/// Encodes the first piece of a text, or as much of it as the sink wants, without looking for its end; how many bytes
/// that has.
pub(super) fn encode_long_piece(
    engine: &mut Engine,
    text: &[u8],
    splitter: &Splitter,
    vocab: &Regular,
    sink: &mut impl Sink,
) -> usize {
    let mut scan = Scan::new(0);
    let mut margin = MARGIN_BYTES;
    loop {
        let reach = sink.bytes_wanted().saturating_add(vocab.max_token_len());
        let len = whole_chars(text, reach.saturating_mul(margin / MARGIN_BYTES));
        if let Some(end) = splitter.end(&mut scan, &text[..len], len == text.len()) {
            engine.encode_regular_piece(&text[..end], vocab, sink);
            return end;
        }
        let beginning = &text[..scan.least_end()];
        if let Some(bytes) = encode_beginning(engine, beginning, margin, vocab, sink) {
            return bytes;
        }
        margin *= 2;
    }
}

/// Encodes as much as the sink wants of a piece that goes on behind these bytes, if that is certain; how many bytes it
/// has.
fn encode_beginning(
    engine: &mut Engine,
    bytes: &[u8],
    margin: usize,
    vocab: &Regular,
    sink: &mut impl Sink,
) -> Option<usize> {
    let wanted = sink.pieces_wanted();
    let (ids, _) =
        final_tokens(engine, bytes, margin, vocab).filter(|(_, certain)| *certain >= wanted)?;
    sink.reserve(wanted);
    sink.push_block(&ids, wanted);
    Some(vocab.total_len(&ids[..wanted]))
}

/// Encodes as much as is certain, and of whole characters, of a piece that goes on behind these bytes; how many bytes it
/// has. The rest of the piece is merged as if it were alone.
pub(crate) fn encode_open_piece(
    engine: &mut Engine,
    bytes: &[u8],
    vocab: &Regular,
    sink: &mut impl Sink,
) -> usize {
    let Some((ids, mut certain)) = final_tokens(engine, bytes, MARGIN_BYTES, vocab) else {
        return 0;
    };
    let mut len = vocab.total_len(&ids[..certain]);
    while len != whole_chars(bytes, len) {
        certain -= 1;
        len -= vocab.len(ids[certain]);
    }
    sink.reserve(certain);
    sink.push_block(&ids, certain);
    len
}

/// The first tokens of a piece that goes on behind these bytes, of which so many are certain. The last `margin` bytes
/// before those that a token of what follows may reach are not looked at.
///
/// Whatever the piece is, one of its tokens ends among the last bytes, and what is before that is merged as if it were
/// alone. So what all beginnings that end there have in common, the piece has too.
fn final_tokens(
    engine: &mut Engine,
    bytes: &[u8],
    margin: usize,
    vocab: &Regular,
) -> Option<(Vec<TokenId>, usize)> {
    let open = bytes.len().checked_sub(vocab.max_token_len())?;
    let mut ids = Vec::new();
    let mut merged = Append::new(&mut ids, 0);
    engine.encode_regular_piece(bytes, vocab, &mut merged);
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
    prefixes::stay_apart_whatever_follows(left, &bytes[seam..], vocab).then_some((ids, certain))
}
