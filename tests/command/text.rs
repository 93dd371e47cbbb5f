//! `tiktally encode`, `decode`, `truncate`, `chunk` and `show` from the outside.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{PROGRAM, ended, folder, printed, run, tiktally, within_a_minute};
use crate::tokenizer::{tekken_json, tokenizer_json};
use assert_cmd::assert::OutputAssertExt;
use serde_json::{Value, json};
use tiktally::cl100k_base;

/// Characters of all lengths, some of several tokens, with a NUL and all kinds of line ends.
const TEXT: &str = "naïve 🦀 最近\0 <|endoftext|>\r\n\n  end";

/// Returns the output as bytes, which may not be text.
fn bytes(args: &[&str], stdin: impl Into<Vec<u8>>) -> (Option<i32>, Vec<u8>, String) {
    let mut command = assert_cmd::Command::new(PROGRAM);
    let output = command.args(args).write_stdin(stdin).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), output.stdout, stderr)
}

#[test]
fn ids_in_three_formats() {
    let encode = |format| {
        let args = ["encode", "-e", "cl100k_base", "--format", format];
        bytes(&args, "hello world").1
    };
    assert_eq!(encode("text"), b"15339\n1917\n");
    assert_eq!(encode("json"), b"[15339,1917]\n");
    assert_eq!(encode("u32le"), b"\xeb\x3b\0\0\x7d\x07\0\0");
    for (format, empty) in [("text", ""), ("json", "[]\n"), ("u32le", "")] {
        let args = ["encode", "--format", format];
        assert_eq!(printed(&args, ""), empty);
        let args = ["decode", "--format", format];
        assert_eq!(printed(&args, empty), "");
    }
}

#[test]
fn the_same_bytes_come_back() {
    // longer than what is read at a time, so that characters are cut at its end
    for text in ["", "x", TEXT, &TEXT.repeat(10_000), &"🦀".repeat(50_001)] {
        for encoding in ["gpt2", "cl100k_base", "o200k_harmony"] {
            for format in ["text", "json", "u32le"] {
                let format = ["-e", encoding, "--format", format];
                let (code, ids, _) = bytes(&[&["encode"], &format[..]].concat(), text);
                assert_eq!(code, Some(0));
                let (code, decoded, _) = bytes(&[&["decode"], &format[..]].concat(), ids);
                assert_eq!(code, Some(0));
                assert!(decoded == text.as_bytes(), "{format:?}");
            }
        }
    }
}

/// `encode` prints ids before its input ends, and `decode` prints text.
#[test]
fn output_comes_as_input_does() {
    use std::io::{Read, Write};

    let _minute = within_a_minute();
    for (subcommand, input, output) in [
        ("encode", "hello world and more", "24912\n2375\n"),
        ("decode", "24912 2375 ", "hello world"),
    ] {
        let mut run = Command::new(PROGRAM)
            .arg(subcommand)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = run.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        let mut first = vec![0; output.len()];
        run.stdout.take().unwrap().read_exact(&mut first).unwrap();
        assert_eq!(first, output.as_bytes(), "{subcommand}");
        drop(stdin);
        run.wait().unwrap();
    }
}

#[test]
fn what_is_no_list_of_ids() {
    let cases: [(&str, &[u8], &[u8], &str); 16] = [
        ("text", b"15339 x", b"hello", "unexpected \"x\" at byte 6"),
        ("text", b"15339,1917", b"", "unexpected \",\" at byte 5"),
        ("text", b"-1", b"", "unexpected \"-\" at byte 0"),
        (
            "text",
            b"15339 4294967296",
            b"hello",
            "the number at byte 6, counted from 0, is larger than any id: the maximum is 4294967295",
        ),
        (
            "text",
            b"15339 200000 1917",
            b"hello",
            "the id 200000 (at index 1, counted from 0) is not a token of cl100k_base",
        ),
        (
            "json",
            b"[15339, 200000, 1917]",
            b"hello",
            "the id 200000 (at index 1,",
        ),
        (
            "json",
            b"[15339, -1]",
            b"hello",
            "unexpected \"-\" at byte 8, counted from 0, where an id is expected",
        ),
        (
            "json",
            b"[15339",
            b"",
            "the input ends at byte 6, where a comma or ] is expected",
        ),
        ("json", b"[15339,]", b"hello", "unexpected \"]\" at byte 7"),
        (
            "json",
            b"[15339 1917]",
            b"hello",
            "unexpected \"1\" at byte 7",
        ),
        (
            "json",
            b"[15339] [",
            b"hello",
            "where the end of the input is expected",
        ),
        (
            "json",
            b"15339\n",
            b"",
            "where [ (the start of an array) is expected (--format sets another",
        ),
        ("json", b"[\"aaaa", b"", "unexpected \"\\\"\" at byte 1"),
        ("json", b"", b"", "the input ends at byte 0"),
        (
            "u32le",
            b"\xeb\x3b\0\0\x7d",
            b"hello",
            "the input ends inside an id, after 1 of 4 bytes",
        ),
        (
            "u32le",
            b"\xff\xff\xff\xff",
            b"",
            "the id 4294967295 (at index 0",
        ),
    ];
    for (format, ids, decoded, complaint) in cases {
        let args = ["decode", "-e", "cl100k_base", "--format", format];
        let (code, stdout, stderr) = bytes(&args, ids);
        assert_eq!((code, &*stdout), (Some(1), decoded), "{complaint}");
        assert!(stderr.starts_with("tiktally: standard input: "), "{stderr}");
        assert!(stderr.contains(complaint), "{stderr}");
    }
    // one half of a character is written as it is
    let (code, stdout, _) = bytes(&["decode", "-e", "cl100k_base"], "9468");
    assert_eq!((code, &*stdout), (Some(0), &b"\xf0\x9f"[..]));
}

#[test]
fn text_that_is_not_utf8() {
    let late = ["x".repeat(100_000).as_bytes(), b"\xff x"].concat();
    for subcommand in [
        &["encode"][..],
        &["truncate", "-n", "1000000"],
        &["chunk", "-n", "8"],
        &["show"],
    ] {
        let (code, _, stderr) = bytes(subcommand, &late[..]);
        let complaint =
            "tiktally: standard input: not UTF-8: invalid at byte 100000, counted from 0; --lossy";
        assert_eq!(code, Some(1), "{subcommand:?}");
        assert!(stderr.starts_with(complaint), "{subcommand:?}: {stderr}");
        let lossy = [subcommand, &["--lossy"]].concat();
        assert_eq!(bytes(&lossy, &late[..]).0, Some(0), "{subcommand:?}");
    }
    let ids = printed(&["encode", "--lossy"], b"caf\xe9 cr\xe8me \xe4\xbd");
    assert_eq!(
        printed(&["decode"], ids),
        "caf\u{fffd} cr\u{fffd}me \u{fffd}"
    );
    let (code, _, stderr) = run(&["encode", "missing"], "");
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with("tiktally: missing: "), "{stderr}");
}

#[test]
fn truncate() {
    let args = ["truncate", "-e", "cl100k_base", "--tokens"];
    let keep =
        |n: &str, more: &[&str], text: &str| printed(&[&args[..], &[n], more].concat(), text);
    assert_eq!(keep("4", &[], "tiktoken is great!"), "tiktoken is");
    assert_eq!(keep("6", &[], "tiktoken is great!"), "tiktoken is great!");
    assert_eq!(keep("0", &[], "tiktoken is great!"), "");
    assert_eq!(
        keep("3", &["--keep", "end"], "tiktoken is great!"),
        " is great!"
    );
    // of a text that is read in parts, the same as of the whole
    for text in [
        TEXT.repeat(9000),
        "a".repeat(300_000),
        " ".repeat(200_000) + "x",
    ] {
        for n in [1, 7, 1000, 20_000] {
            let kept = keep(&n.to_string(), &[], &text);
            assert!(
                kept == cl100k_base().truncate(&text, n),
                "{n} of {}",
                &text[..9]
            );
        }
    }
}

/// The beginning of an endless text can be printed.
#[cfg(unix)]
#[test]
fn truncate_reads_no_more_than_it_needs() {
    let mut endless = Command::new("yes").stdout(Stdio::piped()).spawn().unwrap();
    let output = Command::new(PROGRAM)
        .args(["truncate", "-n", "3"])
        .stdin(endless.stdout.take().unwrap())
        .output()
        .unwrap();
    endless.wait().unwrap();
    assert_eq!(ended(&output), (Some(0), "y\ny".to_owned(), String::new()));
}

#[test]
fn chunks() {
    let text = "one two three four five six\nseven eight nine\n";
    let args = ["chunk", "-e", "cl100k_base", "--tokens", "5"];
    assert_eq!(
        printed(&args, text),
        "\
==> 0: 5 tokens, bytes 0 to 23 <==
one two three four five

==> 1: 5 tokens, bytes 23 to 44 <==
 six
seven eight nine

==> 2: 1 token, bytes 44 to 45 <==

"
    );
    let lines = |more: &[&str]| -> Vec<Value> {
        let stdout = printed(&[&args[..], &["--json"], more].concat(), text);
        let lines = stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    };
    assert_eq!(
        lines(&[])[1],
        json!({"chunk": 1, "start": 23, "end": 44, "tokens": 5, "text": " six\nseven eight nine"})
    );
    let texts = |lines: Vec<Value>| -> Vec<String> {
        let texts = lines
            .iter()
            .map(|line| line["text"].as_str().unwrap().to_owned());
        texts.collect()
    };
    assert_eq!(texts(lines(&[])).concat(), text);
    let overlapping = cl100k_base().chunks_overlapping(text, 5, 1).unwrap();
    assert_eq!(
        texts(lines(&["--overlap", "1"])),
        overlapping.collect::<Vec<_>>()
    );
    for (name, cut) in [
        ("line", tiktally::Cut::Line),
        ("sentence", tiktally::Cut::Sentence),
        ("word", tiktally::Cut::Word),
    ] {
        let preferred = cl100k_base().chunks(text, 5).unwrap().prefer(cut);
        assert_eq!(
            texts(lines(&["--prefer", name])),
            preferred.collect::<Vec<_>>()
        );
    }
    assert_eq!(printed(&args, ""), "");

    let (code, stdout, stderr) = run(&["chunk", "--tokens", "8", "--overlap", "5"], text);
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert!(stderr.contains('9'), "the least that would do: {stderr}");
    let (code, ..) = run(&["chunk"], text);
    assert_eq!(code, Some(2));
}

#[test]
fn show() {
    assert_eq!(
        printed(&["show", "-e", "cl100k_base"], TEXT),
        "\
na│ï│ve│ \\xf0\\x9f│\\xa6│\\x80│ 最│近│\\u{0}│ <|│endo│ft│ext│|│>│\\r⏎
⏎
│ │ end
18 tokens, 41 bytes, cl100k_base
"
    );
    assert_eq!(
        printed(&["show", "-e", "cl100k_base", "--ids"], "naïve 🦀\n"),
        "  \
  3458  \"na\"
 38672  \"\\xc3\\xaf\"  ï
   588  \"ve\"
 11410  \" \\xf0\\x9f\"
    99  \"\\xa6\"
   222  \"\\x80\"
   198  \"\\n\"
"
    );
}

#[test]
fn show_in_colours() {
    let coloured = ["show", "--color", "always", "-e", "cl100k_base"];
    let shown = printed(&coloured, "hello world\n");
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(
        lines[0],
        "\x1b[38;5;16m\x1b[48;5;153mhello\x1b[0m\x1b[38;5;16m\x1b[48;5;229m world\x1b[0m\x1b[38;5;16m\x1b[48;5;157m⏎\x1b[0m"
    );
    // no colour goes on at the end of a line, and none is there where none is wanted
    let shown = printed(&coloured, TEXT);
    assert!(
        shown
            .lines()
            .all(|line| line.is_empty() || line.ends_with("\x1b[0m"))
    );
    assert!(!printed(&["show", "--color", "never"], TEXT).contains('\x1b'));
    // nor does a text bring its own
    let hostile = "\x1b[31mred\u{202e}\u{9b}2J";
    assert!(!printed(&["show"], hostile).contains(['\x1b', '\u{202e}', '\u{9b}']));
    assert!(!printed(&["show", "--ids"], hostile).contains(['\x1b', '\u{202e}', '\u{9b}']));
}

/// The examples of the help run as written.
#[cfg(unix)]
#[test]
fn examples_of_the_help() {
    let here = folder(&[
        ("README.md", b"# Hi\n"),
        ("prompt.txt", TEXT.as_bytes()),
        ("article.txt", b"One. Two.\n"),
        ("book.txt", b"One. Two.\n"),
        ("long.txt", b"long\n"),
        ("src/lib.rs", b"fn main() {}\n"),
        (
            "request.json",
            br#"{"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello!"}]}"#,
        ),
        (
            "deployments/a.json",
            br#"{"messages": [{"role": "user", "content": "Hello!"}]}"#,
        ),
        ("old.json", br#"{"model": "gpt-4o", "input": "Hello!"}"#),
        (
            "batch.jsonl",
            br#"{"url": "/v1/responses", "body": {"model": "gpt-4o", "input": "Hello!"}}"#,
        ),
        (
            "training.jsonl",
            br#"{"messages": [{"role": "user", "content": "Hello!"}]}"#,
        ),
        ("ids.bin", b"\xeb\x3b\0\0"),
        ("tokenizer.json", tokenizer_json().to_string().as_bytes()),
        ("tekken.json", tekken_json().to_string().as_bytes()),
        ("bin/jq", b"#!/bin/sh\ncat\n"),
        ("bin/less", b"#!/bin/sh\ncat\n"),
        ("bin/man", b"#!/bin/sh\ncat\n"),
        ("bin/dmesg", b"#!/bin/sh\necho log\n"),
        (".local/share/bash-completion/completions/x", b""),
        (".config/fish/completions/x", b""),
        (".local/share/man/man1/x", b""),
    ]);
    for tool in ["jq", "less", "man", "dmesg"] {
        let path = here.path().join("bin").join(tool);
        let mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
        fs::set_permissions(path, mode).unwrap();
    }
    let program = Path::new(PROGRAM).parent().unwrap().to_str().unwrap();
    let tools = here.path().join("bin");
    let path = format!("{}:{program}:/usr/bin:/bin", tools.to_str().unwrap());
    let mut examples = 0;
    for subcommand in [
        &[][..],
        &["count"],
        &["chat"],
        &["encode"],
        &["decode"],
        &["truncate"],
        &["chunk"],
        &["show"],
        &["models"],
        &["completions"],
        &["man"],
    ] {
        let help = printed(&[subcommand, &["--help"]].concat(), "");
        let lines = help.lines().skip_while(|line| *line != "Examples:").skip(1);
        for line in lines.take_while(|line| line.starts_with("  ")) {
            // three spaces stand before what is said of an example
            let command = line.trim().split("   ").next().unwrap().trim();
            examples += 1;
            if command.contains("git diff") || command.contains("fpath") {
                continue;
            }
            let mut shell = Command::new("bash");
            shell.args(["-e", "-o", "pipefail", "-c", command]);
            shell
                .current_dir(here.path())
                .env("PATH", &path)
                .env("HOME", here.path());
            let output = shell.output().unwrap();
            assert!(output.status.success(), "{command}: {output:?}");
        }
    }
    assert!(examples > 20, "{examples}");
}

/// With `--html` nothing is printed, and the page contains the text.
#[test]
fn a_page_is_written() {
    let here = folder(&[("in.txt", TEXT.as_bytes())]);
    let args = ["show", "--html", "out.html", "in.txt"];
    assert_eq!(
        tiktally(here.path(), &args, b""),
        (Some(0), String::new(), String::new())
    );
    let page = fs::read_to_string(here.path().join("out.html")).unwrap();
    assert!(page.contains("naïve 🦀 最近") && !page.contains("{{data}}"));
    let (code, _, stderr) = tiktally(
        here.path(),
        &["show", "--html", "no/out.html", "in.txt"],
        b"",
    );
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with("tiktally: no/out.html: "), "{stderr}");
    // it may go to standard output, but not over the text
    let (code, stdout, _) = tiktally(here.path(), &["show", "--html", "-", "in.txt"], b"");
    assert_eq!((code, stdout), (Some(0), page));
    let (code, _, stderr) = tiktally(here.path(), &["show", "--html", "./in.txt", "in.txt"], b"");
    assert_eq!(code, Some(2), "{stderr}");
    assert_eq!(
        fs::read_to_string(here.path().join("in.txt")).unwrap(),
        TEXT
    );
    let mut full = Command::new(PROGRAM);
    full.args(["show", "--ids", "--html", "ids.html", "in.txt"])
        .current_dir(here.path());
    full.assert().success();
}
