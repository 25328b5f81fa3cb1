//! What a scan should say, worked out without the program: from the live object before and after a write, who wrote it, and what is
//! declared. The server has the last word: what it refused, pruned or gave its default again is no change.

mod changes;
mod lists;
mod path;

use serde_json::Value;

pub use changes::{Change, changes, content, touched};
pub use lists::{Kind, kind as list_kind};
pub use path::Path;

/// Who wrote, as far as it decides what counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// A person's tool, or a program that nobody knows.
    Somebody(&'static str),
    /// One that writes under a controller's name.
    Controller(&'static str),
    /// The GitOps side, in a way that proves its intent: server-side apply, or client-side with what it applied in the annotation.
    GitopsIntent(&'static str),
    /// The GitOps side, with a plain update: its fields may be the server's defaults.
    GitopsUpdate(&'static str),
}

impl Writer {
    pub fn manager(self) -> &'static str {
        match self {
            Writer::Somebody(name)
            | Writer::Controller(name)
            | Writer::GitopsIntent(name)
            | Writer::GitopsUpdate(name) => name,
        }
    }
}

/// Who has to be named first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// This manager.
    Manager(String),
    /// Nobody, or this manager: what is gone belongs to no one, unless it stood in a value that is owned as a whole.
    NobodyOr(String),
    /// Anyone: managedFields cannot tell.
    Anyone,
}

/// A finding that has to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    pub code: &'static str,
    pub path: String,
    pub named: Named,
}

/// What a scan has to say, and where it may say what it likes because the rules leave it open.
#[derive(Clone, Debug, Default)]
pub struct Expectation {
    pub findings: Vec<Expected>,
    pub open: Vec<Path>,
}

/// Everything the oracle looks at.
pub struct Evidence<'a> {
    pub declared: &'a Value,
    pub before: &'a Value,
    /// `None`: it is gone.
    pub after: Option<&'a Value>,
    pub writer: Writer,
    /// The places that the writer meant to change, whatever became of them; `None`: all that changed.
    pub meant: Option<Vec<Path>>,
    /// Whether the server may have put its defaults, which have no writer, in the place of what was written.
    pub leaves_defaults: bool,
    /// Whether an autoscaler owns its replicas.
    pub autoscaled: bool,
}

pub fn expect(evidence: &Evidence<'_>) -> Expectation {
    let mut expectation = Expectation::default();
    let Some(after) = evidence.after else {
        let gone = Expected { code: "DL004", path: String::new(), named: Named::Anyone };
        return Expectation { findings: vec![gone], open: Vec::new() };
    };
    let last_applied = last_applied(after);
    let untracked = after["metadata"].get("managedFields").is_none();
    let kind = evidence.declared["kind"].as_str().unwrap_or_default();
    let declared = content(evidence.declared);
    if evidence.autoscaled {
        expectation.open.push(Path::default().field("spec").field("replicas"));
    }
    if kind == "ClusterRole" && is_aggregated(evidence.before) && !is_aggregated(after) {
        // No longer the server's, and whoever took the aggregation away did not mean them.
        expectation.open.push(Path::default().field("rules"));
    }
    for change in changes(kind, &content(evidence.before), &content(after), &declared) {
        let meant = evidence.meant.as_ref().is_none_or(|meant| meant.iter().any(|path| path.touches(&change.path)));
        let fields = change.path.fields();
        if evidence.autoscaled && fields == ["spec", "replicas"] {
            continue;
        }
        let in_annotation = last_applied.as_ref().is_some_and(|applied| change.path.is_in(applied));
        // An object that had nothing to own when it was made is never tracked, and nothing can be shown of who wrote to it.
        let by_evidence = !untracked && counts_undeclared(evidence.writer, kind, &change);
        let counts = match change.code {
            "DL003" => meant && !is_servers(kind, &fields) && (in_annotation || by_evidence),
            _ => true,
        };
        // A port that a person chose and one that was handed out in the same write look alike.
        let chosen = meant
            && evidence.meant.is_some()
            && fields.ends_with(&["ports", "*", "nodePort"])
            && change.code == "DL003";
        if chosen || change.open || change.additions_only && matches!(evidence.writer, Writer::GitopsUpdate(_)) {
            expectation.open.push(change.path);
        } else if counts {
            let manager = evidence.writer.manager().to_owned();
            let named = match change.code {
                _ if change.reordered || !meant || evidence.leaves_defaults || untracked => Named::Anyone,
                "DL002" => Named::NobodyOr(manager),
                _ => Named::Manager(manager),
            };
            expectation.findings.push(Expected { code: change.code, path: change.path.to_string(), named });
        }
    }
    expectation
}

fn is_aggregated(role: &Value) -> bool {
    role.get("aggregationRule").is_some_and(|rule| !rule.is_null())
}

/// What the annotation of client-side apply says was applied; `kubectl replace` and `edit` keep it up to date as well.
fn last_applied(object: &Value) -> Option<Value> {
    let text = object["metadata"]["annotations"].get("kubectl.kubernetes.io/last-applied-configuration")?;
    serde_json::from_str(text.as_str()?).ok()
}

/// A plain update of the GitOps side is evidence only among entries that Git declares; so is a controller's write where controllers
/// keep their own: in custom resources, and in metadata under keys of a domain.
fn counts_undeclared(writer: Writer, kind: &str, change: &Change) -> bool {
    match writer {
        Writer::Somebody(_) | Writer::GitopsIntent(_) => true,
        Writer::Controller(name) => {
            let fields = change.path.fields();
            // The token controller's; trusted.
            let lists = ["secrets", "imagePullSecrets"];
            if name == "kube-controller-manager"
                && kind == "ServiceAccount"
                && fields.first().is_some_and(|first| lists.contains(first))
            {
                return false;
            }
            let in_metadata = fields.first() == Some(&"metadata");
            let of_domain = fields.get(2).is_none_or(|key| key.contains('/'));
            change.among_declared || if in_metadata { !of_domain } else { kind != "Gadget" }
        }
        Writer::GitopsUpdate(_) => change.among_declared,
    }
}

/// What the server hands out, and metadata that is not content: never reported where Git does not declare it.
fn is_servers(kind: &str, fields: &[&str]) -> bool {
    match fields {
        ["metadata", "finalizers" | "ownerReferences", ..] => true,
        // Counted up by the server and by a controller at each change of the template.
        ["metadata", "annotations", "deployment.kubernetes.io/revision"] => kind == "Deployment",
        ["metadata", "annotations", "deprecated.daemonset.template.generation"] => kind == "DaemonSet",
        ["spec", "clusterIP" | "clusterIPs" | "healthCheckNodePort" | "ipFamilies" | "ipFamilyPolicy", ..] => {
            kind == "Service"
        }
        ["spec", "ports", "*", "nodePort"] => kind == "Service",
        ["spec", "volumeName"] => kind == "PersistentVolumeClaim",
        ["spec", "claimRef", ..] => kind == "PersistentVolume",
        // What the older version of the kind has no field for.
        ["metadata", "annotations", key] if key.starts_with("autoscaling.alpha.kubernetes.io/") => true,
        // The older name of serviceAccountName, which the server keeps equal.
        [.., "spec", "serviceAccount"] => true,
        _ => false,
    }
}
