//! Properties that hold for every text, tested on random ones.
//!
//! Each property runs 20,000 cases per encoding. `TIMES=100 cargo test --test api properties` multiplies that by 100.

use std::fmt;

use crate::common::compiled_in;
use crate::naive::{chars_before, encode_naively, first_at_or_after};
use crate::random::{Escaped, Verdict, alphabet_text, hold, texts, token_bytes, with};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tiktally::{Encoding, Error, Special, TokenId, reference};

/// Bytes that may not be UTF-8: tokens, any bytes, or both in turn.
fn byte_strings(encoding: &'static Encoding) -> impl Strategy<Value = Escaped> {
    let noise = || vec(any::<u8>(), 0..12);
    let tokens = || vec(token_bytes(encoding), 0..12).prop_map(|tokens| tokens.concat());
    let mixed = vec(prop_oneof![noise(), tokens(), alphabet_text()], 0..4);
    prop_oneof![noise(), tokens(), mixed.prop_map(|parts| parts.concat())].prop_map(Escaped)
}

/// Pieces of 1 to 2,000 bytes: tokens, any bytes, and runs. Most are short, because the plain merge takes
/// quadratic time.
fn pieces(encoding: &'static Encoding) -> impl Strategy<Value = Escaped> {
    let length = prop_oneof![80 => 1..=40_usize, 19 => 41..=300_usize, 1 => 301..=2_000_usize];
    let tokens = |n| vec(token_bytes(encoding), n).prop_map(|tokens| tokens.concat());
    let unit = prop_oneof![
        vec(any::<u8>(), 1..5),
        vec(select(&b"ab "[..]), 1..8),
        tokens(1..=1)
    ];
    let run = (vec(any::<u8>(), 0..3), unit, length.clone()).prop_map(|(start, unit, length)| {
        let run = unit.into_iter().cycle();
        start.into_iter().chain(run).take(length).collect()
    });
    let noise = length.prop_flat_map(|length| vec(any::<u8>(), length));
    let tokens = prop_oneof![80 => tokens(1..=8), 19 => tokens(8..=60), 1 => tokens(60..=400)];
    prop_oneof![tokens, noise, run].prop_map(|mut bytes: Vec<u8>| {
        bytes.truncate(2_000);
        Escaped(bytes)
    })
}

// The properties.

/// The hand-written splitter finds the pieces of the encoding's pattern, as a regex engine runs it.
#[cfg(feature = "custom")]
fn split_is_the_pattern(encoding: &'static Encoding) {
    hold(texts(encoding), |text| {
        let text = text.text();
        let ours: Vec<&str> = encoding.pieces(text).collect();
        let pattern = reference::split(encoding, text).map_err(TestCaseError::fail)?;
        prop_assert_eq!(ours, pattern);
        Ok(())
    });
}

#[cfg(feature = "custom")]
for_each!(split_is_the_pattern: r50k_base cl100k_base o200k_base);

/// The fast merge gives the ids of the plain merge.
fn merge_is_the_plain_merge(encoding: &'static Encoding) {
    hold(pieces(encoding), |piece| {
        let ours = reference::merge_fast(encoding, &piece.0);
        prop_assert_eq!(encoding.encode_piece(&piece.0), ours.as_slice());
        prop_assert_eq!(ours, reference::merge(encoding, &piece.0));
        Ok(())
    });
}

for_each!(merge_is_the_plain_merge: r50k_base p50k_base cl100k_base o200k_base);

/// The ids of a text are those of its pieces under the plain merge.
fn text_is_merged_piece_by_piece(encoding: &'static Encoding) {
    hold(texts(encoding), |text| {
        let merge = |piece: &str| reference::merge(encoding, piece.as_bytes());
        let plain: Vec<TokenId> = encoding.pieces(text.text()).flat_map(merge).collect();
        prop_assert_eq!(encoding.encode_ordinary(text.text()), plain);
        Ok(())
    });
}

for_each!(text_is_merged_piece_by_piece: r50k_base p50k_base cl100k_base o200k_base);

/// Decoding gives the text back, by every call that decodes.
fn decoding_gives_the_text_back(encoding: &'static Encoding) {
    hold(texts(encoding), |text| {
        let text = text.text();
        let ids = encoding.encode_ordinary(text);
        prop_assert_eq!(encoding.decode(&ids)?, text);
        prop_assert_eq!(encoding.decode_lossy(&ids)?, text);
        prop_assert_eq!(encoding.decode_bytes(&ids)?, text.as_bytes());
        let tokens = encoding.decode_tokens_bytes(&ids)?;
        prop_assert_eq!(tokens.concat(), text.as_bytes());
        let (with_offsets, offsets) = encoding.decode_with_offsets(&ids)?;
        prop_assert_eq!(with_offsets, text);
        let mut ends = 0;
        let ranges = tokens.iter().map(|token| {
            ends += token.len();
            ends - token.len()..ends
        });
        let ranges: Vec<_> = ranges.collect();
        let starts = ranges.iter().map(|range| range.start);
        prop_assert_eq!(offsets, chars_before(text, starts));
        prop_assert_eq!(encoding.token_ranges(&ids)?, ranges);
        Ok(())
    });
}

for_each!(decoding_gives_the_text_back:
    gpt2 r50k_base p50k_base p50k_edit cl100k_base o200k_base o200k_harmony);

/// All calls that encode or count agree.
fn counts_are_lengths(encoding: &'static Encoding) {
    let limits = prop_oneof![0..12_usize, any::<usize>()];
    hold((texts(encoding), limits), |(text, limit)| {
        let text = text.text();
        let ids = encoding.encode_ordinary(text);
        let n = ids.len();
        prop_assert_eq!(encoding.count(text), n);
        prop_assert_eq!(encoding.count_with(text, Special::AS_TEXT)?, n);
        for limit in [limit, n, n.saturating_sub(1)] {
            let within = (n <= limit).then_some(n);
            prop_assert_eq!(encoding.count_up_to(text, limit), within, "limit {}", limit);
        }
        prop_assert_eq!(&encoding.encode(text, Special::AS_TEXT)?, &ids);
        prop_assert_eq!(&encoding.encode_bytes(text.as_bytes()), &ids);
        let mut appended = vec![7; 3];
        encoding.encode_ordinary_into(text, &mut appended);
        prop_assert_eq!(&appended[..3], &[7; 3]);
        prop_assert_eq!(&appended[3..], &ids);
        Ok(())
    });
}

for_each!(counts_are_lengths:
    gpt2 r50k_base p50k_base p50k_edit cl100k_base o200k_base o200k_harmony);

/// Independent parts join to the text, and their ids join to the ids of the text.
fn parts_are_the_text(encoding: &'static Encoding) {
    hold((texts(encoding), 0..20_usize), |(text, least)| {
        let text = text.text();
        let parts: Vec<&str> = encoding.independent_parts(text, least).collect();
        prop_assert_eq!(parts.concat(), text);
        prop_assert!(parts.iter().all(|part| !part.is_empty()));
        let rest = parts.split_last().map_or(&[][..], |(_, before)| before);
        prop_assert!(rest.iter().all(|part| part.len() >= least));
        let ids = parts.iter().map(|part| encoding.encode_ordinary(part));
        prop_assert_eq!(
            ids.collect::<Vec<_>>().concat(),
            encoding.encode_ordinary(text)
        );
        Ok(())
    });
}

for_each!(parts_are_the_text: gpt2 cl100k_base o200k_base);

/// Bytes that are not UTF-8 are encoded, and decode to the same bytes.
fn bytes_come_back(encoding: &'static Encoding) {
    hold(byte_strings(encoding), |Escaped(bytes)| {
        let ids = encoding.encode_bytes(&bytes);
        prop_assert_eq!(&encoding.decode_bytes(&ids)?, &bytes);
        prop_assert_eq!(encoding.decoded_len(&ids)?, bytes.len());
        let lossy = String::from_utf8_lossy(&bytes);
        prop_assert_eq!(encoding.decode_lossy(&ids)?, &*lossy);
        match std::str::from_utf8(&bytes) {
            Ok(text) => prop_assert_eq!(encoding.encode_ordinary(text), ids),
            Err(error) => {
                let ours = encoding.decode(&ids).err();
                let ours = ours.filter(Error::is_invalid_utf8);
                let position = ours.and_then(|error| error.position());
                prop_assert_eq!(position, Some(error.valid_up_to()));
                let offsets = encoding.decode_with_offsets(&ids);
                prop_assert!(offsets.is_err_and(|error| error.is_invalid_utf8()));
            }
        }
        Ok(())
    });
}

for_each!(bytes_come_back: gpt2 p50k_edit cl100k_base o200k_base);

/// A text that contains special strings, and the strings a call names.
#[derive(Clone)]
struct SpecialCase {
    text: Escaped,
    /// Special tokens, some of which are in the text.
    some: Vec<&'static str>,
    /// Any strings, some of which are in the text.
    others: Vec<String>,
}

impl fmt::Debug for SpecialCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, some, others } = self;
        write!(f, "{text:?}, special tokens {some:?}, others {others:?}")
    }
}

/// Returns texts of special strings, parts of them, letters and blanks.
fn special_cases(encoding: &'static Encoding) -> impl Strategy<Value = SpecialCase> {
    let all: Vec<&'static str> = encoding.special_tokens().map(|(text, _)| text).collect();
    let pool = vec(select(all), 1..4);
    let part = (0..4, any::<Index>(), any::<Index>(), any::<Index>());
    let parts = vec(part, 0..10);
    let chosen = vec(any::<bool>(), 3);
    (pool, parts, chosen, vec(any::<Index>(), 0..3)).prop_map(|(pool, parts, chosen, picks)| {
        let parts: Vec<String> = parts
            .iter()
            .map(|&(kind, which, from, to)| {
                let special = which.get(&pool);
                let from = from.index(special.len());
                let to = from + 1 + to.index(special.len() - from);
                match kind {
                    0 | 1 => (*special).to_owned(),
                    2 => special.get(from..to).unwrap_or("<|").to_owned(),
                    _ => [" ", "a", "\n\n", "最", "<", "  x", "|>", "'s"][from % 8].to_owned(),
                }
            })
            .collect();
        let some = pool.iter().zip(chosen).filter(|&(_, chosen)| chosen);
        SpecialCase {
            text: Escaped(parts.concat().into_bytes()),
            some: some.map(|(special, _)| *special).collect(),
            others: match &*parts {
                [] => vec!["zzz".to_owned()],
                parts => picks.iter().map(|pick| pick.get(parts).clone()).collect(),
            },
        }
    })
}

/// Special tokens are found where a naive search of every string at every place finds them.
fn special_tokens_are_found(encoding: &'static Encoding) {
    let all: Vec<(&str, TokenId)> = encoding.special_tokens().collect();
    hold(special_cases(encoding), |case| {
        let some: Vec<_> = of_these(&all, |text| case.some.contains(&text));
        let rest: Vec<_> = of_these(&all, |text| !case.some.contains(&text));
        let others: Vec<&str> = case.others.iter().map(|other| &**other).collect();
        let rejected: Vec<_> = others.iter().map(|&other| (other, 0)).collect();
        let allow = Special::allow(&case.some);
        for (special, allowed, rejected) in [
            (Special::REJECT, &[][..], &*all),
            (Special::AS_TEXT, &[], &[]),
            (Special::ALLOW_ALL, &all, &[]),
            (allow, &some, &rest),
            (allow.others_as_text(), &some, &[]),
            (Special::reject(&others), &[], &rejected),
        ] {
            one_search(encoding, case.text.text(), special, allowed, rejected)?;
        }
        Ok(())
    });
}

for_each!(special_tokens_are_found: gpt2 p50k_edit cl100k_base o200k_harmony);

fn of_these<'s>(
    all: &[(&'s str, TokenId)],
    wanted: impl Fn(&str) -> bool,
) -> Vec<(&'s str, TokenId)> {
    let wanted = all.iter().filter(|(text, _)| wanted(text));
    wanted.copied().collect()
}

fn one_search(
    encoding: &Encoding,
    text: &str,
    special: Special<'_>,
    allowed: &[(&str, TokenId)],
    rejected: &[(&str, TokenId)],
) -> Verdict {
    let ours = encoding.encode(text, special);
    let count = encoding.count_with(text, special);
    if let Some((position, _, _)) = first_at_or_after(text, 0, rejected) {
        let Err(error) = ours else {
            return Err(TestCaseError::fail(format!("{special:?} accepts it")));
        };
        prop_assert!(error.is_disallowed_special(), "{:?}: {}", special, error);
        prop_assert_eq!(error.position(), Some(position), "{:?}", special);
        let named = error.special_token().unwrap_or_default();
        prop_assert!(rejected.iter().any(|&(text, _)| text == named));
        prop_assert!(text[position..].starts_with(named));
        prop_assert_eq!(count.err().and_then(|e| e.position()), Some(position));
    } else {
        let naive = encode_naively(encoding, text, allowed);
        prop_assert_eq!(count?, naive.len(), "{:?}", special);
        prop_assert_eq!(ours?, naive, "{:?}", special);
    }
    Ok(())
}

/// Every length around the thresholds of the merge, for every vocabulary: tokens in a row, a run, and noise.
#[test]
fn merge_at_every_length() {
    for name in ["r50k_base", "p50k_base", "cl100k_base", "o200k_base"] {
        let Some(encoding) = compiled_in(name) else {
            continue;
        };
        let tokens: Vec<&[u8]> = encoding.tokens().map(|(_, bytes)| bytes).collect();
        let in_a_row: Vec<u8> = tokens
            .iter()
            .rev()
            .step_by(97)
            .copied()
            .flatten()
            .copied()
            .collect();
        for length in 0..=300 {
            let noise = (0..length as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8);
            for piece in [
                &in_a_row[..length],
                &vec![b'a'; length],
                &noise.collect::<Vec<u8>>(),
            ] {
                assert_eq!(
                    reference::merge_fast(encoding, piece),
                    reference::merge(encoding, piece),
                    "{name}, {length} bytes: {}",
                    piece.escape_ascii()
                );
            }
        }
    }
}

/// Every token merges back to itself: looking a whole piece up is only a shortcut.
#[test]
fn every_token_merges_to_itself() {
    for encoding in crate::common::NAMES.into_iter().filter_map(compiled_in) {
        for (id, bytes) in encoding.tokens() {
            assert_eq!(
                reference::merge(encoding, bytes),
                [id],
                "{}",
                encoding.name()
            );
            assert_eq!(
                reference::merge_fast(encoding, bytes),
                [id],
                "{}",
                encoding.name()
            );
        }
    }
}
