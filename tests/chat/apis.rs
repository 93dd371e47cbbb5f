//! A request costs the same in both APIs, as raw JSON and as types, where the rules of both are known.

use proptest::prelude::*;
use serde_json::{Value, json};
use tiktally::chat::{Api, Counter};

use crate::typed;

/// Texts of all kinds, empty ones too.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[ -~]{1,40}",
        "[a-z ]{1,20}[äöü漢字😀 ]{1,10}",
        "(\n| |\\.|[a-z]){1,30}",
    ]
}

/// Messages of the roles that both APIs have.
fn messages() -> impl Strategy<Value = Vec<Value>> {
    let role = prop::sample::select(vec!["system", "developer", "user", "assistant"]);
    let message = (role, text()).prop_map(|(role, text)| json!({"role": role, "content": text}));
    prop::collection::vec(message, 1..8)
}

fn model() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "gpt-4o",
        "gpt-4.1-nano",
        "gpt-5",
        "gpt-5-nano",
        "gpt-5.4",
        "o3-mini",
    ])
}

fn total(counter: &Counter, body: &Value) -> usize {
    counter.estimate_json(&body.to_string()).unwrap().total
}

/// Returns what a body costs as typed requests of both APIs.
fn typed(counter: &Counter, body: &Value) -> [usize; 2] {
    let body = body.to_string();
    [Api::ChatCompletions, Api::Responses].map(|api| {
        let request = typed::request(&body, []).unwrap().api(api);
        counter.estimate(&request).unwrap().total
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn messages_cost_the_same(model in model(), messages in messages()) {
        let counter = Counter::for_model(model).unwrap();
        let chat = total(&counter, &json!({"messages": messages}));
        prop_assert_eq!(chat, total(&counter, &json!({"input": messages})));
        prop_assert_eq!(typed(&counter, &json!({"messages": messages})), [chat, chat]);
        // instructions are a system message before the others
        let instructed = [vec![json!({"role": "system", "content": "Be brief."})], messages.clone()].concat();
        let chat = total(&counter, &json!({"messages": instructed}));
        let responses = json!({"instructions": "Be brief.", "input": messages});
        prop_assert_eq!(chat, total(&counter, &responses));
    }

    #[test]
    fn parts_cost_the_same(model in model(), texts in prop::collection::vec(text(), 1..5)) {
        let counter = Counter::for_model(model).unwrap();
        let parts = |kind: &str| -> Vec<_> {
            texts.iter().map(|text| json!({"type": kind, "text": text})).collect()
        };
        let chat = json!({"messages": [{"role": "user", "content": parts("text")}]});
        let responses = json!({"input": [{"role": "user", "content": parts("input_text")}]});
        let joined = json!({"input": texts.concat()});
        let count = total(&counter, &chat);
        prop_assert_eq!(count, total(&counter, &responses));
        prop_assert_eq!(count, total(&counter, &joined));
    }

    /// A schema has a price of its own in each API, which does not depend on the messages if no system message is first
    /// and no answer is among them.
    #[test]
    fn schemas_differ_by_what_is_known(model in model(), texts in prop::collection::vec(text(), 1..4), name in "[a-z_]{1,12}") {
        let counter = Counter::for_model(model).unwrap();
        let messages: Vec<_> = texts.iter().map(|text| json!({"role": "user", "content": text})).collect();
        let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]});
        let chat = json!({
            "messages": messages,
            "response_format": {"type": "json_schema", "json_schema": {"name": name, "schema": schema}},
        });
        let responses = json!({
            "input": messages,
            "text": {"format": {"type": "json_schema", "name": name, "schema": schema}},
        });
        let more = if model.starts_with("gpt-4") {
            4 + 2 + tiktally::o200k_base().count(&name) - 1
        } else {
            4
        };
        let count = total(&counter, &responses);
        prop_assert_eq!(total(&counter, &chat), count + more);
        prop_assert_eq!(typed(&counter, &chat), [count + more, count]);
    }

    /// Tools in a message of their own: 9 around them in chat completions, 3 in the Responses API; for gpt-5 90 and 8.
    #[test]
    fn tools_differ_by_what_is_known(model in model(), texts in prop::collection::vec(text(), 1..4), description in text()) {
        let counter = Counter::for_model(model).unwrap();
        let messages: Vec<_> = texts.iter().map(|text| json!({"role": "user", "content": text})).collect();
        let parameters = json!({"type": "object", "properties": {"a": {"type": "string", "description": description}}});
        let chat = json!({
            "messages": messages,
            "tools": [{"type": "function", "function": {"name": "f", "description": description, "parameters": parameters}}],
        });
        let responses = json!({
            "input": messages,
            "tools": [{"type": "function", "name": "f", "description": description, "parameters": parameters}],
        });
        let more = match model {
            "o3-mini" => return Ok(()),
            _ if model.starts_with("gpt-5") => 9 + 81 - 8,
            _ => 9 - 3,
        };
        let count = total(&counter, &responses);
        prop_assert_eq!(total(&counter, &chat), count + more);
        prop_assert_eq!(typed(&counter, &chat), [count + more, count]);
    }

    /// A result has the name of its function after the namespace in the Responses API, and gpt-5.4 has 3 more for a call.
    #[test]
    fn calls_differ_by_what_is_known(
        model in model(),
        name in "[a-z_]{1,16}",
        arguments in prop::collection::btree_map("[a-z]{1,8}", text(), 0..3),
        result in text(),
    ) {
        let counter = Counter::for_model(model).unwrap();
        let arguments = json!(arguments).to_string();
        let chat = json!({"messages": [
            {"role": "user", "content": "Go."},
            {"role": "assistant", "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": name, "arguments": arguments}},
            ]},
            {"role": "tool", "tool_call_id": "c", "content": result},
        ]});
        let responses = json!({"input": [
            {"role": "user", "content": "Go."},
            {"type": "function_call", "call_id": "c", "name": name, "arguments": arguments},
            {"type": "function_call_output", "call_id": "c", "output": result},
        ]});
        let count = |text: &str| tiktally::o200k_base().count(text);
        let after_namespace = count(&format!("functions.{name}")) - count("functions");
        let later = if model == "gpt-5.4" { 3 } else { 0 };
        let expected = total(&counter, &chat) + after_namespace + later - 2 - count(&name);
        prop_assert_eq!(total(&counter, &responses), expected);
        prop_assert_eq!(typed(&counter, &chat), [total(&counter, &chat), expected]);
    }
}
