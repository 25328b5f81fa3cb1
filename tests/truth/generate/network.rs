//! Services, Ingresses and NetworkPolicies.

use serde_json::{Value, json};

use super::Maker;

impl Maker<'_> {
    pub(super) fn network(&mut self) {
        for (name, kind) in [
            ("api", ""),
            ("web", "ClusterIP"),
            ("node", "NodePort"),
            ("edge", "LoadBalancer"),
            ("db", "None"),
            ("out", "ExternalName"),
        ] {
            self.service(name, kind);
        }
        self.ingress();
        self.network_policy("plain");
        self.network_policy("odd");
        self.typo();
    }

    fn service(&mut self, name: &str, kind: &str) {
        let mut spec = match kind {
            "None" => json!({"clusterIP": "None"}),
            "ExternalName" => json!({"type": kind, "externalName": "db.example.com"}),
            "" => json!({}),
            _ => json!({"type": kind}),
        };
        let mut ports = vec![
            json!({"name": "http", "port": 80}),
            json!({"name": "metrics", "port": 9090, "targetPort": 9090}),
            json!({"name": "named", "port": 8081, "targetPort": "web"}),
            json!({"name": "dns", "port": 53, "protocol": "UDP"}),
            json!({"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53}),
        ];
        self.random.shuffle(&mut ports);
        ports.truncate(1 + self.random.below(4));
        if kind == "LoadBalancer" {
            ports.retain(|port| port["protocol"] != "UDP");
        }
        if let [only] = ports.as_mut_slice()
            && self.random.chance(50)
        {
            only.as_object_mut().map(|port| port.remove("name"));
        }
        if kind != "ExternalName" || self.random.chance(30) {
            if !ports.is_empty() {
                spec["ports"] = Value::from(ports);
            } else {
                spec["ports"] = json!([{"port": 443}]);
            }
        }
        if kind != "ExternalName" {
            spec["selector"] = json!({"app.kubernetes.io/name": name, "part": "main"});
            self.one_or_none(&mut spec, "sessionAffinity", &[json!("None"), json!("ClientIP")]);
            self.maybe(10, &mut spec, "publishNotReadyAddresses", json!(false));
            self.maybe(10, &mut spec, "ipFamilyPolicy", json!("SingleStack"));
            self.maybe(10, &mut spec, "internalTrafficPolicy", json!("Cluster"));
            self.maybe(10, &mut spec, "externalIPs", json!([]));
        }
        if kind == "LoadBalancer" {
            self.maybe(30, &mut spec, "externalTrafficPolicy", json!("Local"));
            self.maybe(30, &mut spec, "loadBalancerSourceRanges", json!(["10.0.0.0/8", "192.168.0.0/16"]));
            self.maybe(20, &mut spec, "allocateLoadBalancerNodePorts", json!(false));
        }
        let metadata = self.metadata(name);
        self.namespaced(json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}));
    }

    fn ingress(&mut self) {
        let mut spec = json!({"rules": [
            {"host": "shop.example.com", "http": {"paths": [
                {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}},
                {"path": "/api", "pathType": "Exact", "backend": {"service": {"name": "api", "port": {"name": "http"}}}}]}},
            {"http": {"paths": [{"pathType": "ImplementationSpecific", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}},
        ]});
        self.maybe(40, &mut spec, "ingressClassName", json!("nginx"));
        self.maybe(40, &mut spec, "tls", json!([{"hosts": ["shop.example.com"], "secretName": "tls"}]));
        self.maybe(15, &mut spec, "tls", json!([]));
        let metadata = self.metadata("shop");
        self.namespaced(
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec}),
        );
    }

    fn network_policy(&mut self, name: &str) {
        let mut spec = json!({"podSelector": {}});
        if name == "plain" {
            spec["podSelector"] = json!({"matchLabels": {"app.kubernetes.io/name": "api"}});
        }
        self.one_or_none(
            &mut spec,
            "ingress",
            &[
                json!([]),
                json!([{}]),
                json!([{"from": [{"podSelector": {}}, {"namespaceSelector": {"matchLabels": {"a": "b"}}}], "ports": [{"port": 80}]}]),
                json!([{"from": [], "ports": []}]),
            ],
        );
        self.one_or_none(
            &mut spec,
            "egress",
            &[json!([]), json!([{"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}], "ports": [{"protocol": "UDP", "port": 53}, {"port": "dns"}]}])],
        );
        self.one_or_none(&mut spec, "policyTypes", &[json!(["Ingress"]), json!(["Egress", "Ingress"]), json!([])]);
        let metadata = self.metadata(name);
        self.namespaced(
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}),
        );
    }

    /// A field that the server does not know and drops: to be told, and nothing else.
    fn typo(&mut self) {
        if self.place.way.applies_server_side() {
            return;
        }
        self.namespaced(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "typo"},
            "spec": {"ports": [{"port": 80}], "sessionAfinity": "ClientIP"}}));
        let object = self.objects.last_mut().expect("just added");
        object.honest.push(("DL007", ".spec.sessionAfinity".to_owned()));
    }
}
