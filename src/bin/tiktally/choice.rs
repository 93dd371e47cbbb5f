//! `-m` and `-e`: the choice of the encoding.

use clap::builder::{PossibleValuesParser as Names, TypedValueParser as _};
use tiktally::Encoding;

/// The encoding without `-m` and `-e`: the models in use today have it.
const DEFAULT_ENCODING: &str = "o200k_base";

#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub(crate) struct Choice {
    /// Use the encoding of this model, such as gpt-4o [default encoding: o200k_base]
    #[arg(short, long, value_parser = tiktally::encoding_for_model)]
    model: Option<&'static Encoding>,

    /// Use this encoding
    #[arg(short, long, value_parser = Names::new(tiktally::list_encoding_names()).try_map(|name| tiktally::get_encoding(&name)))]
    encoding: Option<&'static Encoding>,
}

impl Choice {
    /// Returns the chosen encoding, or the default.
    ///
    /// The default is looked up only when it is needed: it may not be compiled in.
    pub(crate) fn encoding(&self) -> Result<&'static Encoding, tiktally::Error> {
        self.or_default(|| tiktally::get_encoding(DEFAULT_ENCODING))
    }

    /// Returns the chosen encoding, or that of `model`.
    pub(crate) fn encoding_or_of_model(
        &self,
        model: &str,
    ) -> Result<&'static Encoding, tiktally::Error> {
        self.or_default(|| tiktally::encoding_for_model(model))
    }

    /// Returns the encoding of `-m` or `-e`, or else calls `default`.
    fn or_default(
        &self,
        default: impl FnOnce() -> Result<&'static Encoding, tiktally::Error>,
    ) -> Result<&'static Encoding, tiktally::Error> {
        self.model.or(self.encoding).map_or_else(default, Ok)
    }
}
