//! A corpus of documents in Parquet files, the same for the same seed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use serde::{Deserialize, Serialize};

use super::random::Random;
use super::texts::{self, Text};
use crate::problem::{Problem, Result};

/// The number of Parquet files.
const FILES: usize = 18;
/// The mean length of a document, in bytes. Most are shorter.
const MEAN_LENGTH: f64 = 4000.0;
/// One document in this many has no text.
const NULLS: u64 = 100;
/// One lower-case letter in this many is another one, so that repeated texts do not have repeated words.
const CHANGED: u64 = 40;
/// The documents of a batch that is written at once.
const BATCH: usize = 1024;
/// The documents of a row group: about 16 MB of text.
const ROW_GROUP: usize = 4096;

/// Make a corpus of documents in 18 Parquet files: columns id, source, text
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The bytes of text, such as 200MB
    #[arg(long, value_name = "SIZE", default_value = "1GB", value_parser = parse_size)]
    pub size: u64,

    /// The folder of the corpus; a corpus of the same size and seed there is used again [default: below the system's folder
    /// for temporary files]
    #[arg(long, value_name = "FOLDER")]
    pub dir: Option<PathBuf>,

    /// Another number makes other documents
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// A folder of text files to make documents of [default: the project's own documents and sources]
    #[arg(long, value_name = "FOLDER")]
    pub texts: Option<PathBuf>,
}

impl Args {
    /// Returns the folder of the corpus.
    pub fn folder(&self) -> PathBuf {
        let name = || format!("tiktally-corpus-{}-{}", self.size, self.seed);
        self.dir
            .clone()
            .unwrap_or_else(|| std::env::temp_dir().join(name()))
    }

    /// Returns the folder of the Parquet files alone, which is the table.
    pub fn documents(&self) -> PathBuf {
        self.folder().join("documents")
    }
}

/// A finished corpus.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corpus {
    size: u64,
    seed: u64,
    texts: Option<PathBuf>,
    /// Its files, in order of their names.
    pub files: Vec<Facts>,
}

/// A file of a corpus.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The name in the folder.
    pub name: String,
    /// The rows.
    pub documents: u64,
    /// The bytes of text.
    pub bytes: u64,
    /// The rows without text.
    pub nulls: u64,
}

impl Corpus {
    /// Returns the bytes of text.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// Makes a corpus and says how large it is.
///
/// # Errors
///
/// If a text cannot be read, or a file cannot be written.
pub fn run(args: &Args) -> Result<()> {
    let corpus = make(args)?;
    let documents: u64 = corpus.files.iter().map(|file| file.documents).sum();
    println!(
        "{}: {documents} documents, {} bytes of text",
        args.documents().display(),
        corpus.bytes()
    );
    Ok(())
}

/// Makes a corpus, or returns the facts of one that is there already.
///
/// # Errors
///
/// If a text cannot be read, or a file cannot be written.
pub fn make(args: &Args) -> Result<Corpus> {
    let folder = args.folder();
    let facts = folder.join("corpus.json");
    if let Some(corpus) = read(&facts)
        && (corpus.size, corpus.seed, &corpus.texts) == (args.size, args.seed, &args.texts)
    {
        return Ok(corpus);
    }
    let documents = args.documents();
    fs::create_dir_all(&documents).map_err(|error| cannot_write(&documents, &error))?;
    let _ = fs::remove_file(&facts);
    let texts = texts::load(args.texts.as_deref())?;
    let mut source = Source::new(&texts, args.seed);
    let mut first_id = 0;
    let mut files = Vec::new();
    for number in 0..FILES as u64 {
        let bytes = args.size * (number + 1) / FILES as u64 - args.size * number / FILES as u64;
        let file = write_file(&documents, number, bytes, first_id, &mut source)?;
        first_id += file.documents;
        files.push(file);
    }
    let corpus = Corpus {
        size: args.size,
        seed: args.seed,
        texts: args.texts.clone(),
        files,
    };
    let text =
        serde_json::to_string_pretty(&corpus).map_err(|error| Problem::new(error.to_string()))?;
    fs::write(&facts, text).map_err(|error| cannot_write(&facts, &error))?;
    Ok(corpus)
}

fn read(facts: &Path) -> Option<Corpus> {
    serde_json::from_str(&fs::read_to_string(facts).ok()?).ok()
}

/// Writes a file with at least this many bytes of text.
fn write_file(
    folder: &Path,
    number: u64,
    bytes: u64,
    first_id: u64,
    source: &mut Source<'_>,
) -> Result<Facts> {
    let name = format!("documents-{number:02}.parquet");
    let path = folder.join(&name);
    let file = File::create(&path).map_err(|error| cannot_write(&path, &error))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .build();
    let problem =
        |error: datafusion::parquet::errors::ParquetError| cannot_write(&path, &error.into());
    let mut writer = ArrowWriter::try_new(file, schema(), Some(properties)).map_err(problem)?;
    let mut facts = Facts {
        name,
        documents: 0,
        bytes: 0,
        nulls: 0,
    };
    while facts.bytes < bytes {
        let rows = batch(bytes, first_id, &mut facts, source);
        writer.write(&rows).map_err(problem)?;
    }
    writer.close().map_err(problem)?;
    Ok(facts)
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("source", DataType::Utf8, false),
        Field::new("text", DataType::Utf8, true),
    ]))
}

/// Returns the next documents and adds them to the facts of their file.
fn batch(bytes: u64, first_id: u64, facts: &mut Facts, source: &mut Source<'_>) -> RecordBatch {
    let (mut ids, mut sources, mut documents) = (Vec::new(), Vec::new(), Vec::new());
    while ids.len() < BATCH && facts.bytes < bytes {
        let (name, document) = source.document();
        ids.push((first_id + facts.documents).cast_signed());
        sources.push(name);
        facts.documents += 1;
        facts.bytes += document.as_ref().map_or(0, |text| text.len() as u64);
        facts.nulls += u64::from(document.is_none());
        documents.push(document);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(ids)),
        Arc::new(StringArray::from(sources)),
        Arc::new(StringArray::from(documents)),
    ];
    RecordBatch::try_new(schema(), columns).expect("the columns fit the schema")
}

/// The texts of which documents are made, and the random numbers that choose them.
struct Source<'t> {
    texts: &'t [Text],
    /// The bytes of all texts.
    bytes: usize,
    random: Random,
}

impl<'t> Source<'t> {
    fn new(texts: &'t [Text], seed: u64) -> Self {
        Self {
            texts,
            bytes: texts.iter().map(|text| text.text.len()).sum(),
            random: Random::new(seed),
        }
    }

    /// Returns a part of a random text, or none, and the text's name.
    fn document(&mut self) -> (&'t str, Option<String>) {
        let random = &mut self.random;
        let mut at = random.below(self.bytes as u64) as usize;
        let chosen = self.texts.iter().find(|text| {
            let is_here = at < text.text.len();
            if !is_here {
                at -= text.text.len();
            }
            is_here
        });
        let chosen = chosen.unwrap_or(&self.texts[0]);
        if random.below(NULLS) == 0 {
            return (&chosen.name, None);
        }
        let length = random
            .exponential(MEAN_LENGTH)
            .clamp(1.0, 20.0 * MEAN_LENGTH) as usize;
        let mut bytes = part(&chosen.text, at, length).into_bytes();
        for byte in bytes.iter_mut().filter(|byte| byte.is_ascii_lowercase()) {
            if random.below(CHANGED) == 0 {
                *byte = b'a' + random.below(26) as u8;
            }
        }
        (&chosen.name, String::from_utf8(bytes).ok())
    }
}

/// Returns about this many bytes of a text from about this place on. After its end, the text begins again.
fn part(text: &str, at: usize, length: usize) -> String {
    let mut rest = &text[text.floor_char_boundary(at)..];
    let mut part = String::with_capacity(length + 4);
    while part.len() < length {
        let end = rest.floor_char_boundary(rest.len().min(length - part.len() + 3));
        part.push_str(&rest[..end]);
        rest = text;
    }
    part
}

/// Parses a number of bytes, such as `200MB`, `1GB` or `64KiB`.
///
/// # Errors
///
/// If the text is not a positive number with a known unit.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let unit = match text[end..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1_u64,
        "kb" | "k" => 1_000,
        "mb" | "m" => 1_000_000,
        "gb" | "g" => 1_000_000_000,
        "tb" | "t" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => 0,
    };
    let bytes = text[..end].parse::<f64>().unwrap_or_default() * unit as f64;
    if bytes < 1.0 {
        return Err("write a number of bytes, such as 200MB or 1GB".to_owned());
    }
    Ok(bytes as u64)
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(format!(
        "cannot write {}: {error}. Give another folder with --dir",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(dir: &Path, seed: u64) -> Args {
        Args {
            size: 200_000,
            dir: Some(dir.to_owned()),
            seed,
            texts: None,
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_files() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let corpus = make(&small(a.path(), 7)).unwrap();
        assert_eq!(corpus, make(&small(b.path(), 7)).unwrap());
        assert_eq!(corpus.files.len(), FILES);
        assert!(corpus.bytes() >= 200_000);
        for file in &corpus.files {
            let bytes = fs::read(a.path().join("documents").join(&file.name)).unwrap();
            assert_eq!(
                bytes,
                fs::read(b.path().join("documents").join(&file.name)).unwrap()
            );
        }
        assert_ne!(corpus.files, make(&small(b.path(), 8)).unwrap().files);
    }

    #[test]
    fn a_corpus_that_is_there_is_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let corpus = make(&small(folder.path(), 1)).unwrap();
        let file = small(folder.path(), 1)
            .documents()
            .join(&corpus.files[0].name);
        fs::write(&file, "changed").unwrap();
        make(&small(folder.path(), 1)).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "changed");
        make(&small(folder.path(), 2)).unwrap();
        assert_ne!(fs::read(&file).unwrap(), b"changed");
    }

    #[test]
    fn parts_begin_and_end_between_chars_and_go_on_from_the_start() {
        for at in 0..6 {
            for length in 1..20 {
                let part = part("aßc日", at, length);
                assert!(
                    (length..length + 4).contains(&part.len()),
                    "{at} {length} {part}"
                );
            }
        }
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("200MB"), Ok(200_000_000));
        assert_eq!(parse_size("1.5 gb"), Ok(1_500_000_000));
        assert_eq!(parse_size("64KiB"), Ok(65_536));
        assert_eq!(parse_size("12"), Ok(12));
        for text in ["", "0", "x", "1XB", "-1"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
