//! The walk over both objects, field by field.

use serde_json::{Map, Value};

use super::absence::{is_empty, means_absence};
use super::defaults::{Around, Beside, Source, source_of};
use super::place::{Here, Place};
use crate::model::field_path::{FieldPath, Step};
use crate::model::finding::Code;
use crate::model::schema::{Field, ListKind, SchemaRef, Shape, object_meta};
use crate::stages::equality::{self, Equality};
use crate::stages::normalise::Applied;

/// A difference in one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// DL001, DL002, DL003 or DL007.
    pub code: Code,
    /// Where.
    pub path: FieldPath,
    /// Git's value.
    pub declared: Option<Value>,
    /// The live value.
    pub live: Option<Value>,
    /// True if the only difference is what the live elements of an atomic list have besides the declared.
    pub additions_only: bool,
    /// What a reader should know.
    pub note: Option<String>,
}

/// Something live that Git does not declare and that no default explains.
#[derive(Clone, Debug, PartialEq)]
pub struct Extra {
    /// Where.
    pub path: FieldPath,
    /// What.
    pub live: Value,
    /// Whether it is an entry of a map, or an element of a list, that Git declares and that is not empty there.
    pub entry: bool,
}

/// What a comparison came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compared {
    /// What Git declares and the cluster has not, or not so.
    pub differences: Vec<Difference>,
    /// What the cluster has besides.
    pub extras: Vec<Extra>,
}

/// What was decided about one field, for `explain`.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Where.
    pub path: FieldPath,
    /// Git's value, if it declares the field.
    pub declared: Option<Value>,
    /// The live value, if there is one.
    pub live: Option<Value>,
    /// What was decided.
    pub outcome: Outcome,
}

/// See [`Decision`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The same value.
    Same,
    /// One value in two writings, or a declaration that says nothing: the name of the rule.
    Normalised(&'static str),
    /// Not declared, and what the server puts there: the name of the rule.
    Server(&'static str),
    /// A difference.
    Differs(Code),
    /// Not declared, and no default: its writers decide.
    Undeclared,
}

/// Compares what is declared with what is live. Both are normalised and redacted.
pub fn compare(declared: &Value, live: &Value, schema: Option<SchemaRef<'_>>, applied: &mut Applied) -> Compared {
    let mut walk = Walk::new([declared, live], applied, None);
    walk.value(declared, live, schema);
    walk.found
}

/// The same, and what was decided about every field.
pub fn explain(declared: &Value, live: &Value, schema: Option<SchemaRef<'_>>) -> (Compared, Vec<Decision>) {
    let mut applied = Applied::new();
    let mut walk = Walk::new([declared, live], &mut applied, Some(Vec::new()));
    walk.value(declared, live, schema);
    (walk.found, walk.trace.unwrap_or_default())
}

/// Whether the live value has all that is declared, as [`compare`] sees it.
pub fn equal(declared: &Value, live: &Value, schema: Option<SchemaRef<'_>>) -> bool {
    compare(declared, live, schema, &mut Applied::new()).differences.is_empty()
}

/// Whether two declarations of one value say the same, however they are written.
pub fn same(one: &Value, other: &Value, schema: Option<SchemaRef<'_>>) -> bool {
    one == other || (equal(one, other, schema) && equal(other, one, schema))
}

/// Where a declaration and what is live differ, and where something is live that neither it nor a default explains.
pub fn differing(declared: &Value, live: &Value, schema: Option<SchemaRef<'_>>) -> Vec<FieldPath> {
    let found = compare(declared, live, schema, &mut Applied::new());
    found.differences.into_iter().map(|d| d.path).chain(found.extras.into_iter().map(|e| e.path)).collect()
}

/// Whether two values are equal, and nothing is live besides what is declared or defaulted.
pub(super) fn equal_exactly(declared: &Value, live: &Value, schema: Option<SchemaRef<'_>>) -> bool {
    compare(declared, live, schema, &mut Applied::new()) == Compared::default()
}

/// Follows a path through a schema.
pub fn schema_at<'a>(schema: Option<SchemaRef<'a>>, path: &FieldPath) -> Option<SchemaRef<'a>> {
    path.steps().iter().try_fold(schema?, |at, step| match step {
        Step::Field(name) => at.child(name),
        Step::Key(_) | Step::Item(_) | Step::Index(_) => at.item(),
    })
}

pub(super) struct Walk<'a, 'o> {
    pub(super) found: Compared,
    pub(super) place: Place<'a>,
    /// Both objects, whole.
    roots: [&'a Value; 2],
    applied: &'o mut Applied,
    trace: Option<Vec<Decision>>,
}

impl<'a, 'o> Walk<'a, 'o> {
    fn new(roots: [&'a Value; 2], applied: &'o mut Applied, trace: Option<Vec<Decision>>) -> Self {
        Self { found: Compared::default(), place: Place::default(), roots, applied, trace }
    }

    pub(super) fn value(&mut self, declared: &'a Value, live: &'a Value, schema: Option<SchemaRef<'a>>) {
        match (declared, live) {
            // A declared null means "unset": in a list, whatever the server has there is its own.
            (Value::Null, _) => self.normalised("declared-null", declared, Some(live)),
            (Value::Object(declared), Value::Object(live)) => self.object(declared, live, schema),
            (Value::Array(d), Value::Array(l)) => self.list(d, l, schema),
            _ => {
                let scalar = match schema.map(SchemaRef::shape) {
                    Some(Shape::Scalar(scalar)) => Some(*scalar),
                    _ => None,
                };
                match equality::scalars(declared, live, scalar) {
                    Equality::Same => self.decide(Some(declared), Some(live), Outcome::Same),
                    Equality::Normalised(rule) => self.normalised(rule, declared, Some(live)),
                    Equality::Different => self.changed(declared, live),
                }
            }
        }
    }

    fn object(
        &mut self,
        declared: &'a Map<String, Value>,
        live: &'a Map<String, Value>,
        schema: Option<SchemaRef<'a>>,
    ) {
        let beside = Beside { live, declared: Some(declared) };
        for (name, value) in declared {
            self.place.push(Here::Field(name));
            let field = schema.and_then(|s| s.field(name));
            let child = self.child(schema, name);
            match live.get(name) {
                Some(live) if declares_nothing(value, field) && !is_empty(live) => {
                    self.normalised("zero-equals-absent", value, Some(live));
                    self.undeclared_field(name, live, schema, child, beside);
                }
                // A null asks for nothing: what is there instead is the server's, or somebody's, as where nothing is declared. As an
                // entry of a map it is kept, empty (a Secret's `data` has "" there).
                Some(live) if value.is_null() && !live.is_null() => {
                    self.normalised("declared-null", value, Some(live));
                    if !schema.is_some_and(SchemaRef::is_map) {
                        self.undeclared_field(name, live, schema, child, beside);
                    }
                }
                Some(live) => self.value(value, live, child),
                None if value.is_null() => self.normalised("declared-null", value, None),
                None if is_unknown_field(schema, name) => self.unknown_field(name, value, schema),
                None if means_absence(value, field, child) => self.normalised("zero-equals-absent", value, None),
                None => self.push(Code::Absent, Some(value), None),
            }
            self.place.pop();
        }
        // In the common case, every live field is declared.
        if live.len() == declared.len() && live.keys().all(|name| declared.contains_key(name)) {
            return;
        }
        let is_map = schema.is_some_and(SchemaRef::is_map);
        for (name, value) in live.iter().filter(|(name, _)| !declared.contains_key(*name)) {
            self.place.push(Here::Field(name));
            let child = self.child(schema, name);
            if is_map {
                self.extra(value, !declared.is_empty());
            } else {
                self.undeclared_field(name, value, schema, child, beside);
            }
            self.place.pop();
        }
    }

    /// Every kind has the same metadata, also where its own schema is silent or not at hand.
    fn child(&self, schema: Option<SchemaRef<'a>>, name: &str) -> Option<SchemaRef<'a>> {
        let child = schema.and_then(|s| s.child(name));
        let of_object = name == "metadata" && self.place.is_top();
        if of_object && child.is_none_or(|c| *c.shape() == Shape::Any) { object_meta() } else { child }
    }

    fn undeclared_field(
        &mut self,
        name: &str,
        live: &'a Value,
        schema: Option<SchemaRef<'a>>,
        child: Option<SchemaRef<'a>>,
        beside: Beside<'a>,
    ) {
        let around = Around { beside, place: &self.place, roots: self.roots };
        match source_of(live, schema.and_then(|s| s.field(name)), child, around) {
            Source::Server(rule) => self.decide(None, Some(live), Outcome::Server(rule)),
            Source::Within => {
                let Some(inside) = live.as_object() else { return };
                for (name, value) in inside {
                    self.place.push(Here::Field(name));
                    let below = child.and_then(|c| c.child(name));
                    self.undeclared_field(name, value, child, below, Beside { live: inside, declared: None });
                    self.place.pop();
                }
            }
            Source::Unexplained => self.spread(live, child),
        }
    }

    /// Nothing of it is declared: entries and elements that come and go one by one stand for themselves.
    fn spread(&mut self, live: &'a Value, schema: Option<SchemaRef<'a>>) {
        match (live, schema.map(SchemaRef::shape)) {
            (Value::Object(map), Some(_)) if schema.is_some_and(SchemaRef::is_map) => {
                for (name, value) in map {
                    self.place.push(Here::Field(name));
                    self.extra(value, false);
                    self.place.pop();
                }
            }
            (Value::Array(items), Some(Shape::List { kind: ListKind::Map(keys), .. })) => {
                let item = schema.and_then(SchemaRef::item);
                for element in items {
                    self.place.push(Here::Element { element, keys, item });
                    self.extra(element, false);
                    self.place.pop();
                }
            }
            (Value::Array(items), Some(Shape::List { kind: ListKind::Set, .. })) => {
                for element in items {
                    self.place.push(Here::Item(element));
                    self.extra(element, false);
                    self.place.pop();
                }
            }
            _ => self.extra(live, false),
        }
    }

    pub(super) fn extra(&mut self, live: &Value, entry: bool) {
        self.decide(None, Some(live), Outcome::Undeclared);
        self.found.extras.push(Extra { path: self.place.path(), live: live.clone(), entry });
    }

    fn unknown_field(&mut self, name: &str, value: &Value, schema: Option<SchemaRef<'_>>) {
        self.push(Code::UnknownField, Some(value), None);
        let near = schema.and_then(|s| nearest_field(s, name));
        if let (Some(near), Some(last)) = (near, self.found.differences.last_mut()) {
            last.note = Some(format!("the schema does not know it; did you mean `{near}`?"));
        }
    }

    fn changed(&mut self, declared: &Value, live: &Value) {
        // Go writes a nil list or map as null: nothing is there.
        if live.is_null() && is_empty(declared) {
            return self.normalised("null-equals-empty", declared, Some(live));
        }
        let code = if live.is_null() { Code::Absent } else { Code::Changed };
        self.push(code, Some(declared), Some(live).filter(|live| !live.is_null()));
    }

    pub(super) fn push(&mut self, code: Code, declared: Option<&Value>, live: Option<&Value>) {
        self.decide(declared, live, Outcome::Differs(code));
        self.found.differences.push(Difference {
            code,
            path: self.place.path(),
            declared: declared.cloned(),
            live: live.cloned(),
            additions_only: false,
            note: None,
        });
    }

    fn normalised(&mut self, rule: &'static str, declared: &Value, live: Option<&Value>) {
        self.note_rule(rule);
        self.decide(Some(declared), live, Outcome::Normalised(rule));
    }

    pub(super) fn note_rule(&mut self, rule: &'static str) {
        *self.applied.entry(rule).or_default() += 1;
    }

    pub(super) fn decide(&mut self, declared: Option<&Value>, live: Option<&Value>, outcome: Outcome) {
        if let Some(trace) = &mut self.trace {
            let path = self.place.path();
            trace.push(Decision { path, declared: declared.cloned(), live: live.cloned(), outcome });
        }
    }

    /// Takes back what was decided since `mark`, in favour of one decision about the whole.
    pub(super) fn take_back(&mut self, mark: &Mark) -> Compared {
        if let Some(trace) = &mut self.trace {
            trace.truncate(mark.trace);
        }
        Compared {
            differences: self.found.differences.split_off(mark.differences),
            extras: self.found.extras.split_off(mark.extras),
        }
    }

    /// How many differences and extras were found since `mark`.
    pub(super) fn found_since(&self, mark: &Mark) -> (usize, usize) {
        (self.found.differences.len() - mark.differences, self.found.extras.len() - mark.extras)
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            differences: self.found.differences.len(),
            extras: self.found.extras.len(),
            trace: self.trace.as_ref().map_or(0, Vec::len),
        }
    }
}

/// How much was found when a list was begun.
pub(super) struct Mark {
    differences: usize,
    extras: usize,
    trace: usize,
}

/// Whether a declared list or map is empty where the server cannot tell that from absence: its default then applies.
fn declares_nothing(declared: &Value, field: Option<&Field>) -> bool {
    let empty = matches!(declared, Value::Array(items) if items.is_empty())
        || matches!(declared, Value::Object(map) if map.is_empty());
    empty && field.is_some_and(|field| field.omit_empty == Some(true) && field.pointer == Some(false))
}

/// Whether the schema names the fields of this place and `name` is not among them.
fn is_unknown_field(schema: Option<SchemaRef<'_>>, name: &str) -> bool {
    match schema.map(SchemaRef::shape) {
        Some(Shape::Object { fields, additional: None, preserve_unknown: false, .. }) => !fields.contains_key(name),
        _ => false,
    }
}

/// The known field whose name is nearest to what was written, if one is near enough to have been meant.
fn nearest_field<'s>(schema: SchemaRef<'s>, name: &str) -> Option<&'s str> {
    let Shape::Object { fields, .. } = schema.shape() else { return None };
    let written = name.to_lowercase();
    let scored = fields.keys().map(|known| (strsim::jaro_winkler(&written, &known.to_lowercase()), known));
    scored.filter(|(score, _)| *score > 0.85).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known.as_str())
}
