//! Tables of live objects and what is read from them.

mod deadlines;
mod kstatus;
mod lifecycle;
mod operators;
mod pods;

use serde_json::{Value, json};

use super::generic;
use super::object::Object;
use super::reading::Reading;
use crate::model::attribution::Origin;
use crate::model::declared::DeclaredObject;
use crate::model::ids::{CommitId, RepositoryName, Revision, TargetName};
use crate::model::resource::{Gvk, ObjectId};
use crate::stages::live::Head;

/// An object `a` in the namespace `n`, declared with this spec; `kind` is written `apps/v1 Deployment`.
fn declared(kind: &str, spec: &Value) -> DeclaredObject {
    let (api_version, kind) = kind.split_once(' ').expect("a version and a kind");
    let gvk = Gvk::new(api_version, kind);
    DeclaredObject {
        id: ObjectId {
            group: gvk.gv.group.clone(),
            kind: gvk.kind.clone(),
            namespace: Some("n".into()),
            name: "a".into(),
        },
        gvk,
        origin: Origin {
            target: TargetName::new("shop"),
            repository: RepositoryName::new("platform"),
            revision: Revision::new("main"),
            commit: CommitId::new("c"),
            file: "a.yaml".into(),
            line: Some(1),
            renderer: None,
        },
        written: None,
        json: json!({"metadata": {"name": "a"}, "spec": spec}).to_string().into_boxed_str(),
    }
}

/// What is read from a live object whose spec is declared as it is.
fn read(kind: &str, live: &Value) -> Reading {
    read_as(&declared(kind, &live["spec"]), live)
}

fn read_as(declared: &DeclaredObject, live: &Value) -> Reading {
    with_words(live, |object| generic::read(declared, object))
}

/// A live object in the form of a LIST's text; a name is added.
fn with_words<T>(live: &Value, what: impl FnOnce(&Object<'_>) -> T) -> T {
    let mut live = live.clone();
    live["metadata"]["name"] = json!("a");
    let text = live.to_string();
    let head: Head<'_> = serde_json::from_str(&text).expect("an object");
    what(&Object::from(&head))
}

/// `Failed JobFailed`, `Current`.
fn words(reading: &Reading) -> String {
    format!("{} {}", reading.status.as_str(), reading.reason).trim_end().to_owned()
}

fn check(kind: &str, cases: &[(&str, Value, &str)]) {
    for (name, live, expected) in cases {
        assert_eq!(words(&read(kind, live)), *expected, "{kind}: {name}");
    }
}
