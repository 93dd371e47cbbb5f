//! The built-in vocabularies. Each is created once, on first use, and several encodings share one.

use std::sync::{Arc, OnceLock};

#[cfg(not(feature = "prebuilt"))]
use crate::vocab::OnDemand;
use crate::vocab::Vocabulary;
#[cfg(feature = "prebuilt")]
use crate::vocab::{
    Regular,
    tables::{Tables, keyless::Keyless, table::Table},
};

/// Bytes aligned to a cache line, so that no bucket of a table in them lies in two lines.
#[cfg(feature = "prebuilt")]
#[repr(align(64))]
struct Aligned<B: ?Sized>(B);

/// Embeds the table `$kind` of `$file` as the build script wrote it, in the byte order of the target.
#[cfg(feature = "prebuilt")]
macro_rules! table {
    ($file:literal, $kind:literal, $cast:ident) => {{
        static BYTES: &Aligned<[u8]> = &Aligned(*include_bytes!(concat!(
            env!("OUT_DIR"),
            "/",
            $file,
            ".",
            $kind
        )));
        Table::Embedded(bytemuck::$cast(&BYTES.0))
    }};
}

/// Defines a function that returns the vocabulary `$name`: the first `$len` ids of `data/$file.tiktoken`, as the build
/// script derived them.
macro_rules! vocabulary {
    ($name:ident, $file:literal, $len:expr) => {
        pub(crate) fn $name() -> Arc<Vocabulary> {
            static HALVES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/", $file, ".halves"));
            static VOCABULARY: OnceLock<Arc<Vocabulary>> = OnceLock::new();
            let vocabulary = VOCABULARY.get_or_init(|| {
                let (halves, _) = HALVES.as_chunks::<6>();
                let halves = halves.get(..$len).unwrap_or(halves);
                #[cfg(not(feature = "prebuilt"))]
                let regular = OnDemand::new(halves);
                #[cfg(feature = "prebuilt")]
                let regular = {
                    let tables = Tables {
                        rows: table!($file, "rows", cast_slice),
                        lengths: table!($file, "lengths", cast_slice),
                        sides: table!($file, "sides", cast_slice),
                        slots: table!($file, "slots", cast_slice),
                        pairs: table!($file, "pairs", cast_slice),
                        grid: table!($file, "grid", from_bytes),
                        bytes: table!($file, "bytes", from_bytes),
                    };
                    let keyless = Keyless {
                        ids: table!($file, "keyless_ids", cast_slice),
                        bytes: table!($file, "keyless_bytes", cast_slice),
                        ends: table!($file, "keyless_ends", cast_slice),
                        slots: table!($file, "keyless_slots", cast_slice),
                    };
                    Regular::with_tables(Table::Embedded(halves), tables, keyless.into()).into()
                };
                Vocabulary::Regular(regular).into()
            });
            Arc::clone(vocabulary)
        }
    };
}

// r50k_base is the beginning of p50k_base, so the halves are embedded once. Prebuilt tables differ and are embedded for
// each.
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

/// Returns the vocabularies that are compiled in.
#[cfg(test)]
pub(crate) fn all() -> Vec<Arc<Vocabulary>> {
    vec![
        #[cfg(feature = "r50k_base")]
        r50k_base(),
        #[cfg(feature = "p50k_base")]
        p50k_base(),
        #[cfg(feature = "cl100k_base")]
        cl100k_base(),
        #[cfg(feature = "o200k_base")]
        o200k_base(),
    ]
}

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
    use super::*;

    /// The embedded tables equal those that are built from the halves at run time.
    #[test]
    fn embedded_tables_are_the_built_ones() {
        for vocab in all() {
            let regular = vocab
                .as_regular()
                .expect("built-in vocabularies are regular");
            regular.assert_tables_are_built_ones();
        }
    }
}
