//! The crate's errors as the exceptions of `tiktally.errors`: subclasses of those that tiktoken raises, with its messages
//! where it has one.

use std::panic::{self, AssertUnwindSafe};

use datafusion_functions_tiktally::kernels;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyString;
use tiktally::{Error, TokenId};

/// Returns the exception for an error.
pub fn raise(error: Error) -> PyErr {
    raise_in("", error)
}

/// Returns the exception for an error in a text.
pub fn raise_in(text: &str, error: Error) -> PyErr {
    let message = error.to_string();
    if error.is_io() {
        return PyOSError::new_err(message);
    }
    attached(|py| typed(py, text, &error, message))
}

/// Returns the exception that `create` creates, or the one that ended its creation.
fn attached(create: impl FnOnce(Python<'_>) -> PyResult<Bound<'_, PyAny>>) -> PyErr {
    Python::attach(|py| create(py).map_or_else(|failure| failure, PyErr::from_value))
}

/// Creates the exception for an error in a text.
fn typed<'py>(
    py: Python<'py>,
    text: &str,
    error: &Error,
    message: String,
) -> PyResult<Bound<'py, PyAny>> {
    if let Some(token) = error
        .special_token()
        .filter(|_| error.is_disallowed_special())
    {
        let message = disallowed_special(py, token)?;
        let exception = exception(py, "DisallowedSpecialToken", message)?;
        exception.setattr("token", token)?;
        let before = error.position().and_then(|position| text.get(..position));
        exception.setattr("position", before.map(|text| text.chars().count()))?;
        return Ok(exception);
    }
    if let Some(id) = error.token() {
        let exception = exception(
            py,
            "UnknownToken",
            format!("Invalid token for decoding: {id}"),
        )?;
        exception.setattr("token", id)?;
        exception.setattr("index", error.index())?;
        return Ok(exception);
    }
    let exception = exception(py, class_of(error), message)?;
    if error.is_unknown_model() || error.is_unknown_encoding() {
        exception.setattr("suggestion", error.suggestion())?;
    }
    if error.is_invalid_chat() || error.is_unsupported_content() {
        exception.setattr("path", error.path())?;
    }
    Ok(exception)
}

/// Returns the exception for an id that no token has, with its place in a list.
pub fn unknown_token(id: TokenId, index: Option<usize>, message: String) -> PyErr {
    attached(|py| {
        let exception = exception(py, "UnknownToken", message)?;
        exception.setattr("token", id)?;
        exception.setattr("index", index)?;
        Ok(exception)
    })
}

/// Returns the exception for an error of a kernel, whose rows are those from `first_row` on.
pub fn raise_in_rows(first_row: usize, error: kernels::Error) -> PyErr {
    attached(|py| of_kernel(py, first_row, error))
}

/// Creates the exception for an error of a kernel.
fn of_kernel(
    py: Python<'_>,
    first_row: usize,
    error: kernels::Error,
) -> PyResult<Bound<'_, PyAny>> {
    use kernels::Error::{CanFail, NotAnId, NullId, Tokenizer, TooMany};

    let (row, exception) = match error {
        Tokenizer { row, source } => (row, typed(py, "", &source, source.to_string())?),
        NotAnId { row, index, value } => (row, not_an_id(py, index, value)?),
        NullId { row, index } => {
            let message = format!("the id at index {index} is null");
            (row, exception(py, "InvalidArray", message)?)
        }
        TooMany { row, what, limit } => {
            let message =
                format!("the result has more than {limit} {what}; pass fewer rows at a time");
            (row, exception(py, "InvalidArray", message)?)
        }
        CanFail { encoding } => {
            let message =
                format!("{encoding:?} cannot encode every text, so it cannot be used for arrays");
            return exception(py, "PatternLimit", message);
        }
        other => return exception(py, "InvalidArray", other.to_string()),
    };
    in_row(exception, first_row + row)
}

/// Returns the exception for an array that a call cannot take.
pub fn invalid_array(row: Option<usize>, message: String) -> PyErr {
    attached(|py| {
        let exception = exception(py, "InvalidArray", message)?;
        match row {
            Some(row) => in_row(exception, row),
            None => Ok(exception),
        }
    })
}

/// Creates the exception for a number that no id can be.
fn not_an_id(py: Python<'_>, index: usize, value: i128) -> PyResult<Bound<'_, PyAny>> {
    let message = format!("Invalid token for decoding: {value}");
    let exception = exception(py, "UnknownToken", message)?;
    exception.setattr("token", value)?;
    exception.setattr("index", index)?;
    Ok(exception)
}

/// Adds the row to an exception and to its message.
fn in_row(exception: Bound<'_, PyAny>, row: usize) -> PyResult<Bound<'_, PyAny>> {
    let message = exception.getattr("args")?.get_item(0)?;
    exception.setattr("args", (format!("row {row}: {message}"),))?;
    exception.setattr("row", row)?;
    Ok(exception)
}

/// Returns the name of the class for an error.
fn class_of(error: &Error) -> &'static str {
    if error.is_unknown_model() {
        "UnknownModel"
    } else if error.is_unknown_encoding() {
        "UnknownEncoding"
    } else if error.is_pattern_limit() {
        "PatternLimit"
    } else if error.is_unsupported_content() || error.is_estimate_only() {
        "UnsupportedContent"
    } else if error.is_invalid_chat() {
        "InvalidChat"
    } else if error.is_limit_too_small() {
        "LimitTooSmall"
    } else if error.is_invalid_ranks()
        || error.is_invalid_pattern()
        || error.is_invalid_tokenizer()
        || error.is_unsupported_tokenizer()
        || error.is_hash_mismatch()
        || error.is_invalid_special()
    {
        "InvalidVocabulary"
    } else {
        "InvalidText"
    }
}

/// Creates an exception.
fn exception<'py>(py: Python<'py>, class: &str, message: String) -> PyResult<Bound<'py, PyAny>> {
    let errors = py.import("tiktally.errors")?;
    errors.getattr(class)?.call1((message,))
}

/// Returns tiktoken's message for a special token that the text must not contain.
fn disallowed_special(py: Python<'_>, token: &str) -> PyResult<String> {
    let shown = PyString::new(py, token).repr()?.to_string();
    Ok(format!(
        "Encountered text corresponding to disallowed special token {shown}.\n\
         If you want this text to be encoded as a special token, \
         pass it to `allowed_special`, e.g. `allowed_special={{{shown}, ...}}`.\n\
         If you want this text to be encoded as normal text, disable the check for this token \
         by passing `disallowed_special=(enc.special_tokens_set - {{{shown}}})`.\n\
         To disable this check for all special tokens, pass `disallowed_special=()`.\n"
    ))
}

/// Calls `work`, and returns the exception for a pattern that gave up, for which the crate panics.
pub fn caught<T>(work: impl FnOnce() -> T) -> PyResult<T> {
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|reason| {
        match reason.downcast::<String>() {
            Ok(reason) if reason.contains("gave up") => {
                attached(|py| exception(py, "PatternLimit", *reason))
            }
            Ok(reason) => panic::resume_unwind(reason),
            Err(reason) => panic::resume_unwind(reason),
        }
    })
}
