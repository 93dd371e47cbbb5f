//! Custom encodings: their patterns against a backtracking engine, their ids against the definition of byte pair
//! encoding.

use std::collections::HashMap;

use crate::random::{ALPHABET, Escaped, RUNS, alphabet_text, hold_times};
use crate::{naive, texts};
use fancy_regex::Regex;
use proptest::prelude::*;
use proptest::sample::select;
use tiktally::{Encoding, Gaps, Special, TokenId};

const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// The pattern of Kimi K2: that of o200k_base with a piece for Chinese characters.
const KIMI: &str = r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// The pattern of Mistral's Tekken: that of o200k_base without contractions, and each digit is a piece.
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Published patterns, and some that each use one feature the automaton supports.
const LINEAR: [&str; 20] = [
    LLAMA3,
    QWEN,
    TEKKEN,
    KIMI,
    // GPT-2's, as first published and as tiktoken had it for long; cl100k_base's in between; o200k_base's
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    // what is not matched is a piece too
    r"\w+",
    r"\s+(?!\S)",
    r"\s+(?!\S)|[a-z]+",
    r"a|\s+(?!\S)|\s",
    // empty matches
    r"a*|\s+(?!\S)|\s+",
    r"[^\s]*",
    // possessive quantifiers
    r"\p{L}{1,3}+\d|\p{L}++|\s++",
    r"\d*+\p{L}?+\s++$|.",
    r"(?s:.)",
    r"a.*b|\p{L}+",
    r"(?i:[a-f]+)|x++y?",
];

/// Returns an encoding in which every byte is a token and there are no others, so that the ids show the bytes.
fn bytes(pattern: &str) -> Encoding {
    let ranks = naive::byte_ranks();
    let builder = Encoding::builder("bytes").pattern(pattern).ranks(ranks);
    builder.build().unwrap()
}

/// Returns the pieces found by the backtracking engine, and the text between them.
fn pieces<'t>(regex: &Regex, text: &'t str) -> Vec<&'t str> {
    let (mut pieces, mut at) = (Vec::new(), 0);
    for found in regex.find_iter(text) {
        let found = found.unwrap();
        if found.as_str().is_empty() {
            continue;
        }
        if found.start() > at {
            pieces.push(&text[at..found.start()]);
        }
        pieces.push(found.as_str());
        at = found.end();
    }
    if at < text.len() {
        pieces.push(&text[at..]);
    }
    pieces
}

#[test]
fn pieces_are_those_of_a_backtracking_engine() {
    for pattern in LINEAR {
        let (encoding, regex) = (bytes(pattern), Regex::new(pattern).unwrap());
        assert_eq!(encoding.pattern(), encoding.clone().pattern());
        hold_times(4_000, alphabet_text(), |text| {
            let text = String::from_utf8(text).unwrap();
            let expected = pieces(&regex, &text);
            prop_assert_eq!(
                encoding.pieces(&text).collect::<Vec<_>>(),
                expected,
                "{}",
                pattern
            );
            // through the stages, whose buffers end anywhere
            let long = text.repeat(40);
            let found: Vec<&str> = encoding.pieces(&long).collect();
            prop_assert_eq!(found, pieces(&regex, &long), "{}", pattern);
            Ok(())
        });
    }
}

#[test]
fn long_runs_are_cut_alike() {
    for pattern in LINEAR {
        let (encoding, regex) = (bytes(pattern), Regex::new(pattern).unwrap());
        for run in RUNS {
            let text = format!("Some words {}x\n{}", run.repeat(700), run.repeat(300));
            let found: Vec<&str> = encoding.pieces(&text).collect();
            assert!(found == pieces(&regex, &text), "{pattern} {run:?}");
            assert_eq!(
                encoding.encode_ordinary(&text).len(),
                text.len(),
                "{pattern}"
            );
        }
    }
}

/// Patterns that the automaton does not support, or not provably.
#[test]
fn patterns_that_must_be_asked_for() {
    let ranks = naive::byte_ranks;
    for pattern in [
        r"(a)\1",
        r"\p{L}+(?=x)|.",
        r"(?<=a)b|.",
        r"x\s+(?!\S)|.",
        r"a++a",
        r"(?:ab)++c",
        r"(?:a++)b",
        r"[ab]++(?:b|c)",
        r"\ba|.",
        r"^a|.",
        r"(?m)a$|.",
        r"(?i)a|b",
        r"(?>a+)b",
    ] {
        let builder = Encoding::builder("mine").ranks(ranks());
        let error = builder.clone().pattern(pattern).build().expect_err(pattern);
        assert!(error.is_invalid_pattern(), "{pattern}: {error}");
        let message = error.to_string();
        assert!(message.contains("backtracking_pattern"), "{message}");
        let encoding = builder.backtracking_pattern(pattern).build().unwrap();
        let regex = Regex::new(pattern).unwrap();
        for text in ["", "aab", "aa  x\na b", "ab abc  ba", "Ab aB xx  "] {
            assert_eq!(
                encoding.pieces(text).collect::<Vec<_>>(),
                pieces(&regex, text)
            );
            assert_eq!(encoding.try_count(text).unwrap(), text.len());
        }
    }
    for pattern in ["(", "[a", "\\p{Nope}", "*", "(?P<a"] {
        let builder = Encoding::builder("mine").ranks(ranks());
        for builder in [
            builder.clone().pattern(pattern),
            builder.backtracking_pattern(pattern),
        ] {
            let error = builder.build().expect_err(pattern);
            assert!(error.is_invalid_pattern(), "{pattern}: {error}");
        }
    }
    let error = Encoding::builder("mine")
        .ranks(ranks())
        .build()
        .unwrap_err();
    assert!(
        error.is_invalid_pattern() && error.to_string().contains("`pattern`"),
        "{error}"
    );
}

#[test]
fn backtracking_gives_up_with_an_error() {
    let ranks = naive::byte_ranks();
    let pattern = r"(?:a|a|(?=b))*\1?c()|.";
    let encoding = Encoding::builder("slow")
        .backtracking_pattern(pattern)
        .ranks(ranks);
    let encoding = encoding.build().unwrap();
    assert_eq!(
        encoding.encode("aac", Special::AS_TEXT).unwrap(),
        *b"aac".map(u32::from).as_slice()
    );
    let text = "a".repeat(200);
    let errors = [
        encoding.try_encode_ordinary(&text).unwrap_err(),
        encoding.try_count(&text).unwrap_err(),
        encoding.encode(&text, Special::AS_TEXT).unwrap_err(),
        encoding.count_with(&text, Special::AS_TEXT).unwrap_err(),
        encoding
            .encode_with_unstable(&text, Special::AS_TEXT)
            .unwrap_err(),
    ];
    for error in errors {
        assert!(error.is_pattern_limit(), "{error}");
    }
    let calls: [fn(&Encoding, &str); 5] = [
        |encoding, text| _ = encoding.count(text),
        |encoding, text| _ = encoding.count_up_to(text, 3),
        |encoding, text| _ = encoding.truncate(text, 3),
        |encoding, text| _ = encoding.truncate_start(text, 3),
        |encoding, text| _ = encoding.chunks_overlapping(text, 7, 3).unwrap().count(),
    ];
    let mut message = String::new();
    for call in calls {
        let panic = std::panic::catch_unwind(|| call(&encoding, &text)).unwrap_err();
        message.clone_from(panic.downcast_ref().unwrap());
        assert!(message.contains("gave up"), "{message}");
    }
    let bytes = [text.as_bytes(), b"\xff"].concat();
    let panic = std::panic::catch_unwind(|| encoding.encode_bytes(&bytes)).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&message));
}

/// Two million spaces and a letter, which make a backtracking engine overflow its stack or take forever.
#[test]
fn long_white_space_is_linear() {
    for pattern in [LLAMA3, QWEN, TEKKEN, KIMI] {
        let encoding = bytes(pattern);
        let text = " ".repeat(2_000_000) + "a";
        let pieces: Vec<usize> = encoding.pieces(&text).map(str::len).collect();
        assert_eq!(pieces, [1_999_999, 2]);
        assert_eq!(encoding.count(&text), 2_000_001);
        let mut counter = encoding.token_counter();
        counter.push(&text);
        assert_eq!(counter.total(), 2_000_001);
    }
}

#[test]
fn gaps() {
    let ranks = naive::byte_ranks;
    let builder = || Encoding::builder("words").pattern(r"[a-z]+").ranks(ranks());
    let (keep, drop) = (
        builder().build().unwrap(),
        builder().gaps(Gaps::Drop).build().unwrap(),
    );
    let text = "  ab, cd! ef. ";
    assert_eq!(
        keep.pieces(text).collect::<Vec<_>>(),
        ["  ", "ab", ", ", "cd", "! ", "ef", ". "]
    );
    assert_eq!(drop.pieces(text).collect::<Vec<_>>(), ["ab", "cd", "ef"]);
    assert_eq!(
        drop.encode_ordinary(text),
        *b"abcdef".map(u32::from).as_slice()
    );
    assert_eq!((drop.count(text), drop.count_up_to(text, 6)), (6, Some(6)));
    assert_eq!(drop.count_up_to(text, 5), None);
    assert_eq!(
        (drop.truncate(text, 3), drop.truncate_start(text, 3)),
        ("  ab, c", "d! ef. ")
    );
    let chunks: Vec<&str> = drop.chunks(text, 4).unwrap().collect();
    assert_eq!(chunks.concat(), text);
    let mut counter = drop.token_counter();
    let mut encoder = drop.stream_encoder();
    let mut ids = Vec::new();
    for part in naive::parts_at(text, [1, 3, 8]) {
        counter.push(part);
        encoder.push(part, &mut ids);
    }
    encoder.finish(&mut ids);
    assert_eq!((counter.total(), ids), (6, drop.encode_ordinary(text)));
}

/// Text that the pattern does not match ends where a match is certain, so streams need not hold it.
#[test]
fn gaps_end_in_streams() {
    let encoding = bytes(r"[a-z]+[!?]?|[0-9]++");
    let mut encoder = encoding.stream_encoder();
    let mut ids = Vec::new();
    let mut push = |text: &str| {
        let before = ids.len();
        encoder.push(text, &mut ids);
        ids.len() - before
    };
    // the automaton knows a match one byte after the first byte that does not belong to it
    let pushed = ["ab, cd", "! ", ".-", "1", " ", "x"].map(&mut push);
    assert_eq!(pushed, [2, 0, 5, 0, 0, 4]);
    encoder.finish(&mut ids);
    let text = "ab, cd! .-1 x";
    assert_eq!(ids, encoding.encode_ordinary(text));
}

/// Text that almost matches everywhere is read by each look from another place: a stream limits how often.
#[test]
fn almost_matches_are_linear_in_streams() {
    for (pattern, unit, end) in [
        (r"[a-z]+!", "a", ". b!"),
        (r"a+b|[^a]", "a", "c"),
        (r"(?:ab)+c", "ab", "d abc"),
        (r"[a-z]+", " ", "a"),
    ] {
        let encoding = bytes(pattern);
        let text = unit.repeat(200_000) + end;
        for len in [7, 100_000, text.len()] {
            let (mut encoder, mut ids) = (encoding.stream_encoder(), Vec::new());
            for part in text.as_bytes().chunks(len) {
                encoder.push(std::str::from_utf8(part).unwrap(), &mut ids);
            }
            encoder.finish(&mut ids);
            assert!(ids == encoding.encode_ordinary(&text), "{pattern} {len}");
        }
    }
}

/// A long open piece is read again only when it has grown: the ids and counts stay those of the whole text.
#[test]
fn long_pieces_in_streams() {
    let texts = [
        "a".repeat(1_000_000),
        "ab".repeat(300_000) + ", cd" + &", ".repeat(200_000) + "e",
    ];
    for pattern in [r"[a-z]+|,", r"[a-z]+", r"(?s:.+)", KIMI] {
        let encoding = bytes(pattern);
        for text in &texts {
            let (mut counter, mut encoder) = (encoding.token_counter(), encoding.stream_encoder());
            let mut ids = Vec::new();
            let mut at = 0;
            while at < text.len() {
                let part = &text[at..text.len().min(at + 30_011)];
                at += part.len();
                counter.push(part);
                encoder.push(part, &mut ids);
                assert_eq!(counter.total(), at, "{pattern}");
            }
            encoder.finish(&mut ids);
            assert!(ids == encoding.encode_ordinary(text), "{pattern}");
        }
    }
}

/// Text that is dropped, and bytes without a token, cost no tokens but belong to a part of the text.
#[test]
fn limits_where_there_are_gaps() {
    let drop = |pattern| {
        let builder = Encoding::builder("drop").pattern(pattern).gaps(Gaps::Drop);
        builder.ranks(naive::byte_ranks()).build().unwrap()
    };
    let lack = |pattern| {
        let words = [
            ("a", 0),
            (" ", 1),
            ("  ", 2),
            ("s", 3),
            ("\n", 4),
            ("a ", 5),
        ];
        let builder = Encoding::builder("lack").pattern(pattern).ranks(words);
        builder.allow_missing_bytes().build().unwrap()
    };
    let encodings = [r"[a-z]+", r"\s+(?!\S)|a", r"b|\n+", r"\w+| ?[^\s\w]"].map(drop);
    let lacking = [r"\w+|\W", r"(?s:.{1,9})", LLAMA3].map(lack);
    let encodings = [&encodings[..], &lacking].concat();
    let values = (select(encodings), alphabet_text(), 4..12_usize);
    hold_times(20_000, values, |(encoding, text, n)| {
        let text = str::from_utf8(&text).unwrap();
        let (count, beginning) = (encoding.count(text), encoding.truncate(text, n));
        let expected = (count <= n).then_some(count);
        prop_assert_eq!(encoding.count_up_to(text, n), expected);
        prop_assert!(text.starts_with(beginning) && encoding.count(beginning) <= n);
        let end = encoding.truncate_start(text, n);
        prop_assert!(text.ends_with(end) && encoding.count(end) <= n);
        if count <= n {
            prop_assert_eq!((beginning, end), (text, text));
        }
        let mut at = 0;
        for span in encoding.chunks(text, n).unwrap().spans() {
            let chunk = &text[span.range.clone()];
            prop_assert_eq!((span.range.start, span.tokens), (at, encoding.count(chunk)));
            prop_assert!(span.tokens <= n && !chunk.is_empty());
            at = span.range.end;
        }
        prop_assert_eq!(at, text.len());
        Ok(())
    });
}

/// Limits find the tokens among bytes that have none, and read such bytes only a few times.
#[test]
fn limits_where_bytes_have_no_token() {
    let few = Encoding::builder("few").pattern(r"(?s:.{1,9})");
    let few = few.ranks([("a", 0), ("b", 1), ("ab", 2)]);
    let few = few.allow_missing_bytes().build().unwrap();
    assert_eq!(few.truncate("xaxbx", 1), "xax");
    assert_eq!(few.truncate_start("xaxbx", 1), "bx");
    let text = "x".repeat(900_000) + &"xabxxabxx".repeat(30_000);
    assert_eq!(few.truncate(&text, 4).len(), 900_000 + 19);
    assert_eq!(few.truncate_start(&text, 1), "abxx");
    let spans: Vec<_> = few.chunks(&text, 4).unwrap().spans().collect();
    assert_eq!(spans.len(), 15_000);
    assert!(spans.iter().all(|span| span.tokens == 4));
}

/// Returns the ids of a text that arrives one character at a time, counted each time.
fn streamed(encoding: &Encoding, text: &str) -> Result<Vec<TokenId>, TestCaseError> {
    let (mut counter, mut encoder) = (encoding.token_counter(), encoding.stream_encoder());
    let (mut ids, mut at) = (Vec::new(), 0);
    for part in naive::chars(text) {
        at += part.len();
        counter.push(part);
        encoder.push(part, &mut ids);
        let so_far = &text[..at];
        prop_assert_eq!(counter.total(), encoding.count(so_far), "{:?}", so_far);
    }
    encoder.finish(&mut ids);
    Ok(ids)
}

/// Vocabularies of any kind: tokens that no merge makes, tokens of a lower rank than their parts, long tokens, and gaps
/// between the ranks.
fn vocabularies() -> impl Strategy<Value = Vec<(Vec<u8>, TokenId)>> {
    let letters = prop_oneof![
        Just(b"ab".to_vec()),
        Just(b"abc ".to_vec()),
        Just("aé\u{301}最".as_bytes().to_vec()),
        Just(b"\xe6\x9c\x80\xff".to_vec())
    ];
    let tokens = letters.prop_flat_map(|letters| {
        let token = proptest::collection::vec(proptest::sample::select(letters), 2..9);
        proptest::collection::btree_set(token, 0..40)
    });
    let order = any::<u64>();
    (tokens, order, 0..5_u8).prop_map(|(tokens, order, kind)| {
        let mut random = texts::Random::new(order);
        let mut tokens: Vec<Vec<u8>> = tokens.into_iter().collect();
        // by length, as trained, or in any order
        for i in (1..tokens.len()).rev().filter(|_| kind > 0) {
            tokens.swap(i, random.below(i + 1));
        }
        let mut singles: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
        if kind == 0 {
            tokens.sort_by_key(Vec::len);
        }
        if kind == 2 {
            tokens.push(vec![b'a'; 300]);
        }
        if kind == 4 {
            singles = tokens.drain(..tokens.len() / 2).chain(singles).collect();
        }
        let mut rank = 0;
        let ranked = singles.into_iter().chain(tokens).map(|token| {
            rank += 1 + if kind == 3 {
                random.below(1 << 20) as TokenId
            } else {
                0
            };
            (token, rank - 1)
        });
        ranked.collect()
    })
}

#[test]
fn ids_are_those_of_byte_pair_encoding() {
    let texts = prop_oneof![
        "[ab]{0,60}",
        "[abc ]{0,60}",
        "(a|é|\u{301}|最){0,40}",
        "a{290,320}",
        proptest::collection::vec(proptest::sample::select(ALPHABET), 0..40)
            .prop_map(|chars| chars.into_iter().collect::<String>()),
    ];
    hold_times(
        6_000,
        (vocabularies(), texts, any::<bool>()),
        |(ranks, text, is_split)| {
            let pattern = if is_split { LLAMA3 } else { r"(?s:.+)" };
            let encoding = Encoding::builder("random")
                .pattern(pattern)
                .ranks(ranks.clone());
            let encoding = encoding.build().unwrap();
            let tokens: HashMap<Vec<u8>, TokenId> = ranks.iter().cloned().collect();
            let pieces = encoding
                .pieces(&text)
                .map(|piece| naive::merged(&tokens, piece.as_bytes()));
            let expected: Vec<TokenId> = pieces.flatten().collect();
            let shown = || {
                format!(
                    "{:?} {:?}",
                    Escaped(text.clone().into_bytes()),
                    &ranks[256.min(ranks.len())..]
                )
            };
            prop_assert_eq!(&encoding.encode_ordinary(&text), &expected, "{}", shown());
            prop_assert_eq!(encoding.count(&text), expected.len());
            prop_assert_eq!(&encoding.encode_bytes(text.as_bytes()), &expected);
            prop_assert_eq!(encoding.decode(&expected).unwrap(), &*text);
            for (token, id) in &ranks {
                prop_assert_eq!(encoding.encode_single_token(token).unwrap(), *id);
                prop_assert_eq!(encoding.decode_single_token_bytes(*id).unwrap(), &token[..]);
            }
            for n in [0, 3, expected.len() / 2] {
                prop_assert_eq!(
                    encoding.truncate(&text, n),
                    naive::prefix(&encoding, &text, n),
                    "{}",
                    shown()
                );
                prop_assert_eq!(
                    encoding.truncate_start(&text, n),
                    naive::suffix(&encoding, &text, n)
                );
            }
            let ids = streamed(&encoding, &text)?;
            prop_assert_eq!(&ids, &expected);
            Ok(())
        },
    );
}

/// A stream holds only the end of a long piece, whatever the tokens are.
#[test]
fn long_pieces_of_any_vocabulary() {
    let letters = proptest::sample::select(vec!["ab", "abc", "aé\u{301}最", "最", "a"]);
    let text = letters.prop_flat_map(|letters| {
        let letters: Vec<char> = letters.chars().collect();
        let chars = proptest::collection::vec(proptest::sample::select(letters), 0..12_000);
        chars.prop_map(|chars| chars.into_iter().collect::<String>())
    });
    hold_times(500, (vocabularies(), text), |(ranks, text)| {
        let builder = Encoding::builder("random").pattern(LLAMA3).ranks(ranks);
        let encoding = builder.build().unwrap();
        let (mut encoder, mut ids) = (encoding.stream_encoder(), Vec::new());
        for part in naive::chars(&text).chunks(700) {
            encoder.push(&part.concat(), &mut ids);
        }
        encoder.finish(&mut ids);
        prop_assert_eq!(ids, encoding.encode_ordinary(&text));
        Ok(())
    });
}

/// Streams and limits with a pattern that runs on the automaton.
#[test]
#[cfg(feature = "cl100k_base")]
fn parts_with_a_custom_pattern() {
    let mut file = Vec::new();
    tiktally::write_tiktoken(tiktally::cl100k_base(), &mut file).unwrap();
    let encoding = Encoding::builder("kimi")
        .pattern(KIMI)
        .ranks_from_tiktoken(&file[..]);
    let encoding = encoding.unwrap().build().unwrap();
    hold_times(
        4_000,
        crate::random::texts(tiktally::cl100k_base()),
        |text| {
            let text = text.text();
            let ids = streamed(&encoding, text)?;
            prop_assert_eq!(ids, encoding.encode_ordinary(text));
            for n in [1, 4, 9] {
                prop_assert_eq!(
                    encoding.truncate(text, n),
                    naive::prefix(&encoding, text, n)
                );
                prop_assert_eq!(
                    encoding.truncate_start(text, n),
                    naive::suffix(&encoding, text, n)
                );
            }
            Ok(())
        },
    );
}

#[test]
fn special_tokens_that_do_not_fit() {
    let ranks = naive::byte_ranks();
    let builder = Encoding::builder("mine").pattern(LLAMA3).ranks(ranks);
    for (token, id, more) in [("", 300, None), ("<a>", 65, None), ("<a>", 300, Some(301))] {
        let mut builder = builder.clone().special_token(token, id);
        if let Some(id) = more {
            builder = builder.special_token(token, id);
        }
        let error = builder.build().unwrap_err();
        assert!(error.is_invalid_special(), "{error}");
    }
    let shared = builder
        .special_token("<b>", 300)
        .special_token("<a>", 300)
        .special_token("<b>", 300);
    let shared = shared.special_token("<max>", u32::MAX).build().unwrap();
    assert_eq!(
        shared.encode("<a><b>", Special::ALLOW_ALL).unwrap(),
        [300, 300]
    );
    assert_eq!(shared.decode(&[300, u32::MAX]).unwrap(), "<b><max>");
    assert_eq!(shared.n_vocab(), u32::MAX as usize + 1);
    // said twice, it is one token all the same
    let allowed = shared.encode("a<b>", Special::allow(&["<b>"]));
    assert_eq!(allowed.unwrap(), [97, 300]);
    assert_eq!(shared.special_tokens().count(), 3);
    // an encoding that is made from it decodes as it does
    let extended = shared.extend("more").special_token("<c>", 301).build();
    assert_eq!(extended.unwrap().decode(&[300, 301]).unwrap(), "<b><c>");
}

#[test]
fn extended_encodings_keep_what_becomes_of_gaps() {
    let words = Encoding::builder("words").pattern(r"[a-z]+");
    let keep = words.ranks(naive::byte_ranks()).build().unwrap();
    let drop = keep.extend("drop").gaps(Gaps::Drop).build().unwrap();
    let again = drop.extend("again").pattern(r"[a-z]+").build().unwrap();
    let counts = [&keep, &drop, &again].map(|encoding| encoding.count("a b"));
    assert_eq!(counts, [3, 2, 2]);
}

#[test]
#[cfg(feature = "o200k_base")]
fn extended_encodings() {
    let plain = tiktally::o200k_base();
    let chat = plain
        .extend("chat")
        .special_token("<|im_start|>", 200_100)
        .build()
        .unwrap();
    assert_eq!((chat.name(), chat.pattern()), ("chat", plain.pattern()));
    assert_eq!(
        chat.encode("<|im_start|>a<|endoftext|>", Special::ALLOW_ALL)
            .unwrap(),
        [200_100, 64, 199_999]
    );
    assert_eq!(
        plain.encode_ordinary("<|im_start|>"),
        chat.encode_ordinary("<|im_start|>")
    );
    assert!(plain.decode(&[200_100]).unwrap_err().is_unknown_token());
    assert!(
        plain
            .extend("x")
            .special_token("<|a|>", 5)
            .build()
            .unwrap_err()
            .is_invalid_special()
    );
    assert!(
        plain
            .extend("x")
            .special_token("<|endoftext|>", 6_000_000)
            .build()
            .unwrap_err()
            .is_invalid_special()
    );
}

/// Bytes without a token are errors of calls that can return one. Other calls leave them out, and none panics or hangs.
#[test]
fn bytes_may_lack() {
    let words = [("a", 0), ("b", 1), (" ", 2), ("ab", 3), ("xy", 4)];
    let builder = Encoding::builder("toy").pattern(r"\w+|\W").ranks(words);
    let refused = builder.clone().build().unwrap_err();
    assert!(refused.is_invalid_ranks() && refused.to_string().contains("allow_missing_bytes"));
    let toy = builder.allow_missing_bytes().build().unwrap();
    assert!(toy.can_fail());
    assert_eq!(toy.try_encode_ordinary("abb xy").unwrap(), [3, 1, 2, 4]);
    for text in [
        "abc",
        "c",
        "é",
        "ab é",
        "xz",
        "a x",
        "y",
        "xyx",
        "🙂🙂🙂🙂 🙂",
    ] {
        let errors = [
            toy.encode(text, Special::REJECT).unwrap_err(),
            toy.try_encode_ordinary(text).unwrap_err(),
            toy.try_encode_ordinary_into(text, &mut Vec::new())
                .unwrap_err(),
            toy.try_count(text).unwrap_err(),
            toy.encode_batch_flat(&["a", text], Special::AS_TEXT, 1)
                .unwrap_err(),
        ];
        for error in errors {
            assert!(error.is_unknown_token_bytes(), "{text}: {error}");
            assert!(error.to_string().contains("covers the byte 0x"), "{error}");
        }
        let ids = toy.encode_ordinary(text);
        assert_eq!(toy.count(text), ids.len());
        assert!(toy.decode_bytes(&ids).unwrap().len() < text.len());
        for limit in 0..6 {
            assert!(text.starts_with(toy.truncate(text, limit)));
            assert!(text.ends_with(toy.truncate_start(text, limit)));
            let _ = toy.count_up_to(text, limit);
            if let Ok(chunks) = toy.chunks(text, limit) {
                assert!(chunks.take(100).count() < 100, "{text} {limit}");
            }
        }
        let (mut encoder, mut streamed) = (toy.stream_encoder(), Vec::new());
        let mut counter = toy.token_counter();
        for character in naive::chars(text) {
            encoder.push(character, &mut streamed);
            counter.push(character);
        }
        encoder.finish(&mut streamed);
        assert_eq!((streamed, counter.total()), (ids.clone(), ids.len()));
        toy.encode_bytes(text.as_bytes());
        toy.encode_bytes(text.get(1..).map_or(&[0xFF], str::as_bytes));
        toy.encode_bytes(&[text.as_bytes(), b"\xFF"].concat());
    }
}

/// Tokens of one byte each, but not all of them: the tables for whole vocabularies cannot hold these.
#[test]
fn most_bytes_may_lack() {
    for last in [0, 97, 98, 127] {
        let bytes = (0..=last).map(|byte: u8| ([byte], u32::from(byte)));
        let builder = Encoding::builder("few").pattern(r"\w+|\W").ranks(bytes);
        let few = builder.allow_missing_bytes().build().unwrap();
        assert!(few.can_fail());
        assert_eq!(few.encode_ordinary("\0\u{ff}"), few.encode_ordinary("\0"));
        assert!(few.try_count("\0\u{ff}").is_err());
        let known = (0..=last).map(char::from).collect::<String>();
        let ids: Vec<TokenId> = (0..=last.into()).collect();
        assert_eq!(few.encode(&known, Special::AS_TEXT).unwrap(), ids);
        assert_eq!(few.decode(&ids).unwrap(), known);
    }
}

#[test]
fn special_tokens_may_have_ids_of_ordinary_ones() {
    let builder = Encoding::builder("shared")
        .pattern(r"\w+")
        .ranks(naive::byte_ranks());
    let builder = builder.special_token("<a>", 97).special_token("<b>", 300);
    let refused = builder.clone().build().unwrap_err();
    assert!(
        refused.is_invalid_special() && refused.to_string().contains("allow_shared_special_ids")
    );
    let shared = builder.allow_shared_special_ids().build().unwrap();
    assert_eq!(
        shared.encode("a<a><b>", Special::ALLOW_ALL).unwrap(),
        [97, 97, 300]
    );
    assert_eq!(shared.decode(&[97, 300]).unwrap(), "a<b>");
    assert!(shared.is_special_token(97) && !shared.is_special_token(98));
    assert_eq!((shared.n_vocab(), shared.tokens().count()), (301, 256));
    let extended = shared.extend("more").special_token("<c>", 98).build();
    let ids = extended.unwrap().encode("<c><a>", Special::ALLOW_ALL);
    assert_eq!(ids.unwrap(), [98, 97]);
}
