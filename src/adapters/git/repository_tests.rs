use super::super::build::{Content, RepositoryBuilder};
use super::super::testing::{at, id, opened, written};
use super::*;

fn resolve(repository: &OpenedRepository, revision: &str) -> Result<String, Gap> {
    repository.resolve(&Revision::new(revision)).map(|found| found.commit.as_str().to_owned())
}

#[test]
fn branches_tags_and_commits_resolve_to_the_commit() {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = RepositoryBuilder::create(folder.path()).unwrap();
    let first = builder.commit_to("main", &written(1), [("a.yaml", "1".into())]).unwrap();
    let second = builder.commit_to("main", &written(2), [("a.yaml", "2".into())]).unwrap();
    builder.set_branch("release/1.0", &first).unwrap();
    builder.tag("v1", &first, None).unwrap();
    builder.tag("v2", &second, Some(&written(3))).unwrap();
    let repository = opened(folder.path());
    let cases = [
        ("HEAD", &second),
        ("main", &second),
        ("refs/heads/main", &second),
        ("release/1.0", &first),
        ("v1", &first),
        ("v2", &second),
        ("refs/tags/v2", &second),
        (first.as_str(), &first),
        (first.short(), &first),
        (&first.as_str()[..12].to_uppercase(), &first),
    ];
    for (revision, expected) in cases {
        assert_eq!(resolve(&repository, revision).expect(revision), expected.as_str(), "{revision}");
    }
}

#[test]
fn what_is_unknown_or_ambiguous_is_a_revision_gap_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = RepositoryBuilder::create(folder.path()).unwrap();
    let first = builder.commit_to("production", &written(1), [("a.yaml", "1".into())]).unwrap();
    let second = builder.commit_to("staging", &written(2), [("a.yaml", "2".into())]).unwrap();
    builder.set_branch("both", &first).unwrap();
    builder.tag("both", &second, None).unwrap();
    builder.set_branch("same", &first).unwrap();
    builder.tag("same", &first, None).unwrap();
    let repository = opened(folder.path());

    let gap = resolve(&repository, "produktion").expect_err("no such branch");
    assert_eq!((gap.kind, &gap.hides), (GapKind::Revision, &Hides::Target));
    assert_eq!(gap.hint.as_deref(), Some("Did you mean production?"));

    let gap = resolve(&repository, "both").expect_err("two commits");
    assert!(gap.message.contains("ambiguous"), "{}", gap.message);
    assert_eq!(gap.hint.as_deref(), Some("Write refs/heads/both or refs/tags/both."));
    assert_eq!(resolve(&repository, "refs/tags/both").unwrap(), second.as_str());
    assert_eq!(resolve(&repository, "same").unwrap(), first.as_str());

    for unknown in
        ["", "main~1", "0000000", "zz", "a..b", "refs/heads/", &"0".repeat(40), "-x", "@{-1}", "heads/staging"]
    {
        let gap = resolve(&repository, unknown).expect_err(unknown);
        assert_eq!(gap.kind, GapKind::Revision, "{unknown}");
    }
    // Its HEAD names the branch main, which was never made.
    let gap = resolve(&repository, "HEAD").expect_err("unborn");
    assert!(gap.message.contains("default branch"), "{}", gap.message);
}

#[test]
fn short_ids_that_two_commits_share_are_ambiguous() {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = RepositoryBuilder::create(folder.path()).unwrap();
    let mut seen = std::collections::HashMap::new();
    let shared = (0..4000).find_map(|n| {
        let commit = builder.commit(&[], &written(n), [("a.yaml", Content::from("1"))]).unwrap();
        let prefix = commit.as_str()[..4].to_owned();
        seen.insert(prefix.clone(), commit).map(|_| prefix)
    });
    let shared = shared.expect("two of 4000 commits share four of 65536 prefixes");
    let gap = resolve(&opened(folder.path()), &shared).expect_err("two commits");
    assert_eq!(gap.hint.as_deref(), Some("Write more digits."));
}

#[test]
fn a_commit_is_shown_with_its_author_time_and_subject() {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = RepositoryBuilder::create(folder.path()).unwrap();
    let commit = builder
        .commit_to(
            "main",
            &super::super::build::Written {
                author: "Änn Exämple",
                email: "ann@example.com",
                time: at(77),
                message: "\n  Raise the limit \r\n\nBecause.\n",
            },
            [("a.yaml", Content::from("1"))],
        )
        .unwrap();
    let info = opened(folder.path()).commit(&commit).unwrap();
    assert_eq!((info.author.as_str(), info.email.as_str()), ("Änn Exämple", "ann@example.com"));
    assert_eq!((info.time, info.subject.as_str(), info.parents), (at(77), "Raise the limit", 0));
    let gap = opened(folder.path()).commit(&id(7)).expect_err("no such commit");
    assert_eq!(gap.kind, GapKind::Revision);
}

#[test]
fn work_trees_linked_work_trees_and_file_urls_open_and_other_folders_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let bare = folder.path().join("work").join(".git");
    let mut builder = RepositoryBuilder::create(&bare).unwrap();
    let commit = builder.commit_to("main", &written(1), [("a.yaml", "1".into())]).unwrap();
    // What a stranger's configuration could do: run programs, look elsewhere, read other files.
    let hostile = "[core]\n\tbare = false\n\tfsmonitor = /bin/false\n\tsshCommand = /bin/false\n\tworktree = /\n\
                   [include]\n\tpath = /nowhere\n[filter \"x\"]\n\tsmudge = /bin/false\n";
    std::fs::write(bare.join("config"), hostile).unwrap();
    for path in [bare.clone(), folder.path().join("work")] {
        assert_eq!(resolve(&opened(&path), "HEAD").unwrap(), commit.as_str());
    }
    let linked = folder.path().join("linked");
    let private = bare.join("worktrees").join("linked");
    std::fs::create_dir_all(&private).unwrap();
    std::fs::create_dir_all(&linked).unwrap();
    std::fs::write(linked.join(".git"), format!("gitdir: {}\n", private.display())).unwrap();
    std::fs::write(private.join("commondir"), "../..\n").unwrap();
    std::fs::write(private.join("gitdir"), format!("{}\n", linked.join(".git").display())).unwrap();
    std::fs::write(private.join("HEAD"), format!("{}\n", commit.as_str())).unwrap();
    assert_eq!(resolve(&opened(&linked), "main").unwrap(), commit.as_str());

    let name = RepositoryName::new("platform");
    for (path, why) in [(folder.path().join("nowhere"), "not found"), (folder.path().to_owned(), "no Git repository")] {
        let gap = OpenedRepository::at_path(&name, &path).expect_err("no repository");
        assert_eq!((gap.kind, &gap.hides), (GapKind::Fetch, &Hides::Target));
        assert!(gap.message.contains(why) && gap.hint.is_some(), "{}", gap.message);
    }
}

#[test]
fn replacement_objects_do_not_stand_in_for_commits() {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = RepositoryBuilder::create(folder.path()).unwrap();
    let honest = builder.commit_to("main", &written(1), [("a.yaml", "1".into())]).unwrap();
    let other = builder.commit(&[], &written(2), [("a.yaml", Content::from("2"))]).unwrap();
    let replace = folder.path().join("refs").join("replace");
    std::fs::create_dir_all(&replace).unwrap();
    std::fs::write(replace.join(honest.as_str()), format!("{}\n", other.as_str())).unwrap();
    assert_eq!(opened(folder.path()).commit(&honest).unwrap().time, at(1));
}
