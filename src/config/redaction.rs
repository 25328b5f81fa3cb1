//! Which names look like credentials. The shipped ones are `config/redaction.yaml`.

use std::sync::{Arc, LazyLock};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::field_path::FieldPath;
use crate::model::resource::GroupKind;
use crate::model::secret::{CredentialNames, NameLists, ShownField};

/// Which names look like credentials. What is redacted by name stands beside what `redact` names as fields.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawCredentialNames {
    /// Whether the shipped names and shapes are used (config/redaction.yaml). Default true.
    pub defaults: Option<bool>,
    /// Names of your own, as `acmeLicence` or `*code`. A name is taken apart into words, so that `acme-licence` and
    /// `ACME_LICENCE_2` are meant too; `*` stands for any text inside a word, `^` and `$` for the name's beginning and end.
    #[serde(default)]
    pub names: Vec<String>,
    /// What is shown all the same: names, written as in `names`, or fields, as `.spec.token` or `Kind.group .spec.token`; `["*"]` stands
    /// for any field or element.
    #[serde(default)]
    pub except: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct File {
    names: Vec<String>,
    by_value: Vec<String>,
    fields_by_value: Vec<String>,
    except: Vec<String>,
    fields: Vec<String>,
    shapes: Vec<Shape>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    name: String,
    begins: String,
    regex: String,
}

static FILE: LazyLock<File> = LazyLock::new(|| super::shipped(include_str!("../../config/redaction.yaml")));
static SHIPPED: LazyLock<Arc<CredentialNames>> = LazyLock::new(|| {
    let names = CredentialNames::new(&lists(&FILE)).expect("a test reads the shipped names");
    Arc::new(names)
});

/// The shipped names and shapes.
pub fn shipped_names() -> Arc<CredentialNames> {
    SHIPPED.clone()
}

/// A text of the configuration that is neither a pattern nor a field, with the key it stands under.
pub(super) type BadEntry = (String, String);

/// What the configuration asks for; `None`: nothing is redacted by name.
///
/// # Errors
/// Every entry that cannot be read.
pub(super) fn names(raw: Option<&RawCredentialNames>) -> Result<Option<Arc<CredentialNames>>, Vec<BadEntry>> {
    let Some(raw) = raw else { return Ok(Some(shipped_names())) };
    let mut bad = Vec::new();
    let mut lists = if raw.defaults.unwrap_or(true) { lists(&FILE) } else { NameLists::default() };
    for (n, text) in raw.names.iter().enumerate() {
        match CredentialNames::check(text) {
            Ok(()) => lists.own_names.push(text),
            Err(error) => bad.push((format!("redaction.names[{n}]"), error.to_string())),
        }
    }
    for (n, text) in raw.except.iter().enumerate() {
        let read = match field(text) {
            Some(Ok(field)) => {
                lists.fields.push(field);
                Ok(())
            }
            Some(Err(error)) => Err(error),
            None => {
                let checked = CredentialNames::check(text).map_err(|error| error.to_string());
                if checked.is_ok() {
                    lists.own_except.push(text);
                }
                checked
            }
        };
        if let Err(message) = read {
            bad.push((format!("redaction.except[{n}]"), message));
        }
    }
    if !bad.is_empty() {
        return Err(bad);
    }
    if lists.names.is_empty() && lists.own_names.is_empty() {
        return Ok(None);
    }
    let names = CredentialNames::new(&lists).map_err(|error| vec![("redaction".to_owned(), error.to_string())])?;
    Ok(Some(Arc::new(names)))
}

fn lists(file: &'static File) -> NameLists<'static> {
    let texts = |list: &'static [String]| list.iter().map(String::as_str).collect();
    NameLists {
        names: texts(&file.names),
        by_value: texts(&file.by_value),
        fields_by_value: texts(&file.fields_by_value),
        except: texts(&file.except),
        shapes: file.shapes.iter().map(|s| (s.name.as_str(), s.begins.as_str(), s.regex.as_str())).collect(),
        fields: file
            .fields
            .iter()
            .map(|text| field(text).and_then(Result::ok).expect("a test reads the shipped fields"))
            .collect(),
        ..NameLists::default()
    }
}

/// `.path` or `Kind.group .path`; `None` for what is a name.
fn field(text: &str) -> Option<Result<ShownField, String>> {
    let is_path = |text: &str| text.starts_with(['.', '[']);
    let (kind, path) = match text.split_once(' ') {
        _ if is_path(text) => (None, text),
        Some((kind, path)) if is_path(path) => (Some(kind), path),
        _ => return None,
    };
    let kind = kind.map(|kind| {
        let (kind, group) = kind.split_once('.').unwrap_or((kind, ""));
        GroupKind::new(group, kind)
    });
    Some(FieldPath::parse(path).map(|path| ShownField { kind, path }).map_err(|error| error.to_string()))
}

#[cfg(test)]
mod tests;
