//! PersistentVolumeClaim, Service, CustomResourceDefinition and APIService.

use serde::Deserialize;

use super::object::{CommonStatus, Object, Unreadable};
use super::reading::{Reading, Status};

/// A claim, until it is bound. One whose class waits for the first consumer is bound once a Pod uses it.
pub(super) fn claim(object: &Object<'_>) -> Result<Reading, Unreadable> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct ClaimStatus {
        phase: Option<String>,
    }
    let phase = object.status::<ClaimStatus>()?.phase.unwrap_or_else(|| "unknown".to_owned());
    Ok(if phase == "Bound" {
        Reading::current()
    } else {
        Reading::in_progress("NotBound", format!("PVC is not Bound. phase: {phase}"))
    })
}

/// A Service: only one of type LoadBalancer has something to wait for.
pub(super) fn service(object: &Object<'_>) -> Result<Reading, Unreadable> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct ServiceSpec {
        r#type: String,
        #[serde(rename = "clusterIP")]
        cluster_ip: String,
    }
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct ServiceStatus {
        load_balancer: LoadBalancer,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct LoadBalancer {
        ingress: Option<Vec<serde::de::IgnoredAny>>,
    }
    let spec: ServiceSpec = object.spec()?;
    if spec.r#type != "LoadBalancer" {
        return Ok(Reading::current());
    }
    if spec.cluster_ip.is_empty() {
        return Ok(Reading::in_progress("NoIPAssigned", "ClusterIP not set. Service type: LoadBalancer"));
    }
    let is: ServiceStatus = object.status()?;
    Ok(if is.load_balancer.ingress.is_none_or(|ingress| ingress.is_empty()) {
        Reading::in_progress("NoAddress", "the load balancer has no address")
            .by("status.loadBalancer.ingress, which kstatus does not look at")
    } else {
        Reading::current()
    })
}

/// A definition, until it is established; one whose names are taken cannot be.
pub(super) fn definition(status: &CommonStatus) -> Reading {
    for condition in &status.conditions {
        let refused = condition.is("NamesAccepted", "False")
            || condition.is("Established", "False") && condition.reason != "Installing";
        if refused {
            return Reading::of_condition(Status::Failed, condition);
        }
        if condition.is("Established", "True") {
            return Reading::current();
        }
    }
    Reading::in_progress("Installing", "Install in progress")
}

/// An aggregated API, by its condition `Available`.
pub(super) fn api_service(status: &CommonStatus) -> Reading {
    match status.conditions.iter().find(|c| c.is("Available", "False")) {
        Some(condition) => Reading::of_condition(Status::InProgress, condition)
            .by("the condition Available, which kstatus does not look at"),
        None => Reading::current(),
    }
}
