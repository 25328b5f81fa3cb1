//! The ways in which a change of a live object can be written, and the names under which it is.

use serde_json::{Map, Value, json};

use super::tree::{Op, get, merge_patch};
use super::{Mutation, Subject};
use crate::oracle::{Kind, Writer, list_kind};
use crate::random::Random;

/// Field managers that are not kubectl's own.
const MANAGERS: &[&str] = &["k9s", "acme-tool", "kubectl-edit", "argocd-controller", "kube-controller-manager"];

/// The class of a manager that updates.
fn updater(name: &'static str) -> Writer {
    match name {
        "argocd-controller" => Writer::GitopsUpdate(name),
        "kube-controller-manager" => Writer::Controller(name),
        _ => Writer::Somebody(name),
    }
}

/// Chooses a way in which these operations can be done.
pub fn choose(subject: &Subject<'_>, ops: &[Op], random: &mut Random) -> Option<Mutation> {
    let mut wanted = subject.live.clone();
    ops.iter().for_each(|op| op.apply(&mut wanted));
    let what: Vec<String> = ops.iter().map(|op| op.json().to_string()).collect();
    let what = what.join(" ");
    let custom = subject.kind() == "Gadget";
    let mutation = match random.below(20) {
        0..6 => patch(subject, "json", &Value::from(ops.iter().map(Op::json).collect::<Vec<_>>()), &what, random),
        6..9 => {
            let (Some(before), Some(after)) = (subject.live.as_object(), wanted.as_object()) else { return None };
            patch(subject, "merge", &merge_patch(before, after), &what, random)
        }
        9..11 if !custom => patch(subject, "strategic", &strategic(subject.live, ops)?, &what, random),
        11..14 => edit(subject, &wanted, &what),
        14..17 => replace(&wanted, &what, random),
        _ => foreign_apply(subject, &wanted, ops, &what, random)?,
    };
    Some(mutation.meaning(subject.kind(), subject.live, &wanted))
}

fn patch(subject: &Subject<'_>, sort: &str, patch: &Value, what: &str, random: &mut Random) -> Mutation {
    let mut arguments = vec!["patch".to_owned()];
    arguments.extend(subject.named());
    arguments.push(format!("--type={sort}"));
    arguments.push(format!("--patch={patch}"));
    let mut writer = Writer::Somebody("kubectl-patch");
    if random.chance(70) {
        writer = updater(random.one_of(MANAGERS));
        arguments.push(format!("--field-manager={}", writer.manager()));
    }
    Mutation::new(format!("{sort} patch {what}"), writer, arguments)
}

fn edit(subject: &Subject<'_>, wanted: &Value, what: &str) -> Mutation {
    let mut arguments = vec!["edit".to_owned()];
    arguments.extend(subject.named());
    arguments.push("--output=json".to_owned());
    let mut wanted = wanted.clone();
    without_managed_fields(&mut wanted);
    let mut mutation = Mutation::new(format!("edit {what}"), Writer::Somebody("kubectl-edit"), arguments);
    mutation.editor = Some(wanted.to_string());
    mutation
}

fn replace(wanted: &Value, what: &str, random: &mut Random) -> Mutation {
    let mut arguments: Vec<String> = ["replace", "--validate=ignore", "-f", "-"].map(str::to_owned).to_vec();
    let mut writer = Writer::Somebody("kubectl-replace");
    if random.chance(60) {
        writer = updater(random.one_of(MANAGERS));
        arguments.push(format!("--field-manager={}", writer.manager()));
    }
    let mut wanted = wanted.clone();
    without_managed_fields(&mut wanted);
    if random.chance(50) {
        // Whoever comes last wins.
        wanted["metadata"].as_object_mut().map(|metadata| metadata.remove("resourceVersion"));
    }
    let mut mutation = Mutation::new(format!("replace {what}"), writer, arguments);
    mutation.input = wanted.to_string();
    mutation
}

/// Server-side apply, by somebody who knows only these fields.
fn foreign_apply(
    subject: &Subject<'_>,
    wanted: &Value,
    ops: &[Op],
    what: &str,
    random: &mut Random,
) -> Option<Mutation> {
    let mut partial = json!({
        "apiVersion": subject.declared.api_version(), "kind": subject.kind(), "metadata": {"name": subject.declared.name()},
    });
    if subject.declared.namespaced {
        partial["metadata"]["namespace"] = json!(subject.namespace);
    }
    for op in ops {
        // What an applier does not name stays.
        op.value.as_ref()?;
        let mut pointer = op.pointer.clone();
        if !op.existed
            && pointer.last().is_some_and(|last| last.parse::<usize>().is_ok())
            && get(wanted, &pointer).is_none()
        {
            return None;
        }
        let mut fields: Vec<&str> = Vec::new();
        // A list that is one value is given as a whole.
        for (n, step) in op.pointer.iter().enumerate() {
            if step.parse::<usize>().is_ok() && get(wanted, &op.pointer[..n]).is_some_and(Value::is_array) {
                if !matches!(list_kind(subject.kind(), &fields), Kind::Keys(_)) {
                    pointer.truncate(n);
                    break;
                }
                fields.push("*");
            } else {
                fields.push(step);
            }
        }
        graft(&mut partial, wanted, &pointer, subject.kind());
    }
    let writer = random.one_of(&[
        Writer::Somebody("acme-tool"),
        Writer::Somebody("k9s"),
        Writer::Controller("kube-controller-manager"),
        Writer::GitopsIntent("argocd-controller"),
    ]);
    let arguments = ["apply", "--server-side", "--force-conflicts", "-f", "-"].map(str::to_owned);
    let mut arguments = arguments.to_vec();
    arguments.push(format!("--field-manager={}", writer.manager()));
    let mut mutation = Mutation::new(format!("apply as {} {what}", writer.manager()), writer, arguments);
    mutation.input = partial.to_string();
    Some(mutation)
}

/// Copies what stands at a pointer into a partial object; elements on the way keep only their keys.
fn graft(partial: &mut Value, whole: &Value, pointer: &[String], kind: &str) {
    let (mut at, mut from) = (partial, whole);
    let mut fields: Vec<String> = Vec::new();
    for (n, step) in pointer.iter().enumerate() {
        let last = n + 1 == pointer.len();
        let Some(next) = get(from, std::slice::from_ref(step)) else { return };
        if from.is_array() {
            let names: Vec<&str> = fields.iter().map(String::as_str).collect();
            let keys = match list_kind(kind, &names) {
                Kind::Keys(keys) => keys.iter().map(|(name, _)| *name).collect(),
                _ => Vec::new(),
            };
            let mut element = Map::new();
            keys.iter()
                .filter_map(|key| Some((key, next.get(*key)?)))
                .for_each(|(key, value)| drop(element.insert((*key).to_owned(), value.clone())));
            if !at.is_array() {
                *at = json!([]);
            }
            let Some(items) = at.as_array_mut() else { return };
            items.push(if last { next.clone() } else { Value::Object(element) });
            at = items.last_mut().expect("just pushed");
            fields.push("*".to_owned());
        } else {
            if !at.is_object() {
                *at = json!({});
            }
            at = &mut at[step];
            if last {
                *at = next.clone();
            }
            fields.push(step.clone());
        }
        from = next;
    }
}

/// A strategic merge patch for operations that do not go through lists that are one value; `None` for others.
fn strategic(live: &Value, ops: &[Op]) -> Option<Value> {
    let [op] = ops else { return None };
    let mut value = match &op.value {
        Some(Value::Array(_)) | None if op.value.is_some() => return None,
        Some(value) => value.clone(),
        None => Value::Null,
    };
    for (n, step) in op.pointer.iter().enumerate().rev() {
        let parent = get(live, &op.pointer[..n])?;
        value = if parent.is_array() {
            let name = op.pointer.get(n.checked_sub(1)?)?;
            let key = merge_key(name)?;
            let position: usize = step.parse().ok()?;
            let own = op.value.as_ref().filter(|_| n + 1 == op.pointer.len()).or_else(|| parent.get(position))?;
            let mut element = match value {
                Value::Object(map) => map,
                Value::Null => Map::from_iter([("$patch".to_owned(), json!("delete"))]),
                _ => return None,
            };
            element.insert(key.to_owned(), own.get(key)?.clone());
            json!([element])
        } else {
            json!({step: value})
        };
    }
    Some(value)
}

fn merge_key(list: &str) -> Option<&'static str> {
    match list {
        "containers" | "initContainers" | "env" | "volumes" | "webhooks" => Some("name"),
        "volumeMounts" => Some("mountPath"),
        "hostAliases" => Some("ip"),
        _ => None,
    }
}

fn without_managed_fields(object: &mut Value) {
    object["metadata"].as_object_mut().map(|metadata| metadata.remove("managedFields"));
}
