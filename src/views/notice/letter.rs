//! All that a notice says, in the order in which every receiver is told it.

use serde::Serialize;

use crate::model::finding::Cause;
use crate::model::notice::{ItemKind, Notice, NoticeItem, NoticeKind};
use crate::views::clock;
use crate::views::escape::terminal;
use crate::views::severity::{self, capitals};
use crate::views::value::{self, cut};
use crate::views::words::{self, counted};

use super::Around;
use super::finding;
use super::gap::{self, ToldGap};
use super::headline::{self, Headline, is_over};
use super::line::Line;
use super::link;
use super::proof;
use super::summary::{self, Fact};
use super::withheld::is_about_values;

const MOST_VALUE: usize = 120;
const MOST_PATH: usize = 200;
/// Findings of a first scan, an incident or a catch-up: the worst.
const WORST: usize = 10;
/// Different things to do that are told together.
const MOST_NEXT: usize = 3;

/// What a notice says.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) headline: Headline,
    /// What there is to know first.
    pub(super) lead: Vec<Line>,
    pub(super) facts: Vec<Fact>,
    /// Over what `items` stands.
    pub(super) title: &'static str,
    pub(super) items: Vec<ToldItem>,
    /// Whether an item is told with its evidence, or as a row among many.
    pub(super) in_full: bool,
    /// Items left out.
    pub(super) more: u64,
    pub(super) gaps: Vec<ToldGap>,
    /// Gaps left out.
    pub(super) more_gaps: u64,
    pub(super) next: Vec<Next>,
    pub(super) proof: Vec<String>,
    pub(super) buttons: Vec<(String, String)>,
    pub(super) report: Option<String>,
}

/// What to do.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Next {
    /// `Next`, or `Next (behind Git)` where it is about some of several.
    pub(super) label: String,
    pub(super) line: Line,
}

impl Next {
    fn of(line: Line) -> Vec<Self> {
        vec![Self { label: "Next".to_owned(), line }]
    }
}

/// A finding as it is told.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ToldItem {
    pub(super) mark: &'static str,
    pub(super) severity: &'static str,
    pub(super) ink: &'static str,
    pub(super) ground: &'static str,
    pub(super) object: String,
    pub(super) path: Option<String>,
    /// `image not from Git`, `resolved after 42 min: live equals Git again`.
    pub(super) what: String,
    /// Git's value and the live one; `None` where they are kept from the receiver.
    pub(super) sides: Option<(String, String)>,
    pub(super) evidence: Vec<Line>,
    /// `prod-eu · checkout`, where the notice is about several.
    pub(super) place: Option<String>,
    /// Since when, code and id; `None` where they stand below the one finding.
    pub(super) tail: Option<String>,
    /// How it ended.
    pub(super) how: Option<String>,
    pub(super) link: Option<String>,
    pub(super) over: bool,
}

/// The letter of a notice whose values are withheld already where they must be.
pub(super) fn of(notice: &Notice, around: &Around<'_>) -> Letter {
    let in_full = matches!(notice.kind, NoticeKind::Drift);
    let shown = match notice.kind {
        NoticeKind::FirstScan | NoticeKind::Incident | NoticeKind::CaughtUp => notice.items.len().min(WORST),
        _ => notice.items.len(),
    };
    let facts = match (notice.kind, &notice.summary) {
        (_, Some(summary)) => [summary::facts(summary), summary::counts(notice)].concat(),
        (NoticeKind::FirstScan | NoticeKind::Incident | NoticeKind::CaughtUp, None) => summary::counts(notice),
        _ => Vec::new(),
    };
    let is_gaps = notice.kind == NoticeKind::Gaps;
    Letter {
        headline: headline::of(notice),
        lead: lead(notice, around),
        facts,
        title: match notice.kind {
            NoticeKind::Drift => "Findings",
            NoticeKind::Summary => "Open, worst first",
            _ => "The worst",
        },
        items: notice.items[..shown].iter().map(|item| told(item, notice, around, in_full)).collect(),
        in_full,
        more: (notice.items.len() - shown) as u64 + if is_gaps { 0 } else { notice.more },
        gaps: notice.gaps.iter().map(|told| gap::told(told, notice.scan.started_at)).collect(),
        more_gaps: if is_gaps { notice.more } else { 0 },
        next: next(notice),
        proof: proof::parts(notice, around),
        buttons: link::buttons(notice, around),
        report: link::report(notice, around),
    }
}

/// What stands under the headline.
pub(super) fn lead(notice: &Notice, around: &Around<'_>) -> Vec<Line> {
    let now = notice.scan.started_at;
    let mut lines = Vec::new();
    if around.repeat {
        lines.push(Line::of("Sent once more: an earlier attempt may have arrived."));
    }
    if around.standalone && !notice.thread.begins {
        let since = clock::at(notice.thread.since, now);
        lines.push(Line::of(format!("Goes on from the message of {since} on {}.", headline::place(notice))));
    }
    if let Some(dropped) = notice.stands_for.as_ref().filter(|_| notice.kind != NoticeKind::CaughtUp) {
        let messages = counted(dropped.messages, "message", "messages");
        let since = clock::at(dropped.since, now);
        lines.push(Line::of(format!("{messages} could not be delivered since {since}; this stands for them.")));
    }
    lines.extend(revision(notice));
    match notice.kind {
        NoticeKind::FirstScan if headline::total(notice) == 0 => {
            lines.push(Line::of("From now on it is told what is new or changes."));
        }
        NoticeKind::FirstScan if notice.scan.previous_started_at.is_none() => lines.push(Line::of(
            "This ledger is new and has no earlier history: since when these are there is not known. From now on only what \
             is new or changes is told.",
        )),
        NoticeKind::FirstScan => lines.push(
            Line::of("The route ").code(notice.route.as_str(), finding::MOST_NAME).say(
                " is new: these were open before it. From now on only what is new or changes is told.",
            ),
        ),
        NoticeKind::Incident => {
            lines.push(Line::of("They are too many to be told one by one, and often have one cause."));
        }
        NoticeKind::Test => {
            lines.push(Line::of("Nothing is wrong. Whoever reads this gets what the route takes."));
        }
        NoticeKind::Summary if notice.items.is_empty() && !headline::is_blind(notice) => {
            lines.push(Line::of("Nothing is open, and all that is declared could be compared."));
        }
        _ => {}
    }
    lines
}

/// `Live runs 9f2c1ab; main @ 4be07d2. 3 fields differ.` Only where something is behind: elsewhere it says nothing.
fn revision(notice: &Notice) -> Option<Line> {
    let is_late =
        |item: &NoticeItem| !is_over(item) && matches!(item.finding.cause, Some(Cause::Behind | Cause::Pending));
    let scan = &notice.scan;
    let (runs, revision, commit) =
        (scan.runs.as_ref()?.commit.as_ref()?, scan.revision.as_ref()?, scan.commit.as_ref()?);
    if !notice.items.iter().any(is_late) {
        return None;
    }
    let line = Line::of("Live runs ").code(runs.short(), 12).say("; ").code(revision.as_str(), finding::MOST_NAME);
    let line = line.say(" @ ").code(commit.short(), 12).say(".");
    let fields = notice.items.iter().filter(|item| !is_over(item) && item.finding.path.is_some()).count() as u64;
    let at_least = if notice.more > 0 { "At least " } else { "" };
    let differ = if fields == 1 { "differs" } else { "differ" };
    Some(line.say(format!(" {at_least}{} {differ}.", counted(fields, "field", "fields"))))
}

fn told(item: &NoticeItem, notice: &Notice, around: &Around<'_>, in_full: bool) -> ToldItem {
    let (finding, now) = (&item.finding, notice.scan.started_at);
    let over = is_over(item);
    let (ink, ground) = severity::colours(finding.severity);
    let lasted = clock::between(item.since, now);
    let how = item.how.as_deref().map(|how| format!(": {}", terminal(how))).unwrap_or_default();
    let what = match item.kind {
        ItemKind::Resolved => format!("resolved after {lasted}{how}"),
        ItemKind::OutOfScope => format!("out of scope, not resolved{how}"),
        _ => finding::what(finding),
    };
    let is_only = in_full && notice.items.len() == 1 && notice.more == 0;
    let happened = if in_full { happened(item, &lasted, is_only) } else { None };
    let runs_are_told = notice.scan.runs.as_ref().is_some_and(|runs| runs.commit.is_some());
    let evidence = if in_full && !over {
        happened.into_iter().chain(finding::evidence(finding, now, runs_are_told)).collect()
    } else {
        Vec::new()
    };
    let seen = match notice.kind {
        _ if over => None,
        NoticeKind::FirstScan if notice.scan.previous_started_at.is_none() => None,
        NoticeKind::Drift => Some(proof::came(item, notice)),
        _ => Some(proof::came_at(item, notice)),
    };
    let id = format!("{} {}", finding.code, terminal(finding.id.as_str()));
    ToldItem {
        mark: match item.kind {
            ItemKind::Resolved => headline::DONE,
            ItemKind::OutOfScope => "➖",
            _ => severity::mark(finding.severity),
        },
        severity: capitals(finding.severity),
        ink,
        ground,
        object: cut(&terminal(&words::object(finding)), 140),
        path: finding.path.as_ref().map(|path| cut(&terminal(&path.to_string()), MOST_PATH)),
        what: cut(&what, 300),
        sides: (!(around.withholds() && is_about_values(finding))).then(|| value::brief(finding, MOST_VALUE)),
        evidence,
        place: notice.group.is_none().then(|| {
            let target = finding.origin.as_ref().map(|origin| format!(" · {}", origin.target)).unwrap_or_default();
            cut(&terminal(&format!("{}{target}", finding.cluster)), finding::MOST_NAME)
        }),
        tail: (!is_only).then(|| seen.into_iter().chain([id]).collect::<Vec<_>>().join(" · ")),
        how: item.how.as_deref().filter(|_| over).map(|how| cut(&terminal(how), 200)),
        link: link::object(finding, notice, around),
        over,
    }
}

/// What happened to a finding that was told before. Of an only one the headline says most of it.
fn happened(item: &NoticeItem, lasted: &str, is_only: bool) -> Option<Line> {
    Some(match item.kind {
        ItemKind::Changed => Line::of("It is another difference than the one told before."),
        ItemKind::Flapping => {
            let times = item.times.map(|times| format!(": {times} times in 24 h")).unwrap_or_default();
            Line::of(format!("It comes and goes{times}. From now on it is told in summaries only, until it is calm."))
        }
        _ if is_only => return None,
        ItemKind::Reopened => Line::of("It was over and is back."),
        ItemKind::Raised => match item.severity_before {
            Some(before) => {
                let now = capitals(item.finding.severity);
                Line::of(format!("Its severity was raised from {} to {now}.", capitals(before)))
            }
            None => Line::of("It is more severe than told before."),
        },
        ItemKind::Repeated => Line::of(format!("It is still there after {lasted}.")),
        ItemKind::New | ItemKind::Existing | ItemKind::Resolved | ItemKind::OutOfScope => return None,
    })
}

fn next(notice: &Notice) -> Vec<Next> {
    let all = || Line::default().code("driftledger findings", 40);
    match notice.kind {
        NoticeKind::Drift => {}
        NoticeKind::Incident => {
            let look = "look for one cause first: a failed or wrong sync, a wrong revision, an edit of many objects. ";
            return Next::of(Line::of(look).then(all()).say(" lists them."));
        }
        NoticeKind::FirstScan if headline::total(notice) > 0 => {
            let correct = " lists them. Correct what is wrong, the worst first, and write ignore rules for what is meant to be so.";
            return Next::of(all().say(correct));
        }
        NoticeKind::CaughtUp => return Next::of(all().say(" lists what is open now.")),
        _ => return Vec::new(),
    }
    let open: Vec<&NoticeItem> = notice.items.iter().filter(|item| !is_over(item)).collect();
    let mut lines: Vec<(&str, Line)> = Vec::new();
    for NoticeItem { finding, .. } in &open {
        let line = finding::next(finding, open.len() > 1);
        if lines.iter().all(|(_, known)| *known != line) && lines.len() < MOST_NEXT {
            lines.push((finding::sort(finding), line));
        }
    }
    match lines.as_slice() {
        [(_, line)] => Next::of(line.clone()),
        _ => lines.into_iter().map(|(sort, line)| Next { label: format!("Next ({sort})"), line }).collect(),
    }
}
