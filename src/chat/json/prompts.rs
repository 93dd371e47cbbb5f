//! Prompts for `/v1/completions` and `/v1/embeddings` (section 2 of page.md).

use super::other_keys;
use crate::chat::path::Path;
use crate::chat::value::Value;
use crate::chat::{ChatTokens, Counter, families, unsupported};
use crate::error::Error;
use crate::token_id::TokenId;

/// Models with recorded prompts that were billed fewer tokens than they have, for no known reason.
const UNSURE: &[&str] = &["gpt-3.5-turbo-instruct", "davinci-codex"];

/// The reason why a prompt that is an object cannot be counted.
pub(super) const STORED: &str = "only the service knows the text that this refers to";

impl Counter {
    /// Counts prompts, which have no frame: only their own tokens are billed (section 2).
    pub(super) fn prompts(
        &self,
        root: &Path<'_>,
        body: Value<'_>,
        key: &'static str,
    ) -> Result<ChatTokens, Error> {
        let known = [key, "best_of", "dimensions", "echo", "encoding_format"];
        other_keys(root, body, &known)?;
        let mut doubts = root.take_reasons();
        if UNSURE.contains(&&*self.base()) {
            doubts.push(
                "two or more recorded prompts of this model were billed fewer tokens".to_owned(),
            );
        }
        let (path, prompts) = root.must(body, key)?;
        if let Err(why) = self.family
            && why != families::NO_CHAT
        {
            return Err(unsupported("model", why));
        }
        let messages = match prompts {
            Value::Object(_) => {
                path.missing(STORED)?;
                Vec::new()
            }
            Value::List(list) if list.is_empty() => {
                return Err(path.invalid("this is empty; at least one prompt is needed"));
            }
            Value::List(list) if list.iter().all(is_id) => vec![list.len()],
            Value::List(_) => path.each(prompts, |path, prompt| self.prompt(path, prompt))?,
            prompt => vec![self.prompt(&path, prompt)?],
        };
        Ok(ChatTokens::of_messages(messages, 0, 0, &doubts))
    }

    /// Counts a prompt: a text, or a list of token ids.
    fn prompt(&self, path: &Path<'_>, prompt: Value<'_>) -> Result<usize, Error> {
        match prompt {
            Value::Text(text) => Ok(self.encoding.count(text)),
            Value::List(ids) if ids.iter().all(is_id) => Ok(ids.len()),
            _ => Err(path.invalid("a prompt must be a string or an array of token ids")),
        }
    }
}

/// Returns whether a value can be a token id.
fn is_id(value: Value<'_>) -> bool {
    matches!(value, Value::Integer(id) if TokenId::try_from(id).is_ok())
}
