//! What a YAML scalar means: the scalars of YAML 1.1 as `go.yaml.in/yaml/v2/resolve.go` reads them.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::error::ErrorKind;
use super::node::Value;
use super::number::{self, Number};
use super::timestamp::is_timestamp;

/// The namespace that `!!` stands for.
const YAML_TAGS: &str = "tag:yaml.org,2002:";

/// Go ignores the unused bits of the last character, so this does too.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// A scalar after its tag and its words were looked at, before it becomes a value or a key.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
}

/// The tag of a scalar, as far as it changes what the scalar means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// No tag.
    None,
    Str,
    Bool,
    Int,
    Float,
    Null,
    Timestamp,
    Binary,
    /// `!!merge`, which makes `<<` a merge key even in quotes.
    Merge,
    /// `!`, which makes `<<` a merge key and any other scalar text.
    Bare,
    /// Any other: the scalar is text.
    Other,
}

impl Tag {
    /// The tag whose full name is `prefix` followed by `suffix`.
    pub(super) fn of(prefix: &str, suffix: &str) -> Self {
        if matches!((prefix, suffix), ("!", "") | ("", "!")) {
            return Self::Bare;
        }
        let joined;
        let name = if prefix == YAML_TAGS {
            suffix
        } else {
            joined = format!("{prefix}{suffix}");
            match joined.strip_prefix(YAML_TAGS) {
                Some(name) => name,
                None => return Self::Other,
            }
        };
        match name {
            "str" => Self::Str,
            "bool" => Self::Bool,
            "int" => Self::Int,
            "float" => Self::Float,
            "null" => Self::Null,
            "timestamp" => Self::Timestamp,
            "binary" => Self::Binary,
            "merge" => Self::Merge,
            _ => Self::Other,
        }
    }
}

/// Whether a scalar in key position is the merge key.
pub(super) fn is_merge(text: &str, plain: bool, tag: Tag) -> bool {
    text == "<<"
        && match tag {
            Tag::None => plain,
            Tag::Bare | Tag::Merge => true,
            _ => false,
        }
}

/// Reads a scalar. Quoted and block scalars are text unless a tag says otherwise.
pub(super) fn resolve(text: String, plain: bool, tag: Tag) -> Result<Scalar, ErrorKind> {
    match tag {
        Tag::None if plain => Ok(match meaning(&text) {
            Some(scalar) => scalar,
            None => Scalar::Text(text),
        }),
        Tag::None | Tag::Str | Tag::Merge | Tag::Bare | Tag::Other => Ok(Scalar::Text(text)),
        Tag::Binary => decode_base64(&text).map(Scalar::Text),
        Tag::Timestamp if is_timestamp(&text) => Ok(Scalar::Text(text)),
        Tag::Timestamp => Err(ErrorKind::Tag),
        Tag::Bool | Tag::Int | Tag::Float | Tag::Null => match (tag, meaning(&text)) {
            (Tag::Bool, Some(scalar @ Scalar::Bool(_))) => Ok(scalar),
            (Tag::Null, Some(Scalar::Null)) => Ok(Scalar::Null),
            (Tag::Int, Some(scalar @ Scalar::Number(Number::Int(_) | Number::Uint(_)))) => Ok(scalar),
            (Tag::Float, Some(scalar @ Scalar::Number(Number::Float(_)))) => Ok(scalar),
            (Tag::Float, Some(Scalar::Number(Number::Int(number)))) => Ok(Scalar::Number(Number::Float(number as f64))),
            _ => Err(ErrorKind::Tag),
        },
    }
}

/// What a plain scalar means, unless it is text. The first character rules most of them out.
fn meaning(text: &str) -> Option<Scalar> {
    let Some(first) = text.bytes().next() else {
        return Some(Scalar::Null);
    };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => word(text),
        b'0'..=b'9' => number::parse(text).map(Scalar::Number),
        b'+' | b'-' => special_float(text).or_else(|| number::parse(text)).map(Scalar::Number),
        b'.' => special_float(text).or_else(|| number::parse_fraction(text).map(Number::Float)).map(Scalar::Number),
        _ => None,
    }
}

fn word(text: &str) -> Option<Scalar> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(Scalar::Bool(true)),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Some(Scalar::Bool(false))
        }
        "~" | "null" | "Null" | "NULL" => Some(Scalar::Null),
        _ => None,
    }
}

fn special_float(text: &str) -> Option<Number> {
    match text {
        ".nan" | ".NaN" | ".NAN" => Some(Number::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(Number::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => Some(Number::Float(f64::NEG_INFINITY)),
        _ => None,
    }
}

impl Scalar {
    /// The scalar as a value. JSON has no infinities and no not-a-number.
    pub(super) fn into_value(self) -> Result<Value, ErrorKind> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(flag),
            Self::Number(Number::Int(number)) => Value::Int(number),
            Self::Number(Number::Uint(number)) => Value::Float(number as f64),
            Self::Number(Number::Float(number)) if number.is_finite() => number::from_float(number),
            Self::Number(Number::Float(_)) => return Err(ErrorKind::NotFinite),
            Self::Text(text) => Value::String(text),
        })
    }

    /// The scalar as the text of a key, by the rules of `sigs.k8s.io/yaml`.
    pub(super) fn into_key(self) -> Result<String, ErrorKind> {
        Ok(match self {
            Self::Null => return Err(ErrorKind::NullKey),
            Self::Bool(flag) => flag.to_string(),
            Self::Number(Number::Int(number)) => number.to_string(),
            Self::Number(Number::Uint(_)) => return Err(ErrorKind::LargeKey),
            Self::Number(Number::Float(number)) => number::float_key(number),
            Self::Text(text) => text,
        })
    }
}

/// `!!binary` text as the JSON string Go makes of its bytes: each byte that is not UTF-8 becomes
/// one replacement character.
fn decode_base64(text: &str) -> Result<String, ErrorKind> {
    let compact: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = BASE64.decode(compact).map_err(|_| ErrorKind::Base64)?;
    let mut decoded = String::with_capacity(bytes.len());
    let mut rest = bytes.as_slice();
    loop {
        match std::str::from_utf8(rest) {
            Ok(valid) => {
                decoded.push_str(valid);
                return Ok(decoded);
            }
            Err(error) => {
                let (valid, broken) = rest.split_at(error.valid_up_to());
                decoded.push_str(&String::from_utf8_lossy(valid));
                decoded.push(char::REPLACEMENT_CHARACTER);
                rest = broken.get(1..).unwrap_or_default();
            }
        }
    }
}
