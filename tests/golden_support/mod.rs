//! Reading the golden files and keeping the score.

mod read;
mod report;

pub(crate) use read::{array, base64, digest, digest_of_lists, ids, lines, number, object, text};
pub(crate) use report::{Report, in_parallel};
