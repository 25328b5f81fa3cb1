//! `snapshot`: a cluster in one file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::adapters::cluster::KubeCluster;
use crate::adapters::ledger::Ledger;
use crate::app::cli::Global;
use crate::app::discovery;
use crate::app::error::AppError;
use crate::app::outcome::Exit;
use crate::app::snapshot::{self, Taken, Taking};
use crate::app::{output, pipeline, wiring};
use crate::config::{ClusterConfig, Config};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::stages::snapshot_plan::Choice;
use crate::views::escape::terminal;
use crate::views::words::{counted, number};

const MORE: &str = "\
Use it as a cluster of the configuration, for a scan without access to the cluster:

  clusters:
    - name: prod
      snapshot: prod.snapshot.json.zst

The scan then finds what a scan of the cluster would have found at that time. What was not taken is a gap, never \"missing\".

Secret values (with `secrets: true`), their last-applied annotations and the fields that `redact` names are hashed with the \
ledger's key before they reach the file. If the ledger does not exist yet, its key file is made now as the first scan would make it, \
and the first scan uses it. A scan with another ledger cannot compare these values and says so; to compare them on another machine, \
copy the key file there and name it with `ledger: {keyFile: …}`.

The file is JSON, one value a line, compressed: `zstdcat FILE | jq` shows it. Only its owner may read it.

Exit codes: 0 written; 3 written, but something that a target declares or --kinds names could not be read; 2 error, and nothing \
was written.";

const TAKEN_OF: &str = "a snapshot is taken of";

/// Read a cluster into one file, to be scanned without the cluster.
///
/// Reads with get and list only: what is served, the OpenAPI schemas, and by default the objects of every kind that can be listed,
/// except Events, Leases, Endpoints, EndpointSlices, metrics, and Secrets unless the cluster has `secrets: true`. A kind that the
/// role does not allow becomes a gap in the file, and in every scan of it. Kinds are read at the version that the server prefers and
/// at those that the targets of the cluster declare.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct Snapshot {
    /// The cluster, by its name in the configuration; may be left out where only one is behind an API server.
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// The file to write [default: NAME.snapshot.json.zst].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only these kinds, as Deployment, deployments or Deployment.apps; several with commas or by repeating.
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    kinds: Vec<String>,
    /// Objects of namespaced kinds only from this namespace; cluster-scoped kinds are read as otherwise. May be given several times.
    #[arg(long, short, value_name = "NAMESPACE", value_delimiter = ',')]
    namespace: Vec<String>,
    /// Every served version of each kind, also those that nothing declares.
    #[arg(long)]
    all_versions: bool,
}

impl Snapshot {
    /// Takes it.
    ///
    /// # Errors
    /// Configuration, key, a cluster that cannot be reached or does not say what it serves, a file that cannot be written.
    pub async fn run(self, global: &Global) -> Result<Exit, AppError> {
        let config = discovery::of(&Arc::new(global.read_config()?), pipeline::now()).await?;
        let cluster = chosen(&config, self.cluster.as_deref(), TAKEN_OF)?;
        let Some(settings) = wiring::kube_settings(cluster) else { return Err(is_a_file(cluster, TAKEN_OF)) };
        if self.output.as_deref() == Some(Path::new("-")) {
            return Err(AppError::new("a snapshot is written to a file: whole, or not at all"));
        }
        let output = self.output.unwrap_or_else(|| default_name(cluster.name.as_str()));
        if output::is_special(&output) {
            return Err(AppError::new(format!("cannot write {}: it is no file", output.display()))
                .hint("a snapshot is put in its place whole: give the path of a file"));
        }
        let key = key(&config).await?;
        let progress = global.progress();
        let taking = Taking {
            config: config.clone(),
            cluster: cluster.name.clone(),
            key: key.clone(),
            choice: Choice { kinds: self.kinds, all_versions: self.all_versions, secrets: cluster.secrets },
            namespaces: self.namespace,
            output,
            now: pipeline::now(),
            progress: progress.clone(),
        };
        progress.doing("fetching repositories");
        let declared = snapshot::declared(&config, &cluster.name, &key, taking.now).await;
        let unread = declared.gaps.clone();
        progress.doing(&format!("reaching {}", cluster.name));
        let source = KubeCluster::connect(settings).await?;
        let taken = tokio::select! {
            taken = snapshot::take(&source, declared, &taking) => taken,
            // An unfinished file is taken away on the way out.
            _ = tokio::signal::ctrl_c() => Err(AppError::new("interrupted; nothing was written")),
        };
        progress.finish();
        let taken = taken?;
        output::stdout(&summary(&taking, &taken, &unread));
        Ok(if taken.wanting || !unread.is_empty() { Exit::Gaps } else { Exit::InSync })
    }
}

/// In the folder that it is run in, whatever characters the cluster's name has.
fn default_name(cluster: &str) -> PathBuf {
    let name: String =
        cluster.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    PathBuf::from(format!("{name}.snapshot.json.zst"))
}

/// A snapshot or a dump where a cluster is needed. `what` begins the sentence that says so.
fn is_a_file(cluster: &ClusterConfig, what: &str) -> AppError {
    AppError::new(format!("cluster {} is a file already", cluster.name))
        .hint(format!("{what} a cluster with `context` or `inCluster: true`"))
}

/// The named cluster, or the only one that is no file. `what` a cluster is needed for begins a sentence: `a snapshot is taken of`.
///
/// # Errors
/// There is none, or not only one, or it is a file.
pub fn chosen<'a>(config: &'a Config, name: Option<&str>, what: &str) -> Result<&'a ClusterConfig, AppError> {
    let known = || config.clusters.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(name) = name {
        let named = config.clusters.iter().find(|c| c.name.as_str() == name);
        let unknown = || AppError::new(format!("there is no cluster `{name}`")).hint(format!("known: {}", known()));
        let named = named.ok_or_else(unknown)?;
        return if wiring::kube_settings(named).is_some() { Ok(named) } else { Err(is_a_file(named, what)) };
    }
    let behind_servers: Vec<_> = config.clusters.iter().filter(|c| wiring::kube_settings(c).is_some()).collect();
    match behind_servers.as_slice() {
        [only] => Ok(only),
        [] => Err(AppError::new("no cluster of the configuration is behind an API server")
            .hint(format!("{what} a cluster with `context` or `inCluster: true`"))),
        _ => Err(AppError::new("the configuration has several clusters")
            .hint(format!("name one with --cluster: {}", known()))),
    }
}

async fn key(config: &Arc<Config>) -> Result<Arc<crate::model::secret::RedactionKey>, AppError> {
    let config = config.clone();
    let read = tokio::task::spawn_blocking(move || {
        Ledger::redaction_key(&config.ledger.path, config.ledger.key_file.as_deref(), config.ledger.create)
    });
    let key = read.await.map_err(|error| AppError::new(format!("reading the key was given up: {error}")))??;
    Ok(Arc::new(key))
}

/// What was written and what is not in it.
fn summary(taking: &Taking, taken: &Taken, unread: &[Gap]) -> String {
    let version = taken.version.as_ref().map(|version| format!(" ({})", terminal(version))).unwrap_or_default();
    let mut text = format!(
        "{}: {}{version} at {}: {}, {}, {} kB\n",
        taking.output.display(),
        terminal(taking.cluster.as_str()),
        taking.now.for_people(),
        counted(taken.kinds as u64, "kind", "kinds"),
        counted(taken.written.objects, "object", "objects"),
        number(taken.written.bytes.div_ceil(1_000)),
    );
    // Writing to a String cannot fail.
    let _ = match taking.choice.secrets {
        true => writeln!(text, "Secret values are hashed with the key {}.", taking.key.id()),
        false => writeln!(text, "Without Secrets: `secrets: true` is not set for the cluster."),
    };
    if taken.left_out > 0 {
        let _ = writeln!(text, "{} left out by choice.", counted(taken.left_out as u64, "kind", "kinds"));
    }
    let (forbidden, others): (Vec<&Gap>, Vec<&Gap>) = taken
        .gaps
        .iter()
        .partition(|gap| gap.kind == GapKind::Forbidden && matches!(gap.hides, Hides::Kind { namespace: None, .. }));
    if !forbidden.is_empty() {
        let names: Vec<String> = forbidden.iter().filter_map(|gap| gap.place.as_deref()).map(terminal).collect();
        let _ = writeln!(
            text,
            "{} that the role does not allow, a gap where a scan needs them: {}",
            counted(names.len() as u64, "kind", "kinds"),
            names.join(", ")
        );
    }
    for (gaps, what) in [
        (others, "could not be read and will be a gap in every scan that needs it:"),
        (unread.iter().collect(), "of the targets could not be read, so the versions they declare may be missing:"),
    ] {
        if !gaps.is_empty() {
            let _ = writeln!(text, "{} {what}", counted(gaps.len() as u64, "thing", "things"));
            for gap in gaps {
                let _ = writeln!(text, "  {}", line(gap));
            }
        }
    }
    text
}

fn line(gap: &Gap) -> String {
    let place = gap.place.as_ref().map(|place| format!("{}: ", terminal(place))).unwrap_or_default();
    let hint = gap.hint.as_ref().map(|hint| format!(" ({})", terminal(hint))).unwrap_or_default();
    format!("{} {place}{}{hint}", gap.kind.as_str(), terminal(&gap.message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clusters_name_leads_to_no_other_folder() {
        assert_eq!(default_name("prod"), Path::new("prod.snapshot.json.zst"));
        assert_eq!(default_name("eu/prod"), Path::new("eu-prod.snapshot.json.zst"));
        assert_eq!(default_name("../x"), Path::new("..-x.snapshot.json.zst"));
    }
}
