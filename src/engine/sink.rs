//! Receives the ids: appends them to a buffer, or only counts them.
#![allow(clippy::indexing_slicing)] // room is reserved for a batch before its ids come

use crate::merge::BLOCK_IDS;
use crate::repetition::append_again;
use crate::split::{classes, window};
use crate::token_id::TokenId;
use crate::vocab::Vocabulary;

/// A receiver of ids.
pub(crate) trait Sink {
    /// Reserves room for this many ids, plus the padding that block copies write after them.
    fn reserve(&mut self, ids: usize);
    /// Appends the ids of pieces that are tokens: `ids[from..to]`.
    fn push_run(&mut self, ids: &[TokenId; BATCH_BUFFER_IDS], from: usize, to: usize);
    /// Appends the first `len` of `ids`, of which at least [`BLOCK_IDS`] are readable.
    fn push_block(&mut self, ids: &[TokenId], len: usize);
    /// Appends one id.
    #[inline(always)]
    fn push(&mut self, id: TokenId) {
        self.reserve(1);
        self.push_block(&[id; BLOCK_IDS], 1);
    }
    /// Returns false if only the number of ids matters: then their values may be any.
    #[inline(always)]
    fn wants_ids(&self) -> bool {
        true
    }
    /// Returns the most pieces that are wanted: each has at least one id.
    fn pieces_wanted(&self) -> usize {
        usize::MAX
    }
    /// Returns the most bytes that should be scanned at once.
    fn bytes_wanted(&self) -> usize {
        usize::MAX
    }
    /// Returns whether ids may come by [`push_again`](Self::push_again), without the ends of their pieces.
    fn takes_repeats(&self) -> bool {
        true
    }
    /// Appends all `ids` this many times.
    fn push_again(&mut self, ids: &[TokenId], times: usize);
    /// Receives the ends, relative to `at`, of the pieces whose ids follow; empty for a single piece that starts at `at`.
    fn note_pieces(&mut self, _at: usize, _ends: &[u32]) {}
}

/// Counts ids up to a limit.
pub(crate) struct Count {
    /// The number of ids so far, which may exceed the limit.
    pub(crate) tokens: usize,
    limit: usize,
    /// The end of the pieces whose ids are counted or come next.
    bytes: usize,
}

impl Count {
    /// Creates a sink that wants no more pieces once it has more than `limit` ids.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            tokens: 0,
            limit,
            bytes: 0,
        }
    }
}

/// Returns the end of a batch of pieces; of a single piece, its start.
fn end_of(at: usize, ends: &[u32]) -> usize {
    at + ends.last().map_or(0, |end| *end as usize)
}

/// Estimates how many bytes the tokens that are still wanted have, from the average so far; one byte per token at first.
fn bytes_for_rest(limit: usize, tokens: usize, bytes: usize) -> usize {
    let tokens = tokens.min(limit);
    let (tokens, bytes, left) = (tokens as u128, bytes as u128, (limit - tokens) as u128);
    let expected = (left * bytes).checked_div(tokens).unwrap_or(left);
    usize::try_from(expected)
        .unwrap_or(usize::MAX)
        .saturating_add(MIN_WANTED_BYTES)
}

impl Sink for Count {
    fn reserve(&mut self, _: usize) {}

    #[inline(always)]
    fn wants_ids(&self) -> bool {
        false
    }

    #[inline(always)]
    fn push_run(&mut self, _: &[TokenId; BATCH_BUFFER_IDS], from: usize, to: usize) {
        self.tokens += to - from;
    }

    #[inline(always)]
    fn push_block(&mut self, _: &[TokenId], len: usize) {
        self.tokens += len;
    }

    fn push_again(&mut self, ids: &[TokenId], times: usize) {
        self.tokens += ids.len() * times;
    }

    /// Returns enough for one id more than the limit: that many show that the limit is exceeded.
    fn pieces_wanted(&self) -> usize {
        self.limit.saturating_add(1).saturating_sub(self.tokens)
    }

    fn bytes_wanted(&self) -> usize {
        if self.limit == usize::MAX {
            return usize::MAX;
        }
        bytes_for_rest(self.limit, self.tokens, self.bytes)
    }

    fn note_pieces(&mut self, at: usize, ends: &[u32]) {
        self.bytes = end_of(at, ends);
    }
}

/// Collects ids up to a limit, and notes the last pieces.
pub(crate) struct Until<'a> {
    pub(crate) ids: Append<'a>,
    limit: usize,
    /// The start of the last batch.
    at: usize,
    /// The ends of the pieces of the last batch, relative to `at`.
    ends: Vec<u32>,
    /// The starts of the last few pieces before that batch.
    earlier: Vec<usize>,
    /// How many ids came before the last batch.
    first: usize,
}

/// Cutting the text changes at most its last three pieces: white space at the new end falls into up to three, together
/// with the word that takes its last character. So a piece this far from the end is final.
const CHANGED_PIECES: usize = 4;

/// The fewest bytes that are scanned at once: four windows of the splitter.
const MIN_WANTED_BYTES: usize = 256;

impl<'a> Until<'a> {
    /// Creates a sink that overwrites `ids`, and wants no more pieces once it has more than `limit` ids.
    pub(crate) fn new(ids: &'a mut Vec<TokenId>, limit: usize) -> Self {
        Self {
            ids: Append::new(ids, 0),
            limit,
            at: 0,
            ends: Vec::new(),
            earlier: Vec::new(),
            first: 0,
        }
    }

    /// Returns the end in the text of the tokens up to the limit, if there are more. The last of them is in the last batch,
    /// because none follows once there are enough.
    pub(crate) fn end(&self, vocab: &Vocabulary) -> usize {
        let ids = self
            .ids
            .get(..self.limit)
            .and_then(|ids| ids.get(self.first..));
        self.at + vocab.total_len(ids.unwrap_or_default())
    }

    /// Returns a piece start before `end` that is still a piece start if the text ends at `end`. `end` must be near the end
    /// of the encoded text. The start is that of the piece that `end` cuts, if something visible is left of it.
    pub(crate) fn start_before(&self, text: &str, end: usize) -> usize {
        let piece = self
            .ends
            .partition_point(|piece| self.at + (*piece as usize) < end);
        let left = text.get(self.start(piece)..end).unwrap_or_default();
        if left.chars().any(classes::is_visible) {
            return self.start(piece);
        }
        if let Some(piece) = piece.checked_sub(CHANGED_PIECES) {
            return self.start(piece);
        }
        let earlier = (self.earlier.len() + piece).checked_sub(CHANGED_PIECES);
        earlier.map_or(0, |at| self.earlier[at])
    }

    /// Returns the start of a piece of the last batch.
    fn start(&self, piece: usize) -> usize {
        match piece {
            0 => self.at,
            _ => self.at + self.ends[piece - 1] as usize,
        }
    }
}

impl Sink for Until<'_> {
    fn reserve(&mut self, ids: usize) {
        self.ids.reserve(ids);
    }

    #[inline(always)]
    fn push_run(&mut self, ids: &[TokenId; BATCH_BUFFER_IDS], from: usize, to: usize) {
        self.ids.push_run(ids, from, to);
    }

    #[inline(always)]
    fn push_block(&mut self, ids: &[TokenId], len: usize) {
        self.ids.push_block(ids, len);
    }

    /// Returns false: the text is cut near the end, so the ends of the last pieces must be known.
    fn takes_repeats(&self) -> bool {
        false
    }

    fn push_again(&mut self, ids: &[TokenId], times: usize) {
        self.ids.push_again(ids, times);
    }

    /// Returns enough for one id more than the limit: that many show that the limit is exceeded.
    fn pieces_wanted(&self) -> usize {
        self.limit.saturating_add(1).saturating_sub(self.ids.len())
    }

    fn bytes_wanted(&self) -> usize {
        bytes_for_rest(self.limit, self.ids.len(), end_of(self.at, &self.ends))
    }

    fn note_pieces(&mut self, at: usize, ends: &[u32]) {
        let pieces = self.ends.len().max(usize::from(at > 0));
        for piece in pieces.saturating_sub(CHANGED_PIECES)..pieces {
            self.earlier.push(self.start(piece));
        }
        self.earlier
            .drain(..self.earlier.len().saturating_sub(CHANGED_PIECES));
        self.at = at;
        self.first = self.ids.len();
        self.ends.clear();
        self.ends.extend_from_slice(ends);
    }
}

/// Appends ids to a caller's buffer.
///
/// The buffer is longer than its ids, so that blocks of a fixed size can be copied. The caller cuts it to
/// [`len`](Self::len) at the end.
pub(crate) struct Append<'a> {
    ids: &'a mut Vec<TokenId>,
    len: usize,
}

/// Runs of ids are copied in one block of this length, and the rest of a longer run after it.
const RUN_IDS: usize = 16;
// the room that is left for a run is enough for a block
const _: () = assert!(RUN_IDS >= BLOCK_IDS);
/// The ids of a batch, and a block after them that can be read.
pub(crate) const BATCH_BUFFER_IDS: usize = window::ENDS + RUN_IDS;

impl<'a> Append<'a> {
    /// Creates a sink that keeps the first `len` ids of the buffer.
    pub(crate) fn new(ids: &'a mut Vec<TokenId>, len: usize) -> Self {
        Self { ids, len }
    }

    /// Returns a range of the ids of the buffer, if it has that many.
    pub(crate) fn get(&self, range: std::ops::RangeTo<usize>) -> Option<&[TokenId]> {
        self.ids.get(..self.len)?.get(range)
    }

    /// Returns the number of ids in the buffer. Later values are padding.
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

impl Sink for Append<'_> {
    fn reserve(&mut self, ids: usize) {
        let wanted = self.len + ids + RUN_IDS;
        if wanted > self.ids.len() {
            self.ids.resize(wanted, 0);
        }
    }

    #[inline(always)]
    fn push_run(&mut self, ids: &[TokenId; BATCH_BUFFER_IDS], from: usize, to: usize) {
        let places = &mut self.ids[self.len..];
        let len = to - from;
        places[..RUN_IDS].copy_from_slice(&ids[from..from + RUN_IDS]);
        if len > RUN_IDS {
            places[RUN_IDS..len].copy_from_slice(&ids[from + RUN_IDS..to]);
        }
        self.len += len;
    }

    #[inline(always)]
    fn push_block(&mut self, ids: &[TokenId], len: usize) {
        let places = &mut self.ids[self.len..];
        places[..BLOCK_IDS].copy_from_slice(&ids[..BLOCK_IDS]);
        if len > BLOCK_IDS {
            places[BLOCK_IDS..len].copy_from_slice(&ids[BLOCK_IDS..len]);
        }
        self.len += len;
    }

    fn push_again(&mut self, ids: &[TokenId], times: usize) {
        if times > 0 {
            self.ids.truncate(self.len);
            self.ids.extend_from_slice(ids);
            append_again(self.ids, self.len, times - 1);
            self.len = self.ids.len();
        }
    }
}
