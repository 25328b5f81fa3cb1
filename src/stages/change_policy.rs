//! DL012: a commit that reached a tracked revision against the target's change policy.
//!
//! Such a finding does not heal: the commit was on the revision. It stays open until the policy asks for nothing that the commit breaks,
//! the commit is no longer on the revision, the target is gone, or an ignore rule covers it; each scan judges the commit of every open
//! one again.

use crate::config::ChangePolicy;
use crate::model::attribution::{Committer, DeclaredBy, MOST_TRAILERS, Origin, Trailer};
use crate::model::change::{Change, Person, PullRequest, Signature};
use crate::model::finding::{Code, Finding};
use crate::model::fingerprint;
use crate::model::history::CommitInfo;
use crate::model::ids::{ClusterName, CommitId, RepositoryName};
use crate::model::resource::ObjectId;
use crate::stages::findings;

/// What a finding of this kind calls the thing that it is about.
pub const KIND: &str = "Commit";

/// How a commit stands that an open finding is about and that is no finding now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitStanding {
    /// It breaks no rule of the same policy: a key that was not known is known now.
    Fulfils,
    /// It breaks no rule of the policy as it is now.
    PolicyChanged,
    /// The revision was rewritten without it, or the target tracks another one.
    Gone,
    /// It could not be looked at.
    Unknown,
}

/// The rules of a policy that a commit breaks, for people; empty where it breaks none.
pub fn broken(policy: &ChangePolicy, change: &Change) -> Vec<String> {
    let mut broken = Vec::new();
    if policy.signed {
        match (&change.signature, change.signature.detail()) {
            (Signature::None, _) => broken.push("it is not signed".to_owned()),
            (Signature::Verified { by, key, .. }, _) if !policy.allows(&change.signature) => {
                broken.push(format!("it is signed by {by} (key {key}), who is not among the signers"));
            }
            (Signature::Verified { .. }, _) => {}
            (state, detail) => {
                broken.push(format!("its signature is {}: {}", state.as_str(), detail.unwrap_or_default()));
            }
        }
    }
    if policy.merge_only && !change.is_merge() {
        broken.push("it is no merge".to_owned());
    }
    for name in &policy.trailers {
        let has = |(found, value): &(String, String)| found.eq_ignore_ascii_case(name) && !value.is_empty();
        if !change.trailers.iter().any(has) {
            broken.push(format!("it has no trailer {name}"));
        }
    }
    broken
}

/// The finding on a commit. `origin` is of the target whose policy is broken; its file is the target's folder.
pub fn finding(cluster: &ClusterName, origin: Origin, change: &Change, broken: &[String]) -> Finding {
    let object = object(&change.commit);
    let mut finding = findings::blank(cluster, &object, String::new(), Code::ChangeControl, None);
    finding.fingerprint = fingerprint::of_commit(&origin.repository, &change.commit);
    finding.id = fingerprint::finding_id(&finding.fingerprint);
    let by = format!("committed by {} <{}>", change.committer.name, change.committer.email);
    finding.note = Some(format!("{}; {by}", broken.join("; ")));
    finding.method = "the commit held against the target's change policy".to_owned();
    finding.declared_by = Some(declared_by(change));
    finding.origin = Some(origin);
    finding
}

/// What stands for a commit where an object is expected.
pub fn object(commit: &CommitId) -> ObjectId {
    ObjectId { group: String::new(), kind: KIND.to_owned(), namespace: None, name: commit.short().to_owned() }
}

/// The repository and commit that a finding of this kind is about.
pub fn commit_of(finding: &Finding) -> Option<(&RepositoryName, &CommitId)> {
    let by = finding.declared_by.as_ref().filter(|_| finding.code == Code::ChangeControl)?;
    Some((&finding.origin.as_ref()?.repository, &by.commit))
}

/// A commit, before its request and signature are added.
pub fn declared_by(change: &Change) -> DeclaredBy {
    let info = CommitInfo {
        id: change.commit.clone(),
        author: change.author.name.clone(),
        email: change.author.email.clone(),
        time: change.author.time,
        subject: change.subject.clone(),
        parents: change.parents.len(),
    };
    DeclaredBy::of(&info, None)
}

/// Adds what is known of a commit: committer, trailers, signature, request and pages.
pub fn enrich(by: &mut DeclaredBy, change: &Change, request: Option<&PullRequest>, page: Option<String>) {
    let Person { name, email, time } = change.committer.clone();
    by.committer = Some(Committer { name, email, time });
    let trailer = |(name, value): &(String, String)| Trailer { name: start(name), value: start(value) };
    by.trailers = change.trailers.iter().take(MOST_TRAILERS).map(trailer).collect();
    by.signature = Some(change.signature.as_str().to_owned());
    by.signature_detail = change.signature.detail();
    by.pull_request = request.map(ToString::to_string);
    by.pull_request_url = request.and_then(|request| request.url.clone());
    by.commit_url = page;
}

fn start(text: &str) -> String {
    text.chars().take(1_000).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::{Revision, TargetName};
    use crate::model::time::Timestamp;

    fn change(parents: usize, trailers: &[(&str, &str)], signature: Signature) -> Change {
        let person = |name: &str| Person {
            name: name.into(),
            email: format!("{}@example.com", name.to_lowercase()),
            time: Timestamp::from_unix(0),
        };
        Change {
            commit: CommitId::new("4be07d2f00"),
            author: person("Ann"),
            committer: person("Bob"),
            subject: "Raise".into(),
            body: String::new(),
            trailers: trailers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            parents: vec![CommitId::new("1"); parents],
            signature,
        }
    }

    fn verified(by: &str) -> Signature {
        Signature::Verified { by: by.into(), key: "SHA256:k".into(), note: None }
    }

    #[test]
    fn each_rule_is_broken_by_what_it_forbids_only() {
        let none = ChangePolicy::default();
        let signed = ChangePolicy { signed: true, ..none.clone() };
        let by_ann = ChangePolicy { signers: vec!["ann@example.com".into()], ..signed.clone() };
        let merges = ChangePolicy { merge_only: true, ..none.clone() };
        let reviewed = ChangePolicy { trailers: vec!["Reviewed-by".into()], ..none.clone() };
        let all = ChangePolicy { merge_only: true, trailers: reviewed.trailers.clone(), ..by_ann.clone() };
        for (case, policy, change, expected) in [
            ("nothing asked", &none, change(1, &[], Signature::None), &[][..]),
            ("signed", &signed, change(1, &[], verified("eve@example.com")), &[]),
            ("not signed", &signed, change(1, &[], Signature::None), &["it is not signed"]),
            (
                "no key of ours",
                &signed,
                change(1, &[], Signature::unverified("a stranger's key")),
                &["its signature is unverified: a stranger's key"],
            ),
            (
                "tampered with",
                &signed,
                change(1, &[], Signature::bad("not of this commit")),
                &["its signature is bad: not of this commit"],
            ),
            ("by a signer", &by_ann, change(1, &[], verified("ann@example.com")), &[]),
            (
                "by another",
                &by_ann,
                change(1, &[], verified("eve@example.com")),
                &["it is signed by eve@example.com (key SHA256:k), who is not among the signers"],
            ),
            ("a merge", &merges, change(2, &[], Signature::None), &[]),
            ("a push", &merges, change(1, &[], Signature::None), &["it is no merge"]),
            ("the first commit of all", &merges, change(0, &[], Signature::None), &["it is no merge"]),
            ("a trailer in any case", &reviewed, change(1, &[("reviewed-BY", "Ann")], Signature::None), &[]),
            (
                "an empty trailer",
                &reviewed,
                change(1, &[("Reviewed-by", "")], Signature::None),
                &["it has no trailer Reviewed-by"],
            ),
            (
                "everything at once",
                &all,
                change(1, &[], Signature::None),
                &["it is not signed", "it is no merge", "it has no trailer Reviewed-by"],
            ),
        ] {
            assert_eq!(broken(policy, &change), expected, "{case}");
        }
    }

    #[test]
    fn the_same_commit_of_the_same_repository_is_the_same_finding() {
        let origin = |repository: &str, target: &str| Origin {
            target: TargetName::new(target),
            repository: RepositoryName::new(repository),
            revision: Revision::new("main"),
            commit: CommitId::new("tip"),
            file: String::new(),
            line: None,
            renderer: None,
        };
        let change = change(1, &[], Signature::None);
        let of = |cluster: &str, repository: &str, target: &str| {
            finding(&ClusterName::new(cluster), origin(repository, target), &change, &["it is no merge".to_owned()])
        };
        let one = of("prod", "platform", "shop");
        assert_eq!(one.fingerprint, of("dev", "platform", "other").fingerprint);
        assert_ne!(one.fingerprint, of("prod", "apps", "shop").fingerprint);
        assert_eq!(one.note.as_deref(), Some("it is no merge; committed by Bob <bob@example.com>"));
        assert_eq!(commit_of(&one).map(|(_, commit)| commit.as_str()), Some("4be07d2f00"));
        assert_eq!(one.object().to_string(), "Commit 4be07d2");
    }
}
