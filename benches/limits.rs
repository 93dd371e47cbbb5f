//! Measures limits and streams, each beside a simpler call that should cost about the same.
//!
//! `parts/chunks by search` finds the end of each chunk by bisection: chunking with a library that can only count.

#[path = "../tests/common/texts.rs"]
mod texts;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion};
use tiktally::Encoding;

use texts::{KINDS, Kind, Random};

/// The limit of `truncate` and `count_up_to`, in tokens.
const LIMIT_TOKENS: usize = 1000;

/// The size of a chunk, in tokens.
const CHUNK_TOKENS: usize = 512;

fn main() {
    let mut c = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    for name in ["r50k_base", "cl100k_base", "o200k_base"] {
        let Ok(encoding) = tiktally::get_encoding(name) else {
            continue;
        };
        for kind in &KINDS {
            limits(&mut c, encoding, kind);
            parts(&mut c, encoding, kind);
        }
        hostile(&mut c, encoding);
    }
    c.final_summary();
}

/// Measures limits on new texts, which are so long that no call reaches their end.
fn limits(c: &mut Criterion, encoding: &Encoding, kind: &Kind) {
    const TEXT_BYTES: usize = LIMIT_TOKENS * 20;
    let mut random = Random::new(1);
    let mut text = || kind.text(&mut random, TEXT_BYTES);
    // an average over other texts: truncating a measured text beforehand would fill the cache with its pieces
    let kept_bytes: usize = (0..100)
        .map(|_| encoding.truncate(&text(), LIMIT_TOKENS).len())
        .sum();
    let kept_bytes = kept_bytes / 100;
    let mut group = c.benchmark_group(format!("{}/limits/{}", encoding.name(), kind.name));
    group.bench_function("encode the kept part", |bencher| {
        bencher.iter_batched(
            || {
                let mut text = text();
                let end = (kept_bytes..text.len()).find(|at| text.is_char_boundary(*at));
                text.truncate(end.unwrap_or(kept_bytes));
                text
            },
            |text| black_box(encoding.encode_ordinary(&text)),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("truncate", |bencher| {
        bencher.iter_batched(
            &mut text,
            |text| black_box(encoding.truncate(&text, LIMIT_TOKENS).len()),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("count_up_to", |bencher| {
        bencher.iter_batched(
            &mut text,
            |text| black_box(encoding.count_up_to(&text, LIMIT_TOKENS)),
            BatchSize::LargeInput,
        );
    });
}

/// Measures a text in parts, beside the whole text.
fn parts(c: &mut Criterion, encoding: &Encoding, kind: &Kind) {
    let mut random = Random::new(2);
    let mut text = || kind.text(&mut random, 100_000);
    let mut group = c.benchmark_group(format!("{}/parts/{}", encoding.name(), kind.name));
    let pushed = |parts: Vec<String>| {
        let mut counter = encoding.token_counter();
        for part in &parts {
            counter.push(part);
        }
        counter.total()
    };
    let sample = text();
    assert_eq!(pushed(parts_of_four(&sample)), encoding.count(&sample));
    group.bench_function("count", |bencher| {
        bencher.iter_batched(
            &mut text,
            |text| black_box(encoding.count(&text)),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("counter, four characters at a time", |bencher| {
        bencher.iter_batched(
            || parts_of_four(&text()),
            |parts| black_box(pushed(parts)),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("encode", |bencher| {
        bencher.iter_batched(
            &mut text,
            |text| black_box(encoding.encode_ordinary(&text)),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("chunks", |bencher| {
        let chunks = |text: String| encoding.chunks(&text, CHUNK_TOKENS).unwrap().count();
        bencher.iter_batched(
            &mut text,
            |text| black_box(chunks(text)),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("chunks by search", |bencher| {
        bencher.iter_batched(
            &mut text,
            |text| black_box(chunks_by_search(encoding, &text)),
            BatchSize::LargeInput,
        );
    });
}

/// Splits a text into parts of four characters, about a token each.
fn parts_of_four(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars
        .chunks(4)
        .map(|chars| chars.iter().collect())
        .collect()
}

/// Cuts a text into chunks by bisection with `count`. Returns the number of chunks.
fn chunks_by_search(encoding: &Encoding, text: &str) -> usize {
    let mut rest = text;
    let mut chunks = 0;
    while !rest.is_empty() {
        let ends: Vec<usize> = rest
            .char_indices()
            .map(|(at, c)| at + c.len_utf8())
            .take(8 * CHUNK_TOKENS)
            .collect();
        let fit = ends.partition_point(|end| encoding.count(&rest[..*end]) <= CHUNK_TOKENS);
        rest = &rest[ends[fit.max(1) - 1]..];
        chunks += 1;
    }
    chunks
}

/// Makes a text of about this many bytes.
type Make = Box<dyn FnMut(usize) -> String>;

/// Measures streams of single characters that form one unfinished piece. The time should grow linearly.
fn hostile(c: &mut Criterion, encoding: &Encoding) {
    let mut han = Random::new(3);
    let mut shapes: Vec<(&str, Make)> = vec![(
        "random Han",
        Box::new(move |len| {
            let char = |_| char::from_u32(0x4E00 + han.below(20_000) as u32).unwrap();
            (0..len / 3).map(char).collect()
        }),
    )];
    for (name, start, unit) in [
        ("one letter", "", "a"),
        ("spaces", "", " "),
        ("newlines", "", "\n"),
        ("digits", "", "7"),
        ("equals signs", "", "="),
        ("capitals after a mark", "A\u{301}", "X"),
    ] {
        shapes.push((
            name,
            Box::new(move |len| start.to_owned() + &unit.repeat(len)),
        ));
    }
    for (name, mut make) in shapes {
        let mut group = c.benchmark_group(format!("{}/hostile stream/{name}", encoding.name()));
        for len in [100_000, 1_000_000] {
            let text = make(len);
            // an iterator, not a list: a list of the parts would take 16 times the memory of the text
            let parts = || {
                let starts = text.char_indices();
                starts.map(|(at, c)| &text[at..at + c.len_utf8()])
            };
            group.bench_function(format!("counter/{len}"), |bencher| {
                bencher.iter(|| {
                    let mut counter = encoding.token_counter();
                    for part in parts() {
                        counter.push(part);
                    }
                    counter.total()
                });
            });
            group.bench_function(format!("encoder/{len}"), |bencher| {
                bencher.iter(|| {
                    let (mut encoder, mut ids) = (encoding.stream_encoder(), Vec::new());
                    for part in parts() {
                        encoder.push(part, &mut ids);
                    }
                    encoder.finish(&mut ids);
                    ids.len()
                });
            });
        }
    }
}
