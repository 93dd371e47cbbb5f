//! `-m` and `-e`: which encoding to count with.

use clap::builder::{PossibleValuesParser as Names, TypedValueParser as _};
use tiktally::Encoding;

/// The encoding of the models in use today.
const DEFAULT: &str = "o200k_base";

#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub(crate) struct Choice {
    /// Count as this model does, gpt-4o for example [without -m and -e: the encoding o200k_base]
    #[arg(short, long, value_parser = tiktally::encoding_for_model)]
    model: Option<&'static Encoding>,

    /// Count with this encoding
    #[arg(short, long, value_parser = Names::new(tiktally::list_encoding_names()).try_map(|name| tiktally::get_encoding(&name)))]
    encoding: Option<&'static Encoding>,
}

impl Choice {
    /// The encoding asked for. The default is looked up only when it is needed: it may not have been compiled in.
    pub(crate) fn encoding(&self) -> Result<&'static Encoding, tiktally::Error> {
        self.or_default(|| tiktally::get_encoding(DEFAULT))
    }

    /// The encoding asked for, or else that of a model.
    pub(crate) fn or_of_model(&self, model: &str) -> Result<&'static Encoding, tiktally::Error> {
        self.or_default(|| tiktally::encoding_for_model(model))
    }

    fn or_default(
        &self,
        default: impl FnOnce() -> Result<&'static Encoding, tiktally::Error>,
    ) -> Result<&'static Encoding, tiktally::Error> {
        self.model.or(self.encoding).map_or_else(default, Ok)
    }
}
