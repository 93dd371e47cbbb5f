//! Places in a request, and the notes about them.
#![cfg_attr(not(feature = "json"), allow(dead_code))] // only JSON has paths

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use super::at_least::Unpriced;
#[cfg(feature = "json")]
use super::images::ImageSizes;
use super::value::{List, Object, Value};
use crate::error::Error;

/// The longest name of a tool, a schema or a speaker that the service accepts, in characters.
const MAX_NAME: usize = 64;
/// The longest place that a note gives, in characters: keys may be of any length.
const MAX_PLACE: usize = 200;
/// The largest number of notes of one request. More notes add nothing to the reason of an estimate.
const MAX_NOTES: usize = 64;

/// Notes taken while a body is read: reasons why its count is only an estimate, and content without a known price.
#[derive(Default)]
pub(super) struct Notes {
    noted: RefCell<Noted>,
    /// The content without a known price.
    unpriced: RefCell<Unpriced>,
    /// The sizes of images that the body links to.
    #[cfg(feature = "json")]
    sizes: Option<ImageSizes>,
}

/// The reasons so far.
#[derive(Default)]
struct Noted {
    reasons: Vec<String>,
    /// The kinds that were noted already: the name of an unknown key, or the reason itself.
    kinds: HashSet<String>,
}

impl Notes {
    /// Creates empty notes.
    #[cfg(feature = "json")]
    pub(super) fn new(unpriced: Unpriced, sizes: Option<ImageSizes>) -> Self {
        Self {
            noted: RefCell::default(),
            unpriced: unpriced.into(),
            sizes,
        }
    }

    /// Takes the content without a known price out.
    pub(super) fn take_unpriced(&self) -> Unpriced {
        self.unpriced.take()
    }

    /// Takes the reasons out, in the order in which they were found.
    pub(super) fn take_reasons(&self) -> Vec<String> {
        self.noted.take().reasons
    }

    /// Adds a reason, once for all places of one kind.
    fn add(&self, kind: &str, path: &Path<'_>, reason: &str) {
        let mut noted = self.noted.borrow_mut();
        if noted.kinds.len() < MAX_NOTES && noted.kinds.insert(kind.to_owned()) {
            noted.reasons.push(path.note(reason));
        }
    }
}

/// A place in a request. It becomes text only for an error or a note.
#[derive(Clone, Copy)]
pub(super) enum Path<'p> {
    Root,
    /// The root of a body that is being read, with the notes about the body.
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

/// A key of an object, and its value.
#[derive(Clone, Copy)]
pub(super) struct Field<'p, 'v> {
    object: &'p Path<'p>,
    key: &'static str,
    /// `None` if the key is missing or its value is null.
    value: Option<Value<'v>>,
}

impl<'p, 'v> Field<'p, 'v> {
    /// Returns the value with its path, if there is one.
    pub(super) fn get(self) -> Option<(Path<'p>, Value<'v>)> {
        Some((self.object.key(self.key), self.value?))
    }

    /// Returns the value with its path, or an error if there is none.
    pub(super) fn must(self) -> Result<(Path<'p>, Value<'v>), Error> {
        let missing = || self.object.invalid(format!("`{}` is missing", self.key));
        self.get().ok_or_else(missing)
    }

    /// Returns the text, or an error if there is none.
    pub(super) fn text(self) -> Result<Cow<'v, str>, Error> {
        let (path, text) = self.must()?;
        Ok(path.text(text)?.into())
    }

    /// Returns the text, if there is a value.
    pub(super) fn maybe_text(self) -> Result<Option<Cow<'v, str>>, Error> {
        let text = self.get().map(|(path, text)| path.text(text));
        Ok(text.transpose()?.map(Cow::Borrowed))
    }
}

impl Path<'_> {
    /// Returns the error for an invalid value at this place.
    pub(super) fn invalid(&self, problem: impl Into<String>) -> Error {
        super::invalid(self.to_string(), problem)
    }

    /// Returns the error for an invalid value, with the list of valid ones.
    pub(super) fn invalid_among(&self, problem: &str, known: &[&str]) -> Error {
        self.invalid(format!("{problem}; expected one of {}", known.join(", ")))
    }

    /// Notes content that only the service can count, or returns the error for it if such content is not listed.
    pub(super) fn missing(&self, why: impl Into<String>) -> Result<(), Error> {
        match self.notes() {
            None => Unpriced::default().note(self.to_string(), why),
            Some(notes) => notes.unpriced.borrow_mut().note(self.to_string(), why),
        }
    }

    /// Returns the size of an image that the body links to, if the caller knows it.
    #[cfg(feature = "json")]
    pub(super) fn size_of(&self, url: &str) -> Option<(u32, u32)> {
        self.notes()?.sizes.as_ref()?.of(url)
    }

    /// Returns the place of a key of this object.
    pub(super) fn key<'k>(&'k self, key: &'k str) -> Path<'k> {
        Path::Key(self, key)
    }

    /// Returns the place of an item of this list.
    pub(super) fn at(&self, index: usize) -> Path<'_> {
        Path::Index(self, index)
    }

    /// Returns a reason with this place before it; a long place is cut.
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

    /// Takes the reasons that were noted for this body out.
    pub(super) fn take_reasons(&self) -> Vec<String> {
        self.notes().map(Notes::take_reasons).unwrap_or_default()
    }

    /// Returns the notes of the body that this place is in, or `None` outside of a body.
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

    /// Finds a key of an object.
    fn field<'v>(&self, value: Value<'v>, key: &'static str) -> Result<Field<'_, 'v>, Error> {
        let value = self.object(value)?.get(key);
        Ok(Field {
            object: self,
            key,
            value: value.filter(|value| !value.is_null()),
        })
    }

    /// Finds these keys of an object, in one pass.
    #[inline]
    pub(super) fn fields<'v, const N: usize>(
        &self,
        value: Value<'v>,
        keys: [&'static str; N],
    ) -> Result<[Field<'_, 'v>; N], Error> {
        let mut fields = keys.map(|key| Field {
            object: self,
            key,
            value: None,
        });
        for (key, value) in self.object(value)?.iter() {
            if let Some(field) = fields.iter_mut().find(|field| field.key == key) {
                field.value = Some(value).filter(|value| !value.is_null());
            }
        }
        Ok(fields)
    }

    /// Returns the value of a key with its path, or `None` if it is missing or null.
    pub(super) fn get<'v>(
        &self,
        value: Value<'v>,
        key: &'static str,
    ) -> Result<Option<(Path<'_>, Value<'v>)>, Error> {
        Ok(self.field(value, key)?.get())
    }

    /// Returns the value as an object, or an error that says its kind.
    pub(super) fn object<'v>(&self, value: Value<'v>) -> Result<Object<'v>, Error> {
        let wrong = || self.invalid(format!("this must be an object, not {}", value.kind()));
        value.as_object().ok_or_else(wrong)
    }

    /// Returns the value as a list, or an error that says its kind.
    pub(super) fn list<'v>(&self, value: Value<'v>) -> Result<List<'v>, Error> {
        let wrong = || self.invalid(format!("this must be an array, not {}", value.kind()));
        value.as_list().ok_or_else(wrong)
    }

    /// Returns the value as a text, or an error that says its kind.
    pub(super) fn text<'v>(&self, value: Value<'v>) -> Result<&'v str, Error> {
        let wrong = || self.invalid(format!("this must be a string, not {}", value.kind()));
        value.as_text().ok_or_else(wrong)
    }

    /// Reads each value of a list with `read`.
    pub(super) fn each<'v, T>(
        &self,
        list: Value<'v>,
        read: impl Fn(&Path<'_>, Value<'v>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let list = self.list(list)?;
        let mut all = Vec::with_capacity(list.len());
        for (i, value) in list.iter().enumerate() {
            all.push(read(&self.at(i), value)?);
        }
        Ok(all)
    }

    /// Returns the text of a key that must be there.
    pub(super) fn text_of<'v>(
        &self,
        value: Value<'v>,
        key: &'static str,
    ) -> Result<Cow<'v, str>, Error> {
        self.field(value, key)?.text()
    }

    /// Returns the text of a key that may be missing.
    pub(super) fn maybe_text<'v>(
        &self,
        value: Value<'v>,
        key: &'static str,
    ) -> Result<Option<Cow<'v, str>>, Error> {
        self.field(value, key)?.maybe_text()
    }

    /// Returns the value of a key that must be there, with its path.
    pub(super) fn must<'v>(
        &self,
        value: Value<'v>,
        key: &'static str,
    ) -> Result<(Path<'_>, Value<'v>), Error> {
        self.field(value, key)?.must()
    }

    /// Notes each unknown key that has a value; such keys count as 0 tokens.
    pub(super) fn only(&self, value: Value<'_>, known: &[&str]) -> Result<(), Error> {
        for (key, value) in self.object(value)?.iter() {
            if !known.contains(&key) && !value.is_null() {
                self.doubt_key(key, "this is an unknown key, which may cost tokens");
            }
        }
        Ok(())
    }

    /// Checks the name of a tool or a schema, and returns an error if the service refuses it.
    pub(super) fn check_name(&self, name: &str) -> Result<(), Error> {
        let is_named = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_named) {
            return Ok(());
        }
        let name: String = name.chars().take(MAX_NAME).collect();
        Err(self.invalid(format!(
            "the service refuses the name {name:?}; a name has 1 to {MAX_NAME} characters, each a letter or digit of ASCII, `_` or `-`"
        )))
    }

    /// Checks the name of a speaker, and returns an error if the service refuses it.
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
