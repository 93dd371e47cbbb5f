//! Tests of chat requests.

mod apis;
mod at_least;
mod billed;
mod doubts;
mod evidence;
mod fit;
mod recorded;
mod refused;
mod requests;
mod typed;
