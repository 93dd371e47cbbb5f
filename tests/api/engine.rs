//! The whole engine against the definitions: pieces by the scalar splitter, ids by the plain merge.
//!
//! The engine works on windows of 64 bytes, copies texts shorter than two windows, and takes 512 pieces at a time. It has
//! different paths for pieces of up to 7, 16, 30, 32, 62 and more bytes. So there are texts of every length around these
//! numbers. Each goes through encoders that are kept from text to text: scratch memory that is not cleared, or a cache
//! that confuses pieces, would show.
//!
//! Each vocabulary merges 25,000 random pieces. `TIMES=100` multiplies the number of pieces and of texts by 100.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::{compiled_in, say, times};
use crate::texts;
use crate::texts::{KINDS, Random};
use tiktally::{Encoder, Encoding, TokenId, reference};

/// One encoding for each vocabulary.
const VOCABULARIES: [&str; 4] = ["r50k_base", "p50k_base", "cl100k_base", "o200k_base"];

/// Returns the number of random pieces that each vocabulary merges.
fn cases() -> usize {
    times(25_000)
}

/// Encoders of one encoding, kept from text to text.
struct Ways {
    encoding: &'static Encoding,
    encoders: Vec<(&'static str, Encoder)>,
    ids: Vec<TokenId>,
}

impl Ways {
    fn new(encoding: &'static Encoding) -> Self {
        let encoder = |bytes| encoding.encoder().with_cache_bytes(bytes);
        Self {
            encoding,
            encoders: vec![
                ("no cache", encoder(0)),
                ("the smallest cache", encoder(1 << 14)),
                ("the default cache", encoding.encoder()),
            ],
            ids: Vec::new(),
        }
    }

    fn check(&mut self, text: &str) {
        let expected = by_definition(self.encoding, text);
        for (way, encoder) in &mut self.encoders {
            // in turn before and after what the other calls leave behind
            assert_eq!(
                encoder.count(text),
                expected.len(),
                "{}",
                self.encoding.shown(way, text)
            );
            self.ids.clear();
            self.ids.push(7);
            encoder.encode_ordinary_into(text, &mut self.ids);
            assert_eq!(self.ids[0], 7);
            assert_eq!(
                self.ids[1..],
                expected,
                "{}",
                self.encoding.shown(way, text)
            );
        }
        let way = "the plain call";
        assert_eq!(
            self.encoding.encode_ordinary(text),
            expected,
            "{}",
            self.encoding.shown(way, text)
        );
        assert_eq!(
            self.encoding.count(text),
            expected.len(),
            "{}",
            self.encoding.shown(way, text)
        );
    }
}

trait Shown {
    fn shown(&self, way: &str, text: &str) -> String;
}

impl Shown for Encoding {
    fn shown(&self, way: &str, text: &str) -> String {
        format!(
            "{}, {way}, {} bytes: \"{}\"",
            self.name(),
            text.len(),
            text.escape_debug()
        )
    }
}

fn by_definition(encoding: &Encoding, text: &str) -> Vec<TokenId> {
    let merge = |piece: &str| reference::merge(encoding, piece.as_bytes());
    encoding.pieces(text).flat_map(merge).collect()
}

/// The encoders of all encodings, and the number of texts so far.
struct Checks {
    name: &'static str,
    ways: Vec<Ways>,
    texts: usize,
}

impl Checks {
    fn new(name: &'static str) -> Self {
        let ways = VOCABULARIES
            .into_iter()
            .filter_map(compiled_in)
            .map(Ways::new)
            .collect();
        Self {
            name,
            ways,
            texts: 0,
        }
    }

    /// Encodes the text with each encoding in turn.
    fn check(&mut self, text: &str) {
        for ways in &mut self.ways {
            ways.check(text);
            self.texts += 1;
        }
    }
}

impl Drop for Checks {
    fn drop(&mut self) {
        say(&format!("engine: {}: {} texts", self.name, self.texts));
    }
}

// The random texts.

/// Some characters of each class and each UTF-8 length, and those that the patterns name.
fn alphabet() -> Vec<char> {
    let mut classes = BTreeMap::<_, Vec<char>>::new();
    for c in '\0'..=char::MAX {
        classes
            .entry((reference::unicode_class(c), c.len_utf8()))
            .or_default()
            .push(c);
    }
    let some = classes
        .values()
        .flat_map(|chars| chars.iter().step_by(chars.len().div_ceil(4)).copied());
    let named = "    \n\n\r\t'''sStTdDmMlLvVrReEabc/!.019ſ\u{212a}\u{a0}\u{3000}🙂\u{200d}";
    some.chain(named.chars()).collect()
}

/// The random texts of one encoding.
struct Source {
    random: Random,
    alphabet: Vec<char>,
    /// The tokens of all encodings.
    tokens: Vec<&'static [u8]>,
    /// The tokens that consist of letters, without a leading space.
    words: Vec<&'static str>,
}

impl Source {
    fn new(seed: u64) -> Self {
        let encodings = VOCABULARIES.into_iter().filter_map(compiled_in);
        let tokens: Vec<&[u8]> = encodings
            .flat_map(Encoding::tokens)
            .map(|(_, bytes)| bytes)
            .collect();
        let texts = tokens
            .iter()
            .filter_map(|bytes| std::str::from_utf8(bytes).ok());
        let lower = |c| matches!(reference::unicode_class(c), "lower" | "caseless");
        Self {
            words: texts.filter(|text| text.chars().all(lower)).collect(),
            random: Random::new(seed),
            alphabet: alphabet(),
            tokens,
        }
    }

    /// Returns exactly `len` bytes: characters of the alphabet, a few of them repeated, tokens, or words.
    fn text(&mut self, len: usize) -> String {
        let kind = self.random.below(4);
        let few: Vec<char> = (0..4).map(|_| self.char()).collect();
        let mut bytes = Vec::new();
        while bytes.len() < len {
            match kind {
                0 => bytes.extend(self.char().to_string().bytes()),
                1 => bytes.extend(few[self.random.below(4)].to_string().bytes()),
                2 => bytes.extend(self.random.pick(&self.tokens)),
                _ => bytes.extend(
                    KINDS[self.random.below(KINDS.len())]
                        .text(&mut self.random, 40)
                        .bytes(),
                ),
            }
        }
        let valid: String = bytes.utf8_chunks().map(|chunk| chunk.valid()).collect();
        fill(valid, len)
    }

    fn char(&mut self) -> char {
        self.alphabet[self.random.below(self.alphabet.len())]
    }

    /// Returns one piece of exactly `len` bytes: letters, most of them from tokens.
    fn word(&mut self, len: usize) -> String {
        let mut word = String::new();
        while word.len() < len {
            match self.random.below(8) {
                0 => word.push(char::from(b'a' + self.random.below(26) as u8)),
                1 => word.push_str(["é", "я", "最", "한", "ﬀ", "𐐨"][self.random.below(6)]),
                _ => word.push_str(self.random.pick(&self.words)),
            }
        }
        fill(word, len)
    }
}

/// Cuts or pads a text to exactly `len` bytes.
fn fill(mut text: String, len: usize) -> String {
    texts::cut(&mut text, len);
    while text.len() < len {
        text.push('q');
    }
    text
}

// The tests.

#[test]
fn texts_of_every_length() {
    let mut checks = Checks::new("texts of every length");
    let mut source = Source::new(1);
    let around = [256, 320, 384, 512, 576, 1024, 2048, 4096];
    let around = around.into_iter().flat_map(|size| size - 3..=size + 3);
    for len in (0..=200).chain(around) {
        for _ in 0..cases().div_ceil(1000) {
            checks.check(&source.text(len));
        }
    }
}

/// A text may begin at any address, in the main loop and in the tail.
#[test]
fn every_alignment() {
    let mut checks = Checks::new("every alignment");
    let mut source = Source::new(2);
    for len in [
        1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 255, 256, 257, 300, 700,
    ] {
        for offset in 0..64 {
            let text = "x".repeat(offset) + &source.text(len);
            checks.check(&text[offset..]);
        }
    }
}

/// The engine takes 512 pieces at a time, and the rest of the window in which the 512th begins.
#[test]
fn chunks_of_pieces() {
    let mut checks = Checks::new("chunks of pieces");
    let mut source = Source::new(3);
    let units = [". a", "x", "\n", "!x", "é!", " 7", "最\n"];
    for count in (440..=660).chain(1010..=1160) {
        for _ in 0..cases().div_ceil(25_000) {
            // the same unit again and again, then units by turns, then words that are no tokens
            let unit = source.random.pick(&units);
            checks.check(&format!("{unit}.").repeat(count / 2));
            let mut text = String::new();
            for _ in 0..count {
                text.push_str(source.random.pick(&units));
            }
            checks.check(&text);
        }
    }
    for count in [511, 512, 513, 575, 576, 577, 1100] {
        let words: Vec<String> = (0..count).map(|_| source.word(6)).collect();
        checks.check(&words.join("."));
        checks.check(&words.join(" "));
    }
}

/// Pieces of every length around the thresholds, many in a text, so that they are merged in batches and repeat.
#[test]
fn pieces_around_every_threshold() {
    const LENGTHS: [usize; 9] = [7, 14, 16, 17, 30, 32, 33, 62, 64];
    const IDS: [usize; 8] = [6, 7, 8, 14, 15, 21, 22, 23];
    let mut checks = Checks::new("pieces around every threshold");
    let mut source = Source::new(4);
    let mut seen = vec![BTreeSet::new(); checks.ways.len()];
    let mut pieces = 0;
    while pieces < cases() {
        let mut words = Vec::new();
        for _ in 0..40 {
            let around = LENGTHS[source.random.below(LENGTHS.len())] + source.random.below(5);
            let len = match source.random.below(8) {
                0 => 1 + source.random.below(140),
                _ => around - 2,
            };
            words.push(source.word(len));
        }
        let mut text = String::new();
        for _ in 0..60 {
            text.push_str(&words[source.random.below(words.len())]);
            text.push_str(
                source
                    .random
                    .pick(&[" ", "\n", "1", "  ", "。", " 'r", "\t"]),
            );
        }
        checks.check(&text);
        for (seen, ways) in seen.iter_mut().zip(&checks.ways) {
            for piece in ways.encoding.pieces(&text) {
                seen.insert((
                    piece.len(),
                    reference::merge(ways.encoding, piece.as_bytes()).len(),
                ));
            }
        }
        pieces += 60;
    }
    let mut all_ids = BTreeSet::new();
    for (seen, ways) in seen.iter().zip(&checks.ways) {
        let lens: BTreeSet<_> = seen.iter().map(|(len, _)| *len).collect();
        for len in LENGTHS {
            let around = len - 2..=len + 2;
            assert!(
                around.into_iter().all(|len| lens.contains(&len)),
                "{}",
                ways.encoding.name()
            );
        }
        all_ids.extend(
            seen.iter()
                .filter(|(len, _)| *len <= 32)
                .map(|(_, ids)| *ids),
        );
    }
    // of the pieces that the cache takes; no encoding has each number in so few
    assert!(
        checks.ways.is_empty() || IDS.iter().all(|n| all_ids.contains(n)),
        "{all_ids:?}"
    );
    say(&format!("engine: {pieces} pieces for each vocabulary"));
}

/// Cache keys consist of the first 16 bytes and of 16 more: pieces that share these bytes must not be confused.
#[test]
fn shared_prefixes() {
    let mut checks = Checks::new("shared prefixes");
    let mut source = Source::new(5);
    for shared in [14, 15, 16, 17, 30, 31, 32, 33, 48] {
        for _ in 0..cases().div_ceil(2500) {
            let prefix = source.word(shared);
            let mut words = vec![prefix.clone(), format!("{prefix}{prefix}")];
            for len in 1..=20 {
                words.push(prefix.clone() + &source.word(len));
                words.push(source.word(len) + &prefix);
            }
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let text: Vec<&str> = (0..120).map(|_| source.random.pick(&words)).collect();
            checks.check(&text.join(" "));
            checks.check(&text.join("\n"));
        }
    }
}

/// Bytes that keys, padding and tables might confuse with an empty entry.
#[test]
fn bytes_that_look_like_padding() {
    let mut checks = Checks::new("bytes that look like padding");
    let chars = [
        "\0",
        "\u{1}",
        "\u{10}",
        "\u{7f}",
        "\u{80}",
        "ÿ",
        "\u{7ff}",
        "\u{ffff}",
        "\u{10ffff}",
        "\u{f0000}",
    ];
    for c in chars {
        for n in (0..=70).chain([127, 128, 129, 255, 256, 257, 600]) {
            let run = c.repeat(n);
            for text in [
                run.clone(),
                format!("a{run}"),
                format!("{run}a"),
                format!("a{run}a{run}\n{run}"),
            ] {
                checks.check(&text);
            }
        }
    }
    for n in 0..20 {
        let nuls = "\0".repeat(n);
        checks.check(&format!("{nuls}a {nuls} b{nuls}. {nuls}{nuls}\u{1}{nuls}\u{2}").repeat(9));
    }
}

/// A piece may begin in the main part of a text and end so near the end that no padding follows it.
#[test]
fn long_pieces_that_end_near_the_end() {
    let mut checks = Checks::new("long pieces that end near the end");
    let mut source = Source::new(7);
    let behind = "! b. c? d: e".repeat(12);
    for unit in ["é", "最", "🙂", "\u{80}", "e\u{301}", "zq", "=", "xé"] {
        for left in 0..=behind.len() {
            for len in [254, 260, 300] {
                checks.check(&(unit.repeat(len / unit.len()) + &behind[..left]));
            }
            let len = 240 + source.random.below(60);
            checks.check(&(source.word(len) + &behind[..left]));
        }
    }
}

/// Real words in ordinary texts, with the cache contents left by earlier texts.
#[test]
fn long_texts() {
    let mut checks = Checks::new("long texts");
    let mut random = Random::new(6);
    for round in 0..cases().div_ceil(12_500) {
        for kind in &KINDS {
            checks.check(&kind.text(&mut random, 20_000 + 777 * round));
        }
    }
}
