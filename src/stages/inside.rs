//! Versions of an object that stood only inside of what merges brought: earlier ones too, where a repository's whole history counts.

use super::attribute::ObjectVersion;
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
    pub merge: CommitInfo,
    /// The commit of the line with the next version; `None` where the line has none.
    pub next: Option<CommitInfo>,
    /// Which line it is on.
    pub line: usize,
}

/// All that were asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inside {
    /// Newest merge first, and newest first on each line.
    pub versions: Vec<InsideVersion>,
    /// Whether there may be others that could not be read.
    pub unread: bool,
}

impl Inside {
    /// The newest version for which `matches` holds.
    pub fn newest(&self, matches: impl Fn(&ObjectVersion) -> bool) -> Option<&InsideVersion> {
        self.versions.iter().find(|inside| inside.version.readable && matches(&inside.version))
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
            since: Some(matched.next.as_ref().unwrap_or(&matched.merge).time),
            given_by: alike.last().map(|given| given.version.commit.id.clone()),
            reached_by: Some(matched.merge.id.clone()),
            ..LiveMatch::of(matched.version.last.0.clone(), revision)
        }
    }
}

impl InsideVersion {
    /// `only inside what merge 1a2b3c4 brought, 3 commits behind`.
    pub fn words(&self) -> String {
        let behind = match self.version.commits_behind {
            0 => "the tracked commit".to_owned(),
            1 => "1 commit behind".to_owned(),
            more => format!("{more} commits behind"),
        };
        format!("only inside what merge {} brought, {behind}", self.merge.id.short())
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
