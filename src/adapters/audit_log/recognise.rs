//! Tells by its content what a piece of a log is, and gives the events in it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::event::Event;
use super::policy::{PolicyEvent, is_audit};
use super::{aks, eks, gke};

/// An envelope in an envelope; more than one is nobody's format.
const MOST_ENVELOPES: usize = 3;
/// Characters before an event: the time that exports to S3 put there, or the time and stream of a container's log.
const MOST_LEAD: usize = 100;

/// A piece that is not even JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// Calls `each` for every event in a piece. JSON that is something else holds none: logs of other parts may stand beside.
pub(super) fn recognise(piece: &[u8], each: &mut dyn FnMut(Event<'_>)) -> Result<(), Unreadable> {
    let text = std::str::from_utf8(piece).map_err(|_| Unreadable)?.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Ok(());
    }
    let text = match text.find('{') {
        Some(at) if at <= MOST_LEAD && !text[..at].contains('"') => &text[at..],
        _ => return Err(Unreadable),
    };
    values(text, 0, each)
}

/// One JSON value or several, one after the other.
fn values(text: &str, envelopes: usize, each: &mut dyn FnMut(Event<'_>)) -> Result<(), Unreadable> {
    for value in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>() {
        object(value.map_err(|_| Unreadable)?.get(), envelopes, each)?;
    }
    Ok(())
}

fn object(text: &str, envelopes: usize, each: &mut dyn FnMut(Event<'_>)) -> Result<(), Unreadable> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct List<'a> {
        #[serde(borrow, default)]
        kind: Cow<'a, str>,
        #[serde(borrow, default)]
        api_version: Cow<'a, str>,
        #[serde(borrow, default)]
        items: Vec<&'a RawValue>,
    }
    if let Ok(event) = serde_json::from_str::<PolicyEvent<'_>>(text)
        && event.kind == "Event"
        && is_audit(&event.api_version)
    {
        each(event.event());
        return Ok(());
    }
    if let Ok(list) = serde_json::from_str::<List<'_>>(text)
        && list.kind == "EventList"
        && is_audit(&list.api_version)
    {
        for item in list.items {
            // Items of a list leave out their kind.
            let event = serde_json::from_str::<PolicyEvent<'_>>(item.get()).map_err(|_| Unreadable)?;
            each(event.event());
        }
        return Ok(());
    }
    if let Some(event) = gke::event(text) {
        each(event);
        return Ok(());
    }
    let messages = aks::logs(text).or_else(|| eks::messages(text)).unwrap_or_default();
    for message in messages.iter().filter(|_| envelopes < MOST_ENVELOPES) {
        let message = message.trim();
        // The same stream may carry what a part of the control plane says in plain words.
        if message.starts_with('{') {
            values(message, envelopes + 1, each)?;
        }
    }
    Ok(())
}
