//! Files of other tokenizers: each fault has its error, and a file that loads gives the ids of its own tokenizer.

use std::collections::HashMap;
use std::io::Read;

use crate::common::times;
use crate::fuzz_checks::checks::{made_file, small_vocab};
use crate::texts::Random;
use serde_json::{Value, json};
use tiktally::{Encoding, Error, Special};

/// Returns a small file: the bytes, `ab` and `abc`, in GPT-2's letters.
fn small() -> Value {
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
        "model": {"type": "BPE", "vocab": small_vocab(), "merges": ["a b", "ab c"]},
    })
}

/// Returns a part of a pre-tokenizer that splits at a pattern.
fn split(regex: &str, behavior: &str, inverts: bool) -> Value {
    json!({"type": "Split", "pattern": {"Regex": regex}, "behavior": behavior, "invert": inverts})
}

fn isolated(regex: &str) -> Value {
    split(regex, "Isolated", false)
}

/// Returns the small file with these splits, and ByteLevel after them.
fn with_splits(splits: Vec<Value>, use_regex: bool) -> Value {
    let byte_level =
        json!({"type": "ByteLevel", "add_prefix_space": false, "use_regex": use_regex});
    let parts: Vec<Value> = splits.into_iter().chain([byte_level]).collect();
    let mut file = small();
    file["pre_tokenizer"] = json!({"type": "Sequence", "pretokenizers": parts});
    file
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

/// Later calls replace one part of a file, and the others stay.
#[test]
fn parts_of_a_file_that_are_replaced() {
    let file = small().to_string();
    let builder = || {
        Encoding::builder("small")
            .tokenizer_json(file.as_bytes())
            .unwrap()
    };
    let bytes = (0..=255).map(|byte| (vec![byte], u32::from(byte)));
    let ranks = |more: &[u8], id| bytes.clone().chain([(more.to_vec(), id)]);
    let other = builder().ranks(ranks(b"bc", 256)).build().unwrap();
    assert_eq!(
        other.encode("abc<s>", Special::ALLOW_ALL).unwrap(),
        [97, 256, 258]
    );
    assert_eq!(other.ids_before_text(), [258]);
    let error = builder().ranks(ranks(b"bc", 258)).build().unwrap_err();
    assert!(error.is_invalid_special(), "{error}");
    let words = builder().pattern(r"\S|\s").build().unwrap();
    assert_eq!(words.encode_ordinary("ab"), [97, 98]);
    assert_eq!(words.ids_before_text(), [258]);
    // an ordinary token around each text
    let mut file = small();
    file["post_processor"]["special_tokens"]["<s>"] =
        json!({"id": "<s>", "ids": [257], "tokens": ["abc"]});
    let builder = Encoding::builder("small")
        .tokenizer_json(file.to_string().as_bytes())
        .unwrap();
    let error = builder.ranks(ranks(b"bc", 256)).build().unwrap_err();
    assert!(
        error.is_invalid_ranks() && error.to_string().contains("the id 257"),
        "{error}"
    );
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
    file["model"]["vocab"]["xyz"] = json!(258);
    file["added_tokens"] = json!([]);
    file["post_processor"] = json!(null);
    let error = load(&file).unwrap_err();
    assert!(
        error.to_string().contains("\"xyz\" with the id 258"),
        "{error}"
    );
    file["model"]["ignore_merges"] = json!(true);
    assert_eq!(load(&file).unwrap().encode_ordinary("xyz"), [258]);
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
    assert!(changed("/added_tokens/0/id", json!(97)).is_unsupported_tokenizer());
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
    let pieces = |parts: Vec<Value>, text: &str| {
        let encoding = load(&with_splits(parts, false)).unwrap();
        encoding.pieces(text).map(str::to_owned).collect::<Vec<_>>()
    };
    let digits = || isolated(r"\p{N}{1,3}");
    let words = || isolated(r"\p{L}+|\p{N}+|\s+(?!\S)|\s+");
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
        pieces(vec![split(r"[a-z]+", "Removed", true)], " a b "),
        ["a", "b"]
    );
    assert_eq!(
        pieces(vec![digits(), split("[ab]+", "Removed", true)], "ab1-b"),
        ["ab", "b"]
    );
    let string = json!({"type": "Split", "pattern": {"String": "."}, "behavior": "Isolated", "invert": false});
    assert_eq!(pieces(vec![string], "a.b"), ["a", ".", "b"]);
}

/// Returns a token as a file of Mistral has it.
fn tekken_token(rank: u32, bytes: &[u8]) -> Value {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.encode(bytes);
    json!({"rank": rank, "token_bytes": bytes, "token_str": null})
}

/// Returns a small file of Mistral.
fn tekken_file(pattern: &str) -> Value {
    let mut vocab: Vec<Value> = (0..=255)
        .map(|byte: u8| tekken_token(byte.into(), &[byte]))
        .collect();
    vocab.extend([
        tekken_token(256, b"ab"),
        tekken_token(257, b"more than is used"),
    ]);
    json!({
        "config": {"pattern": pattern, "num_vocab_tokens": 258, "default_vocab_size": 287, "default_num_special_tokens": 30, "version": "v3"},
        "vocab": vocab,
    })
}

#[test]
fn tekken() {
    let mut file = tekken_file(r"\w+|\W+");
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

/// The pattern of Mistral's files.
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// An encoding with Mistral's pattern and 1,000 special tokens can stream, and can be cut into parts.
#[test]
fn tekken_streams() {
    let mut file = tekken_file(TEKKEN);
    let letters = b'a'..=b'z';
    let pairs = letters
        .clone()
        .flat_map(|a| letters.clone().map(move |b| [a, b]));
    let vocab = file["vocab"].as_array_mut().unwrap();
    vocab.truncate(256);
    for (rank, pair) in (256..).zip(pairs) {
        vocab.push(tekken_token(rank, &pair));
    }
    let tokens = vocab.len();
    file["config"]["default_vocab_size"] = json!(tokens + 1000);
    file["config"]["default_num_special_tokens"] = json!(1000);
    let encoding = Encoding::from_tekken_json("tekken", file.to_string().as_bytes()).unwrap();
    let mut stream = encoding.stream_encoder();
    let mut ids = Vec::new();
    stream.push("it's a 12 b", &mut ids);
    // "it", "'s", " a", " ", "1", "2"; " b" may go on
    let it = 1000 + 256 + 26 * 8 + 19;
    let byte = |byte: u8| 1000 + u32::from(byte);
    let expected: Vec<u32> = [it].into_iter().chain(b"'s a 12".map(byte)).collect();
    assert_eq!(ids, expected);
    stream.finish(&mut ids);
    assert_eq!(ids, encoding.encode_ordinary("it's a 12 b"));
    let text = "A line.\n".repeat(1000);
    assert!(encoding.independent_parts(&text, 1000).count() > 1);
}

/// Text that the pattern leaves out has no ids, as in tiktoken, which Mistral's library uses.
#[test]
fn tekken_drops_what_its_pattern_leaves_out() {
    let mut file = tekken_file(r"\w+");
    let load = |file: &Value| Encoding::from_tekken_json("tekken", file.to_string().as_bytes());
    let encoding = load(&file).unwrap();
    assert_eq!(encoding.encode_ordinary("ab !a"), [286, 30 + 97]);
    file["special_tokens"] = json!([{"rank": 1, "token_str": "<s>"}]);
    assert!(load(&file).unwrap_err().to_string().contains("ranks"));
    file["special_tokens"][0]["rank"] = json!(0);
    file["config"]["pattern"] = json!("a".repeat(10_000));
    assert_eq!(load(&file).unwrap_err().path(), Some("config.pattern"));
}

/// A pattern that Oniguruma reads in another way, or that may match nothing, is refused with what is the matter.
#[test]
fn patterns_of_another_regex_engine() {
    for (pattern, says) in [
        (r"\p{N}{1,3}+", "`{1,3}+`"),
        (r"\p{N}{3}?|.", "`{3}?`"),
        (r"\p{N}+?+", "`+?+`"),
        (r"\p{N}{1,3}?+", "`{1,3}?+`"),
        (r"\p{N}{1,2}{2}", "`{1,2}{2}`"),
        (r"\p{N}+{2}", "`+{2}`"),
        (r"\p{N}{2,1}", "`{2,1}`"),
        (r"\p{N}{1, 2}", "`{1,`"),
        (r"a{,}", "`{,}`"),
        (r"[[:punct:]]+", "`[:`"),
        (r"[a-z--b]+", "`--`"),
        (r"[a&&b]+", "`&&`"),
        (r"\w+", r"`\w`"),
        (r"a\b", r"`\b`"),
        (r"\h+", r"`\h`"),
        (r"\U00000041", r"`\U`"),
        (r"\p{Punct}+", r"`\p`"),
        (r"\pL+", r"`\p`"),
        (r"^a", "`^`"),
        (r"a$", "`$`"),
        (r"(?i:ss)", "`(?i`"),
        (r"(?<a>a)", "`(?<`"),
        (r"a*", "between two characters"),
        (r"(?<=a)(?=b)", "between two characters"),
        (r"(a", "not supported"),
        (&"a++".repeat(100), "possessive"),
        (&"a".repeat(10_000), "bytes"),
    ] {
        let error = load(&with_splits(vec![isolated(pattern)], true)).unwrap_err();
        assert!(error.is_unsupported_tokenizer(), "{pattern}: {error}");
        assert_eq!(error.path(), Some("pre_tokenizer.pretokenizers[0]"));
        assert!(error.to_string().contains(says), "{pattern}: {error}");
    }
    // a bracket that comes first in a class is a character for both
    let bracket = load(&with_splits(vec![isolated(r"[]+*]|[^]]")], true)).unwrap();
    assert_eq!(bracket.pieces("]+a").count(), 3);
    let mut file = small();
    file["pre_tokenizer"]["add_prefix_space"] = json!("no");
    assert!(load(&file).unwrap_err().is_invalid_tokenizer());
}

/// Files that are made to take long or much memory are refused, or load in short time.
#[test]
fn hostile_files() {
    // each was compiled again for each one before it
    let trailing = [r"\s+(?!\S)"; 200].join("|") + "|a";
    load(&with_splits(vec![isolated(&trailing)], false)).unwrap();
    let many = with_splits(vec![isolated("a"); 100], false);
    assert!(load(&many).unwrap_err().to_string().contains("16 parts"));
    let mut file = small();
    file["normalizer"] = json!({"type": "NFC", "more": "a".repeat(2 << 20)});
    assert_eq!(load(&file).unwrap_err().path(), Some("normalizer"));
    let mut file = small();
    file["added_tokens"][1]["content"] = json!("a".repeat(100_000));
    assert_eq!(load(&file).unwrap_err().path(), Some("added_tokens[1]"));
    let added = |i: u32| json!({"id": 258 + i, "content": format!("{i:a>900}"), "normalized": i.is_multiple_of(2)});
    file["added_tokens"] = (0..1_100).map(added).collect();
    let error = load(&file).unwrap_err();
    assert!(error.is_unsupported_tokenizer(), "{error}");
    file["added_tokens"] = (0..2_000).map(added).collect();
    assert_eq!(load(&file).unwrap_err().path(), Some("added_tokens"));
    // each place names all ids of a token
    let mut file = small();
    let template = &mut file["post_processor"];
    template["special_tokens"]["<s>"]["ids"] = json!(vec![258; 400]);
    let token = template["single"][0].clone();
    template["single"] = json!(vec![token; 10_000]);
    let error = load(&file).unwrap_err();
    assert!(error.is_unsupported_tokenizer(), "{error}");
    assert_eq!(error.path(), Some("post_processor.single[2]"));
}

/// A part that no one reads may hold an escape that stands for no character. A fuzzer found it.
#[test]
fn parts_that_are_skipped() {
    let text = small().to_string();
    let text = text.replacen('{', r#"{"other": "\ud800", "#, 1);
    let encoding = Encoding::from_tokenizer_json("small", text.as_bytes()).unwrap();
    assert_eq!(encoding.encode_ordinary("abc"), [257]);
}

/// Hugging Face numbers added tokens itself, whatever the file says.
#[test]
fn ids_of_added_tokens() {
    let error = changed("/added_tokens/1/id", json!(300));
    assert!(error.is_unsupported_tokenizer(), "{error}");
    assert_eq!(error.path(), Some("added_tokens[1]"));
    assert!(error.to_string().contains("259"), "{error}");
    let mut file = small();
    file["added_tokens"][0]["id"] = json!(null);
    assert!(load(&file).unwrap_err().is_invalid_tokenizer());
    // one that is in the vocabulary keeps its id there
    file["added_tokens"][0]["id"] = json!(300);
    file["added_tokens"][1]["id"] = json!(259);
    file["model"]["vocab"]["<s>"] = json!(300);
    let encoding = load(&file).unwrap();
    assert_eq!(
        encoding.encode("<s><t>", Special::ALLOW_ALL).unwrap(),
        [300, 259]
    );
}

/// A file with the tokens of a built-in encoding, and every pair that joins to one as a merge, gives its ids.
#[test]
#[cfg(feature = "r50k_base")]
fn a_file_of_a_built_in_encoding() {
    let r50k = tiktally::r50k_base();
    let by_bytes: HashMap<&[u8], u32> = r50k.tokens().map(|(id, token)| (token, id)).collect();
    let mut vocab: serde_json::Map<String, Value> =
        small()["model"]["vocab"].as_object().unwrap().clone();
    let letter: Vec<String> = (0..=255_u32)
        .map(|byte| {
            let is_it = |(_, id): &(&String, &Value)| **id == json!(byte);
            vocab.iter().find(is_it).unwrap().0.clone()
        })
        .collect();
    let text = |token: &[u8]| -> String {
        token
            .iter()
            .map(|byte| &*letter[usize::from(*byte)])
            .collect()
    };
    vocab.clear();
    let mut merges = Vec::new();
    for (id, token) in r50k.tokens() {
        vocab.insert(text(token), id.into());
        for cut in 1..token.len() {
            let (left, right) = token.split_at(cut);
            if by_bytes.contains_key(left) && by_bytes.contains_key(right) {
                merges.push(json!([text(left), text(right)]));
            }
        }
    }
    let mut file = small();
    file["model"]["vocab"] = vocab.into();
    file["model"]["merges"] = merges.into();
    file["added_tokens"] = json!([{"id": 50256, "content": "<|endoftext|>", "special": true}]);
    file["post_processor"] = json!(null);
    let whole = load(&file).unwrap();
    // without its last token, it is another vocabulary with tables of its own
    let last = r50k.tokens().last().unwrap().1;
    file["model"]["vocab"]
        .as_object_mut()
        .unwrap()
        .remove(&text(last));
    let is_kept = |merge: &Value| {
        format!(
            "{}{}",
            merge[0].as_str().unwrap(),
            merge[1].as_str().unwrap()
        ) != text(last)
    };
    file["model"]["merges"]
        .as_array_mut()
        .unwrap()
        .retain(is_kept);
    file["added_tokens"][0]["id"] = json!(50_255);
    let less = load(&file).unwrap();
    for text in [
        "Hello, world! It's 2026.",
        "  naïve\n\n\tcafé 最初",
        "<|endoftext|>",
    ] {
        let ids = r50k.encode(text, Special::AS_TEXT).unwrap();
        assert_eq!(whole.encode_ordinary(text), ids);
        assert_eq!(less.encode_ordinary(text), ids);
    }
    assert_eq!(
        whole.encode("<|endoftext|>", Special::ALLOW_ALL).unwrap(),
        [50_256]
    );
    assert_eq!(
        less.encode("<|endoftext|>", Special::ALLOW_ALL).unwrap(),
        [50_255]
    );
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
