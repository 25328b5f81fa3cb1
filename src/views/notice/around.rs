use crate::config::delivery::{Fields, Links};
use crate::model::report::Seal;

/// What a view is told besides the notice: of the ledger, the configuration and the attempt.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// The seal of the notice's scan; `None` where nothing is sealed, as in a test message.
    pub seal: Option<&'a Seal>,
    /// Where the message leads.
    pub links: &'a Links,
    /// What the receiver learns of the fields.
    pub fields: Fields,
    /// An earlier attempt may have arrived: the message says so.
    pub repeat: bool,
    /// The receiver has no threads (an incoming webhook of Slack): what would be an answer says what it belongs to.
    pub standalone: bool,
}

impl Around<'_> {
    /// Whether values are kept from the receiver.
    pub(super) fn withholds(&self) -> bool {
        self.fields == Fields::NamesOnly
    }
}
