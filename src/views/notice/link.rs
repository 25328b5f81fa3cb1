//! Where a notice leads.

use crate::config::delivery::{LinkFacts, UrlTemplate};
use crate::model::attribution::DeclaredBy;
use crate::model::finding::Finding;
use crate::model::notice::{Notice, NoticeKind};
use crate::views::escape::terminal;
use crate::views::value::cut;
use crate::views::words;

use super::Around;

const MOST_LABEL: usize = 75;

/// The page on the notice's scan, or on its one finding.
pub(super) fn report(notice: &Notice, around: &Around<'_>) -> Option<String> {
    let [only] = notice.items.as_slice() else { return fill(around.links.report.as_ref(), notice, None) };
    fill(around.links.report.as_ref(), notice, Some(&only.finding).filter(|_| notice.more == 0))
}

/// The page on a finding's object.
pub(super) fn object(finding: &Finding, notice: &Notice, around: &Around<'_>) -> Option<String> {
    fill(around.links.object.as_ref(), notice, Some(finding))
}

fn fill(template: Option<&UrlTemplate>, notice: &Notice, finding: Option<&Finding>) -> Option<String> {
    let group = notice.group.as_ref();
    let facts = LinkFacts {
        scan: notice.scan.id,
        cluster: group.map(|group| &group.cluster),
        target: group.and_then(|group| group.target.as_ref()),
        finding,
    };
    let url = template?.fill(&facts)?;
    words::link(Some(&url)).map(str::to_owned)
}

/// What stands on each button and where it leads: the report, and of one finding its commit, request and object.
pub(super) fn buttons(notice: &Notice, around: &Around<'_>) -> Vec<(String, String)> {
    if notice.kind == NoticeKind::Test {
        return Vec::new();
    }
    let mut buttons: Vec<(String, String)> =
        report(notice, around).map(|url| ("Report".to_owned(), url)).into_iter().collect();
    let mut findings = notice.items.iter().map(|item| &item.finding);
    let (Some(first), true) = (findings.next(), notice.more == 0) else { return buttons };
    let mut push = |label: String, url: Option<&str>| {
        let url = words::link(url).map(str::to_owned);
        buttons.extend(url.map(|url| (cut(&terminal(&label), MOST_LABEL), url)));
    };
    // Of several findings, what they share.
    let same_commit = |by: &&DeclaredBy| {
        notice.items.iter().all(|item| item.finding.declared_by.as_ref().is_some_and(|other| other.commit == by.commit))
    };
    if let Some(by) = first.declared_by.as_ref().filter(same_commit) {
        push(format!("Commit {}", by.commit.short()), by.commit_url.as_deref());
        push(by.pull_request.clone().unwrap_or_default(), by.pull_request_url.as_deref());
    }
    if notice.items.iter().all(|item| item.finding.object() == first.object()) {
        push("Object".to_owned(), object(first, notice, around).as_deref());
    }
    buttons
}
