//! The error of every subcommand: what failed, where, and what to do.

use std::fmt;

use ballista_core::error::BallistaError;
use datafusion::error::DataFusionError;

/// The result of a subcommand.
pub type Result<T, E = Problem> = std::result::Result<T, E>;

/// A failure in words for the person at the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    words: String,
    is_usage: bool,
}

impl Problem {
    /// Creates a problem with these words.
    pub fn new(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            is_usage: false,
        }
    }

    /// Creates a problem with the arguments, for which the exit code is 2.
    pub fn usage(words: impl Into<String>) -> Self {
        Self {
            is_usage: true,
            ..Self::new(words)
        }
    }

    /// Returns the exit code of the process.
    pub fn exit_code(&self) -> u8 {
        if self.is_usage { 2 } else { 1 }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl std::error::Error for Problem {}

impl From<DataFusionError> for Problem {
    fn from(error: DataFusionError) -> Self {
        Self::new(explain(&error.strip_backtrace()))
    }
}

impl From<BallistaError> for Problem {
    fn from(error: BallistaError) -> Self {
        Self::new(explain(&error.to_string()))
    }
}

/// Returns words that say what to do, for messages of Ballista that do not, and the message itself.
fn explain(message: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let executor =
        format!("Start every executor with `tiktally-cluster executor` of version {version}");
    let advice = if let Some(name) = missing_function(message, "PhysicalExtensionCodec") {
        format!(
            "an executor has no function {name}. {executor}: another Ballista program, or another version, does not have \
             the function"
        )
    } else if let Some(name) = missing_function(message, "LogicalExtensionCodec") {
        format!(
            "the scheduler has no function {name}. Start it with `tiktally-cluster scheduler` of version {version}"
        )
    } else if message.contains("task could not be prepared or was rejected by executor") {
        // with --policy push, Ballista 55.0.0 keeps the cause in the executor's log
        format!(
            "an executor cannot read the plan, most likely because it has no token functions. {executor}; its log has the \
             cause"
        )
    } else if message.contains("No such file or directory")
        || message.contains("not found: No such")
    {
        "a machine of the cluster cannot open a file. Each executor must see it under the same path: use a shared folder"
            .to_owned()
    } else {
        return message.to_owned();
    };
    format!("{advice}.\nThe message of the cluster: {message}")
}

/// Returns the name of the function that this codec lacks, if a message says so.
fn missing_function<'m>(message: &'m str, codec: &str) -> Option<&'m str> {
    let words = format!("{codec} is not provided for scalar function ");
    let (_, rest) = message.split_once(&words)?;
    let end = rest
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    Some(&rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_that_an_executor_lacks_is_named() {
        let said = explain(
            "Job x failed: This feature is not implemented: PhysicalExtensionCodec is not provided for scalar function count_tokens\n at",
        );
        assert!(
            said.starts_with("an executor has no function count_tokens. Start every executor"),
            "{said}"
        );
        assert!(said.contains("Job x failed"), "{said}");
    }

    #[test]
    fn a_plan_that_an_executor_cannot_read_is_explained() {
        let said = explain("Job x failed: task could not be prepared or was rejected by executor");
        assert!(
            said.contains("no token functions. Start every executor with"),
            "{said}"
        );
    }

    #[test]
    fn other_messages_stay() {
        assert_eq!(
            explain("no encoding is called \"x\""),
            "no encoding is called \"x\""
        );
    }
}
