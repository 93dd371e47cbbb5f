//! Broken chat bodies: each is refused with the right predicate, the exact path and a message that names the fault, by
//! `count_json` and by `estimate_json` alike, and never with a panic or a full stack.

use tiktally::Error;
use tiktally::chat::{Exactness, count_json, estimate_json};

/// A body for gpt-4o with these messages.
fn with_messages(messages: &str) -> String {
    format!(r#"{{"model": "gpt-4o", "messages": {messages}}}"#)
}

/// A body for gpt-4o with one user message that has this content.
fn with_content(content: &str) -> String {
    with_messages(&format!(r#"[{{"role": "user", "content": {content}}}]"#))
}

/// A body for gpt-4o with one plain message and more keys beside it.
fn with_keys(keys: &str) -> String {
    format!(r#"{{"model": "gpt-4o", "messages": [{{"role": "user", "content": "Hm."}}], {keys}}}"#)
}

/// A body with one tool that takes these parameters.
fn with_parameters(parameters: &str) -> String {
    with_keys(&format!(
        r#""tools": [{{"type": "function", "function": {{"name": "walk", "parameters": {parameters}}}}}]"#
    ))
}

/// A body in which `arguments`, a JSON string, are those of a call with a result.
fn with_arguments(arguments: &str) -> String {
    with_messages(&format!(
        r#"[{{"role": "user", "content": "Hm."}},
            {{"role": "assistant", "content": null, "tool_calls": [
                {{"id": "c1", "type": "function", "function": {{"name": "walk", "arguments": {arguments}}}}}]}},
            {{"role": "tool", "tool_call_id": "c1", "content": "done"}}]"#
    ))
}

/// A body with an image behind this URL.
fn with_image(url: &str) -> String {
    with_content(&format!(
        r#"[{{"type": "text", "text": "What is it?"}}, {{"type": "image_url", "image_url": {{"url": "{url}"}}}}]"#
    ))
}

/// The error of both calls, which is one and the same.
#[track_caller]
fn refused(body: &str) -> Error {
    let error = count_json(body).expect_err("count_json takes a broken body");
    let other = estimate_json(body).expect_err("estimate_json takes a broken body");
    assert_eq!(error.to_string(), other.to_string());
    assert_eq!(error.path(), other.path());
    assert_eq!(error.is_invalid_chat(), other.is_invalid_chat());
    assert_eq!(
        error.is_unsupported_content(),
        other.is_unsupported_content()
    );
    assert!(!error.is_estimate_only());
    error
}

/// The message is one short sentence that begins with the path and holds all of `words`.
#[track_caller]
fn says(error: &Error, words: &[&str]) {
    let message = error.to_string();
    assert!(!message.is_empty());
    assert!(message.len() < 500, "{} bytes: {message}", message.len());
    assert!(!message.contains('\n'), "{message}");
    assert!(
        message.starts_with(error.path().unwrap_or_default()),
        "{message}"
    );
    for word in words {
        assert!(message.contains(word), "no {word:?} in: {message}");
    }
}

/// Not what the API takes, at this path.
#[track_caller]
fn invalid(body: &str, path: &str, words: &[&str]) {
    let error = refused(body);
    assert!(error.is_invalid_chat(), "{error}");
    assert!(!error.is_unsupported_content(), "{error}");
    assert!(!error.is_unknown_model(), "{error}");
    assert_eq!(error.path(), Some(path), "{error}");
    says(&error, words);
}

/// Not JSON: no path, but line and column.
#[track_caller]
fn malformed(body: &str) {
    invalid(body, "", &["line", "column"]);
}

/// Only the service knows its tokens.
#[track_caller]
fn unsupported(body: &str, path: &str, words: &[&str]) {
    let error = refused(body);
    assert!(error.is_unsupported_content(), "{error}");
    assert!(!error.is_invalid_chat(), "{error}");
    assert_eq!(error.path(), Some(path), "{error}");
    says(&error, words);
}

#[test]
fn truncated_json() {
    let body = with_content(r#""Where do swifts sleep?""#);
    for end in 0..body.len() {
        malformed(&body[..end]);
    }
    assert!(count_json(&body).is_ok());
}

#[test]
fn place_of_malformed_json() {
    invalid(
        "{\n  \"model\": \"gpt-4o\",\n  \"messages\": [}\n",
        "",
        &["line 3", "column 16"],
    );
}

#[test]
fn body_is_not_an_object() {
    for body in ["[]", "null", "true", "7", r#""gpt-4o""#] {
        invalid(body, "", &["object"]);
    }
}

#[test]
fn trailing_data_after_the_body() {
    let body = with_content(r#""Hm.""#);
    for tail in ["x", "{}", ",", "\n]", "\0"] {
        malformed(&format!("{body}{tail}"));
    }
    assert!(count_json(&format!("{body} \n\t\r\n")).is_ok());
}

#[test]
fn messages_are_a_string() {
    invalid(&with_messages(r#""Hm.""#), "messages", &["array"]);
}

#[test]
fn messages_are_missing() {
    invalid(r#"{"model": "gpt-4o"}"#, "", &["messages"]);
}

#[test]
fn messages_are_empty() {
    invalid(&with_messages("[]"), "messages", &["empty"]);
}

#[test]
fn message_is_a_string() {
    invalid(
        &with_messages(r#"[{"role": "user", "content": "Hm."}, "Hm."]"#),
        "messages[1]",
        &["object"],
    );
}

#[test]
fn content_is_a_number() {
    invalid(&with_content("7"), "messages[0].content", &["string"]);
}

#[test]
fn content_is_an_object() {
    invalid(
        &with_content(r#"{"text": "Hm."}"#),
        "messages[0].content",
        &["string"],
    );
}

#[test]
fn part_is_a_string() {
    invalid(
        &with_content(r#"["Hm."]"#),
        "messages[0].content[0]",
        &["object"],
    );
}

#[test]
fn role_is_a_number() {
    invalid(
        &with_messages(r#"[{"role": 1, "content": "Hm."}]"#),
        "messages[0].role",
        &["string"],
    );
}

#[test]
fn role_is_unknown() {
    invalid(
        &with_messages(
            r#"[{"role": "user", "content": "Hm."}, {"role": "bard", "content": "Oh!"}]"#,
        ),
        "messages[1].role",
        &["bard"],
    );
}

#[test]
fn role_is_missing() {
    invalid(
        &with_messages(r#"[{"content": "Hm."}]"#),
        "messages[0]",
        &["role"],
    );
}

#[test]
fn model_is_missing() {
    invalid(
        r#"{"messages": [{"role": "user", "content": "Hm."}]}"#,
        "",
        &["model"],
    );
}

#[test]
fn model_is_a_number() {
    invalid(
        r#"{"model": 4, "messages": [{"role": "user", "content": "Hm."}]}"#,
        "model",
        &["string"],
    );
}

#[test]
fn model_is_unknown() {
    let error =
        refused(r#"{"model": "abacus-9", "messages": [{"role": "user", "content": "Hm."}]}"#);
    assert!(error.is_unknown_model(), "{error}");
    assert!(!error.is_invalid_chat(), "{error}");
    assert_eq!(error.path(), None);
    says(&error, &["abacus-9"]);
}

#[test]
fn message_key_is_unknown() {
    invalid(
        &with_messages(r#"[{"role": "user", "content": "Hm.", "mood": "glad"}]"#),
        "messages[0].mood",
        &["mood"],
    );
}

#[test]
fn part_type_is_unknown() {
    invalid(
        &with_content(r#"[{"type": "text", "text": "Hm."}, {"type": "hologram", "hologram": {}}]"#),
        "messages[0].content[1].type",
        &["hologram"],
    );
}

#[test]
fn part_key_is_unknown() {
    invalid(
        &with_content(r#"[{"type": "text", "text": "Hm.", "colour": "red"}]"#),
        "messages[0].content[0].colour",
        &["colour"],
    );
}

#[test]
fn part_without_text() {
    invalid(
        &with_content(r#"[{"type": "text"}]"#),
        "messages[0].content[0]",
        &["text"],
    );
}

#[test]
fn audio_part() {
    unsupported(
        &with_content(
            r#"[{"type": "text", "text": "Listen."}, {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}]"#,
        ),
        "messages[0].content[1]",
        &["input_audio"],
    );
}

#[test]
fn file_part() {
    unsupported(
        &with_content(r#"[{"type": "file", "file": {"file_id": "file-1"}}]"#),
        "messages[0].content[0]",
        &["file"],
    );
}

#[test]
fn custom_tool() {
    unsupported(
        &with_keys(r#""tools": [{"type": "custom", "custom": {"name": "grammar"}}]"#),
        "tools[0]",
        &["custom"],
    );
}

#[test]
fn tool_type_is_unknown() {
    // it may be one that the service has and this crate does not know
    unsupported(
        &with_keys(r#""tools": [{"type": "spade", "spade": {"name": "dig"}}]"#),
        "tools[0]",
        &["spade"],
    );
}

#[test]
fn tool_without_name() {
    invalid(
        &with_keys(r#""tools": [{"type": "function", "function": {"description": "Walks."}}]"#),
        "tools[0].function",
        &["name"],
    );
}

#[test]
fn tool_key_is_unknown() {
    invalid(
        &with_keys(r#""tools": [{"type": "function", "function": {"name": "walk", "speed": 3}}]"#),
        "tools[0].function.speed",
        &["speed"],
    );
}

#[test]
fn tool_choice_names_an_unknown_tool() {
    invalid(
        &with_keys(
            r#""tools": [{"type": "function", "function": {"name": "walk"}}],
               "tool_choice": {"type": "function", "function": {"name": "swim"}}"#,
        ),
        "tool_choice.function.name",
        &["swim"],
    );
}

#[test]
fn tool_choice_is_unknown() {
    invalid(
        &with_keys(
            r#""tools": [{"type": "function", "function": {"name": "walk"}}], "tool_choice": "maybe""#,
        ),
        "tool_choice",
        &["maybe"],
    );
}

#[test]
fn tool_result_without_a_call() {
    invalid(
        &with_messages(
            r#"[{"role": "user", "content": "Hm."}, {"role": "tool", "tool_call_id": "c9", "content": "done"}]"#,
        ),
        "messages[1].tool_call_id",
        &["c9"],
    );
}

#[test]
fn tool_result_without_an_id() {
    invalid(
        &with_messages(
            r#"[{"role": "user", "content": "Hm."}, {"role": "tool", "content": "done"}]"#,
        ),
        "messages[1]",
        &["tool_call_id"],
    );
}

#[test]
fn call_without_a_result() {
    invalid(
        &with_messages(
            r#"[{"role": "user", "content": "Hm."},
                {"role": "assistant", "content": null, "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "walk", "arguments": "{}"}},
                    {"id": "c2", "type": "function", "function": {"name": "walk", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "c1", "content": "done"}]"#,
        ),
        "messages[1].tool_calls[1]",
        &["c2"],
    );
}

#[test]
fn two_calls_with_one_id() {
    invalid(
        &with_messages(
            r#"[{"role": "user", "content": "Hm."},
                {"role": "assistant", "content": null, "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "walk", "arguments": "{}"}},
                    {"id": "c1", "type": "function", "function": {"name": "walk", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "c1", "content": "done"}]"#,
        ),
        "messages[1].tool_calls[1].id",
        &["c1"],
    );
}

#[test]
fn two_results_for_one_call() {
    invalid(
        &with_messages(
            r#"[{"role": "user", "content": "Hm."},
                {"role": "assistant", "content": null, "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "walk", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "c1", "content": "done"},
                {"role": "tool", "tool_call_id": "c1", "content": "done again"}]"#,
        ),
        "messages[3].tool_call_id",
        &["c1"],
    );
}

#[test]
fn arguments_are_not_json() {
    for arguments in [
        r#""""#,
        r#""{""#,
        r#""walk""#,
        r#""{} {}""#,
        r#""{'a': 1}""#,
    ] {
        invalid(
            &with_arguments(arguments),
            "messages[1].tool_calls[0].function.arguments",
            &["JSON"],
        );
    }
}

#[test]
fn arguments_are_not_an_object() {
    for arguments in [r#""[]""#, r#""7""#, r#""null""#, r#""\"walk\"""#] {
        invalid(
            &with_arguments(arguments),
            "messages[1].tool_calls[0].function.arguments",
            &["object"],
        );
    }
}

#[test]
fn arguments_are_no_string() {
    invalid(
        &with_arguments("{}"),
        "messages[1].tool_calls[0].function.arguments",
        &["string"],
    );
}

#[test]
fn schema_refers_to_itself() {
    invalid(
        &with_parameters(
            r##"{"type": "object", "properties": {"a": {"$ref": "#/properties/a"}}}"##,
        ),
        "tools[0].function.parameters.properties.a.$ref",
        &["#/properties/a"],
    );
}

#[test]
fn schema_recurses() {
    let error = refused(&with_parameters(
        r##"{"type": "object", "properties": {"tree": {"$ref": "#/$defs/Node"}}, "$defs": {"Node":
            {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}}}"##,
    ));
    assert!(error.is_invalid_chat() || error.is_unsupported_content());
    // Where the circle closes: the definition can be walked more than once before it is seen.
    let path = error.path().unwrap();
    assert!(
        path.starts_with("tools[0].function.parameters."),
        "{path:?}"
    );
    assert!(path.ends_with("next.$ref"), "{path:?}");
    says(&error, &["#/$defs/Node"]);
}

#[test]
fn schema_doubles_at_every_reference() {
    // Forty definitions, each with the next one twice: resolved in place they would fill the memory.
    let definitions: Vec<String> = (0..40)
        .map(|i| {
            let next = format!("#/$defs/D{}", i + 1);
            format!(
                r#""D{i}": {{"type": "object", "properties": {{"l": {{"$ref": "{next}"}}, "r": {{"$ref": "{next}"}}}}}},"#
            )
        })
        .collect();
    let definitions = definitions.concat();
    let error = refused(&with_parameters(&format!(
        r##"{{"type": "object", "properties": {{"top": {{"$ref": "#/$defs/D0"}}}}, "$defs": {{{definitions} "D40": {{"type": "string"}}}}}}"##
    )));
    assert!(
        error.is_invalid_chat() || error.is_unsupported_content(),
        "{error}"
    );
    assert!(
        error
            .path()
            .unwrap()
            .starts_with("tools[0].function.parameters"),
        "{error}"
    );
    assert!(!error.to_string().is_empty());
}

#[test]
fn schema_refers_to_nothing() {
    invalid(
        &with_parameters(
            r##"{"type": "object", "properties": {"a": {"$ref": "#/$defs/Gone"}}, "$defs": {}}"##,
        ),
        "tools[0].function.parameters.properties.a.$ref",
        &["#/$defs/Gone"],
    );
}

#[test]
fn schema_refers_to_another_file() {
    for target in ["https://example.com/tree.json", "tree.json#/Node"] {
        invalid(
            &with_parameters(&format!(
                r#"{{"type": "object", "properties": {{"a": {{"$ref": "{target}"}}}}}}"#
            )),
            "tools[0].function.parameters.properties.a.$ref",
            &[target],
        );
    }
}

#[test]
fn parameters_are_a_list() {
    invalid(
        &with_parameters("[]"),
        "tools[0].function.parameters",
        &["object"],
    );
}

#[test]
fn ten_megabytes_of_text_count_fine() {
    let text = "low tide at dawn ".repeat(10_000_000 / 17 + 1);
    assert!(text.len() >= 10_000_000);
    let body = with_content(&format!("\"{text}\""));
    let tokens = count_json(&body).unwrap();
    // 3 at the end, 3 for the message, 1 for its role.
    assert_eq!(tokens.total, 7 + tiktally::o200k_base().count(&text));
    assert_eq!(estimate_json(&body).unwrap().total, tokens.total);
}

#[test]
fn ten_megabytes_of_open_brackets() {
    malformed(&"[".repeat(10_000_000));
    let nested = "[".repeat(10_000_000);
    malformed(&with_content(&nested));
    malformed(&with_keys(&format!(r#""metadata": {nested}"#)));
}

#[test]
fn schema_of_ten_thousand_levels() {
    let open = r#"{"type": "object", "properties": {"a": "#.repeat(10_000);
    let body = with_parameters(&format!("{open}{{}}{}", "}}".repeat(10_000)));
    malformed(&body);
}

#[test]
fn arguments_of_ten_thousand_levels() {
    let deep = format!(
        "{}{}",
        r#"{\"a\": "#.repeat(10_000),
        "1".to_owned() + &"}".repeat(10_000)
    );
    invalid(
        &with_arguments(&format!("\"{deep}\"")),
        "messages[1].tool_calls[0].function.arguments",
        &[],
    );
}

#[test]
fn image_is_remote() {
    unsupported(
        &with_image("https://example.com/dawn.png"),
        "messages[0].content[1].image_url.url",
        &["size"],
    );
}

#[test]
fn image_data_with_a_lying_header() {
    for url in [
        // "It is no image." as a PNG.
        "data:image/png;base64,SXQgaXMgbm8gaW1hZ2Uu",
        // A PNG that says it is 0 by 0.
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAAAAAAACAYAAAA=",
        // The first bytes of a JPEG and then nothing of its size.
        "data:image/jpeg;base64,/9j/4AAQSkZJRgABAQAAAQABAAD/2Q==",
    ] {
        invalid(
            &with_image(url),
            "messages[0].content[1].image_url.url",
            &["image"],
        );
    }
}

#[test]
fn image_data_that_is_cut_off() {
    for url in [
        "data:image/png;base64,",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEU",
        "data:image/png;base64,iVBORw0KGgoAAAANS*HE",
        "data:image/png;base64",
        "data:",
        "",
    ] {
        invalid(
            &with_image(url),
            "messages[0].content[1].image_url.url",
            &[],
        );
    }
}

#[test]
fn image_detail_is_unknown() {
    invalid(
        &with_content(
            r#"[{"type": "image_url", "image_url": {"url": "https://example.com/dawn.png", "detail": "blurred"}}]"#,
        ),
        "messages[0].content[0].image_url.detail",
        &["blurred"],
    );
}

#[test]
fn response_format_type_is_unknown() {
    invalid(
        &with_keys(r#""response_format": {"type": "verse"}"#),
        "response_format.type",
        &["verse"],
    );
}

#[test]
fn json_schema_without_name() {
    invalid(
        &with_keys(
            r#""response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "object"}}}"#,
        ),
        "response_format.json_schema",
        &["name"],
    );
}

#[test]
fn numbers_that_json_does_not_have() {
    for number in [
        "NaN",
        "Infinity",
        "-Infinity",
        "+1",
        "01",
        "1.",
        ".5",
        "0x10",
        "1e",
    ] {
        malformed(&with_content(number));
        malformed(&with_keys(&format!(r#""temperature": {number}"#)));
    }
}

#[test]
fn huge_numbers() {
    // Whether the reader of JSON or the reader of messages sees it first is not laid down.
    for number in ["1e999", "-1e999", &"9".repeat(400)] {
        let error = refused(&with_content(number));
        assert!(error.is_invalid_chat(), "{error}");
        assert!(
            ["", "messages[0].content"].contains(&error.path().unwrap()),
            "{error}"
        );
        assert!(!error.to_string().is_empty());
    }
}

#[test]
fn half_a_surrogate_pair() {
    for escape in [
        r"\ud83c",
        r"\udf0a",
        r"\ud83c\ud83c",
        r"\ud83cx",
        r"\ud8",
        r"\uZZZZ",
    ] {
        malformed(&with_content(&format!("\"{escape}\"")));
    }
    assert!(count_json(&with_content(r#""\ud83c\udf0a""#)).is_ok());
}

#[test]
fn raw_control_characters_in_strings() {
    malformed(&with_content("\"two\nlines\""));
    malformed(&with_content("\"a\0b\""));
}

#[test]
fn reasoning_tools_are_only_estimated() {
    let body = r#"{"model": "gpt-5", "messages": [{"role": "user", "content": "Ping?"}],
        "tools": [{"type": "function", "function": {"name": "ping", "description": "Say that you are there"}}]}"#;
    let error = count_json(body).unwrap_err();
    assert!(error.is_estimate_only(), "{error}");
    assert!(
        !error.is_invalid_chat() && !error.is_unsupported_content(),
        "{error}"
    );
    assert_eq!(error.path(), None);
    says(&error, &["estimate"]);
    // 2 (end) + [3 + 1 + 2] + 20 (tool text) + 9 + 82.
    let tokens = estimate_json(body).unwrap();
    assert_eq!(tokens.total, 119);
    assert!(matches!(tokens.exactness, Exactness::Estimate { .. }));
}

#[test]
fn unknown_keys_of_the_body_make_an_estimate() {
    let body = with_keys(r#""weather": "rain""#);
    let error = count_json(&body).unwrap_err();
    assert!(error.is_estimate_only(), "{error}");
    assert_eq!(error.path(), None);
    says(&error, &["weather"]);
    let tokens = estimate_json(&body).unwrap();
    // 3 (end) + [3 + 1 + 2].
    assert_eq!(tokens.total, 9);
    assert!(matches!(tokens.exactness, Exactness::Estimate { .. }));
}

/// What `$ref` makes of little bodies must not take forever: each of these ends, with a count or an error.
#[test]
fn references_that_multiply() {
    let many = |entry: &dyn Fn(usize) -> String, n: usize| {
        let entries: Vec<String> = (0..n).map(entry).collect();
        entries.join(",")
    };
    let to_big = |n| many(&|i| format!(r##""p{i}": {{"$ref": "#/$defs/big"}}"##), n);
    let n = 20_000;
    let names = many(&|i| format!("\"r{i}\""), n);
    let keys = many(&|i| format!("\"x{i}\": 0"), n);
    let bodies = [
        // a definition with a long blank description, many required keys, many unknown keys
        format!(
            r#""big": {{"type": "string", "description": "{}"}}"#,
            " ".repeat(n * 20)
        ),
        format!(
            r#""big": {{"type": "object", "properties": {{"a": {{"type": "null"}}}}, "required": [{names}]}}"#
        ),
        format!(r#""big": {{"type": "string", {keys}}}"#),
    ];
    for defs in bodies {
        let body = with_parameters(&format!(
            r#"{{"type": "object", "properties": {{{}}}, "$defs": {{{defs}}}}}"#,
            to_big(n)
        ));
        if let Err(error) = estimate_json(&body) {
            assert!(error.is_invalid_chat(), "{error}");
            assert!(
                error
                    .path()
                    .is_some_and(|path| path.starts_with("tools[0].function.parameters"))
            );
        }
    }
    let chain = many(
        &|i| format!(r##""d{i}": {{"$ref": "#/$defs/d{}"}}"##, i + 1),
        n,
    );
    let body = with_parameters(&format!(
        r##"{{"type": "object", "properties": {{"a": {{"$ref": "#/$defs/d0"}}}}, "$defs": {{{chain}}}}}"##
    ));
    let path = "tools[0].function.parameters.properties.a";
    invalid(&body, path, &["128 levels"]);
}

#[test]
fn places_of_doubts_are_short() {
    let key = "k".repeat(1_000_000);
    let schema = format!(
        r#"{{"type": "object", "properties": {{"{key}": {{"type": "string", "format": "date"}}}}}}"#
    );
    let Exactness::Estimate { reason } =
        estimate_json(&with_parameters(&schema)).unwrap().exactness
    else {
        panic!("a format was never seen");
    };
    assert!(reason.len() < 400, "{}", reason.len());
}
