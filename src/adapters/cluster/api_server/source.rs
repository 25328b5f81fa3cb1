//! The port: a cluster behind an API server.

use std::sync::Arc;

use bytes::Bytes;

use super::connect::{self, ConnectError};
use super::failure::Failure;
use super::fetch::Fetcher;
use super::settings::KubeSettings;
use super::{by_name, discovery, listing, schemas};
use crate::model::discovery::{Discovery, ServedKind};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::ids::ClusterName;
use crate::model::resource::{GroupVersion, ObjectId};
use crate::model::schema::Schemas;
use crate::ports::{ListEvent, ListOutcome, ListRequest, LiveSource, SnapshotSource};

/// A cluster that is read through its API server and cannot be written to.
pub struct KubeCluster {
    name: ClusterName,
    fetcher: Arc<Fetcher>,
}

impl KubeCluster {
    /// Makes the client. Reads files, may run a credential plugin where that is allowed, and asks the server nothing yet.
    ///
    /// A rustls crypto provider has to be installed before. To be called inside a tokio runtime.
    ///
    /// # Errors
    /// A gap that hides the cluster: the kubeconfig cannot be used, impersonates, or runs a program without a yes.
    pub async fn connect(settings: KubeSettings) -> Result<Self, Gap> {
        let KubeSettings { name, limits, .. } = settings.clone();
        let runtime = tokio::runtime::Handle::current();
        let made = tokio::task::spawn_blocking(move || {
            // The client's worker is spawned on the runtime.
            let _inside = runtime.enter();
            let config = connect::configuration(&settings)?;
            connect::client(&config, &settings.limits)
        });
        let client = made
            .await
            .unwrap_or_else(|_| Err(ConnectError { message: "making the client was given up".to_owned(), hint: None }));
        match client {
            Ok(client) => Ok(Self { name, fetcher: Arc::new(Fetcher::new(client, limits)) }),
            Err(error) => Err(no_client(&name, &error)),
        }
    }

    /// With a configuration made elsewhere.
    #[cfg(test)]
    pub(super) fn of_config(name: &str, config: &kube::Config, limits: super::settings::Limits) -> Self {
        let client = connect::client(config, &limits).expect("a client");
        Self { name: ClusterName::new(name), fetcher: Arc::new(Fetcher::new(client, limits)) }
    }

    fn ours(&self, gaps: Vec<Gap>) -> Vec<Gap> {
        gaps.into_iter().map(|gap| gap.of_cluster(&self.name)).collect()
    }
}

fn no_client(name: &ClusterName, error: &ConnectError) -> Gap {
    let gap = Gap::new(GapKind::Unreachable, error.to_string(), Hides::Cluster).of_cluster(name);
    match error.hint {
        Some(hint) => gap.hint(hint),
        None => gap,
    }
}

impl LiveSource for KubeCluster {
    fn describe(&self) -> &'static str {
        "kubernetes API"
    }

    fn describe_schemas(&self) -> &'static str {
        "OpenAPI v3 of the cluster"
    }

    async fn discover(&self) -> Result<(Discovery, Vec<Gap>), Gap> {
        match discovery::discover(&self.fetcher).await {
            Ok((discovery, gaps)) => Ok((discovery, self.ours(gaps))),
            Err(gap) => Err(gap.of_cluster(&self.name)),
        }
    }

    async fn schemas(&self, versions: &[GroupVersion]) -> (Schemas, Vec<Gap>) {
        let (schemas, gaps) = schemas::schemas(&self.fetcher, versions).await;
        (schemas, self.ours(gaps))
    }

    async fn list(&self, request: &ListRequest, each: &mut (dyn FnMut(ListEvent) + Send)) -> ListOutcome {
        let outcome = listing::list(&self.fetcher, request, each).await;
        ListOutcome { gaps: self.ours(outcome.gaps), ..outcome }
    }

    async fn get(&self, kind: &ServedKind, object: &ObjectId) -> Result<Option<Bytes>, Gap> {
        by_name::read(&self.fetcher, kind, object).await.map_err(|failure: Failure| {
            let unread = by_name::Unread { object: object.clone(), failure };
            by_name::gap(kind, unread).of_cluster(&self.name)
        })
    }
}

impl SnapshotSource for KubeCluster {
    async fn documents(
        &self,
        versions: &[GroupVersion],
        each: &mut (dyn FnMut(&GroupVersion, Result<Bytes, Gap>) + Send),
    ) {
        let mut ours = |gv: &GroupVersion, read: Result<Bytes, Gap>| {
            each(gv, read.map_err(|gap| gap.of_cluster(&self.name)));
        };
        schemas::documents(&self.fetcher, versions, &mut ours).await;
    }

    async fn list_in(
        &self,
        kind: &ServedKind,
        namespaces: &[String],
        each: &mut (dyn FnMut(ListEvent) + Send),
    ) -> ListOutcome {
        let outcome = listing::list_in(&self.fetcher, kind, namespaces, each).await;
        ListOutcome { gaps: self.ours(outcome.gaps), everything: outcome.everything }
    }
}
