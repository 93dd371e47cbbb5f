//! The way of a text through the stages, some hundred pieces at a time.
//!
//! Each stage is a counted loop over a chunk of pieces: find their ends; make keys and fetch the buckets; take the
//! candidate ids and fetch their rows; compare. What is left over are the misses, the pieces that are no token: they
//! come from the cache, or are merged.
#![allow(clippy::indexing_slicing)] // positions in a chunk are below its size, ids below the rows'

use std::cell::Cell;

use fearless_simd::{Level, Simd, dispatch};
use prefetch_index::prefetch_index;

use crate::TokenId;
use crate::merge::cache::{self, Cache};
use crate::merge::{HOLE, Scratch};
use crate::split::{Splitter, window};
use crate::vocab::tables::{hash, slots};
use crate::vocab::{Vocabulary, piece_key};

/// What a thread's cache of merged pieces may take, for all encodings together.
pub(crate) const CACHE_BYTES: usize = 2 << 20;

/// The key of no piece and no token.
const NO_KEY: u128 = 0xFF;

/// Where the ids go, or only their number.
pub(crate) trait Sink {
    /// Makes room for so many ids.
    fn begin(&mut self, ids: usize);
    /// Takes the ids of pieces that are tokens: `ids[from..to]`.
    fn run(&mut self, ids: &[TokenId; window::ENDS], from: usize, to: usize);
    /// Takes ids without the holes among them.
    fn merged(&mut self, ids: &[TokenId]);
    /// Takes the first `len` of `ids`, of which whole blocks are readable.
    fn blocks(&mut self, ids: &[TokenId], len: usize);
}

/// The number of ids.
#[derive(Default)]
pub(crate) struct Count(pub(crate) usize);

impl Sink for Count {
    fn begin(&mut self, _: usize) {}

    #[inline(always)]
    fn run(&mut self, _: &[TokenId; window::ENDS], from: usize, to: usize) {
        self.0 += to - from;
    }

    #[inline(always)]
    fn merged(&mut self, ids: &[TokenId]) {
        self.0 += ids.iter().filter(|id| **id != HOLE).count();
    }

    #[inline(always)]
    fn blocks(&mut self, _: &[TokenId], len: usize) {
        self.0 += len;
    }
}

/// The ids, appended to a caller's buffer.
///
/// The buffer is made longer ahead of time, so that runs are copied in blocks of a fixed size, and cut in the end.
pub(crate) struct Append<'a> {
    ids: &'a mut Vec<TokenId>,
    len: usize,
}

const BLOCK: usize = 16;

impl<'a> Append<'a> {
    pub(crate) fn new(ids: &'a mut Vec<TokenId>, text_len: usize) -> Self {
        let len = ids.len();
        ids.reserve(text_len / 4 + BLOCK);
        Self { ids, len }
    }

    fn room(&mut self, more: usize) {
        let wanted = self.len + more + BLOCK;
        if wanted > self.ids.len() {
            self.ids.resize(wanted, 0);
        }
    }
}

impl Drop for Append<'_> {
    fn drop(&mut self) {
        self.ids.truncate(self.len);
    }
}

impl Sink for Append<'_> {
    fn begin(&mut self, ids: usize) {
        self.room(ids);
    }

    #[inline(always)]
    fn run(&mut self, ids: &[TokenId; window::ENDS], from: usize, to: usize) {
        let mut at = from;
        while at < to {
            let n = BLOCK.min(to - at);
            // a block that the end of the array cuts off is copied as it is
            let block = if at + BLOCK <= ids.len() { BLOCK } else { n };
            self.ids[self.len..self.len + block].copy_from_slice(&ids[at..at + block]);
            at += n;
            self.len += n;
        }
    }

    #[inline(always)]
    fn merged(&mut self, ids: &[TokenId]) {
        // one place more than ids: a hole is written there and then overwritten
        let places = &mut self.ids[self.len..][..=ids.len()];
        let mut len = 0;
        for id in ids {
            places[len] = *id;
            len += usize::from(*id != HOLE);
        }
        self.len += len;
    }

    #[inline(always)]
    fn blocks(&mut self, ids: &[TokenId], len: usize) {
        let places = self.ids[self.len..].chunks_exact_mut(cache::BLOCK);
        for (place, block) in places
            .zip(ids.chunks_exact(cache::BLOCK))
            .take(len.div_ceil(cache::BLOCK))
        {
            place.copy_from_slice(block);
        }
        self.len += len;
    }
}

/// The scratch memory and the cache of one thread, or of one [`Encoder`](crate::Encoder).
pub(crate) struct State {
    level: Level,
    ends: Chunk<u32>,
    keys: Chunk<u128>,
    /// The upper halves of the hashes, then the candidate ids.
    ids: Chunk<u32>,
    misses: Chunk<u16>,
    cache_keys: Chunk<cache::Key>,
    /// Where the ids of each miss are.
    found: Chunk<Found>,
    scratch: Scratch,
    tail: Vec<u8>,
    cache: Cache,
}

/// Something for each piece of a chunk.
type Chunk<T> = Box<[T; window::ENDS]>;

#[allow(clippy::unnecessary_box_returns)] // by value, a chunk of keys would pass through a small stack
fn chunk<T: Copy>(value: T) -> Chunk<T> {
    let values: Result<Chunk<T>, _> = vec![value; window::ENDS].into_boxed_slice().try_into();
    values.unwrap_or_else(|_| unreachable!("the length is that of the array"))
}

/// Where the ids of a miss are: in an entry of the cache, or in a range of the scratch memory.
#[derive(Clone, Copy)]
enum Found {
    Cached(u32),
    Merged(u32, u32),
}

thread_local! {
    static STATE: Cell<Option<Box<State>>> = const { Cell::new(None) };
}

/// A tail buffer of more bytes than this is given back after the call.
const MAX_TAIL: usize = 1 << 16;

impl State {
    pub(crate) fn new(cache_bytes: usize) -> Box<Self> {
        let level = Level::new();
        Box::new(Self {
            level,
            ends: chunk(0),
            keys: chunk(0),
            ids: chunk(0),
            misses: chunk(0),
            cache_keys: chunk(cache::Key::NONE),
            found: chunk(Found::Cached(0)),
            scratch: Scratch::new(level),
            tail: Vec::new(),
            cache: Cache::new(cache_bytes),
        })
    }

    /// Lends the thread's own state, a new one if a call is under way.
    pub(crate) fn with<T>(call: impl FnOnce(&mut Self) -> T) -> T {
        let mut state = STATE.take().unwrap_or_else(|| Self::new(CACHE_BYTES));
        let result = call(&mut state);
        STATE.set(Some(state));
        result
    }

    /// Encodes a text into `sink`.
    pub(crate) fn encode(
        &mut self,
        text: &str,
        splitter: Splitter,
        vocab: &Vocabulary,
        sink: &mut impl Sink,
    ) {
        let text = text.as_bytes();
        let mut start = 0;
        if text.len() > 4 * window::PADDING {
            let len = text.len() - window::PADDING;
            loop {
                let (base, rest) = text.split_at(start);
                let scanned = splitter.scan(
                    self.level,
                    rest,
                    len.saturating_sub(base.len()),
                    false,
                    &mut self.ends,
                );
                self.pieces(rest, scanned.count, vocab, sink);
                start += scanned.next;
                if scanned.count == 0 {
                    break;
                }
            }
        }
        self.tail(text.get(start..).unwrap_or_default(), splitter, vocab, sink);
    }

    /// Encodes the end of a text, in a copy that has the padding behind it.
    fn tail(&mut self, text: &[u8], splitter: Splitter, vocab: &Vocabulary, sink: &mut impl Sink) {
        let mut tail = std::mem::take(&mut self.tail);
        tail.clear();
        tail.extend_from_slice(text);
        tail.extend_from_slice(&[0; window::PADDING]);
        let mut start = 0;
        while start < text.len() {
            let rest = &tail[start..];
            let scanned = splitter.scan(self.level, rest, text.len() - start, true, &mut self.ends);
            self.pieces(rest, scanned.count, vocab, sink);
            start += scanned.next;
        }
        if tail.capacity() <= MAX_TAIL {
            self.tail = tail;
        }
    }

    /// Encodes the first `count` pieces of a buffer, whose ends are known.
    fn pieces(&mut self, buffer: &[u8], count: usize, vocab: &Vocabulary, sink: &mut impl Sink) {
        let misses = self.look_up(buffer, count, vocab);
        let known = self.resolve(buffer, misses, vocab);
        sink.begin(count + known);
        let mut done = 0;
        for miss in 0..misses {
            let at = usize::from(self.misses[miss]);
            sink.run(&self.ids, done, at);
            done = at + 1;
            match self.found[miss] {
                Found::Cached(entry) => {
                    let (ids, len) = self.cache.ids(entry);
                    sink.blocks(ids, len);
                }
                Found::Merged(first, end) => sink.merged(self.scratch.ids(first, end)),
            }
        }
        sink.run(&self.ids, done, count);
        self.remember(misses, vocab);
    }

    /// Finds the ids of the misses, in the cache or by merging; an upper bound of their number.
    fn resolve(&mut self, buffer: &[u8], misses: usize, vocab: &Vocabulary) -> usize {
        let serial = vocab.serial();
        for miss in 0..misses {
            let key = self.cache_key(buffer, self.misses[miss].into());
            self.cache.prefetch(&key, serial);
            self.cache_keys[miss] = key;
        }
        self.scratch.clear();
        let mut cached = 0;
        for miss in 0..misses {
            self.found[miss] = if let Some(entry) = self.cache.find(&self.cache_keys[miss], serial)
            {
                cached += self.cache.ids(entry).1 + cache::BLOCK;
                Found::Cached(entry)
            } else {
                let first = self.scratch.len() as u32;
                let (start, end) = self.range(self.misses[miss].into());
                self.add_miss(buffer, start, end, vocab);
                Found::Merged(first, self.scratch.len() as u32)
            };
        }
        self.scratch.merge(vocab);
        cached + self.scratch.len()
    }

    /// Puts what was merged into the cache.
    fn remember(&mut self, misses: usize, vocab: &Vocabulary) {
        for (found, key) in self.found[..misses].iter().zip(self.cache_keys.iter()) {
            if let Found::Merged(first, end) = *found {
                let ids = self
                    .scratch
                    .ids(first, end)
                    .iter()
                    .filter(|id| **id != HOLE);
                self.cache.put(key, vocab.serial(), ids);
            }
        }
    }

    /// A piece that is a token further on in the table or longer than a row, or no token.
    fn add_miss(&mut self, buffer: &[u8], start: usize, end: usize, vocab: &Vocabulary) {
        let piece = &buffer[start..end];
        match vocab.id(piece) {
            Some(id) => self.scratch.add_known(id),
            None => self.scratch.add(buffer, start, end, vocab),
        }
    }

    /// The range of a piece of the chunk.
    #[inline(always)]
    fn range(&self, at: usize) -> (usize, usize) {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        (start as usize, self.ends[at] as usize)
    }

    /// The ids of the pieces that are tokens, and the list of those that may not be.
    fn look_up(&mut self, buffer: &[u8], count: usize, vocab: &Vocabulary) -> usize {
        dispatch!(self.level, simd => self.look_up_with(simd, buffer, count, vocab))
    }

    #[inline(always)]
    fn look_up_with<S: Simd>(
        &mut self,
        _: S,
        buffer: &[u8],
        count: usize,
        vocab: &Vocabulary,
    ) -> usize {
        let buckets = vocab.slots();
        let bits = buckets.len().trailing_zeros();
        let mut start = 0;
        for i in 0..count {
            let end = self.ends[i] as usize;
            let key = piece_key(buffer, start, end - start);
            let hash = slots::half(hash(key));
            self.keys[i] = key;
            self.ids[i] = hash;
            prefetch_index(buckets, slots::bucket_of(hash, bits));
            start = end;
        }
        let rows = vocab.rows();
        for id in &mut self.ids[..count] {
            let hash = *id;
            *id = slots::candidate(&buckets[slots::bucket_of(hash, bits)], hash, bits);
            prefetch_index(rows, *id as usize);
        }
        let mut misses = 0;
        for i in 0..count {
            // no piece has the key NO_KEY: it goes on behind its first 0xFF
            let row = rows
                .get(self.ids[i] as usize)
                .map_or(NO_KEY, |row| u128::from_le_bytes(*row));
            self.misses[misses] = i as u16;
            misses += usize::from(row != self.keys[i]);
        }
        misses
    }

    #[inline]
    fn cache_key(&self, buffer: &[u8], at: usize) -> cache::Key {
        let (start, end) = self.range(at);
        let len = end - start;
        if len <= 16 {
            return cache::Key::new(self.keys[at], !0);
        }
        if len > cache::MAX_PIECE {
            return cache::Key::NONE;
        }
        cache::Key::new(
            piece_key(buffer, start, 16),
            piece_key(buffer, start + 16, len - 16),
        )
    }
}
