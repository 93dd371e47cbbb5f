//! Counting chat messages, which one peer can do, too.

use tiktally::chat::{ChatTokens, Counter, Message, Request};
use tiktoken_rs::ChatCompletionRequestMessage;

use crate::race::{Clock, Entrant, Round, race};
use crate::steps::{Bench, cut};
use crate::table::{Table, Unit};
use crate::tools::{body, tools};

const MESSAGES: usize = 10;
const SIZE: usize = 150;

/// The measured rounds of each group, and the most conversations of a text.
const ROUNDS: usize = 3;
const MOST_INPUTS: usize = 1300;

/// One conversation for both, and for ours with tools: typed, and as the raw bodies of both APIs.
struct Input {
    plain: Request<'static>,
    with_tools: Request<'static>,
    chat_body: String,
    responses_body: String,
    theirs: Vec<ChatCompletionRequestMessage>,
}

/// Measures ten messages of new text. Only this crate counts tools.
pub fn chat(bench: &Bench) {
    let model = match bench.encoding.name() {
        "cl100k_base" => "gpt-4",
        "o200k_base" => "gpt-4o",
        _ => return println!("\nno chat model has this encoding"),
    };
    let counter = Counter::for_model(model).unwrap();
    let entrants = [
        Entrant {
            name: "tiktally".to_owned(),
            call: Box::new(|input: &Input| Some(counter.count(&input.plain).unwrap().total)),
        },
        Entrant {
            name: "tiktoken-rs 0.12.1".to_owned(),
            call: Box::new(|input: &Input| {
                tiktoken_rs::num_tokens_from_messages(model, &input.theirs).ok()
            }),
        },
        Entrant {
            name: "tiktally, with 5 tools".to_owned(),
            call: Box::new(|input: &Input| {
                Some(without_tools(&counter.count(&input.with_tools).unwrap()))
            }),
        },
        Entrant {
            name: "tiktally, raw body with 5 tools".to_owned(),
            call: Box::new(|input: &Input| {
                let tokens = counter.estimate_json(&input.chat_body).unwrap();
                Some(without_tools(&tokens))
            }),
        },
        Entrant {
            name: "tiktally, raw Responses body with 5 tools".to_owned(),
            call: Box::new(|input: &Input| {
                let tokens = counter.estimate_json(&input.responses_body).unwrap();
                Some(without_tools(&tokens))
            }),
        },
    ];
    let mut table = Table::new("ns a request of 10 messages", Unit::NanosecondsPerCall);
    // those that read the same text share one round: rows of ours would find each other's words in the thread's cache
    let groups = [0..2, 2..3, 3..4, 4..5];
    for corpus in &bench.corpora {
        let texts = cut(&corpus.text, SIZE);
        let inputs = texts.chunks_exact(MESSAGES).take(MOST_INPUTS).map(input);
        let inputs: Vec<Input> = inputs.collect();
        let size = inputs.len() / (1 + ROUNDS * groups.len());
        let mut inputs = inputs.into_iter();
        let mut round = || {
            let inputs: Vec<Input> = inputs.by_ref().take(size).collect();
            let units = inputs.len() as f64;
            Round { inputs, units }
        };
        // the first round compares the counts of all, and is a warm-up
        let check = race(Clock::Cpu, &entrants, &[round()]);
        let speeds = groups.iter().flat_map(|group| {
            let rounds: Vec<_> = (0..ROUNDS).map(|_| round()).collect();
            race(Clock::Cpu, &entrants[group.clone()], &rounds)
        });
        let speeds = check
            .into_iter()
            .zip(speeds)
            .map(|(check, speed)| check.and(speed));
        let names = entrants.iter().map(|entrant| entrant.name.clone());
        table.add(&corpus.name, names.zip(speeds).collect());
    }
    table.print();
}

/// Returns the part of a count that all entrants count: the messages, with the tokens that open the answer in chat
/// completions.
fn without_tools(tokens: &ChatTokens) -> usize {
    tokens.messages.iter().sum::<usize>() + 3
}

fn input(texts: &[&str]) -> Input {
    let roles = ["system", "user", "assistant"];
    let roles = (0..).map(|i| roles[if i == 0 { 0 } else { 2 - i % 2 }]);
    let theirs: Vec<_> = texts
        .iter()
        .zip(roles)
        .map(|(text, role)| ChatCompletionRequestMessage {
            role: role.to_owned(),
            content: Some((*text).to_owned()),
            ..Default::default()
        })
        .collect();
    let ours = theirs.iter().map(|message| {
        let text = message.content.clone().unwrap_or_default();
        match message.role.as_str() {
            "system" => Message::system(text),
            "user" => Message::user(text),
            _ => Message::assistant(text),
        }
    });
    let plain = Request::new(ours);
    let raw = |key| {
        let messages = theirs.iter().map(|message| {
            let text = message.content.as_deref().unwrap_or_default();
            (message.role.as_str(), text)
        });
        body(key, messages)
    };
    Input {
        chat_body: raw("messages"),
        responses_body: raw("input"),
        with_tools: plain.clone().tools(tools()),
        plain,
        theirs,
    }
}
