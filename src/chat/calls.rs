//! Calls of tools in the history, and their results.

use std::collections::HashMap;

use super::content::Part;
use super::messages::unpaired;
use super::request::{Message, ToolCall};
use super::tally::Tally;
use super::value::{Style, Value, write_text};
use super::{Family, families, invalid, unsupported};
use crate::error::Error;

impl Tally<'_> {
    /// Appends the tokens of a message with tool calls, and of the messages of their results.
    pub(super) fn calls(
        &mut self,
        messages: &[Message<'_>],
        at: usize,
        tokens: &mut Vec<usize>,
    ) -> Result<(), Error> {
        let end = tokens.len() + messages.len();
        if let Some((message, results)) = messages.split_first() {
            tokens.extend(self.turn(message, results, at)?);
        }
        // results that the calls carry cost nothing of their own
        tokens.resize(end, 0);
        Ok(())
    }

    fn turn(
        &mut self,
        message: &Message<'_>,
        results: &[Message<'_>],
        at: usize,
    ) -> Result<Vec<usize>, Error> {
        if message.function_call.is_some() {
            return Err(invalid(
                format!("messages[{at}].function_call"),
                "this message also has `tool_calls`; use only one of the two",
            ));
        }
        let order = in_order(&message.tool_calls, results, at)?;
        let path = format!("messages[{at}].tool_calls");
        match (self.family, message.tool_calls.as_slice(), order.as_slice()) {
            (Family::Legacy0301, ..) => Err(unsupported(path, families::NO_TOOLS)),
            (Family::Legacy0613, [call], [result]) => {
                if self.is_model("gpt-3.5") {
                    self.doubt("the only recorded call of this model was billed 1 token more");
                }
                let bare = self.message(message, at)? + self.message(result, at + 1)?;
                let call = self.numbers.legacy_names * self.count(&call.name)
                    + self.count(&call.arguments)
                    + self.numbers.legacy_pair;
                Ok(vec![bare + call])
            }
            (Family::Legacy0613, ..) => Err(unsupported(
                path,
                "the cost of several calls in one message is unknown for this model; only the service can count them",
            )),
            (_, [call], [result]) => self.pair(message, call, result, at),
            (_, _, order) => self.parallel(message, order, at),
        }
    }

    /// What a message says beside its calls is a message of its own.
    fn said(&mut self, message: &Message<'_>, at: usize) -> Result<usize, Error> {
        let is_empty = |part: &Part<'_>| matches!(part, Part::Text(text) if text.is_empty());
        if message.content.iter().all(is_empty) {
            return Ok(0);
        }
        let content = self.content(message, at)?;
        Ok(self.frame() + self.role(message.role) + content)
    }

    /// One call and its result (section 3.4).
    fn pair(
        &mut self,
        message: &Message<'_>,
        call: &ToolCall<'_>,
        result: &Message<'_>,
        at: usize,
    ) -> Result<Vec<usize>, Error> {
        let mut arguments = String::new();
        parsed(call, at, 0)?.write(Style::Compact, &mut arguments);
        let mut header = message.role.name().to_owned();
        if let Some(name) = &message.name {
            header = header + ":" + name;
        }
        header = header + " to=functions." + &call.name;
        let frame = self.frame();
        let mut asked = self.said(message, at)?;
        asked += frame + self.count(&header) + self.count(&arguments) + self.numbers.call;
        let content = self.content(result, at + 1)?;
        let answered = frame + self.numbers.result + content + self.count(&call.name);
        if self.family == Family::Reasoning {
            self.doubt("the cost of calls with reasoning models changes without notice");
            asked += self.numbers.reasoning_pair;
        }
        Ok(vec![asked, answered])
    }

    /// Several calls in one message, which become one call of one tool (section 3.4). The results become one list, and
    /// their messages cost nothing of their own.
    fn parallel(
        &mut self,
        message: &Message<'_>,
        results: &[&Message<'_>],
        at: usize,
    ) -> Result<Vec<usize>, Error> {
        let asked = text_of_calls(&message.tool_calls, at)?;
        let answered = text_of_results(results);
        let is_seen = self.is_model("gpt-4o") || self.counter.model.is_none();
        let is_modern = self.family == Family::Modern;
        if !is_seen || !is_modern || self.counter.encoding.name() != "o200k_base" {
            self.doubt("several calls in one message were recorded only for gpt-4o");
        }
        let tokens = self.said(message, at)?
            + self.numbers.parallel
            + self.count(&asked)
            + self.count(&answered);
        Ok(vec![tokens])
    }

    /// Whether the model's name begins so.
    fn is_model(&self, name: &str) -> bool {
        let model = self.counter.model.as_deref().unwrap_or_default();
        families::base(model).starts_with(name)
    }
}

/// Several calls as the arguments of one.
fn text_of_calls(calls: &[ToolCall<'_>], at: usize) -> Result<String, Error> {
    let mut text = String::from("{\"tool_uses\":[");
    for (i, call) in calls.iter().enumerate() {
        text.push_str(if i > 0 { "," } else { "" });
        text.push_str("{\"recipient_name\":");
        let name = format!("functions.{}", call.name);
        write_text(&name, Style::Compact, &mut text);
        text.push_str(",\"parameters\":");
        parsed(call, at, i)?.write(Style::Compact, &mut text);
        text.push('}');
    }
    text.push_str("]}");
    Ok(text)
}

/// Several results as one list; what is no JSON is a text in it.
fn text_of_results(results: &[&Message<'_>]) -> String {
    let texts: Vec<String> = results
        .iter()
        .map(|result| result.texts().collect())
        .collect();
    let values = texts
        .iter()
        .map(|text| Value::parse(text).unwrap_or_else(|_| Value::Text(text.as_str().into())));
    let mut list = String::new();
    Value::List(values.collect()).write(Style::Python, &mut list);
    list
}

/// The results in the order of the calls.
fn in_order<'m, 'a>(
    calls: &[ToolCall<'a>],
    results: &'m [Message<'a>],
    at: usize,
) -> Result<Vec<&'m Message<'a>>, Error> {
    let mut waiting = by_id(calls, at)?;
    let mut order = vec![None; calls.len()];
    for (result, at) in results.iter().zip(at + 1..) {
        let is_image = |part: &Part<'_>| matches!(part, Part::Image(_));
        if result.content.iter().any(is_image) {
            return Err(unsupported(
                format!("messages[{at}].content"),
                "the cost of an image in a tool result is unknown; only the service can count it",
            ));
        }
        let id = result.tool_call_id.as_deref().unwrap_or_default();
        let place = waiting.remove(id).and_then(|call| order.get_mut(call));
        *place.ok_or_else(|| unpaired(result, at))? = Some(result);
    }
    let missing = order.iter().position(Option::is_none);
    if let Some((i, call)) = missing.and_then(|i| Some((i, calls.get(i)?))) {
        return Err(invalid(
            format!("messages[{at}].tool_calls[{i}]"),
            format!(
                "the result of this call, {:?}, is missing; it must follow in a tool message",
                call.id
            ),
        ));
    }
    Ok(order.into_iter().flatten().collect())
}

/// Where the calls are by their ids.
fn by_id<'c>(calls: &'c [ToolCall<'_>], at: usize) -> Result<HashMap<&'c str, usize>, Error> {
    let mut places = HashMap::new();
    for (i, call) in calls.iter().enumerate() {
        if places.insert(call.id.as_ref(), i).is_some() {
            return Err(invalid(
                format!("messages[{at}].tool_calls[{i}].id"),
                format!(
                    "another call of this message also has the id {:?}; each call needs an id of its own",
                    call.id
                ),
            ));
        }
    }
    Ok(places)
}

/// The arguments of a call.
fn parsed<'c>(call: &'c ToolCall<'_>, at: usize, i: usize) -> Result<Value<'c>, Error> {
    Value::parse_object(&call.arguments).map_err(|problem| {
        invalid(
            format!("messages[{at}].tool_calls[{i}].function.arguments"),
            problem,
        )
    })
}
