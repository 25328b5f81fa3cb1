//! What rendered targets declared once: out of what their earlier versions render.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Instant;

use super::evidence::Search;
use super::gather::TargetSource;
use super::rendered_past::{Walk, Walked};
use crate::config::Config;
use crate::model::declared::RenderedObject;
use crate::model::fingerprint::stable_name;
use crate::model::former::{Cut, FormerObject, Past};
use crate::model::resource::ObjectId;
use crate::model::secret::RedactionKey;
use crate::processors;

/// Versions of a target that are rendered for it. Each is rendered once and then kept.
const MOST_VERSIONS: usize = 20;

/// Gives rendered targets their pasts, all of them together within `limits.historyTime`. Blocks.
pub fn look_back(sources: &mut [TargetSource], config: &Config, key: &RedactionKey) {
    let deadline = Instant::now().checked_add(config.limits.history_time);
    let wanted = |source: &TargetSource| {
        source.toolbox.is_some() && source.versions.is_some() && config.audit_of(&source.config.cluster).removed
    };
    let all: &[TargetSource] = sources;
    let jobs = Mutex::new((0..all.len()).filter(|n| wanted(&all[*n])));
    let next = || jobs.lock().ok().and_then(|mut jobs| jobs.next());
    let pasts = processors::on_each(0..processors::count(), |_| {
        std::iter::from_fn(next).map(|n| (n, of_target(&all[n], all, (config, key), deadline))).collect::<Vec<_>>()
    });
    for (n, past) in pasts.into_iter().flatten() {
        sources[n].past = past;
    }
}

fn of_target(
    source: &TargetSource,
    sources: &[TargetSource],
    (config, key): (&Config, &RedactionKey),
    deadline: Option<Instant>,
) -> Past {
    let mut past = Past::default();
    let Some(toolbox) = &source.toolbox else { return past };
    // A generator's next generation is no other object.
    let name = |object: &RenderedObject| {
        let (group, kind) = (object.gvk.gv.group.clone(), object.gvk.kind.clone());
        let id = ObjectId { group, kind, namespace: object.namespace.clone(), name: object.name.clone() };
        let stable = stable_name(&id).to_owned();
        (id.group, id.kind, id.namespace.unwrap_or_else(|| source.config.namespace.clone()), stable)
    };
    let mut taken: HashSet<_> = source.objects.iter().map(name).collect();
    let search = Search { source, sources, folders: &[], config, key };
    let mut walk = Walk::new(&search, toolbox);
    let mut newer = None;
    for versions in 0.. {
        let why = if versions >= MOST_VERSIONS {
            Some("only its newest versions are rendered for that")
        } else if deadline.is_some_and(|deadline| Instant::now() > deadline) {
            Some("`limits.historyTime` is over")
        } else {
            None
        };
        let version = match why.map_or_else(|| walk.step_back(), |_| Walked::Unreadable) {
            Walked::Version(version) => version,
            Walked::Unreadable => {
                let why = why.unwrap_or("an earlier commit cannot be read");
                past.cut = Some(Cut { back_to: newer.map(|(commit, _)| commit), why });
                return past;
            }
            Walked::Begun => break,
        };
        past.unreadable += u64::from(version.objects.is_none());
        // The commit of the version after this one took away what is only in this one.
        if let Some((_, behind)) = newer {
            for object in version.objects.iter().flatten().filter(|object| taken.insert(name(object))) {
                past.objects.push(FormerObject {
                    gvk: object.gvk.clone(),
                    namespace: object.namespace.clone(),
                    name: object.name.clone(),
                    file: object.file.clone(),
                    commits_behind: behind,
                });
            }
        }
        newer = Some((version.commit.as_ref().clone(), version.place.behind));
    }
    if !walk.whole {
        past.cut = Some(Cut { back_to: newer.map(|(commit, _)| commit), why: "the history at hand ends there" });
    }
    past
}
