//! Annotations by which an object takes itself out of what a GitOps tool does, and what each switches off.
//!
//! They count where Git declares them. One that stands on the live object alone is a hand on the brake, and a finding.
//!
//! Sources: Argo CD "Compare Options", "Sync Options" and "Resource Hooks"; Flux Kustomization and HelmRelease ("reconcile",
//! "prune", "driftDetection"); Helm "Chart Hooks" and "Tell Helm not to uninstall"; kluctl "Annotations"; kpt `local-config`.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde_json::Value;

use super::compare::Difference;
use crate::model::field_path::FieldPath;
use crate::model::finding::Code;

/// What an annotation switches off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Off {
    /// The object exists only while something runs: neither missing nor left over.
    Hook,
    /// The object is never sent to a cluster.
    Deploying,
    /// Differences are not put right.
    Correcting,
    /// It stays when Git gives it up.
    Removing,
    /// That it is not in Git is nothing to the tool.
    Noticing,
}

impl Off {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Hook => "a hook: it exists only while something runs",
            Self::Deploying => "not to be deployed, by an annotation in Git",
            Self::Correcting => "not to be corrected, by an annotation in Git",
            Self::Removing => "to be kept when Git gives it up, by an annotation in Git",
            Self::Noticing => "not to be noticed, by an annotation in Git",
        }
    }
}

/// One annotation, the value that makes it one, and what it does.
struct OptOut {
    key: &'static str,
    value: Values,
    off: Off,
}

enum Values {
    /// Any value but these.
    Not(&'static [&'static str]),
    /// One of these.
    Is(&'static [&'static str]),
    /// A list with commas, one of whose elements is this.
    Has(&'static str),
}

const fn opt_out(key: &'static str, value: Values, off: Off) -> OptOut {
    OptOut { key, value, off }
}

const TRUE: Values = Values::Is(&["true"]);
const DISABLED: Values = Values::Is(&["disabled", "Disabled"]);

const OPT_OUTS: &[OptOut] = &[
    opt_out("argocd.argoproj.io/hook", Values::Not(&["", "Skip"]), Off::Hook),
    opt_out("argocd.argoproj.io/hook", Values::Is(&["Skip"]), Off::Deploying),
    opt_out("helm.sh/hook", Values::Not(&[""]), Off::Hook),
    opt_out("kluctl.io/hook", Values::Not(&[""]), Off::Hook),
    opt_out("config.kubernetes.io/local-config", TRUE, Off::Deploying),
    opt_out("argocd.argoproj.io/compare-options", Values::Has("IgnoreExtraneous"), Off::Noticing),
    opt_out("argocd.argoproj.io/sync-options", Values::Has("Prune=false"), Off::Removing),
    opt_out("argocd.argoproj.io/sync-options", Values::Has("Delete=false"), Off::Removing),
    opt_out("helm.sh/resource-policy", Values::Is(&["keep"]), Off::Removing),
    opt_out("kustomize.toolkit.fluxcd.io/prune", DISABLED, Off::Removing),
    opt_out("kustomize.toolkit.fluxcd.io/reconcile", DISABLED, Off::Correcting),
    opt_out(
        "kustomize.toolkit.fluxcd.io/ssa",
        Values::Is(&["Ignore", "IfNotPresent", "ignore", "ifnotpresent"]),
        Off::Correcting,
    ),
    opt_out("helm.toolkit.fluxcd.io/driftDetection", DISABLED, Off::Correcting),
    opt_out("kluctl.io/skip-delete", TRUE, Off::Removing),
    opt_out("kluctl.io/ignore-diff", TRUE, Off::Correcting),
];

impl Values {
    fn fit(&self, value: &str) -> bool {
        match self {
            Self::Not(others) => !others.contains(&value),
            Self::Is(these) => these.contains(&value),
            Self::Has(element) => value.split(',').any(|part| part.trim() == *element),
        }
    }
}

/// What an annotation switches off; `None` where it is none of these, or has a value that does nothing.
pub fn switches_off(key: &str, value: &str) -> Option<Off> {
    OPT_OUTS.iter().find(|opt_out| opt_out.key == key && opt_out.value.fit(value)).map(|opt_out| opt_out.off)
}

/// Whether the text of an object could hold one of the annotations: far cheaper than reading it.
pub fn may_hold(json: &str) -> bool {
    static KEYS: LazyLock<Vec<Finder<'_>>> =
        LazyLock::new(|| OPT_OUTS.iter().map(|opt_out| Finder::new(opt_out.key)).collect());
    KEYS.iter().any(|key| key.find(json.as_bytes()).is_some())
}

/// What an object's annotations switch off, each with its annotation.
pub fn of(object: &Value) -> impl Iterator<Item = (&str, &Value, Off)> {
    annotations(object)
        .filter_map(|(key, value)| Some((key, value, switches_off(key, value.as_str().unwrap_or_default())?)))
}

/// The opt-outs of a live object that Git does not declare.
pub fn live_only(declared: &Value, live: &Value) -> Vec<Difference> {
    let written: Vec<&str> = annotations(declared).map(|(key, _)| key).collect();
    of(live)
        .filter(|(key, _, _)| !written.contains(key))
        .map(|(key, value, off)| Difference {
            code: Code::Undeclared,
            path: FieldPath::of_fields(["metadata", "annotations", key]),
            declared: None,
            live: Some(value.clone()),
            additions_only: false,
            note: Some(format!("an opt-out that Git does not declare: the object is {}", without_git(off))),
        })
        .collect()
}

fn without_git(off: Off) -> &'static str {
    let words = off.words();
    words.strip_suffix(", by an annotation in Git").unwrap_or(words)
}

fn annotations(object: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let annotations = object.pointer("/metadata/annotations").and_then(Value::as_object);
    annotations.into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_annotation_switches_off_what_its_tool_says() {
        for (key, value, off) in [
            ("argocd.argoproj.io/hook", "PreSync", Some(Off::Hook)),
            ("argocd.argoproj.io/hook", "Skip", Some(Off::Deploying)),
            ("helm.sh/hook", "pre-install,pre-upgrade", Some(Off::Hook)),
            ("argocd.argoproj.io/compare-options", "IgnoreExtraneous", Some(Off::Noticing)),
            ("argocd.argoproj.io/compare-options", "ServerSideDiff=true", None),
            ("argocd.argoproj.io/sync-options", "Replace=true, Prune=false", Some(Off::Removing)),
            ("argocd.argoproj.io/sync-options", "ServerSideApply=true", None),
            ("helm.sh/resource-policy", "keep", Some(Off::Removing)),
            ("helm.sh/resource-policy", "delete", None),
            ("kluctl.io/skip-delete", "true", Some(Off::Removing)),
            ("kluctl.io/skip-delete", "false", None),
            ("kluctl.io/ignore-diff", "true", Some(Off::Correcting)),
            ("kustomize.toolkit.fluxcd.io/reconcile", "disabled", Some(Off::Correcting)),
            ("kustomize.toolkit.fluxcd.io/reconcile", "enabled", None),
            ("helm.toolkit.fluxcd.io/driftDetection", "disabled", Some(Off::Correcting)),
            ("example.com/keep", "true", None),
        ] {
            assert_eq!(switches_off(key, value), off, "{key}: {value}");
            assert!(off.is_none() || may_hold(&json!({"metadata": {"annotations": {key: value}}}).to_string()));
        }
    }

    /// `config/severity.yaml` names the annotations, because a severity is a matter of configuration.
    #[test]
    fn the_shipped_severity_of_each_one_that_is_live_only_is_high() {
        use crate::config::severity::SeverityRules;
        use crate::model::finding::{Cause, Severity};
        let mut finding: crate::model::finding::Finding = serde_json::from_value(json!({
            "id": "F-1", "code": "DL003", "class": "undeclared", "severity": "low", "fingerprint": "f", "cluster": "prod",
            "apiVersion": "v1", "kind": "ConfigMap", "name": "a", "actors": [], "method": "",
        }))
        .unwrap();
        for opt_out in OPT_OUTS {
            let value = match opt_out.value {
                Values::Not(_) => "PreSync",
                Values::Is(these) => these[0],
                Values::Has(element) => element,
            };
            finding.path = Some(FieldPath::of_fields(["metadata", "annotations", opt_out.key]));
            finding.live = Some(json!(value));
            finding.cause = Some(Cause::OutOfBand);
            assert_eq!(SeverityRules::default().of(&finding), Severity::High, "{}", opt_out.key);
        }
        finding.path = Some(FieldPath::of_fields(["metadata", "annotations", "argocd.argoproj.io/sync-options"]));
        finding.live = Some(json!("ServerSideApply=true"));
        assert_eq!(SeverityRules::default().of(&finding), Severity::Low);
    }

    #[test]
    fn only_what_git_does_not_declare_is_live_only() {
        let with = |value: &str| json!({"metadata": {"annotations": {"helm.sh/resource-policy": value, "a": "b"}}});
        let found = live_only(&json!({"metadata": {}}), &with("keep"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path.to_string(), r#".metadata.annotations["helm.sh/resource-policy"]"#);
        assert!(live_only(&with("keep"), &with("keep")).is_empty());
        assert!(live_only(&with("delete"), &with("keep")).is_empty(), "a changed value is DL001");
        assert!(live_only(&json!({}), &with("delete")).is_empty());
    }
}
