//! `tiktally truncate` and `tiktally chunk`: texts within a number of tokens.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::ValueEnum;
use serde::Serialize;
use tiktally::{Cut, Encoding};

use crate::Failure;
use crate::choice::Choice;
use crate::input::Source;
use crate::terminal;

const TRUNCATE_EXAMPLES: &str = "\
Examples:
  tiktally truncate --tokens 1000 article.txt
  dmesg | tiktally truncate --tokens 4000 --keep end   the latest of a log

It is cut between characters. Of a long input no more is read than is needed to know the tokens, but for --keep end.";

const CHUNK_EXAMPLES: &str = "\
Examples:
  tiktally chunk --tokens 512 --overlap 64 --prefer sentence --json book.txt
  tiktally chunk --tokens 8000 --json src/lib.rs | jq -r .text

Chunks are cut between characters; without an overlap they are the text, one after the other.
In the JSON, start and end are places in the text in bytes.";

/// Print the beginning or the end of a text, so many tokens of it
#[derive(Debug, clap::Args)]
#[command(after_help = TRUNCATE_EXAMPLES)]
pub(crate) struct TruncateArgs {
    #[command(flatten)]
    choice: Choice,

    /// The most tokens that are kept
    #[arg(long, short = 'n', value_name = "N")]
    tokens: usize,

    /// Which end of the text is kept
    #[arg(long, value_enum, default_value_t = Keep::Start)]
    keep: Keep,

    #[command(flatten)]
    source: Source,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Keep {
    Start,
    End,
}

/// Cut a text into chunks that have so many tokens at most
#[derive(Debug, clap::Args)]
#[command(after_help = CHUNK_EXAMPLES)]
pub(crate) struct ChunkArgs {
    #[command(flatten)]
    choice: Choice,

    /// The most tokens that a chunk has
    #[arg(long, short = 'n', value_name = "N")]
    tokens: usize,

    /// How many tokens at most a chunk has in common with the one before it
    #[arg(long, value_name = "M", default_value_t = 0)]
    overlap: usize,

    /// Where to cut if there is such a place near the end of a chunk [without it: where the tokens end]
    #[arg(long, value_enum)]
    prefer: Option<Place>,

    /// Print a line of JSON for each chunk
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    source: Source,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Place {
    Line,
    Sentence,
    Word,
}

impl From<Place> for Cut {
    fn from(place: Place) -> Self {
        match place {
            Place::Line => Self::Line,
            Place::Sentence => Self::Sentence,
            Place::Word => Self::Word,
        }
    }
}

pub(crate) fn truncate(args: &TruncateArgs) -> Result<ExitCode, Failure> {
    let encoding = args.choice.encoding()?;
    let (text, kept);
    match args.keep {
        Keep::Start => {
            text = beginning(&args.source, encoding, args.tokens)?;
            kept = encoding.truncate(&text, args.tokens);
        }
        Keep::End => {
            text = args.source.read()?.text;
            kept = encoding.truncate_start(&text, args.tokens);
        }
    }
    let mut out = io::stdout().lock();
    out.write_all(kept.as_bytes())?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// As much of the text as tells what its first tokens are.
fn beginning(source: &Source, encoding: &Encoding, tokens: usize) -> Result<String, Failure> {
    let mut blocks = source.blocks()?;
    let (mut encoder, mut ids) = (encoding.stream_encoder(), Vec::new());
    let mut text = String::new();
    // what the encoder hands out, nothing that follows can change
    while ids.len() <= tokens {
        let is_more = blocks.next(|block| {
            encoder.push(block, &mut ids);
            text.push_str(block);
        })?;
        if !is_more {
            break;
        }
    }
    Ok(text)
}

/// A chunk as a line of JSON, with its keys in this order.
#[derive(Serialize)]
struct Line<'a> {
    chunk: usize,
    start: usize,
    end: usize,
    tokens: usize,
    text: &'a str,
}

pub(crate) fn chunk(args: &ChunkArgs) -> Result<ExitCode, Failure> {
    let encoding = args.choice.encoding()?;
    // before anything is read: the limits may be wrong
    encoding.chunks_overlapping("", args.tokens, args.overlap)?;
    let text = args.source.read()?.text;
    let mut chunks = encoding.chunks_overlapping(&text, args.tokens, args.overlap)?;
    if let Some(place) = args.prefer {
        chunks = chunks.prefer(place.into());
    }
    let mut out = BufWriter::new(io::stdout().lock());
    for (chunk, span) in chunks.spans().enumerate() {
        let (start, end) = (span.range.start, span.range.end);
        let (text, tokens) = (&text[span.range], span.tokens);
        if args.json {
            let line = Line {
                chunk,
                start,
                end,
                tokens,
                text,
            };
            serde_json::to_writer(&mut out, &line).map_err(io::Error::from)?;
            writeln!(out)?;
        } else {
            print(chunk, start..end, tokens, text, &mut out)?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Under a line that says what it is, as `head` has it for several files.
fn print(
    chunk: usize,
    place: std::ops::Range<usize>,
    tokens: usize,
    text: &str,
    out: &mut impl Write,
) -> io::Result<()> {
    let gap = if chunk == 0 { "" } else { "\n" };
    let (start, end, tokens) = (place.start, place.end, terminal::tokens(tokens));
    writeln!(
        out,
        "{gap}==> {chunk}: {tokens}, bytes {start} to {end} <=="
    )?;
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        writeln!(out)?;
    }
    Ok(())
}
