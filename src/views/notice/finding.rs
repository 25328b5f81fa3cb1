//! One finding in words: what it is, what Git and the cluster have, who is behind it, what to do.

use crate::model::attribution::{Actor, ActorKind};
use crate::model::audit_event::Verb;
use crate::model::field_path::Step;
use crate::model::finding::{Cause, Code, Finding};
use crate::model::time::Timestamp;
use crate::views::clock;
use crate::views::escape::terminal;
use crate::views::value::cut;
use crate::views::words::{self, LoggedUser, counted};

use super::line::Line;

/// Characters of a name.
pub(super) const MOST_NAME: usize = 80;
const MOST_FIELD: usize = 40;

/// `image`, `env LOG_LEVEL`, `element of finalizers`: the field as people call it; `object` for the object as a whole.
pub(super) fn field(finding: &Finding) -> String {
    let steps = finding.path.as_ref().map(|path| path.steps()).unwrap_or_default();
    let named = steps.iter().rev().find_map(|step| match step {
        Step::Field(name) => Some(name.as_str()),
        _ => None,
    });
    let Some(name) = named else { return "object".to_owned() };
    let text = match steps.last() {
        Some(Step::Key(keys)) => match keys.first().and_then(|(_, value)| value.as_str()) {
            Some(key) => format!("{name} {key}"),
            None => format!("element of {name}"),
        },
        Some(Step::Item(_) | Step::Index(_)) => format!("element of {name}"),
        _ => name.to_owned(),
    };
    cut(&terminal(&text), MOST_FIELD)
}

/// `image not from Git`: what is wrong, in a few words.
pub(super) fn what(finding: &Finding) -> String {
    let field = field(finding);
    let words = match (finding.code, finding.cause) {
        (Code::Missing, Some(Cause::OutOfBand)) => "deleted live",
        (Code::Missing, Some(Cause::Pending)) => "not there yet",
        (Code::Missing, _) => "missing live",
        (Code::RemovedButLive, _) => "removed from Git, still live",
        (Code::Unmanaged, _) => "live, but not in Git",
        (Code::UnservedKind, _) => "kind not served by the cluster",
        (Code::Unconverged, _) => "does not get where Git wants it",
        (Code::ChangeControl, _) => "commit against the change policy",
        (Code::UnknownField, _) => return format!("{field} dropped by the server"),
        (Code::Conflict, _) => return format!("{field} declared twice"),
        (Code::Undeclared, _) => return format!("{field} not declared in Git"),
        (Code::Absent, Some(Cause::OutOfBand | Cause::HandRollback)) => return format!("{field} taken away live"),
        (Code::Absent, _) => return format!("{field} missing live"),
        (Code::Changed, Some(Cause::OutOfBand)) => return format!("{field} not from Git"),
        (Code::Changed, Some(Cause::HandRollback)) => return format!("{field} set back by hand"),
        (Code::Changed, Some(Cause::Behind)) => return format!("{field} behind Git"),
        (Code::Changed, Some(Cause::Ahead)) => return format!("{field} from another revision"),
        (Code::Changed, Some(Cause::Pending)) => return format!("{field} on its way from Git"),
        (Code::Changed, _) => return format!("{field} differs from Git"),
    };
    words.to_owned()
}

/// `shop/checkout-api`, or `ClusterRole node-reader`: the object in a headline.
pub(super) fn short_object(finding: &Finding) -> String {
    let text = match &finding.namespace {
        Some(namespace) => format!("{namespace}/{}", finding.name),
        None => format!("{} {}", finding.kind, finding.name),
    };
    cut(&terminal(&text), MOST_NAME)
}

/// Commit and writer, and what else supports the cause.
pub(super) fn evidence(finding: &Finding, now: Timestamp, runs_are_told: bool) -> Vec<Line> {
    let (standing, writer, commit) = (standing(finding, runs_are_told), writer(finding, now), commit(finding, now));
    // What matters first: of what was done by hand who did it, of what Git changed its commit.
    let is_late = matches!(finding.cause, Some(Cause::Behind | Cause::Pending));
    let ordered = if is_late { [standing, commit, writer] } else { [standing, writer, commit] };
    let mut lines: Vec<Line> = ordered.into_iter().flatten().collect();
    // Of a commit, it stands in the place of the values.
    let note = finding.note.as_ref().filter(|_| finding.code != Code::ChangeControl);
    lines.extend(note.map(|note| Line::sentence(note)));
    lines
}

/// How the live value stands to Git's history.
fn standing(finding: &Finding, runs_are_told: bool) -> Option<Line> {
    let is_field = matches!(finding.code, Code::Changed | Code::Absent | Code::Undeclared);
    match (finding.cause?, &finding.live_matches) {
        (Cause::OutOfBand, _) if finding.code == Code::Changed => {
            Some(Line::of("No version in Git's history at hand has this value."))
        }
        (Cause::OutOfBand, _) if is_field => Some(Line::of("No version in Git's history at hand has it so.")),
        (Cause::HandRollback, Some(found)) => {
            Some(Line::of("Live ").say(words::live_match(found)).say("; but it was not the GitOps side that wrote it."))
        }
        (Cause::Behind | Cause::Pending, Some(_)) if runs_are_told => None,
        (_, Some(found)) => Some(Line::of("Live ").say(words::live_match(found)).say(".")),
        (Cause::Undetermined, None) if finding.note.is_none() => {
            Some(Line::of("Who or what is behind it is not known."))
        }
        _ => None,
    }
}

/// `Git's value: 9f2c1ab, Jane Doe, 2026-02-26, PR #812 (approval not verified).`
fn commit(finding: &Finding, now: Timestamp) -> Option<Line> {
    let Some(by) = &finding.declared_by else {
        let origin = finding.origin.as_ref()?;
        return Some(Line::of("Declared in ").code(words::file(origin), 160).say("."));
    };
    let lead = match (finding.code, finding.cause) {
        (Code::Changed | Code::Absent, Some(Cause::Behind | Cause::Pending)) => "Git changed it in ",
        (Code::Changed, _) => "Git's value: ",
        (Code::Undeclared, _) => "Given up in Git by ",
        (Code::RemovedButLive, _) => "Last declared by ",
        (Code::ChangeControl, _) => "Commit ",
        _ => "Declared by ",
    };
    let time = if by.time.date() == now.date() { clock::at(by.time, now) } else { by.time.date() };
    let line = Line::of(lead).code(by.commit.short(), 12).say(", ").code(&by.author, MOST_NAME);
    let line = line.say(format!(", {time}")).say(words::change(by)).say(".");
    let subject = Some(&by.subject).filter(|subject| finding.code == Code::ChangeControl && !subject.is_empty());
    Some(match subject {
        Some(subject) => line.say(" ").code(subject, 120),
        None => line,
    })
}

/// `Set by client kubectl-edit, sam@example.com, 14:03 UTC (audit log).`
fn writer(finding: &Finding, now: Timestamp) -> Option<Line> {
    let user = words::logged_user(finding);
    let write = finding.writes.as_deref().unwrap_or_default().first();
    let verb = match (finding.code, write.map(|write| write.verb)) {
        (Code::Missing, Some(Verb::Delete | Verb::DeleteCollection)) => "Deleted",
        (Code::Changed | Code::Undeclared, _) => "Set",
        _ => "Written",
    };
    let Some(actor) = finding.actors.first() else {
        let line = logged(Line::of(format!("{verb} by ")), user?);
        return Some(
            line.say(write.map(|write| format!(", {}", clock::at(write.time, now))).unwrap_or_default())
                .say(" (audit log)."),
        );
    };
    let line = Line::of(lead(verb, actor)).code(&actor.manager, MOST_NAME);
    let time = actor.time.map(|time| format!(", {}", clock::at(time, now))).unwrap_or_default();
    Some(match user {
        Some(user) if user.against => logged(line.say(", by its name; the audit log says "), user).say(time).say("."),
        Some(user) => logged(line.say(", "), user).say(time).say(" (audit log)."),
        // What the GitOps side and controllers write has no person behind it.
        None if matches!(actor.kind, ActorKind::Gitops | ActorKind::Controller) => line.say(time).say("."),
        None => line.say(time).say("; user unknown, and a client's name is self-declared."),
    })
}

fn lead(verb: &str, actor: &Actor) -> String {
    match actor.kind {
        ActorKind::Gitops => "Last writer ".to_owned(),
        ActorKind::Controller => format!("{verb} by controller "),
        ActorKind::Interactive | ActorKind::Unknown => format!("{verb} by client "),
    }
}

fn logged(line: Line, user: LoggedUser<'_>) -> Line {
    let line = if user.sure { line } else { line.say("perhaps ") }.code(user.user, MOST_NAME);
    if user.others > 0 { line.say(format!(" or {}", counted(user.others, "other", "others"))) } else { line }
}

/// What to do about it. `among_others`: in words that fit every finding of its sort.
pub(super) fn next(finding: &Finding, among_others: bool) -> Line {
    let ask = |line: Line| match words::logged_user(finding).filter(|user| user.sure && !among_others) {
        Some(user) => line.say("ask ").code(user.user, MOST_NAME),
        None => line.say("ask who did it"),
    };
    let command =
        if among_others { "driftledger show ID".to_owned() } else { format!("driftledger show {}", finding.id) };
    let waiver = |line: Line| line.say("request a waiver (").code(&command, 40).say(" prints one).");
    let show = |line: Line| line.say("see ").code(&command, 40).say(".");
    let line = Line::default();
    let by_hand = matches!(finding.cause, Some(Cause::OutOfBand | Cause::HandRollback));
    match finding.code {
        Code::Missing if by_hand => ask(line).say("; then sync it back, or take it out of Git."),
        Code::RemovedButLive => waiver(line.say("prune it, put it back into Git, or ")),
        Code::Unmanaged => waiver(line.say("put it into Git, delete it, or ")),
        Code::UnservedKind => line.say("install its CRD, or change its apiVersion in Git."),
        Code::UnknownField => line.say("correct the field's name or the apiVersion in Git: it has no effect now."),
        Code::Conflict => line.say("leave one of the declarations in Git."),
        Code::Unconverged => show(line.say("look at its events and Pods; for all evidence ")),
        Code::ChangeControl => waiver(line.say("have the commit reviewed after the fact, revert it, or ")),
        _ if by_hand || finding.code == Code::Undeclared => waiver(ask(line).say("; then sync, open a PR, or ")),
        _ => match finding.cause {
            Some(Cause::Behind) => line.say("see why it was not synced: paused, failing, or waiting for a person?"),
            Some(Cause::Pending) => line.say("nothing yet: it should arrive by itself."),
            Some(Cause::Ahead) => line.say("see which revision the target should track, and sync that."),
            _ => show(line.say("find out which side is right; for all evidence ")),
        },
    }
}

/// Which findings [`next`] is about, where it is said beside others.
pub(super) fn sort(finding: &Finding) -> &'static str {
    match (finding.code, finding.cause) {
        (Code::Missing, Some(Cause::OutOfBand | Cause::HandRollback)) => "deleted live",
        (Code::RemovedButLive, _) => "removed from Git",
        (Code::Unmanaged, _) => "not in Git",
        (Code::UnservedKind, _) => "kind not served",
        (Code::UnknownField, _) => "dropped by the server",
        (Code::Conflict, _) => "declared twice",
        (Code::Unconverged, _) => "not converged",
        (Code::ChangeControl, _) => "against the change policy",
        (_, Some(Cause::OutOfBand | Cause::HandRollback)) | (Code::Undeclared, _) => "not from Git",
        (_, Some(Cause::Behind)) => "behind Git",
        (_, Some(Cause::Pending)) => "on its way",
        (_, Some(Cause::Ahead)) => "from another revision",
        _ => "cause not known",
    }
}
