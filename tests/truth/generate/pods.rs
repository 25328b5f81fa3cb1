//! Pod templates and containers.

use serde_json::{Value, json};

use super::{Maker, extend};

impl Maker<'_> {
    /// A Pod template with the given labels; `restart` for Jobs.
    pub(super) fn template(&mut self, labels: &Value, restart: Option<&str>) -> Value {
        let mut spec = json!({});
        let count = 1 + self.random.below(3);
        let containers: Vec<Value> =
            ["api", "sidecar", "agent"].iter().take(count).map(|name| self.container(name)).collect();
        spec["containers"] = Value::from(containers);
        self.volumes(&mut spec);
        if self.random.chance(30) {
            let names: Vec<&str> = ["fetch", "migrate"].into_iter().take(1 + self.random.below(2)).collect();
            spec["initContainers"] =
                Value::from(names.iter().map(|name| self.init_container(name)).collect::<Vec<_>>());
            if self.random.chance(20) {
                spec["initContainers"][0]["restartPolicy"] = json!("Always");
            }
        }
        self.pod_fields(&mut spec);
        if let Some(restart) = restart {
            spec["restartPolicy"] = json!(restart);
        } else {
            self.maybe(15, &mut spec, "restartPolicy", json!("Always"));
        }
        let mut metadata = json!({"labels": labels});
        self.maybe(15, &mut metadata, "creationTimestamp", Value::Null);
        self.maybe(
            25,
            &mut metadata,
            "annotations",
            json!({"prometheus.io/scrape": "true", "prometheus.io/port": "8080"}),
        );
        self.maybe(5, &mut metadata, "name", json!("left-here"));
        json!({"metadata": metadata, "spec": spec})
    }

    fn pod_fields(&mut self, spec: &mut Value) {
        // Zero values that the server does not keep, and some that it does.
        for field in ["hostNetwork", "hostPID", "hostIPC"] {
            self.maybe(12, spec, field, json!(false));
        }
        self.maybe(15, spec, "automountServiceAccountToken", json!(false));
        self.maybe(10, spec, "enableServiceLinks", json!(true));
        self.maybe(8, spec, "shareProcessNamespace", json!(false));
        self.maybe(6, spec, "hostUsers", json!(true));
        for (field, value) in [
            ("nodeSelector", json!({})),
            ("tolerations", json!([])),
            ("imagePullSecrets", json!([])),
            ("affinity", json!({})),
            ("securityContext", json!({})),
            ("hostAliases", json!([])),
            ("priorityClassName", json!("")),
            ("nodeName", json!("")),
            ("subdomain", json!("")),
            ("topologySpreadConstraints", Value::Null),
            ("dnsConfig", Value::Null),
            ("schedulerName", Value::Null),
            ("terminationGracePeriodSeconds", Value::Null),
        ] {
            self.maybe(8, spec, field, value);
        }
        // Written-out defaults.
        for (field, value) in [
            ("dnsPolicy", json!("ClusterFirst")),
            ("schedulerName", json!("default-scheduler")),
            ("terminationGracePeriodSeconds", json!(30)),
            ("preemptionPolicy", json!("PreemptLowerPriority")),
        ] {
            if field != "preemptionPolicy" {
                self.maybe(15, spec, field, value);
            }
        }
        self.maybe(30, spec, "serviceAccountName", json!("runner"));
        self.maybe(20, spec, "terminationGracePeriodSeconds", json!(0));
        self.maybe(15, spec, "nodeSelector", json!({"kubernetes.io/os": "linux", "disk": "ssd"}));
        self.maybe(
            20,
            spec,
            "tolerations",
            json!([{"key": "dedicated", "operator": "Equal", "value": "x", "effect": "NoSchedule"}, {"operator": "Exists"}]),
        );
        self.maybe(15, spec, "imagePullSecrets", json!([{"name": "pull-b"}, {"name": "pull-a"}]));
        self.maybe(15, spec, "hostAliases", json!([{"ip": "10.0.0.1", "hostnames": ["a.local", "b.local"]}]));
        self.maybe(
            10,
            spec,
            "dnsConfig",
            json!({"options": [{"name": "ndots", "value": "2"}], "searches": ["x.local"]}),
        );
        if self.random.chance(20) {
            spec["topologySpreadConstraints"] = json!([
                {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {"matchLabels": {"a": "b"}}},
                {"maxSkew": 2, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"},
            ]);
        }
        if self.random.chance(20) {
            spec["affinity"] = json!({
                "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 100, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname",
                        "labelSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["a", "b"]}]}}}]},
                "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                    {"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}]}]}},
            });
        }
        if self.random.chance(25) {
            spec["securityContext"] =
                json!({"runAsNonRoot": true, "fsGroup": 2000, "seccompProfile": {"type": "RuntimeDefault"}});
            self.maybe(30, &mut spec["securityContext"], "supplementalGroups", json!([]));
            self.maybe(30, &mut spec["securityContext"], "runAsUser", json!(0));
        }
    }

    /// Runs to its end, so that there is nothing to probe.
    fn init_container(&mut self, name: &str) -> Value {
        let mut container = self.container(name);
        if let Some(fields) = container.as_object_mut() {
            for field in ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"] {
                fields.remove(field);
            }
        }
        container
    }

    fn container(&mut self, name: &str) -> Value {
        let tag = *self.random.pick(&["1.4.2", "latest", "sha-1e10", ""]);
        let tag = if tag.is_empty() { String::new() } else { format!(":{tag}") };
        let mut container = json!({"name": name, "image": format!("registry.example.com/shop/{name}{tag}")});
        self.environment(&mut container);
        self.container_ports(&mut container);
        self.resources(&mut container);
        self.probes(&mut container);
        self.maybe(30, &mut container, "args", json!(["--listen=:8080", "--level", "info", ""]));
        self.maybe(15, &mut container, "command", json!(["/bin/sh", "-c", "exec server \\\n  --all\n"]));
        self.maybe(8, &mut container, "args", json!([]));
        for (field, value) in [
            ("imagePullPolicy", json!("IfNotPresent")),
            ("terminationMessagePath", json!("/dev/termination-log")),
            ("terminationMessagePolicy", json!("File")),
            ("stdin", json!(false)),
            ("tty", json!(false)),
            ("workingDir", json!("")),
            ("volumeDevices", json!([])),
            ("lifecycle", json!({})),
            ("envFrom", Value::Null),
        ] {
            self.maybe(8, &mut container, field, value);
        }
        if self.random.chance(25) {
            container["securityContext"] = json!({
                "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "privileged": false,
                "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE", "CHOWN"]},
            });
        }
        if self.random.chance(12) {
            container["lifecycle"] = json!({"preStop": {"exec": {"command": ["sleep", "5"]}}});
        }
        container
    }

    fn environment(&mut self, container: &mut Value) {
        let mut env = vec![
            json!({"name": "LOG_LEVEL", "value": "info"}),
            json!({"name": "EMPTY", "value": ""}),
            json!({"name": "NOTHING"}),
            json!({"name": "PORT", "value": "8080"}),
            json!({"name": "URL", "value": "http://$(HOST):$(PORT)/"}),
            json!({"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}),
            json!({"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}),
            json!({"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "k", "optional": false}}}),
            json!({"name": "FROM", "valueFrom": {"configMapKeyRef": {"name": "config", "key": "k"}}}),
        ];
        self.random.shuffle(&mut env);
        env.truncate(self.random.below(7));
        if self.random.chance(6) && !self.place.way.applies_server_side() {
            env.push(json!({"name": "TWICE", "value": "1"}));
            env.push(json!({"name": "TWICE", "value": "2"}));
        }
        if !env.is_empty() || self.random.chance(10) {
            container["env"] = Value::from(env);
        }
        self.maybe(
            12,
            container,
            "envFrom",
            json!([{"configMapRef": {"name": "config"}}, {"prefix": "S_", "secretRef": {"name": "keys", "optional": true}}]),
        );
    }

    fn container_ports(&mut self, container: &mut Value) {
        let mut ports = vec![
            json!({"containerPort": 8080}),
            json!({"containerPort": 9090, "name": "metrics", "protocol": "TCP"}),
            json!({"containerPort": 53, "name": "dns", "protocol": "UDP"}),
            json!({"containerPort": 5353, "name": "dns-tcp", "hostPort": 0}),
        ];
        self.random.shuffle(&mut ports);
        ports.truncate(self.random.below(4));
        if !ports.is_empty() {
            container["ports"] = Value::from(ports);
        }
    }

    fn resources(&mut self, container: &mut Value) {
        match self.random.below(5) {
            0 => {}
            1 => container["resources"] = json!({}),
            2 => {
                let cpu = self.cpu();
                container["resources"] = json!({"limits": {"cpu": cpu}});
                self.maybe(40, &mut container["resources"], "requests", Value::Null);
            }
            _ => {
                let (low, high) = (self.one(&[json!("50m"), json!("0.05")]), self.cpu());
                let (least, most) = (self.one(&[json!("1Mi"), json!("1024Ki"), json!(1_048_576)]), self.memory());
                container["resources"] =
                    json!({"requests": {"cpu": low, "memory": least}, "limits": {"cpu": high, "memory": most}});
                self.maybe(20, &mut container["resources"], "claims", json!([]));
            }
        }
    }

    fn probes(&mut self, container: &mut Value) {
        for field in ["livenessProbe", "readinessProbe", "startupProbe"] {
            if !self.random.chance(25) {
                continue;
            }
            let mut probe = self.one(&[
                json!({"httpGet": {"path": "/healthz", "port": 8080}}),
                json!({"httpGet": {"port": 8080, "httpHeaders": [{"name": "X-Probe", "value": "1"}]}}),
                json!({"tcpSocket": {"port": 8080}}),
                json!({"exec": {"command": ["true"]}}),
                json!({"grpc": {"port": 8080}}),
            ]);
            self.maybe(30, &mut probe, "initialDelaySeconds", json!(5));
            self.maybe(15, &mut probe, "initialDelaySeconds", json!(0));
            self.maybe(20, &mut probe, "timeoutSeconds", json!(1));
            self.maybe(20, &mut probe, "periodSeconds", json!(20));
            self.maybe(10, &mut probe, "successThreshold", json!(1));
            container[field] = probe;
        }
    }

    fn volumes(&mut self, spec: &mut Value) {
        let mut volumes = vec![
            json!({"name": "config", "configMap": {"name": "config"}}),
            json!({"name": "keys", "secret": {"secretName": "keys", "defaultMode": 292, "items": [{"key": "k", "path": "k"}]}}),
            json!({"name": "tmp", "emptyDir": {}}),
            json!({"name": "cache", "emptyDir": {"medium": "Memory", "sizeLimit": "0.5Gi"}}),
            json!({"name": "host", "hostPath": {"path": "/var/log"}}),
            json!({"name": "claim", "persistentVolumeClaim": {"claimName": "data", "readOnly": false}}),
            json!({"name": "all", "projected": {"sources": [
                {"serviceAccountToken": {"path": "token"}},
                {"configMap": {"name": "config", "items": [{"key": "a", "path": "a"}]}},
                {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}}]}}),
            json!({"name": "self", "downwardAPI": {"items": [{"path": "cpu", "resourceFieldRef": {"containerName": "api", "resource": "limits.cpu"}}]}}),
            json!({"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1000M"}}}}}}),
        ];
        self.random.shuffle(&mut volumes);
        volumes.truncate(self.random.below(5));
        let mounts: Vec<Value> = volumes
            .iter()
            .map(|volume| {
                let name = volume["name"].as_str().unwrap_or_default();
                let mut mount = json!({"name": name, "mountPath": format!("/mnt/{name}")});
                self.maybe(25, &mut mount, "readOnly", json!(true));
                self.maybe(15, &mut mount, "readOnly", json!(false));
                self.maybe(10, &mut mount, "subPath", json!(""));
                mount
            })
            .collect();
        if !volumes.is_empty() {
            spec["volumes"] = Value::from(volumes);
            extend(&mut spec["containers"][0], json!({"volumeMounts": mounts}));
        }
    }
}
