//! The ledger, its key, and the file system that they are on.

use std::path::Path;

use crate::adapters::ledger::{Journal, Ledger, LedgerError, LedgerReader};
use crate::app::wiring;
use crate::config::Config;
use crate::model::checkup::Checked;
use crate::model::ids::LedgerId;
use crate::model::record::PriorState;
use crate::model::secret::RedactionKey;
use crate::model::time::Timestamp;
use crate::views::words::{counted, size};

/// With less than so much free space a scan may soon not be recorded.
const LITTLE: u64 = 200_000_000;

/// What was found, and what reading both sides needs of it.
pub(super) struct Looked {
    pub checked: Checked,
    pub prior: PriorState,
    pub key: RedactionKey,
}

/// Opens it for reading only: a scan that runs is not disturbed. Blocks.
pub(super) fn look(config: &Config, now: Timestamp) -> Looked {
    let path = &config.ledger.path;
    let mut checked = Checked::new("ledger", path.display().to_string());
    let mut prior = PriorState::of_new(LedgerId::new("none"));
    match Ledger::open_read_only(path, config.ledger.key_file.as_deref()) {
        Ok(ledger) => {
            match ledger.prior() {
                Ok(found) => prior = found,
                Err(error) => failed(&error, &mut checked),
            }
            if let Err(error) = opened(&ledger, &mut checked, now) {
                failed(&error, &mut checked);
            }
            match Ledger::redaction_key(path, config.ledger.key_file.as_deref(), false) {
                Ok(_) => checked.works("its key is there, and is the right one"),
                Err(error) => failed(&error, &mut checked),
            }
        }
        Err(_) if !path.exists() && config.ledger.create => checked.works("not there yet: the first scan makes it"),
        Err(error) => failed(&error, &mut checked),
    }
    folder(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")), &mut checked);
    Looked { checked, prior, key: wiring::key_or_passing(config) }
}

fn failed(error: &LedgerError, checked: &mut Checked) {
    checked.stops(crate::app::error::chain(error), error.hint().map(str::to_owned));
}

fn opened(ledger: &LedgerReader, checked: &mut Checked, now: Timestamp) -> Result<(), LedgerError> {
    let found = ledger.verify(None)?;
    match found.problems.first() {
        None => checked.works(format!("whole: {} and {} verified", scans(found.scans), seals(found.seals))),
        Some(first) => checked.stops(
            format!("its integrity is broken: {first}"),
            Some(
                "`driftledger verify` tells all; restore a backup, and keep this file for whoever has to look into it"
                    .into(),
            ),
        ),
    }
    let info = ledger.info()?;
    if info.journal == Journal::Delete {
        checked.notes(
            "its file system has no shared memory: readers and scans wait for one another",
            Some("put the ledger on a local disk".into()),
        );
    }
    if let Some(newest) = &info.newest {
        let age = (now.unix() - newest.started_at.unix()).max(0).unsigned_abs();
        checked.works(format!("newest scan {} of {}", newest.id, newest.started_at.for_people()));
        // A schedule that stands still is what people find out last.
        if age > 2 * 86_400 {
            let hint = "look into the schedule: cron's log, the CronJob's events, or `watch`";
            checked.notes(format!("no scan for {}", counted(age / 86_400, "day", "days")), Some(hint.into()));
        }
    }
    let messages = info.messages;
    if messages.dead > 0 {
        let what = format!("{} could not be delivered", counted(messages.dead, "message", "messages"));
        checked
            .stops(what, Some("`driftledger notify dead` tells which and why; `notify retry` or `notify drop`".into()));
    }
    if messages.waiting > 0 {
        let what = format!("{} to be sent", counted(messages.waiting, "message waits", "messages wait"));
        checked.notes(what, Some("the next scan tries again; `driftledger notify list` tells why they wait".into()));
    }
    Ok(())
}

fn scans(count: u64) -> String {
    counted(count, "scan", "scans")
}

fn seals(count: u64) -> String {
    counted(count, "seal", "seals")
}

/// Its journal is written beside it.
fn folder(folder: &Path, checked: &mut Checked) {
    let shown = folder.display();
    if !folder.exists() {
        checked.notes(format!("{shown} is not there: the first scan makes it"), None);
        return;
    }
    match tempfile::NamedTempFile::new_in(folder) {
        Ok(_) => {
            let free = fs4::available_space(folder).ok();
            let of = free.map(|bytes| format!(", {} free", size(bytes))).unwrap_or_default();
            checked.works(format!("{shown} can be written to{of}"));
            if free.is_some_and(|bytes| bytes < LITTLE) {
                checked.notes(
                    "there is little space left",
                    Some("make room: a scan that cannot be recorded is lost".into()),
                );
            }
        }
        Err(error) => checked.stops(
            format!("{shown} cannot be written to: {error}"),
            Some("the ledger's folder must belong to whoever runs the scans".into()),
        ),
    }
}
