//! What Amazon CloudWatch Logs wraps around the events of EKS: the event's text as the message of a log event.
//!
//! Sources: subscriptions <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html> (`logEvents`, one object
//! after the other without line breaks where Firehose writes them), `aws logs filter-log-events` (`events`), Logs Insights
//! (`@message`, or `results` with `field` and `value`). An export to S3 puts a time before each message
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/S3Export.html>); see [`super::recognise`].

use serde::Deserialize;
use serde_json::value::RawValue;

/// The ways in which messages stand in an object.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Messages<'a> {
    #[serde(default)]
    message: Option<String>,
    #[serde(default, rename = "@message")]
    at_message: Option<String>,
    #[serde(borrow, default)]
    log_events: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    events: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    results: Option<Vec<Vec<FieldValue>>>,
}

#[derive(Deserialize)]
struct FieldValue {
    #[serde(default)]
    field: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
struct LogEvent {
    message: String,
}

/// The messages of an object; `None` if it is none of these forms.
pub(super) fn messages(text: &str) -> Option<Vec<String>> {
    let found: Messages<'_> = serde_json::from_str(text).ok()?;
    if let Some(message) = found.message.or(found.at_message) {
        return Some(vec![message]);
    }
    if let Some(events) = found.log_events.or(found.events) {
        let message = |raw: &&RawValue| Some(serde_json::from_str::<LogEvent>(raw.get()).ok()?.message);
        return Some(events.iter().filter_map(message).collect());
    }
    let rows = found.results?.into_iter().flatten();
    Some(rows.filter(|field| field.field == "@message").map(|field| field.value).collect())
}
