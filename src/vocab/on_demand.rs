//! A regular vocabulary whose tables are built when they are needed.

use std::ops::Deref;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::Regular;
use crate::token_id::TokenId;

/// The most texts of a vocabulary that are encoded without its tables, see [`first`](crate::engine::first).
///
/// A process that goes on has lost up to 2.1 ms with cl100k_base and 3.2 with o200k_base, if these texts have 1,000 bytes.
/// If they are as short as a sentence, 0.7 and 1.4 ms (AMD EPYC with AVX2, November 2026).
pub(crate) const MAX_FIRST_TEXTS: u32 = 4;

/// A regular vocabulary: its tables, or all that is needed to build them.
///
/// It derefs to the tables. The first call builds them, so calls on the hot path take a reference once for a text.
pub(crate) struct OnDemand {
    /// The halves of the tokens; empty if the tables are built from the beginning.
    halves: &'static [[u8; 6]],
    /// How many texts were encoded without the tables.
    first_texts: AtomicU32,
    tables: OnceLock<Regular>,
}

impl OnDemand {
    /// Creates a vocabulary that builds its tables from these halves when they are needed. Every token is a merge of tokens
    /// before it.
    #[cfg_attr(feature = "prebuilt", allow(dead_code))] // built-in vocabularies then come with their tables
    pub(crate) fn new(halves: &'static [[u8; 6]]) -> Self {
        Self {
            halves,
            first_texts: AtomicU32::new(0),
            tables: OnceLock::new(),
        }
    }

    /// Returns the halves if the tables are not built and one more text may be encoded without them. Counts that text.
    pub(crate) fn take_first_text(&self) -> Option<&'static [[u8; 6]]> {
        if self.has_tables() {
            return None;
        }
        let texts = self.first_texts.fetch_add(1, Ordering::Relaxed);
        (texts < MAX_FIRST_TEXTS).then_some(self.halves)
    }

    /// Returns whether the tables are built.
    #[inline(always)]
    pub(crate) fn has_tables(&self) -> bool {
        self.tables.get().is_some()
    }

    /// Returns the largest id, 0 if there is no token. Needs no tables.
    pub(crate) fn max_id(&self) -> TokenId {
        match self.tables.get() {
            Some(tables) => tables.max_id(),
            None => (self.halves.len() as TokenId).saturating_sub(1),
        }
    }
}

impl From<Regular> for OnDemand {
    fn from(tables: Regular) -> Self {
        Self {
            tables: tables.into(),
            ..Self::new(&[])
        }
    }
}

impl Deref for OnDemand {
    type Target = Regular;

    #[inline]
    fn deref(&self) -> &Regular {
        self.tables
            .get_or_init(|| Regular::new(super::tables::table::Table::Embedded(self.halves)))
    }
}
