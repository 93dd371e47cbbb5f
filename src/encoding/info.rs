//! What is known of an encoding without a text.

use super::Encoding;
use crate::token_id::TokenId;

/// The text of the token that ends a document.
const END_OF_TEXT: &str = "<|endoftext|>";

impl Encoding {
    /// The name, such as `cl100k_base`.
    ///
    /// ```
    /// # #[cfg(feature = "r50k_base")]
    /// assert_eq!(tiktally::gpt2().name(), "gpt2");
    /// ```
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The largest id plus one, as tiktoken's `n_vocab`: some ids below it may belong to no token.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().n_vocab(), 100_277);
    /// ```
    pub fn n_vocab(&self) -> usize {
        self.0.max_token as usize + 1
    }

    /// The largest id.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().max_token_value(), 100_276);
    /// ```
    pub fn max_token_value(&self) -> TokenId {
        self.0.max_token
    }

    /// The id of `<|endoftext|>`, if the encoding has it.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().eot_token(), Some(100_257));
    /// ```
    pub fn eot_token(&self) -> Option<TokenId> {
        self.0.special.id(END_OF_TEXT.as_bytes())
    }

    /// The special tokens, ascending by id, then by text. Two texts may share an id.
    ///
    /// ```
    /// # #[cfg(feature = "o200k_base")] {
    /// let special: Vec<_> = tiktally::o200k_base().special_tokens().collect();
    /// assert_eq!(special, [("<|endoftext|>", 199_999), ("<|endofprompt|>", 200_018)]);
    /// # }
    /// ```
    ///
    /// # Complexity
    /// O(n log n) in the special tokens.
    #[doc(alias = "special_tokens_set")]
    pub fn special_tokens(&self) -> impl Iterator<Item = (&str, TokenId)> {
        self.0.special.iter()
    }

    /// Whether the id is that of a special token.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// assert!(tiktally::cl100k_base().is_special_token(100_257));
    /// assert!(!tiktally::cl100k_base().is_special_token(83));
    /// # }
    /// ```
    pub fn is_special_token(&self, id: TokenId) -> bool {
        self.0.special.text(id).is_some()
    }

    /// The bytes of all mergeable tokens, sorted; special tokens are not among them.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let values = tiktally::cl100k_base().token_byte_values();
    /// assert_eq!(values.len(), 100_256);
    /// assert_eq!(values[0], [0]);
    /// # }
    /// ```
    ///
    /// # Complexity
    /// O(n log n) in the tokens on the first call, O(n) later.
    pub fn token_byte_values(&self) -> Vec<&[u8]> {
        let vocab = self.vocab();
        vocab
            .sorted()
            .iter()
            .filter_map(|&id| vocab.token(id))
            .collect()
    }

    /// The ids and bytes of all mergeable tokens, ascending by id; special tokens are not among them.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().tokens().next(), Some((0, &b"!"[..])));
    /// ```
    ///
    /// # Complexity
    /// O(n) in the ids for all of them.
    pub fn tokens(&self) -> impl Iterator<Item = (TokenId, &[u8])> {
        self.vocab().tokens()
    }

    /// The split pattern as tiktoken writes it (its `pat_str`).
    ///
    /// ```
    /// # #[cfg(feature = "r50k_base")]
    /// assert!(tiktally::r50k_base().pattern().starts_with("'(?:[sdmt]|ll|ve|re)"));
    /// ```
    #[doc(alias = "pat_str")]
    pub fn pattern(&self) -> &str {
        self.splitter().pattern()
    }

    /// Builds now what is otherwise built on first use. Never needed for a right result.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// tiktally::cl100k_base().prepare();
    /// ```
    ///
    /// # Complexity
    /// O(n log n) in the bytes of the tokens the first time, O(1) later.
    pub fn prepare(&self) {
        self.vocab().prepare();
    }
}
