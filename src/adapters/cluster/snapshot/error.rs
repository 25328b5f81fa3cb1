//! What can be wrong with a snapshot's file.

use std::io;
use std::path::Path;

use super::format::SCHEMA;
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::ids::ClusterName;

/// Why a snapshot cannot be read or written. No variant holds anything of an object.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file cannot be opened or read.
    #[error("the snapshot cannot be read: {0}")]
    Read(io::Error),
    /// The file cannot be written.
    #[error("the snapshot cannot be written: {0}")]
    Write(io::Error),
    /// Not compressed with zstd, or without the header of a snapshot.
    #[error("the file is no snapshot: {0}")]
    NoSnapshot(&'static str),
    /// Another version of the format.
    #[error("the snapshot has the format {0}, this program reads {SCHEMA}")]
    OtherVersion(String),
    /// It ends too early.
    #[error("the snapshot is cut off: its last line is missing")]
    CutOff,
    /// Its content is not what was written.
    #[error("the snapshot is damaged: {0}")]
    Damaged(String),
    /// More bytes than the limit allows, after decompression.
    #[error("the snapshot holds more than {0} bytes after decompression")]
    TooLarge(u64),
    /// One line of more bytes than any object or document has.
    #[error("a line of the snapshot has more than {0} bytes after decompression")]
    LineTooLong(usize),
}

impl SnapshotError {
    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Read(_) => "check the path in the configuration and the file's rights",
            Self::Write(_) => return None,
            Self::NoSnapshot(_) => "`driftledger snapshot` writes one; for the output of `kubectl get` use `dump:`",
            Self::OtherVersion(_) => "use the program version that wrote it, or take it anew",
            Self::CutOff | Self::Damaged(_) => "copy it again from where it was taken, or take it anew",
            Self::TooLarge(_) | Self::LineTooLong(_) => {
                "if the file is from a place you trust, raise `limits.snapshotBytes`, or take it of fewer kinds"
            }
        })
    }

    /// The gap that it leaves: everything in the cluster is unknown.
    pub(super) fn gap(&self, cluster: &ClusterName, path: &Path, hides: Hides) -> Gap {
        let kind = match self {
            Self::Read(_) | Self::Write(_) => GapKind::Unreachable,
            Self::NoSnapshot(_) | Self::OtherVersion(_) | Self::CutOff | Self::Damaged(_) => GapKind::Parse,
            Self::TooLarge(_) | Self::LineTooLong(_) => GapKind::Limit,
        };
        let gap = Gap::new(kind, self.to_string(), hides).of_cluster(cluster).at(path.display().to_string());
        match self.hint() {
            Some(hint) => gap.hint(hint),
            None => gap,
        }
    }
}
