//! Whole requests: the project's own, and recordings of other projects with the billed number of tokens.

use std::collections::BTreeMap;

use crate::recorded::{Size, Vectors, counter, sizes};
use crate::{recorded, typed};
use serde::Deserialize;
use serde_json::value::RawValue;
use tiktally::chat::{ChatTokens, Counter, Detail, Exactness, Image, Message, Part, Request};
use tiktally::{Error, Special};

/// One of the project's own requests.
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

/// Returns the estimate, and asserts that it equals the count where there is one.
fn both(counter: &Counter, body: &str, sizes: &[Size]) -> Result<ChatTokens, Error> {
    let typed = typed::request(body, recorded::sizes(sizes));
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

/// Recordings of other projects, if they are available: they are never part of this project.
pub(crate) fn recordings() -> Option<String> {
    recorded::file("chat.json").map(|bytes| String::from_utf8(bytes).unwrap())
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
    let Some(text) = recordings() else { return };
    let Images { image_vectors } = serde_json::from_str(&text).unwrap();
    let mut compared = 0;
    for priced in &image_vectors {
        let count = |detail| {
            let image = Image::new(priced.width, priced.height, detail);
            let message = Message::user([Part::text(priced.text.as_str()), image.into()]);
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
    let Some(text) = recordings() else { return };
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
    let Some(text) = recordings() else { return };
    let Vectors { vectors } = serde_json::from_str(&text).unwrap();
    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut typed = 0;
    let mut wrong = Vec::new();
    for vector in &vectors {
        let rule = vector.rule.clone().unwrap_or_default();
        let body = vector.body();
        let tokens = both(&vector.counter(), &body, &vector.images);
        typed += usize::from(typed::request(&body, sizes(&vector.images)).is_some());
        if vector.reply_priming.is_some() {
            println!("{}: not counted, {:?}", vector.id, vector.note);
        } else if vector.reproduced && vector.is_billed() {
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
    let requests: Vec<Own<'_>> = serde_json::from_str(include_str!("requests.json")).unwrap();
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
