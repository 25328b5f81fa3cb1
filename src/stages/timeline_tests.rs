use super::*;
use crate::model::ids::{BlobId, CommitId};
use crate::model::resource::Gvk;
use crate::model::versions::{FileChange, Named, Numbering};

/// Commits, oldest first: what each made of files. A content is the objects that it names, `!` what cannot be read.
fn index(base: &[(&str, &str)], commits: &[&[(&str, Option<&str>)]]) -> VersionIndex {
    let mut index = VersionIndex::default();
    let (mut paths, mut blobs) = (Numbering::of(&[]), Numbering::of(&[]));
    let mut content = |text: &str, index: &mut VersionIndex| blobs.number(&BlobId::new(text), &mut index.blobs);
    for (path, text) in base {
        let entry = (paths.number(&(*path).to_owned(), &mut index.paths), content(text, &mut index));
        index.base.push(entry);
    }
    for (n, changes) in commits.iter().enumerate() {
        index.commits.push(CommitId::new(format!("{n}")));
        let mut numbered = Vec::new();
        for (path, text) in *changes {
            let path = paths.number(&(*path).to_owned(), &mut index.paths);
            let now = text.map(|text| content(text, &mut index));
            numbered.push(FileChange { path, before: None, now });
        }
        index.changes.push(numbered);
    }
    let mut heads = Numbering::of(&[]);
    for blob in index.blobs.clone() {
        let words = blob.as_str().split(' ').filter(|word| !word.is_empty());
        let mut named = Named { heads: Vec::new(), whole: true };
        for word in words {
            match word {
                "!" => named.whole = false,
                // What tells two contents with the same objects apart.
                _ if word.starts_with('#') => {}
                _ => named.heads.push(heads.number(&head(word), &mut index.heads)),
            }
        }
        index.named.push(Some(named));
    }
    index
}

/// `name`, `namespace/name`, or `group:name`.
fn head(word: &str) -> Head {
    let (group, rest) = word.split_once(':').unwrap_or(("apps", word));
    let (namespace, name) = rest.split_once('/').map_or((None, rest), |(ns, name)| (Some(ns.to_owned()), name));
    Head { gvk: Gvk::new(&format!("{group}/v1"), "Deployment"), namespace, name: name.to_owned() }
}

fn folders(roots: &[(&str, &str)]) -> Vec<Folder> {
    roots.iter().map(|(root, ns)| Folder { root: (*root).into(), namespace: (*ns).into() }).collect()
}

/// The stretches of `shop/api`, newest first: the commit that each begins with, and its content.
fn followed(index: &VersionIndex, folders: &[Folder]) -> Vec<(Option<usize>, String)> {
    let id = ObjectId {
        group: "apps".into(),
        kind: "Deployment".into(),
        namespace: Some("shop".into()),
        name: "api".into(),
    };
    let stretches = timelines(index, folders, [&id]).remove(&id).unwrap();
    let at = |at: At| match at {
        At::In { path, blob } => format!("{}: {}", index.path(path), index.blob(blob).unwrap().as_str()),
        At::Nowhere => "nowhere".to_owned(),
        At::Unknown => "unknown".to_owned(),
    };
    stretches.into_iter().map(|stretch| (stretch.from, at(stretch.at))).collect()
}

fn here() -> Vec<Folder> {
    folders(&[("", "shop")])
}

#[track_caller]
fn check(index: &VersionIndex, folders: &[Folder], expected: &[(Option<usize>, &str)]) {
    let found = followed(index, folders);
    let expected: Vec<_> = expected.iter().map(|(from, at)| (*from, (*at).to_owned())).collect();
    assert_eq!(found, expected);
}

#[test]
fn an_object_is_followed_from_file_to_file() {
    let renamed = index(
        &[],
        &[
            &[("a.yaml", Some("api web"))],
            &[("a.yaml", None), ("apps/all.yaml", Some("api web #2"))],
            &[("apps/all.yaml", Some("web")), ("apps/api.yaml", Some("api"))],
            &[("apps/api.yaml", None)],
            &[("apps/api.yaml", Some("api"))],
        ],
    );
    check(
        &renamed,
        &here(),
        &[
            (Some(4), "apps/api.yaml: api"),
            (Some(3), "nowhere"),
            (Some(2), "apps/api.yaml: api"),
            (Some(1), "apps/all.yaml: api web #2"),
            (Some(0), "a.yaml: api web"),
            (None, "nowhere"),
        ],
    );
}

#[test]
fn an_object_moves_between_the_folders_of_targets_and_leaves_them() {
    let moved = index(
        &[],
        &[
            &[("old/a.yaml", Some("api")), ("staging/a.yaml", Some("api #staging"))],
            &[("old/a.yaml", None), ("new/a.yaml", Some("shop/api"))],
            &[("staging/a.yaml", Some("api #2"))],
            &[("new/a.yaml", None)],
        ],
    );
    let both = folders(&[("new", "shop"), ("old", "shop")]);
    check(
        &moved,
        &both,
        &[(Some(3), "nowhere"), (Some(1), "new/a.yaml: shop/api"), (Some(0), "old/a.yaml: api"), (None, "nowhere")],
    );
    let other_namespace = folders(&[("new", "shop"), ("old", "elsewhere")]);
    check(&moved, &other_namespace, &[(Some(3), "nowhere"), (Some(1), "new/a.yaml: shop/api"), (None, "nowhere")]);
}

#[test]
fn of_several_declarations_the_last_one_counts() {
    let twice = index(
        &[],
        &[
            &[("a.yaml", Some("api #a"))],
            &[("b.yaml", Some("api #b"))],
            &[("a.yaml", Some("api #c"))],
            &[("b.yaml", None)],
        ],
    );
    check(
        &twice,
        &here(),
        &[(Some(3), "a.yaml: api #c"), (Some(1), "b.yaml: api #b"), (Some(0), "a.yaml: api #a"), (None, "nowhere")],
    );
    let own = folders(&[("a.yaml", "shop"), ("b.yaml", "shop")]);
    check(&twice, &own, &[(Some(2), "a.yaml: api #c"), (Some(0), "a.yaml: api #a"), (None, "nowhere")]);
    let others = folders(&[("c", "shop"), ("a.yaml", "shop"), ("b.yaml", "shop")]);
    assert_eq!(followed(&twice, &others), followed(&twice, &own), "the first of the others");
}

#[test]
fn a_written_namespace_and_a_group_that_moved_are_the_same_object() {
    let renamed = index(
        &[],
        &[
            &[("a.yaml", Some("extensions:api"))],
            &[("a.yaml", Some("shop/api"))],
            &[("a.yaml", Some("other/api"))],
            &[("a.yaml", Some("example.com:api"))],
        ],
    );
    check(
        &renamed,
        &here(),
        &[(Some(2), "nowhere"), (Some(1), "a.yaml: shop/api"), (Some(0), "a.yaml: extensions:api"), (None, "nowhere")],
    );
}

#[test]
fn what_cannot_be_read_may_declare_what_stood_there() {
    let broken = index(&[], &[&[("a.yaml", Some("api"))], &[("a.yaml", Some("!"))], &[("a.yaml", Some("api #2"))]]);
    check(
        &broken,
        &here(),
        &[(Some(2), "a.yaml: api #2"), (Some(1), "unknown"), (Some(0), "a.yaml: api"), (None, "nowhere")],
    );
    let at_first = index(&[], &[&[("a.yaml", Some("!"))], &[("a.yaml", Some("api"))]]);
    check(&at_first, &here(), &[(Some(1), "a.yaml: api"), (None, "unknown")]);
    let in_part = index(&[], &[&[("a.yaml", Some("api web"))], &[("a.yaml", Some("api ! #2"))]]);
    check(&in_part, &here(), &[(Some(1), "a.yaml: api ! #2"), (Some(0), "a.yaml: api web"), (None, "nowhere")]);
}

#[test]
fn what_was_there_before_the_history_at_hand_is_where_it_begins() {
    let cut = index(&[("a.yaml", "api")], &[&[("b.yaml", Some("web"))], &[("a.yaml", Some("api #2"))]]);
    check(&cut, &here(), &[(Some(1), "a.yaml: api #2"), (None, "a.yaml: api")]);
    check(&index(&[], &[&[("b.yaml", Some("web"))]]), &here(), &[(None, "nowhere")]);
}
