//! The subcommand `scheduler`: plans queries, hands tasks to executors, and hands them out again when an executor is lost.

use std::net::TcpListener;
use std::sync::Arc;

use ballista_core::config::TaskSchedulingPolicy;
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::{SchedulerConfig, TaskDistributionPolicy};
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use clap::ValueEnum;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};

use crate::address::DEFAULT_PORT;
use crate::problem::{Problem, Result};
use crate::session;

/// The longest silence of a busy executor that pulls, in seconds: a constant of Ballista 55.0.0.
const PULL_HEARTBEAT: u64 = 5;

/// Start the scheduler: one for a cluster
///
/// Executors and queries connect to one port, which also has Ballista's REST interface (`/api/jobs`). The state of jobs
/// is in memory: if the scheduler ends, its jobs end too.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Listen on this address; 0.0.0.0 is every network of this machine
    ///
    /// The default is this machine alone, since nothing is authenticated.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    bind: String,

    /// Listen on this port; 0 lets the system choose
    #[arg(long, default_value_t = DEFAULT_PORT)]
    port: u16,

    /// The name under which executors reach this machine [default: its host name, or the address of --bind]
    #[arg(long, value_name = "HOST")]
    external_host: Option<String>,

    /// Whether executors ask for tasks (pull) or the scheduler sends them (push)
    ///
    /// Pull needs one open port on each executor, push two. Push starts tasks sooner. Executors follow this choice.
    #[arg(long, value_enum, default_value_t = Policy::Pull)]
    policy: Policy,

    /// Seconds of silence after which an executor counts as lost and its tasks run again elsewhere
    ///
    /// Give more than twice the heartbeat of the executors, which is 5 s with pull. If no executor is left for this long, running queries fail.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(2..))]
    executor_timeout: u64,

    /// Pass results through the scheduler, for clients that cannot reach the executors
    #[arg(long)]
    proxy_results: bool,
}

/// The way in which tasks get to executors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Policy {
    /// Executors ask for tasks.
    Pull,
    /// The scheduler sends tasks.
    Push,
}

impl From<Policy> for TaskSchedulingPolicy {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::Pull => Self::PullStaged,
            Policy::Push => Self::PushStaged,
        }
    }
}

/// Runs a scheduler until the process is ended. Prints its address on standard output once it listens.
///
/// # Errors
///
/// If the address cannot be listened on.
pub fn run(args: &Args) -> Result<()> {
    if args.policy == Policy::Pull && args.executor_timeout <= PULL_HEARTBEAT {
        return Err(Problem::usage(format!(
            "--executor-timeout must be more than {PULL_HEARTBEAT} with --policy pull: a busy executor asks for tasks only \
             every {PULL_HEARTBEAT} s"
        )));
    }
    let listener = TcpListener::bind((args.bind.as_str(), args.port)).map_err(|error| {
        Problem::new(format!(
            "cannot listen on {}:{}: {error}. Give another --bind or --port",
            args.bind, args.port
        ))
    })?;
    let port = listener.local_addr().map_err(io)?.port();
    listener.set_nonblocking(true).map_err(io)?;
    println!("scheduler: http://{}:{port}", args.bind);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // as Ballista's own: deep plans are planned by recursion
        .thread_stack_size(32 << 20)
        .build()
        .map_err(io)?;
    runtime.block_on(serve(listener, config(args, port)))
}

async fn serve(listener: TcpListener, config: SchedulerConfig) -> Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener).map_err(io)?;
    config.validate()?;
    let cluster = BallistaCluster::new_from_config(&config).await?;
    let scheduler =
        create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, Arc::new(config)).await?;
    tokio::select! {
        result = start_grpc_service_with_listener(listener, scheduler) => Ok(result?),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

fn config(args: &Args, port: u16) -> SchedulerConfig {
    SchedulerConfig {
        bind_host: args.bind.clone(),
        bind_port: port,
        external_host: args
            .external_host
            .clone()
            .unwrap_or_else(|| host_name(&args.bind)),
        scheduling_policy: args.policy.into(),
        // one task to each executor in turn, so that few long tasks use all machines
        task_distribution: TaskDistributionPolicy::RoundRobin,
        executor_timeout_seconds: args.executor_timeout,
        // Ballista's 15 s would add up to half of the timeout to it
        expire_dead_executor_interval_seconds: (args.executor_timeout / 6).max(1),
        no_executors_grace_period_seconds: args.executor_timeout,
        enable_embedded_flight_proxy: args.proxy_results,
        override_session_builder: Some(Arc::new(session::of_server)),
        ..SchedulerConfig::default()
    }
}

/// Returns the name under which other machines reach this one, as far as Linux knows it.
fn host_name(bind: &str) -> String {
    if bind != "0.0.0.0" && bind != "::" {
        return bind.to_owned();
    }
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname");
    name.map_or_else(|_| "localhost".to_owned(), |name| name.trim().to_owned())
}

fn io(error: std::io::Error) -> Problem {
    Problem::new(format!("cannot start the scheduler: {error}"))
}
