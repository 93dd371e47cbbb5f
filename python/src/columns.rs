//! The functions of `tiktally.arrow`: kernels over Arrow's arrays, and arrays from and for other packages.

use arrow_array::cast::AsArray;
use arrow_array::{Array as _, ArrayRef, Datum, Int64Array, new_empty_array};
use arrow_schema::FieldRef;
use arrow_select::take::take;
use datafusion_functions_tiktally::kernels::{self, EncodingArg};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};
use pyo3_arrow::ffi::{ArrayIterator, to_schema_pycapsule, to_stream_pycapsule};
use pyo3_arrow::{PyArray, PyArrayReader};

use crate::arrow::{capsules, field_of};
use crate::encoding::Encoding;
use crate::errors::{invalid_array, raise, raise_in_rows};

/// An array of Arrow.
#[pyclass(frozen, module = "tiktally._tiktally")]
pub struct Array {
    array: ArrayRef,
}

#[pymethods]
impl Array {
    fn __len__(&self) -> usize {
        self.array.len()
    }

    fn __repr__(&self) -> String {
        format!("<Array of {} {}>", self.array.len(), self.array.data_type())
    }

    /// Returns the schema and the array for Arrow, as capsules, which share the memory. `requested_schema` is ignored, as
    /// the interface permits: casts between all types of Arrow would add 1 MB to the wheel.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        #[allow(unused_variables)] requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        capsules(py, &self.array)
    }

    /// Returns the schema for Arrow, as a capsule.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(to_schema_pycapsule(py, &*field_of(&self.array))?)
    }
}

/// An array of Arrow in chunks.
#[pyclass(frozen, module = "tiktally._tiktally")]
pub struct ChunkedArray {
    field: FieldRef,
    chunks: Vec<ArrayRef>,
}

#[pymethods]
impl ChunkedArray {
    fn __len__(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.len()).sum()
    }

    fn __repr__(&self) -> String {
        let kind = self.field.data_type();
        format!(
            "<ChunkedArray of {} {kind} in {} chunks>",
            self.__len__(),
            self.chunks.len()
        )
    }

    /// Returns the chunks for Arrow, as the capsule of a stream, which shares the memory. `requested_schema` is ignored.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        #[allow(unused_variables)] requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let chunks = self.chunks.clone().into_iter().map(Ok);
        let stream = ArrayIterator::new(chunks, self.field.clone());
        Ok(to_stream_pycapsule(py, Box::new(stream), None)?)
    }

    /// Returns the schema for Arrow, as a capsule.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(to_schema_pycapsule(py, &*self.field)?)
    }
}

/// Returns the number of tokens of each text.
#[pyfunction]
pub fn count_column<'py>(
    texts: &Bound<'py, PyAny>,
    encoding: &Encoding,
) -> PyResult<Bound<'py, PyAny>> {
    mapped(texts, encoding, kernels::count_tokens)
}

/// Returns the ids of each text.
#[pyfunction]
pub fn encode_column<'py>(
    texts: &Bound<'py, PyAny>,
    encoding: &Encoding,
) -> PyResult<Bound<'py, PyAny>> {
    mapped(texts, encoding, kernels::encode_tokens)
}

/// Returns the text of each list of ids.
#[pyfunction]
pub fn decode_column<'py>(
    ids: &Bound<'py, PyAny>,
    encoding: &Encoding,
) -> PyResult<Bound<'py, PyAny>> {
    mapped(ids, encoding, kernels::decode_tokens)
}

/// Returns the beginning of each text that has at most `max_tokens` tokens.
#[pyfunction]
pub fn truncate_column<'py>(
    texts: &Bound<'py, PyAny>,
    max_tokens: usize,
    encoding: &Encoding,
) -> PyResult<Bound<'py, PyAny>> {
    let limit = scalar(max_tokens);
    mapped(texts, encoding, move |texts, encoding| {
        kernels::truncate_tokens(texts, &limit, encoding)
    })
}

/// Returns the parts of each text, each with at most `max_tokens` tokens, of which up to `overlap` are those of the
/// part before.
#[pyfunction]
pub fn chunk_column<'py>(
    texts: &Bound<'py, PyAny>,
    max_tokens: usize,
    overlap: usize,
    encoding: &Encoding,
) -> PyResult<Bound<'py, PyAny>> {
    // a limit that is too small is no fault of a row
    let chunks = encoding
        .encoding()?
        .chunks_overlapping("", max_tokens, overlap);
    chunks.map_err(raise)?;
    let (limit, overlap) = (scalar(max_tokens), scalar(overlap));
    mapped(texts, encoding, move |texts, encoding| {
        kernels::chunk_tokens(texts, &limit, &overlap, encoding)
    })
}

/// Returns a number for all rows. No text has as many tokens as the largest one.
fn scalar(number: usize) -> arrow_array::Scalar<Int64Array> {
    Int64Array::new_scalar(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Calls `work` for an array or for each chunk of a stream, without the GIL, and returns the result as the same kind.
fn mapped<'py>(
    column: &Bound<'py, PyAny>,
    encoding: &Encoding,
    work: impl Fn(&dyn Datum, &EncodingArg<'_>) -> Result<ArrayRef, kernels::Error> + Send + Sync,
) -> PyResult<Bound<'py, PyAny>> {
    let py = column.py();
    let encoding = encoding.encoding()?;
    let chunk = |array: ArrayRef, first_row: usize| -> PyResult<ArrayRef> {
        let array = checked(array, first_row)?;
        let result = EncodingArg::one(encoding).and_then(|encoding| work(&array, &encoding));
        result.map_err(|error| raise_in_rows(first_row, error))
    };
    if column.hasattr(intern!(py, "__arrow_c_array__"))? {
        let (array, _) = column.extract::<PyArray>()?.into_inner();
        let array = py.detach(|| chunk(array, 0))?;
        return Ok(Bound::new(py, Array { array })?.into_any());
    }
    if !column.hasattr(intern!(py, "__arrow_c_stream__"))? {
        let kind = column.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "expected an array of Arrow, such as pyarrow.Array or polars.Series, not {kind}"
        )));
    }
    let stream = column.extract::<PyArrayReader>()?.into_reader()?;
    let chunked = py.detach(|| -> PyResult<_> {
        // shows the type of the result, also without any chunk, and refuses a wrong type before all work
        let none = chunk(new_empty_array(stream.field().data_type()), 0)?;
        let mut chunks = Vec::new();
        let mut rows = 0;
        for array in stream {
            let array = array.map_err(|error| invalid_array(None, error.to_string()))?;
            let len = array.len();
            chunks.push(chunk(array, rows)?);
            rows += len;
        }
        let field = field_of(&none);
        Ok(ChunkedArray { field, chunks })
    })?;
    Ok(Bound::new(py, chunked)?.into_any())
}

/// Returns an array whose memory is valid. The interface trusts its producer, but readers of files do not check all texts that
/// they hand on. The kernels read dictionaries of texts as they are; others are replaced by their values.
fn checked(array: ArrayRef, first_row: usize) -> PyResult<ArrayRef> {
    // an empty slice can have offsets into texts that the import leaves out, which is no fault
    let array = match array.len() {
        0 => new_empty_array(array.data_type()),
        _ => array,
    };
    let data = array.to_data();
    if let Err(error) = data.validate_full() {
        let is_wrong = |row: &usize| data.slice(*row, 1).validate_full().is_err();
        // for each row of a dictionary, all its values would be checked again
        let is_dictionary = array.as_any_dictionary_opt().is_some();
        let rows = if is_dictionary { 0 } else { data.len() };
        let row = (0..rows).find(is_wrong);
        return Err(invalid_array(
            row.map(|row| first_row + row),
            error.to_string(),
        ));
    }
    match array.as_any_dictionary_opt() {
        Some(dictionary) if !dictionary.values().data_type().is_string() => {
            take(dictionary.values(), dictionary.keys(), None)
                .map_err(|error| invalid_array(None, error.to_string()))
        }
        _ => Ok(array),
    }
}
