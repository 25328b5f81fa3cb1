//! Findings: what is said about a deviation, and the words for it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::attribution::{Actor, DeclaredBy, LiveMatch, Origin};
use super::audited::AuditedWrite;
use super::field_path::FieldPath;
use super::ids::{ClusterName, FindingId};
use super::resource::{GroupVersion, ObjectId};
use super::time::Timestamp;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant,)+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// As written in outputs.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Reads the written form.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words!(
    /// The stable code of a class of findings; people filter and page on them.
    Code {
        /// A declared field has another value live.
        Changed = "DL001",
        /// A declared field that the schema knows is not there live.
        Absent = "DL002",
        /// A live field that Git does not declare and that nothing trusted put there.
        Undeclared = "DL003",
        /// A declared object does not exist live.
        Missing = "DL004",
        /// Git once declared the object; it still runs.
        RemovedButLive = "DL005",
        /// A live object in an audited scope that no target declares.
        Unmanaged = "DL006",
        /// A declared field that the served schema does not know.
        UnknownField = "DL007",
        /// A declared kind or version that the cluster does not serve.
        UnservedKind = "DL008",
        /// Two declarations of one object differ in content.
        Conflict = "DL010",
        /// In sync, yet it reports that it cannot get there.
        Unconverged = "DL011",
        /// A commit that reached a tracked revision against the target's change policy.
        ChangeControl = "DL012",
    }
);

impl Code {
    /// The class that goes with the code.
    pub fn class(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Absent => "absent",
            Self::Undeclared => "undeclared",
            Self::Missing => "missing",
            Self::RemovedButLive => "removed-but-live",
            Self::Unmanaged => "unmanaged",
            Self::UnknownField => "unknown-field",
            Self::UnservedKind => "unserved-kind",
            Self::Conflict => "conflict",
            Self::Unconverged => "unconverged",
            Self::ChangeControl => "change-control",
        }
    }

    /// DL001 to DL005 have a cause; the others do not.
    pub fn has_cause(self) -> bool {
        matches!(self, Self::Changed | Self::Absent | Self::Undeclared | Self::Missing | Self::RemovedButLive)
    }
}

words!(
    /// Why a finding of DL001 to DL005 is there, as far as evidence says.
    Cause {
        /// Live equals an earlier commit's value and the newer commit was first seen within the grace.
        Pending = "pending",
        /// As pending, past the grace.
        Behind = "behind",
        /// Live equals an earlier commit's value, but its last writer is not the GitOps side.
        HandRollback = "hand-rollback",
        /// Live equals another tracked revision's value and none of this one's history.
        Ahead = "ahead",
        /// Live equals nothing in this object's history at hand.
        OutOfBand = "out-of-band",
        /// The evidence did not suffice.
        Undetermined = "undetermined",
    }
);

words!(
    /// How much a finding matters; ordered from least to most.
    Severity {
        /// Told nowhere but in reports.
        Info = "info",
        /// Summaries and reports.
        Low = "low",
        /// Worth a message.
        Medium = "medium",
        /// Worth a message soon.
        High = "high",
        /// Worth waking somebody.
        Critical = "critical",
    }
);

/// One audited deviation, as every output shows it. Field names are the JSON contract; a missing fact is `null`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Short id for people: `F-` and eight hex digits.
    pub id: FindingId,
    /// Stable code.
    pub code: Code,
    /// The code's class, in words.
    pub class: String,
    /// Only for DL001 to DL005.
    pub cause: Option<Cause>,
    /// From the severity rules.
    pub severity: Severity,
    /// 64 hex digits; the same drift has the same from scan to scan. See [`super::fingerprint`].
    pub fingerprint: String,
    /// The cluster's configured name.
    pub cluster: ClusterName,
    /// As declared, or as served where nothing is declared.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// `None` for cluster-scoped objects.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
    /// The field; `None` where the object as a whole is the finding.
    pub path: Option<FieldPath>,
    /// The declared value, redacted where it is secret.
    pub declared: Option<Value>,
    /// The live value, redacted where it is secret.
    pub live: Option<Value>,
    /// Where it is declared.
    pub origin: Option<Origin>,
    /// The commit that gave the declaration its present content.
    pub declared_by: Option<DeclaredBy>,
    /// The commit that took the object out of Git (DL005).
    #[serde(default)]
    pub removed_by: Option<DeclaredBy>,
    /// The newest commit whose value equals the live one.
    pub live_matches: Option<LiveMatch>,
    /// Who wrote the live value, newest first.
    pub actors: Vec<Actor>,
    /// The writes behind it by the cluster's audit log, those that match first, newest first; `None` where there is no audit log.
    #[serde(default)]
    pub writes: Option<Vec<AuditedWrite>>,
    /// Start of the first scan of this ledger that saw it; `None` where there is no ledger.
    pub first_seen: Option<Timestamp>,
    /// Start of the last scan that saw it.
    pub last_seen: Option<Timestamp>,
    /// How many scans saw it since it was last opened.
    pub scans: Option<u64>,
    /// The waiver that covers it.
    pub waiver: Option<Value>,
    /// How the verdict was reached.
    pub method: String,
    /// What else a reader should know.
    pub note: Option<String>,
}

impl Finding {
    /// Whether the audit log says that somebody else wrote it than the managers' names do.
    pub fn contradicted(&self) -> bool {
        self.writes.iter().flatten().any(|write| write.contradicts)
    }

    /// The object it is about.
    pub fn object(&self) -> ObjectId {
        ObjectId {
            group: GroupVersion::parse(&self.api_version).group,
            kind: self.kind.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }
}
