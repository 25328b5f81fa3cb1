//! The lines of a snapshot.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::model::discovery::{Discovery, ServedKind};
use crate::model::gap::Gap;
use crate::model::ids::ClusterName;
use crate::model::resource::{GroupKind, GroupVersion, Gvk, ObjectId};
use crate::model::time::Timestamp;

/// The value of `schema` in the header.
pub(super) const SCHEMA: &str = "driftledger/snapshot/v1";
/// What that value begins with in every version.
pub(super) const SCHEMA_OF_ANY_VERSION: &str = "driftledger/snapshot/";

/// No object of a cluster and no OpenAPI document has more bytes than this: 64 MiB. Longer lines are neither written nor read.
pub(super) const LINE_BYTES: usize = 64 * 1024 * 1024;

/// How the line of an object begins; what follows is the object and a closing brace.
pub(super) const OBJECT: &[u8] = b"{\"object\":";

/// A line other than an object's.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Line {
    Header(Box<Header>),
    Discovery(Box<DiscoveryLine>),
    Schema(SchemaLine),
    Kind(KindLine),
    Restart {},
    KindEnd(KindEnd),
    End(End),
}

/// When, of what and how a snapshot was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// `driftledger/snapshot/v1`.
    pub schema: String,
    /// The program's version.
    pub tool_version: String,
    /// When its reading began.
    pub taken_at: Timestamp,
    /// The cluster's name in the configuration it was taken with.
    pub cluster: ClusterName,
    /// Kubernetes version.
    pub version: Option<String>,
    /// UID of the namespace kube-system.
    pub uid: Option<String>,
    /// The server's clock minus that of the machine it was taken on, in seconds.
    pub clock_skew_seconds: Option<i64>,
    /// Id of the key that secret values are hashed with.
    pub redaction_key: String,
    /// How it was narrowed or widened.
    pub scope: Scope,
}

impl Header {
    /// The value of `schema` that this program writes.
    pub const SCHEMA: &'static str = SCHEMA;
}

/// How a snapshot was narrowed or widened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scope {
    /// Only these kinds; empty: all but those that are left out by default.
    pub kinds: Vec<String>,
    /// Objects of namespaced kinds only of these namespaces; empty: of all.
    pub namespaces: Vec<String>,
    /// Whether every served version of a kind was read.
    pub all_versions: bool,
    /// Whether Secrets were read.
    pub secrets: bool,
}

/// A kind that was not read by choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The kind.
    #[serde(flatten)]
    pub kind: GroupKind,
    /// Why, for people.
    pub reason: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiscoveryLine {
    whole: bool,
    kinds: Vec<ServedLine>,
    broken: Vec<String>,
    pub(super) gaps: Vec<Gap>,
    pub(super) left_out: Vec<LeftOut>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServedLine {
    api_version: String,
    kind: String,
    plural: String,
    namespaced: bool,
    listable: bool,
}

impl DiscoveryLine {
    pub(super) fn new(discovery: &Discovery, gaps: &[Gap], left_out: &[LeftOut]) -> Self {
        let served = |kind: &ServedKind| ServedLine {
            api_version: kind.gvk.gv.api_version(),
            kind: kind.gvk.kind.clone(),
            plural: kind.plural.clone(),
            namespaced: kind.namespaced,
            listable: kind.listable,
        };
        Self {
            whole: discovery.whole,
            kinds: discovery.kinds().map(served).collect(),
            broken: discovery.broken().map(GroupVersion::api_version).collect(),
            gaps: gaps.to_vec(),
            left_out: left_out.to_vec(),
        }
    }

    pub(super) fn discovery(&self, header: &Header) -> Discovery {
        let mut discovery = Discovery::default();
        discovery.whole = self.whole;
        for kind in &self.kinds {
            discovery.insert(ServedKind {
                gvk: Gvk::new(&kind.api_version, kind.kind.as_str()),
                plural: kind.plural.clone(),
                namespaced: kind.namespaced,
                listable: kind.listable,
            });
        }
        self.broken.iter().for_each(|gv| discovery.insert_broken(GroupVersion::parse(gv)));
        discovery.version = header.version.clone();
        discovery.cluster_uid = header.uid.clone();
        discovery.clock_skew_seconds = header.clock_skew_seconds;
        discovery
    }
}

/// `document` or `gap`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SchemaLine {
    pub(super) api_version: String,
    #[serde(default)]
    pub(super) document: Option<Box<RawValue>>,
    #[serde(default)]
    pub(super) gap: Option<Gap>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KindLine {
    pub(super) api_version: String,
    pub(super) kind: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KindEnd {
    pub(super) objects: u64,
    pub(super) covers: Covers,
    pub(super) gaps: Vec<Gap>,
}

/// What was asked for of a kind: only of that can it be said that it does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Covers {
    /// All objects of the kind.
    Everything {},
    /// All of these namespaces.
    Namespaces {
        /// Their names.
        names: Vec<String>,
    },
    /// A LIST of all was not to be had; these objects were asked for one by one or with their namespaces.
    Objects {
        /// Those asked for.
        asked: Vec<ObjectId>,
        /// Why not all.
        instead: Box<Gap>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct End {
    pub(super) lines: u64,
    pub(super) objects: u64,
    pub(super) sha256: String,
}
