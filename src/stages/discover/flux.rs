//! Flux's Kustomizations and HelmReleases (fluxcd.io, "Kustomization", "HelmRelease").

use serde_json::{Map, Value};

use super::flux_values::{substitution, values};
use super::known::{Declared, Found, Known};
use super::place::{self, Place, To, allowed, folder, is_empty, not_configured, only, place_of, target};
use crate::config::render::{CommonMetadata, HelmOptions, Render, Renderer};
use crate::config::{ChartSource, TargetConfig};

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
