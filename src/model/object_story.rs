//! An object's story: what Git made of it, what drifted and was put right, and who wrote it live. Its serialised form is
//! `driftledger/history/v1`; fields are only ever added.

use serde::Serialize;

use super::attribution::{Actor, DeclaredBy};
use super::field_path::FieldPath;
use super::ids::{ClusterName, FindingId, ScanId};
use super::record::FindingEventKind;
use super::resource::ObjectId;
use super::time::Timestamp;

/// The value of `schema` in the JSON of `history`.
pub const HISTORY_SCHEMA: &str = "driftledger/history/v1";

/// What a commit did to an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "did")]
pub enum Did {
    /// It is declared from here on; again, perhaps.
    Declared,
    /// It is declared no more.
    Removed,
    /// These fields changed.
    Changed {
        /// Where.
        paths: Vec<FieldPath>,
    },
    /// It stands in another file and says the same.
    Moved,
    /// Its file cannot be read from here on.
    Unreadable,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "what")]
pub enum Happened {
    /// A commit reached the revision.
    #[serde(rename_all = "camelCase")]
    Commit {
        /// Which, and by whom.
        by: Box<DeclaredBy>,
        /// First-parent commits between it and the tracked one.
        commits_behind: u64,
        /// What it did.
        #[serde(flatten)]
        did: Did,
        /// The file, from then on.
        file: Option<String>,
    },
    /// A scan found something of it.
    #[serde(rename_all = "camelCase")]
    Finding {
        /// The scan.
        scan: ScanId,
        /// The finding.
        id: FindingId,
        /// What happened to it.
        event: FindingEventKind,
        /// Its code and class, as `DL001 changed`.
        title: String,
        /// Where.
        path: Option<FieldPath>,
        /// How it ended.
        how: Option<String>,
    },
    /// A writer's last change to the live object.
    Write {
        /// Who, by its self-declared name.
        actor: Actor,
    },
}

/// One entry of a story.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// When: of a commit by its author, of a finding by the scan's start, of a write by the server. `None` where it is not known.
    pub time: Option<Timestamp>,
    /// What.
    #[serde(flatten)]
    pub happened: Happened,
}

/// The story of one object in one cluster.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectStory {
    /// The cluster.
    pub cluster: ClusterName,
    /// The object.
    pub object: ObjectId,
    /// Oldest first. Commits are in the order of the revision whatever their authors' clocks say.
    pub entries: Vec<Entry>,
    /// Whether Git's side reaches back to the first commit.
    pub whole_history: bool,
}
