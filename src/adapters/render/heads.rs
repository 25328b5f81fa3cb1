//! The objects of a file by name only: for the many earlier versions of files, of which nothing else is asked.
//!
//! Most manifests are block mappings whose keys stand at the start of their lines. Of such a document only `apiVersion`, `kind` and
//! `metadata` are read; any other document, a list for one, is read as a whole.

use std::collections::HashMap;
use std::rc::Rc;

use super::manifest::{self, Reading};
use crate::model::resource::Gvk;

/// An object by what names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Version and kind.
    pub gvk: Gvk,
    /// `metadata.namespace`, if one is written.
    pub namespace: Option<String>,
    /// Name; never empty.
    pub name: String,
}

/// Reads names, and remembers what it read: from version to version most documents of a file stay the same.
pub struct HeadReader<'a> {
    reading: Reading<'a>,
    known: HashMap<Vec<u8>, Option<Rc<[Head]>>>,
}

impl<'a> HeadReader<'a> {
    /// With nothing read yet.
    pub fn new(reading: Reading<'a>) -> Self {
        Self { reading, known: HashMap::new() }
    }

    /// The named objects of a file, and whether all of it could be read.
    pub fn read(&mut self, file: &str, content: &[u8]) -> (Vec<Head>, bool) {
        let (mut heads, mut readable) = (Vec::new(), true);
        for piece in pieces_of(content) {
            let names = skeleton(piece).unwrap_or_else(|| piece.to_vec());
            let read = self.known.get(&names).cloned().unwrap_or_else(|| {
                let read = of_piece(file, &names, &self.reading);
                self.known.insert(names, read.clone());
                read
            });
            match read {
                Some(found) => heads.extend(found.iter().cloned()),
                None => readable = false,
            }
        }
        (heads, readable)
    }
}

/// `None` where a part of the text cannot be read.
fn of_piece(file: &str, text: &[u8], reading: &Reading<'_>) -> Option<Rc<[Head]>> {
    let manifests = manifest::read(file, text, reading);
    let named = manifests.objects.into_iter().filter(|object| !object.name.is_empty());
    let heads = named.map(|o| Head { gvk: o.gvk, namespace: o.namespace, name: o.name }).collect();
    manifests.gaps.is_empty().then_some(heads)
}

/// A JSON file is one piece; any other is split at lines that begin with `---`, where `kubectl` splits it.
pub fn pieces_of(content: &[u8]) -> Vec<&[u8]> {
    if content.trim_ascii_start().starts_with(b"{") {
        return vec![content];
    }
    let mut pieces = Vec::new();
    let mut rest = content;
    while let Some(at) = memchr::memmem::find(rest, b"\n---") {
        let (piece, after) = rest.split_at(at + 1);
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

/// The lines of a document that name its object; `None` where they cannot be told from the others by looking at line starts.
fn skeleton(piece: &[u8]) -> Option<Vec<u8>> {
    let mut kept = Vec::new();
    let mut keep = false;
    for line in piece.split_inclusive(|byte| *byte == b'\n') {
        match line.first()? {
            b' ' | b'\n' | b'\r' => {}
            // A separator; what stands behind it on its line is for the reader to judge.
            b'-' if line.starts_with(b"---") => {
                kept.extend_from_slice(line);
                keep = false;
                continue;
            }
            // An element of the list under the last key; or of a list that is the whole document.
            b'-' if !kept.is_empty() || keep => {}
            b'#' => continue,
            b'a'..=b'z' | b'A'..=b'Z' => {
                let colon = line.iter().position(|byte| *byte == b':')?;
                let (key, value) = line.split_at(colon);
                let plain = key.iter().all(u8::is_ascii_alphanumeric);
                if !plain || key == b"items" || !matches!(value.get(1)?, b' ' | b'\n' | b'\r') {
                    return None;
                }
                keep = matches!(key, b"apiVersion" | b"kind" | b"metadata");
                if key == b"kind" && value.trim_ascii_end().ends_with(b"List") {
                    return None;
                }
            }
            _ => return None,
        }
        if keep {
            kept.extend_from_slice(line);
        }
    }
    // An alias may stand for something that was left out.
    (!kept.iter().any(|byte| matches!(byte, b'*' | b'&'))).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::secret::{RedactionKey, RedactionRules};
    use crate::yaml;

    const FILES: &[(&str, &str)] = &[
        (
            "plain",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: n\ndata:\n  x: |\n    kind: Pod\n",
        ),
        (
            "two, the second without an end",
            "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: a\n---\nkind: Pod\napiVersion: v1\nmetadata:\n  name: b",
        ),
        (
            "lists that are not indented",
            "apiVersion: rbac/v1\nkind: Role\nmetadata:\n  name: a\nrules:\n- verbs:\n  - get\n",
        ),
        ("a list kind", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n"),
        (
            "items of a CRD-like kind",
            "apiVersion: v1\nkind: PodList\nmetadata: {}\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n",
        ),
        ("flow", "{apiVersion: v1, kind: Pod, metadata: {name: a}}\n"),
        ("JSON", "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"a\"}}\n"),
        ("quoted keys", "\"apiVersion\": v1\n\"kind\": Pod\n\"metadata\":\n  name: a\n"),
        (
            "flow metadata and comments",
            "# one\napiVersion: v1 # v1\nkind: Pod\n# between\nmetadata: {name: a, labels: {x: y}}\nspec:\n  c: 1\n",
        ),
        ("an anchor in the metadata", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: &n a\nspec:\n  x: *n\n"),
        ("an alias in the metadata", "x: &n a\napiVersion: v1\nkind: Pod\nmetadata:\n  name: *n\n"),
        ("a generated name", "apiVersion: v1\nkind: Pod\nmetadata:\n  generateName: a-\n"),
        ("no manifest", "replicas: 3\nimage:\n  tag: 1\n"),
        ("a list at the top", "- apiVersion: v1\n  kind: Pod\n"),
        ("CRLF", "apiVersion: v1\r\nkind: Pod\r\nmetadata:\r\n  name: a\r\n"),
        (
            "a block scalar with separators inside",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: |\n    ---\n    y\n",
        ),
        ("nothing", ""),
    ];

    fn reading<'a>(key: &'a RedactionKey, rules: &'a RedactionRules) -> Reading<'a> {
        Reading { limits: yaml::Limits::default(), namespace: "shop", key, redaction: rules }
    }

    #[test]
    fn names_are_those_that_reading_the_whole_file_gives() {
        let (key, rules) = (RedactionKey::from_bytes([0; 32]), RedactionRules::default());
        let mut reader = HeadReader::new(reading(&key, &rules));
        for (case, text) in FILES {
            let whole = manifest::read("f.yaml", text.as_bytes(), &reading(&key, &rules));
            let named = whole.objects.iter().filter(|o| !o.name.is_empty());
            let expected: Vec<Head> = named
                .map(|o| Head { gvk: o.gvk.clone(), namespace: o.namespace.clone(), name: o.name.clone() })
                .collect();
            let (heads, readable) = reader.read("f.yaml", text.as_bytes());
            assert_eq!(heads, expected, "{case}");
            assert_eq!(readable, whole.gaps.is_empty(), "{case}");
        }
    }

    #[test]
    fn content_is_not_read_where_names_are_enough() {
        let broken = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: [\n";
        let (key, rules) = (RedactionKey::from_bytes([0; 32]), RedactionRules::default());
        let (heads, _) = HeadReader::new(reading(&key, &rules)).read("f.yaml", broken.as_bytes());
        assert_eq!(heads[0].name, "a");
        let (heads, readable) = HeadReader::new(reading(&key, &rules)).read("f.yaml", b"kind: [\n");
        assert!(heads.is_empty() && !readable);
    }
}
