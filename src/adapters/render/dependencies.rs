//! Charts that a chart of the repository depends on and that are not in its `charts` folder: from a folder beside it, or from a chart
//! repository that is allowed, in the version of its `Chart.lock`.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::Value;

use super::charts::Pulled;
use super::paths::{beside, within};
use super::toolbox::Toolbox;
use crate::config::ChartSource;
use crate::model::gap::Gap;
use crate::ports::SourceTree;
use crate::yaml;

/// A chart that is to be put into the `charts` folder.
pub enum Dependency {
    /// A folder of the repository, for a name.
    Folder {
        /// The name.
        name: String,
        /// From the repository's root.
        path: String,
    },
    /// One of a chart repository.
    Pulled(ChartSource),
}

/// What a chart lacks; what cannot be had for sure is left for Helm to miss.
pub fn missing(tree: &dyn SourceTree, chart: &str) -> Vec<Dependency> {
    let read = |name: &str| -> Value {
        let content = tree.read(&beside(chart, name)).unwrap_or_default();
        let text = String::from_utf8_lossy(&content);
        let document = yaml::read_documents(&text, &yaml::Limits::default()).into_iter().find_map(Result::ok);
        document.map(|document| yaml::to_json(&document.root)).unwrap_or_default()
    };
    let list = |value: &Value| value.get("dependencies").and_then(Value::as_array).cloned().unwrap_or_default();
    let wanted = list(&read("Chart.yaml"));
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut there = Vec::new();
    let folder = beside(chart, "charts");
    // A chart without such a folder has nothing in it.
    let _ = tree.walk(&folder, &mut |file| {
        let rest = file.path.strip_prefix(folder.as_str()).unwrap_or_default().trim_start_matches('/');
        there.extend(rest.split('/').next().map(str::to_owned));
    });
    let locked = list(&read("Chart.lock"));
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let missing = wanted.iter().filter_map(|one| {
        let (name, repository) = (text(one, "name"), text(one, "repository"));
        let is_there = |entry: &String| *entry == name || entry.starts_with(&format!("{name}-"));
        if name.is_empty() || there.iter().any(is_there) {
            return None;
        }
        if let Some(path) = repository.strip_prefix("file://") {
            let path = within(chart, path)?;
            // One that has the chart in it would be copied into itself.
            let has_chart = path.is_empty() || chart == path || chart.starts_with(&format!("{path}/"));
            return (!has_chart).then_some(Dependency::Folder { name, path });
        }
        let lock = locked.iter().find(|lock| text(lock, "name") == name && text(lock, "repository") == repository);
        let version = text(lock.unwrap_or(one), "version");
        let is_address = repository.starts_with("http") || repository.starts_with("oci://");
        let repository = repository.trim_end_matches('/').to_owned();
        is_address.then_some(Dependency::Pulled(ChartSource { repository, name, version }))
    });
    missing.collect()
}

/// The missing charts of repositories, pulled.
///
/// # Errors
/// A gap: one of them is not allowed, or cannot be had.
pub fn pulled(missing: &[Dependency], toolbox: &Toolbox) -> Result<Vec<Pulled>, Gap> {
    let sources = missing.iter().filter_map(|one| match one {
        Dependency::Pulled(source) => Some(source),
        Dependency::Folder { .. } => None,
    });
    sources.map(|source| toolbox.chart(source)).collect()
}

/// Puts charts into the `charts` folder of a chart; `files` are the repository's.
///
/// # Errors
/// They cannot be written.
pub fn put(missing: &[Dependency], pulled: &[Pulled], files: &Path, chart: &Path) -> io::Result<()> {
    let charts = chart.join("charts");
    fs::create_dir_all(&charts)?;
    for one in missing {
        if let Dependency::Folder { name, path } = one {
            copy(&files.join(path), &charts.join(name))?;
        }
    }
    pulled.iter().try_for_each(|pulled| pulled.unpack(&charts).map(|_| ()))
}

/// Copies a folder of regular files, as a checkout's is. One that is not there is left for Helm to miss.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
