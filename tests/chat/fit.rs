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
    let unsure = Counter::for_model("gpt-4o-2027-01-01").unwrap();
    let error = unsure.remaining(&request).unwrap_err();
    assert!(error.is_estimate_only());
}

/// A message or item as JSON, and whether it begins what goes as one.
type Entry = (String, bool);

/// Returns the entries of a body of one of the APIs with these turns.
fn entries(turns: &[Turn], is_responses: bool) -> Vec<Entry> {
    let mut entries = Vec::new();
    let text = |text: &str| serde_json::to_string(text).unwrap();
    for turn in turns {
        let (role, content) = match turn {
            Turn::System(said) => ("system", text(said)),
            Turn::User(said) => ("user", text(said)),
            Turn::Assistant(said) => {
                if is_responses && said.len() % 2 == 0 {
                    let item = r#"{"type": "reasoning", "summary": [], "id": "rs_[1]"}"#;
                    entries.push((item.to_owned(), true));
                    entries.push((
                        format!(r#"{{"role": "assistant", "content": {}}}"#, text(said)),
                        false,
                    ));
                    continue;
                }
                ("assistant", text(said))
            }
            Turn::Image(..) => {
                let (kind, key) = if is_responses {
                    (
                        "input_text",
                        r#"{"type": "input_image", "image_url": "https://example.com/}]"}"#,
                    )
                } else {
                    (
                        "text",
                        r#"{"type": "image_url", "image_url": {"url": "https://example.com/}]"}}"#,
                    )
                };
                (
                    "user",
                    format!(r#"[{{"type": "{kind}", "text": "See"}}, {key}]"#),
                )
            }
            Turn::Calls(calls, said) if is_responses => {
                let after_calls = entries
                    .last()
                    .is_some_and(|(entry, _): &Entry| entry.contains("function_call_output"));
                for i in 0..*calls {
                    let item = format!(
                        r#"{{"type": "function_call", "call_id": "{i}", "name": "find", "arguments": "{{\"a\": 1}}"}}"#
                    );
                    entries.push((item, i == 0 && !after_calls));
                }
                for i in 0..*calls {
                    let item = format!(
                        r#"{{"type": "function_call_output", "call_id": "{i}", "output": {}}}"#,
                        text(said)
                    );
                    entries.push((item, false));
                }
                continue;
            }
            Turn::Calls(calls, said) => {
                let call = |i: usize| {
                    format!(
                        r#"{{"id": "{i}", "type": "function", "function": {{"name": "find", "arguments": "{{\"a\": 1}}"}}}}"#
                    )
                };
                let list: Vec<String> = (0..*calls).map(call).collect();
                entries.push((
                    format!(
                        r#"{{"role": "assistant", "content": null, "tool_calls": [{}]}}"#,
                        list.join(",")
                    ),
                    true,
                ));
                for i in 0..*calls {
                    entries.push((
                        format!(
                            r#"{{"role": "tool", "tool_call_id": "{i}", "content": {}}}"#,
                            text(said)
                        ),
                        false,
                    ));
                }
                continue;
            }
        };
        entries.push((
            format!(r#"{{"role": "{role}", "content": {content}}}"#),
            true,
        ));
    }
    entries
}

/// Returns a body with these entries; its keys stand around them.
fn body(entries: &[String], is_responses: bool) -> String {
    let list = entries.join(" ,\n ");
    if is_responses {
        return format!(
            r#"{{ "store":false, "instructions": "Be brief.", "input" : [ {list} ],"tools":[{{"type":"function","name":"find"}}],  "metadata":{{"input":[1,2]}}}}"#
        );
    }
    format!(
        r#"{{ "seed":1e0, "messages" : [ {list} ],"tools":[{{"type":"function","function":{{"name":"find"}}}}],  "metadata":{{"messages":[1,2]}},
        "response_format": {{"type": "json_schema", "json_schema": {{"name": "found", "schema": {{"type": "object", "properties": {{}}}}}}}}}}"#
    )
}

proptest! {
    #[test]
    fn bodies_that_fit_keep_what_they_must(
        turns in prop::collection::vec(turn(), 1..16),
        budget in 0..700_usize,
        by_turn: bool,
        is_responses: bool,
        model in 0..3_usize,
    ) {
        let model = ["gpt-4o", "gpt-5-mini", "gpt-4.1"][model];
        let counter = Counter::for_model(model).unwrap().with_image_sizes(|_| Some((300, 200)));
        let policy = if by_turn { Policy::OldestTurns } else { Policy::OldestMessages };
        let entries = entries(&turns, is_responses);
        let texts: Vec<String> = entries.iter().map(|(text, _)| text.clone()).collect();
        let sent = body(&texts, is_responses);
        let whole = counter.estimate_json(&sent).unwrap();
        let is_user = |text: &String| text.contains(r#""role": "user""#);
        let mut last = texts.iter().rposition(is_user).unwrap_or(texts.len() - 1);
        while !entries[last].1 {
            last -= 1;
        }
        let must_stay = |at: usize| at >= last || texts[at].contains(r#""role": "system""#);
        let with = |kept: &dyn Fn(usize) -> bool| {
            let kept = (0..texts.len()).filter(|at| kept(*at)).map(|at| texts[at].clone());
            body(&kept.collect::<Vec<_>>(), is_responses)
        };
        let fitted = match counter.fit_json(&sent, budget, policy) {
            Ok(fitted) => fitted,
            Err(error) => {
                prop_assert!(error.is_limit_too_small());
                let least = counter.estimate_json(&with(&must_stay)).unwrap().total;
                prop_assert!(least > budget);
                let needed = format!("{least} tokens");
                prop_assert!(error.to_string().contains(&needed));
                return Ok(());
            }
        };
        // the body has the rest as it was sent
        let is_dropped = |at: usize| fitted.dropped.contains(&at);
        prop_assert_eq!(&fitted.body, &with(&|at| !is_dropped(at)));
        prop_assert_eq!(&counter.estimate_json(&fitted.body).unwrap(), &fitted.tokens);
        prop_assert!(fitted.tokens.total <= budget);
        prop_assert_eq!(fitted.dropped.is_empty(), whole.total <= budget);
        prop_assert!(fitted.dropped.is_sorted_by(|a, b| a < b));
        prop_assert!(!(0..texts.len()).any(|at| is_dropped(at) && must_stay(at)));
        // what belongs together goes together
        for at in 1..entries.len() {
            prop_assert!(entries[at].1 || is_dropped(at) == is_dropped(at - 1));
        }
        // nothing goes that could have stayed
        if let (Some(dropped), Policy::OldestMessages) = (fitted.dropped.last(), policy) {
            let mut first = *dropped;
            while !entries[first].1 {
                first -= 1;
            }
            let more = counter.estimate_json(&with(&|at| !is_dropped(at) || at >= first)).unwrap();
            prop_assert!(more.total > budget);
        }
    }
}

#[test]
fn bodies_without_messages_to_drop() {
    let fit = |body: &str, budget| counter().fit_json(body, budget, Policy::default());
    let body = r#"{"input": "Hello!", "instructions": "Be brief."}"#;
    let fitted = fit(body, 16).unwrap();
    assert_eq!((fitted.body.as_str(), fitted.tokens.total), (body, 16));
    let error = fit(body, 15).unwrap_err();
    assert!(error.is_limit_too_small());
    assert!(error.to_string().contains("16 tokens"), "{error}");
    for body in [r#"{"prompt": "Hello!"}"#, "{}"] {
        assert!(fit(body, 100).unwrap_err().is_invalid_chat());
    }
    let body = r#"{"messages": [{"role": "user", "content": [{"type": "file"}]}]}"#;
    assert!(fit(body, 100).unwrap_err().is_unsupported_content());
}

/// A system message that comes first after the cut changes what tools cost.
#[test]
fn a_later_system_message_comes_first() {
    let body = r#"{"messages": [{"role": "user", "content": "One?"}, {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Two?"}], "tools": [{"type": "function", "function": {"name": "ping"}}]}"#;
    let cut = r#"{"messages": [{"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Two?"}], "tools": [{"type": "function", "function": {"name": "ping"}}]}"#;
    let total = counter().count_json(cut).unwrap().total;
    let fitted = counter().fit_json(body, total, Policy::default()).unwrap();
    assert_eq!((fitted.body.as_str(), fitted.tokens.total), (cut, total));
    assert!(
        counter()
            .fit_json(body, total - 1, Policy::default())
            .is_err()
    );
}

/// A cut reads a body a few times, not once for each message.
#[test]
fn long_bodies() {
    let message = r#"{"role": "assistant", "content": "a"}"#;
    let messages = vec![message; 50_000].join(",");
    let body = format!(r#"{{"messages": [{messages}, {{"role": "user", "content": "Hm."}}]}}"#);
    let fitted = counter().fit_json(&body, 1000, Policy::default()).unwrap();
    assert_eq!(fitted.dropped.len(), 50_000 - (1000 - 9) / 5);
}

/// gpt-5-mini bills an image beside calls with one token more.
#[test]
fn images_cost_less_when_the_calls_are_gone() {
    let call = ToolCall::new("a", "find", "{}");
    let messages = [
        Message::assistant(Content::none()).tool_calls([call]),
        Message::tool("a", "Nothing."),
        Message::user([Part::text("See"), Image::new(64, 64, Detail::Auto).into()]),
    ];
    let counter = Counter::for_model("gpt-5-mini").unwrap();
    let whole = counter.estimate(&Request::new(messages.clone())).unwrap();
    let budget = whole.total - 1;
    let fitted = counter.fit(messages, budget, Policy::default()).unwrap();
    assert_eq!(fitted.dropped, [0, 1]);
    let again = counter.estimate(&Request::new(fitted.messages)).unwrap();
    assert_eq!(again, fitted.tokens);
    assert_eq!(again.images + 1, whole.images);
}
