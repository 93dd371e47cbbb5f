//! Definitions in their simplest form, with which the fast code is compared.

#![allow(dead_code)] // each program that includes this file uses a part of it

use std::collections::HashMap;

use tiktally::{Cut, Encoding, TokenId};

/// Returns the borders between characters, and both ends.
fn borders(text: &str) -> impl DoubleEndedIterator<Item = usize> {
    let all: Vec<usize> = (0..=text.len())
        .filter(|at| text.is_char_boundary(*at))
        .collect();
    all.into_iter()
}

/// Returns the byte position at which the first `n` tokens of a text end.
fn end_of(encoding: &Encoding, text: &str, n: usize) -> usize {
    let ids = encoding.encode_ordinary(text);
    let first = &ids[..n.min(ids.len())];
    encoding.decode_bytes(first).unwrap().len()
}

/// The definition of `truncate`.
pub(crate) fn prefix<'t>(encoding: &Encoding, text: &'t str, n: usize) -> &'t str {
    let end = end_of(encoding, text, n);
    let fits = |at: &usize| encoding.count(&text[..*at]) <= n;
    let end = borders(text).rev().filter(|at| *at <= end).find(fits);
    &text[..end.unwrap()]
}

/// The definition of `truncate_start`.
pub(crate) fn suffix<'t>(encoding: &Encoding, text: &'t str, n: usize) -> &'t str {
    let ids = encoding.encode_ordinary(text);
    let last = ids.len().saturating_sub(n);
    let start = encoding.decode_bytes(&ids[..last]).unwrap().len();
    let fits = |at: &usize| encoding.count(&text[*at..]) <= n;
    let start = borders(text).filter(|at| *at >= start).find(fits);
    &text[start.unwrap()..]
}

/// The definition of `prefer`: returns the end of a chunk that would end at `end` of the rest `text`. It is the last
/// preferred place in the last quarter, unless the text before it has more than `n` tokens.
pub(crate) fn preferred(encoding: &Encoding, text: &str, end: usize, cut: Cut, n: usize) -> usize {
    let mut places = borders(&text[..end])
        .rev()
        .take_while(|at| *at >= end - end / 4);
    let best = places.find(|at| is_cut(text, *at, cut));
    best.filter(|at| encoding.count(&text[..*at]) <= n)
        .unwrap_or(end)
}

fn is_cut(text: &str, at: usize, cut: Cut) -> bool {
    let (before, behind) = text.split_at(at);
    let is_before_space = behind.starts_with(char::is_whitespace);
    match cut {
        Cut::Line => before.ends_with('\n'),
        Cut::Sentence => {
            before.ends_with(['.', '!', '?']) && is_before_space
                || before.ends_with(['。', '！', '？'])
        }
        Cut::Word => !before.ends_with(char::is_whitespace) && is_before_space,
        _ => unreachable!("there are three kinds"),
    }
}

/// Returns the parts of a text between these places, which are sorted.
pub(crate) fn parts_at(text: &str, ends: impl IntoIterator<Item = usize>) -> Vec<&str> {
    let mut start = 0;
    let part = |end: usize| {
        let part = &text[start..end];
        start = end;
        part
    };
    ends.into_iter().chain([text.len()]).map(part).collect()
}

/// Returns the characters of a text as strings.
pub(crate) fn chars(text: &str) -> Vec<&str> {
    let chars = text.char_indices();
    chars.map(|(at, c)| &text[at..at + c.len_utf8()]).collect()
}

/// Returns a token for each byte; every vocabulary needs these.
pub(crate) fn byte_ranks() -> impl Iterator<Item = ([u8; 1], TokenId)> {
    (0..=255).map(|byte| ([byte], TokenId::from(byte)))
}

/// Returns the number of bytes of the last two pieces, which may become one with the text that follows.
pub(crate) fn last_pieces(encoding: &Encoding, text: &str) -> usize {
    let pieces: Vec<&str> = encoding.pieces(text).collect();
    pieces.iter().rev().take(2).map(|piece| piece.len()).sum()
}

/// Returns, for each byte position, the index of the character that contains it.
pub(crate) fn chars_before(text: &str, bytes: impl IntoIterator<Item = usize>) -> Vec<usize> {
    let ends = text.char_indices().map(|(start, c)| start + c.len_utf8());
    let ends: Vec<usize> = ends.collect();
    let before = |byte| ends.partition_point(|end| *end <= byte);
    bytes.into_iter().map(before).collect()
}

/// Finds the leftmost of the strings, on a tie the longest: its start, its end and its id.
pub(crate) fn first_at_or_after(
    text: &str,
    from: usize,
    strings: &[(&str, TokenId)],
) -> Option<(usize, usize, TokenId)> {
    let starts = text[from..].char_indices().map(|(start, _)| from + start);
    starts.into_iter().find_map(|start| {
        let here = strings.iter().filter(|(s, _)| text[start..].starts_with(s));
        let (longest, id) = here.max_by_key(|(s, _)| s.len())?;
        Some((start, start + longest.len(), *id))
    })
}

/// Returns the ids of a text, with a search for these special tokens at every place.
pub(crate) fn encode_naively(
    encoding: &Encoding,
    text: &str,
    allowed: &[(&str, TokenId)],
) -> Vec<TokenId> {
    let (mut ids, mut from) = (Vec::new(), 0);
    while let Some((start, end, id)) = first_at_or_after(text, from, allowed) {
        ids.extend(encoding.encode_ordinary(&text[from..start]));
        ids.push(id);
        from = end;
    }
    ids.extend(encoding.encode_ordinary(&text[from..]));
    ids
}

/// Byte pair encoding by its definition: the piece if it is a token, else the pair of the lowest rank joined repeatedly.
pub(crate) fn merged(tokens: &HashMap<Vec<u8>, TokenId>, piece: &[u8]) -> Vec<TokenId> {
    if let Some(id) = tokens.get(piece) {
        return vec![*id];
    }
    let mut parts: Vec<Vec<u8>> = piece.iter().map(|byte| vec![*byte]).collect();
    loop {
        let joins =
            (1..parts.len()).filter_map(|i| Some((tokens.get(&parts[i - 1..=i].concat())?, i)));
        let Some((_, i)) = joins.min() else { break };
        let right = parts.remove(i);
        parts[i - 1].extend(right);
    }
    parts.iter().map(|part| tokens[part]).collect()
}
