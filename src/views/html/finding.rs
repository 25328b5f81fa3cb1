//! One finding as the page shows it.

use serde::Serialize;

use crate::model::attribution::{Actor, DeclaredBy, LiveMatch};
use crate::model::finding::Finding;
use crate::model::report::ScanReport;
use crate::views::diff::{self, Difference, Line, OneLine, Segment, Tag};
use crate::views::escape::terminal;
use crate::views::value::{self, Side};
use crate::views::words;

/// Characters of a text that somebody else chose; real ones are far shorter.
const MOST_CHARS: usize = 1_000;

/// A text from outside, made visible and bounded.
pub(super) fn t(text: &str) -> String {
    value::cut(&terminal(text), MOST_CHARS)
}

/// All texts are escaped as [`t`] does; the engine escapes them for HTML.
#[derive(Serialize)]
pub(super) struct FindingCard {
    pub(super) id: String,
    code: String,
    class: String,
    severity: &'static str,
    kind: String,
    name: String,
    /// In the pieces between which a line may break.
    path: Option<Vec<String>>,
    badges: Vec<Badge>,
    difference: DifferenceView,
    origin: Option<OriginView>,
    commit_did: &'static str,
    commit: Option<CommitView>,
    removed: Option<Extra>,
    live_match: Option<String>,
    live_commit: Option<Extra>,
    writers: Vec<WriterView>,
    writes: Vec<String>,
    cause: Option<CauseView>,
    seen: Option<String>,
    method: String,
    note: Option<String>,
    waiver: Option<String>,
}

#[derive(Serialize)]
struct Badge {
    text: String,
    /// A class of the style sheet.
    kind: &'static str,
}

#[derive(Serialize)]
struct CauseView {
    word: &'static str,
    meaning: &'static str,
}

#[derive(Serialize)]
struct OriginView {
    file: String,
    revision: String,
    renderer: Option<String>,
}

#[derive(Serialize)]
struct CommitView {
    id: String,
    short: String,
    author: String,
    email: String,
    time: String,
    subject: String,
    url: Option<String>,
    extra: Vec<Extra>,
}

/// What else is known of a commit, perhaps with a page.
#[derive(Serialize)]
struct Extra {
    text: String,
    url: Option<String>,
}

#[derive(Serialize)]
struct WriterView {
    manager: String,
    kind: &'static str,
    how: String,
    time: Option<String>,
    user: Option<String>,
}

/// Either two sides on a line each, or lines.
#[derive(Serialize, Default)]
struct DifferenceView {
    sides: Vec<SideView>,
    lines: Vec<LineView>,
    /// What the two signs stand for.
    git_label: String,
    live_label: String,
    more: Option<String>,
    bounded: bool,
    secret: bool,
}

#[derive(Serialize)]
struct SideView {
    label: &'static str,
    class: &'static str,
    /// Words instead of a value.
    words: Option<String>,
    parts: Vec<Part>,
}

#[derive(Serialize)]
struct LineView {
    class: &'static str,
    sign: &'static str,
    parts: Vec<Part>,
    no_newline: bool,
}

#[derive(Serialize)]
struct Part {
    text: String,
    marked: bool,
}

/// What the report says about a finding besides itself.
pub(super) struct Surroundings<'a> {
    report: &'a ScanReport,
    new: Vec<&'a str>,
    reopened: Vec<&'a str>,
    changed: Vec<&'a str>,
}

impl<'a> Surroundings<'a> {
    pub(super) fn of(report: &'a ScanReport) -> Self {
        let sorted = |ids: &'a [crate::model::ids::FindingId]| {
            let mut ids: Vec<_> = ids.iter().map(|id| id.as_str()).collect();
            ids.sort_unstable();
            ids
        };
        let changes = &report.scan.changes;
        // In a ledger's first scan everything is seen for the first time, which says nothing.
        let new = if changes.first_scan { Vec::new() } else { sorted(&changes.new) };
        Self { report, new, reopened: sorted(&changes.reopened), changed: sorted(&changes.changed) }
    }

    fn badges(&self, finding: &Finding) -> Vec<Badge> {
        let id = finding.id.as_str();
        let mut badges = Vec::new();
        let mut badge = |text: &str, kind| badges.push(Badge { text: text.to_owned(), kind });
        for (ids, text) in
            [(&self.new, "new"), (&self.reopened, "reopened"), (&self.changed, "changed since the last scan")]
        {
            if ids.binary_search(&id).is_ok() {
                badge(text, "fresh");
            }
        }
        if let Some(text) = words::not_looked_at(finding, self.report.scan.started_at) {
            badge(&text, "stale");
        }
        if finding.waiver.is_some() {
            badge("waived", "waived");
        }
        badges
    }
}

/// The card of a finding, with at most `most` lines of difference. The second number is how many lines it has.
pub(super) fn card(finding: &Finding, around: &Surroundings<'_>, most: usize) -> (FindingCard, usize) {
    let difference = difference(finding, most);
    let lines = difference.lines.len();
    let card = FindingCard {
        id: t(finding.id.as_str()),
        code: finding.code.to_string(),
        class: t(&finding.class),
        severity: finding.severity.as_str(),
        kind: t(&finding.kind),
        name: t(&finding.object().qualified_name()),
        path: steps(finding),
        badges: around.badges(finding),
        difference,
        origin: finding.origin.as_ref().map(|origin| OriginView {
            file: t(&words::file(origin)),
            revision: t(&format!("{} {} @ {}", origin.repository, origin.revision, origin.commit.short())),
            renderer: origin.renderer.as_deref().map(t),
        }),
        commit_did: words::commit_did(finding),
        commit: finding.declared_by.as_ref().map(commit),
        removed: finding.removed_by.as_ref().map(commit_line),
        live_match: finding.live_matches.as_ref().map(|found| t(&words::live_match(found))),
        live_commit: finding.live_matches.as_ref().and_then(LiveMatch::by).map(commit_line),
        writers: finding.actors.iter().map(writer).collect(),
        writes: finding.writes.iter().flatten().map(|write| t(&words::write(write))).collect(),
        cause: finding
            .cause
            .zip(words::cause(finding))
            .map(|(cause, meaning)| CauseView { word: cause.as_str(), meaning }),
        seen: words::seen(finding),
        method: t(&finding.method),
        note: finding.note.as_deref().map(t),
        waiver: finding.waiver.as_ref().map(|waiver| t(&value::plain(waiver))),
    };
    (card, lines)
}

/// The field's path in the pieces between which a line may break.
pub(super) fn steps(finding: &Finding) -> Option<Vec<String>> {
    finding.path.as_ref().map(|path| words::path_steps(&t(&path.to_string())))
}

fn commit(by: &DeclaredBy) -> CommitView {
    let reached = by.reached_by.as_ref().map(|commit| format!("reached the revision by {}", commit.short()));
    let signature = words::signature(by).map(|state| format!("signature {state}"));
    let link = |url: &Option<String>| words::link(url.as_deref()).map(str::to_owned);
    let extra = |text: Option<String>, url| text.map(|text| Extra { text: t(&text), url });
    let committer = words::committer(by).map(|other| format!("committed by {other}"));
    let said = [
        extra(committer, None),
        extra(reached, None),
        extra(words::request(by), link(&by.pull_request_url)),
        extra(signature, None),
    ];
    let trailers = words::trailers(by).filter_map(|trailer| extra(Some(trailer), None));
    CommitView {
        id: t(by.commit.as_str()),
        short: t(by.commit.short()),
        author: t(&by.author),
        email: t(&by.email),
        time: by.time.for_people(),
        subject: t(&by.subject),
        url: link(&by.commit_url),
        extra: said.into_iter().flatten().chain(trailers).collect(),
    }
}

/// A commit beside the one that the card is of.
fn commit_line(by: &DeclaredBy) -> Extra {
    Extra { text: t(&words::commit_line(by)), url: words::link(by.commit_url.as_deref()).map(str::to_owned) }
}

fn writer(actor: &Actor) -> WriterView {
    WriterView {
        manager: t(&actor.manager),
        kind: actor.kind.as_str(),
        how: t(&words::how_written(actor)),
        time: actor.time.map(|time| time.for_people()),
        user: actor.user.as_deref().map(t),
    }
}

fn difference(finding: &Finding, most: usize) -> DifferenceView {
    let secret = [&finding.declared, &finding.live].into_iter().flatten().any(value::holds_secret);
    let view = DifferenceView { secret, ..DifferenceView::default() };
    match diff::of(finding, most) {
        Difference::OneLine { git, live } => {
            DifferenceView { sides: vec![side("Git", "git", git), side("live", "live", live)], ..view }
        }
        Difference::Lines(lines) => {
            let label = |word: &str, side: Side| match side.of(finding) {
                Some(_) => word.to_owned(),
                None => format!("{word}: {}", value::stand_in(finding, side)),
            };
            DifferenceView {
                git_label: label("Git", Side::Git),
                live_label: label("live", Side::Live),
                more: (lines.more > 0).then(|| words::counted(lines.more as u64, "more line", "more lines")),
                bounded: lines.bounded,
                lines: lines.lines.into_iter().map(line).collect(),
                ..view
            }
        }
    }
}

fn side(label: &'static str, class: &'static str, side: OneLine) -> SideView {
    match side {
        OneLine::Words(words) => SideView { label, class, words: Some(words), parts: Vec::new() },
        OneLine::Value(segments) => SideView { label, class, words: None, parts: parts(segments) },
    }
}

fn line(line: Line) -> LineView {
    let (class, sign) = match line.tag {
        Tag::Same => ("same", " "),
        Tag::Git => ("git", "−"),
        Tag::Live => ("live", "+"),
        Tag::Skip => ("skip", ""),
    };
    LineView { class, sign, parts: parts(line.segments), no_newline: line.no_newline }
}

fn parts(segments: Vec<Segment>) -> Vec<Part> {
    segments.into_iter().map(|s| Part { text: s.text, marked: s.marked }).collect()
}
