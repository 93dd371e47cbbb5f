//! Ids as Python's lists and bytes, and back.

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyInt, PyList, PyTuple};
use tiktally::TokenId;

/// How many integers are made together.
const BLOCK: usize = 64;

/// Python's integers for the first 2^18 ids, shared by all lists. A block is made when a list first needs one of its ids.
///
/// An integer has 32 bytes and takes some 20 ns to make and to drop. The integers of all ids of o200k_base have 8 MB, with
/// the table.
static INTEGERS: [PyOnceLock<Box<[Py<PyInt>]>>; (1 << 18) / BLOCK] =
    [const { PyOnceLock::new() }; _];

/// Returns a list of ids.
pub fn list_of<'py>(py: Python<'py>, ids: &[TokenId]) -> PyResult<Bound<'py, PyList>> {
    PyList::new(py, ids.iter().map(|&id| integer(py, id)))
}

/// Returns Python's integer for an id.
fn integer(py: Python<'_>, id: TokenId) -> Bound<'_, PyInt> {
    let make = |id: usize| {
        (id as TokenId)
            .into_pyobject(py)
            .unwrap_or_else(|never| match never {})
    };
    let id = id as usize;
    let Some(block) = INTEGERS.get(id / BLOCK) else {
        return make(id);
    };
    let first = id - id % BLOCK;
    let block = block.get_or_init(py, || {
        (first..first + BLOCK).map(|id| make(id).unbind()).collect()
    });
    block[id % BLOCK].bind(py).clone()
}

/// Returns numbers as the bytes of their machine form, one after another.
pub fn bytes_of<'py, T: Copy, const N: usize>(
    py: Python<'py>,
    numbers: &[T],
    bytes: impl Fn(T) -> [u8; N],
) -> PyResult<Bound<'py, PyBytes>> {
    PyBytes::new_with(py, N * numbers.len(), |place| {
        for (place, number) in place.chunks_exact_mut(N).zip(numbers) {
            place.copy_from_slice(&bytes(*number));
        }
        Ok(())
    })
}

/// Returns the ids of a list, a tuple, an array or another sequence.
pub fn tokens_of(tokens: &Bound<'_, PyAny>) -> PyResult<Vec<TokenId>> {
    if let Ok(list) = tokens.cast::<PyList>() {
        return list.iter().map(|id| id.extract()).collect();
    }
    if !tokens.is_instance_of::<PyTuple>()
        && let Ok(buffer) = PyBuffer::<TokenId>::get(tokens)
        && buffer.dimensions() == 1
    {
        return buffer.to_vec(tokens.py());
    }
    tokens.extract()
}
