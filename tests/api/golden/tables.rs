//! Golden files that are one table, and the project's own tables.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

use hmac_sha256::Hash;
use serde_json::Value;
use tiktally::{Encoding, TokenId};

use super::read::{array, digest, digest_of_lists, hex, ids, number, object, text};
use super::report::{Report, in_parallel};
use crate::common::{NAMES, compiled_in, say};

#[test]
fn encodings() {
    let Some(golden) = object("encodings.json") else {
        return;
    };
    let golden: Vec<_> = golden.as_object().unwrap().into_iter().collect();
    let report = in_parallel(&golden, |&(name, facts), report| {
        let Some(encoding) = compiled_in(name) else {
            report.skip();
            return;
        };
        report.case();
        for (fact, ours) in facts_of(encoding) {
            report.equal(ours, facts[fact].clone(), || format!("{name} {fact}"));
        }
        orders(encoding, report);
    });
    report.finish("encodings.json");
}

/// Returns our values for every field of the file.
fn facts_of(encoding: &Encoding) -> Vec<(&'static str, Value)> {
    let special: BTreeMap<&str, TokenId> = encoding.special_tokens().collect();
    let special_ids: BTreeSet<TokenId> = special.values().copied().collect();
    let values = encoding.token_byte_values();
    let all: Vec<Option<&[u8]>> = (0..encoding.n_vocab())
        .map(|id| encoding.decode_single_token_bytes(id as TokenId).ok())
        .collect();
    let missing: Vec<usize> = (0..all.len()).filter(|&id| all[id].is_none()).collect();
    vec![
        ("name", encoding.name().into()),
        ("n_vocab", encoding.n_vocab().into()),
        ("max_token_value", encoding.max_token_value().into()),
        ("eot_token", encoding.eot_token().into()),
        ("n_mergeable", values.len().into()),
        ("n_special_strings", special.len().into()),
        ("n_special_ids", special_ids.len().into()),
        ("pat_str", encoding.pattern().into()),
        ("special_tokens", serde_json::to_value(&special).unwrap()),
        ("invalid_ids_below_n_vocab", missing.into()),
        (
            "max_token_len",
            values.iter().map(|value| value.len()).max().into(),
        ),
        ("vocab_sha256", digest_of_lists(all.iter().copied()).into()),
        (
            "token_byte_values_sha256",
            digest_of_lists(values.iter().copied().map(Some)).into(),
        ),
    ]
}

/// Checks the orders and the membership that the documentation promises in addition to the file's facts.
fn orders(encoding: &Encoding, report: &mut Report) {
    let name = encoding.name();
    let special: Vec<(&str, TokenId)> = encoding.special_tokens().collect();
    report.check(special.is_sorted_by_key(|&(text, id)| (id, text)), || {
        format!("{name}: special tokens by id, then text")
    });
    let tokens: Vec<(TokenId, &[u8])> = encoding.tokens().collect();
    report.check(tokens.is_sorted_by(|a, b| a.0 < b.0), || {
        format!("{name}: tokens by id")
    });
    let mut by_bytes: Vec<&[u8]> = tokens.iter().map(|&(_, bytes)| bytes).collect();
    by_bytes.sort_unstable();
    report.check(by_bytes == encoding.token_byte_values(), || {
        format!("{name}: tokens and token_byte_values hold the same")
    });
    for &(id, bytes) in &tokens {
        report.equal(
            encoding.decode_single_token_bytes(id).ok(),
            Some(bytes),
            || format!("{name}: token {id}"),
        );
    }
    let special: BTreeSet<TokenId> = special.into_iter().map(|(_, id)| id).collect();
    for id in (0..encoding.max_token_value() + 10).chain([TokenId::MAX]) {
        report.equal(encoding.is_special_token(id), special.contains(&id), || {
            format!("{name}: is {id} special")
        });
    }
    report.check(tiktally::list_encoding_names().contains(&name), || {
        format!("{name} is compiled in but not listed")
    });
}

/// One block of code points in one template, a cell of the file; encodings of one family share it.
struct Block<'v> {
    encoding: &'static Encoding,
    template: &'v str,
    first: u32,
    size: u32,
    golden: &'v Value,
}

#[test]
fn codepoints() {
    let Some(golden) = object("codepoints.json.gz") else {
        return;
    };
    let mut skipped = 0;
    let mut blocks = Vec::new();
    for name in NAMES {
        let family = golden["same_as"][name].as_str().unwrap_or(name);
        let templates = golden["encodings"][family].as_object().unwrap();
        for (template, cells) in templates {
            let Some(encoding) = compiled_in(name) else {
                skipped += cells.as_array().unwrap().len();
                continue;
            };
            let size = number(&golden["block_size"]) as u32;
            blocks.extend(array(cells).zip(0..).map(|(golden, i)| Block {
                encoding,
                template,
                first: i * size,
                size,
                golden,
            }));
        }
    }
    let mut report = in_parallel(&blocks, one_block);
    (0..skipped).for_each(|_| report.skip());
    report.finish("codepoints.json.gz (blocks of 4096 code points)");
}

fn one_block(block: &Block<'_>, report: &mut Report) {
    report.case();
    let (mut text, mut ids, mut buffer) = (String::new(), Vec::new(), [0; 4]);
    for c in (block.first..block.first + block.size).filter_map(char::from_u32) {
        text.clear();
        let c = c.encode_utf8(&mut buffer);
        for (i, part) in block.template.split("{c}").enumerate() {
            if i > 0 {
                text.push_str(c);
            }
            text.push_str(part);
        }
        block.encoding.encode_ordinary_into(&text, &mut ids);
    }
    let ours = (ids.len(), digest(&ids));
    let golden = (number(&block.golden[0]), block.golden[1].as_str().unwrap());
    report.equal((ours.0, ours.1.as_str()), golden, || {
        let name = block.encoding.name();
        format!("{name}, {:?}, from U+{:04X}", block.template, block.first)
    });
}

#[test]
fn unicode_classes() {
    let Some(golden) = object("unicode_classes.json") else {
        return;
    };
    let class = |pattern: &str| Ranges::new(&golden["classes"][pattern]);
    let sets: Vec<(Ranges, &str)> = [
        (r"\p{Lu}", "upper"),
        (r"\p{Lt}", "upper"),
        (r"\p{Ll}", "lower"),
        (r"\p{Lm}", "caseless"),
        (r"\p{Lo}", "caseless"),
        (r"\p{M}", "mark"),
        (r"\p{N}", "number"),
    ]
    .map(|(pattern, name)| (class(pattern), name))
    .into();
    let (white, visible) = (class(r"\s"), class(r"\S"));
    let letters = class(r"\p{L}");
    let mut report = Report::default();
    for c in '\0'..=char::MAX {
        report.case();
        let ours = tiktally::reference::unicode_class(c);
        let expected = match sets.iter().find(|(set, _)| set.contains(c)) {
            Some(&(_, name)) => name,
            None if matches!(c, '\r' | '\n') => "newline",
            None if white.contains(c) => "space",
            None => "other",
        };
        report.equal(ours, expected, || {
            format!("class of {}", c.escape_unicode())
        });
        let is_letter = matches!(ours, "upper" | "lower" | "caseless");
        let is_white = matches!(ours, "space" | "newline");
        report.check(
            is_letter == letters.contains(c)
                && is_white == white.contains(c)
                && is_white != visible.contains(c),
            || format!("sets that hold {}", c.escape_unicode()),
        );
    }
    report.finish("unicode_classes.json (classes of characters)");
}

/// Tests case folding. In o200k a contraction belongs to the word before it: the word stays one piece exactly if the
/// letters after the apostrophe fold to those of a contraction.
#[test]
fn folded_contractions() {
    let Some(golden) = object("unicode_classes.json") else {
        return;
    };
    let Some(encoding) = compiled_in("o200k_base") else {
        say("golden contractions: o200k_base is not compiled in, nothing compared");
        return;
    };
    let folded = |letters: &str| -> Vec<Ranges> {
        let class = |letter| Ranges::new(&golden["classes"][format!("(?i:{letter})")]);
        letters.chars().map(class).collect()
    };
    let checks = [
        ("'", "", folded("stmd")),
        ("'", "e", folded("rv")),
        ("'r", "", folded("e")),
        ("'v", "", folded("e")),
        ("'", "l", folded("l")),
        ("'l", "", folded("l")),
    ];
    let mut report = Report::default();
    for c in '\0'..=char::MAX {
        for (before, after, sets) in &checks {
            report.case();
            let text = format!("a{before}{c}{after}");
            let is_one = encoding.pieces(&text).count() == 1;
            report.equal(is_one, sets.iter().any(|set| set.contains(c)), || {
                format!("contraction {}", text.escape_unicode())
            });
        }
    }
    report.finish("unicode_classes.json (folded contractions)");
}

/// Returns ascending ranges of code points, both ends included.
struct Ranges(Vec<(u32, u32)>);

impl Ranges {
    fn new(value: &Value) -> Self {
        let end = |value: &Value| number(value) as u32;
        Self(
            array(value)
                .map(|range| (end(&range[0]), end(&range[1])))
                .collect(),
        )
    }

    fn contains(&self, c: char) -> bool {
        let at = self.0.partition_point(|&(_, last)| last < c as u32);
        self.0.get(at).is_some_and(|&(first, _)| first <= c as u32)
    }
}

/// Returns the folder of the corpora, which are too large, and under too many licences, to be part of the project.
fn corpora_folder() -> Option<PathBuf> {
    if let Some(folder) = env::var_os("TIKTALLY_CORPORA") {
        return Some(folder.into());
    }
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/corpora");
    beside.is_dir().then_some(beside)
}

#[test]
fn corpora() {
    let Some(golden) = object("corpora.json") else {
        return;
    };
    let Some(folder) = corpora_folder() else {
        say("golden corpora: not found (TIKTALLY_CORPORA names their folder), nothing compared");
        return;
    };
    let files: Vec<_> = golden.as_object().unwrap().into_iter().collect();
    let report = in_parallel(&files, |&(file, facts), report| {
        let bytes = fs::read(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let hash = hex(Hash::hash(&bytes));
        report.equal(hash, text(facts, "sha256"), || format!("{file} itself"));
        let corpus = String::from_utf8(bytes).unwrap();
        for (name, golden) in facts["encodings"].as_object().unwrap() {
            if let Some(encoding) = compiled_in(name) {
                report.case();
                one_corpus(encoding, file, &corpus, golden, report);
            } else {
                report.skip();
            }
        }
    });
    report.finish("corpora.json");
}

fn one_corpus(encoding: &Encoding, file: &str, corpus: &str, golden: &Value, report: &mut Report) {
    let what = || format!("{file}, {}", encoding.name());
    let ours = encoding.encode_ordinary(corpus);
    report.equal(ours.len(), number(&golden["n_tokens"]), what);
    report.equal(&ours[..8], &*ids(&golden["first"]), what);
    report.equal(&ours[ours.len() - 8..], &*ids(&golden["last"]), what);
    report.equal(digest(&ours), text(golden, "tokens_sha256"), what);
    report.equal(encoding.count(corpus), ours.len(), what);
    report.check(
        encoding.decode(&ours).is_ok_and(|back| back == corpus),
        what,
    );
}

/// The rank files have the hashes that `data/README.md` lists.
#[test]
fn rank_files() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let table = fs::read_to_string(data.join("README.md")).unwrap();
    let mut report = Report::default();
    for row in table.lines().filter(|row| row.contains(".tiktoken` |")) {
        report.case();
        let quoted: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        let bytes = fs::read(data.join(quoted[0])).unwrap();
        let hash = hex(Hash::hash(&bytes));
        report.equal(hash.as_str(), *quoted.last().unwrap(), || {
            quoted[0].to_owned()
        });
    }
    assert_eq!(report.cases(), 4, "a row for each vocabulary");
    report.finish("rank files");
}
