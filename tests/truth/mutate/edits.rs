//! Changes of a live object at a place chosen by chance, at any depth.

use serde_json::{Value, json};

use super::Subject;
use super::additions;
use super::tree::Op;
use crate::random::Random;

/// A place of a tree.
struct Place<'a> {
    pointer: Vec<String>,
    value: &'a Value,
    in_list: bool,
}

/// Kinds of which all but the metadata is fixed once they are there, or which others depend on.
const FIXED: &[&str] =
    &["Namespace", "StorageClass", "PersistentVolumeClaim", "PersistentVolume", "CustomResourceDefinition"];

/// Operations that change something; `None` if nothing came to mind.
pub fn edit(subject: &Subject<'_>, random: &mut Random) -> Option<Vec<Op>> {
    let live = subject.live;
    let mut places = Vec::new();
    collect(live, &mut Vec::new(), false, &mut places);
    let fixed = FIXED.contains(&subject.kind());
    places.retain(|place| writable(place, fixed));
    let scalars = || places.iter().filter(|p| !p.value.is_object() && !p.value.is_array());
    let lists = || places.iter().filter(|p| p.value.as_array().is_some_and(|items| !items.is_empty()));
    let op = match random.below(100) {
        0..35 => {
            let place = choose(scalars(), random)?;
            Op::set(live, place.pointer.clone(), another(place, random)?)
        }
        35..55 => Op::remove(choose(places.iter(), random)?.pointer.clone()),
        55..78 => additions::add(subject.kind(), live, fixed, random)?,
        78..88 => {
            let place = choose(lists(), random)?;
            let items = place.value.as_array()?;
            let element = another_element(random.pick(items), random)?;
            let at = random.below(items.len() + 1);
            Op::insert([place.pointer.as_slice(), &[at.to_string()]].concat(), element)
        }
        88..94 => {
            let place = choose(places.iter().filter(|place| place.in_list), random)?;
            Op::remove(place.pointer.clone())
        }
        _ => {
            let place = choose(lists().filter(|p| p.value.as_array().is_some_and(|items| items.len() > 1)), random)?;
            // The rules leave open whether the order of an autoscaler's metrics means anything.
            if place.pointer.last().is_some_and(|last| last == "metrics") {
                return None;
            }
            let mut items = place.value.as_array()?.clone();
            let at = random.below(items.len() - 1);
            items.swap(at, at + 1);
            Op::set(live, place.pointer.clone(), Value::from(items))
        }
    };
    Some(vec![op])
}

fn choose<'a, 'b>(places: impl Iterator<Item = &'a Place<'b>>, random: &mut Random) -> Option<&'a Place<'b>>
where
    'b: 'a,
{
    let places: Vec<&Place<'_>> = places.collect();
    (!places.is_empty()).then(|| random.one_of(&places))
}

fn collect<'a>(value: &'a Value, pointer: &mut Vec<String>, in_list: bool, places: &mut Vec<Place<'a>>) {
    if !pointer.is_empty() {
        places.push(Place { pointer: pointer.clone(), value, in_list });
    }
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(name, child)| (name.clone(), child)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(n, child)| (n.to_string(), child)).collect(),
        _ => Vec::new(),
    };
    for (step, child) in children {
        pointer.push(step);
        collect(child, pointer, value.is_array(), places);
        pointer.pop();
    }
}

/// Whether a person could change this place, and the harness can go on after it.
fn writable(place: &Place<'_>, fixed: bool) -> bool {
    let steps: Vec<&str> = place.pointer.iter().map(String::as_str).collect();
    match steps.as_slice() {
        ["apiVersion" | "kind" | "status", ..] | ["metadata"] | ["spec"] => false,
        ["metadata", "labels" | "annotations", key, ..] => {
            !key.contains("kubernetes.io/") || key.starts_with("app.kubernetes.io")
        }
        ["metadata", "labels"] => true,
        // Would take the server's and kubectl's own annotations away.
        ["metadata", ..] => false,
        ["roleRef", ..]
        | ["spec", "selector", "matchLabels" | "matchExpressions", ..]
        | ["spec", "scaleTargetRef", ..] => false,
        _ => !fixed,
    }
}

/// Another value for a scalar.
fn another(place: &Place<'_>, random: &mut Random) -> Option<Value> {
    let name = place.pointer.iter().rev().find(|step| step.parse::<usize>().is_err()).map_or("", String::as_str);
    let parents: Vec<&str> = place.pointer.iter().map(String::as_str).collect();
    Some(match place.value {
        Value::Bool(yes) => json!(!yes),
        Value::Number(number) => match number.as_i64() {
            Some(n) => json!(if random.chance(50) || n == 0 { n + 1 } else { n - 1 }),
            None => json!(number.as_f64()? + 0.25),
        },
        Value::String(text) => {
            let swap = SWAPS.iter().find_map(|(field, a, b)| {
                let fits = *field == name || *field == "*";
                if fits && text == a {
                    Some(*b)
                } else if fits && text == b {
                    Some(*a)
                } else {
                    None
                }
            });
            let quantity = parents
                .iter()
                .any(|p| ["limits", "requests", "hard", "podFixed", "sizeLimit", "max", "min", "default"].contains(p));
            json!(if let Some(other) = swap {
                other.to_owned()
            } else if quantity {
                if name.ends_with("cpu") { "333m".to_owned() } else { "333Mi".to_owned() }
            } else if parents.first() == Some(&"data")
                && text.len().is_multiple_of(4)
                && !text.contains([' ', '\n', '['])
                && random.chance(70)
            {
                "Y2hhbmdlZA==".to_owned()
            } else if text.ends_with('%') {
                "33%".to_owned()
            } else if text.contains('\n') {
                text.replacen('\n', " changed\n", 1)
            } else {
                format!("{text}{}", random.pick(&["-x", "x", "9"]))
            })
        }
        _ => return None,
    })
}

/// Texts that stand for one another, by field.
const SWAPS: &[(&str, &str, &str)] = &[
    ("protocol", "TCP", "UDP"),
    ("imagePullPolicy", "IfNotPresent", "Always"),
    ("dnsPolicy", "ClusterFirst", "Default"),
    ("concurrencyPolicy", "Allow", "Forbid"),
    ("pathType", "Prefix", "Exact"),
    ("terminationMessagePolicy", "File", "FallbackToLogsOnError"),
    ("sessionAffinity", "None", "ClientIP"),
    ("effect", "NoSchedule", "NoExecute"),
    ("whenUnsatisfiable", "ScheduleAnyway", "DoNotSchedule"),
    ("failurePolicy", "Fail", "Ignore"),
    ("matchPolicy", "Equivalent", "Exact"),
    ("sideEffects", "None", "NoneOnDryRun"),
    ("internalTrafficPolicy", "Cluster", "Local"),
    ("externalTrafficPolicy", "Cluster", "Local"),
    ("scheme", "HTTP", "HTTPS"),
    ("unhealthyPodEvictionPolicy", "AlwaysAllow", "IfHealthyBudget"),
    ("policyTypes", "Ingress", "Egress"),
    ("operations", "CREATE", "DELETE"),
    ("verbs", "list", "delete"),
    ("whenDeleted", "Retain", "Delete"),
    ("whenScaled", "Retain", "Delete"),
    ("size", "small", "large"),
    ("mode", "strict", "lax"),
    ("restartPolicy", "Never", "OnFailure"),
    ("type", "ClusterIP", "NodePort"),
    ("schedule", "*/5 4 1 1 *", "*/7 4 1 1 *"),
    ("value", "info", "debug"),
    ("podManagementPolicy", "OrderedReady", "Parallel"),
    ("timeZone", "Europe/Berlin", "Etc/UTC"),
];

/// An element like another one, that may stand beside it.
fn another_element(like: &Value, random: &mut Random) -> Option<Value> {
    let mut element = like.clone();
    match &mut element {
        Value::Object(map) => {
            let mut changed = false;
            for (name, value) in map.iter_mut() {
                let new = match (name.as_str(), &*value) {
                    ("name", Value::String(text)) => json!(format!("{}-new", text.trim_end_matches(".example.com"))),
                    ("containerPort" | "port", Value::Number(n)) => {
                        json!(n.as_i64()? % 30000 + 1000 + random.below(100) as i64)
                    }
                    ("mountPath", _) => json!("/inserted"),
                    ("ip", _) => json!("10.9.9.9"),
                    ("key" | "topologyKey" | "host" | "run" | "resourceNames", Value::String(text)) => {
                        json!(format!("{text}-new"))
                    }
                    _ => continue,
                };
                changed = true;
                *value = new;
            }
            if map.contains_key("port") && map.contains_key("nodePort") {
                map.remove("nodePort");
            }
            if map
                .get("name")
                .and_then(Value::as_str)
                .is_some_and(|name| name.starts_with("a.hooks") || name.starts_with("b.hooks"))
            {
                map.insert("name".into(), json!("new.hooks.example.com"));
            }
            if !changed {
                return random.chance(50).then_some(element);
            }
        }
        Value::String(text) => {
            let new = if text.starts_with("10.") { "10.2.0.0/16".to_owned() } else { format!("{text}-new") };
            *text = new;
        }
        _ => return None,
    }
    Some(element)
}
