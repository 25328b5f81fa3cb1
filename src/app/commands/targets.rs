//! `targets`: what is compared with what.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::app::cli::Global;
use crate::app::error::AppError;
use crate::app::outcome::Exit;
use crate::app::{discovery, gather, output, pipeline, wiring};
use crate::model::targets::{ListedTarget, TARGETS_SCHEMA, TargetList};
use crate::views;

/// List the targets: those that the configuration names and those that Applications, Kustomizations and HelmReleases do.
///
/// Reads the declared side, and of the clusters what `discovery` asks for with `live: true`. Of each target it says how many objects it declares and what rendered them; then what could
/// not be read or understood.
///
/// Exit codes: 0 all of it was read; 3 there are gaps; 2 the configuration is wrong.
#[derive(Debug, clap::Args)]
pub struct Targets {
    /// table or json.
    #[arg(long, short, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    output: String,
}

impl Targets {
    /// Lists them.
    ///
    /// # Errors
    /// The configuration cannot be read.
    pub async fn run(self, global: &Global) -> Result<Exit, AppError> {
        let written = Arc::new(global.read_config()?);
        let progress = global.progress();
        progress.doing("fetching repositories");
        let config = discovery::of(&written, pipeline::now()).await?;
        let key = Arc::new(wiring::key_or_passing(&config));
        let sources = gather::targets(&config, &config.targets, &key, pipeline::now()).await;
        progress.finish();
        let names: BTreeSet<_> = written.targets.iter().map(|target| &target.name).collect();
        let mut listed = TargetList { schema: TARGETS_SCHEMA, targets: Vec::new(), gaps: config.undiscovered.clone() };
        for source in sources {
            let commit = source.commit.as_ref().map(|(commit, _, _)| commit.clone());
            let target = source.config;
            listed.gaps.extend(source.gaps);
            listed.targets.push(ListedTarget {
                discovered: !names.contains(&target.name),
                name: target.name,
                cluster: target.cluster,
                namespace: target.namespace,
                repository: target.repository,
                revision: target.revision,
                commit,
                path: target.path,
                renderer: source.renderer,
                objects: source.objects.len() as u64,
            });
        }
        output::stdout(&match self.output.as_str() {
            "json" => views::json::targets(&listed),
            _ => views::table::targets(&listed, output::style(true)),
        });
        Ok(if listed.gaps.is_empty() { Exit::InSync } else { Exit::Gaps })
    }
}
