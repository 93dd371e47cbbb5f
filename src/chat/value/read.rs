//! JSON text read in the order in which it is written.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Json, Node, Object, Value};

/// The only key of the object that represents a number if another crate enables `arbitrary_precision` of serde_json.
const NUMBER: &str = "$serde_json::private::Number";

/// The largest number of keys that are compared one by one; the keys of a longer object get a set. The 16 are of
/// November 2026; no measurement is recorded.
const FEW: usize = 16;

/// The number of bytes of text for which space for one node is reserved, and the most nodes that get space at first.
/// Both are of November 2026; no measurement is recorded.
const BYTES_A_NODE: usize = 8;
const MAX_RESERVED: usize = 1 << 10;

impl<'a> Json<'a> {
    /// Parses a JSON text with nothing after it, or returns the problem of the text. Lone surrogates become U+FFFD.
    pub(crate) fn parse(text: &'a str) -> Result<Self, String> {
        // texts without lone surrogates are read once
        let json = read(text).or_else(|error| match repaired(text) {
            Some(text) => read(&text).map(Json::into_owned),
            None => Err(error),
        });
        json.map_err(|error| format!("this is not valid JSON: {error}"))
    }

    /// Parses a JSON text that must be an object, or returns the problem of the text.
    pub(crate) fn parse_object(text: &'a str) -> Result<Self, String> {
        let json = Self::parse(text)?;
        match json.value() {
            Value::Object(_) => Ok(json),
            other => Err(format!(
                "this must be the JSON text of an object, not of {}",
                other.kind()
            )),
        }
    }

    /// Returns the values with their own copies of all texts.
    fn into_owned(self) -> Json<'static> {
        let nodes = self.0.into_iter().map(|node| match node {
            Node::Null => Node::Null,
            Node::Bool(value) => Node::Bool(value),
            Node::Integer(value) => Node::Integer(value),
            Node::Unsigned(value) => Node::Unsigned(value),
            Node::Float(value) => Node::Float(value),
            Node::Text(text) => Node::Text(Cow::Owned(text.into_owned())),
            Node::List(nodes) => Node::List(nodes),
            Node::Object(nodes) => Node::Object(nodes),
        });
        Json(nodes.collect())
    }
}

/// Reads a JSON text; an error if something follows it.
fn read(text: &str) -> Result<Json<'_>, serde_json::Error> {
    let reserved = (text.len() / BYTES_A_NODE).min(MAX_RESERVED);
    let (mut nodes, mut doubled) = (Vec::with_capacity(reserved), Vec::new());
    let mut parser = serde_json::Deserializer::from_str(text);
    let reader = Reader {
        nodes: &mut nodes,
        doubled: &mut doubled,
    };
    reader.deserialize(&mut parser)?;
    parser.end()?;
    if doubled.is_empty() {
        return Ok(Json(nodes));
    }
    doubled.sort_unstable();
    let mut kept = Vec::with_capacity(nodes.len());
    keep_last(&mut nodes, 0, &doubled, &mut kept);
    Ok(Json(kept))
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

/// Appends the nodes of the values that the parser finds.
struct Reader<'n, 'de> {
    nodes: &'n mut Vec<Node<'de>>,
    /// The objects that have a key more than once, as indices of their nodes.
    doubled: &'n mut Vec<usize>,
}

impl<'de> Reader<'_, 'de> {
    /// Returns a reader for a value inside this one.
    #[inline]
    fn inner(&mut self) -> Reader<'_, 'de> {
        Reader {
            nodes: self.nodes,
            doubled: self.doubled,
        }
    }

    /// Ends the container whose node is at `start`, after its last item.
    #[inline]
    fn close(self, start: usize) {
        let inside = self.nodes.len() - start - 1;
        if let Some(Node::List(nodes) | Node::Object(nodes)) = self.nodes.get_mut(start) {
            *nodes = inside;
        }
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_, 'de> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.nodes.push(Node::Null);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.nodes.push(Node::Bool(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.nodes.push(Node::Integer(value));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.nodes
            .push(i64::try_from(value).map_or(Node::Unsigned(value), Node::Integer));
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.nodes.push(Node::Float(value));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.nodes.push(Node::Text(Cow::Owned(text.to_owned())));
        Ok(())
    }

    #[inline]
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<(), E> {
        self.nodes.push(Node::Text(Cow::Borrowed(text)));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let start = self.nodes.len();
        self.nodes.push(Node::List(0));
        while items.next_element_seed(self.inner())?.is_some() {}
        self.close(start);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let start = self.nodes.len();
        self.nodes.push(Node::Object(0));
        let mut seen = Seen::default();
        while items.next_key_seed(self.inner())?.is_some() {
            if let Some(Node::Text(key)) = self.nodes.last() {
                seen.add(key);
            }
            items.next_value_seed(self.inner())?;
        }
        let entries = self.nodes.get(start + 1..).unwrap_or_default();
        if seen.has_twins && has_doubles(Object(entries)) {
            self.doubled.push(start);
        }
        if let Some([Node::Text(key), Node::Text(digits)]) = self.nodes.get(start + 1..)
            && key == NUMBER
        {
            let number = number(digits)?;
            self.nodes.truncate(start);
            self.nodes.push(number);
            return Ok(());
        }
        self.close(start);
        Ok(())
    }
}

/// The keys of an object so far, as one bit for each of 64 classes.
#[derive(Default)]
struct Seen {
    classes: u64,
    /// Whether two keys are of one class: only these may be equal.
    has_twins: bool,
}

impl Seen {
    /// Adds a key.
    #[inline]
    fn add(&mut self, key: &str) {
        let byte = |byte: Option<&u8>| usize::from(byte.copied().unwrap_or_default());
        let key = key.as_bytes();
        let sum = key.len() + 5 * byte(key.first()) + 11 * byte(key.last());
        let class = 1 << (sum % 64);
        self.has_twins |= self.classes & class != 0;
        self.classes |= class;
    }
}

/// Returns whether an object has a key more than once.
fn has_doubles(object: Object<'_>) -> bool {
    let mut entries = object.iter();
    if object.len() > FEW {
        let mut seen = HashSet::new();
        return !entries.all(|(key, _)| seen.insert(key));
    }
    while let Some((key, _)) = entries.next() {
        if entries.clone().any(|(other, _)| other == key) {
            return true;
        }
    }
    false
}

/// Moves the value at an index to `out`. Of the objects that are `doubled`, it moves one entry for each key: in its first
/// place, with its last value.
///
/// This is done once for the whole text: done for each object, the nodes inside would move again on each level.
fn keep_last<'a>(nodes: &mut [Node<'a>], at: usize, doubled: &[usize], out: &mut Vec<Node<'a>>) {
    let Some(node) = nodes.get_mut(at) else {
        return;
    };
    let (node, start) = (std::mem::replace(node, Node::Null), out.len());
    let items = match node {
        Node::Object(inside) if doubled.binary_search(&at).is_ok() => {
            last_items(nodes, at + 1, inside)
        }
        Node::List(inside) | Node::Object(inside) => items(nodes, at + 1, inside),
        _ => Vec::new(),
    };
    out.push(node);
    for item in items {
        keep_last(nodes, item, doubled, out);
    }
    let inside = out.len() - start - 1;
    if let Some(Node::List(nodes) | Node::Object(nodes)) = out.get_mut(start) {
        *nodes = inside;
    }
}

/// Returns the indices of the values that follow one another in the `inside` nodes from `first` on: the items of a list, or
/// the keys and values of an object.
fn items(nodes: &[Node<'_>], first: usize, inside: usize) -> Vec<usize> {
    let mut items = Vec::new();
    let mut next = first;
    while let Some(node) = nodes.get(next).filter(|_| next < first + inside) {
        items.push(next);
        next += 1 + node.inside();
    }
    items
}

/// Returns the indices of the first node of each key of an object, and of its last value.
fn last_items(nodes: &[Node<'_>], first: usize, inside: usize) -> Vec<usize> {
    let mut kept: Vec<usize> = Vec::new();
    let mut places = HashMap::new();
    for entry in items(nodes, first, inside).chunks_exact(2) {
        let &[key, value] = entry else { continue };
        let Some(Node::Text(key)) = nodes.get(key) else {
            continue;
        };
        let place = *places.entry(key).or_insert(kept.len() + 1);
        match kept.get_mut(place) {
            Some(known) => *known = value,
            None => kept.extend_from_slice(entry),
        }
    }
    kept
}

/// Returns the number in a text, as serde_json reads it.
fn number<E: Error>(digits: &str) -> Result<Node<'static>, E> {
    if let Ok(value) = digits.parse() {
        return Ok(Node::Integer(value));
    }
    if let Ok(value) = digits.parse() {
        return Ok(Node::Unsigned(value));
    }
    match digits.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Node::Float(value)),
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
        assert_eq!(Json::parse(text), Ok(Json::parse(&replaced).unwrap()));
    }

    #[test]
    fn doubled_keys_inside_doubled_keys_are_found() {
        let mut text = "1".to_owned();
        let mut expected = "1".to_owned();
        for depth in 0..120 {
            text = format!(r#"{{"a":[{depth}],"b":"x","a":{text},"b":[{{"c":1,"c":2}}]}}"#);
            expected = format!(r#"{{"a":{expected},"b":[{{"c":2}}]}}"#);
            assert_eq!(Json::parse(&text), Ok(Json::parse(&expected).unwrap()));
        }
    }

    /// An object with these keys, whose values are 0, 1, 2 and so on in lists of different lengths.
    fn object_of(entries: &[(String, usize)]) -> String {
        let entries = entries
            .iter()
            .map(|(key, i)| format!("\"{key}\":[{}{i}]", "{},".repeat(i % 3)));
        format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
    }

    proptest! {
        #[test]
        fn each_key_keeps_its_first_place_and_its_last_value(keys in prop::collection::vec("[a-c]{0,3}", 0..40)) {
            let entries: Vec<_> = keys.into_iter().zip(0..).collect();
            let mut kept: Vec<(String, usize)> = Vec::new();
            for (key, i) in &entries {
                match kept.iter_mut().find(|(known, _)| known == key) {
                    Some((_, value)) => *value = *i,
                    None => kept.push((key.clone(), *i)),
                }
            }
            let text = format!("[{},0]", object_of(&entries));
            let expected = format!("[{},0]", object_of(&kept));
            prop_assert_eq!(Json::parse(&text), Ok(Json::parse(&expected).unwrap()));
        }

        #[test]
        fn repairing_keeps_the_length(text in r#"(\\|u|d8|dc|00|"|й|[a-f]){0,40}"#) {
            if let Some(repaired) = repaired(&text) {
                prop_assert_eq!(repaired.len(), text.len());
                prop_assert_eq!(super::repaired(&repaired), None);
            }
        }
    }
}
