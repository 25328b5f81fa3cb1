//! The key file: one line that says what it is, one line with 32 random bytes in hex.

use std::fs;
use std::path::Path;

use super::error::LedgerError;
use super::files::publish;
use crate::model::canonical::hex;
use crate::model::secret::RedactionKey;

const HEADER: &str = "driftledger redaction key v1";

/// Reads a key file; `None` if there is none.
pub(super) fn read(path: &Path) -> Result<Option<RedactionKey>, LedgerError> {
    let unusable = |what, source| LedgerError::KeyUnreadable { path: path.to_owned(), what, source };
    let text = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable("reading failed", Some(error))),
    };
    let text = String::from_utf8(text).map_err(|_| unusable("it is not text", None))?;
    let mut lines = text.lines();
    if lines.next().map(str::trim_end) != Some(HEADER) {
        return Err(unusable("its first line is not that of a key file", None));
    }
    let bytes = lines.next().and_then(|line| from_hex(line.trim_end()));
    let bytes = bytes.ok_or_else(|| unusable("its second line is not 64 hex digits", None))?;
    if lines.any(|line| !line.trim().is_empty()) {
        return Err(unusable("it has more than two lines", None));
    }
    Ok(Some(RedactionKey::from_bytes(bytes)))
}

/// Makes a key and its file.
pub(super) fn create(path: &Path) -> Result<RedactionKey, LedgerError> {
    let key = RedactionKey::from_bytes(random(path)?);
    write(&key, path)?;
    Ok(key)
}

/// Makes the file of a key.
pub(super) fn write(key: &RedactionKey, path: &Path) -> Result<(), LedgerError> {
    publish(path, |temporary| {
        let text = format!("{HEADER}\n{}\n", hex(key.bytes()));
        fs::write(temporary, text).map_err(|source| LedgerError::writing(path, "writing", source))
    })
}

/// Bytes from the operating system; `path` is what they are for.
pub(super) fn random<const N: usize>(path: &Path) -> Result<[u8; N], LedgerError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        LedgerError::reading(path, "getting random bytes for", std::io::Error::other(error.to_string()))
    })?;
    Ok(bytes)
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |d: u8| char::from(d).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(bytes)
}
