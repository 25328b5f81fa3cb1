//! Routes by owner: whom CODEOWNERS names for the object's file, or an annotation, which comes first.

use driftledger::adapters::git::Content;

use crate::program::Workspace;

const CONFIG: &str = "ledger: ledger.sqlite\nclusters:\n  - {name: prod, dump: live.yaml}\n\
    repositories:\n  - {name: r, url: repository}\n\
    targets:\n  - {name: all, repository: r, revision: main, path: apps, cluster: prod, namespace: shop}\n\
    receivers:\n  - {name: shop, mail: {from: a@example.com, to: [shop@example.com], folder: to-shop}}\n  \
    - {name: rest, mail: {from: a@example.com, to: [rest@example.com], folder: to-rest}}\n\
    routes:\n  - {name: shop, owners: ['@acme/shop'], receivers: [shop], notify: {least: low, scans: 1}}\n  \
    - {name: rest, receivers: [rest], notify: {least: low, scans: 1}}\nsummaries: []\n";

fn map(name: &str, annotations: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: shop{annotations}}}\ndata: {{k: {value}}}\n"
    )
}

#[test]
fn findings_go_to_whom_code_owners_names_for_their_file_unless_an_annotation_says_otherwise() {
    let mut work = Workspace::new();
    for folder in ["to-shop/.keep", "to-rest/.keep"] {
        work.file(folder, "");
    }
    work.file("driftledger.yaml", CONFIG);
    let given = ", annotations: {driftledger.io/owner: '@acme/platform'}";
    let objects = [("apps/shop/a.yaml", "a", ""), ("apps/other/b.yaml", "b", ""), ("apps/shop/c.yaml", "c", given)];
    let files = objects.map(|(path, name, notes)| (path.to_owned(), Content::from(map(name, notes, "v").as_str())));
    work.commit("Add", files);
    let owners = Content::from("*\t@acme/platform\n/apps/shop/\t@acme/shop\n");
    work.commit("Name owners", [(".github/CODEOWNERS".to_owned(), owners)]);
    let live = |value: &str| objects.map(|(_, name, notes)| map(name, notes, value)).join("---\n");
    work.file("live.yaml", &live("v"));
    assert_eq!(work.run(&["scan"]).code, 0);
    let mails = |folder: &str| {
        let all = std::fs::read_dir(work.path().join(folder)).expect("a folder").map(|entry| entry.expect("an entry"));
        let mut texts: Vec<(std::time::SystemTime, String)> = all
            .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "eml"))
            .map(|entry| {
                let written = entry.metadata().and_then(|found| found.modified()).expect("a time");
                (written, std::fs::read_to_string(entry.path()).expect("a mail"))
            })
            .collect();
        texts.sort();
        texts.into_iter().map(|(_, text)| text).collect::<Vec<_>>()
    };
    let before = [mails("to-shop").len(), mails("to-rest").len()];
    work.file("live.yaml", &live("other"));
    assert_eq!(work.run(&["scan"]).code, 1);
    let new = |folder: &str, before: usize| mails(folder).split_off(before).join("\n");
    let (shop, rest) = (new("to-shop", before[0]), new("to-rest", before[1]));
    let tells = |text: &str, name: &str| text.contains(&format!("ConfigMap shop/{name}"));
    assert_eq!(["a", "b", "c"].map(|name| tells(&shop, name)), [true, false, false], "{shop}");
    assert_eq!(["a", "b", "c"].map(|name| tells(&rest, name)), [false, true, true], "{rest}");
}
