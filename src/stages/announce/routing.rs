//! Who takes what.

use super::{Scene, Seen};
use crate::config::delivery::Declared;

/// What each route takes, in the order of the routes: a finding goes by the first that takes it, and on as long as those say so.
pub(super) fn by_route<'s, 'a>(scene: &'s Scene<'a>) -> Vec<Vec<&'s Seen<'a>>> {
    let mut taken: Vec<Vec<&Seen<'a>>> = scene.routes.iter().map(|_| Vec::new()).collect();
    for seen in &scene.found {
        let declared = Declared { labels: seen.labels, owners: seen.owners };
        for (n, route) in scene.routes.iter().enumerate() {
            if route.takes.finding(seen.finding, declared) {
                taken[n].push(seen);
                if !route.continues {
                    break;
                }
            }
        }
    }
    taken
}
