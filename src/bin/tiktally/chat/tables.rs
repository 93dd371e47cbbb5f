//! A request as a table of its parts, and the table of the rules that counts used.

use std::io::{self, Write};

use tiktally::chat::{Api, RuleUse};

use super::counting::Counted;
use crate::terminal::Table;

/// A row of a table: a name, a number, and a note.
struct TableRow {
    name: String,
    tokens: String,
    note: String,
}

impl TableRow {
    fn new(name: impl Into<String>, tokens: &impl ToString, note: impl Into<String>) -> Self {
        let (name, tokens, note) = (name.into(), tokens.to_string(), note.into());
        Self { name, tokens, note }
    }
}

/// Prints a request, and the rules that its count used if `explain` is set.
pub(super) fn print(
    counted: &Counted,
    explain: bool,
    indent: &str,
    out: &mut impl Write,
) -> io::Result<()> {
    print_rows(&rows(counted), indent, out)?;
    if explain {
        let rules = counted.tokens.rules.iter();
        print_rules(rules.map(|rule| (*rule, None)), indent, out)?;
    }
    Ok(())
}

/// Returns the rows of a request.
fn rows(counted: &Counted) -> Vec<TableRow> {
    let messages = counted.tokens.messages.iter().enumerate();
    let messages = messages.map(|(i, tokens)| TableRow::new(format!("messages[{i}]"), tokens, ""));
    let parts = counted.other_parts().into_iter();
    let parts = parts.filter(|(_, tokens)| *tokens > 0);
    let parts = parts.map(|(name, tokens)| TableRow::new(name, &tokens, ""));
    let exactness = match counted.estimate_reason() {
        None => "exact".to_owned(),
        Some(reason) => format!("estimate: {reason}"),
    };
    let total = TableRow::new("total", &counted.tokens.total, exactness);
    messages
        .chain(parts)
        .chain([total])
        .chain(window_rows(counted))
        .collect()
}

/// Returns the rows of the context window.
fn window_rows(counted: &Counted) -> Vec<TableRow> {
    let window = counted.window();
    let window = window.map_or_else(|| "unknown".to_owned(), |window| window.context.to_string());
    let model = counted.model.as_deref().unwrap_or_default();
    let note = match counted.window().and_then(|window| window.max_input) {
        Some(input) => format!("{model}, at most {input} for input"),
        None => model.to_owned(),
    };
    let mut rows = vec![TableRow::new("window", &window, note)];
    rows.extend(counted.tokens_left().map(|left| {
        let name = if left < 0 { "over by" } else { "left" };
        TableRow::new(name, &left.unsigned_abs(), "")
    }));
    rows
}

/// Prints a total by itself.
pub(super) fn print_total(
    tokens: usize,
    is_estimate: bool,
    indent: &str,
    out: &mut impl Write,
) -> io::Result<()> {
    let exactness = if is_estimate { "estimate" } else { "exact" };
    print_rows(&[TableRow::new("total", &tokens, exactness)], indent, out)
}

fn print_rows(rows: &[TableRow], indent: &str, out: &mut impl Write) -> io::Result<()> {
    let mut table = Table::new("nrp");
    for TableRow { name, tokens, note } in rows {
        table.row([name, tokens, note]);
    }
    table.print(indent, out)
}

/// Prints an empty line and a table of rules, each with the number of requests that used it if there are several.
pub(super) fn print_rules(
    rules: impl Iterator<Item = (RuleUse, Option<usize>)>,
    indent: &str,
    out: &mut impl Write,
) -> io::Result<()> {
    let rules: Vec<_> = rules.collect();
    let Some((_, requests)) = rules.first() else {
        return Ok(());
    };
    let has_requests = requests.is_some();
    let kinds = if has_requests { "nnnrrrnn" } else { "nnnrrnn" };
    let mut table = Table::new(kinds);
    let names = ["rule", "models", "API"].into_iter();
    let names = names.chain(has_requests.then_some("requests"));
    table.header(names.chain(["recordings", "others", "first", "last"]));
    for (rule, requests) in rules {
        let names = [rule.name, rule.models, api_name(rule.api)].map(str::to_owned);
        let numbers = [rule.recordings, rule.others].map(|number| number.to_string());
        let days = [rule.first, rule.last].map(|day| if day.is_empty() { "-" } else { day });
        let requests = requests.map(|requests| requests.to_string());
        let cells = names.into_iter().chain(requests).chain(numbers);
        table.row(cells.chain(days.map(str::to_owned)));
    }
    writeln!(out)?;
    table.print(indent, out)
}

/// Returns the name of an API in tables and in JSON.
pub(super) fn api_name(api: Api) -> &'static str {
    match api {
        Api::ChatCompletions => "chat",
        Api::Responses => "responses",
        _ => "another",
    }
}
