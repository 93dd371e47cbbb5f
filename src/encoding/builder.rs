//! Encodings of one's own: from a rank file and a pattern, or from another encoding and more special tokens.

use std::collections::HashMap;
use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;

use hmac_sha256::Hash;

use super::Encoding;
use crate::error::{Error, ErrorKind};
use crate::split::Splitter;
use crate::split::custom::{self, Custom, Gaps};
use crate::token_id::TokenId;
use crate::vocab::Vocabulary;
use crate::vocab::rank_file::{self, Ranks};

/// What an encoding of one's own is made from: see [`Encoding::builder`] and [`Encoding::extend`].
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
pub struct Builder {
    name: String,
    pattern: Pattern,
    gaps: Gaps,
    vocabulary: Source,
    special: Vec<(String, TokenId)>,
    max_rank_bytes: u64,
}

#[derive(Clone)]
enum Pattern {
    Missing,
    Linear(String),
    Backtracking(String),
    /// Of an encoding that is there.
    Shared(Splitter),
}

#[derive(Clone)]
enum Source {
    Ranks(Ranks),
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
    /// Begins an encoding of one's own, which wants a pattern and ranks.
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
            max_rank_bytes: rank_file::MAX_FILE,
        }
    }

    /// Begins an encoding that is this one with more special tokens. It shares the vocabulary, and copies nothing of it.
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
    #[cfg_attr(docsrs, doc(cfg(feature = "custom")))]
    pub fn extend(&self, name: impl Into<String>) -> Builder {
        let special = self.special_tokens();
        let mut special: Vec<_> = special.map(|(text, id)| (text.to_owned(), id)).collect();
        // of two texts with one id, the one that it decodes to stays the first
        special.sort_by_key(|(text, id)| self.0.special.text(*id) != Some(text));
        Builder {
            pattern: Pattern::Shared(self.0.splitter.clone()),
            gaps: self.0.splitter.gaps(),
            vocabulary: Source::Shared(Arc::clone(&self.0.vocab)),
            special,
            ..Self::builder(name)
        }
    }

    /// [`encode_ordinary`](Self::encode_ordinary) for encodings whose [pattern backtracks](Builder::backtracking_pattern).
    /// With any other it never fails.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().try_encode_ordinary("hello")?, [15339]);
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_pattern_limit`](Error::is_pattern_limit): the pattern gave up on the text.
    ///
    /// # Complexity
    /// As [`encode_ordinary`](Self::encode_ordinary); a pattern that backtracks or drops gaps runs over the
    /// text twice.
    #[cfg_attr(docsrs, doc(cfg(feature = "custom")))]
    pub fn try_encode_ordinary(&self, text: &str) -> Result<Vec<TokenId>, Error> {
        self.check_pattern(text)?;
        Ok(self.encode_ordinary(text))
    }

    /// [`count`](Self::count) for encodings whose [pattern backtracks](Builder::backtracking_pattern). With any other it
    /// never fails.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().try_count("hello")?, 1);
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_pattern_limit`](Error::is_pattern_limit): the pattern gave up on the text.
    ///
    /// # Complexity
    /// As [`try_encode_ordinary`](Self::try_encode_ordinary).
    #[cfg_attr(docsrs, doc(cfg(feature = "custom")))]
    pub fn try_count(&self, text: &str) -> Result<usize, Error> {
        self.check_pattern(text)?;
        Ok(self.count(text))
    }
}

impl Builder {
    /// The pattern that cuts a text into pieces, such as tiktoken's `pat_str`.
    ///
    /// That of a built-in encoding, of Llama 3 or of Qwen, in any of their published forms, gets the splitter made for it.
    /// Any other runs on an automaton, in time linear in the text as long as what a piece is shows near it. `\s+(?!\S)` as an
    /// alternative of its own, and possessive quantifiers, are taken where they mean no more than the automaton can tell.
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

    /// A pattern with anything that a backtracking engine knows, and with its price: it can take long, and it can give up on
    /// a text. Then `encode` and the calls that begin with `try_` return an error, and those that cannot panic.
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

    /// What becomes of text that the pattern does not match: [`Gaps::Keep`] unless said otherwise, or what it is of the
    /// encoding that is [extended](Encoding::extend). The built-in patterns match all text.
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

    /// The most that a rank file may have, in bytes: 64 MiB unless said otherwise. For the calls behind this one.
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

    /// The tokens of a rank file as tiktoken has them: on each line a token in base64 and its rank. Blank lines are nothing,
    /// the last line needs no end, and ranks may come in any order, with gaps.
    ///
    /// ```
    /// let error = tiktally::Encoding::builder("b").ranks_from_tiktoken(&b"AA== 0\n!! 1\n"[..]).unwrap_err();
    /// assert!(error.is_invalid_ranks());
    /// assert_eq!(error.line(), Some(2));
    /// ```
    ///
    /// # Errors
    /// [`is_io`](Error::is_io): reading failed. [`is_invalid_ranks`](Error::is_invalid_ranks): a line is no token and rank,
    /// or the file is [too large](Self::max_rank_bytes). What the tokens are together, [`build`](Self::build) checks.
    ///
    /// # Complexity
    /// O(n) in the bytes of the file, of which the tokens are kept; what is read is held a line at a time.
    pub fn ranks_from_tiktoken(self, reader: impl Read) -> Result<Self, Error> {
        self.with_file(reader, |_| {})
    }

    /// The same, of a file that has this SHA-256, in hexadecimal digits.
    ///
    /// ```
    /// let hash = "0".repeat(64);
    /// let error = tiktally::Encoding::builder("b").ranks_from_tiktoken_checked(&b"AA== 0\n"[..], &hash).unwrap_err();
    /// assert!(error.is_hash_mismatch());
    /// ```
    ///
    /// # Errors
    /// As [`ranks_from_tiktoken`](Self::ranks_from_tiktoken), and [`is_hash_mismatch`](Error::is_hash_mismatch).
    ///
    /// # Complexity
    /// As [`ranks_from_tiktoken`](Self::ranks_from_tiktoken), and the hash of the file.
    pub fn ranks_from_tiktoken_checked(
        self,
        reader: impl Read,
        sha256: &str,
    ) -> Result<Self, Error> {
        let mut hash = Hash::new();
        let builder = self.with_file(reader, |line| hash.update(line))?;
        let found = hash.finalize().map(|byte| format!("{byte:02x}")).concat();
        if !found.eq_ignore_ascii_case(sha256.trim()) {
            let expected = sha256.to_owned();
            return Err(ErrorKind::HashMismatch { expected, found }.into());
        }
        Ok(builder)
    }

    fn with_file(mut self, reader: impl Read, seen: impl FnMut(&[u8])) -> Result<Self, Error> {
        let ranks = Ranks::read(reader, self.max_rank_bytes, seen)?;
        self.vocabulary = Source::Ranks(ranks);
        Ok(self)
    }

    /// The tokens, each with its rank, which is its id. They take the place of any others.
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
        self.vocabulary = Source::Ranks(tokens);
        self
    }

    /// Adds a special token. Two may share an id: then it is decoded to the one that was added first.
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

    /// The encoding, when everything fits together.
    ///
    /// A vocabulary in which the bytes have the lowest ranks gets the tables that the built-in ones have, if it has at most
    /// 262,142 ids, no more than four for each token, and no token of more than 255 bytes. Others are as exact, and slower.
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
    /// - [`is_invalid_ranks`](Error::is_invalid_ranks): there is a token or a rank twice, an empty token, or a byte that is no
    ///   token, without which not every text can be encoded.
    /// - [`is_invalid_pattern`](Error::is_invalid_pattern): there is none, or it is wrong, or it needs
    ///   [`backtracking_pattern`](Self::backtracking_pattern).
    /// - [`is_invalid_special`](Error::is_invalid_special): a special token is empty, or has two ids, or the id of an ordinary
    ///   one.
    ///
    /// # Complexity
    /// O(n log n) in the bytes of the tokens, and what making an automaton of the pattern takes; 100,000 tokens take some tens
    /// of milliseconds. After [`extend`](Encoding::extend) only the special tokens are looked at.
    pub fn build(self) -> Result<Encoding, Error> {
        let splitter = self.splitter()?;
        let vocab = match self.vocabulary {
            Source::Ranks(ranks) => Arc::new(ranks.vocabulary()?),
            Source::Shared(vocab) => vocab,
        };
        check_special(&self.special, &vocab)?;
        Ok(Encoding::new(&self.name, splitter, vocab, self.special))
    }

    fn splitter(&self) -> Result<Splitter, Error> {
        let own = match &self.pattern {
            Pattern::Shared(Splitter::Custom(own)) if own.gaps() != self.gaps => {
                own.with_gaps(self.gaps)
            }
            Pattern::Shared(splitter) => return Ok(splitter.clone()),
            Pattern::Missing => {
                return Err(ErrorKind::InvalidPattern {
                    pattern: String::new(),
                    problem: "there is none; `pattern` sets it".into(),
                }
                .into());
            }
            Pattern::Linear(pattern) => match custom::known(pattern) {
                Some(splitter) => return Ok(splitter),
                None => Custom::linear(pattern, self.gaps),
            },
            Pattern::Backtracking(pattern) => Custom::backtracking(pattern, self.gaps),
        };
        Ok(Splitter::Custom(Arc::new(own?)))
    }
}

/// No special token is empty, has two ids, or the id of an ordinary one.
fn check_special(special: &[(String, TokenId)], vocab: &Vocabulary) -> Result<(), Error> {
    let unfit = |token: &str, problem: String| {
        let token = token.to_owned();
        Err(ErrorKind::UnfitSpecial { token, problem }.into())
    };
    let mut ids: HashMap<&str, TokenId> = HashMap::new();
    for (token, id) in special {
        if token.is_empty() {
            return Err(ErrorKind::EmptySpecial.into());
        }
        if let Some(before) = ids.insert(token, *id).filter(|before| before != id) {
            return unfit(token, format!("it has two ids, {before} and {id}"));
        }
        if vocab.token(*id).is_some() {
            return unfit(token, format!("the id {id} is that of an ordinary token"));
        }
    }
    Ok(())
}

/// Writes the tokens of an encoding as a rank file, by rank: what
/// [`ranks_from_tiktoken`](Builder::ranks_from_tiktoken) reads. Special tokens have no place in it.
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
/// O(n) in the bytes of the tokens. Each line is written on its own: a file is best given in a
/// [`BufWriter`](std::io::BufWriter).
#[cfg_attr(docsrs, doc(cfg(feature = "custom")))]
pub fn write_tiktoken(encoding: &Encoding, writer: impl Write) -> Result<(), Error> {
    let written = rank_file::write(encoding.vocab(), writer);
    written.map_err(|error| ErrorKind::io("writing the ranks", error).into())
}
