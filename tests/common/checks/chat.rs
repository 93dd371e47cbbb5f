//! Checks that hold for every body of a chat request.

use serde_json::Value;
use tiktally::Error;
use tiktally::chat::{
    AtLeast, ChatTokens, Counter, Exactness, Family, Policy, RuleUse, at_least_json, count_json,
    estimate_json,
};

use super::body;

/// A body is counted or refused, by the model it names and by a counter with its own model, today and on any day.
pub(crate) fn chat_json(bytes: &[u8]) {
    let body = &body::of(bytes);
    let estimate = estimate_json(body);
    one_answer(count_json(body), &estimate);
    least(at_least_json(body), &estimate);

    let mut dice = Dice::new(body);
    let value = value_of(body);
    let model = value.as_ref().and_then(|value| value["model"].as_str());
    if let Some(named) = model.and_then(|model| Counter::for_model(model).ok()) {
        assert_eq!(text_of(&named.estimate_json(body)), text_of(&estimate));
        // the newest rules count without a day
        let late = named.as_of("9999-12-31").unwrap();
        assert_eq!(text_of(&late.estimate_json(body)), text_of(&estimate));
        fits(&named, body, value.as_ref(), &estimate, &mut dice);
        holds(
            &named.as_of(&dice.day()).unwrap(),
            body,
            value.as_ref(),
            &mut dice,
        );
    }
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
    let (family, encoding) = (families[dice.below(4)], encodings[dice.below(3)]);
    let mut counter = Counter::new(family, encoding);
    if dice.below(2) == 0 {
        counter = counter.as_of(&dice.day()).unwrap();
    }
    holds(&counter, body, value.as_ref(), &mut dice);
}

/// Numbers that are any, but the same ones for the same body.
struct Dice(u64);

impl Dice {
    fn new(body: &str) -> Self {
        // FNV-1a
        let mix = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
        Self(body.bytes().fold(0xCBF2_9CE4_8422_2325, mix))
    }

    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
        (self.0 >> 33) as usize % n
    }

    /// Returns a day since 2023, in which the first rules changed.
    fn day(&mut self) -> String {
        let (year, month, day) = (self.below(4), self.below(12), self.below(28));
        format!("{}-{:02}-{:02}", 2023 + year, month + 1, day + 1)
    }
}

/// All answers of a counter agree.
fn holds(counter: &Counter, body: &str, value: Option<&Value>, dice: &mut Dice) {
    let estimate = counter.estimate_json(body);
    one_answer(counter.count_json(body), &estimate);
    least(counter.at_least_json(body), &estimate);
    fits(counter, body, value, &estimate, dice);
}

/// The count equals the estimate where that is exact, and both refuse a body for the same reason.
fn one_answer(count: Result<ChatTokens, Error>, estimate: &Result<ChatTokens, Error>) {
    match (count, estimate) {
        (Ok(count), Ok(estimate)) => {
            assert_eq!(count, *estimate);
            assert_eq!(count.exactness, Exactness::Exact);
            assert!(count.rules.iter().all(RuleUse::is_sure), "{count:?}");
            has_its_parts(&count);
        }
        (Err(refusal), Ok(estimate)) => {
            assert!(refusal.is_estimate_only(), "{refusal}");
            let Exactness::Estimate { reason } = &estimate.exactness else {
                panic!("{estimate:?} is refused: {refusal}");
            };
            assert!(!reason.is_empty() && refusal.to_string().ends_with(reason));
            has_its_parts(estimate);
        }
        (Err(one), Err(other)) => {
            assert_eq!(one.to_string(), other.to_string());
            says_one_thing(&one);
        }
        (Ok(count), Err(refusal)) => panic!("{count:?} is refused: {refusal}"),
    }
}

/// The least is the estimate, or it lists first what the estimate is refused for.
fn least(least: Result<AtLeast, Error>, estimate: &Result<ChatTokens, Error>) {
    match (least, estimate) {
        (Ok(least), Ok(estimate)) => {
            assert!(least.missing.is_empty(), "{least:?}");
            assert_eq!(least.tokens, *estimate);
        }
        (Ok(least), Err(refusal)) => {
            assert!(refusal.is_unsupported_content(), "{refusal}");
            let missing = least.missing.iter().map(|missing| missing.path.as_str());
            assert_eq!(refusal.path(), missing.clone().next(), "{refusal}");
            let Exactness::Estimate { reason } = &least.tokens.exactness else {
                panic!("{least:?} is exact");
            };
            assert!(reason.starts_with("this is a lower bound"), "{reason}");
            has_its_parts(&least.tokens);
        }
        (Err(problem), Err(refusal)) => {
            says_one_thing(&problem);
            // content without a price may come before the problem
            if !refusal.is_unsupported_content() {
                assert_eq!(problem.to_string(), refusal.to_string());
            }
            if problem.is_unsupported_content() {
                assert_eq!(problem.path(), Some("model"), "{problem}");
            }
        }
        (Err(problem), Ok(estimate)) => panic!("{estimate:?} has no least: {problem}"),
    }
}

/// A body that was cut to a budget counts within it, and has all that was not dropped.
fn fits(
    counter: &Counter,
    body: &str,
    value: Option<&Value>,
    estimate: &Result<ChatTokens, Error>,
    dice: &mut Dice,
) {
    let most = estimate.as_ref().map_or(100, |tokens| tokens.total + 2);
    let budget = dice.below(most);
    let policy = [Policy::OldestTurns, Policy::OldestMessages][dice.below(2)];
    match (counter.fit_json(body, budget, policy), estimate) {
        (Ok(fitted), Ok(estimate)) => {
            assert!(fitted.tokens.total <= budget, "{fitted:?} of {budget}");
            let counted = counter.estimate_json(&fitted.body);
            assert_eq!(counted.as_ref().ok(), Some(&fitted.tokens), "{fitted:?}");
            assert!(fitted.dropped.is_sorted_by(|one, other| one < other));
            assert_eq!(fitted.dropped.is_empty(), estimate.total <= budget);
            if let Some(value) = value {
                let rest = without(value.clone(), &fitted.dropped);
                assert_eq!(value_of(&fitted.body), Some(rest));
            }
        }
        (Err(problem), Ok(estimate)) if problem.is_limit_too_small() => {
            assert!(estimate.total > budget, "{problem}");
        }
        (Err(problem), Ok(_)) => {
            // prompts have nothing to drop
            let text = problem.to_string();
            assert!(text.contains("no messages to drop"), "{text}");
        }
        (Err(_), Err(_)) => {}
        (Ok(fitted), Err(refusal)) => panic!("{fitted:?} is refused: {refusal}"),
    }
}

/// Returns a body as another parser reads it, which refuses lone surrogates.
fn value_of(body: &str) -> Option<Value> {
    let body = body.strip_prefix('\u{feff}').unwrap_or(body);
    serde_json::from_str(body).ok()
}

/// Returns a body without these items.
fn without(mut body: Value, dropped: &[usize]) -> Value {
    let key = if body["messages"].is_null() {
        "input"
    } else {
        "messages"
    };
    for at in dropped.iter().rev() {
        body[key].as_array_mut().unwrap().remove(*at);
    }
    body
}

fn text_of(answer: &Result<ChatTokens, Error>) -> String {
    match answer {
        Ok(tokens) => format!("{tokens:?}"),
        Err(error) => error.to_string(),
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
