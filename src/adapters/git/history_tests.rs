use std::time::Duration;

use super::super::build::{Content, RepositoryBuilder};
use super::super::testing::{opened, written};
use super::*;

/// `(commits behind, content)` of each version; every content here is one character.
fn shown(history: &FileHistory) -> Vec<(u64, Option<char>)> {
    let text = |blob: &BlobId| ('0'..='z').find(|c| blob_id(*c) == blob.as_str());
    history.versions.iter().map(|version| (version.commits_behind, version.blob.as_ref().and_then(text))).collect()
}

fn blob_id(content: char) -> String {
    let id = gix::objs::compute_hash(gix::hash::Kind::Sha1, gix::objs::Kind::Blob, content.to_string().as_bytes());
    id.unwrap().to_string()
}

/// Six commits: a.yaml appears, changes, changes back, is removed, comes again; d/b.yaml changes beside it.
fn six() -> (tempfile::TempDir, RepositoryBuilder, Vec<CommitId>) {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = RepositoryBuilder::create(folder.path()).unwrap();
    let steps: [&[(&str, Content)]; 6] = [
        &[("a.yaml", Content::File(b"1".to_vec())), ("d/b.yaml", Content::File(b"x".to_vec()))],
        &[("a.yaml", Content::File(b"2".to_vec()))],
        &[("d/b.yaml", Content::File(b"y".to_vec()))],
        &[("a.yaml", Content::File(b"1".to_vec()))],
        &[("a.yaml", Content::Removed), ("c.yaml", Content::File(b"z".to_vec()))],
        &[("a.yaml", Content::File(b"3".to_vec()))],
    ];
    let commits = (1..)
        .zip(steps)
        .map(|(time, changes)| builder.commit_to("main", &written(time), changes.iter().cloned()).unwrap())
        .collect();
    (folder, builder, commits)
}

#[test]
fn a_version_for_each_commit_that_changed_the_file() {
    let (folder, _builder, commits) = six();
    let repository = opened(folder.path());
    let history = repository.file_history(&commits[5], "a.yaml", HistoryBounds::default()).unwrap();
    assert_eq!(shown(&history), [(0, Some('3')), (1, None), (2, Some('1')), (4, Some('2')), (5, Some('1'))]);
    assert!(history.whole);
    let ids: Vec<&CommitId> = history.versions.iter().map(|version| &version.commit.id).collect();
    assert_eq!(ids, [&commits[5], &commits[4], &commits[3], &commits[1], &commits[0]]);
    assert!(history.versions.iter().all(|version| version.authored.is_none()));
    let earlier = repository.file_history(&commits[4], "a.yaml", HistoryBounds::default()).unwrap();
    assert_eq!(shown(&earlier)[0], (0, None), "removed by the tracked commit itself");
}

#[test]
fn one_walk_gives_what_a_walk_for_each_file_gives() {
    let (folder, _builder, commits) = six();
    let repository = opened(folder.path());
    let paths = ["a.yaml", "d/b.yaml", "c.yaml", "d", "never.yaml"].map(str::to_owned);
    let all = repository.file_histories(&commits[5], &paths, HistoryBounds::default()).unwrap();
    assert_eq!(all.len(), 5);
    for path in &paths {
        assert_eq!(all[path], repository.file_history(&commits[5], path, HistoryBounds::default()).unwrap(), "{path}");
    }
    assert_eq!(shown(&all["d/b.yaml"]), [(3, Some('y')), (5, Some('x'))]);
    assert_eq!(shown(&all["c.yaml"]), [(1, Some('z'))]);
    assert_eq!(all["d"], FileHistory { versions: vec![], whole: true }, "a folder is no file");
    assert_eq!(all["never.yaml"], FileHistory { versions: vec![], whole: true });
}

#[test]
fn a_bound_makes_a_history_not_whole() {
    let (folder, _builder, commits) = six();
    let repository = opened(folder.path());
    let history = |bounds| repository.file_history(&commits[5], "a.yaml", bounds).unwrap();
    let all = HistoryBounds::default();
    let commits_bound = history(HistoryBounds { max_commits: 3, ..all });
    assert_eq!((shown(&commits_bound).len(), commits_bound.whole), (3, false));
    let whole = history(HistoryBounds { max_commits: 6, ..all });
    assert!(whole.whole);
    let newest = whole.versions[0].blob.as_ref().unwrap();
    assert_eq!(repository.blob(newest, 1).as_deref(), Some(b"3".as_slice()));
    assert_eq!(repository.blob(newest, 0), None, "larger than asked for");
    let versions_bound = history(HistoryBounds { max_versions: 2, ..all });
    assert_eq!((shown(&versions_bound).len(), versions_bound.whole), (2, false));
    let late = history(HistoryBounds { deadline: Some(Instant::now() - Duration::from_secs(1)), ..all });
    assert_eq!((shown(&late).len(), late.whole), (0, false));
}

#[test]
fn a_shallow_boundary_ends_a_history_that_is_not_whole() {
    let (folder, _builder, commits) = six();
    std::fs::write(folder.path().join("shallow"), format!("{}\n", commits[2].as_str())).unwrap();
    let history = opened(folder.path()).file_history(&commits[5], "a.yaml", HistoryBounds::default()).unwrap();
    assert_eq!(shown(&history), [(0, Some('3')), (1, None), (2, Some('1'))]);
    assert!(!history.whole);
}

#[test]
fn a_merge_is_the_version_and_the_commit_inside_it_the_author() {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = RepositoryBuilder::create(folder.path()).unwrap();
    let file = |path: &'static str, text: &str| (path, Content::from(text));
    let base = builder.commit(&[], &written(1), [file("a", "1"), file("b", "1"), file("c", "1")]).unwrap();
    let fix = builder.commit(&[&base], &written(2), [file("a", "2")]).unwrap();
    let again = builder.commit(&[&fix], &written(3), [file("a", "3")]).unwrap();
    let main = builder.commit(&[&base], &written(4), [file("b", "2")]).unwrap();
    // The side takes main over before it is merged: b did not change on the side.
    let update = builder.commit(&[&again, &main], &written(5), [file("b", "2")]).unwrap();
    let tip = builder.commit(&[&update], &written(6), [file("d", "1")]).unwrap();
    // The merge also changes c by itself.
    let changes = [file("a", "3"), file("d", "1"), file("c", "evil")];
    let merge = builder.commit(&[&main, &tip], &written(7), changes).unwrap();
    builder.set_branch("main", &merge).unwrap();

    let paths = ["a", "b", "c", "d"].map(str::to_owned);
    let all = opened(folder.path()).file_histories(&merge, &paths, HistoryBounds::default()).unwrap();
    let author = |path: &str| all[path].versions[0].authored.as_ref().map(|info| info.id.clone());
    for path in ["a", "c", "d"] {
        assert_eq!(all[path].versions[0].commit.id, merge, "{path}");
        assert_eq!(all[path].versions[0].commit.parents, 2);
    }
    assert_eq!((author("a"), author("c"), author("d")), (Some(again), None, Some(tip)));
    assert_eq!((&all["b"].versions[0].commit.id, author("b")), (&main, None));
    assert_eq!(shown(&all["a"]), [(0, Some('3')), (2, Some('1'))]);
}

#[test]
fn links_and_submodules_are_versions_without_content_and_the_executable_bit_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = RepositoryBuilder::create(folder.path()).unwrap();
    builder.commit_to("main", &written(1), [("a", Content::from("b"))]).unwrap();
    let linked = builder.commit_to("main", &written(2), [("a", Content::Link("b".into()))]).unwrap();
    let history = opened(folder.path()).file_history(&linked, "a", HistoryBounds::default()).unwrap();
    assert_eq!(shown(&history), [(0, None), (1, Some('b'))]);
    let blob = gix::ObjectId::null(gix::hash::Kind::Sha1);
    assert_eq!(value(Some((EntryKind::BlobExecutable, blob))), value(Some((EntryKind::Blob, blob))));
    assert_ne!(value(Some((EntryKind::Commit, blob))), value(Some((EntryKind::Blob, blob))));
}
