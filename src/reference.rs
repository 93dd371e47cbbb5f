//! The slow definitions that all fast paths are compared with, for this crate's tests and benches. Outside semver.

use crate::{Encoding, TokenId};

/// Returns the ids of one piece by the plain merge: lowest rank first, leftmost on a tie.
pub fn merge(encoding: &Encoding, piece: &[u8]) -> Vec<TokenId> {
    let mut ids = Vec::new();
    crate::merge::plain::merge_plain(piece, encoding.vocab(), &mut ids);
    ids
}

/// Returns the ids of one piece by the merge that the encoding uses.
pub fn merge_fast(encoding: &Encoding, piece: &[u8]) -> Vec<TokenId> {
    let mut ids = Vec::new();
    crate::merge::merge_piece(piece, encoding.vocab(), &mut ids);
    ids
}

/// Returns the pieces of a text by the encoding's pattern on fancy-regex.
///
/// # Errors
/// The engine backtracks and gives up at its limits.
#[cfg(feature = "custom")]
pub fn split<'t>(encoding: &Encoding, text: &'t str) -> Result<Vec<&'t str>, String> {
    use std::collections::HashMap;
    use std::sync::{Mutex, OnceLock, PoisonError};
    static COMPILED: OnceLock<Mutex<HashMap<String, fancy_regex::Regex>>> = OnceLock::new();

    let mut compiled = COMPILED
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if !compiled.contains_key(encoding.pattern()) {
        let pattern =
            fancy_regex::Regex::new(encoding.pattern()).map_err(|error| error.to_string())?;
        compiled.insert(encoding.pattern().to_owned(), pattern);
    }
    let pattern = compiled
        .get(encoding.pattern())
        .cloned()
        .ok_or("just inserted")?;
    drop(compiled);
    pattern
        .find_iter(text)
        .map(|found| found.map(|found| found.as_str()))
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())
}

/// Returns the class of a character: other, space, newline, number, upper, lower, caseless or mark.
pub fn unicode_class(c: char) -> &'static str {
    crate::split::classes::class_name(c)
}
