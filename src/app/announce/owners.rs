//! What routes ask of declared objects: labels, and who owns them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::adapters::git::CodeOwners;
use crate::app::assemble::Scanned;
use crate::app::gather::TargetSource;
use crate::config::Config;
use crate::model::attribution::Origin;
use crate::model::ids::{ClusterName, TargetName};
use crate::model::resource::ObjectId;

/// Of the objects that something is said about, by cluster and identity.
pub type DeclaredFacts = BTreeMap<(ClusterName, ObjectId), Facts>;

/// What routes ask of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Its labels, as declared.
    pub labels: Map<String, Value>,
    /// Its owners.
    pub owners: Vec<String>,
}

/// Each target's CODEOWNERS, read when first asked for.
#[derive(Default)]
struct Owners<'s>(BTreeMap<&'s TargetName, CodeOwners>);

impl<'s> Owners<'s> {
    fn of(&mut self, origin: &Origin, sources: &'s [TargetSource]) -> Vec<String> {
        let Some(source) = sources.iter().find(|source| source.config.name == origin.target) else { return Vec::new() };
        let read = || source.commit.as_ref().map(|(_, _, tree)| CodeOwners::of(tree)).unwrap_or_default();
        self.0.entry(&source.config.name).or_insert_with(read).owners(&origin.file)
    }
}

/// The labels and owners of the objects that something is said about; nothing where no route asks.
pub fn declared_facts(scanned: &Scanned, config: &Config) -> DeclaredFacts {
    if !config.delivery.routes.iter().any(|route| route.takes.asks_about_objects()) {
        return DeclaredFacts::new();
    }
    let mut facts = DeclaredFacts::new();
    let mut files = Owners::default();
    for reading in &scanned.readings {
        for object in reading.in_question() {
            let Ok(tree) = object.tree() else { continue };
            let metadata = |name: &str| tree.pointer(&format!("/metadata/{name}")).and_then(Value::as_object);
            let annotation = metadata("annotations").and_then(|all| all.get(&config.delivery.owner_annotation));
            let owners = match annotation.and_then(Value::as_str) {
                Some(text) => text.split([',', ' ']).filter(|owner| !owner.is_empty()).map(str::to_owned).collect(),
                None => files.of(&object.origin, &scanned.sources),
            };
            let labels = metadata("labels").cloned().unwrap_or_default();
            facts.insert((reading.summary.name.clone(), object.id.clone()), Facts { labels, owners });
        }
    }
    facts
}
