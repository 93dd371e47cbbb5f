//! The functions through SQL, as users call them.

mod errors;
mod golden;
mod plans;
mod values;

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::error::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::prelude::SessionContext;
use datafusion_functions_tiktally::register_all;

/// Returns a session with the functions.
fn session() -> SessionContext {
    let mut context = SessionContext::new();
    register_all(&mut context).unwrap();
    context
}

/// Runs a query and returns its result as one batch.
async fn batch(context: &SessionContext, sql: &str) -> Result<RecordBatch> {
    let frame = context.sql(sql).await?;
    let schema = Arc::clone(frame.schema().inner());
    let batches = frame.collect().await?;
    Ok(arrow_select::concat::concat_batches(&schema, &batches)?)
}

/// Runs a query with one row and returns its columns as SQL shows them.
async fn row(context: &SessionContext, sql: &str) -> Result<Vec<String>> {
    let batch = batch(context, sql).await?;
    assert_eq!(batch.num_rows(), 1, "{sql}");
    let show = |column: &ArrayRef| arrow_cast::display::array_value_to_string(column, 0);
    Ok(batch
        .columns()
        .iter()
        .map(show)
        .collect::<std::result::Result<_, _>>()?)
}

/// Returns the columns of the table `docs`: texts and numbers with nulls, and encodings.
fn docs() -> RecordBatch {
    let texts = [
        Some("hello world"),
        None,
        Some(""),
        Some("one two three four five six seven"),
        Some("<|endoftext|> 🦀"),
    ];
    let limits = [Some(1), Some(2), Some(3), Some(5), None];
    let encodings = [
        Some("cl100k_base"),
        Some("o200k_base"),
        Some("gpt2"),
        None,
        Some("p50k_base"),
    ];
    let column = |array: ArrayRef| array;
    RecordBatch::try_from_iter_with_nullable([
        (
            "text",
            column(Arc::new(StringArray::from(texts.to_vec()))),
            true,
        ),
        (
            "n",
            column(Arc::new(Int64Array::from(limits.to_vec()))),
            true,
        ),
        (
            "enc",
            column(Arc::new(StringArray::from(encodings.to_vec()))),
            true,
        ),
    ])
    .unwrap()
}
