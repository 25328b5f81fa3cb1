//! Renders targets. What programs made of the same files in the same way before is kept: an unchanged target renders nothing.

use std::time::Duration;

use super::capabilities::Capabilities;
use super::files::Files;
use super::pipeline::VERSION;
use super::{gather, wiring};
use crate::adapters::git::{CommitTree, OpenedRepository, TreeLimits};
use crate::adapters::kept::{Kept, KeptKey};
use crate::adapters::render::{Checkout, Inputs, Job, Rendered, Renderer, Toolbox, auto};
use crate::config::{Config, TargetConfig};
use crate::model::gap::Gap;
use crate::model::ids::CommitId;
use crate::model::secret::RedactionKey;

/// Changes with the form of what is kept, and with what is kept in it.
const FORM: &str = "6";
/// What no scan rendered for so long is not kept any more.
pub const KEPT_FOR: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// What targets are rendered with.
#[derive(Clone, Copy)]
pub struct Rendering<'a> {
    /// Options and limits.
    pub config: &'a Config,
    /// Hides what is secret.
    pub key: &'a RedactionKey,
    /// The programs.
    pub toolbox: &'a Toolbox,
}

/// A target at a commit.
pub struct RenderedAt {
    /// Whether its objects are made out of its files: then the files' history is not the objects'.
    pub is_rendered: bool,
    /// The folders and files that it follows from.
    pub inputs: Vec<String>,
    /// What it declares.
    pub result: Result<Rendered, Gap>,
}

impl Rendering<'_> {
    /// The files of a commit, as renderers get them.
    ///
    /// # Errors
    /// A gap where they cannot be read.
    pub fn tree(&self, repository: &OpenedRepository, commit: &CommitId) -> Result<CommitTree, Gap> {
        repository.tree(commit, TreeLimits { max_file_bytes: self.config.limits.file_bytes, ..TreeLimits::default() })
    }

    /// A target at a commit. Blocks.
    pub fn of(&self, target: &TargetConfig, tree: &Files) -> RenderedAt {
        let target = &self.for_its_cluster(target);
        let renderer = auto::choose(&target.render, self.toolbox, tree, &target.path);
        if renderer.takes_files_as_they_are() {
            let inputs = vec![target.path.clone()];
            return RenderedAt {
                is_rendered: false,
                inputs,
                result: self.render(renderer.as_ref(), target, tree, None, false),
            };
        }
        let inputs = renderer.inputs(tree, &target.path);
        let result = Inputs::of(tree, &inputs).and_then(|files| self.kept(renderer.as_ref(), target, tree, &files));
        RenderedAt { is_rendered: true, inputs, result }
    }

    /// What goes into a target that is made out of its files; `None` for others, and where it cannot be had.
    pub fn inputs(&self, target: &TargetConfig, tree: &Files) -> Option<Inputs> {
        let renderer = auto::choose(&target.render, self.toolbox, tree, &target.path);
        let inputs = (!renderer.takes_files_as_they_are()).then(|| renderer.inputs(tree, &target.path))?;
        Inputs::of(tree, &inputs).ok()
    }

    /// What would be rendered if other contents stood in the files. Nothing of it is kept. Blocks.
    ///
    /// # Errors
    /// As for any rendering.
    pub fn of_other_files(&self, target: &TargetConfig, tree: &Files, files: &Inputs) -> Result<Rendered, Gap> {
        let target = &self.for_its_cluster(target);
        let renderer = auto::choose(&target.render, self.toolbox, tree, &target.path);
        self.render(renderer.as_ref(), target, tree, Some(files), true)
    }

    /// With what charts may ask of the target's cluster, as far as its configuration does not say it.
    fn for_its_cluster(&self, target: &TargetConfig) -> TargetConfig {
        let mut target = target.clone();
        let known =
            if target.render.may_be_a_chart() { Capabilities::known(self.config, &target.cluster) } else { None };
        if let Some(Capabilities { kube_version, api_versions }) = known {
            let helm = &mut target.render.helm;
            helm.kube_version.get_or_insert(kube_version);
            helm.api_versions.extend(api_versions);
        }
        target
    }

    /// What decides about what is rendered, besides the files: the configuration does about limits and about what is secret.
    fn rules(&self, renderer: &dyn Renderer, target: &TargetConfig, tree: &Files) -> Result<String, Gap> {
        let (config, name) = (self.config, renderer.name(tree, &target.path)?);
        Ok(format!(
            "{VERSION} {FORM} {name} {} {} {} {} {} {} {:?}",
            self.key.id(),
            self.key.is_across_namespaces(),
            config.hash,
            target.name,
            target.namespace,
            target.path,
            target.render,
        ))
    }

    /// What decides about what else is found out of a target, besides its files; `None` where it cannot be rendered.
    pub fn rules_of(&self, target: &TargetConfig, tree: &Files) -> Option<String> {
        let target = &self.for_its_cluster(target);
        let renderer = auto::choose(&target.render, self.toolbox, tree, &target.path);
        self.rules(renderer.as_ref(), target, tree).ok()
    }

    /// What was made of the same files before, or is now.
    fn kept(
        &self,
        renderer: &dyn Renderer,
        target: &TargetConfig,
        tree: &Files,
        files: &Inputs,
    ) -> Result<Rendered, Gap> {
        let config = self.config;
        let rules = self.rules(renderer, target, tree)?;
        let hash = [files.hash()];
        let key = KeptKey { repository: "", revision: "", roots: &hash, rules: &rules };
        let kept = Kept::new(&wiring::cache(config), "rendered");
        // What comes over the network may be another thing today.
        if target.render.network {
            return self.render(renderer, target, tree, Some(files), false);
        }
        if let Some(rendered) = kept.load(key) {
            return Ok(rendered);
        }
        let rendered = self.render(renderer, target, tree, Some(files), false)?;
        if let Err(error) = kept.save(key, &rendered) {
            tracing::warn!("what was rendered cannot be kept, and is rendered anew by each scan: {error}");
        }
        kept.sweep(KEPT_FOR);
        Ok(rendered)
    }

    fn render(
        &self,
        renderer: &dyn Renderer,
        target: &TargetConfig,
        tree: &Files,
        files: Option<&Inputs>,
        once: bool,
    ) -> Result<Rendered, Gap> {
        let checkout = || match files {
            Some(files) => Checkout::of(files),
            None => Checkout::of(&Inputs::of(tree, &renderer.inputs(tree, &target.path))?),
        };
        let reading = gather::reading(self.config, target, self.key);
        renderer.render(&Job { target: &target.name, tree, path: &target.path, reading, once, checkout: &checkout })
    }
}
