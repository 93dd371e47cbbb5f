//! Compares the counts of recorded requests with what was billed for them.

use std::collections::BTreeMap;
use std::{env, fs};

use serde_json::Value;
use tiktally::chat::{ChatTokens, Exactness};
use tiktoken_rs::{ChatCompletionRequestMessage, FunctionCall, num_tokens_from_messages};

use crate::recorded::{Vector, Vectors, sizes};
use crate::table::markdown;
use crate::typed;

/// The variable that names a file of requests with their bills, in the format that the tests read.
const REQUESTS: &str = "TIKTALLY_REQUESTS";

/// The kinds of requests. The last one that applies counts.
const KINDS: [(&str, &[&str]); 6] = [
    ("messages, names, prompts", &["base", "encode(prompt)"]),
    ("tools", &["tools"]),
    (
        "calls and their results",
        &["tool_call", "function_call", "function_msg"],
    ),
    (
        "several calls at once, and their results",
        &["parallel_tool_calls"],
    ),
    ("JSON schemas", &["json_schema"]),
    ("images", &["image"]),
];

const OTHERS: &str = "of unknown rules: files, sound, links, hidden or changed text";

/// The number of requests of a kind, and of each result.
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
    let file = fs::read_to_string(path).unwrap();
    let Vectors { vectors } = serde_json::from_str(&file).unwrap();
    let mut tallies: BTreeMap<usize, Tally> = BTreeMap::new();
    for vector in vectors.iter().filter(|vector| vector.is_billed()) {
        tallies.entry(kind(vector)).or_default().add(vector);
    }
    let header = [
        "requests with",
        "recorded",
        "exact",
        "right as an estimate",
        "refused, or an estimate that is off",
        "wrong",
        "tiktoken-rs 0.12.1 right",
    ];
    let rows = tallies.iter().map(|(kind, tally)| tally.row(name(*kind)));
    markdown(&header.map(str::to_owned), rows);
}

/// Returns an index into [`KINDS`], or their number for a request whose rules are not known.
fn kind(vector: &Vector) -> usize {
    let rule = vector.rule.as_deref().unwrap_or_default();
    let shows = |(_, rules): &(&str, &[&str])| rule.split('+').any(|part| rules.contains(&part));
    let known = KINDS.iter().rposition(shows).filter(|_| vector.reproduced);
    known.unwrap_or(KINDS.len())
}

fn name(kind: usize) -> &'static str {
    KINDS.get(kind).map_or(OTHERS, |(name, _)| *name)
}

impl Tally {
    fn add(&mut self, vector: &Vector) {
        self.requests += 1;
        let ours = ours(vector);
        let is_right = ours
            .as_ref()
            .is_some_and(|tokens| tokens.total == vector.prompt_tokens);
        let is_sure = ours.is_some_and(|tokens| tokens.exactness == Exactness::Exact);
        *match (is_right, is_sure) {
            (true, true) => &mut self.exact,
            (true, false) => &mut self.estimates,
            (false, true) => &mut self.wrong,
            (false, false) => &mut self.refused,
        } += 1;
        self.theirs += usize::from(theirs(vector) == Some(vector.prompt_tokens));
    }

    fn row(&self, name: &str) -> Vec<String> {
        let numbers = [
            self.requests,
            self.exact,
            self.estimates,
            self.refused,
            self.wrong,
            self.theirs,
        ];
        let numbers = numbers.map(|number| number.to_string());
        [name.to_owned()].into_iter().chain(numbers).collect()
    }
}

/// Returns this crate's count or estimate. The sizes of images are given with the recordings.
fn ours(vector: &Vector) -> Option<ChatTokens> {
    let (counter, body) = (vector.counter(), vector.body());
    let tokens = match typed::request(&body, sizes(&vector.images)) {
        Some(request) if !vector.images.is_empty() => counter.estimate(&request),
        _ => counter.estimate_json(&body),
    };
    tokens.ok()
}

/// Returns tiktoken-rs' count. It takes only messages, so a prompt is counted as text.
fn theirs(vector: &Vector) -> Option<usize> {
    let body: Value = serde_json::from_str(vector.request.get()).unwrap();
    if let Some(prompt) = body["prompt"].as_str() {
        let encoding = tiktoken_rs::bpe_for_model(&vector.model).ok()?;
        return Some(encoding.count_ordinary(prompt));
    }
    let messages: Vec<_> = body["messages"].as_array()?.iter().map(message).collect();
    num_tokens_from_messages(&vector.model, &messages).ok()
}

fn message(message: &Value) -> ChatCompletionRequestMessage {
    let string = |value: &Value| value.as_str().map(str::to_owned);
    let text = |part: &Value| string(&part["text"]);
    let parts = |parts: &Vec<Value>| parts.iter().filter_map(text).collect();
    let content = &message["content"];
    let calls = message["tool_calls"].as_array().into_iter().flatten();
    ChatCompletionRequestMessage {
        role: string(&message["role"]).unwrap_or_default(),
        content: string(content).or_else(|| content.as_array().map(parts)),
        name: string(&message["name"]),
        function_call: call(&message["function_call"]),
        tool_calls: calls
            .filter_map(|called| call(&called["function"]))
            .collect(),
        refusal: string(&message["refusal"]),
    }
}

fn call(call: &Value) -> Option<FunctionCall> {
    let string = |name: &str| call[name].as_str().map(str::to_owned);
    Some(FunctionCall {
        name: string("name")?,
        arguments: string("arguments")?,
    })
}
