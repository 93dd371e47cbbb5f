//! The numbers of the rules, which texts and sizes do not explain.
//!
//! Sections are those of the rules that the crate's page on [chat](super) sums up.
#![cfg_attr(not(feature = "json"), allow(dead_code))] // calls are JSON

/// What frames cost, in tokens unless a field says otherwise.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    /// Section 1: what a message has beside its header and its content; in the first models' form, newlines too.
    pub(super) message: usize,
    pub(super) message_0301: usize,
    /// Section 1: what follows the last message, for the answer to begin. Reasoning models write the separator
    /// themselves.
    pub(super) priming: usize,
    pub(super) priming_reasoning: usize,
    /// Section 1: a name takes the place of the role in the first models' form.
    pub(super) name_0301: usize,
    /// Section 3.1: around the text of the tools.
    pub(super) tools: usize,
    /// Section 3.1: what is saved where a system message is there already.
    pub(super) system_saves: usize,
    /// Section 3.1: the choice of no tool.
    pub(super) choice_none: usize,
    /// Section 3.1: around the name of a function that must be called.
    pub(super) choice_function: usize,
    /// Section 3.2: around the name of a tool that must be called.
    pub(super) choice_tool: usize,
    /// Section 3.1: around the name and the arguments of a function that was called.
    pub(super) function_call: usize,
    /// Section 3.1: beside the name in a function's message, and what that message saves.
    pub(super) function_name: usize,
    pub(super) function_saves: usize,
    /// Section 3.1: around a tool call and its result, beyond their two messages, and how often the name is written.
    pub(super) legacy_pair: usize,
    pub(super) legacy_names: usize,
    /// Section 3.4: after the arguments of a call.
    pub(super) call: usize,
    /// Section 3.4: around the name of the function before its result.
    pub(super) result: usize,
    /// Section 3.4: around several calls in one message and their results.
    pub(super) parallel: usize,
    /// Section 3.5: what reasoning models have beyond the text of the tools, and if the first one is bare.
    pub(super) reasoning_tools: usize,
    pub(super) reasoning_bare: usize,
    /// Section 3.5: what reasoning models have beyond a call and its result.
    pub(super) reasoning_pair: usize,
    /// Section 3.6: around the text of a schema and the second mention of its name, where there are no tools.
    pub(super) schema: usize,
    /// Section 3.6: beyond them where there is no system message.
    pub(super) schema_alone: usize,
    /// Section 3.6: in place of both, and of the name, where there are tools.
    pub(super) schema_tools: usize,
}

/// As the API had them when the rules were written down.
pub(super) static NUMBERS: Numbers = Numbers {
    message: 3,
    message_0301: 4,
    priming: 3,
    priming_reasoning: 2,
    name_0301: 1,
    tools: 9,
    system_saves: 4,
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
    reasoning_tools: 82,
    reasoning_bare: 81,
    reasoning_pair: 6,
    schema: 2,
    schema_alone: 4,
    schema_tools: 1,
};

/// No number may be wrong by one without a request of the project's own noticing.
#[cfg(all(
    test,
    feature = "json",
    feature = "cl100k_base",
    feature = "o200k_base"
))]
mod tests {
    use super::{NUMBERS, Numbers};
    use crate::chat::value::Value;
    use crate::chat::{Counter, Family};

    impl Numbers {
        /// All fields: one that is left out here does not compile.
        fn all(&mut self) -> Vec<(&'static str, &mut usize)> {
            macro_rules! listed {
                ($($field:ident)*) => {{
                    let Self { $($field),* } = self;
                    vec![$((stringify!($field), $field)),*]
                }};
            }
            listed!(
                message message_0301 priming priming_reasoning name_0301 tools system_saves
                choice_none choice_function choice_tool function_call function_name function_saves legacy_pair
                legacy_names call result parallel reasoning_tools reasoning_bare reasoning_pair schema schema_alone
                schema_tools
            )
        }
    }

    /// The requests, each with its counter, its body and its count.
    fn requests() -> Vec<(Counter, String, usize)> {
        let text = include_str!("../../tests/chat/requests.json");
        let list = Value::parse(text).unwrap();
        let requests = list.as_list().unwrap().iter().map(|own| {
            let mut counter =
                Counter::for_model(own.get("model").unwrap().as_text().unwrap()).unwrap();
            match own.get("family").and_then(Value::as_text) {
                Some("0301") => counter = counter.with_family(Family::Legacy0301),
                Some("0613") => counter = counter.with_family(Family::Legacy0613),
                Some("modern") => counter = counter.with_family(Family::Modern),
                Some("reasoning") => counter = counter.with_family(Family::Reasoning),
                _ => {}
            }
            let mut body = String::new();
            own.get("request")
                .unwrap()
                .write(crate::chat::value::Style::Compact, &mut body);
            let Some(Value::Integer(count)) = own.get("prompt_tokens") else {
                panic!("no count");
            };
            (counter, body, usize::try_from(*count).unwrap())
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
