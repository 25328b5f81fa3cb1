//! What a finding says of the secrets that its values do not show.

use std::collections::BTreeMap;

use serde_json::Value;

use super::kind::decode;
use super::token::{digits_of, inside_of};

/// Names that are listed; the rest is counted.
const MOST_NAMES: usize = 8;

/// What the two values of a finding cannot show because it is redacted inside them: `2 values in it are redacted: password, api-key`.
/// `None` where nothing is, or where a value is redacted as a whole, which shows.
pub fn redaction_note(declared: Option<&Value>, live: Option<&Value>) -> Option<String> {
    let (git, cluster) = (inside(declared), inside(live));
    // By name, the sides' tokens in order.
    let mut names: BTreeMap<&str, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
    for (name, digits) in &git {
        names.entry(name).or_default().0.push(digits);
    }
    for (name, digits) in &cluster {
        names.entry(name).or_default().1.push(digits);
    }
    let mut order: Vec<&str> = Vec::new();
    for (name, _) in git.iter().chain(&cluster) {
        if !order.contains(&name.as_str()) {
            order.push(name);
        }
    }
    let count = git.len().max(cluster.len());
    let said = |names: &[&str]| {
        let more = names.len().saturating_sub(MOST_NAMES);
        let listed = names[..names.len() - more].join(", ");
        if more > 0 { format!("{listed} and {more} more") } else { listed }
    };
    let what = match count {
        0 => return None,
        1 => "1 value in it is redacted".to_owned(),
        n => format!("{n} values in it are redacted"),
    };
    let mut note = format!("{what}: {}", said(&order));
    if declared.is_some() && live.is_some() {
        let differing: Vec<&str> = order.iter().copied().filter(|name| names[name].0 != names[name].1).collect();
        if !differing.is_empty() {
            let verb = if differing.len() == 1 { "differs" } else { "differ" };
            note.push_str(&format!(" ({} {verb})", said(&differing)));
        }
    }
    Some(note)
}

/// Name and hash of each redacted value inside one; none for a value that is redacted as a whole.
fn inside(value: Option<&Value>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if let Some(value) = value.filter(|value| value.as_str().and_then(digits_of).is_none()) {
        collect("", value, &mut found);
    }
    found
}

fn collect(name: &str, value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            let pair = map.get("name").or_else(|| map.get("key")).and_then(Value::as_str);
            for (key, child) in map {
                collect(pair.filter(|_| key == "value").unwrap_or(key), child, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(name, item, found)),
        Value::String(text) => match digits_of(text) {
            Some(digits) => found.push((named(name), digits.to_owned())),
            None => of_text(text, found),
        },
        _ => {}
    }
}

fn of_text(text: &str, found: &mut Vec<(String, String)>) {
    let before = found.len();
    found.extend(inside_of(text).map(|token| (token.name.to_owned(), token.digits.to_owned())));
    // A ConfigMap's binaryData: the base64 of `redacted:` stands in it where a token does, one of three ways.
    let coded = || ["cmVkYWN0ZWQ6", "JlZGFjdGVkO", "yZWRhY3RlZD"].iter().any(|part| text.contains(part));
    if found.len() == before
        && coded()
        && let Some(decoded) = decode(text).and_then(|bytes| String::from_utf8(bytes).ok())
    {
        found.extend(inside_of(&decoded).map(|token| (token.name.to_owned(), token.digits.to_owned())));
    }
}

fn named(name: &str) -> String {
    if name.is_empty() { "value".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(digits: &str, name: &str) -> String {
        format!("redacted:0badcafe:{digits}({name})")
    }

    #[test]
    fn says_how_many_which_and_whether_they_differ() {
        let a =
            json!(format!("user=x\npassword={}\nkey={}\n", token("aaaaaa", "password"), token("bbbbbb", "api-key")));
        let b =
            json!(format!("user=y\npassword={}\nkey={}\n", token("aaaaaa", "password"), token("cccccc", "api-key")));
        let note = |a: Option<&Value>, b: Option<&Value>| redaction_note(a, b).unwrap_or_default();
        assert_eq!(note(Some(&a), Some(&a)), "2 values in it are redacted: password, api-key");
        assert_eq!(note(Some(&a), Some(&b)), "2 values in it are redacted: password, api-key (api-key differs)");
        assert_eq!(note(Some(&a), None), "2 values in it are redacted: password, api-key");
        assert_eq!(note(Some(&json!("x")), Some(&json!("y"))), "");
        let whole = json!("redacted:0badcafe:1a2b3c4d5e6f708192a3b4c5d6e7f809");
        assert_eq!(note(Some(&whole), Some(&whole)), "");
        let container = json!({"env": [{"name": "DB_PASSWORD", "value": whole}], "image": "x"});
        assert_eq!(note(Some(&container), None), "1 value in it is redacted: DB_PASSWORD");
        let coded = json!(super::super::kind::encode(format!("x{}", a.as_str().unwrap()).as_bytes()));
        assert_eq!(note(Some(&coded), None), "2 values in it are redacted: password, api-key");
    }
}
