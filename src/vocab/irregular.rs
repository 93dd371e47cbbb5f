//! Vocabularies that the lookup tables cannot represent: with a token of a lower rank than the bytes, wide gaps between
//! the ranks, or tokens of more than 255 bytes. Exact like the regular ones, but slower.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::OnceLock;

use crate::token_id::TokenId;

/// Tokens by their bytes and by their ids.
pub(crate) struct Irregular {
    /// Hashed with a random key, so that crafted tokens cannot collide.
    ids: HashMap<Box<[u8]>, TokenId>,
    /// Sorted by id.
    tokens: Vec<(TokenId, Box<[u8]>)>,
    max_token_len: usize,
    lacks_bytes: bool,
    pub(super) sorted: OnceLock<Vec<TokenId>>,
}

impl Irregular {
    /// Creates a vocabulary from tokens that are sorted by id and all different.
    pub(crate) fn new(tokens: &[(TokenId, &[u8])]) -> Self {
        let ids = tokens.iter().map(|(id, token)| (Box::from(*token), *id));
        let by_id = tokens.iter().map(|(id, token)| (*id, Box::from(*token)));
        Self {
            ids: ids.collect(),
            tokens: by_id.collect(),
            max_token_len: tokens
                .iter()
                .map(|(_, token)| token.len())
                .max()
                .unwrap_or(0),
            lacks_bytes: tokens.iter().filter(|(_, token)| token.len() == 1).count() < 256,
            sorted: OnceLock::new(),
        }
    }

    /// Returns the id of the token with exactly these bytes.
    pub(crate) fn id(&self, token: &[u8]) -> Option<TokenId> {
        self.ids.get(token).copied()
    }

    /// Returns the bytes of a token.
    pub(crate) fn token(&self, id: TokenId) -> Option<&[u8]> {
        let at = self.tokens.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        Some(&self.tokens.get(at)?.1)
    }

    /// Returns the ids and bytes of all tokens by id.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = (TokenId, &[u8])> {
        self.tokens.iter().map(|(id, token)| (*id, &**token))
    }

    /// Returns the largest id, 0 if there is no token.
    pub(super) fn max_id(&self) -> TokenId {
        self.tokens.last().map_or(0, |(id, _)| *id)
    }

    /// Returns whether a byte has no token.
    pub(super) fn lacks_bytes(&self) -> bool {
        self.lacks_bytes
    }

    /// Returns the length of the longest token in bytes.
    pub(crate) fn max_token_len(&self) -> usize {
        self.max_token_len
    }

    /// Appends the ids of a piece that is not a token: those of the plain merge, in O(n log n) joins.
    pub(crate) fn merge(&self, piece: &[u8], ids: &mut Vec<TokenId>) {
        let mut parts = PieceParts::new(piece, self);
        while parts.join_next() {}
        let mut at = 0;
        while let Some(&end) = parts.ends.get(at) {
            let token = piece.get(at..end).unwrap_or_default();
            // each joined part is a token, and so is each byte, unless it lacks
            ids.extend(self.id(token));
            at = end;
        }
    }
}

/// A piece that is being merged: a list of parts, each at the position of its first byte.
struct PieceParts<'a> {
    piece: &'a [u8],
    vocab: &'a Irregular,
    /// By position, the end of the part that begins there.
    ends: Vec<usize>,
    /// By position, the start of the part before the one that begins there; out of range for the first part.
    previous: Vec<usize>,
    /// By position, whether a part begins there.
    begins: Vec<bool>,
    /// The joins that were possible when they were queued: rank, position, and the end of the joined part.
    queue: BinaryHeap<Reverse<(TokenId, usize, usize)>>,
}

impl<'a> PieceParts<'a> {
    /// Begins with a part for each byte.
    fn new(piece: &'a [u8], vocab: &'a Irregular) -> Self {
        let len = piece.len();
        let mut parts = Self {
            piece,
            vocab,
            ends: (1..=len).collect(),
            previous: (0..len).map(|at| at.wrapping_sub(1)).collect(),
            begins: vec![true; len],
            queue: BinaryHeap::new(),
        };
        (0..len).for_each(|at| parts.queue_join(at));
        parts
    }

    /// Queues the join of the part at `at` and the next one, if both together are a token.
    fn queue_join(&mut self, at: usize) {
        let end = self.ends.get(at).and_then(|next| self.ends.get(*next));
        let Some(&end) = end.filter(|end| *end - at <= self.vocab.max_token_len) else {
            return;
        };
        if let Some(rank) = self
            .piece
            .get(at..end)
            .and_then(|token| self.vocab.id(token))
        {
            self.queue.push(Reverse((rank, at, end)));
        }
    }

    /// Joins the pair of the lowest rank, the leftmost on a tie. Returns whether there was one.
    #[allow(clippy::indexing_slicing)] // queued positions are in the piece
    fn join_next(&mut self) -> bool {
        while let Some(Reverse((_, at, end))) = self.queue.pop() {
            let next = self.ends[at];
            // skip it if one of the two parts was joined to another one meanwhile
            if !self.begins[at] || self.ends.get(next) != Some(&end) {
                continue;
            }
            self.begins[next] = false;
            self.ends[at] = end;
            if let Some(previous) = self.previous.get_mut(end) {
                *previous = at;
            }
            self.queue_join(at);
            let previous = self.previous[at];
            if previous < at {
                self.queue_join(previous);
            }
            return true;
        }
        false
    }
}
