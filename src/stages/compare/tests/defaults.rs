//! The server's defaults, and what they hang on.

use super::*;

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
