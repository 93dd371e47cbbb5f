//! The table of evidence, `data/chat_evidence.tsv`, and the one of the chat page: counted anew on the recordings.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use crate::billed;
use crate::recorded::{Call, SET_ASIDE, Vectors};
use crate::requests::{ImageVectors, recordings};
use serde::Deserialize;
use tiktally::chat::{Api, ChatTokens, Counter};

/// Set to write the tables anew.
const BLESS: &str = "TIKTALLY_BLESS";

/// What stands before the table, for those who read the file.
const HEAD: &str = "\
# Recorded requests that show each rule of the chat counts, by group of models and API.
#
# A count is exact only if every rule that it uses has at least three recordings here, and at least five times as many as
# were billed otherwise. The columns, with tabs between them:
#   rule        its name, as in src/chat/rules.rs; `model` for names of models that recorded requests have
#   models      the group of models that see a request in the same way, by the name of one of them; images: the model
#   api         `chat` (/v1/chat/completions) or `responses` (/v1/responses)
#   recordings  requests that use the rule and whose count is the billed one
#   others      requests that use the rule and were billed otherwise, for this reason or for another one
#   first, last the days of the first and of the last of the recordings; empty if none has a date
#
# Counted on 2026-11-27 by tests/chat/evidence.rs, on 1,819 recorded calls and 404 older vectors that are not part of this
# project. Each is counted with the rules of its day. Only recordings with their keys in the order that was sent can be
# `others`. Recordings of the first weeks of the Responses API speak for the rule of those weeks only. Four recordings that
# contradict another one, or whose text or usage was changed, do not speak at all: tests/chat/recorded.rs lists them.
# Written anew by: TIKTALLY_BLESS=1 cargo test --features json --test chat evidence
#
# rule\tmodels\tapi\trecordings\tothers\tfirst\tlast
";

/// A rule or a model, a group of models and an API.
type Key = [String; 3];

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Row {
    recordings: usize,
    others: usize,
    first: String,
    last: String,
}

#[derive(Default)]
struct Table(BTreeMap<Key, Row>);

impl Table {
    fn row(&mut self, rule: &str, models: &str, api: &str) -> &mut Row {
        let key = [rule.to_owned(), models.to_owned(), api.to_owned()];
        self.0.entry(key).or_default()
    }

    /// Adds what a recording says of the rules that its count used.
    fn rules(&mut self, tokens: &ChatTokens, date: &str, is_right: bool) {
        let is_first_weeks = tokens.rules.iter().any(|rule| rule.name == FIRST_WEEKS);
        for rule in &tokens.rules {
            if is_first_weeks && rule.name != FIRST_WEEKS {
                continue;
            }
            let api = match rule.api {
                Api::ChatCompletions => "chat",
                Api::Responses => "responses",
                other => panic!("{other:?}"),
            };
            let row = self.row(rule.name, rule.models, api);
            if is_right {
                row.add(date);
            } else {
                row.others += 1;
            }
        }
    }

    /// Adds the name of a model, if it is one: a deployment may have any name.
    fn model(&mut self, name: &str, date: &str) {
        let is_deployment = ["azure-", "gpt-35-"]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        if !is_deployment && Counter::for_model(name).is_ok() {
            self.row("model", name, "").add(date);
        }
    }

    fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        for ([rule, models, api], row) in &self.0 {
            let Row {
                recordings,
                others,
                first,
                last,
            } = row;
            writeln!(
                text,
                "{rule}\t{models}\t{api}\t{recordings}\t{others}\t{first}\t{last}"
            )
            .unwrap();
        }
        text
    }
}

impl Row {
    fn add(&mut self, date: &str) {
        self.recordings += 1;
        if date.is_empty() {
            return;
        }
        if self.first.is_empty() || date < self.first.as_str() {
            date.clone_into(&mut self.first);
        }
        if date > self.last.as_str() {
            date.clone_into(&mut self.last);
        }
    }
}

const FIRST_WEEKS: &str = "first weeks";

/// The name of the model that a body has, which may be an alias of the one that answered.
#[derive(Deserialize)]
struct Named {
    model: Option<String>,
}

/// Counts the recordings, if they are available.
fn counted() -> Option<Table> {
    let calls = billed::calls()?;
    let vectors = recordings()?;
    let mut table = Table::default();
    for line in calls.lines() {
        call(&mut table, &serde_json::from_str(line).unwrap());
    }
    let Vectors { vectors: older } = serde_json::from_str(&vectors).unwrap();
    for vector in &older {
        if !vector.is_billed() || !vector.images.is_empty() {
            continue;
        }
        let tokens = vector.counter().estimate_json(&vector.body());
        if let Some(tokens) = tokens
            .ok()
            .filter(|tokens| tokens.total == vector.prompt_tokens)
        {
            table.rules(&tokens, "", true);
            table.model(&vector.model, "");
        }
    }
    let ImageVectors { image_vectors } = serde_json::from_str(&vectors).unwrap();
    for vector in &image_vectors {
        for (detail, billed) in vector.billed() {
            let tokens = vector.count(detail);
            if tokens.total == billed {
                table.rules(&tokens, "", true);
                table.model(&vector.model, "");
            }
        }
    }
    Some(table)
}

fn call(table: &mut Table, call: &Call<'_>) {
    let Ok(tokens) = billed::count(call) else {
        return;
    };
    if call.endpoint == "completions" || SET_ASIDE.iter().any(|(id, _)| *id == call.id) {
        return;
    }
    let is_right = tokens.total == call.prompt_tokens;
    if is_right || call.is_as_sent() {
        table.rules(&tokens, &call.date, is_right);
    }
    if is_right {
        table.model(&call.model, &call.date);
        let named: Named = serde_json::from_str(call.request.get()).unwrap();
        if let Some(name) = named.model.filter(|name| *name != call.model) {
            table.model(&name, &call.date);
        }
    }
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Compares a file with its text, or writes it.
fn compare(name: &str, expected: &str) {
    let path = path(name);
    if env::var_os(BLESS).is_some() {
        fs::write(path, expected).unwrap();
        return;
    }
    let text = fs::read_to_string(path).unwrap();
    let lines: BTreeSet<_> = text.lines().collect();
    let expected_lines: BTreeSet<_> = expected.lines().collect();
    let gone: Vec<_> = lines.difference(&expected_lines).collect();
    let new: Vec<_> = expected_lines.difference(&lines).collect();
    let help = format!("{name} is not up to date; {BLESS}=1 writes it");
    assert!(text == expected, "{help}\ngone {gone:#?}\nnew {new:#?}");
}

#[test]
fn the_evidence_is_that_of_the_recordings() {
    let Some(table) = counted() else { return };
    compare("data/chat_evidence.tsv", &table.text());
}

/// The marks around the table of the page.
const BEGIN: &str = "<!-- evidence: written by tests/chat/evidence.rs -->\n";
const END: &str = "<!-- end -->";

#[test]
fn the_page_has_the_table_of_evidence() {
    const PAGE: &str = "src/chat/page.md";
    let text = match counted().filter(|_| env::var_os(BLESS).is_some()) {
        Some(table) => table.text(),
        None => fs::read_to_string(path("data/chat_evidence.tsv")).unwrap(),
    };
    let page = fs::read_to_string(path(PAGE)).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    compare(
        PAGE,
        &[before, BEGIN, &table_of_page(&text), END, after].concat(),
    );
}

/// Writes the table for readers: the rules, followed by the names of models.
fn table_of_page(text: &str) -> String {
    let mut table = "| rule | models | API | recordings | others | first | last |\n|---|---|---|---|---|---|---|\n".to_owned();
    let mut models = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let cells: Vec<_> = line.split('\t').collect();
        if cells[0] == "model" {
            models.push(format!("`{}` ({})", cells[1], cells[3]));
        } else {
            writeln!(table, "| {} |", cells.join(" | ")).unwrap();
        }
    }
    let mut names =
        String::from("\nThese names of models are recorded, each as often as the number says:\n");
    for model in models.chunks(4) {
        names += &model.join(", ");
        names.push_str(",\n");
    }
    let names = names.trim_end_matches(",\n");
    format!("{table}{names}.\n")
}
