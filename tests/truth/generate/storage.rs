//! Claims, volumes and storage classes; one pair that the controller binds.

use serde_json::json;

use super::Maker;

impl Maker<'_> {
    pub(super) fn storage(&mut self) {
        let class = format!("{}-manual", self.place.namespace);
        let metadata = self.metadata("data");
        let size = self.one(&[json!("1Gi"), json!("1024Mi"), json!("1000M"), json!(1_000_000_000)]);
        let mut claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata,
            "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": class, "resources": {"requests": {"storage": size}}}});
        self.maybe(30, &mut claim["spec"], "volumeMode", json!("Filesystem"));
        self.maybe(20, &mut claim["spec"], "volumeName", json!(""));
        self.namespaced(claim);
        let metadata = self.metadata("waiting");
        self.namespaced(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata,
            "spec": {"accessModes": ["ReadWriteMany", "ReadOnlyMany"], "storageClassName": "", "resources": {"requests": {"storage": "0.5Gi"}},
                "selector": {"matchLabels": {"nobody": "has-it"}}}}));

        let metadata = self.metadata(&format!("{}-volume", self.place.namespace));
        let mut volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata,
            "spec": {"capacity": {"storage": "2000M"}, "accessModes": ["ReadWriteOnce"], "storageClassName": class, "hostPath": {"path": "/srv"}}});
        self.one_or_none(&mut volume["spec"], "persistentVolumeReclaimPolicy", &[json!("Retain"), json!("Recycle")]);
        self.cluster_wide_object(volume);
        let metadata = self.metadata(&format!("{}-fast", self.place.namespace));
        let mut class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": metadata,
            "provisioner": "csi.example.com", "parameters": {"type": "ssd", "iops": "100"}});
        self.one_or_none(&mut class, "reclaimPolicy", &[json!("Delete"), json!("Retain")]);
        self.one_or_none(&mut class, "volumeBindingMode", &[json!("Immediate"), json!("WaitForFirstConsumer")]);
        self.one_or_none(&mut class, "allowVolumeExpansion", &[json!(false), json!(true)]);
        self.maybe(20, &mut class, "mountOptions", json!([]));
        self.cluster_wide_object(class);
    }
}
