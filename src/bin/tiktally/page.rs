//! The page of `tiktally show --html`: one file with the text, the ids and the script.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use tiktally::Encoding;

use crate::special::SpecialArgs;

/// The page, with a placeholder for the data.
const TEMPLATE: &str = include_str!("page.html");

/// The placeholder, which occurs once.
const DATA_PLACEHOLDER: &str = "{{data}}";

/// The encodings on the page, newest first: one per vocabulary, as others differ only in special tokens.
const ENCODINGS: [&str; 4] = ["o200k_base", "cl100k_base", "p50k_base", "r50k_base"];

/// The data of the page, which its script reads.
#[derive(Serialize)]
struct Data<'a> {
    name: String,
    chosen: &'a str,
    text: &'a str,
    chars: usize,
    encodings: Vec<EncodedText<'a>>,
}

#[derive(Serialize)]
struct EncodedText<'a> {
    name: &'a str,
    /// The size of an id in `ids`, in bytes: 3 for all built-in encodings.
    width: usize,
    /// The ids in base64, little-endian.
    ids: String,
    /// The lengths of the tokens in bytes, in base64: one byte each, and 255 for every 255 bytes before it.
    lengths: String,
}

/// Returns the page for a text. It shows the chosen encoding first.
///
/// The chosen encoding must not reject the text. Special tokens that only another encoding rejects are its plain text.
pub(crate) fn render(path: &Path, text: &str, chosen: &Encoding, special: SpecialArgs) -> String {
    let others = ENCODINGS
        .into_iter()
        .filter_map(|name| tiktally::get_encoding(name).ok());
    // the chosen encoding has its own name on the page even if it shares its vocabulary, as gpt2 does
    let others = others.filter(|other| other.name() != chosen.name());
    let encodings = std::iter::once(chosen).chain(others);
    let data = Data {
        name: path.to_string_lossy().into_owned(),
        chosen: chosen.name(),
        text,
        chars: text.chars().count(),
        encodings: encodings
            .map(|encoding| encode(text, encoding, special))
            .collect(),
    };
    let json = serde_json::to_string(&data).expect("strings and numbers always serialize");
    // `</script>` in a text would end the data, and `<!--` would hide its end. JSON has `<` only in strings
    let json = json.replace('<', "\\u003c");
    let (before, after) = TEMPLATE
        .split_once(DATA_PLACEHOLDER)
        .expect("the template has a placeholder for the data");
    [before, &json, after].concat()
}

/// Encodes the text for the page.
fn encode<'a>(text: &str, encoding: &'a Encoding, special: SpecialArgs) -> EncodedText<'a> {
    let ids = special.encode(text, encoding);
    let ids = ids.unwrap_or_else(|_| encoding.encode_ordinary(text));
    let token = |id| encoding.decode_single_token_bytes(id).unwrap_or_default();
    let mut lengths = Vec::with_capacity(ids.len());
    for id in &ids {
        let len = token(*id).len();
        lengths.extend(std::iter::repeat_n(u8::MAX, len / 255));
        lengths.push((len % 255) as u8);
    }
    let width = if encoding.max_token_value() < 1 << 24 {
        3
    } else {
        4
    };
    let ids: Vec<u8> = ids
        .iter()
        .flat_map(|id| id.to_le_bytes().into_iter().take(width))
        .collect();
    EncodedText {
        name: encoding.name(),
        width,
        ids: STANDARD.encode(ids),
        lengths: STANDARD.encode(lengths),
    }
}
