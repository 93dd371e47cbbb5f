//! Hostile text: the time grows linearly, and no shape is much slower than English, in a thread with a small stack.
//!
//! `cargo bench --bench hostile` measures every shape with every vocabulary; words after `--` choose those whose name holds
//! all of them, such as `-- o200k_base emoji`. The last line names the cells that miss a bound.
//!
//! Large buffers come fresh from the system in each call, which the time for 10 MB includes. To tell that from the crate's
//! own growth, have glibc keep its memory:
//! `GLIBC_TUNABLES=glibc.malloc.arena_max=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=4294967296`.

mod common;

use std::env;
use std::hint::black_box;
use std::thread;

use common::texts::{HOSTILE, Hostile, KINDS, Random};
use common::{ENCODINGS, assert_consistent, assert_exact};
use cpu_time::ThreadTime;
use tiktally::Encoding;

/// Everything runs in a stack of this size, so that no text can exhaust it.
const STACK: usize = 256 << 10;

/// The sizes in bytes, and how many runs the best is taken of.
const SIZES: [(u32, usize); 4] = [(10_000, 50), (100_000, 20), (1_000_000, 7), (10_000_000, 4)];

/// Bounds on the time for 10 MB over that for 1 MB, and on the time of English text over that of as much hostile text.
const MAX_GROWTH: f64 = 12.0;
const MIN_OF_ENGLISH: f64 = 1.0 / 12.0;

fn main() {
    // cargo adds options of its own
    let words: Vec<String> = env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let run = move || {
        let missed: Vec<String> = ENCODINGS
            .into_iter()
            .flat_map(|name| encoding(name, &words))
            .collect();
        println!("{}", verdict(&missed));
    };
    let thread = thread::Builder::new().stack_size(STACK).spawn(run);
    thread.unwrap().join().unwrap();
}

/// Measures the shapes that the words choose, and names those that miss a bound.
fn encoding(name: &str, words: &[String]) -> Vec<String> {
    let Ok(encoding) = tiktally::get_encoding(name) else {
        return Vec::new();
    };
    let chosen = |(shape, _): &&Hostile| words.iter().all(|word| cell(name, shape).contains(word));
    let shapes: Vec<&Hostile> = HOSTILE.iter().filter(chosen).collect();
    if shapes.is_empty() {
        return Vec::new();
    }
    let english = english(encoding);
    println!("{name}: milliseconds a megabyte, english {english:.2}");
    println!(
        "{:30}{:>9}{:>9}{:>9}{:>9}{:>13}{:>12}",
        "", "10 kB", "100 kB", "1 MB", "10 MB", "10 MB / 1 MB", "of english"
    );
    let missed = shapes
        .into_iter()
        .filter_map(|shape| self::shape(encoding, shape, english));
    let missed = missed.collect();
    println!();
    missed
}

fn cell(encoding: &str, shape: &str) -> String {
    format!("{encoding}: {shape}")
}

/// Prints the line of one shape; its name and figures if it misses a bound.
fn shape(encoding: &Encoding, (shape, make): &Hostile, english: f64) -> Option<String> {
    let mut random = Random::new(1);
    assert_exact(encoding, &make(&mut random, 2_000));
    let times =
        SIZES.map(|(size, runs)| best(encoding, size, runs, |size| make(&mut random, size)));
    let [tiny, small, one, ten] = times;
    let (growth, of_english) = (10.0 * ten / one, english / one);
    println!("{shape:30}{tiny:9.2}{small:9.2}{one:9.2}{ten:9.2}{growth:13.1}{of_english:12.2}");
    let missed = growth > MAX_GROWTH || of_english < MIN_OF_ENGLISH;
    let cell = cell(encoding.name(), shape);
    missed.then(|| format!("{cell} (10 MB / 1 MB {growth:.1}, of english {of_english:.2})"))
}

/// A megabyte of English, of the same length as the column that is compared with it.
fn english(encoding: &Encoding) -> f64 {
    let mut random = Random::new(1);
    assert_exact(encoding, &KINDS[0].text(&mut random, 20_000));
    let (size, runs) = SIZES[2];
    best(encoding, size, runs, |size| {
        KINDS[0].text(&mut random, size)
    })
}

/// Milliseconds a megabyte (nanoseconds a byte) in the fastest of some runs, in CPU time of the thread, each with text and buffers of its own.
/// The first text is not measured but checked.
fn best(encoding: &Encoding, size: u32, runs: usize, mut text: impl FnMut(usize) -> String) -> f64 {
    assert_consistent(encoding, &text(size as usize));
    let run = |_| {
        let text = text(size as usize);
        let start = ThreadTime::now();
        black_box(encoding.encode_ordinary(black_box(&text)));
        start.elapsed().as_secs_f64()
    };
    let seconds = (0..runs).map(run).fold(f64::INFINITY, f64::min);
    1e9 * seconds / f64::from(size)
}

fn verdict(missed: &[String]) -> String {
    if missed.is_empty() {
        format!("All within bounds: 10 MB / 1 MB up to {MAX_GROWTH}, a twelfth of english or more.")
    } else {
        format!("Out of bounds: {}.", missed.join(", "))
    }
}
