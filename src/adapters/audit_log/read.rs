//! Reads the files of a log within its bounds.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use flate2::read::MultiGzDecoder;

use super::files::{self, Files, GZIP, LogFile};
use super::kept::{Kept, MOST_OF_AN_OBJECT};
use super::pieces::{Piece, Pieces};
use super::recognise::recognise;
use crate::model::audit_event::Write;
use crate::model::discovery::Resources;
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::resource::ObjectId;
use crate::model::secret::{RedactionKey, RedactionRules};
use crate::model::time::Timestamp;

/// Gaps that are told of single files; more are told together.
const MOST_FILE_GAPS: usize = 20;
/// A file that was last written this long before what is looked for holds nothing of it, whatever the clocks of two machines say.
const SLACK: Duration = Duration::from_secs(3600);
/// Pieces between two looks at the clock.
const CLOCK_EVERY: u64 = 256;

/// What is wanted of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Nothing: it is about an object or a time that nobody asks about.
    Nothing,
    /// Who wrote and when.
    Head,
    /// Its content as well.
    Body,
}

/// What to read.
pub struct LogRequest<'a> {
    /// A file, or a folder with rotated files.
    pub path: &'a Path,
    /// Whether addresses are kept.
    pub source_ips: bool,
    /// Most bytes in all, after decompression; the newest files come first.
    pub most_bytes: u64,
    /// Time for all of it.
    pub most_time: Duration,
    /// Nobody asks about anything older; `None`: as far back as the log reaches.
    pub newer_than: Option<Timestamp>,
    /// The cluster's kinds by their names in URLs.
    pub resources: &'a Resources,
    /// For what is secret in contents.
    pub key: &'a RedactionKey,
    /// What is secret.
    pub redaction: &'a RedactionRules,
    /// What is wanted of a write to an object at a time. An object without a name stands for a deleted collection.
    pub wants: &'a dyn Fn(&ObjectId, Timestamp) -> Want,
}

/// What a log holds.
#[derive(Debug, Default)]
pub struct LogOutcome {
    /// The wanted writes of each object, oldest first: the newest 1,000 of each.
    pub writes: BTreeMap<ObjectId, Vec<Write>>,
    /// From when to when the log at hand reaches; `None` where it holds no event.
    pub span: Option<(Timestamp, Timestamp)>,
    /// What could not be read; all of it hides evidence only.
    pub gaps: Vec<Gap>,
    /// Files and links in the folder that are no logs by their names.
    pub passed_over: u64,
}

/// Reads a log. Blocks.
pub fn read(request: &LogRequest<'_>) -> LogOutcome {
    let files = match files::find(request.path) {
        Ok(files) => files,
        Err(error) => {
            let gap = gap(GapKind::Parse, request.path, format!("the audit log cannot be read: {}", why(&error)))
                .hint("check `auditLog` in the configuration and the rights of the file");
            return LogOutcome { gaps: vec![gap], ..LogOutcome::default() };
        }
    };
    let mut reader = Reader {
        request,
        kept: Kept::new(request),
        gaps: Vec::new(),
        left: request.most_bytes,
        deadline: Instant::now().checked_add(request.most_time),
        older_files: false,
    };
    reader.files(&files);
    reader.done(&files)
}

struct Reader<'a> {
    request: &'a LogRequest<'a>,
    kept: Kept<'a>,
    gaps: Vec<Gap>,
    left: u64,
    deadline: Option<Instant>,
    /// Whether files were left out because everything in them is too old.
    older_files: bool,
}

/// What a file held that could not be read.
#[derive(Default)]
struct Trouble {
    events: u64,
    bad: u64,
    first: u64,
    too_long: u64,
    /// The line that the stream ended in, if nothing can be made of it.
    open: Option<u64>,
}

impl Trouble {
    fn at(&mut self, line: u64) {
        if self.bad == 0 {
            self.first = line;
        }
        self.bad += 1;
    }
}

/// Why reading ends before the last file.
enum End {
    Bytes,
    Time,
}

impl Reader<'_> {
    fn files(&mut self, files: &Files) {
        for (path, error) in &files.failed {
            self.gaps.push(gap(GapKind::Parse, path, format!("cannot be read: {}", why(error))));
        }
        for (n, file) in files.logs.iter().enumerate() {
            if self.is_too_old(file) {
                self.older_files = true;
                continue;
            }
            let mut trouble = Trouble::default();
            let read = self.file(n, file, &mut trouble);
            self.tell(&file.path, &trouble);
            let left_out = files.logs.len() - n - 1;
            match read {
                Ok(None) => {}
                Ok(Some(end)) => return self.ended(&end, &file.path, left_out),
                Err(error) => {
                    let message = match error.kind() {
                        io::ErrorKind::UnexpectedEof => "the file is cut off; what was before is read".to_owned(),
                        _ => format!("cannot be read to its end: {}", why(&error)),
                    };
                    self.gaps.push(gap(GapKind::Parse, &file.path, message));
                }
            }
        }
    }

    fn is_too_old(&self, file: &LogFile) -> bool {
        let written = file.modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        let (Some(written), Some(newer_than)) = (written, self.request.newer_than) else { return false };
        let newer_than = u64::try_from(newer_than.unix()).unwrap_or_default();
        (written + SLACK).as_secs() < newer_than
    }

    fn file(&mut self, n: usize, file: &LogFile, trouble: &mut Trouble) -> io::Result<Option<End>> {
        let mut opened = File::open(&file.path)?;
        let mut magic = Vec::new();
        opened.by_ref().take(2).read_to_end(&mut magic)?;
        opened.rewind()?;
        let gzipped = magic == GZIP;
        if !gzipped && file.bytes > self.left {
            // Of a plain file the end is the newest part.
            opened.seek(SeekFrom::Start(file.bytes - self.left))?;
            let bounded = BufReader::with_capacity(1 << 16, opened.take(self.left));
            let pieces = Pieces::from_the_middle(bounded)?;
            self.pieces(n, pieces, trouble)?;
            return Ok(Some(End::Bytes));
        }
        let stream: Box<dyn Read> =
            if gzipped { Box::new(MultiGzDecoder::new(BufReader::new(opened))) } else { Box::new(opened) };
        let most = self.left;
        let mut bounded = BufReader::with_capacity(1 << 16, stream.take(most));
        let ended = self.pieces(n, Pieces::new(&mut bounded), trouble)?;
        self.left = bounded.get_ref().limit();
        if ended.is_none() && self.left == 0 && bounded.into_inner().into_inner().read(&mut [0])? > 0 {
            return Ok(Some(End::Bytes));
        }
        // A plain file may be being written, and its last line with it.
        if let Some(line) = trouble.open.filter(|_| gzipped) {
            trouble.at(line);
        }
        Ok(ended)
    }

    fn pieces<R: BufRead>(
        &mut self,
        n: usize,
        mut pieces: Pieces<R>,
        trouble: &mut Trouble,
    ) -> io::Result<Option<End>> {
        let mut bytes = Vec::new();
        let mut count = 0_u64;
        while let Some(piece) = pieces.next(&mut bytes)? {
            count += 1;
            if count.is_multiple_of(CLOCK_EVERY) && self.deadline.is_some_and(|deadline| Instant::now() > deadline) {
                return Ok(Some(End::Time));
            }
            let (line, readable) = match piece {
                Piece::Whole(line) => (line, true),
                Piece::Unfinished(line) => (line, true),
                Piece::TooLong(line) => {
                    trouble.too_long += 1;
                    (line, false)
                }
                Piece::Stray(line) => (line, false),
            };
            let kept = &mut self.kept;
            let events = &mut trouble.events;
            let read = readable && recognise(&bytes, &mut |event| *events += u64::from(kept.take(event, n))).is_ok();
            match piece {
                _ if read => {}
                Piece::Unfinished(line) => trouble.open = Some(line),
                _ => trouble.at(line),
            }
        }
        Ok(None)
    }

    fn tell(&mut self, path: &Path, trouble: &Trouble) {
        if trouble.bad == 0 {
            return;
        }
        let gap = match (trouble.events, trouble.bad) {
            (0, _) => gap(GapKind::Parse, path, "no line of it is an event of an audit log")
                .hint("move files of another sort out of the folder"),
            (_, 1) => gap(GapKind::Parse, path, format!("line {} could not be read", trouble.first)),
            (_, bad) => {
                gap(GapKind::Parse, path, format!("{bad} lines could not be read, the first is line {}", trouble.first))
            }
        };
        let long = trouble.too_long > 0 && trouble.events > 0;
        self.gaps.push(if long {
            gap.hint("write one event on each line; longer ones than 16 MiB are not read")
        } else {
            gap
        });
    }

    fn ended(&mut self, end: &End, path: &Path, left_out: usize) {
        let (what, setting) = match end {
            End::Bytes => (format!("{} bytes were read", self.request.most_bytes), "limits.auditLogBytes"),
            End::Time => (format!("{:?} were over", self.request.most_time), "limits.auditLogTime"),
        };
        let files = match left_out {
            0 => String::new(),
            1 => " and of one older file".to_owned(),
            more => format!(" and of {more} older files"),
        };
        let message = format!("{what}; what is left of this file{files} was not");
        self.gaps.push(gap(GapKind::Limit, path, message).hint(format!("raise `{setting}`")));
    }

    fn done(mut self, files: &Files) -> LogOutcome {
        let mut gaps = std::mem::take(&mut self.gaps);
        if gaps.len() > MOST_FILE_GAPS {
            let more = gaps.len() - MOST_FILE_GAPS;
            gaps.truncate(MOST_FILE_GAPS);
            let message = format!("{more} more files of the audit log could not be read as a whole");
            gaps.push(gap(GapKind::Parse, self.request.path, message));
        }
        if files.cut_off {
            let message = "the audit log's folder holds more than this program looks at";
            gaps.push(gap(GapKind::Limit, self.request.path, message));
        }
        if !self.kept.cut.is_empty() {
            let objects = self.kept.cut.len();
            let objects = if objects == 1 { "one object".to_owned() } else { format!("{objects} objects") };
            let message = format!("of {objects} only the newest {MOST_OF_AN_OBJECT} writes are looked at");
            gaps.push(gap(GapKind::Limit, self.request.path, message));
        }
        if self.kept.too_much {
            let message = "the contents of the writes are too large: some are matched without";
            gaps.push(gap(GapKind::Limit, self.request.path, message));
        }
        let mut span = self.kept.span;
        if let (Some((from, _)), Some(newer_than), true) = (&mut span, self.request.newer_than, self.older_files) {
            *from = (*from).min(newer_than);
        }
        LogOutcome { writes: self.kept.writes(), span, gaps, passed_over: files.passed_over }
    }
}

fn gap(kind: GapKind, path: &Path, message: impl Into<String>) -> Gap {
    Gap::new(kind, message, Hides::Evidence).at(path.display().to_string())
}

fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::Other | io::ErrorKind::InvalidInput => error.to_string(),
        kind => kind.to_string(),
    }
}
