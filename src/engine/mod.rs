//! Takes a text through the stages, in batches of several hundred pieces.
//!
//! Each stage is a counted loop over a batch: find the ends of the pieces; make keys and prefetch the buckets; take the
//! candidate ids and prefetch their rows; compare. The pieces that are not tokens are left, the *misses*: their ids come
//! from the cache, or from merging.
#![allow(clippy::indexing_slicing)] // positions in a batch are below its size, ids below the number of rows

pub(crate) mod open_piece;
pub(crate) mod prefixes;
pub(crate) mod sink;

mod lookup;

use std::cell::Cell;

use fearless_simd::{Level, Simd, dispatch};

use crate::merge::cache::{self, Cache};
use crate::merge::cutter::{self, Cutter};
use crate::merge::{self, BLOCK_IDS, Scratch};
use crate::split::window::{self, Scanned};
use crate::split::{self, Splitter};
use crate::token_id::TokenId;
use crate::utf8::whole_chars;
use crate::vocab::{Regular, Vocabulary};
use lookup::{Batch, Lookup, batch};
use sink::{Append, Sink};

/// The size of a thread's cache of merged pieces in bytes, for all encodings together.
pub(crate) const CACHE_BYTES: usize = 2 << 20;

/// The scratch memory and the cache of one thread, or of one [`Encoder`](crate::Encoder).
pub(crate) struct Engine {
    level: Level,
    lookup: Lookup,
    /// The key of each miss in the cache.
    cache_keys: Batch<cache::Key>,
    /// The position in the cache where each miss may be.
    cache_positions: Batch<u32>,
    /// Where the ids of each miss are.
    miss_ids: Batch<MissIds>,
    /// The misses that the cutter did not take at first. Later, those that it took because the cache did not have them.
    others: Batch<u16>,
    /// How many those are.
    cut_misses: usize,
    /// The misses that are merged, in the order of the pieces of the scratch memory.
    merged_misses: Batch<u16>,
    /// By hash, the piece of the scratch memory that may be equal.
    repeats: Box<[u16; REPEAT_PLACES]>,
    scratch: Scratch,
    cutter: Cutter,
    /// The copy of the end of a text, with padding.
    tail: Vec<u8>,
    /// The ids of a short text.
    short: Vec<TokenId>,
    cache: Cache,
    /// [`MAX_BUFFER_BYTES`], except in tests.
    max_buffer: usize,
}

/// Where the ids of a miss are.
#[derive(Clone, Copy)]
enum MissIds {
    /// At this position in the cache.
    Cached(u32),
    /// With this piece of the scratch memory.
    Scratch(u16),
    /// With this piece of the cutter.
    Cut(u16),
}

/// The places for the hashes of the pieces that a batch merges: twice as many as pieces, so that few share one.
const REPEAT_PLACES: usize = 2 * window::ENDS;

/// Batches with no more Chinese or Japanese misses than this ask the cache for them first: they may be of a short text that
/// comes again. Without, Chinese of 100 bytes that came again took a quarter more time than with the cache.
///
/// Long texts do not ask it: that costs 8 to 10 % (both on an Intel Xeon with AVX-512, November 2026).
const MAX_CACHED_CUTS: usize = 24;

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
    /// Creates an engine with a cache of up to `cache_bytes` bytes.
    pub(crate) fn new(cache_bytes: usize) -> Box<Self> {
        let level = Level::new();
        Box::new(Self {
            level,
            lookup: Lookup::new(),
            cache_keys: batch(cache::Key::NOT_CACHED),
            cache_positions: batch(0),
            miss_ids: batch(MissIds::Cached(0)),
            others: batch(0),
            cut_misses: 0,
            merged_misses: batch(0),
            repeats: Box::new([0; REPEAT_PLACES]),
            scratch: Scratch::new(level),
            cutter: Cutter::default(),
            tail: Vec::new(),
            short: Vec::new(),
            cache: Cache::new(cache_bytes),
            max_buffer: MAX_BUFFER_BYTES,
        })
    }

    /// Calls `call` with the thread's engine, or with a new one while another call uses that.
    pub(crate) fn with<T>(call: impl FnOnce(&mut Self) -> T) -> T {
        // the engine is gone when destructors of other thread-local values run at the end of a thread
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
        // via memory that is already there, so that `ids` grows only once and by no more than is needed
        let mut short = std::mem::take(&mut self.short);
        let mut sink = Append::new(&mut short, 0);
        self.encode(text, splitter, vocab, &mut sink);
        let len = sink.len();
        ids.extend_from_slice(&short[..len]);
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
        let merged = if misses > 0 {
            self.resolve(buffer, misses, vocab)
        } else {
            0
        };
        let fresh = if merged > 0 { self.scratch.len() } else { 0 };
        let cut = if misses > 0 { self.cutter.len() } else { 0 };
        sink.reserve(count + misses * cache::MAX_PIECE_BYTES + fresh + cut);
        let mut done = 0;
        for miss in 0..misses {
            let at = usize::from(self.lookup.misses[miss]);
            sink.push_run(&self.lookup.ids, done, at);
            done = at + 1;
            let (ids, len) = match self.miss_ids[miss] {
                MissIds::Cached(position) => self.cache.ids(position),
                MissIds::Scratch(piece) => self.scratch.ids(piece.into()),
                MissIds::Cut(piece) => self.cutter.ids(piece.into()),
            };
            sink.push_block(ids, len);
        }
        sink.push_run(&self.lookup.ids, done, count);
        if merged > 0 {
            dispatch!(self.level, simd => self.remember(simd, merged));
        }
        if misses > 0 && self.cut_misses > 0 {
            self.remember_cut();
        }
    }

    /// Finds the ids of the misses, by cutting, in the cache or by merging. Returns how many pieces were merged.
    fn resolve(&mut self, buffer: &[u8], misses: usize, vocab: &Regular) -> usize {
        self.cutter.clear();
        self.cut_misses = 0;
        let cuts = self.count_worth_cutting(buffer, misses);
        if cuts == 0 || !cutter::can_cut(vocab) {
            self.resolve_others::<false, false>(buffer, misses, vocab)
        } else if cuts <= MAX_CACHED_CUTS {
            self.resolve_others::<false, true>(buffer, misses, vocab)
        } else {
            let others = self.cut(buffer, misses, vocab);
            self.resolve_others::<true, false>(buffer, others, vocab)
        }
    }

    /// Finds the ids of the misses that were not cut, in the cache or by merging. They are [`others`](Self::others) if
    /// `LISTED`, else the first ones. Cuts those that are worth it and that the cache does not have if `CUT_FRESH`.
    ///
    /// Text without Chinese and Japanese has code of its own, in which neither is asked.
    #[inline(never)]
    fn resolve_others<const LISTED: bool, const CUT_FRESH: bool>(
        &mut self,
        buffer: &[u8],
        others: usize,
        vocab: &Regular,
    ) -> usize {
        for i in 0..others {
            let miss = self.other::<LISTED>(i);
            self.cache_keys[miss] = self.lookup.cache_key(buffer, miss, vocab, &self.cache);
        }
        dispatch!(self.level, simd => self.find_positions::<_, LISTED>(simd, others));
        let (mut merged, mut cut) = (0, 0);
        for i in 0..others {
            let miss = self.other::<LISTED>(i);
            let position = self.cache_positions[miss];
            if self.cache.is_at(&self.cache_keys[miss], position) {
                self.miss_ids[miss] = MissIds::Cached(position);
                continue;
            }
            if CUT_FRESH && self.cut_one(buffer, miss, vocab) {
                // the others before this one were read already
                self.others[cut] = miss as u16;
                cut += 1;
                continue;
            }
            let key = &self.cache_keys[miss];
            let repeat = key.hash() as usize % REPEAT_PLACES;
            let piece = self.repeats[repeat];
            // an entry may be left from an earlier batch, so the keys are compared
            let candidate = self.merged_misses[..merged].get(usize::from(piece));
            if candidate.is_some_and(|&miss| key.is_same(&self.cache_keys[usize::from(miss)])) {
                self.miss_ids[miss] = MissIds::Scratch(piece);
                continue;
            }
            self.repeats[repeat] = merged as u16;
            self.miss_ids[miss] = MissIds::Scratch(merged as u16);
            self.merged_misses[merged] = miss as u16;
            // the cutter overwrites the scratch memory
            if !CUT_FRESH {
                if merged == 0 {
                    self.scratch.clear();
                }
                self.add_fresh(buffer, miss, vocab);
            }
            merged += 1;
        }
        if CUT_FRESH {
            self.cut_misses = cut;
            self.cutter.finish(buffer, vocab, &mut self.scratch);
            self.scratch.clear();
            for i in 0..merged {
                self.add_fresh(buffer, self.merged_misses[i].into(), vocab);
            }
        }
        if merged > 0 {
            self.scratch.merge(vocab);
        }
        merged
    }

    /// Returns the index of a miss that was not cut.
    #[inline(always)]
    fn other<const LISTED: bool>(&self, i: usize) -> usize {
        if LISTED { self.others[i].into() } else { i }
    }

    /// Cuts the misses that are worth it. Lists the others, and returns their number.
    fn cut(&mut self, buffer: &[u8], misses: usize, vocab: &Regular) -> usize {
        let mut others = 0;
        for miss in 0..misses {
            if !self.cut_one(buffer, miss, vocab) {
                self.others[others] = miss as u16;
                others += 1;
            }
        }
        self.cutter.finish(buffer, vocab, &mut self.scratch);
        others
    }

    /// Gives a miss to the cutter, if it is worth it.
    #[inline(always)]
    fn cut_one(&mut self, buffer: &[u8], miss: usize, vocab: &Regular) -> bool {
        let range = self.lookup.range(self.lookup.misses[miss].into());
        let is_worth_it = cutter::is_worth_cutting(&buffer[range.0..range.1]);
        if is_worth_it {
            if !self.cutter.has_room(range.0) {
                self.cutter.finish(buffer, vocab, &mut self.scratch);
            }
            self.miss_ids[miss] = MissIds::Cut(self.cutter.add(range) as u16);
        }
        is_worth_it
    }

    /// Returns how many misses begin like those that are worth cutting.
    ///
    /// Most texts have no byte that begins a Chinese or Japanese character: then the misses are not looked at one by one.
    fn count_worth_cutting(&self, buffer: &[u8], misses: usize) -> usize {
        let [Some(first), Some(last)] = [0, misses - 1].map(|miss| self.lookup.misses.get(miss))
        else {
            return 0;
        };
        let [(start, _), (_, end)] = [first, last].map(|at| self.lookup.range((*at).into()));
        let text = &buffer[start..end];
        if !dispatch!(self.level, simd => cutter::has_east_asian(simd, text)) {
            return 0;
        }
        let mut count = 0;
        for miss in &self.lookup.misses[..misses] {
            let (start, _) = self.lookup.range((*miss).into());
            let first = buffer.get(start..start + 4).and_then(<[u8]>::first_chunk);
            let first = first.map_or(0, |first| u32::from_le_bytes(*first));
            count += usize::from(cutter::begins_east_asian(first));
        }
        count
    }

    /// Looks up the positions in the cache of the misses that were not cut.
    #[inline(always)]
    fn find_positions<S: Simd, const LISTED: bool>(&mut self, _: S, others: usize) {
        for i in 0..others {
            let miss = self.other::<LISTED>(i);
            self.cache_positions[miss] = self.cache.position(&self.cache_keys[miss]);
        }
    }

    /// Adds a miss to the scratch memory, where it is merged if it is not a token after all.
    #[inline(always)]
    fn add_fresh(&mut self, buffer: &[u8], miss: usize, vocab: &Regular) {
        if let Some(id) = self.lookup.late_id(buffer, miss, vocab) {
            self.scratch.add_id(id);
        } else {
            let (start, end) = self.lookup.range(self.lookup.misses[miss].into());
            self.scratch.add(buffer, start, end, vocab);
        }
    }

    /// Adds the merged pieces to the cache.
    #[inline(always)]
    fn remember<S: Simd>(&mut self, _: S, merged: usize) {
        for (piece, &miss) in self.merged_misses[..merged].iter().enumerate() {
            let (ids, len) = self.scratch.ids(piece);
            let key = &self.cache_keys[usize::from(miss)];
            self.cache.put(key, ids, len);
        }
    }

    /// Adds the pieces to the cache that were cut because it did not have them.
    fn remember_cut(&mut self) {
        for &miss in &self.others[..self.cut_misses] {
            let miss = usize::from(miss);
            if let MissIds::Cut(piece) = self.miss_ids[miss] {
                let (ids, len) = self.cutter.ids(piece.into());
                self.cache.put(&self.cache_keys[miss], ids, len);
            }
        }
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
    fn counting_stops_after_its_limit() {
        let encoding = crate::cl100k_base();
        let text = " word".repeat(100_000);
        let mut sink = Count::new(10);
        Engine::new(0).encode(&text, &Splitter::Cl100k, encoding.vocab(), &mut sink);
        assert_eq!(sink.tokens, 11);
    }
}
