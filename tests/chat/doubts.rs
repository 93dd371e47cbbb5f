//! Unknown costs are refused, or counted as an estimate.

use tiktally::Error;
use tiktally::chat::{
    ChatTokens, Counter, Detail, Exactness, Family, Image, Message, Request, ToolCall, count_json,
    estimate_json,
};

fn body(model: &str, rest: &str) -> String {
    format!(r#"{{"model": "{model}", {rest}}}"#)
}

fn with_tool(parameters: &str, rest: &str) -> String {
    let tool = format!(
        r#"{{"type": "function", "function": {{"name": "ping", "parameters": {parameters}}}}}"#
    );
    body("gpt-4o", &format!(r#"{HELLO}, "tools": [{tool}]{rest}"#))
}

const HELLO: &str = r#""messages": [{"role": "user", "content": "Hello!"}]"#;

fn exact(body: &str) -> usize {
    count_json(body).unwrap().total
}

#[track_caller]
fn estimate(body: &str) -> ChatTokens {
    assert!(count_json(body).unwrap_err().is_estimate_only());
    estimate_json(body).unwrap()
}

#[track_caller]
fn refused(body: &str) -> Error {
    let error = estimate_json(body).unwrap_err();
    assert!(
        error.is_unsupported_content() || error.is_invalid_chat(),
        "{error}"
    );
    error
}

#[test]
fn models_that_only_the_service_can_count() {
    for model in [
        "gpt-4o-search-preview",
        "gpt-4o-audio-preview",
        "o1-mini",
        "gpt-4o-realtime-preview",
    ] {
        for rest in [HELLO, r#""input": "Hello!""#, r#""prompt": "Hello!""#] {
            assert_eq!(
                refused(&body(model, rest)).path(),
                Some("model"),
                "{model} {rest}"
            );
        }
        let counter = Counter::for_model(model)
            .unwrap()
            .with_family(Family::Reasoning);
        let again = counter.clone().with_family(Family::Modern);
        for counter in [counter, again] {
            let error = counter
                .count(&Request::new([Message::user("Hello!")]))
                .unwrap_err();
            assert!(error.is_estimate_only(), "{model}");
        }
    }
    for model in [
        "o1",
        "gpt-5-chat-latest",
        "gpt-5.2-chat-latest",
        "gpt-5.9-whatever",
        "gpt-4o-mine",
    ] {
        estimate(&body(model, HELLO));
    }
    assert_eq!(exact(&body("gpt-4o-2024-08-06", HELLO)), 9);
    assert_eq!(exact(&body("gpt-4.1-2031-01-01", HELLO)), 9);
}

#[test]
fn fine_tuned_models_have_the_vocabulary_of_their_base() {
    let russian = r#""messages": [{"role": "user", "content": "Добрый день, как дела?"}]"#;
    let base = exact(&body("gpt-4.1-nano", russian));
    assert_eq!(
        exact(&body("ft:gpt-4.1-nano-2025-04-14:org::id", russian)),
        base
    );
    assert_eq!(
        exact(&body(
            "ft:gpt-4o-mini-2024-07-18:acme:my-search-model:id",
            r#""input": "Hello!""#
        )),
        9
    );
    assert_eq!(exact(&body("ft:o4-mini-2025-04-16:org::id", HELLO)), 8);
}

#[test]
fn prompts_are_not_alone_in_their_bodies() {
    assert_eq!(
        exact(&body(
            "gpt-3.5-turbo-instruct",
            r#""prompt": "Hello", "echo": false"#
        )),
        1
    );
    estimate(&body(
        "gpt-3.5-turbo-instruct",
        r#""prompt": "Hello", "suffix": "!""#,
    ));
    refused(&body("gpt-3.5-turbo-instruct", r#""prompt": []"#));
    refused(&body(
        "gpt-4o",
        r#""prompt": {"id": "p"}, "input": "Hello""#,
    ));
    assert_eq!(
        exact(&body(
            "gpt-4o",
            r#""prompt": null, "messages": null, "input": "Hello!""#
        )),
        9
    );
    assert_eq!(
        exact(&body(
            "text-embedding-3-small",
            r#""input": ["Hello", "Hello"]"#
        )),
        2
    );
}

#[test]
fn images_where_none_was_seen() {
    let image = || Image::new(400, 400, Detail::High);
    let counter = Counter::for_model("gpt-4o").unwrap();
    let call = || ToolCall::new("c1", "look", "{}");
    let beside_calls = Message::assistant(image()).tool_calls([call()]);
    let messages = [
        vec![beside_calls, Message::tool("c1", "done")],
        vec![Message::system(image())],
        vec![Message::assistant(image())],
    ];
    for messages in messages {
        let error = counter.estimate(&Request::new(messages)).unwrap_err();
        assert!(error.is_unsupported_content(), "{error}");
    }
    let link = r#""messages": [{"role": "user", "content": [{"type": "image_url",
        "image_url": {"url": "https://example.com/a.png", "detail": "DETAIL"}}]}]"#;
    assert_eq!(
        exact(&body("gpt-4o", &link.replace("DETAIL", "low"))),
        3 + 4 + 85
    );
    refused(&body("gpt-4o", &link.replace("DETAIL", "high")));
    refused(&body("o4-mini", &link.replace("DETAIL", "low")));
}

#[test]
fn schemas_that_were_never_seen() {
    for parameters in [
        r#"{"properties": {"a": {"type": "string"}}}"#,
        r#"{"type": "object", "properties": {"a": {"properties": {"b": {"type": "string"}}}}}"#,
        r#"{"type": "object", "properties": {"a": {"enum": ["x"]}}}"#,
        r#"{"type": "object", "properties": {"a": {"type": "string", "anyOf": [{"type": "string"}]}}}"#,
        r#"{"type": "object", "properties": {"a": {"const": 1}}}"#,
        r#"{"type": "object", "properties": {"a": {"type": ["string", "null"]}}}"#,
        r#"{"type": "object", "properties": {"a": {"type": "object"}}}"#,
    ] {
        estimate(&with_tool(parameters, ""));
    }
    for (parameters, path) in [
        (r#"{"type": "string"}"#, "type"),
        (
            r#"{"type": "object", "properties": {"a": "string"}}"#,
            "properties.a",
        ),
        (
            r#"{"type": "object", "properties": {"a": {"type": "string", "enum": "x"}}}"#,
            "properties.a.enum",
        ),
        (
            r#"{"type": "object", "properties": {"a": {"type": "array", "items": [{}]}}}"#,
            "properties.a.items",
        ),
        (
            r#"{"type": "object", "properties": {"a": {"description": 7}}}"#,
            "properties.a.description",
        ),
        (
            r#"{"type": "object", "required": "a", "properties": {}}"#,
            "required",
        ),
    ] {
        let error = refused(&with_tool(parameters, ""));
        let path = format!("tools[0].function.parameters.{path}");
        assert_eq!(error.path(), Some(path.as_str()));
    }
    // a key without a value is as good as none
    let plain = exact(&with_tool(
        r#"{"type": "object", "properties": {"a": {"type": "string"}}}"#,
        "",
    ));
    let null =
        r#"{"type": "object", "properties": {"a": {"type": "string", "description": null}}}"#;
    assert_eq!(exact(&with_tool(null, "")), plain);
}

#[test]
fn choices() {
    let tool = |rest| with_tool("{}", rest);
    refused(&body(
        "gpt-4o",
        &format!(r#"{HELLO}, "tool_choice": "none""#),
    ));
    refused(&tool(r#", "tool_choice": "auto", "function_call": "auto""#));
    refused(&tool(r#", "function_call": "required""#));
    refused(&tool(
        r#", "tool_choice": {"type": "function", "function": {"name": "ping", "x": 1}}"#,
    ));
    estimate(&tool(r#", "function_call": {"name": "ping"}"#));
    let functions =
        r#""functions": [{"name": "ping", "parameters": {"type": "object", "properties": 7}}]"#;
    let error = refused(&body("gpt-4-0613", &format!("{HELLO}, {functions}")));
    assert_eq!(error.path(), Some("functions[0].parameters.properties"));
    exact(&tool(r#", "functions": []"#));
}

#[test]
fn what_clients_send() {
    for message in [
        r#"{"role": "user", "content": "Hello!", "name": null, "tool_calls": null}"#,
        r#"{"role": "assistant", "content": "Hello!", "refusal": null, "audio": null, "annotations": [],
            "function_call": null, "tool_calls": [], "parsed": null, "reasoning_content": null}"#,
    ] {
        assert_eq!(
            exact(&body("gpt-4o", &format!(r#""messages": [{message}]"#))),
            9
        );
    }
    let refusal = r#"{"role": "assistant", "content": "Hello!", "reasoning_content": "Hm."}"#;
    refused(&body("gpt-4o", &format!(r#""messages": [{refusal}]"#)));
    let output = r#"{"type": "message", "id": "m", "role": "assistant", "status": "completed", "content":
        [{"type": "output_text", "text": "Hello!", "annotations": [], "logprobs": []}]}"#;
    assert_eq!(
        exact(&body(
            "gpt-4o",
            &format!(r#""input": [{output}], "text": {{"format": {{"type": "text"}}}}"#)
        )),
        9
    );
    refused(&body("gpt-4o", r#""input": []"#));
    refused(&body("gpt-4o", r#""input": "a", "text": "x""#));
    refused(&body(
        "gpt-4o",
        r#""input": [{"role": "tool", "content": "x"}]"#,
    ));
    refused(&body(
        "gpt-4o",
        r#""messages": [{"role": "user", "content": [{"type": "input_text", "text": "x"}]}]"#,
    ));
    refused(&body(
        "gpt-4o",
        &format!(r#"{HELLO}, "response_format": {{"type": "json_object", "schema": {{}}}}"#),
    ));
}

#[test]
fn names_of_tools_that_answer_cost_nothing() {
    let tokens = |model: &str, name: &str| {
        let call =
            r#"{"id": "c1", "type": "function", "function": {"name": "ping", "arguments": "{}"}}"#;
        let asked = format!(r#"{{"role": "assistant", "tool_calls": [{call}]}}"#);
        let answered =
            format!(r#"{{"role": "tool", "tool_call_id": "c1", "content": "pong"{name}}}"#);
        estimate_json(&body(
            model,
            &format!(r#""messages": [{asked}, {answered}]"#),
        ))
    };
    for model in ["gpt-4-0613", "gpt-4o", "gpt-5"] {
        let named = tokens(model, r#", "name": "ping""#).unwrap();
        assert_eq!(named, tokens(model, "").unwrap(), "{model}");
    }
}

#[test]
fn names_of_reasoning_models_and_calls_of_older_ones() {
    let named = r#""messages": [{"role": "user", "name": "ann", "content": "Hello!"}]"#;
    let tokens = estimate(&body("gpt-5", named));
    assert_ne!(tokens.exactness, Exactness::Exact);
    exact(&body("gpt-4o", named));
}
