//! Which folders of a repository to propose as targets of a first configuration.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::first_config::Proposal;

/// A file of a repository, as far as proposals look at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileFacts {
    /// Path from the repository's root.
    pub path: String,
    /// Objects that it declares.
    pub objects: u64,
    /// Namespaces that they name.
    pub namespaces: BTreeSet<String>,
}

/// More than this many are joined into their parents.
const MOST: usize = 20;

const KUSTOMIZATION: &str = "a kustomization: its files would be read as they are, not rendered";
const CHART: &str = "a Helm chart: its templates are not rendered";
const OTHER_CLUSTER: &str = "by its name for another cluster, or shared";

#[derive(Default)]
struct Folder {
    objects: u64,
    namespaces: BTreeSet<String>,
    kustomization: bool,
    chart: bool,
}

/// Proposes targets for a cluster, in the order of their paths. The folders with manifests, each with all that is below it; what a
/// plain reading would not do justice to, and what another cluster's name stands on, in a comment only.
pub fn propose(files: &[FileFacts], repository: &str, cluster: &str) -> Vec<Proposal> {
    let folders = join(folders(files));
    let mut proposals: Vec<Proposal> = folders
        .into_iter()
        .map(|(path, folder)| Proposal {
            name: if path.is_empty() { repository.to_owned() } else { name(&path) },
            namespace: Some(&folder.namespaces).filter(|all| all.len() == 1).and_then(|all| all.first().cloned()),
            objects: folder.objects,
            doubt: if folder.chart { Some(CHART) } else { folder.kustomization.then_some(KUSTOMIZATION) },
            path,
        })
        .collect();
    let of_cluster =
        |proposal: &Proposal| proposal.path.split('/').any(|segment| segment.eq_ignore_ascii_case(cluster));
    if proposals.iter().any(of_cluster) {
        for proposal in proposals.iter_mut().filter(|proposal| !of_cluster(proposal)) {
            proposal.doubt.get_or_insert(OTHER_CLUSTER);
        }
    }
    // A configuration without a target would be none: then a kustomization's files as they are, or the folder of all.
    if proposals.iter().all(|proposal| proposal.doubt.is_some()) {
        let readable = |proposal: &&mut Proposal| proposal.doubt == Some(KUSTOMIZATION);
        proposals.iter_mut().filter(readable).for_each(|proposal| proposal.doubt = None);
    }
    make_unique(&mut proposals);
    proposals
}

/// Folders with objects, charts and kustomizations. What is below a chart is the chart's; what is hidden is not looked at.
fn folders(files: &[FileFacts]) -> BTreeMap<String, Folder> {
    let is_hidden = |path: &str| path.split('/').any(|segment| segment.starts_with('.'));
    let files: Vec<(&str, &str, &FileFacts)> = files
        .iter()
        .filter(|file| !is_hidden(&file.path))
        .map(|file| {
            let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
            (folder, name, file)
        })
        .collect();
    let charts: Vec<&str> = files.iter().filter(|(_, name, _)| *name == "Chart.yaml").map(|(at, _, _)| *at).collect();
    let mut folders: BTreeMap<String, Folder> = BTreeMap::new();
    for (at, name, file) in files {
        if let Some(chart) = charts.iter().find(|chart| is_below(at, chart)) {
            folders.entry((*chart).to_owned()).or_default().chart = true;
            continue;
        }
        let kustomization = matches!(name, "kustomization.yaml" | "kustomization.yml" | "Kustomization");
        if file.objects == 0 && !kustomization {
            continue;
        }
        let folder = folders.entry(at.to_owned()).or_default();
        folder.kustomization |= kustomization;
        folder.objects += file.objects;
        folder.namespaces.extend(file.namespaces.iter().cloned());
    }
    // A kustomization without objects of its own only points elsewhere.
    folders.retain(|_, folder| folder.objects > 0 || folder.chart);
    folders
}

/// Whether a folder is another one or below it.
fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A target is read with all that is below it, so of two folders the upper one stays. Many are joined into their parents.
fn join(folders: BTreeMap<String, Folder>) -> BTreeMap<String, Folder> {
    let mut joined = into_upper(folders);
    while joined.len() > MOST {
        let depth = |path: &str| path.matches('/').count();
        let Some(deepest) = joined.keys().map(|path| depth(path)).max().filter(|depth| *depth > 0) else { break };
        let lifted = joined.into_iter().map(|(path, folder)| match path.rsplit_once('/') {
            Some((parent, _)) if depth(&path) == deepest => (parent.to_owned(), folder),
            _ => (path, folder),
        });
        let mut all: BTreeMap<String, Folder> = BTreeMap::new();
        lifted.for_each(|(path, folder)| all.entry(path).or_default().add(folder));
        joined = into_upper(all);
    }
    joined
}

fn into_upper(folders: BTreeMap<String, Folder>) -> BTreeMap<String, Folder> {
    let mut kept: BTreeMap<String, Folder> = BTreeMap::new();
    let mut paths: Vec<(String, Folder)> = folders.into_iter().collect();
    // The shorter first: byte order alone would put `a-b` between `a` and `a/b`.
    paths.sort_by_key(|(path, _)| path.len());
    for (path, folder) in paths {
        let upper = kept.iter_mut().find(|(upper, there)| is_below(&path, upper) && !there.chart && !folder.chart);
        match upper {
            Some((_, there)) => there.add(folder),
            None => {
                kept.insert(path, folder);
            }
        }
    }
    kept
}

impl Folder {
    fn add(&mut self, other: Self) {
        self.objects += other.objects;
        self.namespaces.extend(other.namespaces);
        self.kustomization |= other.kustomization;
        self.chart |= other.chart;
    }
}

/// A text as a name: what stands in it besides letters, digits, `-`, `_` and `.` becomes `-`.
pub fn name(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = text.chars().map(plain).collect();
    let name = name.trim_matches(['-', '.']);
    if name.is_empty() { "unnamed".to_owned() } else { name.to_owned() }
}

/// The cluster of a kubeconfig context: `prod` of `arn:aws:eks:eu-central-1:1234:cluster/prod` and of `admin@prod`.
pub fn cluster_name(context: &str) -> String {
    let last = context.rsplit(['/', '@']).next().unwrap_or(context);
    name(last)
}

/// A repository's name: the last segment of its URL or folder.
pub fn repository_name(url: &str) -> String {
    let last = url.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or(url);
    name(last.strip_suffix(".git").unwrap_or(last))
}

fn make_unique(proposals: &mut [Proposal]) {
    let mut taken = BTreeSet::new();
    for proposal in proposals {
        let plain = proposal.name.clone();
        for n in 2.. {
            if taken.insert(proposal.name.clone()) {
                break;
            }
            proposal.name = format!("{plain}-{n}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, objects: u64, namespaces: &[&str]) -> FileFacts {
        let namespaces = namespaces.iter().map(|name| (*name).to_owned()).collect();
        FileFacts { path: path.to_owned(), objects, namespaces }
    }

    fn shown(files: &[FileFacts], cluster: &str) -> Vec<String> {
        let of = |p: Proposal| format!("{}{} {}", if p.doubt.is_some() { "# " } else { "" }, p.path, p.objects);
        propose(files, "platform", cluster).into_iter().map(of).collect()
    }

    #[test]
    fn folders_with_manifests_are_proposed_with_all_below_them() {
        let files = [
            file("README.md", 0, &[]),
            file(".github/workflows/ci.yaml", 1, &[]),
            file("clusters/prod/shop/api.yaml", 2, &["shop"]),
            file("clusters/prod/shop/crds/crd.yaml", 1, &[]),
            file("clusters/prod/monitoring/a.yaml", 1, &["monitoring", "kube-system"]),
            file("clusters/staging/shop/api.yaml", 2, &["shop"]),
            file("docs/values.yaml", 0, &[]),
        ];
        assert_eq!(
            shown(&files, "prod"),
            ["clusters/prod/monitoring 1", "clusters/prod/shop 3", "# clusters/staging/shop 2"]
        );
        assert_eq!(shown(&files, "other").iter().filter(|line| line.starts_with('#')).count(), 0);
        let proposals = propose(&files, "platform", "prod");
        assert_eq!(proposals[1].namespace.as_deref(), Some("shop"));
        assert_eq!(proposals[0].namespace, None, "two are not one");
        assert_eq!(proposals[0].name, "clusters-prod-monitoring");
    }

    #[test]
    fn what_needs_a_renderer_is_a_comment_unless_there_is_nothing_else() {
        let files = [
            file("charts/web/Chart.yaml", 0, &[]),
            file("charts/web/templates/a.yaml", 1, &[]),
            file("apps/a.yaml", 1, &[]),
            file("base/kustomization.yaml", 0, &[]),
            file("base/b.yaml", 1, &[]),
            file("overlays/prod/kustomization.yaml", 0, &[]),
        ];
        assert_eq!(shown(&files, "x"), ["apps 1", "# base 1", "# charts/web 0"]);
        assert_eq!(shown(&files[3..], "x"), ["base 1"]);
        assert_eq!(shown(&files[..2], "x"), ["# charts/web 0"]);
    }

    #[test]
    fn many_folders_are_joined() {
        let files: Vec<_> = (0..60).map(|n| file(&format!("a/t{}/n{n}/x.yaml", n % 6), 1, &[])).collect();
        assert_eq!(shown(&files, "x"), (0..6).map(|n| format!("a/t{n} 10")).collect::<Vec<_>>());
        let root = [file("x.yaml", 1, &[]), file("a/x.yaml", 1, &[])];
        assert_eq!(shown(&root, "x"), [" 2"]);
        assert_eq!(propose(&root, "platform", "x")[0].name, "platform");
    }

    #[test]
    fn names_are_plain_and_no_two_alike() {
        assert_eq!(cluster_name("arn:aws:eks:eu-central-1:1234:cluster/prod"), "prod");
        assert_eq!(cluster_name("admin@prod eu"), "prod-eu");
        assert_eq!(repository_name("git@git.example.com:acme/platform.git"), "platform");
        assert_eq!(repository_name("/"), "unnamed");
        let names: Vec<_> = propose(&[file("a b/x.yaml", 1, &[]), file("a-b/x.yaml", 1, &[])], "r", "x")
            .into_iter()
            .map(|p| p.name)
            .collect();
        assert_eq!(names, ["a-b", "a-b-2"]);
    }
}
