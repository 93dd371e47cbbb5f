//! Makes a splitter of the pre-tokenizer of a `tokenizer.json`.

use std::sync::Arc;

use serde_json::Value;

use super::processors::{kind, parts};
use super::{invalid, shown, syntax, unsupported};
use crate::error::Error;
use crate::split::Splitter;
use crate::split::custom::{self, Custom, Gaps};
use crate::split::deepseek::STAGES;
use crate::split::stages::Stage;

/// The pattern of ByteLevel.
const BYTE_LEVEL: &str =
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

/// The most patterns that run in turn. Real files have up to three.
const MAX_SPLITS: usize = 16;

/// A pattern that splits text, and which parts of the text it keeps.
struct Split {
    pattern: String,
    keeps_matches: bool,
    keeps_gaps: bool,
    place: String,
}

impl Split {
    /// A pattern whose matches and gaps are all pieces.
    fn isolated(pattern: impl Into<String>, place: &str) -> Self {
        Self {
            pattern: pattern.into(),
            keeps_matches: true,
            keeps_gaps: true,
            place: place.into(),
        }
    }

    /// Compiles a split that is the only one of a file. It must be one that keeps its matches as pieces.
    fn only(&self) -> Result<Splitter, Error> {
        if let Some(splitter) = custom::known(&self.pattern) {
            return Ok(splitter);
        }
        let gaps = if self.keeps_gaps {
            Gaps::Keep
        } else {
            Gaps::Drop
        };
        Custom::any(&self.pattern, gaps).map(of_custom)
    }

    /// Compiles this split as one of several.
    fn stage(&self) -> Result<Stage, Error> {
        Ok(Stage {
            pattern: Custom::any(&self.pattern, Gaps::Keep)?,
            keeps_matches: self.keeps_matches,
            keeps_gaps: self.keeps_gaps,
        })
    }
}

fn of_custom(custom: Custom) -> Splitter {
    Splitter::Custom(Arc::new(custom))
}

/// Returns the splitter for a pre-tokenizer.
pub(super) fn splitter(value: &Value) -> Result<Splitter, Error> {
    let place = "pre_tokenizer";
    let mut parts = Parts::default();
    if !value.is_null() {
        parts.add(value, place)?;
    }
    if !parts.have_byte_level {
        let problem = "there is no ByteLevel; only byte-level BPE is supported";
        return Err(unsupported(place, problem));
    }
    for split in &parts.splits {
        syntax::check(&split.pattern).map_err(|problem| unsupported(&split.place, problem))?;
    }
    match parts.splits.as_slice() {
        [] => Custom::linear("(?s:.+)", Gaps::Keep).map(of_custom),
        [only] if only.keeps_matches => only.only(),
        all if are_of_deepseek(all) => Ok(Splitter::DeepSeek),
        all => {
            let stages: Result<Vec<Stage>, Error> = all.iter().map(Split::stage).collect();
            Ok(of_custom(Custom::stages(stages?)))
        }
    }
}

/// Returns whether these are the splits that have a splitter of their own.
fn are_of_deepseek(splits: &[Split]) -> bool {
    let is_stage = |(split, pattern): (&Split, &str)| {
        split.pattern == pattern && split.keeps_matches && split.keeps_gaps
    };
    splits.len() == STAGES.len() && splits.iter().zip(STAGES).all(is_stage)
}

/// The parts of a pre-tokenizer, in order.
#[derive(Default)]
struct Parts {
    splits: Vec<Split>,
    /// Whether there was a ByteLevel, which must be the last part.
    have_byte_level: bool,
}

impl Parts {
    /// Adds a pre-tokenizer, which may be a sequence of others.
    fn add(&mut self, value: &Value, place: &str) -> Result<(), Error> {
        let kind = kind(value, place)?;
        self.check_room(kind, place)?;
        match kind {
            "Sequence" => {
                for (place, part) in parts(value, "pretokenizers", place)? {
                    self.add(part, &place)?;
                }
            }
            "ByteLevel" => self.add_byte_level(value, place)?,
            "Digits" => {
                let is_each = flag(value, "individual_digits", false, place)?;
                let pattern = if is_each { r"\p{N}" } else { r"\p{N}+" };
                self.splits.push(Split::isolated(pattern, place));
            }
            "Split" => self.splits.push(split(value, place)?),
            other => {
                let problem = format!("the pre-tokenizer {} is not supported", shown(other));
                return Err(unsupported(place, problem));
            }
        }
        Ok(())
    }

    /// Fails if no part may follow.
    fn check_room(&self, kind: &str, place: &str) -> Result<(), Error> {
        if self.have_byte_level {
            let kind = shown(kind);
            let problem = format!("{kind} follows ByteLevel, which must be the last part");
            return Err(unsupported(place, problem));
        }
        if self.splits.len() >= MAX_SPLITS {
            let problem = format!("more than {MAX_SPLITS} parts are not supported");
            return Err(unsupported(place, problem));
        }
        Ok(())
    }

    fn add_byte_level(&mut self, value: &Value, place: &str) -> Result<(), Error> {
        if flag(value, "add_prefix_space", true, place)? {
            let problem = "it adds a space before the text, which is not supported";
            return Err(unsupported(format!("{place}.add_prefix_space"), problem));
        }
        if flag(value, "use_regex", true, place)? {
            self.splits.push(Split::isolated(BYTE_LEVEL, place));
        }
        self.have_byte_level = true;
        Ok(())
    }
}

/// Returns a flag of a part, or `default` if it is missing.
fn flag(value: &Value, name: &str, default: bool, place: &str) -> Result<bool, Error> {
    match value.get(name) {
        None => Ok(default),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => {
            let problem = "it is neither true nor false";
            Err(invalid(format!("{place}.{name}"), problem))
        }
    }
}

/// Reads a `Split`.
fn split(value: &Value, place: &str) -> Result<Split, Error> {
    let inverts = flag(value, "invert", false, place)?;
    let pattern = value.get("pattern");
    let text = |kind: &str| pattern.and_then(|pattern| pattern.get(kind)?.as_str());
    let pattern = match (text("Regex"), text("String")) {
        (Some(regex), _) => regex.to_owned(),
        (None, Some(string)) => regex_syntax::escape(string),
        (None, None) => {
            let problem = "it is neither a `Regex` nor a `String`";
            return Err(invalid(format!("{place}.pattern"), problem));
        }
    };
    let mut split = Split::isolated(pattern, place);
    match value.get("behavior").and_then(Value::as_str) {
        Some("Isolated") => {}
        Some("Removed") if inverts => split.keeps_gaps = false,
        Some("Removed") => split.keeps_matches = false,
        other => {
            let problem = format!(
                "the behavior {} is not supported; Isolated and Removed are",
                shown(other.unwrap_or("null"))
            );
            return Err(unsupported(format!("{place}.behavior"), problem));
        }
    }
    Ok(split)
}
