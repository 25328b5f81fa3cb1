//! `compare` on two files says what a scan says of the same objects.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cluster::Live;
use crate::report::{Failure, Report};
use crate::round::{Round, id};
use crate::scan::{Finding, Id, Said};

/// Codes that a comparison of two files has no way to give: they need a cluster, or are about what is not declared.
const OF_A_SCAN: &[&str] = &["DL005", "DL006", "DL008", "DL011", "DL012"];

pub fn check(round: &Round, live: &BTreeMap<Id, Live>, scanned: &Said, report: &mut Report) {
    for (set, target) in round.sets.iter().zip(round.audit.targets()) {
        let ids: Vec<Id> = set.objects.iter().map(|object| id(object, set)).collect();
        let objects: Vec<Value> = ids.iter().filter_map(|id| live.get(id).cloned()).collect();
        let (compared, whole) = round.audit.compare(target, &objects);
        for (object, id) in set.objects.iter().zip(&ids) {
            // Where the files name no namespace and nothing is live, a comparison of files cannot know one.
            let nowhere = (id.0.clone(), String::new(), id.2.clone());
            let files = verdicts(&compared, if compared.contains_key(id) { id } else { &nowhere });
            let scan = verdicts(scanned, id);
            if scan == files {
                continue;
            }
            let mut failure = Failure::new("parity", &round.around(set), id);
            failure.what = format!("scan and compare differ; notes: {}", whole["notes"]);
            failure.missing =
                scan.iter().filter(|verdict| !files.contains(verdict)).map(|v| format!("{v} (scan)")).collect();
            failure.extra =
                files.iter().filter(|verdict| !scan.contains(verdict)).map(|v| format!("{v} (compare)")).collect();
            failure.declared = object.value.clone();
            failure.after = live.get(id).cloned().unwrap_or_default();
            report.push(failure);
        }
    }
}

/// Codes and paths, as far as two files can tell them.
pub fn verdicts(said: &Said, id: &Id) -> Vec<String> {
    let of_files = |finding: &&Finding| !OF_A_SCAN.contains(&finding.code.as_str());
    let all = said.get(id).map(Vec::as_slice).unwrap_or_default();
    all.iter().filter(of_files).map(|finding| format!("{} {}", finding.code, finding.path)).collect()
}
