//! What should have been read and could not be (a gap), and what was chosen not to be read (an exclusion).

use serde::{Deserialize, Serialize};

use super::ids::{ClusterName, TargetName};
use super::resource::{GroupKind, ObjectId};

/// The kinds of gaps; the names are part of the output's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapKind {
    /// A repository could not be fetched or opened.
    Fetch,
    /// A revision does not resolve to a commit.
    Revision,
    /// A renderer failed.
    Render,
    /// A document or a cluster answer is not what it should be.
    Parse,
    /// The cluster did not say completely what it serves.
    Discovery,
    /// The role does not allow the read.
    Forbidden,
    /// The cluster or a part of it did not answer.
    Unreachable,
    /// The server could not convert an object to the declared version.
    Conversion,
    /// The schema of a kind could not be read.
    Schema,
    /// A limit of this program was reached.
    Limit,
}

impl GapKind {
    /// As written in outputs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Revision => "revision",
            Self::Render => "render",
            Self::Parse => "parse",
            Self::Discovery => "discovery",
            Self::Forbidden => "forbidden",
            Self::Unreachable => "unreachable",
            Self::Conversion => "conversion",
            Self::Schema => "schema",
            Self::Limit => "limit",
        }
    }
}

/// What nothing can be said about because of a gap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Hides {
    /// Everything that the gap's target declares.
    Target,
    /// What one file of the gap's target declares, or a part of it.
    File {
        /// Path from the repository's root.
        file: String,
    },
    /// All live objects of a kind, in one namespace or everywhere.
    Kind {
        /// The kind.
        #[serde(flatten)]
        kind: GroupKind,
        /// `None`: everywhere.
        namespace: Option<String>,
    },
    /// The live objects of a kind that no target declares: whether there are any, and which.
    Undeclared {
        /// The kind.
        #[serde(flatten)]
        kind: GroupKind,
    },
    /// These objects.
    Objects {
        /// Whose live or declared side is unknown.
        objects: Vec<ObjectId>,
    },
    /// Everything in the gap's cluster.
    Cluster,
    /// Evidence only: what differs is known, who or which commit is behind it is not.
    Evidence,
}

/// Something that should have been read and could not be; never "in sync".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// What sort of reading failed.
    pub kind: GapKind,
    /// The cluster it belongs to, if to one.
    pub cluster: Option<ClusterName>,
    /// The target it belongs to, if to one.
    pub target: Option<TargetName>,
    /// `file:line:column`, or `Deployment.apps in shop`; for people.
    pub place: Option<String>,
    /// What happened; holds no content of manifests and no credentials.
    pub message: String,
    /// What the reader can do about it.
    pub hint: Option<String>,
    /// What it hides.
    pub hides: Hides,
}

impl Gap {
    /// A gap of no target or cluster yet; whoever knows fills them in.
    pub fn new(kind: GapKind, message: impl Into<String>, hides: Hides) -> Self {
        Self { kind, cluster: None, target: None, place: None, message: message.into(), hint: None, hides }
    }

    /// With a place.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// With a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Of a target.
    #[must_use]
    pub fn of_target(mut self, target: &TargetName) -> Self {
        self.target = Some(target.clone());
        self
    }

    /// Of a cluster.
    #[must_use]
    pub fn of_cluster(mut self, cluster: &ClusterName) -> Self {
        self.cluster = Some(cluster.clone());
        self
    }
}

/// Something chosen not to be read or compared; listed, never an alarm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Exclusion {
    /// Where it applies: a target or cluster name.
    pub scope: String,
    /// What is left out, for people: `Secret`, `status of every object`.
    pub what: String,
    /// Why.
    pub reason: String,
    /// How many objects, files or fields, where that is counted.
    pub count: Option<u64>,
}
