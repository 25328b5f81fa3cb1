//! Cuts a stream into the pieces that hold events: lines, or the objects in a document that spans many.

use std::io::{self, BufRead};

/// Longest line: an event holds an object of at most 1.5 MiB twice, escaped once more in an envelope.
pub(super) const LINE_BYTES: usize = 16 << 20;
/// Largest object of a document.
pub(super) const DOCUMENT_BYTES: usize = 64 << 20;

/// One piece, by the line that it begins on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Whole.
    Whole(u64),
    /// The stream ended in it.
    Unfinished(u64),
    /// Too long to be looked at.
    TooLong(u64),
    /// Between objects of a document, and no object.
    Stray(u64),
}

/// Pieces of a stream.
pub(super) struct Pieces<R> {
    reader: R,
    line: u64,
    documents: Option<bool>,
}

impl<R: BufRead> Pieces<R> {
    /// Of a whole stream.
    pub(super) fn new(reader: R) -> Self {
        Self { reader, line: 1, documents: None }
    }

    /// Of a stream of lines whose first one began before it: it is left out.
    pub(super) fn from_the_middle(reader: R) -> io::Result<Self> {
        let mut pieces = Self { reader, line: 1, documents: Some(false) };
        pieces.rest_of_line()?;
        Ok(pieces)
    }

    /// The next piece; its bytes replace what is in `out`.
    pub(super) fn next(&mut self, out: &mut Vec<u8>) -> io::Result<Option<Piece>> {
        out.clear();
        let documents = match self.documents {
            Some(documents) => documents,
            None => self.begins_a_document()?,
        };
        self.documents = Some(documents);
        if documents { self.object(out) } else { self.text_line(out) }
    }

    /// Events stand on lines of their own, unless the stream is an array, or its first line opens an object and ends there.
    fn begins_a_document(&mut self) -> io::Result<bool> {
        let chunk = self.reader.fill_buf()?;
        let chunk = chunk.strip_prefix(b"\xef\xbb\xbf").unwrap_or(chunk).trim_ascii_start();
        let first = chunk.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
        Ok(first.starts_with(b"[") || first == b"{")
    }

    fn text_line(&mut self, out: &mut Vec<u8>) -> io::Result<Option<Piece>> {
        let mut read = false;
        let mut too_long = false;
        loop {
            let chunk = self.reader.fill_buf()?;
            if chunk.is_empty() {
                let piece = if too_long { Piece::TooLong(self.line) } else { Piece::Unfinished(self.line) };
                return Ok(read.then_some(piece));
            }
            read = true;
            let end = memchr::memchr(b'\n', chunk);
            let text = &chunk[..end.unwrap_or(chunk.len())];
            too_long |= out.len() + text.len() > LINE_BYTES;
            if !too_long {
                out.extend_from_slice(text);
            }
            let taken = end.map_or(chunk.len(), |end| end + 1);
            self.reader.consume(taken);
            if end.is_some() {
                self.line += 1;
                let line = self.line - 1;
                return Ok(Some(if too_long { Piece::TooLong(line) } else { Piece::Whole(line) }));
            }
        }
    }

    fn rest_of_line(&mut self) -> io::Result<()> {
        loop {
            let chunk = self.reader.fill_buf()?;
            let end = memchr::memchr(b'\n', chunk);
            let taken = end.map_or(chunk.len(), |end| end + 1);
            self.reader.consume(taken);
            if end.is_some() || taken == 0 {
                self.line += u64::from(end.is_some());
                return Ok(());
            }
        }
    }

    fn object(&mut self, out: &mut Vec<u8>) -> io::Result<Option<Piece>> {
        let mut nesting = Nesting::default();
        let mut begin = None;
        let mut too_long = false;
        loop {
            let chunk = self.reader.fill_buf()?;
            if chunk.is_empty() {
                return Ok(begin.map(if too_long { Piece::TooLong } else { Piece::Unfinished }));
            }
            let mut taken = 0;
            let mut end = None;
            for (n, byte) in chunk.iter().enumerate() {
                taken = n + 1;
                self.line += u64::from(*byte == b'\n');
                match begin {
                    None if byte.is_ascii_whitespace() || b"[],\xef\xbb\xbf".contains(byte) => continue,
                    None if *byte != b'{' => {
                        end = Some(Piece::Stray(self.line));
                        break;
                    }
                    None => begin = Some(self.line),
                    Some(_) => {}
                }
                too_long |= out.len() >= DOCUMENT_BYTES;
                if !too_long {
                    out.push(*byte);
                }
                if nesting.closes_at(*byte) {
                    end = begin.map(if too_long { Piece::TooLong } else { Piece::Whole });
                    break;
                }
            }
            self.reader.consume(taken);
            if let Some(piece) = end {
                if matches!(piece, Piece::Stray(_)) {
                    self.rest_of_line()?;
                }
                return Ok(Some(piece));
            }
        }
    }
}

/// How deep in an object a place is.
#[derive(Default)]
struct Nesting {
    depth: u64,
    text: bool,
    escaped: bool,
}

impl Nesting {
    /// Whether the object ends with this byte.
    fn closes_at(&mut self, byte: u8) -> bool {
        match (self.text, byte) {
            (true, _) if self.escaped => self.escaped = false,
            (true, b'\\') => self.escaped = true,
            (_, b'"') => self.text = !self.text,
            (false, b'{' | b'[') => self.depth += 1,
            (false, b'}' | b']') => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        !self.text && self.depth == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &[u8]) -> Vec<(Piece, String)> {
        // A small buffer, so that pieces span several chunks.
        let mut pieces = Pieces::new(io::BufReader::with_capacity(7, text));
        let (mut found, mut bytes) = (Vec::new(), Vec::new());
        while let Some(piece) = pieces.next(&mut bytes).unwrap() {
            found.push((piece, String::from_utf8_lossy(&bytes).into_owned()));
        }
        found
    }

    #[test]
    fn pieces_are_lines_or_objects_of_a_document() {
        use Piece::{Stray, Unfinished, Whole};
        for (case, text, expected) in [
            ("lines", "{\"a\":1}\n{\"b\":2}\n", vec![(Whole(1), "{\"a\":1}"), (Whole(2), "{\"b\":2}")]),
            (
                "a last line that is being written",
                "{\"a\":1}\n{\"b",
                vec![(Whole(1), "{\"a\":1}"), (Unfinished(2), "{\"b")],
            ),
            ("an array on one line", "[{\"a\":1},{\"b\":2}]", vec![(Whole(1), "{\"a\":1}"), (Whole(1), "{\"b\":2}")]),
            (
                "an array over lines, with brackets in a text",
                "[\n  {\n \"a\": \"}]\\\"\"\n},\n{}\n]\n",
                vec![(Whole(2), "{\n \"a\": \"}]\\\"\"\n}"), (Whole(5), "{}")],
            ),
            ("an indented object", "{\n \"a\": [1]\n}\n", vec![(Whole(1), "{\n \"a\": [1]\n}")]),
            ("something between", "[{},\nxyz\n{}]", vec![(Whole(1), "{}"), (Stray(2), ""), (Whole(3), "{}")]),
            ("cut off", "[{},\n{\"a\":", vec![(Whole(1), "{}"), (Unfinished(2), "{\"a\":")]),
            ("nothing", "", vec![]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|(piece, text)| (piece, text.to_owned())).collect();
            assert_eq!(cut(text.as_bytes()), expected, "{case}");
        }
    }

    #[test]
    fn a_huge_line_is_passed_over_and_not_held() {
        let mut text = vec![b'x'; LINE_BYTES + 1];
        text.extend_from_slice(b"\n{}\n");
        let mut pieces = Pieces::new(io::BufReader::new(text.as_slice()));
        let mut bytes = Vec::new();
        assert_eq!(pieces.next(&mut bytes).unwrap(), Some(Piece::TooLong(1)));
        assert!(bytes.len() <= LINE_BYTES);
        assert_eq!(pieces.next(&mut bytes).unwrap(), Some(Piece::Whole(2)));
        assert_eq!(bytes, b"{}");
    }
}
