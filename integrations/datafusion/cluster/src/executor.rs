//! The subcommand `executor`: runs tasks for a scheduler and keeps their output until the next stage has read it.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ballista_core::BALLISTA_VERSION;
use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_core::utils::default_config_producer;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};

use crate::address::Address;
use crate::problem::{Problem, Result};
use crate::rest::{Scheduler, State};
use crate::session;
use crate::work_dir::WorkDir;

/// Start an executor: one for each machine
///
/// It asks the scheduler whether tasks are pulled or pushed. When it ends, it removes its shuffle files; if it is killed,
/// the next executor with the same --work-dir removes them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The scheduler, as HOST:PORT or http://HOST:PORT
    #[arg(long, value_name = "ADDRESS")]
    scheduler: Address,

    /// Listen on this address; 0.0.0.0 is every network of this machine
    ///
    /// The default is this machine alone, since nothing is authenticated.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    bind: String,

    /// The port from which other executors and clients read results; 0 lets the system choose
    #[arg(long, default_value_t = 50051)]
    port: u16,

    /// The port to which a scheduler with --policy push sends tasks; 0 lets the system choose
    #[arg(long, value_name = "PORT", default_value_t = 50052)]
    task_port: u16,

    /// The name under which other machines reach this one [default: the address from which it connects to the scheduler]
    #[arg(long, value_name = "HOST")]
    external_host: Option<String>,

    /// The number of tasks that run at the same time [default: the cores of this machine]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    cores: Option<u32>,

    /// Where to put shuffle files: a fast disk with room for the data between two stages [default: the system's folder for
    /// temporary files]
    #[arg(long, value_name = "FOLDER")]
    work_dir: Option<PathBuf>,

    /// Memory for sorts, joins and groups, such as 8GB; beyond it they use the disk [default: 70 % of this machine's]
    ///
    /// The cores share it equally. Batches on their way are not counted, nor is the writer of COPY.
    #[arg(long, value_name = "SIZE", value_parser = crate::bench::corpus::parse_size)]
    memory: Option<u64>,

    /// Seconds between two signs of life, with --policy push; with pull it is at most 5
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    heartbeat: u64,

    /// Seconds to wait for the scheduler at the start
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    connect_timeout: u16,

    /// Start without the token functions, as a test of what a client says then
    #[arg(long, hide = true)]
    without_functions: bool,
}

/// Runs an executor until the process is told to end. Prints its address on standard output once it has found the
/// scheduler.
///
/// # Errors
///
/// If the scheduler cannot be reached or has another version, a port is taken, or the folder cannot be used.
pub fn run(args: &Args) -> Result<()> {
    let state = scheduler_state(args)?;
    let work_dir = WorkDir::create(&args.work_dir.clone().unwrap_or_else(std::env::temp_dir))?;
    let config = config(args, &state, &work_dir)?;
    println!("executor: {}:{}", args.bind, config.port);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::new(format!("cannot start the executor: {error}")))?;
    Ok(runtime.block_on(start_executor_process(Arc::new(config)))?)
}

/// Returns the scheduler's settings.
fn scheduler_state(args: &Args) -> Result<State> {
    let patience = Duration::from_secs(args.connect_timeout.into());
    let state = Scheduler::new(args.scheduler.clone()).wait(patience)?;
    if state.version == BALLISTA_VERSION {
        return Ok(state);
    }
    Err(Problem::new(format!(
        "the scheduler at {} has Ballista {}, this executor {BALLISTA_VERSION}. Use one version of tiktally-cluster on all \
         machines",
        args.scheduler, state.version
    )))
}

fn config(args: &Args, state: &State, work_dir: &WorkDir) -> Result<ExecutorProcessConfig> {
    let policy = match state.scheduling_policy.as_str() {
        "push-staged" => TaskSchedulingPolicy::PushStaged,
        _ => TaskSchedulingPolicy::PullStaged,
    };
    let defaults = ExecutorProcessConfig::default();
    Ok(ExecutorProcessConfig {
        bind_host: args.bind.clone(),
        external_host: args.external_host.clone(),
        port: free_port(&args.bind, args.port, "--port")?,
        grpc_port: match policy {
            TaskSchedulingPolicy::PushStaged => {
                free_port(&args.bind, args.task_port, "--task-port")?
            }
            TaskSchedulingPolicy::PullStaged => args.task_port,
        },
        scheduler_host: args.scheduler.host.clone(),
        scheduler_port: args.scheduler.port,
        scheduler_connect_timeout_seconds: args.connect_timeout,
        vcores: args.cores.map_or(defaults.vcores, |cores| cores as usize),
        task_scheduling_policy: policy,
        work_dir: Some(work_dir.shuffle().display().to_string()),
        // the scheduler asks for the removal of a finished job's files; this is for jobs of a scheduler that was killed
        job_data_ttl_seconds: 24 * 3600,
        job_data_clean_up_interval_seconds: 600,
        executor_heartbeat_interval_seconds: args.heartbeat,
        memory_pool_size: args.memory,
        override_function_registry: Some(Arc::new(functions(args)?)),
        ..defaults
    })
}

/// Returns the functions that plans may name.
fn functions(args: &Args) -> Result<BallistaFunctionRegistry> {
    if args.without_functions {
        return Ok(BallistaFunctionRegistry::default());
    }
    let state = session::of_server(default_config_producer())?;
    Ok(BallistaFunctionRegistry::from(&state))
}

/// Returns this port, or one that the system chooses for 0, if it can be listened on.
///
/// Ballista binds it later and only logs a failure. Another program can take it in between, which is unlikely.
fn free_port(host: &str, port: u16, flag: &str) -> Result<u16> {
    let listener = TcpListener::bind((host, port)).and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(|error| {
        Problem::new(format!(
            "cannot listen on {host}:{port}: {error}. Give another {flag} or --bind"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_an_error_that_names_the_flag() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let problem = free_port("127.0.0.1", port, "--port").unwrap_err();
        assert!(
            problem.to_string().contains("Give another --port"),
            "{problem}"
        );
        assert_ne!(free_port("127.0.0.1", 0, "--port").unwrap(), 0);
    }
}
