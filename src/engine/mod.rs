//! The way of a text through the stages, some hundred pieces at a time.
//!
//! Each stage is a counted loop over a chunk of pieces: find their ends; make keys and fetch the buckets; take the
//! candidate ids and fetch their rows; compare. What is left over are the misses, the pieces that are no token: they
//! come from the cache, or are merged.
#![allow(clippy::indexing_slicing)] // positions in a chunk are below its size, ids below the rows'

use std::cell::Cell;

use fearless_simd::{Level, Simd, dispatch};
use prefetch_index::prefetch_index;

use super::sink::{Append, IDS, Sink};
use crate::TokenId;
use crate::merge::cache::{self, Cache};
use crate::merge::{self, BLOCK, Scratch};
#[cfg(feature = "custom")]
use crate::split;
use crate::split::Splitter;
use crate::split::unicode::whole_chars;
use crate::split::window::{self, Scanned};
use crate::vocab::tables::{common, hash, slots};
use crate::vocab::{Vocabulary, piece_key};

/// What a thread's cache of merged pieces may take, for all encodings together.
pub(crate) const CACHE_BYTES: usize = 2 << 20;

/// The scratch memory and the cache of one thread, or of one [`Encoder`](crate::Encoder).
pub(crate) struct State {
    level: Level,
    ends: Chunk<u32>,
    keys: Chunk<u128>,
    ids: Box<[TokenId; IDS]>,
    /// The upper halves of the hashes of the pieces that are not common.
    hashes: Chunk<u32>,
    /// The ids that these may have.
    candidates: Chunk<TokenId>,
    misses: Chunk<u16>,
    /// Whether a miss may be a token that is further on in the table.
    doubts: Chunk<bool>,
    /// What each miss is looked for by in the cache.
    wanted: Chunk<cache::Key>,
    /// Where in the cache each miss may be.
    places: Chunk<u32>,
    /// Where the ids of each miss are.
    found: Chunk<Found>,
    /// Which of the misses were merged, in the order of the pieces of the scratch memory.
    merged: Chunk<u16>,
    /// By hash, which of the pieces of the scratch memory it may be.
    again: Box<[u16; AGAIN]>,
    scratch: Scratch,
    tail: Vec<u8>,
    /// Room for the ids of a short text.
    short: Vec<TokenId>,
    cache: Cache,
    /// [`MAX_BUFFER`], but in tests.
    max_buffer: usize,
}

/// Something for each piece of a chunk.
type Chunk<T> = Box<[T; window::ENDS]>;

#[allow(clippy::unnecessary_box_returns)] // by value, a chunk of keys would pass through a small stack
fn chunk<T: Copy>(value: T) -> Chunk<T> {
    let values: Result<Chunk<T>, _> = vec![value; window::ENDS].into_boxed_slice().try_into();
    values.unwrap_or_else(|_| unreachable!("the length is that of the array"))
}

/// Where the ids of a miss are: at a place in the cache, or with a piece of the scratch memory.
#[derive(Clone, Copy)]
enum Found {
    Cached(u32),
    Scratch(u16),
}

/// How many places there are for the hashes of what a chunk merges: more than there are pieces.
const AGAIN: usize = 2 * window::ENDS;

/// Encodes a piece that no buffer holds, or with a vocabulary that has no tables.
#[cold]
fn giant(piece: &[u8], vocab: &Vocabulary, sink: &mut impl Sink) {
    match vocab.id(piece) {
        Some(id) => sink.one(id),
        None => merged(piece, vocab, sink),
    }
}

/// Merges some bytes, which are not looked up as a whole: a piece whose beginning is gone.
#[cold]
pub(super) fn merged(bytes: &[u8], vocab: &Vocabulary, sink: &mut impl Sink) {
    let mut ids = Vec::new();
    merge::merge(bytes, vocab, &mut ids);
    let len = ids.len();
    ids.resize(len + BLOCK, 0);
    sink.begin(len);
    sink.many(&ids, len);
}

thread_local! {
    static STATE: Cell<Option<Box<State>>> = const { Cell::new(None) };
}

/// The longest text whose ids go through memory of their own.
const SHORT: usize = 1 << 13;

/// The longest end of a text that is copied.
const MAX_COPY: usize = 1 << 12;

/// The longest text that is all end: as one chunk, it goes through the stages once, and what it waits for in them comes
/// together.
const MAX_END: usize = 1 << 11;

/// The longest buffer that is scanned.
const MAX_BUFFER: usize = 1 << 31;

impl State {
    pub(crate) fn new(cache_bytes: usize) -> Box<Self> {
        let level = Level::new();
        Box::new(Self {
            level,
            ends: chunk(0),
            keys: chunk(0),
            ids: Box::new([0; IDS]),
            hashes: chunk(0),
            candidates: chunk(0),
            misses: chunk(0),
            doubts: chunk(false),
            wanted: chunk(cache::Key::NONE),
            places: chunk(0),
            found: chunk(Found::Cached(0)),
            merged: chunk(0),
            again: Box::new([0; AGAIN]),
            scratch: Scratch::new(level),
            tail: Vec::new(),
            short: Vec::new(),
            cache: Cache::new(cache_bytes),
            max_buffer: MAX_BUFFER,
        })
    }

    /// Lends the thread's own state, a new one if a call is under way.
    pub(crate) fn with<T>(call: impl FnOnce(&mut Self) -> T) -> T {
        // a thread that ends has no state any more while it drops what others stored in it
        let kept = STATE.try_with(Cell::take).ok().flatten();
        let mut state = kept.unwrap_or_else(|| Self::new(CACHE_BYTES));
        let result = call(&mut state);
        let _ = STATE.try_with(|kept| kept.set(Some(state)));
        result
    }

    /// Appends the ids of a text.
    pub(crate) fn append(
        &mut self,
        text: &str,
        splitter: &Splitter,
        vocab: &Vocabulary,
        ids: &mut Vec<TokenId>,
    ) {
        if text.len() > SHORT {
            ids.reserve(text.len() / 4);
            let len = ids.len();
            let mut sink = Append::new(ids, len);
            self.encode(text, splitter, vocab, &mut sink);
            let len = sink.len();
            return ids.truncate(len);
        }
        // by way of memory that is at hand: then as much is asked for as is needed
        let mut short = std::mem::take(&mut self.short);
        let mut sink = Append::new(&mut short, 0);
        self.encode(text, splitter, vocab, &mut sink);
        let len = sink.len();
        ids.extend_from_slice(&short[..len]);
        self.short = short;
    }

    /// Encodes a text into `sink`, or as much of it as the sink wants.
    pub(crate) fn encode(
        &mut self,
        text: &str,
        splitter: &Splitter,
        vocab: &Vocabulary,
        sink: &mut impl Sink,
    ) {
        #[cfg(feature = "custom")]
        if splitter.is_whole() || vocab.is_general() {
            return self.encode_whole(text, splitter, vocab, sink);
        }
        let at = if text.len() <= MAX_END.min(sink.reach()) {
            0
        } else {
            self.encode_certain(text, splitter, vocab, sink)
        };
        if sink.room() > 0 {
            self.tail(text, at, splitter, vocab, sink);
        }
        self.scratch.give_back();
    }

    /// Encodes a text piece by piece, or as much of it as the sink wants.
    #[cfg(feature = "custom")]
    fn encode_whole(
        &mut self,
        text: &str,
        splitter: &Splitter,
        vocab: &Vocabulary,
        sink: &mut impl Sink,
    ) {
        let mut pieces = splitter.whole_pieces(text);
        while sink.room() > 0
            && let Some(piece) = pieces.next()
        {
            let piece = piece.unwrap_or_else(|error| split::give_up(&error));
            sink.chunk(piece.start, &[]);
            let piece = text.get(piece).unwrap_or_default();
            self.piece(piece.as_bytes(), vocab, sink);
        }
    }

    /// Encodes the pieces of a text that no text behind it could change, but perhaps for some at its end; how many bytes
    /// they have.
    pub(crate) fn encode_certain(
        &mut self,
        text: &str,
        splitter: &Splitter,
        vocab: &Vocabulary,
        sink: &mut impl Sink,
    ) -> usize {
        let text = text.as_bytes();
        let mut at = 0;
        while text.len() - at > 4 * window::PADDING && sink.room() > 0 {
            let rest = &text[at..];
            let buffer = &rest[..self.buffer_len(rest, sink.reach())];
            let len = buffer.len() - window::PADDING;
            let scanned = splitter.scan(self.level, buffer, len, false, &mut self.ends);
            if scanned.count > 0 {
                at += self.chunk(buffer, at, &scanned, vocab, sink);
                continue;
            }
            // one piece reaches the end of the buffer
            if buffer.len() == rest.len() {
                break;
            }
            sink.chunk(at, &[]);
            at += self.long_piece(rest, splitter, vocab, sink);
        }
        self.scratch.give_back();
        at
    }

    /// How much of a text is scanned as if it were all: ends of pieces are offsets of 32 bits.
    fn buffer_len(&self, text: &[u8], reach: usize) -> usize {
        whole_chars(text, self.max_buffer.min(reach))
    }

    /// Encodes the end of a text, from `at` on. A short one is copied, to have the padding behind it.
    fn tail(
        &mut self,
        text: &str,
        mut at: usize,
        splitter: &Splitter,
        vocab: &Vocabulary,
        sink: &mut impl Sink,
    ) {
        let mut copy = std::mem::take(&mut self.tail);
        let text = &text.as_bytes()[at..];
        let mut rest = text;
        if text.len() <= MAX_COPY {
            copy.clear();
            copy.extend_from_slice(text);
            copy.extend_from_slice(&[0; window::PADDING]);
            rest = &copy;
        }
        let mut left = text.len();
        while left > 0 && sink.room() > 0 {
            let scanned = splitter.scan(self.level, rest, left, true, &mut self.ends);
            let next = self.chunk(rest, at, &scanned, vocab, sink);
            rest = &rest[next..];
            left -= next;
            at += next;
        }
        self.tail = copy;
    }

    /// Encodes the pieces that were found, or as many as are wanted; how many bytes they have.
    fn chunk(
        &mut self,
        buffer: &[u8],
        at: usize,
        scanned: &Scanned,
        vocab: &Vocabulary,
        sink: &mut impl Sink,
    ) -> usize {
        let count = scanned.count.min(sink.room());
        sink.chunk(at, &self.ends[..count]);
        self.pieces(buffer, count, vocab, sink);
        if count < scanned.count {
            return self.ends[count - 1] as usize;
        }
        scanned.next
    }

    /// Encodes a piece.
    pub(crate) fn piece(&mut self, piece: &[u8], vocab: &Vocabulary, sink: &mut impl Sink) {
        if piece.len() > self.max_buffer || vocab.is_general() {
            return giant(piece, vocab, sink);
        }
        let mut copy = std::mem::take(&mut self.tail);
        copy.clear();
        copy.extend_from_slice(piece);
        copy.extend_from_slice(&[0; window::PADDING]);
        self.ends[0] = piece.len() as u32;
        self.pieces(&copy, 1, vocab, sink);
        copy.shrink_to(MAX_COPY + window::PADDING);
        self.tail = copy;
        self.scratch.give_back();
    }

    /// Encodes the first `count` pieces of a buffer, whose ends are known.
    fn pieces(&mut self, buffer: &[u8], count: usize, vocab: &Vocabulary, sink: &mut impl Sink) {
        let misses = self.look_up(buffer, count, vocab);
        let merged = self.resolve(buffer, misses, vocab);
        let fresh = if merged > 0 { self.scratch.len() } else { 0 };
        sink.begin(count + misses * cache::MAX_PIECE + fresh);
        let mut done = 0;
        for miss in 0..misses {
            let at = usize::from(self.misses[miss]);
            sink.run(&self.ids, done, at);
            done = at + 1;
            match self.found[miss] {
                Found::Cached(place) => {
                    let (ids, len) = self.cache.ids(place);
                    sink.many(ids, len);
                }
                Found::Scratch(piece) => {
                    let (ids, len) = self.scratch.ids(piece.into());
                    sink.many(ids, len);
                }
            }
        }
        sink.run(&self.ids, done, count);
        if merged > 0 {
            dispatch!(self.level, simd => self.remember(simd, merged));
        }
    }

    /// Finds the ids of the misses, in the cache or by merging; how many of them were merged.
    fn resolve(&mut self, buffer: &[u8], misses: usize, vocab: &Vocabulary) -> usize {
        self.make_keys(buffer, misses, vocab);
        dispatch!(self.level, simd => self.find_places(simd, misses));
        let mut merged = 0;
        for miss in 0..misses {
            let (key, place) = (&self.wanted[miss], self.places[miss]);
            if self.cache.is_at(key, place) {
                self.found[miss] = Found::Cached(place);
                continue;
            }
            let again = key.hash() as usize % AGAIN;
            let piece = self.again[again];
            // a place may be left from an earlier chunk: the keys tell
            let is_again = self.merged[..merged].get(usize::from(piece));
            if is_again.is_some_and(|&miss| key.is_same(&self.wanted[usize::from(miss)])) {
                self.found[miss] = Found::Scratch(piece);
                continue;
            }
            if merged == 0 {
                self.scratch.clear();
            }
            self.again[again] = merged as u16;
            self.found[miss] = Found::Scratch(merged as u16);
            self.add_fresh(buffer, miss, vocab);
            self.merged[merged] = miss as u16;
            merged += 1;
        }
        if merged > 0 {
            self.scratch.merge(vocab);
        }
        merged
    }

    /// What the misses are looked for by. Where the places of long ones stand is fetched, as it was for the others with their
    /// buckets.
    fn make_keys(&mut self, buffer: &[u8], misses: usize, vocab: &Vocabulary) {
        let serial = vocab.serial();
        for miss in 0..misses {
            let (start, end) = self.range(self.misses[miss].into());
            let key = if end - start <= 16 {
                cache::Key::short(self.keys[miss], self.hashes[miss], end - start, serial)
            } else {
                let key = cache::Key::long(&buffer[start..end], serial);
                self.cache.prefetch(key.hash());
                key
            };
            self.wanted[miss] = key;
        }
    }

    #[inline(always)]
    fn find_places<S: Simd>(&mut self, _: S, misses: usize) {
        for (key, place) in self.wanted[..misses].iter().zip(self.places.iter_mut()) {
            *place = self.cache.place(key);
        }
    }

    /// Puts what was merged into the cache.
    #[inline(always)]
    fn remember<S: Simd>(&mut self, _: S, merged: usize) {
        for (piece, &miss) in self.merged[..merged].iter().enumerate() {
            let (ids, len) = self.scratch.ids(piece);
            let key = &self.wanted[usize::from(miss)];
            self.cache.put(key, ids, len);
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
            Some(id) => self.scratch.add_id(id),
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
        let rest = self.find_common(buffer, count, vocab);
        self.find_candidates(rest, vocab);
        self.compare(rest, vocab)
    }

    /// The ids of the pieces that are common tokens; the others are listed with their keys, and their buckets fetched: that
    /// of the table, and that of the cache, for which a few misses would have to wait later.
    #[inline(always)]
    fn find_common(&mut self, buffer: &[u8], count: usize, vocab: &Vocabulary) -> usize {
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
        let serial = vocab.serial();
        for (key, hashed) in self.keys[..rest].iter().zip(self.hashes.iter_mut()) {
            *hashed = slots::half(hash(*key));
            prefetch_index(buckets, slots::bucket_of(*hashed, bits));
            self.cache.prefetch(cache::key_hash(*hashed, serial));
        }
        rest
    }

    /// The ids that the listed pieces may have, if they are tokens; their rows are fetched.
    #[inline(always)]
    fn find_candidates(&mut self, rest: usize, vocab: &Vocabulary) {
        let buckets = vocab.slots();
        let bits = buckets.len().trailing_zeros();
        let (rows, none) = (vocab.rows(), vocab.no_row());
        for i in 0..rest {
            let hash = self.hashes[i];
            let bucket = &buckets[slots::bucket_of(hash, bits)];
            let id = slots::candidate(bucket, hash, bits, none);
            self.candidates[i] = id;
            self.doubts[i] = slots::goes_on(bucket) | (id != none);
            prefetch_index(rows, id as usize);
        }
    }

    /// The ids of the listed pieces that are tokens; the others stay on the list.
    #[inline(always)]
    fn compare(&mut self, rest: usize, vocab: &Vocabulary) -> usize {
        let rows = vocab.rows();
        let mut misses = 0;
        for i in 0..rest {
            let (id, key, at) = (self.candidates[i], self.keys[i], self.misses[i]);
            let row = u128::from_le_bytes(rows[id as usize]);
            self.ids[usize::from(at)] = id;
            self.keys[misses] = key;
            self.hashes[misses] = self.hashes[i];
            self.misses[misses] = at;
            self.doubts[misses] = self.doubts[i];
            misses += usize::from(row != key);
        }
        misses
    }
}

#[cfg(all(test, feature = "cl100k_base"))]
mod tests {
    use super::super::sink::Count;
    use super::*;

    /// Texts longer than what is scanned at once, with pieces that are longer too.
    #[test]
    fn buffers_do_not_show() {
        let encoding = crate::cl100k_base();
        let (vocab, splitter) = (encoding.vocab(), &Splitter::Cl100k);
        let parts = [
            "Hello, world! ",
            "\u{e9}\u{4f60}\u{1f642}",
            " \n",
            "1234",
            "====",
            "x",
        ];
        for seed in 0..500_usize {
            let part =
                |i: usize| parts[seed / (i % 7 + 1) % parts.len()].repeat(seed * i % 190 + 1);
            let text: String = (0..12).map(part).collect();
            let mut expected = Vec::new();
            State::new(0).append(&text, splitter, vocab, &mut expected);
            for max_buffer in [300, 301, 1000] {
                let mut state = State::new(1 << 12);
                state.max_buffer = max_buffer;
                let mut ids = Vec::new();
                state.append(&text, splitter, vocab, &mut ids);
                assert_eq!(ids, expected, "{text:?} in buffers of {max_buffer}");
            }
        }
    }

    #[test]
    fn counting_stops_behind_its_limit() {
        let encoding = crate::cl100k_base();
        let text = " word".repeat(100_000);
        let mut sink = Count::new(10);
        State::new(0).encode(&text, &Splitter::Cl100k, encoding.vocab(), &mut sink);
        assert_eq!(sink.tokens, 11);
    }
}
