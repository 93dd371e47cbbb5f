//! One huge text in parts that can be encoded separately.

use std::iter;

use super::Encoding;
use crate::split::start_before;

impl Encoding {
    /// Splits a text into parts of at least `min_bytes` bytes that can be encoded separately, for instance on threads.
    ///
    /// The ids of the parts, one after the other, are the ids of the text, and the counts add up. Parts also serve to
    /// report progress. Only the last part may be shorter than `min_bytes`.
    ///
    /// A part ends before a line that begins with a letter, if pieces always have a border there. A text without such
    /// lines is one part. So is every text with a custom pattern that has no splitter made for it. An empty text has no
    /// parts.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// let text = "One line is much like another.\n".repeat(10_000);
    /// let parts: Vec<&str> = encoding.independent_parts(&text, 100_000).collect();
    /// assert_eq!((parts.len(), parts.concat() == text), (4, true));
    /// assert_eq!(parts.iter().map(|part| encoding.count(part)).sum::<usize>(), encoding.count(&text));
    /// # }
    /// ```
    ///
    /// # Complexity
    /// O(1) for a part, plus O(n) in its bytes after the first `min_bytes`.
    pub fn independent_parts<'t>(
        &self,
        text: &'t str,
        min_bytes: usize,
    ) -> impl Iterator<Item = &'t str> + use<'t> {
        let splitter = self.splitter().clone();
        let mut rest = text;
        iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            // the border found is at least one byte after the start of the search: no part is shorter than `min_bytes`,
            // or empty
            let border = splitter.border_from(rest, min_bytes.max(1) - 1);
            let (part, after) = border
                .and_then(|at| rest.split_at_checked(at))
                .unwrap_or((rest, ""));
            rest = after;
            Some(part)
        })
    }

    /// Returns the last place where a text can be cut into two that give the same ids alone as together, whatever
    /// follows the text. It is neither the beginning nor the end.
    ///
    /// It serves readers of streams that cut every block near its end. `None` for a text without such a place, such as
    /// one long word, and for a custom pattern that has no splitter made for it.
    #[doc(hidden)]
    pub fn last_border(&self, text: &str) -> Option<usize> {
        if !self.splitter().has_borders() {
            return None;
        }
        start_before(text, text.len())
    }

    /// Returns whether a [`StreamEncoder`](crate::StreamEncoder) gives ids before the end of the text. If not, it holds all
    /// text, and one call for a whole text needs less memory.
    #[doc(hidden)]
    pub fn can_stream(&self) -> bool {
        self.incremental().is_some()
    }
}
