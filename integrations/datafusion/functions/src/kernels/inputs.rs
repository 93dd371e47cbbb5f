//! The arguments of a function, read row by row.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{
    AnyDictionaryArray, Array, Datum, Int64Array, LargeStringArray, StringArray, StringViewArray,
};
use arrow_buffer::Buffer;
use arrow_data::{ByteView, MAX_INLINE_VIEW_LEN};
use arrow_schema::DataType;

use super::error::Error;

/// Returns the number of rows of a result: that of the arrays, or 1 if all arguments are scalars, whose length is `None`.
pub(super) fn rows<const N: usize>(lengths: [Option<usize>; N]) -> Result<usize, Error> {
    let mut arrays = lengths.into_iter().flatten();
    let Some(expected) = arrays.next() else {
        return Ok(1);
    };
    match arrays.find(|&found| found != expected) {
        Some(found) => Err(Error::Lengths { expected, found }),
        None => Ok(expected),
    }
}

/// A column with its length, or `None` for a scalar.
pub(super) struct Column<A> {
    pub(super) array: A,
    pub(super) len: Option<usize>,
}

impl<A> Column<A> {
    /// Returns the index of a row in the array.
    pub(super) fn index(&self, row: usize) -> usize {
        if self.len.is_some() { row } else { 0 }
    }
}

impl<'a> Column<&'a dyn Array> {
    pub(super) fn new(argument: &'a dyn Datum) -> Self {
        let (array, is_scalar) = argument.get();
        let len = (!is_scalar).then_some(array.len());
        Self { array, len }
    }
}

/// An argument of strings, or of a dictionary of strings.
pub(super) struct Texts<'a> {
    column: Column<Strings<'a>>,
    dictionary: Option<Dictionary<'a>>,
}

enum Strings<'a> {
    Utf8(&'a StringArray),
    Large(&'a LargeStringArray),
    View(&'a StringViewArray),
    Nulls,
}

/// The keys of a dictionary.
struct Dictionary<'a> {
    keys: &'a dyn Array,
    /// The place of each row's value. It means nothing in rows without a key.
    places: Vec<usize>,
}

impl<'a> Texts<'a> {
    pub(super) fn new(texts: &'a dyn Datum) -> Result<Self, Error> {
        Self::named("text", texts)
    }

    /// Reads an argument of this name.
    pub(super) fn named(argument: &'static str, texts: &'a dyn Datum) -> Result<Self, Error> {
        let Column { array, len } = Column::new(texts);
        let dictionary = array.as_any_dictionary_opt();
        let values = dictionary.map_or(array, |dictionary| dictionary.values());
        let strings = match values.data_type() {
            DataType::Utf8 => Strings::Utf8(values.as_string()),
            DataType::LargeUtf8 => Strings::Large(values.as_string()),
            DataType::Utf8View => Strings::View(values.as_string_view()),
            DataType::Null => Strings::Nulls,
            _ => {
                return Err(Error::Type {
                    argument,
                    expected: "Utf8, LargeUtf8 or Utf8View",
                    found: array.data_type().clone(),
                });
            }
        };
        Ok(Self {
            column: Column {
                array: strings,
                len,
            },
            dictionary: dictionary.map(Dictionary::new),
        })
    }

    pub(super) fn len(&self) -> Option<usize> {
        self.column.len
    }

    pub(super) fn are_large(&self) -> bool {
        matches!(self.column.array, Strings::Large(_))
    }

    /// Returns the text of a row, unless it is null.
    pub(super) fn at(&self, row: usize) -> Option<&'a str> {
        let index = self.index(row)?;
        match self.column.array {
            Strings::Utf8(texts) => texts.is_valid(index).then(|| texts.value(index)),
            Strings::Large(texts) => texts.is_valid(index).then(|| texts.value(index)),
            Strings::View(texts) => texts.is_valid(index).then(|| texts.value(index)),
            Strings::Nulls => None,
        }
    }

    /// Returns the place of a row's text in a dictionary. Rows with one place have one text.
    pub(super) fn place(&self, row: usize) -> Option<usize> {
        self.dictionary.as_ref().and_then(|_| self.index(row))
    }

    /// Returns the buffer with a row's text and its number in the array. A short text may be in no buffer.
    pub(super) fn buffer_of(&self, row: usize) -> Option<(usize, &'a Buffer)> {
        match self.column.array {
            Strings::Utf8(texts) => Some((0, texts.values())),
            Strings::Large(texts) => Some((0, texts.values())),
            Strings::View(texts) => {
                let view = ByteView::from(texts.views()[self.index(row)?]);
                let number = view.buffer_index as usize;
                let is_inside = view.length > MAX_INLINE_VIEW_LEN;
                is_inside.then(|| (number, &texts.data_buffers()[number]))
            }
            Strings::Nulls => None,
        }
    }

    /// Returns the index of a row's text among the strings, unless the row has no key of a dictionary.
    fn index(&self, row: usize) -> Option<usize> {
        let row = self.column.index(row);
        match &self.dictionary {
            None => Some(row),
            Some(Dictionary { keys, places }) => keys.is_valid(row).then(|| places[row]),
        }
    }
}

impl<'a> Dictionary<'a> {
    fn new(dictionary: &'a dyn AnyDictionaryArray) -> Self {
        let places = match dictionary.values().is_empty() {
            // without values no row has a key
            true => Vec::new(),
            false => dictionary.normalized_keys(),
        };
        Self {
            keys: dictionary.keys(),
            places,
        }
    }
}

/// An argument of whole numbers from 0 on.
pub(super) struct Numbers<'a> {
    name: &'static str,
    column: Column<&'a Int64Array>,
}

impl<'a> Numbers<'a> {
    pub(super) fn new(name: &'static str, numbers: &'a dyn Datum) -> Result<Self, Error> {
        let Column { array, len } = Column::new(numbers);
        match array.as_primitive_opt::<Int64Type>() {
            Some(array) => Ok(Self {
                name,
                column: Column { array, len },
            }),
            None => Err(Error::Type {
                argument: name,
                expected: "Int64",
                found: array.data_type().clone(),
            }),
        }
    }

    pub(super) fn len(&self) -> Option<usize> {
        self.column.len
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        self.column.array.is_null(self.column.index(row))
    }

    /// Returns the number of a row that is not null.
    pub(super) fn at(&self, row: usize) -> Result<usize, Error> {
        let value = self.column.array.value(self.column.index(row));
        // a number above `usize` of a 32-bit machine is above any number of tokens there, too
        match u64::try_from(value) {
            Ok(number) => Ok(usize::try_from(number).unwrap_or(usize::MAX)),
            Err(_) => Err(Error::Negative {
                row,
                argument: self.name,
                value,
            }),
        }
    }
}
