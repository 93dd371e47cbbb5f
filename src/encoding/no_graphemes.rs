//! In place of `graphemes.rs` without the feature `graphemes`.

use super::Encoding;
use super::truncate::Prefix;

/// Never made.
#[derive(Debug, Clone)]
pub(super) enum Clusters {}

impl Clusters {
    pub(super) fn is_boundary(_: &str, _: usize, _: usize) -> bool {
        true
    }

    pub(super) fn start_at(&self, _: usize) -> usize {
        match *self {}
    }

    pub(super) fn prefix(&mut self, _: &Encoding, _: &str, _: usize, _: usize) -> Prefix {
        match *self {}
    }
}
