//! Deployments, StatefulSets, DaemonSets, Jobs and CronJobs.

use serde_json::{Value, json};

use super::Maker;

impl Maker<'_> {
    pub(super) fn workloads(&mut self) {
        for name in ["api", "web", "worker"] {
            self.deployment(name);
        }
        self.stateful_set();
        for name in ["agent", "node-exporter"] {
            self.daemon_set(name);
        }
        self.job();
        self.cron_job();
    }

    fn workload(&mut self, name: &str) -> (Value, Value) {
        let labels = json!({"app.kubernetes.io/name": name, "part": "main"});
        let selector = if self.random.chance(70) {
            json!({"matchLabels": {"app.kubernetes.io/name": name}})
        } else {
            json!({"matchExpressions": [{"key": "app.kubernetes.io/name", "operator": "In", "values": [name]}], "matchLabels": {}})
        };
        (labels, selector)
    }

    fn deployment(&mut self, name: &str) {
        let (labels, selector) = self.workload(name);
        let mut spec = json!({"selector": selector, "template": self.template(&labels, None)});
        self.one_or_none(&mut spec, "replicas", &[json!(1), json!(2), json!(0), Value::Null]);
        self.one_or_none(
            &mut spec,
            "strategy",
            &[
                json!({}),
                json!({"type": "RollingUpdate"}),
                json!({"type": "Recreate"}),
                json!({"rollingUpdate": {"maxSurge": 1}}),
                json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}}),
                json!({"rollingUpdate": Value::Null, "type": "Recreate"}),
            ],
        );
        self.one_or_none(&mut spec, "revisionHistoryLimit", &[json!(10), json!(3), json!(0)]);
        self.one_or_none(&mut spec, "progressDeadlineSeconds", &[json!(600), json!(300)]);
        self.maybe(15, &mut spec, "minReadySeconds", json!(0));
        self.maybe(15, &mut spec, "minReadySeconds", json!(5));
        self.maybe(10, &mut spec, "paused", json!(false));
        let metadata = self.metadata(name);
        self.namespaced(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}));
    }

    fn stateful_set(&mut self) {
        let (labels, selector) = self.workload("db");
        let mut spec = json!({"selector": selector, "serviceName": "db", "template": self.template(&labels, None)});
        self.one_or_none(&mut spec, "replicas", &[json!(1), json!(0)]);
        self.one_or_none(&mut spec, "podManagementPolicy", &[json!("OrderedReady"), json!("Parallel")]);
        self.one_or_none(
            &mut spec,
            "updateStrategy",
            &[
                json!({}),
                json!({"type": "RollingUpdate"}),
                json!({"rollingUpdate": {"partition": 0}}),
                json!({"type": "OnDelete"}),
            ],
        );
        self.one_or_none(
            &mut spec,
            "persistentVolumeClaimRetentionPolicy",
            &[json!({"whenDeleted": "Delete"}), json!({})],
        );
        if self.random.chance(70) {
            let size = self.one(&[json!("1Gi"), json!("1024Mi"), json!("1.5G")]);
            let mut claim = json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}});
            self.maybe(30, &mut claim["metadata"], "creationTimestamp", Value::Null);
            self.maybe(20, &mut claim["spec"], "volumeMode", json!("Filesystem"));
            self.maybe(30, &mut claim, "apiVersion", json!("v1"));
            if claim.get("apiVersion").is_some() {
                claim["kind"] = json!("PersistentVolumeClaim");
            }
            self.maybe(10, &mut claim, "status", json!({}));
            spec["volumeClaimTemplates"] = json!([claim]);
        }
        let metadata = self.metadata("db");
        self.namespaced(json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata, "spec": spec}));
    }

    fn daemon_set(&mut self, name: &str) {
        let (labels, selector) = self.workload(name);
        let mut spec = json!({"selector": selector, "template": self.template(&labels, None)});
        if name == "node-exporter" {
            spec["template"]["spec"]["hostNetwork"] = json!(true);
            spec["template"]["spec"]["dnsPolicy"] = json!("ClusterFirstWithHostNet");
            let containers =
                spec["template"]["spec"]["containers"].as_array_mut().map(std::mem::take).unwrap_or_default();
            // With the network of the host, no two containers may ask for the same port.
            spec["template"]["spec"]["containers"] = json!([containers[0]]);
        }
        self.one_or_none(
            &mut spec,
            "updateStrategy",
            &[
                json!({"type": "RollingUpdate"}),
                json!({"rollingUpdate": {"maxUnavailable": "10%"}}),
                json!({"type": "OnDelete"}),
                json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}),
            ],
        );
        let metadata = self.metadata(name);
        self.namespaced(json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata, "spec": spec}));
    }

    fn job_spec(&mut self) -> Value {
        let labels = json!({"job": "import"});
        let restart = *self.random.pick(&["Never", "OnFailure"]);
        let mut spec = json!({"template": self.template(&labels, Some(restart))});
        self.one_or_none(&mut spec, "backoffLimit", &[json!(6), json!(0), json!(2)]);
        self.one_or_none(&mut spec, "completions", &[json!(1), json!(3)]);
        self.one_or_none(&mut spec, "parallelism", &[json!(1), json!(2), json!(0)]);
        self.maybe(15, &mut spec, "completionMode", json!("NonIndexed"));
        self.maybe(15, &mut spec, "suspend", json!(false));
        self.maybe(20, &mut spec, "ttlSecondsAfterFinished", json!(86400));
        spec
    }

    fn job(&mut self) {
        let spec = self.job_spec();
        let metadata = self.metadata("import");
        self.namespaced(json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}));
    }

    fn cron_job(&mut self) {
        let job = self.job_spec();
        let mut spec = json!({"schedule": "*/5 4 1 1 *", "jobTemplate": {"spec": job}});
        self.maybe(20, &mut spec["jobTemplate"], "metadata", json!({"creationTimestamp": Value::Null}));
        self.one_or_none(&mut spec, "concurrencyPolicy", &[json!("Allow"), json!("Forbid")]);
        self.one_or_none(&mut spec, "successfulJobsHistoryLimit", &[json!(3), json!(0)]);
        self.one_or_none(&mut spec, "startingDeadlineSeconds", &[json!(60), json!(0)]);
        self.maybe(20, &mut spec, "timeZone", json!("Europe/Berlin"));
        self.maybe(20, &mut spec, "suspend", json!(false));
        let metadata = self.metadata("nightly");
        self.namespaced(json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": spec}));
    }
}
