//! `truncate`, `chunks` and related calls against their definitions.
//!
//! `TIMES=100` multiplies the number of cases by 100.

use crate::naive::{prefix, suffix};
use crate::random::{Escaped, Verdict, hold_times, long_texts, longer_texts, texts, with};
use proptest::prelude::*;
use tiktally::{Cut, Encoding};

const CASES: u32 = 50_000;

/// The number of cases with a long piece.
const LONG: u32 = 5_000;

/// The number of cases with a piece that is only partly read.
const LONGER: u32 = 500;

fn truncated_as_defined(encoding: &'static Encoding) {
    let tried = |(text, n): (Escaped, usize)| -> Verdict {
        let text = text.text();
        let short = encoding.truncate(text, n);
        prop_assert_eq!(short, prefix(encoding, text, n));
        prop_assert!(n < 4 || text.is_empty() || !short.is_empty());
        prop_assert_eq!(encoding.truncate_start(text, n), suffix(encoding, text, n));
        let count = encoding.count(text);
        prop_assert_eq!(encoding.truncate(text, count), text);
        prop_assert_eq!(encoding.truncate_start(text, count), text);
        Ok(())
    };
    hold_times(CASES, (texts(encoding), 0..12_usize), tried);
    hold_times(LONG, (long_texts(encoding), 0..100_usize), tried);
    hold_times(LONGER, (longer_texts(), 0..200_usize), tried);
}

for_each!(truncated_as_defined: r50k_base cl100k_base o200k_base);

fn chunks_are_truncations(encoding: &'static Encoding) {
    hold_times(CASES, (texts(encoding), 4..12_usize), |(text, n)| {
        let mut rest = text.text();
        for chunk in encoding.chunks(text.text(), n).unwrap() {
            prop_assert_eq!(chunk, encoding.truncate(rest, n));
            prop_assert!(!chunk.is_empty());
            rest = &rest[chunk.len()..];
        }
        prop_assert_eq!(rest, "");
        Ok(())
    });
}

for_each!(chunks_are_truncations: r50k_base cl100k_base o200k_base);

fn overlapping_chunks_cover_the_text(encoding: &'static Encoding) {
    let cuts = prop_oneof![
        Just(None),
        Just(Some(Cut::Line)),
        Just(Some(Cut::Sentence)),
        Just(Some(Cut::Word))
    ];
    let values = (texts(encoding), 4..12_usize, 0..6_usize, cuts);
    hold_times(CASES, values, |(text, n, overlap, cut)| -> Verdict {
        let text = text.text();
        let max = n + overlap;
        let mut chunks = encoding.chunks_overlapping(text, max, overlap).unwrap();
        if let Some(cut) = cut {
            chunks = chunks.prefer(cut);
        }
        let texts: Vec<&str> = chunks.clone().collect();
        let (mut start, mut end) = (0, 0);
        for (i, span) in chunks.spans().enumerate() {
            let range = span.range.clone();
            prop_assert_eq!(&text[range.clone()], texts[i]);
            prop_assert_eq!(encoding.count(&text[range.clone()]), span.tokens);
            prop_assert!(span.tokens <= max);
            prop_assert!(range.start <= end && range.end > end);
            prop_assert!(i == 0 || range.start > start);
            start = range.start;
            prop_assert!(encoding.count(&text[range.start..end]) <= overlap);
            if i > 0 {
                let most = encoding.truncate_start(texts[i - 1], overlap).len();
                // less only where as much would leave no room
                let first = encoding.truncate(&text[end - most..], max);
                let is_less = end - range.start < most;
                prop_assert!(!is_less || first.len() <= most, "{texts:?}");
            }
            end = range.end;
        }
        prop_assert_eq!(end, text.len());
        Ok(())
    });
}

for_each!(overlapping_chunks_cover_the_text: r50k_base cl100k_base o200k_base);

/// White space that is one token, but three without its first characters: an overlap that is made smaller still keeps
/// its limit.
#[test]
#[cfg(feature = "r50k_base")]
fn a_smaller_overlap_has_no_more_tokens() {
    let encoding = tiktally::r50k_base();
    let text = ["\0\0\0 t", &" \u{a0}".repeat(8), "type"].concat();
    let mut end = 0;
    for span in encoding.chunks_overlapping(&text, 5, 1).unwrap().spans() {
        assert!(encoding.count(&text[span.range.start..end]) <= 1);
        end = span.range.end;
    }
    assert_eq!(end, text.len());
}

#[test]
#[cfg(feature = "cl100k_base")]
fn preferred_cuts() {
    let encoding = tiktally::cl100k_base();
    let first = |text, max, cut| {
        encoding
            .chunks(text, max)
            .unwrap()
            .prefer(cut)
            .next()
            .unwrap()
    };
    let words = "one two three four five six seven eight nine ten eleven";
    // what is cut there anyway stays
    assert_eq!(
        first(words, 8, Cut::Word),
        "one two three four five six seven eight"
    );
    assert_eq!(
        first("one two three four\nfive", 5, Cut::Line),
        "one two three four\n"
    );
    let cut = "one two three four five six seven incompre\u{301}hensible";
    assert_eq!(
        first(cut, 9, Cut::Word),
        "one two three four five six seven"
    );
    assert_eq!(
        first("One two three four. Five six", 6, Cut::Sentence),
        "One two three four."
    );
    assert_eq!(
        first("一二三四五六七。八九十", 12, Cut::Sentence),
        "一二三四五六七。"
    );
    // too far back
    assert_eq!(
        first("one\ntwo three four five six", 6, Cut::Line),
        "one\ntwo three four five"
    );
}

/// Tokens that end inside a character, whose whole characters alone are more than one token: cutting at that character
/// would leave too many tokens.
fn tokens_that_cannot_be_cut(encoding: &'static Encoding) -> Vec<String> {
    let whole = |(_, bytes): (_, &[u8])| {
        let valid = bytes.utf8_chunks().next()?.valid().to_owned();
        (!valid.is_empty() && valid.len() < bytes.len() && encoding.count(&valid) > 1)
            .then(|| complete(bytes))
            .flatten()
    };
    encoding.tokens().filter_map(whole).collect()
}

/// Returns a text that begins with these bytes; only their last character is incomplete.
fn complete(bytes: &[u8]) -> Option<String> {
    (0x80..=0xBF).find_map(|fill| {
        let mut filled = (1..=3).map(|n| [bytes, &[fill; 3][..n]].concat());
        filled.find_map(|bytes| String::from_utf8(bytes).ok())
    })
}

fn hostile_tokens_are_cut(name: &str, expected: usize) {
    let Some(encoding) = crate::common::compiled_in(name) else {
        return;
    };
    let texts = tokens_that_cannot_be_cut(encoding);
    assert_eq!(texts.len(), expected);
    for text in texts {
        for text in [text.clone(), format!("{text}{text}"), format!("x{text} y")] {
            for n in 0..8 {
                assert_eq!(
                    encoding.truncate(&text, n),
                    prefix(encoding, &text, n),
                    "{text:?}"
                );
                assert_eq!(
                    encoding.truncate_start(&text, n),
                    suffix(encoding, &text, n),
                    "{text:?}"
                );
            }
            let chunks: Vec<&str> = encoding.chunks(&text, 4).unwrap().collect();
            assert_eq!(chunks.concat(), text);
            assert!(chunks.iter().all(|chunk| encoding.count(chunk) <= 4));
        }
    }
}

#[test]
fn tokens_that_end_inside_a_character() {
    hostile_tokens_are_cut("cl100k_base", 5);
    hostile_tokens_are_cut("o200k_base", 87);
}

#[test]
#[cfg(feature = "cl100k_base")]
fn the_smallest_limits() {
    let encoding = tiktally::cl100k_base();
    // a character of four tokens
    let text = "\u{10fffd}";
    assert_eq!(encoding.count(text), 4);
    assert_eq!(
        (encoding.truncate(text, 4), encoding.truncate(text, 3)),
        (text, "")
    );
    assert_eq!(
        (
            encoding.truncate_start(text, 4),
            encoding.truncate_start(text, 3)
        ),
        (text, "")
    );
    assert_eq!(encoding.chunks(&text.repeat(3), 4).unwrap().count(), 3);
    assert_eq!(
        (
            encoding.truncate("hello", 0),
            encoding.truncate_start("hello", 0)
        ),
        ("", "")
    );
    for (max_tokens, overlap) in [(0, 0), (3, 0), (4, 1), (usize::MAX, usize::MAX)] {
        let error = encoding
            .chunks_overlapping("", max_tokens, overlap)
            .unwrap_err();
        assert!(error.is_limit_too_small(), "{error}");
    }
    assert_eq!(encoding.chunks("", 4).unwrap().count(), 0);
}

#[test]
#[cfg(feature = "o200k_base")]
fn a_million_spaces() {
    let encoding = tiktally::o200k_base();
    let text = " ".repeat(1_000_000) + "x";
    for n in [0, 1, 5, 100, 7_800] {
        assert!(encoding.truncate(&text, n) == prefix(encoding, &text, n));
        assert!(encoding.truncate_start(&text, n) == suffix(encoding, &text, n));
    }
    let mut rest = &text[..];
    for chunk in encoding.chunks(&text, 1_000).unwrap() {
        assert!(chunk == prefix(encoding, rest, 1_000));
        rest = &rest[chunk.len()..];
    }
    assert_eq!(rest, "");
}

/// Real text, if it is available: it belongs to other people and is not part of this project.
#[test]
fn corpora_in_parts() {
    for (name, text) in crate::common::corpora(400_000) {
        for encoding in ["r50k_base", "cl100k_base", "o200k_base"] {
            let Some(encoding) = crate::common::compiled_in(encoding) else {
                continue;
            };
            for max in [4, 100, 512] {
                let chunks: Vec<&str> = encoding.chunks(&text, max).unwrap().collect();
                assert!(chunks.concat() == text, "{name}");
                for chunk in &chunks {
                    assert!(encoding.count(chunk) <= max, "{name}: {chunk:?}");
                }
                let spans = encoding
                    .chunks_overlapping(&text, max + 10, 10)
                    .unwrap()
                    .spans();
                let mut end = 0;
                for span in spans {
                    assert!(span.range.start <= end && span.range.end > end, "{name}");
                    assert!(encoding.count(&text[span.range.start..end]) <= 10, "{name}");
                    assert!(span.tokens <= max + 10, "{name}");
                    end = span.range.end;
                }
                assert_eq!(end, text.len(), "{name}");
                assert!(encoding.truncate(&text, max) == chunks[0], "{name}");
                assert!(
                    encoding.truncate_start(&text, max) == suffix_near(encoding, &text, max),
                    "{name}"
                );
            }
            let count = encoding.count(&text);
            assert!(
                encoding.truncate(&text, count) == text
                    && encoding.truncate_start(&text, count) == text
            );
        }
    }
}

/// Runs the definition of `truncate_start` on the last 20 kB of a text, cut at the start of a line.
fn suffix_near<'t>(encoding: &Encoding, text: &'t str, n: usize) -> &'t str {
    let ids = encoding.encode_ordinary(text);
    let last = encoding
        .decode_bytes(&ids[ids.len().saturating_sub(n)..])
        .unwrap()
        .len();
    let mut starts = (text.len() - last..=text.len()).filter(|at| text.is_char_boundary(*at));
    &text[starts.find(|at| encoding.count(&text[*at..]) <= n).unwrap()..]
}
