//! Limits and streams, beside what they should cost: the encoding of what is kept, one count, one encoding.
//!
//! `parts/chunks by search` is the way of those who only have a count: the end of each chunk by bisection.

#[path = "../tests/common/texts.rs"]
mod texts;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion};
use tiktally::Encoding;

use texts::{KINDS, Kind, Random};

const LIMIT: usize = 1000;
const CHUNK: usize = 512;

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

/// The beginnings of texts that nobody has seen, long enough that the end of none is looked at.
fn limits(c: &mut Criterion, encoding: &Encoding, kind: &Kind) {
    const LEN: usize = LIMIT * 20;
    let mut random = Random::new(1);
    let mut text = || kind.text(&mut random, LEN);
    // to find out what is kept of a text would be to have seen it
    let kept: usize = (0..100)
        .map(|_| encoding.truncate(&text(), LIMIT).len())
        .sum();
    let kept = kept / 100;
    let mut group = c.benchmark_group(format!("{}/limits/{}", encoding.name(), kind.name));
    group.bench_function("encoding of as much as is kept", |bencher| {
        bencher.iter_batched(
            || {
                let mut text = text();
                let end = (kept..text.len()).find(|at| text.is_char_boundary(*at));
                text.truncate(end.unwrap_or(kept));
                text
            },
            |text| black_box(encoding.encode_ordinary(&text)),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("truncate", |bencher| {
        bencher.iter_batched(
            &mut text,
            |text| black_box(encoding.truncate(&text, LIMIT).len()),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("count_up_to", |bencher| {
        bencher.iter_batched(
            &mut text,
            |text| black_box(encoding.count_up_to(&text, LIMIT)),
            BatchSize::LargeInput,
        );
    });
}

/// A text in parts, beside the whole.
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
    assert_eq!(pushed(fours(&sample)), encoding.count(&sample));
    group.bench_function("count", |bencher| {
        bencher.iter_batched(
            &mut text,
            |text| black_box(encoding.count(&text)),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("counter, four characters at a time", |bencher| {
        bencher.iter_batched(
            || fours(&text()),
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
        let chunks = |text: String| encoding.chunks(&text, CHUNK).unwrap().count();
        bencher.iter_batched(
            &mut text,
            |text| black_box(chunks(text)),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("chunks by search", |bencher| {
        bencher.iter_batched(
            &mut text,
            |text| black_box(searched(encoding, &text)),
            BatchSize::LargeInput,
        );
    });
}

fn fours(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars
        .chunks(4)
        .map(|chars| chars.iter().collect())
        .collect()
}

/// How many chunks there are if the end of each is searched by counting.
fn searched(encoding: &Encoding, text: &str) -> usize {
    let mut rest = text;
    let mut chunks = 0;
    while !rest.is_empty() {
        let ends: Vec<usize> = rest
            .char_indices()
            .map(|(at, c)| at + c.len_utf8())
            .take(8 * CHUNK)
            .collect();
        let fit = ends.partition_point(|end| encoding.count(&rest[..*end]) <= CHUNK);
        rest = &rest[ends[fit.max(1) - 1]..];
        chunks += 1;
    }
    chunks
}

/// Makes a text of so many bytes.
type Make = Box<dyn FnMut(usize) -> String>;

/// One character at a time, in one open piece: the time should grow with the length.
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
        ("capitals behind a mark", "A\u{301}", "X"),
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
            // not kept as parts: those of a megabyte would take 16
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
