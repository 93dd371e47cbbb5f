//! Reads Hugging Face's `tokenizer.json`.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::added::{self, Added};
use super::merges::{self, Merges};
use super::{invalid, letters, parse, processors, shown, splits, unsupported};
use crate::builtin::{get_encoding, list_encoding_names};
use crate::encoding::{Builder, Facts};
use crate::error::Error;
use crate::token_id::TokenId;
use crate::vocab::Vocabulary;
use crate::vocab::keyed::Keyed;
use crate::vocab::rank_file::Ranks;

#[derive(serde::Deserialize)]
struct File<'f> {
    #[serde(default)]
    added_tokens: Option<Vec<Added>>,
    #[serde(borrow)]
    normalizer: Option<&'f RawValue>,
    #[serde(borrow)]
    pre_tokenizer: Option<&'f RawValue>,
    #[serde(borrow)]
    post_processor: Option<&'f RawValue>,
    #[serde(borrow)]
    decoder: Option<&'f RawValue>,
    #[serde(borrow)]
    model: Model<'f>,
}

#[derive(serde::Deserialize)]
struct Model<'f> {
    #[serde(rename = "type")]
    kind: Option<String>,
    dropout: Option<f64>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
    byte_fallback: Option<bool>,
    ignore_merges: Option<bool>,
    #[serde(borrow, default)]
    vocab: Vocab<'f>,
    merges: Option<Merges>,
}

/// A string of the file, copied only if it has escapes.
struct Text<'f>(Cow<'f, str>);

impl<'de: 'f, 'f> Deserialize<'de> for Text<'f> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfText;

        impl<'f> Visitor<'f> for OfText {
            type Value = Text<'f>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a token as a string")
            }

            fn visit_borrowed_str<E>(self, text: &'f str) -> Result<Text<'f>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'f>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(OfText)
    }
}

/// The tokens and ids of a model, or `None` if it has a list of tokens, as Unigram does.
#[derive(Default)]
struct Vocab<'f>(Option<Vec<(Cow<'f, str>, u64)>>);

impl<'de: 'f, 'f> Deserialize<'de> for Vocab<'f> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfVocab;

        impl<'f> Visitor<'f> for OfVocab {
            type Value = Vocab<'f>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of tokens and ids")
            }

            fn visit_map<A: MapAccess<'f>>(self, mut map: A) -> Result<Vocab<'f>, A::Error> {
                let mut tokens = Vec::new();
                while let Some(Text(token)) = map.next_key()? {
                    tokens.push((token, map.next_value()?));
                }
                Ok(Vocab(Some(tokens)))
            }

            fn visit_seq<A: SeqAccess<'f>>(self, mut seq: A) -> Result<Vocab<'f>, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Vocab(None))
            }
        }

        deserializer.deserialize_any(OfVocab)
    }
}

/// Sets the parts of a builder from a file.
pub(super) fn load(builder: Builder, file: &[u8]) -> Result<Builder, Error> {
    let file: File<'_> = parse(file)?;
    check_model(&file.model)?;
    let mut facts = Facts {
        needs_nfc: processors::needs_nfc(&part(file.normalizer, "normalizer")?, "normalizer")?,
        ..Facts::default()
    };
    let splitter = splits::splitter(&part(file.pre_tokenizer, "pre_tokenizer")?)?;
    processors::check_decoder(&part(file.decoder, "decoder")?, "decoder")?;
    let template = part(file.post_processor, "post_processor")?;
    processors::add_template(&template, "post_processor", &mut facts)?;
    let added = file.added_tokens.unwrap_or_default();
    let special = added::special_tokens(&added, facts.needs_nfc)?;

    let tokens = file.model.vocab.0.as_deref().unwrap_or_default();
    let (ranks, in_vocab) = ranks(tokens, &special)?;
    let vocabulary = vocabulary(&ranks, "model.vocab")?;
    let Some(regular) = vocabulary.as_regular() else {
        return Err(unsupported(
            "model.vocab",
            "single bytes must have the lowest ids of the ordinary tokens, ids must be below 262,142 and without wide \
             gaps, and a token may have up to 255 bytes",
        ));
    };
    let merges = file.model.merges.unwrap_or_default();
    merges::check(regular, &merges, file.model.ignore_merges == Some(true))?;
    added::check_ids(&special, &in_vocab, tokens.len())?;
    Ok(builder.with_parts(splitter, vocabulary, special, facts))
}

/// The most bytes of each part besides the model. Real ones have up to 10,000.
const MAX_PART_BYTES: usize = 1 << 20;

/// Parses a part of the file that is not the model; null if it is missing.
fn part(text: Option<&RawValue>, place: &str) -> Result<Value, Error> {
    let text = text.map_or("null", RawValue::get);
    if text.len() > MAX_PART_BYTES {
        let problem = format!("it has more than {MAX_PART_BYTES} bytes, which is not supported");
        return Err(unsupported(place, problem));
    }
    serde_json::from_str(text).map_err(|error| invalid(place, error.to_string()))
}

/// Fails if the model is not plain BPE.
fn check_model(model: &Model<'_>) -> Result<(), Error> {
    let is_bpe = match model.kind.as_deref() {
        Some(kind) => kind == "BPE",
        None => model.merges.is_some(),
    };
    if !is_bpe {
        let kind = model.kind.as_deref().unwrap_or("without a name");
        let problem = format!("the model {} is not supported; only BPE is", shown(kind));
        return Err(unsupported("model.type", problem));
    }
    let is_set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let parts = [
        (
            model.dropout.is_some_and(|dropout| dropout != 0.0),
            "dropout",
        ),
        (
            is_set(&model.continuing_subword_prefix),
            "continuing_subword_prefix",
        ),
        (is_set(&model.end_of_word_suffix), "end_of_word_suffix"),
        (model.byte_fallback == Some(true), "byte_fallback"),
    ];
    if let Some((_, part)) = parts.iter().find(|(is_used, _)| *is_used) {
        let problem = "it is not supported; only byte-level BPE without it is";
        return Err(unsupported(format!("model.{part}"), problem));
    }
    match (&model.vocab.0, &model.merges) {
        (None, _) => Err(invalid(
            "model.vocab",
            "there is no table of tokens and ids",
        )),
        (_, None) => Err(invalid("model.merges", "there is no list of merges")),
        _ => Ok(()),
    }
}

/// Returns the ordinary tokens, and the texts of the added tokens among all.
fn ranks<'s>(
    tokens: &[(Cow<'_, str>, u64)],
    special: &'s [(String, TokenId)],
) -> Result<(Ranks, HashSet<&'s str>), Error> {
    let mut in_vocab = HashSet::new();
    let mut ids = HashMap::with_hasher(Keyed::new());
    ids.extend(special.iter().map(|(text, id)| (&**text, *id)));
    let (mut ranks, mut bytes) = (Ranks::default(), Vec::new());
    for (token, id) in tokens {
        let place = || format!("model.vocab[{}]", shown(token));
        if let Some((text, added)) = ids.get_key_value(&**token) {
            if u64::from(*added) == *id {
                in_vocab.insert(*text);
                continue;
            }
            let problem = format!("its id is {id}, but in `added_tokens` it is {added}");
            return Err(invalid(place(), problem));
        }
        let Ok(id) = TokenId::try_from(*id) else {
            let problem = format!("the id {id} is more than {}", TokenId::MAX);
            return Err(invalid(place(), problem));
        };
        bytes.clear();
        if !letters::append_bytes(token, &mut bytes) {
            let problem = "the token is not written in the letters of byte-level BPE, and is not an added token";
            return Err(unsupported(place(), problem));
        }
        ranks.push(&bytes, id);
    }
    Ok((ranks, in_vocab))
}

/// Returns the vocabulary of these tokens. That of a built-in encoding with the same tokens is shared: the file of gpt-oss
/// has those of o200k_base, and loads in half of the time.
pub(super) fn vocabulary(ranks: &Ranks, place: &str) -> Result<Arc<Vocabulary>, Error> {
    let built_in = list_encoding_names().iter();
    let mut built_in = built_in.filter_map(|name| get_encoding(name).ok());
    if let Some(same) = built_in.find(|encoding| ranks.are_all_of(encoding.vocab())) {
        return Ok(same.shared_vocab());
    }
    let vocabulary = ranks.vocabulary(false).map(Arc::new);
    vocabulary.map_err(|error| invalid(place, error.to_string()))
}
