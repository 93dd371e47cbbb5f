//! The arguments of a function, read row by row.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, Datum, Int64Array, LargeStringArray, StringArray, StringViewArray};
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

/// An argument of strings.
pub(super) struct Texts<'a>(Column<Strings<'a>>);

enum Strings<'a> {
    Utf8(&'a StringArray),
    Large(&'a LargeStringArray),
    View(&'a StringViewArray),
    Nulls,
}

impl<'a> Texts<'a> {
    pub(super) fn new(texts: &'a dyn Datum) -> Result<Self, Error> {
        Self::named("text", texts)
    }

    /// Reads an argument of this name.
    pub(super) fn named(argument: &'static str, texts: &'a dyn Datum) -> Result<Self, Error> {
        let Column { array, len } = Column::new(texts);
        let array = match array.data_type() {
            DataType::Utf8 => Strings::Utf8(array.as_string()),
            DataType::LargeUtf8 => Strings::Large(array.as_string()),
            DataType::Utf8View => Strings::View(array.as_string_view()),
            DataType::Null => Strings::Nulls,
            found => {
                return Err(Error::Type {
                    argument,
                    expected: "Utf8, LargeUtf8 or Utf8View",
                    found: found.clone(),
                });
            }
        };
        Ok(Self(Column { array, len }))
    }

    pub(super) fn len(&self) -> Option<usize> {
        self.0.len
    }

    pub(super) fn are_large(&self) -> bool {
        matches!(self.0.array, Strings::Large(_))
    }

    /// Returns the text of a row, unless it is null.
    pub(super) fn at(&self, row: usize) -> Option<&'a str> {
        let index = self.0.index(row);
        match self.0.array {
            Strings::Utf8(texts) => texts.is_valid(index).then(|| texts.value(index)),
            Strings::Large(texts) => texts.is_valid(index).then(|| texts.value(index)),
            Strings::View(texts) => texts.is_valid(index).then(|| texts.value(index)),
            Strings::Nulls => None,
        }
    }

    /// Returns the buffer with a row's text and its number in the array. A short text may be in no buffer.
    pub(super) fn buffer_of(&self, row: usize) -> Option<(usize, &'a Buffer)> {
        match self.0.array {
            Strings::Utf8(texts) => Some((0, texts.values())),
            Strings::Large(texts) => Some((0, texts.values())),
            Strings::View(texts) => {
                let view = ByteView::from(texts.views()[self.0.index(row)]);
                let number = view.buffer_index as usize;
                let is_inside = view.length > MAX_INLINE_VIEW_LEN;
                is_inside.then(|| (number, &texts.data_buffers()[number]))
            }
            Strings::Nulls => None,
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
