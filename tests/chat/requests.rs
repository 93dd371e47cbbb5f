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
    /// The day whose rules count, if not the newest.
    as_of: Option<String>,
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

/// An image of a model, with what it costs or what the request with it was billed.
#[derive(Deserialize)]
pub(crate) struct ImageVector {
    id: String,
    pub(crate) model: String,
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
pub(crate) struct ImageVectors {
    pub(crate) image_vectors: Vec<ImageVector>,
}

impl ImageVector {
    /// Returns what was billed for the image of each detail.
    pub(crate) fn billed(&self) -> impl Iterator<Item = (Detail, usize)> {
        let low = self.prompt_tokens_low.map(|tokens| (Detail::Low, tokens));
        let high = self.prompt_tokens_high.map(|tokens| (Detail::High, tokens));
        low.into_iter().chain(high)
    }

    /// Counts a message with the text and the image, as of the time of the vectors.
    pub(crate) fn count(&self, detail: Detail) -> ChatTokens {
        let image = Image::new(self.width, self.height, detail);
        let message = Message::user([Part::text(self.text.as_str()), image.into()]);
        let counter = Counter::for_model(&self.model).unwrap();
        let counter = counter.as_of("2025-06-01").unwrap();
        counter.estimate(&Request::new([message])).unwrap()
    }
}

#[test]
fn images_cost_what_was_billed() {
    let Some(text) = recordings() else { return };
    let ImageVectors { image_vectors } = serde_json::from_str(&text).unwrap();
    let (mut compared, mut exact) = (0, 0);
    for vector in &image_vectors {
        let detail = match vector.detail.as_deref() {
            Some("low") => Detail::Low,
            _ => Detail::High,
        };
        // the guide's patches are those before the model's factor, 1.62, and the 1 that is added
        let patches = vector
            .patches
            .map(|patches| (patches * 162).div_ceil(100) + 1);
        if let Some(tokens) = vector.tokens.or(patches) {
            assert_eq!(vector.count(detail).images, tokens, "{}", vector.id);
            compared += 1;
        }
        for (detail, billed) in vector.billed() {
            let tokens = vector.count(detail);
            assert_eq!(tokens.total, billed, "{}", vector.id);
            exact += usize::from(tokens.exactness == Exactness::Exact);
            compared += 1;
        }
    }
    println!("{compared} right, {exact} of them exact");
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
    // exact ones and estimates
    let mut seen: BTreeMap<(String, String), [usize; 2]> = BTreeMap::new();
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
            let right = tokens.as_ref().ok();
            let right = right.filter(|tokens| tokens.total == vector.prompt_tokens);
            if let Some(tokens) = right {
                let seen = seen.entry((vector.kind.clone(), rule)).or_default();
                seen[usize::from(tokens.exactness != Exactness::Exact)] += 1;
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
            let is_wrong = tokens.as_ref().is_ok_and(|tokens| {
                tokens.exactness == Exactness::Exact && tokens.total != vector.prompt_tokens
            });
            println!(
                "{}: {why}: {:?}",
                vector.id,
                tokens.as_ref().map(|tokens| tokens.total)
            );
            if is_wrong && !is_right_to_count.iter().any(|reason| why.contains(reason)) {
                wrong.push(format!("{}: {why}: {tokens:?}", vector.id));
            }
        }
    }
    for ((kind, rule), [exact, estimates]) in &seen {
        println!("{exact:4} exact {estimates:4} estimates {kind} {rule}");
    }
    let sum = |i: usize| seen.values().map(|counts| counts[i]).sum::<usize>();
    println!(
        "{} exact and {} estimates are right, of {} vectors",
        sum(0),
        sum(1),
        vectors.len()
    );
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(sum(0) + sum(1), 342);
    assert!(typed > 350, "only {typed} bodies as typed requests, too");
}

#[test]
fn requests_of_this_crate_have_their_sums() {
    let requests: Vec<Own<'_>> = serde_json::from_str(include_str!("requests.json")).unwrap();
    let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for own in &requests {
        let mut counter = counter(&own.model, own.family.as_deref());
        if let Some(day) = &own.as_of {
            counter = counter.as_of(day).unwrap();
        }
        let tokens = both(&counter, own.request.get(), &[]);
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
