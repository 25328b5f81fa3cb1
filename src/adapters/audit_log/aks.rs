//! What Azure Monitor wraps around the events of AKS: the event's text as `properties.log` of a record of the category `kube-audit` or
//! `kube-audit-admin`, one a line in a storage account, several under `records` from an event hub.
//!
//! Sources: <https://learn.microsoft.com/en-us/azure/aks/monitor-aks-reference> and
//! <https://learn.microsoft.com/en-us/azure/azure-monitor/platform/resource-logs-schema>.

use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow, default)]
    records: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    category: Option<String>,
    #[serde(default)]
    properties: Option<Properties>,
}

#[derive(Deserialize)]
struct Properties {
    #[serde(default)]
    log: Option<String>,
}

/// The events' texts in an object; `None` if it is none of these forms. Records of other categories hold none.
pub(super) fn logs(text: &str) -> Option<Vec<String>> {
    let record: Record<'_> = serde_json::from_str(text).ok()?;
    if let Some(records) = &record.records {
        return Some(records.iter().filter_map(|raw| logs(raw.get())).flatten().collect());
    }
    let category = record.category.as_deref()?;
    let log = record.properties?.log.filter(|_| category.starts_with("kube-audit"));
    Some(log.into_iter().collect())
}
