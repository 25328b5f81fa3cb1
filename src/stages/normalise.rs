//! What is taken off or filled in before two objects are compared: one ordered list of rules.
//!
//! Each rule sees the object of one side and says whether it changed anything; what they did is counted and shown. Differences in
//! how one value is written (quantities, base64, numbers) are not rules of this list: see [`super::equality`].

use std::collections::BTreeMap;

use base64::Engine as _;
use serde_json::{Map, Value};

use crate::model::resource::GroupKind;
use crate::model::secret::LAST_APPLIED;

/// Which side an object is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// From Git.
    Declared,
    /// From the cluster.
    Live,
}

/// How often each rule had something to do on a declared object.
pub type Applied = BTreeMap<&'static str, u64>;

struct Rule {
    name: &'static str,
    /// Returns whether it changed the object.
    apply: fn(&mut Map<String, Value>, &GroupKind, Side) -> bool,
}

/// What the server writes in every object's metadata.
const BOOKKEEPING: &[&str] = &[
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// In order: later rules see what earlier ones left.
const RULES: &[Rule] = &[
    // Identity is what paired the two objects; list items of the API lack kind and apiVersion.
    Rule {
        name: "identity",
        apply: |object, _, _| {
            object.remove("apiVersion");
            object.remove("kind");
            if let Some(metadata) = metadata(object) {
                metadata.remove("name");
                metadata.remove("namespace");
                metadata.remove("generateName");
            }
            false
        },
    },
    // Written by the server for itself; a copy of it in Git was pasted there and declares nothing.
    Rule {
        name: "server-bookkeeping",
        apply: |object, _, _| {
            let Some(metadata) = metadata(object) else {
                return false;
            };
            let before = metadata.len();
            BOOKKEEPING.iter().for_each(|key| drop(metadata.remove(*key)));
            metadata.len() < before
        },
    },
    // Observed, not declared.
    Rule { name: "status", apply: |object, _, _| object.remove("status").is_some() },
    // Intent evidence, not content.
    Rule {
        name: "last-applied-annotation",
        apply: |object, _, _| {
            let annotations = metadata(object).and_then(|m| m.get_mut("annotations")).and_then(Value::as_object_mut);
            annotations.is_some_and(|a| a.remove(LAST_APPLIED).is_some())
        },
    },
    // SOPS keeps its own bookkeeping beside what it encrypted.
    Rule { name: "sops-metadata", apply: |object, _, side| side == Side::Declared && object.remove("sops").is_some() },
    // The aggregation controller fills these rules in; what Git writes there is overwritten.
    Rule {
        name: "aggregated-cluster-role",
        apply: |object, kind, _| {
            kind.group == "rbac.authorization.k8s.io"
                && kind.kind == "ClusterRole"
                && object.get("aggregationRule").is_some_and(|rule| !rule.is_null())
                && object.remove("rules").is_some()
        },
    },
    // What a claim's template has besides a claim's content is written by the server, as if it were a claim.
    Rule {
        name: "claim-template",
        apply: |object, kind, _| {
            if kind.group != "apps" || kind.kind != "StatefulSet" {
                return false;
            }
            let templates = object.get_mut("spec").and_then(|spec| spec.get_mut("volumeClaimTemplates"));
            let templates = templates.and_then(Value::as_array_mut).into_iter().flatten();
            templates.fold(false, |any, template| any | template.as_object_mut().is_some_and(bare_claim))
        },
    },
    // The server repacks the subsets of Endpoints and sorts them.
    Rule {
        name: "endpoints-subsets",
        apply: |object, kind, _| {
            let is_endpoints = kind.group.is_empty() && kind.kind == "Endpoints";
            let subsets = object.get_mut("subsets").and_then(Value::as_array_mut).filter(|_| is_endpoints);
            subsets.is_some_and(super::endpoints::repack)
        },
    },
    // What a limit leaves out is filled in from what it says. Source: `SetDefaults_LimitRangeItem` of Kubernetes.
    Rule {
        name: "limit-range-defaults",
        apply: |object, kind, _| {
            let is_range = kind.group.is_empty() && kind.kind == "LimitRange";
            let limits = object.get_mut("spec").and_then(|spec| spec.get_mut("limits")).filter(|_| is_range);
            let limits = limits.and_then(Value::as_array_mut).into_iter().flatten();
            limits.fold(false, |any, limit| any | limit.as_object_mut().is_some_and(fill_limit))
        },
    },
    // The tolerations that the server's admission gives to every Pod.
    Rule {
        name: "default-tolerations",
        apply: |object, kind, _| {
            let is_pod = kind.group.is_empty() && kind.kind == "Pod";
            let tolerations = object.get_mut("spec").and_then(|spec| spec.get_mut("tolerations")).filter(|_| is_pod);
            let Some(list) = tolerations.and_then(Value::as_array_mut) else { return false };
            let before = list.len();
            list.retain(|toleration| !is_default_toleration(toleration));
            list.len() < before
        },
    },
    // A placeholder says that somebody else is to put the certificate authority there.
    Rule {
        name: "ca-bundle-placeholder",
        apply: |object, kind, side| {
            let injected = matches!(
                kind.group.as_str(),
                "admissionregistration.k8s.io" | "apiextensions.k8s.io" | "apiregistration.k8s.io"
            );
            side == Side::Declared && injected && object.values_mut().fold(false, |any, v| any | drop_placeholders(v))
        },
    },
    // Labels or annotations that are null or empty declare none.
    Rule {
        name: "empty-metadata",
        apply: |object, _, side| {
            let Some(metadata) = metadata(object) else { return false };
            let before = metadata.len();
            let hollow = |value: &Value| value.is_null() || value.as_object().is_some_and(Map::is_empty);
            if side == Side::Declared {
                for name in ["labels", "annotations"] {
                    if metadata.get(name).is_some_and(hollow) {
                        metadata.remove(name);
                    }
                }
            }
            metadata.len() < before
        },
    },
];

/// Applies every rule to an object.
pub fn normalise(object: &mut Value, kind: &GroupKind, side: Side, applied: &mut Applied) {
    let Some(map) = object.as_object_mut() else {
        return;
    };
    for rule in RULES {
        if (rule.apply)(map, kind, side) && side == Side::Declared {
            *applied.entry(rule.name).or_default() += 1;
        }
    }
}

fn metadata(object: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    object.get_mut("metadata").and_then(Value::as_object_mut)
}

/// A container's default is its most, its request by default the default or else its least.
fn fill_limit(limit: &mut Map<String, Value>) -> bool {
    if limit.get("type").and_then(Value::as_str) != Some("Container") {
        return false;
    }
    let mut changed = false;
    for (to, from) in [("default", "max"), ("defaultRequest", "default"), ("defaultRequest", "min")] {
        let Some(source) = limit.get(from).and_then(Value::as_object).cloned() else { continue };
        let target = limit.entry(to).or_insert_with(|| Value::Object(Map::new()));
        let Some(target) = target.as_object_mut() else { continue };
        for (resource, quantity) in source {
            changed |= !target.contains_key(&resource);
            target.entry(resource).or_insert(quantity);
        }
    }
    changed
}

/// Takes off a claim's template what makes it look like a claim.
fn bare_claim(template: &mut Map<String, Value>) -> bool {
    let before = template.len();
    ["apiVersion", "kind", "status"].iter().for_each(|name| drop(template.remove(*name)));
    let stamped = metadata(template).is_some_and(|metadata| metadata.remove("creationTimestamp").is_some());
    stamped || template.len() < before
}

/// Source: the admission plugin DefaultTolerationSeconds of Kubernetes, with its default times.
fn is_default_toleration(toleration: &Value) -> bool {
    let text = |name: &str| toleration.get(name).and_then(Value::as_str);
    matches!(text("key"), Some("node.kubernetes.io/not-ready" | "node.kubernetes.io/unreachable"))
        && text("operator") == Some("Exists")
        && text("effect") == Some("NoExecute")
        && toleration.get("tolerationSeconds").and_then(Value::as_i64) == Some(300)
}

/// Removes every `caBundle` that holds nothing but white space.
fn drop_placeholders(value: &mut Value) -> bool {
    match value {
        Value::Object(map) => {
            let placeholder = map.get("caBundle").and_then(Value::as_str).is_some_and(|text| {
                let bytes = base64::engine::general_purpose::STANDARD.decode(text);
                bytes.is_ok_and(|bytes| bytes.trim_ascii().is_empty())
            });
            if placeholder {
                map.remove("caBundle");
            }
            map.values_mut().fold(placeholder, |any, below| any | drop_placeholders(below))
        }
        Value::Array(items) => items.iter_mut().fold(false, |any, below| any | drop_placeholders(below)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_rule_has_a_case() {
        let role = GroupKind::new("rbac.authorization.k8s.io", "ClusterRole");
        let cases = [
            (
                "server-bookkeeping",
                json!({"metadata": {"creationTimestamp": null, "labels": {"a": "b"}}}),
                json!({"metadata": {"labels": {"a": "b"}}}),
            ),
            ("server-bookkeeping", json!({"metadata": {"resourceVersion": "1", "uid": "x"}}), json!({"metadata": {}})),
            ("status", json!({"spec": 1, "status": {"a": 1}}), json!({"spec": 1})),
            (
                "last-applied-annotation",
                json!({"metadata": {"annotations": {LAST_APPLIED: "{}", "k": "v"}}}),
                json!({"metadata": {"annotations": {"k": "v"}}}),
            ),
            ("sops-metadata", json!({"data": {}, "sops": {"mac": "x"}}), json!({"data": {}})),
            (
                "aggregated-cluster-role",
                json!({"aggregationRule": {"x": 1}, "rules": [1]}),
                json!({"aggregationRule": {"x": 1}}),
            ),
        ];
        for (rule, mut object, expected) in cases {
            let mut applied = Applied::new();
            normalise(&mut object, &role, Side::Declared, &mut applied);
            assert_eq!(object, expected, "{rule}");
            assert_eq!(applied, Applied::from([(rule, 1)]), "{rule}");
        }
        let mut object = json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "a", "namespace": "b"}, "spec": {"name": "kept"}});
        normalise(&mut object, &role, Side::Live, &mut Applied::new());
        assert_eq!(object, json!({"metadata": {}, "spec": {"name": "kept"}}));
    }

    #[test]
    fn rules_of_a_cluster_role_without_aggregation_stay() {
        let role = GroupKind::new("rbac.authorization.k8s.io", "ClusterRole");
        let mut object = json!({"rules": [1]});
        normalise(&mut object, &role, Side::Live, &mut Applied::new());
        assert_eq!(object, json!({"rules": [1]}));
    }
}
