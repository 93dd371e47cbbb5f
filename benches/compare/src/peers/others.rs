//! The other crates, each with its adapter. Checking them takes minutes, so a feature turns them on.

use std::fs;
use std::sync::{Arc, LazyLock};

use base64::{Engine, engine::general_purpose::STANDARD};
use fastokens::tiktoken::TiktokenConfig;
use tiktally::TokenId;
use tokenizers::pipeline::{EncodeOptions, PipelineTokenizer};
use wordchipper::pretrained::openai::OATokenizer;
use wordchipper::vocab::SpecialFilter;
use wordchipper::{TokenDecoder, TokenDecoderOptions, TokenEncoder, TokenEncoderOptions};

use super::{Entry, Failure, Loaded, Peer, Source, ready};

/// The tokenizers in the order of the tables.
#[rustfmt::skip]
pub const PEERS: [Entry; 12] = [
    Entry { name: "fastokens 0.3.5", load: fastokens },
    Entry { name: "tokenizers 1.0.0-rc.3", load: tokenizers },
    Entry { name: "toktok-rs 0.3.0", load: toktok },
    Entry { name: "splintr 0.22.0", load: splintr },
    Entry { name: "tiktoken 4.1.2", load: tiktoken },
    Entry { name: "tokie 0.1.4", load: tokie },
    Entry { name: "bpe-openai 0.3.2", load: bpe_openai },
    Entry { name: "tiktoken-rs 0.12.1", load: tiktoken_rs },
    Entry { name: "riptoken 0.3.0", load: riptoken },
    Entry { name: "wordchipper 0.9.2", load: wordchipper },
    Entry { name: "kitoken 0.11.1", load: kitoken },
    Entry { name: "tokenizers 0.23.2", load: tokenizers_0 },
];

impl Source<'_> {
    fn ranks(&self) -> Result<Vec<(Vec<u8>, TokenId)>, Failure> {
        let line = |line: &str| {
            let (token, rank) = line.split_once(' ').ok_or("no rank")?;
            Ok((STANDARD.decode(token)?, rank.parse()?))
        };
        fs::read_to_string(&self.ranks)?.lines().map(line).collect()
    }
}

/// Loads fastokens, whose scanner for GPT-2's pattern is only used for a `tokenizer.json`.
fn fastokens(source: &Source) -> Loaded {
    let config = match source.name {
        "cl100k_base" => TiktokenConfig::cl100k_base(),
        "o200k_base" => TiktokenConfig::o200k_base(),
        _ => {
            let json = serde_json::from_str(&fs::read_to_string(&source.tokenizer_json)?)?;
            return ready(fastokens::Tokenizer::from_json(json)?);
        }
    };
    ready(fastokens::Tokenizer::from_tiktoken_ranks(
        &source.ranks()?,
        config,
    )?)
}

impl Peer for fastokens::Tokenizer {
    fn encode(&self, text: &str) -> Vec<TokenId> {
        self.encode_ordinary(text).unwrap()
    }

    fn decode(&self, ids: &[TokenId]) -> Vec<u8> {
        self.decode(ids, false).unwrap().into_bytes()
    }
}

struct Tokenizers(PipelineTokenizer, EncodeOptions);

fn tokenizers(source: &Source) -> Loaded {
    let json = tokenizers::canonicalize_str(&fs::read_to_string(&source.tokenizer_json)?)?;
    ready(Tokenizers(
        tokenizers::from_json(&json)?,
        EncodeOptions::no_specials(),
    ))
}

impl Peer for Tokenizers {
    fn encode(&self, text: &str) -> Vec<TokenId> {
        let mut ids = Vec::with_capacity(text.len() / 4);
        self.0.encode_into(text, &self.1, &mut ids).unwrap();
        ids.into_iter().map(u32::from).collect()
    }

    fn decode(&self, ids: &[TokenId]) -> Vec<u8> {
        self.0.decode(ids, false).unwrap().into_bytes()
    }
}

/// Loads tokenizers in the version line before its rewrite.
fn tokenizers_0(source: &Source) -> Loaded {
    ready(tokenizers_0::Tokenizer::from_file(&source.tokenizer_json)?)
}

impl Peer for tokenizers_0::Tokenizer {
    fn encode(&self, text: &str) -> Vec<TokenId> {
        self.encode_fast(text, false).unwrap().get_ids().to_vec()
    }

    fn decode(&self, ids: &[TokenId]) -> Vec<u8> {
        let text = tokenizers_0::TokenizerImpl::decode(self, ids, false);
        text.unwrap().into_bytes()
    }
}

fn toktok(source: &Source) -> Loaded {
    match source.name {
        name @ ("cl100k_base" | "o200k_base") => {
            ready(toktok::Tokenizer::builtin(name).map_err(|error| format!("{error:?}"))?)
        }
        _ => Ok(None),
    }
}

impl Peer for toktok::Tokenizer {
    fn encode(&self, text: &str) -> Vec<TokenId> {
        self.encode(text.as_bytes())
    }

    fn decode(&self, ids: &[TokenId]) -> Vec<u8> {
        self.decode(ids)
    }

    fn count(&self, text: &str) -> Option<usize> {
        Some(self.count(text.as_bytes()))
    }
}

/// Loads splintr, whose scanners know their own form of the patterns.
fn splintr(source: &Source) -> Loaded {
    let pattern = match source.name {
        "r50k_base" | "p50k_base" => splintr::GPT2_PATTERN,
        "cl100k_base" => splintr::CL100K_BASE_PATTERN,
        "o200k_base" => splintr::O200K_BASE_PATTERN,
        _ => return Ok(None),
    };
    let ranks = fs::read(&source.ranks)?;
    let none = splintr::AddedTokenSet::default();
    let tokenizer = splintr::Tokenizer::from_bytes(&ranks, pattern, none);
    ready(tokenizer.map_err(|error| error.to_string())?)
}

impl Peer for splintr::Tokenizer {
    fn encode(&self, text: &str) -> Vec<TokenId> {
        self.encode_ordinary(text)
    }

    fn decode(&self, ids: &[TokenId]) -> Vec<u8> {
        self.decode_bytes(ids).unwrap()
    }
}

fn tiktoken(source: &Source) -> Loaded {
    match tiktoken::get_encoding(source.name) {
        Some(tokenizer) => ready(tokenizer),
        None => Ok(None),
    }
}

impl Peer for &'static tiktoken::CoreBpe {
    fn encode(&self, text: &str) -> Vec<TokenId> {
        tiktoken::CoreBpe::encode(self, text)
    }

    fn decode(&self, ids: &[TokenId]) -> Vec<u8> {
        tiktoken::CoreBpe::decode(self, ids)
    }

    fn count(&self, text: &str) -> Option<usize> {
        Some(tiktoken::CoreBpe::count(self, text))
    }
}

fn tokie(source: &Source) -> Loaded {
    let tokenizer = tokie::Tokenizer::from_json(&source.tokenizer_json);
    ready(tokenizer.map_err(|error| error.to_string())?)
}

impl Peer for tokie::Tokenizer {
    fn encode(&self, text: &str) -> Vec<TokenId> {
        self.encode_ids(text, false)
    }

    fn decode(&self, ids: &[TokenId]) -> Vec<u8> {
        self.decode_bytes(ids)
    }

    fn count(&self, text: &str) -> Option<usize> {
        Some(self.count_tokens(text))
    }
}

fn bpe_openai(source: &Source) -> Loaded {
    match source.name {
        "cl100k_base" => ready(bpe_openai::cl100k_base()),
        "o200k_base" => ready(bpe_openai::o200k_base()),
        _ => Ok(None),
    }
}

impl Peer for &'static bpe_openai::Tokenizer {
    fn encode(&self, text: &str) -> Vec<TokenId> {
        bpe_openai::Tokenizer::encode(self, text)
    }

    fn decode(&self, ids: &[TokenId]) -> Vec<u8> {
        bpe_openai::Tokenizer::decode(self, ids)
            .unwrap()
            .into_bytes()
    }

    fn count(&self, text: &str) -> Option<usize> {
        Some(bpe_openai::Tokenizer::count(self, text))
    }

    fn count_up_to(&self, text: &str, limit: usize) -> Option<usize> {
        let text = self.normalize(text);
        Some(self.count_till_limit(&text, limit).unwrap_or(limit + 1))
    }
}

fn tiktoken_rs(source: &Source) -> Loaded {
    let tokenizer = match source.name {
        "r50k_base" => tiktoken_rs::r50k_base(),
        "p50k_base" => tiktoken_rs::p50k_base(),
        "cl100k_base" => tiktoken_rs::cl100k_base(),
        "o200k_base" => tiktoken_rs::o200k_base(),
        _ => return Ok(None),
    };
    ready(tokenizer.map_err(|error| error.to_string())?)
}

impl Peer for tiktoken_rs::CoreBPE {
    fn encode(&self, text: &str) -> Vec<TokenId> {
        self.encode_ordinary(text)
    }

    fn decode(&self, ids: &[TokenId]) -> Vec<u8> {
        self.decode_bytes(ids).unwrap()
    }

    fn count(&self, text: &str) -> Option<usize> {
        Some(self.count_ordinary(text))
    }
}

/// Loads riptoken with tiktoken's pattern, which comes from this crate because no file has it.
fn riptoken(source: &Source) -> Loaded {
    let pattern = tiktally::get_encoding(source.name)?.pattern();
    let ranks = source.ranks()?.into_iter().collect();
    let tokenizer = riptoken::CoreBPE::new(ranks, Default::default(), pattern);
    ready(tokenizer.map_err(|error| error.to_string())?)
}

impl Peer for riptoken::CoreBPE {
    fn encode(&self, text: &str) -> Vec<TokenId> {
        self.encode_ordinary(text)
    }

    fn decode(&self, ids: &[TokenId]) -> Vec<u8> {
        self.decode_bytes(ids)
    }
}

type Decoder = Arc<dyn TokenDecoder<TokenId>>;

struct Wordchipper {
    encoder: Arc<dyn TokenEncoder<TokenId>>,
    // not a part of what those load who only encode
    decoder: LazyLock<Decoder, Box<dyn FnOnce() -> Decoder + Send>>,
}

/// Loads wordchipper with its hand-made lexers.
fn wordchipper(source: &Source) -> Loaded {
    let tokenizer = match source.name {
        "r50k_base" => OATokenizer::R50kBase,
        "p50k_base" => OATokenizer::P50kBase,
        "cl100k_base" => OATokenizer::Cl100kBase,
        "o200k_base" => OATokenizer::O200kBase,
        _ => return Ok(None),
    };
    let vocab = tokenizer.load_path::<TokenId>(&source.ranks);
    let vocab = Arc::new(vocab.map_err(|error| error.to_string())?);
    let options = TokenEncoderOptions::default().with_accelerated_lexers(true);
    ready(Wordchipper {
        encoder: options.build(vocab.clone()),
        decoder: LazyLock::new(Box::new(|| TokenDecoderOptions::default().build(vocab))),
    })
}

impl Peer for Wordchipper {
    fn encode(&self, text: &str) -> Vec<TokenId> {
        let none = Some(&SpecialFilter::IncludeNone);
        self.encoder.try_encode(text, none).unwrap()
    }

    fn decode(&self, ids: &[TokenId]) -> Vec<u8> {
        let decoded = self.decoder.try_decode_to_bytes(ids).unwrap();
        decoded.try_result().unwrap()
    }
}

fn kitoken(source: &Source) -> Loaded {
    let tokenizer = kitoken::Kitoken::from_tiktoken_file(&source.ranks);
    ready(tokenizer.map_err(|error| format!("{error:?}"))?)
}

impl Peer for kitoken::Kitoken {
    fn encode(&self, text: &str) -> Vec<TokenId> {
        self.encode(text, false).unwrap()
    }

    fn decode(&self, ids: &[TokenId]) -> Vec<u8> {
        self.decode(ids, false).unwrap()
    }
}
