//! The memory of a thread's cache of merged pieces: its growth, its limit and its release.
//!
//! This test is a program of its own, because it counts with a global allocator, and sets the limit of the process.

#[path = "common/allocator.rs"]
mod allocator;

use allocator::IN_USE;
use tiktally::{cl100k_base, release_thread_cache, set_cache_bytes};

const MIB: usize = 1 << 20;
/// More than the scratch memory takes.
const SCRATCH: usize = MIB / 2;

/// Returns this many words of eight letters, none of them a token and hardly one twice.
fn words(count: usize) -> String {
    let mut state = 1_u64;
    let mut text = String::new();
    for _ in 0..count {
        text.push(' ');
        for _ in 0..8 {
            state = state
                .wrapping_mul(0x5851_F42D_4C95_7F2D)
                .wrapping_add(0x1405_7B7E_F767_814F);
            text.push(char::from(b'a' + (state >> 33) as u8 % 26));
        }
    }
    text
}

#[test]
fn the_cache_grows_within_its_limit_and_is_released() {
    let text = words(100_000);
    let tokens = cl100k_base().count(&text);
    let rounds = |count: usize| {
        for _ in 0..count {
            assert_eq!(cl100k_base().count(&text), tokens);
        }
    };
    release_thread_cache();
    let base = IN_USE.get();
    let kept = || IN_USE.get() - base;

    rounds(1);
    assert!(kept() <= 2 * MIB + SCRATCH, "new text: {}", kept());
    rounds(4);
    assert!(kept() > 4 * MIB, "returning text: {}", kept());
    assert!(kept() <= 16 * MIB + SCRATCH, "returning text: {}", kept());

    set_cache_bytes(MIB);
    cl100k_base().count(&words(400_000)[text.len()..]);
    assert!(kept() <= MIB + SCRATCH, "lower limit: {}", kept());
    rounds(4);
    assert!(kept() <= MIB + SCRATCH, "lower limit: {}", kept());

    let mut encoder = cl100k_base().encoder().with_cache_bytes(4 * MIB);
    release_thread_cache();
    for _ in 0..4 {
        assert_eq!(encoder.count(&text), tokens);
    }
    assert!(kept() > 2 * MIB + SCRATCH, "own limit: {}", kept());
    assert!(kept() <= 4 * MIB + SCRATCH, "own limit: {}", kept());
    drop(encoder);

    set_cache_bytes(0);
    rounds(2);
    assert!(kept() <= SCRATCH, "no cache: {}", kept());
    release_thread_cache();
    assert_eq!(kept(), 0);
}
