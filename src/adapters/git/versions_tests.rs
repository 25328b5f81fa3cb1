use super::super::build::{Content, RepositoryBuilder};
use super::super::testing::{opened, written};
use super::*;

fn text(text: &str) -> Content {
    Content::from(text)
}

const ALL: HistoryBounds = HistoryBounds { max_commits: 1_000, deadline: None };

/// Commits, oldest first, each a list of changes.
fn repository(steps: Vec<Vec<(&str, Content)>>) -> (tempfile::TempDir, RepositoryBuilder, Vec<CommitId>) {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = RepositoryBuilder::create(folder.path()).unwrap();
    let commits =
        (1..).zip(steps).map(|(n, changes)| builder.commit_to("main", &written(n), changes).unwrap()).collect();
    (folder, builder, commits)
}

fn indexed(
    folder: &tempfile::TempDir,
    tip: &CommitId,
    roots: &[&str],
    known: VersionIndex,
) -> (VersionIndex, Extended) {
    let roots: Vec<String> = roots.iter().map(|root| (*root).to_owned()).collect();
    let line = VersionLine { tip, roots: &roots, wanted: |path| path.ends_with(".yaml"), until: None };
    opened(folder.path()).version_index(line, known, ALL).unwrap()
}

fn index(folder: &tempfile::TempDir, tip: &CommitId, roots: &[&str]) -> VersionIndex {
    indexed(folder, tip, roots, VersionIndex::default()).0
}

/// `(commit, + - or ~, path)`.
fn shown(index: &VersionIndex) -> Vec<(usize, char, &str)> {
    let sign = |change: &FileChange| match (change.before, change.now) {
        (None, _) => '+',
        (_, None) => '-',
        _ => '~',
    };
    let changes = index.changes.iter().enumerate();
    changes.flat_map(|(n, all)| all.iter().map(move |one| (n, sign(one), index.path(one.path)))).collect()
}

fn steps() -> Vec<Vec<(&'static str, Content)>> {
    vec![
        vec![("a/x.yaml", text("1")), ("a/d/y.yaml", text("2")), ("b/z.yaml", text("3")), ("top.yaml", text("4"))],
        vec![("a/x.yaml", text("5"))],
        vec![("b/z.yaml", Content::Removed), ("b/n.yaml", text("6"))],
        vec![("a/d/y.yaml", Content::Removed), ("README", text("7"))],
    ]
}

#[test]
fn what_each_commit_made_of_the_files_below_each_root() {
    let (folder, _builder, commits) = repository(steps());
    let all = index(&folder, &commits[3], &[""]);
    assert_eq!(all.commits, commits);
    assert_eq!(
        shown(&all),
        [
            (0, '+', "a/d/y.yaml"),
            (0, '+', "a/x.yaml"),
            (0, '+', "b/z.yaml"),
            (0, '+', "top.yaml"),
            (1, '~', "a/x.yaml"),
            (2, '+', "b/n.yaml"),
            (2, '-', "b/z.yaml"),
            (3, '-', "a/d/y.yaml"),
        ]
    );
    assert_eq!((all.ended, all.base.len()), (None, 0));
    assert!(all.is_sound());
    let some = index(&folder, &commits[3], &["a", "a/d", "b/z.yaml", "never"]);
    assert_eq!(
        shown(&some),
        [
            (0, '+', "a/d/y.yaml"),
            (0, '+', "a/x.yaml"),
            (0, '+', "b/z.yaml"),
            (1, '~', "a/x.yaml"),
            (2, '-', "b/z.yaml"),
            (3, '-', "a/d/y.yaml"),
        ],
        "a root may be a file, or below another one"
    );
}

#[test]
fn a_folder_that_became_a_file_and_a_link_that_became_one() {
    let (folder, _builder, commits) = repository(vec![
        vec![("a/d.yaml/y.yaml", text("1")), ("l.yaml", Content::Link("a/d.yaml/y.yaml".to_owned()))],
        vec![("a/d.yaml/y.yaml", Content::Removed), ("a/d.yaml", text("2")), ("l.yaml", text("3"))],
    ]);
    assert_eq!(
        shown(&index(&folder, &commits[1], &[""])),
        [(0, '+', "a/d.yaml/y.yaml"), (1, '+', "a/d.yaml"), (1, '-', "a/d.yaml/y.yaml"), (1, '+', "l.yaml")]
    );
}

#[test]
fn an_index_is_extended_by_new_commits_and_equals_one_made_anew() {
    let (folder, _builder, commits) = repository(steps());
    let (first, extended) = indexed(&folder, &commits[1], &[""], VersionIndex::default());
    assert_eq!(extended, Extended::Anew);
    let (second, extended) = indexed(&folder, &commits[3], &[""], first);
    assert_eq!(extended, Extended::By(2));
    let anew = index(&folder, &commits[3], &[""]);
    assert_eq!((shown(&second), &second.commits), (shown(&anew), &anew.commits));
    let (third, extended) = indexed(&folder, &commits[3], &[""], second.clone());
    assert_eq!((third, extended), (second, Extended::By(0)));
}

#[test]
fn a_rewritten_line_is_told_and_keeps_what_is_common() {
    let (folder, mut builder, commits) = repository(steps());
    let (known, _) = indexed(&folder, &commits[3], &[""], VersionIndex::default());
    let forced = builder.commit(&[&commits[1]], &written(9), [("a/x.yaml", text("9"))]).unwrap();
    let (index, extended) = indexed(&folder, &forced, &[""], known.clone());
    assert_eq!(extended, Extended::Rewritten { from: commits[3].clone() });
    assert_eq!(index.commits, [commits[0].clone(), commits[1].clone(), forced]);
    assert_eq!(shown(&index).last(), Some(&(2, '~', "a/x.yaml")));
    let other = builder.commit(&[], &written(10), [("o.yaml", text("1"))]).unwrap();
    let (index, extended) = indexed(&folder, &other, &[""], known);
    assert_eq!(extended, Extended::Rewritten { from: commits[3].clone() });
    assert_eq!((shown(&index), index.base.len()), (vec![(0, '+', "o.yaml")], 0));
}

#[test]
fn a_line_that_is_cut_short_says_why_and_what_was_there_before() {
    let (folder, _builder, commits) = repository(steps());
    let roots = [String::new()];
    let line = |until| VersionLine { tip: &commits[3], roots: &roots, wanted: |path| path.ends_with(".yaml"), until };
    let cut = |line, bounds| opened(folder.path()).version_index(line, VersionIndex::default(), bounds).unwrap().0;
    let base =
        |index: &VersionIndex| index.base.iter().map(|(path, _)| index.path(*path).to_owned()).collect::<Vec<_>>();
    let before = ["a/d/y.yaml", "a/x.yaml", "b/z.yaml", "top.yaml"];

    let few = cut(line(None), HistoryBounds { max_commits: 2, ..ALL });
    assert_eq!((few.commits.as_slice(), few.ended), (&commits[2..], Some(Ended::Commits)));
    assert_eq!(base(&few), before);
    let late = cut(line(None), HistoryBounds { deadline: Some(std::time::Instant::now()), ..ALL });
    assert_eq!((late.commits.len(), late.ended), (0, Some(Ended::Time)));
    let is_main = |commit: &CommitId| *commit == commits[1];
    let side = cut(line(Some(&is_main)), ALL);
    assert_eq!((side.commits.as_slice(), side.ended), (&commits[2..], None));
    assert_eq!(base(&side), before);
    let changes = opened(folder.path()).changes_index(line(Some(&is_main)), ALL).unwrap();
    assert_eq!((&changes.commits, shown(&changes)), (&side.commits, shown(&side)));
    assert_eq!(base(&changes), ["b/z.yaml", "a/d/y.yaml"], "only what it changed, and that was there");
    std::fs::write(folder.path().join("shallow"), format!("{}\n", commits[2].as_str())).unwrap();
    let shallow = cut(line(None), ALL);
    assert_eq!((shallow.commits.as_slice(), shallow.ended), (&commits[2..], Some(Ended::Shallow)));
    assert_eq!(base(&shallow), ["a/d/y.yaml", "a/x.yaml", "b/n.yaml", "top.yaml"], "what it changed is not known");
}

#[test]
fn only_first_parents_are_walked() {
    let (folder, mut builder, commits) = repository(steps());
    let side = builder.commit(&[&commits[1]], &written(7), [("s.yaml", text("1"))]).unwrap();
    let merge = builder.commit(&[&commits[3], &side], &written(8), [("s.yaml", text("1"))]).unwrap();
    let index = index(&folder, &merge, &[""]);
    assert_eq!(index.commits.len(), 5);
    assert_eq!(shown(&index).last(), Some(&(4, '+', "s.yaml")));
    assert_eq!(opened(folder.path()).parents(&merge), [commits[3].clone(), side]);
}
