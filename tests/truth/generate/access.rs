//! Roles and bindings.

use serde_json::{Value, json};

use super::Maker;

impl Maker<'_> {
    pub(super) fn access(&mut self) {
        let rules = json!([
            {"apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": ["get", "list"]},
            {"apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": ["api"], "verbs": ["get", "patch"]},
        ]);
        let metadata = self.metadata("reader");
        self.namespaced(json!({"apiVersion": RBAC, "kind": "Role", "metadata": metadata, "rules": rules}));
        let metadata = self.metadata("nothing");
        let mut empty = json!({"apiVersion": RBAC, "kind": "Role", "metadata": metadata});
        self.one_or_none(&mut empty, "rules", &[json!([]), Value::Null]);
        self.namespaced(empty);
        let metadata = self.metadata("reader");
        self.namespaced(json!({"apiVersion": RBAC, "kind": "RoleBinding", "metadata": metadata,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
            "subjects": [{"kind": "ServiceAccount", "name": "runner", "namespace": self.place.namespace},
                {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "shop"}, {"kind": "User", "name": "ada"}]}));

        let prefix = self.place.namespace.clone();
        let mut rules = rules;
        if let Some(rules) = rules.as_array_mut() {
            rules.push(json!({"nonResourceURLs": ["/metrics"], "verbs": ["get"]}));
        }
        let mut metadata = self.metadata(&format!("{prefix}-viewer"));
        metadata["labels"] = json!({format!("{prefix}/aggregate"): "true"});
        self.cluster_wide_object(
            json!({"apiVersion": RBAC, "kind": "ClusterRole", "metadata": metadata, "rules": rules}),
        );
        let metadata = self.metadata(&format!("{prefix}-all"));
        let mut aggregated = json!({"apiVersion": RBAC, "kind": "ClusterRole", "metadata": metadata,
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {format!("{prefix}/aggregate"): "true"}}]}});
        self.one_or_none(&mut aggregated, "rules", &[json!([]), Value::Null]);
        self.cluster_wide_object(aggregated);
        let metadata = self.metadata(&format!("{prefix}-viewer"));
        let mut binding = json!({"apiVersion": RBAC, "kind": "ClusterRoleBinding", "metadata": metadata,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": format!("{prefix}-viewer")}});
        self.one_or_none(
            &mut binding,
            "subjects",
            &[json!([]), json!([{"kind": "ServiceAccount", "name": "runner", "namespace": prefix}])],
        );
        self.cluster_wide_object(binding);
    }
}

const RBAC: &str = "rbac.authorization.k8s.io/v1";
