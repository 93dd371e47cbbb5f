//! JSON text read in the order in which it is written.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Object, Value};

/// The only key of the object that represents a number if another crate enables `arbitrary_precision` of serde_json.
const NUMBER: &str = "$serde_json::private::Number";

/// The largest number of keys that are compared one by one; a longer object gets a map.
const FEW: usize = 16;

impl<'a> Value<'a> {
    /// Parses a JSON text with nothing after it, or returns the problem of the text. Lone surrogates become U+FFFD.
    pub(crate) fn parse(text: &'a str) -> Result<Self, String> {
        // texts without lone surrogates are read once
        let value = read(text).or_else(|error| match repaired(text) {
            Some(text) => read(&text).map(Value::into_owned),
            None => Err(error),
        });
        value.map_err(|error| format!("this is not valid JSON: {error}"))
    }

    /// Parses a JSON text that must be an object, or returns the problem of the text.
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

/// Reads a JSON text; an error if something follows it.
fn read(text: &str) -> Result<Value<'_>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Value::deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Replaces each escape of a lone surrogate by that of U+FFFD, which has an equal length. Returns `None` if there is
/// none.
fn repaired(text: &str) -> Option<String> {
    let mut out = String::new();
    // the start of the text that is not in `out` yet, and the next byte to look at
    let (mut from, mut at) = (0, 0);
    while let Some(found) = text.get(at..)?.find('\\') {
        at += found;
        let is_lone = match unit(text, at) {
            Some(0xd800..=0xdbff) if matches!(unit(text, at + ESCAPE), Some(0xdc00..=0xdfff)) => {
                at += ESCAPE;
                false
            }
            unit => unit.is_some_and(|unit| (0xd800..=0xdfff).contains(&unit)),
        };
        if is_lone {
            out.push_str(text.get(from..at)?);
            out.push_str("\\ufffd");
            from = at + ESCAPE;
        }
        // skip the backslash and the character that it escapes
        at += 1 + text.get(at + 1..)?.chars().next().map_or(0, char::len_utf8);
    }
    if out.is_empty() {
        return None;
    }
    out.push_str(text.get(from..)?);
    Some(out)
}

/// The length of an escaped UTF-16 unit, in bytes.
const ESCAPE: usize = "\\u0000".len();

/// Returns the UTF-16 unit of the escape at `at`, if there is one.
fn unit(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + ESCAPE)?.strip_prefix("\\u")?;
    // `from_str_radix` accepts a sign, which is not a digit
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| is_hex)
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
    /// The index of each key, if the object has more than [`FEW`].
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

/// Builds values from the events of the parser.
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
            // the key is always a string
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

/// Returns the number in a text, as serde_json reads it.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_lone_surrogates_are_replaced() {
        for (text, expected) in [
            (r"\ud800", Some(r"\ufffd")),
            (r"\uDFFFx\uDBFF", Some(r"\ufffdx\ufffd")),
            (r"\ud800\udc00\udc00", Some(r"\ud800\udc00\ufffd")),
            (r"\ud800\ud800\udc00", Some(r"\ufffd\ud800\udc00")),
            (r"\\\ud800", Some(r"\\\ufffd")),
            (r"\\ud800", None),
            (r"\ud800\udc00", None),
            (r"\ud80", None),
            (r"\u+d80", None),
            (r"\", None),
            ("\\й", None),
            ("", None),
        ] {
            assert_eq!(repaired(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_value_with_a_lone_surrogate_is_whole() {
        let text = r#"{"\ud800": [null, true, 1, 18446744073709551615, 0.5, "a\udfff"], "b": {}}"#;
        let replaced = text
            .replace(r"\ud800", "\u{fffd}")
            .replace(r"\udfff", "\u{fffd}");
        assert_eq!(Value::parse(text), Ok(Value::parse(&replaced).unwrap()));
    }

    proptest! {
        #[test]
        fn repairing_keeps_the_length(text in r#"(\\|u|d8|dc|00|"|й|[a-f]){0,40}"#) {
            if let Some(repaired) = repaired(&text) {
                prop_assert_eq!(repaired.len(), text.len());
                prop_assert_eq!(super::repaired(&repaired), None);
            }
        }
    }
}
