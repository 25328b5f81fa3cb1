//! Defaults that hang on what stands beside a field: the server fills them in, and no fixed value says with what.
//!
//! Source: the `defaults.go` files below `pkg/apis` of Kubernetes. The embedded facts mark every field whose default was seen to vary
//! (`d` in `x-go`), and a test holds this table against the marks: a release that adds such a default fails it.

/// By what a default is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Derived {
    /// One of these JSON values, where the server sets the field at all.
    OneOf(&'static [&'static str]),
    /// This JSON value, by the name of the field that the object around stands in.
    In(&'static [(&'static str, &'static str)]),
    /// One JSON value where a field beside it is set, another where it is not.
    Given {
        /// The other field.
        field: &'static str,
        /// The default where it is there.
        with: &'static str,
        /// The default where it is not.
        without: &'static str,
    },
    /// This JSON value, where nothing stands beside it but these fields.
    Alone(&'static str, &'static [&'static str]),
    /// The port of the container, in a Pod on the host's network.
    HostPort,
    /// The value of a field beside it.
    CopyOf(&'static str),
    /// The value that Git declares for a field beside it.
    CopyOfDeclared(&'static str),
    /// `Always` for the image tag `latest` or none at all, `IfNotPresent` for any other; the image is in the field beside it.
    PullPolicyOf(&'static str),
    /// `Ingress`, and `Egress` where the policy has rules for it.
    PolicyTypes,
    /// The kind, as the kind of its lists.
    ListKind,
    /// The kind in lower case.
    Singular,
    /// For each resource without a request its limit.
    Limits,
}

/// By definition (its name from the group on) and field.
const TABLE: &[(&str, &str, Derived)] = &[
    ("apps.v1.DaemonSetUpdateStrategy", "rollingUpdate", Derived::OneOf(&[r#"{"maxUnavailable":1,"maxSurge":0}"#])),
    ("apps.v1.DeploymentStrategy", "rollingUpdate", Derived::OneOf(&[r#"{"maxUnavailable":"25%","maxSurge":"25%"}"#])),
    ("apps.v1.RollingUpdateDaemonSet", "maxSurge", Derived::OneOf(&["0"])),
    ("apps.v1.RollingUpdateDaemonSet", "maxUnavailable", Derived::OneOf(&["1"])),
    ("apps.v1.RollingUpdateDeployment", "maxSurge", Derived::OneOf(&[r#""25%""#])),
    ("apps.v1.RollingUpdateDeployment", "maxUnavailable", Derived::OneOf(&[r#""25%""#])),
    ("apps.v1.RollingUpdateStatefulSetStrategy", "partition", Derived::OneOf(&["0"])),
    ("apps.v1.StatefulSetUpdateStrategy", "rollingUpdate", Derived::OneOf(&[r#"{"partition":0}"#])),
    // The conversion's: the newer version's default metric, written in the older one.
    ("autoscaling.v1.HorizontalPodAutoscalerSpec", "targetCPUUtilizationPercentage", Derived::OneOf(&["80"])),
    (
        "autoscaling.v2.HPAScalingRules",
        "policies",
        Derived::In(&[
            ("scaleDown", r#"[{"type":"Percent","value":100,"periodSeconds":15}]"#),
            (
                "scaleUp",
                r#"[{"type":"Pods","value":4,"periodSeconds":15},{"type":"Percent","value":100,"periodSeconds":15}]"#,
            ),
        ]),
    ),
    ("autoscaling.v2.HPAScalingRules", "stabilizationWindowSeconds", Derived::In(&[("scaleUp", "0")])),
    (
        "batch.v1.JobSpec",
        "backoffLimit",
        Derived::Given { field: "backoffLimitPerIndex", with: "2147483647", without: "6" },
    ),
    ("batch.v1.JobSpec", "completionMode", Derived::OneOf(&[r#""NonIndexed""#])),
    ("batch.v1.JobSpec", "completions", Derived::OneOf(&["1"])),
    ("batch.v1.JobSpec", "manualSelector", Derived::OneOf(&["false"])),
    ("batch.v1.JobSpec", "parallelism", Derived::OneOf(&["1"])),
    (
        "batch.v1.JobSpec",
        "podReplacementPolicy",
        Derived::Given { field: "podFailurePolicy", with: r#""Failed""#, without: r#""TerminatingOrFailed""# },
    ),
    ("batch.v1.JobSpec", "suspend", Derived::OneOf(&["false"])),
    ("core.v1.ClientIPConfig", "timeoutSeconds", Derived::OneOf(&["10800"])),
    ("core.v1.Container", "imagePullPolicy", Derived::PullPolicyOf("image")),
    ("core.v1.ContainerPort", "hostPort", Derived::HostPort),
    ("core.v1.EphemeralContainer", "imagePullPolicy", Derived::PullPolicyOf("image")),
    ("core.v1.ImageVolumeSource", "pullPolicy", Derived::PullPolicyOf("reference")),
    ("core.v1.PodSpec", "enableServiceLinks", Derived::OneOf(&["true"])),
    // What keeps nothing of the union's members has this one.
    ("core.v1.Volume", "emptyDir", Derived::Alone("{}", &["name"])),
    // Not by a defaulting function: the older name of a field is kept beside the newer one.
    ("core.v1.PodSpec", "serviceAccount", Derived::CopyOf("serviceAccountName")),
    ("core.v1.PodSpec", "serviceAccountName", Derived::CopyOfDeclared("serviceAccount")),
    // The Pod's admission copies the limits; a template keeps what it has.
    ("core.v1.ResourceRequirements", "requests", Derived::Limits),
    ("core.v1.ReplicationControllerSpec", "selector", Derived::CopyOf("template.metadata.labels")),
    ("core.v1.ServicePort", "targetPort", Derived::CopyOf("port")),
    ("core.v1.ServiceSpec", "allocateLoadBalancerNodePorts", Derived::OneOf(&["true"])),
    ("core.v1.ServiceSpec", "externalTrafficPolicy", Derived::OneOf(&[r#""Cluster""#])),
    ("core.v1.ServiceSpec", "internalTrafficPolicy", Derived::OneOf(&[r#""Cluster""#])),
    ("core.v1.ServiceSpec", "sessionAffinityConfig", Derived::OneOf(&[r#"{"clientIP":{"timeoutSeconds":10800}}"#])),
    ("core.v1.SessionAffinityConfig", "clientIP", Derived::OneOf(&[r#"{"timeoutSeconds":10800}"#])),
    ("networking.v1.NetworkPolicySpec", "policyTypes", Derived::PolicyTypes),
    ("rbac.v1.Subject", "apiGroup", Derived::OneOf(&[r#""rbac.authorization.k8s.io""#])),
    ("resource.v1.DeviceSubRequest", "count", Derived::OneOf(&["1"])),
    ("resource.v1.ExactDeviceRequest", "count", Derived::OneOf(&["1"])),
    ("apiextensions.v1.CustomResourceDefinitionNames", "listKind", Derived::ListKind),
    ("apiextensions.v1.CustomResourceDefinitionNames", "singular", Derived::Singular),
];

/// How the default of a field of a Kubernetes type is decided, if it hangs on others.
pub(super) fn derived(definition: &str, field: &str) -> Option<Derived> {
    TABLE.iter().find(|(type_name, name, _)| *name == field && ends_with(definition, type_name)).map(|(_, _, d)| *d)
}

/// `io.k8s.api.core.v1.PodSpec` ends with `core.v1.PodSpec`, and `….apis.apiextensions.v1.…` likewise.
fn ends_with(definition: &str, name: &str) -> bool {
    definition.strip_suffix(name).is_some_and(|before| before.ends_with('.'))
}

/// Fields whose default varies and that nobody declares: what controllers and the server observe.
#[cfg(test)]
pub(super) const OBSERVED: &[(&str, &str)] = &[
    ("core.v1.LoadBalancerIngress", "ipMode"),
    ("core.v1.NodeStatus", "allocatable"),
    ("apiextensions.v1.CustomResourceDefinitionStatus", "storedVersions"),
    ("meta.v1.ObjectMeta", "labels"),
];
