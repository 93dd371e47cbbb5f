//! Bytes to ids and back. Knows neither texts nor pieces.

pub(crate) mod builtin;

use std::sync::OnceLock;

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::TokenId;

/// The mergeable tokens of an encoding. A token's id is its rank too.
pub(crate) struct Vocabulary {
    /// The bytes of all tokens, by id.
    bytes: &'static [u8],
    /// Where each token starts in `bytes`, and the end of the last one; an id that no token has is empty.
    starts: Vec<u32>,
    ids: FxHashMap<&'static [u8], TokenId>,
    max_token_len: usize,
    sorted: OnceLock<Vec<TokenId>>,
}

impl Vocabulary {
    /// From the bytes of all tokens by id, and the length of each.
    pub(crate) fn new(bytes: &'static [u8], lengths: &[u8]) -> Self {
        let mut starts = Vec::with_capacity(lengths.len() + 1);
        let mut ids = FxHashMap::with_capacity_and_hasher(lengths.len(), FxBuildHasher);
        let mut start = 0;
        for (id, &len) in lengths.iter().enumerate() {
            let end = start + usize::from(len);
            starts.push(start as u32);
            if let Some(token) = bytes.get(start..end).filter(|token| !token.is_empty()) {
                ids.insert(token, id as TokenId);
            }
            start = end;
        }
        starts.push(start as u32);
        let max_token_len = lengths.iter().copied().max().map_or(0, usize::from);
        Self {
            bytes,
            starts,
            ids,
            max_token_len,
            sorted: OnceLock::new(),
        }
    }

    /// The id of the token with exactly these bytes.
    #[inline]
    pub(crate) fn id(&self, token: &[u8]) -> Option<TokenId> {
        self.ids.get(token).copied()
    }

    /// The bytes of a token.
    #[inline]
    pub(crate) fn token(&self, id: TokenId) -> Option<&[u8]> {
        let id = id as usize;
        let (start, end) = (*self.starts.get(id)?, *self.starts.get(id + 1)?);
        self.bytes
            .get(start as usize..end as usize)
            .filter(|token| !token.is_empty())
    }

    /// The largest id, 0 if there is no token.
    pub(crate) fn max_id(&self) -> TokenId {
        (self.starts.len() as TokenId).saturating_sub(2)
    }

    /// The bytes of the longest token.
    pub(crate) fn max_token_len(&self) -> usize {
        self.max_token_len
    }

    /// The ids and bytes of all tokens by id.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = (TokenId, &[u8])> {
        (0..self.starts.len() as TokenId).filter_map(|id| Some((id, self.token(id)?)))
    }

    /// The ids in the order of their tokens' bytes. Sorted on first use.
    pub(crate) fn sorted(&self) -> &[TokenId] {
        self.sorted.get_or_init(|| {
            let mut ids: Vec<TokenId> = self.tokens().map(|(id, _)| id).collect();
            ids.sort_unstable_by_key(|&id| self.token(id));
            ids
        })
    }

    /// The ids of the tokens that begin with `prefix`, in the order of their bytes.
    pub(crate) fn with_prefix<'v>(
        &'v self,
        prefix: &'v [u8],
    ) -> impl Iterator<Item = TokenId> + 'v {
        let sorted = self.sorted();
        let first = sorted.partition_point(|&id| self.token(id) < Some(prefix));
        let rest = sorted.get(first..).unwrap_or_default();
        rest.iter().copied().take_while(move |&id| {
            self.token(id)
                .is_some_and(|token| token.starts_with(prefix))
        })
    }
}
