//! Results as a table, CSV or Parquet.

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::csv;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;

use crate::problem::{Problem, Result};

/// The writer of Parquet holds a row group in memory. Without a limit of bytes it has 1,048,576 rows, which took 1.7 GB for the
/// ids of 4 GB of text (28 November 2026).
const ROW_GROUP_BYTES: usize = 64 << 20;

/// The form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns with borders. The whole result is held in memory.
    Table,
    /// Comma-separated values, with a line of names.
    Csv,
    /// Parquet with zstd. Needs --output.
    Parquet,
}

/// Takes the batches of one result.
pub(crate) enum Sink {
    Table(Vec<RecordBatch>, Target),
    Csv(Box<csv::Writer<Target>>),
    Parquet(Box<ArrowWriter<Target>>),
}

impl Sink {
    /// Creates a sink for rows of this schema. Without a path, they go to standard output.
    pub(crate) fn new(format: Format, path: Option<&Path>, schema: SchemaRef) -> Result<Self> {
        let has_lists = schema
            .fields()
            .iter()
            .any(|field| field.data_type().is_nested());
        if format == Format::Csv && has_lists {
            return Err(Problem::new(
                "CSV has no lists. Use --output FILE.parquet, or make text of a list with array_to_string(list, ' ')",
            ));
        }
        let target = Target::new(path)?;
        Ok(match format {
            Format::Table => Self::Table(vec![RecordBatch::new_empty(schema)], target),
            Format::Csv => Self::Csv(Box::new(csv::Writer::new(target))),
            Format::Parquet => {
                let zstd = Compression::ZSTD(ZstdLevel::default());
                let properties = WriterProperties::builder()
                    .set_compression(zstd)
                    .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
                    .build();
                let writer =
                    ArrowWriter::try_new(target, schema, Some(properties)).map_err(io::Error::from);
                Self::Parquet(Box::new(writer.map_err(cannot_write)?))
            }
        })
    }

    /// Writes a batch.
    pub(crate) fn write(&mut self, batch: RecordBatch) -> Result<()> {
        match self {
            Self::Table(batches, _) => {
                batches.push(batch);
                Ok(())
            }
            Self::Csv(writer) => writer.write(&batch).map_err(cannot_write_arrow),
            Self::Parquet(writer) => writer
                .write(&batch)
                .map_err(|error| cannot_write(error.into())),
        }
    }

    /// Ends the result. A file gets its name only now, so an incomplete file never has it.
    pub(crate) fn finish(self) -> Result<()> {
        let target = match self {
            Self::Table(batches, mut target) => {
                let table = pretty_format_batches(&batches).map_err(cannot_write_arrow)?;
                writeln!(target, "{table}").map_err(cannot_write)?;
                target
            }
            Self::Csv(writer) => writer.into_inner(),
            Self::Parquet(writer) => writer
                .into_inner()
                .map_err(|error| cannot_write(error.into()))?,
        };
        target.finish().map_err(cannot_write)
    }
}

/// Standard output, or a file that is renamed when it is complete.
pub(crate) struct Target {
    out: BufWriter<Box<dyn Write + Send>>,
    partial: Option<Partial>,
}

/// A file under a name for the time until it is complete. Dropping it removes it.
struct Partial {
    path: PathBuf,
    to: PathBuf,
}

impl Target {
    fn new(path: Option<&Path>) -> Result<Self> {
        let Some(to) = path else {
            return Ok(Self {
                out: BufWriter::new(Box::new(io::stdout())),
                partial: None,
            });
        };
        let mut name = to.as_os_str().to_owned();
        name.push(".partial");
        let path = PathBuf::from(name);
        let file = File::create(&path)
            .map_err(|error| Problem::new(format!("cannot write {}: {error}", path.display())))?;
        Ok(Self {
            out: BufWriter::new(Box::new(file)),
            partial: Some(Partial {
                path,
                to: to.to_owned(),
            }),
        })
    }

    fn finish(mut self) -> io::Result<()> {
        self.out.flush()?;
        match &self.partial {
            Some(partial) => fs::rename(&partial.path, &partial.to),
            None => Ok(()),
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // after a rename there is nothing left to remove
        let _ = fs::remove_file(&self.path);
    }
}

/// Returns true if a person reads standard output.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

fn cannot_write_arrow(error: ArrowError) -> Problem {
    match error {
        ArrowError::IoError(_, error) => cannot_write(error),
        error => Problem::new(format!("cannot write the result: {error}")),
    }
}

fn cannot_write(error: io::Error) -> Problem {
    Problem::new(format!("cannot write the result: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::{ArrayRef, Int64Array};
    use std::sync::Arc;

    fn batch() -> RecordBatch {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        RecordBatch::try_from_iter([("n", column)]).unwrap()
    }

    #[test]
    fn a_file_appears_only_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        let mut sink = Sink::new(Format::Csv, Some(&path), batch().schema()).unwrap();
        sink.write(batch()).unwrap();
        assert!(!path.exists());
        sink.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "n\n1\n2\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_result_that_fails_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        for format in [Format::Table, Format::Csv, Format::Parquet] {
            let path = folder.path().join("out");
            let mut sink = Sink::new(format, Some(&path), batch().schema()).unwrap();
            sink.write(batch()).unwrap();
            drop(sink);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
