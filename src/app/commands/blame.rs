//! `blame`: the live object, each field with the commit that declared it or the writer that set it.

use std::sync::Arc;

use crate::app::blame::Blaming;
use crate::app::cli::Global;
use crate::app::error::AppError;
use crate::app::inquiry::{self, Inquiry, Wanted};
use crate::app::outcome::Exit;
use crate::app::{gather, output, pipeline};
use crate::views;

/// Show a live object with what is behind each of its fields: the commit that gave a declared field its value, the writer of any
/// other; drift is marked.
///
/// Reads the repositories and the live objects; records nothing.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["object", "all"])))]
pub struct BlameCommand {
    /// The object, as `Deployment/shop/api`, `deployment.apps/api` or `"Deployment.apps shop/api"`.
    #[arg(value_name = "OBJECT")]
    object: Option<String>,
    /// Every object that is declared.
    #[arg(long)]
    all: bool,
    /// Its namespace, where OBJECT names none.
    #[arg(long, short, value_name = "NAME")]
    namespace: Option<String>,
    /// Only in this cluster.
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// table or json.
    #[arg(long, short, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    output: String,
}

impl BlameCommand {
    /// Shows it.
    ///
    /// # Errors
    /// Nothing declares it, it does not exist live, or one of the two cannot be read. With `--all`, what cannot be shown is told on
    /// stderr and the rest goes on.
    pub async fn run(self, global: &Global) -> Result<Exit, AppError> {
        let config = Arc::new(global.read_config()?);
        let key = Arc::new(inquiry::key(&config)?);
        let wanted = match &self.object {
            Some(object) => Wanted::parse(object, self.namespace.as_deref())?,
            None => Wanted::All,
        };
        let clusters = inquiry::clusters(&config, self.cluster.as_deref())?;
        let targets: Vec<_> =
            config.targets.iter().filter(|t| clusters.iter().any(|c| c.name == t.cluster)).cloned().collect();
        let mut sources = gather::targets(&config, &targets, &key, pipeline::now()).await;
        let mut blamed = Vec::new();
        for cluster in clusters {
            let declared = inquiry::declared_of(cluster, &mut sources);
            let inquiry = Inquiry { config: &config, key: &key, wanted: &wanted, cluster };
            let blaming = Blaming { sources: &sources, config: &config, key: &key };
            let answers = inquiry.ask(declared, |judge, object, text| {
                let explained = judge.explain(object, text).map_err(|error| AppError::new(error.to_string()))?;
                let schema = judge.schemas.kind_at_any_version(&object.gvk);
                Ok(tokio::task::block_in_place(|| blaming.of(object, explained, schema)))
            });
            for answer in answers.await? {
                match answer {
                    Ok(blame) => blamed.push(blame),
                    Err(error) if self.all => tracing::warn!("{error}"),
                    Err(error) => return Err(error),
                }
            }
        }
        if blamed.is_empty() {
            return Err(inquiry::undeclared(self.object.as_deref().unwrap_or("an object that is live"), &sources));
        }
        output::stdout(&match self.output.as_str() {
            "json" => views::json::blame(&blamed),
            _ => views::table::blame(&blamed, output::style(true)),
        });
        let drifted = blamed.iter().any(|blame| blame.findings() > 0);
        Ok(if drifted { Exit::Drift } else { Exit::InSync })
    }
}
