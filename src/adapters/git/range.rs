//! The commit that a version range means: that of the highest tag which fits.

use gix::bstr::ByteSlice;
use gix::{ObjectId, objs};
use semver::Version;

use crate::model::gap::Gap;
use crate::model::version_range::VersionRange;

use super::repository::{OpenedRepository, Resolved, commit_id};

/// Versions that a gap names.
const NAMED: usize = 5;

struct Tag {
    version: Version,
    name: String,
    commit: ObjectId,
}

impl OpenedRepository {
    /// The highest tag that a range holds. Tags that are no versions, and such that lead to no commit, are passed over.
    pub(super) fn highest_in(&self, text: &str, range: &VersionRange) -> Result<Resolved, Gap> {
        let repository = self.store.local();
        let mut tags = self.versions(&repository)?;
        // Of two builds of one version the later by its build, so that every run finds the same.
        tags.sort_by(|one, other| one.version.cmp(&other.version).then_with(|| one.name.cmp(&other.name)));
        let Some(highest) = tags.iter().rfind(|tag| range.holds(&tag.version)) else {
            return Err(self.no_commit(text, "fits no tag").hint(known(&tags)));
        };
        let rival = tags.iter().find(|tag| tag.version == highest.version && tag.commit != highest.commit);
        if let Some(rival) = rival {
            let what = format!("is ambiguous: the tags {} and {} are one version and differ", rival.name, highest.name);
            return Err(self
                .no_commit(text, &what)
                .hint(format!("Write {} or {} as the revision.", rival.name, highest.name)));
        }
        Ok(Resolved { commit: commit_id(highest.commit), tag: Some(highest.name.clone()) })
    }

    fn versions(&self, repository: &gix::Repository) -> Result<Vec<Tag>, Gap> {
        let unreadable = || self.store.unreadable("the list of tags");
        let references = repository.references().map_err(|_| unreadable())?;
        let mut tags = Vec::new();
        for reference in references.tags().map_err(|_| unreadable())? {
            let reference = reference.map_err(|_| unreadable())?;
            let name = reference.name().as_bstr().to_str().ok().and_then(|name| name.strip_prefix("refs/tags/"));
            let Some((name, version)) = name.and_then(|name| Some((name.to_owned(), VersionRange::version_of(name)?)))
            else {
                continue;
            };
            let id = reference.into_fully_peeled_id().map_err(|_| unreadable())?;
            if id.header().is_ok_and(|header| header.kind() == objs::Kind::Commit) {
                tags.push(Tag { version, name, commit: id.detach() });
            }
        }
        Ok(tags)
    }
}

/// What versions there are, the highest first.
fn known(tags: &[Tag]) -> String {
    let names: Vec<&str> = tags.iter().rev().take(NAMED).map(|tag| tag.name.as_str()).collect();
    match (names.as_slice(), tags.len()) {
        ([], _) => {
            "The repository has no tags that are versions, as v1.4.2: all three numbers, with or without v.".to_owned()
        }
        (names, all) if all > NAMED => format!("The highest of {all} versions are {}.", names.join(", ")),
        (names, _) => format!("The versions are {}.", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::build::RepositoryBuilder;
    use super::super::testing::{opened, written};
    use crate::model::ids::{CommitId, Revision};

    /// A repository with a commit for each tag, in order.
    fn tagged(folder: &Path, tags: &[&str]) -> (RepositoryBuilder, Vec<CommitId>) {
        let mut builder = RepositoryBuilder::create(folder).unwrap();
        let mut commits = Vec::new();
        for (n, tag) in tags.iter().enumerate() {
            let n = i64::try_from(n).unwrap();
            let content = n.to_string();
            let commit = builder.commit_to("main", &written(n), [("a.yaml", content.as_str().into())]).unwrap();
            // Every other one is annotated.
            builder.tag(tag, &commit, (n % 2 == 0).then(|| written(n)).as_ref()).unwrap();
            commits.push(commit);
        }
        (builder, commits)
    }

    #[test]
    fn a_range_is_the_highest_tag_that_fits() {
        let folder = tempfile::tempdir().unwrap();
        let tags =
            ["v1.2.0", "1.10.0", "v1.9.0", "v2.0.0-rc.1", "2.0.0", "release-3", "app/v1.99.0", "v1.98", "v1.10.0-rc.1"];
        let (_, commits) = tagged(folder.path(), &tags);
        let repository = opened(folder.path());
        let of = |range: &str| {
            let resolved = repository.resolve(&Revision::new(range)).unwrap();
            (resolved.tag.unwrap(), resolved.commit)
        };
        for (range, tag) in [
            ("semver:^1.2", "1.10.0"),
            ("semver:<1.10", "v1.9.0"),
            ("semver:>=1.2.0 <2.0.0", "1.10.0"),
            ("semver:2.0.0-rc.1", "v2.0.0-rc.1"),
            ("semver:*", "2.0.0"),
            ("semver:1.2.x || 9.x", "v1.2.0"),
        ] {
            let commit = commits[tags.iter().position(|known| *known == tag).unwrap()].clone();
            assert_eq!(of(range), (tag.to_owned(), commit), "{range}");
        }
    }

    #[test]
    fn where_none_fits_the_gap_names_the_highest() {
        let folder = tempfile::tempdir().unwrap();
        tagged(folder.path(), &["v1.0.0", "v1.1.0", "v1.2.0", "v1.10.0", "v1.3.0", "v0.1.0"]);
        let gap = opened(folder.path()).resolve(&Revision::new("semver:^2")).unwrap_err();
        assert_eq!(gap.message, "revision semver:^2 of repository platform fits no tag");
        let hint = "The highest of 6 versions are v1.10.0, v1.3.0, v1.2.0, v1.1.0, v1.0.0.";
        assert_eq!(gap.hint.as_deref(), Some(hint));
        let empty = tempfile::tempdir().unwrap();
        tagged(empty.path(), &["latest"]);
        let gap = opened(empty.path()).resolve(&Revision::new("semver:*")).unwrap_err();
        assert!(gap.hint.unwrap().contains("no tags that are versions"));
        let gap = opened(empty.path()).resolve(&Revision::new("semver:soon")).unwrap_err();
        assert!(gap.message.contains("`soon` is no version range"), "{}", gap.message);
    }

    #[test]
    fn two_tags_of_one_version_must_agree() {
        let folder = tempfile::tempdir().unwrap();
        let (builder, commits) = tagged(folder.path(), &["v1.0.0", "1.0.0"]);
        let gap = opened(folder.path()).resolve(&Revision::new("semver:1.x")).unwrap_err();
        assert!(gap.message.contains("the tags 1.0.0 and v1.0.0 are one version"), "{}", gap.message);
        builder.tag("1.0.0", &commits[0], None).unwrap();
        let resolved = opened(folder.path()).resolve(&Revision::new("semver:1.x")).unwrap();
        assert_eq!((resolved.tag.as_deref(), resolved.commit), (Some("v1.0.0"), commits[0].clone()));
    }
}
