//! `tiktally count`: the tokens of standard input, files and directories.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use rayon::prelude::*;
use tiktally::Encoding;

use crate::charset::{Decoding, DecodingArgs};
use crate::choice::Choice;
use crate::folders::{self, FolderArgs, Input, ListArgs};
use crate::input::{self, Blocks, InputError, Skip, SkipReason};
use crate::parts::{self, Parts};
use crate::progress::Progress;
use crate::report::{Report, Row, Window};
use crate::special::{Part, SpecialArgs};
use crate::tokenizer;
use crate::{EXIT_INCOMPLETE, ExitCode, Failure, over_limit, print_message, unless_closed};

const EXAMPLES: &str = "\
Examples:
  tiktally count README.md
  git diff | tiktally count                         only the number of tokens
  tiktally count --top 10 .                         the largest files
  tiktally count --by-extension --window gpt-4o .   languages, share of a window
  tiktally count --limit 100000 src > /dev/null     exit code 3 if over, for CI
  tiktally count --tokenizer tokenizer.json src     with the tokenizer of another model
  tiktally count --json . | jq .total.tokens
  tiktally count --depth 1 --include '*.md' .       the sums of folders
  find . -name '*.md' -print0 | tiktally count -0 --files-from - --total-only

Text is UTF-8, or UTF-16 with a byte order mark; --charset names others. Globs are those of .gitignore, relative to the named directory.";

/// The largest size of a file that is read as a whole, in bytes.
const SMALL_BYTES: u64 = 1 << 20;

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

    #[command(flatten)]
    list: ListArgs,

    #[command(flatten)]
    folders: FolderArgs,

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

    /// Print one row per directory, up to N levels below the given ones, with all files in it, as du -d does
    #[arg(long, value_name = "N", conflicts_with = "by_extension")]
    depth: Option<usize>,

    /// Print only the total number of tokens
    #[arg(long, conflicts_with_all = ["json", "by_extension", "depth", "top", "sort"])]
    total_only: bool,

    /// Show the share of this model's context window, or of a number of tokens; a model also sets the encoding unless -m
    /// or -e is given
    #[arg(long, value_name = "MODEL|N", value_parser = Window::parse)]
    window: Option<Window>,

    /// Exit with code 3 if the total exceeds N tokens
    #[arg(long, value_name = "N")]
    limit: Option<usize>,

    #[command(flatten)]
    special: SpecialArgs,

    #[command(flatten)]
    decoding: DecodingArgs,

    /// List the skipped files and the reasons, except files that .gitignore or a glob excludes, and the files in UTF-16
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sort {
    Tokens,
    Path,
}

impl Args {
    /// Returns the encoding of `-m`, `-e`, `--tokenizer` or else `--window`, or the default.
    fn encoding(&self) -> Result<&'static Encoding, Failure> {
        match self.window.as_ref().and_then(Window::model) {
            Some(model) => self.choice.encoding_or_of_model(model),
            None => self.choice.encoding(),
        }
    }

    /// Returns true if only a number is printed, as for `git diff | tiktally count`.
    fn is_number_only(&self) -> bool {
        let is_stdin = self.paths.is_empty() && self.list.files_from.is_none();
        let has_table = self.by_extension || self.depth.is_some() || self.window.is_some();
        self.total_only || is_stdin && !self.json && !has_table
    }
}

/// The result for one input.
enum Outcome {
    Counted {
        row: Row,
        /// The charset that a byte order mark gave.
        marked: Option<&'static str>,
    },
    Skipped(Skip),
    Failed(InputError),
}

/// Runs `tiktally count`.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let encoding = args.encoding()?;
    let inputs = match (args.paths.as_slice(), &args.list.files_from) {
        ([], None) => vec![Input::Named(input::STDIN.into())],
        (paths, _) => folders::find(&args.list.with_list(paths)?, &args.folders),
    };
    let outcomes = count_all(inputs, encoding, args);
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
    } else if report.failed == 0 || report.total.files > 0 {
        writeln!(out, "{}", report.total.tokens)?;
    }
    out.flush()
}

/// Counts the inputs on all threads. The outcomes are in the order of the inputs.
fn count_all(inputs: Vec<Input>, encoding: &Encoding, args: &Args) -> Vec<Outcome> {
    let counting = Counting {
        encoding,
        special: args.special,
        decoding: args.decoding.into(),
        progress: Progress::new(inputs.iter().map(input_size).sum()),
    };
    let is_stdin = |input: &Input| matches!(input, Input::Named(path) if input::is_stdin(path));
    // standard input is read first and in order: if it is named twice, the first time has its text
    let inputs: Vec<Result<Outcome, Input>> = inputs
        .into_iter()
        .map(|input| {
            if is_stdin(&input) {
                Ok(counting.input(input))
            } else {
                Err(input)
            }
        })
        .collect();
    let inputs = inputs.into_par_iter();
    let outcomes = inputs.map(|input| input.unwrap_or_else(|input| counting.input(input)));
    outcomes.collect()
}

/// Returns the size of an input in bytes, for the progress bar; 0 if it is not known.
fn input_size(input: &Input) -> u64 {
    match input {
        Input::Named(path) | Input::InDirectory { path, .. } => input::file_size(path),
        Input::Skipped(_) | Input::Failed(_) => 0,
    }
}

/// What is the same for all inputs.
struct Counting<'e> {
    encoding: &'e Encoding,
    special: SpecialArgs,
    decoding: Decoding,
    progress: Progress,
}

/// The counts of one text, or the reason why a file in a directory has none.
type Counted = Result<(Row, Option<&'static str>), Skip>;

impl Counting<'_> {
    /// Reads and counts one input.
    fn input(&self, input: Input) -> Outcome {
        let (path, root, counted) = match input {
            Input::Skipped(skip) => return Outcome::Skipped(skip),
            Input::Failed(error) => return Outcome::Failed(error),
            Input::Named(path) => {
                let counted = self.file(&path, false);
                (path, None, counted)
            }
            Input::InDirectory { path, root } => {
                let counted = self.file(&path, true);
                (path, Some(root), counted)
            }
        };
        match counted {
            Ok(Ok((row, marked))) => {
                let row = row.named(path, root);
                Outcome::Counted { row, marked }
            }
            Ok(Err(skip)) => Outcome::Skipped(skip),
            Err(error) => Outcome::Failed(error),
        }
    }

    /// Counts a file, a pipe or standard input. Skips a binary file if `may_skip`.
    fn file(&self, path: &Path, may_skip: bool) -> Result<Counted, InputError> {
        let size = input::file_size(path);
        // the size of a pipe is unknown, and may exceed the memory
        if !path.is_file() || size > SMALL_BYTES {
            return self.stream(path, may_skip);
        }
        let text = if may_skip {
            input::read_unless_binary(path, self.decoding)
        } else {
            input::read(path, self.decoding).map(Ok)
        };
        self.progress.add(size);
        Ok(match text? {
            Ok(text) => {
                self.note_normal_form(&text.text, path);
                let tokens = self.special.count(&text.text, self.encoding);
                let tokens = tokens.map_err(|rejected| rejected.in_input(path))?;
                Ok((Row::new(tokens, text.input_bytes), text.marked))
            }
            Err(skip) => Err(skip),
        })
    }

    fn note_normal_form(&self, text: &str, path: &Path) {
        if let Some(note) = tokenizer::normal_form_note(self.encoding, text, path) {
            self.progress.suspend(|| print_message(note));
        }
    }

    /// Counts an input block by block on all threads, so that its size does not matter.
    fn stream(&self, path: &Path, may_skip: bool) -> Result<Counted, InputError> {
        let mut blocks = Blocks::open(path, self.decoding)?;
        let size = path.is_file().then(|| input::file_size(path));
        let tokens = parts::count(self.encoding, size, |parts| {
            self.read(&mut blocks, path, may_skip, parts)
        });
        match tokens {
            Ok(tokens) => {
                let row = Row::new(tokens, blocks.bytes_done());
                Ok(Ok((row, blocks.marked())))
            }
            Err(Stop::Binary) => Ok(Err(Skip::new(path, SkipReason::Binary))),
            Err(Stop::Failed(error)) if may_skip && error.is_malformed() => {
                if blocks.rest_is_binary()? {
                    Ok(Err(Skip::new(path, SkipReason::Binary)))
                } else {
                    Err(error)
                }
            }
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    /// Reads an input to its end, and passes its text to `parts`.
    fn read(
        &self,
        blocks: &mut Blocks,
        path: &Path,
        may_skip: bool,
        parts: &mut Parts,
    ) -> Result<(), Stop> {
        let mut finder = self.special.finder(self.encoding);
        let mut take = |part: Part| match part {
            Part::Text(text) => parts.push(text),
            Part::Special(_) => parts.push_special(),
        };
        let mut is_more = true;
        while is_more {
            let mut done = Ok(());
            let before = blocks.bytes_done();
            is_more = blocks.next(|text| {
                self.note_normal_form(text, path);
                done = if may_skip && memchr::memchr(0, text.as_bytes()).is_some() {
                    Err(Stop::Binary)
                } else {
                    let found = finder.push(text, &mut take);
                    found.map_err(|rejected| rejected.in_input(path).into())
                };
            })?;
            done?;
            self.progress.add((blocks.bytes_done() - before) as u64);
        }
        let found = finder.finish(take);
        found.map_err(|rejected| rejected.in_input(path).into())
    }
}

/// The reason to read no more of an input.
enum Stop {
    Binary,
    Failed(InputError),
}

impl From<InputError> for Stop {
    fn from(error: InputError) -> Self {
        Self::Failed(error)
    }
}

/// Collects the counted rows, and prints a message for every input that was not counted.
fn collect(outcomes: Vec<Outcome>, verbose: bool) -> Report {
    let mut report = Report::default();
    for outcome in outcomes {
        match outcome {
            Outcome::Counted { row, marked } => {
                if let (Some(charset), true) = (marked, verbose) {
                    let name = input::display_name(Path::new(&row.name));
                    print_message(format_args!("{name}: read as {charset}"));
                }
                report.rows.push(row);
            }
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
    if let Some(depth) = args.depth {
        report.group_by_folder(depth);
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
