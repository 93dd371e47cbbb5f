//! Copies the ids of pieces that come again and again.
//!
//! After a batch, the text may go on as its last pieces did. Then the ids of one period are copied, and the pieces are
//! neither found nor looked up:
//!
//! ```text
//!             | pieces of the batch   | not split yet
//! text        |a|b|a|b|a|b|a|b|a|b|a|b|a b a b a b a b a b a b a b a x
//!                         |   |       |<------------------->|         ^ here the text differs
//! offset                  0   period  reach      copied
//! ```
//!
//! *Why it changes no id.* None of the built-in patterns looks back, so a piece depends only on the text from its start on.
//! None looks far ahead either: the [`PIECES_AHEAD`] pieces after a piece are enough to know its end. So the text up to
//! `reach`, where that many pieces after the first period end, is enough to know the pieces of that period. Wherever these
//! `reach` bytes come again, the same pieces begin. They come again at each multiple of the period, as long as each byte equals
//! the one a period before. So all piece ends repeat, up to one period after the last of these places. And the ids of a
//! piece depend on nothing else.

use super::Engine;
use super::sink::{Append, Sink};
use crate::repetition::{MAX_PERIOD_BYTES, Sample, agreement};
use crate::split::{Splitter, window};
use crate::token_id::TokenId;
use crate::vocab::Regular;

/// How many pieces after a piece decide where it ends, together with the piece itself.
///
/// Three are enough, which the tests check with random text. White space is read up to the first visible character, and is
/// cut into up to three pieces: the last newline ends one, and the last character is left to the word after it or is
/// one. Capitals are read to their end, in two pieces. Two bytes after an apostrophe tell whether it begins a contraction;
/// if not, it is a piece or begins a word.
const PIECES_AHEAD: usize = 4;

/// The fewest pieces of a batch after which the text is compared. Smaller batches are those of short texts. The 128 are
/// of November 2026; no measurement is recorded.
const MIN_PIECES: usize = 128;

/// Text that repeats, at the end of a batch.
struct Repeats {
    /// The bytes of a period.
    period: usize,
    /// How many periods can be copied.
    times: usize,
}

/// Copies the ids of the last pieces of a batch to `sink` as often as their bytes come again. Returns how many bytes were
/// encoded so.
///
/// `at` is the end in the text of the batch, which has `count` pieces and is encoded already.
pub(super) fn copy(
    engine: &mut Engine,
    text: &[u8],
    at: usize,
    count: usize,
    splitter: &Splitter,
    vocab: &Regular,
    sink: &mut impl Sink,
) -> usize {
    let wanted = sink.pieces_wanted();
    if count < MIN_PIECES || wanted == 0 || !sink.takes_repeats() || !splitter.has_borders() {
        return 0;
    }
    let Some(Repeats { period, times }) = find(&engine.lookup.ends()[..count], text, at, wanted)
    else {
        return 0;
    };
    let mut ids = Vec::new();
    let Some(len) = encode_period(engine, text, at, count, period, vocab, &mut ids) else {
        return 0;
    };
    sink.push_again(ids.get(..len).unwrap_or_default(), times);
    times * period
}

/// Returns how the text after a batch repeats the last pieces. Compares no more text than for `wanted` periods.
#[inline]
fn find(ends: &[u32], text: &[u8], at: usize, wanted: usize) -> Option<Repeats> {
    let (known, ahead) = ends.split_at_checked(ends.len().checked_sub(PIECES_AHEAD)?)?;
    let (last, starts) = known.split_last()?;
    let bytes_ahead = (ahead.last()? - last) as usize;
    let middle = at - bytes_ahead;
    let sample = Sample::new(text, middle)?;
    for start in starts.iter().rev() {
        let period = (last - start) as usize;
        if period > MAX_PERIOD_BYTES {
            break;
        }
        if sample.may_have(period) {
            let reach = period + bytes_ahead;
            let most = wanted.saturating_mul(period).saturating_add(2 * reach);
            let text = text.get(..most.saturating_add(at).min(text.len()))?;
            let found = repeats(period, reach, agreement(text, middle, period));
            if found.is_some() {
                return found;
            }
        }
    }
    None
}

/// Returns how many periods can be copied, if the first `len` bytes of text repeat those of a period before.
fn repeats(period: usize, reach: usize, len: usize) -> Option<Repeats> {
    // the pieces of the first period come again at this many periods, and the last of them ends one period later
    let last = len.checked_sub(reach)? / period + 1;
    let times = ((last + 1) * period).checked_sub(reach)? / period;
    (times > 0).then_some(Repeats { period, times })
}

/// Encodes the pieces of the last `period` bytes of a batch once more, and returns how many ids they have.
fn encode_period(
    engine: &mut Engine,
    text: &[u8],
    at: usize,
    count: usize,
    period: usize,
    vocab: &Regular,
    ids: &mut Vec<TokenId>,
) -> Option<usize> {
    let ends = engine.lookup.ends_mut().get_mut(..count)?;
    let start = ends.last()? - period as u32;
    let first = ends.binary_search(&start).ok()? + 1;
    ends.copy_within(first.., 0);
    let pieces = count - first;
    for end in &mut ends[..pieces] {
        *end -= start;
    }
    let buffer = text.get(at - period..)?;
    if buffer.len() < period + window::PADDING {
        return None;
    }
    let mut period = Append::new(ids, 0);
    engine.encode_pieces(buffer, pieces, vocab, &mut period);
    Some(period.len())
}

#[cfg(test)]
mod tests {
    use super::super::sink::Count;
    use super::*;
    use crate::Encoding;
    use crate::merge;
    use crate::merge::cache::Limit;
    use crate::split::scanned;
    use crate::texts::{self, Random};
    use crate::token_id::TokenId;
    use std::collections::HashMap;

    /// Characters whose pieces look ahead: white space, contractions, capitals, and others between them.
    const ALPHABETS: [&str; 9] = [
        "a1 \n'sS.é",
        "'sdmtlvreLVRE\u{17f}x1",
        " \n\t\r\u{a0}\u{3000}a",
        "ABa中ǅʰ\u{301}'s. ",
        "0123456789٣ ,",
        "!/\n\r.\u{301} a",
        "中国、😀\u{200d}e\u{301}\u{302}",
        "the quick brown fox {\"a\": 1},\n",
        "\u{301}\u{302}' aA",
    ];

    fn pick(random: &mut Random, alphabet: &str) -> char {
        let chars: Vec<char> = alphabet.chars().collect();
        chars[random.below(chars.len())]
    }

    fn chars(random: &mut Random, alphabet: &str, len: usize) -> String {
        (0..len).map(|_| pick(random, alphabet)).collect()
    }

    /// Returns `period` bytes of an alphabet.
    fn unit(random: &mut Random, alphabet: &str, period: usize) -> String {
        let mut unit = String::new();
        while unit.len() < period {
            let c = pick(random, alphabet);
            unit.push(if unit.len() + c.len_utf8() > period {
                '7'
            } else {
                c
            });
        }
        unit
    }

    #[test]
    fn three_more_pieces_decide_where_a_piece_ends() {
        let mut random = Random::new(1);
        for round in 0..200_000 {
            let alphabet = ALPHABETS[round % ALPHABETS.len()];
            let len = 2 + random.below(14);
            let text = chars(&mut random, alphabet, len);
            let other = chars(&mut random, alphabet, round % 7);
            for splitter in crate::split::tests::ALL {
                let pieces: Vec<&str> = splitter.pieces(&text).collect();
                let mut end = 0;
                for (i, ahead) in pieces.windows(4).enumerate() {
                    let known: usize = ahead.iter().map(|piece| piece.len()).sum();
                    let changed = text[..end + known].to_owned() + &other;
                    let piece = splitter.pieces(&changed).nth(i);
                    assert_eq!(piece, Some(ahead[0]), "{splitter:?} {text:?} {changed:?}");
                    end += ahead[0].len();
                }
            }
        }
    }

    /// Encodes texts in an engine and piece by piece.
    struct Ways<'e> {
        encoding: &'e Encoding,
        engine: Box<Engine>,
        random: Random,
        known: HashMap<String, Vec<TokenId>>,
        bytes: usize,
        scanned: usize,
    }

    impl<'e> Ways<'e> {
        fn new(encoding: &'e Encoding) -> Self {
            Self {
                encoding,
                engine: Engine::new(Limit::Bytes(1 << 14)),
                random: Random::new(3),
                known: HashMap::new(),
                bytes: 0,
                scanned: 0,
            }
        }

        fn by_pieces(&mut self, text: &str) -> Vec<TokenId> {
            let mut ids = Vec::new();
            for piece in self.encoding.splitter().pieces(text) {
                let known = self.known.entry(piece.to_owned()).or_insert_with(|| {
                    let mut ids = Vec::new();
                    merge::encode_piece(piece.as_bytes(), self.encoding.vocab(), &mut ids);
                    ids
                });
                ids.extend_from_slice(known);
            }
            ids
        }

        fn check(&mut self, text: &str) {
            let (splitter, vocab) = (self.encoding.splitter(), self.encoding.vocab());
            let expected = self.by_pieces(text);
            let mut ids = vec![7];
            self.bytes += text.len();
            self.scanned += scanned::during(|| {
                self.engine.append(text, splitter, vocab, &mut ids);
            });
            assert!(ids[1..] == expected, "{} {text:?}", self.encoding.name());
            let len = expected.len();
            let below = len.saturating_sub(1);
            for limit in [self.random.below(len + 2), 600, below, len, usize::MAX] {
                let mut sink = Count::new(limit);
                self.engine.encode(text, splitter, vocab, &mut sink);
                let name = self.encoding.name();
                if len <= limit {
                    assert_eq!(sink.tokens, len, "{name} {text:?}");
                } else {
                    assert!(sink.tokens > limit, "{name} {limit} {text:?}");
                }
            }
        }
    }

    fn for_each_encoding(check: impl Fn(&Encoding)) {
        for name in crate::list_encoding_names() {
            if let Ok(encoding) = crate::get_encoding(name)
                && encoding.vocab().as_regular().is_some()
            {
                check(encoding);
            }
        }
        #[cfg(feature = "custom")]
        for pattern in [Splitter::Qwen, Splitter::Llama3, Splitter::Tekken] {
            let more = ["ab", "a1", "1a", "'s", " \n", "e\u{301}", "中国"];
            let bytes = (0..=255).map(|byte| vec![byte]);
            let tokens = bytes.chain(more.map(|token| token.as_bytes().to_vec()));
            let encoding = Encoding::builder("custom")
                .pattern(pattern.pattern())
                .ranks(tokens.zip(0..))
                .build()
                .unwrap();
            check(&encoding);
        }
    }

    #[test]
    fn repeated_pieces_have_the_ids_of_single_ones() {
        for_each_encoding(|encoding| {
            let mut random = Random::new(2);
            let mut ways = Ways::new(encoding);
            for period in 1..=MAX_PERIOD_BYTES + 1 {
                for alphabet in ALPHABETS {
                    let unit = unit(&mut random, alphabet, period);
                    let len = 2000 + 60 * period + random.below(5000);
                    let len = random.below(5) + len / period;
                    let lead = random.below(4);
                    let mut text = chars(&mut random, alphabet, lead);
                    text += &unit.repeat(len);
                    let cut = random.below(2 * period);
                    let len_cut = text.len().saturating_sub(cut);
                    texts::cut(&mut text, len_cut);
                    ways.check(&text);
                    text.push(pick(&mut random, alphabet));
                    text += &unit.repeat(1 + random.below(len));
                    ways.check(&text);
                }
            }
            assert!(
                2 * ways.scanned < ways.bytes,
                "{} of {}",
                ways.scanned,
                ways.bytes
            );
        });
    }

    #[test]
    fn repeats_may_break_anywhere() {
        for_each_encoding(|encoding| {
            let mut ways = Ways::new(encoding);
            for unit in [
                "'s",
                "a1",
                "中 ",
                "e\u{301}1",
                "A中a'll ",
                " \n x",
                "1",
                "A.中",
            ] {
                let first = unit.repeat(1500);
                for cut in 0..3 * unit.len() + 70 {
                    let Some(text) = first.get(..first.len() - cut) else {
                        continue;
                    };
                    for break_ in ["", "a", "'", "\n", "中"] {
                        ways.check(&format!("{text}{break_}{}", &unit.repeat(3)));
                    }
                }
            }
        });
    }

    #[test]
    fn whole_periods_are_copied_up_to_where_the_text_differs() {
        // the first piece of one byte, with three pieces ahead
        assert!(repeats(1, 4, 3).is_none());
        let times = |len| repeats(1, 4, len).map_or(0, |repeats| repeats.times);
        assert_eq!([4, 5, 6, 7, 8, 100].map(times), [0, 0, 0, 1, 2, 94]);
    }
}
