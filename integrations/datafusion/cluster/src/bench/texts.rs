//! The texts that a corpus repeats: by default the project's own documents and sources.

use std::path::Path;

use crate::problem::{Problem, Result};

/// A text and its name, which is the column `source`.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) name: String,
    pub(super) text: String,
}

macro_rules! texts {
    ($($path:literal),* $(,)?) => {
        [$(($path, include_str!(concat!("../../../../../", $path)))),*]
    };
}

/// Prose and code of different kinds.
const OWN: &[(&str, &str)] = &texts![
    "README.md",
    "COMPARE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "data/README.md",
    "data/context_windows.tsv",
    "python/README.md",
    "python/bench.py",
    "Cargo.toml",
    "src/lib.rs",
    "src/error.rs",
    "src/chat/calls.rs",
    "src/chat/request.rs",
    "src/encoding/decode.rs",
    "src/merge/long.rs",
    "src/split/window.rs",
];

/// Returns the project's texts, or those of the files in a folder.
pub(super) fn load(folder: Option<&Path>) -> Result<Vec<Text>> {
    let Some(folder) = folder else {
        let own = OWN.iter().map(|(name, text)| Text {
            name: (*name).to_owned(),
            text: (*text).to_owned(),
        });
        return Ok(own.collect());
    };
    let problem = |error| {
        Problem::new(format!(
            "cannot read texts in {}: {error}",
            folder.display()
        ))
    };
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(problem)? {
        let path = entry.map_err(problem)?.path();
        if path.is_file() {
            let bytes = std::fs::read(&path).map_err(problem)?;
            texts.push(Text {
                name: path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                text: String::from_utf8_lossy(&bytes).into_owned(),
            });
        }
    }
    texts.retain(|text| !text.text.is_empty());
    texts.sort_by(|a, b| a.name.cmp(&b.name));
    if texts.is_empty() {
        return Err(Problem::new(format!(
            "{} has no file with text",
            folder.display()
        )));
    }
    Ok(texts)
}
