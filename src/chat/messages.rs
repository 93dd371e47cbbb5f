//! Messages, and the calls among them.

use super::content::Part;
use super::request::{Message, Role};
use super::tally::Tally;
use super::{Family, Image, images, invalid, unsupported};
use crate::error::Error;

impl Tally<'_> {
    /// The tokens of each message; those of its images are added to the sum of all images.
    pub(super) fn messages(&mut self, messages: &[Message<'_>]) -> Result<Vec<usize>, Error> {
        let mut tokens = Vec::with_capacity(messages.len());
        while tokens.len() < messages.len() {
            let at = tokens.len();
            let end = at + exchange_len(messages, at);
            self.exchange(messages.get(at..end).unwrap_or_default(), at, &mut tokens)?;
        }
        Ok(tokens)
    }

    /// Appends the tokens of one message, or of calls and their results; the first of them is at `at`.
    pub(super) fn exchange(
        &mut self,
        messages: &[Message<'_>],
        at: usize,
        tokens: &mut Vec<usize>,
    ) -> Result<(), Error> {
        let Some(message) = messages.first() else {
            return Ok(());
        };
        if message.has_call() && message.role != Role::Assistant {
            return Err(invalid(
                format!("messages[{at}]"),
                "only assistant messages can have calls; move them to one",
            ));
        }
        if message.role == Role::Tool {
            return Err(unpaired(message, at));
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

    /// A message without tool calls.
    pub(super) fn message(&mut self, message: &Message<'_>, at: usize) -> Result<usize, Error> {
        let tokens = self.content(message, at)? + self.frame() + self.header(message);
        if self.family != Family::Legacy0613 {
            if message.role == Role::Function {
                self.doubt("function messages were recorded only for the models of June 2023");
            }
            if message.function_call.is_some() {
                self.doubt("function calls were recorded only for the models of June 2023");
            }
        }
        let call = message.function_call.as_ref().map_or(0, |call| {
            self.numbers.function_call + self.count(&call.name) + self.count(&call.arguments)
        });
        Ok(tokens + call)
    }

    /// The role and the name.
    fn header(&mut self, message: &Message<'_>) -> usize {
        let role = self.role(message.role);
        match &message.name {
            None => role,
            // a tool's own name costs nothing
            Some(_) if message.role == Role::Tool => role,
            Some(name) if message.role == Role::Function => {
                (role + self.numbers.function_name + self.count(name))
                    .saturating_sub(self.numbers.function_saves)
            }
            Some(name) if self.family == Family::Legacy0301 => {
                (role + self.count(name)).saturating_sub(self.numbers.name_0301)
            }
            Some(name) => {
                if self.family == Family::Reasoning {
                    self.doubt("no recording shows a name with a reasoning model");
                }
                self.count(&format!("{}:{name}", message.role.name()))
            }
        }
    }

    /// The texts of a message; its images are added to those of all.
    pub(super) fn content(&mut self, message: &Message<'_>, at: usize) -> Result<usize, Error> {
        let mut tokens = 0;
        let mut last = 0;
        for (i, part) in message.content.iter().enumerate() {
            match part {
                Part::Text(text) => {
                    last = self.count(text);
                    tokens += last;
                }
                Part::Image(image) => {
                    let unknown = |why| unsupported(format!("messages[{at}].content[{i}]"), why);
                    self.image(message.role, *image).map_err(unknown)?;
                }
            }
        }
        if self.system.is_none() && self.is_system(message.role) {
            self.system = Some((at, last));
        }
        Ok(tokens)
    }

    /// Adds an image to those of all, or says why that cannot be done.
    fn image(&mut self, role: Role, image: Image) -> Result<(), &'static str> {
        if role != Role::User {
            return Err("the cost of an image is known only in user messages; move it to one");
        }
        let model = self.counter.model.as_deref().unwrap_or_default();
        let cost = images::cost(model, image)?;
        self.images += cost.tokens;
        self.doubts.extend(cost.estimate.map(str::to_owned));
        Ok(())
    }
}

/// How many messages belong together from this one on: calls and their results, or the message alone.
pub(super) fn exchange_len(messages: &[Message<'_>], at: usize) -> usize {
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
    1 + rest.iter().take_while(|next| next.role == answers).count()
}

/// What is wrong with a result that no call waits for.
pub(super) fn unpaired(result: &Message<'_>, at: usize) -> Error {
    let id = result.tool_call_id.as_deref().unwrap_or_default();
    invalid(
        format!("messages[{at}].tool_call_id"),
        format!(
            "no call directly before this result has the id {id:?}, or it already has a result; put one result after each call"
        ),
    )
}
