//! The first use of an encoding: each peer in a separate process, from its start to the first ids.

use std::collections::BTreeMap;
use std::env;
use std::process::{Command, Stdio};

use cpu_time::ProcessTime;

use crate::machine;
use crate::peers::{self, OURS, Source};
use crate::table::{markdown, times};

const RUNS: usize = 5;
const TEXT: &str = "Hello world, this is the first text.";

/// The name in place of a peer: a process that loads nothing.
const NOBODY: &str = "an empty program";

/// The least cost of a process: milliseconds of CPU time, and megabytes of memory at the peak.
type Cost = (f64, f64);

/// Compares the ids and prints the cost of each peer.
pub fn cold(source: &Source) {
    let expected = tiktally::get_encoding(source.name).unwrap();
    let expected = format!("{:?}", expected.encode_ordinary(TEXT));
    let names = || peers::all().map(|peer| peer.name).chain([NOBODY]);
    let mut costs: BTreeMap<&str, Result<Cost, &str>> = BTreeMap::new();
    for name in (0..RUNS).flat_map(|_| names()) {
        if let Some(result) = process(name, source) {
            let is_right = |ids| name == NOBODY || ids == expected;
            let cost = result.and_then(|(cost, ids)| is_right(ids).then_some(cost).ok_or("wrong"));
            let least = costs.entry(name).or_insert(cost);
            *least = least.and_then(|least| Ok(less(least, cost?)));
        }
    }
    let ours = costs[OURS.name].unwrap();
    let row = |name: &str| {
        let cells = match *costs.get(name)? {
            Ok(cost) => show(cost, ours),
            Err(why) => [why, "", why, ""].map(str::to_owned),
        };
        Some([name.to_owned()].into_iter().chain(cells).collect())
    };
    let header = ["first ids", "CPU ms", "over ours", "peak MB", "over ours"];
    markdown(&header.map(str::to_owned), names().filter_map(row));
}

fn less(one: Cost, other: Cost) -> Cost {
    (one.0.min(other.0), one.1.min(other.1))
}

fn show((time, memory): Cost, ours: Cost) -> [String; 4] {
    let [memory, over] = if ours.1 > 0.0 {
        [format!("{memory:.1}"), times(memory / ours.1)]
    } else {
        ["-", ""].map(str::to_owned)
    };
    [format!("{time:.2}"), times(time / ours.0), memory, over]
}

/// Runs this program again, for one peer. Returns `None` if it does not have the encoding.
fn process(name: &str, source: &Source) -> Option<Result<(Cost, String), &'static str>> {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--cold", name, source.name]);
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    if !output.status.success() {
        return Some(Err("panics"));
    }
    let output = String::from_utf8(output.stdout).unwrap();
    let mut words = output.trim_end().splitn(3, ' ');
    let mut number = || words.next()?.parse::<f64>().ok();
    let (nanoseconds, bytes) = (number()?, number()?);
    let cost = (nanoseconds / 1e6, bytes / 1e6);
    Some(Ok((cost, words.next()?.to_owned())))
}

/// Runs in such a process.
pub fn child(name: &str, source: &Source) {
    let entry = peers::all().find(|peer| peer.name == name);
    let peer = entry.map(|entry| (entry.load)(source).ok().flatten());
    let ids = match &peer {
        Some(Some(peer)) => peer.encode(TEXT),
        Some(None) => return,
        None => Vec::new(),
    };
    let time = ProcessTime::now().as_duration().as_nanos();
    println!("{time} {} {ids:?}", peak_bytes());
}

/// Returns zero if there is no such file.
fn peak_bytes() -> usize {
    let size = machine::field("/proc/self/status", "VmHWM", ':');
    let kilobytes = size.and_then(|size| size.split_whitespace().next()?.parse::<usize>().ok());
    1024 * kilobytes.unwrap_or(0)
}
