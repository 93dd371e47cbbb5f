//! The functions as expressions, for the DataFrame API. They know the built-in encodings.
//!
//! A plan that is sent to another machine has the functions' names alone. If that machine registered another default
//! encoding, calls without an encoding use it: name the encoding there.
//!
//! For functions with custom encodings, take them from the session: `context.udf("count_tokens")?.call(arguments)`.
//!
//! ```
//! use datafusion::prelude::{SessionContext, col, lit};
//! use datafusion_functions_tiktally::expr_fn::{count_tokens, count_tokens_with};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> datafusion::error::Result<()> {
//! let texts = SessionContext::new().sql("SELECT 'hello world' AS text").await?;
//! let counted = texts.filter(count_tokens(col("text")).lt_eq(lit(512)))?;
//! assert_eq!(counted.clone().count().await?, 1);
//! counted.select(vec![count_tokens_with(col("text"), lit("cl100k_base"))])?;
//! # Ok(())
//! # }
//! ```

use std::sync::{Arc, OnceLock};

use datafusion_expr::{Expr, ScalarUDF};

use crate::registry::all_functions;
use crate::udf::Kind;

fn call(kind: Kind, arguments: Vec<Expr>) -> Expr {
    static FUNCTIONS: OnceLock<Vec<Arc<ScalarUDF>>> = OnceLock::new();
    FUNCTIONS.get_or_init(all_functions)[kind as usize].call(arguments)
}

/// Returns the number of tokens of a text, in o200k_base.
pub fn count_tokens(text: Expr) -> Expr {
    call(Kind::Count, vec![text])
}

/// Returns the number of tokens of a text, in the encoding of this name.
pub fn count_tokens_with(text: Expr, encoding: Expr) -> Expr {
    call(Kind::Count, vec![text, encoding])
}

/// Returns the list of ids of a text, in o200k_base.
pub fn encode_tokens(text: Expr) -> Expr {
    call(Kind::Encode, vec![text])
}

/// Returns the list of ids of a text, in the encoding of this name.
pub fn encode_tokens_with(text: Expr, encoding: Expr) -> Expr {
    call(Kind::Encode, vec![text, encoding])
}

/// Returns the text of a list of ids, in o200k_base.
pub fn decode_tokens(ids: Expr) -> Expr {
    call(Kind::Decode, vec![ids])
}

/// Returns the text of a list of ids, in the encoding of this name.
pub fn decode_tokens_with(ids: Expr, encoding: Expr) -> Expr {
    call(Kind::Decode, vec![ids, encoding])
}

/// Returns the beginning of a text that has up to `n` tokens, in o200k_base.
pub fn truncate_tokens(text: Expr, n: Expr) -> Expr {
    call(Kind::Truncate, vec![text, n])
}

/// Returns the beginning of a text that has up to `n` tokens, in the encoding of this name.
pub fn truncate_tokens_with(text: Expr, n: Expr, encoding: Expr) -> Expr {
    call(Kind::Truncate, vec![text, n, encoding])
}

/// Returns the list of chunks of a text of up to `n` tokens each, in o200k_base.
pub fn chunk_tokens(text: Expr, n: Expr) -> Expr {
    call(Kind::Chunk, vec![text, n])
}

/// Returns the list of chunks of a text, each with the last `overlap` tokens, or fewer, of the one before, in the
/// encoding of this name.
pub fn chunk_tokens_with(text: Expr, n: Expr, overlap: Expr, encoding: Expr) -> Expr {
    call(Kind::Chunk, vec![text, n, overlap, encoding])
}
