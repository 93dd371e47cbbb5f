//! The command `tiktally`: `wc` for tokens.
//!
//! This file parses the arguments and turns outcomes into exit codes; each subcommand has a file of its own.

#![forbid(unsafe_code)]

mod chat;
mod choice;
mod convert;
mod count;
mod cut;
mod ids;
mod input;
mod manual;
mod models;
mod page;
mod progress;
mod show;
mod tally;
mod terminal;

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Count the tokens of OpenAI's models, exactly as tiktoken does
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    colour: colorchoice_clap::Color,
}

#[derive(Debug, Subcommand)]
enum Command {
    Count(count::Args),
    Chat(chat::Args),
    Encode(convert::EncodeArgs),
    Decode(convert::DecodeArgs),
    Truncate(cut::TruncateArgs),
    Chunk(cut::ChunkArgs),
    Show(show::Args),
    Models(models::Args),
    Completions(manual::CompletionsArgs),
    Man(manual::ManArgs),
}

const EXAMPLES: &str = "\
Examples:
  tiktally count --top 10 .     where the tokens of a project are
  git diff | tiktally count     a number and nothing else
  tiktally show README.md       where tokens begin and end

Exit codes:
  0  everything went well
  1  some input could not be read or counted; standard error names it
  2  wrong usage
  3  the tokens are more than the limit of count, whatever else went wrong";

/// The exit code for input that could not be read or counted.
const INCOMPLETE: u8 = 1;

/// The exit code for wrong usage; clap's own errors use the same.
const USAGE: u8 = 2;

/// The exit code for more tokens than the limit.
const OVER: u8 = 3;

/// What ends the command before its work is done.
#[derive(Debug)]
enum Failure {
    Usage(String),
    Input(input::Refusal),
    Output(io::Error),
}

impl From<tiktally::Error> for Failure {
    fn from(error: tiktally::Error) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<String> for Failure {
    fn from(problem: String) -> Self {
        Self::Usage(problem)
    }
}

impl From<input::Refusal> for Failure {
    fn from(refusal: input::Refusal) -> Self {
        Self::Input(refusal)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(unparsed) => return explain(&unparsed),
    };
    cli.colour.write_global();
    let outcome = match cli.command {
        Command::Count(args) => count::run(&args),
        Command::Chat(args) => chat::run(&args),
        Command::Encode(args) => convert::encode(&args),
        Command::Decode(args) => convert::decode(&args),
        Command::Truncate(args) => cut::truncate(&args),
        Command::Chunk(args) => cut::chunk(&args),
        Command::Show(args) => show::run(&args),
        Command::Models(models::Args {}) => models::run(),
        Command::Completions(args) => manual::completions(&args),
        Command::Man(args) => manual::man(&args),
    };
    match outcome {
        Ok(code) => code,
        Err(failure) => failure.told(),
    }
}

/// Prints the help, the version, or what is wrong with the arguments.
fn explain(unparsed: &clap::Error) -> ExitCode {
    match unless_closed(unparsed.print().and_then(|()| io::stdout().flush())) {
        Ok(()) if unparsed.use_stderr() => USAGE.into(),
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.told(),
    }
}

impl Failure {
    fn told(self) -> ExitCode {
        match self {
            // The reader, `head` perhaps, has seen enough.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return ExitCode::SUCCESS;
            }
            Self::Output(error) => complain(format_args!("standard output: {error}")),
            Self::Input(refusal) => complain(refusal),
            Self::Usage(problem) => {
                complain(problem);
                return USAGE.into();
            }
        }
        INCOMPLETE.into()
    }
}

/// Lets it go if whoever reads the output has seen enough.
fn unless_closed(printed: io::Result<()>) -> Result<(), Failure> {
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Says on standard error what went wrong. When that is closed too, nobody is left to be told, so a failure to write
/// is let go (`eprintln!` would panic).
fn complain(message: impl Display) {
    let _ = writeln!(io::stderr(), "tiktally: {message}");
}
