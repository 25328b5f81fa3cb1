//! What Flux's objects are given by themselves and by ConfigMaps and Secrets: variables of a Kustomization, values of a HelmRelease.

use serde_json::{Map, Value};

use super::known::{Declared, Known};
use crate::config::Texts;
use crate::config::render::Substitution;
use crate::model::secret::{SOPS_TOKEN, is_hidden};

/// The variables of `postBuild`. Without any, nothing is one unless the strategy is `Always` (`fluxcd/pkg`, `kustomize/kustomize_varsub.go`): those that stand here go
/// before those of other objects, and the later ones of these before the earlier.
pub(super) fn substitution(declared: &Declared<'_>, known: &Known<'_>) -> Result<Option<Substitution>, String> {
    let mut substitution = Substitution::default();
    let one_line = |text: &str| text.replace('\n', "");
    for from in others(declared, "/postBuild/substituteFrom") {
        match values_of(declared, from, known)? {
            From::Texts(texts) => {
                for (name, text) in texts {
                    substitution.give(name, text.as_deref().map(one_line), called(from));
                }
            }
            From::Unread => substitution.unread.push(called(from)),
            From::Nothing => {}
        }
    }
    let own = declared.spec.pointer("/postBuild/substitute").and_then(Value::as_object).into_iter().flatten();
    for (name, value) in own {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let text = Some(one_line(&text)).filter(|text| !is_hidden(text));
        substitution.give(name.clone(), text, format!("Kustomization {}", declared.name));
    }
    let is_name = |name: &String| {
        !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let mut names = substitution.variables.keys().chain(substitution.hidden.keys());
    if let Some(name) = names.find(|name| !is_name(name)) {
        return Err(format!("its `postBuild` has a variable {name}, which Flux refuses"));
    }
    let always = declared.text("/postBuild/substituteStrategy") == Some("Always");
    Ok(Some(substitution).filter(|substitution| always || *substitution != Substitution::default()))
}

/// The names of the ConfigMaps that an object refers to for its values.
pub fn config_maps(object: &Value) -> Vec<&str> {
    let is_fluxs =
        object.get("apiVersion").and_then(Value::as_str).is_some_and(|version| version.contains(".toolkit.fluxcd.io/"));
    let lists = ["/spec/postBuild/substituteFrom", "/spec/valuesFrom"].into_iter().filter(|_| is_fluxs);
    let all = lists.filter_map(|list| object.pointer(list)?.as_array()).flatten();
    let config_maps = all.filter(|from| from.get("kind").and_then(Value::as_str) == Some("ConfigMap"));
    config_maps.filter_map(|from| from.get("name")?.as_str()).collect()
}

/// What another object gives.
enum From {
    /// The texts of a ConfigMap.
    Texts(Texts),
    /// It is a Secret.
    Unread,
    /// It may be missing, and is.
    Nothing,
}

/// The ConfigMaps and Secrets that a list names.
fn others<'v>(declared: &Declared<'v>, pointer: &str) -> impl Iterator<Item = &'v Value> {
    declared.spec.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// `Secret vars`.
fn called(from: &Value) -> String {
    let text = |key: &str| from.get(key).and_then(Value::as_str).unwrap_or("?");
    format!("{} {}", text("kind"), text("name"))
}

fn values_of(declared: &Declared<'_>, from: &Value, known: &Known<'_>) -> Result<From, String> {
    let text = |key: &str| from.get(key).and_then(Value::as_str).unwrap_or_default();
    if text("kind") == "Secret" {
        return Ok(From::Unread);
    }
    match (known.config_map)(declared.namespace, text("name")) {
        Some(texts) => Ok(From::Texts(texts)),
        // What Git does not declare may be live.
        None if from.get("optional").and_then(Value::as_bool) == Some(true) => {
            Ok(if known.discovery.live { From::Nothing } else { From::Unread })
        }
        None => Err(format!("its {} was not found in {}", called(from), declared.namespace)),
    }
}

/// The values of a HelmRelease (`fluxcd/pkg`, `chartutil/values.go`): those of other objects, the later ones before the earlier, then its own.
/// A value for a single path goes before all that stand before it, and before those of the HelmRelease itself where these were the first to
/// have a mapping there: so it is written there, whatever the documentation says of it.
pub(super) fn values(declared: &Declared<'_>, known: &Known<'_>) -> Result<Map<String, Value>, String> {
    let mut values = Map::new();
    let mut own = declared.spec.get("values").and_then(Value::as_object).cloned().unwrap_or_default();
    for from in others(declared, "/valuesFrom") {
        let key = from.get("valuesKey").and_then(Value::as_str).unwrap_or("values.yaml");
        let is_true = |key: &str| from.get(key).and_then(Value::as_bool) == Some(true);
        let path = from.get("targetPath").and_then(Value::as_str).filter(|path| !path.is_empty());
        let text = match values_of(declared, from, known)? {
            From::Texts(texts) => match texts.get(key).cloned() {
                Some(text) => text,
                None if is_true("optional") => continue,
                None => return Err(format!("its {} has no `{key}`", called(from))),
            },
            From::Nothing => continue,
            From::Unread => None,
        };
        let Some(path) = path else {
            let text = text.ok_or_else(|| format!("its values come from {}, which is not read", called(from)))?;
            let more = (known.mapping)(&text);
            let more = more.ok_or_else(|| format!("the `{key}` of its {} is no YAML mapping", called(from)))?;
            merge(&mut values, more);
            continue;
        };
        let steps = steps(path).ok_or_else(|| format!("its `targetPath` {path} is not understood"))?;
        let value = match text {
            None => Some(SOPS_TOKEN.into()),
            Some(text) if is_true("literal") => Some(text.into()),
            Some(text) => scalar(&text),
        };
        let not_understood = || format!("the `{key}` of its {} is not understood at a `targetPath`", called(from));
        let value = value.ok_or_else(not_understood)?;
        let is_own = !has_mappings(&values, &steps) && has_mappings(&own, &steps);
        merge(&mut values, own.clone());
        put(&mut values, &steps, value.clone());
        if is_own {
            put(&mut own, &steps, value);
        }
    }
    merge(&mut values, own);
    Ok(values)
}

/// The names in a path; lists and several paths in one are not understood.
fn steps(path: &str) -> Option<Vec<String>> {
    if path.contains(['[', ']', ',', '=', '{', '}']) {
        return None;
    }
    let (mut steps, mut rest) = (vec![String::new()], path.chars());
    while let Some(next) = rest.next() {
        match (next, steps.last_mut()) {
            ('.', _) => steps.push(String::new()),
            ('\\', Some(step)) => step.push(rest.next()?),
            (c, Some(step)) => step.push(c),
            (_, None) => {}
        }
    }
    steps.iter().all(|step| !step.is_empty()).then_some(steps)
}

/// Whether there are mappings all along a path, above its end.
fn has_mappings(values: &Map<String, Value>, steps: &[String]) -> bool {
    match steps {
        [] | [_] => true,
        [first, rest @ ..] => {
            values.get(first).and_then(Value::as_object).is_some_and(|below| has_mappings(below, rest))
        }
    }
}

/// Puts a value at a path, in place of all that is no mapping on the way.
fn put(values: &mut Map<String, Value>, steps: &[String], value: Value) {
    match steps {
        [] => {}
        [last] => _ = values.insert(last.clone(), value),
        [first, rest @ ..] => {
            let below = values.entry(first.clone()).or_insert(Value::Null);
            if !below.is_object() {
                *below = Value::Object(Map::new());
            }
            if let Some(below) = below.as_object_mut() {
                put(below, rest, value);
            }
        }
    }
}

/// As Helm merges values: mappings into one another, and all else in place of what was there.
fn merge(values: &mut Map<String, Value>, more: Map<String, Value>) {
    for (name, value) in more {
        match (values.get_mut(&name), value) {
            (Some(Value::Object(there)), Value::Object(more)) => merge(there, more),
            (_, value) => _ = values.insert(name, value),
        }
    }
}

/// A value as `helm --set` reads it (`helm/helm`, `pkg/strvals/parser.go`); `None`: a list, or several, or one with escapes.
fn scalar(text: &str) -> Option<Value> {
    let quoted = |quote| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote);
    let is_text = quoted('\'') || quoted('"');
    let text = if is_text { text.trim_matches(['"', '\'']) } else { text };
    if text.contains([',', '\\']) || text.starts_with('{') {
        return None;
    }
    let number = text.parse::<i64>().ok().filter(|_| text == "0" || !text.starts_with('0'));
    Some(match text {
        _ if is_text => text.into(),
        _ if text.eq_ignore_ascii_case("null") => Value::Null,
        _ if text.eq_ignore_ascii_case("true") => true.into(),
        _ if text.eq_ignore_ascii_case("false") => false.into(),
        _ => number.map_or_else(|| text.into(), Value::from),
    })
}
