//! To whom messages go and when: `receivers`, `routes`, `summaries`, `heartbeat`.

mod read;
mod receivers;
mod routes;
mod schedule;
mod summaries;

pub use receivers::{
    Fields, MailReceiver, MailTransport, RawReceiver, ReceiverConfig, ReceiverKind, SlackReceiver, SlackWay, Tls,
    WebhookReceiver,
};
pub use routes::{Declared, Notify, RawRoute, Route, Taking};
pub use schedule::{Schedule, Window};
pub use summaries::{Heartbeat, RawHeartbeat, RawSummary, SummaryConfig};

/// The annotation that names the owner of an object, where none is configured.
pub const OWNER_ANNOTATION: &str = "driftledger.io/owner";

/// Everything about messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where they go, in order.
    pub receivers: Vec<ReceiverConfig>,
    /// What goes where, in order; the last one takes everything. Empty: nothing is told to anybody.
    pub routes: Vec<Route>,
    /// What is told of periods.
    pub summaries: Vec<SummaryConfig>,
    /// A sign of life after each complete scan.
    pub heartbeat: Option<Heartbeat>,
    /// The annotation that names an object's owner.
    pub owner_annotation: String,
}
