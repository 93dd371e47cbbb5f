//! Where a table is.

use std::ops::Deref;

/// A table in memory of its own, or inside the program.
///
/// Either is the same kind of pointer in the same place, so that reading a table does not ask which it is.
pub(crate) enum Table<T: ?Sized + 'static> {
    Built(Box<T>),
    #[allow(dead_code)] // the build script embeds nothing
    Embedded(&'static T),
}

impl<T: ?Sized> Deref for Table<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        match self {
            Self::Built(table) => table,
            Self::Embedded(table) => table,
        }
    }
}

impl<T> From<Vec<T>> for Table<[T]> {
    fn from(table: Vec<T>) -> Self {
        Self::Built(table.into())
    }
}

impl<T: ?Sized + PartialEq> PartialEq for Table<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

/// A table of a length that is known.
pub(super) fn array<T, const N: usize>(table: Vec<T>) -> Table<[T; N]> {
    let table = table.into_boxed_slice().try_into();
    Table::Built(table.unwrap_or_else(|_| unreachable!("the length is that of the array")))
}
