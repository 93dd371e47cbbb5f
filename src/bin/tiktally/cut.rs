//! `tiktally truncate` and `tiktally chunk`: cut a text to a number of tokens.

use std::io::{self, BufWriter, Write};

use clap::ValueEnum;
use serde::Serialize;
use tiktally::{Cut, Encoding};

use crate::choice::Choice;
use crate::input::Source;
use crate::terminal;
use crate::tokenizer::note_normal_form;
use crate::{ExitCode, Failure};

const TRUNCATE_EXAMPLES: &str = "\
Examples:
  tiktally truncate --tokens 1000 article.txt
  dmesg | tiktally truncate --tokens 4000 --keep end   the latest lines of a log

The text is cut between characters. With --keep start, only as much of a long input is read as needed;
with --graphemes, all of it.";

const CHUNK_EXAMPLES: &str = "\
Examples:
  tiktally chunk --tokens 512 --overlap 64 --prefer sentence --json book.txt
  tiktally chunk --tokens 8000 --json src/lib.rs | jq -r .text

Chunks are cut between characters. Without an overlap, joining them gives the text.
In the JSON, start and end are byte offsets in the text.";

/// Print the first or last N tokens of a text
#[derive(Debug, clap::Args)]
#[command(after_help = TRUNCATE_EXAMPLES)]
pub(crate) struct TruncateArgs {
    #[command(flatten)]
    choice: Choice,

    /// Keep up to N tokens
    #[arg(long, short = 'n', value_name = "N")]
    tokens: usize,

    /// Keep the start or the end of the text
    #[arg(long, value_enum, default_value_t = Keep::Start)]
    keep: Keep,

    /// Cut only between grapheme clusters, such as emoji and letters with accents
    ///
    /// Only a cluster that alone has more than N tokens is cut.
    #[arg(long)]
    graphemes: bool,

    #[command(flatten)]
    source: Source,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Keep {
    Start,
    End,
}

/// Cut a text into chunks of up to N tokens
#[derive(Debug, clap::Args)]
#[command(after_help = CHUNK_EXAMPLES)]
pub(crate) struct ChunkArgs {
    #[command(flatten)]
    choice: Choice,

    /// The maximum number of tokens in a chunk
    #[arg(long, short = 'n', value_name = "N")]
    tokens: usize,

    /// Begin each chunk with up to M tokens of the previous one
    #[arg(long, value_name = "M", default_value_t = 0)]
    overlap: usize,

    /// Prefer to cut after a line, sentence or word near the end of a chunk [default: cut at the maximum]
    #[arg(long, value_enum)]
    prefer: Option<CutPlace>,

    /// Cut only between grapheme clusters, such as emoji and letters with accents
    ///
    /// Only a cluster that alone has more than N tokens is cut.
    #[arg(long)]
    graphemes: bool,

    /// Print one JSON object per line for each chunk
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    source: Source,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum CutPlace {
    Line,
    Sentence,
    Word,
}

impl From<CutPlace> for Cut {
    fn from(place: CutPlace) -> Self {
        match place {
            CutPlace::Line => Self::Line,
            CutPlace::Sentence => Self::Sentence,
            CutPlace::Word => Self::Word,
        }
    }
}

/// Runs `tiktally truncate`.
pub(crate) fn truncate(args: &TruncateArgs) -> Result<ExitCode, Failure> {
    let encoding = args.choice.encoding()?;
    let (text, kept);
    match args.keep {
        Keep::Start if args.graphemes => {
            // a cluster may continue after the first tokens
            text = args.source.read()?.text;
            kept = encoding.truncate_graphemes(&text, args.tokens);
        }
        Keep::Start => {
            text = read_beginning(&args.source, encoding, args.tokens)?;
            kept = encoding.truncate(&text, args.tokens);
        }
        Keep::End => {
            text = args.source.read()?.text;
            kept = if args.graphemes {
                encoding.truncate_start_graphemes(&text, args.tokens)
            } else {
                encoding.truncate_start(&text, args.tokens)
            };
        }
    }
    note_normal_form(encoding, kept, &args.source.path);
    let mut out = io::stdout().lock();
    out.write_all(kept.as_bytes())?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Reads as much of the text as determines its first `tokens` tokens.
fn read_beginning(source: &Source, encoding: &Encoding, tokens: usize) -> Result<String, Failure> {
    let mut blocks = source.blocks()?;
    let (mut encoder, mut ids) = (encoding.stream_encoder(), Vec::new());
    let mut text = String::new();
    // ids that the encoder returns cannot change with the text that follows
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

/// A chunk in the output of `--json`, with its keys in this order.
#[derive(Serialize)]
struct JsonChunk<'a> {
    chunk: usize,
    start: usize,
    end: usize,
    tokens: usize,
    text: &'a str,
}

/// Runs `tiktally chunk`.
pub(crate) fn chunk(args: &ChunkArgs) -> Result<ExitCode, Failure> {
    let encoding = args.choice.encoding()?;
    // reports wrong limits before any input is read
    encoding.chunks_overlapping("", args.tokens, args.overlap)?;
    let text = args.source.read()?.text;
    note_normal_form(encoding, &text, &args.source.path);
    let mut chunks = encoding.chunks_overlapping(&text, args.tokens, args.overlap)?;
    if let Some(place) = args.prefer {
        chunks = chunks.prefer(place.into());
    }
    if args.graphemes {
        chunks = chunks.prefer(Cut::Grapheme);
    }
    let mut out = BufWriter::new(io::stdout().lock());
    for (chunk, span) in chunks.spans().enumerate() {
        let (start, end) = (span.range.start, span.range.end);
        let (text, tokens) = (&text[span.range], span.tokens);
        if args.json {
            let line = JsonChunk {
                chunk,
                start,
                end,
                tokens,
                text,
            };
            serde_json::to_writer(&mut out, &line).map_err(io::Error::from)?;
            writeln!(out)?;
        } else {
            print_chunk(chunk, start..end, tokens, text, &mut out)?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Prints a chunk under a title line, like `head` for several files.
fn print_chunk(
    chunk: usize,
    range: std::ops::Range<usize>,
    tokens: usize,
    text: &str,
    out: &mut impl Write,
) -> io::Result<()> {
    let gap = if chunk == 0 { "" } else { "\n" };
    let (start, end, tokens) = (range.start, range.end, terminal::token_count(tokens));
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
