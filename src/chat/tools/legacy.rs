//! Tools in the form of the models of June 2023 (section 3.1 of page.md).

use super::schema::{Schema, trimmed};
use super::writer::Writer;
use crate::chat::path::Path;
use crate::chat::request::Tool;
use crate::chat::rules::Rule;
use crate::chat::value::{Object, put};
use crate::error::Error;

/// The indentation of an object inside another, in spaces per level.
const INDENT: usize = 2;

impl<'w> Writer<'w, '_> {
    /// Writes a function with its description as a comment before it.
    pub(super) fn legacy(&mut self, at: &Path<'_>, tool: &'w Tool<'w>) -> Result<(), Error> {
        if let Some(description) = tool.description.as_deref().and_then(trimmed) {
            self.write(&["// ", description, "\n"]);
        }
        self.function(at, tool, |writer, at, schema| {
            writer.legacy_object(at, schema, 0)
        })
    }

    /// Writes an object, with one line for each property.
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
                if property.is_empty_object() {
                    writer.uses(Rule::EmptyObject);
                    return Ok(());
                }
                // properties of inner objects have no descriptions
                if let Some(description) = property.description.filter(|_| indent == 0) {
                    writer.write(&["// ", description, "\n"]);
                }
                put(
                    writer.out,
                    format_args!("{:indent$}{key}{}: ", "", mark(key)),
                );
                writer.legacy_type(at, property, indent)?;
                writer.out.push_str(",\n");
                Ok(())
            })?;
        }
        if properties.is_none() {
            self.out.push('\n');
        }
        self.out.push('}');
        Ok(())
    }

    /// Writes the type of a property.
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
}
