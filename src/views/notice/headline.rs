//! The headline of a notice: severity, where, what.

use std::collections::BTreeSet;

use crate::model::finding::{Cause, Finding, Severity};
use crate::model::gap::Hides;
use crate::model::notice::{ItemKind, Notice, NoticeItem, NoticeKind, Summary};
use crate::model::time::Timestamp;
use crate::views::escape::terminal;
use crate::views::severity::{self, capitals};
use crate::views::value::cut;
use crate::views::words::{self, counted, number};
use crate::views::{clock, verdict};

use super::finding::{self, MOST_NAME};
use super::line::listed;

/// Said of what is over.
pub(super) const DONE: &str = "✅";
const NOT_SEEN: &str = "⚠️";

/// The headline, and the mark that stands before it where there are no colours. Of values it holds none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Headline {
    pub(super) mark: &'static str,
    pub(super) text: String,
    /// Decides the colour; `None`: nothing is wrong, or not a finding.
    pub(super) severity: Option<Severity>,
}

impl Headline {
    fn new(mark: &'static str, text: String) -> Self {
        Self { mark, text, severity: None }
    }
}

/// Whether it is about something that is no longer open.
pub(super) fn is_over(item: &NoticeItem) -> bool {
    matches!(item.kind, ItemKind::Resolved | ItemKind::OutOfScope)
}

/// All of the notice's findings that are open.
pub(super) fn total(notice: &Notice) -> u64 {
    notice.by_severity.values().sum()
}

/// The worst of what is open.
pub(super) fn worst(notice: &Notice) -> Option<Severity> {
    let listed = notice.items.iter().filter(|item| !is_over(item)).map(|item| item.finding.severity);
    let counted = notice.by_severity.iter().filter(|(_, count)| **count > 0).map(|(severity, _)| *severity);
    listed.chain(counted).max()
}

/// The headline of a notice.
pub(super) fn of(notice: &Notice) -> Headline {
    match notice.kind {
        NoticeKind::Drift => drift(notice),
        NoticeKind::FirstScan => first_scan(notice),
        NoticeKind::Incident => {
            let (scope, count) = (place(notice), total(notice));
            graded(notice, &scope, &format!("{} in one scan", counted(count, "new finding", "new findings")))
        }
        NoticeKind::Gaps => gaps(notice),
        NoticeKind::Summary => notice
            .summary
            .as_ref()
            .map_or_else(|| Headline::new("", "SUMMARY".to_owned()), |summary| self::summary(notice, summary)),
        NoticeKind::CaughtUp => {
            let count = notice.stands_for.as_ref().map_or(0, |dropped| dropped.messages);
            let messages = counted(count, "message", "messages");
            let since = notice.stands_for.as_ref().map(|dropped| clock::minute(dropped.since));
            let since = since.map(|since| format!(" since {since}")).unwrap_or_default();
            let text = format!("CAUGHT UP · {messages} could not be delivered{since}; this stands for them");
            Headline { mark: worst(notice).map_or(NOT_SEEN, severity::mark), text, severity: worst(notice) }
        }
        NoticeKind::Test => {
            Headline::new("", format!("TEST · This is a test of route {}", name(notice.route.as_str())))
        }
    }
}

/// What the message that began a conversation becomes when nothing of it is open any more.
pub(super) fn closed(notice: &Notice) -> Headline {
    let after = clock::between(since(notice), notice.scan.started_at);
    let word = if notice.kind == NoticeKind::Gaps {
        "GAPS OVER"
    } else {
        match (any(notice, ItemKind::Resolved), any(notice, ItemKind::OutOfScope)) {
            (_, false) => "RESOLVED",
            (false, true) => "OUT OF SCOPE",
            // Not all of it was seen to be well.
            (true, true) => "CLOSED",
        }
    };
    let mark = if word == "OUT OF SCOPE" { "" } else { DONE };
    Headline::new(mark, format!("{word} · after {after} · {}", place(notice)))
}

/// A mail's subject: the same for the whole conversation, so that severity and counts, which change, are not in it.
pub(super) fn subject(notice: &Notice) -> String {
    let began = clock::minute(notice.thread.since);
    let what = match notice.kind {
        NoticeKind::Drift | NoticeKind::FirstScan | NoticeKind::Incident => match &notice.group {
            Some(_) => format!("{}: drift, {began}", place(notice)),
            None => format!("drift, {began}"),
        },
        NoticeKind::Gaps => format!("gaps, {began}"),
        // These begin and end in one message.
        NoticeKind::Summary | NoticeKind::CaughtUp | NoticeKind::Test => of(notice).text,
    };
    let again = if notice.thread.begins { "" } else { "Re: " };
    cut(&format!("{again}[Driftledger] {what}"), 200)
}

/// `prod-eu · checkout`; of several targets their names.
pub(super) fn place(notice: &Notice) -> String {
    if let Some(group) = &notice.group {
        let cluster = name(group.cluster.as_str());
        return match &group.target {
            Some(target) => format!("{cluster} · {}", name(target.as_str())),
            None => cluster,
        };
    }
    let of_finding = |finding: &Finding| match &finding.origin {
        Some(origin) => origin.target.to_string(),
        None => finding.cluster.to_string(),
    };
    let mut names: Vec<String> = notice.by_target.iter().map(|(target, _)| target.clone()).collect();
    if names.is_empty() {
        let of_items = notice.items.iter().map(|item| of_finding(&item.finding));
        let of_gaps = notice.gaps.iter().filter_map(|told| {
            let gap = &told.gap;
            gap.target.as_ref().map(ToString::to_string).or(gap.cluster.as_ref().map(ToString::to_string))
        });
        names = of_items.chain(of_gaps).collect::<BTreeSet<_>>().into_iter().collect();
    }
    let names: Vec<String> = names.iter().map(|text| name(text)).collect();
    match names.as_slice() {
        [] => "all targets".to_owned(),
        [first, second, rest @ ..] if !rest.is_empty() => format!("{first}, {second} and {} more", rest.len()),
        few => listed(few),
    }
}

fn name(text: &str) -> String {
    cut(&terminal(text), MOST_NAME)
}

fn any(notice: &Notice, kind: ItemKind) -> bool {
    notice.items.iter().any(|item| item.kind == kind)
}

/// Since when what the notice is about was there.
fn since(notice: &Notice) -> Timestamp {
    let told = notice.items.iter().map(|item| item.since).chain(notice.gaps.iter().map(|gap| gap.since));
    told.chain([notice.thread.since]).min().unwrap_or(notice.thread.since)
}

fn graded(notice: &Notice, scope: &str, what: &str) -> Headline {
    match worst(notice) {
        Some(worst) => Headline {
            mark: severity::mark(worst),
            text: format!("{} · {scope}: {what}", capitals(worst)),
            severity: Some(worst),
        },
        None => Headline::new("", format!("{scope}: {what}")),
    }
}

fn drift(notice: &Notice) -> Headline {
    let open: Vec<&NoticeItem> = notice.items.iter().filter(|item| !is_over(item)).collect();
    let over: Vec<&NoticeItem> = notice.items.iter().filter(|item| is_over(item)).collect();
    if open.is_empty() && total(notice) == 0 {
        return ended(notice, &over);
    }
    let now = notice.scan.started_at;
    let also = if over.is_empty() { String::new() } else { format!("; {}", how_over(&over)) };
    let all = |kind| open.iter().all(|item| item.kind == kind);
    let since = open.iter().map(|item| item.since).min().unwrap_or(now);
    let lead = match open.as_slice() {
        [one] => match (one.kind, one.severity_before, one.times) {
            (ItemKind::Raised, Some(before), _) => format!("raised from {}: ", capitals(before)),
            (ItemKind::Flapping, _, Some(times)) => format!("comes and goes, {times} times in 24 h: "),
            (kind, _, _) => lead(kind, since, now),
        },
        [first, ..] if all(first.kind) => lead(first.kind, since, now),
        _ => String::new(),
    };
    let what = match open.as_slice() {
        many if late(many).is_some() => late(many).map(|behind| lasts(&behind, since, now)).unwrap_or_default(),
        [one] => {
            let scope = format!("{} · {}", cluster(notice, &one.finding), finding::short_object(&one.finding));
            let of_one = finding::what(&one.finding);
            let of_one = if one.finding.cause == Some(Cause::Behind) { lasts(&of_one, since, now) } else { of_one };
            return graded(notice, &scope, &format!("{lead}{of_one}{also}"));
        }
        many if notice.more == 0 => verdict::tally(many.iter().map(|item| &item.finding), now).parts().join(", "),
        _ => counted(total(notice), "finding", "findings"),
    };
    graded(notice, &place(notice), &format!("{lead}{what}{also}"))
}

fn lasts(what: &str, since: Timestamp, now: Timestamp) -> String {
    format!("{what} for {}", clock::between(since, now))
}

fn cluster(notice: &Notice, finding: &Finding) -> String {
    name(notice.group.as_ref().map_or(&finding.cluster, |group| &group.cluster).as_str())
}

fn lead(kind: ItemKind, since: Timestamp, now: Timestamp) -> String {
    match kind {
        ItemKind::New | ItemKind::Existing | ItemKind::Resolved | ItemKind::OutOfScope => String::new(),
        ItemKind::Reopened => "back again: ".to_owned(),
        ItemKind::Raised => "more severe than told: ".to_owned(),
        ItemKind::Changed => "changed: ".to_owned(),
        ItemKind::Repeated => format!("still there after {}: ", clock::between(since, now)),
        ItemKind::Flapping => "comes and goes: ".to_owned(),
    }
}

/// `4 commits behind Git`, where that holds for all of them.
fn late(open: &[&NoticeItem]) -> Option<String> {
    let behind = |item: &&NoticeItem| {
        let is_behind = item.finding.cause == Some(Cause::Behind) && item.finding.path.is_some();
        item.finding.live_matches.as_ref().filter(|_| is_behind)?.commits_behind
    };
    let all: Vec<u64> = open.iter().map(behind).collect::<Option<_>>()?;
    Some(format!("{} behind Git", counted(*all.iter().max()?, "commit", "commits")))
}

/// `2 resolved, 1 out of scope`.
fn how_over(over: &[&NoticeItem]) -> String {
    let count = |kind| over.iter().filter(|item| item.kind == kind).count() as u64;
    let parts = [(count(ItemKind::Resolved), "resolved"), (count(ItemKind::OutOfScope), "out of scope")];
    let there = parts.into_iter().filter(|(count, _)| *count > 0);
    there.map(|(count, word)| format!("{} {word}", number(count))).collect::<Vec<_>>().join(", ")
}

fn ended(notice: &Notice, over: &[&NoticeItem]) -> Headline {
    if notice.thread.ends {
        return closed(notice);
    }
    let (word, mark) = match (any(notice, ItemKind::Resolved), any(notice, ItemKind::OutOfScope)) {
        (true, false) => ("RESOLVED", DONE),
        (false, true) => ("OUT OF SCOPE", ""),
        _ => ("CLOSED", ""),
    };
    let what = match over {
        [one] => {
            let lasted = clock::between(one.since, notice.scan.started_at);
            let (cluster, object) = (cluster(notice, &one.finding), finding::short_object(&one.finding));
            format!("after {lasted} · {cluster} · {object}: {}", finding::field(&one.finding))
        }
        many => format!("{}: {}", place(notice), how_over(many)),
    };
    Headline::new(mark, format!("{word} · {what}; others are still open"))
}

fn first_scan(notice: &Notice) -> Headline {
    let count = total(notice);
    // A route that is new in a ledger that is not is told what it missed.
    let occasion = if notice.scan.previous_started_at.is_none() { "FIRST SCAN" } else { "NEW ROUTE" };
    if count == 0 {
        let nothing =
            if is_blind(notice) { "no deviation seen, but not all could be read" } else { "nothing deviates from Git" };
        let mark = if is_blind(notice) { NOT_SEEN } else { DONE };
        return Headline::new(mark, format!("{occasion} · {}: {nothing}", place(notice)));
    }
    let verb = if count == 1 { "exists" } else { "exist" };
    let what = format!("{} {verb} already", counted(count, "deviation", "deviations"));
    let Headline { mark, severity, .. } = graded(notice, "", "");
    Headline { mark, severity, text: format!("{occasion} · {}: {what}", place(notice)) }
}

/// Whether the scan did not see everything.
pub(super) fn is_blind(notice: &Notice) -> bool {
    notice.scan.gaps > 0 || notice.scan.compared < notice.scan.declared || notice.scan.compared == 0
}

fn gaps(notice: &Notice) -> Headline {
    let now = notice.scan.started_at;
    let stand = notice.gaps.iter().filter(|gap| !gap.over).count() as u64 + notice.more;
    let over = notice.gaps.len() as u64 + notice.more - stand;
    if stand == 0 && notice.thread.ends {
        return closed(notice);
    }
    let longest = notice.gaps.iter().filter(|gap| gap.over == (stand == 0)).map(|gap| gap.since).min().unwrap_or(now);
    let lasted = clock::between(longest, now);
    let only = notice.gaps.iter().find(|gap| !gap.over).filter(|_| stand == 1);
    if let Some(told) = only {
        let seen = match told.gap.hides {
            Hides::Evidence => "evidence not read".to_owned(),
            _ => format!("{} not seen", name(&words::hides(&told.gap))),
        };
        let also =
            if over > 0 { format!("; {} over", counted(over, "other gap", "other gaps")) } else { String::new() };
        let scope = told.gap.target.as_ref().map(|target| target.as_str());
        let scope = scope.or(told.gap.cluster.as_ref().map(|cluster| cluster.as_str()));
        let scope = scope.map_or_else(|| place(notice), name);
        return Headline::new(NOT_SEEN, format!("GAP · {scope}: {seen} for {lasted}{also}"));
    }
    let text = match (stand, over) {
        (0, over) => format!("{} over; others remain", counted(over, "gap", "gaps")),
        (stand, 0) => format!("{} for up to {lasted}", counted(stand, "gap", "gaps")),
        (stand, over) => format!("{} for up to {lasted}, {over} over", counted(stand, "gap", "gaps")),
    };
    let mark = if stand == 0 { DONE } else { NOT_SEEN };
    Headline::new(mark, format!("GAPS · {}: {text}", place(notice)))
}

fn summary(notice: &Notice, summary: &Summary) -> Headline {
    let called = format!("{} SUMMARY", name(&summary.name).to_uppercase());
    let scans = counted(summary.scans, "scan", "scans");
    let happened = summary.opened + summary.resolved + summary.out_of_scope;
    if summary.complete == 0 {
        let why = if summary.scans == 0 { "no scan ran".to_owned() } else { format!("none of {scans} saw everything") };
        return Headline::new(NOT_SEEN, format!("{called} · {why}; {}", open(summary)));
    }
    if summary.open == 0 && happened == 0 {
        let partial = summary.scans.saturating_sub(summary.complete);
        let partial = if partial > 0 { format!(", {} of them partial", number(partial)) } else { String::new() };
        return if is_blind(notice) {
            Headline::new(NOT_SEEN, format!("{called} · {scans}, no drift seen, but not all can be read"))
        } else {
            Headline::new(DONE, format!("ALL CLEAR · {called}: {scans}{partial}, no drift seen"))
        };
    }
    let worst_count = worst(notice).and_then(|worst| Some((worst, *notice.by_severity.get(&worst)?)));
    let graded = worst_count.map(|(worst, count)| format!(" ({} {worst})", number(count))).unwrap_or_default();
    let counts =
        format!("{}{graded}, {} opened, {} resolved", open(summary), number(summary.opened), number(summary.resolved));
    let mark = worst(notice).map_or(DONE, severity::mark);
    Headline { mark, text: format!("{called} · {counts}"), severity: worst(notice) }
}

fn open(summary: &Summary) -> String {
    if summary.open == 0 { "nothing open".to_owned() } else { format!("{} open", number(summary.open)) }
}
