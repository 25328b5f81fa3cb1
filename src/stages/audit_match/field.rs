//! The writes behind a difference inside an object.

use serde_json::Value;

use super::log::{MOST_LISTED, ObjectLog, listed};
use super::touch::{self, Touch};
use crate::config::actors::ActorTable;
use crate::model::attribution::{Actor, ActorKind};
use crate::model::audit_event::{Request, Verb, Write};
use crate::model::audited::{AuditedWrite, Matched};
use crate::model::field_path::FieldPath;
use crate::model::finding::Finding;
use crate::model::schema::SchemaRef;
use crate::model::time::Timestamp;
use crate::stages::compare;

/// The field that writes are looked for.
#[derive(Clone, Copy)]
pub struct Sought<'a> {
    /// Where it is.
    pub path: &'a FieldPath,
    /// Its live value, redacted; `None` where nothing is live.
    pub live: Option<&'a Value>,
    /// The schema of the object's kind.
    pub schema: Option<SchemaRef<'a>>,
    /// Whether the kind takes strategic merge patches: custom resources do not.
    pub builtin: bool,
    /// Its writers by managedFields, newest first.
    pub actors: &'a [Actor],
    /// Who wrote the object last, where nobody owns the field.
    pub last_writer: Option<&'a Actor>,
}

/// What a log says of a field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldEvidence {
    /// The writes: those that match first, newest first.
    pub writes: Vec<AuditedWrite>,
    /// The users behind the field's writers, in their order.
    pub users: Vec<Option<String>>,
    /// What to say besides.
    pub note: Option<String>,
}

/// What a write did to the field.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Effect {
    /// Changed it to its live value: what was there before is known.
    Gives,
    /// Set it to its live value, which it may have had before.
    Sets,
    /// Changed it, or something in it, to what is not known.
    Touches,
    /// Set it to another value.
    Other,
    /// Perhaps, and why that is not known.
    Perhaps(&'static str),
    /// Nothing.
    Not,
}

const NO_BODY: &str = "the log holds no content of it";
const WHOLE: &str = "it wrote the whole object with the live value, and what was there before the log does not tell";
const ASIDE: &str = "the field changed with it or shortly before and was not in what was sent: admission changed it, or the log lacks a write";
const OTHER: &str = "its content sets the field, to a value that does not equal the live one";
const POSITION: &str = "its JSON patch names an element of the list by its position";
const APPLIED: &str =
    "it applied the object without the field, which takes it away if the same manager had applied it before";

/// How near a write is to a writer of managedFields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// Not at all, as far as is known.
    None,
    /// The same manager, at another time.
    Manager,
    /// The same manager at the same time.
    Both,
}

/// Matches a log's writes to a field. `earlier` is the finding as an earlier scan saw it: what that one knew of the same value stays, where
/// the log no longer reaches back so far.
pub fn of_field(
    log: &ObjectLog<'_>,
    sought: &Sought<'_>,
    table: &ActorTable,
    earlier: Option<&Finding>,
) -> FieldEvidence {
    let effects = effects(log.writes, sought);
    let set = effects.iter().rposition(|effect| matches!(effect, Effect::Gives | Effect::Sets));
    let (mut writes, certain) = matched(log.writes, &effects, set);
    writes.extend(candidates(log, &effects, set, sought));
    let users = users(log.writes, &effects, sought, &writes);
    if writes.is_empty()
        && let Some(n) = effects.iter().rposition(|effect| *effect == Effect::Other)
    {
        writes.push(listed(&log.writes[n], Matched::Candidate, OTHER));
    }
    let mut evidence = FieldEvidence { writes, users, note: None };
    let same = earlier.filter(|earlier| earlier.live.as_ref() == sought.live);
    if let Some(earlier) = same {
        evidence.keep(earlier, sought.actors, log, certain);
    }
    if evidence.writes.is_empty() {
        evidence.note = Some(log.nothing());
    }
    evidence.contradict(sought.actors, table);
    evidence
}

fn effects(writes: &[Write], sought: &Sought<'_>) -> Vec<Effect> {
    let mut before: Option<Option<&Value>> = None;
    let mut effects = Vec::with_capacity(writes.len());
    for write in writes {
        let body = write.body.as_ref();
        let after = body.and_then(|body| body.response.as_ref()).map(|tree| touch::lookup(tree, sought.path));
        let request = body.and_then(|body| body.request.as_ref());
        let effect = match (before, after) {
            _ if write.verb.deletes() || sought.is_beyond(write) => Effect::Not,
            (Some(before), Some(after)) if before == after => Effect::Not,
            (Some(_), Some(after)) => by_answers(write, request, after, sought),
            _ => by_request(write, request, after, sought),
        };
        effects.push(effect);
        before = if write.verb.deletes() { Some(None) } else { after };
    }
    effects
}

/// By what was there before and after, where it is not the same.
fn by_answers(write: &Write, request: Option<&Request>, after: Option<&Value>, sought: &Sought<'_>) -> Effect {
    let sent = write.verb != Verb::Patch
        || request.is_none_or(|request| {
            let taken_away = after.is_none() && is_applied(request);
            taken_away || touch::of_patch(request, sought.path, sought.builtin) != Touch::No
        });
    match (sought.is_live(after), sent) {
        (true, true) => Effect::Gives,
        (true, false) => Effect::Perhaps(ASIDE),
        (false, true) => Effect::Other,
        (false, false) => Effect::Not,
    }
}

/// By what was sent, where what was there before is not known.
fn by_request(write: &Write, request: Option<&Request>, after: Option<Option<&Value>>, sought: &Sought<'_>) -> Effect {
    let touch = request.map(|request| touch::of_patch(request, sought.path, sought.builtin));
    let value = match (after, touch) {
        (Some(after), _) => Some(after),
        (None, Some(Touch::Sets(value))) => Some(Some(value)),
        (None, Some(Touch::Removes)) => Some(None),
        (None, _) => None,
    };
    let has_live = value.is_some_and(|value| sought.is_live(value));
    match (touch, write.verb) {
        // What is not live now was not left so by it.
        (_, Verb::Update) if value.is_some() && write.subresource.is_none() => {
            if has_live {
                Effect::Perhaps(WHOLE)
            } else {
                Effect::Not
            }
        }
        (None, Verb::Create) if value.is_some() => {
            if has_live {
                Effect::Gives
            } else {
                Effect::Not
            }
        }
        (None, _) if value.is_some() && !has_live => Effect::Not,
        (None, _) => Effect::Perhaps(NO_BODY),
        (Some(Touch::No), _) if sought.live.is_none() && request.is_some_and(is_applied) => Effect::Perhaps(APPLIED),
        (Some(Touch::No), _) => Effect::Not,
        (Some(Touch::Position), _) => match after {
            Some(_) if !has_live => Effect::Not,
            _ => Effect::Perhaps(POSITION),
        },
        (Some(_), Verb::Create) => {
            if has_live {
                Effect::Gives
            } else {
                Effect::Not
            }
        }
        (Some(_), _) if has_live => Effect::Sets,
        (Some(_), _) if value.is_some() => Effect::Other,
        (Some(_), _) => Effect::Touches,
    }
}

/// Apply configurations name their kind; patches by hand hardly ever do.
fn is_applied(request: &Request) -> bool {
    matches!(request, Request::Part(tree) if tree.get("kind").is_some() && tree.get("apiVersion").is_some())
}

impl Sought<'_> {
    /// Whether a value is the live one.
    fn is_live(&self, value: Option<&Value>) -> bool {
        match (value.filter(|value| !value.is_null()), self.live) {
            (None, None) => true,
            (Some(value), Some(live)) => {
                value == live || compare::equal(value, live, compare::schema_at(self.schema, self.path))
            }
            _ => false,
        }
    }

    /// Whether a write went through a subresource that this field is not reached by.
    fn is_beyond(&self, write: &Write) -> bool {
        let scales = write.subresource.as_deref() == Some("scale");
        scales && self.builtin && *self.path != FieldPath::of_fields(["spec", "replicas"])
    }

    /// How near a write is to the field's newest writer.
    fn fit(&self, write: &Write) -> Fit {
        let actors = self.actors.iter().chain(self.last_writer.filter(|_| self.actors.is_empty()));
        actors.map(|actor| fit(write, actor)).max().unwrap_or(Fit::None)
    }
}

fn fit(write: &Write, actor: &Actor) -> Fit {
    let same_subresource = write.subresource == actor.subresource;
    match write.manager.fits(&actor.manager) {
        Some(true) if same_subresource && same_time(write.time, actor.time) => Fit::Both,
        Some(true) if same_subresource => Fit::Manager,
        _ => Fit::None,
    }
}

/// The server notes the time of an entry while it handles the request, in whole seconds.
fn same_time(received: Timestamp, entry: Option<Timestamp>) -> bool {
    entry.is_some_and(|entry| (-1..=5).contains(&(entry.unix() - received.unix())))
}

/// The write that gave the field its live value; else the last one that changed it to what is not known. The second part is whether no
/// earlier write can have given it the same value.
fn matched(writes: &[Write], effects: &[Effect], set: Option<usize>) -> (Vec<AuditedWrite>, bool) {
    let of = |n: usize, why: &str| vec![listed(&writes[n], Matched::Field, why)];
    let changes = |effect: &Effect| matches!(effect, Effect::Touches | Effect::Other);
    let Some(set) = set else {
        let last = effects.iter().rposition(changes).filter(|n| effects[*n] == Effect::Touches);
        return (last.map(|n| of(n, "it changed this field, or something in it")).unwrap_or_default(), false);
    };
    let other = effects[..set].iter().rposition(changes).map_or(0, |n| n + 1);
    if let Some(n) = effects[other..=set].iter().rposition(|effect| *effect == Effect::Gives) {
        return (of(other + n, "it changed the field to its live value"), true);
    }
    // What came after it set the same once more.
    let first = effects[other..=set].iter().position(|effect| *effect == Effect::Sets).unwrap_or_default();
    (of(other + first, "it set the field to its live value"), other > 0)
}

fn candidates(log: &ObjectLog<'_>, effects: &[Effect], set: Option<usize>, sought: &Sought<'_>) -> Vec<AuditedWrite> {
    // What set it to another value was not the last.
    let other = effects.iter().rposition(|effect| *effect == Effect::Other);
    let from = set.max(other).map_or(0, |n| n + 1);
    let perhaps: Vec<(&Write, &'static str, Fit)> = (from..log.writes.len())
        .rev()
        .filter_map(|n| match effects[n] {
            Effect::Perhaps(why) => Some((&log.writes[n], why, sought.fit(&log.writes[n]))),
            _ => None,
        })
        .collect();
    let best = perhaps.iter().map(|(_, _, fit)| *fit).max().unwrap_or(Fit::None);
    // After a match, what does not even fit a writer of the field says nothing.
    if set.is_some() && best != Fit::Both {
        return Vec::new();
    }
    let only = log.writes.len() == 1;
    let kept: Vec<_> = perhaps.into_iter().filter(|(_, _, fit)| *fit == best).collect();
    let more = kept.len().saturating_sub(MOST_LISTED);
    let mut candidates: Vec<AuditedWrite> = kept
        .into_iter()
        .take(MOST_LISTED)
        .map(|(write, why, fit)| {
            let reason = match fit {
                Fit::Both => format!("its field manager and time are those of the field's writer; {why}"),
                Fit::Manager => format!("its field manager is that of the field's writer; {why}"),
                Fit::None if only => format!("the only write to the object {}; {why}", log.since()),
                Fit::None => format!("a write to the object {}; {why}", log.since()),
            };
            listed(write, Matched::Candidate, reason)
        })
        .collect();
    if let Some(last) = candidates.last_mut().filter(|_| more > 0) {
        last.why.push_str(&format!("; {more} older ones are like it"));
    }
    candidates
}

/// Of each writer the user: of the write that matches the field under its name, or of the one that has both its name and its time.
fn users(writes: &[Write], effects: &[Effect], sought: &Sought<'_>, listed: &[AuditedWrite]) -> Vec<Option<String>> {
    let is_matched = |write: &Write| {
        listed.iter().any(|l| l.matched == Matched::Field && l.time == write.time && l.user == write.user)
    };
    let user = |actor: &Actor| {
        let named = |write: &&Write| fit(write, actor) >= Fit::Manager && is_matched(write);
        if let Some(write) = writes.iter().rev().find(named) {
            return Some(write.user.clone());
        }
        // The entry of a scaling has no time.
        let enough = if actor.time.is_some() { Fit::Both } else { Fit::Manager };
        let near = writes.iter().zip(effects).filter(|(_, effect)| **effect != Effect::Not);
        let mut users: Vec<&str> =
            near.filter(|(write, _)| fit(write, actor) >= enough).map(|(write, _)| write.user.as_str()).collect();
        users.dedup();
        match users.as_slice() {
            [one] => Some((*one).to_owned()),
            _ => None,
        }
    };
    sought.actors.iter().map(user).collect()
}

impl FieldEvidence {
    /// A manager's name that the user cannot be behind.
    fn contradict(&mut self, actors: &[Actor], table: &ActorTable) {
        let (Some(actor), Some(Some(user))) = (actors.first(), self.users.first()) else { return };
        if !table.contradicts(&actor.manager, &actor.operation, actor.subresource.as_deref(), user) {
            return;
        }
        for write in self.writes.iter_mut().filter(|write| write.user == *user) {
            write.contradicts = true;
        }
        let note = format!(
            "the audit log contradicts the writer's name: managedFields says {}, and {user} is none who writes under that name",
            actor.manager
        );
        self.note = crate::stages::findings::join(self.note.as_deref(), Some(&note));
    }

    /// Whether a writer's name is contradicted.
    pub fn contradicted(&self) -> bool {
        self.writes.iter().any(|write| write.contradicts)
    }

    fn keep(&mut self, earlier: &Finding, actors: &[Actor], log: &ObjectLog<'_>, certain: bool) {
        let (candidates, matched): (Vec<_>, Vec<_>) = earlier
            .writes
            .iter()
            .flatten()
            .filter(|write| log.is_gone(write))
            .cloned()
            .partition(|write| write.matched == Matched::Candidate);
        if !matched.is_empty() && !certain {
            self.writes = matched;
        } else if self.writes.is_empty() {
            self.writes = candidates;
        }
        for (user, actor) in self.users.iter_mut().zip(actors) {
            let same = |before: &&Actor| {
                before.manager == actor.manager && before.operation == actor.operation && before.time == actor.time
            };
            if user.is_none() {
                *user = earlier.actors.iter().find(same).and_then(|before| before.user.clone());
            }
        }
    }

    /// Gives the writers their users. One whose name is contradicted is no longer taken for what its name stands for.
    pub fn apply(&self, actors: &mut [Actor]) {
        for (actor, user) in actors.iter_mut().zip(&self.users) {
            actor.user.clone_from(user);
        }
        if let Some(actor) = actors.first_mut().filter(|_| self.contradicted()) {
            actor.kind = ActorKind::Interactive;
        }
    }
}
