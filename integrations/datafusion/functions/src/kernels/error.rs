//! The error of the functions.

use std::fmt;

use arrow_schema::DataType;

/// The error of all functions. Rows count from 0 within the batch, whose size the engine chooses.
///
/// Through DataFusion it is the cause of a `DataFusionError::External`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The tokenizer refuses a row: an id without a token, bytes that are not UTF-8, or chunks that are too small.
    Tokenizer {
        /// The row of the batch.
        row: usize,
        /// The tokenizer's error.
        source: tiktally::Error,
    },
    /// No encoding has this name.
    UnknownEncoding {
        /// The row of the batch, if the name comes from a column.
        row: Option<usize>,
        /// The names of the custom encodings. `source` names the others.
        custom: Vec<String>,
        /// The tokenizer's error.
        source: tiktally::Error,
    },
    /// A custom encoding has a name that is taken already.
    NameTaken {
        /// The name.
        name: String,
    },
    /// Calls of a custom encoding can fail: its pattern can give up on a text, or a byte has no token.
    CanFail {
        /// The name of the encoding.
        encoding: String,
    },
    /// A limit or an overlap is below zero.
    Negative {
        /// The row of the batch.
        row: usize,
        /// `n` or `overlap`.
        argument: &'static str,
        /// The number.
        value: i64,
    },
    /// A list of ids has a null.
    NullId {
        /// The row of the batch.
        row: usize,
        /// The place in the list.
        index: usize,
    },
    /// A list of ids has a number that no id can be.
    NotAnId {
        /// The row of the batch.
        row: usize,
        /// The place in the list.
        index: usize,
        /// The number.
        value: i128,
    },
    /// Arrow's offsets have no room for the result of a batch.
    TooMany {
        /// The row of the batch at which the room ends.
        row: usize,
        /// The items: ids, chunks, or bytes of a text.
        what: &'static str,
        /// The largest possible number of them.
        limit: u64,
    },
    /// An argument has a type that the function does not take.
    Type {
        /// The name of the argument.
        argument: &'static str,
        /// The types that it may have.
        expected: &'static str,
        /// The type that it has.
        found: DataType,
    },
    /// Two arguments are arrays of different lengths.
    Lengths {
        /// The length of the first array.
        expected: usize,
        /// The length of the other one.
        found: usize,
    },
}

impl Error {
    /// Returns the row of the batch at which the fault is, if it is at one.
    pub fn row(&self) -> Option<usize> {
        match self {
            Self::Tokenizer { row, .. }
            | Self::Negative { row, .. }
            | Self::NullId { row, .. }
            | Self::NotAnId { row, .. }
            | Self::TooMany { row, .. } => Some(*row),
            Self::UnknownEncoding { row, .. } => *row,
            Self::NameTaken { .. }
            | Self::CanFail { .. }
            | Self::Type { .. }
            | Self::Lengths { .. } => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(row) = self.row() {
            write!(f, "row {row} of the batch: ")?;
        }
        match self {
            Self::Tokenizer { source, .. } => write!(f, "{source}"),
            Self::UnknownEncoding { custom, source, .. } if custom.is_empty() => {
                write!(f, "{source}")
            }
            Self::UnknownEncoding { custom, source, .. } => {
                write!(f, "{source}; custom encodings: {}", custom.join(", "))
            }
            Self::NameTaken { name } => write!(
                f,
                "an encoding called {name:?} exists already; give the custom encoding another name"
            ),
            Self::CanFail { encoding } => write!(
                f,
                "{encoding:?} cannot encode every text: its pattern backtracks, or a byte has no token; build it with \
                 `pattern` and with a token for each byte"
            ),
            Self::Negative {
                argument, value, ..
            } => write!(f, "{argument} is {value}, but must be 0 or more"),
            Self::NullId { index, .. } => write!(
                f,
                "the id at index {index} is null; remove nulls from the list first"
            ),
            Self::NotAnId { index, value, .. } => write!(
                f,
                "{value} at index {index} is not an id, which is from 0 to {}",
                u32::MAX
            ),
            Self::TooMany { what, limit, .. } => write!(
                f,
                "the result has more than {limit} {what}, the limit of Arrow's offsets; use smaller batches (in DataFusion \
                 `SET datafusion.execution.batch_size = 1024`) or shorter texts"
            ),
            Self::Type {
                argument,
                expected,
                found,
            } => write!(f, "{argument} must be {expected}, but is {found}"),
            Self::Lengths { expected, found } => {
                write!(
                    f,
                    "an argument has {found} rows, but another one {expected}"
                )
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Tokenizer { source, .. } | Self::UnknownEncoding { source, .. } => Some(source),
            _ => None,
        }
    }
}
