//! Checks the added tokens of Hugging Face files, which become special tokens.

use std::collections::HashSet;

use serde::Deserialize;

use super::{invalid, shown, unsupported};
use crate::error::Error;
use crate::token_id::TokenId;

/// The most bytes of an added token, and of all together. Real ones have up to 100, and 40,000 together.
const MAX_TOKEN_BYTES: usize = 1_000;
const MAX_ALL_BYTES: usize = 1 << 20;

/// An added token.
#[derive(Deserialize)]
#[allow(clippy::struct_excessive_bools)] // the flags of the format
pub(super) struct Added {
    /// Missing in a `tokenizer_config.json`, where it is the key of the token.
    pub(super) id: Option<u64>,
    content: String,
    #[serde(default)]
    single_word: bool,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
    #[serde(default)]
    normalized: bool,
}

impl Added {
    /// Returns the text and the id of a token that is found exactly where its text is.
    pub(super) fn checked(&self, place: &str) -> Result<(String, TokenId), Error> {
        let flags = [
            (self.lstrip, "`lstrip`: it takes the white space before it"),
            (self.rstrip, "`rstrip`: it takes the white space after it"),
            (self.single_word, "`single_word`: it must be a whole word"),
        ];
        if let Some((_, flag)) = flags.iter().find(|(is_set, _)| *is_set) {
            let problem = format!(
                "the added token {} has the flag {flag}, which is not supported",
                shown(&self.content)
            );
            return Err(unsupported(place, problem));
        }
        if self.content.len() > MAX_TOKEN_BYTES {
            let problem = format!(
                "the added token {} has more than {MAX_TOKEN_BYTES} bytes, which is not supported",
                shown(&self.content)
            );
            return Err(unsupported(place, problem));
        }
        let id = self.id.ok_or_else(|| invalid(place, "it has no id"))?;
        let id = TokenId::try_from(id).map_err(|_| {
            let problem = format!("the id {id} is more than {}", TokenId::MAX);
            invalid(place, problem)
        })?;
        Ok((self.content.clone(), id))
    }
}

/// Returns the special tokens with their ids.
pub(super) fn special_tokens(
    added: &[Added],
    needs_nfc: bool,
) -> Result<Vec<(String, TokenId)>, Error> {
    let bytes: usize = added.iter().map(|token| token.content.len()).sum();
    if bytes > MAX_ALL_BYTES {
        let problem = format!("they have more than {MAX_ALL_BYTES} bytes together");
        return Err(unsupported("added_tokens", problem));
    }
    let with_place = added.iter().enumerate();
    let special = with_place.map(|(i, token)| {
        let place = format!("added_tokens[{i}]");
        if needs_nfc && token.normalized && !token.content.is_ascii() {
            let problem = format!(
                "the added token {} is `normalized` and not ASCII, which is not supported beside a normalizer",
                shown(&token.content)
            );
            return Err(unsupported(place, problem));
        }
        token.checked(&place)
    });
    let special: Vec<(String, TokenId)> = special.collect::<Result<_, Error>>()?;
    check_order(added)?;
    Ok(special)
}

/// Fails if the `tokenizers` library would give an added token another id than the file says.
///
/// It numbers the tokens that are not in the vocabulary, in their order, from the number of tokens in the vocabulary on.
pub(super) fn check_ids(
    special: &[(String, TokenId)],
    in_vocab: &HashSet<&str>,
    vocab_tokens: usize,
) -> Result<(), Error> {
    let (mut seen, mut next) = (HashSet::new(), vocab_tokens);
    for (i, (text, id)) in special.iter().enumerate() {
        if text.is_empty() || in_vocab.contains(&**text) || !seen.insert(text) {
            continue;
        }
        if *id as usize != next {
            let problem = format!(
                "the added token {} has the id {id}, but it is not in the vocabulary, so `tokenizers` gives it {next}",
                shown(text)
            );
            return Err(unsupported(format!("added_tokens[{i}]"), problem));
        }
        next += 1;
    }
    Ok(())
}

/// Fails if tokens without the flag `normalized`, which the file finds first, may hide one that begins before them.
fn check_order(added: &[Added]) -> Result<(), Error> {
    let first = added.iter().filter(|token| !token.normalized);
    let mut first: Vec<&str> = first.map(|token| token.content.as_str()).collect();
    first.sort_unstable();
    // the tokens that begin with no other one: if any token begins a text, one of these does
    let mut shortest: Vec<&str> = Vec::new();
    for token in &first {
        if shortest.last().is_none_or(|last| !token.starts_with(last)) {
            shortest.push(token);
        }
    }
    let then = added.iter().enumerate();
    for (i, token) in then.filter(|(_, token)| token.normalized) {
        for (at, _) in token.content.char_indices() {
            let rest = token.content.get(at..).unwrap_or_default();
            let from = first.partition_point(|other| *other < rest);
            let longer = first.get(from);
            let longer = longer.filter(|other| at > 0 && other.starts_with(rest));
            // what begins `rest` is the last one that is not greater
            let end = shortest.partition_point(|other| *other <= rest);
            let shorter = end.checked_sub(1).and_then(|last| shortest.get(last));
            let shorter = shorter.filter(|other| rest.starts_with(**other));
            if let Some(other) = longer.or(shorter) {
                let problem = format!(
                    "the added tokens {} and {} overlap, and only one of them is `normalized`, which is not supported",
                    shown(&token.content),
                    shown(other)
                );
                return Err(unsupported(format!("added_tokens[{i}]"), problem));
            }
        }
    }
    Ok(())
}
