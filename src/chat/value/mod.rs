//! JSON as it was written: objects keep the order of their keys, which changes counts.
#![cfg_attr(not(feature = "json"), allow(dead_code))] // only JSON text becomes values

#[cfg(feature = "json")]
mod read;

use std::borrow::Cow;
use std::fmt::Write;
use std::iter::FusedIterator;

/// A JSON text that was read. All its values are in one list, in the order of the text. A list for each array and
/// object takes longer to make than to read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Json<'a>(Vec<Node<'a>>);

impl Json<'_> {
    /// Returns the whole value.
    pub(crate) fn value(&self) -> Value<'_> {
        Items(&self.0).next().unwrap_or(Value::Null)
    }
}

/// A scalar, or the start of a container. The nodes of its items follow; in an object, each key precedes its value.
#[derive(Debug, Clone, PartialEq)]
enum Node<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    Unsigned(u64),
    Float(f64),
    Text(Cow<'a, str>),
    /// A list, with the number of all nodes in it.
    List(usize),
    /// An object, with the number of all nodes in it.
    Object(usize),
}

impl Node<'_> {
    /// Returns the number of nodes inside this one.
    fn inside(&self) -> usize {
        match self {
            Self::List(nodes) | Self::Object(nodes) => *nodes,
            _ => 0,
        }
    }
}

/// A JSON value, which is a part of a [`Json`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'v> {
    Null,
    Bool(bool),
    Integer(i64),
    Unsigned(u64),
    Float(f64),
    Text(&'v str),
    List(List<'v>),
    Object(Object<'v>),
}

/// The reason for an estimate if a value [has a lost integer](Value::has_lost_integer).
pub(crate) const LOST_INTEGER: &str =
    "no recording shows how -0 and numbers of more than 64 bits are written";

/// The items of a list.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct List<'v>(&'v [Node<'v>]);

impl<'v> List<'v> {
    /// Returns the items, in order.
    pub(crate) fn iter(self) -> Items<'v> {
        Items(self.0)
    }

    /// Returns whether there are no items.
    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Counts the items.
    ///
    /// # Complexity
    /// O(n) in the items.
    pub(crate) fn len(self) -> usize {
        self.iter().count()
    }
}

/// The keys and values of an object, in order; each key is there once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Object<'v>(&'v [Node<'v>]);

impl<'v> Object<'v> {
    /// Returns the value of a key.
    pub(crate) fn get(self, key: &str) -> Option<Value<'v>> {
        let mut nodes = self.0;
        while let Some((Node::Text(name), values)) = nodes.split_first() {
            if name == key {
                return Items(values).next();
            }
            let (value, after) = values.split_first()?;
            nodes = after.get(value.inside()..)?;
        }
        None
    }

    /// Returns the keys and values, in order.
    pub(crate) fn iter(self) -> Entries<'v> {
        Entries(Items(self.0))
    }

    /// Returns whether there are no keys.
    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Counts the keys.
    ///
    /// # Complexity
    /// O(n) in the keys.
    pub(crate) fn len(self) -> usize {
        self.iter().count()
    }
}

/// The values of some nodes, in order.
#[derive(Debug, Clone)]
pub(crate) struct Items<'v>(&'v [Node<'v>]);

impl<'v> Iterator for Items<'v> {
    type Item = Value<'v>;

    #[inline]
    fn next(&mut self) -> Option<Value<'v>> {
        let (node, after) = self.0.split_first()?;
        let mut split = |nodes| {
            let (inside, after) = after.split_at_checked(nodes).unwrap_or_default();
            self.0 = after;
            inside
        };
        Some(match node {
            Node::List(nodes) => Value::List(List(split(*nodes))),
            Node::Object(nodes) => Value::Object(Object(split(*nodes))),
            scalar => {
                self.0 = after;
                match scalar {
                    Node::Bool(value) => Value::Bool(*value),
                    Node::Integer(value) => Value::Integer(*value),
                    Node::Unsigned(value) => Value::Unsigned(*value),
                    Node::Float(value) => Value::Float(*value),
                    Node::Text(text) => Value::Text(text),
                    _ => Value::Null,
                }
            }
        })
    }
}

impl FusedIterator for Items<'_> {}

/// The keys and values of an object, in order.
#[derive(Debug, Clone)]
pub(crate) struct Entries<'v>(Items<'v>);

impl<'v> Iterator for Entries<'v> {
    type Item = (&'v str, Value<'v>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (Node::Text(key), after) = self.0.0.split_first()? else {
            return None;
        };
        self.0.0 = after;
        Some((key, self.0.next()?))
    }
}

impl<'v> Value<'v> {
    /// Returns whether this is `null`.
    pub(crate) fn is_null(self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns the text, if this is one.
    pub(crate) fn as_text(self) -> Option<&'v str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the items, if this is a list.
    pub(crate) fn as_list(self) -> Option<List<'v>> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// Returns the object, if this is one.
    pub(crate) fn as_object(self) -> Option<Object<'v>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Returns the value of a key, if this is an object that has it.
    pub(crate) fn get(self, key: &str) -> Option<Self> {
        self.as_object()?.get(key)
    }

    /// Returns the kind of the value in words, for error messages.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) | Self::Unsigned(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// Returns whether a number in it may be an integer that no other kind of number holds as it is written: one of more
    /// than 64 bits, or -0.
    pub(crate) fn has_lost_integer(self) -> bool {
        match self {
            // 2 to the power of 63, from which on the negative ones are lost
            Self::Float(value) => {
                value.abs() >= 9_223_372_036_854_775_808.0
                    || value.to_bits() == (-0.0_f64).to_bits()
            }
            Self::List(list) => list.iter().any(Self::has_lost_integer),
            Self::Object(object) => object.iter().any(|(_, value)| value.has_lost_integer()),
            _ => false,
        }
    }

    /// Appends the value as JSON text.
    pub(crate) fn write(self, style: Style, out: &mut String) {
        self.write_but(style, &[], out);
    }

    /// Appends a JSON schema as compact ASCII text. On all levels, the keywords in `but` are left out; properties and
    /// definitions with such a name stay.
    pub(crate) fn write_schema(self, but: &[&str], out: &mut String) {
        self.write_but(Style::CompactAscii, but, out);
    }

    /// Appends the value as JSON text without the keys in `but`.
    fn write_but(self, style: Style, but: &[&str], out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => put(out, format_args!("{value}")),
            Self::Integer(value) => put(out, format_args!("{value}")),
            Self::Unsigned(value) => put(out, format_args!("{value}")),
            Self::Float(value) => write_float(value, out),
            Self::Text(text) => write_text(text, style, out),
            Self::List(list) => {
                out.push('[');
                for (i, value) in list.iter().enumerate() {
                    out.push_str(if i > 0 { style.comma() } else { "" });
                    value.write_but(style, but, out);
                }
                out.push(']');
            }
            Self::Object(object) => {
                let kept = object.iter().filter(|(key, _)| !but.contains(key));
                write_entries(kept, style, out, |key, value, out| match value {
                    Self::Object(named) if NAMED.contains(&key) => {
                        write_entries(named.iter(), style, out, |_, value, out| {
                            value.write_but(style, but, out);
                        });
                    }
                    value => value.write_but(style, but, out),
                });
            }
        }
    }
}

/// The keywords of a schema whose value is an object with names as keys.
const NAMED: [&str; 3] = ["properties", "$defs", "definitions"];

/// Appends the entries of an object; `write` appends each value.
fn write_entries<'v>(
    entries: impl Iterator<Item = (&'v str, Value<'v>)>,
    style: Style,
    out: &mut String,
    write: impl Fn(&str, Value<'v>, &mut String),
) {
    out.push('{');
    for (i, (key, value)) in entries.enumerate() {
        out.push_str(if i > 0 { style.comma() } else { "" });
        write_text(key, style, out);
        out.push_str(style.colon());
        write(key, value, out);
    }
    out.push('}');
}

/// A value that is owned, or a part of another one.
#[derive(Debug, Clone)]
pub(crate) enum Held<'a> {
    Own(Json<'a>),
    Part(Value<'a>),
}

impl Held<'_> {
    /// Returns the value.
    pub(crate) fn value(&self) -> Value<'_> {
        match self {
            Self::Own(json) => json.value(),
            Self::Part(value) => *value,
        }
    }
}

/// The spaces and escapes of JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// No spaces; only the necessary escapes.
    Compact,
    /// No spaces, ASCII only.
    CompactAscii,
    /// A space after commas and colons; only the necessary escapes.
    Spaced,
    /// The form of Python's `json.dumps`: a space after commas and colons, ASCII only.
    Python,
}

impl Style {
    /// Returns the separator of entries.
    pub(crate) fn comma(self) -> &'static str {
        if self.is_spaced() { ", " } else { "," }
    }

    /// Returns the separator of a key and its value.
    fn colon(self) -> &'static str {
        if self.is_spaced() { ": " } else { ":" }
    }

    /// Returns whether a space follows commas and colons.
    fn is_spaced(self) -> bool {
        matches!(self, Self::Spaced | Self::Python)
    }

    /// Returns whether text beyond ASCII is escaped.
    fn is_ascii(self) -> bool {
        matches!(self, Self::CompactAscii | Self::Python)
    }
}

/// Appends a number in the form of Python, where an exponent has a sign and at least two digits.
fn write_float(value: f64, out: &mut String) {
    let text = format!("{value:?}");
    let Some((digits, exponent)) = text.split_once('e') else {
        return out.push_str(&text);
    };
    let (sign, exponent) = exponent
        .strip_prefix('-')
        .map_or(('+', exponent), |rest| ('-', rest));
    put(out, format_args!("{digits}e{sign}{exponent:0>2}"));
}

/// Appends a JSON string.
pub(crate) fn write_text(text: &str, style: Style, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..' ' => put(out, format_args!("\\u{:04x}", u32::from(c))),
            _ if c.is_ascii() || !style.is_ascii() => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    put(out, format_args!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}

/// Appends formatted text.
pub(crate) fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // writing to a String cannot fail
    let _ = out.write_fmt(text);
}

#[cfg(all(test, feature = "json"))]
mod tests {
    use super::*;

    fn written(text: &str, style: Style) -> String {
        let mut out = String::new();
        Json::parse(text).unwrap().value().write(style, &mut out);
        out
    }

    #[test]
    fn values_are_written_as_python_does() {
        let text = r#" {"b": [1, -2.50, 1e5, 1E16, 0.00001, 18446744073709551615, true, null], "a": {}, "b2": []} "#;
        assert_eq!(
            written(text, Style::Compact),
            r#"{"b":[1,-2.5,100000.0,1e+16,1e-05,18446744073709551615,true,null],"a":{},"b2":[]}"#
        );
        // these need the last bit of the number
        let text = "[14.168536774085865,2.9528824710982358,-12.068487033619391]";
        assert_eq!(written(text, Style::Compact), text);
        assert_eq!(written(r#"[1,{"a":2}]"#, Style::Python), r#"[1, {"a": 2}]"#);
    }

    #[test]
    fn texts_are_escaped() {
        let text = r#""\u00e9\ud83d\ude00 \"\\\/\n\u0001\u007f""#;
        assert_eq!(
            written(text, Style::Compact),
            "\"é😀 \\\"\\\\/\\n\\u0001\u{7f}\""
        );
        assert_eq!(
            written(text, Style::Python),
            r#""\u00e9\ud83d\ude00 \"\\/\n\u0001"#.to_owned() + "\u{7f}\""
        );
    }

    #[test]
    fn the_last_of_two_values_counts() {
        assert_eq!(
            written(r#"{"a": 1, "b": 2, "a": 3}"#, Style::Compact),
            r#"{"a":3,"b":2}"#
        );
        let many: Vec<String> = (0..100).map(|i| format!("\"{}\": {i}", i % 50)).collect();
        let kept: Vec<String> = (50..100).map(|i| format!("\"{}\":{i}", i % 50)).collect();
        let text = format!("{{{}}}", many.join(","));
        assert_eq!(
            written(&text, Style::Compact),
            format!("{{{}}}", kept.join(","))
        );
    }

    #[test]
    fn schemas_lose_keywords_and_keep_names() {
        let schema = r#"{"required": ["a"], "properties": {"required": {"type": "object", "required": []}}}"#;
        let mut out = String::new();
        Json::parse(schema)
            .unwrap()
            .value()
            .write_schema(&["required"], &mut out);
        assert_eq!(out, r#"{"properties":{"required":{"type":"object"}}}"#);
    }
}
