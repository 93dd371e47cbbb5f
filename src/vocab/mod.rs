//! Bytes to ids and back. Nothing here depends on texts or pieces.

pub(crate) mod chars;
pub(crate) mod crossings;
pub(crate) mod derive;
pub(crate) mod irregular;
pub(crate) mod keyed;
pub(crate) mod on_demand;
#[cfg(feature = "custom")] // which brings base64
pub(crate) mod rank_file;
pub(crate) mod regular;
pub(crate) mod tables;

use crate::token_id::TokenId;
use irregular::Irregular;
pub(crate) use on_demand::OnDemand;
pub(crate) use regular::Regular;
use tables::Row;

/// The mergeable tokens of an encoding. A token's id is its rank too.
///
/// All built-in vocabularies and nearly all trained ones are regular: lookup tables find their tokens and merges, and the
/// fast path of the engine takes nothing else. The rest is irregular: exact, and slower.
#[allow(clippy::large_enum_variant)] // nearly all are regular, and each stands alone in an `Arc`
pub(crate) enum Vocabulary {
    Regular(OnDemand),
    Irregular(Irregular),
}

impl Vocabulary {
    /// Returns the vocabulary with lookup tables, if it is one.
    #[inline]
    pub(crate) fn as_regular(&self) -> Option<&Regular> {
        match self {
            Self::Regular(regular) => Some(regular),
            Self::Irregular(_) => None,
        }
    }

    /// Returns whether a byte has no token, so that not all texts can be encoded.
    #[inline(always)]
    pub(crate) fn lacks_bytes(&self) -> bool {
        match self {
            Self::Regular(_) => false,
            Self::Irregular(irregular) => irregular.lacks_bytes(),
        }
    }

    /// Returns whether nothing is left to build before a text can be encoded.
    #[inline(always)]
    pub(crate) fn has_tables(&self) -> bool {
        match self {
            Self::Regular(regular) => regular.has_tables(),
            Self::Irregular(_) => true,
        }
    }

    /// Returns the halves of all tokens if the tables are not built and one more text may be encoded without them, see
    /// [`OnDemand`]. Counts that text.
    pub(crate) fn take_first_text(&self) -> Option<&'static [[u8; 6]]> {
        match self {
            Self::Regular(regular) => regular.take_first_text(),
            Self::Irregular(_) => None,
        }
    }

    /// Builds now everything that is otherwise built on first use, except the blocks of characters.
    pub(crate) fn prepare(&self) {
        self.sorted();
        if let Self::Regular(regular) = self {
            regular.prepare();
        }
    }

    /// Returns the id of the token with exactly these bytes.
    pub(crate) fn id(&self, token: &[u8]) -> Option<TokenId> {
        match self {
            Self::Regular(regular) => regular.id(token),
            Self::Irregular(irregular) => irregular.id(token),
        }
    }

    /// Returns the bytes of a token.
    #[inline]
    pub(crate) fn token(&self, id: TokenId) -> Option<&[u8]> {
        match self {
            Self::Regular(regular) => regular.token(id),
            Self::Irregular(irregular) => irregular.token(id),
        }
    }

    /// Returns the length of a token in bytes, 0 if there is none.
    #[inline]
    pub(crate) fn len(&self, id: TokenId) -> usize {
        match self {
            Self::Regular(regular) => regular.len(id),
            Self::Irregular(irregular) => irregular.token(id).map_or(0, <[u8]>::len),
        }
    }

    /// Returns the length of several tokens together, in bytes.
    pub(crate) fn total_len(&self, ids: &[TokenId]) -> usize {
        match self {
            Self::Regular(regular) => regular.total_len(ids),
            Self::Irregular(_) => ids.iter().map(|id| self.len(*id)).sum(),
        }
    }

    /// Returns the length of each token by id, 0 for an id that no token has; nothing for an irregular vocabulary.
    pub(crate) fn lengths(&self) -> &[u8] {
        self.as_regular().map_or(&[], Regular::lengths)
    }

    /// Returns the first 16 bytes of each token by id, and one row more; nothing for an irregular vocabulary.
    pub(crate) fn rows(&self) -> &[Row] {
        self.as_regular().map_or(&[], Regular::rows)
    }

    /// Returns the largest id, 0 if there is no token.
    pub(crate) fn max_id(&self) -> TokenId {
        match self {
            Self::Regular(regular) => regular.max_id(),
            Self::Irregular(irregular) => irregular.max_id(),
        }
    }

    /// Returns the length of the longest token in bytes.
    pub(crate) fn max_token_len(&self) -> usize {
        match self {
            Self::Regular(regular) => regular.max_token_len(),
            Self::Irregular(irregular) => irregular.max_token_len(),
        }
    }

    /// Returns the ids and bytes of all tokens by id.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = (TokenId, &[u8])> {
        let (regular, irregular) = match self {
            Self::Regular(regular) => (Some(regular), None),
            Self::Irregular(irregular) => (None, Some(irregular)),
        };
        let regular = regular.into_iter().flat_map(|regular| regular.tokens());
        regular.chain(irregular.into_iter().flat_map(Irregular::tokens))
    }

    /// Returns the ids in the order of their tokens' bytes. Sorts them on the first call.
    pub(crate) fn sorted(&self) -> &[TokenId] {
        let sorted = match self {
            Self::Regular(regular) => &regular.sorted,
            Self::Irregular(irregular) => &irregular.sorted,
        };
        sorted.get_or_init(|| {
            let mut ids: Vec<TokenId> = self.tokens().map(|(id, _)| id).collect();
            ids.sort_unstable_by_key(|&id| self.token(id));
            ids
        })
    }

    /// Returns the ids of the tokens that begin with `prefix`, in the order of their bytes.
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
