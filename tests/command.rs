//! The command from the outside: what it prints, what it complains about, how it ends.

#![cfg(all(
    feature = "cli",
    feature = "r50k_base",
    feature = "cl100k_base",
    feature = "o200k_base"
))]

#[path = "common/command.rs"]
mod common;

use std::fs;
use std::path::Path;
use std::process::{Command as Process, Stdio};

use assert_cmd::Command;
use common::{PROGRAM, ended, folder, tiktally, unread};
use tempfile::TempDir;

/// Three files whose tokens in `cl100k_base` are 2, 4 and 6.
fn three() -> TempDir {
    folder(&[
        ("a.txt", b"hello world"),
        ("b.rs", b"fn main() {}\n"),
        ("c.txt", b"tiktoken is great!"),
    ])
}

#[test]
fn standard_input() {
    let here = folder(&[]);
    let cases: [(&[&str], &str, &str); 9] = [
        (&["count", "-e", "cl100k_base"], "tiktoken is great!", "6\n"),
        (&["count", "-e", "gpt2"], "hello world", "2\n"),
        (&["count", "-e", "gpt2", "-"], "hello world", "2 -\n"),
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
        (Some(0), "6 c.txt\n", "")
    );
}

#[test]
fn several_files_keep_their_order_and_have_a_total() {
    let (code, stdout, stderr) = tiktally(
        three().path(),
        &["count", "-e", "cl100k_base", "c.txt", "-", "a.txt", "b.rs"],
        b"hello world\n",
    );
    let table = " 6 c.txt\n 3 -\n 2 a.txt\n 4 b.rs\n15 total\n";
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
    let table = "2 top/b/1.txt\n3 top/b/2.txt\n2 top/z.txt\n7 total\n"
        .replace('/', std::path::MAIN_SEPARATOR_STR);
    assert_eq!((code, stdout, stderr.as_str()), (Some(0), table, ""));

    // Naming a file asks for it, whatever the rules of its folder are.
    let (code, stdout, _) = tiktally(here.path(), &["count", "top/run.log", "top/.hidden"], b"");
    assert_eq!(
        (code, stdout.as_str()),
        (Some(0), "2 top/run.log\n2 top/.hidden\n4 total\n")
    );
}

#[test]
fn an_empty_folder_counts_nothing_and_says_so() {
    let here = folder(&[]);
    assert_eq!(
        tiktally(here.path(), &["count", "."], b""),
        (Some(0), "0 total\n".to_owned(), String::new())
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
    let slash = |text: &str| text.replace('/', std::path::MAIN_SEPARATOR_STR);
    assert_eq!(
        (code, stdout),
        (Some(1), slash("2 data/ok.txt\n2 more.txt\n4 total\n"))
    );
    let complaints: Vec<_> = stderr.lines().collect();
    assert_eq!(complaints.len(), 4, "{stderr}");
    assert!(
        complaints[0].starts_with("tiktally: missing.txt: "),
        "{stderr}"
    );
    assert_eq!(
        complaints[1],
        slash("tiktally: data/image.png: binary file (it holds a NUL byte)")
    );
    assert_eq!(
        complaints[2],
        slash("tiktally: data/late.bin: binary file (it holds a NUL byte)")
    );
    assert_eq!(
        complaints[3],
        slash("tiktally: data/latin1.txt: not UTF-8: invalid at byte 3, counted from 0")
    );
}

#[test]
fn a_single_input_that_cannot_be_counted_prints_no_number() {
    let here = folder(&[("zip", b"PK\0")]);
    let cases: [(&[&str], &[u8], &str); 5] = [
        (&["count", "missing"], b"", "tiktally: missing: "),
        (&["count", "zip"], b"", "tiktally: zip: binary file"),
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
        (&["count"], b"\0", "tiktally: standard input: binary file"),
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
    assert_eq!(
        tiktally(here.path(), &["count", "top"], b""),
        (Some(0), "2 top/a.txt\n".to_owned(), String::new())
    );

    // Named, they are: to a file, to a folder, and to nothing.
    let (code, stdout, stderr) = tiktally(
        here.path(),
        &["count", "top/again.txt", "top/circle", "top/itself"],
        b"",
    );
    assert_eq!(
        (code, stdout.as_str()),
        (Some(1), "2 top/again.txt\n2 top/circle/a.txt\n4 total\n")
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
    assert_eq!(
        (output.status.code(), output.stdout.as_slice()),
        (Some(0), b"2 caf\xe9.txt\n".as_slice())
    );
}

#[test]
fn wrong_usage() {
    let here = three();
    let cases: [(&[&str], &str); 7] = [
        (
            &["count", "-m", "gpt-6", "a.txt"],
            r#"no encoding is known for the model "gpt-6""#,
        ),
        (
            &["count", "-e", "cl200k", "a.txt"],
            r#"no encoding is called "cl200k""#,
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

#[test]
fn help_and_version() {
    let (code, stdout, _) = tiktally(Path::new("."), &["--version"], b"");
    assert_eq!(
        (code, stdout),
        (Some(0), format!("tiktally {}\n", env!("CARGO_PKG_VERSION")))
    );

    for args in [
        &["--help"][..],
        &["count", "--help"],
        &["chat", "--help"],
        &["models", "--help"],
    ] {
        let (code, stdout, stderr) = tiktally(Path::new("."), args, b"");
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{args:?}");
        assert!(stdout.contains("Usage: tiktally"), "{args:?}");
    }
    let (_, help, _) = tiktally(Path::new("."), &["count", "--help"], b"");
    assert!(help.contains("o200k_base"), "the default is not told");
    assert!(!help.contains('\x1b'), "colours in a pipe");
}

#[test]
fn a_closed_pipe_is_no_error() {
    for args in [&["count"][..], &["count", "-", "-"], &["models"]] {
        let run = unread(Path::new("."), args, Stdio::null());
        assert_eq!(run, (Some(0), String::new(), String::new()), "{args:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = Process::new(PROGRAM)
        .arg("models")
        .stdout(full)
        .output()
        .unwrap();
    let (code, _, stderr) = ended(&output);
    assert_eq!(code, Some(1));
    assert!(
        stderr.starts_with("tiktally: standard output: "),
        "{stderr}"
    );
}
