//! The normalisation checklist as tables: what differs in bytes and not in meaning, and the guards that a real difference stays one.

use serde_json::{Value, json};

use super::*;
use crate::model::resource::Gvk;
use crate::model::schema::{Schemas, builtin_schemas};
use crate::stages::normalise::{Applied, Side, normalise};

/// Differences as `code path`, extras as `+ path`.
fn of(gvk: &Gvk, schemas: &Schemas, declared: &Value, live: &Value) -> Vec<String> {
    let (mut declared, mut live) = (declared.clone(), live.clone());
    let mut applied = Applied::new();
    normalise(&mut declared, &gvk.group_kind(), Side::Declared, &mut applied);
    normalise(&mut live, &gvk.group_kind(), Side::Live, &mut applied);
    let compared = compare(&declared, &live, schemas.kind(gvk), &mut applied);
    let differences = compared.differences.iter().map(|d| format!("{} {}", d.code, d.path));
    differences.chain(compared.extras.iter().map(|extra| format!("+ {}", extra.path))).collect()
}

fn builtin(api_version: &str, kind: &str, declared: Value, live: Value) -> Vec<String> {
    of(&Gvk::new(api_version, kind), builtin_schemas(), &declared, &live)
}

type Case = (&'static str, &'static str, &'static str, Value, Value, &'static [&'static str]);

fn hold(cases: Vec<Case>) {
    let wrong: Vec<String> = cases
        .into_iter()
        .filter_map(|(case, api_version, kind, declared, live, expected)| {
            let found = builtin(api_version, kind, declared, live);
            (found != expected).then(|| format!("{case}: {found:?}, not {expected:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn deployment(spec: Value) -> Value {
    json!({"metadata": {"labels": {"a": "b"}}, "spec": spec})
}

fn pod(pod: Value) -> Value {
    deployment(json!({"template": {"spec": pod}}))
}

fn container(container: Value) -> Value {
    let mut container = container;
    container["name"] = json!("api");
    pod(json!({"containers": [container]}))
}

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

#[test]
fn defaults_of_the_server() {
    let deploy = ("apps/v1", "Deployment");
    let case = |name, (version, kind): (&'static str, &'static str), declared, live, expected| -> Case {
        (name, version, kind, declared, live, expected)
    };
    hold(vec![
        case(
            "36 the protocol, in every sort of container",
            deploy,
            pod(json!({"initContainers": [{"name": "i", "ports": [{"containerPort": 80}]}]})),
            pod(json!({"initContainers": [{"name": "i", "ports": [{"containerPort": 80, "protocol": "TCP"}]}]})),
            &[],
        ),
        case(
            "37 a Pod's template",
            deploy,
            pod(json!({"serviceAccountName": "api"})),
            pod(json!({"restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler",
                "terminationGracePeriodSeconds": 30, "securityContext": {}, "serviceAccount": "api", "serviceAccountName": "api"})),
            &[],
        ),
        case(
            "38 a container",
            deploy,
            container(json!({"image": "registry.example.com:5000/api:1.4"})),
            container(
                json!({"image": "registry.example.com:5000/api:1.4", "imagePullPolicy": "IfNotPresent", "resources": {},
                "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}),
            ),
            &[],
        ),
        case(
            "38 another policy than the tag's (guard)",
            deploy,
            container(json!({"image": "api:1.4"})),
            container(json!({"image": "api:1.4", "imagePullPolicy": "Always"})),
            &[r#"+ .spec.template.spec.containers[name="api"].imagePullPolicy"#],
        ),
        case(
            "38 the policy of the declared tag stays when another tag is set",
            deploy,
            container(json!({"image": "api:1.4"})),
            container(json!({"image": "api", "imagePullPolicy": "IfNotPresent"})),
            &[r#"DL001 .spec.template.spec.containers[name="api"].image"#],
        ),
        case(
            "38 a host's port by the host's network",
            deploy,
            pod(json!({"hostNetwork": true, "containers": [{"name": "api", "ports": [{"containerPort": 80}]}]})),
            pod(json!({"hostNetwork": true, "containers": [
                {"name": "api", "ports": [{"containerPort": 80, "hostPort": 80, "protocol": "TCP"}]}]})),
            &[],
        ),
        case(
            "38 a host's port without it (guard)",
            deploy,
            container(json!({"ports": [{"containerPort": 80}]})),
            container(json!({"ports": [{"containerPort": 80, "hostPort": 80, "protocol": "TCP"}]})),
            &[r#"+ .spec.template.spec.containers[name="api"].ports[containerPort=80,protocol="TCP"].hostPort"#],
        ),
        case(
            "38 a volume that lost its source",
            deploy,
            pod(json!({"volumes": [{"name": "v", "configMap": {"name": "c"}}]})),
            pod(json!({"volumes": [{"name": "v", "emptyDir": {}}]})),
            &[r#"DL002 .spec.template.spec.volumes[name="v"].configMap"#],
        ),
        case(
            "38 a volume with another emptyDir than none (guard)",
            deploy,
            pod(json!({"volumes": [{"name": "v"}]})),
            pod(json!({"volumes": [{"name": "v", "emptyDir": {"medium": "Memory"}}]})),
            &[r#"+ .spec.template.spec.volumes[name="v"].emptyDir"#],
        ),
        case(
            "39 a workload",
            deploy,
            deployment(json!({})),
            deployment(json!({"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}})),
            &[],
        ),
        case(
            "39 what is no default (guard): the field, and not the struct that is there in any case",
            deploy,
            deployment(json!({})),
            deployment(json!({"replicas": 4, "paused": true,
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 7, "maxUnavailable": "25%"}}})),
            &["+ .spec.paused", "+ .spec.replicas", "+ .spec.strategy.rollingUpdate.maxSurge"],
        ),
        case(
            "40 a probe",
            deploy,
            container(json!({"livenessProbe": {"httpGet": {"path": "/", "port": 80}}})),
            container(
                json!({"livenessProbe": {"httpGet": {"path": "/", "port": 80, "scheme": "HTTP"}, "timeoutSeconds": 1,
                "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}}),
            ),
            &[],
        ),
        case(
            "40 a declared delay (guard)",
            deploy,
            container(json!({"livenessProbe": {"initialDelaySeconds": 5}})),
            container(json!({"livenessProbe": {"initialDelaySeconds": 6}})),
            &[r#"DL001 .spec.template.spec.containers[name="api"].livenessProbe.initialDelaySeconds"#],
        ),
        case(
            "41 volumes and references",
            deploy,
            pod(json!({"volumes": [{"name": "c", "configMap": {"name": "c"}}], "containers": [{"name": "a", "env": [
                {"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "C", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}]}]})),
            pod(
                json!({"volumes": [{"name": "c", "configMap": {"name": "c", "defaultMode": 420}}], "containers": [{"name": "a", "env": [
                {"name": "N", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
                {"name": "C", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "0"}}}]}]}),
            ),
            &[],
        ),
        case(
            "42 a Service: what is a default; what is allocated is left to the next stage",
            ("v1", "Service"),
            json!({"spec": {"ports": [{"port": 80}]}}),
            json!({"spec": {"ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}], "type": "ClusterIP", "sessionAffinity": "None",
                "internalTrafficPolicy": "Cluster", "clusterIP": "10.0.0.7"}}),
            &["+ .spec.clusterIP"],
        ),
        case(
            "42 a declared node port (guard)",
            ("v1", "Service"),
            json!({"spec": {"ports": [{"port": 80, "nodePort": 30080}]}}),
            json!({"spec": {"ports": [{"port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": 30081}]}}),
            &[r#"DL001 .spec.ports[port=80,protocol="TCP"].nodePort"#],
        ),
        case(
            "43 a webhook",
            ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
            json!({"webhooks": [{"name": "a.b.c", "sideEffects": "None", "rules": [{"operations": ["CREATE"]}]}]}),
            json!({"webhooks": [{"name": "a.b.c", "sideEffects": "None", "failurePolicy": "Fail", "matchPolicy": "Equivalent",
                "timeoutSeconds": 10, "namespaceSelector": {}, "objectSelector": {}, "rules": [{"operations": ["CREATE"], "scope": "*"}]}]}),
            &[],
        ),
        case(
            "44 a claim's template",
            ("apps/v1", "StatefulSet"),
            json!({"spec": {"volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": {"resources": {"requests": {"storage": "1024Mi"}}}}]}}),
            json!({"spec": {"volumeClaimTemplates": [{"apiVersion": "v1", "kind": "PersistentVolumeClaim",
                "metadata": {"name": "d", "creationTimestamp": null},
                "spec": {"resources": {"requests": {"storage": "1Gi"}}, "volumeMode": "Filesystem"}, "status": {"phase": "Pending"}}]}}),
            &[],
        ),
        case(
            "47 defaults inside atomic lists of Kubernetes' own",
            ("networking.k8s.io/v1", "NetworkPolicy"),
            json!({"spec": {"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}], "egress": [{}]}}),
            json!({"spec": {"podSelector": {}, "ingress": [{"ports": [{"port": 80, "protocol": "TCP"}]}], "egress": [{}],
                "policyTypes": ["Ingress", "Egress"]}}),
            &[],
        ),
        case(
            "48 a definition",
            ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
            json!({"spec": {"preserveUnknownFields": false, "names": {"kind": "Widget", "plural": "widgets"}}}),
            json!({"spec": {"conversion": {"strategy": "None"},
                "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"}}}),
            &[],
        ),
        case(
            "a limit's defaults",
            ("v1", "LimitRange"),
            json!({"spec": {"limits": [{"type": "Container", "default": {"cpu": "1"}, "max": {"memory": "16Gi"}}]}}),
            json!({"spec": {"limits": [{"type": "Container", "default": {"cpu": "1", "memory": "16Gi"},
                "defaultRequest": {"cpu": "1", "memory": "16Gi"}, "max": {"memory": "16Gi"}}]}}),
            &[],
        ),
        case(
            "another default of a limit (guard)",
            ("v1", "LimitRange"),
            json!({"spec": {"limits": [{"type": "Container", "default": {"cpu": "1"}}]}}),
            json!({"spec": {"limits": [{"type": "Container", "default": {"cpu": "1"}, "defaultRequest": {"cpu": "2"}}]}}),
            &["DL001 .spec.limits"],
        ),
        case(
            "the default of the newer version, read in the older one",
            ("autoscaling/v1", "HorizontalPodAutoscaler"),
            json!({"spec": {"maxReplicas": 3}}),
            json!({"spec": {"maxReplicas": 3, "minReplicas": 1, "targetCPUUtilizationPercentage": 80}}),
            &[],
        ),
        case(
            "a declared empty list leaves the default",
            ("networking.k8s.io/v1", "NetworkPolicy"),
            json!({"spec": {"podSelector": {}, "policyTypes": [], "egress": [{}]}}),
            json!({"spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": [{}]}}),
            &[],
        ),
        case(
            "an empty list that is written (guard)",
            ("rbac.authorization.k8s.io/v1", "Role"),
            json!({"rules": []}),
            json!({"rules": [{"verbs": ["get"]}]}),
            &["DL001 .rules"],
        ),
        case(
            "a service account by hand, and its copy in the older field",
            deploy,
            pod(json!({})),
            pod(json!({"serviceAccountName": "eve", "serviceAccount": "eve"})),
            &["+ .spec.template.spec.serviceAccountName"],
        ),
        case(
            "a service account in the older field, copied to the newer one",
            deploy,
            pod(json!({"serviceAccount": "api"})),
            pod(json!({"serviceAccountName": "api", "serviceAccount": "api"})),
            &[],
        ),
        case(
            "a policy type too many (guard)",
            ("networking.k8s.io/v1", "NetworkPolicy"),
            json!({"spec": {"podSelector": {}}}),
            json!({"spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}}),
            &["+ .spec.policyTypes"],
        ),
    ]);
}

#[test]
fn lists() {
    let deploy = ("apps/v1", "Deployment");
    let case = |name, (version, kind): (&'static str, &'static str), declared, live, expected| -> Case {
        (name, version, kind, declared, live, expected)
    };
    let env = |entries: Value| container(json!({"env": entries}));
    hold(vec![
        case(
            "51 lists with keys in another order",
            deploy,
            pod(json!({"containers": [{"name": "a"}, {"name": "b"}], "volumes": [{"name": "x"}, {"name": "y"}]})),
            pod(json!({"containers": [{"name": "b"}, {"name": "a"}], "volumes": [{"name": "y"}, {"name": "x"}]})),
            &[],
        ),
        case(
            "51 init containers in another order (guard)",
            deploy,
            pod(json!({"initContainers": [{"name": "a"}, {"name": "b"}]})),
            pod(json!({"initContainers": [{"name": "b"}, {"name": "a"}]})),
            &["DL001 .spec.template.spec.initContainers"],
        ),
        case(
            "51 tolerations are atomic (guard)",
            deploy,
            pod(json!({"tolerations": [{"key": "a"}, {"key": "b"}]})),
            pod(json!({"tolerations": [{"key": "b"}, {"key": "a"}]})),
            &["DL001 .spec.template.spec.tolerations"],
        ),
        case(
            "52 a key that is left to its default",
            deploy,
            container(json!({"ports": [{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53}]})),
            container(
                json!({"ports": [{"containerPort": 53, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP"}]}),
            ),
            &[],
        ),
        case(
            "55 a key twice: the last one counts",
            deploy,
            env(json!([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}])),
            env(json!([{"name": "A", "value": "2"}])),
            &[],
        ),
        case(
            "56 an environment in another order",
            deploy,
            env(json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])),
            env(json!([{"name": "B", "value": "2"}, {"name": "A", "value": "1"}])),
            &[],
        ),
        case(
            "56 the order matters where one refers to another (guard)",
            deploy,
            env(json!([{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)"}])),
            env(json!([{"name": "B", "value": "$(A)"}, {"name": "A", "value": "1"}])),
            &[r#"DL001 .spec.template.spec.containers[name="api"].env"#],
        ),
        case(
            "56 envFrom is ordered (guard)",
            deploy,
            container(json!({"envFrom": [{"configMapRef": {"name": "a"}}, {"configMapRef": {"name": "b"}}]})),
            container(json!({"envFrom": [{"configMapRef": {"name": "b"}}, {"configMapRef": {"name": "a"}}]})),
            &[r#"DL001 .spec.template.spec.containers[name="api"].envFrom"#],
        ),
        case(
            "57 finalizers are a set",
            deploy,
            json!({"metadata": {"finalizers": ["a/x", "b/x"]}}),
            json!({"metadata": {"finalizers": ["b/x", "a/x"]}}),
            &[],
        ),
        case(
            "57 ipFamilies are ordered (guard)",
            ("v1", "Service"),
            json!({"spec": {"ipFamilies": ["IPv4", "IPv6"]}}),
            json!({"spec": {"ipFamilies": ["IPv6", "IPv4"]}}),
            &["DL001 .spec.ipFamilies"],
        ),
        case(
            "58 subsets of Endpoints in another order",
            ("v1", "Endpoints"),
            json!({"subsets": [{"addresses": [{"ip": "10.0.0.2"}, {"ip": "10.0.0.1"}], "ports": [{"port": 80}]}]}),
            json!({"subsets": [{"addresses": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}], "ports": [{"port": 80, "protocol": "TCP"}]}]}),
            &[],
        ),
        case(
            "60 an element that Git does not declare",
            ("v1", "Service"),
            json!({"spec": {"ports": [{"port": 80}]}}),
            json!({"spec": {"ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}, {"port": 81, "protocol": "TCP", "targetPort": 81}]}}),
            &[r#"+ .spec.ports[port=81,protocol="TCP"]"#],
        ),
        case(
            "61 arguments in another order (guard)",
            deploy,
            container(json!({"args": ["a", "b"]})),
            container(json!({"args": ["b", "a"]})),
            &[r#"DL001 .spec.template.spec.containers[name="api"].args"#],
        ),
        case(
            "an element in the middle that is gone (guard)",
            deploy,
            env(json!([{"name": "A"}, {"name": "B"}, {"name": "C"}])),
            env(json!([{"name": "A"}, {"name": "C"}])),
            &[r#"DL002 .spec.template.spec.containers[name="api"].env[name="B"]"#],
        ),
    ]);
}

const WIDGETS: &str = r#"{"spec": {"group": "example.com", "names": {"kind": "Widget"}, "versions": [{"name": "v1", "schema": {"openAPIV3Schema": {
    "type": "object", "properties": {"spec": {"type": "object", "properties": {
        "cpu": {"x-kubernetes-int-or-string": true, "pattern": "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$"},
        "enabled": {"type": "boolean"},
        "off": {"type": "boolean", "default": false},
        "descriptors": {"type": "array", "items": {"type": "string"}},
        "servers": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": {"type": "object",
            "properties": {"name": {"type": "string"}, "weight": {"type": "integer", "default": 1}}}},
        "backends": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}, "kind": {"type": "string", "default": "Service"}}}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}
    }}}}}}]}}"#;

#[test]
fn custom_resources() {
    let definition: Value = serde_json::from_str(WIDGETS).unwrap();
    let schemas = Schemas::of_definition(&definition);
    let gvk = Gvk::new("example.com/v1", "Widget");
    for (case, declared, live, expected) in [
        ("20 a quantity by its pattern", json!({"cpu": "2000m"}), json!({"cpu": "2"}), &[][..]),
        ("20 another one (guard)", json!({"cpu": "2000m"}), json!({"cpu": "3"}), &["DL001 .spec.cpu"]),
        ("24 false is literal (guard)", json!({"enabled": false}), json!({}), &["DL002 .spec.enabled"]),
        ("a declared default", json!({"off": false}), json!({}), &[]),
        (
            "35 below preserve-unknown",
            json!({"free": {"a": "b"}}),
            json!({"free": {"a": "c"}}),
            &["DL001 .spec.free.a"],
        ),
        (
            "47 a default in an atomic list",
            json!({"backends": [{"name": "a"}]}),
            json!({"backends": [{"name": "a", "kind": "Service"}]}),
            &[],
        ),
        (
            "53 keys of the definition",
            json!({"servers": [{"name": "a"}, {"name": "b"}]}),
            json!({"servers": [{"name": "b", "weight": 1}, {"name": "a", "weight": 1}]}),
            &[],
        ),
        (
            "54 an atomic list",
            json!({"descriptors": ["a", "b"]}),
            json!({"descriptors": ["a"]}),
            &["DL001 .spec.descriptors"],
        ),
        ("34 a field that the definition does not know", json!({"enabeld": true}), json!({}), &["DL007 .spec.enabeld"]),
        ("an undeclared field", json!({}), json!({"enabled": true, "off": false}), &["+ .spec.enabled"]),
    ] {
        let found = of(&gvk, &schemas, &json!({"spec": declared}), &json!({"spec": live}));
        assert_eq!(found, expected, "{case}");
    }
}

#[test]
fn defaults_hang_on_where_they_stand() {
    let hpa = ("autoscaling/v2", "HorizontalPodAutoscaler");
    let job = ("batch/v1", "Job");
    let case = |name, (version, kind): (&'static str, &'static str), declared, live, expected| -> Case {
        (name, version, kind, declared, live, expected)
    };
    let spec = |spec: Value| json!({"spec": spec});
    let rules = |up: Value, down: Value| spec(json!({"behavior": {"scaleUp": up, "scaleDown": down}}));
    let percent = || json!({"type": "Percent", "value": 100, "periodSeconds": 15});
    let pods = || json!({"type": "Pods", "value": 4, "periodSeconds": 15});
    let declared = || spec(json!({"behavior": {"scaleUp": {"selectPolicy": "Max"}}}));
    let up = || json!({"selectPolicy": "Max", "stabilizationWindowSeconds": 0, "policies": [pods(), percent()]});
    let down = || json!({"selectPolicy": "Max", "policies": [percent()]});
    let with = |mut object: Value, field: &str, value: Value| {
        object[field] = value;
        object
    };
    let indexed = || json!({"backoffLimitPerIndex": 1, "podFailurePolicy": {"rules": []}});
    hold(vec![
        case("scaling rules", hpa, declared(), rules(up(), down()), &[]),
        case(
            "the other direction's policies (guard)",
            hpa,
            declared(),
            rules(with(up(), "policies", json!([percent()])), down()),
            &["+ .spec.behavior.scaleUp.policies"],
        ),
        case(
            "shrinking at once is nobody's default (guard)",
            hpa,
            declared(),
            rules(up(), with(down(), "stabilizationWindowSeconds", json!(0))),
            &["+ .spec.behavior.scaleDown.stabilizationWindowSeconds"],
        ),
        case(
            "a Job",
            job,
            spec(json!({"parallelism": 1})),
            spec(json!({"parallelism": 1, "backoffLimit": 6, "podReplacementPolicy": "TerminatingOrFailed"})),
            &[],
        ),
        case(
            "a Job with limits and rules for failures",
            job,
            spec(indexed()),
            spec(with(with(indexed(), "backoffLimit", json!(2_147_483_647)), "podReplacementPolicy", json!("Failed"))),
            &[],
        ),
        case(
            "a Job with the defaults of others (guard)",
            job,
            spec(json!({"parallelism": 1})),
            spec(json!({"parallelism": 1, "backoffLimit": 2_147_483_647, "podReplacementPolicy": "Failed"})),
            &["+ .spec.backoffLimit", "+ .spec.podReplacementPolicy"],
        ),
    ]);
}

#[test]
fn an_unknown_field_names_the_nearest_known_one() {
    let schema = builtin_schemas().kind(&Gvk::new("apps/v1", "Deployment"));
    let compared = compare(&json!({"spec": {"replica": 2}}), &json!({"spec": {}}), schema, &mut Applied::new());
    let note = compared.differences[0].note.as_deref().unwrap_or_default();
    assert!(note.contains("`replicas`"), "{note}");
}

#[test]
fn without_a_schema_values_are_literal_and_metadata_is_known() {
    let schemas = Schemas::default();
    let gvk = Gvk::new("example.com/v1", "Gadget");
    let declared = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"cpu": "1000m", "list": ["a"]}});
    let live = json!({"metadata": {"labels": {"a": "b", "c": "d"}}, "spec": {"cpu": "1", "list": ["a"], "more": 1}});
    assert_eq!(of(&gvk, &schemas, &declared, &live), ["DL001 .spec.cpu", "+ .metadata.labels.c", "+ .spec.more"]);
}

#[test]
fn every_field_is_explained() {
    let schema = builtin_schemas().kind(&Gvk::new("apps/v1", "Deployment"));
    let declared = deployment(json!({"replicas": 3, "paused": false}));
    let live = deployment(json!({"replicas": 5, "revisionHistoryLimit": 10, "minReadySeconds": 4}));
    let (_, decisions) = explain(&declared, &live, schema);
    let told: Vec<String> = decisions.iter().map(|d| format!("{} {:?}", d.path, d.outcome)).collect();
    assert_eq!(
        told,
        [
            ".metadata.labels.a Same",
            r#".spec.paused Normalised("zero-equals-absent")"#,
            ".spec.replicas Differs(Changed)",
            ".spec.minReadySeconds Undeclared",
            r#".spec.revisionHistoryLimit Server("default")"#,
        ]
    );
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-z0-9]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 48, 6, |inner| {
            let names = prop_oneof![
                Just("spec"),
                Just("metadata"),
                Just("template"),
                Just("containers"),
                Just("name"),
                Just("env"),
                Just("value"),
                Just("ports"),
                Just("containerPort"),
                Just("labels"),
                Just("tolerations"),
                Just("strategy"),
                Just("x")
            ];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::btree_map(names.prop_map(str::to_owned), inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// Key-matched lists and maps in another order; ordered lists stay.
    fn shuffled(value: &Value, keyed: bool) -> Value {
        match value {
            Value::Object(map) => {
                Value::Object(map.iter().rev().map(|(k, v)| (k.clone(), shuffled(v, k == "volumes"))).collect())
            }
            Value::Array(items) if keyed => Value::Array(items.iter().rev().map(|v| shuffled(v, false)).collect()),
            Value::Array(items) => Value::Array(items.iter().map(|v| shuffled(v, false)).collect()),
            scalar => scalar.clone(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn anything_compared_with_itself_is_empty(object in value()) {
            for schema in [builtin_schemas().kind(&Gvk::new("apps/v1", "Deployment")), None] {
                let compared = compare(&object, &object, schema, &mut Applied::new());
                prop_assert_eq!(compared, Compared::default());
            }
        }

        #[test]
        fn normalising_is_idempotent(mut object in value()) {
            let kind = Gvk::new("apps/v1", "Deployment").group_kind();
            normalise(&mut object, &kind, Side::Declared, &mut Applied::new());
            let once = object.clone();
            normalise(&mut object, &kind, Side::Declared, &mut Applied::new());
            prop_assert_eq!(once, object);
        }

        #[test]
        fn the_order_of_keys_and_of_key_matched_lists_never_matters(
            names in proptest::collection::btree_set("[a-z]{1,5}", 1..6),
            object in value(),
        ) {
            let volumes: Vec<Value> = names.iter().map(|name| json!({"name": name, "emptyDir": {"medium": name}})).collect();
            let mut object = object;
            if !object.is_object() {
                object = json!({});
            }
            object["spec"] = json!({"template": {"spec": {"volumes": volumes}}});
            let other = shuffled(&object, false);
            let schema = builtin_schemas().kind(&Gvk::new("apps/v1", "Deployment"));
            prop_assert_eq!(compare(&object, &other, schema, &mut Applied::new()), Compared::default());
        }

        #[test]
        fn never_panics(one in value(), other in value()) {
            let schema = builtin_schemas().kind(&Gvk::new("apps/v1", "Deployment"));
            let _ = compare(&one, &other, schema, &mut Applied::new());
        }
    }
}
