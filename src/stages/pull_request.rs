//! The pull or merge request that a commit's message names. Each forge writes its own form; anybody can write any of them, so a
//! request is what the commit says and never proof of an approval.

use super::forge::{Forge, Pages};
use crate::model::change::{Change, PullRequest, RequestForm};

/// The request that a commit names. Where a merge brought another commit to the revision, the merge is the one to ask about.
pub fn of(change: &Change, pages: Option<&Pages>) -> Option<PullRequest> {
    let said = said(change, pages)?;
    let url = said.serves(change, pages).and_then(|forge| pages?.request(forge, said.number));
    let form = match said.forge {
        Some(Forge::GitLab) => RequestForm::MergeRequest,
        _ => RequestForm::PullRequest,
    };
    Some(PullRequest { number: said.number, form, url })
}

/// What serves the repository, where a commit's message shows it and the host's name does not.
pub fn forge(change: &Change, pages: Option<&Pages>) -> Option<Forge> {
    said(change, pages)?.serves(change, pages)
}

fn said(change: &Change, pages: Option<&Pages>) -> Option<Said> {
    of_subject(&change.subject, &change.body)
        .or_else(|| of_gitlab(&change.body))
        .or_else(|| of_review(&change.trailers, pages))
        .or_else(|| of_squash(&change.subject, pages))
}

/// What a message says.
struct Said {
    number: u64,
    /// `None` where several forges write so and the host does not decide.
    forge: Option<Forge>,
    /// The project that the message names.
    project: Option<String>,
}

impl Said {
    fn new(forge: Forge, number: u64) -> Self {
        Self { number, forge: Some(forge), project: None }
    }

    /// The forge that serves the repository, if the message and the URL agree on it. A form alone proves nothing on a host that is not
    /// known: a repository keeps its messages when it is mirrored or moved to another forge.
    fn serves(&self, change: &Change, pages: Option<&Pages>) -> Option<Forge> {
        let (forge, pages) = (self.forge?, pages?);
        let is_own = self.project.as_deref().map(|project| pages.is(project));
        let agrees = match (pages.forge(), forge) {
            (Some(known), _) => known == forge,
            (None, Forge::GitLab) => is_own == Some(true),
            (None, Forge::Gitea) => of_review(&change.trailers, Some(pages)).is_some_and(|own| own.project.is_none()),
            (None, Forge::Azure) => true,
            (None, _) => false,
        };
        (agrees && is_own != Some(false)).then_some(forge)
    }
}

/// The forms that stand in a subject.
fn of_subject(subject: &str, body: &str) -> Option<Said> {
    if let Some(rest) = subject.strip_prefix("Merge pull request #") {
        let (number, rest) = number(rest)?;
        if rest.starts_with(" from ") {
            return Some(Said::new(Forge::GitHub, number));
        }
        // Bitbucket Server: `Merge pull request #3 in OPS/shop from …`.
        let (project, _) = rest.strip_prefix(" in ")?.split_once(" from ")?;
        return Some(Said { project: Some(project.to_owned()), ..Said::new(Forge::BitbucketServer, number) });
    }
    if let Some(rest) = subject.strip_prefix("Merge pull request '") {
        // The title may hold anything: the last number in brackets before ` from ` is Gitea's.
        let (before, _) = rest.rsplit_once(") from ")?;
        let (_, digits) = before.rsplit_once("' (#")?;
        return Some(Said::new(Forge::Gitea, whole_number(digits)?));
    }
    if let Some(rest) = subject.strip_prefix("Pull request #") {
        let (number, rest) = number(rest)?;
        if !rest.starts_with(':') {
            return None;
        }
        let project = body.lines().find_map(|line| line.trim().strip_prefix("Merge in ")?.split_once(" from "));
        let project = project.map(|(project, _)| project.to_owned());
        return Some(Said { project, ..Said::new(Forge::BitbucketServer, number) });
    }
    if let Some((number, rest)) = subject.strip_prefix("Merge pull request ").and_then(number) {
        return rest.starts_with(" from ").then(|| Said::new(Forge::Azure, number));
    }
    if let Some(rest) = subject.strip_prefix("Merged PR ") {
        let (number, rest) = number(rest)?;
        return rest.starts_with(':').then(|| Said::new(Forge::Azure, number));
    }
    if subject.starts_with("Merged in ") {
        let (_, digits) = subject.strip_suffix(')')?.rsplit_once(" (pull request #")?;
        return Some(Said::new(Forge::BitbucketCloud, whole_number(digits)?));
    }
    None
}

/// `See merge request group/project!12`, the last such line.
fn of_gitlab(body: &str) -> Option<Said> {
    body.lines().rev().find_map(|line| {
        let (project, digits) = line.trim().strip_prefix("See merge request ")?.rsplit_once('!')?;
        let project = Some(project).filter(|project| !project.is_empty()).map(str::to_owned);
        Some(Said { project, ..Said::new(Forge::GitLab, whole_number(digits)?) })
    })
}

/// Gitea's and Forgejo's trailer `Reviewed-on: https://…/pulls/12`; the page of another repository is no page of this one.
fn of_review(trailers: &[(String, String)], pages: Option<&Pages>) -> Option<Said> {
    let (_, url) = trailers.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case("Reviewed-on"))?;
    let (before, digits) = url.trim_end_matches('/').rsplit_once("/pulls/")?;
    let said = Said::new(Forge::Gitea, whole_number(digits)?);
    let own = pages.is_some_and(|pages| pages.holds(url));
    Some(Said { project: (!own).then(|| before.to_owned()), ..said })
}

/// `Raise the limits (#812)`: a squash on GitHub or Gitea. Where GitLab serves, it is an issue.
fn of_squash(subject: &str, pages: Option<&Pages>) -> Option<Said> {
    let (_, digits) = subject.trim_end().strip_suffix(')')?.rsplit_once(" (#")?;
    let number = whole_number(digits)?;
    match pages.and_then(Pages::forge) {
        forge @ (Some(Forge::GitHub | Forge::Gitea) | None) => Some(Said { number, forge, project: None }),
        Some(_) => None,
    }
}

fn whole_number(digits: &str) -> Option<u64> {
    number(digits).and_then(|(number, rest)| rest.is_empty().then_some(number))
}

/// The number that a text begins with, and what follows it.
fn number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number = text[..end].parse().ok().filter(|number| *number > 0)?;
    Some((number, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::change::{Person, Signature};
    use crate::model::ids::CommitId;
    use crate::model::time::Timestamp;

    fn change(subject: &str, body: &str, trailers: &[(&str, &str)]) -> Change {
        let person = Person { name: "Ann".into(), email: "ann@example.com".into(), time: Timestamp::from_unix(0) };
        Change {
            commit: CommitId::new("4be07d2"),
            author: person.clone(),
            committer: person,
            subject: subject.into(),
            body: body.into(),
            trailers: trailers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            parents: Vec::new(),
            signature: Signature::None,
        }
    }

    fn said(subject: &str, body: &str, url: &str) -> Option<(String, Option<String>)> {
        let found = of(&change(subject, body, &[]), Pages::of(url).as_ref())?;
        Some((found.to_string(), found.url))
    }

    const GITHUB: &str = "https://github.com/acme/shop.git";
    const GITLAB: &str = "https://gitlab.com/acme/ops/shop.git";
    const SERVER: &str = "https://git.acme.example/scm/OPS/shop.git";
    const UNKNOWN: &str = "https://git.example.com/acme/shop.git";

    #[test]
    fn each_forge_writes_its_own_form() {
        for (case, subject, body, url, shown, link) in [
            (
                "a GitHub merge",
                "Merge pull request #812 from acme/limits",
                "Raise the limits",
                GITHUB,
                "PR #812",
                Some("https://github.com/acme/shop/pull/812"),
            ),
            (
                "a GitHub squash",
                "Raise the limits (#812)",
                "",
                GITHUB,
                "PR #812",
                Some("https://github.com/acme/shop/pull/812"),
            ),
            (
                "a revert of a squash",
                "Revert \"Raise (#7)\" (#9)",
                "",
                GITHUB,
                "PR #9",
                Some("https://github.com/acme/shop/pull/9"),
            ),
            (
                "GitHub's form on an unknown host: perhaps a mirror",
                "Merge pull request #812 from acme/limits",
                "",
                UNKNOWN,
                "PR #812",
                None,
            ),
            ("a squash on an unknown host", "Raise the limits (#812)", "", UNKNOWN, "PR #812", None),
            (
                "GitHub's form on GitLab: imported",
                "Merge pull request #812 from acme/limits",
                "",
                GITLAB,
                "PR #812",
                None,
            ),
            (
                "a GitLab merge",
                "Merge branch 'limits' into 'main'",
                "Raise the limits\n\nSee merge request acme/ops/shop!12",
                GITLAB,
                "MR !12",
                Some("https://gitlab.com/acme/ops/shop/-/merge_requests/12"),
            ),
            (
                "a GitLab merge of another project",
                "Merge branch 'limits' into 'main'",
                "See merge request other/shop!12",
                GITLAB,
                "MR !12",
                None,
            ),
            (
                "GitLab's form on an unknown host, with this project's name",
                "Raise the limits",
                "See merge request acme/shop!12",
                UNKNOWN,
                "MR !12",
                Some("https://git.example.com/acme/shop/-/merge_requests/12"),
            ),
            (
                "Bitbucket Cloud",
                "Merged in fix/limits (pull request #3)",
                "",
                "https://bitbucket.org/acme/shop.git",
                "PR #3",
                Some("https://bitbucket.org/acme/shop/pull-requests/3"),
            ),
            (
                "Bitbucket Server",
                "Merge pull request #3 in OPS/shop from fix to main",
                "",
                SERVER,
                "PR #3",
                Some("https://git.acme.example/projects/OPS/repos/shop/pull-requests/3"),
            ),
            (
                "newer Bitbucket Server",
                "Pull request #3: Raise the limits",
                "Merge in OPS/shop from fix to main",
                SERVER,
                "PR #3",
                Some("https://git.acme.example/projects/OPS/repos/shop/pull-requests/3"),
            ),
            (
                "Bitbucket Server, another project",
                "Pull request #3: Raise",
                "Merge in DEV/shop from fix to main",
                SERVER,
                "PR #3",
                None,
            ),
            (
                "Gitea",
                "Merge pull request 'Raise (#1) from x' (#12) from limits into main",
                "",
                "https://codeberg.org/acme/shop",
                "PR #12",
                Some("https://codeberg.org/acme/shop/pulls/12"),
            ),
            (
                "older Azure DevOps",
                "Merge pull request 12 from fix into main",
                "",
                "https://dev.azure.com/acme/ops/_git/shop",
                "PR #12",
                Some("https://dev.azure.com/acme/ops/_git/shop/pullrequest/12"),
            ),
            (
                "Azure DevOps",
                "Merged PR 123: Raise the limits",
                "",
                "https://dev.azure.com/acme/ops/_git/shop",
                "PR #123",
                Some("https://dev.azure.com/acme/ops/_git/shop/pullrequest/123"),
            ),
        ] {
            let expected = Some((shown.to_owned(), link.map(str::to_owned)));
            assert_eq!(said(subject, body, url), expected, "{case}");
        }
    }

    #[test]
    fn a_message_shows_what_serves_an_unknown_host_only_where_it_names_this_repository() {
        let own = "https://git.example.com/acme/shop/pulls/12";
        for (case, subject, body, trailer, forge) in [
            ("this project on GitLab", "Raise", "See merge request acme/shop!12", "", Some(Forge::GitLab)),
            ("another project on GitLab", "Raise", "See merge request acme/other!12", "", None),
            ("GitLab without a project", "Raise", "See merge request !12", "", None),
            ("Gitea's review here", "Raise (#12)", "", own, Some(Forge::Gitea)),
            (
                "Gitea's merge, reviewed here",
                "Merge pull request 'Raise' (#12) from x into y",
                "",
                own,
                Some(Forge::Gitea),
            ),
            ("Gitea's merge alone", "Merge pull request 'Raise' (#12) from x into y", "", "", None),
            ("GitHub's merge", "Merge pull request #12 from acme/x", "", "", None),
        ] {
            let trailers = [("Reviewed-on", trailer)];
            let trailers = if trailer.is_empty() { &[][..] } else { &trailers[..] };
            let pages = Pages::of(UNKNOWN);
            assert_eq!(super::forge(&change(subject, body, trailers), pages.as_ref()), forge, "{case}");
        }
    }

    #[test]
    fn what_only_looks_like_a_request_is_none() {
        for (case, subject, body, url) in [
            ("a plain commit", "Raise the limits", "Fixes #12", GITHUB),
            ("a plain merge", "Merge branch 'limits'", "", GITHUB),
            ("an issue on GitLab", "Raise the limits (#12)", "", GITLAB),
            ("no number", "Merge pull request #x from acme/limits", "", GITHUB),
            ("number nought", "Raise the limits (#0)", "", GITHUB),
            ("a number beyond all numbers", "Raise the limits (#99999999999999999999999)", "", GITHUB),
            ("a revert alone", "Revert \"Raise (#7)\"", "", GITHUB),
            ("inside a sentence", "Use merged PR 12 and (#7) here", "", GITHUB),
        ] {
            assert_eq!(said(subject, body, url), None, "{case}");
        }
    }

    #[test]
    fn a_review_trailer_gives_a_link_of_the_repository_itself_only() {
        let pages = Pages::of("https://forge.example.com/acme/shop.git");
        for (case, url, link) in [
            (
                "its own",
                "https://forge.example.com/acme/shop/pulls/12",
                Some("https://forge.example.com/acme/shop/pulls/12"),
            ),
            ("another host's", "https://evil.example/acme/shop/pulls/12", None),
            ("another repository's", "https://forge.example.com/evil/shop/pulls/12", None),
        ] {
            let found = of(&change("Raise (#12)", "", &[("Reviewed-on", url)]), pages.as_ref()).expect(case);
            assert_eq!((found.to_string().as_str(), found.url.as_deref()), ("PR #12", link), "{case}");
        }
    }
}
