//! What a server serves: aggregated discovery where the server has it, the older lists otherwise.
//!
//! Source: "The Kubernetes API", discovery API, and `k8s.io/api/apidiscovery/v2`.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::failure::Failure;
use super::fetch::{Fetcher, JSON};
use super::paths;
use crate::model::discovery::{Discovery, ServedKind};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::resource::{GroupVersion, Gvk};

/// The aggregated form in both versions that servers have had, or else the plain lists.
const ACCEPT: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
    application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// What `/api` or `/apis` answers, in one of three forms.
#[derive(Deserialize)]
#[serde(tag = "kind")]
enum Root {
    #[serde(rename = "APIGroupDiscoveryList")]
    Aggregated {
        #[serde(default)]
        items: Vec<GroupEntry>,
    },
    #[serde(rename = "APIVersions")]
    Core { versions: Vec<String> },
    #[serde(rename = "APIGroupList")]
    Groups { groups: Vec<LegacyGroup> },
}

#[derive(Deserialize)]
struct GroupEntry {
    #[serde(default)]
    metadata: GroupName,
    #[serde(default)]
    versions: Vec<VersionEntry>,
}

/// The core group has no name.
#[derive(Default, Deserialize)]
struct GroupName {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct VersionEntry {
    version: String,
    #[serde(default)]
    resources: Vec<ResourceEntry>,
    /// `Stale` where the extension server behind it does not answer.
    #[serde(default)]
    freshness: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceEntry {
    resource: String,
    #[serde(default)]
    response_kind: Option<ResponseKind>,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    verbs: Vec<String>,
}

#[derive(Deserialize)]
struct ResponseKind {
    kind: String,
}

#[derive(Deserialize)]
struct LegacyGroup {
    versions: Vec<LegacyVersion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LegacyVersion {
    group_version: String,
}

#[derive(Deserialize)]
struct LegacyResources {
    resources: Vec<LegacyResource>,
}

#[derive(Deserialize)]
struct LegacyResource {
    name: String,
    kind: String,
    namespaced: bool,
    #[serde(default)]
    verbs: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    git_version: String,
}

#[derive(Deserialize)]
struct Namespace {
    metadata: NamespaceMeta,
}

#[derive(Deserialize)]
struct NamespaceMeta {
    uid: String,
}

/// Reads everything that [`Discovery`] holds.
///
/// # Errors
/// A gap that hides the cluster, where `/api` or `/apis` cannot be read: nothing is known without them.
pub(super) async fn discover(fetcher: &Arc<Fetcher>) -> Result<(Discovery, Vec<Gap>), Gap> {
    let mut discovery = Discovery::default();
    discovery.whole = true;
    let mut gaps = Vec::new();
    for path in ["/api", "/apis"] {
        let answer = fetcher.get(path, ACCEPT).await.map_err(|failure| unreachable_cluster(path, &failure))?;
        let root =
            parse(&answer.body, "a discovery document").map_err(|failure| unreachable_cluster(path, &failure))?;
        match root {
            Root::Aggregated { items } => aggregated(items, &mut discovery, &mut gaps),
            Root::Core { versions } => {
                let versions = versions.iter().map(|v| GroupVersion::parse(v)).collect();
                legacy(fetcher, versions, &mut discovery, &mut gaps).await;
            }
            Root::Groups { groups } => {
                let versions = groups.iter().flat_map(|g| &g.versions).map(|v| GroupVersion::parse(&v.group_version));
                legacy(fetcher, versions.collect(), &mut discovery, &mut gaps).await;
            }
        }
    }
    identity(fetcher, &mut discovery, &mut gaps).await;
    Ok((discovery, gaps))
}

fn aggregated(groups: Vec<GroupEntry>, discovery: &mut Discovery, gaps: &mut Vec<Gap>) {
    for group in groups {
        for version in group.versions {
            let gv = GroupVersion { group: group.metadata.name.clone(), version: version.version };
            if version.freshness.as_deref() == Some("Stale") {
                broken(&gv, "the server behind it does not answer", discovery, gaps);
            }
            for resource in version.resources {
                let Some(kind) = resource.response_kind else { continue };
                let namespaced = resource.scope.as_deref() == Some("Namespaced");
                insert(discovery, &gv, resource.resource, kind.kind, namespaced, &resource.verbs);
            }
        }
    }
}

async fn legacy(fetcher: &Arc<Fetcher>, versions: Vec<GroupVersion>, discovery: &mut Discovery, gaps: &mut Vec<Gap>) {
    let asked: Vec<_> = versions
        .into_iter()
        .map(|gv| {
            let fetcher = Arc::clone(fetcher);
            let path = paths::group_version(&gv);
            (gv, tokio::spawn(async move { fetcher.get(&path, JSON).await }))
        })
        .collect();
    for (gv, task) in asked {
        let answer = task.await.unwrap_or_else(|_| Err(Failure::Broken("the request was given up".to_owned())));
        let list = answer.and_then(|answer| parse::<LegacyResources>(&answer.body, "an APIResourceList"));
        match list {
            Ok(list) => {
                for r in list.resources {
                    insert(discovery, &gv, r.name, r.kind, r.namespaced, &r.verbs);
                }
            }
            Err(failure) => broken(&gv, &failure.to_string(), discovery, gaps),
        }
    }
}

fn insert(
    discovery: &mut Discovery,
    gv: &GroupVersion,
    plural: String,
    kind: String,
    namespaced: bool,
    verbs: &[String],
) {
    // A name with a slash is a subresource.
    if !plural.contains('/') {
        let listable = verbs.iter().any(|verb| verb == "list");
        discovery.insert(ServedKind { gvk: Gvk { gv: gv.clone(), kind }, plural, namespaced, listable });
    }
}

fn broken(gv: &GroupVersion, why: &str, discovery: &mut Discovery, gaps: &mut Vec<Gap>) {
    // Its kinds cannot be named; declared objects of this group version are found unknown through the discovery itself.
    gaps.push(
        Gap::new(
            GapKind::Discovery,
            format!("what {gv} serves is not known: {why}"),
            Hides::Objects { objects: Vec::new() },
        )
        .at(gv.to_string())
        .hint("`kubectl get apiservices` shows which extension API server is not available"),
    );
    discovery.insert_broken(gv.clone());
}

/// Version, cluster id and clock. What is not allowed leaves them unknown and says so.
async fn identity(fetcher: &Fetcher, discovery: &mut Discovery, gaps: &mut Vec<Gap>) {
    match fetcher.get("/version", JSON).await {
        Ok(answer) => {
            discovery.clock_skew_seconds = answer.clock_skew;
            match parse::<Version>(&answer.body, "a version") {
                Ok(version) => discovery.version = Some(version.git_version),
                Err(failure) => gaps.push(unknown("the version of the cluster", &failure)),
            }
        }
        Err(failure) => gaps.push(unknown("the version of the cluster", &failure)),
    }
    let namespace = fetcher.get("/api/v1/namespaces/kube-system", JSON).await;
    match namespace.and_then(|answer| parse::<Namespace>(&answer.body, "a namespace")) {
        Ok(namespace) => discovery.cluster_uid = Some(namespace.metadata.uid),
        Err(failure) => gaps.push(unknown("the identity of the cluster (UID of the namespace kube-system)", &failure).hint(
            "allow it with an RBAC rule: apiGroups [\"\"], resources [\"namespaces\"], resourceNames [\"kube-system\"], verbs [\"get\"]",
        )),
    }
}

fn unknown(what: &str, failure: &Failure) -> Gap {
    Gap::new(failure.gap_kind(), format!("{what} is not known: {failure}"), Hides::Evidence)
}

fn unreachable_cluster(path: &str, failure: &Failure) -> Gap {
    let gap = Gap::new(failure.gap_kind(), format!("{path} cannot be read: {failure}"), Hides::Cluster);
    match failure.cluster_hint() {
        Some(hint) => gap.hint(hint),
        None => gap,
    }
}

fn parse<T: DeserializeOwned>(body: &[u8], what: &'static str) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|_| Failure::NotJson(what))
}
