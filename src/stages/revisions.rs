//! Two declared states of the same things: another revision, another environment.
//!
//! An object is the same where its kind and name are, and its namespace; the default namespaces of two targets stand for each other.

use std::collections::BTreeMap;

use super::compare;
use super::normalise::{Applied, Side, normalise};
use crate::model::declared::DeclaredObject;
use crate::model::field_path::{FieldPath, Step};
use crate::model::fingerprint::stable_name;
use crate::model::resource::ObjectId;
use crate::model::revisions::DifferentField;
use crate::model::schema::Schemas;

/// What differs.
#[derive(Debug, Default, PartialEq)]
pub struct Differences {
    /// See [`RevisionComparison`](crate::model::revisions::RevisionComparison).
    pub fields: Vec<DifferentField>,
    /// Objects of one side alone.
    pub only: [Vec<String>; 2],
    /// How many objects both have.
    pub both: u64,
}

/// One side.
pub struct Declared<'a> {
    /// Its objects.
    pub objects: Vec<&'a DeclaredObject>,
    /// The target's default namespace.
    pub namespace: &'a str,
}

/// Compares two sides.
pub fn compare(one: &Declared<'_>, other: &Declared<'_>, schemas: &Schemas) -> Differences {
    let mut others = by_place(other);
    let mut differences = Differences::default();
    for (place, object) in by_place(one) {
        let Some(same) = others.remove(&place) else {
            differences.only[0].push(object.id.to_string());
            continue;
        };
        differences.both += 1;
        differences.fields.extend(fields(object, same, schemas));
    }
    differences.only[1].extend(others.into_values().map(|object| object.id.to_string()));
    differences.fields.sort_by_key(|field| !field.is_image);
    differences
}

/// Objects by kind, namespace (`None`: the target's own, or none at all) and name without a generator's hash.
fn by_place<'a>(side: &Declared<'a>) -> BTreeMap<(String, String, Option<String>, String), &'a DeclaredObject> {
    let place = |object: &&'a DeclaredObject| {
        let ObjectId { group, kind, namespace, .. } = &object.id;
        let namespace = namespace.clone().filter(|namespace| namespace != side.namespace);
        ((group.clone(), kind.clone(), namespace, stable_name(&object.id).to_owned()), *object)
    };
    side.objects.iter().map(place).collect()
}

fn fields(one: &DeclaredObject, other: &DeclaredObject, schemas: &Schemas) -> Vec<DifferentField> {
    let tree = |object: &DeclaredObject| {
        let mut tree = object.tree().unwrap_or_default();
        normalise(&mut tree, &object.id.group_kind(), Side::Declared, &mut Applied::new());
        // Where an object is stands for each other, and what a generator appends to its name.
        if let Some(metadata) = tree.get_mut("metadata").and_then(serde_json::Value::as_object_mut) {
            metadata.remove("namespace");
            metadata.remove("name");
        }
        tree
    };
    let schema = schemas.kind_at_any_version(&one.gvk);
    let found = compare::compare(&tree(one), &tree(other), schema, &mut Applied::new());
    let differing = found.differences.into_iter().map(|one| (one.path, [one.declared, one.live]));
    let more = found.extras.into_iter().map(|extra| (extra.path, [None, Some(extra.live)]));
    let field = |(path, values): (FieldPath, [Option<serde_json::Value>; 2])| DifferentField {
        object: one.id.to_string(),
        is_image: is_image(&path),
        path,
        values,
    };
    differing.chain(more).map(field).collect()
}

/// `.containers[name="api"].image`, of init and ephemeral containers, too.
fn is_image(path: &FieldPath) -> bool {
    match path.steps() {
        [.., Step::Field(list), Step::Key(_) | Step::Index(_), Step::Field(last)] => {
            last == "image" && list.to_lowercase().ends_with("containers")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::attribution::Origin;
    use crate::model::ids::{CommitId, RepositoryName, Revision, TargetName};
    use crate::model::resource::Gvk;
    use crate::model::schema::builtin_schemas;

    fn object(kind: (&str, &str), namespace: Option<&str>, name: &str, value: Value) -> DeclaredObject {
        let gvk = Gvk::new(kind.0, kind.1);
        let origin = Origin {
            target: TargetName::new("t"),
            repository: RepositoryName::new("r"),
            revision: Revision::new("main"),
            commit: CommitId::new("c"),
            file: "f".into(),
            line: None,
            renderer: None,
        };
        let namespace = namespace.map(str::to_owned);
        let id = ObjectId { group: gvk.gv.group.clone(), kind: kind.1.to_owned(), namespace, name: name.to_owned() };
        DeclaredObject { id, gvk, origin, written: None, json: value.to_string().into() }
    }

    fn deployment(namespace: &str, image: &str, more: Value) -> DeclaredObject {
        let mut spec = json!({"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "api", "image": image}]}}});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object(
            ("apps/v1", "Deployment"),
            Some(namespace),
            "api",
            json!({"metadata": {"name": "api", "namespace": namespace}, "spec": spec}),
        )
    }

    #[test]
    fn images_come_first_defaults_are_no_difference_and_default_namespaces_stand_for_each_other() {
        let map = |namespace: &str, name: &str| {
            object(("v1", "ConfigMap"), Some(namespace), name, json!({"data": {"a": "b"}}))
        };
        let stage = [
            deployment("stage", "api:1", json!({"replicas": 2, "paused": true})),
            map("stage", "settings-k4b9tgf9m9"),
            map("shared", "x"),
        ];
        let prod = [
            deployment("prod", "api:2", json!({"replicas": 3, "progressDeadlineSeconds": 600})),
            map("prod", "settings-c2b9tgf9m9"),
            map("prod", "y"),
        ];
        let one = Declared { objects: stage.iter().collect(), namespace: "stage" };
        let other = Declared { objects: prod.iter().collect(), namespace: "prod" };
        let found = compare(&one, &other, builtin_schemas());
        let fields: Vec<(String, bool)> = found.fields.iter().map(|f| (f.path.to_string(), f.is_image)).collect();
        let image = ".spec.template.spec.containers[name=\"api\"].image".to_owned();
        assert_eq!(fields[0], (image, true));
        let mut rest: Vec<&str> = fields[1..].iter().map(|(path, _)| path.as_str()).collect();
        rest.sort_unstable();
        assert_eq!(rest, [".spec.paused", ".spec.replicas"]);
        assert_eq!(found.fields[0].values, [Some(json!("api:1")), Some(json!("api:2"))]);
        assert_eq!(found.both, 2);
        assert_eq!(found.only.each_ref().map(Vec::len), [1, 1], "{:?}", found.only);
    }
}
