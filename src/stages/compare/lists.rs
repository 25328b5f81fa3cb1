//! Lists: elements matched by key, by value, or in order.

use std::borrow::Cow;

use serde_json::Value;

use super::place::Here;
use super::walk::{Outcome, Walk, equal_exactly};
use crate::model::finding::Code;
use crate::model::schema::{ListKind, SchemaRef, Shape};

impl<'a> Walk<'a, '_> {
    pub(super) fn list(&mut self, declared: &'a [Value], live: &'a [Value], schema: Option<SchemaRef<'a>>) {
        let item = schema.and_then(SchemaRef::item);
        match schema.map(SchemaRef::shape) {
            Some(Shape::List { kind: ListKind::Map(keys), .. }) => self.keyed(declared, live, keys, item),
            Some(Shape::List { kind: ListKind::Set, .. }) => self.set(declared, live),
            _ => self.atomic(declared, live, item),
        }
    }

    /// Elements are matched by key, whatever their order.
    fn keyed(&mut self, declared: &'a [Value], live: &'a [Value], keys: &'a [String], item: Option<SchemaRef<'a>>) {
        let same = |one: &Value, other: &Value| same_keys(one, other, keys, item);
        let mut matched = vec![false; live.len()];
        // Where the elements of Git stand in the live list, in Git's order.
        let mut order = Vec::with_capacity(declared.len());
        for (n, element) in declared.iter().enumerate() {
            if declared[n + 1..].iter().any(|later| same(element, later)) {
                self.note_rule("duplicate-list-key");
                continue;
            }
            self.place.push(Here::Element { element, keys, item });
            // The server keeps all duplicates of some lists; the last one is in force.
            let at = match live.get(n) {
                Some(there) if same(element, there) && !live[n + 1..].iter().any(|l| same(element, l)) => Some(n),
                _ => live.iter().rposition(|there| same(element, there)),
            };
            match at {
                Some(at) => {
                    order.push(at);
                    live.iter().zip(&mut matched).filter(|(l, _)| same(element, l)).for_each(|(_, m)| *m = true);
                    self.value(element, &live[at], item);
                }
                None => self.push(Code::Absent, Some(element), None),
            }
            self.place.pop();
        }
        for (element, _) in live.iter().zip(&matched).filter(|(_, matched)| !**matched) {
            self.place.push(Here::Element { element, keys, item });
            self.extra(element, !declared.is_empty());
            self.place.pop();
        }
        if !order.is_sorted() {
            if order_matters(self.place.field(), declared, live) {
                self.reordered(declared, live);
            } else {
                self.note_rule("keyed-list-order");
            }
        }
    }

    fn reordered(&mut self, declared: &[Value], live: &[Value]) {
        let (d, l) = (Value::from(declared.to_vec()), Value::from(live.to_vec()));
        self.push(Code::Changed, Some(&d), Some(&l));
        if let Some(last) = self.found.differences.last_mut() {
            last.note = Some("reordered: the order of this list has a meaning".to_owned());
        }
    }

    fn set(&mut self, declared: &'a [Value], live: &'a [Value]) {
        for element in declared {
            self.place.push(Here::Item(element));
            if live.contains(element) {
                self.decide(Some(element), Some(element), Outcome::Same);
            } else {
                self.push(Code::Absent, Some(element), None);
            }
            self.place.pop();
        }
        for element in live.iter().filter(|element| !declared.contains(element)) {
            self.place.push(Here::Item(element));
            self.extra(element, !declared.is_empty());
            self.place.pop();
        }
    }

    /// Owned as a whole: any difference is one finding at the list's own path. Only a field that the schema does not know is told
    /// where it stands: no other list would have it either.
    fn atomic(&mut self, declared: &'a [Value], live: &'a [Value], item: Option<SchemaRef<'a>>) {
        let mark = self.mark();
        if declared.len() == live.len() {
            for (n, (declared, live)) in declared.iter().zip(live).enumerate() {
                self.place.push(Here::Index(n));
                self.value(declared, live, item);
                self.place.pop();
            }
            let found = self.found_since(&mark);
            if found == (0, 0) {
                return;
            }
            let inside = self.take_back(&mark);
            let (unknown, others): (Vec<_>, Vec<_>) =
                inside.differences.into_iter().partition(|d| d.code == Code::UnknownField);
            self.found.differences.extend(unknown);
            if others.is_empty() && inside.extras.is_empty() {
                return;
            }
            if is_unordered(item) && is_permutation(declared, live, item) {
                return self.note_rule("unordered-list");
            }
            self.whole(declared, live, others.is_empty());
        } else {
            self.whole(declared, live, false);
        }
    }

    fn whole(&mut self, declared: &[Value], live: &[Value], additions_only: bool) {
        let (d, l) = (Value::from(declared.to_vec()), Value::from(live.to_vec()));
        self.push(Code::Changed, Some(&d), Some(&l));
        if let Some(last) = self.found.differences.last_mut() {
            last.additions_only = additions_only;
        }
    }
}

/// The keys of an element, defaults filled in, in the schema's order; keys without value or default are left out.
pub fn element_keys(element: &Value, keys: &[String], item: Option<SchemaRef<'_>>) -> Vec<(String, Value)> {
    keys.iter().filter_map(|key| Some((key.clone(), key_value(element, key, item)?.into_owned()))).collect()
}

fn key_value<'v>(element: &'v Value, key: &str, item: Option<SchemaRef<'v>>) -> Option<Cow<'v, Value>> {
    let given = element.get(key).filter(|value| !value.is_null());
    given.or_else(|| item.and_then(|i| i.field(key)).and_then(|f| f.default.as_ref())).map(Cow::Borrowed)
}

fn same_keys(one: &Value, other: &Value, keys: &[String], item: Option<SchemaRef<'_>>) -> bool {
    keys.iter().all(|key| key_value(one, key, item) == key_value(other, key, item))
}

/// Init containers run in order (sidecars start in it), and `$(NAME)` in an environment sees only what stands before it.
fn order_matters(field: Option<&str>, declared: &[Value], live: &[Value]) -> bool {
    let refers = |element: &Value| element.get("value").and_then(Value::as_str).is_some_and(|text| text.contains("$("));
    match field {
        Some("initContainers") => true,
        Some("env") => declared.iter().chain(live).any(refers),
        _ => false,
    }
}

/// Lists that the API calls atomic and whose order means nothing: an autoscaler takes the largest of all its metrics' answers.
fn is_unordered(item: Option<SchemaRef<'_>>) -> bool {
    let has = |name: &str| item.is_some_and(|item| item.field(name).is_some());
    has("containerResource") && has("external") && has("pods")
}

fn is_permutation(declared: &[Value], live: &[Value], item: Option<SchemaRef<'_>>) -> bool {
    let mut left: Vec<&Value> = live.iter().collect();
    let all = declared.iter().all(|declared| {
        let at = left.iter().position(|live| equal_exactly(declared, live, item));
        at.map(|at| left.swap_remove(at)).is_some()
    });
    all && left.is_empty()
}
