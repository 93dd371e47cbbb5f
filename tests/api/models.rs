//! Model names against tiktoken's own answers, and the table of context windows.

use std::path::Path;

use serde_json::Value;
use tiktally::{context_window, context_window_names, encoding_name_for_model, get_encoding};

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
        "claude",
        "ft:",
        "ft::acme",
        "FT:gpt-4o:acme::x",
        "ft:ft:gpt-4o:acme::x",
        "ft:gpt-4o-anything:acme::x",
        "ft:gpt-35-turbo:acme::x",
        "openai/ft:gpt-4o:acme::x",
        "gpt-4o:acme::x",
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

/// A fine-tuned model has the window of its base model.
#[test]
fn windows_of_fine_tuned_models() {
    for (tuned, base) in [
        (
            "ft:gpt-4o-mini-2024-07-18:org::id",
            "gpt-4o-mini-2024-07-18",
        ),
        ("ft:gpt-4o-2024-08-06:org:name:id", "gpt-4o-2024-08-06"),
        (
            "ft:gpt-3.5-turbo-0125:org::id:ckpt-step-90",
            "gpt-3.5-turbo-0125",
        ),
        (
            "ft:gpt-4.1-nano-2025-04-14:Org::Id",
            "gpt-4.1-nano-2025-04-14",
        ),
        ("ft:davinci-002", "davinci-002"),
    ] {
        assert!(context_window(base).is_some(), "{base}");
        assert_eq!(context_window(tuned), context_window(base), "{tuned}");
        assert!(context_window_names().all(|name| name != tuned));
    }
}

#[test]
fn unknown_models_have_near_names() {
    for (unknown, near) in [
        ("gpt4o", "gpt-4o"),
        ("GPT-4o", "gpt-4o"),
        ("Gpt 4o Mini", "gpt-4o-mini"),
        (" gpt-4o\n", "gpt-4o"),
        ("gtp-4o", "gpt-4o"),
        ("gpt-40", "gpt-4o"),
        ("gpt4o-2024-08-06", "gpt-4o-2024-08-06"),
        ("gpt4.1-nano", "gpt-4.1-nano"),
        ("gpt35-turbo", "gpt-3.5-turbo"),
        ("gpt5", "gpt-5"),
        ("o3mini", "o3-mini"),
        ("O1", "o1"),
        ("01-preview", "o1-preview"),
        ("davinci-2", "davinci-002"),
        ("gpt-oss", "gpt-oss-20b"),
        ("gpt-4.5", "gpt-4.5-preview"),
        ("text-embedding-3", "text-embedding-3-small"),
        ("text-embeding-3-large", "text-embedding-3-large"),
        // providers and variants
        ("openai/gpt-4o", "gpt-4o"),
        ("azure/gpt-4o", "gpt-4o"),
        ("azure/gpt-35-turbo", "gpt-35-turbo"),
        ("Azure/GPT-35-Turbo", "gpt-35-turbo"),
        ("openrouter/openai/gpt-4o-mini", "gpt-4o-mini"),
        ("openai:gpt-4o", "gpt-4o"),
        ("openai/gpt-4o:free", "gpt-4o"),
        ("openai/gpt-4o-mini:online", "gpt-4o-mini"),
        ("openai/gpt4o", "gpt-4o"),
        // what is no listed name, but has an encoding
        ("openai/gpt-5.9", "gpt-5.9"),
        ("GPT-4o-2031-01-01", "gpt-4o-2031-01-01"),
        ("openai/ft:gpt-4o:Org::Id", "ft:gpt-4o:Org::Id"),
        ("FT:GPT4o-mini:Org::Id", "ft:gpt-4o-mini:Org::Id"),
    ] {
        let error = encoding_name_for_model(unknown).unwrap_err();
        assert_eq!(error.suggestion(), Some(near), "{unknown:?}");
        assert!(error.is_unknown_model());
        assert!(encoding_name_for_model(near).is_ok());
        let message = error.to_string();
        let question = format!("the model {unknown:?}; did you mean {near:?}? Otherwise");
        assert!(message.contains(&question), "{message}");
    }
}

#[test]
fn unknown_encodings_have_near_names() {
    for (unknown, near) in [
        ("cl100k", "cl100k_base"),
        ("CL100K_BASE", "cl100k_base"),
        ("cl100k-base", "cl100k_base"),
        ("cl1OOk_base", "cl100k_base"),
        ("o200k", "o200k_base"),
        ("o20k_base", "o200k_base"),
        ("p50k", "p50k_base"),
        ("r50k", "r50k_base"),
        ("gpt-2", "gpt2"),
        // names of models
        ("gpt-4o", "o200k_base"),
        ("gpt-4", "cl100k_base"),
    ] {
        let error = get_encoding(unknown).unwrap_err();
        assert!(error.is_unknown_encoding());
        assert_eq!(error.suggestion(), Some(near), "{unknown:?}");
        let message = error.to_string();
        let question = format!("did you mean {near:?}? Otherwise use one of gpt2, ");
        assert!(message.contains(&question), "{message}");
    }
}

/// Other models, other numbers, nonsense and huge names get no suggestion, and no name is a suggestion for itself.
#[test]
fn names_that_are_not_near() {
    let huge = [
        "gpt4o".repeat(1_000_000),
        "/".repeat(1_000_000),
        ":".repeat(1_000_000),
    ];
    for unknown in [
        "",
        " ",
        "-",
        "/",
        ":",
        "//::",
        "ft:",
        "ft::",
        "ft:ft:",
        "最",
        "é/é",
        "\0",
        "\u{1f980}",
        "gpt",
        "gpt-",
        "gpt-3",
        "gpt-6",
        "gpt-7o",
        "o2",
        "o5-mini",
        "text",
        "code",
        "text-davinci-009",
        "claude-3",
        "claude-3-opus",
        "gemini-3-pro",
        "llama-3",
        "mistral",
        "mixtral-8x7b",
        "qwen3",
        "phi-4",
        "deepseek-r1",
        "text-embedding-004",
        "command-r",
        "our-deployment",
        "anthropic/claude-3",
        "cl100k_base",
    ]
    .into_iter()
    .chain(huge.iter().map(String::as_str))
    {
        let error = encoding_name_for_model(unknown).unwrap_err();
        assert_eq!(error.suggestion(), None, "{unknown:.40}");
        assert!(
            error
                .to_string()
                .ends_with("choose an encoding by name instead")
        );
    }
    for unknown in [
        "",
        "base",
        "cl200k",
        "cl100k_bass_clarinet",
        "gpt3",
        "o300k_base",
        "最",
        &huge[0],
    ] {
        assert_eq!(
            get_encoding(unknown).unwrap_err().suggestion(),
            None,
            "{unknown:.40}"
        );
    }
    // other errors have none
    assert_eq!(
        get_encoding("gpt2")
            .err()
            .and_then(|error| error.suggestion().map(str::to_owned)),
        None
    );
}

/// A name cannot steer a terminal through the suggestion.
#[test]
fn suggestions_are_escaped() {
    let error = encoding_name_for_model("openai/gpt-5\u{1b}[31m").unwrap_err();
    assert_eq!(error.suggestion(), Some("gpt-5\u{1b}[31m"));
    assert!(!error.to_string().contains('\u{1b}'), "{error}");
}
