//! One value in several writings, and what the server keeps for itself.

use super::*;

#[test]
fn representation() {
    let deploy = ("apps/v1", "Deployment");
    let hpa = ("autoscaling/v2", "HorizontalPodAutoscaler");
    let case = |name, (version, kind): (&'static str, &'static str), declared, live, expected| -> Case {
        (name, version, kind, declared, live, expected)
    };
    hold(vec![
        case("14 int and float", deploy, deployment(json!({"replicas": 3})), deployment(json!({"replicas": 3.0})), &[]),
        case(
            "15 to 17 quantities in other units, as numbers and as text",
            deploy,
            container(json!({"resources": {"limits": {"cpu": "0.1", "memory": "3072Mi", "a/b": 6}}})),
            container(json!({"resources": {"limits": {"cpu": "100m", "memory": "3Gi", "a/b": "6"}}})),
            &[],
        ),
        case(
            "18 a quantity that differs (guard)",
            deploy,
            container(json!({"resources": {"requests": {"cpu": "200m"}}})),
            container(json!({"resources": {"requests": {"cpu": "300m"}}})),
            &[r#"DL001 .spec.template.spec.containers[name="api"].resources.requests.cpu"#],
        ),
        case(
            "19 what is no quantity compares as text",
            deploy,
            container(json!({"resources": {"requests": {"cpu": "abc"}}})),
            container(json!({"resources": {"requests": {"cpu": "abc"}}})),
            &[],
        ),
        case(
            "21 a port as number and as text are two values (guard)",
            ("v1", "Service"),
            json!({"spec": {"ports": [{"port": 80, "targetPort": 8080}]}}),
            json!({"spec": {"ports": [{"port": 80, "protocol": "TCP", "targetPort": "8080"}]}}),
            &[r#"DL001 .spec.ports[port=80,protocol="TCP"].targetPort"#],
        ),
        case(
            "21 a percentage",
            ("policy/v1", "PodDisruptionBudget"),
            json!({"spec": {"maxUnavailable": "25%"}}),
            json!({"spec": {"maxUnavailable": "25%"}}),
            &[],
        ),
        case(
            "22 a duration-like env value is text (guard)",
            deploy,
            container(json!({"env": [{"name": "T", "value": "60m"}]})),
            container(json!({"env": [{"name": "T", "value": "1h"}]})),
            &[r#"DL001 .spec.template.spec.containers[name="api"].env[name="T"].value"#],
        ),
        case("24 false with omitempty", deploy, pod(json!({"hostNetwork": false})), pod(json!({})), &[]),
        case(
            "24 false that differs from absence (guard)",
            deploy,
            pod(json!({"automountServiceAccountToken": false})),
            pod(json!({})),
            &["DL002 .spec.template.spec.automountServiceAccountToken"],
        ),
        case(
            "24 no replicas (guard)",
            deploy,
            deployment(json!({"replicas": 0})),
            deployment(json!({"replicas": 1})),
            &["DL001 .spec.replicas"],
        ),
        case(
            "25 empty lists and maps",
            deploy,
            pod(json!({"imagePullSecrets": [], "nodeSelector": {}, "volumes": []})),
            pod(json!({})),
            &[],
        ),
        case("25 no data", ("v1", "ConfigMap"), json!({"data": {}}), json!({}), &[]),
        case(
            "25 an empty selector selects everything (guard)",
            ("policy/v1", "PodDisruptionBudget"),
            json!({"spec": {"selector": {}}}),
            json!({"spec": {}}),
            &["DL002 .spec.selector"],
        ),
        case(
            "25 an empty emptyDir is a volume (guard)",
            deploy,
            pod(json!({"volumes": [{"name": "v", "emptyDir": {}}]})),
            pod(json!({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]})),
            &[
                r#"DL002 .spec.template.spec.volumes[name="v"].emptyDir"#,
                r#"+ .spec.template.spec.volumes[name="v"].hostPath"#,
            ],
        ),
        case(
            "25 an empty selector of namespaces that came in selects all of them (guard)",
            ("networking.k8s.io/v1", "NetworkPolicy"),
            json!({"spec": {"podSelector": {}, "ingress": [{"from": [{"podSelector": {"matchLabels": {"a": "b"}}}]}]}}),
            json!({"spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [
                {"from": [{"podSelector": {"matchLabels": {"a": "b"}}, "namespaceSelector": {}}]}]}}),
            &["DL001 .spec.ingress"],
        ),
        case("26 null against absent", ("v1", "ConfigMap"), json!({"data": null}), json!({}), &[]),
        case(
            "26 null against a default",
            deploy,
            deployment(json!({"replicas": null})),
            deployment(json!({"replicas": 1})),
            &[],
        ),
        case(
            "26 null against what somebody may have put there (guard)",
            ("v1", "ConfigMap"),
            json!({"binaryData": null}),
            json!({"binaryData": {"bin": "AAEC"}}),
            &["+ .binaryData.bin"],
        ),
        case(
            "27 null live against a value (guard)",
            deploy,
            deployment(json!({"replicas": 1})),
            json!({"metadata": {"labels": {"a": "b"}}, "spec": null}),
            &["DL002 .spec"],
        ),
        case(
            "28 no RBAC rules",
            ("rbac.authorization.k8s.io/v1", "Role"),
            json!({"rules": []}),
            json!({"rules": null}),
            &[],
        ),
        case(
            "34 a field that the server dropped",
            deploy,
            deployment(json!({"replica": 2})),
            deployment(json!({"replicas": 1})),
            &["DL007 .spec.replica"],
        ),
        case(
            "34 the same inside an atomic list",
            deploy,
            pod(json!({"tolerations": [{"key": "a", "efect": "NoSchedule"}]})),
            pod(json!({"tolerations": [{"key": "a"}]})),
            &["DL007 .spec.template.spec.tolerations[0].efect"],
        ),
        case(
            "59 the order of an autoscaler's metrics",
            hpa,
            json!({"spec": {"metrics": [
                {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}},
                {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1024Mi"}}}]}}),
            json!({"spec": {"metrics": [
                {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}}},
                {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}]}}),
            &[],
        ),
        case(
            "59 another metric (guard)",
            hpa,
            json!({"spec": {"metrics": [{"type": "Resource", "resource": {"name": "cpu"}}]}}),
            json!({"spec": {"metrics": [{"type": "Resource", "resource": {"name": "memory"}}]}}),
            &["DL001 .spec.metrics"],
        ),
    ]);
}

#[test]
fn bookkeeping() {
    let deploy = ("apps/v1", "Deployment");
    let case = |name, (version, kind): (&'static str, &'static str), declared, live, expected| -> Case {
        (name, version, kind, declared, live, expected)
    };
    hold(vec![
        case(
            "1, 3, 4 what the server writes in metadata, pasted or not",
            deploy,
            json!({"metadata": {"creationTimestamp": null, "resourceVersion": "123", "uid": "a"}}),
            json!({"metadata": {"creationTimestamp": "2026-01-02T03:04:05Z", "resourceVersion": "456", "uid": "b", "generation": 4,
                "selfLink": "/x", "managedFields": []}}),
            &[],
        ),
        case(
            "2 nested creation times",
            ("apps/v1", "StatefulSet"),
            json!({"spec": {"template": {"metadata": {"creationTimestamp": null, "labels": {"a": "b"}}}}}),
            json!({"spec": {"template": {"metadata": {"labels": {"a": "b"}}}}}),
            &[],
        ),
        case(
            "2 the reverse",
            deploy,
            json!({"spec": {"template": {"metadata": {"labels": {"a": "b"}}}}}),
            json!({"spec": {"template": {"metadata": {"creationTimestamp": null, "labels": {"a": "b"}}}}}),
            &[],
        ),
        case(
            "5 status",
            deploy,
            json!({"spec": {}, "status": {"replicas": 1}}),
            json!({"spec": {}, "status": {"replicas": 3}}),
            &[],
        ),
        case(
            "8 no labels, no annotations",
            deploy,
            json!({"metadata": {"annotations": {}, "labels": null}}),
            json!({"metadata": {}}),
            &[],
        ),
        case(
            "9 the last-applied annotation",
            deploy,
            json!({"metadata": {"annotations": {"k": "v"}}}),
            json!({"metadata": {"annotations": {"k": "v", "kubectl.kubernetes.io/last-applied-configuration": "not json"}}}),
            &[],
        ),
        case(
            "63 a placeholder for a certificate authority",
            ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
            json!({"webhooks": [{"name": "a.b.c", "clientConfig": {"caBundle": "Cg=="}}]}),
            json!({"webhooks": [{"name": "a.b.c", "clientConfig": {}}]}),
            &[],
        ),
        case(
            "64 an aggregated ClusterRole",
            ("rbac.authorization.k8s.io/v1", "ClusterRole"),
            json!({"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}, "rules": []}),
            json!({"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}, "rules": [{"verbs": ["get"]}]}),
            &[],
        ),
        case(
            "64 another aggregation (guard)",
            ("rbac.authorization.k8s.io/v1", "ClusterRole"),
            json!({"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}}),
            json!({"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "c"}}]}, "rules": [{"verbs": ["get"]}]}),
            &["DL001 .aggregationRule.clusterRoleSelectors"],
        ),
    ]);
}
