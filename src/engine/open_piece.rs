//! Encodes pieces whose end is far away or not there yet: their first tokens are final before the end is known.
#![allow(clippy::indexing_slicing)] // positions come from the scan or from the tokens of the text itself

use super::sink::{Append, Sink};
use super::{Engine, prefixes};
use crate::split::{Scan, Splitter};
use crate::token_id::TokenId;
use crate::utf8::whole_chars;
use crate::vocab::Regular;

/// Tokens that end at least this many bytes before the last one seldom depend on how the piece continues. Where they do,
/// [`encode_long_piece`] doubles the margin.
const MARGIN_BYTES: usize = 32;

/// Encodes the first piece of a text, up to where the sink wants no more, without looking for its end if it is far away.
/// Returns how many bytes were encoded.
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

/// Encodes as many tokens as the sink wants of a piece that begins with these bytes, if that many are final. Returns how
/// many bytes they have.
fn encode_beginning(
    engine: &mut Engine,
    bytes: &[u8],
    margin: usize,
    vocab: &Regular,
    sink: &mut impl Sink,
) -> Option<usize> {
    let wanted = sink.pieces_wanted();
    let (ids, _) =
        final_tokens(engine, bytes, margin, vocab).filter(|(_, count)| *count >= wanted)?;
    sink.reserve(wanted);
    sink.push_block(&ids, wanted);
    Some(vocab.total_len(&ids[..wanted]))
}

/// Encodes the final tokens, up to the end of a character, of a piece that begins with these bytes. Returns how many bytes
/// they have. The rest of the piece merges as if it were alone.
pub(crate) fn encode_open_piece(
    engine: &mut Engine,
    bytes: &[u8],
    vocab: &Regular,
    sink: &mut impl Sink,
) -> usize {
    let Some((ids, mut count)) = final_tokens(engine, bytes, MARGIN_BYTES, vocab) else {
        return 0;
    };
    let mut len = vocab.total_len(&ids[..count]);
    while len != whole_chars(bytes, len) {
        count -= 1;
        len -= vocab.len(ids[count]);
    }
    sink.reserve(count);
    sink.push_block(&ids, count);
    len
}

/// Merges the bytes that a piece begins with. Returns their ids, and how many of the first ones are final: the same for
/// every continuation of the piece.
///
/// However the piece continues, one of its tokens ends within a token's length of the end of these bytes. The bytes before
/// that end merge as if they were alone. So the piece has all tokens that every beginning with an end there has in common.
/// Tokens that end in the last `margin` bytes before those are left out.
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
    let (mut final_count, mut seam) = (0, 0);
    for id in &ids[..count] {
        let end = seam + vocab.len(*id);
        if end + margin > open {
            break;
        }
        (final_count, seam) = (final_count + 1, end);
    }
    let left = *ids[..final_count].last()?;
    prefixes::stay_apart_whatever_follows(left, &bytes[seam..], vocab).then_some((ids, final_count))
}
