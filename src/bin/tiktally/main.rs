//! The command `tiktally`: `wc` for tokens.
//!
//! This file parses the arguments and turns the results of subcommands into exit codes. Each other file is a
//! subcommand, a group of subcommands, or something they share.

#![forbid(unsafe_code)]

mod charset;
mod chat;
mod choice;
mod convert;
mod count;
mod cut;
mod folders;
mod ids;
mod input;
mod lines;
mod manual;
mod models;
mod page;
mod parts;
mod progress;
mod report;
mod show;
mod special;
mod terminal;
mod tokenizer;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};
use std::process;

use clap::{Parser, Subcommand};

use input::InputError;
use terminal::token_count;

/// Count tokens for OpenAI models, with exactly the same results as tiktoken
#[derive(Debug, Parser)]
#[command(name = "tiktally", version, after_help = EXAMPLES)]
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
  tiktally count --top 10 .     the largest files of a project
  git diff | tiktally count     only the number of tokens
  tiktally show README.md       where each token begins and ends

Exit codes:
  0  success
  1  an input could not be read or counted, no model matched, or writing failed
  2  wrong usage
  3  count, chat: more tokens than --limit, even if other errors occurred";

/// An exit code, as a number that the Python package can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ExitCode(u8);

impl ExitCode {
    const SUCCESS: Self = Self(0);
}

impl From<u8> for ExitCode {
    fn from(code: u8) -> Self {
        Self(code)
    }
}

/// The exit code if an input could not be read or counted, or the output could not be written.
const EXIT_INCOMPLETE: u8 = 1;

/// The exit code for wrong usage, the same as that of clap's own errors.
const EXIT_USAGE: u8 = 2;

/// The exit code for more tokens than `--limit` allows.
const EXIT_OVER_LIMIT: u8 = 3;

/// An error that ends a subcommand before its work is done.
#[derive(Debug)]
enum Failure {
    Usage(String),
    Input(InputError),
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

impl From<InputError> for Failure {
    fn from(error: InputError) -> Self {
        Self::Input(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

fn main() -> process::ExitCode {
    run(std::env::args_os()).into()
}

/// Runs the command with these arguments, the first of which is its own name, and returns the exit code.
///
/// The Python package has this file as a library, so that it brings the command along.
#[allow(unreachable_pub)] // a library there
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    match Cli::try_parse_from(arguments) {
        Ok(cli) => cli.run().0,
        Err(unparsed) => print_instead(&unparsed).0,
    }
}

impl Cli {
    /// Runs the subcommand and returns the exit code.
    fn run(self) -> ExitCode {
        self.colour.write_global();
        let outcome = match self.command {
            Command::Count(args) => count::run(&args),
            Command::Chat(args) => chat::run(&args),
            Command::Encode(args) => convert::encode(&args),
            Command::Decode(args) => convert::decode(&args),
            Command::Truncate(args) => cut::truncate(&args),
            Command::Chunk(args) => cut::chunk(&args),
            Command::Show(args) => show::run(&args),
            Command::Models(args) => models::run(&args),
            Command::Completions(args) => manual::completions(&args),
            Command::Man(args) => manual::man(&args),
        };
        match outcome {
            Ok(code) => code,
            Err(failure) => failure.report(),
        }
    }
}

/// Prints the help, the version, or the error in the arguments, and returns the exit code.
fn print_instead(unparsed: &clap::Error) -> ExitCode {
    match unless_closed(unparsed.print().and_then(|()| io::stdout().flush())) {
        Ok(()) if unparsed.use_stderr() => EXIT_USAGE.into(),
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

impl Failure {
    /// Prints the error and returns the exit code. A closed pipe counts as success.
    fn report(self) -> ExitCode {
        match self {
            // the reader of the pipe, for example `head`, needs no more output
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return ExitCode::SUCCESS;
            }
            Self::Output(error) => print_message(format_args!("standard output: {error}")),
            Self::Input(error) => print_message(error),
            Self::Usage(problem) => {
                print_message(problem);
                return EXIT_USAGE.into();
            }
        }
        EXIT_INCOMPLETE.into()
    }
}

/// Ignores the error of a closed pipe: the reader needs no more output.
fn unless_closed(printed: io::Result<()>) -> Result<(), Failure> {
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Returns the exit code for a total over the limit, after a message; `None` for any other total.
fn over_limit(total: usize, limit: Option<usize>) -> Option<ExitCode> {
    let limit = limit.filter(|limit| total > *limit)?;
    let over = total - limit;
    let verb = if total == 1 { "is" } else { "are" };
    print_message(format_args!(
        "{} {verb} {over} more than the limit of {limit}",
        token_count(total)
    ));
    Some(EXIT_OVER_LIMIT.into())
}

/// Prints an error or a note on standard error.
///
/// A failure to write is ignored, because there is no other place to report it; `eprintln!` would panic.
fn print_message(message: impl Display) {
    let _ = writeln!(io::stderr(), "tiktally: {message}");
}
