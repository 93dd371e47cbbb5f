//! Whole requests: those of the project, and those that other projects recorded with what was billed.
#![cfg(all(
    feature = "json",
    feature = "cl100k_base",
    feature = "o200k_base",
    feature = "p50k_base"
))]

#[path = "chat/typed.rs"]
mod typed;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tiktally::chat::{
    ChatTokens, Counter, Detail, Exactness, Family, Image, Message, Part, Request,
};
use tiktally::{Error, Special};

#[derive(Deserialize)]
struct Vectors<'a> {
    #[serde(borrow)]
    vectors: Vec<Vector<'a>>,
}

#[derive(Deserialize)]
struct Vector<'a> {
    id: String,
    kind: String,
    model: String,
    family: Option<String>,
    rule: Option<String>,
    /// As it was sent: the order of the keys counts.
    #[serde(borrow)]
    request: &'a RawValue,
    prompt_tokens: usize,
    reproduced: bool,
    why: Option<String>,
    note: Option<String>,
    reply_priming: Option<usize>,
    /// Given where the recording sorted all keys; the properties of schemas were sent in the order of `required`.
    key_order: Option<String>,
    #[serde(default)]
    images: Vec<Size>,
}

#[derive(Deserialize)]
struct Size {
    width: u32,
    height: u32,
}

/// A request of the project.
#[derive(Deserialize)]
struct Own<'a> {
    id: String,
    model: String,
    family: Option<String>,
    rule: String,
    exact: bool,
    #[serde(borrow)]
    request: &'a RawValue,
    prompt_tokens: usize,
    sum: String,
}

fn counter(model: &str, family: Option<&str>) -> Counter {
    let counter = Counter::for_model(model).unwrap();
    match family {
        None => counter,
        Some("0301") => counter.with_family(Family::Legacy0301),
        Some("0613") => counter.with_family(Family::Legacy0613),
        Some("modern") => counter.with_family(Family::Modern),
        Some("reasoning") => counter.with_family(Family::Reasoning),
        Some(other) => panic!("{other}"),
    }
}

/// The body with the properties of every schema in the order of `required`, and the others behind them.
fn in_order_of_required(body: &str) -> String {
    ordered(&serde_json::from_str(body).unwrap())
}

fn ordered(value: &Value) -> String {
    let entry = |(key, text): (&String, String)| format!("{}:{text}", Value::from(key.as_str()));
    let join = |entries: Vec<String>| format!("{{{}}}", entries.join(","));
    match value {
        Value::Array(list) => {
            let items: Vec<_> = list.iter().map(ordered).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(object) => {
            let required = object.get("required").and_then(Value::as_array);
            let place = |name: &str| {
                let place = required.and_then(|names| names.iter().position(|key| key == name));
                place.unwrap_or(usize::MAX)
            };
            let entries = object
                .iter()
                .map(|(key, value)| match (key.as_str(), value) {
                    ("properties", Value::Object(properties)) => {
                        let mut properties: Vec<_> = properties.iter().collect();
                        properties.sort_by_key(|(name, _)| place(name));
                        let properties = properties
                            .into_iter()
                            .map(|(key, value)| (key, ordered(value)));
                        entry((key, join(properties.map(entry).collect())))
                    }
                    _ => entry((key, ordered(value))),
                });
            join(entries.collect())
        }
        other => other.to_string(),
    }
}

fn sum(tokens: &ChatTokens) -> usize {
    let parts = [
        tokens.tools,
        tokens.tool_choice,
        tokens.response_format,
        tokens.images,
        tokens.priming,
    ];
    tokens.messages.iter().chain(&parts).sum()
}

fn sizes(sizes: &[Size]) -> impl Iterator<Item = (u32, u32)> {
    sizes.iter().map(|size| (size.width, size.height))
}

/// An estimate, which is the count too where there is one.
fn both(counter: &Counter, body: &str, sizes: &[Size]) -> Result<ChatTokens, Error> {
    let typed = typed::request(body, self::sizes(sizes));
    let (count, estimate) = match typed.as_ref().filter(|_| !sizes.is_empty()) {
        Some(typed) => (counter.count(typed), counter.estimate(typed)),
        None => (counter.count_json(body), counter.estimate_json(body)),
    };
    match (count, &estimate) {
        (Ok(count), Ok(estimate)) => {
            assert_eq!(count, *estimate);
            assert_eq!(count.exactness, Exactness::Exact);
        }
        (Err(error), Ok(estimate)) => {
            assert!(error.is_estimate_only(), "{error}");
            assert_ne!(estimate.exactness, Exactness::Exact);
        }
        (count, Err(_)) => assert!(count.is_err()),
    }
    if let Ok(estimate) = &estimate {
        assert_eq!(estimate.total, sum(estimate));
        if let Some(typed) = typed {
            assert_eq!(counter.estimate(&typed).unwrap().total, estimate.total);
        }
    }
    estimate
}

/// What other projects recorded, if it is there: it is never a part of this one.
fn recorded() -> Option<String> {
    let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/golden/chat.json");
    let text = fs::read_to_string(&shared);
    if text.is_err() {
        println!("skipped: {} was not found", shared.display());
    }
    text.ok()
}

#[test]
fn images_cost_what_was_billed() {
    #[derive(Deserialize)]
    struct Priced {
        id: String,
        model: String,
        width: u32,
        height: u32,
        detail: Option<String>,
        tokens: Option<usize>,
        patches: Option<usize>,
        #[serde(default)]
        text: String,
        prompt_tokens_low: Option<usize>,
        prompt_tokens_high: Option<usize>,
    }
    #[derive(Deserialize)]
    struct Images {
        image_vectors: Vec<Priced>,
    }
    let Some(text) = recorded() else { return };
    let Images { image_vectors } = serde_json::from_str(&text).unwrap();
    let mut compared = 0;
    for priced in &image_vectors {
        let count = |detail| {
            let image = Image::new(priced.width, priced.height, detail);
            let message = Message::user("").parts([Part::text(priced.text.as_str()), image.into()]);
            let counter = Counter::for_model(&priced.model).unwrap();
            counter.count(&Request::new([message])).unwrap()
        };
        let detail = match priced.detail.as_deref() {
            Some("low") => Detail::Low,
            _ => Detail::High,
        };
        // the guide's patches are those before the model's factor, 1.62, and the 1 that is added
        let patches = priced
            .patches
            .map(|patches| (patches * 162).div_ceil(100) + 1);
        if let Some(tokens) = priced.tokens.or(patches) {
            assert_eq!(count(detail).images, tokens, "{}", priced.id);
            compared += 1;
        }
        let requests = [
            (Detail::Low, priced.prompt_tokens_low),
            (Detail::High, priced.prompt_tokens_high),
        ];
        for (detail, tokens) in requests {
            let Some(tokens) = tokens else { continue };
            assert_eq!(count(detail).total, tokens, "{}", priced.id);
            compared += 1;
        }
    }
    assert_eq!(compared, 5 + 2 * 11);
}

#[test]
fn harmony_prompts_have_their_lengths() {
    #[derive(Deserialize)]
    struct Rendered {
        id: String,
        text: String,
        tokens: usize,
    }
    #[derive(Deserialize)]
    struct Harmony {
        harmony_render: Vec<Rendered>,
    }
    let Some(text) = recorded() else { return };
    let Harmony { harmony_render } = serde_json::from_str(&text).unwrap();
    for rendered in &harmony_render {
        let ids = tiktally::o200k_harmony()
            .encode(&rendered.text, Special::ALLOW_ALL)
            .unwrap();
        assert_eq!(ids.len(), rendered.tokens, "{}", rendered.id);
    }
    assert_eq!(harmony_render.len(), 23);
}

#[test]
fn recorded_requests_cost_what_was_billed() {
    let Some(text) = recorded() else { return };
    let Vectors { vectors } = serde_json::from_str(&text).unwrap();
    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut typed = 0;
    let mut wrong = Vec::new();
    for vector in &vectors {
        let rule = vector.rule.clone().unwrap_or_default();
        let billed = ["api", "api-recording", "library-test"].contains(&vector.kind.as_str());
        let counter = counter(&vector.model, vector.family.as_deref());
        let body = match vector.key_order {
            Some(_) => in_order_of_required(vector.request.get()),
            None => vector.request.get().to_owned(),
        };
        let tokens = both(&counter, &body, &vector.images);
        typed += usize::from(typed::request(&body, sizes(&vector.images)).is_some());
        if vector.reply_priming.is_some() {
            println!("{}: not counted, {:?}", vector.id, vector.note);
        } else if vector.reproduced && billed {
            let unsure = rule.contains("-unverified")
                || vector.model.starts_with("gpt-5") && rule.contains("image");
            let ok = tokens.as_ref().is_ok_and(|tokens| {
                tokens.total == vector.prompt_tokens
                    && (tokens.exactness != Exactness::Exact) == unsure
            });
            if ok {
                *seen.entry((vector.kind.clone(), rule)).or_default() += 1;
            } else {
                wrong.push(format!(
                    "{} {rule}: {} billed, {tokens:?}",
                    vector.id, vector.prompt_tokens
                ));
            }
        } else if !vector.reproduced {
            let why = vector.why.as_deref().unwrap_or_default();
            let is_right_to_count = [
                "documentation text drifted",
                "saved text differs",
                "mocked usage",
                "belongs to another request",
                "reply priming counted as 2",
            ];
            let exact = tokens
                .as_ref()
                .is_ok_and(|tokens| tokens.exactness == Exactness::Exact);
            println!(
                "{}: {why}: {:?}",
                vector.id,
                tokens.as_ref().map(|tokens| tokens.total)
            );
            if exact && !is_right_to_count.iter().any(|reason| why.contains(reason)) {
                wrong.push(format!("{}: {why}: {tokens:?}", vector.id));
            }
        }
    }
    for ((kind, rule), count) in &seen {
        println!("{count:4} {kind} {rule}");
    }
    println!(
        "{} of {} vectors",
        seen.values().sum::<usize>(),
        vectors.len()
    );
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(seen.values().sum::<usize>(), 342);
    assert!(typed > 350, "only {typed} bodies as typed requests, too");
}

#[test]
fn requests_of_our_own_cost_what_was_worked_out() {
    let requests: Vec<Own<'_>> = serde_json::from_str(include_str!("chat/requests.json")).unwrap();
    let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for own in &requests {
        let tokens = both(
            &counter(&own.model, own.family.as_deref()),
            own.request.get(),
            &[],
        );
        let is_right = tokens.as_ref().is_ok_and(|tokens| {
            tokens.total == own.prompt_tokens && (tokens.exactness == Exactness::Exact) == own.exact
        });
        if !is_right {
            wrong.push(format!(
                "{}: {} = {}, {tokens:?}",
                own.id, own.sum, own.prompt_tokens
            ));
        }
        *rules.entry(own.rule.as_str()).or_default() += 1;
    }
    assert!(
        wrong.is_empty(),
        "{} of {}\n{}",
        wrong.len(),
        requests.len(),
        wrong.join("\n")
    );
    for (rule, count) in rules {
        assert!(count >= 4, "{count} requests for {rule}");
    }
}
