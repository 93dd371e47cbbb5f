//! Errors, at planning and at execution, by their typed cause.

use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use datafusion_functions_tiktally::Functions;
use datafusion_functions_tiktally::kernels::Error;

use crate::{docs, session};

/// Returns the functions' error in the chain of causes.
fn cause(error: &DataFusionError) -> &Error {
    match error.find_root() {
        DataFusionError::External(cause) => {
            cause.downcast_ref().expect("an error of the functions")
        }
        other => panic!("no cause: {other:?}"),
    }
}

/// Returns the error of planning a query.
async fn planning(context: &SessionContext, sql: &str) -> DataFusionError {
    match context.sql(sql).await {
        Ok(_) => panic!("planned: {sql}"),
        Err(error) => error,
    }
}

/// Returns the error of executing a query, which was planned.
async fn execution(context: &SessionContext, sql: &str) -> DataFusionError {
    let frame = context.sql(sql).await.unwrap();
    let plan = frame.create_physical_plan().await.unwrap();
    datafusion::physical_plan::collect(plan, context.task_ctx())
        .await
        .expect_err(sql)
}

fn session_with_docs() -> SessionContext {
    let context = session();
    context.register_batch("docs", docs()).unwrap();
    context
}

#[tokio::test]
async fn an_unknown_literal_encoding_is_an_error_of_planning() {
    let context = session_with_docs();
    for call in [
        "count_tokens(text, 'o200k')",
        "encode_tokens(text, 'o200k')",
        "decode_tokens([1], 'o200k')",
        "truncate_tokens(text, 1, 'o200k')",
        "chunk_tokens(text, 9, 'o200k')",
        "chunk_tokens(text, 9, 1, 'o200k')",
    ] {
        let error = planning(&context, &format!("SELECT {call} FROM docs")).await;
        assert!(
            matches!(cause(&error), Error::UnknownEncoding { source, .. }
            if source.is_unknown_encoding() && source.suggestion() == Some("o200k_base")),
            "{call}: {error}"
        );
        assert!(error.to_string().contains("\"o200k\""), "{error}");
    }
}

#[tokio::test]
async fn wrong_arguments_are_errors_of_planning_that_show_the_usage() {
    let context = session_with_docs();
    for (call, usage) in [
        ("count_tokens()", "count_tokens(text [, encoding])"),
        ("count_tokens(1)", "count_tokens(text [, encoding])"),
        (
            "count_tokens('a', 'gpt2', 1)",
            "count_tokens(text [, encoding])",
        ),
        ("encode_tokens([1])", "encode_tokens(text [, encoding])"),
        ("decode_tokens('a')", "decode_tokens(ids [, encoding])"),
        ("decode_tokens(['a'])", "decode_tokens(ids [, encoding])"),
        (
            "truncate_tokens('a')",
            "truncate_tokens(text, n [, encoding])",
        ),
        (
            "truncate_tokens('a', 1.5)",
            "truncate_tokens(text, n [, encoding])",
        ),
        (
            "truncate_tokens('a', 1, 1)",
            "truncate_tokens(text, n [, encoding])",
        ),
        (
            "chunk_tokens('a', 'gpt2')",
            "chunk_tokens(text, n [, overlap] [, encoding])",
        ),
        (
            "chunk_tokens('a', 9, 1, 1)",
            "chunk_tokens(text, n [, overlap] [, encoding])",
        ),
    ] {
        let error = planning(&context, &format!("SELECT {call}")).await;
        assert!(error.to_string().contains(usage), "{call}: {error}");
    }
}

#[tokio::test]
async fn bad_values_are_errors_of_execution() {
    let context = session_with_docs();
    let error = execution(&context, "SELECT truncate_tokens(text, n - 2) FROM docs").await;
    assert!(matches!(
        cause(&error),
        Error::Negative {
            row: 0,
            argument: "n",
            value: -1
        }
    ));
    let error = execution(&context, "SELECT chunk_tokens(text, 9, n - 2) FROM docs").await;
    assert!(matches!(
        cause(&error),
        Error::Negative {
            row: 0,
            argument: "overlap",
            value: -1
        }
    ));
    let error = execution(&context, "SELECT chunk_tokens(text, n) FROM docs").await;
    assert!(
        matches!(cause(&error), Error::Tokenizer { row: 0, source } if source.is_limit_too_small())
    );
    let error = execution(&context, "SELECT count_tokens(text, enc || 'x') FROM docs").await;
    assert!(
        matches!(cause(&error), Error::UnknownEncoding { row: Some(0), source, .. }
            if source.is_unknown_encoding())
    );
    let error = execution(&context, "SELECT decode_tokens([n, 4294967295]) FROM docs").await;
    assert!(matches!(cause(&error), Error::Tokenizer { row: 0, source }
        if source.is_unknown_token() && (source.token(), source.index()) == (Some(u32::MAX), Some(1))));
    let error = execution(&context, "SELECT decode_tokens([n]) FROM docs").await;
    assert!(matches!(cause(&error), Error::NullId { row: 4, index: 0 }));
    let error = execution(&context, "SELECT decode_tokens([n, -1]) FROM docs").await;
    assert!(matches!(
        cause(&error),
        Error::NotAnId {
            row: 0,
            index: 1,
            value: -1
        }
    ));
}

#[test]
fn bad_encodings_are_errors_of_registration() {
    let mut context = SessionContext::new();
    let error = Functions::new()
        .default_encoding("nope")
        .register(&mut context)
        .unwrap_err();
    assert!(matches!(cause(&error), Error::UnknownEncoding { .. }));
    let taken = tiktally::cl100k_base()
        .extend("o200k_base")
        .build()
        .unwrap();
    let error = Functions::new()
        .encoding(taken)
        .register(&mut context)
        .unwrap_err();
    assert!(matches!(cause(&error), Error::NameTaken { name } if name == "o200k_base"));
}
