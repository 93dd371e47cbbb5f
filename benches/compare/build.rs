//! Tells the program what it was made with: it prints that at the start of a record.

use std::process::Command;
use std::{env, fs};

const CRATE: &str = "../../Cargo.toml";

fn main() {
    let output = Command::new(env::var_os("RUSTC").unwrap())
        .arg("--version")
        .output();
    let compiler = String::from_utf8(output.unwrap().stdout).unwrap();
    println!("cargo::rustc-env=COMPILER={}", compiler.trim());
    let manifest = fs::read_to_string(CRATE).unwrap();
    let version = manifest
        .lines()
        .find_map(|line| line.strip_prefix("version = "));
    let version = version.unwrap().trim_matches('"');
    let prebuilt = env::var_os("CARGO_FEATURE_PREBUILT").map_or("", |_| ", prebuilt");
    println!("cargo::rustc-env=TIKTALLY={version}{prebuilt}");
    println!("cargo::rerun-if-changed={CRATE}");
}
