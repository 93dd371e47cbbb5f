//! What recorded requests were billed, and what is counted for them.

use std::collections::BTreeMap;
use std::{env, fs};

use serde_json::Value;
use tiktally::chat::{Counter, Detail, Exactness, Family};
use tiktoken_rs::{ChatCompletionRequestMessage, FunctionCall, num_tokens_from_messages};

use crate::table::markdown;

/// A file of requests with what they were billed, in the form that `tests/chat.rs` reads.
const REQUESTS: &str = "TIKTALLY_REQUESTS";

/// What a request shows, the first that applies.
const KINDS: [(&str, &[&str]); 6] = [
    ("images", &["image"]),
    ("JSON schemas", &["json_schema"]),
    ("several calls at once, and their results", &["parallel_tool_calls"]),
    ("calls and their results", &["tool_call", "function_call", "function_msg"]),
    ("tools", &["tools"]),
    ("messages, names, prompts", &["base", "encode(prompt)"]),
];

const OTHERS: &str = "of unknown rules: files, sound, links, hidden or changed text";

/// How many requests of a kind there are, and what became of them.
#[derive(Default)]
struct Tally {
    requests: usize,
    exact: usize,
    estimates: usize,
    wrong: usize,
    refused: usize,
    theirs: usize,
}

/// Prints how many requests of each kind are counted as they were billed.
pub fn bills() {
    let Some(path) = env::var_os(REQUESTS) else {
        return println!("\nno requests: {REQUESTS} names no file");
    };
    let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut tallies: BTreeMap<usize, Tally> = BTreeMap::new();
    for vector in file["vectors"].as_array().unwrap().iter().filter(|vector| is_billed(vector)) {
        tallies.entry(kind(vector)).or_default().add(vector);
    }
    let header = [
        "requests with", "recorded", "as billed, exact", "as billed, an estimate", "refused", "wrong", "tiktoken-rs 0.12.1 as billed",
    ];
    let rows = tallies.iter().rev().map(|(kind, tally)| tally.row(name(*kind)));
    markdown(&header.map(str::to_owned), rows);
}

/// Whether the source says what the API billed, and for which request.
fn is_billed(vector: &Value) -> bool {
    let kinds = ["api", "api-recording", "library-test"];
    kinds.iter().any(|kind| vector["kind"] == *kind) && vector["reply_priming"].is_null()
}

/// Which of [`KINDS`]; behind them, a request whose rules are not known.
fn kind(vector: &Value) -> usize {
    let rule = vector["rule"].as_str().unwrap_or_default();
    let shows = |(_, rules): &(&str, &[&str])| rule.split('+').any(|part| rules.contains(&part));
    match vector["reproduced"] == true {
        true => KINDS.iter().position(shows).unwrap_or(KINDS.len()),
        false => KINDS.len(),
    }
}

fn name(kind: usize) -> &'static str {
    KINDS.get(kind).map_or(OTHERS, |(name, _)| *name)
}

impl Tally {
    fn add(&mut self, vector: &Value) {
        let billed = vector["prompt_tokens"].as_u64().unwrap() as usize;
        self.requests += 1;
        match ours(vector) {
            Some((tokens, true)) if tokens == billed => self.exact += 1,
            Some((tokens, false)) if tokens == billed => self.estimates += 1,
            Some((_, true)) => self.wrong += 1,
            // an estimate says that it may be wrong
            Some((_, false)) | None => self.refused += 1,
        }
        self.theirs += usize::from(theirs(vector) == Some(billed));
    }

    fn row(&self, name: &str) -> Vec<String> {
        let Self { requests, exact, estimates, wrong, refused, theirs } = *self;
        let numbers = [requests, exact, estimates, refused, wrong, theirs];
        [name.to_owned()].into_iter().chain(numbers.map(|number| number.to_string())).collect()
    }
}
