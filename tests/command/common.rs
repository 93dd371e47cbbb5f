//! Running the command.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command as Process, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use assert_cmd::Command;
use tempfile::TempDir;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_tiktally");

/// How a run ended: its exit code, standard output and standard error.
pub(crate) type Ended = (Option<i32>, String, String);

/// Environment variables that decide about colours.
pub(crate) const COLOURS: [&str; 4] = ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"];

pub(crate) fn tiktally(folder: &Path, args: &[&str], stdin: &[u8]) -> Ended {
    let mut command = Command::new(PROGRAM);
    for name in COLOURS {
        command.env_remove(name);
    }
    ended(
        &command
            .current_dir(folder)
            .args(args)
            .write_stdin(stdin)
            .output()
            .unwrap(),
    )
}

/// Runs the command where the tests run, when the folder does not matter.
pub(crate) fn run(args: &[&str], stdin: impl AsRef<[u8]>) -> Ended {
    tiktally(Path::new("."), args, stdin.as_ref())
}

/// Runs the command as [`run`] does, checks that it succeeds without a message, and returns its output.
pub(crate) fn printed(args: &[&str], stdin: impl AsRef<[u8]>) -> String {
    let (code, stdout, stderr) = run(args, stdin);
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{args:?}");
    stdout
}

/// Runs the command with a closed pipe as standard output.
pub(crate) fn unread(folder: &Path, args: &[&str], stdin: impl Into<Stdio>) -> Ended {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Process::new(PROGRAM);
    ended(
        &command
            .current_dir(folder)
            .args(args)
            .stdin(stdin)
            .stdout(writer)
            .output()
            .unwrap(),
    )
}

/// Runs the command with two threads and these arguments of a shell, within this many kilobytes of addresses.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn within_memory(folder: &Path, kilobytes: u32, args: &str) -> Ended {
    let limited = format!("ulimit -v {kilobytes}; {PROGRAM} {args}");
    let output = Process::new("sh")
        .args(["-c", &limited])
        .current_dir(folder)
        .env("MALLOC_ARENA_MAX", "1")
        .env("RAYON_NUM_THREADS", "2")
        .output();
    ended(&output.unwrap())
}

pub(crate) fn ended(output: &Output) -> Ended {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// Ends the test program if this is not dropped within a minute: a test waits for output that does not come.
pub(crate) struct Minute {
    _running: Sender<()>,
}

pub(crate) fn within_a_minute() -> Minute {
    let (running, ended) = mpsc::channel();
    thread::spawn(move || {
        if ended.recv_timeout(Duration::from_secs(60)) == Err(RecvTimeoutError::Timeout) {
            let _ = writeln!(std::io::stderr(), "a test has waited for a minute");
            std::process::exit(1);
        }
    });
    Minute { _running: running }
}

/// Creates a folder with these files.
pub(crate) fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}
