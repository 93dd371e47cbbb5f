//! Looks after a running query: a progress line, and an error if the cluster can no longer finish it.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ballista_core::execution_plans::DistributedQueryExec;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::protobuf::LogicalPlanNode;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::oneshot;

use crate::problem::{Problem, Result};
use crate::rest::{Scheduler, Stage};

/// The time between two questions to the scheduler.
const INTERVAL: Duration = Duration::from_secs(1);

/// A query that is being watched. Dropping it ends that.
pub(crate) struct Watch {
    bar: ProgressBar,
    cluster: Option<Cluster>,
}

/// The part of a watch that needs a cluster.
struct Cluster {
    scheduler: Scheduler,
    plan: Arc<dyn ExecutionPlan>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    problem: Option<oneshot::Receiver<Problem>>,
}

impl Watch {
    /// Watches a plan that runs in this process.
    pub(crate) fn local() -> Self {
        Self {
            bar: bar(),
            cluster: None,
        }
    }

    /// Watches a plan that runs on a cluster. Gives up when the cluster has had no executor, or no scheduler, for as long
    /// as `patience`.
    pub(crate) fn cluster(
        scheduler: Scheduler,
        plan: Arc<dyn ExecutionPlan>,
        patience: Duration,
    ) -> Self {
        let bar = bar();
        let (stop, stopped) = mpsc::channel();
        let (report, problem) = oneshot::channel();
        let (own_bar, own_plan, own_scheduler) =
            (bar.clone(), Arc::clone(&plan), scheduler.clone());
        let thread = thread::spawn(move || {
            let mut health = Health::new(patience);
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(INTERVAL) {
                if let Err(problem) = health.see(own_scheduler.executors()) {
                    let _ = report.send(problem);
                    return;
                }
                if let Some(stages) = job(&own_plan).and_then(|job| own_scheduler.stages(&job).ok())
                {
                    own_bar.set_message(progress(&stages));
                }
            }
        });
        Self {
            bar,
            cluster: Some(Cluster {
                scheduler,
                plan,
                stop: Some(stop),
                thread: Some(thread),
                problem: Some(problem),
            }),
        }
    }

    /// Returns when the cluster can no longer finish the query; otherwise never.
    pub(crate) async fn problem(&mut self) -> Problem {
        let receiver = self
            .cluster
            .as_mut()
            .and_then(|cluster| cluster.problem.take());
        match receiver {
            Some(receiver) => match receiver.await {
                Ok(problem) => problem,
                Err(_) => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }

    /// Cancels the job of a query whose result nobody waits for any more.
    pub(crate) fn cancel(&self) {
        if let Some(cluster) = &self.cluster
            && let Some(job) = job(&cluster.plan)
        {
            cluster.scheduler.cancel(&job);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(cluster) = &mut self.cluster {
            cluster.stop = None;
            let _ = cluster.thread.take().map(JoinHandle::join);
        }
        self.bar.finish_and_clear();
    }
}

/// Returns a line on standard error, if that is a terminal.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Returns the name of the job that runs a plan, once the scheduler has given it one.
fn job(plan: &Arc<dyn ExecutionPlan>) -> Option<String> {
    let query = plan.downcast_ref::<DistributedQueryExec<LogicalPlanNode>>()?;
    Some(query.job_id()?.to_string())
}

/// Returns which stage runs and how much of it is done.
fn progress(stages: &[Stage]) -> String {
    let count = stages.len();
    let Some(stage) = stages.iter().find(|stage| stage.stage_status == "Running") else {
        return format!("{count} stages");
    };
    let tasks = stage.tasks.iter().flatten();
    let done = tasks
        .clone()
        .filter(|task| task.status == "Successful")
        .count();
    let running = tasks.filter(|task| task.is_running()).count();
    format!(
        "stage {} of {count}: {done} tasks done, {running} running",
        stage.stage_id
    )
}

/// Decides when a cluster counts as lost.
struct Health {
    patience: Duration,
    well: Instant,
}

impl Health {
    fn new(patience: Duration) -> Self {
        Self {
            patience,
            well: Instant::now(),
        }
    }

    /// Takes the number of executors that were seen. Returns an error if there were none for too long.
    fn see(&mut self, executors: Result<usize>) -> Result<()> {
        let words = match executors {
            Ok(0) => format!(
                "the cluster has had no executor for {} s. Start one with `tiktally-cluster executor --scheduler …`, or wait \
                 longer for it with --patience",
                self.patience.as_secs()
            ),
            Ok(_) => {
                self.well = Instant::now();
                return Ok(());
            }
            Err(problem) => problem.to_string(),
        };
        if self.well.elapsed() < self.patience {
            return Ok(());
        }
        Err(Problem::new(words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_without_executors_is_lost_after_the_patience() {
        let mut health = Health::new(Duration::from_millis(50));
        assert!(health.see(Ok(0)).is_ok());
        assert!(health.see(Err(Problem::new("gone"))).is_ok());
        thread::sleep(Duration::from_millis(60));
        assert!(health.see(Ok(1)).is_ok());
        assert!(health.see(Ok(0)).is_ok());
        thread::sleep(Duration::from_millis(60));
        let problem = health.see(Ok(0)).unwrap_err().to_string();
        assert!(problem.contains("no executor"), "{problem}");
        assert_eq!(
            health.see(Err(Problem::new("gone"))),
            Err(Problem::new("gone"))
        );
    }

    #[test]
    fn progress_counts_the_tasks_of_the_running_stage() {
        let text = r#"[{"stage_id":"1","stage_status":"Successful","tasks":[]},{"stage_id":"2","stage_status":"Running",
            "tasks":[{"status":"Successful"},{"status":"Running"},null,{"status":{"Failed":{}}}]}]"#;
        let stages: Vec<Stage> = serde_json::from_str(text).unwrap();
        assert_eq!(progress(&stages), "stage 2 of 2: 1 tasks done, 1 running");
        assert_eq!(progress(&stages[..1]), "1 stages");
    }
}
