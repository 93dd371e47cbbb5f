//! tiktoken's two arguments for special tokens, as the crate's [`Special`].

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyFrozenSet, PySet, PyString};
use tiktally::Special;

/// The names in one of the arguments.
enum Names {
    All,
    These(Vec<String>),
}

/// The argument `allowed_special`: `"all"` or a set of strings.
pub struct Allowed(Names);

/// The argument `disallowed_special`: `"all"`, a collection of strings, or `None` for no strings.
pub struct Disallowed(Names);

/// Both arguments, which own their names.
pub struct Choice {
    allowed: Names,
    disallowed: Names,
}

impl Allowed {
    /// The default of tiktoken.
    pub const NONE: Self = Self(Names::These(Vec::new()));
}

impl Disallowed {
    /// The default of tiktoken.
    pub const ALL: Self = Self(Names::All);
}

impl FromPyObject<'_, '_> for Allowed {
    type Error = PyErr;

    fn extract(names: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let is_set = names.is_instance_of::<PySet>() || names.is_instance_of::<PyFrozenSet>();
        match Names::new(&names)? {
            Names::These(_) if !is_set => Err(PyTypeError::new_err(
                "allowed_special must be \"all\" or a set of strings",
            )),
            names => Ok(Self(names)),
        }
    }
}

impl FromPyObject<'_, '_> for Disallowed {
    type Error = PyErr;

    fn extract(names: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        // tiktoken looks only at names that are true
        if names.is_none() {
            return Ok(Self(Names::These(Vec::new())));
        }
        Names::new(&names).map(Self)
    }
}

impl Choice {
    /// Takes both arguments.
    pub fn new(Allowed(allowed): Allowed, Disallowed(disallowed): Disallowed) -> Self {
        Self {
            allowed,
            disallowed,
        }
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
