//! What holds for every text: nothing panics, equal stays equal, a different secret is a different token, and no secret is left.

use proptest::prelude::*;
use serde_json::json;

use super::{object, redacted, rules};
use crate::model::secret::{RedactionKey, redact_again};

fn of(text: &str) -> String {
    redacted("ConfigMap", json!({"data": {"a": text}}))["data"]["a"].to_string()
}

/// Pieces of all formats, put together at random.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("password".to_owned()),
        Just("token".to_owned()),
        Just("api_key".to_owned()),
        Just("name".to_owned()),
        Just("value".to_owned()),
        Just("auth".to_owned()),
        Just("postgres://u:".to_owned()),
        Just("-----BEGIN PRIVATE KEY-----".to_owned()),
        Just("-----END PRIVATE KEY-----".to_owned()),
        Just("AKIAIOSFODNN7EXAMPLE".to_owned()),
        Just("redacted:0badcafe:1a2b3c(".to_owned()),
        Just("Bearer ".to_owned()),
        Just("${".to_owned()),
        Just("<![CDATA[".to_owned()),
        Just("@tcp(".to_owned()),
        Just("\"\"\"".to_owned()),
        Just(" |\n".to_owned()),
        Just("\n  ".to_owned()),
        Just("\n- ".to_owned()),
        Just("\\\"".to_owned()),
        "[=:\"'`{}\\[\\]<>,;&?@/#$%()\\\\ \t\r\n-]",
        "[a-zA-Z0-9]{1,6}",
        "\\PC{1,2}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(piece(), 0..40).prop_map(|pieces| pieces.concat())
}

/// The same text redacted again, as that of a snapshot is.
fn again(text: &str) -> String {
    let key = RedactionKey::from_bytes([1; 32]);
    let mut value = redacted("ConfigMap", json!({"data": {"a": text}}));
    redact_again(&mut value, &object("ConfigMap"), &key, &rules(), key.id());
    value["data"]["a"].to_string()
}

/// Ways to write a secret, with `%` where it stands.
const FORMS: [&str; 22] = [
    "password=%\n",
    "password: %\n",
    "  password: \"%\"\n",
    "export DB_PASSWORD='%'\n",
    "{\"password\": \"%\", \"a\": 1}\n",
    "- {name: DB_PASSWORD, value: %}\n",
    "- name: DB_PASSWORD\n  value: %\n",
    "<password>%</password>\n",
    "run --password=% --x\n",
    "run --password % --x\n",
    "java -Ddb.password=% x\n",
    "http://u:%@host/x\n",
    "http://h/?a=1&token=%&b=2\n",
    "a;Password=%;b=1\n",
    "password:\n  %\n",
    "tokens:\n- %\n",
    "tokens: [a, %]\n",
    "token: |\n  %\n",
    "{\"a\":\"{\\\"password\\\":\\\"%\\\"}\"}\n",
    "db = { password = \"%\" }\n",
    "x -H \"Authorization: Bearer %\"\n",
    "-----BEGIN PRIVATE KEY-----\n%\n-----END PRIVATE KEY-----\n",
];

fn secret() -> impl Strategy<Value = String> {
    // Without a slash: `u:0/x@host` is a port and a path as well.
    "[A-Za-z0-9+._~^*]{1,8}!Z[A-Za-z0-9+._~^*]{6,20}Q"
}

/// Lines of a configuration without quotes or brackets that could enclose what follows.
fn plain_lines() -> impl Strategy<Value = String> {
    proptest::collection::vec("x[0-9a-f]{1,6}(=| = |: )[a-z0-9 ]{0,12}\n", 0..6).prop_map(|lines| lines.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_panics_and_is_a_function_of_the_text(a in text(), b in text()) {
        prop_assert_eq!(of(&a), of(&a));
        if a != b {
            prop_assert_ne!(of(&a), of(&b), "{} {}", a, b);
        }
    }

    #[test]
    fn redacting_again_changes_nothing(a in text()) {
        prop_assert_eq!(of(&a), again(&a));
    }

    #[test]
    fn a_secret_in_any_form_is_hidden_and_still_told_apart(
        before in plain_lines(), after in plain_lines(), one in secret(), two in secret(), form in 0..FORMS.len()
    ) {
        let write = |secret: &str| format!("{before}{}{after}", FORMS[form].replace('%', secret));
        let (a, b) = (of(&write(&one)), of(&write(&two)));
        prop_assert!(!a.contains(&one), "{}", a);
        for part in [&one[..one.len() / 2], &one[one.len() / 2..]] {
            prop_assert!(part.len() < 5 || !a.contains(part) || before.contains(part) || after.contains(part), "{} {}", part, a);
        }
        if one != two {
            prop_assert_ne!(&a, &b);
        }
        prop_assert_eq!(again(&write(&one)), a.clone());
        // The token is the same whatever stands around it.
        let alone = of(&FORMS[form].replace('%', &one));
        let token = |text: &str| text.split("redacted:").nth(1).map(|t| t[..41].to_owned());
        if !after.starts_with(' ') {
            prop_assert_eq!(token(&alone), token(&a));
        }
    }
}
