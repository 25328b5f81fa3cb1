//! The walk over an object that finds what is secret in it and puts tokens there.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::key::{RedactionKey, Tokens};
use super::kind::{decode, encode, encrypted, redact_secret};
use super::rules::{CredentialNames, Naming, Place, RedactionRules};
use super::text::{hidden, is_secret, replaced};
use super::token::NO_KEY_PREFIX;
use crate::model::field_path::{FieldPath, Step};
use crate::model::resource::ObjectId;

/// The annotation in which `kubectl apply` keeps the whole declared object, Secrets' data included.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Looks at a text, after which it is hidden as a whole.
const MOST_LOOKS: usize = 8;

/// Of an object's metadata: what names it and what the server writes.
const IDENTITY: [&str; 9] = [
    "name",
    "namespace",
    "generateName",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "ownerReferences",
    "managedFields",
    "finalizers",
];

/// Replaces what is secret in an object by tokens, in place. Returns whether anything was.
///
/// `object` names it with its namespace already defaulted. In a Secret, `stringData` is folded into `data`, as the server
/// does, because afterwards text and base64 can no longer be told apart. A kind or field of the wrong type is redacted whole.
pub fn redact(value: &mut Value, object: &ObjectId, key: &RedactionKey, rules: &RedactionRules) -> bool {
    redact_with(&Tokens::new(key, object), value, object, rules)
}

/// As [`redact`], for an object that was redacted before under the key `by`: its tokens stay as they are, and what today's rules
/// name besides becomes a token, too. What holds a token and is hidden in turn can no longer be compared
/// (see [`NO_KEY`](super::NO_KEY)).
///
/// Only for a source that says of itself that it is redacted. In a live cluster a value that looks like a token is a value.
pub fn redact_again(
    value: &mut Value,
    object: &ObjectId,
    key: &RedactionKey,
    rules: &RedactionRules,
    by: &str,
) -> bool {
    redact_with(&Tokens::again(key, object, by), value, object, rules)
}

fn redact_with(tokens: &Tokens<'_>, value: &mut Value, object: &ObjectId, rules: &RedactionRules) -> bool {
    let mut any = redact_fields(value, object, tokens, rules);
    let secret = object.group_kind().is_secret();
    let ruled = secret || rules.fields.iter().any(|r| r.kind == object.group_kind());
    let Some(annotations) = value.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) else {
        return any;
    };
    for (name, annotation) in annotations.iter_mut() {
        // Other tools keep whole objects in annotations of their own.
        if name != LAST_APPLIED && !(secret && keeps_object(name)) {
            continue;
        }
        let suspicious = match (annotation.as_str(), &rules.names) {
            (Some(text), Some(names)) => names.may_hold(text),
            _ => false,
        };
        if !ruled && !suspicious {
            continue;
        }
        let applied = annotation.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        if let Some(mut applied) = applied.filter(Value::is_object) {
            let redacted = redact_fields(&mut applied, object, tokens, rules);
            if redacted {
                *annotation = Value::String(applied.to_string());
            }
            any |= redacted;
        } else {
            // What cannot be read cannot be redacted in part.
            let text = annotation.as_str().map_or_else(|| annotation.to_string(), str::to_owned);
            *annotation = tokens.whole(".", "annotation", text.as_bytes());
            any = true;
        }
    }
    any
}

/// `kapp.k14s.io/original`, `objectset.rio.cattle.io/applied`, `banzaicloud.com/last-applied`…
fn keeps_object(annotation: &str) -> bool {
    let name = annotation.rsplit('/').next().unwrap_or(annotation);
    ["applied", "original", "last-applied-configuration"].iter().any(|word| name.contains(word))
}

fn redact_fields(value: &mut Value, object: &ObjectId, tokens: &Tokens<'_>, rules: &RedactionRules) -> bool {
    let kind = object.group_kind();
    let mut any = false;
    if let Some(names) = &rules.names {
        any |= by_name(value, object, tokens, names);
    }
    if kind.is_secret() {
        any |= redact_secret(value, tokens);
    }
    for rule in rules.fields.iter().filter(|rule| rule.kind == kind) {
        any |= redact_path(value, rule.path.steps(), &mut FieldPath::root(), tokens);
    }
    any
}

/// Redacts what looks like a credential, in all of an object but what names it and a Secret's data.
fn by_name(value: &mut Value, object: &ObjectId, tokens: &Tokens<'_>, names: &CredentialNames) -> bool {
    let kind = object.group_kind();
    let shown: Vec<&[Step]> = names.shown_fields(&kind).map(|field| field.path.steps()).collect();
    if shown.iter().any(|steps| steps.is_empty()) {
        return false;
    }
    let Some(root) = value.as_object_mut() else { return false };
    let core_map = kind.group.is_empty() && kind.kind == "ConfigMap";
    let mut walk = Walk { tokens, names, any: false };
    for (name, child) in root.iter_mut() {
        let at = At { parent: None, step: name };
        let shown = below(&shown, name);
        if is_shown(&shown) {
            continue;
        }
        match name.as_str() {
            "apiVersion" | "kind" => {}
            "data" | "stringData" if kind.is_secret() => {}
            "metadata" => walk.metadata(child, at, &shown),
            "data" if core_map => walk.value(child, at, &shown, Place::Setting, None),
            "binaryData" if core_map => walk.binary(child, at, &shown),
            _ => walk.field(name, child, at, &shown, Place::Field),
        }
    }
    walk.any
}

/// Where the walk is. Paths are written down only where something is redacted.
#[derive(Clone, Copy)]
struct At<'a> {
    parent: Option<&'a At<'a>>,
    step: &'a str,
}

impl At<'_> {
    /// Positions are left out: an element keeps its token when the list is reordered.
    fn path(self) -> String {
        let mut steps = Vec::new();
        let mut at = Some(&self);
        while let Some(here) = at {
            steps.push(Step::Field(here.step.to_owned()));
            at = here.parent;
        }
        steps.reverse();
        FieldPath::from(steps).to_string()
    }
}

/// The rests of paths that go on below a name.
fn below<'a>(shown: &[&'a [Step]], name: &str) -> Vec<&'a [Step]> {
    let fits = |step: &Step| matches!(step, Step::Field(wanted) if wanted == name || wanted == "*");
    shown.iter().filter_map(|steps| steps.split_first().filter(|(step, _)| fits(step)).map(|(_, rest)| rest)).collect()
}

/// The rests of paths that go on below an element of a list.
fn below_element<'a>(shown: &[&'a [Step]], element: &Value) -> Vec<&'a [Step]> {
    let fits = |step: &Step| match step {
        Step::Field(wanted) => wanted == "*",
        Step::Key(keys) => keys.iter().all(|(name, wanted)| element.get(name) == Some(wanted)),
        Step::Item(wanted) => element == wanted,
        Step::Index(_) => false,
    };
    shown.iter().filter_map(|steps| steps.split_first().filter(|(step, _)| fits(step)).map(|(_, rest)| rest)).collect()
}

fn is_shown(shown: &[&[Step]]) -> bool {
    shown.iter().any(|steps| steps.is_empty())
}

struct Walk<'a> {
    tokens: &'a Tokens<'a>,
    names: &'a CredentialNames,
    any: bool,
}

impl Walk<'_> {
    fn metadata(&mut self, metadata: &mut Value, at: At<'_>, shown: &[&[Step]]) {
        let Some(map) = metadata.as_object_mut() else { return };
        for (name, child) in map.iter_mut() {
            let here = At { parent: Some(&at), step: name };
            let shown = below(shown, name);
            if !IDENTITY.contains(&name.as_str()) && !is_shown(&shown) {
                self.value(child, here, &shown, Place::Field, None);
            }
        }
    }

    /// A field or key with its name.
    fn field(&mut self, name: &str, value: &mut Value, at: At<'_>, shown: &[&[Step]], place: Place) {
        // The domain before an annotation's name is its owner's; `checksum/secret` has none.
        let own = match name.split_once('/') {
            Some((domain, own)) if domain.contains('.') => own,
            _ => name,
        };
        let naming =
            if value.is_object() || value.is_boolean() { Naming::Plain } else { self.names.naming(own, place) };
        self.value(value, at, shown, place, Some((own, naming)));
    }

    fn value(&mut self, value: &mut Value, at: At<'_>, shown: &[&[Step]], place: Place, named: Option<(&str, Naming)>) {
        let (name, naming) = named.unwrap_or(("", Naming::Plain));
        match value {
            Value::Object(map) => self.map(map, at, shown, place),
            Value::Array(items) => {
                let done = self.flags(items, at);
                for (n, item) in items.iter_mut().enumerate() {
                    let here = At { parent: Some(&at), step: "*" };
                    let shown = below_element(shown, item);
                    if !is_shown(&shown) && !done.contains(&n) {
                        self.value(item, here, &shown, place, named.filter(|_| naming != Naming::Plain));
                    }
                }
            }
            Value::String(_) => self.text(value, at, name, naming),
            Value::Number(number) if naming != Naming::Plain => {
                let text = number.to_string();
                if is_secret(&text, naming) {
                    *value = self.tokens.whole(&at.path(), "number", text.as_bytes());
                    self.any = true;
                }
            }
            _ => {}
        }
    }

    fn map(&mut self, map: &mut Map<String, Value>, at: At<'_>, shown: &[&[Step]], place: Place) {
        let pair = self.pair(map);
        for (name, child) in map.iter_mut() {
            // The annotation is read as the object that it is.
            if name == LAST_APPLIED {
                continue;
            }
            let here = At { parent: Some(&at), step: name };
            let shown = below(shown, name);
            if is_shown(&shown) {
                continue;
            }
            match &pair {
                Some((named, naming)) if name == "value" && !child.is_object() => {
                    self.value(child, here, &shown, Place::Setting, Some((named, *naming)));
                }
                _ => self.field(name, child, here, &shown, place),
            }
        }
    }

    /// The name in `{name: DB_PASSWORD, value: …}`: a variable, a header, a parameter.
    fn pair(&self, map: &Map<String, Value>) -> Option<(String, Naming)> {
        if !map.contains_key("value") {
            return None;
        }
        let name = map.get("name").or_else(|| map.get("key")).and_then(Value::as_str)?;
        // A toleration's key is a taint's.
        if map.contains_key("effect") || map.contains_key("operator") {
            return None;
        }
        let naming = self.names.naming(name, Place::Setting);
        (naming != Naming::Plain).then(|| (name.to_owned(), naming))
    }

    /// `["--password", "hunter2"]`: replaces the second, and says which were.
    fn flags(&mut self, items: &mut [Value], at: At<'_>) -> Vec<usize> {
        let mut done = Vec::new();
        for n in 1..items.len() {
            let (before, after) = items.split_at_mut(n);
            let (Some(Value::String(flag)), Some(value @ Value::String(_))) = (before.last(), after.first_mut()) else {
                continue;
            };
            let name = flag.trim_start_matches('-');
            if name.len() == flag.len()
                || name.contains(['=', ' ', ':'])
                || value.as_str().is_some_and(|v| v.starts_with('-'))
            {
                continue;
            }
            let naming = self.names.naming(name, Place::Setting);
            if naming != Naming::Plain {
                let name = name.to_owned();
                self.text(value, At { parent: Some(&at), step: "*" }, &name, naming);
                done.push(n);
            }
        }
        done
    }

    /// A text: secret as a whole by its name, or with something secret in it.
    fn text(&mut self, value: &mut Value, at: At<'_>, name: &str, naming: Naming) {
        let Some(text) = value.as_str() else { return };
        let redacted = if is_secret(text, naming) {
            // The name goes in: two variables with one value in one container are not to be told equal.
            let form = if name == at.step { Cow::from("value") } else { Cow::from(format!("value:{name}")) };
            encrypted(text).unwrap_or_else(|| self.tokens.whole(&at.path(), &form, text.as_bytes()))
        } else {
            match self.inside(text, at) {
                Some(redacted) => Value::String(redacted),
                None => return,
            }
        };
        *value = redacted;
        self.any = true;
    }

    /// A text with tokens for what is secret in it; `None` if nothing is.
    ///
    /// Looks again until nothing more is found: what was replaced may have hidden what stands beside it, and a text that is redacted
    /// again, as that of a snapshot is, must stay as it is.
    fn inside(&self, text: &str, at: At<'_>) -> Option<String> {
        let own = self.tokens.prefix();
        let mut kept: Vec<&str> = self.tokens.kept().into_iter().collect();
        let mut found = hidden(text, self.names, &kept);
        if found.is_empty() {
            return None;
        }
        let path = at.path();
        let mut redacted = text.to_owned();
        kept.extend([own.as_str(), NO_KEY_PREFIX]);
        for _ in 0..MOST_LOOKS {
            redacted = replaced(&redacted, &found, |name, bytes| self.tokens.inside(&path, name, bytes));
            found = hidden(&redacted, self.names, &kept);
            if found.is_empty() {
                return Some(redacted);
            }
        }
        Some(self.tokens.inside(&path, "text", text.as_bytes()))
    }

    /// A ConfigMap's `binaryData`: base64, often of texts.
    fn binary(&mut self, value: &mut Value, at: At<'_>, shown: &[&[Step]]) {
        let Some(map) = value.as_object_mut() else { return self.value(value, at, shown, Place::Setting, None) };
        for (name, child) in map.iter_mut() {
            let here = At { parent: Some(&at), step: name };
            if is_shown(&below(shown, name)) {
                continue;
            }
            let Some(bytes) = child.as_str().and_then(decode) else {
                // Not base64, and refused by the server: still nobody's to see.
                self.field(name, child, here, &[], Place::Setting);
                continue;
            };
            let text = std::str::from_utf8(&bytes).ok();
            let naming = self.names.naming(name, Place::Setting);
            // Bytes that are no text have no words.
            if text.map_or(naming != Naming::Plain && !bytes.is_empty(), |text| is_secret(text, naming)) {
                *child = self.tokens.whole(&here.path(), "bytes", &bytes);
                self.any = true;
            } else if let Some(redacted) = text.and_then(|text| self.inside(text, here)) {
                *child = Value::String(encode(redacted.as_bytes()));
                self.any = true;
            }
        }
    }
}

fn redact_path(value: &mut Value, steps: &[Step], at: &mut FieldPath, tokens: &Tokens<'_>) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        return redact_below(value, at, tokens);
    };
    let any_name = matches!(step, Step::Field(name) if name == "*");
    let mut any = false;
    match value {
        Value::Object(map) => {
            for (name, child) in map.iter_mut() {
                if any_name || matches!(step, Step::Field(wanted) if wanted == name) {
                    at.push(Step::Field(name.clone()));
                    any |= redact_path(child, rest, at, tokens);
                    at.pop();
                }
            }
        }
        Value::Array(items) => {
            for item in items.iter_mut() {
                let hit = any_name
                    || matches!(step, Step::Key(keys) if keys.iter().all(|(name, wanted)| item.get(name) == Some(wanted)));
                if hit {
                    // Positions are left out of the path: an element keeps its token when the list is reordered.
                    at.push(Step::Field("*".into()));
                    any |= redact_path(item, rest, at, tokens);
                    at.pop();
                }
            }
        }
        _ => {}
    }
    any
}

fn redact_below(value: &mut Value, at: &mut FieldPath, tokens: &Tokens<'_>) -> bool {
    match value {
        Value::Object(map) => {
            let mut any = false;
            for (name, child) in map.iter_mut() {
                at.push(Step::Field(name.clone()));
                any |= redact_below(child, at, tokens);
                at.pop();
            }
            any
        }
        Value::Array(items) => {
            let mut any = false;
            for item in items {
                any |= redact_below(item, at, tokens);
            }
            any
        }
        Value::Null => false,
        scalar => {
            let bytes = scalar.as_str().map_or_else(|| scalar.to_string(), str::to_owned);
            *scalar = tokens.whole(&at.to_string(), "value", bytes.as_bytes());
            true
        }
    }
}
