//! The native class `Encoding`. Its subclass in Python adds the parts that are easier to write there.

use std::collections::HashMap;
use std::sync::OnceLock;

use pyo3::exceptions::{PyAttributeError, PyKeyError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use tiktally::{Cut, Gaps, Special, TokenId};

use crate::errors::{caught, raise, raise_in, unknown_token};
use crate::ids::{bytes_of, list_of, tokens_of};
use crate::special::{Allowed, Choice, Disallowed, Kept};
use crate::streams::{StreamDecoder, StreamEncoder, TokenCounter};
use crate::text::{text_of, texts_of};

/// Texts from this size on are encoded without the GIL. Below, taking it again would cost more than it gives others.
const DETACHED_BYTES: usize = 4096;

/// An encoding: turns text into ids and back. `__new__` makes an empty one, and a call of `_set_…` fills it, once: so
/// subclasses and pickles work as they do in Python.
#[pyclass(frozen, subclass, weakref, dict, module = "tiktally._tiktally")]
pub struct Encoding {
    core: OnceLock<Core>,
}

struct Core {
    encoding: tiktally::Encoding,
    is_built_in: bool,
    kept: Kept,
}

/// Calls `work`, without the GIL if there are many bytes to work on.
pub fn detached<T: Send>(py: Python<'_>, bytes: usize, work: impl FnOnce() -> T + Send) -> T {
    if bytes < DETACHED_BYTES {
        return work();
    }
    py.detach(work)
}

#[pymethods]
impl Encoding {
    /// Creates an encoding without a vocabulary, whatever the arguments are: those of a subclass can be others.
    #[new]
    #[pyo3(signature = (*_arguments, **_named))]
    fn new(_arguments: &Bound<'_, PyTuple>, _named: Option<&Bound<'_, PyDict>>) -> Self {
        Self {
            core: OnceLock::new(),
        }
    }

    /// Makes this the built-in encoding with this name.
    fn _set_built_in(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        let encoding = py.detach(|| tiktally::get_encoding(name)).map_err(raise)?;
        self.set(encoding.clone(), true)
    }

    /// Makes this the same encoding as another one.
    fn _set_same(&self, other: &Self) -> PyResult<()> {
        let core = other.core()?;
        self.set(core.encoding.clone(), core.is_built_in)
    }

    /// Makes this a custom encoding, which is as lenient as those of tiktoken.
    fn _set_custom(
        &self,
        py: Python<'_>,
        name: &str,
        pattern: String,
        ranks: HashMap<Vec<u8>, TokenId>,
        special_tokens: HashMap<String, TokenId>,
    ) -> PyResult<()> {
        let encoding = py.detach(|| {
            let builder = tiktally::Encoding::builder(name)
                .any_pattern(pattern)
                .gaps(Gaps::Drop)
                .allow_missing_bytes()
                .allow_shared_special_ids()
                .ranks(ranks);
            with_special(builder, special_tokens).build()
        });
        self.set(encoding.map_err(raise)?, false)
    }

    /// Makes this an encoding with the vocabulary of another one and more special tokens.
    fn _set_extension(
        &self,
        py: Python<'_>,
        base: &Self,
        name: &str,
        special_tokens: HashMap<String, TokenId>,
    ) -> PyResult<()> {
        let builder = base.encoding()?.extend(name);
        let encoding = py.detach(|| with_special(builder, special_tokens).build());
        self.set(encoding.map_err(raise)?, false)
    }

    /// Makes this the encoding of a file. `kind` is its format: `tiktoken`, `tokenizer.json` or `tekken.json`.
    #[pyo3(signature = (kind, name, file, special_tokens, *, pattern=None, sha256=None, config=None))]
    #[allow(clippy::too_many_arguments)] // the formats have different ones
    fn _set_file(
        &self,
        py: Python<'_>,
        kind: &str,
        name: &str,
        file: &[u8],
        special_tokens: HashMap<String, TokenId>,
        pattern: Option<String>,
        sha256: Option<&str>,
        config: Option<&[u8]>,
    ) -> PyResult<()> {
        let encoding = py.detach(|| {
            let builder = tiktally::Encoding::builder(name);
            let builder = match (kind, sha256) {
                ("tokenizer.json", _) => builder.tokenizer_json(file)?,
                ("tekken.json", _) => builder.tekken_json(file)?,
                (_, Some(sha256)) => builder.ranks_from_tiktoken_checked(file, sha256)?,
                (_, None) => builder.ranks_from_tiktoken(file)?,
            };
            let builder = match pattern {
                Some(pattern) => builder.any_pattern(pattern),
                None => builder,
            };
            let builder = match config {
                Some(config) => builder.special_tokens_from_config(config)?,
                None => builder,
            };
            with_special(builder, special_tokens).build()
        });
        self.set(encoding.map_err(raise)?, false)
    }

    /// The name.
    #[getter]
    fn name(&self) -> PyResult<&str> {
        Ok(self.encoding()?.name())
    }

    #[getter]
    fn _is_built_in(&self) -> bool {
        self.core.get().is_some_and(|core| core.is_built_in)
    }

    #[getter]
    fn _pat_str(&self) -> PyResult<&str> {
        Ok(self.encoding()?.pattern())
    }

    fn _special_items(&self) -> PyResult<Vec<(String, TokenId)>> {
        let items = self.encoding()?.special_tokens();
        Ok(items.map(|(text, id)| (text.to_owned(), id)).collect())
    }

    fn _ranked_tokens<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<Vec<(Bound<'py, PyBytes>, TokenId)>> {
        let tokens = self.encoding()?.tokens();
        Ok(tokens
            .map(|(id, bytes)| (PyBytes::new(py, bytes), id))
            .collect())
    }

    /// Returns whether the file of this encoding brings text into the normal form NFC first. No call does so.
    #[getter]
    fn needs_nfc(&self) -> PyResult<bool> {
        Ok(self.encoding()?.needs_nfc())
    }

    /// The ids that the file of this encoding puts before each text. No call adds them.
    #[getter]
    fn ids_before_text(&self) -> PyResult<Vec<TokenId>> {
        Ok(self.encoding()?.ids_before_text().to_vec())
    }

    /// The ids that the file of this encoding puts after each text. No call adds them.
    #[getter]
    fn ids_after_text(&self) -> PyResult<Vec<TokenId>> {
        Ok(self.encoding()?.ids_after_text().to_vec())
    }

    /// The largest id plus one.
    #[getter]
    fn n_vocab(&self) -> PyResult<usize> {
        Ok(self.encoding()?.n_vocab())
    }

    /// The largest id.
    #[getter]
    fn max_token_value(&self) -> PyResult<TokenId> {
        Ok(self.encoding()?.max_token_value())
    }

    /// The id of `<|endoftext|>`.
    #[getter]
    fn eot_token(&self) -> PyResult<TokenId> {
        self.encoding()?
            .eot_token()
            .ok_or_else(|| PyKeyError::new_err("<|endoftext|>"))
    }

    /// Returns the ids of a text; special tokens in it are plain text.
    fn encode_ordinary<'py>(
        &self,
        py: Python<'py>,
        text: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyList>> {
        let encoding = self.encoding()?;
        let text = text_of(text)?;
        let ids = detached(py, text.len(), || encoding.try_encode_ordinary(&text));
        list_of(py, &ids.map_err(raise)?)
    }

    /// Returns the ids of a text. `allowed_special` are the special tokens that become ids, `disallowed_special` those
    /// that raise DisallowedSpecialToken; others are plain text.
    #[pyo3(signature = (text, *, allowed_special=Allowed::NONE, disallowed_special=Disallowed::ALL))]
    fn encode<'py>(
        &self,
        py: Python<'py>,
        text: &Bound<'py, PyString>,
        allowed_special: Allowed,
        disallowed_special: Disallowed,
    ) -> PyResult<Bound<'py, PyList>> {
        let ids = self.ids_of(py, text, allowed_special, disallowed_special)?;
        list_of(py, &ids)
    }

    /// Returns the ids of a text as bytes: each is an unsigned integer of 32 bits, in the machine's order.
    #[pyo3(signature = (text, *, allowed_special=Allowed::NONE, disallowed_special=Disallowed::ALL))]
    fn _encode_to_bytes<'py>(
        &self,
        py: Python<'py>,
        text: &Bound<'py, PyString>,
        allowed_special: Allowed,
        disallowed_special: Disallowed,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let ids = self.ids_of(py, text, allowed_special, disallowed_special)?;
        bytes_of(py, [ids.as_slice()], TokenId::to_ne_bytes)
    }

    /// Returns the ids of each text. Zero threads are as many as the machine runs at once.
    #[pyo3(signature = (text, *, num_threads=0, allowed_special=Allowed::NONE, disallowed_special=Disallowed::ALL))]
    fn encode_batch<'py>(
        &self,
        py: Python<'py>,
        text: &Bound<'py, PyAny>,
        num_threads: usize,
        allowed_special: Allowed,
        disallowed_special: Disallowed,
    ) -> PyResult<Bound<'py, PyList>> {
        let choice = self.choice(py, allowed_special, disallowed_special)?;
        let lists = PyList::empty(py);
        for (ids, ends) in self.blocks_of(py, text, num_threads, choice)? {
            let mut begin = 0;
            for end in ends {
                lists.append(list_of(py, &ids[begin..end])?)?;
                begin = end;
            }
        }
        Ok(lists)
    }

    /// Returns the ids of all texts and the offsets of the texts in them, as bytes: integers of 32 and 64 bits.
    #[pyo3(signature = (texts, *, num_threads=0, allowed_special=Allowed::NONE, disallowed_special=Disallowed::ALL))]
    fn _encode_batch_to_bytes<'py>(
        &self,
        py: Python<'py>,
        texts: &Bound<'py, PyAny>,
        num_threads: usize,
        allowed_special: Allowed,
        disallowed_special: Disallowed,
    ) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let choice = self.choice(py, allowed_special, disallowed_special)?;
        let blocks = self.blocks_of(py, texts, num_threads, choice)?;
        let ids = blocks.iter().map(|(ids, _)| ids.as_slice());
        let mut offsets = vec![0];
        let mut begin = 0;
        for (ids, ends) in &blocks {
            offsets.extend(ends.iter().map(|end| (begin + end) as u64));
            begin += ids.len();
        }
        Ok((
            bytes_of(py, ids, TokenId::to_ne_bytes)?,
            bytes_of(py, [offsets.as_slice()], u64::to_ne_bytes)?,
        ))
    }

    /// Returns the number of tokens of a text; special tokens in it are plain text.
    fn count(&self, py: Python<'_>, text: &Bound<'_, PyString>) -> PyResult<usize> {
        let encoding = self.encoding()?;
        let text = text_of(text)?;
        detached(py, text.len(), || encoding.try_count(&text)).map_err(raise)
    }

    /// Returns the number of tokens of a text, or None as soon as there are more than `limit`.
    fn count_up_to(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        limit: usize,
    ) -> PyResult<Option<usize>> {
        let text = text_of(text)?;
        self.checked(py, &text, |encoding| encoding.count_up_to(&text, limit))
    }

    /// Returns the number of tokens of each text.
    #[pyo3(signature = (texts, *, num_threads=0))]
    fn count_batch(
        &self,
        py: Python<'_>,
        texts: &Bound<'_, PyAny>,
        num_threads: usize,
    ) -> PyResult<Vec<usize>> {
        let strings = texts_of(texts)?;
        let texts = strings.iter().map(text_of).collect::<PyResult<Vec<_>>>()?;
        let special = tiktally::Special::AS_TEXT;
        let encoding = self.encoding()?;
        py.detach(|| encoding.count_batch_with(&texts, special, num_threads))
            .map_err(raise)
    }

    /// Returns the beginning of a text that has at most `max_tokens` tokens.
    fn truncate(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        max_tokens: usize,
    ) -> PyResult<String> {
        let text = text_of(text)?;
        self.checked(py, &text, |encoding| {
            encoding.truncate(&text, max_tokens).to_owned()
        })
    }

    /// Returns the longest end of a text that has at most `max_tokens` tokens.
    fn truncate_start(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        max_tokens: usize,
    ) -> PyResult<String> {
        let text = text_of(text)?;
        self.checked(py, &text, |encoding| {
            encoding.truncate_start(&text, max_tokens).to_owned()
        })
    }

    /// Returns the parts of a text, each with at most `max_tokens` tokens, of which up to `overlap` are those of the
    /// part before.
    /// With `prefer`, they end where possible after a "word", a "line" or a "sentence".
    #[pyo3(signature = (text, max_tokens, *, overlap=0, prefer=None))]
    fn chunks(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        max_tokens: usize,
        overlap: usize,
        prefer: Option<&str>,
    ) -> PyResult<Vec<String>> {
        let cut = cut_of(prefer)?;
        let text = text_of(text)?;
        let chunks = self.checked(py, &text, |encoding| {
            let chunks = chunks_of(encoding, &text, max_tokens, overlap, cut)?;
            Ok(chunks.map(str::to_owned).collect())
        });
        chunks?.map_err(raise)
    }

    /// Returns where each chunk begins and ends in the text, in characters, and the number of its tokens.
    #[pyo3(signature = (text, max_tokens, *, overlap=0, prefer=None))]
    fn chunk_spans(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        max_tokens: usize,
        overlap: usize,
        prefer: Option<&str>,
    ) -> PyResult<Vec<(usize, usize, usize)>> {
        let cut = cut_of(prefer)?;
        let text = text_of(text)?;
        let spans = self.checked(py, &text, |encoding| {
            let chunks = chunks_of(encoding, &text, max_tokens, overlap, cut)?;
            let (mut start, mut start_chars) = (0, 0);
            let in_chars = |span: tiktally::ChunkSpan| {
                start_chars += char_count(&text[start..span.range.start]);
                start = span.range.start;
                let end_chars = start_chars + char_count(&text[span.range]);
                (start_chars, end_chars, span.tokens)
            };
            Ok(chunks.spans().map(in_chars).collect())
        });
        spans?.map_err(raise)
    }

    /// Returns where each token begins and ends in the decoded text, in characters. Tokens that share a character overlap.
    fn token_spans(&self, tokens: &Bound<'_, PyAny>) -> PyResult<Vec<(usize, usize)>> {
        let encoding = self.encoding()?;
        let tokens = tokens_of(tokens)?;
        let mut begun: usize = 0;
        let spans = encoding.decode_tokens_bytes(&tokens).map_err(raise)?;
        let span = |bytes: &[u8]| {
            let is_inside = |byte: &u8| byte & 0xC0 == 0x80;
            let start = begun - usize::from(begun > 0 && bytes.first().is_some_and(is_inside));
            begun += bytes.iter().filter(|byte| !is_inside(byte)).count();
            (start, begun.max(start))
        };
        Ok(spans.into_iter().map(span).collect())
    }

    /// Returns a counter for a text that arrives in parts.
    fn counter(&self) -> PyResult<TokenCounter> {
        Ok(TokenCounter::new(self.encoding()?))
    }

    /// Returns an encoder for a text that arrives in parts. Special tokens in it are plain text.
    fn stream_encoder(&self) -> PyResult<StreamEncoder> {
        Ok(StreamEncoder::new(self.encoding()?))
    }

    /// Returns a decoder for ids that arrive one by one. Invalid UTF-8 becomes U+FFFD with errors="replace", and raises
    /// ValueError with errors="strict".
    #[pyo3(signature = (errors="replace"))]
    fn stream_decoder(&self, errors: &str) -> PyResult<StreamDecoder> {
        StreamDecoder::new(self.encoding()?, errors)
    }

    /// Returns the stable ids of a text, and all ways to go on, as tiktoken does.
    #[pyo3(signature = (text, *, allowed_special=Allowed::NONE, disallowed_special=Disallowed::ALL))]
    fn encode_with_unstable(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        allowed_special: Allowed,
        disallowed_special: Disallowed,
    ) -> PyResult<(Vec<TokenId>, Vec<Vec<TokenId>>)> {
        let choice = self.choice(py, allowed_special, disallowed_special)?;
        let text = text_of(text)?;
        let encoding = self.encoding()?;
        py.detach(|| choice.with(|special| encoding.encode_with_unstable(&text, special)))
            .map_err(|error| raise_in(&text, error))
    }

    fn _encode_single_token(&self, token: &Bound<'_, PyBytes>) -> PyResult<TokenId> {
        let id = self.encoding()?.encode_single_token(token.as_bytes());
        id.map_err(|_| PyKeyError::new_err(token.clone().unbind()))
    }

    fn _encode_piece(&self, py: Python<'_>, piece: &[u8]) -> PyResult<Vec<TokenId>> {
        let encoding = self.encoding()?;
        Ok(detached(py, piece.len(), || encoding.encode_piece(piece)))
    }

    fn _encode_bytes(&self, py: Python<'_>, text: &[u8]) -> PyResult<Vec<TokenId>> {
        // only the valid beginning is split
        let beginning = text.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        self.checked(py, beginning, |encoding| encoding.encode_bytes(text))
    }

    /// Returns the pieces that the pattern splits a text into.
    fn pieces(&self, py: Python<'_>, text: &Bound<'_, PyString>) -> PyResult<Vec<String>> {
        let text = text_of(text)?;
        self.checked(py, &text, |encoding| {
            encoding.pieces(&text).map(str::to_owned).collect()
        })
    }

    /// Returns the bytes of a list of ids.
    fn decode_bytes<'py>(
        &self,
        py: Python<'py>,
        tokens: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let encoding = self.encoding()?;
        let tokens = tokens_of(tokens)?;
        let bytes = detached(py, 4 * tokens.len(), || encoding.decode_bytes(&tokens));
        Ok(PyBytes::new(py, &bytes.map_err(raise)?))
    }

    /// Returns the bytes of one token.
    fn decode_single_token_bytes<'py>(
        &self,
        py: Python<'py>,
        token: TokenId,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.encoding()?.decode_single_token_bytes(token);
        let bytes = bytes.map_err(|_| unknown_token(token, None, token.to_string()))?;
        Ok(PyBytes::new(py, bytes))
    }

    /// Returns the text of a list of ids, and where each token begins in it, in characters.
    fn decode_with_offsets(
        &self,
        py: Python<'_>,
        tokens: &Bound<'_, PyAny>,
    ) -> PyResult<(String, Vec<usize>)> {
        let encoding = self.encoding()?;
        let ids = tokens.try_iter()?.map(|id| id?.extract());
        let tokens: Vec<TokenId> = ids.collect::<PyResult<_>>()?;
        match encoding.decode_with_offsets(&tokens) {
            Ok(decoded) => Ok(decoded),
            Err(error) => match error.token() {
                Some(id) => Err(unknown_token(id, error.index(), id.to_string())),
                // Python's own error says which byte is wrong
                None => {
                    let bytes = encoding.decode_bytes(&tokens).map_err(raise)?;
                    PyBytes::new(py, &bytes).call_method1("decode", ("utf-8",))?;
                    Err(raise(error))
                }
            },
        }
    }

    /// Returns the bytes of all ordinary tokens, sorted.
    fn token_byte_values<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let values = self.encoding()?.token_byte_values();
        Ok(values
            .into_iter()
            .map(|bytes| PyBytes::new(py, bytes))
            .collect())
    }
}

impl Encoding {
    /// Returns the vocabulary and all that belongs to it.
    fn core(&self) -> PyResult<&Core> {
        self.core.get().ok_or_else(|| {
            PyAttributeError::new_err(
                "this Encoding has no vocabulary yet; call super().__init__(name, pat_str=…, mergeable_ranks=…, \
                 special_tokens=…) before its methods",
            )
        })
    }

    /// Returns the crate's encoding.
    pub fn encoding(&self) -> PyResult<&tiktally::Encoding> {
        Ok(&self.core()?.encoding)
    }

    /// Returns tiktoken's two arguments as one.
    fn choice(&self, py: Python<'_>, allowed: Allowed, disallowed: Disallowed) -> PyResult<Choice> {
        let core = self.core()?;
        Choice::new(py, &core.encoding, &core.kept, allowed, disallowed)
    }

    /// Sets the crate's encoding.
    fn set(&self, encoding: tiktally::Encoding, is_built_in: bool) -> PyResult<()> {
        let core = Core {
            encoding,
            is_built_in,
            kept: Kept::default(),
        };
        self.core.set(core).map_err(|_| {
            PyRuntimeError::new_err(
                "this Encoding has a vocabulary already; create another object for another one",
            )
        })
    }

    /// Returns the ids of a text.
    fn ids_of(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        allowed: Allowed,
        disallowed: Disallowed,
    ) -> PyResult<Vec<TokenId>> {
        let choice = self.choice(py, allowed, disallowed)?;
        let encoding = self.encoding()?;
        let text = text_of(text)?;
        let encode = || choice.with(|special| encoding.encode(&text, special));
        detached(py, text.len(), encode).map_err(|error| raise_in(&text, error))
    }

    /// Returns the ids of all texts, in blocks of some texts, and where those of each text end in its block.
    fn blocks_of(
        &self,
        py: Python<'_>,
        texts: &Bound<'_, PyAny>,
        num_threads: usize,
        choice: Choice,
    ) -> PyResult<Vec<(Vec<TokenId>, Vec<usize>)>> {
        let encoding = self.encoding()?;
        let strings = texts_of(texts)?;
        let texts = strings.iter().map(text_of).collect::<PyResult<Vec<_>>>()?;
        let encode =
            |special: Special<'_>| encoding.encode_batch_blocks(&texts, special, num_threads);
        let blocks = py.detach(|| choice.with(encode));
        blocks.map_err(|error| {
            let text = error.batch_index().and_then(|index| texts.get(index));
            raise_in(text.map_or("", |text| text), error)
        })
    }

    /// Calls `work`, which splits a text. Fails if the pattern gives up.
    fn checked<T: Send>(
        &self,
        py: Python<'_>,
        text: &str,
        work: impl FnOnce(&tiktally::Encoding) -> T + Send,
    ) -> PyResult<T> {
        let encoding = self.encoding()?;
        detached(py, text.len(), || {
            if !encoding.can_fail() {
                return Ok(work(encoding));
            }
            encoding.try_count(text).map_err(raise)?;
            // a part of the text can be harder to split than the whole, and the crate panics then
            caught(|| work(encoding))
        })
    }
}

/// Adds special tokens to a builder.
fn with_special(
    builder: tiktally::Builder,
    special_tokens: HashMap<String, TokenId>,
) -> tiktally::Builder {
    let add = |builder: tiktally::Builder, (text, id)| builder.special_token(text, id);
    special_tokens.into_iter().fold(builder, add)
}

/// Returns the places after which chunks end where possible.
fn cut_of(prefer: Option<&str>) -> PyResult<Option<Cut>> {
    match prefer {
        None => Ok(None),
        Some("word") => Ok(Some(Cut::Word)),
        Some("line") => Ok(Some(Cut::Line)),
        Some("sentence") => Ok(Some(Cut::Sentence)),
        Some(other) => Err(PyValueError::new_err(format!(
            "prefer is {other:?}; use \"word\", \"line\" or \"sentence\""
        ))),
    }
}

/// Returns the chunks of a text.
fn chunks_of<'t>(
    encoding: &tiktally::Encoding,
    text: &'t str,
    max_tokens: usize,
    overlap: usize,
    cut: Option<Cut>,
) -> Result<tiktally::Chunks<'t>, tiktally::Error> {
    let chunks = encoding.chunks_overlapping(text, max_tokens, overlap)?;
    Ok(match cut {
        None => chunks,
        Some(cut) => chunks.prefer(cut),
    })
}

/// Returns the number of characters of a text.
fn char_count(text: &str) -> usize {
    text.chars().count()
}
