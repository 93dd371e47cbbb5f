//! Counts the tokens of a text for a model.
//!
//! ```sh
//! cargo run --example count                              # built-in samples
//! cargo run --example count -- gpt-4o "How many is this?"
//! cargo run --example count -- gpt-4 - < README.md       # standard input
//! ```

use std::error::Error;
use std::{env, io};

use tiktally::{context_window, encoding_for_model};

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    run(&args)
}

pub(crate) fn run(args: &[&str]) -> Result<(), Box<dyn Error>> {
    match args {
        [] => sample()?,
        [model, "-"] => drop(report(model, &io::read_to_string(io::stdin())?)?),
        [model, text] => drop(report(model, text)?),
        _ => return Err("usage: count MODEL TEXT, with `-` as TEXT for standard input".into()),
    }
    Ok(())
}

fn sample() -> Result<(), tiktally::Error> {
    assert_eq!(report("gpt-4o", "How many tokens is this?")?, 6);
    // `count` treats special tokens in a text as plain text
    assert_eq!(report("gpt-4o", "<|endoftext|>")?, 7);
    let error = report("gpt-6", "Hello!").unwrap_err();
    println!("{error}");
    assert!(error.is_unknown_model());
    Ok(())
}

/// Prints the number of tokens of a text and how many remain in the model's context window. Returns the number.
fn report(model: &str, text: &str) -> Result<usize, tiktally::Error> {
    let encoding = encoding_for_model(model)?;
    let tokens = encoding.count(text);
    print!("{tokens} tokens of {} for {model}", encoding.name());
    match context_window(model) {
        Some(window) => println!(", which leaves {} in its window", window.remaining(tokens)),
        None => println!(", whose window is not known"),
    }
    Ok(tokens)
}
