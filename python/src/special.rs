//! tiktoken's two arguments for special tokens, as the crate's [`Special`].

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyFrozenSet, PySet, PyString};
use tiktally::Special;

/// One of the arguments.
pub enum Names {
    All,
    These(Vec<String>),
}

/// Both arguments, which own their names.
pub struct Choice {
    allowed: Names,
    disallowed: Names,
}

impl Choice {
    /// Reads the arguments; the defaults are those of tiktoken.
    pub fn new(
        allowed: Option<&Bound<'_, PyAny>>,
        disallowed: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let is_set = |names: &Bound<'_, PyAny>| {
            names.is_instance_of::<PySet>() || names.is_instance_of::<PyFrozenSet>()
        };
        let allowed = match allowed {
            None => Names::These(Vec::new()),
            Some(names) => match Names::new(names)? {
                Names::These(_) if !is_set(names) => {
                    return Err(PyTypeError::new_err(
                        "allowed_special must be \"all\" or a set of strings",
                    ));
                }
                names => names,
            },
        };
        let disallowed = disallowed.map_or(Ok(Names::All), Names::new)?;
        Ok(Self {
            allowed,
            disallowed,
        })
    }

    /// Calls `call` with the crate's form of this choice.
    pub fn with<T>(&self, call: impl FnOnce(Special<'_>) -> T) -> T {
        let allowed: Vec<&str> = self.allowed.texts();
        let disallowed: Vec<&str> = self.disallowed.texts();
        let special = match &self.allowed {
            Names::All => Special::ALLOW_ALL,
            Names::These(names) if names.is_empty() => Special::REJECT,
            Names::These(_) => Special::allow(&allowed).ignoring_unknown(),
        };
        call(match &self.disallowed {
            Names::All => special,
            Names::These(names) if names.is_empty() => special.others_as_text(),
            Names::These(_) => special.rejecting(&disallowed),
        })
    }
}

impl Names {
    /// Reads `"all"` or a collection of strings.
    fn new(names: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(word) = names.cast::<PyString>() {
            if word.to_cow()? == "all" {
                return Ok(Self::All);
            }
            // tiktoken takes a string as a collection of its characters
            return Ok(Self::These(
                word.to_cow()?.chars().map(String::from).collect(),
            ));
        }
        let names: PyResult<Vec<String>> = names.try_iter()?.map(|name| name?.extract()).collect();
        Ok(Self::These(names?))
    }

    /// Returns the names, none for all.
    fn texts(&self) -> Vec<&str> {
        match self {
            Self::All => Vec::new(),
            Self::These(names) => names.iter().map(String::as_str).collect(),
        }
    }
}
