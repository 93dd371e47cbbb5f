//! The measurements, one function per step.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::thread;

use rayon::{ThreadPoolBuilder, prelude::*};
use tiktally::{Encoding, TokenId};

use crate::chat::chat;
use crate::peers::{Peer, Source};
use crate::race::{Clock, Entrant, Round, Speed, caught, race};
use crate::table::{Table, Unit, markdown, times};
use crate::texts::{HOSTILE, Random};
use crate::trial::{self, Outcome};

/// The slices of a text: one for the check, the others for the rounds.
const SLICES: usize = 9;
const DOCUMENT: usize = 4096;

/// The lengths of short strings, in bytes.
const SHORT: [usize; 5] = [13, 50, 100, 300, 1000];

/// The slices of a text in the step `mt`: one for the check, twelve for documents, twelve for six huge texts.
const MT_SLICES: usize = 25;

/// The step `limits`: texts of this many bytes are asked whether they have at most this many tokens.
const LIMITED: usize = 20_000;
const LIMIT: usize = 1000;

pub struct Corpus {
    pub name: String,
    pub text: String,
}

/// An encoding, its files, the tokenizers that have it (this crate first), and the texts.
pub struct Bench<'a> {
    pub encoding: &'static Encoding,
    pub source: Source<'a>,
    pub peers: Vec<(&'static str, Box<dyn Peer>)>,
    pub corpora: Vec<Corpus>,
}

/// A step by name, and the function that prints its tables.
pub type Step = (&'static str, fn(&Bench));

/// Each step runs in a separate process, so that none has seen the text of another one.
pub const STEPS: [Step; 11] = [
    ("stream", stream),
    ("docs", docs),
    ("distinct", distinct),
    ("steady", steady),
    ("latency", latency),
    ("adv", adv),
    ("decode", decode),
    ("count", count),
    ("limits", limits),
    ("chat", chat),
    ("mt", mt),
];

fn stream(bench: &Bench) {
    let slice = |slice| text_round(vec![slice]);
    bench.fresh(
        "MB/s, one call a slice",
        &bench.corpora,
        &bench.encoders(),
        slice,
    );
}

fn docs(bench: &Bench) {
    let documents = |slice| text_round(cut(slice, DOCUMENT));
    bench.fresh(
        "MB/s, documents of 4 KB",
        &bench.corpora,
        &bench.encoders(),
        documents,
    );
}

/// Measures text without a repeated word: the merge, when no cache helps.
fn distinct(bench: &Bench) {
    let texts = [
        ("made words", made_words(200_000)),
        ("words of all texts", words_of(&bench.corpora)),
    ];
    let texts = texts.map(|(name, text)| Corpus {
        name: name.into(),
        text,
    });
    let slice = |slice| text_round(vec![slice]);
    bench.fresh("MB/s, no word twice", &texts, &bench.encoders(), slice);
}

/// Measures one text again and again, which favours tokenizers with a cache.
fn steady(bench: &Bench) {
    bench.again("MB/s, the same text again", &bench.encoders(), |text| text);
}

/// Measures short strings: each size gets an equal part of each text.
fn latency(bench: &Bench) {
    for (i, size) in SHORT.into_iter().enumerate() {
        let part = |corpus: &Corpus| Corpus {
            name: corpus.name.clone(),
            text: slices(&corpus.text, SHORT.len())[i].to_owned(),
        };
        let parts: Vec<Corpus> = bench.corpora.iter().map(part).collect();
        let mut table = Table::new(
            &format!("ns a call, {size} bytes"),
            Unit::NanosecondsPerCall,
        );
        // few slices, so that a round is some thousand calls
        bench.fill(&mut table, &parts, 4, &bench.encoders(), |slice| {
            calls_round(cut(slice, size))
        });
        table.print();
    }
}

/// Measures adversarial text. The lengths differ a little, so that no two texts are equal.
fn adv(bench: &Bench) {
    let trial = |(name, _): &(&str, _)| trial::outcomes(name, &bench.source);
    let trials: Vec<_> = bench.peers.iter().map(trial).collect();
    let mut table = Table::new("ms/MB, a megabyte of", Unit::MillisecondsPerMegabyte);
    let mut random = Random::new(1);
    for (i, (shape, make)) in HOSTILE.into_iter().enumerate() {
        let check = make(&mut random, 10_000);
        let texts = [0, 1, 2].map(|less| make(&mut random, trial::SIZE - 50 * less));
        let trials: Vec<Outcome> = trials.iter().map(|outcomes| outcomes[i]).collect();
        table.add(shape, bench.fit(&trials, &check, &rounds(&texts)));
    }
    table.print();
}

/// Measures the same ids again and again: no tokenizer caches them, and more of them give steadier figures.
fn decode(bench: &Bench) {
    let call = |peer: &dyn Peer, ids: &Vec<TokenId>| Some(peer.decode(ids).len());
    let ids = |text: &str| bench.encoding.encode_ordinary(text);
    bench.again("MB/s of text, decoding", &bench.entrants(call), ids);
}

/// Measures counting, and our encoding beside it. That has a separate cache, because the thread's has just seen the text.
fn count(bench: &Bench) {
    let mut entrants = bench.entrants(|peer, text: &&str| peer.count(text));
    let encoder = RefCell::new(bench.encoding.encoder());
    let encode = move |text: &&str| {
        let mut ids = Vec::new();
        encoder.borrow_mut().encode_ordinary_into(text, &mut ids);
        Some(ids.len())
    };
    entrants.push(Entrant {
        name: "tiktally's encode".into(),
        call: Box::new(encode),
    });
    let slice = |slice| text_round(vec![slice]);
    bench.fresh("MB/s, counting", &bench.corpora, &entrants, slice);
}

/// Measures counting that stops at a limit, and our counting of the whole text beside it. A count above the limit is given
/// as one more than it.
fn limits(bench: &Bench) {
    let mut entrants = bench.entrants(|peer, text: &&str| peer.count_up_to(text, LIMIT));
    let counter = RefCell::new(bench.encoding.encoder());
    entrants.push(Entrant {
        name: "tiktally's count of all".into(),
        call: Box::new(move |text: &&str| Some(counter.borrow_mut().count(text).min(LIMIT + 1))),
    });
    let title = format!("ns a call, {LIMITED} bytes, {LIMIT} tokens");
    let mut table = Table::new(&title, Unit::NanosecondsPerCall);
    bench.fill(&mut table, &bench.corpora, SLICES, &entrants, |slice| {
        calls_round(cut(slice, LIMITED))
    });
    table.print();
}

/// Measures two threads against one: documents shared by the threads of a pool, and our calls for several threads. Slices
/// of all texts are put together, so that there is enough to share.
fn mt(bench: &Bench) {
    if thread::available_parallelism().is_ok_and(|cores| cores.get() < 2) {
        return println!("\nthis step is not for one core");
    }
    let corpora = bench.corpora.iter();
    let slices: Vec<_> = corpora
        .map(|corpus| slices(&corpus.text, MT_SLICES))
        .collect();
    let text = |i: usize| slices.iter().map(|slices| slices[i]).collect::<String>();
    let texts: Vec<String> = (1..MT_SLICES).map(text).collect();
    let (documents, halves) = texts.split_at(MT_SLICES / 2);
    let huge: Vec<String> = halves.chunks(2).map(<[_]>::concat).collect();
    let parallel = |text: &str| bench.encoding.encode_ordinary_parallel(text).len();
    let parallel = on("tiktally, one huge text", parallel);
    let check = text(0);
    let mut speeds = bench.on_pools(&check, documents_on(bench), documents);
    speeds.extend(bench.on_pools(&check, vec![parallel], &huge));
    let header = ["wall MB/s", "one thread", "two threads", "two over one"];
    markdown(&header.map(str::to_owned), speeds.iter().map(two_over_one));
}

fn two_over_one((name, [one, two]): &(String, [Speed; 2])) -> Vec<String> {
    let (one, two) = (*one, *two);
    let show = |speed: Speed| speed.map_or_else(str::to_owned, |speed| format!("{speed:.1}"));
    let over = one
        .and_then(|one| Ok(times(two? / one)))
        .unwrap_or_default();
    vec![name.clone(), show(one), show(two), over]
}

/// The work of one entrant on one and on two threads.
type OnPools<'a, 't> = [Entrant<'a, &'t str>; 2];

fn documents_on<'a, 't: 'a>(bench: &'a Bench) -> Vec<OnPools<'a, 't>> {
    let shared = |(name, peer): &'a (&'static str, Box<dyn Peer>)| {
        let encode = move |text: &str| {
            let documents = cut(text, DOCUMENT).into_par_iter();
            documents.map(|text| peer.encode(text).len()).sum()
        };
        on(name, encode)
    };
    let batch = |text: &str| {
        let lists = bench.encoding.encode_ordinary_batch(&cut(text, DOCUMENT));
        lists.iter().map(Vec::len).sum()
    };
    let shared = bench.peers.iter().map(shared);
    shared
        .chain([on("tiktally, encode_ordinary_batch", batch)])
        .collect()
}

/// Runs a call on one and on two threads, which no other entrant uses: those would have caches of this text.
fn on<'a, 't: 'a>(
    name: &str,
    call: impl Fn(&str) -> usize + Copy + Send + Sync + 'a,
) -> OnPools<'a, 't> {
    [1, 2].map(|threads| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.unwrap();
        Entrant {
            name: name.to_owned(),
            call: Box::new(move |text: &&'t str| Some(pool.install(|| call(text)))),
        }
    })
}

impl Bench<'_> {
    /// Measures text that none of the entrants has seen: `round` makes their inputs from a slice.
    fn fresh<'t, I>(
        &self,
        title: &str,
        corpora: &'t [Corpus],
        entrants: &[Entrant<I>],
        round: impl Fn(&'t str) -> Round<I>,
    ) {
        let mut table = Table::new(title, Unit::MegabytesPerSecond);
        self.fill(&mut table, corpora, SLICES, entrants, round);
        table.print();
    }

    fn fill<'t, I>(
        &self,
        table: &mut Table,
        corpora: &'t [Corpus],
        count: usize,
        entrants: &[Entrant<I>],
        round: impl Fn(&'t str) -> Round<I>,
    ) {
        for corpus in corpora {
            let slices = slices(&corpus.text, count);
            let rounds: Vec<_> = slices[1..].iter().map(|slice| round(slice)).collect();
            // entrants that are not peers see the text of the check as often as those
            race(Clock::Cpu, entrants, &[round(slices[0])]);
            let speeds = self.checked(slices[0], Clock::Cpu, entrants, &rounds);
            table.add(&corpus.name, speeds);
        }
    }

    /// Measures inputs made from a whole text, which all have seen in the check.
    fn again<'t, I>(&'t self, title: &str, entrants: &[Entrant<I>], input: impl Fn(&'t str) -> I) {
        let mut table = Table::new(title, Unit::MegabytesPerSecond);
        for Corpus { name, text } in &self.corpora {
            let round = |()| Round {
                inputs: vec![input(text)],
                units: megabytes(text),
            };
            let rounds = [(); 3].map(round);
            table.add(name, self.checked(text, Clock::Cpu, entrants, &rounds));
        }
        table.print();
    }

    /// Measures the entrants that gave the right answers for a text. The check also warms everything up.
    fn checked<I>(
        &self,
        check: &str,
        clock: Clock,
        entrants: &[Entrant<I>],
        rounds: &[Round<I>],
    ) -> Vec<(String, Speed)> {
        let ids = self.encoding.encode_ordinary(check);
        let wrong = |(name, peer): &(&'static str, Box<dyn Peer>)| {
            let right = caught(|| is_right(&**peer, check, &ids));
            let failure = right.and_then(|right| right.then_some(()).ok_or("wrong"));
            Some((*name, failure.err()?))
        };
        let wrong: Vec<_> = self.peers.iter().filter_map(wrong).collect();
        let failure = |name: &str| wrong.iter().find(|(peer, _)| name.starts_with(peer));
        let speeds = race(clock, entrants, rounds);
        let checked = entrants.iter().zip(speeds).map(|(entrant, speed)| {
            // a call that a peer does not have is not wrong
            let speed = match failure(&entrant.name) {
                Some((_, why)) if speed != Err("-") => Err(*why),
                _ => speed,
            };
            (entrant.name.clone(), speed)
        });
        checked.collect()
    }

    /// Measures the peers whose trial ended well. The others get the reason in place of a speed.
    fn fit(&self, trials: &[Outcome], check: &str, rounds: &[Round<&str>]) -> Vec<(String, Speed)> {
        let entrants = self.encoders().into_iter().zip(trials);
        let fit = entrants.filter_map(|(entrant, trial)| trial.is_ok().then_some(entrant));
        let mut speeds = self
            .checked(check, Clock::Cpu, &fit.collect::<Vec<_>>(), rounds)
            .into_iter();
        let speed = |((name, _), trial): (&(&str, _), &Outcome)| match *trial {
            Ok(()) => speeds.next().unwrap(),
            Err(why) => ((*name).to_owned(), Err(why)),
        };
        self.peers.iter().zip(trials).map(speed).collect()
    }

    /// Measures one thread on the first half of the texts, and two threads on the other half: a cache that threads share would
    /// know a text that comes again.
    fn on_pools<'t>(
        &self,
        check: &str,
        entrants: Vec<OnPools<'_, 't>>,
        texts: &'t [String],
    ) -> Vec<(String, [Speed; 2])> {
        let (one, two): (Vec<_>, Vec<_>) = entrants.into_iter().map(<(_, _)>::from).unzip();
        let (first, second) = texts.split_at(texts.len() / 2);
        let one = self.checked(check, Clock::Wall, &one, &rounds(first));
        let two = self.checked(check, Clock::Wall, &two, &rounds(second));
        let pairs = one.into_iter().zip(two);
        pairs
            .map(|((name, one), (_, two))| (name, [one, two]))
            .collect()
    }

    fn entrants<'a, I>(
        &'a self,
        call: impl Fn(&dyn Peer, &I) -> Option<usize> + Copy + 'a,
    ) -> Vec<Entrant<'a, I>> {
        let entrant = |(name, peer): &'a (&'static str, Box<dyn Peer>)| Entrant {
            name: (*name).into(),
            call: Box::new(move |input| call(&**peer, input)),
        };
        self.peers.iter().map(entrant).collect()
    }

    fn encoders<'t>(&self) -> Vec<Entrant<'_, &'t str>> {
        self.entrants(|peer, text: &&str| Some(peer.encode(text).len()))
    }
}

fn is_right(peer: &dyn Peer, text: &str, ids: &[TokenId]) -> bool {
    peer.encode(text) == ids
        && peer.count(text).is_none_or(|count| count == ids.len())
        && [ids.len(), ids.len() - 1].iter().all(|&limit| {
            peer.count_up_to(text, limit)
                .is_none_or(|count| count == ids.len())
        })
        && peer.decode(ids) == text.as_bytes()
}

fn text_round(inputs: Vec<&str>) -> Round<&str> {
    let units = inputs.iter().map(|text| megabytes(text)).sum();
    Round { inputs, units }
}

fn calls_round(inputs: Vec<&str>) -> Round<&str> {
    let units = inputs.len() as f64;
    Round { inputs, units }
}

/// Makes one round for each text.
fn rounds(texts: &[String]) -> Vec<Round<&str>> {
    texts.iter().map(|text| text_round(vec![text])).collect()
}

fn megabytes(text: &str) -> f64 {
    text.len() as f64 / 1e6
}

/// Splits a text into parts of `size` bytes, or a few more where a character would be cut.
pub fn cut(text: &str, size: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = (size..rest.len()).find(|&at| rest.is_char_boundary(at));
        let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
        parts.push(part);
        rest = after;
    }
    parts
}

/// Splits a text into this many parts of about the same size.
fn slices(text: &str, count: usize) -> Vec<&str> {
    let near = |i: usize| text.len() * i / count;
    let end = |i| (near(i)..).find(|&at| text.is_char_boundary(at.min(text.len())));
    let ends: Vec<usize> = (0..=count).filter_map(end).collect();
    ends.windows(2)
        .map(|ends| &text[ends[0]..ends[1]])
        .collect()
}

/// Returns invented words of alternating consonants and vowels.
fn made_words(count: usize) -> String {
    const PARTS: [&[&str]; 2] = [
        &[
            "b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "st", "tr", "ch",
            "th",
        ],
        &["a", "e", "i", "o", "u", "ea", "ou", "io"],
    ];
    let mut random = Random::new(1);
    let word = |random: &mut Random| -> String {
        let len = 4 + random.below(6);
        (0..len).map(|i| random.pick(PARTS[i % 2])).collect()
    };
    let words: BTreeSet<String> = (0..count).map(|_| word(&mut random)).collect();
    joined(words)
}

fn words_of(corpora: &[Corpus]) -> String {
    let words = corpora
        .iter()
        .flat_map(|corpus| corpus.text.split(|c: char| !c.is_alphabetic()));
    joined(
        words
            .filter(|word| !word.is_empty() && word.len() < 100)
            .collect(),
    )
}

/// Returns the words in a fixed, shuffled order, each after a space.
fn joined<S: AsRef<str> + Ord>(words: BTreeSet<S>) -> String {
    let mut words: Vec<S> = words.into_iter().collect();
    let mut random = Random::new(2);
    for i in (1..words.len()).rev() {
        words.swap(i, random.below(i + 1));
    }
    words.iter().flat_map(|word| [" ", word.as_ref()]).collect()
}
