//! What DESIGN says of severities, and overrides of one's own.

use serde_json::json;

use super::*;

/// `what`: `CODE cause apiVersion Kind path`, `-` for what there is not.
fn finding(what: &str) -> Finding {
    let words: Vec<&str> = what.splitn(5, ' ').collect();
    let [code, cause, api_version, kind, path] = words.as_slice() else { panic!("{what}") };
    let given = |text: &str| (text != "-").then(|| text.to_owned());
    serde_json::from_value(json!({
        "id": "F-1", "code": code, "class": "", "cause": given(cause), "severity": "info", "fingerprint": "", "cluster": "prod",
        "apiVersion": api_version, "kind": kind, "namespace": "shop", "name": "api", "path": given(path), "declared": null, "live": null,
        "origin": {"target": "shop", "repository": "r", "revision": "main", "commit": "", "file": "a.yaml", "line": 1},
        "declaredBy": null, "liveMatches": null, "actors": [], "firstSeen": null, "lastSeen": null, "scans": null, "waiver": null,
        "method": "", "note": null,
    }))
    .unwrap_or_else(|e| panic!("{what}: {e}"))
}

#[test]
fn the_shipped_rules_say_what_the_design_says() {
    let rules = SeverityRules::default();
    for (what, severity) in [
        ("DL001 out-of-band rbac.authorization.k8s.io/v1 ClusterRole .rules", "critical"),
        (
            "DL003 hand-rollback rbac.authorization.k8s.io/v1 RoleBinding .subjects[kind=\"ServiceAccount\",name=\"a\"]",
            "critical",
        ),
        ("DL004 out-of-band rbac.authorization.k8s.io/v1 Role -", "critical"),
        (
            "DL001 out-of-band admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration .webhooks[name=\"a\"].failurePolicy",
            "critical",
        ),
        ("DL001 out-of-band networking.k8s.io/v1 NetworkPolicy .spec.ingress", "critical"),
        ("DL001 out-of-band cilium.io/v2 CiliumNetworkPolicy .spec", "critical"),
        ("DL001 out-of-band v1 Secret .data.password", "critical"),
        ("DL001 out-of-band apps/v1 Deployment .spec.template.spec.containers[name=\"a\"].image", "critical"),
        ("DL001 hand-rollback apps/v1 Deployment .spec.template.spec.initContainers[name=\"a\"].command", "critical"),
        ("DL003 out-of-band apps/v1 Deployment .spec.template.spec.containers[name=\"a\"]", "critical"),
        (
            "DL003 out-of-band apps/v1 Deployment .spec.template.spec.containers[name=\"a\"].lifecycle.postStart.exec.command",
            "critical",
        ),
        (
            "DL003 out-of-band apps/v1 Deployment .spec.template.spec.containers[name=\"a\"].ports[containerPort=80,protocol=\"TCP\"].hostPort",
            "critical",
        ),
        ("DL003 out-of-band apps/v1 Deployment .spec.template.spec.securityContext.runAsUser", "critical"),
        ("DL003 out-of-band apps/v1 Deployment .spec.template.spec.hostNetwork", "critical"),
        ("DL001 out-of-band apps/v1 Deployment .spec.template.spec.serviceAccountName", "critical"),
        ("DL001 out-of-band v1 Namespace .metadata.labels[\"pod-security.kubernetes.io/enforce\"]", "critical"),
        ("DL001 out-of-band apps/v1 Deployment .spec.replicas", "high"),
        ("DL004 hand-rollback v1 ConfigMap -", "high"),
        ("DL005 behind v1 ConfigMap -", "high"),
        ("DL006 - rbac.authorization.k8s.io/v1 ClusterRole -", "high"),
        ("DL006 - apiextensions.k8s.io/v1 CustomResourceDefinition -", "high"),
        ("DL001 behind rbac.authorization.k8s.io/v1 ClusterRole .rules", "medium"),
        ("DL001 ahead apps/v1 Deployment .spec.replicas", "medium"),
        ("DL004 undetermined v1 ConfigMap -", "medium"),
        ("DL012 - v1 ConfigMap -", "medium"),
        ("DL001 out-of-band apps/v1 Deployment .metadata.labels.app", "low"),
        ("DL003 out-of-band apps/v1 Deployment .metadata.annotations", "low"),
        ("DL006 - v1 ConfigMap -", "low"),
        ("DL007 - apps/v1 Deployment .spec.replica", "low"),
        ("DL008 - example.com/v1 Widget -", "low"),
        ("DL010 - v1 ConfigMap -", "low"),
        ("DL011 - apps/v1 Deployment -", "low"),
        ("DL001 undetermined apps/v1 Deployment .spec.replicas", "low"),
        ("DL001 pending rbac.authorization.k8s.io/v1 ClusterRole .rules", "info"),
        ("DL004 pending v1 Secret -", "info"),
    ] {
        assert_eq!(rules.of(&finding(what)).as_str(), severity, "{what}");
    }
}

#[test]
fn an_override_names_kinds_namespaces_names_targets_clusters_and_comes_first() {
    let what = "DL001 out-of-band apps/v1 Deployment .spec.replicas";
    for (rule, fits) in [
        (json!({}), true),
        (json!({"kinds": ["Deployment"]}), true),
        (json!({"kinds": ["Deployment.apps"]}), true),
        (json!({"kinds": ["Deployment.extensions"]}), false),
        (json!({"namespaces": ["sh*"]}), true),
        (json!({"namespaces": ["kube-*"]}), false),
        (json!({"names": ["api"]}), true),
        (json!({"names": ["ap"]}), false),
        (json!({"targets": ["shop"]}), true),
        (json!({"targets": ["other"]}), false),
        (json!({"clusters": ["pr*"]}), true),
        (json!({"clusters": ["stage"]}), false),
        (json!({"codes": ["DL001"], "causes": ["out-of-band"], "paths": [".spec.*"], "names": ["api"]}), true),
        (json!({"codes": ["DL001"], "causes": ["behind"], "paths": [".spec.*"], "names": ["api"]}), false),
    ] {
        let mut raw = rule.clone();
        raw["severity"] = "info".into();
        let rules = SeverityRules::with_shipped(&[serde_json::from_value(raw).unwrap()]).unwrap();
        let expected = if fits { Severity::Info } else { Severity::High };
        assert_eq!(rules.of(&finding(what)), expected, "{rule}");
    }
    let mut cluster_scoped = finding(what);
    (cluster_scoped.namespace, cluster_scoped.origin) = (None, None);
    let rule = |text| serde_json::from_value(text).unwrap();
    for text in [json!({"severity": "info", "namespaces": ["*"]}), json!({"severity": "info", "targets": ["*"]})] {
        let rules = SeverityRules::with_shipped(&[rule(text)]).unwrap();
        assert_eq!(rules.of(&cluster_scoped), Severity::High);
    }
}

#[test]
fn every_rule_with_a_wrong_word_is_told() {
    let rule = |text| serde_json::from_value(text).unwrap();
    let own =
        [rule(json!({"severity": "low", "codes": ["DL999"]})), rule(json!({"severity": "low", "causes": ["hand"]}))];
    let problems = SeverityRules::with_shipped(&own).unwrap_err();
    assert_eq!(problems, [(0, "DL999".to_owned()), (1, "hand".to_owned())]);
}
