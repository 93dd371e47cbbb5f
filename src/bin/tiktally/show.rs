//! `tiktally show`: the borders between tokens, on the terminal or as an HTML page.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anstyle::{Ansi256Color, Style};
use tiktally::{Encoding, TokenId};

use crate::choice::Choice;
use crate::input::{self, InputError, Source, Text};
use crate::page;
use crate::special::SpecialArgs;
use crate::terminal::{self, has_colours, push_visible};
use crate::tokenizer::note_normal_form;
use crate::{ExitCode, Failure};

const EXAMPLES: &str = "\
Examples:
  tiktally show prompt.txt
  echo 'naïve 🦀' | tiktally show --ids
  tiktally show --html tokens.html prompt.txt
  tiktally show --html tokens.html --tokenizer tekken.json prompt.txt
  tiktally show --color always long.txt | less -R

Without colours, │ separates tokens. ⏎ is a newline at the end of a token.
A character that is split between tokens is shown as bytes, such as \\xf0.
A page is about eight times as large as its text.";

/// Show where the tokens of a text begin and end
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    choice: Choice,

    /// List one token per line: its id, its bytes, and its text if it is not ASCII
    #[arg(long)]
    ids: bool,

    /// Write an HTML page to this file, or to standard output for -; it compares encodings and needs no network
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    #[command(flatten)]
    special: SpecialArgs,

    #[command(flatten)]
    source: Source,
}

/// Runs `tiktally show`.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let encoding = args.choice.encoding()?;
    let text = args.source.read()?;
    let path = &args.source.path;
    note_normal_form(encoding, &text.text, path);
    let ids = args.special.encode(&text.text, encoding);
    let ids = ids.map_err(|rejected| rejected.in_input(path))?;
    if let Some(file) = &args.html {
        let page = page::render(path, &text.text, encoding, args.special);
        write_page(&page, file, path)?;
        if !args.ids {
            return Ok(ExitCode::SUCCESS);
        }
    }
    let mut out = BufWriter::new(io::stdout().lock());
    if args.ids {
        print_list(&ids, encoding, &mut out)?;
    } else {
        print_text(&ids, encoding, &mut out)?;
        print_summary(&text, ids.len(), encoding, &mut out)?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the page. Rejects a file that is the input itself.
fn write_page(page: &str, file: &Path, text: &Path) -> Result<(), Failure> {
    if input::is_stdin(file) {
        io::stdout().lock().write_all(page.as_bytes())?;
        return Ok(());
    }
    if let (Ok(file), Ok(text)) = (file.canonicalize(), text.canonicalize())
        && file == text
    {
        return Err(format!("--html would overwrite the input, {}", file.display()).into());
    }
    fs::write(file, page).map_err(|error| InputError::io(file, error).into())
}

/// The background colours of tokens, in turn, as indices of the 256-colour palette.
///
/// Light backgrounds with dark letters are readable whatever the colours of the terminal are. With five colours, neighbours
/// still differ for most people who cannot distinguish two of them.
const BACKGROUNDS: [u8; 5] = [153, 229, 157, 223, 219];

/// Returns the style of the token with this index.
fn style(i: usize) -> Style {
    let background = BACKGROUNDS[i % BACKGROUNDS.len()];
    let style = Style::new().bg_color(Some(Ansi256Color(background).into()));
    style.fg_color(Some(Ansi256Color(16).into()))
}

/// Marks tokens by colours, or by a border between them.
struct Marker {
    has_colours: bool,
}

impl Marker {
    /// Appends a token, or a line of it. `has_border` is false for the first token and for further lines of a token.
    fn push(&self, i: usize, shown: &str, has_border: bool, line: &mut String) {
        let written = if self.has_colours {
            let style = style(i);
            write!(line, "{style}{shown}{style:#}")
        } else {
            let border = if has_border { "│" } else { "" };
            write!(line, "{border}{shown}")
        };
        written.expect("writing to a string cannot fail");
    }
}

/// Prints the text with its tokens marked. Each line is written at once, so an interrupted output leaves no colour on.
fn print_text(ids: &[TokenId], encoding: &Encoding, out: &mut impl Write) -> io::Result<()> {
    let marker = Marker {
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
                    marker.push(i, &format!("{part}⏎"), has_border, &mut line);
                    writeln!(out, "{line}")?;
                    line.clear();
                }
                None => marker.push(i, part, has_border, &mut line),
            }
            has_border = false;
        }
    }
    if !line.is_empty() {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// Returns a token as visible text: incomplete characters and invisible ones become escapes. Newlines stay.
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

/// Prints the number of tokens and bytes, and the encoding.
fn print_summary(
    text: &Text,
    tokens: usize,
    encoding: &Encoding,
    out: &mut impl Write,
) -> io::Result<()> {
    let (bytes, name) = (text.input_bytes, encoding.name());
    let style = if has_colours() {
        Style::new().dimmed()
    } else {
        Style::new()
    };
    let tokens = terminal::token_count(tokens);
    writeln!(out, "{style}{tokens}, {bytes} bytes, {name}{style:#}")
}

/// Prints a line for each token: its id, its bytes, and its text if it is not ASCII.
fn print_list(ids: &[TokenId], encoding: &Encoding, out: &mut impl Write) -> io::Result<()> {
    let marker = Marker {
        has_colours: has_colours(),
    };
    let width = encoding.max_token_value().to_string().len();
    let mut line = String::new();
    for (i, id) in ids.iter().enumerate() {
        let token = encoding.decode_single_token_bytes(*id).unwrap_or_default();
        line.clear();
        marker.push(
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
