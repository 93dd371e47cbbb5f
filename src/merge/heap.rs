//! The merge for long pieces: a queue of candidate joins in O(n log n).
#![allow(clippy::indexing_slicing)] // all positions are starts of parts, below the length of the piece

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::TokenId;
use crate::vocab::Vocabulary;

/// A join that was possible when it was queued: the bytes `start..end`, which are two neighbouring parts.
///
/// The order is that of the merge: lowest rank first, leftmost on a tie.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Join {
    rank: TokenId,
    start: usize,
    end: usize,
}

/// The parts of the piece as a list: for the first byte of each part where it ends and where its left neighbour starts.
struct Parts<'p> {
    piece: &'p [u8],
    ends: Vec<usize>,
    previous: Vec<usize>,
}

impl Parts<'_> {
    /// Where the right neighbour of the part at `start` ends; `None` for the last part, and for what is no part any more.
    fn neighbour_end(&self, start: usize) -> Option<usize> {
        self.ends.get(self.ends[start]).copied()
    }

    fn join_at(&self, start: usize, vocab: &Vocabulary) -> Option<Reverse<Join>> {
        let end = self.neighbour_end(start)?;
        let rank = vocab.id(self.piece.get(start..end)?)?;
        Some(Reverse(Join { rank, start, end }))
    }

    fn join(&mut self, start: usize, end: usize) {
        let middle = std::mem::replace(&mut self.ends[start], end);
        self.ends[middle] = GONE;
        if let Some(previous) = self.previous.get_mut(end) {
            *previous = start;
        }
    }
}

/// The end of a part that was joined to the one before it.
const GONE: usize = usize::MAX;

/// Appends the ids of `piece`, those of [`plain::merge`](super::plain::merge).
pub(crate) fn merge(piece: &[u8], vocab: &Vocabulary, ids: &mut Vec<TokenId>) {
    let n = piece.len();
    let mut parts = Parts {
        piece,
        ends: (1..=n).collect(),
        previous: (0..n).map(|i| i.saturating_sub(1)).collect(),
    };
    let mut queue: BinaryHeap<Reverse<Join>> = (0..n)
        .filter_map(|start| parts.join_at(start, vocab))
        .collect();
    while let Some(Reverse(Join { start, end, .. })) = queue.pop() {
        if parts.neighbour_end(start) != Some(end) {
            continue; // one of the two parts was joined to something else meanwhile
        }
        parts.join(start, end);
        queue.extend(parts.join_at(start, vocab));
        if start > 0 {
            queue.extend(parts.join_at(parts.previous[start], vocab));
        }
    }
    let mut start = 0;
    while start < n {
        let end = parts.ends[start];
        ids.extend(vocab.id(&piece[start..end]));
        start = end;
    }
}
