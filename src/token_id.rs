//! The type of token ids.

/// The id of a token, a number below [`n_vocab`](crate::Encoding::n_vocab).
pub type TokenId = u32;
