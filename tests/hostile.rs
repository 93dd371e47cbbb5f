//! Texts that make tokenizers slow or overflow their stack: the ids are right, and a small stack is enough.
//!
//! Most of these texts are one piece, and the plain merge takes quadratic time in its length. So it checks only the small
//! texts. Large ones are checked by a merge with a heap, which the plain merge checks on the small ones.
//!
//! These tests are a program of their own: the first use of each encoding must be in a thread with a small stack.

#[path = "common/texts.rs"]
mod texts;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::thread;

use texts::{HOSTILE, KINDS, Random};
use tiktally::{Encoding, TokenId, get_encoding, list_encoding_names, reference};

/// The stack size in bytes in which everything must run, including the first use of an encoding.
const STACK: usize = 256 << 10;

/// Runs a check of each encoding in its own thread with a small stack.
fn for_each_encoding(check: fn(&'static Encoding)) {
    for name in list_encoding_names() {
        let run = move || check(get_encoding(name).unwrap());
        let thread = thread::Builder::new().stack_size(STACK).spawn(run);
        thread.unwrap().join().unwrap();
    }
}

/// The plain merge with a heap: lowest rank first, leftmost on a tie.
struct Judge {
    encoding: &'static Encoding,
    ranks: HashMap<&'static [u8], TokenId>,
    longest: usize,
}

impl Judge {
    fn new(encoding: &'static Encoding) -> Self {
        let ranks: HashMap<_, _> = encoding.tokens().map(|(id, bytes)| (bytes, id)).collect();
        let longest = ranks.keys().map(|bytes| bytes.len()).max().unwrap_or(0);
        Self {
            encoding,
            ranks,
            longest,
        }
    }

    fn encode(&self, text: &str) -> Vec<TokenId> {
        let pieces = self.encoding.pieces(text);
        pieces
            .flat_map(|piece| self.merge(piece.as_bytes()))
            .collect()
    }

    fn rank(&self, bytes: &[u8]) -> Option<TokenId> {
        self.ranks
            .get(bytes)
            .copied()
            .filter(|_| bytes.len() <= self.longest)
    }

    fn merge(&self, piece: &[u8]) -> Vec<TokenId> {
        let len = piece.len();
        // where the part that starts here ends, 0 if none starts here any more; and where the one before it starts
        let mut ends: Vec<usize> = (1..=len).collect();
        let mut before: Vec<usize> = (0..=len).map(|at| at.saturating_sub(1)).collect();
        let mut heap = BinaryHeap::new();
        let join = |ends: &[usize], at: usize| {
            let middle = ends[at];
            let end = *ends.get(middle)?;
            let rank = self.rank(
                piece
                    .get(at..end)
                    .filter(|bytes| bytes.len() <= self.longest)?,
            )?;
            Some(Reverse((rank, at, middle, end)))
        };
        heap.extend((0..len).filter_map(|at| join(&ends, at)));
        while let Some(Reverse((_, at, middle, end))) = heap.pop() {
            if ends[at] != middle || ends[middle] != end {
                continue;
            }
            (ends[at], ends[middle], before[end]) = (end, 0, at);
            heap.extend(join(&ends, at));
            if at > 0 {
                heap.extend(join(&ends, before[at]));
            }
        }
        let parts = (0..len).filter(|&at| ends[at] != 0);
        parts.map(|at| self.ranks[&piece[at..ends[at]]]).collect()
    }
}

fn check(judge: &Judge, shape: &str, text: &str) {
    let encoding = judge.encoding;
    let what = || format!("{}: {shape}, {} bytes", encoding.name(), text.len());
    let expected = judge.encode(text);
    let ids = encoding.encode_ordinary(text);
    // not assert_eq: it would print megabytes
    assert!(ids == expected, "{}", what());
    assert_eq!(encoding.count(text), ids.len(), "{}", what());
    assert!(encoding.decode(&ids).unwrap() == text, "{}", what());
}

#[test]
fn small() {
    for_each_encoding(|encoding| {
        let judge = Judge::new(encoding);
        let mut random = Random::new(1);
        for (shape, make) in HOSTILE {
            for size in (0..40).chain([127, 128, 129, 255, 257, 515, 1023, 2048, 3000]) {
                let text = make(&mut random, size);
                check(&judge, shape, &text);
                let plain = encoding.pieces(&text);
                let plain = plain.flat_map(|piece| reference::merge(encoding, piece.as_bytes()));
                assert!(
                    plain.eq(judge.encode(&text)),
                    "{}: the judge is wrong",
                    encoding.name()
                );
            }
        }
    });
}

/// A long piece does not change the ids of the text before and after it.
#[test]
fn between_ordinary_texts() {
    for_each_encoding(|encoding| {
        let judge = Judge::new(encoding);
        let mut random = Random::new(2);
        for (shape, make) in HOSTILE {
            for kind in &KINDS {
                let mut text = kind.text(&mut random, 300);
                text += &make(&mut random, 3000);
                text += &kind.text(&mut random, 10);
                check(&judge, shape, &text);
            }
        }
    });
}

/// Characters of the texts that repeat with a period.
const ALPHABETS: [&str; 7] = [
    "a1 \n's.",
    " \n\t\r",
    "ABa中\u{301}'s ",
    "0123456789,",
    "=-/!\n",
    "中国😀\u{200d}e\u{301}",
    "the quick brown",
];

/// Returns a text that repeats with a period, is broken somewhere, and goes on as before.
fn broken_repeats(random: &mut Random, alphabet: &str, period: usize) -> String {
    let alphabet: Vec<char> = alphabet.chars().collect();
    let mut unit: String = (0..period)
        .map(|_| alphabet[random.below(alphabet.len())])
        .collect();
    texts::cut(&mut unit, period);
    if unit.is_empty() {
        unit.push('x');
    }
    let times = (random.below(4000) + 10 * period) / period;
    let mut text = unit.repeat(times.max(2));
    let len = text.len() - random.below(2 * period.min(text.len() / 2));
    texts::cut(&mut text, len);
    text.push(alphabet[random.below(alphabet.len())]);
    text + &unit.repeat(random.below(times + 1))
}

/// Text that repeats with a period is copied: its ids, its counts and those of streams are the same up to where it breaks.
#[test]
fn repeats_that_break() {
    for_each_encoding(|encoding| {
        let judge = Judge::new(encoding);
        let mut random = Random::new(5);
        for period in 1..=66 {
            for alphabet in ALPHABETS {
                let text = broken_repeats(&mut random, alphabet, period);
                check(&judge, alphabet, &text);
                let ids = encoding.encode_ordinary(&text);
                let limit = random.below(ids.len() + 2);
                let expected = Some(ids.len()).filter(|count| *count <= limit);
                assert_eq!(encoding.count_up_to(&text, limit), expected, "{text:?}");
                let beginning = encoding.truncate(&text, limit);
                assert!(text.starts_with(beginning) && encoding.count(beginning) <= limit);
                let middle = (0..=random.below(text.len() + 1))
                    .rev()
                    .find(|at| text.is_char_boundary(*at));
                let (first, second) = text.split_at(middle.unwrap_or(0));
                let mut counter = encoding.token_counter();
                let mut stream = encoding.stream_encoder();
                let mut streamed = Vec::new();
                for part in [first, second] {
                    counter.push(part);
                    stream.push(part, &mut streamed);
                }
                stream.finish(&mut streamed);
                assert_eq!(counter.total(), ids.len(), "{text:?}");
                assert!(streamed == ids, "{}: {text:?}", encoding.name());
            }
        }
    });
}

#[test]
fn ten_and_a_hundred_kilobytes() {
    for_each_encoding(|encoding| {
        let judge = Judge::new(encoding);
        let mut random = Random::new(3);
        for (shape, make) in HOSTILE {
            for size in [10_000, 100_000] {
                check(&judge, shape, &make(&mut random, size));
            }
        }
    });
}

/// For a megabyte of each the judge takes too long: only counting, encoding and decoding are compared.
#[test]
fn a_megabyte() {
    for_each_encoding(|encoding| {
        let mut random = Random::new(4);
        for (shape, make) in HOSTILE {
            let text = make(&mut random, 1_000_000);
            let ids = encoding.encode_ordinary(&text);
            assert_eq!(
                encoding.count(&text),
                ids.len(),
                "{}: {shape}",
                encoding.name()
            );
            assert!(
                encoding.decode(&ids).unwrap() == text,
                "{}: {shape}",
                encoding.name()
            );
        }
    });
}
