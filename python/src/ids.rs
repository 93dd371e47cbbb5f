//! Ids as Python's lists and bytes, and back.

use std::sync::Mutex;

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyList, PySequence, PyString, PyTuple};
use tiktally::TokenId;

/// The number of ids in a block of the table of integers.
const BLOCK: usize = 512;

/// Ids from this one on have no place in the table.
const LIMIT: usize = 1 << 18;

/// Python's integers for ids, shared by all long lists. An integer is made when a list first needs it, so those of common ids are
/// near each other in memory. They take up to 8 MB for all ids of o200k_base, with the table.
///
/// An integer takes some 20 ns to make and to drop again. Sharing takes 9 ns an id in text that was seen lately, and 16 ns with
/// cold caches. When 64 integers were made at a time, the first was 14 ns, because common ids were far from each other.
/// (AMD EPYC with AVX2, with other work beside it, November 2026.)
static INTEGERS: Mutex<Integers> = Mutex::new(Integers(Vec::new()));

struct Integers(Vec<Option<Block>>);

type Block = Box<[Option<Py<PyInt>>]>;

/// Lists of fewer ids have integers of their own. With cold caches, fetching shared ones takes longer than making new ones:
/// strings of 1,000 bytes took 44 µs with shared integers and 37 µs with new ones, of 100 bytes 10.7 and 9.4. (AMD EPYC with
/// AVX2, 3 MB written before each 50 strings, November 2026.)
const SHARED_FROM: usize = 256;

/// Returns a list of ids.
pub fn list_of<'py>(py: Python<'py>, ids: &[TokenId]) -> PyResult<Bound<'py, PyList>> {
    if ids.len() < SHARED_FROM {
        return PyList::new(py, ids);
    }
    // nothing waits for the lock: making a list can run the garbage collector, and that any code, this too
    match INTEGERS.try_lock() {
        Ok(mut integers) => PyList::new(py, ids.iter().map(|&id| integers.get(py, id))),
        Err(_) => PyList::new(py, ids),
    }
}

impl Integers {
    /// Returns Python's integer for an id.
    fn get<'py>(&mut self, py: Python<'py>, id: TokenId) -> Bound<'py, PyInt> {
        let place = id as usize;
        if let Some(Some(block)) = self.0.get(place / BLOCK)
            && let Some(integer) = &block[place % BLOCK]
        {
            return integer.bind(py).clone();
        }
        self.add(py, id)
    }

    /// Makes Python's integer for an id, and keeps it if it has a place.
    #[cold]
    fn add<'py>(&mut self, py: Python<'py>, id: TokenId) -> Bound<'py, PyInt> {
        let Ok(integer) = id.into_pyobject(py);
        let place = id as usize;
        if place < LIMIT {
            if self.0.is_empty() {
                self.0.resize_with(LIMIT / BLOCK, || None);
            }
            let make = || (0..BLOCK).map(|_| None).collect();
            let block = self.0[place / BLOCK].get_or_insert_with(make);
            block[place % BLOCK] = Some(integer.clone().unbind());
        }
        integer
    }
}

/// Returns numbers, those of all parts one after another, as the bytes of their machine form.
pub fn bytes_of<'py, 'n, T: Copy + 'n, const N: usize>(
    py: Python<'py>,
    parts: impl IntoIterator<Item = &'n [T], IntoIter: Clone>,
    bytes: impl Fn(T) -> [u8; N],
) -> PyResult<Bound<'py, PyBytes>> {
    let parts = parts.into_iter();
    let len: usize = parts.clone().map(<[T]>::len).sum();
    PyBytes::new_with(py, N * len, |mut rest| {
        for part in parts {
            let (places, after) = rest.split_at_mut(N * part.len());
            for (place, number) in places.chunks_exact_mut(N).zip(part) {
                place.copy_from_slice(&bytes(*number));
            }
            rest = after;
        }
        Ok(())
    })
}

/// Returns the ids of a list, a tuple, an array or another sequence.
pub fn tokens_of(tokens: &Bound<'_, PyAny>) -> PyResult<Vec<TokenId>> {
    if let Ok(list) = tokens.cast_exact::<PyList>() {
        return list.iter().map(|id| id.extract()).collect();
    }
    if !tokens.is_instance_of::<PyTuple>()
        && let Ok(buffer) = PyBuffer::<TokenId>::get(tokens)
        && buffer.dimensions() == 1
        && is_in_the_order_of_the_machine(buffer.format().to_bytes())
    {
        return buffer.to_vec(tokens.py());
    }
    if !tokens.is_instance_of::<PySequence>() || tokens.is_instance_of::<PyString>() {
        // raises TypeError
        return tokens.extract();
    }
    // `extract` would reserve what `__len__` says, which can be more than there is
    tokens.try_iter()?.map(|id| id?.extract()).collect()
}

/// Returns whether the format of a buffer has this machine's order of bytes. The buffer's own check does not see this.
fn is_in_the_order_of_the_machine(format: &[u8]) -> bool {
    match format.first() {
        Some(b'>' | b'!') => cfg!(target_endian = "big"),
        Some(b'<') => cfg!(target_endian = "little"),
        _ => true,
    }
}
