//! How a target's files become objects: the `render` section of a target, the programs of `tools` and their limits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use wildmatch::WildMatch;

use super::charts::ChartSource;
use crate::model::canonical::Canonical;
use crate::model::ids::{RepositoryName, Revision};
use crate::model::secret::is_hidden;

/// How a target's files become objects.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawRender {
    /// `auto`: as Argo CD decides: by Helm where there is a `Chart.yaml`, by Kustomize where there is a `kustomization.yaml`,
    /// `kustomization.yml` or `Kustomization`, else the files are the objects. Or one of `flux`, `plain`, `kustomize`, `helm`, `command`.
    /// Default `auto`.
    #[serde(rename = "as")]
    pub renderer: Option<Renderer>,
    /// Plain: whether files in folders below the target's path count. Default true.
    pub recurse: Option<bool>,
    /// Plain: only files whose path below the target's path fits one of these patterns; `*` stands for any text, `?` for one character.
    #[serde(default)]
    pub include: Vec<String>,
    /// Plain: no files whose path below the target's path fits one of these patterns.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Helm: a chart of a chart repository that `charts` allows, in place of one in the target's path; files of values are then in the chart,
    /// or with a leading `/` in the repository.
    pub chart: Option<RawChart>,
    /// Helm: the release's name. Default: the target's.
    pub release_name: Option<String>,
    /// Helm: files of values in the repository, the later ones go before the earlier; from the target's path, or with a leading `/` from the
    /// repository's root.
    #[serde(default)]
    pub value_files: Vec<String>,
    /// Helm: values that go before those of files.
    #[serde(default)]
    pub values: Map<String, Value>,
    /// Helm: the Kubernetes version that charts see, as `1.33`. Default: the cluster's, or Helm's own where that is not known.
    pub kube_version: Option<String>,
    /// Helm: API versions that charts see besides Helm's own and the cluster's, as `monitoring.coreos.com/v1`.
    #[serde(default)]
    pub api_versions: Vec<String>,
    /// Kustomize: fields of a kustomization that are laid over the target's, as `namePrefix`, `images` or `patches`.
    #[serde(default)]
    pub kustomize: Map<String, Value>,
    /// Kustomize: components that are laid over the target's kustomization, from the target's path.
    #[serde(default)]
    pub components: Vec<String>,
    /// Kustomize: variables that are filled in afterwards where `${name}` stands, as Flux's `postBuild` does.
    #[serde(default)]
    pub substitute: BTreeMap<String, String>,
    /// `as: command`: the program and its arguments. It runs in the target's folder and writes manifests to its standard output.
    #[serde(default)]
    pub command: Vec<String>,
    /// Whether rendering may reach the network: for remote bases of Kustomize and its `helmCharts`, and a chart's dependencies that are not
    /// in its `charts` folder. Default false.
    pub network: Option<bool>,
}

/// A chart in a chart repository.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawChart {
    /// The repository, as `https://charts.example.com` or `oci://registry.example.com/charts`.
    pub repository: String,
    /// The chart's name in it.
    pub name: String,
    /// Its version, or a range of versions, which is asked anew by each scan. Default: the newest.
    pub version: Option<String>,
}

/// What may be laid over a kustomization: nothing that names files or programs.
const OVERLAY: [&str; 11] = [
    "namespace",
    "namePrefix",
    "nameSuffix",
    "labels",
    "commonLabels",
    "commonAnnotations",
    "images",
    "replicas",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
];

/// Which renderer.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Renderer {
    /// By what is in the folder.
    #[default]
    Auto,
    /// As Flux decides: by Kustomize, a folder without a kustomization as one of all that is in it.
    Flux,
    /// The files are the objects.
    Plain,
    /// `kustomize build`.
    Kustomize,
    /// `helm template`.
    Helm,
    /// A program of one's own.
    Command,
}

/// Programs that render.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawTools {
    /// Path of Helm's program. Default: `helm` on the PATH.
    pub helm: Option<String>,
    /// Path of Kustomize's program. Default: `kustomize` on the PATH, else `kubectl kustomize`.
    pub kustomize: Option<String>,
    /// Paths of further versions of Kustomize, by the names that Argo CD's Applications give them, as `v4.5.7`.
    #[serde(default)]
    pub kustomize_versions: BTreeMap<String, String>,
    /// Time limit of one run, as `1m`. Default `1m`.
    pub timeout: Option<String>,
    /// Most bytes that one run may write. Default 67108864.
    pub output_bytes: Option<u64>,
    /// Most bytes of memory that one run may reserve. Default 4294967296.
    pub memory_bytes: Option<u64>,
}

/// How a target's files become objects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Render {
    /// Which renderer.
    pub renderer: Renderer,
    /// Which files count where they are the objects.
    pub plain: PlainFiles,
    /// What a chart is rendered with.
    pub helm: HelmOptions,
    /// Fields of a kustomization that are laid over the target's.
    pub overlay: Map<String, Value>,
    /// The version of Kustomize that the operator renders it with, where it names one.
    pub kustomize_version: Option<String>,
    /// Components that are laid over it, from the target's path.
    pub components: Vec<String>,
    /// Whether one of them may be missing.
    pub may_lack_components: bool,
    /// Variables that are filled in afterwards; `None`: what stands there is no variable.
    pub substitution: Option<Substitution>,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Whether the network may be reached.
    pub network: bool,
}

/// Variables of what was built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Substitution {
    /// By their names.
    pub variables: BTreeMap<String, String>,
    /// By their names, where those are that are given and not known, as `Secret vars`.
    pub hidden: BTreeMap<String, String>,
    /// What may give others, and is not read, as `Secret flux-system/vars`.
    pub unread: Vec<String>,
}

impl HelmOptions {
    /// With another text for all that is hidden in values and parameters, so that it is seen what hangs on it; `None` where nothing is.
    pub fn otherwise_hidden(&self) -> Option<Self> {
        let mut other = self.clone();
        other.values.values_mut().for_each(hide_otherwise);
        for (_, value, _) in other.parameters.iter_mut().filter(|(_, value, _)| is_hidden(value)) {
            OTHERWISE.clone_into(value);
        }
        (other != *self).then_some(other)
    }
}

/// What stands for another hidden value.
const OTHERWISE: &str = "driftledger-hidden";

fn hide_otherwise(value: &mut Value) {
    match value {
        Value::String(text) if is_hidden(text) => OTHERWISE.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(hide_otherwise),
        Value::Object(fields) => fields.values_mut().for_each(hide_otherwise),
        _ => {}
    }
}

impl Substitution {
    /// Gives a variable its value, in place of the one that it has; `None`: one that is not known, of `source`.
    pub fn give(&mut self, name: String, value: Option<String>, source: String) {
        self.variables.remove(&name);
        self.hidden.remove(&name);
        match value {
            Some(value) => _ = self.variables.insert(name, value),
            None => _ = self.hidden.insert(name, source),
        }
    }
}

/// Which files count where they are the objects.
#[derive(Clone, Debug, PartialEq)]
pub struct PlainFiles {
    /// Whether those in folders below count.
    pub recurse: bool,
    /// Only these, unless there are none.
    pub include: Vec<WildMatch>,
    /// None of these.
    pub exclude: Vec<WildMatch>,
    /// Whether what stands in `.jsonnet` files belongs to it: it is not evaluated here, and a gap.
    pub evaluates_jsonnet: bool,
}

impl Default for PlainFiles {
    fn default() -> Self {
        Self { recurse: true, include: Vec::new(), exclude: Vec::new(), evaluates_jsonnet: false }
    }
}

impl PlainFiles {
    /// Whether a file counts, by its path below the target's.
    pub fn takes(&self, path: &str) -> bool {
        let fits = |patterns: &[WildMatch]| patterns.iter().any(|pattern| pattern.matches(path));
        (self.recurse || !path.contains('/'))
            && (self.include.is_empty() || fits(&self.include))
            && !fits(&self.exclude)
    }
}

/// What a chart is rendered with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HelmOptions {
    /// A chart of a chart repository; `None`: the one in the target's path.
    pub chart: Option<ChartSource>,
    /// `None`: the target's name.
    pub release_name: Option<String>,
    /// From the target's path, or from the chart where it is pulled; with a leading `/` from the repository's root.
    pub value_files: Vec<String>,
    /// Go before those of files.
    pub values: Map<String, Value>,
    /// As `1.33`; `None`: Helm's own.
    pub kube_version: Option<String>,
    /// Besides Helm's own.
    pub api_versions: Vec<String>,
    /// Single values by their paths, which go before all others; the last is whether they are texts whatever they look like.
    pub parameters: Vec<(String, String, bool)>,
    /// Other repositories that files of values are in.
    pub beside: Vec<Beside>,
    /// Values that are the content of files, by their paths as those of files of values.
    pub file_parameters: Vec<(String, String)>,
    /// Whether a file of values may be missing.
    pub may_lack_files: bool,
    /// Whether the chart's `crds` folder is left out.
    pub skip_crds: bool,
    /// The release's namespace, where that is another than the target's.
    pub namespace: Option<String>,
    /// Labels and annotations that all objects get afterwards.
    pub common_metadata: CommonMetadata,
    /// Whether charts see an installation, as with Argo CD always; else they see an upgrade.
    pub as_install: bool,
}

/// Another repository whose files a target sees beside its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Beside {
    /// The repository.
    pub repository: RepositoryName,
    /// What of it is followed.
    pub revision: Revision,
}

impl Beside {
    /// The folder that its files are in, from the root of the target's repository; no commit has it.
    pub fn folder(&self) -> String {
        let hash = Canonical::new("driftledger/beside/v1").text(self.repository.as_str()).text(self.revision.as_str());
        format!(".driftledger/beside/{}", hash.finish_hex().chars().take(16).collect::<String>())
    }
}

/// What is added to the metadata of all objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommonMetadata {
    /// Labels.
    pub labels: Map<String, Value>,
    /// Annotations.
    pub annotations: Map<String, Value>,
}

/// Programs that render, and the limits of each run.
#[derive(Clone, Debug)]
pub struct Tools {
    /// `None`: on the PATH.
    pub helm: Option<PathBuf>,
    /// `None`: on the PATH.
    pub kustomize: Option<PathBuf>,
    /// Further ones, by their versions.
    pub kustomize_versions: BTreeMap<String, PathBuf>,
    /// For one run.
    pub timeout: Duration,
    /// Of what one run writes.
    pub output_bytes: u64,
    /// Of memory that one run reserves.
    pub memory_bytes: u64,
}

impl Default for Tools {
    fn default() -> Self {
        Self {
            helm: None,
            kustomize: None,
            kustomize_versions: BTreeMap::new(),
            timeout: Duration::from_secs(60),
            output_bytes: 64 << 20,
            memory_bytes: 4 << 30,
        }
    }
}

impl Render {
    /// Whether Kustomize is asked for more than a folder's kustomization.
    pub fn has_overlay(&self) -> bool {
        !self.overlay.is_empty() || !self.components.is_empty() || self.substitution.is_some()
    }

    /// Whether Helm may be what renders it.
    pub fn may_be_a_chart(&self) -> bool {
        matches!(self.renderer, Renderer::Auto | Renderer::Helm)
    }
}

impl RawTools {
    /// With relative paths from the configuration's folder; the time limit is read by the caller.
    pub(super) fn read(&self, folder: &Path, timeout: Duration) -> Tools {
        let default = Tools::default();
        let path = |path: &Option<String>| path.as_ref().map(|path| folder.join(path));
        Tools {
            helm: path(&self.helm),
            kustomize: path(&self.kustomize),
            kustomize_versions: self
                .kustomize_versions
                .iter()
                .map(|(name, path)| (name.clone(), folder.join(path)))
                .collect(),
            timeout,
            output_bytes: self.output_bytes.unwrap_or(default.output_bytes),
            memory_bytes: self.memory_bytes.unwrap_or(default.memory_bytes),
        }
    }
}

impl RawRender {
    /// The section, or what is wrong: the key in it and what to do.
    pub(super) fn read(&self) -> Result<Render, Vec<(&'static str, String)>> {
        let renderer = self.renderer.unwrap_or_default();
        let mut wrong = Vec::new();
        let mut only = |key, is_set: bool, of: &[Renderer]| {
            if is_set && !of.contains(&renderer) {
                let names: Vec<&str> = of.iter().map(|one| one.as_str()).collect();
                wrong.push((key, format!("is for `as: {}`", names.join("` or `as: "))));
            }
        };
        let (auto, plain, helm) = (Renderer::Auto, Renderer::Plain, Renderer::Helm);
        let kustomize = [auto, Renderer::Flux, Renderer::Kustomize];
        only("recurse", self.recurse.is_some(), &[auto, plain]);
        only("include", !self.include.is_empty(), &[auto, plain]);
        only("exclude", !self.exclude.is_empty(), &[auto, plain]);
        only("chart", self.chart.is_some(), &[auto, helm]);
        only("releaseName", self.release_name.is_some(), &[auto, helm]);
        only("valueFiles", !self.value_files.is_empty(), &[auto, helm]);
        only("values", !self.values.is_empty(), &[auto, helm]);
        only("kubeVersion", self.kube_version.is_some(), &[auto, helm]);
        only("apiVersions", !self.api_versions.is_empty(), &[auto, helm]);
        only("kustomize", !self.kustomize.is_empty(), &kustomize);
        only("components", !self.components.is_empty(), &kustomize);
        only("substitute", !self.substitute.is_empty(), &kustomize);
        only("command", !self.command.is_empty(), &[Renderer::Command]);
        if renderer == Renderer::Command && self.command.is_empty() {
            wrong.push(("command", "name a program and its arguments".to_owned()));
        }
        if let Some(key) = self.kustomize.keys().find(|key| !OVERLAY.contains(&key.as_str())) {
            wrong.push(("kustomize", format!("takes {}, and no `{key}`", OVERLAY.join(", "))));
        }
        for (key, text) in [("releaseName", &self.release_name), ("kubeVersion", &self.kube_version)] {
            if text.as_deref().is_some_and(|text| text.is_empty() || text.starts_with('-')) {
                wrong.push((key, "begins with `-`, or is empty".to_owned()));
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let patterns = |texts: &[String]| texts.iter().map(|text| WildMatch::new(text)).collect();
        Ok(Render {
            renderer,
            plain: PlainFiles {
                recurse: self.recurse.unwrap_or(true),
                include: patterns(&self.include),
                exclude: patterns(&self.exclude),
                evaluates_jsonnet: false,
            },
            helm: HelmOptions {
                chart: self.chart.as_ref().map(|chart| ChartSource {
                    repository: chart.repository.trim_end_matches('/').to_owned(),
                    name: chart.name.clone(),
                    version: chart.version.clone().unwrap_or_default(),
                }),
                release_name: self.release_name.clone(),
                value_files: self.value_files.clone(),
                values: self.values.clone(),
                kube_version: self.kube_version.clone(),
                api_versions: self.api_versions.clone(),
                ..HelmOptions::default()
            },
            overlay: self.kustomize.clone(),
            kustomize_version: None,
            components: self.components.clone(),
            may_lack_components: false,
            substitution: (!self.substitute.is_empty())
                .then(|| Substitution { variables: self.substitute.clone(), ..Substitution::default() }),
            command: self.command.clone(),
            network: self.network.unwrap_or(false),
        })
    }
}

impl Renderer {
    /// As written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Flux => "flux",
            Self::Plain => "plain",
            Self::Kustomize => "kustomize",
            Self::Helm => "helm",
            Self::Command => "command",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_chosen_by_their_path_below_the_targets() {
        let files = |text: &str| {
            let raw: RawRender = serde_json::from_str(text).unwrap();
            raw.read().unwrap().plain
        };
        for (text, path, takes) in [
            ("{}", "a/b.yaml", true),
            (r#"{"recurse": false}"#, "a/b.yaml", false),
            (r#"{"recurse": false}"#, "b.yaml", true),
            (r#"{"include": ["a/*"]}"#, "a/b/c.yaml", true),
            (r#"{"include": ["a/*"]}"#, "b.yaml", false),
            (r#"{"include": ["*.yaml"], "exclude": ["*/test/*"]}"#, "a/test/c.yaml", false),
        ] {
            assert_eq!(files(text).takes(path), takes, "{text} {path}");
        }
    }

    #[test]
    fn what_is_for_another_renderer_is_a_problem() {
        for (text, problem) in [
            (r#"{"as": "kustomize", "values": {"a": 1}}"#, "values: is for `as: auto` or `as: helm`"),
            (r#"{"as": "helm", "exclude": ["a"]}"#, "exclude: is for `as: auto` or `as: plain`"),
            (r#"{"command": ["a"]}"#, "command: is for `as: command`"),
            (r#"{"as": "command"}"#, "command: name a program and its arguments"),
            (r#"{"releaseName": "--post-renderer"}"#, "releaseName: begins with `-`, or is empty"),
        ] {
            let raw: RawRender = serde_json::from_str(text).unwrap();
            let found = raw.read().unwrap_err();
            assert_eq!(found.iter().map(|(key, why)| format!("{key}: {why}")).collect::<Vec<_>>(), [problem], "{text}");
        }
    }
}
