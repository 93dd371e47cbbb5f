//! The main signatures of the public API. A change that would break callers does not compile here.

#![allow(clippy::type_complexity)] // the types are written out on purpose

use std::fmt::Debug;
use std::ops::Range;

use tiktally::chat::{self, ChatTokens, Counter, Family, Fitted, Message, Policy, Request};
use tiktally::*;

type Ids = Vec<TokenId>;

/// Asserts that each expression has the type beside it.
macro_rules! types {
    ($($value:expr => $type:ty;)*) => { $(const _: $type = $value;)* };
}

types! {
    get_encoding => fn(&str) -> Result<&'static Encoding, Error>;
    encoding_for_model => fn(&str) -> Result<&'static Encoding, Error>;
    encoding_name_for_model => fn(&str) -> Result<&'static str, Error>;
    list_encoding_names => fn() -> &'static [&'static str];
    Error::suggestion => fn(&Error) -> Option<&str>;
    context_window => fn(&str) -> Option<ContextWindow>;
    UNICODE_VERSION => (u8, u8, u8);
    MIN_CHUNK_TOKENS => usize;
    set_cache_bytes => fn(usize);
    release_thread_cache => fn();

    Encoding::name => fn(&Encoding) -> &str;
    Encoding::n_vocab => fn(&Encoding) -> usize;
    Encoding::max_token_value => fn(&Encoding) -> TokenId;
    Encoding::eot_token => fn(&Encoding) -> Option<TokenId>;
    Encoding::special_token_id => fn(&Encoding, &str) -> Option<TokenId>;
    Encoding::special_set => fn(&Encoding, Special<'_>) -> Result<SpecialSet, Error>;
    Encoding::is_special_token => fn(&Encoding, TokenId) -> bool;
    Encoding::token_byte_values => fn(&Encoding) -> Vec<&[u8]>;
    Encoding::pattern => fn(&Encoding) -> &str;
    Encoding::prepare => fn(&Encoding);
    Encoding::encode_ordinary => fn(&Encoding, &str) -> Ids;
    Encoding::encode_ordinary_into => fn(&Encoding, &str, &mut Ids);
    Encoding::encode => fn(&Encoding, &str, Special<'_>) -> Result<Ids, Error>;
    Encoding::encode_into => fn(&Encoding, &str, Special<'_>, &mut Ids) -> Result<(), Error>;
    Encoding::encode_piece => fn(&Encoding, &[u8]) -> Ids;
    Encoding::encode_batch_flat => fn(&Encoding, &[String], Special<'_>, usize) -> Result<(Ids, Vec<usize>), Error>;
    Encoding::count_batch_with => fn(&Encoding, &[String], Special<'_>, usize) -> Result<Vec<usize>, Error>;
    Encoding::encode_bytes => fn(&Encoding, &[u8]) -> Ids;
    Encoding::encode_single_token => fn(&Encoding, &'static str) -> Result<TokenId, Error>;
    Encoding::encode_with_unstable => fn(&Encoding, &str, Special<'_>) -> Result<(Ids, Vec<Ids>), Error>;
    Encoding::pieces => for<'t> fn(&Encoding, &'t str) -> Pieces<'t>;
    Encoding::count => fn(&Encoding, &str) -> usize;
    Encoding::count_with => fn(&Encoding, &str, Special<'_>) -> Result<usize, Error>;
    Encoding::count_up_to => fn(&Encoding, &str, usize) -> Option<usize>;
    Encoding::truncate => for<'t> fn(&Encoding, &'t str, usize) -> &'t str;
    Encoding::truncate_start => for<'t> fn(&Encoding, &'t str, usize) -> &'t str;
    Encoding::chunks => for<'t> fn(&Encoding, &'t str, usize) -> Result<Chunks<'t>, Error>;
    Encoding::chunks_overlapping => for<'t> fn(&Encoding, &'t str, usize, usize) -> Result<Chunks<'t>, Error>;
    Chunks::spans => fn(Chunks<'static>) -> Spans<'static>;
    Chunks::prefer => fn(Chunks<'static>, Cut) -> Chunks<'static>;
    Encoding::decode => fn(&Encoding, &[TokenId]) -> Result<String, Error>;
    Encoding::decode_lossy => fn(&Encoding, &[TokenId]) -> Result<String, Error>;
    Encoding::decode_bytes => fn(&Encoding, &[TokenId]) -> Result<Vec<u8>, Error>;
    Encoding::decoded_len => fn(&Encoding, &[TokenId]) -> Result<usize, Error>;
    Encoding::decode_into => fn(&Encoding, &[TokenId], &mut Vec<u8>) -> Result<(), Error>;
    Encoding::decode_single_token_bytes => fn(&Encoding, TokenId) -> Result<&[u8], Error>;
    Encoding::decode_tokens_bytes => for<'e> fn(&'e Encoding, &[TokenId]) -> Result<Vec<&'e [u8]>, Error>;
    Encoding::decode_with_offsets => fn(&Encoding, &[TokenId]) -> Result<(String, Vec<usize>), Error>;
    Encoding::token_ranges => fn(&Encoding, &[TokenId]) -> Result<Vec<Range<usize>>, Error>;

    Encoding::encoder => fn(&Encoding) -> Encoder;
    Encoder::with_cache_bytes => fn(Encoder, usize) -> Encoder;
    Encoder::count => fn(&mut Encoder, &str) -> usize;
    Encoder::encode => fn(&mut Encoder, &str, Special<'_>) -> Result<Ids, Error>;
    Encoder::encode_into => fn(&mut Encoder, &str, Special<'_>, &mut Ids) -> Result<(), Error>;
    Encoder::count_with => fn(&mut Encoder, &str, Special<'_>) -> Result<usize, Error>;
    Encoder::encode_ordinary_into => fn(&mut Encoder, &str, &mut Ids);
    Encoding::token_counter => fn(&Encoding) -> TokenCounter;
    TokenCounter::push => fn(&mut TokenCounter, &str);
    TokenCounter::total => fn(&TokenCounter) -> usize;
    TokenCounter::clear => fn(&mut TokenCounter);
    Encoding::stream_encoder => fn(&Encoding) -> StreamEncoder;
    StreamEncoder::push => fn(&mut StreamEncoder, &str, &mut Ids);
    StreamEncoder::finish => fn(StreamEncoder, &mut Ids);
    Encoding::stream_decoder => fn(&Encoding) -> StreamDecoder;
    StreamDecoder::push => fn(&mut StreamDecoder, TokenId) -> Result<&str, Error>;
    StreamDecoder::finish => fn(StreamDecoder) -> Result<(), Error>;
    Encoding::stream_decoder_lossy => fn(&Encoding) -> LossyStreamDecoder;
    LossyStreamDecoder::push => fn(&mut LossyStreamDecoder, TokenId) -> Result<&str, Error>;
    LossyStreamDecoder::finish => fn(LossyStreamDecoder) -> &'static str;

    Special::allow => fn(&'static [&'static str]) -> Special<'static>;
    Special::reject => fn(&'static [&'static str]) -> Special<'static>;
    Special::rejecting => fn(Special<'static>, &'static [&'static str]) -> Special<'static>;
    Special::ignoring_unknown => fn(Special<'static>) -> Special<'static>;
    Special::set => fn(&'static SpecialSet) -> Special<'static>;
    Special::others_as_text => fn(Special<'static>) -> Special<'static>;
    [Special::REJECT, Special::ALLOW_ALL, Special::AS_TEXT] => [Special<'static>; 3];

    Counter::for_model => fn(&str) -> Result<Counter, Error>;
    Counter::new => fn(Family, &Encoding) -> Counter;
    Counter::with_family => fn(Counter, Family) -> Counter;
    Counter::count => fn(&Counter, &Request<'_>) -> Result<ChatTokens, Error>;
    Counter::estimate => fn(&Counter, &Request<'_>) -> Result<ChatTokens, Error>;
    Counter::remaining => fn(&Counter, &Request<'_>) -> Result<Option<i64>, Error>;
    Counter::fit => fn(&Counter, Vec<Message<'static>>, usize, Policy) -> Result<Fitted<'static>, Error>;
    ContextWindow::remaining => fn(&ContextWindow, usize) -> i64;

    Error::feature => fn(&Error) -> Option<&str>;
    Error::special_token => fn(&Error) -> Option<&str>;
    Error::path => fn(&Error) -> Option<&str>;
    Error::position => fn(&Error) -> Option<usize>;
    Error::batch_index => fn(&Error) -> Option<usize>;
    Error::index => fn(&Error) -> Option<usize>;
    Error::line => fn(&Error) -> Option<usize>;
    Error::token => fn(&Error) -> Option<TokenId>;
    [
        Error::is_unknown_encoding, Error::is_missing_feature, Error::is_unknown_model, Error::is_disallowed_special,
        Error::is_invalid_special, Error::is_unknown_token, Error::is_unknown_token_bytes, Error::is_invalid_utf8,
        Error::is_limit_too_small, Error::is_unstable_too_long, Error::is_invalid_ranks, Error::is_hash_mismatch,
        Error::is_io, Error::is_invalid_pattern, Error::is_pattern_limit, Error::is_invalid_chat,
        Error::is_unsupported_content, Error::is_estimate_only,
    ] => [fn(&Error) -> bool; 18];
}

#[cfg(feature = "custom")]
types! {
    Encoding::builder => fn(&'static str) -> Builder;
    Encoding::extend => fn(&Encoding, &'static str) -> Builder;
    Encoding::try_count => fn(&Encoding, &str) -> Result<usize, Error>;
    Encoding::can_fail => fn(&Encoding) -> bool;
    Encoding::try_encode_ordinary_into => fn(&Encoding, &str, &mut Ids) -> Result<(), Error>;
    Encoding::try_encode_ordinary => fn(&Encoding, &str) -> Result<Ids, Error>;
    Builder::pattern => fn(Builder, &'static str) -> Builder;
    Builder::backtracking_pattern => fn(Builder, &'static str) -> Builder;
    Builder::any_pattern => fn(Builder, &'static str) -> Builder;
    Builder::gaps => fn(Builder, Gaps) -> Builder;
    Builder::ranks => fn(Builder, Vec<(Vec<u8>, TokenId)>) -> Builder;
    Builder::ranks_from_tiktoken => fn(Builder, &'static [u8]) -> Result<Builder, Error>;
    Builder::ranks_from_tiktoken_checked => fn(Builder, &'static [u8], &str) -> Result<Builder, Error>;
    Builder::max_rank_bytes => fn(Builder, u64) -> Builder;
    Builder::special_token => fn(Builder, &'static str, TokenId) -> Builder;
    Builder::allow_missing_bytes => fn(Builder) -> Builder;
    Builder::allow_shared_special_ids => fn(Builder) -> Builder;
    Builder::build => fn(Builder) -> Result<Encoding, Error>;
    write_tiktoken => fn(&Encoding, Vec<u8>) -> Result<(), Error>;
}

#[cfg(feature = "tokenizer-json")]
types! {
    Encoding::from_tokenizer_json => fn(&'static str, &'static [u8]) -> Result<Encoding, Error>;
    Encoding::from_tekken_json => fn(&'static str, &'static [u8]) -> Result<Encoding, Error>;
    Encoding::needs_nfc => fn(&Encoding) -> bool;
    Encoding::ids_before_text => fn(&Encoding) -> &[TokenId];
    Encoding::ids_after_text => fn(&Encoding) -> &[TokenId];
    Builder::tokenizer_json => fn(Builder, &'static [u8]) -> Result<Builder, Error>;
    Builder::tekken_json => fn(Builder, &'static [u8]) -> Result<Builder, Error>;
    Builder::special_tokens_from_config => fn(Builder, &'static [u8]) -> Result<Builder, Error>;
    [Error::is_invalid_tokenizer, Error::is_unsupported_tokenizer] => [fn(&Error) -> bool; 2];
}

#[cfg(feature = "rayon")]
types! {
    Encoding::encode_ordinary_batch => fn(&Encoding, &[String]) -> Vec<Ids>;
    Encoding::encode_batch => fn(&Encoding, &[&'static str], Special<'_>) -> Result<Vec<Ids>, Error>;
    Encoding::count_batch => fn(&Encoding, &[String]) -> Vec<usize>;
    Encoding::decode_batch => fn(&Encoding, &[Ids]) -> Result<Vec<String>, Error>;
    Encoding::decode_bytes_batch => fn(&Encoding, &[Ids]) -> Result<Vec<Vec<u8>>, Error>;
    Encoding::encode_ordinary_parallel => fn(&Encoding, &str) -> Ids;
}

#[cfg(feature = "graphemes")]
types! {
    Encoding::truncate_graphemes => for<'t> fn(&Encoding, &'t str, usize) -> &'t str;
    Encoding::truncate_start_graphemes => for<'t> fn(&Encoding, &'t str, usize) -> &'t str;
}

#[cfg(feature = "json")]
types! {
    chat::count_json => fn(&str) -> Result<ChatTokens, Error>;
    chat::estimate_json => fn(&str) -> Result<ChatTokens, Error>;
    Counter::count_json => fn(&Counter, &str) -> Result<ChatTokens, Error>;
    Counter::estimate_json => fn(&Counter, &str) -> Result<ChatTokens, Error>;
    chat::Tool::parameters_json => fn(chat::Tool<'static>, &'static str) -> Result<chat::Tool<'static>, Error>;
    chat::Image::from_data_url => fn(&str, chat::Detail) -> Result<chat::Image, Error>;
}

fn shared<T: Send + Sync + Debug + 'static>() {}

fn copied<T: Clone + Send + Sync + Debug + 'static>() {}

fn yields<T>(_: impl Iterator<Item = T>) {}

/// Every public type can be shared by threads and printed.
#[test]
fn types() {
    shared::<Encoder>();
    shared::<Error>();
    copied::<(Encoding, Pieces<'_>, Chunks<'_>, Spans<'_>, ChunkSpan, Cut)>();
    copied::<(Special<'_>, ContextWindow, TokenCounter)>();
    copied::<(StreamEncoder, StreamDecoder, LossyStreamDecoder)>();
    copied::<(Counter, Family, ChatTokens, chat::Exactness)>();
    copied::<(Request<'_>, Message<'_>, chat::Part<'_>, chat::Image)>();
    copied::<(chat::Detail, chat::Tool<'_>, chat::ToolCall<'_>)>();
    copied::<(chat::ToolChoice<'_>, chat::ResponseFormat<'_>)>();
    copied::<(Fitted<'_>, Policy)>();
    #[cfg(feature = "custom")]
    copied::<(Builder, Gaps)>();
    assert!(size_of::<Error>() <= 16);
}

#[test]
fn iterators() {
    for name in list_encoding_names() {
        let encoding = get_encoding(name).unwrap();
        yields::<(&str, TokenId)>(encoding.special_tokens());
        yields::<(TokenId, &[u8])>(encoding.tokens());
        yields::<&str>(encoding.pieces("text"));
        yields::<&str>(encoding.chunks("text", 8).unwrap());
        yields::<ChunkSpan>(encoding.chunks("text", 8).unwrap().spans());
    }
}
