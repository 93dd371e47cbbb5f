//! Patterns on a backtracking engine: the oracle of the built-in splitters.

use fancy_regex::Regex;

/// The matches of `pattern` in `text`, in order, as tiktoken finds them.
pub(crate) fn split<'t>(
    pattern: &Regex,
    text: &'t str,
) -> Result<Vec<&'t str>, fancy_regex::Error> {
    pattern
        .find_iter(text)
        .map(|found| found.map(|found| found.as_str()))
        .collect()
}
