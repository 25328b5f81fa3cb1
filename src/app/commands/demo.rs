//! demo
use crate::app::cli::Global;
use crate::app::error::AppError;
use crate::app::outcome::Exit;
/// Run the whole job on a bundled sample.
#[derive(Debug, clap::Args)]
pub struct Demo {}
impl Demo {
    /// x
    /// # Errors
    pub async fn run(self, _global: &Global) -> Result<Exit, AppError> {
        Ok(Exit::InSync)
    }
}
