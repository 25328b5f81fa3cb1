//! Label selectors, as `kubectl -l` takes them: `app=web,tier!=cache,env in (a,b),!canary`.
//!
//! Source: `k8s.io/apimachinery/pkg/labels`.

use serde_json::{Map, Value};

/// What labels must be like; every requirement must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelSelector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    holds: Holds,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Holds {
    Exists,
    Absent,
    In(Vec<String>),
    /// Also where the label is not there.
    NotIn(Vec<String>),
}

impl LabelSelector {
    /// Reads a selector.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let requirements = split(text)?.into_iter().map(requirement).collect::<Result<Vec<_>, _>>()?;
        if requirements.is_empty() {
            Err("selects everything: leave it out".to_owned())
        } else {
            Ok(Self(requirements))
        }
    }

    /// Whether labels are as it says. No labels are an empty map.
    pub fn matches(&self, labels: Option<&Map<String, Value>>) -> bool {
        self.0.iter().all(|requirement| {
            let value = labels.and_then(|labels| labels.get(&requirement.key)).and_then(Value::as_str);
            match &requirement.holds {
                Holds::Exists => value.is_some(),
                Holds::Absent => value.is_none(),
                Holds::In(values) => value.is_some_and(|value| values.iter().any(|v| v == value)),
                Holds::NotIn(values) => value.is_none_or(|value| !values.iter().any(|v| v == value)),
            }
        })
    }
}

/// Splits at commas outside parentheses.
fn split(text: &str) -> Result<Vec<&str>, String> {
    let mut parts = Vec::new();
    let (mut start, mut inside) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            '(' if inside => return Err("has a `(` inside parentheses".to_owned()),
            '(' => inside = true,
            ')' if !inside => return Err("has a `)` without `(`".to_owned()),
            ')' => inside = false,
            ',' if !inside => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    if inside {
        return Err("has a `(` without `)`".to_owned());
    }
    let last = text[start..].trim();
    if !(last.is_empty() && parts.is_empty()) {
        parts.push(last);
    }
    Ok(parts)
}

fn requirement(text: &str) -> Result<Requirement, String> {
    if let Some(key) = text.strip_prefix('!') {
        return Ok(Requirement { key: word(key)?, holds: Holds::Absent });
    }
    if let Some((key, value)) = text.split_once("!=") {
        return Ok(Requirement { key: word(key)?, holds: Holds::NotIn(vec![value_of(value)?]) });
    }
    if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return Ok(Requirement { key: word(key)?, holds: Holds::In(vec![value_of(value)?]) });
    }
    if let Some((head, list)) = text.split_once('(') {
        let list = list.trim_end().strip_suffix(')').ok_or("has text behind `)`")?;
        let values = list.split(',').map(value_of).collect::<Result<Vec<_>, _>>()?;
        let words: Vec<&str> = head.split_whitespace().collect();
        let holds = match words.as_slice() {
            [_, "in"] => Holds::In(values),
            [_, "notin"] => Holds::NotIn(values),
            _ => return Err(format!("has no `in` or `notin` before `({list})`")),
        };
        return Ok(Requirement { key: word(words[0])?, holds });
    }
    Ok(Requirement { key: word(text)?, holds: Holds::Exists })
}

fn word(text: &str) -> Result<String, String> {
    match value_of(text)? {
        word if word.is_empty() => Err("has an empty requirement".to_owned()),
        word => Ok(word),
    }
}

/// A value may be empty.
fn value_of(text: &str) -> Result<String, String> {
    let text = text.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if text.chars().all(plain) { Ok(text.to_owned()) } else { Err(format!("`{text}` is no label")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selects_as_kubectl_does() {
        let labels = json!({"app": "web", "tier": "front", "env": "a", "app.kubernetes.io/name": "web", "empty": ""});
        for (selector, expected) in [
            ("app=web", true),
            ("app==web", true),
            ("app=api", false),
            ("app!=api", true),
            ("nothing!=x", true),
            ("app", true),
            ("nothing", false),
            ("!nothing", true),
            ("!app", false),
            ("env in (a,b)", true),
            ("env in (b, c)", false),
            ("env notin (b, c)", true),
            ("nothing notin (b)", true),
            ("nothing in (b)", false),
            ("app=web,tier!=cache,env in (a,b)", true),
            ("app=web , env in (b)", false),
            ("app.kubernetes.io/name = web", true),
            ("empty=", true),
            ("app=", false),
        ] {
            let read = LabelSelector::parse(selector).unwrap();
            assert_eq!(read.matches(labels.as_object()), expected, "{selector}");
        }
        assert!(!LabelSelector::parse("app").unwrap().matches(None));
        assert!(LabelSelector::parse("!app").unwrap().matches(None));
    }

    #[test]
    fn what_is_no_selector_says_so() {
        for bad in [
            "",
            " ",
            "app=web,",
            "app in a,b",
            "app in (a",
            "app) b",
            "app of (a)",
            "=web",
            "a b",
            "app>3",
            "in (a)",
            "app=wéb",
        ] {
            assert!(LabelSelector::parse(bad).is_err(), "{bad}");
        }
    }
}
