//! Fuzz targets for what hostile input reaches first. `tests/fuzz/run` builds and runs them; DRIFTLEDGER_FUZZ_TARGET names one.
//!
//! A target may panic only where something promised does not hold: a reader that fails on its own writing, or two equal things
//! that are told apart.
#![no_main]

use driftledger::adapters::git::Signers;
use driftledger::config::actors::ActorTable;
use driftledger::model::change::{Person, Signature};
use driftledger::model::field_path::FieldPath;
use driftledger::model::time::Timestamp;
use driftledger::stages::managed_fields;
use driftledger::stages::quantity::Quantity;
use driftledger::yaml;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match target() {
        "yaml" => yaml(text),
        "quantity" => quantity(text),
        "field_path" => field_path(text),
        "managed_fields" => managed_fields(text),
        "signature" => signature(text),
        other => panic!("there is no fuzz target {other}"),
    }
});

fn target() -> &'static str {
    static NAME: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    NAME.get_or_init(|| std::env::var("DRIFTLEDGER_FUZZ_TARGET").unwrap_or_default())
}

/// What was read can be written as JSON and read again, to the same.
fn yaml(text: &str) {
    for document in yaml::read_documents(text, &yaml::Limits::default()).into_iter().flatten() {
        let tree = yaml::to_json(&document.root);
        let written = tree.to_string();
        if !tree.is_object() {
            continue;
        }
        let again = yaml::read_documents(&written, &yaml::Limits::default());
        if let [Ok(again)] = again.as_slice() {
            assert_eq!(yaml::to_json(&again.root), tree);
        }
    }
}

/// A quantity equals itself, and itself with a zero in front.
fn quantity(text: &str) {
    if let Some(quantity) = Quantity::parse(text) {
        assert_eq!(Some(&quantity), Quantity::parse(text).as_ref());
        assert_eq!(quantity.partial_cmp(&quantity), Some(std::cmp::Ordering::Equal));
        if text.starts_with(|c: char| c.is_ascii_digit()) && text.len() < 200 {
            assert_eq!(Some(quantity), Quantity::parse(&format!("0{text}")));
        }
    }
}

/// A path reads back what it writes.
fn field_path(text: &str) {
    if let Ok(path) = FieldPath::parse(text) {
        assert_eq!(FieldPath::parse(&path.to_string()), Ok(path));
    }
}

/// Any entries, asked for any path: the first line is the path, the rest the managed fields.
fn managed_fields(text: &str) {
    let Some((path, fields)) = text.split_once('\n') else { return };
    let table = ActorTable::default();
    if let (Ok(path), Some(entries)) = (FieldPath::parse(path), managed_fields::parse(fields, &table)) {
        let writers = managed_fields::writers(&entries, &path, None);
        assert!(writers.len() <= entries.len());
        let _ = managed_fields::last_writer(&entries);
    }
}

/// Keys, a line `%%` and a signed commit: without keys nothing is verified, and a commit that goes on is not the one that was signed.
fn signature(text: &str) {
    let Some((keys, commit)) = text.split_once("\n%%\n") else { return };
    let committer =
        Person { name: "Ann".into(), email: "ann@example.com".into(), time: Timestamp::from_unix(1_768_046_400) };
    let verified = |signers: &Signers, text: &str| {
        matches!(signers.check(text.as_bytes(), &committer), Signature::Verified { .. })
    };
    let mut signers = Signers::default();
    assert!(!verified(&signers, commit));
    let _ = signers.allow(keys.as_bytes());
    let _ = signers.trust(keys.as_bytes());
    if verified(&signers, commit) {
        assert!(commit.contains("gpgsig "));
        assert!(!verified(&signers, &format!("{commit}!")));
    }
}
