//! Model names: which encoding a model uses, and how many tokens its window holds.
//!
//! Two tables of facts. The first is tiktoken 0.14.0's own (`tiktoken/model.py`), in its order; the second is
//! `data/context_windows.tsv`, whose head says where the numbers are from and on which day they were read.

use crate::error::{Error, ErrorKind};

/// Full names of models.
const MODELS: &[(&str, &str)] = &[
    ("o1", "o200k_base"),
    ("o3", "o200k_base"),
    ("o4-mini", "o200k_base"),
    ("gpt-5", "o200k_base"),
    ("gpt-4.1", "o200k_base"),
    ("gpt-4o", "o200k_base"),
    ("gpt-4", "cl100k_base"),
    ("gpt-3.5-turbo", "cl100k_base"),
    ("gpt-3.5", "cl100k_base"),
    ("gpt-35-turbo", "cl100k_base"),
    ("davinci-002", "cl100k_base"),
    ("babbage-002", "cl100k_base"),
    ("text-embedding-ada-002", "cl100k_base"),
    ("text-embedding-3-small", "cl100k_base"),
    ("text-embedding-3-large", "cl100k_base"),
    ("text-davinci-003", "p50k_base"),
    ("text-davinci-002", "p50k_base"),
    ("text-davinci-001", "r50k_base"),
    ("text-curie-001", "r50k_base"),
    ("text-babbage-001", "r50k_base"),
    ("text-ada-001", "r50k_base"),
    ("davinci", "r50k_base"),
    ("curie", "r50k_base"),
    ("babbage", "r50k_base"),
    ("ada", "r50k_base"),
    ("code-davinci-002", "p50k_base"),
    ("code-davinci-001", "p50k_base"),
    ("code-cushman-002", "p50k_base"),
    ("code-cushman-001", "p50k_base"),
    ("davinci-codex", "p50k_base"),
    ("cushman-codex", "p50k_base"),
    ("text-davinci-edit-001", "p50k_edit"),
    ("code-davinci-edit-001", "p50k_edit"),
    ("text-similarity-davinci-001", "r50k_base"),
    ("text-similarity-curie-001", "r50k_base"),
    ("text-similarity-babbage-001", "r50k_base"),
    ("text-similarity-ada-001", "r50k_base"),
    ("text-search-davinci-doc-001", "r50k_base"),
    ("text-search-curie-doc-001", "r50k_base"),
    ("text-search-babbage-doc-001", "r50k_base"),
    ("text-search-ada-doc-001", "r50k_base"),
    ("code-search-babbage-code-001", "r50k_base"),
    ("code-search-ada-code-001", "r50k_base"),
    ("gpt2", "gpt2"),
    ("gpt-2", "gpt2"),
];

/// Beginnings of names, tried in this order if no full name matches: `ft:gpt-4o` has to come before `ft:gpt-4`.
const PREFIXES: &[(&str, &str)] = &[
    ("o1-", "o200k_base"),
    ("o3-", "o200k_base"),
    ("o4-mini-", "o200k_base"),
    ("gpt-5", "o200k_base"),
    ("gpt-4.5-", "o200k_base"),
    ("gpt-4.1-", "o200k_base"),
    ("chatgpt-4o-", "o200k_base"),
    ("gpt-4o-", "o200k_base"),
    ("gpt-4-", "cl100k_base"),
    ("gpt-3.5-turbo-", "cl100k_base"),
    ("gpt-35-turbo-", "cl100k_base"),
    ("gpt-oss-", "o200k_harmony"),
    ("ft:gpt-4o", "o200k_base"),
    ("ft:gpt-4", "cl100k_base"),
    ("ft:gpt-3.5-turbo", "cl100k_base"),
    ("ft:davinci-002", "cl100k_base"),
    ("ft:babbage-002", "cl100k_base"),
];

/// The table of context windows. Each call reads it line by line: some 7 kB are too few for an index.
const WINDOWS: &str = include_str!("../../data/context_windows.tsv");

/// Returns the names of models that have an encoding: tiktoken's first, in its order, then all others with a window.
///
/// gpt-35-turbo is left out, because it is a name of Azure only.
pub(super) fn names_with_encoding() -> impl Iterator<Item = &'static str> {
    let first = MODELS.iter().map(|(name, _)| *name);
    let others = context_window_names().filter(|name| encoding_name_for_model(name).is_ok());
    first.chain(others).filter(|name| *name != "gpt-35-turbo")
}

/// Returns the name of the encoding that a model uses.
///
/// The result is that of tiktoken 0.14.0, which tries its full names first, then its prefixes in order. Case and spaces
/// matter. A matching prefix does not mean that the model exists: `gpt-4o-anything` gets the encoding of its family.
/// The vocabulary of the encoding need not be compiled in.
///
/// ```
/// assert_eq!(tiktally::encoding_name_for_model("gpt-4o")?, "o200k_base");
/// assert_eq!(tiktally::encoding_name_for_model("gpt-4-0613")?, "cl100k_base");
/// assert!(tiktally::encoding_name_for_model("gpt-6").unwrap_err().is_unknown_model());
/// # Ok::<(), tiktally::Error>(())
/// ```
///
/// # Errors
/// [`is_unknown_model`](Error::is_unknown_model): neither a name nor a prefix matches. There is no default; a
/// near name is the error's [`suggestion`](Error::suggestion).
///
/// # Complexity
/// At most 62 short comparisons, however long `model` is. Only the error allocates.
pub fn encoding_name_for_model(model: &str) -> Result<&'static str, Error> {
    let exact = MODELS.iter().find(|(name, _)| *name == model);
    let found = exact.or_else(|| {
        PREFIXES
            .iter()
            .find(|(prefix, _)| model.starts_with(prefix))
    });
    match found {
        Some((_, encoding)) => Ok(encoding),
        None => Err(ErrorKind::unknown_model(model).into()),
    }
}

/// The limits of a model in tokens, as known on the day [`as_of`](Self::as_of).
///
/// Created by [`context_window`]. The prompt, the hidden reasoning and the answer share the window of reasoning and
/// GPT-5 models. So a prompt that just fits leaves no room for an answer. For embedding models the window is the
/// largest input.
///
/// ```
/// let window = tiktally::context_window("text-embedding-3-small").unwrap();
/// assert_eq!((window.context, window.max_output), (8192, None));
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContextWindow {
    /// The number of tokens in the whole window.
    pub context: usize,
    /// The limit of the input in tokens, where the source states one. For a few `gpt-5…-chat-latest` models it is
    /// larger than `context`; trust the smaller number, as [`remaining`](Self::remaining) does.
    pub max_input: Option<usize>,
    /// The limit of one answer in tokens; `None` for models that do not generate text.
    pub max_output: Option<usize>,
    /// The day on which the numbers were looked up, as `YYYY-MM-DD`.
    pub as_of: &'static str,
}

impl ContextWindow {
    /// Returns how many tokens of the window remain, for reasoning and the answer, after a prompt of `prompt` tokens.
    ///
    /// The result is negative if the prompt does not fit. It then exceeds the window, or the limit of the input if
    /// there is one, by that many tokens.
    ///
    /// ```
    /// let window = tiktally::context_window("gpt-5").unwrap();
    /// assert_eq!((window.context, window.max_input), (400_000, Some(272_000)));
    /// assert_eq!(window.remaining(270_000), 130_000);
    /// assert_eq!(window.remaining(300_000), -28_000);
    /// ```
    pub fn remaining(&self, prompt: usize) -> i64 {
        let input = self.max_input.unwrap_or(self.context).min(self.context);
        let limit = if prompt > input { input } else { self.context };
        let signed = |tokens: usize| i64::try_from(tokens).unwrap_or(i64::MAX);
        signed(limit) - signed(prompt)
    }
}

/// Returns the context window of a model, from a dated table of facts that ships with the crate.
///
/// Only full names match, since the models of a family do not share a window. A fine-tuned model, whose name begins with
/// `ft:` and the name of its base model, has the window of that model. `None` means that the table has no number for the
/// name; it is never replaced by a guess. The numbers come from OpenAI's model pages (for older models, pages
/// of 2023 and 2024); other providers may set other limits.
///
/// ```
/// let window = tiktally::context_window("gpt-4o").unwrap();
/// assert_eq!((window.context, window.max_input, window.max_output), (128_000, None, Some(16_384)));
/// assert_eq!(window.as_of, "2026-11-21");
///
/// let tuned = tiktally::context_window("ft:gpt-4o-mini-2024-07-18:acme::9bXyZ").unwrap();
/// assert_eq!(tuned.context, 128_000);
/// assert_eq!(tiktally::context_window("gpt-4o-anything"), None);
/// ```
///
/// # Complexity
/// One pass over the table, some 7 kB; nothing is allocated or kept.
pub fn context_window(model: &str) -> Option<ContextWindow> {
    let model = fine_tuned_base(model).unwrap_or(model);
    let [context, max_input, max_output] =
        rows().find_map(|(name, numbers)| (name == model).then_some(numbers))?;
    Some(ContextWindow {
        context: context?,
        max_input,
        max_output,
        as_of: as_of()?,
    })
}

/// Returns the name of the model that a fine-tuned model was made of: `gpt-4o-mini-2024-07-18` for
/// `ft:gpt-4o-mini-2024-07-18:acme::x`.
pub(crate) fn fine_tuned_base(model: &str) -> Option<&str> {
    model.strip_prefix("ft:")?.split(':').next()
}

/// Returns the names of all models whose [context window](context_window) is known, sorted.
///
/// ```
/// assert!(tiktally::context_window_names().any(|name| name == "gpt-4o"));
/// ```
///
/// # Complexity
/// One pass over the table, some 7 kB; nothing is allocated or kept.
pub fn context_window_names() -> impl Iterator<Item = &'static str> {
    rows().map(|(name, _)| name)
}

/// Returns the rows of the table: a name, then `context`, `max_input` and `max_output`.
fn rows() -> impl Iterator<Item = (&'static str, [Option<usize>; 3])> {
    WINDOWS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let mut fields = line.split('\t');
            let name = fields.next().unwrap_or_default();
            (name, std::array::from_fn(|_| fields.next()?.parse().ok()))
        })
}

/// Returns the day in the head of the table.
fn as_of() -> Option<&'static str> {
    WINDOWS
        .lines()
        .find_map(|line| line.strip_prefix("# as_of: "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_name_and_three_numbers() {
        for row in WINDOWS.lines().filter(|line| !line.starts_with('#')) {
            let (name, numbers) = row.split_once('\t').unwrap();
            assert!(!name.is_empty() && name.trim() == name, "{row}");
            assert_eq!(numbers.split('\t').count(), 3, "{row}");
            assert!(
                numbers
                    .split('\t')
                    .all(|n| n == "-" || n.parse::<usize>().is_ok_and(|n| n > 0)),
                "{row}"
            );
        }
    }

    #[test]
    fn rows_are_sorted_without_doubles() {
        assert!(context_window_names().is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn every_exact_name_of_tiktoken_has_a_row() {
        for (model, _) in MODELS {
            assert!(context_window_names().any(|name| name == *model), "{model}");
        }
    }

    #[test]
    fn the_head_is_no_model() {
        assert_eq!(as_of().map(str::len), Some("2026-11-21".len()));
        for line in WINDOWS.lines().filter(|line| line.starts_with('#')) {
            assert_eq!(context_window(line), None);
        }
        assert_eq!(context_window(""), None);
    }
}
