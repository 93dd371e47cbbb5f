//! Every vector of `tests/golden`, made by tiktoken. Each test prints the number of cases it compared.

mod read;
mod report;
mod tables;

#[cfg(feature = "custom")]
use std::io::Read;

use crate::common::{NAMES, compiled_in};
use read::{array, base64, digest, ids, lines, number, text};
use report::{Report, in_parallel};
use serde_json::Value;
use tiktally::{Encoding, Error, Special, TokenId};

/// Compares every line of a file whose lines name their encoding.
fn check_lines(file: &str, compare: impl Fn(&Encoding, &Value, &mut Report) + Sync) {
    let Some(lines) = lines(file) else { return };
    let report = in_parallel(&lines, |line, report| {
        if let Some(encoding) = compiled_in(text(line, "encoding")) {
            report.case();
            compare(encoding, line, report);
        } else {
            report.skip();
        }
    });
    report.finish(file);
}

/// Returns a failing line for display, with every special character escaped and the expected answer left out.
fn shown(line: &Value, what: &str) -> String {
    let mut line = line.clone();
    let fields = line.as_object_mut().unwrap();
    fields.retain(|key, _| !matches!(key.as_str(), "error" | "completions" | "offsets"));
    format!("{what}: {}", line.to_string().escape_default())
}

#[test]
fn ordinary() {
    for name in NAMES {
        check_lines(&format!("ordinary_{name}.jsonl.gz"), one_ordinary);
    }
}

fn one_ordinary(encoding: &Encoding, line: &Value, report: &mut Report) {
    let (text, golden) = (text(line, "text"), ids(&line["tokens"]));
    let n = golden.len();
    report.equal(encoding.encode_ordinary(text), &*golden, || {
        shown(line, "encode_ordinary")
    });
    report.equal(encoding.count(text), n, || shown(line, "count"));
    report.equal(encoding.count_up_to(text, n), Some(n), || {
        shown(line, "count_up_to the count")
    });
    let short = n.checked_sub(1);
    report.check(
        short.is_none_or(|limit| encoding.count_up_to(text, limit).is_none()),
        || shown(line, "count_up_to one less"),
    );
    report.equal(encoding.decode(&golden).ok().as_deref(), Some(text), || {
        shown(line, "decode")
    });
    report.equal(encoding.pieces(text).collect::<String>(), text, || {
        shown(line, "pieces")
    });
}

#[test]
fn special() {
    check_lines("special.jsonl.gz", one_special);
}

fn one_special(encoding: &Encoding, line: &Value, report: &mut Report) {
    let text = text(line, "text");
    let (allowed, disallowed) = (strings(&line["allowed"]), strings(&line["disallowed"]));
    let special = match line["mode"].as_str().unwrap() {
        "default" => Special::REJECT,
        "none_special" => Special::AS_TEXT,
        "all_special" => Special::ALLOW_ALL,
        "some_special" => Special::allow(&allowed).others_as_text(),
        "some_special_strict" => Special::allow(&allowed),
        "disallow_list" => Special::reject(&disallowed),
        mode => panic!("unknown mode {mode}"),
    };
    let (ours, count) = (
        encoding.encode(text, special),
        encoding.count_with(text, special),
    );
    if line["tokens"].is_array() {
        let golden = ids(&line["tokens"]);
        report.equal(count.ok(), Some(golden.len()), || shown(line, "count_with"));
        report.equal(ours.ok(), Some(golden), || shown(line, "encode"));
    } else {
        let golden = refusal(line, text);
        for (ours, call) in [
            (ours.map(drop), "encode"),
            (count.map(drop), "count_with"),
            (
                encoding.encode_with_unstable(text, special).map(drop),
                "encode_with_unstable",
            ),
        ] {
            let refused = ours.as_ref().err().filter(|e| e.is_disallowed_special());
            let ours = refused.map(|e| (e.special_token().unwrap(), e.position().unwrap()));
            report.equal(ours, Some(golden), || shown(line, call));
        }
    }
}

fn strings(value: &Value) -> Vec<&str> {
    let all = value.as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().map(|string| string.as_str().unwrap()).collect()
}

/// Returns the string that tiktoken's message names, and its first position in the text.
fn refusal<'v>(line: &'v Value, text: &str) -> (&'v str, usize) {
    let message = line["error"]["message"].as_str().unwrap();
    let start = "Encountered text corresponding to disallowed special token '";
    let token = message.strip_prefix(start).unwrap();
    let token = &token[..token.find("'.\n").unwrap()];
    (token, text.find(token).unwrap())
}

#[test]
fn decode() {
    check_lines("decode.jsonl.gz", one_decode);
}

fn one_decode(encoding: &Encoding, line: &Value, report: &mut Report) {
    let op = text(line, "op");
    let what = || shown(line, op);
    match op {
        "decode_single_token_bytes" => {
            let id = ids(&Value::Array(vec![line["token"].clone()]))[0];
            let ours = encoding.decode_single_token_bytes(id).map(<[u8]>::to_vec);
            known_or_not(ours, line, |line| base64(&line["bytes_b64"]), &[id], report);
        }
        "decode_bytes" => {
            let tokens = ids(&line["tokens"]);
            let ours = encoding.decode_bytes(&tokens);
            known_or_not(
                ours,
                line,
                |line| base64(&line["bytes_b64"]),
                &tokens,
                report,
            );
        }
        "decode_tokens_bytes" => {
            let tokens = ids(&line["tokens"]);
            let golden =
                |line: &Value| -> Vec<Vec<u8>> { array(&line["bytes_b64"]).map(base64).collect() };
            let ours = encoding.decode_tokens_bytes(&tokens);
            let ours = ours.map(|all| all.into_iter().map(<[u8]>::to_vec).collect());
            known_or_not(ours, line, golden, &tokens, report);
        }
        "decode" => {
            let tokens = ids(&line["tokens"]);
            let golden = |line: &Value| text(line, "text").to_owned();
            known_or_not(
                encoding.decode_lossy(&tokens),
                line,
                golden,
                &tokens,
                report,
            );
        }
        "encode_single_token" => {
            let ours = encoding.encode_single_token(base64(&line["bytes_b64"]));
            if line["error"].is_object() {
                report.check(
                    ours.as_ref().is_err_and(Error::is_unknown_token_bytes),
                    what,
                );
            } else {
                report.equal(
                    ours.ok().map(u64::from),
                    Some(line["token"].as_u64().unwrap()),
                    what,
                );
            }
        }
        "_encode_bytes" => {
            let ours = encoding.encode_bytes(&base64(&line["bytes_b64"]));
            report.equal(ours, ids(&line["tokens"]), what);
        }
        "_encode_single_piece" => {
            let piece = base64(&line["bytes_b64"]);
            let ours = tiktally::reference::merge_fast(encoding, &piece);
            report.equal(ours, ids(&line["tokens"]), what);
            let plain = tiktally::reference::merge(encoding, &piece);
            report.equal(plain, ids(&line["tokens"]), || shown(line, "plain merge"));
        }
        _ => panic!("unknown op {op}"),
    }
}

/// Checks that our answer is the golden one, or that both name the same unknown id.
fn known_or_not<T: PartialEq + std::fmt::Debug>(
    ours: Result<T, Error>,
    line: &Value,
    golden: impl Fn(&Value) -> T,
    tokens: &[TokenId],
    report: &mut Report,
) {
    let what = || shown(line, text(line, "op"));
    let Some(message) = line["error"]["message"].as_str() else {
        report.equal(ours.ok(), Some(golden(line)), what);
        return;
    };
    let unknown: TokenId = message.rsplit(' ').next().unwrap().parse().unwrap();
    let index = tokens.iter().position(|&token| token == unknown);
    let found = ours.err().filter(Error::is_unknown_token);
    report.equal(
        found.map(|error| (error.token(), error.index())),
        Some((Some(unknown), index)),
        what,
    );
}

#[test]
fn offsets() {
    check_lines("offsets.jsonl.gz", |encoding, line, report| {
        let ours = encoding.decode_with_offsets(&ids(&line["tokens"]));
        if line["error"].is_object() {
            report.equal(text(&line["error"], "type"), "UnicodeDecodeError", || {
                shown(line, "error")
            });
            report.check(ours.is_err_and(|error| error.is_invalid_utf8()), || {
                shown(line, "offsets of what is not UTF-8")
            });
        } else {
            let golden = array(&line["offsets"]).map(number).collect();
            report.equal(
                ours.ok(),
                Some((text(line, "text").to_owned(), golden)),
                || shown(line, "offsets"),
            );
        }
    });
}

#[test]
fn unstable() {
    check_lines("unstable.jsonl.gz", |encoding, line, report| {
        let ours = encoding.encode_with_unstable(text(line, "text"), Special::ALLOW_ALL);
        let Ok((stable, completions)) = ours else {
            report.check(false, || shown(line, &format!("{ours:?}")));
            return;
        };
        report.equal(stable, ids(&line["tokens"]), || {
            shown(line, "stable tokens")
        });
        report.check(completions.is_sorted(), || shown(line, "order"));
        report.equal(completions.len(), number(&line["n_completions"]), || {
            shown(line, "number of completions")
        });
        if let Some(golden) = line["completions"].as_array() {
            let golden: Vec<_> = golden.iter().map(ids).collect();
            report.equal(&completions, &golden, || shown(line, "completions"));
        }
        let mut numbers = Vec::new();
        for completion in &completions {
            numbers.push(completion.len() as u32);
            numbers.extend(completion);
        }
        report.equal(digest(&numbers), text(line, "completions_sha256"), || {
            shown(line, "digest of completions")
        });
    });
}

#[test]
fn long() {
    check_lines("long.jsonl", |encoding, line, report| {
        let count = number(&line["count"]);
        let text_of = |key| text(line, key);
        let long =
            text_of("prefix").to_owned() + &text_of("unit").repeat(count) + text_of("suffix");
        let ours = encoding.encode_ordinary(&long);
        report.equal(ours.len(), number(&line["n_tokens"]), || {
            shown(line, "number of tokens")
        });
        report.equal(digest(&ours), text_of("tokens_sha256"), || {
            shown(line, "digest of tokens")
        });
        report.equal(encoding.count(&long), ours.len(), || shown(line, "count"));
        report.check(
            encoding.decode(&ours).is_ok_and(|back| back == long),
            || shown(line, "decode"),
        );
    });
}

#[test]
fn models() {
    let Some(lines) = lines("models.jsonl") else {
        return;
    };
    let mut report = Report::default();
    for line in &lines {
        report.case();
        let model = text(line, "model");
        let ours = tiktally::encoding_name_for_model(model);
        let encoding = tiktally::encoding_for_model(model);
        if let Some(golden) = line["encoding"].as_str() {
            report.equal(ours.ok(), Some(golden), || shown(line, "name"));
            report.check(
                encoding.map_or_else(|e| e.is_missing_feature(), |e| e.name() == golden),
                || shown(line, "encoding"),
            );
        } else {
            let named = |error: &Error| {
                error.is_unknown_model() && error.to_string().contains(&format!("{model:?}"))
            };
            report.check(ours.is_err_and(|error| named(&error)), || {
                shown(line, "unknown model")
            });
            report.check(encoding.is_err_and(|error| named(&error)), || {
                shown(line, "encoding of an unknown model")
            });
        }
    }
    report.finish("models.jsonl");
}

/// A built-in encoding loaded from its own rank file is equal to it, and is written back to the same bytes.
#[test]
#[cfg(feature = "custom")]
fn built_in_vocabularies_from_their_files() {
    for name in ["r50k_base", "p50k_base", "cl100k_base", "o200k_base"] {
        let Some(encoding) = compiled_in(name) else {
            continue;
        };
        let path = format!("{}/data/{name}.tiktoken", env!("CARGO_MANIFEST_DIR"));
        let file = std::fs::read(path).unwrap();
        let mut written = Vec::new();
        tiktally::write_tiktoken(encoding, &mut written).unwrap();
        assert!(written == file, "{name}");
        let loaded = Encoding::builder(name)
            .pattern(encoding.pattern())
            .ranks_from_tiktoken(&file[..]);
        let loaded = loaded.unwrap().build().unwrap();
        assert!(loaded.tokens().eq(encoding.tokens()), "{name}");
        let Some(lines) = lines(&format!("ordinary_{name}.jsonl.gz")) else {
            continue;
        };
        let mut report = Report::default();
        for line in lines.iter().step_by(7) {
            report.case();
            report.equal(
                loaded.encode_ordinary(text(line, "text")),
                &*ids(&line["tokens"]),
                || line.to_string(),
            );
        }
        report.finish(name);
    }
}

/// Qwen's vocabulary from the package qwen-agent 0.0.34 gives the ids of that package's tokenizer.
#[test]
#[cfg(feature = "custom")]
fn a_foreign_vocabulary() {
    let path = format!(
        "{}/tests/golden/qwen.tiktoken.gz",
        env!("CARGO_MANIFEST_DIR")
    );
    let (Some(lines), Ok(file)) = (lines("foreign_qwen.jsonl.gz"), std::fs::read(path)) else {
        return;
    };
    let mut ranks = Vec::new();
    flate2::read::GzDecoder::new(&file[..])
        .read_to_end(&mut ranks)
        .unwrap();
    let pattern = concat!(
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}",
        r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    );
    let hash = "b2b1b8dfb5cc5f024bafc373121c6aba3f66f9a5a0269e243470a1de16a33186";
    let qwen = Encoding::builder("qwen")
        .pattern(pattern)
        .ranks_from_tiktoken_checked(&ranks[..], hash);
    let qwen = qwen
        .unwrap()
        .special_token("<|endoftext|>", 151_643)
        .build()
        .unwrap();
    let mut report = Report::default();
    for line in &lines {
        let (text, golden) = (text(line, "text"), ids(&line["tokens"]));
        report.case();
        report.equal(qwen.encode_ordinary(text), &*golden, || line.to_string());
        report.equal(qwen.count(text), golden.len(), || line.to_string());
        report.equal(qwen.decode(&golden).ok().as_deref(), Some(text), || {
            line.to_string()
        });
    }
    report.finish("qwen");
}
