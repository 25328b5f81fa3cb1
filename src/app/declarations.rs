//! What contents declare of objects, read for one object at a time.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use memchr::memmem;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::adapters::git::{BlobReader, OpenedRepository};
use crate::adapters::render::heads::{HeadReader, ListItem, items_of, pieces_of};
use crate::adapters::render::manifest::{self, Reading};
use crate::model::declared::RenderedObject;
use crate::model::history::CommitInfo;
use crate::model::ids::{BlobId, CommitId};
use crate::model::moves;
use crate::model::resource::ObjectId;
use crate::model::versions::{Ended, Head, VersionIndex};
use crate::stages::normalise::{Applied, Side, normalise};
use crate::stages::object_history::ObjectVersion;
use crate::stages::timeline::{At, Stretch};

/// Bytes of pieces that are remembered; then all are forgotten.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// Reads objects out of contents. From version to version most pieces of a file stay the same: they are read once.
pub struct Declarations<'a> {
    repository: &'a OpenedRepository,
    blobs: BlobReader,
    reading: Reading<'a>,
    heads: HeadReader,
    most_bytes: u64,
    /// By their hash.
    pieces: HashMap<[u8; 32], Rc<PieceRead>>,
    remembered: usize,
    /// What was read last: the objects of one file ask for the same contents, one after another.
    content: Option<(BlobId, Rc<Content>)>,
    commits: HashMap<CommitId, Option<Arc<CommitInfo>>>,
}

/// Where a stretch stands on its line: the commit that it begins with (of one that began before the history at hand, the last commit
/// before that) and its last one, with how many commits each is behind the tip.
pub struct LinePlace {
    /// Where it begins.
    pub from: CommitId,
    /// How far that is behind.
    pub behind: u64,
    /// Where it ends, and how far that is behind.
    pub last: (CommitId, u64),
}

/// A content, and what was found out about it so far.
struct Content {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
    /// Whether anything in it is written in another way than as it reads.
    escapes: OnceCell<bool>,
}

/// A part of a content that is read by itself: a document, or an item of a list.
struct Piece {
    range: Range<usize>,
    /// The document's range, where this is an item of a list.
    item: Option<(Range<usize>, ListItem)>,
    read: OnceCell<Rc<PieceRead>>,
}

/// What was read of a piece.
struct PieceRead {
    /// What it names; `None` where that cannot be read.
    heads: Option<Rc<[Head]>>,
    /// What it declares, once that was asked; `None` where it cannot be read by itself.
    objects: OnceCell<Option<Rc<Vec<RenderedObject>>>>,
}

impl Content {
    fn new(bytes: Vec<u8>) -> Self {
        let mut start = 0;
        let mut pieces = Vec::new();
        for document in pieces_of(&bytes) {
            let range = start..start + document.len();
            start = range.end;
            let piece = |range: Range<usize>, item| Piece { range, item, read: OnceCell::new() };
            match items_of(document) {
                Some(items) => pieces.extend(items.into_iter().map(|item| {
                    let Range { start, end } = item.range;
                    piece(range.start + start..range.start + end, Some((range.clone(), item)))
                })),
                None => pieces.push(piece(range, None)),
            }
        }
        Self { bytes, pieces, escapes: OnceCell::new() }
    }

    /// A piece as a document.
    fn text(&self, piece: &Piece) -> Cow<'_, [u8]> {
        match &piece.item {
            Some((list, item)) => item.document(&self.bytes[list.clone()]).into(),
            None => self.bytes[piece.range.clone()].into(),
        }
    }

    fn holds(&self, text: &[u8]) -> bool {
        memmem::find(&self.bytes, text).is_some()
    }

    /// Whether there is an escape of YAML or JSON that may stand for a letter, or one that joins two lines.
    fn has_escapes(&self) -> bool {
        let escapes = [&b"\\x"[..], b"\\u", b"\\U", b"\\/", b"\\\n", b"\\\r"];
        *self.escapes.get_or_init(|| escapes.into_iter().any(|escape| self.holds(escape)))
    }
}

impl<'a> Declarations<'a> {
    /// With nothing read yet.
    pub fn new(repository: &'a OpenedRepository, reading: Reading<'a>, most_bytes: u64) -> Self {
        Self {
            repository,
            blobs: repository.blobs(),
            heads: HeadReader::new(reading.limits),
            reading,
            most_bytes,
            pieces: HashMap::new(),
            remembered: 0,
            content: None,
            commits: HashMap::new(),
        }
    }

    /// A commit, as it is shown; `None` where it cannot be read.
    pub fn commit(&mut self, id: &CommitId) -> Option<Arc<CommitInfo>> {
        if let Some(known) = self.commits.get(id) {
            return known.clone();
        }
        let info = self.repository.commit(id).ok().map(Arc::new);
        self.commits.insert(id.clone(), info.clone());
        info
    }

    /// Where a stretch of an index stands on its line. `newer` is the commit that the next stretch begins with. `None` before the first
    /// commit of all.
    pub fn place(&self, index: &VersionIndex, stretch: Stretch, newer: Option<usize>) -> Option<LinePlace> {
        let oldest = index.commits.first()?;
        let (from, behind) = match stretch.from {
            Some(from) => (index.commits.get(from)?.clone(), index.behind(from)),
            None if index.ended.is_none() && index.base.is_empty() => return None,
            // What the oldest commit of a shallow clone changed is not known: at that commit it was so.
            None if index.ended == Some(Ended::Shallow) => (oldest.clone(), index.behind(0)),
            // What was there before the oldest commit at hand stood at its first parent.
            None => {
                let parent = self.repository.parents(oldest).into_iter().next();
                (parent.unwrap_or_else(|| oldest.clone()), index.commits.len() as u64)
            }
        };
        let last = match newer {
            Some(newer) => {
                newer.checked_sub(1).and_then(|last| Some((index.commits.get(last)?.clone(), index.behind(last))))
            }
            None => index.tip().map(|tip| (tip.clone(), 0)),
        };
        Some(LinePlace { last: last.unwrap_or_else(|| (from.clone(), behind)), from, behind })
    }

    /// What a stretch of an index declares of an object. A content that is readable and holds none of the `needles` is not read as
    /// YAML: the object is then an empty one. `None` before the first commit of all, and where a commit cannot be read.
    pub fn version(
        &mut self,
        index: &VersionIndex,
        id: &ObjectId,
        stretch: Stretch,
        newer: Option<usize>,
        needles: Option<&[&str]>,
    ) -> Option<ObjectVersion> {
        let place = self.place(index, stretch, newer)?;
        let mut readable = stretch.at != At::Unknown;
        let value = match stretch.at {
            At::In { blob, .. } => {
                let value = index.blob(blob).cloned().and_then(|blob| match needles {
                    Some(needles) if !self.may_hold(&blob, needles) => Some(Value::Object(Map::new())),
                    _ => self.value(&blob, id),
                });
                readable &= value.is_some();
                value
            }
            At::Nowhere | At::Unknown => None,
        };
        let commit = self.commit(&place.from)?;
        let value = value.map(Arc::new);
        Some(ObjectVersion { commit, commits_behind: place.behind, last: place.last, value, readable })
    }

    /// The object that a content declares last under an identity, normalised and redacted.
    pub fn value(&mut self, blob: &BlobId, id: &ObjectId) -> Option<Value> {
        let content = self.content(blob)?;
        let mut found = None;
        for piece in &content.pieces {
            let read = piece.read.get_or_init(|| self.read(&content, piece));
            if read.heads.as_ref().is_some_and(|heads| heads.iter().all(|head| head.name != id.name)) {
                continue;
            }
            let objects = read.objects.get_or_init(|| self.objects(&content, piece)).clone();
            let objects = objects.or_else(|| self.whole(&content, piece)).unwrap_or_default();
            if let Some(object) = objects.iter().rev().find(|object| is(object, id, self.reading.namespace)) {
                let mut value = object.tree().ok()?;
                normalise(&mut value, &id.group_kind(), Side::Declared, &mut Applied::new());
                found = Some(value);
            }
        }
        found
    }

    /// Whether one of some plain words may be a value in a content: it is written there, or something is written there in another way.
    fn may_hold(&mut self, blob: &BlobId, needles: &[&str]) -> bool {
        let Some(content) = self.content(blob) else { return true };
        content.has_escapes() || needles.iter().any(|needle| content.holds(needle.as_bytes()))
    }

    fn content(&mut self, blob: &BlobId) -> Option<Rc<Content>> {
        if let Some((_, content)) = self.content.as_ref().filter(|(known, _)| known == blob) {
            return Some(content.clone());
        }
        let content = Rc::new(Content::new(self.blobs.read(blob, self.most_bytes)?));
        self.content = Some((blob.clone(), content.clone()));
        Some(content)
    }

    /// From version to version most pieces of a file stay the same.
    fn read(&mut self, content: &Content, piece: &Piece) -> Rc<PieceRead> {
        let hash = Sha256::digest(&content.bytes[piece.range.clone()]).into();
        if let Some(known) = self.pieces.get(&hash) {
            return known.clone();
        }
        let read = PieceRead { heads: self.heads.of_piece(&content.text(piece)), objects: OnceCell::new() };
        let read = Rc::new(read);
        self.remember(hash, piece.range.len(), &read);
        read
    }

    fn remember(&mut self, hash: [u8; 32], bytes: usize, read: &Rc<PieceRead>) {
        self.remembered += bytes;
        if self.remembered > MOST_BYTES {
            self.pieces.clear();
            self.remembered = bytes;
        }
        self.pieces.insert(hash, read.clone());
    }

    /// What a piece declares. An item of a list that cannot be read by itself says nothing.
    fn objects(&self, content: &Content, piece: &Piece) -> Option<Rc<Vec<RenderedObject>>> {
        let read = manifest::read("", &content.text(piece), &self.reading);
        (piece.item.is_none() || read.gaps.is_empty()).then(|| Rc::new(read.objects))
    }

    /// What the list declares that a piece is an item of.
    fn whole(&mut self, content: &Content, piece: &Piece) -> Option<Rc<Vec<RenderedObject>>> {
        let (list, _) = piece.item.as_ref()?;
        let text = &content.bytes[list.clone()];
        let hash = Sha256::digest(text).into();
        let known = self.pieces.get(&hash).and_then(|known| known.objects.get().cloned().flatten());
        known.or_else(|| {
            let objects = Some(Rc::new(manifest::read("", text, &self.reading).objects));
            let read = PieceRead { heads: None, objects: OnceCell::from(objects.clone()) };
            self.remember(hash, text.len(), &Rc::new(read));
            objects
        })
    }
}

/// Whether an object has an identity, under any version and under an old name of its kind's group. A namespace that is not written is
/// the target's, or that of the target which had the file then: the name decides.
fn is(object: &RenderedObject, id: &ObjectId, namespace: &str) -> bool {
    let group = |group: &str| moves::group_now(group, &id.kind).to_owned();
    let same_namespace = match (&id.namespace, &object.namespace) {
        (None, _) | (Some(_), None) => true,
        (Some(wanted), Some(written)) => wanted == written || written == namespace && wanted == namespace,
    };
    object.name == id.name
        && object.gvk.kind == id.kind
        && group(&object.gvk.gv.group) == group(&id.group)
        && same_namespace
}
