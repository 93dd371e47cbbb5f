//! Chat requests.

use pyo3::prelude::*;
use tiktally::chat::{self, Exactness};

use crate::errors::raise;

/// Counts the tokens of a chat request, a JSON text. Returns the total, whether the API bills exactly this, and the reason
/// if not. With `estimate`, requests that no recording shows are estimated instead of refused.
#[pyfunction]
pub fn count_chat(
    py: Python<'_>,
    body: &str,
    estimate: bool,
) -> PyResult<(usize, bool, Option<String>)> {
    let tokens = py.detach(|| match estimate {
        true => chat::estimate_json(body),
        false => chat::count_json(body),
    });
    let tokens = tokens.map_err(raise)?;
    let (is_exact, reason) = match tokens.exactness {
        Exactness::Exact => (true, None),
        Exactness::Estimate { reason } => (false, Some(reason)),
        _ => (false, None),
    };
    Ok((tokens.total, is_exact, reason))
}

/// Returns the tokens of a model's context window, of its longest input and of its longest answer, or `None` if they are
/// not known.
#[pyfunction]
pub fn context_window(model: &str) -> Option<(usize, Option<usize>, Option<usize>)> {
    let window = tiktally::context_window(model)?;
    Some((window.context, window.max_input, window.max_output))
}
