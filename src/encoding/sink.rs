//! What becomes of the ids: they are appended to a buffer, or only counted.
#![allow(clippy::indexing_slicing)] // room is made for a chunk before its ids come

use crate::TokenId;
use crate::merge::BLOCK;
use crate::split::window;

/// Where the ids go, or only their number.
pub(crate) trait Sink {
    /// Makes room for so many ids, and for what is copied too much behind them.
    fn begin(&mut self, ids: usize);
    /// Takes the ids of pieces that are tokens: `ids[from..to]`.
    fn run(&mut self, ids: &[TokenId; IDS], from: usize, to: usize);
    /// Takes the first `len` of `ids`, of which [`BLOCK`] are readable.
    fn many(&mut self, ids: &[TokenId], len: usize);
    /// Whether nothing more is wanted.
    fn is_full(&self) -> bool {
        false
    }
}

/// The number of ids, as long as it is not more than a limit.
pub(crate) struct Count {
    pub(crate) count: usize,
    limit: usize,
}

impl Count {
    pub(crate) fn new(limit: usize) -> Self {
        Self { count: 0, limit }
    }
}

impl Sink for Count {
    fn begin(&mut self, _: usize) {}

    #[inline(always)]
    fn run(&mut self, _: &[TokenId; IDS], from: usize, to: usize) {
        self.count += to - from;
    }

    #[inline(always)]
    fn many(&mut self, _: &[TokenId], len: usize) {
        self.count += len;
    }

    fn is_full(&self) -> bool {
        self.count > self.limit
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
const RUN: usize = 16;
/// The ids of a chunk, and a block that can be read behind them.
pub(crate) const IDS: usize = window::ENDS + RUN;

impl<'a> Append<'a> {
    /// The ids go behind the first `len` of the buffer.
    pub(crate) fn new(ids: &'a mut Vec<TokenId>, len: usize) -> Self {
        Self { ids, len }
    }

    /// Where the ids end in the buffer; what is behind does not count.
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

impl Sink for Append<'_> {
    fn begin(&mut self, ids: usize) {
        let wanted = self.len + ids + RUN;
        if wanted > self.ids.len() {
            self.ids.resize(wanted, 0);
        }
    }

    #[inline(always)]
    fn run(&mut self, ids: &[TokenId; IDS], from: usize, to: usize) {
        let places = &mut self.ids[self.len..];
        let len = to - from;
        places[..RUN].copy_from_slice(&ids[from..from + RUN]);
        if len > RUN {
            places[RUN..len].copy_from_slice(&ids[from + RUN..to]);
        }
        self.len += len;
    }

    #[inline(always)]
    fn many(&mut self, ids: &[TokenId], len: usize) {
        let places = &mut self.ids[self.len..];
        places[..BLOCK].copy_from_slice(&ids[..BLOCK]);
        if len > BLOCK {
            places[BLOCK..len].copy_from_slice(&ids[BLOCK..len]);
        }
        self.len += len;
    }
}
