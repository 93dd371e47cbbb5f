//! Counts a text that arrives in blocks, on all threads and in bounded memory.
//!
//! The text is cut into parts at places where its pieces do not change. Parts are counted on the pool, up to a number in
//! flight; if there are more, the thread that reads counts one itself. A text without such places, as one huge word, is
//! counted by a [`StreamEncoder`] until the next one. If the encoding has to see it as a whole, it is held instead.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::Scope;
use tiktally::{Encoding, StreamEncoder};

use crate::input::BLOCK_BYTES;

/// The size of a part, in bytes.
///
/// Large enough that handing it to another thread costs little, and small enough that the parts in flight need little
/// memory.
const PART_BYTES: usize = 256 << 10;

/// The number of parts in flight for each thread, in all inputs together.
const PARTS_PER_THREAD: usize = 2;

/// The size from which an input limits the caches of the threads, in bytes. The caches of smaller ones stay small anyway.
const LIMITS_CACHES_BYTES: u64 = 32 << 20;

/// The limit of each thread's cache for such inputs, in bytes.
///
/// A text of 1.5 GB in many languages took 7.8 s of CPU time and 76 MB with caches of 16 MiB, 8.3 s and 52 MB with
/// 8 MiB, 9.5 s and 39 MB with 4 MiB, and 10.9 s and 33 MB with 2 MiB. That was with parts of 1 MiB; with parts of 256 KiB,
/// 4 MiB mean 35 MB (Intel Xeon with AVX-512, 2 cores, November 2026).
const CACHE_BYTES: usize = 4 << 20;

/// The parts of all inputs that are counted on the pool now.
static IN_FLIGHT: AtomicUsize = AtomicUsize::new(0);

/// Counts the text that `read` passes to a [`Parts`], and returns the number of tokens. `input_bytes` is the size of the
/// input, if it is known.
pub(crate) fn count<E>(
    encoding: &Encoding,
    input_bytes: Option<u64>,
    read: impl FnOnce(&mut Parts<'_, '_>) -> Result<(), E>,
) -> Result<usize, E> {
    if input_bytes.is_none_or(|bytes| bytes >= LIMITS_CACHES_BYTES) {
        tiktally::set_cache_bytes(CACHE_BYTES);
    }
    let (tokens, buffers) = (AtomicUsize::new(0), Buffers::default());
    rayon::in_place_scope(|scope| {
        let mut parts = Parts {
            scope,
            encoding,
            tokens: &tokens,
            text: buffers.take(),
            buffers: &buffers,
            ends: Vec::new(),
            next_cut: PART_BYTES,
            open: None,
            ids: Vec::new(),
        };
        read(&mut parts)?;
        parts.finish();
        Ok(())
    })?;
    Ok(tokens.into_inner())
}

/// The part of a text that was not handed to the pool yet.
pub(crate) struct Parts<'s, 'scope> {
    scope: &'s Scope<'scope>,
    encoding: &'scope Encoding,
    /// The tokens of the parts that are counted.
    tokens: &'scope AtomicUsize,
    buffers: &'scope Buffers,
    text: String,
    /// The ends of stretches in `text`: a special token follows each. Empty while `open` is in use.
    ends: Vec<usize>,
    /// The length of `text` at which to look for a place to cut it.
    next_cut: usize,
    /// Encodes a stretch that has no place to be cut; `text` continues it.
    open: Option<StreamEncoder>,
    /// Scratch memory of `open`.
    ids: Vec<tiktally::TokenId>,
}

impl Parts<'_, '_> {
    /// Adds text.
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        if self.text.len() >= self.next_cut {
            self.hand_over();
        }
    }

    /// Ends a stretch of text with a special token.
    pub(crate) fn push_special(&mut self) {
        self.tokens.fetch_add(1, Ordering::Relaxed);
        if self.open.is_some() {
            self.close(self.text.len());
        } else if self.ends.last().copied().unwrap_or(0) < self.text.len() {
            self.ends.push(self.text.len());
        }
    }

    /// Hands over the text up to the last place where it can be cut.
    fn hand_over(&mut self) {
        let stretch = self.ends.last().copied().unwrap_or(0);
        let border = self.encoding.last_border(&self.text[stretch..]);
        let cut = border.map_or(stretch, |at| stretch + at);
        if self.open.is_some() && cut > 0 {
            self.close(cut);
        } else if cut > 0 {
            let mut rest = self.buffers.take();
            rest.push_str(&self.text[cut..]);
            self.text.truncate(cut);
            self.next_cut = PART_BYTES;
            self.hand_over_all(rest);
        } else if self.encoding.can_stream() {
            self.encode_open(self.text.len());
        } else {
            // looking again after each block would take the square of the length
            self.next_cut = self.text.len() + self.text.len() / 2;
        }
    }

    /// Counts the whole text, on the pool if that has few parts, and goes on with `rest`.
    fn hand_over_all(&mut self, rest: String) {
        let part = Part {
            text: std::mem::replace(&mut self.text, rest),
            ends: std::mem::take(&mut self.ends),
        };
        let (encoding, tokens, buffers) = (self.encoding, self.tokens, self.buffers);
        let count = move || {
            tokens.fetch_add(part.count(encoding), Ordering::Relaxed);
            buffers.give_back(part.text);
            IN_FLIGHT.fetch_sub(1, Ordering::Relaxed);
        };
        let limit = PARTS_PER_THREAD * rayon::current_num_threads();
        if IN_FLIGHT.fetch_add(1, Ordering::Relaxed) < limit {
            self.scope.spawn(move |_| count());
        } else {
            count();
        }
    }

    /// Encodes the first bytes of `text`, which have no place to be cut.
    fn encode_open(&mut self, len: usize) {
        let open = (self.open).get_or_insert_with(|| self.encoding.stream_encoder());
        open.push(&self.text[..len], &mut self.ids);
        self.text.drain(..len);
        self.add_ids();
    }

    /// Ends the open stretch after the first bytes of `text`.
    fn close(&mut self, len: usize) {
        self.encode_open(len);
        if let Some(open) = self.open.take() {
            open.finish(&mut self.ids);
            self.add_ids();
        }
    }

    fn add_ids(&mut self) {
        self.tokens.fetch_add(self.ids.len(), Ordering::Relaxed);
        self.ids.clear();
    }

    /// Ends the text.
    fn finish(mut self) {
        if self.open.is_some() {
            self.close(self.text.len());
        } else {
            self.hand_over_all(String::new());
        }
    }
}

/// Buffers of parts that are counted, for the next ones: freed by one thread and allocated by another, they would cost
/// memory.
#[derive(Default)]
struct Buffers(Mutex<Vec<String>>);

impl Buffers {
    fn take(&self) -> String {
        let free = self.0.lock().ok().and_then(|mut free| free.pop());
        // a block of input crosses the end of a part
        free.unwrap_or_else(|| String::with_capacity(PART_BYTES + 2 * BLOCK_BYTES))
    }

    fn give_back(&self, mut buffer: String) {
        buffer.clear();
        buffer.shrink_to(PART_BYTES + 2 * BLOCK_BYTES);
        if let Ok(mut free) = self.0.lock() {
            free.push(buffer);
        }
    }
}

/// A part of a text that is counted alone.
struct Part {
    text: String,
    /// The ends of stretches that are counted alone.
    ends: Vec<usize>,
}

impl Part {
    fn count(&self, encoding: &Encoding) -> usize {
        let mut begin = 0;
        let ends = self.ends.iter().copied().chain([self.text.len()]);
        let stretches = ends.map(|end| {
            let stretch = &self.text[begin..end];
            begin = end;
            stretch
        });
        stretches.map(|stretch| encoding.count(stretch)).sum()
    }
}
