//! What happened in the sample's repository, and when the two scans were.

use crate::adapters::git::{BuildError, Content, RepositoryBuilder, Written};
use crate::model::ids::CommitId;
use crate::model::time::Timestamp;

/// The folder of the target in the repository.
const FOLDER: &str = "clusters/prod/shop";

/// Name and e-mail address.
type Person = (&'static str, &'static str);

const MAYA: Person = ("Maya Lindqvist", "maya@example.com");
const TOMAS: Person = ("Tomás Ferreira", "tomas@example.com");
const PRIYA: Person = ("Priya Raman", "priya@example.com");
const JONAS: Person = ("Jonas Weber", "jonas@example.com");

/// A commit on `main`.
struct Step {
    by: Person,
    /// RFC 3339.
    time: &'static str,
    message: &'static str,
    /// Name and content of each file that it changes.
    files: &'static [(&'static str, &'static str)],
    /// For a merge, the commit of the branch that it brings: by whom, when, message.
    merges: Option<(Person, &'static str, &'static str)>,
}

/// The files of a commit's folder in the sample.
macro_rules! files {
    ($commit:literal: $($name:literal),+) => {
        &[$(($name, include_str!(concat!("sample/commits/", $commit, "/", $name)))),+]
    };
}

/// What the first scan finds on `main`.
const BEFORE: &[Step] = &[
    Step {
        by: MAYA,
        time: "2026-02-09T09:12:04Z",
        message: "Add the shop: api, web and worker\n",
        files: files!("01-shop": "README.md", "api.yaml", "config.yaml", "ingress.yaml", "namespace.yaml", "rbac.yaml",
            "secret.yaml", "values.yaml", "web.yaml", "worker.yaml"),
        merges: None,
    },
    Step {
        by: TOMAS,
        time: "2026-02-11T13:40:37Z",
        message: "Let only web and the ingress talk to the api\n",
        files: files!("02-network": "network.yaml"),
        merges: None,
    },
    Step {
        by: PRIYA,
        time: "2026-02-16T10:05:12Z",
        message: "Keep two api Pods while nodes are drained\n",
        files: files!("03-drains": "api.yaml"),
        merges: None,
    },
    Step {
        by: JONAS,
        time: "2026-02-19T15:30:48Z",
        message: "Run four workers for the spring sale\n",
        files: files!("04-worker": "worker.yaml"),
        merges: None,
    },
    Step {
        by: PRIYA,
        time: "2026-02-25T11:20:15Z",
        message: "Send the sales report every night\n",
        files: files!("05-report": "jobs.yaml"),
        merges: None,
    },
    Step {
        by: JONAS,
        time: "2026-03-02T08:50:33Z",
        message: "Release api 1.5.0\n",
        files: files!("06-api-1.5": "api.yaml"),
        merges: None,
    },
    Step {
        by: TOMAS,
        time: "2026-03-05T14:15:51Z",
        message: "Keep the feature flags next to web\n",
        files: files!("07-flags": "web.yaml"),
        merges: None,
    },
    Step {
        by: JONAS,
        time: "2026-03-11T17:52:06Z",
        message: "Release web 2.9.0\n",
        files: files!("08-web-2.9": "web.yaml"),
        merges: None,
    },
];

/// What is pushed between the two scans. Nothing of it is applied.
const BETWEEN: &[Step] = &[
    Step {
        by: JONAS,
        time: "2026-03-12T08:40:22Z",
        message: "Allow uploads of up to 64 MB\n\nThe ingress runs with it since yesterday, and suppliers need it.\n",
        files: files!("09-uploads": "ingress.yaml"),
        merges: None,
    },
    Step {
        by: TOMAS,
        time: "2026-03-12T10:05:45Z",
        message: "Turn on the new checkout\n",
        files: files!("10-checkout": "config.yaml"),
        merges: None,
    },
    Step {
        by: MAYA,
        time: "2026-03-12T14:17:30Z",
        message: "Merge pull request #41 from acme/price-import\n\nImport prices every quarter of an hour\n",
        files: files!("11-prices": "jobs.yaml"),
        merges: Some((PRIYA, "2026-03-12T11:36:02Z", "Import prices every quarter of an hour\n")),
    },
    Step {
        by: MAYA,
        time: "2026-03-12T14:21:59Z",
        message: "Name the worker's metrics port\n",
        files: files!("12-metrics-port": "worker.yaml"),
        merges: None,
    },
];

/// The cluster at the first scan: as `kubectl get -o json --show-managed-fields` printed it.
pub const CLUSTER_BEFORE: &str = include_str!("sample/cluster-before.json");
/// The cluster at the second scan.
pub const CLUSTER_AFTER: &str = include_str!("sample/cluster-after.json");
/// The configuration, with paths that start at its folder.
pub const CONFIG: &str = include_str!("sample/driftledger.yaml");

/// When the first scan is: minutes after a release was pushed.
pub fn first_scan() -> Timestamp {
    at("2026-03-11T18:00:00Z")
}

/// When the second scan is: after a night with an incident.
pub fn second_scan() -> Timestamp {
    at("2026-03-12T14:30:00Z")
}

/// Commits what the first scan finds.
///
/// # Errors
/// The repository cannot be written.
pub fn push_before(repository: &mut RepositoryBuilder) -> Result<CommitId, BuildError> {
    push(repository, None, BEFORE)
}

/// Commits what is pushed after the first scan, on top of what it found.
///
/// # Errors
/// The repository cannot be written.
pub fn push_between(repository: &mut RepositoryBuilder, tip: CommitId) -> Result<CommitId, BuildError> {
    push(repository, Some(tip), BETWEEN)
}

fn push(repository: &mut RepositoryBuilder, tip: Option<CommitId>, steps: &[Step]) -> Result<CommitId, BuildError> {
    let mut tip = tip;
    for step in steps {
        let files = || step.files.iter().map(|(name, text)| (format!("{FOLDER}/{name}"), Content::from(*text)));
        let mut parents: Vec<CommitId> = tip.into_iter().collect();
        if let Some((by, time, message)) = step.merges {
            let branch =
                repository.commit(&parents.iter().collect::<Vec<_>>(), &written(by, time, message), files())?;
            parents.push(branch);
        }
        let written = written(step.by, step.time, step.message);
        tip = Some(repository.commit(&parents.iter().collect::<Vec<_>>(), &written, files())?);
    }
    let tip = tip.ok_or_else(|| BuildError::Unknown(CommitId::new("")))?;
    repository.set_branch("main", &tip)?;
    Ok(tip)
}

fn written(by: Person, time: &str, message: &'static str) -> Written<'static> {
    Written { author: by.0, email: by.1, time: at(time), message }
}

fn at(time: &str) -> Timestamp {
    Timestamp::parse(time).expect("a time of the story is RFC 3339")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_sample_is_in_a_commit_and_time_goes_forward() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/app/demo/sample/commits");
        let mut on_disk = Vec::new();
        for commit in std::fs::read_dir(folder).unwrap() {
            for file in std::fs::read_dir(commit.unwrap().path()).unwrap() {
                on_disk.push(std::fs::read_to_string(file.unwrap().path()).unwrap());
            }
        }
        let steps = || BEFORE.iter().chain(BETWEEN);
        let told: BTreeSet<&str> = steps().flat_map(|step| step.files).map(|(_, text)| *text).collect();
        assert_eq!(on_disk.iter().map(String::as_str).collect::<BTreeSet<_>>(), told);
        let times: Vec<Timestamp> = BEFORE.iter().map(|step| at(step.time)).chain([first_scan()]).collect();
        assert!(times.is_sorted(), "{times:?}");
        let times: Vec<Timestamp> =
            [first_scan()].into_iter().chain(BETWEEN.iter().map(|step| at(step.time))).chain([second_scan()]).collect();
        assert!(times.is_sorted(), "{times:?}");
    }
}
