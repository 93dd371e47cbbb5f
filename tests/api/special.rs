//! The choice of special tokens, prepared or not, compared with its definition.

use crate::common::{compiled_in, say};
use crate::texts::Random;
use tiktally::{Encoding, Special, TokenId};

/// Special tokens that begin with, contain or follow one another.
const TOKENS: [&str; 6] = ["<a>", "<a>b", "<a", "ab", "b<", "é<a>"];

/// The parts of the texts.
const PARTS: [&str; 7] = ["<", "a", ">", "b", "é", " ", "<|endoftext|>"];

/// More strings that may be rejected, or allowed by mistake.
const OTHERS: [&str; 4] = ["a<", "b", "éé", "<|none|>"];

/// Returns an encoding with [`TOKENS`], or `None` if its vocabulary is not compiled in.
fn encoding() -> Option<Encoding> {
    let base = compiled_in("cl100k_base");
    if base.is_none() {
        say("special: cl100k_base is not compiled in");
    }
    let mut builder = base?.extend("special");
    for (token, id) in TOKENS.iter().zip(200_000..) {
        builder = builder.special_token(*token, id);
    }
    Some(builder.build().unwrap())
}

/// Returns the position of the first of these strings in a text, and the longest one there.
fn first<'s>(text: &str, strings: &[&'s str]) -> Option<(usize, &'s str)> {
    (0..text.len())
        .filter(|at| text.is_char_boundary(*at))
        .find_map(|at| {
            let here = strings
                .iter()
                .filter(|string| text[at..].starts_with(**string));
            let longest = here.max_by_key(|string| string.len())?;
            Some((at, *longest))
        })
}

/// Encodes a text by definition: returns the first rejected string, or the ids with those of the allowed tokens.
fn define<'s>(
    encoding: &Encoding,
    mut text: &str,
    allowed: &[&str],
    rejected: &[&'s str],
) -> Result<Vec<TokenId>, (usize, &'s str)> {
    if let Some(found) = first(text, rejected) {
        return Err(found);
    }
    let mut ids = Vec::new();
    while let Some((at, token)) = first(text, allowed) {
        ids.extend(encoding.encode_ordinary(&text[..at]));
        ids.extend(encoding.special_token_id(token));
        text = &text[at + token.len()..];
    }
    ids.extend(encoding.encode_ordinary(text));
    Ok(ids)
}

/// Returns some of these strings, by chance.
fn some<'s>(random: &mut Random, strings: &[&'s str]) -> Vec<&'s str> {
    let chosen = strings.iter().copied();
    chosen.filter(|_| random.below(2) == 0).collect()
}

#[test]
fn choices_are_those_of_the_definition() {
    let Some(encoding) = encoding() else { return };
    let mut random = Random::new(7);
    let all = [&TOKENS[..], &OTHERS, &["<|endoftext|>"]].concat();
    let known: Vec<&str> = encoding.special_tokens().map(|(text, _)| text).collect();
    let mut encoder = encoding.encoder();
    let (mut refused, mut with_tokens) = (0, 0);
    for _ in 0..20_000 {
        let text: String = (0..random.below(9))
            .map(|_| PARTS[random.below(PARTS.len())])
            .collect();
        let (names, strings) = (some(&mut random, &all), some(&mut random, &all));
        let mut allowed = names.clone();
        allowed.retain(|name| known.contains(name));
        let mut others = known.clone();
        others.retain(|name| !allowed.contains(name));
        let (special, allowed, rejected) = match random.below(8) {
            0 => (Special::REJECT, vec![], known.clone()),
            1 => (Special::AS_TEXT, vec![], vec![]),
            2 => (Special::ALLOW_ALL, known.clone(), vec![]),
            3 => (Special::reject(&strings), vec![], strings.clone()),
            4 => (
                Special::ALLOW_ALL.rejecting(&strings),
                known.clone(),
                strings.clone(),
            ),
            5 => (Special::allow(&names).ignoring_unknown(), allowed, others),
            6 => (
                Special::allow(&names).ignoring_unknown().others_as_text(),
                allowed,
                vec![],
            ),
            _ => (
                Special::allow(&names)
                    .rejecting(&strings)
                    .ignoring_unknown(),
                allowed,
                strings.clone(),
            ),
        };
        let expected = define(&encoding, &text, &allowed, &rejected);
        let set = encoding.special_set(special).unwrap();
        for special in [special, Special::set(&set)] {
            let found = encoding.encode(&text, special);
            let mut appended = vec![1];
            let done = encoder.encode_into(&text, special, &mut appended);
            match &expected {
                Ok(ids) => {
                    assert_eq!(&found.unwrap(), ids, "{text:?} {special:?}");
                    assert_eq!(encoding.count_with(&text, special).unwrap(), ids.len());
                    assert_eq!(encoder.count_with(&text, special).unwrap(), ids.len());
                    assert_eq!(encoder.encode(&text, special).unwrap(), *ids);
                    done.unwrap();
                    assert_eq!(appended[1..], *ids);
                    with_tokens += usize::from(ids.iter().any(|id| encoding.is_special_token(*id)));
                }
                Err((at, token)) => {
                    let error = found.unwrap_err();
                    assert!(error.is_disallowed_special());
                    let place = (error.position(), error.special_token());
                    assert_eq!(place, (Some(*at), Some(*token)), "{text:?} {special:?}");
                    assert_eq!(done.unwrap_err().position(), Some(*at));
                    assert_eq!(appended, [1]);
                    refused += 1;
                }
            }
        }
    }
    assert!(
        refused > 5_000 && with_tokens > 5_000,
        "{refused} {with_tokens}"
    );
}

#[test]
fn unknown_and_empty_names_are_errors() {
    let Some(encoding) = encoding() else { return };
    for (special, problem) in [
        (Special::allow(&["<none>"]), "\"<none>\" cannot be allowed"),
        (Special::allow(&[""]), "empty string"),
        (Special::reject(&[""]), "empty string"),
        (Special::ALLOW_ALL.rejecting(&["x", ""]), "empty string"),
    ] {
        let error = encoding.special_set(special).unwrap_err();
        assert!(
            error.is_invalid_special() && error.to_string().contains(problem),
            "{error}"
        );
        let error = encoding.encode("a", special).unwrap_err();
        assert!(
            error.is_invalid_special() && error.to_string().contains(problem),
            "{error}"
        );
    }
    let ignored = Special::allow(&["", "<none>"]).ignoring_unknown();
    assert!(encoding.encode("a", ignored).is_ok());
}

/// Checks that a set is refused by an encoding with other tokens, whose indices differ.
#[test]
fn sets_are_of_one_encoding() {
    let (Some(one), Some(other)) = (encoding(), encoding()) else {
        return;
    };
    let set = one.special_set(Special::allow(&["ab"])).unwrap();
    assert_eq!(
        one.clone().encode("ab", Special::set(&set)).unwrap(),
        [200_003]
    );
    for special in [Special::set(&set), Special::set(&set).others_as_text()] {
        let error = other.encode("ab", special).unwrap_err();
        assert!(error.is_invalid_special());
        assert!(error.to_string().contains("special_set"), "{error}");
    }
    // a later choice replaces what the set rejects
    assert!(one.encode("<a>", Special::set(&set)).is_err());
    assert!(
        one.encode("<a>", Special::set(&set).others_as_text())
            .is_ok()
    );
    let rejecting = Special::set(&set).rejecting(&["ab"]);
    assert!(
        one.encode("ab", rejecting)
            .unwrap_err()
            .is_disallowed_special()
    );
}
