//! The checks of the fuzz targets without a fuzzer: on random bytes, on changed seeds of the fuzzer, and on every input
//! that failed once.
//!
//! The random numbers are the same in each run. `TIMES=100` multiplies the number of inputs by 100.

#[path = "../common/checks/mod.rs"]
#[allow(clippy::duplicate_mod)] // the fuzz targets have its helpers from nowhere else
pub(crate) mod checks;

use std::fs;
use std::panic::{catch_unwind, resume_unwind};
use std::path::Path;

use crate::common::{say, times};
use crate::texts::Random;

/// Defines a test for each check, on this many inputs.
macro_rules! hold {
    ($($(#[$attribute:meta])* $check:ident: $inputs:literal)*) => {
        $(
            $(#[$attribute])*
            #[test]
            fn $check() {
                hold(stringify!($check), checks::$check, $inputs);
            }
        )*
    };
}

hold! {
    round_trip: 20_000
    count_is_encode: 20_000
    splitter: 20_000
    specials: 20_000
    chunks: 5_000
    streams: 10_000
    decode: 100_000
    loader: 2_000
    custom_encoding: 20_000
    #[cfg(feature = "tokenizer-json")]
    tokenizer_json: 5_000
    #[cfg(feature = "graphemes")]
    graphemes: 10_000
    #[cfg(feature = "json")]
    chat_json: 100_000
}

fn hold(target: &str, check: fn(&[u8]), inputs: usize) {
    let seeds = seeds(target);
    for seed in &seeds {
        try_one(target, check, seed);
    }
    let mut random = Random::new(0);
    for i in 0..times(inputs) {
        let input = match seeds.as_slice() {
            seeds @ [_, ..] if i % 2 == 0 => changed(&mut random, seeds),
            _ => noise(&mut random, 200),
        };
        try_one(target, check, &input);
    }
}

/// Checks one input. A failure prints it as a Rust literal, to be kept below.
fn try_one(target: &str, check: fn(&[u8]), input: &[u8]) {
    if let Err(panic) = catch_unwind(|| check(input)) {
        say(&format!("{target} fails: b\"{}\"", input.escape_ascii()));
        resume_unwind(panic);
    }
}

/// Returns the seeds of the fuzzer, which are not in the published package.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    let Ok(entries) = fs::read_dir(folder.join(target)) else {
        say(&format!("{target}: there are no seeds"));
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn noise(random: &mut Random, most: usize) -> Vec<u8> {
    let len = random.below(most);
    (0..len).map(|_| random.below(256) as u8).collect()
}

/// Returns a seed with a few places changed.
fn changed(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut input = seeds[random.below(seeds.len())].clone();
    for _ in 0..random.below(5) {
        let from = random.below(input.len() + 1);
        let to = (from + random.below(8)).min(input.len());
        let other = &seeds[random.below(seeds.len())];
        let begin = random.below(other.len() + 1);
        let end = (begin + random.below(30)).min(other.len());
        let replacement = match random.below(3) {
            0 => Vec::new(),
            1 => noise(random, 4),
            _ => other[begin..end].to_vec(),
        };
        input.splice(from..to, replacement);
    }
    input
}
