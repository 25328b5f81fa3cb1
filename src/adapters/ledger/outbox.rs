//! The outbox: messages are planned with the scan; here they are written, and read with where they stand.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::error::{Fault, LedgerError};
use super::open::LedgerReader;
use super::text::{json, read_json, read_time};
use super::{delivery, seal, told, write};
use crate::model::delivery::Receipt;
use crate::model::ids::{ReceiverName, ScanId};
use crate::model::notice::Notice;
use crate::model::outbox::{
    DeliveryEvent, DeliveryStep, MessageCounts, MessageId, MessageState, MessageStory, Outbox, OutboxMessage,
    OutboxProblem, Plan, ThreadParent,
};
use crate::model::time::Timestamp;

/// The word for the newest thing that happened to the message `p`; NULL where nothing did. Answered by indexes alone, except in
/// ledgers that hold events of the first schema.
pub(super) const NEWEST: &str = "coalesce(\
    (SELECT d.kind FROM delivery_event d WHERE d.message = p.seq ORDER BY d.seq DESC LIMIT 1), \
    (SELECT o.kind FROM message_event o WHERE o.message = p.seq AND o.seq > p.seq ORDER BY o.seq DESC LIMIT 1))";

/// As the index has it.
pub(super) const KEY: &str = "CASE WHEN json_valid(text) THEN text ->> '$.key' END";
pub(super) const THREAD: &str = "CASE WHEN json_valid(text) THEN text ->> '$.notice.thread.key' END";

/// Whether a receiver took a reply by itself, because its parent is no more.
const BEGAN_AFRESH: &str = "EXISTS (SELECT 1 FROM delivery_event d WHERE d.message = p.seq AND d.kind = 'sent' \
    AND CASE WHEN json_valid(d.detail) THEN d.detail ->> '$.beginsThread' END)";

/// Counts the keys that several messages have.
pub(super) fn shared_keys() -> String {
    format!(
        "SELECT count(*) FROM (SELECT 1 FROM message_event WHERE kind = 'planned' AND {KEY} IS NOT NULL \
         GROUP BY {KEY} HAVING count(*) > 1)"
    )
}

/// A plan as its row has it: its marks are rows of their own.
#[derive(Serialize, Deserialize)]
struct StoredPlan<N> {
    key: String,
    notice: N,
}

/// Writes a planned message and its marks.
pub(super) fn plan(
    connection: &Connection,
    scan: i64,
    receiver: &ReceiverName,
    plan: &Plan,
    at: Timestamp,
) -> Result<MessageId, Fault> {
    let used = connection
        .prepare_cached(&format!("SELECT 1 FROM message_event WHERE kind = 'planned' AND {KEY} = ?1"))?
        .exists([&plan.key])?;
    if used || plan.key.is_empty() {
        return Err(Fault::Refused(format!("the key {:?} of a message is not its own", plan.key)));
    }
    let number = seal::newest_row(connection, "message_event")?.saturating_add(1);
    let text = json(&StoredPlan { key: plan.key.clone(), notice: &plan.notice })?;
    let values = params![scan, number, "planned", receiver.as_str(), at.to_string(), text];
    write::append(connection, "message_event", &["scan", "message", "kind", "receiver", "at", "text"], values)?;
    told::mark(connection, scan, Some(number), plan.marks.iter().map(|mark| (&plan.notice.route, mark)))?;
    Ok(MessageId(number))
}

impl LedgerReader {
    /// The messages that were neither sent nor dropped, those that were not accepted included.
    ///
    /// # Errors
    /// SQLite's; a message that cannot be read back is a problem of the outbox and no error.
    pub fn outbox(&self) -> Result<Outbox, LedgerError> {
        self.consistent(|connection| {
            // A planned row is its own message: the index on (message, seq) tells without the plans being read.
            let mut query = connection.prepare_cached(&format!(
                "SELECT p.seq FROM message_event p WHERE p.message = p.seq \
                 AND coalesce({NEWEST}, '') NOT IN ('sent', 'dropped') ORDER BY p.seq",
            ))?;
            let ids: Vec<i64> = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            let mut outbox = Outbox::default();
            for id in ids {
                let stored = Stored::read(connection, id)?;
                let receiver = stored.receiver.clone();
                match stored.story(connection).map(in_outbox) {
                    Ok(Some(message)) => outbox.messages.push(message),
                    Ok(None) => {}
                    Err(Fault::Broken(what)) => {
                        outbox.problems.push(OutboxProblem { id: MessageId(id), receiver, what })
                    }
                    Err(other) => return Err(other),
                }
            }
            Ok(outbox)
        })
    }

    /// Of the outbox, the messages that were not accepted.
    ///
    /// # Errors
    /// As [`LedgerReader::outbox`].
    pub fn dead_letters(&self) -> Result<Outbox, LedgerError> {
        let mut outbox = self.outbox()?;
        outbox.messages.retain(|message| matches!(message.state, MessageState::Dead { .. }));
        Ok(outbox)
    }

    /// A message with all that happened to it; `None` if there is no such message.
    ///
    /// # Errors
    /// `Broken` if a row does not read back.
    pub fn message(&self, message: MessageId) -> Result<Option<MessageStory>, LedgerError> {
        self.consistent(|connection| {
            let planned = connection
                .prepare_cached("SELECT 1 FROM message_event WHERE seq = ?1 AND kind = 'planned'")?
                .exists([message.0])?;
            planned.then(|| Stored::read(connection, message.0)?.story(connection)).transpose()
        })
    }

    /// The message that a conversation with a receiver hangs on: the newest, where there are several, that was not dropped and began it, or
    /// stands where its beginning is no more.
    ///
    /// # Errors
    /// `Broken` if what the receiver said does not read back.
    pub fn thread_parent(
        &self,
        receiver: &ReceiverName,
        thread_key: &str,
    ) -> Result<Option<ThreadParent>, LedgerError> {
        self.consistent(|connection| {
            let found: Option<(i64, String)> = connection
                .prepare_cached(&format!(
                    "SELECT p.seq, p.text ->> '$.key' FROM message_event p WHERE p.kind = 'planned' \
                     AND p.receiver = ?1 AND {THREAD} = ?2 AND (p.text ->> '$.notice.thread.begins' OR {BEGAN_AFRESH}) \
                     AND {NEWEST} IS NOT 'dropped' ORDER BY p.seq DESC LIMIT 1",
                ))?
                .query_row([receiver.as_str(), thread_key], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((id, key)) = found else { return Ok(None) };
            Ok(Some(ThreadParent { id: MessageId(id), key, receipt: receipt(connection, id)? }))
        })
    }

    /// How many messages there are, by where they stand.
    ///
    /// # Errors
    /// SQLite's.
    pub fn message_counts(&self) -> Result<MessageCounts, LedgerError> {
        self.consistent(|connection| {
            let mut counts = MessageCounts::default();
            let mut query = connection.prepare_cached(&format!(
                "SELECT {NEWEST} AS newest, count(*) FROM message_event p WHERE p.message = p.seq GROUP BY newest"
            ))?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let newest: Option<String> = row.get(0)?;
                let of = match newest.as_deref() {
                    Some("sent") => &mut counts.sent,
                    Some("dropped") => &mut counts.dropped,
                    Some("dead") => &mut counts.dead,
                    _ => &mut counts.waiting,
                };
                *of += row.get::<_, i64>(1)?.unsigned_abs();
            }
            Ok(counts)
        })
    }
}

/// What a receiver said of a message that it took.
fn receipt(connection: &Connection, message: i64) -> Result<Option<Receipt>, Fault> {
    let last = delivery::steps(connection, message)?.pop();
    Ok(last.and_then(|step| if let DeliveryEvent::Sent(receipt) = step.event { Some(receipt) } else { None }))
}

/// The row of a planned message.
struct Stored {
    id: i64,
    scan: i64,
    receiver: ReceiverName,
    at: String,
    text: Option<String>,
}

impl Stored {
    fn read(connection: &Connection, id: i64) -> Result<Self, Fault> {
        let mut query =
            connection.prepare_cached("SELECT scan, receiver, at, text FROM message_event WHERE seq = ?1")?;
        Ok(query.query_row([id], |row| {
            let receiver = ReceiverName::new(row.get::<_, String>(1)?);
            Ok(Self { id, scan: row.get(0)?, receiver, at: row.get(2)?, text: row.get(3)? })
        })?)
    }

    fn story(self, connection: &Connection) -> Result<MessageStory, Fault> {
        let what = "the plan of message";
        let StoredPlan { key, notice } =
            read_json::<StoredPlan<Notice>>(self.text.as_deref().unwrap_or_default(), what, self.id)?;
        Ok(MessageStory {
            id: MessageId(self.id),
            scan: ScanId(self.scan),
            receiver: self.receiver,
            plan: Plan { key, notice, marks: told::of_message(connection, self.id)? },
            planned_at: read_time(&self.at, what, self.id)?,
            seal: seal::of_scan(connection, self.scan)?,
            steps: delivery::steps(connection, self.id)?,
        })
    }
}

/// `None` if it was sent or dropped.
fn in_outbox(story: MessageStory) -> Option<OutboxMessage> {
    let progress = Progress::of(story.steps);
    Some(OutboxMessage {
        id: story.id,
        scan: story.scan,
        receiver: story.receiver,
        plan: story.plan,
        planned_at: story.planned_at,
        attempts: progress.attempts,
        state: progress.state?,
        may_have_arrived: progress.may_have_arrived,
        seal: story.seal,
        last_error: progress.last_error,
    })
}

/// Where the events of a message leave it.
struct Progress {
    attempts: u64,
    may_have_arrived: bool,
    last_error: Option<String>,
    state: Option<MessageState>,
}

impl Progress {
    fn of(steps: Vec<DeliveryStep>) -> Self {
        let state = Some(MessageState::Waiting { not_before: None });
        let mut progress = Self { attempts: 0, may_have_arrived: false, last_error: None, state };
        let mut cut_off = false;
        for DeliveryStep { at, event } in steps {
            progress.may_have_arrived |= cut_off && event == DeliveryEvent::Begun;
            cut_off = event == DeliveryEvent::Begun;
            progress.state = match event {
                DeliveryEvent::Begun => {
                    progress.attempts += 1;
                    Some(MessageState::Begun { at })
                }
                DeliveryEvent::Later { why, not_before, may_have_arrived } => {
                    progress.may_have_arrived |= may_have_arrived;
                    progress.last_error = Some(why);
                    Some(MessageState::Waiting { not_before })
                }
                DeliveryEvent::Dead { why, hint } => {
                    progress.last_error = Some(why.clone());
                    Some(MessageState::Dead { why, hint, at })
                }
                DeliveryEvent::Retried => {
                    progress.attempts = 0;
                    Some(MessageState::Waiting { not_before: None })
                }
                DeliveryEvent::Sent(_) | DeliveryEvent::Dropped { .. } => None,
            };
        }
        progress.may_have_arrived |= cut_off;
        progress
    }
}
