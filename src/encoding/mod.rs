//! The type [`Encoding`] and its calls, one file for each task.

// rustdoc lists the calls in the order of these lines; blank lines keep rustfmt from sorting them
mod encode;

mod decode;

mod truncate;

mod chunks;

#[cfg(feature = "rayon")]
mod batch;
#[cfg(feature = "custom")]
mod builder;
mod encoder;
#[cfg_attr(not(feature = "graphemes"), path = "no_graphemes.rs")]
mod graphemes;
mod independent_parts;
mod info;
mod threads;
mod unstable;

use std::fmt;
use std::sync::Arc;

use crate::special::SpecialTokens;
use crate::split::Splitter;
use crate::token_id::TokenId;
use crate::vocab::{Regular, Vocabulary};
#[cfg(feature = "custom")]
pub use builder::{Builder, write_tiktoken};
pub use chunks::{ChunkSpan, Chunks, Cut, MIN_CHUNK_TOKENS, Spans};
pub use encoder::Encoder;

/// A split pattern, a vocabulary and special tokens: all that is needed to turn text into ids and back.
///
/// An encoding is cheap to clone, and all threads can share it. The built-in ones come from
/// [`get_encoding`](crate::get_encoding), [`encoding_for_model`](crate::encoding_for_model), or functions with their
/// names such as [`cl100k_base`](crate::cl100k_base).
///
/// ```
/// # #[cfg(feature = "cl100k_base")] {
/// let encoding = tiktally::cl100k_base();
/// let ids = encoding.encode_ordinary("tiktoken is great!");
/// assert_eq!(ids, [83, 1609, 5963, 374, 2294, 0]);
/// assert_eq!(encoding.decode(&ids)?, "tiktoken is great!");
/// assert_eq!(encoding.count("tiktoken is great!"), 6);
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Clone)]
pub struct Encoding(Arc<Inner>);

struct Inner {
    name: String,
    splitter: Splitter,
    vocab: Arc<Vocabulary>,
    special: SpecialTokens,
    max_token: TokenId,
    facts: Facts,
}

/// Facts about the use of an encoding that its file tells and that encoding itself does not need.
#[derive(Clone, Debug, Default)]
#[cfg_attr(not(feature = "tokenizer-json"), allow(dead_code))] // only files of other tokenizers tell facts
pub(crate) struct Facts {
    /// Whether the file brings text into the Unicode normal form NFC before it is encoded.
    pub(crate) needs_nfc: bool,
    /// The ids that the file puts before and after a text.
    pub(crate) ids_before: Vec<TokenId>,
    pub(crate) ids_after: Vec<TokenId>,
}

impl fmt::Debug for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoding")
            .field("name", &self.name())
            .field("n_vocab", &self.n_vocab())
            .finish_non_exhaustive()
    }
}

impl Encoding {
    pub(crate) fn new(
        name: &str,
        splitter: Splitter,
        vocab: Arc<Vocabulary>,
        special: impl IntoIterator<Item = (String, TokenId)>,
    ) -> Self {
        Self::with_facts(name, splitter, vocab, special, Facts::default())
    }

    pub(crate) fn with_facts(
        name: &str,
        splitter: Splitter,
        vocab: Arc<Vocabulary>,
        special: impl IntoIterator<Item = (String, TokenId)>,
        facts: Facts,
    ) -> Self {
        let special = SpecialTokens::new(special);
        let max_token = vocab.max_id().max(special.max_id().unwrap_or(0));
        Self(Arc::new(Inner {
            name: name.to_owned(),
            splitter,
            vocab,
            special,
            max_token,
            facts,
        }))
    }

    pub(crate) fn vocab(&self) -> &Vocabulary {
        &self.0.vocab
    }

    pub(crate) fn special(&self) -> &SpecialTokens {
        &self.0.special
    }

    /// Returns the vocabulary, to be shared with another encoding.
    #[cfg(feature = "tokenizer-json")]
    pub(crate) fn shared_vocab(&self) -> Arc<Vocabulary> {
        Arc::clone(&self.0.vocab)
    }

    #[cfg(feature = "tokenizer-json")]
    pub(crate) fn facts(&self) -> &Facts {
        &self.0.facts
    }

    pub(crate) fn splitter(&self) -> &Splitter {
        &self.0.splitter
    }

    /// Returns whether each byte of a text is surely in a token, so that the lengths of tokens tell where they are.
    ///
    /// False if the pattern drops text, or a byte has no token. Also false for all patterns that need the whole text.
    pub(crate) fn covers_text(&self) -> bool {
        !self.splitter().needs_whole_text() && !self.vocab().lacks_bytes()
    }

    /// Returns the splitter and the tables that encode a text as it arrives, or `None` if only a whole text can be
    /// encoded.
    ///
    /// That is so if the pattern cannot tell which pieces of an unfinished text are final, or the vocabulary has no
    /// tables.
    pub(crate) fn incremental(&self) -> Option<(&Splitter, &Regular)> {
        let regular = self.vocab().as_regular()?;
        (!self.splitter().needs_whole_text()).then_some((self.splitter(), regular))
    }
}
