//! Measures counting of a typical chat request: ten messages of new text, with and without five tools; and the same as
//! raw bodies of both APIs.
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
use tools::{body, tools};

const MODELS: [&str; 2] = ["gpt-4", "gpt-4o"];

/// The number of messages in a request.
const MESSAGES: usize = 10;

/// The sizes of a message in bytes.
const MESSAGE_BYTES: [usize; 2] = [100, 150];

/// Cuts a text into the messages of a conversation, each with its role.
fn conversation(text: &str, size: usize) -> impl Iterator<Item = (&'static str, String)> {
    let texts = text.as_bytes().chunks(size).take(MESSAGES);
    let texts = texts.map(|text| String::from_utf8_lossy(text).into_owned());
    texts.enumerate().map(|(i, text)| match i {
        0 => ("system", text),
        _ if i % 2 == 1 => ("user", text),
        _ => ("assistant", text),
    })
}

fn messages(text: &str, size: usize) -> Vec<Message<'static>> {
    let message = |(role, text)| match role {
        "system" => Message::system(text),
        "user" => Message::user(text),
        _ => Message::assistant(text),
    };
    conversation(text, size).map(message).collect()
}

/// Returns a raw body with the messages under `key`, as the API that has this key takes it.
fn raw(text: &str, size: usize, key: &str) -> String {
    let messages: Vec<_> = conversation(text, size).collect();
    body(
        key,
        messages.iter().map(|(role, text)| (*role, text.as_str())),
    )
}

/// Measures requests with messages of `size` bytes.
fn measure(c: &mut Criterion, model: &str, counter: &Counter, size: usize) {
    let mut random = Random::new(1);
    let mut text = || KINDS[0].text(&mut random, MESSAGES * size + 10);
    let first = text();
    let [chat, responses] = ["messages", "input"].map(|key| {
        let body = raw(&first, size, key);
        counter.estimate_json(&body).unwrap()
    });
    let typed = counter.count(&Request::new(messages(&first, size)).tools(tools()));
    assert_eq!(typed.unwrap().messages, chat.messages);
    assert_eq!(chat.messages, responses.messages);
    let mut next = || {
        let messages = messages(&text(), size);
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
    for (name, key) in [
        ("body of chat completions", "messages"),
        ("body of responses", "input"),
    ] {
        group.bench_function(format!("5 tools, {name}"), |bencher| {
            let mut random = Random::new(2);
            let mut next = || {
                let text = KINDS[0].text(&mut random, MESSAGES * size + 10);
                raw(&text, size, key)
            };
            let count = |body: &mut String| black_box(counter.estimate_json(body));
            bencher.iter_batched_ref(&mut next, count, BatchSize::SmallInput);
        });
    }
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
