//! Lower bounds: what has a known price is counted, what has none is listed.

use tiktally::chat::{
    AtLeast, Counter, Detail, Exactness, Family, Image, Message, Part, Request, at_least_json,
    count_json, estimate_json,
};

/// A body of chat completions for gpt-4o with these messages after a plain one.
fn chat(messages: &str, keys: &str) -> String {
    format!(
        r#"{{"model": "gpt-4o", "messages": [{{"role": "user", "content": "Hm."}}{messages}]{keys}}}"#
    )
}

/// A body of the Responses API for gpt-4o with these items after a plain one.
fn responses(items: &str, keys: &str) -> String {
    format!(
        r#"{{"model": "gpt-4o", "input": [{{"role": "user", "content": "Hm."}}{items}]{keys}}}"#
    )
}

fn reason(least: &AtLeast) -> &str {
    match &least.tokens.exactness {
        Exactness::Estimate { reason } => reason,
        other => panic!("{other:?}"),
    }
}

/// Asserts that these places are missing, that the rest costs as much as `rest`, and that the first is an error elsewhere.
#[track_caller]
fn misses(body: &str, paths: &[&str], rest: &str) {
    let least = at_least_json(body).unwrap();
    let found: Vec<&str> = least.missing.iter().map(|gap| gap.path.as_str()).collect();
    assert_eq!(found, paths);
    let rest = estimate_json(rest).unwrap();
    assert_eq!(least.tokens.total, rest.total);
    assert!(
        reason(&least).starts_with("this is a lower bound"),
        "{least:?}"
    );
    for error in [count_json(body), estimate_json(body)].map(Result::unwrap_err) {
        assert!(error.is_unsupported_content(), "{error}");
        assert_eq!(error.path(), Some(paths[0]));
        assert!(
            error.to_string().contains(&least.missing[0].reason),
            "{error}"
        );
    }
}

#[test]
fn nothing_is_missing() {
    for body in [
        chat("", ""),
        chat("", r#", "new_key": 1"#),
        chat(
            "",
            r#", "tools": [{"type": "function", "function": {"name": "ping"}}], "tool_choice": "none""#,
        ),
        responses("", r#", "instructions": "Be brief.""#),
        r#"{"model": "text-embedding-3-small", "input": ["a", "b"]}"#.to_owned(),
    ] {
        let least = at_least_json(&body).unwrap();
        assert_eq!(least.missing, []);
        assert_eq!(least.tokens, estimate_json(&body).unwrap());
    }
    let counter = Counter::for_model("gpt-4o").unwrap();
    let request = Request::new([Message::user("Hm.")]);
    let least = counter.at_least(&request).unwrap();
    assert_eq!(least.tokens, counter.count(&request).unwrap());
}

#[test]
fn faults_stay_errors() {
    let audio = r#", {"role": "user", "content": [{"type": "input_audio"}]}"#;
    for keys in [
        r#", "tools": [{"type": "function", "function": {}}]"#,
        r#", "tool_choice": "required""#,
    ] {
        let error = at_least_json(&chat(audio, keys)).unwrap_err();
        assert!(error.is_invalid_chat(), "{error}");
    }
    let error = at_least_json(r#"{"model": "llama", "messages": []}"#).unwrap_err();
    assert!(error.is_unknown_model(), "{error}");
    let error = at_least_json(r#"{"model": "gpt-4o-audio-preview", "input": "Hm."}"#).unwrap_err();
    assert!(error.is_unsupported_content(), "{error}");
    assert_eq!(error.path(), Some("model"));
}

#[test]
fn parts() {
    for kind in ["input_audio", "file", "refusal"] {
        // the texts on both sides are not joined
        let part = |part: &str| {
            format!(r#", {{"role": "user", "content": [{part}{{"type": "text", "text": "Hm."}}]}}"#)
        };
        misses(
            &chat(&part(&format!(r#"{{"type": "{kind}"}}, "#)), ""),
            &["messages[1].content[0]"],
            &chat(&part(""), ""),
        );
    }
    let item = |part: &str| {
        format!(
            r#", {{"role": "user", "content": [{{"type": "input_text", "text": "Hm."}}{part}]}}"#
        )
    };
    for (part, path) in [
        (
            r#"{"type": "input_file", "file_id": "f"}"#,
            "input[1].content[1]",
        ),
        (
            r#"{"type": "input_image", "file_id": "f"}"#,
            "input[1].content[1].file_id",
        ),
        (
            r#"{"type": "input_image", "image_url": "https://example.com"}"#,
            "input[1].content[1].image_url",
        ),
    ] {
        misses(
            &responses(&item(&format!(", {part}")), ""),
            &[path],
            &responses(&item(""), ""),
        );
    }
}

#[test]
fn keys_of_answers() {
    for key in [r#""refusal": "No.""#, r#""audio": {"id": "a"}"#] {
        let path = format!("messages[1].{}", key.split('"').nth(1).unwrap());
        misses(
            &chat(&format!(r#", {{"role": "assistant", {key}}}"#), ""),
            &[&path],
            &chat(r#", {"role": "assistant", "content": ""}"#, ""),
        );
        misses(
            &chat(
                &format!(r#", {{"role": "assistant", "content": "Hm.", {key}}}"#),
                "",
            ),
            &[&path],
            &chat(r#", {"role": "assistant", "content": "Hm."}"#, ""),
        );
    }
}

#[test]
fn keys_of_the_body() {
    for key in [
        "audio",
        "conversation",
        "data_sources",
        "prediction",
        "previous_response_id",
        "web_search_options",
    ] {
        misses(
            &chat("", &format!(r#", "{key}": {{"id": "x"}}"#)),
            &[key],
            &chat("", ""),
        );
    }
    misses(
        &responses("", r#", "reasoning": {"mode": "pro"}, "conversation": "c""#),
        &["conversation", "reasoning.mode"],
        &responses("", ""),
    );
    misses(
        &responses("", r#", "prompt": {"id": "p"}"#),
        &["prompt"],
        &responses("", ""),
    );
    let least = at_least_json(r#"{"model": "gpt-4o", "prompt": {"id": "p"}}"#).unwrap();
    assert_eq!((least.tokens.total, least.missing.len()), (0, 1));
}

#[test]
fn tools_that_are_not_functions() {
    let tools = |tools: &str| format!(r#", "tools": [{tools}]"#);
    let ping = r#"{"type": "function", "function": {"name": "ping", "description": "Answers"}}"#;
    let custom = r#"{"type": "custom", "custom": {"name": "shell"}}"#;
    let both = tools(&format!("{custom}, {ping}, {custom}"));
    misses(
        &chat("", &both),
        &["tools[0]", "tools[2]"],
        &chat("", &tools(ping)),
    );
    for choice in [
        r#""required""#,
        r#""none""#,
        r#"{"type": "custom", "custom": {"name": "shell"}}"#,
    ] {
        let keys = tools(custom) + r#", "tool_choice": "# + choice;
        let body = chat("", &keys);
        let least = at_least_json(&body).unwrap();
        assert_eq!(
            least.tokens.total,
            count_json(&chat("", "")).unwrap().total,
            "{choice}"
        );
    }
    let keys =
        both.clone() + r#", "tool_choice": {"type": "function", "function": {"name": "ping"}}"#;
    let least = at_least_json(&chat("", &keys)).unwrap();
    let keys = keys.replace(custom, ping);
    let rest = estimate_json(&chat("", &keys)).unwrap();
    assert_eq!(least.tokens.tool_choice, rest.tool_choice);
    assert!(rest.tool_choice > 0);

    let ping = r#"{"type": "function", "name": "ping", "description": "Answers"}"#;
    misses(
        &responses("", &tools(&format!(r#"{ping}, {{"type": "web_search"}}"#))),
        &["tools[1]"],
        &responses("", &tools(ping)),
    );
    misses(
        &responses(
            "",
            &(tools(ping) + r#", "tool_choice": {"type": "hosted_tool"}"#),
        ),
        &["tool_choice"],
        &responses("", &tools(ping)),
    );
    // one function beside other tools is not the only tool
    let keys =
        tools(&format!(r#"{ping}, {{"type": "web_search"}}"#)) + r#", "tool_choice": "required""#;
    let least = at_least_json(&responses("", &keys)).unwrap();
    assert_eq!(least.tokens.tool_choice, 0);
}

#[test]
fn calls_of_tools_that_are_not_functions() {
    let calls = r#", {"role": "assistant", "content": "Hm.", "tool_calls": [
        {"id": "a", "type": "custom", "custom": {"name": "shell", "input": "ls"}}]},
        {"role": "tool", "tool_call_id": "a", "content": "src"}"#;
    let body = chat(calls, "");
    let least = at_least_json(&body).unwrap();
    assert_eq!(least.missing[0].path, "messages[1].tool_calls[0]");
    let rest = chat(r#", {"role": "assistant", "content": "Hm."}"#, "");
    let rest = count_json(&rest).unwrap();
    // the text of the result is one token, its frame is not known
    assert_eq!(least.tokens.total, rest.total + 1);
    assert_eq!(least.tokens.messages[2], 1);
    // results must still have their calls
    let error = at_least_json(&body.replace(r#""tool_call_id": "a""#, r#""tool_call_id": "b""#));
    assert!(error.unwrap_err().is_invalid_chat());

    misses(
        &responses(
            r#", {"type": "web_search_call", "id": "w"}, {"type": "reasoning", "encrypted_content": "x"},
            {"type": "function_call", "call_id": "a", "name": "ping", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "a", "output": "src"}"#,
            "",
        ),
        &["input[1]", "input[2]"],
        &responses(
            r#", {"type": "function_call", "call_id": "a", "name": "ping", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "a", "output": "src"}"#,
            "",
        ),
    );
}

#[test]
fn images_in_results_and_in_other_messages() {
    let pixel =
        "data:image/gif;base64,R0lGODlhAwACAPAAAP8AAP///yH5BAAAAAAALAAAAAADAAIAAAIChF8AOw==";
    let calls = |content: &str| {
        chat(
            &format!(
                r#", {{"role": "assistant", "tool_calls": [
                {{"id": "a", "type": "function", "function": {{"name": "look", "arguments": "{{}}"}}}}]}},
                {{"role": "tool", "tool_call_id": "a", "content": [{content}{{"type": "text", "text": "src"}}]}}"#
            ),
            "",
        )
    };
    let image = format!(r#"{{"type": "image_url", "image_url": "{pixel}"}}, "#);
    misses(
        &calls(&format!("{image}{image}")),
        &["messages[2].content"],
        &calls(""),
    );
    let outputs = |content: &str| {
        responses(
            &format!(
                r#", {{"type": "function_call", "call_id": "a", "name": "look", "arguments": "{{}}"}},
                {{"type": "function_call_output", "call_id": "a", "output": [
                {content}{{"type": "input_text", "text": "src"}}]}}"#
            ),
            "",
        )
    };
    let image = format!(r#"{{"type": "input_image", "image_url": "{pixel}"}}, "#);
    misses(&outputs(&image), &["input[2].output"], &outputs(""));
    // a link in a result is listed once
    let link = image.replace(pixel, "https://example.com");
    misses(
        &outputs(&link),
        &["input[2].output[0].image_url"],
        &outputs(""),
    );

    let counter = Counter::for_model("gpt-4o").unwrap();
    let parts = [
        Part::text("a"),
        Part::text("b"),
        Image::new(1, 1, Detail::Low).into(),
    ];
    let least = counter
        .at_least(&Request::new([Message::system(parts)]))
        .unwrap();
    assert_eq!(least.missing[0].path, "messages[0].content[2]");
    assert_eq!(least.tokens.images, 0);
}

#[test]
fn models_without_a_price_for_images_or_tools() {
    let image = Image::new(100, 100, Detail::High);
    let counter = Counter::new(Family::Modern, tiktally::o200k_base());
    let request = Request::new([
        Message::user([image.into(), Part::text("Hm.")]),
        Message::user(image),
    ]);
    let least = counter.at_least(&request).unwrap();
    let paths: Vec<&str> = least.missing.iter().map(|gap| gap.path.as_str()).collect();
    assert_eq!(paths, ["messages[0].content[0]", "messages[1].content[0]"]);
    let rest = Request::new([Message::user("Hm."), Message::user("")]);
    assert_eq!(least.tokens.total, counter.count(&rest).unwrap().total);
    assert!(reason(&least).contains("2 parts"));

    let body = chat(
        r#", {"role": "assistant", "content": "Hm.", "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "look", "arguments": "{}"}},
        {"id": "b", "type": "function", "function": {"name": "look", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "b", "content": "src"},
        {"role": "tool", "tool_call_id": "a", "content": "src"}"#,
        r#", "tools": [{"type": "function", "function": {"name": "look"}}],
        "tool_choice": {"type": "function", "function": {"name": "look"}}"#,
    );
    let count = |model: &str, paths: &[&str]| {
        let least = Counter::for_model(model)
            .unwrap()
            .at_least_json(&body)
            .unwrap();
        let found: Vec<&str> = least.missing.iter().map(|gap| gap.path.as_str()).collect();
        assert_eq!(found, paths);
        assert_eq!(least.tokens.messages.len(), 4);
        least.tokens
    };
    let oldest = count("gpt-3.5-turbo-0301", &["messages[1].tool_calls", "tools"]);
    assert_eq!((oldest.tools, oldest.tool_choice), (0, 0));
    let older = count("gpt-3.5-turbo-0613", &["messages[1].tool_calls"]);
    assert!(older.tools > 0 && older.tool_choice > 0);
    assert_eq!(older.messages[2..], [1, 1]);
}

#[test]
fn sizes_of_links_come_from_the_caller() {
    let counter = Counter::for_model("gpt-4o")
        .unwrap()
        .with_image_sizes(|url| match url {
            "https://example.com/a" => Some((1024, 768)),
            _ => None,
        });
    let sized = Request::new([Message::user(Image::new(1024, 768, Detail::High))]);
    let chat = |name: &str, detail: &str| {
        format!(
            r#"{{"messages": [{{"role": "user", "content": [
            {{"type": "image_url", "image_url": {{"url": "https://example.com/{name}", "detail": "{detail}"}}}}]}}]}}"#
        )
    };
    let responses = |name: &str| {
        format!(
            r#"{{"input": [{{"role": "user", "content": [
            {{"type": "input_image", "image_url": "https://example.com/{name}"}}]}}]}}"#
        )
    };
    let images = counter.estimate(&sized).unwrap().images;
    assert_eq!(images, 765);
    for body in [chat("a", "high"), responses("a")] {
        assert_eq!(counter.estimate_json(&body).unwrap().images, images);
        assert_eq!(counter.at_least_json(&body).unwrap().missing, []);
        assert_eq!(counter.clone().estimate_json(&body).unwrap().images, images);
    }
    for (body, path) in [
        (chat("b", "high"), "messages[0].content[0].image_url.url"),
        (responses("b"), "input[0].content[0].image_url"),
    ] {
        let error = counter.estimate_json(&body).unwrap_err();
        assert_eq!(error.path(), Some(path));
        assert!(error.to_string().contains("with_image_sizes"), "{error}");
        assert_eq!(counter.at_least_json(&body).unwrap().missing[0].path, path);
    }
    // at low detail, only patch models need the size
    let low = counter.estimate_json(&chat("b", "low"));
    assert_eq!(low.unwrap().images, 85);
    let mini = Counter::for_model("gpt-5-mini").unwrap();
    let low = chat("a", "low");
    let least = mini.at_least_json(&low).unwrap();
    assert_eq!(least.missing[0].path, "messages[0].content[0]");
    let mini = mini.with_image_sizes(|_| Some((64, 64)));
    assert_eq!(mini.estimate_json(&low).unwrap().images, 6);

    let counter = mini.with_image_sizes(|_| panic!("the image is in its URL"));
    let inline = r#"{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url":
        "data:image/gif;base64,R0lGODlhAwACAPAAAP8AAP///yH5BAAAAAAALAAAAAADAAIAAAIChF8AOw=="}]}]}"#;
    assert!(counter.estimate_json(inline).is_ok());
    assert!(format!("{counter:?}").contains("ImageSizes"));
}

/// Many gaps are listed in one reading.
#[test]
fn many_gaps() {
    let n = 20_000;
    let link = r#"{"type": "image_url", "image_url": "https://example.com"}"#;
    let parts = vec![link; n].join(",");
    let body = chat(
        &format!(r#", {{"role": "user", "content": [{parts}]}}"#),
        "",
    );
    let least = at_least_json(&body).unwrap();
    assert_eq!(least.missing.len(), n);
    assert!(reason(&least).len() < 200);
    assert_eq!(
        least.missing[n - 1].path,
        format!("messages[1].content[{}].image_url", n - 1)
    );
}
