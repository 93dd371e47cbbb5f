//! Counts one request as the options ask.

use std::path::Path;

use tiktally::ContextWindow;
use tiktally::chat::{self, ChatTokens, Counter, Exactness, Family};

use super::entry::{Entry, Members};
use crate::input::InputError;
use crate::lines::Line;
use crate::terminal::printable;

/// The model that a request is counted for.
#[derive(Debug, Clone)]
pub(super) struct Model {
    name: String,
    counter: Counter,
}

/// The width and the height of images, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ImageSize {
    width: u32,
    height: u32,
}

/// The options that change counts.
#[derive(Debug)]
pub(super) struct Counting<'a> {
    pub(super) model: Option<&'a Model>,
    pub(super) as_of: Option<&'a str>,
    pub(super) image_size: Option<ImageSize>,
}

/// The tokens of a request.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) model: Option<String>,
    pub(super) tokens: ChatTokens,
}

/// The tokens of a request on a line.
#[derive(Debug)]
pub(super) struct CountedLine {
    pub(super) number: usize,
    pub(super) custom_id: Option<String>,
    pub(super) counted: Counted,
}

impl Counting<'_> {
    /// Counts a line of the file `path`.
    pub(super) fn line(&self, line: Line<'_>, path: &Path) -> Result<CountedLine, InputError> {
        let number = line.number;
        let counted = self.entry(line.bytes);
        let (custom_id, counted) = counted.map_err(|problem| in_line(path, number, &problem))?;
        Ok(CountedLine {
            number,
            custom_id,
            counted,
        })
    }

    fn entry(&self, line: Option<&[u8]>) -> Result<(Option<String>, Counted), String> {
        let line = line.ok_or("this is over 64 MiB, too long for a request")?;
        let line = str::from_utf8(line).map_err(|error| {
            let at = error.valid_up_to();
            format!("not UTF-8: invalid at byte {at} of the line, counted from 0")
        })?;
        let entry = Entry::read(line)?;
        Ok((entry.custom_id, self.body(entry.body)?))
    }

    /// Counts the body of a request.
    pub(super) fn body(&self, body: &str) -> Result<Counted, String> {
        // the library skips it too, but the model is looked up before
        let body = body.strip_prefix('\u{feff}').unwrap_or(body);
        let model = match self.model {
            Some(model) => Some(model.clone()),
            None => Model::from_body(body)?,
        };
        let tokens = match &model {
            Some(model) => self.counter(model)?.estimate_json(body),
            None => chat::estimate_json(body),
        };
        Ok(Counted {
            tokens: tokens.map_err(|error| for_command(&error))?,
            model: model.map(|model| model.name),
        })
    }

    /// Returns the counter of a model, as the options change it.
    fn counter(&self, model: &Model) -> Result<Counter, String> {
        let counter = match self.as_of {
            Some(date) => model
                .counter
                .as_of(date)
                .map_err(|error| error.to_string())?,
            None => model.counter.clone(),
        };
        Ok(match self.image_size {
            Some(ImageSize { width, height }) => {
                counter.with_image_sizes(move |_link| Some((width, height)))
            }
            None => counter,
        })
    }
}

impl Model {
    /// Looks up a model; the value parser of `--model`.
    pub(super) fn from_name(name: &str) -> Result<Self, String> {
        let counter = Counter::for_model(name).map_err(|error| {
            // not the library's message: it recommends choosing an encoding, but a request needs a model
            if error.is_unknown_model() {
                let choose = match error.suggestion() {
                    Some(near) => format!("did you mean {near:?}? Otherwise choose"),
                    None => "choose".to_owned(),
                };
                format!(
                    "no encoding is known for the model {name:?}; {choose} a known model with -m"
                )
            } else {
                for_command(&error)
            }
        })?;
        let name = name.to_owned();
        Ok(Self { name, counter })
    }

    /// Returns the model that a body names.
    ///
    /// Returns `None` for an invalid body, so that the library reports the error in detail.
    fn from_body(body: &str) -> Result<Option<Self>, String> {
        let Ok(members) = Members::of(body) else {
            return Ok(None);
        };
        match (members.get("model"), members.text("model")) {
            (_, Some(name)) => Self::from_name(&name).map(Some),
            (None, None) => Err("the request names no model; choose one with -m".to_owned()),
            (Some(_), None) => Ok(None),
        }
    }
}

impl ImageSize {
    /// Reads a size such as `1024x768`; the value parser of `--image-size`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let side = |digits: &str| {
            let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
            let side = is_number.then(|| digits.parse().ok()).flatten();
            side.filter(|side| *side > 0)
        };
        let sides = text.split_once(['x', 'X']);
        let sides = sides.and_then(|(width, height)| Some((side(width)?, side(height)?)));
        let (width, height) =
            sides.ok_or("write the width and the height in pixels, such as 1024x768")?;
        Ok(Self { width, height })
    }
}

/// Refuses every file; the value parser of `--tokenizer`.
pub(super) fn no_tokenizer(_file: &str) -> Result<String, String> {
    Err("chat counts requests as OpenAI bills them; for another model, render its chat template and count the text with `tiktally count --tokenizer FILE --special token`".to_owned())
}

/// Checks a date; the value parser of `--as-of`.
pub(super) fn date(text: &str) -> Result<String, String> {
    // any counter can check it
    let names = tiktally::list_encoding_names().iter();
    let encoding = names
        .copied()
        .find_map(|name| tiktally::get_encoding(name).ok());
    if let Some(encoding) = encoding {
        let counter = Counter::new(Family::Modern, encoding).as_of(text);
        counter.map_err(|error| {
            let problem = error.to_string();
            let problem = problem.strip_prefix("as_of: ").unwrap_or(&problem);
            problem.to_owned()
        })?;
    }
    Ok(text.to_owned())
}

/// Advice of the library that names Rust items, and what it is on the command line.
const ADVICE: [(&str, &str); 3] = [
    (
        "give the size with `Counter::with_image_sizes` or `Image::new`",
        "give the size with --image-size",
    ),
    (
        "if it has another name, use it in `Counter::for_model`",
        "if it has another name, choose that with -m",
    ),
    (
        "render it and count it with `o200k_harmony`",
        "render it and count the text with `tiktally count -e o200k_harmony --special token`",
    ),
];

/// Returns an error of the library as a user of the command needs it.
fn for_command(error: &tiktally::Error) -> String {
    let message = error.to_string();
    let replace = |message: String, (api, command): (&str, &str)| message.replace(api, command);
    ADVICE.into_iter().fold(message, replace)
}

/// Returns the error of a line.
pub(super) fn in_line(path: &Path, number: usize, problem: &str) -> InputError {
    // JSON on one line: its own line number would mislead
    let problem = problem.replace(" at line 1 column ", " at column ");
    InputError::new(path, format!("line {number}: {}", printable(&problem)))
}

impl Counted {
    /// Returns the context window of the model, if it is known.
    pub(super) fn window(&self) -> Option<ContextWindow> {
        tiktally::context_window(self.model.as_deref()?)
    }

    /// Returns how many tokens remain in the window; negative if the request does not fit.
    pub(super) fn tokens_left(&self) -> Option<i64> {
        Some(self.window()?.remaining(self.tokens.total))
    }

    /// Returns the reason why this is an estimate; `None` if it is exact.
    pub(super) fn estimate_reason(&self) -> Option<&str> {
        match &self.tokens.exactness {
            Exactness::Estimate { reason } => Some(reason),
            _ => None,
        }
    }

    /// Returns the tokens outside the messages, by name.
    pub(super) fn other_parts(&self) -> [(&'static str, usize); 5] {
        let tokens = &self.tokens;
        [
            ("tools", tokens.tools),
            ("tool_choice", tokens.tool_choice),
            ("response_format", tokens.response_format),
            ("images", tokens.images),
            ("priming", tokens.priming),
        ]
    }
}
