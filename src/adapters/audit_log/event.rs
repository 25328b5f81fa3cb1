//! An event as every format tells it, before anybody has asked for it.

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::audit_event::{Resource, Verb};
use crate::model::time::Timestamp;

/// One event of an audit log.
#[derive(Default)]
pub(super) struct Event<'a> {
    /// When the request came in.
    pub(super) time: Option<Timestamp>,
    /// The same event may stand in several files.
    pub(super) id: Option<String>,
    /// `None` where it is no write; then nothing below is filled in.
    pub(super) verb: Option<Verb>,
    /// `ResponseComplete`…; `None` in formats without stages.
    pub(super) stage: Option<String>,
    /// HTTP status.
    pub(super) code: Option<u16>,
    /// Whether nothing was to be kept of it.
    pub(super) dry_run: bool,
    pub(super) user: String,
    pub(super) impersonated: Option<String>,
    pub(super) groups: Vec<String>,
    pub(super) user_agent: Option<String>,
    pub(super) source_ips: Vec<String>,
    pub(super) resource: Resource,
    /// By the request's query.
    pub(super) field_manager: Option<String>,
    /// Whether the format holds the query.
    pub(super) query: bool,
    pub(super) request: Option<&'a RawValue>,
    pub(super) response: Option<&'a RawValue>,
}

/// The value of a key in the query of a request's URI, decoded.
pub(super) fn query(uri: &str, key: &str) -> Option<String> {
    let (_, query) = uri.split_once('?')?;
    let value = query.split('&').find_map(|pair| pair.split_once('=').filter(|(name, _)| *name == key))?.1;
    // In queries a plus sign is a space.
    Some(percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned())
}

/// Whether the options of a deletion say that it is a dry run.
pub(super) fn is_dry_run(verb: Verb, request: Option<&RawValue>) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Options {
        #[serde(default)]
        dry_run: Vec<String>,
    }
    let options = request.filter(|_| verb.deletes()).and_then(|raw| serde_json::from_str::<Options>(raw.get()).ok());
    options.is_some_and(|options| !options.dry_run.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_decoded() {
        let uri = "/apis/apps/v1/namespaces/a/deployments/b?fieldManager=my%20tool&fieldValidation=Strict&dryRun=All";
        assert_eq!(query(uri, "fieldManager").as_deref(), Some("my tool"));
        assert_eq!(query(uri, "dryRun").as_deref(), Some("All"));
        assert_eq!((query(uri, "force"), query("/api/v1", "dryRun")), (None, None));
    }
}
