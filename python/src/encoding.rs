//! The native class `Encoding`. Its subclass in Python adds the parts that are easier to write there.

use std::collections::HashMap;
use std::panic::{self, AssertUnwindSafe};

use pyo3::exceptions::{PyAssertionError, PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};
use tiktally::{Cut, Gaps, TokenId};

use crate::errors::raise;
use crate::special::{Allowed, Choice, Disallowed};
use crate::text::{text_of, texts_of};

/// Texts from this size on are encoded without the GIL. Below, taking it again would cost more than it gives others.
const DETACHED_BYTES: usize = 4096;

/// An encoding: turns text into ids and back.
#[pyclass(frozen, subclass, weakref, dict, module = "tiktally._tiktally")]
pub struct Encoding {
    encoding: tiktally::Encoding,
    is_built_in: bool,
}

/// Calls `work`, without the GIL if there are many bytes to work on.
fn detached<T: Send>(py: Python<'_>, bytes: usize, work: impl FnOnce() -> T + Send) -> T {
    if bytes < DETACHED_BYTES {
        return work();
    }
    py.detach(work)
}

#[pymethods]
impl Encoding {
    /// Creates the built-in encoding with this name, or a custom one.
    #[new]
    #[pyo3(signature = (name, *, pat_str=None, mergeable_ranks=None, special_tokens=None, explicit_n_vocab=None))]
    fn new(
        py: Python<'_>,
        name: &str,
        pat_str: Option<String>,
        mergeable_ranks: Option<HashMap<Vec<u8>, TokenId>>,
        special_tokens: Option<HashMap<String, TokenId>>,
        explicit_n_vocab: Option<usize>,
    ) -> PyResult<Self> {
        let is_custom = pat_str.is_some() || mergeable_ranks.is_some();
        if !is_custom && special_tokens.is_none() && explicit_n_vocab.is_none() {
            let encoding = tiktally::get_encoding(name).map_err(raise)?;
            let (encoding, is_built_in) = (encoding.clone(), true);
            return Ok(Self {
                encoding,
                is_built_in,
            });
        }
        let (Some(pattern), Some(ranks)) = (pat_str, mergeable_ranks) else {
            return Err(PyTypeError::new_err(
                "a custom encoding needs pat_str and mergeable_ranks; a built-in one takes only its name",
            ));
        };
        let special = special_tokens.unwrap_or_default();
        let tokens = ranks.len() + special.len();
        let encoding = py.detach(|| {
            let builder = tiktally::Encoding::builder(name)
                .any_pattern(pattern)
                .gaps(Gaps::Drop)
                .ranks(ranks);
            let add = |builder: tiktally::Builder, (text, id)| builder.special_token(text, id);
            special.into_iter().fold(builder, add).build()
        });
        let encoding = encoding.map_err(raise)?;
        let fits = |n: usize| tokens == n && encoding.n_vocab() == n;
        if let Some(n) = explicit_n_vocab.filter(|&n| n > 0 && !fits(n)) {
            return Err(PyAssertionError::new_err(format!(
                "explicit_n_vocab is {n}, but there are {tokens} tokens, and the largest id is {}",
                encoding.max_token_value()
            )));
        }
        let is_built_in = false;
        Ok(Self {
            encoding,
            is_built_in,
        })
    }

    /// The name.
    #[getter]
    fn name(&self) -> &str {
        self.encoding.name()
    }

    #[getter]
    fn _is_built_in(&self) -> bool {
        self.is_built_in
    }

    #[getter]
    fn _pat_str(&self) -> &str {
        self.encoding.pattern()
    }

    fn _special_items(&self) -> Vec<(String, TokenId)> {
        let items = self.encoding.special_tokens();
        items.map(|(text, id)| (text.to_owned(), id)).collect()
    }

    fn _ranked_tokens<'py>(&self, py: Python<'py>) -> Vec<(Bound<'py, PyBytes>, TokenId)> {
        let tokens = self.encoding.tokens();
        tokens
            .map(|(id, bytes)| (PyBytes::new(py, bytes), id))
            .collect()
    }

    /// The largest id plus one.
    #[getter]
    fn n_vocab(&self) -> usize {
        self.encoding.n_vocab()
    }

    /// The largest id.
    #[getter]
    fn max_token_value(&self) -> TokenId {
        self.encoding.max_token_value()
    }

    /// The id of `<|endoftext|>`.
    #[getter]
    fn eot_token(&self) -> PyResult<TokenId> {
        self.encoding
            .eot_token()
            .ok_or_else(|| PyKeyError::new_err("<|endoftext|>"))
    }

    /// Returns the ids of a text; special tokens in it are plain text.
    fn encode_ordinary(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
    ) -> PyResult<Vec<TokenId>> {
        let text = text_of(text)?;
        self.ids_of(py, &text)
    }

    /// Returns the ids of a text, as tiktoken does.
    #[pyo3(signature = (text, *, allowed_special=Allowed::NONE, disallowed_special=Disallowed::ALL))]
    fn encode(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        allowed_special: Allowed,
        disallowed_special: Disallowed,
    ) -> PyResult<Vec<TokenId>> {
        let choice = Choice::new(allowed_special, disallowed_special);
        let text = text_of(text)?;
        detached(py, text.len(), || {
            choice.with(|special| self.encoding.encode(&text, special))
        })
        .map_err(raise)
    }

    /// Returns the ids of a text as bytes: each is an unsigned integer of 32 bits, in the machine's order.
    #[pyo3(signature = (text, *, allowed_special=Allowed::NONE, disallowed_special=Disallowed::ALL))]
    fn _encode_to_bytes<'py>(
        &self,
        py: Python<'py>,
        text: &Bound<'_, PyString>,
        allowed_special: Allowed,
        disallowed_special: Disallowed,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let ids = self.encode(py, text, allowed_special, disallowed_special)?;
        PyBytes::new_with(py, 4 * ids.len(), |bytes| {
            for (place, id) in bytes.chunks_exact_mut(4).zip(ids) {
                place.copy_from_slice(&id.to_ne_bytes());
            }
            Ok(())
        })
    }

    /// Returns the ids of each text.
    #[pyo3(signature = (text, *, num_threads=0, allowed_special=Allowed::NONE, disallowed_special=Disallowed::ALL))]
    fn encode_batch<'py>(
        &self,
        py: Python<'py>,
        text: &Bound<'py, PyAny>,
        num_threads: usize,
        allowed_special: Allowed,
        disallowed_special: Disallowed,
    ) -> PyResult<Bound<'py, PyList>> {
        let choice = Choice::new(allowed_special, disallowed_special);
        let strings = texts_of(text)?;
        let texts = strings.iter().map(text_of).collect::<PyResult<Vec<_>>>()?;
        let flat = py.detach(|| {
            choice.with(|special| {
                self.encoding
                    .encode_batch_flat(&texts, special, num_threads)
            })
        });
        let (ids, offsets) = flat.map_err(raise)?;
        PyList::new(py, offsets.windows(2).map(|range| &ids[range[0]..range[1]]))
    }

    /// Returns the number of tokens of a text; special tokens in it are plain text.
    fn count(&self, py: Python<'_>, text: &Bound<'_, PyString>) -> PyResult<usize> {
        let text = text_of(text)?;
        detached(py, text.len(), || self.encoding.try_count(&text)).map_err(raise)
    }

    /// Returns the number of tokens of a text, or None as soon as there are more than `limit`.
    fn count_up_to(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        limit: usize,
    ) -> PyResult<Option<usize>> {
        let text = text_of(text)?;
        self.checked(py, &text, || self.encoding.count_up_to(&text, limit))
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
        py.detach(|| self.encoding.count_batch_with(&texts, special, num_threads))
            .map_err(raise)
    }

    /// Returns the longest beginning of a text that has at most `max_tokens` tokens.
    fn truncate(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        max_tokens: usize,
    ) -> PyResult<String> {
        let text = text_of(text)?;
        self.checked(py, &text, || {
            self.encoding.truncate(&text, max_tokens).to_owned()
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
        self.checked(py, &text, || {
            self.encoding.truncate_start(&text, max_tokens).to_owned()
        })
    }

    /// Returns the parts of a text, each with at most `max_tokens` tokens, of which `overlap` are those of the part before.
    #[pyo3(signature = (text, max_tokens, *, overlap=0, prefer=None))]
    fn chunks(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        max_tokens: usize,
        overlap: usize,
        prefer: Option<&str>,
    ) -> PyResult<Vec<String>> {
        let cut = match prefer {
            None => None,
            Some("word") => Some(Cut::Word),
            Some("line") => Some(Cut::Line),
            Some("sentence") => Some(Cut::Sentence),
            Some(other) => {
                return Err(PyValueError::new_err(format!(
                    "prefer is {other:?}; use \"word\", \"line\" or \"sentence\""
                )));
            }
        };
        let text = text_of(text)?;
        let chunks = self.checked(py, &text, || {
            let chunks = self
                .encoding
                .chunks_overlapping(&text, max_tokens, overlap)?;
            let chunks = match cut {
                None => chunks,
                Some(cut) => chunks.prefer(cut),
            };
            Ok(chunks.map(str::to_owned).collect())
        });
        chunks?.map_err(raise)
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
        let choice = Choice::new(allowed_special, disallowed_special);
        let text = text_of(text)?;
        py.detach(|| choice.with(|special| self.encoding.encode_with_unstable(&text, special)))
            .map_err(raise)
    }

    fn _encode_single_token(&self, token: &Bound<'_, PyBytes>) -> PyResult<TokenId> {
        let id = self.encoding.encode_single_token(token.as_bytes());
        id.map_err(|_| PyKeyError::new_err(token.clone().unbind()))
    }

    fn _encode_piece(&self, py: Python<'_>, piece: &[u8]) -> Vec<TokenId> {
        detached(py, piece.len(), || self.encoding.encode_piece(piece))
    }

    fn _encode_bytes(&self, py: Python<'_>, text: &[u8]) -> PyResult<Vec<TokenId>> {
        // only the valid beginning is split
        let beginning = text.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        self.checked(py, beginning, || self.encoding.encode_bytes(text))
    }

    /// Returns the pieces that the pattern splits a text into.
    fn pieces(&self, py: Python<'_>, text: &Bound<'_, PyString>) -> PyResult<Vec<String>> {
        let text = text_of(text)?;
        self.checked(py, &text, || {
            self.encoding.pieces(&text).map(str::to_owned).collect()
        })
    }

    /// Returns the bytes of a list of ids.
    fn decode_bytes<'py>(
        &self,
        py: Python<'py>,
        tokens: Vec<TokenId>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = detached(py, 4 * tokens.len(), || self.encoding.decode_bytes(&tokens));
        Ok(PyBytes::new(py, &bytes.map_err(raise)?))
    }

    /// Returns the bytes of one token.
    fn decode_single_token_bytes<'py>(
        &self,
        py: Python<'py>,
        token: TokenId,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.encoding.decode_single_token_bytes(token);
        let bytes = bytes.map_err(|_| PyKeyError::new_err(token.to_string()))?;
        Ok(PyBytes::new(py, bytes))
    }

    /// Returns the text of a list of ids, and where each token begins in it, in characters.
    fn decode_with_offsets(
        &self,
        py: Python<'_>,
        tokens: &Bound<'_, PyAny>,
    ) -> PyResult<(String, Vec<usize>)> {
        let ids = tokens.try_iter()?.map(|id| id?.extract());
        let tokens: Vec<TokenId> = ids.collect::<PyResult<_>>()?;
        match self.encoding.decode_with_offsets(&tokens) {
            Ok(decoded) => Ok(decoded),
            Err(error) => match error.token() {
                Some(id) => Err(PyKeyError::new_err(id.to_string())),
                // Python's own error says which byte is wrong
                None => {
                    self.decode_bytes(py, tokens)?
                        .call_method1("decode", ("utf-8",))?;
                    Err(raise(error))
                }
            },
        }
    }

    /// Returns the bytes of all ordinary tokens, sorted.
    fn token_byte_values<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        let values = self.encoding.token_byte_values();
        values
            .into_iter()
            .map(|bytes| PyBytes::new(py, bytes))
            .collect()
    }
}

impl Encoding {
    /// Returns the ids of a text.
    fn ids_of(&self, py: Python<'_>, text: &str) -> PyResult<Vec<TokenId>> {
        detached(py, text.len(), || self.encoding.try_encode_ordinary(text)).map_err(raise)
    }

    /// Calls `work`, which splits a text. Fails if the pattern gives up.
    fn checked<T: Send>(
        &self,
        py: Python<'_>,
        text: &str,
        work: impl FnOnce() -> T + Send,
    ) -> PyResult<T> {
        detached(py, text.len(), || {
            if !self.encoding.can_fail() {
                return Ok(work());
            }
            self.encoding.try_count(text).map_err(raise)?;
            // a part of the text can be harder to split than the whole, and the crate panics then
            panic::catch_unwind(AssertUnwindSafe(work)).map_err(|reason| {
                match reason.downcast::<String>() {
                    Ok(reason) if reason.contains("gave up") => PyValueError::new_err(*reason),
                    Ok(reason) => panic::resume_unwind(reason),
                    Err(reason) => panic::resume_unwind(reason),
                }
            })
        })
    }
}
