//! One huge text in parts that are encoded apart.

use std::iter;

use super::Encoding;

impl Encoding {
    /// The text in parts of at least `min_bytes` bytes, the last one perhaps of fewer, that can be encoded apart: their ids
    /// one after the other are those of the text, and their counts add up. For threads of one's own, and for saying how far
    /// one has come.
    ///
    /// A part ends where the next line begins with a letter, if that is a border of two pieces whatever stands around it. A
    /// text without such lines is one part, and so is every text for a pattern of one's own; an empty text has none.
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
    /// O(1) for a part, and O(n) in the bytes behind `min_bytes` up to its end.
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
            // no part is empty
            let border = splitter.border_from(rest, min_bytes.max(1) - 1);
            let (part, after) = border
                .and_then(|at| rest.split_at_checked(at))
                .unwrap_or((rest, ""));
            rest = after;
            Some(part)
        })
    }
}
