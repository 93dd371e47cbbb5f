//! Helpers of the tests: corpora, runs of the command, and rows of results.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tiktally_cluster::bench::corpus;

/// The command.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_tiktally-cluster");

/// The longest wait for a query. It is long, since tests share a machine with others.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// Lets one test use the machine at a time: clusters side by side would only slow each other down.
pub fn alone() -> MutexGuard<'static, ()> {
    static MACHINE: Mutex<()> = Mutex::new(());
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a corpus of this size, or finds one of an earlier run. Returns the folder of its documents.
pub fn documents(size: u64) -> PathBuf {
    static WRITER: Mutex<()> = Mutex::new(());
    let _writer = WRITER.lock().unwrap_or_else(PoisonError::into_inner);
    let args = corpus::Args {
        size,
        dir: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("corpus-{size}"))),
        seed: 1,
        texts: None,
    };
    corpus::make(&args).unwrap();
    args.documents()
}

/// A run of the command. Dropping it kills the process.
pub struct Run(Child);

/// The end of a run.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

impl Run {
    /// Starts the command with these arguments.
    pub fn start<I: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = I>) -> Self {
        let child = Command::new(PROGRAM)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Self(child.unwrap())
    }

    /// Waits for the end, but not for ever.
    pub fn end(mut self) -> Ended {
        let begin = Instant::now();
        let stdout = read(self.0.stdout.take().unwrap());
        let stderr = read(self.0.stderr.take().unwrap());
        let status = loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                break status;
            }
            assert!(begin.elapsed() < PATIENCE, "the command did not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        Ended {
            status,
            stdout: stdout.join().unwrap(),
            stderr: stderr.join().unwrap(),
            took: begin.elapsed(),
        }
    }
}

/// Reads a pipe to its end on a thread of its own, so that a full pipe does not stop the command.
fn read(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).unwrap();
        text
    })
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Ended {
    /// Returns standard output of a run that succeeded.
    pub fn succeeded(self) -> String {
        assert!(self.status.success(), "{self:?}");
        self.stdout
    }

    /// Returns the words of a run that failed with exit code 1.
    pub fn failed(self) -> String {
        assert_eq!(self.status.code(), Some(1), "{self:?}");
        self.stderr
    }
}

/// Returns all rows of a Parquet file as text, sorted.
pub fn rows(file: &Path) -> Vec<String> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(file).unwrap()).unwrap();
    let mut rows = Vec::new();
    for batch in builder.build().unwrap() {
        let batch = batch.unwrap();
        let options = FormatOptions::default().with_null("NULL");
        let columns: Vec<ArrayFormatter<'_>> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
            .collect();
        rows.extend((0..batch.num_rows()).map(|row| {
            let values: Vec<String> = columns
                .iter()
                .map(|column| column.value(row).to_string())
                .collect();
            values.join("\u{1f}")
        }));
    }
    rows.sort_unstable();
    rows
}

/// Compares all rows, and names the first that differs.
pub fn assert_same_rows(found: &[String], expected: &[String]) {
    assert!(!expected.is_empty());
    let difference = found
        .iter()
        .zip(expected)
        .position(|(found, expected)| found != expected);
    if let Some(at) = difference {
        let short = |row: &String| row.chars().take(300).collect::<String>();
        panic!(
            "row {at}: {:?} instead of {:?}",
            short(&found[at]),
            short(&expected[at])
        );
    }
    assert_eq!(found.len(), expected.len());
}
