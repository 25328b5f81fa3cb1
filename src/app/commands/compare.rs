//! `compare`: the comparison alone, on two files; no cluster, no ledger.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::adapters::render::manifest::{self, Reading};
use crate::app::cli::{Global, severity};
use crate::app::error::AppError;
use crate::app::outcome::Exit;
use crate::app::{gather, output, pipeline};
use crate::config::Config;
use crate::config::actors::ActorTable;
use crate::config::ignore::IgnoreRule;
use crate::config::redaction::shipped_names;
use crate::config::severity::SeverityRules;
use crate::config::trust::TrustTable;
use crate::model::attribution::Origin;
use crate::model::declared::{DeclaredObject, RenderedObject};
use crate::model::finding::{Code, Finding, Severity};
use crate::model::ids::{ClusterName, CommitId, RepositoryName, Revision, TargetName};
use crate::model::resource::{GroupKind, ObjectId};
use crate::model::schema::{Schemas, builtin_discovery, builtin_schemas, builtin_version};
use crate::model::secret::{RedactionKey, RedactionRules, redaction_note};
use crate::model::time::Timestamp;
use crate::stages::assess::{assess, worst};
use crate::stages::attribute::Circumstances;
use crate::stages::autoscale::Autoscalers;
use crate::stages::declare;
use crate::stages::findings::{self, Evidence};
use crate::stages::ignore::{self, Ignores, Subject};
use crate::stages::judge::{Judge, Unreadable};
use crate::views;
use crate::yaml;

/// Compare two files of manifests: what is declared and what is live.
///
/// LIVE is taken as all there is: an object of DECLARED that is not in it is missing. A declared object without a namespace is paired
/// with the only live object of its kind and name, wherever that is.
#[derive(Debug, clap::Args)]
pub struct Compare {
    /// Manifests as Git has them, YAML or JSON; `-` reads stdin.
    #[arg(value_name = "DECLARED")]
    declared: PathBuf,
    /// What `kubectl get -o yaml` or `-o json` printed; `-` reads stdin.
    #[arg(value_name = "LIVE")]
    live: PathBuf,
    /// Exit with 1 only for findings of at least this severity.
    #[arg(long, value_name = "SEVERITY", default_value = "info", value_parser = severity)]
    fail_on: Severity,
    /// table or json.
    #[arg(long, short, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    output: String,
}

/// The parts of a configuration that a comparison uses.
struct Rules {
    limits: yaml::Limits,
    redaction: RedactionRules,
    severity: SeverityRules,
    actors: ActorTable,
    trust: TrustTable,
    undeclared_entries: bool,
    ignores: Ignores,
}

impl Rules {
    /// Of the configuration, if one was named; the shipped ones otherwise.
    fn read(global: &Global) -> Result<Self, AppError> {
        // A default name that is not there is no configuration; a named one has to be.
        let named = global.config != Path::new("driftledger.yaml") || global.config.exists();
        let config: Option<Config> = if named { Some(global.read_config()?) } else { None };
        Ok(match config {
            Some(config) => Self {
                limits: gather::yaml_limits(&config),
                redaction: config.redaction,
                severity: config.severity,
                actors: config.actors,
                trust: config.trust,
                undeclared_entries: config.undeclared_entries,
                ignores: Ignores::new(ClusterName::new(""), config.ignore, pipeline::now()),
            },
            None => Self {
                limits: yaml::Limits::default(),
                redaction: RedactionRules { names: Some(shipped_names()), ..RedactionRules::default() },
                severity: SeverityRules::default(),
                actors: ActorTable::default(),
                trust: TrustTable::default(),
                undeclared_entries: true,
                ignores: Ignores::none(),
            },
        })
    }
}

/// A file's objects, and what is wrong with it.
struct Side {
    objects: Vec<RenderedObject>,
    notes: Vec<String>,
}

impl Compare {
    /// Compares.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn run(self, global: &Global) -> Result<Exit, AppError> {
        let rules = Rules::read(global)?;
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| AppError::new(format!("no random numbers to be had: {error}")))?;
        let key = RedactionKey::from_bytes(key).across_namespaces();
        let declared = side(&self.declared, &rules, &key)?;
        let live = side(&self.live, &rules, &key)?;

        let incomplete = !declared.notes.is_empty() || !live.notes.is_empty();
        let mut notes = [declared.notes, live.notes].concat();
        let mut found = compare(declared.objects, live.objects, &rules, &key, &mut notes);
        assess(&mut found, &rules.severity);
        output::stdout(&match self.output.as_str() {
            "json" => views::json::compare(!found.is_empty(), &found, &notes),
            _ => table(&found, &notes),
        });
        Ok(match worst(&found) {
            Some(worst) if worst >= self.fail_on => Exit::Drift,
            _ if incomplete => Exit::Gaps,
            _ => Exit::InSync,
        })
    }
}

fn side(path: &Path, rules: &Rules, key: &RedactionKey) -> Result<Side, AppError> {
    let content = if path == Path::new("-") {
        std::io::read_to_string(std::io::stdin()).map(String::into_bytes)
    } else {
        std::fs::read(path)
    };
    let content = content.map_err(|error| AppError::file("cannot read", path, &error))?;
    let reading = Reading { limits: rules.limits, namespace: "", key, redaction: &rules.redaction };
    let manifests = manifest::read(&path.display().to_string(), &content, &reading);
    let notes =
        manifests.gaps.iter().map(|gap| format!("{}: {}", gap.place.as_deref().unwrap_or_default(), gap.message));
    Ok(Side { notes: notes.collect(), objects: manifests.objects })
}

fn compare(
    declared: Vec<RenderedObject>,
    live: Vec<RenderedObject>,
    rules: &Rules,
    key: &RedactionKey,
    notes: &mut Vec<String>,
) -> Vec<Finding> {
    let schemas = schemas(declared.iter().chain(&live));
    let crds = declare::declared_scopes(declared.iter().chain(&live));
    let mut by_name: BTreeMap<(String, String, String), Vec<RenderedObject>> = BTreeMap::new();
    for object in live {
        by_name.entry(name_of(&object)).or_default().push(object);
    }
    let pairs: Vec<(DeclaredObject, Option<&RenderedObject>)> =
        declared.into_iter().map(|object| paired(object, &by_name, &crds)).collect();
    let autoscalers = Autoscalers::of(pairs.iter().map(|(object, _)| object));
    let source = format!("built-in schema of Kubernetes {} or CRD in the files", builtin_version());
    let judge = Judge {
        schemas: &schemas,
        schema_source: &source,
        actors: &rules.actors,
        trust: &rules.trust,
        entries_count: rules.undeclared_entries,
        autoscalers: &autoscalers,
        key,
        redaction: &rules.redaction,
        live_key: None,
        ignores: &rules.ignores,
    };
    let revision = Revision::new("file");
    let around = Circumstances {
        revision: &revision,
        sightings: &[],
        now: Timestamp::from_unix(0),
        grace_seconds: 0,
        seen_live: false,
        applied: &[],
    };
    let (cluster, evidence) = (ClusterName::new(""), Evidence::default());
    let mut found = Vec::new();
    for (object, pair) in pairs {
        let place = format!("{}:{}", object.origin.file, object.origin.line.unwrap_or(1));
        let mut of_one = match pair {
            None => {
                missing(&rules.ignores, &object, findings::of_missing(&cluster, &object, &evidence, &around), notes)
            }
            Some(live) if live.gvk != object.gvk => {
                notes.push(format!(
                    "{}: declared as {}, live as {}; compared as it stands",
                    object.id, object.gvk, live.gvk
                ));
                judged(&judge, &object, live, &evidence, &around, notes)
            }
            Some(live) => judged(&judge, &object, live, &evidence, &around, notes),
        };
        for finding in &mut of_one {
            // Two files hold neither commits nor a history: nothing about a cause can be said.
            (finding.origin, finding.cause) = (None, None);
            let hidden = redaction_note(finding.declared.as_ref(), finding.live.as_ref());
            finding.note = findings::join(Some(&format!("declared in {place}")), hidden.as_deref());
        }
        found.extend(of_one);
    }
    found
}

fn judged(
    judge: &Judge<'_>,
    object: &DeclaredObject,
    live: &RenderedObject,
    evidence: &Evidence,
    around: &Circumstances<'_>,
    notes: &mut Vec<String>,
) -> Vec<Finding> {
    let verdict = live.tree().map_err(Unreadable::from).and_then(|mut tree| {
        let managed = tree.pointer_mut("/metadata").and_then(|m| m.as_object_mut()?.remove("managedFields"));
        let managed = managed.map(|fields| fields.to_string());
        judge.judge_tree(object, tree, || Ok(managed.as_deref()))
    });
    match verdict {
        Ok(verdict) => {
            let rules = judge.ignores.rules();
            for gone in &verdict.ignored.suppressed {
                let path = gone.path.as_ref().map(ToString::to_string).unwrap_or_default();
                notes.push(left_out(&rules[gone.rule], object, gone.code, &path));
            }
            for (rule, trouble) in &verdict.ignored.troubles {
                notes.push(format!("{}: ignore rule {}: {trouble}", object.id, rules[*rule].id));
            }
            let schema = judge.schemas.kind(&object.gvk);
            findings::of_verdict(&ClusterName::new(""), object, &verdict, schema, evidence, around)
        }
        Err(error) => {
            notes.push(format!("{}: {error}", object.id));
            Vec::new()
        }
    }
}

/// The finding that an object is missing, unless a rule ignores it.
fn missing(ignores: &Ignores, object: &DeclaredObject, finding: Finding, notes: &mut Vec<String>) -> Vec<Finding> {
    let tree = object.tree().unwrap_or_default();
    let subject = Subject { id: &object.id, origin: Some(&object.origin), labels: ignore::labels(&tree) };
    match ignores.whole(subject, &finding) {
        Some(rule) => {
            notes.push(left_out(&ignores.rules()[rule], object, finding.code, ""));
            Vec::new()
        }
        None => vec![finding],
    }
}

fn left_out(rule: &IgnoreRule, object: &DeclaredObject, code: Code, path: &str) -> String {
    let space = if path.is_empty() { "" } else { " " };
    format!("{} {}{space}{path} is left out: ignore rule {} ({})", code, object.id, rule.id, rule.reason)
}

fn name_of(object: &RenderedObject) -> (String, String, String) {
    (object.gvk.gv.group.clone(), object.gvk.kind.clone(), object.name.clone())
}

/// A declared object with the live one that stands for it. One that names no namespace is where the only live object of its name is.
fn paired<'l>(
    object: RenderedObject,
    by_name: &'l BTreeMap<(String, String, String), Vec<RenderedObject>>,
    crds: &BTreeMap<GroupKind, bool>,
) -> (DeclaredObject, Option<&'l RenderedObject>) {
    let namespaced = declare::is_namespaced(&object, &builtin_discovery(), crds);
    let candidates = by_name.get(&name_of(&object)).map(Vec::as_slice).unwrap_or_default();
    let pair = match (&object.namespace, candidates) {
        // The name of a cluster-wide object is its whole identity; a namespace that is written beside it says nothing.
        (_, several) if !namespaced => several.first(),
        (None, [only]) => Some(only),
        (namespace, several) => several.iter().find(|live| live.namespace == *namespace),
    };
    let namespace = pair.and_then(|live| live.namespace.clone()).or_else(|| object.namespace.clone());
    (as_declared(object, namespace.filter(|_| namespaced)), pair)
}

fn as_declared(object: RenderedObject, namespace: Option<String>) -> DeclaredObject {
    DeclaredObject {
        id: ObjectId {
            group: object.gvk.gv.group.clone(),
            kind: object.gvk.kind.clone(),
            namespace,
            name: object.name,
        },
        gvk: object.gvk,
        origin: Origin {
            target: TargetName::new("file"),
            repository: RepositoryName::new("file"),
            revision: Revision::new("file"),
            commit: CommitId::new(""),
            file: object.file,
            line: object.written.map(|written| written.line),
            renderer: None,
        },
        written: object.written,
        json: object.json,
    }
}

/// The built-in schemas, and those of the CRDs among the objects.
fn schemas<'a>(objects: impl Iterator<Item = &'a RenderedObject>) -> Schemas {
    let mut schemas = builtin_schemas().clone();
    for definition in objects.filter(|o| o.gvk.kind == "CustomResourceDefinition") {
        if let Ok(tree) = definition.tree() {
            schemas.extend(Schemas::of_definition(&tree));
        }
    }
    schemas
}

fn table(found: &[Finding], notes: &[String]) -> String {
    let verdict = match found.len() {
        0 => "IN SYNC: nothing differs".to_owned(),
        1 => "DRIFTED: 1 difference".to_owned(),
        n => format!("DRIFTED: {n} differences"),
    };
    let mut text = format!("{verdict}\n");
    if !found.is_empty() {
        text.push('\n');
        text.push_str(&views::table::findings(found, None, output::style(true)));
    }
    for note in notes {
        text.push_str(&format!("note: {}\n", views::escape::terminal(note)));
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn of(declared: &str, live: &str) -> Vec<(String, String, Option<Value>, Option<Value>)> {
        let key = RedactionKey::from_bytes([9; 32]).across_namespaces();
        let rules = Rules {
            limits: yaml::Limits::default(),
            redaction: RedactionRules { names: Some(shipped_names()), ..RedactionRules::default() },
            severity: SeverityRules::default(),
            actors: ActorTable::default(),
            trust: TrustTable::default(),
            undeclared_entries: true,
            ignores: Ignores::none(),
        };
        let reading = Reading { limits: rules.limits, namespace: "", key: &key, redaction: &rules.redaction };
        let read = |text: &str| {
            let manifests = manifest::read("f", text.as_bytes(), &reading);
            assert!(manifests.gaps.is_empty(), "{:?}", manifests.gaps);
            manifests.objects
        };
        let mut notes = Vec::new();
        let found = compare(read(declared), read(live), &rules, &key, &mut notes);
        found
            .into_iter()
            .map(|f| (f.code.to_string(), f.path.map(|p| p.to_string()).unwrap_or_default(), f.declared, f.live))
            .collect()
    }

    #[test]
    fn a_deployment_as_the_server_keeps_it_is_in_sync() {
        let declared = include_str!("../../../tests/fixtures/deployment.declared.yaml");
        let live = include_str!("../../../tests/fixtures/deployment.live.yaml");
        assert_eq!(of(declared, live), []);
    }

    #[test]
    fn what_was_changed_is_found_with_its_path() {
        let declared = include_str!("../../../tests/fixtures/deployment.declared.yaml");
        let live = include_str!("../../../tests/fixtures/deployment.live.yaml")
            .replace("replicas: 3", "replicas: 5")
            .replace("image: registry.example.com/shop/api:1.4.2", "image: registry.example.com/shop/api:1.4.3")
            .replace("value: info", "value: debug");
        let paths: Vec<_> =
            of(declared, &live).into_iter().map(|(code, path, _, _)| format!("{code} {path}")).collect();
        assert_eq!(
            paths,
            [
                "DL001 .spec.replicas",
                "DL001 .spec.template.spec.containers[name=\"api\"].env[name=\"LOG_LEVEL\"].value",
                "DL001 .spec.template.spec.containers[name=\"api\"].image",
            ]
        );
    }

    #[test]
    fn objects_are_paired_by_what_their_kind_is_known_by() {
        let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a, namespace: shop}\nrules: []\n";
        let live = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a}\nrules: []\n";
        assert_eq!(of(role, live), []);
        let declared = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: 1}\n---\n\
            apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a, namespace: shop}\n\
            spec: {maxReplicas: 9, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a}}\n";
        let live = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: shop}\nspec: {replicas: 5}\n---\n\
            apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a, namespace: shop}\n\
            spec: {maxReplicas: 9, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a}}\n";
        assert_eq!(of(declared, live), [], "the autoscaler's replicas, whichever of the two names the namespace");
    }

    #[test]
    fn a_secret_is_compared_whichever_file_names_its_namespace() {
        let declared = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {p: hunter2, q: x}\n";
        let live = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: shop}\ntype: Opaque\n\
            data: {p: aHVudGVyMg==, q: eA==}\n";
        assert_eq!(of(declared, live), []);
        let found = of(declared, &live.replace("eA==", "eQ=="));
        assert_eq!(found.iter().map(|f| f.1.as_str()).collect::<Vec<_>>(), [".data.q"]);
    }

    #[test]
    fn a_declared_null_of_a_secret_leaves_the_value_to_the_server() {
        let of = |declared: &str, live: &str| {
            let head = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: shop}\ntype: Opaque\n";
            let found = of(&format!("{head}data: {declared}\n"), &format!("{head}data: {live}\n"));
            found.into_iter().map(|f| format!("{} {}", f.0, f.1)).collect::<Vec<_>>()
        };
        for live in ["{x: eA==, k: ''}", "{x: eA==}", "{x: eA==, k: eQ==}"] {
            assert_eq!(of("{x: eA==, k: null}", live), Vec::<String>::new(), "{live}");
        }
        assert_eq!(of("{x: eA==, k: ''}", "{x: eA==, k: eQ==}"), ["DL001 .data.k"]);
        assert_eq!(of("{x: eA==, k: ''}", "{x: eA==, k: ''}"), Vec::<String>::new());
    }

    #[test]
    fn a_text_with_a_secret_in_it_is_compared_and_shows_none() {
        let map = |text: &str| {
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  app.env: |\n    {text}\n")
        };
        assert_eq!(of(&map("A=1\n    PASSWORD=hunter2"), &map("A=1\n    PASSWORD=hunter2")), []);
        let found = of(&map("A=1\n    PASSWORD=hunter2"), &map("A=2\n    PASSWORD=hunter3"));
        let shown = format!("{found:?}");
        assert!(shown.contains("A=1") && shown.contains("A=2") && !shown.contains("hunter"), "{shown}");
    }

    #[test]
    fn an_object_that_is_not_in_the_live_file_is_missing() {
        let declared = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
        assert_eq!(of(declared, "")[0].0, "DL004");
    }
}
