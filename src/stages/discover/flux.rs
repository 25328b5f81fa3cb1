//! Flux's Kustomizations and HelmReleases (fluxcd.io, "Kustomization", "HelmRelease").

use serde_json::{Map, Value};

use super::known::{Declared, Found, Known};
use super::place::{self, Place, To, allowed, folder, is_empty, not_configured, only, place_of, target};
use crate::config::render::{CommonMetadata, HelmOptions, Render, Renderer, Substitution};
use crate::config::{ChartSource, TargetConfig, Texts};
use crate::model::secret::{SOPS_TOKEN, is_hidden};

pub(super) fn one(found: Result<TargetConfig, String>) -> Found {
    match found {
        Ok(target) => Found { targets: vec![target], troubles: Vec::new() },
        Err(trouble) => Found { targets: Vec::new(), troubles: vec![trouble] },
    }
}

/// What is understood of a Kustomization, or says only how and when it is applied.
const KUSTOMIZATION: [&str; 27] = [
    "commonMetadata",
    "components",
    "decryption",
    "deletionPolicy",
    "dependsOn",
    "force",
    "healthCheckExprs",
    "healthChecks",
    "ignoreMissingComponents",
    "images",
    "interval",
    "namePrefix",
    "nameSuffix",
    "patches",
    "patchesJson6902",
    "patchesStrategicMerge",
    "path",
    "postBuild",
    "prune",
    "retryInterval",
    "serviceAccountName",
    "sourceRef",
    "suspend",
    "targetNamespace",
    "timeout",
    "validation",
    "wait",
];
/// The same of a HelmRelease.
const HELM_RELEASE: [&str; 23] = [
    "chart",
    "chartRef",
    "commonMetadata",
    "dependsOn",
    "driftDetection",
    "healthCheckExprs",
    "install",
    "interval",
    "maxHistory",
    "persistentClient",
    "releaseName",
    "rollback",
    "serviceAccountName",
    "storageNamespace",
    "suspend",
    "targetNamespace",
    "test",
    "timeout",
    "uninstall",
    "upgrade",
    "values",
    "valuesFrom",
    "waitStrategy",
];

pub(super) fn kustomization(
    declared: &Declared<'_>,
    here: &TargetConfig,
    known: &Known<'_>,
) -> Result<TargetConfig, String> {
    let spec = declared.spec;
    only(spec, &KUSTOMIZATION, "field")?;
    if let Some(provider) = declared.text("/decryption/provider").filter(|provider| *provider != "sops") {
        return Err(format!("its `decryption` by {provider} is not understood"));
    }
    let place = git_source(declared, "/sourceRef", known)?;
    let mut overlay = Map::new();
    for key in ["images", "namePrefix", "nameSuffix", "patches", "patchesStrategicMerge", "patchesJson6902"] {
        overlay.extend(spec.get(key).filter(|value| !is_empty(value)).map(|value| (key.to_owned(), value.clone())));
    }
    overlay.extend(declared.text("/targetNamespace").map(|namespace| ("namespace".to_owned(), namespace.into())));
    if let Some(labels) = spec.pointer("/commonMetadata/labels").filter(|labels| !is_empty(labels)) {
        overlay.insert("labels".to_owned(), serde_json::json!([{"pairs": labels}]));
    }
    if let Some(annotations) = spec.pointer("/commonMetadata/annotations").filter(|all| !is_empty(all)) {
        overlay.insert("commonAnnotations".to_owned(), annotations.clone());
    }
    let components = spec.get("components").and_then(Value::as_array).into_iter().flatten();
    let render = Render {
        renderer: Renderer::Flux,
        overlay,
        components: components.filter_map(Value::as_str).map(str::to_owned).collect(),
        may_lack_components: spec.get("ignoreMissingComponents").and_then(Value::as_bool) == Some(true),
        substitution: substitution(declared, known)?,
        ..Render::default()
    };
    let namespace = declared.text("/targetNamespace").unwrap_or("default").to_owned();
    let path = declared.text("/path").unwrap_or_default();
    let name = name(declared, here, known);
    Ok(target(name, here, place, path, To { cluster: here.cluster.clone(), namespace, render }))
}

pub(super) fn helm_release(
    declared: &Declared<'_>,
    here: &TargetConfig,
    known: &Known<'_>,
) -> Result<TargetConfig, String> {
    let spec = declared.spec;
    only(spec, &HELM_RELEASE, "field")?;
    let chart = flux_chart(declared, known)?.map(|chart| allowed(chart, known)).transpose()?;
    let (place, path) = match &chart {
        Some(_) => (place_of(here)?, ""),
        None => {
            let path = declared.text("/chart/spec/chart").ok_or("it names no chart")?;
            (git_source(declared, "/chart/spec/sourceRef", known)?, path)
        }
    };
    let target_namespace = declared.text("/targetNamespace");
    let release = declared.text("/releaseName").map(str::to_owned).unwrap_or_else(|| match target_namespace {
        Some(namespace) => format!("{namespace}-{}", declared.name),
        None => declared.name.to_owned(),
    });
    let files = spec.pointer("/chart/spec/valuesFiles").and_then(Value::as_array).into_iter().flatten();
    let map = |key: &str| {
        spec.pointer(&format!("/commonMetadata/{key}")).and_then(Value::as_object).cloned().unwrap_or_default()
    };
    // From the root of the repository, or of the chart.
    let root = if chart.is_some() { "" } else { "/" };
    let helm = HelmOptions {
        chart,
        release_name: Some(release),
        value_files: files.filter_map(Value::as_str).map(|file| format!("{root}{}", folder(file))).collect(),
        values: values(declared, known)?,
        may_lack_files: spec.pointer("/chart/spec/ignoreMissingValuesFiles").and_then(Value::as_bool) == Some(true),
        skip_crds: declared.text("/upgrade/crds") == Some("Skip"),
        common_metadata: CommonMetadata { labels: map("labels"), annotations: map("annotations") },
        ..HelmOptions::default()
    };
    let render = Render { helm, ..Render::default() };
    let namespace = target_namespace.unwrap_or(declared.namespace).to_owned();
    let name = name(declared, here, known);
    Ok(target(name, here, place, path, To { cluster: here.cluster.clone(), namespace, render }))
}

/// `flux/flux-system/apps`.
fn name(declared: &Declared<'_>, here: &TargetConfig, known: &Known<'_>) -> String {
    let flux = place::called("flux", &here.cluster, known.clusters.iter().copied());
    format!("{flux}/{}/{}", declared.namespace, declared.name)
}

/// The variables of `postBuild`. Without any, nothing is one unless the strategy is `Always` (`fluxcd/pkg`, `kustomize/kustomize_varsub.go`): those that stand here go
/// before those of other objects, and the later ones of these before the earlier.
fn substitution(declared: &Declared<'_>, known: &Known<'_>) -> Result<Option<Substitution>, String> {
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
fn values(declared: &Declared<'_>, known: &Known<'_>) -> Result<Map<String, Value>, String> {
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

/// The chart of a HelmRelease, where it comes from a chart repository; `None`: from Git.
fn flux_chart(declared: &Declared<'_>, known: &Known<'_>) -> Result<Option<ChartSource>, String> {
    let (pointer, is_ref) = match declared.spec.get("chartRef") {
        Some(_) => ("/chartRef", true),
        None => ("/chart/spec/sourceRef", false),
    };
    let text = |key: &str| declared.text(&format!("{pointer}/{key}"));
    let kind = text("kind").unwrap_or_default();
    if !matches!((kind, is_ref), ("OCIRepository", true) | ("HelmRepository", false)) {
        return if is_ref { Err(format!("its chart comes from a {kind}, which is not read")) } else { Ok(None) };
    }
    let name = text("name").unwrap_or_default();
    let namespace = text("namespace").unwrap_or(declared.namespace);
    let found = (known.chart_source)(kind, namespace, name);
    let found = found.ok_or_else(|| format!("its {kind} {namespace}/{name} was not found"))?;
    if is_ref {
        return Ok(Some(found));
    }
    let version = declared.text("/chart/spec/version").filter(|version| *version != "*").unwrap_or_default().to_owned();
    let name = declared.text("/chart/spec/chart").ok_or("it names no chart")?.to_owned();
    Ok(Some(ChartSource { name, version, ..found }))
}

/// What a `sourceRef` leads to.
fn git_source(declared: &Declared<'_>, pointer: &str, known: &Known<'_>) -> Result<Place, String> {
    let text = |key: &str| declared.text(&format!("{pointer}/{key}"));
    let kind = text("kind").unwrap_or_default();
    if kind != "GitRepository" {
        return Err(format!("it comes from a {kind}, which is not read"));
    }
    let name = text("name").unwrap_or_default();
    let namespace = text("namespace").unwrap_or(declared.namespace);
    let found = (known.git_repository)(namespace, name);
    let found = found.ok_or_else(|| format!("no target declares its GitRepository {namespace}/{name}"))?;
    let repository = (known.repository)(&found.url).ok_or_else(|| not_configured(&found.url))?;
    Ok((repository, found.revision))
}
