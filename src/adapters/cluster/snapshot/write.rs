//! Writing a snapshot: redacted before a byte goes out, whole or not at all.

use std::borrow::Cow;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use zstd::stream::write::Encoder;

use super::error::SnapshotError;
use super::format::{
    Covers, DiscoveryLine, End, Header, KindEnd, KindLine, LINE_BYTES, LeftOut, Line, OBJECT, SchemaLine,
};
use super::identity::identity;
use crate::model::canonical::hex;
use crate::model::discovery::{Discovery, ServedKind};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::redacted::redact_managed_fields_of;
use crate::model::resource::GroupVersion;
use crate::model::secret::{RedactionKey, RedactionRules, redact};

/// zstd's default: ten times smaller than JSON, faster than the API server answers.
const LEVEL: i32 = 3;
/// The reader allows no larger window.
const WINDOW_LOG: u32 = 21;

/// Writes a snapshot; what it is given may hold secret values, what it writes does not. Blocks.
pub struct SnapshotWriter {
    path: PathBuf,
    out: Out,
    redactor: Redactor,
    kind: Option<OpenKind>,
    objects: u64,
}

/// What became of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Size of the file.
    pub bytes: u64,
    /// Objects in it.
    pub objects: u64,
}

struct OpenKind {
    kind: ServedKind,
    objects: u64,
    broken: u64,
}

struct Redactor {
    key: Arc<RedactionKey>,
    rules: RedactionRules,
}

/// A page of a LIST.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow, default)]
    items: Vec<&'a RawValue>,
}

impl SnapshotWriter {
    /// Begins a file beside `path`; its folder is made. Secret values are hashed with `key`, as `rules` say.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn create(
        path: &Path,
        header: Header,
        key: Arc<RedactionKey>,
        rules: RedactionRules,
    ) -> Result<Self, SnapshotError> {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(SnapshotError::Write)?;
        // Readable by its owner alone, on systems that know owners.
        let file = NamedTempFile::new_in(folder).map_err(SnapshotError::Write)?;
        let out = Out { file: Some(BufWriter::new(file)), frame: None, hash: Sha256::new(), lines: 0 };
        let redactor = Redactor { key, rules };
        let mut writer = Self { path: path.to_owned(), out, redactor, kind: None, objects: 0 };
        writer.frame(&[Line::Header(Box::new(header))])?;
        Ok(writer)
    }

    /// What is served, what of that could not be read, and what is left out.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn discovery(
        &mut self,
        discovery: &Discovery,
        gaps: &[Gap],
        left_out: &[LeftOut],
    ) -> Result<(), SnapshotError> {
        self.frame(&[Line::Discovery(Box::new(DiscoveryLine::new(discovery, gaps, left_out)))])
    }

    /// The OpenAPI v3 document of a group version, or why there is none.
    ///
    /// # Errors
    /// The file cannot be written, or the document is no JSON or larger than a line may be.
    pub fn schema(&mut self, gv: &GroupVersion, document: Result<&[u8], Gap>) -> Result<(), SnapshotError> {
        let no_json = |_| SnapshotError::Damaged(format!("the document of {gv} is no JSON"));
        let mut line = SchemaLine { api_version: gv.api_version(), document: None, gap: None };
        match document {
            Ok(document) => {
                let text = std::str::from_utf8(document).map_err(|_| no_json(()))?;
                line.document = Some(RawValue::from_string(on_one_line(text).into_owned()).map_err(|_| no_json(()))?);
            }
            Err(gap) => line.gap = Some(gap),
        }
        self.frame(&[Line::Schema(line)])
    }

    /// Begins a kind at a version.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn begin_kind(&mut self, kind: &ServedKind) -> Result<(), SnapshotError> {
        self.kind = Some(OpenKind { kind: kind.clone(), objects: 0, broken: 0 });
        self.out.begin()?;
        let (api_version, kind) = (kind.gvk.gv.api_version(), kind.gvk.kind.clone());
        self.out.line(&Line::Kind(KindLine { api_version, kind }))
    }

    /// Redacts and writes the objects of a page of the kind's LIST.
    ///
    /// # Errors
    /// The file cannot be written. A page that is none becomes a gap of its kind.
    pub fn page(&mut self, page: &[u8]) -> Result<(), SnapshotError> {
        let Some(open) = &mut self.kind else { return Ok(()) };
        let Ok(page) = serde_json::from_slice::<Page<'_>>(page) else {
            open.broken += 1;
            return Ok(());
        };
        for item in page.items {
            match self.redactor.redacted(item, &open.kind) {
                Some(object) => {
                    open.objects += 1;
                    self.out.bytes(&[OBJECT, object.as_bytes(), b"}"])?;
                }
                None => open.broken += 1,
            }
        }
        Ok(())
    }

    /// The LIST began anew.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn restart(&mut self) -> Result<(), SnapshotError> {
        if let Some(open) = &mut self.kind {
            (open.objects, open.broken) = (0, 0);
        }
        self.out.line(&Line::Restart {})
    }

    /// Ends a kind: what was asked for, and what of that could not be read. Returns the gaps as they were written.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn end_kind(&mut self, covers: Covers, mut gaps: Vec<Gap>) -> Result<Vec<Gap>, SnapshotError> {
        let Some(open) = self.kind.take() else { return Ok(gaps) };
        if open.broken > 0 {
            let hides = Hides::Kind { kind: open.kind.gvk.group_kind(), namespace: None };
            let message = "a page of the LIST is no list of objects in JSON";
            gaps.push(Gap::new(GapKind::Parse, message, hides).at(open.kind.gvk.to_string()));
        }
        self.objects += open.objects;
        self.out.line(&Line::KindEnd(KindEnd { objects: open.objects, covers, gaps: gaps.clone() }))?;
        self.out.end()?;
        Ok(gaps)
    }

    /// Ends the file and puts it in its place.
    ///
    /// # Errors
    /// The file cannot be written or moved; what was at `path` before is still there.
    pub fn finish(mut self) -> Result<Written, SnapshotError> {
        let sha256 = hex(&<[u8; 32]>::from(std::mem::take(&mut self.out.hash).finalize()));
        let end = End { lines: self.out.lines, objects: self.objects, sha256 };
        self.frame(&[Line::End(end)])?;
        let Some(file) = self.out.file else { return Err(SnapshotError::Write(io::ErrorKind::BrokenPipe.into())) };
        let file = file.into_inner().map_err(|error| SnapshotError::Write(error.into_error()))?;
        file.as_file().sync_all().map_err(SnapshotError::Write)?;
        let bytes = file.as_file().metadata().map_err(SnapshotError::Write)?.len();
        file.persist(&self.path).map_err(|error| SnapshotError::Write(error.error))?;
        Ok(Written { bytes, objects: self.objects })
    }

    fn frame(&mut self, lines: &[Line]) -> Result<(), SnapshotError> {
        self.out.begin()?;
        lines.iter().try_for_each(|line| self.out.line(line))?;
        self.out.end()
    }
}

impl Redactor {
    /// An object as it may be written, on one line; `None` if it is none.
    fn redacted<'a>(&self, item: &'a RawValue, kind: &ServedKind) -> Option<Cow<'a, str>> {
        let id = identity(item.get().as_bytes(), kind)?;
        let mut value: Value = serde_json::from_str(item.get()).ok()?;
        let redacted = redact(&mut value, &id, &self.key, &self.rules);
        // managedFields may still name an element that is gone from the object.
        let renamed = redact_managed_fields_of(&mut value, &|part| redact(part, &id, &self.key, &self.rules));
        Some(if redacted || renamed { Cow::Owned(value.to_string()) } else { on_one_line(item.get()) })
    }
}

/// JSON has line ends only between its tokens.
fn on_one_line(json: &str) -> Cow<'_, str> {
    if json.contains(['\n', '\r']) { Cow::Owned(json.replace(['\n', '\r'], " ")) } else { Cow::Borrowed(json) }
}

/// Lines into frames into the file.
struct Out {
    /// Taken while a frame is open.
    file: Option<BufWriter<NamedTempFile>>,
    frame: Option<Encoder<'static, BufWriter<NamedTempFile>>>,
    hash: Sha256,
    lines: u64,
}

impl Out {
    fn begin(&mut self) -> Result<(), SnapshotError> {
        let Some(file) = self.file.take() else { return Err(SnapshotError::Write(io::ErrorKind::BrokenPipe.into())) };
        let encoder = Encoder::new(file, LEVEL).and_then(|mut encoder| {
            encoder.include_checksum(true)?;
            encoder.window_log(WINDOW_LOG)?;
            Ok(encoder)
        });
        self.frame = Some(encoder.map_err(SnapshotError::Write)?);
        Ok(())
    }

    fn line(&mut self, line: &Line) -> Result<(), SnapshotError> {
        let text = serde_json::to_vec(line).map_err(|error| SnapshotError::Write(error.into()))?;
        self.bytes(&[&text])
    }

    fn bytes(&mut self, parts: &[&[u8]]) -> Result<(), SnapshotError> {
        let Some(frame) = &mut self.frame else { return Err(SnapshotError::Write(io::ErrorKind::BrokenPipe.into())) };
        if parts.iter().map(|part| part.len()).sum::<usize>() > LINE_BYTES {
            return Err(SnapshotError::LineTooLong(LINE_BYTES));
        }
        for part in parts.iter().copied().chain([b"\n".as_slice()]) {
            self.hash.update(part);
            frame.write_all(part).map_err(SnapshotError::Write)?;
        }
        self.lines += 1;
        Ok(())
    }

    fn end(&mut self) -> Result<(), SnapshotError> {
        if let Some(frame) = self.frame.take() {
            self.file = Some(frame.finish().map_err(SnapshotError::Write)?);
        }
        Ok(())
    }
}
