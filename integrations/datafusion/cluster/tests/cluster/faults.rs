//! A cluster of processes on loopback that loses executors. Its rows must be those of a run in one process.
//!
//! `RUNS=10` repeats the faults.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::common::{PATIENCE, PROGRAM, Run, alone, assert_same_rows, documents, rows};
use tempfile::TempDir;
use tiktally_cluster::local_cluster::LocalCluster;
use tiktally_cluster::rest::Scheduler;

/// Enough text that the first stage still runs when an executor is killed.
const LARGE: u64 = 150_000_000;
/// Enough for faults that need no timing.
const SMALL: u64 = 20_000_000;

const PULL: &[&str] = &["--policy", "pull", "--executor-timeout", "8"];
const PUSH: &[&str] = &["--policy", "push", "--executor-timeout", "4"];

const GROUPED: Case = Case {
    sql: "SELECT source, count(*) AS documents, sum(count_tokens(text)) AS tokens FROM docs GROUP BY source",
    is_copy: false,
};
const CHUNKS: Case = Case {
    sql: "SELECT id, unnest(chunk_tokens(text, 512, 64)) AS chunk FROM docs",
    is_copy: false,
};
const COPY: Case = Case {
    sql: "SELECT id, encode_tokens(text) AS ids FROM docs",
    is_copy: true,
};

/// A query whose rows are compared.
#[derive(Clone, Copy)]
struct Case {
    sql: &'static str,
    /// Whether the cluster writes the rows, or the client.
    is_copy: bool,
}

impl Case {
    /// Returns the arguments that write the rows to a file.
    fn args(self, documents: &Path, file: &Path) -> Vec<String> {
        self.args_after("", documents, file)
    }

    /// Returns the same after other statements.
    fn args_after(self, before: &str, documents: &Path, file: &Path) -> Vec<String> {
        let mut args = vec![
            "query".to_owned(),
            "--table".to_owned(),
            format!("docs={}", documents.display()),
        ];
        if self.is_copy {
            args.push(format!(
                "{before} COPY ({}) TO '{}' STORED AS PARQUET",
                self.sql,
                file.display()
            ));
        } else {
            args.extend([
                "--output".to_owned(),
                file.display().to_string(),
                format!("{before} {}", self.sql),
            ]);
        }
        args
    }

    /// Returns the rows of a run in one process.
    fn expected(self, size: u64) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rows.parquet");
        Run::start(self.args(&documents(size), &file))
            .end()
            .succeeded();
        rows(&file)
    }
}

/// A cluster with a folder for its logs and results.
struct Stage {
    cluster: LocalCluster,
    rest: Scheduler,
    folder: TempDir,
}

impl Stage {
    fn new(scheduler_args: &[&str], executors: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cluster =
            LocalCluster::start(Path::new(PROGRAM), folder.path(), scheduler_args, executors)
                .unwrap();
        let rest = Scheduler::new(cluster.scheduler.address.parse().unwrap());
        Self {
            cluster,
            rest,
            folder,
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("rows.parquet")
    }

    /// Starts a query on the cluster.
    fn query(&self, args: Vec<String>) -> Run {
        Run::start(args.into_iter().chain([
            "--scheduler".to_owned(),
            self.cluster.scheduler.address.clone(),
        ]))
    }

    /// Waits until the first stage of a job runs on both executors.
    fn wait_for_first_stage(&self) {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            let jobs = self.rest.jobs().unwrap();
            let running = jobs.iter().find(|job| job.status == "Running");
            let stages = running
                .and_then(|job| self.rest.stages(&job.job_id).ok())
                .unwrap_or_default();
            let tasks = stages.first().map_or(0, |stage| {
                stage
                    .tasks
                    .iter()
                    .flatten()
                    .filter(|task| task.is_running())
                    .count()
            });
            if tasks >= 2 {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!(
            "the first stage did not start: {}",
            self.cluster.scheduler.log_text()
        );
    }

    /// Returns how many tasks the scheduler handed out again after a loss.
    fn reset_tasks(&self) -> u32 {
        let log = self.cluster.scheduler.log_text();
        let resets = log
            .lines()
            .filter_map(|line| line.split_once("Reset ")?.1.split_once(" tasks for"));
        resets
            .filter_map(|(count, _)| count.parse::<u32>().ok())
            .sum()
    }
}

fn runs() -> usize {
    std::env::var("RUNS")
        .ok()
        .and_then(|runs| runs.parse().ok())
        .unwrap_or(1)
}

/// Kills an executor while the first stage runs, and compares all rows with those of one process.
fn survives_a_kill(case: Case, policy: &[&str]) {
    let _machine = alone();
    let expected = case.expected(LARGE);
    for run in 1..=runs() {
        let mut stage = Stage::new(policy, 2);
        let query = stage.query(case.args(&documents(LARGE), &stage.file()));
        stage.wait_for_first_stage();
        stage.cluster.executors[0].kill();
        let ended = query.end();
        let took = ended.took;
        assert!(
            ended.status.success(),
            "{ended:?}\n{}",
            stage.cluster.scheduler.log_text()
        );
        // the kill must have hit a task that ran, or the test says nothing
        let reset = stage.reset_tasks();
        assert!(
            reset > 0,
            "no task was lost: {}",
            stage.cluster.scheduler.log_text()
        );
        assert_same_rows(&rows(&stage.file()), &expected);
        println!(
            "run {run}: {} rows right, {reset} tasks repeated, {took:.1?} after the kill",
            expected.len()
        );
    }
}

#[test]
fn pull_grouped_count_survives_a_kill() {
    survives_a_kill(GROUPED, PULL);
}

#[test]
fn push_grouped_count_survives_a_kill() {
    survives_a_kill(GROUPED, PUSH);
}

#[test]
fn pull_chunks_survive_a_kill() {
    survives_a_kill(CHUNKS, PULL);
}

#[test]
fn push_chunks_survive_a_kill() {
    survives_a_kill(CHUNKS, PUSH);
}

#[test]
fn pull_copy_survives_a_kill() {
    survives_a_kill(COPY, PULL);
}

#[test]
fn push_copy_survives_a_kill() {
    survives_a_kill(COPY, PUSH);
}

#[test]
fn a_query_fails_soon_when_all_executors_are_killed() {
    let _machine = alone();
    for run in 0..runs() {
        for policy in [PULL, PUSH] {
            let mut stage = Stage::new(policy, 2);
            let mut args = GROUPED.args(&documents(LARGE), &stage.file());
            args.extend(["--timeout".to_owned(), "60".to_owned()]);
            let query = stage.query(args);
            stage.wait_for_first_stage();
            stage
                .cluster
                .executors
                .iter_mut()
                .for_each(|executor| executor.kill());
            let ended = query.end();
            println!(
                "run {run}: {:.1?} after the kill: {}",
                ended.took,
                ended.stderr.trim()
            );
            assert!(ended.took < Duration::from_secs(60), "{ended:?}");
            let said = ended.failed();
            assert!(said.contains("executor"), "{said}");
            assert!(!stage.file().exists());
        }
    }
}

#[test]
fn a_query_fails_soon_without_any_executor() {
    let _machine = alone();
    let stage = Stage::new(PULL, 0);
    let mut args = GROUPED.args(&documents(SMALL), &stage.file());
    args.extend(["--patience".to_owned(), "2".to_owned()]);
    let said = stage.query(args).end().failed();
    assert!(
        said.contains("no executor for 2 s. Start one with `tiktally-cluster executor"),
        "{said}"
    );
}

#[test]
fn a_query_fails_soon_when_the_scheduler_is_killed() {
    let _machine = alone();
    let mut stage = Stage::new(PULL, 2);
    let mut args = GROUPED.args(&documents(LARGE), &stage.file());
    args.extend(["--patience".to_owned(), "5".to_owned()]);
    let query = stage.query(args);
    stage.wait_for_first_stage();
    stage.cluster.scheduler.kill();
    let ended = query.end();
    assert!(ended.took < Duration::from_secs(30), "{ended:?}");
    ended.failed();
}

#[test]
fn a_query_ends_and_its_job_too_when_the_time_is_over() {
    let _machine = alone();
    let stage = Stage::new(PULL, 1);
    let mut args = COPY.args(&documents(LARGE), &stage.file());
    args.extend(["--timeout".to_owned(), "1".to_owned()]);
    let ended = stage.query(args).end();
    assert!(ended.took < Duration::from_secs(30), "{ended:?}");
    let said = ended.failed();
    assert!(said.contains("more than 1 s on the cluster of"), "{said}");
    let begin = Instant::now();
    while stage
        .rest
        .jobs()
        .unwrap()
        .iter()
        .any(|job| ["Queued", "Running"].contains(&job.status.as_str()))
    {
        assert!(begin.elapsed() < PATIENCE, "the job was not cancelled");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn an_executor_without_the_functions_fails_at_once_with_words_that_help() {
    let _machine = alone();
    for policy in [PULL, PUSH] {
        let mut stage = Stage::new(policy, 0);
        stage
            .cluster
            .add_executor(&["--without-functions"])
            .unwrap();
        let ended = stage
            .query(GROUPED.args(&documents(SMALL), &stage.file()))
            .end();
        assert!(ended.took < Duration::from_secs(20), "{ended:?}");
        let said = ended.failed();
        let cause = match policy {
            PULL => "an executor has no function count_tokens.",
            _ => "an executor cannot read the plan, most likely because it has no token functions.",
        };
        let words = format!("{cause} Start every executor with `tiktally-cluster executor`");
        assert!(said.contains(&words), "{said}");
    }
}

#[test]
fn an_executor_that_ends_removes_its_files() {
    let _machine = alone();
    let stage = Stage::new(PULL, 2);
    stage
        .query(GROUPED.args(&documents(SMALL), &stage.file()))
        .end()
        .succeeded();
    let Stage {
        cluster, folder, ..
    } = stage;
    let folders = || {
        let entries = std::fs::read_dir(folder.path()).unwrap();
        entries
            .filter(|entry| entry.as_ref().unwrap().path().is_dir())
            .count()
    };
    assert_eq!(folders(), 2);
    cluster.stop();
    assert_eq!(folders(), 0);
}

/// Returns the statements that make Ballista inject faults into a query.
fn injected(fault: &str, probability: f64, seed: u64) -> String {
    let set =
        |key: &str, value: &str| format!("SET ballista.testing.chaos_execution.{key} = '{value}';");
    [
        set("enabled", "true"),
        set("fault_type", fault),
        set("probability", &probability.to_string()),
        set("seed", &seed.to_string()),
    ]
    .concat()
}

/// Runs the cases with this fault and seeds 0 to 5. Each gives the right rows, or an error that names the fault and no
/// file. Returns how many gave rows and how many an error.
fn under_injection(fault: &str, probability: f64, policy: &[&str]) -> (usize, usize) {
    let stage = Stage::new(policy, 2);
    let (mut right, mut failed) = (0, 0);
    for case in [GROUPED, CHUNKS, COPY] {
        let expected = case.expected(SMALL);
        for seed in 0..6 {
            let before = injected(fault, probability, seed);
            let query = stage.query(case.args_after(&before, &documents(SMALL), &stage.file()));
            let ended = query.end();
            assert!(ended.took < Duration::from_secs(60), "{ended:?}");
            if ended.status.success() {
                assert_same_rows(&rows(&stage.file()), &expected);
                std::fs::remove_file(stage.file()).unwrap();
                right += 1;
            } else {
                assert!(ended.failed().contains("ChaosExec"), "{fault} {seed}");
                assert!(!stage.file().exists() || case.is_copy);
                failed += 1;
            }
        }
        // the executors are as good as before
        stage
            .query(case.args(&documents(SMALL), &stage.file()))
            .end()
            .succeeded();
        assert_same_rows(&rows(&stage.file()), &expected);
        std::fs::remove_file(stage.file()).unwrap();
    }
    println!("{fault} {policy:?}: {right} times all rows right, {failed} times an error");
    (right, failed)
}

#[test]
fn slow_tasks_give_the_right_rows() {
    let _machine = alone();
    for policy in [PULL, PUSH] {
        assert_eq!(under_injection("delay:20", 1.0, policy), (18, 0));
    }
}

// In Ballista 55.0.0 a task that is tried again meets the same injected fault: its seed is a part of the plan. So these
// faults show that an error is reported soon and no row is wrong, and the kills show that a lost task is repeated.

#[test]
fn injected_faults_give_the_right_rows_or_an_error() {
    let _machine = alone();
    for policy in [PULL, PUSH] {
        for fault in ["transient", "fatal", "panic"] {
            let (right, failed) = under_injection(fault, 0.5, policy);
            assert!(right > 0 && failed > 0, "{fault}: {right} {failed}");
        }
    }
}

#[test]
fn a_transient_fault_is_tried_four_times() {
    let _machine = alone();
    let stage = Stage::new(PULL, 2);
    let before = injected("transient", 1.0, 1);
    let said = stage
        .query(GROUPED.args_after(&before, &documents(SMALL), &stage.file()))
        .end()
        .failed();
    assert!(said.contains("failed 4 times"), "{said}");
}
