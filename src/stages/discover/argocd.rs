//! Argo CD's Applications (`argoproj/argo-cd`, `pkg/apis/application/v1alpha1/types.go`).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use wildmatch::WildMatch;

use super::build_env::expand;
use super::known::{Declared, Found, Known};
use super::place::{Place, To, allowed, called, is_empty, not_configured, only, place_of, target};
use crate::config::render::{Beside, CommonMetadata, HelmOptions, PlainFiles, Render};
use crate::config::{ChartSource, TargetConfig};
use crate::model::ids::Revision;
use crate::stages::argocd::Destination;

pub(super) fn application(declared: &Declared<'_>, here: &TargetConfig, known: &Known<'_>) -> Found {
    let mut found = Found::default();
    let Some(cluster) = Destination::of(declared.spec).cluster(&here.cluster, known.clusters) else {
        found.troubles.push("its destination is none of the configured clusters".to_owned());
        return found;
    };
    let several = declared.spec.get("sources").and_then(Value::as_array).filter(|sources| !sources.is_empty());
    let sources: Vec<&Value> = match several {
        Some(sources) => sources.iter().collect(),
        None => declared.spec.get("source").into_iter().collect(),
    };
    if sources.is_empty() {
        found.troubles.push("it names no source".to_owned());
    }
    let operator = called("argocd", &here.cluster, known.clusters.iter().copied());
    for (n, source) in sources.iter().enumerate() {
        // Files of values for another source.
        if source.get("ref").is_some() && source.get("path").is_none() && source.get("chart").is_none() {
            continue;
        }
        let name = if several.is_some() {
            format!("{operator}/{}/{n}", declared.name)
        } else {
            format!("{operator}/{}", declared.name)
        };
        match of_source(declared, source, &sources, (here, known)) {
            Ok((place, path, render)) => {
                let namespace = declared.text("/destination/namespace").unwrap_or("default").to_owned();
                let to = To { cluster: cluster.clone(), namespace, render };
                found.targets.push(target(name, here, place, &path, to));
            }
            Err(trouble) => found.troubles.push(trouble),
        }
    }
    found
}

fn of_source(
    declared: &Declared<'_>,
    source: &Value,
    all: &[&Value],
    (here, known): (&TargetConfig, &Known<'_>),
) -> Result<(Place, String, Render), String> {
    let text = |key: &str| source.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let fields =
        ["repoURL", "path", "targetRevision", "helm", "kustomize", "directory", "plugin", "chart", "ref", "name"];
    only(source, &fields, "field")?;
    if let Some(chart) = text("chart") {
        let chart = ChartSource {
            repository: text("repoURL").unwrap_or_default().trim_end_matches('/').to_owned(),
            name: chart.to_owned(),
            version: text("targetRevision").filter(|version| *version != "*").unwrap_or_default().to_owned(),
        };
        // Its files of values are where a `ref` leads to; else nothing of it is in Git but what names it.
        let files = source
            .pointer("/helm/valueFiles")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let of_files = files.filter_map(|file| referred(file.strip_prefix('$')?.split('/').next()?, all)).next();
        let place = match of_files {
            Some(source) => self::place(source, known)?,
            None => place_of(here)?,
        };
        let helm =
            HelmOptions { chart: Some(allowed(chart, known)?), ..argo_helm(declared, source, &place, all, known)? };
        return Ok((place, String::new(), Render { helm, ..Render::default() }));
    }
    let place = place(source, known)?;
    let Some(path) = text("path") else { return Err("one of its sources has no path".to_owned()) };
    if source.get("plugin").is_some() {
        return Err("it is rendered by a plugin of Argo CD".to_owned());
    }
    let mut render = Render {
        plain: PlainFiles { recurse: false, evaluates_jsonnet: true, ..PlainFiles::default() },
        ..Render::default()
    };
    if let Some(directory) = source.get("directory") {
        only(directory, &["recurse", "include", "exclude", "jsonnet"], "option for directories")?;
        if directory.get("jsonnet").is_some_and(|jsonnet| !is_empty(jsonnet)) {
            return Err("its directory is Jsonnet".to_owned());
        }
        render.plain.recurse = directory.get("recurse").and_then(Value::as_bool).unwrap_or(false);
        let patterns = |key: &str| directory.get(key).and_then(Value::as_str).map(globs).unwrap_or_default();
        (render.plain.include, render.plain.exclude) = (patterns("include"), patterns("exclude"));
    }
    if let Some(kustomize) = source.get("kustomize") {
        render.overlay = argo_overlay(kustomize, &|text| expand(text, declared, source))?;
        render.kustomize_version = kustomize.get("version").and_then(Value::as_str).map(str::to_owned);
        let components = kustomize.get("components").and_then(Value::as_array).into_iter().flatten();
        render.components = components.filter_map(Value::as_str).map(str::to_owned).collect();
        render.may_lack_components = kustomize.get("ignoreMissingComponents").and_then(Value::as_bool) == Some(true);
    }
    render.helm = argo_helm(declared, source, &place, all, known)?;
    Ok((place, path.to_owned(), render))
}

/// The source that others call by a name.
fn referred<'s>(name: &str, all: &[&'s Value]) -> Option<&'s Value> {
    all.iter().find(|source| source.get("ref").and_then(Value::as_str) == Some(name)).copied()
}

fn place(source: &Value, known: &Known<'_>) -> Result<Place, String> {
    let url = source.get("repoURL").and_then(Value::as_str).unwrap_or_default();
    let repository = (known.repository)(url).ok_or_else(|| not_configured(url))?;
    let revision =
        source.get("targetRevision").and_then(Value::as_str).filter(|text| !text.is_empty()).unwrap_or("HEAD");
    let is_range = revision.contains(['*', '^', '~', '>', '<', '=', ' ']);
    let revision = if is_range { format!("semver:{revision}") } else { revision.to_owned() };
    Ok((repository, Revision::new(revision)))
}

/// Fields of a kustomization as they are, and what Argo CD has besides.
const OVERLAY: [&str; 8] =
    ["namePrefix", "nameSuffix", "commonLabels", "commonAnnotations", "namespace", "images", "replicas", "patches"];
const BESIDES: [&str; 10] = [
    "version",
    "components",
    "ignoreMissingComponents",
    "labelWithoutSelector",
    "labelIncludeTemplates",
    "forceCommonLabels",
    "forceCommonAnnotations",
    "commonAnnotationsEnvsubst",
    "kubeVersion",
    "apiVersions",
];

type Expand<'a> = &'a dyn Fn(&str) -> Result<String, String>;

fn argo_overlay(kustomize: &Value, expand: Expand<'_>) -> Result<Map<String, Value>, String> {
    let is_true = |key: &str| kustomize.get(key).and_then(Value::as_bool) == Some(true);
    only(kustomize, &[OVERLAY.as_slice(), &BESIDES].concat(), "Kustomize option")?;
    let keys = kustomize.as_object().into_iter().flatten().filter(|(_, value)| !is_empty(value));
    let taken = keys.filter(|(key, _)| OVERLAY.contains(&key.as_str()));
    let mut overlay: Map<String, Value> = taken.map(|(key, value)| (key.clone(), value.clone())).collect();
    let expanded = [("commonLabels", true), ("commonAnnotations", is_true("commonAnnotationsEnvsubst"))];
    for (key, _) in expanded.into_iter().filter(|(_, is_expanded)| *is_expanded) {
        for value in overlay.get_mut(key).and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
            if let Some(text) = value.as_str() {
                *value = expand(text)?.into();
            }
        }
    }
    if is_true("labelWithoutSelector")
        && let Some(pairs) = overlay.remove("commonLabels")
    {
        let labels =
            json!([{"pairs": pairs, "includeSelectors": false, "includeTemplates": is_true("labelIncludeTemplates")}]);
        overlay.insert("labels".to_owned(), labels);
    }
    if let Some(images) = overlay.get_mut("images").and_then(Value::as_array_mut) {
        for image in images {
            let written = image.as_str().map(expand).transpose()?.and_then(|text| of_image(&text));
            *image = written.ok_or("one of its Kustomize images is not understood")?;
        }
    }
    Ok(overlay)
}

/// Argo CD writes `[NAME=]IMAGE[:TAG|@DIGEST]` (`kustomize edit set image`).
fn of_image(text: &str) -> Option<Value> {
    let (name, new) = text.split_once('=').map_or((None, text), |(name, new)| (Some(name), new));
    let (new, digest) = new.split_once('@').map_or((new, None), |(new, digest)| (new, Some(digest)));
    let tag_at = new.rfind(':').filter(|at| !new.get(*at..).unwrap_or_default().contains('/'));
    let (new, tag) = tag_at.map_or((new, None), |at| (new.get(..at).unwrap_or(new), new.get(at + 1..)));
    let mut image = Map::new();
    image.insert("name".to_owned(), name.unwrap_or(new).into());
    if name.is_some_and(|name| name != new) {
        image.insert("newName".to_owned(), new.into());
    }
    image.extend(tag.map(|tag| ("newTag".to_owned(), tag.into())));
    image.extend(digest.map(|digest| ("digest".to_owned(), digest.into())));
    (!new.is_empty()).then_some(Value::Object(image))
}

fn argo_helm(
    declared: &Declared<'_>,
    source: &Value,
    place: &Place,
    all: &[&Value],
    known: &Known<'_>,
) -> Result<HelmOptions, String> {
    let helm = source.get("helm").unwrap_or(&Value::Null);
    only(helm, &HELM, "Helm option")?;
    let text = |key: &str| helm.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let is_true = |key: &str| helm.get(key).and_then(Value::as_bool) == Some(true);
    let list = |key: &str| helm.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    // `$NAME/…` is a file of the source that is called so, and else a variable.
    let mut others = BTreeSet::new();
    let mut file = |written: &str| match written.strip_prefix('$').filter(|_| names_a_source(written, all)) {
        None => expand(written, declared, source),
        Some(rest) => of_ref(rest, place, all, known).map(|(path, beside)| {
            others.extend(beside);
            path
        }),
    };
    let value_files = list("valueFiles");
    let value_files = value_files.iter().filter_map(Value::as_str).map(&mut file).collect::<Result<_, _>>()?;
    let mut of_file = |parameter: &Value| {
        let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
        Ok((text("name").to_owned(), file(text("path"))?))
    };
    let file_parameters = list("fileParameters").iter().map(&mut of_file).collect::<Result<_, String>>()?;
    let values = match (helm.get("valuesObject"), text("values")) {
        (Some(Value::Object(values)), _) => values.clone(),
        (_, Some(written)) => (known.mapping)(&written).ok_or("its Helm values are no YAML mapping")?,
        _ => Map::new(),
    };
    let parameter = |parameter: &Value| {
        let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let is_text = parameter.get("forceString").and_then(Value::as_bool) == Some(true);
        Ok((text("name"), expand(&text("value"), declared, source)?, is_text))
    };
    let parameters = list("parameters").iter().map(parameter).collect::<Result<_, String>>()?;
    Ok(HelmOptions {
        chart: None,
        release_name: Some(text("releaseName").unwrap_or_else(|| declared.name.to_owned())),
        value_files,
        values,
        kube_version: text("kubeVersion"),
        api_versions: list("apiVersions").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        parameters,
        file_parameters,
        beside: others.into_iter().collect(),
        may_lack_files: is_true("ignoreMissingValueFiles"),
        skip_crds: is_true("skipCrds"),
        namespace: text("namespace"),
        common_metadata: CommonMetadata::default(),
        // It runs `helm template` (`util/helm/cmd.go`).
        as_install: true,
    })
}

/// What is understood of `helm`, or makes no difference.
const HELM: [&str; 15] = [
    "valueFiles",
    "values",
    "valuesObject",
    "parameters",
    "fileParameters",
    "releaseName",
    "ignoreMissingValueFiles",
    "skipCrds",
    "skipSchemaValidation",
    "skipTests",
    "passCredentials",
    "version",
    "kubeVersion",
    "apiVersions",
    "namespace",
];

fn names_a_source(written: &str, all: &[&Value]) -> bool {
    let name = written.strip_prefix('$').and_then(|rest| rest.split('/').next()).unwrap_or_default();
    referred(name, all).is_some() || !name.starts_with(['{', 'A', 'K'])
}

/// A file of values in another source, `NAME/path`, and the other repository or revision that it is in, if that is another.
fn of_ref(written: &str, place: &Place, all: &[&Value], known: &Known<'_>) -> Result<(String, Option<Beside>), String> {
    let (name, path) = written.split_once('/').ok_or("one of its files of values names no file")?;
    let source = referred(name, all).ok_or_else(|| format!("no source of it is called {name}"))?;
    let (repository, revision) = self::place(source, known)?;
    if (&repository, &revision) == (&place.0, &place.1) {
        return Ok((format!("/{path}"), None));
    }
    let beside = Beside { repository, revision };
    Ok((format!("/{}/{path}", beside.folder()), Some(beside)))
}

/// Argo CD's patterns: one, or `{one,another}`.
fn globs(text: &str) -> Vec<WildMatch> {
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let all = inner.map_or_else(|| vec![text], |inner| inner.split(',').collect());
    all.into_iter().map(|pattern| WildMatch::new(pattern.trim())).collect()
}
