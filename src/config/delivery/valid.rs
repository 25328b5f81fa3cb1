//! Everything about messages, as the program uses it.

use super::{Heartbeat, Links, ReceiverConfig, Route, SummaryConfig};

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
    /// Where messages lead.
    pub links: Links,
    /// The annotation that names an object's owner.
    pub owner_annotation: String,
}
