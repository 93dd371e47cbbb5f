//! Text and ids as they arrive. These types own all that they need, so they can live as long as a connection.

mod counter;
mod decoder;
mod encoder;
mod tail;

pub use counter::TokenCounter;
pub use decoder::{LossyStreamDecoder, StreamDecoder};
pub use encoder::StreamEncoder;
