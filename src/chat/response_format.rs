//! The cost of the schema of the answer (section 3.6 of the rules).

use super::Family;
use super::path::{Notes, Path};
use super::request::{JsonSchema, Request, Role};
use super::rules::Rule;
use super::tally::Tally;
use super::value::{LOST_INTEGER, Object, Value, put};

/// Keywords of a schema that the prompt does not have (section 3.6).
const DROPPED: &[&str] = &[
    "required",
    "additionalProperties",
    "default",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
];

/// Keywords that recordings show: the prompt has them as they are, or not at all.
const KEYWORDS: &[&str] = &[
    "$defs",
    "$ref",
    "additionalProperties",
    "anyOf",
    "const",
    "default",
    "definitions",
    "description",
    "enum",
    "items",
    "maxItems",
    "maximum",
    "minItems",
    "minimum",
    "properties",
    "required",
    "title",
    "type",
];

/// The keywords among them whose values are or hold schemas.
const HOLDERS: [&str; 5] = ["properties", "$defs", "definitions", "items", "anyOf"];

impl Tally<'_> {
    /// Counts the schema of the answer; formats without a schema cost 0.
    pub(super) fn response_format(&mut self, request: &Request<'_>) -> usize {
        let Some(format) = &request.response_format.0 else {
            return 0;
        };
        self.uses(Rule::Schema);
        self.keywords(format.schema.value());
        let text = text_of_schema(format);
        let answers = self.schema_answers(request, format);
        if self.is_responses() {
            return self.count(&text) + answers + self.schema_responses();
        }
        if !request.tools.is_empty() {
            self.uses(Rule::SchemaTools);
            return self.count(&text) + answers + self.numbers.schema_tools;
        }
        let system = self.first_system(&request.messages);
        if system.is_some() {
            self.uses(Rule::SchemaSystem);
        }
        if self.family == Family::Reasoning {
            return match system {
                None => self.numbers.schema_alone + self.count(&text),
                Some(system) => self
                    .count(&format!("# Instructions\n\n{system}\n\n{text}"))
                    .saturating_sub(self.count(&system)),
            };
        }
        let schema = match system {
            None => self.numbers.schema_alone + self.count(&text),
            Some(system) => self.plus_after(0, &system, &format!("\n\n{text}")),
        };
        schema + self.numbers.schema + self.count(&format.name) + answers
    }

    /// Adds a reason for each keyword of a schema that no recording shows.
    fn keywords(&mut self, schema: Value<'_>) {
        let notes = Notes::default();
        let root = Path::Body(&notes);
        let (text, format) = (root.key("text"), root.key("response_format"));
        let (text, format) = (text.key("format"), format.key("json_schema"));
        let format = if self.is_responses() { text } else { format };
        let path = format.key("schema");
        note_keywords(&path, schema);
        if schema.has_lost_integer() {
            path.doubt(LOST_INTEGER);
        }
        self.doubts.extend(notes.take_reasons());
    }

    /// Returns the tokens that the Responses API adds to the text of a schema (section 3.9).
    fn schema_responses(&self) -> usize {
        match self.family {
            Family::Reasoning => 0,
            _ => self.numbers.schema_responses,
        }
    }

    /// Counts the name of the schema at each answer in the history. Reasoning models and the Responses API do not have
    /// it.
    fn schema_answers(&mut self, request: &Request<'_>, format: &JsonSchema<'_>) -> usize {
        if self.family == Family::Reasoning || self.is_responses() {
            return 0;
        }
        let answers = request.messages.iter().filter(|message| {
            message.role == Role::Assistant && message.texts().any(|text| !text.is_empty())
        });
        let answers = answers.count();
        if answers > 0 {
            self.uses(Rule::SchemaAnswer);
        }
        answers * (self.numbers.schema_answer + self.count(&format.name))
    }
}

/// Returns the text of a schema in the prompt (section 3.6).
fn text_of_schema(format: &JsonSchema<'_>) -> String {
    let mut text = format!("# Response Formats\n\n## {}\n\n", format.name);
    if let Some(description) = &format.description {
        put(&mut text, format_args!("// {description}\n"));
    }
    format.schema.value().write_schema(DROPPED, &mut text);
    text
}

/// Notes the unknown keywords of a schema and of all schemas in it.
fn note_keywords(path: &Path<'_>, schema: Value<'_>) {
    for (key, value) in schema.as_object().into_iter().flat_map(Object::iter) {
        let at = path.key(key);
        match (key, value) {
            ("properties" | "$defs" | "definitions", Value::Object(named)) => {
                for (name, schema) in named.iter() {
                    note_keywords(&at.key(name), schema);
                }
            }
            ("items", Value::Object(_)) => note_keywords(&at, value),
            ("anyOf", Value::List(variants)) => {
                for (i, variant) in variants.iter().enumerate() {
                    note_keywords(&at.at(i), variant);
                }
            }
            _ if !KEYWORDS.contains(&key) || HOLDERS.contains(&key) => {
                path.doubt_key(key, "no recording shows how this keyword is written");
            }
            _ => {}
        }
    }
}
