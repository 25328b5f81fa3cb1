//! Everything, in the order in which a scan needs it.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::{ledger, receivers, sides};
use crate::app::error::AppError;
use crate::app::pipeline::Scan;
use crate::model::checkup::Checked;

/// Tries out what the scan would need.
///
/// # Errors
/// No target is in scope.
pub async fn examine(scan: &Scan) -> Result<Vec<Checked>, AppError> {
    let broke_down = |error: tokio::task::JoinError| AppError::new(format!("looking was given up: {error}"));
    let (config, now) = (scan.config.clone(), (scan.clock)());
    let looked = tokio::task::spawn_blocking(move || ledger::look(&config, now)).await.map_err(broke_down)?;
    let config = scan.config.clone();
    let handle = Handle::current();
    let asked = tokio::task::spawn_blocking(move || receivers::look(&config, &handle));
    let read = sides::look(scan, &looked.prior, &Arc::new(looked.key)).await;
    scan.progress.finish();
    let mut all = vec![looked.checked];
    all.extend(read?);
    all.extend(asked.await.map_err(broke_down)?);
    Ok(all)
}
