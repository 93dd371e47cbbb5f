//! The vocabularies inside the crate, made once, on first use. Several encodings share one.

use std::sync::{Arc, OnceLock};

use super::Vocabulary;
use super::tables::table::Table;
#[cfg(feature = "prebuilt")]
use super::tables::{Tables, odd::Odd};

/// A file that the build script wrote.
macro_rules! file {
    ($name:literal, $kind:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".", $kind))
    };
}

/// The vocabulary `$name` from what the build script made of `data/$file.tiktoken`, of which it takes `$len` ids.
macro_rules! vocabulary {
    ($name:ident, $file:literal, $len:expr) => {
        pub(crate) fn $name() -> Arc<Vocabulary> {
            static PARTS: &[u8] = file!($file, "parts");
            static VOCABULARY: OnceLock<Arc<Vocabulary>> = OnceLock::new();
            let vocabulary = VOCABULARY.get_or_init(|| {
                let (parts, _) = PARTS.as_chunks::<6>();
                let parts = Table::Embedded(parts.get(..$len).unwrap_or(parts));
                #[cfg(not(feature = "prebuilt"))]
                return Vocabulary::new(parts).into();
                #[cfg(feature = "prebuilt")]
                return Vocabulary::with(parts, tables!($file), odd!($file).into()).into();
            });
            Arc::clone(vocabulary)
        }
    };
}

/// Bytes that begin where a cache line begins: no bucket of a table in them spreads over two.
#[cfg(feature = "prebuilt")]
#[repr(align(64))]
struct Aligned<B: ?Sized>(B);

/// A table as the build script wrote it, in the byte order of the target.
#[cfg(feature = "prebuilt")]
macro_rules! table {
    ($file:literal, $kind:literal, $cast:ident) => {{
        static BYTES: &Aligned<[u8]> = &Aligned(*file!($file, $kind));
        Table::Embedded(bytemuck::$cast(&BYTES.0))
    }};
}

#[cfg(feature = "prebuilt")]
macro_rules! tables {
    ($file:literal) => {
        Tables {
            rows: table!($file, "rows", cast_slice),
            lengths: table!($file, "lengths", cast_slice),
            sides: table!($file, "sides", cast_slice),
            common: table!($file, "common", from_bytes),
            slots: table!($file, "slots", cast_slice),
            pairs: table!($file, "pairs", cast_slice),
            grid: table!($file, "grid", from_bytes),
            bytes: table!($file, "bytes", from_bytes),
        }
    };
}

#[cfg(feature = "prebuilt")]
macro_rules! odd {
    ($file:literal) => {
        Odd {
            ids: table!($file, "odd_ids", cast_slice),
            bytes: table!($file, "odd_bytes", cast_slice),
            ends: table!($file, "odd_ends", cast_slice),
            slots: table!($file, "odd_slots", cast_slice),
        }
    };
}

// r50k_base is the beginning of p50k_base; finished tables it has of its own
#[cfg(all(
    feature = "r50k_base",
    feature = "p50k_base",
    not(feature = "prebuilt")
))]
vocabulary!(r50k_base, "p50k_base", 50_256);
#[cfg(all(
    feature = "r50k_base",
    any(not(feature = "p50k_base"), feature = "prebuilt")
))]
vocabulary!(r50k_base, "r50k_base", 50_256);
#[cfg(feature = "p50k_base")]
vocabulary!(p50k_base, "p50k_base", 50_281);
#[cfg(feature = "cl100k_base")]
vocabulary!(cl100k_base, "cl100k_base", 100_256);
#[cfg(feature = "o200k_base")]
vocabulary!(o200k_base, "o200k_base", 199_998);

#[cfg(all(
    test,
    feature = "prebuilt",
    any(
        feature = "r50k_base",
        feature = "p50k_base",
        feature = "cl100k_base",
        feature = "o200k_base"
    )
))]
mod tests {
    use super::super::tables::Parts;
    use super::*;

    /// The tables inside the program are those that are built from the parts at run time.
    #[test]
    fn embedded_tables_are_the_built_ones() {
        let vocabularies = [
            #[cfg(feature = "r50k_base")]
            r50k_base(),
            #[cfg(feature = "p50k_base")]
            p50k_base(),
            #[cfg(feature = "cl100k_base")]
            cl100k_base(),
            #[cfg(feature = "o200k_base")]
            o200k_base(),
        ];
        for vocab in vocabularies {
            let Vocabulary { parts, tables, .. } = &*vocab;
            assert!(matches!(tables.pairs, Table::Embedded(_)));
            let (ids, parts) = (parts.len(), Parts(parts));
            assert!(*tables == Tables::build(parts, &[]), "{ids} ids");
            let odd = Odd::build(parts, &[], &tables.rows, &tables.lengths);
            assert!(vocab.odd.get() == Some(&odd), "{ids} ids");
        }
    }
}
