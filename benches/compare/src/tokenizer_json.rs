//! An encoding as a `tokenizer.json`, for peers that read nothing else.

use std::collections::HashMap;

use serde_json::{Value, json};
use tiktally::{Encoding, TokenId};

pub fn of(encoding: &Encoding) -> Value {
    let ranks: HashMap<&[u8], TokenId> = encoding.tokens().map(|(id, bytes)| (bytes, id)).collect();
    let chars = byte_chars();
    let spell =
        |bytes: &[u8]| -> String { bytes.iter().map(|&byte| chars[usize::from(byte)]).collect() };
    let vocab: serde_json::Map<String, Value> = encoding
        .tokens()
        .map(|(id, bytes)| (spell(bytes), id.into()))
        .collect();
    let merges: Vec<[String; 2]> = encoding
        .tokens()
        .filter_map(|(id, bytes)| last_merge(&ranks, bytes, id))
        .map(|(left, right)| [spell(left), spell(right)])
        .collect();
    let gpt2 = matches!(encoding.name(), "gpt2" | "r50k_base" | "p50k_base");
    let bytes = |use_regex| json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": use_regex });
    let split = json!({ "type": "Split", "pattern": { "Regex": plain(encoding.pattern()) }, "behavior": "Isolated", "invert": false });
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [],
        "normalizer": null,
        "pre_tokenizer": if gpt2 { bytes(true) } else { json!({ "type": "Sequence", "pretokenizers": [split, bytes(false)] }) },
        "post_processor": null,
        "decoder": bytes(true),
        "model": {
            "type": "BPE",
            "dropout": null,
            "unk_token": null,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": false,
            "byte_fallback": false,
            "ignore_merges": false,
            "vocab": vocab,
            "merges": merges,
        },
    })
}

/// Returns the pattern in the form of Hugging Face's files, by which tokenizers recognise it: nothing possessive, no
/// shorthands.
fn plain(pattern: &str) -> String {
    if pattern.contains(r"\p{Lu}") {
        return pattern.to_owned();
    }
    let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    let rest =
        r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    format!("{contractions}|{rest}")
}

/// Returns the visible character that byte-level tokenizers write for each byte: itself, or one from 256 on.
fn byte_chars() -> [char; 256] {
    let mut next = 256;
    std::array::from_fn(|byte| match byte as u8 {
        33..=126 | 161..=172 | 174..=255 => char::from(byte as u8),
        _ => {
            next += 1;
            char::from_u32(next - 1).unwrap()
        }
    })
}

/// Returns the two tokens that the last merge of a token joins.
fn last_merge<'t>(
    ranks: &HashMap<&[u8], TokenId>,
    token: &'t [u8],
    id: TokenId,
) -> Option<(&'t [u8], &'t [u8])> {
    let mut ends: Vec<usize> = (0..=token.len()).collect();
    while ends.len() > 3 {
        let rank = |i: usize| {
            ranks
                .get(&token[ends[i - 1]..ends[i + 1]])
                .filter(|rank| **rank < id)
        };
        let (_, at) = (1..ends.len() - 1)
            .filter_map(|i| Some((rank(i)?, i)))
            .min()?;
        ends.remove(at);
    }
    match *ends {
        [_, middle, _] => Some(token.split_at(middle)),
        _ => None,
    }
}
