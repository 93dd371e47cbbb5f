//! Texts and ids that arrive in parts.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};
use tiktally::TokenId;

use crate::encoding::detached;
use crate::errors::{caught, raise};
use crate::ids::list_of;
use crate::text::text_of;

/// Counts the tokens of a text that arrives in parts. The total is exact after each part.
#[pyclass(module = "tiktally")]
pub struct TokenCounter(tiktally::TokenCounter);

/// Encodes a text that arrives in parts. It returns ids as soon as no further text can change them.
#[pyclass(module = "tiktally")]
pub struct StreamEncoder(Option<tiktally::StreamEncoder>);

/// Decodes ids that arrive one by one. It returns text as soon as its characters are complete.
#[pyclass(module = "tiktally")]
pub struct StreamDecoder(Option<Decoder>);

enum Decoder {
    Strict(tiktally::StreamDecoder),
    Lossy(tiktally::LossyStreamDecoder),
}

/// Returns the error of a stream after its end.
fn ended(name: &str) -> PyErr {
    PyValueError::new_err(format!(
        "this {name} was finished, or an error ended it; create another one for another stream"
    ))
}

impl TokenCounter {
    /// Creates a counter of nothing yet.
    pub fn new(encoding: &tiktally::Encoding) -> Self {
        Self(encoding.token_counter())
    }
}

#[pymethods]
impl TokenCounter {
    /// Adds a part of the text.
    fn push(&mut self, py: Python<'_>, text: &Bound<'_, PyString>) -> PyResult<()> {
        let text = text_of(text)?;
        let counter = &mut self.0;
        detached(py, text.len(), || caught(|| counter.push(&text)))
    }

    /// The number of tokens of the text so far.
    #[getter]
    fn total(&self) -> PyResult<usize> {
        caught(|| self.0.total())
    }

    /// Begins anew with an empty text.
    fn clear(&mut self) {
        self.0.clear();
    }
}

impl StreamEncoder {
    /// Creates an encoder of nothing yet.
    pub fn new(encoding: &tiktally::Encoding) -> Self {
        Self(Some(encoding.stream_encoder()))
    }
}

#[pymethods]
impl StreamEncoder {
    /// Adds a part of the text. Returns the ids that no further text can change, after those that were returned before.
    fn push<'py>(
        &mut self,
        py: Python<'py>,
        text: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyList>> {
        let mut encoder = self.0.take().ok_or_else(|| ended("StreamEncoder"))?;
        let text = text_of(text)?;
        let mut ids = Vec::new();
        detached(py, text.len(), || caught(|| encoder.push(&text, &mut ids)))?;
        self.0 = Some(encoder);
        list_of(py, &ids)
    }

    /// Ends the text and returns its last ids.
    fn finish<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let encoder = self.0.take().ok_or_else(|| ended("StreamEncoder"))?;
        let mut ids = Vec::new();
        caught(|| encoder.finish(&mut ids))?;
        list_of(py, &ids)
    }
}

impl StreamDecoder {
    /// Creates a decoder of nothing yet.
    pub fn new(encoding: &tiktally::Encoding, errors: &str) -> PyResult<Self> {
        let decoder = match errors {
            "strict" => Decoder::Strict(encoding.stream_decoder()),
            "replace" => Decoder::Lossy(encoding.stream_decoder_lossy()),
            other => {
                return Err(PyValueError::new_err(format!(
                    "errors is {other:?}; a stream takes \"replace\" or \"strict\""
                )));
            }
        };
        Ok(Self(Some(decoder)))
    }
}

#[pymethods]
impl StreamDecoder {
    /// Adds an id. Returns the text that became complete, which can be empty.
    fn push(&mut self, token: TokenId) -> PyResult<String> {
        let text = match &mut self.0 {
            Some(Decoder::Strict(decoder)) => decoder.push(token),
            Some(Decoder::Lossy(decoder)) => decoder.push(token),
            None => return Err(ended("StreamDecoder")),
        };
        text.map(str::to_owned).map_err(raise)
    }

    /// Ends the stream and returns its last text: U+FFFD for an incomplete character, which raises ValueError with
    /// errors="strict".
    fn finish(&mut self) -> PyResult<String> {
        match self.0.take() {
            Some(Decoder::Strict(decoder)) => {
                decoder.finish().map(|()| String::new()).map_err(raise)
            }
            Some(Decoder::Lossy(decoder)) => Ok(decoder.finish().to_owned()),
            None => Err(ended("StreamDecoder")),
        }
    }
}
