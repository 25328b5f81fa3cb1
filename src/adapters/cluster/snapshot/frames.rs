//! Reading the frames of a snapshot: from any place in the file, line by line, with a bound on what comes out of few bytes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use zstd::stream::read::Decoder;

use super::error::SnapshotError;
use super::format::LINE_BYTES;

/// Most bytes that the decompressor may look back on, as a power of two: 8 MiB. It is what memory a hostile file can ask for.
const WINDOW_LOG: u32 = 23;
/// How a frame begins (RFC 8878, 3.1.1).
pub(super) const MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();

/// A place in a file that others read, too.
struct At {
    file: Arc<Mutex<File>>,
    offset: u64,
}

impl Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.offset))?;
        let read = file.read(buffer)?;
        self.offset += read as u64;
        Ok(read)
    }
}

/// The lines of one frame.
pub(super) struct Frame {
    lines: BufReader<Decoder<'static, BufReader<At>>>,
    line: Vec<u8>,
}

impl Frame {
    /// Begins to read the frame at a place in the file.
    pub(super) fn at(file: &Arc<Mutex<File>>, offset: u64) -> Result<Self, SnapshotError> {
        let reader = BufReader::new(At { file: Arc::clone(file), offset });
        let decoder = Decoder::with_buffer(reader).and_then(|mut decoder| {
            decoder.window_log_max(WINDOW_LOG)?;
            Ok(decoder.single_frame())
        });
        Ok(Self { lines: BufReader::new(decoder.map_err(SnapshotError::Read)?), line: Vec::new() })
    }

    /// The next line without its end; `None` at the end of the frame. `budget` is how many more bytes may come.
    pub(super) fn next(&mut self, budget: &mut Budget) -> Result<Option<&[u8]>, SnapshotError> {
        self.line.clear();
        loop {
            let chunk = self.lines.fill_buf().map_err(broken)?;
            if chunk.is_empty() {
                return match self.line.is_empty() {
                    true => Ok(None),
                    false => Err(SnapshotError::CutOff),
                };
            }
            let end = memchr::memchr(b'\n', chunk);
            let taken = end.map_or(chunk.len(), |end| end + 1);
            budget.take(taken)?;
            self.line.extend_from_slice(&chunk[..end.unwrap_or(taken)]);
            self.lines.consume(taken);
            if self.line.len() > LINE_BYTES {
                return Err(SnapshotError::LineTooLong(LINE_BYTES));
            }
            if end.is_some() {
                return Ok(Some(&self.line));
            }
        }
    }

    /// Where the next frame begins. To be asked at the end of this one.
    pub(super) fn end(self) -> u64 {
        let compressed = self.lines.into_inner().finish();
        compressed.get_ref().offset - compressed.buffer().len() as u64
    }
}

/// How many more decompressed bytes are read.
pub(super) struct Budget {
    most: u64,
    left: u64,
}

impl Budget {
    pub(super) fn new(most: u64) -> Self {
        Self { most, left: most }
    }

    fn take(&mut self, bytes: usize) -> Result<(), SnapshotError> {
        let left = self.left.checked_sub(bytes as u64);
        self.left = left.ok_or(SnapshotError::TooLarge(self.most))?;
        Ok(())
    }
}

/// zstd's own errors have no kind; a file system's have one.
fn broken(error: io::Error) -> SnapshotError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => SnapshotError::CutOff,
        io::ErrorKind::Other => SnapshotError::Damaged(format!("zstd: {error}")),
        _ => SnapshotError::Read(error),
    }
}
