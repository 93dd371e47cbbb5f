//! What becomes of the ids: they are appended to a buffer, or only counted.
#![allow(clippy::indexing_slicing)] // room is made for a chunk before its ids come

use crate::merge::BLOCK_IDS;
use crate::split::{classes, window};
use crate::token_id::TokenId;
use crate::vocab::Vocabulary;

/// Where the ids go, or only their number.
pub(crate) trait Sink {
    /// Makes room for so many ids, and for what is copied too much behind them.
    fn reserve(&mut self, ids: usize);
    /// Takes the ids of pieces that are tokens: `ids[from..to]`.
    fn push_run(&mut self, ids: &[TokenId; BATCH_IDS], from: usize, to: usize);
    /// Takes the first `len` of `ids`, of which [`BLOCK_IDS`] are readable.
    fn push_block(&mut self, ids: &[TokenId], len: usize);
    /// Takes the id of a piece that is a token.
    #[inline(always)]
    fn push(&mut self, id: TokenId) {
        self.reserve(1);
        self.push_block(&[id; BLOCK_IDS], 1);
    }
    /// How many pieces are wanted at most: each has one id at least.
    fn pieces_wanted(&self) -> usize {
        usize::MAX
    }
    /// How many bytes are looked at at once at most.
    fn bytes_wanted(&self) -> usize {
        usize::MAX
    }
    /// Is told the ends of the pieces whose ids come next, behind the first `at` bytes of the text; none where it is one
    /// piece alone.
    fn note_pieces(&mut self, _at: usize, _ends: &[u32]) {}
}

/// The number of ids, as long as it is not more than a limit.
pub(crate) struct Count {
    pub(crate) tokens: usize,
    limit: usize,
    /// How many bytes are counted, or will be next.
    bytes: usize,
}

impl Count {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            tokens: 0,
            limit,
            bytes: 0,
        }
    }
}

/// Where a chunk ends, as far as its pieces are told.
fn end_of(at: usize, ends: &[u32]) -> usize {
    at + ends.last().map_or(0, |end| *end as usize)
}

/// About how many bytes as many tokens have as are still wanted, by those that are there; at first as many as they have at
/// least.
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
    fn push_run(&mut self, _: &[TokenId; BATCH_IDS], from: usize, to: usize) {
        self.tokens += to - from;
    }

    #[inline(always)]
    fn push_block(&mut self, _: &[TokenId], len: usize) {
        self.tokens += len;
    }

    /// One more than the limit is enough to know.
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

/// The ids up to a limit, and the pieces that the last of them are of.
pub(crate) struct Until<'a> {
    pub(crate) ids: Append<'a>,
    limit: usize,
    /// Where the last chunk begins, the ends of its pieces, and where the last pieces before it begin.
    at: usize,
    ends: Vec<u32>,
    earlier: Vec<usize>,
    /// How many ids came before the last chunk.
    first: usize,
}

/// So many pieces before the end of a text, none can be changed by what is cut off there, though it leaves white space at
/// the end: that falls into three at most, with the word that takes its last character.
const CHANGED_PIECES: usize = 4;

/// The least that is looked at at once, in bytes: some windows of the splitter.
const MIN_WANTED_BYTES: usize = 256;

impl<'a> Until<'a> {
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

    /// Where in the text the tokens up to the limit end, if there are more. The last of them is in the last chunk, for no
    /// other one is asked for when there are enough.
    pub(crate) fn end(&self, vocab: &Vocabulary) -> usize {
        let ids = self
            .ids
            .get(..self.limit)
            .and_then(|ids| ids.get(self.first..));
        self.at + vocab.total_len(ids.unwrap_or_default())
    }

    /// The start of a piece before `end`, near the end of the text that was encoded, which it is of a text that ends there,
    /// too: of the piece that is cut if something visible is left of it.
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

    /// Where a piece of the last chunk begins.
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
    fn push_run(&mut self, ids: &[TokenId; BATCH_IDS], from: usize, to: usize) {
        self.ids.push_run(ids, from, to);
    }

    #[inline(always)]
    fn push_block(&mut self, ids: &[TokenId], len: usize) {
        self.ids.push_block(ids, len);
    }

    /// One more than the limit is enough to know.
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

/// The ids, appended to a caller's buffer.
///
/// The buffer is made longer ahead of time, so that blocks of a fixed size are copied, and cut in the end.
pub(crate) struct Append<'a> {
    ids: &'a mut Vec<TokenId>,
    len: usize,
}

/// Runs of ids are copied in one block of this length, and what is longer behind it.
const RUN_IDS: usize = 16;
/// The ids of a chunk, and a block that can be read behind them.
pub(crate) const BATCH_IDS: usize = window::ENDS + RUN_IDS;

impl<'a> Append<'a> {
    /// The ids go behind the first `len` of the buffer.
    pub(crate) fn new(ids: &'a mut Vec<TokenId>, len: usize) -> Self {
        Self { ids, len }
    }

    /// Ids that were appended.
    pub(crate) fn get(&self, range: std::ops::RangeTo<usize>) -> Option<&[TokenId]> {
        self.ids.get(..self.len)?.get(range)
    }

    /// Where the ids end in the buffer; what is behind does not count.
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
    fn push_run(&mut self, ids: &[TokenId; BATCH_IDS], from: usize, to: usize) {
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
}
