//! Namespace, ConfigMaps, Secrets, ServiceAccounts, quotas and limits.

use serde_json::{Value, json};

use super::Maker;

impl Maker<'_> {
    pub(super) fn namespace(&mut self) {
        let mut metadata = json!({"name": self.place.namespace, "labels": {"team": "shop"}});
        self.maybe(30, &mut metadata, "annotations", json!({"example.com/cost-centre": "42"}));
        self.maybe(20, &mut metadata["labels"], "pod-security.kubernetes.io/enforce", json!("privileged"));
        self.cluster_wide_object(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}));
    }

    pub(super) fn config(&mut self) {
        self.config_map();
        self.odd_config_map();
        self.secrets();
        self.service_accounts();
        self.limits();
    }

    fn config_map(&mut self) {
        let mut map = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {
            "LOG_LEVEL": "info", "enabled": "yes", "mode": "0644", "empty": "",
            "app.toml": "[server]\nport = 8080\n\n[log]\nlevel = \"info\"\n",
            "windows.ini": "a=1\r\nb=2\r\n",
        }});
        map["metadata"] = self.metadata("config");
        self.maybe(20, &mut map, "binaryData", json!({"logo": "iVBORw0KGgo="}));
        self.maybe(15, &mut map, "immutable", json!(false));
        self.namespaced(map);
    }

    fn odd_config_map(&mut self) {
        let mut map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": self.metadata("odd")});
        self.one_or_none(&mut map, "data", &[json!({}), Value::Null, json!({"only": "1"})]);
        self.one_or_none(&mut map, "binaryData", &[json!({}), Value::Null]);
        self.namespaced(map);
    }

    fn secrets(&mut self) {
        let mut keys = json!({"apiVersion": "v1", "kind": "Secret", "metadata": self.metadata("keys")});
        match self.random.below(4) {
            0 => keys["stringData"] = json!({"k": "top", "multi": "line one\nline two\n"}),
            1 => keys["data"] = json!({"k": "dG9w", "wrapped": "bGluZSBvbmUK\nbGluZSB0d28K\n"}),
            2 => {
                // What stringData says wins.
                keys["data"] = json!({"k": "b3RoZXI=", "other": "b3RoZXI="});
                keys["stringData"] = json!({"k": "top"});
            }
            _ => {
                keys["data"] = json!({"k": "dG9w", "nothing": Value::Null, "empty": ""});
                keys["type"] = json!("Opaque");
            }
        }
        self.maybe(15, &mut keys, "immutable", json!(false));
        self.namespaced(keys);
        let mut tls = json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": self.metadata("tls")});
        tls["stringData"] =
            json!({"tls.crt": "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", "tls.key": ""});
        self.namespaced(tls);
        let mut bare = json!({"apiVersion": "v1", "kind": "Secret", "metadata": self.metadata("bare")});
        self.one_or_none(&mut bare, "data", &[json!({}), Value::Null]);
        self.one_or_none(&mut bare, "stringData", &[json!({}), Value::Null]);
        self.namespaced(bare);
    }

    fn service_accounts(&mut self) {
        let mut runner = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": self.metadata("runner")});
        self.one_or_none(&mut runner, "automountServiceAccountToken", &[json!(false), json!(true)]);
        self.one_or_none(
            &mut runner,
            "imagePullSecrets",
            &[json!([]), json!([{"name": "pull-a"}, {"name": "pull-b"}])],
        );
        self.one_or_none(&mut runner, "secrets", &[json!([]), json!([{"name": "keys"}])]);
        self.namespaced(runner);
    }

    fn limits(&mut self) {
        let (cpu, memory) = (self.cpu(), self.memory());
        let metadata = self.metadata("quota");
        let mut hard = json!({"limits.cpu": "1e3", "requests.storage": "1Ti", "count/configmaps": 500, "pods": "500"});
        self.maybe(30, &mut hard, "services.nodeports", json!("100"));
        // Of a class that no Pod here has, so that it refuses none.
        self.namespaced(json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata,
            "spec": {"hard": hard_of_terminating(&hard), "scopes": ["Terminating"]}}));
        let metadata = self.metadata("limits");
        self.namespaced(json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": {"limits": [
            {"type": "Container", "default": {"cpu": cpu, "memory": memory}, "max": {"memory": "16Gi"}},
            {"type": "PersistentVolumeClaim", "max": {"storage": "0.5Ti"}, "min": {"storage": 1024}}]}}));
    }
}

/// A scope allows only some of the resources.
fn hard_of_terminating(hard: &Value) -> Value {
    json!({"limits.cpu": hard["limits.cpu"], "pods": hard["pods"], "requests.memory": "1000G"})
}
