//! A message that says that it is a test: sent at once, and recorded nowhere.

use tokio::runtime::Handle;

use super::render::{Files, Occasion, Rendered};
use super::senders::Sender;
use crate::adapters::ledger::Ledger;
use crate::app::error::{AppError, chain};
use crate::config::Config;
use crate::model::canonical::Canonical;
use crate::model::delivery::Attempt;
use crate::model::ids::{LedgerId, ReceiverName, RouteName, ScanId};
use crate::model::notice::{Notice, NoticeKind, NoticeScan, Thread};
use crate::model::outbox::Plan;
use crate::model::time::Timestamp;

/// What became of the test of one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// The receiver.
    pub receiver: ReceiverName,
    /// Why it was not taken.
    pub problem: Option<String>,
}

/// Sends a test to receivers. Blocks.
///
/// # Errors
/// A receiver is not configured.
pub fn test(
    config: &Config,
    route: &RouteName,
    receivers: &[ReceiverName],
    now: Timestamp,
    handle: &Handle,
) -> Result<Vec<Tested>, AppError> {
    // It says which ledger it would be from; without one, it tests all the same.
    let ledger = Ledger::open_read_only(&config.ledger.path, None).ok();
    let ledger = ledger.map_or_else(|| LedgerId::new("none"), |ledger| ledger.id().clone());
    let test = |name: &ReceiverName| {
        let receiver = config.delivery.receivers.iter().find(|receiver| receiver.name == *name);
        let known: Vec<&str> = config.delivery.receivers.iter().map(|receiver| receiver.name.as_str()).collect();
        let receiver = receiver.ok_or_else(|| {
            AppError::new(format!("there is no receiver `{name}`")).hint(format!("known: {}", known.join(", ")))
        })?;
        let plan = plan(route, name, &ledger, now);
        let none = Files::default();
        let occasion = Occasion {
            config,
            receiver,
            seal: None,
            parent_key: None,
            has_thread: true,
            may_be_there: false,
            files: &none,
        };
        let rendered = Rendered::of(&plan, &occasion).map_err(|error| AppError::new(chain(&error)))?;
        let problem = match Sender::of(receiver) {
            Err(unready) => Some(with_hint(unready.why, unready.hint)),
            Ok(sender) => match handle.block_on(sender.send(&rendered, None, &plan.key)) {
                Attempt::Taken(receipt) if receipt.refused.is_empty() => None,
                Attempt::Taken(receipt) => {
                    let all = receipt.refused.iter().map(|(address, why)| format!("not for {address}: {why}"));
                    Some(all.collect::<Vec<_>>().join("; "))
                }
                Attempt::Later { why, .. } | Attempt::Unanswered { why } => Some(why),
                Attempt::Refused { why, hint } => Some(with_hint(why, hint)),
            },
        };
        Ok(Tested { receiver: name.clone(), problem })
    };
    receivers.iter().map(test).collect()
}

fn with_hint(why: String, hint: Option<String>) -> String {
    hint.map_or_else(|| why.clone(), |hint| format!("{why}\n  hint: {hint}"))
}

fn plan(route: &RouteName, receiver: &ReceiverName, ledger: &LedgerId, now: Timestamp) -> Plan {
    let key = Canonical::new("driftledger/test/v1").text(receiver.as_str()).number(now.unix()).finish_hex();
    let notice = Notice {
        route: route.clone(),
        kind: NoticeKind::Test,
        group: None,
        thread: Thread { key: key[..24].to_owned(), begins: true, ends: false, since: now },
        scan: NoticeScan {
            id: ScanId(0),
            ledger: ledger.clone(),
            started_at: now,
            previous_started_at: None,
            declared: 0,
            compared: 0,
            gaps: 0,
            revision: None,
            commit: None,
            runs: None,
        },
        items: Vec::new(),
        more: 0,
        by_severity: Default::default(),
        by_target: Vec::new(),
        gaps: Vec::new(),
        summary: None,
        stands_for: None,
    };
    Plan { key: key[..32].to_owned(), notice, marks: Vec::new() }
}
