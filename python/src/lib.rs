//! The Python module `tiktally._tiktally`. The package around it is in `python/tiktally`.

mod arrow;
mod chat;
mod columns;
mod encoding;
mod errors;
mod ids;
mod special;
mod streams;
mod text;

use std::ffi::OsString;
use std::io::{self, Write};

use pyo3::prelude::*;

use encoding::Encoding;
use errors::raise;
use streams::{StreamDecoder, StreamEncoder, TokenCounter};

/// Returns the name of the encoding that a model uses.
#[pyfunction]
fn encoding_name_for_model(model_name: &str) -> PyResult<&'static str> {
    tiktally::encoding_name_for_model(model_name).map_err(raise)
}

/// Returns the names of all built-in encodings.
#[pyfunction]
fn list_encoding_names() -> Vec<&'static str> {
    tiktally::list_encoding_names().to_vec()
}

/// Sets the limit of each thread's cache of merged pieces, in bytes.
#[pyfunction]
fn set_cache_bytes(bytes: usize) {
    tiktally::set_cache_bytes(bytes);
}

/// Frees the memory that this thread, and the threads of batches, keep for encoding and counting.
#[pyfunction]
fn release_thread_cache() {
    tiktally::release_thread_cache();
}

/// Runs the command `tiktally` with these arguments, the first of which is its own name. Returns the exit code.
#[pyfunction]
fn run_command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| {
        let code = command::run(arguments);
        // the end of a Rust program does this; here is none
        let _ = io::stdout().flush();
        code
    })
}

#[pymodule(gil_used = false)]
fn _tiktally(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Encoding>()?;
    module.add_class::<TokenCounter>()?;
    module.add_class::<StreamEncoder>()?;
    module.add_class::<StreamDecoder>()?;
    module.add_function(wrap_pyfunction!(encoding_name_for_model, module)?)?;
    module.add_function(wrap_pyfunction!(list_encoding_names, module)?)?;
    module.add_function(wrap_pyfunction!(set_cache_bytes, module)?)?;
    module.add_function(wrap_pyfunction!(release_thread_cache, module)?)?;
    module.add_function(wrap_pyfunction!(chat::count_chat, module)?)?;
    module.add_function(wrap_pyfunction!(chat::fit_chat, module)?)?;
    module.add_function(wrap_pyfunction!(chat::context_window, module)?)?;
    module.add_function(wrap_pyfunction!(chat::window_left, module)?)?;
    module.add_function(wrap_pyfunction!(arrow::arrow_ids, module)?)?;
    module.add_function(wrap_pyfunction!(arrow::arrow_lists, module)?)?;
    module.add_class::<columns::Array>()?;
    module.add_class::<columns::ChunkedArray>()?;
    module.add_function(wrap_pyfunction!(columns::count_column, module)?)?;
    module.add_function(wrap_pyfunction!(columns::encode_column, module)?)?;
    module.add_function(wrap_pyfunction!(columns::decode_column, module)?)?;
    module.add_function(wrap_pyfunction!(columns::truncate_column, module)?)?;
    module.add_function(wrap_pyfunction!(columns::chunk_column, module)?)?;
    module.add_function(wrap_pyfunction!(run_command, module)?)?;
    Ok(())
}
