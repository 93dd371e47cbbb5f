//! Dropping messages of raw request bodies until they fit a budget.

use std::ops::Range;

use super::{Body, parse};
use crate::chat::api::Api;
use crate::chat::at_least::Unpriced;
use crate::chat::path::{Notes, Path};
use crate::chat::request::Request;
use crate::chat::value::Json;
use crate::chat::{ChatTokens, Counter, Policy};
use crate::error::{Error, ErrorKind};

/// A request body that fits a budget; returned by [`Counter::fit_json`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct FittedJson {
    /// The body without the dropped messages; all other bytes are as they were sent.
    pub body: String,
    /// The indices of the dropped items in `messages` or `input`, in ascending order.
    pub dropped: Vec<usize>,
    /// The cost of the body.
    pub tokens: ChatTokens,
}

/// Items that are dropped together, by their indices.
struct Step {
    items: Vec<usize>,
    /// The approximate number of tokens that dropping them saves.
    tokens: usize,
}

impl Counter {
    /// Drops messages of a raw request body, or items of its `input`, until the body costs at most `budget` tokens.
    ///
    /// The budget covers the whole prompt: messages, tools, the schema of the answer and the tokens that open the
    /// answer. The order is that of [`fit`](Self::fit). The reasoning before an answer is dropped with it.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Policy};
    ///
    /// let body = r#"{"max_tokens": 100, "messages": [
    ///     {"role": "system", "content": "Be brief."},
    ///     {"role": "user", "content": "What is a token?"},
    ///     {"role": "assistant", "content": "A piece of text that a model reads as one."},
    ///     {"role": "user", "content": "And a rank?"}
    /// ]}"#;
    /// # #[cfg(feature = "o200k_base")] {
    /// let counter = Counter::for_model("gpt-4o")?;
    /// let fitted = counter.fit_json(body, 20, Policy::OldestTurns)?;
    /// assert_eq!((fitted.dropped.as_slice(), fitted.tokens.total), (&[1, 2][..], 18));
    /// assert_eq!(
    ///     fitted.body,
    ///     r#"{"max_tokens": 100, "messages": [
    ///     {"role": "system", "content": "Be brief."},
    ///     {"role": "user", "content": "And a rank?"}
    /// ]}"#
    /// );
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`estimate_json`](Self::estimate_json), and:
    /// - [`is_limit_too_small`](Error::is_limit_too_small): the content that must stay costs more than the budget.
    /// - [`is_invalid_chat`](Error::is_invalid_chat): the body has neither `messages` nor `input`, or it has texts to
    ///   embed.
    ///
    /// # Complexity
    /// As counting the body four times in most cases, and at most about log n times for n messages.
    pub fn fit_json(&self, body: &str, budget: usize, policy: Policy) -> Result<FittedJson, Error> {
        let value = parse(body)?;
        let notes = Notes::new(Unpriced::default(), self.sizes.clone());
        let Body::Chat(request) = self.read(&Path::Body(&notes), value.value())? else {
            return Err(Path::Root.invalid(
                "the body has no messages to drop; it needs `messages`, or `input` for a chat model",
            ));
        };
        let whole = self.estimate(&request)?;
        if whole.total <= budget {
            return Ok(FittedJson {
                body: body.to_owned(),
                dropped: Vec::new(),
                tokens: whole,
            });
        }
        let key = match request.api {
            Api::Responses => "input",
            Api::ChatCompletions => "messages",
        };
        let steps = self.steps(&request, policy)?;
        self.fewest(body, &items_of(body, key), &steps, whole.total, budget)
    }

    /// Drops as few steps as are enough for the budget. The whole body costs `needed` tokens, which are more.
    fn fewest(
        &self,
        body: &str,
        items: &[Range<usize>],
        steps: &[Step],
        mut needed: usize,
        budget: usize,
    ) -> Result<FittedJson, Error> {
        // dropping `low` steps is not enough; dropping `high` steps is enough, or there are fewer
        let (mut low, mut high) = (0, steps.len() + 1);
        let mut at = enough(steps, needed, budget);
        let mut best = None;
        let mut is_first = true;
        while low + 1 < high {
            let fitted = self.without(body, items, steps.get(..at).unwrap_or_default())?;
            let is_enough = fitted.tokens.total <= budget;
            if is_enough {
                high = at;
                best = Some(fitted);
            } else {
                low = at;
                needed = fitted.tokens.total;
            }
            // the saving of a step depends a little on the others, so the limit is likely one step away
            at = match (is_first, is_enough) {
                (true, true) => at - 1,
                (true, false) => at + 1,
                (false, _) => low.midpoint(high),
            };
            is_first = false;
        }
        best.ok_or_else(|| ErrorKind::BudgetTooSmall { needed, budget }.into())
    }

    /// Drops these steps.
    fn without(
        &self,
        body: &str,
        items: &[Range<usize>],
        steps: &[Step],
    ) -> Result<FittedJson, Error> {
        let dropped = steps.iter().flat_map(|step| &step.items);
        let mut dropped: Vec<usize> = dropped.copied().collect();
        dropped.sort_unstable();
        let body = without(body, items, &dropped);
        let tokens = self.estimate_json(&body)?;
        Ok(FittedJson {
            body,
            dropped,
            tokens,
        })
    }

    /// Returns the steps of dropping, in their order.
    fn steps(&self, request: &Request<'_>, policy: Policy) -> Result<Vec<Step>, Error> {
        let mut steps: Vec<Step> = Vec::new();
        for part in self.droppable(request, policy)? {
            if part.is_begin || steps.is_empty() {
                steps.push(Step {
                    items: Vec::new(),
                    tokens: 0,
                });
            }
            if let Some(step) = steps.last_mut() {
                step.items.extend(items_with(request, part.messages));
                step.tokens += part.tokens;
            }
        }
        Ok(steps)
    }
}

/// Returns the number of steps that should be enough by their estimated tokens; at least one.
fn enough(steps: &[Step], total: usize, budget: usize) -> usize {
    let mut left = total;
    let more = steps.iter().take_while(|step| {
        let goes = left > budget;
        left = left.saturating_sub(step.tokens);
        goes
    });
    more.count().max(1)
}

/// Returns the items of these messages, with the reasoning items before each.
fn items_with(request: &Request<'_>, messages: Range<usize>) -> Range<usize> {
    if request.api == Api::ChatCompletions {
        return messages;
    }
    let instructions = usize::from(request.has_instructions);
    let item = |message: usize| {
        let at = message.checked_sub(instructions)?;
        request.items.get(at).copied()
    };
    let after = |message: usize| {
        let before = message.checked_sub(1).and_then(item);
        before.map_or(0, |item| item + 1)
    };
    after(messages.start)..after(messages.end)
}

/// Removes items of the list from a body. Each item that stays keeps the separator before it.
fn without(body: &str, items: &[Range<usize>], dropped: &[usize]) -> String {
    let (Some(first), Some(last)) = (items.first(), items.last()) else {
        return body.to_owned();
    };
    let mut rest = body.get(..first.start).unwrap_or_default().to_owned();
    let mut end = None;
    let mut is_dropped = vec![false; items.len()];
    for item in dropped {
        if let Some(is_dropped) = is_dropped.get_mut(*item) {
            *is_dropped = true;
        }
    }
    let mut is_empty = true;
    for (item, is_dropped) in items.iter().zip(is_dropped) {
        if !is_dropped {
            // the first item that stays has no separator, because the bracket precedes it
            let start = end.filter(|_| !is_empty).unwrap_or(item.start);
            rest.push_str(body.get(start..item.end).unwrap_or_default());
            is_empty = false;
        }
        end = Some(item.end);
    }
    rest.push_str(body.get(last.end..).unwrap_or_default());
    rest
}

/// Returns the ranges of the values in a list of a body. The body is a valid JSON object with the list at this key.
fn items_of(body: &str, key: &str) -> Vec<Range<usize>> {
    let mut scan = Scan { body, at: 0 };
    let mut items = Vec::new();
    // a byte order mark may precede it
    scan.at = body.find('{').map_or(body.len(), |start| start + 1);
    while scan.next() == Some(b'"') {
        let name = scan.value();
        let is_key = Json::parse(body.get(name).unwrap_or_default())
            .is_ok_and(|name| name.value().as_text() == Some(key));
        scan.skip(b":");
        // of two values for a key, the last counts
        if is_key && scan.next() == Some(b'[') {
            items = scan.items();
        } else {
            scan.value();
        }
        scan.skip(b",");
    }
    items
}

/// A scanner that finds values in valid JSON without reading them.
struct Scan<'b> {
    body: &'b str,
    at: usize,
}

impl Scan<'_> {
    /// Returns the byte at the current position.
    fn byte(&self) -> Option<u8> {
        self.body.as_bytes().get(self.at).copied()
    }

    /// Skips white space and these bytes.
    fn skip(&mut self, bytes: &[u8]) {
        while self
            .byte()
            .is_some_and(|byte| byte.is_ascii_whitespace() || bytes.contains(&byte))
        {
            self.at += 1;
        }
    }

    /// Skips white space and returns the byte after it.
    fn next(&mut self) -> Option<u8> {
        self.skip(b"");
        self.byte()
    }

    /// Skips the list that begins here, and returns the ranges of its values.
    fn items(&mut self) -> Vec<Range<usize>> {
        let mut items = Vec::new();
        self.at += 1;
        self.skip(b"");
        while self.byte().is_some_and(|byte| byte != b']') {
            items.push(self.value());
            self.skip(b",");
        }
        self.at += 1;
        items
    }

    /// Skips white space and a value, and returns the range of the value.
    fn value(&mut self) -> Range<usize> {
        self.skip(b"");
        let start = self.at;
        let mut depth = 0_usize;
        while let Some(byte) = self.byte() {
            match byte {
                b'"' => self.text(),
                b'[' | b'{' => depth += 1,
                b']' | b'}' if depth > 1 => depth -= 1,
                b']' | b'}' if depth == 1 => {
                    self.at += 1;
                    return start..self.at;
                }
                // the end of a value without brackets
                b']' | b'}' | b',' | b':' if depth == 0 => break,
                _ if depth == 0 && byte.is_ascii_whitespace() => break,
                _ => {}
            }
            self.at += 1;
        }
        start..self.at
    }

    /// Skips a string up to its closing quote.
    fn text(&mut self) {
        self.at += 1;
        while self.byte().is_some_and(|byte| byte != b'"') {
            self.at += if self.byte() == Some(b'\\') { 2 } else { 1 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{items_of, without};

    #[test]
    fn items_are_found_and_cut() {
        let body = "\u{feff} {\"messages\": [9], \"a\":{\"messages\":[1]},\"b\" : \"[\\\"\\\\\",\
            \"\\u006dessages\" : [ 1 ,\n{\"x\": \"]\"},[[2],3], null,\"a,b\" ] , \"c\": 1e5}";
        let items = items_of(body, "messages");
        let texts: Vec<&str> = items.iter().map(|item| &body[item.clone()]).collect();
        assert_eq!(texts, ["1", "{\"x\": \"]\"}", "[[2],3]", "null", "\"a,b\""]);
        let cut = |dropped: &[usize]| {
            let rest = without(body, &items, dropped);
            let start = rest.find("\\u006dessages").unwrap();
            let end = rest.find(", \"c\"").unwrap();
            rest[start + 17..end].to_owned()
        };
        assert_eq!(cut(&[]), "[ 1 ,\n{\"x\": \"]\"},[[2],3], null,\"a,b\" ] ");
        assert_eq!(cut(&[0, 2]), "[ {\"x\": \"]\"}, null,\"a,b\" ] ");
        assert_eq!(cut(&[1, 4]), "[ 1,[[2],3], null ] ");
        assert!(items_of("{\"messages\": []}", "messages").is_empty());
        assert!(items_of("{}", "messages").is_empty());
    }
}
