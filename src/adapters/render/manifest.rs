//! One file of manifests: its objects, what is wrong with it, and the line of a field.

use serde_json::Value;

use crate::model::declared::{RenderedObject, WrittenAt};
use crate::model::field_path::{FieldPath, Step};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::resource::{Gvk, ObjectId};
use crate::model::secret::{RedactionKey, RedactionRules, redact};
use crate::model::versions::Head;
use crate::yaml::{self, Document, ErrorKind, Node, YamlError};

/// What reading needs besides the file.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// Bounds of the YAML reader.
    pub limits: yaml::Limits,
    /// The target's default namespace: part of what a secret value is hashed with.
    pub namespace: &'a str,
    /// Hides what is secret before anything else sees it.
    pub key: &'a RedactionKey,
    /// Names what else is secret.
    pub redaction: &'a RedactionRules,
}

/// What a file declares.
#[derive(Debug, Default)]
pub struct Manifests {
    /// Objects in file order.
    pub objects: Vec<RenderedObject>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// Keys that stand twice in one mapping; the last one counts.
    pub duplicate_keys: u64,
}

/// Reads a file's objects. Documents without `kind` and `apiVersion` are not manifests and left out.
pub fn read(file: &str, content: &[u8], reading: &Reading<'_>) -> Manifests {
    let mut manifests = Manifests::default();
    let Ok(text) = std::str::from_utf8(content) else {
        manifests.gaps.push(parse_gap(file, None, "the file is not UTF-8 text"));
        return manifests;
    };
    let mut index = 0;
    for document in yaml::read_documents(text, &reading.limits) {
        match document {
            Ok(document) => {
                manifests.duplicate_keys += document.notes.len() as u64;
                for node in objects(&document) {
                    let at = index;
                    index += 1;
                    match object(file, node, at, reading) {
                        Ok(Some(object)) => manifests.objects.push(object),
                        Ok(None) => {}
                        Err(gap) => manifests.gaps.push(gap),
                    }
                }
            }
            Err(error) => manifests.gaps.push(yaml_gap(file, &error)),
        }
    }
    manifests
}

/// The objects that a text names, and whether all of it could be read. Nothing else of them is looked at.
pub fn heads(content: &[u8], limits: &yaml::Limits) -> (Vec<Head>, bool) {
    let Ok(text) = std::str::from_utf8(content) else { return (Vec::new(), false) };
    let (mut heads, mut whole) = (Vec::new(), true);
    for document in yaml::read_documents(text, limits) {
        let Ok(document) = document else {
            whole = false;
            continue;
        };
        for node in objects(&document) {
            match head("", node) {
                Ok(found) => heads.extend(found.filter(|head| !head.name.is_empty())),
                Err(_) => whole = false,
            }
        }
    }
    (heads, whole)
}

/// The one-based lines of fields, each of the object at a position among the file's objects; of the nearest ancestor that is written
/// there if the field itself is not. `None` if the file has no such object.
pub fn lines_of(content: &[u8], fields: &[(usize, FieldPath)], limits: &yaml::Limits) -> Vec<Option<u32>> {
    let Ok(text) = std::str::from_utf8(content) else { return vec![None; fields.len()] };
    let documents: Vec<Document> = yaml::read_documents(text, limits).into_iter().filter_map(Result::ok).collect();
    let nodes: Vec<&Node> = documents.iter().flat_map(objects).collect();
    fields.iter().map(|(index, path)| nodes.get(*index).map(|node| line_of(node, path))).collect()
}

fn line_of(node: &Node, path: &FieldPath) -> u32 {
    let (line, depth) = descend(node, path.steps());
    match path.steps() {
        // A Secret's stringData is compared as data.
        [Step::Field(data), rest @ ..] if data == "data" && depth < path.steps().len() => {
            let mut steps = vec![Step::Field("stringData".to_owned())];
            steps.extend_from_slice(rest);
            let (other, other_depth) = descend(node, &steps);
            if other_depth > depth { other } else { line }
        }
        _ => line,
    }
}

/// The objects of a document: itself, or the items of a list kind.
fn objects(document: &Document) -> Vec<&Node> {
    let mut found = Vec::new();
    expand(&document.root, &mut found);
    found
}

fn expand<'a>(node: &'a Node, found: &mut Vec<&'a Node>) {
    let is_list = node.get("kind").and_then(Node::as_str).is_some_and(|kind| kind.ends_with("List"));
    match node.get("items").and_then(Node::as_seq) {
        Some(items) if is_list => items.iter().for_each(|item| expand(item, found)),
        _ => found.push(node),
    }
}

fn object(file: &str, node: &Node, index: usize, reading: &Reading<'_>) -> Result<Option<RenderedObject>, Gap> {
    let Some(Head { gvk, namespace, name }) = head(file, node)? else { return Ok(None) };
    let id = ObjectId {
        group: gvk.gv.group.clone(),
        kind: gvk.kind.clone(),
        namespace: Some(namespace.as_deref().unwrap_or(reading.namespace).to_owned()),
        name: name.clone(),
    };
    let mut value: Value = yaml::to_json(node);
    redact(&mut value, &id, reading.key, reading.redaction);
    let json = value.to_string().into_boxed_str();
    let written = Some(WrittenAt { line: node.place.line, index });
    Ok(Some(RenderedObject { gvk, namespace, name, json, file: file.to_owned(), written }))
}

/// What names an object; the name is empty where the server makes it. `None`: it is no object of a cluster.
fn head(file: &str, node: &Node) -> Result<Option<Head>, Gap> {
    let text = |key: &str| node.get(key).and_then(Node::as_str).filter(|text| !text.is_empty());
    let gap = |message: &str| parse_gap(file, Some(node.place), message);
    let (api_version, kind) = match (text("apiVersion"), text("kind")) {
        (Some(api_version), Some(kind)) => (api_version, kind),
        (None, None) if node.get("apiVersion").is_none() && node.get("kind").is_none() => {
            return Ok(None);
        }
        (Some(_), None) => return Err(gap("the document has `apiVersion` and no `kind`")),
        (None, Some(_)) => return Err(gap("the document has `kind` and no `apiVersion`")),
        (None, None) => return Err(gap("`apiVersion` and `kind` must be text")),
    };
    // Read by Kustomize itself, never sent to a server.
    if api_version.starts_with("kustomize.config.k8s.io/") {
        return Ok(None);
    }
    let metadata = |key: &str| node.at(&["metadata", key]);
    let name = match metadata("name") {
        Some(name) => name.as_str().ok_or_else(|| gap("`metadata.name` must be text; quote it"))?,
        None if metadata("generateName").is_some() => "",
        None => return Err(gap("the object has no `metadata.name`")),
    };
    let namespace = match metadata("namespace") {
        Some(namespace) if !namespace.is_null() => {
            Some(namespace.as_str().ok_or_else(|| gap("`metadata.namespace` must be text; quote it"))?)
        }
        _ => None,
    };
    let namespace = namespace.filter(|namespace| !namespace.is_empty()).map(str::to_owned);
    Ok(Some(Head { gvk: Gvk::new(api_version, kind), namespace, name: name.to_owned() }))
}

/// How far the steps can be followed, and the line where they end.
fn descend(node: &Node, steps: &[Step]) -> (u32, usize) {
    let (mut at, mut line) = (node, node.place.line);
    for (depth, step) in steps.iter().enumerate() {
        let next = match step {
            Step::Field(name) => at.entry(name).map(|entry| (&entry.value, entry.key_place.line)),
            Step::Key(keys) => at.as_seq().and_then(|items| {
                let item = items.iter().rev().find(|item| has_keys(item, keys))?;
                Some((item, item.place.line))
            }),
            Step::Item(value) => at.as_seq().and_then(|items| {
                let item = items.iter().find(|item| yaml::to_json(item) == *value)?;
                Some((item, item.place.line))
            }),
            Step::Index(n) => at.as_seq().and_then(|items| Some((items.get(*n)?, items.get(*n)?.place.line))),
        };
        match next {
            Some((below, below_line)) => (at, line) = (below, below_line),
            None => return (line, depth),
        }
    }
    (line, steps.len())
}

/// Whether an element is the one with these keys; a key that it leaves to its default does not count.
fn has_keys(item: &Node, keys: &[(String, Value)]) -> bool {
    let written = |name: &str| item.get(name).map(yaml::to_json);
    keys.iter().any(|(name, value)| written(name).as_ref() == Some(value))
        && keys.iter().all(|(name, value)| written(name).is_none_or(|v| v == *value))
}

fn yaml_gap(file: &str, error: &YamlError) -> Gap {
    let mut gap = parse_gap(file, Some(error.place), &error.kind.to_string());
    if error.kind == ErrorKind::TooLarge {
        gap.kind = GapKind::Limit;
    }
    gap
}

fn parse_gap(file: &str, place: Option<yaml::Place>, message: &str) -> Gap {
    let at = place.map_or_else(|| file.to_owned(), |p| format!("{file}:{}:{}", p.line, p.column));
    Gap::new(GapKind::Parse, message, Hides::File { file: file.to_owned() }).at(at)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_text(text: &str) -> Manifests {
        let key = RedactionKey::from_bytes([3; 32]);
        let rules = RedactionRules::default();
        let reading = Reading { limits: yaml::Limits::default(), namespace: "shop", key: &key, redaction: &rules };
        read("a/b.yaml", text.as_bytes(), &reading)
    }

    #[test]
    fn one_broken_document_hides_only_itself() {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\nkind: [\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n";
        let manifests = read_text(text);
        let names: Vec<_> = manifests.objects.iter().map(|o| (o.name.as_str(), o.written.unwrap().line)).collect();
        assert_eq!(names, [("a", 1), ("b", 7)]);
        assert_eq!(manifests.gaps.len(), 1);
        assert!(manifests.gaps[0].place.as_deref().unwrap().starts_with("a/b.yaml:"), "{:?}", manifests.gaps);
    }

    #[test]
    fn lists_are_expanded_and_other_files_passed_over() {
        let text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: a}\n- apiVersion: v1\n  kind: Service\n  metadata: {name: b}\n---\nreplicas: 3\n";
        let manifests = read_text(text);
        assert_eq!(
            manifests.objects.iter().map(|o| o.written.unwrap()).map(|at| (at.index, at.line)).collect::<Vec<_>>(),
            [(0, 4), (1, 7)]
        );
        assert!(manifests.gaps.is_empty());
    }

    #[test]
    fn half_a_manifest_is_a_gap_with_its_line() {
        for (text, what) in [
            ("a: 1\n---\nkind: Pod\n", "no `apiVersion`"),
            ("apiVersion: v1\n", "no `kind`"),
            ("apiVersion: v1\nkind: Pod\n", "no `metadata.name`"),
            ("apiVersion: v1\nkind: Pod\nmetadata: {name: 1}\n", "must be text"),
        ] {
            let gaps = read_text(text).gaps;
            assert!(gaps.len() == 1 && gaps[0].message.contains(what), "{text}: {gaps:?}");
        }
    }

    #[test]
    fn lines_of_fields_also_of_stringdata_and_of_what_is_not_there() {
        let text = b"apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n  p: x\nspec:\n  containers:\n  - name: api\n    ports:\n    - containerPort: 80\n";
        let fields: Vec<(usize, FieldPath)> = [
            (0, r#".data["p"]"#),
            (0, ".metadata.name"),
            (0, r#".spec.containers[name="api"].ports[containerPort=80,protocol="TCP"].protocol"#),
            (0, r#".spec.containers[name="web"]"#),
            (1, "."),
        ]
        .map(|(index, path)| (index, FieldPath::parse(path).unwrap()))
        .to_vec();
        let lines = lines_of(text, &fields, &yaml::Limits::default());
        assert_eq!(lines, [Some(6), Some(4), Some(11), Some(8), None]);
    }

    #[test]
    fn secrets_are_hashed_as_they_enter() {
        let manifests = read_text("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {p: CANARY}\n");
        assert!(!format!("{manifests:?}").contains("CANARY"));
        assert_ne!(manifests.objects[0].tree().unwrap()["data"]["p"], json!(null));
    }
}
