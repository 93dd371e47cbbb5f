//! Checks of limits that keep grapheme clusters whole.

use std::collections::BTreeSet;

use unicode_segmentation::UnicodeSegmentation as _;

use super::SHORT;
use super::input::Input;
use tiktally::{Cut, Encoding, MIN_CHUNK_TOKENS};

/// Chunks and truncated texts are within their limits and cut no cluster that has room.
pub(crate) fn graphemes(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let encoding = input.encoding();
    let (n, overlap) = (input.small(), input.small());
    let cut = input.pick(&[None, Some(Cut::Line), Some(Cut::Sentence), Some(Cut::Word)]);
    let most = input.pick(&[SHORT / 2, 100, 100, 100]);
    let text = &*input.text(encoding, most);
    let borders: BTreeSet<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
    let is_border = |at: &usize| *at == text.len() || borders.contains(at);

    let kept = encoding.truncate_graphemes(text, n);
    assert!(encoding.count(kept) <= n);
    let longest = encoding.truncate(text, n);
    let mut ends = (1..=longest.len()).rev();
    let fits = |end: &usize| is_border(end) && encoding.count(&text[..*end]) <= n;
    match ends.find(fits) {
        Some(end) => assert_eq!(kept, &text[..end]),
        None => assert!(kept.is_empty() || text.starts_with(kept)),
    }
    let kept = encoding.truncate_start_graphemes(text, n);
    assert!(text.ends_with(kept) && encoding.count(kept) <= n);
    if n >= MIN_CHUNK_TOKENS {
        chunks(encoding, text, (n, overlap), cut, &borders);
    }
}

fn chunks(
    encoding: &Encoding,
    text: &str,
    (n, overlap): (usize, usize),
    cut: Option<Cut>,
    borders: &BTreeSet<usize>,
) {
    let max = n + overlap;
    let chunks = encoding.chunks_overlapping(text, max, overlap).unwrap();
    let mut chunks = chunks.prefer(Cut::Grapheme);
    if let Some(cut) = cut {
        chunks = chunks.prefer(cut);
    }
    let (mut start, mut end) = (0, 0);
    for (i, span) in chunks.spans().enumerate() {
        let range = span.range;
        let chunk = &text[range.clone()];
        assert_eq!(encoding.count(chunk), span.tokens);
        assert!(span.tokens <= max);
        assert!(range.start <= end && range.end > end && (i == 0 || range.start > start));
        for at in [range.start, range.end] {
            if at == text.len() || borders.contains(&at) {
                continue;
            }
            let from = borders.range(..at).next_back().unwrap_or(&0);
            let to = borders.range(at..).next().unwrap_or(&text.len()).to_owned();
            assert!(encoding.count(&text[*from..to]) > max, "{chunk:?}");
        }
        (start, end) = (range.start, range.end);
    }
    assert_eq!(end, text.len());
}
