//! The writes that somebody asks about: the newest of each object.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::value::RawValue;

use super::body::{self, Hide};
use super::event::Event;
use super::read::{LogRequest, Want};
use crate::model::audit_event::{Body, ManagerHint, Verb, Write, counts};
use crate::model::resource::ObjectId;
use crate::model::time::Timestamp;

/// Writes that are kept of one object.
pub(super) const MOST_OF_AN_OBJECT: usize = 1_000;
/// Bytes of content that are kept in all, as they stand in the log.
const MOST_BODY_BYTES: usize = 64 << 20;

/// Where an event stands: time first, then the file (the first ones are the newest) and its place in it.
type Place = (Timestamp, Reverse<usize>, u64);

/// What is kept of a log.
pub(super) struct Kept<'a> {
    request: &'a LogRequest<'a>,
    by_object: BTreeMap<ObjectId, BTreeMap<Place, Write>>,
    ids: HashSet<String>,
    body_bytes: usize,
    count: u64,
    /// The oldest and the newest event, reads included.
    pub(super) span: Option<(Timestamp, Timestamp)>,
    /// Objects of which older writes were let go.
    pub(super) cut: BTreeSet<ObjectId>,
    /// Whether content was left out because there is too much of it.
    pub(super) too_much: bool,
}

impl<'a> Kept<'a> {
    pub(super) fn new(request: &'a LogRequest<'a>) -> Self {
        Self {
            request,
            by_object: BTreeMap::new(),
            ids: HashSet::new(),
            body_bytes: 0,
            count: 0,
            span: None,
            cut: BTreeSet::new(),
            too_much: false,
        }
    }

    /// Takes an event of a file. Returns whether it was one at all.
    pub(super) fn take(&mut self, event: Event<'_>, file: usize) -> bool {
        let Some(time) = event.time else { return false };
        self.count += 1;
        let (oldest, newest) = self.span.unwrap_or((time, time));
        self.span = Some((oldest.min(time), newest.max(time)));
        let Some(verb) = event.verb else { return true };
        if !counts(event.stage.as_deref(), event.code, event.dry_run) || !event.resource.is_declared_part() {
            return true;
        }
        let Some(object) = self.object(&event, verb) else { return true };
        let want = (self.request.wants)(&object, time);
        // The same event may stand in a file and in a copy of it.
        let seen = |id: &String| !self.ids.insert(id.clone());
        if want == Want::Nothing || event.id.as_ref().is_some_and(seen) {
            return true;
        }
        let body = if want == Want::Body { self.body(&event, verb, &object) } else { None };
        let write = write(event, time, verb, &object, body, self.request.source_ips);
        let of_object = self.by_object.entry(object.clone()).or_default();
        of_object.insert((time, Reverse(file), self.count), write);
        if of_object.len() > MOST_OF_AN_OBJECT {
            of_object.pop_first();
            self.cut.insert(object);
        }
        true
    }

    /// The writes of each object, oldest first.
    pub(super) fn writes(self) -> BTreeMap<ObjectId, Vec<Write>> {
        self.by_object.into_iter().map(|(object, writes)| (object, writes.into_values().collect())).collect()
    }

    fn object(&self, event: &Event<'_>, verb: Verb) -> Option<ObjectId> {
        let resource = &event.resource;
        let (kind, namespaced) = self.request.resources.kind(&resource.group, &resource.resource)?;
        let name = match (&resource.name, verb) {
            (Some(name), _) => name.clone(),
            (None, Verb::Create) => body::name_of(event.response).or_else(|| body::name_of(event.request))?,
            (None, Verb::DeleteCollection) => String::new(),
            (None, _) => return None,
        };
        Some(ObjectId {
            group: resource.group.clone(),
            kind: kind.to_owned(),
            // A request for a Namespace names it as its own namespace, too.
            namespace: resource.namespace.clone().filter(|_| namespaced),
            name,
        })
    }

    fn body(&mut self, event: &Event<'_>, verb: Verb, object: &ObjectId) -> Option<Body> {
        let length = |raw: Option<&RawValue>| raw.map_or(0, |raw| raw.get().len());
        self.body_bytes += length(event.request) + length(event.response);
        if self.body_bytes > MOST_BODY_BYTES {
            self.too_much = true;
            return None;
        }
        let hide = Hide { key: self.request.key, rules: self.request.redaction };
        let scaled = event.resource.subresource.is_some();
        // What is sent to a subresource is an object of another kind, its part of this one at the same place.
        let response = event.response.filter(|_| !scaled);
        body::body(if scaled { Verb::Patch } else { verb }, event.request, response, object, hide)
    }
}

fn write(
    event: Event<'_>,
    time: Timestamp,
    verb: Verb,
    object: &ObjectId,
    body: Option<Body>,
    source_ips: bool,
) -> Write {
    Write {
        time,
        verb,
        manager: ManagerHint::of(event.field_manager.as_deref(), event.user_agent.as_deref(), event.query),
        user: event.user,
        impersonated: event.impersonated,
        groups: event.groups,
        user_agent: event.user_agent,
        source_ips: if source_ips { event.source_ips } else { Vec::new() },
        code: event.code.unwrap_or_default(),
        object: object.clone(),
        subresource: event.resource.subresource,
        body,
    }
}
