//! What the schema of the answer costs (section 3.6 of the rules).

use super::Family;
use super::request::{JsonSchema, Message, Request};
use super::tally::Tally;
use super::value::put;

impl Tally<'_> {
    pub(super) fn response_format(&mut self, request: &Request<'_>) -> usize {
        let Some(format) = &request.response_format.0 else {
            return 0;
        };
        if self.family != Family::Modern || self.counter.encoding.name() != "o200k_base" {
            self.doubt("answer schemas were recorded only for gpt-4o and gpt-4.1");
        }
        let schema = self.count(&text_of_schema(format));
        if !request.tools.is_empty() {
            return schema + self.numbers.schema_tools;
        }
        let is_system = |message: &Message<'_>| message.role.is_system();
        let has_system = request.messages.iter().any(is_system);
        let alone = if has_system {
            0
        } else {
            self.numbers.schema_alone
        };
        schema + self.numbers.schema + self.count(&format.name) + alone
    }
}

/// A schema as the prompt has it (section 3.6).
fn text_of_schema(format: &JsonSchema<'_>) -> String {
    let mut text = format!("# Response Formats\n\n## {}\n\n", format.name);
    if let Some(description) = &format.description {
        put(&mut text, format_args!("// {description}\n"));
    }
    format
        .schema
        .write_schema(&["required", "additionalProperties"], &mut text);
    text
}
