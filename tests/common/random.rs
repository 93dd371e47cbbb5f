//! Random texts, and properties that are tried on them.
//!
//! Half of the texts are characters of an alphabet with one for each class and each special case of the patterns. The
//! other half are the bytes of random tokens one after the other: random characters would never meet the tokens that
//! start or end inside a character.
//!
//! A failure prints the smallest text found, with its special characters escaped. Nothing is written to the source tree.

#![allow(dead_code)] // each program that includes this file uses a part of it

use std::fmt;
use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{TestCaseError, TestError, TestRunner};
use tiktally::Encoding;

use crate::common::{compiled_in, say};

/// What a property says about one case.
pub(crate) type Verdict = Result<(), TestCaseError>;

/// The default number of cases.
pub(crate) const CASES: u32 = 20_000;

/// Tries the property on values of the strategy.
pub(crate) fn hold<S: Strategy>(values: S, property: impl Fn(S::Value) -> Verdict) {
    hold_times(CASES, values, property);
}

/// The same, so many times, unless `PROPTEST_CASES` says otherwise.
pub(crate) fn hold_times<S: Strategy>(
    cases: u32,
    values: S,
    property: impl Fn(S::Value) -> Verdict,
) {
    let mut config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    match TestRunner::new(config).run(&values, property) {
        Ok(()) => {}
        Err(TestError::Fail(reason, value)) => panic!("{reason}\nfor {value:?}"),
        Err(TestError::Abort(reason)) => panic!("gave up: {reason}"),
    }
}

/// Applies a property to encodings: one test for each.
macro_rules! for_each {
    ($property:ident: $($encoding:ident)*) => {
        mod $property {
            $(
                #[test]
                fn $encoding() {
                    super::with(stringify!($encoding), super::$property);
                }
            )*
        }
    };
}

pub(crate) fn with(name: &str, property: fn(&'static Encoding)) {
    match compiled_in(name) {
        Some(encoding) => property(encoding),
        None => say(&format!("properties: {name} is not compiled in")),
    }
}

/// One character for each class and each special case.
#[rustfmt::skip]
pub(crate) const ALPHABET: &[char] = &[
    // Letters: lower, upper, title case, modifier, other; outside ASCII too; a wide one.
    'a', 'b', 'z', 'Z', 'B', 'é', 'É', 'я', 'Я', 'ǅ', 'ʰ', 'ー', '最', 'ª', 'あ', 'ß', '𝐀', '𝐚', '𐍈',
    // Marks.
    '\u{301}', '\u{20dd}', 'ा', '\u{fe0f}',
    // Numbers: decimal, letter-like, other.
    '0', '1', '9', '٣', '²', 'Ⅷ', '½', '𝟙',
    // White space, and two that only look like it.
    ' ', ' ', ' ', '\t', '\r', '\n', '\n', '\u{b}', '\u{c}', '\u{85}', '\u{a0}', '\u{2003}', '\u{2028}', '\u{3000}',
    '\u{180e}', '\u{200b}',
    // Contractions: their letters, what folds to `s`, and the Kelvin sign, which folds to a letter of none.
    '\'', '\'', 's', 'S', 't', 'T', 'd', 'D', 'm', 'M', 'l', 'L', 'v', 'V', 'r', 'R', 'e', 'E', 'ſ', '\u{212a}', '’',
    // Punctuation and symbols.
    '/', '/', '!', '.', '(', '_', '<', '|', '>', '-', '…', '€', '。',
    // Emoji and what joins them, control characters, the ends of the code space, unassigned and private ones.
    '🙂', '👨', '🏽', '\u{200d}', '\u{feff}', '\0', '\u{1c}', '\u{7f}', '\u{378}', '\u{e000}', '\u{ffff}', '\u{10ffff}',
];

/// A text or a piece, shown with everything but plain ASCII escaped.
#[derive(Clone)]
pub(crate) struct Escaped(pub(crate) Vec<u8>);

impl Escaped {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap()
    }
}

impl fmt::Debug for Escaped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match std::str::from_utf8(&self.0) {
            Ok(text) => write!(f, "\"{}\"", text.escape_default()),
            Err(_) => write!(f, "b\"{}\"", self.0.escape_ascii()),
        }
    }
}

/// Characters of the alphabet: any of them, or few of them many times, which gives runs.
pub(crate) fn alphabet_text() -> impl Strategy<Value = Vec<u8>> {
    let many = vec(select(ALPHABET), 0..40);
    let few = (vec(select(ALPHABET), 1..6), vec(any::<Index>(), 0..60))
        .prop_map(|(few, indices)| indices.iter().map(|index| *index.get(&few)).collect());
    prop_oneof![many, few].prop_map(|chars: Vec<char>| String::from_iter(chars).into_bytes())
}

/// The bytes of one token: of an ordinary one, or now and then of a special one.
pub(crate) fn token_bytes(encoding: &'static Encoding) -> impl Strategy<Value = &'static [u8]> {
    let tokens: Vec<&'static [u8]> = encoding.tokens().map(|(_, bytes)| bytes).collect();
    let special = encoding.special_tokens().map(|(text, _)| text.as_bytes());
    let special: Vec<&'static [u8]> = special.collect();
    prop_oneof![30 => select(tokens), 1 => select(special)]
}

/// Tokens one after the other, made valid UTF-8 in one of two ways.
pub(crate) fn token_text(encoding: &'static Encoding) -> impl Strategy<Value = Vec<u8>> {
    (vec(token_bytes(encoding), 0..16), any::<bool>()).prop_map(|(tokens, mended)| {
        let bytes = tokens.concat();
        if mended { mend(&bytes) } else { cut(&bytes) }
    })
}

/// What is left without the bytes that are not UTF-8.
pub(crate) fn cut(bytes: &[u8]) -> Vec<u8> {
    let valid = bytes.utf8_chunks().map(|chunk| chunk.valid().as_bytes());
    valid.collect::<Vec<_>>().concat()
}

/// Every broken character is made a whole one of which the bytes at hand are a part, so that tokens which start or end
/// inside a character stay where they are.
pub(crate) fn mend(bytes: &[u8]) -> Vec<u8> {
    let mut mended = Vec::new();
    for chunk in bytes.utf8_chunks() {
        mended.extend_from_slice(chunk.valid().as_bytes());
        match *chunk.invalid() {
            [] => {}
            // 80..=BF continue a character: make it the last byte of a common one.
            [last @ 0x80..=0xBF] => mended.extend([0xE4, 0xBD, last]),
            ref start => {
                let whole = (0x80..=0xBF).rev().find_map(|fill| complete(start, fill));
                mended.extend(whole.unwrap_or_default());
            }
        }
    }
    mended
}

/// The character that begins with these bytes and goes on with `fill`, if there is one.
pub(crate) fn complete(start: &[u8], fill: u8) -> Option<Vec<u8>> {
    let mut bytes = start.to_vec();
    while bytes.len() < 4 {
        bytes.push(fill);
        if std::str::from_utf8(&bytes).is_ok() {
            return Some(bytes);
        }
    }
    None
}

pub(crate) fn texts(encoding: &'static Encoding) -> impl Strategy<Value = Escaped> {
    prop_oneof![alphabet_text(), token_text(encoding)].prop_map(Escaped)
}

/// What long stretches are made of: each is one piece, or two of which the border moves.
pub(crate) const RUNS: &[&str] = &[
    "aaab",
    "ABÉ\u{301}ーA",
    "ǅʰ最A\u{301}",
    "A\u{301}AAAAAAAA",
    " ",
    "  \n",
    " \t\r\n\u{a0}\u{3000}",
    "=-*!",
    "!/\n\r",
    "0123٣",
    "最あ你好",
    "🙂\u{200d}👨🏽",
    "étéß",
    "'",
    "x'",
    "\u{301}\u{20dd}",
    "etaoinshrdlu",
    "<|endoftext|>",
];

/// Characters of a run.
fn run(len: Range<usize>) -> impl Strategy<Value = String> {
    (select(RUNS), vec(any::<Index>(), len)).prop_map(|(run, places)| {
        let chars: Vec<char> = run.chars().collect();
        places.iter().map(|place| *place.get(&chars)).collect()
    })
}

/// Two runs of some thousand characters.
pub(crate) fn longer_texts() -> impl Strategy<Value = Escaped> {
    (run(1000..4000), run(0..4000)).prop_map(|(one, two)| Escaped((one + &two).into_bytes()))
}

/// Some text, a long run, and some text.
pub(crate) fn long_texts(encoding: &'static Encoding) -> impl Strategy<Value = Escaped> {
    (texts(encoding), run(20..260), texts(encoding)).prop_map(|(before, run, after)| {
        Escaped([before.text(), &run, after.text()].concat().into_bytes())
    })
}
