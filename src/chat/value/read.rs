//! JSON text read in the order in which it is written.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Object, Value};

/// The only key of the object that stands for a number, if some other crate turns on serde_json's
/// `arbitrary_precision`.
const NUMBER: &str = "$serde_json::private::Number";

/// Up to this many keys are compared one by one.
const FEW: usize = 16;

impl<'a> Value<'a> {
    /// The value of a JSON text with nothing after it, or what is wrong with the text.
    pub(crate) fn parse(text: &'a str) -> Result<Self, String> {
        read(text).map_err(|error| format!("this is not valid JSON: {error}"))
    }

    /// The value of a JSON text that must be an object, or what is wrong with the text.
    pub(crate) fn parse_object(text: &'a str) -> Result<Self, String> {
        match Self::parse(text)? {
            object @ Self::Object(_) => Ok(object),
            other => Err(format!(
                "this must be the JSON text of an object, not of {}",
                other.kind()
            )),
        }
    }
}

fn read(text: &str) -> Result<Value<'_>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Value::deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

/// An object that is being read.
#[derive(Default)]
struct Entries<'a> {
    object: Object<'a>,
    /// Where each key is, once they are more than a few.
    places: HashMap<Cow<'a, str>, usize>,
}

impl<'a> Entries<'a> {
    /// Adds an entry. Of two values for a key, the last counts.
    fn set(&mut self, key: Cow<'a, str>, value: Value<'a>) {
        let entries = &mut self.object.0;
        let known = if self.places.is_empty() {
            entries.iter().position(|(name, _)| *name == key)
        } else {
            self.places.get(&key).copied()
        };
        if let Some(entry) = known.and_then(|at| entries.get_mut(at)) {
            entry.1 = value;
            return;
        }
        entries.push((key, value));
        let first = match entries.len() {
            ..=FEW => return,
            _ if self.places.is_empty() => 0,
            len => len - 1,
        };
        let new = entries.iter().enumerate().skip(first);
        self.places
            .extend(new.map(|(at, (key, _))| (key.clone(), at)));
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'de>, E> {
        Ok(i64::try_from(value).map_or(Value::Unsigned(value), Value::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value<'de>, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Value<'de>, A::Error> {
        let mut entries = Entries::default();
        while let Some(key) = items.next_key()? {
            // the key is a string, whatever the text says
            let Value::Text(key) = key else {
                return Err(A::Error::custom("a key is not a string"));
            };
            entries.set(key, items.next_value()?);
        }
        let object = entries.object;
        match object.0.as_slice() {
            [(key, Value::Text(digits))] if key == NUMBER => number(digits),
            _ => Ok(Value::Object(object)),
        }
    }
}

/// The number that a text writes, as serde_json reads it.
fn number<E: Error>(digits: &str) -> Result<Value<'static>, E> {
    if let Ok(value) = digits.parse() {
        return Ok(Value::Integer(value));
    }
    if let Ok(value) = digits.parse() {
        return Ok(Value::Unsigned(value));
    }
    match digits.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Value::Float(value)),
        _ => Err(E::custom("number out of range")),
    }
}
