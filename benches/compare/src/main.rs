//! Measures this crate and its peers in one process, on the same text. See README.md.

mod bills;
mod chat;
mod cold;
mod machine;
mod peers;
mod race;
#[path = "../../../tests/chat/recorded.rs"]
mod recorded;
mod steps;
mod table;
#[path = "../../../tests/common/texts.rs"]
mod texts;
mod tokenizer_json;
#[path = "../../common/tools.rs"]
mod tools;
mod trial;
#[path = "../../../tests/chat/typed.rs"]
mod typed;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use peers::Source;
use steps::{Bench, Corpus, STEPS};
use texts::{KINDS, Random};

const ENCODINGS: [&str; 4] = ["cl100k_base", "o200k_base", "r50k_base", "p50k_base"];

/// The step that starts a process for each peer, and the one that measures the peers that are Python packages.
const COLD: &str = "cold";
const PYTHON: &str = "python";

/// The only step on more than one core.
const MT: &str = "mt";

/// The step that has no encoding: bills of requests.
const BILLS: &str = "bills";

/// The variable that names a folder of texts. Without it, texts are generated.
const CORPORA: &str = "TIKTALLY_CORPORA";

/// The variables that keep peers from starting threads for one text.
const ONE_THREAD: [(&str, &str); 2] = [("RAYON_NUM_THREADS", "1"), ("FASTOKENS_BPE_THREADS", "1")];

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match *words {
        // the program calls itself with these
        ["--step", step, encoding] => run(step, encoding),
        ["--cold", peer, encoding] => cold::child(peer, &source(encoding)),
        ["--trial", peer, encoding, first] => trial::child(peer, &source(encoding), first),
        [BILLS] => print_bills(),
        _ => run_all(&words),
    }
}

/// Runs the named steps and encodings, or all.
fn run_all(words: &[&str]) {
    let steps = STEPS.iter().map(|(name, _)| *name);
    let steps: Vec<&str> = steps.chain([COLD, PYTHON, BILLS]).collect();
    for word in words {
        let known = steps.contains(word) || ENCODINGS.contains(word);
        assert!(known, "{word} is none of {steps:?} and {ENCODINGS:?}");
    }
    let folder = folder();
    machine::print();
    let corpora = corpora(&folder);
    let place = folder.display();
    assert!(
        !corpora.is_empty(),
        "{place} has no text of more than 100 kB"
    );
    println!("- texts: {}", contents(&corpora));
    for encoding in chosen(&ENCODINGS, words) {
        println!("\n# {encoding}");
        let source = source(encoding);
        let json = tokenizer_json::of(tiktally::get_encoding(encoding).unwrap());
        fs::write(&source.tokenizer_json, json.to_string()).unwrap();
        for step in chosen(&steps, words)
            .into_iter()
            .filter(|step| *step != BILLS)
        {
            println!("\n## {step}");
            run_step(step, &source, &folder);
        }
    }
    if chosen(&steps, words).contains(&BILLS) {
        print_bills();
    }
}

fn print_bills() {
    println!("\n# requests\n\n## {BILLS}");
    bills::bills();
}

/// Returns the named ones, or all if none is named.
fn chosen<'a>(from: &[&'a str], words: &[&str]) -> Vec<&'a str> {
    let named: Vec<_> = from
        .iter()
        .copied()
        .filter(|name| words.contains(name))
        .collect();
    if named.is_empty() {
        from.to_vec()
    } else {
        named
    }
}

fn run_step(step: &str, source: &Source, folder: &Path) {
    let mut command = match step {
        PYTHON => python(source),
        _ => again(step, source),
    };
    let status = command.envs(ONE_THREAD).env(CORPORA, folder).status();
    match status {
        Ok(status) if status.success() => (),
        // not every machine has these packages
        _ if step == PYTHON => println!("\nnothing: see the error, and requirements.txt"),
        _ => panic!("{step} failed"),
    }
}

fn again(step: &str, source: &Source) -> Command {
    let mut command = on_cores(step, env::current_exe().unwrap());
    command.args(["--step", step, source.name]);
    command
}

fn python(source: &Source) -> Command {
    let mut command = on_cores(PYTHON, "python3");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python.py");
    command.arg(script).arg(&source.ranks);
    command
}

/// Pins the program of a step to one core, so that it is not moved while it is measured. Only Linux has a command for that.
fn on_cores(step: &str, program: impl AsRef<OsStr>) -> Command {
    if step == MT || !cfg!(target_os = "linux") {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &first_core()]).arg(program);
    command
}

/// Returns the number of the first core that this process may use.
fn first_core() -> String {
    let list = machine::field("/proc/self/status", "Cpus_allowed_list", ':').unwrap_or_default();
    let first = list
        .split(['-', ','])
        .next()
        .filter(|core| !core.is_empty());
    first.unwrap_or("0").to_owned()
}

fn run(step: &str, encoding: &str) {
    if step == COLD {
        return cold::cold(&source(encoding));
    }
    let (_, step) = STEPS.iter().find(|(name, _)| *name == step).unwrap();
    let source = source(encoding);
    step(&Bench {
        encoding: tiktally::get_encoding(encoding).unwrap(),
        peers: load(&source),
        source,
        corpora: corpora(&folder()),
    });
}

/// Returns this crate's rank file, and a file beside the program.
fn source(name: &str) -> Source<'_> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data");
    Source {
        name,
        ranks: data.join(format!("{name}.tiktoken")),
        tokenizer_json: env::current_exe()
            .unwrap()
            .with_file_name(format!("{name}.json")),
    }
}

fn load(source: &Source) -> Vec<(&'static str, Box<dyn peers::Peer>)> {
    let load = |entry: &peers::Entry| match (entry.load)(source) {
        Ok(peer) => Some((entry.name, peer?)),
        Err(error) => {
            println!("\n{} cannot load {}: {error}", entry.name, source.name);
            None
        }
    };
    peers::all().filter_map(load).collect()
}

/// Returns the named folder, or one beside the program with generated texts.
fn folder() -> PathBuf {
    env::var_os(CORPORA).map_or_else(made, PathBuf::from)
}

fn made() -> PathBuf {
    let folder = env::current_exe().unwrap().with_file_name("texts");
    fs::create_dir_all(&folder).unwrap();
    for kind in &KINDS {
        let text = kind.text(&mut Random::new(1), 2_000_000);
        fs::write(folder.join(kind.name).with_extension("txt"), text).unwrap();
    }
    folder
}

fn corpora(folder: &Path) -> Vec<Corpus> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().filter_map(|path| file(path)).collect()
}

/// Returns the number of texts, their size and their origin.
fn contents(corpora: &[Corpus]) -> String {
    let bytes: usize = corpora.iter().map(|corpus| corpus.text.len()).sum();
    let made = if env::var_os(CORPORA).is_some() {
        ""
    } else {
        ", made"
    };
    format!("{}, {:.0} MB{made}", corpora.len(), bytes as f64 / 1e6)
}

/// Returns a text file that is long enough to be cut.
fn file(path: &Path) -> Option<Corpus> {
    let text = fs::read_to_string(path)
        .ok()
        .filter(|text| text.len() > 100_000)?;
    let name = path.file_stem()?.to_string_lossy().into_owned();
    Some(Corpus { name, text })
}
