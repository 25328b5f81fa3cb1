//! What charts may ask of their cluster: its version and API versions. Charts are rendered before the cluster is reached, so what the scan
//! before saw counts, and where that was something else, they are rendered once more.

use serde::{Deserialize, Serialize};

use super::pipeline::VERSION;
use super::wiring;
use crate::adapters::kept::{Kept, KeptKey};
use crate::config::Config;
use crate::model::discovery::Discovery;
use crate::model::ids::ClusterName;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Capabilities {
    /// As `v1.34.1`.
    pub kube_version: String,
    /// `apps/v1` and `apps/v1/Deployment`, sorted.
    pub api_versions: Vec<String>,
}

impl Capabilities {
    /// Of a cluster that said all of it.
    pub fn of(discovery: &Discovery) -> Option<Self> {
        let kube_version =
            discovery.version.clone().filter(|_| discovery.whole && discovery.broken().next().is_none())?;
        let versions = discovery.kinds().flat_map(|kind| {
            let version = kind.gvk.gv.api_version();
            [format!("{version}/{}", kind.gvk.kind), version]
        });
        let mut api_versions: Vec<String> = versions.collect();
        api_versions.sort();
        api_versions.dedup();
        Some(Self { kube_version, api_versions })
    }

    /// Those that an earlier scan saw.
    pub fn known(config: &Config, cluster: &ClusterName) -> Option<Self> {
        with_place(config, cluster, |kept, key| kept.load(key))
    }

    /// Keeps them for what is rendered from now on; whether they are others than before.
    pub fn keep(&self, config: &Config, cluster: &ClusterName) -> bool {
        if Self::known(config, cluster).as_ref() == Some(self) {
            return false;
        }
        if let Err(error) = with_place(config, cluster, |kept, key| kept.save(key, self)) {
            tracing::warn!("what {cluster} serves cannot be kept, and charts are rendered without it: {error}");
            return false;
        }
        true
    }
}

fn with_place<T>(config: &Config, cluster: &ClusterName, with: impl FnOnce(Kept, KeptKey<'_>) -> T) -> T {
    let source = config.clusters.iter().find(|known| known.name == *cluster).map(|known| &known.source);
    let source = format!("{source:?}");
    let key = KeptKey { repository: cluster.as_str(), revision: &source, roots: &[], rules: VERSION };
    with(Kept::new(&wiring::cache(config), "capabilities"), key)
}
