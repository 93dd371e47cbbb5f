//! What all benches start from: the encodings, the texts, and the check that the ids are right.

#[path = "../../tests/common/texts.rs"]
pub(crate) mod texts;

use tiktally::{Encoding, TokenId, reference};

/// One of each vocabulary: the other encodings differ in special tokens only.
pub(crate) const ENCODINGS: [&str; 4] = ["r50k_base", "p50k_base", "cl100k_base", "o200k_base"];

/// The clock only starts for ids that are right: those of each piece by the plain merge. It takes the square of a piece's
/// length, so the text should be short.
pub(crate) fn assert_exact(encoding: &Encoding, text: &str) {
    let merge = |piece: &str| reference::merge(encoding, piece.as_bytes());
    let expected: Vec<_> = encoding.pieces(text).flat_map(merge).collect();
    let ids = assert_consistent(encoding, text);
    assert!(ids == expected, "{}: {text}", encoding.name());
    let len = ids.len();
    assert_eq!(encoding.count_up_to(text, len), Some(len));
    assert_eq!(encoding.count_up_to(text, len - 1), None);
}

/// Encoding, decoding and counting agree about a text of any length; its ids.
pub(crate) fn assert_consistent(encoding: &Encoding, text: &str) -> Vec<TokenId> {
    let ids = encoding.encode_ordinary(text);
    // not assert_eq: it would print megabytes
    assert!(encoding.decode(&ids).unwrap() == text);
    assert_eq!(encoding.count(text), ids.len());
    ids
}
