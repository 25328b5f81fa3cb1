//! What routes ask of declared objects: labels, and who owns them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::app::assemble::Scanned;
use crate::config::Config;
use crate::model::ids::ClusterName;
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

/// The labels and owners of the objects that something is said about; nothing where no route asks.
pub fn declared_facts(scanned: &Scanned, config: &Config) -> DeclaredFacts {
    if !config.delivery.routes.iter().any(|route| route.takes.asks_about_objects()) {
        return DeclaredFacts::new();
    }
    let mut facts = DeclaredFacts::new();
    for reading in &scanned.readings {
        for object in reading.in_question() {
            let Ok(tree) = object.tree() else { continue };
            let metadata = |name: &str| tree.pointer(&format!("/metadata/{name}")).and_then(Value::as_object);
            let annotation = metadata("annotations").and_then(|all| all.get(&config.delivery.owner_annotation));
            let owners = annotation.and_then(Value::as_str).into_iter().flat_map(|text| text.split([',', ' ']));
            let owners = owners.filter(|owner| !owner.is_empty()).map(str::to_owned).collect();
            let labels = metadata("labels").cloned().unwrap_or_default();
            facts.insert((reading.summary.name.clone(), object.id.clone()), Facts { labels, owners });
        }
    }
    facts
}
