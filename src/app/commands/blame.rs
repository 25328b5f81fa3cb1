//! `blame`: the live object, each field with the commit that declared it or the writer that set it.

use crate::app::blame::Blaming;
use crate::app::changes::Changes;
use crate::app::cli::Global;
use crate::app::error::AppError;
use crate::app::inquiry::{self, Gathered, Inquiry, Options, Wanted};
use crate::app::outcome::Exit;
use crate::app::output;
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
    #[command(flatten)]
    options: Options,
}

impl BlameCommand {
    /// Shows it.
    ///
    /// # Errors
    /// Nothing declares it, it does not exist live, or one of the two cannot be read. With `--all`, what cannot be shown is told on
    /// stderr and the rest goes on.
    pub async fn run(self, global: &Global) -> Result<Exit, AppError> {
        let wanted = match &self.object {
            Some(object) => Wanted::parse(object, self.options.namespace.as_deref())?,
            None => Wanted::All,
        };
        let Gathered { config, key, clusters, mut sources } = self.options.gather(global).await?;
        let mut blamed = Vec::new();
        for cluster in &clusters {
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
        let mut changes = Changes::of(&sources, &config);
        for blame in &mut blamed {
            let by =
                blame.fields.iter_mut().filter_map(|field| field.declared_by.as_mut()).chain(&mut blame.declared_by);
            by.for_each(|by| changes.fill_in(&blame.origin.repository, by));
        }
        self.options.print(|| views::json::blame(&blamed), || views::table::blame(&blamed, output::style(true)));
        let drifted = blamed.iter().any(|blame| blame.findings() > 0);
        Ok(if drifted { Exit::Drift } else { Exit::InSync })
    }
}
