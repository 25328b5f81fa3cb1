//! Targets that declared objects of GitOps operators name: Argo CD's Applications, Flux's Kustomizations and HelmReleases.
//!
//! Sources: `argoproj/argo-cd`, `pkg/apis/application/v1alpha1/types.go`; fluxcd.io, "Kustomization", "HelmRelease", "GitRepository". What
//! of them is not understood is said, and makes no target: half of a declaration would accuse what it does not know.

use serde_json::{Map, Value};
use wildmatch::WildMatch;

use super::argocd::Destination;
use crate::config::render::{HelmOptions, PlainFiles, Render};
use crate::config::{ChartSource, Discovery, NamedBy, TargetConfig};
use crate::model::ids::{ClusterName, RepositoryName, Revision, TargetName};

/// What is known besides the objects.
pub struct Known<'a> {
    /// Which operators' objects count.
    pub discovery: Discovery,
    /// The configured clusters.
    pub clusters: &'a [&'a ClusterName],
    /// The configured repository that a URL means.
    pub repository: &'a dyn Fn(&str) -> Option<RepositoryName>,
    /// Flux's GitRepository of a namespace and name.
    pub git_repository: &'a dyn Fn(&str, &str) -> Option<GitRepository>,
    /// Where charts are, by Flux's HelmRepository or OCIRepository of a kind, namespace and name.
    pub chart_source: &'a dyn Fn(&str, &str, &str) -> Option<ChartSource>,
    /// Whether a chart repository is among the allowed ones.
    pub is_allowed: &'a dyn Fn(&str) -> bool,
    /// Reads a text that is a YAML mapping.
    pub mapping: &'a dyn Fn(&str) -> Option<Map<String, Value>>,
}

/// A declared GitRepository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitRepository {
    /// Its address.
    pub url: String,
    /// What of it is followed.
    pub revision: Revision,
}

/// What an object says.
#[derive(Debug, Default, PartialEq)]
pub struct Found {
    /// The targets.
    pub targets: Vec<TargetConfig>,
    /// Why others could not be had, for people.
    pub troubles: Vec<String>,
}

/// The kinds that name targets, or where their sources are.
pub fn kinds(discovery: Discovery) -> Vec<(&'static str, &'static str)> {
    let argocd = [("argoproj.io", "Application")];
    let flux = [
        ("source.toolkit.fluxcd.io", "GitRepository"),
        ("source.toolkit.fluxcd.io", "HelmRepository"),
        ("source.toolkit.fluxcd.io", "OCIRepository"),
        ("kustomize.toolkit.fluxcd.io", "Kustomization"),
        ("helm.toolkit.fluxcd.io", "HelmRelease"),
    ];
    let of_argocd = argocd.into_iter().filter(|_| discovery.argocd);
    of_argocd.chain(flux.into_iter().filter(|_| discovery.flux)).collect()
}

/// The object's kind, namespace and name, and its spec.
struct Declared<'a> {
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    spec: &'a Value,
}

/// The targets that an object names; `None` if it is none of those that count. `here` is the target that declares it.
pub fn targets(object: &Value, here: &TargetConfig, known: &Known<'_>) -> Option<Found> {
    let group = object.get("apiVersion")?.as_str()?.split('/').next()?;
    let declared = Declared {
        kind: object.get("kind")?.as_str()?,
        namespace: object.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or(&here.namespace),
        name: object.pointer("/metadata/name")?.as_str()?,
        spec: object.get("spec")?,
    };
    match (group, declared.kind) {
        ("argoproj.io", "Application") if known.discovery.argocd => Some(application(&declared, here, known)),
        ("kustomize.toolkit.fluxcd.io", "Kustomization") if known.discovery.flux => {
            Some(one(kustomization(&declared, here, known)))
        }
        ("helm.toolkit.fluxcd.io", "HelmRelease") if known.discovery.flux => {
            Some(one(helm_release(&declared, here, known)))
        }
        _ => None,
    }
}

/// A declared GitRepository, by its namespace and name.
pub fn git_repository(object: &Value, namespace: &str) -> Option<((String, String), GitRepository)> {
    let group = object.get("apiVersion")?.as_str()?.split('/').next()?;
    if group != "source.toolkit.fluxcd.io" || object.get("kind")?.as_str()? != "GitRepository" {
        return None;
    }
    let namespace = object.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or(namespace);
    let reference =
        |key: &str| object.pointer(&format!("/spec/ref/{key}")).and_then(Value::as_str).filter(|text| !text.is_empty());
    let exact = ["commit", "name"].into_iter().find_map(reference).map(str::to_owned);
    let range = || reference("semver").map(|range| format!("semver:{range}"));
    let named = || ["tag", "branch"].into_iter().find_map(reference).map(str::to_owned);
    let revision = exact.or_else(range).or_else(named).unwrap_or_else(|| "master".to_owned());
    let repository =
        GitRepository { url: object.pointer("/spec/url")?.as_str()?.to_owned(), revision: Revision::new(revision) };
    Some(((namespace.to_owned(), object.pointer("/metadata/name")?.as_str()?.to_owned()), repository))
}

/// Where charts are by a declared HelmRepository or OCIRepository, by its kind, namespace and name. A HelmRepository holds charts of many
/// names, an OCIRepository is one in one version.
pub fn chart_source(object: &Value, namespace: &str) -> Option<((String, String, String), ChartSource)> {
    let group = object.get("apiVersion")?.as_str()?.split('/').next()?;
    let kind = object.get("kind")?.as_str()?;
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    if group != "source.toolkit.fluxcd.io" || !matches!(kind, "HelmRepository" | "OCIRepository") {
        return None;
    }
    let url = text("/spec/url")?.trim_end_matches('/');
    let (repository, name) = match kind {
        "OCIRepository" => url.rsplit_once('/')?,
        _ => (url, ""),
    };
    let version = ["digest", "semver", "tag"].into_iter().find_map(|key| text(&format!("/spec/ref/{key}")));
    let (repository, name, version) = (repository.to_owned(), name.to_owned(), version.unwrap_or_default().to_owned());
    let namespace = text("/metadata/namespace").unwrap_or(namespace).to_owned();
    let key = (kind.to_owned(), namespace, text("/metadata/name")?.to_owned());
    Some((key, ChartSource { repository, name, version }))
}

/// A target as `here` is one.
fn target(name: String, here: &TargetConfig, (repository, revision): Place, path: &str, to: To) -> TargetConfig {
    TargetConfig {
        name: TargetName::new(name),
        repository,
        revision,
        path: folder(path),
        cluster: to.cluster,
        namespace: to.namespace,
        convergence: here.convergence,
        render: to.render,
        change_policy: None,
        named_by: NamedBy::Live,
    }
}

/// Where a target belongs, and how it gets there.
struct To {
    cluster: ClusterName,
    namespace: String,
    render: Render,
}

type Place = (RepositoryName, Revision);

fn one(found: Result<TargetConfig, String>) -> Found {
    match found {
        Ok(target) => Found { targets: vec![target], troubles: Vec::new() },
        Err(trouble) => Found { targets: Vec::new(), troubles: vec![trouble] },
    }
}

impl Declared<'_> {
    fn text(&self, pointer: &str) -> Option<&str> {
        self.spec.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
    }
}

/// The first of some fields that is there and not empty.
fn set<'k>(fields: &Value, keys: &[&'k str]) -> Option<&'k str> {
    keys.iter().copied().find(|key| fields.get(key).is_some_and(|value| !is_empty(value)))
}

fn application(declared: &Declared<'_>, here: &TargetConfig, known: &Known<'_>) -> Found {
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
    for (n, source) in sources.iter().enumerate() {
        // Files of values for another source.
        if source.get("ref").is_some() && source.get("path").is_none() && source.get("chart").is_none() {
            continue;
        }
        let name = if several.is_some() {
            format!("argocd/{}/{n}", declared.name)
        } else {
            format!("argocd/{}", declared.name)
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
    if let Some(chart) = text("chart") {
        let chart = ChartSource {
            repository: text("repoURL").unwrap_or_default().trim_end_matches('/').to_owned(),
            name: chart.to_owned(),
            version: text("targetRevision").filter(|version| *version != "*").unwrap_or_default().to_owned(),
        };
        let helm = source.get("helm").unwrap_or(&Value::Null);
        // Its files of values are where a `ref` leads to; else nothing of it is in Git but what names it.
        let files = helm.get("valueFiles").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let of_files = files.filter_map(|file| referred(file.strip_prefix('$')?.split('/').next()?, all)).next();
        let place = match of_files {
            Some(source) => self::place(source, known)?,
            None => place_of(here)?,
        };
        let helm =
            HelmOptions { chart: Some(allowed(chart, known)?), ..argo_helm(declared, helm, &place, all, known)? };
        return Ok((place, String::new(), Render { helm, ..Render::default() }));
    }
    let place = place(source, known)?;
    let Some(path) = text("path") else { return Err("one of its sources has no path".to_owned()) };
    if source.get("plugin").is_some() {
        return Err("it is rendered by a plugin of Argo CD".to_owned());
    }
    let mut render = Render { plain: PlainFiles { recurse: false, ..PlainFiles::default() }, ..Render::default() };
    if let Some(directory) = source.get("directory") {
        if directory.get("jsonnet").is_some_and(|jsonnet| !is_empty(jsonnet)) {
            return Err("its directory is Jsonnet".to_owned());
        }
        render.plain.recurse = directory.get("recurse").and_then(Value::as_bool).unwrap_or(false);
        let patterns = |key: &str| directory.get(key).and_then(Value::as_str).map(globs).unwrap_or_default();
        (render.plain.include, render.plain.exclude) = (patterns("include"), patterns("exclude"));
    }
    if let Some(kustomize) = source.get("kustomize") {
        render.overlay = argo_overlay(kustomize)?;
    }
    let helm = source.get("helm").unwrap_or(&Value::Null);
    render.helm = argo_helm(declared, helm, &place, all, known)?;
    Ok((place, path.to_owned(), render))
}

/// The source that others call by a name.
fn referred<'s>(name: &str, all: &[&'s Value]) -> Option<&'s Value> {
    all.iter().find(|source| source.get("ref").and_then(Value::as_str) == Some(name)).copied()
}

/// Where that stands which names a target.
fn place_of(here: &TargetConfig) -> Result<Place, String> {
    if here.repository.as_str().is_empty() {
        return Err(
            "its chart is in a chart repository, and what names it is only live: nothing of it is in Git".to_owned()
        );
    }
    Ok((here.repository.clone(), here.revision.clone()))
}

/// A chart of an allowed repository.
fn allowed(chart: ChartSource, known: &Known<'_>) -> Result<ChartSource, String> {
    let ChartSource { repository, name, version } = &chart;
    if version.starts_with("sha256:") {
        return Err(format!("its chart {name} is named by a digest, which is not understood"));
    }
    if !(known.is_allowed)(repository) {
        let shown = without_user(repository);
        return Err(format!("its chart {name} is in the chart repository {shown}, which `charts` does not allow"));
    }
    Ok(chart)
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

fn not_configured(url: &str) -> String {
    format!("its repository {} is none of the configured ones", without_user(url))
}

/// A URL for people: it may hold a password.
fn without_user(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, rest)| rest)),
        None => url.to_owned(),
    }
}

fn argo_overlay(kustomize: &Value) -> Result<Map<String, Value>, String> {
    let known = [
        "namePrefix",
        "nameSuffix",
        "commonLabels",
        "commonAnnotations",
        "namespace",
        "images",
        "replicas",
        "patches",
        "version",
    ];
    let keys = kustomize.as_object().into_iter().flatten().filter(|(_, value)| !is_empty(value));
    if let Some((key, _)) = keys.clone().find(|(key, _)| !known.contains(&key.as_str())) {
        return Err(format!("its Kustomize option `{key}` is not understood"));
    }
    let mut overlay: Map<String, Value> =
        keys.filter(|(key, _)| *key != "version").map(|(key, value)| (key.clone(), value.clone())).collect();
    if let Some(images) = overlay.get_mut("images").and_then(Value::as_array_mut) {
        for image in images {
            let written = image.as_str().and_then(of_image).ok_or("one of its Kustomize images is not understood")?;
            *image = written;
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
    helm: &Value,
    place: &Place,
    all: &[&Value],
    known: &Known<'_>,
) -> Result<HelmOptions, String> {
    let text = |key: &str| helm.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    if let Some(key) = set(helm, &["fileParameters"]) {
        return Err(format!("its Helm option `{key}` is not understood"));
    }
    let is_true = |key: &str| helm.get(key).and_then(Value::as_bool) == Some(true);
    let list = |key: &str| helm.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut value_files = Vec::new();
    for file in list("valueFiles").iter().filter_map(Value::as_str) {
        value_files.push(match file.strip_prefix('$') {
            None => file.to_owned(),
            Some(rest) => of_ref(rest, place, all, known)?,
        });
    }
    let values = match (helm.get("valuesObject"), text("values")) {
        (Some(Value::Object(values)), _) => values.clone(),
        (_, Some(written)) => (known.mapping)(&written).ok_or("its Helm values are no YAML mapping")?,
        _ => Map::new(),
    };
    let parameter = |parameter: &Value| {
        let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        (text("name"), text("value"), parameter.get("forceString").and_then(Value::as_bool) == Some(true))
    };
    Ok(HelmOptions {
        chart: None,
        release_name: Some(text("releaseName").unwrap_or_else(|| declared.name.to_owned())),
        value_files,
        values,
        kube_version: text("kubeVersion"),
        api_versions: list("apiVersions").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        parameters: list("parameters").iter().map(parameter).collect(),
        may_lack_files: is_true("ignoreMissingValueFiles"),
        skip_crds: is_true("skipCrds"),
    })
}

/// A file of values in another source, `NAME/path`: it has to be of the same commit.
fn of_ref(written: &str, place: &Place, all: &[&Value], known: &Known<'_>) -> Result<String, String> {
    let (name, path) = written.split_once('/').ok_or("one of its files of values names no file")?;
    let source = referred(name, all).ok_or_else(|| format!("no source of it is called {name}"))?;
    if self::place(source, known)? != *place {
        return Err("its files of values are in another repository or revision than its chart".to_owned());
    }
    Ok(format!("/{path}"))
}

fn kustomization(declared: &Declared<'_>, here: &TargetConfig, known: &Known<'_>) -> Result<TargetConfig, String> {
    let spec = declared.spec;
    if let Some(key) = set(spec, &["kubeConfig", "components", "decryption"]) {
        return Err(format!("its `{key}` is not understood"));
    }
    if spec.pointer("/postBuild").is_some_and(|build| !is_empty(build)) {
        return Err("its `postBuild` is not understood".to_owned());
    }
    let place = git_source(declared, "/sourceRef", known)?;
    let mut overlay = Map::new();
    for key in ["images", "namePrefix", "nameSuffix"] {
        overlay.extend(spec.get(key).filter(|value| !is_empty(value)).map(|value| (key.to_owned(), value.clone())));
    }
    overlay.extend(
        spec.get("patches").filter(|value| !is_empty(value)).map(|patches| ("patches".to_owned(), patches.clone())),
    );
    overlay.extend(declared.text("/targetNamespace").map(|namespace| ("namespace".to_owned(), namespace.into())));
    if let Some(labels) = spec.pointer("/commonMetadata/labels").filter(|labels| !is_empty(labels)) {
        overlay.insert("labels".to_owned(), serde_json::json!([{"pairs": labels}]));
    }
    if let Some(annotations) = spec.pointer("/commonMetadata/annotations").filter(|all| !is_empty(all)) {
        overlay.insert("commonAnnotations".to_owned(), annotations.clone());
    }
    let render = Render { overlay, ..Render::default() };
    let namespace = declared.text("/targetNamespace").unwrap_or("default").to_owned();
    let path = declared.text("/path").unwrap_or_default();
    let name = format!("flux/{}/{}", declared.namespace, declared.name);
    Ok(target(name, here, place, path, To { cluster: here.cluster.clone(), namespace, render }))
}

fn helm_release(declared: &Declared<'_>, here: &TargetConfig, known: &Known<'_>) -> Result<TargetConfig, String> {
    let spec = declared.spec;
    if let Some(key) = set(spec, &["kubeConfig", "valuesFrom", "postRenderers"]) {
        return Err(format!("its `{key}` is not understood"));
    }
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
    // From the root of the repository, or of the chart.
    let root = if chart.is_some() { "" } else { "/" };
    let helm = HelmOptions {
        chart,
        release_name: Some(release),
        value_files: files.filter_map(Value::as_str).map(|file| format!("{root}{}", folder(file))).collect(),
        values: spec.get("values").and_then(Value::as_object).cloned().unwrap_or_default(),
        may_lack_files: spec.pointer("/chart/spec/ignoreMissingValuesFiles").and_then(Value::as_bool) == Some(true),
        ..HelmOptions::default()
    };
    let render = Render { helm, ..Render::default() };
    let namespace = target_namespace.unwrap_or(declared.namespace).to_owned();
    let name = format!("flux/{}/{}", declared.namespace, declared.name);
    Ok(target(name, here, place, path, To { cluster: here.cluster.clone(), namespace, render }))
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

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// As `targets[].path` is written.
fn folder(path: &str) -> String {
    let path = path.trim_start_matches("./").trim_matches('/');
    if path == "." { String::new() } else { path.to_owned() }
}

/// Argo CD's patterns: one, or `{one,another}`.
fn globs(text: &str) -> Vec<WildMatch> {
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let all = inner.map_or_else(|| vec![text], |inner| inner.split(',').collect());
    all.into_iter().map(|pattern| WildMatch::new(pattern.trim())).collect()
}

#[cfg(test)]
#[path = "discover_tests.rs"]
mod tests;
