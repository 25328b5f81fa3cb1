//! Flux's variables in each object that was built, before it is read as one: what was a text may become a number (`fluxcd/pkg`,
//! `kustomize/kustomize_varsub.go`).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::expression::{self, Variables};
use super::heads::pieces_of;
use super::output::annotation;
use crate::config::render::Substitution;
use crate::yaml;

/// An object with it, as label or annotation, is taken as it was built.
const SWITCH: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// Names of variables that are not known, by what may give them.
pub type Unknown = BTreeMap<String, BTreeSet<String>>;

/// `a, b of Secret vars`, for people.
pub fn told(unknown: &Unknown) -> String {
    let names = |names: &BTreeSet<String>| names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let told = unknown.iter().map(|(source, variables)| format!("{} of {source}", names(variables)));
    told.collect::<Vec<_>>().join("; ")
}

/// The manifests with their variables filled in. Where one is not known, `placeholder` stands for what comes of it: another one in each of two
/// renderings, so that they differ where it counts. Such variables are added to `unknown`.
///
/// # Errors
/// For people: what cannot be understood, and where.
pub fn apply(output: &[u8], with: &Substitution, placeholder: &str, unknown: &mut Unknown) -> Result<Vec<u8>, String> {
    let mut filled = Vec::new();
    for piece in pieces_of(output) {
        let text = String::from_utf8_lossy(piece);
        let text = if !text.contains('$') || is_switched_off(&text) {
            text
        } else {
            let text = expression::replace(&text, &mut Given { with, placeholder, unknown });
            Cow::Owned(text.map_err(|why| format!("{why} in {}", head(piece)))?)
        };
        filled.extend_from_slice(b"---\n");
        filled.extend_from_slice(text.strip_prefix("---\n").unwrap_or(&text).as_bytes());
        filled.push(b'\n');
    }
    Ok(filled)
}

struct Given<'a> {
    with: &'a Substitution,
    placeholder: &'a str,
    unknown: &'a mut Unknown,
}

impl Variables for Given<'_> {
    fn value(&self, name: &str) -> Option<&str> {
        if self.with.hidden.contains_key(name) {
            return None;
        }
        let given = self.with.variables.get(name).map(String::as_str);
        given.or_else(|| self.with.unread.is_empty().then_some(""))
    }

    fn placeholder(&mut self, name: &str) -> &str {
        let unread = || self.with.unread.join(" or ");
        let source = self.with.hidden.get(name).cloned().unwrap_or_else(unread);
        self.unknown.entry(source).or_default().insert(name.to_owned());
        self.placeholder
    }
}

fn tree(text: &str) -> Option<Value> {
    let document = yaml::read_documents(text, &yaml::Limits::default()).into_iter().find_map(Result::ok)?;
    Some(yaml::to_json(&document.root))
}

fn is_switched_off(text: &str) -> bool {
    if !text.contains(SWITCH) {
        return false;
    }
    let Some(object) = tree(text) else { return false };
    let label = object.pointer("/metadata/labels").and_then(|labels| labels.get(SWITCH)?.as_str());
    label == Some("disabled") || annotation(&object, SWITCH) == Some("disabled")
}

/// `Deployment api`.
fn head(piece: &[u8]) -> String {
    let object = tree(&String::from_utf8_lossy(piece)).unwrap_or_default();
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or("?").to_owned();
    format!("{} {}", text("/kind"), text("/metadata/name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(unread: &[&str]) -> Substitution {
        Substitution {
            variables: BTreeMap::from([("n".to_owned(), "3".to_owned())]),
            hidden: BTreeMap::from([("token".to_owned(), "Secret b".to_owned())]),
            unread: unread.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    /// What it becomes, and which variables are not known.
    fn filled(unread: &[&str], text: &str) -> (String, String) {
        let mut unknown = Unknown::new();
        let filled = apply(text.as_bytes(), &with(unread), "?", &mut unknown).unwrap();
        (String::from_utf8(filled).unwrap(), told(&unknown))
    }

    #[test]
    fn each_object_is_filled_in_unless_it_says_no() {
        for key in ["labels", "annotations"] {
            let text = format!(
                "kind: A\nspec: {{n: ${{n}}}}\n---\nkind: B\nmetadata:\n  {key}: {{{SWITCH}: disabled}}\nspec: ${{n}}\n"
            );
            let (text, unknown) = filled(&["Secret a"], &text);
            assert!(text.contains("spec: {n: 3}") && text.contains("spec: ${n}"), "{text}");
            assert!(unknown.is_empty(), "nothing of it is asked for: {unknown:?}");
        }
        let failed = apply(b"kind: A\nmetadata: {name: b}\na: ${n", &with(&[]), "", &mut Unknown::new());
        assert_eq!(failed, Err("`${n` cannot be read: there is no `}` after it in A b".to_owned()));
    }

    #[test]
    fn what_is_not_known_is_said_where_it_is_used() {
        for (unread, text, expected, unknown) in [
            (&["Secret a"][..], "a: ${n}", "a: 3", ""),
            (&["Secret a", "Secret c"], "a: ${y}${x:=1}", "a: ??", "x, y of Secret a or Secret c"),
            (&[], "a: ${x:=1}", "a: 1", ""),
            (&["Secret a"], "a: ${token}${#token}${x}", "a: ???", "x of Secret a; token of Secret b"),
        ] {
            let (text, found) = filled(unread, text);
            assert_eq!((text.trim_start_matches("---\n").trim_end(), found.as_str()), (expected, unknown));
        }
    }
}
