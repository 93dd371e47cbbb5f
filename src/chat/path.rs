//! Where in a request something is.
#![cfg_attr(not(feature = "json"), allow(dead_code))] // only JSON has paths

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use super::value::{Object, Value};
use crate::error::Error;

/// The longest name of a tool, a schema or a speaker that the service takes, in characters.
const MAX_NAME: usize = 64;
/// The longest place that a note is given with, in characters: keys may be of any length.
const MAX_PLACE: usize = 200;
/// The most notes of one request. More add nothing to the reason of an estimate.
const MAX_NOTES: usize = 64;

/// What reading a body found that no recording shows: reasons why its count is only an estimate.
#[derive(Default)]
pub(super) struct Notes(RefCell<Noted>);

#[derive(Default)]
struct Noted {
    reasons: Vec<String>,
    /// What each reason is noted once for: an unknown key, or the reason itself.
    kinds: HashSet<String>,
}

impl Notes {
    /// Takes the reasons out, in the order in which they were found.
    pub(super) fn take_reasons(&self) -> Vec<String> {
        self.0.take().reasons
    }

    /// Adds a reason, once for all places of one kind.
    fn add(&self, kind: &str, path: &Path<'_>, reason: &str) {
        let mut noted = self.0.borrow_mut();
        if noted.kinds.len() < MAX_NOTES && noted.kinds.insert(kind.to_owned()) {
            noted.reasons.push(path.note(reason));
        }
    }
}

/// A place in a request. It becomes text only for an error or a note.
#[derive(Clone, Copy)]
pub(super) enum Path<'p> {
    Root,
    /// The root of a body that is being read, with what is noted of it.
    Body(&'p Notes),
    Key(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root | Self::Body(_) => Ok(()),
            Self::Key(Self::Root | Self::Body(_), key) => f.write_str(key),
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

impl Path<'_> {
    pub(super) fn invalid(&self, problem: impl Into<String>) -> Error {
        super::invalid(self.to_string(), problem)
    }

    /// An invalid value, with the known ones.
    pub(super) fn invalid_among(&self, problem: &str, known: &[&str]) -> Error {
        self.invalid(format!("{problem}; expected one of {}", known.join(", ")))
    }

    pub(super) fn unsupported(&self, what: impl Into<String>) -> Error {
        super::unsupported(self.to_string(), what)
    }

    pub(super) fn key<'k>(&'k self, key: &'k str) -> Path<'k> {
        Path::Key(self, key)
    }

    pub(super) fn at(&self, index: usize) -> Path<'_> {
        Path::Index(self, index)
    }

    /// Returns a reason with this place, which is cut if it is long.
    pub(super) fn note(&self, reason: &str) -> String {
        let place: String = self.to_string().chars().take(MAX_PLACE).collect();
        format!("{place}: {reason}")
    }

    /// Notes that the count is only an estimate, once for all places with this reason.
    pub(super) fn doubt(&self, reason: &str) {
        if let Some(notes) = self.notes() {
            notes.add(reason, self, reason);
        }
    }

    /// Notes a key of this object that makes the count an estimate, once for all objects that have it.
    pub(super) fn doubt_key(&self, key: &str, reason: &str) {
        if let Some(notes) = self.notes() {
            notes.add(key, &self.key(key), reason);
        }
    }

    /// Takes out the reasons that were noted of this body.
    pub(super) fn take_reasons(&self) -> Vec<String> {
        self.notes().map(Notes::take_reasons).unwrap_or_default()
    }

    fn notes(&self) -> Option<&Notes> {
        let mut path = self;
        loop {
            match path {
                Self::Root => return None,
                Self::Body(notes) => return Some(notes),
                Self::Key(parent, _) | Self::Index(parent, _) => path = parent,
            }
        }
    }

    /// The value of a key and its path; null is as good as no value.
    pub(super) fn get<'v, 'a>(
        &self,
        value: &'v Value<'a>,
        key: &'static str,
    ) -> Result<Option<(Path<'_>, &'v Value<'a>)>, Error> {
        let value = self.object(value)?.get(key);
        let value = value.filter(|value| **value != Value::Null);
        Ok(value.map(|value| (Path::Key(self, key), value)))
    }

    pub(super) fn object<'v, 'a>(&self, value: &'v Value<'a>) -> Result<&'v Object<'a>, Error> {
        let wrong = || self.invalid(format!("this must be an object, not {}", value.kind()));
        value.as_object().ok_or_else(wrong)
    }

    pub(super) fn list<'v, 'a>(&self, value: &'v Value<'a>) -> Result<&'v [Value<'a>], Error> {
        let wrong = || self.invalid(format!("this must be an array, not {}", value.kind()));
        value.as_list().ok_or_else(wrong)
    }

    pub(super) fn text<'v>(&self, value: &'v Value<'_>) -> Result<&'v str, Error> {
        let wrong = || self.invalid(format!("this must be a string, not {}", value.kind()));
        value.as_text().ok_or_else(wrong)
    }

    /// What `read` makes of each value of a list.
    pub(super) fn each<'v, 'a, T>(
        &self,
        list: &'v Value<'a>,
        read: impl Fn(&Path<'_>, &'v Value<'a>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let values = self.list(list)?.iter().enumerate();
        values.map(|(i, value)| read(&self.at(i), value)).collect()
    }

    /// The text of a key that must be there.
    pub(super) fn text_of<'v>(
        &self,
        value: &'v Value<'_>,
        key: &'static str,
    ) -> Result<Cow<'v, str>, Error> {
        let (path, text) = self.must(value, key)?;
        Ok(path.text(text)?.into())
    }

    /// The text of a key that may be missing.
    pub(super) fn maybe_text<'v>(
        &self,
        value: &'v Value<'_>,
        key: &'static str,
    ) -> Result<Option<Cow<'v, str>>, Error> {
        let found = self.get(value, key)?;
        found
            .map(|(path, text)| Ok(path.text(text)?.into()))
            .transpose()
    }

    /// The value of a key that must be there.
    pub(super) fn must<'v, 'a>(
        &self,
        value: &'v Value<'a>,
        key: &'static str,
    ) -> Result<(Path<'_>, &'v Value<'a>), Error> {
        self.get(value, key)?
            .ok_or_else(|| self.invalid(format!("`{key}` is missing")))
    }

    /// Notes keys that are not among those that are known, except those without a value. They count as nothing.
    pub(super) fn only(&self, value: &Value<'_>, known: &[&str]) -> Result<(), Error> {
        for (key, value) in self.object(value)?.iter() {
            if !known.contains(&key) && *value != Value::Null {
                self.doubt_key(key, "this is an unknown key, which may cost tokens");
            }
        }
        Ok(())
    }

    /// Refuses a name of a tool or a schema that the service refuses.
    pub(super) fn check_name(&self, name: &str) -> Result<(), Error> {
        let is_named = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if (1..=MAX_NAME).contains(&name.len()) && name.chars().all(is_named) {
            return Ok(());
        }
        let name: String = name.chars().take(MAX_NAME).collect();
        Err(self.invalid(format!(
            "the service refuses the name {name:?}; a name has 1 to {MAX_NAME} characters, each a letter or digit of ASCII, `_` or `-`"
        )))
    }

    /// Refuses a name of a speaker that the service refuses.
    pub(super) fn check_speaker(&self, name: &str) -> Result<(), Error> {
        let is_refused = |c: char| c.is_whitespace() || "<|\\/>".contains(c);
        let is_short = name.chars().nth(MAX_NAME).is_none();
        if is_short && !name.contains(is_refused) {
            return Ok(());
        }
        let name: String = name.chars().take(MAX_NAME).collect();
        Err(self.invalid(format!(
            "the service refuses the name {name:?}; a name has up to {MAX_NAME} characters, without white space, `<`, `>`, `|`, `/` and `\\`"
        )))
    }
}
