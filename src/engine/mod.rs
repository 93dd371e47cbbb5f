//! Takes a text through the stages, in batches of several hundred pieces.
//!
//! Each stage is a counted loop over a batch. The first one finds the ends of the pieces, the next one recent tokens.
//! Then the other pieces are hashed, and their buckets prefetched. Their candidate ids are taken, and the rows of these
//! prefetched. At last rows and pieces are compared. The pieces that were not found are left, the *misses*. Their ids come
//! from the cache, from cutting or from merging; a few are tokens after all.
#![allow(clippy::indexing_slicing)] // positions in a batch are below its size, ids below the number of rows

pub(crate) mod first;
pub(crate) mod memory;
pub(crate) mod open_piece;
pub(crate) mod prefixes;
pub(crate) mod sink;

mod lookup;
mod misses;
mod recent;
mod repeats;

use std::cell::Cell;

use fearless_simd::Level;

use crate::merge::cache::{self, Cache, Limit};
use crate::merge::cutter::Cutter;
use crate::merge::{self, BLOCK_IDS, Scratch};
use crate::split::window::{self, Scanned};
use crate::split::{self, Splitter};
use crate::token_id::TokenId;
use crate::utf8::whole_chars;
use crate::vocab::{Regular, Vocabulary};
use lookup::{Batch, Lookup, batch};
use misses::MissIds;
use sink::{Append, Sink};

/// The scratch memory and the cache of one thread, or of one [`Encoder`](crate::Encoder).
pub(crate) struct Engine {
    level: Level,
    lookup: Lookup,
    /// The key in the cache of each miss of more than 16 bytes.
    long_keys: Batch<cache::Key>,
    /// The position in the cache where each miss may be.
    cache_positions: Batch<u32>,
    /// Where the ids of each miss are.
    miss_ids: Batch<MissIds>,
    /// The misses that the cutter did not take at first. Later, those that it took because the cache did not have them.
    others: Batch<u16>,
    /// How many those are.
    cut_misses: usize,
    /// How many ids the cache may have for the misses, beyond [`cache::KEY_BYTES`] for each.
    more_ids: usize,
    /// The misses that are merged, in the order of the pieces of the scratch memory.
    merged_misses: Batch<u16>,
    /// By hash, the piece of the scratch memory that may be equal.
    equal_pieces: Box<[u16; EQUAL_PLACES]>,
    scratch: Scratch,
    cutter: Cutter,
    /// Memory for the copy of the end of a text, with padding.
    tail: Vec<u8>,
    /// The ids of a short text.
    short: Vec<TokenId>,
    cache: Cache,
    /// [`MAX_BUFFER_BYTES`], except in tests.
    max_buffer: usize,
}

/// The places for the hashes of the pieces that a batch merges: twice as many as pieces, so that few share one.
const EQUAL_PLACES: usize = 2 * window::ENDS;

/// Merges the rest of a piece whose beginning is encoded already, so it must not be looked up as a whole token.
#[cold]
pub(crate) fn merge_rest(bytes: &[u8], vocab: &Regular, sink: &mut impl Sink) {
    let mut ids = Vec::new();
    merge::merge_regular(bytes, vocab, &mut ids);
    push_all(ids, sink);
}

/// Appends ids to a sink, which copies them in blocks.
fn push_all(mut ids: Vec<TokenId>, sink: &mut impl Sink) {
    let len = ids.len();
    ids.resize(len + BLOCK_IDS, 0);
    sink.reserve(len);
    sink.push_block(&ids, len);
}

/// Copies a text into memory that keeps its length, and returns the copy with padding after it.
#[inline(always)]
fn pad<'m>(text: &[u8], memory: &'m mut Vec<u8>) -> &'m [u8] {
    let len = text.len();
    if memory.len() < len + window::PADDING {
        memory.resize(len + window::PADDING, 0);
    }
    memory[..len].copy_from_slice(text);
    memory[len..][..window::PADDING].fill(0);
    &memory[..len + window::PADDING]
}

thread_local! {
    static ENGINE: Cell<Option<Box<Engine>>> = const { Cell::new(None) };
}

/// The longest text whose ids are first collected in [`Engine::short`]: then the caller's buffer grows by no more than is
/// needed. Longer texts write to the caller's buffer, with room for a token per four bytes.
const SHORT_TEXT_BYTES: usize = 1 << 13;

/// The longest end of a text that is copied to have padding after it. A longer one is scanned where it is.
const MAX_COPY_BYTES: usize = 1 << 12;

/// Texts up to this length skip the main loop and are encoded as one final batch, so their cache misses overlap.
///
/// Before, texts were split in two batches from 256 bytes on, and each waited for memory at every stage. On fresh text in
/// twelve corpora, 13 to 100 bytes take 3 to 5 % less time, 300 bytes 10 % and 1,000 bytes 5 %. Long texts take as much as
/// before. Measured on an Intel Xeon with AVX-512, November 2026.
const ONE_BATCH_BYTES: usize = 1 << 11;

/// The longest buffer that is scanned at once: the ends of pieces are offsets of 32 bits.
const MAX_BUFFER_BYTES: usize = 1 << 31;

impl Engine {
    /// Creates an engine whose cache has this limit.
    pub(crate) fn new(cache: Limit) -> Box<Self> {
        Self::at_level(Level::new(), cache)
    }

    /// Creates an engine that uses the instructions of a SIMD level.
    fn at_level(level: Level, cache: Limit) -> Box<Self> {
        Box::new(Self {
            level,
            lookup: Lookup::new(),
            long_keys: batch(cache::Key::NOT_CACHED),
            cache_positions: batch(0),
            miss_ids: batch(MissIds::Cached(0)),
            others: batch(0),
            cut_misses: 0,
            more_ids: 0,
            merged_misses: batch(0),
            equal_pieces: Box::new([0; EQUAL_PLACES]),
            scratch: Scratch::new(level),
            cutter: Cutter::default(),
            tail: Vec::new(),
            short: Vec::new(),
            cache: Cache::new(cache),
            max_buffer: MAX_BUFFER_BYTES,
        })
    }

    /// Calls `call` with the thread's engine, or with a new one while another call uses that.
    pub(crate) fn with<T>(call: impl FnOnce(&mut Self) -> T) -> T {
        let mut engine = memory::thread_engine();
        let result = call(&mut engine);
        memory::return_thread_engine(engine);
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
        // via memory that is already there, so that `ids` grows only once and by no more than is needed
        let mut short = std::mem::take(&mut self.short);
        let mut sink = Append::new(&mut short, 0);
        self.encode(text, splitter, vocab, &mut sink);
        let len = sink.len();
        if ids.capacity() == 0 {
            *ids = short[..len].to_vec();
        } else {
            ids.extend_from_slice(&short[..len]);
        }
        self.short = short;
    }

    /// Encodes a text into `sink`, up to where the sink wants no more.
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

    /// Encodes a text in batches of pieces, up to where the sink wants no more.
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
        self.cutter.give_back();
    }

    /// Encodes a text piece by piece, up to where the sink wants no more.
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

    /// Encodes all pieces that following text cannot change, except possibly a few at the end. Returns their length in
    /// bytes.
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
            let scanned = splitter.scan(self.level, buffer, len, false, self.lookup.ends_mut());
            if scanned.count > 0 {
                at += self.encode_batch(buffer, at, &scanned, vocab, sink);
                at += repeats::copy(self, text, at, scanned.count, splitter, vocab, sink);
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

    /// Returns the length in bytes of the buffer to scan, up to `wanted` bytes of whole characters.
    fn buffer_len(&self, text: &[u8], wanted: usize) -> usize {
        whole_chars(text, self.max_buffer.min(wanted))
    }

    /// Encodes the end of a text, from `at` on. Copies a short one, so that padding follows it.
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
            rest = pad(text, &mut copy);
        }
        let mut left = text.len();
        while left > 0 && sink.pieces_wanted() > 0 {
            let scanned = splitter.scan(self.level, rest, left, true, self.lookup.ends_mut());
            let mut next = self.encode_batch(rest, at, &scanned, vocab, sink);
            next += repeats::copy(
                self,
                &rest[..left],
                next,
                scanned.count,
                splitter,
                vocab,
                sink,
            );
            rest = &rest[next..];
            left -= next;
            at += next;
        }
        self.tail = copy;
    }

    /// Encodes the pieces that were found, or as many as the sink wants. Returns their length in bytes.
    fn encode_batch(
        &mut self,
        buffer: &[u8],
        at: usize,
        scanned: &Scanned,
        vocab: &Regular,
        sink: &mut impl Sink,
    ) -> usize {
        let count = scanned.count.min(sink.pieces_wanted());
        sink.note_pieces(at, &self.lookup.ends()[..count]);
        self.encode_pieces(buffer, count, vocab, sink);
        if count < scanned.count {
            return self.lookup.ends()[count - 1] as usize;
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
        self.lookup.ends_mut()[0] = piece.len() as u32;
        self.encode_pieces(pad(piece, &mut copy), 1, vocab, sink);
        copy.truncate(MAX_COPY_BYTES + window::PADDING);
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
        let (level, lookup, cache) = (self.level, &mut self.lookup, &self.cache);
        let misses = if sink.wants_ids() {
            lookup.look_up::<true>(level, buffer, count, vocab, cache)
        } else {
            lookup.look_up::<false>(level, buffer, count, vocab, cache)
        };
        let merged = self.resolve(buffer, misses, vocab);
        if sink.wants_ids() {
            let fresh = if merged > 0 { self.scratch.len() } else { 0 };
            let cached = misses * cache::KEY_BYTES + self.more_ids;
            sink.reserve(count + cached + fresh + self.cutter.len());
            self.push_ids(count, misses, sink);
        } else {
            sink.push_run(&self.lookup.ids, 0, self.count_ids(count, misses));
        }
        self.remember(merged, vocab.serial());
    }

    /// Appends the ids of `count` pieces, of which the first `misses` on the list of misses were not found.
    #[inline(always)]
    fn push_ids(&self, count: usize, misses: usize, sink: &mut impl Sink) {
        let mut done = 0;
        for miss in 0..misses {
            let at = usize::from(self.lookup.misses[miss]);
            sink.push_run(&self.lookup.ids, done, at);
            done = at + 1;
            // a copy in each arm, since one after the match made texts of 100 bytes 1 % dearer
            match self.miss_ids[miss] {
                MissIds::Cached(position) => {
                    let (ids, len) = self.cache.ids(position);
                    sink.push_block(ids, len);
                }
                MissIds::Scratch(piece) => {
                    let (ids, len) = self.scratch.ids(piece.into());
                    sink.push_block(ids, len);
                }
                MissIds::Cut(piece) => {
                    let (ids, len) = self.cutter.ids(piece.into());
                    sink.push_block(ids, len);
                }
            }
        }
        sink.push_run(&self.lookup.ids, done, count);
    }

    /// Counts the ids of the pieces that [`push_ids`](Self::push_ids) appends.
    #[inline(always)]
    fn count_ids(&self, count: usize, misses: usize) -> usize {
        let len = |miss: &MissIds| match *miss {
            MissIds::Cached(position) => self.cache.ids(position).1,
            MissIds::Scratch(piece) => self.scratch.ids(piece.into()).1,
            MissIds::Cut(piece) => self.cutter.ids(piece.into()).1,
        };
        count - misses + self.miss_ids[..misses].iter().map(len).sum::<usize>()
    }
}

#[cfg(all(test, feature = "cl100k_base"))]
mod tests {
    use super::sink::Count;
    use super::*;

    /// Encodes texts, and pieces, that are longer than a buffer.
    #[test]
    fn ids_do_not_depend_on_buffers() {
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
            Engine::new(Limit::Bytes(0)).append(&text, splitter, vocab, &mut expected);
            for max_buffer in [300, 301, 1000] {
                let mut engine = Engine::new(Limit::Bytes(1 << 14));
                engine.max_buffer = max_buffer;
                let mut ids = Vec::new();
                engine.append(&text, splitter, vocab, &mut ids);
                assert_eq!(ids, expected, "{text:?} in buffers of {max_buffer}");
            }
        }
    }

    #[test]
    fn ids_do_not_depend_on_the_simd_level() {
        let encoding = crate::cl100k_base();
        let (vocab, splitter) = (encoding.vocab(), &Splitter::Cl100k);
        let mut random = crate::texts::Random::new(3);
        let texts: Vec<String> = (0..40)
            .map(|i| crate::texts::KINDS[i % crate::texts::KINDS.len()].text(&mut random, 3000))
            .collect();
        for level in crate::split::window::tests::levels() {
            let mut engine = Engine::at_level(level, Limit::Bytes(1 << 16));
            for text in &texts {
                let (mut ids, mut expected) = (Vec::new(), Vec::new());
                engine.append(text, splitter, vocab, &mut ids);
                for piece in splitter.pieces(text) {
                    merge::encode_piece(piece.as_bytes(), vocab, &mut expected);
                }
                assert_eq!(ids, expected, "{level:?} {text:?}");
            }
        }
    }

    #[test]
    fn counting_stops_after_its_limit() {
        let encoding = crate::cl100k_base();
        let text = " word".repeat(100_000);
        let mut sink = Count::new(10);
        Engine::new(Limit::Bytes(0)).encode(&text, &Splitter::Cl100k, encoding.vocab(), &mut sink);
        assert_eq!(sink.tokens, 11);
    }
}
