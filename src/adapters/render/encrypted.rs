//! Secrets that are generated from what SOPS encrypted.

use serde_json::Value;

use super::renderer::Rendered;
use crate::model::declared::{RenderedObject, UnstablePlace};
use crate::model::fingerprint::stable_name;
use crate::model::gap::Exclusion;
use crate::model::ids::TargetName;
use crate::model::resource::ObjectId;
use crate::model::secret::SOPS_TOKEN;

/// Leaves out generated Secrets whose content is encrypted in the repository: their names follow from what it says in clear. Where others
/// name them, that is not known either.
pub fn leave_out(rendered: &mut Rendered, target: &TargetName) {
    let is_it = |object: &RenderedObject| {
        let name = object.name.clone();
        let (group, kind) = (object.gvk.gv.group.clone(), object.gvk.kind.clone());
        let id = ObjectId { group, kind, namespace: None, name };
        id.kind == "Secret" && stable_name(&id) != id.name && object.json.contains(SOPS_TOKEN)
    };
    let (encrypted, others): (Vec<_>, Vec<_>) = std::mem::take(&mut rendered.objects).into_iter().partition(is_it);
    rendered.objects = others;
    if encrypted.is_empty() {
        return;
    }
    let names: Vec<&str> = encrypted.iter().map(|object| object.name.as_str()).collect();
    for object in rendered.objects.iter().filter(|object| names.iter().any(|name| object.json.contains(name))) {
        let mut pointers = Vec::new();
        if let Ok(tree) = object.tree() {
            mentions(&tree, &names, &mut String::new(), &mut pointers);
        }
        rendered.unstable.extend(pointers.into_iter().map(|pointer| UnstablePlace {
            group: object.gvk.gv.group.clone(),
            kind: object.gvk.kind.clone(),
            name: object.name.clone(),
            pointer,
            why: "it is the name of a Secret that is generated from what is encrypted".to_owned(),
            may_be_absent: false,
        }));
    }
    rendered.left_out.push(Exclusion {
        scope: target.to_string(),
        what: "Secrets that are generated from encrypted files".into(),
        reason: "their names follow from what the files say in clear".into(),
        count: Some(encrypted.len() as u64),
    });
}

/// JSON pointers of the texts that are one of some names.
fn mentions(value: &Value, names: &[&str], at: &mut String, found: &mut Vec<String>) {
    let mut below = |key: &str, value: &Value| {
        let length = at.len();
        at.push('/');
        at.push_str(&key.replace('~', "~0").replace('/', "~1"));
        mentions(value, names, at, found);
        at.truncate(length);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| below(key, value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(n, value)| below(&n.to_string(), value)),
        Value::String(text) if names.contains(&text.as_str()) => found.push(at.clone()),
        _ => {}
    }
}
