//! Autoscalers and disruption budgets.

use serde_json::{Value, json};

use super::Maker;

impl Maker<'_> {
    pub(super) fn scaling(&mut self) {
        let metadata = self.metadata("web");
        // Its target asks for fewer replicas, so the autoscaler raises them.
        let mut first = json!({"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": metadata,
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "minReplicas": 3, "maxReplicas": 6}});
        self.maybe(50, &mut first["spec"], "targetCPUUtilizationPercentage", json!(80));
        self.namespaced(first);

        let metadata = self.metadata("worker");
        let mut spec = json!({"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "worker"}, "maxReplicas": 4});
        self.maybe(50, &mut spec, "minReplicas", json!(1));
        let mut metrics = vec![
            json!({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}),
            json!({"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "0.5Gi"}}}),
            json!({"type": "Pods", "pods": {"metric": {"name": "requests"}, "target": {"type": "AverageValue", "averageValue": 1000}}}),
        ];
        self.random.shuffle(&mut metrics);
        metrics.truncate(self.random.below(4));
        if !metrics.is_empty() {
            spec["metrics"] = Value::from(metrics);
        }
        self.one_or_none(
            &mut spec,
            "behavior",
            &[
                json!({"scaleDown": {"stabilizationWindowSeconds": 60}}),
                json!({"scaleUp": {"policies": [{"type": "Pods", "value": 2, "periodSeconds": 60}]}, "scaleDown": {"selectPolicy": "Disabled"}}),
            ],
        );
        self.namespaced(json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": metadata, "spec": spec}));

        for name in ["api", "odd"] {
            let metadata = self.metadata(name);
            let mut spec = json!({"selector": {"matchLabels": {"app.kubernetes.io/name": name}}});
            if name == "odd" {
                self.one_or_none(&mut spec, "selector", &[json!({})]);
            }
            match self.random.below(4) {
                0 => spec["minAvailable"] = json!(1),
                1 => spec["minAvailable"] = json!("50%"),
                2 => spec["maxUnavailable"] = json!(0),
                _ => spec["maxUnavailable"] = json!("25%"),
            }
            self.maybe(20, &mut spec, "unhealthyPodEvictionPolicy", json!("AlwaysAllow"));
            self.namespaced(
                json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata, "spec": spec}),
            );
        }
    }
}
