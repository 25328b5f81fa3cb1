//! What a dump says about kinds: CustomResourceDefinitions in it, and the objects themselves.

use serde::Deserialize;
use serde_json::Value;

use super::inventory::{Held, Inventory};
use crate::model::discovery::{Discovery, ServedKind};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::resource::{GroupKind, GroupVersion, Gvk};
use crate::model::schema::{Schemas, builtin_discovery, builtin_schemas};

#[derive(Deserialize)]
struct Crd {
    spec: CrdSpec,
}

#[derive(Deserialize)]
struct CrdSpec {
    group: String,
    names: CrdNames,
    scope: String,
    versions: Vec<CrdVersion>,
}

#[derive(Deserialize)]
struct CrdNames {
    plural: String,
    kind: String,
}

#[derive(Deserialize)]
struct CrdVersion {
    name: String,
    served: bool,
    #[serde(default)]
    schema: Option<CrdSchema>,
}

#[derive(Deserialize)]
struct CrdSchema {
    #[serde(rename = "openAPIV3Schema")]
    schema: Option<Value>,
}

#[derive(Deserialize)]
struct Namespace {
    metadata: NamespaceMeta,
}

#[derive(Deserialize)]
struct NamespaceMeta {
    uid: Option<String>,
}

/// What is known of the kinds of a dump's cluster.
pub(super) struct Kinds {
    pub(super) discovery: Discovery,
    pub(super) schemas: Schemas,
    pub(super) gaps: Vec<Gap>,
}

/// Kubernetes' own kinds, those of the dump's CRDs, and those seen in it.
pub(super) fn kinds(inventory: &Inventory) -> Kinds {
    let mut kinds = Kinds { discovery: builtin_discovery(), schemas: builtin_schemas().clone(), gaps: Vec::new() };
    kinds.discovery.cluster_uid = cluster_uid(inventory);
    let definitions = GroupKind::new("apiextensions.k8s.io", "CustomResourceDefinition");
    for (id, held) in inventory.kind(&definitions).into_iter().flat_map(|known| known.all(&definitions, "v1")) {
        let Held::Object(raw) = held else { continue };
        match serde_json::from_str::<Crd>(raw.get()) {
            Ok(crd) => kinds.add_definition(crd.spec),
            Err(_) => kinds.gaps.push(no_schema(&id.name, "it is not a CustomResourceDefinition of v1")),
        }
    }
    for (kind, known) in inventory.kinds() {
        for version in known.versions() {
            let gv = GroupVersion { group: kind.group.clone(), version: version.to_owned() };
            kinds.add_seen(Gvk { gv, kind: kind.kind.clone() }, kind, known.namespaced());
        }
    }
    kinds
}

impl Kinds {
    fn add_definition(&mut self, spec: CrdSpec) {
        for version in spec.versions.into_iter().filter(|version| version.served) {
            let gv = GroupVersion { group: spec.group.clone(), version: version.name };
            let gvk = Gvk { gv, kind: spec.names.kind.clone() };
            self.discovery.insert(ServedKind {
                gvk: gvk.clone(),
                plural: spec.names.plural.clone(),
                namespaced: spec.scope == "Namespaced",
                listable: true,
            });
            let Some(schema) = version.schema.and_then(|schema| schema.schema) else { continue };
            match Schemas::from_crd_schema(gvk.clone(), &schema) {
                Ok(schemas) => self.schemas.extend(schemas),
                Err(_) => self.gaps.push(no_schema(&gvk.to_string(), "its schema is not structural")),
            }
        }
    }

    fn add_seen(&mut self, gvk: Gvk, kind: &GroupKind, namespaced: bool) {
        let versions = self.discovery.versions_of(kind);
        if versions.iter().any(|known| known.gvk == gvk) {
            return;
        }
        let seen = match versions.first() {
            Some(known) => ServedKind { gvk, ..(*known).clone() },
            None => ServedKind { plural: guess_plural(&gvk.kind), gvk, namespaced, listable: true },
        };
        self.discovery.insert(seen);
    }
}

fn no_schema(name: &str, why: &str) -> Gap {
    Gap::new(GapKind::Schema, format!("no schema from {name}: {why}"), Hides::Evidence).at(name)
}

fn cluster_uid(inventory: &Inventory) -> Option<String> {
    let namespaces = inventory.kind(&GroupKind::new("", "Namespace"))?;
    let Held::Object(raw) = namespaces.find(None, "kube-system", "v1") else { return None };
    serde_json::from_str::<Namespace>(raw.get()).ok()?.metadata.uid
}

/// The English plural, as most CRDs have it. It is used for hints only: a dump has no URLs.
fn guess_plural(kind: &str) -> String {
    let singular = kind.to_lowercase();
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| singular.ends_with(suffix));
    match singular.strip_suffix('y') {
        Some(stem) if !ends(&["ay", "ey", "oy", "uy"]) => format!("{stem}ies"),
        _ if ends(&["s", "x", "ch", "sh"]) => format!("{singular}es"),
        _ => format!("{singular}s"),
    }
}
