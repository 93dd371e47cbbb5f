//! `tiktally count`: the tokens of standard input, files and directories.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use rayon::prelude::*;
use tiktally::Encoding;

use crate::choice::Choice;
use crate::input::{self, Blocks, Input, InputError, InvalidUtf8, Skip, SkipReason, Text};
use crate::progress::Progress;
use crate::report::{Report, Row, Window};
use crate::{EXIT_INCOMPLETE, Failure, over_limit, print_message, unless_closed};

const EXAMPLES: &str = "\
Examples:
  tiktally count README.md
  git diff | tiktally count                         only the number of tokens
  tiktally count --top 10 .                         the largest files
  tiktally count --by-extension --window gpt-4o .   languages, share of a window
  tiktally count --limit 100000 src > /dev/null     exit code 3 if over, for CI
  tiktally count --json . | jq .total.tokens

Files must be UTF-8. Special tokens in a text, such as <|endoftext|>, are counted as plain text.";

/// The least size of a part, in bytes, when all threads count one large text.
///
/// Large enough that splitting costs little in comparison, and small enough that one huge file keeps all threads busy.
const PARALLEL_PART_BYTES: usize = 4 << 20;

/// Count the tokens of files, directories or standard input, like wc
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[allow(clippy::struct_excessive_bools)] // independent flags of the command line
pub(crate) struct Args {
    #[command(flatten)]
    choice: Choice,

    /// Files or directories; without a path, or for -, reads standard input. In directories, skips binary files, hidden
    /// files, symbolic links, and files that .gitignore excludes
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,

    /// Sort by path, or by tokens with the largest first [default: the order of the arguments]
    #[arg(long, value_name = "KEY")]
    sort: Option<Sort>,

    /// List only the N rows with the most tokens; the total still includes all
    #[arg(long, value_name = "N")]
    top: Option<usize>,

    /// Print one row per file extension
    #[arg(long)]
    by_extension: bool,

    /// Show the share of this model's context window; also sets the encoding unless -m or -e is given
    #[arg(long, value_name = "MODEL", value_parser = Window::of_model)]
    window: Option<Window>,

    /// Exit with code 3 if the total exceeds N tokens
    #[arg(long, value_name = "N")]
    limit: Option<usize>,

    /// Replace invalid UTF-8 with U+FFFD instead of rejecting the file
    #[arg(long)]
    lossy: bool,

    /// List the skipped files and the reasons, except files that .gitignore excludes
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sort {
    Tokens,
    Path,
}

impl Args {
    /// Returns the encoding of `-m`, `-e` or else `--window`, or the default.
    fn encoding(&self) -> Result<&'static Encoding, tiktally::Error> {
        match &self.window {
            Some(window) => self.choice.encoding_or_of_model(&window.model),
            None => self.choice.encoding(),
        }
    }

    /// Returns true if only a number is printed, as for `git diff | tiktally count`.
    fn is_number_only(&self) -> bool {
        self.paths.is_empty() && !self.json && !self.by_extension && self.window.is_none()
    }
}

/// The result for one input.
enum Outcome {
    Counted(Row),
    Skipped(Skip),
    Failed(InputError),
}

/// Runs `tiktally count`.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let encoding = args.encoding()?;
    let inputs = match args.paths.as_slice() {
        [] => vec![Input::Named(input::STDIN.into())],
        paths => input::find(paths),
    };
    let outcomes = count_all(inputs, encoding, InvalidUtf8::from_flag(args.lossy));
    let report = arrange(collect(outcomes, args.verbose), args);
    // the exit code depends on the counts alone, even if the reader of the output closes the pipe early
    unless_closed(print(&report, encoding, args))?;
    Ok(exit_code(&report, args.limit))
}

/// Prints the report in the format that the arguments choose.
fn print(report: &Report, encoding: &Encoding, args: &Args) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    if args.json {
        report.print_json(encoding.name(), args.window.as_ref(), &mut out)?;
    } else if !args.is_number_only() {
        report.print(args.window.as_ref(), &mut out)?;
    } else if report.failed == 0 {
        writeln!(out, "{}", report.total.tokens)?;
    }
    out.flush()
}

/// Counts the inputs on all threads. The outcomes are in the order of the inputs.
fn count_all(inputs: Vec<Input>, encoding: &Encoding, invalid: InvalidUtf8) -> Vec<Outcome> {
    let progress = Progress::new(inputs.iter().map(input_size).sum());
    let count = |input| count_input(input, encoding, invalid, &progress);
    let is_stdin = |input: &Input| matches!(input, Input::Named(path) if input::is_stdin(path));
    // standard input is read first and in order: if it is named twice, the first time has its text
    let inputs: Vec<Result<Outcome, Input>> = inputs
        .into_iter()
        .map(|input| {
            if is_stdin(&input) {
                Ok(count(input))
            } else {
                Err(input)
            }
        })
        .collect();
    let inputs = inputs.into_par_iter();
    inputs.map(|input| input.unwrap_or_else(count)).collect()
}

/// Returns the size of an input in bytes, for the progress bar; 0 if it is not known.
fn input_size(input: &Input) -> u64 {
    match input {
        Input::Named(path) | Input::InDirectory(path) => input::file_size(path),
        Input::Skipped(_) | Input::Failed(_) => 0,
    }
}

/// Reads and counts one input.
fn count_input(
    input: Input,
    encoding: &Encoding,
    invalid: InvalidUtf8,
    progress: &Progress,
) -> Outcome {
    let (path, row) = match input {
        Input::Skipped(skip) => return Outcome::Skipped(skip),
        Input::Failed(error) => return Outcome::Failed(error),
        Input::Named(path) if !path.is_file() => {
            let row = count_stream(&path, encoding, invalid, progress);
            (path, row.map(Ok))
        }
        Input::Named(path) => {
            let text = input::read(&path, invalid);
            let row = text.map(|text| Ok(count(&text, encoding, progress)));
            (path, row)
        }
        Input::InDirectory(path) => {
            let text = input::read_unless_binary(&path, invalid);
            let row = text.map(|text| text.map(|text| count(&text, encoding, progress)));
            (path, row)
        }
    };
    match row {
        Ok(Ok(row)) => Outcome::Counted(row.named(path)),
        Ok(Err(skip)) => {
            progress.add(input::file_size(&path));
            Outcome::Skipped(skip)
        }
        Err(error) => {
            progress.add(input::file_size(&path));
            Outcome::Failed(error)
        }
    }
}

/// Counts a text that is in memory, on all threads if it is large.
fn count(text: &Text, encoding: &Encoding, progress: &Progress) -> Row {
    let parts: Vec<&str> = encoding
        .independent_parts(&text.text, PARALLEL_PART_BYTES)
        .collect();
    let counts = parts.into_par_iter().map(|part| {
        let tokens = encoding.count(part);
        progress.add(part.len() as u64);
        tokens
    });
    Row::new(counts.sum(), text.input_bytes)
}

/// Counts standard input or a pipe block by block, because its size is unknown and may exceed the memory.
fn count_stream(
    path: &Path,
    encoding: &Encoding,
    invalid: InvalidUtf8,
    progress: &Progress,
) -> Result<Row, InputError> {
    let mut blocks = Blocks::open(path, invalid)?;
    // not a `TokenCounter`: it keeps state for every prefix of an unfinished piece, however long the piece is
    let (mut encoder, mut ids, mut tokens) = (encoding.stream_encoder(), Vec::new(), 0);
    blocks.for_each(|text| {
        encoder.push(text, &mut ids);
        tokens += ids.len();
        ids.clear();
        progress.add(text.len() as u64);
    })?;
    encoder.finish(&mut ids);
    Ok(Row::new(tokens + ids.len(), blocks.bytes_done()))
}

/// Collects the counted rows, and prints a message for every input that was not counted.
fn collect(outcomes: Vec<Outcome>, verbose: bool) -> Report {
    let mut report = Report::default();
    for outcome in outcomes {
        match outcome {
            Outcome::Counted(row) => report.rows.push(row),
            Outcome::Failed(error) => {
                print_message(error);
                report.failed += 1;
            }
            Outcome::Skipped(skip) => {
                report.binary += usize::from(skip.reason == SkipReason::Binary);
                if verbose {
                    print_message(skip);
                }
            }
        }
    }
    if report.binary > 0 && !verbose {
        let files = if report.binary == 1 { "file" } else { "files" };
        print_message(format_args!(
            "skipped {} binary {files}; -v lists them",
            report.binary
        ));
    }
    report
}

/// Groups, sorts and cuts the rows as the arguments ask.
fn arrange(mut report: Report, args: &Args) -> Report {
    report.sum_rows();
    if args.by_extension {
        report.group_by(|name| Path::new(name).extension().map(Into::into));
    }
    if args.top.is_some() || args.by_extension || args.sort == Some(Sort::Tokens) {
        report.rows.sort_by_key(|row| std::cmp::Reverse(row.tokens));
    }
    if let Some(top) = args.top {
        report.list_first(top);
    }
    if args.sort == Some(Sort::Path) {
        report.rows.sort_by(|one, other| one.name.cmp(&other.name));
    }
    report
}

/// Returns the exit code, and prints a message if the total exceeds the limit.
fn exit_code(report: &Report, limit: Option<usize>) -> ExitCode {
    if let Some(code) = over_limit(report.total.tokens, limit) {
        return code;
    }
    match report.failed {
        0 => ExitCode::SUCCESS,
        _ => EXIT_INCOMPLETE.into(),
    }
}
