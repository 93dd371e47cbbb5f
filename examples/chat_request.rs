//! Counts the tokens of a whole chat request by part, and drops turns from a conversation that is too long.
//!
//! ```sh
//! cargo run --example chat_request --features json
//! ```

use tiktally::chat::{
    Api, ChatTokens, Counter, Message, Policy, Request, RuleUse, Tool, count_json,
};

const BODY: &str = r#"{
    "model": "gpt-4o",
    "messages": [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "What's the weather like in San Francisco?"}
    ],
    "tools": [{"type": "function", "function": {
        "name": "get_weather",
        "description": "Get the current weather in a given location",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    }}]
}"#;

pub(crate) fn main() -> Result<(), tiktally::Error> {
    // the body is counted for the model that it names
    let from_json = count_json(BODY)?;
    print("the body", &from_json);

    // the same request, built with types
    let counter = Counter::for_model("gpt-4o")?;
    let weather = Tool::function("get_weather")
        .description("Get the current weather in a given location")
        .parameters_json(
            r#"{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}"#,
        )?;
    let request = Request::new([
        Message::system("You are a helpful assistant."),
        Message::user("What's the weather like in San Francisco?"),
    ])
    .tools([weather]);
    assert_eq!(counter.count(&request)?, from_json);

    // the Responses API frames tools differently
    let responses = counter.count(&request.clone().api(Api::Responses))?;
    assert_eq!((from_json.tools, responses.tools), (35, 33));

    // a count is exact because of the recorded requests that show its rules
    for rule in &from_json.rules {
        println!("{}: {} recordings", rule.name, rule.recordings);
    }
    assert!(from_json.rules.iter().all(RuleUse::is_sure));

    // negative if the request is too long; `None` if the window of the model is unknown
    let left = counter.remaining(&request)?;
    println!("left of the window: {left:?}");
    assert_eq!(left, Some(128_000 - 60));

    fit_a_conversation(&counter)
}

/// Drops the oldest turns until the conversation fits. The instructions and the last question stay.
fn fit_a_conversation(counter: &Counter) -> Result<(), tiktally::Error> {
    let messages = [
        Message::system("Be brief."),
        Message::user("What is a token?"),
        Message::assistant("A piece of text that a model reads as one."),
        Message::user("And a rank?"),
    ];
    let fitted = counter.fit(messages, 20, Policy::OldestTurns)?;
    println!("dropped: {:?}", fitted.dropped);
    print("what stays", &fitted.tokens);
    assert_eq!(fitted.dropped, [1, 2]);
    assert_eq!(fitted.tokens.total, 18);
    Ok(())
}

fn print(what: &str, tokens: &ChatTokens) {
    println!("{what}: {} tokens ({:?})", tokens.total, tokens.exactness);
    println!("  messages {:?}", tokens.messages);
    println!("  tools    {}", tokens.tools);
    println!("  answer   {}", tokens.priming);
}
