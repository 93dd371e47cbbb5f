//! The merge for pieces that the linear one gives up, and for bytes that are not UTF-8: a queue of candidate joins, in
//! O(n log n).
//!
//! A join in the queue is a word whose order is the order of the merge, lowest rank first, leftmost on a tie:
//!
//! ```text
//!  63              44 43                                     0
//! +------------------+----------------------------------------+
//! |       rank       |       position of the left part        |
//! +------------------+----------------------------------------+
//! ```
#![allow(clippy::indexing_slicing)] // all positions are starts of parts, below the length of the piece

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::token_id::TokenId;
use crate::vocab::Regular;
use crate::vocab::tables::{NONE, SIDES, Symbol};

/// A piece that is being merged: a list of parts, each at the position of its first byte.
struct PieceParts {
    /// The symbol of each part.
    symbols: Vec<Symbol>,
    /// The symbol that each part and the next one merge to, or [`NONE`].
    joins: Vec<Symbol>,
    /// The positions of the next part and of the previous one; out of range at the ends of the list.
    next: Vec<usize>,
    previous: Vec<usize>,
}

/// A join that was possible when it was queued, in the layout at the head of this file.
type QueuedJoin = Reverse<u64>;

/// The bits of a position in a queued join; 20 are left for the rank.
const POSITION_BITS: u32 = 44;
const POSITION_MASK: u64 = (1 << POSITION_BITS) - 1;

impl PieceParts {
    /// Begins with a part for each byte, without joins.
    fn new(piece: &[u8], vocab: &Regular) -> Self {
        let n = piece.len();
        Self {
            symbols: piece.iter().map(|byte| vocab.byte_symbol(*byte)).collect(),
            joins: vec![NONE; n],
            next: (1..=n).collect(),
            previous: (0..n).map(|at| at.wrapping_sub(1)).collect(),
        }
    }

    /// Looks up the join of the part at `at` and the next one, notes it, and returns it for the queue.
    fn update_join(&mut self, at: usize, vocab: &Regular) -> Option<QueuedJoin> {
        let right = self.symbols.get(self.next[at]);
        let merged = right.map_or(NONE, |right| vocab.merged_symbols(self.symbols[at], *right));
        self.joins[at] = merged;
        (merged != NONE).then_some(Reverse(
            u64::from(merged >> SIDES) << POSITION_BITS | at as u64,
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
    let joins = (0..piece.len()).filter_map(|at| parts.update_join(at, vocab));
    let mut queue: BinaryHeap<QueuedJoin> = joins.collect();
    while let Some(Reverse(join)) = queue.pop() {
        let (rank, at) = (
            (join >> POSITION_BITS) as TokenId,
            (join & POSITION_MASK) as usize,
        );
        if parts.joins[at] >> SIDES != rank {
            continue; // one of the two parts was joined to another one meanwhile
        }
        parts.join(at);
        queue.extend(parts.update_join(at, vocab));
        let previous = parts.previous[at];
        if previous < piece.len() {
            queue.extend(parts.update_join(previous, vocab));
        }
    }
    let mut at = 0;
    while at < piece.len() {
        ids.push(parts.symbols[at] >> SIDES);
        at = parts.next[at];
    }
}
