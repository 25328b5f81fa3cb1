//! Why an answer could not be had.

use std::time::Duration;

use serde::Deserialize;

use super::guard::Refusal;
use crate::model::discovery::ServedKind;
use crate::model::gap::GapKind;

/// Why an answer could not be had. No variant holds a body.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Failure {
    /// An answer other than success.
    #[error("the server answered {}", .0.for_people())]
    Status(Box<StatusAnswer>),
    /// The guard refused the request.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The address or an object's name gives no URL.
    #[error("the request has no valid URL")]
    Url,
    /// No connection.
    #[error("no connection to the server: {0}")]
    Connect(String),
    /// The connection ended before the answer did.
    #[error("the answer broke off: {0}")]
    Broken(String),
    /// The server did not answer in time.
    #[error("the server did not answer within {} s", .0.as_secs_f32())]
    Timeout(Duration),
    /// More bytes than allowed.
    #[error("the answer is larger than {} bytes", .0)]
    TooLarge(usize),
    /// Not the JSON it should be.
    #[error("the answer is not {0}")]
    NotJson(&'static str),
    /// Credentials could not be had.
    #[error("no credentials: {0}")]
    Credentials(String),
}

/// A `metav1.Status`, or what an answer says without one.
#[derive(Clone, Debug, Default)]
pub(super) struct StatusAnswer {
    pub(super) code: u16,
    pub(super) reason: Option<String>,
    pub(super) message: Option<String>,
    /// `details.name`: which object was not found.
    pub(super) name: Option<String>,
    pub(super) retry_after: Option<Duration>,
}

#[derive(Deserialize)]
struct RawStatus {
    kind: String,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    details: Option<RawDetails>,
}

#[derive(Deserialize)]
struct RawDetails {
    #[serde(default)]
    name: Option<String>,
}

/// How `k8s.io/apiextensions-apiserver`, `pkg/apiserver/conversion`, begins its errors; they have no reason of their own.
const CONVERSION: [&str; 3] = ["conversion webhook for", "request to convert CR", "unable to convert"];

/// Characters of a server's message that are kept.
const MESSAGE_LENGTH: usize = 400;

impl StatusAnswer {
    /// From an answer; a body that is no `Status` is not looked at further.
    pub(super) fn read(code: u16, body: &[u8], retry_after: Option<Duration>) -> Self {
        let status = serde_json::from_slice::<RawStatus>(body).ok().filter(|status| status.kind == "Status");
        let Some(status) = status else { return Self { code, retry_after, ..Self::default() } };
        Self {
            code,
            reason: status.reason,
            message: status.message.map(|m| m.chars().filter(|c| !c.is_control()).take(MESSAGE_LENGTH).collect()),
            name: status.details.and_then(|details| details.name),
            retry_after,
        }
    }

    fn for_people(&self) -> String {
        match &self.message {
            Some(message) => format!("{}: {message}", self.code),
            None => match http::StatusCode::from_u16(self.code).ok().and_then(|code| code.canonical_reason()) {
                Some(reason) => format!("{} {reason}", self.code),
                None => self.code.to_string(),
            },
        }
    }
}

impl Failure {
    fn status(&self) -> Option<&StatusAnswer> {
        match self {
            Self::Status(status) => Some(status),
            _ => None,
        }
    }

    /// The role does not allow it.
    pub(super) fn is_forbidden(&self) -> bool {
        self.status().is_some_and(|s| s.code == 403)
    }

    /// The credentials are not accepted.
    pub(super) fn is_unauthorized(&self) -> bool {
        self.status().is_some_and(|s| s.code == 401)
    }

    /// A LIST in pages ran for longer than the server keeps its snapshot.
    pub(super) fn is_gone(&self) -> bool {
        self.status().is_some_and(|s| s.code == 410)
    }

    /// There is no such path.
    pub(super) fn is_not_found(&self) -> bool {
        self.status().is_some_and(|s| s.code == 404)
    }

    /// The object does not exist, as opposed to: nothing is served there.
    pub(super) fn says_missing(&self, name: &str) -> bool {
        self.status().is_some_and(|s| {
            s.code == 404 && s.reason.as_deref() == Some("NotFound") && s.name.as_deref() == Some(name)
        })
    }

    /// A conversion webhook failed, or a stored object cannot be converted. The server says it only in words.
    pub(super) fn is_conversion(&self) -> bool {
        self.status().is_some_and(|s| {
            s.code == 500 && s.message.as_deref().is_some_and(|m| CONVERSION.iter().any(|words| m.contains(words)))
        })
    }

    /// The server asks to come back later.
    pub(super) fn is_throttling(&self) -> bool {
        self.status().is_some_and(|s| s.code == 429)
    }

    /// How long the server asks to wait.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.status().and_then(|s| s.retry_after)
    }

    /// Whether another try may succeed.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Status(s) => matches!(s.code, 429 | 500 | 502 | 503 | 504) && !self.is_conversion(),
            Self::Connect(_) | Self::Broken(_) | Self::Timeout(_) => true,
            _ => false,
        }
    }
}

impl Failure {
    /// What sort of gap it leaves.
    pub(super) fn gap_kind(&self) -> GapKind {
        match self {
            _ if self.is_forbidden() || self.is_unauthorized() => GapKind::Forbidden,
            _ if self.is_conversion() => GapKind::Conversion,
            _ if self.is_not_found() => GapKind::Discovery,
            Self::Credentials(_) => GapKind::Forbidden,
            Self::TooLarge(_) => GapKind::Limit,
            Self::NotJson(_) | Self::Url | Self::Refused(_) => GapKind::Parse,
            Self::Status(_) | Self::Connect(_) | Self::Broken(_) | Self::Timeout(_) => GapKind::Unreachable,
        }
    }

    /// What the reader can do about it where a whole cluster cannot be read.
    pub(super) fn cluster_hint(&self) -> Option<&'static str> {
        match self {
            _ if self.is_unauthorized() => Some("the credentials are not accepted: they may have expired"),
            _ if self.is_forbidden() => {
                Some("bind the ClusterRole system:discovery to the identity that Driftledger uses")
            }
            Self::Credentials(_) => Some("check the user of the kubeconfig's context"),
            Self::Connect(_) => {
                Some("check the kubeconfig's server and certificate authority, and that the server can be reached")
            }
            _ => None,
        }
    }

    /// What the reader can do about it where objects of a kind cannot be read.
    pub(super) fn kind_hint(&self, kind: &ServedKind, namespace: Option<&str>) -> Option<String> {
        match self {
            _ if self.is_forbidden() => {
                let role = match (kind.namespaced, namespace) {
                    (true, Some(namespace)) => format!("a Role in {namespace}"),
                    (true, None) => "a ClusterRole, or a Role in each namespace".to_owned(),
                    (false, _) => "a ClusterRole".to_owned(),
                };
                Some(format!(
                    "missing RBAC rule in {role}: apiGroups [\"{}\"], resources [\"{}\"], verbs [\"get\", \"list\"]",
                    kind.gvk.gv.group, kind.plural
                ))
            }
            _ if self.is_conversion() => Some(format!(
                "the conversion webhook of {}.{} is broken; `kubectl get {}` fails too",
                kind.plural, kind.gvk.gv.group, kind.plural
            )),
            Self::TooLarge(_) => Some("read smaller pages, or raise the limit".to_owned()),
            _ => self.cluster_hint().map(str::to_owned),
        }
    }
}
