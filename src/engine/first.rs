//! The first short texts of a built-in vocabulary, whose tables are not built yet.
//!
//! Building the tables takes as long as encoding a megabyte. A process that encodes only a few short texts does not need
//! them.

use crate::merge::one_pass;
use crate::split::Splitter;
use crate::token_id::TokenId;
use crate::vocab::Vocabulary;

/// The longest text that is encoded without tables.
const MAX_FIRST_BYTES: usize = 1 << 10;

/// Appends the ids of a text if it is one of the first short ones of its vocabulary. Returns false if the tables are there
/// or should be built.
#[inline]
pub(crate) fn append_first(
    text: &str,
    splitter: &Splitter,
    vocab: &Vocabulary,
    ids: &mut Vec<TokenId>,
) -> bool {
    if text.len() > MAX_FIRST_BYTES || splitter.needs_whole_text() {
        return false;
    }
    let Some(halves) = vocab.take_first_text() else {
        return false;
    };
    let pieces = splitter.pieces(text).map(str::as_bytes);
    one_pass::merge(pieces, halves, ids);
    true
}
