//! The vocabularies inside the crate, made once, on first use. Several encodings share one.

use std::sync::OnceLock;

use super::Vocabulary;

/// The vocabulary `$name` from what the build script made of `data/$file.tiktoken`, of which it takes `$len` ids.
macro_rules! vocabulary {
    ($name:ident, $file:literal, $len:expr) => {
        pub(crate) fn $name() -> &'static Vocabulary {
            static PARTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/", $file, ".parts"));
            static VOCABULARY: OnceLock<Vocabulary> = OnceLock::new();
            VOCABULARY.get_or_init(|| {
                let (parts, _) = PARTS.as_chunks::<6>();
                Vocabulary::new(parts.get(..$len).unwrap_or(parts))
            })
        }
    };
}

// r50k_base is the beginning of p50k_base
#[cfg(all(feature = "r50k_base", feature = "p50k_base"))]
vocabulary!(r50k_base, "p50k_base", 50_256);
#[cfg(all(feature = "r50k_base", not(feature = "p50k_base")))]
vocabulary!(r50k_base, "r50k_base", 50_256);
#[cfg(feature = "p50k_base")]
vocabulary!(p50k_base, "p50k_base", 50_281);
#[cfg(feature = "cl100k_base")]
vocabulary!(cl100k_base, "cl100k_base", 100_256);
#[cfg(feature = "o200k_base")]
vocabulary!(o200k_base, "o200k_base", 199_998);
