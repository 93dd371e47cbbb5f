//! The merge for long pieces: a queue of candidate joins in O(n log n).
#![allow(clippy::indexing_slicing)] // all positions are starts of parts, below the length of the piece

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::token_id::TokenId;
use crate::vocab::Regular;
use crate::vocab::tables::{NONE, SIDES, Symbol};

/// The parts of a piece as a list, each at the place of its first byte.
struct PieceParts {
    symbols: Vec<Symbol>,
    /// What each part and the next one merge to, or [`NONE`].
    joins: Vec<Symbol>,
    /// Where the next part is, and the one before; those of the first and the last one are outside of the piece.
    next: Vec<usize>,
    previous: Vec<usize>,
}

/// A join that was possible when it was queued: its rank above the place of its left part, so that the order is that of
/// the merge, lowest rank first, leftmost on a tie.
type Join = Reverse<u64>;

const PLACE_BITS: u32 = 44;

impl PieceParts {
    fn new(piece: &[u8], vocab: &Regular) -> Self {
        let n = piece.len();
        Self {
            symbols: piece.iter().map(|byte| vocab.byte_symbol(*byte)).collect(),
            joins: vec![NONE; n],
            next: (1..=n).collect(),
            previous: (0..n).map(|at| at.wrapping_sub(1)).collect(),
        }
    }

    /// Looks up what the part at `at` and the next one merge to.
    fn ask(&mut self, at: usize, vocab: &Regular) -> Option<Join> {
        let right = self.symbols.get(self.next[at]);
        let merged = right.map_or(NONE, |right| vocab.merged_symbols(self.symbols[at], *right));
        self.joins[at] = merged;
        (merged != NONE).then_some(Reverse(
            u64::from(merged >> SIDES) << PLACE_BITS | at as u64,
        ))
    }

    /// Joins the part at `at` with the next one.
    fn join(&mut self, at: usize) {
        let gone = self.next[at];
        self.symbols[at] = self.joins[at];
        self.joins[gone] = NONE;
        self.next[at] = self.next[gone];
        if let Some(previous) = self.previous.get_mut(self.next[at]) {
            *previous = at;
        }
    }
}

/// Appends the ids of `piece`, those of [`plain::merge_plain`](super::plain::merge_plain).
pub(super) fn merge_heap(piece: &[u8], vocab: &Regular, ids: &mut Vec<TokenId>) {
    let mut parts = PieceParts::new(piece, vocab);
    let joins = (0..piece.len()).filter_map(|at| parts.ask(at, vocab));
    let mut queue: BinaryHeap<Join> = joins.collect();
    while let Some(Reverse(join)) = queue.pop() {
        let (rank, at) = (
            (join >> PLACE_BITS) as TokenId,
            (join & ((1 << PLACE_BITS) - 1)) as usize,
        );
        if parts.joins[at] >> SIDES != rank {
            continue; // one of the two parts was joined to something else meanwhile
        }
        parts.join(at);
        queue.extend(parts.ask(at, vocab));
        let previous = parts.previous[at];
        if previous < piece.len() {
            queue.extend(parts.ask(previous, vocab));
        }
    }
    let mut at = 0;
    while at < piece.len() {
        ids.push(parts.symbols[at] >> SIDES);
        at = parts.next[at];
    }
}
