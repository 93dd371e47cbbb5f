//! The numbers of the rules that follow neither from texts nor from sizes.
//!
//! Section numbers are those of page.md, the page on [chat](super).
#![cfg_attr(not(feature = "json"), allow(dead_code))] // calls are JSON

/// The cost of frames, in tokens unless a field says otherwise.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    /// Section 1: a message beyond its header and its content.
    pub(super) message: usize,
    /// Section 1: the same part of a message with gpt-3.5-turbo-0301, newlines included.
    pub(super) message_0301: usize,
    /// Section 1: the tokens after the last message, which open the answer.
    pub(super) priming: usize,
    /// Section 1: these tokens with reasoning models, which write the last of them themselves.
    pub(super) priming_reasoning: usize,
    /// Section 1: saved by a name with gpt-3.5-turbo-0301, because it replaces the role.
    pub(super) name_0301: usize,
    /// Section 1: the name of the channel at a text of the assistant in the history of gpt-5 (`<|channel|>final`).
    pub(super) answer: usize,
    /// Section 3: around the text of the tools, in a system message of their own.
    pub(super) tools: usize,
    /// Section 3: saved if the first message is a system message, because the tools join it.
    pub(super) system_saves: usize,
    /// Section 3.9: around the text of the tools in the Responses API.
    pub(super) tools_responses: usize,
    /// Section 3.9: around the text of the tools in the Responses API with reasoning models.
    pub(super) tools_responses_reasoning: usize,
    /// Sections 3.1 and 3.2: the choice of no tool.
    pub(super) choice_none: usize,
    /// Section 3.1: around the name of a function that must be called.
    pub(super) choice_function: usize,
    /// Section 3.2: around the name of a tool that must be called.
    pub(super) choice_tool: usize,
    /// Section 3.1: around the name and the arguments of a function that was called.
    pub(super) function_call: usize,
    /// Section 3.1: beside the name in a function's message.
    pub(super) function_name: usize,
    /// Section 3.1: saved by a function's message.
    pub(super) function_saves: usize,
    /// Section 3.1: around a tool call and its result, beyond their two messages.
    pub(super) legacy_pair: usize,
    /// Section 3.1: the number of times that the name is written in a call and its result.
    pub(super) legacy_names: usize,
    /// Section 3.4: after the arguments of a call.
    pub(super) call: usize,
    /// Section 3.4: around the name of the function before its result.
    pub(super) result: usize,
    /// Section 3.4: around several calls in one message and their results.
    pub(super) parallel: usize,
    /// Section 3.5: added to the text of the tools with reasoning models.
    pub(super) reasoning_tools: usize,
    /// Section 3.5: added to that if the first tool has a description.
    pub(super) reasoning_description: usize,
    /// Section 3.5: the heading that gpt-5 adds if the tools join a system message.
    pub(super) reasoning_heading: usize,
    /// Section 3.5: added to the text of the tools with o3-mini.
    pub(super) o3_mini_tools: usize,
    /// Section 3.5: added to a call and its result with reasoning models.
    pub(super) reasoning_pair: usize,
    /// Section 3.9: added to a call and its result in the Responses API with gpt-5.4 and later.
    pub(super) reasoning_pair_5_4: usize,
    /// Section 3.9: added to a call whose item has an `id`.
    pub(super) call_id: usize,
    /// Section 3.6: around the text of a schema and the second mention of its name, without tools.
    pub(super) schema: usize,
    /// Section 3.6: added to that if there is no system message.
    pub(super) schema_alone: usize,
    /// Section 3.6: replaces both, and the name, if there are tools.
    pub(super) schema_tools: usize,
    /// Section 3.9: replaces both, and the name, in the Responses API.
    pub(super) schema_responses: usize,
    /// Section 3.6: added with the name of the schema at each text of the assistant in the history.
    pub(super) schema_answer: usize,
    /// Section 3.9: added by the Responses API in its first weeks.
    pub(super) first_weeks: usize,
    /// Section 3.9: added by the Responses API in its first weeks to requests with tools.
    pub(super) first_weeks_tools: usize,
    /// Section 3.9: saved by gpt-4-0613 in the Responses API, once a request.
    pub(super) legacy_responses: usize,
}

/// The numbers of the API when the rules were written down.
pub(super) static NUMBERS: Numbers = Numbers {
    message: 3,
    message_0301: 4,
    priming: 3,
    priming_reasoning: 2,
    name_0301: 1,
    answer: 2,
    tools: 9,
    system_saves: 4,
    tools_responses: 3,
    tools_responses_reasoning: 8,
    choice_none: 1,
    choice_function: 4,
    choice_tool: 7,
    function_call: 3,
    function_name: 1,
    function_saves: 2,
    legacy_pair: 2,
    legacy_names: 2,
    call: 1,
    result: 2,
    parallel: 20,
    reasoning_tools: 81,
    reasoning_description: 1,
    reasoning_heading: 3,
    o3_mini_tools: 1,
    reasoning_pair: 6,
    reasoning_pair_5_4: 9,
    call_id: 3,
    schema: 2,
    schema_alone: 4,
    schema_tools: 1,
    schema_responses: 1,
    schema_answer: 2,
    first_weeks: 18,
    first_weeks_tools: 216,
    legacy_responses: 1,
};

/// Checks that a request of this project notices each number that is wrong by one.
#[cfg(all(
    test,
    feature = "json",
    feature = "cl100k_base",
    feature = "o200k_base"
))]
mod tests {
    use super::{NUMBERS, Numbers};
    use crate::chat::value::{Json, Value};
    use crate::chat::{Counter, Family};

    impl Numbers {
        /// Returns all fields by name; a field that is missing here does not compile.
        fn all(&mut self) -> Vec<(&'static str, &mut usize)> {
            macro_rules! listed {
                ($($field:ident)*) => {{
                    let Self { $($field),* } = self;
                    vec![$((stringify!($field), $field)),*]
                }};
            }
            listed!(
                message message_0301 priming priming_reasoning name_0301 answer tools system_saves
                tools_responses tools_responses_reasoning choice_none choice_function choice_tool
                function_call function_name function_saves legacy_pair legacy_names call result parallel
                reasoning_tools reasoning_description reasoning_heading o3_mini_tools reasoning_pair
                reasoning_pair_5_4 call_id schema schema_alone schema_tools schema_responses schema_answer
                first_weeks first_weeks_tools legacy_responses
            )
        }
    }

    /// Returns the requests, each with its counter, its body and its count.
    fn requests() -> Vec<(Counter, String, usize)> {
        let text = include_str!("../../tests/chat/requests.json");
        let json = Json::parse(text).unwrap();
        let requests = json.value().as_list().unwrap().iter().map(|own| {
            let mut counter =
                Counter::for_model(own.get("model").unwrap().as_text().unwrap()).unwrap();
            match own.get("family").and_then(Value::as_text) {
                Some("0301") => counter = counter.with_family(Family::Legacy0301),
                Some("0613") => counter = counter.with_family(Family::Legacy0613),
                Some("modern") => counter = counter.with_family(Family::Modern),
                Some("reasoning") => counter = counter.with_family(Family::Reasoning),
                _ => {}
            }
            if let Some(day) = own.get("as_of").and_then(Value::as_text) {
                counter = counter.as_of(day).unwrap();
            }
            let mut body = String::new();
            own.get("request")
                .unwrap()
                .write(crate::chat::value::Style::Compact, &mut body);
            let Some(Value::Integer(count)) = own.get("prompt_tokens") else {
                panic!("no count");
            };
            (counter, body, usize::try_from(count).unwrap())
        });
        requests.collect()
    }

    fn wrong(requests: &[(Counter, String, usize)], numbers: &'static Numbers) -> usize {
        let is_wrong = |(counter, body, count): &&(Counter, String, usize)| {
            let counter = Counter {
                numbers,
                ..counter.clone()
            };
            counter.estimate_json(body).unwrap().total != *count
        };
        requests.iter().filter(is_wrong).count()
    }

    #[test]
    fn every_number_is_held_by_a_request() {
        let requests = requests();
        assert_eq!(wrong(&requests, &NUMBERS), 0);
        let fields = NUMBERS.clone().all().len();
        let mut unnoticed = Vec::new();
        for field in 0..fields {
            for more in [true, false] {
                let mut numbers = NUMBERS.clone();
                let (name, number) = numbers.all().remove(field);
                *number = if more { *number + 1 } else { *number - 1 };
                if wrong(&requests, Box::leak(Box::new(numbers))) == 0 {
                    unnoticed.push((name, more));
                }
            }
        }
        assert!(unnoticed.is_empty(), "{unnoticed:?}");
    }
}
