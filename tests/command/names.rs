//! Names of models: the table of them, patterns, and suggestions for unknown ones. Cuts that keep grapheme clusters.

use serde_json::{Value, json};
use tiktally::Cut;

use crate::common::run;

/// Returns the names in the table that `tiktally models` prints.
fn listed(args: &[&str]) -> Vec<String> {
    let (code, stdout, stderr) = run(&[&["models"], args].concat(), "");
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{args:?}");
    let rows = stdout.lines().skip(1).take_while(|line| !line.is_empty());
    rows.map(|row| row.split(' ').next().unwrap().to_owned())
        .collect()
}

#[test]
fn models_by_pattern() {
    let all = listed(&[]);
    assert_eq!(all, tiktally::context_window_names().collect::<Vec<_>>());
    let with = |part: &str| -> Vec<String> {
        let names = all.iter().filter(|name| name.contains(part));
        names.cloned().collect()
    };
    assert_eq!(listed(&["gpt-4o"]), with("gpt-4o"));
    assert_eq!(listed(&["GPT-4O"]), with("gpt-4o"));
    assert_eq!(listed(&["codex"]), with("codex"));
    assert_eq!(listed(&[""]), all);
    assert_eq!(listed(&["*"]), all);
    assert_eq!(listed(&["gpt-4"]), with("gpt-4"));
    assert_eq!(listed(&["gpt-?"]), ["gpt-2", "gpt-4", "gpt-5"]);
    assert_eq!(listed(&["O?-mini"]), ["o1-mini", "o3-mini", "o4-mini"]);
    assert_eq!(listed(&["{curie,ada}"]), ["ada", "curie"]);
    assert_eq!(listed(&["o[34]-mini"]), ["o3-mini", "o4-mini"]);
}

#[test]
fn models_in_json() {
    let read = |args: &[&str]| -> Value {
        let (code, stdout, stderr) = run(&[&["models", "--json"], args].concat(), "");
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{args:?}");
        assert_eq!(stdout.lines().count(), 1);
        serde_json::from_str(&stdout).unwrap()
    };
    assert_eq!(
        read(&["text-embedding-3-*"]),
        json!({"as_of": "2026-11-21", "models": [
            {"model": "text-embedding-3-large", "encoding": "cl100k_base", "context": 8192, "max_input": null, "max_output": null},
            {"model": "text-embedding-3-small", "encoding": "cl100k_base", "context": 8192, "max_input": null, "max_output": null},
        ]})
    );
    // the order of the keys stays too
    let (_, stdout, _) = run(&["models", "--json", "gpt-5"], "");
    let first = r#"{"as_of":"2026-11-21","models":[{"model":"gpt-5","encoding":"o200k_base","context":400000,"max_input":272000,"max_output":128000},"#;
    assert!(stdout.starts_with(first), "{stdout}");

    let all = read(&[]);
    let all = all["models"].as_array().unwrap();
    assert_eq!(all.len(), tiktally::context_window_names().count());
    let find = |name: &str| all.iter().find(|row| row["model"] == name).unwrap();
    assert_eq!(find("gpt-35-turbo")["context"], Value::Null);
    assert_eq!(find("chat-latest")["encoding"], Value::Null);

    let tuned = "ft:gpt-4o-mini-2024-07-18:Org::Id";
    assert_eq!(
        read(&[tuned])["models"],
        json!([{"model": tuned, "encoding": "o200k_base", "context": 128_000, "max_input": null, "max_output": 16_384}])
    );
    assert_eq!(listed(&[tuned]), [tuned]);
}

#[test]
fn no_model_matches() {
    for (pattern, hint) in [
        ("gpt4o", r#"did you mean "gpt-4o"?"#),
        ("openai/gpt-4o", r#"did you mean "gpt-4o"?"#),
        ("claude", "`tiktally models` lists all"),
        ("*gpt", "`tiktally models` lists all"),
        ("ft:gpt-4o-anything:org::id", "`tiktally models` lists all"),
        ("\x1b[31m]", "`tiktally models` lists all"),
    ] {
        let (code, stdout, stderr) = run(&["models", pattern], "");
        let message = format!("tiktally: no model matches {pattern:?}; {hint}\n");
        assert_eq!(
            (code, stdout.as_str(), stderr),
            (Some(1), "", message.clone())
        );
        let (code, stdout, stderr) = run(&["models", "--json", pattern], "");
        let none = "{\"as_of\":\"2026-11-21\",\"models\":[]}\n";
        assert_eq!((code, stdout.as_str(), stderr), (Some(1), none, message));
    }
    for (args, complaint) in [
        (
            &["models", "gpt-[4"][..],
            "invalid value 'gpt-[4' for '[PATTERN]'",
        ),
        (&["models", "gpt-4", "gpt-5"], "unexpected argument 'gpt-5'"),
    ] {
        let (code, stdout, stderr) = run(args, "");
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(stderr.contains(complaint), "{args:?}: {stderr}");
    }
}

#[test]
fn near_names() {
    for (args, code, complaint) in [
        (
            &["count", "-m", "gpt4o"][..],
            2,
            r#"the model "gpt4o"; did you mean "gpt-4o"? Otherwise choose an encoding by name"#,
        ),
        (
            &["encode", "-m", "openai/gpt-4o"],
            2,
            r#"did you mean "gpt-4o"?"#,
        ),
        (
            &["truncate", "-n", "4", "-m", "GPT-4"],
            2,
            r#"did you mean "gpt-4"?"#,
        ),
        (&["count", "-e", "cl100k"], 2, "'cl100k_base'"),
        (
            &["count", "--window", "gpt4o"],
            2,
            r#"the model "gpt4o"; did you mean "gpt-4o"? Otherwise, `tiktally models` lists the known ones"#,
        ),
        (
            &["chat", "-m", "azure/gpt-4o"],
            2,
            r#"the model "azure/gpt-4o"; did you mean "gpt-4o"? Otherwise choose a known model with -m"#,
        ),
        (
            &["chat"],
            1,
            r#"the model "GPT-4o"; did you mean "gpt-4o"? Otherwise choose a known model with -m"#,
        ),
    ] {
        let body = r#"{"model": "GPT-4o", "messages": [{"role": "user", "content": "Hello!"}]}"#;
        let (found, stdout, stderr) = run(args, body);
        assert_eq!(
            (found, stdout.as_str()),
            (Some(code), ""),
            "{args:?}: {stderr}"
        );
        assert!(stderr.contains(complaint), "{args:?}: {stderr}");
    }
    let (_, _, stderr) = run(&["count", "-m", "gpt-6"], "");
    assert!(!stderr.contains("did you mean"), "{stderr}");
}

/// The window of a fine-tuned model is that of its base model.
#[test]
fn window_of_a_fine_tuned_model() {
    let model = "ft:gpt-4o-mini-2024-07-18:org::id";
    let (code, stdout, stderr) = run(&["count", "--window", model, "--json"], "Hello!");
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["window"]["model"], model);
    assert_eq!(report["window"]["context"], 128_000, "{report}");
}

#[test]
fn graphemes() {
    let family = "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}";
    let text = format!("hello {family} world");
    let printed = |args: &[&str]| {
        let (code, stdout, stderr) = run(args, &text);
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{args:?}");
        stdout
    };
    assert_eq!(printed(&["truncate", "-n", "4"]), "hello \u{1f469}\u{200d}");
    assert_eq!(printed(&["truncate", "-n", "4", "--graphemes"]), "hello ");
    let end = ["truncate", "-n", "4", "--keep", "end", "--graphemes"];
    assert_eq!(printed(&end), " world");
    let chunks = |args: &[&str]| -> Vec<String> {
        let stdout = printed(&[&["chunk", "--json", "--graphemes"], args].concat());
        let chunks = stdout.lines().map(|line| {
            let chunk: Value = serde_json::from_str(line).unwrap();
            chunk["text"].as_str().unwrap().to_owned()
        });
        chunks.collect()
    };
    let encoding = tiktally::o200k_base();
    let n = encoding.count(family);
    assert_eq!(
        chunks(&["-n", &n.to_string()]),
        ["hello ", family, " world"]
    );
    let both = encoding.chunks(&text, n + 3).unwrap();
    let both = both.prefer(Cut::Word).prefer(Cut::Grapheme);
    assert_eq!(
        chunks(&["-n", &(n + 3).to_string(), "--prefer", "word"]),
        both.collect::<Vec<_>>()
    );
    // a family that is too long is cut, and nothing is lost
    assert_eq!(chunks(&["-n", "4"]).concat(), text);
}
