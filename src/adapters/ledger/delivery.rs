//! What happens to messages after they are planned: appended event by event, covered by the next seal.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::error::{Fault, LedgerError};
use super::open::Ledger;
use super::text::{json, read_json, read_time, read_word, word};
use super::{outbox, seal, write};
use crate::model::delivery::{Attempt, Receipt};
use crate::model::ids::{ReceiverName, ScanId};
use crate::model::outbox::{DeliveryEvent, DeliveryStep, MessageId, Plan};
use crate::model::time::Timestamp;

/// The kinds of rows of `delivery_event`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Begun,
    Sent,
    Later,
    Dead,
    Dropped,
    Retried,
}

/// Whether an event may follow; `before` is the message's newest one. The table's trigger says the same.
pub(super) fn follows(before: Option<Kind>, next: Kind) -> bool {
    match before {
        // Nobody knows what came of an attempt that was cut off: there may be another.
        Some(Kind::Begun) => next != Kind::Retried,
        Some(Kind::Dead) => matches!(next, Kind::Retried | Kind::Dropped),
        Some(Kind::Sent | Kind::Dropped) => false,
        None | Some(Kind::Later | Kind::Retried) => matches!(next, Kind::Begun | Kind::Dropped),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Later {
    why: String,
    not_before: Option<Timestamp>,
    may_have_arrived: bool,
}

#[derive(Serialize, Deserialize)]
struct Dead {
    why: String,
    hint: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Dropped {
    why: String,
}

impl Ledger {
    /// Notes that an attempt at a message begins. To be called before the receiver is spoken to: a killed attempt leaves this row.
    ///
    /// # Errors
    /// `Refused` if there is no such message, or it was sent, dropped or not accepted before; `DiskFull` and the like: the receiver
    /// must not be spoken to then.
    pub fn begin_attempt(&mut self, message: MessageId, at: Timestamp) -> Result<(), LedgerError> {
        self.write(|transaction| append(transaction, message, at, &DeliveryEvent::Begun))
    }

    /// Notes what came of the attempt that was begun. A failed one may be tried again, not before a time where one is given.
    ///
    /// # Errors
    /// `Refused` if no attempt was begun, or it has an outcome already.
    pub fn record_attempt(
        &mut self,
        message: MessageId,
        at: Timestamp,
        attempt: &Attempt,
        not_before: Option<Timestamp>,
    ) -> Result<(), LedgerError> {
        let event = match attempt.clone() {
            Attempt::Taken(receipt) => DeliveryEvent::Sent(receipt),
            Attempt::Later { why, wait: _ } => DeliveryEvent::Later { why, not_before, may_have_arrived: false },
            Attempt::Unanswered { why } => DeliveryEvent::Later { why, not_before, may_have_arrived: true },
            Attempt::Refused { why, hint } => DeliveryEvent::Dead { why, hint },
        };
        self.write(|transaction| append(transaction, message, at, &event))
    }

    /// Gives a message up: it is not sent any more.
    ///
    /// # Errors
    /// `Refused` if there is no such message, or it was sent or dropped before.
    pub fn drop_message(&mut self, message: MessageId, at: Timestamp, why: &str) -> Result<(), LedgerError> {
        let event = DeliveryEvent::Dropped { why: why.to_owned() };
        self.write(|transaction| append(transaction, message, at, &event))
    }

    /// Puts a message back that was not accepted: it is tried anew.
    ///
    /// # Errors
    /// `Refused` if there is no such message, or it is none of these.
    pub fn retry_message(&mut self, message: MessageId, at: Timestamp) -> Result<(), LedgerError> {
        self.write(|transaction| append(transaction, message, at, &DeliveryEvent::Retried))
    }

    /// Plans a message after a scan has ended, whose seal it will carry; the next scan's covers it.
    ///
    /// # Errors
    /// `Refused` if the scan has no seal or the plan's key was used before.
    pub fn plan_message(
        &mut self,
        scan: ScanId,
        plan: &Plan,
        receiver: &ReceiverName,
        at: Timestamp,
    ) -> Result<MessageId, LedgerError> {
        self.replace_messages(&[], "", scan, plan, receiver, at)
    }

    /// Plans a message, as [`Ledger::plan_message`] does, and drops others that it stands for: all of it or nothing.
    ///
    /// # Errors
    /// As [`Ledger::plan_message`] and [`Ledger::drop_message`].
    pub fn replace_messages(
        &mut self,
        others: &[MessageId],
        why: &str,
        scan: ScanId,
        plan: &Plan,
        receiver: &ReceiverName,
        at: Timestamp,
    ) -> Result<MessageId, LedgerError> {
        self.write(|transaction| {
            if seal::of_scan(transaction, scan.0)?.is_none() {
                return Err(Fault::Refused(format!("scan {scan} has no seal that a message could carry")));
            }
            let dropped = DeliveryEvent::Dropped { why: why.to_owned() };
            for other in others {
                append(transaction, *other, at, &dropped)?;
            }
            outbox::plan(transaction, scan.0, receiver, plan, at)
        })
    }
}

fn append(connection: &Connection, message: MessageId, at: Timestamp, event: &DeliveryEvent) -> Result<(), Fault> {
    let (kind, detail) = encode(event)?;
    let refused = |what: &str| Err(Fault::Refused(format!("message {message} {what}")));
    let planned: Option<Option<String>> = connection
        .prepare_cached(&format!(
            "SELECT {} FROM message_event p WHERE p.seq = ?1 AND p.kind = 'planned'",
            outbox::NEWEST
        ))?
        .query_row([message.0], |row| row.get(0))
        .optional()?;
    let Some(newest) = planned else { return refused("was never planned") };
    let before = match newest.as_deref() {
        // The word of a ledger's first schema for an attempt that failed.
        Some("failed") => Some(Kind::Later),
        Some(_) => newest.map(|word| read_word(word, "the newest event of message", message.0)).transpose()?,
        None => None,
    };
    if !follows(before, kind) {
        return match before {
            Some(Kind::Sent) => refused("was sent before"),
            Some(Kind::Dropped) => refused("was dropped before"),
            Some(Kind::Dead) => refused("is dead until it is put back"),
            Some(Kind::Begun) => refused("is being sent"),
            None | Some(Kind::Later | Kind::Retried) if kind == Kind::Retried => refused("is not dead"),
            None | Some(Kind::Later | Kind::Retried) => refused("has no attempt that was begun"),
        };
    }
    let values = params![message.0, word(kind)?, at.to_string(), detail];
    write::append(connection, "delivery_event", &["message", "kind", "at", "detail"], values)?;
    Ok(())
}

fn encode(event: &DeliveryEvent) -> Result<(Kind, Option<String>), Fault> {
    Ok(match event.clone() {
        DeliveryEvent::Begun => (Kind::Begun, None),
        DeliveryEvent::Retried => (Kind::Retried, None),
        DeliveryEvent::Sent(receipt) => (Kind::Sent, Some(json(&receipt)?)),
        DeliveryEvent::Later { why, not_before, may_have_arrived } => {
            (Kind::Later, Some(json(&Later { why, not_before, may_have_arrived })?))
        }
        DeliveryEvent::Dead { why, hint } => (Kind::Dead, Some(json(&Dead { why, hint })?)),
        DeliveryEvent::Dropped { why } => (Kind::Dropped, Some(json(&Dropped { why })?)),
    })
}

fn decode(kind: Kind, detail: Option<&str>, row: i64) -> Result<DeliveryEvent, Fault> {
    const WHAT: &str = "delivery event";
    let detail = detail.unwrap_or_default();
    Ok(match kind {
        Kind::Begun => DeliveryEvent::Begun,
        Kind::Retried => DeliveryEvent::Retried,
        Kind::Sent => DeliveryEvent::Sent(read_json(detail, WHAT, row)?),
        Kind::Later => {
            let Later { why, not_before, may_have_arrived } = read_json(detail, WHAT, row)?;
            DeliveryEvent::Later { why, not_before, may_have_arrived }
        }
        Kind::Dead => {
            let Dead { why, hint } = read_json(detail, WHAT, row)?;
            DeliveryEvent::Dead { why, hint }
        }
        Kind::Dropped => {
            let Dropped { why } = read_json(detail, WHAT, row)?;
            DeliveryEvent::Dropped { why }
        }
    })
}

/// Everything that happened to a message, oldest first.
pub(super) fn steps(connection: &Connection, message: i64) -> Result<Vec<DeliveryStep>, Fault> {
    let mut steps = steps_of_first_schema(connection, message)?;
    let mut query = connection
        .prepare_cached("SELECT seq, kind, at, detail FROM delivery_event WHERE message = ?1 ORDER BY seq")?;
    let mut rows = query.query([message])?;
    while let Some(row) = rows.next()? {
        let seq = row.get(0)?;
        let kind = read_word(row.get(1)?, "delivery event", seq)?;
        let at = read_time(&row.get::<_, String>(2)?, "delivery event", seq)?;
        let detail: Option<String> = row.get(3)?;
        steps.push(DeliveryStep { at, event: decode(kind, detail.as_deref(), seq)? });
    }
    Ok(steps)
}

/// What a ledger of the first schema kept beside the planned messages.
fn steps_of_first_schema(connection: &Connection, message: i64) -> Result<Vec<DeliveryStep>, Fault> {
    let mut steps = Vec::new();
    let mut query = connection
        .prepare_cached("SELECT seq, kind, at, text FROM message_event WHERE message = ?1 AND seq > ?1 ORDER BY seq")?;
    let mut rows = query.query([message])?;
    while let Some(row) = rows.next()? {
        let seq = row.get(0)?;
        let at = read_time(&row.get::<_, String>(2)?, "message event", seq)?;
        let text: Option<String> = row.get(3)?;
        let event = match row.get_ref(1)?.as_str().unwrap_or_default() {
            "failed" => {
                steps.push(DeliveryStep { at, event: DeliveryEvent::Begun });
                let why = text.unwrap_or_default();
                DeliveryEvent::Later { why, not_before: None, may_have_arrived: false }
            }
            "sent" => DeliveryEvent::Sent(Receipt { says: text, ..Receipt::default() }),
            "dropped" => DeliveryEvent::Dropped { why: text.unwrap_or_default() },
            _ => return Err(Fault::unreadable("message event", seq, "not a word that is used there")),
        };
        steps.push(DeliveryStep { at, event });
    }
    Ok(steps)
}
