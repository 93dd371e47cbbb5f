//! Properties of an encoding: its name, its sizes, its tokens and its pattern.

use super::Encoding;
use crate::token_id::TokenId;

/// The text of the special token that ends a document.
const END_OF_TEXT: &str = "<|endoftext|>";

impl Encoding {
    /// Returns the name, such as `cl100k_base`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Returns the largest id plus one, as tiktoken's `n_vocab` does. Some ids below it may belong to no token.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// assert_eq!((encoding.name(), encoding.n_vocab()), ("cl100k_base", 100_277));
    /// assert_eq!((encoding.max_token_value(), encoding.eot_token()), (100_276, Some(100_257)));
    /// # }
    /// ```
    pub fn n_vocab(&self) -> usize {
        self.0.max_token as usize + 1
    }

    /// Returns the largest id.
    pub fn max_token_value(&self) -> TokenId {
        self.0.max_token
    }

    /// Returns the id of `<|endoftext|>`, or `None` if the encoding does not have it.
    pub fn eot_token(&self) -> Option<TokenId> {
        self.0.special.id(END_OF_TEXT.as_bytes())
    }

    /// Returns the special tokens with their ids, sorted by id, then by text. Two texts may share an id.
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

    /// Returns true if the id is that of a special token.
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

    /// Returns the id of the special token with this text, or `None` if the encoding does not have it.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// assert_eq!(tiktally::cl100k_base().special_token_id("<|endoftext|>"), Some(100_257));
    /// assert_eq!(tiktally::cl100k_base().special_token_id("<|im_start|>"), None);
    /// # }
    /// ```
    pub fn special_token_id(&self, text: &str) -> Option<TokenId> {
        self.0.special.id(text.as_bytes())
    }

    /// Returns the bytes of all ordinary tokens, sorted. Special tokens are not included.
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

    /// Returns the ids and bytes of all ordinary tokens, sorted by id. Special tokens are not included.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().tokens().next(), Some((0, &b"!"[..])));
    /// ```
    ///
    /// # Complexity
    /// O(n) in the ids, for the whole iteration.
    pub fn tokens(&self) -> impl Iterator<Item = (TokenId, &[u8])> {
        self.vocab().tokens()
    }

    /// Returns the split pattern as tiktoken writes it (its `pat_str`).
    ///
    /// ```
    /// # #[cfg(feature = "r50k_base")]
    /// assert!(tiktally::r50k_base().pattern().starts_with("'(?:[sdmt]|ll|ve|re)"));
    /// ```
    #[doc(alias = "pat_str")]
    pub fn pattern(&self) -> &str {
        self.splitter().pattern()
    }

    /// Builds the tables now that are otherwise built when they are needed. Results never depend on it.
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
