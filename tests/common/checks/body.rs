//! Bodies of chat requests from the bytes of a fuzzer.
//!
//! Random bytes are rarely a valid request. So they can also choose known keys and words and put them where they belong,
//! or now and then where they do not.

use serde_json::Value;

use super::input::Input;

/// Returns the bytes as a body, or, if they cannot begin a JSON object, a body that they choose.
pub(crate) fn of(bytes: &[u8]) -> String {
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    if let [] | [b'{' | b'[' | b'"' | b' ' | b'\n', ..] = text {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let (input, json) = (Input::new(bytes), String::new());
    let mut writer = Writer { input, json };
    if writer.input.byte() > 240 {
        writer.json.push('\u{feff}');
    }
    writer.value(&BODY);
    writer.json
}

/// The kind of value that may be at a place.
enum Kind {
    Any,
    /// One of these; a kind that is here more often is chosen more often.
    Or(&'static [&'static Kind]),
    Word(&'static [&'static str]),
    /// JSON as it stands.
    Raw(&'static [&'static str]),
    Text,
    /// The URL of an image that is a PNG of any size.
    Image,
    /// A text that is JSON.
    Json(&'static Kind),
    List(&'static Kind),
    /// A list of at least one.
    Few(&'static Kind),
    /// A list of this only.
    One(&'static Kind),
    /// With names of any kind.
    Map(&'static Kind),
    Object(&'static [Field]),
    /// Items that follow each other in a list.
    Run(&'static [&'static Kind]),
}

/// A key and its value. Keys marked with an exclamation mark are rarely left out; of the others a few are chosen.
type Field = (&'static str, &'static Kind);

use Kind::{Any, Few, Image, Json, List, Map, Object, One, Or, Raw, Run, Text, Word};

static BODY: Kind = Or(&[
    &CHAT,
    &RESPONSES,
    &CHAT_TOOLS,
    &FLAT_TOOLS,
    &CHAT,
    &RESPONSES,
    &CHAT_TOOLS,
    &FLAT_TOOLS,
    &PROMPTS,
]);

static CHAT: Kind = Object(&[
    ("!model", &MODEL),
    ("!messages", &MESSAGES),
    ("tools", &Few(&TOOL)),
    ("tools", &Few(&TOOL)),
    ("functions", &Few(&FUNCTION)),
    ("tool_choice", &CHOICE),
    ("function_call", &CHOICE),
    ("response_format", &FORMAT),
    ("parallel_tool_calls", &FLAG),
    ("modalities", &List(&NAME)),
    ("reasoning_effort", &NAME),
    ("cache_control", &CACHE),
    ("wind", &Any),
]);

static RESPONSES: Kind = Object(&[
    ("!model", &MODEL),
    ("!input", &ITEMS),
    ("tools", &Few(&FLAT_TOOL)),
    ("tools", &Few(&FLAT_TOOL)),
    ("tool_choice", &FLAT_CHOICE),
    ("instructions", &TEXT),
    (
        "text",
        &Object(&[("!format", &FLAT_FORMAT), ("verbosity", &NAME)]),
    ),
    ("parallel_tool_calls", &FLAG),
    (
        "reasoning",
        &Object(&[
            ("effort", &NAME),
            ("mode", &Word(&["pro", "standard", ""])),
            ("summary", &NAME),
        ]),
    ),
    (
        "prompt",
        &Or(&[
            &Raw(&["null"]),
            &Raw(&["null"]),
            &Object(&[("!id", &NAME), ("variables", &Any)]),
        ]),
    ),
    (
        "previous_response_id",
        &Raw(&["null", "null", "null", "\"c1\""]),
    ),
    ("moderation", &Any),
    ("truncation", &NAME),
    ("wind", &Any),
]);

/// Bodies that certainly have tools, without which no choice among them is valid.
static CHAT_TOOLS: Kind = Object(&[
    ("!model", &MODEL),
    ("!messages", &MESSAGES),
    ("!tools", &Few(&TOOL)),
    ("tool_choice", &CHOICE),
    ("tool_choice", &CHOICE),
    ("response_format", &FORMAT),
    ("parallel_tool_calls", &FLAG),
]);
static FLAT_TOOLS: Kind = Object(&[
    ("!model", &MODEL),
    ("!input", &ITEMS),
    ("!tools", &Few(&FLAT_TOOL)),
    ("tool_choice", &FLAT_CHOICE),
    ("tool_choice", &FLAT_CHOICE),
    ("instructions", &TEXT),
    ("text", &Object(&[("!format", &FLAT_FORMAT)])),
    ("parallel_tool_calls", &FLAG),
]);

static MESSAGES: Kind = Or(&[
    &Few(&TURN),
    &Few(&TURN),
    &Few(&TURN),
    &Few(&TURN),
    &Few(&MESSAGE),
    &Few(&TURN),
    &Few(&TURN),
    &List(&Any),
]);
static ITEMS: Kind = Or(&[
    &Few(&ITEM),
    &TEXT,
    &Few(&ITEM),
    &Few(&ITEM),
    &Few(&ITEM),
    &TEXT,
    &Few(&ITEM),
    &List(&Any),
]);

static PROMPTS: Kind = Object(&[
    (
        "!model",
        &Word(&[
            "text-embedding-3-small",
            "text-davinci-003",
            "gpt-3.5-turbo-instruct",
        ]),
    ),
    ("!prompt", &Or(&[&TEXT, &List(&TEXT), &Any])),
    ("input", &Or(&[&TEXT, &List(&TEXT), &Any])),
    ("echo", &FLAG),
    ("wind", &Any),
]);

static FLAG: Kind = Raw(&["false", "true", "null"]);
static CACHE: Kind = Object(&[("!type", &Word(&["ephemeral"])), ("ttl", &NAME)]);

static MODEL: Kind = Word(&[
    "gpt-4o",
    "gpt-3.5-turbo-0301",
    "gpt-3.5-turbo-0613",
    "gpt-4-0613",
    "gpt-3.5-turbo-0125",
    "gpt-4.1-mini",
    "gpt-4o-mini",
    "gpt-4-turbo",
    "o1",
    "o3-mini",
    "o4-mini",
    "gpt-5",
    "gpt-5-mini",
    "gpt-5.4",
    "ft:gpt-4o-mini:x",
    "text-embedding-3-small",
    "text-davinci-003",
    "gpt-4o-audio-preview",
    "gpt-4.1-nano",
    "gpt-5-nano",
    "gpt-5.1",
    "gpt-4o-2024-11-20",
    "chatgpt-4o-latest",
    "o3",
]);

static NAME: Kind = Word(&["walk", "swim", "c1", "c2", "text", "a", ""]);
static TEXT: Kind = Text;
static C1: Kind = Word(&["c1"]);
static C2: Kind = Word(&["c2"]);
static FUNCTION_NAME: Kind = Word(&[
    "walk",
    "walk",
    "swim",
    "walk",
    "walk",
    "swim",
    "walk",
    "walk",
    "walk",
    "walk",
    "multi_tool_use.parallel",
]);

static MESSAGE: Kind = Object(&[
    (
        "!role",
        &Word(&[
            "user",
            "system",
            "assistant",
            "developer",
            "user",
            "system",
            "user",
            "assistant",
            "tool",
            "function",
        ]),
    ),
    ("!content", &Or(&[&TEXT, &Few(&PART), &List(&PART)])),
    ("name", &NAME),
    ("tool_calls", &List(&CALL)),
    ("function_call", &FUNCTION_CALL),
    ("tool_call_id", &NAME),
    ("refusal", &Raw(&["null", "null", "null", "\"No.\""])),
    ("annotations", &Any),
    ("cache_control", &CACHE),
    ("reasoning_content", &TEXT),
    ("type", &Word(&["message"])),
]);

/// Messages that belong together: a question, the calls, and their results.
static TURN: Kind = Or(&[
    &PLAIN,
    &CALLED,
    &PLAIN,
    &MESSAGE,
    &BOTH_CALLED,
    &OLD_CALLED,
    &CALLED,
    &BOTH_CALLED,
    &PLAIN,
    &MESSAGE,
    &CALLING,
    &RESULT,
]);
static PLAIN: Kind = Object(&[
    ("!role", &Word(&["user", "assistant", "system"])),
    ("!content", &TEXT),
]);
static CALLED: Kind = Run(&[&CALLING, &RESULT]);
static BOTH_CALLED: Kind = Run(&[&CALLING_BOTH, &RESULT, &RESULT_2]);
static OLD_CALLED: Kind = Run(&[&OLD_CALLING, &OLD_RESULT]);
static CALLING: Kind = Object(&[
    ("!role", &Word(&["assistant"])),
    ("content", &TEXT),
    ("!tool_calls", &Or(&[&One(&CALL), &Few(&CALL)])),
]);
static CALLING_BOTH: Kind = Object(&[
    ("!role", &Word(&["assistant"])),
    ("content", &TEXT),
    ("!tool_calls", &One(&Run(&[&CALL, &CALL_2]))),
]);
static RESULT: Kind = Object(&[
    ("!role", &Word(&["tool"])),
    ("!tool_call_id", &C1),
    ("!content", &RESULT_TEXT),
    ("name", &NAME),
]);
static RESULT_2: Kind = Object(&[
    ("!role", &Word(&["tool"])),
    ("!tool_call_id", &C2),
    ("!content", &RESULT_TEXT),
]);
static RESULT_TEXT: Kind = Or(&[&TEXT, &Json(&Map(&Any)), &Few(&PART)]);
static OLD_CALLING: Kind = Object(&[
    ("!role", &Word(&["assistant"])),
    ("content", &TEXT),
    ("!function_call", &FUNCTION_CALL),
]);
static OLD_RESULT: Kind = Object(&[
    ("!role", &Word(&["function"])),
    ("!name", &FUNCTION_NAME),
    ("!content", &TEXT),
]);

static CALL: Kind = Object(&[
    ("!id", &C1),
    ("!type", &CALL_TYPE),
    ("!function", &FUNCTION_CALL),
    ("index", &Any),
    ("cache_control", &CACHE),
]);
static CALL_2: Kind = Object(&[
    ("!id", &C2),
    ("!type", &CALL_TYPE),
    ("!function", &FUNCTION_CALL),
]);
static CALL_TYPE: Kind = Word(&[
    "function", "function", "function", "function", "function", "function", "function", "custom",
]);
static FUNCTION_CALL: Kind = Object(&[("!name", &FUNCTION_NAME), ("!arguments", &ARGUMENTS)]);
static ARGUMENTS: Kind = Or(&[
    &Json(&Map(&Any)),
    &Word(&[
        "{}",
        "[]",
        "",
        " ",
        "{",
        "null",
        "\u{feff}{}",
        "{\"a\": \"\\ud83c\"}",
        "{\"a\": 1} x",
    ]),
    &Json(&Map(&TEXT)),
    &Json(&Any),
    &TEXT,
]);

/// Items of the Responses API.
static ITEM: Kind = Or(&[
    &ITEM_MESSAGE,
    &Run(&[&ITEM_CALL, &ITEM_OUTPUT]),
    &Run(&[&ITEM_CALL, &ITEM_CALL_2, &ITEM_OUTPUT, &ITEM_OUTPUT_2]),
    &Run(&[&REASONING, &ANSWER]),
    &Run(&[&REASONING, &ITEM_CALL, &ITEM_OUTPUT]),
    &ITEM_CALL,
    &ITEM_OUTPUT,
    &REASONING,
    &Object(&[
        (
            "!type",
            &Word(&[
                "item_reference",
                "web_search_call",
                "custom_tool_call",
                "wind",
            ]),
        ),
        ("!id", &NAME),
    ]),
]);
static ITEM_MESSAGE: Kind = Object(&[
    (
        "!role",
        &Word(&["user", "assistant", "system", "developer", "user", "tool"]),
    ),
    (
        "!content",
        &Or(&[&TEXT, &Few(&FLAT_PART), &List(&FLAT_PART)]),
    ),
    ("type", &Word(&["message"])),
    ("id", &NAME),
    ("status", &NAME),
    ("phase", &NAME),
    ("name", &NAME),
]);
static ANSWER: Kind = Object(&[
    ("!role", &Word(&["assistant"])),
    ("!content", &Or(&[&TEXT, &Few(&FLAT_PART)])),
    ("id", &NAME),
]);
static ITEM_CALL: Kind = Object(&[
    ("!type", &Word(&["function_call"])),
    ("!call_id", &C1),
    ("!name", &FUNCTION_NAME),
    ("!arguments", &ARGUMENTS),
    ("id", &NAME),
    ("status", &NAME),
    ("cache_control", &CACHE),
]);
static ITEM_CALL_2: Kind = Object(&[
    ("!type", &Word(&["function_call"])),
    ("!call_id", &C2),
    ("!name", &FUNCTION_NAME),
    ("!arguments", &ARGUMENTS),
    ("id", &NAME),
]);
static ITEM_OUTPUT: Kind = Object(&[
    ("!type", &Word(&["function_call_output"])),
    ("!call_id", &C1),
    (
        "!output",
        &Or(&[&TEXT, &Json(&Map(&Any)), &Few(&FLAT_PART)]),
    ),
    ("id", &NAME),
    ("status", &NAME),
]);
static ITEM_OUTPUT_2: Kind = Object(&[
    ("!type", &Word(&["function_call_output"])),
    ("!call_id", &C2),
    ("!output", &TEXT),
]);
static REASONING: Kind = Object(&[
    ("!type", &Word(&["reasoning"])),
    ("!summary", &List(&FLAT_PART)),
    ("id", &NAME),
    ("encrypted_content", &TEXT),
    ("content", &Any),
    ("status", &NAME),
]);

static PART: Kind = Or(&[
    &Object(&[
        ("!type", &Word(&["text", "text", "text", "input_text"])),
        ("!text", &TEXT),
        ("annotations", &Any),
        ("cache_control", &CACHE),
        ("prompt_cache_breakpoint", &Any),
        ("additional_properties", &Or(&[&Map(&TEXT), &Any])),
    ]),
    &Object(&[("!type", &Word(&["image_url"])), ("!image_url", &IMAGE)]),
    &TEXT,
    &OTHER_PART,
]);
static FLAT_PART: Kind = Or(&[
    &Object(&[
        (
            "!type",
            &Word(&[
                "input_text",
                "output_text",
                "input_text",
                "summary_text",
                "text",
            ]),
        ),
        ("!text", &TEXT),
        ("annotations", &Any),
        ("logprobs", &Any),
        ("cache_control", &CACHE),
    ]),
    &Object(&[
        ("!type", &Word(&["input_image"])),
        ("!image_url", &Or(&[&Image, &URL])),
        ("detail", &DETAIL),
        ("file_id", &NAME),
    ]),
    &TEXT,
    &OTHER_PART,
]);
static OTHER_PART: Kind = Object(&[
    (
        "!type",
        &Word(&["file", "input_file", "input_audio", "refusal", "wind"]),
    ),
    ("file", &Any),
    ("text", &TEXT),
]);
static IMAGE: Kind = Or(&[
    &Object(&[("!url", &Image), ("detail", &DETAIL)]),
    &Image,
    &Object(&[("!url", &URL), ("!detail", &Word(&["low", "high"]))]),
]);
static URL: Kind = Word(&[
    "https://example.com/dawn.png",
    "data:,",
    "data:image/png;base64,",
]);
static DETAIL: Kind = Word(&["auto", "low", "high", "original", "dim"]);

static TOOL: Kind = Or(&[&FUNCTION_TOOL, &FUNCTION_TOOL, &FUNCTION_TOOL, &OTHER_TOOL]);
static FUNCTION_TOOL: Kind = Object(&[
    ("!type", &Word(&["function"])),
    ("!function", &FUNCTION),
    ("cache_control", &CACHE),
]);
/// A tool of the Responses API.
static FLAT_TOOL: Kind = Or(&[&FLAT_FUNCTION, &FLAT_FUNCTION, &FLAT_FUNCTION, &OTHER_TOOL]);
static FLAT_FUNCTION: Kind = Object(&[
    ("!type", &Word(&["function"])),
    ("!name", &FUNCTION_NAME),
    ("!parameters", &SCHEMA),
    ("description", &TEXT),
    ("strict", &FLAG),
    ("requires_confirmation", &FLAG),
    ("cache_control", &CACHE),
]);
static OTHER_TOOL: Kind = Object(&[
    (
        "!type",
        &Word(&["custom", "web_search", "file_search", "mcp"]),
    ),
    ("name", &NAME),
]);
static FUNCTION: Kind = Object(&[
    ("!name", &FUNCTION_NAME),
    ("!parameters", &SCHEMA),
    ("description", &TEXT),
    ("strict", &FLAG),
]);
static SCHEMA: Kind = Or(&[&OBJECT, &LEAF, &NODE]);
static OBJECT: Kind = Object(&[
    ("!type", &Word(&["object"])),
    ("!properties", &Map(&NODE)),
    ("required", &List(&NAME)),
    ("description", &TEXT),
    ("title", &TEXT),
    ("$defs", &Map(&NODE)),
    ("definitions", &Map(&NODE)),
    ("additionalProperties", &Or(&[&FLAG, &NODE])),
]);
static LEAF: Kind = Object(&[
    ("!type", &TYPE),
    ("description", &TEXT),
    ("title", &TEXT),
    ("default", &Any),
    ("enum", &List(&Any)),
    ("enum", &Few(&TEXT)),
    ("minimum", &Any),
    ("format", &NAME),
]);
static NODE: Kind = Or(&[
    &LEAF,
    &Object(&[
        ("!type", &TYPE),
        ("properties", &Map(&NODE)),
        ("items", &Or(&[&NODE, &List(&NODE)])),
        ("anyOf", &List(&NODE)),
        ("oneOf", &List(&NODE)),
        ("allOf", &List(&NODE)),
        ("not", &NODE),
        ("description", &TEXT),
        ("title", &TEXT),
        ("default", &Any),
        ("const", &Any),
        ("nullable", &FLAG),
        ("maxItems", &Any),
        ("pattern", &TEXT),
        ("x-wind", &Any),
    ]),
    &Object(&[
        (
            "!$ref",
            &Word(&[
                "#/$defs/walk",
                "#/$defs/swim",
                "#",
                "#/properties/a",
                "#/definitions/walk",
                "#/properties/a/items",
                "x.json",
                "#/",
            ]),
        ),
        ("description", &TEXT),
        ("default", &Any),
        ("title", &TEXT),
    ]),
    &Object(&[
        ("!anyOf", &Few(&NODE)),
        ("description", &TEXT),
        ("title", &TEXT),
        ("default", &Any),
    ]),
    &Object(&[
        ("!type", &Word(&["array"])),
        ("!items", &NODE),
        ("description", &TEXT),
    ]),
    &OBJECT,
    &Raw(&["true", "false", "{}"]),
]);
static TYPE: Kind = Or(&[
    &Word(&[
        "string", "object", "array", "integer", "number", "boolean", "null",
    ]),
    &List(&Word(&["string", "null", "integer", "array", "object"])),
]);

static CHOICE: Kind = Or(&[
    &CHOICE_WORD,
    &Object(&[
        ("!type", &Word(&["function"])),
        ("!function", &Object(&[("!name", &FUNCTION_NAME)])),
    ]),
    &Object(&[("!name", &FUNCTION_NAME)]),
    &Object(&[
        ("!type", &Word(&["allowed_tools"])),
        ("!allowed_tools", &ALLOWED),
    ]),
    &Object(&[("!type", &Word(&["custom"])), ("!custom", &Any)]),
]);
static CHOICE_WORD: Kind = Word(&["auto", "none", "required"]);
static ALLOWED: Kind = Object(&[("!mode", &CHOICE_WORD), ("!tools", &List(&OTHER_TOOL))]);
static FLAT_CHOICE: Kind = Or(&[
    &CHOICE_WORD,
    &Object(&[("!type", &Word(&["function"])), ("!name", &FUNCTION_NAME)]),
    &Object(&[
        ("!type", &Word(&["allowed_tools"])),
        ("!mode", &CHOICE_WORD),
        ("!tools", &List(&FLAT_TOOL)),
    ]),
    &Object(&[("!type", &Word(&["web_search", "custom"]))]),
]);
static FORMAT: Kind = Or(&[
    &Object(&[
        ("!type", &Word(&["json_schema"])),
        (
            "!json_schema",
            &Object(&[
                ("!name", &NAME),
                ("!schema", &SCHEMA),
                ("description", &TEXT),
                ("strict", &FLAG),
            ]),
        ),
    ]),
    &PLAIN_FORMAT,
]);
static FLAT_FORMAT: Kind = Or(&[
    &Object(&[
        ("!type", &Word(&["json_schema"])),
        ("!name", &NAME),
        ("!schema", &SCHEMA),
        ("description", &TEXT),
        ("strict", &FLAG),
    ]),
    &PLAIN_FORMAT,
]);
static PLAIN_FORMAT: Kind = Object(&[("!type", &Word(&["text", "json_object", "xml"]))]);

/// Texts that a writer of JSON would not write so.
const ODD_TEXTS: &[&str] = &[
    "\"\\ud83c\\udf0a\"",
    "\"\\ud83c\"",
    "\"\\udf0a wind \\ud83c\"",
    "\"\\u0000\\/\\b\"",
    "\"\u{feff}\"",
    "\"<|im_end|>\"",
    "\"Gr\\u00fc\u{df}e\"",
    "null",
];

/// Values that may be anywhere.
const ODD: &[&str] = &[
    "null",
    "true",
    "0",
    "-1",
    "0.1",
    "1e300",
    "-1e-7",
    "18446744073709551615",
    "\"\"",
    "\"\\ud83c\\udf0a\"",
    "[]",
    "{}",
    "[[[1]]]",
    "\"\\ud83c\"",
    "{\"a\": 1, \"a\": 2}",
];

struct Writer<'i> {
    input: Input<'i>,
    json: String,
}

impl Writer<'_> {
    /// Every list and every choice takes a byte, and without bytes the smallest is chosen: so it ends.
    fn value(&mut self, kind: &Kind) {
        match kind {
            _ if self.input.byte() == 255 => self.any(),
            Any => self.any(),
            Or(kinds) => {
                let at = self.input.below(kinds.len());
                self.value(kinds[at]);
            }
            Word(words) => {
                let word = self.input.pick(words);
                self.text(word);
            }
            Raw(values) => {
                let value = self.input.pick(values);
                self.json.push_str(value);
            }
            Text => match self.input.below(24) {
                len @ ..20 => {
                    let text = self.free(len);
                    self.text(&text);
                }
                _ => self.value(&Raw(ODD_TEXTS)),
            },
            Image => {
                let url = self.png();
                self.text(&url);
            }
            Json(kind) => {
                let outer = std::mem::take(&mut self.json);
                self.value(kind);
                let text = std::mem::replace(&mut self.json, outer);
                self.text(&text);
            }
            List(kind) => self.list(0, kind),
            Few(kind) => self.list(1, kind),
            One(kind) => self.between('[', ']', 1, |writer, _| writer.value(kind)),
            Map(kind) => {
                let len = self.input.below(4);
                self.between('{', '}', len, |writer, _| {
                    writer.value(&NAME);
                    writer.json.push(':');
                    writer.value(kind);
                });
            }
            Object(fields) => self.object(fields),
            Run(kinds) => {
                for (i, kind) in kinds.iter().enumerate() {
                    if i > 0 {
                        self.json.push(',');
                    }
                    self.value(kind);
                }
            }
        }
    }

    fn list(&mut self, least: usize, kind: &Kind) {
        let len = least + self.input.below(4);
        self.between('[', ']', len, |writer, _| writer.value(kind));
    }

    /// Few bytes choose among many keys, so that short inputs reach deep values.
    fn object(&mut self, fields: &[Field]) {
        let is_must = |(key, _): &&Field| key.starts_with('!');
        let mut chosen: Vec<&Field> = fields.iter().filter(is_must).collect();
        let more: Vec<&Field> = fields.iter().filter(|field| !is_must(field)).collect();
        let choice = usize::from(self.input.byte());
        if choice >= 253 && !chosen.is_empty() {
            chosen.remove(choice % chosen.len());
        }
        // a key may be chosen twice, of which the last counts
        for _ in 0..(choice % 5).min(more.len()) {
            chosen.push(self.input.pick(&more));
        }
        // the bytes may end before the last key, so each is first at times
        let first = choice / 5 % chosen.len().max(1);
        chosen.rotate_left(first);
        self.between('{', '}', chosen.len(), |writer, i| {
            let (key, kind) = chosen[i];
            writer.text(key.trim_start_matches('!'));
            writer.json.push(':');
            writer.value(kind);
        });
    }

    fn between(
        &mut self,
        open: char,
        close: char,
        len: usize,
        mut write: impl FnMut(&mut Self, usize),
    ) {
        self.json.push(open);
        for i in 0..len {
            if i > 0 {
                self.json.push(',');
            }
            write(self, i);
        }
        self.json.push(close);
    }

    fn any(&mut self) {
        match self.input.byte() % 8 {
            0 => self.value(&SCHEMA),
            1 => self.value(&MESSAGE),
            2 => self.value(&Map(&Any)),
            3 => self.value(&List(&Any)),
            4 => self.value(&Text),
            _ => {
                let at = self.input.below(256);
                // a number that JSON does not limit, but its readers do
                let odd = ODD.get(at % (ODD.len() + 1)).copied();
                let odd = odd.unwrap_or(if at > 200 { "1e999" } else { "7" });
                self.json.push_str(odd);
            }
        }
    }

    /// Returns a text of this many bytes.
    fn free(&mut self, len: usize) -> String {
        let bytes: Vec<u8> = (0..len).map(|_| self.input.byte()).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn text(&mut self, text: &str) {
        self.json.push_str(&Value::from(text).to_string());
    }

    /// Returns the header of a PNG of any size, without the rest.
    fn png(&mut self) -> String {
        let mut head = *b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\0\0\0\0\0\x08\x06\0\0\0";
        for side in [16, 20] {
            let number = self.input.below(1 << 16) as u32;
            let number = number.rotate_left(self.input.byte().into());
            head[side..side + 4].copy_from_slice(&number.to_be_bytes());
        }
        format!("data:image/png;base64,{}", base64(&head))
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = three
            .iter()
            .fold(0, |number, byte| number << 8 | usize::from(*byte));
        let number = number << (8 * (3 - three.len()));
        for at in 0..=three.len() {
            text.push(DIGITS[number >> (18 - 6 * at) & 63].into());
        }
        text.push_str(&"=".repeat(3 - three.len()));
    }
    text
}
