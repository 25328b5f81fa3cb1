use super::super::build::{Content, RepositoryBuilder};
use super::super::testing::{opened, written};
use super::*;

fn text(text: &str) -> Content {
    Content::from(text)
}

/// Commits, oldest first, each a list of changes.
fn repository(steps: Vec<Vec<(&str, Content)>>) -> (tempfile::TempDir, OpenedRepository, Vec<CommitId>) {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = RepositoryBuilder::create(folder.path()).unwrap();
    let commits =
        (1..).zip(steps).map(|(n, changes)| builder.commit_to("main", &written(n), changes).unwrap()).collect();
    let repository = opened(folder.path());
    (folder, repository, commits)
}

fn shown(departures: &Departures) -> Vec<(u64, &str)> {
    departures.files.iter().map(|file| (file.commits_behind, file.path.as_str())).collect()
}

#[test]
fn replaced_and_removed_files_below_each_root_in_one_walk() {
    let (_folder, repository, commits) = repository(vec![
        vec![("a/x.yaml", text("1")), ("a/d/y.yaml", text("2")), ("b/z.yaml", text("3")), ("top.yaml", text("4"))],
        vec![("a/x.yaml", text("5"))],
        vec![("b/z.yaml", Content::Removed), ("b/n.yaml", text("6"))],
        vec![("a/d/y.yaml", Content::Removed)],
        vec![("top.yaml", Content::Removed), ("README", text("7"))],
    ]);
    let roots = ["a", "b/z.yaml", "", "never"].map(str::to_owned);
    let found = repository.departures(&commits[4], &roots, HistoryBounds::default()).unwrap();
    assert_eq!(shown(&found[0]), [(1, "a/d/y.yaml"), (3, "a/x.yaml")], "the folder itself went, too");
    assert_eq!(shown(&found[1]), [(2, "b/z.yaml")], "a root may be a file");
    assert_eq!(shown(&found[2]), [(0, "top.yaml"), (1, "a/d/y.yaml"), (2, "b/z.yaml"), (3, "a/x.yaml")]);
    assert_eq!(shown(&found[3]), []);
    assert!(found.iter().all(|found| found.cut.is_none()));
    let earlier = repository.departures(&commits[1], &roots, HistoryBounds::default()).unwrap();
    assert_eq!(shown(&earlier[0]), [(0, "a/x.yaml")]);
}

#[test]
fn a_folder_that_became_a_file_and_a_link_that_became_a_file() {
    let (_folder, repository, commits) = repository(vec![
        vec![("a/d/y.yaml", text("1")), ("l.yaml", Content::Link("a/d/y.yaml".to_owned()))],
        vec![("a/d/y.yaml", Content::Removed), ("a/d", text("2")), ("l.yaml", text("3"))],
    ]);
    let found = repository.departures(&commits[1], &[String::new()], HistoryBounds::default()).unwrap();
    assert_eq!(shown(&found[0]), [(0, "a/d/y.yaml")]);
}

#[test]
fn a_bound_is_told_with_the_commit_it_ended_at() {
    let steps = (0..5).map(|n| vec![("a.yaml", text(&n.to_string()))]).collect();
    let (_folder, repository, commits) = repository(steps);
    let bounds = HistoryBounds { max_commits: 2, ..HistoryBounds::default() };
    let found = repository.departures(&commits[4], &[String::new()], bounds).unwrap();
    assert_eq!(shown(&found[0]), [(0, "a.yaml"), (1, "a.yaml")]);
    let cut = found[0].cut.clone().unwrap();
    assert_eq!(cut.back_to.unwrap().id, commits[2]);
    assert!(cut.why.contains("historyCommits"));
    let late = HistoryBounds { deadline: Some(std::time::Instant::now()), ..HistoryBounds::default() };
    let found = repository.departures(&commits[4], &[String::new()], late).unwrap();
    assert!(found[0].files.is_empty() && found[0].cut.clone().unwrap().why.contains("historyTime"));
}
