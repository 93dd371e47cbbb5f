//! Encodes and counts many texts, and one huge text, on all cores. The results equal those of sequential calls.
//!
//! ```sh
//! cargo run --release --example parallel_corpus --features rayon
//! ```

use std::time::Instant;

use tiktally::o200k_base;

pub(crate) fn main() -> Result<(), tiktally::Error> {
    let encoding = o200k_base();
    // builds the tables before the measurement starts
    encoding.prepare();

    let texts: Vec<String> = (0..5_000).map(document).collect();
    let counts = timed("5,000 texts", || encoding.count_batch(&texts));
    let each = texts.iter().map(|text| encoding.count(text));
    let one_by_one: Vec<usize> = timed("one by one", || each.collect());
    println!("{} tokens", counts.iter().sum::<usize>());
    assert_eq!(counts, one_by_one);
    assert_eq!(counts[..3], [4, 18, 32]);

    // lists of ids are in the order of the texts, too
    let lists = encoding.encode_ordinary_batch(&texts[..100]);
    assert_eq!(encoding.decode_batch(&lists)?, texts[..100]);

    let huge = texts.concat();
    let ids = timed("one huge text", || encoding.encode_ordinary_parallel(&huge));
    let alone = timed("on one core", || encoding.encode_ordinary(&huge));
    println!("{} tokens of {} bytes", ids.len(), huge.len());
    assert_eq!(ids, alone);
    Ok(())
}

fn document(number: usize) -> String {
    let line = "Der Tee ist heiß, und 茶 is the word for it.\n";
    format!("Document {number}\n{}", line.repeat(number % 20))
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    println!("{what}: {:.1?}", start.elapsed());
    result
}
