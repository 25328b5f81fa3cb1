//! The port: a snapshot in the place of its cluster.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::{BufMut, Bytes, BytesMut};

use super::error::SnapshotError;
use super::format::{Covers, Header, Line, OBJECT};
use super::frames::{Budget, Frame};
use super::identity::identity;
use super::index::{self, Index, KindPlace, SchemaPlace};
use crate::adapters::cluster::blocking::beside_requests;
use crate::model::discovery::{Discovery, ServedKind};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::ids::ClusterName;
use crate::model::resource::{GroupVersion, ObjectId};
use crate::model::schema::Schemas;
use crate::model::time::Timestamp;
use crate::ports::{ListEvent, ListOutcome, ListRequest, LiveSource};

/// Objects in a page.
const PAGE_OBJECTS: usize = 500;
/// Bytes of objects after which a page is handed over.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// What `driftledger snapshot` wrote, in the place of the cluster.
pub struct SnapshotCluster {
    name: ClusterName,
    path: PathBuf,
    file: Arc<Mutex<File>>,
    index: Index,
    most_bytes: u64,
}

impl SnapshotCluster {
    /// Opens a snapshot and reads it once as a whole, so that what is served of it later is known to be undamaged. `most_bytes`
    /// is how many bytes it may hold after decompression. Blocks.
    ///
    /// # Errors
    /// A gap that hides the cluster: the file cannot be read, is no snapshot, is cut off or damaged, is of another version, or
    /// holds more than allowed.
    pub fn open(name: ClusterName, path: &Path, most_bytes: u64) -> Result<Self, Gap> {
        match index::open(path, most_bytes) {
            Ok((file, index)) => Ok(Self { name, path: path.to_owned(), file, index, most_bytes }),
            Err(error) => Err(error.gap(&name, path, Hides::Cluster)),
        }
    }

    /// When, of what and how it was taken.
    pub fn header(&self) -> &Header {
        &self.index.header
    }

    /// A gap as it was recorded, of the cluster as it is called here.
    fn ours(&self, gap: &Gap) -> Gap {
        gap.clone().of_cluster(&self.name)
    }

    fn gap(&self, kind: &ServedKind, sort: GapKind, message: String, hides: Hides) -> Gap {
        Gap::new(sort, message, hides).of_cluster(&self.name).at(kind.gvk.group_kind().to_string())
    }

    /// Calls `each` for the objects of a frame, as JSON text.
    fn objects(&self, place: &KindPlace, each: &mut dyn FnMut(Item<'_>)) -> Result<(), SnapshotError> {
        let mut budget = Budget::new(self.most_bytes);
        let mut frame = Frame::at(&self.file, place.frame)?;
        while let Some(line) = frame.next(&mut budget)? {
            match line.strip_prefix(OBJECT).and_then(|rest| rest.strip_suffix(b"}")) {
                Some(object) => each(Item::Object(object)),
                None if matches!(serde_json::from_slice(line), Ok(Line::Restart {})) => each(Item::Restart),
                None => {}
            }
        }
        Ok(())
    }

    fn document(&self, frame: u64) -> Result<Schemas, SnapshotError> {
        let damaged = || SnapshotError::Damaged("a schema is not where it was".to_owned());
        let mut frame = Frame::at(&self.file, frame)?;
        let mut budget = Budget::new(self.most_bytes);
        let line = frame.next(&mut budget)?.ok_or_else(damaged)?;
        let Ok(Line::Schema(schema)) = serde_json::from_slice(line) else { return Err(damaged()) };
        let document = schema.document.ok_or_else(damaged)?;
        Schemas::from_openapi_v3(document.get().as_bytes()).map_err(|error| SnapshotError::Damaged(error.to_string()))
    }

    /// Nothing of the kind was read, at any version.
    fn without(&self, kind: &ServedKind, hides: Hides) -> Gap {
        let group_kind = kind.gvk.group_kind();
        let left_out = self.index.discovery.left_out.iter().find(|left_out| left_out.kind == group_kind);
        let why = left_out.map(|left_out| format!(": {}", left_out.reason)).unwrap_or_default();
        self.gap(kind, GapKind::Unreachable, format!("the snapshot was taken without {group_kind}{why}"), hides)
            .hint(format!("take it again with `driftledger snapshot --kinds {group_kind}`, with the other kinds added"))
    }

    /// The kind was read at another version: what is there cannot be converted here.
    fn other_version(&self, kind: &ServedKind, held: &str, objects: Vec<ObjectId>) -> Gap {
        let what = match objects.as_slice() {
            [only] => only.to_string(),
            many => format!("{} objects", many.len()),
        };
        let message = format!("the snapshot holds {what} only at {held}, declared is {}", kind.gvk.gv.version);
        self.gap(kind, GapKind::Conversion, message, Hides::Objects { objects })
            .hint("take it again while a target declares this version, or with `--all-versions`")
    }

    /// What of the wanted objects was not asked for when the snapshot was taken: that they are not in it says nothing.
    fn not_asked(&self, kind: &ServedKind, place: &KindPlace, absent: Vec<ObjectId>) -> Option<Gap> {
        let (unasked, mut gap) = match &place.end.covers {
            Covers::Everything {} => return None,
            Covers::Namespaces { names } => {
                let outside = |o: &ObjectId| !o.namespace.as_ref().is_some_and(|n| names.contains(n));
                let message = format!("the snapshot was taken of the namespaces {} only", names.join(", "));
                let gap = self.gap(kind, GapKind::Unreachable, message, Hides::Evidence);
                (absent.into_iter().filter(outside).collect::<Vec<_>>(), gap)
            }
            Covers::Objects { asked, instead } => {
                let asked: BTreeSet<&ObjectId> = asked.iter().collect();
                (absent.into_iter().filter(|o| !asked.contains(o)).collect(), self.ours(instead))
            }
        };
        gap.hides = Hides::Objects { objects: unasked };
        (!matches!(&gap.hides, Hides::Objects { objects } if objects.is_empty())).then_some(gap)
    }

    /// The gaps recorded with a kind, as far as they are about what is wanted.
    fn recorded(&self, place: &KindPlace, wanted: &[ObjectId]) -> Vec<Gap> {
        let wanted: BTreeSet<&ObjectId> = wanted.iter().collect();
        let about = |gap: &Gap| match &gap.hides {
            Hides::Objects { objects } if !objects.is_empty() => {
                let objects: Vec<ObjectId> = objects.iter().filter(|o| wanted.contains(o)).cloned().collect();
                (!objects.is_empty()).then(|| Gap { hides: Hides::Objects { objects }, ..self.ours(gap) })
            }
            _ => Some(self.ours(gap)),
        };
        place.end.gaps.iter().filter_map(about).collect()
    }

    /// A LIST of everything of the kind, nothing being wanted in particular, is only whole if the snapshot is.
    fn not_everything(&self, kind: &ServedKind, place: &KindPlace) -> Option<Gap> {
        let whole = Hides::Kind { kind: kind.gvk.group_kind(), namespace: None };
        match &place.end.covers {
            Covers::Everything {} => None,
            Covers::Namespaces { names } => {
                let message = format!("the snapshot was taken of the namespaces {} only", names.join(", "));
                Some(self.gap(kind, GapKind::Unreachable, message, whole))
            }
            Covers::Objects { instead, .. } => Some(Gap { hides: whole, ..self.ours(instead) }),
        }
    }

    fn list_now(&self, request: &ListRequest, each: &mut (dyn FnMut(ListEvent) + Send)) -> Vec<Gap> {
        let kind = &request.kind;
        let group_kind = kind.gvk.group_kind();
        let hides_kind = || Hides::Kind { kind: group_kind.clone(), namespace: None };
        let unreadable = |error: SnapshotError| vec![error.gap(&self.name, &self.path, hides_kind())];
        let Some(place) = self.index.kinds.get(&kind.gvk) else {
            let other = self.index.kinds.iter().find(|(gvk, _)| gvk.group_kind() == group_kind);
            let Some((held, place)) = other else { return vec![self.without(kind, hides_kind())] };
            if request.wanted.is_empty() {
                let objects = Vec::new();
                return vec![Gap { hides: hides_kind(), ..self.other_version(kind, &held.gv.version, objects) }];
            }
            let (found, absent) = match self.split(place, kind, &request.wanted) {
                Ok(split) => split,
                Err(error) => return unreadable(error),
            };
            let mut gaps = self.recorded(place, &request.wanted);
            gaps.extend((!found.is_empty()).then(|| self.other_version(kind, &held.gv.version, found)));
            gaps.extend(self.not_asked(kind, place, absent));
            return gaps;
        };
        let mut page = Page::default();
        let read = self.objects(place, &mut |item| match item {
            Item::Object(object) => {
                page.push(object);
                if page.is_full() {
                    each(ListEvent::Page(page.take()));
                }
            }
            Item::Restart => {
                page = Page::default();
                each(ListEvent::Restart);
            }
        });
        if let Err(error) = read {
            return unreadable(error);
        }
        if page.objects > 0 {
            each(ListEvent::Page(page.take()));
        }
        let mut gaps = self.recorded(place, &request.wanted);
        match place.end.covers {
            Covers::Everything {} => {}
            _ if request.wanted.is_empty() => gaps.extend(self.not_everything(kind, place)),
            _ => match self.split(place, kind, &request.wanted) {
                Ok((_, absent)) => {
                    let told = |o: &ObjectId| {
                        gaps.iter().any(|g| matches!(&g.hides, Hides::Objects { objects } if objects.contains(o)))
                    };
                    let absent = absent.into_iter().filter(|object| !told(object)).collect();
                    let gap = self.not_asked(kind, place, absent);
                    gaps.extend(gap);
                }
                Err(error) => return unreadable(error),
            },
        }
        gaps
    }

    /// Which of the wanted objects are in a frame and which are not.
    fn split(
        &self,
        place: &KindPlace,
        kind: &ServedKind,
        wanted: &[ObjectId],
    ) -> Result<(Vec<ObjectId>, Vec<ObjectId>), SnapshotError> {
        let mut held = BTreeSet::new();
        self.objects(place, &mut |item| match item {
            Item::Object(object) => held.extend(identity(object, kind)),
            Item::Restart => held.clear(),
        })?;
        Ok(wanted.iter().cloned().partition(|object| held.contains(object)))
    }

    fn get_now(&self, kind: &ServedKind, wanted: &ObjectId) -> Result<Option<Bytes>, Gap> {
        let this = || vec![wanted.clone()];
        let hides = || Hides::Objects { objects: this() };
        let group_kind = kind.gvk.group_kind();
        let mut at = self.index.kinds.get_key_value(&kind.gvk);
        if at.is_none() {
            at = self.index.kinds.iter().find(|(gvk, _)| gvk.group_kind() == group_kind);
        }
        let Some((held, place)) = at else { return Err(self.without(kind, hides())) };
        let mut found = None;
        let read = self.objects(place, &mut |item| match item {
            // Most objects are not this one, and need not be parsed to see that.
            Item::Object(object) if memchr::memmem::find(object, wanted.name.as_bytes()).is_some() => {
                if identity(object, kind).as_ref() == Some(wanted) {
                    found = Some(Bytes::copy_from_slice(object));
                }
            }
            Item::Object(_) => {}
            Item::Restart => found = None,
        });
        read.map_err(|error| error.gap(&self.name, &self.path, hides()))?;
        match found {
            Some(object) if held.gv == kind.gvk.gv => return Ok(Some(object)),
            Some(_) => return Err(self.other_version(kind, &held.gv.version, this())),
            None => {}
        }
        let hidden = |gap: &Gap| match &gap.hides {
            Hides::Objects { objects } => objects.contains(wanted),
            Hides::Kind { namespace, .. } => namespace.is_none() || *namespace == wanted.namespace,
            _ => false,
        };
        let recorded = self.recorded(place, &this()).into_iter().find(hidden);
        match recorded.or_else(|| self.not_asked(kind, place, this())) {
            Some(gap) => Err(gap),
            None => Ok(None),
        }
    }
}

enum Item<'a> {
    Object(&'a [u8]),
    Restart,
}

impl LiveSource for SnapshotCluster {
    fn describe(&self) -> &'static str {
        "snapshot"
    }

    fn describe_schemas(&self) -> &'static str {
        "OpenAPI v3 of the cluster"
    }

    fn taken_at(&self) -> Option<Timestamp> {
        Some(self.index.header.taken_at)
    }

    fn redacted_by(&self) -> Option<&str> {
        Some(&self.index.header.redaction_key)
    }

    async fn discover(&self) -> Result<(Discovery, Vec<Gap>), Gap> {
        let gaps = self.index.discovery.gaps.iter().map(|gap| self.ours(gap)).collect();
        Ok((self.index.discovery.discovery(&self.index.header), gaps))
    }

    async fn schemas(&self, versions: &[GroupVersion]) -> (Schemas, Vec<Gap>) {
        let mut schemas = Schemas::default();
        let mut gaps = Vec::new();
        for gv in versions {
            match self.index.schemas.get(gv) {
                Some(SchemaPlace::Frame(frame)) => match beside_requests(|| self.document(*frame)) {
                    Ok(document) => schemas.extend(document),
                    Err(error) => gaps.push(error.gap(&self.name, &self.path, Hides::Evidence)),
                },
                Some(SchemaPlace::Gap(gap)) => gaps.push(self.ours(gap)),
                // No kind of it was read; each of them is a gap already.
                None => {}
            }
        }
        (schemas, gaps)
    }

    async fn list(&self, request: &ListRequest, each: &mut (dyn FnMut(ListEvent) + Send)) -> ListOutcome {
        let gaps = beside_requests(|| self.list_now(request, each));
        let taken = self.index.kinds.get(&request.kind.gvk);
        let all_taken = taken.is_some_and(|place| matches!(place.end.covers, Covers::Everything {}));
        ListOutcome { everything: all_taken && gaps.is_empty(), gaps }
    }

    async fn get(&self, kind: &ServedKind, object: &ObjectId) -> Result<Option<Bytes>, Gap> {
        beside_requests(|| self.get_now(kind, object))
    }
}

/// A page in the form of a LIST's answer.
#[derive(Default)]
struct Page {
    bytes: BytesMut,
    objects: usize,
}

impl Page {
    fn push(&mut self, object: &[u8]) {
        self.bytes.put_slice(if self.objects == 0 { b"{\"items\":[" } else { b"," });
        self.bytes.put_slice(object);
        self.objects += 1;
    }

    fn is_full(&self) -> bool {
        self.objects == PAGE_OBJECTS || self.bytes.len() > PAGE_BYTES
    }

    fn take(&mut self) -> Bytes {
        self.objects = 0;
        self.bytes.put_slice(b"]}");
        self.bytes.split().freeze()
    }
}
