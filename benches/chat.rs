//! Measures counting of a typical chat request: ten messages of new text, with and without five tools.
//!
//! The step `chat` of `benches/compare` measures other crates with the same kind of messages.

#[path = "../tests/common/texts.rs"]
mod texts;
#[path = "common/tools.rs"]
mod tools;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion};
use tiktally::chat::{Counter, Message, Request};

use texts::{KINDS, Random};
use tools::tools;

const MODELS: [&str; 2] = ["gpt-4", "gpt-4o"];

/// The number of messages in a request.
const MESSAGES: usize = 10;

/// The sizes of a message in bytes.
const MESSAGE_BYTES: [usize; 2] = [100, 150];

/// Cuts a text into the messages of a conversation.
fn messages(text: &str, size: usize) -> Vec<Message<'static>> {
    let texts = text.as_bytes().chunks(size).take(MESSAGES);
    let texts = texts.map(|text| String::from_utf8_lossy(text).into_owned());
    let message = |(i, text)| match i {
        0 => Message::system(text),
        _ if i % 2 == 1 => Message::user(text),
        _ => Message::assistant(text),
    };
    texts.enumerate().map(message).collect()
}

/// Measures requests with messages of `size` bytes.
fn measure(c: &mut Criterion, model: &str, counter: &Counter, size: usize) {
    let mut random = Random::new(1);
    let mut next = || {
        let text = KINDS[0].text(&mut random, MESSAGES * size + 10);
        let messages = messages(&text, size);
        assert_eq!(messages.len(), MESSAGES);
        messages
    };
    // checks the sum of the parts before the measurement starts
    let request = Request::new(next());
    let plain = counter.count(&request).unwrap();
    let whole = counter.count(&request.tools(tools())).unwrap();
    assert_eq!(whole.total, plain.total + whole.tools);
    let mut group = c.benchmark_group(format!("chat/{model}/10 messages of {size} bytes"));
    let count = |request: &mut Request<'_>| black_box(counter.count(request));
    group.bench_function("alone", |bencher| {
        let request = || Request::new(next());
        bencher.iter_batched_ref(request, count, BatchSize::SmallInput);
    });
    group.bench_function("5 tools", |bencher| {
        let request = || Request::new(next()).tools(tools());
        bencher.iter_batched_ref(request, count, BatchSize::SmallInput);
    });
}

fn main() {
    let mut c = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    for model in MODELS {
        let Ok(counter) = Counter::for_model(model) else {
            continue;
        };
        for size in MESSAGE_BYTES {
            measure(&mut c, model, &counter, size);
        }
    }
    c.final_summary();
}
