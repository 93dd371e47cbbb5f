//! Files of other tokenizers: each fault has its error, and a file that loads gives the ids of its own tokenizer.

use std::io::Read;

use crate::common::times;
use crate::fuzz_checks::checks::made_file;
use crate::texts::Random;
use serde_json::{Value, json};
use tiktally::{Encoding, Error, Special};

/// Returns a small file: the bytes, `ab` and `abc`, in GPT-2's letters.
fn small() -> Value {
    let mut vocab = serde_json::Map::new();
    let mut others = 0x100..;
    for byte in 0..=255_u8 {
        let is_itself = matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..);
        let code = if is_itself {
            u32::from(byte)
        } else {
            others.next().unwrap()
        };
        vocab.insert(char::from_u32(code).unwrap().into(), byte.into());
    }
    vocab.insert("ab".into(), 256.into());
    vocab.insert("abc".into(), 257.into());
    json!({
        "added_tokens": [{"id": 258, "content": "<s>", "special": true}, {"id": 259, "content": "<t>", "normalized": true}],
        "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [258], "tokens": ["<s>"]}},
        },
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "vocab": vocab, "merges": ["a b", "ab c"]},
    })
}

fn load(file: &Value) -> Result<Encoding, Error> {
    Encoding::from_tokenizer_json("small", file.to_string().as_bytes())
}

/// Returns the error of the small file with another value at a place.
fn changed(pointer: &str, value: Value) -> Error {
    let mut file = small();
    *file
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("{pointer}")) = value;
    load(&file).unwrap_err()
}

#[test]
fn a_small_file() {
    let encoding = load(&small()).unwrap();
    assert_eq!(encoding.encode_ordinary("abc abcab"), [257, 32, 257, 256]);
    assert_eq!(
        encoding.encode("ab<s><t>", Special::ALLOW_ALL).unwrap(),
        [256, 258, 259]
    );
    assert_eq!(
        (encoding.ids_before_text(), encoding.ids_after_text()),
        (&[258][..], &[][..])
    );
    assert!(!encoding.needs_nfc());
    let mut file = small();
    file["normalizer"] = json!({"type": "NFC"});
    let encoding = load(&file).unwrap();
    assert!(encoding.needs_nfc() && encoding.extend("more").build().unwrap().needs_nfc());
}

#[test]
fn unsupported_parts_are_named() {
    let cases = [
        ("/model/type", json!("Unigram"), "model.type", "Unigram"),
        ("/model/type", json!("WordPiece"), "model.type", "WordPiece"),
        ("/normalizer", json!({"type": "NFKC"}), "normalizer", "NFKC"),
        (
            "/normalizer",
            json!({"type": "Sequence", "normalizers": [{"type": "Prepend"}]}),
            "normalizer.normalizers[0]",
            "Prepend",
        ),
        ("/pre_tokenizer", json!(null), "pre_tokenizer", "ByteLevel"),
        (
            "/pre_tokenizer",
            json!({"type": "Metaspace"}),
            "pre_tokenizer",
            "Metaspace",
        ),
        (
            "/pre_tokenizer/add_prefix_space",
            json!(true),
            "pre_tokenizer.add_prefix_space",
            "space",
        ),
        ("/decoder/type", json!("WordPiece"), "decoder", "WordPiece"),
        ("/model/merges", json!(["a b"]), "model.merges", "abc"),
        (
            "/model/merges",
            json!(["ab c", "a b"]),
            "model.merges[1]",
            "order",
        ),
        ("/model/vocab/ab", json!(300), "model.merges[1]", "order"),
    ];
    for (pointer, value, place, says) in cases {
        let error = changed(pointer, value);
        assert!(error.is_unsupported_tokenizer(), "{error}");
        assert_eq!(error.path(), Some(place), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    for (part, value) in [
        ("byte_fallback", json!(true)),
        ("dropout", json!(0.1)),
        ("continuing_subword_prefix", json!("##")),
        ("end_of_word_suffix", json!("</w>")),
    ] {
        let mut file = small();
        file["model"][part] = value;
        let error = load(&file).unwrap_err();
        assert!(
            error.is_unsupported_tokenizer() && error.to_string().contains(part),
            "{error}"
        );
    }
    for flag in ["lstrip", "rstrip", "single_word"] {
        let mut file = small();
        file["added_tokens"][0][flag] = json!(true);
        let error = load(&file).unwrap_err();
        assert!(
            error.is_unsupported_tokenizer() && error.to_string().contains(flag),
            "{error}"
        );
    }
    let mut file = small();
    file["added_tokens"][1]["content"] = json!("x<");
    assert!(load(&file).unwrap_err().to_string().contains("overlap"));
}

#[test]
fn a_token_that_no_merge_gives() {
    let mut file = small();
    file["model"]["vocab"]["xyz"] = json!(260);
    let error = load(&file).unwrap_err();
    assert!(
        error.to_string().contains("\"xyz\" with the id 260"),
        "{error}"
    );
    file["model"]["ignore_merges"] = json!(true);
    assert_eq!(load(&file).unwrap().encode_ordinary("xyz"), [260]);
}

#[test]
fn broken_files() {
    let broken = |file: &[u8], says: &str| {
        let error = Encoding::from_tokenizer_json("broken", file).unwrap_err();
        assert!(error.is_invalid_tokenizer(), "{error}");
        assert!(error.to_string().contains(says), "{says}: {error}");
    };
    broken(b"<!DOCTYPE html><html>", "web page");
    broken(b"version https://git-lfs.github.com/spec/v1\n", "Git LFS");
    broken(b"", "empty");
    broken(b"[]", "not a file of this kind");
    broken(b"{}", "model");
    broken(b"\xFF\xFE", "not valid JSON");
    broken("[".repeat(100_000).as_bytes(), "not");
    let text = small().to_string();
    for end in 1..text.len() {
        if text.is_char_boundary(end) && end % 7 == 0 {
            broken(&text.as_bytes()[..end], "cut off");
        }
    }
    for (pointer, value, place, says) in [
        (
            "/model/merges/1",
            json!("ab"),
            "model.merges[1]",
            "two tokens",
        ),
        (
            "/model/merges/1",
            json!(["ab"]),
            "model.merges[1]",
            "two tokens",
        ),
        (
            "/model/merges/1",
            json!(["a", "b", "c"]),
            "model.merges[1]",
            "two tokens",
        ),
        ("/model/merges/1", json!("ab d"), "model.merges[1]", "abd"),
        ("/model/merges/1", json!("最 d"), "model.merges[1]", "最"),
        (
            "/model/vocab/ab",
            json!(255),
            "model.vocab",
            "already has the rank 255",
        ),
        (
            "/model/vocab/ab",
            json!(1_u64 << 40),
            "model.vocab[\"ab\"]",
            "more than",
        ),
        ("/model/vocab", json!({}), "model.vocab", "there are none"),
        ("/model/vocab", json!([]), "model.vocab", "no table"),
        (
            "/added_tokens/0/id",
            json!(1_u64 << 40),
            "added_tokens[0]",
            "more than",
        ),
    ] {
        let error = changed(pointer, value);
        assert!(error.is_invalid_tokenizer(), "{error}");
        assert_eq!(error.path(), Some(place), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    assert!(changed("/added_tokens/0/id", json!(97)).is_invalid_special());
    assert!(changed("/added_tokens/1/content", json!("")).is_invalid_special());
}

#[test]
fn a_huge_file_is_refused() {
    let file = std::io::repeat(b' ').take(1 << 30);
    let error = Encoding::from_tokenizer_json("huge", file).unwrap_err();
    assert!(
        error.is_invalid_tokenizer() && error.to_string().contains("max_rank_bytes"),
        "{error}"
    );
}

#[test]
fn parts_of_a_sequence_see_only_their_part() {
    let mut file = small();
    let split = |regex: &str, behavior: &str, inverts: bool| json!({"type": "Split", "pattern": {"Regex": regex}, "behavior": behavior, "invert": inverts});
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "use_regex": false});
    let mut pieces = |parts: Vec<Value>, text: &str| {
        let parts: Vec<Value> = parts.into_iter().chain([byte_level.clone()]).collect();
        file["pre_tokenizer"] = json!({"type": "Sequence", "pretokenizers": parts});
        let encoding = load(&file).unwrap();
        encoding.pieces(text).map(str::to_owned).collect::<Vec<_>>()
    };
    let digits = || split(r"\p{N}{1,3}", "Isolated", false);
    let words = || split(r"\w+|\s+(?!\S)|\s+", "Isolated", false);
    // the white space before the digits is at the end of its part
    assert_eq!(
        pieces(vec![digits(), words()], "a  1234 b"),
        ["a", "  ", "123", "4", " ", "b"]
    );
    assert_eq!(pieces(vec![words()], "a  b"), ["a", " ", " ", "b"]);
    assert_eq!(
        pieces(vec![split(" ", "Removed", false)], " a b "),
        ["a", "b"]
    );
    assert_eq!(
        pieces(vec![split(r"\w+", "Removed", true)], " a b "),
        ["a", "b"]
    );
    assert_eq!(
        pieces(vec![digits(), split("[ab]+", "Removed", true)], "ab1-b"),
        ["ab", "b"]
    );
    let string = json!({"type": "Split", "pattern": {"String": "."}, "behavior": "Isolated", "invert": false});
    assert_eq!(pieces(vec![string], "a.b"), ["a", ".", "b"]);
}

#[test]
fn tekken() {
    use base64::Engine as _;
    let token = |rank: u32, bytes: &[u8]| json!({"rank": rank, "token_bytes": base64::engine::general_purpose::STANDARD.encode(bytes), "token_str": null});
    let mut vocab: Vec<Value> = (0..=255)
        .map(|byte: u8| token(byte.into(), &[byte]))
        .collect();
    vocab.extend([token(256, b"ab"), token(257, b"more than is used")]);
    let mut file = json!({
        "config": {"pattern": r"\w+|\W+", "num_vocab_tokens": 258, "default_vocab_size": 287, "default_num_special_tokens": 30, "version": "v3"},
        "vocab": vocab,
    });
    let load = |file: &Value| Encoding::from_tekken_json("tekken", file.to_string().as_bytes());
    let encoding = load(&file).unwrap();
    assert_eq!(
        encoding.encode("<s>ab!", Special::ALLOW_ALL).unwrap(),
        [1, 286, 63]
    );
    assert_eq!(
        encoding.encode("<SPECIAL_29>", Special::ALLOW_ALL).unwrap(),
        [29]
    );
    file["config"]["version"] = json!("v11");
    assert!(load(&file).unwrap_err().is_unsupported_tokenizer());
    file["special_tokens"] = json!([{"rank": 40, "token_str": "<s>", "is_control": true}]);
    assert!(load(&file).unwrap_err().is_invalid_tokenizer());
    file["special_tokens"][0]["rank"] = json!(0);
    assert_eq!(
        load(&file)
            .unwrap()
            .encode("<s>", Special::ALLOW_ALL)
            .unwrap(),
        [0]
    );
    file["config"]["default_vocab_size"] = json!(400);
    assert_eq!(load(&file).unwrap_err().path(), Some("vocab"));
}

#[test]
fn random_files() {
    let (mut random, cases, mut loaded) = (Random::new(7), times(6_000), 0);
    for _ in 0..cases {
        let bytes: Vec<u8> = (0..250).map(|_| random.below(256) as u8).collect();
        loaded += usize::from(made_file(&bytes));
    }
    assert!(loaded * 2 > cases, "{loaded} of {cases} files were loaded");
}
