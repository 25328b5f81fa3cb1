//! Kubernetes quantities by value (`k8s.io/apimachinery/pkg/api/resource`): `0.1` is `100m`, `3072Mi` is `3Gi`.

use std::cmp::Ordering;

/// A quantity as an exact decimal: `digits` × 10^`exponent`, rounded and capped as `ParseQuantity` does.
///
/// Kept as big-endian decimal digits, because quantities have no size limit and floats would make unequal ones equal.
#[derive(Clone, Debug)]
pub struct Quantity {
    negative: bool,
    /// No leading or trailing zeros; empty for zero.
    digits: Vec<u8>,
    exponent: i64,
}

/// Exponents past this are no quantity that a server would take.
const MAX_EXPONENT: i64 = 1_000;
const MAX_LENGTH: usize = 256;
/// The exponent of a nano-unit.
const FINEST: i64 = -9;

impl Quantity {
    /// Reads the written form; `None` if it is not a quantity.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        // Kubernetes reads a suffix alone, and a sign or a point alone, as zero; only the two largest binary suffixes it refuses.
        let alone = whole.is_empty() && fraction.is_empty();
        if fraction.contains('.') || (alone && matches!(suffix, "Pi" | "Ei")) {
            return None;
        }
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|b| b - b'0').collect();
        let fraction = i64::try_from(fraction.len()).ok()?;
        let (binary, exponent) = suffix_value(suffix)?;
        let mut quantity = Self { negative, digits, exponent: exponent - fraction };
        for _ in 0..binary {
            quantity.times(1024);
        }
        quantity.trim();
        quantity.round_up();
        if binary > 0 {
            quantity.cap();
        }
        Some(quantity)
    }

    /// Nothing is smaller than a nano-unit: what is finer is rounded away from zero.
    fn round_up(&mut self) {
        let Ok(finer) = usize::try_from(FINEST - self.exponent) else { return };
        if finer == 0 || self.digits.is_empty() {
            return;
        }
        // No trailing zeros: what is dropped is not nothing.
        self.digits.truncate(self.digits.len().saturating_sub(finer));
        self.exponent = FINEST;
        for digit in self.digits.iter_mut().rev() {
            *digit = (*digit + 1) % 10;
            if *digit > 0 {
                return self.trim();
            }
        }
        self.digits.insert(0, 1);
        self.trim();
    }

    /// With a binary suffix, nothing is larger than a signed integer of 64 bits.
    fn cap(&mut self) {
        let most =
            Self { negative: false, digits: i64::MAX.to_string().bytes().map(|b| b - b'0').collect(), exponent: 0 };
        let size = Self { negative: false, ..self.clone() };
        if size > most {
            (self.digits, self.exponent) = (most.digits, most.exponent);
        }
    }

    fn times(&mut self, factor: u32) {
        let mut carry = 0;
        for digit in self.digits.iter_mut().rev() {
            let value = u32::from(*digit) * factor + carry;
            *digit = (value % 10) as u8;
            carry = value / 10;
        }
        while carry > 0 {
            self.digits.insert(0, (carry % 10) as u8);
            carry /= 10;
        }
    }

    fn trim(&mut self) {
        while self.digits.last() == Some(&0) {
            self.digits.pop();
            self.exponent += 1;
        }
        let zeros = self.digits.iter().take_while(|d| **d == 0).count();
        self.digits.drain(..zeros);
        if self.digits.is_empty() {
            self.exponent = 0;
            self.negative = false;
        }
    }

    /// The power of ten of the first digit.
    fn magnitude(&self) -> i64 {
        self.exponent + self.digits.len() as i64
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        (self.negative, &self.digits, self.exponent) == (other.negative, &other.digits, other.exponent)
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let sign = |q: &Self| {
            if q.digits.is_empty() {
                0
            } else if q.negative {
                -1
            } else {
                1
            }
        };
        let by_size = || self.magnitude().cmp(&other.magnitude()).then_with(|| self.digits.cmp(&other.digits));
        Some(sign(self).cmp(&sign(other)).then_with(|| match sign(self) {
            0 => Ordering::Equal,
            1 => by_size(),
            _ => by_size().reverse(),
        }))
    }
}

/// Powers of 1024 and of 10 that a suffix stands for.
fn suffix_value(suffix: &str) -> Option<(u32, i64)> {
    Some(match suffix {
        "" => (0, 0),
        "n" => (0, -9),
        "u" => (0, -6),
        "m" => (0, -3),
        "k" => (0, 3),
        "M" => (0, 6),
        "G" => (0, 9),
        "T" => (0, 12),
        "P" => (0, 15),
        "E" => (0, 18),
        "Ki" => (1, 0),
        "Mi" => (2, 0),
        "Gi" => (3, 0),
        "Ti" => (4, 0),
        "Pi" => (5, 0),
        "Ei" => (6, 0),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?.parse::<i64>().ok()?;
            (0, Some(exponent).filter(|e| e.abs() <= MAX_EXPONENT)?)
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_quantities() {
        for (a, b) in [
            ("0.1", "100m"),
            ("1000m", "1"),
            ("2000m", "2"),
            ("3072Mi", "3Gi"),
            ("1000M", "1G"),
            ("1.25G", "1250M"),
            ("1073741824", "1Gi"),
            ("6", "6.0"),
            ("1e3", "1k"),
            ("1E3", "1000"),
            ("0", "-0"),
            ("0Gi", "0m"),
            (".5", "500m"),
            ("+1", "1"),
            ("1.5Gi", "1536Mi"),
            ("100u", "0.0001"),
            ("5.", "5"),
        ] {
            assert_eq!(Quantity::parse(a).unwrap(), Quantity::parse(b).unwrap(), "{a} {b}");
        }
    }

    #[test]
    fn different_quantities() {
        for (a, b) in
            [("200m", "300m"), ("1Gi", "1G"), ("1", "-1"), ("9007199254740993", "9007199254740992"), ("1Ki", "1k")]
        {
            assert_ne!(Quantity::parse(a).unwrap(), Quantity::parse(b).unwrap(), "{a} {b}");
        }
    }

    #[test]
    fn order() {
        let mut texts = ["1Gi", "-5", "0", "1m", "999M", "-1", "1G"];
        texts.sort_by(|a, b| Quantity::parse(a).partial_cmp(&Quantity::parse(b)).unwrap());
        assert_eq!(texts, ["-5", "-1", "0", "1m", "999M", "1G", "1Gi"]);
    }

    #[test]
    fn what_is_no_quantity() {
        for text in ["", "abc", "1 Gi", "1.2.3", "Ei", "1Kib", "1e", "--1", "1e99999999999", "１"] {
            assert!(Quantity::parse(text).is_none(), "{text}");
        }
    }

    /// The test cluster's program makes the table with Kubernetes' own parser (`tests/cluster/quantities.go`): a text, and its value as
    /// a fraction, or `-`.
    #[test]
    fn agrees_with_kubernetes() {
        let table = include_str!("../../tests/fixtures/quantities.tsv");
        let lines: Vec<(&str, &str)> = table.lines().filter_map(|line| line.split_once('\t')).collect();
        assert!(lines.len() > 1_000);
        let mut wrong = Vec::new();
        for (text, value) in &lines {
            let expected = (*value != "-").then(|| fraction(value));
            let found = Quantity::parse(text);
            if found != expected {
                wrong.push(format!("{text:?} is {value}, not {found:?}"));
            }
        }
        assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), lines.len());
    }

    /// A fraction whose denominator divides a power of ten, as a decimal.
    fn fraction(text: &str) -> Quantity {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (above, below) = text.split_once('/').unwrap_or((text, "1"));
        let mut quantity = Quantity { negative, digits: above.bytes().map(|b| b - b'0').collect(), exponent: 0 };
        let mut below: u64 = below.parse().unwrap();
        while below > 1 {
            // Times ten, a tenth, or times five, a tenth of two…
            quantity.exponent -= 1;
            match (below % 2, below % 5) {
                (0, 0) => below /= 10,
                (0, _) => {
                    below /= 2;
                    quantity.times(5);
                }
                (_, 0) => {
                    below /= 5;
                    quantity.times(2);
                }
                _ => panic!("{text} is no decimal"),
            }
        }
        quantity.trim();
        quantity
    }

    proptest! {
        #[test]
        fn milli_and_whole_agree(n in any::<u32>()) {
            prop_assert_eq!(Quantity::parse(&format!("{n}000m")), Quantity::parse(&n.to_string()));
            prop_assert_eq!(Quantity::parse(&format!("{n}Ki")), Quantity::parse(&(u64::from(n) * 1024).to_string()));
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = Quantity::parse(&text);
        }
    }
}
