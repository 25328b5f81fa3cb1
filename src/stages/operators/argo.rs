//! An Argo CD Application: what it synced last, and what it was compared with (`argoproj/argo-cd`,
//! `pkg/apis/application/v1alpha1/types.go`).

use serde::Deserialize;
use serde_json::Value;

use super::live::Metadata;
use super::says::{Deployer, Source, commit, folder};
use crate::model::ids::CommitId;
use crate::stages::argocd::Destination;

#[derive(Deserialize)]
struct Application {
    metadata: Metadata,
    spec: Value,
    #[serde(default)]
    status: Status,
}

/// Without the list of all its objects.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    sync: Value,
    operation_state: Value,
    history: Value,
}

/// An Application out of its JSON; `None` where it is none.
pub(super) fn application(text: &str) -> Option<Deployer> {
    let Application { metadata, spec, status } = serde_json::from_str(text).ok()?;
    let several = spec.get("sources").and_then(Value::as_array).filter(|sources| !sources.is_empty());
    let sources = match several {
        Some(sources) => sources.iter().enumerate().filter_map(|(n, it)| source(it, Some(n), &status)).collect(),
        None => spec.get("source").and_then(|it| source(it, None, &status)).into_iter().collect(),
    };
    let namespace = spec.pointer("/destination/namespace").and_then(Value::as_str).filter(|name| !name.is_empty());
    Some(Deployer {
        name: metadata.named("Application"),
        destination: Destination::of(&spec),
        namespace: namespace.map(str::to_owned),
        sources,
    })
}

/// A folder of manifests; a chart of a Helm repository has no path. `n` is its place where there may be several.
fn source(written: &Value, n: Option<usize>, status: &Status) -> Option<Source> {
    let text = |key: &str| written.get(key).and_then(Value::as_str);
    let compared = revision(&status.sync, n, written);
    let in_sync = status.sync.get("status").and_then(Value::as_str) == Some("Synced");
    Some(Source {
        url: text("repoURL")?.to_owned(),
        path: folder(text("path")?),
        revision: text("targetRevision").filter(|revision| !revision.is_empty()).unwrap_or("HEAD").to_owned(),
        applied: applied(status, n, written),
        compared: compared.map(|commit| (commit, in_sync)),
        verb: "synced",
    })
}

/// The commit of the last sync that succeeded and was of the whole Application.
fn applied(status: &Status, n: Option<usize>, written: &Value) -> Option<CommitId> {
    let last = &status.operation_state;
    let asked = |key: &str| last.pointer(&format!("/operation/sync/{key}"));
    let in_part = asked("resources").and_then(Value::as_array).is_some_and(|resources| !resources.is_empty());
    let dry = asked("dryRun").and_then(Value::as_bool) == Some(true);
    let succeeded = last.get("phase").and_then(Value::as_str) == Some("Succeeded");
    let result = last.get("syncResult").filter(|_| succeeded && !in_part && !dry);
    // Only whole syncs that succeeded are kept in the history, the newest one last.
    let before = || status.history.as_array().and_then(|history| history.last());
    result.and_then(|result| revision(result, n, written)).or_else(|| revision(before()?, n, written))
}

/// The commit that a part of the status is about; `None` where that was of another source than what is written now.
fn revision(at: &Value, n: Option<usize>, written: &Value) -> Option<CommitId> {
    let of = at.get("comparedTo").unwrap_or(at);
    let (revision, source) = match n {
        Some(n) => (at.get("revisions")?.get(n)?, of.get("sources").and_then(|sources| sources.get(n))),
        None => (at.get("revision")?, of.get("source")),
    };
    let same = |source: &Value| ["repoURL", "path"].iter().all(|key| source.get(key) == written.get(key));
    commit(revision.as_str()?).filter(|_| source.is_none_or(same))
}
