//! Builds the tables that the crate embeds from the files in `data/`.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac_sha256::Hash;
use rustc_hash::FxBuildHasher;

/// The part of the crate that builds tables, compiled into this script too.
#[allow(dead_code)]
#[path = "src/vocab"]
mod vocab {
    pub(crate) mod derive;
    pub(crate) mod tables;
}

use vocab::tables::keyless::Keyless;
use vocab::tables::{Halves, Tables};

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let out = env::var("OUT_DIR").expect("cargo sets it");
    let (root, out) = (Path::new(&root), Path::new(&out));
    println!("cargo:rerun-if-changed=build.rs");
    unicode_classes(root, out);

    for name in ["r50k_base", "p50k_base", "cl100k_base", "o200k_base"] {
        // r50k_base is the beginning of p50k_base, so the crate takes its halves from there; prebuilt tables are its
        // own
        let is_needed = name != "r50k_base" || !enabled("p50k_base") || enabled("prebuilt");
        if enabled(name) && is_needed {
            vocabulary(name, root, out);
        }
    }
}

/// Returns whether a feature of the crate is enabled.
fn enabled(feature: &str) -> bool {
    env::var_os(format!("CARGO_FEATURE_{}", feature.to_uppercase())).is_some()
}

/// Writes the two halves of each token, from which all tables follow. With the feature `prebuilt`, writes the tables
/// too.
fn vocabulary(name: &str, root: &Path, out: &Path) {
    let path = format!("data/{name}.tiktoken");
    println!("cargo:rerun-if-changed={path}");
    let file = fs::read(root.join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    check_hash(&path, &file, root);

    let tokens = tokens_by_id(&file);
    let slices: Vec<&[u8]> = tokens.iter().map(Vec::as_slice).collect();
    let derived = vocab::derive::halves(&slices, &FxBuildHasher).unwrap_or_else(|| {
        panic!("{path}: the tokens do not merge from the halves that were derived")
    });
    assert!(
        derived.unmergeable.is_empty() && derived.out_of_order.is_empty(),
        "{path}: not all tokens are merges of tokens before them; no merge gives these: {:?}",
        derived.unmergeable
    );
    let halves: Vec<[u8; 6]> = derived
        .made
        .into_iter()
        .map(vocab::tables::Made::to_bytes)
        .collect();
    let write = |kind: &str, bytes: &[u8]| {
        fs::write(out.join(format!("{name}.{kind}")), bytes).expect("OUT_DIR is writable");
    };
    write("halves", halves.as_flattened());
    if enabled("prebuilt") {
        write_tables(Halves(&halves), write);
    }
}

/// Writes all tables in the byte order of the target.
fn write_tables(halves: Halves<'_>, write: impl Fn(&str, &[u8])) {
    let tables = Tables::build(halves, &[]);
    write("rows", tables.rows.as_flattened());
    write("lengths", &tables.lengths);
    write("sides", &tables.sides);
    write(
        "slots",
        &bytes_of(tables.slots.as_flattened(), u32::to_le_bytes),
    );
    write(
        "pairs",
        &bytes_of(tables.pairs.as_flattened(), u64::to_le_bytes),
    );
    write(
        "grid",
        &bytes_of(tables.grid.as_flattened(), u32::to_le_bytes),
    );
    write("bytes", &bytes_of(&*tables.bytes, u32::to_le_bytes));

    let keyless = Keyless::build(halves, &[], &tables.rows, &tables.lengths);
    write("keyless_ids", &bytes_of(&keyless.ids, u32::to_le_bytes));
    write("keyless_bytes", &keyless.bytes);
    write("keyless_ends", &bytes_of(&keyless.ends, u32::to_le_bytes));
    write(
        "keyless_slots",
        &bytes_of(keyless.slots.as_flattened(), u32::to_le_bytes),
    );
}

/// Returns the bytes of numbers in the byte order of the target.
fn bytes_of<N: Copy, const LEN: usize>(numbers: &[N], to_le_bytes: fn(N) -> [u8; LEN]) -> Vec<u8> {
    let is_big_endian = is_big_endian();
    let in_order = |number: &N| {
        let mut bytes = to_le_bytes(*number);
        if is_big_endian {
            bytes.reverse();
        }
        bytes
    };
    numbers.iter().flat_map(in_order).collect()
}

/// Returns whether the target is big-endian.
fn is_big_endian() -> bool {
    env::var("CARGO_CFG_TARGET_ENDIAN").expect("cargo sets it") == "big"
}

/// Checks that a rank file equals the published one, byte for byte.
fn check_hash(path: &str, file: &[u8], root: &Path) {
    println!("cargo:rerun-if-changed=data/README.md");
    let hash = Hash::hash(file);
    let hash = hash.map(|byte| format!("{byte:02x}")).concat();
    let known = fs::read_to_string(root.join("data/README.md")).expect("data/README.md");
    assert!(
        known.contains(&hash),
        "{path} has the hash {hash}, which is not the one in data/README.md"
    );
}

/// Returns the bytes of all tokens in the order of their ids; empty for an id that no token has.
fn tokens_by_id(file: &[u8]) -> Vec<Vec<u8>> {
    let mut tokens = Vec::new();
    for line in file
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let line = std::str::from_utf8(line).expect("a rank file is ASCII");
        let (token, rank) = line.split_once(' ').expect("BASE64 RANK");
        tokens.resize(rank.parse().expect("a rank"), Vec::new());
        tokens.push(STANDARD.decode(token).expect("base64"));
    }
    tokens
}

/// Writes two tables: the number of the block of each 256 code points, and the distinct blocks, with one class byte per
/// code point.
fn unicode_classes(root: &Path, out: &Path) {
    const PATH: &str = "data/unicode_classes.txt";
    println!("cargo:rerun-if-changed={PATH}");
    let text = fs::read_to_string(root.join(PATH)).expect(PATH);
    let classes = parse_classes(&text);

    let mut numbers: HashMap<&[u8], u8> = HashMap::new();
    let mut index = Vec::new();
    let mut blocks = Vec::new();
    for block in classes.chunks(256) {
        let number = *numbers.entry(block).or_insert_with(|| {
            let number = u8::try_from(blocks.len() / 256).expect("at most 256 distinct blocks");
            blocks.extend_from_slice(block);
            number
        });
        index.push(number);
    }
    fs::write(out.join("unicode_index.bin"), index).expect("OUT_DIR is writable");
    fs::write(out.join("unicode_blocks.bin"), blocks).expect("OUT_DIR is writable");
}

/// Returns one class bit for each code point; `src/split/classes.rs` names the bits.
fn parse_classes(text: &str) -> Vec<u8> {
    const NAMES: [&str; 8] = [
        "other", "space", "newline", "number", "upper", "lower", "caseless", "mark",
    ];
    let mut classes = Vec::new();
    let mut class = 0;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (first, name) = line.split_once(' ').expect("HEX CLASS");
        classes.resize(
            usize::from_str_radix(first, 16).expect("a code point in hex"),
            class,
        );
        class = 1
            << NAMES
                .iter()
                .position(|known| *known == name)
                .expect("a known class");
    }
    classes.resize(0x11_0000, class);
    classes
}
