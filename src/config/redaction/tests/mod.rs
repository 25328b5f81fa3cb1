//! What the shipped names and shapes find, and what they leave alone.

mod names;
mod objects;
mod properties;
mod speed;
mod texts;

use serde_json::Value;

use super::*;
use crate::model::resource::ObjectId;
use crate::model::secret::{RedactionKey, RedactionRules, redact};

fn object(kind: &str) -> ObjectId {
    let (kind, group) = kind.split_once('.').unwrap_or((kind, ""));
    ObjectId { group: group.into(), kind: kind.into(), namespace: Some("shop".into()), name: "a".into() }
}

fn rules() -> RedactionRules {
    RedactionRules { names: Some(shipped_names()), ..RedactionRules::default() }
}

fn redacted(kind: &str, mut value: Value) -> Value {
    redact(&mut value, &object(kind), &RedactionKey::from_bytes([1; 32]), &rules());
    value
}

#[test]
fn the_shipped_file_is_read() {
    let names = shipped_names();
    assert!(!format!("{names:?}").is_empty());
    assert!(names.shape_names().count() > 20);
}

#[test]
fn nothing_is_redacted_by_name_where_it_is_switched_off() {
    let raw = RawCredentialNames { defaults: Some(false), ..Default::default() };
    assert!(names(Some(&raw)).unwrap().is_none());
    assert!(names(None).unwrap().is_some());
    let own = RawCredentialNames { names: vec!["acmeCode".into()], ..raw };
    assert!(names(Some(&own)).unwrap().is_some());
}

#[test]
fn every_bad_entry_is_told() {
    let raw = RawCredentialNames {
        defaults: None,
        names: vec!["*".into(), "good".into()],
        except: vec![".spec[".into(), "ConfigMap .data".into(), "x".into()],
    };
    let bad: Vec<_> = names(Some(&raw)).unwrap_err().into_iter().map(|(key, _)| key).collect();
    assert_eq!(bad, ["redaction.names[0]", "redaction.except[0]", "redaction.except[2]"]);
}
