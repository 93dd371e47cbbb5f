//! The page of `tiktally show --html`: everything in one file.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use tiktally::{Encoding, TokenId};

/// The page, with a place for the data.
const PAGE: &str = include_str!("page.html");

/// Where the data goes.
const DATA: &str = "{{data}}";

/// One encoding for each way to encode, newest first.
const ENCODINGS: [&str; 4] = ["o200k_base", "cl100k_base", "p50k_base", "r50k_base"];

/// What the page shows. The ids and the lengths of the tokens in bytes are in base64: three bytes each, lowest first, and
/// one.
#[derive(Serialize)]
struct Data<'a> {
    name: String,
    chosen: &'a str,
    text: &'a str,
    chars: usize,
    encodings: Vec<Encoded<'a>>,
}

#[derive(Serialize)]
struct Encoded<'a> {
    name: &'a str,
    ids: String,
    lengths: String,
}

/// The page for a text, which shows this encoding first.
pub(crate) fn of(path: &Path, text: &str, chosen: &Encoding) -> String {
    let others = ENCODINGS
        .into_iter()
        .filter_map(|name| tiktally::get_encoding(name).ok());
    // gpt2 encodes as r50k_base does, but whoever asks for it wants to read its name
    let others = others.filter(|other| other.name() != chosen.name());
    let encodings = std::iter::once(chosen).chain(others);
    let data = Data {
        name: path.to_string_lossy().into_owned(),
        chosen: chosen.name(),
        text,
        chars: text.chars().count(),
        encodings: encodings.map(|encoding| encoded(text, encoding)).collect(),
    };
    let json = serde_json::to_string(&data).expect("strings can be written");
    // `</script>` in a text would end the data, and `<!--` hide its end; outside of strings, JSON has no `<`
    let json = json.replace('<', "\\u003c");
    let (before, after) = PAGE
        .split_once(DATA)
        .expect("the page has a place for the data");
    [before, &json, after].concat()
}

fn encoded<'a>(text: &str, encoding: &'a Encoding) -> Encoded<'a> {
    let ids = encoding.encode_ordinary(text);
    let token = |id| encoding.decode_single_token_bytes(id).unwrap_or_default();
    let len = |id: &TokenId| u8::try_from(token(*id).len()).expect("no token is so long");
    let lengths: Vec<u8> = ids.iter().map(len).collect();
    let ids: Vec<u8> = ids
        .iter()
        .flat_map(|id| id.to_le_bytes().into_iter().take(3))
        .collect();
    Encoded {
        name: encoding.name(),
        ids: STANDARD.encode(ids),
        lengths: STANDARD.encode(lengths),
    }
}
