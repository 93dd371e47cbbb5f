//! Python's strings as UTF-8.

use std::borrow::Cow;

use pyo3::exceptions::PyUnicodeEncodeError;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// Returns the strings of a collection or a generator, in order.
pub fn texts_of<'py>(texts: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyString>>> {
    let strings = texts.try_iter()?;
    strings.map(|text| Ok(text?.cast_into()?)).collect()
}

/// Returns the UTF-8 of a string, without a copy if it has no surrogates. Pairs of surrogates become one character, as in
/// tiktoken, and lone ones U+FFFD.
pub fn text_of<'t>(text: &'t Bound<'_, PyString>) -> PyResult<Cow<'t, str>> {
    match text.to_str() {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(error) if error.is_instance_of::<PyUnicodeEncodeError>(text.py()) => {
            let pairs = text.call_method1("encode", ("utf-16", "surrogatepass"))?;
            let joined: String = pairs
                .call_method1("decode", ("utf-16", "replace"))?
                .extract()?;
            Ok(Cow::Owned(joined))
        }
        Err(error) => Err(error),
    }
}
