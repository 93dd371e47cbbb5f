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
    let config = &file.config;
    let count = config.default_num_special_tokens;
    let ranks = config.default_vocab_size.checked_sub(count);
    let ranks = ranks.filter(|_| count <= MAX_SPECIAL).ok_or_else(|| {
        let problem = format!(
            "{count} special tokens of {} are not possible",
            config.default_vocab_size
        );
        invalid("config.default_num_special_tokens", problem)
    })?;
    let mut tokens = Ranks::default();
    let (mut bytes, mut used) = (Vec::new(), 0);
    for (i, token) in file
        .vocab
        .iter()
        .enumerate()
        .filter(|(_, token)| token.rank < ranks)
    {
        bytes.clear();
        STANDARD
            .decode_vec(token.token_bytes.as_bytes(), &mut bytes)
            .map_err(|error| {
                let problem = format!("{} is not valid base64: {error}", shown(&token.token_bytes));
                invalid(format!("vocab[{i}].token_bytes"), problem)
            })?;
        tokens.push(&bytes, token.rank + count);
        used += 1;
    }
    if used != ranks {
        let problem = format!(
            "{used} tokens have ranks below {ranks}, but `config` says that all of these are used"
        );
        return Err(invalid("vocab", problem));
    }
    let special = special(&file, count)?;
    let pattern = &config.pattern;
    if pattern.len() > MAX_PATTERN_BYTES {
        let problem = format!("it has more than {MAX_PATTERN_BYTES} bytes");
        return Err(unsupported("config.pattern", problem));
    }
    let splitter = match custom::known(pattern) {
        Some(splitter) => splitter,
        None => Splitter::Custom(Custom::of_tiktoken(pattern)?.into()),
    };
    let vocabulary = vocabulary(&tokens, "vocab")?;
    Ok(builder.with_parts(splitter, vocabulary, special, Facts::default()))
}

/// Returns the special tokens, filled up to `count`.
fn special(file: &File<'_>, count: TokenId) -> Result<Vec<(String, TokenId)>, Error> {
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
