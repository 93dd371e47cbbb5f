//! Guides to read: exactness, the engine, other models, migration, and a comparison with other tokenizers. These modules hold no code.
//!
//! The rules of chat requests, dated and with their evidence, are on the page of [`chat`](crate::chat).

#[doc = include_str!("exactness.md")]
pub mod exactness {}

#[doc = include_str!("engine.md")]
pub mod engine {}

#[doc = include_str!("models.md")]
pub mod models {}

#[doc = include_str!("migrating.md")]
pub mod migrating {}

/// Speed, chat accuracy and features beside other tokenizers.
///
#[doc = include_str!("../../COMPARE.md")]
pub mod comparison {}
