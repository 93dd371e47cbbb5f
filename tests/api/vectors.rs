//! Published vectors, copied by hand: tiktoken's README, its tests, and well-known examples.
#![allow(clippy::unreadable_literal)] // ids as they are printed everywhere

#[cfg(any(feature = "r50k_base", feature = "cl100k_base", feature = "o200k_base"))]
use tiktally::Special;

#[cfg(feature = "r50k_base")]
#[test]
fn gpt2() {
    let encoding = tiktally::gpt2();
    assert_eq!(encoding.encode_ordinary("hello world"), [31373, 995]);
    assert_eq!(encoding.decode(&[31373, 995]).unwrap(), "hello world");
    assert_eq!(encoding.encode_ordinary("hamburger"), [2763, 6236, 1362]);
    assert_eq!(
        encoding
            .encode("hello <|endoftext|>", Special::ALLOW_ALL)
            .unwrap(),
        [31373, 220, 50256]
    );
}

/// Runs of one digit: tiktoken's own test of repeated characters.
#[cfg(feature = "r50k_base")]
#[test]
fn zeros_in_gpt2() {
    let ids: [&[u32]; 17] = [
        &[15],
        &[405],
        &[830],
        &[2388],
        &[20483],
        &[10535],
        &[24598],
        &[8269],
        &[10535, 830],
        &[8269, 405],
        &[8269, 830],
        &[8269, 2388],
        &[8269, 20483],
        &[8269, 10535],
        &[8269, 24598],
        &[25645],
        &[8269, 10535, 830],
    ];
    for (n, ids) in (1..).zip(ids) {
        let zeros = "0".repeat(n);
        assert_eq!(tiktally::gpt2().encode_ordinary(&zeros), ids, "{n} zeros");
    }
}

#[cfg(feature = "p50k_base")]
#[test]
fn p50k_base() {
    let encoding = tiktally::p50k_base();
    let ids = encoding.encode_ordinary("你好");
    assert_eq!(ids, [19526, 254, 25001, 121]);
    let bytes: [&[u8]; 4] = [b"\xe4\xbd", b"\xa0", b"\xe5\xa5", b"\xbd"];
    assert_eq!(encoding.decode_tokens_bytes(&ids).unwrap(), bytes);
    for (id, bytes) in ids.into_iter().zip(bytes) {
        assert_eq!(encoding.decode_single_token_bytes(id).unwrap(), bytes);
        assert_eq!(encoding.encode_single_token(bytes).unwrap(), id);
    }
}

#[cfg(feature = "cl100k_base")]
#[test]
fn cl100k_base() {
    let encoding = tiktally::cl100k_base();
    let text = "tiktoken is great!";
    assert_eq!(
        encoding.encode_ordinary(text),
        [83, 1609, 5963, 374, 2294, 0]
    );
    assert_eq!(encoding.count(text), 6);
    assert_eq!(
        encoding.decode(&[83, 1609, 5963, 374, 2294, 0]).unwrap(),
        text
    );
    let tokens: [&[u8]; 6] = [b"t", b"ik", b"token", b" is", b" great", b"!"];
    assert_eq!(
        encoding
            .decode_tokens_bytes(&[83, 1609, 5963, 374, 2294, 0])
            .unwrap(),
        tokens
    );
    assert_eq!(encoding.encode_ordinary("你好"), [57668, 53901]);
    assert_eq!(encoding.encode_ordinary("hello world"), [15339, 1917]);
    assert_eq!(
        encoding
            .encode("hello <|endoftext|>", Special::ALLOW_ALL)
            .unwrap(),
        [15339, 220, 100257]
    );
    assert_eq!(
        encoding.encode_single_token("<|fim_prefix|>").unwrap(),
        100258
    );
}

/// The regressions that tiktoken's tests name.
#[cfg(feature = "cl100k_base")]
#[test]
fn tiktoken_regressions_in_cl100k_base() {
    let vectors: [(&str, &[u32]); 7] = [
        ("rer", &[38149]),
        ("'rer", &[2351, 81]),
        ("today\n ", &[31213, 198, 220]),
        ("today\n \n", &[31213, 27907]),
        ("today\n  \n", &[31213, 14211]),
        (" \u{85}0", &[220, 126, 227, 15]),
        ("👍", &[9468, 239, 235]),
    ];
    for (text, ids) in vectors {
        assert_eq!(
            tiktally::cl100k_base().encode_ordinary(text),
            ids,
            "{text:?}"
        );
    }
}

/// The table of the OpenAI cookbook: one text, four encodings.
#[test]
fn birthday_wishes() {
    let text = "お誕生日おめでとう";
    let vectors: [(&str, &[u32]); 3] = [
        (
            "p50k_base",
            &[
                2515, 232, 45739, 243, 37955, 33768, 98, 2515, 232, 1792, 223, 30640, 30201, 29557,
            ],
        ),
        (
            "cl100k_base",
            &[33334, 45918, 243, 21990, 9080, 33334, 62004, 16556, 78699],
        ),
        (
            "o200k_base",
            &[8930, 9697, 243, 128225, 8930, 17693, 4344, 48669],
        ),
    ];
    for (name, ids) in vectors {
        match tiktally::get_encoding(name) {
            Ok(encoding) => assert_eq!(encoding.encode_ordinary(text), ids, "{name}"),
            Err(error) => assert!(error.is_missing_feature(), "{error}"),
        }
    }
}

#[cfg(feature = "o200k_base")]
#[test]
fn o200k_base() {
    let encoding = tiktally::o200k_base();
    assert_eq!(encoding.encode_ordinary("hello world"), [24912, 2375]);
    assert_eq!(encoding.encode_ordinary("👍"), [82514]);
    let (text, ids) = ("<|endofprompt|>", [200018]);
    assert_eq!(encoding.encode(text, Special::ALLOW_ALL).unwrap(), ids);
}

/// Two strings share an id in o200k_harmony.
#[cfg(feature = "o200k_base")]
#[test]
fn o200k_harmony() {
    let encoding = tiktally::o200k_harmony();
    for text in ["<|endofprompt|>", "<|reserved_200018|>"] {
        assert_eq!(encoding.encode(text, Special::ALLOW_ALL).unwrap(), [200018]);
    }
    assert_eq!(encoding.decode(&[200018]).unwrap(), "<|endofprompt|>");
    assert_eq!(
        encoding
            .encode("<|start|>user<|message|>", Special::ALLOW_ALL)
            .unwrap(),
        [200006, 1428, 200008]
    );
}
