//! Chat requests.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tiktally::chat::{self, ChatTokens, Counter, Exactness, Policy};

use crate::errors::raise;

/// The path and the reason of each part that is not in a count.
type Missing = Vec<(String, String)>;

/// Counts the tokens of a chat request, a JSON text. `kind` is `count`, `estimate` or `at_least`: with the last two, content
/// whose cost no recording shows is estimated, or left out and listed. Returns the tokens, and the path and the reason of
/// each part that was left out.
#[pyfunction]
pub fn count_chat<'py>(
    py: Python<'py>,
    body: &str,
    kind: &str,
) -> PyResult<(Bound<'py, PyDict>, Missing)> {
    let counted = py.detach(|| match kind {
        "at_least" => chat::at_least_json(body).map(|least| (least.tokens, least.missing)),
        "estimate" => chat::estimate_json(body).map(|tokens| (tokens, Vec::new())),
        _ => chat::count_json(body).map(|tokens| (tokens, Vec::new())),
    });
    let (tokens, missing) = counted.map_err(raise)?;
    let missing = missing.into_iter().map(|part| (part.path, part.reason));
    Ok((fields(py, tokens)?, missing.collect()))
}

/// Drops the oldest messages of a chat request, a JSON text, until it has at most `budget` tokens; whole turns with `turns`.
/// Returns the new text, the indices of the messages that were dropped, and the tokens.
#[pyfunction]
pub fn fit_chat<'py>(
    py: Python<'py>,
    model: &str,
    body: &str,
    budget: usize,
    turns: bool,
) -> PyResult<(String, Vec<usize>, Bound<'py, PyDict>)> {
    let policy = match turns {
        true => Policy::OldestTurns,
        false => Policy::OldestMessages,
    };
    let fitted = py.detach(|| Counter::for_model(model)?.fit_json(body, budget, policy));
    let fitted = fitted.map_err(raise)?;
    Ok((fitted.body, fitted.dropped, fields(py, fitted.tokens)?))
}

/// Returns the fields of a count by name.
fn fields(py: Python<'_>, tokens: ChatTokens) -> PyResult<Bound<'_, PyDict>> {
    let (exact, reason) = match tokens.exactness {
        Exactness::Exact => (true, None),
        Exactness::Estimate { reason } => (false, Some(reason)),
        _ => (false, None),
    };
    let fields = PyDict::new(py);
    fields.set_item("total", tokens.total)?;
    fields.set_item("exact", exact)?;
    fields.set_item("reason", reason)?;
    fields.set_item("messages", tokens.messages)?;
    fields.set_item("tools", tokens.tools)?;
    fields.set_item("tool_choice", tokens.tool_choice)?;
    fields.set_item("response_format", tokens.response_format)?;
    fields.set_item("images", tokens.images)?;
    fields.set_item("priming", tokens.priming)?;
    Ok(fields)
}

/// Returns the tokens of a model's context window, of its longest input and of its longest answer, and the day of the
/// look-up. Returns `None` if the window is not known.
#[pyfunction]
pub fn context_window(model: &str) -> Option<(usize, Option<usize>, Option<usize>, &'static str)> {
    let window = tiktally::context_window(model)?;
    let (input, output) = (window.max_input, window.max_output);
    Some((window.context, input, output, window.as_of))
}

/// Returns how many tokens of a model's window are left after a prompt; negative if the prompt does not fit, and `None` if
/// the window is not known.
#[pyfunction]
pub fn window_left(model: &str, prompt: usize) -> Option<i64> {
    Some(tiktally::context_window(model)?.remaining(prompt))
}
