//! `tiktally encode` and `tiktally decode`: texts to ids and back, as streams.

use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use tiktally::{Encoding, TokenId};

use crate::Failure;
use crate::choice::Choice;
use crate::ids::{Format, Ids, Reader};
use crate::input::{self, Refusal, Source};

const ENCODE_EXAMPLES: &str = "\
Examples:
  echo -n 'hello world' | tiktally encode        24912 and 2375, a line each
  tiktally encode --format json README.md > ids.json
  tiktally encode README.md | tiktally decode    the same bytes";

const DECODE_EXAMPLES: &str = "\
Examples:
  echo 24912 2375 | tiktally decode
  tiktally decode --format u32le ids.bin > text

The bytes are written as the tokens have them: if ids are missing that belong to a character, they are not UTF-8.";

/// Print the ids of a text's tokens; special tokens in it are plain text
#[derive(Debug, clap::Args)]
#[command(after_help = ENCODE_EXAMPLES)]
pub(crate) struct EncodeArgs {
    #[command(flatten)]
    choice: Choice,

    /// How the ids are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    #[command(flatten)]
    source: Source,
}

/// Print the text that ids stand for, as encode wrote them
#[derive(Debug, clap::Args)]
#[command(after_help = DECODE_EXAMPLES)]
pub(crate) struct DecodeArgs {
    #[command(flatten)]
    choice: Choice,

    /// How the ids are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// A file; - is standard input, and so is no path at all
    #[arg(default_value = input::STDIN, hide_default_value = true)]
    path: PathBuf,
}

pub(crate) fn encode(args: &EncodeArgs) -> Result<ExitCode, Failure> {
    let encoding = args.choice.encoding()?;
    let mut encoder = encoding.stream_encoder();
    let mut blocks = args.source.blocks()?;
    let mut writer = Ids::new(args.format, BufWriter::new(io::stdout().lock()))?;
    let mut ids = Vec::new();
    while blocks.next(|text| encoder.push(text, &mut ids))? {
        writer.write(&ids)?;
        // whoever reads them may be waiting, as this is for the text
        writer.flush()?;
        ids.clear();
    }
    encoder.finish(&mut ids);
    writer.write(&ids)?;
    writer.finish()?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn decode(args: &DecodeArgs) -> Result<ExitCode, Failure> {
    let mut decoder = Decoder {
        encoding: args.choice.encoding()?,
        index: 0,
        out: BufWriter::new(io::stdout().lock()),
    };
    let input = input::open(&args.path).map_err(|error| Refusal::io(&args.path, error))?;
    let input = BufReader::with_capacity(1 << 16, input);
    match decoder.decode_all(input, Reader::of(args.format)) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(Fault::Input(error)) => Err(Refusal::io(&args.path, error).into()),
        Err(Fault::Output(error)) => Err(error.into()),
        Err(Fault::Ids(problem)) => Err(Refusal::new(&args.path, problem).into()),
    }
}

/// Why not all ids were decoded.
enum Fault {
    Input(io::Error),
    Output(io::Error),
    Ids(String),
}

/// Writes the bytes of tokens.
struct Decoder<W: Write> {
    encoding: &'static Encoding,
    /// How many ids came before.
    index: u64,
    out: BufWriter<W>,
}

impl<W: Write> Decoder<W> {
    /// What comes before a fault is decoded all the same.
    fn decode_all(&mut self, mut input: impl BufRead, mut reader: Reader) -> Result<(), Fault> {
        loop {
            let bytes = match input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                bytes => bytes.map_err(Fault::Input)?,
            };
            if bytes.is_empty() {
                break;
            }
            let decoded = bytes.iter().try_for_each(|byte| {
                let id = reader.push(*byte).map_err(Fault::Ids)?;
                id.map_or(Ok(()), |id| self.push(id))
            });
            // whoever reads the text may be waiting, as this is for the next ids
            let flushed = self.out.flush().map_err(Fault::Output);
            decoded.and(flushed)?;
            let len = bytes.len();
            input.consume(len);
        }
        if let Some(id) = reader.finish().map_err(Fault::Ids)? {
            self.push(id)?;
        }
        self.out.flush().map_err(Fault::Output)
    }

    fn push(&mut self, id: TokenId) -> Result<(), Fault> {
        let Ok(token) = self.encoding.decode_single_token_bytes(id) else {
            let (index, name) = (self.index, self.encoding.name());
            return Err(Fault::Ids(format!(
                "the id {id} (number {index}, counted from 0) belongs to no token of {name}"
            )));
        };
        self.out.write_all(token).map_err(Fault::Output)?;
        self.index += 1;
        Ok(())
    }
}
