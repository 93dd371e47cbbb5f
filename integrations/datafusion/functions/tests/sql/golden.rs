//! tiktoken's own ids, for each encoding and each type of string.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_cast::cast;
use arrow_schema::DataType;
use datafusion::prelude::SessionContext;
use flate2::read::GzDecoder;
use serde::Deserialize;

use crate::session;

/// A line of a file of golden vectors.
#[derive(Deserialize)]
struct Vector {
    encoding: String,
    text: String,
    tokens: Vec<u32>,
}

/// Reads the golden vectors of an encoding, which are the crate's own.
fn vectors(encoding: &str) -> Vec<Vector> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../tests/golden")
        .join(format!("ordinary_{encoding}.jsonl.gz"));
    let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    BufReader::new(GzDecoder::new(file))
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect()
}

/// Returns a session with the table `vectors`, whose texts have this type.
fn session_with(vectors: &[Vector], of: &DataType) -> SessionContext {
    let strings = |values: Vec<&str>| -> ArrayRef { Arc::new(StringArray::from(values)) };
    let texts = strings(vectors.iter().map(|vector| &*vector.text).collect());
    let encodings = strings(vectors.iter().map(|vector| &*vector.encoding).collect());
    let columns = [("text", cast(&texts, of).unwrap()), ("enc", encodings)];
    let context = session();
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    context.register_batch("vectors", batch).unwrap();
    context
}

#[tokio::test]
async fn all_types_of_strings_have_tiktokens_ids() {
    let dictionary = |of| DataType::Dictionary(Box::new(DataType::Int32), Box::new(of));
    let types = [
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Utf8View,
        dictionary(DataType::Utf8),
        dictionary(DataType::LargeUtf8),
    ];
    let mut compared = 0;
    for encoding in tiktally::list_encoding_names() {
        let vectors = vectors(encoding);
        for of in &types {
            compared += compare(&session_with(&vectors, of), &vectors).await;
        }
    }
    println!("{compared} rows compared");
    assert_eq!(compared, 7 * 15_219 * types.len());
}

/// Compares the ids, their numbers and the decoded texts of all rows, and returns the number of rows.
async fn compare(context: &SessionContext, vectors: &[Vector]) -> usize {
    let sql = "SELECT encode_tokens(text, enc) AS ids, count_tokens(text, enc) AS n,
                      decode_tokens(encode_tokens(text, enc), enc) = text AS same FROM vectors";
    let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
    let mut vectors = vectors.iter();
    let mut rows = 0;
    for batch in &batches {
        let same = batch.column(2).as_boolean();
        let counts = batch
            .column(1)
            .as_primitive::<arrow_array::types::Int64Type>();
        for row in 0..batch.num_rows() {
            let Vector {
                encoding,
                text,
                tokens,
            } = vectors.next().unwrap();
            let ids = ids_of(batch.column(0), row);
            assert_eq!(
                ids.as_primitive::<UInt32Type>().values(),
                &tokens[..],
                "{encoding} {text:?}"
            );
            assert_eq!(counts.value(row), tokens.len() as i64);
            assert!(same.value(row), "{encoding} {text:?}");
            rows += 1;
        }
    }
    assert!(vectors.next().is_none());
    rows
}

fn ids_of(lists: &ArrayRef, row: usize) -> ArrayRef {
    match lists.as_list_opt::<i32>() {
        Some(lists) => lists.value(row),
        None => lists.as_list::<i64>().value(row),
    }
}
