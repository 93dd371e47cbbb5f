//! `tiktally count`: the tokens of standard input, files and folders.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::choice::Choice;
use crate::{Failure, INCOMPLETE, complain, input};

const EXAMPLES: &str = "\
Examples:
  tiktally count README.md
  tiktally count -m gpt-4 src tests
  git diff | tiktally count

Files must be UTF-8. A text that spells a special token, <|endoftext|> for example, is counted as plain text.";

/// Count the tokens of files, folders or standard input, like wc
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    choice: Choice,

    /// Files and folders; - is standard input, and so is no path at all. Of a folder, hidden files, links and what
    /// .gitignore names are left out
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// What was counted. Nothing is printed until the end, because the total decides how wide the column is.
#[derive(Debug, Default)]
struct Tally {
    rows: Vec<(usize, PathBuf)>,
    refused: usize,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let encoding = args.choice.encoding()?;
    let count = |path: PathBuf| Ok((encoding.count(&input::read(&path)?), path));
    let mut tally = Tally::default();
    let mut out = BufWriter::new(io::stdout().lock());
    if args.paths.is_empty() {
        tally.add(count(input::STDIN.into()));
        tally.print_bare(&mut out)?;
    } else {
        let files = args.paths.iter().flat_map(|path| input::files(path));
        files.for_each(|file| tally.add(file.and_then(count)));
        tally.print(&mut out)?;
    }
    out.flush()?;
    Ok(tally.exit_code())
}

impl Tally {
    fn add(&mut self, counted: Result<(usize, PathBuf), input::Refusal>) {
        match counted {
            Ok(row) => self.rows.push(row),
            Err(refusal) => {
                complain(refusal);
                self.refused += 1;
            }
        }
    }

    /// A number and nothing else, as scripts want it.
    fn print_bare(&self, out: &mut impl Write) -> io::Result<()> {
        for (tokens, _) in &self.rows {
            writeln!(out, "{tokens}")?;
        }
        Ok(())
    }

    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let total: usize = self.rows.iter().map(|(tokens, _)| tokens).sum();
        let width = total.to_string().len();
        for (tokens, path) in &self.rows {
            write!(out, "{tokens:>width$} ")?;
            // The bytes as they are: the next command in the pipe must find a file whose name is not UTF-8.
            out.write_all(path.as_os_str().as_encoded_bytes())?;
            writeln!(out)?;
        }
        // As `wc` does it, refused files make a total too; so does an empty folder.
        match self.rows.len() + self.refused {
            1 => Ok(()),
            _ => writeln!(out, "{total:>width$} total"),
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self.refused {
            0 => ExitCode::SUCCESS,
            _ => INCOMPLETE.into(),
        }
    }
}
