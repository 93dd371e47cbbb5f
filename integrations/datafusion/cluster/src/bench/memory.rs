//! The memory of executors while they count, group and encode, for a corpus of one size and of four times that size. The two
//! must be the same, except for `COPY`. There, the executor that writes the file holds the results of all others.

use std::fs;

use super::corpus;
use super::steps::on_cluster;
use crate::problem::{Problem, Result};

/// Prints a table in Markdown with the most memory of each process.
pub(super) fn run(args: &corpus::Args) -> Result<()> {
    println!(
        "| peak memory, MB | text | query | scheduler | executor 1 | executor 2 |\n|---|---:|---:|---:|---:|---:|"
    );
    for times in [1, 4] {
        let args = corpus::Args {
            size: args.size * times,
            dir: args
                .dir
                .as_ref()
                .map(|dir| dir.join(format!("times{times}"))),
            ..args.clone()
        };
        let bytes = corpus::make(&args)?.bytes();
        row(
            "count",
            &["SELECT sum(count_tokens(text)) FROM docs"],
            &args,
            bytes,
        )?;
        let grouped = "SELECT max(n) FROM (SELECT source, sum(count_tokens(text)) n FROM docs GROUP BY source)";
        row("count by source", &[grouped], &args, bytes)?;
        let ids = args.folder().join("ids");
        fs::create_dir_all(&ids)
            .map_err(|error| Problem::new(format!("{}: {error}", ids.display())))?;
        let file = ids.join("ids.parquet");
        let file = file.display().to_string();
        let encode = "SELECT id, encode_tokens(text) AS ids FROM docs";
        row("write ids", &[encode, "--output", &file], &args, bytes)?;
        let copy = format!("COPY ({encode}) TO '{file}' STORED AS PARQUET");
        row("COPY of ids", &[&copy], &args, bytes)?;
        fs::remove_dir_all(&ids)
            .map_err(|error| Problem::new(format!("{}: {error}", ids.display())))?;
    }
    Ok(())
}

fn row(name: &str, query: &[&str], args: &corpus::Args, bytes: u64) -> Result<()> {
    let cost = on_cluster(2, args, query, bytes)?;
    let peaks: Vec<String> = cost
        .peaks
        .iter()
        .map(|(_, peak)| format!("{:.0}", *peak as f64 / 1e6))
        .collect();
    println!(
        "| {name} | {:.0} MB | {} |",
        bytes as f64 / 1e6,
        peaks.join(" | ")
    );
    Ok(())
}
