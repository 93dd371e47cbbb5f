//! The functions over Arrow arrays, without any engine: DataFusion's functions and the Python package call them.
//!
//! Each argument is a [`Datum`]: an array with a value for each row, or a scalar for all rows. The result has one row for
//! each row of the arrays, or one row if all arguments are scalars. A null in any argument makes the result's row null.
//! Texts and names of encodings are strings of any type, or a dictionary of them. Special tokens in a text are read as plain
//! text.
//!
//! ```
//! use arrow_array::cast::AsArray;
//! use arrow_array::types::Int64Type;
//! use arrow_array::{Int64Array, StringArray};
//! use datafusion_functions_tiktally::kernels::{self, EncodingArg};
//!
//! let texts = StringArray::from(vec![Some("hello world"), None, Some("")]);
//! let encoding = EncodingArg::one(tiktally::o200k_base())?;
//! let counts = kernels::count_tokens(&texts, &encoding)?;
//! assert_eq!(counts.as_primitive::<Int64Type>(), &Int64Array::from(vec![Some(2), None, Some(0)]));
//! # Ok::<(), kernels::Error>(())
//! ```

mod encodings;
mod error;
mod ids;
mod inputs;
mod views;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::{
    ArrayRef, Datum, GenericListArray, Int64Array, ListArray, OffsetSizeTrait, UInt32Array,
};
use arrow_buffer::{NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, FieldRef};
use tiktally::{Chunks, Encoding, TokenId};

pub use encodings::{EncodingArg, Encodings};
pub use error::Error;
use ids::IdLists;
#[cfg(feature = "datafusion")]
pub(crate) use ids::is_id;
use inputs::{Numbers, Texts, rows};
use views::Views;

/// Returns the number of tokens of each text, as `Int64`. A text of a dictionary is counted once for all its rows, unless
/// each row has an encoding of its own.
///
/// # Errors
/// [`Error::Type`] if the texts are not strings, and the errors of the encoding argument.
pub fn count_tokens(texts: &dyn Datum, encoding: &EncodingArg<'_>) -> Result<ArrayRef, Error> {
    let texts = Texts::new(texts)?;
    let has_one_encoding = encoding.len().is_none();
    let mut counted = HashMap::new();
    let counts: Int64Array = (0..rows([texts.len(), encoding.len()])?)
        .map(|row| {
            let Some((text, encoding)) = text_and_encoding(&texts, encoding, row)? else {
                return Ok(None);
            };
            let count = || encoding.count(text) as i64;
            let place = texts.place(row).filter(|_| has_one_encoding);
            Ok(Some(match place {
                Some(place) => *counted.entry(place).or_insert_with(count),
                None => count(),
            }))
        })
        .collect::<Result<_, Error>>()?;
    Ok(Arc::new(counts))
}

/// Returns the ids of each text: `List<UInt32 not null>`, or `LargeList` for `LargeUtf8`.
///
/// # Errors
/// [`Error::TooMany`] if the lists of the rows have more than 2³¹ - 1 ids together and are not a `LargeList`; and those of
/// [`count_tokens`].
pub fn encode_tokens(texts: &dyn Datum, encoding: &EncodingArg<'_>) -> Result<ArrayRef, Error> {
    let texts = Texts::new(texts)?;
    if texts.are_large() {
        return encode_to::<i64>(&texts, encoding);
    }
    encode_to::<i32>(&texts, encoding)
}

/// Encodes into lists whose offsets are of the type `O`.
fn encode_to<O: OffsetSizeTrait>(
    texts: &Texts<'_>,
    encoding: &EncodingArg<'_>,
) -> Result<ArrayRef, Error> {
    let rows = rows([texts.len(), encoding.len()])?;
    let mut ids: Vec<TokenId> = Vec::new();
    let mut lists = Lists::<O>::new(rows);
    for row in 0..rows {
        let both = text_and_encoding(texts, encoding, row)?;
        if let Some((text, encoding)) = both {
            encoding.encode_ordinary_into(text, &mut ids);
        }
        lists.end(row, both.is_some(), ids.len(), "ids")?;
    }
    // engines count the memory of an array by its capacity
    ids.shrink_to_fit();
    Ok(Arc::new(
        lists.finish(item_of_ids(), Arc::new(UInt32Array::from(ids))),
    ))
}

/// Returns the text of each list of ids, as `Utf8View`.
///
/// The lists are `List`, `LargeList` or `FixedSizeList` of any type of integer.
///
/// # Errors
/// - [`Error::Tokenizer`] if the encoding has no token with an id, or the bytes of a list are not UTF-8. A cut in a list of
///   ids can leave a part of a character: cut texts instead.
/// - [`Error::NullId`] or [`Error::NotAnId`] if an id is null, negative or above 2³² - 1.
/// - [`Error::TooMany`] if a text has 2³¹ bytes or more.
/// - [`Error::Type`] if the argument is not a list of integers.
/// - The errors of the encoding argument.
pub fn decode_tokens(lists: &dyn Datum, encoding: &EncodingArg<'_>) -> Result<ArrayRef, Error> {
    let lists = IdLists::new(lists)?;
    let rows = rows([lists.len(), encoding.len()])?;
    let mut texts = StringViewBuilder::with_capacity(rows);
    let mut buffer = Vec::new();
    for row in 0..rows {
        texts.append_option(decode_row(&lists, encoding, row, &mut buffer)?);
    }
    Ok(Arc::new(texts.finish()))
}

fn decode_row(
    lists: &IdLists<'_>,
    encoding: &EncodingArg<'_>,
    row: usize,
    buffer: &mut Vec<TokenId>,
) -> Result<Option<String>, Error> {
    if lists.is_null(row) {
        return Ok(None);
    }
    let Some(encoding) = encoding.at(row)? else {
        return Ok(None);
    };
    let text = encoding
        .decode(lists.at(row, buffer)?)
        .map_err(|source| Error::Tokenizer { row, source })?;
    views::len_of(&text, row)?;
    Ok(Some(text))
}

/// Returns the beginning of each text that has up to the limit of tokens, as `Utf8View`.
///
/// The result shares the memory of the texts. The limits are `Int64`.
///
/// # Errors
/// [`Error::Negative`] if a limit is below zero; [`Error::TooMany`] if a result has 2³¹ bytes or more; and those of
/// [`count_tokens`].
pub fn truncate_tokens(
    texts: &dyn Datum,
    limits: &dyn Datum,
    encoding: &EncodingArg<'_>,
) -> Result<ArrayRef, Error> {
    let texts = Texts::new(texts)?;
    let limits = Numbers::new("n", limits)?;
    let rows = rows([texts.len(), limits.len(), encoding.len()])?;
    let mut views = Views::new(rows);
    for row in 0..rows {
        match truncated(&texts, &limits, encoding, row)? {
            Some(start) => views.push(&texts, row, start)?,
            None => views.push_null(),
        }
    }
    Ok(Arc::new(views.finish()))
}

fn truncated<'a>(
    texts: &Texts<'a>,
    limits: &Numbers<'_>,
    encoding: &EncodingArg<'a>,
    row: usize,
) -> Result<Option<&'a str>, Error> {
    if limits.is_null(row) {
        return Ok(None);
    }
    let Some((text, encoding)) = text_and_encoding(texts, encoding, row)? else {
        return Ok(None);
    };
    Ok(Some(encoding.truncate(text, limits.at(row)?)))
}

/// Splits each text into chunks of up to the limit of tokens: `List<Utf8View not null>`.
///
/// Each chunk begins with the last `overlap` tokens, or fewer, of the one before. The chunks share the memory of the texts.
/// Limits and overlaps are `Int64`.
///
/// # Errors
/// - [`Error::Tokenizer`] if a limit is below its overlap plus 4, so a chunk might have no room for a character.
/// - [`Error::Negative`] if a limit or an overlap is below zero.
/// - [`Error::TooMany`] if there are more than 2³¹ - 1 chunks, or a chunk has 2³¹ bytes or more.
/// - Those of [`count_tokens`].
pub fn chunk_tokens(
    texts: &dyn Datum,
    limits: &dyn Datum,
    overlaps: &dyn Datum,
    encoding: &EncodingArg<'_>,
) -> Result<ArrayRef, Error> {
    let texts = Texts::new(texts)?;
    let (limits, overlaps) = (
        Numbers::new("n", limits)?,
        Numbers::new("overlap", overlaps)?,
    );
    let rows = rows([texts.len(), limits.len(), overlaps.len(), encoding.len()])?;
    let mut views = Views::new(rows);
    let mut lists = Lists::<i32>::new(rows);
    for row in 0..rows {
        let chunks = chunked(&texts, &limits, &overlaps, encoding, row)?;
        let is_valid = chunks.is_some();
        for chunk in chunks.into_iter().flatten() {
            views.push(&texts, row, chunk)?;
        }
        lists.end(row, is_valid, views.len(), "chunks")?;
    }
    let chunks: ListArray = lists.finish(item_of_chunks(), Arc::new(views.finish()));
    Ok(Arc::new(chunks))
}

fn chunked<'a>(
    texts: &Texts<'a>,
    limits: &Numbers<'_>,
    overlaps: &Numbers<'_>,
    encoding: &EncodingArg<'a>,
    row: usize,
) -> Result<Option<Chunks<'a>>, Error> {
    if limits.is_null(row) || overlaps.is_null(row) {
        return Ok(None);
    }
    let Some((text, encoding)) = text_and_encoding(texts, encoding, row)? else {
        return Ok(None);
    };
    let chunks = encoding.chunks_overlapping(text, limits.at(row)?, overlaps.at(row)?);
    chunks
        .map(Some)
        .map_err(|source| Error::Tokenizer { row, source })
}

/// Returns a row's text and encoding, unless one is null.
fn text_and_encoding<'a>(
    texts: &Texts<'a>,
    encoding: &EncodingArg<'a>,
    row: usize,
) -> Result<Option<(&'a str, &'a Encoding)>, Error> {
    let Some(text) = texts.at(row) else {
        return Ok(None);
    };
    Ok(encoding.at(row)?.map(|encoding| (text, encoding)))
}

/// Returns the field of the ids in a list, which are never null.
pub fn item_of_ids() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::UInt32, false))
}

/// Returns the field of the chunks in a list, which are never null.
pub fn item_of_chunks() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Utf8View, false))
}

/// The ends of lists, and which of them are null.
struct Lists<O> {
    offsets: Vec<O>,
    valid: NullBufferBuilder,
}

impl<O: OffsetSizeTrait> Lists<O> {
    fn new(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(O::zero());
        Self {
            offsets,
            valid: NullBufferBuilder::new(rows),
        }
    }

    /// Ends the list of a row after this many items of all rows.
    fn end(
        &mut self,
        row: usize,
        is_valid: bool,
        items: usize,
        what: &'static str,
    ) -> Result<(), Error> {
        let end = O::from_usize(items).ok_or(Error::TooMany {
            row,
            what,
            limit: i32::MAX as u64,
        })?;
        self.offsets.push(end);
        self.valid.append(is_valid);
        Ok(())
    }

    fn finish(mut self, item: FieldRef, items: ArrayRef) -> GenericListArray<O> {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        GenericListArray::new(item, offsets, items, self.valid.finish())
    }
}

#[cfg(test)]
mod tests;
