//! Tests of chat requests.

mod doubts;
mod fit;
mod recorded;
mod refused;
mod requests;
mod typed;
