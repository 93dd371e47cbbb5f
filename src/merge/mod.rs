//! One piece to ids. Knows no text.

pub(crate) mod heap;
pub(crate) mod plain;

use crate::TokenId;
use crate::vocab::Vocabulary;

/// Pieces up to this many bytes are merged by the plain definition: it has less to set up than the heap.
const SHORT: usize = 64;

/// Appends the ids of `piece`. O(n log n) in its bytes.
pub(crate) fn merge(piece: &[u8], vocab: &Vocabulary, ids: &mut Vec<TokenId>) {
    if piece.len() <= SHORT {
        plain::merge(piece, vocab, ids);
    } else {
        heap::merge(piece, vocab, ids);
    }
}
