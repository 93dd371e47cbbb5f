//! A text in overlapping chunks for an embedding model: cut behind sentences, each with its place and its tokens.
//!
//! ```sh
//! cargo run --example embeddings
//! ```

use std::error::Error;

use tiktally::{Cut, context_window, encoding_for_model};

const MODEL: &str = "text-embedding-3-small";

const TEXT: &str = "Tea is older than most of the cups it is drunk from. The leaves are picked in spring, \
    when they are small. Some are dried at once and stay green. Others lie in the sun, turn dark, and taste of it. \
    Water that boils is too hot for the green ones. 最初の一杯は捨てる。二杯目を飲む。 Nobody agrees on the milk.";

/// How long a chunk is to be, and how much of the one before it begins with, in tokens.
const SIZE: usize = 36;
const OVERLAP: usize = 10;

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let encoding = encoding_for_model(MODEL)?;
    let window = context_window(MODEL).ok_or("the model takes an unknown number of tokens")?;
    assert!(SIZE <= window.context);

    let chunks = encoding.chunks_overlapping(TEXT, SIZE, OVERLAP)?;
    let spans: Vec<_> = chunks.prefer(Cut::Sentence).spans().collect();
    for span in &spans {
        // byte ranges lead from a search result back to its place
        println!(
            "{:>3}..{:<3} {:>2} tokens  {}",
            span.range.start,
            span.range.end,
            span.tokens,
            &TEXT[span.range.clone()]
        );
    }

    for span in &spans {
        assert!(span.tokens <= SIZE);
        assert_eq!(span.tokens, encoding.count(&TEXT[span.range.clone()]));
    }
    // each begins with the end of the one before
    for pair in spans.windows(2) {
        let shared = &TEXT[pair[1].range.start..pair[0].range.end];
        assert!(encoding.count(shared) <= OVERLAP);
    }
    assert_eq!(spans.len(), 4);
    Ok(())
}
