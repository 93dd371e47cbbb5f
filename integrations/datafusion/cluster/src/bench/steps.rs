//! The steps of the bench: each counts the tokens of the corpus in its own way.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::corpus::{self, Corpus};
use super::measure;
use crate::local_cluster::LocalCluster;
use crate::problem::{Problem, Result};

/// The rank file of o200k_base, which tiktoken needs. It is there when the bench runs beside the sources.
const RANKS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../data/o200k_base.tiktoken"
);
const LOOP: &str = include_str!("tiktoken_loop.py");
const COUNT: &str = "SELECT sum(count_tokens(text)) FROM docs";

/// A way to count the tokens of a corpus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Direct,
    Engine { partitions: usize },
    Cluster { executors: usize },
    Tiktoken { python: PathBuf, files: usize },
}

impl Step {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Direct => "tiktally called directly, 1 thread".to_owned(),
            Self::Engine { partitions: 1 } => "DataFusion, 1 partition".to_owned(),
            Self::Engine { partitions } => format!("DataFusion, {partitions} partitions"),
            Self::Cluster { executors } => format!("Ballista, {executors} executors of 1 core"),
            Self::Tiktoken { files, .. } => {
                format!("pyarrow and tiktoken, 1 thread, {files} files")
            }
        }
    }
}

/// The cost and the result of a step.
#[derive(Debug, Clone)]
pub(super) struct Cost {
    /// The tokens of each file, or one total of all.
    pub(super) tokens: Vec<u64>,
    /// The bytes of text that were counted.
    pub(super) bytes: u64,
    /// Seconds of all processes.
    pub(super) cpu: f64,
    pub(super) wall: f64,
    /// The most memory of each process, in bytes.
    pub(super) peaks: Vec<(String, u64)>,
}

/// Runs a step on a corpus.
pub(super) fn run(step: &Step, args: &corpus::Args, corpus: &Corpus) -> Result<Cost> {
    match step {
        Step::Direct => {
            let mut command = Command::new(program()?);
            command
                .arg("direct")
                .args(paths(args, corpus, corpus.files.len()));
            alone(&mut command, corpus.bytes())
        }
        Step::Engine { partitions } => {
            let mut command = query(&program()?, args, &[COUNT]);
            command.args(["--partitions", &partitions.to_string()]);
            alone(&mut command, corpus.bytes())
        }
        Step::Cluster { executors } => on_cluster(*executors, args, &[COUNT], corpus.bytes()),
        Step::Tiktoken { python, files } => {
            let mut command = Command::new(python);
            command
                .args(["-c", LOOP, RANKS])
                .args(paths(args, corpus, *files));
            let bytes = corpus.files[..*files].iter().map(|file| file.bytes).sum();
            alone(&mut command, bytes)
        }
    }
}

/// Runs a query, with the arguments after it, on a new cluster. Adds the costs of its servers from the query's start to its
/// end.
pub(super) fn on_cluster(
    executors: usize,
    args: &corpus::Args,
    query_args: &[&str],
    bytes: u64,
) -> Result<Cost> {
    let logs = args.folder().join("cluster");
    std::fs::create_dir_all(&logs)
        .map_err(|error| Problem::new(format!("{}: {error}", logs.display())))?;
    let cluster = LocalCluster::start(&program()?, &logs, &[], executors)?;
    let servers: Vec<u32> = cluster.members().map(|(_, member)| member.pid()).collect();
    let cpu =
        |servers: &[u32]| -> Result<f64> { servers.iter().map(|&pid| measure::cpu(pid)).sum() };
    let before = cpu(&servers)?;
    let mut command = query(&program()?, args, query_args);
    command.args(["--scheduler", &cluster.scheduler.address]);
    let mut cost = alone(&mut command, bytes)?;
    cost.cpu += cpu(&servers)? - before;
    cost.peaks[0].0 = "query".to_owned();
    for (name, member) in cluster.members() {
        cost.peaks
            .push((name, measure::peak_memory(member.pid()).unwrap_or(0)));
    }
    cluster.stop();
    Ok(cost)
}

/// Runs a command that prints numbers of tokens.
fn alone(command: &mut Command, bytes: u64) -> Result<Cost> {
    let run = measure::run(command)?;
    Ok(Cost {
        tokens: numbers(&run.stdout),
        bytes,
        cpu: run.cpu,
        wall: run.wall,
        peaks: vec![(String::new(), run.peak)],
    })
}

/// Returns the lines that are numbers: CSV begins with names.
fn numbers(lines: &str) -> Vec<u64> {
    lines
        .lines()
        .filter_map(|line| line.trim().parse().ok())
        .collect()
}

fn program() -> Result<PathBuf> {
    std::env::current_exe()
        .map_err(|error| Problem::new(format!("cannot find this program: {error}")))
}

/// Returns the command of a query: its SQL, and any arguments after it.
fn query(program: &Path, args: &corpus::Args, query_args: &[&str]) -> Command {
    let mut command = Command::new(program);
    let table = format!("docs={}", args.documents().display());
    command.args(["query", "--table", &table]).args(query_args);
    command
}

fn paths(args: &corpus::Args, corpus: &Corpus, files: usize) -> Vec<PathBuf> {
    let names = corpus.files[..files].iter().map(|file| &file.name);
    names.map(|name| args.documents().join(name)).collect()
}

/// Returns why a Python cannot run the loop, if it cannot.
pub(super) fn missing_in_python(python: &Path) -> Option<String> {
    if !Path::new(RANKS).exists() {
        return Some(format!("{RANKS} is not there"));
    }
    let mut command = Command::new(python);
    command
        .args(["-c", "import pyarrow.parquet, tiktoken"])
        .stdin(Stdio::null());
    match command.output() {
        Err(error) => Some(format!("{} does not run: {error}", python.display())),
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Some(said.lines().last().unwrap_or("an unknown error").to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_columns_are_no_numbers() {
        assert_eq!(numbers("sum(x)\n12\n34\n"), [12, 34]);
    }
}
