//! Receivers, as far as they can be asked without a message.

use tokio::runtime::Handle;

use crate::app::announce::Sender;
use crate::app::wiring;
use crate::config::Config;
use crate::config::delivery::{Heartbeat, ReceiverConfig};
use crate::model::checkup::Checked;
use crate::model::delivery::Attempt;

/// Asks all of them. Blocks.
pub(super) fn look(config: &Config, handle: &Handle) -> Vec<Checked> {
    let delivery = &config.delivery;
    let mut all: Vec<Checked> = delivery.receivers.iter().map(|receiver| one(receiver, config, handle)).collect();
    all.extend(delivery.heartbeat.as_ref().map(heartbeat));
    if delivery.receivers.is_empty() {
        let mut none = Checked::new("receivers", "none");
        none.notes("nobody is told of drift", Some("add `receivers` and `routes`; `config example` shows them".into()));
        all.push(none);
    }
    all
}

fn one(receiver: &ReceiverConfig, config: &Config, handle: &Handle) -> Checked {
    let mut checked = Checked::new("receiver", receiver.name.as_str());
    match Sender::of(receiver) {
        Err(unready) => checked.stops(unready.why, unready.hint),
        Ok(Sender::Slack(slack)) => {
            let found = handle.block_on(slack.check());
            checked.works.extend(found.works);
            for problem in found.problems {
                match problem.stops {
                    true => checked.stops(problem.what, problem.hint),
                    false => checked.notes(problem.what, problem.hint),
                }
            }
        }
        Ok(Sender::Mail(mailer)) => {
            let found = handle.block_on(mailer.check());
            checked.works.extend(found.works);
            match found.problem {
                None | Some(Attempt::Taken(_)) => {}
                Some(Attempt::Later { why, .. } | Attempt::Unanswered { why }) => checked.stops(why, None),
                Some(Attempt::Refused { why, hint }) => checked.stops(why, hint),
            }
        }
        Ok(Sender::Webhook(_)) => {
            checked.works("its address and key can be read");
            let route = config.delivery.routes.iter().find(|route| route.receivers.contains(&receiver.name));
            let how = route.map(|route| format!("`driftledger notify test --route {}` sends a message", route.name));
            checked.notes("a webhook cannot be asked whether it works", how);
        }
    }
    checked
}

fn heartbeat(heartbeat: &Heartbeat) -> Checked {
    let mut checked = Checked::new("heartbeat", "after each complete scan");
    match heartbeat.url_secret.as_ref().map(|place| wiring::secret(place, "its address")) {
        Some(Err(unreadable)) => checked.stops(unreadable.message, unreadable.hint.map(str::to_owned)),
        _ => checked.works("its address can be read; calling it would say that a scan is complete"),
    }
    checked
}
