//! Checks of custom encodings, from any file and with any tokens.

use std::collections::{HashMap, HashSet};

use super::input::Input;
use super::naive::{byte_ranks, chars, encode_naively, merged};
use tiktally::{Encoding, Special, TokenId};

/// A file loads or is refused; after loading, every token is found by its id, and its id by its bytes.
pub(crate) fn loader(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let kind = input.byte();
    let mut file = Vec::new();
    if kind.is_multiple_of(2) {
        // with all bytes, so that more than the first fault is seen
        tiktally::write_tiktoken(&of_bytes(), &mut file).unwrap();
    }
    file.extend_from_slice(bytes.get(1..).unwrap_or_default());
    let builder = Encoding::builder("any").pattern(r"(?s:.+)");
    let loaded = builder
        .ranks_from_tiktoken(&file[..])
        .and_then(tiktally::Builder::build);
    match loaded {
        Ok(encoding) => {
            for (id, token) in encoding.tokens() {
                assert_eq!(encoding.encode_single_token(token).unwrap(), id);
                assert_eq!(encoding.decode_single_token_bytes(id).unwrap(), token);
            }
            let mut written = Vec::new();
            tiktally::write_tiktoken(&encoding, &mut written).unwrap();
            let again = Encoding::builder("again").pattern(".");
            let again = again.ranks_from_tiktoken(&written[..]).unwrap();
            assert!(again.build().unwrap().tokens().eq(encoding.tokens()));
        }
        Err(error) => {
            assert!(error.is_invalid_ranks(), "{error}");
            assert!(error.to_string().len() < 400, "{error}");
        }
    }
}

fn of_bytes() -> Encoding {
    let builder = Encoding::builder("bytes").pattern(".").ranks(byte_ranks());
    builder.build().unwrap()
}

/// With any tokens in any order, the ids are those of byte pair encoding. Special tokens are found as by a naive search,
/// including those that are the start of another.
pub(crate) fn custom_encoding(bytes: &[u8]) {
    const PATTERNS: [&str; 4] = [
        r"(?s:.+)",
        r"\w+|\s+(?!\S)|\s+|[^\w\s]+",
        r"[a-c]+",
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ];
    const PARTS: [&[u8]; 8] = [
        b"a",
        b"b",
        b"c",
        b" ",
        b"<",
        b"|",
        "é".as_bytes(),
        "最".as_bytes(),
    ];
    let mut input = Input::new(bytes);
    let pattern = input.pick(&PATTERNS);
    let bytes_first = !input.byte().is_multiple_of(4);
    let gap = if input.byte().is_multiple_of(8) {
        1 << 19
    } else {
        0
    };
    let mut seen = HashSet::new();
    let tokens: Vec<Vec<u8>> = (0..input.below(24))
        .map(|_| {
            let parts: Vec<&[u8]> = (0..2 + input.below(7))
                .map(|_| input.pick(&PARTS))
                .collect();
            parts.concat()
        })
        .filter(|token| token.len() > 1 && seen.insert(token.clone()))
        .collect();
    let singles = (0..=255).map(|byte| vec![byte]);
    let all: Vec<Vec<u8>> = if bytes_first {
        singles.chain(tokens).collect()
    } else {
        let (one, two) = tokens.split_at(tokens.len() / 2);
        one.iter()
            .cloned()
            .chain(singles)
            .chain(two.iter().cloned())
            .collect()
    };
    let ranks = all.into_iter().zip(0..);
    let ranks: HashMap<Vec<u8>, TokenId> = ranks
        .map(|(token, rank)| (token, if rank > 260 { rank + gap } else { rank }))
        .collect();
    let mut builder = Encoding::builder("any")
        .pattern(pattern)
        .ranks(ranks.clone());
    let mut special: Vec<(String, TokenId)> = Vec::new();
    for id in 0..input.below(5) {
        let parts: Vec<&[u8]> = (0..=input.below(4)).map(|_| input.pick(&PARTS)).collect();
        let text = String::from_utf8(parts.concat()).unwrap();
        if special.iter().all(|(other, _)| *other != text) {
            let id = u32::MAX - id as TokenId;
            builder = builder.special_token(text.clone(), id);
            special.push((text, id));
        }
    }
    let encoding = builder.build().unwrap();
    if bytes.len().is_multiple_of(2) {
        // otherwise so few characters are merged byte by byte, without the table of characters
        encoding.prepare();
    }
    let parts: Vec<&[u8]> = (0..input.below(90)).map(|_| input.pick(&PARTS)).collect();
    let text = String::from_utf8(parts.concat()).unwrap();

    let pieces = encoding.pieces(&text);
    let expected: Vec<TokenId> = pieces
        .flat_map(|piece| merged(&ranks, piece.as_bytes()))
        .collect();
    let ids = encoding.encode_ordinary(&text);
    assert_eq!(ids, expected, "{text:?} {ranks:?}");
    assert_eq!(encoding.count(&text), ids.len());
    assert_eq!(encoding.decode(&ids).unwrap(), text);
    let special: Vec<(&str, TokenId)> = special.iter().map(|(text, id)| (&**text, *id)).collect();
    let ids = encoding.encode(&text, Special::ALLOW_ALL).unwrap();
    assert_eq!(
        ids,
        encode_naively(&encoding, &text, &special),
        "{text:?} {special:?}"
    );
    assert_eq!(encoding.decode(&ids).unwrap(), text);
    let (mut counter, mut at) = (encoding.token_counter(), 0);
    for part in chars(&text) {
        at += part.len();
        counter.push(part);
        assert_eq!(counter.total(), encoding.count(&text[..at]), "{text:?}");
    }
}
