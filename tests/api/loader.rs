//! Rank files of any kind: each fault has its error, and a file that loads gives a complete vocabulary.
//!
//! `EDITS` sets the number of edited files (default 20,000); `WHOLE_EDITS` that for the encodings' files (default 10).

use std::io::{self, Read};

use crate::common::say;
use crate::texts::Random;
use tiktally::{Encoding, Error};

/// Returns a rank file with a line for each byte.
fn all_bytes() -> String {
    use base64::Engine as _;
    let line = |byte: u8| {
        let token = base64::engine::general_purpose::STANDARD.encode([byte]);
        format!("{token} {byte}\n")
    };
    (0..=255).map(line).collect()
}

fn load(file: &[u8]) -> Result<Encoding, Error> {
    let builder = Encoding::builder("mine").pattern(r"\s+|\S+");
    builder.ranks_from_tiktoken(file)?.build()
}

/// Returns the error for a valid file with these lines appended; they begin at line 257.
fn fault_of(lines: &str) -> Error {
    let error = load((all_bytes() + lines).as_bytes()).unwrap_err();
    assert!(error.is_invalid_ranks(), "{error}");
    error
}

fn is_fault(lines: &str, line: usize, says: &str) {
    let error = fault_of(lines);
    assert_eq!(error.line(), Some(line), "{lines:?}: {error}");
    assert!(error.to_string().contains(says), "{lines:?}: {error}");
}

fn is_fine(lines: &str) -> Encoding {
    load((all_bytes() + lines).as_bytes()).unwrap()
}

#[test]
fn empty_file() {
    for file in ["", "\n", "\r\n \n"] {
        let error = load(file.as_bytes()).unwrap_err();
        assert!(
            error.is_invalid_ranks() && error.line().is_none(),
            "{error}"
        );
        assert!(error.to_string().contains("there are none"), "{error}");
    }
}

#[test]
fn no_final_newline() {
    assert_eq!(is_fine("YWI= 256").encode_ordinary("ab"), [256]);
}

#[test]
fn crlf() {
    assert_eq!(
        is_fine("YWI= 256\r\nYWJj 257\r\n").encode_ordinary("abc"),
        [257]
    );
}

#[test]
fn blank_line() {
    assert_eq!(is_fine("\n\nYWI= 256\n\n").encode_ordinary("ab"), [256]);
    is_fault("\n\nYWI=\n", 259, "one field");
}

#[test]
fn one_field() {
    is_fault("YWI=\n", 257, "one field");
}

#[test]
fn three_fields() {
    is_fault("YWI= 256 x\n", 257, "after the rank");
}

#[test]
fn bad_base64() {
    is_fault("Y*I= 256\n", 257, "not valid base64");
}

#[test]
fn bad_padding() {
    is_fault("YWI 256\n", 257, "not valid base64");
    is_fault("YWI== 256\n", 257, "not valid base64");
    // bits that belong to no byte
    is_fault("YWJ= 256\n", 257, "not valid base64");
}

#[test]
fn empty_token() {
    is_fault("== 256\n", 257, "not valid base64");
    let ranks = [(&b""[..], 0)];
    let error = Encoding::builder("x")
        .pattern("a")
        .ranks(ranks)
        .build()
        .unwrap_err();
    assert!(
        error.is_invalid_ranks() && error.to_string().contains("empty"),
        "{error}"
    );
}

#[test]
fn rank_over_u32() {
    is_fault("YWI= 4294967296\n", 257, "more than 4294967295");
    is_fault("YWI= 99999999999999999999999999\n", 257, "more than");
    assert_eq!(
        is_fine("YWI= 4294967295\n").encode_ordinary("ab"),
        [u32::MAX]
    );
}

#[test]
fn negative_rank() {
    is_fault("YWI= -1\n", 257, "negative");
}

#[test]
fn rank_that_is_no_number() {
    for rank in ["x", "1.5", "+1", "1_0", "0x10", "-", "--1", "٣"] {
        is_fault(&format!("YWI= {rank}\n"), 257, "not a number");
    }
}

#[test]
fn duplicate_token() {
    is_fault("YWI= 256\nYWI= 257\n", 258, "line 257");
}

#[test]
fn duplicate_rank() {
    is_fault("YWI= 256\nYWJj 256\n", 258, "line 257");
}

#[test]
fn gap() {
    let encoding = is_fine("YWI= 300\n");
    assert_eq!(encoding.encode_ordinary("ab"), [300]);
    assert!(encoding.decode(&[299]).unwrap_err().is_unknown_token());
}

#[test]
fn unsorted() {
    let lines: Vec<String> = all_bytes()
        .lines()
        .rev()
        .map(|line| format!("{line}\n"))
        .collect();
    let encoding = load(format!("YWI= 256\n{}", lines.concat()).as_bytes()).unwrap();
    assert_eq!(encoding.encode_ordinary("abc"), [256, 99]);
}

#[test]
fn missing_byte() {
    let file: String = all_bytes()
        .lines()
        .filter(|line| !line.starts_with("QQ="))
        .collect::<Vec<_>>()
        .join("\n");
    let error = load(file.as_bytes()).unwrap_err();
    assert!(
        error.is_invalid_ranks() && error.to_string().contains("0x41"),
        "{error}"
    );
    // the file of fourteen bytes that ended a server
    assert!(
        load(b"aGVsbG8= 15339")
            .unwrap_err()
            .to_string()
            .contains("0x00")
    );
}

/// tiktoken looks a whole piece up before it merges.
#[test]
fn a_token_of_a_megabyte() {
    use base64::Engine as _;
    let token = "a".repeat(1_000_000);
    let line = base64::engine::general_purpose::STANDARD.encode(&token) + " 256\n";
    let encoding = is_fine(&line);
    assert_eq!(encoding.encode_ordinary(&token), [256]);
    assert_eq!(encoding.encode_ordinary(&token[1..]).len(), 999_999);
    assert_eq!(encoding.decode(&[256]).unwrap(), token);
}

#[test]
fn an_html_page() {
    let page = b"<!DOCTYPE html>\n<html><body>Not found</body></html>\n";
    let error = load(page).unwrap_err();
    assert_eq!(error.line(), Some(1), "{error}");
    assert!(error.is_invalid_ranks(), "{error}");
}

#[test]
fn nul_bytes() {
    is_fault("YWI=\0 256\n", 257, "not valid base64");
    is_fault("YWI= 256\0\n", 257, "not a number");
    let error = load(&[0; 10_000]).unwrap_err();
    assert!(
        error.is_invalid_ranks() && error.to_string().len() < 300,
        "{error}"
    );
}

/// The file is refused before its end is read.
#[test]
fn a_gigabyte() {
    struct Counted(u64);
    impl Read for Counted {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += buffer.len() as u64;
            buffer.fill(b'A');
            Ok(buffer.len())
        }
    }
    let mut reader = Counted(0);
    let builder = Encoding::builder("mine").max_rank_bytes(1_000_000);
    let error = builder
        .ranks_from_tiktoken((&mut reader).take(1 << 30))
        .unwrap_err();
    assert!(
        error.is_invalid_ranks() && error.to_string().contains("max_rank_bytes"),
        "{error}"
    );
    assert!(reader.0 < 2_000_000, "{}", reader.0);
    let error = Encoding::builder("mine")
        .ranks_from_tiktoken(Counted(0).take(1 << 30))
        .unwrap_err();
    assert!(error.to_string().contains("67108864"), "{error}");
}

#[test]
fn a_wrong_hash() {
    let file = all_bytes();
    let builder = || Encoding::builder("mine").pattern(".");
    let wrong = builder()
        .ranks_from_tiktoken_checked(file.as_bytes(), "abc")
        .unwrap_err();
    assert!(wrong.is_hash_mismatch(), "{wrong}");
    let found = wrong.to_string();
    let found = found
        .split_whitespace()
        .find_map(|word| word.strip_suffix(',').filter(|word| word.len() == 64));
    let right = found.unwrap().to_uppercase();
    builder()
        .ranks_from_tiktoken_checked(file.as_bytes(), &right)
        .unwrap()
        .build()
        .unwrap();
}

#[test]
fn a_reader_that_fails() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the line is dead"))
        }
    }
    let error = Encoding::builder("mine")
        .ranks_from_tiktoken(Failing)
        .unwrap_err();
    assert!(error.is_io(), "{error}");
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "the line is dead");
}

/// Asserts that every token is found by its id, and its id by its bytes.
fn holds_together(encoding: &Encoding) {
    for (id, token) in encoding.tokens() {
        assert_eq!(encoding.encode_single_token(token).unwrap(), id);
        assert_eq!(encoding.decode_single_token_bytes(id).unwrap(), token);
    }
    let text = "The quick brown fox, 最 0123 \u{1f642}\n  ok";
    assert_eq!(
        encoding.decode(&encoding.encode_ordinary(text)).unwrap(),
        text
    );
}

/// Makes a few random changes: bytes, lines doubled, removed or moved, ends cut off.
fn edited(file: &[u8], random: &mut Random) -> Vec<u8> {
    let mut file = file.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(file.len().max(1));
        match random.below(8) {
            0 if !file.is_empty() => file[at] = random.below(256) as u8,
            1 if !file.is_empty() => file[at] ^= 1 << random.below(8),
            2 => file.insert(at.min(file.len()), b"\n \r=A0-\0"[random.below(8)]),
            3 if !file.is_empty() => drop(file.remove(at)),
            4 => file.truncate(at),
            5 | 6 => {
                let mut lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
                let (from, to) = (
                    random.below(lines.len().max(1)),
                    random.below(lines.len().max(1)),
                );
                match random.below(3) {
                    0 if !lines.is_empty() => lines.swap(from, to),
                    1 if !lines.is_empty() => lines.insert(to, lines[from]),
                    _ if !lines.is_empty() => drop(lines.remove(from)),
                    _ => {}
                }
                file = lines.concat();
            }
            _ => {
                // another rank
                let end = file[at.min(file.len())..]
                    .iter()
                    .position(|byte| *byte == b'\n');
                if let Some(end) = end.map(|end| at + end).filter(|end| *end > 0) {
                    file[end - 1] = b'0' + random.below(10) as u8;
                }
            }
        }
    }
    file
}

fn try_edits(name: &str, file: &[u8], count: usize) {
    let mut random = Random::new(count as u64);
    let mut loaded = 0;
    for _ in 0..count {
        let file = edited(file, &mut random);
        match load(&file) {
            Ok(encoding) => {
                holds_together(&encoding);
                loaded += 1;
            }
            Err(error) => {
                assert!(error.is_invalid_ranks(), "{error}");
                let message = error.to_string();
                assert!(!message.is_empty() && message.len() < 400, "{message}");
            }
        }
    }
    say(&format!(
        "loader: {count} edits of {name}, of which {loaded} load"
    ));
}

fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).map_or(default, |number| number.parse().unwrap())
}

fn ranks(name: &str) -> Option<Vec<u8>> {
    crate::common::compiled_in(name)?;
    let path = format!("{}/data/{name}.tiktoken", env!("CARGO_MANIFEST_DIR"));
    Some(std::fs::read(path).unwrap())
}

/// Returns the first thousand lines of a real file, which include all single bytes.
#[test]
fn edited_lines() {
    let Some(file) = ranks("r50k_base") else {
        return;
    };
    let thousand: Vec<&[u8]> = file
        .split_inclusive(|byte| *byte == b'\n')
        .take(1000)
        .collect();
    holds_together(&load(&thousand.concat()).unwrap());
    try_edits(
        "a thousand lines",
        &thousand.concat(),
        number("EDITS", 20_000),
    );
}

#[test]
fn edited_files() {
    for name in ["r50k_base", "p50k_base", "cl100k_base", "o200k_base"] {
        if let Some(file) = ranks(name) {
            try_edits(name, &file, number("WHOLE_EDITS", 10));
        }
    }
}

#[test]
fn an_empty_token() {
    let encoding = is_fine("YWI= 256\n= 257\n");
    assert_eq!(encoding.encode_ordinary("ab="), [256, 61]);
    assert_eq!(encoding.decode(&[257, 256, 257]).unwrap(), "ab");
    assert_eq!(
        (
            encoding.n_vocab(),
            encoding.encode_single_token("").unwrap()
        ),
        (258, 257)
    );
    let more = encoding
        .extend("more")
        .special_token("<s>", 258)
        .build()
        .unwrap();
    assert_eq!(
        more.encode("ab<s>", tiktally::Special::ALLOW_ALL).unwrap(),
        [256, 258]
    );
    assert_eq!(more.decode(&[257]).unwrap(), "");
    is_fault("= 256\n= 257\n", 258, "line 257");
    is_fault("= 9\n", 257, "rank 9");
}
