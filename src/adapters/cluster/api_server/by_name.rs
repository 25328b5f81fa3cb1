//! Objects read one by one, where a LIST is not to be had.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};

use super::failure::Failure;
use super::fetch::{Fetcher, JSON};
use super::paths;
use crate::model::discovery::ServedKind;
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::resource::ObjectId;
use crate::ports::ListEvent;

/// Bytes of objects after which a page made of them is handed over.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// What could not be read by name.
#[derive(Debug)]
pub(super) struct Unread {
    pub(super) object: ObjectId,
    pub(super) failure: Failure,
}

/// Reads one object; `None` if the server says that it does not exist.
pub(super) async fn read(fetcher: &Fetcher, kind: &ServedKind, object: &ObjectId) -> Result<Option<Bytes>, Failure> {
    let path = paths::object(kind, object).ok_or(Failure::Url)?;
    match fetcher.get(&path, JSON).await {
        // Only its being an object is looked at: a login page of a proxy answers 200, too.
        Ok(answer) => match serde_json::from_slice::<serde::de::IgnoredAny>(&answer.body) {
            Ok(_) if answer.body.trim_ascii_start().starts_with(b"{") => Ok(Some(answer.body)),
            _ => Err(Failure::NotJson("a Kubernetes object")),
        },
        Err(failure) if failure.says_missing(&object.name) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Reads objects in order, a few at a time, and hands them over as pages.
pub(super) async fn read_all(
    fetcher: &Arc<Fetcher>,
    kind: &ServedKind,
    objects: Vec<ObjectId>,
    each: &mut (dyn FnMut(ListEvent) + Send),
) -> Vec<Unread> {
    let mut unread = Vec::new();
    let mut page = Page::default();
    let at_once = fetcher.limits().concurrency.max(1);
    let mut waiting = objects.into_iter();
    let mut asked = std::collections::VecDeque::new();
    loop {
        for object in waiting.by_ref().take(at_once - asked.len()) {
            let (fetcher, kind, wanted) = (Arc::clone(fetcher), kind.clone(), object.clone());
            asked.push_back((object, tokio::spawn(async move { read(&fetcher, &kind, &wanted).await })));
        }
        let Some((object, task)) = asked.pop_front() else { break };
        match task.await.unwrap_or_else(|_| Err(Failure::Broken("the request was given up".to_owned()))) {
            Ok(Some(bytes)) => {
                page.push(&bytes);
                if page.bytes.len() > PAGE_BYTES {
                    each(ListEvent::Page(page.take()));
                }
            }
            Ok(None) => {}
            Err(failure) => unread.push(Unread { object, failure }),
        }
    }
    if !page.bytes.is_empty() {
        each(ListEvent::Page(page.take()));
    }
    unread
}

/// A page in the form of a LIST's answer.
#[derive(Default)]
struct Page {
    bytes: BytesMut,
}

impl Page {
    fn push(&mut self, object: &[u8]) {
        self.bytes.put_slice(if self.bytes.is_empty() { b"{\"items\":[" } else { b"," });
        self.bytes.put_slice(object);
    }

    fn take(&mut self) -> Bytes {
        self.bytes.put_slice(b"]}");
        self.bytes.split().freeze()
    }
}

/// Gaps for objects that could not be read, one for each sort of failure.
pub(super) fn gaps(kind: &ServedKind, unread: Vec<Unread>) -> Vec<Gap> {
    let mut gaps: Vec<(GapKind, Failure, Vec<ObjectId>)> = Vec::new();
    for Unread { object, failure } in unread {
        let sort = failure.gap_kind();
        match gaps.iter_mut().find(|(known, _, _)| *known == sort) {
            Some((_, _, objects)) => objects.push(object),
            None => gaps.push((sort, failure, vec![object])),
        }
    }
    gaps.into_iter().map(|(sort, failure, objects)| group_gap(kind, sort, &failure, objects)).collect()
}

/// The gap of one object that could not be read.
pub(super) fn gap(kind: &ServedKind, unread: Unread) -> Gap {
    group_gap(kind, unread.failure.gap_kind(), &unread.failure, vec![unread.object])
}

fn group_gap(kind: &ServedKind, sort: GapKind, failure: &Failure, objects: Vec<ObjectId>) -> Gap {
    let what = match objects.as_slice() {
        [only] => only.to_string(),
        many => format!("{} objects of {}", many.len(), kind.gvk.group_kind()),
    };
    let first = objects.first().and_then(|object| object.namespace.clone());
    let namespace = first.filter(|first| objects.iter().all(|object| object.namespace.as_ref() == Some(first)));
    let hint = failure.kind_hint(kind, namespace.as_deref());
    let mut gap = Gap::new(sort, format!("{what} cannot be read: {failure}"), Hides::Objects { objects });
    gap.place = Some(paths::place(kind, namespace.as_deref()));
    gap.hint = hint;
    gap
}
