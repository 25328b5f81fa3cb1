//! Fields whose live values are hashed and the declared ones are not, or with another ledger's key: known to be there, never to be
//! equal.

use std::collections::BTreeSet;

use super::kind::KindOutcome;
use super::reading::ClusterReading;
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::resource::ObjectId;

/// Fields that are named in a gap's message.
const NAMED: usize = 3;

/// Gives each kind the gap for what could not be compared. Its objects are unknown; what of them did differ stays found.
pub fn tell(outcomes: &mut [KindOutcome], by: &str, ours: &str, reading: &mut ClusterReading) {
    for outcome in outcomes {
        let fields: Vec<(&ObjectId, String)> = outcome
            .found
            .foreign
            .iter()
            .flat_map(|(id, paths)| paths.iter().map(move |path| (id, path.to_string())))
            .collect();
        if fields.is_empty() {
            continue;
        }
        let named: Vec<String> =
            fields.iter().take(NAMED).map(|(id, path)| format!("{path} of {}", id.qualified_name())).collect();
        let more = match fields.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let (why, hint) = if by == ours {
            (
                "redacted by a rule that the configuration no longer has".to_owned(),
                "put the rule back, or take it again",
            )
        } else {
            let why = format!("hashed with the key {by} and not with this ledger's {ours}");
            (why, "take the snapshot with this ledger's key file (`ledger: {keyFile: …}`)")
        };
        let message = format!("{why}, so not to be compared: {}{more}", named.join(", "));
        let objects: BTreeSet<ObjectId> = outcome.found.foreign.keys().cloned().collect();
        reading.unknown.extend(objects.iter().cloned());
        let hides = Hides::Objects { objects: objects.into_iter().collect() };
        outcome
            .gaps
            .push(Gap::new(GapKind::Limit, message, hides).at(outcome.kind.gvk.group_kind().to_string()).hint(hint));
    }
}
