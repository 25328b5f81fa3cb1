//! Messages as `.eml` files (RFC 5322, CRLF lines).

use std::io::Write as _;
use std::path::Path;

use lettre::Message;

use super::message::MailError;

/// Writes a message as an `.eml` file: whole or not at all, in place of an older one.
///
/// # Errors
/// Where the folder does not exist or cannot be written.
pub fn write_eml(message: &Message, path: &Path) -> Result<(), MailError> {
    write(&message.formatted(), path).map_err(|source| MailError::Write { path: path.display().to_string(), source })
}

fn write(bytes: &[u8], path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A hidden name: whoever sends what lies here must not take a half of it.
    let mut file = tempfile::Builder::new().prefix(".driftledger-").suffix(".part").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
