//! `tiktally chat`: the tokens of chat requests, part by part, or by model for files of many requests.

mod counting;
mod entry;
mod json;
mod tables;
mod totals;

use std::fmt::Display;
use std::io::{self, BufWriter, StdoutLock, Write};
use std::mem;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use self::counting::{Counted, CountedLine, Counting, ImageSize, Model};
use self::totals::Totals;
use crate::charset::Decoding;
use crate::input::{self, InputError};
use crate::lines::Lines;
use crate::progress::Progress;
use crate::terminal::{plural, printable, write_name};
use crate::{EXIT_INCOMPLETE, ExitCode, Failure, over_limit, print_message, unless_closed};

const EXAMPLES: &str = "\
Examples:
  tiktally chat request.json
  tiktally chat -m gpt-4o --json deployments/*.json | jq .left
  tiktally chat --limit 1000000 batch.jsonl          totals by model; exit code 3 if over
  tiktally chat -m gpt-4o-mini training.jsonl        a fine-tuning file names no model
  tiktally chat --json batch.jsonl | jq .total       a line for each request
  tiktally chat --strict --explain request.json      which rules, and how sure they are
  tiktally chat --as-of 2026-03-03 old.json          with the rules of that day
  tiktally chat --image-size 1024x768 request.json   the size of linked images
  echo '{\"model\": \"gpt-4o\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello!\"}]}' | tiktally chat

A file has a request on each line if its name ends in .jsonl or .ndjson, or if its first line is a whole JSON object and \
another object follows. A line is a request body, an example for fine-tuning, or a line of a batch file with its \
custom_id, url and body.

An estimate states its reason. The answer must also fit in the tokens left.";

/// Count the tokens of chat requests, and those left in the context window
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Count for this model instead of the one in the request; needed if the request has no model or a deployment name
    #[arg(short, long, value_parser = Model::from_name)]
    model: Option<Model>,

    /// Refused with a reason.
    #[arg(long, hide = true, value_name = "FILE", value_parser = counting::no_tokenizer)]
    tokenizer: Option<String>,

    /// Print one JSON object per line for each request
    #[arg(long)]
    json: bool,

    /// Print the rules that each count used, how many recorded requests were billed so, and how many others were not
    #[arg(long)]
    explain: bool,

    /// Exit with code 1 if a count is an estimate, and say why it is one
    #[arg(long)]
    strict: bool,

    /// Exit with code 3 if the total of all requests exceeds N tokens
    #[arg(long, value_name = "N")]
    limit: Option<usize>,

    /// Count as the service did on this day, such as 2026-03-03 [default: the newest rules]
    #[arg(long, value_name = "DATE", value_parser = counting::date)]
    as_of: Option<String>,

    /// Take this size in pixels for images that are links, which are never fetched
    #[arg(long, value_name = "WxH", value_parser = ImageSize::parse)]
    image_size: Option<ImageSize>,

    /// Files with request bodies, as sent to the API in JSON, or with a request on each line; without one, or for -, reads
    /// standard input
    #[arg(value_name = "REQUEST")]
    paths: Vec<PathBuf>,
}

/// Runs `tiktally chat`.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let stdin = [PathBuf::from(input::STDIN)];
    let paths = match args.paths.as_slice() {
        [] => &stdin,
        paths => paths,
    };
    let mut run = Run::new(args, paths);
    for path in paths {
        if let Err(failure) = run.input(path) {
            run.fail(failure)?;
        }
        if run.is_needless() {
            break;
        }
    }
    run.print_totals()?;
    Ok(run.exit_code())
}

/// The counts so far, and where they are printed.
struct Run<'a> {
    args: &'a Args,
    counting: Counting<'a>,
    has_several_inputs: bool,
    /// True if an input has a request on each line.
    has_lines: bool,
    totals: Totals,
    progress: Progress,
    out: BufWriter<StdoutLock<'static>>,
    /// True if the reader of the output has closed the pipe.
    is_closed: bool,
}

impl<'a> Run<'a> {
    fn new(args: &'a Args, paths: &[PathBuf]) -> Self {
        let bytes = paths.iter().map(|path| input::file_size(path)).sum();
        Self {
            args,
            counting: Counting {
                model: args.model.as_ref(),
                as_of: args.as_of.as_deref(),
                image_size: args.image_size,
            },
            has_several_inputs: paths.len() > 1,
            has_lines: false,
            totals: Totals::default(),
            progress: Progress::new(bytes),
            out: BufWriter::new(io::stdout().lock()),
            is_closed: false,
        }
    }

    /// Counts and prints an input: one request, or one on each line.
    fn input(&mut self, path: &Path) -> Result<(), Failure> {
        let mut lines = Lines::open(path)?;
        if lines.are_objects()? {
            return self.file(path, lines);
        }
        let body = input::decode_all(lines.rest()?, Decoding::STRICT, path)?;
        let counted = self.counting.body(&body.text);
        let counted = counted.map_err(|problem| InputError::new(path, printable(&problem)))?;
        self.progress.add(body.input_bytes as u64);
        self.totals.count(&counted);
        self.doubt(&counted, path, None);
        let (args, has_name) = (self.args, self.has_several_inputs);
        self.print(|out| match (args.json, has_name) {
            (true, _) => json::print(&counted, path, out),
            (false, false) => tables::print(&counted, args.explain, "", out),
            (false, true) => {
                write_name(path.as_os_str(), out)?;
                writeln!(out)?;
                tables::print(&counted, args.explain, "  ", out)?;
                writeln!(out)
            }
        })
    }

    /// Counts and prints an input with a request on each line.
    fn file(&mut self, path: &Path, lines: Lines<'_>) -> Result<(), Failure> {
        self.has_lines = true;
        let mut totals = Totals::default();
        let read = self.lines(path, lines, &mut totals);
        if read.is_ok() && totals.asked() == 0 {
            return Err(InputError::new(path, "the file has no requests".to_owned()).into());
        }
        let args = self.args;
        if self.has_several_inputs && !args.json && totals.counted() > 0 {
            self.print(|out| {
                write_name(path.as_os_str(), out)?;
                writeln!(out)?;
                totals.print_by_model(args.explain, out)?;
                writeln!(out)
            })?;
        }
        self.totals.add(totals);
        read
    }

    /// Counts the lines of an input, a block at a time and on all threads, and prints them in order with `--json`.
    fn lines(
        &mut self,
        path: &Path,
        mut lines: Lines<'_>,
        totals: &mut Totals,
    ) -> Result<(), Failure> {
        while let Some(block) = lines.next()? {
            let block = block.into_par_iter();
            let counted = block.map(|line| self.counting.line(line, path));
            let counted: Vec<Result<CountedLine, InputError>> = counted.collect();
            self.progress.add(lines.block_bytes() as u64);
            for counted in &counted {
                match counted {
                    Ok(line) => {
                        totals.count(&line.counted);
                        self.doubt(&line.counted, path, Some(line.number));
                    }
                    Err(error) => {
                        totals.fail();
                        self.complain(error);
                    }
                }
            }
            let args = self.args;
            if args.json {
                let mut counted = counted.iter().flatten();
                self.print(|out| {
                    counted.try_for_each(|line| json::print_line(line, path, args.explain, out))
                })?;
            }
            if self.is_needless() {
                break;
            }
        }
        Ok(())
    }

    /// Prints the totals, unless the only input is one request.
    fn print_totals(&mut self) -> Result<(), Failure> {
        let (args, totals) = (self.args, mem::take(&mut self.totals));
        if !args.json && totals.counted() > 0 && (self.has_lines || self.has_several_inputs) {
            let has_lines = self.has_lines;
            self.print(|out| {
                let (counted, asked) = (totals.counted(), totals.asked());
                writeln!(out, "{counted} of {asked} request{}", plural(asked))?;
                if has_lines {
                    totals.print_by_model(args.explain, out)
                } else {
                    totals.print(out)
                }
            })?;
        }
        self.totals = totals;
        Ok(())
    }

    /// Returns the exit code, and prints a message if the total exceeds the limit.
    fn exit_code(&self) -> ExitCode {
        if let Some(code) = over_limit(self.totals.tokens(), self.args.limit) {
            return code;
        }
        let is_refused = self.args.strict && self.totals.has_estimates();
        if is_refused || self.totals.counted() < self.totals.asked() {
            return EXIT_INCOMPLETE.into();
        }
        ExitCode::SUCCESS
    }

    /// Prints a message if the count is an estimate and `--strict` is given.
    fn doubt(&self, counted: &Counted, path: &Path, line: Option<usize>) {
        if let Some(reason) = counted.estimate_reason().filter(|_| self.args.strict) {
            let problem = format!("the count is an estimate: {reason}");
            self.complain(match line {
                Some(number) => counting::in_line(path, number, &problem),
                None => InputError::new(path, printable(&problem)),
            });
        }
    }

    /// Counts an input that failed, and prints its error. Any other failure ends the run.
    fn fail(&mut self, failure: Failure) -> Result<(), Failure> {
        let Failure::Input(error) = failure else {
            return Err(failure);
        };
        self.totals.fail();
        self.complain(error);
        Ok(())
    }

    fn complain(&self, problem: impl Display) {
        self.progress.suspend(|| print_message(problem));
    }

    /// Prints a part of the output, unless the reader has closed the pipe.
    fn print(
        &mut self,
        print: impl FnOnce(&mut BufWriter<StdoutLock<'static>>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        if self.is_closed {
            return Ok(());
        }
        let out = &mut self.out;
        let printed = self
            .progress
            .suspend(|| print(out).and_then(|()| out.flush()));
        self.is_closed =
            matches!(&printed, Err(error) if error.kind() == io::ErrorKind::BrokenPipe);
        unless_closed(printed)
    }

    /// Returns true if nothing depends on further counts: the output is not read, and no option decides by them.
    fn is_needless(&self) -> bool {
        self.is_closed && self.args.limit.is_none() && !self.args.strict
    }
}
