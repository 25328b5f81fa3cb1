//! `explain`: why an object is in sync or not, field by field.

use std::sync::Arc;

use crate::app::cli::Global;
use crate::app::error::AppError;
use crate::app::inquiry::{self, Inquiry, Wanted};
use crate::app::outcome::Exit;
use crate::app::{gather, output, pipeline};
use crate::views;

/// Explain why an object is in sync or not: every field with Git's and the live value, the schema, the rule that decided, and
/// who wrote it.
///
/// Reads the repositories and the one live object; records nothing.
#[derive(Debug, clap::Args)]
pub struct Explain {
    /// The object, as `Deployment/shop/api`, `deployment.apps/api` or `"Deployment.apps shop/api"`.
    #[arg(value_name = "OBJECT")]
    object: String,
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

impl Explain {
    /// Explains it.
    ///
    /// # Errors
    /// Nothing declares it, it does not exist live, or one of the two cannot be read.
    pub async fn run(self, global: &Global) -> Result<Exit, AppError> {
        let config = Arc::new(global.read_config()?);
        let key = Arc::new(inquiry::key(&config)?);
        let wanted = Wanted::parse(&self.object, self.namespace.as_deref())?;
        let clusters = inquiry::clusters(&config, self.cluster.as_deref())?;
        let targets: Vec<_> =
            config.targets.iter().filter(|t| clusters.iter().any(|c| c.name == t.cluster)).cloned().collect();
        let mut sources = gather::targets(&config, &targets, &key, pipeline::now()).await;
        let mut drifted = false;
        let mut found = 0;
        for cluster in clusters {
            let declared = inquiry::declared_of(cluster, &mut sources);
            let inquiry = Inquiry { config: &config, key: &key, wanted: &wanted, cluster };
            let explained = inquiry.ask(declared, |judge, object, text| {
                judge.explain(object, text).map_err(|error| AppError::new(error.to_string()))
            });
            for explanation in explained.await? {
                let explanation = explanation?;
                found += 1;
                drifted |= explanation.findings() > 0;
                output::stdout(&match self.output.as_str() {
                    "json" => views::json::explanation(&explanation),
                    _ => views::table::explain(&explanation, output::style(true)),
                });
            }
        }
        if found == 0 {
            return Err(inquiry::undeclared(&self.object, &sources));
        }
        Ok(if drifted { Exit::Drift } else { Exit::InSync })
    }
}
