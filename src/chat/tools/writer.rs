//! The parts that both renderings of tools share: resolving references within limits, and the text of functions and
//! simple types.

use std::borrow::Cow;
use std::collections::HashSet;

use super::schema::{Schema, check_parameters};
use crate::chat::path::Path;
use crate::chat::request::Tool;
use crate::chat::rules::{Rule, RuleSet};
use crate::chat::value::{Held, LOST_INTEGER, List, Style, Value};
use crate::error::Error;

/// The largest number of levels of a schema, and of references that are open at once. It keeps the recursion shallow.
const MAX_DEPTH: usize = 128;
/// The largest text of all tools, in bytes, because references can double the text at every level.
const MAX_TEXT: usize = 1 << 24;
/// The largest number of keys of schemas that are read for one request, because references can double these, too.
const MAX_STEPS: usize = 1 << 23;

/// The largest number of unknown keywords that are noted for one request. More add nothing to the reason of an
/// estimate.
const MAX_KEYWORDS: usize = 64;

/// The types of JSON schemas, for error messages.
const TYPES: &[&str] = &[
    "array", "boolean", "integer", "null", "number", "object", "string",
];

/// Writes tools as TypeScript types.
pub(super) struct Writer<'w, 'o> {
    /// The schema in which references are resolved: the parameters of the function.
    root: Option<Value<'w>>,
    /// The references that are being followed.
    open: Vec<&'w str>,
    /// The number of levels around the current schema.
    pub(super) depth: usize,
    /// The number of keys that were read so far.
    steps: usize,
    /// The unknown keywords that were noted.
    keywords: HashSet<&'w str>,
    doubts: &'o mut Vec<String>,
    rules: &'o mut RuleSet,
    /// Whether a list of types is written as plain types; see [`super::LIST_OF_TYPES_SINCE`].
    pub(super) is_type_list_plain: bool,
    pub(super) out: &'o mut String,
}

impl<'w, 'o> Writer<'w, 'o> {
    /// Creates a writer that appends text to `out`, and the reasons for an estimate to `doubts`.
    pub(super) fn new(
        doubts: &'o mut Vec<String>,
        rules: &'o mut RuleSet,
        out: &'o mut String,
    ) -> Self {
        Self {
            root: None,
            open: Vec::new(),
            depth: 0,
            steps: 0,
            keywords: HashSet::new(),
            doubts,
            rules,
            is_type_list_plain: true,
            out,
        }
    }

    /// Follows the references of a schema, then calls `act` on the resolved schema. The references stay open until
    /// `act` returns, so that a reference back to itself is found.
    pub(super) fn resolve<T>(
        &mut self,
        at: &Path<'_>,
        value: Value<'w>,
        act: impl FnOnce(&mut Self, &Path<'_>, &Schema<'w>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let open = self.open.len();
        let mut schema = Schema::default();
        let mut next = Some(value);
        while let Some(value) = next {
            let (keywords, doubts) = (&mut self.keywords, &mut *self.doubts);
            schema.read(at, value, |key| {
                if keywords.len() < MAX_KEYWORDS && keywords.insert(key) {
                    doubts.push(
                        at.key(key)
                            .note("no recording shows how this keyword is written"),
                    );
                }
            })?;
            self.steps += 1 + std::mem::take(&mut schema.steps);
            self.check(at)?;
            let reference = schema.reference.take();
            if reference.is_some() {
                self.uses(Rule::Reference);
            }
            if reference.is_some() && value.as_object().is_some_and(|keys| keys.len() > 1) {
                self.doubt(at, "no recording shows other keys beside a `$ref`");
            }
            next = match reference {
                Some(reference) => self.follow(&at.key("$ref"), reference)?,
                None => None,
            };
        }
        self.depth += 1;
        self.check(at)?;
        if let Some(reason) = schema.unseen() {
            self.doubt(at, reason);
        }
        let done = act(self, at, &schema)?;
        self.depth -= 1;
        self.open.truncate(open);
        Ok(done)
    }

    /// Returns an error if the schema is too deep, or too large with its references resolved.
    fn check(&self, at: &Path<'_>) -> Result<(), Error> {
        if self.depth > MAX_DEPTH || self.open.len() > MAX_DEPTH {
            return Err(at.invalid(format!(
                "the schema is more than {MAX_DEPTH} levels deep with its references resolved; make it flatter"
            )));
        }
        if self.steps > MAX_STEPS || self.out.len() > MAX_TEXT {
            return Err(at.invalid(
                "the schemas of the tools are too large with their references resolved; make them smaller",
            ));
        }
        Ok(())
    }

    /// Returns the target of a reference and opens the reference, or returns `None` if it leads back to itself.
    fn follow(&mut self, at: &Path<'_>, reference: Value<'w>) -> Result<Option<Value<'w>>, Error> {
        let reference = at.text(reference)?;
        if self.open.contains(&reference) {
            self.doubt(
                at,
                "no recording shows how a schema that refers to itself is written; it is counted as `any` inside itself",
            );
            return Ok(None);
        }
        self.open.push(reference);
        let Some(pointer) = reference.strip_prefix('#') else {
            return Err(at.invalid(format!(
                "the reference {reference:?} leads out of the schema; replace it with its definition"
            )));
        };
        let found = self.target(&percent_decoded(pointer));
        found.map(Some).ok_or_else(|| {
            at.invalid(format!(
                "the reference {reference:?} has no target in the schema; add its definition"
            ))
        })
    }

    /// Returns the target of a JSON pointer.
    fn target(&mut self, pointer: &str) -> Option<Value<'w>> {
        let mut found = self.root?;
        for key in pointer.split('/').skip(1) {
            found = if let Value::List(list) = found {
                let index = key.parse::<usize>().ok()?;
                let mut items = list.iter();
                self.steps += items.by_ref().take(index).count();
                items.next()?
            } else {
                let object = found.as_object()?;
                self.steps += object.len();
                object.get(&key.replace("~1", "/").replace("~0", "~"))?
            };
        }
        Some(found)
    }

    /// Notes that the text uses a rule.
    pub(super) fn uses(&mut self, rule: Rule) {
        self.rules.insert(rule);
    }

    /// Adds a reason for an estimate. Each reason is kept once, with the first path at which it holds.
    pub(super) fn doubt(&mut self, at: &Path<'_>, reason: &str) {
        // from the end, since those of the messages may be many
        let mut doubts = self.doubts.iter().rev();
        if !doubts.any(|doubt| doubt.ends_with(reason)) {
            self.doubts.push(at.note(reason));
        }
    }

    /// Writes a function; `parameters` writes the object of its parameters.
    pub(super) fn function(
        &mut self,
        at: &Path<'_>,
        tool: &'w Tool<'w>,
        parameters: impl FnOnce(&mut Self, &Path<'_>, &Schema<'w>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if let Path::Key(function, _) = at {
            function.key("name").check_name(&tool.name)?;
        }
        self.write(&["type ", &tool.name, " = ("]);
        self.root = tool.parameters.as_ref().map(Held::value);
        if let Some(root) = self.root {
            check_parameters(at, root)?;
            self.resolve(at, root, |writer, at, schema| {
                if schema.kind.is_some() && schema.kind() != Some("object") {
                    return Err(at
                        .key("type")
                        .invalid("parameters must have the type `object`"));
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

    /// Appends texts to the output.
    pub(super) fn write(&mut self, texts: &[&str]) {
        for text in texts {
            self.out.push_str(text);
        }
    }

    /// Writes the variants of an `anyOf`, separated by ` | `.
    pub(super) fn variants(
        &mut self,
        at: &Path<'_>,
        variants: List<'w>,
        write: impl Fn(&mut Self, &Path<'_>, &Schema<'w>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.uses(Rule::AnyOf);
        let mut bar = "";
        for (i, variant) in variants.iter().enumerate() {
            self.resolve(&at.key("anyOf").at(i), variant, |writer, at, variant| {
                if variant.is_empty_object() {
                    writer.uses(Rule::EmptyObject);
                    return Ok(());
                }
                writer.out.push_str(bar);
                bar = " | ";
                write(writer, at, variant)
            })?;
        }
        if bar.is_empty() {
            self.doubt(
                at,
                "no recording shows an `anyOf` of which nothing is written",
            );
        }
        Ok(())
    }

    /// Writes an array type: the type of its items, and `[]`.
    pub(super) fn array(
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

    /// Writes a type without inner types: its values if they are listed, otherwise its name.
    pub(super) fn plain_type(&mut self, at: &Path<'_>, schema: &Schema<'w>) -> Result<(), Error> {
        let name = self.type_name(at, schema)?;
        let values = schema.values.unwrap_or_default();
        if values.is_empty() || name == "boolean" {
            self.out.push_str(&name);
            return Ok(());
        }
        for (i, value) in values.iter().enumerate() {
            self.out.push_str(if i > 0 { " | " } else { "" });
            match value {
                Value::Text(text) => self.write(&["\"", text, "\""]),
                _ => self.json(at, value),
            }
        }
        Ok(())
    }

    /// Writes a value as compact JSON.
    pub(super) fn json(&mut self, at: &Path<'_>, value: Value<'w>) {
        if value.has_lost_integer() {
            self.doubt(at, LOST_INTEGER);
        }
        value.write(Style::Compact, self.out);
    }

    /// Returns the name of a simple type in TypeScript.
    fn type_name(&mut self, at: &Path<'_>, schema: &Schema<'w>) -> Result<Cow<'w, str>, Error> {
        let Some(kind) = schema.kind else {
            return Ok("any".into());
        };
        let Some(kinds) = kind.as_list() else {
            return Ok(self.name_of_type(at, kind)?.into());
        };
        self.uses(Rule::TypeList);
        let mut names = Vec::with_capacity(kinds.len());
        for kind in kinds.iter() {
            names.push(self.name_of_type(at, kind)?);
        }
        Ok(names.join(" | ").into())
    }

    /// Returns the TypeScript name of a type of JSON schemas.
    pub(super) fn name_of_type(
        &mut self,
        at: &Path<'_>,
        kind: Value<'w>,
    ) -> Result<&'w str, Error> {
        let at = at.key("type");
        match at.text(kind)? {
            "integer" => Ok("number"),
            name @ ("string" | "number" | "boolean" | "null" | "any") => Ok(name),
            name @ ("object" | "array") => {
                self.doubt(
                    &at,
                    "no recording shows how an object or array in a list of types is written",
                );
                Ok(name)
            }
            name => {
                let problem = format!("unknown type {name:?}");
                Err(at.invalid_among(&problem, TYPES))
            }
        }
    }
}

/// Returns a text with its percent-encoded bytes decoded, as in the fragment of a URI (RFC 6901, section 6).
fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return text.into();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after.split_at_checked(2).filter(|_| byte == b'%');
        let decoded = code.and_then(|(code, after)| Some((hex(code)?, after)));
        let (byte, after) = decoded.unwrap_or((byte, after));
        bytes.push(byte);
        rest = after;
    }
    // bytes that are not UTF-8 were not encoded like this: keep the text as it is
    String::from_utf8(bytes).map_or(text.into(), Cow::Owned)
}

/// Returns the byte that two hexadecimal digits write.
fn hex(digits: &[u8]) -> Option<u8> {
    digits.iter().try_fold(0, |byte, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(byte << 4 | u8::try_from(digit).ok()?)
    })
}
