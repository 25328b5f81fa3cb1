//! The plain format: an `audit.k8s.io` `Event` as JSON on a line, and `EventList`, as webhooks get it.
//!
//! Source: <https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/>.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::event::{Event, is_dry_run, query};
use crate::model::audit_event::{Resource, Verb};
use crate::model::time::Timestamp;

/// An event in part. Most events are reads: what only a write needs stays text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PolicyEvent<'a> {
    #[serde(borrow, default)]
    pub(super) kind: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) api_version: Cow<'a, str>,
    #[serde(borrow, default)]
    verb: Cow<'a, str>,
    #[serde(borrow, default)]
    stage: Cow<'a, str>,
    #[serde(borrow, default, rename = "auditID")]
    audit_id: Cow<'a, str>,
    #[serde(borrow, default)]
    request_received_timestamp: Cow<'a, str>,
    #[serde(borrow, default)]
    stage_timestamp: Cow<'a, str>,
    #[serde(borrow, default, rename = "requestURI")]
    request_uri: Option<&'a RawValue>,
    #[serde(borrow, default)]
    user: Option<&'a RawValue>,
    #[serde(borrow, default)]
    impersonated_user: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "sourceIPs")]
    source_ips: Option<&'a RawValue>,
    #[serde(borrow, default)]
    user_agent: Option<&'a RawValue>,
    #[serde(borrow, default)]
    object_ref: Option<&'a RawValue>,
    #[serde(borrow, default)]
    response_status: Option<&'a RawValue>,
    #[serde(borrow, default)]
    request_object: Option<&'a RawValue>,
    #[serde(borrow, default)]
    response_object: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct User {
    username: String,
    groups: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ObjectRef {
    resource: String,
    namespace: String,
    name: String,
    api_group: String,
    subresource: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    code: Option<u16>,
}

/// Whether a text names this format.
pub(super) fn is_audit(api_version: &str) -> bool {
    api_version.starts_with("audit.k8s.io/")
}

impl<'a> PolicyEvent<'a> {
    /// What it says; no event without a time.
    pub(super) fn event(&self) -> Event<'a> {
        let time =
            Timestamp::parse(&self.request_received_timestamp).or_else(|| Timestamp::parse(&self.stage_timestamp));
        let Some(verb) = Verb::parse(&self.verb) else { return Event { time, ..Event::default() } };
        let uri: String = read(self.request_uri).unwrap_or_default();
        let user: User = read(self.user).unwrap_or_default();
        let acted: Option<User> = read(self.impersonated_user);
        let object: ObjectRef = read(self.object_ref).unwrap_or_default();
        let given = |text: String| Some(text).filter(|text| !text.is_empty());
        Event {
            time,
            id: given(self.audit_id.to_string()),
            verb: Some(verb),
            stage: Some(self.stage.to_string()),
            code: read::<Status>(self.response_status).and_then(|status| status.code),
            dry_run: query(&uri, "dryRun").is_some() || is_dry_run(verb, self.request_object),
            user: user.username,
            impersonated: acted.and_then(|user| given(user.username)),
            groups: user.groups,
            user_agent: read(self.user_agent).and_then(given),
            source_ips: read(self.source_ips).unwrap_or_default(),
            resource: Resource {
                group: object.api_group,
                resource: object.resource,
                namespace: given(object.namespace),
                name: given(object.name),
                subresource: given(object.subresource),
            },
            field_manager: query(&uri, "fieldManager"),
            query: true,
            request: self.request_object,
            response: self.response_object,
        }
    }
}

fn read<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}
