//! Redaction reads every text of a stranger's repository: none may keep it busy. What it costs is measured by the bench of the comparison.

use serde_json::json;

use super::*;

/// Text made to be slow: every beginning of something secret, and none of the ends. A reader that starts over at each would not end.
#[test]
fn hostile_texts_come_to_an_end() {
    let texts = [
        "password=\"".repeat(20_000),
        "token: [".repeat(20_000),
        "tokens:\n- ".repeat(20_000),
        "token: |\n".repeat(20_000),
        "http://u:p".repeat(20_000),
        "-----BEGIN PRIVATE KEY-----".repeat(10_000),
        "<password>".repeat(20_000),
        "password".repeat(30_000),
        "name: password value: ".repeat(10_000),
        "auth=${x} ".repeat(20_000),
        "token=\\\"".repeat(20_000),
        "redacted:0badcafe:".repeat(10_000),
        "token:\n\n".repeat(20_000),
        "token: a\n ".repeat(20_000),
    ];
    for text in texts {
        assert!(redacted("ConfigMap", json!({"data": {"a": text}}))["data"]["a"].is_string());
    }
}
