//! To whom messages go and when: `receivers`, `routes`, `summaries`, `heartbeat`.

mod links;
mod read;
mod receivers;
mod routes;
mod schedule;
mod summaries;
mod valid;

pub use links::{LinkFacts, Links, RawLinks, UrlTemplate};
pub use receivers::{
    Fields, MailReceiver, MailTransport, RawReceiver, ReceiverConfig, ReceiverKind, SlackReceiver, SlackWay, Tls,
    WebhookReceiver,
};
pub use routes::{Declared, Notify, RawRoute, Route, Taking};
pub use schedule::{Schedule, Window, zone};
pub use summaries::{Heartbeat, RawHeartbeat, RawSummary, SummaryConfig};
pub use valid::{Delivery, OWNER_ANNOTATION};
