//! Reads the special tokens of a `tokenizer_config.json`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::added::Added;
use super::{invalid, parse, shown};
use crate::error::Error;
use crate::token_id::TokenId;

#[derive(Deserialize)]
struct Config {
    /// By id in digits.
    added_tokens_decoder: Option<BTreeMap<String, Added>>,
}

/// Returns the special tokens with their ids.
pub(super) fn special_tokens(file: &[u8]) -> Result<Vec<(String, TokenId)>, Error> {
    const PLACE: &str = "added_tokens_decoder";
    let config: Config = parse(file)?;
    let tokens = config.added_tokens_decoder;
    let tokens =
        tokens.ok_or_else(|| invalid(PLACE, "it is missing, so there are no special tokens"))?;
    let tokens = tokens.into_iter().map(|(id, mut token)| {
        let place = format!("{PLACE}[{}]", shown(&id));
        let number = id.parse();
        token.id = Some(number.map_err(|_| invalid(&place, "the id is not a number"))?);
        token.checked(&place)
    });
    tokens.collect()
}
