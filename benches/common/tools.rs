//! The tools of the measured chat requests, and their raw bodies.

use serde_json::{Value, json};
use tiktally::chat::Tool;

const PARAMETERS: &str = r#"{
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "The city and the country"},
        "days": {"type": "integer", "description": "How many days ahead"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}
    },
    "required": ["city"]
}"#;

const DESCRIPTION: &str = "Looks up what the weather is or was like";

const NAMES: [&str; 5] = ["forecast", "history", "alerts", "compare", "records"];

pub(crate) fn tools() -> [Tool<'static>; 5] {
    NAMES.map(|name| {
        let tool = Tool::function(name).description(DESCRIPTION);
        tool.parameters_json(PARAMETERS).unwrap()
    })
}

/// Returns a raw body with the tools and these messages, each a role and a text. `key` decides the API: `messages` or
/// `input`.
pub(crate) fn body<'m>(
    key: &str,
    messages: impl IntoIterator<Item = (&'m str, &'m str)>,
) -> String {
    let messages = messages.into_iter();
    let messages: Value = messages
        .map(|(role, content)| json!({"role": role, "content": content}))
        .collect();
    json!({key: messages, "tools": raw_tools(key == "input")}).to_string()
}

/// Returns the tools as a body has them: those of the Responses API have no object around their keys.
fn raw_tools(is_responses: bool) -> Vec<Value> {
    let parameters: Value = serde_json::from_str(PARAMETERS).unwrap();
    let tool = |name| {
        let mut function = json!({
            "name": name, "description": DESCRIPTION, "parameters": parameters,
        });
        if is_responses {
            function["type"] = "function".into();
            return function;
        }
        json!({"type": "function", "function": function})
    };
    NAMES.map(tool).to_vec()
}
