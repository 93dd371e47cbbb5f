//! The crate's errors as Python's exceptions: those that tiktoken raises, with its messages where it has one.

use pyo3::exceptions::{PyKeyError, PyOSError, PyValueError};
use pyo3::prelude::*;
use tiktally::Error;

/// Returns the exception for an error.
pub fn raise(error: Error) -> PyErr {
    if let Some(token) = error
        .special_token()
        .filter(|_| error.is_disallowed_special())
    {
        return disallowed_special(token);
    }
    if let Some(id) = error.token() {
        return PyKeyError::new_err(format!("Invalid token for decoding: {id}"));
    }
    let message = error.to_string();
    if error.is_unknown_model() || error.is_unknown_token_bytes() {
        PyKeyError::new_err(message)
    } else if error.is_io() {
        PyOSError::new_err(message)
    } else {
        PyValueError::new_err(message)
    }
}

/// Returns tiktoken's exception for a special token that the text must not contain.
fn disallowed_special(token: &str) -> PyErr {
    let shown = Python::attach(|py| {
        let repr = token
            .into_pyobject(py)
            .map(|text| text.repr().map(|text| text.to_string()));
        repr.ok()
            .and_then(Result::ok)
            .unwrap_or_else(|| format!("{token:?}"))
    });
    PyValueError::new_err(format!(
        "Encountered text corresponding to disallowed special token {shown}.\n\
         If you want this text to be encoded as a special token, \
         pass it to `allowed_special`, e.g. `allowed_special={{{shown}, ...}}`.\n\
         If you want this text to be encoded as normal text, disable the check for this token \
         by passing `disallowed_special=(enc.special_tokens_set - {{{shown}}})`.\n\
         To disable this check for all special tokens, pass `disallowed_special=()`.\n"
    ))
}
