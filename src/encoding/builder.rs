//! Custom encodings: from a rank file and a pattern, or from another encoding and more special tokens.

use std::collections::HashMap;
use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;

use hmac_sha256::Hash;

use super::{Encoding, Facts};
use crate::error::{Error, ErrorKind};
use crate::split::Splitter;
use crate::split::custom::{self, Custom, Gaps};
use crate::token_id::TokenId;
use crate::vocab::Vocabulary;
use crate::vocab::rank_file::{self, Ranks};

/// A builder for custom encodings, made by [`Encoding::builder`] and [`Encoding::extend`].
///
/// ```
/// # #[cfg(feature = "cl100k_base")] {
/// use tiktally::{Encoding, cl100k_base};
///
/// let mut file = Vec::new();
/// tiktally::write_tiktoken(cl100k_base(), &mut file)?;
/// let mine = Encoding::builder("mine")
///     .pattern(cl100k_base().pattern())
///     .ranks_from_tiktoken(&file[..])?
///     .special_token("<|turn|>", 100_256)
///     .build()?;
/// assert_eq!(mine.encode_ordinary("hello world"), [15339, 1917]);
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Clone)]
#[doc(alias = "EncodingBuilder")]
pub struct Builder {
    name: String,
    pattern: Pattern,
    gaps: Gaps,
    vocabulary: Source,
    special: Vec<(String, TokenId)>,
    /// The id of the empty token of a rank file.
    empty: Option<TokenId>,
    max_rank_bytes: u64,
    may_lack_bytes: bool,
    may_share_ids: bool,
    facts: Facts,
}

/// The pattern that was set, if any.
#[derive(Clone)]
enum Pattern {
    Missing,
    Linear(String),
    Backtracking(String),
    /// Linear if it can be.
    Any(String),
    /// The splitter of the encoding that is extended.
    Shared(Splitter),
}

/// The tokens that were set.
#[derive(Clone)]
enum Source {
    Ranks(Ranks),
    /// The vocabulary of the encoding that is extended.
    Shared(Arc<Vocabulary>),
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Encoding {
    /// Creates a builder for a custom encoding, which needs a pattern and ranks.
    ///
    /// ```
    /// use tiktally::Encoding;
    ///
    /// let bytes = (0..=255).map(|byte| (vec![byte], u32::from(byte)));
    /// let words = [(b"he".to_vec(), 256), (b"llo".to_vec(), 257), (b"hello".to_vec(), 258)];
    /// let encoding = Encoding::builder("small")
    ///     .pattern(r"\w+|\s+|[^\w\s]+")
    ///     .ranks(bytes.chain(words))
    ///     .build()?;
    /// assert_eq!(encoding.encode_ordinary("hello hey"), [258, 32, 256, 121]);
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "custom")))]
    pub fn builder(name: impl Into<String>) -> Builder {
        Builder {
            name: name.into(),
            pattern: Pattern::Missing,
            gaps: Gaps::default(),
            vocabulary: Source::Ranks(Ranks::default()),
            special: Vec::new(),
            empty: None,
            max_rank_bytes: rank_file::MAX_FILE,
            may_lack_bytes: false,
            may_share_ids: false,
            facts: Facts::default(),
        }
    }

    /// Creates a builder for this encoding with more special tokens. It shares the vocabulary, so no token is copied.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::{Special, cl100k_base};
    ///
    /// let chat = cl100k_base()
    ///     .extend("cl100k_im")
    ///     .special_token("<|im_start|>", 100_264)
    ///     .special_token("<|im_end|>", 100_265)
    ///     .build()?;
    /// assert_eq!(chat.encode("<|im_start|>hello", Special::ALLOW_ALL)?, [100264, 15339]);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Complexity
    /// O(n log n) in the special tokens.
    #[doc(alias = "to_builder")]
    #[cfg_attr(docsrs, doc(cfg(feature = "custom")))]
    pub fn extend(&self, name: impl Into<String>) -> Builder {
        let special = self.special_tokens();
        let mut special: Vec<_> = special.map(|(text, id)| (text.to_owned(), id)).collect();
        // if two texts share an id, the one to which it decodes stays first
        special.sort_by_key(|(text, id)| self.0.special.text(*id) != Some(text));
        let empty = self.0.special.id(b"");
        special.retain(|(text, _)| !text.is_empty());
        let may_share_ids = special
            .iter()
            .any(|(_, id)| self.vocab().token(*id).is_some());
        Builder {
            pattern: Pattern::Shared(self.0.splitter.clone()),
            gaps: self.0.splitter.gaps(),
            vocabulary: Source::Shared(Arc::clone(&self.0.vocab)),
            special,
            empty,
            may_share_ids,
            facts: self.0.facts.clone(),
            ..Self::builder(name)
        }
    }

    /// Encodes a text as [`encode_ordinary`](Self::encode_ordinary) does, but returns an error where that panics
    /// or leaves out a byte.
    ///
    /// It fails only if the encoding [can fail](Self::can_fail).
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().try_encode_ordinary("hello")?, [15339]);
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`is_pattern_limit`](Error::is_pattern_limit): the pattern gave up on the text.
    /// - [`is_unknown_token_bytes`](Error::is_unknown_token_bytes): a byte of the text has no token.
    ///
    /// # Complexity
    /// As [`encode_ordinary`](Self::encode_ordinary). If the encoding [can fail](Self::can_fail), the text is split
    /// once more for each reason. If the vocabulary lacks bytes, it is also merged twice.
    #[cfg_attr(docsrs, doc(cfg(feature = "custom")))]
    pub fn try_encode_ordinary(&self, text: &str) -> Result<Vec<TokenId>, Error> {
        self.check_text(text)?;
        Ok(self.encode_ordinary(text))
    }

    /// Appends the ids of a text to `ids`, as [`encode_ordinary_into`](Self::encode_ordinary_into) does. Where that panics
    /// or leaves out a byte, it returns an error and appends nothing.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let mut ids = vec![1];
    /// tiktally::cl100k_base().try_encode_ordinary_into("hello", &mut ids)?;
    /// assert_eq!(ids, [1, 15339]);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`is_pattern_limit`](Error::is_pattern_limit): the pattern gave up on the text.
    /// - [`is_unknown_token_bytes`](Error::is_unknown_token_bytes): a byte of the text has no token.
    ///
    /// # Complexity
    /// As [`try_encode_ordinary`](Self::try_encode_ordinary).
    #[cfg_attr(docsrs, doc(cfg(feature = "custom")))]
    pub fn try_encode_ordinary_into(
        &self,
        text: &str,
        ids: &mut Vec<TokenId>,
    ) -> Result<(), Error> {
        self.check_text(text)?;
        self.encode_ordinary_into(text, ids);
        Ok(())
    }

    /// Returns whether encoding a text can fail for another reason than its special tokens.
    ///
    /// A [pattern that backtracks](Builder::backtracking_pattern) can give up: then calls that cannot return an error panic.
    /// A byte may have [no token](Builder::allow_missing_bytes): such calls leave it out.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert!(!tiktally::cl100k_base().can_fail());
    /// let bytes = (0..=255).map(|byte| (vec![byte], u32::from(byte)));
    /// let encoding = tiktally::Encoding::builder("b").backtracking_pattern(r"(.)\1?").ranks(bytes).build()?;
    /// assert!(encoding.can_fail());
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "custom")))]
    pub fn can_fail(&self) -> bool {
        self.splitter().can_fail() || self.vocab().lacks_bytes()
    }

    /// Counts the tokens of a text as [`count`](Self::count) does, but returns an error where that panics
    /// or leaves out a byte.
    ///
    /// It fails only if the encoding [can fail](Self::can_fail).
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().try_count("hello")?, 1);
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`is_pattern_limit`](Error::is_pattern_limit): the pattern gave up on the text.
    /// - [`is_unknown_token_bytes`](Error::is_unknown_token_bytes): a byte of the text has no token.
    ///
    /// # Complexity
    /// As [`try_encode_ordinary`](Self::try_encode_ordinary).
    #[cfg_attr(docsrs, doc(cfg(feature = "custom")))]
    pub fn try_count(&self, text: &str) -> Result<usize, Error> {
        self.check_text(text)?;
        Ok(self.count(text))
    }
}

impl Builder {
    /// Sets the pattern that splits a text into pieces, such as tiktoken's `pat_str`.
    ///
    /// The patterns of the built-in encodings, of Llama 3, of Qwen and of Mistral's Tekken, in all published forms, have
    /// splitters made for them. Any other pattern runs on an automaton. Its time is linear in the text, as long as a piece
    /// can be told from the text near it.
    ///
    /// `\s+(?!\S)` as a separate alternative and possessive quantifiers are accepted where the automaton can express
    /// them.
    ///
    /// ```
    /// let encoding = tiktally::Encoding::builder("b").pattern("(a)\\1").build();
    /// let error = encoding.unwrap_err();
    /// assert!(error.is_invalid_pattern() && error.to_string().contains("backtracking_pattern"));
    /// ```
    #[must_use]
    pub fn pattern(mut self, pattern: impl Into<String>) -> Self {
        self.pattern = Pattern::Linear(pattern.into());
        self
    }

    /// Sets a pattern that may use all features of a backtracking engine, such as back-references and look-around.
    ///
    /// Such a pattern can be slow, and it can give up on a text. Then `encode` and the calls that begin with `try_`
    /// return an error, and calls that cannot return one panic.
    ///
    /// ```
    /// let bytes = (0..=255).map(|byte| (vec![byte], u32::from(byte)));
    /// let encoding = tiktally::Encoding::builder("b").backtracking_pattern(r"(.)\1?").ranks(bytes).build()?;
    /// assert_eq!(encoding.pieces("aab").collect::<Vec<_>>(), ["aa", "b"]);
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[must_use]
    pub fn backtracking_pattern(mut self, pattern: impl Into<String>) -> Self {
        self.pattern = Pattern::Backtracking(pattern.into());
        self
    }

    /// Sets a pattern that runs in linear time if it [can](Self::pattern), and [backtracks](Self::backtracking_pattern)
    /// otherwise. [`can_fail`](Encoding::can_fail) tells which of the two it is.
    ///
    /// ```
    /// let bytes = (0..=255).map(|byte| (vec![byte], u32::from(byte)));
    /// let builder = tiktally::Encoding::builder("b").ranks(bytes);
    /// assert!(!builder.clone().any_pattern(r"\w+| ").build()?.can_fail());
    /// assert!(builder.any_pattern(r"(.)\1?").build()?.can_fail());
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[must_use]
    pub fn any_pattern(mut self, pattern: impl Into<String>) -> Self {
        self.pattern = Pattern::Any(pattern.into());
        self
    }

    /// Sets whether text that the pattern does not match is kept or dropped.
    ///
    /// The default is [`Gaps::Keep`], or the setting of the encoding that is [extended](Encoding::extend). The built-in
    /// patterns match all text.
    ///
    /// ```
    /// use tiktally::{Encoding, Gaps};
    ///
    /// let bytes = (0..=255).map(|byte| ([byte], u32::from(byte)));
    /// let words = Encoding::builder("words").pattern(r"\w+").gaps(Gaps::Drop).ranks(bytes).build()?;
    /// assert_eq!(words.encode_ordinary("a b"), [97, 98]);
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[must_use]
    pub fn gaps(mut self, gaps: Gaps) -> Self {
        self.gaps = gaps;
        self
    }

    /// Sets the maximum size of a rank file, in bytes; the default is 64 MiB. Call it before the file is read.
    ///
    /// ```
    /// let file = b"AA== 0\n".as_slice();
    /// let error = tiktally::Encoding::builder("b").max_rank_bytes(5).ranks_from_tiktoken(file).unwrap_err();
    /// assert!(error.is_invalid_ranks());
    /// ```
    #[must_use]
    pub fn max_rank_bytes(mut self, bytes: u64) -> Self {
        self.max_rank_bytes = bytes;
        self
    }

    /// Reads the tokens from a rank file in tiktoken's format: each line has a token in base64 and its rank.
    ///
    /// Blank lines are skipped, and the last line needs no newline. Ranks may come in any order, with gaps. One line may
    /// have `=` for an empty token, as in Whisper's `multilingual.tiktoken`: no text has its id, and it decodes to no bytes.
    ///
    /// ```
    /// let error = tiktally::Encoding::builder("b").ranks_from_tiktoken(&b"AA== 0\n!! 1\n"[..]).unwrap_err();
    /// assert!(error.is_invalid_ranks());
    /// assert_eq!(error.line(), Some(2));
    /// ```
    ///
    /// # Errors
    /// - [`is_io`](Error::is_io): reading failed.
    /// - [`is_invalid_ranks`](Error::is_invalid_ranks): a line is not a token and a rank, or the file is
    ///   [too large](Self::max_rank_bytes). The tokens as a whole are checked by [`build`](Self::build).
    ///
    /// # Complexity
    /// O(n) in the bytes of the file. The file is read line by line; only the tokens are kept in memory.
    pub fn ranks_from_tiktoken(self, reader: impl Read) -> Result<Self, Error> {
        self.with_ranks_from(reader, |_| {})
    }

    /// Reads the tokens from a rank file, and checks that the file has this SHA-256, in hexadecimal digits.
    ///
    /// The format is that of [`ranks_from_tiktoken`](Self::ranks_from_tiktoken).
    ///
    /// ```
    /// let hash = "0".repeat(64);
    /// let error = tiktally::Encoding::builder("b").ranks_from_tiktoken_checked(&b"AA== 0\n"[..], &hash).unwrap_err();
    /// assert!(error.is_hash_mismatch());
    /// ```
    ///
    /// # Errors
    /// As [`ranks_from_tiktoken`](Self::ranks_from_tiktoken), and [`is_hash_mismatch`](Error::is_hash_mismatch): the
    /// file has another hash.
    ///
    /// # Complexity
    /// As [`ranks_from_tiktoken`](Self::ranks_from_tiktoken), plus the hash of the file.
    pub fn ranks_from_tiktoken_checked(
        self,
        reader: impl Read,
        sha256: &str,
    ) -> Result<Self, Error> {
        let mut hash = Hash::new();
        let builder = self.with_ranks_from(reader, |line| hash.update(line))?;
        let found = hash.finalize().map(|byte| format!("{byte:02x}")).concat();
        if !found.eq_ignore_ascii_case(sha256.trim()) {
            let expected = sha256.to_owned();
            return Err(ErrorKind::HashMismatch { expected, found }.into());
        }
        Ok(builder)
    }

    /// Reads the tokens from a rank file, and calls `on_line` with the bytes of each line.
    fn with_ranks_from(
        mut self,
        reader: impl Read,
        on_line: impl FnMut(&[u8]),
    ) -> Result<Self, Error> {
        let ranks = Ranks::read(reader, self.max_rank_bytes, on_line)?;
        self.empty = ranks.empty();
        self.vocabulary = Source::Ranks(ranks);
        Ok(self)
    }

    /// Sets the tokens, each with its rank, which is also its id. They replace all tokens that were set before.
    ///
    /// The rest of a tokenizer file that was read before stays: its pattern, its special tokens, and the ids it puts around
    /// a text. A later call of [`pattern`](Self::pattern) replaces only the pattern.
    ///
    /// ```
    /// let bytes = (0..=255).map(|byte| (vec![byte], u32::from(byte)));
    /// let words = [(b"ab".to_vec(), 256), (b"abc".to_vec(), 257)];
    /// let encoding = tiktally::Encoding::builder("b").pattern(r"\w+").ranks(bytes.chain(words)).build()?;
    /// assert_eq!(encoding.encode_ordinary("abcab"), [257, 256]);
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Complexity
    /// O(n) in the bytes of the tokens.
    #[must_use]
    pub fn ranks<T: AsRef<[u8]>>(mut self, ranks: impl IntoIterator<Item = (T, TokenId)>) -> Self {
        let mut tokens = Ranks::default();
        for (token, rank) in ranks {
            tokens.push(token.as_ref(), rank);
        }
        self.empty = None;
        self.vocabulary = Source::Ranks(tokens);
        self
    }

    /// Accepts tokens without one for each of the 256 bytes, as tiktoken does. Without this call they are an error.
    ///
    /// A byte that no token covers is then an error of calls that can return one, such as [`encode`](Encoding::encode) and
    /// [`try_count`](Encoding::try_count). Other calls leave it out. [`can_fail`](Encoding::can_fail) is true if a byte
    /// lacks.
    ///
    /// ```
    /// use tiktally::{Encoding, Special};
    ///
    /// let words = [("a", 0), ("b", 1), ("ab", 2)];
    /// let toy = Encoding::builder("toy").pattern(r"\w+").ranks(words).allow_missing_bytes().build()?;
    /// assert_eq!(toy.encode("abb", Special::AS_TEXT)?, [2, 1]);
    /// assert!(toy.encode("abc", Special::AS_TEXT).unwrap_err().is_unknown_token_bytes());
    /// assert_eq!(toy.count("abc"), 1);
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[must_use]
    pub fn allow_missing_bytes(mut self) -> Self {
        self.may_lack_bytes = true;
        self
    }

    /// Accepts special tokens with the id of an ordinary token, as tiktoken does. Without this call they are an error.
    ///
    /// Such an id is decoded to the ordinary token, and [`is_special_token`](Encoding::is_special_token) is true for it.
    /// An encoding that is [extended](Encoding::extend) keeps this.
    ///
    /// ```
    /// use tiktally::{Encoding, Special};
    ///
    /// let bytes = (0..=255).map(|byte| ([byte], u32::from(byte)));
    /// let builder = Encoding::builder("b").pattern(r"\w+").ranks(bytes).special_token("<|end|>", 97);
    /// let encoding = builder.allow_shared_special_ids().build()?;
    /// assert_eq!(encoding.encode("b<|end|>", Special::ALLOW_ALL)?, [98, 97]);
    /// assert_eq!(encoding.decode(&[97])?, "a");
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[must_use]
    pub fn allow_shared_special_ids(mut self) -> Self {
        self.may_share_ids = true;
        self
    }

    /// Adds a special token. Two tokens may share an id, which is then decoded to the one that was added first.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::{Special, cl100k_base};
    ///
    /// let chat = cl100k_base().extend("chat").special_token("<|turn|>", 100_264).special_token("<|end|>", 100_264).build()?;
    /// assert_eq!(chat.encode("Hi<|end|>", Special::ALLOW_ALL)?, [13347, 100264]);
    /// assert_eq!(chat.decode(&[100264])?, "<|turn|>");
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[must_use]
    pub fn special_token(mut self, token: impl Into<String>, id: TokenId) -> Self {
        self.special.push((token.into(), id));
        self
    }

    /// Builds the encoding, after checking its parts.
    ///
    /// A vocabulary gets the fast tables of the built-in encodings if single bytes have its lowest ranks and it is not
    /// too large. It may have up to 262,142 ids, four ids for each token, and 255 bytes in a token. Other vocabularies
    /// give exact results too, but slower.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::{Encoding, cl100k_base};
    ///
    /// let chat = cl100k_base().extend("chat").special_token("<|turn|>", 100_264).build()?;
    /// assert_eq!((chat.name(), chat.n_vocab()), ("chat", 100_277));
    /// let no_bytes = Encoding::builder("b").pattern(r"\w+").ranks([(b"a", 0)]);
    /// assert!(no_bytes.build().unwrap_err().is_invalid_ranks());
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`is_invalid_ranks`](Error::is_invalid_ranks): a token or a rank occurs twice, a token is empty, or a byte has
    ///   no token and [may not lack](Self::allow_missing_bytes). Some texts could not be encoded then. Or
    ///   [`ranks`](Self::ranks) left no token for an id that a tokenizer file puts around a text.
    /// - [`is_invalid_pattern`](Error::is_invalid_pattern): no pattern was set, or it is invalid, or it needs
    ///   [`backtracking_pattern`](Self::backtracking_pattern).
    /// - [`is_invalid_special`](Error::is_invalid_special): a special token is empty, has two ids, or has the id of an
    ///   ordinary token and [may not](Self::allow_shared_special_ids).
    ///
    /// # Complexity
    /// O(n log n) in the bytes of the tokens, plus the time to compile the pattern; 100,000 tokens take tens of
    /// milliseconds. After [`extend`](Encoding::extend) only the special tokens are processed.
    pub fn build(self) -> Result<Encoding, Error> {
        let splitter = self.splitter()?;
        let vocab = match self.vocabulary {
            Source::Ranks(ranks) => {
                let vocab = ranks.vocabulary(self.may_lack_bytes)?;
                check_facts(&self.facts, &self.special, &vocab)?;
                Arc::new(vocab)
            }
            Source::Shared(vocab) => vocab,
        };
        check_special(&self.special, &vocab, self.may_share_ids)?;
        // no text contains the empty token, so as a special one it is only decoded
        let empty = self.empty.map(|id| (String::new(), id));
        let special = self.special.into_iter().chain(empty);
        Ok(Encoding::with_facts(
            &self.name, splitter, vocab, special, self.facts,
        ))
    }

    /// Returns the limit of the size of a file, in bytes.
    #[cfg(feature = "tokenizer-json")]
    pub(crate) fn max_file_bytes(&self) -> u64 {
        self.max_rank_bytes
    }

    /// Sets the parts of an encoding that a file describes. Its special tokens come after those that were added before.
    #[cfg(feature = "tokenizer-json")]
    pub(crate) fn with_parts(
        mut self,
        splitter: Splitter,
        vocabulary: Arc<Vocabulary>,
        special: Vec<(String, TokenId)>,
        facts: Facts,
    ) -> Self {
        self.gaps = splitter.gaps();
        self.pattern = Pattern::Shared(splitter);
        self.vocabulary = Source::Shared(vocabulary);
        self.empty = None;
        self.special.extend(special);
        self.facts = facts;
        self
    }

    /// Creates the splitter for the pattern that was set.
    fn splitter(&self) -> Result<Splitter, Error> {
        if let Pattern::Linear(pattern) | Pattern::Any(pattern) = &self.pattern
            && let Some(splitter) = custom::known(pattern)
        {
            return Ok(splitter);
        }
        let custom = match &self.pattern {
            Pattern::Shared(Splitter::Custom(shared)) if shared.gaps() != self.gaps => {
                shared.with_gaps(self.gaps)
            }
            #[cfg(feature = "tokenizer-json")]
            Pattern::Shared(splitter @ Splitter::DeepSeek) if self.gaps == Gaps::Drop => {
                return Err(custom::gaps_are_set(splitter.pattern()));
            }
            Pattern::Shared(splitter) => return Ok(splitter.clone()),
            Pattern::Missing => {
                return Err(ErrorKind::InvalidPattern {
                    pattern: String::new(),
                    problem: "no pattern was set; call `pattern`".into(),
                }
                .into());
            }
            Pattern::Linear(pattern) => Custom::linear(pattern, self.gaps),
            Pattern::Any(pattern) => Custom::any(pattern, self.gaps),
            Pattern::Backtracking(pattern) => Custom::backtracking(pattern, self.gaps),
        };
        Ok(Splitter::Custom(Arc::new(custom?)))
    }
}

/// Fails if a special token is empty, has two ids, or has the id of an ordinary token and may not.
fn check_special(
    special: &[(String, TokenId)],
    vocab: &Vocabulary,
    may_share_ids: bool,
) -> Result<(), Error> {
    let refuse = |token: &str, problem: String| {
        let token = token.to_owned();
        Err(ErrorKind::UnfitSpecial { token, problem }.into())
    };
    let mut ids: HashMap<&str, TokenId> = HashMap::new();
    for (token, id) in special {
        if token.is_empty() {
            return Err(ErrorKind::EmptySpecial.into());
        }
        if let Some(before) = ids.insert(token, *id).filter(|before| before != id) {
            return refuse(
                token,
                format!("it has two ids, {before} and {id}; use one of them"),
            );
        }
        if !may_share_ids && vocab.token(*id).is_some() {
            return refuse(
                token,
                format!(
                    "an ordinary token has the id {id}; use another id, or call `allow_shared_special_ids`"
                ),
            );
        }
    }
    Ok(())
}

/// Fails if no token has an id that a file puts around a text: these tokens may have replaced those of the file.
fn check_facts(
    facts: &Facts,
    special: &[(String, TokenId)],
    vocab: &Vocabulary,
) -> Result<(), Error> {
    let is_token = |id: &TokenId| {
        vocab.token(*id).is_some() || special.iter().any(|(_, special)| special == id)
    };
    let mut ids = facts.ids_before.iter().chain(&facts.ids_after);
    match ids.find(|id| !is_token(id)) {
        Some(id) => Err(ErrorKind::InvalidRanks {
            line: None,
            problem: format!(
                "no token has the id {id}, which the tokenizer file puts around each text"
            ),
        }
        .into()),
        None => Ok(()),
    }
}

/// Writes the ordinary tokens of an encoding as a rank file, sorted by rank.
///
/// [`ranks_from_tiktoken`](Builder::ranks_from_tiktoken) reads such a file. It does not contain special tokens.
///
/// ```
/// # #[cfg(feature = "r50k_base")] {
/// let mut file = Vec::new();
/// tiktally::write_tiktoken(tiktally::r50k_base(), &mut file)?;
/// assert!(file.starts_with(b"IQ== 0\nIg== 1\n"));
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
///
/// # Errors
/// [`is_io`](Error::is_io): writing failed.
///
/// # Complexity
/// O(n) in the bytes of the tokens. Each line is a separate write, so wrap a file in a
/// [`BufWriter`](std::io::BufWriter).
#[cfg_attr(docsrs, doc(cfg(feature = "custom")))]
pub fn write_tiktoken(encoding: &Encoding, writer: impl Write) -> Result<(), Error> {
    let written = rank_file::write(encoding.vocab(), writer);
    written.map_err(|error| ErrorKind::io("writing the ranks", error).into())
}
