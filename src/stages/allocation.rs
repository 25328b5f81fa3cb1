//! What the server, its admission and its controllers choose for an object: addresses, ports, names, bindings. Git rarely declares it,
//! and it differs from cluster to cluster.

use serde_json::Value;
use wildmatch::WildMatch;

use crate::model::field_path::{FieldPath, Step};
use crate::model::resource::ObjectId;

/// Paths by kind; `*` stands for any text. Source: the strategies and allocators below `pkg/registry` of Kubernetes, its default
/// admission plugins, and the Job controller.
const ALLOCATED: &[(&str, &[&str])] = &[
    (
        "Service",
        &[
            ".spec.clusterIP",
            ".spec.clusterIPs*",
            ".spec.ipFamilies*",
            ".spec.ipFamilyPolicy",
            ".spec.ports[*].nodePort",
            ".spec.healthCheckNodePort",
        ],
    ),
    ("DaemonSet.apps", &[r#".metadata.annotations["deprecated.daemonset.template.generation"]"#]),
    ("PersistentVolumeClaim", &[".spec.volumeName", ".spec.storageClassName", ".spec.volumeMode"]),
    ("PersistentVolume", &[".spec.claimRef*", ".spec.nodeAffinity*"]),
    ("Namespace", &[".spec.finalizers*", r#".metadata.labels["kubernetes.io/metadata.name"]"#]),
    (
        "Job.batch",
        &[
            ".spec.selector*",
            r#".spec.template.metadata.labels["controller-uid"]"#,
            r#".spec.template.metadata.labels["job-name"]"#,
            r#".spec.template.metadata.labels["batch.kubernetes.io/controller-uid"]"#,
            r#".spec.template.metadata.labels["batch.kubernetes.io/job-name"]"#,
        ],
    ),
    (
        "Pod",
        &[
            ".spec.nodeName",
            ".spec.hostname",
            ".spec.priority",
            ".spec.preemptionPolicy",
            ".spec.serviceAccount",
            ".spec.serviceAccountName",
            ".spec.tolerations*",
            ".spec.overhead*",
            ".spec.imagePullSecrets*",
            r#".spec.volumes[name="kube-api-access-*"]"#,
            r#"*.volumeMounts[mountPath="/var/run/secrets/kubernetes.io/serviceaccount"]"#,
        ],
    ),
    // At the older version, what the newer one observes is written as annotations.
    (
        "HorizontalPodAutoscaler.autoscaling",
        &[
            r#".metadata.annotations["autoscaling.alpha.kubernetes.io/conditions"]"#,
            r#".metadata.annotations["autoscaling.alpha.kubernetes.io/current-metrics"]"#,
        ],
    ),
    ("Ingress.networking.k8s.io", &[".spec.ingressClassName"]),
    ("APIService.apiregistration.k8s.io", &[r#".metadata.labels["kube-aggregator.kubernetes.io/*"]"#]),
    (
        "CertificateSigningRequest.certificates.k8s.io",
        &[".spec.username", ".spec.uid", ".spec.groups*", ".spec.extra*"],
    ),
];

/// Whether the server chooses what stands at this path of a live object.
pub fn is_allocated(object: &ObjectId, path: &FieldPath, live: &Value) -> bool {
    let kind = object.group_kind().to_string();
    match kind.as_str() {
        "ServiceAccount" => return is_token_secret(object, path),
        "Job.batch" | "ReplicationController" if is_label_of_template(path, live) => return true,
        _ => {}
    }
    let Some((_, patterns)) = ALLOCATED.iter().find(|(known, _)| *known == kind) else { return false };
    let path = path.to_string();
    patterns.iter().any(|pattern| WildMatch::new(pattern).matches(&path))
}

/// An object that declares no labels gets those of its Pods' template.
fn is_label_of_template(path: &FieldPath, live: &Value) -> bool {
    let [Step::Field(metadata), Step::Field(labels), Step::Field(name)] = path.steps() else { return false };
    let of = |labels: Option<&Value>| labels.and_then(|labels| labels.get(name)).cloned();
    metadata == "metadata"
        && labels == "labels"
        && of(live.pointer("/spec/template/metadata/labels")) == of(live.pointer("/metadata/labels"))
}

/// `secrets[name="api-token-x7k2p"]` of the ServiceAccount `api`: made for it by the token controller, or by OpenShift for its registry.
fn is_token_secret(object: &ObjectId, path: &FieldPath) -> bool {
    let [Step::Field(list), Step::Key(keys)] = path.steps() else { return false };
    let name = keys.iter().find(|(key, _)| key == "name").and_then(|(_, value)| Value::as_str(value));
    let rest = name.and_then(|name| name.strip_prefix(object.name.as_str()));
    list == "secrets" && rest.is_some_and(|rest| rest.starts_with("-token-") || rest.starts_with("-dockercfg-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::resource::GroupKind;

    #[test]
    fn what_the_server_chooses_and_what_it_does_not() {
        let live = serde_json::json!({"metadata": {"labels": {"job": "a", "owner": "x"}},
            "spec": {"template": {"metadata": {"labels": {"job": "a", "owner": "y"}}}}});
        for (kind, path, expected) in [
            ("Service", ".spec.clusterIP", true),
            ("Service", r#".spec.ports[port=80,protocol="TCP"].nodePort"#, true),
            ("Service", ".spec.externalIPs", false),
            ("Namespace", r#".metadata.labels["kubernetes.io/metadata.name"]"#, true),
            ("Namespace", r#".metadata.labels["pod-security.kubernetes.io/enforce"]"#, false),
            ("Job.batch", r#".spec.template.metadata.labels["batch.kubernetes.io/job-name"]"#, true),
            ("Job.batch", r#".spec.template.metadata.labels["owner"]"#, false),
            ("ServiceAccount", r#".secrets[name="a-token-x7k2p"]"#, true),
            ("ServiceAccount", r#".secrets[name="admin-token-x7k2p"]"#, false),
            ("ConfigMap", ".spec.clusterIP", false),
            ("Job.batch", ".metadata.labels.job", true),
            ("Job.batch", ".metadata.labels.owner", false),
        ] {
            let (kind, group) = kind.split_once('.').unwrap_or((kind, ""));
            let GroupKind { group, kind } = GroupKind::new(group, kind);
            let object = ObjectId { group, kind, namespace: Some("n".into()), name: "a".into() };
            let found = is_allocated(&object, &FieldPath::parse(path).unwrap(), &live);
            assert_eq!(found, expected, "{object} {path}");
        }
    }
}
