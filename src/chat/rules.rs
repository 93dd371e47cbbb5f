//! The rules that a count can use, and the recordings that show each of them.
//!
//! `data/chat_evidence.tsv` says how many recorded requests were counted as they were billed with each rule, by group of
//! models and API. A count is exact only if every rule that it used has at least [`ENOUGH`] of them.

use std::fmt;
use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::Api;

/// A rule that a count used, and the recorded requests that show it.
///
/// ```
/// use tiktally::chat::{Counter, Message, Request};
///
/// # #[cfg(feature = "o200k_base")] {
/// let tokens = Counter::for_model("gpt-4o")?.count(&Request::new([Message::user("Hello!")]))?;
/// assert_eq!((tokens.rules[0].name, tokens.rules[0].models), ("messages", "gpt-4o"));
/// assert!(tokens.rules[0].recordings > 100);
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RuleUse {
    /// The name of the rule in the table of the [page](super).
    pub name: &'static str,
    /// The group of models whose recordings count, by the name of one of them.
    pub models: &'static str,
    /// The API whose recordings count.
    pub api: Api,
    /// How many recorded requests of these models and this API use the rule and were counted as they were billed.
    pub recordings: usize,
    /// How many of them that use the rule were billed otherwise, for this reason or for another one.
    pub others: usize,
    /// The day of the first of them that were billed so, an ISO date; empty without any, or if no recording has a date.
    pub first: &'static str,
    /// The day of the last of them.
    pub last: &'static str,
}

impl RuleUse {
    /// Returns whether the recordings are enough for an exact count: at least three, and hardly any that were billed
    /// otherwise.
    pub fn is_sure(&self) -> bool {
        self.recordings >= ENOUGH && self.recordings >= MAJORITY * self.others
    }
}

/// How many recordings make a rule sure, for a group of models and an API.
const ENOUGH: usize = 3;

/// How many times as many recordings must be for a rule as were billed otherwise. Nearly every rule has some that no rule
/// explains: a usage that was made up, a prompt that was changed.
const MAJORITY: usize = 5;

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $rule:ident $name:literal;)*) => {
        /// A rule that a count used.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Rule {
            $($(#[doc = $doc])+ $rule,)*
        }

        impl Rule {
            const ALL: &[Self] = &[$(Self::$rule),*];

            /// Returns the name in the table of evidence.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$rule => $name,)*
                }
            }
        }
    };
}

rules! {
    /// Frames of messages, and the tokens that open the answer.
    Messages "messages";
    /// A name beside the role.
    Name "name";
    /// Texts next to each other in one message are joined.
    Parts "text parts";
    /// A text of the assistant in the history of a reasoning model.
    Answer "answer in the history";
    /// A call of a function, before there were tools.
    FunctionCall "function_call";
    /// The message with the result of such a function.
    FunctionResult "function message";
    /// The text of tools.
    Tools "tools";
    /// Tools join a system message that comes first.
    ToolsSystem "tools, system message first";
    /// A tool's property with a title.
    Title "title";
    /// A tool's property with a title and a description.
    TitleAndDescription "title and description";
    /// A tool's property with `anyOf`.
    AnyOf "anyOf";
    /// A tool's property with variants that have comments.
    AnyOfComments "anyOf, with comments";
    /// A tool's property with a list of types.
    TypeList "list of types";
    /// A tool's property with a list of types, each with the description: until 2026.
    TypeListComments "list of types, with comments";
    /// A tool's array of items with comments.
    CommentedItems "items with comments";
    /// A tool's object without properties.
    EmptyObject "object without properties";
    /// A tool's property with a default.
    Default "default";
    /// A tool's property with a default beside an `enum`.
    DefaultOfEnum "default of an enum";
    /// A reference to a definition.
    Reference "$ref";
    /// A description of all parameters.
    ParametersDescription "description of the parameters";
    /// The choice of no tool.
    ChoiceNone "tool_choice none";
    /// The choice of any tool.
    ChoiceRequired "tool_choice required";
    /// The choice of one tool.
    ChoiceNamed "tool_choice named";
    /// The choice of one function, before there were tools.
    ChoiceFunction "function_call named";
    /// The choice among some of the tools.
    ChoiceAllowed "tool_choice allowed_tools";
    /// A call of a tool and its result.
    Call "call";
    /// A call whose arguments are a list, as some clients send an empty object.
    CallList "call with a list";
    /// A text beside a call in one message.
    CallWithText "text beside a call";
    /// Several calls in one message.
    Parallel "parallel calls";
    /// Results of parallel calls that are not all ASCII.
    ParallelNonAscii "parallel calls, not ASCII";
    /// Such results until March 2026, when they were escaped.
    ParallelEscaped "parallel calls, escaped";
    /// A call that was sent back with the `id` of its item.
    CallId "call with an id";
    /// The reasoning before a plain answer.
    ReasoningItem "reasoning item";
    /// A schema of the answer.
    Schema "json_schema";
    /// A schema that joins a system message.
    SchemaSystem "json_schema, system message first";
    /// A schema beside tools.
    SchemaTools "json_schema, tools";
    /// An answer in the history beside a schema.
    SchemaAnswer "json_schema, answer in the history";
    /// An image.
    Image "image";
    /// An image of a patch model in chat completions, until June 2026.
    ImageEarlier "image, until June 2026";
    /// An image beside tool calls.
    ImageCall "image beside calls";
    /// A message that begins with an image.
    ImageFirst "image before the text";
    /// The first weeks of the Responses API.
    FirstWeeks "first weeks";
}

/// A set of rules, a bit for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct RuleSet(u64);

impl RuleSet {
    pub(crate) fn insert(&mut self, rule: Rule) {
        self.0 |= 1 << rule as u32;
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(crate) fn contains(self, rule: Rule) -> bool {
        self.0 & 1 << rule as u32 != 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Rule> {
        let all = Rule::ALL.iter().copied();
        all.filter(move |rule| self.contains(*rule))
    }
}

impl Rule {
    /// Returns whether the rule is about images, whose recordings count for each model by itself.
    pub(crate) fn is_of_image(self) -> bool {
        matches!(
            self,
            Self::Image | Self::ImageEarlier | Self::ImageCall | Self::ImageFirst
        )
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The table: rule, models, API, recordings that were billed so, others, first and last day.
const TABLE: &str = include_str!("../../data/chat_evidence.tsv");

/// The models whose names a recorded request has are rows of this name in the table.
const MODEL: &str = "model";

/// The rows of the table by their first three fields. Read once, since it is asked for at each count.
fn rows() -> &'static FxHashMap<[&'static str; 3], [&'static str; 4]> {
    static ROWS: OnceLock<FxHashMap<[&str; 3], [&str; 4]>> = OnceLock::new();
    ROWS.get_or_init(|| {
        TABLE
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(row)
            .collect()
    })
}

fn row(line: &'static str) -> Option<([&'static str; 3], [&'static str; 4])> {
    let mut fields = line.split('\t');
    let mut next = || fields.next();
    Some((
        [next()?, next()?, next()?],
        [next()?, next()?, next()?, next()?],
    ))
}

/// Returns a rule with what recordings say of it for a group of models and an API.
pub(crate) fn evidence(rule: Rule, models: &'static str, api: Api) -> RuleUse {
    let name = rule.name();
    let found = rows().get(&[name, models, api.name()]);
    let [recordings, others, first, last] = found.copied().unwrap_or_default();
    RuleUse {
        name,
        models,
        api,
        recordings: recordings.parse().unwrap_or(0),
        others: others.parse().unwrap_or(0),
        first,
        last,
    }
}

/// Returns whether a recorded request names this model, or was answered by it.
pub(crate) fn is_recorded(model: &str) -> bool {
    rows().contains_key(&[MODEL, model, ""])
}
