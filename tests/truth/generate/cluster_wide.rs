//! Classes and admission webhooks.

use serde_json::{Value, json};

use super::Maker;

impl Maker<'_> {
    pub(super) fn cluster_wide(&mut self) {
        let prefix = self.place.namespace.clone();
        let metadata = self.metadata(&format!("{prefix}-high"));
        let mut class = json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": metadata, "value": 1000, "description": "ours"});
        self.one_or_none(&mut class, "globalDefault", &[json!(false)]);
        self.one_or_none(&mut class, "preemptionPolicy", &[json!("PreemptLowerPriority"), json!("Never")]);
        self.cluster_wide_object(class);

        let metadata = self.metadata(&format!("{prefix}-nginx"));
        let mut class = json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": metadata, "spec": {"controller": "example.com/ingress"}});
        self.maybe(
            40,
            &mut class["spec"],
            "parameters",
            json!({"apiGroup": "example.com", "kind": "Params", "name": "p"}),
        );
        self.cluster_wide_object(class);

        let metadata = self.metadata(&format!("{prefix}-sandbox"));
        let mut class =
            json!({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": metadata, "handler": "runsc"});
        self.maybe(50, &mut class, "overhead", json!({"podFixed": {"cpu": "0.25", "memory": "1024Ki"}}));
        self.maybe(
            40,
            &mut class,
            "scheduling",
            json!({"nodeSelector": {"sandbox": "true"}, "tolerations": [{"operator": "Exists"}]}),
        );
        self.cluster_wide_object(class);

        for kind in ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"] {
            self.webhooks(kind);
        }
    }

    /// For a group that does not exist, so that nobody is ever asked.
    fn webhooks(&mut self, kind: &str) {
        let mut webhooks = Vec::new();
        for name in ["a.hooks.example.com", "b.hooks.example.com"].into_iter().take(1 + self.random.below(2)) {
            let mut webhook = json!({
                "name": name, "admissionReviewVersions": ["v1"], "sideEffects": "None",
                "clientConfig": {"service": {"name": "hooks", "namespace": self.place.namespace}},
                "rules": [{"apiGroups": ["nothing.example.com"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["things"]}],
            });
            self.one_or_none(&mut webhook, "failurePolicy", &[json!("Fail"), json!("Ignore")]);
            self.one_or_none(&mut webhook, "matchPolicy", &[json!("Equivalent"), json!("Exact")]);
            self.one_or_none(&mut webhook, "timeoutSeconds", &[json!(10), json!(5)]);
            self.one_or_none(&mut webhook, "namespaceSelector", &[json!({}), json!({"matchLabels": {"a": "b"}})]);
            self.maybe(20, &mut webhook["rules"][0], "scope", json!("*"));
            self.maybe(30, &mut webhook["clientConfig"]["service"], "port", json!(443));
            self.maybe(30, &mut webhook["clientConfig"]["service"], "path", json!("/check"));
            self.maybe(20, &mut webhook["clientConfig"], "caBundle", Value::Null);
            self.maybe(20, &mut webhook, "matchConditions", json!([{"name": "not-system", "expression": "true"}]));
            webhooks.push(webhook);
        }
        let metadata = self.metadata(&format!("{}-hooks", self.place.namespace));
        self.cluster_wide_object(json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": metadata, "webhooks": webhooks}));
    }
}
