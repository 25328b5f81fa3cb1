//! The outbox: messages are planned with the scan, and what happens to them is appended.

use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::error::{Fault, LedgerError};
use super::open::{Ledger, LedgerReader};
use super::text::word;
use super::{seal, write};
use crate::model::ids::ScanId;
use crate::model::report::Seal;
use crate::model::time::Timestamp;

/// The number of a message in its ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub i64);

/// What happened to a planned message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageEventKind {
    /// Delivered; nothing happens to it after.
    Sent,
    /// An attempt failed; it stays unsent.
    Failed,
    /// Given up by a person or a rule; nothing happens to it after.
    Dropped,
}

/// A message that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its number.
    pub id: MessageId,
    /// The scan that planned it.
    pub scan: ScanId,
    /// Receiver, as configured.
    pub receiver: String,
    /// What it says, as data.
    pub plan: String,
    /// The seal that covers its scan.
    pub seal: Option<Seal>,
    /// Attempts that failed.
    pub failures: u64,
}

impl LedgerReader {
    /// Messages that were neither sent nor dropped, in the order they were planned.
    ///
    /// # Errors
    /// SQLite's.
    pub fn unsent_messages(&self) -> Result<Vec<StoredMessage>, LedgerError> {
        self.consistent(|connection| {
            let mut messages = Vec::new();
            let mut query = connection.prepare_cached(
                "SELECT p.seq, p.scan, p.receiver, coalesce(p.text, ''), \
                   (SELECT count(*) FROM message_event f WHERE f.message = p.seq AND f.kind = 'failed') \
                 FROM message_event p WHERE p.kind = 'planned' AND NOT EXISTS \
                   (SELECT 1 FROM message_event d WHERE d.message = p.seq AND d.kind IN ('sent', 'dropped')) \
                 ORDER BY p.seq",
            )?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let scan = row.get(1)?;
                messages.push(StoredMessage {
                    id: MessageId(row.get(0)?),
                    scan: ScanId(scan),
                    receiver: row.get(2)?,
                    plan: row.get(3)?,
                    seal: seal::of_scan(connection, scan)?,
                    failures: row.get::<_, i64>(4)?.unsigned_abs(),
                });
            }
            Ok(messages)
        })
    }
}

impl Ledger {
    /// Appends what happened to a message. The next scan's seal covers it. `detail` holds no secrets.
    ///
    /// # Errors
    /// `Refused` if there is no such message or it was sent or dropped before.
    pub fn message_event(
        &mut self,
        message: MessageId,
        kind: MessageEventKind,
        at: Timestamp,
        detail: Option<&str>,
    ) -> Result<(), LedgerError> {
        self.write(|transaction| {
            let planned: Option<(i64, String)> = transaction
                .prepare_cached(
                    "SELECT scan, receiver FROM message_event WHERE seq = ?1 AND kind = 'planned' AND NOT EXISTS \
                       (SELECT 1 FROM message_event WHERE message = ?1 AND kind IN ('sent', 'dropped'))",
                )?
                .query_row([message.0], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((scan, receiver)) = planned else {
                return Err(Fault::Refused(format!("message {} is not waiting to be sent", message.0)));
            };
            let columns = ["scan", "message", "kind", "receiver", "at", "text"];
            let values = params![scan, message.0, word(kind)?, receiver, at.to_string(), detail];
            write::append(transaction, "message_event", &columns, values)?;
            Ok(())
        })
    }
}
