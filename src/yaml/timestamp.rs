//! The timestamps go-yaml knows. They stay text; only the tag `!!timestamp` asks whether a scalar
//! is one.
//!
//! Source: `parseTimestamp` in `go.yaml.in/yaml/v2/resolve.go` and the layouts of Go's `time.Parse`.

/// Whether `text` is a date, a date with a time after a space, or one with a time and a zone after
/// `T` or `t`.
pub(super) fn is_timestamp(text: &str) -> bool {
    let mut rest = text;
    let date = (|| {
        let year = digits(&mut rest, 4, 4)?;
        let month = after(&mut rest, "-").then(|| digits(&mut rest, 1, 2))??;
        let day = after(&mut rest, "-").then(|| digits(&mut rest, 1, 2))??;
        (1..=days_in(year, month)?).contains(&day).then_some(())
    })();
    if date.is_none() {
        return false;
    }
    if rest.is_empty() {
        return true;
    }
    let zoned = after(&mut rest, "T") || after(&mut rest, "t");
    if !zoned {
        if !rest.starts_with(' ') {
            return false;
        }
        rest = rest.trim_start_matches(' ');
    }
    if time(&mut rest).is_none() {
        return false;
    }
    if zoned && zone(&mut rest).is_none() {
        return false;
    }
    rest.is_empty()
}

fn time(rest: &mut &str) -> Option<()> {
    let hour = digits(rest, 1, 2)?;
    let minute = after(rest, ":").then(|| digits(rest, 1, 2))??;
    let second = after(rest, ":").then(|| digits(rest, 1, 2))??;
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let tail = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
        if tail.len() == fraction.len() {
            return None;
        }
        *rest = tail;
    }
    (hour < 24 && minute < 60 && second < 60).then_some(())
}

fn zone(rest: &mut &str) -> Option<()> {
    if after(rest, "Z") {
        return Some(());
    }
    if !after(rest, "+") && !after(rest, "-") {
        return None;
    }
    let hours = digits(rest, 2, 2)?;
    let minutes = after(rest, ":").then(|| digits(rest, 2, 2))??;
    (hours <= 24 && minutes < 60).then_some(())
}

fn days_in(year: u32, month: u32) -> Option<u32> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 if leap => Some(29),
        2 => Some(28),
        _ => None,
    }
}

/// Takes `text` off the front, if it is there.
fn after(rest: &mut &str, text: &str) -> bool {
    match rest.strip_prefix(text) {
        Some(tail) => {
            *rest = tail;
            true
        }
        None => false,
    }
}

/// Takes between `least` and `most` digits off the front.
fn digits(rest: &mut &str, least: usize, most: usize) -> Option<u32> {
    let count = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if count < least {
        return None;
    }
    let (number, tail) = rest.split_at(count);
    *rest = tail;
    number.parse().ok()
}
