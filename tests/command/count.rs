//! `tiktally count` and `models`, completions and help, exit codes, closed pipes.

use std::fs;
use std::path::Path;
use std::process::{Command as Process, Stdio};

use crate::common::{PROGRAM, ended, folder, tiktally, unread};
use assert_cmd::Command;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Returns a folder with three files of 2, 4 and 6 tokens in `cl100k_base`.
fn three() -> TempDir {
    folder(&[
        ("a.txt", b"hello world"),
        ("b.rs", b"fn main() {}\n"),
        ("c.txt", b"tiktoken is great!"),
    ])
}

/// Returns the first and the last column of the rows.
fn tokens_and_paths(stdout: &str) -> Vec<String> {
    let row = |line: &str| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let path = cells[cells.len() - 1].replace(std::path::MAIN_SEPARATOR, "/");
        format!("{} {path}", cells[0])
    };
    stdout.lines().skip(1).map(row).collect()
}

fn slash(text: &str) -> String {
    text.replace('/', std::path::MAIN_SEPARATOR_STR)
}

#[test]
fn standard_input() {
    let here = folder(&[]);
    let cases: [(&[&str], &str, &str); 9] = [
        (&["count", "-e", "cl100k_base"], "tiktoken is great!", "6\n"),
        (&["count", "-e", "gpt2"], "hello world", "2\n"),
        (
            &["count", "-e", "gpt2", "-"],
            "hello world",
            "tokens  bytes  bytes/token  path\n     2     11         5.50  -\n",
        ),
        (&["count", "--encoding", "gpt2"], "你好", "4\n"),
        (&["count", "-m", "gpt-4"], "你好", "2\n"),
        (&["count", "--model", "gpt-4o-2024-08-06"], "你好", "1\n"),
        // o200k_base: the others say 2 and 4.
        (&["count"], "你好", "1\n"),
        (&["count"], "", "0\n"),
        // A special token in a text is seven ordinary ones.
        (&["count", "-e", "cl100k_base"], "<|endoftext|>", "7\n"),
    ];
    for (args, stdin, stdout) in cases {
        assert_eq!(
            tiktally(here.path(), args, stdin.as_bytes()),
            (Some(0), stdout.to_owned(), String::new()),
            "{args:?} {stdin:?}"
        );
    }
}

#[test]
fn one_file_has_no_total() {
    let (code, stdout, stderr) = tiktally(
        three().path(),
        &["count", "-e", "cl100k_base", "c.txt"],
        b"not read",
    );
    assert_eq!(
        (code, stdout.as_str(), stderr.as_str()),
        (
            Some(0),
            "tokens  bytes  bytes/token  path\n     6     18         3.00  c.txt\n",
            ""
        )
    );
}

#[test]
fn several_files_keep_their_order_and_have_a_total() {
    let (code, stdout, stderr) = tiktally(
        three().path(),
        &["count", "-e", "cl100k_base", "c.txt", "-", "a.txt", "b.rs"],
        b"hello world\n",
    );
    let table = "\
tokens  bytes  bytes/token  path
     6     18         3.00  c.txt
     3     12         4.00  -
     2     11         5.50  a.txt
     4     13         3.25  b.rs
    15     54         3.60  total
";
    assert_eq!(
        (code, stdout.as_str(), stderr.as_str()),
        (Some(0), table, "")
    );
}

#[test]
fn a_folder_is_walked_in_order_without_what_is_ignored_or_hidden() {
    let here = folder(&[
        ("top/z.txt", b"hello world"),
        ("top/b/2.txt", b"hello world\n"),
        ("top/b/1.txt", b"hello world"),
        ("top/.gitignore", b"*.log\nbuild/\n"),
        ("top/run.log", b"hello world"),
        ("top/build/out.txt", b"hello world"),
        ("top/.hidden", b"hello world"),
        ("top/.git/config", b"hello world"),
    ]);
    let (code, stdout, stderr) = tiktally(here.path(), &["count", "top"], b"");
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(
        tokens_and_paths(&stdout),
        ["2 top/b/1.txt", "3 top/b/2.txt", "2 top/z.txt", "7 total"]
    );

    // -v says what is left out, but for what is ignored
    let (code, _, stderr) = tiktally(here.path(), &["count", "-v", "top"], b"");
    let hidden = |name| format!("tiktally: {}: skipped: hidden\n", slash(name));
    let told = ["top/.git", "top/.gitignore", "top/.hidden"].map(hidden);
    assert_eq!((code, stderr), (Some(0), told.concat()));

    // Naming a file asks for it, whatever the rules of its folder are.
    let (code, stdout, _) = tiktally(here.path(), &["count", "top/run.log", "top/.hidden"], b"");
    assert_eq!(code, Some(0));
    assert_eq!(
        tokens_and_paths(&stdout),
        ["2 top/run.log", "2 top/.hidden", "4 total"]
    );
}

#[test]
fn an_empty_folder_counts_nothing_and_says_so() {
    let here = folder(&[]);
    assert_eq!(
        tiktally(here.path(), &["count", "."], b""),
        (
            Some(0),
            "tokens  bytes  bytes/token  path\n     0      0            -  total\n".to_owned(),
            String::new()
        )
    );
}

#[test]
fn what_cannot_be_counted_is_named_and_the_rest_is_counted() {
    let late = [vec![b'x'; 100_000], b"\0".to_vec()].concat();
    let here = folder(&[
        ("data/image.png", b"\x89PNG\0\xff"),
        ("data/late.bin", &late),
        ("data/latin1.txt", b"caf\xe9 cr\xe8me"),
        ("data/ok.txt", b"hello world"),
        ("more.txt", b"hello world"),
    ]);
    let (code, stdout, stderr) = tiktally(
        here.path(),
        &["count", "missing.txt", "data", "more.txt"],
        b"",
    );
    assert_eq!(code, Some(1));
    assert_eq!(
        tokens_and_paths(&stdout),
        ["2 data/ok.txt", "2 more.txt", "4 total"]
    );
    let complaints: Vec<_> = stderr.lines().collect();
    assert_eq!(complaints.len(), 3, "{stderr}");
    assert!(
        complaints[0].starts_with("tiktally: missing.txt: "),
        "{stderr}"
    );
    assert_eq!(
        complaints[1],
        slash(
            "tiktally: data/latin1.txt: not UTF-8: invalid at byte 3, counted from 0; --lossy replaces invalid bytes with U+FFFD, --charset sets another charset"
        )
    );
    assert_eq!(
        complaints[2],
        "tiktally: skipped 2 binary files; -v lists them"
    );

    // the bytes are those of the file, not of the text
    let (code, stdout, stderr) = tiktally(here.path(), &["count", "-v", "--lossy", "data"], b"");
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(
        stdout.lines().nth(1),
        Some(slash("     5     10         2.00  data/latin1.txt").as_str())
    );
    let left_out = ["image.png", "late.bin"]
        .map(|name| format!("tiktally: data/{name}: skipped: binary file (contains a NUL byte)\n"));
    assert_eq!(stderr, slash(&left_out.concat()));
}

#[test]
fn a_single_input_that_cannot_be_counted_prints_no_number() {
    let here = folder(&[("zip", b"PK\0\xff")]);
    let cases: [(&[&str], &[u8], &str); 4] = [
        (&["count", "missing"], b"", "tiktally: missing: "),
        // named, a file is read as text, whatever it is
        (
            &["count", "zip"],
            b"",
            "tiktally: zip: not UTF-8: invalid at byte 3",
        ),
        (
            &["count"],
            b"hello \xff",
            "tiktally: standard input: not UTF-8: invalid at byte 6",
        ),
        // Cut off inside a character.
        (
            &["count", "-"],
            b"hello \xe4\xbd",
            "tiktally: standard input: not UTF-8: invalid at byte 6",
        ),
    ];
    for (args, stdin, complaint) in cases {
        let (code, stdout, stderr) = tiktally(here.path(), args, stdin);
        assert_eq!(
            (code, stdout.as_str(), stderr.lines().count()),
            (Some(1), "", 1),
            "{args:?}: {stderr}"
        );
        assert!(stderr.starts_with(complaint), "{args:?}: {stderr}");
    }
}

#[cfg(unix)]
#[test]
fn links_in_a_folder_are_not_followed() {
    use std::os::unix::fs::symlink;

    let here = folder(&[("top/a.txt", b"hello world")]);
    symlink(here.path().join("top"), here.path().join("top/circle")).unwrap();
    symlink("itself", here.path().join("top/itself")).unwrap();
    symlink("a.txt", here.path().join("top/again.txt")).unwrap();
    let (code, stdout, stderr) = tiktally(here.path(), &["count", "top"], b"");
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(tokens_and_paths(&stdout), ["2 top/a.txt"]);
    let (_, _, stderr) = tiktally(here.path(), &["count", "-v", "top"], b"");
    let links = ["again.txt", "circle", "itself"];
    let told = links.map(|name| format!("tiktally: top/{name}: skipped: symbolic link\n"));
    assert_eq!(stderr, told.concat());

    // Named, they are: to a file, to a folder, and to nothing.
    let (code, stdout, stderr) = tiktally(
        here.path(),
        &["count", "top/again.txt", "top/circle", "top/itself"],
        b"",
    );
    assert_eq!(code, Some(1));
    assert_eq!(
        tokens_and_paths(&stdout),
        ["2 top/again.txt", "2 top/circle/a.txt", "4 total"]
    );
    assert!(stderr.starts_with("tiktally: top/itself: "), "{stderr}");
}

#[cfg(all(unix, not(target_vendor = "apple")))]
#[test]
fn a_path_that_is_not_utf8_is_printed_as_it_is() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let here = folder(&[]);
    let name = OsStr::from_bytes(b"caf\xe9.txt");
    fs::write(here.path().join(name), "hello world").unwrap();
    let output = Command::new(PROGRAM)
        .current_dir(here.path())
        .arg("count")
        .arg(name)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    let row = b"\n     2     11         5.50  caf\xe9.txt\n";
    assert!(output.stdout.ends_with(row), "{:?}", output.stdout);
}

/// Rows of 2, 4, 6 and 2 tokens.
fn four() -> TempDir {
    folder(&[
        ("a.txt", b"hello world"),
        ("b.rs", b"fn main() {}\n"),
        ("c.txt", b"tiktoken is great!"),
        ("d", b"hello world"),
    ])
}

/// Returns the tokens and paths that `count` lists with these options.
fn listed(options: &[&str]) -> Vec<String> {
    let args = [
        &["count", "-e", "cl100k_base"],
        options,
        &["c.txt", "a.txt", "d", "b.rs"],
    ];
    let (code, stdout, stderr) = tiktally(four().path(), &args.concat(), b"");
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{options:?}");
    tokens_and_paths(&stdout)
}

#[test]
fn order_and_number_of_rows() {
    assert_eq!(
        listed(&["--sort", "tokens"]),
        ["6 c.txt", "4 b.rs", "2 a.txt", "2 d", "14 total"]
    );
    assert_eq!(
        listed(&["--sort", "path"]),
        ["2 a.txt", "4 b.rs", "6 c.txt", "2 d", "14 total"]
    );
    // the last word of "(2 more)"
    assert_eq!(
        listed(&["--top", "2"]),
        ["6 c.txt", "4 b.rs", "4 more)", "14 total"]
    );
    assert_eq!(
        listed(&["--top", "2", "--sort", "path"]),
        ["4 b.rs", "6 c.txt", "4 more)", "14 total"]
    );
    assert_eq!(listed(&["--top", "0"]), ["14 more)", "14 total"]);
    assert_eq!(listed(&["--top", "9"]).len(), 5);
}

#[test]
fn by_extension() {
    let args = ["count", "-e", "cl100k_base", "--by-extension", "."];
    let table = "\
tokens  bytes  bytes/token  files  extension
     8     29         3.62      2  txt
     4     13         3.25      1  rs
     2     11         5.50      1  (none)
    14     53         3.79      4  total
";
    assert_eq!(
        tiktally(four().path(), &args, b""),
        (Some(0), table.to_owned(), String::new())
    );
    let args = [&args[..], &["--json"]].concat();
    let (_, stdout, _) = tiktally(four().path(), &args, b"");
    let json: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        json["extensions"],
        json!([
            {"extension": "txt", "files": 2, "tokens": 8, "bytes": 29},
            {"extension": "rs", "files": 1, "tokens": 4, "bytes": 13},
            {"extension": null, "files": 1, "tokens": 2, "bytes": 11},
        ])
    );
}

#[test]
fn json() {
    let here = folder(&[
        ("in/a.txt", b"hello world"),
        ("in/b.bin", b"\0"),
        ("in/c.txt", b"\xff"),
    ]);
    let args = ["count", "-m", "gpt-4", "--json", "in", "-"];
    let (code, stdout, _) = tiktally(here.path(), &args, b"tiktoken is great!");
    assert_eq!((code, stdout.lines().count()), (Some(1), 1));
    let json: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        json,
        json!({
            "encoding": "cl100k_base",
            "files": [
                {"path": slash("in/a.txt"), "tokens": 2, "bytes": 11},
                {"path": "-", "tokens": 6, "bytes": 18},
            ],
            "total": {"files": 2, "tokens": 8, "bytes": 29},
            "refused": 1,
            "binary": 1,
        })
    );
    let (_, stdout, _) = tiktally(here.path(), &["count", "--json"], b"hello world");
    let json: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(json["total"]["tokens"], 2);
}

#[test]
fn json_of_the_first_rows() {
    let args = ["count", "-e", "cl100k_base", "--json", "--top", "1", "."];
    let (_, stdout, _) = tiktally(four().path(), &args, b"");
    let json: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(json["files"].as_array().unwrap().len(), 1);
    assert_eq!(
        json["more"],
        json!({"rows": 3, "files": 3, "tokens": 8, "bytes": 35})
    );
    assert_eq!(json["total"]["tokens"], 14);
}

/// Rules of parent folders apply inside a repository only; the user's own rules never do.
#[test]
fn whose_gitignore_counts() {
    let here = folder(&[
        (".gitignore", b"*\n"),
        ("plain/a.txt", b"hello world"),
        ("repository/.git/HEAD", b""),
        ("repository/.git/info/exclude", b"*\n"),
        ("repository/.gitignore", b"*.log\n"),
        ("repository/src/a.txt", b"hello world"),
        ("repository/src/a.log", b"hello world"),
        ("home/.config/git/ignore", b"*.txt\n"),
    ]);
    for (path, name) in [
        ("plain", "plain/a.txt"),
        ("repository/src", "repository/src/a.txt"),
    ] {
        let output = Command::new(PROGRAM)
            .current_dir(here.path())
            .env("HOME", here.path().join("home"))
            .env_remove("XDG_CONFIG_HOME")
            .args(["count", path])
            .output()
            .unwrap();
        let (code, stdout, stderr) = ended(&output);
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        assert_eq!(tokens_and_paths(&stdout), [format!("2 {name}")]);
    }
}

#[test]
fn a_gitignore_that_is_wrong() {
    let here = folder(&[
        ("in/.gitignore", b"*.log\n{a\n"),
        ("in/a.txt", b"hello world"),
        ("in/a.log", b"x"),
    ]);
    let (code, stdout, stderr) = tiktally(here.path(), &["count", "in"], b"");
    assert_eq!(code, Some(1));
    assert_eq!(tokens_and_paths(&stdout), ["2 in/a.txt", "2 total"]);
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.starts_with("tiktally: in/.gitignore: "), "{stderr}");
}

#[cfg(unix)]
#[test]
fn what_is_no_file() {
    use std::os::unix::net::UnixListener;

    let here = folder(&[("in/a.txt", b"hello world")]);
    let _socket = UnixListener::bind(here.path().join("in/socket")).unwrap();
    let (code, stdout, stderr) = tiktally(here.path(), &["count", "-v", "in"], b"");
    assert_eq!(code, Some(0));
    assert_eq!(tokens_and_paths(&stdout), ["2 in/a.txt"]);
    assert_eq!(
        stderr,
        "tiktally: in/socket: skipped: neither a file nor a directory\n"
    );
}

#[test]
fn share_of_a_window() {
    // 8192 tokens are the window of gpt-4, which has its own encoding
    let args = ["count", "--window", "gpt-4"];
    let text = "hello world ".repeat(1024);
    let (code, stdout, stderr) = tiktally(Path::new("."), &args, text.as_bytes());
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(
        stdout,
        "\
tokens  bytes  bytes/token  of gpt-4            path
  2049  12288         6.00  ██▌·······   25.0%  -
"
    );
    let (_, stdout, _) = tiktally(Path::new("."), &args, text.repeat(5).as_bytes());
    assert!(stdout.contains("██████████  125.0%"), "{stdout}");
    let args = [&args[..], &["--json", "-e", "gpt2"]].concat();
    let (_, stdout, _) = tiktally(Path::new("."), &args, b"hello world");
    let json: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(json["encoding"], "gpt2");
    assert_eq!(
        json["window"],
        json!({"model": "gpt-4", "context": 8192, "used": 2.0 / 8192.0})
    );
}

#[test]
fn a_limit_in_a_hook() {
    let run = |args: &[&str]| tiktally(four().path(), &[&["count"], args].concat(), b"hello world");
    assert_eq!(
        run(&["--limit", "2"]),
        (Some(0), "2\n".to_owned(), String::new())
    );
    let over = "tiktally: 2 tokens are 1 more than the limit of 1\n";
    assert_eq!(
        run(&["--limit", "1"]),
        (Some(3), "2\n".to_owned(), over.to_owned())
    );
    // of all files, also of those that are not listed, and whatever else is wrong
    let (code, _, stderr) = run(&["--limit", "3", "--top", "1", "a.txt", "d", "missing"]);
    assert_eq!(code, Some(3));
    assert!(
        stderr.ends_with("4 tokens are 1 more than the limit of 3\n"),
        "{stderr}"
    );
    let (code, ..) = run(&["--limit", "4", "a.txt", "d", "missing"]);
    assert_eq!(code, Some(1));
    // a number alone, whatever is listed
    assert_eq!(
        run(&["--top", "0"]),
        (Some(0), "2\n".to_owned(), String::new())
    );
}

/// Files that are counted in parts by all threads, with the same result as the whole text.
#[test]
fn a_huge_file() {
    let line = "One line is much like another; 最近 の 123 'll\n";
    let word = "a".repeat(3_000_000);
    let texts = [
        line.repeat(300_000),
        // without a place to be cut, and with a few
        word.clone(),
        " ".repeat(2_500_000),
        [&word, " b c ", &word, "\n", line].concat(),
        "{\"a\": [1, 2.5, null],\r\n\t\"b\": \"naïve\"}\n".repeat(50_000),
        "1,2,3\n".repeat(400_000),
        "最近".repeat(400_000),
    ];
    for text in texts {
        let here = folder(&[("huge.txt", text.as_bytes())]);
        for encoding in ["gpt2", "cl100k_base", "o200k_base"] {
            let tokens = tiktally::get_encoding(encoding).unwrap().count(&text);
            for paths in [&["huge.txt"][..], &["."], &["huge.txt", "./huge.txt"]] {
                let args = ["count", "--total-only", "-e", encoding];
                let (code, stdout, stderr) =
                    tiktally(here.path(), &[&args[..], paths].concat(), b"");
                assert_eq!((code, stderr.as_str()), (Some(0), ""));
                assert_eq!(stdout, format!("{}\n", tokens * paths.len()), "{encoding}");
            }
            let (_, stdout, _) = tiktally(here.path(), &["count", "-e", encoding], text.as_bytes());
            assert_eq!(stdout, format!("{tokens}\n"), "{encoding}");
        }
    }
}

/// A file that is larger than the memory is counted like any other.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn a_file_larger_than_the_memory() {
    let here = folder(&[("huge.txt", b"hello world")]);
    // without blocks on the disk
    let file = fs::File::options()
        .append(true)
        .open(here.path().join("huge.txt"));
    file.unwrap().set_len(100 << 20).unwrap();
    let (code, stdout, stderr) =
        crate::common::within_memory(here.path(), 95_000, "count -m gpt-4 huge.txt");
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.contains(" 104857600 "), "{stdout}");
}

/// A huge file is binary or malformed wherever the NUL or the wrong byte is.
#[test]
fn a_huge_file_that_is_not_text() {
    let text = "One line.\n".repeat(300_000).into_bytes();
    let with_end = |end: &[u8]| [&text[..], end].concat();
    let here = folder(&[
        ("in/late.bin", &with_end(b"\0")),
        ("in/both.bin", &[b"\xff", &with_end(b"\0")[..]].concat()),
        ("in/wrong.txt", &with_end(b"\xff")),
    ]);
    let (code, stdout, stderr) = tiktally(here.path(), &["count", "-v", "in"], b"");
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    let expected = "\
tiktally: in/both.bin: skipped: binary file (contains a NUL byte)
tiktally: in/late.bin: skipped: binary file (contains a NUL byte)
tiktally: in/wrong.txt: not UTF-8: invalid at byte 3000000, counted from 0; --lossy replaces invalid bytes with U+FFFD, --charset sets another charset
";
    assert_eq!(slash(expected), stderr);
    // named, it is text
    let args = ["count", "--lossy", "in/both.bin"];
    let (code, stdout, _) = tiktally(here.path(), &args, b"");
    let mut text = with_end(b"\0");
    text.splice(0..0, "\u{fffd}".bytes());
    let tokens = tiktally::o200k_base().count(str::from_utf8(&text).unwrap());
    assert_eq!(code, Some(0));
    assert_eq!(tokens_and_paths(&stdout), [format!("{tokens} in/both.bin")]);
}

/// Messages and file names cannot send control sequences to a terminal.
#[cfg(unix)]
#[test]
fn names_with_control_characters() {
    let here = folder(&[("\x1b[31mred", b"\xff")]);
    let (code, _, stderr) = tiktally(here.path(), &["count", "."], b"");
    assert_eq!(code, Some(1));
    assert!(
        stderr.starts_with("tiktally: ./\\u{1b}[31mred: not UTF-8"),
        "{stderr}"
    );
}

#[test]
fn wrong_usage() {
    let here = three();
    let cases: [(&[&str], &str); 14] = [
        (
            &["count", "--window", "gpt-6"],
            r#"no window is known for the model "gpt-6"; `tiktally models` lists"#,
        ),
        (&["count", "--limit", "-1"], "unexpected argument"),
        (&["count", "--limit", "many"], "invalid digit"),
        (
            &["count", "--sort", "size"],
            "[possible values: tokens, path]",
        ),
        (
            &["man", "counting"],
            r#"unknown subcommand "counting"; the subcommands are count, chat,"#,
        ),
        (&["completions", "cmd"], "[possible values: bash,"),
        (
            &["models", "--color", "maybe"],
            "[possible values: auto, always, never]",
        ),
        (
            &["count", "-m", "gpt-6", "a.txt"],
            r#"no encoding is known for the model "gpt-6""#,
        ),
        (
            &["count", "-e", "cl200k", "a.txt"],
            "[possible values: gpt2, r50k_base,",
        ),
        (
            &["count", "-m", "gpt-4", "-e", "cl100k_base", "a.txt"],
            "cannot be used with",
        ),
        (&["count", "-m"], "a value is required"),
        (&["count", "--nothing"], "unexpected argument"),
        (&["recount"], "unrecognized subcommand"),
        (&[], "Usage: tiktally"),
    ];
    for (args, complaint) in cases {
        let (code, stdout, stderr) = tiktally(here.path(), args, b"");
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(stderr.contains(complaint), "{args:?}: {stderr}");
    }
}

#[test]
fn models_are_a_dated_table() {
    let (code, stdout, stderr) = tiktally(Path::new("."), &["models"], b"");
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let cells = |model: &str| {
        let line = stdout
            .lines()
            .find(|line| line.split(' ').next() == Some(model));
        line.unwrap_or_else(|| panic!("{model}"))
            .split_whitespace()
            .skip(1)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(cells("model"), "encoding context max input max output");
    assert_eq!(cells("gpt-4o"), "o200k_base 128000 - 16384");
    assert_eq!(cells("gpt-5"), "o200k_base 400000 272000 128000");
    assert_eq!(cells("gpt-35-turbo"), "cl100k_base - - -");
    assert_eq!(cells("text-embedding-3-small"), "cl100k_base 8192 - -");
    assert_eq!(cells("chat-latest"), "- 400000 272000 128000");
    assert!(stdout.lines().last().unwrap().contains("2026-11-21"));

    let table: Vec<_> = stdout.lines().take_while(|line| !line.is_empty()).collect();
    assert!(table.len() > 150);
    assert!(
        table.iter().all(|line| line.len() == table[0].len()),
        "the columns are not aligned"
    );
}

const SUBCOMMANDS: [&str; 10] = [
    "count",
    "chat",
    "encode",
    "decode",
    "truncate",
    "chunk",
    "show",
    "models",
    "completions",
    "man",
];

/// Completions and the manual list each option.
#[test]
fn completions_and_manual() {
    let run = |args: &[&str]| {
        let (code, stdout, stderr) = tiktally(Path::new("."), args, b"");
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{args:?}");
        stdout
    };
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let completions = run(&["completions", shell]);
        for word in SUBCOMMANDS.iter().chain(&[
            "by-extension",
            "html",
            "overlap",
            "charset",
            "special",
            "files-from",
            "depth",
        ]) {
            assert!(completions.contains(word), "{shell}: {word}");
        }
    }
    assert!(run(&["man"]).contains("tiktally\\-count(1)"));
    for subcommand in SUBCOMMANDS {
        let page = run(&["man", subcommand]);
        assert!(
            page.contains(&format!(".TH tiktally-{subcommand} 1")),
            "{page}"
        );
    }
    assert!(run(&["man", "count"]).contains(r"\-\-by\-extension"));
}

#[test]
fn help_and_version() {
    let (code, stdout, _) = tiktally(Path::new("."), &["--version"], b"");
    assert_eq!(
        (code, stdout),
        (Some(0), format!("tiktally {}\n", env!("CARGO_PKG_VERSION")))
    );

    for subcommand in SUBCOMMANDS {
        let (code, stdout, stderr) = tiktally(Path::new("."), &[subcommand, "--help"], b"");
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{subcommand}");
        assert!(stdout.contains("Usage: tiktally"), "{subcommand}");
        let (_, help, _) = tiktally(Path::new("."), &["--help"], b"");
        assert!(help.contains(&format!("\n  {subcommand} ")), "{subcommand}");
    }
    let (_, help, _) = tiktally(Path::new("."), &["count", "--help"], b"");
    assert!(help.contains("o200k_base"), "the default is not told");
    assert!(!help.contains('\x1b'), "colours in a pipe");
}

#[test]
fn a_closed_pipe_is_no_error() {
    for args in [
        &["count"][..],
        &["count", "-", "-"],
        &["models"],
        &["count", "--json"],
        &["show", "README.md"],
        &["encode", "README.md"],
        &["chunk", "-n", "8", "README.md"],
        &["truncate", "-n", "8", "README.md"],
        &["decode", "tests/command/ids.txt"],
        &["show", "--ids", "README.md"],
        &["--help"],
        &["completions", "bash"],
        &["man"],
    ] {
        let run = unread(Path::new("."), args, Stdio::null());
        assert_eq!(run, (Some(0), String::new(), String::new()), "{args:?}");
    }
}

/// A closed pipe does not hide an exit code.
#[test]
fn a_closed_pipe_hides_no_fault() {
    let here = three();
    let run = unread(
        here.path(),
        &["count", "--limit", "1", "a.txt"],
        Stdio::null(),
    );
    let over = "tiktally: 2 tokens are 1 more than the limit of 1\n";
    assert_eq!(run, (Some(3), String::new(), over.to_owned()));
    for args in [["count", "missing"], ["chat", "a.txt"], ["decode", "a.txt"]] {
        let (code, _, stderr) = unread(here.path(), &args, Stdio::null());
        assert_eq!(
            (code, stderr.lines().count()),
            (Some(1), 1),
            "{args:?}: {stderr}"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let request = "tests/command/request.json";
    for args in [
        &["models"][..],
        &["count", "Cargo.toml"],
        &["count", "--json", "Cargo.toml"],
        &["encode", "Cargo.toml"],
        &["decode", "tests/command/ids.txt"],
        &["truncate", "-n", "8", "Cargo.toml"],
        &["chunk", "-n", "8", "Cargo.toml"],
        &["show", "Cargo.toml"],
        &["show", "--html", "-", "Cargo.toml"],
        &["chat", request],
        &["chat", "--json", request],
        &["completions", "bash"],
        &["man"],
        &["--help"],
        &["--version"],
    ] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let output = Process::new(PROGRAM)
            .args(args)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdout(full)
            .output()
            .unwrap();
        let (code, _, stderr) = ended(&output);
        assert_eq!(code, Some(1), "{args:?}");
        assert!(
            stderr.starts_with("tiktally: standard output: "),
            "{args:?}: {stderr}"
        );
    }
}
