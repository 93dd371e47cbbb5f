//! Tests of chat requests.

mod at_least;
mod doubts;
mod fit;
mod recorded;
mod refused;
mod requests;
mod typed;
