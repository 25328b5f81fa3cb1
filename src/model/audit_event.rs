//! Writes to live objects as a Kubernetes audit log tells of them, whatever envelope they came in.
//!
//! Source: the `audit.k8s.io/v1` `Event` of `k8s.io/apiserver/pkg/apis/audit/v1`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::resource::ObjectId;
use super::time::Timestamp;

/// What a write asked for, by the verb of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// A new object.
    Create,
    /// The whole object anew.
    Update,
    /// A part of the object, or a server-side apply.
    Patch,
    /// One object away.
    Delete,
    /// Every object that a selector fits.
    DeleteCollection,
}

impl Verb {
    /// Reads the verb of an event; `None` for one that writes nothing.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "create" => Self::Create,
            "update" => Self::Update,
            "patch" => Self::Patch,
            "delete" => Self::Delete,
            "deletecollection" => Self::DeleteCollection,
            _ => return None,
        })
    }

    /// As written in audit logs and outputs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }

    /// Whether it takes objects away.
    pub fn deletes(self) -> bool {
        matches!(self, Self::Delete | Self::DeleteCollection)
    }
}

/// What a request was about, in the terms of URLs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// API group, empty for the core group.
    pub group: String,
    /// Plural: `deployments`.
    pub resource: String,
    /// `None` for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// `None` for a collection, and for a name that the server made and the log does not tell.
    pub name: Option<String>,
    /// `scale`, `status`…
    pub subresource: Option<String>,
}

impl Resource {
    /// Whether a write through it can change what is declared: `status`, `token`, `eviction` and the like cannot.
    pub fn is_declared_part(&self) -> bool {
        matches!(self.subresource.as_deref(), None | Some("scale" | "ephemeralcontainers" | "resize"))
    }
}

/// A write that succeeded and was meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// When the request came in, by the server's clock.
    pub time: Timestamp,
    /// What it asked for.
    pub verb: Verb,
    /// Who was authenticated.
    pub user: String,
    /// As whom that user acted, where the request impersonated somebody.
    pub impersonated: Option<String>,
    /// The groups of the authenticated user.
    pub groups: Vec<String>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// Where it came from; empty unless the configuration asks for it.
    pub source_ips: Vec<String>,
    /// HTTP status, 200 to 299.
    pub code: u16,
    /// The object; one without a name stands for a collection.
    pub object: ObjectId,
    /// `scale`…
    pub subresource: Option<String>,
    /// The field manager under which the server booked it, as far as the log tells.
    pub manager: ManagerHint,
    /// What was sent and what came of it, redacted; `None` where the log does not hold it or nobody asked.
    pub body: Option<Body>,
}

/// What a log tells of the field manager of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManagerHint {
    /// The request's `fieldManager`, or the name that the server derives from the user agent where the request gives none
    /// (`prefixFromUserAgent` of `k8s.io/apiserver/pkg/endpoints/handlers`).
    Is(String),
    /// The user agent's first part alone: the log leaves out the query, which may have named another one.
    BeginsWith(String),
    /// Nothing.
    Unknown,
}

impl ManagerHint {
    /// By the request's `fieldManager` and the user agent. `query` is whether the log holds the query.
    pub fn of(field_manager: Option<&str>, user_agent: Option<&str>, query: bool) -> Self {
        // The server cuts names at 128 bytes and leaves out what cannot be printed.
        let name = |text: &str| text.chars().filter(|c| !c.is_control()).take(128).collect::<String>();
        let agent = user_agent.and_then(|agent| agent.split('/').next()).map(name).filter(|agent| !agent.is_empty());
        match (field_manager.filter(|manager| !manager.is_empty()), agent) {
            (Some(manager), _) => Self::Is(name(manager)),
            (None, Some(agent)) if query => Self::Is(agent),
            (None, Some(agent)) => Self::BeginsWith(agent),
            (None, None) => Self::Unknown,
        }
    }

    /// Whether a manager of `managedFields` may be it; `None` where the log does not tell.
    pub fn fits(&self, manager: &str) -> Option<bool> {
        match self {
            Self::Is(name) => Some(name == manager),
            Self::BeginsWith(prefix) => {
                Some(manager.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')))
            }
            Self::Unknown => None,
        }
    }

    /// The name, as far as it is known.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Is(name) | Self::BeginsWith(name) => Some(name),
            Self::Unknown => None,
        }
    }
}

/// What a log holds of a write's content.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// What was sent.
    pub request: Option<Request>,
    /// The object after it.
    pub response: Option<Value>,
}

/// What was sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// A whole object.
    Whole(Value),
    /// A part of one: a merge patch, a strategic merge patch or an apply configuration. The log does not tell which.
    Part(Value),
    /// A JSON patch (RFC 6902).
    Operations(Vec<Operation>),
}

/// One operation of a JSON patch.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// `add`, `replace`, `remove`, `move`, `copy` or `test`.
    pub op: String,
    /// The place, in the unescaped parts of its JSON pointer.
    pub path: Vec<String>,
    /// The value of `add` and `replace`.
    pub value: Option<Value>,
}

/// Why an event is no [`Write`] that counts.
pub fn counts(stage: Option<&str>, code: Option<u16>, dry_run: bool) -> bool {
    // An event of a panic or of the request's arrival changed nothing that is known of.
    stage.is_none_or(|stage| stage == "ResponseComplete")
        && code.is_some_and(|code| (200..300).contains(&code))
        && !dry_run
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_completed_and_succeeded_and_was_meant_counts() {
        for (case, stage, code, dry_run, expected) in [
            ("done", Some("ResponseComplete"), Some(200), false, true),
            ("created", Some("ResponseComplete"), Some(201), false, true),
            ("a dry run", Some("ResponseComplete"), Some(200), true, false),
            ("refused", Some("ResponseComplete"), Some(403), false, false),
            ("conflict", Some("ResponseComplete"), Some(409), false, false),
            ("no code", Some("ResponseComplete"), None, false, false),
            ("only received", Some("RequestReceived"), None, false, false),
            ("a panic", Some("Panic"), Some(500), false, false),
            ("an envelope without stages", None, Some(200), false, true),
        ] {
            assert_eq!(counts(stage, code, dry_run), expected, "{case}");
        }
    }

    #[test]
    fn a_manager_is_the_one_that_the_request_names_or_the_user_agents_first_part() {
        let agent = Some("kubectl/v1.34.1 (linux/amd64) kubernetes/abc");
        for (case, field_manager, query, manager, expected) in [
            ("named", Some("kubectl-edit"), true, "kubectl-edit", Some(true)),
            ("named otherwise", Some("kubectl-edit"), true, "kubectl", Some(false)),
            ("derived", None, true, "kubectl", Some(true)),
            ("derived, and not a longer one", None, true, "kubectl-edit", Some(false)),
            ("without the query any that begins so", None, false, "kubectl-edit", Some(true)),
            ("without the query a word is a word", None, false, "kubectlx", Some(false)),
        ] {
            assert_eq!(ManagerHint::of(field_manager, agent, query).fits(manager), expected, "{case}");
        }
        assert_eq!(ManagerHint::of(None, None, true).fits("kubectl"), None);
    }
}
