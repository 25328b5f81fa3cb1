//! Ignore rules: what they suppress of the differences of one object, and how much that is.
//!
//! As Argo CD's `ignoreDifferences`: the ignored places are taken away on both sides, and what then differs is what counts. A
//! difference at an ignored place or below it goes; one in a value that is owned as a whole (an atomic list) is looked at again
//! without the ignored places in it. Nothing is suppressed uncounted, and a rule adds no difference.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::compare;
use super::judge::Judgement;
use super::places::{self, Place};
use crate::config::ignore::IgnoreRule;
use crate::config::ignore::jq::PlainStep;
use crate::model::attribution::Origin;
use crate::model::field_path::FieldPath;
use crate::model::finding::{Code, Finding};
use crate::model::ids::ClusterName;
use crate::model::resource::ObjectId;
use crate::model::schema::SchemaRef;
use crate::model::time::Timestamp;

/// The ignore rules for one cluster at one time.
#[derive(Clone, Debug)]
pub struct Ignores {
    cluster: ClusterName,
    rules: Vec<IgnoreRule>,
    now: Timestamp,
}

/// An object that rules may select.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Which it is.
    pub id: &'a ObjectId,
    /// Where it is declared; `None` if nowhere.
    pub origin: Option<&'a Origin>,
    /// Its declared labels; the live ones if it is not declared.
    pub labels: Option<&'a Map<String, Value>>,
}

/// Both sides of an object as they are compared.
#[derive(Clone, Copy, Debug)]
pub struct Trees<'a> {
    /// From Git.
    pub declared: &'a Value,
    /// From the cluster.
    pub live: &'a Value,
    /// The kind's schema.
    pub schema: Option<SchemaRef<'a>>,
}

/// What rules did on one object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ignored {
    /// Differences that are gone.
    pub suppressed: Vec<Suppressed>,
    /// Rules that made a difference smaller that is still there.
    pub narrowed: Vec<usize>,
    /// The places that were taken out of those, in the declared and in the live tree: earlier versions are compared without them.
    pub inside: [Vec<Place>; 2],
    /// Rules that could not be applied, or not completely, and why.
    pub troubles: Vec<(usize, String)>,
}

/// A difference that a rule suppressed.
#[derive(Clone, Debug, PartialEq)]
pub struct Suppressed {
    /// The rule's position.
    pub rule: usize,
    /// What it would have been.
    pub code: Code,
    /// Where; `None`: the object as a whole.
    pub path: Option<FieldPath>,
}

/// A difference on its way through the rules.
struct Passing {
    /// As the comparison found it.
    found: Judgement,
    /// Without what rules ignore inside it.
    left: Judgement,
    /// Ignored places inside the value, from its own root, on the declared and on the live side.
    inside: [Vec<Place>; 2],
    /// The rules they are of.
    rules: Vec<usize>,
}

enum Cover {
    /// Not at this place.
    Apart,
    /// The place is at the difference or above.
    Whole,
    /// Places inside the values, on each side.
    Inside([Vec<Place>; 2]),
}

impl Ignores {
    /// Rules for a cluster. `now` tells which are expired.
    pub fn new(cluster: ClusterName, rules: Vec<IgnoreRule>, now: Timestamp) -> Self {
        Self { cluster, rules, now }
    }

    /// No rules.
    pub fn none() -> Self {
        Self::new(ClusterName::new(""), Vec::new(), Timestamp::from_unix(0))
    }

    /// The rules, expired ones among them.
    pub fn rules(&self) -> &[IgnoreRule] {
        &self.rules
    }

    /// Whether a rule is past its last day.
    pub fn is_expired(&self, rule: &IgnoreRule) -> bool {
        rule.expires.as_ref().is_some_and(|expiry| expiry.end <= self.now)
    }

    /// The first rule that ignores a finding on an object as a whole: that it is missing, say.
    pub fn whole(&self, subject: Subject<'_>, finding: &Finding) -> Option<usize> {
        self.working(subject).find(|(_, rule)| covers_whole(rule, finding)).map(|(n, _)| n)
    }

    /// Takes from the differences of an object what rules ignore. `stands` says whether what is left of a difference is one.
    pub fn apply(
        &self,
        subject: Subject<'_>,
        sides: Trees<'_>,
        found: Vec<Judgement>,
        stands: &dyn Fn(&Judgement) -> bool,
    ) -> (Vec<Judgement>, Ignored) {
        let mut ignored = Ignored::default();
        if found.is_empty() || self.rules.is_empty() {
            return (found, ignored);
        }
        let mut passing: Vec<Passing> = found.into_iter().map(Passing::new).collect();
        for (n, rule) in self.working(subject) {
            let fits = |passing: &Passing| {
                let codes = &rule.select.codes;
                (codes.is_empty() || codes.contains(&passing.found.difference.code))
                    && rule.inside.fits_writers(&passing.found.actors)
            };
            if !passing.iter().any(fits) {
                continue;
            }
            let places = rule.inside.has_places().then(|| {
                [sides.declared, sides.live].map(|tree| {
                    let (places, troubles) = places::of_rule(&rule.inside, subject.id, tree, sides.schema);
                    ignored.troubles.extend(troubles.into_iter().map(|trouble| (n, trouble)));
                    places
                })
            });
            let mut kept = Vec::new();
            for mut passing in passing {
                let cover = match &places {
                    _ if !fits(&passing) => Cover::Apart,
                    None => Cover::Whole,
                    Some(places) => cover(&passing.found.difference.path, sides, places),
                };
                let left = match cover {
                    Cover::Apart => true,
                    Cover::Whole => false,
                    Cover::Inside(inside) => passing.narrow(n, inside, sides.schema, stands),
                };
                if left {
                    kept.push(passing);
                } else {
                    ignored.narrowed.extend(&passing.rules);
                    let difference = passing.found.difference;
                    let path = Some(difference.path);
                    ignored.suppressed.push(Suppressed { rule: n, code: difference.code, path });
                }
            }
            passing = kept;
        }
        let left = passing.into_iter().map(|passing| {
            ignored.narrowed.extend(&passing.rules);
            for (n, tree) in [sides.declared, sides.live].into_iter().enumerate() {
                let Some(at) = places::resolve(&passing.found.difference.path, tree, sides.schema) else { continue };
                ignored.inside[n].extend(passing.inside[n].iter().map(|rest| [at.as_slice(), rest].concat()));
            }
            passing.finish(&self.rules)
        });
        let left = left.collect();
        ignored.narrowed.sort_unstable();
        (left, ignored)
    }

    fn working<'a>(&'a self, subject: Subject<'a>) -> impl Iterator<Item = (usize, &'a IgnoreRule)> {
        let working = move |rule: &IgnoreRule| !rule.inert && !self.is_expired(rule) && self.selects(rule, subject);
        self.rules.iter().enumerate().filter(move |(_, rule)| working(rule))
    }

    fn selects(&self, rule: &IgnoreRule, subject: Subject<'_>) -> bool {
        let select = &rule.select;
        let any = |patterns: &[wildmatch::WildMatch], text: Option<&str>| {
            patterns.is_empty() || text.is_some_and(|text| patterns.iter().any(|pattern| pattern.matches(text)))
        };
        let kind = subject.id.group_kind().to_string();
        let of_kind = |pattern: &wildmatch::WildMatch| pattern.matches(&kind) || pattern.matches(&subject.id.kind);
        (select.kinds.is_empty() || select.kinds.iter().any(of_kind))
            && any(&select.groups, Some(&subject.id.group))
            && (select.cluster_scoped && subject.id.namespace.is_none()
                || any(&select.namespaces, subject.id.namespace.as_deref()))
            && any(&select.names, Some(&subject.id.name))
            && any(&select.targets, subject.origin.map(|origin| origin.target.as_str()))
            && any(&select.clusters, Some(self.cluster.as_str()))
            && (select.folders.is_empty()
                || subject.origin.is_some_and(|origin| {
                    is_in(origin, &select.folders) || select.rendered_from_them.contains(&origin.target)
                }))
            && select.labels.as_ref().is_none_or(|selector| selector.matches(subject.labels))
    }
}

/// The labels of an object's tree.
pub fn labels(tree: &Value) -> Option<&Map<String, Value>> {
    tree.get("metadata")?.get("labels")?.as_object()
}

fn covers_whole(rule: &IgnoreRule, finding: &Finding) -> bool {
    let codes = &rule.select.codes;
    !rule.inside.has_places() && rule.inside.writers.is_empty() && (codes.is_empty() || codes.contains(&finding.code))
}

fn is_in(origin: &Origin, folders: &[crate::config::ignore::SourceFolder]) -> bool {
    folders.iter().any(|folder| {
        let below =
            || origin.file.strip_prefix(&folder.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        folder.repository == origin.repository && (folder.path.is_empty() || below())
    })
}

impl Passing {
    fn new(found: Judgement) -> Self {
        Self { left: found.clone(), found, inside: Default::default(), rules: Vec::new() }
    }

    /// Takes places away inside the values. Returns whether something still differs.
    fn narrow(
        &mut self,
        rule: usize,
        places: [Vec<Place>; 2],
        schema: Option<SchemaRef<'_>>,
        stands: &dyn Fn(&Judgement) -> bool,
    ) -> bool {
        let difference = &self.found.difference;
        let at = |value: &Option<Value>, places: &[Place]| -> Vec<Value> {
            places.iter().filter_map(|place| places::at(value.as_ref()?, place).cloned()).collect()
        };
        // What is the same on both sides is no difference that the rule could hide.
        if at(&difference.declared, &places[0]) == at(&difference.live, &places[1]) {
            return true;
        }
        for (inside, places) in self.inside.iter_mut().zip(places) {
            inside.extend(places);
        }
        let without = |value: &Option<Value>, places: &[Place]| {
            value.as_ref().map(|value| places::without(value.clone(), places))
        };
        let difference = &self.found.difference;
        let declared = without(&difference.declared, &self.inside[0]);
        let live = without(&difference.live, &self.inside[1]);
        if (declared == self.left.difference.declared) && (live == self.left.difference.live) {
            return true;
        }
        let left = &mut self.left.difference;
        let differs = match (&declared, &live) {
            (Some(declared), Some(live)) => {
                let at = compare::schema_at(schema, &difference.path);
                let again = compare::compare(declared, live, at, &mut BTreeMap::new()).differences;
                left.additions_only = !again.is_empty() && again.iter().all(|difference| difference.additions_only);
                !again.is_empty()
            }
            (Some(only), None) | (None, Some(only)) => !is_hollow(only),
            (None, None) => true,
        };
        (left.declared, left.live) = (declared, live);
        let differs = differs && stands(&self.left);
        if differs {
            self.rules.push(rule);
        }
        differs
    }

    fn finish(mut self, rules: &[IgnoreRule]) -> Judgement {
        if !self.rules.is_empty() {
            let names: Vec<&str> = self.rules.iter().map(|n| rules[*n].id.as_str()).collect();
            let note = format!("parts of it are left out: an ignore rule covers them ({})", names.join(", "));
            let before = self.left.difference.note.take();
            self.left.difference.note = Some(before.map_or_else(|| note.clone(), |before| format!("{before}; {note}")));
        }
        self.left
    }
}

/// Whether nothing but empty maps and lists is left.
fn is_hollow(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.values().all(is_hollow),
        Value::Array(items) => items.iter().all(is_hollow),
        Value::Null => true,
        _ => false,
    }
}

/// How a difference lies to places, on every side where its path leads somewhere.
fn cover(path: &FieldPath, sides: Trees<'_>, places: &[Vec<Place>; 2]) -> Cover {
    let at = [sides.declared, sides.live].map(|tree| places::resolve(path, tree, sides.schema));
    let is_whole = |place: &Place, places: &[Place]| places.iter().any(|covered| place.starts_with(covered));
    let sides: Vec<bool> =
        at.iter().zip(places).filter_map(|(at, places)| Some(is_whole(at.as_ref()?, places))).collect();
    if !sides.is_empty() && sides.iter().all(|whole| *whole) {
        return Cover::Whole;
    }
    let below = |at: &Option<Place>, places: &[Place]| -> Vec<Place> {
        let Some(at) = at else { return Vec::new() };
        let rest = |place: &Place| place.strip_prefix(at.as_slice()).map(<[PlainStep]>::to_vec);
        places.iter().filter_map(rest).filter(|rest| !rest.is_empty()).collect()
    };
    let inside = [below(&at[0], &places[0]), below(&at[1], &places[1])];
    if inside.iter().all(Vec::is_empty) { Cover::Apart } else { Cover::Inside(inside) }
}

#[cfg(test)]
#[path = "ignore_tests.rs"]
mod tests;
