//! What a HelmRelease of Flux says is to be ignored, as ignore rules: `spec.driftDetection.ignore` (fluxcd.io, "HelmRelease", "Ignore rules").

use serde_json::Value;
use wildmatch::WildMatch;

use crate::config::ignore::labels::LabelSelector;
use crate::config::ignore::place::PlacePattern;
use crate::config::ignore::{IgnoreRule, Inside, Selection};
use crate::model::ids::TargetName;

/// The rules of a HelmRelease for the target that it names. What they select by is a regular expression there; one that is more than a text
/// ignores nothing and says so.
pub fn rules(release: &Value, target: &TargetName) -> Vec<IgnoreRule> {
    let text = |pointer: &str| release.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let source = format!("HelmRelease {}/{}", text("/metadata/namespace"), text("/metadata/name"));
    let all = release.pointer("/spec/driftDetection/ignore").and_then(Value::as_array).into_iter().flatten();
    all.enumerate().map(|(n, raw)| rule(&source, n, raw, target)).collect()
}

fn rule(source: &str, n: usize, raw: &Value, target: &TargetName) -> IgnoreRule {
    let mut notes = Vec::new();
    let field =
        |key: &str| raw.get("target").and_then(|target| target.get(key)?.as_str()).filter(|text| !text.is_empty());
    let mut fits = |key: &str| -> Vec<WildMatch> {
        let text = field(key).unwrap_or_default();
        if text.contains(['.', '*', '+', '?', '(', '[', '{', '|', '\\']) {
            notes.push(format!("`{key}: {text}` is a pattern that is not understood"));
        }
        (!text.is_empty()).then(|| WildMatch::new(text.trim_matches(['^', '$']))).into_iter().collect()
    };
    let mut select = Selection {
        kinds: fits("kind"),
        groups: fits("group"),
        names: fits("name"),
        namespaces: fits("namespace"),
        targets: vec![WildMatch::new(target.as_str())],
        ..Selection::default()
    };
    if let Some(selector) = field("labelSelector") {
        match LabelSelector::parse(selector) {
            Ok(selector) => select.labels = Some(selector),
            Err(error) => notes.push(format!("`labelSelector: {selector}` {error}")),
        }
    }
    if field("annotationSelector").is_some() {
        notes.push("`annotationSelector` is not understood".to_owned());
    }
    let mut inside = Inside::default();
    for pointer in raw.get("paths").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        match PlacePattern::pointer(pointer) {
            Ok(pattern) => inside.places.push(pattern),
            // An empty pointer is the whole object.
            Err(_) if pointer.is_empty() => {}
            Err(error) => notes.push(format!("`{pointer}` {error}")),
        }
    }
    let trouble = Some(notes.join("; ")).filter(|trouble| !trouble.is_empty());
    IgnoreRule {
        id: format!("{source} driftDetection.ignore[{n}]"),
        source: source.to_owned(),
        reason: format!("declared in {source}"),
        expires: None,
        select,
        inert: trouble.is_some(),
        inside,
        trouble,
        written: raw.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_are_ignored_in_what_the_release_deploys() {
        let release = json!({"metadata": {"name": "shop", "namespace": "apps"}, "spec": {"driftDetection": {"mode": "warn", "ignore": [
            {"paths": ["/spec/replicas"], "target": {"kind": "^Deployment$"}},
            {"paths": ["/data"], "target": {"name": "shop-.*"}},
            {"paths": ["/a~2"], "target": {"annotationSelector": "a=b", "labelSelector": "app in (a)"}},
        ]}}});
        let rules = rules(&release, &TargetName::new("flux/apps/shop"));
        let [one, pattern, other] = &rules[..] else { panic!("{rules:?}") };
        assert_eq!((one.id.as_str(), one.inert), ("HelmRelease apps/shop driftDetection.ignore[0]", false));
        assert!(one.select.kinds[0].matches("Deployment") && one.select.targets[0].matches("flux/apps/shop"));
        assert_eq!(one.inside.places.len(), 1);
        assert_eq!(pattern.trouble.as_deref(), Some("`name: shop-.*` is a pattern that is not understood"));
        assert!(pattern.inert && other.inert && other.select.labels.is_some());
        assert!(
            other.trouble.as_deref().is_some_and(|trouble| trouble.starts_with("`annotationSelector`")),
            "{other:?}"
        );
    }
}
