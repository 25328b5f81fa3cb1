//! `config`: check, schema, example.

use crate::app::cli::Global;
use crate::app::error::AppError;
use crate::app::outcome::Exit;
use crate::app::output;
use crate::config;

/// Check the configuration, or print its schema or an example.
#[derive(Debug, clap::Args)]
pub struct ConfigCommand {
    #[command(subcommand)]
    command: Which,
}

#[derive(Debug, clap::Subcommand)]
enum Which {
    /// Say everything that is wrong with the configuration, with lines.
    Check,
    /// Print the JSON schema, for editors.
    Schema,
    /// Print a commented example.
    Example,
}

impl ConfigCommand {
    /// Does it.
    ///
    /// # Errors
    /// The configuration has problems.
    pub fn run(self, global: &Global) -> Result<Exit, AppError> {
        match self.command {
            Which::Check => {
                let config = global.read_config()?;
                output::stdout(&format!(
                    "{}: valid; {} clusters, {} repositories, {} targets\n",
                    global.config.display(),
                    config.clusters.len(),
                    config.repositories.len(),
                    config.targets.len()
                ));
            }
            Which::Schema => {
                let schema = serde_json::to_string_pretty(&config::json_schema())
                    .map_err(|error| AppError::new(error.to_string()))?;
                output::stdout(&(schema + "\n"));
            }
            Which::Example => output::stdout(config::EXAMPLE),
        }
        Ok(Exit::InSync)
    }
}
