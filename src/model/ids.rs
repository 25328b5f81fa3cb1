//! Names and ids that do not interconvert: the compiler keeps a target from being taken for a cluster.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is; configuration checks its form before.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name!(
    /// A cluster, by the name the configuration gives it.
    ClusterName
);
name!(
    /// A repository, by the name the configuration gives it.
    RepositoryName
);
name!(
    /// A target, by the name the configuration gives it.
    TargetName
);
name!(
    /// A receiver of messages, by the name the configuration gives it.
    ReceiverName
);
name!(
    /// A route, by the name the configuration gives it.
    RouteName
);
name!(
    /// A revision as written in the configuration: branch, tag or commit.
    Revision
);
name!(
    /// A Git commit id, full length, lower-case hex.
    CommitId
);
name!(
    /// The id of a file's content in Git, full length, lower-case hex.
    BlobId
);
name!(
    /// A finding's short id: `F-` and the first eight hex digits of its fingerprint.
    FindingId
);
name!(
    /// A ledger's id: 32 hex digits, made with the ledger.
    LedgerId
);

impl CommitId {
    /// The seven digits that people read.
    pub fn short(&self) -> &str {
        self.0.get(..7).unwrap_or(&self.0)
    }
}

/// The sequence number of a scan in its ledger; the first is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScanId(pub i64);

impl fmt::Display for ScanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
