//! The output of `--json`: an object for each request, on a line.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use tiktally::chat::RuleUse;

use super::counting::{Counted, CountedLine};
use super::tables::api_name;

/// A request, with its keys in this order.
#[derive(Serialize)]
struct JsonRequest<'a> {
    path: Cow<'a, str>,
    model: Option<&'a str>,
    total: usize,
    exactness: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    messages: &'a [usize],
    tools: usize,
    tool_choice: usize,
    response_format: usize,
    images: usize,
    priming: usize,
    window: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_input: Option<usize>,
    left: Option<i64>,
    rules: Vec<JsonRule>,
}

/// A request of a file with many.
#[derive(Serialize)]
struct JsonLine<'a> {
    path: Cow<'a, str>,
    line: usize,
    custom_id: Option<&'a str>,
    model: Option<&'a str>,
    total: usize,
    exact: bool,
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<Vec<JsonRule>>,
}

/// A rule that a count used, and the recordings that show it.
#[derive(Serialize)]
struct JsonRule {
    rule: &'static str,
    models: &'static str,
    api: &'static str,
    recordings: usize,
    others: usize,
    first: Option<&'static str>,
    last: Option<&'static str>,
}

fn rules(counted: &Counted) -> Vec<JsonRule> {
    let rules = counted.tokens.rules.iter();
    rules.map(JsonRule::of).collect()
}

impl JsonRule {
    fn of(rule: &RuleUse) -> Self {
        let day = |day: &'static str| (!day.is_empty()).then_some(day);
        Self {
            rule: rule.name,
            models: rule.models,
            api: api_name(rule.api),
            recordings: rule.recordings,
            others: rule.others,
            first: day(rule.first),
            last: day(rule.last),
        }
    }
}

/// Prints a request that is an input by itself.
pub(super) fn print(counted: &Counted, path: &Path, out: &mut impl Write) -> io::Result<()> {
    let tokens = &counted.tokens;
    let reason = counted.estimate_reason();
    let request = JsonRequest {
        path: path.to_string_lossy(),
        model: counted.model.as_deref(),
        total: tokens.total,
        exactness: reason.map_or("exact", |_| "estimate"),
        reason,
        messages: &tokens.messages,
        tools: tokens.tools,
        tool_choice: tokens.tool_choice,
        response_format: tokens.response_format,
        images: tokens.images,
        priming: tokens.priming,
        window: counted.window().map(|window| window.context),
        max_input: counted.window().and_then(|window| window.max_input),
        left: counted.tokens_left(),
        rules: rules(counted),
    };
    write_line(&request, out)
}

/// Prints a request of a file with many, and the rules of its count if `explain` is set.
pub(super) fn print_line(
    line: &CountedLine,
    path: &Path,
    explain: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let counted = &line.counted;
    let reason = counted.estimate_reason();
    let request = JsonLine {
        path: path.to_string_lossy(),
        line: line.number,
        custom_id: line.custom_id.as_deref(),
        model: counted.model.as_deref(),
        total: counted.tokens.total,
        exact: reason.is_none(),
        reason,
        rules: explain.then(|| rules(counted)),
    };
    write_line(&request, out)
}

fn write_line(object: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, object)?;
    writeln!(out)
}
