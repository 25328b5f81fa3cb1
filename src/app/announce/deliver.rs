//! Sending: what the outbox holds, receiver by receiver, each message in its turn.
//!
//! What happens to a message is written down before and after the receiver is spoken to. A process that is killed in between leaves an
//! attempt without an outcome: the next run asks the receiver, where it can be asked, and otherwise sends once more and says so.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::render::{self, Files, Occasion, Rendered};
use super::senders::{Arrived, Sender, Unready};
use crate::adapters::ledger::{Ledger, LedgerError};
use crate::config::Config;
use crate::config::delivery::{Fields, ReceiverConfig};
use crate::model::canonical::Canonical;
use crate::model::delivery::{Attempt, SlackPlace};
use crate::model::ids::ReceiverName;
use crate::model::notice::{Notice, NoticeKind};
use crate::model::outbox::{MessageId, MessageState, OutboxMessage, Plan};
use crate::model::time::Timestamp;
use crate::stages::announce::{caught_up, not_before};

/// How long a message may wait before one message stands for all of its receiver's that do.
const STALE_SECONDS: i64 = 86_400;
/// For all messages of one run together.
const PATIENCE: Duration = Duration::from_secs(300);

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Messages that their receivers took.
    pub sent: u64,
    /// Messages that were not delivered, with why: to be tried again, or dead.
    pub undelivered: Vec<Undelivered>,
}

/// A message that was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// Its number.
    pub message: MessageId,
    /// To whom.
    pub receiver: ReceiverName,
    /// Why, for people.
    pub why: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether it is not tried again unless a person asks for it.
    pub is_dead: bool,
}

impl Delivered {
    /// Whether every message is where it should be.
    pub fn is_complete(&self) -> bool {
        self.undelivered.is_empty()
    }
}

/// Sends what is to be sent now. Blocks.
///
/// # Errors
/// The ledger cannot be read or written; what was not written down is not sent.
pub fn deliver(
    ledger: &mut Ledger,
    config: &Config,
    clock: fn() -> Timestamp,
    handle: &Handle,
) -> Result<Delivered, LedgerError> {
    let mut run = Run { config, clock, handle, until: Instant::now() + PATIENCE, delivered: Delivered::default() };
    run.coalesce(ledger)?;
    let mut done = BTreeSet::new();
    // What one receiver refuses may go to another one: as long as there is something new.
    loop {
        let outbox = ledger.outbox()?;
        for problem in &outbox.problems {
            if done.insert(problem.id) {
                run.give_up(
                    problem.id,
                    &problem.receiver,
                    problem.what.clone(),
                    Some("see `driftledger notify drop`".into()),
                    true,
                );
            }
        }
        let mut by_receiver: BTreeMap<ReceiverName, Vec<OutboxMessage>> = BTreeMap::new();
        for message in outbox.messages.into_iter().filter(|message| done.insert(message.id)) {
            by_receiver.entry(message.receiver.clone()).or_default().push(message);
        }
        if by_receiver.is_empty() {
            return Ok(run.delivered);
        }
        for (receiver, messages) in by_receiver {
            run.hand_over(ledger, &receiver, messages)?;
        }
    }
}

/// What was not delivered, a line each.
pub fn lines(delivered: &Delivered) -> Vec<String> {
    let line = |one: &Undelivered| {
        let state = if one.is_dead { "refused for good" } else { "not taken yet" };
        let hint = one.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        format!("message {} to {}: {state}: {}{hint}", one.message, one.receiver, one.why)
    };
    delivered.undelivered.iter().map(line).collect()
}

struct Run<'a> {
    config: &'a Config,
    clock: fn() -> Timestamp,
    handle: &'a Handle,
    until: Instant,
    delivered: Delivered,
}

/// What came of one message: whether its receiver can take the next one.
enum GoOn {
    Yes,
    No(String),
}

impl Run<'_> {
    /// Of each receiver, those that waited too long are dropped for one that stands for them.
    fn coalesce(&mut self, ledger: &mut Ledger) -> Result<(), LedgerError> {
        let now = (self.clock)();
        let outbox = ledger.outbox()?;
        let mut stale: BTreeMap<&ReceiverName, Vec<&OutboxMessage>> = BTreeMap::new();
        for message in &outbox.messages {
            let is_alert =
                !matches!(message.plan.notice.kind, NoticeKind::Summary | NoticeKind::CaughtUp | NoticeKind::Test);
            let waits = matches!(message.state, MessageState::Waiting { .. }) && !message.may_have_arrived;
            if is_alert && waits && now.unix() - message.planned_at.unix() > STALE_SECONDS {
                stale.entry(&message.receiver).or_default().push(message);
            }
        }
        for (receiver, messages) in stale.into_iter().filter(|(_, messages)| messages.len() > 1) {
            let (Some(plan), Some(newest)) = (caught_up(&messages), messages.last()) else { continue };
            let ids: Vec<MessageId> = messages.iter().map(|message| message.id).collect();
            let why = "it waited for more than a day: one message stands for all that did";
            ledger.replace_messages(&ids, why, newest.scan, &plan, receiver, now)?;
        }
        Ok(())
    }

    fn hand_over(
        &mut self,
        ledger: &mut Ledger,
        name: &ReceiverName,
        messages: Vec<OutboxMessage>,
    ) -> Result<(), LedgerError> {
        let receiver = self.config.delivery.receivers.iter().find(|receiver| receiver.name == *name);
        let mut sender: Option<Result<Sender, Unready>> = None;
        let mut stopped: Option<String> = None;
        for message in messages {
            let now = (self.clock)();
            match &message.state {
                MessageState::Dead { why, hint, .. } => {
                    self.give_up(message.id, name, why.clone(), hint.clone(), true);
                    continue;
                }
                MessageState::Waiting { not_before: Some(time) } if *time > now && stopped.is_none() => {
                    // Those after it wait, too: a conversation is told in order.
                    let why = message.last_error.clone().unwrap_or_default();
                    stopped = Some(format!("{why} (tried again after {})", time.for_people()));
                }
                _ => {}
            }
            if stopped.is_none() && Instant::now() > self.until {
                stopped = Some("there was no more time in this run".into());
            }
            if let Some(why) = &stopped {
                self.give_up(message.id, name, why.clone(), None, false);
                continue;
            }
            let Some(receiver) = receiver else {
                let hint = format!("name a receiver `{name}` again, or `driftledger notify drop {}`", message.id);
                let attempt =
                    Attempt::Refused { why: "no receiver of that name is configured".into(), hint: Some(hint) };
                ledger.begin_attempt(message.id, now)?;
                self.settle(ledger, &message, &attempt)?;
                continue;
            };
            let sender = sender.get_or_insert_with(|| Sender::of(receiver));
            let went_on = match sender {
                Ok(sender) => self.one(ledger, receiver, sender, &message)?,
                Err(Unready { why, hint }) => {
                    let hint = hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
                    let attempt = Attempt::Later { why: format!("{why}{hint}"), wait: None };
                    ledger.begin_attempt(message.id, now)?;
                    self.settle(ledger, &message, &attempt)?
                }
            };
            if let GoOn::No(why) = went_on {
                stopped = Some(why);
            }
        }
        Ok(())
    }

    /// One message.
    fn one(
        &mut self,
        ledger: &mut Ledger,
        receiver: &ReceiverConfig,
        sender: &Sender,
        message: &OutboxMessage,
    ) -> Result<GoOn, LedgerError> {
        let notice = &message.plan.notice;
        let parent =
            if notice.thread.begins { None } else { ledger.thread_parent(&receiver.name, &notice.thread.key)? };
        let place = parent.as_ref().and_then(|parent| parent.receipt.as_ref()?.slack.clone());
        let mut may_be_there = message.may_have_arrived;
        if may_be_there {
            let since = Timestamp::from_unix(message.planned_at.unix() - 60);
            match self.handle.block_on(sender.find(place.as_ref(), &message.plan.key, since)) {
                Arrived::Yes(receipt) => {
                    if !matches!(message.state, MessageState::Begun { .. }) {
                        ledger.begin_attempt(message.id, (self.clock)())?;
                    }
                    return self.settle(ledger, message, &Attempt::Taken(receipt));
                }
                Arrived::No => may_be_there = false,
                Arrived::NotNow(why) => {
                    self.give_up(message.id, &message.receiver, why.clone(), None, false);
                    return Ok(GoOn::No(why));
                }
                Arrived::CannotBeAsked => {}
            }
        }
        let takes_files = notice.kind == NoticeKind::Summary && sender.takes_files() && self.attaches(receiver, notice);
        let files = if takes_files { render::files(ledger)? } else { Files::default() };
        let occasion = Occasion {
            config: self.config,
            receiver,
            seal: message.seal.as_ref(),
            parent_key: parent.as_ref().map(|parent| parent.key.as_str()),
            has_thread: place.is_some(),
            may_be_there,
            files: &files,
        };
        let rendered = match Rendered::of(&message.plan, &occasion) {
            Ok(rendered) => rendered,
            Err(error) => {
                let hint = Some("this is a defect in the program: please report it".to_owned());
                ledger.begin_attempt(message.id, (self.clock)())?;
                return self.settle(
                    ledger,
                    message,
                    &Attempt::Refused { why: super::super::error::chain(&error), hint },
                );
            }
        };
        ledger.begin_attempt(message.id, (self.clock)())?;
        let attempt = self.handle.block_on(sender.send(&rendered, place.as_ref(), &message.plan.key));
        let taken = matches!(attempt, Attempt::Taken(_));
        let went_on = self.settle(ledger, message, &attempt)?;
        if let (true, true, Some(place)) = (taken, notice.thread.ends, &place) {
            self.close(sender, place, &rendered);
        }
        Ok(went_on)
    }

    /// Whether reports go with a summary: they hold values.
    fn attaches(&self, receiver: &ReceiverConfig, notice: &Notice) -> bool {
        let summary = self.config.delivery.summaries.iter().find(|summary| summary.name == notice.route.as_str());
        receiver.fields == Fields::Values && summary.is_some_and(|summary| summary.attach)
    }

    /// Marks the parent of a conversation that has ended. That it is over was told already: if this fails, nothing is lost.
    fn close(&self, sender: &Sender, place: &SlackPlace, rendered: &Rendered) {
        if let Some(closed) = &rendered.closed
            && let Err(why) = self.handle.block_on(sender.update(place, closed))
        {
            tracing::warn!("the first message of an ended conversation could not be marked as resolved: {why}");
        }
    }

    /// Writes down what came of an attempt, and what follows of it.
    fn settle(&mut self, ledger: &mut Ledger, message: &OutboxMessage, attempt: &Attempt) -> Result<GoOn, LedgerError> {
        let now = (self.clock)();
        let asked = match attempt {
            Attempt::Later { wait, .. } => *wait,
            _ => None,
        };
        let again = not_before(now, message.attempts + 1, &message.plan.key, asked);
        ledger.record_attempt(message.id, now, attempt, Some(again))?;
        match attempt {
            Attempt::Taken(receipt) => {
                self.delivered.sent += 1;
                for (address, why) in &receipt.refused {
                    tracing::warn!(message = %message.id, "{address} was refused: {why}");
                }
                Ok(GoOn::Yes)
            }
            Attempt::Later { why, .. } | Attempt::Unanswered { why } => {
                self.give_up(message.id, &message.receiver, why.clone(), None, false);
                Ok(GoOn::No(why.clone()))
            }
            Attempt::Refused { why, hint } => {
                self.give_up(message.id, &message.receiver, why.clone(), hint.clone(), true);
                self.fall_back(ledger, message, now)?;
                Ok(GoOn::Yes)
            }
        }
    }

    /// What a receiver refuses goes to the route's fallback, once, whoever else refuses it, too.
    fn fall_back(&self, ledger: &mut Ledger, message: &OutboxMessage, now: Timestamp) -> Result<(), LedgerError> {
        let notice = &message.plan.notice;
        let route = self.config.delivery.routes.iter().find(|route| route.name == notice.route);
        let Some(fallback) = route.and_then(|route| {
            // One that the route names anyhow has a message of its own.
            route.fallback.as_ref().filter(|name| **name != message.receiver && !route.receivers.contains(name))
        }) else {
            return Ok(());
        };
        let says = serde_json::to_string(notice).unwrap_or_else(|_| message.plan.key.clone());
        let key = Canonical::new("driftledger/fallback/v2").text(&says).text(fallback.as_str()).finish_hex();
        let plan = Plan { key: key[..32].to_owned(), notice: notice.clone(), marks: Vec::new() };
        match ledger.plan_message(message.scan, &plan, fallback, now) {
            // It was refused before, by another or by this one, and put back by a person.
            Err(LedgerError::Refused { .. }) => Ok(()),
            other => other.map(drop),
        }
    }

    fn give_up(
        &mut self,
        message: MessageId,
        receiver: &ReceiverName,
        why: String,
        hint: Option<String>,
        is_dead: bool,
    ) {
        let receiver = receiver.clone();
        self.delivered.undelivered.push(Undelivered { message, receiver, why, hint, is_dead });
    }
}
