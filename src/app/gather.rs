//! The declared side: repositories, revisions, and what their commits render.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::discovery;
use super::files::Files;
use super::merged_lines::{self, MergedLines};
use super::rendering::{RenderedAt, Rendering};
use super::versions::{self, Tracked};
use super::{past, wiring};
use crate::adapters::git::{CommitTree, Mirrors, OpenedRepository, Resolved};
use crate::adapters::render::Toolbox;
use crate::adapters::render::manifest::Reading;
use crate::config::render::Beside;
use crate::config::{Config, History, TargetConfig};
use crate::model::declared::{RenderedObject, UnstablePlace};
use crate::model::former::{Cut, Past};
use crate::model::gap::{Exclusion, Gap, GapKind, Hides};
use crate::model::ids::{CommitId, RepositoryName, Revision};
use crate::model::secret::RedactionKey;
use crate::model::time::Timestamp;
use crate::model::versions::VersionIndex;
use crate::processors;
use crate::stages::declare::TargetPlace;
use crate::stages::timeline::Folder;
use crate::yaml;

/// A target's declared side.
#[derive(Debug)]
pub struct TargetSource {
    /// The target.
    pub config: TargetConfig,
    /// What its revision resolved to, and the repository to ask for more.
    pub commit: Option<(CommitId, OpenedRepository, CommitTree)>,
    /// The tag that its revision came out as, where that is a range of versions.
    pub tag: Option<String>,
    /// The other repositories that its files of values are in.
    pub beside: Vec<BesideSource>,
    /// Where its objects are made out of its files, and so the files' history is not theirs: the programs that make them.
    pub toolbox: Option<Arc<Toolbox>>,
    /// What rendered it, with its version.
    pub renderer: Option<String>,
    /// What it declares, until the comparison takes it over.
    pub objects: Vec<RenderedObject>,
    /// Files without manifests.
    pub passed_over: u64,
    /// Keys that stand twice in one mapping.
    pub duplicate_keys: u64,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// What was chosen not to be taken for the target's.
    pub left_out: Vec<Exclusion>,
    /// Places of its objects that are another each time they are rendered.
    pub unstable: Vec<UnstablePlace>,
    /// What it declared once.
    pub past: Past,
    /// The versions of files on its revision, of all targets that track it; `None` where the history cannot be read.
    pub versions: Option<Arc<VersionIndex>>,
    /// What merges brought to its revision, where the repository's whole history counts.
    pub merged: Option<Arc<MergedLines>>,
}

/// Another repository that files of values of a target are in.
#[derive(Clone, Debug)]
pub struct BesideSource {
    /// Which one.
    pub of: Beside,
    /// What its revision resolved to, and the repository to ask for more.
    pub commit: (CommitId, OpenedRepository, CommitTree),
    /// The versions of files on its revision; `None` where the history cannot be read.
    pub versions: Option<Arc<VersionIndex>>,
}

impl TargetSource {
    /// Where its objects belong; `None` if the revision did not resolve.
    pub fn place(&self) -> Option<TargetPlace> {
        let (commit, _, _) = self.commit.as_ref()?;
        Some(TargetPlace {
            target: self.config.name.clone(),
            repository: self.config.repository.clone(),
            revision: self.config.revision.clone(),
            commit: commit.clone(),
            namespace: self.config.namespace.clone(),
            renderer: self.renderer.clone(),
        })
    }

    /// Its commit's files, with those of other repositories beside them.
    pub fn files(&self) -> Option<Files> {
        let (_, _, tree) = self.commit.as_ref()?;
        let beside = self.beside.iter().map(|beside| (beside.of.folder(), beside.commit.2.clone()));
        Some(Files::with(tree.clone(), beside.collect()))
    }

    /// The other repository that a path leads to, and the path in it.
    pub fn beside_at<'p>(&self, path: &'p str) -> Option<(&BesideSource, &'p str)> {
        self.beside.iter().find_map(|beside| Some((beside, path.strip_prefix(&format!("{}/", beside.of.folder()))?)))
    }

    /// Its folder, with links followed: the history of that is walked.
    pub fn folder(&self) -> Folder {
        let path = &self.config.path;
        let real = self.commit.as_ref().and_then(|(_, _, tree)| tree.real_path(path));
        Folder { root: real.unwrap_or_else(|| path.clone()), namespace: self.config.namespace.clone() }
    }

    /// The folders among which its objects may move: its own first, then those of the other targets of its cluster on the same revision.
    pub fn folders(&self, sources: &[Self]) -> Vec<Folder> {
        // What is made out of files has no history of its own in them.
        let others = sources.iter().filter(|other| other.toolbox.is_none());
        let others = others.filter(|other| other.config.name != self.config.name && other.is_beside(self));
        std::iter::once(self).chain(others).map(Self::folder).collect()
    }

    /// Whether another target reads the same revision for the same cluster.
    fn is_beside(&self, other: &Self) -> bool {
        let of = |source: &Self| source.commit.as_ref().map(|(commit, _, _)| commit.clone());
        self.config.repository == other.config.repository
            && self.config.revision == other.config.revision
            && self.config.cluster == other.config.cluster
            && of(self) == of(other)
    }

    /// Whether an old mirror was used.
    pub fn is_stale(&self) -> bool {
        self.commit.as_ref().is_some_and(|(_, repository, _)| repository.stale.is_some())
    }
}

/// Repositories that were brought up to date already, or could not be.
#[derive(Debug, Default)]
pub struct Opened(Mutex<BTreeMap<RepositoryName, Result<OpenedRepository, Gap>>>);

impl Opened {
    fn get(&self, config: &Config, name: &RepositoryName, now: Timestamp) -> Result<OpenedRepository, Gap> {
        let known = self.0.lock().ok().and_then(|known| known.get(name).cloned());
        known.unwrap_or_else(|| {
            let opened = open(config, name, now);
            if let Ok(mut known) = self.0.lock() {
                known.insert(name.clone(), opened.clone());
            }
            opened
        })
    }
}

/// Reads the declared side of targets. Each repository is brought up to date once, all of them at the same time.
pub async fn targets(
    config: &Arc<Config>,
    targets: &[TargetConfig],
    key: &Arc<RedactionKey>,
    now: Timestamp,
) -> Vec<TargetSource> {
    let mut sources = read(config, targets, key, now, (&Arc::default(), true)).await;
    // Of some of the targets, what one declares may be explained by another that is not read now.
    if targets.len() == config.targets.len() {
        discovery::tell_troubles(&mut sources, config);
    }
    sources
}

/// The same without the targets' pasts, out of repositories as they were when they were first asked for.
pub async fn present(
    config: &Arc<Config>,
    targets: &[TargetConfig],
    key: &Arc<RedactionKey>,
    now: Timestamp,
    opened: &Arc<Opened>,
) -> Vec<TargetSource> {
    read(config, targets, key, now, (opened, false)).await
}

async fn read(
    config: &Arc<Config>,
    targets: &[TargetConfig],
    key: &Arc<RedactionKey>,
    now: Timestamp,
    (opened, looks_back): (&Arc<Opened>, bool),
) -> Vec<TargetSource> {
    let mut by_repository: BTreeMap<RepositoryName, Vec<(usize, TargetConfig)>> = BTreeMap::new();
    for (n, target) in targets.iter().enumerate() {
        by_repository.entry(target.repository.clone()).or_default().push((n, target.clone()));
    }
    let toolbox = Arc::new(wiring::toolbox(config));
    let mut tasks = Vec::new();
    for (name, targets) in by_repository {
        let (config, key, toolbox, opened) = (config.clone(), key.clone(), toolbox.clone(), opened.clone());
        let in_case = targets.clone();
        let task = tokio::task::spawn_blocking(move || {
            let repository = opened.get(&config, &name, now);
            let others = |name: &RepositoryName| opened.get(&config, name, now);
            of_repository(&config, &name, (repository, &others), targets, (&key, &toolbox), looks_back)
        });
        tasks.push((in_case, task));
    }
    let mut sources = Vec::new();
    for (in_case, task) in tasks {
        match task.await {
            Ok(read) => sources.extend(read),
            Err(error) => {
                let gap =
                    Gap::new(GapKind::Fetch, format!("reading the repository was given up: {error}"), Hides::Target);
                sources.extend(in_case.into_iter().map(|(n, target)| (n, hidden(target, &gap))));
            }
        }
    }
    sources.sort_by_key(|(n, _)| *n);
    sources.into_iter().map(|(_, source)| source).collect()
}

/// Opens another repository.
type Others<'a> = &'a (dyn Fn(&RepositoryName) -> Result<OpenedRepository, Gap> + Sync);

fn of_repository(
    config: &Config,
    name: &RepositoryName,
    (repository, others): (Result<OpenedRepository, Gap>, Others<'_>),
    targets: Vec<(usize, TargetConfig)>,
    (key, toolbox): (&RedactionKey, &Arc<Toolbox>),
    looks_back: bool,
) -> Vec<(usize, TargetSource)> {
    match repository {
        Ok(repository) => {
            let rendering = Rendering { config, key, toolbox };
            let jobs = Mutex::new(targets.into_iter());
            let next = || jobs.lock().ok().and_then(|mut jobs| jobs.next());
            let of_worker = processors::on_each(0..processors::count(), |_| {
                let render = |(n, target)| (n, rendered(&rendering, (&repository, others), target, toolbox));
                std::iter::from_fn(next).map(render).collect::<Vec<_>>()
            });
            let mut sources: Vec<_> = of_worker.into_iter().flatten().collect();
            if looks_back {
                look_back(config, &repository, name, sources.iter_mut().map(|(_, source)| source).collect());
            }
            sources
        }
        Err(gap) => targets.into_iter().map(|(n, target)| (n, hidden(target, &gap))).collect(),
    }
}

/// Gives targets of one repository their pasts. What cannot be walked is a gap that hides evidence.
fn look_back(
    config: &Config,
    repository: &OpenedRepository,
    name: &RepositoryName,
    mut sources: Vec<&mut TargetSource>,
) {
    let mut by_revision: BTreeMap<(Revision, CommitId, bool), Vec<&mut TargetSource>> = BTreeMap::new();
    for source in sources.drain(..) {
        if let Some((commit, _, _)) = &source.commit {
            let as_written = source.toolbox.is_none();
            by_revision.entry((source.config.revision.clone(), commit.clone(), as_written)).or_default().push(source);
        }
    }
    for ((revision, commit, as_written), sources) in by_revision {
        // What goes into what is rendered may be anywhere.
        let roots =
            if as_written { sources.iter().map(|source| source.folder().root).collect() } else { vec![String::new()] };
        let tracked = Tracked { repository, name, revision: &revision, commit: &commit, roots, as_written };
        match versions::of_revision(&tracked, config) {
            Ok(index) => {
                let whole = as_written
                    && config.repositories.iter().any(|one| one.name == *name && one.history == History::Full);
                let merged = whole.then(|| Arc::new(merged_lines::of_revision(&tracked, &index, config)));
                for source in sources {
                    if !as_written {
                        // What its files declared once is not what was rendered of them.
                        let why = "what was rendered of earlier commits is looked at only for what differs";
                        source.past.cut = Some(Cut { back_to: None, why });
                    } else if config.audit_of(&source.config.cluster).removed {
                        let merged = merged.as_deref();
                        source.past =
                            past::of_target(source, &source.folder(), &index, merged, |id| repository.commit(id).ok());
                    }
                    source.versions = Some(index.clone());
                    source.beside.iter_mut().for_each(|beside| beside.versions = history_of(beside, config));
                    source.merged.clone_from(&merged);
                }
            }
            Err(gap) => {
                for source in sources {
                    source.gaps.push(gap.clone().of_target(&source.config.name).of_cluster(&source.config.cluster));
                    source.past.cut = Some(Cut { back_to: None, why: "the history cannot be read" });
                }
            }
        }
    }
}

/// The versions of the files beside a target's.
fn history_of(beside: &BesideSource, config: &Config) -> Option<Arc<VersionIndex>> {
    let (commit, repository, _) = &beside.commit;
    let Beside { repository: name, revision } = &beside.of;
    let tracked = Tracked { repository, name, revision, commit, roots: vec![String::new()], as_written: false };
    versions::of_revision(&tracked, config).ok()
}

/// Brings a repository up to date.
fn open(config: &Config, name: &RepositoryName, now: Timestamp) -> Result<OpenedRepository, Gap> {
    config
        .repositories
        .iter()
        .find(|repository| repository.name == *name)
        .ok_or_else(|| Gap::new(GapKind::Fetch, format!("repository {name} is not configured"), Hides::Target))
        .and_then(wiring::repository_source)
        .and_then(|source| Mirrors::new(wiring::cache(config)).open(&source, now))
}

/// Whether a revision resolves to another commit than it did when the targets were read. What cannot be asked has not moved.
pub async fn moved(config: &Arc<Config>, sources: &[TargetSource], now: Timestamp) -> bool {
    let mut known: BTreeMap<RepositoryName, Vec<(Revision, CommitId)>> = BTreeMap::new();
    for source in sources {
        if let Some((commit, _, _)) = &source.commit {
            let revision = (source.config.revision.clone(), commit.clone());
            known.entry(source.config.repository.clone()).or_default().push(revision);
        }
    }
    let config = config.clone();
    let asked = tokio::task::spawn_blocking(move || {
        known.iter().any(|(name, revisions)| {
            let Ok(repository) = open(&config, name, now) else { return false };
            revisions
                .iter()
                .any(|(revision, commit)| repository.resolve(revision).is_ok_and(|found| found.commit != *commit))
        })
    });
    asked.await.unwrap_or(false)
}

fn rendered(
    rendering: &Rendering<'_>,
    (repository, others): (&OpenedRepository, Others<'_>),
    target: TargetConfig,
    toolbox: &Arc<Toolbox>,
) -> TargetSource {
    let at = |repository: &OpenedRepository, revision: &Revision| {
        let resolved = repository.resolve(revision)?;
        let tree = rendering.tree(repository, &resolved.commit)?;
        Ok((resolved, tree))
    };
    let beside = |of: &Beside| {
        let repository = others(&of.repository)?;
        let (Resolved { commit, .. }, tree) = at(&repository, &of.revision)?;
        Ok(BesideSource { of: of.clone(), commit: (commit, repository, tree), versions: None })
    };
    let all = at(repository, &target.revision)
        .and_then(|at| Ok((at, target.render.helm.beside.iter().map(beside).collect::<Result<Vec<_>, Gap>>()?)));
    let ((Resolved { commit, tag }, tree), beside) = match all {
        Ok(all) => all,
        Err(gap) => return hidden(target, &gap),
    };
    let folders = beside.iter().map(|beside| (beside.of.folder(), beside.commit.2.clone()));
    let files = Files::with(tree.clone(), folders.collect());
    let RenderedAt { is_rendered, result, .. } = rendering.of(&target, &files);
    let mut source = match result {
        Ok(rendered) => TargetSource {
            objects: rendered.objects,
            passed_over: rendered.passed_over,
            duplicate_keys: rendered.duplicate_keys,
            gaps: rendered.gaps,
            left_out: rendered.left_out,
            unstable: rendered.unstable,
            renderer: rendered.by,
            ..empty(target)
        },
        Err(gap) => hidden(target, &gap),
    };
    source.gaps.extend(repository.stale.as_ref().map(|stale| stale.gap.clone()));
    source.commit = Some((commit, repository.clone(), tree));
    source.tag = tag;
    source.beside = beside;
    source.toolbox = is_rendered.then(|| toolbox.clone());
    for gap in &mut source.gaps {
        gap.target = Some(source.config.name.clone());
        gap.cluster = Some(source.config.cluster.clone());
    }
    source
}

/// How a target's files are read.
pub fn reading<'a>(config: &'a Config, target: &'a TargetConfig, key: &'a RedactionKey) -> Reading<'a> {
    Reading { limits: yaml_limits(config), namespace: &target.namespace, key, redaction: &config.redaction }
}

/// Bounds of the YAML reader.
pub fn yaml_limits(config: &Config) -> yaml::Limits {
    yaml::Limits { max_bytes_expanded: config.limits.yaml_bytes, ..yaml::Limits::default() }
}

fn hidden(target: TargetConfig, gap: &Gap) -> TargetSource {
    let gap = Gap { target: Some(target.name.clone()), cluster: Some(target.cluster.clone()), ..gap.clone() };
    TargetSource { gaps: vec![gap], ..empty(target) }
}

fn empty(target: TargetConfig) -> TargetSource {
    TargetSource {
        config: target,
        commit: None,
        tag: None,
        beside: Vec::new(),
        toolbox: None,
        renderer: None,
        objects: Vec::new(),
        passed_over: 0,
        duplicate_keys: 0,
        gaps: Vec::new(),
        left_out: Vec::new(),
        unstable: Vec::new(),
        past: Past::default(),
        versions: None,
        merged: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::git::{Content, RepositoryBuilder, Written};

    #[tokio::test]
    async fn a_push_after_the_reading_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let mut builder = RepositoryBuilder::create(&folder.path().join("r")).unwrap();
        let now = Timestamp::from_unix(1_770_000_000);
        let written = Written { author: "Ada", email: "ada@example.com", time: now, message: "Change" };
        let mut push = |text: &str| builder.commit_to("main", &written, [("a.yaml", Content::from(text))]).unwrap();
        push("a: 1");
        let text = "ledger: l\nclusters: [{name: c, dump: d}]\nrepositories: [{name: r, url: r}]\n\
                    targets: [{name: t, repository: r, revision: main, cluster: c}, {name: u, repository: r, revision: gone, cluster: c}]\n";
        let config = Arc::new(crate::config::read(text, folder.path()).unwrap());
        let key = Arc::new(RedactionKey::from_bytes([0; 32]));
        let sources = targets(&config, &config.targets, &key, now).await;
        assert!(sources[0].commit.is_some() && sources[1].commit.is_none());
        assert!(!moved(&config, &sources, now).await);
        push("a: 2");
        assert!(moved(&config, &sources, now).await);
    }

    #[tokio::test]
    async fn a_range_of_versions_is_read_at_the_commit_of_its_highest_tag() {
        let folder = tempfile::tempdir().unwrap();
        let mut builder = RepositoryBuilder::create(&folder.path().join("r")).unwrap();
        let now = Timestamp::from_unix(1_770_000_000);
        let written = Written { author: "Ada", email: "ada@example.com", time: now, message: "Change" };
        let mut release = |version: &str| {
            let text =
                format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{version: {version}}}\n");
            let commit = builder.commit_to("main", &written, [("a.yaml", Content::from(text.as_str()))]).unwrap();
            builder.tag(version, &commit, None).unwrap();
            commit
        };
        let commits = ["v1.2.0", "v1.4.2", "v2.0.0"].map(&mut release);
        let text = "ledger: l\nclusters: [{name: c, dump: d}]\nrepositories: [{name: r, url: r}]\n\
                    targets: [{name: t, repository: r, revision: 'semver:^1.2', cluster: c}]\n";
        let config = Arc::new(crate::config::read(text, folder.path()).unwrap());
        let key = Arc::new(RedactionKey::from_bytes([0; 32]));
        let sources = targets(&config, &config.targets, &key, now).await;
        let source = &sources[0];
        assert_eq!((source.tag.as_deref(), &source.commit.as_ref().unwrap().0), (Some("v1.4.2"), &commits[1]));
        assert_eq!(source.versions.as_ref().unwrap().commits, commits[..2], "its history ends at the tag");
        assert_eq!(source.objects.len(), 1);
        assert!(!moved(&config, &sources, now).await);
        release("v1.5.0");
        assert!(moved(&config, &sources, now).await, "a new tag that fits");
    }
}
