//! The command `tiktally`: `wc` for tokens.
//!
//! This file parses the arguments and turns outcomes into exit codes; each subcommand has a file of its own.

#![forbid(unsafe_code)]

mod chat;
mod choice;
mod count;
mod input;
mod models;

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Count the tokens of OpenAI's models, exactly as tiktoken does
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Count(count::Args),
    Chat(chat::Args),
    /// List the models with their encodings and context windows
    Models,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  everything went well
  1  some input could not be read or counted; standard error names it
  2  wrong usage";

/// The exit code for input that could not be read or counted.
const INCOMPLETE: u8 = 1;

/// The exit code for wrong usage; clap's own errors use the same.
const USAGE: u8 = 2;

/// What ends the command before its work is done.
#[derive(Debug)]
enum Failure {
    Usage(tiktally::Error),
    Output(io::Error),
}

impl From<tiktally::Error> for Failure {
    fn from(error: tiktally::Error) -> Self {
        Self::Usage(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Count(args) => count::run(&args),
        Command::Chat(args) => chat::run(&args),
        Command::Models => models::run(),
    };
    match outcome {
        Ok(code) => code,
        // The reader, `head` perhaps, has seen enough.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(Failure::Output(error)) => {
            complain(format_args!("standard output: {error}"));
            INCOMPLETE.into()
        }
        Err(Failure::Usage(error)) => {
            complain(error);
            USAGE.into()
        }
    }
}

/// Says on standard error what went wrong. When that is closed too, nobody is left to be told, so a failure to write
/// is let go (`eprintln!` would panic).
fn complain(message: impl Display) {
    let _ = writeln!(io::stderr(), "tiktally: {message}");
}
