//! Vocabularies that the lookup tables cannot represent, for example because a byte has no token, or a token has more than
//! 255 bytes. Exact like the regular ones, but slower.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::OnceLock;

use super::keyed::Keyed;
use crate::token_id::TokenId;

/// Tokens by their bytes and by their ids.
pub(crate) struct Irregular {
    ids: HashMap<Box<[u8]>, TokenId, Keyed>,
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
        let mut by_bytes = HashMap::with_capacity_and_hasher(tokens.len(), Keyed::new());
        by_bytes.extend(ids);
        let by_id = tokens.iter().map(|(id, token)| (*id, Box::from(*token)));
        Self {
            ids: by_bytes,
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
        if u32::try_from(piece.len()).is_ok() {
            PieceParts::<u32>::new(piece, self).merge(ids);
        } else {
            PieceParts::<usize>::new(piece, self).merge(ids);
        }
    }
}

/// A position in a piece. With 32 bits, a huge piece takes far less memory: each of its bytes has several positions.
trait Position: Copy + Ord {
    fn new(at: usize) -> Self;
    fn get(self) -> usize;
}

impl Position for u32 {
    fn new(at: usize) -> Self {
        at as Self
    }

    fn get(self) -> usize {
        self as usize
    }
}

impl Position for usize {
    fn new(at: usize) -> Self {
        at
    }

    fn get(self) -> usize {
        self
    }
}

/// A join that was possible when it was queued: rank, position, and the end of the joined part.
type QueuedJoin<P> = Reverse<(TokenId, P, P)>;

/// A piece that is being merged: a list of parts, each at the position of its first byte.
///
/// With positions of 32 bits, it takes 20 bytes for each byte of the piece, and up to 32 while the queue grows.
struct PieceParts<'a, P> {
    piece: &'a [u8],
    vocab: &'a Irregular,
    /// By position, the end of the part that begins there; 0 if none does.
    ends: Vec<P>,
    /// By position, the start of the part before the one that begins there; its own for the first part.
    previous: Vec<P>,
    queue: BinaryHeap<QueuedJoin<P>>,
}

impl<'a, P: Position> PieceParts<'a, P> {
    /// Begins with a part for each byte.
    fn new(piece: &'a [u8], vocab: &'a Irregular) -> Self {
        let len = piece.len();
        let mut parts = Self {
            piece,
            vocab,
            ends: (1..=len).map(P::new).collect(),
            previous: (0..len).map(|at| P::new(at.saturating_sub(1))).collect(),
            queue: BinaryHeap::new(),
        };
        // all at once, which is linear in the bytes
        parts.queue = (0..len).filter_map(|at| parts.possible_join(at)).collect();
        parts
    }

    /// Joins parts until no two neighbours are a token, and appends the ids.
    fn merge(mut self, ids: &mut Vec<TokenId>) {
        while self.join_next() {}
        let mut at = 0;
        while let Some(end) = self.ends.get(at) {
            let token = self.piece.get(at..end.get()).unwrap_or_default();
            // each joined part is a token, and so is each byte, unless it lacks
            ids.extend(self.vocab.id(token));
            at = end.get();
        }
    }

    /// Returns the join of the part at `at` and the next one, if both together are a token.
    fn possible_join(&self, at: usize) -> Option<QueuedJoin<P>> {
        let next = self.ends.get(at)?.get();
        let end = *self.ends.get(next)?;
        if end.get() - at > self.vocab.max_token_len {
            return None;
        }
        let rank = self.vocab.id(self.piece.get(at..end.get())?)?;
        Some(Reverse((rank, P::new(at), end)))
    }

    /// Joins the pair of the lowest rank, the leftmost on a tie. Returns whether there was one.
    #[allow(clippy::indexing_slicing)] // queued positions are in the piece
    fn join_next(&mut self) -> bool {
        while let Some(Reverse((_, start, end))) = self.queue.pop() {
            let at = start.get();
            let next = self.ends[at].get();
            // skip it if one of the two parts was joined to another one meanwhile
            if next == 0 || self.ends.get(next) != Some(&end) {
                continue;
            }
            self.ends[next] = P::new(0);
            self.ends[at] = end;
            if let Some(previous) = self.previous.get_mut(end.get()) {
                *previous = start;
            }
            self.queue.extend(self.possible_join(at));
            let previous = self.previous[at].get();
            if previous < at {
                self.queue.extend(self.possible_join(previous));
            }
            return true;
        }
        false
    }
}
