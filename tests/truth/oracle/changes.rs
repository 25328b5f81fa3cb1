//! What changed between two states of a live object, place by place, and how each place stands to what is declared.

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::lists::{self, Default, Kind};
use super::path::Path;

/// A change that the rules have something to say about.
#[derive(Clone, Debug)]
pub struct Change {
    /// DL001, DL002 or DL003.
    pub code: &'static str,
    pub path: Path,
    /// DL003: an entry of a map or of a list with keys of which Git declares entries.
    pub among_declared: bool,
    /// DL001 of a list with keys: only its order changed.
    pub reordered: bool,
    /// The elements of a list that is one value have more fields than before, and nothing else changed.
    pub additions_only: bool,
    /// The rules leave open whether this counts.
    pub open: bool,
}

/// An object without what is not content: identity, bookkeeping, status; a Secret's texts as bytes.
pub fn content(object: &Value) -> Value {
    let mut object = object.clone();
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    let Some(map) = object.as_object_mut() else { return object };
    for field in ["apiVersion", "kind", "status"] {
        map.remove(field);
    }
    if let Some(metadata) = map.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata
            .retain(|field, _| ["labels", "annotations", "finalizers", "ownerReferences"].contains(&field.as_str()));
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
    }
    if kind == "Secret" {
        let texts = map.remove("stringData");
        for (key, text) in texts.as_ref().and_then(Value::as_object).into_iter().flatten() {
            let data = map.entry("data").or_insert(Value::Null);
            data[key] = json!(base64::engine::general_purpose::STANDARD.encode(text.as_str().unwrap_or_default()));
        }
    }
    if kind == "ClusterRole" && map.get("aggregationRule").is_some_and(|rule| !rule.is_null()) {
        map.remove("rules");
    }
    object
}

/// The changes from one state to another that are of interest beside what is declared.
pub fn changes(kind: &str, before: &Value, after: &Value, declared: &Value) -> Vec<Change> {
    let mut walk = Walk { kind, found: Vec::new() };
    walk.place(Some(before), Some(after), Some(declared), &Path::default(), false);
    walk.found
}

/// Every highest place at which two states differ.
pub fn touched(kind: &str, before: &Value, after: &Value) -> Vec<Path> {
    // Beside an object that declares nothing of itself every difference is found at its own place, except what is gone.
    let added = changes(kind, before, after, &Value::Null);
    let gone = changes(kind, after, before, &Value::Null);
    added.into_iter().chain(gone).map(|change| change.path).collect()
}

struct Walk<'a> {
    kind: &'a str,
    found: Vec<Change>,
}

impl Walk<'_> {
    /// `entry`: whether the place is one of several that come and go one by one, some of which are declared.
    fn place(
        &mut self,
        before: Option<&Value>,
        after: Option<&Value>,
        declared: Option<&Value>,
        path: &Path,
        entry: bool,
    ) {
        let set = |value: Option<&'_ Value>| value.is_some_and(|v| !v.is_null());
        let declared = declared.filter(|value| !value.is_null());
        match (before.filter(|v| !v.is_null()), after.filter(|v| !v.is_null())) {
            (None, None) => {}
            (Some(b), Some(a)) if b == a => {}
            (Some(Value::Object(b)), Some(Value::Object(a))) => self.object(b, a, declared, path),
            (Some(Value::Array(b)), Some(Value::Array(a))) => self.list(b, a, declared, path),
            (None, Some(a)) => self.added(a, declared, path, entry),
            (Some(_), None) => match declared {
                Some(value) if is_empty(value) => self.push("DL002", path, false).open = true,
                Some(_) => self.note("DL002", path, false),
                None => {}
            },
            (Some(_), Some(_)) => self.note(if set(declared) { "DL001" } else { "DL003" }, path, entry),
        }
    }

    fn added(&mut self, after: &Value, declared: Option<&Value>, path: &Path, entry: bool) {
        match (after, declared) {
            // Declared, but as something that the server does not keep: an empty map or list, zero, false.
            (Value::Object(after), Some(Value::Object(_))) => self.object(&Map::new(), after, declared, path),
            (Value::Array(after), Some(Value::Array(_))) => self.list(&[], after, declared, path),
            (_, Some(_)) => self.note("DL001", path, false),
            (Value::Object(after), None) if lists::is_map(self.kind, &path.fields()) => {
                self.object(&Map::new(), after, None, path);
            }
            (Value::Array(after), None) if lists::kind(self.kind, &path.fields()) != Kind::Atomic => {
                self.list(&[], after, None, path);
            }
            _ => self.note("DL003", path, entry),
        }
    }

    fn object(
        &mut self,
        before: &Map<String, Value>,
        after: &Map<String, Value>,
        declared: Option<&Value>,
        path: &Path,
    ) {
        let entries = lists::is_map(self.kind, &path.fields())
            && declared.and_then(Value::as_object).is_some_and(|map| map.values().any(|v| !v.is_null()));
        let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            let declared = declared.and_then(|d| d.get(name));
            self.place(before.get(name), after.get(name), declared, &path.field(name), entries);
        }
    }

    fn list(&mut self, before: &[Value], after: &[Value], declared: Option<&Value>, path: &Path) {
        let all: &[Value] = declared.and_then(Value::as_array).map_or(&[], Vec::as_slice);
        match lists::kind(self.kind, &path.fields()) {
            Kind::Atomic => {
                // An empty list is not kept by the server: it says no more than its absence.
                let code = if all.is_empty() { "DL003" } else { "DL001" };
                let additions_only =
                    before.len() == after.len() && before.iter().zip(after).all(|(b, a)| only_adds(b, a));
                self.push(code, path, false).additions_only = additions_only;
            }
            Kind::Set => {
                let gone = before.iter().filter(|item| !after.contains(item) && all.contains(item));
                gone.for_each(|item| self.note("DL002", &path.item(item), false));
                let new = after.iter().filter(|item| !before.contains(item));
                for item in new.filter(|item| !all.contains(item)) {
                    self.push("DL003", &path.item(item), !all.is_empty());
                }
            }
            Kind::Keys(keys) => self.keyed(before, after, declared, keys, path),
        }
    }

    fn keyed(&mut self, before: &[Value], after: &[Value], declared: Option<&Value>, keys: Keys, path: &Path) {
        let all: &[Value] = declared.and_then(Value::as_array).map_or(&[], Vec::as_slice);
        let (b, a, d) = (by_key(before, keys), by_key(after, keys), by_key(all, keys));
        let mut union: Vec<&Key> = b.iter().chain(&a).map(|(key, _)| key).collect();
        let mut seen = Vec::new();
        union.retain(|key| {
            let new = !seen.contains(key);
            seen.push(key);
            new
        });
        for key in union {
            let of = |list: &[(Key, &Value)]| list.iter().rfind(|(k, _)| k == key).map(|(_, v)| (*v).clone());
            let pairs: Vec<(&str, Value)> = key.iter().map(|(name, value)| (*name, value.clone())).collect();
            let (before, after, declared) = (of(&b), of(&a), of(&d));
            self.place(before.as_ref(), after.as_ref(), declared.as_ref(), &path.element(&pairs), !all.is_empty());
        }
        let order = |list: &[(Key, &Value)], other: &[(Key, &Value)]| -> Vec<Key> {
            let both = |key: &Key| other.iter().any(|(k, _)| k == key) && d.iter().any(|(k, _)| k == key);
            list.iter().map(|(key, _)| key.clone()).filter(both).collect()
        };
        if order(&b, &a) != order(&a, &b)
            && (lists::ordered(&path.fields(), all) || lists::ordered(&path.fields(), after))
        {
            self.push("DL001", path, false).reordered = true;
        }
    }

    fn note(&mut self, code: &'static str, path: &Path, among_declared: bool) {
        self.push(code, path, among_declared);
    }

    fn push(&mut self, code: &'static str, path: &Path, among_declared: bool) -> &mut Change {
        let change =
            Change { code, path: path.clone(), among_declared, reordered: false, additions_only: false, open: false };
        self.found.push(change);
        self.found.last_mut().expect("just pushed")
    }
}

type Keys = &'static [(&'static str, Option<Default>)];
type Key = Vec<(&'static str, Value)>;

fn by_key(list: &[Value], keys: Keys) -> Vec<(Key, &Value)> {
    let value = |element: &Value, name: &str, default: Option<Default>| {
        let default = default.map(|default| match default {
            Default::Text(text) => json!(text),
            Default::Number(number) => json!(number),
        });
        element.get(name).filter(|v| !v.is_null()).cloned().or(default)
    };
    let key = |element: &Value| {
        keys.iter().filter_map(|(name, default)| Some((*name, value(element, name, *default)?))).collect()
    };
    list.iter().map(|element| (key(element), element)).collect()
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

/// Whether a value has all that another has, and more.
fn only_adds(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            before.iter().all(|(name, value)| after.get(name).is_some_and(|after| only_adds(value, after)))
        }
        (Value::Array(before), Value::Array(after)) => {
            before.len() == after.len() && before.iter().zip(after).all(|(b, a)| only_adds(b, a))
        }
        (before, after) => before == after,
    }
}
