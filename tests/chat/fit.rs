//! Budgets of chat requests, on random conversations.

use proptest::prelude::*;
use tiktally::chat::{
    Content, Counter, Detail, Family, Image, Message, Part, Policy, Request, Tool, ToolCall,
    ToolChoice,
};

/// One turn of a conversation.
#[derive(Debug, Clone)]
enum Turn {
    System(String),
    User(String),
    Image(u32, u32),
    Assistant(String),
    /// This many calls with their results.
    Calls(usize, String),
}

fn turn() -> impl Strategy<Value = Turn> {
    let text = "[a-z ]{0,40}|[\\PC\\n]{0,12}";
    prop_oneof![
        1 => text.prop_map(Turn::System),
        3 => text.prop_map(Turn::User),
        1 => (1..3000_u32, 1..3000_u32).prop_map(|(width, height)| Turn::Image(width, height)),
        3 => text.prop_map(Turn::Assistant),
        2 => (1..4_usize, text).prop_map(|(calls, text)| Turn::Calls(calls, text)),
    ]
}

/// Returns the messages of a conversation, and for each the index of the first message of its group.
fn messages(turns: &[Turn]) -> (Vec<Message<'_>>, Vec<usize>) {
    let (mut messages, mut groups) = (Vec::new(), Vec::new());
    for turn in turns {
        let first = messages.len();
        match turn {
            Turn::System(text) => messages.push(Message::system(text)),
            Turn::User(text) => messages.push(Message::user(text)),
            Turn::Image(width, height) => {
                let image = Image::new(*width, *height, Detail::Auto);
                messages.push(Message::user([Part::text("See"), image.into()]));
            }
            Turn::Assistant(text) => messages.push(Message::assistant(text)),
            Turn::Calls(calls, text) => {
                let call = |i: usize| ToolCall::new(i.to_string(), "find", "{\"a\": 1}");
                messages
                    .push(Message::assistant(Content::none()).tool_calls((0..*calls).map(call)));
                let result = |i: usize| Message::tool(i.to_string(), text);
                messages.extend((0..*calls).map(result));
            }
        }
        groups.resize(messages.len(), first);
    }
    (messages, groups)
}

fn counter() -> Counter {
    Counter::for_model("gpt-4o").unwrap()
}

proptest! {
    #[test]
    fn parts_sum_to_the_total(turns in prop::collection::vec(turn(), 0..12), choice in 0..4_usize) {
        let (messages, _) = messages(&turns);
        let choice = [
            ToolChoice::Auto,
            ToolChoice::None,
            ToolChoice::Required,
            ToolChoice::Function("find".into()),
        ][choice].clone();
        let request = Request::new(messages).tools([Tool::function("find")]).tool_choice(choice);
        let tokens = counter().estimate(&request).unwrap();
        let parts = [tokens.tools, tokens.tool_choice, tokens.response_format, tokens.images, tokens.priming];
        prop_assert_eq!(tokens.total, tokens.messages.iter().chain(&parts).sum::<usize>());
    }

    #[test]
    fn what_fits_keeps_what_it_must(
        turns in prop::collection::vec(turn(), 0..16),
        budget in 0..600_usize,
        by_turn: bool,
    ) {
        let (messages, groups) = messages(&turns);
        let policy = if by_turn { Policy::OldestTurns } else { Policy::OldestMessages };
        let whole = counter().estimate(&Request::new(messages.clone())).unwrap().total;
        let must_stay: Vec<usize> = {
            let is_user = |at: usize| matches!(turns[at], Turn::User(_) | Turn::Image(..));
            let last = (0..turns.len()).rposition(is_user).unwrap_or(turns.len().saturating_sub(1));
            let mut starts = groups.clone();
            starts.dedup();
            (0..messages.len())
                .filter(|at| {
                    let turn = starts.iter().position(|start| *start == groups[*at]).unwrap();
                    turn >= last || matches!(turns[turn], Turn::System(_))
                })
                .collect()
        };
        let fitted = match counter().fit(messages.clone(), budget, policy) {
            Ok(fitted) => fitted,
            Err(error) => {
                prop_assert!(error.is_limit_too_small());
                let least: Vec<_> = must_stay.iter().map(|at| messages[*at].clone()).collect();
                prop_assert!(counter().estimate(&Request::new(least)).unwrap().total > budget);
                return Ok(());
            }
        };
        let recounted = counter().estimate(&Request::new(fitted.messages.clone())).unwrap();
        prop_assert_eq!(recounted.total, fitted.tokens.total);
        prop_assert_eq!(&recounted.exactness, &fitted.tokens.exactness);
        prop_assert_eq!(&recounted.messages, &fitted.tokens.messages);
        prop_assert!(fitted.tokens.total <= budget);
        prop_assert_eq!(fitted.dropped.is_empty(), whole <= budget);
        prop_assert_eq!(fitted.messages.len() + fitted.dropped.len(), messages.len());
        prop_assert!(must_stay.iter().all(|at| !fitted.dropped.contains(at)));
        // what belongs together goes together
        for (at, group) in groups.iter().enumerate() {
            prop_assert_eq!(fitted.dropped.contains(&at), fitted.dropped.contains(group));
        }
        // nothing goes that could have stayed: with the last that went, it would be too much
        if let (Some(last), Policy::OldestMessages) = (fitted.dropped.last(), policy) {
            let kept = (0..messages.len())
                .filter(|at| !fitted.dropped.contains(at) || groups[*at] == groups[*last]);
            let more: Vec<_> = kept.map(|at| messages[at].clone()).collect();
            prop_assert!(counter().estimate(&Request::new(more)).unwrap().total > budget);
        }
    }
}

#[test]
fn turns_go_as_a_whole() {
    let messages = [
        Message::developer("Be brief."),
        Message::user("One?"),
        Message::assistant("Two."),
        Message::assistant("Three."),
        Message::user("Four?"),
    ];
    let fit = |policy, budget| {
        let fitted = counter().fit(messages.clone(), budget, policy).unwrap();
        (fitted.dropped, fitted.tokens.total)
    };
    let whole = 3 + 7 + 6 + 6 + 6 + 6;
    assert_eq!(fit(Policy::OldestTurns, whole), (vec![], whole));
    assert_eq!(fit(Policy::OldestTurns, whole - 1), (vec![1, 2, 3], 16));
    assert_eq!(fit(Policy::OldestMessages, whole - 1), (vec![1], whole - 6));
    let error = counter()
        .fit(messages.clone(), 15, Policy::default())
        .unwrap_err();
    assert!(error.is_limit_too_small());
    assert!(error.to_string().contains("16 tokens"), "{error}");
}

#[test]
fn faults_have_their_places() {
    let messages = [Message::user("Hm."), Message::tool("c1", "done")];
    let error = counter().fit(messages, 0, Policy::default()).unwrap_err();
    assert!(error.is_invalid_chat());
    assert_eq!(error.path(), Some("messages[1].tool_call_id"));
}

#[test]
fn windows() {
    let request = Request::new([Message::user("word ".repeat(300_000))]);
    let left = |model| {
        Counter::for_model(model)
            .unwrap()
            .remaining(&request)
            .unwrap()
    };
    let total = |model| {
        let tokens = Counter::for_model(model).unwrap().count(&request).unwrap();
        i64::try_from(tokens.total).unwrap()
    };
    assert_eq!(left("gpt-4o"), Some(128_000 - total("gpt-4o")));
    // the window has room left, the limit of the input has not
    assert_eq!(left("gpt-5"), Some(272_000 - total("gpt-5")));
    assert_eq!(left("gpt-4.1"), Some(1_047_576 - total("gpt-4.1")));
    let unknown = Counter::new(Family::Modern, tiktally::o200k_base());
    assert_eq!(unknown.remaining(&request).unwrap(), None);
    let unsure = request.tools([Tool::function("find")]);
    let error = Counter::for_model("gpt-5")
        .unwrap()
        .remaining(&unsure)
        .unwrap_err();
    assert!(error.is_estimate_only());
}
