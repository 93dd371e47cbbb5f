//! The crate called directly: reads Parquet and counts, on one thread, without an engine.

use std::fs::File;
use std::path::{Path, PathBuf};

use datafusion::arrow::array::AsArray;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::problem::{Problem, Result};

/// Count the tokens of the column text in Parquet files, on one thread
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The files
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Prints the tokens of each file, one number a line.
///
/// # Errors
///
/// If a file cannot be read, or has no column of text.
pub fn run(args: &Args) -> Result<()> {
    for file in &args.files {
        let tokens =
            count(file).map_err(|error| Problem::new(format!("{}: {error}", file.display())))?;
        println!("{tokens}");
    }
    Ok(())
}

fn count(path: &Path) -> Result<usize, Box<dyn std::error::Error>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
    let text = ProjectionMask::columns(builder.parquet_schema(), ["text"]);
    // the size of DataFusion's batches
    let reader = builder
        .with_projection(text)
        .with_batch_size(8192)
        .build()?;
    let encoding = tiktally::o200k_base();
    let mut tokens = 0;
    for batch in reader {
        let batch = batch?;
        let column = batch
            .column_by_name("text")
            .ok_or("it has no column text")?;
        let texts = column
            .as_string_opt::<i32>()
            .ok_or("its column text is not of text")?;
        tokens += texts
            .iter()
            .flatten()
            .map(|text| encoding.count(text))
            .sum::<usize>();
    }
    Ok(tokens)
}
