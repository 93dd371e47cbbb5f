//! Results that are parts of the texts of an argument.

use std::collections::HashMap;

use arrow_array::StringViewArray;
use arrow_array::builder::StringViewBuilder;
use arrow_data::MAX_INLINE_VIEW_LEN;

use super::error::Error;
use super::inputs::Texts;

/// The bits of a place within a block. An argument of type `LargeUtf8` can have a buffer of more than the 2³² bytes that a
/// view can point into, so each part of 2³¹ bytes begins a block, which goes on into the next part.
const BLOCK_BITS: u32 = 31;

/// Builds an array of parts of texts, which share the texts' memory.
pub(super) struct Views {
    builder: StringViewBuilder,
    /// The number of the block of each part of a buffer that is used.
    blocks: HashMap<(usize, usize), u32>,
    len: usize,
}

impl Views {
    pub(super) fn new(rows: usize) -> Self {
        Self {
            builder: StringViewBuilder::with_capacity(rows),
            blocks: HashMap::new(),
            len: 0,
        }
    }

    /// Returns the number of parts.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push_null(&mut self) {
        self.len += 1;
        self.builder.append_null();
    }

    /// Appends a part of the text of a row.
    pub(super) fn push(&mut self, texts: &Texts<'_>, row: usize, part: &str) -> Result<(), Error> {
        let len = len_of(part, row)?;
        self.len += 1;
        let shared = texts.buffer_of(row).filter(|_| len > MAX_INLINE_VIEW_LEN);
        let Some((number, buffer)) = shared else {
            self.builder.append_value(part);
            return Ok(());
        };
        let place = part.as_ptr() as usize - buffer.as_ptr() as usize;
        let window = place >> BLOCK_BITS;
        let start = window << BLOCK_BITS;
        let block = *self.blocks.entry((number, window)).or_insert_with(|| {
            let len = (buffer.len() - start).min(u32::MAX as usize - 1);
            self.builder
                .append_block(buffer.slice_with_length(start, len))
        });
        let part = self
            .builder
            .try_append_view(block, (place - start) as u32, len);
        part.expect("a text of less than 2³¹ bytes ends within the block in which it begins");
        Ok(())
    }

    pub(super) fn finish(mut self) -> StringViewArray {
        self.builder.finish()
    }
}

/// Returns the length of a text for a view, which has 31 bits for it: other implementations of Arrow read them with a sign.
///
/// # Errors
/// [`Error::TooMany`] if the text is longer.
pub(super) fn len_of(text: &str, row: usize) -> Result<u32, Error> {
    let len = i32::try_from(text.len()).map_err(|_| Error::TooMany {
        row,
        what: "bytes of one text",
        limit: i32::MAX as u64,
    })?;
    Ok(len.unsigned_abs())
}
