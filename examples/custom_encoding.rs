//! Builds a custom encoding from a rank file and a pattern, adds special tokens, and writes the file again.
//!
//! ```sh
//! cargo run --example custom_encoding
//! ```

use std::io::BufReader;

use tiktally::{Encoding, Error, Special, cl100k_base, write_tiktoken};

pub(crate) fn main() -> Result<(), Error> {
    let encoding = from_file()?;
    let chat = with_markers(&encoding)?;
    println!("{}: {} ids", chat.name(), chat.n_vocab());
    errors_name_the_line();
    Ok(())
}

/// Builds an encoding from a rank file, which has a token in base64 and its rank on each line. Here it is written first.
fn from_file() -> Result<Encoding, Error> {
    let mut file = Vec::new();
    write_tiktoken(cl100k_base(), &mut file)?;
    println!("{} bytes of ranks", file.len());

    let encoding = Encoding::builder("mine")
        .pattern(cl100k_base().pattern())
        .ranks_from_tiktoken(BufReader::new(&file[..]))?
        .special_token("<|endoftext|>", 100_257)
        .build()?;
    assert_eq!(encoding.encode_ordinary("hello world"), [15339, 1917]);

    let mut again = Vec::new();
    write_tiktoken(&encoding, &mut again)?;
    assert_eq!(again, file);
    Ok(encoding)
}

/// Adds special tokens of a chat format. Both encodings share the vocabulary; it is not copied.
fn with_markers(encoding: &Encoding) -> Result<Encoding, Error> {
    let chat = encoding
        .extend("mine_chat")
        .special_token("<|im_start|>", 100_264)
        .special_token("<|im_end|>", 100_265)
        .build()?;
    let prompt = "<|im_start|>user\nHi<|im_end|>";
    let ids = chat.encode(prompt, Special::ALLOW_ALL)?;
    println!("{prompt:?}: {ids:?}");
    assert_eq!(ids, [100_264, 882, 198, 13347, 100_265]);
    assert_eq!(chat.decode(&ids)?, prompt);
    Ok(chat)
}

/// Shows that an error in a rank file names its line.
fn errors_name_the_line() {
    let file = b"AA== 0\nAQ== one\n";
    let error = Encoding::builder("broken").ranks_from_tiktoken(&file[..]);
    let error = error.unwrap_err();
    println!("{error}");
    assert!(error.is_invalid_ranks());
    assert_eq!(error.line(), Some(2));
}
