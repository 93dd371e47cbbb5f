//! The files that `count` finds in directories and lists, and sums by directory.

use crate::common::{Ended, folder, tiktally};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Returns a folder with files of 2 tokens each.
fn tree() -> TempDir {
    let names = [
        "top/a.txt",
        "top/b.rs",
        "top/src/c.rs",
        "top/src/deep/d.rs",
        "top/src/deep/e.txt",
        "top/.hidden/f.txt",
        "top/build/g.txt",
    ];
    let mut files: Vec<(&str, &[u8])> = names.map(|name| (name, &b"hello world"[..])).to_vec();
    files.push(("top/.gitignore", b"build\n"));
    folder(&files)
}

fn count(args: &[&str], stdin: impl AsRef<[u8]>) -> Ended {
    tiktally(tree().path(), &[&["count"], args].concat(), stdin.as_ref())
}

/// Returns the tokens and the names of the rows.
fn rows(args: &[&str]) -> Vec<String> {
    let (code, stdout, stderr) = count(args, "");
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{args:?}");
    let row = |line: &str| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let name = cells[cells.len() - 1].replace(std::path::MAIN_SEPARATOR, "/");
        format!("{} {name}", cells[0])
    };
    stdout.lines().skip(1).map(row).collect()
}

#[test]
fn globs() {
    assert_eq!(
        rows(&["--include", "*.rs", "top"]),
        [
            "2 top/b.rs",
            "2 top/src/c.rs",
            "2 top/src/deep/d.rs",
            "6 total"
        ]
    );
    assert_eq!(
        rows(&["--include", "*.rs", "--exclude", "deep", "top"]),
        ["2 top/b.rs", "2 top/src/c.rs", "4 total"]
    );
    assert_eq!(
        rows(&["--exclude", "*.rs", "--exclude", "src/**/e.txt", "top"]),
        ["2 top/a.txt"]
    );
    // in whatever order, what is excluded stays so
    assert_eq!(
        rows(&[
            "--exclude",
            "*.txt",
            "--include",
            "*.txt",
            "--include",
            "c.*",
            "top"
        ]),
        ["2 top/src/c.rs"]
    );
    assert_eq!(
        rows(&[
            "--include",
            "/src/**",
            "--include",
            "{a,x}.txt",
            "--total-only",
            "top"
        ])
        .len(),
        0
    );
    assert_eq!(rows(&["--include", "top/*.rs", "."]), ["2 ./top/b.rs"]);
    // a glob holds in directories only, and brings back nothing that is ignored
    assert_eq!(rows(&["--include", "*.rs", "top/a.txt"]), ["2 top/a.txt"]);
    assert_eq!(rows(&["--include", "g.txt", "top"]), ["0 total"]);
    assert_eq!(rows(&["--include", "!a.txt", "top"]), ["0 total"]);
    // a shell completes names so; it is a place in the named directory
    assert_eq!(rows(&["--include", "./b.rs", "top"]), ["2 top/b.rs"]);
    assert_eq!(rows(&["--include", "./c.rs", "top"]), ["0 total"]);
}

#[test]
fn what_is_no_glob() {
    for option in ["--include", "--exclude"] {
        for (glob, problem) in [
            ("[a", "unclosed character class"),
            ("{a", "unclosed alternate group"),
            ("", "an empty glob matches nothing"),
        ] {
            let (code, stdout, stderr) = count(&[option, glob, "top"], "");
            assert_eq!((code, stdout.as_str()), (Some(2), ""), "{glob}");
            assert!(
                stderr.contains(option) && stderr.contains(problem),
                "{stderr}"
            );
        }
    }
}

#[test]
fn hidden_and_ignored_files() {
    let hidden = rows(&["--hidden", "top"]);
    assert_eq!(hidden[0].split(' ').nth(1), Some("top/.gitignore"));
    assert_eq!(hidden[1], "2 top/.hidden/f.txt");
    assert!(!hidden.contains(&"2 top/build/g.txt".to_owned()));
    let all = rows(&["--no-ignore", "top"]);
    assert_eq!(all[2], "2 top/build/g.txt");
    assert_eq!(all.last().unwrap(), "12 total");
    // the files of Git are hidden and ignored
    let here = folder(&[(".git/config", b"a"), (".env", b"b"), ("c", b"c")]);
    for (args, tokens) in [
        (&[][..], 1),
        (&["--hidden"], 2),
        (&["--no-ignore"], 1),
        (&["--hidden", "--no-ignore"], 3),
    ] {
        let (_, stdout, _) = tiktally(
            here.path(),
            &[&["count", "--total-only", "."], args].concat(),
            b"",
        );
        assert_eq!(stdout, format!("{tokens}\n"), "{args:?}");
    }
}

#[test]
fn sums_by_folder() {
    assert_eq!(rows(&["--depth", "0", "top"]), ["10 top", "10 total"]);
    assert_eq!(
        rows(&["--depth", "1", "top"]),
        ["10 top", "6 top/src", "10 total"]
    );
    assert_eq!(
        rows(&["--depth", "9", "--sort", "tokens", "top/src", "top/a.txt"]),
        ["6 top/src", "4 top/src/deep", "2 top/a.txt", "8 total"]
    );
    assert_eq!(
        rows(&["--depth", "1", "--top", "1", "top"]),
        ["10 top", "10 total"]
    );
    let all = usize::MAX.to_string();
    assert_eq!(rows(&["--depth", &all, "top/src"]).len(), 3);
    let (_, stdout, _) = count(&["--depth", "0", "top", "top/a.txt"], "");
    assert_eq!(
        stdout,
        "\
tokens  bytes  bytes/token  files  folder
    10     55         5.50      5  top
     2     11         5.50      1  top/a.txt
    12     66         5.50      6  total
"
        .replace('/', std::path::MAIN_SEPARATOR_STR)
        .replace(
            &format!("bytes{}token", std::path::MAIN_SEPARATOR),
            "bytes/token"
        )
    );
    let (_, stdout, _) = count(&["--depth", "0", "--json", "top"], "");
    let json: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        json["folders"],
        json!([{"path": "top", "files": 5, "tokens": 10, "bytes": 55}])
    );
    let (code, ..) = count(&["--depth", "-1", "top"], "");
    assert_eq!(code, Some(2));
    let (code, _, stderr) = count(&["--depth", "1", "--by-extension", "top"], "");
    assert_eq!(code, Some(2), "{stderr}");
}

#[test]
fn only_the_total() {
    let only = |args: &[&str], stdin: &str| count(&[&["--total-only"], args].concat(), stdin);
    let number = |number: &str| (Some(0), number.to_owned(), String::new());
    assert_eq!(only(&["top"], ""), number("10\n"));
    assert_eq!(only(&["top/a.txt"], ""), number("2\n"));
    assert_eq!(only(&[], "hello"), number("1\n"));
    assert_eq!(
        only(&["--window", "10", "--limit", "10", "top"], ""),
        number("10\n")
    );
    let (code, stdout, stderr) = only(&["top", "missing"], "");
    assert_eq!((code, stdout.as_str()), (Some(1), "10\n"));
    assert!(stderr.starts_with("tiktally: missing: "), "{stderr}");
    let (code, stdout, _) = only(&["missing"], "");
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    for option in [
        &["--json"][..],
        &["--top", "1"],
        &["--by-extension"],
        &["--depth", "1"],
    ] {
        assert_eq!(
            only(&[option, &["top"]].concat(), "").0,
            Some(2),
            "{option:?}"
        );
    }
}

#[test]
fn a_window_of_any_size() {
    let (code, stdout, stderr) = count(&["--window", "40", "top/a.txt"], "");
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(
        stdout.contains("of 40") && stdout.contains("5.0%"),
        "{stdout}"
    );
    let (_, stdout, _) = count(&["--window", "40", "--json", "top/a.txt"], "");
    let json: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(json["window"], json!({"context": 40, "used": 2.0 / 40.0}));
    for (window, problem) in [
        ("0", "a number of tokens from 1 on"),
        ("99999999999999999999", "a number of tokens from 1 on"),
        ("200k", "a number of tokens, such as 200000, does as well"),
        ("", "a number of tokens from 1 on"),
    ] {
        let (code, _, stderr) = count(&["--window", window, "top"], "");
        assert_eq!(code, Some(2));
        assert!(stderr.contains(problem), "{window:?}: {stderr}");
    }
}

#[test]
fn lists_of_paths() {
    let both = ["2 top/b.rs", "2 top/a.txt", "4 total"];
    let listed = |args: &[&str], list: &str| {
        let (code, stdout, stderr) = count(&[args, &["--files-from", "-"]].concat(), list);
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{list:?}");
        let names = stdout.lines().skip(1).map(|line| {
            let cells: Vec<&str> = line.split_whitespace().collect();
            format!("{} {}", cells[0], cells[3])
        });
        names.collect::<Vec<_>>()
    };
    assert_eq!(listed(&[], "top/b.rs\ntop/a.txt\n"), both);
    assert_eq!(listed(&[], "top/b.rs\r\n\r\ntop/a.txt"), both);
    assert_eq!(listed(&["-0"], "top/b.rs\0top/a.txt\0"), both);
    assert_eq!(listed(&["--null"], "top/b.rs\0top/a.txt"), both);
    assert_eq!(listed(&["top/b.rs"], "top/a.txt\n"), both);
    // PowerShell writes a byte order mark
    assert_eq!(listed(&[], "\u{feff}top/b.rs\r\ntop/a.txt\r\n"), both);
    // an empty list is no reason to read a text from standard input
    assert_eq!(listed(&[], ""), ["0 total"]);
    // directories are walked as if the command line named them
    assert_eq!(listed(&["--include", "*.rs"], "top/src\n").len(), 3);

    let marked = "\u{feff}top/b.rs\r\ntop/a.txt\r\n".encode_utf16();
    let wide: Vec<u8> = marked.flat_map(u16::to_le_bytes).collect();
    let (code, stdout, stderr) = count(&["--files-from", "-", "--total-only"], &wide);
    assert_eq!(
        (code, stdout.as_str(), stderr.as_str()),
        (Some(0), "4\n", "")
    );
    let odd = &wide[..wide.len() - 1];
    let (code, _, stderr) = count(&["--files-from", "-"], odd);
    assert_eq!(code, Some(1));
    assert!(
        stderr.starts_with("tiktally: standard input: not UTF-16LE"),
        "{stderr}"
    );
    let (code, _, stderr) = count(&["--files-from", "-"], "top/b.rs\0top/a.txt\0");
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("NUL byte") && stderr.contains("-0"),
        "{stderr}"
    );

    let here = folder(&[
        ("list", b"my file\n./-\n"),
        ("my file", b"a b"),
        ("-", b"c"),
    ]);
    let args = ["count", "--files-from", "list", "--total-only"];
    let (code, stdout, _) = tiktally(here.path(), &args, b"");
    assert_eq!((code, stdout.as_str()), (Some(0), "3\n"));
    let (code, _, stderr) = tiktally(here.path(), &["count", "--files-from", "none"], b"");
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with("tiktally: none: "), "{stderr}");
    // a path of the list that is missing
    let (code, _, stderr) = count(&["--files-from", "-"], "no\ntop/a.txt\n");
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with("tiktally: no: "), "{stderr}");
    for (args, list) in [(&["-"][..], "top\n"), (&[], "-\n")] {
        let (code, _, stderr) = count(&[args, &["--files-from", "-"]].concat(), list);
        assert_eq!(code, Some(2));
        assert!(
            stderr.contains("standard input is the list of --files-from"),
            "{stderr}"
        );
    }
    let (code, _, stderr) = count(&["-0", "top"], "");
    assert_eq!(code, Some(2));
    assert!(stderr.contains("--files-from"), "{stderr}");
}
