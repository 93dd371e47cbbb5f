//! `tiktally encode` and `tiktally decode`: texts to ids and back, as streams.

use std::fmt;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use tiktally::{Encoding, TokenId};

use crate::Failure;
use crate::choice::Choice;
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

The bytes are written as the tokens have them: if ids were cut between the tokens of one character, they are not UTF-8.";

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

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// Decimal numbers, a line each; to decode, with any white space between them
    Text,
    /// One array of numbers
    Json,
    /// Four bytes each, the lowest first
    U32le,
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
        writer.out.flush()?;
        ids.clear();
    }
    encoder.finish(&mut ids);
    writer.write(&ids)?;
    writer.finish()?;
    Ok(ExitCode::SUCCESS)
}

/// Writes ids.
struct Ids<W> {
    format: Format,
    is_first: bool,
    out: W,
}

impl<W: Write> Ids<W> {
    fn new(format: Format, mut out: W) -> io::Result<Self> {
        if let Format::Json = format {
            out.write_all(b"[")?;
        }
        Ok(Self {
            format,
            is_first: true,
            out,
        })
    }

    fn write(&mut self, ids: &[TokenId]) -> io::Result<()> {
        for id in ids {
            match self.format {
                Format::Text => writeln!(self.out, "{id}")?,
                Format::Json if self.is_first => write!(self.out, "{id}")?,
                Format::Json => write!(self.out, ",{id}")?,
                Format::U32le => self.out.write_all(&id.to_le_bytes())?,
            }
            self.is_first = false;
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        if let Format::Json = self.format {
            self.out.write_all(b"]\n")?;
        }
        self.out.flush()
    }
}

pub(crate) fn decode(args: &DecodeArgs) -> Result<ExitCode, Failure> {
    let mut decoder = Decoder {
        encoding: args.choice.encoding()?,
        index: 0,
        out: BufWriter::new(io::stdout().lock()),
    };
    let input = input::open(&args.path).map_err(|error| Refusal::io(&args.path, error))?;
    let input = BufReader::with_capacity(1 << 16, input);
    let read = match args.format {
        Format::Text => read_text(input, &mut decoder),
        Format::Json => read_json(input, &mut decoder),
        Format::U32le => read_u32le(input, &mut decoder),
    };
    // what came before a fault is decoded all the same
    decoder.out.flush()?;
    match read {
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
struct Decoder<W> {
    encoding: &'static Encoding,
    /// How many ids came before.
    index: u64,
    out: W,
}

impl<W: Write> Decoder<W> {
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

fn read_text(input: impl BufRead, decoder: &mut Decoder<impl Write>) -> Result<(), Fault> {
    let mut id: Option<TokenId> = None;
    for (at, byte) in input.bytes().enumerate() {
        match byte.map_err(Fault::Input)? {
            digit @ b'0'..=b'9' => {
                let tens = id.unwrap_or(0).checked_mul(10);
                let next = tens.and_then(|tens| tens.checked_add((digit - b'0').into()));
                let too_large = || {
                    format!(
                        "the number that ends at byte {at} is no id: it is over {}",
                        TokenId::MAX
                    )
                };
                id = Some(next.ok_or_else(|| Fault::Ids(too_large()))?);
            }
            byte if byte.is_ascii_whitespace() => {
                id.take().map_or(Ok(()), |id| decoder.push(id))?;
            }
            byte => {
                return Err(Fault::Ids(format!(
                    "there is a \"{}\" at byte {at}, counted from 0; ids are decimal numbers with white space between them (--format has others)",
                    byte.escape_ascii()
                )));
            }
        }
    }
    id.map_or(Ok(()), |id| decoder.push(id))
}

fn read_u32le(mut input: impl Read, decoder: &mut Decoder<impl Write>) -> Result<(), Fault> {
    let mut bytes = Vec::with_capacity(4);
    loop {
        bytes.clear();
        let read = input.by_ref().take(4).read_to_end(&mut bytes);
        read.map_err(Fault::Input)?;
        match *bytes {
            [] => return Ok(()),
            [a, b, c, d] => decoder.push(TokenId::from_le_bytes([a, b, c, d]))?,
            _ => {
                return Err(Fault::Ids(format!(
                    "it ends inside an id, after {} of four bytes",
                    bytes.len()
                )));
            }
        }
    }
}

fn read_json(input: impl Read, decoder: &mut Decoder<impl Write>) -> Result<(), Fault> {
    let mut fault = None;
    let mut json = serde_json::Deserializer::from_reader(input);
    let read = json.deserialize_seq(Array {
        decoder,
        fault: &mut fault,
    });
    let read = read.and_then(|()| json.end());
    match (fault, read) {
        (Some(fault), _) => Err(fault),
        (None, Err(error)) if error.is_io() => Err(Fault::Input(error.into())),
        (None, Err(error)) => Err(Fault::Ids(error.to_string())),
        (None, Ok(())) => Ok(()),
    }
}

/// Decodes the numbers of an array as they are read.
struct Array<'d, W> {
    decoder: &'d mut Decoder<W>,
    /// What is no fault of the JSON.
    fault: &'d mut Option<Fault>,
}

impl<'de, W: Write> Visitor<'de> for Array<'_, W> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of ids")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut ids: A) -> Result<(), A::Error> {
        while let Some(id) = ids.next_element()? {
            if let Err(fault) = self.decoder.push(id) {
                *self.fault = Some(fault);
                return Err(serde::de::Error::custom("this is not said"));
            }
        }
        Ok(())
    }
}
