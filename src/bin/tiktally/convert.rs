//! `tiktally encode` and `tiktally decode`: from text to ids and back, as streams.

use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::mem;
use std::path::PathBuf;

use tiktally::{Encoding, StreamEncoder, TokenId};

use crate::choice::Choice;
use crate::ids::{Format, IdReader, IdWriter};
use crate::input::{self, InputError, Source};
use crate::special::{Part, SpecialArgs};
use crate::tokenizer::note_normal_form;
use crate::{ExitCode, Failure};

const ENCODE_EXAMPLES: &str = "\
Examples:
  echo -n 'hello world' | tiktally encode        24912 and 2375, one per line
  tiktally encode --format json README.md > ids.json
  tiktally encode README.md | tiktally decode    prints the original bytes";

const DECODE_EXAMPLES: &str = "\
Examples:
  echo 24912 2375 | tiktally decode
  tiktally decode --format u32le ids.bin > text

The bytes of the tokens are written unchanged: a character with a missing token becomes invalid UTF-8.";

/// Print the token ids of a text
#[derive(Debug, clap::Args)]
#[command(after_help = ENCODE_EXAMPLES)]
pub(crate) struct EncodeArgs {
    #[command(flatten)]
    choice: Choice,

    /// The format of the ids in the output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    #[command(flatten)]
    special: SpecialArgs,

    #[command(flatten)]
    source: Source,
}

/// Print the text of token ids, the reverse of encode
#[derive(Debug, clap::Args)]
#[command(after_help = DECODE_EXAMPLES)]
pub(crate) struct DecodeArgs {
    #[command(flatten)]
    choice: Choice,

    /// The format of the ids in the input
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// A file; without it, or for -, reads standard input
    #[arg(default_value = input::STDIN, hide_default_value = true)]
    path: PathBuf,
}

/// The size of the input buffer of `decode`, in bytes: as large as the blocks that `encode` reads.
const READ_BUFFER_BYTES: usize = 64 << 10;

/// Runs `tiktally encode`. Writes the ids of each block before it reads the next one.
pub(crate) fn encode(args: &EncodeArgs) -> Result<ExitCode, Failure> {
    let encoding = args.choice.encoding()?;
    let path = &args.source.path;
    let mut encoder = SpecialEncoder {
        encoding,
        open: encoding.stream_encoder(),
        ids: Vec::new(),
    };
    let mut finder = args.special.finder(encoding);
    let mut blocks = args.source.blocks()?;
    let mut writer = IdWriter::new(args.format, BufWriter::new(io::stdout().lock()))?;
    let mut is_more = true;
    while is_more {
        let mut found = Ok(());
        is_more = blocks.next(|text| {
            note_normal_form(encoding, text, path);
            found = finder.push(text, |part| encoder.push(part));
        })?;
        writer.write(&encoder.ids)?;
        // a reader of the pipe gets the ids before more text arrives
        writer.flush()?;
        encoder.ids.clear();
        found.map_err(|rejected| rejected.in_input(path))?;
    }
    let found = finder.finish(|part| encoder.push(part));
    found.map_err(|rejected| rejected.in_input(path))?;
    writer.write(&encoder.finish())?;
    writer.finish()?;
    Ok(ExitCode::SUCCESS)
}

/// Encodes text and special tokens that arrive in parts.
struct SpecialEncoder<'e> {
    encoding: &'e Encoding,
    open: StreamEncoder,
    /// The ids that are final, until the caller takes them.
    ids: Vec<TokenId>,
}

impl SpecialEncoder<'_> {
    fn push(&mut self, part: Part<'_>) {
        match part {
            Part::Text(text) => self.open.push(text, &mut self.ids),
            Part::Special(id) => {
                // the text before a special token ends there
                let ended = mem::replace(&mut self.open, self.encoding.stream_encoder());
                ended.finish(&mut self.ids);
                self.ids.push(id);
            }
        }
    }

    /// Ends the text, and returns the remaining ids.
    fn finish(mut self) -> Vec<TokenId> {
        self.open.finish(&mut self.ids);
        self.ids
    }
}

/// Runs `tiktally decode`.
pub(crate) fn decode(args: &DecodeArgs) -> Result<ExitCode, Failure> {
    let mut decoder = Decoder {
        encoding: args.choice.encoding()?,
        index: 0,
        out: BufWriter::new(io::stdout().lock()),
    };
    let input = input::open(&args.path).map_err(|error| InputError::io(&args.path, error))?;
    let input = BufReader::with_capacity(READ_BUFFER_BYTES, input);
    match decoder.decode_all(input, IdReader::new(args.format)) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(DecodeError::Input(error)) => Err(InputError::io(&args.path, error).into()),
        Err(DecodeError::Output(error)) => Err(error.into()),
        Err(DecodeError::Ids(problem)) => Err(InputError::new(&args.path, problem).into()),
    }
}

/// An error that ends decoding.
enum DecodeError {
    Input(io::Error),
    Output(io::Error),
    Ids(String),
}

/// Writes the bytes of tokens, given their ids.
struct Decoder<W: Write> {
    encoding: &'static Encoding,
    /// The number of ids that were decoded.
    index: u64,
    out: BufWriter<W>,
}

impl<W: Write> Decoder<W> {
    /// Decodes the whole input. Ids before an error are still decoded and written.
    fn decode_all(
        &mut self,
        mut input: impl BufRead,
        mut reader: IdReader,
    ) -> Result<(), DecodeError> {
        loop {
            let bytes = match input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                bytes => bytes.map_err(DecodeError::Input)?,
            };
            if bytes.is_empty() {
                break;
            }
            let decoded = bytes.iter().try_for_each(|byte| {
                let id = reader.push(*byte).map_err(DecodeError::Ids)?;
                id.map_or(Ok(()), |id| self.push(id))
            });
            // a reader of the pipe gets the text before more ids arrive
            let flushed = self.out.flush().map_err(DecodeError::Output);
            decoded.and(flushed)?;
            let len = bytes.len();
            input.consume(len);
        }
        if let Some(id) = reader.finish().map_err(DecodeError::Ids)? {
            self.push(id)?;
        }
        self.out.flush().map_err(DecodeError::Output)
    }

    /// Writes the bytes of one token.
    fn push(&mut self, id: TokenId) -> Result<(), DecodeError> {
        let Ok(token) = self.encoding.decode_single_token_bytes(id) else {
            let (index, name) = (self.index, self.encoding.name());
            return Err(DecodeError::Ids(format!(
                "the id {id} (at index {index}, counted from 0) is not a token of {name}"
            )));
        };
        self.out.write_all(token).map_err(DecodeError::Output)?;
        self.index += 1;
        Ok(())
    }
}
