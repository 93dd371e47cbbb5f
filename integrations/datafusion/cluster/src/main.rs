//! The command `tiktally-cluster`: parses arguments and turns results into exit codes.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tiktally_cluster::{Problem, bench, executor, logger, query, scheduler};

/// Count, encode, decode, truncate and chunk tokens in SQL, on one machine or many
///
/// Start one scheduler, an executor on each machine, then send queries. All three must be the same version of this
/// command. Files must have the same path on every machine, and nothing is encrypted or authenticated: use a network
/// that you trust.
#[derive(Debug, Parser)]
#[command(name = "tiktally-cluster", version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// How much the log on standard error says [default: warn for scheduler and executor, else off]
    #[arg(long, global = true, value_name = "LEVEL")]
    log: Option<logger::Level>,

    /// End when standard input is closed: for servers of tests, which must not outlive them
    #[arg(long, global = true, hide = true)]
    end_with_stdin: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Scheduler(scheduler::Args),
    Executor(executor::Args),
    Query(query::Args),
    Bench(bench::Args),
    #[command(hide = true)]
    Corpus(bench::corpus::Args),
    #[command(hide = true)]
    Direct(bench::direct::Args),
}

const EXAMPLES: &str = "\
Examples:
  tiktally-cluster scheduler --bind 0.0.0.0
  tiktally-cluster executor --bind 0.0.0.0 --scheduler head:50050
  tiktally-cluster query --scheduler head:50050 --table docs=/data/docs \\
      \"SELECT source, sum(count_tokens(text)) FROM docs GROUP BY source\"";

fn main() -> ExitCode {
    let cli = Cli::parse();
    let quiet = match cli.command {
        Command::Scheduler(_) | Command::Executor(_) => logger::Level::Warn,
        _ => logger::Level::Off,
    };
    logger::start(cli.log.unwrap_or(quiet));
    if cli.end_with_stdin {
        std::thread::spawn(|| {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            std::process::exit(1);
        });
    }
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("tiktally-cluster: {problem}");
            ExitCode::from(problem.exit_code())
        }
    }
}

fn run(command: Command) -> Result<(), Problem> {
    match command {
        Command::Scheduler(args) => scheduler::run(&args),
        Command::Executor(args) => executor::run(&args),
        Command::Query(args) => query::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Corpus(args) => bench::corpus::run(&args),
        Command::Direct(args) => bench::direct::run(&args),
    }
}
