//! The subcommand `bench`: what counting costs in an engine and on a cluster, compared with the crate called directly.

pub mod corpus;
pub mod direct;
mod measure;
mod memory;
mod random;
mod report;
mod steps;
mod texts;

use std::path::PathBuf;

use crate::problem::Result;
use crate::query::cores;
use corpus::Corpus;
use report::Report;
use steps::Step;

/// Measure the cost of counting: directly, with DataFusion, on a cluster of this machine, and with tiktoken
///
/// Each step is a process of its own, and the steps take turns. A step's figures count only if its total is right. Run it
/// on Linux, with a release build, while the machine does nothing else.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    corpus: corpus::Args,

    /// How often to run each step
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// The partitions of the parallel run [default: the cores of this machine]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    partitions: Option<u32>,

    /// A Python that has pyarrow and tiktoken, for the last step
    #[arg(long, value_name = "PATH", default_value = "python3")]
    python: PathBuf,

    /// The files that tiktoken counts: it needs several times as long
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=18))]
    python_files: u32,

    /// Measure the memory of executors instead, with a corpus of this size and one of four times the size
    #[arg(long)]
    memory: bool,
}

/// Makes the corpus, runs the steps and prints a table in Markdown.
///
/// # Errors
///
/// If a step fails or its total is wrong.
pub fn run(args: &Args) -> Result<()> {
    if args.memory {
        return memory::run(&args.corpus);
    }
    let corpus = corpus::make(&args.corpus)?;
    let steps = steps(args, &corpus);
    let mut report = Report::new(&corpus);
    for round in 0..args.rounds as usize {
        let mut order: Vec<usize> = (0..steps.len()).collect();
        // each round begins with another step, so that none has the quiet minute of a machine always
        order.rotate_left(round % steps.len());
        for i in order {
            eprintln!("round {}: {}", round + 1, steps[i].name());
            report.add(&steps[i], steps::run(&steps[i], &args.corpus, &corpus)?)?;
        }
    }
    print!("{}", report.markdown(&steps));
    Ok(())
}

fn steps(args: &Args, corpus: &Corpus) -> Vec<Step> {
    let partitions = args
        .partitions
        .map_or_else(|| cores().max(2), |partitions| partitions as usize);
    let mut steps = vec![
        Step::Direct,
        Step::Engine { partitions: 1 },
        Step::Engine { partitions },
        Step::Cluster { executors: 2 },
    ];
    let files = (args.python_files as usize).min(corpus.files.len());
    match steps::missing_in_python(&args.python) {
        None => steps.push(Step::Tiktoken {
            python: args.python.clone(),
            files,
        }),
        Some(reason) => {
            eprintln!("skipped pyarrow with tiktoken: {reason}. Name another Python with --python")
        }
    }
    steps
}
