//! Fields and entries that people add to what runs.

use serde_json::{Value, json};

use super::tree::{Op, get};
use crate::random::Random;

/// Adds something that is not there.
pub fn add(kind: &str, live: &Value, fixed: bool, random: &mut Random) -> Option<Op> {
    let mut candidates: Vec<(Vec<String>, Value)> = Vec::new();
    let mut offer = |pointer: &[&str], value: Value| {
        candidates.push((pointer.iter().map(|s| (*s).to_owned()).collect(), value));
    };
    offer(&["metadata", "labels", "by-hand"], json!("yes"));
    offer(&["metadata", "labels", "example.com/by-hand"], json!("x.y"));
    offer(&["metadata", "annotations", "example.com/changed-by"], json!("eve"));
    offer(&["metadata", "annotations", "plain"], json!(""));
    if !fixed {
        for (kinds, pointer, value) in of_kinds() {
            if kinds.contains(&kind) {
                offer(pointer, value);
            }
        }
        if let Some(pod) = pod_spec(kind) {
            let at = |field: &'static str| [pod, &[field]].concat();
            for (field, value) in pod_fields() {
                offer(&at(field), value);
            }
            let template = &pod[..pod.len() - 1];
            offer(&[template, &["metadata", "annotations", "example.com/injected"]].concat(), json!("true"));
            offer(&[template, &["metadata", "labels", "by-hand"]].concat(), json!("true"));
            offer(&at("nodeSelector"), json!({"by": "hand"}));
            offer(&[pod, &["nodeSelector", "by"]].concat(), json!("hand"));
            let pointer: Vec<String> = at("containers").iter().map(|s| (*s).to_owned()).collect();
            let containers = get(live, &pointer).and_then(Value::as_array).map_or(0, Vec::len);
            let container = random.below(containers).to_string();
            for (field, value) in container_fields() {
                let pointer = [pod, &["containers", &container], field].concat();
                candidates.push((pointer.iter().map(|s| (*s).to_owned()).collect(), value));
            }
        }
    }
    // A field with a parent that is there; JSON Patch makes no parents.
    let fits = |pointer: &[String]| {
        let parent = get(live, &pointer[..pointer.len() - 1]);
        parent.is_some_and(Value::is_object) && get(live, pointer).is_none()
    };
    candidates.retain(|(pointer, _)| fits(pointer));
    // Metadata alone would be chosen most of the time.
    if candidates.len() > 12 && random.chance(80) {
        candidates.retain(|(pointer, _)| pointer[0] != "metadata");
    }
    if candidates.is_empty() {
        // A map that is not there comes with its first entry.
        return metadata_map(live);
    }
    let (pointer, value) = random.take(&mut candidates)?;
    Some(Op::set(live, pointer, value))
}

fn metadata_map(live: &Value) -> Option<Op> {
    let pointer = |name: &str| vec!["metadata".to_owned(), name.to_owned()];
    let missing = ["annotations", "labels"].into_iter().find(|name| get(live, &pointer(name)).is_none())?;
    Some(Op::set(live, pointer(missing), json!({"first": "one", "second": "two"})))
}

fn pod_spec(kind: &str) -> Option<&'static [&'static str]> {
    match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" => Some(&["spec", "template", "spec"]),
        "CronJob" => Some(&["spec", "jobTemplate", "spec", "template", "spec"]),
        _ => None,
    }
}

fn pod_fields() -> Vec<(&'static str, Value)> {
    vec![
        (
            "affinity",
            json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]}}}),
        ),
        ("tolerations", json!([{"operator": "Exists"}])),
        ("hostAliases", json!([{"ip": "10.0.0.9", "hostnames": ["evil.local"]}])),
        ("hostPID", json!(true)),
        ("shareProcessNamespace", json!(true)),
        ("priorityClassName", json!("system-cluster-critical")),
        ("runtimeClassName", json!("runsc")),
        ("serviceAccountName", json!("admin")),
        ("automountServiceAccountToken", json!(false)),
        ("nodeName", json!("node-1")),
        ("imagePullSecrets", json!([{"name": "extra"}])),
        ("dnsConfig", json!({"nameservers": ["10.0.0.10"]})),
        (
            "topologySpreadConstraints",
            json!([{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}]),
        ),
        ("readinessGates", json!([{"conditionType": "example.com/ready"}])),
        ("activeDeadlineSeconds", json!(100)),
        ("initContainers", json!([{"name": "first", "image": "busybox"}])),
        ("volumes", json!([{"name": "extra", "emptyDir": {}}])),
        ("hostUsers", json!(false)),
        ("subdomain", json!("sub")),
        ("enableServiceLinks", json!(false)),
    ]
}

fn container_fields() -> Vec<(&'static [&'static str], Value)> {
    vec![
        (&["workingDir"], json!("/srv")),
        (&["stdin"], json!(true)),
        (&["tty"], json!(true)),
        (&["command"], json!(["sh", "-c", "sleep 1"])),
        (&["args"], json!(["--debug"])),
        (&["env"], json!([{"name": "INJECTED", "value": "1"}])),
        (&["envFrom"], json!([{"secretRef": {"name": "keys"}}])),
        (&["ports"], json!([{"containerPort": 4444}])),
        (&["securityContext"], json!({"privileged": true})),
        (&["securityContext", "runAsUser"], json!(0)),
        (&["securityContext", "capabilities"], json!({"add": ["SYS_ADMIN"]})),
        (&["livenessProbe"], json!({"tcpSocket": {"port": 80}})),
        (&["livenessProbe", "terminationGracePeriodSeconds"], json!(7)),
        (&["readinessProbe", "initialDelaySeconds"], json!(9)),
        (&["readinessProbe"], json!({"exec": {"command": ["true"]}})),
        (&["lifecycle"], json!({"postStart": {"exec": {"command": ["true"]}}})),
        (&["resources", "limits"], json!({"cpu": "7", "memory": "20Gi"})),
        (&["resources", "limits", "ephemeral-storage"], json!("1G")),
        (&["resources", "requests"], json!({"memory": "1Mi"})),
        (&["volumeDevices"], json!([])),
        (&["volumeMounts"], json!([])),
        (&["restartPolicy"], json!("Always")),
    ]
}

type OfKind = (&'static [&'static str], &'static [&'static str], Value);

fn of_kinds() -> Vec<OfKind> {
    vec![
        (&["Deployment"], &["spec", "minReadySeconds"], json!(9)),
        (&["Deployment"], &["spec", "paused"], json!(true)),
        (&["StatefulSet", "DaemonSet"], &["spec", "minReadySeconds"], json!(9)),
        (&["StatefulSet"], &["spec", "ordinals"], json!({"start": 3})),
        (&["Job"], &["spec", "activeDeadlineSeconds"], json!(9000)),
        (&["Job"], &["spec", "ttlSecondsAfterFinished"], json!(9000)),
        (&["CronJob"], &["spec", "startingDeadlineSeconds"], json!(77)),
        (&["CronJob"], &["spec", "timeZone"], json!("Etc/UTC")),
        (&["CronJob"], &["spec", "jobTemplate", "spec", "backoffLimit"], json!(1)),
        (&["Service"], &["spec", "externalIPs"], json!(["203.0.113.7"])),
        (&["Service"], &["spec", "publishNotReadyAddresses"], json!(true)),
        (&["Service"], &["spec", "selector", "extra"], json!("x")),
        (&["Service"], &["spec", "trafficDistribution"], json!("PreferClose")),
        (&["Service"], &["spec", "ports", "0", "appProtocol"], json!("h2c")),
        (&["Ingress"], &["spec", "defaultBackend"], json!({"service": {"name": "web", "port": {"number": 80}}})),
        (&["Ingress"], &["spec", "tls"], json!([{"hosts": ["x.example.com"]}])),
        (&["NetworkPolicy"], &["spec", "ingress"], json!([{}])),
        (&["NetworkPolicy"], &["spec", "egress"], json!([{}])),
        (&["NetworkPolicy"], &["spec", "podSelector", "matchLabels"], json!({"only": "me"})),
        (&["HorizontalPodAutoscaler"], &["spec", "behavior"], json!({"scaleDown": {"stabilizationWindowSeconds": 9}})),
        (&["PodDisruptionBudget"], &["spec", "unhealthyPodEvictionPolicy"], json!("AlwaysAllow")),
        (&["PodDisruptionBudget"], &["spec", "selector", "matchLabels", "extra"], json!("x")),
        (&["ConfigMap"], &["data", "added"], json!("by hand")),
        (&["ConfigMap"], &["data"], json!({"a": "1", "b": "2"})),
        (&["ConfigMap"], &["binaryData"], json!({"bin": "AAEC"})),
        (&["ConfigMap", "Secret"], &["immutable"], json!(true)),
        (&["Secret"], &["data", "added"], json!("YWRkZWQ=")),
        (&["Secret"], &["data"], json!({"added": "YWRkZWQ="})),
        (&["ServiceAccount"], &["imagePullSecrets"], json!([{"name": "extra"}])),
        (&["ServiceAccount"], &["secrets"], json!([{"name": "extra"}])),
        (&["ServiceAccount"], &["automountServiceAccountToken"], json!(false)),
        (&["Role", "ClusterRole"], &["rules"], json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}])),
        (&["RoleBinding", "ClusterRoleBinding"], &["subjects"], json!([{"kind": "User", "name": "eve"}])),
        (&["LimitRange"], &["spec", "limits", "0", "min"], json!({"cpu": "1m"})),
        (&["ResourceQuota"], &["spec", "hard", "requests.cpu"], json!("900")),
        (
            &["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"],
            &["webhooks", "0", "objectSelector", "matchLabels"],
            json!({"skip": "me"}),
        ),
        (&["MutatingWebhookConfiguration"], &["webhooks", "0", "reinvocationPolicy"], json!("IfNeeded")),
        (
            &["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"],
            &["webhooks", "0", "matchConditions"],
            json!([{"name": "never", "expression": "false"}]),
        ),
        (&["RuntimeClass"], &["scheduling"], json!({"nodeSelector": {"a": "b"}})),
        (&["Gadget"], &["spec", "free"], json!({"deep": {"er": [1, {"a": null}]}})),
        (&["Gadget"], &["spec", "free", "added"], json!({"x": [1, 2]})),
        (&["Gadget"], &["spec", "settings", "added"], json!("x")),
        (&["Gadget"], &["spec", "settings"], json!({"added": "x", "also": "y"})),
        (&["Gadget"], &["spec", "limits"], json!({"cpu": "3"})),
        (&["Gadget"], &["spec", "count"], json!(0)),
        (&["Gadget"], &["spec", "off"], json!(false)),
        (&["Gadget"], &["spec", "note"], json!("")),
        (&["Gadget"], &["spec", "pair"], json!({"a": "z"})),
        (&["Gadget"], &["spec", "modes"], json!(["added"])),
        (&["Gadget"], &["spec", "servers"], json!([{"name": "added"}])),
        (&["Gadget"], &["spec", "steps"], json!([{"run": "added"}])),
        (&["Gadget"], &["spec", "unknown"], json!("pruned")),
    ]
}
