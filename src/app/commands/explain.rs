//! `explain`: why an object is in sync or not, field by field.

use crate::app::cli::Global;
use crate::app::error::AppError;
use crate::app::inquiry::{self, Gathered, Inquiry, Options, Wanted};
use crate::app::outcome::Exit;
use crate::app::output;
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
    #[command(flatten)]
    options: Options,
}

impl Explain {
    /// Explains it.
    ///
    /// # Errors
    /// Nothing declares it, it does not exist live, or one of the two cannot be read.
    pub async fn run(self, global: &Global) -> Result<Exit, AppError> {
        let wanted = Wanted::parse(&self.object, self.options.namespace.as_deref())?;
        let Gathered { config, key, clusters, mut sources } = self.options.gather(global).await?;
        let mut drifted = false;
        let mut found = 0;
        for cluster in &clusters {
            let declared = inquiry::declared_of(cluster, &mut sources);
            let inquiry = Inquiry { config: &config, key: &key, wanted: &wanted, cluster };
            let explained = inquiry.ask(declared, |judge, object, text| {
                judge.explain(object, text).map_err(|error| AppError::new(error.to_string()))
            });
            for explanation in explained.await? {
                let explanation = explanation?;
                found += 1;
                drifted |= explanation.findings() > 0;
                self.options.print(
                    || views::json::explanation(&explanation),
                    || views::table::explain(&explanation, output::style(true)),
                );
            }
        }
        if found == 0 {
            return Err(inquiry::undeclared(&self.object, &sources));
        }
        Ok(if drifted { Exit::Drift } else { Exit::InSync })
    }
}
