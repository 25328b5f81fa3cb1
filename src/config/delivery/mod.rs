//! To whom messages go: `receivers`, and what goes to whom and when: `routes`, `summaries`.

mod receivers;

pub use receivers::{
    Fields, MailReceiver, MailTransport, RawReceiver, ReceiverConfig, ReceiverKind, SlackReceiver, SlackWay, Tls,
    WebhookReceiver,
};
