//! The port: a dump in the place of a cluster.

use std::path::Path;

use bytes::{BufMut, Bytes, BytesMut};

use super::custom::{self, Kinds};
use super::files;
use super::inventory::{Held, Inventory};
use crate::model::discovery::{Discovery, ServedKind};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::ids::ClusterName;
use crate::model::resource::{GroupVersion, ObjectId};
use crate::model::schema::Schemas;
use crate::ports::{ListEvent, ListOutcome, ListRequest, LiveSource};

/// Objects in a page.
const PAGE_OBJECTS: usize = 500;
/// Bytes of objects after which a page is handed over.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Files that `kubectl get -o yaml` or `-o json` wrote, in the place of a cluster.
pub struct DumpCluster {
    name: ClusterName,
    inventory: Inventory,
    kinds: Kinds,
    /// What could not be read of the dump itself.
    unread: Vec<Gap>,
}

impl DumpCluster {
    /// Reads a dump: one file, or a folder with all its `.yaml`, `.yml` and `.json` files. Blocks.
    ///
    /// A broken document is a gap that [`LiveSource::discover`] reports; the others are read all the same.
    ///
    /// # Errors
    /// A gap that hides the cluster, where the path cannot be read or no object is in it.
    pub fn open(name: ClusterName, path: &Path) -> Result<Self, Gap> {
        let hides_all = |message: String| Gap::new(GapKind::Unreachable, message, Hides::Cluster).of_cluster(&name);
        let files = files::find(path).map_err(|(path, error)| {
            hides_all(format!("the dump cannot be read: {}", error.kind())).at(path.display().to_string())
        })?;
        let mut inventory = Inventory::default();
        let mut unread = Vec::new();
        for file in &files {
            files::read(file, &mut |place, document| match document {
                Ok(document) => unread.extend(inventory.add(document).into_iter().map(|error| {
                    Gap::new(GapKind::Parse, error.to_string(), files::nothing_in_particular()).at(place)
                })),
                Err(gap) => unread.push(gap),
            });
        }
        if inventory.kinds().next().is_none() && unread.is_empty() {
            return Err(hides_all(format!("the dump holds no object; {} files were read", files.len()))
                .at(path.display().to_string())
                .hint(
                    "write it with `kubectl get deployments,services,… --all-namespaces -o yaml --show-managed-fields`",
                ));
        }
        let unread = unread.into_iter().map(|gap| gap.of_cluster(&name)).collect();
        let mut kinds = custom::kinds(&inventory);
        kinds.gaps = kinds.gaps.into_iter().map(|gap| gap.of_cluster(&name)).collect();
        Ok(Self { name, inventory, kinds, unread })
    }

    fn gap(&self, kind: &ServedKind, sort: GapKind, message: String, hides: Hides) -> Gap {
        Gap::new(sort, message, hides).of_cluster(&self.name).at(kind.gvk.group_kind().to_string())
    }

    /// The dump was not made of this kind: that an object is not in it says nothing.
    fn without(&self, kind: &ServedKind, hides: Hides) -> Gap {
        let group = &kind.gvk.gv.group;
        let resource = if group.is_empty() { kind.plural.clone() } else { format!("{}.{group}", kind.plural) };
        let everywhere = if kind.namespaced { " --all-namespaces" } else { "" };
        self.gap(kind, GapKind::Unreachable, format!("the dump holds no {}", kind.gvk.kind), hides)
            .hint(format!("add the output of `kubectl get {resource}{everywhere} -o yaml --show-managed-fields` to it"))
    }

    fn other_version(&self, kind: &ServedKind, held: &str, objects: Vec<ObjectId>) -> Gap {
        let wanted = &kind.gvk.gv.version;
        let message = format!("the dump holds {} only at {held}, declared is {wanted}", counted(&objects));
        self.gap(kind, GapKind::Conversion, message, Hides::Objects { objects }).hint(format!(
            "dump this kind at the declared version, too: `kubectl get {}.{wanted}.{} -o yaml`",
            kind.plural, kind.gvk.gv.group
        ))
    }

    fn ambiguous(&self, kind: &ServedKind, objects: Vec<ObjectId>) -> Gap {
        let message = format!("the dump holds {} twice with different content", counted(&objects));
        self.gap(kind, GapKind::Parse, message, Hides::Objects { objects }).hint("keep only the newer files")
    }

    fn perhaps_broken(&self, kind: &ServedKind, objects: Vec<ObjectId>) -> Gap {
        let message = format!("{} may be in the part of the dump that cannot be read", counted(&objects));
        self.gap(kind, GapKind::Parse, message, Hides::Objects { objects })
    }
}

fn counted(objects: &[ObjectId]) -> String {
    match objects {
        [only] => only.to_string(),
        many => format!("{} objects", many.len()),
    }
}

impl LiveSource for DumpCluster {
    fn describe(&self) -> &'static str {
        "dump"
    }

    fn describe_schemas(&self) -> &'static str {
        "built-in schema or CRD in the dump"
    }

    async fn discover(&self) -> Result<(Discovery, Vec<Gap>), Gap> {
        let gaps = self.unread.iter().chain(&self.kinds.gaps).cloned().collect();
        Ok((self.kinds.discovery.clone(), gaps))
    }

    async fn schemas(&self, versions: &[GroupVersion]) -> (Schemas, Vec<Gap>) {
        let has_one = |gv: &GroupVersion| {
            self.kinds.discovery.kinds().any(|kind| kind.gvk.gv == *gv && self.kinds.schemas.kind(&kind.gvk).is_some())
        };
        let gaps = versions.iter().filter(|gv| !has_one(gv)).map(|gv| {
            let message = format!("no schema for {gv}, its kinds are compared without one");
            Gap::new(GapKind::Schema, message, Hides::Evidence)
                .of_cluster(&self.name)
                .at(gv.to_string())
                .hint("add the output of `kubectl get customresourcedefinitions -o yaml` to the dump")
        });
        (self.kinds.schemas.clone(), gaps.collect())
    }

    async fn list(&self, request: &ListRequest, each: &mut (dyn FnMut(ListEvent) + Send)) -> ListOutcome {
        let kind = &request.kind;
        let group_kind = kind.gvk.group_kind();
        let Some(known) = self.inventory.kind(&group_kind) else {
            let hides = Hides::Kind { kind: group_kind, namespace: None };
            return ListOutcome { gaps: vec![self.without(kind, hides)], everything: false };
        };
        let version = kind.gvk.gv.version.as_str();
        let mut other_versions: Vec<(&str, Vec<ObjectId>)> = Vec::new();
        let mut ambiguous = Vec::new();
        let mut page = Page::default();
        for (id, held) in known.all(&group_kind, version) {
            match held {
                Held::Object(raw) => {
                    page.push(raw.get());
                    if page.is_full() {
                        each(ListEvent::Page(page.take()));
                    }
                }
                Held::OtherVersion(held) => match other_versions.iter_mut().find(|(version, _)| *version == held) {
                    Some((_, objects)) => objects.push(id),
                    None => other_versions.push((held, vec![id])),
                },
                Held::Ambiguous => ambiguous.push(id),
                Held::Nothing => {}
            }
        }
        if page.objects > 0 {
            each(ListEvent::Page(page.take()));
        }
        let mut gaps: Vec<Gap> =
            other_versions.into_iter().map(|(held, objects)| self.other_version(kind, held, objects)).collect();
        if !ambiguous.is_empty() {
            gaps.push(self.ambiguous(kind, ambiguous));
        }
        if !self.unread.is_empty() {
            let absent = |o: &&ObjectId| matches!(known.find(o.namespace.as_deref(), &o.name, version), Held::Nothing);
            let absent: Vec<ObjectId> = request.wanted.iter().filter(absent).cloned().collect();
            if !absent.is_empty() {
                gaps.push(self.perhaps_broken(kind, absent));
            }
        }
        let everything = gaps.is_empty() && self.unread.is_empty();
        ListOutcome { gaps, everything }
    }

    async fn get(&self, kind: &ServedKind, object: &ObjectId) -> Result<Option<Bytes>, Gap> {
        let this = || vec![object.clone()];
        let Some(known) = self.inventory.kind(&kind.gvk.group_kind()) else {
            return Err(self.without(kind, Hides::Objects { objects: this() }));
        };
        match known.find(object.namespace.as_deref(), &object.name, &kind.gvk.gv.version) {
            Held::Object(raw) => Ok(Some(Bytes::copy_from_slice(raw.get().as_bytes()))),
            Held::OtherVersion(held) => Err(self.other_version(kind, held, this())),
            Held::Ambiguous => Err(self.ambiguous(kind, this())),
            Held::Nothing if self.unread.is_empty() => Ok(None),
            Held::Nothing => Err(self.perhaps_broken(kind, this())),
        }
    }
}

/// A page in the form of a LIST's answer.
#[derive(Default)]
struct Page {
    bytes: BytesMut,
    objects: usize,
}

impl Page {
    fn push(&mut self, object: &str) {
        self.bytes.put_slice(if self.objects == 0 { b"{\"items\":[" } else { b"," });
        self.bytes.put_slice(object.as_bytes());
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
