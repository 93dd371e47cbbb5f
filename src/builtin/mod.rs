//! Maps names and models to the built-in encodings. Each is created once, on first use.

pub(crate) mod models;
pub(crate) mod near;
pub(crate) mod vocabularies;

use std::sync::OnceLock;

use crate::encoding::Encoding;
use crate::error::{Error, ErrorKind};
use crate::split::Splitter;
#[cfg(feature = "o200k_base")]
use crate::token_id::TokenId;

/// Defines all built-in encodings from one table: function, name, feature, splitter, vocabulary, special tokens, and
/// the ids of "hello world" for the example.
macro_rules! encodings {
    ($($(#[doc = $doc:literal])* $function:ident $name:literal $feature:literal $splitter:ident $vocabulary:ident $special:expr, $ids:tt;)*) => {
        $(
            $(#[doc = $doc])*
            ///
            /// ```
            #[doc = concat!("let encoding = tiktally::", $name, "();")]
            #[doc = concat!("assert_eq!(encoding.name(), \"", $name, "\");")]
            #[doc = concat!("assert_eq!(encoding.encode_ordinary(\"hello world\"), ", stringify!($ids), ");")]
            /// ```
            ///
            /// # Complexity
            /// That of [`get_encoding`].
            #[cfg(feature = $feature)]
            #[cfg_attr(docsrs, doc(cfg(feature = $feature)))]
            pub fn $function() -> &'static Encoding {
                static ENCODING: OnceLock<Encoding> = OnceLock::new();
                ENCODING.get_or_init(|| {
                    let special = $special.into_iter().map(|(text, id)| (String::from(text), id));
                    Encoding::new($name, Splitter::$splitter, vocabularies::$vocabulary(), special)
                })
            }
        )*

        /// The names of all encodings, compiled in or not.
        const ALL_NAMES: &[&str] = &[$($name),*];

        /// Returns the names of the encodings that are compiled in.
        ///
        /// ```
        /// # #[cfg(feature = "cl100k_base")]
        /// assert!(tiktally::list_encoding_names().contains(&"cl100k_base"));
        /// ```
        pub fn list_encoding_names() -> &'static [&'static str] {
            &[$(#[cfg(feature = $feature)] $name),*]
        }

        /// Returns the encoding with this name.
        ///
        /// ```
        /// # #[cfg(feature = "r50k_base")] {
        /// assert_eq!(tiktally::get_encoding("gpt2")?.encode_ordinary("hello world"), [31373, 995]);
        /// # }
        /// assert!(tiktally::get_encoding("gpt3").unwrap_err().is_unknown_encoding());
        /// # Ok::<(), tiktally::Error>(())
        /// ```
        ///
        /// # Errors
        /// [`is_unknown_encoding`](Error::is_unknown_encoding): no encoding has this name; a near name is the error's
        /// [`suggestion`](Error::suggestion).
        /// [`is_missing_feature`](Error::is_missing_feature): its vocabulary is not compiled in.
        ///
        /// # Complexity
        /// O(1), except for the special tokens on the first call for an encoding. Its tables are built when they are
        /// needed, in O(n) in the bytes of the tokens: not for the first few short texts. [`Encoding::prepare`] builds
        /// them at once.
        pub fn get_encoding(name: &str) -> Result<&'static Encoding, Error> {
            match name {
                $(
                    #[cfg(feature = $feature)]
                    $name => Ok($function()),
                    #[cfg(not(feature = $feature))]
                    $name => Err(ErrorKind::MissingFeature { encoding: $name, feature: $feature }.into()),
                )*
                _ => Err(ErrorKind::unknown_encoding(name, ALL_NAMES).into()),
            }
        }
    };
}

encodings! {
    /// Returns the encoding of GPT-2: r50k_base under its first name.
    gpt2 "gpt2" "r50k_base" Gpt2 r50k_base [("<|endoftext|>", 50_256)], [31373, 995];
    /// Returns the encoding of the first GPT-3 models.
    r50k_base "r50k_base" "r50k_base" Gpt2 r50k_base [("<|endoftext|>", 50_256)], [31373, 995];
    /// Returns the encoding of the Codex models, text-davinci-002 and -003: r50k_base with 24 tokens for runs of
    /// spaces.
    p50k_base "p50k_base" "p50k_base" Gpt2 p50k_base [("<|endoftext|>", 50_256)], [31373, 995];
    /// Returns p50k_base with the special tokens of the edit models.
    p50k_edit "p50k_edit" "p50k_base" Gpt2 p50k_base [
        ("<|endoftext|>", 50_256), ("<|fim_prefix|>", 50_281), ("<|fim_middle|>", 50_282), ("<|fim_suffix|>", 50_283),
    ], [31373, 995];
    /// Returns the encoding of GPT-3.5, GPT-4 and the embedding models.
    cl100k_base "cl100k_base" "cl100k_base" Cl100k cl100k_base [
        ("<|endoftext|>", 100_257), ("<|fim_prefix|>", 100_258), ("<|fim_middle|>", 100_259),
        ("<|fim_suffix|>", 100_260), ("<|endofprompt|>", 100_276),
    ], [15339, 1917];
    /// Returns the encoding of GPT-4o and later models.
    o200k_base "o200k_base" "o200k_base" O200k o200k_base [
        ("<|endoftext|>", 199_999), ("<|endofprompt|>", 200_018),
    ], [24912, 2375];
    /// Returns o200k_base with the special tokens of the harmony format (gpt-oss).
    o200k_harmony "o200k_harmony" "o200k_base" O200k o200k_base harmony_special_tokens(), [24912, 2375];
}

/// Returns the special tokens of o200k_harmony: ten with a name, and one for every other id up to 201087. 200018 has
/// two texts and decodes to the named one.
#[cfg(feature = "o200k_base")]
fn harmony_special_tokens() -> impl IntoIterator<Item = (String, TokenId)> {
    const NAMED: [(&str, TokenId); 10] = [
        ("<|startoftext|>", 199_998),
        ("<|endoftext|>", 199_999),
        ("<|return|>", 200_002),
        ("<|constrain|>", 200_003),
        ("<|channel|>", 200_005),
        ("<|start|>", 200_006),
        ("<|end|>", 200_007),
        ("<|message|>", 200_008),
        ("<|call|>", 200_012),
        ("<|endofprompt|>", 200_018),
    ];
    let is_reserved = |id: &TokenId| *id == 200_018 || NAMED.iter().all(|(_, named)| named != id);
    let reserved = (200_000..=201_087)
        .filter(is_reserved)
        .map(|id| (format!("<|reserved_{id}|>"), id));
    NAMED
        .map(|(text, id)| (text.to_owned(), id))
        .into_iter()
        .chain(reserved)
        .collect::<Vec<_>>()
}

/// Returns the encoding that a model uses, by tiktoken's tables.
///
/// ```
/// # #[cfg(feature = "o200k_base")]
/// assert_eq!(tiktally::encoding_for_model("gpt-4o")?.encode_ordinary("hello world"), [24912, 2375]);
/// assert!(tiktally::encoding_for_model("gpt-6").unwrap_err().is_unknown_model());
/// # Ok::<(), tiktally::Error>(())
/// ```
///
/// # Errors
/// [`is_unknown_model`](Error::is_unknown_model): the tables have no entry for the model; a near name is the error's
/// [`suggestion`](Error::suggestion).
/// [`is_missing_feature`](Error::is_missing_feature): the encoding's vocabulary is not compiled in.
///
/// # Complexity
/// That of [`get_encoding`].
pub fn encoding_for_model(model: &str) -> Result<&'static Encoding, Error> {
    get_encoding(models::encoding_name_for_model(model)?)
}
