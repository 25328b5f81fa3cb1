//! Places of rendered objects at which it is not known what should stand, as ignore rules: what such a value is live says nothing.

use wildmatch::WildMatch;

use crate::config::ignore::place::PlacePattern;
use crate::config::ignore::{IgnoreRule, Inside, Selection};
use crate::model::declared::UnstablePlace;
use crate::model::finding::Code;
use crate::model::ids::TargetName;

/// A rule for each place.
pub fn rules(target: &TargetName, places: &[UnstablePlace]) -> Vec<IgnoreRule> {
    let rule = |place: &UnstablePlace| {
        let UnstablePlace { group, kind, name, pointer, why, may_be_absent } = place;
        // That something is there can be compared.
        let codes = if *may_be_absent { Vec::new() } else { vec![Code::Changed, Code::Undeclared] };
        let pattern = PlacePattern::pointer(pointer).ok()?;
        Some(IgnoreRule {
            id: format!("target {target}: {kind} {name} {pointer}"),
            source: format!("target {target}"),
            reason: why.clone(),
            expires: None,
            select: Selection {
                kinds: vec![WildMatch::new(kind)],
                groups: vec![WildMatch::new(group)],
                names: vec![WildMatch::new(name)],
                targets: vec![WildMatch::new(target.as_str())],
                codes,
                ..Selection::default()
            },
            inside: Inside { places: vec![pattern], ..Inside::default() },
            trouble: None,
            inert: false,
            written: format!("{group} {kind} {name} {pointer}"),
        })
    };
    places.iter().filter_map(rule).collect()
}
