//! Checks that hold for every body of a chat request.

use tiktally::Error;
use tiktally::chat::{ChatTokens, Counter, Exactness, Family, count_json, estimate_json};

use super::body;

/// A body is counted or refused, by the model it names and by a counter with its own model.
pub(crate) fn chat_json(bytes: &[u8]) {
    let body = body::of(bytes);
    one_answer(count_json(&body), estimate_json(&body));
    let families = [
        Family::Legacy0301,
        Family::Legacy0613,
        Family::Modern,
        Family::Reasoning,
    ];
    let encodings = [
        tiktally::r50k_base(),
        tiktally::cl100k_base(),
        tiktally::o200k_base(),
    ];
    // any of them, but the same one for the same body
    let (family, encoding) = (families[body.len() % 4], encodings[body.len() % 3]);
    let counter = Counter::new(family, encoding);
    one_answer(counter.count_json(&body), counter.estimate_json(&body));
}

/// The count equals the estimate where that is exact, and both refuse a body for the same reason.
fn one_answer(count: Result<ChatTokens, Error>, estimate: Result<ChatTokens, Error>) {
    match (count, estimate) {
        (Ok(count), Ok(estimate)) => {
            assert_eq!(count, estimate);
            assert_eq!(count.exactness, Exactness::Exact);
            has_its_parts(&count);
        }
        (Err(refusal), Ok(estimate)) => {
            assert!(refusal.is_estimate_only(), "{refusal}");
            let Exactness::Estimate { reason } = &estimate.exactness else {
                panic!("{estimate:?} is refused: {refusal}");
            };
            assert!(!reason.is_empty() && refusal.to_string().ends_with(reason));
            has_its_parts(&estimate);
        }
        (Err(one), Err(other)) => {
            assert_eq!(one.to_string(), other.to_string());
            says_one_thing(&one);
        }
        (Ok(count), Err(refusal)) => panic!("{count:?} is refused: {refusal}"),
    }
}

/// The parts sum to the total.
fn has_its_parts(tokens: &ChatTokens) {
    let ChatTokens {
        tools,
        tool_choice,
        response_format,
        images,
        priming,
        ..
    } = *tokens;
    let parts = tools + tool_choice + response_format + images + priming;
    let messages: usize = tokens.messages.iter().sum();
    assert_eq!(parts + messages, tokens.total);
}

/// An error has one kind, and its message begins with the path if it has one.
fn says_one_thing(error: &Error) {
    let kinds = [
        error.is_invalid_chat(),
        error.is_unsupported_content(),
        error.is_unknown_model(),
    ];
    assert_eq!(kinds.iter().filter(|is| **is).count(), 1, "{error}");
    let path = error.path().unwrap_or_default();
    assert!(error.to_string().starts_with(path), "{error}");
}
