//! Byte pair encoding by its definition: the oracle of every faster merge.
#![allow(clippy::indexing_slicing)] // parts begin inside the piece, and the loops run over their indices

use crate::token_id::TokenId;
use crate::vocab::Vocabulary;

/// Appends the ids of `piece`.
///
/// Joins the pair of neighbours with the lowest rank, the leftmost on a tie, until no two neighbours are a token.
///
/// # Complexity
/// O(n²) in the bytes of the piece.
pub(crate) fn merge_plain(piece: &[u8], vocab: &Vocabulary, ids: &mut Vec<TokenId>) {
    let rank = |bytes: &[u8]| vocab.id(bytes).unwrap_or(TokenId::MAX);
    // the start of each part, and the rank of that part joined with the next one
    let mut parts: Vec<(usize, TokenId)> = (0..=piece.len()).map(|at| (at, TokenId::MAX)).collect();
    let joined = |parts: &[(usize, TokenId)], i: usize| match (parts.get(i), parts.get(i + 2)) {
        (Some(&(start, _)), Some(&(end, _))) => rank(&piece[start..end]),
        _ => TokenId::MAX,
    };
    for i in 0..piece.len() {
        parts[i].1 = joined(&parts, i);
    }
    while let Some(best) = (0..parts.len())
        .min_by_key(|&i| parts[i].1)
        .filter(|&i| parts[i].1 != TokenId::MAX)
    {
        parts.remove(best + 1);
        parts[best].1 = joined(&parts, best);
        if best > 0 {
            parts[best - 1].1 = joined(&parts, best - 1);
        }
    }
    ids.extend(
        parts
            .windows(2)
            .map(|part| rank(&piece[part[0].0..part[1].0])),
    );
}
