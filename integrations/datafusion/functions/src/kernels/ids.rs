//! Lists of ids, as an argument of a function.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrowPrimitiveType, Datum, PrimitiveArray, downcast_integer_array};
use arrow_schema::{DataType, Field};
use tiktally::TokenId;

use super::error::Error;
use super::inputs::Column;

/// An argument of lists of integers.
pub(super) struct IdLists<'a> {
    lists: Column<&'a dyn Array>,
    items: &'a dyn Array,
}

impl<'a> IdLists<'a> {
    pub(super) fn new(lists: &'a dyn Datum) -> Result<Self, Error> {
        let column = Column::new(lists);
        let lists = column.array;
        let items = match lists.data_type() {
            DataType::List(item) if is_id(item) => lists.as_list::<i32>().values(),
            DataType::LargeList(item) if is_id(item) => lists.as_list::<i64>().values(),
            DataType::FixedSizeList(item, _) if is_id(item) => lists.as_fixed_size_list().values(),
            DataType::Null => lists,
            found => {
                return Err(Error::Type {
                    argument: "ids",
                    expected: "a List, LargeList or FixedSizeList of integers",
                    found: found.clone(),
                });
            }
        };
        Ok(Self {
            lists: column,
            items,
        })
    }

    pub(super) fn len(&self) -> Option<usize> {
        self.lists.len
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        // an array of the type Null has no bitmap of nulls
        let lists = self.lists.array;
        lists.data_type().is_null() || lists.is_null(self.lists.index(row))
    }

    /// Returns the ids of a row that is not null: a part of the array if that has ids already, else copied into the buffer.
    pub(super) fn at<'b>(
        &self,
        row: usize,
        buffer: &'b mut Vec<TokenId>,
    ) -> Result<&'b [TokenId], Error>
    where
        'a: 'b,
    {
        let places = self.places(self.lists.index(row));
        if let Some(nulls) = self.items.logical_nulls()
            && let Some(index) = places.clone().position(|place| nulls.is_null(place))
        {
            return Err(Error::NullId { row, index });
        }
        if places.is_empty() {
            return Ok(&[]);
        }
        if let Some(ids) = self.items.as_primitive_opt::<UInt32Type>() {
            return Ok(&ids.values()[places]);
        }
        buffer.clear();
        let items = self.items;
        downcast_integer_array!(
            items => copy(items, places, row, buffer)?,
            _ => unreachable!("`new` lets only integers and nulls pass, and no item is null")
        );
        Ok(buffer)
    }

    /// Returns the places of a list's items.
    fn places(&self, index: usize) -> Range<usize> {
        let lists = self.lists.array;
        match lists.data_type() {
            DataType::List(_) => {
                let offsets = lists.as_list::<i32>().value_offsets();
                offsets[index] as usize..offsets[index + 1] as usize
            }
            DataType::LargeList(_) => {
                let offsets = lists.as_list::<i64>().value_offsets();
                offsets[index] as usize..offsets[index + 1] as usize
            }
            _ => {
                // `value_offset` has 32 bits, which are too few for the items of some arrays
                let len = lists.as_fixed_size_list().value_length() as usize;
                index * len..(index + 1) * len
            }
        }
    }
}

/// Returns whether the items of a list can be ids. Those of a list without any, such as the literal `[]` of SQL, can have the
/// type Null.
pub(crate) fn is_id(item: &Field) -> bool {
    item.data_type().is_integer() || item.data_type().is_null()
}

/// Copies numbers of any type of integer, each of which must be an id.
fn copy<T: ArrowPrimitiveType<Native: Into<i128>>>(
    items: &PrimitiveArray<T>,
    places: Range<usize>,
    row: usize,
    ids: &mut Vec<TokenId>,
) -> Result<(), Error> {
    for (index, &item) in items.values()[places].iter().enumerate() {
        let value: i128 = item.into();
        let id = TokenId::try_from(value).map_err(|_| Error::NotAnId { row, index, value })?;
        ids.push(id);
    }
    Ok(())
}
