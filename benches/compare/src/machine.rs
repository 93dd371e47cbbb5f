//! The head of a record: the machine, and the tokenizers measured on it.

use std::{env, fs, thread};

use crate::peers;

pub fn print() {
    let peers = peers::all().skip(1).map(|peer| peer.name);
    let peers: Vec<_> = peers.collect();
    println!("- processor: {}", processor());
    println!("- system: {}, {}", system(), env::consts::ARCH);
    println!("- compiler: {}", env!("COMPILER"));
    println!("- tiktally: {}", env!("TIKTALLY"));
    println!("- peers: {}", peers.join(", "));
}

/// Returns the processor's name, its cores, and the instructions by which tokenizers choose their code.
fn processor() -> String {
    let name = field("/proc/cpuinfo", "model name", ':');
    let words = [name.unwrap_or_else(|| "unknown".to_owned()), cores()];
    let words = words.into_iter().chain(features());
    words.collect::<Vec<_>>().join(", ")
}

fn cores() -> String {
    let count = thread::available_parallelism().map_or(1, usize::from);
    format!("{count} cores")
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<String> {
    let found = [
        ("AVX2", is_x86_feature_detected!("avx2")),
        ("AVX-512", is_x86_feature_detected!("avx512bw")),
    ];
    let found = found.into_iter().filter(|(_, found)| *found);
    found.map(|(name, _)| name.to_owned()).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn features() -> Vec<String> {
    Vec::new()
}

fn system() -> String {
    let name = field("/etc/os-release", "PRETTY_NAME", '=');
    name.unwrap_or_else(|| env::consts::OS.to_owned())
}

/// Returns the first value of that name in a file of names and values.
pub fn field(path: &str, name: &str, between: char) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let mut fields = text.lines().filter_map(|line| line.split_once(between));
    let (_, value) = fields.find(|(key, _)| key.trim() == name)?;
    Some(value.trim().trim_matches('"').to_owned())
}
