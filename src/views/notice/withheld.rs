//! For a receiver that gets names only: a notice out of which every value was taken.

use serde_json::{Value, json};

use crate::model::attribution::DeclaredBy;
use crate::model::field_path::{FieldPath, Step};
use crate::model::finding::{Code, Finding};
use crate::model::notice::{Notice, NoticeItem};

/// What stands in a path for an element that is told by its value.
const NO_VALUE: &str = "…";

/// The notice without values. What people wrote freely goes too, for a commit's subject or a note may hold one; names of objects,
/// fields, people and commits stay.
pub(super) fn without_values(notice: &Notice) -> Notice {
    let mut notice = notice.clone();
    notice.items.iter_mut().for_each(item);
    notice
}

fn item(item: &mut NoticeItem) {
    let finding = &mut item.finding;
    let holds_value =
        |text: &String| [&finding.declared, &finding.live].into_iter().flatten().any(|value| mentions(text, value));
    item.how = item.how.take().filter(|how| !holds_value(how));
    // What a commit breaks is all that there is to say of it, and it has no values.
    finding.note = finding.note.take().filter(|_| finding.code == Code::ChangeControl);
    (finding.declared, finding.live) = (None, None);
    finding.waiver = finding.waiver.as_ref().map(|_| json!({}));
    finding.path = finding.path.as_ref().map(path);
    finding.declared_by.iter_mut().for_each(commit);
}

/// An element of a set is told by its value; one that has a key, by its name.
fn path(path: &FieldPath) -> FieldPath {
    let step = |step: &Step| match step {
        Step::Item(_) => Step::Item(json!(NO_VALUE)),
        other => other.clone(),
    };
    FieldPath::from(path.steps().iter().map(step).collect::<Vec<_>>())
}

fn commit(by: &mut DeclaredBy) {
    by.subject.clear();
    by.trailers.clear();
}

/// Whether a text holds a scalar of the value.
fn mentions(text: &str, value: &Value) -> bool {
    match value {
        Value::Object(map) => map.values().any(|value| mentions(text, value)),
        Value::Array(items) => items.iter().any(|value| mentions(text, value)),
        Value::String(value) => !value.trim().is_empty() && text.contains(value.trim()),
        Value::Null => false,
        other => text.contains(&other.to_string()),
    }
}

/// Whether one of the finding's values is shown at all: only then does it read as a difference of two values.
pub(super) fn is_about_values(finding: &Finding) -> bool {
    finding.code == Code::Changed
}
