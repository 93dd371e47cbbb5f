//! A randomly keyed hasher, for input that an attacker may have chosen.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Builds hashers with a random key, so that crafted tokens cannot collide.
#[derive(Clone, Copy)]
pub(crate) struct Keyed {
    add: u64,
    /// An odd number.
    times: u64,
}

impl Keyed {
    /// Creates a new random key.
    pub(crate) fn new() -> Self {
        let random = RandomState::new();
        Self {
            add: random.hash_one(0),
            times: random.hash_one(1) | 1,
        }
    }
}

impl BuildHasher for Keyed {
    type Hasher = KeyedHasher;

    fn build_hasher(&self) -> KeyedHasher {
        KeyedHasher {
            key: *self,
            hash: 0,
        }
    }
}

/// A hasher that [`Keyed`] builds.
pub(crate) struct KeyedHasher {
    key: Keyed,
    hash: u64,
}

impl Hasher for KeyedHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (numbers, rest) = bytes.as_chunks();
        for number in numbers {
            self.write_u64(u64::from_le_bytes(*number));
        }
        if !rest.is_empty() {
            let number = rest
                .iter()
                .fold(0, |number, byte| number << 8 | u64::from(*byte));
            self.write_u64(number);
        }
    }

    fn write_u64(&mut self, number: u64) {
        let mixed = (self.hash ^ number).wrapping_add(self.key.add);
        let product = u128::from(mixed) * u128::from(self.key.times);
        self.hash = product as u64 ^ (product >> 64) as u64;
    }

    fn write_u128(&mut self, number: u128) {
        self.write_u64(number as u64);
        self.write_u64((number >> 64) as u64);
    }

    fn finish(&self) -> u64 {
        self.hash
    }
}
