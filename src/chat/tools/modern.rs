//! Tools as later models see them (section 3.2 of the rules).

use super::schema::{Schema, trimmed};
use super::writer::Writer;
use crate::chat::path::Path;
use crate::chat::request::Tool;
use crate::chat::value::{Object, Style};
use crate::error::Error;

impl<'w> Writer<'w, '_> {
    /// A function with the comments before it.
    pub(super) fn modern(&mut self, at: &Path<'_>, tool: &'w Tool<'w>) -> Result<(), Error> {
        self.comment(tool.description.as_deref().and_then(trimmed));
        self.function(at, tool, |writer, at, schema| {
            writer.comment(schema.title);
            if schema.description.is_some() {
                writer.doubt(at, "no recording shows a description of all parameters");
            }
            writer.modern_object(at, schema)
        })
    }

    /// An object, on one line if nothing in it has a comment.
    fn modern_object(&mut self, at: &Path<'_>, schema: &Schema<'w>) -> Result<(), Error> {
        let Some(properties) = schema.properties() else {
            self.doubt(
                at,
                "no recording shows how an object without properties is written",
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
                "the two recordings of variants on separate lines are not reproduced",
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
                let reason = "no recording shows by itself how the default of an `enum` is written";
                self.doubt(at, reason);
            }
            self.write(&[" // default: "]);
            default.write(Style::Compact, self.out);
        }
        self.write(&["\n"]);
        Ok(())
    }

    fn modern_type(&mut self, at: &Path<'_>, schema: &Schema<'w>) -> Result<(), Error> {
        if schema.is_const {
            self.doubt(at, "no recording shows how `const` is written");
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
            self.doubt(at, "no recording shows comments of items or variants");
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
}
