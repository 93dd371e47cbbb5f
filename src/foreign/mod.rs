//! Loads encodings from the files of other tokenizers.
//!
//! A file is loaded only if this crate gives exactly the ids of its own tokenizer. Each part that cannot be followed
//! exactly is refused by name.

mod added;
mod letters;
mod merges;
mod processors;
mod splits;
mod syntax;
mod tekken;
mod tokenizer_config;
mod tokenizer_json;

use std::io::Read;

use serde::Deserialize;

use crate::encoding::{Builder, Encoding};
use crate::error::{Error, ErrorKind};
use crate::token_id::TokenId;

/// The most bytes of a fault's description that come from a file or from its parser.
const MAX_SHOWN_BYTES: usize = 160;

impl Encoding {
    /// Loads an encoding from a Hugging Face `tokenizer.json` with byte-level BPE, such as that of Llama 3, Qwen,
    /// DeepSeek, gpt-oss or GPT-2. The name is free.
    ///
    /// The ids are those of the `tokenizers` library without its post-processor. The added tokens of the file become
    /// special tokens, which [`encode`](Self::encode) finds with [`Special::ALLOW_ALL`](crate::Special::ALLOW_ALL).
    ///
    /// - The ids that the post-processor puts around a text are in [`ids_before_text`](Self::ids_before_text) and
    ///   [`ids_after_text`](Self::ids_after_text). No call adds them.
    /// - If the file brings text into the normal form NFC, [`needs_nfc`](Self::needs_nfc) returns true. No call does
    ///   that: the ids are those of the file for text that is in this form, as nearly all text is.
    /// - Truncation and padding of the file are ignored.
    /// - If its tokens are those of a built-in encoding, the two share their tables: gpt-oss has those of o200k_base.
    ///
    /// Refused by name are:
    ///
    /// - other models and normalizers;
    /// - merges that are not in the order of the ids;
    /// - added tokens with `lstrip`, `rstrip` or `single_word`;
    /// - patterns that the regex engine of the file reads in another way, such as `\w` and `{1,3}+`.
    ///
    /// A pattern that needs it runs on a backtracking engine: [`can_fail`](Self::can_fail) tells.
    ///
    /// [`Builder::tokenizer_json`] allows other limits and more special tokens.
    ///
    /// ```no_run
    /// let file = std::fs::File::open("tokenizer.json").expect("there is a file");
    /// let llama = tiktally::Encoding::from_tokenizer_json("llama-3.1", file)?;
    /// println!("{}", llama.count("How many tokens is this?"));
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`is_io`](Error::is_io): reading failed.
    /// - [`is_invalid_tokenizer`](Error::is_invalid_tokenizer): the file is not JSON, is cut off, is in conflict with
    ///   itself, or has more than 64 MiB.
    /// - [`is_unsupported_tokenizer`](Error::is_unsupported_tokenizer): a part of the file cannot be followed exactly.
    /// - [`is_invalid_pattern`](Error::is_invalid_pattern), [`is_invalid_special`](Error::is_invalid_special): as
    ///   [`Builder::build`].
    ///
    /// # Complexity
    /// O(n log n) in the bytes of the file, which is in memory as a whole meanwhile. Files of 128,000 to 200,000 tokens
    /// took 75 to 155 ms of CPU time on a machine with other work (AMD EPYC with AVX2, November 2026).
    #[cfg_attr(docsrs, doc(cfg(feature = "tokenizer-json")))]
    pub fn from_tokenizer_json(
        name: impl Into<String>,
        reader: impl Read,
    ) -> Result<Encoding, Error> {
        Self::builder(name).tokenizer_json(reader)?.build()
    }

    /// Loads an encoding from Mistral's `tekken.json`. The name is free.
    ///
    /// Special tokens have the first ids, and a token has its rank plus their number, as in `mistral-common`. A text is
    /// encoded without the ids of its beginning and end. Text that the pattern does not match has no ids; the patterns of
    /// Mistral's files match all text.
    ///
    /// ```
    /// let error = tiktally::Encoding::from_tekken_json("nemo", &b"{}"[..]).unwrap_err();
    /// assert!(error.is_invalid_tokenizer() && error.to_string().contains("config"));
    /// ```
    ///
    /// # Errors
    /// As [`from_tokenizer_json`](Self::from_tokenizer_json).
    ///
    /// # Complexity
    /// As [`from_tokenizer_json`](Self::from_tokenizer_json).
    #[cfg_attr(docsrs, doc(cfg(feature = "tokenizer-json")))]
    pub fn from_tekken_json(name: impl Into<String>, reader: impl Read) -> Result<Encoding, Error> {
        Self::builder(name).tekken_json(reader)?.build()
    }

    /// Returns true if the file of this encoding brings text into the Unicode normal form NFC before it is encoded.
    ///
    /// No call of this crate does so. Text in another form gives the ids of its bytes as they are.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert!(!tiktally::cl100k_base().needs_nfc());
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "tokenizer-json")))]
    pub fn needs_nfc(&self) -> bool {
        self.facts().needs_nfc
    }

    /// Returns the ids that the file of this encoding puts before each text, such as that of `<|begin_of_text|>`.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert!(tiktally::cl100k_base().ids_before_text().is_empty());
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "tokenizer-json")))]
    pub fn ids_before_text(&self) -> &[TokenId] {
        &self.facts().ids_before
    }

    /// Returns the ids that the file of this encoding puts after each text.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert!(tiktally::cl100k_base().ids_after_text().is_empty());
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "tokenizer-json")))]
    pub fn ids_after_text(&self) -> &[TokenId] {
        &self.facts().ids_after
    }
}

impl Builder {
    /// Sets the pattern and the tokens from a `tokenizer.json`, and adds its special tokens; see
    /// [`Encoding::from_tokenizer_json`].
    ///
    /// [`max_rank_bytes`](Self::max_rank_bytes) limits the size of the file.
    ///
    /// ```
    /// let builder = tiktally::Encoding::builder("small").max_rank_bytes(10);
    /// let error = builder.tokenizer_json(&b"{\"version\": \"1.0\"}"[..]).unwrap_err();
    /// assert!(error.is_invalid_tokenizer() && error.to_string().contains("max_rank_bytes"));
    /// ```
    ///
    /// # Errors
    /// As [`Encoding::from_tokenizer_json`].
    ///
    /// # Complexity
    /// As [`Encoding::from_tokenizer_json`].
    #[cfg_attr(docsrs, doc(cfg(feature = "tokenizer-json")))]
    pub fn tokenizer_json(self, reader: impl Read) -> Result<Self, Error> {
        let file = read(reader, self.max_file_bytes())?;
        tokenizer_json::load(self, &file)
    }

    /// Sets the pattern and the tokens from a `tekken.json`, and adds its special tokens; see
    /// [`Encoding::from_tekken_json`].
    ///
    /// [`max_rank_bytes`](Self::max_rank_bytes) limits the size of the file.
    ///
    /// ```no_run
    /// let file = std::fs::File::open("tekken.json").expect("there is a file");
    /// let builder = tiktally::Encoding::builder("nemo").max_rank_bytes(32 << 20);
    /// let encoding = builder.tekken_json(file)?.special_token("<|turn|>", 200_000).build()?;
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Encoding::from_tekken_json`].
    ///
    /// # Complexity
    /// As [`Encoding::from_tekken_json`].
    #[cfg_attr(docsrs, doc(cfg(feature = "tokenizer-json")))]
    pub fn tekken_json(self, reader: impl Read) -> Result<Self, Error> {
        let file = read(reader, self.max_file_bytes())?;
        tekken::load(self, &file)
    }

    /// Adds the special tokens of a `tokenizer_config.json`: those of its `added_tokens_decoder`.
    ///
    /// Rank files in tiktoken's format have no special tokens; such a file often comes with them.
    ///
    /// ```
    /// let config = br#"{"added_tokens_decoder": {"256": {"content": "<|end|>", "special": true}}}"#;
    /// let encoding = tiktally::Encoding::builder("bytes")
    ///     .pattern(r"(?s:.+)")
    ///     .ranks((0..=255).map(|byte| ([byte], u32::from(byte))))
    ///     .special_tokens_from_config(&config[..])?
    ///     .build()?;
    /// assert_eq!(encoding.encode("a<|end|>", tiktally::Special::ALLOW_ALL)?, [97, 256]);
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`is_io`](Error::is_io): reading failed.
    /// - [`is_invalid_tokenizer`](Error::is_invalid_tokenizer): the file is not JSON, has no such table, or is
    ///   [too large](Self::max_rank_bytes).
    /// - [`is_unsupported_tokenizer`](Error::is_unsupported_tokenizer): a token takes white space beside it, or must be
    ///   a whole word.
    ///
    /// # Complexity
    /// O(n) in the bytes of the file.
    #[cfg_attr(docsrs, doc(cfg(feature = "tokenizer-json")))]
    pub fn special_tokens_from_config(self, reader: impl Read) -> Result<Self, Error> {
        let file = read(reader, self.max_file_bytes())?;
        let tokens = tokenizer_config::special_tokens(&file)?;
        let add = |builder: Self, (token, id)| builder.special_token(token, id);
        Ok(tokens.into_iter().fold(self, add))
    }
}

/// Creates the error for a broken file.
fn invalid(place: impl Into<String>, problem: impl Into<String>) -> Error {
    fault(false, place.into(), problem.into())
}

/// Creates the error for a part of a file that cannot be followed exactly.
fn unsupported(place: impl Into<String>, problem: impl Into<String>) -> Error {
    fault(true, place.into(), problem.into())
}

fn fault(is_unsupported: bool, place: String, problem: String) -> Error {
    let kind = ErrorKind::Tokenizer {
        is_unsupported,
        place,
        problem,
    };
    kind.into()
}

/// Returns the beginning of a text of a file for a message, in quotes.
fn shown(text: &str) -> String {
    let (start, rest) = start_of(text, MAX_SHOWN_BYTES);
    format!("{start:?}{rest}")
}

/// Returns up to `max_bytes` bytes of a text, and a mark if there are more.
fn start_of(text: &str, max_bytes: usize) -> (&str, &'static str) {
    let ends = (0..=max_bytes.min(text.len())).rev();
    let mut starts = ends.filter_map(|end| text.get(..end));
    let start = starts.next().unwrap_or_default();
    (start, if start.len() < text.len() { "…" } else { "" })
}

/// Reads a whole file of up to `max_bytes` bytes.
fn read(reader: impl Read, max_bytes: u64) -> Result<Vec<u8>, Error> {
    let mut file = Vec::new();
    // one byte more than the limit shows that there are too many
    let mut reader = reader.take(max_bytes.saturating_add(1));
    let read = reader.read_to_end(&mut file);
    read.map_err(|error| ErrorKind::io("reading the tokenizer file", error))?;
    if file.len() as u64 > max_bytes {
        let problem = format!(
            "there are more than {max_bytes} bytes, which is the limit; `Builder::max_rank_bytes` sets another one"
        );
        return Err(invalid("", problem));
    }
    Ok(file)
}

/// Parses a JSON file.
fn parse<'f, T: Deserialize<'f>>(file: &'f [u8]) -> Result<T, Error> {
    // strings of a valid text are not checked one by one
    let parsed = match simdutf8::basic::from_utf8(file) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(file),
    };
    parsed.map_err(|error| {
        let start = file.trim_ascii_start();
        let hint = if start.is_empty() {
            "; the file is empty"
        } else if start.starts_with(b"<") {
            "; it looks like a web page, so check the download"
        } else if start.starts_with(b"version https://git-lfs") {
            "; it is a pointer of Git LFS, so download the file itself"
        } else if error.is_eof() {
            "; the file is cut off"
        } else {
            ""
        };
        let problem = error.to_string();
        let (problem, rest) = start_of(&problem, 2 * MAX_SHOWN_BYTES);
        let kind = if error.is_data() {
            "not a file of this kind"
        } else {
            "not valid JSON"
        };
        invalid("", format!("it is {kind}: {problem}{rest}{hint}"))
    })
}
