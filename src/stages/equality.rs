//! When two scalars are one value, by what the schema says of their type.

use base64::Engine as _;
use serde_json::Value;

use super::quantity::Quantity;
use crate::model::schema::Scalar;
use crate::model::secret::SOPS_TOKEN;

/// How two values were found equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Equality {
    /// The same bytes.
    Same,
    /// One value in two writings; the name of the rule.
    Normalised(&'static str),
    /// Two values.
    Different,
}

/// Compares two scalars. Without a type they are equal only as JSON values are, `3` and `3.0` included.
pub fn scalars(declared: &Value, live: &Value, scalar: Option<Scalar>) -> Equality {
    if declared == live {
        return Equality::Same;
    }
    if declared.as_str() == Some(SOPS_TOKEN) {
        return Equality::Normalised("sops-encrypted");
    }
    if let (Value::Number(a), Value::Number(b)) = (declared, live) {
        // Two different integers may be one float.
        let integers = (a.is_i64() || a.is_u64()) && (b.is_i64() || b.is_u64());
        return if !integers && a.as_f64() == b.as_f64() {
            Equality::Normalised("number")
        } else {
            Equality::Different
        };
    }
    let equal = |rule, same: Option<bool>| {
        if same == Some(true) { Equality::Normalised(rule) } else { Equality::Different }
    };
    match scalar {
        Some(Scalar::Quantity) => equal("quantity", quantities(declared, live)),
        Some(Scalar::Time) => equal("time", times(declared, live)),
        Some(Scalar::Duration) => equal("duration", durations(declared, live)),
        Some(Scalar::Bytes) => equal("base64", bytes(declared, live)),
        _ => Equality::Different,
    }
}

fn quantities(a: &Value, b: &Value) -> Option<bool> {
    let read = |value: &Value| match value {
        Value::String(text) => Quantity::parse(text),
        Value::Number(number) => Quantity::parse(&number.to_string()),
        _ => None,
    };
    Some(read(a)? == read(b)?)
}

fn times(a: &Value, b: &Value) -> Option<bool> {
    let read = |value: &Value| value.as_str()?.parse::<jiff::Timestamp>().ok();
    Some(read(a)? == read(b)?)
}

fn durations(a: &Value, b: &Value) -> Option<bool> {
    Some(go_duration(a.as_str()?)? == go_duration(b.as_str()?)?)
}

fn bytes(a: &Value, b: &Value) -> Option<bool> {
    let read = |value: &Value| {
        let tight: Vec<u8> = value.as_str()?.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        base64::engine::general_purpose::STANDARD.decode(tight).ok()
    };
    Some(read(a)? == read(b)?)
}

/// Nanoseconds of a Go duration (`time.ParseDuration`): `1h30m`, `1.5h`, `-2us`.
fn go_duration(text: &str) -> Option<i128> {
    let (sign, mut rest) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() || rest.len() > 64 {
        return None;
    }
    let mut total = 0_i128;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(end);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        total = total.checked_add(whole.checked_mul(unit)?)?;
        if !fraction.is_empty() {
            let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
            total += fraction.parse::<i128>().ok()?.checked_mul(unit)? / scale;
        }
        rest = tail;
    }
    Some(sign * total)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn table() {
        use Equality::{Different, Normalised, Same};
        for (case, declared, live, scalar, expected) in [
            ("same text", json!("a"), json!("a"), None, Same),
            ("int and float", json!(3), json!(3.0), Some(Scalar::Integer), Normalised("number")),
            ("other number", json!(3), json!(5), Some(Scalar::Integer), Different),
            ("large integers", json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992_i64), None, Different),
            ("number and text are two values", json!(80), json!("80"), Some(Scalar::IntOrString), Different),
            ("quantity as number", json!(6), json!("6"), Some(Scalar::Quantity), Normalised("quantity")),
            ("quantity unit", json!("3072Mi"), json!("3Gi"), Some(Scalar::Quantity), Normalised("quantity")),
            ("quantity differs", json!("200m"), json!("300m"), Some(Scalar::Quantity), Different),
            ("no quantity", json!("abc"), json!("abd"), Some(Scalar::Quantity), Different),
            ("only typed quantities are equal by value", json!("1000m"), json!("1"), Some(Scalar::String), Different),
            ("duration", json!("8760h"), json!("8760h0m0s"), Some(Scalar::Duration), Normalised("duration")),
            ("only typed durations are equal by value", json!("60m"), json!("1h"), None, Different),
            (
                "time",
                json!("2026-01-02T03:04:05+00:00"),
                json!("2026-01-02T03:04:05Z"),
                Some(Scalar::Time),
                Normalised("time"),
            ),
            ("wrapped base64", json!("aGVs\nbG8="), json!("aGVsbG8="), Some(Scalar::Bytes), Normalised("base64")),
            ("bool and text", json!(true), json!("true"), Some(Scalar::String), Different),
        ] {
            assert_eq!(scalars(&declared, &live, scalar), expected, "{case}");
        }
    }

    #[test]
    fn durations_as_go_reads_them() {
        for (a, b) in
            [("1h30m", "90m"), ("1.5h", "90m"), ("1000ms", "1s"), ("-1m", "-60s"), ("0", "0s"), ("1us", "1µs")]
        {
            assert_eq!(go_duration(a), go_duration(b), "{a} {b}");
            assert!(go_duration(a).is_some(), "{a}");
        }
        for text in ["", "1", "h", "1d", "1.2.3s", "-", "1h-1m"] {
            assert_eq!(go_duration(text), None, "{text}");
        }
    }
}
