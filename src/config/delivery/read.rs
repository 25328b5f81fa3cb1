//! The parts together: every name that is used is one that there is, and the last route takes the rest.

use super::{Delivery, OWNER_ANNOTATION, Route, SummaryConfig};
use crate::config::raw::RawConfig;
use crate::config::read::Reader;

impl Reader<'_> {
    /// Everything about messages.
    pub(in crate::config) fn delivery(&mut self, raw: &RawConfig) -> Delivery {
        let names = || raw.receivers.iter().map(|receiver| receiver.name.as_str());
        self.unique("receivers", names());
        self.unique("routes", raw.routes.iter().map(|route| route.name.as_str()));
        self.unique("summaries", raw.summaries.iter().flatten().map(|summary| summary.name.as_str()));
        for (n, route) in raw.routes.iter().enumerate() {
            for (m, name) in route.receivers.iter().enumerate() {
                self.known(&format!("routes[{n}].receivers[{m}]"), "receiver", name, names());
            }
            if let Some(name) = &route.fallback {
                self.known(&format!("routes[{n}].fallback"), "receiver", name, names());
            }
        }
        for (n, summary) in raw.summaries.iter().flatten().enumerate() {
            for (m, name) in summary.receivers.iter().enumerate() {
                self.known(&format!("summaries[{n}].receivers[{m}]"), "receiver", name, names());
            }
        }
        self.every_receiver_is_used(raw);
        let folder = self.folder;
        let read = raw.receivers.iter().enumerate().map(|(n, raw)| (n, raw.read(folder)));
        let receivers = read.filter_map(|(n, read)| self.or_problems(&format!("receivers[{n}]"), read)).collect();
        let read = raw.routes.iter().enumerate().map(|(n, raw)| (n, raw.read()));
        let routes: Vec<Route> = read.filter_map(|(n, read)| self.or_problems(&format!("routes[{n}]"), read)).collect();
        self.the_last_route_takes_the_rest(raw, &routes);
        let read = raw.summaries.iter().flatten().enumerate();
        let read = read.map(|(n, raw)| (n, raw.read().map_err(|problem| vec![problem])));
        let configured: Vec<SummaryConfig> =
            read.filter_map(|(n, read)| self.or_problems(&format!("summaries[{n}]"), read)).collect();
        let to_the_last = || routes.last().filter(|route| !route.receivers.is_empty());
        let weekly = || to_the_last().map(|route| SummaryConfig::weekly(route.receivers.clone()));
        let summaries = if raw.summaries.is_some() { configured } else { weekly().into_iter().collect() };
        let heartbeat = raw.heartbeat.as_ref().map(|raw| raw.read(folder).map_err(|problem| vec![problem]));
        let heartbeat = heartbeat.and_then(|read| self.or_problems("heartbeat", read));
        let links = raw.links.as_ref().map(|raw| raw.read());
        let links = links.and_then(|read| self.or_problems("links", read)).unwrap_or_default();
        let owner_annotation = raw.owner_annotation.clone().unwrap_or_else(|| OWNER_ANNOTATION.to_owned());
        Delivery { receivers, routes, summaries, heartbeat, links, owner_annotation }
    }

    fn or_problems<T>(&mut self, key: &str, read: Result<T, Vec<(String, String)>>) -> Option<T> {
        read.map_err(|problems| {
            for (below, message) in problems {
                let dot = if below.is_empty() { "" } else { "." };
                self.problem(&format!("{key}{dot}{below}"), message);
            }
        })
        .ok()
    }

    fn every_receiver_is_used(&mut self, raw: &RawConfig) {
        let by_routes = raw.routes.iter().flat_map(|route| route.receivers.iter().chain(&route.fallback));
        let by_summaries = raw.summaries.iter().flatten().flat_map(|summary| &summary.receivers);
        let used: Vec<&String> = by_routes.chain(by_summaries).collect();
        for (n, receiver) in raw.receivers.iter().enumerate() {
            if !used.contains(&&receiver.name) {
                let message = format!("nothing goes to `{}`: name it in a route or a summary", receiver.name);
                self.problem(&format!("receivers[{n}].name"), message);
            }
        }
    }

    /// Without a route for the rest, what no route takes would be lost without a word.
    fn the_last_route_takes_the_rest(&mut self, raw: &RawConfig, routes: &[Route]) {
        if routes.len() != raw.routes.len() {
            return;
        }
        let position =
            |route: &Route| raw.routes.iter().position(|raw| raw.name == route.name.as_str()).unwrap_or_default();
        if let Some((last, before)) = routes.split_last() {
            if !last.takes.is_everything() || last.continues {
                let message = "the last route takes the rest: it names nothing but receivers (none, if the rest is to be told to nobody)";
                self.problem(&format!("routes[{}]", position(last)), message);
            }
            for route in before.iter().filter(|route| route.takes.is_everything() && !route.continues) {
                let message = "takes everything: the routes after it are never asked; move it to the end";
                self.problem(&format!("routes[{}]", position(route)), message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::read;

    const BASE: &str = "\
ledger: l
clusters: [{name: c, dump: d}]
repositories: [{name: r, url: ./r}]
targets: [{name: t, repository: r, cluster: c}]
receivers:
  - {name: chat, slack: {channel: C1, tokenEnv: TOKEN}}
  - {name: post, mail: {from: a@b.c, to: [d@e.f], folder: out}}
";

    fn problems(text: &str) -> Vec<String> {
        match read(&format!("{BASE}{text}"), Path::new("/etc/d")) {
            Ok(_) => Vec::new(),
            Err(error) => error.to_string().lines().map(str::to_owned).collect(),
        }
    }

    #[test]
    fn a_weekly_summary_goes_to_the_last_route_unless_it_is_said_otherwise() {
        let routes = "routes: [{name: rest, receivers: [chat, post]}]\n";
        let config = read(&format!("{BASE}{routes}"), Path::new("/")).expect("valid");
        assert_eq!(config.delivery.summaries.len(), 1);
        assert_eq!(config.delivery.summaries[0].receivers.len(), 2);
        let config = read(&format!("{BASE}{routes}summaries: []\n"), Path::new("/")).expect("valid");
        assert!(config.delivery.summaries.is_empty());
    }

    #[test]
    fn names_order_and_use_are_checked() {
        for (text, expected) in [
            (
                "routes: [{name: a, receivers: [chat, post, pots]}]",
                "8:44: routes[0].receivers[2]: there is no receiver `pots`; did you mean `post`?",
            ),
            ("routes: [{name: a, receivers: [chat]}]", "7:12: receivers[1].name: nothing goes to `post`"),
            (
                "routes: [{name: a, receivers: [chat], fallback: post, severity: high}]",
                "8:10: routes[0]: the last route takes the rest",
            ),
            (
                "routes: [{name: a, receivers: [chat]}, {name: b, receivers: [post]}]",
                "8:10: routes[0]: takes everything",
            ),
            (
                "routes: [{name: a, receivers: [chat], continue: true}, {name: a, receivers: [post]}]",
                "8:63: routes[1].name: `a` is already taken",
            ),
            (
                "routes: [{name: a, receivers: [chat, post]}]\nsummaries: [{name: s, receivers: [post], schedule: now}]",
                "9:52: summaries[0].schedule: has not five fields",
            ),
            (
                "routes: [{name: a, receivers: [chat, post]}]\nheartbeat: {}",
                "9:12: heartbeat: needs exactly one of `url`",
            ),
        ] {
            let found = problems(text);
            assert!(found.len() == 1 && found[0].starts_with(expected), "{text}: {found:?}");
        }
    }
}
