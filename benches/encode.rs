//! Measures encoding, counting and decoding, hostile text, and the first use of an encoding.
//!
//! The text is new in every iteration, so that caches of earlier pieces do not help more than in practice. A seeded
//! generator makes the texts; `TIKTALLY_CORPORA=DIRECTORY` adds the files of a directory, slice by slice.
//!
//! `cargo bench` runs all benches; `cargo bench -- o200k_base/encode` runs those with this text in their name.

mod common;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::hint::black_box;
use std::process::Command;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use tiktally::Encoding;

use common::texts::{HOSTILE, KINDS, Random};
use common::{ENCODINGS, assert_exact};

/// The sizes of the texts in bytes.
const SIZES_BYTES: [usize; 5] = [13, 100, 1_000, 45_000, 1_000_000];

/// The limit of [`Encoding::count_up_to`], in tokens.
///
/// It is high enough that even the largest text, divided by the longest token, stays below it. Otherwise, a text could be
/// rejected by its length alone, without being read.
const LIMIT_TOKENS: usize = 10_000;

/// The environment variable that tells a child process which encoding to use once; `none` for no encoding.
const FIRST_USE: &str = "TIKTALLY_FIRST_USE";

/// Returns the next text of up to this many bytes.
type Next = Box<dyn FnMut(usize) -> String>;

/// Returns a generator for each kind of text, by name.
fn sources() -> BTreeMap<String, Next> {
    let mut sources = BTreeMap::new();
    for kind in &KINDS {
        let mut random = Random::new(1);
        let more = move || kind.text(&mut random, 2 << 20);
        sources.insert(kind.name.to_owned(), slices(more));
    }
    let folder = env::var_os("TIKTALLY_CORPORA").map(|folder| fs::read_dir(folder).unwrap());
    for entry in folder.into_iter().flatten() {
        let path = entry.unwrap().path();
        if let (Ok(text), Some(name)) = (fs::read_to_string(&path), path.file_name()) {
            sources.insert(
                name.to_string_lossy().into_owned(),
                slices(move || text.clone()),
            );
        }
    }
    sources
}

/// Returns consecutive slices of a long text, then those of the next one.
fn slices(mut more: impl FnMut() -> String + 'static) -> Next {
    let (mut text, mut at) = (String::new(), 0);
    Box::new(move |size| {
        if at + size > text.len() {
            (text, at) = (more(), 0);
        }
        let slice = slice(&text[at..], size);
        at += slice.len();
        slice
    })
}

/// Returns the first `size` bytes, or slightly fewer to end at a character boundary.
fn slice(text: &str, size: usize) -> String {
    let fits = (0..=size.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at));
    text[..fits.unwrap_or(0)].to_owned()
}

/// Measures a call on fresh input. The throughput is that of `size` bytes.
fn measure<I, O>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    size: usize,
    mut input: impl FnMut() -> I,
    call: impl Fn(&I) -> O,
) {
    // large inputs in small batches, so that few of them are in memory at once
    let batch = match size {
        ..10_000 => BatchSize::SmallInput,
        _ => BatchSize::LargeInput,
    };
    group.throughput(Throughput::Bytes(size as u64));
    group.bench_function(BenchmarkId::new(name, size), |bencher| {
        bencher.iter_batched_ref(&mut input, |input| black_box(call(input)), batch);
    });
}

/// Measures the calls for ordinary text, for each kind and size.
fn ordinary_text(c: &mut Criterion, encoding: &Encoding) {
    for (name, mut next) in sources() {
        assert_exact(encoding, &next(20_000));
        for call in ["encode", "count", "count_up_to", "decode"] {
            let mut group = c.benchmark_group(format!("{}/{call}", encoding.name()));
            for size in SIZES_BYTES {
                let group = &mut group;
                let mut text = || next(size);
                match call {
                    "encode" => measure(group, &name, size, text, |text| {
                        encoding.encode_ordinary(text)
                    }),
                    "count" => measure(group, &name, size, text, |text| encoding.count(text)),
                    "count_up_to" => measure(group, &name, size, text, |text| {
                        encoding.count_up_to(text, LIMIT_TOKENS)
                    }),
                    _ => {
                        let ids = || encoding.encode_ordinary(&text());
                        measure(group, &name, size, ids, |ids| encoding.decode(ids));
                    }
                }
            }
        }
    }
}

/// Compares counting up to a limit in 1 MB with counting only the text within the limit. Both should cost the same.
fn limit(c: &mut Criterion, encoding: &Encoding) {
    for (name, mut next) in sources() {
        let mut group = c.benchmark_group(format!("{}/limit", encoding.name()));
        let mut megabyte = || next(1_000_000);
        let prefix_len = prefix_len(encoding, &megabyte());
        let group = &mut group;
        measure(
            group,
            &format!("{name}/count_up_to"),
            prefix_len,
            &mut megabyte,
            |text| encoding.count_up_to(text, LIMIT_TOKENS),
        );
        let text = || slice(&megabyte(), prefix_len);
        measure(
            group,
            &format!("{name}/count of the prefix"),
            prefix_len,
            text,
            |text| encoding.count(text),
        );
    }
}

/// Returns the length of the text within the limit, in bytes.
fn prefix_len(encoding: &Encoding, text: &str) -> usize {
    let ids = encoding.encode_ordinary(text);
    let within = ids.get(..LIMIT_TOKENS);
    let count = within.is_none().then_some(ids.len());
    assert_eq!(encoding.count_up_to(text, LIMIT_TOKENS), count);
    encoding.decode_bytes(within.unwrap_or(&ids)).unwrap().len()
}

/// Measures encoding of the hostile shapes.
fn hostile_text(c: &mut Criterion, encoding: &Encoding) {
    let mut group = c.benchmark_group(format!("{}/hostile", encoding.name()));
    let mut random = Random::new(1);
    for (shape, make) in HOSTILE {
        assert_exact(encoding, &make(&mut random, 2_000));
        for size in [10_000, 1_000_000] {
            let text = || make(&mut random, size);
            measure(&mut group, shape, size, text, |text| {
                encoding.encode_ordinary(text)
            });
        }
    }
}

/// Measures a process that encodes two words, and for comparison one that does nothing.
fn first_use(c: &mut Criterion) {
    let this = env::current_exe().unwrap();
    let mut group = c.benchmark_group("first use");
    for name in ["none"].into_iter().chain(ENCODINGS) {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let status = Command::new(&this).env(FIRST_USE, name).status();
                assert!(status.unwrap().success());
            });
        });
    }
}

fn main() {
    if let Ok(name) = env::var(FIRST_USE) {
        if let Ok(encoding) = tiktally::get_encoding(&name) {
            assert_eq!(encoding.encode_ordinary("hello world").len(), 2);
        }
        return;
    }
    let mut c = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .configure_from_args();
    for name in ENCODINGS {
        if let Ok(encoding) = tiktally::get_encoding(name) {
            ordinary_text(&mut c, encoding);
            limit(&mut c, encoding);
            hostile_text(&mut c, encoding);
        }
    }
    first_use(&mut c);
    c.final_summary();
}
