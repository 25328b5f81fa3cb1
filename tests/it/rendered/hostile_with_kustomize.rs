//! Kustomizations that want what is not theirs.

use driftledger::adapters::git::Content;

use super::place::{Place, declared, gaps, tool};

/// What comes of a kustomization with other files beside it.
fn rendered(text: &str, others: &[(&str, Content)]) -> (Vec<String>, String) {
    let mut place = Place::empty(&[("kustomize", &tool("kustomize"))]);
    place.commit("Begin", "k/kustomization.yaml", text);
    place.work.commit("More", others.iter().map(|(name, content)| ((*name).to_owned(), content.clone())));
    let source = place.source("k", "");
    (gaps(&source), format!("{:?}", declared(&source)))
}

#[test]
#[ignore = "needs Kustomize: run tests/run"]
fn a_kustomization_gets_nothing_from_outside_of_the_repository() {
    for (text, what) in [
        ("resources: [/etc/passwd]\n", "failed: "),
        ("resources: [../../../../../../etc]\n", "failed: "),
        ("configMapGenerator: [{name: a, files: [/etc/passwd]}]\n", "failed: "),
        ("configMapGenerator: [{name: a, envs: [../../../../etc/environment]}]\n", "failed: "),
        ("generators: [plugin.yaml]\n", "failed: "),
        ("resources: [.]\n", "failed: "),
        ("resources: [https://127.0.0.1/a.yaml]\n", "needs the network"),
    ] {
        let plugin = "apiVersion: x/v1\nkind: Shell\nmetadata:\n  name: a\n  annotations:\n    config.kubernetes.io/function: |\n      exec: {path: /bin/sh}\n";
        let (gaps, objects) = rendered(text, &[("k/plugin.yaml", Content::from(plugin))]);
        assert!(gaps.len() == 1 && gaps[0].contains(what) && objects == "{}", "{text}: {gaps:?} {objects}");
        assert!(!gaps[0].contains("root:"), "{gaps:?}");
    }
}

#[test]
#[ignore = "needs Kustomize: run tests/run"]
fn a_link_out_of_the_repository_leads_nowhere() {
    let text = "configMapGenerator: [{name: a, files: [link]}]\n";
    let (gaps, objects) = rendered(text, &[("k/link", Content::Link("/etc/passwd".into()))]);
    assert!(gaps.len() == 1 && gaps[0].contains("failed: ") && objects == "{}", "{gaps:?} {objects}");
}
