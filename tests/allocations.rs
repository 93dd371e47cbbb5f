//! The number of allocations of encoding, and that memory is freed.
//!
//! These tests are a program of their own, because they count with a global allocator.

#[path = "common/allocator.rs"]
mod allocator;
#[path = "common/texts.rs"]
mod texts;

use allocator::{CALLS, IN_USE};
use texts::{KINDS, Random};
use tiktally::get_encoding;

/// Returns the result of a call, and the number of allocations of this thread in it.
fn calls<T>(call: impl FnOnce() -> T) -> (T, usize) {
    let before = CALLS.get();
    let result = call();
    (result, CALLS.get() - before)
}

const MEGABYTE: usize = 1_000_000;
const MOST: usize = 16;

#[test]
fn a_megabyte_takes_a_handful() {
    for name in ["r50k_base", "p50k_base", "cl100k_base", "o200k_base"] {
        let encoding = get_encoding(name).unwrap();
        let mut random = Random::new(1);
        let english = &KINDS[0];
        // tables, scratch memory and cache
        encoding.count(&english.text(&mut random, MEGABYTE));

        let text = english.text(&mut random, MEGABYTE);
        let (count, counting) = calls(|| encoding.count(&text));
        let mut ids = Vec::with_capacity(text.len());
        let text = english.text(&mut random, MEGABYTE);
        let ((), encoding_into) = calls(|| encoding.encode_ordinary_into(&text, &mut ids));
        println!("allocations: {name}: {counting} to count, {encoding_into} to encode");
        assert!(count > MEGABYTE / 8 && ids.len() > MEGABYTE / 8);
        assert!(counting <= MOST, "{name}: {counting}");
        assert!(encoding_into <= MOST, "{name}: {encoding_into}");
    }
}

#[test]
fn encoders_give_their_memory_back() {
    for name in ["cl100k_base", "o200k_base"] {
        let encoding = get_encoding(name).unwrap();
        let mut random = Random::new(2);
        let texts: Vec<String> = KINDS
            .iter()
            .map(|kind| kind.text(&mut random, 2000))
            .collect();
        let texts = texts.join(&"最".repeat(2000));
        encoding.encoder().count(&texts);

        let before = IN_USE.get();
        let encoder = encoding.encoder();
        let one = IN_USE.get() - before;
        drop(encoder);
        for _ in 0..1000 {
            encoding.encoder().count(&texts);
        }
        assert_eq!(IN_USE.get(), before, "{name}");
        println!("allocations: {name}: a new encoder takes {one} bytes");
    }
}

/// A piece of megabytes leaves no more memory in use than before, except the cache.
#[test]
fn huge_pieces_leave_little() {
    let [han, cyrillic] = ['\u{4e00}'..='\u{9fa5}', 'а'..='я'].map(String::from_iter);
    for (name, letters) in [("cl100k_base", han), ("o200k_base", cyrillic)] {
        let encoding = get_encoding(name).unwrap();
        let piece = letters.repeat(5_000_000 / letters.len());
        let mut encoder = encoding.encoder();
        encoder.count(&letters);
        let before = IN_USE.get();
        encoder.count(&piece);
        let left = IN_USE.get().wrapping_sub(before).cast_signed();
        println!("allocations: {name}: a huge piece leaves {left} bytes");
        assert!(left <= 1 << 19, "{name}: {left}");
    }
}

/// Streams hold only the open tail of their text.
#[test]
fn streams_keep_little() {
    for name in ["r50k_base", "cl100k_base", "o200k_base"] {
        let encoding = get_encoding(name).unwrap();
        let text = KINDS[0].text(&mut Random::new(3), 2 * MEGABYTE);
        let parts: Vec<&str> = text.split_inclusive(' ').collect();
        let mut ids = Vec::with_capacity(text.len());
        encoding.count(&text);
        let before = IN_USE.get();
        let mut counter = encoding.token_counter();
        let mut encoder = encoding.stream_encoder();
        let mut decoder = encoding.stream_decoder();
        let mut most = 0;
        for part in parts {
            counter.push(part);
            encoder.push(part, &mut ids);
            for id in &ids {
                decoder.push(*id).unwrap();
            }
            ids.clear();
            most = most.max(IN_USE.get() - before);
        }
        println!("allocations: {name}: streams hold {most} bytes");
        assert!(counter.total() > MEGABYTE / 8);
        assert!(most < 50_000, "{name}: {most}");
    }
}

/// Custom encodings free their memory, whichever way they are made.
#[test]
#[cfg(feature = "custom")]
fn custom_encodings_give_their_memory_back() {
    use tiktally::Encoding;

    let once = |last: &[u8], rank: u32, pattern: &str| {
        let bytes = (0..=255_u8).map(|byte| (vec![byte], u32::from(byte)));
        let ranks = bytes.chain([(b"ab".to_vec(), 256), (last.to_vec(), rank)]);
        let encoding = Encoding::builder("once").pattern(pattern).ranks(ranks);
        let encoding = encoding.special_token("<s>", 5_000_000).build().unwrap();
        let text = "abc abcabc <s> é最".repeat(20);
        assert_eq!(
            encoding.decode(&encoding.encode_ordinary(&text)).unwrap(),
            text
        );
    };
    let all = || {
        once(b"abc", 257, r"\w+|\s+(?!\S)|\s+|[^\w\s]+");
        once(b"abc", 4_000_000, r"\w+|\W+");
        once(b"cab", 257, tiktally::cl100k_base().pattern());
    };
    all();
    let before = IN_USE.get();
    for _ in 0..333 {
        all();
    }
    // the thread's cache of merged pieces, which all encodings share, may have grown to its limit meanwhile
    let more = IN_USE.get().saturating_sub(before);
    assert!(more < 3 << 20, "{more}");
}
