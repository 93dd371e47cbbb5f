//! Throughput of encoding, counting and decoding on text that is new in every iteration.
//!
//! The text is made of the project's own sources, cut into lines that a seeded generator puts in a new order each time.

#![allow(missing_docs)] // what the macros of criterion make has none

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tiktally::Encoding;

/// The size of each text in bytes, about.
const SIZE: usize = 100_000;

const SOURCES: [&str; 3] = [
    include_str!("../README.md"),
    include_str!("../src/encoding/mod.rs"),
    include_str!("../src/split/scalar.rs"),
];

/// Texts of shuffled lines, never the same one twice.
struct Texts {
    lines: Vec<&'static str>,
    state: u64,
}

impl Texts {
    fn new() -> Self {
        Self {
            lines: SOURCES
                .iter()
                .flat_map(|source| source.split_inclusive('\n'))
                .collect(),
            state: 1,
        }
    }

    fn next(&mut self) -> String {
        let mut text = String::with_capacity(SIZE + 200);
        while text.len() < SIZE {
            self.state = self
                .state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            text.push_str(self.lines[(self.state >> 33) as usize % self.lines.len()]);
        }
        text
    }
}

fn bench(c: &mut Criterion) {
    let mut texts = Texts::new();
    for encoding in tiktally::list_encoding_names()
        .iter()
        .filter_map(|name| tiktally::get_encoding(name).ok())
    {
        assert_exact(encoding, &texts.next());
        let mut group = c.benchmark_group(encoding.name());
        group.throughput(Throughput::Bytes(SIZE as u64));
        group.bench_function("encode", |b| {
            b.iter_batched(
                || texts.next(),
                |text| encoding.encode_ordinary(&text),
                BatchSize::LargeInput,
            );
        });
        group.bench_function("count", |b| {
            b.iter_batched(
                || texts.next(),
                |text| encoding.count(&text),
                BatchSize::LargeInput,
            );
        });
        group.bench_function("decode", |b| {
            let ids = |text: String| encoding.encode_ordinary(&text);
            b.iter_batched(
                || ids(texts.next()),
                |ids| black_box(encoding.decode(&ids)),
                BatchSize::LargeInput,
            );
        });
        group.finish();
    }
}

/// The clock only starts for ids that are right: each piece's by the plain merge.
fn assert_exact(encoding: &Encoding, text: &str) {
    let expected: Vec<_> = encoding
        .pieces(text)
        .flat_map(|piece| tiktally::reference::merge(encoding, piece.as_bytes()))
        .collect();
    assert_eq!(encoding.encode_ordinary(text), expected);
    assert_eq!(encoding.count(text), expected.len());
}

criterion_group!(benches, bench);
criterion_main!(benches);
