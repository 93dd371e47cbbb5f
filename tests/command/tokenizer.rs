//! Tokenizer files of other models, in every subcommand that encodes or decodes.

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tiktally::{Encoding, Special};

use crate::byte_level::small_vocab;
use crate::common::{folder, run, tiktally};

/// A text with a special token of each file.
const TEXT: &str = "ab abc 123 <s>naïve</s> 🦀<|end|>\n";

/// Returns a `tokenizer.json`: the bytes, `ab` and `abc`, in GPT-2's letters, and the special token `<s>`.
pub(crate) fn tokenizer_json() -> Value {
    json!({
        "version": "1.0",
        "added_tokens": [{"id": 258, "content": "<s>", "special": true}],
        "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
        "post_processor": null,
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "vocab": small_vocab(), "merges": ["a b", "ab c"]},
    })
}

/// Returns a `tekken.json` with the same tokens, after the special tokens of early versions.
pub(crate) fn tekken_json() -> Value {
    let token = |rank: u32, bytes: &[u8]| json!({"rank": rank, "token_bytes": STANDARD.encode(bytes), "token_str": null});
    let bytes = (0..=255).map(|byte: u8| token(byte.into(), &[byte]));
    let vocab: Vec<Value> = bytes
        .chain([token(256, b"ab"), token(257, b"abc")])
        .collect();
    json!({
        "config": {
            "pattern": tiktally::r50k_base().pattern(),
            "num_vocab_tokens": 258, "default_vocab_size": 288, "default_num_special_tokens": 30, "version": "v3",
        },
        "vocab": vocab,
    })
}

/// The pattern of Mistral's files.
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Returns a rank file with the same tokens and more of them.
pub(crate) fn rank_file(more: &[(&[u8], u32)]) -> String {
    let mut file = String::new();
    let bytes: Vec<u8> = (0..=255).collect();
    let tokens = bytes.chunks(1).zip(0..);
    for (token, rank) in tokens
        .chain([(&b"ab"[..], 256), (b"abc", 257)])
        .chain(more.iter().copied())
    {
        writeln!(file, "{} {rank}", STANDARD.encode(token)).unwrap();
    }
    file
}

/// Returns a folder with the files of a tokenizer in each format, and a text.
fn files() -> TempDir {
    let config = json!({"added_tokens_decoder": {"258": {"content": "<|end|>", "special": true}}});
    folder(&[
        ("tokenizer.json", tokenizer_json().to_string().as_bytes()),
        ("odd.name", tekken_json().to_string().as_bytes()),
        ("ranks", rank_file(&[]).as_bytes()),
        ("config.json", config.to_string().as_bytes()),
        ("text", TEXT.as_bytes()),
    ])
}

/// The options for each format, and the encoding that the library loads.
fn formats(here: &Path) -> [(&'static [&'static str], Encoding); 3] {
    let open = |name| std::fs::File::open(here.join(name)).unwrap();
    let ranks = Encoding::builder("ranks").pattern(tiktally::r50k_base().pattern());
    let ranks = ranks.ranks_from_tiktoken(open("ranks")).unwrap();
    let ranks = ranks.special_tokens_from_config(open("config.json"));
    [
        (
            &["--tokenizer", "tokenizer.json"],
            Encoding::from_tokenizer_json("json", open("tokenizer.json")).unwrap(),
        ),
        (
            &["--tokenizer", "odd.name"],
            Encoding::from_tekken_json("tekken", open("odd.name")).unwrap(),
        ),
        (
            &[
                "--tokenizer",
                "ranks",
                "--pattern",
                "gpt2",
                "--tokenizer-config",
                "config.json",
            ],
            ranks.unwrap().build().unwrap(),
        ),
    ]
}

#[test]
fn every_format_in_every_subcommand() {
    let here = files();
    for (options, encoding) in formats(here.path()) {
        let printed = |args: &[&str], stdin: &str| {
            let args = [args, options].concat();
            let (code, stdout, stderr) = tiktally(here.path(), &args, stdin.as_bytes());
            assert_eq!((code, stderr.as_str()), (Some(0), ""), "{args:?}");
            stdout
        };
        let plain = encoding.encode_ordinary(TEXT);
        let special = encoding.encode(TEXT, Special::ALLOW_ALL).unwrap();
        assert!(
            special.len() < plain.len() && special.contains(&encoding.encode_ordinary("ab")[0])
        );
        for (as_what, ids) in [("text", &plain), ("token", &special)] {
            let listed: Value = serde_json::from_str(&printed(
                &["encode", "--format", "json", "--special", as_what, "text"],
                "",
            ))
            .unwrap();
            assert_eq!(listed, json!(ids));
            let decoded = printed(
                &["decode"],
                &format!("{ids:?}").replace(['[', ',', ']'], " "),
            );
            assert_eq!(decoded, TEXT);
            let counted = printed(&["count", "--special", as_what], TEXT);
            assert_eq!(counted, format!("{}\n", ids.len()));
            let shown = printed(&["show", "--ids", "--special", as_what, "text"], "");
            assert_eq!(shown.lines().count(), ids.len());
        }
        assert_eq!(
            printed(&["truncate", "-n", "7", "text"], ""),
            encoding.truncate(TEXT, 7)
        );
        let chunks = printed(&["chunk", "--json", "-n", "7", "text"], "");
        assert_eq!(
            chunks.lines().count(),
            encoding.chunks(TEXT, 7).unwrap().count()
        );
        let shown = printed(&["show", "text"], "");
        assert!(
            shown.ends_with(&format!(
                "{}, {} bytes, {}\n",
                format_args!("{} tokens", plain.len()),
                TEXT.len(),
                options[1]
            )),
            "{shown}"
        );
        let report: Value = serde_json::from_str(&printed(
            &["count", "--json", "--window", "gpt-4", "text"],
            "",
        ))
        .unwrap();
        assert_eq!(
            (&report["encoding"], &report["window"]["context"]),
            (&json!(options[1]), &json!(8192))
        );
    }
}

/// A file that is counted in parts has as many tokens as `encode` prints.
#[test]
fn a_large_text() {
    let here = files();
    let text = TEXT.repeat(60_000);
    assert!(text.len() > 1 << 20);
    std::fs::write(here.path().join("large"), &text).unwrap();
    for (options, encoding) in formats(here.path()) {
        for (as_what, special) in [("text", Special::AS_TEXT), ("token", Special::ALLOW_ALL)] {
            let args = ["count", "--total-only", "--special", as_what, "large"];
            let (code, stdout, _) = tiktally(here.path(), &[&args, options].concat(), b"");
            let tokens = encoding.count_with(&text, special).unwrap();
            assert_eq!((code, stdout), (Some(0), format!("{tokens}\n")));
        }
    }
}

/// Texts that only a whole text decides are held, and have as many tokens as the library counts: with a vocabulary without
/// tables, and with patterns in turn.
#[test]
fn a_large_text_that_is_held() {
    let mut turns = tokenizer_json();
    let split = |pattern: &str| json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false});
    turns["pre_tokenizer"] = json!({"type": "Sequence", "pretokenizers": [split("[0-9]"), split("b+"), turns["pre_tokenizer"]]});
    let here = files();
    let far = rank_file(&[(b"zz", 3_000_000)]);
    std::fs::write(here.path().join("far"), &far).unwrap();
    std::fs::write(here.path().join("turns"), turns.to_string()).unwrap();
    let ranks = || {
        let ranks = Encoding::builder("far").ranks_from_tiktoken(far.as_bytes());
        ranks.unwrap()
    };
    let parts = r"[a-z]+|[^a-z]";
    let gpt2 = tiktally::r50k_base().pattern();
    let encodings: [(&[&str], Encoding); 3] = [
        (
            &["--tokenizer", "far", "--pattern", parts],
            ranks().pattern(parts).build().unwrap(),
        ),
        (
            &["--tokenizer", "far", "--pattern", "gpt2"],
            ranks().pattern(gpt2).build().unwrap(),
        ),
        (
            &["--tokenizer", "turns"],
            Encoding::from_tokenizer_json("turns", turns.to_string().as_bytes()).unwrap(),
        ),
    ];
    let word = "zzab".repeat(400_000);
    for text in [TEXT.repeat(40_000), word.clone() + "<s> " + &word] {
        std::fs::write(here.path().join("large"), &text).unwrap();
        for (options, encoding) in &encodings {
            for (as_what, special) in [("text", Special::AS_TEXT), ("token", Special::ALLOW_ALL)] {
                let args = ["count", "--total-only", "--special", as_what, "large"];
                let (code, stdout, _) = tiktally(here.path(), &[&args, *options].concat(), b"");
                let tokens = encoding.count_with(&text, special).unwrap();
                assert_eq!((code, stdout), (Some(0), format!("{tokens}\n")));
            }
        }
    }
}

/// A text that is larger than the memory is counted with a tokenizer file too, and with a pattern that an automaton runs.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn a_text_larger_than_the_memory() {
    let here = files();
    let mut tekken = tekken_json();
    tekken["config"]["pattern"] = TEKKEN.into();
    std::fs::write(here.path().join("tekken.json"), tekken.to_string()).unwrap();
    let huge = std::fs::File::create(here.path().join("huge.txt")).unwrap();
    let line = "Some words, 12 of them.\n".repeat(40_000);
    let mut huge = std::io::BufWriter::new(huge);
    (0..100).for_each(|_| std::io::Write::write_all(&mut huge, line.as_bytes()).unwrap());
    drop(huge);
    for options in [
        "--tokenizer tekken.json",
        // nothing matches a full stop
        "--tokenizer ranks --pattern '[^.]{1,30}'",
    ] {
        let args = format!("count --total-only {options} huge.txt");
        let (code, stdout, stderr) = crate::common::within_memory(here.path(), 130_000, &args);
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{options}");
        // every byte is a token
        assert_eq!(stdout, format!("{}\n", 100 * line.len()), "{options}");
    }
}

#[test]
fn names_of_patterns() {
    let here = files();
    let published = [
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ];
    let digits = rank_file(&[(b"12", 258), (b"123", 259)]);
    std::fs::write(here.path().join("digits"), digits).unwrap();
    let ids = |pattern: &str| {
        let args = [
            "encode",
            "--tokenizer",
            "digits",
            "--pattern",
            pattern,
            "--format",
            "json",
        ];
        let (code, stdout, stderr) = tiktally(here.path(), &args, b"abc1234");
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{pattern}");
        stdout
    };
    for (names, ids_of_name) in [
        (
            &[
                "gpt2",
                "r50k_base",
                "cl100k_base",
                "o200k_base",
                "o200k_harmony",
                "llama3",
                published[0],
            ][..],
            "[257,259,52]\n",
        ),
        (&["qwen", published[1], r"\d|\w"], "[257,49,50,51,52]\n"),
    ] {
        for name in names {
            let expected = if *name == r"\d|\w" {
                "[97,98,99,49,50,51,52]\n"
            } else {
                ids_of_name
            };
            assert_eq!(ids(name), expected, "{name}");
        }
    }
}

/// The empty token of Whisper's rank file is in no text.
#[test]
fn the_empty_token() {
    let here = folder(&[
        ("ranks", (rank_file(&[]) + "= 258\n").as_bytes()),
        ("text", b"ab<s>"),
    ]);
    for special in ["text", "token", "reject"] {
        let args = [
            "encode",
            "--tokenizer",
            "ranks",
            "--pattern",
            "gpt2",
            "--special",
            special,
            "--format",
            "json",
            "text",
        ];
        let (code, stdout, stderr) = tiktally(here.path(), &args, b"");
        assert_eq!(
            (code, stdout.as_str(), stderr.as_str()),
            (Some(0), "[256,60,115,62]\n", "")
        );
    }
    let args = ["decode", "--tokenizer", "ranks", "--pattern", "gpt2"];
    assert_eq!(tiktally(here.path(), &args, b"256 258 60").1, "ab<");
}

#[test]
fn files_that_are_no_tokenizers() {
    let mut unigram = tokenizer_json();
    unigram["model"]["type"] = json!("Unigram");
    let mut hostile = tokenizer_json();
    hostile["pre_tokenizer"]["type"] = json!("\u{1b}[31mByteLevel");
    let cut = tokenizer_json().to_string();
    let marked = format!("\u{feff}{cut}");
    let (unigram, hostile) = (unigram.to_string(), hostile.to_string());
    let broken = rank_file(&[]) + "YQ== 300\n";
    let cases: [(&[u8], &str); 14] = [
        (b"", "the file is empty"),
        (b"  \n", "the file is empty"),
        (
            b"<!DOCTYPE html>\n<title>Sign in</title>",
            "it looks like a web page",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "a pointer of Git LFS",
        ),
        (&cut.as_bytes()[..cut.len() / 2], "the file is cut off"),
        (&cut.as_bytes()[..20], "the file is cut off"),
        (
            unigram.as_bytes(),
            "model.type: the model \"Unigram\" is not supported",
        ),
        (
            hostile.as_bytes(),
            "\"\\u{1b}[31mByteLevel\" is not supported",
        ),
        (b"{\"name\": \"x\"}", "JSON of another kind"),
        (b"[1, 2]", "JSON of another kind"),
        (
            b"{\"tokenizer_class\": \"X\", \"added_tokens_decoder\": {}}",
            "a tokenizer_config.json has no tokens",
        ),
        (
            b"\n\x0e\n\x05<unk>\x15\0\0\0\0\x18\x02",
            "as files of SentencePiece are",
        ),
        (
            b"hello world\n",
            "neither a tokenizer.json, a tekken.json nor a .tiktoken file",
        ),
        (
            b"YQ== b\n",
            "neither a tokenizer.json, a tekken.json nor a .tiktoken file",
        ),
    ];
    let refused = |args: &[&str], file: &[u8], code: i32, complaint: &str| {
        let here = folder(&[("file", file), ("text", b"x")]);
        let args = [&["count", "text"], args].concat();
        let (found, stdout, stderr) = tiktally(here.path(), &args, b"");
        assert_eq!(
            (found, stdout.as_str()),
            (Some(code), ""),
            "{args:?}: {stderr}"
        );
        assert!(stderr.contains(complaint), "{args:?}: {stderr}");
        stderr
    };
    for (file, complaint) in cases {
        let stderr = refused(&["--tokenizer", "file"], file, 1, complaint);
        assert!(
            stderr.starts_with("tiktally: file: ") && !stderr.contains('\u{1b}'),
            "{stderr}"
        );
    }
    let ranks = ["--tokenizer", "file", "--pattern", "gpt2"];
    refused(&ranks, broken.as_bytes(), 1, "file: invalid ranks");
    refused(
        &ranks[..2],
        broken.as_bytes(),
        2,
        "choose one with --pattern: gpt2, r50k_base",
    );
    refused(
        &ranks,
        cut.as_bytes(),
        2,
        "file: this file has its own pattern",
    );
    let config = ["--tokenizer-config", "text"];
    refused(
        &[&ranks[..], &config].concat(),
        rank_file(&[]).as_bytes(),
        1,
        "text: the tokenizer file cannot be loaded",
    );
    // some editors put a mark before the text
    let here = folder(&[("file", marked.as_bytes())]);
    assert_eq!(
        tiktally(here.path(), &["count", "--tokenizer", "file"], b"abc").1,
        "1\n"
    );
}

#[test]
fn a_file_that_is_too_large() {
    let here = folder(&[("text", b"x")]);
    let file = std::fs::File::create(here.path().join("large")).unwrap();
    // a file without content on the disk
    file.set_len(1 << 30).unwrap();
    let (code, _, stderr) = tiktally(here.path(), &["count", "--tokenizer", "large", "text"], b"");
    let expected = "tiktally: large: larger than 64 MiB, the limit for tokenizer files; check that it is one\n";
    assert_eq!((code, stderr.as_str()), (Some(1), expected));
}

#[test]
fn wrong_usage() {
    for (args, complaint) in [
        (
            &["count", "--tokenizer", "x", "-m", "gpt-4o"][..],
            "cannot be used with",
        ),
        (
            &["decode", "--tokenizer", "x", "-e", "gpt2"],
            "cannot be used with",
        ),
        (&["count", "--pattern", "gpt2"], "--tokenizer <FILE>"),
        (
            &["count", "--tokenizer", "x", "--tokenizer-config", "y"],
            "--pattern <NAME|REGEX>",
        ),
        (
            &["count", "--tokenizer", "-"],
            "--tokenizer needs a file, because standard input is the text",
        ),
        (
            &["count", "--tokenizer", "x", "--pattern", "cl100k"],
            "did you mean \"cl100k_base\"?",
        ),
        (
            &["count", "--tokenizer", "x", "--pattern", "mistral"],
            "use gpt2, r50k_base",
        ),
        (
            &["chat", "--tokenizer", "x"],
            "chat counts requests as OpenAI bills them",
        ),
    ] {
        let (code, stdout, stderr) = run(args, "");
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{args:?}: {stderr}");
        assert!(stderr.contains(complaint), "{args:?}: {stderr}");
    }
    for file in ["none.json", "src"] {
        let (code, _, stderr) = run(&["count", "--tokenizer", file], "");
        assert_eq!(code, Some(1));
        assert!(
            stderr.starts_with(&format!("tiktally: {file}: ")),
            "{stderr}"
        );
    }
    let here = files();
    let args = ["count", "--tokenizer", "ranks", "--pattern", r"(a)\1"];
    let (code, _, stderr) = tiktally(here.path(), &args, b"");
    assert_eq!(code, Some(2));
    assert!(
        stderr.starts_with("tiktally: --pattern: ") && !stderr.contains("backtracking_pattern"),
        "{stderr}"
    );
}

/// A pattern that backtracks could give up on a text, so no subcommand takes it.
#[test]
fn a_pattern_that_backtracks() {
    let mut slow = tokenizer_json();
    slow["pre_tokenizer"] = json!({"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": r"(?:a|a|(?=b))*\1?c()|."}, "behavior": "Isolated", "invert": false},
        {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false},
    ]});
    let here = folder(&[
        ("slow", slow.to_string().as_bytes()),
        ("text", "a".repeat(200).as_bytes()),
    ]);
    for args in [
        &["count"][..],
        &["encode"],
        &["truncate", "-n", "3"],
        &["chunk", "-n", "30"],
        &["show"],
    ] {
        let args = [args, &["--tokenizer", "slow", "text"]].concat();
        let (code, stdout, stderr) = tiktally(here.path(), &args, b"");
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{args:?}");
        assert!(
            stderr.starts_with("tiktally: slow: its split pattern needs a backtracking engine"),
            "{stderr}"
        );
    }
}

/// The page compares the tokenizer with the built-in encodings, whatever the lengths of its tokens and its ids are.
#[test]
fn a_page_of_long_tokens() {
    let long = "a".repeat(700);
    let limit = "x".repeat(255);
    let ranks = rank_file(&[(long.as_bytes(), 70_000_000), (limit.as_bytes(), 300)]);
    let text = format!("{long}\n{limit}\nab");
    let here = folder(&[("ranks", ranks.as_bytes()), ("text", text.as_bytes())]);
    let args = [
        "show",
        "--html",
        "-",
        "--tokenizer",
        "ranks",
        "--pattern",
        "gpt2",
        "text",
    ];
    let (code, page, stderr) = tiktally(here.path(), &args, b"");
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let (_, data) = page.split_once("id=\"data\">").unwrap();
    let data: Value = serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap();
    let encodings = data["encodings"].as_array().unwrap();
    let names: Vec<&str> = encodings
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "ranks",
            "o200k_base",
            "cl100k_base",
            "p50k_base",
            "r50k_base"
        ]
    );
    assert_eq!(data["chosen"], "ranks");
    let unpacked = |key: &str| {
        STANDARD
            .decode(encodings[0][key].as_str().unwrap())
            .unwrap()
    };
    assert_eq!(encodings[0]["width"], 4);
    let ids: Vec<u32> = (unpacked("ids").chunks(4))
        .map(|id| u32::from_le_bytes(id.try_into().unwrap()))
        .collect();
    assert_eq!(ids, [70_000_000, 10, 300, 10, 256]);
    // 700 is 255 twice and the rest
    assert_eq!(unpacked("lengths"), [255, 255, 190, 1, 255, 0, 1, 2]);
    assert_eq!(encodings[1]["width"], 3);
}

/// A file may bring text into the form NFC. The command does not, and says so once if it matters.
#[test]
fn text_in_another_normal_form() {
    let mut file = tokenizer_json();
    let plain = file.to_string();
    file["normalizer"] = json!({"type": "NFC"});
    let large = "cafe\u{301} ".repeat(300_000);
    let here = folder(&[
        ("nfc.json", file.to_string().as_bytes()),
        ("plain.json", plain.as_bytes()),
        ("composed", "café 한국 ab".as_bytes()),
        ("in/apart", "cafe\u{301} ab".as_bytes()),
        ("in/other", "cafe\u{301} ab".as_bytes()),
        ("large", large.as_bytes()),
    ]);
    let noted = |args: &[&str], tokenizer: &str| {
        let args = [args, &["--tokenizer", tokenizer]].concat();
        let (code, stdout, stderr) = tiktally(here.path(), &args, b"");
        assert_eq!(code, Some(0), "{args:?}: {stderr}");
        assert!(!stdout.is_empty());
        stderr
    };
    for args in [
        &["count"][..],
        &["encode"],
        &["show"],
        &["truncate", "-n", "9"],
        &["chunk", "-n", "9"],
    ] {
        let with = |file| [args, &[file]].concat();
        assert_eq!(noted(&with("composed"), "nfc.json"), "");
        assert_eq!(noted(&with("in/apart"), "plain.json"), "");
        let note = noted(&with("in/apart"), "nfc.json");
        assert!(
            note.starts_with("tiktally: note: in/apart: this text is not in the normal form NFC"),
            "{note}"
        );
        let note = noted(&with("large"), "nfc.json");
        assert!(
            note.starts_with("tiktally: note: large: ") && note.lines().count() == 1,
            "{note}"
        );
    }
    assert_eq!(noted(&["count", "in"], "nfc.json").lines().count(), 1);
}
