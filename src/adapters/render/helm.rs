//! The renderer `helm`: `helm template` of the chart in the target's path or of one that is pulled, as an upgrade of the release would see it
//! (with Argo CD, as an installation), but for `lookup`, which finds nothing. Each chart is
//! rendered twice: what differs then says nothing of what should be live.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::charts::Pulled;
use super::checkout::Checkout;
use super::clock;
use super::dependencies::{self, Dependency};
use super::output::{self, annotation};
use super::paths::{beside, within};
use super::process::{Run, option};
use super::renderer::{Job, Rendered, Renderer};
use super::toolbox::{Tool, Toolbox};
use super::unstable;
use crate::config::render::{CommonMetadata, HelmOptions};
use crate::model::declared::RenderedObject;
use crate::model::gap::{Exclusion, Gap, GapKind, Hides};
use crate::ports::SourceTree;

/// Objects with it are made and taken away by Helm's own doing.
const HOOK: &str = "helm.sh/hook";

/// Why it is not known what a chart renders that asks for the version of its cluster.
const NO_VERSION: &str =
    "it follows from the cluster's version, which is not known: say `kubeVersion` in the target's `render`";

/// See the module.
pub struct Helm<'a> {
    /// What the configuration says.
    pub options: &'a HelmOptions,
    /// Whether dependencies may be fetched.
    pub network: bool,
    /// The program.
    pub toolbox: &'a Toolbox,
}

impl Renderer for Helm<'_> {
    fn name(&self, tree: &dyn SourceTree, path: &str) -> Result<String, Gap> {
        let tool = self.toolbox.helm()?;
        let dependencies = dependencies::pulled(&self.missing(tree, path), self.toolbox)?;
        Ok(made_by(tool, self.pulled()?.as_ref(), &dependencies))
    }

    fn inputs(&self, tree: &dyn SourceTree, path: &str) -> Vec<String> {
        let is_pulled = self.options.chart.is_some();
        let files = self.options.file_parameters.iter().map(|(_, file)| file);
        let values =
            self.options.value_files.iter().chain(files).filter(|written| !is_pulled || written.starts_with('/'));
        let chart = (!is_pulled).then(|| path.to_owned());
        let folders = self.missing(tree, path).into_iter().filter_map(|one| match one {
            Dependency::Folder { path, .. } => Some(path),
            Dependency::Pulled(_) => None,
        });
        chart.into_iter().chain(values.filter_map(|written| within(path, written))).chain(folders).collect()
    }

    fn render(&self, job: &Job<'_>) -> Result<Rendered, Gap> {
        let tool = self.toolbox.helm()?;
        let checkout = (job.checkout)()?;
        let home = checkout.private()?;
        let pulled = self.pulled()?;
        let place = match &pulled {
            None => Place { chart: checkout.files().join(job.path), named: job.path.to_owned() },
            Some(pulled) => {
                let chart = pulled.unpack(&checkout.files().join(PULLED)).map_err(|error| {
                    Gap::new(GapKind::Render, format!("{} cannot be unpacked: {error}", pulled.file), Hides::Target)
                })?;
                Place { chart, named: pulled.file.clone() }
            }
        };
        let missing = self.missing(job.tree, job.path);
        let dependencies = dependencies::pulled(&missing, self.toolbox)?;
        if !missing.is_empty() {
            dependencies::put(&missing, &dependencies, &checkout.files(), &place.chart).map_err(|error| {
                Gap::new(
                    GapKind::Render,
                    format!("the chart's dependencies cannot be put to it: {error}"),
                    Hides::Target,
                )
            })?;
        }
        if self.network && place.chart.join("Chart.lock").is_file() {
            self.run(tool, vec!["dependency".into(), "build".into(), ".".into()], &place, home.path())?;
        }
        let arguments = self.arguments(job, &checkout, &place, home.path())?;
        let output = self.run(tool, arguments.clone(), &place, home.path())?;
        let mut rendered = read(&output, job, &place.named);
        if !job.once && self.options.kube_version.is_none() {
            // A chart may be made for some versions only.
            let other = ["1.99.0", "1.22.0"].into_iter().find_map(|version| {
                let with_version = arguments.iter().cloned().chain([option("--kube-version", version)]).collect();
                self.run(tool, with_version, &place, home.path()).ok()
            });
            if let Some(other) = other.filter(|other| *other != output) {
                unstable::compare(&mut rendered, &read(&other, job, &place.named), job.target, (NO_VERSION, true));
            }
        }
        if !job.once {
            if let Some(options) = self.options.otherwise_hidden() {
                let other = Helm { options: &options, network: self.network, toolbox: self.toolbox };
                let home = checkout.private()?;
                let arguments = other.arguments(job, &checkout, &place, home.path())?;
                let output = self.run(tool, arguments, &place, home.path())?;
                let why = ("it hangs on a value of the chart that is hidden", true);
                unstable::compare(&mut rendered, &read(&output, job, &place.named), job.target, why);
            }
            // Random values, and what hangs on the time.
            let again = self.run(tool, arguments.clone(), &place, home.path())?;
            let asks_for_the_time = clock::turn_back(&place.chart).unwrap_or(false);
            // It may not be made for another time.
            let then = asks_for_the_time.then(|| self.run(tool, arguments, &place, home.path()).ok()).flatten();
            for other in std::iter::once(again).chain(then).filter(|other| *other != output) {
                unstable::compare(&mut rendered, &read(&other, job, &place.named), job.target, unstable::EACH_TIME);
            }
        }
        let before = rendered.objects.len();
        rendered.objects.retain(|object| object.tree().is_ok_and(|tree: Value| annotation(&tree, HOOK).is_none()));
        let hooks = (before - rendered.objects.len()) as u64;
        if hooks > 0 {
            rendered.left_out.push(Exclusion {
                scope: job.target.to_string(),
                what: "hooks and tests of the chart".into(),
                reason: "Helm makes them and takes them away again".into(),
                count: Some(hooks),
            });
        }
        rendered.objects.iter_mut().for_each(|object| add_metadata(object, &self.options.common_metadata));
        rendered.by = Some(made_by(tool, pulled.as_ref(), &dependencies));
        Ok(rendered)
    }
}

/// Where a pulled chart is unpacked, among the files that go in: no commit's file is called so.
const PULLED: &str = ".driftledger/chart";

/// Where the chart is.
struct Place {
    /// Its folder.
    chart: PathBuf,
    /// How its files are named.
    named: String,
}

impl Helm<'_> {
    /// The chart, where it comes from a chart repository.
    fn pulled(&self) -> Result<Option<Pulled>, Gap> {
        self.options.chart.as_ref().map(|source| self.toolbox.chart(source)).transpose()
    }

    /// What the chart depends on and lacks. Where the network may be reached, Helm fetches that by itself.
    fn missing(&self, tree: &dyn SourceTree, path: &str) -> Vec<Dependency> {
        if self.network || self.options.chart.is_some() { Vec::new() } else { dependencies::missing(tree, path) }
    }

    /// A file of values: in the chart, or in the commit.
    fn value_file(&self, job: &Job<'_>, checkout: &Checkout, place: &Place, written: &str) -> Option<PathBuf> {
        let file = if self.options.chart.is_some() && !written.starts_with('/') {
            place.chart.join(within("", written)?)
        } else {
            checkout.files().join(within(job.path, written)?)
        };
        file.is_file().then_some(file)
    }

    fn arguments(&self, job: &Job<'_>, checkout: &Checkout, place: &Place, home: &Path) -> Result<Vec<OsString>, Gap> {
        let options = self.options;
        let release = options.release_name.clone().unwrap_or_else(|| job.target.to_string());
        let mut arguments: Vec<OsString> = vec!["template".into(), release.into(), ".".into()];
        arguments.extend((!options.as_install).then(|| OsString::from("--is-upgrade")));
        arguments.extend((!options.skip_crds).then(|| OsString::from("--include-crds")));
        arguments.push(option("--namespace", options.namespace.as_deref().unwrap_or(job.reading.namespace)));
        let file = |written: &str| {
            self.value_file(job, checkout, place, written).ok_or_else(|| {
                let why = format!("there is no file of values `{written}` in the commit");
                Gap::new(GapKind::Render, why, Hides::Target).at(job.path).hint(
                    "`valueFiles` start at the target's path, in a pulled chart, or with a `/` at the repository's root",
                )
            })
        };
        for written in &options.value_files {
            match file(written) {
                Ok(file) => arguments.push(option("--values", file)),
                Err(_) if options.may_lack_files => {}
                Err(gap) => return Err(gap),
            }
        }
        if !options.values.is_empty() {
            let file = home.join("values.json");
            let text = serde_json::to_vec(&options.values).unwrap_or_default();
            std::fs::write(&file, text).map_err(|error| {
                Gap::new(GapKind::Render, format!("the target's values could not be written: {error}"), Hides::Target)
            })?;
            arguments.push(option("--values", file));
        }
        for (name, value, is_text) in &options.parameters {
            let set = if *is_text { "--set-string" } else { "--set" };
            arguments.push(option(set, format!("{name}={}", value.replace(',', "\\,"))));
        }
        for (name, written) in &options.file_parameters {
            let mut of_file = OsString::from(format!("{name}="));
            of_file.push(file(written)?);
            arguments.push(option("--set-file", of_file));
        }
        arguments.extend(options.kube_version.iter().map(|version| option("--kube-version", version)));
        arguments.extend(options.api_versions.iter().map(|version| option("--api-versions", version)));
        Ok(arguments)
    }

    fn run(&self, tool: &Tool, arguments: Vec<OsString>, place: &Place, home: &Path) -> Result<Vec<u8>, Gap> {
        let gap = |why: String| Gap::new(GapKind::Render, why, Hides::Target).at(place.named.as_str());
        if !place.chart.join("Chart.yaml").is_file() {
            return Err(gap("there is no chart: no `Chart.yaml` in the target's path".to_owned()));
        }
        let (program, folder) = (&tool.program, place.chart.as_path());
        let run = Run { program, arguments, folder, home, network: self.network, tools: &self.toolbox.tools };
        run.output().map_err(|failure| {
            let why = failure.to_string();
            let needs_network = why.contains("missing in charts/ directory");
            let gap = gap(format!("{} {why}", tool.name));
            if needs_network && !self.network {
                return gap.hint(
                    "keep the chart's dependencies in its `charts` folder, or allow their repositories in `charts`",
                );
            }
            gap
        })
    }
}

/// The program, with what it was given that is in no commit.
fn made_by(tool: &Tool, chart: Option<&Pulled>, dependencies: &[Pulled]) -> String {
    let mut by = tool.name.clone();
    by.extend(chart.map(|chart| format!(" of {}", chart.name)));
    by.extend(dependencies.iter().map(|one| format!(" with {}", one.name)));
    by
}

/// Labels and annotations that are laid over an object's own.
fn add_metadata(object: &mut RenderedObject, common: &CommonMetadata) {
    if *common == CommonMetadata::default() {
        return;
    }
    let Ok(mut tree) = object.tree() else { return };
    for (key, more) in [("labels", &common.labels), ("annotations", &common.annotations)] {
        let fields = tree.get_mut("metadata").and_then(Value::as_object_mut);
        let own =
            fields.filter(|_| !more.is_empty()).map(|fields| fields.entry(key).or_insert_with(|| Map::new().into()));
        if let Some(own) = own.and_then(Value::as_object_mut) {
            own.extend(more.clone());
        }
    }
    object.json = tree.to_string().into_boxed_str();
}

/// `chart` is how the chart's files are named.
fn read(output: &[u8], job: &Job<'_>, chart: &str) -> Rendered {
    let mut from: Option<String> = None;
    output::read(output, &job.reading, &beside(chart, "Chart.yaml"), |document| {
        from = source(document, chart).or(from.take());
        from.clone()
    })
}

/// The file of the repository that a document was made from, as Helm says in a comment before it: the chart's name, then the path in it.
fn source(document: &[u8], path: &str) -> Option<String> {
    let line = document.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"# Source: "))?;
    let (_, below) = std::str::from_utf8(line).ok()?.trim().split_once('/')?;
    Some(beside(path, below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_named_before_what_was_made_from_it() {
        let source = |text: &str, path: &str| source(text.as_bytes(), path);
        let text = "---\n# Source: shop/charts/cache/templates/a.yaml\nkind: Pod\n";
        assert_eq!(source(text, "apps/shop").as_deref(), Some("apps/shop/charts/cache/templates/a.yaml"));
        assert_eq!(source("kind: Pod\n", "apps/shop"), None);
    }
}
