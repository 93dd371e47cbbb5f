//! Tables that are built at run time or embedded in the program.

use std::ops::Deref;

/// A table on the heap, or one inside the program.
///
/// Both variants are the same kind of pointer at the same place, so reading a table needs no branch.
pub(crate) enum Table<T: ?Sized + 'static> {
    Built(Box<T>),
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

/// Creates a table whose length is known at compile time.
pub(super) fn array<T, const N: usize>(table: Vec<T>) -> Table<[T; N]> {
    let table = table.into_boxed_slice().try_into();
    Table::Built(table.unwrap_or_else(|_| unreachable!("the length is that of the array")))
}
