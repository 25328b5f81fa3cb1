//! The objects of a file by name only: for the many earlier versions of files, of which nothing else is asked.
//!
//! Most manifests are block mappings whose keys stand at the start of their lines. Of such a document only `apiVersion`, `kind` and
//! `metadata` are read; any other document, a list for one, is read as a whole.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use super::manifest;
use crate::model::versions::Head;
use crate::yaml;

/// Reads names, and remembers what it read: from version to version most documents of a file stay the same.
pub struct HeadReader {
    limits: yaml::Limits,
    known: HashMap<Vec<u8>, Option<Rc<[Head]>>>,
}

impl HeadReader {
    /// With nothing read yet.
    pub fn new(limits: yaml::Limits) -> Self {
        Self { limits, known: HashMap::new() }
    }

    /// The named objects of a file, and whether all of it could be read.
    pub fn read(&mut self, content: &[u8]) -> (Vec<Head>, bool) {
        let (mut heads, mut readable) = (Vec::new(), true);
        for piece in pieces_of(content) {
            match self.of_piece(piece) {
                Some(found) => heads.extend(found.iter().cloned()),
                None => readable = false,
            }
        }
        (heads, readable)
    }

    /// The named objects of one of the [pieces](pieces_of) of a file; `None` where a part of it cannot be read.
    pub fn of_piece(&mut self, piece: &[u8]) -> Option<Rc<[Head]>> {
        let names = skeleton(piece).unwrap_or_else(|| piece.to_vec());
        if let Some(known) = self.known.get(&names) {
            return known.clone();
        }
        let (heads, whole) = manifest::heads(&names, &self.limits);
        let read = whole.then(|| Rc::from(heads));
        self.known.insert(names, read.clone());
        read
    }
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

/// An item of a list: the lines of it, and the column of its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListItem {
    /// Where it stands in the list's text.
    pub range: Range<usize>,
    /// The column of its keys; that of its dash is less.
    pub keys: usize,
}

impl ListItem {
    /// The item as a document of its own.
    pub fn document(&self, list: &[u8]) -> Vec<u8> {
        let mut document = Vec::with_capacity(self.range.len());
        for (n, line) in list[self.range.clone()].split_inclusive(|byte| *byte == b'\n').enumerate() {
            // The dash stands for a space.
            let indent = if n == 0 { self.keys } else { column(line).min(self.keys) };
            document.extend_from_slice(line.get(indent..).unwrap_or_default());
        }
        document
    }
}

/// The items of a list that is written line by line; `None` where the text is something else, or is written in another way. An item
/// that cannot be read as a document of its own may still be one in its list: an alias may stand for something in another item.
pub fn items_of(piece: &[u8]) -> Option<Vec<ListItem>> {
    let mut items: Vec<ListItem> = Vec::new();
    let (mut inside, mut is_list, mut dash, mut start) = (false, false, None, 0);
    for line in piece.split_inclusive(|byte| *byte == b'\n') {
        let (at, here) = (start, column(line));
        start += line.len();
        let rest = line.get(here..).unwrap_or_default().trim_ascii_end();
        if rest.is_empty() || rest.starts_with(b"#") && items.last().is_none_or(|item| here <= item.keys) {
            continue;
        }
        let is_dash = rest.starts_with(b"- ");
        if inside && is_dash && dash.is_none_or(|dash| dash == here) {
            dash = Some(here);
            end(&mut items, at);
            let keys = here + 1 + column(&rest[1..]);
            items.push(ListItem { range: at..piece.len(), keys });
        } else if here == 0 && !is_dash {
            if rest == b"---" && items.is_empty() {
                continue;
            }
            let (key, value) = key(line)?;
            let value = value.trim_ascii();
            if inside {
                end(&mut items, at);
            }
            inside = key == b"items";
            if inside && (!value.is_empty() || !items.is_empty()) {
                return None;
            }
            is_list |= key == b"kind" && value.ends_with(b"List");
        } else if inside && items.last().is_none_or(|item| here < item.keys) {
            return None;
        }
    }
    (is_list && !items.is_empty()).then_some(items)
}

/// The last item ends here, if it did not before.
fn end(items: &mut [ListItem], at: usize) {
    if let Some(item) = items.last_mut() {
        item.range.end = item.range.end.min(at);
    }
}

fn column(line: &[u8]) -> usize {
    line.iter().position(|byte| *byte != b' ').unwrap_or(line.len())
}

/// The lines of a document that name its object, or the objects of its list; `None` where they cannot be told from the others by
/// looking at line starts.
fn skeleton(piece: &[u8]) -> Option<Vec<u8>> {
    let mut kept = Vec::new();
    let mut section = Section::Other;
    for line in piece.split_inclusive(|byte| *byte == b'\n') {
        match line.first()? {
            b' ' | b'\n' | b'\r' => {}
            // A separator; what stands behind it on its line is for the reader to judge.
            b'-' if line.starts_with(b"---") => {
                kept.extend_from_slice(line);
                section = Section::Other;
                continue;
            }
            // An element of the list under the last key; or of a list that is the whole document.
            b'-' if !kept.is_empty() => {}
            b'#' => continue,
            b'a'..=b'z' | b'A'..=b'Z' => {
                let (key, value) = key(line)?;
                section = match key {
                    b"items" if value.trim_ascii().is_empty() => Section::Items(Items::default()),
                    b"items" => return None,
                    _ if names(key) => Section::Names,
                    _ => Section::Other,
                };
                if matches!(section, Section::Items(_)) {
                    kept.extend_from_slice(line);
                    continue;
                }
            }
            _ => return None,
        }
        match &mut section {
            Section::Names => kept.extend_from_slice(line),
            Section::Items(items) => items.line(line, &mut kept)?,
            Section::Other => {}
        }
    }
    // An alias may stand for something that was left out.
    (!kept.iter().any(|byte| matches!(byte, b'*' | b'&'))).then_some(kept)
}

/// What a line belongs to.
enum Section {
    /// A key that names the object.
    Names,
    /// The list of a list kind.
    Items(Items),
    /// Anything else.
    Other,
}

/// The items of a list: mappings whose keys stand in one column.
#[derive(Default)]
struct Items {
    /// The column of the dashes.
    dash: Option<usize>,
    keep: bool,
}

impl Items {
    /// Takes one line; `None` where the items are written in another way.
    fn line(&mut self, line: &[u8], kept: &mut Vec<u8>) -> Option<()> {
        let text = line.trim_ascii_end();
        let column = column(text);
        let rest = &text[column..];
        if rest.is_empty() {
            if self.keep {
                kept.extend_from_slice(line);
            }
            return Some(());
        }
        let dash = match self.dash {
            Some(dash) => dash,
            None if rest.starts_with(b"#") => return Some(()),
            None if rest.starts_with(b"- ") => *self.dash.insert(column),
            None => return None,
        };
        let keys = dash + 2;
        let at_key = match column {
            _ if column <= keys && rest.starts_with(b"#") => return Some(()),
            _ if column == dash && rest.starts_with(b"- ") => {
                kept.extend(std::iter::repeat_n(b' ', dash));
                kept.extend_from_slice(b"-\n");
                Some(&rest[2..])
            }
            // An element of the list under an item's key.
            _ if column == keys && rest.starts_with(b"-") => None,
            _ if column == keys => Some(rest),
            _ if column > keys => None,
            _ => return None,
        };
        if let Some(at_key) = at_key {
            let (key, value) = key(at_key)?;
            if key == b"items" || (key == b"kind" && value.trim_ascii().ends_with(b"List")) {
                return None;
            }
            self.keep = names(key);
            if self.keep {
                kept.extend(std::iter::repeat_n(b' ', keys));
                kept.extend_from_slice(at_key);
                kept.push(b'\n');
            }
        } else if self.keep {
            kept.extend_from_slice(line);
        }
        Some(())
    }
}

/// Key and value of a line that begins with a plain key.
fn key(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (key, value) = (line.get(..colon)?, line.get(colon + 1..)?);
    let plain = !key.is_empty() && key.iter().all(u8::is_ascii_alphanumeric);
    (plain && value.first().is_none_or(u8::is_ascii_whitespace)).then_some((key, value))
}

fn names(key: &[u8]) -> bool {
    matches!(key, b"apiVersion" | b"kind" | b"metadata")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::secret::{RedactionKey, RedactionRules};

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
        (
            "a list with content, keys in any order",
            "apiVersion: v1\nitems:\n- apiVersion: v1\n  data:\n    x: |-\n      kind: Pod\n      - y\n  kind: ConfigMap\n  metadata:\n    name: a\n    labels:\n      x: y\n- data: {}\n  apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: b\nkind: ConfigMapList\n",
        ),
        (
            "a list that is indented, with comments and lists in it",
            "kind: List\napiVersion: v1\nitems:\n  # first\n  - kind: Role\n    apiVersion: rbac/v1\n    rules:\n    - verbs: [get]\n    # the name\n    metadata:\n      name: a\n\n  - kind: Pod\n    apiVersion: v1\n    metadata: {name: b}\n",
        ),
        (
            "a list in a list",
            "kind: List\napiVersion: v1\nitems:\n- kind: List\n  apiVersion: v1\n  items:\n  - {kind: Pod, apiVersion: v1, metadata: {name: a}}\n",
        ),
        (
            "a list with wide dashes",
            "kind: List\napiVersion: v1\nitems:\n-   kind: Pod\n    apiVersion: v1\n    metadata: {name: a}\n",
        ),
        (
            "a list in flow style",
            "kind: List\napiVersion: v1\nitems: [{kind: Pod, apiVersion: v1, metadata: {name: a}}]\n",
        ),
        (
            "a list with an item that is no object",
            "kind: List\napiVersion: v1\nitems:\n- x: y\n- kind: Pod\n  apiVersion: v1\n  metadata: {name: a}\n",
        ),
        ("a list that is empty", "kind: List\napiVersion: v1\nitems:\n"),
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

    #[test]
    fn names_are_those_that_reading_the_whole_file_gives() {
        let (key, rules) = (RedactionKey::from_bytes([0; 32]), RedactionRules::default());
        let reading =
            manifest::Reading { limits: yaml::Limits::default(), namespace: "shop", key: &key, redaction: &rules };
        let mut reader = HeadReader::new(yaml::Limits::default());
        for (case, text) in FILES {
            let whole = manifest::read("f.yaml", text.as_bytes(), &reading);
            let named = whole.objects.iter().filter(|o| !o.name.is_empty());
            let expected: Vec<Head> = named
                .map(|o| Head { gvk: o.gvk.clone(), namespace: o.namespace.clone(), name: o.name.clone() })
                .collect();
            let (heads, readable) = reader.read(text.as_bytes());
            assert_eq!(heads, expected, "{case}");
            assert_eq!(readable, whole.gaps.is_empty(), "{case}");
        }
    }

    #[test]
    fn items_are_documents_of_their_own() {
        let (key, rules) = (RedactionKey::from_bytes([0; 32]), RedactionRules::default());
        let reading =
            manifest::Reading { limits: yaml::Limits::default(), namespace: "shop", key: &key, redaction: &rules };
        let what = |text: &[u8]| -> Vec<String> {
            let read = manifest::read("f.yaml", text, &reading).objects;
            read.into_iter().map(|object| object.json.into_string()).collect()
        };
        let split = |text: &str| -> Option<Vec<String>> {
            let items = items_of(text.as_bytes())?;
            Some(items.iter().flat_map(|item| what(&item.document(text.as_bytes()))).collect())
        };
        let mut lists = 0;
        for (case, text) in FILES {
            if let Some(items) = split(text) {
                assert_eq!(items, what(text.as_bytes()), "{case}");
                lists += 1;
            }
        }
        assert_eq!(lists, 7);
        let text = "---\napiVersion: v1\nitems:\n- kind: ConfigMap\n  apiVersion: v1\n  metadata: {name: a}\n  data:\n    x: |\n\n      one\n        two\n\n    y: \"a\n      b\"\n# between\n-   kind: ConfigMap\n    apiVersion: v1\n    data:\n      - a\n    # a word\n    metadata:\n     name: b\nkind: ConfigMapList\n";
        assert_eq!(split(text), Some(what(text.as_bytes())));
        assert_eq!(what(text.as_bytes()).len(), 2);
        for (case, text) in [
            ("no list", "kind: Pod\napiVersion: v1\nitems:\n- a: b\n"),
            ("items twice", "kind: List\nitems:\n- a: b\nitems:\n- c: d\n"),
            ("in flow style", "kind: List\nitems: [{a: b}]\n"),
            ("the dashes stand elsewhere", "kind: List\nitems:\n  - a: b\n - c: d\n"),
            ("a directive", "%YAML 1.2\n---\nkind: List\nitems:\n- a: b\n"),
        ] {
            assert_eq!(items_of(text.as_bytes()), None, "{case}");
        }
        let alias = "kind: List\napiVersion: v1\nitems:\n- &x {kind: Pod, apiVersion: v1, metadata: {name: a}}\n- *x\n";
        let items = items_of(alias.as_bytes()).unwrap();
        let whole = manifest::heads(&items[1].document(alias.as_bytes()), &yaml::Limits::default()).1;
        assert!(!whole, "it cannot be read alone");
    }

    #[test]
    fn content_is_not_read_where_names_are_enough() {
        let broken = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: [\n";
        let (heads, _) = HeadReader::new(yaml::Limits::default()).read(broken.as_bytes());
        assert_eq!(heads[0].name, "a");
        let (heads, readable) = HeadReader::new(yaml::Limits::default()).read(b"kind: [\n");
        assert!(heads.is_empty() && !readable);
    }
}
