//! Text and ids as they arrive: types that own what they need.

mod counter;
mod decoder;
mod encoder;
mod tail;

pub use counter::TokenCounter;
pub use decoder::{LossyStreamDecoder, StreamDecoder};
pub use encoder::StreamEncoder;
