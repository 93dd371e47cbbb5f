//! The command on a terminal: colours, narrow windows, the bar, Ctrl-C.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};

use crate::common::{COLOURS, PROGRAM, folder, within_a_minute};
use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};

/// Opens a terminal with this many columns.
fn terminal(columns: u16) -> (Pty, pty_process::blocking::Pts) {
    let (pty, pts) = open().unwrap();
    pty.resize(Size::new(24, columns)).unwrap();
    (pty, pts)
}

fn command(args: &[&str]) -> Command {
    let command = Command::new(PROGRAM)
        .args(args)
        .env("TERM", "xterm-256color");
    COLOURS.into_iter().fold(command, Command::env_remove)
}

/// Reads the terminal until the last program has closed it.
fn read_all(pty: &mut Pty) -> String {
    let mut shown = Vec::new();
    let mut buffer = [0; 4096];
    // it ends with an error
    while let Ok(read @ 1..) = pty.read(&mut buffer) {
        shown.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8_lossy(&shown).into_owned()
}

/// Reads the terminal up to these words.
fn read_until(pty: &mut Pty, words: &str) -> String {
    let _minute = within_a_minute();
    let mut shown = String::new();
    let mut buffer = [0; 4096];
    while !shown.contains(words) {
        let read = pty.read(&mut buffer).unwrap_or(0);
        assert!(read > 0, "it ended with {shown:?}");
        shown += &String::from_utf8_lossy(&buffer[..read]);
    }
    shown
}

fn shown(command: Command, columns: u16) -> String {
    let (mut pty, pts) = terminal(columns);
    let mut child = command.spawn(pts).unwrap();
    let shown = read_all(&mut pty);
    assert!(child.wait().unwrap().success(), "{shown}");
    shown
}

#[test]
fn colours_where_they_are_wanted() {
    let here = folder(&[("a.txt", b"hello world")]);
    let run = |args: &[&str]| command(args).current_dir(here.path());
    for args in [
        &["show", "a.txt"][..],
        &["count", "a.txt"],
        &["models"],
        &["--help"],
    ] {
        assert!(shown(run(args), 80).contains("\x1b["), "{args:?}");
        let plain = shown(run(args).env("NO_COLOR", "1"), 80);
        assert!(!plain.contains("\x1b["), "{args:?}: {plain}");
        let dumb = shown(run(args).env("TERM", "dumb"), 80);
        assert!(!dumb.contains("\x1b["), "{args:?}: {dumb}");
    }
    let never = shown(run(&["show", "--color", "never", "a.txt"]), 80);
    assert!(never.starts_with("hello│ world"), "{never}");
}

#[test]
fn tables_in_a_narrow_window() {
    let body =
        br#"{"model": "gpt-5", "messages": [{"role": "user", "content": "Hello!"}], "tools": [
        {"type": "function", "function": {"name": "walk", "parameters":
            {"type": "object", "properties": {"to": {"type": "string"}}}}}]}"#;
    let here = folder(&[("request.json", body)]);
    for args in [
        &["chat", "request.json"][..],
        &["chat", "request.json", "request.json"],
    ] {
        let run = command(args).current_dir(here.path()).env("NO_COLOR", "1");
        let narrow = shown(run, 44);
        let widest = narrow.lines().max_by_key(|line| line.chars().count());
        assert!(widest.unwrap().chars().count() <= 44, "{args:?}: {narrow}");
        assert!(narrow.lines().count() > 5);
    }
}

/// Names and numbers are not broken where the terminal wraps lines.
#[test]
fn names_in_a_narrow_window() {
    let models = shown(command(&["models"]).env("NO_COLOR", "1"), 30);
    // a line for each, the head, and what the table says of itself
    let rows = tiktally::context_window_names().count();
    assert_eq!(models.lines().count(), rows + 3, "{models}");
    assert!(models.contains("\r\ntext-embedding-3-large "), "{models}");
}

/// A name that contains an escape sequence is printed without it.
#[test]
fn names_do_not_steer_the_terminal() {
    let body = br#"{"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello!"}]}"#;
    let here = folder(&[("\x1b[31mred", body)]);
    for args in [&["count", "."][..], &["chat", "\x1b[31mred", "\x1b[31mred"]] {
        let run = command(args).current_dir(here.path());
        let shown = shown(run.env("NO_COLOR", "1"), 80);
        assert!(shown.contains(r"\u{1b}[31mred"), "{shown}");
        assert!(!shown.contains('\x1b'), "{shown}");
    }
}

/// Starts a command that waits for standard input as long as the caller keeps it open.
fn waiting(args: &[&str]) -> (Pty, Child) {
    let (pty, pts) = terminal(80);
    let child = command(args).stdin(Stdio::piped()).spawn(pts).unwrap();
    (pty, child)
}

#[test]
fn a_bar_for_work_that_takes_long() {
    let here = folder(&[("a.txt", b"hello world")]);
    let path = here.path().join("a.txt");
    let (mut pty, mut child) = waiting(&["count", "-", path.to_str().unwrap()]);
    read_until(&mut pty, "0 B of 11 B");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"hello world").unwrap();
    drop(stdin);
    let rest = read_all(&mut pty);
    assert!(child.wait().unwrap().success());
    // it is wiped away before the table
    let table = rest.rsplit("\x1b[2K").next().unwrap();
    assert!(table.contains("path"), "{rest:?}");
    assert!(!table.contains("of 11 B"), "{rest:?}");

    // none where standard error is no terminal
    let (mut pty, pts) = terminal(80);
    let silent = command(&["count", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = silent.spawn(pts).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    drop(child.stdin.take());
    assert!(read_all(&mut pty).contains("path"));
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
}

/// Returns whether this process ignores SIGINT, as background processes of shells do; its children then ignore it, too.
fn is_deaf() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    ignored.is_some_and(|bits| bits & 1 << 1 != 0)
}

#[test]
fn ctrl_c_ends_it() {
    if is_deaf() {
        return println!("skipped: SIGINT is ignored here");
    }
    // SIGINT, as the terminal sends it
    for args in [&["count", "-"][..], &["encode"], &["show"]] {
        let (mut pty, mut child) = waiting(args);
        if args[0] == "count" {
            read_until(&mut pty, "0 B counted in 1s");
        }
        // `wait` would close it, and the end of the input could come before the signal
        let stdin = child.stdin.take();
        pty.write_all(b"\x03").unwrap();
        let status = child.wait().unwrap();
        drop(stdin);
        assert_eq!(status.signal(), Some(2), "{args:?}: {status}");
    }
}

#[test]
fn whoever_types_is_told_how_to_end() {
    let (mut pty, pts) = terminal(80);
    let mut child = command(&["count"]).spawn(pts).unwrap();
    read_until(&mut pty, "press Ctrl-D");
    pty.write_all(b"hello world\n\x04").unwrap();
    let shown = read_all(&mut pty);
    assert!(child.wait().unwrap().success());
    assert!(shown.ends_with("3\r\n"), "{shown:?}");
}

/// In a pipe, the output has no colours and no decoration.
#[test]
fn a_pipe_is_no_terminal() {
    let here = folder(&[("a.txt", b"hello world")]);
    let out = here.path().join("out");
    let (_pty, pts) = terminal(80);
    let file = fs::File::create(&out).unwrap();
    let run = command(&["show", "a.txt"])
        .current_dir(here.path())
        .stdout(file);
    assert!(run.spawn(pts).unwrap().wait().unwrap().success());
    assert!(fs::read_to_string(out).unwrap().starts_with("hello│ world"));
}
