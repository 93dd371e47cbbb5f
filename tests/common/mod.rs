//! Helpers that several modules share.

use std::fs;
use std::io::Write;
use std::path::Path;

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

/// Returns a built-in encoding, or `None` if its vocabulary is not compiled in.
pub(crate) fn compiled_in(name: &str) -> Option<&'static Encoding> {
    match tiktally::get_encoding(name) {
        Ok(encoding) => Some(encoding),
        Err(error) => {
            assert!(error.is_missing_feature(), "{name}: {error}");
            None
        }
    }
}

/// Returns a number of random cases, times the variable `TIMES`: 100 before a release, 0.2 for a second look.
#[allow(clippy::cast_sign_loss, clippy::cast_precision_loss)] // a rough number will do
pub(crate) fn times(cases: usize) -> usize {
    let times =
        std::env::var("TIMES").map_or(1.0, |times| times.parse().expect("TIMES is a number"));
    ((cases as f64 * times) as usize).max(1)
}

/// Prints a line that plain `cargo test` shows, because it captures only the print macros.
pub(crate) fn say(line: &str) {
    // One write, so that lines of tests that run side by side do not mix.
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Returns up to `most` bytes of each file in a folder of real texts beside the project, if it is there.
pub(crate) fn corpora(most: usize) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/corpora");
    let Ok(entries) = fs::read_dir(&folder) else {
        say("skipped: there is no folder of real texts beside the project");
        return Vec::new();
    };
    let texts = entries.filter_map(|entry| {
        let path = entry.ok()?.path();
        let text = fs::read_to_string(&path).ok()?;
        let end = (0..=most.min(text.len()))
            .rev()
            .find(|at| text.is_char_boundary(*at))?;
        Some((
            path.file_name()?.to_string_lossy().into_owned(),
            text[..end].to_owned(),
        ))
    });
    texts.collect()
}
