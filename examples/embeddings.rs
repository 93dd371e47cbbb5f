//! Cuts a text into overlapping chunks for an embedding model, preferably after sentences.
//! Each chunk has its byte range and its number of tokens.
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

/// The maximum size of a chunk, in tokens.
const CHUNK_TOKENS: usize = 36;

/// The maximum overlap with the previous chunk, in tokens.
const OVERLAP_TOKENS: usize = 10;

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let encoding = encoding_for_model(MODEL)?;
    let window = context_window(MODEL).ok_or("the context window of the model is unknown")?;
    assert!(CHUNK_TOKENS <= window.context);

    let chunks = encoding.chunks_overlapping(TEXT, CHUNK_TOKENS, OVERLAP_TOKENS)?;
    let spans: Vec<_> = chunks.prefer(Cut::Sentence).spans().collect();
    for span in &spans {
        // the byte range leads from a search result back to the text
        println!(
            "{:>3}..{:<3} {:>2} tokens  {}",
            span.range.start,
            span.range.end,
            span.tokens,
            &TEXT[span.range.clone()]
        );
    }

    for span in &spans {
        assert!(span.tokens <= CHUNK_TOKENS);
        assert_eq!(span.tokens, encoding.count(&TEXT[span.range.clone()]));
    }
    // each chunk begins with the end of the previous one
    for pair in spans.windows(2) {
        let shared = &TEXT[pair[1].range.start..pair[0].range.end];
        assert!(encoding.count(shared) <= OVERLAP_TOKENS);
    }
    assert_eq!(spans.len(), 4);
    Ok(())
}
