//! The README shows the real output of its commands, and a picture of one. `TIKTALLY_BLESS=1` writes the present output.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anstyle::AnsiColor;
use anstyle_svg::Term;

const BEGIN: &str = "```console\n";
const END: &str = "\n```\n";

/// Returns the output of a command, with standard error, in the folder of the README.
fn printed(command: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_tiktally")).parent().unwrap();
    let path = env::var("PATH").unwrap();
    let output = Command::new("sh")
        .args(["-c", &format!("({command}) 2>&1")])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("PATH", format!("{}:{path}", program.display()))
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Returns commands, each with its output.
fn session(commands: &str) -> String {
    let commands = commands.lines().filter_map(|line| line.strip_prefix("$ "));
    let parts = commands.map(|command| format!("$ {command}\n{}", printed(command).trim_end()));
    parts.collect::<Vec<_>>().join("\n\n")
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Compares with the content of a file, or writes it.
fn check(file: &Path, now: &str) {
    if env::var_os("TIKTALLY_BLESS").is_some() {
        fs::write(file, now).unwrap();
    } else {
        assert_eq!(fs::read_to_string(file).unwrap(), now);
    }
}

#[test]
fn commands_of_the_readme() {
    let path = path("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    assert!(!after.contains(BEGIN), "one block is read");
    let now = session(written);
    let commands = now.lines().filter(|line| line.starts_with("$ "));
    assert!(commands.count() > 4);
    check(&path, &[before, BEGIN, &now, END, after].concat());
}

#[test]
fn picture_of_the_readme() {
    let shown = printed("tiktally --color always show tests/readme/show.txt");
    let terminal = Term::new().fg_color(AnsiColor::BrightWhite.into());
    let picture = terminal.render_svg(&shown);
    assert!(picture.contains("naï"), "{picture}");
    check(&path("tests/readme/show.svg"), &picture);
}
