//! The renderer `kustomize`: `kustomize build` of the target's folder, through a kustomization of ours around it that asks for origins.

use serde_json::Value;

use super::encrypted;
use super::kustomization::{NAMES, Parts, name_of, of_all_manifests};
use super::output::{self, annotation};
use super::paths::within;
use super::process::{Run, option};
use super::renderer::{Job, Rendered, Renderer};
use super::substitute;
use super::toolbox::{Tool, Toolbox};
use super::unstable;
use crate::config::render::Render;
use crate::model::gap::{Exclusion, Gap, GapKind, Hides};
use crate::ports::SourceTree;
use crate::yaml;

/// Where Kustomize says what an object was made from.
const ORIGIN: &str = "config.kubernetes.io/origin";

/// See the module.
pub struct Kustomize<'a> {
    /// What is laid over the target's kustomization, and whether remote bases and charts may be fetched.
    pub options: &'a Render,
    /// The program.
    pub toolbox: &'a Toolbox,
}

impl Renderer for Kustomize<'_> {
    fn name(&self, tree: &dyn SourceTree, path: &str) -> Result<String, Gap> {
        self.made_by(&self.parts(tree, path))
    }

    fn inputs(&self, tree: &dyn SourceTree, path: &str) -> Vec<String> {
        self.parts(tree, path).paths
    }

    fn render(&self, job: &Job<'_>) -> Result<Rendered, Gap> {
        let gap = |why: String| Gap::new(GapKind::Render, why, Hides::Target).at(job.path);
        let tool = self.tool()?;
        let network = self.options.network;
        let parts = self.parts(job.tree, job.path);
        if !network && let Some(remote) = &parts.remote {
            return Err(gap(format!("the kustomization needs the network: {remote}"))
                .hint("keep what it needs in the repository, or say `network: true` for the target's `render`"));
        }
        let checkout = (job.checkout)()?;
        let (home, around) = (checkout.private()?, checkout.private()?);
        if name_of(job.tree, job.path).is_none() {
            let text = of_all_manifests(job.tree, job.path)?;
            std::fs::write(checkout.files().join(job.path).join(NAMES[0]), text)
                .map_err(|error| gap(format!("a file for Kustomize could not be written: {error}")))?;
        }
        let path = if job.path.is_empty() { ".".to_owned() } else { job.path.to_owned() };
        let mut text = serde_json::json!({
            "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
            "resources": [format!("../files/{path}")], "buildMetadata": ["originAnnotations"],
        });
        if let Some(fields) = text.as_object_mut() {
            fields.extend(self.options.overlay.clone());
            let components: Vec<String> =
                self.components(job.tree, job.path).map(|path| format!("../files/{path}")).collect();
            fields.extend((!components.is_empty()).then(|| ("components".to_owned(), components.into())));
        }
        std::fs::write(around.path().join(NAMES[0]), text.to_string())
            .map_err(|error| gap(format!("a file for Kustomize could not be written: {error}")))?;
        let mut arguments = tool.first.clone();
        arguments.push(".".into());
        if parts.has_charts {
            arguments.extend(["--enable-helm".into(), option("--helm-command", &self.toolbox.helm()?.program)]);
        }
        let run = Run {
            program: &tool.program,
            arguments,
            folder: around.path(),
            home: home.path(),
            network,
            tools: &self.toolbox.tools,
        };
        let output = run.output().map_err(|failure| {
            let files = checkout.files();
            gap(format!("{} {}", tool.name, failure.to_string().replace(&files.display().to_string(), "")))
        })?;
        let whole = name_of(job.tree, job.path).unwrap_or_else(|| job.path.to_owned());
        let mut rendered = match &self.options.substitution {
            None => read(&output, job, &whole),
            Some(substitution) => {
                let mut unknown = substitute::Unknown::new();
                let mut filled = |placeholder: &str| {
                    let filled = substitute::apply(&output, substitution, placeholder, &mut unknown);
                    filled.map_err(|why| gap(format!("its variables cannot be filled in: {why}")))
                };
                let (first, second) = (filled("driftledger-unknown-1")?, filled("driftledger-unknown-2")?);
                let mut rendered = read(&first, job, &whole);
                if !unknown.is_empty() {
                    let why = format!("it hangs on variables that are not known: {}", substitute::told(&unknown));
                    unstable::compare(&mut rendered, &read(&second, job, &whole), job.target, (&why, true));
                }
                rendered
            }
        };
        encrypted::leave_out(&mut rendered, job.target);
        rendered.by = Some(self.made_by(&parts)?);
        if let Some(version) = self.options.kustomize_version.as_ref()
            && !self.toolbox.tools.kustomize_versions.contains_key(version)
        {
            rendered.left_out.push(Exclusion {
                scope: job.target.to_string(),
                what: format!("Kustomize {version}, which the operator renders it with"),
                reason: format!("it is none of `tools.kustomizeVersions`: {} rendered it", tool.name),
                count: None,
            });
        }
        Ok(rendered)
    }
}

impl Kustomize<'_> {
    fn tool(&self) -> Result<&Tool, Gap> {
        self.toolbox.kustomize(self.options.kustomize_version.as_deref())
    }

    fn made_by(&self, parts: &Parts) -> Result<String, Gap> {
        let kustomize = &self.tool()?.name;
        // What is not fetched is not rendered.
        let needs_helm = parts.has_charts && (self.options.network || parts.remote.is_none());
        Ok(if needs_helm { format!("{kustomize} with {}", self.toolbox.helm()?.name) } else { kustomize.clone() })
    }

    /// What the target's kustomization and the components over it are made of.
    fn parts(&self, tree: &dyn SourceTree, path: &str) -> Parts {
        let mut parts = Parts::of(tree, path);
        for component in self.components(tree, path) {
            let more = Parts::of(tree, &component);
            parts.paths.extend(more.paths);
            parts.has_charts |= more.has_charts;
            parts.remote = parts.remote.or(more.remote);
        }
        parts
    }

    /// The folders of the components; one that leads out is for Kustomize to refuse.
    fn components(&self, tree: &dyn SourceTree, path: &str) -> impl Iterator<Item = String> {
        let options = self.options;
        let there = move |folder: &String| !options.may_lack_components || name_of(tree, folder).is_some();
        options.components.iter().map(move |entry| within(path, entry).unwrap_or_else(|| entry.clone())).filter(there)
    }
}

/// The objects of an output, without the origins that were asked for.
fn read(output: &[u8], job: &Job<'_>, whole: &str) -> Rendered {
    let mut rendered = output::read(output, &job.reading, whole, |_| None);
    for object in &mut rendered.objects {
        let Ok(mut tree) = object.tree() else { continue };
        if let Some(file) = annotation(&tree, ORIGIN).and_then(origin) {
            object.file = file;
        }
        take_origin(&mut tree);
        object.json = tree.to_string().into_boxed_str();
    }
    rendered
}

/// The file that an origin names: that of the resource, or of the kustomization with the generator. What is fetched has none here.
fn origin(text: &str) -> Option<String> {
    let document = yaml::read_documents(text, &yaml::Limits::default()).into_iter().next()?.ok()?;
    let origin = yaml::to_json(&document.root);
    if origin.get("repo").is_some() {
        return None;
    }
    let path = origin.get("path").or_else(|| origin.get("configuredIn"))?.as_str()?;
    Some(path.strip_prefix("../files/")?.to_owned())
}

/// The annotation was asked for by us and is no part of the object.
fn take_origin(tree: &mut Value) {
    let Some(metadata) = tree.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) else { return };
    if annotations.remove(ORIGIN).is_some() && annotations.is_empty() {
        metadata.remove("annotations");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_file_of_the_repository_and_leaves_no_trace() {
        assert_eq!(origin("path: ../files/apps/base/a.yaml\n").as_deref(), Some("apps/base/a.yaml"));
        let generated =
            "configuredIn: ../files/apps/prod/kustomization.yaml\nconfiguredBy:\n  kind: ConfigMapGenerator\n";
        assert_eq!(origin(generated).as_deref(), Some("apps/prod/kustomization.yaml"));
        assert_eq!(origin("path: a.yaml\nrepo: https://example.com/a\n"), None);
        let mut tree = serde_json::json!({"metadata": {"name": "a", "annotations": {ORIGIN: "path: x"}}});
        take_origin(&mut tree);
        assert_eq!(tree, serde_json::json!({"metadata": {"name": "a"}}));
    }
}
