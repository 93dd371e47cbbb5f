//! An answer that arrives in parts: counted as it comes, decoded id by id, encoded as far as it is certain.
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

/// Takes parts as long as all of them have no more tokens than `budget`.
fn stop_at_a_budget(encoding: &Encoding, budget: usize) {
    let mut counter = encoding.token_counter();
    let mut taken = String::new();
    for part in ANSWER {
        // the last word may grow: only text as a whole has a count
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

/// A character that several tokens make up appears with the last of them.
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

/// An id appears when no later text can change it.
fn encode_as_it_comes(encoding: &Encoding) {
    let mut encoder = encoding.stream_encoder();
    let mut ids = Vec::new();
    for part in ANSWER {
        encoder.push(part, &mut ids);
        println!("{:>2} ids are certain behind {part:?}", ids.len());
    }
    encoder.finish(&mut ids);
    assert_eq!(ids, encoding.encode_ordinary(&ANSWER.concat()));
}
