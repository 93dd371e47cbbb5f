//! Roles and contents of messages, in both APIs.

use crate::chat::content::{Content, Part};
use crate::chat::images::{self, Detail, Image};
use crate::chat::path::{Field, Path};
use crate::chat::request::Role;
use crate::chat::value::{Object, Value};
use crate::error::Error;

/// Reads the role of a message.
pub(super) fn role(role: Field<'_, '_>) -> Result<Role, Error> {
    let (path, value) = role.must()?;
    let name = path.text(value)?;
    let role = Role::ALL.into_iter().find(|role| role.name() == name);
    role.ok_or_else(|| {
        let problem = format!("unknown role {name:?}");
        path.invalid_among(&problem, &Role::ALL.map(Role::name))
    })
}

/// Reads the content of a message: a text, or a list of parts with the types in `known`.
pub(super) fn content<'v>(
    path: &Path<'_>,
    content: Value<'v>,
    known: &[&str],
) -> Result<Content<'v>, Error> {
    match content {
        Value::Text(text) => Ok(text.into()),
        Value::List(_) => {
            let parts = path.each(content, |path, value| part(path, value, known))?;
            Ok(parts.into())
        }
        other => Err(path.invalid(format!(
            "this must be a string or an array of parts, not {}",
            other.kind()
        ))),
    }
}

/// Types of parts that the API accepts, but whose cost is unknown.
const UNKNOWN_COST: &[&str] = &["input_audio", "file", "refusal", "input_file"];

/// Reads a part of a message, of one of the types in `known`.
fn part<'v>(path: &Path<'_>, value: Value<'v>, known: &[&str]) -> Result<Part<'v>, Error> {
    if let Value::Text(text) = value {
        path.doubt(
            "too few recordings show a part that is a string; it is counted as a part of text",
        );
        return Ok(Part::Text(text.into()));
    }
    let kind = path.text_of(value, "type")?;
    let kind = kind.as_ref();
    if UNKNOWN_COST.contains(&kind) {
        path.missing(format!(
            "the cost of a part of type {kind:?} is unknown; only the service can count it"
        ))?;
        return Ok(Image::missing().into());
    }
    if !known.contains(&kind) {
        let problem = format!("unknown type {kind:?}");
        return Err(path.key("type").invalid_among(&problem, known));
    }
    match kind {
        "image_url" => Ok(Part::Image(image(path, value)?)),
        "input_image" => Ok(Part::Image(input_image(path, value)?)),
        _ => text(path, value),
    }
}

/// The keys of a text part; the last three cost nothing.
const TEXT_KEYS: &[&str] = &[
    "type",
    "text",
    "annotations",
    "logprobs",
    "prompt_cache_breakpoint",
];

/// A key that costs nothing in a text part if its value is an empty object: eight recordings have it in each part.
const EXTRA: &str = "additional_properties";

/// Reads a text part.
fn text<'v>(path: &Path<'_>, value: Value<'v>) -> Result<Part<'v>, Error> {
    let extra = value.get(EXTRA).and_then(Value::as_object);
    if extra.is_some_and(Object::is_empty) {
        path.only(value, &[TEXT_KEYS, &[EXTRA]].concat())?;
    } else {
        path.only(value, TEXT_KEYS)?;
    }
    Ok(Part::Text(path.text_of(value, "text")?))
}

/// Reads an image of chat completions.
fn image(path: &Path<'_>, value: Value<'_>) -> Result<Image, Error> {
    path.only(value, &["type", "image_url"])?;
    let (path, image) = path.must(value, "image_url")?;
    if let Some(url) = image.as_text() {
        return at_url(&path, url, Detail::default());
    }
    path.only(image, &["url", "detail"])?;
    let detail = match path.get(image, "detail")? {
        Some((path, name)) => detail(&path, name)?,
        None => Detail::default(),
    };
    let (path, url) = path.must(image, "url")?;
    at_url(&path, path.text(url)?, detail)
}

/// Reads an image of the Responses API, where the keys are beside the type.
fn input_image(path: &Path<'_>, value: Value<'_>) -> Result<Image, Error> {
    path.only(value, &["type", "image_url", "detail", "file_id"])?;
    if let Some((path, _)) = path.get(value, "file_id")? {
        path.missing("only the service knows the size of an uploaded image")?;
        return Ok(Image::missing());
    }
    let detail = match path.get(value, "detail")? {
        Some((path, name)) => detail(&path, name)?,
        None => Detail::default(),
    };
    let (path, url) = path.must(value, "image_url")?;
    at_url(&path, path.text(url)?, detail)
}

/// The details by their names in a body.
const DETAILS: [(&str, Detail); 4] = [
    ("auto", Detail::Auto),
    ("low", Detail::Low),
    ("high", Detail::High),
    ("original", Detail::Original),
];

/// Reads the detail of an image.
fn detail(path: &Path<'_>, value: Value<'_>) -> Result<Detail, Error> {
    let name = path.text(value)?;
    let found = DETAILS.into_iter().find(|(known, _)| *known == name);
    found.map(|(_, detail)| detail).ok_or_else(|| {
        let problem = format!("unknown detail {name:?}");
        path.invalid_among(&problem, &DETAILS.map(|(known, _)| known))
    })
}

/// Creates the image at a URL; errors have the path of the URL.
fn at_url(path: &Path<'_>, url: &str, detail: Detail) -> Result<Image, Error> {
    if images::is_link(url) {
        if let Some((width, height)) = path.size_of(url) {
            return Ok(Image::new(width, height, detail));
        }
        if detail != Detail::Low {
            path.missing(images::LINK)?;
            return Ok(Image::missing());
        }
    }
    Image::from_url(url, detail).map_err(|error| error.at(path.to_string()))
}
