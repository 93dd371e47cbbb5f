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
}

/// Returns the splitter for a pre-tokenizer.
pub(super) fn splitter(value: &Value) -> Result<Splitter, Error> {
    let place = "pre_tokenizer";
    let (mut splits, mut is_byte_level) = (Vec::new(), false);
    if !value.is_null() {
        collect(value, place, &mut splits, &mut is_byte_level)?;
    }
    if !is_byte_level {
        return Err(unsupported(
            place,
            "there is no ByteLevel; only byte-level BPE is supported",
        ));
    }
    for split in &splits {
        syntax::check(&split.pattern).map_err(|problem| unsupported(&split.place, problem))?;
    }
    match splits.as_slice() {
        [] => Ok(Splitter::Custom(Arc::new(Custom::linear(
            "(?s:.+)",
            Gaps::Keep,
        )?))),
        [only] if only.keeps_matches => {
            let gaps = if only.keeps_gaps {
                Gaps::Keep
            } else {
                Gaps::Drop
            };
            match custom::known(&only.pattern) {
                Some(splitter) => Ok(splitter),
                None => Ok(Splitter::Custom(Arc::new(compile(only, gaps)?))),
            }
        }
        all if are_of_deepseek(all) => Ok(Splitter::DeepSeek),
        _ => {
            let stage = |split: &Split| {
                Ok(Stage {
                    pattern: compile(split, Gaps::Keep)?,
                    keeps_matches: split.keeps_matches,
                    keeps_gaps: split.keeps_gaps,
                })
            };
            let stages: Result<Vec<Stage>, Error> = splits.iter().map(stage).collect();
            Ok(Splitter::Custom(Arc::new(Custom::stages(stages?))))
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

/// Compiles a pattern: to an automaton, or for a backtracking engine if the automaton cannot represent it.
fn compile(split: &Split, gaps: Gaps) -> Result<Custom, Error> {
    let linear = Custom::linear(&split.pattern, gaps);
    linear.or_else(|_| Custom::backtracking(&split.pattern, gaps))
}

/// Appends the splits of a pre-tokenizer, in order. ByteLevel must be the last one.
fn collect(
    value: &Value,
    place: &str,
    splits: &mut Vec<Split>,
    is_byte_level: &mut bool,
) -> Result<(), Error> {
    let kind = kind(value, place)?;
    if *is_byte_level {
        let problem = format!(
            "{} follows ByteLevel, which must be the last part",
            shown(kind)
        );
        return Err(unsupported(place, problem));
    }
    if splits.len() >= MAX_SPLITS {
        let problem = format!("more than {MAX_SPLITS} parts are not supported");
        return Err(unsupported(place, problem));
    }
    let flag = |name: &str, default| match value.get(name) {
        None => Ok(default),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(invalid(
            format!("{place}.{name}"),
            "it is neither true nor false",
        )),
    };
    match kind {
        "Sequence" => {
            for (place, part) in parts(value, "pretokenizers", place)? {
                collect(part, &place, splits, is_byte_level)?;
            }
        }
        "ByteLevel" => {
            if flag("add_prefix_space", true)? {
                let problem = "it adds a space before the text, which is not supported";
                return Err(unsupported(format!("{place}.add_prefix_space"), problem));
            }
            if flag("use_regex", true)? {
                splits.push(Split::isolated(BYTE_LEVEL, place));
            }
            *is_byte_level = true;
        }
        "Digits" if flag("individual_digits", false)? => {
            splits.push(Split::isolated(r"\p{N}", place));
        }
        "Digits" => splits.push(Split::isolated(r"\p{N}+", place)),
        "Split" => splits.push(split(value, place, flag("invert", false)?)?),
        other => {
            let problem = format!("the pre-tokenizer {} is not supported", shown(other));
            return Err(unsupported(place, problem));
        }
    }
    Ok(())
}

/// Reads a `Split`.
fn split(value: &Value, place: &str, inverts: bool) -> Result<Split, Error> {
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
