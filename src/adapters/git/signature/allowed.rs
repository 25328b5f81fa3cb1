//! The allowed-signers file: who may sign with which SSH key, and when (ssh-keygen(1), "ALLOWED SIGNERS").

use base64::Engine as _;
use wildmatch::WildMatch;

use crate::model::time::Timestamp;

/// One line.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// As written: `ann@example.com,*@ops.example.com`.
    pub(super) principals: Patterns,
    /// The key's own encoding.
    pub(super) key: Vec<u8>,
    /// Whether the key signs others' keys, and not commits.
    pub(super) authority: bool,
    namespaces: Option<Patterns>,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
}

/// A list of patterns (ssh_config(5), "PATTERNS"): one that fits is enough, unless one with `!` fits too.
#[derive(Clone, Debug)]
pub(super) struct Patterns {
    text: String,
}

impl Patterns {
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn fit(&self, name: &str) -> bool {
        let mut fits = false;
        for pattern in self.text.split(',') {
            match pattern.strip_prefix('!') {
                Some(not) if WildMatch::new(not).matches(name) => return false,
                Some(_) => {}
                None => fits |= WildMatch::new(pattern).matches(name),
            }
        }
        fits
    }
}

impl Entry {
    /// Why the key does not count for a commit made at `time`.
    pub(super) fn objection(&self, namespace: &str, time: Timestamp) -> Option<String> {
        if self.namespaces.as_ref().is_some_and(|namespaces| !namespaces.fit(namespace)) {
            return Some(format!("the key is not allowed for `{namespace}`"));
        }
        if let Some(after) = self.after.filter(|after| time < *after) {
            return Some(format!("the key is valid from {} on, after the commit's time", after.for_people()));
        }
        let before = self.before.filter(|before| time >= *before)?;
        Some(format!("the key was valid until {}, before the commit's time", before.for_people()))
    }
}

/// Reads the file. The second part says which lines are none, for people.
pub(super) fn read(text: &str) -> (Vec<Entry>, Vec<String>) {
    let mut entries = Vec::new();
    let mut problems = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match entry(line) {
            Ok(entry) => entries.push(entry),
            Err(why) => problems.push(format!("line {}: {why}", n + 1)),
        }
    }
    (entries, problems)
}

fn entry(line: &str) -> Result<Entry, &'static str> {
    let (principals, rest) = word(line).ok_or("it has no key")?;
    let (mut next, mut rest) = word(rest).ok_or("it has no key")?;
    let principals = Patterns { text: principals.trim_matches('"').to_owned() };
    let mut entry =
        Entry { principals, key: Vec::new(), authority: false, namespaces: None, after: None, before: None };
    if !is_key_type(next) {
        for option in options(next) {
            entry.option(option)?;
        }
        (next, rest) = word(rest).ok_or("it has no key")?;
    }
    let (key, _) = word(rest).ok_or("it has no key")?;
    entry.key = base64::engine::general_purpose::STANDARD.decode(key).map_err(|_| "its key is no base64")?;
    if !is_key_type(next) || super::wire::Reader::new(&entry.key).string() != Some(next.as_bytes()) {
        return Err("its key is not of the type that it names");
    }
    Ok(entry)
}

impl Entry {
    fn option(&mut self, option: &str) -> Result<(), &'static str> {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let value = value.trim_matches('"');
        match name.to_ascii_lowercase().as_str() {
            "cert-authority" => self.authority = true,
            "namespaces" => self.namespaces = Some(Patterns { text: value.to_owned() }),
            "valid-after" => self.after = Some(moment(value).ok_or("`valid-after` is no time")?),
            "valid-before" => self.before = Some(moment(value).ok_or("`valid-before` is no time")?),
            _ => return Err("it has an option that is not known"),
        }
        Ok(())
    }
}

/// `YYYYMMDD` or `YYYYMMDDHHMM[SS]`, in UTC with a `Z` behind it and in this machine's time zone without.
fn moment(text: &str) -> Option<Timestamp> {
    let (digits, zone) = match text.strip_suffix(['Z', 'z']) {
        Some(digits) => (digits, jiff::tz::TimeZone::UTC),
        None => (text, jiff::tz::TimeZone::system()),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(digits.len(), 8 | 12 | 14) {
        return None;
    }
    let number = |from: usize, to: usize| digits.get(from..to).map_or(Some(0), |part| part.parse::<i8>().ok());
    let year = digits.get(..4)?.parse().ok()?;
    let time = jiff::civil::DateTime::new(
        year,
        number(4, 6)?,
        number(6, 8)?,
        number(8, 10)?,
        number(10, 12)?,
        number(12, 14)?,
        0,
    );
    Some(Timestamp::from_unix(time.ok()?.to_zoned(zone).ok()?.timestamp().as_second()))
}

fn is_key_type(word: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"].iter().any(|start| word.starts_with(start))
}

/// The first word, with what stands in quotes kept together, and what follows.
fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let mut quoted = false;
    let end = text.find(|c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    });
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    (!word.is_empty()).then_some((word, rest))
}

/// Options stand between commas that are not in quotes.
fn options(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g";

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn lines_with_and_without_options_are_read() {
        let text = format!(
            "# the team\n\nann@example.com,*@ops.example.com,!eve@ops.example.com {KEY} Ann's laptop\n\
             bob@example.com namespaces=\"git,file\",valid-after=\"20260101Z\",valid-before=20260301120000Z {KEY}\n\
             ca@example.com cert-authority {KEY}\n"
        );
        let (entries, problems) = read(&text);
        assert_eq!(problems, [""; 0]);
        let fits = |name: &str| entries[0].principals.fit(name);
        assert!(fits("ann@example.com") && fits("joe@ops.example.com"));
        assert!(!fits("eve@ops.example.com") && !fits("eve@example.com"));
        for (at, namespace, objects) in [
            ("2026-02-01T00:00:00Z", "git", None),
            ("2025-12-31T23:59:59Z", "git", Some("the key is valid from")),
            ("2026-03-01T12:00:00Z", "git", Some("the key was valid until 2026-03-01 12:00:00 UTC")),
            ("2026-02-01T00:00:00Z", "mail", Some("the key is not allowed for `mail`")),
        ] {
            let found = entries[1].objection(namespace, time(at));
            assert_eq!(found.is_some(), objects.is_some(), "{at} {namespace}");
            assert!(found.unwrap_or_default().starts_with(objects.unwrap_or_default()), "{at} {namespace}");
        }
        assert!(entries[2].authority && !entries[0].authority);
    }

    #[test]
    fn what_is_no_line_is_told_with_its_number() {
        let (entries, problems) = read(&format!(
            "ann@example.com\nann@example.com ssh-ed25519\nann@example.com ssh-rsa AAAA\nann@example.com no-such-option {KEY}\n\
             ann@example.com valid-after=soon {KEY}\n"
        ));
        assert!(entries.is_empty());
        assert_eq!(
            problems,
            [
                "line 1: it has no key",
                "line 2: it has no key",
                "line 3: its key is not of the type that it names",
                "line 4: it has an option that is not known",
                "line 5: `valid-after` is no time",
            ]
        );
    }
}
