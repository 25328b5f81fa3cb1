//! The demo itself: the folder, the first scan, what happens over night, the second scan.

use std::path::Path;
use std::sync::Arc;

use super::{folder, story};
use crate::adapters::git::{BuildError, RepositoryBuilder};
use crate::app::error::{self, AppError};
use crate::app::output::{self, Format, Output};
use crate::app::pipeline::{self, Scan};
use crate::app::progress::Progress;
use crate::config;
use crate::model::report::ScanReport;
use crate::model::time::Timestamp;

/// Makes the sample in a folder, scans it twice, and writes what a scan can write. Returns the second scan's report.
///
/// # Errors
/// The folder cannot be used, or a scan could not be recorded.
pub async fn run(folder: &Path, progress: Progress) -> Result<ScanReport, AppError> {
    folder::prepare(folder)?;
    let absolute = std::path::absolute(folder).map_err(|error| AppError::file("cannot find", folder, &error))?;
    let path = absolute.join(folder::CONFIG);
    output::write_file(&path, story::CONFIG.as_bytes())?;
    let config = config::read(story::CONFIG, &absolute).map_err(|error| AppError::config(&path, &error))?;
    let scan = |clock: fn() -> Timestamp| Scan {
        config: Arc::new(config.clone()),
        targets: Vec::new(),
        clusters: Vec::new(),
        clock,
        progress: progress.clone(),
        scheduled: None,
    };

    let place = absolute.join(folder::REPOSITORY);
    let (mut repository, tip) = committed(move || {
        let mut repository = RepositoryBuilder::create(&place)?;
        let tip = story::push_before(&mut repository)?;
        Ok((repository, tip))
    })
    .await?;
    output::write_file(&absolute.join(folder::CLUSTER), story::CLUSTER_BEFORE.as_bytes())?;
    pipeline::scan(&scan(story::first_scan)).await?;

    committed(move || story::push_between(&mut repository, tip)).await?;
    output::write_file(&absolute.join(folder::CLUSTER), story::CLUSTER_AFTER.as_bytes())?;
    let report = pipeline::scan(&scan(story::second_scan)).await?.report;

    let to = |format, name: &str| Output { format, path: Some(absolute.join(name)) };
    let outputs = [to(Format::Html, folder::REPORT), to(Format::Eml, folder::MAIL), to(Format::Slack, folder::SLACK)];
    output::report(&report, &outputs, &output::Beside::default())?;
    Ok(report)
}

/// Works on the repository, on a thread that may block.
async fn committed<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BuildError> + Send + 'static,
) -> Result<T, AppError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(made) => made.map_err(|error| AppError::new(format!("the sample's repository: {}", error::chain(&error)))),
        Err(error) => Err(AppError::new(format!("making the sample's repository was given up: {error}"))),
    }
}
