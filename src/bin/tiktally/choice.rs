//! `-m`, `-e` and `--tokenizer`: the choice of the encoding.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser as Names, TypedValueParser as _};
use tiktally::Encoding;

use crate::Failure;
use crate::tokenizer::{self, RankFileArgs};

/// The encoding without `-m` and `-e`: the models in use today have it.
const DEFAULT_ENCODING: &str = "o200k_base";

#[derive(Debug, clap::Args)]
pub(crate) struct Choice {
    #[command(flatten)]
    encoding: EncodingArgs,

    #[command(flatten)]
    rank_file: RankFileArgs,
}

#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct EncodingArgs {
    /// Use the encoding of this model, such as gpt-4o [default encoding: o200k_base]
    #[arg(short, long, value_parser = of_model)]
    model: Option<&'static Encoding>,

    /// Use this encoding
    #[arg(short, long, value_parser = Names::new(tiktally::list_encoding_names()).try_map(|name| tiktally::get_encoding(&name)))]
    encoding: Option<&'static Encoding>,

    /// Use the tokenizer of another model: its tokenizer.json, its tekken.json, or its .tiktoken file with --pattern
    ///
    /// No ids are added before or after the text. Text is not normalized; a note says if a file would do so.
    ///
    /// Texts of any size take bounded memory if the pattern of the file is that of an encoding, of Llama 3, Qwen, DeepSeek
    /// or Mistral. With another pattern, one thread reads a text and holds each piece; with several other patterns in turn,
    /// the whole text is in memory.
    #[arg(long, value_name = "FILE")]
    tokenizer: Option<PathBuf>,
}

/// Looks up the encoding of a model; the value parser of `--model`.
fn of_model(name: &str) -> Result<&'static Encoding, String> {
    tiktally::encoding_for_model(name).map_err(|error| {
        let otherwise = if error.is_unknown_model() {
            ", or the file of another tokenizer with --tokenizer"
        } else {
            ""
        };
        format!("{error}{otherwise}")
    })
}

impl Choice {
    /// Returns the chosen encoding, or the default.
    ///
    /// The default is looked up only when it is needed: it may not be compiled in.
    pub(crate) fn encoding(&self) -> Result<&'static Encoding, Failure> {
        self.or_default(|| tiktally::get_encoding(DEFAULT_ENCODING))
    }

    /// Returns the chosen encoding, or that of `model`.
    pub(crate) fn encoding_or_of_model(&self, model: &str) -> Result<&'static Encoding, Failure> {
        self.or_default(|| tiktally::encoding_for_model(model))
    }

    /// Returns the encoding of `-m`, `-e` or `--tokenizer`, or else calls `default`.
    fn or_default(
        &self,
        default: impl FnOnce() -> Result<&'static Encoding, tiktally::Error>,
    ) -> Result<&'static Encoding, Failure> {
        let args = &self.encoding;
        if let Some(path) = &args.tokenizer {
            // as the built-in ones, it lives until the end of the command, which loads only one
            return Ok(Box::leak(Box::new(tokenizer::load(path, &self.rank_file)?)));
        }
        Ok(args.model.or(args.encoding).map_or_else(default, Ok)?)
    }
}
