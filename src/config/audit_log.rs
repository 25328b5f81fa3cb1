//! Where a cluster's audit log is read from: `clusters[].auditLog`.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

/// The audit log of a cluster: its path, or a mapping with more.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RawAuditLog {
    /// A file, or a folder with rotated files.
    Path(String),
    /// The path and more.
    Full(RawAuditLogFull),
}

/// The audit log of a cluster, with more than its path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawAuditLogFull {
    /// A file, or a folder with rotated files.
    pub path: String,
    /// Whether the addresses that writes came from are kept. Default false.
    #[serde(rename = "sourceIPs")]
    pub source_ips: Option<bool>,
}

/// Where a cluster's audit log is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLog {
    /// A file, or a folder with rotated files.
    pub path: PathBuf,
    /// Whether the addresses that writes came from are kept.
    pub source_ips: bool,
}

impl RawAuditLog {
    /// The path as written.
    pub(super) fn path(&self) -> &str {
        match self {
            Self::Path(path) => path,
            Self::Full(full) => &full.path,
        }
    }

    /// With its path below `folder` where it is relative.
    pub(super) fn valid(&self, folder: &Path) -> AuditLog {
        let source_ips = matches!(self, Self::Full(full) if full.source_ips == Some(true));
        AuditLog { path: folder.join(self.path()), source_ips }
    }
}
