//! Calls of tools in the history, and their results (section 3.4 of page.md).

use std::collections::HashMap;
use std::iter;

use super::api::Day;
use super::content::Part;
use super::request::{Message, Role, ToolCall};
use super::rules::Rule;
use super::tally::Tally;
use super::value::{Json, LOST_INTEGER, Style, Value, write_text};
use super::{Family, families, invalid};
use crate::error::Error;

/// The first day on which results of parallel calls were recorded without escapes (section 3.4). Until nine days
/// before, text beyond ASCII was escaped.
const UNESCAPED_SINCE: Day = Day::new(2026, 3, 12);

/// The first day without recordings before it.
const ESCAPED_UNTIL: Day = Day::new(2026, 3, 4);

/// The reason for an estimate if arguments are not an object; few recordings have such arguments.
pub(super) const NOT_AN_OBJECT: &str =
    "these arguments are not the JSON text of an object; they are counted as they are";

/// The problems of texts that are JSON, but beyond the limits of the parser, in its words.
const LIMITS: [&str; 2] = ["recursion limit exceeded", "number out of range"];

/// The days from which and until which the `id` of a call cost nothing in the Responses API (section 3.9). Five
/// recordings of 20 and 21 March 2025 have one for free; one of 12 March and one of 28 March were billed for it.
const FREE_ID: (Day, Day) = (Day::new(2025, 3, 20), Day::new(2025, 3, 28));

impl Tally<'_> {
    /// Appends the tokens of a message with tool calls, and of the messages of their results.
    pub(super) fn calls(
        &mut self,
        messages: &[Message<'_>],
        at: usize,
        tokens: &mut Vec<usize>,
    ) -> Result<(), Error> {
        self.uses(Rule::Messages);
        let has_both = |message: &Message<'_>| {
            message.function_call.is_some() && !message.tool_calls.is_empty()
        };
        if let Some(i) = messages.iter().position(has_both) {
            return Err(invalid(
                format!("{}.function_call", self.place(at + i)),
                "this message also has `tool_calls`; use only one of the two",
            ));
        }
        if self.family == Family::Legacy0301 {
            self.unpriced.note(self.calls_of(at), families::NO_TOOLS)?;
            tokens.extend(self.beside_calls(messages, at)?);
            return Ok(());
        }
        if self.is_responses() {
            tokens.extend(self.items(messages, at)?);
            return Ok(());
        }
        let end = tokens.len() + messages.len();
        if let Some((message, results)) = messages.split_first() {
            tokens.extend(self.turn(message, results, at)?);
        }
        // results whose cost is part of the message with the calls cost 0
        tokens.resize(end, 0);
        Ok(())
    }

    /// Counts a message with calls in chat completions, and its results.
    fn turn(
        &mut self,
        message: &Message<'_>,
        results: &[Message<'_>],
        at: usize,
    ) -> Result<Vec<usize>, Error> {
        let order = self.in_order(&message.tool_calls, results, at)?;
        if message.tool_calls.iter().any(|call| call.is_missing) {
            return self.beside_calls(iter::once(message).chain(results), at);
        }
        match (self.family, message.tool_calls.as_slice(), order.as_slice()) {
            (Family::Legacy0613, [call], [result]) => {
                self.uses(Rule::Call);
                // these models see the arguments as they are
                self.parsed(call, at, 0);
                let bare = self.message(message, at)? + self.message(result, at + 1)?;
                let call = self.numbers.legacy_names * self.count(&call.name)
                    + self.count(&call.arguments)
                    + self.numbers.legacy_pair;
                Ok(vec![bare + call])
            }
            (Family::Legacy0613, ..) => {
                let why = "the cost of several calls in one message is unknown for this model; only the service can count them";
                self.unpriced.note(self.calls_of(at), why)?;
                self.beside_calls(iter::once(message).chain(results), at)
            }
            (_, [call], [result]) => self.pair(message, call, result, at),
            (_, _, order) => self.parallel(message, order, at),
        }
    }

    /// Counts the content with a known price if some call has none: the texts, and the calls of functions.
    fn beside_calls<'m, 'a: 'm>(
        &mut self,
        messages: impl IntoIterator<Item = &'m Message<'a>>,
        at: usize,
    ) -> Result<Vec<usize>, Error> {
        let mut tokens = Vec::new();
        for (message, at) in messages.into_iter().zip(at..) {
            if message.role == Role::Tool {
                tokens.push(self.content(message, at)?);
                continue;
            }
            let mut asked = self.said(message, at)?;
            for (i, call) in message.tool_calls.iter().enumerate() {
                if !call.is_missing && !self.is_legacy() {
                    asked += self.call(message, call, at, i);
                }
            }
            tokens.push(asked);
        }
        Ok(tokens)
    }

    /// Counts the text of a message beside its calls; it costs as much as a message of its own.
    fn said(&mut self, message: &Message<'_>, at: usize) -> Result<usize, Error> {
        let is_empty = |part: &Part<'_>| part.as_text().is_some_and(str::is_empty);
        if message.content.iter().all(is_empty) {
            return Ok(0);
        }
        self.uses(Rule::CallWithText);
        let content = self.content(message, at)?;
        Ok(self.frame() + self.role(message.role) + content + self.answer(message))
    }

    /// Counts one call and its result (section 3.4).
    fn pair(
        &mut self,
        message: &Message<'_>,
        call: &ToolCall<'_>,
        result: &Message<'_>,
        at: usize,
    ) -> Result<Vec<usize>, Error> {
        self.uses(Rule::Call);
        let asked = self.said(message, at)? + self.call(message, call, at, 0);
        let content = self.content(result, at + 1)?;
        let answered = self.frame() + self.numbers.result + content + self.count(&call.name);
        Ok(vec![asked + self.pair_frames(), answered])
    }

    /// Counts the header and the arguments of call `i` of a message (section 3.4).
    fn call(&mut self, message: &Message<'_>, call: &ToolCall<'_>, at: usize, i: usize) -> usize {
        let mut header = message.role.name().to_owned();
        if let Some(name) = &message.name {
            self.uses(Rule::Name);
            header = header + ":" + name;
        }
        header = header + " to=functions." + &call.name;
        let mut arguments = String::new();
        match self.parsed(call, at, i) {
            Some(parsed) => parsed.value().write(Style::Compact, &mut arguments),
            None => arguments.push_str(&call.arguments),
        }
        self.frame() + self.count(&header) + self.count(&arguments) + self.numbers.call
    }

    /// Returns the tokens that reasoning models add to a call and its result (sections 3.5 and 3.9).
    fn pair_frames(&self) -> usize {
        match self.family {
            Family::Reasoning if self.group == "o3-mini" => 0,
            Family::Reasoning if self.is_responses() && self.is_later_gpt_5() => {
                self.numbers.reasoning_pair_5_4
            }
            Family::Reasoning => self.numbers.reasoning_pair,
            _ => 0,
        }
    }

    /// Returns whether the model is gpt-5.4 or later.
    fn is_later_gpt_5(&self) -> bool {
        let base = self.counter.base();
        let minor = base.strip_prefix("gpt-5.").map(|rest| {
            let end = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            rest.get(..end).unwrap_or_default().parse().unwrap_or(0)
        });
        minor.is_some_and(|minor: u32| minor >= 4)
    }

    /// Counts calls and results of the Responses API, where each is an item (section 3.9).
    fn items(&mut self, messages: &[Message<'_>], at: usize) -> Result<Vec<usize>, Error> {
        self.uses(Rule::Call);
        let mut waiting: HashMap<&str, &ToolCall<'_>> = HashMap::new();
        let mut tokens = Vec::with_capacity(messages.len());
        for (message, at) in messages.iter().zip(at..) {
            if message.tool_calls.is_empty() {
                let id = message.tool_call_id.as_deref().unwrap_or_default();
                let call = waiting
                    .remove(id)
                    .ok_or_else(|| self.unpaired(message, at))?;
                self.note_images(message, at)?;
                let content = self.content(message, at)?;
                tokens.push(self.frame() + content + self.count_function(&call.name));
                continue;
            }
            by_id(&message.tool_calls, &self.calls_of(at))?;
            for call in &message.tool_calls {
                if waiting.insert(&call.id, call).is_some() {
                    return Err(invalid(
                        format!("{}.call_id", self.place(at)),
                        format!(
                            "another call also has the id {:?}; each call needs an id of its own",
                            call.id
                        ),
                    ));
                }
            }
            if message.tool_calls.len() > 1 || waiting.len() > 1 {
                self.uses(Rule::Parallel);
            }
            tokens.push(self.item_of_calls(message, at)?);
        }
        match waiting.into_keys().min() {
            None => Ok(tokens),
            Some(id) => Err(invalid(
                self.place(at),
                format!(
                    "the result of the call {id:?} is missing; it must follow in an item of its own"
                ),
            )),
        }
    }

    /// Counts the calls of an item, with the frames of their results.
    fn item_of_calls(&mut self, message: &Message<'_>, at: usize) -> Result<usize, Error> {
        let mut tokens = self.said(message, at)?;
        for (i, call) in message.tool_calls.iter().enumerate() {
            tokens += self.call(message, call, at, i) + self.pair_frames();
            if call.has_item_id && !self.is_between(FREE_ID.0, FREE_ID.1) {
                self.uses(Rule::CallId);
                tokens += self.numbers.call_id;
            }
        }
        Ok(tokens)
    }

    /// Counts several calls in one message, which become one call of one tool (section 3.4). The results become one
    /// list, and their messages cost 0 themselves.
    fn parallel(
        &mut self,
        message: &Message<'_>,
        results: &[&Message<'_>],
        at: usize,
    ) -> Result<Vec<usize>, Error> {
        self.uses(Rule::Parallel);
        let asked = self.text_of_calls(&message.tool_calls, at);
        let is_ascii = results.iter().all(|result| result.text().is_ascii());
        let (rule, style) = if self.is_since(UNESCAPED_SINCE) {
            (Rule::ParallelNonAscii, Style::Spaced)
        } else {
            (Rule::ParallelEscaped, Style::Python)
        };
        if !is_ascii {
            self.uses(rule);
            if self.is_between(ESCAPED_UNTIL, UNESCAPED_SINCE) {
                self.doubt(
                    "results of parallel calls were no longer escaped from a day in March 2026 on that no recording shows",
                );
            }
        }
        let answered = self.text_of_results(results, style);
        let mut tokens = self.said(message, at)?
            + self.numbers.parallel
            + self.count(&asked)
            + self.count(&answered);
        if self.family == Family::Reasoning && self.group != "o3-mini" {
            tokens += self.numbers.reasoning_pair;
        }
        Ok(vec![tokens])
    }

    /// Returns several calls as the arguments of one.
    fn text_of_calls(&mut self, calls: &[ToolCall<'_>], at: usize) -> String {
        let mut text = String::from("{\"tool_uses\":[");
        for (i, call) in calls.iter().enumerate() {
            text.push_str(if i > 0 { "," } else { "" });
            text.push_str("{\"recipient_name\":");
            let name = format!("functions.{}", call.name);
            write_text(&name, Style::Compact, &mut text);
            text.push_str(",\"parameters\":");
            // arguments that are not JSON become a string, like such results
            match self.parsed(call, at, i) {
                Some(parsed) => parsed.value().write(Style::Compact, &mut text),
                None => write_text(&call.arguments, Style::Compact, &mut text),
            }
            text.push('}');
        }
        text.push_str("]}");
        text
    }

    /// Writes several results as one list; text that is not JSON is a string in it.
    fn text_of_results(&mut self, results: &[&Message<'_>], style: Style) -> String {
        let mut list = String::from("[");
        for (i, result) in results.iter().enumerate() {
            let text = result.text();
            list.push_str(if i > 0 { style.comma() } else { "" });
            match Json::parse(&text) {
                Ok(json) => {
                    self.integers(json.value());
                    json.value().write(style, &mut list);
                }
                Err(problem) => {
                    self.not_json(&text, &problem);
                    write_text(&text, style, &mut list);
                }
            }
        }
        list.push(']');
        list
    }

    /// Notes a result that is not JSON here, but may be for the service.
    fn not_json(&mut self, text: &str, problem: &str) {
        if ["NaN", "Infinity"].iter().any(|word| text.contains(word)) {
            self.doubt("no recording shows whether `NaN` and `Infinity` in a result are JSON");
        }
        if LIMITS.iter().any(|limit| problem.contains(limit)) {
            self.doubt(
                "no recording shows a result that is nested so deeply, or has so large a number",
            );
        }
    }

    /// Notes integers that are not written as they came.
    fn integers(&mut self, value: Value<'_>) {
        if value.has_lost_integer() {
            self.doubt(LOST_INTEGER);
        }
    }

    /// Returns the results in the order of the calls; each call must have exactly one.
    fn in_order<'m, 'a>(
        &mut self,
        calls: &[ToolCall<'a>],
        results: &'m [Message<'a>],
        at: usize,
    ) -> Result<Vec<&'m Message<'a>>, Error> {
        let mut waiting = by_id(calls, &self.calls_of(at))?;
        let mut order = vec![None; calls.len()];
        for (result, at) in results.iter().zip(at + 1..) {
            self.note_images(result, at)?;
            let id = result.tool_call_id.as_deref().unwrap_or_default();
            let place = waiting.remove(id).and_then(|call| order.get_mut(call));
            *place.ok_or_else(|| self.unpaired(result, at))? = Some(result);
        }
        let missing = order.iter().position(Option::is_none);
        if let Some((i, call)) = missing.and_then(|i| Some((i, calls.get(i)?))) {
            return Err(invalid(
                format!("{}[{i}]", self.calls_of(at)),
                format!(
                    "the result of this call, {:?}, is missing; it must follow in a tool message",
                    call.id
                ),
            ));
        }
        Ok(order.into_iter().flatten().collect())
    }

    /// Notes images in a result, because their cost is unknown.
    fn note_images(&mut self, result: &Message<'_>, at: usize) -> Result<(), Error> {
        let is_image = |part: &Part<'_>| matches!(part, Part::Image(image) if !image.is_missing());
        if !result.content.iter().any(is_image) {
            return Ok(());
        }
        self.unpriced.note(
            self.place_of_content(result, at),
            "the cost of an image in a tool result is unknown; only the service can count it",
        )
    }

    /// Parses the arguments of a call, or returns `None` if they are not JSON. Recordings show only objects and lists.
    fn parsed<'c>(&mut self, call: &'c ToolCall<'_>, at: usize, i: usize) -> Option<Json<'c>> {
        let parsed = Json::parse(&call.arguments).ok();
        let value = parsed.as_ref().map(Json::value);
        if matches!(value, Some(Value::List(_))) {
            self.uses(Rule::CallList);
        } else if !matches!(value, Some(Value::Object(_))) {
            let place = self.place(at);
            let place = if self.is_responses() {
                format!("{place}.arguments")
            } else {
                format!("{place}.tool_calls[{i}].function.arguments")
            };
            self.doubt(&format!("{place}: {NOT_AN_OBJECT}"));
        }
        if let Some(value) = value {
            self.integers(value);
        }
        parsed
    }

    /// Returns the place of the calls of a message.
    fn calls_of(&self, at: usize) -> String {
        format!("{}.tool_calls", self.place(at))
    }
}

/// Returns the index of each call by its id, or an error if two calls have the same id.
fn by_id<'c>(calls: &'c [ToolCall<'_>], path: &str) -> Result<HashMap<&'c str, usize>, Error> {
    let mut places = HashMap::new();
    for (i, call) in calls.iter().enumerate() {
        if places.insert(call.id.as_ref(), i).is_some() {
            return Err(invalid(
                format!("{path}[{i}].id"),
                format!(
                    "another call of this message also has the id {:?}; each call needs an id of its own",
                    call.id
                ),
            ));
        }
    }
    Ok(places)
}
