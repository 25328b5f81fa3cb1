//! From the configuration to all targets.

use std::sync::Arc;

use super::declared::{Declared, is_same_object, of_source};
use super::live::{live, live_config_maps};
use super::orphans;
use super::said::{named, said};
use super::troubles::gaps_of;
use crate::app::error::AppError;
use crate::app::{gather, wiring};
use crate::config::Config;
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::secret::RedactionKey;
use crate::model::time::Timestamp;

/// Applications that declare Applications that declare Applications.
const DEEPEST: usize = 8;

/// Targets; more are no configuration but an accident.
const MOST_TARGETS: usize = 5_000;

/// The configuration with all targets that are declared for it, read with the ledger's key, or a passing one where there is none yet.
///
/// # Errors
/// The key cannot be read.
pub async fn of(config: &Arc<Config>, now: Timestamp) -> Result<Arc<Config>, AppError> {
    if !config.discovery.argocd && !config.discovery.flux {
        return Ok(config.clone());
    }
    let with_key = config.clone();
    let key = tokio::task::spawn_blocking(move || Arc::new(wiring::key_or_passing(&with_key))).await;
    let key = key.map_err(|error| AppError::new(format!("reading the key was given up: {error}")))?;
    Ok(effective(config.clone(), &key, now).await)
}

async fn effective(config: Arc<Config>, key: &Arc<RedactionKey>, now: Timestamp) -> Arc<Config> {
    let mut all = Config::clone(&config);
    let mut new = all.targets.clone();
    let (mut running, gaps) = if config.discovery.live { live(&config).await } else { Default::default() };
    all.undiscovered = gaps;
    let mut config_maps_are_read = !config.discovery.live;
    let (mut declared, opened): (Vec<Declared>, _) = (Vec::new(), Arc::default());
    let mut is_cut = false;
    for _ in 0..DEEPEST {
        let sources = gather::present(&Arc::new(all.clone()), &new, key, now, &opened).await;
        declared.extend(sources.iter().flat_map(|source| of_source(source, config.discovery.flux)));
        // What Git says of a target goes before what is live, which may have been read first.
        let mut named = named(declared.iter().chain(&running), &config);
        let most = MOST_TARGETS.saturating_sub(config.targets.len());
        is_cut = named.len() > most;
        named.truncate(most);
        new = named.iter().filter(|target| !all.targets.contains(target)).cloned().collect();
        all.targets = config.targets.iter().cloned().chain(named).collect();
        declared.retain(|one| all.targets.contains(&one.by));
        if !config_maps_are_read && new.is_empty() {
            // What Git does not declare may be live.
            config_maps_are_read = true;
            running.extend(live_config_maps(&config, declared.iter().chain(&running)).await);
        } else if new.is_empty() {
            break;
        }
    }
    if is_cut || !new.is_empty() {
        let message = format!(
            "not all targets are looked at: more than {MOST_TARGETS} are named, or they name one another more than {DEEPEST} deep"
        );
        all.undiscovered.push(Gap::new(GapKind::Limit, message, Hides::Target));
    }
    // What is declared as well is told where it is declared.
    let troubles: Vec<Gap> = said(declared.iter().chain(&running), &all)
        .into_iter()
        .filter(|(one, _)| one.file.is_none() && !declared.iter().any(|other| is_same_object(one, other)))
        .flat_map(|(one, found)| gaps_of(one, &found))
        .collect();
    all.undiscovered.extend(troubles);
    // What is declared as well says so itself.
    let only_live = running.iter().filter(|one| !declared.iter().any(|other| is_same_object(one, other)));
    let only_live: Vec<&Declared> = only_live.collect();
    orphans::audit(&mut all, declared.iter().chain(only_live.iter().copied()));
    all.only_live = only_live.into_iter().map(|one| (one.by.cluster.clone(), one.object.clone())).collect();
    tracing::debug!(found = all.targets.len() - config.targets.len(), "targets discovered");
    Arc::new(all)
}
