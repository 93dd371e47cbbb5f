//! What tools cost: their definitions, which the model sees as a namespace of TypeScript types, and the choice among
//! them.
//!
//! Two renderings: that of the models of June 2023, and a newer one. Both are facts about counts; section numbers are
//! those of the rules.
#![cfg_attr(not(feature = "json"), allow(dead_code))] // parameters are JSON

mod legacy;
mod modern;
mod schema;
mod writer;

use super::families::NO_TOOLS;
use super::path::Path;
use super::request::{Request, Tool, ToolChoice};
use super::tally::Tally;
use super::{Family, unsupported};
use crate::error::Error;
use writer::Writer;

/// About how long the text of a tool is, in bytes.
const TOOL: usize = 512;

/// How tools are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rendering {
    /// Section 3.1.
    Legacy,
    /// Section 3.2.
    Modern,
}

impl Tally<'_> {
    /// The definitions of the tools, and what they change at the first system message.
    pub(super) fn tools(&mut self, request: &Request<'_>) -> Result<usize, Error> {
        if request.tools.is_empty() {
            return Ok(0);
        }
        let rendering = match self.family {
            Family::Legacy0301 => return Err(unsupported("tools", NO_TOOLS)),
            Family::Legacy0613 => Rendering::Legacy,
            Family::Modern | Family::Reasoning => Rendering::Modern,
        };
        let mut text = String::with_capacity(TOOL * request.tools.len());
        render(request, rendering, &mut self.doubts, &mut text)?;
        let mut tokens = self.count(&text) + self.numbers.tools;
        if let Some((at, text_tokens)) = self.system {
            let text = request
                .messages
                .get(at)
                .and_then(|message| message.texts().last());
            // its line ends where it did not before
            tokens += self.count(&format!("{}\n", text.unwrap_or_default()));
            tokens -= self.numbers.system_saves + text_tokens;
        }
        if self.family == Family::Reasoning {
            self.doubt("the cost of tools with reasoning models changes without notice");
            let first = request.tools.first();
            let is_bare = first.is_some_and(Tool::is_bare);
            tokens += if is_bare {
                self.numbers.reasoning_bare
            } else {
                self.numbers.reasoning_tools
            };
        }
        Ok(tokens)
    }

    pub(super) fn tool_choice(&mut self, choice: &ToolChoice<'_>) -> usize {
        match choice {
            _ if self.family == Family::Reasoning => 0,
            ToolChoice::Auto => 0,
            ToolChoice::Required => {
                if self.is_legacy() {
                    self.doubt(
                        "no recording shows the cost of the choice `required` for this model",
                    );
                }
                0
            }
            ToolChoice::None => self.numbers.choice_none,
            ToolChoice::FunctionCall(name) => {
                if self.family != Family::Legacy0613 {
                    self.doubt(
                        "the choice of a function was recorded only for the models of June 2023",
                    );
                }
                self.numbers.choice_function + self.count(name)
            }
            ToolChoice::Function(name) => {
                if self.is_legacy() {
                    self.doubt(
                        "for this model, the choice of a function was recorded only in `function_call`",
                    );
                }
                self.numbers.choice_tool + self.count(name)
            }
        }
    }
}

/// Appends the namespace of all tools. What cannot be told for sure is noted in `doubts`.
fn render(
    request: &Request<'_>,
    rendering: Rendering,
    doubts: &mut Vec<String>,
    out: &mut String,
) -> Result<(), Error> {
    let mut writer = Writer::new(doubts, out);
    writer.write(&["namespace functions {\n\n"]);
    let (functions, tools) = (Path::Root.key("functions"), Path::Root.key("tools"));
    for (i, tool) in request.tools.iter().enumerate() {
        let (older, newer) = (functions.at(i), tools.at(i));
        let newer = newer.key("function");
        let at = if request.are_functions { older } else { newer };
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
        let (mut doubts, mut text) = (Vec::new(), String::new());
        render(&request, rendering, &mut doubts, &mut text).unwrap();
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
