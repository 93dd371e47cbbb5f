//! Checks that hold for every input: each takes the bytes of a fuzzer and panics if it does not hold.
//!
//! The fuzz targets run them, and `tests/api/fuzz_checks.rs` runs them on random bytes.

#![allow(dead_code, unused_imports)] // each fuzz target uses one check

#[cfg(feature = "json")]
mod body;
#[cfg(feature = "tokenizer-json")]
#[path = "../byte_level.rs"]
mod byte_level;
#[cfg(feature = "json")]
mod chat;
mod custom;
#[cfg(feature = "tokenizer-json")]
mod foreign;
#[cfg(feature = "graphemes")]
mod graphemes;
mod input;
#[path = "../letters.rs"]
mod letters;
#[path = "../naive.rs"]
mod naive;

#[cfg(feature = "tokenizer-json")]
pub(crate) use byte_level::small_vocab;
#[cfg(feature = "json")]
pub(crate) use chat::chat_json;
pub(crate) use custom::{custom_encoding, loader};
#[cfg(feature = "tokenizer-json")]
pub(crate) use foreign::{made_file, tokenizer_json};
#[cfg(feature = "graphemes")]
pub(crate) use graphemes::graphemes;
use input::Input;
use naive::{
    chars_before, encode_naively, first_at_or_after, last_pieces, parts_at, preferred, prefix,
    suffix,
};
use tiktally::{Cut, Encoding, Error, MIN_CHUNK_TOKENS, Special, TokenId, reference};

/// Lengths of texts, in bytes. The first reaches every path of the engine; it is rare, because short texts are faster.
const LENGTHS: [usize; 8] = [10_000, 400, 400, 400, 400, 400, 400, 400];

/// The longest text, in bytes, for definitions that take quadratic time.
const SHORT: usize = 1_500;

/// The longest piece, in bytes, on which the plain merge is fast.
const PIECE: usize = 100;

/// Decoding returns the encoded text, for every call that encodes; the ids are those of the plain merge.
pub(crate) fn round_trip(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let encoding = input.encoding();
    let ids = encoding.encode_bytes(bytes);
    assert_eq!(encoding.decode_bytes(&ids).unwrap(), bytes);

    let most = input.pick(&LENGTHS);
    let text = &input.text(encoding, most);
    let ids = encoding.encode_ordinary(text);
    let all = 0..encoding.n_vocab() as TokenId;
    let is_ordinary = |id: &TokenId| all.contains(id) && !encoding.is_special_token(*id);
    assert!(ids.iter().all(is_ordinary));
    assert_eq!(encoding.decode(&ids).unwrap(), *text);
    assert_eq!(merged(encoding, encoding.pieces(text)), ids);
    assert_eq!(encoding.encode_bytes(text.as_bytes()), ids);
    let mut appended = vec![7];
    encoding.encode_ordinary_into(text, &mut appended);
    assert_eq!(appended[1..], ids);

    assert_eq!(encoding.encode(text, Special::AS_TEXT).unwrap(), ids);
    let special = encoding.encode(text, Special::ALLOW_ALL).unwrap();
    assert!(special.iter().all(|id| all.contains(id)));
    assert_eq!(encoding.decode(&special).unwrap(), *text);
    match encoding.encode(text, Special::REJECT) {
        Ok(rejecting) => assert!(rejecting == ids && special == ids),
        Err(error) => assert!(error.is_disallowed_special() && special != ids),
    }
}

/// Returns the ids of pieces, by the plain merge where that is fast.
fn merged<'t>(encoding: &Encoding, pieces: impl IntoIterator<Item = &'t str>) -> Vec<TokenId> {
    let merge = |piece: &str| match piece.len() {
        ..=PIECE => reference::merge(encoding, piece.as_bytes()),
        _ => reference::merge_fast(encoding, piece.as_bytes()),
    };
    pieces.into_iter().flat_map(merge).collect()
}

/// Every call that counts returns the number of ids that encoding returns.
pub(crate) fn count_is_encode(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let encoding = input.encoding();
    let (few, cache) = (input.small(), input.pick(&[0, 1 << 14, 1 << 18]));
    let most = input.pick(&LENGTHS);
    let text = &input.text(encoding, most);
    let ids = encoding.encode_ordinary(text);
    let n = ids.len();
    assert_eq!(encoding.count(text), n);
    for limit in [
        0,
        few,
        n.saturating_sub(few),
        n.saturating_sub(1),
        n,
        n + 1,
        usize::MAX,
    ] {
        let within = (n <= limit).then_some(n);
        assert_eq!(encoding.count_up_to(text, limit), within, "limit {limit}");
    }
    for special in [Special::AS_TEXT, Special::ALLOW_ALL, Special::REJECT] {
        let ids = encoding.encode(text, special);
        match (ids, encoding.count_with(text, special)) {
            (Ok(ids), Ok(count)) => assert_eq!(count, ids.len()),
            (Err(one), Err(other)) => assert_eq!(one.to_string(), other.to_string()),
            (ids, count) => panic!("{special:?} gives {ids:?} and {count:?}"),
        }
    }
    let mut encoder = encoding.encoder().with_cache_bytes(cache);
    // the second time, the cache has what it keeps
    for _ in 0..2 {
        let mut appended = vec![7];
        encoder.encode_ordinary_into(text, &mut appended);
        assert_eq!(appended[1..], ids);
        assert_eq!(encoder.count(text), n);
    }
}

/// The pieces are those that a regex engine finds by the pattern, both in `pieces` and in encoding.
pub(crate) fn splitter(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let encoding = input.encoding();
    let text = &input.text(encoding, SHORT);
    // it backtracks, and may give up
    let Ok(pieces) = reference::split(encoding, text) else {
        return;
    };
    assert_eq!(encoding.pieces(text).collect::<Vec<_>>(), pieces);
    assert_eq!(encoding.encode_ordinary(text), merged(encoding, pieces));
}

/// Special tokens are found where a naive search finds them: leftmost, then longest.
pub(crate) fn specials(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let encoding = input.pick(&[
        tiktally::r50k_base(),
        tiktally::cl100k_base(),
        tiktally::o200k_base(),
        tiktally::p50k_edit(),
        tiktally::o200k_harmony(),
    ]);
    let all: Vec<_> = encoding.special_tokens().collect();
    let some: Vec<&str> = (0..input.below(4)).map(|_| input.pick(&all).0).collect();
    let places: Vec<_> = (0..input.below(3))
        .map(|_| (input.below(40), input.below(40)))
        .collect();
    let text = &input.text(encoding, SHORT);
    let part = |(from, len)| text.chars().skip(from).take(len).collect();
    let others: Vec<String> = places.into_iter().map(part).collect();
    let others: Vec<&str> = others.iter().map(|other| &**other).collect();

    let here = || {
        all.iter()
            .copied()
            .filter(|(token, _)| text.contains(token))
    };
    let is_some = |token: &(&str, TokenId)| some.contains(&token.0);
    let (chosen, rest): (Vec<_>, Vec<_>) = here().partition(is_some);
    let all: Vec<_> = here().collect();
    let rejected: Vec<_> = others.iter().map(|other| (*other, 0)).collect();
    let allow = Special::allow(&some);
    for (special, allowed, rejected) in [
        (Special::REJECT, &[][..], &*all),
        (Special::AS_TEXT, &[], &[]),
        (Special::ALLOW_ALL, &all, &[]),
        (allow, &chosen, &rest),
        (allow.others_as_text(), &chosen, &[]),
        (Special::reject(&others), &[], &rejected),
    ] {
        let ids = encoding.encode(text, special);
        match found(encoding, text, allowed, rejected) {
            Ok(naive) => assert_eq!(ids.unwrap(), naive, "{special:?}"),
            Err(None) => assert!(ids.unwrap_err().is_invalid_special()),
            Err(Some((position, token))) => {
                let error = ids.unwrap_err();
                assert_eq!(error.position(), Some(position), "{special:?}");
                assert_eq!(error.special_token(), Some(token), "{special:?}");
            }
        }
    }
}

/// Returns the ids of a text, or the first rejected string and its position; `None` if that string is empty.
#[allow(clippy::type_complexity)] // it is written once
fn found<'s>(
    encoding: &Encoding,
    text: &str,
    allowed: &[(&str, TokenId)],
    rejected: &[(&'s str, TokenId)],
) -> Result<Vec<TokenId>, Option<(usize, &'s str)>> {
    if rejected.iter().any(|(token, _)| token.is_empty()) {
        return Err(None);
    }
    let Some((start, end, _)) = first_at_or_after(text, 0, rejected) else {
        return Ok(encode_naively(encoding, text, allowed));
    };
    let token = rejected
        .iter()
        .find(|(token, _)| *token == &text[start..end]);
    Err(token.map(|(token, _)| (start, *token)))
}

/// `truncate` and `chunks` give the results of their definitions.
pub(crate) fn chunks(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let encoding = input.encoding();
    let (n, overlap) = (input.small(), input.small());
    let cut = input.pick(&[None, Some(Cut::Line), Some(Cut::Sentence), Some(Cut::Word)]);
    // few tokens cut a text into many chunks
    let most = if n < 12 { SHORT / 4 } else { SHORT };
    let most = input.pick(&[most, 100, 100, 100]);
    let text = &*input.text(encoding, most);
    assert_eq!(encoding.truncate(text, n), prefix(encoding, text, n));
    assert_eq!(encoding.truncate_start(text, n), suffix(encoding, text, n));
    let count = encoding.count(text);
    assert_eq!(encoding.truncate(text, count), text);
    assert_eq!(encoding.truncate_start(text, count), text);
    if n < MIN_CHUNK_TOKENS {
        let error = encoding.chunks_overlapping(text, n + overlap, overlap);
        return assert!(error.unwrap_err().is_limit_too_small());
    }
    follow_each_other(encoding, text, n, cut);
    overlap_and_cover(encoding, text, n, overlap, cut);
}

fn follow_each_other(encoding: &Encoding, text: &str, n: usize, cut: Option<Cut>) {
    let mut chunks = encoding.chunks(text, n).unwrap();
    if let Some(cut) = cut {
        chunks = chunks.prefer(cut);
    }
    let mut rest = text;
    for chunk in chunks {
        let mut end = encoding.truncate(rest, n).len();
        if let (Some(cut), true) = (cut, end < rest.len()) {
            end = preferred(encoding, rest, end, cut, n);
        }
        assert_eq!(chunk, &rest[..end], "{cut:?}");
        rest = &rest[end..];
    }
    assert_eq!(rest, "");
}

fn overlap_and_cover(encoding: &Encoding, text: &str, n: usize, overlap: usize, cut: Option<Cut>) {
    let max = n + overlap;
    let mut chunks = encoding.chunks_overlapping(text, max, overlap).unwrap();
    if let Some(cut) = cut {
        chunks = chunks.prefer(cut);
    }
    let (mut last, mut is_first) = (0..0, true);
    for (span, chunk) in chunks.clone().spans().zip(chunks) {
        let range = span.range;
        assert_eq!(chunk, &text[range.clone()]);
        assert_eq!(encoding.count(chunk), span.tokens);
        assert!(span.tokens <= max);
        assert!(is_first && range.start == 0 || range.start > last.start);
        assert!(range.start <= last.end && range.end > last.end);
        assert!(encoding.count(&text[range.start..last.end]) <= overlap);
        let most = encoding.truncate_start(&text[last.clone()], overlap).len();
        let first = encoding.truncate(&text[last.end - most..], max);
        // less than may overlap only where that would leave no room
        assert!(last.end - range.start == most || first.len() <= most);
        (last, is_first) = (range, false);
    }
    assert_eq!(last.end, text.len());
}

/// Text and ids that arrive in parts give the results of the whole.
pub(crate) fn streams(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let encoding = input.encoding();
    let cuts: Vec<usize> = (0..input.below(8)).map(|_| input.below(1 << 12)).collect();
    match input.byte() % 4 {
        0 => ids_one_by_one(encoding, &input.ids(encoding)),
        1 => {
            let text = input.text(encoding, SHORT);
            ids_one_by_one(encoding, &encoding.encode_ordinary(&text));
        }
        _ => {
            let text = &input.text(encoding, SHORT);
            let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
            ends.retain(|end| text.is_char_boundary(*end));
            ends.sort_unstable();
            text_in_parts(encoding, &parts_at(text, ends));
            let chars = text.char_indices().map(|(at, _)| at);
            text_in_parts(encoding, &parts_at(text, chars.take(60)));
        }
    }
}

fn text_in_parts(encoding: &Encoding, parts: &[&str]) {
    let (mut counter, mut seldom_asked) = (encoding.token_counter(), encoding.token_counter());
    let (mut encoder, mut ids) = (encoding.stream_encoder(), vec![7]);
    let mut so_far = String::new();
    for (i, part) in parts.iter().enumerate() {
        so_far += part;
        counter.push(part);
        seldom_asked.push(part);
        encoder.push(part, &mut ids);
        let count = encoding.count(&so_far);
        assert_eq!(counter.total(), count, "{so_far:?} of {parts:?}");
        if i % 5 == 4 || i + 1 == parts.len() {
            assert_eq!(seldom_asked.total(), count, "{so_far:?} of {parts:?}");
        }
        let held = so_far.len() - encoding.decode_bytes(&ids[1..]).unwrap().len();
        assert!(held <= last_pieces(encoding, &so_far), "{parts:?}");
    }
    encoder.finish(&mut ids);
    assert_eq!(ids[1..], encoding.encode_ordinary(&so_far), "{parts:?}");
    counter.clear();
    assert_eq!(counter.total(), 0);
}

/// Each id is accepted or refused depending on the bytes so far; a refused id changes nothing.
fn ids_one_by_one(encoding: &Encoding, ids: &[TokenId]) {
    let (mut strict, mut strict_bytes, mut strict_ids) = (encoding.stream_decoder(), vec![], 0);
    let (mut lossy, mut lossy_bytes, mut lossy_ids) = (encoding.stream_decoder_lossy(), vec![], 0);
    let (mut text, mut lossy_text) = (String::new(), String::new());
    for &id in ids {
        let Ok(token) = encoding.decode_single_token_bytes(id) else {
            is_unknown(&strict.push(id).unwrap_err(), id, strict_ids);
            is_unknown(&lossy.push(id).unwrap_err(), id, lossy_ids);
            continue;
        };
        lossy_text += lossy.push(id).unwrap();
        lossy_bytes.extend_from_slice(token);
        lossy_ids += 1;
        let longer = [&strict_bytes, token].concat();
        let fault = str::from_utf8(&longer).err();
        let valid = fault.map_or(longer.len(), |fault| fault.valid_up_to());
        if fault.is_some_and(|fault| fault.error_len().is_some()) {
            let error = strict.push(id).unwrap_err();
            assert!(error.is_invalid_utf8());
            assert_eq!(error.position(), Some(valid));
            continue;
        }
        text += strict.push(id).unwrap();
        assert_eq!(text.as_bytes(), &longer[..valid]);
        strict_bytes = longer;
        strict_ids += 1;
    }
    lossy_text += lossy.finish();
    assert_eq!(lossy_text, String::from_utf8_lossy(&lossy_bytes));
    let end = (text.len() < strict_bytes.len()).then_some(text.len());
    assert_eq!(
        strict.finish().err().and_then(|error| error.position()),
        end
    );
}

/// Asserts that the error names this unknown id and its index.
fn is_unknown(error: &Error, id: TokenId, index: usize) {
    assert!(error.is_unknown_token(), "{error}");
    assert_eq!((error.token(), error.index()), (Some(id), Some(index)));
}

/// Every call that decodes returns the bytes of the tokens, or an error that names the first unknown id.
pub(crate) fn decode(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let encoding = input.encoding();
    let ids = input.ids(encoding);
    let token = |id: &TokenId| encoding.decode_single_token_bytes(*id).ok();
    if let Some(at) = ids.iter().position(|id| token(id).is_none()) {
        let mut appended = vec![7];
        for error in [
            encoding.decode(&ids).unwrap_err(),
            encoding.decode_lossy(&ids).unwrap_err(),
            encoding.decode_bytes(&ids).unwrap_err(),
            encoding.decode_into(&ids, &mut appended).unwrap_err(),
            encoding.decode_tokens_bytes(&ids).unwrap_err(),
            encoding.decode_with_offsets(&ids).unwrap_err(),
            encoding.token_ranges(&ids).unwrap_err(),
        ] {
            is_unknown(&error, ids[at], at);
        }
        assert_eq!(appended, [7]);
    }
    let ids: Vec<TokenId> = ids.into_iter().filter(|id| token(id).is_some()).collect();
    let tokens: Vec<&[u8]> = ids.iter().filter_map(token).collect();
    for (id, token) in ids.iter().zip(&tokens) {
        assert_eq!(encoding.encode_single_token(token).unwrap(), *id);
    }
    known_ids(encoding, &ids, &tokens);
}

fn known_ids(encoding: &Encoding, ids: &[TokenId], tokens: &[&[u8]]) {
    let bytes = tokens.concat();
    assert_eq!(encoding.decode_tokens_bytes(ids).unwrap(), tokens);
    assert_eq!(encoding.decode_bytes(ids).unwrap(), bytes);
    let lossy = String::from_utf8_lossy(&bytes);
    assert_eq!(encoding.decode_lossy(ids).unwrap(), lossy);
    let mut end = 0;
    let ranges = tokens.iter().map(|token| {
        end += token.len();
        end - token.len()..end
    });
    let ranges: Vec<_> = ranges.collect();
    assert_eq!(encoding.token_ranges(ids).unwrap(), ranges);
    match str::from_utf8(&bytes) {
        Ok(text) => {
            assert_eq!(encoding.decode(ids).unwrap(), text);
            let starts = ranges.iter().map(|range| range.start);
            let (with_offsets, offsets) = encoding.decode_with_offsets(ids).unwrap();
            assert_eq!(with_offsets, text);
            assert_eq!(offsets, chars_before(text, starts));
        }
        Err(fault) => {
            let offsets = encoding.decode_with_offsets(ids);
            for error in [encoding.decode(ids).unwrap_err(), offsets.unwrap_err()] {
                assert!(error.is_invalid_utf8());
                assert_eq!(error.position(), Some(fault.valid_up_to()));
            }
        }
    }
}
