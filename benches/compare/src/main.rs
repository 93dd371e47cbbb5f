//! This crate and its peers in one process, on the same text, none of which anyone sees twice. See README.md.

mod peers;
mod tokenizer_json;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use cpu_time::ProcessTime;
use peers::{Encode, PEERS};
use sha2::{Digest, Sha256};
use tiktally::{Encoding, TokenId};

const ENCODINGS: [&str; 4] = ["cl100k_base", "o200k_base", "r50k_base", "p50k_base"];

/// A file is cut into one slice for the check, and four for each step by turns.
const SLICES: usize = 9;
const DOCUMENT: usize = 4096;

/// What keeps peers from starting threads of their own for one text.
const ONE_THREAD: [(&str, &str); 2] = [("RAYON_NUM_THREADS", "1"), ("FASTOKENS_BPE_THREADS", "1")];

struct Corpus {
    name: String,
    text: String,
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, only @ ..] = &*arguments else {
        panic!("which folder of texts?");
    };
    if env::var_os(ONE_THREAD[0].0).is_none() {
        let mut again = Command::new(env::current_exe().unwrap());
        let status = again.args(&arguments).envs(ONE_THREAD).status().unwrap();
        std::process::exit(status.code().unwrap_or(1));
    }
    let corpora = corpora(folder);
    for name in ENCODINGS
        .into_iter()
        .filter(|name| only.is_empty() || only.iter().any(|o| o == name))
    {
        compare(tiktally::get_encoding(name).unwrap(), &corpora);
    }
}

fn corpora(folder: &str) -> Vec<Corpus> {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let corpus = |path: std::path::PathBuf| {
        let text = fs::read_to_string(&path)
            .ok()
            .filter(|text| text.len() > SLICES * DOCUMENT)?;
        let name = path.file_stem()?.to_string_lossy().into_owned();
        Some(Corpus { name, text })
    };
    paths.into_iter().filter_map(corpus).collect()
}

fn slices(text: &str, count: usize) -> Vec<&str> {
    let cut = |i: usize| {
        let near = text.len() * i / count;
        (near..=text.len())
            .find(|&at| text.is_char_boundary(at))
            .unwrap()
    };
    (0..count).map(|i| &text[cut(i)..cut(i + 1)]).collect()
}

fn compare(encoding: &'static Encoding, corpora: &[Corpus]) {
    let mut ready: Vec<(&str, Encode)> = Vec::new();
    for peer in &PEERS {
        match (peer.load)(encoding) {
            Ok(Some(encode)) => ready.push((peer.name, encode)),
            Ok(None) => {}
            Err(error) => println!("{} cannot load {}: {error}", peer.name, encoding.name()),
        }
    }
    let mut steps = [
        Table::new("one call a slice"),
        Table::new("documents of 4 KB"),
    ];
    let mut wrong = BTreeMap::new();
    for corpus in corpora {
        let slices = slices(&corpus.text, SLICES);
        let mut encode = |step: Option<&mut Table>, slice: &str, first: usize| {
            let documents = match &step {
                Some(table) if table.name.starts_with("documents") => {
                    self::slices(slice, slice.len().div_ceil(DOCUMENT))
                }
                _ => vec![slice],
            };
            let mut ids = Vec::with_capacity(documents.len());
            let mut results = Vec::new();
            for i in 0..ready.len() {
                let (name, encode) = &ready[(first + i) % ready.len()];
                ids.clear();
                let start = ProcessTime::now();
                ids.extend(documents.iter().map(|text| encode(text)));
                results.push((*name, start.elapsed(), hash(&ids)));
            }
            let ours = results.iter().find(|(name, ..)| *name == PEERS[0].name);
            let expected = ours.map(|(_, _, hash)| *hash);
            for (name, _, _) in results
                .iter()
                .filter(|(_, _, hash)| Some(*hash) != expected)
            {
                *wrong.entry((*name, corpus.name.as_str())).or_insert(0) += 1;
            }
            if let Some(table) = step {
                for (name, time, _) in results {
                    table.add(name, &corpus.name, slice.len(), time);
                }
            }
        };
        // the first slice is for the check, and to wake everything up
        encode(None, slices[0], 0);
        for (i, slice) in slices[1..].iter().enumerate() {
            encode(Some(&mut steps[i % 2]), slice, i);
        }
    }
    println!("\n# {}\n", encoding.name());
    for ((peer, corpus), slices) in wrong {
        println!("Wrong ids: {peer} on {corpus}, {slices} of {SLICES} slices.\n");
    }
    steps.iter().for_each(Table::print);
}

fn hash(lists: &[Vec<TokenId>]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for ids in lists {
        for id in ids {
            hash.update(id.to_le_bytes());
        }
        hash.update([0xFF; 4]);
    }
    hash.finalize().into()
}

/// The bytes and the time of each peer and each text.
struct Table {
    name: &'static str,
    cells: BTreeMap<(&'static str, String), (usize, Duration)>,
}

impl Table {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            cells: BTreeMap::new(),
        }
    }

    fn add(&mut self, peer: &'static str, corpus: &str, bytes: usize, time: Duration) {
        let cell = self.cells.entry((peer, corpus.to_owned())).or_default();
        *cell = (cell.0 + bytes, cell.1 + time);
    }

    /// Megabytes a second.
    fn speed(&self, peer: &'static str, corpus: &str) -> Option<f64> {
        let (bytes, time) = self.cells.get(&(peer, corpus.to_owned()))?;
        Some(*bytes as f64 / 1e6 / time.as_secs_f64())
    }

    fn print(&self) {
        let mut corpora: Vec<&str> = self
            .cells
            .keys()
            .map(|(_, corpus)| corpus.as_str())
            .collect();
        corpora.sort_unstable();
        corpora.dedup();
        println!(
            "MB/s, {}:\n\n| | {} | geometric mean |",
            self.name,
            corpora.join(" | ")
        );
        println!("|---|{}", "---:|".repeat(corpora.len() + 1));
        let row = |name: &str, values: &[f64], digits: usize| {
            let mean =
                (values.iter().map(|value| value.ln()).sum::<f64>() / values.len() as f64).exp();
            let cells: Vec<String> = values
                .iter()
                .chain([&mean])
                .map(|value| format!("{value:.digits$}"))
                .collect();
            println!("| {name} | {} |", cells.join(" | "));
        };
        let speeds = |peer| -> Vec<f64> {
            corpora
                .iter()
                .filter_map(|corpus| self.speed(peer, corpus))
                .collect()
        };
        let all = PEERS
            .iter()
            .map(|peer| (peer.name, speeds(peer.name)))
            .filter(|(_, speeds)| !speeds.is_empty());
        let all: Vec<_> = all.collect();
        for (name, speeds) in &all {
            row(name, speeds, 1);
        }
        if let [(_, ours), others @ ..] = &*all {
            for (name, speeds) in others {
                let ratios: Vec<f64> = ours
                    .iter()
                    .zip(speeds)
                    .map(|(ours, theirs)| ours / theirs)
                    .collect();
                row(&format!("ours over {name}"), &ratios, 2);
            }
            let best = |i: usize| {
                others
                    .iter()
                    .map(|(_, speeds)| speeds[i])
                    .fold(0.0, f64::max)
            };
            let ratios: Vec<f64> = ours
                .iter()
                .enumerate()
                .map(|(i, ours)| ours / best(i))
                .collect();
            row("**ours over the best**", &ratios, 2);
        }
        println!();
    }
}
