//! What the operators' kinds have in common: sources, a destination, and the commits that were applied.

use crate::model::ids::{ClusterName, CommitId};
use crate::stages::argocd::Destination;

/// An operator's object that brings folders of repositories to a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployer {
    /// `Application argocd/checkout`.
    pub name: String,
    /// The cluster that it deploys to.
    pub destination: Destination,
    /// For objects that name no namespace; for Flux, of all namespaced ones. `None`: it sets none.
    pub namespace: Option<String>,
    /// Where from, each with what came of it.
    pub sources: Vec<Source>,
}

/// One folder of one revision, and which commit of it was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The repository's URL. It may hold credentials and is never shown.
    pub url: String,
    /// Without slashes around; empty: the root.
    pub path: String,
    /// Branch, tag, or what else the operator takes; `HEAD` where none is written.
    pub revision: String,
    /// The commit that it last applied as a whole.
    pub applied: Option<CommitId>,
    /// The commit with which it compared the live objects last, and whether they were as declared there.
    pub compared: Option<(CommitId, bool)>,
    /// What applying is called: `synced`, `applied`.
    pub verb: &'static str,
}

/// What an operator's object says of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// `Application argocd/checkout says it synced 9f2c1ab and is out of sync with 4be07d2`.
    pub words: String,
    /// The commit that runs, by what it says.
    pub commit: CommitId,
    /// Whether it compared what runs with that commit and found it the same; `None`: it does not say.
    pub in_sync: Option<bool>,
}

/// A target, as far as operators know it.
pub struct Wanted<'a> {
    /// Its cluster.
    pub cluster: &'a ClusterName,
    /// Its default namespace.
    pub namespace: &'a str,
    /// Its folder's paths, without slashes around: as written, and with links followed.
    pub paths: [&'a str; 2],
    /// Whether a URL is its repository's.
    pub is_repository: &'a dyn Fn(&str) -> bool,
    /// Whether a revision is its own.
    pub is_revision: &'a dyn Fn(&str) -> bool,
}

impl Deployer {
    /// What it says of a target, if it is what brings that target to its cluster. `here` is the cluster that it was read from,
    /// `clusters` are those of the configuration.
    pub fn says(&self, target: &Wanted<'_>, here: &ClusterName, clusters: &[&ClusterName]) -> Option<Said> {
        let same_cluster = self.destination.cluster(here, clusters).is_some_and(|cluster| cluster == *target.cluster);
        let same_namespace = self.namespace.as_deref().is_none_or(|namespace| namespace == target.namespace);
        let is_its_own = |source: &&Source| {
            target.paths.contains(&source.path.as_str())
                && (target.is_repository)(&source.url)
                && (target.is_revision)(&source.revision)
        };
        let source = self.sources.iter().find(is_its_own).filter(|_| same_cluster && same_namespace)?;
        source.says(&self.name)
    }
}

impl Source {
    fn says(&self, name: &str) -> Option<Said> {
        let verb = self.verb;
        let in_sync = self.compared.as_ref().map(|(_, in_sync)| *in_sync);
        let said = |words: String, commit: &CommitId| Some(Said { words, commit: commit.clone(), in_sync });
        match (&self.compared, &self.applied) {
            (Some((commit, true)), _) => said(format!("{name} says it is in sync with {}", commit.short()), commit),
            (Some((other, false)), Some(commit)) if commit != other => {
                let words =
                    format!("{name} says it {verb} {} and is out of sync with {}", commit.short(), other.short());
                said(words, commit)
            }
            (_, Some(commit)) => said(format!("{name} says it {verb} {}", commit.short()), commit),
            (_, None) => None,
        }
    }
}

/// A folder as operators write it: `./clusters/prod/`.
pub(super) fn folder(path: &str) -> String {
    let path = path.trim_start_matches("./").trim_matches('/');
    if path == "." { String::new() } else { path.to_owned() }
}

/// A whole commit id.
pub(super) fn commit(text: &str) -> Option<CommitId> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (matches!(text.len(), 40 | 64) && text.bytes().all(is_hex)).then(|| CommitId::new(text))
}
