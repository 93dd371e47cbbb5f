//! Vocabularies that the lookup tables cannot represent: with tokens of a lower rank than the bytes, wide gaps between
//! the ranks, or tokens of more than 255 bytes. As exact as the regular ones, and slower.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::OnceLock;

use crate::token_id::TokenId;

/// Tokens by their bytes and by their ids.
pub(crate) struct Irregular {
    // keyed at random: whoever wrote the tokens cannot make them collide
    ids: HashMap<Box<[u8]>, TokenId>,
    /// By id.
    tokens: Vec<(TokenId, Box<[u8]>)>,
    max_token_len: usize,
    pub(super) sorted: OnceLock<Vec<TokenId>>,
}

impl Irregular {
    /// From tokens that are sorted by id, all different.
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
            sorted: OnceLock::new(),
        }
    }

    pub(crate) fn id(&self, token: &[u8]) -> Option<TokenId> {
        self.ids.get(token).copied()
    }

    pub(crate) fn token(&self, id: TokenId) -> Option<&[u8]> {
        let at = self.tokens.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        Some(&self.tokens.get(at)?.1)
    }

    pub(crate) fn tokens(&self) -> impl Iterator<Item = (TokenId, &[u8])> {
        self.tokens.iter().map(|(id, token)| (*id, &**token))
    }

    /// Returns the largest id, 0 if there is no token.
    pub(super) fn max_id(&self) -> TokenId {
        self.tokens.last().map_or(0, |(id, _)| *id)
    }

    /// Returns the length of the longest token in bytes.
    pub(crate) fn max_token_len(&self) -> usize {
        self.max_token_len
    }

    /// Appends the ids of a piece that is no token: like the plain merge, in O(n log n) joins.
    pub(crate) fn merge(&self, piece: &[u8], ids: &mut Vec<TokenId>) {
        let mut parts = PieceParts::new(piece, self);
        while parts.join_next() {}
        let mut at = 0;
        while let Some(&end) = parts.ends.get(at) {
            let token = piece.get(at..end).unwrap_or_default();
            // each byte is a token, and so is what was joined
            ids.extend(self.id(token));
            at = end;
        }
    }
}

/// A piece in parts, each at the place of its first byte.
struct PieceParts<'a> {
    piece: &'a [u8],
    vocab: &'a Irregular,
    /// Where the part that begins at a place ends.
    ends: Vec<usize>,
    /// Where the part before it begins; that of the first is outside of the piece.
    befores: Vec<usize>,
    /// Whether a part begins at a place.
    begins: Vec<bool>,
    /// What can be joined: rank, place, and where the joined part would end.
    queue: BinaryHeap<Reverse<(TokenId, usize, usize)>>,
}

impl<'a> PieceParts<'a> {
    fn new(piece: &'a [u8], vocab: &'a Irregular) -> Self {
        let len = piece.len();
        let mut parts = Self {
            piece,
            vocab,
            ends: (1..=len).collect(),
            befores: (0..len).map(|at| at.wrapping_sub(1)).collect(),
            begins: vec![true; len],
            queue: BinaryHeap::new(),
        };
        (0..len).for_each(|at| parts.ask(at));
        parts
    }

    /// Queues the join of a part and the next one, if that is a token.
    fn ask(&mut self, at: usize) {
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

    /// Joins the pair of the lowest rank, the leftmost on a tie; whether there was any.
    #[allow(clippy::indexing_slicing)] // what is queued are places in the piece
    fn join_next(&mut self) -> bool {
        while let Some(Reverse((_, at, end))) = self.queue.pop() {
            let next = self.ends[at];
            // one of the two was joined to something else meanwhile
            if !self.begins[at] || self.ends.get(next) != Some(&end) {
                continue;
            }
            self.begins[next] = false;
            self.ends[at] = end;
            if let Some(before) = self.befores.get_mut(end) {
                *before = at;
            }
            self.ask(at);
            let before = self.befores[at];
            if before < at {
                self.ask(before);
            }
            return true;
        }
        false
    }
}
