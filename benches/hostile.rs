//! Measures hostile text: the time must grow linearly, and no shape may be much slower than English, with a small stack.
//!
//! `cargo bench --bench hostile` measures every shape with every vocabulary. Words after `--` select the shapes whose name
//! contains all of them, such as `-- o200k_base emoji`. The last line names the shapes that exceed a bound.
//!
//! In each call, the allocator gets large buffers from the operating system, and the time for 10 MB includes that. To
//! exclude it, let glibc keep its memory:
//! `GLIBC_TUNABLES=glibc.malloc.arena_max=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=4294967296`.

mod common;

use std::env;
use std::hint::black_box;
use std::thread;

use common::texts::{HOSTILE, Hostile, KINDS, Random};
use common::{ENCODINGS, assert_consistent, assert_exact};
use cpu_time::ThreadTime;
use tiktally::Encoding;

/// The stack size in bytes. It is small, to show that recursion does not grow with the text.
const STACK_BYTES: usize = 256 << 10;

/// The sizes in bytes, each with its number of runs. The fastest run counts.
const SIZES_AND_RUNS: [(u32, usize); 4] =
    [(10_000, 50), (100_000, 20), (1_000_000, 7), (10_000_000, 4)];

/// The bound on the time for 10 MB divided by that for 1 MB: 10 is linear, the rest a margin for the large buffers.
const MAX_GROWTH: f64 = 12.0;

/// The bound on the speed of hostile text divided by that of English.
const MIN_OF_ENGLISH: f64 = 1.0 / 12.0;

fn main() {
    // cargo adds options such as `--bench`
    let words: Vec<String> = env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let run = move || {
        let missed: Vec<String> = ENCODINGS
            .into_iter()
            .flat_map(|name| measure_encoding(name, &words))
            .collect();
        println!("{}", verdict(&missed));
    };
    let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn(run);
    thread.unwrap().join().unwrap();
}

/// Measures the selected shapes with an encoding. Returns those that exceed a bound.
fn measure_encoding(name: &str, words: &[String]) -> Vec<String> {
    let Ok(encoding) = tiktally::get_encoding(name) else {
        return Vec::new();
    };
    let is_selected =
        |(shape, _): &&Hostile| words.iter().all(|word| label(name, shape).contains(word));
    let shapes: Vec<&Hostile> = HOSTILE.iter().filter(is_selected).collect();
    if shapes.is_empty() {
        return Vec::new();
    }
    let english = measure_english(encoding);
    println!("{name}: milliseconds per megabyte, english {english:.2}");
    println!(
        "{:30}{:>9}{:>9}{:>9}{:>9}{:>13}{:>12}",
        "", "10 kB", "100 kB", "1 MB", "10 MB", "10 MB / 1 MB", "of english"
    );
    let missed = shapes
        .into_iter()
        .filter_map(|shape| measure_shape(encoding, shape, english));
    let missed = missed.collect();
    println!();
    missed
}

/// Returns the name of a shape with an encoding.
fn label(encoding: &str, shape: &str) -> String {
    format!("{encoding}: {shape}")
}

/// Measures a shape and prints its line. Returns its name and figures if it exceeds a bound.
fn measure_shape(encoding: &Encoding, (shape, make): &Hostile, english: f64) -> Option<String> {
    let mut random = Random::new(1);
    assert_exact(encoding, &make(&mut random, 2_000));
    let times = SIZES_AND_RUNS
        .map(|(size, runs)| fastest_run(encoding, size, runs, |size| make(&mut random, size)));
    let [tiny, small, one, ten] = times;
    let (growth, of_english) = (10.0 * ten / one, english / one);
    println!("{shape:30}{tiny:9.2}{small:9.2}{one:9.2}{ten:9.2}{growth:13.1}{of_english:12.2}");
    let missed = growth > MAX_GROWTH || of_english < MIN_OF_ENGLISH;
    let label = label(encoding.name(), shape);
    missed.then(|| format!("{label} (10 MB / 1 MB {growth:.1}, of english {of_english:.2})"))
}

/// Measures 1 MB of English, the size of the hostile text that it is compared with.
fn measure_english(encoding: &Encoding) -> f64 {
    let mut random = Random::new(1);
    assert_exact(encoding, &KINDS[0].text(&mut random, 20_000));
    let (size, runs) = SIZES_AND_RUNS[2];
    fastest_run(encoding, size, runs, |size| {
        KINDS[0].text(&mut random, size)
    })
}

/// Returns the milliseconds per megabyte of the fastest run, in CPU time of the thread.
///
/// Each run has a new text and new buffers. One more text is only checked.
fn fastest_run(
    encoding: &Encoding,
    size: u32,
    runs: usize,
    mut text: impl FnMut(usize) -> String,
) -> f64 {
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

/// Returns the last line of the output.
fn verdict(missed: &[String]) -> String {
    if missed.is_empty() {
        format!(
            "All within bounds: 10 MB / 1 MB up to {MAX_GROWTH}, at least a twelfth of english."
        )
    } else {
        format!("Out of bounds: {}.", missed.join(", "))
    }
}
