use super::super::build::{Content, RepositoryBuilder};
use super::super::testing::{id, opened, written};
use super::*;

fn link(target: &str) -> Content {
    Content::Link(target.to_owned())
}

/// A tree of these files, in a repository that goes with the guard.
fn tree_of<P: Into<BString>>(
    files: impl IntoIterator<Item = (P, Content)>,
    limits: TreeLimits,
) -> (tempfile::TempDir, CommitTree) {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = RepositoryBuilder::create(folder.path()).unwrap();
    let commit = builder.commit_to("main", &written(1), files).unwrap();
    let tree = opened(folder.path()).tree(&commit, limits).unwrap();
    (folder, tree)
}

/// What a walk sees: path and content, or the gap's kind.
fn seen(tree: &CommitTree, root: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    tree.walk(root, &mut |file| {
        let content = match file.content {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(gap) => {
                assert_eq!(gap.hides, Hides::File { file: file.path.clone() });
                assert!(gap.hint.is_some() && gap.place.as_deref() == Some(file.path.as_str()));
                format!("<{}>", gap.kind.as_str())
            }
        };
        files.push((file.path, content));
    })
    .expect("a walk");
    files
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(path, content)| ((*path).to_owned(), (*content).to_owned())).collect()
}

#[test]
fn a_walk_gives_the_files_below_its_root_in_path_order() {
    let files = [("a/b.yaml", "1"), ("a/b/c.yaml", "2"), ("a/b-c.yaml", "3"), ("a.yaml", "4"), ("z", "5")];
    let (_guard, tree) = tree_of(files.map(|(path, text)| (path, text.into())), TreeLimits::default());
    let all = pairs(&[("a.yaml", "4"), ("a/b-c.yaml", "3"), ("a/b.yaml", "1"), ("a/b/c.yaml", "2"), ("z", "5")]);
    for root in ["", ".", "/", "./"] {
        assert_eq!(seen(&tree, root), all, "{root}");
    }
    for root in ["a", "./a/", "/a", "a/b/.."] {
        assert_eq!(seen(&tree, root).len(), 3, "{root}");
    }
    assert_eq!(seen(&tree, "a/b/c.yaml"), pairs(&[("a/b/c.yaml", "2")]));
    assert_eq!(tree.read("a/b/../b.yaml").as_deref(), Some(&b"1"[..]));
    for nothing in ["a", "b", "a/x", "z/x", "../a.yaml", ""] {
        assert_eq!(tree.read(nothing), None, "{nothing}");
    }
}

#[test]
fn a_root_that_is_not_there_is_a_gap_that_hides_the_target() {
    let files = [("a", "1".into()), ("up", link("../..")), ("sub", Content::Submodule(id(1))), ("me", link("me"))];
    let (_guard, tree) = tree_of(files, TreeLimits::default());
    let cases = [
        ("b", "does not exist"),
        ("a/b", "does not exist"),
        ("..", "leads out"),
        ("up", "leads out"),
        ("sub/x", "submodule"),
        ("sub", "submodule"),
        ("me", "loop"),
    ];
    for (root, why) in cases {
        let gap = tree.walk(root, &mut |_| panic!("nothing to visit")).expect_err(root);
        assert_eq!((gap.kind, &gap.hides), (GapKind::Render, &Hides::Target), "{root}");
        assert!(gap.message.contains(why), "{root}: {}", gap.message);
    }
}

#[test]
fn links_are_followed_inside_the_tree_only() {
    let files = [
        ("base/a.yaml", "1".into()),
        ("app/file.yaml", link("../base/a.yaml")),
        ("app/chain.yaml", link("./file.yaml")),
        ("app/folder", link("../base")),
        ("app/through.yaml", link("folder/a.yaml")),
        ("app/out.yaml", link("../../etc/passwd")),
        ("app/root.yaml", link("/etc/passwd")),
        ("app/gone.yaml", link("nothing")),
        ("app/one", link("two")),
        ("app/two", link("one")),
        ("app/up", link("..")),
        ("app/self", link(".")),
    ];
    let (_guard, tree) = tree_of(files, TreeLimits::default());
    let expected = pairs(&[
        ("app/chain.yaml", "1"),
        ("app/file.yaml", "1"),
        ("app/folder/a.yaml", "1"),
        ("app/gone.yaml", "<render>"),
        ("app/one", "<render>"),
        ("app/out.yaml", "<render>"),
        ("app/root.yaml", "<render>"),
        ("app/self", "<render>"),
        ("app/through.yaml", "1"),
        ("app/two", "<render>"),
        ("app/up/app", "<render>"),
        ("app/up/base/a.yaml", "1"),
    ]);
    assert_eq!(seen(&tree, "app"), expected);
    assert_eq!(tree.real_path("app/through.yaml").as_deref(), Some("base/a.yaml"));
    assert_eq!(tree.real_path("app/folder").as_deref(), Some("base"));
    assert_eq!(tree.real_path("app/out.yaml"), None);
    // A root may itself be a link; its files are named as the target names them.
    assert_eq!(seen(&tree, "app/folder"), pairs(&[("app/folder/a.yaml", "1")]));
}

#[test]
fn links_that_multiply_folders_end_at_the_limit() {
    let mut files = vec![("level00/a.yaml".to_owned(), Content::from("1"))];
    for level in 1..30 {
        for side in ["a", "b"] {
            files.push((format!("level{level:02}/{side}"), link(&format!("../level{:02}", level - 1))));
        }
    }
    let (_guard, tree) = tree_of(files, TreeLimits { max_files: 1_000, ..TreeLimits::default() });
    let mut visited = 0;
    let gap = tree.walk("", &mut |_| visited += 1).expect_err("two to the thirtieth files");
    assert_eq!((gap.kind, gap.hides, visited), (GapKind::Limit, Hides::Target, 1_000));
}

#[test]
fn what_cannot_be_read_is_a_gap_beside_what_can() {
    let lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
    let files: [(&[u8], Content); 5] = [
        (b"big.yaml", "0123456789".repeat(10).as_str().into()),
        (b"b\xff.yaml", "1".into()),
        (b"lfs.yaml", lfs.into()),
        (b"ok.yaml", "1".into()),
        (b"sub", Content::Submodule(id(1))),
    ];
    let (_guard, tree) = tree_of(files, TreeLimits { max_file_bytes: 99, ..TreeLimits::default() });
    let expected = pairs(&[
        ("big.yaml", "<limit>"),
        ("b\u{fffd}.yaml", "<render>"),
        ("lfs.yaml", "<render>"),
        ("ok.yaml", "1"),
        ("sub", "<render>"),
    ]);
    assert_eq!(seen(&tree, ""), expected);
    assert_eq!((tree.read("big.yaml"), tree.read("lfs.yaml"), tree.read("sub")), (None, None, None));
}

#[test]
fn a_visitor_may_read_other_files() {
    let (_guard, tree) = tree_of([("a", "1".into()), ("b", "2".into())], TreeLimits::default());
    let mut read = Vec::new();
    tree.walk("", &mut |_| read.push(tree.read("b"))).unwrap();
    assert_eq!(read, [Some(b"2".to_vec()), Some(b"2".to_vec())]);
}

#[test]
fn a_repository_and_its_trees_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<OpenedRepository>();
    shared::<CommitTree>();
}
