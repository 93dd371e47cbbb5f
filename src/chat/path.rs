//! Where in a request something is.
#![cfg_attr(not(feature = "json"), allow(dead_code))] // only JSON has paths

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

use super::at_least::Gaps;
#[cfg(feature = "json")]
use super::images::ImageSizes;
use super::value::{Object, Value};
use crate::error::Error;

/// What goes with a body that is being read.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) gaps: RefCell<Gaps>,
    /// The sizes of images that the body links to.
    #[cfg(feature = "json")]
    pub(super) sizes: Option<ImageSizes>,
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

    /// Notes that only the service can count this, if such content is listed; otherwise returns the error for it.
    pub(super) fn missing(&self, why: impl Into<String>) -> Result<(), Error> {
        match self.notes() {
            None => Gaps::default().note(self.to_string(), why),
            Some(notes) => notes.gaps.borrow_mut().note(self.to_string(), why),
        }
    }

    pub(super) fn notes(&self) -> Option<&Notes> {
        let mut path = self;
        loop {
            match path {
                Self::Root => return None,
                Self::Body(notes) => return Some(notes),
                Self::Key(parent, _) | Self::Index(parent, _) => path = parent,
            }
        }
    }

    pub(super) fn key<'k>(&'k self, key: &'k str) -> Path<'k> {
        Path::Key(self, key)
    }

    pub(super) fn at(&self, index: usize) -> Path<'_> {
        Path::Index(self, index)
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

    /// Refuses keys that are not among those that are known, but for those without a value.
    pub(super) fn only(&self, value: &Value<'_>, known: &[&str]) -> Result<(), Error> {
        let unknown = self
            .object(value)?
            .iter()
            .find(|(key, value)| !known.contains(key) && **value != Value::Null);
        unknown.map_or(Ok(()), |(key, _)| {
            Err(Path::Key(self, key)
                .invalid("this key is unknown here and may cost tokens; remove it if it does not"))
        })
    }
}
