//! What a kustomization is made of, without building it.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::paths::{beside, within};
use super::plain::is_manifest_name;
use crate::model::gap::Gap;
use crate::ports::SourceTree;
use crate::yaml;

/// What the file is called.
pub const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// Kustomizations that one may be made of.
const MOST_BASES: usize = 2_000;

/// A kustomization of all manifests of a folder that has none, as Flux makes it.
///
/// # Errors
/// A gap where the folder cannot be read.
pub fn of_all_manifests(tree: &dyn SourceTree, folder: &str) -> Result<String, Gap> {
    let Nested { kustomizations, manifests } = Nested::of(tree, folder)?;
    let below = |path: &String| path.strip_prefix(folder).unwrap_or(path).trim_start_matches('/').to_owned();
    let resources: Vec<String> = manifests.iter().chain(&kustomizations).map(below).collect();
    Ok(serde_json::json!({"resources": resources}).to_string())
}

/// What is in a folder without a kustomization (`fluxcd/pkg`, `kustomize/kustomize_generator.go`).
pub struct Nested {
    /// The topmost folders in it that have one.
    pub kustomizations: Vec<String>,
    /// YAML files that are in none of these.
    manifests: Vec<String>,
}

impl Nested {
    /// Looks through a folder.
    ///
    /// # Errors
    /// A gap where it cannot be read.
    pub fn of(tree: &dyn SourceTree, folder: &str) -> Result<Self, Gap> {
        let (mut kustomizations, mut manifests) = (Vec::new(), Vec::new());
        tree.walk(folder, &mut |file| {
            let (parent, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
            if NAMES.contains(&name) {
                kustomizations.push(parent.to_owned());
            } else if is_manifest_name(name) && !name.ends_with(".json") {
                manifests.push(file.path);
            }
        })?;
        let is_in =
            |path: &str, folder: &String| path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'));
        let all = kustomizations.clone();
        kustomizations.retain(|folder| !all.iter().any(|other| is_in(folder, other)));
        manifests.retain(|file| !kustomizations.iter().any(|folder| is_in(file, folder)));
        Ok(Self { kustomizations, manifests })
    }
}

/// The kustomization's file in a folder.
pub fn name_of(tree: &dyn SourceTree, folder: &str) -> Option<String> {
    NAMES.iter().map(|name| beside(folder, name)).find(|file| tree.read(file).is_some())
}

/// What a kustomization is made of.
#[derive(Default)]
pub struct Parts {
    /// Folders with kustomizations, and files outside of them; its own folder first.
    pub paths: Vec<String>,
    /// The first thing that is fetched from elsewhere, for people.
    pub remote: Option<String>,
    /// Whether charts are rendered into it.
    pub has_charts: bool,
}

impl Parts {
    /// Reads the kustomization of a folder, and those that it names.
    pub fn of(tree: &dyn SourceTree, path: &str) -> Self {
        let mut parts = Self::default();
        let mut seen = BTreeSet::new();
        let mut next = vec![path.to_owned()];
        while let Some(folder) = next.pop() {
            if seen.len() >= MOST_BASES || !seen.insert(folder.clone()) {
                continue;
            }
            parts.paths.push(folder.clone());
            let Some(file) = name_of(tree, &folder) else {
                next.extend(Nested::of(tree, &folder).map(|nested| nested.kustomizations).unwrap_or_default());
                continue;
            };
            let content = tree.read(&file).unwrap_or_default();
            let text = String::from_utf8_lossy(&content);
            let document = yaml::read_documents(&text, &yaml::Limits::default()).into_iter().find_map(Result::ok);
            let Some(root) = document.map(|document| yaml::to_json(&document.root)) else { continue };
            let list = |key: &str| root.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
            // A chart that lies in the repository is rendered from there, with no `repo`.
            let home = root.pointer("/helmGlobals/chartHome").and_then(Value::as_str).unwrap_or("charts");
            for key in ["helmCharts", "helmChartInflationGenerator"].into_iter().filter(|key| !list(key).is_empty()) {
                parts.has_charts = true;
                let lies_here = |chart: &Value| {
                    let name = chart.get("name").and_then(Value::as_str).unwrap_or_default();
                    let file = within(&folder, &format!("{home}/{name}/Chart.yaml"));
                    chart.get("repo").is_none() && file.is_some_and(|file| tree.read(&file).is_some())
                };
                if key == "helmCharts" && list(key).iter().all(lies_here) {
                    parts.paths.extend(within(&folder, home));
                } else {
                    parts.remote.get_or_insert(format!("`{key}` in {file}"));
                }
            }
            for key in ["resources", "bases", "components", "crds", "transformers", "generators", "validators"] {
                for entry in list(key).iter().filter_map(Value::as_str) {
                    if is_remote(entry) {
                        parts.remote.get_or_insert(format!("`{entry}` under `{key}` in {file}"));
                    } else {
                        next.extend(within(&folder, entry));
                    }
                }
            }
        }
        parts
    }
}

/// Whether an entry is an address and no path: as Kustomize tells them apart, by a scheme, a user, or a host before a path.
fn is_remote(entry: &str) -> bool {
    let host = entry.split(['/', ':']).next().unwrap_or_default();
    let is_host = host.contains('.') && !host.starts_with('.') && entry.contains('/') && !is_file(entry);
    entry.contains("://") || entry.starts_with("git@") || entry.contains("?ref=") || is_host
}

fn is_file(entry: &str) -> bool {
    Path::new(entry).extension().is_some_and(|ending| ["yaml", "yml", "json"].iter().any(|known| ending == *known))
        && !entry.contains("://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_paths() {
        for (entry, expected) in [
            ("../base", false),
            ("base", false),
            ("./deployment.yaml", false),
            ("v1.2/deployment.yaml", false),
            ("https://example.com/a.yaml", true),
            ("github.com/acme/app//deploy?ref=v1", true),
            ("github.com/acme/app/deploy", true),
            ("git@github.com:acme/app.git", true),
            ("ssh://git@example.com/a.git", true),
        ] {
            assert_eq!(is_remote(entry), expected, "{entry}");
        }
    }
}
