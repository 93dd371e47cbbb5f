//! A trial of each peer on adversarial text, before it is measured. It runs in a separate process, because a call that takes
//! hours can only be stopped with its process. In a record of 28 November 2026, one call had not ended after an hour.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;
use std::{env, io, process, thread};

use crate::peers::{self, Source};
use crate::race::caught;
use crate::texts::{HOSTILE, Random};

/// The size of an adversarial text, in bytes.
pub const SIZE: usize = 1_000_000;

/// The time that a peer has to load, and then for each text.
const LOADING: Duration = Duration::from_secs(60);
const PATIENCE: Duration = Duration::from_secs(10);

/// The lines that a peer's process prints: one when it is loaded, and one after each shape.
const READY: &str = "ready";
const ENDED: &str = "ended";
const PANICKED: &str = "panicked";

/// The result of a trial on one shape. An error is the reason why the peer has no figure for it.
pub type Outcome = Result<(), &'static str>;

/// Returns a peer's outcome for each shape.
pub fn outcomes(peer: &str, source: &Source) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    // a process that was stopped or ended early is followed by another one for the shapes that are left
    while outcomes.len() < HOSTILE.len() {
        let (mut child, lines) = start(peer, source, outcomes.len());
        let is_loaded = lines.recv_timeout(LOADING).as_deref() == Ok(READY);
        if is_loaded {
            outcomes.extend(read(&lines, HOSTILE.len() - outcomes.len()));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(is_loaded, "{peer} does not load {}", source.name);
    }
    outcomes
}

/// Starts a process for the shapes from `first` on. Returns it with the lines that it will print.
fn start(peer: &str, source: &Source, first: usize) -> (Child, Receiver<String>) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--trial", peer, source.name, &first.to_string()]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            // the receiver is gone if it waited in vain for this line
            _ = sender.send(line);
        }
    });
    (child, lines)
}

/// Reads the outcomes of at most `count` shapes. One that stops the process is the last.
fn read(lines: &Receiver<String>, count: usize) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let mut runs = true;
    while runs && outcomes.len() < count {
        let line = lines.recv_timeout(PATIENCE);
        runs = line.is_ok();
        outcomes.push(match line.as_deref() {
            Ok(ENDED) => Ok(()),
            Ok(PANICKED) => Err("panics"),
            Ok(other) => panic!("not a line of a trial: {other}"),
            Err(RecvTimeoutError::Timeout) => Err("slow"),
            Err(RecvTimeoutError::Disconnected) => Err("crashes"),
        });
    }
    outcomes
}

/// Runs in such a process.
pub fn child(peer: &str, source: &Source, first: &str) {
    // the pipe ends with the process that started this one, even if that was killed
    thread::spawn(|| {
        _ = io::copy(&mut io::stdin(), &mut io::sink());
        process::exit(1);
    });
    let entry = peers::all().find(|entry| entry.name == peer).unwrap();
    let peer = (entry.load)(source).unwrap().unwrap();
    println!("{READY}");
    for (_, make) in &HOSTILE[first.parse().unwrap()..] {
        let text = make(&mut Random::new(1), SIZE);
        let ended = caught(|| peer.encode(&text)).is_ok();
        println!("{}", if ended { ENDED } else { PANICKED });
    }
}
