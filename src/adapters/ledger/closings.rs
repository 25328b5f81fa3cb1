//! How findings ended.

use std::collections::BTreeMap;

use rusqlite::OptionalExtension as _;

use super::error::LedgerError;
use super::open::LedgerReader;
use super::text::{read_json, read_word};
use crate::model::finding::Finding;
use crate::model::record::FindingEventKind;

/// How a finding ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Closing {
    /// As last seen.
    pub finding: Finding,
    /// `Resolved` or `OutOfScope`.
    pub kind: FindingEventKind,
    /// How, for people.
    pub how: String,
}

impl LedgerReader {
    /// How those of the findings ended that are not open, by fingerprint.
    ///
    /// # Errors
    /// `Broken` if a row does not read back.
    pub fn closings<'f>(
        &self,
        fingerprints: impl IntoIterator<Item = &'f str>,
    ) -> Result<BTreeMap<String, Closing>, LedgerError> {
        self.consistent(|connection| {
            let mut newest = connection.prepare_cached(
                "SELECT seq, kind, how, finding FROM finding_event WHERE fingerprint = ?1 ORDER BY seq DESC LIMIT 1",
            )?;
            let mut closings = BTreeMap::new();
            for fingerprint in fingerprints {
                let row: Option<(i64, String, Option<String>, String)> = newest
                    .query_row([fingerprint], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
                    .optional()?;
                let Some((seq, kind, how, finding)) = row else { continue };
                let kind: FindingEventKind = read_word(kind, "finding event", seq)?;
                if !kind.leaves_open() {
                    let finding = read_json(&finding, "finding event", seq)?;
                    let closing = Closing { finding, kind, how: how.unwrap_or_default() };
                    closings.insert(fingerprint.to_owned(), closing);
                }
            }
            Ok(closings)
        })
    }
}
