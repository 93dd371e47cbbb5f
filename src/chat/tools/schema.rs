//! What a JSON schema says, as far as the text of the tools shows it.

use std::collections::HashSet;

use crate::chat::path::Path;
use crate::chat::value::{Object, Value};
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

/// Keywords that the service refuses where the parameters of a tool begin.
const REFUSED: [&str; 5] = ["anyOf", "oneOf", "allOf", "enum", "not"];

/// This many bytes of a text count as one key, as each entry of a list does.
const STEP: usize = 64;

/// What a schema says, with what it refers to in place.
#[derive(Clone, Copy, Default)]
pub(super) struct Schema<'w> {
    pub(super) kind: Option<&'w Value<'w>>,
    pub(super) title: Option<&'w str>,
    pub(super) description: Option<&'w str>,
    pub(super) default: Option<&'w Value<'w>>,
    pub(super) values: Option<&'w [Value<'w>]>,
    pub(super) properties: Option<&'w Object<'w>>,
    required: Option<&'w [Value<'w>]>,
    pub(super) items: Option<&'w Value<'w>>,
    pub(super) variants: Option<&'w [Value<'w>]>,
    pub(super) is_const: bool,
    pub(super) reference: Option<&'w Value<'w>>,
    /// How many keys it has, and what texts and lists count as.
    pub(super) steps: usize,
}

impl<'w> Schema<'w> {
    /// Adds what a value says. What is there already comes before it. `unknown` is told keywords of which no recording
    /// shows how they are written.
    pub(super) fn read(
        &mut self,
        at: &Path<'_>,
        value: &'w Value<'w>,
        mut unknown: impl FnMut(&'w str),
    ) -> Result<(), Error> {
        let text = |key, value: &'w Value<'w>| Ok::<_, Error>(trimmed(at.key(key).text(value)?));
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
                _ if !UNWRITTEN.contains(&key) => unknown(key),
                _ => {}
            }
        }
        Ok(())
    }

    /// Why it is not known how it is written.
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

    pub(super) fn has_comment(&self) -> bool {
        self.description.is_some() || self.title.is_some() || self.default.is_some()
    }

    /// Returns the types, if they are a list.
    pub(super) fn types(&self) -> Option<&'w [Value<'w>]> {
        self.kind?.as_list()
    }

    /// Returns whether this is an object without properties, of which nothing is written.
    pub(super) fn is_empty_object(&self) -> bool {
        self.kind() == Some("object") && self.properties().is_none()
    }

    pub(super) fn kind(&self) -> Option<&'w str> {
        self.kind?.as_text()
    }

    /// The properties of an object; none is as good as an empty list.
    pub(super) fn properties(&self) -> Option<&'w Object<'w>> {
        self.properties.filter(|properties| !properties.is_empty())
    }

    /// Marks the properties that an object may lack.
    pub(super) fn marks(&self) -> impl Fn(&str) -> &'static str {
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

/// Refuses parameters that the service refuses.
pub(super) fn check_parameters(at: &Path<'_>, parameters: &Value<'_>) -> Result<(), Error> {
    let has = |key: &&str| {
        parameters
            .get(key)
            .is_some_and(|value| *value != Value::Null)
    };
    match REFUSED.iter().find(|key| has(key)) {
        None => Ok(()),
        Some(key) => Err(at.key(key).invalid(format!(
            "the service refuses `{key}` where the parameters begin; put it into a property"
        ))),
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
pub(super) fn trimmed(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}
