//! The first short texts of a built-in vocabulary, whose tables are not built yet.
//!
//! A process that encodes only a few short texts needs no tables. CPU time of the first text, of 36 bytes, beyond that of an
//! empty process, and peak memory (AMD EPYC with AVX2, November 2026):
//!
//! | | with tables | without |
//! |---|---|---|
//! | cl100k_base | 5 ms, 9.0 MB | 0.3 ms, 3.2 MB |
//! | o200k_base | 10 ms, 14.4 MB | 0.5 ms, 3.6 MB |

use crate::merge::one_pass;
use crate::split::Splitter;
use crate::token_id::TokenId;
use crate::vocab::Vocabulary;

/// The longest text that is encoded without tables.
///
/// The pass takes 0.5 ms for 1,000 bytes of English with cl100k_base, and 0.8 with o200k_base. Building the tables takes about
/// ten times as long. The pass grows with the square of the length (AMD EPYC with AVX2, November 2026).
const MAX_FIRST_BYTES: usize = 1 << 10;

/// Appends the ids of a text if it is one of the first short ones of its vocabulary. Returns false if the tables are there
/// or should be built.
#[inline]
pub(crate) fn append_first(
    text: &str,
    splitter: &Splitter,
    vocab: &Vocabulary,
    ids: &mut Vec<TokenId>,
) -> bool {
    !vocab.has_tables() && append_without_tables(text, splitter, vocab, ids)
}

/// Does the work of [`append_first`] when there are no tables. Out of line, so that later texts pay nothing for its memory.
#[cold]
#[inline(never)]
fn append_without_tables(
    text: &str,
    splitter: &Splitter,
    vocab: &Vocabulary,
    ids: &mut Vec<TokenId>,
) -> bool {
    if text.len() > MAX_FIRST_BYTES || splitter.needs_whole_text() {
        return false;
    }
    if text.is_empty() {
        return true; // not counted
    }
    let Some(halves) = vocab.take_first_text() else {
        return false;
    };
    let pieces = splitter.pieces(text).map(str::as_bytes);
    one_pass::merge(pieces, halves, ids);
    true
}

#[cfg(all(test, feature = "cl100k_base"))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Encoding;
    use crate::texts::{KINDS, Random};
    use crate::vocab::OnDemand;
    use crate::vocab::on_demand::MAX_FIRST_TEXTS;

    /// Returns an encoding like cl100k_base whose tables are not built.
    fn fresh() -> Encoding {
        let tables = crate::cl100k_base().vocab().as_regular().unwrap();
        let halves = Box::leak(tables.all_halves().into());
        let vocab = Vocabulary::Regular(OnDemand::new(halves));
        Encoding::new("fresh", Splitter::Cl100k, Arc::new(vocab), [])
    }

    #[test]
    fn ids_do_not_depend_on_the_tables() {
        let mut random = Random::new(2);
        let expected = crate::cl100k_base();
        expected.prepare();
        for kind in &KINDS {
            let encoding = fresh();
            for number in 1..=MAX_FIRST_TEXTS + 2 {
                let text = kind.text(&mut random, 200 * number as usize % 900);
                let ids = expected.encode_ordinary(&text);
                if number % 2 == 0 {
                    assert_eq!(encoding.count(&text), ids.len());
                } else {
                    let mut found = vec![7];
                    encoding.encode_ordinary_into(&text, &mut found);
                    assert_eq!(found[1..], ids);
                }
                assert_eq!(
                    encoding.vocab().has_tables(),
                    number > MAX_FIRST_TEXTS,
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn empty_texts_are_not_counted() {
        let encoding = fresh();
        for _ in 0..2 * MAX_FIRST_TEXTS {
            assert_eq!(encoding.count(""), 0);
        }
        assert_eq!(encoding.encode_ordinary("hello"), [15339]);
        assert!(!encoding.vocab().has_tables());
    }

    #[test]
    fn only_short_texts_come_before_the_tables() {
        let longest = "a b ".repeat(MAX_FIRST_BYTES / 4);
        for (text, is_first) in [
            ("", true),
            (&longest, true),
            (&(longest.clone() + "c"), false),
        ] {
            let encoding = fresh();
            let ids = encoding.encoder().count(text);
            assert_eq!(encoding.vocab().has_tables(), !is_first);
            assert_eq!(ids, crate::cl100k_base().count(text));
        }
    }

    #[test]
    fn other_calls_build_the_tables() {
        let encoding = fresh();
        assert_eq!(encoding.n_vocab(), 100_256);
        assert_eq!(encoding.count_up_to("hello", 5), Some(1));
        assert!(!encoding.vocab().has_tables());
        assert_eq!(encoding.decode(&[15339]).unwrap(), "hello");
        assert!(encoding.vocab().has_tables());
        let prepared = fresh();
        prepared.prepare();
        assert!(prepared.vocab().has_tables());
    }
}
