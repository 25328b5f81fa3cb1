//! Who put an undeclared field there, and what proves it.

use serde_json::{Value, json};

use crate::config::actors::ActorTable;
use crate::config::trust::TrustTable;
use crate::model::attribution::Origin;
use crate::model::declared::DeclaredObject;
use crate::model::ids::{CommitId, RepositoryName, Revision, TargetName};
use crate::model::resource::{Gvk, ObjectId};
use crate::model::schema::{Schemas, builtin_schemas};
use crate::model::secret::{LAST_APPLIED, RedactionKey, RedactionRules};
use crate::stages::autoscale::Autoscalers;
use crate::stages::ignore::Ignores;
use crate::stages::judge::{Judge, Verdict};

fn declared(api_version: &str, kind: &str, tree: &Value) -> DeclaredObject {
    let gvk = Gvk::new(api_version, kind);
    DeclaredObject {
        id: ObjectId {
            group: gvk.gv.group.clone(),
            kind: kind.into(),
            namespace: Some("shop".into()),
            name: "api".into(),
        },
        gvk,
        origin: Origin {
            target: TargetName::new("t"),
            repository: RepositoryName::new("r"),
            revision: Revision::new("main"),
            commit: CommitId::new("0".repeat(40)),
            file: "a.yaml".into(),
            line: Some(1),
            renderer: None,
        },
        written: None,
        json: tree.to_string().into_boxed_str(),
    }
}

struct Case<'a> {
    api_version: &'a str,
    kind: &'a str,
    declared: Value,
    live: Value,
    managers: &'a [Value],
    entries_count: bool,
    beside: Vec<DeclaredObject>,
}

impl Case<'_> {
    fn verdict(&self) -> Verdict {
        let autoscalers = Autoscalers::of(&self.beside);
        let judge = Judge {
            schemas: builtin_schemas(),
            schema_source: "test",
            actors: &ActorTable::default(),
            trust: &TrustTable::default(),
            entries_count: self.entries_count,
            autoscalers: &autoscalers,
            key: &RedactionKey::from_bytes([1; 32]),
            redaction: &RedactionRules::default(),
            live_key: None,
            ignores: &Ignores::none(),
        };
        let managers = (!self.managers.is_empty()).then(|| Value::from(self.managers.to_vec()).to_string());
        let object = declared(self.api_version, self.kind, &self.declared);
        judge.judge_tree(&object, self.live.clone(), || Ok(managers.as_deref())).unwrap()
    }

    fn found(&self) -> Vec<String> {
        let judgements = self.verdict().judgements;
        judgements.iter().map(|j| format!("{} {}", j.difference.code, j.difference.path)).collect()
    }
}

fn deployment(declared: Value, live: Value, managers: &[Value]) -> Case<'_> {
    Case {
        api_version: "apps/v1",
        kind: "Deployment",
        declared,
        live,
        managers,
        entries_count: true,
        beside: Vec::new(),
    }
}

fn entry(manager: &str, operation: &str, fields: Value) -> Value {
    json!({"manager": manager, "operation": operation, "apiVersion": "apps/v1", "time": "2026-03-02T10:00:00Z", "fieldsV1": fields})
}

fn through(subresource: &str, mut entry: Value) -> Value {
    entry["subresource"] = json!(subresource);
    entry
}

#[test]
fn writers_decide_about_a_plain_field() {
    let live = json!({"spec": {"paused": true}});
    let paused = || json!({"f:spec": {"f:paused": {}}});
    for (case, manager, operation, found) in [
        ("an interactive client", "kubectl-edit", "Update", true),
        ("one that makes whole objects", "kubectl-replace", "Update", true),
        ("an interactive client that applies", "k9s", "Apply", true),
        ("an unknown writer", "acme-tool", "Update", true),
        ("the GitOps side applied it once", "argocd-controller", "Apply", true),
        ("the GitOps side's update also covers defaults and webhooks", "argocd-controller", "Update", false),
        ("a controller has no business in the spec of a Deployment", "kube-controller-manager", "Update", true),
    ] {
        let managers = [entry(manager, operation, paused())];
        let expected: &[&str] = if found { &["DL003 .spec.paused"] } else { &[] };
        assert_eq!(deployment(json!({"spec": {}}), live.clone(), &managers).found(), expected, "{case}");
    }
    let status = [through("status", entry("acme-tool", "Update", paused()))];
    assert_eq!(deployment(json!({"spec": {}}), live, &status).found(), [""; 0], "status is not intent");
}

#[test]
fn metadata_is_the_controllers_place_outside_of_declared_maps() {
    let live = json!({"metadata": {"annotations": {"note": "hi", "x.example.com/seen": "1"}}});
    let annotation = |name: &str| json!({"f:metadata": {"f:annotations": {format!("f:{name}"): {}}}});
    let managers = [
        entry("acme-controller", "Update", annotation("x.example.com/seen")),
        entry("kubectl-annotate", "Update", annotation("note")),
    ];
    assert_eq!(
        deployment(json!({"metadata": {}}), live.clone(), &managers).found(),
        ["DL003 .metadata.annotations.note"]
    );
    let declared = json!({"metadata": {"annotations": {"team": "shop"}}});
    let mut with_ours = live;
    with_ours["metadata"]["annotations"]["team"] = json!("shop");
    let both = ["DL003 .metadata.annotations.note", r#"DL003 .metadata.annotations["x.example.com/seen"]"#];
    assert_eq!(deployment(declared.clone(), with_ours.clone(), &managers).found(), both);
    let mut lenient = deployment(declared, with_ours, &managers);
    lenient.entries_count = false;
    assert_eq!(lenient.found(), ["DL003 .metadata.annotations.note"], "switched off, an entry takes the same evidence");
}

#[test]
fn a_trusted_write_is_counted_and_the_same_path_by_another_is_found() {
    let declared = json!({"metadata": {"annotations": {"team": "shop"}}});
    let live = json!({"metadata": {"annotations": {"team": "shop", "deployment.kubernetes.io/revision": "4"}}});
    let revision = || json!({"f:metadata": {"f:annotations": {"f:deployment.kubernetes.io/revision": {}}}});
    let by = |manager: &str| {
        let managers = [entry(manager, "Update", revision())];
        let verdict = deployment(declared.clone(), live.clone(), &managers).verdict();
        (verdict.judgements.len(), verdict.applied.get("trusted-writer").copied())
    };
    assert_eq!(by("kube-controller-manager"), (0, Some(1)));
    assert_eq!(by("kubectl-annotate"), (1, None));
    let managers = [through("status", entry("kube-controller-manager", "Update", revision()))];
    assert_eq!(
        deployment(declared, live, &managers).found(),
        [""; 0],
        "it writes the annotation together with the status"
    );
}

#[test]
fn a_controllers_name_alone_is_not_trusted_with_plain_metadata() {
    let annotations = |name: &str| json!({"metadata": {"annotations": {name: "x"}}});
    let labels = |name: &str| json!({"metadata": {"labels": {name: "x"}}});
    let owned = |map: &str, name: &str| json!({"f:metadata": {map: {format!("f:{name}"): {}}}});
    for (name, live, fields, expected) in [
        ("under its domain", annotations("acme.io/seen"), owned("f:annotations", "acme.io/seen"), 0),
        ("a plain key", annotations("note"), owned("f:annotations", "note"), 1),
        (
            "a label that opens a door",
            labels("pod-security.kubernetes.io/enforce"),
            owned("f:labels", "pod-security.kubernetes.io/enforce"),
            1,
        ),
    ] {
        let managers = [entry("kube-controller-manager", "Update", fields)];
        assert_eq!(deployment(json!({"metadata": {}}), live, &managers).found().len(), expected, "{name}");
    }
}

#[test]
fn an_annotation_made_from_a_whole_live_object_proves_no_intent_for_its_bookkeeping() {
    let finalizers = json!(["kubernetes.io/pvc-protection"]);
    let applied = json!({"metadata": {"finalizers": finalizers, "uid": "x", "annotations": {"old": "1"}}}).to_string();
    let live = json!({"metadata": {"finalizers": finalizers, "annotations": {LAST_APPLIED: applied, "old": "1"}}});
    let managers = [entry("kubectl-replace", "Update", json!({"f:spec": {"f:paused": {}}}))];
    assert_eq!(deployment(json!({"metadata": {}}), live, &managers).found(), ["DL003 .metadata.annotations.old"]);
}

#[test]
fn the_marks_of_the_gitops_side_are_no_findings() {
    let label = |name: &str| json!({"f:metadata": {"f:labels": {format!("f:{name}"): {}}}});
    for (manager, name) in [
        ("kustomize-controller", "kustomize.toolkit.fluxcd.io/name"),
        ("argocd-controller", "app.kubernetes.io/instance"),
        ("helm", "app.kubernetes.io/managed-by"),
    ] {
        let declared = json!({"metadata": {"labels": {"a": "b"}}});
        let live = json!({"metadata": {"labels": {"a": "b", name: "x"}}});
        let managers = [entry(manager, "Apply", label(name))];
        assert_eq!(deployment(declared.clone(), live.clone(), &managers).found(), [""; 0], "{manager}");
        let managers = [entry("kubectl-label", "Update", label(name))];
        assert_eq!(deployment(declared, live, &managers).found().len(), 1, "by hand: {name}");
    }
}

#[test]
fn the_highest_place_that_would_not_be_there_is_found() {
    let declared = json!({"spec": {"template": {"spec": {"containers": [{"name": "api", "image": "a:1"}]}}}});
    let live = json!({"spec": {
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 7, "maxUnavailable": "25%"}},
        "template": {"spec": {
            "affinity": {"nodeAffinity": {"x": {"y": 1}}},
            "containers": [
                {"name": "api", "image": "a:1", "env": [{"name": "DEBUG", "value": "1"}], "ports": [{"containerPort": 80, "protocol": "TCP"}]},
                {"name": "miner", "image": "x", "resources": {}}],
            "terminationGracePeriodSeconds": 60,
            "tolerations": [{"key": "a"}]}}}});
    let fields = json!({"f:spec": {"f:strategy": {"f:rollingUpdate": {"f:maxSurge": {}}}, "f:template": {"f:spec": {
        "f:affinity": {".": {}, "f:nodeAffinity": {".": {}, "f:x": {".": {}, "f:y": {}}}},
        "f:containers": {
            "k:{\"name\":\"api\"}": {"f:env": {".": {}, "k:{\"name\":\"DEBUG\"}": {".": {}, "f:name": {}, "f:value": {}}},
                "f:ports": {".": {}, "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}, "f:protocol": {}}}},
            "k:{\"name\":\"miner\"}": {".": {}, "f:name": {}, "f:image": {}}},
        "f:terminationGracePeriodSeconds": {}, "f:tolerations": {}}}}});
    let managers = [
        entry(
            "kubectl-client-side-apply",
            "Update",
            json!({"f:spec": {"f:strategy": {"f:type": {}, "f:rollingUpdate": {".": {}, "f:maxUnavailable": {}}}}}),
        ),
        entry("kubectl-edit", "Update", fields),
    ];
    let mut found = deployment(declared, live, &managers).found();
    found.sort();
    assert_eq!(
        found,
        [
            "DL003 .spec.strategy.rollingUpdate.maxSurge",
            "DL003 .spec.template.spec.affinity",
            r#"DL003 .spec.template.spec.containers[name="api"].env[name="DEBUG"]"#,
            r#"DL003 .spec.template.spec.containers[name="api"].ports[containerPort=80,protocol="TCP"]"#,
            r#"DL003 .spec.template.spec.containers[name="miner"]"#,
            "DL003 .spec.template.spec.terminationGracePeriodSeconds",
            "DL003 .spec.template.spec.tolerations",
        ]
    );
}

#[test]
fn a_struct_that_several_wrote_is_told_by_its_parts() {
    let live = json!({"spec": {"template": {"spec": {"securityContext": {"runAsUser": 0, "fsGroup": 7}}}}});
    let context = |name: &str| json!({"f:spec": {"f:template": {"f:spec": {"f:securityContext": {name: {}}}}}});
    let managers = [
        entry("argocd-controller", "Update", context("f:fsGroup")),
        entry("kubectl-patch", "Update", context("f:runAsUser")),
    ];
    let found = deployment(json!({"spec": {"template": {"spec": {}}}}), live, &managers).found();
    assert_eq!(found, ["DL003 .spec.template.spec.securityContext.runAsUser"]);
}

#[test]
fn a_field_inside_a_declared_atomic_struct_is_found() {
    let case = Case {
        api_version: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        declared: json!({"spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}),
        live: json!({"spec": {"podSelector": {"matchLabels": {"app": "none"}}, "policyTypes": ["Ingress"]}}),
        managers: &[json!({"manager": "kubectl-edit", "operation": "Update", "apiVersion": "networking.k8s.io/v1",
            "fieldsV1": {"f:spec": {"f:podSelector": {}}}})],
        entries_count: true,
        beside: Vec::new(),
    };
    assert_eq!(case.found(), ["DL003 .spec.podSelector.matchLabels.app"]);
}

#[test]
fn without_managed_fields_only_last_applied_tells() {
    let declared = json!({"metadata": {"labels": {"a": "b"}}, "spec": {}});
    let applied = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"paused": true}}).to_string();
    let live = |annotations: Value| json!({"metadata": {"labels": {"a": "b", "c": "d"}, "annotations": annotations}, "spec": {"paused": true, "minReadySeconds": 3}});
    let none = deployment(declared.clone(), live(json!({})), &[]).verdict();
    assert_eq!(none.judgements, []);
    let with = deployment(declared, live(json!({LAST_APPLIED: applied})), &[]);
    assert_eq!(with.found(), ["DL003 .spec.paused"]);
    assert!(with.verdict().method.contains("last-applied"), "{}", with.verdict().method);
}

#[test]
fn last_applied_proves_an_earlier_intent_whoever_owns_the_field() {
    let applied = json!({"spec": {"paused": true}}).to_string();
    let live = json!({"metadata": {"annotations": {LAST_APPLIED: applied}}, "spec": {"paused": true}});
    let managers = [entry("argocd-controller", "Update", json!({"f:spec": {"f:paused": {}}}))];
    assert_eq!(deployment(json!({"spec": {}}), live, &managers).found(), ["DL003 .spec.paused"]);
}

#[test]
fn a_writer_at_another_version_leaves_it_undetermined() {
    let case = Case {
        api_version: "autoscaling/v1",
        kind: "HorizontalPodAutoscaler",
        declared: json!({"spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "api"}}}),
        live: json!({"spec": {"maxReplicas": 3, "minReplicas": 2, "scaleTargetRef": {"kind": "Deployment", "name": "api"}}}),
        managers: &[json!({"manager": "kubectl-edit", "operation": "Update", "apiVersion": "autoscaling/v2",
            "fieldsV1": {"f:spec": {"f:behavior": {}}}})],
        entries_count: true,
        beside: Vec::new(),
    };
    let judgements = case.verdict().judgements;
    assert_eq!(judgements.iter().map(|j| j.undetermined).collect::<Vec<_>>(), [true]);
}

#[test]
fn allocated_values_are_the_servers_unless_exactly_they_were_set_by_hand() {
    let service = |managers: &'static [&'static str]| {
        let declared = json!({"spec": {"type": "NodePort", "ports": [{"port": 80}]}});
        let live = json!({"spec": {"type": "NodePort", "clusterIP": "10.0.0.1", "externalTrafficPolicy": "Cluster",
            "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": 30080}]}});
        let port = json!({"f:spec": {"f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {"f:nodePort": {}}}}});
        let entries: Vec<Value> = managers
            .iter()
            .map(|manager| {
                let operation =
                    if manager.ends_with("apply") && manager.starts_with("k9s") { "Apply" } else { "Update" };
                json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": port})
            })
            .collect();
        Case {
            api_version: "v1",
            kind: "Service",
            declared,
            live,
            managers: &entries,
            entries_count: true,
            beside: Vec::new(),
        }
        .found()
    };
    assert_eq!(service(&["kubectl-client-side-apply"]), [""; 0]);
    assert_eq!(service(&["k9s-apply"]), [""; 0], "an apply of what is there sets nothing");
    assert_eq!(service(&["kubectl-edit"]), [r#"DL003 .spec.ports[port=80,protocol="TCP"].nodePort"#]);
}

#[test]
fn what_the_conversion_to_an_older_version_writes_is_nobodys() {
    let declared = json!({"metadata": {"annotations": {"team": "shop"}}, "spec": {"maxReplicas": 3}});
    let mut live = declared.clone();
    live["metadata"]["annotations"]["autoscaling.alpha.kubernetes.io/conditions"] = json!("[]");
    let owned = json!({"f:metadata": {"f:annotations": {"f:autoscaling.alpha.kubernetes.io/conditions": {}}}});
    let managers =
        [json!({"manager": "k9s", "operation": "Update", "apiVersion": "autoscaling/v1", "fieldsV1": owned})];
    let case = Case {
        api_version: "autoscaling/v1",
        kind: "HorizontalPodAutoscaler",
        declared,
        live,
        managers: &managers,
        entries_count: true,
        beside: Vec::new(),
    };
    assert_eq!(case.found(), [""; 0]);
}

#[test]
fn replicas_inside_an_autoscalers_bounds_are_its_own() {
    let autoscaler = declared(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        &json!({"spec": {"minReplicas": 2, "maxReplicas": 6, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}}}),
    );
    let keda = declared(
        "keda.sh/v1alpha1",
        "ScaledObject",
        &json!({"spec": {"maxReplicaCount": 6, "scaleTargetRef": {"name": "api"}}}),
    );
    let managers =
        [through("scale", entry("kube-controller-manager", "Update", json!({"f:spec": {"f:replicas": {}}})))];
    for (case, scaler, live, expected) in [
        ("inside", Some(&autoscaler), 5, 0),
        ("at the bound", Some(&autoscaler), 6, 0),
        ("outside", Some(&autoscaler), 7, 1),
        ("KEDA scales to none", Some(&keda), 0, 0),
        ("nobody declares an autoscaler", None, 5, 1),
    ] {
        let mut judged = deployment(json!({"spec": {"replicas": 1}}), json!({"spec": {"replicas": live}}), &managers);
        judged.beside = scaler.into_iter().cloned().collect();
        assert_eq!(judged.found().len(), expected, "{case}");
    }
    let undeclared = deployment(json!({"spec": {}}), json!({"spec": {"replicas": 5}}), &managers).found();
    assert_eq!(undeclared, [""; 0], "where Git declares none, whoever scales through `scale` decides");
}

#[test]
fn certificate_authorities_are_trusted_to_their_injector_only() {
    let declared = json!({"webhooks": [{"name": "a.b.c", "clientConfig": {"caBundle": "b2xk"}}]});
    let live = json!({"webhooks": [{"name": "a.b.c", "clientConfig": {"caBundle": "bmV3"}}]});
    let fields = json!({"f:webhooks": {"k:{\"name\":\"a.b.c\"}": {"f:clientConfig": {"f:caBundle": {}}}}});
    for (manager, expected) in [("cert-manager-cainjector", 0), ("kubectl-edit", 1)] {
        let managers = [
            json!({"manager": manager, "operation": "Update", "apiVersion": "admissionregistration.k8s.io/v1", "fieldsV1": fields}),
        ];
        let case = Case {
            api_version: "admissionregistration.k8s.io/v1",
            kind: "ValidatingWebhookConfiguration",
            declared: declared.clone(),
            live: live.clone(),
            managers: &managers,
            entries_count: true,
            beside: Vec::new(),
        };
        assert_eq!(case.found().len(), expected, "{manager}");
    }
}

#[test]
fn additions_inside_an_atomic_list_are_the_servers_unless_somebody_wrote_the_list() {
    let declared = json!({"spec": {"template": {"spec": {"tolerations": [{"key": "a"}]}}}});
    let live = json!({"spec": {"template": {"spec": {"tolerations": [{"key": "a", "effect": "NoSchedule"}]}}}});
    let fields = || json!({"f:spec": {"f:template": {"f:spec": {"f:tolerations": {}}}}});
    for (manager, operation, expected) in
        [("kubectl-edit", "Update", 1), ("acme-tool", "Update", 1), ("argocd-controller", "Apply", 0)]
    {
        let managers = [entry(manager, operation, fields())];
        assert_eq!(deployment(declared.clone(), live.clone(), &managers).found().len(), expected, "{manager}");
    }
}

#[test]
fn custom_resources_belong_to_their_operators() {
    let mut schemas = Schemas::default();
    schemas.extend(Schemas::of_definition(
        &json!({"spec": {"group": "example.com", "names": {"kind": "Widget"}, "versions": [
        {"name": "v1", "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object",
            "properties": {"size": {"type": "integer"}, "mode": {"type": "string"}}}}}}}]}}),
    ));
    let judge = Judge {
        schemas: &schemas,
        schema_source: "test",
        actors: &ActorTable::default(),
        trust: &TrustTable::default(),
        entries_count: true,
        autoscalers: &Autoscalers::default(),
        key: &RedactionKey::from_bytes([1; 32]),
        redaction: &RedactionRules::default(),
        live_key: None,
        ignores: &Ignores::none(),
    };
    let of = |manager: &str, subresource: Value| {
        json!({"manager": manager, "operation": "Update", "apiVersion": "example.com/v1",
        "subresource": subresource, "fieldsV1": {"f:spec": {"f:mode": {}}}})
    };
    let object = declared("example.com/v1", "Widget", &json!({"spec": {"size": 1}}));
    let found = |managers: Vec<Value>| {
        let live = json!({"spec": {"size": 1, "mode": "fast"}});
        let managers = Value::from(managers).to_string();
        judge.judge_tree(&object, live, || Ok(Some(&managers))).unwrap().judgements.len()
    };
    assert_eq!(
        found(vec![of("widgeteer", json!("")), of("widgeteer", json!("status"))]),
        0,
        "it writes the status, too"
    );
    assert_eq!(found(vec![of("acme-tool", json!(""))]), 1);
    assert_eq!(found(vec![of("kubectl-edit", json!(""))]), 1);
}
