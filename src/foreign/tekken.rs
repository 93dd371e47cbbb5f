//! Reads Mistral's `tekken.json`.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::syntax::MAX_PATTERN_BYTES;
use super::tokenizer_json::vocabulary;
use super::{invalid, parse, shown, unsupported};
use crate::encoding::{Builder, Facts};
use crate::error::Error;
use crate::split::Splitter;
use crate::split::custom::{self, Custom};
use crate::token_id::TokenId;
use crate::vocab::rank_file::Ranks;

#[derive(Deserialize)]
struct File<'f> {
    config: Config,
    #[serde(borrow)]
    vocab: Vec<Token<'f>>,
    special_tokens: Option<Vec<SpecialToken>>,
}

#[derive(Deserialize)]
struct Config {
    pattern: String,
    default_vocab_size: TokenId,
    default_num_special_tokens: TokenId,
    version: Option<String>,
}

#[derive(Deserialize)]
struct Token<'f> {
    rank: TokenId,
    #[serde(borrow)]
    token_bytes: Cow<'f, str>,
}

#[derive(Deserialize)]
struct SpecialToken {
    rank: TokenId,
    token_str: String,
}

/// The special tokens of files up to version 7, which do not list them.
const DEFAULT_SPECIAL: [&str; 20] = [
    "<unk>",
    "<s>",
    "</s>",
    "[INST]",
    "[/INST]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "[TOOL_CALLS]",
    "[IMG]",
    "<pad>",
    "[IMG_BREAK]",
    "[IMG_END]",
    "[PREFIX]",
    "[MIDDLE]",
    "[SUFFIX]",
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "[TOOL_CONTENT]",
];

/// The versions whose files may leave out the special tokens.
const VERSIONS_WITH_DEFAULT: [&str; 4] = ["v1", "v2", "v3", "v7"];

/// The most special tokens; real files have 1,000.
const MAX_SPECIAL: TokenId = 1 << 16;

/// Sets the parts of a builder from a file.
pub(super) fn load(builder: Builder, file: &[u8]) -> Result<Builder, Error> {
    let file: File<'_> = parse(file)?;
    let tokens = ordinary(&file)?;
    let special = special(&file)?;
    let splitter = splitter(&file.config.pattern)?;
    let vocabulary = vocabulary(&tokens, "vocab")?;
    Ok(builder.with_parts(splitter, vocabulary, special, Facts::default()))
}

/// Returns the ordinary tokens: those of the lowest ranks, as many as `config` says. Their ids follow those of the
/// special tokens.
fn ordinary(file: &File<'_>) -> Result<Ranks, Error> {
    let (size, special) = (
        file.config.default_vocab_size,
        file.config.default_num_special_tokens,
    );
    let ranks = size.checked_sub(special);
    let ranks = ranks.filter(|_| special <= MAX_SPECIAL).ok_or_else(|| {
        let problem = format!("{special} special tokens of {size} are not possible");
        invalid("config.default_num_special_tokens", problem)
    })?;
    let (mut tokens, mut bytes, mut used) = (Ranks::default(), Vec::new(), 0);
    let listed = file.vocab.iter().enumerate();
    for (i, token) in listed.filter(|(_, token)| token.rank < ranks) {
        bytes.clear();
        STANDARD
            .decode_vec(token.token_bytes.as_bytes(), &mut bytes)
            .map_err(|error| {
                let problem = format!("{} is not valid base64: {error}", shown(&token.token_bytes));
                invalid(format!("vocab[{i}].token_bytes"), problem)
            })?;
        tokens.push(&bytes, token.rank + special);
        used += 1;
    }
    if used != ranks {
        let problem = format!(
            "{used} tokens have ranks below {ranks}, but `config` says that all of these are used"
        );
        return Err(invalid("vocab", problem));
    }
    Ok(tokens)
}

/// Returns the splitter for the pattern.
fn splitter(pattern: &str) -> Result<Splitter, Error> {
    if pattern.len() > MAX_PATTERN_BYTES {
        let problem = format!("it has more than {MAX_PATTERN_BYTES} bytes");
        return Err(unsupported("config.pattern", problem));
    }
    Ok(match custom::known(pattern) {
        Some(splitter) => splitter,
        None => Splitter::Custom(Custom::of_tiktoken(pattern)?.into()),
    })
}

/// Returns the special tokens, filled up to the number that `config` says.
fn special(file: &File<'_>) -> Result<Vec<(String, TokenId)>, Error> {
    let count = file.config.default_num_special_tokens;
    let version = file.config.version.as_deref().unwrap_or("v3");
    let mut special: Vec<(String, TokenId)> = match &file.special_tokens {
        Some(tokens) => tokens
            .iter()
            .map(|token| (token.token_str.clone(), token.rank))
            .collect(),
        None if VERSIONS_WITH_DEFAULT.contains(&version) => DEFAULT_SPECIAL
            .map(str::to_owned)
            .into_iter()
            .zip(0..)
            .collect(),
        None => {
            let problem = format!(
                "they are missing, and files of version {} must have them",
                shown(version)
            );
            return Err(unsupported("special_tokens", problem));
        }
    };
    if let Some((token, id)) = special.iter().find(|(_, id)| *id >= count) {
        let problem = format!(
            "{} has the rank {id}, but there are {count} special tokens",
            shown(token)
        );
        return Err(invalid("special_tokens", problem));
    }
    let mut ranks: Vec<TokenId> = special.iter().map(|(_, rank)| *rank).collect();
    ranks.sort_unstable();
    if let Some((rank, found)) = (0..).zip(&ranks).find(|(rank, found)| rank != *found) {
        let problem = format!("their ranks go on with {found} where {rank} is expected");
        return Err(invalid("special_tokens", problem));
    }
    let listed = special.len() as TokenId;
    special.extend((listed..count).map(|id| (format!("<SPECIAL_{id}>"), id)));
    Ok(special)
}
