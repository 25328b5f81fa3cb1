//! The sign of life after a scan that saw everything.

use std::time::Duration;

use tokio::runtime::Handle;

use crate::adapters::webhook::Webhook;
use crate::app::error::chain;
use crate::app::wiring;
use crate::config::delivery::{Heartbeat, WebhookReceiver};
use crate::model::delivery::Attempt;
use crate::model::time::Timestamp;

/// For the whole call.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Calls the address. That it could not be called is logged: whoever waits for the call notices by itself. Blocks.
pub fn beat(heartbeat: &Heartbeat, now: Timestamp, handle: &Handle) {
    if let Err(why) = call(heartbeat, now, handle) {
        tracing::warn!("no sign of life could be given: {why}");
    }
}

fn call(heartbeat: &Heartbeat, now: Timestamp, handle: &Handle) -> Result<(), String> {
    let secret = heartbeat.url_secret.as_ref().map(|place| wiring::secret(place, "the heartbeat's address"));
    let secret = secret.transpose().map_err(|error| error.to_string())?;
    let (url, url_secret, ca_file) = (heartbeat.url.clone(), heartbeat.url_secret.clone(), heartbeat.ca_file.clone());
    let receiver = WebhookReceiver { url, url_secret, secret: None, ca_file };
    let webhook = Webhook::new(&receiver, secret.as_deref(), None, TIMEOUT).map_err(|error| chain(&error))?;
    match handle.block_on(webhook.call(now)) {
        Attempt::Taken(_) => Ok(()),
        Attempt::Later { why, .. } | Attempt::Refused { why, .. } | Attempt::Unanswered { why } => Err(why),
    }
}
