//! Takes a snapshot of a cluster: what is served, how it is described, and the objects, one page at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::error::AppError;
use super::gather;
use super::pipeline::VERSION;
use super::progress::Progress;
use crate::adapters::cluster::{Covers, Header, LeftOut, Scope, SnapshotError, SnapshotWriter, Written};
use crate::config::Config;
use crate::model::declared::RenderedObject;
use crate::model::discovery::{Discovery, Served, ServedKind};
use crate::model::gap::{Gap, GapKind};
use crate::model::ids::ClusterName;
use crate::model::resource::{GroupKind, GroupVersion, Gvk, ObjectId};
use crate::model::secret::RedactionKey;
use crate::model::time::Timestamp;
use crate::ports::{ListEvent, ListRequest, SnapshotSource};
use crate::stages::declare::{self, TargetPlace};
use crate::stages::snapshot_plan::{self, Choice};

/// What a snapshot is taken with.
pub struct Taking {
    /// The configuration.
    pub config: Arc<Config>,
    /// The cluster's name in it.
    pub cluster: ClusterName,
    /// The ledger's key.
    pub key: Arc<RedactionKey>,
    /// What of the cluster.
    pub choice: Choice,
    /// Objects of namespaced kinds only of these namespaces; empty: of all.
    pub namespaces: Vec<String>,
    /// The file.
    pub output: PathBuf,
    /// When reading begins.
    pub now: Timestamp,
    /// Shown on a terminal.
    pub progress: Progress,
}

/// A snapshot that was taken.
#[derive(Debug)]
pub struct Taken {
    /// The file.
    pub written: Written,
    /// The cluster's version.
    pub version: Option<String>,
    /// Kinds that were read, a kind at two versions counted once.
    pub kinds: usize,
    /// Kinds that were left out by choice.
    pub left_out: usize,
    /// What could not be read; recorded in the file, too.
    pub gaps: Vec<Gap>,
    /// Whether one of them is about something that a target declares or `--kinds` names, or, where no target declares anything, is for
    /// another reason than missing rights.
    pub wanting: bool,
}

/// What the targets of a cluster declare, as far as it matters to a snapshot.
#[derive(Default)]
pub struct Declared {
    targets: Vec<(TargetPlace, Vec<RenderedObject>)>,
    /// What of it could not be read.
    pub gaps: Vec<Gap>,
}

/// Reads what the targets of a cluster declare: their versions and, where a LIST is forbidden, their names are asked for.
pub async fn declared(
    config: &Arc<Config>,
    cluster: &ClusterName,
    key: &Arc<RedactionKey>,
    now: Timestamp,
) -> Declared {
    let targets: Vec<_> = config.targets.iter().filter(|target| target.cluster == *cluster).cloned().collect();
    let mut declared = Declared::default();
    for mut source in gather::targets(config, &targets, key, now).await {
        declared.gaps.append(&mut source.gaps);
        declared.targets.extend(source.place().map(|place| (place, std::mem::take(&mut source.objects))));
    }
    declared
}

/// Takes a snapshot.
///
/// # Errors
/// The cluster does not say what it serves, a named kind is not served, or the file cannot be written.
pub async fn take<S: SnapshotSource>(source: &S, declared: Declared, taking: &Taking) -> Result<Taken, AppError> {
    let (discovery, gaps) = source.discover().await?;
    let wanted = wanted(declared, &discovery);
    let versions: BTreeSet<Gvk> = wanted.keys().cloned().collect();
    let plan = snapshot_plan::plan(&discovery, &versions, &taking.choice).map_err(unplanned)?;
    let left_out: Vec<LeftOut> = plan.left_out.into_iter().map(|(kind, reason)| LeftOut { kind, reason }).collect();

    let header = header(taking, &discovery);
    let mut writer =
        SnapshotWriter::create(&taking.output, header, taking.key.clone(), taking.config.redaction.clone())
            .map_err(|error| unwritten(taking, error))?;
    writer.discovery(&discovery, &gaps, &left_out).map_err(|error| unwritten(taking, error))?;
    let mut taken = Taken {
        written: Written { bytes: 0, objects: 0 },
        version: discovery.version.clone(),
        kinds: plan.kinds.iter().map(|kind| kind.gvk.group_kind()).collect::<BTreeSet<GroupKind>>().len(),
        left_out: left_out.len(),
        wanting: false,
        gaps,
    };
    let no_schemas = schemas(source, &plan.kinds, &mut writer).await.map_err(|error| unwritten(taking, error))?;
    let is_declared = |gap: &Gap| versions.iter().any(|gvk| gap.place == Some(gvk.gv.api_version()));
    // A declared kind that the server may or may not serve is a gap as well, and there is nothing of it to read.
    taken.wanting = no_schemas.iter().any(is_declared)
        || versions.iter().any(|gvk| matches!(discovery.served(gvk), Served::Unknown));
    taken.gaps.extend(no_schemas);
    taking.progress.start(plan.kinds.len() as u64, &format!("reading {}", taking.cluster));
    for kind in &plan.kinds {
        let of_kind = wanted.get(&kind.gvk).map(Vec::as_slice).unwrap_or_default();
        let gaps =
            objects(source, kind, of_kind, taking, &mut writer).await.map_err(|error| unwritten(taking, error))?;
        let asked_for = !of_kind.is_empty() || !taking.choice.kinds.is_empty();
        // Where no target says what matters, everything does that the role allows and that is still served.
        let matters = |gap: &Gap| versions.is_empty() && !matches!(gap.kind, GapKind::Forbidden | GapKind::Discovery);
        taken.wanting |= gaps.iter().any(|gap| asked_for || matters(gap));
        taken.gaps.extend(gaps);
        taking.progress.step();
    }
    taken.written = writer.finish().map_err(|error| unwritten(taking, error))?;
    Ok(taken)
}

fn header(taking: &Taking, discovery: &Discovery) -> Header {
    Header {
        schema: Header::SCHEMA.to_owned(),
        tool_version: VERSION.to_owned(),
        taken_at: taking.now,
        cluster: taking.cluster.clone(),
        version: discovery.version.clone(),
        uid: discovery.cluster_uid.clone(),
        clock_skew_seconds: discovery.clock_skew_seconds,
        redaction_key: taking.key.id().to_owned(),
        scope: Scope {
            kinds: taking.choice.kinds.clone(),
            namespaces: taking.namespaces.clone(),
            all_versions: taking.choice.all_versions,
            secrets: taking.choice.secrets,
        },
    }
}

/// The declared objects by kind and version.
fn wanted(declared: Declared, discovery: &Discovery) -> BTreeMap<Gvk, Vec<ObjectId>> {
    let mut wanted: BTreeMap<Gvk, Vec<ObjectId>> = BTreeMap::new();
    for (id, object) in declare::place(declared.targets, discovery).objects {
        wanted.entry(object.gvk.clone()).or_default().push(id);
    }
    wanted
}

async fn schemas<S: SnapshotSource>(
    source: &S,
    kinds: &[ServedKind],
    writer: &mut SnapshotWriter,
) -> Result<Vec<Gap>, SnapshotError> {
    let versions: BTreeSet<GroupVersion> = kinds.iter().map(|kind| kind.gvk.gv.clone()).collect();
    let (mut failed, mut gaps) = (None, Vec::new());
    let mut each = |gv: &GroupVersion, document: Result<bytes::Bytes, Gap>| {
        if let Err(gap) = &document {
            gaps.push(gap.clone());
        }
        if failed.is_none() {
            failed = writer.schema(gv, document.as_deref().map_err(Gap::clone)).err();
        }
    };
    source.documents(&versions.into_iter().collect::<Vec<_>>(), &mut each).await;
    failed.map_or(Ok(gaps), Err)
}

/// Reads one kind at one version into the file. A LIST of all is asked for first, since only that says what does not exist; where it
/// is not allowed or fails on one object, what targets declare is read as a scan would read it.
async fn objects<S: SnapshotSource>(
    source: &S,
    kind: &ServedKind,
    wanted: &[ObjectId],
    taking: &Taking,
    writer: &mut SnapshotWriter,
) -> Result<Vec<Gap>, SnapshotError> {
    let mut failed = None;
    writer.begin_kind(kind)?;
    let (covers, gaps) = {
        let mut each = |event: ListEvent| {
            let outcome = match (&failed, event) {
                (Some(_), _) => return,
                (None, ListEvent::Page(page)) => writer.page(&page),
                (None, ListEvent::Restart) => writer.restart(),
            };
            failed = outcome.err();
        };
        read(source, kind, wanted, taking, &mut each).await
    };
    match failed {
        Some(error) => Err(error),
        None => writer.end_kind(covers, gaps),
    }
}

async fn read<S: SnapshotSource>(
    source: &S,
    kind: &ServedKind,
    wanted: &[ObjectId],
    taking: &Taking,
    each: &mut (dyn FnMut(ListEvent) + Send),
) -> (Covers, Vec<Gap>) {
    if kind.namespaced && !taking.namespaces.is_empty() {
        let outcome = source.list_in(kind, &taking.namespaces, each).await;
        return (Covers::Namespaces { names: taking.namespaces.clone() }, outcome.gaps);
    }
    let everything = ListRequest { kind: kind.clone(), wanted: Vec::new() };
    let gaps = source.list(&everything, each).await.gaps;
    let instead = gaps.iter().find(|gap| matches!(gap.kind, GapKind::Forbidden | GapKind::Conversion));
    match instead {
        Some(instead) if !wanted.is_empty() => {
            let instead = Box::new(instead.clone());
            each(ListEvent::Restart);
            let request = ListRequest { kind: kind.clone(), wanted: wanted.to_vec() };
            let gaps = source.list(&request, each).await.gaps;
            (Covers::Objects { asked: request.wanted, instead }, gaps)
        }
        _ => (Covers::Everything {}, gaps),
    }
}

fn unplanned(error: snapshot_plan::Unplanned) -> AppError {
    let hint = match error {
        snapshot_plan::Unplanned::NoKind(_) => {
            "name kinds as `Deployment`, `deployments` or `Deployment.apps`; `kubectl api-resources` lists them"
        }
        snapshot_plan::Unplanned::Secrets => {
            "set it if the role allows it: only keyed hashes of their values reach the file"
        }
    };
    AppError::new(error.to_string()).hint(hint)
}

fn unwritten(taking: &Taking, error: SnapshotError) -> AppError {
    AppError::new(format!("{}: {error}", taking.output.display()))
}
