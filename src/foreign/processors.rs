//! Reads the normalizer, the decoder and the post-processor of a `tokenizer.json`.

use serde_json::Value;

use super::{invalid, shown, unsupported};
use crate::encoding::Facts;
use crate::error::Error;
use crate::token_id::TokenId;

/// The most ids that a file may put around a text. Real ones put one or two.
const MAX_IDS_AROUND: usize = 1_000;

/// Returns the `type` of a part.
pub(super) fn kind<'v>(value: &'v Value, place: &str) -> Result<&'v str, Error> {
    let kind = value.get("type").and_then(Value::as_str);
    kind.ok_or_else(|| invalid(place, "it has no `type`"))
}

/// Returns the parts of a sequence with their places.
pub(super) fn parts<'v>(
    value: &'v Value,
    list: &str,
    place: &str,
) -> Result<impl Iterator<Item = (String, &'v Value)>, Error> {
    let place = format!("{place}.{list}");
    let parts = value.get(list).and_then(Value::as_array);
    let parts = parts.ok_or_else(|| invalid(&place, "it is not a list"))?;
    let with_place = move |(i, part)| (format!("{place}[{i}]"), part);
    Ok(parts.iter().enumerate().map(with_place))
}

/// Returns whether the normalizer brings text into the form NFC; any other change of the text is refused.
pub(super) fn needs_nfc(value: &Value, place: &str) -> Result<bool, Error> {
    if value.is_null() {
        return Ok(false);
    }
    match kind(value, place)? {
        "NFC" => Ok(true),
        "Sequence" => {
            let mut needs = false;
            for (place, part) in parts(value, "normalizers", place)? {
                needs |= needs_nfc(part, &place)?;
            }
            Ok(needs)
        }
        other => {
            let problem = format!(
                "the normalizer {} changes text, which is not supported",
                shown(other)
            );
            Err(unsupported(place, problem))
        }
    }
}

/// Fails if tokens are not decoded to their bytes.
pub(super) fn check_decoder(value: &Value, place: &str) -> Result<(), Error> {
    if value.is_null() {
        return Ok(());
    }
    match kind(value, place)? {
        "ByteLevel" | "Fuse" => Ok(()),
        "Sequence" => parts(value, "decoders", place)?
            .try_for_each(|(place, part)| check_decoder(part, &place)),
        other => {
            let problem = format!(
                "the decoder {} is not supported; only ByteLevel is",
                shown(other)
            );
            Err(unsupported(place, problem))
        }
    }
}

/// Adds the ids that the post-processor puts around a text.
pub(super) fn add_template(value: &Value, place: &str, facts: &mut Facts) -> Result<(), Error> {
    if value.is_null() {
        return Ok(());
    }
    match kind(value, place)? {
        "ByteLevel" => {}
        "Sequence" => {
            for (place, part) in parts(value, "processors", place)? {
                add_template(part, &place, facts)?;
            }
        }
        "TemplateProcessing" => add_single(value, place, facts)?,
        "RobertaProcessing" | "BertProcessing" => {
            let id = |field: &str| {
                let id = value.get(field).and_then(|pair| token_id(pair.get(1)?));
                id.ok_or_else(|| {
                    invalid(format!("{place}.{field}"), "it is not a token and its id")
                })
            };
            facts.ids_before.insert(0, id("cls")?);
            facts.ids_after.push(id("sep")?);
        }
        other => {
            let problem = format!("the post-processor {} is not supported", shown(other));
            return Err(unsupported(place, problem));
        }
    }
    Ok(())
}

fn token_id(value: &Value) -> Option<TokenId> {
    TokenId::try_from(value.as_u64()?).ok()
}

/// Adds the ids of the template for one text.
fn add_single(value: &Value, place: &str, facts: &mut Facts) -> Result<(), Error> {
    let (mut before, mut after, mut texts) = (Vec::new(), Vec::new(), 0);
    for (place, part) in parts(value, "single", place)? {
        if let Some(token) = part.get("SpecialToken") {
            let name = token.get("id").and_then(Value::as_str);
            let known = value.get("special_tokens");
            let ids = name.and_then(|name| known?.get(name)?.get("ids")?.as_array());
            let ids: Option<Vec<TokenId>> = ids.and_then(|ids| ids.iter().map(token_id).collect());
            let ids =
                ids.ok_or_else(|| invalid(&place, "there are no ids for it in `special_tokens`"))?;
            let all = facts.ids_before.len() + facts.ids_after.len();
            // few bytes of a file can name many ids again and again
            if all + before.len() + after.len() + ids.len() > MAX_IDS_AROUND {
                let problem = format!("it puts more than {MAX_IDS_AROUND} ids around a text");
                return Err(unsupported(place, problem));
            }
            let side = if texts == 0 { &mut before } else { &mut after };
            side.extend(ids);
        } else {
            texts += 1;
        }
    }
    if texts != 1 {
        let problem = format!("the template has {texts} places for the text; 1 is expected");
        return Err(unsupported(format!("{place}.single"), problem));
    }
    before.append(&mut facts.ids_before);
    facts.ids_before = before;
    facts.ids_after.append(&mut after);
    Ok(())
}
