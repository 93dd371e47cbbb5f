//! Streams of text and ids against the calls that take all at once.
//!
//! `TIMES=100` multiplies the number of cases by 100.

use crate::naive::{chars, last_pieces, parts_at};
use crate::random::{
    Escaped, RUNS, Verdict, hold_times, long_texts, longer_texts, texts, token_bytes, with,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use tiktally::Encoding;

const CASES: u32 = 50_000;

/// The number of cases with a long open tail.
const LONG: u32 = 3_000;

/// The number of cases with pieces of thousands of characters.
const LONGER: u32 = 1_000;

/// Cuts a text at some places.
fn parts<'t>(text: &'t str, cuts: &[Index]) -> Vec<&'t str> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
    ends.retain(|at| text.is_char_boundary(*at));
    ends.sort_unstable();
    parts_at(text, ends)
}

fn counted(encoding: &Encoding, parts: &[&str]) -> Verdict {
    let mut counter = encoding.token_counter();
    let mut seldom_asked = encoding.token_counter();
    let mut so_far = String::new();
    for (i, part) in parts.iter().enumerate() {
        counter.push(part);
        seldom_asked.push(part);
        so_far += part;
        let count = encoding.count(&so_far);
        prop_assert_eq!(counter.total(), count, "{:?} of {:?}", so_far, parts);
        if i % 5 == 4 || i + 1 == parts.len() {
            prop_assert_eq!(seldom_asked.total(), count, "{:?} of {:?}", so_far, parts);
        }
    }
    counter.clear();
    prop_assert_eq!(counter.total(), 0);
    Ok(())
}

fn encoded(encoding: &Encoding, parts: &[&str]) -> Verdict {
    let mut encoder = encoding.stream_encoder();
    let mut ids = vec![7];
    let mut pushed = 0;
    for part in parts {
        encoder.push(part, &mut ids);
        pushed += part.len();
        let held = pushed - encoding.decode_bytes(&ids[1..]).unwrap().len();
        prop_assert!(held <= last_pieces(encoding, &parts.concat()[..pushed]));
    }
    encoder.finish(&mut ids);
    prop_assert_eq!(&ids[1..], encoding.encode_ordinary(&parts.concat()));
    Ok(())
}

fn text_in_parts(encoding: &'static Encoding) {
    let tried = |(text, cuts): (Escaped, Vec<Index>)| {
        let (cut, chars) = (parts(text.text(), &cuts), chars(text.text()));
        counted(encoding, &cut)?;
        counted(encoding, &chars)?;
        encoded(encoding, &cut)?;
        encoded(encoding, &chars)
    };
    let cuts = || vec(any::<Index>(), 0..8);
    hold_times(CASES, (texts(encoding), cuts()), tried);
    hold_times(LONG, (long_texts(encoding), cuts()), tried);
}

for_each!(text_in_parts: r50k_base cl100k_base o200k_base);

/// The encoder holds only the end of long pieces.
fn long_pieces_in_parts(encoding: &'static Encoding) {
    let texts = (longer_texts(), longer_texts());
    hold_times(
        LONGER,
        (texts, vec(any::<Index>(), 0..12)),
        |((one, two), cuts)| {
            let text = [one.text(), two.text()].concat();
            let mut encoder = encoding.stream_encoder();
            let mut ids = vec![7];
            for part in parts(&text, &cuts) {
                encoder.push(part, &mut ids);
            }
            encoder.finish(&mut ids);
            prop_assert_eq!(&ids[1..], encoding.encode_ordinary(&text));
            Ok(())
        },
    );
}

for_each!(long_pieces_in_parts: r50k_base cl100k_base o200k_base);

/// Only the end of a piece is held, however long it is, except runs whose beginning may still become another piece.
fn long_pieces_are_not_held(encoding: &'static Encoding) {
    for unit in ["a", "etaoin", "最近", "Aa", "=-", "\0", " ", "🙂", "é"] {
        let (mut encoder, mut ids, mut pushed) = (encoding.stream_encoder(), Vec::new(), 0);
        let part = unit.repeat(1000);
        for _ in 0..200 {
            encoder.push(&part, &mut ids);
            pushed += part.len();
            let held = pushed - encoding.decode_bytes(&ids).unwrap().len();
            assert!(held < 10_000 + part.len(), "{held} of {unit:?}");
        }
        encoder.finish(&mut ids);
        assert!(
            ids == encoding.encode_ordinary(&part.repeat(200)),
            "{unit:?}"
        );
    }
}

for_each!(long_pieces_are_not_held: r50k_base cl100k_base o200k_base);

/// Returns the ids of a text, or arbitrary ids.
fn id_lists(encoding: &'static Encoding) -> impl Strategy<Value = Vec<u32>> {
    let any = vec(token_bytes(encoding), 0..12).prop_map(|tokens| {
        let ids = tokens
            .iter()
            .map(|token| encoding.encode_single_token(token).unwrap());
        ids.collect()
    });
    let of_text = texts(encoding).prop_map(|text| encoding.encode_ordinary(text.text()));
    prop_oneof![any, of_text]
}

fn ids_one_by_one(encoding: &'static Encoding) {
    hold_times(CASES, id_lists(encoding), |ids| {
        let whole = encoding.decode(&ids);
        let mut decoder = encoding.stream_decoder();
        let mut text = String::new();
        let mut fault = None;
        for id in &ids {
            match decoder.push(*id) {
                Ok(part) => text += part,
                Err(error) => {
                    // the decoder is as before: what comes next is as if this had not been
                    prop_assert_eq!(decoder.push(*id).unwrap_err().position(), error.position());
                    fault = Some(error);
                    break;
                }
            }
        }
        let fault = fault.or_else(|| decoder.finish().err());
        match (whole, fault) {
            (Ok(whole), None) => prop_assert_eq!(whole, text),
            (Err(whole), Some(fault)) => {
                prop_assert!(whole.is_invalid_utf8() && fault.is_invalid_utf8());
                prop_assert_eq!(whole.position(), fault.position());
            }
            (whole, fault) => prop_assert!(false, "{whole:?} {fault:?}"),
        }
        let mut lossy = encoding.stream_decoder_lossy();
        let mut text = String::new();
        for id in &ids {
            text += lossy.push(*id).unwrap();
        }
        text += lossy.finish();
        let bytes = encoding.decode_bytes(&ids).unwrap();
        prop_assert_eq!(text, String::from_utf8_lossy(&bytes));
        Ok(())
    });
}

for_each!(ids_one_by_one: r50k_base cl100k_base o200k_base);

#[test]
#[cfg(feature = "cl100k_base")]
fn unknown_ids_change_nothing() {
    let encoding = tiktally::cl100k_base();
    let cup = encoding.encode_ordinary("🍵");
    let mut decoder = encoding.stream_decoder();
    let mut lossy = encoding.stream_decoder_lossy();
    assert_eq!(
        (decoder.push(cup[0]).unwrap(), lossy.push(cup[0]).unwrap()),
        ("", "")
    );
    for error in [
        decoder.push(u32::MAX).unwrap_err(),
        lossy.push(100_256).unwrap_err(),
    ] {
        assert!(error.is_unknown_token());
        assert_eq!(error.index(), Some(1));
    }
    for id in &cup[1..] {
        decoder.push(*id).unwrap();
        lossy.push(*id).unwrap();
    }
    decoder.finish().unwrap();
    assert_eq!(lossy.finish(), "");
}

/// One push may bring a long text, and the open tail may be long.
#[test]
fn long_parts() {
    for name in ["r50k_base", "cl100k_base", "o200k_base"] {
        let Some(encoding) = crate::common::compiled_in(name) else {
            continue;
        };
        for run in RUNS {
            let text = format!("Some words, then {} and more", run.repeat(3_000));
            for size in [1_000, 7_777] {
                let cuts: Vec<usize> = (0..text.len()).step_by(size).collect();
                let mut counter = encoding.token_counter();
                let mut encoder = encoding.stream_encoder();
                let mut ids = Vec::new();
                let mut start = 0;
                for cut in cuts.into_iter().chain([text.len()]) {
                    let Some(part) = text.get(start..cut) else {
                        continue;
                    };
                    counter.push(part);
                    encoder.push(part, &mut ids);
                    start = cut;
                    assert_eq!(
                        counter.total(),
                        encoding.count(&text[..cut]),
                        "{name} {run:?}"
                    );
                }
                encoder.finish(&mut ids);
                assert_eq!(ids, encoding.encode_ordinary(&text), "{name} {run:?}");
            }
        }
    }
}

/// Real text, if it is available.
#[test]
fn corpora_in_parts() {
    for (name, text) in crate::common::corpora(120_000) {
        for encoding in ["r50k_base", "cl100k_base", "o200k_base"] {
            let Some(encoding) = crate::common::compiled_in(encoding) else {
                continue;
            };
            let ids = encoding.encode_ordinary(&text);
            for size in [1, 4, 1_000] {
                let all: Vec<&str> = chars(&text);
                let mut counter = encoding.token_counter();
                let mut encoder = encoding.stream_encoder();
                let (mut streamed, mut at) = (Vec::new(), 0);
                for (i, part) in all.chunks(size).enumerate() {
                    let part = part.concat();
                    counter.push(&part);
                    encoder.push(&part, &mut streamed);
                    at += part.len();
                    if i % (40_000 / size / 4 + 1) == 0 || at == text.len() {
                        assert_eq!(counter.total(), encoding.count(&text[..at]), "{name}");
                    }
                }
                encoder.finish(&mut streamed);
                assert!(streamed == ids, "{name}");
            }
            let mut decoder = encoding.stream_decoder();
            let mut decoded = String::new();
            for id in ids {
                decoded += decoder.push(id).unwrap();
            }
            decoder.finish().unwrap();
            assert!(decoded == text, "{name}");
        }
    }
}
