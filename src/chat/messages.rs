//! The cost of messages, texts and names (section 1 of page.md), and the grouping of calls with their results.

use super::content::Part;
use super::request::{Message, Role};
use super::rules::Rule;
use super::tally::Tally;
use super::{Family, Image, images, invalid};
use crate::chat::api::Api;
use crate::error::Error;

impl Tally<'_> {
    /// Counts each message. The tokens of images are added to `images`, not to the messages.
    pub(super) fn messages(&mut self, messages: &[Message<'_>]) -> Result<Vec<usize>, Error> {
        let mut tokens = Vec::with_capacity(messages.len());
        while tokens.len() < messages.len() {
            let at = tokens.len();
            let end = at + exchange_len(messages, at, self.api);
            self.exchange(messages.get(at..end).unwrap_or_default(), at, &mut tokens)?;
        }
        Ok(tokens)
    }

    /// Appends the tokens of one message, or of calls and their results. The first message has the index `at`.
    pub(super) fn exchange(
        &mut self,
        messages: &[Message<'_>],
        at: usize,
        tokens: &mut Vec<usize>,
    ) -> Result<(), Error> {
        let Some(message) = messages.first() else {
            return Ok(());
        };
        let is_wrong =
            |message: &Message<'_>| message.has_call() && message.role != Role::Assistant;
        if let Some(i) = messages.iter().position(is_wrong) {
            return Err(invalid(
                self.place(at + i),
                "only assistant messages can have calls; move them to one",
            ));
        }
        if message.role == Role::Tool {
            return Err(self.unpaired(message, at));
        }
        #[cfg(feature = "json")]
        if !message.tool_calls.is_empty() {
            return self.calls(messages, at, tokens);
        }
        for (i, message) in messages.iter().enumerate() {
            tokens.push(self.message(message, at + i)?);
        }
        Ok(())
    }

    /// Counts a message without tool calls.
    pub(super) fn message(&mut self, message: &Message<'_>, at: usize) -> Result<usize, Error> {
        self.uses(Rule::Messages);
        let mut tokens = self.content(message, at)? + self.frame() + self.header(message);
        if message.role == Role::Assistant {
            tokens += self.answer(message);
        }
        if message.role == Role::Function {
            self.uses(Rule::FunctionResult);
        }
        if let Some(call) = &message.function_call {
            self.uses(Rule::FunctionCall);
            tokens +=
                self.numbers.function_call + self.count(&call.name) + self.count(&call.arguments);
        }
        Ok(tokens)
    }

    /// Returns the tokens that gpt-5 adds to a text of the assistant, for the name of its channel (section 1).
    pub(super) fn answer(&mut self, message: &Message<'_>) -> usize {
        if self.family != Family::Reasoning || message.texts().all(str::is_empty) {
            return 0;
        }
        self.uses(Rule::Answer);
        if self.group == "gpt-5" {
            self.numbers.answer
        } else {
            0
        }
    }

    /// Counts the role and the name (section 1).
    fn header(&mut self, message: &Message<'_>) -> usize {
        let role = self.role(message.role);
        match &message.name {
            None => role,
            // the name of a tool message costs nothing
            Some(_) if message.role == Role::Tool => role,
            Some(name) if message.role == Role::Function => {
                (role + self.numbers.function_name + self.count(name))
                    .saturating_sub(self.numbers.function_saves)
            }
            Some(name) if self.family == Family::Legacy0301 => {
                self.uses(Rule::Name);
                (role + self.count(name)).saturating_sub(self.numbers.name_0301)
            }
            Some(name) => {
                self.uses(Rule::Name);
                self.count(&format!("{}:{name}", message.role.name()))
            }
        }
    }

    /// Counts the texts of a message; neighbouring texts are joined first. The tokens of images are added to `images`.
    pub(super) fn content(&mut self, message: &Message<'_>, at: usize) -> Result<usize, Error> {
        let mut tokens = 0;
        let mut next = 0;
        for parts in message.content.chunk_by(are_texts) {
            let i = next;
            next += parts.len();
            match parts {
                // these parts were noted already
                [Part::Image(image)] if image.is_missing() || message.role == Role::Tool => {}
                [Part::Image(image)] => {
                    if let Err(why) = self.image(message.role, *image, i == 0) {
                        let place = self.place_of_content(message, at);
                        self.unpriced.note(format!("{place}[{i}]"), why)?;
                    }
                }
                [Part::Text(text)] => tokens += self.count(text),
                _ => {
                    self.uses(Rule::Parts);
                    let texts = parts.iter().filter_map(Part::as_text);
                    tokens += self.count(&texts.collect::<String>());
                }
            }
        }
        Ok(tokens)
    }

    /// Adds the tokens of an image to `images`, or returns the reason why its price is not known.
    fn image(&mut self, role: Role, image: Image, is_first: bool) -> Result<(), &'static str> {
        if role != Role::User {
            return Err("the cost of an image is known only in user messages; move it to one");
        }
        let sent = images::Sent {
            model: &self.counter.base(),
            api: self.api,
            day: self.counter.day,
            is_first,
            has_calls: self.has_calls,
        };
        let cost = images::cost(sent, image)?;
        if is_first {
            self.uses(Rule::ImageFirst);
        }
        self.uses(if cost.is_earlier {
            Rule::ImageEarlier
        } else {
            Rule::Image
        });
        self.images += cost.tokens;
        self.doubts.extend(cost.estimate.map(str::to_owned));
        Ok(())
    }

    /// Returns the error for a result without a call that waits for it.
    pub(super) fn unpaired(&self, result: &Message<'_>, at: usize) -> Error {
        let id = result.tool_call_id.as_deref().unwrap_or_default();
        let key = if self.is_responses() {
            "call_id"
        } else {
            "tool_call_id"
        };
        invalid(
            format!("{}.{key}", self.place(at)),
            format!(
                "no call directly before this result has the id {id:?}, or it already has a result; put one result after each call"
            ),
        )
    }
}

/// Returns whether both parts are texts, which are joined if they are neighbours.
fn are_texts(one: &Part<'_>, next: &Part<'_>) -> bool {
    one.as_text().is_some() && next.as_text().is_some()
}

/// Returns the number of messages from this one on that belong together: calls and their results, or the message alone.
///
/// In the Responses API, each call is an item. There, all calls and results in a row belong together.
pub(super) fn exchange_len(messages: &[Message<'_>], at: usize, api: Api) -> usize {
    let (Some(message), Some(rest)) = (messages.get(at), messages.get(at + 1..)) else {
        return 1;
    };
    let answers = match message {
        Message { tool_calls, .. } if !tool_calls.is_empty() => Role::Tool,
        Message {
            function_call: Some(_),
            ..
        } => Role::Function,
        _ => return 1,
    };
    let has_items = api == Api::Responses && !message.tool_calls.is_empty();
    let belongs =
        |next: &&Message<'_>| next.role == answers || has_items && !next.tool_calls.is_empty();
    1 + rest.iter().take_while(belongs).count()
}
