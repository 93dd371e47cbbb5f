//! Requests that other projects recorded, with the tokens that the API billed. They are never part of this project.

use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tiktally::chat::{Counter, Family};

/// Returns a file of recordings that lie beside the checkout, or `None` if they are not there; then one line says so.
#[allow(dead_code)] // not all who include this file read all of it
pub(crate) fn file(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/golden");
    let path = path.join(name);
    let bytes = fs::read(&path);
    if bytes.is_err() {
        println!("skipped: {} was not found", path.display());
    }
    bytes.ok()
}

#[derive(Deserialize)]
pub(crate) struct Vectors<'a> {
    #[serde(borrow)]
    pub(crate) vectors: Vec<Vector<'a>>,
}

#[allow(dead_code)] // not all who include this file read all of it
#[derive(Deserialize)]
pub(crate) struct Vector<'a> {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) model: String,
    pub(crate) family: Option<String>,
    pub(crate) rule: Option<String>,
    /// The body as sent: the order of the keys matters.
    #[serde(borrow)]
    pub(crate) request: &'a RawValue,
    pub(crate) prompt_tokens: usize,
    pub(crate) reproduced: bool,
    pub(crate) why: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) reply_priming: Option<usize>,
    /// Set where the recording sorted all keys; the properties of schemas were sent in the order of `required`.
    pub(crate) key_order: Option<String>,
    #[serde(default)]
    pub(crate) images: Vec<Size>,
}

#[derive(Deserialize)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

pub(crate) fn sizes(sizes: &[Size]) -> impl Iterator<Item = (u32, u32)> {
    sizes.iter().map(|size| (size.width, size.height))
}

pub(crate) fn counter(model: &str, family: Option<&str>) -> Counter {
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

/// The days of those vectors whose rules have changed since. The others have no day.
///
/// The results of `rec-233` quote news of 27 October 2025: what is not ASCII in them was escaped until March 2026. The image
/// of `rec-154` has the price of before June 2026.
const DATED: &[(&str, &str)] = &[("rec-154", "2025-06-01"), ("rec-233", "2025-10-28")];

impl Vector<'_> {
    /// Returns whether the source gives the tokens that the API billed for this request.
    pub(crate) fn is_billed(&self) -> bool {
        let kinds = ["api", "api-recording", "library-test"];
        kinds.contains(&self.kind.as_str()) && self.reply_priming.is_none()
    }

    pub(crate) fn counter(&self) -> Counter {
        let counter = counter(&self.model, self.family.as_deref());
        let day = DATED.iter().find(|(id, _)| *id == self.id);
        day.map_or(counter.clone(), |(_, day)| counter.as_of(day).unwrap())
    }

    /// Returns the body as it was sent.
    pub(crate) fn body(&self) -> String {
        match self.key_order {
            Some(_) => in_order_of_required(self.request.get()),
            None => self.request.get().to_owned(),
        }
    }
}

/// Returns the body with the properties of every schema in the order of `required`, followed by the others.
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

/// A call that was recorded after the rules were written down first, one of `chat_recorded.jsonl.gz`.
#[allow(dead_code)] // not all who include this file read all of it
#[derive(Deserialize)]
pub(crate) struct Call<'a> {
    pub(crate) id: String,
    /// `chat`, `responses`, `input_tokens` or `completions`.
    pub(crate) endpoint: String,
    /// The model that answered.
    pub(crate) model: String,
    /// The day of the answer.
    pub(crate) date: String,
    /// Tokens that the API billed.
    pub(crate) prompt_tokens: usize,
    /// The body, with its keys in the order that `key_order` says.
    #[serde(borrow)]
    pub(crate) request: &'a RawValue,
    key_order: String,
    /// The family, the API, and what the request has.
    pub(crate) kind: String,
}

#[allow(dead_code)] // not all who include this file read all of it
impl Call<'_> {
    /// Returns whether the keys of the body are in the order in which they were sent.
    pub(crate) fn is_as_sent(&self) -> bool {
        self.key_order == "as sent"
    }

    /// Returns the body as it was sent, as far as that is known.
    pub(crate) fn body(&self) -> String {
        if self.is_as_sent() {
            self.request.get().to_owned()
        } else {
            in_order_of_required(self.request.get())
        }
    }
}

/// Recordings that do not speak for or against a rule, and why. Tests still count them among the exact ones that differ.
#[allow(dead_code)] // not all who include this file read all of it
pub(crate) const SET_ASIDE: &[(&str, &str)] = &[
    (
        "new-0276",
        "new-0265 is the same request, of the same day and model, and was billed 20",
    ),
    (
        "new-4658",
        "its text was changed: new-5446 was billed the same, and has one word more in each of two results",
    ),
    (
        "new-5699",
        "its usage was made up, as its ids were: fc_12345xyz",
    ),
    (
        "new-5767",
        "new-7895 is the same request and was billed 59, nine months later",
    ),
];
