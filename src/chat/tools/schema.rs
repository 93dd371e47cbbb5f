//! The keywords of a JSON schema that the text of the tools shows.

use std::collections::HashSet;

use crate::chat::path::Path;
use crate::chat::value::{List, Object, Value};
use crate::error::Error;

/// Keywords that the text of the tools does not have. All others that are not read here are unknown.
const UNWRITTEN: &[&str] = &[
    "$defs",
    "additionalProperties",
    "definitions",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
    "strict",
];

/// Keywords that the service refuses at the top of a tool's parameters.
const REFUSED: [&str; 5] = ["anyOf", "oneOf", "allOf", "enum", "not"];

/// The number of bytes of a text that count as one key. Each entry of a list counts as one key too.
const STEP: usize = 64;

/// The keywords of a schema, with those of the schemas that it refers to.
#[derive(Clone, Copy, Default)]
pub(super) struct Schema<'w> {
    pub(super) kind: Option<Value<'w>>,
    pub(super) title: Option<&'w str>,
    pub(super) description: Option<&'w str>,
    pub(super) default: Option<Value<'w>>,
    pub(super) values: Option<List<'w>>,
    pub(super) properties: Option<Object<'w>>,
    required: Option<List<'w>>,
    pub(super) items: Option<Value<'w>>,
    pub(super) variants: Option<List<'w>>,
    pub(super) is_const: bool,
    pub(super) reference: Option<Value<'w>>,
    /// The number of its keys, with the keys that its texts and lists count as.
    pub(super) steps: usize,
}

impl<'w> Schema<'w> {
    /// Adds the keywords of a value; those that are there already stay. Calls `unknown` with each keyword that no
    /// recording shows.
    pub(super) fn read(
        &mut self,
        at: &Path<'_>,
        value: Value<'w>,
        mut unknown: impl FnMut(&'w str),
    ) -> Result<(), Error> {
        let text = |key, value: Value<'w>| Ok::<_, Error>(trimmed(at.key(key).text(value)?));
        let list = |key, value: Value<'w>| at.key(key).list(value);
        for (key, value) in at.object(value)?.iter() {
            self.steps += 1 + steps(value);
            if value.is_null() && key != "default" && key != "const" {
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
                _ if !UNWRITTEN.contains(&key) => unknown(key),
                _ => {}
            }
        }
        Ok(())
    }

    /// Returns the reason if no recording shows how this schema is written.
    pub(super) fn unseen(&self) -> Option<&'static str> {
        let is_nested = self.properties.is_some() || self.items.is_some() || self.values.is_some();
        if self.variants.is_some() && (self.kind.is_some() || is_nested) {
            Some("no recording shows other keys beside an `anyOf`")
        } else if self.variants.is_none() && self.kind.is_none() && is_nested {
            Some("no recording shows a schema without a `type`")
        } else {
            None
        }
    }

    /// Returns whether a comment belongs to this schema: a title, a description or a default.
    pub(super) fn has_comment(&self) -> bool {
        self.description.is_some() || self.title.is_some() || self.default.is_some()
    }

    /// Returns the types if they are a list.
    pub(super) fn types(&self) -> Option<List<'w>> {
        self.kind?.as_list()
    }

    /// Returns whether this is an object without properties, which is not written.
    pub(super) fn is_empty_object(&self) -> bool {
        self.kind() == Some("object") && self.properties().is_none()
    }

    /// Returns the type if it is a single one.
    pub(super) fn kind(&self) -> Option<&'w str> {
        self.kind?.as_text()
    }

    /// Returns the properties, or `None` if there are none or an empty list.
    pub(super) fn properties(&self) -> Option<Object<'w>> {
        self.properties.filter(|properties| !properties.is_empty())
    }

    /// Returns a function from a property's name to its mark: `?` if the object may lack the property.
    pub(super) fn marks(&self) -> impl Fn(&str) -> &'static str {
        let required = self.required.unwrap_or_default();
        // a few names are faster compared one by one
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

/// Checks the parameters of a tool, and returns an error if the service refuses them.
pub(super) fn check_parameters(at: &Path<'_>, parameters: Value<'_>) -> Result<(), Error> {
    let entries = parameters.as_object().into_iter().flat_map(Object::iter);
    let refused = entries.filter_map(|(key, value)| {
        let place = REFUSED.iter().position(|refused| *refused == key);
        place.filter(|_| !value.is_null())
    });
    match refused.min().and_then(|place| REFUSED.get(place)) {
        None => Ok(()),
        Some(key) => Err(at.key(key).invalid(format!(
            "the service refuses `{key}` where the parameters begin; put it into a property"
        ))),
    }
}

/// Returns the number of keys that a text or a list counts as.
fn steps(value: Value<'_>) -> usize {
    match value {
        Value::Text(text) => text.len() / STEP,
        Value::List(list) => list.len(),
        _ => 0,
    }
}

/// Returns a text without white space around it, or `None` if nothing is left.
pub(super) fn trimmed(text: &str) -> Option<&str> {
    let is_kept = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    if is_kept(text.as_bytes().first()) && is_kept(text.as_bytes().last()) {
        return Some(text);
    }
    Some(text.trim()).filter(|text| !text.is_empty())
}
