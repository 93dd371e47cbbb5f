//! tiktoken's two arguments for special tokens, as the crate's [`Special`].

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyFrozenSet, PySet, PyString};
use tiktally::{Encoding, Special, SpecialSet};

use crate::errors::raise;

/// The names in one of the arguments.
pub enum Names {
    All,
    These(Vec<String>),
    /// A set of more than [`FEW_NAMES`]: reading them takes longer than encoding a short text.
    Many(Py<PyAny>),
}

/// Sets of more names than this are prepared once and kept.
const FEW_NAMES: usize = 8;

/// Sets of names that were prepared for an encoding, the last ones first.
#[derive(Default)]
pub struct Kept(Mutex<Vec<Prepared>>);

struct Prepared {
    /// A copy of the set: the caller can change its own.
    allowed: Py<PyFrozenSet>,
    rejects_others: bool,
    set: Arc<SpecialSet>,
}

/// The most sets that are kept.
const MAX_KEPT: usize = 4;

/// The argument `allowed_special`: `"all"` or a set of strings.
pub struct Allowed(Names);

/// The argument `disallowed_special`: `"all"`, a collection of strings, or a false value such as `None` for no strings.
pub struct Disallowed(Names);

/// Both arguments, which own their names.
pub enum Choice {
    Names { allowed: Names, disallowed: Names },
    Set(Arc<SpecialSet>),
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
        // a subclass can be equal to any other set
        let is_plain =
            names.is_exact_instance_of::<PySet>() || names.is_exact_instance_of::<PyFrozenSet>();
        if is_plain && names.len()? > FEW_NAMES {
            return Ok(Self(Names::Many(names.to_owned().unbind())));
        }
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
        // tiktoken does not look at what is false, such as None
        if !names.is_truthy()? {
            return Ok(Self(Names::These(Vec::new())));
        }
        Names::new(&names).map(Self)
    }
}

impl Choice {
    /// Takes both arguments of a call of an encoding, which keeps large sets.
    pub fn new(
        py: Python<'_>,
        encoding: &Encoding,
        kept: &Kept,
        Allowed(allowed): Allowed,
        Disallowed(disallowed): Disallowed,
    ) -> PyResult<Self> {
        let rejects_others = match &disallowed {
            Names::All => Some(true),
            Names::These(names) if names.is_empty() => Some(false),
            _ => None,
        };
        match (allowed, rejects_others) {
            (Names::Many(names), Some(rejects_others)) => kept
                .prepared(py, encoding, names.bind(py), rejects_others)
                .map(Self::Set),
            (Names::Many(names), None) => Ok(Self::Names {
                allowed: Names::new(names.bind(py))?,
                disallowed,
            }),
            (allowed, _) => Ok(Self::Names {
                allowed,
                disallowed,
            }),
        }
    }

    /// Calls `call` with the crate's form of this choice.
    pub fn with<T>(&self, call: impl FnOnce(Special<'_>) -> T) -> T {
        let (allowed, disallowed) = match self {
            Self::Set(set) => return call(Special::set(set)),
            Self::Names {
                allowed,
                disallowed,
            } => (allowed, disallowed),
        };
        let (allowed_texts, disallowed_texts) = (allowed.texts(), disallowed.texts());
        let special = match allowed {
            Names::All => Special::ALLOW_ALL,
            Names::These(names) if names.is_empty() => Special::REJECT,
            _ => Special::allow(&allowed_texts).ignoring_unknown(),
        };
        call(match disallowed {
            Names::All => special,
            Names::These(names) if names.is_empty() => special.others_as_text(),
            _ => special.rejecting(&disallowed_texts),
        })
    }
}

impl Kept {
    /// Returns a set of names in the crate's form, prepared now or before.
    fn prepared(
        &self,
        py: Python<'_>,
        encoding: &Encoding,
        allowed: &Bound<'_, PyAny>,
        rejects_others: bool,
    ) -> PyResult<Arc<SpecialSet>> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // comparing can run code of the caller, so the lock is not held then
        let known: Vec<_> = lock()
            .iter()
            .filter(|kept| kept.rejects_others == rejects_others)
            .map(|kept| (kept.allowed.clone_ref(py), Arc::clone(&kept.set)))
            .collect();
        for (names, set) in known {
            if names.bind(py).eq(allowed)? {
                return Ok(set);
            }
        }
        // the names are read from the copy: another thread can change the set meanwhile
        let allowed = PyFrozenSet::new(py, allowed.try_iter()?.collect::<PyResult<Vec<_>>>()?)?;
        let names = Names::new(&allowed)?;
        let texts = names.texts();
        let special = Special::allow(&texts).ignoring_unknown();
        let special = match rejects_others {
            true => special,
            false => special.others_as_text(),
        };
        let set = Arc::new(encoding.special_set(special).map_err(raise)?);
        let kept = Prepared {
            allowed: allowed.unbind(),
            rejects_others,
            set: Arc::clone(&set),
        };
        let mut sets = lock();
        sets.insert(0, kept);
        // an object that is dropped can run code of the caller, so the lock is not held then
        let kept = sets.len().min(MAX_KEPT);
        let dropped = sets.split_off(kept);
        drop(sets);
        drop(dropped);
        Ok(set)
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
            Self::All | Self::Many(_) => Vec::new(),
            Self::These(names) => names.iter().map(String::as_str).collect(),
        }
    }
}
