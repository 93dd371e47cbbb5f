//! Handles an answer that arrives in parts: counts it, decodes it id by id, and encodes it incrementally.
//!
//! ```sh
//! cargo run --example stream
//! ```

use tiktally::{Encoding, cl100k_base};

const ANSWER: [&str; 6] = [
    "Tea",
    " needs ",
    "hot wa",
    "ter, lea",
    "ves 🍵",
    " and time.",
];

pub(crate) fn main() -> Result<(), tiktally::Error> {
    let encoding = cl100k_base();
    stop_at_a_budget(encoding, 9);
    decode_one_by_one(encoding)?;
    encode_as_it_comes(encoding);
    Ok(())
}

/// Accepts parts until the whole text would exceed `budget` tokens.
fn stop_at_a_budget(encoding: &Encoding, budget: usize) {
    let mut counter = encoding.token_counter();
    let mut taken = String::new();
    for part in ANSWER {
        // not the sum of both counts: the new part may continue the last word
        let mut longer = counter.clone();
        longer.push(part);
        println!("{:>2} tokens with {part:?}", longer.total());
        if longer.total() > budget {
            break;
        }
        counter = longer;
        taken += part;
    }
    println!("taken: {taken:?}, {} tokens", counter.total());
    assert_eq!(taken, "Tea needs hot water, lea");
    assert_eq!(counter.total(), encoding.count(&taken));
}

/// Decodes id by id. A character of several tokens appears with the last of them.
fn decode_one_by_one(encoding: &Encoding) -> Result<(), tiktally::Error> {
    let mut decoder = encoding.stream_decoder();
    let mut text = String::new();
    for id in encoding.encode_ordinary("leaves 🍵") {
        let part = decoder.push(id)?;
        println!("{id:>6} {part:?}");
        text += part;
    }
    // an error if the ids end inside a character
    decoder.finish()?;
    assert_eq!(text, "leaves 🍵");
    Ok(())
}

/// Encodes part by part. An id is returned as soon as later text cannot change it.
fn encode_as_it_comes(encoding: &Encoding) {
    let mut encoder = encoding.stream_encoder();
    let mut ids = Vec::new();
    for part in ANSWER {
        encoder.push(part, &mut ids);
        println!("{:>2} ids are final after {part:?}", ids.len());
    }
    encoder.finish(&mut ids);
    assert_eq!(ids, encoding.encode_ordinary(&ANSWER.concat()));
}
