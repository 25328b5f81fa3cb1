//! A fake of Slack on a loopback port. It is no Slack: it knows the five methods and the webhooks that are used here, holds everything in
//! memory, and is stricter than Slack where Slack would let a mistake pass (unknown fields, a missing charset).
//!
//! It enforces what Slack documents: tokens and scopes, channels and who is in them, block kit's shapes and limits, a message a second and
//! channel, threads that exist, updates of one's own messages only. Tests script the next answers, failures included, and read what was stored.
//!
//! On the same port are a webhook that is not Slack's and an address that takes signs of life, so that they fail in the same ways; and it
//! may end whoever asks it, in the middle of that.

mod api;
mod blocks;
mod http;
mod server;
mod state;
mod trap;

pub use http::Request;
pub use server::{BEAT, HOOK, Next, SlackFake, WEBHOOK};
pub use state::{BOT_TOKEN, Channel, Rules, Stored};
pub use trap::{Trap, Victim, When};
