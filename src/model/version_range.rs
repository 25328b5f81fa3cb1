//! A range of versions as a tracked revision: `semver:>=1.2.0 <2.0.0`, `semver:^1.2`, `semver:~1.4 || 2.x`.
//!
//! Versions and their order are those of Semantic Versioning 2.0.0; the operators are those that npm, Helm, Argo CD and Flux share. A
//! version alone means itself, and one with parts left out or `x` means all that begin so. Versions side by side, with a blank or a comma
//! between them, must all fit. A pre-release fits only where the alternative names one, as `>=1.2.0-0` does.

use semver::{Comparator, Op, Prerelease, Version};
use thiserror::Error;

use super::ids::Revision;

/// What such a revision begins with.
const PREFIX: &str = "semver:";

/// A range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRange {
    /// One of them must fit.
    alternatives: Vec<Alternative>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Alternative {
    /// All of them must fit.
    bounds: Vec<Bounds>,
    pre_releases: bool,
}

/// From the first to before the second, or to the second where that fits too.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bounds {
    low: Option<(Version, bool)>,
    high: Option<(Version, bool)>,
}

/// Why a text is no range.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{part}` is no version range; write `^1.2`, `~1.4.0`, `>=1.2.0 <2.0.0` or `1.x`, several with `||`")]
pub struct RangeError {
    part: String,
}

impl VersionRange {
    /// The range that a revision is; `None` where it is a branch, a tag or a commit.
    ///
    /// # Errors
    /// [`RangeError`], with the part that is not understood.
    pub fn of(revision: &Revision) -> Option<Result<Self, RangeError>> {
        revision.as_str().strip_prefix(PREFIX).map(Self::parse)
    }

    fn parse(text: &str) -> Result<Self, RangeError> {
        let alternatives = text.split("||").map(Alternative::parse).collect::<Result<_, _>>()?;
        Ok(Self { alternatives })
    }

    /// Whether a version is in it.
    pub fn holds(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|alternative| alternative.holds(version))
    }

    /// The version that a tag names: all three numbers, with or without a leading `v`.
    pub fn version_of(tag: &str) -> Option<Version> {
        Version::parse(tag.strip_prefix('v').unwrap_or(tag)).ok()
    }
}

impl Alternative {
    fn parse(text: &str) -> Result<Self, RangeError> {
        let mut bounds = Vec::new();
        let mut pre_releases = false;
        let mut operator = String::new();
        let no_range = |part: &str| RangeError { part: part.to_owned() };
        for word in text.split([' ', '\t', ',']).filter(|word| !word.is_empty()) {
            // `>= 1.2` is two words of one part.
            let part = std::mem::take(&mut operator) + word;
            if part.trim_start_matches(['>', '<', '=', '^', '~']).is_empty() {
                operator = part;
                continue;
            }
            let (sign, version) = part.split_at(part.find(|c| !">=<^~".contains(c)).unwrap_or(part.len()));
            let version = version.strip_prefix('v').unwrap_or(version);
            if matches!(version, "*" | "x" | "X") && sign.is_empty() {
                bounds.push(Bounds { low: None, high: None });
                continue;
            }
            // Alone, a version would be taken for what is compatible with it.
            let sign = if sign.is_empty() { "=" } else { sign };
            let has_wildcard = version.split('.').any(|number| matches!(number, "*" | "x" | "X"));
            let sign = if has_wildcard && sign == "=" { "" } else { sign };
            let comparator = Comparator::parse(&format!("{sign}{version}")).map_err(|_| no_range(&part))?;
            pre_releases |= !comparator.pre.is_empty();
            bounds.push(Bounds::of(&comparator).ok_or_else(|| no_range(&part))?);
        }
        if bounds.is_empty() || !operator.is_empty() {
            return Err(no_range(text.trim()));
        }
        Ok(Self { bounds, pre_releases })
    }

    fn holds(&self, version: &Version) -> bool {
        (self.pre_releases || version.pre.is_empty()) && self.bounds.iter().all(|bounds| bounds.hold(version))
    }
}

impl Bounds {
    /// `None` for an operator of a later version of the crate.
    fn of(comparator: &Comparator) -> Option<Self> {
        let Comparator { op, major, minor, patch, pre } = comparator;
        let of = |major: u64, minor: u64, patch: u64| Version::new(major, minor, patch);
        let mut floor = of(*major, minor.unwrap_or(0), patch.unwrap_or(0));
        floor.pre = pre.clone();
        let is_whole = patch.is_some();
        let next_major = of(major.saturating_add(1), 0, 0);
        let next_minor = |minor: u64| of(*major, minor.saturating_add(1), 0);
        // The first version that does not begin like this one.
        let next = minor.map_or_else(|| next_major.clone(), next_minor);
        let from = |version: Version| Some((version, true));
        Some(match op {
            Op::Exact | Op::Wildcard if is_whole => Self { low: from(floor.clone()), high: from(floor) },
            Op::Exact | Op::Wildcard => Self { low: from(floor), high: before(next) },
            Op::Greater if is_whole => Self { low: Some((floor, false)), high: None },
            Op::Greater => Self { low: from(next), high: None },
            Op::GreaterEq => Self { low: from(floor), high: None },
            Op::Less => Self { low: None, high: before(floor) },
            Op::LessEq if is_whole => Self { low: None, high: from(floor) },
            Op::LessEq => Self { low: None, high: before(next) },
            Op::Tilde => Self { low: from(floor), high: before(next) },
            Op::Caret => {
                let end = match (*major, *minor, *patch) {
                    (0, Some(0), Some(patch)) => of(0, 0, patch.saturating_add(1)),
                    (0, Some(minor), _) => next_minor(minor),
                    _ => next_major,
                };
                Self { low: from(floor), high: before(end) }
            }
            _ => return None,
        })
    }

    fn hold(&self, version: &Version) -> bool {
        // Builds of one version are equal.
        let above = self.low.as_ref().is_none_or(|(low, itself)| {
            let order = version.cmp_precedence(low);
            order.is_gt() || (*itself && order.is_eq())
        });
        let below = self.high.as_ref().is_none_or(|(high, itself)| {
            let order = version.cmp_precedence(high);
            order.is_lt() || (*itself && order.is_eq())
        });
        above && below
    }
}

/// Up to before a version; its own pre-releases are not before it unless it is one itself.
fn before(mut version: Version) -> Option<(Version, bool)> {
    if version.pre.is_empty() {
        version.pre = Prerelease::new("0").expect("a number is a pre-release");
    }
    Some((version, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSIONS: [&str; 15] = [
        "0.0.3",
        "0.2.0",
        "0.2.9",
        "0.3.0",
        "1.1.9",
        "1.2.0-rc.1",
        "1.2.0",
        "1.2.7",
        "1.3.0-beta",
        "1.3.0",
        "1.9.9",
        "2.0.0-alpha",
        "2.0.0",
        "2.1.0",
        "10.0.0",
    ];

    fn holds(range: &str) -> Vec<&'static str> {
        let range = VersionRange::of(&Revision::new(format!("semver:{range}"))).expect("a range").expect(range);
        VERSIONS.into_iter().filter(|text| range.holds(&Version::parse(text).expect(text))).collect()
    }

    #[test]
    fn the_operators_mean_what_they_mean_elsewhere() {
        for (range, expected) in [
            (">=1.2.0 <2.0.0", &["1.2.0", "1.2.7", "1.3.0", "1.9.9"][..]),
            (">=1.2.0, <2.0.0", &["1.2.0", "1.2.7", "1.3.0", "1.9.9"]),
            (">= 1.2.0  < 2.0.0", &["1.2.0", "1.2.7", "1.3.0", "1.9.9"]),
            ("^1.2", &["1.2.0", "1.2.7", "1.3.0", "1.9.9"]),
            ("^v1.2.7", &["1.2.7", "1.3.0", "1.9.9"]),
            ("^0.2", &["0.2.0", "0.2.9"]),
            ("^0.0.3", &["0.0.3"]),
            ("^0", &["0.0.3", "0.2.0", "0.2.9", "0.3.0"]),
            ("~1.2", &["1.2.0", "1.2.7"]),
            ("~1.2.1", &["1.2.7"]),
            ("~1", &["1.1.9", "1.2.0", "1.2.7", "1.3.0", "1.9.9"]),
            ("1.2.7", &["1.2.7"]),
            ("v1.2.7", &["1.2.7"]),
            ("1.2", &["1.2.0", "1.2.7"]),
            ("1.2.x", &["1.2.0", "1.2.7"]),
            ("2.*", &["2.0.0", "2.1.0"]),
            (">1.2", &["1.3.0", "1.9.9", "2.0.0", "2.1.0", "10.0.0"]),
            (">1.9.9", &["2.0.0", "2.1.0", "10.0.0"]),
            ("<=1.2 >1.1", &["1.2.0", "1.2.7"]),
            ("<=0.2.9", &["0.0.3", "0.2.0", "0.2.9"]),
            ("<0.2", &["0.0.3"]),
            ("1.1.9 || >=2.1", &["1.1.9", "2.1.0", "10.0.0"]),
            (">9", &["10.0.0"]),
        ] {
            assert_eq!(holds(range), expected, "{range}");
        }
        assert_eq!(holds("*").len(), VERSIONS.len() - 3);
    }

    #[test]
    fn pre_releases_fit_only_where_the_range_names_one() {
        for (range, expected) in [
            (">=1.2.0-0 <1.3.0", &["1.2.0-rc.1", "1.2.0", "1.2.7"][..]),
            (">=1.2.0-rc.2 <1.3.0-0", &["1.2.0", "1.2.7"]),
            ("^1.2.0-0", &["1.2.0-rc.1", "1.2.0", "1.2.7", "1.3.0-beta", "1.3.0", "1.9.9"]),
            ("=2.0.0-alpha", &["2.0.0-alpha"]),
            (">=1.9 <2.0.0-beta", &["1.9.9", "2.0.0-alpha"]),
            ("1.3.0 || ~2.0.0-0", &["1.3.0", "2.0.0-alpha", "2.0.0"]),
        ] {
            assert_eq!(holds(range), expected, "{range}");
        }
    }

    #[test]
    fn builds_are_one_version_and_tags_have_all_three_numbers() {
        let exact = VersionRange::parse("=1.2.0").expect("a range");
        assert!(exact.holds(&Version::parse("1.2.0+build.7").expect("a version")));
        let of = |tag: &str| VersionRange::version_of(tag).map(|version| version.to_string());
        assert_eq!(of("v1.2.3-rc.1+b"), Some("1.2.3-rc.1+b".to_owned()));
        assert_eq!(of("1.2.3"), Some("1.2.3".to_owned()));
        for tag in ["v1.2", "app/v1.2.3", "vv1.2.3", "V1.2.3", "release", "01.2.3", "v"] {
            assert_eq!(of(tag), None, "{tag}");
        }
    }

    #[test]
    fn what_is_no_range_names_the_part() {
        for (text, part) in [
            ("", ""),
            ("^", "^"),
            ("^1.2 ||", ""),
            ("main", "main"),
            (">=1.2 nonsense", "nonsense"),
            ("!=1.2.0", "!=1.2.0"),
            ("1.2.0 - 1.4.0", "-"),
            ("=>1.2", "=>1.2"),
            ("^x", "^x"),
            ("^1.2.3.4", "^1.2.3.4"),
        ] {
            let error = VersionRange::parse(text).expect_err(text);
            assert_eq!(error, RangeError { part: part.to_owned() }, "{text}");
        }
        assert!(VersionRange::of(&Revision::new("main")).is_none());
    }
}
