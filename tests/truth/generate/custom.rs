//! A kind of our own, with defaults, keyed lists, sets, int-or-string, quantities and a part without schema; and objects of it.

use serde_json::{Value, json};

use super::Maker;

impl Maker<'_> {
    pub(super) fn custom_definitions(&mut self) {
        let server = json!({"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string"}, "port": {"type": "integer", "default": 80}, "weight": {"type": "integer"},
            "tls": {"type": "object", "default": {}, "properties": {"mode": {"type": "string", "default": "strict"}, "off": {"type": "boolean"}}}}});
        let spec = json!({"type": "object", "properties": {
            "enabled": {"type": "boolean", "default": true},
            "off": {"type": "boolean"},
            "count": {"type": "integer"},
            "size": {"type": "string", "default": "small"},
            "note": {"type": "string", "nullable": true},
            "ratio": {"type": "number"},
            "target": {"x-kubernetes-int-or-string": true},
            "servers": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name", "port"], "items": server},
            "modes": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            "steps": {"type": "array", "items": {"type": "object", "properties": {
                "run": {"type": "string"}, "retries": {"type": "integer", "default": 2}}}},
            "settings": {"type": "object", "additionalProperties": {"type": "string"}},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "limits": {"type": "object", "additionalProperties": {
                "anyOf": [{"type": "integer"}, {"type": "string"}],
                "pattern": "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$",
                "x-kubernetes-int-or-string": true}},
            "pair": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}},
        }});
        let mut definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("gadgets.{}", self.place.group())},
            "spec": {"group": self.place.group(), "scope": "Namespaced", "names": {"plural": "gadgets", "kind": "Gadget"},
                "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                        "spec": spec, "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}}}]}});
        self.maybe(30, &mut definition["spec"], "preserveUnknownFields", json!(false));
        self.maybe(30, &mut definition["spec"], "conversion", json!({"strategy": "None"}));
        self.maybe(50, &mut definition["spec"]["names"], "singular", json!("gadget"));
        self.maybe(50, &mut definition["spec"]["names"], "listKind", json!("GadgetList"));
        self.maybe(30, &mut definition["spec"]["names"], "shortNames", json!(["gd"]));
        self.maybe(
            20,
            &mut definition["metadata"],
            "annotations",
            json!({"controller-gen.kubebuilder.io/version": "v0.16.1"}),
        );
        self.maybe(
            30,
            &mut definition["spec"]["versions"][0],
            "additionalPrinterColumns",
            json!([{"name": "Size", "type": "string", "jsonPath": ".spec.size"}]),
        );
        self.maybe(
            20,
            &mut definition,
            "status",
            json!({"acceptedNames": {"kind": "", "plural": ""}, "conditions": [], "storedVersions": []}),
        );
        self.cluster_wide_object(definition);
    }

    pub(super) fn custom_resources(&mut self) {
        for name in ["one", "two", "three"] {
            let mut spec = json!({});
            self.one_or_none(&mut spec, "enabled", &[json!(true), json!(false)]);
            self.one_or_none(&mut spec, "off", &[json!(false), json!(true)]);
            self.one_or_none(&mut spec, "count", &[json!(0), json!(3)]);
            self.one_or_none(&mut spec, "size", &[json!("small"), json!("large"), json!("")]);
            self.one_or_none(&mut spec, "note", &[json!(""), json!("text"), Value::Null]);
            self.one_or_none(&mut spec, "ratio", &[json!(1), json!(0.5), json!(3.0), json!(1e3)]);
            self.one_or_none(&mut spec, "target", &[json!(80), json!("80"), json!("25%")]);
            let mut servers = vec![
                json!({"name": "b", "weight": 2}),
                json!({"name": "a", "port": 8080}),
                json!({"name": "a", "port": 80, "tls": {"off": false}}),
                json!({"name": "c", "tls": {"mode": "lax"}}),
            ];
            self.random.shuffle(&mut servers);
            servers.truncate(self.random.below(5));
            spec["servers"] = Value::from(servers);
            self.one_or_none(&mut spec, "modes", &[json!([]), json!(["fast", "safe", "dry"])]);
            self.one_or_none(
                &mut spec,
                "steps",
                &[json!([]), json!([{"run": "a"}, {"run": "b", "retries": 0}, {"run": "c"}])],
            );
            self.one_or_none(&mut spec, "settings", &[json!({}), json!({"a": "1", "b.c/d": ""})]);
            self.one_or_none(
                &mut spec,
                "free",
                &[json!({}), json!({"anything": {"goes": [1, 2.5, true, "x", {"k": []}], "at": {}}, "n": 0, "f": false, "e": ""})],
            );
            self.one_or_none(&mut spec, "limits", &[json!({"cpu": "2000m", "memory": "1Gi"}), json!({"cpu": 1})]);
            self.one_or_none(&mut spec, "pair", &[json!({"a": "x", "b": "y"}), json!({})]);
            let metadata = self.metadata(name);
            let api_version = format!("{}/v1", self.place.group());
            self.namespaced(json!({"apiVersion": api_version, "kind": "Gadget", "metadata": metadata, "spec": spec}));
        }
    }
}
