//! What the server, its admission and its controllers choose for an object: addresses, ports, names, bindings. Git rarely declares it,
//! and it differs from cluster to cluster.

use serde_json::Value;
use wildmatch::WildMatch;

use crate::model::field_path::FieldPath;
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

/// Whether the server chooses this value.
pub fn is_allocated(object: &ObjectId, path: &FieldPath) -> bool {
    let kind = object.group_kind().to_string();
    if kind == "ServiceAccount" {
        return is_token_secret(object, path);
    }
    let Some((_, patterns)) = ALLOCATED.iter().find(|(known, _)| *known == kind) else { return false };
    let path = path.to_string();
    patterns.iter().any(|pattern| WildMatch::new(pattern).matches(&path))
}

/// `secrets[name="api-token-x7k2p"]` of the ServiceAccount `api`: made for it by the token controller, or by OpenShift for its registry.
fn is_token_secret(object: &ObjectId, path: &FieldPath) -> bool {
    use crate::model::field_path::Step;
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
        ] {
            let (kind, group) = kind.split_once('.').unwrap_or((kind, ""));
            let GroupKind { group, kind } = GroupKind::new(group, kind);
            let object = ObjectId { group, kind, namespace: Some("n".into()), name: "a".into() };
            assert_eq!(is_allocated(&object, &FieldPath::parse(path).unwrap()), expected, "{object} {path}");
        }
    }
}
