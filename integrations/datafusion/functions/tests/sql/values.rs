//! Results: scalars and columns, nulls, types.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use datafusion::error::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::prelude::{SessionContext, col, lit};
use datafusion_functions_tiktally::{Functions, expr_fn};

use crate::{batch, docs, row, session};

#[tokio::test]
async fn literals() -> Result<()> {
    let context = session();
    let sql = "SELECT count_tokens('hello world'), count_tokens('hello world', 'cl100k_base'),
        encode_tokens('hello world'), encode_tokens('hello world', 'cl100k_base'),
        decode_tokens([24912, 2375]), decode_tokens([15339, 1917], 'cl100k_base'), decode_tokens([]),
        truncate_tokens('one two three', 2), truncate_tokens('one two three', 2, 'gpt2'),
        chunk_tokens('one two three four five six', 4), chunk_tokens('one two three four five six', 5, 1),
        chunk_tokens('one two three four five six', 4, 'cl100k_base'),
        chunk_tokens('one two three four five six', 5, 1, 'cl100k_base'), chunk_tokens('', 4)";
    let expected = [
        "2",
        "2",
        "[24912, 2375]",
        "[15339, 1917]",
        "hello world",
        "hello world",
        "",
        "one two",
        "one two",
        "[one two three four,  five six]",
        "[one two three four five,  five six]",
        "[one two three four,  five six]",
        "[one two three four five,  five six]",
        "[]",
    ];
    assert_eq!(row(&context, sql).await?, expected);
    Ok(())
}

#[tokio::test]
async fn types_of_results() -> Result<()> {
    let context = session();
    let sql = "SELECT arrow_typeof(count_tokens('a')), arrow_typeof(encode_tokens('a')),
        arrow_typeof(encode_tokens(arrow_cast('a', 'LargeUtf8'))), arrow_typeof(decode_tokens([1])),
        arrow_typeof(truncate_tokens('a', 1)), arrow_typeof(chunk_tokens('a', 4))";
    let expected = [
        "Int64",
        "List(non-null UInt32)",
        "LargeList(non-null UInt32)",
        "Utf8View",
        "Utf8View",
        "List(non-null Utf8View)",
    ];
    assert_eq!(row(&context, sql).await?, expected);
    Ok(())
}

#[tokio::test]
async fn dictionaries_of_texts_and_encodings() -> Result<()> {
    let context = session();
    context.register_batch("docs", docs())?;
    let calls = |text: &str, enc: &str| {
        format!(
            "SELECT count_tokens({text}), count_tokens({text}, {enc}), encode_tokens({text}, {enc}),
            truncate_tokens({text}, n, {enc}), chunk_tokens({text}, 4, {enc}),
            decode_tokens(encode_tokens({text}, 'gpt2'), arrow_cast('gpt2', 'Dictionary(Int8, Utf8)')) FROM docs"
        )
    };
    for of in ["Utf8", "LargeUtf8", "Utf8View"] {
        let plain = calls(&format!("arrow_cast(text, '{of}')"), "enc");
        let cast = |column: &str| format!("arrow_cast({column}, 'Dictionary(Int32, {of})')");
        let dictionaries = calls(&cast("text"), &cast("enc"));
        let (plain, found) = (
            batch(&context, &plain).await?,
            batch(&context, &dictionaries).await?,
        );
        assert_eq!(found.columns(), plain.columns(), "{of}");
    }
    Ok(())
}

#[tokio::test]
async fn a_null_argument_gives_null() -> Result<()> {
    let context = session();
    let calls = [
        "count_tokens(NULL)",
        "count_tokens('a', NULL)",
        "encode_tokens(NULL)",
        "encode_tokens('a', NULL)",
        "decode_tokens(NULL)",
        "decode_tokens([1], NULL)",
        "truncate_tokens(NULL, 1)",
        "truncate_tokens('a', NULL)",
        "truncate_tokens('a', 1, NULL)",
        "chunk_tokens(NULL, 4)",
        "chunk_tokens('a', NULL)",
        "chunk_tokens('a', 5, NULL)",
        "chunk_tokens('a', 5, 1, NULL)",
        "chunk_tokens('a', 5, NULL, 'gpt2')",
    ];
    for call in calls {
        let result = row(&context, &format!("SELECT {call} IS NULL")).await?;
        assert_eq!(result, ["true"], "{call}");
    }
    Ok(())
}

/// Returns a row's value of a column of `docs` as a literal.
fn literal(name: &str, row: usize) -> String {
    let docs = docs();
    let column = docs.column_by_name(name).unwrap();
    let shown = arrow_cast::display::array_value_to_string(column, row).unwrap();
    match (column.is_null(row), name) {
        (true, "n") => "CAST(NULL AS BIGINT)".to_owned(),
        (true, _) => "CAST(NULL AS VARCHAR)".to_owned(),
        (false, "n") => format!("CAST({shown} AS BIGINT)"),
        (false, _) => format!("'{shown}'"),
    }
}

/// Fills the slots of a call: a bit of `mix` makes an argument the column, or its value in `row`; other arguments have the
/// value of the row `fixed`.
fn filled(call: &str, mix: usize, fixed: usize, row: Option<usize>) -> String {
    let mut call = call.to_owned();
    for (place, name) in ["text", "n", "enc"].into_iter().enumerate() {
        let argument = match (mix & (1 << place) != 0, row) {
            (true, None) => name.to_owned(),
            (true, Some(row)) => literal(name, row),
            (false, _) => literal(name, fixed),
        };
        call = call.replace(&format!("{{{name}}}"), &argument);
    }
    call
}

/// A call with any mix of columns and literals gives, row by row, the result of the call with literals alone.
#[tokio::test]
async fn columns_and_literals_in_any_mix() -> Result<()> {
    let context = session();
    context.register_batch("docs", docs())?;
    let rows = docs().num_rows();
    for call in [
        "count_tokens({text}, {enc})",
        "encode_tokens({text}, {enc})",
        "decode_tokens(encode_tokens({text}, {enc}), {enc})",
        "truncate_tokens({text}, {n}, {enc})",
        "chunk_tokens({text}, {n} + 4, {n}, {enc})",
    ] {
        for (mix, fixed) in (0..8).flat_map(|mix| (0..rows).map(move |fixed| (mix, fixed))) {
            let mixed = filled(call, mix, fixed, None);
            let results = batch(&context, &format!("SELECT {mixed} FROM docs")).await?;
            for row in 0..rows {
                let single = filled(call, mix, fixed, Some(row));
                let expected = batch(&context, &format!("SELECT {single}")).await?;
                let found = results.column(0).slice(row, 1);
                assert_eq!(
                    &found,
                    expected.column(0),
                    "row {row} of {mixed}, and {single}"
                );
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn chunks_become_rows() -> Result<()> {
    let context = session();
    context.register_batch("docs", docs())?;
    let sql = "SELECT chunk, count_tokens(chunk) FROM
        (SELECT unnest(chunk_tokens(text, 4)) AS chunk FROM docs WHERE text LIKE 'one%') WHERE chunk LIKE '%five%'";
    assert_eq!(row(&context, sql).await?, [" five six seven", "3"]);
    Ok(())
}

#[tokio::test]
async fn integers_of_all_types() -> Result<()> {
    let context = session();
    for of in ["TINYINT", "SMALLINT UNSIGNED", "INT", "BIGINT UNSIGNED"] {
        let sql = format!(
            "SELECT truncate_tokens('one two three', CAST(2 AS {of})), decode_tokens([CAST(39 AS {of})])"
        );
        assert_eq!(row(&context, &sql).await?, ["one two", "H"], "{of}");
    }
    for list in [
        "LargeList(UInt16)",
        "FixedSizeList(2, UInt32)",
        "List(Int64)",
    ] {
        let sql = format!("SELECT decode_tokens(arrow_cast([24912, 2375], '{list}'))");
        assert_eq!(row(&context, &sql).await?, ["hello world"], "{list}");
    }
    let sql = "SELECT decode_tokens(arrow_cast([], 'LargeList(Null)'))";
    assert_eq!(row(&context, sql).await?, [""]);
    Ok(())
}

#[tokio::test]
async fn custom_encodings_by_name_and_another_default() -> Result<()> {
    let chat = tiktally::cl100k_base()
        .extend("cl100k_im")
        .special_token("<|im_start|>", 100_264);
    let mut context = SessionContext::new();
    Functions::new()
        .default_encoding("cl100k_base")
        .encoding(chat.build().unwrap())
        .register(&mut context)?;
    let sql = "SELECT encode_tokens('hello world'), decode_tokens([100264], 'cl100k_im'), encode_tokens('hello world', 'o200k_base')";
    assert_eq!(
        row(&context, sql).await?,
        ["[15339, 1917]", "<|im_start|>", "[24912, 2375]"]
    );
    Ok(())
}

#[tokio::test]
async fn the_data_frame_api() -> Result<()> {
    let context = session();
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["one two three four five six"]));
    let frame = context.read_batch(RecordBatch::try_from_iter([("text", texts)])?)?;
    let text = || col("text");
    let results = frame.select(vec![
        expr_fn::count_tokens(text()).alias("a"),
        expr_fn::count_tokens_with(text(), lit("gpt2")).alias("b"),
        expr_fn::decode_tokens(expr_fn::encode_tokens(text())).alias("c"),
        expr_fn::decode_tokens_with(
            expr_fn::encode_tokens_with(text(), lit("gpt2")),
            lit("gpt2"),
        )
        .alias("d"),
        expr_fn::truncate_tokens(text(), lit(2)).alias("e"),
        expr_fn::truncate_tokens_with(text(), lit(2), lit("gpt2")).alias("f"),
        expr_fn::chunk_tokens(text(), lit(4)).alias("g"),
        expr_fn::chunk_tokens_with(text(), lit(5), lit(1), lit("gpt2")).alias("h"),
    ])?;
    let batch = results.collect().await?.remove(0);
    let whole = "one two three four five six";
    let shown: Vec<_> = batch
        .columns()
        .iter()
        .map(|column| arrow_cast::display::array_value_to_string(column, 0).unwrap())
        .collect();
    assert_eq!(
        shown,
        [
            "6",
            "6",
            whole,
            whole,
            "one two",
            "one two",
            "[one two three four,  five six]",
            "[one two three four five,  five six]"
        ]
    );
    assert_eq!(batch.column(2).as_string_view().value(0), whole);
    Ok(())
}

#[tokio::test]
async fn the_functions_describe_themselves() -> Result<()> {
    let context = session();
    for function in [
        "count_tokens",
        "encode_tokens",
        "decode_tokens",
        "truncate_tokens",
        "chunk_tokens",
    ] {
        let page = context.udf(function)?;
        let page = page.documentation().expect(function);
        assert!(page.syntax_example.starts_with(function) && !page.description.is_empty());
    }
    Ok(())
}
