//! Ids for Arrow: the capsules of its PyCapsule interface.

use std::sync::Arc;

use arrow_array::{Array, make_array};
use arrow_buffer::Buffer;
use arrow_data::{ArrayData, ArrayDataBuilder};
use arrow_schema::{ArrowError, DataType, Field, FieldRef};
use bytes::Bytes;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyTuple;
use pyo3_arrow::ffi::to_array_pycapsules;
use tiktally::TokenId;

/// Returns the capsules of an array `uint32`, which shares the bytes.
#[pyfunction]
pub fn arrow_ids(py: Python<'_>, ids: PyBackedBytes) -> PyResult<Bound<'_, PyTuple>> {
    let ids = ids_of(ids).map_err(invalid)?;
    capsules(py, &make_array(ids))
}

/// Returns the capsules of an array `large_list<item: uint32>`, which shares the bytes. Offsets have 64 bits.
#[pyfunction]
pub fn arrow_lists(
    py: Python<'_>,
    ids: PyBackedBytes,
    offsets: PyBackedBytes,
) -> PyResult<Bound<'_, PyTuple>> {
    let lists = lists_of(ids, offsets).map_err(invalid)?;
    capsules(py, &make_array(lists))
}

fn ids_of(ids: PyBackedBytes) -> Result<ArrayData, ArrowError> {
    let length = ids.len() / size_of::<TokenId>();
    ArrayDataBuilder::new(DataType::UInt32)
        .len(length)
        .add_buffer(shared(ids))
        .align_buffers(true)
        .build()
}

fn lists_of(ids: PyBackedBytes, offsets: PyBackedBytes) -> Result<ArrayData, ArrowError> {
    // nullable, as lists are elsewhere if their maker says nothing: others would be another type
    let item = Arc::new(Field::new_list_field(DataType::UInt32, true));
    let length = (offsets.len() / size_of::<i64>()).saturating_sub(1);
    // `build` checks the offsets, which are the caller's
    ArrayDataBuilder::new(DataType::LargeList(item))
        .len(length)
        .add_buffer(shared(offsets))
        .add_child_data(ids_of(ids)?)
        .align_buffers(true)
        .build()
}

/// Returns the schema and the array as capsules: each frees its memory if no one takes it.
pub fn capsules<'py>(py: Python<'py>, array: &dyn Array) -> PyResult<Bound<'py, PyTuple>> {
    // without a schema that is asked for, so that the casts are not in the wheel
    Ok(to_array_pycapsules(py, field_of(array), array, None)?)
}

/// Returns the field of a result, which has no name.
pub fn field_of(array: &dyn Array) -> FieldRef {
    Arc::new(Field::new("", array.data_type().clone(), true))
}

/// Python's bytes, kept while an array uses them.
struct Kept(Option<PyBackedBytes>);

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // any thread can drop an array: without the GIL, the bytes would stay until the next call of this module
        Python::try_attach(|_| self.0.take());
    }
}

/// Returns a buffer that shares the bytes.
fn shared(bytes: PyBackedBytes) -> Buffer {
    Bytes::from_owner(Kept(Some(bytes))).into()
}

fn invalid(error: ArrowError) -> PyErr {
    PyValueError::new_err(error.to_string())
}
