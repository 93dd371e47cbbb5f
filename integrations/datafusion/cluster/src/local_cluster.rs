//! A cluster of processes on this machine, for the bench and the tests.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::problem::{Problem, Result};

/// The longest wait for a process to start or to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// A scheduler or an executor. Dropping it kills it; if this process is killed, it ends by itself.
#[derive(Debug)]
pub struct Member {
    child: Child,
    /// What it printed at its start, without the name of its role.
    pub address: String,
    /// The file of its log.
    pub log: PathBuf,
}

impl Member {
    /// Starts a role with these arguments and waits until it prints its address.
    ///
    /// # Errors
    ///
    /// If it ends instead, or takes too long. The error has its log.
    pub fn start(program: &Path, args: &[&str], log: PathBuf) -> Result<Self> {
        let mut child = Command::new(program)
            .args(args)
            .args(["--log", "info", "--end-with-stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).map_err(io)?)
            .spawn()
            .map_err(io)?;
        let out = child.stdout.take();
        let (send, line) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let is_read = out.is_some_and(|out| BufReader::new(out).read_line(&mut line).is_ok());
            let _ = send.send(is_read.then_some(line));
        });
        let mut member = Self {
            child,
            address: String::new(),
            log,
        };
        let line = line
            .recv_timeout(PATIENCE)
            .ok()
            .flatten()
            .unwrap_or_default();
        match line.trim().split_once(": ") {
            Some((_, address)) => member.address = address.to_owned(),
            None => {
                return Err(Problem::new(format!(
                    "{args:?} did not start: {}",
                    member.log_text()
                )));
            }
        }
        Ok(member)
    }

    /// Returns the number of the process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns its log so far.
    pub fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Kills the process at once, as a machine that fails does.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks the process to end, and kills it if it does not.
    pub fn stop(&mut self) {
        // the signal that an operator or a container would send; the standard library has only the other one
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.kill();
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One scheduler and its executors, on ports that the system chooses.
#[derive(Debug)]
pub struct LocalCluster {
    program: PathBuf,
    folder: PathBuf,
    /// The scheduler.
    pub scheduler: Member,
    /// The executors, of one core each.
    pub executors: Vec<Member>,
}

impl LocalCluster {
    /// Starts a cluster of this program. Logs and shuffle files go below `folder`.
    ///
    /// # Errors
    ///
    /// If a process does not start.
    pub fn start(
        program: &Path,
        folder: &Path,
        scheduler_args: &[&str],
        executors: usize,
    ) -> Result<Self> {
        let args = [&["scheduler", "--port", "0"], scheduler_args].concat();
        let scheduler = Member::start(program, &args, folder.join("scheduler.log"))?;
        let mut cluster = Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
            scheduler,
            executors: Vec::new(),
        };
        for _ in 0..executors {
            cluster.add_executor(&[])?;
        }
        Ok(cluster)
    }

    /// Starts one more executor.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn add_executor(&mut self, more_args: &[&str]) -> Result<()> {
        let log = self
            .folder
            .join(format!("executor{}.log", self.executors.len()));
        let work_dir = self.folder.display().to_string();
        let args = [
            "executor",
            "--scheduler",
            &self.scheduler.address,
            "--port",
            "0",
            "--task-port",
            "0",
        ];
        let own = ["--cores", "1", "--heartbeat", "1", "--work-dir", &work_dir];
        let args = [&args[..], &own, more_args].concat();
        self.executors
            .push(Member::start(&self.program, &args, log)?);
        Ok(())
    }

    /// Returns the processes with names for a report.
    pub fn members(&self) -> impl Iterator<Item = (String, &Member)> {
        let executors = self.executors.iter().enumerate();
        std::iter::once(("scheduler".to_owned(), &self.scheduler))
            .chain(executors.map(|(i, member)| (format!("executor {}", i + 1), member)))
    }

    /// Asks all processes to end, executors first.
    pub fn stop(mut self) {
        self.executors.iter_mut().for_each(Member::stop);
        self.scheduler.stop();
    }
}

fn io(error: std::io::Error) -> Problem {
    Problem::new(format!("cannot start a process: {error}"))
}
