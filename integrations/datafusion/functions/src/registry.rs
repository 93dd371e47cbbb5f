//! The functions for a session.

use std::sync::Arc;

use datafusion_common::{DataFusionError, Result};
use datafusion_expr::ScalarUDF;
use datafusion_expr::registry::FunctionRegistry;
use tiktally::Encoding;

use crate::kernels::{Encodings, Error};
use crate::udf::{Kind, Known, TokenFunction};

/// The encoding of a call that names none, unless [`Functions::default_encoding`] sets another one.
pub const DEFAULT_ENCODING: &str = "o200k_base";

/// Returns the five functions with the built-in encodings.
pub fn all_functions() -> Vec<Arc<ScalarUDF>> {
    let known = Known::new(Encodings::default(), DEFAULT_ENCODING.to_owned());
    functions_with(&Arc::new(known))
}

/// Registers the five functions with the built-in encodings.
///
/// ```
/// use datafusion::prelude::SessionContext;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> datafusion::error::Result<()> {
/// let mut context = SessionContext::new();
/// datafusion_functions_tiktally::register_all(&mut context)?;
/// let counted = context.sql("SELECT count_tokens('hello world', 'cl100k_base') AS n").await?;
/// assert_eq!(counted.to_string().await?.lines().nth(3), Some("| 2 |"));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The error of the registry, if it takes no functions.
pub fn register_all(registry: &mut dyn FunctionRegistry) -> Result<()> {
    Functions::new().register(registry)
}

/// The functions with another default encoding, or with custom encodings.
///
/// Functions travel between machines by name only. Build them from the same code on every machine: in Ballista those are
/// the client, the scheduler and each executor.
///
/// ```
/// use datafusion_functions_tiktally::Functions;
///
/// let chat = tiktally::cl100k_base().extend("cl100k_im").special_token("<|im_start|>", 100_264).build()?;
/// let functions = Functions::new().default_encoding("cl100k_base").encoding(chat).functions()?;
/// assert_eq!(functions[0].name(), "count_tokens");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Functions {
    default: String,
    custom: Vec<Encoding>,
}

impl Default for Functions {
    fn default() -> Self {
        Self::new()
    }
}

impl Functions {
    /// Creates the functions with the built-in encodings and [`DEFAULT_ENCODING`].
    pub fn new() -> Self {
        Self {
            default: DEFAULT_ENCODING.to_owned(),
            custom: Vec::new(),
        }
    }

    /// Sets the encoding of calls that name none: a built-in or a custom one.
    pub fn default_encoding(mut self, name: impl Into<String>) -> Self {
        self.default = name.into();
        self
    }

    /// Adds a custom encoding, which SQL calls by [its own name](Encoding::name).
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.custom.push(encoding);
        self
    }

    /// Returns the five functions.
    ///
    /// # Errors
    /// [`Error::UnknownEncoding`] if the default encoding is unknown, [`Error::NameTaken`] if a custom encoding has the
    /// name of another one, and [`Error::CanFail`] if one cannot encode every text.
    pub fn functions(self) -> std::result::Result<Vec<Arc<ScalarUDF>>, Error> {
        let mut encodings = Encodings::default();
        for encoding in self.custom {
            encodings.add(encoding)?;
        }
        encodings.get(&self.default)?;
        Ok(functions_with(&Arc::new(Known::new(
            encodings,
            self.default,
        ))))
    }

    /// Registers the five functions.
    ///
    /// # Errors
    /// Those of [`functions`](Self::functions), as the cause of a [`DataFusionError::External`], and those of the registry.
    pub fn register(self, registry: &mut dyn FunctionRegistry) -> Result<()> {
        let functions = self
            .functions()
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        for function in functions {
            registry.register_udf(function)?;
        }
        Ok(())
    }
}

fn functions_with(known: &Arc<Known>) -> Vec<Arc<ScalarUDF>> {
    Kind::ALL
        .map(|kind| Arc::new(TokenFunction::new(kind, Arc::clone(known)).into()))
        .to_vec()
}
