//! The other tokenizers: how each is made ready, and its call that is tiktoken's `encode_ordinary`.

use std::error::Error;
use std::path::PathBuf;

use fastokens::tiktoken::TiktokenConfig;
use tiktally::{Encoding, TokenId};
use tokenizers::pipeline::EncodeOptions;
use wordchipper::TokenEncoderOptions;
use wordchipper::pretrained::openai::OATokenizer;
use wordchipper::vocab::SpecialFilter;

use crate::tokenizer_json;

pub type Encode = Box<dyn Fn(&str) -> Vec<TokenId>>;

/// Ready to encode, or `None`: the peer does not have this encoding.
type Loaded = Result<Option<Encode>, Box<dyn Error + Send + Sync>>;

pub struct Peer {
    pub name: &'static str,
    pub load: fn(&'static Encoding) -> Loaded,
}

/// All of them, this crate first.
pub const PEERS: [Peer; 9] = [
    Peer {
        name: "tiktally",
        load: |encoding| ready(|text| encoding.encode_ordinary(text)),
    },
    Peer {
        name: "fastokens 0.3.5",
        load: fastokens,
    },
    Peer {
        name: "tokenizers 1.0.0-rc.3",
        load: tokenizers,
    },
    Peer {
        name: "toktok-rs 0.3.0",
        load: toktok,
    },
    Peer {
        name: "tiktoken 4.1.2",
        load: tiktoken,
    },
    Peer {
        name: "bpe-openai 0.3.2",
        load: bpe_openai,
    },
    Peer {
        name: "tiktoken-rs 0.12.1",
        load: tiktoken_rs,
    },
    Peer {
        name: "riptoken 0.3.0",
        load: riptoken,
    },
    Peer {
        name: "wordchipper 0.9.2",
        load: wordchipper,
    },
];

fn ready(encode: impl Fn(&str) -> Vec<TokenId> + 'static) -> Loaded {
    Ok(Some(Box::new(encode)))
}

fn ranks(encoding: &Encoding) -> impl Iterator<Item = (Vec<u8>, TokenId)> {
    encoding.tokens().map(|(id, bytes)| (bytes.to_vec(), id))
}

/// Its scanner for GPT-2's pattern is only used by what comes from a `tokenizer.json`.
fn fastokens(encoding: &'static Encoding) -> Loaded {
    let config = match encoding.name() {
        "cl100k_base" => TiktokenConfig::cl100k_base(),
        "o200k_base" => TiktokenConfig::o200k_base(),
        _ => {
            let tokenizer = fastokens::Tokenizer::from_json(tokenizer_json::of(encoding))?;
            return ready(move |text| tokenizer.encode_ordinary(text).unwrap());
        }
    };
    let ranks: Vec<_> = ranks(encoding).collect();
    let tokenizer = fastokens::Tokenizer::from_tiktoken_ranks(&ranks, config)?;
    ready(move |text| tokenizer.encode_ordinary(text).unwrap())
}

fn tokenizers(encoding: &'static Encoding) -> Loaded {
    let json = tokenizers::canonicalize_str(&tokenizer_json::of(encoding).to_string())?;
    let tokenizer = tokenizers::from_json(&json)?;
    let options = EncodeOptions::no_specials();
    ready(move |text| {
        let mut ids = Vec::with_capacity(text.len() / 4);
        tokenizer.encode_into(text, &options, &mut ids).unwrap();
        ids.into_iter().map(u32::from).collect()
    })
}

fn toktok(encoding: &'static Encoding) -> Loaded {
    match encoding.name() {
        name @ ("cl100k_base" | "o200k_base") => {
            let tokenizer =
                toktok::Tokenizer::builtin(name).map_err(|error| format!("{error:?}"))?;
            ready(move |text| tokenizer.encode(text.as_bytes()))
        }
        _ => Ok(None),
    }
}

fn tiktoken(encoding: &'static Encoding) -> Loaded {
    match tiktoken::get_encoding(encoding.name()) {
        Some(tokenizer) => ready(|text| tokenizer.encode(text)),
        None => Ok(None),
    }
}

fn bpe_openai(encoding: &'static Encoding) -> Loaded {
    let tokenizer = match encoding.name() {
        "cl100k_base" => bpe_openai::cl100k_base(),
        "o200k_base" => bpe_openai::o200k_base(),
        _ => return Ok(None),
    };
    ready(|text| tokenizer.encode(text))
}

fn tiktoken_rs(encoding: &'static Encoding) -> Loaded {
    let tokenizer = match encoding.name() {
        "r50k_base" => tiktoken_rs::r50k_base(),
        "p50k_base" => tiktoken_rs::p50k_base(),
        "cl100k_base" => tiktoken_rs::cl100k_base(),
        "o200k_base" => tiktoken_rs::o200k_base(),
        _ => return Ok(None),
    }
    .map_err(|error| error.to_string())?;
    ready(move |text| tokenizer.encode_ordinary(text))
}

/// Takes any pattern: tiktoken's own.
fn riptoken(encoding: &'static Encoding) -> Loaded {
    let tokenizer = riptoken::CoreBPE::new(
        ranks(encoding).collect(),
        Default::default(),
        encoding.pattern(),
    )
    .map_err(|error| error.to_string())?;
    ready(move |text| tokenizer.encode_ordinary(text))
}

/// With its hand-made lexers.
fn wordchipper(encoding: &'static Encoding) -> Loaded {
    let tokenizer = match encoding.name() {
        "r50k_base" => OATokenizer::R50kBase,
        "p50k_base" => OATokenizer::P50kBase,
        "cl100k_base" => OATokenizer::Cl100kBase,
        "o200k_base" => OATokenizer::O200kBase,
        _ => return Ok(None),
    };
    let file = format!(
        "{}/../../data/{}.tiktoken",
        env!("CARGO_MANIFEST_DIR"),
        encoding.name()
    );
    let vocab = tokenizer
        .load_path::<u32>(PathBuf::from(file))
        .map_err(|error| error.to_string())?;
    let options = TokenEncoderOptions::default().with_accelerated_lexers(true);
    let encoder = options.build(vocab.into());
    ready(move |text| {
        encoder
            .try_encode(text, Some(&SpecialFilter::IncludeNone))
            .unwrap()
    })
}
