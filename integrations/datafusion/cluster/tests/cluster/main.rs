//! Tests of the command as processes. They are one program, since linking the engine takes longer than running them.

mod command;
mod common;
mod faults;
