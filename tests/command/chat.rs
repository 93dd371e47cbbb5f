//! `tiktally chat` from the outside.

use std::fs::File;
use std::path::Path;

use crate::common::{Ended, folder, tiktally, unread};
use serde_json::Value;
use tempfile::TempDir;

/// 19 tokens: messages of 10 and 6, and 3 for the answer to begin.
const HELLO: &str = r#"{"model": "gpt-3.5-turbo-0613", "messages": [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "Hello!"}
]}"#;

/// With a tool, whose cost for this model can only be estimated.
const TOOL: &str = r#"{"model": "gpt-5", "messages": [{"role": "user", "content": "Hello!"}], "tools": [
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
        (b"[]", "the chat request: this must be an object"),
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
        r#""tools":0,"tool_choice":0,"response_format":0,"images":0,"priming":3,"window":4096,"left":4077}"#,
    );
    assert_eq!(stdout.lines().next(), Some(first));

    let lines = lines(&stdout);
    assert_eq!(lines.len(), 2);
    let tool = &lines[1];
    assert_eq!(
        (&tool["path"], &tool["exactness"]),
        (&"tool.json".into(), &"estimate".into())
    );
    assert!(tool["reason"].as_str().unwrap().contains("tools"), "{tool}");
    assert!(tool["tools"].as_u64().unwrap() > 0);

    let (_, stdout, _) = piped(&["--json"], HELLO);
    assert_eq!(stdout, format!("{}\n", first.replace("hello.json", "-")));
}

#[test]
fn wrong_usage() {
    let cases: [(&[&str], &str); 3] = [
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
}
