//! The tools of the measured chat requests.

use tiktally::chat::Tool;

pub(crate) const PARAMETERS: &str = r#"{
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "The city and the country"},
        "days": {"type": "integer", "description": "How many days ahead"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}
    },
    "required": ["city"]
}"#;

pub(crate) const DESCRIPTION: &str = "Looks up what the weather is or was like";

pub(crate) const NAMES: [&str; 5] = ["forecast", "history", "alerts", "compare", "records"];

pub(crate) fn tools() -> [Tool<'static>; 5] {
    NAMES.map(|name| {
        let tool = Tool::function(name).description(DESCRIPTION);
        tool.parameters_json(PARAMETERS).unwrap()
    })
}
