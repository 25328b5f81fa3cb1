//! What of the objects could not be understood, as gaps.

use super::declared::{Declared, name, of_source};
use super::said::said;
use crate::app::gather::TargetSource;
use crate::config::Config;
use crate::model::gap::{Gap, GapKind, Hides};
use crate::stages::discover::Found;

/// Adds what could not be understood to the gaps of the targets that declare it: what it names is not looked at.
pub fn tell_troubles(sources: &mut [TargetSource], config: &Config) {
    let declared: Vec<Declared> = sources.iter().flat_map(|source| of_source(source, config.discovery.flux)).collect();
    for (declared, found) in said(&declared, config) {
        if let Some(source) = sources.iter_mut().find(|source| source.config.name == declared.by.name) {
            source.gaps.extend(gaps_of(declared, &found));
        }
    }
}

pub(super) fn gaps_of(declared: &Declared, found: &Found) -> Vec<Gap> {
    let gap = |trouble: &String| {
        let message = format!("what {} deploys is not looked at: {trouble}", name(declared));
        let hint = "write a target for it, or add what it names to the configuration";
        let gap = match &declared.file {
            Some((file, _)) => Gap::new(GapKind::Render, message, Hides::File { file: file.clone() })
                .at(file.clone())
                .of_target(&declared.by.name),
            None => Gap::new(GapKind::Render, message, Hides::Target),
        };
        gap.of_cluster(&declared.by.cluster).hint(hint)
    };
    found.troubles.iter().map(gap).collect()
}
