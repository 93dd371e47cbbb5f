//! Tool definitions as the text that the model sees: a namespace of TypeScript types.
//!
//! Two renderings: that of the models of June 2023, and a newer one. Both are facts about counts; section numbers are
//! those of the rules.
#![cfg_attr(not(feature = "json"), allow(dead_code))] // parameters are JSON

use std::collections::HashSet;

use super::path::Path;
use super::request::{Request, Tool};
use super::value::{Object, Style, Value, put};
use crate::error::Error;

/// How deep a schema may be, and how many references may lead to one.
const MAX_DEPTH: usize = 128;
/// How long the rendered tools may become, in bytes: references can double it at every level.
const MAX_TEXT: usize = 1 << 24;
/// How many keys of schemas are looked at for one request: references can double them too.
const MAX_STEPS: usize = 1 << 23;
/// So many bytes of a text count as one key, as each entry of a list does.
const STEP: usize = 64;

/// The longest place that a reason is given with, in characters: keys may be of any length.
const MAX_PLACE: usize = 200;

/// Keywords of which no recording tells how they are written.
const UNSEEN: &[&str] = &[
    "format",
    "oneOf",
    "allOf",
    "not",
    "patternProperties",
    "prefixItems",
];

/// Section 3.1: the spaces that an object inside another is moved by.
const INDENT: usize = 2;

/// How tools are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rendering {
    /// Section 3.1.
    Legacy,
    /// Section 3.2.
    Modern,
}

/// Appends the namespace of all tools. What cannot be told for sure is noted in `doubts`.
pub(super) fn render(
    request: &Request<'_>,
    rendering: Rendering,
    doubts: &mut Vec<String>,
    out: &mut String,
) -> Result<(), Error> {
    out.push_str("namespace functions {\n\n");
    let mut steps = 0;
    for (i, tool) in request.tools.iter().enumerate() {
        let mut writer = Writer {
            root: tool.parameters.as_deref(),
            open: Vec::new(),
            depth: 0,
            steps,
            doubts,
            out,
        };
        let list = Path::Root;
        let (functions, tools) = (list.key("functions"), list.key("tools"));
        let (older, newer) = (functions.at(i), tools.at(i));
        let newer = newer.key("function");
        let at = if request.are_functions { older } else { newer };
        match rendering {
            Rendering::Legacy => writer.legacy(&at.key("parameters"), tool)?,
            Rendering::Modern => writer.modern(&at.key("parameters"), tool)?,
        }
        steps = writer.steps;
        out.push('\n');
    }
    out.push_str("} // namespace functions");
    Ok(())
}

/// What a schema says, with what it refers to in place.
#[derive(Clone, Copy, Default)]
struct Schema<'w> {
    kind: Option<&'w Value<'w>>,
    title: Option<&'w str>,
    description: Option<&'w str>,
    default: Option<&'w Value<'w>>,
    values: Option<&'w [Value<'w>]>,
    properties: Option<&'w Object<'w>>,
    required: Option<&'w [Value<'w>]>,
    items: Option<&'w Value<'w>>,
    variants: Option<&'w [Value<'w>]>,
    is_const: bool,
    /// A keyword of which no recording tells how it is written.
    unseen: Option<&'w str>,
    reference: Option<&'w Value<'w>>,
    /// How many keys it has, and what texts and lists count as.
    steps: usize,
}

impl<'w> Schema<'w> {
    /// Adds what a value says. What is there already comes before it.
    fn read(&mut self, at: &Path<'_>, value: &'w Value<'w>) -> Result<(), Error> {
        let text =
            |key, value: &'w Value<'w>| Ok::<_, Error>(text_of(Some(at.key(key).text(value)?)));
        let list = |key, value: &'w Value<'w>| at.key(key).list(value);
        for (key, value) in at.object(value)?.iter() {
            self.steps += 1 + steps(value);
            if *value == Value::Null && key != "default" && key != "const" {
                continue;
            }
            match key {
                "type" => self.kind = self.kind.or(Some(value)),
                "title" => self.title = self.title.or(text(key, value)?),
                "description" => self.description = self.description.or(text(key, value)?),
                "default" => self.default = self.default.or(Some(value)),
                "enum" => self.values = self.values.or(Some(list(key, value)?)),
                "properties" => {
                    let properties = at.key(key).object(value)?;
                    self.properties = self.properties.or(Some(properties));
                }
                "required" => self.required = self.required.or(Some(list(key, value)?)),
                "items" => self.items = self.items.or(Some(value)),
                "anyOf" => self.variants = self.variants.or(Some(list(key, value)?)),
                "const" => self.is_const = true,
                "$ref" => self.reference = Some(value),
                _ if UNSEEN.contains(&key) => self.unseen = Some(key),
                _ => {}
            }
        }
        Ok(())
    }

    /// Why it is not known how it is written.
    fn unseen(&self) -> Option<String> {
        let is_nested = self.properties.is_some() || self.items.is_some() || self.values.is_some();
        if let Some(key) = self.unseen {
            Some(format!("how the prompt shows `{key}` was never seen"))
        } else if self.variants.is_some() && (self.kind.is_some() || is_nested) {
            Some("what stands beside an `anyOf` was never seen".to_owned())
        } else if self.variants.is_none() && self.kind.is_none() && is_nested {
            Some("schemas without a `type` were never seen".to_owned())
        } else {
            None
        }
    }

    fn has_comment(&self) -> bool {
        self.description.is_some() || self.title.is_some() || self.default.is_some()
    }

    fn kind(&self) -> Option<&'w str> {
        self.kind?.as_text()
    }

    /// The properties of an object; none is as good as an empty list.
    fn properties(&self) -> Option<&'w Object<'w>> {
        self.properties.filter(|properties| !properties.is_empty())
    }

    /// Marks the properties that an object may lack.
    fn marks(&self) -> impl Fn(&str) -> &'static str {
        let required = self.required.unwrap_or_default();
        // a few are faster compared one by one
        let many: Option<HashSet<&str>> =
            (required.len() > 16).then(|| required.iter().filter_map(Value::as_text).collect());
        move |key| {
            let is_required = match &many {
                Some(many) => many.contains(key),
                None => required.iter().any(|name| name.as_text() == Some(key)),
            };
            if is_required { "" } else { "?" }
        }
    }
}

/// Writes the type of one tool.
struct Writer<'w, 'o> {
    /// What references start from.
    root: Option<&'w Value<'w>>,
    /// The references that are being followed.
    open: Vec<&'w str>,
    depth: usize,
    steps: usize,
    doubts: &'o mut Vec<String>,
    out: &'o mut String,
}

impl<'w> Writer<'w, '_> {
    /// Does what `act` does to a schema; the references that it leads through are open meanwhile.
    fn resolve<T>(
        &mut self,
        at: &Path<'_>,
        value: &'w Value<'w>,
        act: impl FnOnce(&mut Self, &Path<'_>, &Schema<'w>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let open = self.open.len();
        let mut schema = Schema::default();
        let mut next = Some(value);
        while let Some(value) = next {
            schema.read(at, value)?;
            self.steps += 1 + std::mem::take(&mut schema.steps);
            self.check(at)?;
            let reference = schema.reference.take();
            if reference.is_some() && value.as_object().is_some_and(|keys| keys.0.len() > 1) {
                self.doubt(at, "what stands beside a `$ref` was never seen");
            }
            let follow = |reference| self.follow(&at.key("$ref"), reference);
            next = reference.map(follow).transpose()?;
        }
        self.depth += 1;
        self.check(at)?;
        if let Some(reason) = schema.unseen() {
            self.doubt(at, &reason);
        }
        let done = act(self, at, &schema)?;
        self.depth -= 1;
        self.open.truncate(open);
        Ok(done)
    }

    /// Refuses schemas without end, and those whose references make much of little.
    fn check(&self, at: &Path<'_>) -> Result<(), Error> {
        if self.depth > MAX_DEPTH || self.open.len() > MAX_DEPTH {
            return Err(at.invalid(format!(
                "the schema is more than {MAX_DEPTH} levels deep, with what its references lead to"
            )));
        }
        if self.steps > MAX_STEPS || self.out.len() > MAX_TEXT {
            return Err(at.invalid(
                "the schemas of the tools are too large, with what their references lead to",
            ));
        }
        Ok(())
    }

    /// What a reference leads to, with the reference open.
    fn follow(&mut self, at: &Path<'_>, reference: &'w Value<'w>) -> Result<&'w Value<'w>, Error> {
        let Some(reference) = reference.as_text() else {
            let kind = reference.kind();
            return Err(at.invalid(format!("a reference must be a string, not {kind}")));
        };
        if self.open.contains(&reference) {
            return Err(at.invalid(format!(
                "the reference {reference:?} leads back to itself; such a schema has no end"
            )));
        }
        self.open.push(reference);
        let Some(keys) = reference.strip_prefix('#') else {
            return Err(at.invalid(format!(
                "the reference {reference:?} leads out of the schema; put what it means in its place"
            )));
        };
        let mut found = self.root;
        for key in keys.split('/').skip(1) {
            let object = found.and_then(Value::as_object);
            self.steps += object.map_or(0, |object| object.0.len());
            let key = key.replace("~1", "/").replace("~0", "~");
            found = object.and_then(|object| object.get(&key));
        }
        found.ok_or_else(|| at.invalid(format!("the reference {reference:?} leads nowhere")))
    }

    /// Notes a reason once, with the first place it has.
    fn doubt(&mut self, at: &Path<'_>, reason: &str) {
        if !self.doubts.iter().any(|doubt| doubt.ends_with(reason)) {
            let place: String = at.to_string().chars().take(MAX_PLACE).collect();
            self.doubts.push(format!("{place}: {reason}"));
        }
    }

    /// Writes a function around its parameters.
    fn function(
        &mut self,
        at: &Path<'_>,
        name: &str,
        parameters: impl FnOnce(&mut Self, &Path<'_>, &Schema<'w>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.write(&["type ", name, " = ("]);
        if let Some(root) = self.root {
            self.resolve(at, root, |writer, at, schema| {
                if schema.kind.is_some() && schema.kind() != Some("object") {
                    return Err(at.key("type").invalid("parameters must be an object"));
                }
                if schema.properties().is_some() {
                    writer.out.push_str("_: ");
                    parameters(writer, at, schema)?;
                }
                Ok(())
            })?;
        }
        self.out.push_str(") => any;\n");
        Ok(())
    }

    fn write(&mut self, texts: &[&str]) {
        self.out.extend(texts.iter().copied());
    }

    /// Section 3.1.
    fn legacy(&mut self, at: &Path<'_>, tool: &'w Tool<'w>) -> Result<(), Error> {
        if let Some(description) = text_of(tool.description.as_deref()) {
            self.write(&["// ", description, "\n"]);
        }
        self.function(at, &tool.name, |writer, at, schema| {
            writer.legacy_object(at, schema, 0)
        })
    }

    /// An object, with its properties a line each.
    fn legacy_object(
        &mut self,
        at: &Path<'_>,
        schema: &Schema<'w>,
        indent: usize,
    ) -> Result<(), Error> {
        self.out.push_str("{\n");
        let mark = schema.marks();
        let properties = schema.properties();
        for (key, property) in properties.into_iter().flat_map(Object::iter) {
            let at = at.key("properties");
            self.resolve(&at.key(key), property, |writer, at, property| {
                // inside another object nothing is described
                if let Some(description) = property.description.filter(|_| indent == 0) {
                    writer.write(&["// ", description, "\n"]);
                }
                put(
                    writer.out,
                    format_args!("{:indent$}{key}{}: ", "", mark(key)),
                );
                writer.legacy_type(at, property, indent)
            })?;
            self.out.push_str(",\n");
        }
        if properties.is_none() {
            self.out.push('\n');
        }
        self.out.push('}');
        Ok(())
    }

    fn legacy_type(
        &mut self,
        at: &Path<'_>,
        schema: &Schema<'w>,
        indent: usize,
    ) -> Result<(), Error> {
        let inner = |writer: &mut Self, at: &Path<'_>, schema: &Schema<'w>| {
            writer.legacy_type(at, schema, indent)
        };
        if let Some(variants) = schema.variants {
            return self.variants(at, variants, inner);
        }
        match schema.kind() {
            Some("array") => self.array(at, schema, inner),
            Some("object") => self.legacy_object(at, schema, indent + INDENT),
            _ => self.plain_type(at, schema),
        }
    }

    /// Section 3.2.
    fn modern(&mut self, at: &Path<'_>, tool: &'w Tool<'w>) -> Result<(), Error> {
        self.comment(text_of(tool.description.as_deref()));
        self.function(at, &tool.name, |writer, at, schema| {
            writer.comment(schema.title);
            if schema.description.is_some() {
                writer.doubt(at, "the description of all parameters was never seen");
            }
            writer.modern_object(at, schema)
        })
    }

    /// An object, on one line if nothing in it has a comment.
    fn modern_object(&mut self, at: &Path<'_>, schema: &Schema<'w>) -> Result<(), Error> {
        let Some(properties) = schema.properties() else {
            self.doubt(
                at,
                "how an object without properties is written was never seen",
            );
            self.out.push_str("{}");
            return Ok(());
        };
        let is_long = self.has_comment_below(at, schema)?;
        let mark = schema.marks();
        self.out.push_str(if is_long { "{\n" } else { "{ " });
        for (i, (key, property)) in properties.iter().enumerate() {
            let at = at.key("properties");
            self.resolve(&at.key(key), property, |writer, at, property| {
                if is_long {
                    return writer.modern_line(at, [key, mark(key)], property);
                }
                writer.write(&[if i > 0 { ", " } else { "" }, key, mark(key), ": "]);
                writer.modern_type(at, property)
            })?;
        }
        self.out.push_str(if is_long { "}" } else { " }" });
        Ok(())
    }

    /// A property with its comments, on lines of its own.
    fn modern_line(
        &mut self,
        at: &Path<'_>,
        [key, mark]: [&str; 2],
        schema: &Schema<'w>,
    ) -> Result<(), Error> {
        self.comment(schema.title);
        self.comment(schema.description);
        self.write(&[key, mark, ":"]);
        if let Some(variants) = schema.variants {
            self.doubt(
                at,
                "variants on lines of their own were seen twice, and not reproduced",
            );
            for (i, variant) in variants.iter().enumerate() {
                self.out.push_str("\n | ");
                self.resolve(&at.key("anyOf").at(i), variant, Self::modern_inner)?;
            }
            self.out.push_str("\n,");
        } else {
            self.out.push(' ');
            self.modern_type(at, schema)?;
            self.out.push(',');
        }
        if let Some(default) = schema.default {
            if default.as_text().is_some() && schema.values.is_some() {
                self.doubt(
                    at,
                    "how the default of listed values is written was never seen alone",
                );
            }
            self.out.push_str(" // default: ");
            default.write(Style::Compact, self.out);
        }
        self.out.push('\n');
        Ok(())
    }

    fn modern_type(&mut self, at: &Path<'_>, schema: &Schema<'w>) -> Result<(), Error> {
        if schema.is_const {
            self.doubt(at, "how the prompt shows `const` was never seen");
        }
        if let Some(variants) = schema.variants {
            return self.variants(at, variants, Self::modern_inner);
        }
        match schema.kind() {
            Some("array") => self.array(at, schema, Self::modern_inner),
            Some("object") => self.modern_object(at, schema),
            _ => self.plain_type(at, schema),
        }
    }

    /// The type of items or of a variant.
    fn modern_inner(&mut self, at: &Path<'_>, schema: &Schema<'w>) -> Result<(), Error> {
        if schema.has_comment() {
            self.doubt(at, "comments of items and variants were never seen");
        }
        self.modern_type(at, schema)
    }

    /// Whether something in a schema has a comment. Its own comments stand before it.
    fn has_comment_below(&mut self, at: &Path<'_>, schema: &Schema<'w>) -> Result<bool, Error> {
        let found = |writer: &mut Self, at: &Path<'_>, inner: &Schema<'w>| {
            Ok(inner.has_comment() || writer.has_comment_below(at, inner)?)
        };
        if let Some(variants) = schema.variants {
            for (i, variant) in variants.iter().enumerate() {
                if self.resolve(&at.key("anyOf").at(i), variant, found)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        if let Some(items) = schema.items.filter(|_| schema.kind() == Some("array")) {
            return self.resolve(&at.key("items"), items, found);
        }
        let is_object = schema.kind() == Some("object") || self.depth == 1;
        let properties = schema.properties.filter(|_| is_object);
        for (key, inner) in properties.into_iter().flat_map(Object::iter) {
            if self.resolve(&at.key("properties").key(key), inner, found)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The lines of a text as comments.
    fn comment(&mut self, text: Option<&str>) {
        for line in text.into_iter().flat_map(str::lines) {
            let line = line.trim();
            self.write(&[if line.is_empty() { "//" } else { "// " }, line, "\n"]);
        }
    }

    /// Types with bars between them.
    fn variants(
        &mut self,
        at: &Path<'_>,
        variants: &'w [Value<'w>],
        write: impl Fn(&mut Self, &Path<'_>, &Schema<'w>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for (i, variant) in variants.iter().enumerate() {
            self.out.push_str(if i > 0 { " | " } else { "" });
            self.resolve(&at.key("anyOf").at(i), variant, &write)?;
        }
        Ok(())
    }

    fn array(
        &mut self,
        at: &Path<'_>,
        schema: &Schema<'w>,
        write: impl Fn(&mut Self, &Path<'_>, &Schema<'w>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match schema.items {
            Some(items) => self.resolve(&at.key("items"), items, write)?,
            None => self.out.push_str("any"),
        }
        self.out.push_str("[]");
        Ok(())
    }

    /// A type that has no other inside, with its values if they are listed.
    fn plain_type(&mut self, at: &Path<'_>, schema: &Schema<'w>) -> Result<(), Error> {
        let name = match schema.kind {
            Some(Value::Text(name)) => name.as_ref(),
            Some(Value::List(_)) => {
                self.doubt(at, "how a list of types is written was never seen");
                "any"
            }
            None => "any",
            Some(other) => {
                let problem = format!("this must be a string, not {}", other.kind());
                return Err(at.key("type").invalid(problem));
            }
        };
        let name = match name {
            "integer" => "number",
            "string" | "number" | "boolean" | "null" | "any" => name,
            _ => {
                let problem = format!("no JSON schema has the type {name:?}");
                return Err(at.key("type").invalid(problem));
            }
        };
        let values = schema.values.unwrap_or_default();
        if values.is_empty() || name == "boolean" {
            self.out.push_str(name);
            return Ok(());
        }
        for (i, value) in values.iter().enumerate() {
            self.out.push_str(if i > 0 { " | " } else { "" });
            match value {
                Value::Text(text) => self.write(&["\"", text, "\""]),
                _ => value.write(Style::Compact, self.out),
            }
        }
        Ok(())
    }
}

/// How many keys a text or a list counts as.
fn steps(value: &Value<'_>) -> usize {
    match value {
        Value::Text(text) => text.len() / STEP,
        Value::List(list) => list.len(),
        _ => 0,
    }
}

/// A text without white space around it, if anything is left.
fn text_of(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

#[cfg(all(test, feature = "json"))]
mod tests {
    use super::*;

    const SCHEMA: &str = r##"{
        "type": "object",
        "properties": {
            "who": {"type": "object", "properties": {
                "name": {"type": "string", "description": "In full"},
                "born": {"type": "object", "properties": {"year": {"type": "integer"}}}
            }, "required": ["name"]},
            "unit": {"type": "string", "enum": ["c", "f"], "description": " One\nof two "},
            "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}, "default": []}
        },
        "required": ["who"],
        "$defs": {"tag": {"anyOf": [{"type": "string"}, {"type": "null"}]}}
    }"##;

    fn rendered(rendering: Rendering) -> (String, Vec<String>) {
        let request = Request::new([]).tools([
            Tool::function("ping").description("Answers"),
            Tool::function("find").parameters_json(SCHEMA).unwrap(),
        ]);
        let (mut doubts, mut text) = (Vec::new(), String::new());
        render(&request, rendering, &mut doubts, &mut text).unwrap();
        (text, doubts)
    }

    #[test]
    fn legacy_text() {
        let text = "\
namespace functions {

// Answers
type ping = () => any;

type find = (_: {
who: {
  name: string,
  born?: {
    year?: number,
},
},
// One
of two
unit?: \"c\" | \"f\",
tags?: string | null[],
}) => any;

} // namespace functions";
        assert_eq!(rendered(Rendering::Legacy), (text.to_owned(), Vec::new()));
    }

    #[test]
    fn modern_text() {
        let text = "\
namespace functions {

// Answers
type ping = () => any;

type find = (_: {
who: {
// In full
name: string,
born?: { year?: number },
},
// One
// of two
unit?: \"c\" | \"f\",
tags?: string | null[], // default: []
}) => any;

} // namespace functions";
        assert_eq!(rendered(Rendering::Modern), (text.to_owned(), Vec::new()));
    }
}
