//! Versions of an object that stood only inside of what merges brought: earlier ones too, where a repository's whole history counts.
//!
//! A version belongs to the line that changed its file. A line that left that one and went on without such a change is not named for it,
//! though its commits have the version as well.

use std::sync::Arc;

use super::object_history::ObjectVersion;
use crate::model::attribution::{DeclaredBy, LiveMatch};
use crate::model::field_path::FieldPath;
use crate::model::history::CommitInfo;
use crate::model::ids::Revision;
use crate::model::schema::SchemaRef;

/// One version on a merged line. Its `last` is the newest commit of the line that has it; both of its distances are the merge's.
#[derive(Clone, Debug, PartialEq)]
pub struct InsideVersion {
    /// The version.
    pub version: ObjectVersion,
    /// The merge that brought its newest commit.
    pub merge: Arc<CommitInfo>,
    /// The commit of the line with the next version; `None` where the line has none.
    pub next: Option<Arc<CommitInfo>>,
    /// Which line it is on.
    pub line: usize,
}

/// All that were asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inside {
    /// Newest first on each line.
    pub versions: Vec<InsideVersion>,
    /// Whether there may be others that could not be read.
    pub unread: bool,
}

impl Inside {
    /// The version for which `matches` holds, given its position, that the newest merge brought.
    pub fn newest(&self, matches: impl Fn(usize, &ObjectVersion) -> bool) -> Option<&InsideVersion> {
        let versions = self.versions.iter().enumerate();
        let matching = versions.filter(|(n, inside)| inside.version.readable && matches(*n, &inside.version));
        // A line may have been merged piece by piece: the newest of its tips says little of what is below.
        matching.map(|(_, inside)| inside).min_by_key(|inside| inside.version.commits_behind)
    }

    /// A version that has the live value, as evidence.
    pub fn live_match(
        &self,
        matched: &InsideVersion,
        path: &FieldPath,
        schema: Option<SchemaRef<'_>>,
        revision: &Revision,
    ) -> LiveMatch {
        let of_line = self.versions.iter().filter(|other| other.line == matched.line);
        let from = of_line.skip_while(|other| other.version.commit.id != matched.version.commit.id);
        let alike = from.take_while(|other| other.version.is_like(&matched.version, Some(path), schema));
        LiveMatch {
            commits_behind: Some(matched.version.commits_behind),
            since: Some(matched.next.as_ref().unwrap_or(&matched.merge).time),
            given_by: alike.last().map(|given| given.version.commit.id.clone()),
            reached_by: Some(matched.merge.id.clone()),
            ..LiveMatch::of(matched.version.last.0.clone(), revision)
        }
    }
}

impl InsideVersion {
    /// `only inside what merge 1a2b3c4 brought`. How far behind that is grows with each commit and is no part of a note.
    pub fn words(&self) -> String {
        format!("only inside what merge {} brought", self.merge.id.short())
    }

    /// The commit that gave the object this version.
    pub fn by(&self) -> DeclaredBy {
        DeclaredBy::of(&self.version.commit, Some(&self.merge))
    }

    /// The commit that ended it: on its line, or the merge itself.
    pub fn ended_by(&self) -> DeclaredBy {
        match &self.next {
            Some(next) => DeclaredBy::of(next, Some(&self.merge)),
            None => DeclaredBy::of(&self.merge, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::attribution::{Actor, ActorKind};
    use crate::model::finding::{Cause, Code};
    use crate::model::ids::CommitId;
    use crate::model::time::Timestamp;
    use crate::stages::attribute::{self, Circumstances, Elsewhere};
    use crate::stages::beside::Past;
    use crate::stages::compare::Difference;
    use crate::stages::judge::Judgement;
    use crate::stages::object_history::ObjectHistory;

    fn commit(name: &str) -> Arc<CommitInfo> {
        Arc::new(CommitInfo {
            id: CommitId::new(name.repeat(40)),
            author: "Ada".into(),
            email: "ada@example.com".into(),
            time: Timestamp::from_unix(1_000),
            subject: name.to_owned(),
            parents: 1,
        })
    }

    fn version(name: &str, replicas: i64, behind: u64) -> ObjectVersion {
        let commit = commit(name);
        let last = (commit.id.clone(), behind);
        let value = Some(Arc::new(json!({"spec": {"replicas": replicas}})));
        ObjectVersion { commit, commits_behind: behind, last, value, readable: true }
    }

    /// On main 3 and before that 5; inside of one merge 7, of an older one 7 and 5 and 8.
    fn history(unread: bool) -> ObjectHistory {
        let inside = |name: &str, replicas: i64, merge: (&str, u64), line: usize| InsideVersion {
            version: version(name, replicas, merge.1),
            merge: commit(merge.0),
            next: None,
            line,
        };
        let versions = vec![
            inside("d", 8, ("f", 9), 0),
            inside("c", 7, ("e", 4), 0),
            inside("b", 7, ("e", 4), 0),
            inside("a", 5, ("e", 4), 0),
            inside("0", 7, ("f", 9), 1),
        ];
        ObjectHistory {
            versions: vec![version("1", 3, 2), version("2", 5, 6)],
            whole: true,
            inside: Inside { versions, unread },
            ..ObjectHistory::default()
        }
    }

    fn told(live: i64, actor: Option<ActorKind>, seen: u64, unread: bool, next: Option<i64>) -> attribute::Attributed {
        let actors = actor.map(|kind| Actor {
            manager: "m".into(),
            operation: "Update".into(),
            subresource: None,
            time: None,
            kind,
            user: None,
        });
        let difference = Difference {
            code: Code::Changed,
            path: FieldPath::of_fields(["spec", "replicas"]),
            declared: Some(json!(3)),
            live: Some(json!(live)),
            additions_only: false,
            note: None,
        };
        let judgement =
            Judgement { difference, actors: actors.into_iter().collect(), last_writer: None, undetermined: false };
        let revision = Revision::new("main");
        let around = Circumstances {
            revision: &revision,
            sightings: &[(seen, Timestamp::from_unix(0))],
            now: Timestamp::from_unix(10_000),
            grace_seconds: 600,
            seen_live: true,
            applied: &[],
        };
        let value = |replicas| json!({"spec": {"replicas": replicas}});
        let elsewhere = next.map(|replicas| Elsewhere {
            environment: None,
            revision: Revision::new("next"),
            commit: CommitId::new("n"),
            value: value(replicas),
        });
        let elsewhere: Vec<Elsewhere> = elsewhere.into_iter().collect();
        let live_object = json!({"spec": {"replicas": 1}});
        // The second version of the line declares 5.
        let history = ObjectHistory { matched: vec![(live == 5).then_some(1)], ..history(unread) };
        attribute::difference(&judgement, 0, &Past::new(&history, &live_object, None), &elsewhere, &around)
    }

    #[test]
    fn the_cause_follows_the_table_and_the_revisions_own_line_comes_first() {
        let (gitops, person) = (Some(ActorKind::Gitops), Some(ActorKind::Interactive));
        for (case, live, actor, seen, unread, next, cause, commit) in [
            ("on the line and inside", 5, gitops, 2, false, None, Cause::Behind, Some("2")),
            ("the newest merge's", 7, gitops, 4, false, None, Cause::Behind, Some("c")),
            ("the merge was just pushed", 7, gitops, 5, false, None, Cause::Pending, Some("c")),
            ("a person set it back", 7, person, 4, false, None, Cause::HandRollback, Some("c")),
            ("nobody is known", 7, None, 4, false, None, Cause::Undetermined, Some("c")),
            ("inside before another revision", 7, gitops, 4, false, Some(7), Cause::Behind, Some("c")),
            ("another revision alone", 6, gitops, 4, false, Some(6), Cause::Ahead, Some("n")),
            ("nowhere", 6, gitops, 4, false, None, Cause::OutOfBand, None),
            ("perhaps in what is not read", 6, gitops, 4, true, None, Cause::Undetermined, None),
            ("a person's, whatever is not read", 6, person, 4, true, None, Cause::OutOfBand, None),
        ] {
            let told = told(live, actor, seen, unread, next);
            assert_eq!(told.cause, Some(cause), "{case}");
            let found = told.live_matches.as_ref();
            assert_eq!(found.map(|found| &found.commit.as_str()[..1]), commit, "{case}");
            let is_inside = commit == Some("c");
            assert_eq!(found.is_some_and(|found| found.reached_by.is_some()), is_inside, "{case}");
            assert_eq!(
                told.note.is_some_and(|note| note.contains("only inside what merge eeeeeee")),
                is_inside,
                "{case}"
            );
        }
        let found = told(7, gitops, 4, false, None).live_matches.unwrap();
        assert_eq!(found.given_by, Some(commit("b").id.clone()), "on its line, the first that had it");
        assert_eq!((found.commits_behind, found.since), (Some(4), Some(Timestamp::from_unix(1_000))));
    }
}
