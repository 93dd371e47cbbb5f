//! Bodies of chat requests from the bytes of a fuzzer.
//!
//! Random bytes are rarely a valid request. So they can also choose known keys and words and put them where they belong,
//! or now and then where they do not.

use serde_json::Value;

use super::input::Input;

/// Returns the bytes as a body, or, if the first byte cannot begin a JSON text, a body that the others choose.
pub(crate) fn of(bytes: &[u8]) -> String {
    match bytes {
        [0x80..=0xFF, choices @ ..] => {
            let (input, json) = (Input::new(choices), String::new());
            let mut writer = Writer { input, json };
            writer.value(&BODY);
            writer.json
        }
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// The kind of value that may be at a place.
enum Kind {
    Any,
    /// One of these.
    Or(&'static [&'static Kind]),
    Word(&'static [&'static str]),
    Text,
    /// The URL of an image that is a PNG of any size.
    Image,
    /// A text that is JSON.
    Json(&'static Kind),
    List(&'static Kind),
    /// A list of at least one.
    Few(&'static Kind),
    /// With names of any kind.
    Map(&'static Kind),
    Object(&'static [Field]),
}

/// A key and its value. Keys marked with an exclamation mark are rarely left out.
type Field = (&'static str, &'static Kind);

use Kind::{Any, Few, Image, Json, List, Map, Object, Or, Text, Word};

static BODY: Kind = Object(&[
    ("!model", &MODEL),
    (
        "!messages",
        &Or(&[&Few(&MESSAGE), &Few(&TURN), &List(&Any)]),
    ),
    ("tools", &Few(&TOOL)),
    ("functions", &Few(&FUNCTION)),
    ("tool_choice", &CHOICE),
    ("function_call", &CHOICE),
    ("response_format", &FORMAT),
    ("input", &Or(&[&TEXT, &List(&MESSAGE), &Any])),
    ("prompt", &Or(&[&TEXT, &List(&TEXT), &Any])),
    ("instructions", &TEXT),
    ("modalities", &List(&NAME)),
    ("text", &Object(&[("format", &FORMAT)])),
    ("temperature", &Any),
    ("wind", &Any),
]);

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
]);

static NAME: Kind = Word(&["walk", "swim", "c1", "c2", "text", "a", ""]);
static TEXT: Kind = Text;

static MESSAGE: Kind = Object(&[
    (
        "!role",
        &Word(&[
            "user",
            "system",
            "assistant",
            "developer",
            "tool",
            "function",
        ]),
    ),
    ("!content", &Or(&[&TEXT, &List(&PART)])),
    ("name", &NAME),
    ("type", &Word(&["message"])),
    ("tool_calls", &List(&CALL)),
    ("function_call", &FUNCTION_CALL),
    ("tool_call_id", &NAME),
    ("refusal", &TEXT),
    ("annotations", &Any),
]);

/// Messages that belong together: a question, the calls, and their results.
static TURN: Kind = Or(&[&MESSAGE, &CALLING, &RESULT, &OLD_CALLING, &OLD_RESULT]);
static CALLING: Kind = Object(&[
    ("!role", &Word(&["assistant"])),
    ("content", &TEXT),
    ("!tool_calls", &Few(&CALL)),
]);
static RESULT: Kind = Object(&[
    ("!role", &Word(&["tool"])),
    ("!tool_call_id", &NAME),
    ("!content", &TEXT),
]);
static OLD_CALLING: Kind = Object(&[
    ("!role", &Word(&["assistant"])),
    ("content", &TEXT),
    ("!function_call", &FUNCTION_CALL),
]);
static OLD_RESULT: Kind = Object(&[
    ("!role", &Word(&["function"])),
    ("!name", &NAME),
    ("!content", &TEXT),
]);

static CALL: Kind = Object(&[
    ("!id", &NAME),
    ("!type", &Word(&["function", "custom"])),
    ("!function", &FUNCTION_CALL),
    ("index", &Any),
]);
static FUNCTION_CALL: Kind = Object(&[
    ("!name", &NAME),
    ("!arguments", &Or(&[&Json(&Map(&Any)), &TEXT])),
]);

static PART: Kind = Or(&[
    &Object(&[
        (
            "!type",
            &Word(&["text", "input_text", "output_text", "file"]),
        ),
        ("!text", &TEXT),
        ("annotations", &Any),
    ]),
    &Object(&[("!type", &Word(&["image_url"])), ("!image_url", &IMAGE)]),
]);
static IMAGE: Kind = Or(&[
    &Object(&[
        ("!url", &Image),
        ("detail", &Word(&["auto", "low", "high", "original", "dim"])),
    ]),
    &Image,
    &Object(&[
        (
            "!url",
            &Word(&[
                "https://example.com/dawn.png",
                "data:,",
                "data:image/png;base64,",
            ]),
        ),
        ("!detail", &Word(&["low", "high"])),
    ]),
]);

static TOOL: Kind = Object(&[
    ("!type", &Word(&["function", "custom"])),
    ("!function", &FUNCTION),
]);
static FUNCTION: Kind = Object(&[
    ("!name", &NAME),
    ("description", &TEXT),
    ("parameters", &SCHEMA),
    ("strict", &Any),
]);
static SCHEMA: Kind = Object(&[
    (
        "!type",
        &Or(&[
            &Word(&[
                "object", "string", "array", "integer", "number", "boolean", "null",
            ]),
            &List(&Word(&["string", "null"])),
        ]),
    ),
    ("properties", &Map(&SCHEMA)),
    ("required", &List(&NAME)),
    ("items", &SCHEMA),
    ("enum", &List(&Any)),
    ("anyOf", &List(&SCHEMA)),
    (
        "$ref",
        &Word(&[
            "#/$defs/walk",
            "#/$defs/swim",
            "#",
            "#/properties/a",
            "x.json",
        ]),
    ),
    ("$defs", &Map(&SCHEMA)),
    ("description", &TEXT),
    ("title", &TEXT),
    ("default", &Any),
    ("const", &Any),
    ("format", &NAME),
    ("additionalProperties", &Or(&[&Any, &SCHEMA])),
    ("minimum", &Any),
]);

static CHOICE: Kind = Or(&[
    &Word(&["auto", "none", "required"]),
    &Object(&[("!name", &NAME)]),
    &Object(&[
        ("!type", &Word(&["function"])),
        ("!function", &Object(&[("!name", &NAME)])),
    ]),
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
                ("strict", &Any),
            ]),
        ),
    ]),
    &Object(&[("!type", &Word(&["text", "json_object"]))]),
]);

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
    "1e999",
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
            _ if self.input.byte() > 250 => self.any(),
            Any => self.any(),
            Or(kinds) => {
                let at = self.input.below(kinds.len());
                self.value(kinds[at]);
            }
            Word(words) => {
                let word = self.input.pick(words);
                self.text(word);
            }
            Text => {
                let text = self.free();
                self.text(&text);
            }
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
            Map(kind) => {
                let len = self.input.below(4);
                self.between('{', '}', len, |writer, _| {
                    writer.value(&NAME);
                    writer.json.push(':');
                    writer.value(kind);
                });
            }
            Object(fields) => self.object(fields),
        }
    }

    fn list(&mut self, least: usize, kind: &Kind) {
        let len = least + self.input.below(4);
        self.between('[', ']', len, |writer, _| writer.value(kind));
    }

    fn object(&mut self, fields: &[Field]) {
        let mut chosen = Vec::new();
        for (key, kind) in fields {
            let must = key.strip_prefix('!');
            let choice = self.input.byte();
            if must.map_or(choice % 8 == 7, |_| choice < 248) {
                chosen.push((must.unwrap_or(key), kind));
            }
        }
        self.between('{', '}', chosen.len(), |writer, i| {
            let (key, kind) = chosen[i];
            writer.text(key);
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
                let odd = self.input.pick(ODD);
                self.json.push_str(odd);
            }
        }
    }

    /// Returns a text of a few bytes.
    fn free(&mut self) -> String {
        let bytes: Vec<u8> = (0..self.input.below(20))
            .map(|_| self.input.byte())
            .collect();
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
