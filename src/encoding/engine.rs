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
use crate::merge::{BLOCK, Scratch};
use crate::split::{Splitter, window};
use crate::vocab::tables::{common, hash, slots};
use crate::vocab::{Vocabulary, piece_key};

/// What a thread's cache of merged pieces may take, for all encodings together.
pub(crate) const CACHE_BYTES: usize = 2 << 20;

/// Where the ids go, or only their number.
pub(crate) trait Sink {
    /// Makes room for so many ids.
    fn begin(&mut self, ids: usize);
    /// Takes the ids of pieces that are tokens: `ids[from..to]`.
    fn run(&mut self, ids: &[TokenId; window::ENDS], from: usize, to: usize);
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

const RUN: usize = 16;

impl<'a> Append<'a> {
    pub(crate) fn new(ids: &'a mut Vec<TokenId>, text_len: usize) -> Self {
        let len = ids.len();
        ids.reserve(text_len / 4 + RUN);
        Self { ids, len }
    }

    fn room(&mut self, more: usize) {
        let wanted = self.len + more + RUN;
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
            let n = RUN.min(to - at);
            // a block that the end of the array cuts off is copied as it is
            let block = if at + RUN <= ids.len() { RUN } else { n };
            self.ids[self.len..self.len + block].copy_from_slice(&ids[at..at + block]);
            at += n;
            self.len += n;
        }
    }

    #[inline(always)]
    fn blocks(&mut self, ids: &[TokenId], len: usize) {
        let mut at = 0;
        while at < len {
            self.ids[self.len + at..][..BLOCK].copy_from_slice(&ids[at..at + BLOCK]);
            at += BLOCK;
        }
        self.len += len;
    }
}

/// The scratch memory and the cache of one thread, or of one [`Encoder`](crate::Encoder).
pub(crate) struct State {
    level: Level,
    ends: Chunk<u32>,
    keys: Chunk<u128>,
    ids: Chunk<u32>,
    /// The upper halves of the hashes of the pieces that are not common, then the candidate ids.
    hashes: Chunk<u32>,
    misses: Chunk<u16>,
    /// Whether a miss may be a token that is further on in the table.
    doubts: Chunk<bool>,
    /// What each miss is looked for by in the cache, and in which set.
    wanted: Chunk<(cache::Key, u32)>,
    /// Which of the misses were not in the cache.
    fresh: Chunk<u16>,
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
            hashes: chunk(0),
            misses: chunk(0),
            doubts: chunk(false),
            wanted: chunk((cache::Key::NONE, 0)),
            fresh: chunk(0),
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
        self.resolve(buffer, misses, vocab);
        sink.begin(count + self.scratch.len());
        let mut done = 0;
        for miss in 0..misses {
            let at = usize::from(self.misses[miss]);
            sink.run(&self.ids, done, at);
            done = at + 1;
            let (ids, len) = self.scratch.ids(miss);
            sink.blocks(ids, len);
        }
        sink.run(&self.ids, done, count);
    }

    /// Finds the ids of the misses, in the cache or by merging.
    fn resolve(&mut self, buffer: &[u8], misses: usize, vocab: &Vocabulary) {
        let serial = vocab.serial();
        for miss in 0..misses {
            let key = self.cache_key(buffer, miss);
            let set = self.cache.set_of(&key, serial);
            self.wanted[miss] = (key, set as u32);
        }
        self.scratch.clear();
        let mut fresh = 0;
        for miss in 0..misses {
            let (key, set) = &self.wanted[miss];
            if let Some((ids, len)) = self.cache.find(*set as usize, key, serial) {
                self.scratch.add_ids(ids, len);
            } else {
                self.fresh[fresh] = miss as u16;
                fresh += 1;
                self.add_fresh(buffer, miss, vocab);
            }
        }
        self.scratch.merge(vocab);
        for &miss in &self.fresh[..fresh] {
            let miss = usize::from(miss);
            let (ids, len) = self.scratch.ids(miss);
            self.cache.put(&self.wanted[miss].0, serial, ids, len);
        }
    }

    /// Adds a piece that is a token further on in the table or longer than a row, or no token.
    #[inline(always)]
    fn add_fresh(&mut self, buffer: &[u8], miss: usize, vocab: &Vocabulary) {
        let (start, end) = self.range(self.misses[miss].into());
        let id = if end - start > 16 {
            vocab.id(&buffer[start..end])
        } else if self.doubts[miss] {
            vocab.id_of_key(self.keys[miss])
        } else {
            None
        };
        match id {
            Some(id) => self.scratch.add_ids(&[id], 1),
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
        let common = vocab.common();
        let mut start = 0;
        let mut rest = 0;
        for i in 0..count {
            let end = self.ends[i] as usize;
            let key = piece_key(buffer, start, end - start);
            let (id, known) = common::find(common, key);
            self.ids[i] = id;
            self.keys[rest] = key;
            self.misses[rest] = i as u16;
            rest += usize::from(!known);
            start = end;
        }
        let buckets = vocab.slots();
        let bits = buckets.len().trailing_zeros();
        for (key, hashed) in self.keys[..rest].iter().zip(self.hashes.iter_mut()) {
            *hashed = slots::half(hash(*key));
            prefetch_index(buckets, slots::bucket_of(*hashed, bits));
        }
        let (rows, none) = (vocab.rows(), vocab.no_row());
        for (id, doubt) in self.hashes[..rest].iter_mut().zip(self.doubts.iter_mut()) {
            let hash = *id;
            let bucket = &buckets[slots::bucket_of(hash, bits)];
            *id = slots::candidate(bucket, hash, bits, none);
            *doubt = slots::goes_on(bucket) | (*id != none);
            prefetch_index(rows, *id as usize);
        }
        let mut misses = 0;
        for i in 0..rest {
            let (id, key, at, doubt) =
                (self.hashes[i], self.keys[i], self.misses[i], self.doubts[i]);
            let row = u128::from_le_bytes(rows[id as usize]);
            self.ids[usize::from(at)] = id;
            self.keys[misses] = key;
            self.misses[misses] = at;
            self.doubts[misses] = doubt;
            misses += usize::from(row != key);
        }
        misses
    }

    #[inline]
    fn cache_key(&self, buffer: &[u8], miss: usize) -> cache::Key {
        let (start, end) = self.range(self.misses[miss].into());
        let len = end - start;
        if len <= 16 {
            return cache::Key::new(self.keys[miss], !0);
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
