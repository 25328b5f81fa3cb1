//! Argo CD's `spec.ignoreDifferences`, where an Application or ApplicationSet declares it, as ignore rules.
//!
//! Source: `argoproj/argo-cd`, `pkg/apis/application/v1alpha1/types.go` (`ResourceIgnoreDifferences`) and
//! `util/argo/normalizers/diff_normalizer.go`.

use serde_json::Value;
use wildmatch::WildMatch;

use crate::config::ignore::jq::JqPath;
use crate::config::ignore::place::PlacePattern;
use crate::config::ignore::{IgnoreRule, Inside, Selection, SourceFolder, WriterPattern};
use crate::model::ids::{ClusterName, RepositoryName};

/// Rules of one Application, and where they hold.
#[derive(Debug)]
pub struct ApplicationRules {
    /// Where the Application deploys to.
    pub destination: Destination,
    /// The rules.
    pub rules: Vec<IgnoreRule>,
}

/// The cluster that an Application deploys to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The one that the Application is declared for.
    Here,
    /// One by its name in Argo CD.
    Named(String),
    /// One that its declaration does not name in a way that can be known.
    Unknown,
}

impl Destination {
    /// Where an Application's `spec` deploys to.
    pub fn of(spec: &Value) -> Self {
        let text = |key: &str| spec.pointer(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        match (text("/destination/server"), text("/destination/name")) {
            (Some("https://kubernetes.default.svc"), _) | (_, Some("in-cluster")) | (None, None) => Self::Here,
            (_, Some(name)) if !is_template(name) => Self::Named(name.to_owned()),
            _ => Self::Unknown,
        }
    }

    /// The configured cluster that is meant; `None` if that cannot be known.
    pub fn cluster(&self, here: &ClusterName, configured: &[&ClusterName]) -> Option<ClusterName> {
        match self {
            Self::Here => Some(here.clone()),
            Self::Named(name) => configured.iter().find(|cluster| cluster.as_str() == name).map(|c| (*c).clone()),
            Self::Unknown => None,
        }
    }
}

/// The rules that an object declares; `None` if it is no Application or ApplicationSet with some.
///
/// They hold for the objects declared in its source folders, if `repository` knows its repositories by URL; else for those in its
/// destination namespace, and for cluster-scoped ones that a rule names.
pub fn rules(
    object: &Value,
    namespace: &str,
    repository: &dyn Fn(&str) -> Option<RepositoryName>,
) -> Option<ApplicationRules> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if object.get("apiVersion")?.as_str()?.split('/').next() != Some("argoproj.io") {
        return None;
    }
    let kind = object.get("kind")?.as_str()?;
    let spec = match kind {
        "Application" => object.get("spec")?,
        "ApplicationSet" => object.pointer("/spec/template/spec")?,
        _ => return None,
    };
    let declared = spec.get("ignoreDifferences")?.as_array().filter(|rules| !rules.is_empty())?;
    let name = object.pointer("/metadata/name")?.as_str()?;
    let namespace = object.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or(namespace);
    let application = format!("{kind} {namespace}/{name}");
    let scope = Scope {
        folders: folders(spec, repository),
        namespace: spec.pointer("/destination/namespace").and_then(text).unwrap_or_default(),
    };
    let mut rules = Vec::new();
    for (n, raw) in declared.iter().enumerate() {
        rules.extend(of_difference(&application, n, raw, &scope));
    }
    Some(ApplicationRules { destination: Destination::of(spec), rules })
}

struct Scope {
    /// `None` where the sources cannot all be found among the repositories.
    folders: Option<Vec<SourceFolder>>,
    namespace: String,
}

/// Argo CD's templates: `{{ path }}`.
fn is_template(text: &str) -> bool {
    text.contains("{{")
}

fn folders(spec: &Value, repository: &dyn Fn(&str) -> Option<RepositoryName>) -> Option<Vec<SourceFolder>> {
    let several = spec.get("sources").and_then(Value::as_array).into_iter().flatten();
    let mut folders = Vec::new();
    for source in spec.get("source").into_iter().chain(several) {
        // A chart of a Helm repository, or only values for another source: no manifests of ours.
        let Some(path) = source.get("path").and_then(Value::as_str) else {
            if source.get("chart").is_some() {
                return None;
            }
            continue;
        };
        let url = source.get("repoURL")?.as_str()?;
        if is_template(path) || is_template(url) {
            return None;
        }
        let path = path.trim_start_matches("./").trim_matches('/');
        let path = if path == "." { "" } else { path };
        folders.push(SourceFolder { repository: repository(url)?, path: path.to_owned() });
    }
    Some(folders).filter(|folders| !folders.is_empty())
}

/// Places and writers are ignored each for itself: two rules where one names both.
fn of_difference(application: &str, n: usize, raw: &Value, scope: &Scope) -> Vec<IgnoreRule> {
    let texts = |key: &str| -> Vec<String> {
        let list = raw.get(key).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let field = |key: &str| raw.get(key).and_then(Value::as_str).unwrap_or_default();
    let (mut notes, mut inert) = (Vec::new(), false);
    let mut select = Selection {
        groups: vec![WildMatch::new(field("group"))],
        kinds: vec![WildMatch::new(field("kind"))],
        ..Selection::default()
    };
    // Argo CD reads a group or kind that is left out as the empty text; `*` is what means any.
    if !field("name").is_empty() {
        select.names = vec![WildMatch::new(field("name"))];
    }
    if !field("namespace").is_empty() {
        select.namespaces = vec![WildMatch::new(field("namespace"))];
    }
    match &scope.folders {
        Some(folders) => select.folders = folders.clone(),
        None if !select.names.is_empty() && select.namespaces.is_empty() && scope.namespace.is_empty() => {}
        None if scope.namespace.is_empty() || is_template(&scope.namespace) => {
            notes.push("the objects that it is for cannot be known, so it ignores nothing".to_owned());
            inert = true;
        }
        None if select.namespaces.is_empty() => {
            select.namespaces = vec![WildMatch::new(&scope.namespace)];
            select.cluster_scoped = !select.names.is_empty();
        }
        None => {}
    }
    let mut places = Inside::default();
    for pointer in texts("jsonPointers") {
        match PlacePattern::pointer(&pointer) {
            Ok(pattern) => places.places.push(pattern),
            Err(error) => notes.push(format!("`{pointer}` {error}")),
        }
    }
    for expression in texts("jqPathExpressions") {
        match JqPath::parse(&expression) {
            Ok(path) => places.jq.push(path),
            Err(error) => notes.push(format!("jq expression `{expression}`: {error}")),
        }
    }
    let managers = texts("managedFieldsManagers");
    let writers = Inside {
        writers: managers
            .iter()
            .map(|name| WriterPattern { manager: WildMatch::new(name), operation: None, subresource: None })
            .collect(),
        any_owner: true,
        ..Inside::default()
    };
    let trouble = Some(notes.join("; ")).filter(|trouble| !trouble.is_empty());
    let rule = |suffix: &str, inside: Inside, inert: bool| IgnoreRule {
        id: format!("{application} ignoreDifferences[{n}]{suffix}"),
        source: application.to_owned(),
        reason: format!("declared in {application}"),
        expires: None,
        select: select.clone(),
        inside,
        trouble: trouble.clone(),
        inert,
        written: raw.to_string(),
    };
    let mut rules = Vec::new();
    if places.has_places() {
        rules.push(rule("", places, inert));
    } else if trouble.is_some() && managers.is_empty() {
        // Of its places none is left; without places it would be for whole objects.
        rules.push(rule("", places, true));
    }
    if !managers.is_empty() {
        rules.push(rule(" managedFieldsManagers", writers, inert));
    }
    rules
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn known(url: &str) -> Option<RepositoryName> {
        (url == "https://git.example.com/acme/platform.git").then(|| RepositoryName::new("platform"))
    }

    fn application(source: Value, destination: Value, differences: Value) -> Option<ApplicationRules> {
        let object = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "shop"},
            "spec": {"source": source, "destination": destination, "ignoreDifferences": differences},
        });
        rules(&object, "argocd", &known)
    }

    fn source() -> Value {
        json!({"repoURL": "https://git.example.com/acme/platform.git", "path": "./clusters/prod/shop/"})
    }

    fn here() -> Value {
        json!({"server": "https://kubernetes.default.svc", "namespace": "shop"})
    }

    #[test]
    fn places_and_writers_are_rules_of_their_own_for_the_source_folder() {
        let differences = json!([{
            "group": "apps", "kind": "Deployment", "name": "api-*", "namespace": "shop",
            "jsonPointers": ["/spec/replicas"], "jqPathExpressions": [".spec.template.spec.containers[].image"],
            "managedFieldsManagers": ["kube-controller-manager"],
        }]);
        let found = application(source(), here(), differences).unwrap();
        assert_eq!(found.destination, Destination::Here);
        let [places, writers] = found.rules.as_slice() else { panic!("{:?}", found.rules) };
        assert_eq!(places.id, "Application argocd/shop ignoreDifferences[0]");
        assert_eq!(places.reason, "declared in Application argocd/shop");
        assert_eq!((places.inside.places.len(), places.inside.jq.len(), places.inside.writers.len()), (1, 1, 0));
        assert_eq!((writers.inside.has_places(), writers.inside.any_owner), (false, true));
        for rule in &found.rules {
            let folder =
                SourceFolder { repository: RepositoryName::new("platform"), path: "clusters/prod/shop".into() };
            assert_eq!(rule.select.folders, [folder]);
            assert!(rule.select.names[0].matches("api-1") && rule.select.namespaces[0].matches("shop"));
        }
    }

    #[test]
    fn without_a_known_source_the_destination_namespace_bounds_a_rule() {
        let chart = || json!({"repoURL": "https://charts.example.com", "chart": "cert-manager"});
        let of = |name: Option<&str>, destination: Value| {
            let mut difference = json!({"group": "", "kind": "ConfigMap", "jsonPointers": ["/data"]});
            if let Some(name) = name {
                difference["name"] = name.into();
            }
            application(chart(), destination, json!([difference])).unwrap().rules.remove(0)
        };
        let rule = of(None, here());
        assert!(rule.select.folders.is_empty() && rule.select.namespaces[0].matches("shop"));
        assert!(!rule.select.cluster_scoped && !rule.inert);
        assert!(of(Some("x"), here()).select.cluster_scoped);
        let rule = of(None, json!({"server": "https://kubernetes.default.svc"}));
        assert!(rule.inert && rule.trouble.unwrap().contains("cannot be known"));
    }

    #[test]
    fn destinations_are_known_by_name_or_as_the_same_cluster() {
        let differences = || json!([{"group": "*", "kind": "*", "jsonPointers": ["/a"]}]);
        let (here, prod) = (ClusterName::new("mgmt"), ClusterName::new("prod"));
        for (destination, expected) in [
            (json!({"name": "in-cluster"}), Some("mgmt")),
            (json!({"server": "https://kubernetes.default.svc"}), Some("mgmt")),
            (json!({"name": "prod"}), Some("prod")),
            (json!({"name": "stage"}), None),
            (json!({"name": "{{name}}"}), None),
            (json!({"server": "https://10.0.0.1:6443"}), None),
        ] {
            let found = application(source(), destination.clone(), differences()).unwrap();
            let cluster = found.destination.cluster(&here, &[&here, &prod]);
            assert_eq!(cluster.as_ref().map(ClusterName::as_str), expected, "{destination}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_said_and_never_becomes_a_rule_for_whole_objects() {
        let differences = json!([
            {"group": "apps", "kind": "Deployment", "jqPathExpressions": ["def f: f; f"]},
            {"group": "apps", "kind": "Deployment", "jsonPointers": ["spec", "/spec/replicas"]},
            {"group": "apps", "kind": "Deployment"},
        ]);
        let found = application(source(), here(), differences).unwrap().rules;
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].inert && found[0].trouble.as_ref().unwrap().contains("`def`"));
        assert!(!found[1].inert && found[1].trouble.as_ref().unwrap().contains("`spec`"));
    }

    #[test]
    fn sets_have_a_template_and_other_objects_no_rules() {
        let spec = json!({"source": source(), "destination": here(), "ignoreDifferences": [{"group": "", "kind": "Service", "jsonPointers": ["/a"]}]});
        let set = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "all", "namespace": "cd"}, "spec": {"template": {"spec": spec}}});
        let found = rules(&set, "argocd", &known).unwrap();
        assert_eq!(found.rules[0].reason, "declared in ApplicationSet cd/all");
        for other in [
            json!({"apiVersion": "example.com/v1", "kind": "Application", "metadata": {"name": "a"}, "spec": spec}),
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "a"}, "spec": spec}),
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"}, "spec": {"ignoreDifferences": []}}),
        ] {
            assert!(rules(&other, "argocd", &known).is_none(), "{other}");
        }
    }
}
