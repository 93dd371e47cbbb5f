//! The cost of tools (section 3 of page.md): their definitions, which the model sees as a namespace of TypeScript
//! types, and the choice among them.
//!
//! There are two renderings: that of the models of June 2023, and a newer one. Both are facts about counts. Section
//! numbers are those of page.md.
#![cfg_attr(not(feature = "json"), allow(dead_code))] // parameters are JSON

mod legacy;
mod modern;
mod schema;
mod writer;

use super::Family;
use super::api::{Api, Day};
use super::families::NO_TOOLS;
use super::path::Path;
use super::request::{Request, Tool, ToolChoice};
use super::rules::Rule;
use super::tally::Tally;
use crate::error::Error;
use writer::Writer;

/// The expected length of the text of a tool, in bytes: a capacity, not a limit.
const TOOL: usize = 512;

/// The form in which tools are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rendering {
    /// The form of the models of June 2023 (section 3.1).
    Legacy,
    /// The form of later models (section 3.2).
    Modern,
}

impl Tally<'_> {
    /// Counts the definitions of the tools, with their effect on a system message that comes first (sections 3 and
    /// 3.5).
    pub(super) fn tools(&mut self, request: &Request<'_>) -> Result<usize, Error> {
        if request.tools.is_empty() {
            return Ok(0);
        }
        self.uses(Rule::Tools);
        let rendering = match self.family {
            Family::Legacy0301 => {
                self.unpriced.note("tools", NO_TOOLS)?;
                return Ok(0);
            }
            Family::Legacy0613 => Rendering::Legacy,
            Family::Modern | Family::Reasoning => Rendering::Modern,
        };
        let text = self.text_of_tools(request, rendering)?;
        let around = self.around_tools(request);
        Ok(self.count(&text) + around)
    }

    /// Writes the tools as the model sees them.
    fn text_of_tools(
        &mut self,
        request: &Request<'_>,
        rendering: Rendering,
    ) -> Result<String, Error> {
        let mut text = String::with_capacity(TOOL * request.tools.len());
        let is_since = self.is_since(LIST_OF_TYPES_SINCE);
        let mut writer = Writer::new(&mut self.doubts, &mut self.rules, &mut text);
        writer.is_type_list_plain = is_since;
        render(request, rendering, writer)?;
        if self.rules.contains(Rule::TypeListComments)
            && self.is_between(LIST_OF_TYPES_UNTIL, LIST_OF_TYPES_SINCE)
        {
            self.doubt(
                "how a list of types is written changed on a day between April and August 2026 that no recording shows",
            );
        }
        Ok(text)
    }

    /// Returns the tokens around the text of the tools (sections 3.1, 3.5 and 3.9).
    fn around_tools(&mut self, request: &Request<'_>) -> usize {
        let has_description = request.tools.first().is_some_and(Tool::has_description);
        let description = match self.family {
            Family::Reasoning if has_description => self.numbers.reasoning_description,
            _ => 0,
        };
        if self.is_responses() {
            return self.tools_responses(description);
        }
        let system = self.first_system(&request.messages);
        let mut frame = self.numbers.tools;
        if let Some(system) = &system {
            self.uses(Rule::ToolsSystem);
            frame = self.numbers.tools - self.numbers.system_saves;
            frame = self.plus_after(frame, system, "\n\n");
        }
        let heading = if system.is_some() {
            self.numbers.reasoning_heading
        } else {
            0
        };
        match self.group {
            "o3-mini" => frame + self.numbers.o3_mini_tools,
            _ if self.family == Family::Reasoning => {
                frame + self.numbers.reasoning_tools + description + heading
            }
            _ => frame,
        }
    }

    /// Returns the tokens around the tools in the Responses API, where tools have a message of their own (section 3.9).
    fn tools_responses(&self, description: usize) -> usize {
        match self.family {
            Family::Reasoning => self.numbers.tools_responses_reasoning + description,
            _ => self.numbers.tools_responses,
        }
    }

    /// Counts the choice among the tools (sections 3.1 and 3.2).
    pub(super) fn tool_choice(&mut self, request: &Request<'_>) -> usize {
        let (rule, tokens) = match &request.tool_choice {
            ToolChoice::Auto => return 0,
            ToolChoice::None => (Rule::ChoiceNone, self.numbers.choice_none),
            ToolChoice::Required => (Rule::ChoiceRequired, self.required(request)),
            ToolChoice::Allowed => (Rule::ChoiceAllowed, 0),
            ToolChoice::FunctionCall(name) => (
                Rule::ChoiceFunction,
                self.numbers.choice_function + self.count_function(name),
            ),
            ToolChoice::Function(name) => (Rule::ChoiceNamed, self.named(name)),
        };
        self.uses(rule);
        match self.family {
            Family::Reasoning | Family::Legacy0301 => 0,
            _ => tokens,
        }
    }

    /// Counts the choice of one tool or function.
    fn named(&self, name: &str) -> usize {
        let frame = if self.is_legacy() {
            self.numbers.choice_function
        } else {
            self.numbers.choice_tool
        };
        frame + self.count_function(name)
    }

    /// Counts the choice `required`. In the Responses API, it names the only tool of a request (section 3.9).
    fn required(&self, request: &Request<'_>) -> usize {
        match request.tools.as_slice() {
            // tools that are not functions may follow, of which nothing is known
            [only] if self.is_responses() && request.tool_places.is_empty() => {
                self.named(&only.name)
            }
            _ => 0,
        }
    }
}

/// The first day on which a list of types was recorded as plain types with bars between them (section 3.2). Until March
/// 2026, each type carried the comment of the property.
const LIST_OF_TYPES_SINCE: Day = Day::new(2026, 8, 2);

/// The first month without recordings before it.
const LIST_OF_TYPES_UNTIL: Day = Day::new(2026, 4, 1);

/// Appends the namespace of all tools.
fn render<'w>(
    request: &'w Request<'_>,
    rendering: Rendering,
    mut writer: Writer<'w, '_>,
) -> Result<(), Error> {
    writer.write(&["namespace functions {\n\n"]);
    let (functions, tools) = (Path::Root.key("functions"), Path::Root.key("tools"));
    for (i, tool) in request.tools.iter().enumerate() {
        let i = request.tool_places.get(i).copied().unwrap_or(i);
        let (older, newer) = (functions.at(i), tools.at(i));
        let inner = newer.key("function");
        let at = match request.api {
            // there a tool is its function
            Api::Responses => newer,
            Api::ChatCompletions if request.are_functions => older,
            Api::ChatCompletions => inner,
        };
        match rendering {
            Rendering::Legacy => writer.legacy(&at.key("parameters"), tool)?,
            Rendering::Modern => writer.modern(&at.key("parameters"), tool)?,
        }
        writer.write(&["\n"]);
    }
    writer.write(&["} // namespace functions"]);
    Ok(())
}

#[cfg(all(test, feature = "json"))]
mod tests {
    use super::*;
    use crate::chat::rules::RuleSet;

    const SCHEMA: &str = r##"{
        "type": "object",
        "properties": {
            "who": {"type": "object", "properties": {
                "name": {"type": "string", "description": "In full"},
                "born": {"type": "object", "properties": {"year": {"type": "integer"}}}
            }, "required": ["name"]},
            "unit": {"type": "string", "enum": ["c", "f"], "description": " One\nof two "},
            "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}, "default": []}
        },
        "required": ["who"],
        "$defs": {"tag": {"anyOf": [{"type": "string"}, {"type": "null"}]}}
    }"##;

    /// The text of both tools, with the lines that differ between the renderings.
    fn text(comments_and_objects: &str, tags: &str) -> String {
        format!(
            "\
namespace functions {{

// Answers
type ping = () => any;

type find = (_: {{
{comments_and_objects}
unit?: \"c\" | \"f\",
tags?: string | null[],{tags}
}}) => any;

}} // namespace functions"
        )
    }

    fn rendered(rendering: Rendering) -> (String, Vec<String>) {
        let request = Request::new([]).tools([
            Tool::function("ping").description("Answers"),
            Tool::function("find").parameters_json(SCHEMA).unwrap(),
        ]);
        let (mut doubts, mut rules, mut text) = (Vec::new(), RuleSet::default(), String::new());
        let writer = Writer::new(&mut doubts, &mut rules, &mut text);
        render(&request, rendering, writer).unwrap();
        (text, doubts)
    }

    #[test]
    fn legacy_text() {
        let comments_and_objects = "\
who: {
  name: string,
  born?: {
    year?: number,
},
},
// One
of two";
        let expected = text(comments_and_objects, "");
        assert_eq!(rendered(Rendering::Legacy), (expected, Vec::new()));
    }

    #[test]
    fn modern_text() {
        let comments_and_objects = "\
who: {
// In full
name: string,
born?: { year?: number },
},
// One
// of two";
        let expected = text(comments_and_objects, " // default: []");
        assert_eq!(rendered(Rendering::Modern), (expected, Vec::new()));
    }
}
