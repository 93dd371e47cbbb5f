//! `tiktally count`: the tokens of standard input, files and folders.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use rayon::prelude::*;
use tiktally::Encoding;

use crate::choice::Choice;
use crate::input::{self, Blocks, Found, Refusal, Skip, Text, Why, Wrong};
use crate::progress::Progress;
use crate::tally::{Row, Tally, Window};
use crate::terminal::tokens;
use crate::{Failure, INCOMPLETE, OVER, complain, unless_closed};

const EXAMPLES: &str = "\
Examples:
  tiktally count README.md
  git diff | tiktally count                         a number and nothing else
  tiktally count --top 10 .                         where the tokens of a project are
  tiktally count --by-extension --window gpt-4o .   which share of the window each language takes
  tiktally count --limit 100000 src > /dev/null     in a hook: exit code 3 if it is over
  tiktally count --json . | jq .total.tokens

Files must be UTF-8. A text that spells a special token, <|endoftext|> for example, is counted as plain text.";

/// A huge text is counted in parts of this size, by all threads.
const PART: usize = 4 << 20;

/// Count the tokens of files, folders or standard input, like wc
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[allow(clippy::struct_excessive_bools)] // flags
pub(crate) struct Args {
    #[command(flatten)]
    choice: Choice,

    /// Files and folders; - is standard input, and so is no path at all. Of a folder, binary and hidden files, links and
    /// what .gitignore names are left out
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Print one object of JSON
    #[arg(long)]
    json: bool,

    /// Sort by tokens, most first, or by path [without it: as they are named and found]
    #[arg(long, value_name = "BY")]
    sort: Option<Sort>,

    /// List only those with the most tokens; the total has them all
    #[arg(long, value_name = "N")]
    top: Option<usize>,

    /// Add up the files of the same extension
    #[arg(long)]
    by_extension: bool,

    /// Show the share of this model's context window; without -m and -e, count as this model does
    #[arg(long, value_name = "MODEL", value_parser = Window::of)]
    window: Option<Window>,

    /// End with exit code 3 if there are more tokens in total
    #[arg(long, value_name = "N")]
    limit: Option<usize>,

    /// Count bytes that are not UTF-8 as U+FFFD, instead of refusing the file
    #[arg(long)]
    lossy: bool,

    /// Say which files in folders are left out, and why, but for those that .gitignore names
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sort {
    Tokens,
    Path,
}

impl Args {
    fn encoding(&self) -> Result<&'static Encoding, tiktally::Error> {
        match &self.window {
            Some(window) => self.choice.or_of_model(&window.model),
            None => self.choice.encoding(),
        }
    }

    /// Whether a number is all that is wanted.
    fn is_bare(&self) -> bool {
        self.paths.is_empty() && !self.json && !self.by_extension && self.window.is_none()
    }
}

/// What became of something that was found.
enum Outcome {
    Counted(Row),
    Skipped(Skip),
    Refused(Refusal),
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let encoding = args.encoding()?;
    let found = match args.paths.as_slice() {
        [] => vec![Found::Named(input::STDIN.into())],
        paths => input::find(paths),
    };
    let outcomes = count_all(found, encoding, Wrong::of(args.lossy));
    let tally = arranged(told(outcomes, args.verbose), args);
    // what was found out holds, whether or not someone reads all of it
    unless_closed(print(&tally, encoding, args))?;
    Ok(exit_code(&tally, args.limit))
}

fn print(tally: &Tally, encoding: &Encoding, args: &Args) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    if args.json {
        tally.print_json(encoding.name(), args.window.as_ref(), &mut out)?;
    } else if !args.is_bare() {
        tally.print(args.window.as_ref(), &mut out)?;
    } else if tally.refused == 0 {
        writeln!(out, "{}", tally.total.tokens)?;
    }
    out.flush()
}

/// Counts on all threads; the outcomes are in the order of what was found.
fn count_all(found: Vec<Found>, encoding: &Encoding, wrong: Wrong) -> Vec<Outcome> {
    let progress = Progress::of(found.iter().map(size).sum());
    let count = |found| outcome(found, encoding, wrong, &progress);
    let is_stdin = |found: &Found| matches!(found, Found::Named(path) if input::is_stdin(path));
    // standard input that is named twice has its text the first time
    let found: Vec<Result<Outcome, Found>> = found
        .into_iter()
        .map(|found| {
            if is_stdin(&found) {
                Ok(count(found))
            } else {
                Err(found)
            }
        })
        .collect();
    let found = found.into_par_iter();
    found.map(|found| found.unwrap_or_else(count)).collect()
}

fn size(found: &Found) -> u64 {
    match found {
        Found::Named(path) | Found::Inside(path) => len(path),
        Found::Skipped(_) | Found::Refused(_) => 0,
    }
}

fn len(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

fn outcome(found: Found, encoding: &Encoding, wrong: Wrong, progress: &Progress) -> Outcome {
    let (path, row) = match found {
        Found::Skipped(skip) => return Outcome::Skipped(skip),
        Found::Refused(refusal) => return Outcome::Refused(refusal),
        Found::Named(path) if !path.is_file() => {
            let row = count_stream(&path, encoding, wrong, progress);
            (path, row.map(Ok))
        }
        Found::Named(path) => {
            let text = input::read(&path, wrong);
            let row = text.map(|text| Ok(count(&text, encoding, progress)));
            (path, row)
        }
        Found::Inside(path) => {
            let text = input::read_inside(&path, wrong);
            let row = text.map(|text| text.map(|text| count(&text, encoding, progress)));
            (path, row)
        }
    };
    match row {
        Ok(Ok(row)) => Outcome::Counted(row.of(path)),
        Ok(Err(skip)) => {
            progress.add(len(&path));
            Outcome::Skipped(skip)
        }
        Err(refusal) => {
            progress.add(len(&path));
            Outcome::Refused(refusal)
        }
    }
}

fn count(text: &Text, encoding: &Encoding, progress: &Progress) -> Row {
    let parts: Vec<&str> = encoding.independent_parts(&text.text, PART).collect();
    let counts = parts.into_par_iter().map(|part| {
        let tokens = encoding.count(part);
        progress.add(part.len() as u64);
        tokens
    });
    Row::new(counts.sum(), text.bytes)
}

/// Counts what has no size, standard input or a pipe, as it comes: there may be any amount of it.
fn count_stream(
    path: &Path,
    encoding: &Encoding,
    wrong: Wrong,
    progress: &Progress,
) -> Result<Row, Refusal> {
    let mut blocks = Blocks::of(path, wrong)?;
    // a counter would remember every beginning of a piece, however long it is
    let (mut encoder, mut ids, mut tokens) = (encoding.stream_encoder(), Vec::new(), 0);
    blocks.each(|text| {
        encoder.push(text, &mut ids);
        tokens += ids.len();
        ids.clear();
        progress.add(text.len() as u64);
    })?;
    encoder.finish(&mut ids);
    Ok(Row::new(tokens + ids.len(), blocks.bytes()))
}

/// What was counted. What was not is told on standard error.
fn told(outcomes: Vec<Outcome>, verbose: bool) -> Tally {
    let mut tally = Tally::default();
    for outcome in outcomes {
        match outcome {
            Outcome::Counted(row) => tally.rows.push(row),
            Outcome::Refused(refusal) => {
                complain(refusal);
                tally.refused += 1;
            }
            Outcome::Skipped(skip) => {
                tally.binary += usize::from(skip.why == Why::Binary);
                if verbose {
                    complain(skip);
                }
            }
        }
    }
    if tally.binary > 0 && !verbose {
        let files = if tally.binary == 1 {
            "file is"
        } else {
            "files are"
        };
        complain(format_args!(
            "{} binary {files} left out; -v says which",
            tally.binary
        ));
    }
    tally
}

/// The rows that are wanted, in the order that is wanted.
fn arranged(mut tally: Tally, args: &Args) -> Tally {
    tally.total_up();
    if args.by_extension {
        tally.group(|name| Path::new(name).extension().map(Into::into));
    }
    if args.top.is_some() || args.by_extension || args.sort == Some(Sort::Tokens) {
        tally.rows.sort_by_key(|row| std::cmp::Reverse(row.tokens));
    }
    if let Some(top) = args.top {
        tally.keep(top);
    }
    if args.sort == Some(Sort::Path) {
        tally.rows.sort_by(|one, other| one.name.cmp(&other.name));
    }
    tally
}

fn exit_code(tally: &Tally, limit: Option<usize>) -> ExitCode {
    let total = tally.total.tokens;
    if let Some(limit) = limit.filter(|limit| total > *limit) {
        let over = total - limit;
        let verb = if total == 1 { "is" } else { "are" };
        complain(format_args!(
            "{} {verb} {over} more than the limit of {limit}",
            tokens(total)
        ));
        return OVER.into();
    }
    match tally.refused {
        0 => ExitCode::SUCCESS,
        _ => INCOMPLETE.into(),
    }
}
