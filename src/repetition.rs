//! Finds bytes that repeat with a short period. Nothing here knows pieces or tokens.
//!
//! ```text
//! text    x y z a b c a b c a b c a b d
//!                     ^ at
//! period              3: the byte at `at` equals that 3 bytes before, and so do the next ones
//! agreement           8: up to the second-last byte
//! ```

/// The longest period that is looked for, in bytes. Longer ones are rare, and the search reads this many bytes each
/// time. The 64 are of November 2026; no measurement is recorded.
pub(crate) const MAX_PERIOD_BYTES: usize = 64;

/// How many bytes are compared to find a period. [`agreement`] shows whether more bytes repeat.
const SAMPLE_BYTES: usize = 8;

/// The bytes before a place in a text, and the next few. They show which periods are possible.
pub(crate) struct Sample<'t> {
    bytes: &'t [u8; MAX_PERIOD_BYTES + SAMPLE_BYTES],
    next: [u8; SAMPLE_BYTES],
}

impl<'t> Sample<'t> {
    /// Takes the bytes around `at`. Returns `None` near the beginning and the end of the text.
    #[inline(always)]
    pub(crate) fn new(text: &'t [u8], at: usize) -> Option<Self> {
        let bytes = text.get(at.checked_sub(MAX_PERIOD_BYTES)?..)?;
        let bytes: &[u8; MAX_PERIOD_BYTES + SAMPLE_BYTES] = bytes.first_chunk()?;
        let next = *bytes.last_chunk()?;
        Some(Self { bytes, next })
    }

    /// Returns whether the next few bytes are equal to those `period` bytes before.
    #[inline(always)]
    pub(crate) fn may_have(&self, period: usize) -> bool {
        let before = self.bytes.get(MAX_PERIOD_BYTES.wrapping_sub(period)..);
        before.and_then(<[u8]>::first_chunk) == Some(&self.next)
    }
}

/// Returns the shortest period with which the next [`MAX_PERIOD_BYTES`] bytes repeat those before `at`.
///
/// A few bytes do not decide: inside a longer period, they may come several times. It compares up to 64 places, so it is
/// called once in some hundred bytes.
pub(crate) fn period_at(text: &[u8], at: usize) -> Option<usize> {
    let sample = Sample::new(text, at)?;
    let next = text.get(..at + MAX_PERIOD_BYTES)?;
    let has = |period: &usize| {
        sample.may_have(*period) && agreement(next, at, *period) == MAX_PERIOD_BYTES
    };
    (1..=MAX_PERIOD_BYTES).find(has)
}

/// Returns how many bytes from `at` on are equal to those `period` bytes before.
pub(crate) fn agreement(text: &[u8], at: usize, period: usize) -> usize {
    let before = at.checked_sub(period).and_then(|from| text.get(from..));
    let (Some(mut before), Some(mut after)) = (before, text.get(at..)) else {
        return 0;
    };
    // blocks of 256 bytes are compared at the speed of memory, and then the rest in ever smaller ones
    for size in [256, 16, 1] {
        let blocks = before.chunks_exact(size).zip(after.chunks_exact(size));
        let len = size * blocks.take_while(|(before, after)| before == after).count();
        before = before.get(len..).unwrap_or_default();
        after = after.get(len..).unwrap_or_default();
    }
    text.len() - at - after.len()
}

/// Returns whether at least half of a long text is made of long runs that repeat with a short period.
pub(crate) fn is_repetitive(text: &[u8]) -> bool {
    let (mut at, mut repeated) = (PROBE_BYTES, 0);
    while let Some(rest) = text.len().checked_sub(at)
        && repeated + rest >= text.len() / 2
    {
        let len = period_at(text, at).map_or(0, |period| agreement(text, at, period));
        if len >= PROBE_BYTES {
            repeated += len;
        }
        at += len + PROBE_BYTES;
    }
    repeated > 0 && repeated >= text.len() / 2
}

/// How far apart [`is_repetitive`] looks for periods, and the shortest run that counts. The 512 are of November 2026;
/// no measurement is recorded.
const PROBE_BYTES: usize = 512;

/// Appends the items from `from` on again and again: `times` times.
pub(crate) fn append_again<T: Copy>(items: &mut Vec<T>, from: usize, times: usize) {
    let mut left = items.len().saturating_sub(from).saturating_mul(times);
    items.reserve(left);
    // all items so far are whole periods, so each step can copy all of them
    while left > 0 {
        let len = left.min(items.len() - from);
        items.extend_from_within(from..from + len);
        left -= len;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_found_and_end_where_the_text_differs() {
        for period in 1..=MAX_PERIOD_BYTES {
            let unit: Vec<u8> = (0..period as u8).collect();
            for len in [8, 9, 63, 64, 65, 255, 256, 257, 272, 700] {
                let mut text = unit.repeat(1000 / period + 2);
                text.truncate(MAX_PERIOD_BYTES + len);
                let found = (len >= MAX_PERIOD_BYTES).then_some(period);
                assert_eq!(period_at(&text, MAX_PERIOD_BYTES), found);
                assert_eq!(agreement(&text, MAX_PERIOD_BYTES, period), len);
                text.push(200);
                assert_eq!(agreement(&text, MAX_PERIOD_BYTES, period), len);
            }
        }
        let twice = b"aaaaaaaaaaaab".repeat(20);
        assert!((64..128).all(|at| period_at(&twice, at) == Some(13)));
        let distinct: Vec<u8> = (0..=255).collect();
        assert!((0..256).all(|at| period_at(&distinct, at).is_none()));
        assert_eq!(agreement(b"aaa", 3, 1), 0);
        assert_eq!(agreement(b"aaa", 1, 2), 0);
    }

    #[test]
    fn repetitive_texts_are_those_that_repeat_mostly() {
        let random: Vec<u8> = (0..2000_u32)
            .map(|i| (i.wrapping_mul(0x9E37_79B9) >> 24) as u8)
            .collect();
        let run = b"abc".repeat(1000);
        assert!(is_repetitive(&run));
        assert!(is_repetitive(&[&random[..1500], &run].concat()));
        assert!(is_repetitive(&[&run, &random[..1500]].concat()));
        assert!(!is_repetitive(&[&run[..1200], &random[..]].concat()));
        assert!(!is_repetitive(&random));
        assert!(!is_repetitive(b"aaaa"));
    }

    #[test]
    fn items_are_appended_again() {
        for times in 0..20 {
            let mut items = vec![9, 1, 2, 3];
            append_again(&mut items, 1, times);
            assert_eq!(items, [vec![9], [1, 2, 3].repeat(times + 1)].concat());
        }
    }
}
