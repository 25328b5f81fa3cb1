//! How to reach a cluster, and how much of it to read at a time.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::ids::ClusterName;

/// A cluster to read.
#[derive(Clone, Debug)]
pub struct KubeSettings {
    /// The name the configuration gives it.
    pub name: ClusterName,
    /// Where address and credentials come from.
    pub access: Access,
    /// Whether the kubeconfig's user may run a local program to get credentials (`exec`, `auth-provider`).
    pub allow_exec_plugins: bool,
    /// Bounds on requests and answers.
    pub limits: Limits,
}

/// Where the address of an API server and the credentials for it come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Kubeconfig files, merged in order as `kubectl` does with `$KUBECONFIG`: the first to set a value wins.
    Kubeconfig {
        /// At least one; those that do not exist are passed over as long as one does.
        files: Vec<PathBuf>,
        /// `None`: the current context.
        context: Option<String>,
    },
    /// The service account of the pod this program runs in.
    InCluster,
}

/// Bounds on requests and answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Objects in a page of a LIST; 500 unless set otherwise.
    pub page_size: u32,
    /// Bytes of one answer, after decompression; 256 MiB unless set otherwise.
    pub answer_bytes: usize,
    /// How long to wait for a TCP connection; 10 seconds unless set otherwise.
    pub connect_timeout: Duration,
    /// How long to wait for the next bytes of an answer; 30 seconds unless set otherwise.
    pub stall_timeout: Duration,
    /// How long one answer may take as a whole; 2 minutes unless set otherwise.
    pub request_timeout: Duration,
    /// How often a request is tried that fails for a reason that may pass; 3 times unless set otherwise.
    pub tries: u32,
    /// How long the tries of one request may take together; 3 minutes unless set otherwise.
    pub deadline: Duration,
    /// The first pause between tries, doubled each time; 250 ms unless set otherwise.
    pub pause: Duration,
    /// The longest `Retry-After` that is waited for; 30 seconds unless set otherwise.
    pub retry_after: Duration,
    /// Requests under way at a time; 4 unless set otherwise.
    pub concurrency: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            page_size: 500,
            answer_bytes: 256 * 1024 * 1024,
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(120),
            tries: 3,
            deadline: Duration::from_secs(180),
            pause: Duration::from_millis(250),
            retry_after: Duration::from_secs(30),
            concurrency: 4,
        }
    }
}
