//! Cloud Audit Logs of GKE, as `gcloud logging read --format=json` prints them and log sinks write them.
//!
//! Sources: <https://cloud.google.com/kubernetes-engine/docs/how-to/audit-logging> and the `AuditLog` message,
//! <https://cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog>. They hold neither the query of a
//! request nor the groups of a user: what only these would tell (a field manager, a dry run by query) is not known.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::event::{Event, is_dry_run};
use crate::model::audit_event::{Resource, Verb};
use crate::model::time::Timestamp;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogEntry<'a> {
    #[serde(borrow)]
    proto_payload: Payload<'a>,
    #[serde(borrow, default)]
    insert_id: Cow<'a, str>,
    #[serde(borrow, default)]
    timestamp: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(borrow, default, rename = "@type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    service_name: Cow<'a, str>,
    #[serde(borrow, default)]
    method_name: Cow<'a, str>,
    #[serde(borrow, default)]
    resource_name: Cow<'a, str>,
    #[serde(default)]
    authentication_info: Authentication,
    #[serde(default)]
    request_metadata: Metadata,
    #[serde(default)]
    status: Option<Status>,
    #[serde(borrow, default)]
    request: Option<&'a RawValue>,
    #[serde(borrow, default)]
    response: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Authentication {
    principal_email: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    caller_ip: String,
    caller_supplied_user_agent: String,
}

/// `google.rpc.Status`; its code is 0 for success, and zeroes are left out.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    code: i64,
}

/// The event of a log entry; `None` if it is none of a cluster.
pub(super) fn event(text: &str) -> Option<Event<'_>> {
    let entry: LogEntry<'_> = serde_json::from_str(text).ok()?;
    let payload = entry.proto_payload;
    if payload.kind != "type.googleapis.com/google.cloud.audit.AuditLog" || payload.service_name != "k8s.io" {
        return None;
    }
    let time = Timestamp::parse(&entry.timestamp);
    let Some(verb) = payload.method_name.rsplit('.').next().and_then(Verb::parse) else {
        return Some(Event { time, ..Event::default() });
    };
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    Some(Event {
        time,
        id: given(entry.insert_id.into_owned()),
        verb: Some(verb),
        stage: None,
        code: payload.status.is_none_or(|status| status.code == 0).then_some(200),
        dry_run: is_dry_run(verb, payload.request),
        user: payload.authentication_info.principal_email,
        impersonated: None,
        groups: Vec::new(),
        user_agent: given(payload.request_metadata.caller_supplied_user_agent),
        source_ips: given(payload.request_metadata.caller_ip).into_iter().collect(),
        resource: resource(&payload.resource_name)?,
        field_manager: None,
        query: false,
        request: payload.request,
        response: payload.response,
    })
}

/// `apps/v1/namespaces/shop/deployments/api/scale`, `core/v1/namespaces/shop`, `rbac.authorization.k8s.io/v1/clusterroles/admin`.
fn resource(name: &str) -> Option<Resource> {
    let mut parts = name.split('/');
    let group = parts.next().map(|group| if group == "core" { "" } else { group })?.to_owned();
    let _version = parts.next()?;
    let rest: Vec<String> = parts.map(str::to_owned).collect();
    let (namespace, rest) = match rest.as_slice() {
        [word, namespace, rest @ ..] if word == "namespaces" && !rest.is_empty() => (Some(namespace.clone()), rest),
        rest => (None, rest),
    };
    let [resource, below @ ..] = rest else { return None };
    Some(Resource {
        group,
        resource: resource.clone(),
        namespace,
        name: below.first().cloned(),
        subresource: below.get(1).cloned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_name_is_taken_apart() {
        for (text, group, kind, namespace, name, subresource) in [
            ("apps/v1/namespaces/shop/deployments/api", "apps", "deployments", Some("shop"), Some("api"), None),
            (
                "apps/v1/namespaces/shop/deployments/api/scale",
                "apps",
                "deployments",
                Some("shop"),
                Some("api"),
                Some("scale"),
            ),
            ("core/v1/namespaces/shop/configmaps", "", "configmaps", Some("shop"), None, None),
            ("core/v1/namespaces/shop", "", "namespaces", None, Some("shop"), None),
            (
                "rbac.authorization.k8s.io/v1/clusterroles/a:b",
                "rbac.authorization.k8s.io",
                "clusterroles",
                None,
                Some("a:b"),
                None,
            ),
        ] {
            let text_of = |text: Option<&str>| text.map(str::to_owned);
            let expected = Resource {
                group: group.into(),
                resource: kind.into(),
                namespace: text_of(namespace),
                name: text_of(name),
                subresource: text_of(subresource),
            };
            assert_eq!(resource(text), Some(expected), "{text}");
        }
        assert_eq!(resource("core"), None);
    }
}
