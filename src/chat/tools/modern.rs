//! Tools in the form of later models (section 3.2 of page.md).

use super::schema::{Schema, trimmed};
use super::writer::Writer;
use crate::chat::path::Path;
use crate::chat::request::Tool;
use crate::chat::rules::Rule;
use crate::chat::value::{List, Object};
use crate::error::Error;

impl<'w> Writer<'w, '_> {
    /// Writes a function, with its comments before it.
    pub(super) fn modern(&mut self, at: &Path<'_>, tool: &'w Tool<'w>) -> Result<(), Error> {
        self.comment(tool.description.as_deref().and_then(trimmed));
        self.function(at, tool, |writer, at, schema| {
            if schema.description.is_some() {
                writer.uses(Rule::ParametersDescription);
            }
            writer.comments(schema);
            writer.modern_object(at, schema)
        })
    }

    /// Writes an object, on one line if nothing in it has a comment.
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

    /// Writes a property with its comments, on lines of its own.
    fn modern_line(
        &mut self,
        at: &Path<'_>,
        [key, mark]: [&str; 2],
        schema: &Schema<'w>,
    ) -> Result<(), Error> {
        self.comments(schema);
        self.write(&[key, mark, ":"]);
        if self.has_commented_variants(at, schema)? {
            self.commented_variants(at, schema)?;
        } else {
            self.out.push(' ');
            self.modern_type(at, schema)?;
        }
        self.out.push(',');
        if let Some(default) = schema.default {
            let is_of_enum = default.as_text().is_some() && schema.values.is_some();
            self.uses(if is_of_enum {
                Rule::DefaultOfEnum
            } else {
                Rule::Default
            });
            self.write(&[" // default: "]);
            self.json(at, default);
        }
        self.write(&["\n"]);
        Ok(())
    }

    /// Writes the title and the description, with an empty comment between them.
    fn comments(&mut self, schema: &Schema<'w>) {
        if schema.title.is_some() {
            self.uses(Rule::Title);
        }
        self.comment(schema.title);
        if schema.title.is_some() && schema.description.is_some() {
            self.uses(Rule::TitleAndDescription);
            self.write(&["//\n"]);
        }
        self.comment(schema.description);
    }

    /// Returns whether each variant of a property has its own line, because one of them has a comment.
    ///
    /// Until 2026, each type of a list of types was such a variant, with the description of the property.
    fn has_commented_variants(
        &mut self,
        at: &Path<'_>,
        schema: &Schema<'w>,
    ) -> Result<bool, Error> {
        if schema.types().is_some() {
            return Ok(!self.is_type_list_plain && schema.description.is_some());
        }
        for (i, variant) in schema.variants.unwrap_or_default().iter().enumerate() {
            let has_comment = |writer: &mut Self, at: &Path<'_>, inner: &Schema<'w>| {
                Ok(inner.has_comment() || writer.has_comment_below(at, inner)?)
            };
            if self.resolve(&at.key("anyOf").at(i), variant, has_comment)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes variants on lines of their own, each after its comments.
    fn commented_variants(&mut self, at: &Path<'_>, schema: &Schema<'w>) -> Result<(), Error> {
        self.out.push('\n');
        for kind in schema.types().into_iter().flat_map(List::iter) {
            self.uses(Rule::TypeListComments);
            self.comment(schema.description);
            self.out.push_str(" | ");
            let name = self.name_of_type(at, kind)?;
            self.write(&[name, "\n"]);
        }
        for (i, variant) in schema.variants.unwrap_or_default().iter().enumerate() {
            self.uses(Rule::AnyOfComments);
            self.resolve(&at.key("anyOf").at(i), variant, |writer, at, variant| {
                if variant.is_empty_object() {
                    writer.uses(Rule::EmptyObject);
                    return Ok(());
                }
                writer.comments(variant);
                writer.out.push_str(" | ");
                writer.modern_type(at, variant)?;
                writer.out.push('\n');
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Writes the type of a property or an item.
    fn modern_type(&mut self, at: &Path<'_>, schema: &Schema<'w>) -> Result<(), Error> {
        if schema.is_const {
            self.doubt(at, "no recording shows how `const` is written");
        }
        if let Some(variants) = schema.variants {
            return self.variants(at, variants, Self::modern_type);
        }
        match schema.kind() {
            Some("array") => self.modern_array(at, schema),
            Some("object") => self.modern_object(at, schema),
            _ => self.plain_type(at, schema),
        }
    }

    /// Writes an array. Items with comments stand on lines of their own.
    fn modern_array(&mut self, at: &Path<'_>, schema: &Schema<'w>) -> Result<(), Error> {
        let Some(items) = schema.items else {
            return self.array(at, schema, Self::modern_type);
        };
        let is_long = |writer: &mut Self, at: &Path<'_>, items: &Schema<'w>| {
            Ok(items.has_comment() || writer.has_comment_below(at, items)?)
        };
        if !self.resolve(&at.key("items"), items, is_long)? {
            return self.array(at, schema, Self::modern_type);
        }
        self.uses(Rule::CommentedItems);
        self.out.push_str("Array<\n");
        self.resolve(&at.key("items"), items, |writer, at, items| {
            writer.comments(items);
            writer.modern_type(at, items)
        })?;
        self.out.push_str("\n>");
        Ok(())
    }

    /// Returns whether something inside a schema has a comment. Comments of the schema itself do not count: they stand
    /// before it.
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

    /// Writes each line of a text as a comment. There is no white space around the text.
    fn comment(&mut self, text: Option<&str>) {
        let mut rest = text;
        while let Some(text) = rest {
            let end = memchr::memchr(b'\n', text.as_bytes());
            let line = end.map_or(text, |end| text.get(..end).unwrap_or_default());
            rest = end.and_then(|end| text.get(end + 1..));
            match trimmed(line) {
                Some(line) => self.write(&["// ", line, "\n"]),
                None => self.write(&["//\n"]),
            }
        }
    }
}
