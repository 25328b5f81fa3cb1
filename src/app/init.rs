//! A first configuration, from what a kubeconfig and a repository show.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::AppError;
use super::{pipeline, wiring};
use crate::adapters::cluster::{Access, KubeCluster, KubeContext, KubeSettings, Limits, kube_context};
use crate::adapters::git::{Credentials, Hidden, Location, Mirrors, OpenedRepository, RepositorySource, TreeLimits};
use crate::adapters::render::is_manifest_name;
use crate::adapters::render::manifest::{self, Reading};
use crate::config::SecretSource;
use crate::model::first_config::{FirstConfig, Proposal};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::ids::{ClusterName, RepositoryName, Revision};
use crate::model::secret::{RedactionKey, RedactionRules};
use crate::ports::{LiveSource as _, SourceTree as _};
use crate::stages::first_targets::{self, FileFacts};

/// What a first configuration is asked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The kubeconfig context; `None`: the current one.
    pub context: Option<String>,
    /// The kubeconfig; `None`: what `kubectl` uses.
    pub kubeconfig: Option<PathBuf>,
    /// Whether the context's credential plugin may run.
    pub allow_exec_plugins: bool,
    /// The repository's URL or folder; `None`: the one around the working folder.
    pub repository: Option<String>,
    /// A file with its token.
    pub token_file: Option<PathBuf>,
    /// Only folders below this one, from the repository's root.
    pub path: String,
}

/// A first configuration, and what was found on the way to it.
#[derive(Debug)]
pub struct Found {
    /// The configuration.
    pub config: FirstConfig,
    /// What works, for people.
    pub works: Vec<String>,
    /// What does not yet.
    pub fails: Vec<Gap>,
}

/// Looks at both sides.
///
/// # Errors
/// The kubeconfig or the repository cannot be meant: there is nothing to write.
pub async fn find(wanted: Wanted) -> Result<Found, AppError> {
    let files = wanted.kubeconfig.clone().map_or_else(wiring::default_kubeconfigs, |file| vec![file]);
    let context = kube_context(&files, wanted.context.as_deref())?;
    let place = Place::of(wanted.repository.as_deref())?;
    let cluster = context.as_ref().map_or_else(|| "cluster".to_owned(), |c| first_targets::cluster_name(&c.name));
    let (mut works, mut fails) = (Vec::new(), Vec::new());
    let (path, token_file) = (wanted.path.clone(), wanted.token_file.clone());
    let looking = {
        let (place, cluster) = (place.clone(), cluster.clone());
        tokio::task::spawn_blocking(move || repository(&place, token_file.as_deref(), &path, &cluster))
    };
    if let Some(context) = context.as_ref().filter(|context| wanted.allow_exec_plugins || !context.runs_program) {
        match reach(&cluster, files, context, wanted.allow_exec_plugins).await {
            Ok(version) => works.push(format!("cluster {cluster} answers ({version})")),
            Err(gap) => fails.push(gap),
        }
    }
    let looked =
        looking.await.map_err(|error| AppError::new(format!("reading the repository was given up: {error}")))?;
    let looked = match looked {
        Ok(looked) => {
            works.push(format!("repository {} can be read", place.name));
            fails.extend(looked.gap.clone());
            looked
        }
        Err(gap) => {
            fails.push(gap);
            Looked::default()
        }
    };
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string();
    let config = FirstConfig {
        cluster,
        exec_plugin: context.as_ref().filter(|context| context.runs_program).map(|_| wanted.allow_exec_plugins),
        context: context.map(|context| context.name),
        kubeconfig: wanted.kubeconfig.as_deref().map(absolute),
        repository: place.name.clone(),
        url: place.shown.clone(),
        token_file: wanted.token_file.as_deref().map(absolute),
        revision_found: looked.branch.is_some(),
        revision: looked.branch.unwrap_or_else(|| "main".to_owned()),
        proposals: looked.proposals,
    };
    Ok(Found { config, works, fails })
}

/// A repository as it was named.
#[derive(Clone)]
struct Place {
    name: String,
    location: Location,
    /// Without credentials.
    shown: String,
    of_url: Option<Credentials>,
}

impl Place {
    fn of(text: Option<&str>) -> Result<Self, AppError> {
        let folder = match text {
            Some(text) if text.contains("://") || (text.contains('@') && !Path::new(text).exists()) => {
                let (location, of_url) =
                    Location::from_url(text).map_err(|error| AppError::new(format!("--repository: {error}")))?;
                let shown = match &location {
                    Location::Url(url) => url.as_str().to_owned(),
                    Location::Path(path) => path.display().to_string(),
                };
                return Ok(Self { name: first_targets::repository_name(&shown), location, shown, of_url });
            }
            Some(text) => {
                std::path::absolute(text).map_err(|error| AppError::file("cannot find", Path::new(text), &error))?
            }
            None => around(Path::new(".")).ok_or_else(|| {
                AppError::new("the working folder is in no Git repository").hint("name one with --repository")
            })?,
        };
        if !folder.is_dir() {
            return Err(AppError::new(format!("there is no folder {}", folder.display()))
                .hint("--repository takes a URL with its scheme, or the folder of a local repository"));
        }
        let shown = folder.display().to_string();
        let name = first_targets::repository_name(&shown);
        Ok(Self { name, location: Location::Path(folder), shown, of_url: None })
    }
}

/// The folder with `.git`, from here upwards.
fn around(from: &Path) -> Option<PathBuf> {
    let from = std::path::absolute(from).ok()?;
    from.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned)
}

/// The cluster's version.
async fn reach(cluster: &str, files: Vec<PathBuf>, context: &KubeContext, exec: bool) -> Result<String, Gap> {
    let settings = KubeSettings {
        name: ClusterName::new(cluster),
        access: Access::Kubeconfig { files, context: Some(context.name.clone()) },
        allow_exec_plugins: exec,
        // Whoever sits before it does not wait for minutes.
        limits: Limits { tries: 1, ..Limits::default() },
    };
    let (discovery, _) = KubeCluster::connect(settings).await?.discover().await?;
    Ok(discovery.version.unwrap_or_else(|| "version not known".to_owned()))
}

#[derive(Default)]
struct Looked {
    branch: Option<String>,
    proposals: Vec<Proposal>,
    /// That folders could not be looked at.
    gap: Option<Gap>,
}

fn repository(place: &Place, token_file: Option<&Path>, path: &str, cluster: &str) -> Result<Looked, Gap> {
    let opened = open(place, token_file)?;
    let branch = opened.default_branch();
    let revision = Revision::new(branch.clone().unwrap_or_else(|| "HEAD".to_owned()));
    match files(&opened, &revision, path) {
        Ok(files) => {
            let proposals = first_targets::propose(&files, &place.name, cluster);
            Ok(Looked { branch, proposals, gap: None })
        }
        Err(gap) => Ok(Looked { branch, proposals: Vec::new(), gap: Some(gap) }),
    }
}

fn open(place: &Place, token_file: Option<&Path>) -> Result<OpenedRepository, Gap> {
    let token = token_file.map(|file| wiring::secret(&SecretSource::File(file.to_owned()), "the token"));
    let token = token.transpose().map_err(|error| Gap::new(GapKind::Fetch, error.message, Hides::Target))?;
    let credentials = token.map(|token| Credentials::Token(Hidden::new(token))).or_else(|| place.of_url.clone());
    let source = RepositorySource {
        credentials,
        retries: 0,
        ..RepositorySource::new(RepositoryName::new(place.name.clone()), place.location.clone())
    };
    Mirrors::new(wiring::default_cache()).open(&source, pipeline::now())
}

/// What each file declares. Values are hashed under a key that nobody keeps.
fn files(opened: &OpenedRepository, revision: &Revision, path: &str) -> Result<Vec<FileFacts>, Gap> {
    let tree = opened.tree(&opened.resolve(revision)?.commit, TreeLimits::default())?;
    let key = RedactionKey::from_bytes([0; 32]);
    let rules = RedactionRules::default();
    let reading = Reading { limits: Default::default(), namespace: "default", key: &key, redaction: &rules };
    let mut files: BTreeMap<String, FileFacts> = BTreeMap::new();
    tree.walk(path, &mut |file| {
        let facts = files.entry(file.path.clone()).or_default();
        facts.path.clone_from(&file.path);
        let Some(content) = file.content.as_ref().ok().filter(|_| is_manifest_name(&file.path)) else { return };
        for object in manifest::read(&file.path, content, &reading).objects {
            facts.objects += 1;
            let own = (object.gvk.kind == "Namespace").then_some(&object.name);
            facts.namespaces.extend(object.namespace.as_ref().or(own).cloned());
        }
    })?;
    Ok(files.into_values().collect())
}
