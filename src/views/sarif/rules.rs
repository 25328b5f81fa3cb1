//! The codes as SARIF's rules: what each means and what to do.

use serde_json::{Value, json};

use crate::model::finding::Code;
use crate::model::gap::GapKind;

/// Every code, in order: a result's `ruleIndex` is its place here.
pub fn all() -> Vec<Value> {
    Code::ALL.iter().map(|code| rule(*code)).collect()
}

/// Every kind of gap: what a notification's descriptor refers to.
pub fn gaps() -> Vec<Value> {
    GAPS.iter()
        .map(|(kind, text)| json!({"id": gap_id(*kind), "name": kind.as_str(), "shortDescription": {"text": text}}))
        .collect()
}

/// `gap/forbidden`
pub fn gap_id(kind: GapKind) -> String {
    format!("gap/{}", kind.as_str())
}

const GAPS: [(GapKind, &str); 10] = [
    (GapKind::Fetch, "A repository could not be fetched or opened."),
    (GapKind::Revision, "A revision does not resolve to a commit."),
    (GapKind::Render, "A renderer failed."),
    (GapKind::Parse, "A document or an answer of a cluster is not what it should be."),
    (GapKind::Discovery, "A cluster did not say completely what it serves."),
    (GapKind::Forbidden, "The role does not allow the read."),
    (GapKind::Unreachable, "A cluster or a part of it did not answer."),
    (GapKind::Conversion, "The server could not convert an object to the declared version."),
    (GapKind::Schema, "The schema of a kind could not be read."),
    (GapKind::Limit, "A limit of this program was reached."),
];

fn rule(code: Code) -> Value {
    let (short, full, help) = texts(code);
    json!({
        "id": code.as_str(),
        "name": pascal(code.class()),
        "shortDescription": {"text": short},
        "fullDescription": {"text": full},
        "help": {"text": help},
        "defaultConfiguration": {"level": usual_level(code)},
        "properties": {"tags": ["drift", code.class()]},
    })
}

/// `removed-but-live` as `RemovedButLive`: SARIF wants names as identifiers.
fn pascal(class: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    class.split('-').map(capital).collect()
}

/// As the shipped severity rules have it for most findings of the code; each result states its own.
fn usual_level(code: Code) -> &'static str {
    match code {
        Code::Changed | Code::Absent | Code::Undeclared | Code::RemovedButLive => "error",
        Code::Missing | Code::ChangeControl => "warning",
        Code::Unmanaged | Code::UnknownField | Code::UnservedKind | Code::Conflict | Code::Unconverged => "note",
    }
}

/// In a sentence; in full; what to do.
fn texts(code: Code) -> (&'static str, &'static str, &'static str) {
    match code {
        Code::Changed => (
            "A declared field has another value live.",
            "The cluster runs another value than the tracked revision declares, compared under the schema that it serves.",
            "The cause says whether live is an earlier commit's value (pending, behind, hand-rollback), another revision's (ahead) or \
             was never in Git (out-of-band). Sync what is behind; for the others ask the writer, then sync, or bring the value to Git.",
        ),
        Code::Absent => (
            "A declared field is not there live.",
            "The schema knows the field, the tracked revision declares it, and the live object lacks it.",
            "Sync, or take the field out of Git. If it comes and goes, a controller removes it: see the object's writers.",
        ),
        Code::Undeclared => (
            "A live field that Git does not declare and that somebody put there.",
            "The field is neither declared nor a default, and its writer is not a trusted controller.",
            "Declare it in Git, or remove it from the live object.",
        ),
        Code::Missing => (
            "A declared object does not exist live.",
            "Said only after a complete list of its kind.",
            "Sync. If this ledger has seen the object before, somebody deleted it: the audit log can say who.",
        ),
        Code::RemovedButLive => (
            "Git once declared the object, a commit removed it, and it still runs.",
            "No target of the cluster declares the object any more.",
            "Delete it, or declare it again. GitOps operators leave it where pruning is off.",
        ),
        Code::Unmanaged => (
            "A live object that nothing in Git declares or ever declared.",
            "The object is of an audited kind and not one that the cluster or a controller makes by itself.",
            "Declare it, delete it, or accept it with an ignore rule and a reason.",
        ),
        Code::UnknownField => (
            "A declared field that the served schema does not know.",
            "The server drops such fields silently, so what Git declares is not in force.",
            "Mostly a slip in a field's name or indentation: the note says what may be meant.",
        ),
        Code::UnservedKind => (
            "A declared kind or version that the cluster does not serve.",
            "The cluster was completely discovered and serves nothing under this name.",
            "Install the definition, or move to a version that is served: the note says which.",
        ),
        Code::Conflict => (
            "One object is declared twice, differently.",
            "Two declarations for one cluster differ in content; which one wins is left to chance.",
            "Keep one of them.",
        ),
        Code::Unconverged => (
            "As declared, and it says of itself that it cannot get there.",
            "The workload or the GitOps operator reports a failure, or is past its deadline.",
            "The note holds what the object and its Pods say.",
        ),
        Code::ChangeControl => (
            "A commit reached a tracked revision against the target's change policy.",
            "It lacks a signature, a certain signer, a merge or a trailer that the policy asks for.",
            "The note says what is lacking. Have the change approved after the fact and accept it with an ignore rule.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_and_every_kind_of_gap_has_a_text() {
        let rules = all();
        assert_eq!(rules.len(), Code::ALL.len());
        for rule in &rules {
            for text in ["shortDescription", "fullDescription", "help"] {
                assert!(rule[text]["text"].as_str().is_some_and(|text| text.ends_with('.')), "{rule}");
            }
        }
        assert_eq!(rules[4]["name"], "RemovedButLive");
        let ids: Vec<_> = gaps().iter().map(|gap| gap["id"].clone()).collect();
        assert!(ids.contains(&json!("gap/forbidden")) && ids.len() == GAPS.len());
    }
}
