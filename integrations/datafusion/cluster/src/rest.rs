//! The scheduler's REST interface: its settings, its executors, and the stages of a job.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::address::Address;
use crate::problem::{Problem, Result};

/// The longest wait for one answer.
const ANSWER: Duration = Duration::from_secs(5);

/// A scheduler, seen from outside.
#[derive(Debug, Clone)]
pub struct Scheduler {
    address: Address,
    agent: ureq::Agent,
}

/// Settings of a scheduler.
#[derive(Debug, Deserialize)]
pub struct State {
    /// The version of Ballista.
    pub version: String,
    /// `pull-staged` or `push-staged`.
    pub scheduling_policy: String,
}

/// A job in the list of jobs.
#[derive(Debug, Deserialize)]
pub struct Job {
    /// The name that Ballista gave it.
    pub job_id: String,
    /// `Queued`, `Running`, `Completed`, `Failed`.
    pub status: String,
}

/// A stage of a job: the work between two exchanges of data.
#[derive(Debug, Deserialize)]
pub struct Stage {
    /// Its number, from 1.
    pub stage_id: String,
    /// `Running`, `Successful`, `UnResolved`, `Failed`.
    pub stage_status: String,
    /// The tasks that were handed out so far.
    pub tasks: Vec<Option<Task>>,
}

/// A part of a stage that one executor runs.
#[derive(Debug, Deserialize)]
pub struct Task {
    /// `"Running"`, `"Successful"`, or an object with the failure.
    pub status: serde_json::Value,
}

impl Task {
    /// Returns true if the task is running.
    pub fn is_running(&self) -> bool {
        self.status == "Running"
    }
}

#[derive(Debug, Deserialize)]
struct Stages {
    stages: Vec<Stage>,
}

impl Scheduler {
    /// Creates a client for the scheduler at this address. It connects at the first call.
    pub fn new(address: Address) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(ANSWER))
            .http_status_as_error(true)
            .build();
        Self {
            address,
            agent: config.into(),
        }
    }

    /// Returns the scheduler's settings, after waiting up to this long for it to start.
    ///
    /// # Errors
    ///
    /// If nothing answers in that time.
    pub fn wait(&self, patience: Duration) -> Result<State> {
        let begin = Instant::now();
        loop {
            match self.get("state") {
                Ok(state) => return Ok(state),
                Err(problem) if begin.elapsed() >= patience => return Err(problem),
                Err(_) => std::thread::sleep(Duration::from_millis(200)),
            }
        }
    }

    /// Returns the number of executors that the scheduler believes alive.
    ///
    /// # Errors
    ///
    /// If the scheduler does not answer.
    pub fn executors(&self) -> Result<usize> {
        Ok(self.get::<Vec<serde_json::Value>>("executors")?.len())
    }

    /// Returns all jobs that the scheduler remembers.
    ///
    /// # Errors
    ///
    /// If the scheduler does not answer.
    pub fn jobs(&self) -> Result<Vec<Job>> {
        self.get("jobs")
    }

    /// Returns the stages of a job.
    ///
    /// # Errors
    ///
    /// If the scheduler does not answer, or has no plan of the job yet.
    pub fn stages(&self, job: &str) -> Result<Vec<Stage>> {
        Ok(self.get::<Stages>(&format!("job/{job}/stages"))?.stages)
    }

    /// Asks the scheduler to cancel a job. A failure is ignored: the caller is about to give up anyway.
    pub fn cancel(&self, job: &str) {
        let url = format!("http://{}/api/job/{job}", self.address);
        if let Err(error) = self.agent.patch(&url).send_empty() {
            log::warn!("cannot cancel job {job}: {error}");
        }
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let url = format!("http://{}/api/{path}", self.address);
        let text = self
            .agent
            .get(&url)
            .call()
            .and_then(|mut answer| answer.body_mut().read_to_string())
            .map_err(|error| self.unreachable(&error))?;
        serde_json::from_str(&text).map_err(|error| {
            Problem::new(format!(
                "{url} does not answer like a scheduler of Ballista {}: {error}",
                ballista_core::BALLISTA_VERSION
            ))
        })
    }

    fn unreachable(&self, error: &ureq::Error) -> Problem {
        Problem::new(format!(
            "cannot reach the scheduler at {}: {error}. Start it with `tiktally-cluster scheduler`, or check the host, the \
             port and the firewall; on another machine it must listen with --bind 0.0.0.0",
            self.address
        ))
    }
}
