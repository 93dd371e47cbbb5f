//! Unknown costs are refused, or counted as an estimate.

use tiktally::chat::{
    Api, ChatTokens, Counter, Detail, Exactness, Family, Image, Message, Request, ResponseFormat,
    Tool, ToolCall, ToolChoice, count_json, estimate_json,
};
use tiktally::{Encoding, Error};

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
    assert_eq!(estimate(&body("gpt-4.1-2031-01-01", HELLO)).total, 9);
}

#[test]
fn fine_tuned_models_have_the_vocabulary_of_their_base() {
    let total = |model, rest| estimate(&body(model, rest)).total;
    let russian = r#""messages": [{"role": "user", "content": "Добрый день, как дела?"}]"#;
    let base = exact(&body("gpt-4.1-nano", russian));
    assert_eq!(total("ft:gpt-4.1-nano-2025-04-14:org::id", russian), base);
    let searcher = "ft:gpt-4o-mini-2024-07-18:acme:my-search-model:id";
    assert_eq!(total(searcher, r#""input": "Hello!""#), 9);
    assert_eq!(total("ft:o4-mini-2025-04-16:org::id", HELLO), 8);
}

#[test]
fn prompts_are_not_alone_in_their_bodies() {
    let echo = estimate(&body(
        "gpt-3.5-turbo-instruct",
        r#""prompt": "Hello", "echo": false"#,
    ));
    assert_eq!(echo.total, 1);
    let why = reason(&body(
        "gpt-3.5-turbo-instruct",
        r#""prompt": "Hello", "suffix": "!""#,
    ));
    assert!(why.starts_with("suffix: "), "{why}");
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
        estimate(&body("gpt-4o", &link.replace("DETAIL", "low"))).total,
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
    // without tools nothing can be called anyway
    let none = format!(r#"{HELLO}, "tool_choice": "none""#);
    assert_eq!(exact(&body("gpt-4o", &none)), exact(&body("gpt-4o", HELLO)));
    refused(&tool(r#", "tool_choice": "auto", "function_call": "auto""#));
    refused(&tool(r#", "function_call": "required""#));
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

/// Returns why the count of a body is an estimate.
#[track_caller]
fn reason(body: &str) -> String {
    match estimate(body).exactness {
        Exactness::Estimate { reason } => reason,
        other => panic!("{other:?}"),
    }
}

/// Asserts that a body is an estimate, with this path in its reason, and has as many tokens as the exact one.
#[track_caller]
fn costs_as_much(doubted: &str, path: &str, plain: &str) {
    let reason = reason(doubted);
    assert!(
        reason.starts_with(&format!("{path}: ")),
        "{path} in {reason}"
    );
    assert_eq!(
        estimate_json(doubted).unwrap().total,
        exact(plain),
        "{path}"
    );
}

/// Puts `more`, a key with its value, into a body in place of `MORE`; asserts that it costs nothing and is noted.
#[track_caller]
fn unknown_key(body: &str, path: &str, more: &str) {
    let with = body.replace("MORE", &format!(", {more}"));
    costs_as_much(&with, path, &body.replace("MORE", ""));
    let null = more.split_once(": ").unwrap().0.to_owned() + ": null";
    assert_eq!(
        exact(&body.replace("MORE", &format!(", {null}"))),
        exact(&body.replace("MORE", ""))
    );
}

#[test]
fn unknown_keys_of_messages_cost_nothing() {
    let cache = r#""cache_control": {"type": "ephemeral"}"#;
    let user = body(
        "gpt-4o",
        r#""messages": [{"role": "user", "content": "Hello!"MORE}]"#,
    );
    unknown_key(&user, "messages[0].cache_control", cache);
    unknown_key(&user, "messages[0].tool_call_id", r#""tool_call_id": "c1""#);
    let answer = body(
        "gpt-4o",
        r#""messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"MORE}]"#,
    );
    let thoughts = r#""reasoning_content": "Hm.""#;
    unknown_key(&answer, "messages[1].reasoning_content", thoughts);
}

#[test]
fn unknown_keys_of_parts_cost_nothing() {
    let text = body(
        "gpt-4o",
        r#""messages": [{"role": "user", "content": [{"type": "text", "text": "Hello!"MORE}]}]"#,
    );
    let cache = r#""cache_control": {"type": "ephemeral"}"#;
    unknown_key(&text, "messages[0].content[0].cache_control", cache);
    unknown_key(
        &text,
        "messages[0].content[0].additional_properties",
        r#""additional_properties": {"a": 1}"#,
    );
    // as eight recordings have it
    let empty = text.replace("MORE", r#", "additional_properties": {}"#);
    assert_eq!(exact(&empty), exact(&text.replace("MORE", "")));
    let image = body(
        "gpt-4o",
        r#""messages": [{"role": "user", "content": [{"type": "text", "text": "Hello!"}, {"type": "image_url",
            "image_url": {"url": "https://example.com/a.png", "detail": "low"MORE}}]}]"#,
    );
    unknown_key(
        &image,
        "messages[0].content[1].image_url.format",
        r#""format": "png""#,
    );
}

#[test]
fn unknown_keys_of_tools_cost_nothing() {
    let tools = body(
        "gpt-4o",
        &format!(
            r#"{HELLO}, "tools": [{{"type": "function", "function": {{"name": "ping"}}MORE}}]"#
        ),
    );
    unknown_key(&tools, "tools[0].cache_control", r#""cache_control": {}"#);
    let functions = body(
        "gpt-4o",
        &format!(
            r#"{HELLO}, "tools": [{{"type": "function", "function": {{"name": "ping"MORE}}}}]"#
        ),
    );
    unknown_key(
        &functions,
        "tools[0].function.return_type",
        r#""return_type": "string""#,
    );
    let choice = body(
        "gpt-4o",
        &format!(
            r#"{HELLO}, "tools": [{{"type": "function", "function": {{"name": "ping"}}}}],
            "tool_choice": {{"type": "function", "function": {{"name": "ping"MORE}}}}"#
        ),
    );
    unknown_key(&choice, "tool_choice.function.x", r#""x": 1"#);
}

/// A body for this model with calls of a tool, as in `calls`, and a result for each.
fn with_calls(model: &str, calls: &[&str]) -> String {
    let asked: Vec<String> = (0..)
        .zip(calls)
        .map(|(i, function)| {
            format!(r#"{{"id": "c{i}", "type": "function", "function": {function}}}"#)
        })
        .collect();
    let answered = (0..calls.len())
        .map(|i| format!(r#", {{"role": "tool", "tool_call_id": "c{i}", "content": "pong"}}"#));
    body(
        model,
        &format!(
            r#""messages": [{{"role": "user", "content": "Hello!"}}, {{"role": "assistant", "tool_calls": [{}]}}{}]"#,
            asked.join(", "),
            answered.collect::<String>()
        ),
    )
}

#[test]
fn unknown_keys_of_calls_cost_nothing() {
    let calls = with_calls("gpt-4o", &[r#"{"name": "ping", "arguments": "{}"MORE}"#]);
    unknown_key(
        &calls,
        "messages[1].tool_calls[0].function.parsed_arguments",
        r#""parsed_arguments": {}"#,
    );
}

#[test]
fn unknown_keys_of_items_cost_nothing() {
    let item = body(
        "gpt-4o",
        r#""input": [{"role": "user", "content": [{"type": "input_text", "text": "Hello!"}]MORE}]"#,
    );
    unknown_key(&item, "input[0].name", r#""name": "ann""#);
    let calls = body(
        "gpt-4o",
        r#""input": [{"role": "user", "content": "Hello!"},
            {"type": "function_call", "call_id": "c1", "name": "ping", "arguments": "{}"MORE},
            {"type": "function_call_output", "call_id": "c1", "output": "pong"}]"#,
    );
    unknown_key(&calls, "input[1].namespace", r#""namespace": "a""#);
}

#[test]
fn unknown_keys_of_formats_cost_nothing() {
    let format = format!(r#"{HELLO}, "response_format": {{"type": "json_object"MORE}}"#);
    unknown_key(
        &body("gpt-4o", &format),
        "response_format.schema",
        r#""schema": {}"#,
    );
    let text = r#""input": "Hello!", "text": {"format": {"type": "text"}MORE}"#;
    unknown_key(&body("gpt-4o", text), "text.tone", r#""tone": "dry""#);
}

#[test]
fn a_key_is_noted_once_and_its_place_is_short() {
    let message = r#"{"role": "user", "content": "Hello!", "mood": 1, "weather": 2}"#;
    let twice = body("gpt-4o", &format!(r#""messages": [{message}, {message}]"#));
    let why = "this is an unknown key, which may cost tokens";
    assert_eq!(
        reason(&twice),
        format!("messages[0].mood: {why}; messages[0].weather: {why}")
    );
    let keys: Vec<String> = (0..10_000).map(|i| format!(r#""k{i}": 1"#)).collect();
    let keys = keys.join(", ");
    let many = format!(r#""messages": [{{"role": "user", "content": "Hello!", {keys}}}]"#);
    let key = "k".repeat(1_000_000);
    let long = format!(r#""messages": [{{"role": "user", "content": "Hello!", "{key}": 1}}]"#);
    for rest in [many, long, format!("{HELLO}, {keys}")] {
        let reason = reason(&body("gpt-4o", &rest));
        assert!(reason.len() < 400, "{}", reason.len());
    }
}

#[test]
fn strings_among_parts_are_texts() {
    let parts = |list: &str| {
        body(
            "gpt-4o",
            &format!(r#""messages": [{{"role": "user", "content": {list}}}]"#),
        )
    };
    costs_as_much(
        &parts(r#"["Hel", {"type": "text", "text": "lo!"}]"#),
        "messages[0].content[0]",
        &parts(r#""Hello!""#),
    );
    costs_as_much(
        &body(
            "gpt-4o",
            r#""input": [{"role": "user", "content": ["Hello!"]}]"#,
        ),
        "input[0].content[0]",
        &body("gpt-4o", r#""input": "Hello!""#),
    );
}

const PLAIN: &str = r#"{"type": "object", "properties": {"a": {"type": "string"}}}"#;

#[test]
fn unknown_keywords_of_tools_are_estimates() {
    for (keyword, value) in [
        ("nullable", "true"),
        ("examples", r#"["x"]"#),
        ("if", "{}"),
        ("then", "{}"),
        ("x-order", "1"),
        ("format", r#""date""#),
        ("contentEncoding", r#""base64""#),
        ("readOnly", "false"),
    ] {
        let inner = format!(
            r#"{{"type": "object", "properties": {{"a": {{"type": "string", "{keyword}": {value}}}}}}}"#
        );
        let path = format!("tools[0].function.parameters.properties.a.{keyword}");
        costs_as_much(&with_tool(&inner, ""), &path, &with_tool(PLAIN, ""));
        let outer = PLAIN.replacen('{', &format!(r#"{{"{keyword}": {value}, "#), 1);
        let path = format!("tools[0].function.parameters.{keyword}");
        costs_as_much(&with_tool(&outer, ""), &path, &with_tool(PLAIN, ""));
    }
    let responses = r#""input": "Hello!", "tools": [{"type": "function", "name": "ping", "parameters":
        {"type": "object", "if": {}, "properties": {"a": {"type": "string"}}}}]"#;
    let reason = reason(&body("gpt-4o", responses));
    assert!(reason.starts_with("tools[0].parameters.if: "), "{reason}");
}

#[test]
fn keywords_of_tools_that_cost_nothing_are_exact() {
    let schema = r#"{"type": "object", "strict": true, "additionalProperties": false, "$defs": {}, "properties":
        {"a": {"type": "string", "pattern": "^a", "minLength": 1, "maxLength": 9}}}"#;
    assert_eq!(exact(&with_tool(schema, "")), exact(&with_tool(PLAIN, "")));
    let number = |more: &str| {
        let schema =
            format!(r#"{{"type": "object", "properties": {{"a": {{"type": "number"{more}}}}}}}"#);
        exact(&with_tool(&schema, ""))
    };
    assert_eq!(number(r#", "minimum": 0, "maximum": 9"#), number(""));
}

#[test]
fn unknown_keywords_of_answers_are_estimates() {
    let format = |keyword: &str| {
        format!(
            r#""name": "answer", "schema": {{"type": "object", "properties": {{"if":
                {{"type": "array", "items": {{"type": "string"{keyword}}}}}}}}}"#
        )
    };
    let chat = |keyword: &str| {
        let format = format(keyword);
        let rest = format!(
            r#"{HELLO}, "response_format": {{"type": "json_schema", "json_schema": {{{format}}}}}"#
        );
        body("gpt-4o", &rest)
    };
    let responses = |keyword: &str| {
        let format = format(keyword);
        let rest = format!(
            r#""input": "Hello!", "text": {{"format": {{"type": "json_schema", {format}}}}}"#
        );
        body("gpt-4o", &rest)
    };
    let pattern = r#", "pattern": "^a""#;
    let place = "schema.properties.if.items.pattern: ";
    let why = reason(&chat(pattern));
    assert!(
        why.starts_with(&format!("response_format.json_schema.{place}")),
        "{why}"
    );
    let why = reason(&responses(pattern));
    assert!(why.starts_with(&format!("text.format.{place}")), "{why}");
    for body in [chat(""), chat(r#", "title": "A""#), responses("")] {
        exact(&body);
    }
    let typed = ResponseFormat::json_schema("answer", r#"{"type": "object", "nullable": true}"#);
    let request = Request::new([Message::user("Hello!")]).response_format(typed.unwrap());
    let counter = Counter::for_model("gpt-4o").unwrap();
    for request in [request.clone(), request.api(Api::Responses)] {
        assert!(counter.count(&request).unwrap_err().is_estimate_only());
    }
}

/// Arguments that clients replay and that are neither an object nor a list, and their tokens with gpt-4o.
const NO_OBJECTS: [(&str, usize); 6] = [
    ("", 0),
    ("{", 1),
    ("null", 1),
    ("15 * 4", 4),
    (r#"{\"a\": "#, 4),
    ("{} {}", 2),
];

#[test]
fn arguments_that_are_no_object_are_counted_as_they_are() {
    let call = |model, text: &str| {
        with_calls(
            model,
            &[&format!(r#"{{"name": "ping", "arguments": "{text}"}}"#)],
        )
    };
    // `{}` is one token
    let empty = exact(&call("gpt-4o", "{}"));
    for (text, tokens) in NO_OBJECTS {
        let body = call("gpt-4o", text);
        assert_eq!(estimate(&body).total, empty - 1 + tokens, "{text}");
        let why = reason(&body);
        assert!(
            why.starts_with("messages[1].tool_calls[0].function.arguments: "),
            "{why}"
        );
    }
    // a list is a rule of its own, which only the Responses API has recordings of
    let list = call("gpt-4o", "[1, 2]");
    assert_eq!(
        estimate(&list).total,
        estimate(&call("gpt-4o", "[1,2]")).total
    );
    assert!(
        reason(&list).contains("`call with a list`"),
        "{}",
        reason(&list)
    );
    let older = reason(&call("gpt-4-0613", "walk"));
    assert!(
        older.contains("messages[1].tool_calls[0].function.arguments: "),
        "{older}"
    );
}

#[test]
fn arguments_of_parallel_calls_that_are_no_object_are_strings() {
    let ping = r#"{"name": "ping", "arguments": "{}"}"#;
    let both = |text: &str| {
        let call = format!(r#"{{"name": "ping", "arguments": "{text}"}}"#);
        with_calls("gpt-4o", &[ping, &call])
    };
    for (text, as_json) in [("walk", r#"\"walk\""#), ("", r#"\"\""#)] {
        let why = reason(&both(text));
        assert!(
            why.starts_with("messages[1].tool_calls[1].function.arguments: "),
            "{why}"
        );
        assert_eq!(
            estimate(&both(text)).total,
            estimate(&both(as_json)).total,
            "{text}"
        );
    }
}

#[test]
fn arguments_of_items_that_are_no_object_are_counted_as_they_are() {
    let call = |text: &str| {
        let rest = r#""input": [{"role": "user", "content": "Hello!"},
            {"type": "function_call", "call_id": "c1", "name": "ping", "arguments": "TEXT"},
            {"type": "function_call_output", "call_id": "c1", "output": "pong"}]"#;
        body("gpt-4o", &rest.replace("TEXT", text))
    };
    let empty = exact(&call("{}"));
    for (text, tokens) in NO_OBJECTS {
        assert_eq!(estimate(&call(text)).total, empty - 1 + tokens, "{text}");
        let why = reason(&call(text));
        assert!(why.starts_with("input[1].arguments: "), "{why}");
    }
    // recordings show lists
    assert_eq!(exact(&call("[ ]")), exact(&call("{}")));
}

#[test]
fn lists_as_arguments_are_exact_where_recordings_have_them() {
    let rest = r#""input": [{"role": "user", "content": "Hello!"},
        {"type": "function_call", "call_id": "c1", "name": "ping", "arguments": "TEXT"},
        {"type": "function_call_output", "call_id": "c1", "output": "pong"}]"#;
    for model in ["gpt-4o", "gpt-5"] {
        let responses = |text| body(model, &rest.replace("TEXT", text));
        assert_eq!(exact(&responses("[]")), exact(&responses("{}")), "{model}");
    }
    let call = |text| {
        with_calls(
            "gpt-4o",
            &[&format!(r#"{{"name": "ping", "arguments": "{text}"}}"#)],
        )
    };
    assert_eq!(estimate(&call("[ ]")).total, exact(&call("{}")));
    let why = reason(&call("[]"));
    assert!(why.contains("`call with a list`"), "{why}");
}

#[test]
fn arguments_of_function_calls_that_are_no_object_are_estimates() {
    let rest = r#""messages": [{"role": "assistant", "content": null, "function_call":
        {"name": "ping", "arguments": "walk"}}, {"role": "function", "name": "ping", "content": "pong"}]"#;
    let why = reason(&body("gpt-4-0613", rest));
    assert!(
        why.contains("messages[0].function_call.arguments: "),
        "{why}"
    );
}

#[test]
fn schemas_that_refer_to_themselves_are_any_inside_themselves() {
    let written = |schema: &str| exact(&with_tool(schema, ""));
    let tree = |inner: &str| {
        format!(
            r##"{{"type": "object", "properties": {{"tree": {inner}}}, "$defs": {{"Node": {{"type": "object",
                "properties": {{"next": {{"$ref": "#/$defs/Node"}}}}}}}}}}"##
        )
    };
    let body = with_tool(&tree(r##"{"$ref": "#/$defs/Node"}"##), "");
    let place = "tools[0].function.parameters.properties.tree.properties.next.$ref: ";
    assert!(reason(&body).starts_with(place), "{}", reason(&body));
    let any = r#"{"type": "object", "properties": {"next": {}}}"#;
    assert_eq!(estimate(&body).total, written(&tree(any)));

    // the whole schema, and one that is nothing but a circle
    let whole = r##"{"type": "object", "properties": {"a": {"$ref": "#"}}}"##;
    let once =
        r#"{"type": "object", "properties": {"a": {"type": "object", "properties": {"a": {}}}}}"#;
    assert_eq!(estimate(&with_tool(whole, "")).total, written(once));
    let circle = r##"{"type": "object", "properties": {"a": {"$ref": "#/properties/a"}}}"##;
    let any = r#"{"type": "object", "properties": {"a": {}}}"#;
    assert_eq!(estimate(&with_tool(circle, "")).total, written(any));
}

#[test]
fn references_are_decoded() {
    let refers = |reference: &str| {
        let schema = r#"{"type": "object", "properties": {"a": {"$ref": "REFERENCE"},
            "b": {"anyOf": [{"type": "boolean"}, {"type": "string"}]}}, "$defs":
            {"Tag<T>": {"type": "string"}, "a/b": {"type": "string"}, "50%": {"type": "string"}, "й": {"type": "string"}}}"#;
        exact(&with_tool(&schema.replace("REFERENCE", reference), ""))
    };
    let plain = refers("#/$defs/Tag<T>");
    for reference in [
        "#/%24defs/Tag%3CT%3e",
        "#/$defs/a~1b",
        "#/$defs/a%7E1b",
        "#/$defs/50%25",
        "#/$defs/50%",
        "#/$defs/%D0%B9",
        "#/properties/b/anyOf/1",
    ] {
        assert_eq!(refers(reference), plain, "{reference}");
    }
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let plain = body("gpt-4o", HELLO);
    assert_eq!(exact(&format!("\u{feff}{plain}")), exact(&plain));
    let counter = Counter::for_model("gpt-4o").unwrap();
    let marked = counter.count_json(&format!("\u{feff}\r\n{plain}"));
    assert_eq!(marked.unwrap().total, exact(&plain));
    // only one, and only there
    refused(&format!("\u{feff}\u{feff}{plain}"));
    refused(&format!("{plain}\u{feff}"));
}

#[test]
fn lone_surrogates_are_replacement_characters() {
    let says = |text: &str| {
        let rest = format!(r#""messages": [{{"role": "user", "content": "{text}"}}]"#);
        exact(&body("gpt-4o", &rest))
    };
    for (text, replaced) in [
        (r"\ud83c", "\u{fffd}"),
        (r"\uDF0A", "\u{fffd}"),
        (r"a\ud83cb", "a\u{fffd}b"),
        (r"\ud83c\ud83c", "\u{fffd}\u{fffd}"),
        (r"\ud83c\ud83c\udf0a", "\u{fffd}\u{1f30a}"),
        (r"\udf0a\ud83c", "\u{fffd}\u{fffd}"),
        (r"\ud83c\n\udf0a", r"�\n�"),
        // the second is a backslash and text
        (r"\ud83c\\udf0a", r"�\\udf0a"),
        (r"\\\ud83cй\u0439", r"\\�йй"),
    ] {
        assert_eq!(says(text), says(replaced), "{text}");
    }
    // in keys and in the text of arguments
    let key = format!(r#"{HELLO}, "metadata": {{"\ud83c": "\ud83c"}}"#);
    assert_eq!(exact(&body("gpt-4o", &key)), 9);
    let call = |text: &str| {
        exact(&with_calls(
            "gpt-4o",
            &[&format!(r#"{{"name": "ping", "arguments": "{text}"}}"#)],
        ))
    };
    assert_eq!(call(r#"{\"a\": \"\\ud83c\"}"#), call(r#"{\"a\": \"�\"}"#));
}

#[test]
fn names_of_64_characters_are_fine() {
    let name = "Az09_-".repeat(11)[..64].to_owned();
    exact(&body(
        "gpt-4o",
        &format!(r#"{HELLO}, "tools": [{{"type": "function", "function": {{"name": "{name}"}}}}]"#),
    ));
    for speaker in ["й".repeat(64), "Ann.Lee@example.com".into()] {
        let message = format!(r#"{{"role": "user", "name": "{speaker}", "content": "Hello!"}}"#);
        exact(&body("gpt-4o", &format!(r#""messages": [{message}]"#)));
    }
}

#[test]
fn keys_of_the_body_that_cost_nothing() {
    let more = r#""input": "Hello!", "prompt_cache_options": {"mode": "explicit"}, "moderation": {"model": "m"}"#;
    let plain = body("gpt-4o", r#""input": "Hello!""#);
    assert_eq!(exact(&body("gpt-4o", more)), exact(&plain));
    let chat = format!(r#"{HELLO}, "moderation": {{"model": "m"}}"#);
    let why = reason(&body("gpt-4o", &chat));
    assert!(why.starts_with("moderation: "), "{why}");
}

/// A body for gpt-4o with this image of high detail, and what the image costs.
fn cost_of_image(url: &str) -> usize {
    let rest = format!(
        r#""messages": [{{"role": "user", "content": [{{"type": "text", "text": "Hello!"}},
            {{"type": "image_url", "image_url": {{"url": "{url}", "detail": "high"}}}}]}}]"#
    );
    let tokens = count_json(&body("gpt-4o", &rest)).unwrap();
    tokens.images
}

#[test]
fn images_in_base64_with_line_breaks_have_a_size() {
    // a PNG of 640 x 480: two tiles of 170, and 85
    let data = "iVBORw0KGgoAAAANSUhEUgAAAoAAAAHgCAYAAAA=";
    let prefix = "data:image/png;base64,";
    assert_eq!(cost_of_image(&format!("{prefix}{data}")), 2 * 170 + 85);
    for broken in [
        format!("{prefix}{}\\r\\n{}\\n", &data[..19], &data[19..]),
        format!("{prefix} {data}"),
        format!("{prefix}{}", data.replace('A', "A\\n\\t")),
    ] {
        assert_eq!(cost_of_image(&broken), 2 * 170 + 85, "{broken}");
    }
}

#[test]
fn images_with_fill_bytes_have_a_size() {
    // FF D8, FF FF FF E0 and a segment of 4 bytes, FF FF C0 and a frame of 640 x 480
    let data = "/9j////gAAQAAP//wAARCAHgAoAD";
    assert_eq!(
        cost_of_image(&format!("data:image/jpeg;base64,{data}")),
        2 * 170 + 85
    );
}

#[test]
fn white_space_at_the_end_of_a_system_message_joins_the_line_break_before_tools() {
    let tools = |system: &str| {
        let request = Request::new([Message::system(system), Message::user("Hello!")]);
        let request = request.tools([Tool::function("ping")]);
        Counter::for_model("gpt-4o")
            .unwrap()
            .count(&request)
            .unwrap()
            .tools
    };
    // ".\r" is two tokens, but ".\r\n\n" is one
    assert_eq!(tools(".\r") + 1, tools("."));
    // of an encoding whose pieces are whole texts, one token may be all that a name needs
    let bytes = (0..=u8::MAX).map(|byte| (vec![byte], u32::from(byte)));
    let encoding = Encoding::builder("whole")
        .pattern(r"(?s:.+)")
        .ranks(bytes.chain([(b"functions.f".to_vec(), 256)]))
        .build()
        .unwrap();
    let counter = Counter::new(Family::Modern, &encoding);
    let request = Request::new([Message::user("Hello!")])
        .tools([Tool::function("f")])
        .tool_choice(ToolChoice::Function("f".into()));
    assert_eq!(counter.estimate(&request).unwrap().tool_choice, 7);
}

#[test]
fn a_family_is_sure_only_with_an_encoding_of_its_models() {
    let request = Request::new([Message::user("Hello!")]);
    for (family, encoding) in [
        (Family::Reasoning, tiktally::cl100k_base()),
        (Family::Legacy0301, tiktally::o200k_base()),
        (Family::Legacy0613, tiktally::o200k_base()),
    ] {
        let error = Counter::new(family, encoding).count(&request).unwrap_err();
        assert!(error.to_string().contains("another encoding"), "{error}");
    }
}

#[test]
fn reasoning_models_without_a_name_are_sure_of_what_all_of_them_share() {
    let question = Request::new([Message::user("Hello!")]);
    let answer = Request::new([Message::assistant("Hi."), Message::user("Hello!")]);
    let tools = question.clone().tools([Tool::function("ping")]);
    let nameless = Counter::new(Family::Reasoning, tiktally::o200k_base());
    let alias = Counter::for_model("gpt-4o")
        .unwrap()
        .with_family(Family::Reasoning);
    for counter in [nameless, alias] {
        assert_eq!(counter.count(&question).unwrap().total, 8);
        for request in [&answer, &tools] {
            let error = counter.count(request).unwrap_err();
            assert!(
                error.to_string().contains("some reasoning models"),
                "{error}"
            );
        }
    }
    assert!(Counter::for_model("gpt-5").unwrap().count(&answer).is_ok());
}

#[test]
fn calls_that_would_not_be_counted_are_invalid() {
    let call = |id: &'static str| ToolCall::new(id, "f", "{}");
    let asked = |id| Message::assistant("").tool_calls([call(id)]);
    let counter = Counter::for_model("gpt-4o").unwrap();
    let path = |api, messages: &[Message<'static>]| {
        let request = Request::new(messages.iter().cloned()).api(api);
        let error = counter.estimate(&request).unwrap_err();
        assert!(error.is_invalid_chat(), "{error}");
        error.path().unwrap().to_owned()
    };
    let (chat, responses) = (Api::ChatCompletions, Api::Responses);
    let result = Message::tool("a", "1");
    let calling = [asked("a"), result.clone().tool_calls([call("b")])];
    assert_eq!(path(chat, &calling), "messages[1]");
    assert_eq!(path(responses, &calling), "input[1]");
    let of_user = [
        asked("a"),
        Message::user("").tool_calls([call("b")]),
        result.clone(),
    ];
    assert_eq!(path(responses, &of_user), "input[1]");
    let both = [asked("a"), asked("b").function_call(call("")), result];
    assert_eq!(path(responses, &both), "input[1].function_call");
    let unanswered = [Message::assistant("").function_call(call("")), asked("a")];
    assert_eq!(path(chat, &unanswered), "messages[1].tool_calls[0]");
    assert_eq!(path(responses, &unanswered), "input[1]");
}

#[test]
fn a_day_between_two_recordings_with_a_change_is_not_sure() {
    let tool = with_tool(
        r#"{"type": "object", "properties": {"a": {"type": ["string", "null"], "description": "d"}}}"#,
        "",
    );
    let calls = body(
        "gpt-4o",
        r#""messages": [{"role": "assistant", "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            {"id": "b", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        ]}, {"role": "tool", "tool_call_id": "b", "content": "é"}, {"role": "tool", "tool_call_id": "a", "content": "1"}]"#,
    );
    let image = format!(
        r#"{{"messages": [{{"role": "user", "content": [{{"type": "text", "text": "?"}},
        {{"type": "image_url", "image_url": {{"url": "{GIF}"}}}}]}}]}}"#
    );
    for (model, body, last, between) in [
        ("gpt-4o", &tool, "2026-03-31", ["2026-04-01", "2026-08-01"]),
        ("gpt-4o", &calls, "2026-03-03", ["2026-03-04", "2026-03-11"]),
        (
            "gpt-4.1-nano",
            &image,
            "2026-05-06",
            ["2026-05-07", "2026-06-07"],
        ),
    ] {
        let counter = Counter::for_model(model).unwrap();
        let as_of = |day| counter.as_of(day).unwrap();
        let sure = as_of(last).count_json(body).unwrap();
        for day in between {
            let error = as_of(day).count_json(body).unwrap_err();
            assert!(error.to_string().contains("no recording shows"), "{error}");
            assert_eq!(as_of(day).estimate_json(body).unwrap().total, sure.total);
        }
    }
}

const GIF: &str =
    "data:image/gif;base64,R0lGODlhAwACAPAAAP8AAP///yH5BAAAAAAALAAAAAADAAIAAAIChF8AOw==";

#[test]
fn a_long_run_of_reasoning_is_read_once() {
    let run = r#"{"type": "reasoning"},"#.repeat(200_000);
    let body = |rest| body("gpt-5", &format!(r#""input": [{run}{rest}]"#));
    let answered = body(r#"{"role": "assistant", "content": "Hi."}"#);
    assert!(estimate_json(&answered).is_ok());
    let error = refused(&body(r#"{"role": "user", "content": "Hi."}"#));
    assert_eq!(error.path(), Some("input[0]"));
}

#[test]
fn numbers_that_are_not_kept_as_they_are_written_are_an_estimate() {
    let call = |id: &'static str, arguments| ToolCall::new(id, "f", arguments);
    let counter = Counter::for_model("gpt-4o").unwrap();
    let is_sure = |messages: Vec<Message<'_>>| {
        let tokens = counter.estimate(&Request::new(messages)).unwrap();
        tokens.exactness == Exactness::Exact
    };
    for (text, expected) in [
        (
            r#"{"a": 18446744073709551615, "b": [-9223372036854775807, 1e16, -0.5]}"#,
            true,
        ),
        (r#"{"a": 18446744073709551616}"#, false),
        (r#"{"a": [-9223372036854775809]}"#, false),
        (r#"{"a": {"b": -0}}"#, false),
    ] {
        let asked = Message::assistant("").tool_calls([call("a", text)]);
        assert_eq!(
            is_sure(vec![asked, Message::tool("a", "1")]),
            expected,
            "{text}"
        );
    }
    let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
    let (deep, deeper) = (nested(100), nested(200));
    for (text, expected) in [
        (deep.as_str(), true),
        (deeper.as_str(), false),
        ("1e400", false),
        ("not JSON", true),
        ("18446744073709551615", true),
        ("1000000000000000000000", false),
        (r#"{"mean": NaN}"#, false),
        ("-Infinity", false),
    ] {
        let asked = Message::assistant("").tool_calls([call("a", "{}"), call("b", "{}")]);
        let results = [Message::tool("a", text), Message::tool("b", "1")];
        let messages = [asked].into_iter().chain(results).collect();
        assert_eq!(is_sure(messages), expected, "{text}");
    }
}

#[test]
fn values_in_schemas_that_no_recording_shows() {
    let object =
        |property: &str| format!(r#"{{"type": "object", "properties": {{"a": {property}}}}}"#);
    let tool = |property: &str| with_tool(&object(property), "");
    let answer = |property: &str| {
        let schema = format!(r#"{{"name": "x", "schema": {}}}"#, object(property));
        let format = format!(r#"{{"type": "json_schema", "json_schema": {schema}}}"#);
        body(
            "gpt-4o",
            &format!(r#"{HELLO}, "response_format": {format}"#),
        )
    };
    let (property, schema) = (
        "tools[0].function.parameters.properties.a: ",
        "response_format.json_schema.schema",
    );
    for (body, place) in [
        (
            tool(r#"{"type": "integer", "default": 18446744073709551616}"#),
            property.to_owned(),
        ),
        (
            tool(r#"{"type": "integer", "enum": [-0]}"#),
            property.to_owned(),
        ),
        (tool(r#"{"anyOf": []}"#), property.to_owned()),
        (
            tool(r#"{"anyOf": [{"type": "object"}]}"#),
            property.to_owned(),
        ),
        (
            answer(r#"{"const": 18446744073709551616}"#),
            format!("{schema}: "),
        ),
        (
            answer(r#"{"type": "array", "items": [{}]}"#),
            format!("{schema}.properties.a.items: "),
        ),
        (
            answer(r#"{"anyOf": {}}"#),
            format!("{schema}.properties.a.anyOf: "),
        ),
    ] {
        let why = reason(&body);
        assert!(why.starts_with(&place), "{why}");
    }
    exact(&tool(
        r#"{"type": "integer", "default": 18446744073709551615}"#,
    ));
    exact(&answer(r#"{"const": 18446744073709551615}"#));
}

#[test]
fn settings_of_reasoning_that_no_recording_shows() {
    let with = |reasoning: &str| {
        body(
            "gpt-5",
            &format!(r#""input": "Hello!", "reasoning": {reasoning}"#),
        )
    };
    let known = r#"{"effort": "high", "summary": "auto", "context": "auto", "mode": "standard"}"#;
    exact(&with(known));
    let why = reason(&with(r#"{"effort": "high", "budget": 1}"#));
    assert!(why.starts_with("reasoning.budget: "), "{why}");
    let why = reason(&with(r#"{"mode": "max"}"#));
    assert!(why.starts_with("reasoning.mode: "), "{why}");
}

#[test]
fn numbers_in_arguments_are_read_to_the_last_bit() {
    let counter = Counter::for_model("gpt-4o").unwrap();
    let count = |arguments: &str| {
        let asked = Message::assistant("").tool_calls([ToolCall::new("a", "f", arguments)]);
        let request = Request::new([asked, Message::tool("a", "1")]);
        let frame = counter.count(&request).unwrap().total;
        frame - tiktally::o200k_base().count(arguments)
    };
    // one bit less is 2.952882471098236, which has a token less
    assert_eq!(count(r#"{"at":2.9528824710982358}"#), count("{}"));
}
