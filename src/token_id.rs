//! The number of a token.

/// The id of a token, a number below [`n_vocab`](crate::Encoding::n_vocab).
pub type TokenId = u32;
