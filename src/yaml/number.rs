//! Numbers as Go reads and writes them.
//!
//! Sources: Go's `strconv` (`ParseInt` with base 0, `ParseFloat`, `FormatFloat`) as used by
//! `go.yaml.in/yaml/v2/resolve.go`, `sigs.k8s.io/yaml` and `encoding/json`.

use super::node::Value;

/// A number as a YAML scalar gives it, before JSON.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    /// Fits 64 bits with a sign.
    Int(i64),
    /// A whole number above that, up to 64 bits without a sign.
    Uint(u64),
    /// A float, possibly not finite.
    Float(f64),
}

/// The number that a plain scalar starting with a digit or a sign is, if it is one.
pub(super) fn parse(text: &str) -> Option<Number> {
    let stripped;
    let plain = if text.contains('_') {
        stripped = text.replace('_', "");
        stripped.as_str()
    } else {
        text
    };
    parse_int(plain)
        .map(Number::Int)
        .or_else(|| parse_uint(plain).map(Number::Uint))
        .or_else(|| parse_float(plain).map(Number::Float))
        .or_else(|| signed_binary(plain).map(Number::Int))
}

/// The float that a scalar starting with a full stop is, if it is one.
///
/// Go's `ParseFloat` allows `_` between two digits.
pub(super) fn parse_fraction(text: &str) -> Option<f64> {
    if !text.contains('_') {
        return parse_float(text);
    }
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let between_digits = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'_')
        .all(|(at, _)| digit(at.checked_sub(1)) && digit(at.checked_add(1)));
    if between_digits { parse_float(&text.replace('_', "")) } else { None }
}

/// Go's `ParseInt(text, 0, 64)` for a text without `_`.
fn parse_int(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let magnitude = parse_uint(digits)?;
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// Go's `ParseUint(text, 0, 64)` for a text without `_`: `0x`, `0o`, `0b` and a leading `0` (octal).
fn parse_uint(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    let (radix, digits) = match (bytes.first()?, bytes.get(1), bytes.len()) {
        (b'0', Some(b'x' | b'X'), 3..) => (16, &bytes[2..]),
        (b'0', Some(b'o' | b'O'), 3..) => (8, &bytes[2..]),
        (b'0', Some(b'b' | b'B'), 3..) => (2, &bytes[2..]),
        (b'0', _, _) => (8, &bytes[1..]),
        _ => (10, bytes),
    };
    digits.iter().try_fold(0u64, |number, byte| {
        let digit = char::from(*byte).to_digit(radix)?;
        number.checked_mul(u64::from(radix))?.checked_add(u64::from(digit))
    })
}

/// A decimal float of the form YAML allows, if it is in range.
fn parse_float(text: &str) -> Option<f64> {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text).as_bytes();
    let whole = take_digits(&mut rest);
    if let [b'.', tail @ ..] = rest {
        rest = tail;
        let fraction = take_digits(&mut rest);
        if whole + fraction == 0 {
            return None;
        }
    } else if whole == 0 {
        return None;
    }
    if let [b'e' | b'E', tail @ ..] = rest {
        rest = match tail {
            [b'+' | b'-', digits @ ..] => digits,
            digits => digits,
        };
        if take_digits(&mut rest) == 0 {
            return None;
        }
    }
    if !rest.is_empty() {
        return None;
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

fn take_digits(rest: &mut &[u8]) -> usize {
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    *rest = &rest[count..];
    count
}

/// `0b` followed by a signed binary number, which go-yaml lets through after all else failed.
fn signed_binary(text: &str) -> Option<i64> {
    let digits = text.strip_prefix("0b")?;
    if !digits.starts_with(['+', '-']) {
        return None;
    }
    i64::from_str_radix(digits, 2).ok()
}

/// A JSON number: whole numbers of 64 bits stay so, all else is a float. `None` when out of range.
pub(super) fn from_json(literal: &str) -> Option<Value> {
    if !literal.contains(['.', 'e', 'E'])
        && let Ok(number) = literal.parse::<i64>()
    {
        return Some(Value::Int(number));
    }
    literal.parse::<f64>().ok().filter(|number| number.is_finite()).map(from_float)
}

/// A finite float as it is after Go wrote it as JSON and read it again.
///
/// Go writes floats below 1e21 without an exponent, so a whole one is read back as a whole number,
/// with the digits that were written: the shortest ones, filled up with zeros.
pub(super) fn from_float(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e21 {
        // Display of a float gives the same digits as Go does.
        if let Ok(whole) = number.to_string().parse::<i64>() {
            return Value::Int(whole);
        }
    }
    Value::Float(number)
}

/// A float as the text of a mapping key: Go's `FormatFloat(number, 'g', -1, 32)`.
pub(super) fn float_key(number: f64) -> String {
    let single = number as f32;
    if single.is_nan() {
        return ".nan".to_owned();
    }
    if single.is_infinite() {
        return if single > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{single:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return single.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}
