//! Broken chat bodies: `count_json` and `estimate_json` refuse each with the right predicate, the exact path and a
//! message that names the fault. They never panic or overflow the stack.
//!
//! Most bodies are rows of `refused.json`.

use std::panic::catch_unwind;

use serde::Deserialize;
use serde_json::value::RawValue;
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

/// A body with an image that has this URL, a JSON string.
fn with_image(url: &str) -> String {
    with_content(&format!(
        r#"[{{"type": "text", "text": "What is it?"}}, {{"type": "image_url", "image_url": {{"url": {url}}}}}]"#
    ))
}

/// Returns the error, and asserts that both calls return the same one.
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

/// Asserts that the message is one short line that begins with the path and contains all of `words`.
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

/// Asserts that the API does not accept the value at this path.
#[track_caller]
fn invalid(body: &str, path: &str, words: &[&str]) {
    let error = refused(body);
    assert!(error.is_invalid_chat(), "{error}");
    assert!(!error.is_unsupported_content(), "{error}");
    assert!(!error.is_unknown_model(), "{error}");
    assert_eq!(error.path(), Some(path), "{error}");
    says(&error, words);
}

/// Asserts that the body is not JSON: the error has no path, but line and column.
#[track_caller]
fn malformed(body: &str) {
    invalid(body, "", &["line", "column"]);
}

/// Asserts that the cost of the value at this path is unknown.
#[track_caller]
fn unsupported(body: &str, path: &str, words: &[&str]) {
    let error = refused(body);
    assert!(error.is_unsupported_content(), "{error}");
    assert!(!error.is_invalid_chat(), "{error}");
    assert_eq!(error.path(), Some(path), "{error}");
    says(&error, words);
}

/// A row of `refused.json`: a body with one fault, and how it is refused.
#[derive(Deserialize)]
struct Row<'a> {
    name: String,
    kind: &'a str,
    path: String,
    words: Vec<String>,
    /// The part of a body that `piece` is.
    place: &'a str,
    #[serde(borrow)]
    piece: &'a RawValue,
}

impl Row<'_> {
    fn body(&self) -> String {
        let piece = self.piece.get();
        match self.place {
            "body" => piece.to_owned(),
            "messages" => with_messages(piece),
            "content" => with_content(piece),
            "keys" => with_keys(&piece[1..piece.len() - 1]),
            "parameters" => with_parameters(piece),
            "arguments" => with_arguments(piece),
            "image" => with_image(piece),
            other => panic!("the place {other:?}"),
        }
    }

    fn check(&self) {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        match self.kind {
            "invalid" => invalid(&self.body(), &self.path, &words),
            "unsupported" => unsupported(&self.body(), &self.path, &words),
            other => panic!("the kind {other:?}"),
        }
    }
}

#[test]
fn rows() {
    let rows: Vec<Row<'_>> = serde_json::from_str(include_str!("refused.json")).unwrap();
    assert!(rows.len() >= 71);
    let wrong = rows
        .iter()
        .filter(|row| catch_unwind(|| row.check()).is_err());
    let wrong: Vec<_> = wrong
        .map(|row| format!("{}: {}", row.name, row.piece))
        .collect();
    assert!(wrong.is_empty(), "rows that fail:\n{}", wrong.join("\n"));
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
fn trailing_data_after_the_body() {
    let body = with_content(r#""Hm.""#);
    for tail in ["x", "{}", ",", "\n]", "\0"] {
        malformed(&format!("{body}{tail}"));
    }
    assert!(count_json(&format!("{body} \n\t\r\n")).is_ok());
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
    // too deep to be read as JSON: they are counted as the text that they are
    let body = with_arguments(&format!("\"{deep}\""));
    assert!(count_json(&body).unwrap_err().is_estimate_only());
    assert!(estimate_json(&body).unwrap().total > 10_000);
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
fn broken_escapes() {
    for escape in [
        r"\ud8",
        r"\uZZZZ",
        r"\u+d83",
        r"\ud83c\u",
        r"\ud83c\ud8",
        r"\ud83c\x",
        r"\ud83",
    ] {
        malformed(&with_content(&format!("\"{escape}\"")));
    }
    // outside of a string, and beside another fault
    malformed(&with_content(r"\ud83c"));
    malformed(&with_content(r#""\ud83c" "#).replace('}', ""));
    malformed("\"\\ud83c");
    malformed("\\");
    assert!(count_json(&with_content(r#""\ud83c\udf0a""#)).is_ok());
}

#[test]
fn schemas_that_refer_to_each_other() {
    // each of twelve definitions refers to all of them: without a bound, 12! ways lead through them
    let n = 12;
    let all: Vec<String> = (0..n)
        .map(|i| format!(r##""p{i}": {{"$ref": "#/$defs/d{i}"}}"##))
        .collect();
    let all = all.join(",");
    let definitions: Vec<String> = (0..n)
        .map(|i| format!(r#""d{i}": {{"type": "object", "properties": {{{all}}}}}"#))
        .collect();
    let schema = format!(
        r#"{{"type": "object", "properties": {{{all}}}, "$defs": {{{}}}}}"#,
        definitions.join(",")
    );
    let error = refused(&with_parameters(&schema));
    assert!(error.is_invalid_chat(), "{error}");
    says(&error, &["too large"]);
}

#[test]
fn raw_control_characters_in_strings() {
    malformed(&with_content("\"two\nlines\""));
    malformed(&with_content("\"a\0b\""));
}

#[test]
fn models_without_recordings_are_only_estimated() {
    let body = r#"{"model": "gpt-5-2027-01-01", "messages": [{"role": "user", "content": "Ping?"}],
        "tools": [{"type": "function", "function": {"name": "ping", "description": "Say that you are there"}}]}"#;
    let error = count_json(body).unwrap_err();
    assert!(error.is_estimate_only(), "{error}");
    assert!(
        !error.is_invalid_chat() && !error.is_unsupported_content(),
        "{error}"
    );
    assert_eq!(error.path(), None);
    says(&error, &["estimate", "model"]);
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

/// `$ref` can make a small body very large. Each of these ends soon, with a count or an error.
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
