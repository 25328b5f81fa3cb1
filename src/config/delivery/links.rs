//! Links: where a message leads, as URL templates.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::check::nearest;
use crate::model::finding::Finding;
use crate::model::ids::{ClusterName, ScanId, TargetName};

/// What a URL does not have to write otherwise (RFC 3986, `unreserved`).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where messages lead: https addresses in which `{scan}`, `{cluster}`, `{target}`, `{finding}`, `{fingerprint}`, `{namespace}`, `{kind}`
/// and `{name}` are filled in, percent-encoded. A message that cannot fill all of an address has no such link.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawLinks {
    /// A page on a scan or a finding, as `https://drift.example.com/scans/{scan}.html`.
    pub report: Option<String>,
    /// A page on an object, as `https://k8s.example.com/{cluster}/{namespace}/{kind}/{name}`.
    pub object: Option<String>,
}

/// Where messages lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// A page on a scan or a finding.
    pub report: Option<UrlTemplate>,
    /// A page on an object.
    pub object: Option<UrlTemplate>,
}

/// An address with places to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlTemplate(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(Place),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Scan,
    Cluster,
    Target,
    Finding,
    Fingerprint,
    Namespace,
    Kind,
    Name,
}

impl Place {
    const ALL: [(&'static str, Self); 8] = [
        ("scan", Self::Scan),
        ("cluster", Self::Cluster),
        ("target", Self::Target),
        ("finding", Self::Finding),
        ("fingerprint", Self::Fingerprint),
        ("namespace", Self::Namespace),
        ("kind", Self::Kind),
        ("name", Self::Name),
    ];
}

/// What an address is filled with.
#[derive(Clone, Copy, Debug)]
pub struct LinkFacts<'a> {
    /// The scan.
    pub scan: ScanId,
    /// The cluster, where there is no finding.
    pub cluster: Option<&'a ClusterName>,
    /// The target, where there is no finding.
    pub target: Option<&'a TargetName>,
    /// The one finding that the link is about.
    pub finding: Option<&'a Finding>,
}

impl RawLinks {
    /// The links, or what is wrong with them: the key, and what to do.
    ///
    /// # Errors
    /// Every address that is none.
    pub fn read(&self) -> Result<Links, Vec<(String, String)>> {
        let mut problems = Vec::new();
        let mut read = |key: &str, text: Option<&String>| {
            let template = text.map(|text| UrlTemplate::parse(text)).transpose();
            template.unwrap_or_else(|message| {
                problems.push((key.to_owned(), message));
                None
            })
        };
        let links =
            Links { report: read("report", self.report.as_ref()), object: read("object", self.object.as_ref()) };
        if problems.is_empty() { Ok(links) } else { Err(problems) }
    }
}

impl UrlTemplate {
    /// Reads `https://host/{scan}`.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let rest = rest.ok_or("must start with `https://` or `http://`")?;
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if host.is_empty() || host.contains(['{', '}']) {
            return Err("must name its host: nothing is filled in there".to_owned());
        }
        if !text.bytes().all(|b| b.is_ascii_graphic() && !b"\"'<>`\\|^".contains(&b)) {
            return Err("holds a character that no address has; write it percent-encoded".to_owned());
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or("has a `{` without its `}`")?;
            let known = || Place::ALL.into_iter().map(|(known, _)| known);
            let Some((_, place)) = Place::ALL.into_iter().find(|(known, _)| *known == name) else {
                let all = known().map(|known| format!("`{{{known}}}`")).collect::<Vec<_>>().join(", ");
                return Err(match nearest(name, known()) {
                    Some(near) => format!("cannot fill in `{{{name}}}`; did you mean `{{{near}}}`?"),
                    None => format!("cannot fill in `{{{name}}}`; there are {all}"),
                });
            };
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Place(place));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        let stray = |part: &Part| matches!(part, Part::Text(text) if text.contains('}'));
        if parts.iter().any(stray) { Err("has a `}` without its `{`".to_owned()) } else { Ok(Self(parts)) }
    }

    /// The address; `None` where a fact is missing that it asks for.
    pub fn fill(&self, facts: &LinkFacts<'_>) -> Option<String> {
        let mut url = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => url.push_str(text),
                Part::Place(place) => url.extend(utf8_percent_encode(&facts.get(*place)?, ENCODED)),
            }
        }
        Some(url)
    }
}

impl LinkFacts<'_> {
    fn get(&self, place: Place) -> Option<String> {
        let finding = self.finding;
        let fact = match place {
            Place::Scan => self.scan.to_string(),
            Place::Cluster => finding.map(|finding| &finding.cluster).or(self.cluster)?.to_string(),
            Place::Target => {
                let declared = finding.and_then(|finding| finding.origin.as_ref()).map(|origin| &origin.target);
                declared.or(self.target)?.to_string()
            }
            Place::Finding => finding?.id.to_string(),
            Place::Fingerprint => finding?.fingerprint.clone(),
            Place::Namespace => finding?.namespace.clone()?,
            Place::Kind => finding?.kind.clone(),
            Place::Name => finding?.name.clone(),
        };
        // A path segment of dots would lead elsewhere, and no encoding keeps it from that.
        Some(fact).filter(|fact| !matches!(fact.as_str(), "" | "." | ".."))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn finding(namespace: Option<&str>, name: &str) -> Finding {
        serde_json::from_value(json!({
            "id": "F-7f3a0001", "code": "DL001", "class": "changed", "cause": null, "severity": "high",
            "fingerprint": "7f3a0001ab", "cluster": "prod/eu", "apiVersion": "apps/v1", "kind": "Deployment",
            "namespace": namespace, "name": name, "path": null, "declared": null, "live": null, "origin": null,
            "declaredBy": null, "liveMatches": null, "actors": [], "firstSeen": null, "lastSeen": null,
            "scans": null, "waiver": null, "method": "", "note": null
        }))
        .expect("a finding")
    }

    #[test]
    fn an_address_is_filled_in_percent_encoded() {
        let template = "https://k.example.com/{cluster}/{namespace}/{kind}/{name}?at={scan}&id={finding}#{fingerprint}";
        let template = UrlTemplate::parse(template).expect("a template");
        fn facts(finding: Option<&Finding>) -> LinkFacts<'_> {
            LinkFacts { scan: ScanId(7), cluster: None, target: None, finding }
        }
        let one = finding(Some("shop"), "a b/ü?");
        assert_eq!(
            template.fill(&facts(Some(&one))).as_deref(),
            Some("https://k.example.com/prod%2Feu/shop/Deployment/a%20b%2F%C3%BC%3F?at=7&id=F-7f3a0001#7f3a0001ab")
        );
        for lacking in [finding(None, "node"), finding(Some(".."), "a"), finding(Some("shop"), ".")] {
            assert_eq!(template.fill(&facts(Some(&lacking))), None);
        }
        assert_eq!(template.fill(&facts(None)), None);
    }

    #[test]
    fn without_a_finding_cluster_and_target_are_the_messages() {
        let template = UrlTemplate::parse("http://d.example.com/{cluster}/{target}/{scan}").expect("a template");
        let (cluster, target) = (ClusterName::new("prod"), TargetName::new("checkout"));
        let facts = LinkFacts { scan: ScanId(7), cluster: Some(&cluster), target: None, finding: None };
        assert_eq!(template.fill(&facts), None);
        let facts = LinkFacts { target: Some(&target), ..facts };
        assert_eq!(template.fill(&facts).as_deref(), Some("http://d.example.com/prod/checkout/7"));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_key() {
        for (url, message) in [
            ("drift.example.com/{scan}", "must start with `https://`"),
            ("javascript:alert(1)", "must start with `https://`"),
            ("https://{cluster}.example.com/", "must name its host"),
            ("https://", "must name its host"),
            ("https://a/ b", "holds a character"),
            ("https://a/\"onclick", "holds a character"),
            ("https://a/{scam}", "cannot fill in `{scam}`; did you mean `{scan}`?"),
            ("https://a/{x}", "cannot fill in `{x}`; there are `{scan}`"),
            ("https://a/{scan", "has a `{` without"),
            ("https://a/scan}", "has a `}` without"),
        ] {
            let raw = RawLinks { report: None, object: Some(url.to_owned()) };
            let problems = raw.read().expect_err(url);
            assert!(problems.len() == 1 && problems[0].0 == "object", "{problems:?}");
            assert!(problems[0].1.starts_with(message), "{url}: {problems:?}");
        }
        assert_eq!(RawLinks::default().read(), Ok(Links::default()));
    }
}
