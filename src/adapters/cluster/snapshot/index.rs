//! The first reading of a snapshot: it is whole and undamaged, and where in the file each part is.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::error::SnapshotError;
use super::format::{DiscoveryLine, End, Header, KindEnd, Line, OBJECT, SCHEMA, SCHEMA_OF_ANY_VERSION};
use super::frames::{Budget, Frame, MAGIC};
use crate::model::canonical::hex;
use crate::model::gap::Gap;
use crate::model::resource::{GroupVersion, Gvk};

/// What a snapshot holds and where.
pub(super) struct Index {
    pub(super) header: Header,
    pub(super) discovery: DiscoveryLine,
    pub(super) schemas: BTreeMap<GroupVersion, SchemaPlace>,
    pub(super) kinds: BTreeMap<Gvk, KindPlace>,
}

/// The schemas of a group version.
pub(super) enum SchemaPlace {
    /// The frame with the document.
    Frame(u64),
    /// There is none.
    Gap(Box<Gap>),
}

/// The objects of a kind.
pub(super) struct KindPlace {
    /// The frame with the objects.
    pub(super) frame: u64,
    pub(super) end: KindEnd,
}

/// Opens the file and reads all of it once. Nothing but the index stays in memory.
pub(super) fn open(path: &Path, most_bytes: u64) -> Result<(Arc<Mutex<File>>, Index), SnapshotError> {
    let mut file = File::open(path).map_err(SnapshotError::Read)?;
    let metadata = file.metadata().map_err(SnapshotError::Read)?;
    if !metadata.is_file() {
        return Err(SnapshotError::NoSnapshot("it is not a regular file"));
    }
    if metadata.len() == 0 {
        return Err(SnapshotError::NoSnapshot("it is empty"));
    }
    let mut magic = [0; MAGIC.len()];
    if file.read_exact(&mut magic).is_err() || magic != MAGIC {
        return Err(SnapshotError::NoSnapshot("it is not compressed with zstd"));
    }
    file.rewind().map_err(SnapshotError::Read)?;
    let file = Arc::new(Mutex::new(file));
    let index = Reader::new(most_bytes).read(&file, metadata.len())?;
    Ok((file, index))
}

struct Reader {
    budget: Budget,
    hash: Sha256,
    lines: u64,
    objects: u64,
    header: Option<Header>,
    discovery: Option<DiscoveryLine>,
    schemas: BTreeMap<GroupVersion, SchemaPlace>,
    kinds: BTreeMap<Gvk, KindPlace>,
    /// The kind whose frame is being read, its frame and its objects so far.
    open: Option<(Gvk, u64, u64)>,
    end: Option<End>,
}

impl Reader {
    fn new(most_bytes: u64) -> Self {
        Self {
            budget: Budget::new(most_bytes),
            hash: Sha256::new(),
            lines: 0,
            objects: 0,
            header: None,
            discovery: None,
            schemas: BTreeMap::new(),
            kinds: BTreeMap::new(),
            open: None,
            end: None,
        }
    }

    fn read(mut self, file: &Arc<Mutex<File>>, length: u64) -> Result<Index, SnapshotError> {
        let mut at = 0;
        while at < length {
            let mut frame = Frame::at(file, at)?;
            let mut first = true;
            while let Some(line) = frame.next(&mut self.budget)? {
                self.line(line, at, first)?;
                first = false;
            }
            if self.open.is_some() {
                return Err(damaged("a kind has no end"));
            }
            let next = frame.end();
            if next <= at {
                return Err(damaged("a frame is empty"));
            }
            at = next;
        }
        let end = self.end.ok_or(SnapshotError::CutOff)?;
        let sha256 = hex(&<[u8; 32]>::from(self.hash.finalize()));
        if end != (End { lines: self.lines, objects: self.objects, sha256 }) {
            return Err(damaged("its content does not have the checksum in its last line"));
        }
        match (self.header, self.discovery) {
            (Some(header), Some(discovery)) => {
                Ok(Index { header, discovery, schemas: self.schemas, kinds: self.kinds })
            }
            _ => Err(damaged("it does not say what the cluster serves")),
        }
    }

    fn line(&mut self, line: &[u8], frame: u64, first: bool) -> Result<(), SnapshotError> {
        if self.end.is_some() {
            return Err(damaged("something follows its last line"));
        }
        let parsed = if line.starts_with(OBJECT) { None } else { Some(self.parse(line)?) };
        if let Some(Line::End(end)) = parsed {
            self.end = Some(end);
            return Ok(());
        }
        self.hash.update(line);
        self.hash.update(b"\n");
        self.lines += 1;
        let in_its_frame = || match first {
            true => Ok(frame),
            false => Err(damaged("its parts are not where they were: it was compressed anew by another program")),
        };
        match parsed {
            None => self.open.as_mut().map(|(_, _, objects)| *objects += 1).ok_or_else(|| out_of_place("an object"))?,
            Some(Line::Header(header)) => self.header = Some(*header),
            Some(Line::Discovery(discovery)) => self.discovery = Some(*discovery),
            Some(Line::Schema(schema)) => {
                let frame = in_its_frame()?;
                let place = schema.gap.map_or(SchemaPlace::Frame(frame), |gap| SchemaPlace::Gap(Box::new(gap)));
                self.schemas.insert(GroupVersion::parse(&schema.api_version), place);
            }
            Some(Line::Kind(kind)) => {
                self.open = Some((Gvk::new(&kind.api_version, kind.kind), in_its_frame()?, 0));
            }
            Some(Line::Restart {}) => match &mut self.open {
                Some((_, _, objects)) => *objects = 0,
                None => return Err(out_of_place("a restart")),
            },
            Some(Line::KindEnd(end)) => {
                let (gvk, frame, objects) = self.open.take().ok_or_else(|| out_of_place("the end of a kind"))?;
                if end.objects != objects {
                    return Err(SnapshotError::Damaged(format!("{gvk} does not have as many objects as it says")));
                }
                self.objects += objects;
                self.kinds.insert(gvk, KindPlace { frame, end });
            }
            Some(Line::End(_)) => {}
        }
        Ok(())
    }

    /// The first line decides whether the file is a snapshot, and one that this program can read.
    fn parse(&self, line: &[u8]) -> Result<Line, SnapshotError> {
        if self.header.is_some() {
            return serde_json::from_slice(line).map_err(|_| damaged("a line is none of this format"));
        }
        let no_header = || SnapshotError::NoSnapshot("its first line is not the header of one");
        let value: Value = serde_json::from_slice(line).map_err(|_| no_header())?;
        match value.pointer("/header/schema").and_then(Value::as_str) {
            Some(SCHEMA) => serde_json::from_slice(line).map_err(|_| damaged("its header is not one of its format")),
            Some(other) if other.starts_with(SCHEMA_OF_ANY_VERSION) => {
                Err(SnapshotError::OtherVersion(other.chars().filter(|c| !c.is_control()).take(60).collect()))
            }
            _ => Err(no_header()),
        }
    }
}

fn damaged(what: &str) -> SnapshotError {
    SnapshotError::Damaged(what.to_owned())
}

fn out_of_place(what: &str) -> SnapshotError {
    SnapshotError::Damaged(format!("{what} stands where none can be"))
}
