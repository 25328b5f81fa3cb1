//! `compare-revisions`: two declared states, no cluster.

use std::sync::Arc;

use crate::app::cli::Global;
use crate::app::error::AppError;
use crate::app::gather::TargetSource;
use crate::app::outcome::Exit;
use crate::app::{discovery, gather, output, pipeline, wiring};
use crate::config::{Config, TargetConfig};
use crate::model::declared::DeclaredObject;
use crate::model::ids::{Revision, TargetName};
use crate::model::revisions::{REVISIONS_SCHEMA, RevisionComparison, Side};
use crate::model::schema::{Schemas, builtin_discovery, builtin_schemas};
use crate::stages::declare;
use crate::stages::revisions::{self, Declared};
use crate::views;

const MORE: &str = "\
A and B are targets of the configuration, each at its own revision or at another one:

  driftledger compare-revisions shop-stage shop-prod
  driftledger compare-revisions shop@v1.4.0 shop@main

Exit codes: 0 both declare the same; 1 they do not; 3 they do as far as could be read; 2 error.";

/// Tell what differs between two declared states: images first, then other fields.
///
/// No cluster is asked. Objects stand for each other by kind, namespace and name; the default namespaces of both targets are the same
/// place. Values are compared as a scan compares them: other writings of one value and Kubernetes' own defaults are no difference.
#[derive(Debug, clap::Args)]
#[command(after_long_help = MORE)]
pub struct CompareRevisions {
    /// A target, as `shop` or `shop@v1.4.0`.
    #[arg(value_name = "A")]
    one: String,
    /// Another target or revision.
    #[arg(value_name = "B")]
    other: String,
    /// table or json.
    #[arg(long, short, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    output: String,
}

impl CompareRevisions {
    /// Compares them.
    ///
    /// # Errors
    /// The configuration cannot be read, or there is no such target.
    pub async fn run(self, global: &Global) -> Result<Exit, AppError> {
        let config = discovery::of(&Arc::new(global.read_config()?), pipeline::now()).await?;
        let mut sides = [target(&config, &self.one)?, target(&config, &self.other)?];
        // Both may be the same target.
        for (side, name) in sides.iter_mut().zip([&self.one, &self.other]) {
            side.name = TargetName::new(name);
        }
        let progress = global.progress();
        progress.doing("fetching repositories");
        let key = Arc::new(wiring::key_or_passing(&config).across_namespaces());
        let sources = gather::present(&config, &sides, &key, pipeline::now(), &Arc::default()).await;
        progress.finish();
        let compared = compared(sources)?;
        output::stdout(&match self.output.as_str() {
            "json" => views::json::revisions(&compared),
            _ => views::table::revisions(&compared, output::style(true)),
        });
        let differ = !compared.fields.is_empty() || compared.only.iter().any(|only| !only.is_empty());
        Ok(match (differ, compared.gaps.is_empty()) {
            (true, _) => Exit::Drift,
            (false, false) => Exit::Gaps,
            (false, true) => Exit::InSync,
        })
    }
}

/// A target by its name, or by its name and another revision.
fn target(config: &Config, text: &str) -> Result<TargetConfig, AppError> {
    let by_name = |name: &str| config.targets.iter().find(|target| target.name.as_str() == name).cloned();
    let at = || {
        let (name, revision) = text.rsplit_once('@')?;
        Some(TargetConfig { revision: Revision::new(revision), ..by_name(name)? })
    };
    by_name(text).or_else(at).ok_or_else(|| {
        let known: Vec<&str> = config.targets.iter().map(|target| target.name.as_str()).collect();
        AppError::new(format!("there is no target `{text}`")).hint(format!("known: {}", known.join(", ")))
    })
}

fn compared(sources: Vec<TargetSource>) -> Result<RevisionComparison, AppError> {
    let mut schemas = builtin_schemas().clone();
    for definition in sources.iter().flat_map(|s| &s.objects).filter(|o| o.gvk.kind == "CustomResourceDefinition") {
        if let Ok(tree) = definition.tree() {
            schemas.extend(Schemas::of_definition(&tree));
        }
    }
    let (mut sides, mut placed, mut gaps) = (Vec::new(), Vec::new(), Vec::new());
    for mut source in sources {
        gaps.append(&mut source.gaps);
        let place = source.place();
        sides.push(Side {
            target: source.config.name.clone(),
            repository: source.config.repository.clone(),
            revision: source.config.revision.clone(),
            commit: source.commit.as_ref().map(|(commit, _, _)| commit.clone()),
        });
        let objects = std::mem::take(&mut source.objects);
        let declared = place.map(|place| declare::place(vec![(place, objects)], &builtin_discovery()));
        placed.push((declared.unwrap_or_default(), source.config.namespace));
    }
    let side = |n: usize| -> Option<Declared<'_>> {
        let (declared, namespace) = placed.get(n)?;
        let objects: Vec<&DeclaredObject> = declared.objects.values().map(Arc::as_ref).collect();
        Some(Declared { objects, namespace })
    };
    let (Some(one), Some(other)) = (side(0), side(1)) else {
        return Err(AppError::new("reading the targets was given up"));
    };
    let found = revisions::compare(&one, &other, &schemas);
    let sides = <[Side; 2]>::try_from(sides).map_err(|_| AppError::new("reading the targets was given up"))?;
    Ok(RevisionComparison {
        schema: REVISIONS_SCHEMA,
        sides,
        fields: found.fields,
        only: found.only,
        both: found.both,
        gaps,
    })
}
