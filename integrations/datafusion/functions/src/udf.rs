//! The functions as DataFusion sees them: names, arguments, types, and errors at planning.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use arrow_array::{Array, ArrayRef, Datum, Int64Array};
use arrow_schema::{DataType, Field, FieldRef};
use datafusion_common::{DataFusionError, Result, ScalarValue, plan_err};
use datafusion_expr::{
    ColumnarValue, DocSection, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl,
    Signature, Volatility,
};

use crate::kernels::{self, EncodingArg, Encodings};

/// One of the five functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Count,
    Encode,
    Decode,
    Truncate,
    Chunk,
}

/// The meaning of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Text,
    Ids,
    /// The number `n`.
    Limit,
    Overlap,
    Encoding,
}

impl Kind {
    /// All functions, in the order of their numbers.
    pub(crate) const ALL: [Self; 5] = [
        Self::Count,
        Self::Encode,
        Self::Decode,
        Self::Truncate,
        Self::Chunk,
    ];

    fn name(self) -> &'static str {
        let usage = self.usage();
        &usage[..usage.find('(').unwrap_or(usage.len())]
    }

    fn usage(self) -> &'static str {
        match self {
            Self::Count => "count_tokens(text [, encoding])",
            Self::Encode => "encode_tokens(text [, encoding])",
            Self::Decode => "decode_tokens(ids [, encoding])",
            Self::Truncate => "truncate_tokens(text, n [, encoding])",
            Self::Chunk => "chunk_tokens(text, n [, overlap] [, encoding])",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Count => "Returns the number of tokens of a text.",
            Self::Encode => "Returns the list of token ids of a text.",
            Self::Decode => "Returns the text of a list of token ids.",
            Self::Truncate => "Returns the beginning of a text that has up to n tokens.",
            Self::Chunk => "Splits a text into a list of chunks of up to n tokens each.",
        }
    }

    /// Returns the meaning of each argument, or `None` if there are too few or too many.
    fn roles(self, types: &[DataType]) -> Option<&'static [Role]> {
        use Role::{Encoding, Ids, Limit, Overlap, Text};
        let (required, roles): (_, &[Role]) = match self {
            Self::Count | Self::Encode => (1, &[Text, Encoding]),
            Self::Decode => (1, &[Ids, Encoding]),
            Self::Truncate => (2, &[Text, Limit, Encoding]),
            Self::Chunk => match types {
                [_, _, third] if is_string(third) => (2, &[Text, Limit, Encoding]),
                _ => (2, &[Text, Limit, Overlap, Encoding]),
            },
        };
        (required..=roles.len())
            .contains(&types.len())
            .then(|| &roles[..types.len()])
    }

    /// Returns the type of the result for arguments that have the types of their roles.
    fn return_type(self, first: &DataType) -> DataType {
        match self {
            Self::Count => DataType::Int64,
            Self::Encode if *values_of(first) == DataType::LargeUtf8 => {
                DataType::LargeList(kernels::item_of_ids())
            }
            Self::Encode => DataType::List(kernels::item_of_ids()),
            Self::Decode | Self::Truncate => DataType::Utf8View,
            Self::Chunk => DataType::List(kernels::item_of_chunks()),
        }
    }

    fn call(
        self,
        argument: impl Fn(Role) -> Option<Argument>,
        encoding: &EncodingArg<'_>,
    ) -> std::result::Result<ArrayRef, kernels::Error> {
        let given = |role| argument(role).unwrap_or_else(Argument::zero);
        let text = given(if self == Self::Decode {
            Role::Ids
        } else {
            Role::Text
        });
        match self {
            Self::Count => kernels::count_tokens(&text, encoding),
            Self::Encode => kernels::encode_tokens(&text, encoding),
            Self::Decode => kernels::decode_tokens(&text, encoding),
            Self::Truncate => kernels::truncate_tokens(&text, &given(Role::Limit), encoding),
            Self::Chunk => {
                kernels::chunk_tokens(&text, &given(Role::Limit), &given(Role::Overlap), encoding)
            }
        }
    }
}

impl Role {
    /// Returns the type that an argument of this type becomes, or `None` if the role takes no such argument.
    fn coerced(self, given: &DataType) -> Option<DataType> {
        let values = values_of(given);
        match self {
            // the kernels read dictionaries of strings as they are
            Self::Text | Self::Encoding if is_string(given) => Some(given.clone()),
            Self::Text | Self::Encoding if values.is_null() => Some(DataType::Utf8),
            Self::Limit | Self::Overlap if values.is_integer() || values.is_null() => {
                Some(DataType::Int64)
            }
            Self::Ids => list_of_integers(values),
            _ => None,
        }
    }
}

/// Returns the type of a dictionary's values, or the type itself.
fn values_of(given: &DataType) -> &DataType {
    match given {
        DataType::Dictionary(_, values) => values,
        _ => given,
    }
}

fn is_string(given: &DataType) -> bool {
    values_of(given).is_string()
}

fn list_of_integers(given: &DataType) -> Option<DataType> {
    use DataType::{FixedSizeList, LargeList, List, Null, UInt32};
    match given {
        List(item) | LargeList(item) | FixedSizeList(item, _) if kernels::is_id(item) => {
            Some(given.clone())
        }
        Null => Some(DataType::new_list(UInt32, true)),
        _ => None,
    }
}

/// The encodings of the functions, and the name of that of calls that name none.
#[derive(Debug)]
pub(crate) struct Known {
    encodings: Encodings,
    default: String,
}

impl Known {
    pub(crate) fn new(encodings: Encodings, default: String) -> Self {
        Self { encodings, default }
    }
}

/// A function for DataFusion.
#[derive(Debug)]
pub(crate) struct TokenFunction {
    kind: Kind,
    known: Arc<Known>,
    signature: Signature,
}

impl TokenFunction {
    pub(crate) fn new(kind: Kind, known: Arc<Known>) -> Self {
        Self {
            kind,
            known,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    fn roles(&self, types: &[DataType]) -> Result<&'static [Role]> {
        self.kind
            .roles(types)
            .map_or_else(|| self.misused(types), Ok)
    }

    fn misused<T>(&self, types: &[DataType]) -> Result<T> {
        let given: Vec<_> = types.iter().map(DataType::to_string).collect();
        plan_err!(
            "{} is called as {}, but here with ({})",
            self.kind.name(),
            self.kind.usage(),
            given.join(", ")
        )
    }

    /// Keeps the error as the typed cause of DataFusion's.
    fn raise(&self, error: kernels::Error) -> DataFusionError {
        DataFusionError::External(Box::new(error)).context(self.kind.name())
    }
}

/// Functions are equal if they return equal results for all arguments. Custom encodings cannot be compared, so with them it
/// takes functions of one registration.
impl PartialEq for TokenFunction {
    fn eq(&self, other: &Self) -> bool {
        let is_built_in = |function: &Self| function.known.encodings.custom().next().is_none();
        self.kind == other.kind
            && (Arc::ptr_eq(&self.known, &other.known)
                || is_built_in(self)
                    && is_built_in(other)
                    && self.known.default == other.known.default)
    }
}

impl Eq for TokenFunction {}

impl Hash for TokenFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
        self.known.default.hash(state);
    }
}

impl ScalarUDFImpl for TokenFunction {
    fn name(&self) -> &str {
        self.kind.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let roles = self.roles(types)?;
        let coerced = roles
            .iter()
            .zip(types)
            .map(|(role, given)| role.coerced(given));
        match coerced.collect::<Option<Vec<_>>>() {
            Some(coerced) => Ok(coerced),
            None => self.misused(types),
        }
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.roles(types)?;
        Ok(self.kind.return_type(&types[0]))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<_> = args
            .arg_fields
            .iter()
            .map(|field| field.data_type().clone())
            .collect();
        for (role, literal) in self.roles(&types)?.iter().zip(args.scalar_arguments) {
            let name = literal.and_then(|literal| literal.try_as_str().flatten());
            if let (Role::Encoding, Some(name)) = (role, name) {
                self.known
                    .encodings
                    .get(name)
                    .map_err(|error| self.raise(error))?;
            }
        }
        let is_nullable = args.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(
            self.name(),
            self.return_type(&types)?,
            is_nullable,
        )))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let types: Vec<_> = args.args.iter().map(ColumnarValue::data_type).collect();
        let roles = self.roles(&types)?;
        let arguments = args
            .args
            .iter()
            .map(Argument::new)
            .collect::<Result<Vec<_>>>()?;
        let argument = |role| {
            let place = roles.iter().position(|&other| other == role)?;
            Some(arguments[place].clone())
        };
        let name = argument(Role::Encoding);
        let known = &self.known;
        let encoding = match &name {
            Some(names) => EncodingArg::named(names, &known.encodings),
            None => known
                .encodings
                .get(&known.default)
                .and_then(EncodingArg::one),
        };
        let result = encoding
            .and_then(|encoding| self.kind.call(argument, &encoding))
            .map_err(|error| self.raise(error))?;
        if arguments.iter().all(Argument::is_scalar) {
            return ScalarValue::try_from_array(&result, 0).map(ColumnarValue::Scalar);
        }
        Ok(ColumnarValue::Array(result))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static PAGES: OnceLock<[Documentation; 5]> = OnceLock::new();
        let pages = PAGES.get_or_init(|| {
            Kind::ALL.map(|kind| {
                let section = DocSection {
                    include: true,
                    label: "Token functions",
                    description: None,
                };
                Documentation::builder(section, kind.description(), kind.usage()).build()
            })
        });
        Some(&pages[self.kind as usize])
    }
}

/// An argument: an array, or a scalar as an array of one row.
#[derive(Clone)]
enum Argument {
    Array(ArrayRef),
    Scalar(ArrayRef),
}

impl Argument {
    fn new(value: &ColumnarValue) -> Result<Self> {
        match value {
            ColumnarValue::Array(array) => Ok(Self::Array(Arc::clone(array))),
            ColumnarValue::Scalar(scalar) => scalar.to_array_of_size(1).map(Self::Scalar),
        }
    }

    /// Returns the overlap of a call that names none.
    fn zero() -> Self {
        Self::Scalar(Arc::new(Int64Array::from(vec![0])))
    }

    fn is_scalar(&self) -> bool {
        matches!(self, Self::Scalar(_))
    }
}

impl Datum for Argument {
    fn get(&self) -> (&dyn Array, bool) {
        match self {
            Self::Array(array) => (array, false),
            Self::Scalar(array) => (array, true),
        }
    }
}
