//! Random texts, and running properties on them.
//!
//! Half of the texts are characters of an alphabet with one for each class and each special case of the patterns. The
//! other half are the bytes of random tokens in a row: random characters would never produce the tokens that start or
//! end inside a character.
//!
//! A failure prints the smallest text found, with its special characters escaped. Nothing is written to the source tree.

use std::fmt;
use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{TestCaseError, TestError, TestRunner};
use tiktally::Encoding;

use crate::common::{compiled_in, say, times};
pub(crate) use crate::letters::{ALPHABET, RUNS, cut, mend};

/// The result of a property for one case.
pub(crate) type Verdict = Result<(), TestCaseError>;

/// The default number of cases of a property.
pub(crate) const CASES: u32 = 20_000;

/// Runs the property on values of the strategy.
pub(crate) fn hold<S: Strategy>(values: S, property: impl Fn(S::Value) -> Verdict) {
    hold_times(CASES, values, property);
}

/// Runs the property on this many values of the strategy, times `TIMES`.
pub(crate) fn hold_times<S: Strategy>(
    cases: u32,
    values: S,
    property: impl Fn(S::Value) -> Verdict,
) {
    let config = ProptestConfig {
        cases: times(cases as usize) as u32,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    match TestRunner::new(config).run(&values, property) {
        Ok(()) => {}
        Err(TestError::Fail(reason, value)) => panic!("{reason}\nfor {value:?}"),
        Err(TestError::Abort(reason)) => panic!("gave up: {reason}"),
    }
}

/// Defines a test of a property for each encoding.
#[allow(unused_macros)]
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

/// A text or a piece; `Debug` escapes everything except plain ASCII.
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

/// Characters of the alphabet: any of them, or a few repeated, which gives runs.
pub(crate) fn alphabet_text() -> impl Strategy<Value = Vec<u8>> {
    let many = vec(select(ALPHABET), 0..40);
    let few = (vec(select(ALPHABET), 1..6), vec(any::<Index>(), 0..60))
        .prop_map(|(few, indices)| indices.iter().map(|index| *index.get(&few)).collect());
    prop_oneof![many, few].prop_map(|chars: Vec<char>| String::from_iter(chars).into_bytes())
}

/// The bytes of one token, now and then of a special token.
pub(crate) fn token_bytes(encoding: &'static Encoding) -> impl Strategy<Value = &'static [u8]> {
    let tokens: Vec<&'static [u8]> = encoding.tokens().map(|(_, bytes)| bytes).collect();
    let special = encoding.special_tokens().map(|(text, _)| text.as_bytes());
    let special: Vec<&'static [u8]> = special.collect();
    prop_oneof![30 => select(tokens), 1 => select(special)]
}

/// Tokens in a row, made valid UTF-8 in one of two ways.
pub(crate) fn token_text(encoding: &'static Encoding) -> impl Strategy<Value = Vec<u8>> {
    (vec(token_bytes(encoding), 0..16), any::<bool>()).prop_map(|(tokens, mended)| {
        let bytes = tokens.concat();
        if mended { mend(&bytes) } else { cut(&bytes) }
    })
}

pub(crate) fn texts(encoding: &'static Encoding) -> impl Strategy<Value = Escaped> {
    prop_oneof![alphabet_text(), token_text(encoding)].prop_map(Escaped)
}

/// Characters of a run.
fn run(len: Range<usize>) -> impl Strategy<Value = String> {
    (select(RUNS), vec(any::<Index>(), len)).prop_map(|(run, places)| {
        let chars: Vec<char> = run.chars().collect();
        places.iter().map(|place| *place.get(&chars)).collect()
    })
}

/// Two runs of a few thousand characters.
pub(crate) fn longer_texts() -> impl Strategy<Value = Escaped> {
    (run(1000..4000), run(0..4000)).prop_map(|(one, two)| Escaped((one + &two).into_bytes()))
}

/// Some text, a long run, and some text.
pub(crate) fn long_texts(encoding: &'static Encoding) -> impl Strategy<Value = Escaped> {
    (texts(encoding), run(20..260), texts(encoding)).prop_map(|(before, run, after)| {
        Escaped([before.text(), &run, after.text()].concat().into_bytes())
    })
}
