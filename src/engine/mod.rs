//! The way of a text through the stages, some hundred pieces at a time.
//!
//! Each stage is a counted loop over a chunk of pieces: find their ends; make keys and fetch the buckets; take the
//! candidate ids and fetch their rows; compare. What is left over are the misses, the pieces that are no token: they
//! come from the cache, or are merged.
#![allow(clippy::indexing_slicing)] // positions in a chunk are below its size, ids below the rows'

pub(crate) mod open_piece;
pub(crate) mod prefixes;
pub(crate) mod sink;

mod lookup;

use std::cell::Cell;

use fearless_simd::{Level, Simd, dispatch};

use crate::merge::cache::{self, Cache};
use crate::merge::{self, BLOCK_IDS, Scratch};
use crate::split::window::{self, Scanned};
use crate::split::{self, Splitter};
use crate::token_id::TokenId;
use crate::utf8::whole_chars;
use crate::vocab::{Regular, Vocabulary};
use lookup::{Batch, Lookup, batch};
use sink::{Append, Sink};

/// What a thread's cache of merged pieces may take, for all encodings together.
pub(crate) const CACHE_BYTES: usize = 2 << 20;

/// The scratch memory and the cache of one thread, or of one [`Encoder`](crate::Encoder).
pub(crate) struct Engine {
    level: Level,
    lookup: Lookup,
    /// What each miss is looked for by in the cache.
    wanted: Batch<cache::Key>,
    /// Where in the cache each miss may be.
    places: Batch<u32>,
    /// Where the ids of each miss are.
    found: Batch<Found>,
    /// Which of the misses were merged, in the order of the pieces of the scratch memory.
    merged_misses: Batch<u16>,
    /// By hash, which of the pieces of the scratch memory it may be.
    repeats: Box<[u16; REPEAT_PLACES]>,
    scratch: Scratch,
    tail: Vec<u8>,
    /// Room for the ids of a short text.
    short: Vec<TokenId>,
    cache: Cache,
    /// [`MAX_BUFFER_BYTES`], but in tests.
    max_buffer: usize,
}

/// Where the ids of a miss are: at a place in the cache, or with a piece of the scratch memory.
#[derive(Clone, Copy)]
enum Found {
    Cached(u32),
    Scratch(u16),
}

/// How many places there are for the hashes of what a chunk merges: more than there are pieces.
const REPEAT_PLACES: usize = 2 * window::ENDS;

/// Merges bytes that must not be looked up as a whole: the rest of a piece whose beginning is encoded already.
#[cold]
pub(crate) fn merge_rest(bytes: &[u8], vocab: &Regular, sink: &mut impl Sink) {
    let mut ids = Vec::new();
    merge::merge_regular(bytes, vocab, &mut ids);
    push_all(ids, sink);
}

/// Hands ids to a sink, which reads them in blocks.
fn push_all(mut ids: Vec<TokenId>, sink: &mut impl Sink) {
    let len = ids.len();
    ids.resize(len + BLOCK_IDS, 0);
    sink.reserve(len);
    sink.push_block(&ids, len);
}

thread_local! {
    static ENGINE: Cell<Option<Box<Engine>>> = const { Cell::new(None) };
}

/// The longest text whose ids go through memory of their own.
const SHORT_TEXT_BYTES: usize = 1 << 13;

/// The longest end of a text that is copied.
const MAX_COPY_BYTES: usize = 1 << 12;

/// The longest text that is all end: as one chunk, it goes through the stages once, and what it waits for in them comes
/// together.
const ONE_BATCH_BYTES: usize = 1 << 11;

/// The longest buffer that is scanned.
const MAX_BUFFER_BYTES: usize = 1 << 31;

impl Engine {
    pub(crate) fn new(cache_bytes: usize) -> Box<Self> {
        let level = Level::new();
        Box::new(Self {
            level,
            lookup: Lookup::new(),
            wanted: batch(cache::Key::NOT_CACHED),
            places: batch(0),
            found: batch(Found::Cached(0)),
            merged_misses: batch(0),
            repeats: Box::new([0; REPEAT_PLACES]),
            scratch: Scratch::new(level),
            tail: Vec::new(),
            short: Vec::new(),
            cache: Cache::new(cache_bytes),
            max_buffer: MAX_BUFFER_BYTES,
        })
    }

    /// Lends the thread's own state, a new one if a call is under way.
    pub(crate) fn with<T>(call: impl FnOnce(&mut Self) -> T) -> T {
        // a thread that ends has no state any more while it drops what others stored in it
        let kept = ENGINE.try_with(Cell::take).ok().flatten();
        let mut engine = kept.unwrap_or_else(|| Self::new(CACHE_BYTES));
        let result = call(&mut engine);
        let _ = ENGINE.try_with(|kept| kept.set(Some(engine)));
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
        if text.len() > SHORT_TEXT_BYTES {
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
        match vocab {
            Vocabulary::Regular(regular) if !splitter.needs_whole_text() => {
                self.encode_batches(text, splitter, regular, sink);
            }
            _ => self.encode_piece_by_piece(text, splitter, vocab, sink),
        }
    }

    /// Encodes a text in batches of pieces, or as much of it as the sink wants.
    fn encode_batches(
        &mut self,
        text: &str,
        splitter: &Splitter,
        vocab: &Regular,
        sink: &mut impl Sink,
    ) {
        let at = if text.len() <= ONE_BATCH_BYTES.min(sink.bytes_wanted()) {
            0
        } else {
            self.encode_final_pieces(text, splitter, vocab, sink)
        };
        if sink.pieces_wanted() > 0 {
            self.encode_tail(text, at, splitter, vocab, sink);
        }
        self.scratch.give_back();
    }

    /// Encodes a text piece by piece, or as much of it as the sink wants.
    fn encode_piece_by_piece(
        &mut self,
        text: &str,
        splitter: &Splitter,
        vocab: &Vocabulary,
        sink: &mut impl Sink,
    ) {
        let mut pieces = splitter.pieces_of_whole_text(text);
        while sink.pieces_wanted() > 0
            && let Some(piece) = pieces.next()
        {
            let piece = piece.unwrap_or_else(|error| split::give_up(&error));
            sink.note_pieces(piece.start, &[]);
            let piece = text.get(piece).unwrap_or_default();
            match vocab {
                Vocabulary::Regular(regular) => {
                    self.encode_regular_piece(piece.as_bytes(), regular, sink);
                }
                Vocabulary::Irregular(_) => {
                    let mut ids = Vec::new();
                    merge::encode_piece(piece.as_bytes(), vocab, &mut ids);
                    push_all(ids, sink);
                }
            }
        }
    }

    /// Encodes the pieces of a text that no text behind it could change, but perhaps for some at its end; how many bytes
    /// they have.
    pub(crate) fn encode_final_pieces(
        &mut self,
        text: &str,
        splitter: &Splitter,
        vocab: &Regular,
        sink: &mut impl Sink,
    ) -> usize {
        let text = text.as_bytes();
        let mut at = 0;
        while text.len() - at > 4 * window::PADDING && sink.pieces_wanted() > 0 {
            let rest = &text[at..];
            let buffer = &rest[..self.buffer_len(rest, sink.bytes_wanted())];
            let len = buffer.len() - window::PADDING;
            let scanned = splitter.scan(self.level, buffer, len, false, &mut self.lookup.ends);
            if scanned.count > 0 {
                at += self.encode_batch(buffer, at, &scanned, vocab, sink);
                continue;
            }
            // one piece reaches the end of the buffer
            if buffer.len() == rest.len() {
                break;
            }
            sink.note_pieces(at, &[]);
            at += open_piece::encode_long_piece(self, rest, splitter, vocab, sink);
        }
        self.scratch.give_back();
        at
    }

    /// How much of a text is scanned as if it were all: ends of pieces are offsets of 32 bits.
    fn buffer_len(&self, text: &[u8], reach: usize) -> usize {
        whole_chars(text, self.max_buffer.min(reach))
    }

    /// Encodes the end of a text, from `at` on. A short one is copied, to have the padding behind it.
    fn encode_tail(
        &mut self,
        text: &str,
        mut at: usize,
        splitter: &Splitter,
        vocab: &Regular,
        sink: &mut impl Sink,
    ) {
        let mut copy = std::mem::take(&mut self.tail);
        let text = &text.as_bytes()[at..];
        let mut rest = text;
        if text.len() <= MAX_COPY_BYTES {
            copy.clear();
            copy.extend_from_slice(text);
            copy.extend_from_slice(&[0; window::PADDING]);
            rest = &copy;
        }
        let mut left = text.len();
        while left > 0 && sink.pieces_wanted() > 0 {
            let scanned = splitter.scan(self.level, rest, left, true, &mut self.lookup.ends);
            let next = self.encode_batch(rest, at, &scanned, vocab, sink);
            rest = &rest[next..];
            left -= next;
            at += next;
        }
        self.tail = copy;
    }

    /// Encodes the pieces that were found, or as many as are wanted; how many bytes they have.
    fn encode_batch(
        &mut self,
        buffer: &[u8],
        at: usize,
        scanned: &Scanned,
        vocab: &Regular,
        sink: &mut impl Sink,
    ) -> usize {
        let count = scanned.count.min(sink.pieces_wanted());
        sink.note_pieces(at, &self.lookup.ends[..count]);
        self.encode_pieces(buffer, count, vocab, sink);
        if count < scanned.count {
            return self.lookup.ends[count - 1] as usize;
        }
        scanned.next
    }

    /// Encodes one piece.
    pub(crate) fn encode_regular_piece(
        &mut self,
        piece: &[u8],
        vocab: &Regular,
        sink: &mut impl Sink,
    ) {
        if piece.len() > self.max_buffer {
            return match vocab.id(piece) {
                Some(id) => sink.push(id),
                None => merge_rest(piece, vocab, sink),
            };
        }
        let mut copy = std::mem::take(&mut self.tail);
        copy.clear();
        copy.extend_from_slice(piece);
        copy.extend_from_slice(&[0; window::PADDING]);
        self.lookup.ends[0] = piece.len() as u32;
        self.encode_pieces(&copy, 1, vocab, sink);
        copy.shrink_to(MAX_COPY_BYTES + window::PADDING);
        self.tail = copy;
        self.scratch.give_back();
    }

    /// Encodes the first `count` pieces of a buffer, whose ends are known.
    fn encode_pieces(
        &mut self,
        buffer: &[u8],
        count: usize,
        vocab: &Regular,
        sink: &mut impl Sink,
    ) {
        let misses = self
            .lookup
            .look_up(self.level, buffer, count, vocab, &self.cache);
        let merged = self.resolve(buffer, misses, vocab);
        let fresh = if merged > 0 { self.scratch.len() } else { 0 };
        sink.reserve(count + misses * cache::MAX_PIECE_BYTES + fresh);
        let mut done = 0;
        for miss in 0..misses {
            let at = usize::from(self.lookup.misses[miss]);
            sink.push_run(&self.lookup.ids, done, at);
            done = at + 1;
            match self.found[miss] {
                Found::Cached(place) => {
                    let (ids, len) = self.cache.ids(place);
                    sink.push_block(ids, len);
                }
                Found::Scratch(piece) => {
                    let (ids, len) = self.scratch.ids(piece.into());
                    sink.push_block(ids, len);
                }
            }
        }
        sink.push_run(&self.lookup.ids, done, count);
        if merged > 0 {
            dispatch!(self.level, simd => self.remember(simd, merged));
        }
    }

    /// Finds the ids of the misses, in the cache or by merging; how many of them were merged.
    fn resolve(&mut self, buffer: &[u8], misses: usize, vocab: &Regular) -> usize {
        for miss in 0..misses {
            self.wanted[miss] = self.lookup.cache_key(buffer, miss, vocab, &self.cache);
        }
        dispatch!(self.level, simd => self.find_places(simd, misses));
        let mut merged = 0;
        for miss in 0..misses {
            let (key, place) = (&self.wanted[miss], self.places[miss]);
            if self.cache.is_at(key, place) {
                self.found[miss] = Found::Cached(place);
                continue;
            }
            let again = key.hash() as usize % REPEAT_PLACES;
            let piece = self.repeats[again];
            // a place may be left from an earlier chunk: the keys tell
            let is_again = self.merged_misses[..merged].get(usize::from(piece));
            if is_again.is_some_and(|&miss| key.is_same(&self.wanted[usize::from(miss)])) {
                self.found[miss] = Found::Scratch(piece);
                continue;
            }
            if merged == 0 {
                self.scratch.clear();
            }
            self.repeats[again] = merged as u16;
            self.found[miss] = Found::Scratch(merged as u16);
            self.add_fresh(buffer, miss, vocab);
            self.merged_misses[merged] = miss as u16;
            merged += 1;
        }
        if merged > 0 {
            self.scratch.merge(vocab);
        }
        merged
    }

    #[inline(always)]
    fn find_places<S: Simd>(&mut self, _: S, misses: usize) {
        for (key, place) in self.wanted[..misses].iter().zip(self.places.iter_mut()) {
            *place = self.cache.position(key);
        }
    }

    /// Adds a miss to the pieces that are merged.
    #[inline(always)]
    fn add_fresh(&mut self, buffer: &[u8], miss: usize, vocab: &Regular) {
        if let Some(id) = self.lookup.late_id(buffer, miss, vocab) {
            self.scratch.add_id(id);
        } else {
            let (start, end) = self.lookup.range(self.lookup.misses[miss].into());
            self.scratch.add(buffer, start, end, vocab);
        }
    }

    /// Puts what was merged into the cache.
    #[inline(always)]
    fn remember<S: Simd>(&mut self, _: S, merged: usize) {
        for (piece, &miss) in self.merged_misses[..merged].iter().enumerate() {
            let (ids, len) = self.scratch.ids(piece);
            let key = &self.wanted[usize::from(miss)];
            self.cache.put(key, ids, len);
        }
    }
}

#[cfg(all(test, feature = "cl100k_base"))]
mod tests {
    use super::sink::Count;
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
            Engine::new(0).append(&text, splitter, vocab, &mut expected);
            for max_buffer in [300, 301, 1000] {
                let mut engine = Engine::new(1 << 12);
                engine.max_buffer = max_buffer;
                let mut ids = Vec::new();
                engine.append(&text, splitter, vocab, &mut ids);
                assert_eq!(ids, expected, "{text:?} in buffers of {max_buffer}");
            }
        }
    }

    #[test]
    fn counting_stops_behind_its_limit() {
        let encoding = crate::cl100k_base();
        let text = " word".repeat(100_000);
        let mut sink = Count::new(10);
        Engine::new(0).encode(&text, &Splitter::Cl100k, encoding.vocab(), &mut sink);
        assert_eq!(sink.tokens, 11);
    }
}
