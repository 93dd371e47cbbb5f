//! Files with one JSON object per line, read a few lines at a time.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use memchr::{memchr, memrchr};
use serde::de::IgnoredAny;

use crate::input::{self, InputError};

/// The largest number of bytes that are read at a time: hundreds of usual requests, enough for all threads.
const BLOCK_BYTES: usize = 1 << 20;

/// The longest line in bytes, so that a file without line ends does not fill the memory. A request with 50 MB of inline
/// images fits.
const LINE_LIMIT: usize = 64 << 20;

/// The mark at the beginning of some files.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// An input whose lines are read in blocks. It holds a block and the beginning of one more line.
pub(crate) struct Lines<'p> {
    path: &'p Path,
    input: BufReader<Box<dyn Read>>,
    /// Bytes that were read. Between calls, `handed` of them are done.
    pending: Vec<u8>,
    handed: usize,
    /// The number of lines that were handed out.
    count: usize,
    limit: usize,
    is_end: bool,
    /// True if the beginning of the next line was dropped, because it was too long.
    is_tail: bool,
}

/// A line that is not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'b> {
    /// Counted from 1.
    pub(crate) number: usize,
    /// `None` for a line over the limit.
    pub(crate) bytes: Option<&'b [u8]>,
}

impl<'p> Lines<'p> {
    /// Opens a file, or standard input for `-`.
    pub(crate) fn open(path: &'p Path) -> Result<Self, InputError> {
        let input = input::open(path).map_err(|error| InputError::io(path, error))?;
        Ok(Self::new(path, input, LINE_LIMIT))
    }

    fn new(path: &'p Path, input: Box<dyn Read>, limit: usize) -> Self {
        Self {
            path,
            input: BufReader::with_capacity(BLOCK_BYTES, input),
            pending: Vec::new(),
            handed: 0,
            count: 0,
            limit,
            is_end: false,
            is_tail: false,
        }
    }

    /// Returns whether each line is an object: the name ends in `.jsonl` or `.ndjson`, or the first line is a whole
    /// object and another one begins after it.
    ///
    /// Call it before anything else is read.
    pub(crate) fn are_objects(&mut self) -> Result<bool, InputError> {
        let extension = self.path.extension().unwrap_or_default();
        if ["jsonl", "ndjson"].map(|known| extension.eq_ignore_ascii_case(known)) != [false; 2] {
            return Ok(true);
        }
        let mut line_end = None;
        loop {
            if let Some(answer) = begins_with_objects(&self.pending, line_end, self.is_end) {
                return Ok(answer);
            }
            if line_end.is_none() && self.pending.len() > self.limit {
                return Ok(false);
            }
            let before = self.pending.len();
            self.read()?;
            // lines before the first object are empty, and rare
            let begin = before.max(blank_len(&self.pending));
            line_end = line_end
                .or_else(|| memchr(b'\n', &self.pending[begin..]).map(|length| begin + length));
        }
    }

    /// Reads what is left as a whole.
    pub(crate) fn rest(mut self) -> Result<Vec<u8>, InputError> {
        let read = self.input.read_to_end(&mut self.pending);
        read.map_err(|error| InputError::io(self.path, error))?;
        Ok(self.pending)
    }

    /// Returns the number of bytes of the block that `next` returned, for the progress bar.
    pub(crate) fn block_bytes(&self) -> usize {
        self.handed
    }

    /// Returns the next lines, without the empty ones; `None` at the end.
    ///
    /// Waits only for the end of one line, so that the lines of a slow pipe are returned as they come.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<Line<'_>>>, InputError> {
        self.pending.drain(..self.handed);
        self.handed = 0;
        let mut searched = 0;
        let end = loop {
            let new = &self.pending[searched..];
            if let Some(at) = memrchr(b'\n', new) {
                break searched + at + 1;
            }
            if self.is_end {
                break self.pending.len();
            }
            if self.pending.len() > self.limit {
                self.is_tail = true;
                self.pending.clear();
            }
            searched = self.pending.len();
            self.read()?;
        };
        self.handed = end;
        if end == 0 && !self.is_tail {
            return Ok(None);
        }
        Ok(Some(self.split()))
    }

    /// Splits the bytes that are handed out into lines.
    fn split(&mut self) -> Vec<Line<'_>> {
        let mut rest = &self.pending[..self.handed];
        let mut lines = Vec::new();
        while !rest.is_empty() || self.is_tail {
            let length = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let (line, after) = rest.split_at(length);
            rest = after;
            self.count += 1;
            let number = self.count;
            let line = match line.strip_prefix(BYTE_ORDER_MARK) {
                Some(unmarked) if number == 1 => unmarked,
                _ => line,
            };
            if std::mem::take(&mut self.is_tail) || line.len() > self.limit {
                let bytes = None;
                lines.push(Line { number, bytes });
            } else if !line.trim_ascii().is_empty() {
                let bytes = Some(line.trim_ascii());
                lines.push(Line { number, bytes });
            }
        }
        lines
    }

    /// Appends the bytes that are available, at most a block.
    fn read(&mut self) -> Result<(), InputError> {
        let read = loop {
            match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let read = read.map_err(|error| InputError::io(self.path, error))?;
        let length = read.len();
        self.pending.extend_from_slice(read);
        self.input.consume(length);
        self.is_end = length == 0;
        Ok(())
    }
}

/// Returns the number of bytes before the first object.
fn blank_len(bytes: &[u8]) -> usize {
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    bytes.len() - text.trim_ascii_start().len()
}

/// Returns whether a whole object on the first line is followed by another object; `None` if more bytes are needed.
///
/// `line_end` is the position of the first line end after the beginning of the object.
fn begins_with_objects(bytes: &[u8], line_end: Option<usize>, is_end: bool) -> Option<bool> {
    if BYTE_ORDER_MARK.starts_with(bytes) {
        return is_end.then_some(false);
    }
    let begin = blank_len(bytes);
    match (bytes.get(begin), line_end) {
        (Some(b'{'), Some(end)) => match bytes[end..].trim_ascii_start().first() {
            Some(b'{') => Some(is_whole(&bytes[begin..end])),
            Some(_) => Some(false),
            None => is_end.then_some(false),
        },
        (Some(b'{') | None, None) => is_end.then_some(false),
        _ => Some(false),
    }
}

/// Returns whether this is valid JSON.
fn is_whole(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out a few bytes at a time.
    struct Slow(Vec<u8>, usize);

    impl Read for Slow {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(self.0.len()).min(into.len());
            into[..length].copy_from_slice(&self.0[..length]);
            self.0.drain(..length);
            Ok(length)
        }
    }

    fn lines(text: &str, at_once: usize, limit: usize) -> Lines<'static> {
        let input = Slow(text.as_bytes().to_vec(), at_once);
        Lines::new(Path::new("-"), Box::new(input), limit)
    }

    /// Returns the numbers and texts of all lines, and asserts the bound on the memory.
    fn all(mut lines: Lines<'_>, at_once: usize) -> Vec<(usize, Option<String>)> {
        let mut all = Vec::new();
        let bound = lines.limit + at_once;
        while let Some(block) = lines.next().unwrap() {
            all.extend(block.iter().map(|line| {
                let text = line
                    .bytes
                    .map(|bytes| String::from_utf8_lossy(bytes).into());
                (line.number, text)
            }));
            assert!(lines.pending.len() <= bound, "{}", lines.pending.len());
            assert!(lines.pending.capacity() <= 4 * (BLOCK_BYTES + bound));
        }
        all
    }

    #[test]
    fn a_line_over_the_limit_is_not_held() {
        let long = "x".repeat(100_000);
        let text = format!("{{}}\n{long}\n\n {{\"a\": 1}}\r\n{long}");
        let expected = [
            (1, Some("{}".to_owned())),
            (2, None),
            (4, Some("{\"a\": 1}".to_owned())),
            (5, None),
        ];
        for at_once in [1, 2, 3, 64, 1000, 1 << 20] {
            assert_eq!(
                all(lines(&text, at_once, 12), at_once),
                expected,
                "{at_once}"
            );
        }
        let at_limit = lines(&text, 1000, long.len() + 1);
        assert_eq!(all(at_limit, 1000)[1], (2, Some(long)));
    }

    #[test]
    fn empty_lines_are_counted_and_left_out() {
        assert_eq!(all(lines("", 8, 8), 8), []);
        assert_eq!(all(lines("\n \n\t\r\n", 8, 8), 8), []);
        let one = [(3, Some("{}".to_owned()))];
        assert_eq!(all(lines("\n\n{}\n\n", 1, 8), 1), one);
        let marked = [(1, Some("{}".to_owned()))];
        assert_eq!(all(lines("\u{feff}{}", 1, 8), 1), marked);
    }

    #[test]
    fn two_objects_make_lines() {
        for (text, expected) in [
            ("", false),
            ("{}", false),
            ("{}\n", false),
            ("{}\n{", true),
            ("\u{feff}\n {\"a\": 1} \r\n\n\n {}", true),
            ("{\n{}}", false),
            ("{\n  \"a\": 1\n}", false),
            ("{}\n1", false),
            ("[]\n{}", false),
            ("{\"a\n\": 1}\n{}", false),
        ] {
            for at_once in [1, 3, 100] {
                let found = lines(text, at_once, 100).are_objects().unwrap();
                assert_eq!(found, expected, "{text:?}, {at_once}");
            }
        }
        let named = Lines::new(Path::new("a/b.JSONL"), Box::new(io::empty()), 10);
        assert!({ named }.are_objects().unwrap());
        // a long line without an end is not searched again and again
        assert!(!lines(&"{".repeat(1000), 1, 10).are_objects().unwrap());
    }

    #[test]
    fn lines_are_there_after_the_question() {
        let text = "{}\n{}\n";
        let mut asked = lines(text, 4, 100);
        assert!(asked.are_objects().unwrap());
        assert_eq!(all(asked, 100).len(), 2);
        let mut asked = lines("{\n}\n", 2, 100);
        assert!(!asked.are_objects().unwrap());
        assert_eq!(asked.rest().unwrap(), b"{\n}\n");
    }
}
