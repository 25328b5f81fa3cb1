//! `rbac`: the smallest role for a configuration.

use std::sync::Arc;

use super::snapshot::chosen;
use crate::adapters::ledger::Ledger;
use crate::app::cli::Global;
use crate::app::discovery;
use crate::app::error::AppError;
use crate::app::gather;
use crate::app::outcome::Exit;
use crate::app::reach::{self, Reached};
use crate::app::{output, pipeline, wiring};
use crate::config::{ClusterConfig, Config};
use crate::model::discovery::Discovery;
use crate::model::finding::{Code, Finding};
use crate::model::gap::Gap;
use crate::model::resource::ObjectId;
use crate::stages::role::{self, Asked};
use crate::views::role::{Account, yaml};

/// Print the smallest ClusterRole for the configuration, with its binding.
///
/// Reads what the targets declare now, as a scan does, and asks the cluster which resources their kinds are. It needs no rights of
/// its own for that but discovery, which every user of a cluster has. `driftledger rbac | kubectl apply -f -` puts it in place.
///
/// It is for `scan`; `snapshot` reads every kind unless --kinds narrows it.
///
/// Exit codes: 0 printed; 3 printed, but something that a target declares could not be read, so kinds may be missing; 2 error.
#[derive(Debug, clap::Args)]
pub struct Rbac {
    /// The cluster, by its name in the configuration; may be left out where only one is behind an API server.
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// Whom to bind the role to; it is called like the account.
    #[arg(long, value_name = "NAMESPACE/NAME", default_value = "driftledger/driftledger", value_parser = account)]
    service_account: Account,
    /// Do not ask the cluster: name resources as Kubernetes and the definitions in Git name them.
    #[arg(long)]
    offline: bool,
}

fn account(text: &str) -> Result<Account, String> {
    let label = |text: &str| {
        let inner = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.');
        !text.is_empty() && inner && !text.starts_with(['-', '.']) && !text.ends_with(['-', '.'])
    };
    match text.split_once('/') {
        Some((namespace, name)) if label(namespace) && label(name) => {
            Ok(Account { namespace: namespace.to_owned(), name: name.to_owned() })
        }
        _ => Err("must be NAMESPACE/NAME, as driftledger/driftledger".to_owned()),
    }
}

impl Rbac {
    /// Prints it.
    ///
    /// # Errors
    /// Configuration, or a cluster that is a file.
    pub async fn run(self, global: &Global) -> Result<Exit, AppError> {
        let config = discovery::of(&Arc::new(global.read_config()?), pipeline::now()).await?;
        let cluster = chosen(&config, self.cluster.as_deref(), "a role is for")?.clone();
        let progress = global.progress();
        progress.doing("fetching repositories, reaching the cluster");
        let targets: Vec<_> = config.targets.iter().filter(|target| target.cluster == cluster.name).cloned().collect();
        let of = config.clone();
        let key = tokio::task::spawn_blocking(move || Arc::new(wiring::key_or_passing(&of))).await;
        let key = key.map_err(|error| AppError::new(format!("reading the key was given up: {error}")))?;
        let reached =
            async { if self.offline { None } else { reach::all(std::slice::from_ref(&cluster), &config).await.pop() } };
        let (mut sources, reached) = tokio::join!(gather::targets(&config, &targets, &key, pipeline::now()), reached);
        progress.finish();
        let (discovery, mut notes) = discovered(reached);
        let unread: Vec<Gap> = sources.iter_mut().flat_map(|source| std::mem::take(&mut source.gaps)).collect();
        notes.extend(unread.iter().map(|gap| {
            let target = gap.target.as_ref().map(|target| format!("target {target}: ")).unwrap_or_default();
            format!("could not be read, so kinds may be missing: {target}{}", gap.message)
        }));
        let mut role = role::role(Asked {
            cluster: cluster.name.clone(),
            live_targets: config.discovery,
            discovery: discovery.as_ref(),
            pasts: sources.iter_mut().filter_map(|s| Some((s.place()?, std::mem::take(&mut s.past)))).collect(),
            targets: sources.iter_mut().filter_map(|s| Some((s.place()?, std::mem::take(&mut s.objects)))).collect(),
            audit: config.audit_of(&cluster.name),
            open: open(&config, &cluster),
            secrets: cluster.secrets,
            convergence: targets.iter().any(|target| target.convergence),
        });
        role.notes.extend(notes);
        output::stdout(&yaml(&role, &self.service_account));
        Ok(if unread.is_empty() { Exit::InSync } else { Exit::Gaps })
    }
}

/// What the cluster serves, and what to say where that is not known or not all of it.
fn discovered(reached: Option<Reached>) -> (Option<Discovery>, Vec<String>) {
    match reached {
        // Its gaps are rights that are lacking now: what this role is to change.
        Some(Reached::Api(_, Ok((discovery, _)))) => {
            let broken = discovery.broken().map(|gv| format!("{gv} does not answer: what it serves is not known"));
            let notes = broken.collect();
            (Some(discovery), notes)
        }
        Some(Reached::Api(_, Err(gap)) | Reached::Not(_, gap)) => {
            (None, vec![format!("the cluster did not answer: {}", gap.message)])
        }
        _ => (None, Vec::new()),
    }
}

/// The objects of open findings that a scan looks at again, if there is a ledger.
fn open(config: &Config, cluster: &ClusterConfig) -> Vec<ObjectId> {
    let ledger = Ledger::open_read_only(&config.ledger.path, config.ledger.key_file.as_deref());
    let open = ledger.and_then(|ledger| ledger.open_findings()).unwrap_or_default();
    let open = open.into_iter().map(|open| open.finding);
    let beyond = |f: &Finding| f.cluster == cluster.name && matches!(f.code, Code::RemovedButLive | Code::Unmanaged);
    open.filter(beyond).map(|finding| finding.object()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::model::declared::RenderedObject;
    use crate::model::ids::{ClusterName, CommitId, RepositoryName, Revision, TargetName};
    use crate::model::schema::builtin_discovery;
    use crate::stages::declare::TargetPlace;
    use crate::yaml::{self, Limits};

    const SHIPPED: &str = include_str!("../../../config/kubernetes/clusterrole.yaml");

    fn documents(text: &str) -> Vec<Value> {
        let documents = yaml::read_documents(text, &Limits::default());
        documents.into_iter().map(|document| yaml::to_json(&document.expect("YAML").root)).collect()
    }

    /// `verb group/resource` and `verb URL`, and `verb group/resource NAME` where only one object may be read.
    fn rights(role: &Value) -> BTreeSet<String> {
        let texts = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().map(|text| text.as_str().expect("a text").to_owned()).collect()
        };
        let mut rights = BTreeSet::new();
        for rule in role["rules"].as_array().expect("rules") {
            let mut what = texts(&rule["nonResourceURLs"]);
            for group in texts(&rule["apiGroups"]) {
                for resource in texts(&rule["resources"]) {
                    match texts(&rule["resourceNames"]).as_slice() {
                        [] => what.push(format!("{group}/{resource}")),
                        names => what.extend(names.iter().map(|name| format!("{group}/{resource} {name}"))),
                    }
                }
            }
            let verbs = texts(&rule["verbs"]);
            rights.extend(what.iter().flat_map(|what| verbs.iter().map(move |verb| format!("{verb} {what}"))));
        }
        rights
    }

    fn printed(objects: Vec<RenderedObject>, secrets: bool) -> (String, Vec<Value>) {
        let place = TargetPlace {
            target: TargetName::new("all"),
            repository: RepositoryName::new("r"),
            revision: Revision::new("main"),
            commit: CommitId::new("0".repeat(40)),
            namespace: "default".into(),
            renderer: None,
        };
        let role = role::role(Asked {
            cluster: ClusterName::new("prod"),
            live_targets: Default::default(),
            discovery: None,
            targets: vec![(place, objects)],
            pasts: Vec::new(),
            audit: &Default::default(),
            open: Vec::new(),
            secrets,
            convergence: true,
        });
        let text = yaml(&role, &Account { namespace: "audit".into(), name: "reader".into() });
        let documents = documents(&text);
        (text, documents)
    }

    fn of_every_kind() -> Vec<RenderedObject> {
        let object = |gvk: &crate::model::resource::Gvk| RenderedObject {
            gvk: gvk.clone(),
            namespace: None,
            name: "a".into(),
            json: "{}".into(),
            file: "a.yaml".into(),
            written: None,
        };
        builtin_discovery().kinds().map(|kind| object(&kind.gvk)).collect()
    }

    #[test]
    fn the_default_configuration_asks_for_nothing_but_what_watches_doors() {
        let (text, documents) = printed(Vec::new(), true);
        assert_eq!(documents.len(), 2, "a role and its binding: {text}");
        let rights = rights(&documents[0]);
        let groups: BTreeSet<&str> = rights
            .iter()
            .filter_map(|right| right.split_once(' ')?.1.split_once('/'))
            .map(|(group, _)| group)
            .collect();
        assert_eq!(
            groups,
            ["", "admissionregistration.k8s.io", "apiextensions.k8s.io", "rbac.authorization.k8s.io"].into(),
            "{text}"
        );
        let shipped = super::tests::rights(&super::tests::documents(SHIPPED)[0]);
        let wider: Vec<_> = rights.difference(&shipped).collect();
        assert_eq!(wider, ["get /namespaces kube-system"], "the shipped role names all namespaces");
        assert!(rights.iter().all(|right| right.starts_with("get ") || right.starts_with("list ")));
    }

    #[test]
    fn the_shipped_role_is_no_wider_than_what_somebody_could_declare() {
        let (_, documents) = printed(of_every_kind(), false);
        let (most, shipped) = (rights(&documents[0]), rights(&super::tests::documents(SHIPPED)[0]));
        let own = |right: &&String| {
            !["/healthz", "/livez", "/readyz", "gateway.networking", "argoproj.io", "toolkit.fluxcd.io"]
                .iter()
                .any(|w| right.contains(w))
        };
        let wider: Vec<_> = shipped.difference(&most).filter(own).collect();
        assert_eq!(wider, Vec::<&String>::new());
        assert!(!most.iter().any(|right| right.contains("secrets") || right.contains('*') && !right.contains(" /")));
    }

    #[test]
    fn secrets_are_apart_and_only_where_they_are_compared() {
        let (text, documents) = printed(of_every_kind(), true);
        assert_eq!(documents.len(), 4, "{text}");
        assert!(!rights(&documents[0]).iter().any(|right| right.contains("secrets")));
        assert_eq!(rights(&documents[2]), ["get /secrets".to_owned(), "list /secrets".to_owned()].into());
        assert_eq!(documents[3]["subjects"][0]["namespace"], "audit");
        assert_eq!(documents[3]["roleRef"]["name"], "reader-secrets");
    }

    #[test]
    fn an_account_has_a_namespace() {
        assert!(account("audit/reader").is_ok());
        for bad in ["reader", "/reader", "audit/", "a/b: {}", "a/-b"] {
            assert!(account(bad).is_err(), "{bad}");
        }
    }
}
