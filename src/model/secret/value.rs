//! How far the value of a name goes in a text of a format that nobody told us.

use std::ops::Range;

/// Bytes of a line before a name that are looked at.
const MOST_LEAD: usize = 200;
/// Bytes of a list under a name that are looked at as one.
const MOST_LIST: usize = 65_536;

/// A name in a text, with what stands around it.
pub(super) struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    name: Range<usize>,
    /// The quote that opens the name, with the backslashes before it.
    quote: &'a str,
    /// Where name, quote and dashes begin.
    start: usize,
    /// Whether it is `--name` or `-Dname`.
    flag: bool,
}

/// What stands before a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lead {
    /// The name is the first thing on its line.
    Line,
    /// It is inside a line, behind this byte.
    Inside(u8),
}

impl<'a> Reader<'a> {
    /// `from..to` is a run of name characters; `None` if it is no name of a value.
    pub(super) fn new(text: &'a str, from: usize, to: usize) -> Option<Self> {
        let bytes = text.as_bytes();
        let run = &text[from..to];
        // `users[0].password` is a name; `[password]` and `x[password` are not whole.
        let inner = run.trim_start_matches(['.', '[', ']']);
        let flag = inner.starts_with('-');
        let inner = inner.trim_start_matches('-');
        let mut inner = inner.trim_end_matches(['.', '-', '[', ']']);
        if flag && inner.len() > 2 && inner.starts_with('D') && !run.starts_with("--") {
            inner = &inner[1..];
        }
        if inner.is_empty() {
            return None;
        }
        let begin = inner.as_ptr() as usize - text.as_ptr() as usize;
        let name = begin..begin + inner.len();
        let mut start = if flag { from + (run.len() - run.trim_start_matches(['.', '[', ']']).len()) } else { begin };
        let quote = quote_before(text, start);
        start -= quote.len();
        Some(Self { text, bytes, name, quote, start, flag })
    }

    /// The name.
    pub(super) fn name(&self) -> &'a str {
        &self.text[self.name.clone()]
    }

    /// Its values; none where the name is only mentioned. `sure`: the name alone is enough for a value behind a mere blank.
    pub(super) fn values(&self, sure: bool) -> Vec<Range<usize>> {
        let before = self.byte_before(self.start);
        if before == Some(b'$') && self.lead() != Lead::Line || before == Some(b'%') {
            return Vec::new();
        }
        if self.text[..self.start].ends_with("${") || self.text[..self.start].ends_with("$(") {
            return self.default_of_reference().into_iter().collect();
        }
        if before == Some(b'<') {
            return self.element().into_iter().collect();
        }
        if let Some(value) = self.value_of_pair() {
            return vec![value];
        }
        let mut at = self.name.end;
        let mut quoted = false;
        if !self.quote.is_empty() && self.text[at..].starts_with(self.quote) {
            at += self.quote.len();
            quoted = true;
            // `config['password'] = …`
            at += usize::from(self.bytes.get(at) == Some(&b']'));
        }
        let blank = at;
        at = self.skip_blanks(at);
        // A quote that the name does not close holds the value too.
        let lead = if self.quote.is_empty() || quoted { self.lead() } else { Lead::Inside(b'"') };
        let rest = &self.bytes[at..];
        let separator = match rest {
            [b'=', b'=' | b'~', after @ ..] if blank < at || after.first().is_none_or(u8::is_ascii_whitespace) => 0,
            [b':', b':', ..] | [b':', b'/', b'/', ..] => 0,
            [b'=', b'>', ..] | [b':' | b'?' | b'+', b'=', ..] => 2,
            [b'=', ..] => 1,
            [b':', ..] if self.colon_separates(at, quoted, lead) => 1,
            _ => 0,
        };
        if separator > 0 {
            let equals = rest[separator - 1] != b':';
            return self.at_value(at + separator, lead, equals, quoted);
        }
        if self.flag
            && let Some(value) = self.next_argument(at)
        {
            return vec![value];
        }
        let word = if self.flag && blank < at && self.bytes.get(at) != Some(&b'-') {
            true
        } else {
            // `ALTER ROLE shop PASSWORD 'hunter2'`
            let sql = self.bytes.get(at) == Some(&b'\'');
            sure && !quoted && blank < at && (sql || self.is_two_words(at, lead) || self.is_netrc())
        };
        if word { self.word(at).into_iter().collect() } else { Vec::new() }
    }

    /// Whether a colon makes a pair here, or is just a colon.
    fn colon_separates(&self, at: usize, quoted: bool, lead: Lead) -> bool {
        let spaced = self.bytes.get(at + 1).is_none_or(u8::is_ascii_whitespace);
        match lead {
            _ if quoted => true,
            Lead::Line => spaced || (self.quote.is_empty() && self.text.contains('\n')) || !self.quote.is_empty(),
            Lead::Inside(before) => {
                spaced && matches!(before, b'{' | b',' | b'[' | b'(' | b'"' | b'\'' | b'`' | b';' | b'&' | b'?' | b'|')
                    || matches!(before, b'"' | b'\'')
            }
        }
    }

    /// The value behind a separator.
    fn at_value(&self, from: usize, lead: Lead, equals: bool, quoted: bool) -> Vec<Range<usize>> {
        let at = self.skip_blanks(from);
        match self.bytes.get(at) {
            None => Vec::new(),
            Some(b'\n' | b'\r') => self.below(at),
            Some(b'"' | b'\'' | b'`' | b'\\') if !quote_at(self.text, at).is_empty() => {
                self.quoted(at).into_iter().collect()
            }
            Some(b'[') => self.list(at).unwrap_or_else(|| self.bare(at, lead, equals, quoted).into_iter().collect()),
            Some(b'{') if quoted => Vec::new(),
            // A mapping: its keys speak for themselves. A template is a value.
            Some(b'{') if self.bytes.get(at + 1) != Some(&b'{') && !equals => Vec::new(),
            Some(b'|' | b'>') if !equals && self.is_block_header(at) => self.block(at).into_iter().collect(),
            Some(_) => self.bare(at, lead, equals, quoted).into_iter().collect(),
        }
    }

    /// A value in quotes, the quotes left out. One that does not end goes to the end of the text.
    fn quoted(&self, at: usize) -> Option<Range<usize>> {
        let mut quote = quote_at(self.text, at);
        // `"""` and `'''` of TOML and Python; `""` is empty.
        let triple = &self.text[at..];
        if triple.starts_with("\"\"\"") || triple.starts_with("'''") {
            quote = &triple[..3];
        }
        let from = at + quote.len();
        let mut end = self.close(from, quote);
        let closed = end.map_or(self.text.len(), |end| end + quote.len());
        // `'a'"b"` is one word to a shell.
        let glued = |b: &u8| {
            b.is_ascii_graphic()
                && !matches!(b, b',' | b'}' | b']' | b')' | b';' | b'&' | b'<' | b'>' | b':' | b'/' | b'#' | b'\\')
        };
        let more = self.bytes[closed..].iter().take_while(|b| glued(b)).count();
        if more > 0 && end.is_some() && self.enclosing_quote().is_none() {
            end = Some(closed + more);
        }
        Some(from..end.unwrap_or(self.text.len()))
    }

    /// Where a quote closes what it opened.
    fn close(&self, from: usize, quote: &str) -> Option<usize> {
        let last = *quote.as_bytes().last()?;
        let backslashes = quote.len() - 1;
        let escaped = quote.starts_with('\\');
        let mut at = from;
        loop {
            let found = at + memchr::memmem::find(self.bytes.get(at..)?, quote.as_bytes())?;
            let before = self.bytes[from..found].iter().rev().take_while(|b| **b == b'\\').count();
            let closes = match last {
                // A doubled quote stands for one.
                b'\'' if quote.len() == 1 && self.bytes.get(found + 1) == Some(&b'\'') => {
                    at = found + 2;
                    continue;
                }
                b'\'' | b'`' if !escaped => true,
                _ if escaped => before % (2 * (backslashes + 1)) == 0,
                _ => before % 2 == 0,
            };
            if closes {
                return Some(found);
            }
            at = found + 1;
        }
    }

    /// The elements of a list in brackets; `None` if it is no list.
    fn list(&self, open: usize) -> Option<Vec<Range<usize>>> {
        let limit = self.bytes.len().min(open + MOST_LIST);
        let mut found = Vec::new();
        let mut at = open + 1;
        while at < limit {
            match self.bytes[at] {
                b']' => return Some(found),
                b'[' | b'{' => return None,
                b'"' | b'\'' | b'\\' if !quote_at(self.text, at).is_empty() => {
                    let quote = quote_at(self.text, at);
                    let end = self.close(at + quote.len(), quote)?;
                    found.push(at + quote.len()..end);
                    at = end + quote.len();
                }
                b',' => at += 1,
                b if b.is_ascii_whitespace() => at += 1,
                _ => {
                    let long = self.bytes[at..limit].iter().take_while(|b| !matches!(b, b',' | b']' | b'\n')).count();
                    found.push(at..at + self.text.as_bytes()[at..at + long].trim_ascii_end().len());
                    at += long;
                }
            }
        }
        None
    }

    /// A value without quotes.
    fn bare(&self, at: usize, lead: Lead, equals: bool, quoted: bool) -> Option<Range<usize>> {
        let line_end = self.line_end(at);
        let enclosing = self.enclosing_quote();
        let until = |stop: &dyn Fn(u8) -> bool| {
            at + self.bytes[at..line_end].iter().take_while(|b| !stop(**b) && Some(**b) != enclosing).count()
        };
        let end = if quoted {
            until(&|b| matches!(b, b',' | b'}' | b']') || b.is_ascii_whitespace())
        } else {
            match lead {
                Lead::Line if self.flag => {
                    let whole = until(&|_| false);
                    // Another flag follows.
                    let next = memchr::memmem::find(&self.bytes[at..whole], b" -").map(|n| at + n);
                    next.unwrap_or(whole)
                }
                Lead::Line if enclosing.is_some() => until(&|_| false),
                Lead::Line => self.continued(at, line_end, equals),
                Lead::Inside(b'?' | b'&') => {
                    until(&|b| matches!(b, b'&' | b'#' | b'"' | b'\'' | b'<' | b'>') || b.is_ascii_whitespace())
                }
                Lead::Inside(b';' | b'|') => until(&|b| b == b';'),
                Lead::Inside(b'{' | b',') => until(&|b| matches!(b, b',' | b'}')),
                Lead::Inside(b'(') => until(&|b| matches!(b, b',' | b')')),
                Lead::Inside(b'"' | b'\'' | b'`') => until(&|_| false),
                Lead::Inside(_) => until(&|b| b.is_ascii_whitespace() || matches!(b, b'&' | b'"' | b'\'')),
            }
        };
        let value = self.text[at..end].trim_end();
        let value = value.strip_suffix(" \\").unwrap_or(value).trim_end();
        Some(at..at + value.len())
    }

    /// The end of a value that lines below may continue: behind a backslash, or indented deeper than the name.
    fn continued(&self, at: usize, line_end: usize, equals: bool) -> usize {
        let indent = self.indent();
        let mut end = line_end;
        while end < self.bytes.len() {
            let next_end = self.line_end(end + 1);
            let line = &self.text[end + 1..next_end];
            let backslashes = self.bytes[at..end].iter().rev().take_while(|b| **b == b'\\').count();
            let deeper = !line.trim().is_empty() && line.len() - line.trim_start().len() > indent;
            let continues = backslashes % 2 == 1
                || (deeper && !line.trim_start().starts_with('#') && (!equals || !line.contains(['=', ':'])));
            if !continues {
                break;
            }
            end = next_end;
        }
        end
    }

    fn is_block_header(&self, at: usize) -> bool {
        let header = self.text[at + 1..self.line_end(at)].trim_end();
        header
            .split(" #")
            .next()
            .is_some_and(|h| h.trim_end().bytes().all(|b| matches!(b, b'+' | b'-') || b.is_ascii_digit()))
    }

    /// The lines of a YAML block scalar, from the first character to the last.
    fn block(&self, header: usize) -> Option<Range<usize>> {
        let indent = self.indent();
        let mut end = self.line_end(header);
        let from = end + 1;
        while end < self.bytes.len() {
            let next_end = self.line_end(end + 1);
            let line = &self.text[end + 1..next_end];
            if !line.trim().is_empty() && line.len() - line.trim_start().len() <= indent {
                break;
            }
            end = next_end;
        }
        self.trimmed(from.min(end)..end)
    }

    /// What stands on the lines below a name with nothing behind it: the items of a YAML list, or a plain value.
    fn below(&self, at: usize) -> Vec<Range<usize>> {
        let indent = self.indent();
        let mut found = Vec::new();
        let mut end = self.line_end(at);
        while end < self.bytes.len() {
            let next_end = self.line_end(end + 1);
            let line = &self.text[end + 1..next_end];
            let depth = line.len() - line.trim_start().len();
            let content = line.trim();
            let from = end + 1 + depth;
            end = next_end;
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let item = content.strip_prefix("- ");
            let deep_enough = if item.is_some() { depth >= indent } else { depth > indent };
            let value = item.unwrap_or(content).trim_start();
            if !deep_enough || is_mapping(value) || (item.is_none() && !found.is_empty()) {
                break;
            }
            let from = from + (content.len() - value.len());
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\'')).map_or(0, char::len_utf8);
            let inner = if quote > 0 { value[1..].trim_end_matches(['"', '\'']) } else { value };
            found.push(from + quote..from + quote + inner.len());
        }
        found
    }

    /// The value in `"--password", "value"`, and in a YAML list of arguments.
    fn next_argument(&self, at: usize) -> Option<Range<usize>> {
        let rest = &self.text[at..];
        let next = match rest.strip_prefix(',') {
            Some(next) if !self.quote.is_empty() => next.trim_start(),
            Some(_) => return None,
            None => {
                let line = self.text[self.line_start()..self.start].trim_start();
                rest.strip_prefix("\r\n")
                    .or_else(|| rest.strip_prefix('\n'))
                    .filter(|_| line.starts_with("- "))?
                    .trim_start()
                    .strip_prefix("- ")?
            }
        };
        let from = self.text.len() - next.len();
        let quote = quote_at(self.text, from);
        if self.text[from + quote.len()..].starts_with('-') {
            return None;
        }
        if quote.is_empty() { self.trimmed(from..self.line_end(from)) } else { self.quoted(from) }
    }

    /// `--password value`, `requirepass value`: one word.
    fn word(&self, at: usize) -> Option<Range<usize>> {
        if !quote_at(self.text, at).is_empty() {
            return self.quoted(at);
        }
        let enclosing = self.enclosing_quote();
        let ends = |b: &u8| b.is_ascii_whitespace() || Some(*b) == enclosing;
        let long = self.bytes[at..].iter().take_while(|b| !ends(b)).count();
        Some(at..at + long)
    }

    fn is_two_words(&self, at: usize, lead: Lead) -> bool {
        let rest = self.text[at..self.line_end(at)].trim_end();
        lead == Lead::Line
            && !rest.is_empty()
            && !rest.contains(char::is_whitespace)
            && self.text[self.line_start()..self.start].trim().is_empty()
    }

    /// `machine host login user password …`
    fn is_netrc(&self) -> bool {
        self.text[self.line_start()..self.start].contains("login ")
    }

    /// `<password>value</password>`
    fn element(&self) -> Option<Range<usize>> {
        let rest = &self.bytes[self.name.end..];
        let open = rest.iter().take(MOST_LEAD).position(|b| *b == b'>')?;
        if open > 0 && rest[open - 1] == b'/' {
            return None;
        }
        let from = self.name.end + open + 1;
        let body = &self.text[from..];
        match body.strip_prefix("<![CDATA[") {
            Some(data) => {
                let from = from + (body.len() - data.len());
                self.trimmed(from..from + data.find("]]>").unwrap_or(data.len()))
            }
            None => self.trimmed(from..from + body.find('<').unwrap_or(body.len())),
        }
    }

    /// The default in `${NAME:-default}` and `${name:default}`.
    fn default_of_reference(&self) -> Option<Range<usize>> {
        if !self.text[..self.start].ends_with('{') {
            return None;
        }
        let rest = &self.text[self.name.end..];
        let sign = if rest.starts_with(":-") || rest.starts_with(":=") {
            2
        } else {
            usize::from(rest.starts_with(':') || rest.starts_with('='))
        };
        if sign == 0 {
            return None;
        }
        let from = self.name.end + sign;
        let long = self.bytes[from..self.line_end(from)].iter().take_while(|b| **b != b'}').count();
        Some(from..from + long)
    }

    /// The value in `name: PASSWORD, value: …`, where the name of a credential is itself a value: YAML, JSON, XML.
    fn value_of_pair(&self) -> Option<Range<usize>> {
        let lead = self.text[self.floor(24)..self.start].trim_end();
        let lead = lead.strip_suffix([':', '=', '>']).map(str::trim_end)?;
        let lead = lead.trim_end_matches(['"', '\'', '\\']).trim_end();
        let is_name = ["name", "Name", "key", "Key", "parameter"].iter().any(|word| {
            lead.strip_suffix(word)
                .is_some_and(|before| !before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
        });
        if !is_name {
            return None;
        }
        let mut rest = self.text[self.name.end..].strip_prefix(self.quote)?;
        rest = rest.trim_start();
        rest = rest.strip_prefix("</name>").or_else(|| rest.strip_prefix("</key>")).unwrap_or(rest);
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        // Inside another text line breaks and quotes are escaped.
        while let Some(after) = rest.strip_prefix("\\n") {
            rest = after.trim_start();
        }
        rest = rest.trim_start_matches(['\\', '"', '\'', '<']);
        let rest = rest.strip_prefix("value")?;
        let rest = rest.trim_start_matches(['\\', '"', '\'']).trim_start();
        let rest = rest.strip_prefix([':', '=', '>'])?;
        let after = self.text.len() - rest.len();
        let at = self.skip_blanks(after);
        if self.bytes.get(after - 1) == Some(&b'>') {
            return self.trimmed(after..after + rest.find('<').unwrap_or(rest.len()));
        }
        if !quote_at(self.text, at).is_empty() {
            return self.quoted(at);
        }
        if matches!(self.bytes.get(at), Some(b'|' | b'>')) && self.is_block_header(at) {
            return self.block(at);
        }
        let line_end = self.line_end(at);
        let flow = self.text[self.line_start()..self.start].contains('{');
        let long = self.bytes[at..line_end].iter().take_while(|b| !flow || !matches!(b, b',' | b'}')).count();
        self.trimmed(at..at + long)
    }

    /// What stands before the name.
    fn lead(&self) -> Lead {
        let line = self.line_start();
        let lead = &self.text[line.max(self.floor(MOST_LEAD))..self.start];
        let words = lead.trim_start_matches(|c: char| {
            c.is_whitespace() || matches!(c, '-' | '#' | ';' | '/' | '*' | '"' | '\'' | '`' | '!' | '$')
        });
        const DECLARE: [&str; 22] = [
            "export", "set", "setx", "env", "arg", "local", "readonly", "declare", "typeset", "const", "var", "let",
            "val", "final", "static", "private", "public", "global", "string", "def", "-x", "-r",
        ];
        let all = words.split_whitespace().all(|word| DECLARE.iter().any(|d| word.eq_ignore_ascii_case(d)));
        if all && (lead.len() < MOST_LEAD || line >= self.floor(MOST_LEAD)) {
            return Lead::Line;
        }
        let blank = lead.ends_with(char::is_whitespace);
        let trimmed = lead.trim_end();
        match trimmed.bytes().last() {
            // A blank before a word is what separates; behind a sign, the sign does.
            Some(b) if !blank || matches!(b, b'{' | b',' | b'(' | b';' | b'&' | b'[' | b'|') => match b {
                // The name's own quote was taken off already; a quote here opened a longer text.
                _ if !self.quote.is_empty() && !b.is_ascii_punctuation() => Lead::Inside(b' '),
                b => Lead::Inside(b),
            },
            _ if !self.quote.is_empty() && !blank => Lead::Inside(b'"'),
            _ => Lead::Inside(b' '),
        }
    }

    /// The quote in which the name stands, if one opened before it on its line and did not close.
    fn enclosing_quote(&self) -> Option<u8> {
        let mut open = None;
        for byte in &self.bytes[self.line_start().max(self.floor(MOST_LEAD))..self.name.start] {
            match (open, byte) {
                (None, b'"' | b'\'' | b'`') => open = Some(*byte),
                (Some(quote), byte) if quote == *byte => open = None,
                _ => {}
            }
        }
        open
    }

    /// Columns before the name: what lies deeper belongs to it.
    fn indent(&self) -> usize {
        let lead = &self.text[self.line_start()..self.start];
        // The key of a list's element stands behind the dash.
        lead.len() - lead.trim_start_matches([' ', '\t', '-', '#']).len()
    }

    fn trimmed(&self, range: Range<usize>) -> Option<Range<usize>> {
        let text = self.text.get(range.clone())?;
        let from = range.start + (text.len() - text.trim_start().len());
        Some(from..from + text.trim().len())
    }

    fn skip_blanks(&self, at: usize) -> usize {
        at + self.bytes[at..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count()
    }

    fn line_start(&self) -> usize {
        let floor = self.floor(8 * MOST_LEAD);
        memchr::memrchr(b'\n', &self.bytes[floor..self.start]).map_or(floor, |n| floor + n + 1)
    }

    fn line_end(&self, at: usize) -> usize {
        let at = at.min(self.bytes.len());
        let end = memchr::memchr(b'\n', &self.bytes[at..]).map_or(self.bytes.len(), |n| at + n);
        if end > at && self.bytes[end - 1] == b'\r' && end < self.bytes.len() { end - 1 } else { end }
    }

    /// `most` bytes before the name, at a character's beginning.
    fn floor(&self, most: usize) -> usize {
        let from = self.start.saturating_sub(most);
        (from..=self.start).find(|n| self.text.is_char_boundary(*n)).unwrap_or(self.start)
    }

    fn byte_before(&self, at: usize) -> Option<u8> {
        at.checked_sub(1).map(|n| self.bytes[n])
    }
}

/// The quote right before a place, with its backslashes; empty if there is none.
fn quote_before(text: &str, at: usize) -> &str {
    let bytes = &text.as_bytes()[..at];
    match bytes.last() {
        Some(b'"' | b'\'' | b'`') => {
            let backslashes = bytes[..at - 1].iter().rev().take_while(|b| **b == b'\\').count();
            &text[at - 1 - backslashes..at]
        }
        _ => "",
    }
}

/// The quote at a place, with its backslashes; empty if there is none.
fn quote_at(text: &str, at: usize) -> &str {
    let rest = &text[at..];
    let backslashes = rest.bytes().take_while(|b| *b == b'\\').count();
    match rest.as_bytes().get(backslashes) {
        Some(b'"' | b'\'' | b'`') => &rest[..=backslashes],
        _ => "",
    }
}

/// `key: value` or `key:`: not a value itself.
fn is_mapping(text: &str) -> bool {
    if text.starts_with(['"', '\'']) {
        return false;
    }
    text.ends_with(':') || text.contains(": ")
}
