//! Copies the ids of pieces that come again and again.
//!
//! A batch shows that text repeats with some period, here of two pieces. If it goes on like this for a long time, the ids of
//! one period are copied, and the pieces are neither found nor looked up:
//!
//! ```text
//! pieces       … |ab |cd |ab |cd |ab |cd |ab c d a b c d a b c d a b x …
//!                |<----->|<--------->|   |<--------->|
//! offset         0     period        reach            copied: whole periods, up to a reach before the text differs
//! ```
//!
//! *Why it changes no id.* None of the built-in patterns looks back, so a piece depends only on the text from its start on.
//! No pattern looks far ahead either: the [`PIECES_AHEAD`] pieces after a piece are enough to know its end. So the pieces of the
//! first period are known from the text up to `reach`, where that many pieces after them end. Where this text comes again,
//! the same pieces begin. It comes again at `k` periods, if up to there, and for `reach` bytes more, each byte equals the
//! one a period before. So all piece starts repeat up to the end of the last such period. The ids of a piece depend
//! only on the piece.

use super::Engine;
use super::sink::{Append, Sink};
use crate::repetition::{MAX_PERIOD_BYTES, agreement, sample};
use crate::split::{Splitter, window};
use crate::token_id::TokenId;
use crate::vocab::Regular;

/// How many pieces after a piece decide where it ends, together with the piece itself.
///
/// Two are enough. White space is read up to the first visible character, and is cut into two pieces at most, of which the
/// word after it may take a third. Capitals are read to their end, in two pieces. Two bytes after an apostrophe tell whether
/// it is a contraction; if not, it is a piece of its own or begins a word. The tests check two with random text.
const PIECES_AHEAD: usize = 3;

/// The fewest pieces of a batch after which the text is compared. Smaller batches are those of short texts.
const MIN_PIECES: usize = 128;

/// Text that repeats, at the end of a batch.
struct Repeats {
    /// The bytes of a period.
    period: usize,
    /// How many periods can be copied.
    times: usize,
}

/// Copies the ids of the last pieces of a batch to `sink` as often as their bytes come again. Returns how many bytes were
/// encoded so.
///
/// `at` is the end in the text of the batch, which has `count` pieces and is encoded already.
pub(super) fn copy(
    engine: &mut Engine,
    text: &[u8],
    at: usize,
    count: usize,
    splitter: &Splitter,
    vocab: &Regular,
    sink: &mut impl Sink,
) -> usize {
    let wanted = sink.pieces_wanted();
    if count < MIN_PIECES || wanted == 0 || !sink.takes_repeats() || !splitter.has_borders() {
        return 0;
    }
    let Some(Repeats { period, times }) = find(&engine.lookup.ends[..count], text, at, wanted)
    else {
        return 0;
    };
    let mut ids = Vec::new();
    let Some(len) = encode_period(engine, text, at, count, period, vocab, &mut ids) else {
        return 0;
    };
    sink.push_again(ids.get(..len).unwrap_or_default(), times);
    times * period
}

/// Returns how the text after a batch repeats the last pieces. Compares no more text than for `wanted` periods.
#[inline]
fn find(ends: &[u32], text: &[u8], at: usize, wanted: usize) -> Option<Repeats> {
    let (known, ahead) = ends.split_at_checked(ends.len().checked_sub(PIECES_AHEAD)?)?;
    let (last, starts) = known.split_last()?;
    let bytes_ahead = (ahead.last()? - last) as usize;
    let middle = at - bytes_ahead;
    let next = sample(text, middle)?;
    for start in starts.iter().rev() {
        let period = (last - start) as usize;
        if period > MAX_PERIOD_BYTES {
            break;
        }
        if sample(text, middle - period) == Some(next) {
            let reach = period + bytes_ahead;
            let most = wanted.saturating_mul(period).saturating_add(2 * reach);
            let text = text.get(..most.saturating_add(at).min(text.len()))?;
            return repeats(period, reach, agreement(text, middle, period));
        }
    }
    None
}

/// Returns how many periods can be copied, if the first `len` bytes of text repeat those of a period before.
fn repeats(period: usize, reach: usize, len: usize) -> Option<Repeats> {
    // the pieces of the first period come again at this many periods, and the last of them ends one period later
    let last = len.checked_sub(reach)? / period + 1;
    let times = ((last + 1) * period).checked_sub(reach)? / period;
    (times > 0).then_some(Repeats { period, times })
}

/// Encodes the pieces of the last `period` bytes of a batch once more, and returns how many ids they have.
fn encode_period(
    engine: &mut Engine,
    text: &[u8],
    at: usize,
    count: usize,
    period: usize,
    vocab: &Regular,
    ids: &mut Vec<TokenId>,
) -> Option<usize> {
    let ends = engine.lookup.ends.get_mut(..count)?;
    let start = ends.last()? - period as u32;
    let first = ends.binary_search(&start).ok()? + 1;
    ends.copy_within(first.., 0);
    let pieces = count - first;
    for end in &mut ends[..pieces] {
        *end -= start;
    }
    let buffer = text.get(at - period..)?;
    if buffer.len() < period + window::PADDING {
        return None;
    }
    let mut period = Append::new(ids, 0);
    engine.encode_pieces(buffer, pieces, vocab, &mut period);
    Some(period.len())
}
