//! The beginning or the end of a text within a number of tokens.

use super::Encoding;
use crate::engine::Engine;
use crate::engine::sink::Until;
use crate::merge;
use crate::split;
use crate::split::classes::is_visible;
use crate::token_id::TokenId;
use crate::utf8::whole_chars;

/// The first guess of how many bytes the last tokens of a text have, for each token.
///
/// Most tokens are shorter, so the first guess is usually enough. If not, the guess is doubled, which keeps the time
/// linear.
const GUESSED_TOKEN_BYTES: usize = 8;

/// The beginning of a text: its length in bytes, and its number of tokens.
#[derive(Clone, Copy)]
pub(super) struct Prefix {
    pub(super) end: usize,
    pub(super) tokens: usize,
}

impl Encoding {
    /// Returns the beginning of a text that has at most `max_tokens` tokens, cut between two characters.
    ///
    /// It ends at the last character boundary within the first `max_tokens` tokens up to which the text, encoded by
    /// itself, has at most `max_tokens` tokens. So a text within the limit is returned whole, and a limit of at least
    /// four always returns some text.
    ///
    /// A longer beginning may fit too, because more text can have fewer tokens.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// assert_eq!(encoding.truncate("tiktoken is great!", 4), "tiktoken is");
    /// assert_eq!(encoding.truncate("tiktoken is great!", 6), "tiktoken is great!");
    /// // a character that is several tokens is not cut
    /// assert_eq!(encoding.truncate("tea \u{1f375}", 3), "tea ");
    /// # }
    /// ```
    ///
    /// # Panics
    /// As [`encode_ordinary`](Self::encode_ordinary).
    ///
    /// # Complexity
    /// O(n) in the bytes that are kept, plus those of a run of white space or capitals that continues after them.
    pub fn truncate<'t>(&self, text: &'t str, max_tokens: usize) -> &'t str {
        // each token has at least one byte
        if text.len() <= max_tokens {
            return text;
        }
        let end = self.prefix(text, max_tokens).end;
        text.get(..end).unwrap_or_default()
    }

    /// Returns the end of a text that has at most `max_tokens` tokens, cut between two characters: for logs and
    /// conversations.
    ///
    /// It begins at the first character boundary within the last `max_tokens` tokens from which the text, encoded by
    /// itself, has at most `max_tokens` tokens.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// assert_eq!(encoding.truncate_start("tiktoken is great!", 3), " is great!");
    /// assert_eq!(encoding.truncate_start("tiktoken is great!", 9), "tiktoken is great!");
    /// # }
    /// ```
    ///
    /// # Panics
    /// As [`encode_ordinary`](Self::encode_ordinary).
    ///
    /// # Complexity
    /// O(n) in the bytes that are kept, plus those of the longest run before them that contains no word boundary. With
    /// a custom pattern that has no splitter made for it, O(n) in the bytes of the text.
    pub fn truncate_start<'t>(&self, text: &'t str, max_tokens: usize) -> &'t str {
        let start = self.suffix_start(text, max_tokens);
        text.get(start..).unwrap_or_default()
    }

    /// Returns the length of [`truncate`](Self::truncate)'s result, and its number of tokens.
    pub(super) fn prefix(&self, text: &str, max_tokens: usize) -> Prefix {
        self.prefix_to(text, max_tokens, |_| true)
    }

    /// Returns the beginning as [`prefix`](Self::prefix) does, but only one that ends where `may_end` allows it.
    /// A text within the limit is returned whole; the result is empty if `may_end` allows no end.
    pub(super) fn prefix_to(
        &self,
        text: &str,
        max_tokens: usize,
        may_end: impl Fn(usize) -> bool,
    ) -> Prefix {
        if max_tokens == 0 {
            return Prefix { end: 0, tokens: 0 };
        }
        let splitter = self.splitter();
        let mut ids = Vec::new();
        let mut until = Until::new(&mut ids, max_tokens);
        Engine::with(|engine| engine.encode(text, splitter, self.vocab(), &mut until));
        let tokens = until.ids.len();
        if tokens <= max_tokens {
            let end = text.len();
            return Prefix { end, tokens };
        }
        let (start, end) = if self.covers_text() {
            let end = until.end(self.vocab());
            (until.start_before(text, end), end)
        } else {
            let starts = self.token_starts(text, tokens);
            (0, starts.get(max_tokens).copied().unwrap_or_default())
        };
        // the tokens before `start` stay; only the pieces after it can change with the cut, and are counted again
        let before = max_tokens - self.count_last_tokens(until.ids.get(..max_tokens), end - start);
        // farther back than `end`, `start` is still a piece start if something visible is left of the text after it
        let is_start = |at: usize, rest: &str| at == end || rest.chars().any(is_visible);
        let boundaries = (0..=end).rev().filter(|at| text.is_char_boundary(*at));
        for end in boundaries.filter(|at| may_end(*at)) {
            let rest = text.get(start..end).filter(|rest| is_start(end, rest));
            let tokens = match rest {
                Some(rest) => before + self.count(rest),
                None => self.count(text.get(..end).unwrap_or_default()),
            };
            if tokens <= max_tokens {
                return Prefix { end, tokens };
            }
        }
        Prefix { end: 0, tokens: 0 }
    }

    /// Returns the byte at which the result of [`truncate_start`](Self::truncate_start) begins.
    pub(super) fn suffix_start(&self, text: &str, max_tokens: usize) -> usize {
        self.suffix_start_at(text, max_tokens, |_| true)
    }

    /// Returns the first byte as [`suffix_start`](Self::suffix_start) does, of those that `may_start` allows; 0 if the
    /// whole text is within the limit, and its length if none is allowed.
    pub(super) fn suffix_start_at(
        &self,
        text: &str,
        max_tokens: usize,
        may_start: impl Fn(usize) -> bool,
    ) -> usize {
        if max_tokens == 0 {
            return text.len();
        }
        let Some(start) = self.start_of_last_tokens(text, max_tokens) else {
            return 0;
        };
        let boundaries = (start..text.len()).filter(|at| text.is_char_boundary(*at));
        let mut boundaries = boundaries.filter(|at| may_start(*at));
        let fits = |at: &usize| {
            let rest = text.get(*at..).unwrap_or_default();
            self.count_up_to(rest, max_tokens).is_some()
        };
        boundaries.find(fits).unwrap_or(text.len())
    }

    /// Returns the byte at which the last `max_tokens` tokens of a text begin; `None` or 0 if there are no more.
    fn start_of_last_tokens(&self, text: &str, max_tokens: usize) -> Option<usize> {
        if !self.covers_text() {
            let starts = self.token_starts(text, usize::MAX);
            let more = starts.len().checked_sub(max_tokens);
            return starts.get(more.filter(|more| *more > 0)?).copied();
        }
        let mut wanted_bytes = max_tokens.saturating_mul(GUESSED_TOKEN_BYTES);
        let ids = loop {
            let to = text.len().saturating_sub(wanted_bytes);
            let to = whole_chars(text.as_bytes(), to);
            let has_borders = self.splitter().has_borders();
            let border = || split::start_before(text, to);
            let from = has_borders.then(border).flatten().unwrap_or(0);
            let ids = self.encode_ordinary(text.get(from..).unwrap_or_default());
            if from == 0 || ids.len() > max_tokens {
                break ids;
            }
            wanted_bytes = (text.len() - from).saturating_mul(2);
        };
        let first = ids.len().checked_sub(max_tokens)?;
        let last = ids.get(first..).unwrap_or_default();
        Some(text.len() - self.vocab().total_len(last))
    }

    /// Returns the byte at which each token of a text begins: of all, or of at least the first `count`.
    fn token_starts(&self, text: &str, count: usize) -> Vec<usize> {
        let (mut starts, mut ids) = (Vec::new(), Vec::new());
        for piece in self.splitter().pieces_of_whole_text(text) {
            let piece = piece.unwrap_or_else(|error| split::give_up(&error));
            ids.clear();
            let mut start = piece.start;
            let mut rest = text.get(piece).unwrap_or_default().as_bytes();
            merge::encode_piece(rest, self.vocab(), &mut ids);
            for token in ids.iter().filter_map(|id| self.vocab().token(*id)) {
                let (gap, after) = after_token(rest, token);
                starts.push(start + gap);
                start += rest.len() - after.len();
                rest = after;
            }
            if starts.len() >= count {
                break;
            }
        }
        starts
    }

    /// Returns how many of the last tokens it takes to cover this many bytes at the end.
    fn count_last_tokens(&self, ids: Option<&[TokenId]>, bytes: usize) -> usize {
        let mut left = bytes;
        let last = ids.unwrap_or_default().iter().rev();
        last.take_while(|id| {
            let is_covering = left > 0;
            left = left.saturating_sub(self.vocab().len(**id));
            is_covering
        })
        .count()
    }
}

/// Returns the number of bytes before a token, which are bytes without one, and what follows the token.
fn after_token<'b>(bytes: &'b [u8], token: &[u8]) -> (usize, &'b [u8]) {
    let mut places = bytes.windows(token.len().max(1));
    let gap = places.position(|place| place == token);
    // no place: merging dropped a byte between the bytes of the token
    let gap = gap.unwrap_or(bytes.len());
    let after = bytes.get(gap + token.len()..).unwrap_or_default();
    (gap, after)
}

#[cfg(all(test, feature = "cl100k_base"))]
mod tests {
    use crate::split::scanned;

    /// Returns one long piece in which no part repeats.
    fn letters(len: usize) -> String {
        let cube = |n: usize| n * n % 1009 * n % 1013;
        (0..len)
            .map(|n| char::from(b"etaoinshrdlu"[cube(n) % 12]))
            .collect()
    }

    /// Calls look at each byte only a few times, and not far past the text that they keep.
    #[test]
    fn each_byte_is_looked_at_a_few_times() {
        let encoding = crate::cl100k_base();
        let lines = [
            "Some words of a text, and 1234 numbers.\n",
            "你好，世界！再见。\n",
            "x = [1, 2];\n\t ",
        ];
        let lines = lines.map(|line| line.repeat(400_000 / line.len()));
        for text in lines.into_iter().chain([letters(400_000)]) {
            let is_one_piece = text.starts_with(char::is_lowercase);
            let kept = encoding.truncate(&text, 1000).len();
            let looked = scanned::during(|| {
                encoding.truncate(&text, 1000);
            });
            assert!(looked >= kept, "truncate: {looked} for {kept}");
            assert!(looked < 3 * kept + 5_000, "truncate: {looked} for {kept}");
            let looked = scanned::during(|| {
                encoding.truncate_start(&text, 1000);
            });
            assert!(
                looked < 12 * kept + 5_000 || is_one_piece,
                "truncate_start: {looked} for {kept}"
            );
            let looked = scanned::during(|| {
                assert!(encoding.count_up_to(&text, 1000).is_none());
            });
            assert!(
                looked < 2 * kept + 50_000,
                "count_up_to: {looked} for {kept}"
            );
            for (overlap, times) in [(0, 3), (100, 6)] {
                // the length of a chunk inside one piece is known only when its tokens are
                let times = times + 2 * usize::from(is_one_piece);
                let chunks = encoding.chunks_overlapping(&text, 512, overlap).unwrap();
                let looked = scanned::during(|| assert!(chunks.count() > 100));
                assert!(
                    looked < times * text.len(),
                    "chunks: {looked} of {}",
                    text.len()
                );
            }
            let looked = scanned::during(|| {
                let mut counter = encoding.token_counter();
                for (at, c) in text.char_indices() {
                    counter.push(text.get(at..at + c.len_utf8()).unwrap_or_default());
                    counter.total();
                }
            });
            assert!(
                looked < 4 * text.len(),
                "counter: {looked} of {}",
                text.len()
            );
        }
    }
}
