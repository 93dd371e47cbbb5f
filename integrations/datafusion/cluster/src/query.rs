//! The subcommand `query`: runs SQL on a cluster, or in this process, and writes the result.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::ParquetReadOptions;
use datafusion::sql::parser::DFParser;
use futures::StreamExt;

use crate::address::Address;
use crate::copy;
use crate::output::{Format, Sink, is_terminal};
use crate::problem::{Problem, Result};
use crate::rest::Scheduler;
use crate::session;
use crate::watch::Watch;

/// Run SQL with token functions, on a cluster or in this process
///
/// Functions: count_tokens(text), encode_tokens(text), decode_tokens(ids), truncate_tokens(text, n),
/// chunk_tokens(text, n [, overlap]); each takes the name of an encoding as its last argument, o200k_base by default.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The SQL; several statements with semicolons
    #[arg(required_unless_present = "file")]
    sql: Option<String>,

    /// Read the SQL from this file
    #[arg(long, value_name = "FILE", conflicts_with = "sql")]
    file: Option<PathBuf>,

    /// Run on the cluster of this scheduler, as HOST:PORT or http://HOST:PORT; without it, in this process
    #[arg(long, value_name = "ADDRESS")]
    scheduler: Option<Address>,

    /// A Parquet file, or a folder of them, under a name; every machine must have the same path
    #[arg(long = "table", value_name = "NAME=PATH", value_parser = parse_table)]
    tables: Vec<(String, String)>,

    /// The form of the result [default: table on a terminal, csv elsewhere; parquet if the file's name ends in .parquet]
    #[arg(long, value_enum)]
    format: Option<Format>,

    /// Write the result to this file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Give up after this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    timeout: Option<u64>,

    /// The number of parts of the work [default: the cores of this machine; Ballista's choice on a cluster]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    partitions: Option<u32>,

    /// Give up when the cluster has had no executor for this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    patience: u64,
}

/// Runs the statements one after the other and writes their results.
///
/// # Errors
///
/// If the SQL is wrong, a file cannot be read or written, the cluster is lost, or the time is over.
pub fn run(args: &Args) -> Result<()> {
    if args.output.is_none() && args.format == Some(Format::Parquet) {
        return Err(Problem::usage(
            "Parquet needs a file: give one with --output",
        ));
    }
    let sql = sql(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::new(format!("cannot start threads: {error}")))?;
    let result = runtime.block_on(async {
        let limit = args.timeout.map_or(Duration::MAX, Duration::from_secs);
        let deadline = tokio::time::Instant::now().checked_add(limit);
        statements(args, &sql, deadline).await
    });
    // threads that still compute for a query that was given up must not hold the process
    runtime.shutdown_background();
    result
}

/// A point in time, or never.
type Deadline = Option<tokio::time::Instant>;

async fn statements(args: &Args, sql: &str, deadline: Deadline) -> Result<()> {
    let context = context(args).await?;
    let mut results = 0;
    for statement in DFParser::parse_sql(sql)? {
        let plan = context.state().statement_to_plan(statement).await?;
        if returns_rows(&plan) {
            results += 1;
            if results > 1 && args.output.is_some() {
                return Err(Problem::new(
                    "--output takes the result of one statement, but a second one has rows. Run them one by one",
                ));
            }
        }
        statement_result(args, &context, plan, deadline).await?;
    }
    Ok(())
}

/// Returns false for statements that only change the session, such as SET and CREATE EXTERNAL TABLE.
fn returns_rows(plan: &LogicalPlan) -> bool {
    !matches!(plan, LogicalPlan::Ddl(_) | LogicalPlan::Statement(_))
}

async fn statement_result(
    args: &Args,
    context: &SessionContext,
    plan: LogicalPlan,
    deadline: Deadline,
) -> Result<()> {
    let has_rows = returns_rows(&plan);
    let plan = match args.scheduler {
        Some(_) => copy::with_options(plan, context)?,
        None => plan,
    };
    let frame = context.execute_logical_plan(plan).await?;
    if !has_rows {
        return Ok(());
    }
    let plan = frame.create_physical_plan().await?;
    let mut watch = match &args.scheduler {
        None => Watch::local(),
        Some(address) => {
            let patience = Duration::from_secs(args.patience);
            Watch::cluster(Scheduler::new(address.clone()), Arc::clone(&plan), patience)
        }
    };
    let given_up = tokio::select! {
        result = write(args, context, plan) => return result,
        problem = watch.problem() => problem,
        () = expired(deadline) => out_of_time(args),
        _ = tokio::signal::ctrl_c() => Problem::new("interrupted"),
    };
    watch.cancel();
    Err(given_up)
}

/// Runs a plan and writes its rows.
async fn write(args: &Args, context: &SessionContext, plan: Arc<dyn ExecutionPlan>) -> Result<()> {
    let mut sink = Sink::new(format(args), args.output.as_deref(), plan.schema())?;
    let mut batches = execute_stream(plan, context.task_ctx())?;
    while let Some(batch) = batches.next().await {
        sink.write(batch?)?;
    }
    sink.finish()
}

async fn expired(deadline: Deadline) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn out_of_time(args: &Args) -> Problem {
    let seconds = args.timeout.unwrap_or_default();
    let (place, other_way) = match &args.scheduler {
        Some(address) => (
            format!(" on the cluster of {address}; the job was cancelled"),
            ", or look for lost executors in the scheduler's log",
        ),
        None => (String::new(), ""),
    };
    Problem::new(format!(
        "the query took more than {seconds} s{place}. Give more time with --timeout{other_way}"
    ))
}

fn format(args: &Args) -> Format {
    let is_parquet = args.output.as_ref().is_some_and(|path| {
        path.extension()
            .is_some_and(|extension| extension == "parquet")
    });
    args.format.unwrap_or(match args.output {
        _ if is_parquet => Format::Parquet,
        None if is_terminal() => Format::Table,
        _ => Format::Csv,
    })
}

fn sql(args: &Args) -> Result<String> {
    match (&args.file, &args.sql) {
        (Some(file), _) => std::fs::read_to_string(file)
            .map_err(|error| Problem::new(format!("cannot read {}: {error}", file.display()))),
        (None, sql) => Ok(sql.clone().unwrap_or_default()),
    }
}

async fn context(args: &Args) -> Result<SessionContext> {
    let context = match &args.scheduler {
        None => session::local(
            args.partitions
                .map_or_else(cores, |partitions| partitions as usize),
        )?,
        Some(address) => {
            // says at once, and in better words than a query, that nothing listens there
            Scheduler::new(address.clone()).wait(Duration::ZERO)?;
            session::remote(
                address,
                args.partitions.map(|partitions| partitions as usize),
            )
            .await?
        }
    };
    for (name, path) in &args.tables {
        let path = absolute(path)?;
        context
            .register_parquet(name.as_str(), path, ParquetReadOptions::default())
            .await?;
    }
    Ok(context)
}

/// Returns the number of cores of this machine, or 1 if it does not tell.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Returns a path that executors understand, whose working folder is another.
fn absolute(path: &str) -> Result<String> {
    if path.contains("://") {
        return Ok(path.to_owned());
    }
    let found = Path::new(path).canonicalize().map_err(|error| {
        Problem::new(format!(
            "cannot open {path}: {error}. A table needs a Parquet file or a folder of them"
        ))
    })?;
    Ok(found.display().to_string())
}

fn parse_table(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok((name.to_owned(), path.to_owned()))
        }
        _ => Err("write NAME=PATH, such as docs=/data/docs".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_a_name_and_a_path() {
        assert_eq!(parse_table("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        for text in ["a", "=b", "a="] {
            assert!(parse_table(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_that_is_missing_is_an_error_before_the_query() {
        let problem = absolute("/no/such/folder").unwrap_err().to_string();
        assert!(
            problem.starts_with("cannot open /no/such/folder"),
            "{problem}"
        );
        assert_eq!(absolute("s3://bucket/x").unwrap(), "s3://bucket/x");
    }
}
