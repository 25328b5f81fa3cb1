//! The programs that render: where they are, and which versions, asked once.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::charts::{Charts, Pulled};
use super::process::{Run, on_path};
use crate::config::ChartSource;
use crate::config::render::Tools;
use crate::model::gap::{Gap, GapKind, Hides};

/// See the module.
#[derive(Debug, Default)]
pub struct Toolbox {
    /// What the configuration says of them.
    pub tools: Tools,
    charts: Charts,
    helm: OnceLock<Result<Tool, Gap>>,
    kustomize: OnceLock<Result<Tool, Gap>>,
    /// Further versions of Kustomize.
    further: BTreeMap<String, OnceLock<Result<Tool, Gap>>>,
}

/// A program that is there.
#[derive(Clone, Debug)]
pub struct Tool {
    /// Its path.
    pub program: PathBuf,
    /// What it is called with before anything else.
    pub first: Vec<OsString>,
    /// Its name and version, as `helm v3.19.0`.
    pub name: String,
}

impl Toolbox {
    /// With nothing looked for yet.
    pub fn new(tools: Tools, charts: Charts) -> Self {
        let further = tools.kustomize_versions.keys().map(|version| (version.clone(), OnceLock::new())).collect();
        Self { tools, charts, further, ..Self::default() }
    }

    /// A chart of a chart repository.
    ///
    /// # Errors
    /// A gap where it cannot be had.
    pub fn chart(&self, source: &ChartSource) -> Result<Pulled, Gap> {
        self.charts.get(source, self.helm()?, &self.tools)
    }

    /// Helm.
    ///
    /// # Errors
    /// A gap that says how to get it.
    pub fn helm(&self) -> Result<&Tool, Gap> {
        let find = || {
            let program = self.tools.helm.clone().or_else(|| on_path("helm"));
            let program = program.ok_or_else(|| {
                missing(
                    "the target is a Helm chart, and there is no `helm` here",
                    "https://helm.sh/docs/intro/install",
                    "helm",
                )
            })?;
            let version = self.version(&program, &["version", "--template", "{{.Version}}"], "helm")?;
            Ok(Tool { program, first: Vec::new(), name: format!("helm {version}") })
        };
        self.helm.get_or_init(find).as_ref().map_err(Clone::clone)
    }

    /// Kustomize in a version, where that is at hand; else the usual one, or kubectl's.
    ///
    /// # Errors
    /// A gap that says how to get it.
    pub fn kustomize(&self, version: Option<&str>) -> Result<&Tool, Gap> {
        let asked = version.and_then(|version| self.tools.kustomize_versions.get_key_value(version));
        match asked.and_then(|(version, program)| Some((self.further.get(version)?, program))) {
            Some((tool, program)) => tool.get_or_init(|| self.kustomize_at(program.clone())),
            None => self.kustomize.get_or_init(|| self.any_kustomize()),
        }
        .as_ref()
        .map_err(Clone::clone)
    }

    fn any_kustomize(&self) -> Result<Tool, Gap> {
        if let Some(program) = self.tools.kustomize.clone().or_else(|| on_path("kustomize")) {
            return self.kustomize_at(program);
        }
        let program = on_path("kubectl").ok_or_else(|| {
            let what = "the target is a kustomization, and there is neither `kustomize` nor `kubectl` here";
            missing(what, "https://kubectl.docs.kubernetes.io/installation/kustomize", "kustomize")
        })?;
        let said = self.version(&program, &["version", "--client", "--output=json"], "kustomize")?;
        let said: serde_json::Value = serde_json::from_str(&said).unwrap_or_default();
        let version = said["kustomizeVersion"].as_str().unwrap_or("of kubectl");
        Ok(Tool { program, first: vec!["kustomize".into()], name: format!("kustomize {version}") })
    }

    fn kustomize_at(&self, program: PathBuf) -> Result<Tool, Gap> {
        let version = self.version(&program, &["version"], "kustomize")?;
        Ok(Tool { program, first: vec!["build".into()], name: format!("kustomize {version}") })
    }

    fn version(&self, program: &Path, arguments: &[&str], key: &str) -> Result<String, Gap> {
        let gap = |why: String| {
            Gap::new(GapKind::Render, format!("{} {why}", program.display()), Hides::Target)
                .hint(format!("check `tools.{key}` and the program"))
        };
        let home = tempfile::tempdir().map_err(|error| gap(format!("could not be started: {error}")))?;
        let arguments = arguments.iter().map(OsString::from).collect();
        let run =
            Run { program, arguments, folder: home.path(), home: home.path(), network: false, tools: &self.tools };
        let output = run.output().map_err(|failure| gap(failure.to_string()))?;
        Ok(String::from_utf8_lossy(&output).trim().to_owned())
    }
}

fn missing(what: &str, page: &str, key: &str) -> Gap {
    Gap::new(GapKind::Render, what, Hides::Target)
        .hint(format!("install it ({page}), or name its program as `tools.{key}`"))
}
