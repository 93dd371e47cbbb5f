//! The rules that a count can use, and the recordings that show each of them.
//!
//! `data/chat_evidence.tsv` has the number of recorded requests that each rule counts as they were billed, by group of
//! models and API. A count is exact only if every rule that it used has at least [`ENOUGH`] of them. Section numbers
//! are those of page.md.

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
    /// The number of recorded requests of these models and this API that use the rule and were billed as counted.
    pub recordings: usize,
    /// The number of such requests that were billed otherwise, because of this rule or for another reason.
    pub others: usize,
    /// The day of the first request that was billed as counted, an ISO date. Empty if no such request has a date.
    pub first: &'static str,
    /// The day of the last such request, or empty.
    pub last: &'static str,
}

impl RuleUse {
    /// Returns whether the recordings are enough for an exact count: at least three, and hardly any that were billed
    /// otherwise.
    pub fn is_sure(&self) -> bool {
        self.recordings >= ENOUGH && self.recordings >= MAJORITY * self.others
    }
}

/// The number of recordings that make a rule sure, for a group of models and an API.
const ENOUGH: usize = 3;

/// The smallest ratio of recordings billed as counted to recordings billed otherwise that makes a rule sure. Nearly
/// every rule has some recordings that no rule explains: the usage was made up, or the prompt was changed.
const MAJORITY: usize = 5;

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $rule:ident $name:literal;)*) => {
        /// A rule that a count used.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Rule {
            $($(#[doc = $doc])+ $rule,)*
        }

        impl Rule {
            /// All rules, in the order of their bits in a [`RuleSet`].
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
    /// Frames of messages, and the tokens that open the answer (section 1).
    Messages "messages";
    /// A name beside the role (section 1).
    Name "name";
    /// Texts next to each other in one message are joined (section 1).
    Parts "text parts";
    /// A text of the assistant in the history of a reasoning model (section 1).
    Answer "answer in the history";
    /// A call of a function, in the form that preceded tools.
    FunctionCall "function_call";
    /// The message with the result of such a function.
    FunctionResult "function message";
    /// The text of tools (section 3).
    Tools "tools";
    /// Tools join a system message that comes first (section 3).
    ToolsSystem "tools, system message first";
    /// A tool's property with a title (section 3.2).
    Title "title";
    /// A tool's property with a title and a description (section 3.2).
    TitleAndDescription "title and description";
    /// A tool's property with `anyOf` (section 3.2).
    AnyOf "anyOf";
    /// A tool's property with variants that have comments (section 3.2).
    AnyOfComments "anyOf, with comments";
    /// A tool's property with a list of types (section 3.2).
    TypeList "list of types";
    /// A tool's property with a list of types, each with the description, until 2026 (section 3.2).
    TypeListComments "list of types, with comments";
    /// A tool's array of items with comments (section 3.2).
    CommentedItems "items with comments";
    /// A tool's object without properties (section 3.2).
    EmptyObject "object without properties";
    /// A tool's property with a default (section 3.2).
    Default "default";
    /// A tool's property with a default beside an `enum` (section 3.2).
    DefaultOfEnum "default of an enum";
    /// A reference to a definition.
    Reference "$ref";
    /// A description of all parameters (section 3.2).
    ParametersDescription "description of the parameters";
    /// The choice of no tool (sections 3.1 and 3.2).
    ChoiceNone "tool_choice none";
    /// The choice of any tool (sections 3.2 and 3.9).
    ChoiceRequired "tool_choice required";
    /// The choice of one tool (sections 3.1 and 3.2).
    ChoiceNamed "tool_choice named";
    /// The choice of one function, in the form that preceded tools (section 3.1).
    ChoiceFunction "function_call named";
    /// The choice among some of the tools (section 3.2).
    ChoiceAllowed "tool_choice allowed_tools";
    /// A call of a tool and its result (section 3.4).
    Call "call";
    /// A call whose arguments are a list, because some clients send `[]` for an empty object.
    CallList "call with a list";
    /// A text beside a call in one message.
    CallWithText "text beside a call";
    /// Several calls in one message (section 3.4).
    Parallel "parallel calls";
    /// Results of parallel calls that are not all ASCII (section 3.4).
    ParallelNonAscii "parallel calls, not ASCII";
    /// Such results, escaped as they were until March 2026 (section 3.4).
    ParallelEscaped "parallel calls, escaped";
    /// A call that was sent back with the `id` of its item (section 3.9).
    CallId "call with an id";
    /// The reasoning before a plain answer (section 3.9).
    ReasoningItem "reasoning item";
    /// A schema of the answer (section 3.6).
    Schema "json_schema";
    /// A schema that joins a system message (section 3.6).
    SchemaSystem "json_schema, system message first";
    /// A schema beside tools (section 3.6).
    SchemaTools "json_schema, tools";
    /// An answer in the history beside a schema (section 3.6).
    SchemaAnswer "json_schema, answer in the history";
    /// An image (section 4).
    Image "image";
    /// An image of a patch model in chat completions, until June 2026 (section 4).
    ImageEarlier "image, until June 2026";
    /// An image beside tool calls.
    ImageCall "image beside calls";
    /// A message that begins with an image (section 4).
    ImageFirst "image before the text";
    /// The tokens that the Responses API added in its first weeks (section 3.9).
    FirstWeeks "first weeks";
}

/// A set of rules, a bit for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct RuleSet(u64);

impl RuleSet {
    /// Adds a rule.
    pub(crate) fn insert(&mut self, rule: Rule) {
        self.0 |= 1 << rule as u32;
    }

    /// Adds all rules of another set.
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
    /// Returns whether the rule is about images, which have recordings of their own for each model.
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

/// The table: rule, models, API, recordings billed as counted, recordings billed otherwise, first and last day.
const TABLE: &str = include_str!("../../data/chat_evidence.tsv");

/// The rule name of the rows that list the models of recorded requests.
const MODEL: &str = "model";

/// The numbers and days of a row of the table, in its order: recordings, others, first, last.
#[derive(Debug, Clone, Copy, Default)]
struct Row {
    recordings: usize,
    others: usize,
    first: &'static str,
    last: &'static str,
}

/// Returns the rows of the table by their first three fields. The table is read once, because each count needs it.
fn rows() -> &'static FxHashMap<[&'static str; 3], Row> {
    static ROWS: OnceLock<FxHashMap<[&str; 3], Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        TABLE
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(row)
            .collect()
    })
}

/// Splits a line of the table into its first three fields and the rest.
fn row(line: &'static str) -> Option<([&'static str; 3], Row)> {
    let mut fields = line.split('\t');
    let mut next = || fields.next();
    let key = [next()?, next()?, next()?];
    let row = Row {
        recordings: next()?.parse().ok()?,
        others: next()?.parse().ok()?,
        first: next()?,
        last: next()?,
    };
    Some((key, row))
}

/// Returns a rule with its row of the table for a group of models and an API; without a row, all numbers are 0.
pub(crate) fn evidence(rule: Rule, models: &'static str, api: Api) -> RuleUse {
    let name = rule.name();
    let found = rows().get(&[name, models, api.name()]);
    let Row {
        recordings,
        others,
        first,
        last,
    } = found.copied().unwrap_or_default();
    RuleUse {
        name,
        models,
        api,
        recordings,
        others,
        first,
        last,
    }
}

/// Returns whether a recorded request names this model or was answered by it.
pub(crate) fn is_recorded(model: &str) -> bool {
    rows().contains_key(&[MODEL, model, ""])
}
