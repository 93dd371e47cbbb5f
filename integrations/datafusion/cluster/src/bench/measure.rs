//! What a process costs: CPU time, wall time, and the most memory that it had. For Linux.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::problem::{Problem, Result};

/// The time between two looks at the memory of a child process.
const LOOK: Duration = Duration::from_millis(10);
/// The unit of times in `/proc`, in seconds: the same on every Linux.
const TICK: f64 = 0.01;

/// The result of a child process.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) stdout: String,
    /// Seconds of all its threads, in user and system mode.
    pub(super) cpu: f64,
    pub(super) wall: f64,
    /// Bytes.
    pub(super) peak: u64,
}

/// Runs a command to its end. Nothing else may wait for a child process meanwhile: the CPU time is that of all children.
pub(super) fn run(command: &mut Command) -> Result<Run> {
    let problem =
        |error: std::io::Error| Problem::new(format!("cannot run a step of the bench: {error}"));
    let before = children_cpu()?;
    let begin = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(problem)?;
    let mut peak = 0;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(problem)? {
            break status;
        }
        peak = peak_memory(child.id()).unwrap_or(peak);
        std::thread::sleep(LOOK);
    };
    let wall = begin.elapsed().as_secs_f64();
    let mut stdout = String::new();
    if let Some(mut out) = child.stdout.take() {
        out.read_to_string(&mut stdout).map_err(problem)?;
    }
    if !status.success() {
        return Err(Problem::new(format!(
            "a step of the bench failed ({status}): {command:?}"
        )));
    }
    Ok(Run {
        stdout,
        cpu: children_cpu()? - before,
        wall,
        peak,
    })
}

/// Returns the seconds of a running process.
pub(super) fn cpu(pid: u32) -> Result<f64> {
    Ok(times(&pid.to_string())?.0)
}

/// Returns the seconds of this process's children that have ended.
fn children_cpu() -> Result<f64> {
    Ok(times("self")?.1)
}

/// Returns the seconds of a process, and of its children that have ended.
fn times(process: &str) -> Result<(f64, f64)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let (own, children) =
        ticks(&stat).ok_or_else(|| Problem::new("the bench needs /proc/PID/stat of Linux"))?;
    Ok((own as f64 * TICK, children as f64 * TICK))
}

/// Returns the time of a process, and of its children that have ended, from a line of `/proc/PID/stat`.
fn ticks(stat: &str) -> Option<(u64, u64)> {
    // the second field is the program's name in brackets, which can have spaces
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest
        .split_whitespace()
        .skip(11)
        .map(|field| field.parse::<u64>().ok());
    let [user, system, children_user, children_system] =
        std::array::from_fn(|_| fields.next().flatten());
    Some((user? + system?, children_user? + children_system?))
}

/// Returns the most bytes of memory that a running process had.
pub(super) fn peak_memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_after_the_name() {
        let stat = "7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 250 50 3 4 0 0";
        assert_eq!(ticks(stat), Some((300, 7)));
        assert_eq!(ticks(""), None);
    }

    #[test]
    fn a_child_costs_time_and_memory() {
        let run = run(Command::new("sh").args([
            "-c",
            "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; echo $i",
        ]))
        .unwrap();
        assert_eq!(run.stdout, "30000\n");
        assert!(run.cpu >= 0.0 && run.wall > 0.0, "{run:?}");
        assert!(run.peak > 0, "{run:?}");
        assert!(super::run(&mut Command::new("false")).is_err());
    }

    #[test]
    fn this_process_has_times_and_memory() {
        assert!(cpu(std::process::id()).is_ok());
        assert!(peak_memory(std::process::id()).unwrap() > 1 << 20);
    }
}
