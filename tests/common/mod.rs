//! What several test files share.

use std::io::Write;

use tiktally::Encoding;

/// Every built-in encoding, compiled in or not.
pub(crate) const NAMES: [&str; 7] = [
    "gpt2",
    "r50k_base",
    "p50k_base",
    "p50k_edit",
    "cl100k_base",
    "o200k_base",
    "o200k_harmony",
];

/// A built-in encoding, or `None` if its vocabulary is not compiled in.
pub(crate) fn compiled_in(name: &str) -> Option<&'static Encoding> {
    match tiktally::get_encoding(name) {
        Ok(encoding) => Some(encoding),
        Err(error) => {
            assert!(error.is_missing_feature(), "{name}: {error}");
            None
        }
    }
}

/// Prints a line that plain `cargo test` shows: its capture takes only what the print macros write.
pub(crate) fn say(line: &str) {
    // One write, so that lines of tests that run side by side do not mix.
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}
