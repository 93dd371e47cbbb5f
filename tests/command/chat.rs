//! `tiktally chat` from the outside.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

use crate::common::{Ended, folder, tiktally, unread};
use serde_json::{Value, json};
use tempfile::TempDir;
use tiktally::chat::{self, Api, Counter};

/// 19 tokens: messages of 10 and 6, and 3 for the answer to begin.
const HELLO: &str = r#"{"model": "gpt-3.5-turbo-0613", "messages": [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "Hello!"}
]}"#;

/// With a tool, for a model without recordings: its cost can only be estimated.
const TOOL: &str = r#"{"model": "o1", "messages": [{"role": "user", "content": "Hello!"}], "tools": [
    {"type": "function", "function": {"name": "walk", "parameters":
        {"type": "object", "properties": {"to": {"type": "string"}}}}}
]}"#;

/// 9 tokens, for a model that is not named.
const NAMELESS: &str = r#"{"messages": [{"role": "user", "content": "Hello!"}]}"#;

fn requests() -> TempDir {
    folder(&[
        ("hello.json", HELLO.as_bytes()),
        ("tool.json", TOOL.as_bytes()),
        ("nameless.json", NAMELESS.as_bytes()),
        ("cut.json", &HELLO.as_bytes()[..50]),
    ])
}

/// Runs `chat` with nothing on standard input.
fn chat(args: &[&str]) -> Ended {
    let args = [&["chat"], args].concat();
    tiktally(requests().path(), &args, b"")
}

/// Runs `chat` with this body on standard input.
fn piped(args: &[&str], body: impl AsRef<[u8]>) -> Ended {
    let args = [&["chat"], args].concat();
    tiktally(Path::new("."), &args, body.as_ref())
}

fn assert_prints(run: &Ended, stdout: &str) {
    let expected = (Some(0), stdout.to_owned(), String::new());
    assert_eq!(*run, expected, "{}", run.1);
}

/// Asserts that there was one error message, which begins like this, and no output.
fn assert_refused(run: &Ended, complaint: &str) {
    let (code, stdout, stderr) = run;
    assert_eq!(
        (*code, stdout.as_str(), stderr.lines().count()),
        (Some(1), "", 1),
        "{stderr}"
    );
    assert!(stderr.starts_with(complaint), "{stderr}");
}

/// Returns the lines of a run with `--json`, and asserts that the parts of each sum to its total.
fn lines(stdout: &str) -> Vec<Value> {
    let lines = stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<Value> = lines.collect();
    for line in &lines {
        let number = |key: &str| line[key].as_u64().unwrap();
        let messages = line["messages"].as_array().unwrap().iter();
        let messages: u64 = messages.map(|tokens| tokens.as_u64().unwrap()).sum();
        let parts = [
            "tools",
            "tool_choice",
            "response_format",
            "images",
            "priming",
        ];
        let sum = messages + parts.map(number).iter().sum::<u64>();
        assert_eq!(sum, number("total"), "{line}");
    }
    lines
}

const HELLO_TABLE: &str = "\
messages[0]    10
messages[1]     6
priming         3
total          19  exact
window       4096  gpt-3.5-turbo-0613
left         4077
";

#[test]
fn a_request_is_a_table() {
    assert_prints(&chat(&["hello.json"]), HELLO_TABLE);
}

#[test]
fn standard_input() {
    for args in [&[][..], &["-"]] {
        assert_prints(&piped(args, HELLO), HELLO_TABLE);
    }
}

#[test]
fn messages_always_have_a_row() {
    let body = r#"{"model": "text-embedding-3-small", "input": ["", "hello world"]}"#;
    let table = "\
messages[0]     0
messages[1]     2
total           2  exact
window       8192  text-embedding-3-small
left         8190
";
    assert_prints(&piped(&[], body), table);
}

#[test]
fn every_part_has_a_row() {
    let body = r#"{
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": "data:image/gif;base64,R0lGODlhAQABAAAAACw="}}
        ]}],
        "tools": [{"type": "function", "function": {"name": "walk"}}],
        "tool_choice": "none",
        "response_format": {"type": "json_schema", "json_schema": {"name": "way", "schema": {"type": "object"}}}
    }"#;
    let (code, stdout, stderr) = piped(&[], body);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let rows: Vec<_> = stdout
        .lines()
        .map(|row| row.split(' ').next().unwrap())
        .collect();
    let parts = [
        "messages[0]",
        "tools",
        "tool_choice",
        "response_format",
        "images",
        "priming",
    ];
    assert_eq!(rows, [&parts[..], &["total", "window", "left"]].concat());
}

#[test]
fn an_estimate_says_why() {
    let (code, stdout, stderr) = chat(&["tool.json"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let total = stdout
        .lines()
        .find(|row| row.starts_with("total "))
        .unwrap();
    let (_, reason) = total.split_once("  estimate: ").unwrap();
    assert!(reason.contains("tools"), "{reason}");
}

#[test]
fn a_request_beyond_the_window_says_by_how_much() {
    let body = HELLO.replace("Hello!", &"hello world ".repeat(2500));
    let (code, stdout, stderr) = piped(&[], &body);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let number = |what: &str| -> usize {
        let row = stdout
            .lines()
            .find_map(|row| row.strip_prefix(what))
            .unwrap();
        row.split_whitespace().next().unwrap().parse().unwrap()
    };
    assert!(number("total") > 5000);
    assert_eq!(number("total"), number("window") + number("over by"));

    let (_, stdout, _) = piped(&["--json"], &body);
    let line = lines(&stdout).remove(0);
    assert_eq!(
        line["left"].as_i64().unwrap(),
        4096 - line["total"].as_i64().unwrap()
    );
}

#[test]
fn a_window_that_is_not_known_is_not_guessed() {
    let body = HELLO.replace("gpt-3.5-turbo-0613", r"gpt-4o-\u001b[31mred");
    let table = r"messages[0]       10
messages[1]        6
priming            3
total             19  estimate: no model with this name is known; it is counted like the models that its name begins with
window       unknown  gpt-4o-\u{1b}[31mred
";
    assert_prints(&piped(&[], &body), table);

    let (_, stdout, _) = piped(&["--json"], &body);
    let line = lines(&stdout).remove(0);
    assert_eq!(line["model"], "gpt-4o-\u{1b}[31mred");
    assert!(line["window"].is_null() && line["left"].is_null(), "{line}");
}

#[test]
fn several_requests_have_names_and_a_total() {
    let run = chat(&["-m", "gpt-4-0613", "nameless.json", "hello.json"]);
    let tables = "\
nameless.json
  messages[0]     6
  priming         3
  total           9  exact
  window       8192  gpt-4-0613
  left         8183

hello.json
  messages[0]    10
  messages[1]     6
  priming         3
  total          19  exact
  window       8192  gpt-4-0613
  left         8173

2 of 2 requests
  total  28  exact
";
    assert_prints(&run, tables);
}

#[test]
fn what_cannot_be_counted_is_named_and_the_rest_is_counted() {
    let files = [
        "hello.json",
        "cut.json",
        "missing.json",
        "nameless.json",
        "tool.json",
    ];
    let (code, stdout, stderr) = chat(&files);
    assert_eq!(code, Some(1));
    let complaints: Vec<_> = stderr.lines().collect();
    assert_eq!(complaints.len(), 3, "{stderr}");
    for (complaint, name) in complaints.iter().zip(&files[1..]) {
        assert!(
            complaint.starts_with(&format!("tiktally: {name}: ")),
            "{stderr}"
        );
    }
    assert!(complaints[0].contains("not valid JSON"), "{stderr}");

    let names = stdout
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with(' '));
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["hello.json", "tool.json", "2 of 5 requests"]
    );
    let (_, end) = stdout.split_once("2 of 5 requests\n").unwrap();
    assert!(
        end.starts_with("  total  ") && end.ends_with("  estimate\n"),
        "{stdout}"
    );
    // one that is left of two still has its name
    let (code, stdout, _) = chat(&["hello.json", "cut.json"]);
    assert_eq!(code, Some(1));
    assert!(
        stdout.starts_with("hello.json\n  messages[0]  "),
        "{stdout}"
    );
    assert!(
        stdout.ends_with("1 of 2 requests\n  total  19  exact\n"),
        "{stdout}"
    );
}

#[test]
fn nothing_counted_prints_nothing() {
    let (code, stdout, stderr) = chat(&["cut.json", "missing.json"]);
    assert_eq!(
        (code, stdout.as_str(), stderr.lines().count()),
        (Some(1), "", 2)
    );
}

#[test]
fn a_bad_request_is_refused_with_the_place() {
    let cases: [(&[u8], &str); 8] = [
        (b"", "the chat request: this is not valid JSON: "),
        (
            b"[]",
            "the chat request: the body is an array; expected one request object",
        ),
        (
            br#"{"model": "gpt-4o"}"#,
            "the chat request: the body has none of",
        ),
        (
            br#"{"model": 4, "messages": []}"#,
            "model: this must be a string",
        ),
        (
            br#"{"model": "gpt-4o", "messages": [{"role": "user"}]}"#,
            "messages[0]: `content` is missing",
        ),
        (
            br#"{"model": "davinci-002", "messages": [{"role": "user", "content": "Hello!"}]}"#,
            "model: this model does not support chat messages",
        ),
        (
            b"{\"model\": \"\xff\"}",
            "not UTF-8: invalid at byte 11, counted from 0",
        ),
        (b"\x89PNG\0", "not UTF-8: invalid at byte 0, counted from 0"),
    ];
    for (body, complaint) in cases {
        assert_refused(
            &piped(&[], body),
            &format!("tiktally: standard input: {complaint}"),
        );
    }
}

#[test]
fn a_complaint_is_one_line_whatever_the_keys_are() {
    let body = TOOL.replace(
        r#""to": {"type": "string"}"#,
        r#""a\n\u001b[31m": {"type": "object", "properties": 5}"#,
    );
    let run = piped(&[], body);
    assert_refused(&run, "tiktally: standard input: tools[0].");
    assert!(run.2.contains(r".properties.a\n\u{1b}[31m"), "{}", run.2);
}

#[test]
fn a_model_that_is_missing_or_not_known_is_to_be_named() {
    assert_refused(
        &chat(&["nameless.json"]),
        "tiktally: nameless.json: the request names no model; choose one with -m",
    );
    let null = NAMELESS.replacen('{', r#"{"model": null, "#, 1);
    assert_refused(
        &piped(&[], null),
        "tiktally: standard input: the request names no model; choose one with -m",
    );

    let deployment = HELLO.replace("gpt-3.5-turbo-0613", "our-deployment");
    let (_, _, stderr) = piped(&[], &deployment);
    assert!(
        stderr.contains(r#"the model "our-deployment"; choose a known model with -m"#),
        "{stderr}"
    );
    let (code, stdout, _) = piped(&["-m", "gpt-3.5-turbo-0613"], deployment);
    assert_eq!((code, stdout.as_str()), (Some(0), HELLO_TABLE));
}

#[test]
fn the_model_of_the_command_comes_before_that_of_the_request() {
    // this model's messages are a token longer
    for flag in ["-m", "--model"] {
        let (code, stdout, stderr) = chat(&["--json", flag, "gpt-3.5-turbo-0301", "hello.json"]);
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        let line = &lines(&stdout)[0];
        assert_eq!(
            (&line["model"], line["total"].as_u64()),
            (&"gpt-3.5-turbo-0301".into(), Some(21))
        );
    }
}

#[test]
fn of_two_models_the_last_counts() {
    let body = HELLO.replacen('{', r#"{"model": "our-deployment", "#, 1);
    assert_prints(&piped(&[], body), HELLO_TABLE);
}

#[test]
fn json_is_a_line_for_each_request() {
    let (code, stdout, stderr) = chat(&["--json", "hello.json", "cut.json", "tool.json"]);
    assert_eq!((code, stderr.lines().count()), (Some(1), 1), "{stderr}");
    let first = concat!(
        r#"{"path":"hello.json","model":"gpt-3.5-turbo-0613","total":19,"exactness":"exact","messages":[10,6],"#,
        r#""tools":0,"tool_choice":0,"response_format":0,"images":0,"priming":3,"window":4096,"left":4077,"rules":[{"#,
    );
    assert!(stdout.starts_with(first), "{stdout}");

    let lines = lines(&stdout);
    assert_eq!(lines.len(), 2);
    let tool = &lines[1];
    assert_eq!(
        (&tool["path"], &tool["exactness"]),
        (&"tool.json".into(), &"estimate".into())
    );
    assert!(tool["reason"].as_str().unwrap().contains("tools"), "{tool}");
    assert!(tool["tools"].as_u64().unwrap() > 0);

    for (line, body) in lines.iter().zip([HELLO, TOOL]) {
        assert_eq!(line["rules"], rules_of(body));
    }

    let (_, piped, _) = piped(&["--json"], HELLO);
    assert_eq!(
        piped.replace(r#""path":"-""#, r#""path":"hello.json""#),
        stdout[..piped.len() + "hello.json".len() - 1]
    );
}

/// Returns the rules of the library's count, as `--json` prints them.
fn rules_of(body: &str) -> Value {
    let rules = chat::estimate_json(body).unwrap().rules;
    let day = |day: &str| (!day.is_empty()).then(|| day.to_owned());
    let rules = rules.iter().map(|rule| {
        json!({
            "rule": rule.name, "models": rule.models, "api": api_name(rule.api), "recordings": rule.recordings,
            "others": rule.others, "first": day(rule.first), "last": day(rule.last),
        })
    });
    rules.collect()
}

fn api_name(api: Api) -> &'static str {
    if api == Api::Responses {
        "responses"
    } else {
        "chat"
    }
}

/// A batch file: good lines, an estimate (6), an empty line (3), and four faults.
const BATCH: &str = r#"{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello!"}]}}
{"custom_id": "b", "method": "POST", "url": "/v1/responses", "body": {"model": "gpt-4o-mini", "input": "Hello!"}}

{"custom_id": "c", "method": "POST", "url": "/v1/responses", "body": {"model": "gpt-4o", "messages": []}}
{"custom_id": 4, "url": "/v1/embeddings", "body": {"input": "hello world", "model": "text-embedding-3-small"}}
{"custom_id": "d", "url": "/v1/chat/completions", "body": {"model": "gpt-4o", "new_key": 1, "messages": [{"role": "user", "content": "Hello!"}]}}
{"custom_id": "e", "url":
{"custom_id": "f", "url": "/v1/chat/completions", "body": {"model": "gpt-4o", "messages": [{"role": "user"}]}}
{"custom_id": "g", "url": "/v1/moderations", "body": {"model": "gpt-4o", "input": "Hello!"}}
"#;

/// The complaints about the faults.
const BATCH_FAULTS: [&str; 4] = [
    r#"line 4: body: a request to "/v1/responses" needs `input`"#,
    "line 7: this is not valid JSON: EOF while parsing a value at column 25",
    "line 8: messages[0]: `content` is missing",
    r#"line 9: url: requests to "/v1/moderations" cannot be counted"#,
];

/// Two examples for fine-tuning of 9 and 15 tokens.
const TRAINING: &str = r#"{"messages": [{"role": "user", "content": "Hello!"}]}
{"messages": [{"role": "user", "content": "Hello!"}, {"role": "assistant", "content": "Hi."}]}
"#;

const BATCH_TABLE: &str = "\
4 of 8 requests
  model                   requests  estimates  exact tokens  estimated tokens  tokens
  gpt-4o                         2          1             9                 9      18
  gpt-4o-mini                    1          0             9                 0       9
  text-embedding-3-small         1          0             2                 0       2
  total                          4          1            20                 9      29
";

/// Runs `chat` where the files of many requests are.
fn chat_lines(args: &[&str]) -> Ended {
    let without_end = TRAINING.trim_end().replace('\n', "\r\n\r\n");
    let here = folder(&[
        ("batch.jsonl", BATCH.as_bytes()),
        ("batch.txt", BATCH.as_bytes()),
        ("training.jsonl", TRAINING.as_bytes()),
        ("training.NDJSON", without_end.as_bytes()),
        ("one.jsonl", TRAINING.lines().next().unwrap().as_bytes()),
        ("empty.jsonl", b"\n\n"),
        ("hello.json", HELLO.as_bytes()),
    ]);
    let args = [&["chat"], args].concat();
    tiktally(here.path(), &args, b"")
}

fn assert_batch_faults(stderr: &str, name: &str) {
    assert_eq!(stderr.lines().count(), BATCH_FAULTS.len(), "{stderr}");
    for (complaint, fault) in stderr.lines().zip(BATCH_FAULTS) {
        let expected = format!("tiktally: {name}: {fault}");
        assert!(complaint.starts_with(&expected), "{stderr}");
    }
}

#[test]
fn a_batch_file_has_totals_by_model() {
    for name in ["batch.jsonl", "batch.txt"] {
        let (code, stdout, stderr) = chat_lines(&[name]);
        assert_eq!((code, stdout.as_str()), (Some(1), BATCH_TABLE));
        assert_batch_faults(&stderr, name);
    }
    let (code, stdout, stderr) = piped(&[], BATCH);
    assert_eq!((code, stdout.as_str()), (Some(1), BATCH_TABLE));
    assert_batch_faults(&stderr, "standard input");
}

#[test]
fn a_line_of_json_for_each_request_of_a_batch() {
    let (code, stdout, stderr) = chat_lines(&["--json", "batch.jsonl"]);
    assert_eq!(code, Some(1));
    assert_batch_faults(&stderr, "batch.jsonl");
    let expected = r#"{"path":"batch.jsonl","line":1,"custom_id":"a","model":"gpt-4o","total":9,"exact":true,"reason":null}
{"path":"batch.jsonl","line":2,"custom_id":"b","model":"gpt-4o-mini","total":9,"exact":true,"reason":null}
{"path":"batch.jsonl","line":5,"custom_id":null,"model":"text-embedding-3-small","total":2,"exact":true,"reason":null}
{"path":"batch.jsonl","line":6,"custom_id":"d","model":"gpt-4o","total":9,"exact":false,"reason":"#;
    let (before, reason) = stdout.split_at(expected.len());
    assert_eq!(before, expected);
    assert!(
        reason.contains("new_key") && reason.ends_with("\"}\n"),
        "{reason}"
    );
    // the rules of each line only if they are asked for
    let (_, stdout, _) = chat_lines(&["--json", "--explain", "batch.jsonl"]);
    let first: Value = serde_json::from_str(stdout.lines().next().unwrap()).unwrap();
    let body = r#"{"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello!"}]}"#;
    assert_eq!(first["rules"], rules_of(body));
}

#[test]
fn a_fine_tuning_file_needs_a_model() {
    for name in ["training.jsonl", "training.NDJSON"] {
        let table = "\
2 of 2 requests
  model   requests  estimates  exact tokens  estimated tokens  tokens
  gpt-4o         2          0            24                 0      24
  total          2          0            24                 0      24
";
        assert_prints(&chat_lines(&["-m", "gpt-4o", name]), table);
    }
    let (code, stdout, stderr) = chat_lines(&["training.NDJSON"]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    let complaint = "the request names no model; choose one with -m";
    let expected = [1, 3].map(|n| format!("tiktally: training.NDJSON: line {n}: {complaint}\n"));
    assert_eq!(stderr, expected.concat());
    // one line is enough, if the name says what it is
    let (_, stdout, _) = chat_lines(&["-m", "gpt-4o", "one.jsonl"]);
    assert!(stdout.starts_with("1 of 1 request\n"), "{stdout}");
    assert_refused(
        &chat_lines(&["empty.jsonl"]),
        "tiktally: empty.jsonl: the file has no requests",
    );
}

#[test]
fn the_order_of_keys_and_the_last_of_two_count_on_a_line_too() {
    let tool = |properties: &str| {
        format!(
            r#"{{"model": "gpt-4o", "messages": [{{"role": "user", "content": "Hello!"}}], "tools": [{{"type": "function",
            "function": {{"name": "walk", "parameters": {{"type": "object", "properties": {{{properties}}}}}}}}}]}}"#
        )
        .replace('\n', " ")
    };
    // sorted keys would have another count
    let body =
        tool(r#""zebra": {"type": "string"}, "a b": {"type": "string", "enum": ["z", "a"]}"#);
    let alone = chat::estimate_json(&body).unwrap().total;
    let lines = [
        format!(r#"{{"body": {{}}, "custom_id": "\u0061", "body": {body}}}"#),
        format!(r#"{{"b\u006fdy": {body}}}"#),
        body,
    ];
    let (code, stdout, stderr) = piped(&["--json"], lines.join("\n"));
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    for (line, id) in stdout.lines().zip([json!("a"), Value::Null, Value::Null]) {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&line["total"], &line["custom_id"]), (&json!(alone), &id));
    }
    assert_eq!(stdout.lines().count(), 3);
}

#[test]
fn files_of_many_requests_beside_others() {
    let (code, stdout, stderr) = chat_lines(&[
        "-m",
        "gpt-4o",
        "training.jsonl",
        "missing.jsonl",
        "hello.json",
        "one.jsonl",
    ]);
    assert_eq!((code, stderr.lines().count()), (Some(1), 1), "{stderr}");
    let table = "\
training.jsonl
  model   requests  estimates  exact tokens  estimated tokens  tokens
  gpt-4o         2          0            24                 0      24
  total          2          0            24                 0      24

hello.json
  messages[0]      10
  messages[1]       6
  priming           3
  total            19  exact
  window       128000  gpt-4o
  left         127981

one.jsonl
  model   requests  estimates  exact tokens  estimated tokens  tokens
  gpt-4o         1          0             9                 0       9
  total          1          0             9                 0       9

4 of 5 requests
  model   requests  estimates  exact tokens  estimated tokens  tokens
  gpt-4o         4          0            52                 0      52
  total          4          0            52                 0      52
";
    assert_eq!(stdout, table);
}

#[test]
fn many_lines_are_in_order() {
    // several blocks of a megabyte, with a fault in every hundredth line
    let body = |i: usize| {
        let words = "hello world ".repeat(i % 50);
        let end = if i % 100 == 99 { "" } else { "}" };
        format!(
            r#"{{"custom_id": "{i}", "url": "/v1/completions", "body": {{"model": "gpt-3.5-turbo-instruct", "prompt": "{words}"}}{end}"#
        )
    };
    let lines: Vec<String> = (0..10_000).map(body).collect();
    let (code, stdout, stderr) = piped(&["--json"], lines.join("\n"));
    assert_eq!(code, Some(1));
    assert_eq!(stderr.lines().count(), 100);
    for (i, complaint) in stderr.lines().enumerate() {
        let expected = format!("standard input: line {}: ", 100 * i + 100);
        assert!(complaint.contains(&expected), "{complaint}");
    }
    let good = (0..10_000).filter(|i| i % 100 != 99);
    assert_eq!(stdout.lines().count(), 9900);
    for (line, i) in stdout.lines().zip(good) {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(
            (&line["line"], &line["custom_id"]),
            (&json!(i + 1), &json!(i.to_string()))
        );
    }
}

#[test]
fn hostile_lines() {
    let deep = [r#"{"a":"#.repeat(100_000), "[".repeat(100_000)].concat();
    let lines: [&[u8]; 6] = [
        br#"{"custom_id": "\ud800", "body": {"model": "gpt-4o", "input": "Hello!"}}"#,
        br#"{"body": 1}"#,
        b"{\"body\": \"\xff\"}",
        deep.as_bytes(),
        b"null",
        b"{\"url\": \"\\n\\u001b[31m\", \"body\": {}}",
    ];
    let (code, stdout, stderr) = piped(&["--json"], lines.join(&b'\n'));
    assert_eq!((code, stdout.lines().count()), (Some(1), 1), "{stderr}");
    let faults = [
        "line 2: the chat request: this must be an object",
        "line 3: not UTF-8: invalid at byte 10 of the line, counted from 0",
        "line 4: this is not valid JSON: ",
        "line 5: this must be an object",
        r#"line 6: url: requests to "\n\u{1b}[31m" cannot be counted"#,
    ];
    for (complaint, fault) in stderr.lines().zip(faults) {
        let expected = format!("tiktally: standard input: {fault}");
        assert!(complaint.starts_with(&expected), "{stderr}");
    }
    assert_eq!(stderr.lines().count(), faults.len());
}

#[test]
fn a_limit_on_all_requests() {
    let over = "tiktally: 19 tokens are 1 more than the limit of 18\n";
    let run = chat(&["--limit", "18", "hello.json"]);
    assert_eq!(run, (Some(3), HELLO_TABLE.to_owned(), over.to_owned()));
    assert_prints(&chat(&["--limit", "19", "hello.json"]), HELLO_TABLE);
    let (code, _, stderr) = chat(&["--limit", "37", "hello.json", "missing", "hello.json"]);
    assert_eq!((code, stderr.lines().count()), (Some(3), 2), "{stderr}");
    let (code, ..) = chat(&["--limit", "38", "hello.json", "missing", "hello.json"]);
    assert_eq!(code, Some(1));
    let (code, stdout, stderr) = chat_lines(&["--limit", "28", "--json", "batch.jsonl"]);
    assert_eq!((code, stdout.lines().count()), (Some(3), 4));
    assert!(stderr.ends_with("29 tokens are 1 more than the limit of 28\n"));

    // also if the output is not read
    let here = requests();
    for (limit, expected) in [("18", Some(3)), ("19", Some(0))] {
        let stdin = File::open(here.path().join("hello.json")).unwrap();
        let (code, ..) = unread(here.path(), &["chat", "--limit", limit], stdin);
        assert_eq!(code, expected);
    }
}

#[test]
fn strict_takes_no_estimates() {
    assert_prints(&chat(&["--strict", "hello.json"]), HELLO_TABLE);
    let estimate = HELLO.replacen('{', r#"{"new_key": 1, "#, 1);
    let (code, stdout, stderr) = piped(&["--strict"], &estimate);
    assert_eq!((code, stderr.lines().count()), (Some(1), 1), "{stderr}");
    assert!(stdout.contains("total          19  estimate: "), "{stdout}");
    let complaint = "tiktally: standard input: the count is an estimate: ";
    assert!(
        stderr.starts_with(complaint) && stderr.contains("new_key"),
        "{stderr}"
    );
    assert_eq!(piped(&[], &estimate).0, Some(0));

    let (code, stdout, stderr) = chat_lines(&["--strict", "batch.jsonl"]);
    assert_eq!((code, stdout.as_str()), (Some(1), BATCH_TABLE));
    let complaints: Vec<&str> = stderr.lines().collect();
    assert_eq!(complaints.len(), BATCH_FAULTS.len() + 1);
    let second = "tiktally: batch.jsonl: line 6: the count is an estimate: ";
    assert!(complaints[1].starts_with(second), "{stderr}");
    // the limit comes first
    assert_eq!(
        chat_lines(&["--strict", "--limit", "1", "batch.jsonl"]).0,
        Some(3)
    );
}

/// The prices of images in patches changed in June 2026.
#[test]
fn an_earlier_day() {
    let body = r#"{"model": "gpt-4.1-nano", "messages": [{"role": "user", "content": [
        {"type": "text", "text": "Hello!"},
        {"type": "image_url", "image_url": {"url": "data:image/gif;base64,R0lGODlhAQABAAAAACw="}}
    ]}]}"#;
    let total = |args: &[&str]| {
        let (code, stdout, stderr) = piped(&[&["--json"], args].concat(), body);
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        lines(&stdout)[0]["total"].as_u64().unwrap() as usize
    };
    let counter = Counter::for_model("gpt-4.1-nano").unwrap();
    let mut totals = Vec::new();
    for day in ["2025-06-01", "2026-03-03", "2026-08-01"] {
        let expected = counter.as_of(day).unwrap().estimate_json(body).unwrap();
        assert_eq!(total(&["--as-of", day]), expected.total, "{day}");
        totals.push(expected.total);
    }
    assert_eq!(total(&[]), totals[2]);
    assert_ne!(totals[0], totals[2]);
}

#[test]
fn explain_lists_the_rules() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/command/request.json");
    let body = fs::read_to_string(path).unwrap();
    let rules = chat::estimate_json(&body).unwrap().rules;
    let [rule] = rules.as_slice() else {
        panic!("{rules:?}")
    };
    let expected = format!(
        "\
messages[0]      10
messages[1]      10
priming           3
total            23  exact
window       128000  gpt-4o
left         127977

rule      models  API   recordings  others  first       last
messages  gpt-4o  chat  {:>10}  {:>6}  {}  {}
",
        rule.recordings, rule.others, rule.first, rule.last
    );
    assert_prints(&piped(&["--explain"], &body), &expected);

    // under each of several, and once for a file of many
    let (_, stdout, _) = chat(&["--explain", "hello.json", "tool.json"]);
    assert_eq!(stdout.matches("\n\n  rule ").count(), 2, "{stdout}");
    let (_, stdout, _) = chat_lines(&["--explain", "batch.jsonl"]);
    let (before, table) = stdout.split_once("\n\n").unwrap();
    assert_eq!(format!("{before}\n"), BATCH_TABLE);
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|row| row.split_whitespace().collect())
        .collect();
    assert_eq!(
        rows[0],
        [
            "rule",
            "models",
            "API",
            "requests",
            "recordings",
            "others",
            "first",
            "last"
        ]
    );
    assert_eq!(rows[1][..4], ["messages", "gpt-4o", "chat", "2"]);
    assert_eq!(rows[2][..4], ["messages", "gpt-4o", "responses", "1"]);
    assert_eq!(rows.len(), 3);
    // a prompt uses none
    let (_, stdout, _) = piped(
        &["--explain", "-m", "text-embedding-3-small"],
        r#"{"input": ""}"#,
    );
    assert!(!stdout.contains("rule"), "{stdout}");
}

/// A request with a linked image, which is never fetched.
const LINK: &str = r#"{"model": "gpt-4o", "messages": [{"role": "user", "content": [
    {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}
]}]}"#;

#[test]
fn linked_images_have_the_size_that_is_given() {
    for (size, tokens) in [("1024x768", 765), ("64X64", 255)] {
        let (code, stdout, stderr) = piped(&["--json", "--image-size", size], LINK);
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        assert_eq!(lines(&stdout)[0]["images"], tokens, "{size}");
    }
    let line = LINK.replace('\n', " ");
    let many = format!("{line}\n{line}\n");
    let (code, stdout, stderr) = piped(&["--image-size", "64x64"], many);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.starts_with("2 of 2 requests\n"), "{stdout}");
}

#[test]
fn options_hold_for_a_body_after_a_byte_order_mark() {
    let marked = format!("\u{feff}{LINK}");
    let (code, stdout, stderr) = piped(&["--json", "--image-size", "64x64"], marked);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(lines(&stdout)[0]["model"], "gpt-4o");
    let (_, _, stderr) = piped(&[], "\u{feff}{\"messages\": []}");
    assert!(stderr.contains("choose one with -m"), "{stderr}");
}

#[test]
fn advice_is_for_the_command_line() {
    let (code, stdout, stderr) = piped(&[], LINK);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains("--image-size"), "{stderr}");
    let image = LINK.replace(
        "https://example.com/cat.png",
        "data:image/gif;base64,R0lGODlhAQABAAAAACw=",
    );
    let (_, _, priceless) = piped(&["-m", "gpt-3.5-turbo-0613"], image);
    for complaint in [stderr, priceless, chat(&["nameless.json"]).2] {
        assert!(
            !complaint.contains("::") && !complaint.contains("Counter"),
            "{complaint}"
        );
    }
}

#[test]
fn wrong_usage() {
    let cases: [(&[&str], &str); 9] = [
        (&["--limit", "many", "hello.json"], "invalid digit"),
        (
            &["--as-of", "March 3", "hello.json"],
            r#"'--as-of <DATE>': "March 3" is not a date; write it like 2026-03-03"#,
        ),
        (&["--as-of", "2026-02-30", "hello.json"], "is not a date"),
        (&["--image-size", "1024", "hello.json"], "such as 1024x768"),
        (&["--image-size", "0x768", "hello.json"], "such as 1024x768"),
        (
            &["--image-size", "+1x768", "hello.json"],
            "such as 1024x768",
        ),
        (
            &["-m", "gpt-6", "hello.json"],
            r#"no encoding is known for the model "gpt-6""#,
        ),
        (&["-m"], "a value is required"),
        (&["-e", "cl100k_base", "hello.json"], "unexpected argument"),
    ];
    for (args, complaint) in cases {
        let (code, stdout, stderr) = chat(args);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(stderr.contains(complaint), "{args:?}: {stderr}");
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let here = requests();
    for args in [
        &["hello.json"][..],
        &["--json", "hello.json"],
        &["-", "hello.json"],
    ] {
        let args = [&["chat"], args].concat();
        let stdin = File::open(here.path().join("tool.json")).unwrap();
        let run = unread(here.path(), &args, stdin);
        assert_eq!(run, (Some(0), String::new(), String::new()), "{args:?}");
    }
    let here = folder(&[("training.jsonl", TRAINING.as_bytes())]);
    for args in [&["--json"][..], &[], &["--strict", "--limit", "24"]] {
        let args = [&["chat", "-m", "gpt-4o", "training.jsonl"], args].concat();
        let run = unread(here.path(), &args, Stdio::null());
        assert_eq!(run, (Some(0), String::new(), String::new()), "{args:?}");
    }
}
