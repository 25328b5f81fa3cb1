//! What Argo CD and Flux say of what they applied, read from a real API server; status writes of the test stand in for them.

use std::sync::PoisonError;

use driftledger::adapters::git::Content;
use serde_json::{Value, json};

use crate::converge_on_cluster::{FLUX, OPERATORS, OPERATORS_ARE_IN_USE, Place, only};
use crate::on_cluster::variable;

pub const MORE: &str = "\
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gitrepositories.source.toolkit.fluxcd.io}
spec:
  group: source.toolkit.fluxcd.io
  scope: Namespaced
  names: {plural: gitrepositories, kind: GitRepository}
  versions:
    - name: v1
      served: true
      storage: true
      subresources: {status: {}}
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: applications.argoproj.io}
spec:
  group: argoproj.io
  scope: Namespaced
  names: {plural: applications, kind: Application}
  versions:
    - name: v1alpha1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";

fn map(level: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: api}}\ndata: {{level: {level}, size: '3'}}\n")
}

#[test]
#[ignore = "needs the test cluster: run tests/run"]
fn what_a_target_runs_is_read_from_the_operators_and_is_told_where_the_role_does_not_allow_it() {
    let _alone = OPERATORS_ARE_IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut place = Place::new("runs", &map("info"));
    let first = place.work.commit("Say it again", [("README.md".to_owned(), Content::from("x"))]);
    place.work.commit("Warn", [("shop/all.yaml".to_owned(), Content::from(map("warn").as_str()))]);
    place.apply(&format!("{FLUX}{MORE}"));
    for crd in OPERATORS {
        place.wait("condition=Established", &format!("crd/{crd}"));
    }
    std::thread::sleep(std::time::Duration::from_secs(1));
    // Whoever wrote it is not known, and its size is no commit's.
    place.kubectl(&["apply", "--server-side", "--field-manager=acme", "-f", "-"], &map("info").replace("'3'", "'9'"));
    let url = format!("file://{}/repository", place.work.path().display());
    let namespace = place.namespace.clone();
    let objects = format!(
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {{name: app}}\n\
         spec: {{url: '{url}', ref: {{branch: main}}}}\n---\n\
         apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: shop}}\n\
         spec: {{path: ./shop, targetNamespace: {namespace}, sourceRef: {{kind: GitRepository, name: app}}}}\n"
    );
    place.apply(&objects);
    place.status("kustomization/shop", &json!({"lastAppliedRevision": format!("main@sha1:{first}")}));
    let runs = |report: &Value| report["scan"]["targets"][0]["runs"].clone();
    let report = place.scan();
    assert_eq!(report["gaps"], json!([]));
    let said = |name: &str, did: &str| format!("{name} says it {did} {}", first.short());
    let flux = said(&format!("Kustomization {namespace}/shop"), "applied");
    assert_eq!((&runs(&report)["commit"], &runs(&report)["commitsBehind"]), (&json!(first.as_str()), &json!(1)));
    assert!(runs(&report)["evidence"].as_str().is_some_and(|said| said.starts_with(&flux)), "{report:#}");
    let level = report["findings"].as_array().expect("findings").iter().find(|f| f["path"] == ".data.level");
    assert_eq!(level.expect("the level")["cause"], "pending", "the writer says nothing, and Flux does");

    place.kubectl(&["delete", "kustomization/shop"], "");
    place.apply(&format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: shop}}\n\
         spec: {{source: {{repoURL: '{url}', path: shop}}, destination: {{name: in-cluster, namespace: {namespace}}}}}\n\
         status: {{sync: {{status: OutOfSync}}, history: [{{revision: {first}}}]}}\n"
    ));
    let argo = said(&format!("Application {namespace}/shop"), "synced");
    let report = place.scan();
    assert!(runs(&report)["evidence"].as_str().is_some_and(|said| said.starts_with(&argo)), "{report:#}");

    // Without the right to list them: told, and nothing else is unknown.
    let admin = variable("DRIFTLEDGER_TEST_ADMIN_KUBECONFIG");
    place.configure(&only("configmaps,namespaces", &place, &admin), "", "");
    let blind = place.scan();
    assert_eq!((&blind["gaps"], runs(&blind)), (&json!([]), Value::Null));
    let exclusions = blind["exclusions"].to_string();
    for words in ["what Argo CD says of its Applications", "it takes the right to list applications.argoproj.io"] {
        assert!(exclusions.contains(words), "{words}: {exclusions}");
    }
    assert_eq!(blind["scan"]["counts"]["compared"], report["scan"]["counts"]["compared"]);
}
