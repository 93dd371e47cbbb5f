//! Model names against tiktoken's own answers, and the table of context windows.

use std::path::Path;

use serde_json::Value;
use tiktally::{context_window, context_window_names, encoding_name_for_model};

#[test]
fn encoding_names_are_tiktokens() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    if !golden.exists() {
        println!("skipped: the published package carries no golden vectors");
        return;
    }
    let cases = std::fs::read_to_string(golden.join("models.jsonl")).unwrap();
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let model = case["model"].as_str().unwrap();
        match encoding_name_for_model(model) {
            Ok(encoding) => assert_eq!(case["encoding"], encoding, "{model:?}"),
            Err(error) => {
                assert_eq!(case["error"]["type"], "KeyError", "{model:?}");
                assert!(error.is_unknown_model());
                assert!(error.to_string().contains(&format!("{model:?}")));
            }
        }
    }
    println!("{} model names", cases.lines().count());
    assert!(cases.lines().count() >= 114);
}

#[test]
fn context_windows_by_exact_name() {
    let cases = [
        ("ada", 2_049, None, Some(2_049)),
        ("gpt-2", 1_024, None, Some(1_024)),
        ("gpt-3.5-turbo", 16_385, None, Some(4_096)),
        ("gpt-3.5-turbo-0301", 4_096, None, Some(4_096)),
        ("gpt-4", 8_192, None, Some(8_192)),
        ("gpt-4-turbo", 128_000, None, Some(4_096)),
        ("gpt-4.1", 1_047_576, None, Some(32_768)),
        ("gpt-4o", 128_000, None, Some(16_384)),
        ("gpt-4o-mini-transcribe", 16_000, None, Some(2_000)),
        ("gpt-5", 400_000, Some(272_000), Some(128_000)),
        ("gpt-5.6-sol", 1_050_000, Some(922_000), Some(128_000)),
        ("o1-mini", 128_000, None, Some(65_536)),
        ("text-embedding-3-small", 8_192, None, None),
        ("text-similarity-davinci-001", 8_191, None, None),
    ];
    for (model, context, max_input, max_output) in cases {
        let window = context_window(model).unwrap_or_else(|| panic!("{model}"));
        assert_eq!(
            (window.context, window.max_input, window.max_output),
            (context, max_input, max_output),
            "{model}"
        );
        assert_eq!(window.as_of, "2026-11-21");
    }
}

#[test]
fn no_window_is_made_up() {
    // The name of a deployment at Azure: tiktoken knows its encoding, and nobody its window.
    assert_eq!(context_window("gpt-35-turbo"), None);
    for model in [
        "",
        "-",
        "#",
        "gpt",
        "GPT-4o",
        "gpt-4o ",
        "gpt-4o-anything",
        "gpt-4o\t128000",
        "ft:gpt-4o",
        "claude",
    ] {
        assert_eq!(context_window(model), None, "{model:?}");
    }
}

#[test]
fn every_listed_name_has_a_window() {
    let without: Vec<_> = context_window_names()
        .filter(|name| context_window(name).is_none())
        .collect();
    assert_eq!(without, ["gpt-35-turbo"]);
    println!(
        "{} context windows",
        context_window_names().count() - without.len()
    );
}
