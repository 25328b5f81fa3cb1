//! Routes: which findings go to which receivers, and when.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::schedule::{RawWindow, Window};
use crate::config::globs::{self, Glob, globs};
use crate::config::ignore::LabelSelector;
use crate::config::severity::RawSeverity;
use crate::model::finding::{Cause, Code, Finding, Severity};
use crate::model::gap::Gap;
use crate::model::ids::{ReceiverName, RouteName};

/// A route. It takes the findings for which everything that it names fits. They go by the first route that takes them, and by further
/// ones as long as those before say `continue`. The last route names nothing: it takes the rest.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawRoute {
    /// The name by which the ledger knows it: under a new one, everything that is open is told anew.
    pub name: String,
    /// Names of receivers. None: what the route takes is told to nobody.
    pub receivers: Vec<String>,
    /// The least severity that it takes.
    pub severity: Option<RawSeverity>,
    /// Codes, as `DL001`, or classes, as `missing`.
    #[serde(default)]
    pub classes: Vec<String>,
    /// Causes: `behind`, `out-of-band`…
    #[serde(default)]
    pub causes: Vec<String>,
    /// Names of clusters; `*` stands for any text.
    #[serde(default)]
    pub clusters: Vec<String>,
    /// Names of targets; `*` stands for any text. What no target declares does not fit.
    #[serde(default)]
    pub targets: Vec<String>,
    /// Namespaces; `*` stands for any text. Cluster-scoped objects have none and do not fit.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// `Kind`, or `Kind.group`; `*` stands for any text.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// A selector over the labels that Git declares, as `app=web,tier in (a,b)`.
    pub labels: Option<String>,
    /// Owners: what the declared object's `ownerAnnotation` says, or whom CODEOWNERS names for its file; `*` stands for any text.
    #[serde(default)]
    pub owners: Vec<String>,
    /// Whether routes after this one are asked, too. Default false.
    #[serde(rename = "continue")]
    pub continues: Option<bool>,
    /// A receiver that gets what one of the others refuses for good.
    pub fallback: Option<String>,
    /// Windows in which nothing is sent.
    #[serde(default)]
    pub mute: Vec<RawWindow>,
    /// When something is sent.
    #[serde(default)]
    pub notify: RawNotify,
}

/// When something is sent.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawNotify {
    /// The least severity that is told one by one; what is less stands in summaries and reports. Default `medium`.
    pub least: Option<RawSeverity>,
    /// The least severity that is told by the first scan that sees it. Default `critical`.
    pub at_once: Option<RawSeverity>,
    /// How many scans in a row must see what is told later than at once. Default 2.
    pub scans: Option<u32>,
    /// How long what is behind Git, or missing, must last if its severity is medium or less, as `1h`. Default `1h`.
    pub wait: Option<String>,
    /// After what time an open critical finding is told again, as `24h`, or `never`. Default `24h`.
    pub repeat: Option<String>,
    /// With more new findings than these in one scan, one message tells of all of them. Default 20.
    pub incident: Option<u32>,
    /// A finding that opened and closed more often than this in 24 hours is told once as one that comes and goes. Default 5.
    pub flapping: Option<u32>,
    /// How long a gap must stand to be told, as `30m`, or `never`. Default `30m`.
    pub gaps: Option<String>,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Name.
    pub name: RouteName,
    /// Receivers.
    pub receivers: Vec<ReceiverName>,
    /// What it takes.
    pub takes: Taking,
    /// Whether routes after it are asked.
    pub continues: bool,
    /// Who gets what is refused.
    pub fallback: Option<ReceiverName>,
    /// When nothing is sent.
    pub mute: Vec<Window>,
    /// When something is.
    pub notify: Notify,
}

/// What a route takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taking {
    least: Option<Severity>,
    codes: Vec<Code>,
    causes: Vec<Cause>,
    clusters: Vec<Glob>,
    targets: Vec<Glob>,
    namespaces: Vec<Glob>,
    kinds: Vec<Glob>,
    labels: Option<LabelSelector>,
    owners: Vec<Glob>,
}

/// When something is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// Told one by one from here on.
    pub least: Severity,
    /// Told at once from here on.
    pub at_once: Severity,
    /// Scans in a row.
    pub scans: u64,
    /// For what is behind or missing.
    pub wait: Duration,
    /// For critical findings; `None`: never again.
    pub repeat: Option<Duration>,
    /// More new ones than these are one incident.
    pub incident: usize,
    /// More than this is flapping.
    pub flapping: u64,
    /// For gaps; `None`: they are not told.
    pub gaps: Option<Duration>,
}

impl Default for Notify {
    fn default() -> Self {
        Self {
            least: Severity::Medium,
            at_once: Severity::Critical,
            scans: 2,
            wait: Duration::from_secs(3_600),
            repeat: Some(Duration::from_secs(86_400)),
            incident: 20,
            flapping: 5,
            gaps: Some(Duration::from_secs(1_800)),
        }
    }
}

/// What a route is asked about a finding besides the finding itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Declared<'a> {
    /// The declared object's labels.
    pub labels: Option<&'a Map<String, Value>>,
    /// Who owns it.
    pub owners: &'a [String],
}

type Problem = (String, String);

impl RawRoute {
    /// The route, or what is wrong with it: the key below it, and what to do.
    ///
    /// # Errors
    /// Every problem.
    pub fn read(&self) -> Result<Route, Vec<(String, String)>> {
        let mut problems = Vec::new();
        let mut codes = Vec::new();
        for (n, text) in self.classes.iter().enumerate() {
            let found = Code::parse(text).or_else(|| Code::ALL.iter().copied().find(|code| code.class() == text));
            if found.is_none() {
                problems.push((format!("classes[{n}]"), format!("`{text}` is no code (DL001 to DL012) and no class")));
            }
            codes.extend(found);
        }
        let mut causes = Vec::new();
        for (n, text) in self.causes.iter().enumerate() {
            if Cause::parse(text).is_none() {
                let known: Vec<&str> = Cause::ALL.iter().map(|cause| cause.as_str()).collect();
                problems.push((format!("causes[{n}]"), format!("`{text}` is no cause; known: {}", known.join(", "))));
            }
            causes.extend(Cause::parse(text));
        }
        let labels = self.labels.as_deref().map(LabelSelector::parse).transpose().unwrap_or_else(|message| {
            problems.push(("labels".into(), message));
            None
        });
        let mut mute = Vec::new();
        for (n, window) in self.mute.iter().enumerate() {
            match window.read() {
                Ok(window) => mute.push(window),
                Err((key, message)) => {
                    let dot = if key.is_empty() { "" } else { "." };
                    problems.push((format!("mute[{n}]{dot}{key}"), message));
                }
            }
        }
        let notify = self.notify.read(&mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Route {
            name: RouteName::new(&self.name),
            receivers: self.receivers.iter().map(ReceiverName::new).collect(),
            takes: Taking {
                least: self.severity.map(Severity::from),
                codes,
                causes,
                clusters: globs(&self.clusters),
                targets: globs(&self.targets),
                namespaces: globs(&self.namespaces),
                kinds: globs(&self.kinds),
                labels,
                owners: globs(&self.owners),
            },
            continues: self.continues.unwrap_or(false),
            fallback: self.fallback.as_ref().map(ReceiverName::new),
            mute,
            notify,
        })
    }
}

impl RawNotify {
    fn read(&self, problems: &mut Vec<Problem>) -> Notify {
        let default = Notify::default();
        let mut duration =
            |key: &str, text: Option<&String>, default: Option<Duration>, never: bool| match text.map(String::as_str) {
                None => default,
                Some("never") if never => None,
                Some(text) => {
                    text.parse::<jiff::SignedDuration>().ok().and_then(|d| Duration::try_from(d).ok()).or_else(|| {
                        let or = if never { ", or `never`" } else { "" };
                        problems.push((format!("notify.{key}"), format!("is no duration; write `30m`, `1h`{or}")));
                        default
                    })
                }
            };
        Notify {
            wait: duration("wait", self.wait.as_ref(), Some(default.wait), false).unwrap_or(default.wait),
            repeat: duration("repeat", self.repeat.as_ref(), default.repeat, true),
            gaps: duration("gaps", self.gaps.as_ref(), default.gaps, true),
            least: self.least.map_or(default.least, Severity::from),
            at_once: self.at_once.map_or(default.at_once, Severity::from),
            scans: self.scans.map_or(default.scans, u64::from),
            incident: self.incident.map_or(default.incident, |n| n as usize),
            flapping: self.flapping.map_or(default.flapping, u64::from),
        }
    }
}

impl Route {
    /// Whether nothing is sent at a time.
    pub fn is_muted(&self, time: crate::model::time::Timestamp) -> bool {
        self.mute.iter().any(|window| window.holds(time))
    }
}

impl Taking {
    /// Whether it takes everything.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it asks for what stands in the declared object, or in files about who owns it.
    pub fn asks_about_objects(&self) -> bool {
        self.labels.is_some() || !self.owners.is_empty()
    }

    /// Whether it takes a finding.
    pub fn finding(&self, finding: &Finding, declared: Declared<'_>) -> bool {
        let some = |patterns: &[Glob], text: Option<&str>| {
            patterns.is_empty() || text.is_some_and(|text| patterns.iter().any(|p| p.matches(text)))
        };
        let kind = finding.object().group_kind();
        self.least.is_none_or(|least| finding.severity >= least)
            && (self.codes.is_empty() || self.codes.contains(&finding.code))
            && (self.causes.is_empty() || finding.cause.is_some_and(|cause| self.causes.contains(&cause)))
            && some(&self.clusters, Some(finding.cluster.as_str()))
            && some(&self.targets, finding.origin.as_ref().map(|origin| origin.target.as_str()))
            && some(&self.namespaces, finding.namespace.as_deref())
            && globs::any(&self.kinds, |pattern| pattern.matches_kind(&kind))
            && self
                .labels
                .as_ref()
                .is_none_or(|selector| declared.labels.is_some() && selector.matches(declared.labels))
            && (self.owners.is_empty()
                || declared.owners.iter().any(|owner| self.owners.iter().any(|p| p.matches(owner))))
    }

    /// Whether it takes a gap. A gap has a cluster and a target at most: a route that asks for more takes none.
    pub fn gap(&self, gap: &Gap) -> bool {
        let only_place = Self { clusters: self.clusters.clone(), targets: self.targets.clone(), ..Self::default() };
        let fits = |patterns: &[Glob], text: Option<&str>| {
            patterns.is_empty() || text.is_some_and(|text| patterns.iter().any(|p| p.matches(text)))
        };
        *self == only_place
            && fits(&self.clusters, gap.cluster.as_ref().map(|cluster| cluster.as_str()))
            && fits(&self.targets, gap.target.as_ref().map(|target| target.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::gap::{GapKind, Hides};
    use crate::model::ids::{ClusterName, TargetName};

    fn route(text: &str) -> Result<Route, Vec<Problem>> {
        let documents = crate::yaml::read_documents(text, &crate::yaml::Limits::default());
        let node = documents.into_iter().next().expect("a document").expect("YAML").root;
        let raw: RawRoute = serde_json::from_value(crate::yaml::to_json(&node)).expect("a route");
        raw.read()
    }

    fn finding() -> Finding {
        serde_json::from_value(json!({
            "id": "F-1", "code": "DL001", "class": "changed", "cause": "behind", "severity": "high", "fingerprint": "", "cluster": "prod-eu",
            "apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "api", "path": ".spec.replicas", "declared": 1,
            "live": 2, "origin": {"target": "checkout", "repository": "r", "revision": "main", "commit": "c", "file": "f", "line": 1},
            "declaredBy": null, "liveMatches": null, "actors": [], "firstSeen": null, "lastSeen": null, "scans": null, "waiver": null,
            "method": "", "note": null
        }))
        .expect("a finding")
    }

    #[test]
    fn a_route_takes_a_finding_for_which_everything_that_it_names_fits() {
        let labels = json!({"tier": "front"});
        let declared = Declared { labels: labels.as_object(), owners: &["@acme/shop".to_owned()] };
        for (names, takes) in [
            ("", true),
            ("severity: high", true),
            ("severity: critical", false),
            ("classes: [changed]", true),
            ("classes: [DL004]", false),
            ("causes: [behind, ahead]", true),
            ("causes: [out-of-band]", false),
            ("clusters: [prod-*]", true),
            ("clusters: [dev]", false),
            ("targets: [checkout]", true),
            ("namespaces: [shop]", true),
            ("namespaces: [other]", false),
            ("kinds: [Deployment.apps]", true),
            ("kinds: [Deployment, Service]", true),
            ("kinds: [Service]", false),
            ("labels: 'tier=front'", true),
            ("labels: 'tier!=front'", false),
            ("owners: ['@acme/*']", true),
            ("owners: ['@acme/pay']", false),
            ("severity: high\nclusters: [dev]", false),
        ] {
            let route = route(&format!("name: r\nreceivers: [a]\n{names}\n")).expect(names);
            assert_eq!(route.takes.finding(&finding(), declared), takes, "{names}");
            assert_eq!(route.takes.is_everything(), names.is_empty(), "{names}");
        }
        let labelled = route("{name: r, receivers: [a], labels: '!tier'}").expect("a route");
        assert!(!labelled.takes.finding(&finding(), Declared::default()), "nothing is known of the labels");
    }

    #[test]
    fn a_gap_goes_by_a_route_that_asks_for_its_place_alone() {
        let mut gap = Gap::new(GapKind::Fetch, "x", Hides::Target);
        gap.cluster = Some(ClusterName::new("prod-eu"));
        gap.target = Some(TargetName::new("checkout"));
        for (names, takes) in [
            ("", true),
            ("clusters: [prod-*]", true),
            ("clusters: [dev]", false),
            ("targets: [checkout]", true),
            ("severity: high", false),
            ("namespaces: [shop]", false),
        ] {
            let route = route(&format!("name: r\nreceivers: [a]\n{names}\n")).expect(names);
            assert_eq!(route.takes.gap(&gap), takes, "{names}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_key() {
        for (text, key) in [
            ("classes: [gone]", "classes[0]"),
            ("causes: [never]", "causes[0]"),
            ("labels: 'a in (b'", "labels"),
            ("mute: [{from: '20:00'}]", "mute[0]"),
            ("mute: [{timeZone: Mars/Base}]", "mute[0].timeZone"),
            ("notify: {repeat: often}", "notify.repeat"),
            ("notify: {wait: never}", "notify.wait"),
        ] {
            let problems = route(&format!("name: r\nreceivers: [a]\n{text}\n")).expect_err(text);
            assert_eq!(problems[0].0, key, "{text}");
        }
        let never =
            route("{name: r, receivers: [], notify: {repeat: never, gaps: never, atOnce: high}}").expect("a route");
        assert_eq!((never.notify.repeat, never.notify.gaps, never.notify.at_once), (None, None, Severity::High));
    }
}
