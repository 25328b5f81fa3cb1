//! Secrets inside a text: only they are replaced, so that the rest still compares and reads as text.
//!
//! One pass finds where something could be secret (part of a name, the `://` of a URL, the beginning of a known token); only there
//! a closer look is taken, whatever the format: properties, `.env`, INI, TOML, YAML, JSON (also inside JSON), XML, shell, flags.
//! Where a format leaves it open how far a value goes, more is hidden rather than less.

use std::ops::Range;

use super::looks;
use super::name::MOST_NAME;
use super::rules::{Candidate, CredentialNames, Naming, Place};
use super::token;
use super::value::Reader;

/// Bytes of a URL's user and password that are looked at.
const MOST_AUTHORITY: usize = 2_048;

/// Something secret in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hidden {
    /// Its bytes.
    pub(super) range: Range<usize>,
    /// What the text calls it.
    pub(super) name: String,
}

/// What is secret in a text: in order, not overlapping. Empty for nearly every text, and then quickly so. Tokens that begin as one of
/// `kept` are none.
pub(super) fn hidden(text: &str, names: &CredentialNames, kept: &[&str]) -> Vec<Hidden> {
    if !names.may_hold(text) {
        return Vec::new();
    }
    let kept = if kept.is_empty() { Vec::new() } else { tokens_of(text, kept) };
    let bytes = text.as_bytes();
    let mut scan = Scan { text, bytes, names, kept, found: Vec::new(), name_end: 0, hidden_end: 0, pem_end: 0 };
    for (candidate, start, end) in names.candidates(text) {
        scan.look(candidate, start, end);
    }
    scan.done()
}

/// Writes a text with what is hidden in it replaced by what `token` gives for its name and its bytes.
pub(super) fn replaced(text: &str, hidden: &[Hidden], token: impl Fn(&str, &[u8]) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for Hidden { range, name } in hidden {
        out.push_str(&text[at..range.start]);
        out.push_str(&token(name, &text.as_bytes()[range.clone()]));
        at = range.end;
    }
    out.push_str(&text[at..]);
    out
}

/// Where the tokens with these beginnings stand: the whole text, or parts of it.
fn tokens_of(text: &str, prefixes: &[&str]) -> Vec<Range<usize>> {
    let begins = |text: &str| prefixes.iter().any(|prefix| text.starts_with(prefix));
    if begins(text) && token::digits_of(text).is_some() {
        return std::iter::once(0..text.len()).collect();
    }
    let tokens = token::inside_of(text).map(|token| token.start..token.end);
    tokens.filter(|range| begins(&text[range.start..])).collect()
}

struct Scan<'a> {
    text: &'a str,
    bytes: &'a [u8],
    names: &'a CredentialNames,
    /// Tokens that stay, in order.
    kept: Vec<Range<usize>>,
    found: Vec<Hidden>,
    /// Names up to here were looked at.
    name_end: usize,
    /// All up to here that follows a name is hidden.
    hidden_end: usize,
    /// All up to here is inside a PEM block.
    pem_end: usize,
}

impl Scan<'_> {
    fn look(&mut self, candidate: Candidate, start: usize, end: usize) {
        match candidate {
            Candidate::Name if start >= self.hidden_end && start >= self.name_end => self.name(start, end),
            Candidate::Name => {}
            Candidate::Url => self.url(start, end),
            Candidate::DataSource => self.data_source(start),
            Candidate::Pem if start >= self.pem_end => self.pem(start, end),
            Candidate::Pem => {}
            Candidate::Token => self.token(start),
            Candidate::Shape(n) => self.shape(n, start),
        }
    }

    /// Whether a range is a token that stays, or a part of one. Where one begins, an earlier look found how far the secret goes.
    fn is_kept(&self, range: &Range<usize>) -> bool {
        let next = self.kept.partition_point(|kept| kept.start <= range.start);
        let within = |kept: &Range<usize>| range.start == kept.start || range.end <= kept.end;
        next > 0 && within(&self.kept[next - 1])
    }

    fn hide(&mut self, range: Range<usize>, name: &str) {
        if !range.is_empty() && !self.is_kept(&range) {
            self.found.push(Hidden { range, name: name.to_owned() });
        }
    }

    /// Part of a name: the whole name, what it says, and what value follows it.
    fn name(&mut self, start: usize, end: usize) {
        let is_name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'[' | b']');
        let from = start - self.bytes[..start].iter().rev().take(MOST_NAME).take_while(|b| is_name(b)).count();
        let to = end + self.bytes[end..].iter().take(MOST_NAME).take_while(|b| is_name(b)).count();
        self.name_end = to;
        let Some(read) = Reader::new(self.text, from, to) else { return };
        let name = read.name();
        let naming = self.names.naming(name, Place::Setting);
        if naming == Naming::Plain {
            return;
        }
        for range in read.values(naming == Naming::Password || naming == Naming::Credential) {
            let value = &self.text[range.clone()];
            if is_secret(value, naming) && !self.is_kept(&range) {
                self.hidden_end = self.hidden_end.max(range.end);
                self.hide(range, name);
            }
        }
    }

    /// `scheme://user:password@host`
    fn url(&mut self, start: usize, end: usize) {
        let scheme = self.bytes[..start].iter().rev().take_while(|b| b.is_ascii_alphanumeric() || **b == b'+').count();
        if scheme == 0 {
            return;
        }
        let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'`' | b'<' | b'>');
        let rest = &self.bytes[end..];
        let rest = &rest[..rest.iter().take(MOST_AUTHORITY).take_while(|b| !ends(b)).count()];
        let authority = rest.iter().position(|b| matches!(b, b'/' | b'?' | b'#')).unwrap_or(rest.len());
        let at = match memchr::memrchr(b'@', &rest[..authority]) {
            Some(at) => at,
            // A password with an unescaped slash in it; a port before a path is none.
            None => match memchr::memchr(b'@', rest) {
                Some(at) if self.is_password_with_slash(end, &rest[..at]) => at,
                _ => return,
            },
        };
        let user = &rest[..at];
        match memchr::memchr(b':', user) {
            Some(colon) => {
                let range = end + colon + 1..end + at;
                if !looks::is_no_secret(&self.text[range.clone()]) {
                    self.hide(range, "url-password");
                }
            }
            None => {
                let range = end..end + at;
                if user.len() >= 20 && looks::is_random(&self.text[range.clone()]) {
                    self.hide(range, "url-user");
                }
            }
        }
    }

    fn is_password_with_slash(&self, start: usize, user: &[u8]) -> bool {
        let Some(colon) = memchr::memchr(b':', user) else { return false };
        let name = &self.text[start..start + colon];
        let port = user[colon + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
        let before_path = port > 0 && user.get(colon + 1 + port) == Some(&b'/');
        !(name.contains(['/', '?', '#']) || before_path)
    }

    /// `user:password@tcp(host:3306)/db`, as Go's MySQL driver takes it.
    fn data_source(&mut self, at: usize) {
        let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'`' | b'<' | b'>' | b'/');
        let user = at - self.bytes[..at].iter().rev().take(MOST_AUTHORITY).take_while(|b| !ends(b)).count();
        // Bytes of a letter beyond ASCII may have been cut apart.
        let user = (user..=at).find(|n| self.text.is_char_boundary(*n)).unwrap_or(at);
        if let Some(colon) = memchr::memchr(b':', &self.bytes[user..at]) {
            let range = user + colon + 1..at;
            if !looks::is_no_secret(&self.text[range.clone()]) {
                self.hide(range, "url-password");
            }
        }
    }

    /// What stands between the two lines of a PEM block.
    fn pem(&mut self, start: usize, end: usize) {
        let header = &self.bytes[start.saturating_sub(40)..start];
        let Some(dashes) = memchr::memmem::rfind(header, b"-----") else { return };
        if !header[dashes..].starts_with(b"-----BEGIN ") || memchr::memchr(b'\n', &header[dashes..]).is_some() {
            return;
        }
        let body = &self.text[end..];
        let body = &body[..memchr::memmem::find(body.as_bytes(), b"-----END").unwrap_or(body.len())];
        self.pem_end = end + body.len();
        let from = end + (body.len() - body.trim_start().len());
        self.hide(from..from + body.trim().len(), "private-key");
    }

    /// What reads like one of our own tokens: left alone, it could pass for a secret that it is not.
    fn token(&mut self, start: usize) {
        let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'(' | b')' | b'_' | b'.' | b'-');
        let long = self.bytes[start..].iter().take(MOST_NAME).take_while(|b| plain(b)).count();
        self.hide(start..start + long, "redacted");
    }

    fn shape(&mut self, n: usize, start: usize) {
        let inside_word = start > 0 && self.bytes[start - 1].is_ascii_alphanumeric();
        let shape = self.names.shape(n);
        if let Some(found) = shape.regex.find(&self.text[start..]).filter(|_| !inside_word) {
            // Where an expression has a group, only that is secret.
            let secret =
                shape.regex.captures(found.as_str()).and_then(|c| c.get(1)).map_or(0..found.end(), |g| g.range());
            self.hide(start + secret.start..start + secret.end, &shape.name);
        }
    }

    /// In order, overlapping ones joined.
    fn done(mut self) -> Vec<Hidden> {
        self.found.sort_by_key(|hidden| (hidden.range.start, std::cmp::Reverse(hidden.range.end)));
        let mut joined: Vec<Hidden> = Vec::with_capacity(self.found.len());
        for hidden in self.found {
            match joined.last_mut() {
                Some(last) if hidden.range.start < last.range.end => {
                    last.range.end = last.range.end.max(hidden.range.end)
                }
                _ => joined.push(hidden),
            }
        }
        joined
    }
}

/// Whether a value under a name of this sort is secret.
pub(super) fn is_secret(value: &str, naming: Naming) -> bool {
    match naming {
        Naming::Plain => false,
        Naming::Doubtful => !looks::is_no_secret(value) && looks::is_random(value),
        Naming::Credential => !looks::is_no_secret(value) && !looks::is_small_number(value.trim()),
        Naming::Password => !looks::is_no_secret(value),
    }
}
