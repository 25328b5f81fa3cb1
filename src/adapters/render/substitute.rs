//! Flux's variables in what was built: `${name}` and bash's ways to change its value (`fluxcd/pkg`, `envsubst` and
//! `kustomize/kustomize_varsub.go`). A variable that nothing gives is empty; `$$` is a dollar sign.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::Chars;

use serde_json::Value;

use super::heads::pieces_of;
use super::output::annotation;
use crate::config::render::Substitution;
use crate::yaml;

/// An object with it, as label or annotation, is taken as it was built.
const SWITCH: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// What is put where a variable stands that only something may give which is not read.
#[derive(Clone, Copy)]
pub struct Unread<'a> {
    /// Another one in each of two renderings, so that they differ where it counts.
    pub placeholder: &'a str,
}

/// The manifests with their variables filled in, and whether any of those is not known.
///
/// # Errors
/// For people: what cannot be understood, and where.
pub fn apply(output: &[u8], with: &Substitution, unread: Unread<'_>) -> Result<(Vec<u8>, bool), String> {
    let (mut filled, mut any_unknown) = (Vec::new(), false);
    for piece in pieces_of(output) {
        let text = String::from_utf8_lossy(piece);
        let text = if !text.contains('$') || is_switched_off(&text) {
            text
        } else {
            let lookup = |name: &str| match with.variables.get(name) {
                Some(value) => Cow::Borrowed(value.as_str()),
                None if with.unread.is_empty() => Cow::Borrowed(""),
                None => {
                    any_unknown = true;
                    Cow::Borrowed(unread.placeholder)
                }
            };
            let text = fill(&text, lookup);
            Cow::Owned(text.map_err(|why| format!("{why} in {}", head(piece)))?)
        };
        filled.extend_from_slice(b"---\n");
        filled.extend_from_slice(text.strip_prefix("---\n").unwrap_or(&text).as_bytes());
        filled.push(b'\n');
    }
    Ok((filled, any_unknown))
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

/// A text with its variables filled in.
fn fill<'v>(text: &str, mut lookup: impl FnMut(&str) -> Cow<'v, str>) -> Result<String, String> {
    let mut rest = text.chars().peekable();
    let mut filled = String::with_capacity(text.len());
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('$', Some('$')) => {
                rest.next();
                filled.push('$');
            }
            ('$', Some('{')) => {
                rest.next();
                filled.push_str(&expression(&mut rest, &mut lookup)?);
            }
            _ => filled.push(c),
        }
    }
    Ok(filled)
}

/// What stands after `${`, up to its `}`.
fn expression<'v>(
    rest: &mut Peekable<Chars<'_>>,
    lookup: &mut impl FnMut(&str) -> Cow<'v, str>,
) -> Result<String, String> {
    let is_length = rest.next_if_eq(&'#').is_some();
    let mut name = String::new();
    while let Some(c) = rest.next_if(|c| c.is_alphanumeric() || *c == '_') {
        name.push(c);
    }
    if name.is_empty() {
        return Err("`${` without the name of a variable".to_owned());
    }
    let value = lookup(&name).into_owned();
    let mut operator = String::new();
    while let Some(c) = rest.next_if(|c| operator.len() < 2 && is_next_of(&operator, *c)) {
        operator.push(c);
    }
    // Up to the bracket; a value may have brackets of its own in it, after a dollar sign.
    let mut argument = String::new();
    loop {
        match rest.next() {
            None => return Err(format!("`${{{name}` without its `}}`")),
            Some('}') => break,
            Some('$') if rest.peek() == Some(&'{') => {
                rest.next();
                argument.push_str(&expression(rest, lookup)?);
            }
            Some(c) => argument.push(c),
        }
    }
    if is_length {
        return Ok(value.len().to_string());
    }
    let not_understood = || format!("`${{{name}{operator}{argument}}}` is not understood");
    Ok(match operator.as_str() {
        "" if argument.is_empty() => value,
        "=" | ":=" | ":-" | ":?" | ":+" => {
            if value.is_empty() {
                argument
            } else {
                value
            }
        }
        "^" => first(&value, |c| c.to_uppercase().collect()),
        "," => first(&value, |c| c.to_lowercase().collect()),
        "^^" => value.to_uppercase(),
        ",," => value.to_lowercase(),
        ":" => part(&value, &argument).ok_or_else(not_understood)?,
        // Without signs that stand for others, the shortest and the longest are the same.
        "#" | "##" | "%" | "%%" if !is_pattern(&argument) => {
            let stripped = if operator.starts_with('#') {
                value.strip_prefix(argument.as_str())
            } else {
                value.strip_suffix(argument.as_str())
            };
            stripped.unwrap_or(&value).to_owned()
        }
        "/" | "//" | "/#" | "/%" => {
            let (from, to) =
                argument.split_once('/').filter(|(from, _)| !is_pattern(from)).ok_or_else(not_understood)?;
            match operator.as_str() {
                "/" => value.replacen(from, to, 1),
                "//" => value.replace(from, to),
                "/#" => value.strip_prefix(from).map_or(value.clone(), |rest| format!("{to}{rest}")),
                _ => value.strip_suffix(from).map_or(value.clone(), |rest| format!("{rest}{to}")),
            }
        }
        _ => return Err(not_understood()),
    })
}

/// Whether a sign goes on with an operator.
fn is_next_of(operator: &str, c: char) -> bool {
    match operator {
        "" => matches!(c, ':' | '=' | ',' | '^' | '/' | '#' | '%'),
        ":" => matches!(c, '=' | '-' | '?' | '+'),
        "/" => matches!(c, '/' | '#' | '%'),
        "," | "^" | "#" | "%" => operator.starts_with(c),
        _ => false,
    }
}

fn is_pattern(text: &str) -> bool {
    text.is_empty() || text.contains(['*', '?', '[', '\\'])
}

fn first(value: &str, with: impl Fn(char) -> String) -> String {
    let mut rest = value.chars();
    rest.next().map_or_else(String::new, |c| with(c) + rest.as_str())
}

/// `offset` or `offset:length`, in bytes as Go counts.
fn part(value: &str, argument: &str) -> Option<String> {
    let (offset, length) = argument.split_once(':').map_or((argument, None), |(offset, length)| (offset, Some(length)));
    let offset: usize = offset.trim().parse().ok()?;
    let rest = value.get(offset.min(value.len())..)?;
    let length = length.map_or(Some(rest.len()), |length| length.trim().parse().ok())?;
    rest.get(..length.min(rest.len())).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn with(unread: &[&str]) -> Substitution {
        let variables = [("n", "3"), ("env", "prod"), ("empty", ""), ("path", "/a/b")];
        Substitution {
            variables: BTreeMap::from(variables.map(|(name, value)| (name.to_owned(), value.to_owned()))),
            unread: unread.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn variables_are_filled_in_as_bash_does_and_flux() {
        let variables = with(&[]).variables;
        let filled =
            |text: &str| fill(text, |name| variables.get(name).map_or("".into(), |value| value.as_str().into()));
        for (text, expected) in [
            ("a: ${n}", "a: 3"),
            ("${none}", ""),
            ("${none:=x}${none:-y}${none=z}", "xyz"),
            ("${env:-x}${empty:-y}", "prody"),
            ("${none:-${env}}-${none:=a${n}b}", "prod-a3b"),
            ("$env $ {env} $${env} 50$", "$env $ {env} ${env} 50$"),
            ("${env^} ${env^^} ${env,,} ${#env}", "Prod PROD prod 4"),
            ("${env:1} ${env:1:2} ${env:9}", "rod ro "),
            ("${path#/a}${path%b}", "/b/a/"),
            ("${path/\\//x}", "`${path/\\//x}` is not understood"),
            ("${env/o/0} ${path//a/c} ${env/#p/P} ${env/%d/D}", "pr0d /c/b Prod proD"),
            ("${env", "`${env` without its `}`"),
            ("${}", "`${` without the name of a variable"),
            ("${env-x}", "`${env-x}` is not understood"),
            ("${path##*/}", "`${path##*/}` is not understood"),
        ] {
            assert_eq!(filled(text).unwrap_or_else(|why| why), expected, "{text}");
        }
    }

    #[test]
    fn each_object_is_filled_in_unless_it_says_no() {
        let text = "kind: A\nspec: {n: ${n}}\n---\nkind: B\nmetadata:\n  annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}\nspec: ${n}\n";
        let filled = |unread: &[&str], text: &str| {
            let placeholder = "1";
            let (bytes, unknown) = apply(text.as_bytes(), &with(unread), Unread { placeholder }).unwrap();
            (String::from_utf8(bytes).unwrap(), unknown)
        };
        let (bytes, unknown) = filled(&[], text);
        assert!(bytes.contains("spec: {n: 3}") && bytes.contains("spec: ${n}") && !unknown, "{bytes}");
        assert!(!filled(&["Secret a"], text).1, "nothing of it is asked for");
        assert!(filled(&["Secret a"], "a: ${token}").1);
        assert!(!filled(&[], "a: ${token}").1);
    }
}
