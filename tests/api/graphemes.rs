//! Limits that keep grapheme clusters whole, against their definitions on the whole text.
//!
//! `TIMES=100` multiplies the number of cases by 100.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use tiktally::{Cut, Encoding};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::random::{Escaped, Verdict, hold_times, texts, with};

const CASES: u32 = 20_000;

const FAMILY: &str = "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}";

/// Parts of clusters, and characters that end them: marks, joiners, skin tones, flags, jamo, conjuncts, prepended signs.
#[rustfmt::skip]
const PARTS: &[&str] = &[
    "a", " ", "\r", "\n", "\r\n", "e", " the", "word", ".", "1", "\t", "中", "。", "\u{301}", "\u{302}\u{301}", "\u{200d}",
    "\u{1f469}", "\u{1f467}", "\u{1f3fd}", "\u{fe0f}", "\u{20e3}", "\u{2764}", "\u{1f1fa}", "\u{1f1f8}", "\u{1f1e9}",
    "\u{1f1ea}", "\u{1100}", "\u{1161}", "\u{11a8}", "한", "\u{915}", "\u{94d}", "\u{937}", "\u{93f}", "\u{600}", "\u{e0067}", FAMILY,
];

/// Texts of parts of clusters, and texts of all kinds.
fn clustered(encoding: &'static Encoding) -> impl Strategy<Value = Escaped> {
    let parts = vec(select(PARTS), 0..30);
    let parts = parts.prop_map(|parts| Escaped(parts.concat().into_bytes()));
    prop_oneof![3 => parts, 1 => texts(encoding)]
}

/// The borders of clusters, and both ends.
fn borders(text: &str) -> BTreeSet<usize> {
    let starts = text.grapheme_indices(true).map(|(at, _)| at);
    starts.chain([0, text.len()]).collect()
}

/// Returns the cluster that has this byte inside, if its borders are not there.
fn around<'t>(text: &'t str, borders: &BTreeSet<usize>, at: usize) -> &'t str {
    let start = borders.range(..=at).next_back().unwrap();
    let end = borders.range(at..).next().unwrap();
    &text[*start..*end]
}

/// The definition of `truncate_graphemes`.
fn prefix<'t>(encoding: &Encoding, text: &'t str, n: usize) -> &'t str {
    let most = encoding.truncate(text, n);
    let borders = borders(text);
    let mut ends = borders.range(1..=most.len().max(1)).rev();
    let fits = |end: &&usize| encoding.count(&text[..**end]) <= n;
    if let Some(end) = ends.find(|end| **end <= most.len() && fits(end)) {
        return &text[..*end];
    }
    let first = text.graphemes(true).next().unwrap_or_default();
    if encoding.count(first) <= n {
        first
    } else {
        most
    }
}

/// The definition of `truncate_start_graphemes`.
fn suffix<'t>(encoding: &Encoding, text: &'t str, n: usize) -> &'t str {
    let most = encoding.truncate_start(text, n);
    let borders = borders(text);
    let mut starts = borders.range(text.len() - most.len()..text.len());
    let fits = |start: &&usize| encoding.count(&text[**start..]) <= n;
    if let Some(start) = starts.find(fits) {
        return &text[*start..];
    }
    let last = text.graphemes(true).next_back().unwrap_or_default();
    if encoding.count(last) <= n {
        last
    } else {
        most
    }
}

fn whole_clusters_are_kept(encoding: &'static Encoding) {
    hold_times(CASES, (clustered(encoding), 0..24_usize), |(text, n)| {
        let text = text.text();
        let kept = encoding.truncate_graphemes(text, n);
        prop_assert_eq!(kept, prefix(encoding, text, n));
        prop_assert!(encoding.count(kept) <= n);
        prop_assert!(n < 4 || text.is_empty() || !kept.is_empty());
        let kept = encoding.truncate_start_graphemes(text, n);
        prop_assert_eq!(kept, suffix(encoding, text, n));
        prop_assert!(encoding.count(kept) <= n);
        let count = encoding.count(text);
        prop_assert_eq!(encoding.truncate_graphemes(text, count), text);
        prop_assert_eq!(encoding.truncate_start_graphemes(text, count), text);
        Ok(())
    });
}

for_each!(whole_clusters_are_kept: r50k_base cl100k_base o200k_base);

/// Chunks keep their limits, joined they are the text, and no cluster is cut that has room in a chunk.
fn chunks_of_whole_clusters(encoding: &'static Encoding) {
    let cuts = select(&[None, Some(Cut::Line), Some(Cut::Sentence), Some(Cut::Word)][..]);
    let values = (clustered(encoding), 4..24_usize, 0..12_usize, cuts);
    hold_times(CASES, values, |(text, n, overlap, cut)| -> Verdict {
        let text = text.text();
        let max = n + overlap;
        let mut chunks = encoding.chunks_overlapping(text, max, overlap).unwrap();
        chunks = chunks.prefer(Cut::Grapheme);
        if let Some(cut) = cut {
            chunks = chunks.prefer(cut);
        }
        let joined: Vec<&str> = chunks.clone().collect();
        prop_assert!(overlap > 0 || joined.concat() == text);
        let borders = borders(text);
        let (mut start, mut end) = (0, 0);
        for (i, span) in chunks.spans().enumerate() {
            let range = span.range.clone();
            prop_assert_eq!(&text[range.clone()], joined[i]);
            prop_assert_eq!(encoding.count(joined[i]), span.tokens);
            prop_assert!(span.tokens <= max);
            prop_assert!(range.start <= end && range.end > end);
            prop_assert!(i == 0 || range.start > start);
            prop_assert!(encoding.count(&text[range.start..end]) <= overlap);
            for at in [range.start, range.end] {
                let cluster = around(text, &borders, at);
                prop_assert!(
                    cluster.is_empty() || encoding.count(cluster) > max,
                    "{cluster:?}"
                );
            }
            (start, end) = (range.start, range.end);
        }
        prop_assert_eq!(end, text.len());
        Ok(())
    });
}

for_each!(chunks_of_whole_clusters: r50k_base cl100k_base o200k_base);

/// Without clusters of several characters, the results are those without the rule.
fn plain_text_is_cut_as_without_the_rule(encoding: &'static Encoding) {
    let words = vec(
        select(&["a", " the", "word", ".", "中", "。", "\n", "  ", "é"][..]),
        0..40,
    );
    hold_times(
        CASES / 4,
        (words, 4..12_usize, 0..6_usize),
        |(words, n, overlap)| {
            let text = words.concat();
            prop_assert_eq!(
                encoding.truncate_graphemes(&text, n),
                encoding.truncate(&text, n)
            );
            prop_assert_eq!(
                encoding.truncate_start_graphemes(&text, n),
                encoding.truncate_start(&text, n)
            );
            let chunks = encoding.chunks(&text, n).unwrap();
            prop_assert!(chunks.clone().eq(chunks.prefer(Cut::Grapheme)));
            // the overlap only has to be as long where no chunk needs a shorter one
            let spans = encoding
                .chunks_overlapping(&text, n + overlap, overlap)
                .unwrap();
            prop_assert_eq!(spans.clone().next(), spans.prefer(Cut::Grapheme).next());
            Ok(())
        },
    );
}

for_each!(plain_text_is_cut_as_without_the_rule: cl100k_base);

/// The report: a family that is longer than what is left of the limit.
#[test]
#[cfg(feature = "o200k_base")]
fn a_family_stays_together() {
    let encoding = tiktally::o200k_base();
    let text = format!("hello {FAMILY} world");
    assert_eq!(encoding.truncate(&text, 4), "hello \u{1f469}\u{200d}");
    assert_eq!(encoding.truncate_graphemes(&text, 4), "hello ");
    assert_eq!(encoding.truncate_start_graphemes(&text, 4), " world");
    let tokens = encoding.count(FAMILY);
    let chunks = |n: usize, overlap| -> Vec<&str> {
        let chunks = encoding.chunks_overlapping(&text, n, overlap).unwrap();
        chunks.prefer(Cut::Grapheme).collect()
    };
    assert_eq!(chunks(tokens, 0), ["hello ", FAMILY, " world"]);
    // the overlap is the space, which costs nothing before the family
    assert_eq!(chunks(tokens, 2)[1], format!(" {FAMILY}"));
    // no part of a family is an overlap
    let text_after = format!("{FAMILY} one two three");
    let spans = encoding.chunks_overlapping(&text_after, tokens, tokens - 4);
    let parts: Vec<&str> = spans.unwrap().prefer(Cut::Grapheme).collect();
    assert_eq!(parts, [FAMILY, " one two three"]);
    // the family alone is over the limit, so it is cut between characters
    let small = chunks(tokens - 1, 0);
    assert_eq!(small.concat(), text);
    assert_eq!(small[0], "hello ");
    assert!(small.len() > 2, "{small:?}");
}

/// Limits without room for any cluster, and texts without any.
#[test]
#[cfg(feature = "cl100k_base")]
fn the_smallest_limits() {
    let encoding = tiktally::cl100k_base();
    for n in [0, 1, 3, usize::MAX] {
        assert_eq!(encoding.truncate_graphemes("", n), "");
        assert_eq!(encoding.truncate_start_graphemes("", n), "");
    }
    assert_eq!(encoding.truncate_graphemes(FAMILY, 0), "");
    assert_eq!(encoding.truncate_start_graphemes(FAMILY, 0), "");
    assert_eq!(
        encoding.truncate_graphemes(FAMILY, 4),
        encoding.truncate(FAMILY, 4)
    );
    assert_eq!(
        encoding.truncate_start_graphemes(FAMILY, 4),
        encoding.truncate_start(FAMILY, 4)
    );
    assert_eq!(encoding.truncate_graphemes(FAMILY, usize::MAX), FAMILY);
    assert_eq!(
        encoding.truncate_start_graphemes(FAMILY, usize::MAX),
        FAMILY
    );
    assert!(encoding.chunks(FAMILY, 3).unwrap_err().is_limit_too_small());
    assert_eq!(
        encoding
            .chunks("", 4)
            .unwrap()
            .prefer(Cut::Grapheme)
            .count(),
        0
    );
    // the two halves of CRLF
    let lines = "a\r\n".repeat(20);
    for n in 4..9 {
        let mut chunks = encoding.chunks(&lines, n).unwrap().prefer(Cut::Grapheme);
        assert!(chunks.all(|chunk| !chunk.ends_with('\r')));
    }
}

/// Clusters and runs of flags of a megabyte take linear time, with and without an overlap.
#[test]
#[cfg(feature = "cl100k_base")]
fn huge_clusters() {
    let encoding = tiktally::cl100k_base();
    for text in [
        format!("start e{} end", "\u{301}".repeat(500_000)),
        format!("{FAMILY}\u{200d}").repeat(30_000),
        "\u{1f1fa}\u{1f1f8}".repeat(100_000),
        "\u{915}\u{94d}".repeat(150_000),
        "\u{200d}".repeat(300_000),
        format!("some words, and e{} ", "\u{301}".repeat(300)).repeat(1_000),
    ] {
        let borders = borders(&text);
        for (n, overlap) in [(64, 0), (64, 50), (1000, 100)] {
            let chunks = encoding.chunks_overlapping(&text, n, overlap).unwrap();
            let mut end = 0;
            for span in chunks.prefer(Cut::Grapheme).spans() {
                assert!(span.tokens <= n && span.range.start <= end && span.range.end > end);
                end = span.range.end;
                let cluster = around(&text, &borders, end);
                assert!(cluster.is_empty() || encoding.count_up_to(cluster, n).is_none());
            }
            assert_eq!(end, text.len());
            let kept = encoding.truncate_graphemes(&text, n);
            assert!(!kept.is_empty() && encoding.count(kept) <= n);
            let kept = encoding.truncate_start_graphemes(&text, n);
            assert!(!kept.is_empty() && encoding.count(kept) <= n);
        }
    }
}
