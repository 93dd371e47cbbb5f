//! Encodings by name, and the encoding argument of a function.

use arrow_array::Datum;
use tiktally::Encoding;

use super::error::Error;
use super::inputs::Texts;

/// The encodings that a name can mean: the built-in ones and any custom ones.
#[derive(Debug, Clone, Default)]
pub struct Encodings {
    custom: Vec<Encoding>,
}

impl Encodings {
    /// Adds a custom encoding under its own name.
    ///
    /// # Errors
    /// [`Error::NameTaken`] if another encoding has the name; [`Error::CanFail`] if it cannot encode every text.
    pub fn add(&mut self, encoding: Encoding) -> Result<(), Error> {
        let name = encoding.name();
        if self.custom().any(|other| other == name)
            || tiktally::list_encoding_names().contains(&name)
        {
            return Err(Error::NameTaken {
                name: name.to_owned(),
            });
        }
        checked(&encoding)?;
        self.custom.push(encoding);
        Ok(())
    }

    /// Returns the encoding of this name.
    ///
    /// # Errors
    /// [`Error::UnknownEncoding`] if no encoding has the name.
    pub fn get(&self, name: &str) -> Result<&Encoding, Error> {
        self.named(name, None)
    }

    /// Returns the encoding of a name, which is that of a row or of all rows.
    fn named(&self, name: &str, row: Option<usize>) -> Result<&Encoding, Error> {
        match self.custom.iter().find(|encoding| encoding.name() == name) {
            Some(encoding) => Ok(encoding),
            None => tiktally::get_encoding(name).map_err(|source| Error::UnknownEncoding {
                row,
                custom: self.custom().map(str::to_owned).collect(),
                source,
            }),
        }
    }

    /// Returns the names of the custom encodings.
    pub fn custom(&self) -> impl Iterator<Item = &str> {
        self.custom.iter().map(Encoding::name)
    }
}

/// Returns the encoding, unless its calls can fail: they would panic, or leave out bytes, in the middle of a query.
fn checked(encoding: &Encoding) -> Result<&Encoding, Error> {
    if encoding.can_fail() {
        return Err(Error::CanFail {
            encoding: encoding.name().to_owned(),
        });
    }
    Ok(encoding)
}

/// The encoding argument of a function: one encoding for all rows, or a name for each row.
pub struct EncodingArg<'a>(Choice<'a>);

enum Choice<'a> {
    One(&'a Encoding),
    Null,
    Named {
        names: Texts<'a>,
        known: &'a Encodings,
    },
}

impl<'a> EncodingArg<'a> {
    /// Uses one encoding for all rows.
    ///
    /// # Errors
    /// [`Error::CanFail`] if the encoding cannot encode every text.
    pub fn one(encoding: &'a Encoding) -> Result<Self, Error> {
        checked(encoding).map(|encoding| Self(Choice::One(encoding)))
    }

    /// Looks up a name for each row. A null name makes the result's row null.
    ///
    /// # Errors
    /// [`Error::Type`] if the names are not strings; [`Error::UnknownEncoding`] if a scalar name is unknown. Unknown names
    /// in an array are errors of the function.
    pub fn named(names: &'a dyn Datum, known: &'a Encodings) -> Result<Self, Error> {
        let names = Texts::named("encoding", names)?;
        if names.len().is_some() {
            return Ok(Self(Choice::Named { names, known }));
        }
        Ok(Self(match names.at(0) {
            Some(name) => Choice::One(known.get(name)?),
            None => Choice::Null,
        }))
    }

    /// Returns the number of rows, or `None` if the argument is one for all rows.
    pub(super) fn len(&self) -> Option<usize> {
        match &self.0 {
            Choice::Named { names, .. } => names.len(),
            Choice::One(_) | Choice::Null => None,
        }
    }

    /// Returns the encoding of a row, unless its name is null.
    pub(super) fn at(&self, row: usize) -> Result<Option<&'a Encoding>, Error> {
        match &self.0 {
            Choice::One(encoding) => Ok(Some(encoding)),
            Choice::Null => Ok(None),
            Choice::Named { names, known } => {
                let name = names.at(row);
                name.map(|name| known.named(name, Some(row))).transpose()
            }
        }
    }
}
