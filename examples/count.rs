//! How many tokens a model reads in a text.
//!
//! ```sh
//! cargo run --example count                              # a text of its own
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
        _ => return Err("a model and a text are wanted, or `-` for standard input".into()),
    }
    Ok(())
}

fn sample() -> Result<(), tiktally::Error> {
    assert_eq!(report("gpt-4o", "How many tokens is this?")?, 6);
    // what a user typed is text, also where it spells a special token
    assert_eq!(report("gpt-4o", "<|endoftext|>")?, 7);
    let error = report("gpt-6", "Hello!").unwrap_err();
    println!("{error}");
    assert!(error.is_unknown_model());
    Ok(())
}

/// Prints the tokens of a text, and how much of the model's window they are.
fn report(model: &str, text: &str) -> Result<usize, tiktally::Error> {
    let encoding = encoding_for_model(model)?;
    let tokens = encoding.count(text);
    print!("{tokens} tokens of {} for {model}", encoding.name());
    match context_window(model) {
        Some(window) => println!(", which leaves {} of its window", window.remaining(tokens)),
        None => println!(", whose window is not known"),
    }
    Ok(tokens)
}
