//! `--special` of `count`, `encode` and `show`.

use crate::common::{folder, printed, run, tiktally};
use tiktally::{Special, cl100k_base};

const TEXT: &str = "a<|endoftext|> b<|fim_prefix|>\n";

fn lines(ids: &[u32]) -> String {
    let lines: Vec<String> = ids.iter().map(|id| format!("{id}\n")).collect();
    lines.concat()
}

#[test]
fn tokens_or_text() {
    let base = ["-e", "cl100k_base"];
    let here = folder(&[("in.txt", TEXT.as_bytes())]);
    for (option, special) in [
        (&[][..], Special::AS_TEXT),
        (&["--special", "text"], Special::AS_TEXT),
        (&["--special", "token"], Special::ALLOW_ALL),
    ] {
        let ids = cl100k_base().encode(TEXT, special).unwrap();
        let args = |subcommand| [&[subcommand], &base[..], option].concat();
        assert_eq!(printed(&args("encode"), TEXT), lines(&ids));
        assert_eq!(printed(&args("count"), TEXT), format!("{}\n", ids.len()));
        let args = [&args("count"), &["in.txt"][..]].concat();
        let (_, stdout, _) = tiktally(here.path(), &args, b"");
        let row = format!("{:6}     31 ", ids.len());
        assert!(stdout.contains(&row), "{option:?}: {stdout}");
    }
    assert_eq!(
        printed(&["show", "-e", "cl100k_base", "--special", "token"], TEXT),
        "a│<|endoftext|>│ b│<|fim_prefix|>│⏎\n5 tokens, 31 bytes, cl100k_base\n"
    );
    let ids = printed(&["encode", "--special", "token"], TEXT);
    assert_eq!(printed(&["decode"], ids), TEXT);
}

#[test]
fn a_rejected_token_is_named_with_its_place() {
    let here = folder(&[
        ("in.txt", "é <|endoftext|>".as_bytes()),
        ("huge.txt", (late() + "<|endoftext|>").as_bytes()),
        ("fine.txt", b"<|no special token|>"),
    ]);
    for subcommand in [&["count"][..], &["encode"], &["show"]] {
        for (file, at) in [("in.txt", 3), ("huge.txt", 1_500_000)] {
            let args = [subcommand, &["--special", "reject", file]].concat();
            let (code, _, stderr) = tiktally(here.path(), &args, b"");
            let expected = format!(
                "tiktally: {file}: the special token \"<|endoftext|>\" at byte {at} of the text, counted from 0, is rejected; --special text takes it as plain text, and --special token as a token\n"
            );
            assert_eq!((code, stderr), (Some(1), expected), "{subcommand:?}");
        }
        let args = [subcommand, &["--special", "reject", "fine.txt"]].concat();
        let (code, ..) = tiktally(here.path(), &args, b"");
        assert_eq!(code, Some(0), "{subcommand:?}");
    }
    let (code, _, stderr) = run(&["count", "--special", "tokens"], "");
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("[possible values: text, token, reject]"),
        "{stderr}"
    );
}

/// Returns a text that is longer than what is counted as a whole.
fn late() -> String {
    "x".repeat(1_500_000)
}

/// Special tokens lie across the blocks that are read at a time, at every offset.
#[test]
fn tokens_across_blocks() {
    let text: String = (0..300_000)
        .map(|i| {
            let words = [
                "<|endoftext|>",
                "<|endof",
                "text|>",
                " word",
                "\nline ",
                "<",
            ];
            words[i * i % 7 % 6]
        })
        .collect();
    let specials = "<|endoftext|>".repeat(200_000);
    let long = format!("{}<|endoftext|>{}", late(), late());
    for text in [text, specials, long] {
        let ids = cl100k_base().encode(&text, Special::ALLOW_ALL).unwrap();
        let args = ["-e", "cl100k_base", "--special", "token"];
        let encoded = printed(&[&["encode"], &args[..]].concat(), &text);
        assert!(encoded == lines(&ids));
        let count = printed(&[&["count"], &args[..]].concat(), &text);
        assert_eq!(count, format!("{}\n", ids.len()));
        let here = folder(&[("in.txt", text.as_bytes())]);
        let args = [&["count", "--total-only", "in.txt"], &args[..]].concat();
        let (_, stdout, _) = tiktally(here.path(), &args, b"");
        assert_eq!(stdout, count);
    }
}

/// The advice of `chat` for a model whose prompts it cannot count is an option that exists.
#[test]
fn a_rendered_prompt() {
    let request = br#"{"model": "gpt-oss-120b", "messages": [{"role": "user", "content": "Hi"}]}"#;
    let (code, _, stderr) = run(&["chat"], request);
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("count the text with `tiktally count -e o200k_harmony --special token`"),
        "{stderr}"
    );
    let prompt = "<|start|>user<|message|>Hi<|end|><|start|>assistant";
    let args = ["count", "-e", "o200k_harmony", "--special", "token"];
    assert_eq!(printed(&args, prompt), "7\n");
}
