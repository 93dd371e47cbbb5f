//! Shared by all benches: the encodings, the texts, and the check that the ids are right.

#[path = "../../tests/common/texts.rs"]
pub(crate) mod texts;

use tiktally::{Encoding, TokenId, reference};

/// One encoding for each vocabulary: the others differ only in special tokens.
pub(crate) const ENCODINGS: [&str; 4] = ["r50k_base", "p50k_base", "cl100k_base", "o200k_base"];

/// Asserts that the ids equal those of the plain merge. Benches call it before they measure.
///
/// # Complexity
/// O(n²) in the length of a piece, so the text should be short.
pub(crate) fn assert_exact(encoding: &Encoding, text: &str) {
    let merge = |piece: &str| reference::merge(encoding, piece.as_bytes());
    let expected: Vec<_> = encoding.pieces(text).flat_map(merge).collect();
    let ids = assert_consistent(encoding, text);
    assert!(ids == expected, "{}: {text}", encoding.name());
    let len = ids.len();
    assert_eq!(encoding.count_up_to(text, len), Some(len));
    assert_eq!(encoding.count_up_to(text, len - 1), None);
}

/// Asserts that encoding, decoding and counting agree, for a text of any length. Returns the ids.
pub(crate) fn assert_consistent(encoding: &Encoding, text: &str) -> Vec<TokenId> {
    let ids = encoding.encode_ordinary(text);
    // not `assert_eq!`: a failure would print megabytes
    assert!(encoding.decode(&ids).unwrap() == text);
    assert_eq!(encoding.count(text), ids.len());
    ids
}
