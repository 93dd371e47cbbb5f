//! Pages to read: how ids are kept exact, how the engine works, and what other crates' calls are called here. No code.
//!
//! - [`exactness`]: what *the same ids* means, what says so, and where this crate differs from tiktoken on purpose.
//! - [`engine`]: the way of a text through the stages, and why what comes out equals plain merging.
//! - [`migrating`]: tables of calls for those who come from tiktoken in Python, tiktoken-rs or bpe-openai.
//!
//! The rules of chat requests, dated and with their evidence, are the page of [`chat`](crate::chat).

#[doc = include_str!("exactness.md")]
pub mod exactness {}

#[doc = include_str!("engine.md")]
pub mod engine {}

#[doc = include_str!("migrating.md")]
pub mod migrating {}
