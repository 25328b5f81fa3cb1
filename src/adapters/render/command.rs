//! The renderer `command`: a program that the configuration names, never the repository.

use std::ffi::OsString;
use std::path::PathBuf;

use super::output;
use super::process::{Run, on_path, runs_apart};
use super::renderer::{Job, Rendered, Renderer};
use super::toolbox::Toolbox;
use crate::model::gap::{Gap, GapKind, Hides};
use crate::ports::SourceTree;

/// See the module.
pub struct Program<'a> {
    /// Name or path, and arguments.
    pub argv: &'a [String],
    /// Whether it may reach the network.
    pub network: bool,
    /// Limits.
    pub toolbox: &'a Toolbox,
}

impl Renderer for Program<'_> {
    fn name(&self, _tree: &dyn SourceTree, _path: &str) -> Result<String, Gap> {
        Ok(format!("command {}", self.argv.first().map(String::as_str).unwrap_or_default()))
    }

    /// Nobody knows what it reads.
    fn inputs(&self, _tree: &dyn SourceTree, _path: &str) -> Vec<String> {
        vec![String::new()]
    }

    fn render(&self, job: &Job<'_>) -> Result<Rendered, Gap> {
        let gap = |why: &str| Gap::new(GapKind::Render, why, Hides::Target);
        let Some((name, arguments)) = self.argv.split_first() else { return Err(gap("no program is named")) };
        if !self.network && !runs_apart() {
            let why = format!("`{name}` was not run: nothing here keeps it from the network");
            return Err(gap(&why).hint("allow user namespaces, or say `network: true` for the target's `render`"));
        }
        let program = if name.contains('/') { Some(PathBuf::from(name)) } else { on_path(name) };
        let program = program.ok_or_else(|| {
            gap(&format!("there is no program `{name}` on the PATH")).hint("check `render.command` of the target")
        })?;
        let checkout = (job.checkout)()?;
        let home = checkout.private()?;
        let folder = checkout.files().join(job.path);
        if !folder.is_dir() {
            return Err(gap(&format!("there is no folder `{}` in the commit", job.path)).at(job.path));
        }
        let run = Run {
            program: &program,
            arguments: arguments.iter().map(OsString::from).collect(),
            folder: &folder,
            home: home.path(),
            network: self.network,
            tools: &self.toolbox.tools,
        };
        let output = run.output().map_err(|failure| gap(&format!("`{name}` {failure}")).at(job.path))?;
        let mut rendered = output::read(&output, &job.reading, job.path, |_| None);
        rendered.by = Some(self.name(job.tree, job.path)?);
        Ok(rendered)
    }
}
