//! `tiktally show`: a text with its tokens told apart, on the terminal or as a page.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstyle::{Ansi256Color, Style};
use tiktally::{Encoding, TokenId};

use crate::Failure;
use crate::choice::Choice;
use crate::input::{self, Refusal, Source, Text};
use crate::page;
use crate::terminal::{self, has_colours, push_visible};

const EXAMPLES: &str = "\
Examples:
  tiktally show prompt.txt
  echo 'naïve 🦀' | tiktally show --ids
  tiktally show --html tokens.html prompt.txt
  tiktally show --color always long.txt | less -R

Without colours, │ is between tokens; ⏎ is a newline that belongs to the token before it.
A character that is several tokens is shown as its bytes, \\xf0 for example.
A page is some eight times as large as its text.";

/// Show where the tokens of a text begin and end
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    choice: Choice,

    /// List the tokens, a line each: the id, the bytes, and the text where it is other than ASCII
    #[arg(long)]
    ids: bool,

    /// Write a page for the browser into this file, - for standard output; it compares encodings and needs no network
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    #[command(flatten)]
    source: Source,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let encoding = args.choice.encoding()?;
    let text = args.source.read()?;
    if let Some(file) = &args.html {
        let page = page::of(&args.source.path, &text.text, encoding);
        write_page(&page, file, &args.source.path)?;
        if !args.ids {
            return Ok(ExitCode::SUCCESS);
        }
    }
    let ids = encoding.encode_ordinary(&text.text);
    let mut out = BufWriter::new(io::stdout().lock());
    if args.ids {
        list(&ids, encoding, &mut out)?;
    } else {
        paint(&ids, encoding, &mut out)?;
        sum_up(&text, ids.len(), encoding, &mut out)?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Never over the text itself.
fn write_page(page: &str, file: &Path, text: &Path) -> Result<(), Failure> {
    if input::is_stdin(file) {
        io::stdout().lock().write_all(page.as_bytes())?;
        return Ok(());
    }
    if let (Ok(file), Ok(text)) = (file.canonicalize(), text.canonicalize())
        && file == text
    {
        return Err(format!("--html would write over the text, {}", file.display()).into());
    }
    fs::write(file, page).map_err(|error| Refusal::io(file, error).into())
}

/// Light grounds for dark letters, so that the colours of the terminal do not matter. Five, so that neighbours differ, also
/// to an eye that takes two of them for one.
const GROUNDS: [u8; 5] = [153, 229, 157, 223, 219];

fn style(i: usize) -> Style {
    let ground = GROUNDS[i % GROUNDS.len()];
    let style = Style::new().bg_color(Some(Ansi256Color(ground).into()));
    style.fg_color(Some(Ansi256Color(16).into()))
}

/// How tokens are told apart.
struct Look {
    has_colours: bool,
}

impl Look {
    /// Appends what a token looks like, or the rest of one on a new line, which has no border before it.
    fn token(&self, i: usize, shown: &str, has_border: bool, line: &mut String) {
        let written = if self.has_colours {
            let style = style(i);
            write!(line, "{style}{shown}{style:#}")
        } else {
            let border = if has_border { "│" } else { "" };
            write!(line, "{border}{shown}")
        };
        written.expect("a string takes everything");
    }
}

/// The text, with its tokens told apart. A line is written as a whole, so that a colour never stays behind.
fn paint(ids: &[TokenId], encoding: &Encoding, out: &mut impl Write) -> io::Result<()> {
    let look = Look {
        has_colours: has_colours(),
    };
    let mut line = String::new();
    for (i, id) in ids.iter().enumerate() {
        let token = encoding.decode_single_token_bytes(*id).unwrap_or_default();
        let shown = visible(token);
        let mut has_border = i > 0;
        for part in shown.split_inclusive('\n') {
            match part.strip_suffix('\n') {
                Some(part) => {
                    look.token(i, &format!("{part}⏎"), has_border, &mut line);
                    writeln!(out, "{line}")?;
                    line.clear();
                }
                None => look.token(i, part, has_border, &mut line),
            }
            has_border = false;
        }
    }
    if !line.is_empty() {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// A token as it can be seen: bytes that are no whole characters, and characters that cannot be seen, as escapes.
/// Newlines stay.
fn visible(token: &[u8]) -> String {
    let mut shown = String::with_capacity(token.len());
    for part in token.utf8_chunks() {
        for c in part.valid().chars() {
            match c {
                '\n' => shown.push(c),
                _ => push_visible(c, &mut shown),
            }
        }
        for byte in part.invalid() {
            shown.extend(byte.escape_ascii().map(char::from));
        }
    }
    shown
}

fn sum_up(text: &Text, tokens: usize, encoding: &Encoding, out: &mut impl Write) -> io::Result<()> {
    let (bytes, name) = (text.bytes, encoding.name());
    let style = if has_colours() {
        Style::new().dimmed()
    } else {
        Style::new()
    };
    let tokens = terminal::tokens(tokens);
    writeln!(out, "{style}{tokens}, {bytes} bytes, {name}{style:#}")
}

/// A line for each token: its id, its bytes, its text if the bytes do not tell.
fn list(ids: &[TokenId], encoding: &Encoding, out: &mut impl Write) -> io::Result<()> {
    let look = Look {
        has_colours: has_colours(),
    };
    let width = encoding.max_token_value().to_string().len();
    let mut line = String::new();
    for (i, id) in ids.iter().enumerate() {
        let token = encoding.decode_single_token_bytes(*id).unwrap_or_default();
        line.clear();
        look.token(
            i,
            &format!("\"{}\"", token.escape_ascii()),
            false,
            &mut line,
        );
        if let (Ok(text), false) = (str::from_utf8(token), token.is_ascii()) {
            line.push_str("  ");
            line.push_str(&visible(text.as_bytes()).replace('\n', "⏎"));
        }
        writeln!(out, "{id:>width$}  {line}")?;
    }
    Ok(())
}
